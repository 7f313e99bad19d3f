//! Asking for something: a builder per operation. Await it to submit and wait in one, or submit it for a ticket.

mod cleaning;
mod dismount;
mod group;
mod inventory;
mod label;
mod mount;
mod port;
mod service;

use std::time::Duration;

use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Options, Submission, Wanted};
use tokio::sync::oneshot;
use uuid::Uuid;

pub use cleaning::{CleanDriveBuilder, CleanerSlotBuilder};
pub use dismount::DismountBuilder;
pub use group::{GroupMember, MountAllBuilder};
pub use inventory::{DoorAccessBuilder, InventoryBuilder};
pub use label::{ClassifyBuilder, IdentifyBuilder, UpdateLabelBuilder, WriteFreeLabelBuilder};
pub use mount::MountBuilder;
pub use port::{EjectAllBuilder, EjectBuilder, EjectCleanerBuilder, InjectBuilder, InjectCleanerBuilder};
pub use service::ServiceBuilder;

use super::Session;
use crate::driver::{Standing, Submit, Work};
use crate::error::{SessionClosed, SubmitError};

/// What every request can be told.
#[derive(Debug, Clone)]
struct Common {
    session: Session,
    id: Option<RequestId>,
    priority: i8,
    deadline: Option<Duration>,
    detached: bool,
    options: Options,
}

impl Common {
    fn new(session: &Session, detached: bool) -> Self {
        Self {
            session: session.clone(),
            id: None,
            priority: 0,
            deadline: None,
            detached,
            options: Options::default(),
        }
    }

    fn submission(&self, id: Option<RequestId>, wanted: Wanted) -> Result<Submission, SessionClosed> {
        Ok(Submission {
            id: id.unwrap_or_else(|| RequestId(Uuid::now_v7())),
            id_given: id.is_some(),
            caller: self.session.caller()?.clone(),
            wanted,
            priority: self.priority,
            deadline: self.deadline,
            detached: self.detached,
            options: self.options,
        })
    }

    async fn submit(self, wanted: Wanted) -> Result<(Session, RequestId, Standing), SubmitError> {
        let submission = self.submission(self.id, wanted)?;
        let id = submission.id;
        let (reply, answer) = oneshot::channel();
        self.send(Work::One { submission, reply }).await?;
        let standing = answer.await.map_err(|_| SessionClosed)??;
        Ok((self.session, id, standing))
    }

    async fn send(&self, work: Work) -> Result<(), SessionClosed> {
        let permit = self.session.shared().lanes.submissions.reserve().await.map_err(|_| SessionClosed)?;
        permit.send(Submit { work, closed: self.session.inner.closed.clone() });
        Ok(())
    }
}

/// What every builder has: priority, deadline, id, submitting and awaiting.
macro_rules! request_builder {
    ($name:ident gives $outcome:ident) => {
        impl $name {
            /// The request's place in the queue: −15 to 15, 0 unless given. The higher is served first, but for what is older by
            /// more than the difference is [worth](crate::ManagerBuilder::priority_worth): 10 minutes a point unless configured.
            /// Out of range it is [refused](crate::Refusal::PriorityOutOfRange).
            pub fn priority(mut self, priority: i8) -> Self {
                self.common.priority = priority;
                self
            }

            /// The request is cancelled when it has not ended within this time of being accepted, by the manager's clock; it is
            /// stopped where it has begun. Without one it waits for as long as it takes.
            pub fn deadline(mut self, time: std::time::Duration) -> Self {
                self.common.deadline = Some(time);
                self
            }

            /// The request's id, drawn by the caller (UUID v7): handing the same request in again, also after a crash,
            /// is answered and not repeated. Another request of that id is [refused](crate::Refusal::IdReused).
            pub fn id(mut self, id: impl Into<autochanger_engine::id::RequestId>) -> Self {
                self.common.id = Some(id.into());
                self
            }

            /// What would be done if the request were handed in now, and why; nothing is kept of it. See
            /// [`Session::forecast`](crate::Session::forecast). Its own steps are those of the [id](Self::id) that it was given.
            ///
            /// # Errors
            /// [`SubmitError`](crate::SubmitError): what handing it in would be answered with.
            ///
            /// # Cancel safety
            /// Dropping the future does nothing.
            pub async fn dry_run(&self) -> Result<crate::view::Forecast, crate::error::SubmitError> {
                let submission = self.common.submission(self.common.id, self.wanted())?;
                self.common.session.dry_run(submission).await
            }

            /// Hands the request in. With the ticket's arrival the request is durable.
            ///
            /// # Errors
            /// [`SubmitError`](crate::SubmitError): it was refused, or the session is closed. Nothing was kept of it.
            ///
            /// # Cancel safety
            /// Dropped before it is ready, the future has handed the request in or not: give it an [id](Self::id) to
            /// be able to ask again. An accepted request goes on without its ticket.
            pub async fn submit(
                self,
            ) -> Result<crate::session::ticket::Ticket<$outcome>, crate::error::SubmitError> {
                let wanted = self.wanted();
                let (session, id, standing) = self.common.submit(wanted).await?;
                Ok(crate::session::ticket::Ticket::new(session, id, standing))
            }
        }

        /// Submits the request and waits for its end: a [`SubmitError`](crate::SubmitError) when it was refused, else what the
        /// [ticket](crate::Ticket) tells.
        ///
        /// # Cancel safety
        /// Dropping the future cancels nothing: a request that was accepted goes on.
        impl std::future::IntoFuture for $name {
            type Output = Result<$outcome, crate::error::RequestError>;
            type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(async move { self.submit().await?.wait().await })
            }
        }
    };
}

/// A builder's way to name its library.
macro_rules! with_library {
    ($name:ident) => {
        impl $name {
            /// Of this library; not needed where there is one only. [`LibraryInfo::id`](crate::view::LibraryInfo::id) will do as it is.
            pub fn library(mut self, library: impl Into<Option<autochanger_engine::id::LibraryId>>) -> Self {
                self.library = library.into();
                self
            }
        }
    };
}

use {request_builder, with_library};
