//! What each PDU from the target means.

use std::time::Duration;

use bytes::Bytes;

use super::numbers::Status;
use super::text::Purpose;
use super::{
    Answer, Ended, Event, Failure, Initiator, ManagementResponse, Phase, ProtocolError, Residual, Tag,
    protocol,
};
use crate::pdu::{AsyncMessage, DataIn, NO_TAG, NopOut, Pdu, RawPdu, ReadyToTransfer, Reject, ScsiResponse};
use crate::serial;

impl Initiator {
    pub(super) fn take_pdu(&mut self, raw: &RawPdu) -> Result<(), Ended> {
        if matches!(self.phase, Phase::Login(_)) {
            return self.take_login(raw);
        }
        self.take_answer(raw)?;
        if self.status_lost {
            return Err(Ended::Protocol(ProtocolError::StatusLost));
        }
        self.log_out_when_quiet();
        Ok(())
    }

    fn take_answer(&mut self, raw: &RawPdu) -> Result<(), Ended> {
        if let Some(ping) = &mut self.ping {
            ping.overtaken = true;
        }
        match Pdu::decode(raw).map_err(|error| Ended::Protocol(ProtocolError::Pdu(error)))? {
            Pdu::NopIn(pdu) => self.take_nop(&pdu),
            Pdu::ScsiResponse(pdu) => self.take_response(pdu),
            Pdu::DataIn(pdu) => self.take_data(&pdu),
            Pdu::ReadyToTransfer(pdu) => self.take_r2t(&pdu),
            Pdu::TaskManagementResponse(pdu) => self.take_management(&pdu),
            Pdu::AsyncMessage(pdu) => self.take_async(&pdu),
            Pdu::Reject(pdu) => self.take_reject(&pdu),
            Pdu::TextResponse(pdu) => self.take_text(&pdu),
            Pdu::LogoutResponse(pdu) if self.logout == Some(pdu.initiator_task_tag) => {
                self.take_status_sn(pdu.status_sn);
                self.time_to_wait = pdu.time_to_wait;
                Err(if self.logout_wanted { Ended::LoggedOutAsWanted } else { Ended::LoggedOut })
            }
            _ => Err(protocol("a PDU that was not asked for")),
        }
    }

    fn take_response(&mut self, pdu: ScsiResponse) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        self.take_status_sn(pdu.status_sn);
        let Some(task) = self.tasks.remove(&pdu.initiator_task_tag) else {
            self.abandoned.remove(&pdu.initiator_task_tag);
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
        self.watch_status_sn(pdu.status_sn);
        let (segment, burst) = (self.negotiated.max_send_segment, self.negotiated.max_burst);
        let tag = &pdu.initiator_task_tag;
        // A command that was given up gets the rest of its data all the same, or the unit waits for it, and all after it.
        let Some(task) = self.tasks.get_mut(tag).or_else(|| self.abandoned.get_mut(tag)) else {
            return self.unknown(*tag);
        };
        let data = task.solicited(pdu, segment, burst).map_err(protocol)?;
        if !task.owes_data() {
            self.abandoned.remove(tag);
        }
        for mut pdu in data {
            pdu.expected_status_sn = self.expected_status_sn;
            self.send(pdu.encode());
        }
        Ok(())
    }

    fn take_async(&mut self, pdu: &AsyncMessage) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        if self.take_status_sn(pdu.status_sn) == Status::Again {
            return Ok(());
        }
        match pdu.event {
            1 => {
                // What is in flight is still answered, and that is worth more than a quick end.
                if !self.logout_wanted {
                    self.logout_wanted = true;
                    let within = Duration::from_secs(pdu.parameter3.into());
                    self.events.push_back(Event::LogoutWanted { within });
                }
                Ok(())
            }
            // A connection or a session dropped.
            2 | 3 => {
                self.time_to_wait = pdu.parameter2;
                Err(Ended::ByTarget(pdu.event))
            }
            4 => {
                self.negotiate();
                Ok(())
            }
            // SCSI events come again as unit attentions; vendor events mean nothing to us.
            _ => Ok(()),
        }
    }

    /// A rejected ping or function is an answer. A rejected command leaves a hole in the command order, which at error
    /// recovery level 0 only a new session can mend.
    fn take_reject(&mut self, pdu: &Reject) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        if self.take_status_sn(pdu.status_sn) == Status::Again {
            return Ok(());
        }
        let tag =
            pdu.data.get(16..20).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_be_bytes);
        match tag {
            // Our answer to a ping of the target: it has lost interest in it.
            Some(NO_TAG) if pdu.data.first().is_some_and(|byte| byte & 0x3F == NopOut::OPCODE) => Ok(()),
            Some(tag) if self.ping.is_some_and(|ping| ping.tag == tag) => {
                self.ping = None;
                self.events.push_back(Event::Pong);
                Ok(())
            }
            // It wanted to negotiate, and does not any more.
            Some(tag)
                if self
                    .text
                    .take_if(|text| text.tag == tag && text.purpose == Purpose::Negotiation)
                    .is_some() =>
            {
                Ok(())
            }
            Some(tag) if self.functions.contains_key(&tag) => {
                self.function_ended(tag, ManagementResponse::Refused(pdu.reason));
                Ok(())
            }
            _ => Err(Ended::Protocol(ProtocolError::Rejected(pdu.reason))),
        }
    }

    /// An answer to nothing that waits: late, if the tag was once given; else a breach.
    pub(super) fn unknown(&self, tag: u32) -> Result<(), Ended> {
        if serial::before(tag, self.next_tag) {
            Ok(())
        } else {
            Err(protocol("an answer to a command that was never sent"))
        }
    }
}

/// The sense bytes in a response's data segment: a length of two bytes, then so many (RFC 7143 section 11.4.7).
fn sense(data: &Bytes) -> Bytes {
    let Some((length, _)) = data.split_first_chunk::<2>() else { return Bytes::new() };
    let end = 2 + usize::from(u16::from_be_bytes(*length));
    data.slice(2..end.min(data.len()))
}
