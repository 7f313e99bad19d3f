//! The slot that is kept for the cleaning cartridge (RSM: `ReserveNtmsCleanerSlot`, `ReleaseNtmsCleanerSlot`).

use alloc::string::ToString;
use alloc::sync::Arc;

use autochanger_scsi::ElementAddress;

use super::Engine;
use super::emit::Effect;
use super::identity::kind_of;
use super::schedule::Start;
use crate::catalog::{Caller, MediumKind, Role};
use crate::id::{LibraryIndex, RequestId, Token};
use crate::library::Library;
use crate::output::{Answer, EventKind, Refusal};
use crate::request::{CartridgeRef, Failure, FailureKind, Operation, Outcome, State, Wanted};
use crate::time::Now;

/// Why the cleaner's slot does not let a request be carried out.
#[derive(Debug, Clone, Copy)]
enum Obstacle {
    /// That slot is the cleaner's already.
    Taken(ElementAddress),
    /// The library keeps none.
    Missing,
    /// There is a cartridge in it.
    Full(ElementAddress),
    /// The slot that is to become the cleaner's is not empty.
    NotEmpty(ElementAddress),
}

impl Obstacle {
    fn refusal(self, library: Arc<str>) -> Refusal {
        match self {
            Self::Taken(slot) => Refusal::CleanerSlotTaken { library, slot: slot.0 },
            Self::Missing => Refusal::CleanerSlotMissing { library },
            Self::Full(slot) => Refusal::CleanerInSlot { library, slot: slot.0 },
            Self::NotEmpty(slot) => Refusal::SlotFull { library, slot: slot.0, held: "a cartridge".into() },
        }
    }

    fn failure(self, library: &str) -> Failure {
        let (kind, message) = match self {
            Self::Taken(slot) => (
                FailureKind::CleanerSlotTaken,
                alloc::format!("slot {slot} of {library} is the cleaner's already"),
            ),
            Self::Missing => {
                (FailureKind::CleanerSlotMissing, alloc::format!("{library} keeps no slot for a cleaner"))
            }
            Self::Full(slot) => (
                FailureKind::CleanerInSlot,
                alloc::format!("the cleaner's slot {slot} of {library} is not empty"),
            ),
            Self::NotEmpty(slot) => {
                (FailureKind::DestinationFull, alloc::format!("slot {slot} of {library} is not empty"))
            }
        };
        Failure::new(kind, message)
    }
}

/// What stands in the way of the request as things are now.
fn obstacle(library: &Library, wanted: &Wanted) -> Option<Obstacle> {
    match (wanted, library.cleaner_slot) {
        (Wanted::ReserveCleanerSlot { slot, .. }, Some(taken)) if taken != *slot => {
            Some(Obstacle::Taken(taken))
        }
        (Wanted::ReserveCleanerSlot { .. }, Some(_)) => None,
        (Wanted::ReserveCleanerSlot { slot, .. }, None) => {
            (!library.elements.is_vacant(*slot)).then_some(Obstacle::NotEmpty(*slot))
        }
        (_, None) => Some(Obstacle::Missing),
        (Wanted::ReleaseCleanerSlot { .. } | Wanted::InjectCleaner { .. }, Some(slot)) => {
            (!library.elements.is_vacant(slot)).then_some(Obstacle::Full(slot))
        }
        (_, Some(_)) => None,
    }
}

impl Engine {
    /// What cannot be carried out is refused when it is handed in; but where somebody is about to change the cleaner's slot
    /// or what is in it, it is found out when its turn comes.
    pub(crate) fn check_cleaner_slot(&self, index: LibraryIndex, wanted: &Wanted) -> Result<(), Refusal> {
        let Some(library) = self.library(index) else { return Ok(()) };
        let Some(obstacle) = obstacle(library, wanted) else { return Ok(()) };
        let changes = [
            Operation::ReserveCleanerSlot,
            Operation::ReleaseCleanerSlot,
            Operation::InjectCleaner,
            Operation::EjectCleaner,
        ];
        let about_to = changes
            .into_iter()
            .any(|operation| library.id.is_some_and(|id| self.live.in_line(id, operation).next().is_some()));
        let leaves = |slot| library.elements.get(slot).is_some_and(|slot| slot.reserved_by.is_some());
        match obstacle {
            Obstacle::Full(slot) | Obstacle::NotEmpty(slot) if leaves(slot) => Ok(()),
            _ if about_to => Ok(()),
            obstacle => Err(obstacle.refusal(library.config.name.clone())),
        }
    }

    /// Ends the request where the cleaner's slot does not let it be carried out.
    pub(crate) fn fails_by_cleaner_slot(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> bool {
        let (Some(library), Some(live)) = (self.library(index), self.live.get(&id)) else { return false };
        let Some(obstacle) = obstacle(library, &live.request.wanted) else { return false };
        let failure = obstacle.failure(&library.config.name);
        self.fail(id, failure, now);
        true
    }

    pub(crate) fn start_reserve_cleaner_slot(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        slot: ElementAddress,
        now: Now,
    ) -> Start {
        if !self.fails_by_cleaner_slot(index, id, now) {
            self.keep_cleaner_slot(index, id, Some(slot), now);
        }
        Start::Gone
    }

    pub(crate) fn start_release_cleaner_slot(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        now: Now,
    ) -> Start {
        if !self.fails_by_cleaner_slot(index, id, now) {
            self.keep_cleaner_slot(index, id, None, now);
        }
        Start::Gone
    }

    fn keep_cleaner_slot(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        slot: Option<ElementAddress>,
        now: Now,
    ) {
        let Some(library) = self.library_mut(index) else { return };
        library.cleaner_slot = slot;
        let name = library.config.name.clone();
        self.keep_library(index);
        self.outbox.after(Effect::Event(EventKind::CleanerSlot { library: name, slot }));
        self.end(id, State::Passed(Outcome::Done), now);
    }

    /// How often a cleaning cartridge can be used yet (RSM: `dwCleanerUsesRemaining`, written by `SetNtmsObjectInformation`).
    pub(crate) fn set_cleaner_uses(
        &mut self,
        token: Token,
        caller: &Caller,
        cartridge: &CartridgeRef,
        uses: Option<u32>,
    ) {
        let answer = self.try_set_cleaner_uses(caller, cartridge, uses);
        self.outbox.after(Effect::Answer(token, Answer::CleanerUses(answer)));
    }

    fn try_set_cleaner_uses(
        &mut self,
        caller: &Caller,
        cartridge: &CartridgeRef,
        uses: Option<u32>,
    ) -> Result<(), Refusal> {
        if let Some(reason) = &self.store_failed {
            return Err(Refusal::Store { reason: reason.to_string() });
        }
        let (role, needed) = (caller.role, Role::Operator);
        if !role.suffices_for(needed) {
            // It says what a cartridge is, for everybody.
            return Err(Refusal::RoleNeeded { operation: Operation::Classify, role, needed });
        }
        let resolved = self.check_cartridge(cartridge, true)?;
        let known = resolved.cartridge.and_then(|id| self.catalogue.cartridge(id));
        match known.filter(|known| kind_of(known) == MediumKind::Cleaning).map(|known| known.id) {
            Some(id) => {
                self.keep_cleaner(id, |cleaner| cleaner.uses_left = uses);
                Ok(())
            }
            None => Err(Refusal::NotACleaner { cartridge: cartridge.to_string() }),
        }
    }
}
