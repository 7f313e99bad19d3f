//! Sessions: through them applications ask, look and cancel.

mod ask;
mod cancel;
mod config;
mod event;
mod forecast;
mod manager;
mod open;
mod outcome;
mod query;
mod queue;
mod shared;
mod ticket;

use std::fmt;
use std::sync::Arc;

use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::id::RequestId;

pub use ask::{
    ClassifyBuilder, CleanDriveBuilder, CleanerSlotBuilder, DismountBuilder, DoorAccessBuilder,
    EjectAllBuilder, EjectBuilder, EjectCleanerBuilder, GroupMember, IdentifyBuilder, InjectBuilder,
    InjectCleanerBuilder, InventoryBuilder, MountAllBuilder, MountBuilder, ServiceBuilder,
    UpdateLabelBuilder, WriteFreeLabelBuilder,
};
pub use cancel::{CancelBuilder, Cancellation, Ending, Verdict};
pub use config::LibraryConfig;
pub use event::{EventStream, Lagged};
pub use manager::{APPLICATION_NAME_MAX, Manager, READY_PATIENCE, SessionBuilder};
pub use open::{DEFAULT_MAX_LIVE_REQUESTS, DEFAULT_MAX_PENDING_CANCELS, DEFAULT_PURGE_AFTER, ManagerBuilder};
pub use outcome::{
    Classified, Cleaned, Dismounted, Done, Ejected, Identified, Injected, Inventory, Mounted, TicketOutcome,
};
pub use ticket::{Progress, Ticket};

use crate::driver::{Closed, Control};
use crate::error::{AdoptError, SessionClosed};
use shared::Shared;

/// An application's session. Cheap to clone; clones are the same session.
///
/// Dropping it cancels nothing. [`close`](Self::close) cancels what was bound to it.
#[derive(Clone)]
#[doc(alias = "OpenNtmsSession")]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    caller: Caller,
    closed: Closed,
}

impl Session {
    /// The application's name.
    pub fn application(&self) -> &str {
        &self.inner.caller.application
    }

    /// What it may see and do.
    pub fn role(&self) -> Role {
        self.inner.caller.role
    }

    /// Whether it was closed, or its manager shut down.
    pub fn is_closed(&self) -> bool {
        self.inner.closed.is_set() || self.inner.shared.lanes.control.is_closed()
    }

    /// Claims a mount, or a mount request that a restart left without an owner, for this session.
    ///
    /// A medium that is mounted already resolves its ticket at once; a request goes on from where it stood. It is then
    /// bound to this session. Operators and applications claim their own application's, administrators any.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// for mount in session.mounts().await? {
    ///     let tape = session.adopt(mount.id).await?.await?;
    ///     println!("{tape} is mine again");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AdoptError`]: there is no such mount, it has ended, or it is another application's.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has claimed the mount or not; claiming again does no harm.
    pub async fn adopt(&self, id: RequestId) -> Result<Ticket<Mounted>, AdoptError> {
        let caller = self.caller()?.clone();
        let standing = self.shared().control(|reply| Control::Adopt { caller, id, reply }).await??;
        Ok(Ticket::new(self.clone(), id, standing))
    }

    /// Closes the session, its clones included: mount requests that were made or adopted by it and are not detached are
    /// cancelled, or stopped where a step was sent already. Everything else of it goes on: dismounts, inventories, and
    /// media that are mounted. Returns how many requests were cancelled or told to stop.
    ///
    /// # Errors
    /// [`SessionClosed`] when it was closed before, or its manager was shut down.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has closed the session with all that belongs to it, or has done nothing.
    #[doc(alias = "CloseNtmsSession")]
    pub async fn close(&self) -> Result<usize, SessionClosed> {
        let inner = &self.inner;
        let permit = inner.shared.lanes.control.reserve().await.map_err(|_| SessionClosed)?;
        if !inner.closed.set() {
            return Err(SessionClosed);
        }
        let (reply, answer) = tokio::sync::oneshot::channel();
        permit.send(Control::Close { session: inner.caller.session, reply });
        answer.await.map_err(|_| SessionClosed)
    }

    pub(crate) fn new(shared: Arc<Shared>, caller: Caller, closed: Closed) -> Self {
        Self { inner: Arc::new(Inner { shared, caller, closed }) }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    /// Who asks, as long as the session may ask.
    fn caller(&self) -> Result<&Caller, SessionClosed> {
        if self.inner.closed.is_set() { Err(SessionClosed) } else { Ok(&self.inner.caller) }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("application", &self.inner.caller.application)
            .field("role", &self.inner.caller.role)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
