//! What the target answers: data, status, and the end of functions.

use bytes::{BufMut, Bytes, BytesMut};

use super::Target;
use super::report::{TargetAnswer, TaskFunction, TaskTag};
use super::task::Task;
use crate::initiator::ManagementResponse;
use crate::pdu::{DataIn, ScsiResponse, TaskManagementResponse};

/// SCSI status GOOD.
const GOOD: u8 = 0;

/// iSCSI response "target failure" (RFC 7143 section 11.4.3).
const TARGET_FAILURE: u8 = 1;

/// "Completed at target", the same section.
const COMPLETED: u8 = 0;

impl Target {
    /// Answers a command. Does nothing for one that was aborted, or whose session has ended.
    pub fn answer(&mut self, tag: TaskTag, answer: TargetAnswer) {
        let Some(task) = self.tasks.remove(&tag.0) else { return };
        self.open_window();
        let limit = task.data_in as usize;
        let data = answer.data.slice(..answer.data.len().min(limit));
        let overflow = u32::try_from(answer.data.len() - data.len()).unwrap_or(u32::MAX);
        let underflow = u32::try_from(limit - data.len()).unwrap_or(u32::MAX);
        let with_status = answer.status == GOOD && answer.sense.is_empty() && !data.is_empty();
        let outcome = Outcome { status: answer.status, overflow, underflow };
        let sent = self.send_data(tag.0, &task, &data, with_status.then_some(outcome));
        if with_status {
            return;
        }
        let response = ScsiResponse {
            overflow: overflow > 0,
            underflow: underflow > 0,
            response: COMPLETED,
            status: answer.status,
            expected_data_sn: sent,
            residual: overflow.max(underflow),
            data: sense_segment(&answer.sense),
            ..self.response(tag.0)
        };
        self.send(response.encode());
    }

    /// Answers a command whose outcome the target cannot tell.
    pub fn fail(&mut self, tag: TaskTag) {
        if self.tasks.remove(&tag.0).is_none() {
            return;
        }
        self.open_window();
        let response = ScsiResponse { response: TARGET_FAILURE, ..self.response(tag.0) };
        self.send(response.encode());
    }

    /// Answers a task management function. On [`Complete`](ManagementResponse::Complete) the commands that it ends get
    /// no answer any more.
    pub fn managed(&mut self, tag: TaskTag, response: ManagementResponse) {
        let Some(pending) = self.functions.remove(&tag.0) else { return };
        if response == ManagementResponse::Complete {
            match pending.function {
                TaskFunction::AbortTask(task) => drop(self.tasks.remove(&task.0)),
                TaskFunction::TargetWarmReset => self.tasks.clear(),
                _ => self.tasks.retain(|_, task| task.lun_field != pending.lun_field),
            }
            self.open_window();
        }
        self.send_managed(tag.0, response);
    }

    pub(super) fn send_managed(&mut self, initiator_task_tag: u32, response: ManagementResponse) {
        let response = TaskManagementResponse {
            response: response.code(),
            initiator_task_tag,
            status_sn: self.take_status_sn(),
            expected_command_sn: self.expected_command_sn,
            max_command_sn: self.max_command_sn,
            ..TaskManagementResponse::default()
        };
        self.send(response.encode());
    }

    /// Sends data in PDUs that the initiator takes, in bursts as agreed; returns how many.
    fn send_data(&mut self, tag: u32, task: &Task, data: &Bytes, outcome: Option<Outcome>) -> u32 {
        let segment = self.parameters.max_send_segment as usize;
        let burst = self.parameters.max_burst as usize;
        let (mut offset, mut data_sn) = (0, 0);
        while offset < data.len() {
            let burst_end = (offset / burst + 1).saturating_mul(burst);
            let end = data.len().min(offset + segment).min(burst_end);
            let last = end == data.len();
            let mut pdu = DataIn {
                is_final: last || end == burst_end,
                lun: task.lun_field,
                initiator_task_tag: tag,
                target_transfer_tag: crate::pdu::NO_TAG,
                expected_command_sn: self.expected_command_sn,
                max_command_sn: self.max_command_sn,
                data_sn,
                buffer_offset: u32::try_from(offset).unwrap_or(u32::MAX),
                data: data.slice(offset..end),
                ..DataIn::default()
            };
            if let Some(outcome) = outcome.filter(|_| last) {
                pdu.has_status = true;
                pdu.status = outcome.status;
                pdu.status_sn = self.take_status_sn();
                pdu.overflow = outcome.overflow > 0;
                pdu.underflow = outcome.underflow > 0;
                pdu.residual = outcome.overflow.max(outcome.underflow);
            }
            self.send(pdu.encode());
            offset = end;
            data_sn += 1;
        }
        data_sn
    }

    fn response(&mut self, initiator_task_tag: u32) -> ScsiResponse {
        ScsiResponse {
            initiator_task_tag,
            status_sn: self.take_status_sn(),
            expected_command_sn: self.expected_command_sn,
            max_command_sn: self.max_command_sn,
            ..ScsiResponse::default()
        }
    }
}

/// How a command ended, and how its data differs from what was expected.
#[derive(Clone, Copy)]
struct Outcome {
    status: u8,
    overflow: u32,
    underflow: u32,
}

/// Sense bytes after their length (RFC 7143 section 11.4.7).
fn sense_segment(sense: &Bytes) -> Bytes {
    let Ok(length) = u16::try_from(sense.len()) else { return Bytes::new() };
    if length == 0 {
        return Bytes::new();
    }
    let mut segment = BytesMut::with_capacity(2 + sense.len());
    segment.put_u16(length);
    segment.put_slice(sense);
    segment.freeze()
}
