//! The cancel contract, computed in this one place, where it races with nothing (RSM: `CancelNtmsLibraryRequest`).
//!
//! | fact | answer |
//! |---|---|
//! | no step was ever sent | `Cancelled`, durable before it is answered |
//! | steps done, none in flight | `Stopping`, at once resolved to `Stopped` |
//! | a step in flight or settling, later steps exist | `Stopping`, the verdict follows |
//! | a step in flight or settling, none later | `InProgress` |
//! | the same, in a library that is not configured any more | `Stopping`, at once resolved to `Stopped` with an unknown place |

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Engine;
use super::emit::Effect;
use super::live::{Follower, Phase};
use super::parts::moves_by_parts;
use super::submit::LookupFor;
use crate::catalog::Caller;
use crate::id::{RequestId, SessionId, Token};
use crate::output::{Answer, Change, EventKind, Refusal};
use crate::request::{CancelAccepted, CancelError, CancelledBy, Operation, Wanted};
use crate::time::Now;

/// What a cancel came to.
#[derive(Debug)]
enum Verdict {
    Accepted(CancelAccepted),
    /// Its end is on its way to the store: the answer follows it.
    Follow,
    Refused(CancelError),
}

impl Engine {
    pub(crate) fn cancel(
        &mut self,
        token: Token,
        caller: &Caller,
        id: RequestId,
        reason: Option<Arc<str>>,
        now: Now,
    ) {
        if let Some(reason) = &self.store_failed {
            let error = CancelError::Store { reason: reason.to_string() };
            return self.answer_cancel(token, Err(error));
        }
        let Some(live) = self.live.get(&id) else {
            if self.lookups.len() >= self.config.max_pending_cancels {
                let limit = self.config.max_pending_cancels;
                return self.answer_cancel(token, Err(CancelError::ResourceExhausted { limit }));
            }
            return self.look_up(id, LookupFor::Cancel { token, caller: caller.clone(), id });
        };
        if !live.request.is_visible_to(caller) {
            return self.answer_cancel(token, Err(CancelError::NotFound { id }));
        }
        if !live.request.is_controlled_by(caller) {
            let owner = live.request.application.to_string();
            return self.answer_cancel(token, Err(CancelError::PermissionDenied { id, owner }));
        }
        let by = CancelledBy::Session { application: caller.application.clone(), reason };
        match self.stop(id, by, now) {
            Verdict::Accepted(cancellation) => self.answer_cancel(token, Ok(cancellation)),
            Verdict::Refused(error) => self.answer_cancel(token, Err(error)),
            Verdict::Follow => {
                let limit = self.config.max_pending_cancels;
                let following: usize = self.live.get(&id).map_or(0, |live| live.followers.len());
                if following >= limit {
                    return self.answer_cancel(token, Err(CancelError::ResourceExhausted { limit }));
                }
                if let Some(live) = self.live.get_mut(&id) {
                    live.followers.push(Follower::Cancel(token));
                }
            }
        }
    }

    fn answer_cancel(&mut self, token: Token, answer: Result<CancelAccepted, CancelError>) {
        self.outbox.after(Effect::Answer(token, Answer::Cancel(answer)));
    }

    /// A request ends with another one of its group.
    pub(crate) fn stop_member(&mut self, id: RequestId, by: CancelledBy, now: Now) {
        let _: Verdict = self.stop(id, by, now);
    }

    /// The table. Changes the request as its answer says.
    fn stop(&mut self, id: RequestId, by: CancelledBy, now: Now) -> Verdict {
        let Some(live) = self.live.get(&id) else { return Verdict::Refused(CancelError::NotFound { id }) };
        if live.ending.is_some() {
            return Verdict::Follow;
        }
        if self.is_unconfigured(id) {
            let sent = self.was_sent(id);
            self.leave_motions(id, now);
            self.end_early(id, by, now);
            let cancellation = if sent { CancelAccepted::Stopping } else { CancelAccepted::Cancelled };
            self.told_cancel(id, cancellation);
            return Verdict::Accepted(cancellation);
        }
        if live.request.stopping.is_some() {
            self.told_cancel(id, CancelAccepted::Stopping);
            return Verdict::Accepted(CancelAccepted::Stopping);
        }
        if self.has_step_in_flight(id) {
            if !self.has_later_step(id) {
                let operation = live.request.operation();
                return Verdict::Refused(CancelError::InProgress { id, operation });
            }
            // The bound is for those who wait; a deadline and a closed session wait for nothing.
            let waits = matches!(by, CancelledBy::Session { .. });
            if waits && self.pending_cancels >= self.config.max_pending_cancels {
                return Verdict::Refused(CancelError::ResourceExhausted {
                    limit: self.config.max_pending_cancels,
                });
            }
            self.mark_stopping(id, by.clone());
            self.stop_parts(id, &by, now);
            self.told_cancel(id, CancelAccepted::Stopping);
            return Verdict::Accepted(CancelAccepted::Stopping);
        }
        let cancellation =
            if self.was_sent(id) { CancelAccepted::Stopping } else { CancelAccepted::Cancelled };
        self.drop_intent(id, now);
        self.end_early(id, by, now);
        self.told_cancel(id, cancellation);
        Verdict::Accepted(cancellation)
    }

    /// Whether something would follow the step that is in flight.
    fn has_later_step(&self, id: RequestId) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        match (live.request.operation(), live.phase) {
            // A dismount's move is its last step; its unload is not.
            (Operation::Dismount, Phase::Unloading) => true,
            (Operation::Dismount, _) => false,
            // A mount that has failed ends with the move that puts its medium back.
            (Operation::Mount | Operation::Identify | Operation::WriteFreeLabel, Phase::Moving)
                if live.putting_back && (live.request.failing.is_some() || live.found.is_some()) =>
            {
                false
            }
            // A medium that stays in the drive is not moved after its label was read.
            (Operation::Identify, Phase::Labelling) => {
                !matches!(live.request.wanted, Wanted::Identify { keep: true, .. })
            }
            // What was read can be the wrong label: then the medium is put back.
            (Operation::Mount, Phase::Labelling) => true,
            (Operation::Mount, _) if live.putting_back => true,
            // It passes with the others of its group, and that is still to come.
            (Operation::Mount, _) if live.request.options.group.is_some() => true,
            // After the move a mount waits for its drive, where there is a way to ask it.
            (Operation::Mount, _) => {
                match (live.library.and_then(|index| self.library(index)), live.request.drive) {
                    (Some(library), Some(drive)) => library
                        .elements
                        .get(drive)
                        .and_then(|element| element.drive.as_ref())
                        .is_some_and(|drive| drive.device.is_some()),
                    // Kept from an earlier process: the way to the drive is not known yet, so the wait for it is to come.
                    _ => true,
                }
            }
            // What only changes the catalogue or the service has no steps on a device.
            (
                Operation::DisableLibrary
                | Operation::EnableLibrary
                | Operation::DisableDrive
                | Operation::EnableDrive
                | Operation::DisableMedia
                | Operation::EnableMedia
                | Operation::UpdateLabel
                | Operation::Classify
                | Operation::ReserveCleanerSlot
                | Operation::ReleaseCleanerSlot,
                _,
            ) => false,
            // A cleaning ends with the move that takes its cartridge back.
            (Operation::CleanDrive, _) => !self.takes_cleaner_back(id),
            // An eject's move is its last step; an unload before it is not.
            (Operation::Eject | Operation::EjectCleaner, phase) => phase == Phase::Unloading,
            // One cartridge is one move; of many, each is followed by the look for the next, until one has failed.
            (Operation::Inject, _) if moves_by_parts(&live.request.wanted) => live.then_ends.is_none(),
            (Operation::Inject, Phase::Moving | Phase::Orphan) => false,
            (Operation::InjectCleaner, Phase::Moving | Phase::Orphan) => false,
            (
                Operation::DoorAccess
                | Operation::Inject
                | Operation::InjectCleaner
                | Operation::Identify
                | Operation::WriteFreeLabel,
                _,
            ) => true,
            // Between two chunks there is always a point to stop at; whether this was the last one is seen then.
            (Operation::Inventory, _) => true,
        }
    }

    fn mark_stopping(&mut self, id: RequestId, by: CancelledBy) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.request.stopping = Some(by);
        let request = live.request.clone();
        self.pending_cancels += 1;
        self.outbox.change(Change::Request(request.clone()));
        self.outbox.after(Effect::Event(EventKind::Request(request)));
    }

    fn told_cancel(&mut self, id: RequestId, cancellation: CancelAccepted) {
        let Some(application) = self.live.get(&id).map(|live| live.request.application.clone()) else {
            return;
        };
        self.outbox.after(Effect::Event(EventKind::CancelAccepted { id, application, cancellation }));
    }

    pub(crate) fn deadline_passed(&mut self, id: RequestId, now: Now) {
        // What came of it could not be kept, and so must not be told.
        if self.store_failed.is_some() {
            return;
        }
        if let Some(live) = self.live.get_mut(&id) {
            live.deadline = None;
        }
        if let Verdict::Refused(_) = self.stop(id, CancelledBy::Deadline, now)
            && let Some(live) = self.live.get_mut(&id)
        {
            // With its last step in flight a request ends by itself, unless that step does nothing.
            live.deadline_over = true;
        }
    }

    pub(crate) fn close_session(&mut self, token: Token, session: SessionId, now: Now) {
        let bound: Vec<RequestId> = self
            .live
            .of_session(session)
            .filter(|live| !live.request.detached && live.request.operation() == Operation::Mount)
            .map(|live| live.request.id)
            .collect();
        // What is still being looked up was not accepted, and is not any more.
        let asked: Vec<Token> = self
            .lookups
            .iter()
            .filter_map(|(&asked, purpose)| match purpose {
                LookupFor::Submit { submission, .. } => {
                    (submission.caller.session == session).then_some(asked)
                }
                _ => None,
            })
            .collect();
        for asked in asked {
            if let Some(LookupFor::Submit { token, .. }) = self.lookups.remove(&asked) {
                let answer = Answer::Submitted(Err(Refusal::SessionClosed));
                self.outbox.after(Effect::Answer(token, answer));
            }
        }
        let groups: Vec<Token> = self
            .asked_groups
            .iter()
            .filter_map(|(&asked, group)| group.is_of(session).then_some(asked))
            .collect();
        for asked in groups {
            self.asked_groups.remove(&asked);
            self.answer_group(asked, Err(Refusal::SessionClosed));
        }
        let mut cancelled = 0;
        // After the store has failed nothing can be kept of a cancel, and so nothing is told of it.
        for id in bound.into_iter().filter(|_| self.store_failed.is_none()).collect::<Vec<_>>() {
            if let Verdict::Accepted(_) = self.stop(id, CancelledBy::SessionClosed, now) {
                cancelled += 1;
            }
        }
        self.outbox.after(Effect::Answer(token, Answer::SessionClosed { cancelled }));
    }
}
