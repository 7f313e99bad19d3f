//! A motion in the engine: the durable intent, and the one line that sends it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use super::live::Phase;
use super::work::Work;
use crate::catalog::{MotionRecord, MotionState};
use crate::changer::exchange::Exchange;
use crate::changer::motion::Motion;
use crate::changer::settle::Settle;
use crate::command::PathFault;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::{MotionStage, PlannedMotion};
use crate::output::{Change, EventKind};
use crate::planted::Bug;
use crate::request::{ElementName, State};
use crate::time::Now;
use crate::view::LibraryError;

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
        let whole = self.live.whole(id);
        let Some(live) = self.live.get_mut(&whole) else { return };
        live.request.motions += 1;
        let sequence = live.request.motions;
        let record = MotionRecord {
            request: whole,
            sequence,
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
            self.set_state(whole, State::InProcess);
        }
        if let Some(live) = self.live.get_mut(&id) {
            live.request.motions = sequence;
        }
        if !(self.planted.is(Bug::IntentNotJournaled) && record.sequence > 1) {
            self.outbox.change(Change::Motion(record.clone()));
        }
        let motion = PlannedMotion {
            record,
            stage,
            with: None,
            after: None,
            follows: false,
            recovered: false,
            sent_before: false,
            doubted: false,
            in_arm: None,
            unread: false,
        };
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
        self.retract_where(index, now, |_| true);
    }

    /// The drive takes no medium any more: intents to put one into it that were not sent are taken back.
    pub(crate) fn retract_loads_of(&mut self, index: LibraryIndex, drive: ElementAddress, now: Now) {
        // An exchange takes one out of it and puts another one in.
        let loads = |motion: &PlannedMotion| {
            motion.record.destination.address == drive
                || (motion.with.is_some() && motion.record.source.address == drive)
        };
        self.retract_where(index, now, loads);
    }

    /// The cartridge is mounted no more: intents to put it into a drive that were not sent are taken back.
    pub(crate) fn retract_loads_with(&mut self, index: LibraryIndex, cartridge: CartridgeId, now: Now) {
        let Some(library) = self.library(index) else { return };
        let loads = |motion: &&PlannedMotion| {
            motion.record.cartridge == cartridge && motion.record.destination.kind == ElementType::Drive
        };
        let loads: Vec<RequestId> =
            library.motions.values().filter(loads).map(|motion| motion.record.request).collect();
        let is_one = |id: &RequestId| loads.contains(id);
        self.retract_where(index, now, |motion| {
            is_one(&motion.record.request) || motion.with.as_ref().is_some_and(is_one)
        });
    }

    fn retract_where(&mut self, index: LibraryIndex, now: Now, which: impl Fn(&PlannedMotion) -> bool) {
        let Some(library) = self.library(index) else { return };
        let unsent = [MotionStage::Intent, MotionStage::Prepared];
        let unsent = library.motions.iter().filter(|(_, motion)| unsent.contains(&motion.stage));
        let ids: Vec<RequestId> = unsent.filter(|(_, motion)| which(motion)).map(|(&id, _)| id).collect();
        for id in ids {
            // One that follows another goes back with it.
            if self.library(index).is_some_and(|library| library.motions.contains_key(&id)) {
                self.drop_intent(id, now);
                self.back_to_queue(index, id, now);
            }
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
        if motion.unread {
            library.touch_unread();
        }
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
        let mut settle = Settle::new(
            record.source,
            record.destination,
            arms,
            barcode,
            library.style,
            timing,
            library.dialect,
        );
        if self.planted.is(Bug::NotMovedAfterOneLook) {
            settle.believes_one_look();
        }
        Some(settle)
    }

    /// How long a motion of the library's may still take: as long as a command to it can wait there. Of one that an earlier
    /// process may have sent nobody knows when that was.
    pub(crate) fn motions_may_last(&self, index: LibraryIndex, now: Now) -> Duration {
        let Some(library) = self.library(index) else { return Duration::ZERO };
        let known = self.tasks.values().filter_map(|task| task.motion_may_last(index, now)).max();
        let earlier = self.open_motions.iter().any(|(id, record)| {
            library.id.is_none_or(|library| library == record.library) && !library.motions.contains_key(id)
        });
        // It can have been one half of an exchange.
        let whole = if library.config.exchange { 2 } else { 1 };
        let earlier =
            if earlier { library.config.timing.motion.saturating_mul(whole) } else { Duration::ZERO };
        known.unwrap_or_default().max(earlier)
    }

    /// The only point of no return.
    pub(crate) fn send_motion(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(settle) = self.commit_to(index, id) else { return };
        self.step_begins(id, now);
        let with = self.library(index).and_then(|library| library.motions.get(&id)?.with);
        let work = match with.and_then(|mount| Some((mount, self.commit_to(index, mount)?))) {
            Some((mount, incoming)) => {
                Work::Exchange { dismount: id, mount, work: Box::new(Exchange::new(settle, incoming)) }
            }
            None => Work::Motion(id, Box::new(Motion::new(settle))),
        };
        self.begin(index, work, now);
    }

    /// From here on a step of the request has been sent.
    fn commit_to(&mut self, index: LibraryIndex, id: RequestId) -> Option<Settle> {
        let record = self.library(index)?.motions.get(&id)?.record.clone();
        let settle = self.settle_for(index, &record)?;
        let remembered = !self.planted.is(Bug::CancelThatLies);
        let live = self.live.get_mut(&id)?;
        live.phase = Phase::Moving;
        let sent_before = core::mem::replace(&mut live.steps_sent, remembered);
        let motion = self.library_mut(index)?.motions.get_mut(&id)?;
        motion.sent_before = sent_before;
        if motion.stage == MotionStage::Prepared {
            motion.stage = MotionStage::Sent;
        }
        Some(settle)
    }

    /// What became of a motion cannot be seen now. The looking goes on; meanwhile nothing else is sent to a library that is out of
    /// reach, or that waits for a person.
    pub(crate) fn motion_held_up(
        &mut self,
        index: LibraryIndex,
        lost: Option<PathFault>,
        person: Option<String>,
        now: Now,
    ) {
        if let Some(fault) = lost {
            self.path_lost(index, fault, now);
        }
        if let Some(what) = person
            && let Some(library) = self.library(index).filter(|library| !library.opening)
        {
            let device = library.config.name.clone();
            self.unusable(index, LibraryError::Unfit { device, what }, now);
        }
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
        let told = core::mem::replace(&mut motion.doubted, true);
        // Nobody knows how long: what was to follow does not wait for it.
        self.part_pair(index, id, now);
        if !told {
            let Some(application) = self.live.get(&id).map(|live| live.request.application.clone()) else {
                return;
            };
            let request = self.live.whole(id);
            self.tell(EventKind::MotionInDoubt { request, application, why }, now);
        }
    }
}
