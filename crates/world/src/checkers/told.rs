//! What everyone was told equals what the catalogue says: whoever only listens to events knows it all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use autochanger_engine::EventKind;
use autochanger_engine::catalog::Service;
use autochanger_engine::id::{CartridgeId, RequestId};
use autochanger_engine::request::{Place, State, Waiting};
use autochanger_engine::view::{LibraryState, OperatorTask};

use crate::watch::{Checker, Facts, Sight};

/// A listener, who looks into the catalogue when a manager starts and only listens from then on. What it knows is compared when all
/// is at rest: before, an event can be on its way.
#[derive(Debug, Default)]
pub(crate) struct Told {
    requests: BTreeMap<RequestId, State>,
    places: BTreeMap<CartridgeId, Place>,
    mounts: BTreeSet<RequestId>,
    tasks: BTreeMap<RequestId, OperatorTask>,
    libraries: BTreeMap<Arc<str>, Arc<LibraryState>>,
    services: BTreeMap<(Arc<str>, Option<u16>), Service>,
    wishes: BTreeMap<(Arc<str>, u16), bool>,
}

impl Checker for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        match sight {
            Sight::Event(event) => self.hear(&event.kind),
            Sight::Restart => {
                let places = facts.disk.cartridges.values().map(|it| (it.id, it.place.clone()));
                *self = Self {
                    places: places.collect(),
                    mounts: facts.disk.mounts.keys().copied().collect(),
                    ..Self::default()
                };
            }
            Sight::Purge(ids) => self.requests.retain(|id, _| !ids.contains(id)),
            Sight::Rest | Sight::Calm => return self.compare(facts),
            _ => {}
        }
        Ok(())
    }
}

impl Told {
    fn hear(&mut self, event: &EventKind) {
        match event {
            EventKind::Request(request) => drop(self.requests.insert(request.id, request.state.clone())),
            EventKind::Cartridge { id, place, .. } => drop(self.places.insert(*id, place.clone())),
            EventKind::Mounted(mount) => drop(self.mounts.insert(mount.id)),
            EventKind::Dismounted { id, .. } => drop(self.mounts.remove(id)),
            EventKind::OperatorAsked(asked) => drop(self.tasks.insert(asked.request, asked.task.clone())),
            EventKind::OperatorDone { request, .. } => drop(self.tasks.remove(request)),
            EventKind::Library { name, state } => drop(self.libraries.insert(name.clone(), state.clone())),
            EventKind::Service { library, drive, service } => {
                self.services.insert((library.clone(), drive.map(|drive| drive.0)), *service);
            }
            EventKind::Drive { library, drive, wants_cleaning, .. } => {
                self.wishes.insert((library.clone(), drive.0), *wants_cleaning);
            }
            _ => {}
        }
    }

    fn compare(&self, facts: &Facts<'_>) -> Result<(), String> {
        for (id, told) in &self.requests {
            let kept = facts.disk.requests.get(id).map(|request| &request.state);
            let shown = facts.view.request(*id).map(|request| request.state);
            match (kept, shown) {
                (Some(kept), None) if kept != told => {
                    return Err(format!("{id} was told to be {told}, and is {kept}"));
                }
                // That is told once, of the library.
                (_, Some(State::Waiting(Waiting::Library))) => {}
                (_, Some(shown)) if shown != *told => {
                    return Err(format!("{id} was told to be {told}, and is shown as {shown}"));
                }
                _ => {}
            }
        }
        for (id, cartridge) in &facts.disk.cartridges {
            if self.places.get(id) != Some(&cartridge.place) {
                let (told, label) = (self.places.get(id), cartridge.barcode.as_deref().unwrap_or("-"));
                return Err(format!("{label} was told to be in {told:?}, and is in {}", cartridge.place));
            }
        }
        if !self.mounts.iter().eq(facts.disk.mounts.keys()) {
            return Err(format!("told of the mounts {:?}, there are {:?}", self.mounts, facts.disk.mounts));
        }
        let tasks: BTreeMap<_, _> =
            facts.view.operator_requests().into_iter().map(|asked| (asked.request, asked.task)).collect();
        if tasks != self.tasks {
            return Err(format!("persons were told {:?}, and are asked {tasks:?}", self.tasks));
        }
        self.compare_libraries(facts)
    }

    fn compare_libraries(&self, facts: &Facts<'_>) -> Result<(), String> {
        for library in facts.view.libraries() {
            if let Some(told) = self.libraries.get(&library.name).filter(|told| **told != library.state) {
                return Err(format!("{} was told to be {told}, and is {}", library.name, library.state));
            }
            let key = (library.name.clone(), None);
            if let Some(told) = self.services.get(&key).filter(|told| **told != library.service) {
                return Err(format!("{} was told to be {told}, and is {}", library.name, library.service));
            }
            for drive in facts.view.drives(library.id) {
                let key = (library.name.clone(), Some(drive.element.0));
                if let Some(told) = self.services.get(&key).filter(|told| **told != drive.service) {
                    return Err(format!(
                        "drive {} was told to be {told}, and is {}",
                        drive.element, drive.service
                    ));
                }
                let key = (library.name.clone(), drive.element.0);
                if self.wishes.get(&key).is_some_and(|told| *told != drive.wants_cleaning) {
                    return Err(format!(
                        "drive {}: whether it asks to be cleaned was told otherwise",
                        drive.element
                    ));
                }
            }
        }
        Ok(())
    }
}
