//! A dismount and the mount that waits for its drive, as one EXCHANGE MEDIUM. It belongs to both requests: each has its own
//! intent, its own end and its own cancel.

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::motion::Way;
use crate::catalog::MotionState;
use crate::changer::exchange::Exchanged;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::MotionStage;
use crate::library::queue::Order;
use crate::request::{ElementName, Operation};
use crate::time::Now;

/// By how many points of priority a mount may go before others because its medium is in the drive already: with ten minutes
/// a point, half an hour, which is some loads of others.
const HAND_OVER_POINTS: u32 = 3;

impl Engine {
    /// The mount for which an EXCHANGE MEDIUM is made of the dismount, where the library can.
    pub(crate) fn exchange_partner(&self, index: LibraryIndex, drive: ElementAddress) -> Option<RequestId> {
        self.library(index).filter(|library| library.can_exchange())?;
        self.partner(index, drive)
    }

    /// The first mount in the order of service that the drive would serve, and whose cartridge stands ready in a slot: of those that
    /// wait for a drive, and of those whose turn to be tried has not come.
    pub(crate) fn partner(&self, index: LibraryIndex, drive: ElementAddress) -> Option<RequestId> {
        let library = self.library(index)?;
        let takes = library.elements.drive_serves(drive) && library.elements.may_load(drive);
        if !takes || !self.serves(index, Operation::Mount) || library.holding.is_some() {
            return None;
        }
        let fits = |id: RequestId| {
            let Some(live) = self.live.get(&id) else { return false };
            let Some(cartridge) = live.request.cartridge else { return false };
            live.request.operation().loads()
                && live.request.options.group.is_none()
                && live.ending.is_none()
                && !live.putting_back
                && !live.suspects.iter().any(|(suspect, _)| *suspect == drive)
                && !self.medium_is_busy(cartridge, id)
                && self.catalogue.mount_of(cartridge).is_none()
                && library.elements.drive_fits(drive, self.need_of(id))
                && self.slot_of(id).is_some()
        };
        // Who can have a drive that is free gets that one, and who was promised not to wait does not.
        let must_wait = |id: RequestId| {
            self.named_drive(id).is_none_or(|named| named == drive)
                && !self.must_not_wait(id)
                && self.free_drive_for(index, id).is_none()
        };
        let fitting = |need| library.elements.drive_fits(drive, need);
        let mut waiting = library.queue.waiting_for_drive(drive, fitting);
        // What else loads a medium has more to look at before it may begin.
        let mut ready = library.queue.ready_that(|operation| operation == Operation::Mount);
        let waiting = waiting.find(|(_, id)| fits(*id));
        let ready = ready.find(|(_, id)| fits(*id) && must_wait(*id));
        waiting.into_iter().chain(ready).min().map(|(_, id)| id)
    }

    /// Whether somebody waits for the drive for so much longer that a mount of its medium does not go before, although that needs no
    /// motion. So one tape that everybody wants keeps the others out for so long and no longer.
    pub(crate) fn waits_longer(&self, index: LibraryIndex, drive: ElementAddress, order: Order) -> bool {
        let Some(library) = self.library(index) else { return false };
        let head_start = order.earlier(HAND_OVER_POINTS, self.config.priority_worth);
        let can_use = |id: RequestId| {
            self.live.get(&id).is_some_and(|live| live.suspects.iter().all(|(suspect, _)| *suspect != drive))
        };
        let fits = |need| library.elements.drive_fits(drive, need);
        let mut waiting = library.queue.waiting_for_drive(drive, fits);
        waiting.find(|(_, id)| can_use(*id)).is_some_and(|(first, _)| first < head_start)
    }

    /// The slot in which the cartridge of a request stands ready.
    pub(crate) fn slot_of(&self, id: RequestId) -> Option<ElementName> {
        let cartridge = self.live.get(&id)?.request.cartridge?;
        self.standing_place(id, cartridge).ok().filter(|place| place.kind == ElementType::Storage)
    }

    /// Journals the intents of both. The dismount's carries the command.
    pub(crate) fn intend_exchange(
        &mut self,
        index: LibraryIndex,
        dismount: RequestId,
        displaced: CartridgeId,
        way: Way,
        mount: RequestId,
        now: Now,
    ) {
        let incoming = self.live.get(&mount).and_then(|live| live.request.cartridge);
        let slot = self.slot_of(mount);
        let (Some(incoming), Some(slot)) = (incoming, slot) else {
            return self.intend(index, dismount, displaced, way, now);
        };
        self.take_from_queue(index, mount);
        let drive = way.source;
        self.reserve(index, mount, incoming, drive.address, Some(slot.address));
        self.journal(
            index,
            mount,
            incoming,
            Way { source: slot, destination: drive },
            MotionStage::Paired,
            now,
        );
        // The drive is the dismount's until it is empty.
        self.reserve(index, dismount, displaced, drive.address, Some(way.destination.address));
        self.intend(index, dismount, displaced, way, now);
        if let Some(motion) = self.library_mut(index).and_then(|library| library.motions.get_mut(&dismount)) {
            motion.with = Some(mount);
        }
    }

    /// One of the two is cancelled before anything was sent: the other goes its own way.
    pub(crate) fn leave_exchange(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        self.part_pair(index, id, now);
        let Some(library) = self.library_mut(index) else { return };
        if let Some(mount) = library.motions.get_mut(&id).and_then(|motion| motion.with.take()) {
            self.close_motion(index, mount, MotionState::NotSent);
            self.back_to_queue(index, mount, now);
            return;
        }
        if let Some(dismount) = library.motions.values_mut().find(|motion| motion.with == Some(id)) {
            dismount.with = None;
        }
    }

    pub(crate) fn exchanged(
        &mut self,
        index: LibraryIndex,
        dismount: RequestId,
        mount: RequestId,
        ended: Exchanged,
        now: Now,
    ) {
        if ended.is_not_offered() {
            return self.without_exchange(index, dismount, mount, now);
        }
        self.moved(index, dismount, ended.displaced, now);
        self.moved(index, mount, ended.incoming, now);
    }

    /// The library does not have the command: remembered, and both go their own ways.
    fn without_exchange(&mut self, index: LibraryIndex, dismount: RequestId, mount: RequestId, now: Now) {
        if let Some(library) = self.library_mut(index) {
            library.exchange_refused = true;
            library.quirks.insert(crate::quirk::Quirk::ExchangeClaimed);
        }
        for id in [dismount, mount] {
            let Some(motion) = self.close_motion(index, id, MotionState::NotMoved) else { continue };
            self.restore_to_source(index, &motion.record);
            if self.stopping(id) {
                self.stop_here(id, now);
            } else {
                self.back_to_queue(index, id, now);
            }
        }
    }
}
