//! Which of the drives that would do are near to a medium.

use core::time::Duration;

use autochanger_scsi::ElementAddress;

use super::Engine;
use crate::id::{CartridgeId, LibraryIndex};
use crate::library::learned::{Usual, is_near};
use crate::request::Place;

impl Engine {
    /// Whether a drive is as near as the nearest of `drives` to a medium that stands there. All are where no zone is known, or no place.
    pub(crate) fn near<'a>(
        &'a self,
        index: LibraryIndex,
        place: Option<ElementAddress>,
        drives: &mut dyn Iterator<Item = ElementAddress>,
    ) -> impl Fn(&ElementAddress) -> bool + use<'a> {
        let library = self.library(index).filter(|library| !library.config.costs.zones.is_empty());
        let way = move |drive: ElementAddress| match (library, place) {
            (Some(library), Some(place)) => library.usual(Usual::Motion(place, drive)),
            _ => Duration::ZERO,
        };
        let nearest = drives.map(way).min().unwrap_or_default();
        move |drive| is_near(way(*drive), nearest)
    }

    /// The element from which the arm would fetch a cartridge.
    pub(crate) fn place_to_fetch(&self, cartridge: CartridgeId) -> Option<ElementAddress> {
        match self.catalogue.cartridge(cartridge)?.place {
            Place::Element(place) => Some(place.address),
            _ => None,
        }
    }
}
