//! What callers ask, and what they are answered.

use alloc::format;
use alloc::string::String;

use super::Transcript;
use crate::catalog::Caller;
use crate::id::{RequestId, Token};
use crate::output::Answer;
use crate::request::{CancelAccepted, CartridgeRef, Options, Submission};

impl Transcript {
    pub(super) fn submitted(&mut self, token: Token, submission: &Submission) -> String {
        self.questions.insert(token, submission.id);
        let name = self.names.request(submission.id);
        let wanted = self.wanted(&submission.wanted);
        let caller = &submission.caller;
        let mut text = format!("{name}: {wanted} for {}, session {}", caller.application, caller.session.0);
        if submission.priority != 0 {
            text.push_str(&format!(", priority {}", submission.priority));
        }
        if let Some(deadline) = submission.deadline {
            text.push_str(&format!(", within {deadline:?}"));
        }
        if submission.detached {
            text.push_str(", detached");
        }
        let Options { deferred, at_once, wait_for_operator, group, identify } = submission.options;
        for (given, word) in [
            (deferred, "deferred"),
            (at_once, "at once or not"),
            (wait_for_operator, "a person may bring it"),
            (identify, "and its label read"),
        ] {
            if given {
                text.push_str(&format!(", {word}"));
            }
        }
        if group.is_some() {
            text.push_str(", in a group");
        }
        text
    }

    pub(super) fn group_submitted(&mut self, token: Token, submissions: &[Submission]) -> String {
        let told: alloc::vec::Vec<String> =
            submissions.iter().map(|submission| self.submitted(token, submission)).collect();
        format!("all or none: {}", super::join(told.into_iter(), "; "))
    }

    pub(super) fn place_asked(
        &mut self,
        token: Token,
        caller: &Caller,
        id: RequestId,
        position: u32,
    ) -> String {
        self.questions.insert(token, id);
        format!("to put {} in place {position} for {}", self.names.request(id), who(caller))
    }

    pub(super) fn task_refused(&mut self, token: Token, caller: &Caller, id: RequestId) -> String {
        self.questions.insert(token, id);
        format!("not to wait for a person for {}: {}", self.names.request(id), who(caller))
    }

    pub(super) fn task_done(&mut self, token: Token, caller: &Caller, id: RequestId) -> String {
        self.questions.insert(token, id);
        format!("to look whether a person is done for {}, for {}", self.names.request(id), who(caller))
    }

    pub(super) fn uses_set(
        &mut self,
        caller: &Caller,
        cartridge: &CartridgeRef,
        uses: Option<u32>,
    ) -> String {
        let uses = uses.map_or_else(|| String::from("uncounted"), |uses| format!("{uses}"));
        format!("to set the uses of {} to {uses} for {}", self.names.called(cartridge), who(caller))
    }

    pub(super) fn cancel_asked(
        &mut self,
        token: Token,
        caller: &Caller,
        id: RequestId,
        reason: Option<&str>,
    ) -> String {
        self.questions.insert(token, id);
        let text = format!("to cancel {} for {}", self.names.request(id), who(caller));
        match reason {
            Some(reason) => format!("{text}: {reason}"),
            None => text,
        }
    }

    pub(super) fn adoption_asked(&mut self, token: Token, caller: &Caller, id: RequestId) -> String {
        self.questions.insert(token, id);
        format!("to adopt {} for {}", self.names.request(id), who(caller))
    }

    pub(super) fn replied(&mut self, token: Token, answer: &Answer) -> String {
        let name = self.questions.remove(&token).map(|id| self.names.request(id));
        let name = name.as_deref().unwrap_or("a request");
        match answer {
            Answer::Submitted(Ok(request)) => format!("{name} is accepted: {}", request.state),
            Answer::Submitted(Err(error)) => format!("{name} is refused: {error}"),
            Answer::SubmittedGroup(Ok(requests)) => format!("the group of {} is accepted", requests.len()),
            Answer::SubmittedGroup(Err(error)) => format!("the group is refused: {error}"),
            Answer::Reordered(Ok(position)) => format!("{name} is in place {position}"),
            Answer::Reordered(Err(error)) => format!("{name} keeps its place: {error}"),
            Answer::Cancel(Ok(CancelAccepted::Cancelled)) => format!("{name} is cancelled"),
            Answer::Cancel(Ok(CancelAccepted::Stopping)) => format!("{name} is stopping"),
            Answer::Cancel(Err(error)) => format!("{name} is not cancelled: {error}"),
            Answer::Adopted(Ok(request)) => format!("{name} is adopted: {}", request.state),
            Answer::Adopted(Err(error)) => format!("{name} is not adopted: {error}"),
            Answer::Satisfied(Ok(())) => format!("{name} is looked into"),
            Answer::Satisfied(Err(error)) => format!("{name} is not looked into: {error}"),
            Answer::CleanerUses(Ok(())) => "the uses are set".into(),
            Answer::CleanerUses(Err(error)) => format!("the uses are not set: {error}"),
            Answer::SessionClosed { cancelled } => {
                format!("the session is closed; cancelled or stopping with it: {cancelled}")
            }
        }
    }
}

/// Rights decide what a cancel or an adoption is answered, so the role is told.
fn who(caller: &Caller) -> String {
    format!("{}, session {}, {}", caller.application, caller.session.0, caller.role)
}
