//! After a restart: what was kept becomes live again, and open motions are looked into before anything else moves.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use autochanger_scsi::ElementType;

use super::Engine;
use super::live::{Live, Phase};
use super::motion::Way;
use super::parts::moves_by_parts;
use super::submit::OWN;
use super::work::{Timer, Work};
use crate::catalog::{MotionRecord, MotionState};
use crate::changer::motion::Motion;
use crate::id::{LibraryIndex, RequestId};
use crate::input::RestartPolicy;
use crate::library::queue::Order;
use crate::library::{MotionStage, PlannedMotion};
use crate::output::Change;
use crate::request::{CancelledBy, Operation, Request, State, Waiting};
use crate::time::Now;

impl Engine {
    pub(crate) fn restore(&mut self, mut requests: Vec<Request>, motions: Vec<MotionRecord>, now: Now) {
        let sent = motions.iter().filter(|motion| motion.state != MotionState::NotSent);
        let sent: BTreeSet<RequestId> = sent.map(|motion| motion.request).collect();
        // Requests that have not ended have few motions: a copy of them costs nothing that a start would notice.
        let moved = motions.clone();
        let open: Vec<MotionRecord> =
            motions.into_iter().filter(|motion| motion.state == MotionState::Open).collect();
        let by_parts: BTreeSet<RequestId> =
            requests.iter().filter(|request| moves_by_parts(&request.wanted)).map(|it| it.id).collect();
        let alone = open.iter().filter(|motion| !by_parts.contains(&motion.request));
        self.open_motions = alone.map(|motion| (motion.request, motion.clone())).collect();
        let open: BTreeSet<RequestId> = open.iter().map(|motion| motion.request).collect();
        // Ids are UUIDs of version 7: their order is the order of age.
        requests.sort_by_key(|request| (request.queued_at, request.id));
        for request in requests.clone() {
            let (sent, open) = (sent.contains(&request.id), open.contains(&request.id));
            self.restore_request(request, sent, open, now);
        }
        self.restore_parts(&requests, &moved);
        self.restore_injected(&moved);
        let cartridges: Vec<_> = self.open_motions.iter().map(|(by, m)| (m.cartridge, *by)).collect();
        for (cartridge, request) in cartridges {
            self.catalogue.reserve(cartridge, request);
        }
    }

    fn restore_request(&mut self, request: Request, sent: bool, open_motion: bool, now: Now) {
        let id = request.id;
        self.accepted += 1;
        let deadline = request.deadline.map(|deadline| {
            self.set_timer(now.monotonic.saturating_add(deadline.since(now.wall)), Timer::Deadline(id))
        });
        let stopping = request.stopping.is_some();
        // An unload and a reading have no motion; that they are in process is durable before they are sent.
        let other_step = request.state == State::InProcess && request.operation().has_steps_without_motion();
        let steps_sent = sent || other_step;
        let natural = Order::new(&request, self.accepted, self.config.priority_worth);
        let order = request.queue_place.map_or(natural, |place| Order::at(place, request.operation()));
        // Who comes later has a higher number than those that are live: no two have one place.
        self.accepted = self.accepted.max(order.age());
        let mut live = Live::new(request, order, Phase::Orphan, deadline);
        live.steps_sent = steps_sent;
        live.from_arm = self.is_in_arm(live.request.cartridge);
        // How many faults are kept for it is not known here. The tenths of a second that it is old are more than it can have
        // had, and the next number after them is taken by none.
        live.faults = (now.wall.since(live.request.queued_at).as_millis() / 100) as u32;
        self.live.insert(live);
        self.count_wish(id, true);
        self.pending_cancels += usize::from(stopping);
        if self.config.restart == RestartPolicy::CancelUnfinished && !stopping {
            if open_motion {
                if let Some(live) = self.live.get_mut(&id) {
                    live.request.stopping = Some(CancelledBy::Restart);
                }
                self.pending_cancels += 1;
                if let Some(request) = self.live.get(&id).map(|live| live.request.clone()) {
                    self.outbox.change(Change::Request(request));
                }
            } else {
                self.end_early(id, CancelledBy::Restart, now);
            }
        }
    }

    /// The library is there: its kept requests take their places.
    pub(crate) fn attach_orphans(&mut self, index: LibraryIndex, now: Now) {
        let Some(library_id) = self.library(index).and_then(|library| library.id) else { return };
        let mut orphans: Vec<RequestId> = self
            .live
            .values()
            .filter(|live| {
                live.phase == Phase::Orphan && live.request.library == library_id && live.ending.is_none()
            })
            .map(|live| live.request.id)
            .collect();
        for &id in &orphans {
            if let Some(live) = self.live.get_mut(&id) {
                live.library = Some(index);
            }
            self.goes_on_displacing(index, id);
        }
        // What is under way keeps its drive and its medium: a mount that was claimed meanwhile would take them at once.
        orphans.sort_by_key(|&id| self.has_begun_nothing(id));
        for id in orphans {
            match self.open_motions.get(&id).cloned() {
                Some(record) => self.settle_open_motion(index, id, record, now),
                None => self.attach(index, id, now),
            }
        }
    }

    /// A drive that a dismount of the manager's own was to free is freed by that one, and by no second one.
    fn goes_on_displacing(&mut self, index: LibraryIndex, id: RequestId) {
        let own = |live: &&Live| {
            live.request.operation() == Operation::Dismount && &*live.request.application == OWN
        };
        let cartridge = self.live.get(&id).filter(own).and_then(|live| live.request.cartridge);
        let place = cartridge.and_then(|cartridge| self.standing_place(id, cartridge).ok());
        if let Some(place) = place.filter(|place| place.kind == ElementType::Drive) {
            self.displaces(index, id, place.address);
        }
    }

    fn settle_open_motion(&mut self, index: LibraryIndex, id: RequestId, record: MotionRecord, now: Now) {
        let Some(mut settle) = self.settle_for(index, &record) else { return };
        // One end shared with another open motion: one EXCHANGE may have been sent for both. Where exchanges are allowed the
        // other half may be settled already.
        let ends = [record.source.address, record.destination.address];
        let paired = self.open_motions.iter().any(|(other_id, other)| {
            *other_id != id
                && (ends.contains(&other.source.address) || ends.contains(&other.destination.address))
        });
        if paired || self.library(index).is_some_and(|library| library.config.exchange) {
            settle.takes_twice();
        }
        settle.sent_now(now);
        let way = Way { source: record.source, destination: record.destination };
        self.reserve_way(index, id, record.cartridge, way);
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Moving;
        }
        let motion = PlannedMotion {
            record,
            stage: MotionStage::Settling,
            with: None,
            after: None,
            follows: false,
            recovered: true,
            sent_before: true,
            doubted: false,
            in_arm: None,
            unread: false,
        };
        if let Some(library) = self.library_mut(index) {
            library.motions.insert(id, motion);
        }
        self.begin(index, Work::Motion(id, Box::new(Motion::found_open(settle))), now);
    }

    fn attach(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        if self.has_parts(id) && self.has_step_in_flight(id) {
            if let Some(live) = self.live.get_mut(&id) {
                live.phase = Phase::Carrying;
            }
            return self.parts_go_on(id);
        }
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        if self.restore_deferred(index, id, now) {
            return;
        }
        let Some(live) = self.live.get(&id) else { return };
        let in_its_drive = (live.request.state == State::InProcess || live.request.failing.is_some())
            && (live.request.operation().loads() || live.request.operation() == Operation::CleanDrive)
            && live
                .request
                .drive
                .zip(live.request.cartridge)
                .is_some_and(|(drive, cartridge)| self.stands_in(id, cartridge, drive));
        match (in_its_drive, live.request.drive, live.request.cartridge) {
            // The move was done before the process ended; only the wait for the drive was left.
            (true, Some(drive), Some(cartridge)) => {
                let (failing, cleans) =
                    (live.request.failing.is_some(), live.request.operation() == Operation::CleanDrive);
                self.reserve(index, id, cartridge, drive, None);
                match (failing, cleans) {
                    (true, _) => self.put_back(index, id, now),
                    (false, true) => self.watch_cleaning(index, id, now),
                    (false, false) => self.await_drive(index, id, now),
                }
            }
            _ => self.resume_unstarted(index, id, now),
        }
    }

    fn has_begun_nothing(&self, id: RequestId) -> bool {
        self.live.get(&id).is_some_and(|live| {
            !matches!(live.request.state, State::InProcess | State::Deferred)
                && live.request.failing.is_none()
        })
    }

    /// A request whose motion did not happen is as unstarted: a mount waits for somebody who still wants it.
    /// Back in its slot, a mount tries again; one of an earlier process waits for somebody who still wants it.
    pub(crate) fn resume_or_queue(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        match self.live.get(&id) {
            Some(live) if live.session.is_none() => self.resume_unstarted(index, id, now),
            _ => self.back_to_queue(index, id, now),
        }
    }

    pub(crate) fn resume_unstarted(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        if self.fails_unloaded(id, now) {
            return;
        }
        if self.is_failing(id) && self.live.get(&id).is_some_and(|live| live.request.drive.is_some()) {
            return self.put_back(index, id, now);
        }
        self.release(id, index);
        self.goes_on_displacing(index, id);
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.deadline_over {
            return self.end_early(id, CancelledBy::Deadline, now);
        }
        if live.request.operation() == Operation::Mount && live.session.is_none() {
            live.phase = Phase::Owner;
            self.set_state(id, State::Waiting(Waiting::Owner));
        } else {
            self.set_state(id, State::Queued);
            self.admit(id, now);
        }
    }
}
