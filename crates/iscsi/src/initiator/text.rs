//! Texts in full feature phase, one exchange at a time: our question for targets, and a negotiation that the target wants
//! (RFC 7143 sections 11.9.1 and 11.10).

use bytes::BytesMut;

use super::{Ended, Initiator, Phase, ProtocolError, protocol};
use crate::login::length;
use crate::pdu::{NO_TAG, TextRequest, TextResponse};
use crate::text::{MAX_DISCOVERY_TEXT, Pairs};

/// The most answers in one negotiation. There is one key that may change; a target that goes on beyond this plays for time.
const MAX_ROUNDS: u32 = 8;

/// Keys that are spoken of in a login only.
const OF_THE_LOGIN: [&str; 16] = [
    "AuthMethod",
    "HeaderDigest",
    "DataDigest",
    "MaxConnections",
    "InitialR2T",
    "ImmediateData",
    "MaxBurstLength",
    "FirstBurstLength",
    "DefaultTime2Wait",
    "DefaultTime2Retain",
    "MaxOutstandingR2T",
    "DataPDUInOrder",
    "DataSequenceInOrder",
    "ErrorRecoveryLevel",
    "SessionType",
    "TaskReporting",
];

/// What a text is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The targets that there are.
    Discovery,
    /// What the target wants to speak of.
    Negotiation,
}

/// A text without its end.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) tag: u32,
    pub(super) purpose: Purpose,
    received: BytesMut,
    rounds: u32,
}

impl Initiator {
    pub(super) fn begin_text(&mut self, purpose: Purpose, pairs: &Pairs) {
        let tag = self.take_tag();
        self.text = Some(Exchange { tag, purpose, received: BytesMut::new(), rounds: 0 });
        self.send_text(tag, NO_TAG, 0, pairs);
    }

    /// The target wants to negotiate: it is given the word, now or when another text has ended.
    pub(super) fn negotiate(&mut self) {
        self.negotiation_wanted = self.text.is_some();
        if !self.negotiation_wanted && self.logout.is_none() && matches!(self.phase, Phase::FullFeature) {
            self.begin_text(Purpose::Negotiation, &Pairs::new());
        }
    }

    pub(super) fn take_text(&mut self, pdu: &TextResponse) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        self.take_status_sn(pdu.status_sn);
        let Some(mut text) = self.text.take_if(|text| text.tag == pdu.initiator_task_tag) else {
            return Err(protocol("a text that was not asked for"));
        };
        if text.received.len() + pdu.data.len() > MAX_DISCOVERY_TEXT {
            return Err(protocol("a text without end"));
        }
        if !pdu.is_final && pdu.target_transfer_tag == NO_TAG {
            return Err(protocol("a text to be continued without a tag"));
        }
        text.received.extend_from_slice(&pdu.data);
        let next = match text.purpose {
            Purpose::Discovery => self.hear_targets(pdu, &text)?,
            Purpose::Negotiation => self.hear_wishes(pdu, &mut text)?,
        };
        if let Some(pairs) = next {
            self.send_text(text.tag, pdu.target_transfer_tag, pdu.lun, &pairs);
            self.text = Some(text);
        } else if self.negotiation_wanted {
            self.negotiate();
        }
        Ok(())
    }

    /// A part of a list of targets; what is to be said for the next, if there is one.
    fn hear_targets(&mut self, pdu: &TextResponse, text: &Exchange) -> Result<Option<Pairs>, Ended> {
        if pdu.is_final {
            self.discovered(&text.received)?;
            return Ok(None);
        }
        // A part without a byte brings the end no nearer, but counts as one: the list must end.
        if pdu.data.is_empty() {
            return Err(protocol("an empty part of a list of targets"));
        }
        Ok(Some(Pairs::new()))
    }

    /// A part of a negotiation; what is to be said to it, unless the target has nothing more to say.
    fn hear_wishes(&mut self, pdu: &TextResponse, text: &mut Exchange) -> Result<Option<Pairs>, Ended> {
        text.rounds += 1;
        if text.rounds > MAX_ROUNDS {
            return Err(protocol("a negotiation without end"));
        }
        if pdu.more {
            return Ok(Some(Pairs::new()));
        }
        let pairs = Pairs::parse(&text.received.split())
            .map_err(|error| Ended::Protocol(ProtocolError::Text(error)))?;
        let mut answers = Pairs::new();
        for (key, value) in pairs.iter() {
            match (key, length(value)) {
                // A declaration: there is nothing to be said to it.
                ("MaxRecvDataSegmentLength", Some(length)) => self.negotiated.max_send_segment = length,
                ("MaxRecvDataSegmentLength", None) => answers.push(key, "Reject"),
                ("TargetAlias", _) => self.negotiated.target_alias = Some(value.to_owned()),
                _ if OF_THE_LOGIN.contains(&key) => answers.push(key, "Reject"),
                _ => answers.push(key, "NotUnderstood"),
            }
        }
        Ok((!pdu.is_final).then_some(answers))
    }

    fn send_text(&mut self, tag: u32, transfer_tag: u32, lun: u64, pairs: &Pairs) {
        let request = TextRequest {
            immediate: true,
            is_final: true,
            lun,
            initiator_task_tag: tag,
            target_transfer_tag: transfer_tag,
            command_sn: self.command_sn,
            expected_status_sn: self.expected_status_sn,
            data: pairs.to_bytes(),
            ..TextRequest::default()
        };
        self.send(request.encode());
    }
}
