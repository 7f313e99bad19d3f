//! Signs of life: our pings, the target's, and what a pong says of a command that may be lost.

use super::{Ended, Event, Initiator, Outgoing, Phase, ProtocolError, What, protocol};
use crate::pdu::{NO_TAG, NopIn, NopOut};
use crate::serial;

/// The most answers to pings that wait to be sent. Only a target that pings without reading gets there.
pub(super) const MAX_WAITING_PONGS: usize = 256;

/// Our ping without an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ping {
    pub(super) tag: u32,
    /// The target has said something since, though not this answer: another ping may follow.
    pub(super) overtaken: bool,
}

/// A command that may have been lost on the way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspect {
    command_sn: u32,
    /// The ping that was sent after it, once there is one.
    ping: Option<u32>,
}

impl Initiator {
    /// Asks the target for a sign of life, which comes as [`Event::Pong`]. While a ping is unanswered no other one is sent,
    /// unless the target has said something else since. Also while a logout that the target wants is waited for.
    ///
    /// Returns whether a sign of life is due now: not where there is no session, and after a logout was sent its answer is
    /// one.
    pub fn ping(&mut self) -> bool {
        if !matches!(self.phase, Phase::FullFeature) {
            return false;
        }
        if self.logout.is_none() && self.ping.is_none_or(|ping| ping.overtaken) {
            self.send_ping();
        }
        true
    }

    fn send_ping(&mut self) {
        let tag = self.take_tag();
        self.ping = Some(Ping { tag, overtaken: false });
        let ping = NopOut {
            immediate: true,
            initiator_task_tag: tag,
            target_transfer_tag: NO_TAG,
            command_sn: self.command_sn,
            expected_status_sn: self.expected_status_sn,
            ..NopOut::default()
        };
        self.send(ping.encode());
    }

    pub(super) fn take_nop(&mut self, pdu: &NopIn) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        if pdu.initiator_task_tag != NO_TAG {
            self.take_status_sn(pdu.status_sn);
            if self.ping.is_some_and(|ping| ping.tag == pdu.initiator_task_tag) {
                self.ping = None;
                self.events.push_back(Event::Pong);
                return self.judge_suspect(pdu.initiator_task_tag, pdu.expected_command_sn);
            }
            return Ok(());
        }
        self.watch_status_sn(pdu.status_sn);
        if pdu.target_transfer_tag == NO_TAG {
            return Ok(());
        }
        if self.waiting_pongs >= MAX_WAITING_PONGS {
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
        self.waiting_pongs += 1;
        let bytes = answer.encode().to_bytes_with(self.digests);
        self.transmit.push_back(Outgoing { bytes, what: What::Pong });
        Ok(())
    }

    /// A command is given up without a sign that it arrived. The next pong tells.
    pub(super) fn suspect(&mut self, command_sn: u32) {
        if self.suspect.is_some() || serial::before(command_sn, self.acknowledged_sn) {
            return;
        }
        // A ping on its way may have left before the command did; then the next one tells.
        let earlier = self.ping.map(|ping| ping.tag);
        self.ping();
        let ping = self.ping.map(|ping| ping.tag).filter(|tag| Some(*tag) != earlier);
        self.suspect = Some(Suspect { command_sn, ping });
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
        self.suspect = Some(Suspect { ping: self.ping.map(|ping| ping.tag), ..suspect });
        Ok(())
    }
}
