//! A store that forgets: maps in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use autochanger_engine::catalog::{
    Cartridge, DriveRecord, FaultRecord, LibraryRecord, MotionRecord, MotionState, MountRecord,
};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::Request;
use autochanger_engine::time::WallTime;
use autochanger_engine::{Change, Snapshot};
use autochanger_scsi::ElementAddress;

use super::purge::end_of;
use super::{End, FaultFilter, HistoryFilter, Purge, Purged, Store, StoreError, Sweep};

/// Keeps everything in memory: for tests, and for programs that want no file. What it holds ends with the process.
///
/// Of the requests that have ended it keeps the last [`MAX_ENDED`](Self::MAX_ENDED), with their motions and faults.
#[derive(Debug, Default)]
pub struct MemoryStore {
    libraries: BTreeMap<LibraryId, LibraryRecord>,
    cartridges: BTreeMap<CartridgeId, Cartridge>,
    requests: BTreeMap<RequestId, Request>,
    live: BTreeSet<RequestId>,
    /// In the order in which they ended: the first is the first to be forgotten.
    ended: BTreeSet<End>,
    motions: BTreeMap<(RequestId, u32), MotionRecord>,
    open_motions: BTreeSet<(RequestId, u32)>,
    mounts: BTreeMap<RequestId, MountRecord>,
    drives: BTreeMap<(LibraryId, ElementAddress), DriveRecord>,
    faults: BTreeMap<(RequestId, u32), FaultRecord>,
    /// In the order in which they happened.
    fault_times: BTreeSet<(WallTime, RequestId, u32)>,
}

impl MemoryStore {
    /// How many ended requests are kept, the oldest being forgotten first, but none whose medium is still mounted: a month of a library that never rests (an arm
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
                Change::Library(_) | Change::Cartridge(_) | Change::CartridgeGone(_) => continue,
                Change::Motion(_) => continue,
                Change::Mount(_) | Change::MountEnded(_) | Change::Drive(_) | Change::Fault(_) => continue,
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
            Change::CartridgeGone(id) => {
                self.cartridges.remove(id);
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
            Change::Drive(drive) => {
                self.drives.insert((drive.library, drive.element), drive.clone());
            }
            Change::Fault(fault) => {
                let key = (fault.request, fault.sequence);
                if let Some(before) = self.faults.insert(key, fault.clone()) {
                    self.fault_times.remove(&(before.at, key.0, key.1));
                }
                self.fault_times.insert((fault.at, key.0, key.1));
            }
            _ => {} // `check` has refused it
        }
    }

    fn keep_request(&mut self, request: &Request) {
        if let Some(before) = self.requests.insert(request.id, request.clone())
            && let Some(end) = end_of(&before)
        {
            self.ended.remove(&end);
        }
        let Some(end) = end_of(request) else {
            self.live.insert(request.id);
            return;
        };
        self.live.remove(&request.id);
        self.ended.insert(end);
        self.keep_newest(Self::MAX_ENDED);
    }

    fn keep_newest(&mut self, keep: usize) -> Purged {
        let beyond = self.ended.len().saturating_sub(keep);
        self.purge_oldest(|number, _| number < beyond)
    }

    /// Goes through the ends, the oldest first, as long as they are wanted.
    fn purge_oldest(&mut self, wanted: impl Fn(usize, WallTime) -> bool) -> Purged {
        let mut purged = Purged::default();
        let mut ids = Vec::new();
        for (number, (at, id)) in self.ended.iter().enumerate() {
            if !wanted(number, *at) {
                break;
            }
            if self.is_held(*id) {
                purged.kept += 1;
            } else if ids.len() < Purge::MAX {
                ids.push(*id);
            } else {
                purged.more = true;
                break;
            }
        }
        purged.deleted = ids.len();
        ids.into_iter().for_each(|id| self.delete(id));
        purged
    }

    fn sweep(&mut self, sweep: &Sweep) -> Purged {
        let mut purged = Purged { reached: sweep.after, ..Purged::default() };
        let mut ids = Vec::new();
        let from = sweep.after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.ended.range((from, Bound::Unbounded)).take_while(|(at, _)| *at < sweep.before);
        for (looked_at, end) in behind.enumerate() {
            if looked_at == sweep.effective_limit() {
                purged.more = true;
                break;
            }
            purged.reached = Some(*end);
            if self.is_held(end.1) || self.requests.get(&end.1).is_some_and(|request| sweep.keeps(request)) {
                purged.kept += 1;
            } else {
                ids.push(end.1);
            }
        }
        purged.deleted = ids.len();
        ids.into_iter().for_each(|id| self.delete(id));
        purged
    }

    fn purge_these(&mut self, ids: &[RequestId]) -> Purged {
        let mut purged = Purged { more: ids.len() > Purge::MAX, ..Purged::default() };
        for id in ids.iter().take(Purge::MAX) {
            if !self.requests.contains_key(id) {
                purged.unknown += 1;
            } else if self.live.contains(id) || self.is_held(*id) {
                purged.kept += 1;
            } else {
                self.delete(*id);
                purged.deleted += 1;
            }
        }
        purged
    }

    /// Whether something that lives still speaks of the request.
    fn is_held(&self, id: RequestId) -> bool {
        self.mounts.contains_key(&id) || self.open_motions.range((id, 0)..=(id, u32::MAX)).next().is_some()
    }

    fn delete(&mut self, id: RequestId) {
        if let Some(end) = self.requests.remove(&id).as_ref().and_then(end_of) {
            self.ended.remove(&end);
        }
        for key in self.motion_keys(id) {
            self.motions.remove(&key);
        }
        let faults: Vec<_> = self.faults.range((id, 0)..=(id, u32::MAX)).map(|(key, _)| *key).collect();
        for key in faults {
            if let Some(fault) = self.faults.remove(&key) {
                self.fault_times.remove(&(fault.at, key.0, key.1));
            }
        }
    }

    fn motion_keys(&self, id: RequestId) -> Vec<(RequestId, u32)> {
        self.motions.range((id, 0)..=(id, u32::MAX)).map(|(key, _)| *key).collect()
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        let mut keys = self.open_motions.clone();
        keys.extend(self.live.iter().flat_map(|id| self.motion_keys(*id)));
        Ok(Snapshot {
            libraries: self.libraries.values().cloned().collect(),
            cartridges: self.cartridges.values().cloned().collect(),
            requests: self.live.iter().filter_map(|id| self.requests.get(id)).cloned().collect(),
            motions: keys.iter().filter_map(|key| self.motions.get(key)).cloned().collect(),
            mounts: self.mounts.values().cloned().collect(),
            drives: self.drives.values().cloned().collect(),
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

    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        let wanted = |fault: &&FaultRecord| filter.lets_through(fault);
        if let Some(id) = filter.request {
            let of_request = self.faults.range((id, 0)..=(id, u32::MAX)).rev().map(|(_, fault)| fault);
            return Ok(of_request.filter(wanted).take(filter.effective_limit()).cloned().collect());
        }
        let latest_first = self.fault_times.iter().rev().filter_map(|(_, id, n)| self.faults.get(&(*id, *n)));
        Ok(latest_first.filter(wanted).take(filter.effective_limit()).cloned().collect())
    }

    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        Ok(match purge {
            Purge::EndedBefore(moment) => self.purge_oldest(|_, at| at < *moment),
            Purge::KeepNewest(keep) => self.keep_newest(usize::try_from(*keep).unwrap_or(usize::MAX)),
            Purge::Requests(ids) => self.purge_these(ids),
            Purge::Sweep(sweep) => self.sweep(sweep),
        })
    }

    fn is_blocking(&self) -> bool {
        false
    }
}
