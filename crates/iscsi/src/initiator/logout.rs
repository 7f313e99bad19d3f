//! Leaving: when, and how long to stay away.

use std::time::Duration;

use super::{Initiator, Phase};
use crate::pdu::LogoutRequest;

impl Initiator {
    /// The target wants a logout, and nothing is in flight any more.
    pub(super) fn log_out_when_quiet(&mut self) {
        if self.logout_wanted && self.tasks.is_empty() && self.awaited_functions() == 0 {
            self.logout();
        }
    }

    /// Asks the target to close the session. [`Event::Ended`](super::Event::Ended) follows with its answer. Commands in flight end with the
    /// session, so wait for them first where their answers matter.
    pub fn logout(&mut self) {
        if self.logout.is_some() || !matches!(self.phase, Phase::FullFeature) {
            return;
        }
        let tag = self.take_tag();
        self.logout = Some(tag);
        let request = LogoutRequest {
            immediate: true,
            initiator_task_tag: tag,
            command_sn: self.command_sn,
            expected_status_sn: self.expected_status_sn,
            ..LogoutRequest::default()
        };
        self.send(request.encode());
    }

    /// How long the target wants to be left alone before the next login, once the session has ended: what it said at the end,
    /// or what was agreed for a connection that is lost (Time2Wait, RFC 7143 sections 11.9.1, 11.15.3 and 13.15).
    pub fn time_to_wait(&self) -> Duration {
        Duration::from_secs(self.time_to_wait.into())
    }
}
