//! What goes into a [`Target`](super::Target) and what it reports.

use bytes::Bytes;

use super::config::{Admitted, LoginRefusal};
use crate::pdu::PduError;

/// Names a command or a task management function within its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskTag(pub(super) u32);

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetEvent {
    /// An initiator logged in. An earlier session with the same name and ISID is to be ended now.
    LoggedIn(Admitted),
    /// A command is complete with its data, and to be [answered](super::Target::answer). Commands come in the order in
    /// which they were sent.
    Command {
        /// Which.
        task: TaskTag,
        /// What is asked.
        command: TargetCommand,
    },
    /// A task management function is to be [answered](super::Target::managed).
    Manage {
        /// Which.
        task: TaskTag,
        /// What is asked.
        function: TaskFunction,
        /// The logical unit; `None` for a number that no single-level unit has.
        lun: Option<u16>,
    },
    /// The initiator answered a ping.
    Pong,
    /// The session is over, once what waits to be sent has left. No event follows.
    Ended(TargetEnded),
}

/// A command as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetCommand {
    /// The logical unit; `None` for a number that no single-level unit has.
    pub lun: Option<u16>,
    /// The command descriptor block, padded with zeros.
    pub cdb: [u8; 16],
    /// Data for the device: all of it.
    pub data_out: Bytes,
    /// How many bytes the initiator takes.
    pub data_in: u32,
}

/// What the device says to a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetAnswer {
    /// The SCSI status.
    pub status: u8,
    /// Sense bytes; empty when there are none.
    pub sense: Bytes,
    /// Data for the initiator. What it did not ask for is cut off, and told as an overflow.
    pub data: Bytes,
}

/// Task management functions (RFC 7143 section 11.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskFunction {
    /// ABORT TASK, of a command that is not answered yet.
    AbortTask(TaskTag),
    /// ABORT TASK SET: all tasks of this session on the logical unit.
    AbortTaskSet,
    /// CLEAR TASK SET: all tasks of everybody on the logical unit.
    ClearTaskSet,
    /// LOGICAL UNIT RESET: as CLEAR TASK SET, and the unit begins anew.
    LogicalUnitReset,
    /// TARGET WARM RESET: as LOGICAL UNIT RESET on every unit.
    TargetWarmReset,
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetEnded {
    /// The login was refused.
    #[error("the login was refused: {0}")]
    Refused(LoginRefusal),
    /// The initiator logged out.
    #[error("the initiator logged out")]
    LoggedOut,
    /// The connection is gone.
    #[error("the connection was closed")]
    Disconnected,
    /// This side ended it.
    #[error("the target ended the session")]
    Dropped,
    /// The bytes are no PDUs.
    #[error("the initiator sent {0}")]
    Pdu(PduError),
    /// The initiator broke the protocol.
    #[error("the initiator sent {0}")]
    Protocol(&'static str),
}
