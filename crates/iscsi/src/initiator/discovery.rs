//! SendTargets discovery (RFC 7143 appendix C): what a portal offers.

use super::text::Purpose;
use super::{Ended, Event, Full, Initiator, ProtocolError, SubmitError, protocol};
use crate::text::Pairs;

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
        if self.text.is_some() {
            return Err(SubmitError::Full(Full));
        }
        // All targets where the session is for discovery, else its own: a normal session may ask for no more.
        let which = if self.is_discovery { "All" } else { "" };
        self.begin_text(Purpose::Discovery, &Pairs::new().with("SendTargets", which));
        Ok(())
    }

    /// The list is complete.
    pub(super) fn discovered(&mut self, text: &[u8]) -> Result<(), Ended> {
        let pairs =
            Pairs::parse_discovery(text).map_err(|error| Ended::Protocol(ProtocolError::Text(error)))?;
        self.events.push_back(Event::Discovered(targets(&pairs)?));
        Ok(())
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
