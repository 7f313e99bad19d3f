//! The errors of the calls, one small enum per kind of call, and [`Error`] for programs that only pass them on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use autochanger_engine::command::{PathFault, PathFaultKind, TransportError};
pub use autochanger_engine::input::ClaimError;
pub use autochanger_engine::output::{AdoptRefusal, OperatorRefusal, Refusal, ReorderRefusal};
pub use autochanger_engine::request::{CancelError, Failure, FailureKind, FaultOf};
pub use autochanger_engine::view::LibraryError;

use crate::id::RequestId;
use crate::request::{CancelledBy, Operation, Place, State};
use crate::store::StoreError;
use crate::transport::UrlError;

/// The session was closed, or its manager was shut down or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session is closed: open another one")]
pub struct SessionClosed;

/// Why a manager could not be opened. A library that cannot be reached is no such reason: see
/// [`Manager::ready`](crate::Manager::ready).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No library was given.
    #[error("no library was configured: give at least one with `Manager::builder().library(..)`")]
    NoLibrary,
    /// More libraries, or more drives of one, than can be numbered.
    #[error("{count} {what} are configured, and {limit} can be: use several managers")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many can be.
        limit: usize,
    },
    /// A device URL is wrong.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The store could not be opened or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gave no random bits.
    #[error("the system gives no random bits ({0}): ids cannot be drawn")]
    Random(String),
}

/// Why a session could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The name is empty or too long.
    #[error("the application's name has {length} bytes: give it 1 to {limit}")]
    Name {
        /// Its length.
        length: usize,
        /// The longest.
        limit: usize,
    },
    /// The manager was shut down.
    #[error("the manager was shut down: open another one")]
    ManagerClosed,
}

/// Why a manager's libraries did not become ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// A library answers, but cannot be used until a person acts.
    #[error("{error}")]
    Unusable {
        /// Its name.
        library: Arc<str>,
        /// Why.
        #[source]
        error: LibraryError,
    },
    /// A library could not be reached in the time. It is tried again all the same.
    #[error("{} could not be reached within {}: {fault}", named(library, fault), rounded(*waited))]
    NotPresent {
        /// Its name.
        library: Arc<str>,
        /// How long it was waited for.
        waited: Duration,
        /// What was seen last.
        #[source]
        fault: PathFault,
    },
    /// A library was still being identified when the time was over. It goes on.
    #[error("library {library} was still being identified after {}: wait longer", rounded(*waited))]
    StillInitializing {
        /// Its name.
        library: Arc<str>,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The manager was shut down.
    #[error("the manager was shut down: open another one")]
    ManagerClosed,
}

/// A library without a name of its own is called by its URL, with which the fault begins.
fn named(library: &str, fault: &PathFault) -> String {
    if *fault.device == *library { "a library".into() } else { format!("library {library}") }
}

/// A time for people: whole seconds, below one milliseconds.
fn rounded(time: Duration) -> String {
    match time.as_secs_f64().round() as u64 {
        0 => format!("{} ms", time.as_millis()),
        seconds => format!("{seconds} s"),
    }
}

/// Why a request was not accepted. Nothing was kept of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// It was looked at and refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The session was closed, or its manager was shut down: whether the request was accepted can be seen by its id.
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
}

/// Why a request did not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It was not accepted.
    #[error(transparent)]
    NotAccepted(#[from] SubmitError),
    /// It failed.
    #[error("{} failed: {failure}", subject(*operation, barcode.as_ref(), *id))]
    Failed {
        /// The request.
        id: RequestId,
        /// What it was.
        operation: Operation,
        /// The label of its cartridge.
        barcode: Option<Arc<str>>,
        /// Why.
        #[source]
        failure: Failure,
    },
    /// It was cancelled before anything was done for it.
    #[error("{} was cancelled by {by}; nothing was moved", subject(*operation, barcode.as_ref(), *id))]
    Cancelled {
        /// The request.
        id: RequestId,
        /// What it was.
        operation: Operation,
        /// The label of its cartridge.
        barcode: Option<Arc<str>>,
        /// By whom or what.
        by: CancelledBy,
    },
    /// It was stopped between two steps. Nothing was moved back.
    #[error("{} was stopped by {by}; {}", subject(*operation, barcode.as_ref(), *id), whereabouts(place.as_ref()))]
    Stopped {
        /// The request.
        id: RequestId,
        /// What it was.
        operation: Operation,
        /// The label of its cartridge.
        barcode: Option<Arc<str>>,
        /// Where the cartridge is; `None` for a request that is about none.
        place: Option<Place>,
        /// By whom or what.
        by: CancelledBy,
    },
    /// It ended otherwise than this ticket can tell.
    #[error("request {id} ended otherwise than expected: {state}")]
    Other {
        /// The request.
        id: RequestId,
        /// How.
        state: Box<State>,
    },
    /// The store failed while the request was live: how it ended cannot be recorded, so nothing is claimed.
    #[error(
        "the store failed while request {id} was live ({reason}): open the manager again, then ask how it stands"
    )]
    StoreFailed {
        /// The request.
        id: RequestId,
        /// What the store said.
        reason: Arc<str>,
    },
    /// The manager was shut down while the request was live. It is durable: the next manager on the same store knows
    /// how it stands.
    #[error("the manager was shut down while request {id} was live: ask the next one how it stands")]
    ManagerClosed {
        /// The request.
        id: RequestId,
    },
}

/// People think in labels; the id is for programs.
fn subject(operation: Operation, barcode: Option<&Arc<str>>, id: RequestId) -> String {
    match barcode {
        Some(barcode) => format!("the {operation} of {barcode} (request {id})"),
        None => format!("the {operation} (request {id})"),
    }
}

pub(crate) fn whereabouts(place: Option<&Place>) -> String {
    place.map_or_else(|| "nothing was moved back".into(), |place| format!("the cartridge {}", place.told()))
}

impl RequestError {
    /// The failure, where it is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed { failure, .. } => Some(failure),
            _ => None,
        }
    }
}

/// Why a request was not given another place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReorderError {
    /// It was looked at and refused.
    #[error(transparent)]
    Refused(#[from] ReorderRefusal),
    /// The session was closed, or its manager was shut down.
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
}

/// Why it was not looked into whether what a person was asked is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// It was looked at and refused.
    #[error(transparent)]
    Refused(#[from] OperatorRefusal),
    /// The session was closed, or its manager was shut down.
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
}

/// Why nothing was purged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PurgeError {
    /// The session's role does not suffice (RSM: 5, `ERROR_ACCESS_DENIED`).
    #[error(
        "purging needs the role of an administrator, and this session has the role of an {role}: open one as an administrator"
    )]
    PermissionDenied {
        /// The session's role.
        role: crate::Role,
    },
    /// The session was closed, or its manager was shut down.
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
    /// The store could not do it: whether some are gone is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store had failed before, and nothing is written any more.
    #[error("the store has failed ({reason}), so nothing is purged: open the manager again")]
    StoreFailed {
        /// What it said.
        reason: Arc<str>,
    },
}

/// Why a mount was not adopted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// It was looked at and refused.
    #[error(transparent)]
    Refused(#[from] AdoptRefusal),
    /// The session was closed, or its manager was shut down.
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The session was closed, or its manager was shut down.
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store failed while the answer was waited for.
    #[error("the store failed: {reason}; open the manager again, then ask how the request stands")]
    StoreFailed {
        /// What it said.
        reason: Arc<str>,
    },
    /// There is no such request, or it is not the caller's to see.
    #[error("there is no request {0}; list the requests to see which there are")]
    NotFound(RequestId),
}

/// Any error of this crate, for `?`.
///
/// Its `Debug` writes the same sentence as its `Display`, since that is what a person sees of an error that `main` returns. The
/// fields are in the `Debug` of the error within.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// See [`OpenError`].
    #[error(transparent)]
    Open(#[from] OpenError),
    /// See [`SessionError`].
    #[error(transparent)]
    Session(#[from] SessionError),
    /// See [`ReadyError`].
    #[error(transparent)]
    Ready(#[from] ReadyError),
    /// See [`SubmitError`].
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// See [`RequestError`].
    #[error(transparent)]
    Request(#[from] RequestError),
    /// See [`CancelError`].
    #[error(transparent)]
    Cancel(#[from] CancelError),
    /// See [`AdoptError`].
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// See [`OperatorError`].
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// See [`ReorderError`].
    #[error(transparent)]
    Reorder(#[from] ReorderError),
    /// See [`PurgeError`].
    #[error(transparent)]
    Purge(#[from] PurgeError),
    /// See [`QueryError`].
    #[error(transparent)]
    Query(#[from] QueryError),
    /// See [`SessionClosed`].
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
    /// See [`UrlError`].
    #[error(transparent)]
    Url(#[from] UrlError),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_main_returns_reads_as_a_sentence() {
        let error = Error::from(OpenError::NoLibrary);
        assert_eq!(format!("Error: {error:?}"), format!("Error: {error}"));
        assert!(format!("{error:?}").starts_with("no library was configured"), "{error:?}");
    }

    #[test]
    fn a_library_that_cannot_be_reached_is_named_once_and_the_time_is_rounded() {
        let url = "iscsi://vtl:3260/iqn.2026-01.example:lib/0";
        let told = |library: &str, waited: f64| {
            let fault = PathFault {
                kind: PathFaultKind::Unreachable,
                device: url.into(),
                detail: "connection refused".into(),
            };
            let waited = Duration::from_secs_f64(waited);
            ReadyError::NotPresent { library: library.into(), waited, fault }.to_string()
        };
        let nameless = told(url, 3.003_956_816);
        assert!(nameless.starts_with("a library could not be reached within 3 s: iscsi://vtl"), "{nameless}");
        assert_eq!(nameless.matches(url).count(), 1);
        let named = told("vault", 0.25);
        assert!(named.starts_with("library vault could not be reached within 250 ms: iscsi:"), "{named}");
    }
}
