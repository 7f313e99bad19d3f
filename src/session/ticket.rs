//! Tickets: what an accepted request is waited for with.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Request, State};
use futures_core::Stream;

use super::Session;
use super::outcome::TicketOutcome;
use crate::driver::{self, Lost, Standing};
use crate::error::RequestError;

/// An accepted request. It is durable as far as the store is: it goes on whether or not anybody holds its ticket.
///
/// Awaiting the ticket (or a `&mut` of it) gives what the request has to show: a ticket of a mount gives [`Mounted`].
///
/// Dropping a ticket, or a future made of it, cancels nothing: call
/// [`cancel_library_request`](Session::cancel_library_request).
///
/// ```no_run
/// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
/// let mut ticket = session.mount("VT0001L8").submit().await?;
/// println!("request {} is durable", ticket.id());
/// let minute = std::time::Duration::from_secs(60);
/// match tokio::time::timeout(minute, &mut ticket).await {
///     Ok(mounted) => println!("{} is ready", mounted?),
///     Err(_) => println!("it goes on: {}", ticket.state()),
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Mounted`]: super::Mounted
pub struct Ticket<T> {
    session: Session,
    id: RequestId,
    standing: Standing,
    outcome: PhantomData<fn() -> T>,
}

impl<T: TicketOutcome> Ticket<T> {
    /// The request's id.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// The request as it was last known.
    pub fn request(&self) -> Request {
        self.standing.borrow().request.clone()
    }

    /// How it stood last.
    pub fn state(&self) -> State {
        self.standing.borrow().request.state.clone()
    }

    /// The request's states: the present one, and then each that follows, to the final one. A reader that is slower
    /// than the request misses states in between, never the last. The same state is told again where something else of the
    /// request has changed: a dismount is in process when its drive unloads, and again when its move is intended.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let ticket = session.mount("VT0001L8").submit().await?;
    /// let mut progress = ticket.progress();
    /// while let Some(state) = progress.next().await {
    ///     println!("{state}"); // queued, in process, passed: mounted in drive 500
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn progress(&self) -> Progress {
        let mut standing = self.standing.clone();
        standing.mark_changed();
        Progress { next: Some(Box::pin(step(standing))) }
    }

    /// Waits for the request's end, without a bound: its [deadline](super::MountBuilder::deadline) is the request's own. RSM's
    /// synchronous calls wait so.
    ///
    /// # Errors
    /// [`RequestError`]: it failed, was cancelled or stopped, or the manager was shut down or its store failed before its end was
    /// known.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and does nothing to the request; the ticket can be waited for again.
    pub async fn wait(&mut self) -> Result<T, RequestError> {
        let id = self.id;
        let request = driver::ended(&mut self.standing).await.map_err(|lost| match lost {
            Lost::ManagerClosed => RequestError::ManagerClosed { id },
            Lost::StoreFailed(reason) => RequestError::StoreFailed { id, reason },
        })?;
        resolve(&self.session, request).await
    }

    pub(crate) fn new(session: Session, id: RequestId, standing: Standing) -> Self {
        Self { session, id, standing, outcome: PhantomData }
    }
}

async fn resolve<T: TicketOutcome>(session: &Session, request: Request) -> Result<T, RequestError> {
    let (id, operation, barcode) = (request.id, request.operation(), request.barcode.clone());
    match &request.state {
        State::Failed(failure) | State::Invalid(failure) => {
            Err(RequestError::Failed { id, operation, barcode, failure: failure.clone() })
        }
        State::Cancelled { by } => Err(RequestError::Cancelled { id, operation, barcode, by: by.clone() }),
        State::Stopped { place, by } => {
            Err(RequestError::Stopped { id, operation, barcode, place: place.clone(), by: by.clone() })
        }
        state => {
            let other = RequestError::Other { id, state: Box::new(state.clone()) };
            T::of(session, request).await.ok_or(other)
        }
    }
}

/// Waits for the request's end, as [`wait`](Ticket::wait) does.
///
/// # Cancel safety
/// Dropping the future drops the ticket and does nothing to the request; await a `&mut` of it to be able to wait again.
impl<T: TicketOutcome> IntoFuture for Ticket<T> {
    type Output = Result<T, RequestError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move { self.wait().await })
    }
}

/// Waits for the request's end, as [`wait`](Ticket::wait) does.
///
/// # Cancel safety
/// Dropping the future ends the wait and does nothing to the request; the ticket can be waited for again.
impl<'a, T: TicketOutcome> IntoFuture for &'a mut Ticket<T> {
    type Output = Result<T, RequestError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("id", &self.id)
            .field("state", &self.standing.borrow().request.state)
            .finish()
    }
}

/// A stream of a request's states; see [`Ticket::progress`].
#[must_use = "a stream does nothing unless it is read"]
pub struct Progress {
    next: Option<Step>,
}

type Step = Pin<Box<dyn Future<Output = Option<(State, Standing)>> + Send>>;

async fn step(mut standing: Standing) -> Option<(State, Standing)> {
    standing.changed().await.ok()?;
    let known = standing.borrow_and_update();
    let state = known.lost.is_none().then(|| known.request.state.clone());
    drop(known);
    Some((state?, standing))
}

impl Progress {
    /// The next state; `None` after the final one, or when the manager was shut down or its store failed.
    ///
    /// # Cancel safety
    /// Dropping the future loses no state.
    pub async fn next(&mut self) -> Option<State> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Progress {
    type Item = State;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<State>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let Poll::Ready(step_result) = next.as_mut().poll(context) else { return Poll::Pending };
        let (state, standing) = match step_result {
            Some(known) => known,
            None => {
                self.next = None;
                return Poll::Ready(None);
            }
        };
        self.next = if state.is_final() { None } else { Some(Box::pin(step(standing))) };
        Poll::Ready(Some(state))
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("ended", &self.next.is_none()).finish()
    }
}
