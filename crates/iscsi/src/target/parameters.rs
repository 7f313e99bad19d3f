//! The operational parameters as a target negotiates them (RFC 7143 section 13).

use super::config::{LoginRefusal, TargetConfig};
use crate::digest::{DigestPolicy, Digests};
use crate::login::{FIRST_BURST, LONGEST_WAIT, MAX_BURST, length};
use crate::pdu::MAX_DATA_SEGMENT;
use crate::text::{Pairs, number};

/// What holds in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameters {
    policy: DigestPolicy,
    header_digest: Option<bool>,
    data_digest: Option<bool>,
    /// Something was offered of which nothing will do.
    rejected: bool,
    declared: bool,
    pub(super) digests: Digests,
    /// The largest data segment that the initiator accepts.
    pub(super) max_send_segment: u32,
    pub(super) max_burst: u32,
    pub(super) first_burst: u32,
    pub(super) immediate_data: bool,
    pub(super) initial_r2t: bool,
    own_initial_r2t: bool,
}

impl Parameters {
    /// The standard's defaults, which hold for each key that is not spoken of.
    pub(super) fn new(config: &TargetConfig) -> Self {
        Self {
            policy: config.digests,
            header_digest: None,
            data_digest: None,
            rejected: false,
            declared: false,
            digests: Digests::default(),
            max_send_segment: 8192,
            max_burst: 262_144,
            first_burst: 65_536,
            immediate_data: true,
            initial_r2t: true,
            own_initial_r2t: config.initial_r2t,
        }
    }

    /// Takes what the initiator says, and answers what must be answered.
    pub(super) fn negotiate(&mut self, pairs: &Pairs, answers: &mut Pairs) {
        // The first burst is not larger than a burst may be, whichever is spoken of first (RFC 7143 section 13.14).
        if let Some(burst) = pairs.get("MaxBurstLength").and_then(length) {
            self.max_burst = burst.min(MAX_BURST);
        }
        for (key, value) in pairs.iter() {
            let answer = self.answer(key, value);
            if let Some(answer) = answer {
                answers.push(key, answer);
            }
        }
        // What this side declares goes with its first operational answers.
        let spoke = pairs.iter().any(|(key, _)| is_operational(key));
        if spoke && !self.declared {
            self.declared = true;
            answers.push("MaxRecvDataSegmentLength", MAX_DATA_SEGMENT.to_string());
        }
        self.first_burst = self.first_burst.min(self.max_burst);
    }

    fn answer(&mut self, key: &str, value: &str) -> Option<String> {
        const REJECT: &str = "Reject";
        let answer = match key {
            "HeaderDigest" | "DataDigest" => {
                let chosen = self.policy.choose(value);
                let digest = chosen.and_then(|chosen| self.policy.accept(chosen));
                if key == "HeaderDigest" {
                    self.header_digest = digest;
                } else {
                    self.data_digest = digest;
                }
                self.rejected |= chosen.is_none();
                chosen.unwrap_or(REJECT).to_owned()
            }
            "MaxRecvDataSegmentLength" => {
                self.max_send_segment = length(value)?;
                return None;
            }
            "MaxBurstLength" => shared(value, MAX_BURST, &mut self.max_burst)?,
            "FirstBurstLength" => shared(value, FIRST_BURST.min(self.max_burst), &mut self.first_burst)?,
            "InitialR2T" => boolean(value, |theirs| theirs | self.own_initial_r2t, &mut self.initial_r2t),
            "ImmediateData" => boolean(value, |theirs| theirs, &mut self.immediate_data),
            "DataPDUInOrder" | "DataSequenceInOrder" => "Yes".to_owned(),
            "MaxConnections" | "MaxOutstandingR2T" => "1".to_owned(),
            "DefaultTime2Wait" => match number(value).filter(|seconds| *seconds <= LONGEST_WAIT.into()) {
                Some(seconds) => seconds.to_string(),
                None => REJECT.to_owned(),
            },
            "DefaultTime2Retain" | "ErrorRecoveryLevel" => "0".to_owned(),
            "IFMarker" | "OFMarker" => "No".to_owned(),
            "TaskReporting" => "RFC3720".to_owned(),
            "InitiatorName" | "InitiatorAlias" | "SessionType" | "TargetName" | "AuthMethod" => return None,
            "CHAP_A" | "CHAP_N" | "CHAP_R" | "CHAP_I" | "CHAP_C" => return None,
            _ => "NotUnderstood".to_owned(),
        };
        Some(answer)
    }

    /// The negotiation is over.
    pub(super) fn finish(&mut self) -> Result<(), LoginRefusal> {
        if self.rejected {
            return Err(LoginRefusal::Digests);
        }
        let settled = |said: Option<bool>| said.or(self.policy.unsaid()).ok_or(LoginRefusal::Digests);
        self.digests = Digests { header: settled(self.header_digest)?, data: settled(self.data_digest)? };
        Ok(())
    }
}

/// Whether a key belongs to the operational stage.
fn is_operational(key: &str) -> bool {
    matches!(
        key,
        "HeaderDigest"
            | "DataDigest"
            | "MaxRecvDataSegmentLength"
            | "MaxBurstLength"
            | "FirstBurstLength"
            | "InitialR2T"
            | "ImmediateData"
            | "ErrorRecoveryLevel"
    )
}

/// A length of which the smaller one holds.
fn shared(value: &str, ours: u32, place: &mut u32) -> Option<String> {
    let Some(theirs) = length(value) else { return Some("Reject".to_owned()) };
    *place = theirs.min(ours);
    Some(place.to_string())
}

fn boolean(value: &str, result: impl Fn(bool) -> bool, place: &mut bool) -> String {
    let theirs = match value {
        "Yes" => true,
        "No" => false,
        _ => return "Reject".to_owned(),
    };
    *place = result(theirs);
    if *place { "Yes".to_owned() } else { "No".to_owned() }
}
