//! Cancelling: the answer keyed on fact, and the verdict where the answer is still open.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;

use autochanger_engine::id::RequestId;
use autochanger_engine::request::{CancelAccepted as Accepted, Place, State};

use super::Session;
use crate::driver::{self, Control, Lost, Standing};
use crate::error::{CancelError, QueryError, SessionClosed, whereabouts};

impl Session {
    /// Cancels a request. The answer says what is so, and is computed where it races with nothing:
    ///
    /// | fact | answer | RSM code |
    /// |---|---|---|
    /// | no step of it was ever sent | [`Cancellation::Cancelled`], durable before it is answered | 0 |
    /// | steps done, none in flight | [`Cancellation::Stopping`], resolved at once to [`Ending::Stopped`] | 0 |
    /// | a step in flight or settling, later steps exist | [`Cancellation::Stopping`]: await the verdict | 0 |
    /// | a step in flight or settling, none later | [`CancelError::InProgress`] | 5 |
    /// | the caller may see it, not control it | [`CancelError::PermissionDenied`] | 5 |
    /// | it ended before | [`CancelError::AlreadyFinished`] | 4312 |
    /// | never existed, purged, or not the caller's to see | [`CancelError::NotFound`] | 4312 |
    /// | the session is closed, or the manager shut down | [`CancelError::SessionClosed`] | 6 |
    /// | a bound is reached | [`CancelError::ResourceExhausted`] | 8 |
    /// | the store failed | [`CancelError::Store`] | 4313 |
    ///
    /// It never waits behind a move, nor behind requests that are being handed in. `Cancelled` means that nothing moved
    /// for the request. A request that is stopped leaves its cartridge where it is. The codes are
    /// [`CancelError::win32_code`].
    ///
    /// ```no_run
    /// use autochanger::{CancelError, Cancellation, Error, Session};
    ///
    /// # async fn example(session: Session) -> Result<(), Error> {
    /// let ticket = session.mount("VT0001L8").submit().await?;
    /// match session.cancel_library_request(ticket.id()).await {
    ///     Ok(Cancellation::Cancelled) => println!("nothing moved"),
    ///     Ok(Cancellation::Stopping(verdict)) => println!("{}", verdict.await?),
    ///     Err(CancelError::InProgress { .. }) => println!("{} is mounted", ticket.await?),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CancelError`]; the request is then as it was. Its last step is [under way](CancelError::InProgress), it has
    /// [ended](CancelError::AlreadyFinished), it is [another application's](CancelError::PermissionDenied) or
    /// [not there](CancelError::NotFound), too many cancels [wait for a verdict](CancelError::ResourceExhausted), the session is
    /// [closed](CancelError::SessionClosed), or the [store](CancelError::Store) failed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has cancelled the request or not; asking again tells, and a second cancel
    /// gets the verdict of the first.
    #[doc(alias = "CancelNtmsLibraryRequest")]
    pub async fn cancel_library_request(&self, id: RequestId) -> Result<Cancellation, CancelError> {
        self.cancel(id).await
    }

    /// As [`cancel_library_request`](Self::cancel_library_request), with a [reason](CancelBuilder::reason) for the record.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// use autochanger::Cancellation;
    ///
    /// let ticket = session.mount("VT0001L8").submit().await?;
    /// let answer = session.cancel(ticket.id()).reason("the backup was called off").await?;
    /// if let Cancellation::Stopping(verdict) = answer {
    ///     println!("{}", verdict.await?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "CancelNtmsLibraryRequest")]
    pub fn cancel(&self, id: RequestId) -> CancelBuilder {
        CancelBuilder { session: self.clone(), id, reason: None }
    }
}

/// A cancel to be asked for; see [`Session::cancel`].
#[derive(Debug, Clone)]
#[must_use = "nothing is cancelled until the builder is awaited"]
pub struct CancelBuilder {
    session: Session,
    id: RequestId,
    reason: Option<Arc<str>>,
}

impl CancelBuilder {
    /// Why, in words: kept with the request, and told to whoever waits for it.
    pub fn reason(mut self, reason: impl AsRef<str>) -> Self {
        self.reason = Some(reason.as_ref().into());
        self
    }

    async fn send(self) -> Result<Cancellation, CancelError> {
        let Self { session, id, reason } = self;
        let caller = session.caller().map_err(closed)?.clone();
        let shared = session.shared();
        let answer =
            shared.control(|reply| Control::Cancel { caller, id, reason, reply }).await.map_err(closed)?;
        Ok(session.cancellation(id, answer?))
    }
}

impl Session {
    pub(super) fn cancellation(&self, id: RequestId, accepted: driver::Accepted) -> Cancellation {
        match accepted.cancellation {
            Accepted::Cancelled => Cancellation::Cancelled,
            Accepted::Stopping => {
                Cancellation::Stopping(Verdict { session: self.clone(), id, standing: accepted.standing })
            }
        }
    }
}

/// Cancels the request, as [`Session::cancel_library_request`] does: errors and cancel safety are the same.
impl IntoFuture for CancelBuilder {
    type Output = Result<Cancellation, CancelError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

fn closed(SessionClosed: SessionClosed) -> CancelError {
    CancelError::SessionClosed
}

/// A cancel that was accepted.
#[derive(Debug)]
#[must_use = "a request that is being stopped may still end otherwise: await the verdict"]
pub enum Cancellation {
    /// No step of the request was ever sent, and none will be. Durable.
    Cancelled,
    /// Steps were sent: the verdict tells whether the request ended before its next one.
    Stopping(Verdict),
}

/// The verdict on a cancel that came while a step was in flight; await it.
///
/// Dropping it takes nothing back.
#[derive(Debug)]
#[must_use = "the verdict is known when it is awaited"]
pub struct Verdict {
    session: Session,
    id: RequestId,
    standing: Option<Standing>,
}

impl Verdict {
    /// The request.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Waits for the verdict.
    ///
    /// # Errors
    /// [`QueryError`]: the manager was shut down meanwhile (the cancel is durable: the next one knows how the request
    /// ended), or the store could not be read.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and takes nothing back.
    pub async fn wait(&mut self) -> Result<Ending, QueryError> {
        let state = match &mut self.standing {
            Some(standing) => {
                let ended = driver::ended(standing).await.map_err(|lost| match lost {
                    Lost::ManagerClosed => QueryError::SessionClosed(SessionClosed),
                    Lost::StoreFailed(reason) => QueryError::StoreFailed { reason },
                });
                ended?.state
            }
            None => {
                let id = self.id;
                let found = self.session.shared().ask(move |store| store.request(id)).await??;
                found.ok_or(QueryError::NotFound(id))?.state
            }
        };
        Ok(match state {
            State::Stopped { place, .. } => Ending::Stopped { place },
            state => Ending::TooLate { state },
        })
    }
}

/// Waits for the verdict, as [`wait`](Verdict::wait) does.
///
/// # Cancel safety
/// Dropping the future takes nothing back.
impl IntoFuture for Verdict {
    type Output = Result<Ending, QueryError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move { self.wait().await })
    }
}

/// How a request ended that was told to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It was stopped between two steps. Nothing was moved back.
    Stopped {
        /// Where the cartridge is; `None` for a request that is about none.
        place: Option<Place>,
    },
    /// It had ended by itself before it could be stopped.
    TooLate {
        /// How.
        state: State,
    },
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped { place } => write!(f, "stopped; {}", whereabouts(place.as_ref())),
            Self::TooLate { state } => write!(f, "too late: {state}"),
        }
    }
}
