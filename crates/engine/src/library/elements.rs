//! What is where: the elements of a library with their contents and reservations.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::time::Duration;

use autochanger_scsi::{AdditionalSense, ElementAddress, ElementType};

use crate::catalog::generation::{Generation, Medium, fits};
use crate::catalog::{Blame, Service};
use crate::changer::inventory::ElementReport;
use crate::id::{CartridgeId, Device, RequestId};
use crate::request::{Access, ElementName};
use crate::time::WallTime;

/// An element.
#[derive(Debug, Clone)]
pub(crate) struct ElementState {
    pub(crate) name: ElementName,
    pub(crate) full: bool,
    pub(crate) accessible: bool,
    pub(crate) exception: Option<AdditionalSense>,
    pub(crate) cartridge: Option<CartridgeId>,
    pub(crate) reserved_by: Option<RequestId>,
    /// A motion to or from it ended in doubt: it is not used until an inventory has seen it.
    pub(crate) doubtful: bool,
    pub(crate) drive: Option<DriveState>,
}

impl DriveState {
    /// Another drive in the same place: nothing that is kept of the one before holds for it.
    pub(crate) fn renewed(self) -> Self {
        Self {
            service: Service::default(),
            last_cleaned: None,
            wants_cleaning: false,
            blame: Blame::default(),
            ..self
        }
    }
}

/// What a drive has more than other elements.
#[derive(Debug, Clone, Default)]
pub(crate) struct DriveState {
    pub(crate) serial: Option<Arc<str>>,
    pub(crate) device: Option<Device>,
    pub(crate) generation: Option<Generation>,
    pub(crate) mount: Option<RequestId>,
    /// The deferred dismount of the medium in it, and since when that is put off.
    pub(crate) deferred: Option<(RequestId, Duration)>,
    pub(crate) service: Service,
    pub(crate) last_cleaned: Option<WallTime>,
    pub(crate) wants_cleaning: bool,
    pub(crate) blame: Blame,
    /// The dismount that frees it of a cartridge that nobody mounted.
    pub(crate) displacing: Option<RequestId>,
    /// Its place in the order of use; 0: never used.
    last_used: u64,
    /// Its entry among the free drives.
    listed: bool,
}

/// What a mount needs of a drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Need {
    /// What the label says of the medium; `None`: nothing.
    pub(crate) medium: Option<Medium>,
    pub(crate) access: Access,
    /// A way to the drive itself, to read from its medium.
    pub(crate) way: bool,
}

/// The elements of a library.
#[derive(Debug, Default)]
pub(crate) struct Elements {
    all: BTreeMap<ElementAddress, ElementState>,
    by_kind: BTreeMap<ElementType, BTreeSet<ElementAddress>>,
    /// Free drives, least recently used first.
    free_drives: BTreeSet<(u64, ElementAddress)>,
    uses: u64,
}

impl Elements {
    pub(crate) fn get(&self, address: ElementAddress) -> Option<&ElementState> {
        self.all.get(&address)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ElementState> {
        self.all.values()
    }

    pub(crate) fn of_kind(&self, kind: ElementType) -> impl Iterator<Item = &ElementState> {
        self.by_kind.get(&kind).into_iter().flatten().filter_map(|address| self.all.get(address))
    }

    pub(crate) fn count(&self, kind: ElementType) -> usize {
        self.by_kind.get(&kind).map_or(0, BTreeSet::len)
    }

    /// Changes an element and keeps the list of free drives true.
    pub(crate) fn update<R>(
        &mut self,
        address: ElementAddress,
        change: impl FnOnce(&mut ElementState) -> R,
    ) -> Option<R> {
        let element = self.all.get_mut(&address)?;
        let result = change(element);
        let free = is_free_drive(element);
        if let Some(drive) = &mut element.drive
            && drive.listed != free
        {
            drive.listed = free;
            if free {
                self.uses += 1;
                drive.last_used = self.uses;
                self.free_drives.insert((drive.last_used, address));
            } else {
                self.free_drives.remove(&(drive.last_used, address));
            }
        }
        Some(result)
    }

    /// Free drives that fit, the one that was not used for the longest time first.
    pub(crate) fn free_drives(&self, need: Need) -> impl Iterator<Item = ElementAddress> {
        self.free_drives
            .iter()
            .map(|&(_, address)| address)
            .filter(move |&address| self.drive_fits(address, need))
    }

    /// The free drive that was not used for the longest time, among those that fit.
    pub(crate) fn free_drive(&self, need: Need) -> Option<ElementAddress> {
        self.free_drives(need).next()
    }

    /// Whether a drive can use the medium so, as far as is known.
    pub(crate) fn drive_fits(&self, address: ElementAddress, need: Need) -> bool {
        let state = self.all.get(&address).and_then(|element| element.drive.as_ref());
        if need.way && state.is_none_or(|drive| drive.device.is_none()) {
            return false;
        }
        match (state.and_then(|drive| drive.generation), need.medium) {
            (Some(drive), Some(medium)) => fits(drive, medium, need.access),
            _ => true,
        }
    }

    pub(crate) fn is_free_drive(&self, address: ElementAddress) -> bool {
        self.all.get(&address).is_some_and(is_free_drive)
    }

    /// Whether it takes part in the library's work.
    pub(crate) fn drive_serves(&self, address: ElementAddress) -> bool {
        let drive = self.all.get(&address).and_then(|element| element.drive.as_ref());
        drive.is_some_and(|drive| drive.service == Service::Enabled)
    }

    /// A drive that fits, whose cartridge nobody has mounted and nobody works on: it can be emptied.
    pub(crate) fn loaded_drive(&self, named: Option<ElementAddress>, need: Need) -> Option<&ElementState> {
        let is_one = |element: &&ElementState| {
            element.drive.as_ref().is_some_and(|drive| drive.mount.is_none() && drive.displacing.is_none())
                && element.cartridge.is_some()
                && element.reserved_by.is_none()
                && !element.doubtful
                && self.drive_fits(element.name.address, need)
        };
        match named {
            Some(address) => self.all.get(&address).filter(is_one),
            None => self.of_kind(ElementType::Drive).find(is_one),
        }
    }

    /// A drive that fits, whose cartridge nobody mounted and nobody works on.
    pub(crate) fn idle_loaded_drive(
        &self,
        named: Option<ElementAddress>,
        need: Need,
    ) -> Option<&ElementState> {
        let is_one =
            |element: &&ElementState| is_idle_loaded(element) && self.drive_fits(element.name.address, need);
        match named {
            Some(address) => self.all.get(&address).filter(is_one),
            None => self.of_kind(ElementType::Drive).find(is_one),
        }
    }

    /// Whether a cartridge may be put into the element.
    pub(crate) fn is_vacant(&self, address: ElementAddress) -> bool {
        self.all.get(&address).is_some_and(|element| {
            !element.full && element.cartridge.is_none() && element.reserved_by.is_none() && !element.doubtful
        })
    }

    /// An empty slot that is nobody's home, else any empty one.
    pub(crate) fn vacant_slot(
        &self,
        may_use: impl Fn(ElementAddress) -> bool,
        is_home: impl Fn(ElementAddress) -> bool,
    ) -> Option<ElementAddress> {
        let vacant = || {
            self.of_kind(ElementType::Storage)
                .map(|element| element.name.address)
                .filter(|&a| self.is_vacant(a) && may_use(a))
        };
        vacant().find(|&address| !is_home(address)).or_else(|| vacant().next())
    }

    /// Takes a report over, contents apart. Elements that are new are made.
    pub(crate) fn note(&mut self, report: &ElementReport) {
        let address = report.name.address;
        self.by_kind.entry(report.name.kind).or_default().insert(address);
        self.all.entry(address).or_insert_with(|| ElementState {
            name: report.name,
            full: false,
            accessible: false,
            exception: None,
            cartridge: None,
            reserved_by: None,
            doubtful: false,
            drive: (report.name.kind == ElementType::Drive).then(DriveState::default),
        });
        self.update(address, |element| {
            element.full = report.full;
            element.accessible = report.accessible;
            element.exception = report.exception;
        });
    }

    /// Forgets elements of the kinds that were read and are not there any more, unless somebody needs them.
    pub(crate) fn retain(&mut self, keep: impl Fn(&ElementState) -> bool) {
        let gone: alloc::vec::Vec<ElementAddress> = self
            .all
            .values()
            .filter(|element| !keep(element) && element.reserved_by.is_none() && !element.doubtful)
            .map(|element| element.name.address)
            .collect();
        for address in gone {
            let Some(element) = self.all.remove(&address) else { continue };
            if let Some(of_kind) = self.by_kind.get_mut(&element.name.kind) {
                of_kind.remove(&address);
            }
            if let Some(drive) = element.drive {
                self.free_drives.remove(&(drive.last_used, address));
            }
        }
    }
}

fn is_free_drive(element: &ElementState) -> bool {
    element.drive.as_ref().is_some_and(|drive| drive.mount.is_none() && drive.service == Service::Enabled)
        && !element.full
        && element.cartridge.is_none()
        && element.reserved_by.is_none()
        && !element.doubtful
        && !element.exception.is_some_and(says_no_drive)
}

fn is_idle_loaded(element: &ElementState) -> bool {
    element
        .drive
        .as_ref()
        .is_some_and(|drive| drive.mount.is_none() && drive.displacing.is_none() && drive.deferred.is_none())
        && element.cartridge.is_some()
        && element.reserved_by.is_none()
        && !element.doubtful
}

/// The additional sense codes by which libraries say that the bay has no drive, or that it is off (smc.md 2.5).
fn says_no_drive(code: AdditionalSense) -> bool {
    matches!((code.asc, code.ascq), (0x82, 0x00) | (0x83, 0x04 | 0x05) | (0x3B, 0x1A) | (0x04, 0x02))
}
