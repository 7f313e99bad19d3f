//! Where the cartridge of a request stands. A request is its library's: what was carried to another library is there for
//! others, and the same address here is somebody else's place.

use alloc::string::String;

use autochanger_scsi::ElementAddress;

use super::Engine;
use crate::id::{CartridgeId, LibraryId, RequestId};
use crate::request::{ElementName, Failure, FailureKind, Place};

impl Engine {
    /// The element of the request's library in which the cartridge stands.
    pub(crate) fn standing_place(
        &self,
        id: RequestId,
        cartridge: CartridgeId,
    ) -> Result<ElementName, Failure> {
        if let Some(elsewhere) = self.carried_away(id, cartridge) {
            return Err(elsewhere);
        }
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

    /// That the cartridge was carried to another library than the request's, as the request's failure.
    pub(crate) fn carried_away(&self, id: RequestId, cartridge: CartridgeId) -> Option<Failure> {
        let (known, live) = (self.catalogue.cartridge(cartridge)?, self.live.get(&id)?);
        if known.library == live.request.library {
            return None;
        }
        let message = alloc::format!(
            "cartridge {} was carried from {} to {}, its place there: {}; a request that is handed in now is for that library",
            self.cartridge_name(cartridge),
            self.name_of(live.request.library),
            self.name_of(known.library),
            known.place
        );
        Some(Failure::new(FailureKind::CartridgeMissing, message).with_place(known.place.clone()))
    }

    /// Whether the cartridge is not in the request's library, as far as is known.
    pub(crate) fn is_away(&self, id: RequestId, cartridge: CartridgeId) -> bool {
        let place = self.catalogue.cartridge(cartridge).map(|cartridge| &cartridge.place);
        self.carried_away(id, cartridge).is_some()
            || matches!(place, Some(Place::Missing { .. } | Place::Outside { .. }))
    }

    /// Whether the cartridge of the request is in that drive of the request's library.
    pub(crate) fn stands_in(&self, id: RequestId, cartridge: CartridgeId, drive: ElementAddress) -> bool {
        self.standing_place(id, cartridge).is_ok_and(|place| place.address == drive)
    }

    /// A library by its name; one that is not configured by what it said it was.
    pub(crate) fn name_of(&self, library: LibraryId) -> String {
        if let Some(configured) = self.libraries.iter().find(|known| known.id == Some(library)) {
            return String::from(&*configured.config.name);
        }
        match self.known_libraries.iter().find(|known| known.id == library).map(|known| &known.identity) {
            Some(it) => alloc::format!("{} {} with serial number {}", it.vendor, it.product, it.serial),
            None => alloc::format!("library {library}"),
        }
    }
}
