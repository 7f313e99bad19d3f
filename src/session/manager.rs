//! The manager: owns libraries, hands out sessions.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::id::SessionId;
use tokio::sync::oneshot;

use super::Session;
use super::event::EventStream;
use super::open::ManagerBuilder;
use super::shared::Shared;
use crate::driver::Closed;
use crate::error::{ReadyError, SessionClosed, SessionError};
use crate::view::{LibraryInfo, LibraryState};

/// How long [`Manager::ready`] bears with a library that cannot be reached: longer than a target takes to come back
/// after a restart of its service, shorter than a person waits without a word.
pub const READY_PATIENCE: Duration = Duration::from_secs(10);

/// The longest name of an application, in bytes: it is kept with each of its requests.
pub const APPLICATION_NAME_MAX: usize = 256;

/// Owns libraries, their queue and their catalogue, and runs them on the runtime it was opened on.
///
/// Dropping it shuts it down without waiting: sessions answer "closed", what the store was given is still committed,
/// then the store is closed and the libraries are given back. [`shutdown`](Self::shutdown) waits for that. Neither
/// stops a move: the next manager on the same store looks at what became of it.
///
/// ```no_run
/// # #[cfg(feature = "redb")]
/// # async fn example() -> Result<(), autochanger::Error> {
/// use autochanger::{LibraryConfig, Manager};
///
/// let manager = Manager::builder()
///     .library(LibraryConfig::new("sg:/dev/sg3")) // drives are found by their serial numbers
///     .store("media.redb")
///     .open()
///     .await?;
/// manager.ready().await?; // or go on: requests wait for nobody, and say `NotReady`
/// let session = manager.session("nightly-backup").open()?;
/// # let _ = session;
/// manager.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "RSM")]
pub struct Manager {
    shared: Arc<Shared>,
    ended: Option<oneshot::Receiver<()>>,
}

impl Manager {
    /// Starts to set a manager up.
    pub fn builder() -> ManagerBuilder {
        ManagerBuilder::new()
    }

    /// Describes a session for an application; `open` opens it. Requests carry the application's name, and are its own by
    /// it: also those that it made before a restart.
    #[doc(alias = "OpenNtmsSession")]
    pub fn session(&self, application: impl AsRef<str>) -> SessionBuilder<'_> {
        SessionBuilder { manager: self, application: application.as_ref().into(), role: Role::default() }
    }

    /// Waits until every library is ready. Bears with one that cannot be reached for [`READY_PATIENCE`], and with one
    /// that is being identified for as long as that takes.
    ///
    /// # Errors
    /// [`ReadyError`] names the library, what is wrong with it and what to do.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and does nothing else.
    pub async fn ready(&self) -> Result<(), ReadyError> {
        self.wait_ready(READY_PATIENCE, None).await
    }

    /// Waits until every library is ready, at most so long by the manager's clock.
    ///
    /// # Errors
    /// As [`ready`](Self::ready); also when a library is still being identified at the end of the time.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and does nothing else.
    pub async fn ready_within(&self, time: Duration) -> Result<(), ReadyError> {
        self.wait_ready(time, Some(time)).await
    }

    /// The libraries, in the order of the configuration.
    ///
    /// # Errors
    /// [`SessionClosed`], when the manager has ended by itself, which only a panic in a transport or store can bring about.
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "NTMS_LIBRARYINFORMATION")]
    pub async fn libraries(&self) -> Result<Vec<LibraryInfo>, SessionClosed> {
        self.shared.look(|engine| engine.view().libraries()).await
    }

    /// Everything that happens from now on, without regard to who may see what: for the program that owns the manager.
    pub fn events(&self) -> EventStream {
        EventStream::of(&self.shared, None)
    }

    /// Shuts the manager down: takes nothing more, commits what is on its way to the store, closes the store, gives the
    /// libraries back. It waits for the store and for no move, and at most five seconds for the libraries to be given back. What has
    /// not ended is durable: the next manager finds it, and treats it by its [policy](ManagerBuilder::restart).
    ///
    /// Await it on every way out of the program, also after an error: a manager that is only dropped does the same in the
    /// background, and a runtime that ends at once leaves no time for it. Then a library that is
    /// [reserved](crate::manual::devices#the-reservation) stays so, until the next manager of the same owner.
    ///
    /// # Cancel safety
    /// Dropping the future does not take the shut-down back; only nobody waits for its end.
    pub async fn shutdown(mut self) {
        self.shared.lanes.stop.notify_one();
        if let Some(ended) = self.ended.take() {
            let _ = ended.await;
        }
    }

    pub(crate) fn new(shared: Shared, ended: oneshot::Receiver<()>) -> Self {
        Self { shared: Arc::new(shared), ended: Some(ended) }
    }

    async fn wait_ready(
        &self,
        unreached: Duration,
        initializing: Option<Duration>,
    ) -> Result<(), ReadyError> {
        let clock = &self.shared.clock;
        let mut events = self.events();
        let start = clock.now().monotonic;
        loop {
            let libraries = self.libraries().await.map_err(|_| ReadyError::ManagerClosed)?;
            let waited = clock.now().monotonic.saturating_sub(start);
            let mut until: Option<Duration> = None;
            let mut all_ready = true;
            for library in libraries {
                let (patience, late) = match &*library.state {
                    LibraryState::Ready => continue,
                    LibraryState::Unusable(error) => {
                        return Err(ReadyError::Unusable { library: library.name, error: error.clone() });
                    }
                    LibraryState::NotPresent(fault) => (
                        Some(unreached),
                        ReadyError::NotPresent { library: library.name, waited, fault: fault.clone() },
                    ),
                    _ => (initializing, ReadyError::StillInitializing { library: library.name, waited }),
                };
                all_ready = false;
                if let Some(patience) = patience {
                    if waited >= patience {
                        return Err(late);
                    }
                    until = Some(until.map_or(patience, |until| until.min(patience)));
                }
            }
            if all_ready {
                return Ok(());
            }
            tokio::select! {
                event = events.next() => if event.is_none() { return Err(ReadyError::ManagerClosed) },
                () = wait_until(&self.shared, until.map(|until| start.saturating_add(until))) => {}
            }
        }
    }
}

async fn wait_until(shared: &Shared, monotonic: Option<Duration>) {
    match monotonic {
        Some(monotonic) => shared.clock.sleep_until(monotonic).await,
        None => std::future::pending().await,
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.shared.lanes.stop.notify_one();
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let libraries: Vec<&str> = self.shared.libraries.iter().map(|ways| ways.changer.device()).collect();
        f.debug_struct("Manager").field("libraries", &libraries).finish_non_exhaustive()
    }
}

/// Sets a session up; made by [`Manager::session`].
#[must_use]
pub struct SessionBuilder<'a> {
    manager: &'a Manager,
    application: Arc<str>,
    role: Role,
}

impl SessionBuilder<'_> {
    /// What the session may see and do; [`Role::Operator`] unless given.
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Opens the session.
    ///
    /// # Errors
    /// [`SessionError`]: the name is empty or too long, or the manager has ended.
    pub fn open(self) -> Result<Session, SessionError> {
        let length = self.application.len();
        if length == 0 || length > APPLICATION_NAME_MAX {
            return Err(SessionError::Name { length, limit: APPLICATION_NAME_MAX });
        }
        let shared = &self.manager.shared;
        if shared.lanes.control.is_closed() {
            return Err(SessionError::ManagerClosed);
        }
        let session = SessionId(shared.next_session.fetch_add(1, Ordering::Relaxed));
        let caller = Caller { session, application: self.application, role: self.role };
        Ok(Session::new(Arc::clone(shared), caller, Closed::default()))
    }
}
