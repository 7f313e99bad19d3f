//! What serves and what does not: enable, pause, drain and disable a library, a drive, a cartridge, with what follows
//! (RSM: `EnableNtmsObject`, `DisableNtmsObject`).

use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use super::live::Phase;
use super::schedule::Start;
use crate::catalog::Service;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::queue::Blocker;
use crate::output::EventKind;
use crate::planted::Bug;
use crate::request::{CancelledBy, Failure, FailureKind, Operation, Outcome, ServiceTarget, State};
use crate::time::Now;

/// What a service lets begin.
enum Admission {
    Yes,
    Wait,
    Refuse,
}

fn admission(service: Service, operation: Operation) -> Admission {
    use Operation::*;
    match (service, operation) {
        // What changes the service, and what only changes the catalogue.
        (_, DisableLibrary | EnableLibrary | DisableDrive | EnableDrive | DisableMedia | EnableMedia) => {
            Admission::Yes
        }
        (_, UpdateLabel | Classify | ReserveCleanerSlot | ReleaseCleanerSlot) => Admission::Yes,
        (Service::Enabled, _) => Admission::Yes,
        (Service::Disabled, _) => Admission::Refuse,
        // A library is paused to work on it.
        (Service::Paused | Service::Draining, DoorAccess | Inventory) => Admission::Yes,
        (Service::Draining, Dismount | Eject | EjectCleaner) => Admission::Yes,
        (Service::Paused | Service::Draining, _) => Admission::Wait,
    }
}

impl Engine {
    /// Whether the library's service keeps the request from beginning.
    pub(crate) fn kept_by_service(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Option<Start> {
        let operation = self.operation(id)?;
        let library = self.library(index)?;
        match admission(library.service, operation) {
            // What is drained waits for what is loaded: that goes back to its slot.
            _ if library.service == Service::Draining
                && self.live.get(&id).is_some_and(|live| live.putting_back) =>
            {
                None
            }
            Admission::Yes => None,
            Admission::Wait => Some(Start::Blocked(Blocker::Service)),
            Admission::Refuse => {
                let message = alloc::format!("library {} is disabled", library.config.name);
                let disabled = Failure::new(FailureKind::Disabled, message);
                // Why a medium is put back is what its caller has to know; where it stays is told with it.
                let own = self.live.get(&id).and_then(|live| live.request.failing.clone());
                let failure = own.map_or(disabled, |own| self.placed_now(id, own));
                self.fail(id, failure, now);
                Some(Start::Gone)
            }
        }
    }

    /// Whether a step may begin outside of the queue's order.
    pub(crate) fn serves(&self, index: LibraryIndex, operation: Operation) -> bool {
        self.library(index)
            .is_some_and(|library| matches!(admission(library.service, operation), Admission::Yes))
    }

    pub(crate) fn start_service(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        let Some(live) = self.live.get(&id) else { return Start::Gone };
        let cartridge = live.request.cartridge;
        let Some((target, service)) = live.request.service_wanted() else { return Start::Gone };
        if self.awaits_service(index, id, now) {
            return Start::Gone;
        }
        self.service_taken_over(index, id, &target, now);
        self.supersede(index, id, &target, service, now);
        match target {
            ServiceTarget::Library(_) => self.set_library_service(index, service, now),
            ServiceTarget::Drive { drive, .. } => self.set_drive_service(index, drive, service, now),
            ServiceTarget::Cartridge(_) => {
                if let Some(cartridge) = cartridge {
                    self.set_cartridge_service(index, id, cartridge, service, now);
                }
            }
        }
        self.set_state(id, State::InProcess);
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Settling;
            // It is in force: whatever ends the request now, something was done for it.
            live.steps_sent = true;
        }
        if let Some(library) = self.library_mut(index) {
            library.settling.insert(id);
        }
        self.mark_dirty(index);
        Start::Gone
    }

    /// The last word counts: an earlier change of the same service that waits for its effect would come to it later, by itself.
    fn supersede(
        &mut self,
        index: LibraryIndex,
        by: RequestId,
        target: &ServiceTarget,
        service: Service,
        now: Now,
    ) {
        let other = |id: &RequestId| {
            let wanted = self.live.get(id).and_then(|live| live.request.service_wanted());
            wanted.is_some_and(|(other, before)| is_same(target, &other) && before != service)
        };
        let Some(library) = self.library(index) else { return };
        let earlier: Vec<RequestId> = library.settling.iter().copied().filter(other).collect();
        for id in earlier {
            self.end(id, State::Stopped { place: None, by: CancelledBy::Superseded { by } }, now);
        }
    }

    pub(crate) fn set_library_service(&mut self, index: LibraryIndex, service: Service, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        library.service = service;
        let name = library.config.name.clone();
        self.keep_library(index);
        self.outbox.after(Effect::Event(EventKind::Service { library: name, drive: None, service }));
        match service {
            Service::Enabled => self.wake_all(index, Blocker::Service),
            Service::Draining => self.wake_all(index, Blocker::Service),
            Service::Paused if self.planted.is(Bug::PauseThatIsForgotten) => {}
            Service::Paused => self.retract_unsent(index, now),
            Service::Disabled => {
                self.retract_unsent(index, now);
                // Each fails in its turn, by the service.
                self.wake_all(index, Blocker::Service);
                self.wake_everyone(index);
            }
        }
    }

    /// Who waits for anything is tried again: nothing that it waits for will come.
    fn wake_everyone(&mut self, index: LibraryIndex) {
        let blocked: Vec<RequestId> = self
            .live
            .values()
            .filter(|live| live.library == Some(index) && live.ending.is_none())
            .filter(|live| {
                let for_somebody = matches!(live.phase, Phase::AtPort | Phase::Operator | Phase::Owner);
                live.blocker().is_some() || for_somebody
            })
            .map(|live| live.request.id)
            .collect();
        self.try_again(index, &blocked);
    }

    fn set_drive_service(&mut self, index: LibraryIndex, drive: ElementAddress, service: Service, now: Now) {
        self.keep_drive(index, drive, |state| {
            state.service = service;
            // Somebody has looked at it.
            if service == Service::Enabled {
                state.must_clean = false;
                state.row.clear();
                state.unyielding = Default::default();
            }
        });
        let name = self.library(index).map(|library| library.config.name.clone()).unwrap_or_default();
        self.outbox.after(Effect::Event(EventKind::Service { library: name, drive: Some(drive), service }));
        if service != Service::Enabled {
            self.retract_loads_of(index, drive, now);
        }
        self.who_waits_finds_out(index, drive);
        match service {
            Service::Enabled => self.wake_for_drive(index, drive),
            Service::Paused => {}
            // What nobody has mounted goes back to its slot.
            Service::Draining | Service::Disabled => {
                self.have_emptied(index, drive, now);
            }
        }
    }

    fn set_cartridge_service(
        &mut self,
        index: LibraryIndex,
        by: RequestId,
        cartridge: CartridgeId,
        service: Service,
        now: Now,
    ) {
        let disabled = service != Service::Enabled;
        self.keep_cartridge(cartridge, |cartridge| cartridge.disabled = disabled);
        if !disabled {
            return;
        }
        self.retract_loads_with(index, cartridge, now);
        let waiting: Vec<RequestId> = self
            .live
            .values()
            .filter(|live| live.request.cartridge == Some(cartridge) && live.request.id != by)
            .filter(|live| live.is_in_queue() || matches!(live.phase, Phase::Owner | Phase::Operator))
            .filter(|live| live.library == Some(index) && live.ending.is_none() && !live.putting_back)
            .filter(|live| uses_medium(live.request.operation()))
            .map(|live| live.request.id)
            .collect();
        for id in waiting {
            let message = alloc::format!("cartridge {} is disabled", self.cartridge_name(cartridge));
            self.fail(id, Failure::new(FailureKind::Disabled, message), now);
        }
    }

    /// Ends changes of service whose effect is there: what was under way has come to its end.
    pub(crate) fn settle_services(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library(index) else { return };
        let settling: Vec<_> = library
            .settling
            .iter()
            .filter_map(|id| Some((*id, self.live.get(id)?.request.service_wanted()?)))
            .collect();
        for (id, (target, service)) in settling {
            let there = match &target {
                ServiceTarget::Library(_) => self.library_came_to(index, service),
                ServiceTarget::Drive { drive, .. } => self.drive_came_to(index, *drive, service),
                ServiceTarget::Cartridge(_) => true,
            };
            if !there {
                // A mount that was under way can have left its medium since, and nobody else would send it home.
                if let (ServiceTarget::Drive { drive, .. }, Service::Draining | Service::Disabled) =
                    (&target, service)
                {
                    self.displace(index, *drive, now);
                }
                continue;
            }
            if service == Service::Draining {
                match target {
                    ServiceTarget::Library(_) => self.set_library_service(index, Service::Paused, now),
                    ServiceTarget::Drive { drive, .. } => {
                        self.set_drive_service(index, drive, Service::Paused, now);
                    }
                    ServiceTarget::Cartridge(_) => {}
                }
            }
            self.end(id, State::Passed(Outcome::Done), now);
        }
    }

    fn library_came_to(&self, index: LibraryIndex, service: Service) -> bool {
        let Some(library) = self.library(index) else { return true };
        match service {
            Service::Enabled => true,
            Service::Paused | Service::Disabled => library.motions.is_empty(),
            Service::Draining => {
                let mounted = library
                    .elements
                    .of_kind(ElementType::Drive)
                    .any(|element| element.drive.as_ref().is_some_and(|drive| drive.mount.is_some()));
                // Who works with a drive has reserved it.
                let works = |id: RequestId| {
                    self.live.get(&id).filter(|live| live.ending.is_none()).is_some_and(|live| {
                        matches!(live.phase, Phase::Loading | Phase::Labelling) || live.putting_back
                    })
                };
                let loading = library
                    .elements
                    .of_kind(ElementType::Drive)
                    .any(|element| element.reserved_by.is_some_and(works));
                library.motions.is_empty() && !mounted && !loading
            }
        }
    }

    fn drive_came_to(&self, index: LibraryIndex, drive: ElementAddress, service: Service) -> bool {
        let Some(library) = self.library(index) else { return true };
        let Some(element) = library.elements.get(drive) else { return true };
        let moving = library
            .motions
            .values()
            .any(|motion| [motion.record.source.address, motion.record.destination.address].contains(&drive));
        match service {
            Service::Enabled => true,
            Service::Paused => !moving,
            Service::Draining | Service::Disabled => {
                let empty = element.cartridge.is_none() && !element.full && element.reserved_by.is_none();
                let kept = service == Service::Disabled
                    && element.drive.as_ref().is_some_and(|drive| drive.mount.is_some());
                !moving && (empty || kept)
            }
        }
    }
}

/// Whether both speak of one library's or one drive's service. A cartridge's has no effect to wait for.
fn is_same(one: &ServiceTarget, other: &ServiceTarget) -> bool {
    match (one, other) {
        (ServiceTarget::Library(_), ServiceTarget::Library(_)) => true,
        (ServiceTarget::Drive { drive: one, .. }, ServiceTarget::Drive { drive: other, .. }) => one == other,
        _ => false,
    }
}

/// Whether an operation reads, writes or moves the medium for somebody. A disabled one may still be taken out.
pub(crate) fn uses_medium(operation: Operation) -> bool {
    matches!(operation, Operation::Mount | Operation::Identify | Operation::WriteFreeLabel)
}
