//! What the ending of a motion means for its request: on, back to the queue, or its end.

use alloc::string::String;
use alloc::vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::not_moved::Answer;
use crate::catalog::{MotionRecord, MotionState};
use crate::changer::motion::Moved;
use crate::changer::settle::Proof;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::PlannedMotion;
use crate::library::elements::ElementState;
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::planted::Bug;
use crate::request::{ElementName, Failure, FailureKind, Operation, Outcome, Place, State};
use crate::time::Now;

/// How many arms are named where a cartridge may be: more than any library has, and a bound on what a device can claim.
const MAX_ARMS: usize = 64;

impl Engine {
    /// A motion has ended, one way or another.
    pub(crate) fn moved(&mut self, index: LibraryIndex, id: RequestId, moved: Moved, now: Now) {
        if self.planted.is(Bug::MoveSentTwice) && matches!(moved, Moved::No { .. }) {
            return self.send_motion(index, id, now);
        }
        let state = match &moved {
            Moved::Yes => MotionState::Moved,
            Moved::No { .. } => MotionState::NotMoved,
            Moved::NotSent(_) => MotionState::NotSent,
            Moved::Unknown { .. } => MotionState::Unknown,
            Moved::InArm { .. } => MotionState::InArm,
        };
        self.open_motions.remove(&id);
        let Some(motion) = self.close_motion(index, id, state) else { return };
        // What was in doubt took as long as the looking did.
        if (motion.doubted || motion.recovered)
            && let Some(live) = self.live.get_mut(&id)
        {
            live.since = None;
        }
        match state {
            MotionState::Moved => self.pair_may_follow(index, id),
            _ => self.part_pair(index, id, now),
        }
        // The survey left its elements out: they are read now.
        if motion.recovered
            && let Some(library) = self.library_mut(index)
        {
            library.touch_unread();
        }
        match moved {
            Moved::Yes => self.arrived(index, id, &motion.record, now),
            Moved::No { sense, why, proof } => {
                // What the device answered in so many words is not the path's fault.
                let silent = sense.is_none() && proof == Proof::None;
                self.not_moved(index, id, &motion, Answer { sense, silent, why }, now);
            }
            Moved::InArm { arm, why } => self.stays_in_arm(index, id, &motion, (arm, &why), now),
            Moved::NotSent(fault) => self.not_sent(index, id, &motion, fault, now),
            Moved::Unknown { why } => self.lost_sight(index, id, &motion, why, now),
        }
    }

    fn arrived(&mut self, index: LibraryIndex, id: RequestId, record: &MotionRecord, now: Now) {
        self.evict(index, record.destination, record.cartridge, now);
        self.count_motion(index, record);
        self.place_cartridge(index, record.cartridge, Place::Element(record.destination), now);
        self.vacate(index, record.source, record.cartridge);
        self.free_slot_of(index, id, record.source);
        if let (Some(took), Some(library)) = (self.step_took(id, now), self.library_mut(index)) {
            library.note_way(record.source, record.destination, took);
        }
        if record.source.kind == ElementType::Drive {
            self.left_drive(index, record.source.address);
        }
        if matches!(record.source.kind, ElementType::Drive | ElementType::Transport) {
            let outcome = match record.destination {
                ElementName { kind: ElementType::ImportExport, address } => {
                    Outcome::Ejected { port: address }
                }
                ElementName { address, .. } => Outcome::Dismounted { slot: address },
            };
            self.end_deferred_with(index, record.source, record.cartridge, outcome, now);
        }
        match self.operation(id) {
            Some(operation) if operation.loads() && record.destination.kind == ElementType::Storage => {
                self.is_back(index, id, now);
            }
            Some(operation) if operation.loads() => {
                if self.stopping(id) {
                    return self.stop_here(id, now);
                }
                if self.live.get(&id).is_some_and(|live| live.request.failing.is_some()) {
                    return self.put_back(index, id, now);
                }
                self.await_drive(index, id, now);
            }
            Some(Operation::CleanDrive) if record.destination.kind == ElementType::Storage => {
                self.cleaner_is_back(index, id, now);
            }
            Some(Operation::CleanDrive) => self.cleaner_arrived(index, id, now),
            Some(Operation::Dismount) => {
                if let Some(mount) = self.catalogue.mount_of(record.cartridge).map(|mount| mount.id) {
                    self.end_mount(index, mount);
                }
                let slot = record.destination.address;
                self.end(id, State::Passed(Outcome::Dismounted { slot }), now);
            }
            Some(Operation::Eject | Operation::EjectCleaner) => {
                self.ejected(index, id, record.destination.address, now);
            }
            Some(Operation::Inject | Operation::InjectCleaner) => self.injected(index, id, record, now),
            _ => {}
        }
    }

    /// The drive has no medium any more that it could calibrate or hold fast.
    pub(crate) fn left_drive(&mut self, index: LibraryIndex, drive: ElementAddress) {
        self.calibrates(index, drive, None);
        self.note_drive(index, drive, |drive| drive.unyielding = Default::default());
    }

    /// Another cartridge was believed to stand where this one has arrived: hands were there, and it is looked for. One whose
    /// own motion is not settled is that motion's matter.
    pub(crate) fn evict(&mut self, index: LibraryIndex, goal: ElementName, arrived: CartridgeId, now: Now) {
        let Some(library) = self.library(index) else { return };
        let moving = |other| library.motions.values().any(|motion| motion.record.cartridge == other);
        let stranger = |other: CartridgeId| other != arrived && !moving(other);
        let Some(element) = library.elements.get(goal.address) else { return };
        let held = element.cartridge.filter(|&held| stranger(held));
        let mount = element.drive.as_ref().and_then(|drive| self.catalogue.mount(drive.mount?));
        let mount = mount.filter(|mount| stranger(mount.cartridge)).map(|mount| mount.id);
        if let Some(held) = held {
            self.place_cartridge(index, held, Place::Unknown { one_of: vec![goal] }, now);
        }
        if let Some(mount) = mount {
            self.end_mount(index, mount);
        }
        if (held.is_some() || mount.is_some())
            && let Some(library) = self.library_mut(index)
        {
            library.touch(Stale::All);
        }
    }

    /// The slot that a cartridge has left is free while the request goes on.
    fn free_slot_of(&mut self, index: LibraryIndex, id: RequestId, element: ElementName) {
        // The cleaning cartridge comes back to its slot.
        if element.kind == ElementType::Drive || self.operation(id) == Some(Operation::CleanDrive) {
            return;
        }
        if let Some(live) = self.live.get_mut(&id) {
            live.slot.take_if(|slot| *slot == element.address);
        }
        if let Some(library) = self.library_mut(index) {
            library.elements.give_back(element.address, id);
        }
        self.wake(index, Blocker::Slot);
    }

    /// The cartridge has left the element, whatever was known of it: an inventory may have read it in the middle of the
    /// motion. Another cartridge can have taken its place already.
    pub(crate) fn vacate(&mut self, index: LibraryIndex, element: ElementName, cartridge: CartridgeId) {
        if let Some(library) = self.library_mut(index) {
            let others = |element: &mut ElementState| element.cartridge.is_some_and(|held| held != cartridge);
            library.elements.update(element.address, |element| {
                if !others(element) {
                    element.cartridge = None;
                    element.full = false;
                }
            });
        }
    }

    fn lost_sight(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        motion: &PlannedMotion,
        why: String,
        now: Now,
    ) {
        let MotionRecord { cartridge, source, destination, .. } = motion.record;
        self.refuses_arm(index, source);
        let mut one_of = vec![source, destination];
        if let Some(library) = self.library_mut(index) {
            one_of.extend(library.arms().into_iter().filter(|arm| *arm != source).take(MAX_ARMS));
            // Wherever it stands: everything is looked at.
            library.touch(Stale::All);
            for address in [source.address, destination.address] {
                library.elements.update(address, |element| element.doubtful = true);
            }
        }
        let place = Place::Unknown { one_of };
        self.ask_alerts(index, None, now);
        self.place_cartridge(index, cartridge, place.clone(), now);
        let kind = if motion.recovered { FailureKind::Interrupted } else { FailureKind::Unknown };
        let message = alloc::format!(
            "whether {} moved cartridge {} from {source} to {destination} could not be found out: {why}",
            self.library_name(index),
            self.cartridge_name(cartridge)
        );
        self.fail(id, Failure::new(kind, message).with_place(place), now);
    }

    /// It has failed with its group, and did not come to load anything: that is its end.
    pub(crate) fn fails_unloaded(&mut self, id: RequestId, now: Now) -> bool {
        let failing = self.live.get(&id).and_then(|live| live.request.failing.clone());
        let in_drive =
            matches!(self.place_of(id), Some(Place::Element(place)) if place.kind == ElementType::Drive);
        let Some(failure) = failing.filter(|_| !in_drive) else { return false };
        let failure = self.placed_now(id, failure);
        self.end(id, State::Failed(failure), now);
        true
    }

    pub(crate) fn stopping(&self, id: RequestId) -> bool {
        !self.planted.is(Bug::StopThatIsForgotten)
            && self.live.get(&id).is_some_and(|live| live.request.stopping.is_some())
    }

    /// A step has ended and the request was told to stop: it ends here, and nothing is moved back.
    pub(crate) fn stop_here(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get(&id) else { return };
        let Some(by) = live.request.stopping.clone() else { return };
        let cleaning = (live.request.operation() == Operation::CleanDrive).then_some(live.library);
        let drive = live.request.drive;
        self.end(id, State::Stopped { place: self.place_of(id), by }, now);
        // Nobody has a use for a cleaning cartridge in a drive: it makes way, by a request of its own.
        if let (Some(Some(index)), Some(drive)) = (cleaning, drive) {
            self.displace(index, drive, now);
        }
    }
}
