//! Looking: what there is, what is mounted, what was asked for and what became of it.

use std::collections::HashMap;

use autochanger_engine::catalog::{Cartridge, MotionRecord, Role};
use autochanger_engine::id::{LibraryId, RequestId};
use autochanger_engine::request::Request;

use super::Session;
use super::event::EventStream;
use crate::error::{QueryError, SessionClosed};
use crate::store::HistoryFilter;
use crate::view::{DriveInfo, LibraryInfo, MountInfo, SlotInfo};

/// Each of these is one look between two decisions of the manager. None waits behind a move.
impl Session {
    /// The libraries, in the order of the configuration.
    ///
    /// # Errors
    /// [`SessionClosed`].
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "NTMS_LIBRARYINFORMATION")]
    pub async fn libraries(&self) -> Result<Vec<LibraryInfo>, SessionClosed> {
        self.caller()?;
        self.shared().look(|engine| engine.view().libraries()).await
    }

    /// The drives, of one library or of all.
    ///
    /// # Errors
    /// [`SessionClosed`].
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "NTMS_DRIVEINFORMATION")]
    pub async fn drives(&self, library: Option<LibraryId>) -> Result<Vec<DriveInfo>, SessionClosed> {
        self.caller()?;
        self.shared().look(move |engine| engine.view().drives(library)).await
    }

    /// Slots, ports and transports by type and address, of one library or of all.
    ///
    /// # Errors
    /// [`SessionClosed`].
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "NTMS_STORAGESLOTINFORMATION")]
    pub async fn slots(&self, library: Option<LibraryId>) -> Result<Vec<SlotInfo>, SessionClosed> {
        self.caller()?;
        self.shared().look(move |engine| engine.view().slots(library)).await
    }

    /// The cartridges that are known, of one library or of all.
    ///
    /// # Errors
    /// [`SessionClosed`].
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "NTMS_PMIDINFORMATION")]
    pub async fn cartridges(&self, library: Option<LibraryId>) -> Result<Vec<Cartridge>, SessionClosed> {
        self.caller()?;
        self.shared().look(move |engine| engine.view().cartridges(library)).await
    }

    /// The media that are mounted, those from before a restart included. A session of [`Role::Application`] sees its
    /// own application's.
    ///
    /// # Errors
    /// [`SessionClosed`].
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    pub async fn mounts(&self) -> Result<Vec<MountInfo>, SessionClosed> {
        let caller = self.caller()?;
        let mut mounts = self.shared().look(|engine| engine.view().mounts()).await?;
        if caller.role == Role::Application {
            mounts.retain(|mount| mount.application == caller.application);
        }
        Ok(mounts)
    }

    /// The requests that have not ended, oldest first; those that the session may see.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// for request in session.live_requests().await? {
    ///     println!("{} {}: {}", request.id, request.operation(), request.state);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionClosed`].
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "EnumerateNtmsObject")]
    pub async fn live_requests(&self) -> Result<Vec<Request>, SessionClosed> {
        let caller = self.caller()?;
        let mut requests = self.shared().look(|engine| engine.view().requests()).await?;
        requests.retain(|request| request.is_visible_to(caller));
        Ok(requests)
    }

    /// Requests, live and ended, newest first; those that the session may see and the filter lets through.
    ///
    /// # Errors
    /// [`QueryError`]: the session is closed, or the store could not be read.
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "NTMS_LIBREQUESTINFORMATION")]
    pub async fn requests(&self, mut filter: HistoryFilter) -> Result<Vec<Request>, QueryError> {
        let caller = self.caller()?;
        if caller.role == Role::Application {
            if filter.application.as_ref().is_some_and(|wanted| *wanted != caller.application) {
                return Ok(Vec::new());
            }
            filter.application = Some(caller.application.clone());
        }
        // The store may be a step behind on requests that are live; it is never behind on those that have ended.
        let live = self.live_requests().await?;
        let mut live: HashMap<RequestId, Request> =
            live.into_iter().map(|request| (request.id, request)).collect();
        let mut requests = self.shared().ask(move |store| store.history(&filter)).await??;
        for request in &mut requests {
            if !request.state.is_final()
                && let Some(newer) = live.remove(&request.id)
            {
                *request = newer;
            }
        }
        Ok(requests)
    }

    /// One request, live or ended; `None` where there is none, or none that the session may see.
    ///
    /// # Errors
    /// [`QueryError`]: the session is closed, or the store could not be read.
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "GetNtmsObjectInformation")]
    pub async fn request(&self, id: RequestId) -> Result<Option<Request>, QueryError> {
        let caller = self.caller()?;
        let live = self.shared().look(move |engine| engine.view().request(id)).await?;
        let request = match live {
            Some(request) => Some(request),
            None => self.shared().ask(move |store| store.request(id)).await??,
        };
        Ok(request.filter(|request| request.is_visible_to(caller)))
    }

    /// The motions that were made for a request, in their order: the intent, and what became of it. RSM keeps none.
    ///
    /// # Errors
    /// [`QueryError`]: there is [no such request](QueryError::NotFound) that the session may see, the session is closed, or the store
    /// could not be read.
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    pub async fn motions(&self, id: RequestId) -> Result<Vec<MotionRecord>, QueryError> {
        if self.request(id).await?.is_none() {
            return Err(QueryError::NotFound(id));
        }
        Ok(self.shared().ask(move |store| store.motions(id)).await??)
    }

    /// What happens from now on, as far as the session may see it.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let mut events = session.events();
    /// while let Some(event) = events.next().await {
    ///     match event {
    ///         Ok(event) => println!("{event}"),
    ///         Err(missed) => eprintln!("{missed}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "OpenNtmsNotification")]
    pub fn events(&self) -> EventStream {
        EventStream::of(self.shared(), Some(&self.inner.caller))
    }
}
