//! A cartridge goes into a port, for a person to take (RSM: `EjectNtmsMedia`, `EjectNtmsCleaner`).

use alloc::vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::motion::Way;
use super::schedule::Start;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::queue::Blocker;
use crate::request::{ElementName, Failure, FailureKind, Outcome, State, Wanted};
use crate::time::Now;
use crate::view::OperatorTask;

impl Engine {
    /// The cartridge in the cleaner's slot goes into a port; through the door, where the library has no port.
    pub(crate) fn start_eject_cleaner(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        let Some(library) = self.library(index) else { return Start::Gone };
        // On its way already, it is not looked for in its slot again.
        if self.live.get(&id).is_some_and(|live| live.request.cartridge.is_none()) {
            let name = library.config.name.clone();
            let Some(slot) = library.cleaner_slot else {
                self.fails_by_cleaner_slot(index, id, now);
                return Start::Gone;
            };
            let Some(cartridge) = library.elements.get(slot).and_then(|element| element.cartridge) else {
                let message = alloc::format!("the cleaner's slot {slot} of {name} is empty");
                self.fail(id, Failure::new(FailureKind::NoCleaner, message), now);
                return Start::Gone;
            };
            self.works_on(id, cartridge);
        }
        if self.library(index).is_some_and(|library| library.elements.count(ElementType::ImportExport) == 0) {
            return self.start_door(index, id, now);
        }
        self.start_eject(index, id, None, now)
    }

    pub(crate) fn start_eject(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        named: Option<ElementAddress>,
        now: Now,
    ) -> Start {
        let Some(live) = self.live.get(&id) else { return Start::Gone };
        let (Some(cartridge), unloaded) = (live.request.cartridge, live.unloaded) else { return Start::Gone };
        if self.medium_is_busy(cartridge, id) && self.carried_away(id, cartridge).is_none() {
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        let source = match self.where_to_eject_from(index, id, cartridge) {
            Ok(source) => source,
            Err(failure) => {
                self.fail(id, failure, now);
                return Start::Gone;
            }
        };
        if source.kind == ElementType::ImportExport && named.is_none_or(|named| named == source.address) {
            // It lies there already: it is a person's now.
            self.lies_for_a_person(index, source.address);
            self.end(id, State::Passed(Outcome::Ejected { port: source.address }), now);
            return Start::Gone;
        }
        let Some(library) = self.library(index) else { return Start::Gone };
        let taken = library.elements.get(source.address).and_then(|element| element.reserved_by);
        if source.kind == ElementType::Drive && taken.is_some_and(|by| by != id) {
            return Start::Blocked(Blocker::Drive(source.address));
        }
        let own = self.live.get(&id).and_then(|live| live.port);
        let port = match named {
            Some(named) => (library.elements.is_vacant(named) || own == Some(named)).then_some(named),
            None => own.or_else(|| library.elements.vacant_port(|port| library.ports.open.contains(&port))),
        };
        let Some(port) = port else {
            let all = library.elements.of_kind(ElementType::ImportExport).map(|port| port.name.address);
            let ports = named.map_or_else(|| all.collect(), |named| vec![named]);
            let (library, trouble) = (library.config.name.clone(), library.ports.trouble());
            let cartridge = self.cartridge_name(cartridge).into();
            self.ask_person(id, OperatorTask::EmptyPort { library, ports, cartridge, trouble }, now);
            self.begin_patience(index, id, now);
            return Start::Blocked(Blocker::Port);
        };
        self.end_patience(index, id);
        let destination = ElementName { kind: ElementType::ImportExport, address: port };
        let way = Way { source, destination };
        self.reserve_way(index, id, cartridge, way);
        if source.kind == ElementType::Drive
            && !unloaded
            && self.begin_unload(index, id, cartridge, source.address)
        {
            return Start::Gone;
        }
        self.intend(index, id, cartridge, way, now);
        Start::Gone
    }

    fn where_to_eject_from(
        &self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
    ) -> Result<ElementName, Failure> {
        let name = self.library_name(index);
        if self.library(index).is_none_or(|library| library.elements.count(ElementType::ImportExport) == 0) {
            let message = alloc::format!("{name} has no port: take the cartridge out through the door");
            return Err(Failure::new(FailureKind::Refused, message));
        }
        let place = self.standing_place(id, cartridge)?;
        // It was mounted since the eject was handed in.
        if let Some(mount) = self.catalogue.mount_of(cartridge) {
            let message = alloc::format!(
                "cartridge {} is open in drive {} of {name} for {:?}",
                self.cartridge_name(cartridge),
                mount.drive,
                mount.application
            );
            return Err(Failure::new(FailureKind::MediaOpen, message));
        }
        Ok(place)
    }

    /// The cartridge is in the port: the eject has done what it was to do.
    pub(crate) fn ejected(&mut self, index: LibraryIndex, id: RequestId, port: ElementAddress, now: Now) {
        self.lies_for_a_person(index, port);
        self.end(id, State::Passed(Outcome::Ejected { port }), now);
    }

    fn lies_for_a_person(&mut self, index: LibraryIndex, port: ElementAddress) {
        if let Some(library) = self.library_mut(index) {
            library.elements.update(port, |element| {
                element.ejected = true;
                element.by_hand = false;
            });
        }
        self.mark_dirty(index);
    }

    /// What the request works on has become known.
    pub(crate) fn works_on(&mut self, id: RequestId, cartridge: CartridgeId) {
        let barcode = self.catalogue.cartridge(cartridge).and_then(|cartridge| cartridge.barcode.clone());
        if let Some(live) = self.live.get_mut(&id) {
            live.request.cartridge = Some(cartridge);
            live.request.barcode = barcode;
        }
    }

    /// Whether a motion of this operation has a port at one end.
    pub(crate) fn uses_ports(wanted: &Wanted) -> bool {
        matches!(
            wanted,
            Wanted::Eject { .. }
                | Wanted::EjectCleaner { .. }
                | Wanted::Inject { .. }
                | Wanted::InjectCleaner { .. }
        )
    }
}
