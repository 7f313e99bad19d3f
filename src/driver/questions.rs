//! What was asked and is not answered yet: how much of it there may be, and whose answer goes to whom.

use autochanger_engine::id::{RequestId, Token};
use autochanger_engine::output::{AdoptRefusal, OperatorRefusal, Refusal, ReorderRefusal};
use autochanger_engine::request::{CancelAccepted, CancelError};
use autochanger_engine::{Answer, Input};
use tokio::sync::oneshot;

use super::Driver;
use super::message::{Accepted, Control, Standing, Submit, Work};

/// Questions that may be unanswered: their answers wait for the store, and so does what they change. When there are so many no more
/// submissions are taken out of their lane, until the store has caught up. Twice what a store commits as one group.
pub(super) const MAX_UNANSWERED: usize = 16_384;

/// So many cancels, reorderings and adoptions may wait beside them; beyond it they are refused at once, for they are to be answered
/// also when the lane of submissions stands still.
const MAX_UNANSWERED_CONTROL: usize = MAX_UNANSWERED + 4096;

/// A question that the engine has not answered yet.
pub(super) enum Asked {
    Submit(oneshot::Sender<Result<Standing, Refusal>>),
    Group(oneshot::Sender<Result<Vec<Standing>, Refusal>>),
    Reorder(oneshot::Sender<Result<u32, ReorderRefusal>>),
    Cancel(RequestId, oneshot::Sender<Result<Accepted, CancelError>>),
    Adopt(oneshot::Sender<Result<Standing, AdoptRefusal>>),
    Satisfy(oneshot::Sender<Result<(), OperatorRefusal>>),
    CleanerUses(oneshot::Sender<Result<(), Refusal>>),
    Close(oneshot::Sender<usize>),
}

impl Driver {
    pub(super) fn submit(&mut self, submit: Submit) {
        if submit.closed.is_set() {
            return;
        }
        match submit.work {
            Work::One { submission, reply } => {
                let token = self.token(Asked::Submit(reply));
                self.handle(Input::Submit { token, submission });
            }
            Work::Group { submissions, reply } => {
                let token = self.token(Asked::Group(reply));
                self.handle(Input::SubmitGroup { token, submissions });
            }
        }
    }

    pub(super) fn control(&mut self, control: Control) {
        let is_full = self.asked.len() >= MAX_UNANSWERED_CONTROL;
        let control = if is_full { control.refused(MAX_UNANSWERED_CONTROL) } else { Some(control) };
        let Some(control) = control else { return };
        match control {
            Control::Satisfy { caller, id, reply } => {
                let token = self.token(Asked::Satisfy(reply));
                self.handle(Input::SatisfyOperatorTask { token, caller, id });
            }
            Control::CleanerUses { caller, cartridge, uses, reply } => {
                let token = self.token(Asked::CleanerUses(reply));
                self.handle(Input::SetCleanerUses { token, caller, cartridge, uses });
            }
            Control::Cancel { caller, id, reason, reply } => {
                let token = self.token(Asked::Cancel(id, reply));
                self.handle(Input::Cancel { token, caller, id, reason });
            }
            Control::Refuse { caller, id, reply } => {
                let token = self.token(Asked::Cancel(id, reply));
                self.handle(Input::RefuseOperatorTask { token, caller, id });
            }
            Control::Reorder { caller, id, position, reply } => {
                let token = self.token(Asked::Reorder(reply));
                self.handle(Input::Reorder { token, caller, id, position });
            }
            Control::Purge { purge, permit, reply } => self.writer.purge(purge, permit, reply),
            Control::Adopt { caller, id, reply } => {
                let token = self.token(Asked::Adopt(reply));
                self.handle(Input::Adopt { token, caller, id });
            }
            Control::Close { session, reply } => {
                let token = self.token(Asked::Close(reply));
                self.handle(Input::CloseSession { token, session });
            }
            Control::Look(look) => look(&self.engine),
            Control::Ask(ask) => self.writer.ask(ask),
        }
    }

    /// An asker that has gone is not missed.
    pub(super) fn answer(&mut self, token: Token, answer: Answer) {
        match (self.asked.remove(&token), answer) {
            (Some(Asked::Submit(reply)), Answer::Submitted(result)) => {
                let _ = reply.send(result.map(|request| self.standings.watch(request)));
            }
            (Some(Asked::Group(reply)), Answer::SubmittedGroup(result)) => {
                let watch = |request| self.standings.watch(request);
                let _ = reply.send(result.map(|requests| requests.into_iter().map(watch).collect()));
            }
            (Some(Asked::Reorder(reply)), Answer::Reordered(result)) => {
                let _ = reply.send(result);
            }
            (Some(Asked::Cancel(id, reply)), Answer::Cancel(result)) => {
                let result = result.map(|cancellation| {
                    let wanted = matches!(cancellation, CancelAccepted::Stopping);
                    let request = if wanted { self.engine.view().request(id) } else { None };
                    Accepted { cancellation, standing: request.map(|request| self.standings.watch(request)) }
                });
                let _ = reply.send(result);
            }
            (Some(Asked::Adopt(reply)), Answer::Adopted(result)) => {
                let _ = reply.send(result.map(|request| self.standings.watch(request)));
            }
            (Some(Asked::Satisfy(reply)), Answer::Satisfied(result)) => {
                let _ = reply.send(result);
            }
            (Some(Asked::CleanerUses(reply)), Answer::CleanerUses(result)) => {
                let _ = reply.send(result);
            }
            (Some(Asked::Close(reply)), Answer::SessionClosed { cancelled }) => {
                let _ = reply.send(cancelled);
            }
            (_, answer) => debug_assert!(false, "an answer without its question: {answer:?}"),
        }
    }

    fn token(&mut self, asked: Asked) -> Token {
        self.next_token += 1;
        let token = Token(self.next_token);
        self.asked.insert(token, asked);
        token
    }
}
