//! Which media an inventory loads to read their labels (RSM: `NTMS_INVENTORY_OMID`), and how it comes to its end.
//!
//! Each reading is an identification of the manager's own: a request with an end of its own, that can be cancelled by itself.
//! The inventory has as many under way as leave a drive to others, and they take their turn among the mounts. What is in use is
//! passed over, and tried again as long as others are left. That a label was read is kept with the cartridge, so that after a
//! restart the round goes on where it was.

use alloc::collections::{BTreeMap, BTreeSet};

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::identity::kind_of;
use super::live::Phase;
use super::round::{Reconciled, Round};
use crate::catalog::{Cartridge, MediumKind, Service};
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::output::Refusal;
use crate::request::{
    CartridgeRef, Failure, FailureKind, InventoryMethod, LabelsRead, Operation, Place, State, Wanted,
};
use crate::time::{Now, WallTime};

impl Engine {
    /// The elements were read: the labels are next.
    pub(crate) fn begin_labels(&mut self, index: LibraryIndex, id: RequestId, found: Reconciled, now: Now) {
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        let Some(live) = self.live.get_mut(&id) else { return };
        live.phase = Phase::Labels;
        live.round = Some(Round { found, ..Round::default() });
        if let Some(library) = self.library_mut(index) {
            library.rounds.insert(id);
        }
        self.next_labels(index, id, now);
    }

    /// The library is there again, or something of it came free.
    pub(crate) fn go_on_with_labels(&mut self, index: LibraryIndex, now: Now) {
        let Some(rounds) = self.library(index).map(|library| library.rounds.clone()) else { return };
        for id in rounds {
            self.next_labels(index, id, now);
        }
    }

    /// An identification has ended, whose it ever was.
    pub(crate) fn label_reading_ended(
        &mut self,
        index: LibraryIndex,
        reading: RequestId,
        passed: bool,
        now: Now,
    ) {
        let Some(rounds) = self.library(index).map(|library| library.rounds.clone()) else { return };
        for id in &rounds {
            if let Some(round) = self.live.get_mut(id).and_then(|live| live.round.as_mut())
                && round.running.remove(&reading)
                && !passed
            {
                round.failed = round.failed.saturating_add(1);
            }
        }
        self.go_on_with_labels(index, now);
    }

    /// The request ends: what of its round has not begun is not begun any more; what has goes on to its end, so that no medium
    /// is left in a drive.
    pub(crate) fn leave_round(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let (Some(round), library, ending) = (live.round.take(), live.library, live.ending.clone()) else {
            return;
        };
        if let Some(library) = library.and_then(|index| self.library_mut(index)) {
            library.rounds.remove(&id);
        }
        let Some(State::Cancelled { by } | State::Stopped { by, .. }) = ending else { return };
        for reading in round.running {
            if self.live.get(&reading).is_some_and(|live| !live.steps_sent) {
                self.stop_member(reading, by.clone(), now);
            }
        }
    }

    /// A door was open: which cartridge is where, of those that no barcode tells apart, is known by their labels only.
    pub(crate) fn doubt_labels(&mut self, index: LibraryIndex) {
        let Some(library) = self.library(index).and_then(|library| library.id) else { return };
        let doubtful = |cartridge: &&Cartridge| {
            cartridge.library == library && cartridge.barcode.is_none() && cartridge.label_read_at.is_some()
        };
        let doubtful: BTreeSet<CartridgeId> =
            self.catalogue.cartridges().filter(doubtful).map(|cartridge| cartridge.id).collect();
        for cartridge in doubtful {
            self.keep_cartridge(cartridge, |cartridge| cartridge.label_read_at = None);
        }
    }

    /// Has as many labels read at once as may be; ends the inventory when nothing is left.
    fn next_labels(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let at_it = |live: &super::live::Live| live.phase == Phase::Labels && live.ending.is_none();
        if self.stopped || self.store_failed.is_some() || !self.live.get(&id).is_some_and(at_it) {
            return;
        }
        let Some(library) = self.library(index).filter(|library| library.is_ready()) else { return };
        if library.service == Service::Disabled {
            let message = alloc::format!("library {} is disabled", library.config.name);
            return self.fail(id, Failure::new(FailureKind::Disabled, message), now);
        }
        let at_once = self.readings_at_once(index);
        loop {
            let Some(live) = self.live.get(&id) else { return };
            let (Some(round), priority) = (live.round.as_ref(), live.request.priority) else { return };
            let left = self.labels_left(index, id);
            let Some(cartridge) = left.next else {
                if round.running.is_empty() && !left.others_read {
                    self.end_round(index, id, left.in_use, now);
                }
                return;
            };
            if self.readings_under_way(index) >= at_once {
                return;
            }
            let wanted = Wanted::Identify { cartridge: CartridgeRef::Id(cartridge), keep: false };
            let reading = match self.submit_own(wanted, priority, now) {
                Ok(reading) => Some(reading),
                Err(Refusal::NotReady { .. }) => return,
                // It can work in no drive here.
                Err(_) => None,
            };
            let Some(round) = self.live.get_mut(&id).and_then(|live| live.round.as_mut()) else { return };
            round.tried.insert(cartridge);
            match reading {
                Some(reading) => drop(round.running.insert(reading)),
                None => round.failed = round.failed.saturating_add(1),
            }
        }
    }

    /// The readings that are live, whichever inventory and whichever process of the manager has begun them.
    fn readings_under_way(&self, index: LibraryIndex) -> usize {
        let readings = self.live.own().filter(|live| live.request.operation() == Operation::Identify);
        readings.filter(|live| live.library == Some(index)).count()
    }

    /// A drive is left to others, where there is another one.
    fn readings_at_once(&self, index: LibraryIndex) -> usize {
        let Some(library) = self.library(index) else { return 0 };
        let drives = library.elements.of_kind(ElementType::Drive).filter_map(|drive| drive.drive.as_ref());
        let usable = drives.filter(|drive| drive.device.is_some() && drive.service == Service::Enabled);
        usable.count().saturating_sub(1).max(1)
    }

    /// What of the round is left, by address: the arm goes along the slots.
    fn labels_left(&self, index: LibraryIndex, id: RequestId) -> Left {
        let mut left = Left::default();
        let (Some(library), Some(live)) =
            (self.library(index).and_then(|library| library.id), self.live.get(&id))
        else {
            return left;
        };
        let Some(round) = &live.round else { return left };
        let all = self.method_of(index, id) == InventoryMethod::AllLabels;
        let since = live.request.queued_at;
        let asked: BTreeSet<CartridgeId> = self
            .live
            .in_line(library, Operation::Identify)
            .filter_map(|live| live.request.cartridge)
            .collect();
        let mut due: BTreeMap<ElementAddress, CartridgeId> = BTreeMap::new();
        for cartridge in self.catalogue.cartridges().filter(|cartridge| cartridge.library == library) {
            let Place::Element(place) = cartridge.place else { continue };
            if !is_due(cartridge, all, since) || round.tried.contains(&cartridge.id) {
                continue;
            }
            let here = matches!(place.kind, ElementType::Storage | ElementType::Drive);
            let busy = self.catalogue.mount_of(cartridge.id).is_some()
                || self.catalogue.reserver(cartridge.id).is_some();
            if asked.contains(&cartridge.id) {
                left.others_read = true;
            } else if !here || busy || cartridge.disabled {
                left.in_use = left.in_use.saturating_add(1);
            } else {
                due.insert(place.address, cartridge.id);
            }
        }
        left.next = due.into_values().next();
        left
    }

    fn end_round(&mut self, index: LibraryIndex, id: RequestId, skipped: u32, now: Now) {
        let Some(live) = self.live.get(&id) else { return };
        let (Some(round), since) = (live.round.as_ref(), live.request.queued_at) else { return };
        let (found, failed) = (round.found, round.failed);
        let library = self.library(index).and_then(|library| library.id);
        let was_read = |cartridge: &&Cartridge| {
            Some(cartridge.library) == library && cartridge.label_read_at.is_some_and(|at| at >= since)
        };
        let read = self.catalogue.cartridges().filter(was_read).count();
        let labels = LabelsRead { read: u32::try_from(read).unwrap_or(u32::MAX), failed, skipped };
        self.end(id, State::Passed(found.outcome(Some(labels))), now);
    }
}

/// What of a round is left.
#[derive(Debug, Default)]
struct Left {
    next: Option<CartridgeId>,
    /// A cartridge that is due is identified for somebody else, or for an earlier process.
    others_read: bool,
    in_use: u32,
}

/// Whether the label of the cartridge is to be read by an inventory that was asked for at that time.
fn is_due(cartridge: &Cartridge, all: bool, since: WallTime) -> bool {
    if kind_of(cartridge) == MediumKind::Cleaning {
        return false;
    }
    match cartridge.label_read_at {
        Some(read_at) => all && read_at < since,
        None if all => true,
        // A label that is recorded belongs to the barcode.
        None => cartridge.label.is_none() || cartridge.barcode.is_none(),
    }
}
