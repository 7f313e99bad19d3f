//! A motion in the engine: the durable intent, the one line that sends it, and what its ending means.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use autochanger_scsi::{ElementType, Sense};

use super::Engine;
use super::emit::Effect;
use super::live::Phase;
use super::work::{Timer, Work};
use crate::catalog::{MotionRecord, MotionState};
use crate::changer::exchange::Exchange;
use crate::changer::motion::{Motion, Moved};
use crate::changer::settle::{Proof, Settle};
use crate::command::PathFault;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::elements::ElementState;
use crate::library::fault::{Doing, Meaning, Stale, meaning};
use crate::library::{MotionStage, PlannedMotion};
use crate::output::{Change, EventKind};
use crate::request::{ElementName, Failure, FailureKind, Operation, Outcome, Place, State};
use crate::time::Now;

/// How often a motion that is known to have done nothing is tried again, each time with an intent of its own. What a
/// library refuses five times with growing pauses (half a minute at the least) it will not do without a person.
const MAX_ATTEMPTS: u8 = 5;

/// What was heard of a motion that did not happen.
struct Answer {
    sense: Option<Sense>,
    /// The device said nothing at all.
    silent: bool,
    why: String,
}

/// From where to where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    pub(crate) source: ElementName,
    pub(crate) destination: ElementName,
}

impl Engine {
    /// Journals the intent of a motion of its own. It is sent when the intent is durable.
    pub(crate) fn intend(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        way: Way,
        now: Now,
    ) {
        self.journal(index, id, cartridge, way, MotionStage::Intent, now);
        let Some(live) = self.live.get_mut(&id) else { return };
        live.phase = Phase::Intent;
        let sequence = live.request.motions;
        self.outbox.after(Effect::IntentDurable(id, sequence));
    }

    pub(crate) fn journal(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        Way { source, destination }: Way,
        stage: MotionStage,
        now: Now,
    ) {
        let Some(library_id) = self.library(index).and_then(|library| library.id) else { return };
        let Some(live) = self.live.get_mut(&id) else { return };
        live.request.motions += 1;
        let record = MotionRecord {
            request: id,
            sequence: live.request.motions,
            library: library_id,
            cartridge,
            source,
            destination,
            at: now.wall,
            state: MotionState::Open,
        };
        if live.request.state == State::InProcess {
            let request = live.request.clone();
            self.outbox.change(Change::Request(request.clone()));
            self.outbox.after(Effect::Event(EventKind::Request(request)));
        } else {
            self.set_state(id, State::InProcess);
        }
        self.outbox.change(Change::Motion(record.clone()));
        let motion =
            PlannedMotion { record, stage, with: None, recovered: false, sent_before: false, doubted: false };
        if let Some(library) = self.library_mut(index) {
            library.motions.insert(id, motion);
        }
    }

    pub(crate) fn intent_durable(&mut self, id: RequestId, sequence: u32) {
        // An intent that was taken back while it was on its way says nothing of the one that followed it.
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.phase != Phase::Intent || live.request.motions != sequence {
            return;
        }
        live.phase = Phase::Prepared;
        let Some(index) = live.library else { return };
        if let Some(motion) = self.library_mut(index).and_then(|library| library.motions.get_mut(&id)) {
            motion.stage = MotionStage::Prepared;
        }
        self.mark_dirty(index);
    }

    /// Takes back an intent that was not sent.
    pub(crate) fn drop_intent(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get(&id).filter(|l| matches!(l.phase, Phase::Intent | Phase::Prepared))
        else {
            return;
        };
        if let Some(index) = live.library {
            self.leave_exchange(index, id, now);
            self.close_motion(index, id, MotionState::NotSent);
        }
    }

    /// The picture on which they were made is in doubt: intents that were not sent are taken back.
    pub(crate) fn retract_unsent(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library(index) else { return };
        let unsent = [MotionStage::Intent, MotionStage::Prepared];
        let ids: Vec<RequestId> =
            library.motions.iter().filter(|(_, m)| unsent.contains(&m.stage)).map(|(&id, _)| id).collect();
        for id in ids {
            self.drop_intent(id, now);
            self.back_to_queue(index, id, now);
        }
    }

    pub(crate) fn close_motion(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        state: MotionState,
    ) -> Option<PlannedMotion> {
        let library = self.library_mut(index)?;
        let mut motion = library.motions.remove(&id)?;
        motion.record.state = state;
        // What is being read was true before this motion ended.
        if library.reading || library.opening {
            let MotionRecord { source, destination, cartridge, .. } = &motion.record;
            library.overtaken.elements.extend([source.address, destination.address]);
            library.overtaken.cartridges.insert(*cartridge);
        }
        self.outbox.change(Change::Motion(motion.record.clone()));
        Some(motion)
    }

    pub(crate) fn settle_for(&self, index: LibraryIndex, record: &MotionRecord) -> Option<Settle> {
        let library = self.library(index)?;
        let barcode =
            self.catalogue.cartridge(record.cartridge).and_then(|cartridge| cartridge.barcode.clone());
        let (arms, timing) = (library.arms(), library.config.timing);
        Some(Settle::new(record.source, record.destination, arms, barcode, library.style, timing))
    }

    /// The only point of no return.
    pub(crate) fn send_motion(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(settle) = self.commit_to(index, id) else { return };
        let with = self.library(index).and_then(|library| library.motions.get(&id)?.with);
        let work = match with.and_then(|mount| Some((mount, self.commit_to(index, mount)?))) {
            Some((mount, incoming)) => {
                Work::Exchange { dismount: id, mount, work: Box::new(Exchange::new(settle, incoming)) }
            }
            None => Work::Motion(id, Motion::new(settle)),
        };
        self.begin(index, work, now);
    }

    /// From here on a step of the request has been sent.
    fn commit_to(&mut self, index: LibraryIndex, id: RequestId) -> Option<Settle> {
        let record = self.library(index)?.motions.get(&id)?.record.clone();
        let settle = self.settle_for(index, &record)?;
        let live = self.live.get_mut(&id)?;
        live.phase = Phase::Moving;
        let sent_before = core::mem::replace(&mut live.steps_sent, true);
        let motion = self.library_mut(index)?.motions.get_mut(&id)?;
        motion.sent_before = sent_before;
        if motion.stage == MotionStage::Prepared {
            motion.stage = MotionStage::Sent;
        }
        Some(settle)
    }

    /// A motion's ending is in doubt. While it rests between two looks the arm is free for others.
    pub(crate) fn motion_in_doubt(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        why: String,
        resting: bool,
        now: Now,
    ) {
        let Some(motion) = self.library_mut(index).and_then(|library| library.motions.get_mut(&id)) else {
            return;
        };
        if resting {
            motion.stage = MotionStage::Settling;
        }
        if !core::mem::replace(&mut motion.doubted, true) {
            let Some(application) = self.live.get(&id).map(|live| live.request.application.clone()) else {
                return;
            };
            self.tell(EventKind::MotionInDoubt { request: id, application, why }, now);
        }
    }

    /// A motion has ended, one way or another.
    pub(crate) fn moved(&mut self, index: LibraryIndex, id: RequestId, moved: Moved, now: Now) {
        let state = match &moved {
            Moved::Yes => MotionState::Moved,
            Moved::No { .. } => MotionState::NotMoved,
            Moved::NotSent(_) => MotionState::NotSent,
            Moved::Unknown { .. } => MotionState::Unknown,
        };
        self.open_motions.remove(&id);
        let Some(motion) = self.close_motion(index, id, state) else { return };
        match moved {
            Moved::Yes => self.arrived(index, id, &motion.record, now),
            Moved::No { sense, why, proof } => {
                // What the device answered in so many words is not the path's fault.
                let silent = sense.is_none() && proof == Proof::None;
                self.not_moved(index, id, &motion, Answer { sense, silent, why }, now);
            }
            Moved::NotSent(fault) => self.not_sent(index, id, &motion, fault, now),
            Moved::Unknown { why } => self.lost_sight(index, id, &motion, why, now),
        }
    }

    /// The command never left: as far as the device goes, there was no motion.
    fn not_sent(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        motion: &PlannedMotion,
        fault: PathFault,
        now: Now,
    ) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.steps_sent = motion.sent_before;
        live.attempts += 1;
        let tried_enough = live.attempts >= MAX_ATTEMPTS;
        let (transient, why) = (fault.kind.is_transient(), fault.to_string());
        self.path_lost(index, fault, now);
        if self.stopping(id) {
            self.stop_here(id, now);
        } else if transient && !tried_enough {
            self.back_to_queue(index, id, now);
        } else {
            let place = Place::Element(motion.record.source);
            self.fail(id, Failure::new(FailureKind::PathLost, why).with_place(place), now);
        }
    }

    fn arrived(&mut self, index: LibraryIndex, id: RequestId, record: &MotionRecord, now: Now) {
        self.place_cartridge(index, record.cartridge, Place::Element(record.destination), now);
        self.vacate(index, record.source, record.cartridge);
        self.free_slot_of(index, id, record.source);
        match self.operation(id) {
            Some(Operation::Mount) => {
                if self.stopping(id) {
                    return self.stop_here(id, now);
                }
                self.await_drive(index, id, now);
            }
            Some(Operation::Dismount) => {
                if let Some(mount) = self.catalogue.mount_of(record.cartridge).map(|mount| mount.id) {
                    self.end_mount(index, mount);
                }
                let slot = record.destination.address;
                self.end(id, State::Passed(Outcome::Dismounted { slot }), now);
            }
            _ => {}
        }
    }

    /// The slot that a cartridge has left is free while the request goes on.
    fn free_slot_of(&mut self, index: LibraryIndex, id: RequestId, element: ElementName) {
        if element.kind == ElementType::Drive {
            return;
        }
        if let Some(live) = self.live.get_mut(&id) {
            live.slot.take_if(|slot| *slot == element.address);
        }
        if let Some(library) = self.library_mut(index) {
            library.elements.update(element.address, |element| element.reserved_by.take_if(|by| *by == id));
        }
        self.wake(index, crate::library::queue::Blocker::Slot);
    }

    fn not_moved(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        motion: &PlannedMotion,
        Answer { sense, silent, why }: Answer,
        now: Now,
    ) {
        self.restore_to_source(index, &motion.record);
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        if motion.recovered {
            return self.resume_unstarted(index, id, now);
        }
        // Without sense data the path failed, not the library; what did not happen may be asked for again.
        let meaning = sense.map_or(Meaning::Again, |sense| meaning(&sense, Doing::Moving));
        let Some(live) = self.live.get_mut(&id) else { return };
        live.attempts += 1;
        let attempts_left = live.attempts < MAX_ATTEMPTS;
        match meaning {
            Meaning::Again if attempts_left => self.pause(index, id, now),
            Meaning::UnloadFirst if attempts_left && motion.record.source.kind == ElementType::Drive => {
                self.unload_and_retry(index, id, &motion.record, now);
            }
            meaning => {
                let kind = match meaning {
                    Meaning::Failed(kind) => kind,
                    Meaning::UnloadFirst => FailureKind::DriveFault,
                    _ if silent => FailureKind::PathLost,
                    _ => FailureKind::LibraryFault,
                };
                // The picture that led here was wrong: it is read again before the next move.
                if matches!(kind, FailureKind::SourceEmpty | FailureKind::DestinationFull)
                    && let Some(library) = self.library_mut(index)
                {
                    library.stale = Stale::All;
                }
                let MotionRecord { cartridge, source, destination, .. } = &motion.record;
                let message = alloc::format!(
                    "{} did not move cartridge {} from {source} to {destination}: {why}",
                    self.library_name(index),
                    self.cartridge_name(*cartridge)
                );
                let failure =
                    Failure::new(kind, message).with_sense(sense).with_place(Place::Element(*source));
                self.fail(id, failure, now);
            }
        }
    }

    /// The cartridge has left the element, whatever was known of it: an inventory may have read it in the middle of the
    /// motion. Another cartridge can have taken its place already.
    fn vacate(&mut self, index: LibraryIndex, element: ElementName, cartridge: CartridgeId) {
        if let Some(library) = self.library_mut(index) {
            let others = |element: &mut ElementState| element.cartridge.is_some_and(|held| held != cartridge);
            library.elements.update(element.address, |element| {
                if !others(element) {
                    element.cartridge = None;
                    element.full = false;
                }
            });
        }
    }

    /// The cartridge is at its source: so are the elements, whatever was read of them in the middle of the motion.
    pub(crate) fn restore_to_source(&mut self, index: LibraryIndex, record: &MotionRecord) {
        let Some(library) = self.library_mut(index) else { return };
        library.elements.update(record.source.address, |element| {
            element.cartridge = Some(record.cartridge);
            element.full = true;
        });
        library.elements.update(record.destination.address, |element| {
            if element.cartridge.take_if(|held| *held == record.cartridge).is_some() {
                element.full = false;
            }
        });
    }

    fn lost_sight(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        motion: &PlannedMotion,
        why: String,
        now: Now,
    ) {
        let MotionRecord { cartridge, source, destination, .. } = motion.record;
        let place = Place::Unknown { one_of: vec![source, destination] };
        if let Some(library) = self.library_mut(index) {
            // The cartridge may stand somewhere else, in the arm say: everything is looked at.
            library.stale = Stale::All;
            for address in [source.address, destination.address] {
                library.elements.update(address, |element| element.doubtful = true);
            }
        }
        self.place_cartridge(index, cartridge, place.clone(), now);
        let kind = if motion.recovered { FailureKind::Interrupted } else { FailureKind::Unknown };
        let message = alloc::format!(
            "whether {} moved cartridge {} from {source} to {destination} could not be found out: {why}",
            self.library_name(index),
            self.cartridge_name(cartridge)
        );
        self.fail(id, Failure::new(kind, message).with_place(place), now);
    }

    pub(crate) fn stopping(&self, id: RequestId) -> bool {
        self.live.get(&id).is_some_and(|live| live.request.stopping.is_some())
    }

    /// A step has ended and the request was told to stop: it ends here, and nothing is moved back.
    pub(crate) fn stop_here(&mut self, id: RequestId, now: Now) {
        let Some(by) = self.live.get(&id).and_then(|live| live.request.stopping.clone()) else { return };
        self.end(id, State::Stopped { place: self.place_of(id), by }, now);
    }

    /// Nothing has happened: the request is tried again after a pause. It keeps what it has reserved.
    fn pause(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(library) = self.library(index) else { return };
        let timing = library.config.timing;
        let Some(live) = self.live.get_mut(&id) else { return };
        live.phase = Phase::Pausing;
        let doublings = u32::from(live.attempts.saturating_sub(1)).min(16);
        let pause = timing.retry_min.saturating_mul(2u32.saturating_pow(doublings)).min(timing.retry_max);
        let key = self.set_timer(now.monotonic.saturating_add(pause), Timer::Requeue(id));
        if let Some(live) = self.live.get_mut(&id) {
            live.pause = Some(key);
        }
    }

    pub(crate) fn requeue_after_pause(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get_mut(&id).filter(|live| live.phase == Phase::Pausing) else { return };
        live.pause = None;
        if let Some(index) = live.library {
            self.back_to_queue(index, id, now);
        }
    }

    /// Nothing has happened: reservations are given back, and the request takes its old place in the queue.
    pub(crate) fn back_to_queue(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        self.release(id, index);
        self.set_state(id, State::Queued);
        self.admit(id, now);
    }
}
