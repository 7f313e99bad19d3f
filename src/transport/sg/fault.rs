//! The driver's faults, in the words that the rest of the crate understands.

use std::io::ErrorKind;
use std::sync::Arc;

use autochanger_scsi::sg::{Cause, Fault, OpenError};

use super::node::NotOpened;
use super::{PathFault, PathFaultKind, TransportError};

fn fault(kind: PathFaultKind, device: &Arc<str>, detail: String) -> PathFault {
    PathFault { kind, device: Arc::clone(device), detail }
}

/// A node that cannot be opened: nothing was sent.
pub(super) fn of_open(error: &NotOpened, device: &Arc<str>) -> TransportError {
    let kind = match error {
        NotOpened::Open(OpenError::System { error, .. }) if error.kind() == ErrorKind::OutOfMemory => {
            PathFaultKind::LimitReached
        }
        NotOpened::Open(OpenError::System { error, .. }) if error.kind() == ErrorKind::PermissionDenied => {
            PathFaultKind::Denied
        }
        // A device comes back, a group is joined, another program ends: worth another try.
        NotOpened::Open(OpenError::System { .. }) | NotOpened::Replaced { .. } => PathFaultKind::Unreachable,
        NotOpened::Open(_) => PathFaultKind::Unsupported,
    };
    TransportError::NotSent(fault(kind, device, error.to_string()))
}

/// More than the device carries at once: nothing was sent.
pub(super) fn too_large(bytes: u32, limit: u32, device: &Arc<str>) -> TransportError {
    let detail = format!("{bytes} bytes in one command, at most {limit} are possible");
    TransportError::NotSent(fault(PathFaultKind::LimitReached, device, detail))
}

/// A command without an answer.
pub(super) fn of_command(error: &Fault, device: &Arc<str>) -> TransportError {
    let fault = fault(kind_of(error), device, error.cause().to_string());
    match error {
        Fault::NotSent(_) => TransportError::NotSent(fault),
        Fault::OutcomeUnknown(_) => TransportError::OutcomeUnknown(fault),
    }
}

fn kind_of(error: &Fault) -> PathFaultKind {
    let cause = error.cause();
    match (error, cause) {
        _ if cause.is_timeout() => PathFaultKind::TimedOut,
        (Fault::NotSent(_), Cause::TooLarge { .. }) => PathFaultKind::LimitReached,
        (Fault::NotSent(_), Cause::System { error, .. }) if is_limit(error) => PathFaultKind::LimitReached,
        (Fault::NotSent(_), _) if cause.is_disconnected() => PathFaultKind::Unreachable,
        (Fault::NotSent(_), Cause::System { .. }) => PathFaultKind::Unsupported,
        _ => PathFaultKind::ConnectionLost,
    }
}

/// What the kernel says of a transfer that is too large for its host adapter, or for its memory just now.
fn is_limit(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::OutOfMemory | ErrorKind::InvalidInput | ErrorKind::ArgumentListTooLong)
}
