//! How a dismount begins: its medium is handed over, its drive unloaded, the dismount put off, or the medium moved to a slot.

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::motion::Way;
use super::schedule::Start;
use super::submit::OWN;
use crate::forecast::Why;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::queue::Blocker;
use crate::request::{ElementName, Failure, FailureKind, Operation, Outcome, Place, State, Wanted};
use crate::time::Now;

impl Engine {
    pub(crate) fn start_dismount(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        let Some(live) = self.live.get(&id) else { return Start::Gone };
        let Some(cartridge) = live.request.cartridge else { return Start::Gone };
        let (unloaded, put_off) = (live.unloaded, live.request.options.deferred && !live.due);
        let busy = self.medium_is_busy(cartridge, id) || self.is_being_mounted(cartridge);
        if busy && self.carried_away(id, cartridge).is_none() {
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        let source = match self.standing_place(id, cartridge) {
            Ok(source) => source,
            Err(failure) => {
                self.fail(id, failure, now);
                return Start::Gone;
            }
        };
        let own = self.live.get(&id).is_some_and(|live| &*live.request.application == OWN);
        if source.kind == ElementType::Transport {
            return self.start_dismount_from_arm(index, id, cartridge, source, now);
        }
        // A person has put what was in the arm into a slot.
        let from_arm = own || self.live.get(&id).is_some_and(|live| live.from_arm);
        if source.kind == ElementType::Storage && from_arm {
            self.end(id, State::Passed(Outcome::Dismounted { slot: source.address }), now);
            return Start::Gone;
        }
        if source.kind != ElementType::Drive {
            let failure = Failure::new(
                FailureKind::NotMounted,
                alloc::format!("cartridge {} is in {source}, not in a drive", self.cartridge_name(cartridge)),
            );
            self.fail(id, failure.with_place(Place::Element(source)), now);
            return Start::Gone;
        }
        if let Err(failure) = self.may_take(id, cartridge) {
            if own {
                // It was to make way, and somebody has mounted it meanwhile.
                let drive = source.address;
                self.end(id, State::Passed(Outcome::KeptInDrive { drive }), now);
            } else {
                self.fail(id, failure, now);
            }
            return Start::Gone;
        }
        if !unloaded && self.hand_over(index, id, cartridge, source.address, now) {
            return Start::Gone;
        }
        // One that began while its drive was out of service goes on: the medium is unloaded, and nobody could mount it so.
        let put_off = put_off && !unloaded;
        if put_off && self.library(index).is_some_and(|library| library.elements.drive_serves(source.address))
        {
            return self.put_off(index, id, cartridge, source.address, now);
        }
        if !unloaded && self.begin_unload(index, id, cartridge, source.address) {
            return Start::Gone;
        }
        let slot = match self.slot_to_start_with(index, id, cartridge, now) {
            Ok(slot) => slot,
            Err(start) => return start,
        };
        self.because(id, self.why_slot(id, cartridge, slot));
        self.reserve(index, id, cartridge, source.address, Some(slot));
        let destination = ElementName { kind: ElementType::Storage, address: slot };
        let way = Way { source, destination };
        match self.exchange_partner(index, source.address) {
            Some(mount) => self.intend_exchange(index, id, cartridge, way, mount, now),
            None => self.intend(index, id, cartridge, way, now),
        }
        Start::Gone
    }

    /// There is no drive to unload, and nobody could mount it there.
    fn start_dismount_from_arm(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        arm: ElementName,
        now: Now,
    ) -> Start {
        if let Some(live) = self.live.get_mut(&id) {
            live.from_arm = true;
        }
        match self.choose_slot(index, id, cartridge) {
            Ok(Some(slot)) => {
                self.because(id, self.why_slot(id, cartridge, slot));
                let way = Way {
                    source: arm,
                    destination: ElementName { kind: ElementType::Storage, address: slot },
                };
                self.reserve_way(index, id, cartridge, way);
                self.intend(index, id, cartridge, way, now);
            }
            // Without an empty slot it can stay nowhere but in the arm.
            Ok(None) => self.ask_to_empty(index, id, arm, now),
            Err(failure) => self.fail(id, failure, now),
        }
        Start::Gone
    }

    /// Another mount waits for the medium that is to be taken out: it stays, and serves that one next, where nobody waits for the drive
    /// too long.
    fn hand_over(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        drive: ElementAddress,
        now: Now,
    ) -> bool {
        let (Some(library), Some(live)) = (self.library(index), self.live.get(&id)) else { return false };
        let anywhere = matches!(live.request.wanted, Wanted::Dismount { slot: None, force: false, .. });
        // A library that is drained lets a dismount through, and no mount after it.
        if !anywhere || live.request.stopping.is_some() || !self.serves(index, Operation::Mount) {
            return false;
        }
        let Some((_, heir)) = library.queue.waiting_for(Blocker::Medium(cartridge)).next() else {
            return false;
        };
        let is_mount = self.live.get(&heir).is_some_and(|live| {
            live.request.operation() == Operation::Mount && live.request.options.group.is_none()
        });
        if !is_mount || !self.stays_for(index, heir, drive, now) {
            return false;
        }
        if let Some(mount) = self.catalogue.mount_of(cartridge).map(|mount| mount.id) {
            self.end_mount(index, mount);
        }
        self.end(id, State::Passed(Outcome::KeptInDrive { drive }), now);
        self.because(heir, Why::HandedOver { by: id });
        // At once, or somebody else who waits for the drive would have it emptied.
        self.take_from_queue(index, heir);
        self.start_in_drive(index, heir, cartridge, drive, now);
        true
    }

    /// Begins with what needs no arm: the medium is handed on, left where it is, or unloaded while the arm is elsewhere. Whether there was
    /// something.
    pub(crate) fn dismount_without_arm(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> bool {
        if !self.serves(index, Operation::Dismount) {
            return false;
        }
        let Some(live) = self.live.get(&id) else { return false };
        let put_off = live.request.options.deferred && !live.due;
        let Some(cartridge) = live.request.cartridge.filter(|_| !live.unloaded) else { return false };
        let ready = self.library(index).is_some_and(|library| library.is_ready());
        if !ready || self.stopped || self.store_failed.is_some() || self.medium_is_busy(cartridge, id) {
            return false;
        }
        if self.is_being_mounted(cartridge) {
            return false;
        }
        match self.standing_place(id, cartridge) {
            Ok(place) if place.kind == ElementType::Drive && self.may_take(id, cartridge).is_ok() => {
                let drive = place.address;
                if self.hand_over(index, id, cartridge, drive, now) {
                    return true;
                }
                if put_off {
                    let serves =
                        self.library(index).is_some_and(|library| library.elements.drive_serves(drive));
                    return serves && matches!(self.put_off(index, id, cartridge, drive, now), Start::Gone);
                }
                self.begin_unload(index, id, cartridge, drive)
            }
            _ => false,
        }
    }

    /// Whose medium it is can have changed since the dismount was handed in.
    fn may_take(&self, id: RequestId, cartridge: CartridgeId) -> Result<(), Failure> {
        let (Some(live), Some(mount)) = (self.live.get(&id), self.catalogue.mount_of(cartridge)) else {
            return Ok(());
        };
        let force = matches!(live.request.wanted, Wanted::Dismount { force: true, .. });
        if mount.application == live.request.application || (force && live.request.administrator) {
            return Ok(());
        }
        let message = alloc::format!(
            "cartridge {} is open in drive {} for {:?}",
            self.cartridge_name(cartridge),
            mount.drive,
            mount.application
        );
        Err(Failure::new(FailureKind::MediaOpen, message))
    }
}
