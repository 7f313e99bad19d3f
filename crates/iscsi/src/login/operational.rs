//! The operational parameters (RFC 7143 section 13): what is offered, what was agreed.

use crate::digest::{DigestPolicy, Digests};
use crate::login::LoginError;
use crate::pdu::{LoginResponse, MAX_DATA_SEGMENT};
use crate::text::{Pairs, number};

/// The largest burst that is offered. Data-In is bounded by the expected length of each command, so this bounds
/// Data-Out only.
pub(crate) const MAX_BURST: u32 = 1024 * 1024;

/// The most immediate data that is offered: parameter lists of a changer are far below.
pub(crate) const FIRST_BURST: u32 = 64 * 1024;

/// The smallest value that a length may have (RFC 7143 section 13.12).
const SMALLEST_LENGTH: u32 = 512;

/// The largest value that a length may have.
const LARGEST_LENGTH: u32 = (1 << 24) - 1;

/// The longest DefaultTime2Wait, in seconds (RFC 7143 section 13.15).
pub(crate) const LONGEST_WAIT: u16 = 3600;

/// What was agreed in a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// The largest data segment that the target accepts (its MaxRecvDataSegmentLength).
    pub max_send_segment: u32,
    /// The most data in one sequence (MaxBurstLength).
    pub max_burst: u32,
    /// The most data sent unasked (FirstBurstLength).
    pub first_burst: u32,
    /// Whether data may go with the command (ImmediateData).
    pub immediate_data: bool,
    /// Whether data that does not go with the command has to be asked for (InitialR2T).
    pub initial_r2t: bool,
    /// Which digests are sent and expected.
    pub digests: Digests,
    /// The target's part of the session's id.
    pub tsih: u16,
    /// The target's name for people (TargetAlias).
    pub target_alias: Option<String>,
    /// How many seconds the target wants to be left alone before the next login, once the connection was lost
    /// (DefaultTime2Wait).
    pub time_to_wait: u16,
    /// The next expected StatSN.
    pub(crate) expected_status_sn: u32,
    /// ExpCmdSN and MaxCmdSN of the last response.
    pub(crate) expected_command_sn: u32,
    pub(crate) max_command_sn: u32,
}

/// The standard's defaults, which hold for each key that the target leaves unanswered.
impl Default for Negotiated {
    fn default() -> Self {
        Self {
            max_send_segment: 8192,
            max_burst: 262_144,
            first_burst: 65_536,
            immediate_data: true,
            initial_r2t: true,
            digests: Digests::default(),
            tsih: 0,
            target_alias: None,
            time_to_wait: 2,
            expected_status_sn: 0,
            expected_command_sn: 0,
            max_command_sn: 0,
        }
    }
}

impl Negotiated {
    /// Everything that this side offers, said at once.
    pub(super) fn offer(digests: DigestPolicy) -> Pairs {
        Pairs::new()
            .with("HeaderDigest", digests.offer())
            .with("DataDigest", digests.offer())
            .with("MaxRecvDataSegmentLength", MAX_DATA_SEGMENT.to_string())
            .with("MaxBurstLength", MAX_BURST.to_string())
            .with("FirstBurstLength", FIRST_BURST.to_string())
            .with("InitialR2T", "No")
            .with("ImmediateData", "Yes")
            .with("MaxOutstandingR2T", "1")
            .with("MaxConnections", "1")
            .with("DataPDUInOrder", "Yes")
            .with("DataSequenceInOrder", "Yes")
            .with("DefaultTime2Wait", "0")
            .with("DefaultTime2Retain", "0")
            .with("ErrorRecoveryLevel", "0")
    }

    /// Takes the target's answers, and returns what must be said to what it offers on its own.
    pub(super) fn take(&mut self, pairs: &Pairs, digests: DigestPolicy) -> Result<Pairs, LoginError> {
        let mut answers = Pairs::new();
        for (key, value) in pairs.iter() {
            let refused = || LoginError::Negotiation { key: key.to_owned(), value: value.to_owned() };
            // No answer of the target; the default stands, and each of our offers includes the default.
            if matches!(value, "Irrelevant" | "NotUnderstood" | "Reject") {
                continue;
            }
            match key {
                "HeaderDigest" => self.digests.header = digests.accept(value).ok_or_else(refused)?,
                "DataDigest" => self.digests.data = digests.accept(value).ok_or_else(refused)?,
                "ErrorRecoveryLevel" if number(value) != Some(0) => return Err(refused()),
                "MaxOutstandingR2T" | "MaxConnections" if number(value) != Some(1) => return Err(refused()),
                "DataPDUInOrder" | "DataSequenceInOrder" if value != "Yes" => {
                    return Err(refused());
                }
                "MaxRecvDataSegmentLength" => self.max_send_segment = length(value).ok_or_else(refused)?,
                "MaxBurstLength" => self.max_burst = length(value).ok_or_else(refused)?.min(MAX_BURST),
                "FirstBurstLength" => self.first_burst = length(value).ok_or_else(refused)?.min(FIRST_BURST),
                "ImmediateData" => self.immediate_data = boolean(value).ok_or_else(refused)?,
                "InitialR2T" => self.initial_r2t = boolean(value).ok_or_else(refused)?,
                "DefaultTime2Wait" => {
                    let seconds = number(value).and_then(|seconds| u16::try_from(seconds).ok());
                    self.time_to_wait =
                        seconds.filter(|seconds| *seconds <= LONGEST_WAIT).ok_or_else(refused)?;
                }
                "TargetAlias" => self.target_alias = Some(value.to_owned()),
                "ErrorRecoveryLevel"
                | "MaxOutstandingR2T"
                | "MaxConnections"
                | "DataPDUInOrder"
                | "DataSequenceInOrder"
                | "DefaultTime2Retain"
                | "TargetPortalGroupTag"
                | "TargetAddress"
                | "TargetName" => {}
                "IFMarker" | "OFMarker" => answers.push(key, "No"),
                // Everything known was offered by this side first, so this is an offer of the target's own.
                _ => answers.push(key, "NotUnderstood"),
            }
        }
        self.first_burst = self.first_burst.min(self.max_burst);
        Ok(answers)
    }

    pub(super) fn finish(
        &mut self,
        response: &LoginResponse,
        digests: DigestPolicy,
        is_discovery: bool,
    ) -> Result<(), LoginError> {
        for (key, agreed) in [("HeaderDigest", self.digests.header), ("DataDigest", self.digests.data)] {
            // A key that the target left unanswered means none.
            if !agreed && digests.unsaid().is_none() {
                return Err(LoginError::Negotiation { key: key.to_owned(), value: "None".to_owned() });
            }
        }
        // Nobody adds a connection to a discovery session, and it is over soon.
        if response.tsih == 0 && !is_discovery {
            return Err(LoginError::Protocol("a session without a handle (TSIH 0)"));
        }
        self.tsih = response.tsih;
        self.expected_status_sn = response.status_sn.wrapping_add(1);
        self.expected_command_sn = response.expected_command_sn;
        self.max_command_sn = response.max_command_sn;
        Ok(())
    }
}

/// A length, where it is one that the standard allows.
pub(crate) fn length(value: &str) -> Option<u32> {
    number(value).filter(|length| (SMALLEST_LENGTH..=LARGEST_LENGTH).contains(length))
}

fn boolean(value: &str) -> Option<bool> {
    match value {
        "Yes" => Some(true),
        "No" => Some(false),
        _ => None,
    }
}
