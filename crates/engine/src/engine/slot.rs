//! Which slot a cartridge goes into.

use alloc::string::String;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::schedule::Start;
use crate::forecast::Why;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::queue::Blocker;
use crate::request::{Failure, FailureKind, Wanted};
use crate::time::Now;

impl Engine {
    /// The slot for a dismount: the named one, the one that the cartridge came from, an empty one. `None`: wait.
    pub(crate) fn choose_slot(
        &self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
    ) -> Result<Option<ElementAddress>, Failure> {
        let (Some(library), Some(live)) = (self.library(index), self.live.get(&id)) else { return Ok(None) };
        // What it has reserved already, before it had to unload, it keeps; unless hands have put something there.
        let own = live.slot.filter(|&slot| {
            let element = library.elements.get(slot);
            element.is_some_and(|element| !element.full && element.cartridge.is_none())
        });
        let usable = |slot: ElementAddress| library.elements.is_vacant(slot) || own == Some(slot);
        if let Wanted::Dismount { slot: Some(named), .. } = live.request.wanted {
            if usable(named) {
                return Ok(Some(named));
            }
            if library.elements.get(named).is_none() {
                let message = alloc::format!("slot {named} is not in {} any more", library.config.name);
                return Err(Failure::new(FailureKind::Refused, message));
            }
            let held = library.elements.get(named).and_then(|element| element.cartridge);
            let held = held.map_or_else(|| String::from("something"), |held| self.cartridge_name(held));
            return Err(Failure::new(
                FailureKind::DestinationFull,
                alloc::format!("slot {named} of {} is taken by {held}", library.config.name),
            ));
        }
        let home = self.catalogue.cartridge(cartridge).and_then(|cartridge| cartridge.home);
        let is_slot = |slot: ElementAddress| {
            library.elements.get(slot).is_some_and(|element| element.name.kind == ElementType::Storage)
        };
        let cleaners = library.cleaner_slot;
        let in_place = |slot: ElementAddress| library.elements.has_magazine(slot);
        if let Some(home) = home.filter(|&home| usable(home) && is_slot(home) && in_place(home)) {
            return Ok(Some(home));
        }
        if let Some(own) = own.filter(|&own| is_slot(own)) {
            return Ok(Some(own));
        }
        let Some(library_id) = library.id else { return Ok(None) };
        let others = |slot: ElementAddress| self.catalogue.is_home_of_other(library_id, slot, cartridge);
        Ok(library.elements.vacant_slot(|slot| Some(slot) != cleaners, others))
    }

    /// The slot that the request's next step takes the cartridge to; where there is none, what the attempt to start comes to.
    pub(crate) fn slot_to_start_with(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        now: Now,
    ) -> Result<ElementAddress, Start> {
        match self.choose_slot(index, id, cartridge) {
            Ok(Some(slot)) => Ok(slot),
            Ok(None) => Err(Start::Blocked(Blocker::Slot)),
            Err(failure) => {
                self.fail(id, failure, now);
                Err(Start::Gone)
            }
        }
    }

    /// Where it was at home, if that is free; never the cleaner's slot, and not another one's home while a better one is free.
    pub(crate) fn slot_for_new(
        &self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
    ) -> Option<ElementAddress> {
        let slot = self.choose_slot(index, id, cartridge).ok().flatten()?;
        let cleaners = self.library(index)?.cleaner_slot;
        if Some(slot) != cleaners {
            return Some(slot);
        }
        let library = self.library(index)?;
        let library_id = library.id?;
        let others = |slot: ElementAddress| self.catalogue.is_home_of_other(library_id, slot, cartridge);
        library.elements.vacant_slot(|slot| Some(slot) != cleaners, others)
    }

    pub(crate) fn why_slot(&self, id: RequestId, cartridge: CartridgeId, slot: ElementAddress) -> Why {
        let home = self.catalogue.cartridge(cartridge).and_then(|cartridge| cartridge.home);
        let named = self
            .live
            .get(&id)
            .is_some_and(|live| matches!(live.request.wanted, Wanted::Dismount { slot: Some(_), .. }));
        match (named, home) {
            (true, _) => Why::SlotNamed,
            (false, Some(home)) if home == slot => Why::SlotOfOrigin,
            _ => Why::FreeSlot,
        }
    }
}
