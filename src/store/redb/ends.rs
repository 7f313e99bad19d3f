//! The index of ends: which requests are purged, and that it is done without reading the others.

use std::ops::Bound;

use ::redb::ReadableTable;
use ::redb::ReadableTableMetadata;
use autochanger_engine::id::RequestId;
use autochanger_engine::request::Request;
use autochanger_engine::time::WallTime;
use uuid::Uuid;

use super::file::storage_error;
use super::tables::{EndKey, IdKey, WriteTables, damaged, dangling, read_request};
use crate::store::purge::end_of;
use crate::store::{End, Purge, Purged, StoreError, Sweep};

fn end_key(request: &Request) -> Option<EndKey> {
    end_of(request).map(key_of)
}

fn key_of((at, id): End) -> EndKey {
    (at.0, id.0.as_u128())
}

impl WriteTables<'_> {
    /// Keeps the index true when a request is written over what was kept of it.
    pub(super) fn keep_end(&mut self, before: Option<&Request>, request: &Request) -> Result<(), StoreError> {
        let (old, new) = (before.and_then(end_key), end_key(request));
        if old == new {
            return Ok(());
        }
        if let Some(old) = old {
            self.ended.remove(old).map_err(storage_error)?;
        }
        if let Some(new) = new {
            self.ended.insert(new, ()).map_err(storage_error)?;
        }
        Ok(())
    }

    /// Makes the index of a file that has none.
    pub(super) fn index_ends(&mut self) -> Result<(), StoreError> {
        for row in self.requests.iter().map_err(storage_error)? {
            let (key, value) = row.map_err(storage_error)?;
            // One that cannot be read keeps nobody from starting. It is not purged, and whoever asks for it is told.
            let Ok(request) = read_request(key.value(), value.value()) else { continue };
            if let Some(end) = end_key(&request) {
                self.ended.insert(end, ()).map_err(storage_error)?;
            }
        }
        Ok(())
    }

    pub(super) fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        match purge {
            Purge::EndedBefore(moment) => self.purge_oldest(|_, (at, _)| at < moment.0),
            Purge::KeepNewest(keep) => {
                let beyond = self.ended.len().map_err(storage_error)?.saturating_sub(*keep);
                self.purge_oldest(|number, _| number < beyond)
            }
            Purge::Requests(ids) => self.purge_these(ids),
            Purge::Sweep(sweep) => self.sweep(sweep),
        }
    }

    /// Goes through the ends, the oldest first, as long as they are wanted.
    fn purge_oldest(&mut self, wanted: impl Fn(u64, EndKey) -> bool) -> Result<Purged, StoreError> {
        let mut purged = Purged::default();
        let mut ends = Vec::new();
        for (number, row) in (0..).zip(self.ended.iter().map_err(storage_error)?) {
            let end = row.map_err(storage_error)?.0.value();
            if !wanted(number, end) {
                break;
            }
            if self.is_held(end.1)? {
                purged.kept += 1;
            } else if ends.len() < Purge::MAX {
                ends.push(end);
            } else {
                purged.more = true;
                break;
            }
        }
        for end in ends {
            self.delete(end)?;
            purged.deleted += 1;
        }
        Ok(purged)
    }

    fn sweep(&mut self, sweep: &Sweep) -> Result<Purged, StoreError> {
        let mut purged = Purged { reached: sweep.after, ..Purged::default() };
        let mut ends = Vec::new();
        let from = sweep.after.map_or(Bound::Unbounded, |end| Bound::Excluded(key_of(end)));
        let behind = self.ended.range::<EndKey>((from, Bound::Unbounded)).map_err(storage_error)?;
        for (looked_at, row) in behind.enumerate() {
            let end = row.map_err(storage_error)?.0.value();
            if end.0 >= sweep.before.0 {
                break;
            }
            if looked_at == sweep.effective_limit() {
                purged.more = true;
                break;
            }
            purged.reached = Some((WallTime(end.0), RequestId(Uuid::from_u128(end.1))));
            if self.is_held(end.1)? || self.is_kept(end.1, sweep)? {
                purged.kept += 1;
            } else {
                ends.push(end);
            }
        }
        for end in ends {
            self.delete(end)?;
            purged.deleted += 1;
        }
        Ok(purged)
    }

    /// Whether the sweep leaves it. One that cannot be read may be one of those; whoever asks for it is told.
    fn is_kept(&self, id: IdKey, sweep: &Sweep) -> Result<bool, StoreError> {
        if !sweep.keep_failed {
            return Ok(false);
        }
        let request = self.requests.get(id).map_err(storage_error)?;
        let request = request.map(|bytes| read_request(id, bytes.value()));
        Ok(request.is_some_and(|request| request.map_or(true, |request| sweep.keeps(&request))))
    }

    fn purge_these(&mut self, ids: &[RequestId]) -> Result<Purged, StoreError> {
        let mut purged = Purged { more: ids.len() > Purge::MAX, ..Purged::default() };
        for id in ids.iter().take(Purge::MAX) {
            let key = id.0.as_u128();
            let request = self.requests.get(key).map_err(storage_error)?;
            let request = request.map(|bytes| read_request(key, bytes.value())).transpose()?;
            match request.as_ref().map(end_key) {
                None => purged.unknown += 1,
                Some(Some(end)) if !self.is_held(key)? => {
                    self.delete(end)?;
                    purged.deleted += 1;
                }
                Some(_) => purged.kept += 1,
            }
        }
        Ok(purged)
    }

    /// Whether something that lives still speaks of the request.
    fn is_held(&self, id: IdKey) -> Result<bool, StoreError> {
        let mounted = self.mounts.get(id).map_err(storage_error)?.is_some();
        let mut open = self.open_motions.range((id, 0)..=(id, u32::MAX)).map_err(storage_error)?;
        Ok(mounted || open.next().transpose().map_err(storage_error)?.is_some())
    }

    fn delete(&mut self, end: EndKey) -> Result<(), StoreError> {
        let key = end.1;
        let name = || Uuid::from_u128(key).to_string();
        if self.live.get(key).map_err(storage_error)?.is_some() {
            return Err(damaged("ended", name(), "names a request that has not ended".into()));
        }
        self.ended.remove(end).map_err(storage_error)?;
        if self.requests.remove(key).map_err(storage_error)?.is_none() {
            return Err(dangling("ended", name()));
        }
        let mut motions = Vec::new();
        for row in self.motions.range((key, 0)..=(key, u32::MAX)).map_err(storage_error)? {
            motions.push(row.map_err(storage_error)?.0.value());
        }
        for motion in motions {
            self.motions.remove(motion).map_err(storage_error)?;
        }
        self.delete_faults(key)
    }
}
