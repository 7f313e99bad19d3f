//! What goes into an [`Initiator`](super::Initiator) and what it reports.

use std::time::Duration;

use bytes::Bytes;

use super::discovery::DiscoveredTarget;
use crate::login::LoginError;
use crate::pdu::PduError;
use crate::text::TextError;

/// One SCSI command for a logical unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The logical unit.
    pub lun: u16,
    /// The command descriptor block, padded with zeros.
    pub cdb: [u8; 16],
    /// Data for the device.
    pub data_out: Bytes,
    /// How many bytes the device may return.
    pub data_in: u32,
}

/// Names a command or a task management function within its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub(super) u32);

/// As many commands are in flight as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the command window is full")]
pub struct Full;

/// Why a command was not taken. Nothing of it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The window is full: try again after an event.
    #[error(transparent)]
    Full(#[from] Full),
    /// There is no session (yet, or any more).
    #[error("there is no session")]
    NotReady,
    /// More data than [`MAX_TRANSFER`](super::MAX_TRANSFER).
    #[error("more data than one command can carry")]
    TooLarge,
    /// Data in both directions.
    #[error("data in both directions at once")]
    BothWays,
    /// A logical unit number above [`MAX_LUN`](super::MAX_LUN).
    #[error("a logical unit number that cannot be addressed")]
    NoSuchLun,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The login is over: commands are accepted.
    LoggedIn,
    /// A command was answered.
    Completed {
        /// Which.
        tag: Tag,
        /// The answer.
        answer: Answer,
    },
    /// A command will not be answered.
    Failed {
        /// Which.
        tag: Tag,
        /// What is known of it.
        failure: Failure,
    },
    /// A task management function was answered.
    Managed {
        /// Which.
        tag: Tag,
        /// The answer.
        response: ManagementResponse,
    },
    /// The target answered a ping.
    Pong,
    /// The target wants this side to log out (asynchronous event 1). No command is accepted any more; the logout
    /// follows when the last one has ended.
    LogoutWanted {
        /// In how much time the target ends the session by itself (Parameter3): [`logout`](super::Initiator::logout) before.
        within: Duration,
    },
    /// What the target listed, as [`discover`](super::Initiator::discover) asked.
    Discovered(Vec<DiscoveredTarget>),
    /// The session is over. No event follows.
    Ended(Ended),
}

/// What the target answered to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The SCSI status.
    pub status: u8,
    /// Sense bytes; empty when there were none.
    pub sense: Bytes,
    /// What the device returned, at most what was asked for.
    pub data: Bytes,
    /// How that differs from what was asked for, as the target says it.
    pub residual: Residual,
}

/// How the amount of data differs from what the command expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residual {
    /// It does not.
    None,
    /// So many bytes fewer.
    Underflow(u32),
    /// The device had so many bytes more.
    Overflow(u32),
}

impl Residual {
    pub(super) fn of(overflow: bool, underflow: bool, count: u32) -> Self {
        match (overflow, underflow) {
            (true, false) => Self::Overflow(count),
            (false, true) => Self::Underflow(count),
            // Both at once is against the standard and means nothing.
            _ => Self::None,
        }
    }
}

/// Why a command has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The session ended before a byte of the command was handed out.
    NotSent,
    /// The session ended after the command was handed out.
    SessionLost,
    /// A task management function of this side ended it.
    Aborted,
    /// The target says that it could not carry the command through (iSCSI response code).
    TargetFailure(u8),
}

impl Failure {
    pub(super) fn of_lost(sent: bool) -> Self {
        if sent { Self::SessionLost } else { Self::NotSent }
    }
}

/// Task management functions (RFC 7143 section 11.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManagementFunction {
    /// ABORT TASK. Do not use it on motion: the arm does not stop for it.
    AbortTask(Tag),
    /// ABORT TASK SET: all tasks of this initiator on the logical unit.
    AbortTaskSet,
    /// CLEAR TASK SET: all tasks of everybody on the logical unit.
    ClearTaskSet,
    /// LOGICAL UNIT RESET: all tasks of everybody on the logical unit, which begins anew.
    LogicalUnitReset,
    /// TARGET WARM RESET: all tasks of everybody on every logical unit.
    TargetWarmReset,
}

impl ManagementFunction {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::AbortTask(_) => 1,
            Self::AbortTaskSet => 2,
            Self::ClearTaskSet => 4,
            Self::LogicalUnitReset => 5,
            Self::TargetWarmReset => 6,
        }
    }
}

/// What became of a task management function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManagementResponse {
    /// Done.
    Complete,
    /// There is no such task; it may have ended by itself.
    NoSuchTask,
    /// There is no such logical unit.
    NoSuchLun,
    /// The target does not offer the function.
    Unsupported,
    /// Refused for another reason (iSCSI response code).
    Refused(u8),
    /// The session ended first.
    Lost,
}

impl ManagementResponse {
    /// The code for it, as a target sends it.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::NoSuchTask => 1,
            Self::NoSuchLun => 2,
            Self::Unsupported => 5,
            Self::Refused(code) => code,
            // Nobody is there to be answered; "function rejected" is what is nearest.
            Self::Lost => 255,
        }
    }

    pub(super) fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Complete,
            1 => Self::NoSuchTask,
            2 => Self::NoSuchLun,
            5 => Self::Unsupported,
            other => Self::Refused(other),
        }
    }
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ended {
    /// The login failed.
    #[error("the login failed: {0}")]
    Login(LoginError),
    /// The connection is gone.
    #[error("the connection was closed")]
    Disconnected,
    /// The target announced that it ends the connection (AsyncEvent code).
    #[error("the target ended the session (asynchronous event {0})")]
    ByTarget(u8),
    /// This side logged out.
    #[error("logged out")]
    LoggedOut,
    /// This side logged out, because the target wanted it.
    #[error("logged out, as the target wanted")]
    LoggedOutAsWanted,
    /// What came cannot be gone on from: the target broke the protocol, or something was lost or damaged on the way
    /// ([`ProtocolError::is_breach`]).
    #[error("{what}{0}", what = if .0.is_breach() { "the target broke the protocol: " } else { "" })]
    Protocol(ProtocolError),
}

/// How a session came to a point that it cannot go on from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// Bytes that are no PDU, or not the PDU that was sent.
    #[error("{what}{0}", what = if is_damage(*.0) { "the connection damaged what the target sent: " } else { "it sent " })]
    Pdu(PduError),
    /// A PDU that has no place there.
    #[error("it sent {0}")]
    Breach(&'static str),
    /// A text that cannot be read.
    #[error("it sent {0}")]
    Text(TextError),
    /// A command never arrived there, though what was sent after it did.
    #[error("a command was lost on the way to the target")]
    CommandLost,
    /// An answer never arrived here, though what was sent after it did.
    #[error("an answer of the target was lost on the way")]
    StatusLost,
    /// The target rejected a PDU of ours (Reject reason, RFC 7143 section 11.17.1).
    #[error("the target rejected a PDU (reason {0:#04x})")]
    Rejected(u8),
}

impl ProtocolError {
    /// Whether the target broke the protocol, which it would do again. Otherwise a new session may well go on.
    pub fn is_breach(&self) -> bool {
        match self {
            Self::Pdu(error) => !is_damage(*error),
            Self::Breach(_) | Self::Text(_) => true,
            Self::CommandLost | Self::StatusLost | Self::Rejected(_) => false,
        }
    }
}

fn is_damage(error: PduError) -> bool {
    matches!(error, PduError::HeaderDigest | PduError::DataDigest)
}
