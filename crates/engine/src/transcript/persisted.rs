//! What was decided: the changes of one transaction.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Transcript, at, join};
use crate::catalog::{MotionRecord, MotionState};
use crate::id::BatchId;
use crate::output::Change;
use crate::request::{Request, State};

/// Changes of one transaction that are told; the others are counted. A survey changes thousands of cartridges at once.
const CHANGES_SHOWN: usize = 8;

impl Transcript {
    pub(super) fn decided(&mut self, batch: BatchId, changes: &[Change]) -> String {
        for change in changes {
            match change {
                Change::Cartridge(cartridge) => self.names.labelled(cartridge),
                Change::Library(library) => self.names.recorded(library.id, &library.identity),
                _ => {}
            }
        }
        // A transaction has no order of its own: what is few and matters is told before what is many.
        let mut ordered: Vec<&Change> = changes.iter().collect();
        ordered.sort_by_key(|change| rank(change));
        let mut told: Vec<String> =
            ordered.iter().take(CHANGES_SHOWN).map(|change| self.change(change)).collect();
        if let Some(more) = ordered.len().checked_sub(CHANGES_SHOWN).filter(|more| *more > 0) {
            told.push(format!("{more} more changes"));
        }
        format!("batch {}: {}", batch.0, join(told.into_iter(), "; "))
    }

    fn change(&mut self, change: &Change) -> String {
        match change {
            Change::Request(request) => self.changed(request),
            Change::Motion(motion) => self.motion(motion),
            Change::Mount(mount) => format!(
                "{} has {} in drive {}{} for {}",
                self.names.request(mount.id),
                self.names.cartridge(mount.cartridge),
                mount.drive,
                self.names.of_library(mount.library),
                mount.application
            ),
            Change::Drive(drive) => format!(
                "drive {}{} is {}",
                drive.element,
                self.names.of_library(drive.library),
                drive.service
            ),
            Change::Fault(fault) => {
                format!("{}: fault of the {}: {}", self.names.request(fault.request), fault.of, fault.message)
            }
            Change::CartridgeGone(id) => format!("{} is forgotten", self.names.cartridge(*id)),
            Change::MountEnded(id) => format!("the mount of {} is over", self.names.request(*id)),
            Change::Library(library) => {
                let name = self.names.library(library.id);
                match library.blame.uses {
                    0 => format!("{name} is known"),
                    motions => format!("{name} has made {motions} motions"),
                }
            }
            Change::Cartridge(cartridge) => {
                let name = self.names.cartridge(cartridge.id);
                let library = self.names.of_library(cartridge.library);
                at(&name, &library, &cartridge.place)
            }
        }
    }

    fn changed(&mut self, request: &Request) -> String {
        let mut text = format!("{} {}", self.names.request(request.id), request.state);
        if let (State::InProcess, Some(drive)) = (&request.state, request.drive) {
            text.push_str(&format!(" with drive {drive}"));
        }
        if let (false, Some(by)) = (request.state.is_final(), &request.stopping) {
            text.push_str(&format!(", to be stopped by {by}"));
        }
        text
    }

    fn motion(&mut self, motion: &MotionRecord) -> String {
        let name = self.names.request(motion.request);
        match motion.state {
            MotionState::Open => format!(
                "{name} moves {} from {} to {}{}, intent {}",
                self.names.cartridge(motion.cartridge),
                motion.source,
                motion.destination,
                self.names.of_library(motion.library),
                motion.sequence
            ),
            state => format!("intent {} of {name}: {state}", motion.sequence),
        }
    }
}

fn rank(change: &Change) -> u8 {
    match change {
        Change::Request(_) => 0,
        Change::Motion(_) => 1,
        Change::Mount(_) | Change::MountEnded(_) => 2,
        Change::Library(_) | Change::Fault(_) => 3,
        Change::Cartridge(_) | Change::CartridgeGone(_) => 4,
        Change::Drive(_) => 5,
    }
}
