//! The slot that is kept for the cleaning cartridge (RSM: `ReserveNtmsCleanerSlot`, `ReleaseNtmsCleanerSlot`).

use autochanger_scsi::ElementAddress;

use super::Engine;
use super::schedule::Start;
use crate::id::{LibraryIndex, RequestId};
use crate::request::{Failure, FailureKind, Outcome, State};
use crate::time::Now;

impl Engine {
    pub(crate) fn start_reserve_cleaner_slot(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        slot: ElementAddress,
        now: Now,
    ) -> Start {
        let Some(library) = self.library_mut(index) else { return Start::Gone };
        let name = library.config.name.clone();
        let taken = library.cleaner_slot.filter(|taken| *taken != slot);
        let vacant = library.elements.is_vacant(slot) || library.cleaner_slot == Some(slot);
        let problem = match (taken, vacant) {
            (Some(taken), _) => {
                Some(alloc::format!("slot {taken} of {name} is the cleaner's: release it first"))
            }
            (None, false) => Some(alloc::format!("slot {slot} of {name} is not empty")),
            (None, true) => None,
        };
        if let Some(message) = problem {
            self.fail(id, Failure::new(FailureKind::DestinationFull, message), now);
            return Start::Gone;
        }
        library.cleaner_slot = Some(slot);
        self.keep_library(index);
        self.end(id, State::Passed(Outcome::Done), now);
        Start::Gone
    }

    pub(crate) fn start_release_cleaner_slot(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        now: Now,
    ) -> Start {
        let Some(library) = self.library_mut(index) else { return Start::Gone };
        let name = library.config.name.clone();
        let message = match library.cleaner_slot {
            None => alloc::format!("{name} keeps no slot for a cleaner"),
            Some(slot) if !library.elements.is_vacant(slot) => {
                alloc::format!("the cleaner's slot {slot} of {name} is not empty: eject the cleaner first")
            }
            Some(_) => {
                library.cleaner_slot = None;
                self.keep_library(index);
                self.end(id, State::Passed(Outcome::Done), now);
                return Start::Gone;
            }
        };
        self.fail(id, Failure::new(FailureKind::Refused, message), now);
        Start::Gone
    }
}
