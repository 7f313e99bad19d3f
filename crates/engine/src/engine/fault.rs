//! Whose fault a failure was, counted and kept.

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use crate::catalog::{FaultRecord, MotionRecord};
use crate::id::{LibraryIndex, RequestId};
use crate::output::{Change, EventKind};
use crate::request::{Failure, FailureKind, FaultOf};
use crate::time::Now;

impl Engine {
    /// Keeps a failure of a device or medium, and counts it for whose fault it was. What callers got wrong is not counted.
    pub(crate) fn blame(
        &mut self,
        id: RequestId,
        of: FaultOf,
        drive: Option<ElementAddress>,
        failure: &Failure,
        now: Now,
    ) {
        if !matches!(of, FaultOf::Medium | FaultOf::Drive | FaultOf::Library | FaultOf::Path) {
            return;
        }
        let Some(cartridge) = self.live.get(&id).map(|live| live.request.cartridge) else { return };
        let id = self.live.whole(id);
        let Some(live) = self.live.get_mut(&id) else { return };
        live.faults = live.faults.saturating_add(1);
        let index = live.library;
        let application = live.request.application.clone();
        let record = FaultRecord {
            request: id,
            sequence: live.faults,
            at: now.wall,
            of,
            kind: failure.kind,
            library: live.request.library,
            cartridge,
            drive,
            message: failure.message.clone(),
            sense: failure.sense,
        };
        self.outbox.change(Change::Fault(record.clone()));
        self.outbox.after(Effect::Event(EventKind::Fault { fault: record, application }));
        match (of, index, drive, cartridge) {
            (FaultOf::Medium, _, _, Some(cartridge)) => self.keep_cartridge(cartridge, |cartridge| {
                cartridge.blame.faults = cartridge.blame.faults.saturating_add(1);
            }),
            (FaultOf::Drive, Some(index), Some(drive), _) => {
                let is_suspect =
                    |engine: &Self| engine.library(index).is_some_and(|library| library.is_suspect(drive));
                let before = is_suspect(self);
                let limit =
                    self.library(index).map_or(0, |library| usize::from(library.config.suspect_after));
                self.keep_drive(index, drive, |drive| {
                    drive.blame.faults = drive.blame.faults.saturating_add(1);
                    // More than make it suspect are not counted.
                    drive.row.extend(cartridge.filter(|_| drive.row.len() < limit));
                });
                if !before && is_suspect(self) {
                    self.needs_service(index, Some(drive), failure.message.clone(), now);
                }
            }
            (FaultOf::Library, Some(index), _, _) => {
                if let Some(library) = self.library_mut(index) {
                    library.blame.faults = library.blame.faults.saturating_add(1);
                }
                self.keep_library(index);
                if failure.kind == FailureKind::LibraryFault {
                    self.ask_alerts(index, None, now);
                }
            }
            _ => {}
        }
    }

    /// What was used for a motion that has ended well is counted, in the same transaction: what came of a load does not matter.
    /// The cartridge is kept with its new place.
    pub(crate) fn count_motion(&mut self, index: LibraryIndex, record: &MotionRecord) {
        if let Some(library) = self.library_mut(index) {
            library.blame.uses = library.blame.uses.saturating_add(1);
        }
        self.keep_library(index);
        if record.destination.kind == ElementType::Drive {
            self.keep_drive(index, record.destination.address, |drive| {
                drive.blame.uses = drive.blame.uses.saturating_add(1);
            });
            if let Some(mut cartridge) = self.catalogue.cartridge(record.cartridge).cloned() {
                cartridge.blame.uses = cartridge.blame.uses.saturating_add(1);
                self.catalogue.put(cartridge);
            }
        }
    }

    /// A request fails: whose fault that is follows from what failed, but where a medium failed in several drives it is the
    /// medium's.
    pub(crate) fn blame_end(&mut self, id: RequestId, failure: &Failure, now: Now) {
        let Some(live) = self.live.get(&id) else { return };
        let loads = live.request.operation().loads();
        let drive = live.request.drive;
        let of = match failure.kind.fault_of() {
            FaultOf::Drive | FaultOf::Medium if loads && !live.suspects.is_empty() => FaultOf::Medium,
            of => of,
        };
        self.blame(id, of, drive, failure, now);
    }

    /// The medium came ready after all: the drives in which it did not are to blame.
    pub(crate) fn blame_suspects(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        for (drive, failure) in core::mem::take(&mut live.suspects) {
            self.blame(id, FaultOf::Drive, Some(drive), &failure, now);
        }
    }
}
