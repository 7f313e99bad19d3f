//! A store that counts what it is given.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use autochanger::catalog::{FaultRecord, MotionRecord};
use autochanger::change::{Change, Snapshot};
use autochanger::store::{FaultFilter, HistoryFilter, Store, StoreError};
use autochanger::{Request, RequestId};

/// Commits and changes so far.
#[derive(Default)]
pub(crate) struct Counts {
    commits: AtomicU64,
    changes: AtomicU64,
    /// A cartridge's record, to make a commit of one change with.
    sample: OnceLock<Change>,
}

impl Counts {
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    pub(crate) fn sample(&self) -> Option<Change> {
        self.sample.get().cloned()
    }
}

/// The store, counted.
pub(crate) struct Counted<S> {
    inner: S,
    counts: Arc<Counts>,
}

impl<S: Store> Counted<S> {
    pub(crate) fn new(inner: S, counts: &Arc<Counts>) -> Self {
        Self { inner, counts: Arc::clone(counts) }
    }
}

impl<S: Store> Store for Counted<S> {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.inner.load()
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        self.counts.commits.fetch_add(1, Ordering::Relaxed);
        if self.counts.sample.get().is_none()
            && let Some(cartridge) = batch.iter().find(|change| matches!(change, Change::Cartridge(_)))
        {
            let _ = self.counts.sample.set(cartridge.clone());
        }
        self.counts.changes.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.inner.commit(batch)
    }

    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        self.inner.request(id)
    }

    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        self.inner.history(filter)
    }

    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        self.inner.motions(request)
    }

    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        self.inner.faults(filter)
    }

    fn is_blocking(&self) -> bool {
        self.inner.is_blocking()
    }
}
