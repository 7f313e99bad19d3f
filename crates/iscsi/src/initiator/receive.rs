//! What each PDU from the target means.

use bytes::Bytes;

use super::{
    Answer, Ended, Event, Failure, Initiator, MAX_WAITING_REPLIES, ManagementFunction, ManagementResponse,
    Phase, ProtocolError, Residual, Suspect, Tag, protocol,
};
use crate::pdu::{
    AsyncMessage, DataIn, NO_TAG, NopIn, NopOut, Pdu, RawPdu, ReadyToTransfer, Reject, ScsiResponse,
    TaskManagementResponse,
};
use crate::serial;

impl Initiator {
    pub(super) fn take_pdu(&mut self, raw: &RawPdu) -> Result<(), Ended> {
        if matches!(self.phase, Phase::Login(_)) {
            return self.take_login(raw);
        }
        let result = self.take_answer(raw);
        self.log_out_when_quiet();
        result
    }

    fn take_answer(&mut self, raw: &RawPdu) -> Result<(), Ended> {
        match Pdu::decode(raw).map_err(|error| Ended::Protocol(error.into()))? {
            Pdu::NopIn(pdu) => self.take_nop(&pdu),
            Pdu::ScsiResponse(pdu) => self.take_response(pdu),
            Pdu::DataIn(pdu) => self.take_data(&pdu),
            Pdu::ReadyToTransfer(pdu) => self.take_r2t(&pdu),
            Pdu::TaskManagementResponse(pdu) => self.take_management(&pdu),
            Pdu::AsyncMessage(pdu) => self.take_async(&pdu),
            Pdu::Reject(pdu) => self.take_reject(&pdu),
            Pdu::TextResponse(pdu) => self.take_text(&pdu),
            Pdu::LogoutResponse(pdu) if self.logout == Some(pdu.initiator_task_tag) => {
                Err(if self.logout_wanted { Ended::LoggedOutAsWanted } else { Ended::LoggedOut })
            }
            _ => Err(protocol("a PDU that was not asked for")),
        }
    }

    fn take_nop(&mut self, pdu: &NopIn) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        if pdu.initiator_task_tag != NO_TAG {
            self.take_status_sn(pdu.status_sn);
            if self.ping == Some(pdu.initiator_task_tag) {
                self.ping = None;
                self.events.push_back(Event::Pong);
                return self.judge_suspect(pdu.initiator_task_tag, pdu.expected_command_sn);
            }
            return Ok(());
        }
        if pdu.target_transfer_tag == NO_TAG {
            return Ok(());
        }
        if self.transmit.len() >= MAX_WAITING_REPLIES {
            return Err(protocol("pings without reading the answers"));
        }
        let answer = NopOut {
            immediate: true,
            lun: pdu.lun,
            initiator_task_tag: NO_TAG,
            target_transfer_tag: pdu.target_transfer_tag,
            command_sn: self.command_sn,
            expected_status_sn: self.expected_status_sn,
            ..NopOut::default()
        };
        self.send(answer.encode());
        Ok(())
    }

    /// A pong shows which commands had arrived before the ping.
    fn judge_suspect(&mut self, pong: u32, expected: u32) -> Result<(), Ended> {
        let Some(suspect) = self.suspect else { return Ok(()) };
        if serial::before(suspect.command_sn, expected) {
            self.suspect = None;
            return Ok(());
        }
        if suspect.ping == Some(pong) {
            return Err(Ended::Protocol(ProtocolError::CommandLost));
        }
        self.ping();
        self.suspect = Some(Suspect { ping: self.ping, ..suspect });
        Ok(())
    }

    fn take_response(&mut self, pdu: ScsiResponse) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        self.take_status_sn(pdu.status_sn);
        let Some(task) = self.tasks.remove(&pdu.initiator_task_tag) else {
            return self.unknown(pdu.initiator_task_tag);
        };
        let tag = Tag(pdu.initiator_task_tag);
        if pdu.response != 0 {
            let failure = Failure::TargetFailure(pdu.response);
            self.events.push_back(Event::Failed { tag, failure });
            return Ok(());
        }
        let answer = Answer {
            status: pdu.status,
            sense: sense(&pdu.data),
            data: task.into_data(),
            residual: Residual::of(pdu.overflow, pdu.underflow, pdu.residual),
        };
        self.events.push_back(Event::Completed { tag, answer });
        Ok(())
    }

    fn take_data(&mut self, pdu: &DataIn) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        if pdu.has_status {
            self.take_status_sn(pdu.status_sn);
        }
        let Some(task) = self.tasks.get_mut(&pdu.initiator_task_tag) else {
            return self.unknown(pdu.initiator_task_tag);
        };
        task.take(pdu).map_err(protocol)?;
        if pdu.has_status
            && let Some(task) = self.tasks.remove(&pdu.initiator_task_tag)
        {
            let answer = Answer {
                status: pdu.status,
                sense: Bytes::new(),
                data: task.into_data(),
                residual: Residual::of(pdu.overflow, pdu.underflow, pdu.residual),
            };
            self.events.push_back(Event::Completed { tag: Tag(pdu.initiator_task_tag), answer });
        }
        Ok(())
    }

    fn take_r2t(&mut self, pdu: &ReadyToTransfer) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        let (segment, burst) = (self.negotiated.max_send_segment, self.negotiated.max_burst);
        let Some(task) = self.tasks.get_mut(&pdu.initiator_task_tag) else {
            return self.unknown(pdu.initiator_task_tag);
        };
        let data = task.solicited(pdu, segment, burst).map_err(protocol)?;
        for mut pdu in data {
            pdu.expected_status_sn = self.expected_status_sn;
            self.send(pdu.encode());
        }
        Ok(())
    }

    fn take_management(&mut self, pdu: &TaskManagementResponse) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        self.take_status_sn(pdu.status_sn);
        let Some(pending) = self.functions.remove(&pdu.initiator_task_tag) else {
            return self.unknown(pdu.initiator_task_tag);
        };
        let response = ManagementResponse::from_code(pdu.response);
        if response == ManagementResponse::Complete {
            let ended: Vec<u32> = match pending.function {
                ManagementFunction::AbortTask(tag) => vec![tag.0],
                // What was submitted after the function is not touched by it.
                _ => {
                    let everywhere = pending.function == ManagementFunction::TargetWarmReset;
                    let hit = self.tasks.iter().filter(|(_, task)| {
                        (everywhere || task.lun == pending.lun)
                            && serial::before(task.command_sn, pending.command_sn)
                    });
                    hit.map(|(tag, _)| *tag).collect()
                }
            };
            for tag in ended {
                if self.tasks.remove(&tag).is_some() {
                    self.events.push_back(Event::Failed { tag: Tag(tag), failure: Failure::Aborted });
                }
            }
        }
        self.events.push_back(Event::Managed { tag: Tag(pdu.initiator_task_tag), response });
        Ok(())
    }

    fn take_async(&mut self, pdu: &AsyncMessage) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        self.take_status_sn(pdu.status_sn);
        match pdu.event {
            1 => {
                // What is in flight is still answered, and that is worth more than a quick end.
                if !self.logout_wanted {
                    self.logout_wanted = true;
                    self.events.push_back(Event::LogoutWanted);
                }
                Ok(())
            }
            // A connection or session dropped, a negotiation wanted: a new session is due in each case.
            2..=4 => Err(Ended::ByTarget(pdu.event)),
            // SCSI events come again as unit attentions; vendor events mean nothing to us.
            _ => Ok(()),
        }
    }

    /// A rejected ping or function is an answer. A rejected command leaves a hole in the command order, which at error
    /// recovery level 0 only a new session can mend.
    fn take_reject(&mut self, pdu: &Reject) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        self.take_status_sn(pdu.status_sn);
        let tag =
            pdu.data.get(16..20).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_be_bytes);
        match tag {
            Some(tag) if self.ping == Some(tag) => {
                self.ping = None;
                self.events.push_back(Event::Pong);
                Ok(())
            }
            Some(tag) if self.functions.remove(&tag).is_some() => {
                let response = ManagementResponse::Refused(pdu.reason);
                self.events.push_back(Event::Managed { tag: Tag(tag), response });
                Ok(())
            }
            _ => Err(Ended::Protocol(ProtocolError::Rejected(pdu.reason))),
        }
    }

    /// An answer to nothing that waits: late, if the tag was once given; else a breach.
    fn unknown(&self, tag: u32) -> Result<(), Ended> {
        if serial::before(tag, self.next_tag) {
            Ok(())
        } else {
            Err(protocol("an answer to a command that was never sent"))
        }
    }

    /// MaxCmdSN only grows, and a value below ExpCmdSN - 1 is void (RFC 7143 section 4.2.2.1).
    pub(super) fn open_window(&mut self, expected: u32, max: u32) {
        let sent = serial::at_or_before(expected, self.command_sn);
        if sent && serial::before(self.acknowledged_sn, expected) {
            self.acknowledged_sn = expected;
        }
        let valid = serial::at_or_before(expected.wrapping_sub(1), max);
        if valid && serial::before(self.max_command_sn, max) {
            self.max_command_sn = max;
        }
    }

    pub(super) fn take_status_sn(&mut self, status_sn: u32) {
        let next = status_sn.wrapping_add(1);
        if serial::before(self.expected_status_sn, next) {
            self.expected_status_sn = next;
        }
    }
}

/// The sense bytes in a response's data segment: a length of two bytes, then so many (RFC 7143 section 11.4.7).
fn sense(data: &Bytes) -> Bytes {
    let Some((length, _)) = data.split_first_chunk::<2>() else { return Bytes::new() };
    let end = 2 + usize::from(u16::from_be_bytes(*length));
    data.slice(2..end.min(data.len()))
}
