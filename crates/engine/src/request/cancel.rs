//! The answers of `cancel_library_request` (RSM: `CancelNtmsLibraryRequest`), keyed on fact.

use alloc::boxed::Box;
use alloc::string::String;

use super::{Operation, State};
use crate::id::RequestId;

/// A cancel that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAccepted {
    /// No step of the request was ever sent, and none will be. Durable.
    Cancelled,
    /// Steps were sent. The request ends as stopped before its next one, or it is too late: the request's end tells.
    Stopping,
}

/// A cancel that was not accepted. The request is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CancelError {
    /// Its last step is under way and cannot be taken back.
    #[error(
        "request {id} cannot be cancelled: its last step, the {operation}, is under way; wait for its end"
    )]
    InProgress {
        /// The request.
        id: RequestId,
        /// What it is doing.
        operation: Operation,
    },
    /// The caller may see the request, but it belongs to another application.
    #[error(
        "request {id} belongs to {owner:?}: cancelling it needs the role of an administrator, or its own session"
    )]
    PermissionDenied {
        /// The request.
        id: RequestId,
        /// The application that it belongs to.
        owner: String,
    },
    /// It ended before the cancel.
    #[error("request {id} had already ended: {state}")]
    AlreadyFinished {
        /// The request.
        id: RequestId,
        /// How it ended.
        state: Box<State>,
    },
    /// It never existed, was purged, or is not the caller's to see.
    #[error("there is no request {id}; list the requests to see which there are")]
    NotFound {
        /// The id that was asked for.
        id: RequestId,
    },
    /// The session was closed, or the manager was shut down.
    #[error("the session is closed: open another one")]
    SessionClosed,
    /// A bound was reached.
    #[error("too many cancels are waiting for a verdict ({limit}): wait for some of them")]
    ResourceExhausted {
        /// The bound.
        limit: usize,
    },
    /// The store failed: whether the cancel is durable is not known.
    #[error("the store failed: {reason}; open the manager again, then ask how the request stands")]
    Store {
        /// What the store said.
        reason: String,
    },
}

impl CancelError {
    /// The code with which `CancelNtmsLibraryRequest` answered the same fact on Windows.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::InProgress { .. } | Self::PermissionDenied { .. } => 5,
            Self::AlreadyFinished { .. } | Self::NotFound { .. } => 4312,
            Self::SessionClosed => 6,
            Self::ResourceExhausted { .. } => 8,
            Self::Store { .. } => 4313,
        }
    }
}
