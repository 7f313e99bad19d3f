//! With which drive a request starts. Medium, drive and slot are reserved together.

use alloc::string::String;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::live::Live;
use super::motion::Way;
use super::schedule::Start;
use crate::catalog::{Service, generation};
use crate::forecast::Why;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::elements::Need;
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::request::{
    Access, CartridgeRef, ElementName, Failure, FailureKind, Operation, Outcome, State, Wanted,
};
use crate::time::Now;

impl Engine {
    pub(crate) fn start_mount(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        named: Option<ElementAddress>,
        now: Now,
    ) -> Start {
        let Some(live) = self.live.get(&id) else { return Start::Gone };
        let (Some(cartridge), putting_back) = (live.request.cartridge, live.putting_back) else {
            return Start::Gone;
        };
        if putting_back && let Some(drive) = live.request.drive {
            return self.start_put_back(index, id, cartridge, drive, now);
        }
        if live.request.options.group.is_some()
            && let Some(start) = self.start_group(index, id, now)
        {
            return start;
        }
        let granted = self.live.get(&id).and_then(|live| live.granted);
        if self.is_in_use(id, cartridge) {
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        let source = match self.standing_place(id, cartridge) {
            Ok(source) => source,
            Err(failure) => {
                let away = self.is_away(id, cartridge);
                // Of a group the media are asked for before its drives are kept: see `await_media`.
                let asks = self.live.get(&id).is_some_and(|live| {
                    live.request.options.wait_for_operator && live.request.options.group.is_none()
                });
                if away && asks {
                    self.wait_for_cartridge(id, cartridge, now);
                } else {
                    self.fail(id, failure, now);
                }
                return Start::Gone;
            }
        };
        if source.kind == ElementType::Drive {
            return self.start_in_drive(index, id, cartridge, source.address, now);
        }
        let need = self.need_of(id);
        let Some(library) = self.library(index) else { return Start::Gone };
        let drive = match granted.or(named) {
            Some(drive) if granted.is_some() => drive,
            Some(drive) if library.elements.is_free_drive(drive) && library.elements.may_load(drive) => drive,
            Some(drive) if !library.elements.drive_serves(drive) => {
                return self.wait_for_service(index, id, drive, now);
            }
            Some(drive) => {
                self.make_room(index, Some(drive), need, now);
                return Start::Blocked(Blocker::Drive(drive));
            }
            None => match self.free_drive_for(index, id) {
                Some(drive) => drive,
                None => {
                    self.make_room(index, None, need, now);
                    return Start::Blocked(Blocker::AnyDrive(need));
                }
            },
        };
        self.because(id, self.why_drive(index, id, granted.is_some(), drive));
        self.reserve(index, id, cartridge, drive, Some(source.address));
        let destination = ElementName { kind: ElementType::Drive, address: drive };
        self.intend(index, id, cartridge, Way { source, destination }, now);
        Start::Gone
    }

    /// The drive that a mount gets now: free, fitting, and not one in which its medium did not come ready. Of those one that is as near
    /// as the nearest, and of these the one that was not used for the longest time.
    pub(crate) fn free_drive_for(&self, index: LibraryIndex, id: RequestId) -> Option<ElementAddress> {
        let (library, live) = (self.library(index)?, self.live.get(&id)?);
        let named = self.named_drive(id);
        let usable = |drive: &ElementAddress| {
            named.is_none_or(|named| named == *drive)
                && !live.suspects.iter().any(|(suspect, _)| suspect == drive)
                && library.elements.may_load(*drive)
        };
        // What stayed in the arm on its way goes on to where it was to go.
        let same = live.request.drive.filter(|_| live.from_arm);
        if let Some(drive) = same.filter(|drive| usable(drive) && library.elements.is_free_drive(*drive)) {
            return Some(drive);
        }
        let free = || library.elements.free_drives(self.need_of(id)).filter(usable);
        // One that failed with one medium after another is the last choice.
        let sound = || free().filter(|drive| !library.is_suspect(*drive));
        let place = live.request.cartridge.and_then(|cartridge| self.place_to_fetch(cartridge));
        sound()
            .find(self.near(index, place, &mut sound()))
            .or_else(|| free().find(self.near(index, place, &mut free())))
    }

    fn why_drive(&self, index: LibraryIndex, id: RequestId, granted: bool, drive: ElementAddress) -> Why {
        let Some(library) = self.library(index) else { return Why::OnlyDrive };
        let free = || library.elements.free_drives(self.need_of(id));
        let cartridge = self.live.get(&id).and_then(|live| live.request.cartridge);
        let place = cartridge.and_then(|cartridge| self.place_to_fetch(cartridge));
        let near = self.near(index, place, &mut free());
        match (granted, self.named_drive(id)) {
            (_, Some(_)) => Why::DriveNamed,
            (true, None) => Why::DriveOfGroup,
            (false, None) if library.is_suspect(drive) => Why::LastChoice,
            (false, None) => match free().count() {
                0 | 1 => Why::OnlyDrive,
                of if free().any(|drive| !near(&drive)) => Why::Nearest { of },
                of => Why::LeastRecentlyUsed { of },
            },
        }
    }

    pub(crate) fn named_drive(&self, id: RequestId) -> Option<ElementAddress> {
        let request = &self.live.get(&id)?.request;
        request.named_drive().filter(|_| request.operation() == Operation::Mount)
    }

    /// The drive that the mount names is out of service: paused, it is waited for; disabled or gone, it is not.
    pub(crate) fn wait_for_service(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        drive: ElementAddress,
        now: Now,
    ) -> Start {
        let Some(library) = self.library(index) else { return Start::Gone };
        let Some(element) = library.elements.get(drive) else {
            let message = alloc::format!("drive {drive} is not in {} any more", library.config.name);
            self.fail(id, Failure::new(FailureKind::Refused, message), now);
            return Start::Gone;
        };
        let state = element.drive.as_ref();
        if state.is_some_and(|drive| drive.service == Service::Disabled) {
            let message = alloc::format!("drive {drive} of {} is disabled", library.config.name);
            self.fail(id, Failure::new(FailureKind::Disabled, message), now);
            return Start::Gone;
        }
        Start::Blocked(Blocker::Drive(drive))
    }

    /// A mount whose medium is in a drive that will do begins at once: it needs no arm.
    pub(crate) fn mount_in_place(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        // A group begins together, also where one of it has a drive already that is kept for all; and what is to leave its drive is
        // not mounted there.
        let alone = live.request.options.group.is_none() || self.has_drive_of_its_own(id);
        let Some(cartridge) = live.request.cartridge.filter(|_| alone && !live.putting_back) else {
            return false;
        };
        let Some(library) = self.library(index) else { return false };
        if !library.is_ready() || self.stopped || self.store_failed.is_some() || library.reading {
            return false;
        }
        if library.stale != Stale::Nothing
            || !self.serves(index, Operation::Mount)
            || self.is_in_use(id, cartridge)
        {
            return false;
        }
        let Ok(place) = self.standing_place(id, cartridge) else { return false };
        if place.kind != ElementType::Drive || !self.stays_for(index, id, place.address, now) {
            return false;
        }
        matches!(self.start_in_drive(index, id, cartridge, place.address, now), Start::Gone)
    }

    /// Whether the mount can use the drive that its medium is in.
    pub(crate) fn will_do(&self, index: LibraryIndex, id: RequestId, drive: ElementAddress) -> bool {
        let (Some(library), Some(live)) = (self.library(index), self.live.get(&id)) else { return false };
        let named = live.granted.or(self.named_drive(id));
        let suspect = live.suspects.iter().any(|(suspect, _)| *suspect == drive);
        let free =
            library.elements.get(drive).is_some_and(|element| element.reserved_by.is_none_or(|by| by == id));
        free && named.is_none_or(|named| named == drive)
            && !suspect
            && library.elements.may_load(drive)
            && library.elements.drive_serves(drive)
            && library.elements.drive_fits(drive, self.need_of(id))
    }

    /// Whether the medium stays in its drive for the mount: that will do, and nobody waits for it too long.
    pub(crate) fn stays_for(
        &self,
        index: LibraryIndex,
        id: RequestId,
        drive: ElementAddress,
        now: Now,
    ) -> bool {
        let (Some(library), Some(live)) = (self.library(index), self.live.get(&id)) else { return false };
        let state = library.elements.get(drive).and_then(|element| element.drive.as_ref());
        // Others have no use for a drive that does not let go of its medium.
        let yields = state.is_some_and(|drive| drive.unyielding.1 <= now.monotonic);
        let waits_longer = || live.granted.is_none() && yields && self.waits_longer(index, drive, live.order);
        self.will_do(index, id, drive) && !waits_longer()
    }

    /// The cartridge is in a drive already, and nobody has it mounted: no move is needed if the drive will do.
    pub(crate) fn start_in_drive(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        drive: ElementAddress,
        now: Now,
    ) -> Start {
        let Some(library) = self.library(index) else { return Start::Gone };
        let element = library.elements.get(drive);
        // A group keeps it for one of its own, which wants the same medium.
        if element.is_some_and(|element| element.reserved_by.is_some_and(|by| by != id)) {
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        if !self.stays_for(index, id, drive, now) {
            self.have_emptied(index, drive, now);
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        self.because(id, Why::MediumInDrive);
        self.end_deferred_of(index, drive, Outcome::KeptInDrive { drive }, now);
        self.reserve(index, id, cartridge, drive, None);
        self.set_state(id, State::InProcess);
        self.await_drive(index, id, now);
        Start::Gone
    }

    /// Medium, drive and slot are reserved together.
    pub(crate) fn reserve(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        drive: ElementAddress,
        slot: Option<ElementAddress>,
    ) {
        self.catalogue.reserve(cartridge, id);
        let before = self.live.get_mut(&id).and_then(|live| live.request.drive.replace(drive));
        if let Some(before) = before.filter(|before| *before != drive) {
            self.leave_drive(index, id, before);
        }
        if let Some(slot) = slot {
            self.change_slot(index, id, slot);
        }
        if let Some(library) = self.library_mut(index) {
            for address in [Some(drive), slot].into_iter().flatten() {
                library.elements.update(address, |element| element.reserved_by = Some(id));
            }
        }
    }

    /// Its medium is in another drive than it was, say, with which hands had changed bays: the one before is free of it.
    fn leave_drive(&mut self, index: LibraryIndex, id: RequestId, drive: ElementAddress) {
        let Some(library) = self.library_mut(index) else { return };
        if library.elements.give_back(drive, id) {
            self.wake_for_drive(index, drive);
        }
    }

    /// The slot that the request takes up or sets down in. Another one that it had chosen before is free again.
    pub(crate) fn change_slot(&mut self, index: LibraryIndex, id: RequestId, slot: ElementAddress) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let Some(before) = live.slot.replace(slot).filter(|before| *before != slot) else { return };
        let Some(library) = self.library_mut(index) else { return };
        if library.elements.give_back(before, id) {
            self.wake(index, Blocker::Slot);
        }
    }

    /// Frees a drive of a cartridge that nobody mounted, by a dismount of the manager's own.
    pub(crate) fn displace(&mut self, index: LibraryIndex, drive: ElementAddress, now: Now) {
        let Some(library) = self.library(index) else { return };
        let Some(cartridge) = library.elements.nobodys_medium(drive) else { return };
        let state = library.elements.get(drive).and_then(|element| element.drive.as_ref());
        if state.is_some_and(|drive| drive.unyielding.1 > now.monotonic) {
            return;
        }
        let Some(id) = self.dismount_own(cartridge, now) else { return };
        self.because(id, Why::MakesWay);
        self.displaces(index, id, drive);
    }

    /// The dismount, an application's that was put off or one of the manager's own, is the one that frees the drive.
    pub(crate) fn displaces(&mut self, index: LibraryIndex, id: RequestId, drive: ElementAddress) {
        let Some(live) = self.live.get_mut(&id) else { return };
        // Known from the start, so that the drive is let go of however the dismount ends.
        live.request.drive = Some(drive);
        if let Some(library) = self.library_mut(index) {
            library.elements.update(drive, |element| {
                if let Some(drive) = &mut element.drive {
                    drive.displacing = Some(id);
                }
            });
        }
    }

    /// Hands in a dismount of the manager's own, unless there is one of the cartridge already.
    pub(crate) fn dismount_own(&mut self, cartridge: CartridgeId, now: Now) -> Option<RequestId> {
        let same = |live: &&Live| {
            live.request.operation() == Operation::Dismount && live.request.cartridge == Some(cartridge)
        };
        if let Some(live) = self.live.own().find(same) {
            return Some(live.request.id);
        }
        let wanted = Wanted::Dismount { cartridge: CartridgeRef::Id(cartridge), slot: None, force: false };
        self.submit_own(wanted, 0, now).ok()
    }

    pub(crate) fn need_of(&self, id: RequestId) -> Need {
        let Some(request) = self.live.get(&id).map(|live| &live.request) else { return Need::default() };
        let access = match request.wanted {
            Wanted::Mount { access, .. } => access,
            Wanted::Identify { .. } => Access::Read,
            _ => Access::default(),
        };
        let medium = request.barcode.as_deref().and_then(generation::of_label);
        Need { medium, access, way: self.reads_label(id) }
    }

    /// Its mount has passed and is not durable yet.
    pub(crate) fn is_being_mounted(&self, cartridge: CartridgeId) -> bool {
        self.catalogue.mount_of(cartridge).is_some_and(|mount| self.live.contains_key(&mount.id))
    }

    /// Whether somebody of the request's library has the medium or works on it, so that it can be waited for.
    pub(crate) fn is_in_use(&self, id: RequestId, cartridge: CartridgeId) -> bool {
        (self.medium_is_busy(cartridge, id) || self.catalogue.mount_of(cartridge).is_some())
            && self.carried_away(id, cartridge).is_none()
    }

    pub(crate) fn medium_is_busy(&self, cartridge: CartridgeId, id: RequestId) -> bool {
        self.catalogue.reserver(cartridge).is_some_and(|by| by != id)
    }

    pub(crate) fn cartridge_name(&self, id: CartridgeId) -> String {
        let barcode = self.catalogue.cartridge(id).and_then(|cartridge| cartridge.barcode.clone());
        barcode.map_or_else(|| alloc::format!("{id}"), |barcode| String::from(&*barcode))
    }
}
