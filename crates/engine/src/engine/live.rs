//! A request that has not ended: where it stands, and the one way in which its state changes.

use alloc::vec::Vec;

use autochanger_scsi::ElementAddress;

use super::Engine;
use super::emit::Effect;
use super::work::TimerKey;
use crate::forecast::Why;
use crate::id::{CartridgeId, LibraryIndex, RequestId, SessionId, Token};
use crate::library::PlannedMotion;
use crate::library::fault::Stale;
use crate::library::queue::{Blocker, Order};
use crate::output::{AdoptError, Answer, Change, EventKind};
use crate::planted::Bug;
use crate::request::{
    CancelError, Cancellation, CancelledBy, Failure, LabelFound, Operation, Place, Request, State, Waiting,
};
use crate::time::{Now, WallTime};
use crate::view::OperatorTask;

/// A live request.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// The request; its state is what callers may see.
    pub(crate) request: Request,
    pub(crate) session: Option<SessionId>,
    /// `None` after a restart, until the library is there.
    pub(crate) library: Option<LibraryIndex>,
    pub(crate) phase: Phase,
    /// A step of it was sent to a device, or the service that it sets is in force.
    pub(crate) steps_sent: bool,
    /// Its end is decided and on its way to the store.
    pub(crate) ending: Option<State>,
    /// Who asked while its end was on its way.
    pub(crate) followers: Vec<Follower>,
    pub(crate) order: Order,
    /// What it was woken from; passed on when it cannot use it.
    pub(crate) woken_from: Option<Blocker>,
    /// Attempts at its current step that are known to have done nothing.
    pub(crate) attempts: u8,
    pub(crate) deadline: Option<TimerKey>,
    /// Its deadline passed while a step was in flight that could not be stopped.
    pub(crate) deadline_over: bool,
    pub(crate) pause: Option<TimerKey>,
    /// The slot that it has reserved.
    pub(crate) slot: Option<ElementAddress>,
    /// The port that it has reserved.
    pub(crate) port: Option<ElementAddress>,
    /// When a person has had time enough.
    pub(crate) port_timer: Option<TimerKey>,
    /// What it has taken in so far.
    pub(crate) came: Vec<CartridgeId>,
    /// The drive was unloaded for it.
    pub(crate) unloaded: bool,
    /// A deferred dismount whose drive is needed.
    pub(crate) due: bool,
    /// The drive that its group got for it.
    pub(crate) granted: Option<ElementAddress>,
    /// Drives in which its medium did not come ready.
    pub(crate) suspects: Vec<(ElementAddress, Failure)>,
    /// Its medium is on its way out of the drive again.
    pub(crate) putting_back: bool,
    /// What its medium's label was found to be; the medium is on its way back to a slot.
    pub(crate) found: Option<LabelFound>,
    /// Faults that were kept for it.
    pub(crate) faults: u32,
    /// When its present step began, on the monotonic clock.
    pub(crate) since: Option<core::time::Duration>,
    /// Why its next step was decided on so; of the last one, once that has begun.
    pub(crate) why: Vec<Why>,
    pub(crate) step_begun: bool,
    /// What a person is asked for it, and since when.
    pub(crate) task: Option<(OperatorTask, WallTime)>,
}

/// A question about a request whose end is on its way to the store; it is answered when the end is durable.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Follower {
    Cancel(Token),
    Submit(Token),
    Adopt(Token),
}

/// Where a live request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Being made durable.
    Accepting,
    /// In the queue, to be tried in its turn.
    Queued,
    /// In the queue, waiting for something.
    Blocked(Blocker),
    /// Known to have done nothing; tried again after a pause.
    Pausing,
    /// That it is in process is being made durable: its first step, an unload or a reading, follows.
    Beginning,
    /// Its intent is being made durable.
    Intent,
    /// Its intent is durable, the arm is not free.
    Prepared,
    /// Its MOVE is in flight or being settled.
    Moving,
    /// Waiting for the drive to come ready.
    Loading,
    /// The label is being read or written.
    Labelling,
    /// The drive is being unloaded.
    Unloading,
    /// The drive is being cleaned.
    Cleaning,
    /// Reading the inventory.
    Reading,
    /// A dismount that is put off until the drive is needed.
    Deferred,
    /// Its turn comes with that of the first of its group.
    Grouped,
    /// Its medium is ready; the others of its group are not yet.
    Ready,
    /// Waiting for a person.
    Operator,
    /// Waiting for a person to fill a port.
    AtPort,
    /// A person is at the door; the robot rests.
    Door,
    /// A change of service that takes effect when what is under way has ended.
    Settling,
    /// Kept from an earlier process; its library is not there yet.
    Orphan,
    /// Kept from an earlier process; waits for a session that adopts it.
    Owner,
}

impl Live {
    /// A request that takes its place in the order of service.
    pub(crate) fn new(request: Request, order: Order, phase: Phase, deadline: Option<TimerKey>) -> Self {
        Self {
            order,
            request,
            session: None,
            library: None,
            phase,
            steps_sent: false,
            ending: None,
            followers: Vec::new(),
            woken_from: None,
            attempts: 0,
            deadline,
            deadline_over: false,
            pause: None,
            slot: None,
            port: None,
            port_timer: None,
            came: Vec::new(),
            unloaded: false,
            due: false,
            granted: None,
            suspects: Vec::new(),
            putting_back: false,
            found: None,
            faults: 0,
            since: None,
            why: Vec::new(),
            step_begun: false,
            task: None,
        }
    }

    /// Whether a step is in flight or settling. Questions to a drive whether it is ready are no steps.
    pub(crate) fn has_step_in_flight(&self, open_motion: bool) -> bool {
        match self.phase {
            Phase::Moving | Phase::Labelling | Phase::Unloading | Phase::Cleaning | Phase::Reading => true,
            Phase::Orphan => open_motion,
            _ => false,
        }
    }

    /// Whether it has a place in the queue.
    pub(crate) fn is_in_queue(&self) -> bool {
        let queued =
            matches!(self.phase, Phase::Queued | Phase::Blocked(_) | Phase::Grouped | Phase::Pausing);
        queued && self.ending.is_none()
    }

    pub(crate) fn blocker(&self) -> Option<Blocker> {
        match self.phase {
            Phase::Blocked(blocker) => Some(blocker),
            _ => None,
        }
    }
}

impl Engine {
    /// Changes what callers see of a live request, and keeps it. Final states go through [`end`](Self::end).
    pub(crate) fn set_state(&mut self, id: RequestId, state: State) {
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.ending.is_some() || live.request.state == state {
            return;
        }
        debug_assert!(live.request.state.may_become(&state), "{} -> {}", live.request.state, state);
        live.request.state = state;
        let request = live.request.clone();
        self.outbox.change(Change::Request(request.clone()));
        self.outbox.after(Effect::Event(EventKind::Request(request)));
    }

    /// As [`set_state`](Self::set_state) for states that are derived again after a restart: told, not kept.
    pub(crate) fn show_waiting(&mut self, id: RequestId, waiting: Option<Waiting>) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let state = waiting.map_or(State::Queued, State::Waiting);
        if live.ending.is_some() || live.request.state == state || !live.request.state.may_become(&state) {
            return;
        }
        live.request.state = state;
        let request = live.request.clone();
        self.outbox.after(Effect::Event(EventKind::Request(request)));
    }

    /// Decides the end of a request, once. It is told and answered when it is durable.
    pub(crate) fn end(&mut self, id: RequestId, state: State, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.ending.is_some() {
            return;
        }
        debug_assert!(live.request.state.may_become(&state), "{} -> {}", live.request.state, state);
        let failed_load = match &state {
            State::Failed(failure) if live.request.operation().loads() => Some(failure.clone()),
            _ => None,
        };
        live.ending = Some(state.clone());
        let mut request = live.request.clone();
        request.state = state;
        request.ended_at = Some(now.wall);
        let (order, blocker, library) = (live.order, live.blocker(), live.library);
        let (cartridge, operation) = (live.request.cartridge, live.request.operation());
        let begun_reading = match live.phase {
            Phase::Door => true,
            // What begins otherwise begins with an unload.
            Phase::Beginning => {
                matches!(operation, Operation::Inventory | Operation::DoorAccess | Operation::InjectCleaner)
            }
            _ => false,
        };
        let was_at_door = live.phase == Phase::Door;
        let deferred_in = live.request.drive.filter(|_| live.phase == Phase::Deferred);
        let loading_in = live.request.drive.filter(|_| live.phase == Phase::Loading);
        for timer in [live.deadline.take(), live.pause.take(), live.port_timer.take()].into_iter().flatten() {
            self.timers.remove(&timer);
        }
        if self.planted.is(Bug::VerdictBeforeDurable) {
            self.tell(EventKind::Request(request.clone()), now);
        }
        self.outbox.change(Change::Request(request));
        self.outbox.after(Effect::Ended(id));
        self.count_wish(id, false);
        self.withdraw_task(id);
        self.leave_group(id, now);
        if let Some(index) = library {
            if let Some(library) = self.library_mut(index) {
                library.queue.remove(order, blocker);
                if begun_reading {
                    library.reading = false;
                }
                library.ports.waiting.remove(&id);
                library.settling.remove(&id);
                library.to_be_brought.remove(&id);
                // Hands may have been in it.
                if was_at_door {
                    library.stale = Stale::All;
                }
            }
            self.pass_on(index, id);
            // Nobody asks the drive any further, so that nobody would hear that it is done.
            if let Some(drive) = loading_in {
                self.calibrates(index, drive, None);
            }
            self.release(id, index);
            if let Some(drive) = deferred_in {
                self.forget_deferred(index, id, drive);
            }
            // A mount can be waiting for this dismount although it had reserved nothing yet.
            if let (Some(cartridge), Operation::Dismount) = (cartridge, operation) {
                self.wake(index, Blocker::Medium(cartridge));
            }
            if let Some(failure) = failed_load {
                self.recover_after(index, &failure, now);
            }
            self.mark_dirty(index);
        }
    }

    pub(crate) fn fail(&mut self, id: RequestId, failure: Failure, now: Now) {
        if self.live.get(&id).is_some_and(|live| live.ending.is_none()) {
            self.blame_end(id, &failure, now);
            self.note_unyielding(id, now);
        }
        self.end(id, State::Failed(failure), now);
    }

    fn note_unyielding(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get(&id) else { return };
        if let (Operation::Dismount, Some(index), Some(drive)) =
            (live.request.operation(), live.library, live.request.drive)
        {
            self.did_not_yield(index, drive, now);
        }
    }

    /// Ends a request early, by the fact of what was sent for it.
    pub(crate) fn end_early(&mut self, id: RequestId, by: CancelledBy, now: Now) {
        let Some(live) = self.live.get(&id) else { return };
        let state = if live.steps_sent {
            State::Stopped { place: self.place_of(id), by }
        } else {
            State::Cancelled { by }
        };
        self.end(id, state, now);
    }

    /// Where the cartridge of a request is, as far as is known.
    pub(crate) fn place_of(&self, id: RequestId) -> Option<Place> {
        let cartridge = self.live.get(&id)?.request.cartridge?;
        Some(self.catalogue.cartridge(cartridge)?.place.clone())
    }

    /// The end is durable: it is told, and those who waited for it are answered.
    pub(crate) fn ended_durably(&mut self, id: RequestId, now: Now) {
        let Some(mut live) = self.live.remove(&id) else { return };
        let Some(state) = live.ending.take() else { return };
        if live.request.stopping.is_some() {
            self.pending_cancels = self.pending_cancels.saturating_sub(1);
        }
        live.request.state = state.clone();
        live.request.ended_at.get_or_insert(now.wall);
        for follower in core::mem::take(&mut live.followers) {
            self.answer_follower(follower, &live.request);
        }
        // A dismount begins when the mount is durable, not before.
        if let (Operation::Mount, Some(index), Some(cartridge)) =
            (live.request.operation(), live.library, live.request.cartridge)
        {
            self.wake(index, Blocker::Medium(cartridge));
        }
        self.tell(EventKind::Request(live.request), now);
    }

    fn answer_follower(&mut self, follower: Follower, ended: &Request) {
        let id = ended.id;
        let (token, answer) = match follower {
            Follower::Submit(token) => (token, Answer::Submitted(Ok(ended.clone()))),
            Follower::Adopt(token) if self.catalogue.mount(id).is_some() => {
                (token, Answer::Adopted(Ok(ended.clone())))
            }
            Follower::Adopt(token) => {
                (token, Answer::Adopted(Err(AdoptError::Ended { id, state: ended.state.clone().into() })))
            }
            Follower::Cancel(token) => {
                let answer = match &ended.state {
                    State::Cancelled { .. } => Ok(Cancellation::Cancelled),
                    State::Stopped { .. } => Ok(Cancellation::Stopping),
                    other => Err(CancelError::AlreadyFinished { id, state: other.clone().into() }),
                };
                if let Ok(cancellation) = answer {
                    let application = ended.application.clone();
                    self.outbox.after(Effect::Event(EventKind::CancelAccepted {
                        id,
                        application,
                        cancellation,
                    }));
                }
                (token, Answer::Cancel(answer))
            }
        };
        self.outbox.after(Effect::Answer(token, answer));
    }

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

    pub(crate) fn operation(&self, id: RequestId) -> Option<Operation> {
        Some(self.live.get(&id)?.request.operation())
    }
}
