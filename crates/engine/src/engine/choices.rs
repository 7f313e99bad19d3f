//! Which drives a mount could have that gets them together with others, and how soon each can be had.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::Library;
use crate::library::assign::{Chance, Choice};
use crate::library::elements::{ElementState, Need};

/// What a member wants of a drive.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    /// `None`: it stands in a slot.
    pub(crate) cartridge: Option<CartridgeId>,
    pub(crate) need: Need,
    pub(crate) named: Option<ElementAddress>,
    /// Drives in which the medium did not come ready.
    pub(crate) suspects: Vec<ElementAddress>,
}

impl Want {
    /// It names no other one, and has not failed in it.
    fn may_be(&self, drive: ElementAddress) -> bool {
        self.named.is_none_or(|named| named == drive) && !self.suspects.contains(&drive)
    }
}

impl Engine {
    pub(crate) fn want_of(&self, id: RequestId) -> Option<Want> {
        let live = self.live.get(&id)?;
        let suspects = live.suspects.iter().map(|(drive, _)| *drive).collect();
        let (cartridge, named) = (live.request.cartridge, self.named_drive(id));
        Some(Want { cartridge, need: self.need_of(id), named, suspects })
    }

    /// The drives that fit, the sooner to be had first. What is reserved by one of `own` is theirs to give.
    pub(crate) fn choices(&self, index: LibraryIndex, want: &Want, own: &BTreeSet<RequestId>) -> Vec<Choice> {
        let Some(library) = self.library(index) else { return Vec::new() };
        let lies_in = self.drive_with(index, want.cartridge);
        let fits =
            |drive: ElementAddress| want.may_be(drive) && library.elements.drive_fits(drive, want.need);
        let drives = library.elements.drives_by_use().into_iter().filter(|drive| fits(drive.name.address));
        let mut choices: Vec<_> = drives
            .map(|drive| {
                let choice =
                    Choice { drive: drive.name.address, chance: chance(library, drive, lies_in, own) };
                (choice.chance, self.harm_of_emptying(drive), choice)
            })
            .collect();
        let place = want.cartridge.and_then(|cartridge| self.place_to_fetch(cartridge));
        let mut now = choices.iter().filter(|it| it.0.is_now()).map(|it| it.2.drive);
        let near = self.near(index, place, &mut now);
        choices.sort_by_key(|(chance, harm, choice)| (*chance, *harm, !near(&choice.drive)));
        choices.into_iter().map(|(_, _, choice)| choice).collect()
    }

    /// The drives that could ever be the one, whoever uses them now, of those that `may`.
    pub(crate) fn possible(
        &self,
        index: LibraryIndex,
        want: &Want,
        may: impl Fn(&ElementState) -> bool,
    ) -> Vec<Choice> {
        let Some(library) = self.library(index) else { return Vec::new() };
        let drives = library.elements.of_kind(ElementType::Drive).filter(|element| may(element));
        drives
            .map(|element| element.name.address)
            .filter(|drive| want.may_be(*drive) && library.elements.drive_fits(*drive, want.need))
            .map(|drive| Choice { drive, chance: Chance::Free })
            .collect()
    }

    /// Which drive is to be emptied first: one that is being emptied, then as in `drive_to_empty`.
    fn harm_of_emptying(&self, element: &ElementState) -> (bool, bool, Duration) {
        let Some(drive) = &element.drive else { return Default::default() };
        let wished = element.cartridge.is_some_and(|cartridge| self.catalogue.is_wished_for(cartridge));
        let since = drive.deferred.map_or(Duration::ZERO, |(_, since)| since);
        (element.cartridge.is_some() && drive.displacing.is_none(), wished, since)
    }

    pub(crate) fn drive_with(
        &self,
        index: LibraryIndex,
        cartridge: Option<CartridgeId>,
    ) -> Option<ElementAddress> {
        let cartridge = cartridge?;
        let mut drives = self.library(index)?.elements.of_kind(ElementType::Drive);
        drives.find(|element| element.cartridge == Some(cartridge)).map(|element| element.name.address)
    }
}

fn chance(
    library: &Library,
    element: &ElementState,
    lies_in: Option<ElementAddress>,
    own: &BTreeSet<RequestId>,
) -> Chance {
    let (elements, address) = (&library.elements, element.name.address);
    let Some(drive) = element.drive.as_ref().filter(|_| elements.has_drive(address)) else {
        return Chance::Out;
    };
    if !elements.drive_serves(address) || !elements.may_load(address) {
        return Chance::Out;
    }
    let leaving = element.cartridge.is_some() && drive.displacing.is_some();
    let reserved = element.reserved_by.is_some_and(|by| !own.contains(&by) && drive.displacing != Some(by));
    let empty = elements.is_empty_drive(address);
    match () {
        () if reserved || drive.mount.is_some() || element.doubtful => Chance::Busy,
        () if leaving => Chance::Room,
        () if lies_in == Some(address) => Chance::Here,
        () if empty && lies_in.is_some() => Chance::Room,
        () if empty && library.is_suspect(address) => Chance::Suspect,
        () if empty => Chance::Free,
        // It does not let go of what is in it: somebody has to look.
        () if drive.unyielding.1 == Duration::MAX => Chance::Out,
        () if element.cartridge.is_some() => Chance::Room,
        () => Chance::Busy,
    }
}
