//! A request that has not ended: where it stands, and what callers see of it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::ElementAddress;

use super::Engine;
use super::round::Round;
use super::work::TimerKey;
use crate::forecast::Why;
use crate::id::{CartridgeId, LibraryIndex, RequestId, SessionId, Token};
use crate::library::queue::{Blocker, Order};
use crate::request::{Failure, LabelFound, Operation, Place, Request, State};
use crate::time::WallTime;
use crate::view::OperatorTask;

/// A live request.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// The request; its state is what callers may see.
    pub(crate) request: Request,
    pub(crate) session: Option<SessionId>,
    /// `None` after a restart, until the library is there.
    pub(crate) library: Option<LibraryIndex>,
    pub(crate) phase: Phase,
    /// A step of it was sent to a device, or the service that it sets is in force.
    pub(crate) steps_sent: bool,
    /// Its end is decided and on its way to the store.
    pub(crate) ending: Option<State>,
    /// Who asked while its end was on its way.
    pub(crate) followers: Vec<Follower>,
    pub(crate) order: Order,
    /// What it was woken from; passed on when it cannot use it.
    pub(crate) woken_from: Option<Blocker>,
    /// Attempts at its current step that are known to have done nothing.
    pub(crate) attempts: u8,
    pub(crate) deadline: Option<TimerKey>,
    /// Its deadline passed while a step was in flight that could not be stopped.
    pub(crate) deadline_over: bool,
    pub(crate) pause: Option<TimerKey>,
    /// The slot that it has reserved.
    pub(crate) slot: Option<ElementAddress>,
    /// The port that it has reserved.
    pub(crate) port: Option<ElementAddress>,
    /// The person at its port or door says that everything is done.
    pub(crate) person_is_done: bool,
    /// When a person has had time enough.
    pub(crate) port_timer: Option<TimerKey>,
    /// What it has taken in so far.
    pub(crate) came: Vec<CartridgeId>,
    /// The request for which it moves one cartridge of several: see `parts.rs`.
    pub(crate) part_of: Option<RequestId>,
    /// How it ends when its parts have come to their ends.
    pub(crate) then_ends: Option<State>,
    /// How far an inventory has come with the labels.
    pub(crate) round: Option<Round>,
    /// The drive was unloaded for it.
    pub(crate) unloaded: bool,
    /// A deferred dismount whose drive is needed.
    pub(crate) due: bool,
    /// The drive that its group got for it.
    pub(crate) granted: Option<ElementAddress>,
    /// How often another drive answered than the one that its step was begun with.
    pub(crate) strangers: u8,
    /// Drives in which its medium did not come ready.
    pub(crate) suspects: Vec<(ElementAddress, Failure)>,
    /// Its medium is on its way out of the drive again.
    pub(crate) putting_back: bool,
    /// Its cartridge was in an arm.
    pub(crate) from_arm: bool,
    /// What its medium's label was found to be; the medium is on its way back to a slot.
    pub(crate) found: Option<LabelFound>,
    /// Faults that were kept for it.
    pub(crate) faults: u32,
    /// When its present step began, on the monotonic clock.
    pub(crate) since: Option<core::time::Duration>,
    /// Why its next step was decided on so; of the last one, once that has begun.
    pub(crate) why: Vec<Why>,
    pub(crate) step_begun: bool,
    /// Why a person is asked to see to a device.
    pub(crate) trouble: Option<Arc<str>>,
    /// What a person is asked for it, and since when.
    pub(crate) task: Option<(OperatorTask, WallTime)>,
}

/// A question about a request whose end is on its way to the store; it is answered when the end is durable.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Follower {
    Cancel(Token),
    Submit(Token),
    Adopt(Token),
}

/// Where a live request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Being made durable.
    Accepting,
    /// In the queue, to be tried in its turn.
    Queued,
    /// In the queue, waiting for something.
    Blocked(Blocker),
    /// Known to have done nothing; tried again after a pause.
    Pausing,
    /// That it is in process is being made durable: its first step, an unload or a reading, follows.
    Beginning,
    /// Its intent is being made durable.
    Intent,
    /// Its intent is durable, the arm is not free.
    Prepared,
    /// Its MOVE is in flight or being settled.
    Moving,
    /// Waiting for the drive to come ready.
    Loading,
    /// The label is being read or written.
    Labelling,
    /// The drive is being unloaded.
    Unloading,
    /// The drive is being cleaned.
    Cleaning,
    /// Reading the inventory.
    Reading,
    /// The inventory was read; requests of the manager's own read the labels.
    Labels,
    /// A dismount that is put off until the drive is needed.
    Deferred,
    /// Its turn comes with that of the first of its group.
    Grouped,
    /// Its medium is ready; the others of its group are not yet.
    Ready,
    /// Waiting for a person.
    Operator,
    /// Waiting for a person to fill a port.
    AtPort,
    /// Its parts are under way, and there is no work for another one.
    Carrying,
    /// A person is at the door; the robot rests.
    Door,
    /// A change of service that takes effect when what is under way has ended.
    Settling,
    /// Kept from an earlier process; its library is not there yet.
    Orphan,
    /// Kept from an earlier process; waits for a session that adopts it.
    Owner,
}

impl Live {
    /// A request that takes its place in the order of service.
    pub(crate) fn new(request: Request, order: Order, phase: Phase, deadline: Option<TimerKey>) -> Self {
        Self {
            order,
            request,
            session: None,
            library: None,
            phase,
            steps_sent: false,
            ending: None,
            followers: Vec::new(),
            woken_from: None,
            attempts: 0,
            deadline,
            deadline_over: false,
            pause: None,
            slot: None,
            port: None,
            person_is_done: false,
            port_timer: None,
            came: Vec::new(),
            part_of: None,
            then_ends: None,
            round: None,
            unloaded: false,
            due: false,
            granted: None,
            strangers: 0,
            suspects: Vec::new(),
            putting_back: false,
            from_arm: false,
            found: None,
            faults: 0,
            since: None,
            why: Vec::new(),
            step_begun: false,
            trouble: None,
            task: None,
        }
    }

    /// Whether a step is in flight or settling. Questions to a drive whether it is ready are no steps.
    pub(crate) fn has_step_in_flight(&self, open_motion: bool) -> bool {
        match self.phase {
            Phase::Moving | Phase::Labelling | Phase::Unloading | Phase::Cleaning | Phase::Reading => true,
            Phase::Orphan => open_motion,
            _ => false,
        }
    }

    /// Whether it has a place in the queue.
    pub(crate) fn is_in_queue(&self) -> bool {
        let queued =
            matches!(self.phase, Phase::Queued | Phase::Blocked(_) | Phase::Grouped | Phase::Pausing);
        queued && self.ending.is_none()
    }

    pub(crate) fn blocker(&self) -> Option<Blocker> {
        match self.phase {
            Phase::Blocked(blocker) => Some(blocker),
            _ => None,
        }
    }
}

impl Engine {
    /// Where the cartridge of a request is, as far as is known.
    pub(crate) fn place_of(&self, id: RequestId) -> Option<Place> {
        let cartridge = self.live.get(&id)?.request.cartridge?;
        Some(self.catalogue.cartridge(cartridge)?.place.clone())
    }

    pub(crate) fn operation(&self, id: RequestId) -> Option<Operation> {
        Some(self.live.get(&id)?.request.operation())
    }
}
