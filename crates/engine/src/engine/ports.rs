//! Locks, trays and looks at the ports: what they should be like follows from who waits and from what lies in them, and one
//! command at a time brings them there.

use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::live::{Live, Phase};
use super::motion::Way;
use super::work::{Timer, Work};
use crate::changer::ask::Refusal;
use crate::changer::port::{Errand, RunErrand};
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::Library;
use crate::library::elements::ElementState;
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::output::EventKind;
use crate::quirk::Quirk;
use crate::request::{ElementName, Failure, FailureKind, Operation, Outcome, State};
use crate::time::Now;
use crate::view::OperatorTask;

const PORTS: [ElementType; 1] = [ElementType::ImportExport];

impl Engine {
    /// Does one thing about the ports that is due. Whether there was one.
    pub(crate) fn tend_ports(&mut self, index: LibraryIndex, now: Now) -> bool {
        let Some(library) = self.library(index) else { return false };
        if library.ports.busy.is_some() || !self.changer_is_idle(index) {
            return false;
        }
        let (timing, dialect, arm_is_busy) = (library.config.timing, library.dialect, library.arm_is_busy());
        let waits =
            !library.ports.waiting.is_empty() || library.queue.waiting_for(Blocker::Port).next().is_some();
        let look = waits && library.ports.next_look <= now.monotonic;
        let at_port = library.ports.waiting.iter().any(|id| {
            let waits =
                |live: &Live| live.phase == Phase::AtPort && live.ending.is_none() && !live.person_is_done;
            self.live.get(id).is_some_and(waits)
        });
        let errand = due(library, at_port, now.monotonic);
        let is_due = look || errand.is_some();
        if let Some(library) = self.library_mut(index) {
            let since = library.ports.held_up.unwrap_or(now.monotonic);
            library.ports.held_up = (is_due && arm_is_busy).then_some(since);
        }
        if arm_is_busy {
            return false;
        }
        if look {
            let next = now.monotonic.saturating_add(timing.port_poll);
            if let Some(library) = self.library_mut(index) {
                library.ports.next_look = next;
            }
            self.set_timer(next, Timer::Schedule(index));
            self.read_elements(index, None, &PORTS, now);
            return true;
        }
        let Some(errand) = errand else { return false };
        if let Some(library) = self.library_mut(index) {
            library.ports.busy = Some(errand);
        }
        self.begin(index, Work::Port(errand, RunErrand::new(errand, timing, dialect)), now);
        true
    }

    /// Whether the arms are to rest for the ports: trays are taken in, all of them before an arm reaches into the first, or a person has
    /// waited so long for something to be done there. Two arms are never idle by chance.
    pub(crate) fn ports_have_their_turn(&self, index: LibraryIndex, now: Now) -> bool {
        self.library(index).is_some_and(|library| {
            if matches!(library.ports.busy, Some(Errand::Close(_))) {
                return true;
            }
            let held_up = library.ports.held_up.map(|since| now.monotonic.saturating_sub(since));
            held_up.is_some_and(|time| time >= library.config.timing.port_poll)
        })
    }

    /// What a command about locks or trays came to. What the library does not know is not asked of it again; what it does not do
    /// now is tried again with pauses, and whoever waits for a person is told.
    pub(crate) fn port_tended(
        &mut self,
        index: LibraryIndex,
        errand: Errand,
        result: Result<(), Refusal>,
        now: Now,
    ) {
        let Some(library) = self.library_mut(index) else { return };
        let (timing, name) = (library.config.timing, library.config.name.clone());
        let ports = &mut library.ports;
        ports.busy = None;
        let Err(refusal) = result else {
            ports.refused.remove(&errand);
            match errand {
                Errand::Lock(locked) => ports.locked = Some(locked),
                Errand::Open(port) => drop(ports.open.insert(port)),
                Errand::Close(port) => drop(ports.open.remove(&port)),
            }
            if matches!(errand, Errand::Close(_)) {
                self.look_into_what_was_taken_in(index);
            }
            return self.tell_trouble_at_ports(index, now);
        };
        if refusal.is_illegal(0x20) || refusal.is_illegal(0x24) {
            match errand {
                Errand::Lock(_) => {
                    ports.lock_refused = true;
                    library.quirks.insert(Quirk::NoPrevent);
                }
                Errand::Open(_) => {
                    ports.open_refused = true;
                    library.quirks.insert(Quirk::NoPortCommand);
                }
                // It was put out by hand, and is taken in by hand.
                Errand::Close(port) => drop(ports.open.remove(&port)),
            }
            return;
        }
        let first = !ports.refused.contains_key(&errand);
        let why = alloc::format!("it was asked to {errand} and answered {refusal}");
        match ports.note_refused(errand, why.as_str().into(), timing, now.monotonic) {
            Some(again_at) => drop(self.set_timer(again_at, Timer::Schedule(index))),
            // A port that cannot be taken in shows when the arm is to reach in.
            None => {
                if let Errand::Close(port) = errand {
                    ports.open.remove(&port);
                }
            }
        }
        if let Refusal::Path(fault) = refusal {
            return self.path_lost(index, fault, now);
        }
        if first {
            self.tell(EventKind::Warning { library: name, drive: None, what: why }, now);
        }
        self.tell_trouble_at_ports(index, now);
    }

    /// What lies in a tray shows when that is in.
    fn look_into_what_was_taken_in(&mut self, index: LibraryIndex) {
        let Some(library) = self.library(index) else { return };
        let is_done = |id: &RequestId| self.live.get(id).is_some_and(|live| live.person_is_done);
        if library.ports.waiting.iter().any(is_done)
            && let Some(library) = self.library_mut(index)
        {
            library.stale = library.stale.max(Stale::Ports);
        }
    }

    /// Who waits for a person at a port says what is wrong with it.
    fn tell_trouble_at_ports(&mut self, index: LibraryIndex, now: Now) {
        let Some(found) = self.library(index).map(|library| library.ports.trouble()) else { return };
        let tasks: Vec<(RequestId, OperatorTask)> = self
            .live
            .values()
            .filter(|live| live.library == Some(index) && live.ending.is_none())
            .filter_map(|live| {
                let mut task = live.task.as_ref()?.0.clone();
                match &mut task {
                    OperatorTask::EmptyPort { trouble, .. } | OperatorTask::FillPort { trouble, .. } => {
                        trouble.clone_from(&found);
                    }
                    _ => return None,
                }
                Some((live.request.id, task))
            })
            .collect();
        for (id, task) in tasks {
            self.ask_person(id, task, now);
        }
    }

    /// The ports were read: who waits for what lies in them, or for room in them, goes on.
    pub(crate) fn look_at_ports(&mut self, index: LibraryIndex) {
        let Some(library) = self.library(index) else { return };
        let brought = self.brought(index).is_some();
        let all_seen = library.stale == Stale::Nothing && library.ports.open.is_empty();
        let waiting: Vec<RequestId> = library.ports.waiting.iter().copied().collect();
        for id in waiting {
            let Some(live) = self.live.get(&id).filter(|live| live.ending.is_none()) else { continue };
            match live.phase {
                Phase::AtPort if brought => self.queue_again(index, id),
                // All that was put in was seen: there is nothing more to wait for.
                Phase::AtPort if live.person_is_done && all_seen => self.queue_again(index, id),
                // What waited in the port for a slot was taken away again.
                Phase::Blocked(Blocker::Slot) if !brought => self.try_again(index, &[id]),
                _ => {}
            }
        }
        if brought {
            self.parts_look_at_ports(index);
        }
        if self.library(index).is_some_and(|library| library.elements.vacant_port(|_| false).is_some()) {
            self.wake(index, Blocker::Port);
        }
    }

    /// The first port with a cartridge that a person has brought, and that nobody works on.
    pub(crate) fn brought(&self, index: LibraryIndex) -> Option<(ElementName, CartridgeId)> {
        self.library(index)?.elements.of_kind(ElementType::ImportExport).find_map(|port| {
            let cartridge = port.cartridge?;
            let free = port.full && port.by_hand && !port.doubtful && port.reserved_by.is_none();
            (free && self.catalogue.reserver(cartridge).is_none()).then_some((port.name, cartridge))
        })
    }

    /// A person has so long, from now on. The time that runs already goes on.
    pub(crate) fn begin_patience(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(timeout) = self.library(index).map(|library| library.config.timing.port_timeout) else {
            return;
        };
        if self.live.get(&id).is_none_or(|live| live.port_timer.is_some()) {
            return;
        }
        let key = self.set_timer(now.monotonic.saturating_add(timeout), Timer::PortOver(id));
        if let Some(live) = self.live.get_mut(&id) {
            live.port_timer = Some(key);
        }
    }

    /// Nobody is waited for any more: a motion follows.
    pub(crate) fn end_patience(&mut self, index: LibraryIndex, id: RequestId) {
        if let Some(timer) = self.live.get_mut(&id).and_then(|live| live.port_timer.take()) {
            self.timers.remove(&timer);
        }
        if let Some(library) = self.library_mut(index) {
            library.ports.waiting.remove(&id);
        }
        self.withdraw_task(id);
    }

    /// An inject of many to which nothing more comes has what came before.
    pub(crate) fn ends_with_what_came(&mut self, id: RequestId, now: Now) -> bool {
        let came = self.live.get(&id).map(|live| live.came.clone()).unwrap_or_default();
        let some = !came.is_empty();
        if some {
            self.end(id, State::Passed(Outcome::Injected { cartridges: came }), now);
        }
        some
    }

    /// Nobody came (RSM: the port's time-out). An inject of many has what came before.
    pub(crate) fn port_over(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get_mut(&id).filter(|live| live.ending.is_none()) else { return };
        live.port_timer = None;
        let (Some(index), operation) = (live.library, live.request.operation()) else { return };
        if self.ends_with_what_came(id, now) {
            return;
        }
        let library = self.library_name(index);
        let message = match operation {
            Operation::Eject | Operation::EjectCleaner => {
                alloc::format!("no port of {library} was emptied within the time")
            }
            _ if self.brought(index).is_some() => {
                alloc::format!("no slot of {library} came free for what lies in its port")
            }
            _ => alloc::format!("nothing was put into a port of {library} within the time"),
        };
        self.fail(id, Failure::new(FailureKind::TimedOut, message), now);
    }

    /// Both ends of a motion and its cartridge are reserved together.
    pub(crate) fn reserve_way(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        way: Way,
    ) {
        self.catalogue.reserve(cartridge, id);
        // What is in an arm is nobody's choice, and its cartridge is reserved.
        let ends = [way.source, way.destination];
        for end in ends.into_iter().filter(|end| end.kind != ElementType::Transport) {
            let Some(live) = self.live.get_mut(&id) else { return };
            match end.kind {
                ElementType::Drive => live.request.drive = Some(end.address),
                ElementType::ImportExport => live.port = Some(end.address),
                ElementType::Storage | ElementType::Transport => self.change_slot(index, id, end.address),
            }
            if let Some(library) = self.library_mut(index) {
                library.elements.update(end.address, |element| element.reserved_by = Some(id));
            }
        }
    }

    /// A motion to or from a port that is out waits until that is taken in.
    pub(crate) fn port_is_out(&self, index: LibraryIndex, way: [ElementAddress; 2]) -> bool {
        self.library(index).is_some_and(|library| way.iter().any(|end| library.ports.open.contains(end)))
    }
}

/// The next thing to be done about locks and trays.
fn due(library: &Library, at_port: bool, now: Duration) -> Option<Errand> {
    let (ports, elements) = (&library.ports, &library.elements);
    let free = |port: &ElementState| port.reserved_by.is_none();
    let for_person = |port: &ElementState| port.full && port.ejected && free(port);
    let person = at_port || elements.of_kind(ElementType::ImportExport).any(for_person);
    let lock = |locked: bool| {
        let errand = Errand::Lock(locked);
        let wanted = !ports.lock_refused && ports.locked != Some(locked) && ports.may_try(errand, now);
        wanted.then_some(errand)
    };
    let out = |port: &ElementState| for_person(port) || (at_port && !port.full && free(port));
    let is_open = |port: &ElementState| ports.open.contains(&port.name.address);
    let all = || elements.of_kind(ElementType::ImportExport);
    let close = || {
        let errands =
            all().filter(|port| is_open(port) && !out(port)).map(|port| Errand::Close(port.name.address));
        errands.into_iter().find(|errand| ports.may_try(*errand, now))
    };
    let open = || {
        let known = !ports.open_refused && !library.tray_is_magazine();
        let wanted = all().filter(|port| known && !is_open(port) && out(port));
        wanted.map(|port| Errand::Open(port.name.address)).find(|errand| ports.may_try(*errand, now))
    };
    let unlock = if person { lock(false) } else { None };
    unlock.or_else(close).or_else(open).or_else(|| {
        let wanted = library.config.lock_ports && !person;
        if wanted { lock(true) } else { None }
    })
}
