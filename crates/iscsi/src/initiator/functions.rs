//! Task management functions (RFC 7143 section 11.5): asked for, answered, given up.

use super::{
    Ended, Event, Failure, Full, Initiator, MAX_IN_FLIGHT, ManagementFunction, ManagementResponse,
    SubmitError, Tag,
};
use crate::lun;
use crate::pdu::{NO_TAG, TaskManagementRequest, TaskManagementResponse};
use crate::serial;

/// A function without an answer.
#[derive(Debug)]
pub(super) struct Pending {
    function: ManagementFunction,
    lun: u16,
    command_sn: u32,
    /// Nobody waits for its answer any more; what it ends, it ends.
    abandoned: bool,
}

impl Initiator {
    /// Asks for a task management function. Its answer comes as [`Event::Managed`].
    ///
    /// # Errors
    /// [`SubmitError::NotReady`] before the login is over and after the end, [`SubmitError::Full`] with
    /// [`MAX_IN_FLIGHT`] functions unanswered.
    pub fn manage(&mut self, function: ManagementFunction, lun: u16) -> Result<Tag, SubmitError> {
        if !self.is_ready() {
            return Err(SubmitError::NotReady);
        }
        if self.awaited_functions() >= MAX_IN_FLIGHT {
            return Err(SubmitError::Full(Full));
        }
        let referenced = match function {
            ManagementFunction::AbortTask(tag) => {
                Some((tag.0, self.tasks.get(&tag.0).map(|task| task.command_sn)))
            }
            _ => None,
        };
        let tag = self.take_tag();
        let request = TaskManagementRequest {
            immediate: true,
            function: function.code(),
            lun: lun::encode(lun),
            initiator_task_tag: tag,
            referenced_task_tag: referenced.map_or(NO_TAG, |(tag, _)| tag),
            command_sn: self.command_sn,
            expected_status_sn: self.expected_status_sn,
            referenced_command_sn: referenced.and_then(|(_, number)| number).unwrap_or(0),
            ..TaskManagementRequest::default()
        };
        let pending = Pending { function, lun, command_sn: self.command_sn, abandoned: false };
        self.functions.insert(tag, pending);
        self.send(request.encode());
        Ok(Tag(tag))
    }

    pub(super) fn take_management(&mut self, pdu: &TaskManagementResponse) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        self.take_status_sn(pdu.status_sn);
        let Some(pending) = self.functions.get(&pdu.initiator_task_tag) else {
            return self.unknown(pdu.initiator_task_tag);
        };
        let response = ManagementResponse::from_code(pdu.response);
        if response == ManagementResponse::Complete {
            for tag in self.ended_by(pending) {
                if self.tasks.remove(&tag).is_some() {
                    self.events.push_back(Event::Failed { tag: Tag(tag), failure: Failure::Aborted });
                }
            }
        }
        self.function_ended(pdu.initiator_task_tag, response);
        Ok(())
    }

    /// Reports the end of a function to who waits for it.
    pub(super) fn function_ended(&mut self, tag: u32, response: ManagementResponse) {
        if self.functions.remove(&tag).is_some_and(|pending| !pending.abandoned) {
            self.events.push_back(Event::Managed { tag: Tag(tag), response });
        }
    }

    /// How many functions somebody waits for.
    pub(super) fn awaited_functions(&self) -> usize {
        self.functions.values().filter(|pending| !pending.abandoned).count()
    }

    /// Gives up waiting for a function; returns whether anybody did. As many as may be waited for are remembered.
    pub(super) fn abandon_function(&mut self, tag: u32) -> bool {
        let Some(pending) = self.functions.get_mut(&tag).filter(|pending| !pending.abandoned) else {
            return false;
        };
        pending.abandoned = true;
        let mut abandoned = self.functions.iter().filter(|(_, pending)| pending.abandoned);
        let oldest = abandoned.next().map(|(tag, _)| *tag);
        if abandoned.count() >= MAX_IN_FLIGHT
            && let Some(oldest) = oldest
        {
            self.functions.remove(&oldest);
        }
        true
    }

    /// The commands that a function has ended. What was submitted after it is not touched by it.
    fn ended_by(&self, pending: &Pending) -> Vec<u32> {
        if let ManagementFunction::AbortTask(tag) = pending.function {
            return vec![tag.0];
        }
        let everywhere = pending.function == ManagementFunction::TargetWarmReset;
        let hit = self.tasks.iter().filter(|(_, task)| {
            (everywhere || task.lun == pending.lun) && serial::before(task.command_sn, pending.command_sn)
        });
        hit.map(|(tag, _)| *tag).collect()
    }
}
