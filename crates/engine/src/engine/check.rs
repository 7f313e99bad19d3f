//! Whether a request can be accepted, and what it will work on.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use crate::catalog::{Caller, Role, generation};
use crate::id::{CartridgeId, LibraryId, LibraryIndex};
use crate::library::elements::Need;
use crate::output::SubmitError;
use crate::request::{Access, CartridgeRef, Operation, Place, Submission, Wanted};

/// Priorities (RSM: `NTMS_PRIORITY_LOWEST` to `NTMS_PRIORITY_HIGHEST`).
const PRIORITIES: core::ops::RangeInclusive<i8> = -15..=15;
/// How many addresses a message lists: a line of them.
const LISTED: usize = 8;

/// A request that was checked: what it will work on.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) index: LibraryIndex,
    pub(crate) library: LibraryId,
    pub(crate) cartridge: Option<CartridgeId>,
    pub(crate) barcode: Option<Arc<str>>,
}

impl Engine {
    pub(crate) fn check(&self, submission: &Submission) -> Result<Resolved, SubmitError> {
        if !PRIORITIES.contains(&submission.priority) {
            return Err(SubmitError::PriorityOutOfRange(submission.priority));
        }
        match &submission.wanted {
            Wanted::Inventory { library, .. } => {
                let (index, library) = self.check_library(*library)?;
                Ok(Resolved { index, library, cartridge: None, barcode: None })
            }
            Wanted::Mount { cartridge, drive, access } => {
                let resolved = self.check_cartridge(cartridge)?;
                if let Some(drive) = drive {
                    self.check_element(resolved.index, *drive, ElementType::Drive)?;
                }
                self.check_pairing(&resolved, *drive, *access)?;
                Ok(resolved)
            }
            Wanted::Dismount { cartridge, slot, force } => {
                let resolved = self.check_cartridge(cartridge)?;
                if let Some(slot) = slot {
                    self.check_element(resolved.index, *slot, ElementType::Storage)?;
                }
                self.check_dismount(&resolved, &submission.caller, *force)?;
                self.check_slot(&resolved, *slot)?;
                Ok(resolved)
            }
        }
    }

    fn check_library(&self, id: Option<LibraryId>) -> Result<(LibraryIndex, LibraryId), SubmitError> {
        let found = match id {
            Some(id) => self.libraries.iter().find(|library| library.id == Some(id)).ok_or_else(|| {
                SubmitError::NoSuchLibrary(format!(
                    "there is no library {id}; list the libraries to see which there are"
                ))
            })?,
            None => match self.libraries.as_slice() {
                [only] => only,
                [] => return Err(SubmitError::NoSuchLibrary("no library is configured".into())),
                several => {
                    let count = several.len();
                    return Err(SubmitError::NoSuchLibrary(format!(
                        "{count} libraries are configured: say which one is meant"
                    )));
                }
            },
        };
        match found.id {
            Some(id) if found.is_ready() => Ok((found.index, id)),
            _ => {
                Err(SubmitError::NotReady { library: found.config.name.clone(), state: found.state.clone() })
            }
        }
    }

    fn check_cartridge(&self, name: &CartridgeRef) -> Result<Resolved, SubmitError> {
        let found = self.catalogue.find(name);
        let here = |id: &CartridgeId| {
            let cartridge = self.catalogue.cartridge(*id)?;
            let library = self.libraries.iter().find(|library| library.id == Some(cartridge.library))?;
            Some((cartridge, library))
        };
        let present: Vec<_> = found.iter().filter_map(here).collect();
        // One label, several records: those that are gone do not make it ambiguous.
        let placed: Vec<_> = present
            .iter()
            .filter(|(cartridge, _)| !matches!(cartridge.place, Place::Missing { .. }))
            .collect();
        let (cartridge, library) = match (placed.as_slice(), present.first()) {
            ([one], _) => **one,
            ([], Some(gone)) => *gone,
            ([], None) => return Err(self.no_cartridge(name)),
            (several, _) => {
                let barcode = match name {
                    CartridgeRef::Barcode(barcode) => barcode.clone(),
                    CartridgeRef::Id(id) => id.to_string().into(),
                };
                return Err(SubmitError::AmbiguousBarcode { barcode, count: several.len() });
            }
        };
        if !library.is_ready() {
            return Err(SubmitError::NotReady {
                library: library.config.name.clone(),
                state: library.state.clone(),
            });
        }
        if !matches!(cartridge.place, Place::Element(_)) {
            return Err(SubmitError::CartridgeNotAvailable {
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

    /// A cartridge can be unknown because the library that holds it was not read yet.
    fn no_cartridge(&self, name: &CartridgeRef) -> SubmitError {
        match self.libraries.iter().find(|library| !library.is_ready()) {
            Some(library) => {
                SubmitError::NotReady { library: library.config.name.clone(), state: library.state.clone() }
            }
            None => SubmitError::CartridgeNotFound { cartridge: name.to_string() },
        }
    }

    fn check_element(
        &self,
        index: LibraryIndex,
        address: ElementAddress,
        kind: ElementType,
    ) -> Result<(), SubmitError> {
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
        Err(SubmitError::NoSuchElement {
            library: library.config.name.clone(),
            wanted: if kind == ElementType::Drive { "drive" } else { "slot" },
            address: address.0,
            offered: if offered.is_empty() { "none".into() } else { offered },
        })
    }

    /// An impossible pairing of medium and drive is refused before anything moves.
    fn check_pairing(
        &self,
        resolved: &Resolved,
        named: Option<ElementAddress>,
        access: Access,
    ) -> Result<(), SubmitError> {
        let Some(library) = self.library(resolved.index) else { return Ok(()) };
        let Some(barcode) = &resolved.barcode else { return Ok(()) };
        let Some(medium) = generation::of_label(barcode) else { return Ok(()) };
        let need = Need { medium: Some(medium), access };
        let fits = |drive: ElementAddress| library.elements.drive_fits(drive, need);
        let possible = match named {
            Some(named) => fits(named),
            // Without any drive the mount waits for one: that is another matter.
            None => {
                let mut drives =
                    library.elements.of_kind(ElementType::Drive).map(|element| element.name.address);
                library.elements.count(ElementType::Drive) == 0 || drives.any(fits)
            }
        };
        if possible {
            return Ok(());
        }
        let verb = if access == Access::Read { "read" } else { "write" };
        let reason = match named {
            Some(drive) => format!("drive {drive} of {} cannot {verb} {medium}", library.config.name),
            None => format!("no drive of {} can {verb} {medium}", library.config.name),
        };
        Err(SubmitError::Incompatible { cartridge: barcode.to_string(), reason })
    }

    /// A slot that is full, and stays so, is refused; one whose cartridge is about to leave is waited for.
    fn check_slot(&self, resolved: &Resolved, slot: Option<ElementAddress>) -> Result<(), SubmitError> {
        let (Some(slot), Some(library)) = (slot, self.library(resolved.index)) else { return Ok(()) };
        let Some(element) = library.elements.get(slot) else { return Ok(()) };
        if !element.full || element.reserved_by.is_some() {
            return Ok(());
        }
        let held =
            element.cartridge.map_or_else(|| String::from("a cartridge"), |held| self.cartridge_name(held));
        Err(SubmitError::SlotFull { library: library.config.name.clone(), slot: slot.0, held })
    }

    fn check_dismount(&self, resolved: &Resolved, caller: &Caller, force: bool) -> Result<(), SubmitError> {
        let Some(id) = resolved.cartridge else { return Ok(()) };
        let Some(cartridge) = self.catalogue.cartridge(id) else { return Ok(()) };
        let name =
            || cartridge.barcode.as_ref().map_or_else(|| id.to_string(), |barcode| barcode.to_string());
        if let Some(mount) = self.catalogue.mount_of(id) {
            let own = mount.application == caller.application;
            let by_force = force && caller.role == Role::Administrator;
            if !own && !by_force {
                return Err(SubmitError::MediaOpen {
                    cartridge: name(),
                    drive: mount.drive.0,
                    application: mount.application.to_string(),
                });
            }
            return Ok(());
        }
        let in_drive =
            matches!(&cartridge.place, Place::Element(element) if element.kind == ElementType::Drive);
        // A medium that is being mounted for another application will be that one's.
        let owner = self.catalogue.reserver(id).and_then(|by| self.live.get(&by)).map(|live| &live.request);
        let owner = owner.filter(|request| request.operation() == Operation::Mount);
        if let Some(owner) = owner.filter(|owner| owner.application != caller.application)
            && !(force && caller.role == Role::Administrator)
        {
            return Err(SubmitError::MediaOpen {
                cartridge: name(),
                drive: owner.drive.map_or(0, |drive| drive.0),
                application: owner.application.to_string(),
            });
        }
        // On its way into a drive is as good as in it: the dismount waits for the mount's end.
        if !in_drive && self.catalogue.reserver(id).is_none() {
            return Err(SubmitError::NotMounted { cartridge: name(), place: cartridge.place.clone() });
        }
        Ok(())
    }
}
