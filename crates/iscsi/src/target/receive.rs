//! What each PDU from the initiator means.

use bytes::Bytes;

use super::report::{TargetAnswer, TargetEnded, TargetEvent, TaskFunction, TaskTag};
use super::task::{Next, Task};
use super::{MAX_IMMEDIATE, MAX_WAITING_REPLIES, Pending, Phase, Target};
use crate::initiator::ManagementResponse;
use crate::lun;
use crate::pdu::{
    DataOut, LogoutRequest, LogoutResponse, NO_TAG, NopIn, NopOut, Pdu, RawPdu, Reject, ScsiCommand,
    TaskManagementRequest,
};
use crate::serial;

/// Reject reasons (RFC 7143 section 11.17.1).
const PROTOCOL_ERROR: u8 = 0x04;
const NOT_SUPPORTED: u8 = 0x05;
const TOO_MANY_IMMEDIATE: u8 = 0x06;
const TASK_IN_PROGRESS: u8 = 0x07;

/// "Task allegiance reassignment not supported" (RFC 7143 section 11.6.1).
const NO_REASSIGNMENT: u8 = 4;

/// "Connection recovery not supported" (RFC 7143 section 11.15.1).
const NO_RECOVERY: u8 = 2;

/// ILLEGAL REQUEST, INVALID FIELD IN CDB, in fixed format (SPC-4 clause 4.5.3).
const INVALID_FIELD: [u8; 18] = [0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0, 0, 0];

/// SCSI status CHECK CONDITION.
const CHECK_CONDITION: u8 = 2;

impl Target {
    pub(super) fn take_pdu(&mut self, raw: &RawPdu) -> Result<(), TargetEnded> {
        if matches!(self.phase, Phase::Login(_)) {
            return self.take_login(raw);
        }
        if self.transmit.len() >= MAX_WAITING_REPLIES {
            return Err(TargetEnded::Protocol("requests without reading the answers"));
        }
        let pdu = match Pdu::decode(raw) {
            Ok(pdu) => pdu,
            Err(_) => {
                self.reject(raw, NOT_SUPPORTED);
                return Ok(());
            }
        };
        let (immediate, command_sn) = match &pdu {
            // The answer to a ping of ours has no place in the order, nor has data.
            Pdu::NopOut(pdu) if pdu.initiator_task_tag == NO_TAG => {
                if self.ping == Some(pdu.target_transfer_tag) {
                    self.ping = None;
                    self.events.push_back(TargetEvent::Pong);
                }
                return Ok(());
            }
            Pdu::DataOut(pdu) => return self.take_data(pdu),
            Pdu::NopOut(pdu) => (pdu.immediate, pdu.command_sn),
            Pdu::ScsiCommand(pdu) => (pdu.immediate, pdu.command_sn),
            Pdu::TaskManagementRequest(pdu) => (pdu.immediate, pdu.command_sn),
            Pdu::TextRequest(pdu) => (pdu.immediate, pdu.command_sn),
            Pdu::LogoutRequest(pdu) => (pdu.immediate, pdu.command_sn),
            _ => {
                self.reject(raw, PROTOCOL_ERROR);
                return Ok(());
            }
        };
        if immediate {
            return self.carry_out(pdu, raw);
        }
        let within = serial::at_or_before(self.expected_command_sn, command_sn)
            && serial::at_or_before(command_sn, self.max_command_sn);
        if !within {
            // A duplicate, or nothing that was allowed: ignored without a word (RFC 7143 section 4.2.2.1).
            return Ok(());
        }
        if command_sn != self.expected_command_sn {
            self.early.insert(command_sn, raw.clone());
            return Ok(());
        }
        self.expected_command_sn = command_sn.wrapping_add(1);
        self.carry_out(pdu, raw)?;
        while let Some(raw) = self.early.remove(&self.expected_command_sn) {
            self.expected_command_sn = self.expected_command_sn.wrapping_add(1);
            if let Ok(pdu) = Pdu::decode(&raw) {
                self.carry_out(pdu, &raw)?;
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, pdu: Pdu, raw: &RawPdu) -> Result<(), TargetEnded> {
        let discovery = matches!(self.phase, Phase::FullFeature { discovery: true });
        match pdu {
            Pdu::NopOut(pdu) => self.take_nop(&pdu),
            Pdu::TextRequest(pdu) => self.take_text(&pdu)?,
            Pdu::LogoutRequest(pdu) => return self.take_logout(&pdu),
            Pdu::ScsiCommand(pdu) if !discovery => return self.take_command(&pdu, raw),
            Pdu::TaskManagementRequest(pdu) if !discovery => self.take_management(&pdu, raw),
            _ => self.reject(raw, PROTOCOL_ERROR),
        }
        self.open_window();
        Ok(())
    }

    fn take_nop(&mut self, pdu: &NopOut) {
        self.open_window();
        let most = pdu.data.len().min(self.parameters.max_send_segment as usize);
        let answer = NopIn {
            lun: pdu.lun,
            initiator_task_tag: pdu.initiator_task_tag,
            target_transfer_tag: NO_TAG,
            status_sn: self.take_status_sn(),
            expected_command_sn: self.expected_command_sn,
            max_command_sn: self.max_command_sn,
            data: pdu.data.slice(..most),
        };
        self.send(answer.encode());
    }

    fn take_command(&mut self, pdu: &ScsiCommand, raw: &RawPdu) -> Result<(), TargetEnded> {
        let tag = pdu.initiator_task_tag;
        if self.is_in_use(tag) {
            self.reject(raw, TASK_IN_PROGRESS);
            return Ok(());
        }
        if pdu.immediate && self.immediate_are_too_many() {
            self.reject(raw, TOO_MANY_IMMEDIATE);
            return Ok(());
        }
        let (task, next) = Task::new(pdu, &self.parameters).map_err(TargetEnded::Protocol)?;
        // Nothing here takes data in both directions, nor more than that.
        let refused = (pdu.read && pdu.write) || task.is_too_large();
        self.tasks.insert(tag, task);
        self.open_window();
        if refused {
            let sense = Bytes::from_static(&INVALID_FIELD);
            self.answer(TaskTag(tag), TargetAnswer { status: CHECK_CONDITION, sense, data: Bytes::new() });
            return Ok(());
        }
        self.go_on(tag, next);
        Ok(())
    }

    fn go_on(&mut self, tag: u32, next: Next) {
        match next {
            Next::Data => {}
            Next::Ask => {
                let transfer_tag = self.take_transfer_tag();
                let max_burst = self.parameters.max_burst;
                let Some(task) = self.tasks.get_mut(&tag) else { return };
                let mut r2t = task.ask(tag, transfer_tag, max_burst);
                // The number of the next status, which an R2T does not use up.
                r2t.status_sn = self.status_sn;
                r2t.expected_command_sn = self.expected_command_sn;
                r2t.max_command_sn = self.max_command_sn;
                self.send(r2t.encode());
            }
            Next::Deliver => {
                if let Some(task) = self.tasks.get_mut(&tag) {
                    let command = task.deliver();
                    self.events.push_back(TargetEvent::Command { task: TaskTag(tag), command });
                }
            }
        }
    }

    fn take_data(&mut self, pdu: &DataOut) -> Result<(), TargetEnded> {
        // The data of a command that was aborted, or refused, may still be on its way.
        let Some(task) = self.tasks.get_mut(&pdu.initiator_task_tag).filter(|task| !task.delivered) else {
            return Ok(());
        };
        let next = task.take(pdu).map_err(TargetEnded::Protocol)?;
        self.go_on(pdu.initiator_task_tag, next);
        Ok(())
    }

    fn take_management(&mut self, pdu: &TaskManagementRequest, raw: &RawPdu) {
        let tag = pdu.initiator_task_tag;
        if self.is_in_use(tag) {
            return self.reject(raw, TASK_IN_PROGRESS);
        }
        if self.immediate_are_too_many() {
            return self.reject(raw, TOO_MANY_IMMEDIATE);
        }
        let function = match pdu.function {
            1 if self.tasks.contains_key(&pdu.referenced_task_tag) => {
                TaskFunction::AbortTask(TaskTag(pdu.referenced_task_tag))
            }
            1 => return self.send_managed(tag, ManagementResponse::NoSuchTask),
            2 => TaskFunction::AbortTaskSet,
            4 => TaskFunction::ClearTaskSet,
            5 => TaskFunction::LogicalUnitReset,
            6 => TaskFunction::TargetWarmReset,
            8 => return self.send_managed(tag, ManagementResponse::Refused(NO_REASSIGNMENT)),
            _ => return self.send_managed(tag, ManagementResponse::Unsupported),
        };
        self.functions.insert(tag, Pending { function, lun_field: pdu.lun });
        self.events.push_back(TargetEvent::Manage {
            task: TaskTag(tag),
            function,
            lun: lun::decode(pdu.lun),
        });
    }

    fn take_logout(&mut self, pdu: &LogoutRequest) -> Result<(), TargetEnded> {
        // Reason 0 closes the session, 1 its only connection; 2 would recover another one.
        let closes = pdu.reason < 2;
        let response = LogoutResponse {
            response: if closes { 0 } else { NO_RECOVERY },
            initiator_task_tag: pdu.initiator_task_tag,
            status_sn: self.take_status_sn(),
            expected_command_sn: self.expected_command_sn,
            max_command_sn: self.max_command_sn,
            ..LogoutResponse::default()
        };
        self.send(response.encode());
        if closes { Err(TargetEnded::LoggedOut) } else { Ok(()) }
    }

    fn is_in_use(&self, tag: u32) -> bool {
        tag == NO_TAG || self.tasks.contains_key(&tag) || self.functions.contains_key(&tag)
    }

    fn immediate_are_too_many(&self) -> bool {
        let immediate = self.tasks.values().filter(|task| task.immediate).count();
        immediate + self.functions.len() >= MAX_IMMEDIATE
    }

    /// Refuses a PDU; its header goes back.
    pub(super) fn reject(&mut self, raw: &RawPdu, reason: u8) {
        self.open_window();
        let reject = Reject {
            reason,
            initiator_task_tag: NO_TAG,
            status_sn: self.take_status_sn(),
            expected_command_sn: self.expected_command_sn,
            max_command_sn: self.max_command_sn,
            data: Bytes::copy_from_slice(&raw.header),
        };
        self.send(reject.encode());
    }
}
