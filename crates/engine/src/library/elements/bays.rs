//! Drives that stand in other bays than before, and slots that have other addresses.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::{ElementState, Elements};
use crate::id::RequestId;

impl Elements {
    /// Slots have other addresses, with what is in them and who has reserved them.
    pub(crate) fn renumber_slots(&mut self, moved: &BTreeMap<ElementAddress, ElementAddress>) {
        let is_slot = |element: &&ElementState| element.name.kind == ElementType::Storage;
        let taken: Vec<_> = moved
            .iter()
            .filter_map(|(from, &to)| Some((to, self.all.get(from).filter(is_slot)?.clone())))
            .collect();
        let left: Vec<_> =
            moved.keys().copied().filter(|from| self.all.get(from).as_ref().is_some_and(is_slot)).collect();
        left.into_iter().for_each(|from| self.forget(from));
        for (to, mut element) in taken {
            self.forget(to);
            element.name.address = to;
            self.by_kind.entry(ElementType::Storage).or_default().insert(to);
            self.all.insert(to, element);
        }
    }

    /// Drives have moved to other addresses, with what is in them. What is left behind is a bay of which nothing is known. The dismounts
    /// that were put off in drives that are gone from where one of them stands now.
    pub(crate) fn move_drives(&mut self, moved: &BTreeMap<ElementAddress, ElementAddress>) -> Vec<RequestId> {
        let gone = moved.values().filter(|to| !moved.contains_key(to));
        let deferred = gone.filter_map(|gone| self.all.get(gone)?.drive.as_ref()?.deferred);
        let astray = deferred.map(|(id, _)| id).collect();
        let taken: Vec<_> = moved
            .iter()
            .filter_map(|(&from, &to)| {
                let is_drive = |element: &&ElementState| element.drive.is_some();
                let element = self.all.get(&from).filter(is_drive)?.clone();
                Some((to, element))
            })
            .collect();
        for address in moved.keys() {
            self.forget(*address);
        }
        for (to, mut element) in taken {
            self.forget(to);
            element.name.address = to;
            let used = element.drive.as_ref().filter(|drive| drive.listed).map(|drive| drive.last_used);
            self.free_drives.extend(used.map(|used| (used, to)));
            self.by_kind.entry(ElementType::Drive).or_default().insert(to);
            self.all.insert(to, element);
        }
        astray
    }
}
