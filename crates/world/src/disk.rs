//! What is on the disk.

use std::collections::BTreeMap;

use autochanger_engine::catalog::{
    Cartridge, DriveRecord, FaultRecord, LibraryRecord, MotionRecord, MotionState, MountRecord,
};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::Request;
use autochanger_engine::{Change, Snapshot};

/// What is on the disk.
#[derive(Debug, Default, Clone)]
pub struct Disk {
    /// Known libraries.
    pub libraries: Vec<LibraryRecord>,
    /// Known cartridges.
    pub cartridges: BTreeMap<CartridgeId, Cartridge>,
    /// All requests, those that have ended, too.
    pub requests: BTreeMap<RequestId, Request>,
    /// All motions, by request and number.
    pub motions: BTreeMap<(RequestId, u32), MotionRecord>,
    /// What is mounted.
    pub mounts: BTreeMap<RequestId, MountRecord>,
    /// Known drives, by library and element address.
    pub drives: BTreeMap<(LibraryId, u16), DriveRecord>,
    /// All that failed, by request and number.
    pub faults: BTreeMap<(RequestId, u32), FaultRecord>,
}

impl Disk {
    /// Commits one batch, as it is: checkers have looked at it before.
    ///
    /// # Panics
    /// If there is a kind of change that this disk does not know.
    pub fn commit(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Library(record) => {
                    self.libraries.retain(|known| known.id != record.id);
                    self.libraries.push(record);
                }
                Change::Cartridge(cartridge) => {
                    self.cartridges.insert(cartridge.id, cartridge);
                }
                Change::CartridgeGone(id) => {
                    self.cartridges.remove(&id);
                }
                Change::Request(request) => {
                    self.requests.insert(request.id, request);
                }
                Change::Motion(motion) => {
                    self.motions.insert((motion.request, motion.sequence), motion);
                }
                Change::Mount(mount) => {
                    self.mounts.insert(mount.id, mount);
                }
                Change::MountEnded(id) => {
                    self.mounts.remove(&id);
                }
                Change::Drive(drive) => {
                    self.drives.insert((drive.library, drive.element.0), drive);
                }
                Change::Fault(fault) => {
                    self.faults.insert((fault.request, fault.sequence), fault);
                }
                _ => unreachable!("a change that this disk does not know"),
            }
        }
    }

    /// What a store hands to a manager that starts: what has not ended, and what that needs.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let is_live = |id: &RequestId| self.requests.get(id).is_some_and(|request| !request.state.is_final());
        Snapshot {
            libraries: self.libraries.clone(),
            cartridges: self.cartridges.values().cloned().collect(),
            requests: self.requests.values().filter(|request| is_live(&request.id)).cloned().collect(),
            motions: self.motions.values().filter(|motion| is_live(&motion.request)).cloned().collect(),
            mounts: self.mounts.values().cloned().collect(),
            drives: self.drives.values().cloned().collect(),
        }
    }

    /// What a purge of everything that has ended would delete: a request stays whose medium is mounted, or that has a motion in
    /// doubt.
    #[must_use]
    pub fn purgeable(&self) -> Vec<RequestId> {
        let in_doubt = |id: RequestId| {
            let mut motions = self.motions.range((id, 0)..=(id, u32::MAX));
            motions.any(|(_, motion)| matches!(motion.state, MotionState::Open | MotionState::Unknown))
        };
        let ended = self.requests.values().filter(|request| request.state.is_final());
        ended.map(|request| request.id).filter(|id| !self.mounts.contains_key(id) && !in_doubt(*id)).collect()
    }

    /// Deletes requests with their motions and faults.
    pub fn purge(&mut self, ids: &[RequestId]) {
        for id in ids {
            self.requests.remove(id);
        }
        self.motions.retain(|(id, _), _| !ids.contains(id));
        self.faults.retain(|(id, _), _| !ids.contains(id));
    }
}
