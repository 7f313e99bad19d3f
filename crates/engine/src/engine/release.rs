//! What a request has reserved becomes free, and whoever waits for it is woken.

use super::Engine;
use crate::id::{LibraryIndex, RequestId};
use crate::library::PlannedMotion;
use crate::library::queue::Blocker;
use crate::planted::Bug;

impl Engine {
    /// Frees what a request has reserved, and wakes who waits for it.
    pub(crate) fn release(&mut self, id: RequestId, index: LibraryIndex) {
        self.release_but(id, index, false);
    }

    /// The same; a mount whose group has begun can keep its medium and the drive that it got.
    pub(crate) fn release_but(&mut self, id: RequestId, index: LibraryIndex, keeps_own: bool) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let own = live.granted.filter(|_| keeps_own);
        let cartridge = live.request.cartridge.filter(|_| own.is_none());
        let drive = live.request.drive.filter(|drive| Some(*drive) != own);
        let granted = if own.is_some() { None } else { live.granted.take() };
        let (slot, port) = (live.slot.take(), live.port.take());
        live.request.drive = own.or(live.request.drive);
        if let Some(cartridge) = cartridge.filter(|&cartridge| self.catalogue.is_reserved_by(cartridge, id)) {
            self.catalogue.unreserve(cartridge);
            self.wake(index, Blocker::Medium(cartridge));
        }
        let kept = self.planted.is(Bug::ReservationNeverFreed) && self.stopping(id);
        let Some(library) = self.library_mut(index) else { return };
        let mut vacant_slot = false;
        for address in [slot, drive, granted, port].into_iter().flatten() {
            // In an exchange the drive passes from one request to the other.
            let ends = |motion: &PlannedMotion| {
                motion.record.source.address == address || motion.record.destination.address == address
            };
            let heir = library
                .motions
                .iter()
                .find(|(other, motion)| **other != id && ends(motion))
                .map(|(&heir, _)| heir);
            let freed = library.elements.update(address, |element| {
                if let Some(drive) = element.drive.as_mut().filter(|drive| drive.displacing == Some(id)) {
                    drive.displacing = None;
                }
                let mine = element.reserved_by == Some(id) && !kept;
                if mine {
                    element.reserved_by = heir;
                }
                mine && heir.is_none()
            });
            vacant_slot |= freed == Some(true) && slot == Some(address);
        }
        if vacant_slot {
            self.wake(index, Blocker::Slot);
        }
        if port.is_some() {
            self.wake(index, Blocker::Port);
        }
        for drive in [drive, granted.filter(|granted| Some(*granted) != drive)].into_iter().flatten() {
            self.wake_for_drive(index, drive);
        }
    }
}
