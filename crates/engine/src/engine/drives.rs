//! What drives say of themselves: that they calibrate, that they want to be cleaned; and how long they take.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use super::live::Phase;
use super::work::{Timer, Work};
use crate::catalog::{MediumKind, Service};
use crate::drive::needs::{AskNeeds, Wants};
use crate::id::{LibraryIndex, RequestId};
use crate::library::Library;
use crate::library::elements::{DriveState as Kept, ElementState};
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::output::EventKind;
use crate::planted::Bug;
use crate::request::{Operation, Place, Wanted};
use crate::time::{Now, WallTime};
use crate::view::DriveState;

/// The priority of a cleaning that the drive only would like: behind everything that callers ask, so that it comes when it is idle.
const IDLE: i8 = -15;
/// The priority of one that it must have: no mount can use the drive before.
const URGENT: i8 = 15;

/// How often a drive that did not answer is looked for again, after pauses that double: a quarter of an hour in all, in which a drive
/// that was switched on, or a host that was reset, answers. Then somebody has to look: an inventory begins anew.
const MAX_LOOKS: u32 = 10;

/// A drive that asks again so soon after it was cleaned was not helped by it: the cleaning cartridge is not used up on it.
const HELPED: Duration = Duration::from_secs(6 * 60 * 60);

impl Engine {
    pub(crate) fn drive_state(&self, element: &ElementState) -> DriveState {
        let Some(drive) = &element.drive else { return DriveState::Empty };
        if let Some(since) = drive.calibrating {
            return DriveState::Calibrating { since };
        }
        let phase = element.reserved_by.and_then(|id| self.live.get(&id)).map(|live| live.phase);
        let operation = element.reserved_by.and_then(|id| self.operation(id));
        match (operation, phase) {
            (Some(Operation::CleanDrive), _) => DriveState::Cleaning,
            (Some(_), Some(Phase::Unloading)) => DriveState::Unloading,
            (Some(Operation::Dismount), _) => DriveState::Unloading,
            (Some(_), _) if drive.mount.is_none() => DriveState::Loading,
            _ if drive.mount.is_some() => DriveState::Mounted,
            _ if element.full || element.cartridge.is_some() => DriveState::Dismountable,
            _ => DriveState::Empty,
        }
    }

    pub(crate) fn tell_drive(&mut self, index: LibraryIndex, drive: ElementAddress) {
        let Some(library) = self.library(index) else { return };
        let element = library.elements.get(drive);
        let event = EventKind::Drive {
            library: library.config.name.clone(),
            drive,
            state: element.map_or(DriveState::Empty, |element| self.drive_state(element)),
            wants_cleaning: self.told_of_drive(index, drive).1,
        };
        self.outbox.after(Effect::Event(event));
    }

    /// What is told of a drive when it changes: how it serves, and whether it asks to be cleaned.
    fn told_of_drive(&self, index: LibraryIndex, drive: ElementAddress) -> (Service, bool) {
        let element = self.library(index).and_then(|library| library.elements.get(drive));
        let drive = element.and_then(|element| element.drive.as_ref());
        drive.map(|drive| (drive.service, drive.wants_cleaning)).unwrap_or_default()
    }

    pub(crate) fn told_of_drives(
        &self,
        index: LibraryIndex,
        drives: impl IntoIterator<Item = ElementAddress>,
    ) -> BTreeMap<ElementAddress, (Service, bool)> {
        drives.into_iter().map(|drive| (drive, self.told_of_drive(index, drive))).collect()
    }

    /// Other drives stand there now than those of which that was told.
    pub(crate) fn tell_other_drives(
        &mut self,
        index: LibraryIndex,
        told: &BTreeMap<ElementAddress, (Service, bool)>,
    ) {
        let library: Arc<str> = self.library_name(index).into();
        for (&drive, &(service, wants_cleaning)) in told {
            let now = self.told_of_drive(index, drive);
            if now.0 != service {
                let (library, service) = (library.clone(), now.0);
                let event = EventKind::Service { library, drive: Some(drive), service };
                self.outbox.after(Effect::Event(event));
            }
            if now.1 != wants_cleaning {
                self.tell_drive(index, drive);
            }
            if now != (service, wants_cleaning) {
                self.who_waits_finds_out(index, drive);
            }
        }
    }

    /// The drive says that it calibrates, or has ended it, which is told once. Whether it did before.
    pub(crate) fn calibrates(
        &mut self,
        index: LibraryIndex,
        drive: ElementAddress,
        since: Option<WallTime>,
    ) -> bool {
        let Some(library) = self.library_mut(index) else { return false };
        let before = library.elements.update(drive, |element| {
            let known = element.drive.as_mut()?;
            let before = known.calibrating;
            known.calibrating = since.map(|since| before.unwrap_or(since));
            before
        });
        let before = before.flatten().is_some();
        if before != since.is_some() {
            self.tell_drive(index, drive);
        }
        before
    }

    /// The ways to the drives were looked for. One that was not answered can lead to a drive that has none: it is looked for again.
    pub(crate) fn note_unheard(&mut self, index: LibraryIndex, silent: bool, now: Now) {
        let silent = silent && !self.planted.is(Bug::DriveNotLookedFor);
        let Some(library) = self.library_mut(index) else { return };
        let lacks = |it: &ElementState| it.drive.as_ref().is_some_and(|drive| drive.device.is_none());
        let lacking = silent && library.elements.of_kind(ElementType::Drive).any(lacks);
        let (tries, first) = (library.unheard.unwrap_or(0), library.config.timing.retry_min);
        library.unheard = lacking.then_some(tries.saturating_add(1));
        let pause = first.saturating_mul(2u32.saturating_pow(tries.min(MAX_LOOKS)));
        if lacking && tries < MAX_LOOKS {
            self.set_timer(now.monotonic.saturating_add(pause), Timer::FindDrives(index));
        }
    }

    /// The library is opened anew when it is still, as one that says that its drives are others.
    pub(crate) fn look_for_unheard(&mut self, index: LibraryIndex) {
        let Some(library) = self.library_mut(index).filter(|library| library.unheard.is_some()) else {
            return;
        };
        library.touch(Stale::Library);
        self.mark_dirty(index);
    }

    pub(crate) fn step_begins(&mut self, id: RequestId, now: Now) {
        if let Some(live) = self.live.get_mut(&id) {
            live.since = Some(now.monotonic);
            live.step_begun = true;
        }
    }

    /// How long the step took that ends now, where it was seen from its beginning.
    pub(crate) fn step_took(&mut self, id: RequestId, now: Now) -> Option<Duration> {
        let since = self.live.get_mut(&id)?.since.take()?;
        Some(now.monotonic.saturating_sub(since))
    }

    /// Changes what is known of a drive for as long as the manager lives.
    pub(crate) fn note_drive(
        &mut self,
        index: LibraryIndex,
        drive: ElementAddress,
        note: impl FnOnce(&mut Kept),
    ) {
        if let Some(library) = self.library_mut(index) {
            library.elements.update(drive, |element| element.drive.as_mut().map(note));
        }
    }

    /// The drive has let go of its medium: now it can be asked without disturbing anybody.
    pub(crate) fn ask_needs(&mut self, index: LibraryIndex, drive: ElementAddress, now: Now) {
        let (device, timing) = (self.drive_device(index, drive), self.drive_timing(index, drive));
        if let (Some(device), Some(timing)) = (device, timing) {
            self.begin(index, Work::Needs(drive, AskNeeds::new(device, timing)), now);
        }
    }

    /// Drives that asked to be cleaned are asked again: an earlier process may not have come to it, and that they must be is not kept.
    pub(crate) fn ask_needs_again(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library(index) else { return };
        let asking: Vec<ElementAddress> = library
            .elements
            .of_kind(ElementType::Drive)
            .filter(|element| element.cartridge.is_none() && element.reserved_by.is_none())
            .filter(|element| element.drive.as_ref().is_some_and(|drive| drive.wants_cleaning))
            .map(|element| element.name.address)
            .collect();
        for drive in asking {
            self.ask_needs(index, drive, now);
        }
    }

    /// What the drive asks for is kept and told, and done where the configuration says so.
    pub(crate) fn needs_heard(
        &mut self,
        index: LibraryIndex,
        drive: ElementAddress,
        wants: Option<Wants>,
        now: Now,
    ) {
        let Some(wants) = wants else { return };
        let known = self.library(index).and_then(|library| library.elements.get(drive)?.drive.as_ref());
        // What the library says of it holds until it says otherwise.
        let wants = if known.is_some_and(|drive| drive.said_to_be_dirty) {
            wants.max(Wants::Cleaning)
        } else {
            wants
        };
        let Some(known) = known.map(|drive| (drive.wants_cleaning, drive.must_clean)) else { return };
        let heard = (wants > Wants::Nothing, wants == Wants::CleaningNow);
        if known != heard {
            self.keep_drive(index, drive, |drive| (drive.wants_cleaning, drive.must_clean) = heard);
            self.tell_drive(index, drive);
        }
        if heard.1 {
            // What was to follow into it waits until it is clean.
            self.retract_loads_of(index, drive, now);
        } else if known.1 {
            // Each of them was told that it waits for service.
            self.who_waits_finds_out(index, drive);
        } else {
            self.wake_for_drive(index, drive);
        }
        if heard.0 {
            self.clean_unasked(index, drive, heard.1, now);
        }
        self.who_waits_for_cleaning(index, drive);
    }

    /// Drives that must be cleaned, and that nobody cleans for want of a cleaner, are cleaned when one came.
    pub(crate) fn clean_what_must_be(&mut self, now: Now) {
        let must: Vec<(LibraryIndex, ElementAddress)> = self
            .libraries
            .iter()
            .filter(|library| library.is_ready() && self.has_cleaner(library))
            .flat_map(|library| {
                let drives = library.elements.of_kind(ElementType::Drive).map(|drive| drive.name.address);
                drives.filter(|drive| !library.elements.may_load(*drive)).map(|drive| (library.index, drive))
            })
            .collect();
        for (index, drive) in must {
            self.clean_unasked(index, drive, true, now);
        }
    }

    fn has_cleaner(&self, library: &Library) -> bool {
        self.catalogue.cartridges().any(|cartridge| {
            Some(cartridge.library) == library.id
                && !cartridge.disabled
                && super::identity::kind_of(cartridge) == MediumKind::Cleaning
                && cartridge.cleaner.and_then(|cleaner| cleaner.uses_left) != Some(0)
                && matches!(cartridge.place, Place::Element(_))
        })
    }

    /// It must be cleaned, and nobody is about to.
    fn is_left_dirty(&self, index: LibraryIndex, drive: ElementAddress) -> bool {
        self.library(index).is_some_and(|library| !library.elements.may_load(drive))
            && !self.is_to_be_cleaned(index, drive)
    }

    fn is_to_be_cleaned(&self, index: LibraryIndex, drive: ElementAddress) -> bool {
        self.live.values().any(|live| {
            live.library == Some(index)
                && live.ending.is_none()
                && matches!(live.request.wanted, Wanted::CleanDrive { drive: asked, .. } if asked == drive)
        })
    }

    /// Whether what is waited for comes only when an administrator puts it into service: the one drive, or all that would do.
    pub(crate) fn is_out_of_service(&self, index: LibraryIndex, blocker: Blocker) -> bool {
        let Some(library) = self.library(index) else { return false };
        let out = |drive| !library.elements.drive_serves(drive) || self.is_left_dirty(index, drive);
        match blocker {
            Blocker::Drive(drive) => out(drive),
            Blocker::AnyDrive(need) => {
                let drives = library.elements.of_kind(ElementType::Drive).map(|drive| drive.name.address);
                let mut fitting = drives.filter(|drive| library.elements.drive_fits(*drive, need)).peekable();
                fitting.peek().is_some() && fitting.all(out)
            }
            _ => false,
        }
    }

    /// The drive must be cleaned and nobody is about to: whoever waits for it finds out.
    pub(crate) fn who_waits_for_cleaning(&mut self, index: LibraryIndex, drive: ElementAddress) {
        if self.is_left_dirty(index, drive) {
            self.who_waits_finds_out(index, drive);
        }
    }

    /// Whether the drive serves has changed: whoever waits for it finds out anew what it waits for, or that it waits in vain.
    pub(crate) fn who_waits_finds_out(&mut self, index: LibraryIndex, drive: ElementAddress) {
        self.wake_all(index, Blocker::Drive(drive));
        let Some(library) = self.library(index) else { return };
        let fitting = library.queue.needs().filter(|need| library.elements.drive_fits(drive, *need));
        for need in fitting.collect::<Vec<_>>() {
            self.wake_all(index, Blocker::AnyDrive(need));
        }
    }

    /// Hands in a cleaning of the manager's own; one for a drive.
    fn clean_unasked(&mut self, index: LibraryIndex, drive: ElementAddress, must: bool, now: Now) {
        let Some(library) = self.library(index) else { return };
        let (auto, id) = (library.config.auto_clean, library.id);
        let cleaned = library.elements.get(drive).and_then(|element| element.drive.as_ref()?.last_cleaned);
        let in_vain = cleaned.is_some_and(|at| now.wall.since(at) < HELPED);
        let cleaner = self.catalogue.cartridges().any(|cartridge| {
            Some(cartridge.library) == id && super::identity::kind_of(cartridge) == MediumKind::Cleaning
        });
        let asked = self.is_to_be_cleaned(index, drive);
        if !auto || in_vain || asked || !(cleaner || must) {
            return;
        }
        let priority = if must { URGENT } else { IDLE };
        // Where it is refused the drive asks again.
        let _ = self.submit_own(Wanted::CleanDrive { library: id, drive }, priority, now);
    }
}
