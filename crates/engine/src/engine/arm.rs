//! A cartridge in the arm. Its request goes on from there; what nobody moves the manager brings to a slot by a dismount of its
//! own, before anything else moves; and where the library does not bring it away, a person is asked to.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::live::{Live, Phase};
use super::not_moved::MAX_ATTEMPTS;
use super::parts::moves_by_parts;
use super::schedule::Arms;
use crate::forecast::Why;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::queue::Blocker;
use crate::library::{Library, MotionStage, PlannedMotion};
use crate::request::{ElementName, Failure, FailureKind, FaultOf, Operation, Place};
use crate::time::Now;
use crate::view::OperatorTask;

impl Engine {
    /// The motion is over, and its cartridge is in the arm: for that the library is to blame. Nothing is moved back for a stop.
    pub(crate) fn stays_in_arm(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        motion: &PlannedMotion,
        (arm, why): (ElementName, &str),
        now: Now,
    ) {
        let record = &motion.record;
        self.evict(index, arm, record.cartridge, now);
        self.place_cartridge(index, record.cartridge, Place::Element(arm), now);
        self.vacate(index, record.source, record.cartridge);
        if record.source.kind == ElementType::Drive {
            self.left_drive(index, record.source.address);
            if let Some(mount) = self.catalogue.mount_of(record.cartridge).map(|mount| mount.id) {
                self.end_mount(index, mount);
            }
        }
        // What is prepared would find the arm full.
        self.retract_unsent(index, now);
        let message = alloc::format!(
            "{} left cartridge {} in {arm} on its way from {} to {}: {why}",
            self.library_name(index),
            self.cartridge_name(record.cartridge),
            record.source,
            record.destination
        );
        let failure = Failure::new(FailureKind::LibraryFault, message).with_place(Place::Element(arm));
        if self.stopping(id) {
            self.blame(id, FaultOf::Library, None, &failure, now);
            return self.stop_here(id, now);
        }
        let Some(live) = self.live.get_mut(&id) else { return };
        live.attempts += 1;
        live.from_arm = true;
        if live.attempts >= MAX_ATTEMPTS {
            return self.fail(id, failure, now);
        }
        self.blame(id, FaultOf::Library, None, &failure, now);
        if self.fails_unloaded(id, now) {
            // Its end is told.
        } else if motion.recovered {
            self.resume_unstarted(index, id, now);
        } else {
            self.back_to_queue(index, id, now);
        }
    }

    /// A motion whose ending is in doubt has its cartridge in the arm, or has not any more. Nobody else's would be taken up.
    pub(crate) fn motion_seen_in_arm(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        arm: Option<ElementName>,
        now: Now,
    ) {
        let motion = self.library_mut(index).and_then(|library| library.motions.get_mut(&id));
        let Some(motion) = motion.filter(|motion| motion.in_arm != arm) else { return };
        motion.in_arm = arm;
        if arm.is_some() {
            self.retract_unsent(index, now);
        }
    }

    /// The library did not take the cartridge out of the arm for its request, and will not: the manager tries to bring it to a slot,
    /// or a person does. Whether that is so.
    pub(crate) fn does_not_leave_arm(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        arm: ElementName,
        now: Now,
    ) {
        self.refuses_arm(index, arm);
        if self.operation(id) == Some(Operation::Dismount) {
            self.ask_to_empty(index, id, arm, now);
        } else {
            self.back_to_queue(index, id, now);
        }
    }

    /// Whether the request has something to wait for with its cartridge in the arm. One that only brings it back has not, once the
    /// library has refused often enough: the manager goes on with that.
    pub(crate) fn waits_with_arm(&self, id: RequestId) -> bool {
        self.live.get(&id).is_some_and(|live| !live.putting_back || live.attempts < MAX_ATTEMPTS)
    }

    pub(crate) fn is_in_arm(&self, cartridge: Option<CartridgeId>) -> bool {
        let known = cartridge.and_then(|cartridge| self.catalogue.cartridge(cartridge));
        let in_arm =
            |place: &Place| matches!(place, Place::Element(place) if place.kind == ElementType::Transport);
        known.is_some_and(|known| in_arm(&known.place))
    }

    /// Nothing more is tried with what is in the arm, until an inventory begins anew.
    pub(crate) fn refuses_arm(&mut self, index: LibraryIndex, arm: ElementName) {
        if let Some(library) = self.library_mut(index).filter(|_| arm.kind == ElementType::Transport) {
            library.arms_refused.insert(arm.address);
        }
    }

    /// The dismount waits until a person has put its cartridge into a slot. The medium stays its own meanwhile.
    pub(crate) fn ask_to_empty(&mut self, index: LibraryIndex, id: RequestId, arm: ElementName, now: Now) {
        let Some(cartridge) = self.live.get(&id).and_then(|live| live.request.cartridge) else { return };
        self.refuses_arm(index, arm);
        self.release(id, index);
        self.catalogue.reserve(cartridge, id);
        self.await_person(index, id);
        self.pass_on(index, id);
        let (library, cartridge) = (self.library_name(index).into(), self.cartridge_name(cartridge).into());
        self.ask_person(id, OperatorTask::EmptyArm { library, arm: arm.address, cartridge }, now);
    }

    /// Whether the request waits for a person to empty an arm that still holds its cartridge.
    pub(crate) fn waits_for_full_arm(&self, live: &Live) -> bool {
        let Some((OperatorTask::EmptyArm { arm, .. }, _)) = &live.task else { return false };
        let library = live.library.and_then(|index| self.library(index));
        library.is_some_and(|library| {
            let held = library.elements.get(*arm).and_then(|element| element.cartridge);
            is_given_up(library, *arm, live) && held.is_some() && held == live.request.cartridge
        })
    }

    /// The cartridge of a mount that the library does not take out of its arm for it, also where another arm is free: a dismount of
    /// the manager's own, or a person, brings it to a slot.
    pub(crate) fn given_up_in_arm(&self, index: LibraryIndex, id: RequestId) -> Option<CartridgeId> {
        let (library, live) = (self.library(index)?, self.live.get(&id)?);
        let cartridge = live.request.cartridge.filter(|_| live.request.operation() == Operation::Mount)?;
        let Place::Element(arm) = self.catalogue.cartridge(cartridge)?.place else { return None };
        (arm.kind == ElementType::Transport && is_given_up(library, arm.address, live)).then_some(cartridge)
    }

    /// Has full arms emptied, by whoever wants their cartridges, else by dismounts of the manager's own.
    pub(crate) fn clear_arms(&mut self, index: LibraryIndex, now: Now) -> Arms {
        let Some(library) = self.library(index) else { return Arms::Free };
        let arms = library.elements.of_kind(ElementType::Transport);
        let full: Vec<(ElementName, CartridgeId)> =
            arms.filter(|arm| arm.full).filter_map(|arm| Some((arm.name, arm.cartridge?))).collect();
        // One that a motion holds which is being looked into may be put down yet.
        let held: BTreeSet<ElementAddress> =
            library.motions.values().filter_map(|motion| Some(motion.in_arm?.address)).collect();
        let all: BTreeSet<_> = full.iter().map(|(arm, _)| arm.address).chain(held.iter().copied()).collect();
        let all = !all.is_empty() && all.len() >= library.elements.count(ElementType::Transport);
        let mut clearing = all && !held.is_empty();
        for (arm, cartridge) in full {
            clearing |= self.clear_arm(index, arm.address, cartridge, now);
        }
        match (clearing, all) {
            (true, _) => Arms::Clearing,
            (false, true) => Arms::Full,
            (false, false) => Arms::Free,
        }
    }

    /// Whether the cartridge is on its way out of the arm.
    fn clear_arm(
        &mut self,
        index: LibraryIndex,
        arm: ElementAddress,
        cartridge: CartridgeId,
        now: Now,
    ) -> bool {
        let Some(library) = self.library(index) else { return false };
        if let Some(motion) = library.motions.values().find(|motion| motion.record.cartridge == cartridge) {
            return motion.stage != MotionStage::Settling;
        }
        let wants = |live: &&Live| {
            live.library == Some(index)
                && live.ending.is_none()
                && live.request.cartridge == Some(cartridge)
                && needs_arm(live.request.operation())
                && !moves_by_parts(&live.request.wanted)
        };
        let wanting: Vec<&Live> = self.live.values().filter(wants).collect();
        // It is being accepted, or tried again after a pause.
        if wanting.iter().any(|live| matches!(live.phase, Phase::Accepting | Phase::Pausing)) {
            return true;
        }
        let dismounts = wanting.iter().any(|live| live.request.operation() == Operation::Dismount);
        let waiting = wanting.iter().filter(|live| matches!(live.phase, Phase::Queued | Phase::Blocked(_)));
        let (given_up, takers): (Vec<&Live>, Vec<&Live>) = waiting.partition(|live| {
            is_given_up(library, arm, live) && live.request.operation() != Operation::Dismount
        });
        let mut takers: Vec<_> = takers.into_iter().map(|live| (live.order, live.request.id)).collect();
        takers.sort_unstable();
        // Whoever brings the medium to a slot needs it.
        let keeps = |live: &&Live| {
            live.granted.is_some() || self.catalogue.is_reserved_by(cartridge, live.request.id)
        };
        let given_up: Vec<RequestId> =
            given_up.into_iter().filter(keeps).map(|live| live.request.id).collect();
        for id in given_up {
            self.release(id, index);
        }
        for (_, id) in takers {
            if self.medium_is_busy(cartridge, id) {
                continue;
            }
            self.make_ready(index, id);
            self.try_start(index, id, now);
            if self.library(index).is_some_and(|library| library.motions.contains_key(&id)) {
                return true;
            }
        }
        let own = (!dismounts && self.serves(index, Operation::Dismount))
            .then(|| self.dismount_own(cartridge, now))
            .flatten();
        if let Some(id) = own {
            self.because(id, Why::MakesWay);
        }
        own.is_some()
    }

    /// The request needs an arm, and each is full: it waits. Whether that is so, or it has begun without one.
    pub(crate) fn waits_for_arm(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        let put_off = live.request.options.deferred && !live.due;
        match live.request.operation() {
            Operation::Mount if self.mount_in_place(index, id, now) => self.leave_queue(index, id),
            Operation::Dismount if put_off => return false,
            operation if needs_arm(operation) => self.block(index, id, Blocker::Arm, now),
            _ => return false,
        }
        true
    }
}

/// Whether the library is not asked any more to take its cartridge out of the arm for the request.
fn is_given_up(library: &Library, arm: ElementAddress, live: &Live) -> bool {
    library.arms_refused.contains(&arm) || live.attempts >= MAX_ATTEMPTS
}

/// Whether the operation has a cartridge moved.
fn needs_arm(operation: Operation) -> bool {
    use Operation::*;
    operation.loads()
        || matches!(operation, Dismount | Eject | EjectCleaner | Inject | InjectCleaner | CleanDrive)
}
