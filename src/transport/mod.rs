//! How commands reach a device: the [`Transport`] trait and its implementations.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
pub use autochanger_engine::command::{
    Command, Completion, Limits, PathFault, PathFaultKind, TransportError,
};

#[cfg(all(feature = "sg", target_os = "linux"))]
pub mod device_thread;
#[cfg(feature = "iscsi")]
pub mod iscsi;
#[cfg(all(feature = "sg", target_os = "linux"))]
pub mod sg;
#[cfg(feature = "sim")]
pub mod sim;
mod url;

#[cfg(feature = "iscsi")]
pub use iscsi::IscsiTransport;
pub use url::{DeviceUrl, IscsiUrl, SgUrl, UrlError, open};
#[cfg(all(feature = "sg", target_os = "linux"))]
pub use {
    device_thread::{BlockingTransport, DeviceThread},
    sg::SgTransport,
};

/// A way to one SCSI logical unit.
///
/// A transport carries commands and nothing more: it never sends a command twice, never retries, and says of every
/// command that has no answer whether the device can have seen it.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends one command and waits for its answer.
    ///
    /// CHECK CONDITION is an `Ok`. An error says whether the command was *not sent* or its *outcome is unknown*. The command's time runs from
    /// its sending: an unknown outcome of [`TimedOut`](PathFaultKind::TimedOut) means that it was sent as long ago as that.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the answer, not the command: what was sent is carried out by the device.
    async fn execute(&self, command: Command) -> Result<Completion, TransportError>;

    /// Sends a task management function (SAM-5 clause 7): abort or reset.
    ///
    /// # Errors
    /// [`PathFaultKind::Unsupported`] where the transport has none, which is the default.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the answer; the function is carried out if it was sent.
    async fn manage(&self, function: TaskManagement) -> Result<(), TransportError> {
        Err(TransportError::NotSent(PathFault {
            kind: PathFaultKind::Unsupported,
            device: self.device().into(),
            detail: format!("{function:?} is not offered by this transport"),
        }))
    }

    /// What this path can carry.
    fn limits(&self) -> Limits;

    /// The device's URL without its secret, for messages.
    fn device(&self) -> &str;

    /// Another logical unit of the same target (a drive behind the changer's port), where the transport reaches it.
    fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
        let _ = lun;
        None
    }

    /// The operating system's name of the device (`/dev/nst0`), where it has one.
    fn os_device(&self) -> Option<PathBuf> {
        None
    }
}

/// Task management functions (SAM-5 clause 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskManagement {
    /// Abort every command in flight of this initiator on the logical unit (ABORT TASK SET).
    AbortTaskSet,
    /// Reset the logical unit (LOGICAL UNIT RESET). Drops other hosts' commands too.
    LogicalUnitReset,
}
