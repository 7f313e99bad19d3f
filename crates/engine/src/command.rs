//! What goes to a device and what comes back: the words that the engine and a transport share.

use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use autochanger_scsi::{Cdb, Sense, Status};
use bytes::Bytes;

/// One SCSI command, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The command descriptor block.
    pub cdb: Cdb,
    /// Data for the device (the parameter list); empty for most commands.
    pub data_out: Bytes,
    /// How many bytes the device may return: the allocation length of the CDB.
    pub data_in: u32,
    /// How long the device may take. A transport reports *outcome unknown* when it has passed, and never sends again.
    pub timeout: Duration,
}

impl Command {
    /// A command without data.
    pub fn new(cdb: Cdb, timeout: Duration) -> Self {
        Self { cdb, data_out: Bytes::new(), data_in: 0, timeout }
    }

    /// A command that reads up to `allocation` bytes.
    pub fn reading(cdb: Cdb, allocation: u32, timeout: Duration) -> Self {
        Self { cdb, data_out: Bytes::new(), data_in: allocation, timeout }
    }
}

/// What a device answered. CHECK CONDITION is an answer, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The SCSI status.
    pub status: Status,
    /// The sense bytes that came with the status; empty when there were none.
    pub sense: Bytes,
    /// The bytes that the device returned: what arrived, at most what was asked for.
    pub data: Bytes,
    /// How many bytes fewer than the command allows were transferred, in whichever direction, as the way to the device tells it; never
    /// more than that, and 0 where it does not tell. Of a command that reads it says how much of the room was left.
    pub residual: u32,
}

impl Completion {
    /// The same, with what the way to the device says was left of a command's data, as far as that can be: some host adapters and targets
    /// tell nonsense.
    #[must_use]
    pub fn left_over(self, command: &Command, residual: u32) -> Self {
        let out = u32::try_from(command.data_out.len()).unwrap_or(u32::MAX);
        let came = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        let residual = match command.data_in {
            0 => residual.min(out),
            // What arrived is known.
            room => room.saturating_sub(came),
        };
        Self { residual, ..self }
    }

    /// GOOD without data.
    pub fn good() -> Self {
        Self { status: Status::Good, sense: Bytes::new(), data: Bytes::new(), residual: 0 }
    }

    /// The sense data, when there is any that can be read.
    pub fn sense(&self) -> Option<Sense> {
        Sense::parse(&self.sense)
    }
}

/// Why a command has no answer. The variant says what matters: whether the device can have seen it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The command never left: it is safe to send it again.
    #[error("not sent: {0}")]
    NotSent(PathFault),
    /// The command may have been carried out: look at the elements before anything else is decided.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(PathFault),
}

impl TransportError {
    /// What happened to the path.
    pub fn fault(&self) -> &PathFault {
        match self {
            Self::NotSent(fault) | Self::OutcomeUnknown(fault) => fault,
        }
    }
}

/// What is wrong with the way to a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{device}: {detail} ({})", self.advice())]
pub struct PathFault {
    /// What kind of fault it is, to match on.
    pub kind: PathFaultKind,
    /// The device's URL, without its secret.
    pub device: Arc<str>,
    /// What was seen.
    pub detail: String,
}

impl PathFault {
    /// What a person can do about it, at a device of this kind of URL.
    pub fn advice(&self) -> &'static str {
        let scheme = self.device.split_once(':').map(|(scheme, _)| scheme);
        match (self.kind, scheme) {
            (PathFaultKind::Unreachable, Some("iscsi")) => "check host and port, and that the target is up",
            (PathFaultKind::Unreachable, Some("sg")) => {
                "check the device's name and its cable, and that it is switched on"
            }
            (PathFaultKind::ConnectionLost, Some("iscsi")) => {
                "the next command connects anew; if it never works, check that this is an iSCSI portal"
            }
            (kind, _) => kind.advice(),
        }
    }
}

/// The kinds of path faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathFaultKind {
    /// Nobody listens there, or the host cannot be reached.
    Unreachable,
    /// The connection ended while it was in use.
    ConnectionLost,
    /// The target refused the login: wrong name or secret, or it wants a secret and none was given.
    LoginRefused,
    /// The target knows no such target name.
    TargetNotFound,
    /// The target has no such logical unit.
    NoSuchUnit,
    /// The device did not answer within the command's time.
    TimedOut,
    /// The other side broke the protocol.
    Protocol,
    /// The other side insists on a setting that this side cannot have, or has ruled out (digests, a version).
    Disagreement,
    /// This transport cannot do that.
    Unsupported,
    /// A bound of ours was reached (commands in flight, bytes in a transfer).
    LimitReached,
    /// The transport was closed by its owner.
    Closed,
    /// The system does not let this process use the device.
    Denied,
    /// The device answers that it does not serve on this path now (02/04/0A to 0C, 02/04/12, 0B/08/00).
    NotServing,
}

impl PathFaultKind {
    /// What a person can do about it, whatever the way to the device is; [`PathFault::advice`] knows more.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unreachable => "check the device's name, and that the device is there",
            Self::ConnectionLost => "the next command tries the way anew",
            Self::LoginRefused => "check user and secret in the device URL",
            Self::TargetNotFound => "check the target name (IQN) in the device URL",
            Self::NoSuchUnit => "check the LUN in the device URL",
            Self::TimedOut => {
                "the device may still be working: its elements are looked at before anything moves"
            }
            Self::Protocol => "the target answered what its protocol does not allow; report it with a trace",
            Self::Disagreement => "change the setting that is named, on this side or at the target",
            Self::Unsupported => "use a transport that offers it",
            Self::LimitReached => "send less at a time",
            Self::Closed => "open the device again",
            Self::Denied => "give the user of this process the right to read and write it",
            Self::NotServing => {
                "use another path to the library, or look at its panel why this one is off line"
            }
        }
    }

    /// Whether trying again by itself can help: a wrong secret does not become right by waiting.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::ConnectionLost | Self::TimedOut | Self::Denied | Self::NotServing
        )
    }
}

/// What a path can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of data bytes in one command.
    pub max_transfer: u32,
    /// How many commands may be in flight at once.
    pub max_in_flight: u16,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_residual_that_cannot_be_is_none() {
        let cdb = autochanger_scsi::TestUnitReady {}.cdb();
        let left = |command: &Command, came: usize, said: u32| {
            let data = Bytes::from(alloc::vec![0; came]);
            Completion { data, ..Completion::good() }.left_over(command, said).residual
        };
        let reading = Command::reading(cdb, 100, Duration::from_secs(1));
        assert_eq!(
            (left(&reading, 40, 60), left(&reading, 40, u32::MAX), left(&reading, 100, 7)),
            (60, 60, 0)
        );
        let none = Command::new(cdb, Duration::from_secs(1));
        assert_eq!(left(&none, 0, 12), 0);
        let writing = Command { data_out: Bytes::from_static(&[0; 24]), ..none };
        assert_eq!((left(&writing, 0, 0), left(&writing, 0, 4), left(&writing, 0, u32::MAX)), (0, 4, 24));
    }

    fn told(kind: PathFaultKind, device: &str) -> String {
        PathFault { kind, device: device.into(), detail: "it was seen".into() }.to_string()
    }

    #[test]
    fn what_to_do_about_a_path_depends_on_the_kind_of_path() {
        let portal = "iscsi://vtl:3260/iqn.2026-01.example:lib/0";
        assert!(told(PathFaultKind::ConnectionLost, portal).contains("iSCSI portal"));
        assert!(told(PathFaultKind::Unreachable, portal).contains("host and port"));
        for device in ["sim:vault", "sg:/dev/sg9", "a vault of one's own"] {
            for kind in [PathFaultKind::ConnectionLost, PathFaultKind::Unreachable] {
                let told = told(kind, device);
                assert!(!told.contains("iSCSI") && !told.contains("port"), "{told}");
            }
        }
    }
}
