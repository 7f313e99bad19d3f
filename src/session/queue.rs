//! The queue, the people and the past: places of requests, what operators are asked, what is forgotten.

use autochanger_engine::catalog::{FaultRecord, Role};
use autochanger_engine::id::RequestId;
use autochanger_engine::request::CartridgeRef;

use super::Session;
use super::cancel::Cancellation;
use crate::driver::{Control, PurgeFailed};
use crate::error::{
    CancelError, OperatorError, PurgeError, QueryError, ReorderError, SessionClosed, SubmitError,
};
use crate::store::{FaultFilter, Purge, Purged, StoreError};
use crate::view::OperatorRequest;

/// The first place in the queue, for [`Session::reorder`].
const FIRST: u32 = 1;

impl Session {
    /// Gives a waiting request another place among the waiting requests of its operation and library: 1 is the first, `u32::MAX` the
    /// last. Returns the place that it has got; 0 is taken as 1. The place is durable, and stays when others come and go.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let ticket = session.mount("VT0001L8").submit().await?;
    /// let place = session.reorder(ticket.id(), 1).await?;
    /// println!("it is number {place}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReorderError`]: it is not live, not the caller's, or has no place (it is under way, put off, or waits for a person).
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has moved the request or not.
    #[doc(alias = "SetNtmsRequestOrder")]
    pub async fn reorder(&self, id: RequestId, position: u32) -> Result<u32, ReorderError> {
        let caller = self.caller()?.clone();
        let position = position.max(FIRST);
        Ok(self.shared().control(|reply| Control::Reorder { caller, id, position, reply }).await??)
    }

    /// A waiting request's place among the waiting requests of its operation and library, counted from 1; `None` where it has none,
    /// or is not the caller's to see.
    ///
    /// # Errors
    /// [`SessionClosed`].
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "GetNtmsRequestOrder")]
    pub async fn queue_position(&self, id: RequestId) -> Result<Option<u32>, SessionClosed> {
        let caller = self.caller()?.clone();
        let look = move |engine: &autochanger_engine::Engine| {
            engine.view().request(id).filter(|request| request.is_visible_to(&caller))?;
            engine.view().queue_position(id)
        };
        self.shared().look(look).await
    }

    /// What people are asked to do at the moment; of [`Role::Application`], for its own application's requests.
    ///
    /// # Errors
    /// [`SessionClosed`].
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "NTMS_OPREQUESTINFORMATION")]
    pub async fn operator_requests(&self) -> Result<Vec<OperatorRequest>, SessionClosed> {
        let caller = self.caller()?;
        let mut asked = self.shared().look(|engine| engine.view().operator_requests()).await?;
        if caller.role == Role::Application {
            asked.retain(|request| request.application == caller.application);
        }
        Ok(asked)
    }

    /// Says that what a person was asked will not be done: the request that waits for it ends as if it were cancelled, by the operator.
    /// `id` is that request's. Needs [`Role::Operator`] or [`Role::Administrator`].
    ///
    /// What *was* done is seen by the manager when it reads the inventory; [`satisfy_operator_request`](Self::satisfy_operator_request)
    /// has it look at once.
    ///
    /// # Errors
    /// As [`cancel_library_request`](Self::cancel_library_request).
    ///
    /// # Cancel safety
    /// As [`cancel_library_request`](Self::cancel_library_request).
    #[doc(alias = "CancelNtmsOperatorRequest")]
    pub async fn refuse_operator_request(&self, id: RequestId) -> Result<Cancellation, CancelError> {
        let caller = self.caller().map_err(|_| CancelError::SessionClosed)?.clone();
        let answer = self.shared().control(|reply| Control::Refuse { caller, id, reply }).await;
        let accepted = answer.map_err(|_| CancelError::SessionClosed)??;
        Ok(self.cancellation(id, accepted))
    }

    /// Says that what a person was asked is done. `id` is that of the request that waits for it. Needs [`Role::Operator`].
    ///
    /// It is not believed but looked into, at once: a cartridge or a cleaner that was brought is looked for in the library, and what
    /// was put into or taken out of a port is seen. If it is not so, it stays asked: `Ok` says that the manager looks, not
    /// that it was done, and what came of it [`operator_requests`](Self::operator_requests) and [events](crate::EventKind::OperatorDone) tell. What only a person knows ends with
    /// this: an [inject](Self::inject_many) takes its ports in, takes what lies in them, and passes (RSM: `NTMS_INJECT_RETRACT`); a
    /// [door](Self::door_access) counts as used, though not as closed while the library says that it is open.
    ///
    /// # Errors
    /// [`OperatorError`]: nothing is asked for that request, the role does not suffice, or the session is closed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has had the manager look or not; saying it again does no harm.
    #[doc(alias = "SatisfyNtmsOperatorRequest", alias = "NTMS_INJECT_RETRACT")]
    pub async fn satisfy_operator_request(&self, id: RequestId) -> Result<(), OperatorError> {
        let caller = self.caller()?.clone();
        Ok(self.shared().control(|reply| Control::Satisfy { caller, id, reply }).await??)
    }

    /// Sets how often a cleaning cartridge can be used yet; `None`: it is not counted. It is durable when it returns. Needs
    /// [`Role::Operator`].
    ///
    /// # Errors
    /// [`SubmitError`]: there is no such cartridge, it is [no cleaning cartridge](crate::Refusal::NotACleaner), the role does not
    /// suffice, or the session is closed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has set it or not; setting it again does no harm.
    #[doc(alias = "dwCleanerUsesRemaining", alias = "SetNtmsObjectInformation")]
    pub async fn set_cleaner_uses(
        &self,
        cartridge: impl Into<CartridgeRef>,
        uses: impl Into<Option<u32>>,
    ) -> Result<(), SubmitError> {
        let (caller, cartridge, uses) = (self.caller()?.clone(), cartridge.into(), uses.into());
        Ok(self.shared().control(|reply| Control::CleanerUses { caller, cartridge, uses, reply }).await??)
    }

    /// What failed, and whose fault it was: the latest first. A session of [`Role::Application`] gets what its own application's requests
    /// met, and so fewer than the [limit](FaultFilter::limit) where others met some, too.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// use autochanger::FaultFilter;
    ///
    /// for fault in session.faults(FaultFilter::default()).await? {
    ///     println!("{} fault of the {}: {}", fault.at, fault.of, fault.message);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`QueryError`]: the session is closed, or the store could not be read.
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    pub async fn faults(&self, filter: impl Into<FaultFilter>) -> Result<Vec<FaultRecord>, QueryError> {
        let (caller, filter) = (self.caller()?.clone(), filter.into());
        let answer = self.shared().ask(move |store| {
            let found = store.faults(&filter)?;
            if caller.role != Role::Application {
                return Ok(found);
            }
            let mut own = Vec::new();
            for fault in found {
                let request = store.request(fault.request)?;
                if request.is_some_and(|request| request.is_visible_to(&caller)) {
                    own.push(fault);
                }
            }
            Ok::<_, StoreError>(own)
        });
        Ok(answer.await??)
    }

    /// Forgets requests that have ended, with their motions and faults; see [`Purge`]. Needs [`Role::Administrator`].
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// use autochanger::Purge;
    ///
    /// let purged = session.purge_requests(Purge::KeepNewest(10_000)).await?;
    /// println!("{purged:?}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PurgeError`]: the role does not suffice, the session is closed, or the store failed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has forgotten them or not; purging again does no harm.
    #[doc(alias = "DeleteNtmsRequests")]
    pub async fn purge_requests(&self, purge: Purge) -> Result<Purged, PurgeError> {
        let role = self.caller()?.role;
        if role != Role::Administrator {
            return Err(PurgeError::PermissionDenied { role });
        }
        let permit = self.shared().permit_to_ask().await?;
        let answer = self.shared().control(|reply| Control::Purge { purge, permit, reply }).await?;
        answer.map_err(|failed| match failed {
            PurgeFailed::Before(reason) => PurgeError::StoreFailed { reason },
            PurgeFailed::Now(error) => PurgeError::Store(error),
        })
    }
}
