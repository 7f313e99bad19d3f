//! How an inventory begins, and how it ends.

use alloc::boxed::Box;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use super::live::Phase;
use super::round::Reconciled;
use super::schedule::Start;
use super::work::{Timer, Work};
use crate::changer::ask::Refusal;
use crate::changer::initialize::Initialized;
use crate::changer::inventory::{Inventory, NotRead, ReadInventory};
use crate::changer::survey::TYPES;
use crate::id::{LibraryIndex, RequestId};
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::quirk::{Quirk, ToldBy};
use crate::request::{Failure, FailureKind, InventoryMethod, Operation, State, Wanted};
use crate::time::Now;
use crate::view::LibraryError;

/// Refreshes that may follow one another at once: one for each attention that a change of a library raises, and one more.
const REFRESHES_IN_A_ROW: u32 = 3;
pub(crate) const PORTS: [ElementType; 1] = [ElementType::ImportExport];

impl Engine {
    /// How the request's inventory is made: as it was asked for, else as the library's configuration says.
    pub(crate) fn method_of(&self, index: LibraryIndex, id: RequestId) -> InventoryMethod {
        let asked = match self.live.get(&id).map(|live| &live.request.wanted) {
            Some(Wanted::Inventory { method, .. }) => *method,
            Some(Wanted::DoorAccess { then, .. }) => then.method(),
            // Whether a cleaner that came through the door is in its slot is found out by looking.
            Some(Wanted::InjectCleaner { .. }) => Some(InventoryMethod::Fast),
            _ => Some(InventoryMethod::Nothing),
        };
        let own = || self.library(index).map(|library| library.config.inventory_method);
        asked.or_else(own).unwrap_or_default()
    }

    pub(crate) fn start_inventory(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        if self.method_of(index, id) == InventoryMethod::Nothing {
            let known = self.library(index).map(|library| Reconciled::known(&library.elements));
            self.end(id, State::Passed(known.unwrap_or_default().outcome(None)), now);
            return Start::Gone;
        }
        let Some(library) = self.library_mut(index) else { return Start::Gone };
        if !library.is_still() {
            return Start::Hold;
        }
        library.reading = true;
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Beginning;
        }
        self.set_state(id, State::InProcess);
        self.outbox.after(Effect::BegunDurably(id));
        Start::Gone
    }

    pub(crate) fn begin_inventory(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let full = self.method_of(index, id) == InventoryMethod::Full;
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Reading;
        }
        let Some(library) = self.library_mut(index) else { return };
        library.elements.try_drives_again();
        library.arms_refused.clear();
        library.ports.try_again();
        library.unheard = library.unheard.map(|_| 0);
        let initialize = library.initialize();
        if full {
            self.begin(index, Work::Initialize(id, initialize), now);
        } else {
            self.read_elements(index, Some(id), &TYPES, now);
        }
    }

    pub(crate) fn read_elements(
        &mut self,
        index: LibraryIndex,
        request: Option<RequestId>,
        kinds: &'static [ElementType],
        now: Now,
    ) {
        let Some(library) = self.library_mut(index) else { return };
        library.reading = true;
        let config = &library.config;
        let mut reading =
            ReadInventory::new(library.geometry, kinds, library.style, config.timing, config.max_transfer)
                .in_dialect(library.dialect);
        if kinds == TYPES {
            // Magazines come and go; the element addresses of mode page 1Dh were read when the library was opened.
            reading = reading.thorough();
        }
        let unasked = core::mem::take(&mut library.look.unasked);
        self.begin(index, Work::Inventory { request, unasked, kinds, reading: Box::new(reading) }, now);
    }

    /// Reads again what unit attentions touched. Of a library that may be another one, or have other elements, that is all there
    /// is: it is opened anew, while callers see it as it was.
    pub(crate) fn refresh(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let stale = core::mem::replace(&mut library.stale, Stale::Nothing);
        // One that follows close upon another counts; after some in a row requests are served in between.
        let timing = library.config.timing;
        let close = now.monotonic.saturating_sub(library.refresh_after) < timing.retry_max;
        library.refreshes = if close { library.refreshes.saturating_add(1) } else { 1 };
        let doublings = library.refreshes.saturating_sub(REFRESHES_IN_A_ROW).min(16);
        let pause = if doublings == 0 {
            Duration::ZERO
        } else {
            timing.retry_min.saturating_mul(1 << doublings).min(timing.retry_max)
        };
        library.refresh_after = now.monotonic.saturating_add(pause);
        if pause > Duration::ZERO {
            let at = library.refresh_after;
            self.set_timer(at, Timer::Schedule(index));
        }
        match stale {
            Stale::Library => self.begin_open(index, now),
            Stale::Ports => self.read_elements(index, None, &PORTS, now),
            Stale::All | Stale::Nothing => self.read_elements(index, None, &TYPES, now),
        }
    }

    pub(crate) fn initialized(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        result: Result<Initialized, Refusal>,
        now: Now,
    ) {
        if let Some(library) = self.library_mut(index) {
            match &result {
                Ok(initialized) => library.note_initialized(*initialized),
                Err(refusal) if refusal.is_illegal(0x20) => {
                    library.quirks.insert(Quirk::NoInitialize);
                }
                Err(_) => {}
            }
        }
        if self.stopping(id) {
            return self.inventory_stopped(index, id, now);
        }
        match result {
            Ok(_) => self.read_elements(index, Some(id), &TYPES, now),
            Err(refusal) => {
                if let Some(library) = self.library_mut(index) {
                    library.reading = false;
                }
                self.inventory_failed(index, Some(id), &refusal, "INITIALIZE ELEMENT STATUS", now);
            }
        }
    }

    pub(crate) fn inventory_stopped(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        if let Some(library) = self.library_mut(index) {
            library.reading = false;
        }
        self.stop_here(id, now);
    }

    pub(crate) fn inventory_read(
        &mut self,
        index: LibraryIndex,
        request: Option<RequestId>,
        kinds: &'static [ElementType],
        result: Result<Inventory, NotRead>,
        now: Now,
    ) {
        if let Some(library) = self.library_mut(index) {
            library.reading = false;
        }
        match result {
            Ok(inventory) => {
                if let Some(library) = self.library_mut(index) {
                    library.style = inventory.style;
                    if kinds == TYPES {
                        library.quirks.retain(|known| known.told_by() != ToldBy::Reading);
                    }
                    library.quirks.extend(inventory.quirks.iter().copied());
                }
                if kinds == TYPES {
                    self.follow_slots(index, &inventory.elements, now);
                    self.find_drives(index, &inventory, now);
                    self.look_for_unheard(index);
                }
                self.note_look(index, kinds == TYPES, now);
                let found = self.reconcile(index, &inventory.elements, kinds, now);
                self.wake_after_inventory(index);
                self.look_at_ports(index);
                if kinds == TYPES {
                    self.heed_conditions(index, now);
                    self.look_for_stray(index, now);
                }
                if let Some(id) = request {
                    if self.operation(id) == Some(Operation::InjectCleaner) {
                        return self.cleaner_came_by_door(index, id, now);
                    }
                    if self.method_of(index, id).reads_labels() {
                        return self.begin_labels(index, id, found, now);
                    }
                    self.end(id, State::Passed(found.outcome(None)), now);
                }
            }
            Err(not_read) => {
                self.inventory_failed(index, request, &not_read.refusal, "READ ELEMENT STATUS", now);
            }
        }
    }

    fn inventory_failed(
        &mut self,
        index: LibraryIndex,
        request: Option<RequestId>,
        refusal: &Refusal,
        command: &str,
        now: Now,
    ) {
        if let Refusal::Path(fault) = refusal {
            self.path_lost(index, fault.clone(), now);
        }
        let Some(id) = request else {
            // What is stale stays stale: the library is surveyed anew before anything moves.
            if !matches!(refusal, Refusal::Path(_)) && self.library(index).is_some_and(|l| !l.opening) {
                let device = self.library_name(index).into();
                let what = alloc::format!("it answered {command} with {refusal}");
                self.unusable(index, LibraryError::Unfit { device, what }, now);
            }
            return;
        };
        let kind = match refusal {
            Refusal::Path(_) => FailureKind::PathLost,
            _ if refusal.is_illegal(0x20) => FailureKind::Refused,
            _ => FailureKind::LibraryFault,
        };
        let message = alloc::format!("{} answered {command} with {refusal}", self.library_name(index));
        self.fail(id, Failure::new(kind, message).with_sense(refusal.sense()), now);
    }

    /// What an inventory freed may be what somebody waits for.
    pub(crate) fn wake_after_inventory(&mut self, index: LibraryIndex) {
        let Some(library) = self.library(index) else { return };
        let drives: alloc::vec::Vec<ElementAddress> =
            library.elements.of_kind(ElementType::Drive).map(|element| element.name.address).collect();
        for drive in drives {
            self.wake_for_drive(index, drive);
        }
        self.wake(index, Blocker::Slot);
    }
}
