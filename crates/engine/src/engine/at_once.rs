//! Mounts that are refused rather than made to wait (RSM: `NTMS_MOUNT_ERROR_NOT_AVAILABLE`).

use alloc::collections::BTreeSet;
use alloc::string::String;

use super::Engine;
use super::choices::Want;
use crate::catalog::Service;
use crate::id::{LibraryIndex, RequestId};
use crate::library::assign::assign;
use crate::library::queue::Blocker;
use crate::output::Refusal;
use crate::request::{Failure, FailureKind};
use crate::time::Now;

impl Engine {
    /// The library serves, and media and drives are free at this moment: one for each.
    pub(crate) fn check_at_once(&self, index: LibraryIndex, wants: &[Want]) -> Result<(), Refusal> {
        let Some(library) = self.library(index) else { return Ok(()) };
        let name = &library.config.name;
        let busy = |what: String| Err(Refusal::Busy { what });
        if library.service != Service::Enabled {
            return busy(alloc::format!("library {name}, which is {}", library.service));
        }
        let in_use =
            |id: &_| self.catalogue.reserver(*id).is_some() || self.catalogue.mount_of(*id).is_some();
        if let Some(id) = wants.iter().filter_map(|want| want.cartridge).find(in_use) {
            return busy(alloc::format!("cartridge {}", self.cartridge_name(id)));
        }
        let nobody = BTreeSet::new();
        let choices: alloc::vec::Vec<_> =
            wants.iter().map(|want| self.choices(index, want, &nobody)).collect();
        let given = assign(&choices);
        match given.iter().position(|choice| choice.is_none_or(|choice| !choice.chance.is_now())) {
            None => Ok(()),
            Some(place) => match wants.get(place).and_then(|want| want.named) {
                Some(drive) => busy(alloc::format!("drive {drive} of {name}")),
                None => busy(alloc::format!("every drive of {name} that would do")),
            },
        }
    }

    /// It was promised not to wait. What has its medium in a drive, or on the way back from one, does nothing else.
    pub(crate) fn must_not_wait(&self, id: RequestId) -> bool {
        self.live.get(&id).is_some_and(|live| live.request.options.at_once && !live.putting_back)
    }

    /// Somebody else came first: it ends, instead of waiting.
    pub(crate) fn fail_busy(&mut self, index: LibraryIndex, id: RequestId, blocker: Blocker, now: Now) {
        let (name, library) = (
            self.live.get(&id).and_then(|live| live.request.cartridge).map(|id| self.cartridge_name(id)),
            self.library_name(index),
        );
        let what = match blocker {
            Blocker::Medium(medium) => alloc::format!("cartridge {} is", self.cartridge_name(medium)),
            Blocker::Drive(drive) => alloc::format!("drive {drive} of {library} is"),
            Blocker::AnyDrive(_) => alloc::format!("all drives of {library} that would do are"),
            Blocker::Slot => alloc::format!("all slots of {library} are"),
            Blocker::Port => alloc::format!("all ports of {library} are"),
            Blocker::Arm => alloc::format!("all arms of {library} are"),
            Blocker::Service => alloc::format!("{library} is taken out of service, or"),
        };
        let message = alloc::format!(
            "cartridge {} was to be mounted at once, and {what} in use",
            name.unwrap_or_default()
        );
        let busy = Failure::new(FailureKind::Busy, message);
        // It was in a drive, and that one did not do: this is what its caller has to know.
        let own =
            self.live.get(&id).and_then(|live| live.suspects.last()).map(|(_, failure)| failure.clone());
        let failure = own.map_or(busy, |own| self.placed_now(id, own));
        self.fail(id, failure, now);
    }
}
