//! How a request ends: once, told and answered when that is durable.

use super::Engine;
use super::emit::Effect;
use super::live::{Follower, Phase};
use crate::id::RequestId;
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::output::{AdoptRefusal, Answer, Change, EventKind};
use crate::planted::Bug;
use crate::request::{CancelAccepted, CancelError, CancelledBy, Failure, Operation, Request, State, Wanted};
use crate::time::Now;

impl Engine {
    /// Decides the end of a request, once. It is told and answered when it is durable.
    pub(crate) fn end(&mut self, id: RequestId, state: State, now: Now) {
        if self.live.part_of(id).is_some() {
            return self.end_part(id, state, now);
        }
        let Some(live) = self.live.get(&id) else { return };
        if live.ending.is_some() || self.waits_for_parts(id, &state, now) {
            return;
        }
        let Some(live) = self.live.get_mut(&id) else { return };
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
        let cleaned = match live.request.wanted {
            Wanted::CleanDrive { drive, .. } => Some(drive),
            _ => None,
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
        self.leave_round(id, now);
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
                    library.touch(Stale::All);
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
            if let Some(drive) = cleaned {
                self.who_waits_for_cleaning(index, drive);
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
        let state = if self.was_sent(id) {
            State::Stopped { place: self.place_of(id), by }
        } else {
            State::Cancelled { by }
        };
        self.end(id, state, now);
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
        let read = live.library.filter(|_| live.request.operation() == Operation::Identify);
        let passed = matches!(live.request.state, State::Passed(_));
        self.tell(EventKind::Request(live.request), now);
        if let Some(index) = read {
            self.label_reading_ended(index, id, passed, now);
        }
    }

    fn answer_follower(&mut self, follower: Follower, ended: &Request) {
        let id = ended.id;
        let (token, answer) = match follower {
            Follower::Submit(token) => (token, Answer::Submitted(Ok(ended.clone()))),
            Follower::Adopt(token) if self.catalogue.mount(id).is_some() => {
                (token, Answer::Adopted(Ok(ended.clone())))
            }
            Follower::Adopt(token) => {
                (token, Answer::Adopted(Err(AdoptRefusal::Ended { id, state: ended.state.clone().into() })))
            }
            Follower::Cancel(token) => {
                let answer = match &ended.state {
                    State::Cancelled { .. } => Ok(CancelAccepted::Cancelled),
                    State::Stopped { .. } => Ok(CancelAccepted::Stopping),
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
}
