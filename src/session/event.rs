//! The stream of events.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::{Event, EventKind};
use futures_core::Stream;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::shared::Shared;

/// A subscriber was too slow: events were dropped for it. What is so now can be looked up; later events follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{missed} events were missed: look up how things stand, then read on")]
pub struct Lagged {
    /// How many.
    pub missed: u64,
}

/// Events as they happen; see [`Session::events`](super::Session::events). What they say is durable already.
///
/// A subscriber that lags behind by more than a few thousand events loses the oldest ones and is told how many.
#[must_use = "a stream does nothing unless it is read"]
pub struct EventStream {
    next: Option<Step>,
    sight: Sight,
}

type Received = Result<Event, RecvError>;
type Step = Pin<Box<dyn Future<Output = (Received, Receiver<Event>)> + Send>>;

async fn step(mut receiver: Receiver<Event>) -> (Received, Receiver<Event>) {
    (receiver.recv().await, receiver)
}

impl EventStream {
    /// The next event, waited for without a bound; `None` when the manager has ended.
    ///
    /// # Errors
    /// [`Lagged`] when events were missed; the stream goes on.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    #[doc(alias = "WaitForNtmsNotification")]
    pub async fn next(&mut self) -> Option<Result<Event, Lagged>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    pub(crate) fn of(shared: &Shared, caller: Option<&Caller>) -> Self {
        let receiver = shared.lanes.events.upgrade().map(|events| events.subscribe());
        let sight = match caller {
            Some(caller) if caller.role == Role::Application => Sight::Own(caller.clone()),
            _ => Sight::Everything,
        };
        Self { next: receiver.map(|receiver| Box::pin(step(receiver)) as Step), sight }
    }
}

impl Stream for EventStream {
    type Item = Result<Event, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(next) = &mut self.next else { return Poll::Ready(None) };
            let Poll::Ready((received, receiver)) = next.as_mut().poll(context) else { return Poll::Pending };
            if matches!(received, Err(RecvError::Closed)) {
                self.next = None;
                return Poll::Ready(None);
            }
            self.next = Some(Box::pin(step(receiver)));
            match received {
                Ok(event) if self.sight.shows(&event.kind) => return Poll::Ready(Some(Ok(event))),
                Ok(_) | Err(RecvError::Closed) => {}
                Err(RecvError::Lagged(missed)) => return Poll::Ready(Some(Err(Lagged { missed }))),
            }
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("ended", &self.next.is_none()).finish_non_exhaustive()
    }
}

/// What a subscriber may see.
enum Sight {
    Everything,
    /// An application's own requests and mounts, and what is about the library as a whole.
    Own(Caller),
}

impl Sight {
    fn shows(&self, event: &EventKind) -> bool {
        let Self::Own(caller) = self else { return true };
        match event {
            EventKind::Request(request) => request.is_visible_to(caller),
            EventKind::Mounted(mount) => mount.application == caller.application,
            EventKind::OperatorAsked(asked) => asked.application == caller.application,
            EventKind::Dismounted { application, .. }
            | EventKind::OperatorDone { application, .. }
            | EventKind::Fault { application, .. }
            | EventKind::CancelAccepted { application, .. }
            | EventKind::MotionInDoubt { application, .. } => *application == caller.application,
            EventKind::Cartridge { .. }
            | EventKind::LabelChanged { .. }
            | EventKind::LabelRecorded { .. }
            | EventKind::CleanerSlot { .. }
            | EventKind::CleanerUses { .. }
            | EventKind::Service { .. }
            | EventKind::Drive { .. }
            | EventKind::DriveReplaced { .. }
            | EventKind::Library { .. }
            | EventKind::Attention { .. }
            | EventKind::Warning { .. }
            | EventKind::Path { .. }
            | EventKind::TookOver { .. }
            | EventKind::Purged { .. }
            | EventKind::StoreFailed { .. } => true,
            _ => false,
        }
    }
}
