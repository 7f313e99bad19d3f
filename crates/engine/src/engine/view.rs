//! How things stand, as copies for callers.

use alloc::vec::Vec;

use autochanger_scsi::ElementType;

use super::Engine;
use super::live::{Live, Phase};
use crate::catalog::Cartridge;
use crate::id::{CartridgeId, Device, LibraryId, Path, RequestId, Route};
use crate::library::Library;
use crate::library::ownership::Hold;
use crate::request::{Request, State, Waiting};
use crate::view::{DriveInfo, ElementCounts, LibraryInfo, MountInfo, OperatorRequest, SlotInfo};

/// A look at the engine.
#[derive(Debug)]
pub struct View<'a>(&'a Engine);

impl<'a> View<'a> {
    pub(crate) fn new(engine: &'a Engine) -> Self {
        Self(engine)
    }

    fn of(&self, wanted: Option<LibraryId>) -> impl Iterator<Item = (LibraryId, &'a Library)> {
        let libraries = self.0.libraries.iter().filter_map(|library| Some((library.id?, library)));
        libraries.filter(move |(id, _)| wanted.is_none_or(|wanted| wanted == *id))
    }

    fn barcode(&self, cartridge: Option<CartridgeId>) -> Option<alloc::sync::Arc<str>> {
        self.0.catalogue.cartridge(cartridge?)?.barcode.clone()
    }

    /// The libraries, in the order of the configuration.
    pub fn libraries(&self) -> Vec<LibraryInfo> {
        let info = |library: &Library| {
            let count = |kind| library.elements.count(kind).min(usize::from(u16::MAX)) as u16;
            LibraryInfo {
                name: library.config.name.clone(),
                id: library.id,
                identity: library.identity.clone(),
                state: library.state.clone(),
                quirks: library.quirks.iter().copied().collect(),
                counts: ElementCounts {
                    transports: count(ElementType::Transport),
                    slots: count(ElementType::Storage),
                    ports: count(ElementType::ImportExport),
                    drives: count(ElementType::Drive),
                },
                service: library.service,
                cleaner_slot: library.cleaner_slot,
                blame: library.blame,
                paths: library.routes.infos(),
                reserved: library.ownership.hold == Hold::Ours,
                mean_motion: library.ways.all.get(),
                moves_in_flight: library.config.moves_in_flight.max(1),
                live_requests: self
                    .0
                    .live
                    .shown()
                    .filter(|live| Some(live.request.library) == library.id)
                    .count(),
            }
        };
        self.0.libraries.iter().map(info).collect()
    }

    /// The drives, of one library or of all.
    pub fn drives(&self, library: Option<LibraryId>) -> Vec<DriveInfo> {
        let mut drives = Vec::new();
        for (id, library) in self.of(library) {
            for element in library.elements.of_kind(ElementType::Drive) {
                let drive = element.drive.as_ref();
                drives.push(DriveInfo {
                    library: id,
                    element: element.name.address,
                    serial: drive.and_then(|drive| drive.serial.clone()),
                    device: drive.and_then(|drive| drive.device),
                    cartridge: element.cartridge,
                    barcode: self.barcode(element.cartridge),
                    mount: drive.and_then(|drive| drive.mount),
                    reserved_by: element.reserved_by,
                    exception: element.exception,
                    condition: element.condition,
                    service: drive.map_or_else(Default::default, |drive| drive.service),
                    last_cleaned: drive.and_then(|drive| drive.last_cleaned),
                    wants_cleaning: drive.is_some_and(|drive| drive.wants_cleaning),
                    blame: drive.map_or_else(Default::default, |drive| drive.blame),
                    state: self.0.drive_state(element),
                    suspect: library.is_suspect(element.name.address),
                    mean_load: drive.and_then(|drive| drive.load_time.get()),
                    mean_unload: drive.and_then(|drive| drive.unload_time.get()),
                });
            }
        }
        drives
    }

    /// Slots, ports and transports by address, of one library or of all.
    pub fn slots(&self, library: Option<LibraryId>) -> Vec<SlotInfo> {
        let mut slots = Vec::new();
        for (id, library) in self.of(library) {
            for element in library.elements.iter().filter(|element| element.name.kind != ElementType::Drive) {
                slots.push(SlotInfo {
                    library: id,
                    element: element.name,
                    full: element.full,
                    cartridge: element.cartridge,
                    barcode: self.barcode(element.cartridge),
                    accessible: element.accessible,
                    exception: element.exception,
                    condition: element.condition,
                });
            }
        }
        slots
    }

    /// The cartridges by library and label, of one library or of all.
    pub fn cartridges(&self, library: Option<LibraryId>) -> Vec<Cartridge> {
        let wanted = |cartridge: &&Cartridge| library.is_none_or(|library| cartridge.library == library);
        let mut cartridges: Vec<Cartridge> = self.0.catalogue.cartridges().filter(wanted).cloned().collect();
        cartridges.sort_by(|a, b| (a.library, &a.barcode, a.id).cmp(&(b.library, &b.barcode, b.id)));
        cartridges
    }

    /// What is not durable is not shown.
    fn accepted(&self) -> impl Iterator<Item = &'a Live> {
        self.0.live.shown().filter(|live| live.phase != Phase::Accepting)
    }

    /// The requests that have not ended, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        let mut requests: Vec<Request> = self.accepted().map(|live| self.shown(live)).collect();
        requests.sort_by_key(|request| (request.queued_at, request.id));
        requests
    }

    /// One request that has not ended.
    pub fn request(&self, id: RequestId) -> Option<Request> {
        let live = self.0.live.get(&id).filter(|live| live.phase != Phase::Accepting)?;
        Some(self.shown(live))
    }

    /// What waits in a library that is not ready waits for that. It is told once, as the library's state, and not of each.
    fn shown(&self, live: &Live) -> Request {
        let mut request = live.request.clone();
        let library = live.library.and_then(|index| self.0.library(index));
        let waits = live.is_in_queue() || live.phase == Phase::Orphan;
        let for_its_turn = match request.state {
            State::Queued => true,
            State::Waiting(reason) => reason != Waiting::Owner,
            _ => false,
        };
        if waits && for_its_turn && !library.is_some_and(Library::is_ready) {
            request.state = State::Waiting(Waiting::Library);
        }
        request
    }

    /// Its place among the waiting requests of its operation and library, counted from 1; `None` where it has none.
    pub fn queue_position(&self, id: RequestId) -> Option<u32> {
        self.0.position_of(id)
    }

    /// What persons are asked to do, for live requests.
    pub fn operator_requests(&self) -> Vec<OperatorRequest> {
        self.accepted().filter_map(|live| self.0.task_of(live.request.id)).collect()
    }

    /// The way to the drive of a mount, where one is known.
    pub fn way_to_mount(&self, id: RequestId) -> Option<Path> {
        let mount = self.0.catalogue.mount(id)?;
        let library = self.0.libraries.iter().find(|library| library.id == Some(mount.library))?;
        let device = library.elements.get(mount.drive)?.drive.as_ref()?.device?;
        let route = match device {
            Device::Configured(_) => Route(0),
            Device::Changer | Device::Sibling(_) => library.routes.active,
        };
        Some(Path { library: library.index, route, device })
    }

    /// The mounts.
    pub fn mounts(&self) -> Vec<MountInfo> {
        self.0.catalogue.mounts().map(|mount| self.0.mount_info(mount)).collect()
    }
}
