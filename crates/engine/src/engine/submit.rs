//! Taking a request in: once, and answered when it is durable.

use alloc::string::ToString;

use super::Engine;
use super::check::Resolved;
use super::emit::Effect;
use super::live::{Follower, Live, Phase};
use super::work::Timer;
use crate::catalog::{Caller, Role};
use crate::id::{RequestId, SessionId, Token};
use crate::input::StoreFailure;
use crate::library::queue::Order;
use crate::output::{Answer, Change, EventKind, Output, Refusal};
use crate::planted::Bug;
use crate::request::{CancelError, CancelledBy, Operation, Options, Request, State, Submission, Wanted};
use crate::time::Now;

/// What a look-up in the store was made for.
#[derive(Debug, Clone)]
pub(crate) enum LookupFor {
    Submit {
        token: Token,
        submission: Submission,
    },
    Cancel {
        token: Token,
        caller: Caller,
        id: RequestId,
    },
    Adopt {
        token: Token,
        caller: Caller,
        id: RequestId,
    },
    /// One of the ids of a group that was handed in; the token is that of the group.
    Group {
        token: Token,
    },
}

/// The application name under which the manager submits what it needs for itself.
pub(crate) const OWN: &str = "autochanger";

impl Engine {
    pub(crate) fn submit(&mut self, token: Token, submission: Submission, now: Now) {
        if let Some(reason) = &self.store_failed {
            let error = Refusal::Store { reason: reason.to_string() };
            return self.answer_submit(token, Err(error));
        }
        if self.live.contains_key(&submission.id) {
            return self.answer_repeat(token, &submission);
        }
        if submission.id_given {
            if self.lookups.len() >= self.config.max_pending_cancels {
                let limit = self.config.max_pending_cancels;
                return self.answer_submit(token, Err(Refusal::ResourceExhausted { limit }));
            }
            let id = submission.id;
            return self.look_up(id, LookupFor::Submit { token, submission });
        }
        self.accept(token, submission, now);
    }

    pub(crate) fn look_up(&mut self, id: RequestId, purpose: LookupFor) {
        self.next_lookup += 1;
        let token = Token(self.next_lookup);
        self.lookups.insert(token, purpose);
        self.outbox.put(Output::Lookup { token, id });
    }

    pub(crate) fn found(&mut self, token: Token, result: Result<Option<Request>, StoreFailure>, now: Now) {
        let Some(purpose) = self.lookups.remove(&token) else { return };
        let failure = |StoreFailure(reason): StoreFailure| reason.to_string();
        match purpose {
            LookupFor::Submit { token, submission } => match result {
                Ok(Some(request)) => self.answer_submit(token, repeat_of(&request, &submission)),
                // It may have become live while the store was asked.
                Ok(None) if self.live.contains_key(&submission.id) => self.answer_repeat(token, &submission),
                Ok(None) => self.accept(token, submission, now),
                Err(error) => self.answer_submit(token, Err(Refusal::Store { reason: failure(error) })),
            },
            LookupFor::Cancel { token, caller, id } => {
                if self.planted.is(Bug::OutcomeThatChanges)
                    && let Ok(Some(request)) = &result
                    && let State::Failed(_) = request.state
                {
                    let state = State::Cancelled { by: CancelledBy::SessionClosed };
                    self.outbox.change(Change::Request(Request { state, ..request.clone() }));
                }
                let answer = match result {
                    Ok(request) => Err(cancel_of_old(id, &caller, request)),
                    Err(error) => Err(CancelError::Store { reason: failure(error) }),
                };
                self.outbox.after(Effect::Answer(token, Answer::Cancel(answer)));
            }
            LookupFor::Group { token } => {
                let known = result.map_err(|error| Refusal::Store { reason: failure(error) });
                self.known_of_group(token, known, now);
            }
            LookupFor::Adopt { token, caller, id } => {
                self.adopt_old(token, &caller, id, result.map_err(failure))
            }
        }
    }

    /// A request that is live is handed in again. While its end is being written, the end is the answer.
    fn answer_repeat(&mut self, token: Token, submission: &Submission) {
        let Some(live) = self.live.get_mut(&submission.id) else { return };
        match repeat_of(&live.request, submission) {
            Ok(_) if live.ending.is_some() => live.followers.push(Follower::Submit(token)),
            answer => self.answer_submit(token, answer),
        }
    }

    pub(crate) fn answer_submit(&mut self, token: Token, answer: Result<Request, Refusal>) {
        self.outbox.after(Effect::Answer(token, Answer::Submitted(answer)));
    }

    fn accept(&mut self, token: Token, submission: Submission, now: Now) {
        let limit = self.config.max_live_requests;
        let full = self.live.len() >= limit;
        let checked = if full { Err(Refusal::ResourceExhausted { limit }) } else { self.check(&submission) };
        match checked {
            Err(error) => self.answer_submit(token, Err(error)),
            Ok(resolved) => {
                let id = self.take_in(submission, resolved, now);
                if let Some(live) = self.live.get(&id) {
                    let request = live.request.clone();
                    self.answer_submit(token, Ok(request));
                }
            }
        }
    }

    /// Accepts a request of the manager's own, of nobody's session. They are a few for each drive at most, so that no bound is needed,
    /// and a full house can still be emptied.
    pub(crate) fn submit_own(
        &mut self,
        wanted: Wanted,
        priority: i8,
        now: Now,
    ) -> Result<RequestId, Refusal> {
        let submission = Submission {
            id: RequestId(self.ids.next()),
            id_given: false,
            caller: Caller { session: SessionId(0), application: OWN.into(), role: Role::Administrator },
            wanted,
            priority,
            deadline: None,
            detached: true,
            options: Options::default(),
        };
        let resolved = self.check(&submission)?;
        Ok(self.take_in(submission, resolved, now))
    }

    pub(crate) fn take_in(&mut self, submission: Submission, resolved: Resolved, now: Now) -> RequestId {
        let Submission { id, caller, wanted, priority, deadline, detached, options, .. } = submission;
        let mut request = Request {
            id,
            library: resolved.library,
            cartridge: resolved.cartridge,
            barcode: resolved.barcode,
            drive: None,
            application: caller.application,
            priority,
            deadline: deadline.map(|deadline| now.wall.plus(deadline)),
            detached,
            queued_at: now.wall,
            ended_at: None,
            state: State::Queued,
            stopping: None,
            motions: 0,
            wanted,
            options,
            queue_place: None,
            failing: None,
            administrator: caller.role == Role::Administrator,
        };
        self.accepted += 1;
        // What the manager reads for itself takes its turn among the mounts: nobody waits for all of a round.
        let own_reading = request.operation() == Operation::Identify && &*request.application == OWN;
        let rank = if own_reading { Operation::Mount } else { request.operation() };
        let order = Order::ranked(&request, rank, self.accepted, self.config.priority_worth);
        request.queue_place = Some(order.place());
        let deadline =
            deadline.map(|after| self.set_timer(now.monotonic.saturating_add(after), Timer::Deadline(id)));
        self.outbox.change(Change::Request(request.clone()));
        self.outbox.after(Effect::Event(EventKind::Request(request.clone())));
        self.outbox.after(Effect::Accepted(id));
        let mut live = Live::new(request, order, Phase::Accepting, deadline);
        live.session = Some(caller.session);
        live.from_arm = self.is_in_arm(live.request.cartridge);
        live.library = Some(resolved.index);
        self.live.insert(live);
        self.count_wish(id, true);
        id
    }
}

pub(crate) fn repeat_of(known: &Request, submission: &Submission) -> Result<Request, Refusal> {
    let same = known.wanted == submission.wanted
        && known.application == submission.caller.application
        && known.priority == submission.priority
        && known.options == submission.options;
    if same { Ok(known.clone()) } else { Err(Refusal::IdReused { id: submission.id }) }
}

fn cancel_of_old(id: RequestId, caller: &Caller, request: Option<Request>) -> CancelError {
    match request {
        Some(request) if !request.is_visible_to(caller) => CancelError::NotFound { id },
        Some(request) if !request.is_controlled_by(caller) => {
            CancelError::PermissionDenied { id, owner: request.application.to_string() }
        }
        Some(request) => CancelError::AlreadyFinished { id, state: request.state.into() },
        None => CancelError::NotFound { id },
    }
}
