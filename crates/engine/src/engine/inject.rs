//! What a person puts into a port goes into a slot (RSM: `InjectNtmsMedia`, `InjectNtmsCleaner`).
//!
//! Each cartridge is a motion of its own, with an intent of its own; of many, several move at once where there are arms for it
//! (`parts.rs`). When there is nothing to move the request waits at the ports. That it waits is no step: nothing has moved for it yet.

use alloc::vec;
use alloc::vec::Vec;

use autochanger_scsi::ElementType;

use super::Engine;
use super::identity::kind_of;
use super::live::Phase;
use super::motion::Way;
use super::parts::{MAX_PARTS, moves_by_parts};
use super::schedule::Start;
use crate::catalog::{MediumKind, MotionRecord, MotionState};
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::queue::Blocker;
use crate::output::EventKind;
use crate::request::{
    CartridgeRef, ElementName, Failure, FailureKind, Operation, Outcome, State, Waiting, Wanted,
};
use crate::time::Now;
use crate::view::OperatorTask;

impl Engine {
    /// A cleaner goes into the slot that is kept for it, and nowhere else.
    pub(crate) fn start_inject_cleaner(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        if self.fails_by_cleaner_slot(index, id, now) {
            return Start::Gone;
        }
        if self.library(index).is_some_and(|library| library.elements.count(ElementType::ImportExport) == 0) {
            return self.start_door(index, id, now);
        }
        self.start_inject(index, id, now)
    }

    pub(crate) fn start_inject(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        let Some(live) = self.live.get(&id) else { return Start::Gone };
        if live.part_of.is_some() {
            return self.start_part(index, id, now);
        }
        let by_parts = moves_by_parts(&live.request.wanted);
        let may_take = live.came.len() + self.live.parts_of(id).count() < MAX_PARTS;
        if let Some(part) = self.waiting_part(id) {
            self.start_part(index, part, now);
            return Start::Again;
        }
        let Some(library) = self.library(index) else { return Start::Gone };
        let (name, cleaner_slot) = (library.config.name.clone(), library.cleaner_slot);
        let trouble = library.ports.trouble();
        if library.elements.count(ElementType::ImportExport) == 0 {
            let message = alloc::format!("{name} has no port: bring cartridges in through the door");
            self.fail(id, Failure::new(FailureKind::Refused, message), now);
            return Start::Gone;
        }
        // What it was taking in may have stayed in the arm.
        let own = self.live.get(&id).and_then(|live| live.request.cartridge.filter(|_| !by_parts));
        let own = own.and_then(|cartridge| {
            let place = self.standing_place(id, cartridge).ok()?;
            let busy = self.medium_is_busy(cartridge, id);
            (place.kind == ElementType::Transport && !busy).then_some((place, cartridge))
        });
        let Some((source, cartridge)) = own.or_else(|| self.brought(index).filter(|_| may_take)) else {
            if self.has_parts(id) {
                return self.carries(id);
            }
            if self.live.get(&id).is_some_and(|live| live.person_is_done) {
                if !self.ends_with_what_came(id, now) {
                    let message = alloc::format!("nothing lay in a port of {name} when it was taken in");
                    self.fail(id, Failure::new(FailureKind::SourceEmpty, message), now);
                }
                return Start::Gone;
            }
            let task = OperatorTask::FillPort { library: name, trouble };
            return self.wait_at_ports(index, id, task, now);
        };
        let slot = match self.live.get(&id).map(|live| &live.request.wanted) {
            Some(Wanted::InjectCleaner { .. }) => cleaner_slot,
            _ => self.slot_for_new(index, id, cartridge),
        };
        let Some(slot) = slot else {
            if self.has_parts(id) {
                return self.carries(id);
            }
            let (ports, cartridge) = (vec![source.address], self.cartridge_name(cartridge).into());
            let task = OperatorTask::EmptyPort { library: name, ports, cartridge, trouble };
            self.ask_person(id, task, now);
            self.begin_patience(index, id, now);
            if let Some(library) = self.library_mut(index) {
                library.ports.waiting.insert(id);
            }
            return Start::Blocked(Blocker::Slot);
        };
        self.end_patience(index, id);
        self.works_on(id, cartridge);
        let way = Way { source, destination: ElementName { kind: ElementType::Storage, address: slot } };
        let carrier = if by_parts { self.add_part(id, cartridge) } else { Some(id) };
        let Some(carrier) = carrier else { return Start::Gone };
        self.reserve_way(index, carrier, cartridge, way);
        self.intend(index, carrier, cartridge, way, now);
        if by_parts { Start::Again } else { Start::Gone }
    }

    /// There is nothing more to begin with before one of its parts has come to its end.
    fn carries(&mut self, id: RequestId) -> Start {
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Carrying;
        }
        Start::Gone
    }

    fn wait_at_ports(&mut self, index: LibraryIndex, id: RequestId, task: OperatorTask, now: Now) -> Start {
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::AtPort;
        }
        self.set_state(id, State::Waiting(Waiting::Operator));
        self.ask_person(id, task, now);
        self.begin_patience(index, id, now);
        if let Some(library) = self.library_mut(index) {
            library.ports.waiting.insert(id);
        }
        self.mark_dirty(index);
        Start::Gone
    }

    /// A cartridge is in its slot: the next one, or the end.
    pub(crate) fn injected(&mut self, index: LibraryIndex, id: RequestId, record: &MotionRecord, now: Now) {
        let whole = self.live.whole(id);
        let Some(live) = self.live.get_mut(&whole) else { return };
        live.came.push(record.cartridge);
        let (wanted, cartridges) = (live.request.wanted.clone(), live.came.clone());
        let (identify, priority) = (live.request.options.identify, live.request.priority);
        self.works_on(whole, record.cartridge);
        if let Wanted::InjectCleaner { uses, .. } = wanted {
            self.is_cleaner(record.cartridge, uses);
            self.clean_what_must_be(now);
        }
        if identify {
            self.identify_injected(index, record.cartridge, priority, now);
        }
        self.end(id, State::Passed(Outcome::Injected { cartridges }), now);
    }

    /// Its label is read by a request of the manager's own, for which the inject does not wait. It is durable together with where
    /// the cartridge is.
    fn identify_injected(&mut self, index: LibraryIndex, cartridge: CartridgeId, priority: i8, now: Now) {
        if self.catalogue.cartridge(cartridge).is_some_and(|known| kind_of(known) == MediumKind::Cleaning) {
            return;
        }
        let wanted = Wanted::Identify { cartridge: CartridgeRef::Id(cartridge), keep: false };
        if let Err(refusal) = self.submit_own(wanted, priority, now) {
            let what = alloc::format!(
                "the label of cartridge {} is not read: {refusal}",
                self.cartridge_name(cartridge)
            );
            let library = self.library_name(index).into();
            self.tell(EventKind::Warning { library, drive: None, what }, now);
        }
    }

    fn is_cleaner(&mut self, cartridge: CartridgeId, uses: Option<u32>) {
        self.keep_cleaner(cartridge, |cleaner| cleaner.uses_left = uses);
    }

    /// A cleaner that came through the door is in its slot, or nowhere.
    pub(crate) fn cleaner_came_by_door(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(library) = self.library(index) else { return };
        let Some(slot) = library.cleaner_slot else { return };
        let name = library.config.name.clone();
        let found = library.elements.get(slot).and_then(|element| element.cartridge);
        let uses = match self.live.get(&id).map(|live| &live.request.wanted) {
            Some(Wanted::InjectCleaner { uses, .. }) => *uses,
            _ => None,
        };
        match found {
            Some(cartridge) => {
                self.works_on(id, cartridge);
                self.is_cleaner(cartridge, uses);
                let cartridges = alloc::vec![cartridge];
                self.end(id, State::Passed(Outcome::Injected { cartridges }), now);
            }
            None => {
                let message = alloc::format!("no cartridge was put into the cleaner's slot {slot} of {name}");
                self.fail(id, Failure::new(FailureKind::NoCleaner, message), now);
            }
        }
    }

    /// What came before a restart, in the order in which it came.
    pub(crate) fn restore_injected(&mut self, motions: &[MotionRecord]) {
        // From a port, or from the arm in which it had stayed on its way.
        let taken_in = |motion: &&MotionRecord| {
            motion.destination.kind == ElementType::Storage && motion.state == MotionState::Moved
        };
        let mut moved: Vec<&MotionRecord> = motions.iter().filter(taken_in).collect();
        moved.sort_by_key(|motion| (motion.request, motion.sequence));
        for motion in moved {
            if let Some(live) = self.live.get_mut(&motion.request)
                && matches!(live.request.operation(), Operation::Inject | Operation::InjectCleaner)
            {
                live.came.push(motion.cartridge);
            }
        }
    }

    /// A person took it out of the port before the arm came, or filled the goal: the ports are looked at again.
    pub(crate) fn hands_were_faster(&self, id: RequestId, record: &MotionRecord, kind: FailureKind) -> bool {
        let at_port = |end: ElementName| end.kind == ElementType::ImportExport;
        let is_port_work = self.live.get(&id).is_some_and(|live| Self::uses_ports(&live.request.wanted));
        is_port_work
            && match kind {
                FailureKind::SourceEmpty => at_port(record.source),
                FailureKind::DestinationFull => true,
                _ => false,
            }
    }
}
