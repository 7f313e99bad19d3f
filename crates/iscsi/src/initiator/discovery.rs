//! SendTargets discovery (RFC 7143 appendix C): what a portal offers.

use bytes::BytesMut;

use super::{Ended, Event, Full, Initiator, ProtocolError, SubmitError, protocol};
use crate::pdu::{NO_TAG, TextRequest, TextResponse};
use crate::text::{MAX_DISCOVERY_TEXT, Pairs};

/// A target, and where it can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredTarget {
    /// Its name (IQN).
    pub name: String,
    /// Its addresses as it says them: `host:port,group`. None means: where it was asked.
    pub addresses: Vec<String>,
}

impl Initiator {
    /// Asks for the targets that this initiator may use; [`Event::Discovered`] follows. Meant for a discovery session; in
    /// a session with a target, most list that one only.
    ///
    /// # Errors
    /// [`SubmitError::NotReady`] before the login is over and after the end, [`SubmitError::Full`] while an answer is
    /// awaited.
    pub fn discover(&mut self) -> Result<(), SubmitError> {
        if !self.is_ready() {
            return Err(SubmitError::NotReady);
        }
        if self.discovery.is_some() {
            return Err(SubmitError::Full(Full));
        }
        let tag = self.take_tag();
        // All targets where the session is for discovery, else its own: a normal session may ask for no more.
        let which = if self.is_discovery { "All" } else { "" };
        self.discovery = Some((tag, BytesMut::new()));
        self.send_text(tag, NO_TAG, 0, Pairs::new().with("SendTargets", which));
        Ok(())
    }

    pub(super) fn take_text(&mut self, pdu: &TextResponse) -> Result<(), Ended> {
        self.open_window(pdu.expected_command_sn, pdu.max_command_sn);
        self.take_status_sn(pdu.status_sn);
        let Some((tag, text)) = &mut self.discovery else {
            return Err(protocol("a text that was not asked for"));
        };
        let tag = *tag;
        if pdu.initiator_task_tag != tag {
            return Err(protocol("a text that was not asked for"));
        }
        if text.len() + pdu.data.len() > MAX_DISCOVERY_TEXT {
            return Err(protocol("a list of targets without end"));
        }
        // A part without a byte brings the end no nearer, but counts as one: the list must end.
        if pdu.data.is_empty() && !pdu.is_final {
            return Err(protocol("an empty part of a list of targets"));
        }
        text.extend_from_slice(&pdu.data);
        if !pdu.is_final {
            if pdu.target_transfer_tag == NO_TAG {
                return Err(protocol("a text to be continued without a tag"));
            }
            self.send_text(tag, pdu.target_transfer_tag, pdu.lun, Pairs::new());
            return Ok(());
        }
        let pairs =
            Pairs::parse_discovery(text).map_err(|error| Ended::Protocol(ProtocolError::Text(error)))?;
        self.discovery = None;
        self.events.push_back(Event::Discovered(targets(&pairs)?));
        Ok(())
    }

    fn send_text(&mut self, tag: u32, transfer_tag: u32, lun: u64, pairs: Pairs) {
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

/// Each name with the addresses that follow it.
fn targets(pairs: &Pairs) -> Result<Vec<DiscoveredTarget>, Ended> {
    let mut targets: Vec<DiscoveredTarget> = Vec::new();
    for (key, value) in pairs.iter() {
        match (key, targets.last_mut()) {
            ("TargetName", _) => {
                targets.push(DiscoveredTarget { name: value.to_owned(), addresses: Vec::new() });
            }
            ("TargetAddress", Some(target)) => target.addresses.push(value.to_owned()),
            ("TargetAddress", None) => return Err(protocol("an address of no target")),
            _ => {}
        }
    }
    Ok(targets)
}
