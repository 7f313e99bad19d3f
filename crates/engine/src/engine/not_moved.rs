//! What it means for its request that a motion did not happen: again, at once or after a pause, or its end.

use alloc::string::{String, ToString};

use autochanger_scsi::{AdditionalSense, ElementType, Sense, SenseKey};

use super::Engine;
use super::live::Phase;
use super::work::Timer;
use crate::catalog::MotionRecord;
use crate::command::PathFault;
use crate::id::{LibraryIndex, RequestId};
use crate::library::PlannedMotion;
use crate::library::fault::{Doing, Meaning, Outlook, Stale, meaning, outlook, picture_was_wrong};
use crate::planted::Bug;
use crate::quirk::Quirk;
use crate::request::{Failure, FailureKind, Place, State};
use crate::time::Now;

/// How often a motion that is known to have done nothing is tried again, each time with an intent of its own. What a
/// library refuses five times with growing pauses (half a minute at the least) it will not do without a person.
pub(crate) const MAX_ATTEMPTS: u8 = 5;
/// MEDIUM REMOVAL PREVENTED BY DATA TRANSFER ELEMENT.
const HELD_BY_DRIVE: AdditionalSense = AdditionalSense::new(0x53, 0x03);
/// How often the pause is doubled while a drive has ejected a cartridge that the robot cannot take yet: that lasts up to
/// twenty seconds, and all attempts together wait for a minute.
const LATE_ACCESS: u32 = 2;

/// What was heard of a motion that did not happen.
pub(crate) struct Answer {
    pub(crate) sense: Option<Sense>,
    /// The device said nothing at all.
    pub(crate) silent: bool,
    pub(crate) why: String,
}

impl Engine {
    /// The command never left: as far as the device goes, there was no motion.
    pub(crate) fn not_sent(
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

    pub(crate) fn not_moved(
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
            _ if motion.record.source.kind == ElementType::Transport && self.waits_with_arm(id) => {
                self.does_not_leave_arm(index, id, motion.record.source, now);
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
