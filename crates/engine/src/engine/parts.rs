//! Parts: of an inject of many, each cartridge is moved by a part of the request, as many at once as arms may move.
//!
//! A part has what a motion needs for itself: its phase, its attempts and pauses, what it has reserved. It is in no queue (its whole
//! is), and nobody outside knows of it: its motions are kept and told as those of the whole, under its next number. After a
//! restart each motion of the whole that was open is a part again.

use alloc::vec::Vec;

use autochanger_scsi::ElementType;

use super::Engine;
use super::live::{Live, Phase};
use super::motion::Way;
use super::schedule::Start;
use crate::catalog::{MotionRecord, MotionState};
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::request::{CancelledBy, ElementName, Operation, Outcome, Request, State, Wanted};
use crate::time::Now;

/// The most cartridges of one inject: as many as the record of its outcome names. Whoever brings more asks again.
pub(crate) const MAX_PARTS: usize = 1024;

/// Whether the request moves its cartridges by parts.
pub(crate) fn moves_by_parts(wanted: &Wanted) -> bool {
    matches!(wanted, Wanted::Inject { many: true, .. })
}

impl Engine {
    /// A part that moves one cartridge. Its whole has begun, or was kept from an earlier process.
    pub(crate) fn add_part(&mut self, whole: RequestId, cartridge: CartridgeId) -> Option<RequestId> {
        let of = self.live.get(&whole)?;
        let (library, order, phase) = (of.library, of.order, of.phase);
        let mut request = of.request.clone();
        request.id = RequestId(self.ids.next());
        request.wanted = match request.wanted {
            Wanted::Inject { library, .. } => Wanted::Inject { library, many: false },
            other => other,
        };
        request.cartridge = Some(cartridge);
        let id = request.id;
        let mut part = Live::new(request, order, phase, None);
        part.library = library;
        part.part_of = Some(whole);
        part.from_arm = self.is_in_arm(Some(cartridge));
        self.live.insert_part(part);
        Some(id)
    }

    pub(crate) fn has_parts(&self, id: RequestId) -> bool {
        self.live.parts_of(id).next().is_some()
    }

    /// Whether a step of the request, or of a part of it, is in flight or settling.
    pub(crate) fn has_step_in_flight(&self, id: RequestId) -> bool {
        let in_flight = |live: &Live| {
            let open_motion = self.open_motions.contains_key(&live.request.id);
            live.ending.is_none() && live.has_step_in_flight(open_motion)
        };
        self.live.get(&id).is_some_and(in_flight) || self.live.parts_of(id).any(in_flight)
    }

    /// Whether a step of the request, or of a part of it, was ever sent.
    pub(crate) fn was_sent(&self, id: RequestId) -> bool {
        self.live.get(&id).is_some_and(|live| live.steps_sent)
            || self.live.parts_of(id).any(|part| part.steps_sent)
    }

    /// The part that waits to be tried again for the longest time.
    pub(crate) fn waiting_part(&self, whole: RequestId) -> Option<RequestId> {
        let waiting = self.live.parts_of(whole).filter(|part| part.phase == Phase::Queued);
        Some(waiting.min_by_key(|part| part.request.motions)?.request.id)
    }

    /// The cartridge is where it is to be taken from, or the part is over: its whole looks at the ports again.
    pub(crate) fn start_part(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        let Some(cartridge) = self.live.get(&id).and_then(|live| live.request.cartridge) else {
            return Start::Gone;
        };
        let lies = |place: &ElementName| match place.kind {
            ElementType::Transport => true,
            ElementType::ImportExport => self.library(index).is_some_and(|library| {
                library.elements.get(place.address).is_some_and(|port| {
                    port.cartridge == Some(cartridge) && port.reserved_by.is_none_or(|by| by == id)
                })
            }),
            ElementType::Storage | ElementType::Drive => false,
        };
        let free = !self.medium_is_busy(cartridge, id);
        let source = self.standing_place(id, cartridge).ok().filter(|place| free && lies(place));
        let slot = self.slot_for_new(index, id, cartridge);
        let Some((source, slot)) = source.zip(slot) else {
            self.drop_part(id, now);
            return Start::Gone;
        };
        let way = Way { source, destination: ElementName { kind: ElementType::Storage, address: slot } };
        self.reserve_way(index, id, cartridge, way);
        self.intend(index, id, cartridge, way, now);
        Start::Gone
    }

    /// Nothing has happened: the part waits until its whole is tried again.
    pub(crate) fn part_waits(&mut self, id: RequestId, now: Now) {
        let whole = self.live.whole(id);
        if let Some(part) = self.live.get_mut(&id) {
            part.phase = Phase::Queued;
        }
        if self
            .live
            .get(&whole)
            .is_some_and(|live| live.then_ends.is_some() || live.request.stopping.is_some())
        {
            self.drop_part(id, now);
            return self.part_is_over(whole, now);
        }
        if self.live.parts_of(whole).all(|part| part.phase == Phase::Queued) {
            self.set_state(whole, State::Queued);
        }
        self.parts_go_on(whole);
    }

    /// There is work for another part, or will be: the whole is tried in its turn.
    pub(crate) fn parts_go_on(&mut self, whole: RequestId) {
        let Some(live) = self.live.get(&whole).filter(|live| live.phase == Phase::Carrying) else { return };
        if let (Some(index), None, None) = (live.library, &live.then_ends, &live.request.stopping) {
            self.queue_again(index, whole);
        }
    }

    /// Cartridges were found in the ports: who works only with what it has already looks there again.
    pub(crate) fn parts_look_at_ports(&mut self, index: LibraryIndex) {
        let Some(library) = self.library(index).and_then(|library| library.id) else { return };
        let carrying: Vec<RequestId> = self
            .live
            .in_line(library, Operation::Inject)
            .filter(|live| live.phase == Phase::Carrying)
            .map(|live| live.request.id)
            .collect();
        for whole in carrying {
            self.parts_go_on(whole);
        }
    }

    /// What a part has reserved comes free, and what was not sent for it is taken back.
    fn drop_part(&mut self, id: RequestId, now: Now) {
        self.drop_intent(id, now);
        let Some(part) = self.live.get_mut(&id) else { return };
        let (pause, index) = (part.pause.take(), part.library);
        if let Some(timer) = pause {
            self.timers.remove(&timer);
        }
        if let Some(index) = index {
            self.release(id, index);
        }
        let Some(part) = self.live.remove_part(&id) else { return };
        if let Some(whole) = part.part_of.and_then(|whole| self.live.get_mut(&whole)) {
            whole.steps_sent |= part.steps_sent;
        }
    }

    /// A part has come to its end. What failed for it fails for the whole.
    pub(crate) fn end_part(&mut self, id: RequestId, state: State, now: Now) {
        let whole = self.live.whole(id);
        self.drop_part(id, now);
        match state {
            State::Failed(_) => self.end(whole, state, now),
            _ => self.part_is_over(whole, now),
        }
    }

    fn part_is_over(&mut self, whole: RequestId, now: Now) {
        if self.has_parts(whole) {
            return self.parts_go_on(whole);
        }
        if self.stopping(whole) {
            return self.stop_here(whole, now);
        }
        let Some(live) = self.live.get_mut(&whole) else { return };
        if let Some(state) = live.then_ends.take() {
            return self.end(whole, state, now);
        }
        if live.deadline_over {
            return self.end_early(whole, CancelledBy::Deadline, now);
        }
        if live.came.len() >= MAX_PARTS {
            let cartridges = live.came.clone();
            return self.end(whole, State::Passed(Outcome::Injected { cartridges }), now);
        }
        self.parts_go_on(whole);
    }

    /// A request that ends takes its parts with it. What is in flight for one comes to its end before: then the request's end waits,
    /// and nothing more is begun for it.
    pub(crate) fn waits_for_parts(&mut self, id: RequestId, state: &State, now: Now) -> bool {
        if !self.has_parts(id) {
            return false;
        }
        self.drop_idle_parts(id, now);
        if !self.has_parts(id) {
            return false;
        }
        let Some(live) = self.live.get_mut(&id) else { return false };
        live.then_ends.get_or_insert_with(|| state.clone());
        self.only_carries(id);
        true
    }

    /// It begins nothing more.
    fn only_carries(&mut self, id: RequestId) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let (order, blocker, index) = (live.order, live.blocker(), live.library);
        live.phase = Phase::Carrying;
        if let Some(index) = index {
            if let Some(library) = self.library_mut(index) {
                library.queue.remove(order, blocker);
            }
            self.pass_on(index, id);
        }
    }

    fn drop_idle_parts(&mut self, whole: RequestId, now: Now) {
        let parts: Vec<RequestId> = self.live.parts_of(whole).map(|part| part.request.id).collect();
        for part in parts {
            if !self.has_step_in_flight(part) {
                self.drop_part(part, now);
            }
        }
    }

    /// The request stops when what is in flight for its parts has come to its end.
    pub(crate) fn stop_parts(&mut self, whole: RequestId, by: &CancelledBy, now: Now) {
        self.drop_idle_parts(whole, now);
        let parts: Vec<RequestId> = self.live.parts_of(whole).map(|part| part.request.id).collect();
        if !parts.is_empty() {
            self.only_carries(whole);
        }
        for part in parts {
            if let Some(part) = self.live.get_mut(&part) {
                part.request.stopping = Some(by.clone());
            }
        }
    }

    /// The motions of an earlier process by whom they are settled: the request, or a part of it that is made for that. What such a
    /// motion left in an arm has a part, too, that brings it on.
    pub(crate) fn restore_parts(&mut self, requests: &[Request], motions: &[MotionRecord]) {
        let by_parts = requests.iter().filter(|request| moves_by_parts(&request.wanted));
        for whole in by_parts.map(|request| request.id) {
            if self.live.get(&whole).is_none_or(|live| live.ending.is_some()) {
                continue;
            }
            let mut own: Vec<&MotionRecord> =
                motions.iter().filter(|motion| motion.request == whole).collect();
            own.sort_by_key(|motion| motion.sequence);
            for (n, motion) in own.iter().enumerate() {
                let last = !own.iter().skip(n + 1).any(|later| later.cartridge == motion.cartridge);
                let in_arm = motion.state == MotionState::InArm && self.is_in_arm(Some(motion.cartridge));
                if motion.state != MotionState::Open && !(in_arm && last) {
                    continue;
                }
                let Some(part) = self.add_part(whole, motion.cartridge) else { continue };
                if let Some(part) = self.live.get_mut(&part) {
                    part.steps_sent = true;
                }
                if motion.state == MotionState::Open {
                    self.open_motions.insert(part, (*motion).clone());
                }
            }
        }
    }
}
