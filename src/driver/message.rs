//! What reaches the driver: two lanes from the sessions, and reports from those who work for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use autochanger_engine::Engine;
use autochanger_engine::catalog::Caller;
use autochanger_engine::command::{Completion, TransportError};
use autochanger_engine::id::{BatchId, CommandId, LibraryIndex, RequestId, SessionId, Token};
use autochanger_engine::input::{ClaimError, StoreFailure};
use autochanger_engine::output::{AdoptRefusal, OperatorRefusal, Refusal, ReorderRefusal};
use autochanger_engine::request::{CancelAccepted, CancelError, CartridgeRef, Request, Submission};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use crate::store::{Purge, Purged, Store, StoreError};

/// How a request stands, for as long as somebody wants to know.
pub(crate) type Standing = watch::Receiver<Known>;

/// What is known of a request.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) request: Request,
    /// The store failed: nothing more will be known.
    pub(crate) lost: Option<Arc<str>>,
}

/// Why a request's end is not known.
#[derive(Debug)]
pub(crate) enum Lost {
    ManagerClosed,
    StoreFailed(Arc<str>),
}

/// The request as it ended.
pub(crate) async fn ended(standing: &mut Standing) -> Result<Request, Lost> {
    let ended = standing.wait_for(|known| known.request.state.is_final() || known.lost.is_some()).await;
    match ended {
        Ok(known) if known.request.state.is_final() => Ok(known.request.clone()),
        Ok(known) => Err(known.lost.clone().map_or(Lost::ManagerClosed, Lost::StoreFailed)),
        Err(_) => Err(Lost::ManagerClosed),
    }
}

/// Whether a session was closed; shared by the session and what it has on its way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closed(Arc<AtomicBool>);

impl Closed {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Whether it was set by this call.
    pub(crate) fn set(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The submission lane's message. A reply that is dropped says that the session or the manager is closed.
pub(crate) struct Submit {
    pub(crate) work: Work,
    /// Looked at once more when the message is taken: it may have waited while its session was closed.
    pub(crate) closed: Closed,
}

/// What is handed in: a request, or a group that is accepted whole or not at all.
pub(crate) enum Work {
    One { submission: Submission, reply: oneshot::Sender<Result<Standing, Refusal>> },
    Group { submissions: Vec<Submission>, reply: oneshot::Sender<Result<Vec<Standing>, Refusal>> },
}

/// The control lane's messages: what never waits behind submissions.
pub(crate) enum Control {
    Cancel {
        caller: Caller,
        id: RequestId,
        reason: Option<Arc<str>>,
        reply: oneshot::Sender<Result<Accepted, CancelError>>,
    },
    /// An operator refuses what a person was asked.
    Refuse {
        caller: Caller,
        id: RequestId,
        reply: oneshot::Sender<Result<Accepted, CancelError>>,
    },
    /// An operator says that what a person was asked is done.
    Satisfy {
        caller: Caller,
        id: RequestId,
        reply: oneshot::Sender<Result<(), OperatorRefusal>>,
    },
    CleanerUses {
        caller: Caller,
        cartridge: CartridgeRef,
        uses: Option<u32>,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    Reorder {
        caller: Caller,
        id: RequestId,
        position: u32,
        reply: oneshot::Sender<Result<u32, ReorderRefusal>>,
    },
    /// Forgets requests that have ended, unless the store has failed before.
    Purge {
        purge: Purge,
        permit: OwnedSemaphorePermit,
        reply: oneshot::Sender<Result<Purged, PurgeFailed>>,
    },
    Adopt {
        caller: Caller,
        id: RequestId,
        reply: oneshot::Sender<Result<Standing, AdoptRefusal>>,
    },
    Close {
        session: SessionId,
        reply: oneshot::Sender<usize>,
    },
    /// Looks at how things stand, between two inputs.
    Look(Look),
    /// Asks the store for what is no longer live.
    Ask(Ask),
}

impl Control {
    /// Refuses a question because `limit` of them are open; what needs no room is given back.
    pub(crate) fn refused(self, limit: usize) -> Option<Self> {
        // An asker that has gone is not missed.
        match self {
            Self::Cancel { reply, .. } | Self::Refuse { reply, .. } => {
                let _ = reply.send(Err(CancelError::ResourceExhausted { limit }));
            }
            Self::Reorder { reply, .. } => {
                let _ = reply.send(Err(ReorderRefusal::ResourceExhausted { limit }));
            }
            Self::Adopt { reply, .. } => {
                let _ = reply.send(Err(AdoptRefusal::ResourceExhausted { limit }));
            }
            Self::Satisfy { reply, .. } => {
                let _ = reply.send(Err(OperatorRefusal::ResourceExhausted { limit }));
            }
            Self::CleanerUses { reply, .. } => {
                let _ = reply.send(Err(Refusal::ResourceExhausted { limit }));
            }
            Self::Purge { .. } | Self::Close { .. } | Self::Look(_) | Self::Ask(_) => return Some(self),
        }
        None
    }
}

/// Why nothing was purged.
#[derive(Debug)]
pub(crate) enum PurgeFailed {
    /// A commit had failed before: nothing is written any more.
    Before(Arc<str>),
    Now(StoreError),
}

/// A look at the engine; it sends its own answer.
pub(crate) type Look = Box<dyn FnOnce(&Engine) + Send>;

/// A question for the store; it sends its own answer, and keeps its permit until then.
pub(crate) type Ask = Box<dyn FnOnce(&mut dyn Store) + Send>;

/// An accepted cancel.
pub(crate) struct Accepted {
    pub(crate) cancellation: CancelAccepted,
    /// How the request goes on; `None` when it is not live any more.
    pub(crate) standing: Option<Standing>,
}

/// What the driver's helpers report.
pub(crate) enum Report {
    Completed { command: CommandId, result: Result<Completion, TransportError> },
    Persisted { batch: BatchId, result: Result<(), StoreFailure> },
    Found { token: Token, result: Box<Result<Option<Request>, StoreFailure>> },
    Claimed { library: LibraryIndex, result: Result<super::claim::Lock, ClaimError> },
    Swept(Result<Purged, PurgeFailed>),
}
