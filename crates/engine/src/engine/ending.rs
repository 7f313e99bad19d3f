//! What the ending of a motion means for its request: on, back to the queue, or its end.

use alloc::string::{String, ToString};
use alloc::vec;

use autochanger_scsi::{AdditionalSense, ElementType, Sense, SenseKey};

use super::Engine;
use super::live::Phase;
use super::work::Timer;
use crate::catalog::{MotionRecord, MotionState};
use crate::changer::motion::Moved;
use crate::changer::settle::Proof;
use crate::command::PathFault;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::PlannedMotion;
use crate::library::elements::{ElementState, Need};
use crate::library::fault::{Doing, Meaning, Outlook, Stale, meaning, outlook, picture_was_wrong};
use crate::library::queue::Blocker;
use crate::planted::Bug;
use crate::quirk::Quirk;
use crate::request::{ElementName, Failure, FailureKind, Operation, Outcome, Place, State};
use crate::time::Now;

/// How often a motion that is known to have done nothing is tried again, each time with an intent of its own. What a
/// library refuses five times with growing pauses (half a minute at the least) it will not do without a person.
const MAX_ATTEMPTS: u8 = 5;
/// MEDIUM REMOVAL PREVENTED BY DATA TRANSFER ELEMENT.
const HELD_BY_DRIVE: AdditionalSense = AdditionalSense::new(0x53, 0x03);

/// How often the pause is doubled while a drive has ejected a cartridge that the robot cannot take yet: that lasts up to
/// twenty seconds, and all attempts together wait for a minute.
const LATE_ACCESS: u32 = 2;

/// What was heard of a motion that did not happen.
struct Answer {
    sense: Option<Sense>,
    /// The device said nothing at all.
    silent: bool,
    why: String,
}

impl Engine {
    /// A motion has ended, one way or another.
    pub(crate) fn moved(&mut self, index: LibraryIndex, id: RequestId, moved: Moved, now: Now) {
        if self.planted.is(Bug::MoveSentTwice) && matches!(moved, Moved::No { .. }) {
            return self.send_motion(index, id, now);
        }
        let state = match &moved {
            Moved::Yes => MotionState::Moved,
            Moved::No { .. } => MotionState::NotMoved,
            Moved::NotSent(_) => MotionState::NotSent,
            Moved::Unknown { .. } => MotionState::Unknown,
        };
        self.open_motions.remove(&id);
        let Some(motion) = self.close_motion(index, id, state) else { return };
        // What was in doubt took as long as the looking did.
        if (motion.doubted || motion.recovered)
            && let Some(live) = self.live.get_mut(&id)
        {
            live.since = None;
        }
        match state {
            MotionState::Moved => self.pair_may_follow(index, id),
            _ => self.part_pair(index, id, now),
        }
        // The survey left its elements out: they are read now.
        if motion.recovered
            && let Some(library) = self.library_mut(index)
        {
            library.touch_unread();
        }
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
        } else if self.fails_unloaded(id, now) {
            // Its end is told.
        } else if transient && !tried_enough {
            self.back_to_queue(index, id, now);
        } else {
            let place = Place::Element(motion.record.source);
            self.fail(id, Failure::new(FailureKind::PathLost, why).with_place(place), now);
        }
    }

    fn arrived(&mut self, index: LibraryIndex, id: RequestId, record: &MotionRecord, now: Now) {
        self.evict(index, record.destination, record.cartridge, now);
        self.count_motion(index, record);
        self.place_cartridge(index, record.cartridge, Place::Element(record.destination), now);
        self.vacate(index, record.source, record.cartridge);
        self.free_slot_of(index, id, record.source);
        if let (Some(took), Some(library)) = (self.step_took(id, now), self.library_mut(index)) {
            library.motion_time.note(took);
        }
        if record.source.kind == ElementType::Drive {
            // It has no medium any more that it could calibrate.
            self.calibrates(index, record.source.address, None);
            if let Some(library) = self.library_mut(index) {
                library.elements.update(record.source.address, |element| {
                    if let Some(drive) = &mut element.drive {
                        drive.unyielding = Default::default();
                    }
                });
            }
            let outcome = match record.destination {
                ElementName { kind: ElementType::ImportExport, address } => {
                    Outcome::Ejected { port: address }
                }
                ElementName { address, .. } => Outcome::Dismounted { slot: address },
            };
            self.end_deferred_with(index, record.source.address, record.cartridge, outcome, now);
        }
        match self.operation(id) {
            Some(operation) if operation.loads() && record.destination.kind == ElementType::Storage => {
                self.is_back(index, id, now);
            }
            Some(operation) if operation.loads() => {
                if self.stopping(id) {
                    return self.stop_here(id, now);
                }
                if self.live.get(&id).is_some_and(|live| live.request.failing.is_some()) {
                    return self.put_back(index, id, now);
                }
                self.await_drive(index, id, now);
            }
            Some(Operation::CleanDrive) if record.destination.kind == ElementType::Storage => {
                self.cleaner_is_back(index, id, now);
            }
            Some(Operation::CleanDrive) => self.cleaner_arrived(index, id, now),
            Some(Operation::Dismount) => {
                if let Some(mount) = self.catalogue.mount_of(record.cartridge).map(|mount| mount.id) {
                    self.end_mount(index, mount);
                }
                let slot = record.destination.address;
                self.end(id, State::Passed(Outcome::Dismounted { slot }), now);
            }
            Some(Operation::Eject | Operation::EjectCleaner) => {
                self.ejected(index, id, record.destination.address, now);
            }
            Some(Operation::Inject | Operation::InjectCleaner) => self.injected(index, id, record, now),
            _ => {}
        }
    }

    /// Another cartridge was believed to stand where this one has arrived: hands were there, and it is looked for. One whose
    /// own motion is not settled is that motion's matter.
    fn evict(&mut self, index: LibraryIndex, goal: ElementName, arrived: CartridgeId, now: Now) {
        let Some(library) = self.library(index) else { return };
        let moving = |other| library.motions.values().any(|motion| motion.record.cartridge == other);
        let stranger = |other: CartridgeId| other != arrived && !moving(other);
        let Some(element) = library.elements.get(goal.address) else { return };
        let held = element.cartridge.filter(|&held| stranger(held));
        let mount = element.drive.as_ref().and_then(|drive| self.catalogue.mount(drive.mount?));
        let mount = mount.filter(|mount| stranger(mount.cartridge)).map(|mount| mount.id);
        if let Some(held) = held {
            self.place_cartridge(index, held, Place::Unknown { one_of: vec![goal] }, now);
        }
        if let Some(mount) = mount {
            self.end_mount(index, mount);
        }
        if (held.is_some() || mount.is_some())
            && let Some(library) = self.library_mut(index)
        {
            library.touch(Stale::All);
        }
    }

    /// The slot that a cartridge has left is free while the request goes on.
    fn free_slot_of(&mut self, index: LibraryIndex, id: RequestId, element: ElementName) {
        // The cleaning cartridge comes back to its slot.
        if element.kind == ElementType::Drive || self.operation(id) == Some(Operation::CleanDrive) {
            return;
        }
        if let Some(live) = self.live.get_mut(&id) {
            live.slot.take_if(|slot| *slot == element.address);
        }
        if let Some(library) = self.library_mut(index) {
            library.elements.update(element.address, |element| element.reserved_by.take_if(|by| *by == id));
        }
        self.wake(index, Blocker::Slot);
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
        if self.fails_unloaded(id, now) {
            return;
        }
        if motion.recovered {
            return self.resume_unstarted(index, id, now);
        }
        // Without sense data the path failed, not the library; what did not happen may be asked for again.
        let Some(dialect) = self.library(index).map(|library| library.dialect) else { return };
        let meaning = sense.map_or(Meaning::Again, |sense| meaning(&sense, Doing::Moving, dialect));
        let counted = !self.planted.is(Bug::UnboundedRetry);
        let ends = [motion.record.source, motion.record.destination];
        let ports = ends.into_iter().filter(|end| end.kind == ElementType::ImportExport);
        if let (Some(sense), Some(library)) = (sense, self.library_mut(index)) {
            if outlook(&sense, dialect) == Outlook::Open && !library.tray_is_magazine() {
                // Whoever has put it out: it is taken in before the next attempt.
                library.ports.open.extend(ports.map(|port| port.address));
            }
            if picture_was_wrong(&sense, dialect) {
                library.touch(Stale::All);
            }
        }
        let Some(live) = self.live.get_mut(&id) else { return };
        live.attempts += u8::from(counted);
        let (attempts, ejected) = (live.attempts, live.unloaded);
        let attempts_left = attempts < MAX_ATTEMPTS;
        let attention = sense.is_some_and(|sense| sense.key == SenseKey::UnitAttention);
        match meaning {
            Meaning::Failed(kind) if attempts_left && self.hands_were_faster(id, &motion.record, kind) => {
                if let Some(library) = self.library_mut(index) {
                    library.touch(Stale::All);
                }
                self.back_to_queue(index, id, now);
            }
            // An attention is gone once it was heard, and what it touches is read before the next attempt.
            Meaning::Again if attention && attempts == 1 => self.back_to_queue(index, id, now),
            Meaning::Again | Meaning::Later if attempts_left => self.pause(index, id, 0, now),
            Meaning::OnceMore if attempts <= 1 => self.pause(index, id, 0, now),
            Meaning::UnloadFirst if attempts_left && motion.record.source.kind == ElementType::Drive => {
                if let Some(library) = self.library_mut(index) {
                    library.quirks.insert(if ejected { Quirk::LateAccess } else { Quirk::HostUnloadFirst });
                }
                match ejected {
                    true => self.pause(index, id, LATE_ACCESS, now),
                    false => self.unload_and_retry(index, id, &motion.record, now),
                }
            }
            // Some libraries say so of a tape that is threaded. If it is held, the drive says so when it is to unload.
            Meaning::Failed(FailureKind::MediumHeld)
                if attempts_left
                    && !ejected
                    && sense.is_some_and(|sense| sense.code == HELD_BY_DRIVE)
                    && self.drive_device(index, motion.record.source.address).is_some() =>
            {
                self.unload_and_retry(index, id, &motion.record, now);
            }
            meaning => {
                let kind = match meaning {
                    Meaning::Failed(kind) => kind,
                    Meaning::UnloadFirst => FailureKind::DriveFault,
                    _ if silent => FailureKind::PathLost,
                    _ => FailureKind::LibraryFault,
                };
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
            library.touch(Stale::All);
            for address in [source.address, destination.address] {
                library.elements.update(address, |element| element.doubtful = true);
            }
        }
        self.ask_alerts(index, None, now);
        self.place_cartridge(index, cartridge, place.clone(), now);
        let kind = if motion.recovered { FailureKind::Interrupted } else { FailureKind::Unknown };
        let message = alloc::format!(
            "whether {} moved cartridge {} from {source} to {destination} could not be found out: {why}",
            self.library_name(index),
            self.cartridge_name(cartridge)
        );
        self.fail(id, Failure::new(kind, message).with_place(place), now);
    }

    /// It has failed with its group, and did not come to load anything: that is its end.
    pub(crate) fn fails_unloaded(&mut self, id: RequestId, now: Now) -> bool {
        let failing = self.live.get(&id).and_then(|live| live.request.failing.clone());
        let in_drive =
            matches!(self.place_of(id), Some(Place::Element(place)) if place.kind == ElementType::Drive);
        let Some(failure) = failing.filter(|_| !in_drive) else { return false };
        let failure = self.placed_now(id, failure);
        self.end(id, State::Failed(failure), now);
        true
    }

    pub(crate) fn stopping(&self, id: RequestId) -> bool {
        !self.planted.is(Bug::StopThatIsForgotten)
            && self.live.get(&id).is_some_and(|live| live.request.stopping.is_some())
    }

    /// A step has ended and the request was told to stop: it ends here, and nothing is moved back.
    pub(crate) fn stop_here(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get(&id) else { return };
        let Some(by) = live.request.stopping.clone() else { return };
        let cleaning = (live.request.operation() == Operation::CleanDrive).then_some(live.library);
        let drive = live.request.drive;
        self.end(id, State::Stopped { place: self.place_of(id), by }, now);
        // Nobody has a use for a cleaning cartridge in a drive: it makes way, by a request of its own.
        if let (Some(Some(index)), Some(drive)) = (cleaning, drive) {
            self.displace(index, Some(drive), Need::default(), now);
        }
    }

    /// Nothing has happened: the request is tried again after a pause. It keeps what it has reserved.
    fn pause(&mut self, index: LibraryIndex, id: RequestId, longer: u32, now: Now) {
        let Some(library) = self.library(index) else { return };
        let timing = library.config.timing;
        let Some(live) = self.live.get_mut(&id) else { return };
        live.phase = Phase::Pausing;
        let doublings = longer + u32::from(live.attempts.saturating_sub(1)).min(16);
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
        // Its medium is still to come out of the drive: nobody else begins with it before.
        if self.live.get(&id).is_some_and(|live| live.putting_back) {
            self.set_state(id, State::Queued);
            return self.queue_again(index, id);
        }
        let keeps_own = self.has_drive_of_its_own(id);
        self.release_but(id, index, keeps_own);
        self.set_state(id, State::Queued);
        self.admit(id, now);
    }
}
