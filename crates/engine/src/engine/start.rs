//! With which drive and into which slot a request starts. Medium, drive and slot are reserved together.

use alloc::string::String;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::motion::Way;
use super::schedule::Start;
use crate::catalog::{Caller, Role, Service, generation};
use crate::forecast::Why;
use crate::id::{CartridgeId, LibraryIndex, RequestId, SessionId};
use crate::library::elements::Need;
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::request::{
    Access, CartridgeRef, ElementName, Failure, FailureKind, Operation, Options, Outcome, Place, State,
    Submission, Wanted,
};
use crate::time::Now;

/// The application name under which the manager submits what it needs for itself.
pub(crate) const OWN: &str = "autochanger";
/// By how many points of priority a mount may go before others because its medium is in the drive already: with ten minutes
/// a point, half an hour, which is some loads of others.
const HAND_OVER_POINTS: u32 = 3;

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

    /// The drive that a mount gets now: free, fitting, and not one in which its medium did not come ready. Of those the one
    /// that was not used for the longest time.
    pub(crate) fn free_drive_for(&self, index: LibraryIndex, id: RequestId) -> Option<ElementAddress> {
        let (library, live) = (self.library(index)?, self.live.get(&id)?);
        let named = self.named_drive(id);
        let usable = |drive: &ElementAddress| {
            named.is_none_or(|named| named == *drive)
                && !live.suspects.iter().any(|(suspect, _)| suspect == drive)
                && library.elements.may_load(*drive)
        };
        let free = || library.elements.free_drives(self.need_of(id)).filter(usable);
        // One that failed with one medium after another is the last choice.
        free().find(|drive| !library.is_suspect(*drive)).or_else(|| free().next())
    }

    fn why_drive(&self, index: LibraryIndex, id: RequestId, granted: bool, drive: ElementAddress) -> Why {
        let Some(library) = self.library(index) else { return Why::OnlyDrive };
        match (granted, self.named_drive(id)) {
            (_, Some(_)) => Why::DriveNamed,
            (true, None) => Why::DriveOfGroup,
            (false, None) if library.is_suspect(drive) => Why::LastChoice,
            (false, None) => match library.elements.free_drives(self.need_of(id)).count() {
                0 | 1 => Why::OnlyDrive,
                of => Why::LeastRecentlyUsed { of },
            },
        }
    }

    fn why_slot(&self, id: RequestId, cartridge: CartridgeId, slot: ElementAddress) -> Why {
        let home = self.catalogue.cartridge(cartridge).and_then(|cartridge| cartridge.home);
        let named = self
            .live
            .get(&id)
            .is_some_and(|live| matches!(live.request.wanted, Wanted::Dismount { slot: Some(_), .. }));
        match (named, home) {
            (true, _) => Why::SlotNamed,
            (false, Some(home)) if home == slot => Why::SlotOfOrigin,
            _ => Why::FreeSlot,
        }
    }

    pub(crate) fn named_drive(&self, id: RequestId) -> Option<ElementAddress> {
        match self.live.get(&id)?.request.wanted {
            Wanted::Mount { drive, .. } => drive,
            _ => None,
        }
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
        let Some(cartridge) = self.live.get(&id).and_then(|live| live.request.cartridge) else {
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
        if place.kind != ElementType::Drive || !self.will_do(index, id, place.address) {
            return false;
        }
        matches!(self.start_in_drive(index, id, cartridge, place.address, now), Start::Gone)
    }

    /// Whether the mount can use the drive that its medium is in.
    fn will_do(&self, index: LibraryIndex, id: RequestId, drive: ElementAddress) -> bool {
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

    /// The cartridge is in a drive already, and nobody has it mounted: no move is needed if the drive will do.
    fn start_in_drive(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        drive: ElementAddress,
        now: Now,
    ) -> Start {
        let Some(library) = self.library(index) else { return Start::Gone };
        let element = library.elements.get(drive);
        if element.is_some_and(|element| element.reserved_by.is_some_and(|by| by != id)) {
            return Start::Blocked(Blocker::Drive(drive));
        }
        if !self.will_do(index, id, drive) {
            self.claim_deferred(index, drive, now);
            self.displace(index, Some(drive), Need::default(), now);
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        self.because(id, Why::MediumInDrive);
        self.end_deferred_of(index, drive, Outcome::KeptInDrive { drive }, now);
        self.reserve(index, id, cartridge, drive, None);
        self.set_state(id, State::InProcess);
        self.await_drive(index, id, now);
        Start::Gone
    }

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
        if source.kind != ElementType::Drive {
            let failure = Failure::new(
                FailureKind::NotMounted,
                alloc::format!("cartridge {} is in {source}, not in a drive", self.cartridge_name(cartridge)),
            );
            self.fail(id, failure.with_place(Place::Element(source)), now);
            return Start::Gone;
        }
        if let Err(failure) = self.may_take(id, cartridge) {
            let own = self.live.get(&id).is_some_and(|live| &*live.request.application == OWN);
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
        let slot = match self.choose_slot(index, id, cartridge) {
            Ok(Some(slot)) => slot,
            Ok(None) => return Start::Blocked(Blocker::Slot),
            Err(failure) => {
                self.fail(id, failure, now);
                return Start::Gone;
            }
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

    /// Another mount waits for the medium that is to be taken out: it stays, and serves that one next. So that one tape that
    /// everybody wants does not keep the others out for ever, it may go before others by so much and no more.
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
        let Some((order, heir)) = library.queue.waiting_for(Blocker::Medium(cartridge)).next() else {
            return false;
        };
        let head_start = order.earlier(HAND_OVER_POINTS, self.config.priority_worth);
        let fits = |need| library.elements.drive_fits(drive, need);
        let waits_longer =
            library.queue.waiting_for_any(fits).next().is_some_and(|(first, _)| first < head_start);
        let is_mount = self.live.get(&heir).is_some_and(|live| {
            live.request.operation() == Operation::Mount && live.request.options.group.is_none()
        });
        if waits_longer || !is_mount || !self.will_do(index, heir, drive) {
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

    pub(crate) fn unload_early(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> bool {
        if !self.serves(index, Operation::Dismount) {
            return false;
        }
        let Some(live) = self.live.get(&id) else { return false };
        if live.request.options.deferred && !live.due {
            return false;
        }
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
                self.hand_over(index, id, cartridge, place.address, now)
                    || self.begin_unload(index, id, cartridge, place.address)
            }
            _ => false,
        }
    }

    /// The slot for a dismount: the named one, the one that the cartridge came from, an empty one. `None`: wait.
    pub(crate) fn choose_slot(
        &self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
    ) -> Result<Option<ElementAddress>, Failure> {
        let (Some(library), Some(live)) = (self.library(index), self.live.get(&id)) else { return Ok(None) };
        let usable = |slot: ElementAddress| library.elements.is_vacant(slot) || live.slot == Some(slot);
        if let Wanted::Dismount { slot: Some(named), .. } = live.request.wanted {
            if usable(named) {
                return Ok(Some(named));
            }
            let held = library.elements.get(named).and_then(|element| element.cartridge);
            let held = held.map_or_else(|| String::from("something"), |held| self.cartridge_name(held));
            return Err(Failure::new(
                FailureKind::DestinationFull,
                alloc::format!("slot {named} of {} is taken by {held}", library.config.name),
            ));
        }
        let home = self.catalogue.cartridge(cartridge).and_then(|cartridge| cartridge.home);
        let is_slot = |slot: ElementAddress| {
            library.elements.get(slot).is_some_and(|element| element.name.kind == ElementType::Storage)
        };
        let cleaners = library.cleaner_slot;
        let in_place = |slot: ElementAddress| library.elements.has_magazine(slot);
        if let Some(home) = home.filter(|&home| usable(home) && is_slot(home) && in_place(home)) {
            return Ok(Some(home));
        }
        // What it has reserved already, before it had to unload, it keeps.
        if let Some(own) = live.slot.filter(|&own| is_slot(own)) {
            return Ok(Some(own));
        }
        let Some(library_id) = library.id else { return Ok(None) };
        let others = |slot: ElementAddress| self.catalogue.is_home_of_other(library_id, slot, cartridge);
        Ok(library.elements.vacant_slot(|slot| Some(slot) != cleaners, others))
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
        if let Some(live) = self.live.get_mut(&id) {
            live.request.drive = Some(drive);
            live.slot = slot.or(live.slot);
        }
        if let Some(library) = self.library_mut(index) {
            for address in [Some(drive), slot].into_iter().flatten() {
                library.elements.update(address, |element| element.reserved_by = Some(id));
            }
        }
    }

    /// Frees a drive of a cartridge that nobody mounted, by a dismount of the manager's own.
    pub(crate) fn displace(
        &mut self,
        index: LibraryIndex,
        named: Option<ElementAddress>,
        need: Need,
        now: Now,
    ) {
        let Some(library) = self.library(index) else { return };
        let Some(element) = library.elements.idle_loaded_drive(named, need) else { return };
        let rests = element.drive.as_ref().is_some_and(|drive| drive.unyielding.1 > now.monotonic);
        let (drive, Some(cartridge)) = (element.name.address, element.cartridge) else { return };
        if rests {
            return;
        }
        let submission = Submission {
            id: RequestId(self.ids.next()),
            id_given: false,
            caller: Caller { session: SessionId(0), application: OWN.into(), role: Role::Administrator },
            wanted: Wanted::Dismount { cartridge: CartridgeRef::Id(cartridge), slot: None, force: false },
            priority: 0,
            deadline: None,
            detached: true,
            options: Options::default(),
        };
        let Some(id) = self.submit_own(submission, now) else { return };
        self.because(id, Why::MakesWay);
        // Known from the start, so that the drive is let go of however the dismount ends.
        if let Some(live) = self.live.get_mut(&id) {
            live.request.drive = Some(drive);
        }
        if let Some(library) = self.library_mut(index) {
            library.elements.update(drive, |element| {
                if let Some(drive) = &mut element.drive {
                    drive.displacing = Some(id);
                }
            });
        }
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
    fn is_being_mounted(&self, cartridge: CartridgeId) -> bool {
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
