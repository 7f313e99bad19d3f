//! A store that forgets: maps in memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use autochanger_engine::catalog::{Cartridge, LibraryRecord, MotionRecord, MotionState, MountRecord};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::Request;
use autochanger_engine::{Change, Snapshot};

use super::{HistoryFilter, Store, StoreError};

/// Keeps everything in memory: for tests, and for programs that want no file. What it holds ends with the process.
///
/// Of the requests that have ended it keeps the last [`MAX_ENDED`](Self::MAX_ENDED), with their motions.
#[derive(Debug, Default)]
pub struct MemoryStore {
    libraries: BTreeMap<LibraryId, LibraryRecord>,
    cartridges: BTreeMap<CartridgeId, Cartridge>,
    requests: BTreeMap<RequestId, Request>,
    live: BTreeSet<RequestId>,
    /// In the order in which they ended: the first is the first to be forgotten.
    ended: VecDeque<RequestId>,
    motions: BTreeMap<(RequestId, u32), MotionRecord>,
    open_motions: BTreeSet<(RequestId, u32)>,
    mounts: BTreeMap<RequestId, MountRecord>,
}

impl MemoryStore {
    /// How many ended requests are kept, the oldest being forgotten first: a month of a library that never rests (an arm
    /// does some hundred moves an hour), in less than 100 MB.
    pub const MAX_ENDED: usize = 100_000;

    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses before anything is applied, so that a batch is kept whole or not at all.
    fn check(&self, batch: &[Change]) -> Result<(), StoreError> {
        let mut ends = BTreeMap::new();
        for change in batch {
            let request = match change {
                Change::Request(request) => request,
                Change::Library(_) | Change::Cartridge(_) | Change::Motion(_) => continue,
                Change::Mount(_) | Change::MountEnded(_) => continue,
                unknown => return Err(super::unknown_change(unknown)),
            };
            let before = ends.get(&request.id).copied().or_else(|| self.requests.get(&request.id));
            if let Some(before) = before
                && before.state.is_final()
                && before.state != request.state
            {
                return Err(StoreError::Ended { id: request.id, state: before.state.to_string() });
            }
            if request.state.is_final() {
                ends.insert(request.id, request);
            }
        }
        Ok(())
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Library(library) => {
                self.libraries.insert(library.id, library.clone());
            }
            Change::Cartridge(cartridge) => {
                self.cartridges.insert(cartridge.id, cartridge.clone());
            }
            Change::Request(request) => self.keep_request(request),
            Change::Motion(motion) => {
                let key = (motion.request, motion.sequence);
                if motion.state == MotionState::Open {
                    self.open_motions.insert(key);
                } else {
                    self.open_motions.remove(&key);
                }
                self.motions.insert(key, motion.clone());
            }
            Change::Mount(mount) => {
                self.mounts.insert(mount.id, mount.clone());
            }
            Change::MountEnded(id) => {
                self.mounts.remove(id);
            }
            _ => {} // `check` has refused it
        }
    }

    fn keep_request(&mut self, request: &Request) {
        let was_live = self.live.contains(&request.id);
        let was_known = self.requests.insert(request.id, request.clone()).is_some();
        if !request.state.is_final() {
            self.live.insert(request.id);
        } else if was_live || !was_known {
            self.live.remove(&request.id);
            self.ended.push_back(request.id);
            while self.ended.len() > Self::MAX_ENDED {
                self.forget_the_oldest();
            }
        }
    }

    fn forget_the_oldest(&mut self) {
        let Some(id) = self.ended.pop_front() else { return };
        self.requests.remove(&id);
        let closed = |key: &(RequestId, u32)| !self.open_motions.contains(key);
        let keys: Vec<_> =
            self.motions.range((id, 0)..=(id, u32::MAX)).map(|(&key, _)| key).filter(closed).collect();
        for key in keys {
            self.motions.remove(&key);
        }
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot {
            libraries: self.libraries.values().cloned().collect(),
            cartridges: self.cartridges.values().cloned().collect(),
            requests: self.live.iter().filter_map(|id| self.requests.get(id)).cloned().collect(),
            motions: self
                .motions
                .iter()
                .filter(|(key, motion)| {
                    self.live.contains(&motion.request) || self.open_motions.contains(*key)
                })
                .map(|(_, motion)| motion.clone())
                .collect(),
            mounts: self.mounts.values().cloned().collect(),
        })
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        self.check(batch)?;
        batch.iter().for_each(|change| self.apply(change));
        Ok(())
    }

    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        Ok(self.requests.get(&id).cloned())
    }

    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        let older = match filter.before {
            Some(before) => self.requests.range(..before),
            None => self.requests.range(..),
        };
        let newest_first =
            older.rev().map(|(_, request)| request).filter(|request| filter.lets_through(request));
        Ok(newest_first.take(filter.effective_limit()).cloned().collect())
    }

    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        Ok(self.motions.range((request, 0)..=(request, u32::MAX)).map(|(_, motion)| motion.clone()).collect())
    }

    fn is_blocking(&self) -> bool {
        false
    }
}
