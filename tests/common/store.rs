//! A store in the test's hand: it records, holds back, fails and forgets on demand, and outlives its manager.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex};

use autochanger::catalog::{FaultRecord, MotionRecord};
use autochanger::change::{Change, Snapshot};
use autochanger::store::{FaultFilter, HistoryFilter, MemoryStore, Purge, Purged, Store, StoreError};
use autochanger::{Request, RequestId};
use tokio::sync::Notify;

/// The hand on a store; clones are the same one.
#[derive(Clone, Default)]
pub struct Hand {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    released: Condvar,
    held: Notify,
}

#[derive(Default)]
struct State {
    store: MemoryStore,
    /// Each transaction, as it was committed.
    committed: Vec<Vec<Change>>,
    holding: bool,
    is_held: bool,
    failing: bool,
    forgotten: HashSet<RequestId>,
    /// How often the history was read.
    histories: usize,
}

impl Hand {
    /// A store for one manager. The next one of the same hand finds what this one kept.
    pub fn store(&self) -> HandStore {
        HandStore { hand: self.clone(), blocking: false }
    }

    /// The same, called in a thread of its own, as one that waits for a disk.
    pub fn blocking_store(&self) -> HandStore {
        HandStore { hand: self.clone(), blocking: true }
    }

    /// From now on a commit does not return. For blocking stores.
    pub fn hold(&self) {
        self.shared.state.lock().expect("sound").holding = true;
    }

    /// Waits until a commit is held back.
    pub async fn reached(&self) {
        loop {
            let held = self.shared.held.notified();
            if self.shared.state.lock().expect("sound").is_held {
                return;
            }
            held.await;
        }
    }

    /// Lets commits return.
    pub fn release(&self) {
        self.shared.state.lock().expect("sound").holding = false;
        self.shared.released.notify_all();
    }

    /// From now on commits fail.
    pub fn fail(&self) {
        self.shared.state.lock().expect("sound").failing = true;
    }

    /// Commits succeed again.
    pub fn mend(&self) {
        self.shared.state.lock().expect("sound").failing = false;
    }

    /// As if the request had been purged.
    pub fn forget(&self, id: RequestId) {
        self.shared.state.lock().expect("sound").forgotten.insert(id);
    }

    /// How often the history was read.
    pub fn histories(&self) -> usize {
        self.shared.state.lock().expect("sound").histories
    }

    /// How many transactions were committed.
    pub fn commits(&self) -> usize {
        self.shared.state.lock().expect("sound").committed.len()
    }

    /// Whether a state of the request was committed.
    pub fn has_committed(&self, id: RequestId, wanted: impl Fn(&Request) -> bool) -> bool {
        let state = self.shared.state.lock().expect("sound");
        state
            .committed
            .iter()
            .flatten()
            .any(|change| matches!(change, Change::Request(request) if request.id == id && wanted(request)))
    }
}

pub struct HandStore {
    hand: Hand,
    blocking: bool,
}

impl Store for HandStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.hand.shared.state.lock().expect("sound").store.load()
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        let shared = &self.hand.shared;
        let mut state = shared.state.lock().expect("sound");
        while state.holding && self.blocking {
            state.is_held = true;
            shared.held.notify_waiters();
            state = shared.released.wait(state).expect("sound");
        }
        state.is_held = false;
        if state.failing {
            return Err(StoreError::Io { source: "the test's hand is on the disk".into() });
        }
        state.store.commit(batch)?;
        state.committed.push(batch.to_vec());
        Ok(())
    }

    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        let mut state = self.hand.shared.state.lock().expect("sound");
        if state.forgotten.contains(&id) {
            return Ok(None);
        }
        state.store.request(id)
    }

    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        let mut state = self.hand.shared.state.lock().expect("sound");
        state.histories += 1;
        state.store.history(filter)
    }

    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        self.hand.shared.state.lock().expect("sound").store.motions(request)
    }

    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        self.hand.shared.state.lock().expect("sound").store.faults(filter)
    }

    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        self.hand.shared.state.lock().expect("sound").store.purge(purge)
    }

    fn is_blocking(&self) -> bool {
        self.blocking
    }
}
