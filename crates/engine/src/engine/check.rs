//! Whether a request can be accepted, and what it will work on.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::choices::Want;
use super::identify::no_way;
use super::identity::kind_of;
use crate::catalog::{Caller, Label, MediumKind, Role, Service, generation};
use crate::id::{CartridgeId, LibraryId, LibraryIndex};
use crate::library::elements::Need;
use crate::output::Refusal;
use crate::request::{Access, InventoryMethod, Operation, Place, ServiceTarget, Submission, Wanted};

/// Priorities (RSM: `NTMS_PRIORITY_LOWEST` to `NTMS_PRIORITY_HIGHEST`).
const PRIORITIES: core::ops::RangeInclusive<i8> = -15..=15;

/// A request that was checked: what it will work on.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) index: LibraryIndex,
    pub(crate) library: LibraryId,
    pub(crate) cartridge: Option<CartridgeId>,
    pub(crate) barcode: Option<Arc<str>>,
}

impl Engine {
    pub(crate) fn check(&self, submission: &Submission) -> Result<Resolved, Refusal> {
        if !PRIORITIES.contains(&submission.priority) {
            return Err(Refusal::PriorityOutOfRange(submission.priority));
        }
        let (role, needed) = (submission.caller.role, self.needed_for(&submission.wanted));
        if !role.suffices_for(needed) {
            return Err(Refusal::RoleNeeded { operation: submission.wanted.operation(), role, needed });
        }
        self.check_options(submission)?;
        match &submission.wanted {
            Wanted::SetService { target: ServiceTarget::Cartridge(_), service }
                if !matches!(service, Service::Enabled | Service::Disabled) =>
            {
                Err(Refusal::Unfit(format!(
                    "a cartridge is enabled or disabled, and cannot be {service}: disable it, or drain the drive that it is in"
                )))
            }
            Wanted::SetService { target, .. } => match target {
                ServiceTarget::Library(library) => self.of_library(*library),
                ServiceTarget::Drive { library, drive } => {
                    let resolved = self.of_library(*library)?;
                    self.check_element(resolved.index, *drive, ElementType::Drive)?;
                    Ok(resolved)
                }
                ServiceTarget::Cartridge(cartridge) => self.check_cartridge(cartridge, false),
            },
            Wanted::Inventory { library, method } => {
                self.check_inventory(self.of_library(*library)?, *method)
            }
            Wanted::DoorAccess { library, then } => {
                self.check_inventory(self.of_library(*library)?, then.method())
            }
            Wanted::Inject { library, .. } => {
                let resolved = self.in_service(self.of_library(*library)?)?;
                if submission.options.identify {
                    self.check_way(&resolved)?;
                }
                Ok(resolved)
            }
            Wanted::EjectCleaner { library } | Wanted::InjectCleaner { library, .. } => {
                let resolved = self.in_service(self.of_library(*library)?)?;
                self.check_cleaner_slot(resolved.index, &submission.wanted)?;
                Ok(resolved)
            }
            Wanted::ReserveCleanerSlot { library, slot } => {
                let resolved = self.of_library(*library)?;
                self.check_element(resolved.index, *slot, ElementType::Storage)?;
                self.check_cleaner_slot(resolved.index, &submission.wanted)?;
                Ok(resolved)
            }
            Wanted::ReleaseCleanerSlot { library } => {
                let resolved = self.of_library(*library)?;
                self.check_cleaner_slot(resolved.index, &submission.wanted)?;
                Ok(resolved)
            }
            Wanted::CleanDrive { library, drive } => {
                let resolved = self.in_service(self.of_library(*library)?)?;
                self.check_element(resolved.index, *drive, ElementType::Drive)?;
                Ok(resolved)
            }
            Wanted::UpdateLabel { cartridge, label } => {
                if label.id.len() > Label::MAX_ID {
                    return Err(Refusal::Unfit(format!(
                        "the label's id has {} bytes, and {} can be kept: shorten it",
                        label.id.len(),
                        Label::MAX_ID
                    )));
                }
                for (what, text) in [("format", &label.format), ("description", &label.description)] {
                    if text.len() > Label::MAX_TEXT {
                        return Err(Refusal::Unfit(format!(
                            "the label's {what} has {} bytes, and {} can be kept: shorten it",
                            text.len(),
                            Label::MAX_TEXT
                        )));
                    }
                }
                self.check_cartridge(cartridge, false)
            }
            Wanted::Classify { cartridge } => self.check_cartridge(cartridge, false),
            Wanted::Eject { cartridge, port } => {
                let resolved = self.in_service(self.check_cartridge(cartridge, false)?)?;
                if let Some(port) = port {
                    self.check_element(resolved.index, *port, ElementType::ImportExport)?;
                }
                self.check_not_open(&resolved, &submission.caller)?;
                Ok(resolved)
            }
            Wanted::Identify { cartridge, .. } | Wanted::WriteFreeLabel { cartridge, .. } => {
                let resolved = self.usable(self.check_cartridge(cartridge, false)?)?;
                self.check_not_open(&resolved, &submission.caller)?;
                self.check_way(&resolved)?;
                let write = matches!(submission.wanted, Wanted::WriteFreeLabel { .. });
                self.check_pairing(&resolved, None, if write { Access::ReadWrite } else { Access::Read })?;
                Ok(resolved)
            }
            Wanted::Mount { cartridge, drive, access } => {
                let may_be_away = submission.options.wait_for_operator;
                let resolved = self.usable(self.check_cartridge(cartridge, may_be_away)?)?;
                if let Some(drive) = drive {
                    self.check_element(resolved.index, *drive, ElementType::Drive)?;
                    self.check_drive_serves(resolved.index, *drive)?;
                }
                self.check_pairing(&resolved, *drive, *access)?;
                if self.verifies(Some(resolved.index)) {
                    self.check_way(&resolved)?;
                }
                // The media of a group are looked at together.
                if submission.options.at_once && submission.options.group.is_none() {
                    let want = self.want_to_be(&resolved, *drive, *access);
                    self.check_at_once(resolved.index, &[want])?;
                }
                Ok(resolved)
            }
            Wanted::Dismount { cartridge, slot, force } => {
                let resolved = self.in_service(self.check_cartridge(cartridge, false)?)?;
                if let Some(slot) = slot {
                    self.check_element(resolved.index, *slot, ElementType::Storage)?;
                }
                self.check_dismount(&resolved, &submission.caller, *force)?;
                self.check_slot(&resolved, *slot)?;
                Ok(resolved)
            }
        }
    }

    /// The role that is needed; an inventory that does not say how needs that of the library's own method.
    fn needed_for(&self, wanted: &Wanted) -> Role {
        let Wanted::Inventory { library, method: None } = wanted else { return wanted.needs() };
        let own = self.of_library(*library).ok().and_then(|resolved| self.library(resolved.index));
        let method = own.map(|library| library.config.inventory_method);
        Wanted::Inventory { library: *library, method }.needs()
    }

    /// Whoever wants labels read needs a drive that can be asked.
    fn check_inventory(
        &self,
        resolved: Resolved,
        method: Option<InventoryMethod>,
    ) -> Result<Resolved, Refusal> {
        let resolved = self.in_service(resolved)?;
        let own = || self.library(resolved.index).map(|library| library.config.inventory_method);
        if method.or_else(own).is_some_and(InventoryMethod::reads_labels) {
            self.check_way(&resolved)?;
        }
        Ok(resolved)
    }

    /// What a mount that is not accepted yet would want of a drive.
    pub(crate) fn want_to_be(
        &self,
        resolved: &Resolved,
        named: Option<ElementAddress>,
        access: Access,
    ) -> Want {
        let medium = resolved.barcode.as_deref().and_then(generation::of_label);
        let need = Need { medium, access, way: self.verifies(Some(resolved.index)) };
        Want { cartridge: resolved.cartridge, need, named, suspects: Vec::new() }
    }

    /// Options that do not go with the operation are refused, not ignored.
    fn check_options(&self, submission: &Submission) -> Result<(), Refusal> {
        let (options, operation) = (&submission.options, submission.wanted.operation());
        let unfit = |option: &str, only: &str| {
            Err(Refusal::Unfit(format!("`{option}` goes with a {only}, not with a request for {operation}")))
        };
        if options.deferred && operation != Operation::Dismount {
            return unfit("deferred", "dismount");
        }
        if options.identify && operation != Operation::Inject {
            return unfit("identify", "inject");
        }
        let mounts = operation == Operation::Mount;
        match (options.at_once, options.wait_for_operator, options.group) {
            (true, _, _) if !mounts => unfit("at_once", "mount"),
            (_, true, _) if !mounts => unfit("wait_for_operator", "mount"),
            (_, _, Some(_)) if !mounts => unfit("group", "mount"),
            (true, true, _) => Err(Refusal::Unfit(
                "`at_once` and `wait_for_operator` contradict each other: give one of them".into(),
            )),
            _ => Ok(()),
        }
    }

    fn of_library(&self, library: Option<LibraryId>) -> Result<Resolved, Refusal> {
        let (index, library) = self.check_library(library)?;
        Ok(Resolved { index, library, cartridge: None, barcode: None })
    }

    fn in_service(&self, resolved: Resolved) -> Result<Resolved, Refusal> {
        match self.library(resolved.index) {
            Some(library) if library.service == Service::Disabled => {
                Err(Refusal::Disabled { what: format!("library {}", library.config.name) })
            }
            _ => Ok(resolved),
        }
    }

    /// Library and cartridge are in service.
    fn usable(&self, resolved: Resolved) -> Result<Resolved, Refusal> {
        let resolved = self.in_service(resolved)?;
        match resolved.cartridge.and_then(|id| self.catalogue.cartridge(id)) {
            Some(cartridge) if cartridge.disabled => {
                Err(Refusal::Disabled { what: format!("cartridge {}", self.cartridge_name(cartridge.id)) })
            }
            Some(cartridge) if kind_of(cartridge) == MediumKind::Cleaning => Err(Refusal::Incompatible {
                cartridge: self.cartridge_name(cartridge.id),
                reason: "it is a cleaning cartridge, which a cleaning takes".into(),
            }),
            _ => Ok(resolved),
        }
    }

    fn check_drive_serves(&self, index: LibraryIndex, drive: ElementAddress) -> Result<(), Refusal> {
        let state = self.library(index).and_then(|library| library.elements.get(drive)?.drive.as_ref());
        match state {
            Some(state) if state.service == Service::Disabled => {
                let what = format!("drive {drive} of {}", self.library_name(index));
                Err(Refusal::Disabled { what })
            }
            _ => Ok(()),
        }
    }

    /// A cartridge that somebody has mounted is not worked on for somebody else.
    fn check_not_open(&self, resolved: &Resolved, caller: &Caller) -> Result<(), Refusal> {
        let Some(mount) = resolved.cartridge.and_then(|id| self.catalogue.mount_of(id)) else {
            return Ok(());
        };
        let (cartridge, drive) = (self.cartridge_name(mount.cartridge), mount.drive.0);
        if mount.application == caller.application {
            return Err(Refusal::OwnMediaOpen { cartridge, drive });
        }
        Err(Refusal::MediaOpen { cartridge, drive, application: mount.application.to_string() })
    }

    /// Whoever reads a label needs a drive that can be asked. Without any drive he waits for one.
    fn check_way(&self, resolved: &Resolved) -> Result<(), Refusal> {
        let Some(library) = self.library(resolved.index) else { return Ok(()) };
        let mut drives = library.elements.of_kind(ElementType::Drive).filter_map(|it| it.drive.as_ref());
        let none = library.elements.count(ElementType::Drive) == 0;
        if none || drives.any(|drive| drive.device.is_some()) {
            return Ok(());
        }
        Err(Refusal::Unfit(no_way(&library.config.name)))
    }

    /// An impossible pairing of medium and drive is refused before anything moves.
    fn check_pairing(
        &self,
        resolved: &Resolved,
        named: Option<ElementAddress>,
        access: Access,
    ) -> Result<(), Refusal> {
        let Some(library) = self.library(resolved.index) else { return Ok(()) };
        let Some(barcode) = &resolved.barcode else { return Ok(()) };
        let Some(medium) = generation::of_label(barcode) else { return Ok(()) };
        let need = Need { medium: Some(medium), access, way: false };
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
        Err(Refusal::Incompatible { cartridge: barcode.to_string(), reason })
    }

    /// A slot that is full, and stays so, is refused; one whose cartridge is about to leave is waited for.
    fn check_slot(&self, resolved: &Resolved, slot: Option<ElementAddress>) -> Result<(), Refusal> {
        let (Some(slot), Some(library)) = (slot, self.library(resolved.index)) else { return Ok(()) };
        let Some(element) = library.elements.get(slot) else { return Ok(()) };
        if !element.full || element.reserved_by.is_some() {
            return Ok(());
        }
        let held =
            element.cartridge.map_or_else(|| String::from("a cartridge"), |held| self.cartridge_name(held));
        Err(Refusal::SlotFull { library: library.config.name.clone(), slot: slot.0, held })
    }

    fn check_dismount(&self, resolved: &Resolved, caller: &Caller, force: bool) -> Result<(), Refusal> {
        let Some(id) = resolved.cartridge else { return Ok(()) };
        let Some(cartridge) = self.catalogue.cartridge(id) else { return Ok(()) };
        let name =
            || cartridge.barcode.as_ref().map_or_else(|| id.to_string(), |barcode| barcode.to_string());
        if let Some(mount) = self.catalogue.mount_of(id) {
            let own = mount.application == caller.application;
            let by_force = force && caller.role == Role::Administrator;
            if !own && !by_force {
                return Err(Refusal::MediaOpen {
                    cartridge: name(),
                    drive: mount.drive.0,
                    application: mount.application.to_string(),
                });
            }
            return Ok(());
        }
        // What stayed in an arm on its way is brought to a slot as well.
        let away = [ElementType::Drive, ElementType::Transport];
        let in_drive = matches!(&cartridge.place, Place::Element(element) if away.contains(&element.kind));
        // A medium that is being mounted for another application will be that one's.
        let owner = self.catalogue.reserver(id).and_then(|by| self.live.get(&by)).map(|live| &live.request);
        let owner = owner.filter(|request| request.operation() == Operation::Mount);
        if let Some(owner) = owner.filter(|owner| owner.application != caller.application)
            && !(force && caller.role == Role::Administrator)
        {
            return Err(Refusal::MediaOpen {
                cartridge: name(),
                drive: owner.drive.map_or(0, |drive| drive.0),
                application: owner.application.to_string(),
            });
        }
        // On its way into a drive is as good as in it: the dismount waits for the mount's end.
        if !in_drive && self.catalogue.reserver(id).is_none() {
            return Err(Refusal::NotMounted { cartridge: name(), place: cartridge.place.clone() });
        }
        Ok(())
    }
}
