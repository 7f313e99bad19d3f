//! The states of a request and the legal ways between them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use autochanger_scsi::ElementAddress;

use super::{Failure, Place};
use crate::catalog::{Label, MediumKind};
use crate::id::{CartridgeId, RequestId};

/// How a request stands (RSM: `NtmsLmState`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Accepted and durable; will be served in its turn.
    Queued,
    /// Accepted and durable; needs something that is not there.
    Waiting(Waiting),
    /// Being carried out.
    InProcess,
    /// Put off until the drive or slot is needed.
    Deferred,
    /// Done. Final.
    Passed(Outcome),
    /// Ended with an error. Final.
    Failed(Failure),
    /// Turned out to be impossible before anything was done. Final.
    Invalid(Failure),
    /// Ended before anything was done for it. Final.
    Cancelled {
        /// Who or what cancelled it.
        by: CancelledBy,
    },
    /// Ended between two steps: nothing was moved back. Final.
    Stopped {
        /// Where its cartridge is; `None` for a request without one.
        place: Option<Place>,
        /// Who or what stopped it.
        by: CancelledBy,
    },
}

/// What a waiting request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Waiting {
    /// The cartridge is in use.
    Medium,
    /// Every drive that would do is in use.
    Drive,
    /// No free slot.
    Slot,
    /// No free port.
    Port,
    /// The library is not ready. That is seen by whoever asks for the request, and told as the library's state.
    Library,
    /// Its session ended before it was started: a session must adopt it.
    Owner,
    /// The library or the drives that would do are paused, being drained or disabled, or must be cleaned and nobody is about to:
    /// an administrator puts them into service, or has them cleaned.
    Service,
    /// The others of its group.
    Group,
    /// A person: see [`OperatorTask`](crate::view::OperatorTask).
    Operator,
    /// Every arm holds a cartridge that the library does not bring away: a person is asked to empty one.
    Arm,
}

/// What a request that passed has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The cartridge is in the drive and the drive is ready.
    Mounted {
        /// The drive's element address.
        drive: ElementAddress,
        /// The drive's serial number, where the library or the drive tells it.
        serial: Option<Arc<str>>,
    },
    /// The cartridge is in a slot.
    Dismounted {
        /// The slot.
        slot: ElementAddress,
    },
    /// The inventory was read.
    Inventoried {
        /// Elements read.
        elements: u32,
        /// Cartridges found.
        cartridges: u32,
        /// Cartridges that were not known before.
        appeared: u32,
        /// Cartridges that were known and are not there.
        missing: u32,
        /// What came of the reading of labels, where the inventory was to read them.
        labels: Option<LabelsRead>,
    },
    /// It is done, and there is nothing more to tell.
    Done,
    /// The medium stayed in its drive, for a mount that wanted it there.
    KeptInDrive {
        /// The drive's element address.
        drive: ElementAddress,
    },
    /// The cartridge is in a port.
    Ejected {
        /// The port's element address.
        port: ElementAddress,
    },
    /// These were put into slots.
    Injected {
        /// The cartridges, in the order in which they came.
        cartridges: Vec<CartridgeId>,
    },
    /// The drive was cleaned.
    Cleaned {
        /// How often the cleaning cartridge can be used yet; `None`: not counted.
        uses_left: Option<u32>,
    },
    /// The medium's label was read or written.
    Identified {
        /// What was found, or is there now.
        found: LabelFound,
    },
    /// It was decided what the cartridge is.
    Classified {
        /// What.
        kind: MediumKind,
    },
}

/// What came of the reading of labels in an inventory. Each reading is a request of its own, which tells what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct LabelsRead {
    /// Media whose label was read since the inventory was asked for.
    pub read: u32,
    /// Media that could not be loaded, or whose reading failed or was cancelled.
    pub failed: u32,
    /// Media that were in use, in a port, or disabled, to the end.
    pub skipped: u32,
}

impl LabelsRead {
    /// So many of each.
    pub fn new(read: u32, failed: u32, skipped: u32) -> Self {
        Self { read, failed, skipped }
    }
}

/// What is written where a medium's label stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelFound {
    /// A label that one of the formats claims.
    Known(Label),
    /// The manager's own label of a free medium.
    Free(Label),
    /// Nothing was ever written.
    Blank,
    /// Something that no format claims.
    Unrecognized,
    /// It could not be read, which says nothing of what it is: damaged, or encrypted.
    Unreadable,
}

/// Who or what ended a request early.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelledBy {
    /// A session, by `cancel_library_request`.
    Session {
        /// The session's application name.
        application: Arc<str>,
        /// The reason that it gave.
        reason: Option<Arc<str>>,
    },
    /// Its own session was closed.
    SessionClosed,
    /// Its deadline passed.
    Deadline,
    /// The manager was started with the policy to cancel what was unfinished.
    Restart,
    /// Another request of its group ended without having passed.
    Group {
        /// That request.
        member: RequestId,
    },
    /// An operator refused what was asked of a person.
    Operator {
        /// The refusing session's application name.
        application: Arc<str>,
    },
    /// A later change of the same library's or drive's service took the place of this one.
    Superseded {
        /// That request.
        by: RequestId,
    },
}

impl fmt::Display for CancelledBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session { application, reason: Some(reason) } => write!(f, "{application} ({reason})"),
            Self::Session { application, reason: None } => f.write_str(application),
            Self::SessionClosed => f.write_str("the closing of its session"),
            Self::Deadline => f.write_str("its deadline"),
            Self::Restart => f.write_str("the restart of the manager"),
            Self::Group { member } => write!(f, "the end of request {member} of its group"),
            Self::Operator { application } => write!(f, "the operator ({application})"),
            Self::Superseded { by } => write!(f, "request {by}, which took its place"),
        }
    }
}

impl fmt::Display for LabelFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(label) => write!(f, "label {label}"),
            Self::Free(_) => f.write_str("a free medium"),
            Self::Blank => f.write_str("a blank medium"),
            Self::Unrecognized => f.write_str("a medium of somebody else"),
            Self::Unreadable => f.write_str("a medium that cannot be read"),
        }
    }
}

impl State {
    /// Whether the request has ended. A final state never changes.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Passed(_)
                | Self::Failed(_)
                | Self::Invalid(_)
                | Self::Cancelled { .. }
                | Self::Stopped { .. }
        )
    }

    /// Whether a request may go from this state to `next`. Live running and recovery use this one table.
    pub fn may_become(&self, next: &State) -> bool {
        use State::*;
        match (self, next) {
            (Queued | Waiting(_) | Deferred, Queued | Waiting(_) | Deferred | InProcess) => true,
            (Queued | Waiting(_) | Deferred, Passed(_) | Failed(_) | Invalid(_) | Cancelled { .. }) => true,
            // Known not to have moved, a request goes back to the queue and needs a new intent.
            (InProcess, Queued | Waiting(_) | InProcess) => true,
            (InProcess, Passed(_) | Failed(_) | Stopped { .. }) => true,
            // Nothing was sent yet when the cancel was decided: the state is ahead of the wire by one intent.
            (InProcess, Cancelled { .. }) => true,
            // A step was sent for it before it came back to the queue.
            (Queued | Waiting(_) | Deferred, Stopped { .. }) => true,
            // What turns out to be put off has done nothing but let go of the medium.
            (InProcess, Deferred) => true,
            (InProcess, Invalid(_)) => false,
            (Passed(_) | Failed(_) | Invalid(_) | Cancelled { .. } | Stopped { .. }, _) => false,
        }
    }

    /// The state's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting(_) => "waiting",
            Self::InProcess => "in process",
            Self::Deferred => "deferred",
            Self::Passed(_) => "passed",
            Self::Failed(_) => "failed",
            Self::Invalid(_) => "invalid",
            Self::Cancelled { .. } => "cancelled",
            Self::Stopped { .. } => "stopped",
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Medium => "the cartridge",
            Self::Drive => "a drive",
            Self::Slot => "a slot",
            Self::Port => "a port",
            Self::Library => "the library",
            Self::Owner => "a session that adopts it",
            Self::Service => "the library or drive to be put into service",
            Self::Group => "the other mounts of its group",
            Self::Operator => "a person",
            Self::Arm => "an arm that holds no cartridge",
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(reason) => write!(f, "waiting for {reason}"),
            Self::Passed(Outcome::Mounted { drive, .. }) => write!(f, "passed: mounted in drive {drive}"),
            Self::Passed(Outcome::Dismounted { slot }) => write!(f, "passed: dismounted to slot {slot}"),
            Self::Passed(Outcome::Inventoried { cartridges, elements, labels, .. }) => {
                write!(f, "passed: {cartridges} cartridges in {elements} elements")?;
                match labels {
                    Some(LabelsRead { read, failed, skipped }) => {
                        write!(f, "; labels: {read} read, {failed} failed, {skipped} skipped")
                    }
                    None => Ok(()),
                }
            }
            Self::Passed(Outcome::Done) => f.write_str("passed"),
            Self::Passed(Outcome::KeptInDrive { drive }) => {
                write!(f, "passed: stays in drive {drive} for the next mount")
            }
            Self::Passed(Outcome::Ejected { port }) => write!(f, "passed: ejected to port {port}"),
            Self::Passed(Outcome::Injected { cartridges }) => {
                let plural = if cartridges.len() == 1 { "" } else { "s" };
                write!(f, "passed: {} cartridge{plural} taken in", cartridges.len())
            }
            Self::Passed(Outcome::Cleaned { uses_left: Some(left) }) => {
                write!(f, "passed: cleaned, the cleaner can be used {left} times yet")
            }
            Self::Passed(Outcome::Cleaned { uses_left: None }) => f.write_str("passed: cleaned"),
            Self::Passed(Outcome::Identified { found }) => write!(f, "passed: {found}"),
            Self::Passed(Outcome::Classified { kind }) => write!(f, "passed: {kind}"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Invalid(failure) => write!(f, "invalid: {failure}"),
            Self::Cancelled { by } => write!(f, "cancelled by {by}"),
            Self::Stopped { place: Some(place), by } => {
                write!(f, "stopped by {by}; the cartridge {}", place.told())
            }
            Self::Stopped { place: None, by } => write!(f, "stopped by {by}"),
            other => f.write_str(other.name()),
        }
    }
}
