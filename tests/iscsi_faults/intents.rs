//! A store that counts the intents of motions as they become durable, held against the moves on the wire.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use autochanger::catalog::{FaultRecord, MotionRecord, MotionState};
use autochanger::change::{Change, Snapshot};
use autochanger::store::{FaultFilter, HistoryFilter, MemoryStore, Store, StoreError};
use autochanger::{Request, RequestId};

use super::proxy::Way;

/// The intents so far, and the moves that had none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intents(Arc<Mutex<Ledger>>);

#[derive(Debug, Default)]
struct Ledger {
    known: HashSet<(RequestId, u32)>,
    /// For each way: durable intents, less the moves that were seen.
    open: HashMap<Way, usize>,
    without: Vec<Way>,
}

impl Intents {
    /// A move is on the wire: it needs a durable intent that no move before it has used up.
    pub(crate) fn moved(&self, way: Way) {
        let mut ledger = self.ledger();
        match ledger.open.get_mut(&way).filter(|intents| **intents > 0) {
            Some(intents) => *intents -= 1,
            None => ledger.without.push(way),
        }
    }

    /// The moves that had no durable intent of their own when they were seen.
    pub(crate) fn moves_without(&self) -> Vec<Way> {
        self.ledger().without.clone()
    }

    /// The request has ended: an intent of it whose move was never seen does not serve for another's.
    pub(crate) fn close(&self) {
        self.ledger().open.clear();
    }

    pub(crate) fn store(&self) -> CountingStore {
        CountingStore { intents: self.clone(), inner: MemoryStore::default() }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A memory's commit is as durable as a disk's for a process that is not killed; `tests/kill.rs` has the disk.
pub(crate) struct CountingStore {
    intents: Intents,
    inner: MemoryStore,
}

impl Store for CountingStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.inner.load()
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        self.inner.commit(batch)?;
        let mut ledger = self.intents.ledger();
        for change in batch {
            if let Change::Motion(motion) = change
                && motion.state == MotionState::Open
                && ledger.known.insert((motion.request, motion.sequence))
            {
                *ledger.open.entry((motion.source.address.0, motion.destination.address.0)).or_default() += 1;
            }
        }
        Ok(())
    }

    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        self.inner.request(id)
    }

    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        self.inner.history(filter)
    }

    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        self.inner.faults(filter)
    }

    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        self.inner.motions(request)
    }

    fn is_blocking(&self) -> bool {
        self.inner.is_blocking()
    }
}
