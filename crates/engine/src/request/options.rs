//! How a request is to be carried out, beyond what is wanted, and its place in the queue.

use core::fmt;

use uuid::Uuid;

/// Mounts that are served together or not at all (RSM: the media of one `MountNtmsMedia`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub Uuid);

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a request is to be carried out (RSM: `OperationOption` and the mount's options).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// A dismount: leave the medium in the drive until the drive is needed (RSM: `NTMS_DISMOUNT_DEFERRED`).
    pub deferred: bool,
    /// A mount: refuse it when medium or drives are in use, instead of waiting (RSM: `NTMS_MOUNT_ERROR_NOT_AVAILABLE`).
    pub at_once: bool,
    /// A mount: where the cartridge is not in the library, have a person bring it, instead of being refused (RSM: a mount
    /// without `NTMS_MOUNT_ERROR_OFFLINE`).
    pub wait_for_operator: bool,
    /// A mount: it is served together with the others of its group, or not at all.
    pub group: Option<GroupId>,
    /// An inject: read the label of each cartridge that came (RSM: the PROCESSOMID work item that follows an injection).
    pub identify: bool,
}

/// A place in the queue: the lower is served first. It is kept, so that the order outlives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueuePlace(pub u128);
