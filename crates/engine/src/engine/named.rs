//! What the names in a request stand for: its library, its cartridge, its elements.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::check::Resolved;
use crate::id::{CartridgeId, LibraryId, LibraryIndex};
use crate::output::Refusal;
use crate::request::{CartridgeRef, Place};

/// How many addresses a message lists: a line of them.
const LISTED: usize = 8;

impl Engine {
    pub(super) fn check_library(&self, id: Option<LibraryId>) -> Result<(LibraryIndex, LibraryId), Refusal> {
        let found = match id {
            Some(id) => self.libraries.iter().find(|library| library.id == Some(id)).ok_or_else(|| {
                Refusal::NoSuchLibrary(format!(
                    "there is no library {id}; list the libraries to see which there are"
                ))
            })?,
            None => match self.libraries.as_slice() {
                [only] => only,
                [] => return Err(Refusal::NoSuchLibrary("no library is configured".into())),
                several => {
                    let count = several.len();
                    return Err(Refusal::NoSuchLibrary(format!(
                        "{count} libraries are configured: say which one is meant"
                    )));
                }
            },
        };
        match found.id {
            Some(id) if found.is_ready() => Ok((found.index, id)),
            _ => Err(Refusal::NotReady { library: found.config.name.clone(), state: found.state.clone() }),
        }
    }

    pub(super) fn check_cartridge(
        &self,
        name: &CartridgeRef,
        may_be_away: bool,
    ) -> Result<Resolved, Refusal> {
        let found = match name {
            CartridgeRef::Element { library, element } => vec![self.held_by(*library, *element)?],
            name => self.catalogue.find(name),
        };
        let here = |id: &CartridgeId| {
            let cartridge = self.catalogue.cartridge(*id)?;
            let library = self.libraries.iter().find(|library| library.id == Some(cartridge.library))?;
            Some((cartridge, library))
        };
        let present: Vec<_> = found.iter().filter_map(here).collect();
        // One label, several records: those that are gone do not make it ambiguous.
        let placed: Vec<_> = present
            .iter()
            .filter(|(cartridge, _)| {
                !matches!(cartridge.place, Place::Missing { .. } | Place::Outside { .. })
            })
            .collect();
        let (cartridge, library) = match (placed.as_slice(), present.first()) {
            ([one], _) => **one,
            ([], Some(gone)) => *gone,
            ([], None) => return Err(self.no_cartridge(name)),
            (several, _) => {
                let barcode = match name {
                    CartridgeRef::Barcode(barcode) => barcode.clone(),
                    other => other.to_string().into(),
                };
                return Err(Refusal::AmbiguousBarcode { barcode, count: several.len() });
            }
        };
        if !library.is_ready() {
            return Err(Refusal::NotReady {
                library: library.config.name.clone(),
                state: library.state.clone(),
            });
        }
        let away = matches!(cartridge.place, Place::Missing { .. } | Place::Outside { .. });
        if !(matches!(cartridge.place, Place::Element(_)) || (may_be_away && away)) {
            return Err(Refusal::CartridgeNotAvailable {
                cartridge: name.to_string(),
                place: cartridge.place.clone(),
            });
        }
        Ok(Resolved {
            index: library.index,
            library: cartridge.library,
            cartridge: Some(cartridge.id),
            barcode: cartridge.barcode.clone(),
        })
    }

    /// The cartridge that an element holds.
    fn held_by(&self, library: Option<LibraryId>, element: ElementAddress) -> Result<CartridgeId, Refusal> {
        let (index, _) = self.check_library(library)?;
        let held = self.library(index).and_then(|library| library.elements.get(element)?.cartridge);
        held.ok_or_else(|| Refusal::CartridgeNotFound {
            cartridge: format!("in element {element} of {}", self.library_name(index)),
        })
    }

    /// A cartridge can be unknown because the library that holds it was not read yet.
    fn no_cartridge(&self, name: &CartridgeRef) -> Refusal {
        match self.libraries.iter().find(|library| !library.is_ready()) {
            Some(library) => {
                Refusal::NotReady { library: library.config.name.clone(), state: library.state.clone() }
            }
            None => {
                let named = name.to_string();
                let empty = named.trim().is_empty();
                let cartridge = if empty { String::from("with an empty label") } else { named };
                Refusal::CartridgeNotFound { cartridge }
            }
        }
    }

    pub(super) fn check_element(
        &self,
        index: LibraryIndex,
        address: ElementAddress,
        kind: ElementType,
    ) -> Result<(), Refusal> {
        let Some(library) = self.library(index) else { return Ok(()) };
        if library.elements.get(address).is_some_and(|element| element.name.kind == kind) {
            return Ok(());
        }
        let all: Vec<String> = library.elements.of_kind(kind).map(|e| e.name.address.to_string()).collect();
        let mut offered = all.get(..LISTED.min(all.len())).unwrap_or_default().join(", ");
        if all.len() > LISTED
            && let Some(last) = all.last()
        {
            offered = format!("{offered} … {last} ({} in all)", all.len());
        }
        Err(Refusal::NoSuchElement {
            library: library.config.name.clone(),
            wanted: match kind {
                ElementType::Drive => "drive",
                ElementType::ImportExport => "port",
                _ => "slot",
            },
            address: address.0,
            offered: if offered.is_empty() { "none".into() } else { offered },
        })
    }
}
