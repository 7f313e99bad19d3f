//! What is where: the elements of a library with their contents and reservations.

mod bays;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{AdditionalSense, Dialect, ElementAddress, ElementCondition, ElementType};

use crate::catalog::generation::{Generation, Medium, fits};
use crate::catalog::{Blame, Compatibility, Service};
use crate::changer::reply::ElementReport;
use crate::id::{CartridgeId, Device, RequestId};
use crate::library::learned::Mean;
use crate::request::{Access, ElementName};
use crate::time::WallTime;

/// An element.
#[derive(Debug, Clone)]
pub(crate) struct ElementState {
    pub(crate) name: ElementName,
    pub(crate) full: bool,
    pub(crate) accessible: bool,
    pub(crate) exception: Option<AdditionalSense>,
    /// What that says of it, in the library's dialect.
    pub(crate) condition: Option<ElementCondition>,
    pub(crate) cartridge: Option<CartridgeId>,
    pub(crate) reserved_by: Option<RequestId>,
    /// A motion to or from it ended in doubt: it is not used until an inventory has seen it.
    pub(crate) doubtful: bool,
    pub(crate) drive: Option<DriveState>,
    /// A port: its cartridge was put there by hand, for the library to take.
    pub(crate) by_hand: bool,
    /// A port: its cartridge was put there by the arm, for a person to take.
    pub(crate) ejected: bool,
}

impl DriveState {
    /// Another drive in the same place: nothing that is kept of the one before holds for it.
    pub(crate) fn renewed(self) -> Self {
        Self {
            service: Service::default(),
            last_cleaned: None,
            wants_cleaning: false,
            must_clean: false,
            blame: Blame::default(),
            row: BTreeSet::new(),
            recommended: None,
            load_time: Mean::default(),
            unload_time: Mean::default(),
            ..self
        }
    }
}

/// What a drive has more than other elements.
#[derive(Debug, Clone, Default)]
pub(crate) struct DriveState {
    pub(crate) serial: Option<Arc<str>>,
    /// The serial number that it told itself, on the way that leads to it.
    pub(crate) own_serial: Option<Arc<str>>,
    /// How long it recommends to wait for each of its commands; `None`: it was not asked yet.
    pub(crate) recommended: Option<BTreeMap<u8, Duration>>,
    /// The serial number that the library tells of it, which can be another one.
    pub(crate) told: Option<Arc<str>>,
    pub(crate) device: Option<Device>,
    pub(crate) generation: Option<Generation>,
    /// The rules of the configuration that speak of it, the first one that knows the medium decides.
    pub(crate) rules: Vec<Compatibility>,
    pub(crate) mount: Option<RequestId>,
    /// The deferred dismount of the medium in it, and since when that is put off.
    pub(crate) deferred: Option<(RequestId, Duration)>,
    pub(crate) service: Service,
    pub(crate) last_cleaned: Option<WallTime>,
    pub(crate) wants_cleaning: bool,
    /// The library says of it that it needs cleaning.
    pub(crate) said_to_be_dirty: bool,
    /// It said that it must be cleaned: no medium is mounted in it until then, or until an administrator enables it.
    pub(crate) must_clean: bool,
    /// The media with which it has failed since it last came ready with one.
    pub(crate) row: BTreeSet<CartridgeId>,
    /// Since when it says that it calibrates a medium.
    pub(crate) calibrating: Option<WallTime>,
    pub(crate) load_time: Mean,
    pub(crate) unload_time: Mean,
    pub(crate) blame: Blame,
    /// The dismount that frees it of a cartridge that nobody mounted.
    pub(crate) displacing: Option<RequestId>,
    /// How often in a row it was to be emptied and was not, and when that may be tried again.
    pub(crate) unyielding: (u32, Duration),
    /// Its place in the order of use; 0: never used.
    last_used: u64,
    /// Its entry among the free drives.
    listed: bool,
}

/// What a mount needs of a drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Need {
    /// What the label says of the medium; `None`: nothing.
    pub(crate) medium: Option<Medium>,
    pub(crate) access: Access,
    /// A way to the drive itself, to read from its medium.
    pub(crate) way: bool,
}

impl Need {
    /// Before all others.
    pub(crate) const LOWEST: Self = Self { medium: None, access: Access::Read, way: false };
    /// Every drive has it.
    pub(crate) const ANYTHING: Self = Self { medium: None, access: Access::ReadWrite, way: false };
}

/// The elements of a library.
#[derive(Debug, Clone, Default)]
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

    /// All drives, the one that was not used for the longest time first.
    pub(crate) fn drives_by_use(&self) -> Vec<&ElementState> {
        let mut drives: Vec<_> = self.of_kind(ElementType::Drive).collect();
        drives.sort_by_key(|element| element.drive.as_ref().map(|drive| drive.last_used));
        drives
    }

    /// Free drives that fit, the one that was not used for the longest time first.
    pub(crate) fn free_drives(&self, need: Need) -> impl Iterator<Item = ElementAddress> {
        self.free_drives
            .iter()
            .map(|&(_, address)| address)
            .filter(move |&address| self.drive_fits(address, need))
    }

    /// Whether a drive can use the medium so, as far as is known.
    pub(crate) fn drive_fits(&self, address: ElementAddress, need: Need) -> bool {
        let drive = self.all.get(&address).and_then(|element| element.drive.as_ref());
        if need.way && drive.is_none_or(|drive| drive.device.is_none()) {
            return false;
        }
        let (Some(drive), Some(medium)) = (drive, need.medium) else { return true };
        let rule = drive.rules.iter().find_map(|rule| rule.allows(medium, need.access));
        rule.unwrap_or_else(|| drive.generation.is_none_or(|known| fits(known, medium, need.access)))
    }

    pub(crate) fn is_free_drive(&self, address: ElementAddress) -> bool {
        self.all.get(&address).is_some_and(is_free_drive)
    }

    /// Whether the request has reserved it.
    pub(crate) fn is_held_by(&self, address: ElementAddress, id: RequestId) -> bool {
        self.all.get(&address).is_some_and(|element| element.reserved_by == Some(id))
    }

    /// It is not reserved any more, if it was for that request; whether it was.
    pub(crate) fn give_back(&mut self, address: ElementAddress, id: RequestId) -> bool {
        self.update(address, |element| element.reserved_by.take_if(|by| *by == id)).flatten().is_some()
    }

    /// Whether it would be free if nobody had reserved it.
    pub(crate) fn is_empty_drive(&self, address: ElementAddress) -> bool {
        self.all.get(&address).is_some_and(is_empty_drive)
    }

    /// Whether the library has the drive in its bay, as far as it tells.
    pub(crate) fn has_drive(&self, address: ElementAddress) -> bool {
        self.all.get(&address).is_some_and(|element| !says_no_drive(element))
    }

    /// Whether media may be mounted in it: not while it must be cleaned.
    pub(crate) fn may_load(&self, address: ElementAddress) -> bool {
        let drive = self.all.get(&address).and_then(|element| element.drive.as_ref());
        drive.is_none_or(|drive| !drive.must_clean)
    }

    /// Whether it takes part in the library's work.
    pub(crate) fn drive_serves(&self, address: ElementAddress) -> bool {
        let drive = self.all.get(&address).and_then(|element| element.drive.as_ref());
        drive.is_some_and(|drive| drive.service == Service::Enabled)
    }

    /// The cartridge in a drive that nobody has mounted and nobody works on: the drive can be emptied of it.
    pub(crate) fn idle_medium(&self, drive: ElementAddress) -> Option<CartridgeId> {
        self.all.get(&drive).filter(|element| is_idle_loaded(element))?.cartridge
    }

    /// The same, where no dismount of it was put off either.
    pub(crate) fn nobodys_medium(&self, drive: ElementAddress) -> Option<CartridgeId> {
        let is_put_off =
            |element: &ElementState| element.drive.as_ref().is_some_and(|drive| drive.deferred.is_some());
        self.idle_medium(drive).filter(|_| !self.all.get(&drive).is_some_and(is_put_off))
    }

    /// Something has changed: drives that did not let go of their cartridges may be freed of them before their rest is over.
    pub(crate) fn try_drives_again(&mut self) {
        for element in self.all.values_mut() {
            if let Some(drive) = &mut element.drive {
                drive.unyielding = Default::default();
            }
        }
    }

    fn forget(&mut self, address: ElementAddress) {
        let Some(element) = self.all.remove(&address) else { return };
        if let Some(of_kind) = self.by_kind.get_mut(&element.name.kind) {
            of_kind.remove(&address);
        }
        self.free_drives.retain(|(_, drive)| *drive != address);
    }

    /// Whether a cartridge may be put into the element.
    pub(crate) fn is_vacant(&self, address: ElementAddress) -> bool {
        self.all.get(&address).is_some_and(|element| {
            !element.full && element.cartridge.is_none() && element.reserved_by.is_none() && !element.doubtful
        })
    }

    /// Whether there is a slot that a cartridge may be put into.
    pub(crate) fn has_vacant_slot(&self) -> bool {
        let mut slots = self.of_kind(ElementType::Storage).map(|slot| slot.name.address);
        slots.any(|slot| self.is_vacant(slot) && self.has_magazine(slot))
    }

    /// Whether the slot has its magazine, as far as the library tells.
    pub(crate) fn has_magazine(&self, address: ElementAddress) -> bool {
        let missing = |element: &ElementState| {
            let says_so =
                matches!(element.condition, Some(ElementCondition::NoMagazine | ElementCondition::Reserved));
            !element.accessible && says_so
        };
        !self.all.get(&address).is_some_and(missing)
    }

    /// An empty slot that is nobody's home, else any empty one. One of which the library has nothing to say first: few set
    /// ACCESS wrongly, and what EXCEPT means for a slot differs from library to library.
    pub(crate) fn vacant_slot(
        &self,
        may_use: impl Fn(ElementAddress) -> bool,
        is_home: impl Fn(ElementAddress) -> bool,
    ) -> Option<ElementAddress> {
        let vacant = |sound: bool| {
            self.of_kind(ElementType::Storage)
                .filter(move |slot| !sound || (slot.accessible && slot.exception.is_none()))
                .map(|element| element.name.address)
                .filter(|&a| self.is_vacant(a) && self.has_magazine(a) && may_use(a))
        };
        let chosen =
            |sound: bool| vacant(sound).find(|&address| !is_home(address)).or_else(|| vacant(sound).next());
        chosen(true).or_else(|| chosen(false))
    }

    /// A port that a cartridge may be put into: one that is taken in, if there is one.
    pub(crate) fn vacant_port(&self, is_open: impl Fn(ElementAddress) -> bool) -> Option<ElementAddress> {
        let ports = self.of_kind(ElementType::ImportExport).map(|element| element.name.address);
        ports.filter(|&port| self.is_vacant(port)).min_by_key(|&port| (is_open(port), port))
    }

    /// Takes a report over, contents apart. Elements that are new are made.
    pub(crate) fn note(&mut self, report: &ElementReport, dialect: &Dialect) {
        let address = report.name.address;
        // A mail slot can be made a slot by a setting: what it was is forgotten, what it holds is not.
        if let Some(known) = self.all.get(&address).filter(|known| known.name.kind != report.name.kind) {
            let kind = known.name.kind;
            if let Some(of_kind) = self.by_kind.get_mut(&kind) {
                of_kind.remove(&address);
            }
            self.update(address, |element| {
                element.name = report.name;
                element.drive = (report.name.kind == ElementType::Drive).then(DriveState::default);
            });
            self.free_drives.retain(|(_, drive)| *drive != address);
        }
        self.by_kind.entry(report.name.kind).or_default().insert(address);
        self.all.entry(address).or_insert_with(|| ElementState {
            name: report.name,
            full: false,
            accessible: false,
            exception: None,
            condition: None,
            cartridge: None,
            reserved_by: None,
            doubtful: false,
            drive: (report.name.kind == ElementType::Drive).then(DriveState::default),
            by_hand: false,
            ejected: false,
        });
        self.update(address, |element| {
            element.full = report.full;
            element.accessible = report.accessible;
            element.exception = report.exception;
            element.condition = report.exception.map(|code| dialect.element(code));
        });
    }

    /// Forgets elements of the kinds that were read and are not there any more, unless somebody needs them; which ones.
    pub(crate) fn retain(&mut self, keep: impl Fn(&ElementState) -> bool) -> Vec<ElementAddress> {
        let gone: Vec<ElementAddress> = self
            .all
            .values()
            .filter(|element| !keep(element) && element.reserved_by.is_none() && !element.doubtful)
            .map(|element| element.name.address)
            .collect();
        for address in &gone {
            self.forget(*address);
        }
        gone
    }
}

fn is_free_drive(element: &ElementState) -> bool {
    is_empty_drive(element) && element.reserved_by.is_none()
}

fn is_empty_drive(element: &ElementState) -> bool {
    element.drive.as_ref().is_some_and(|drive| drive.mount.is_none() && drive.service == Service::Enabled)
        && !element.full
        && element.cartridge.is_none()
        && !element.doubtful
        && !says_no_drive(element)
}

fn says_no_drive(element: &ElementState) -> bool {
    matches!(element.condition, Some(ElementCondition::NoDrive | ElementCondition::DriveOff))
}

fn is_idle_loaded(element: &ElementState) -> bool {
    element.drive.as_ref().is_some_and(|drive| drive.mount.is_none() && drive.displacing.is_none())
        && element.cartridge.is_some()
        && element.reserved_by.is_none()
        && !element.doubtful
}
