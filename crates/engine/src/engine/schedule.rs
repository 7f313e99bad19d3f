//! Which request starts now, with which drive and which slot. The arm is never kept waiting for a drive.

use alloc::string::String;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::live::Phase;
use super::work::Work;
use crate::catalog::{Caller, Role, generation};
use crate::changer::initialize::Initialize;
use crate::changer::inventory::ReadInventory;
use crate::changer::survey::TYPES;
use crate::id::{CartridgeId, LibraryIndex, RequestId, SessionId};
use crate::library::MotionStage;
use crate::library::elements::Need;
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::request::{
    Access, CancelledBy, CartridgeRef, ElementName, Failure, FailureKind, Operation, Place, State,
    Submission, Wanted,
};
use crate::time::Now;

/// The application name under which the manager submits what it needs for itself.
pub(crate) const OWN: &str = "autochanger";
const PORTS: [ElementType; 1] = [ElementType::ImportExport];

/// What became of the attempt to start a request.
enum Start {
    /// It is under way, or has ended.
    Gone,
    /// It needs something that is in use.
    Blocked(Blocker),
    /// Its turn has come, but the library must come to rest first; nobody overtakes it.
    Hold,
}

impl Engine {
    /// Starts what can be started.
    pub(crate) fn schedule(&mut self, index: LibraryIndex, now: Now) {
        if self.store_failed.is_some() {
            return;
        }
        let Some(library) = self.library(index) else { return };
        if !library.is_ready() || library.reading {
            return;
        }
        if library.stale != Stale::Nothing {
            if !library.arm_is_busy() && self.changer_is_idle(index) {
                self.refresh(index, now);
            }
            return;
        }
        self.send_prepared(index, now);
        self.prepare_next(index, now);
    }

    /// Sends the moves whose intents are durable, while there is an arm for them.
    fn send_prepared(&mut self, index: LibraryIndex, now: Now) {
        while let Some(library) = self.library(index) {
            if !library.has_free_arm() || !self.changer_is_idle(index) {
                return;
            }
            let next = library
                .motions
                .iter()
                .filter(|(_, motion)| motion.stage == MotionStage::Prepared)
                .filter_map(|(&id, _)| Some((self.live.get(&id)?.order, id)))
                .min();
            let Some((_, id)) = next else { return };
            self.send_motion(index, id, now);
        }
    }

    fn prepare_next(&mut self, index: LibraryIndex, now: Now) {
        while let Some(library) = self.library(index) {
            if !library.may_prepare() || library.reading {
                return;
            }
            let Some(id) = library.queue.first() else { return };
            match self.start(index, id, now) {
                Start::Gone => {
                    let live = self.live.get_mut(&id);
                    let taken = live.map(|live| {
                        live.woken_from = None;
                        live.order
                    });
                    if let (Some(order), Some(library)) = (taken, self.library_mut(index)) {
                        library.queue.remove(order, None);
                    }
                }
                Start::Hold => return,
                Start::Blocked(blocker) => self.block(index, id, blocker),
            }
        }
    }

    fn block(&mut self, index: LibraryIndex, id: RequestId, blocker: Blocker) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.phase = Phase::Blocked(blocker);
        let (order, woken_from) = (live.order, live.woken_from.take());
        if let Some(library) = self.library_mut(index) {
            library.queue.block(order, id, blocker);
        }
        self.show_waiting(id, Some(blocker.into()));
        // What it was woken for is still there: the next in line may be able to use it.
        match woken_from {
            // A drive is free, and not for this one's medium: it can be for that of one behind it.
            Some(from) if from == blocker => {
                let free =
                    self.library(index).is_some_and(|l| l.elements.free_drive(Need::default()).is_some());
                if blocker == Blocker::AnyDrive && free {
                    self.wake_behind(index, blocker, order);
                }
            }
            Some(Blocker::Drive(drive)) => self.wake_for_drive(index, drive),
            Some(other) => {
                self.wake(index, other);
            }
            None => {}
        }
    }

    /// A request is durable: it takes its place.
    pub(crate) fn admit(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let (Some(index), None) = (live.library, live.ending.as_ref()) else { return };
        live.phase = Phase::Queued;
        let order = live.order;
        // What it was in the middle of when its deadline passed has done nothing.
        if live.deadline_over {
            return self.end_early(id, CancelledBy::Deadline, now);
        }
        // A drive rewinds and unloads while the arm is elsewhere.
        if live.request.operation() == Operation::Dismount && self.unload_early(index, id, now) {
            return;
        }
        if let Some(library) = self.library_mut(index) {
            library.queue.insert(order, id);
        }
        self.mark_dirty(index);
    }

    fn start(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        let Some(live) = self.live.get(&id) else { return Start::Gone };
        match &live.request.wanted {
            Wanted::Inventory { full, .. } => {
                let full = *full;
                self.start_inventory(index, id, full, now)
            }
            Wanted::Mount { drive, .. } => {
                let named = *drive;
                self.start_mount(index, id, named, now)
            }
            Wanted::Dismount { .. } => self.start_dismount(index, id, now),
        }
    }

    fn start_inventory(&mut self, index: LibraryIndex, id: RequestId, full: bool, now: Now) -> Start {
        let Some(library) = self.library_mut(index) else { return Start::Gone };
        if !library.is_still() {
            return Start::Hold;
        }
        library.reading = true;
        let timing = library.config.timing;
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Reading;
            live.steps_sent = true;
        }
        self.set_state(id, State::InProcess);
        if full {
            self.begin(index, Work::Initialize(id, Initialize::new(timing)), now);
        } else {
            self.read_elements(index, Some(id), &TYPES, now);
        }
        Start::Gone
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
        let reading =
            ReadInventory::new(library.geometry, kinds, library.style, config.timing, config.max_transfer);
        self.begin(index, Work::Inventory { request, kinds, reading }, now);
    }

    /// Reads again what unit attentions touched.
    fn refresh(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let kinds: &'static [ElementType] = if library.stale == Stale::Ports { &PORTS } else { &TYPES };
        library.stale = Stale::Nothing;
        self.read_elements(index, None, kinds, now);
    }

    fn start_mount(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        named: Option<ElementAddress>,
        now: Now,
    ) -> Start {
        let Some(cartridge) = self.live.get(&id).and_then(|live| live.request.cartridge) else {
            return Start::Gone;
        };
        if self.medium_is_busy(cartridge, id) || self.catalogue.mount_of(cartridge).is_some() {
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        let source = match self.standing_place(id, cartridge) {
            Ok(source) => source,
            Err(failure) => {
                self.fail(id, failure, now);
                return Start::Gone;
            }
        };
        if source.kind == ElementType::Drive {
            return self.start_in_drive(index, id, cartridge, source.address, named, now);
        }
        let need = self.need_of(id);
        let Some(library) = self.library(index) else { return Start::Gone };
        let drive = match named {
            Some(drive) if library.elements.is_free_drive(drive) => drive,
            Some(drive) if library.elements.get(drive).is_none() => {
                let message = alloc::format!("drive {drive} is not in {} any more", library.config.name);
                self.fail(id, Failure::new(FailureKind::Refused, message), now);
                return Start::Gone;
            }
            Some(drive) => {
                self.displace(index, Some(drive), need, now);
                return Start::Blocked(Blocker::Drive(drive));
            }
            None => match library.elements.free_drive(need) {
                Some(drive) => drive,
                None => {
                    self.displace(index, None, need, now);
                    return Start::Blocked(Blocker::AnyDrive);
                }
            },
        };
        self.reserve(index, id, cartridge, drive, Some(source.address));
        let destination = ElementName { kind: ElementType::Drive, address: drive };
        self.intend(index, id, cartridge, source, destination, now);
        Start::Gone
    }

    /// The cartridge is in a drive already, and nobody has it mounted: no move is needed if the drive will do.
    fn start_in_drive(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        drive: ElementAddress,
        named: Option<ElementAddress>,
        now: Now,
    ) -> Start {
        let Some(library) = self.library(index) else { return Start::Gone };
        if library.elements.get(drive).is_some_and(|element| element.reserved_by.is_some()) {
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        let fits = library.elements.drive_fits(drive, self.need_of(id));
        if !fits || named.is_some_and(|named| named != drive) {
            self.displace(index, Some(drive), Need::default(), now);
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        self.reserve(index, id, cartridge, drive, None);
        self.set_state(id, State::InProcess);
        self.await_drive(index, id, now);
        Start::Gone
    }

    fn start_dismount(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        let Some(live) = self.live.get(&id) else { return Start::Gone };
        let Some(cartridge) = live.request.cartridge else { return Start::Gone };
        let unloaded = live.unloaded;
        if self.medium_is_busy(cartridge, id) {
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
        if !unloaded && self.begin_unload(index, id, cartridge, source.address, now) {
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
        self.reserve(index, id, cartridge, source.address, Some(slot));
        let destination = ElementName { kind: ElementType::Storage, address: slot };
        self.intend(index, id, cartridge, source, destination, now);
        Start::Gone
    }

    /// The slot for a dismount: the named one, the one that the cartridge came from, an empty one. `None`: wait.
    fn choose_slot(
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
        if let Some(home) = home.filter(|&home| usable(home)) {
            return Ok(Some(home));
        }
        let Some(library_id) = library.id else { return Ok(None) };
        Ok(library.elements.vacant_slot(|slot| self.catalogue.is_home_of_other(library_id, slot, cartridge)))
    }

    fn unload_early(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        let Some(cartridge) = live.request.cartridge.filter(|_| !live.unloaded) else { return false };
        let ready = self.library(index).is_some_and(|library| library.is_ready());
        if !ready || self.store_failed.is_some() || self.medium_is_busy(cartridge, id) {
            return false;
        }
        match self.standing_place(id, cartridge) {
            Ok(place) if place.kind == ElementType::Drive => {
                self.begin_unload(index, id, cartridge, place.address, now)
            }
            _ => false,
        }
    }

    fn need_of(&self, id: RequestId) -> Need {
        let Some(request) = self.live.get(&id).map(|live| &live.request) else { return Need::default() };
        let access = match request.wanted {
            Wanted::Mount { access, .. } => access,
            _ => Access::default(),
        };
        Need { medium: request.barcode.as_deref().and_then(generation::of_label), access }
    }

    fn medium_is_busy(&self, cartridge: CartridgeId, id: RequestId) -> bool {
        self.catalogue.reserver(cartridge).is_some_and(|by| by != id)
    }

    /// The element in which the cartridge stands.
    fn standing_place(&self, id: RequestId, cartridge: CartridgeId) -> Result<ElementName, Failure> {
        let place = self.catalogue.cartridge(cartridge).map(|cartridge| cartridge.place.clone());
        match place {
            Some(Place::Element(name)) => Ok(name),
            Some(place) => Err(Failure::new(
                FailureKind::CartridgeMissing,
                alloc::format!("cartridge {}: its place is {place}", self.cartridge_name(cartridge)),
            )
            .with_place(place)),
            None => Err(Failure::new(
                FailureKind::CartridgeMissing,
                alloc::format!("the cartridge of request {id} is not in the catalogue any more"),
            )),
        }
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
    fn displace(&mut self, index: LibraryIndex, named: Option<ElementAddress>, need: Need, now: Now) {
        let Some(library) = self.library(index) else { return };
        let Some(element) = library.elements.idle_loaded_drive(named, need) else { return };
        let (drive, Some(cartridge)) = (element.name.address, element.cartridge) else { return };
        let submission = Submission {
            id: RequestId(self.ids.next()),
            id_given: false,
            caller: Caller { session: SessionId(0), application: OWN.into(), role: Role::Administrator },
            wanted: Wanted::Dismount { cartridge: CartridgeRef::Id(cartridge), slot: None, force: false },
            priority: 0,
            deadline: None,
            detached: true,
        };
        let Some(id) = self.submit_own(submission, now) else { return };
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

    pub(crate) fn cartridge_name(&self, id: CartridgeId) -> String {
        let barcode = self.catalogue.cartridge(id).and_then(|cartridge| cartridge.barcode.clone());
        barcode.map_or_else(|| alloc::format!("{id}"), |barcode| String::from(&*barcode))
    }
}
