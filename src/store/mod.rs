//! Where requests, motions, mounts and the catalogue are kept.
//!
//! [`Store`] is what the manager needs of a store: batches of changes, each batch one transaction, in order. Two come
//! with the crate: [`RedbStore`] (one file, durable; feature `redb`) and [`MemoryStore`] (for tests, and for programs
//! that want no memory of what was). The manager promises durability only as far as its store does: with
//! [`MemoryStore`] an accepted request is gone when the process ends.

mod error;
mod faults;
mod memory;
mod purge;
#[cfg(feature = "redb")]
mod records;
#[cfg(feature = "redb")]
mod redb;

use std::sync::Arc;

use autochanger_engine::catalog::{FaultRecord, MotionRecord};
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Operation, Request};
use autochanger_engine::{Change, Snapshot};

pub use error::StoreError;
pub use faults::FaultFilter;
pub use memory::MemoryStore;
pub use purge::{End, Purge, Purged, Sweep};
#[cfg(feature = "redb")]
#[doc(hidden)]
pub use redb::Disk;
#[cfg(feature = "redb")]
pub use redb::RedbStore;

/// What keeps the manager's memory. Blocking; called from one place, one call at a time, in order.
///
/// The manager reads [`load`](Self::load) once, before anything else, and from then on knows what is live by itself: it
/// asks the store only for what has ended. After an error from [`commit`](Self::commit) it commits nothing more: the
/// store is opened anew, and what it then holds is the truth.
pub trait Store: Send + 'static {
    /// What the engine starts from: libraries, drives, cartridges, mounts, the requests that have not ended and the motions
    /// that are open. Its cost must not grow with the number of requests that have ended.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record cannot be read: nothing is started from half a memory.
    fn load(&mut self) -> Result<Snapshot, StoreError>;

    /// Applies the changes in their order as one transaction: after a crash all of them are found, or none. When it
    /// returns `Ok`, they are durable.
    ///
    /// # Errors
    /// Whatever keeps the transaction from being durable; none of its changes may show afterwards, or all of them
    /// (a crash between the sync and the answer).
    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError>;

    /// One request, live or ended; `None` when there is none, or none any more.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when its record cannot be read.
    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError>;

    /// Requests, live and ended, that the filter lets through: newest first, at most
    /// [`limit`](HistoryFilter::limit). The order is that of the ids, which is the order in time as long as the ids
    /// are UUIDs of version 7.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record on the way cannot be read.
    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError>;

    /// The motions that were made for a request, in their order.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record cannot be read.
    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError>;

    /// The faults that the filter lets through: the latest first, at most [`limit`](FaultFilter::limit).
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record on the way cannot be read.
    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError>;

    /// Deletes requests that have ended, with their motions and faults, as one transaction: durable when it returns `Ok`. History
    /// only: what is live, what is mounted and what may still be moving is never touched, whatever is asked. Its cost
    /// must not grow with what is not deleted.
    ///
    /// Left out, it deletes nothing: right for a store that is not to forget, or that forgets by a rule of its own.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        let _ = purge;
        Ok(Purged::default())
    }

    /// Whether the calls can wait for a disk. The manager calls a store that does not block where it stands, and gives
    /// one that does a thread of its own.
    fn is_blocking(&self) -> bool {
        true
    }
}

impl Store for Box<dyn Store> {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        (**self).load()
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        (**self).commit(batch)
    }

    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        (**self).request(id)
    }

    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        (**self).history(filter)
    }

    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        (**self).motions(request)
    }

    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        (**self).faults(filter)
    }

    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        (**self).purge(purge)
    }

    fn is_blocking(&self) -> bool {
        (**self).is_blocking()
    }
}

/// Which requests [`Store::history`] gives.
///
/// A filter that lets little through has the store read far into the past, and commits wait meanwhile: a file takes some
/// 0.6 s for each million requests that it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFilter {
    /// At most so many; [`MAX_LIMIT`](Self::MAX_LIMIT) where it is more. Default [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT).
    pub limit: usize,
    /// Only those of one application.
    pub application: Option<Arc<str>>,
    /// Only those of one operation.
    pub operation: Option<Operation>,
    /// Only those older than this one, to read on where an earlier answer ended.
    pub before: Option<RequestId>,
}

impl HistoryFilter {
    /// A screenful and some.
    pub const DEFAULT_LIMIT: usize = 100;
    /// Bounds one answer to a few megabytes; read on with [`before`](Self::before).
    pub const MAX_LIMIT: usize = 10_000;

    fn effective_limit(&self) -> usize {
        self.limit.min(Self::MAX_LIMIT)
    }

    fn lets_through(&self, request: &Request) -> bool {
        self.application.as_ref().is_none_or(|application| *application == request.application)
            && self.operation.is_none_or(|operation| operation == request.operation())
    }
}

impl Default for HistoryFilter {
    fn default() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, application: None, operation: None, before: None }
    }
}

/// The engine's changes are an open enum; one that this store does not know must not be lost silently.
fn unknown_change(change: &Change) -> StoreError {
    StoreError::Refused {
        record: "change",
        key: format!("{change:?}"),
        what: "this store does not know it".into(),
    }
}
