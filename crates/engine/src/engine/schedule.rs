//! Which request starts now. The arm is never kept waiting for a drive.

use alloc::vec::Vec;

use super::Engine;
use super::live::Phase;
use crate::catalog::MotionRecord;
use crate::forecast::Why;
use crate::id::{LibraryIndex, RequestId};
use crate::library::MotionStage;
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::request::{CancelledBy, Operation, Waiting, Wanted};
use crate::time::Now;

/// What became of the attempt to start a request.
pub(crate) enum Start {
    /// It is under way, or has ended.
    Gone,
    /// It needs something that is in use.
    Blocked(Blocker),
    /// A part of it is under way, or was found to be over, and its turn is not: there may be work for another one.
    Again,
    /// Its turn has come, but the library must come to rest first; nobody overtakes it.
    Hold,
}

/// Whether the arms can work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arms {
    /// One at least is empty, and none is being emptied.
    Free,
    /// One is being emptied: nothing else begins before.
    Clearing,
    /// Each holds a cartridge that stays there: what needs an arm waits.
    Full,
}

impl Engine {
    /// Starts what can be started.
    pub(crate) fn schedule(&mut self, index: LibraryIndex, now: Now) {
        if self.store_failed.is_some() || self.stopped {
            return;
        }
        self.settle_services(index, now);
        let Some(library) = self.library(index) else { return };
        if !library.is_ready() || library.reading || library.opening || library.ownership.is_in_doubt() {
            return;
        }
        if library.stale != Stale::Nothing && library.refresh_after <= now.monotonic {
            self.retract_unsent(index, now);
            if self.library(index).is_some_and(|library| !library.arm_is_busy())
                && self.changer_is_idle(index)
            {
                self.refresh(index, now);
            }
            return;
        }
        self.change_services(index, now);
        if self.tend_ports(index, now) {
            return;
        }
        if !self.ports_have_their_turn(index, now) {
            self.send_prepared(index, now);
        }
        self.prepare_next(index, now);
        self.start_without_arm(index, now);
        // What was just begun to wait for a person is shown to that person at once.
        self.tend_ports(index, now);
    }

    /// Sends the moves whose intents are durable, while there is an arm for them.
    fn send_prepared(&mut self, index: LibraryIndex, now: Now) {
        while let Some(library) = self.library(index) {
            if !library.has_free_arm() || !self.changer_is_idle(index) {
                return;
            }
            let next = library
                .motions
                .iter()
                .filter(|(_, motion)| motion.stage == MotionStage::Prepared && motion.after.is_none())
                .filter(|(_, motion)| {
                    let MotionRecord { source, destination, .. } = &motion.record;
                    !self.port_is_out(index, [source.address, destination.address])
                })
                // Of the parts of a request, which have one place, the one goes first that was prepared first: one that met an
                // attention meets the next one otherwise, too.
                .filter_map(|(&id, motion)| {
                    Some((!motion.follows, self.live.get(&id)?.order, motion.record.sequence, id))
                })
                .min();
            let Some((.., id)) = next else { return };
            self.send_motion(index, id, now);
        }
    }

    /// A change of service waits for no arm: what is prepared would be sent in spite of it.
    fn change_services(&mut self, index: LibraryIndex, now: Now) {
        while let Some(library) = self.library(index)
            && let Some(id) = library.queue.first_that(Operation::changes_service)
            && matches!(self.start(index, id, now), Start::Gone)
        {
            self.leave_queue(index, id);
        }
    }

    /// It has begun, or has ended.
    pub(crate) fn leave_queue(&mut self, index: LibraryIndex, id: RequestId) {
        // A part is in no queue, and its place there is its whole's.
        let order = self.live.get(&id).filter(|live| live.part_of.is_none()).map(|live| live.order);
        if let (Some(order), Some(library)) = (order, self.library_mut(index)) {
            library.queue.remove(order, None);
        }
        self.leave_to_next(index, id);
    }

    fn prepare_next(&mut self, index: LibraryIndex, now: Now) {
        let full = match self.clear_arms(index, now) {
            Arms::Clearing => return,
            Arms::Full => true,
            Arms::Free => {
                self.wake_all(index, Blocker::Arm);
                false
            }
        };
        while let Some(library) = self.library(index) {
            if !library.may_prepare() || library.reading {
                return;
            }
            if !full && self.pair_next(index, now) {
                continue;
            }
            let Some(id) = self.next_to_start(index) else { return };
            if full && self.waits_for_arm(index, id, now) {
                continue;
            }
            if self.library(index).and_then(|library| library.queue.first()) != Some(id) {
                self.because(id, Why::FillsEmptyDrive);
            }
            match self.start(index, id, now) {
                Start::Gone => self.leave_queue(index, id),
                Start::Again => {}
                Start::Hold => return,
                Start::Blocked(blocker) => self.block(index, id, blocker, now),
            }
        }
    }

    /// What needs no arm does not wait for one.
    fn start_without_arm(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library(index) else { return };
        // Otherwise all had their turn.
        if library.may_prepare() || library.reading {
            return;
        }
        let ready: Vec<RequestId> =
            library.queue.ready_that(Operation::may_need_no_arm).map(|(_, id)| id).collect();
        for id in ready {
            // One can have been handed its medium by another one of them.
            if self.live.get(&id).is_none_or(|live| live.phase != Phase::Queued || live.ending.is_some()) {
                continue;
            }
            let begun = match self.operation(id) {
                Some(Operation::Mount) => {
                    let begun = self.mount_in_place(index, id, now);
                    if !begun && self.waits_for_a_drive(index, id) {
                        // The drive that is to make way unloads while the arm is busy.
                        self.try_start(index, id, now);
                    }
                    begun
                }
                Some(Operation::Dismount) => self.dismount_without_arm(index, id, now),
                _ => matches!(self.start(index, id, now), Start::Gone),
            };
            if begun {
                self.leave_queue(index, id);
            }
        }
    }

    /// Whether the mount's medium is in a slot and no drive is free for it: one has to be emptied first, or comes free later.
    fn waits_for_a_drive(&self, index: LibraryIndex, id: RequestId) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        live.request.options.group.is_none()
            && live.granted.is_none()
            && !live.putting_back
            && self.named_drive(id).is_none()
            && self.slot_of(id).is_some()
            && self.free_drive_for(index, id).is_none()
    }

    /// Starts it as far as that goes; what it needs then it waits for in line.
    pub(crate) fn try_start(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        match self.start(index, id, now) {
            Start::Blocked(blocker) => self.block(index, id, blocker, now),
            Start::Gone => self.leave_queue(index, id),
            Start::Again | Start::Hold => {}
        }
    }

    /// The first in the queue; but an empty drive is filled before another one is emptied: that is one motion to a drive
    /// that works, and not two.
    fn next_to_start(&self, index: LibraryIndex) -> Option<RequestId> {
        let library = self.library(index)?;
        let first = library.queue.first()?;
        if self.operation(first) != Some(Operation::Dismount) {
            return Some(first);
        }
        let first_mount = library.queue.first_that(|operation| operation == Operation::Mount);
        let fillable = first_mount.filter(|mount| {
            self.live.get(mount).is_some_and(|live| live.granted.is_some() || live.putting_back)
                || self.free_drive_for(index, *mount).is_some()
        });
        Some(fillable.unwrap_or(first))
    }

    pub(crate) fn block(&mut self, index: LibraryIndex, id: RequestId, blocker: Blocker, now: Now) {
        if self.must_not_wait(id) {
            return self.fail_busy(index, id, blocker, now);
        }
        let Some(live) = self.live.get_mut(&id).filter(|live| live.part_of.is_none()) else { return };
        live.phase = Phase::Blocked(blocker);
        let (order, woken_from) = (live.order, live.woken_from.take());
        if let Some(library) = self.library_mut(index) {
            library.queue.block(order, id, blocker);
        }
        let waiting = if self.is_out_of_service(index, blocker) { Waiting::Service } else { blocker.shown() };
        self.show_waiting(id, Some(waiting));
        // What it was woken for is still there: the next in line may be able to use it.
        match woken_from {
            Some(from) if self.waits_in_line(index, from, blocker) => {
                self.pass_behind(index, from, order, now);
            }
            Some(from) => self.wake_next(index, from),
            None => {}
        }
    }

    /// A request is durable: it takes its place.
    pub(crate) fn admit(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let (Some(index), None) = (live.library, live.ending.as_ref()) else { return };
        if live.part_of.is_some() {
            return self.part_waits(id, now);
        }
        live.phase = Phase::Queued;
        let order = live.order;
        // What it was in the middle of when its deadline passed has done nothing.
        if live.deadline_over {
            return self.end_early(id, CancelledBy::Deadline, now);
        }
        if live.request.options.group.is_some() && live.granted.is_none() && !live.putting_back {
            return self.join_group(id);
        }
        match live.request.operation() {
            Operation::Dismount if self.dismount_without_arm(index, id, now) => return,
            // A medium that is in its drive already needs no arm.
            Operation::Mount if self.mount_in_place(index, id, now) => return,
            _ => {}
        }
        if let Some(library) = self.library_mut(index) {
            library.queue.insert(order, id);
        }
        self.mark_dirty(index);
    }

    pub(crate) fn start(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        self.live.visits.count();
        if let Some(kept) = self.kept_by_service(index, id, now) {
            return kept;
        }
        if let Some(cartridge) = self.given_up_in_arm(index, id) {
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        if let Some(end) = self.put_back_by_hand(index, id, now) {
            self.end(id, end, now);
            return Start::Gone;
        }
        let Some(live) = self.live.get(&id) else { return Start::Gone };
        match live.request.wanted.clone() {
            Wanted::SetService { .. } => self.start_service(index, id, now),
            Wanted::UpdateLabel { label, .. } => self.start_update_label(id, label, now),
            Wanted::Inventory { .. } => self.start_inventory(index, id, now),
            Wanted::DoorAccess { .. } => self.start_door(index, id, now),
            Wanted::Eject { port, .. } => self.start_eject(index, id, port, now),
            Wanted::EjectCleaner { .. } => self.start_eject_cleaner(index, id, now),
            Wanted::Inject { .. } => self.start_inject(index, id, now),
            Wanted::InjectCleaner { .. } => self.start_inject_cleaner(index, id, now),
            Wanted::Mount { .. } => {
                let drive = live.request.named_drive();
                self.start_mount(index, id, drive, now)
            }
            Wanted::Dismount { .. } => self.start_dismount(index, id, now),
            Wanted::Identify { .. } | Wanted::WriteFreeLabel { .. } => self.start_identify(index, id, now),
            Wanted::Classify { .. } => self.start_classify(id, now),
            Wanted::ReserveCleanerSlot { slot, .. } => self.start_reserve_cleaner_slot(index, id, slot, now),
            Wanted::ReleaseCleanerSlot { .. } => self.start_release_cleaner_slot(index, id, now),
            Wanted::CleanDrive { drive, .. } => {
                let drive = live.request.named_drive().unwrap_or(drive);
                self.start_clean(index, id, drive, now)
            }
        }
    }
}
