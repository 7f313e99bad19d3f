//! A person at the door (RSM: `AccessNtmsLibraryDoor`): the robot rests, the door is unlocked, opened and closed, and what is where
//! is read afterwards.

use super::Engine;
use super::emit::Effect;
use super::live::Phase;
use super::schedule::Start;
use super::work::Work;
use crate::changer::door::{DoorSeen, WatchDoor};
use crate::id::{LibraryIndex, RequestId};
use crate::library::fault::Stale;
use crate::request::{Failure, FailureKind, InventoryMethod, Outcome, State, Waiting};
use crate::time::Now;
use crate::view::OperatorTask;

impl Engine {
    pub(crate) fn start_door(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        let Some(library) = self.library_mut(index) else { return Start::Gone };
        if !library.is_still() || library.ports.busy.is_some() {
            return Start::Hold;
        }
        library.reading = true;
        let (name, timing, dialect) = (library.config.name.clone(), library.config.timing, library.dialect);
        let Some(live) = self.live.get_mut(&id) else { return Start::Gone };
        // An earlier process had come as far as the inventory: nobody is asked to the door a second time.
        if live.steps_sent {
            self.begin_after_door(id);
            return Start::Gone;
        }
        live.phase = Phase::Door;
        self.set_state(id, State::Waiting(Waiting::Operator));
        self.ask_person(id, OperatorTask::UseDoor { library: name }, now);
        if let Some(library) = self.library_mut(index) {
            library.ports.locked = None;
        }
        self.begin(index, Work::Door(id, WatchDoor::new(timing, dialect)), now);
        Start::Gone
    }

    /// The door has been open for long.
    pub(crate) fn door_is_open_for_long(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(library) = self.library(index).map(|library| library.config.name.clone()) else { return };
        self.ask_person(id, OperatorTask::CloseDoor { library }, now);
    }

    pub(crate) fn door_over(&mut self, index: LibraryIndex, id: RequestId, seen: DoorSeen, now: Now) {
        self.withdraw_task(id);
        if let DoorSeen::Lost(fault) = seen {
            let message =
                alloc::format!("{} was lost while its door was used: {fault}", self.library_name(index));
            self.fail(id, Failure::new(FailureKind::PathLost, message), now);
            return self.path_lost(index, fault, now);
        }
        self.doubt_labels(index);
        if self.method_of(index, id) == InventoryMethod::Nothing {
            // Nothing is asked for; what hands may have changed is known all the same before anything moves.
            if let Some(library) = self.library_mut(index) {
                library.touch(Stale::All);
            }
            return self.end(id, State::Passed(Outcome::Done), now);
        }
        self.begin_after_door(id);
    }

    /// That the inventory begins is made durable first.
    fn begin_after_door(&mut self, id: RequestId) {
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Beginning;
        }
        self.set_state(id, State::InProcess);
        self.outbox.after(Effect::BegunDurably(id));
    }

    pub(crate) fn begin_inventory_after_door(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        // What the door raised is answered by this reading.
        if let Some(library) = self.library_mut(index) {
            library.stale = if library.stale > Stale::All { library.stale } else { Stale::Nothing };
        }
        self.begin_inventory(index, id, now);
    }
}
