//! The drive's part of a mount and of a dismount.

use alloc::string::{String, ToString};

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use super::live::Phase;
use super::work::Work;
use crate::catalog::{MotionRecord, MountRecord};
use crate::drive::ready::{AwaitReady, NotReady, Recommended};
use crate::drive::unload::{Unload, Unloaded};
use crate::forecast::Why;
use crate::id::{CartridgeId, Device, LibraryIndex, RequestId};
use crate::input::Timing;
use crate::output::{Change, EventKind};
use crate::quirk::Quirk;
use crate::request::{CancelledBy, ElementName, Failure, FailureKind, Outcome, Place, State, Wanted};
use crate::time::Now;
use crate::view::MountInfo;

impl Engine {
    pub(crate) fn drive_device(&self, index: LibraryIndex, drive: ElementAddress) -> Option<Device> {
        self.library(index)?.elements.get(drive)?.drive.as_ref()?.device
    }

    /// How long the drive is given: as the configuration says, and longer where it recommends that.
    pub(crate) fn drive_timing(&self, index: LibraryIndex, drive: ElementAddress) -> Option<Timing> {
        let library = self.library(index)?;
        let known =
            library.elements.get(drive).and_then(|element| element.drive.as_ref()?.recommended.as_ref());
        let timing = library.config.timing;
        Some(known.map_or(timing, |recommended| timing.of_drive(recommended)))
    }

    /// Waiting for the drive, which is asked for the times that it recommends where it was not yet.
    fn awaiting(&self, index: LibraryIndex, drive: ElementAddress, device: Device) -> Option<AwaitReady> {
        let (library, timing) = (self.library(index)?, self.drive_timing(index, drive)?);
        let asked = library
            .elements
            .get(drive)
            .and_then(|element| element.drive.as_ref())
            .is_none_or(|it| it.recommended.is_some());
        let work = AwaitReady::new(device, timing);
        Some(if timing.recommended && !asked { work.asking_times(library.config.max_transfer) } else { work })
    }

    /// The cartridge is in the drive: the mount ends when the drive is ready. Without a way to the drive it ends now.
    pub(crate) fn await_drive(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(drive) = self.live.get(&id).and_then(|live| live.request.drive) else { return };
        match self.drive_device(index, drive) {
            None if self.is_failing(id) => self.put_back(index, id, now),
            // Without a way to the drive nobody can read a label: said where the steps begin.
            None if self.reads_label(id) => self.await_label(id),
            None => self.mounted(index, id, drive, now),
            Some(device) => {
                if let Some(live) = self.live.get_mut(&id) {
                    live.phase = Phase::Loading;
                }
                // A medium that was in the drive before is no load.
                if self.live.get(&id).is_some_and(|live| live.request.motions > 0) {
                    self.step_begins(id, now);
                }
                if let Some(work) = self.awaiting(index, drive, device) {
                    self.begin(index, Work::Ready(id, work), now);
                }
            }
        }
    }

    pub(crate) fn drive_answered(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        result: Result<Recommended, NotReady>,
        now: Now,
    ) {
        let Some(drive) = self.live.get(&id).and_then(|live| live.request.drive) else { return };
        let calibrated = self.calibrates(index, drive, None);
        let reason = match result {
            Ok(recommended) => {
                if let Some(recommended) = recommended {
                    self.note_drive(index, drive, |drive| drive.recommended = Some(recommended));
                }
                if let Some(took) = self.step_took(id, now).filter(|_| !calibrated) {
                    self.note_drive(index, drive, |drive| drive.load_time.note(took));
                }
                return match () {
                    () if self.is_failing(id) => self.put_back(index, id, now),
                    () if self.reads_label(id) => self.await_label(id),
                    () => self.mounted(index, id, drive, now),
                };
            }
            Err(reason) => reason,
        };
        let device = self.drive_device(index, drive);
        if let NotReady::Path(fault) = &reason
            && self.await_elsewhere(index, id, device, fault, now)
        {
            return;
        }
        let Some(live) = self.live.get(&id) else { return };
        let (kind, sense, what) = match &reason {
            NotReady::Sense(kind, sense) => (*kind, Some(*sense), sense.to_string()),
            NotReady::Silent(status) => (FailureKind::DriveFault, None, alloc::format!("status {status:?}")),
            NotReady::Path(fault) => (FailureKind::PathLost, None, fault.to_string()),
        };
        let element = ElementName { kind: ElementType::Drive, address: drive };
        let cartridge = live.request.cartridge.map(|id| self.cartridge_name(id)).unwrap_or_default();
        let message = alloc::format!(
            "{element} of {} did not come ready with cartridge {cartridge}: {what}",
            self.library_name(index)
        );
        let failure = Failure::new(kind, message).with_sense(sense).with_place(Place::Element(element));
        self.not_ready(index, id, drive, failure, now);
    }

    /// Another drive tells whose fault it is; otherwise the mount has failed.
    fn not_ready(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        drive: ElementAddress,
        failure: Failure,
        now: Now,
    ) {
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        if self.may_try_another_drive(index, id, &failure) {
            self.keep_spare_drive(index, id);
            if let Some(live) = self.live.get_mut(&id) {
                live.suspects.push((drive, failure));
            }
            return self.put_back(index, id, now);
        }
        if self.is_failing(id) {
            return self.put_back(index, id, now);
        }
        self.fail(id, failure, now);
    }

    /// Whether it has failed, and only takes its medium out of the drive.
    pub(crate) fn is_failing(&self, id: RequestId) -> bool {
        self.live.get(&id).is_some_and(|live| live.request.failing.is_some())
    }

    /// The drive is ready. A mount of a group passes with the others.
    pub(crate) fn mounted(&mut self, index: LibraryIndex, id: RequestId, drive: ElementAddress, now: Now) {
        if self.live.get(&id).is_some_and(|live| live.request.failing.is_some()) {
            return self.put_back(index, id, now);
        }
        let together = self.ready_in_group(id);
        // All are looked at before one passes: a group is mounted whole or not at all.
        let wrong = together.iter().find_map(|&member| Some((member, self.not_in_its_drive(index, member)?)));
        if let Some((member, failure)) = wrong {
            return self.fail(member, failure, now);
        }
        for member in together {
            let drive = self.live.get(&member).and_then(|live| live.request.drive).unwrap_or(drive);
            self.pass_mounted(index, member, drive, now);
        }
    }

    /// Hands can have put another one in its place before the robot took it, or since: an inventory has seen that meanwhile.
    /// As the request's failure.
    pub(crate) fn not_in_its_drive(&self, index: LibraryIndex, id: RequestId) -> Option<Failure> {
        let request = &self.live.get(&id)?.request;
        let (cartridge, drive) = (request.cartridge?, request.drive?);
        if self.stands_in(id, cartridge, drive) {
            return None;
        }
        if let Some(elsewhere) = self.carried_away(id, cartridge) {
            return Some(elsewhere);
        }
        let (name, library, place) =
            (self.cartridge_name(cartridge), self.library_name(index), self.place_of(id));
        let seen = place.as_ref().map_or_else(|| String::from("not known"), ToString::to_string);
        let message = alloc::format!(
            "cartridge {name} is not in drive {drive} of {library}, which was loaded for it; its place: {seen}"
        );
        let failure = Failure::new(FailureKind::CartridgeMissing, message);
        Some(match place {
            Some(place) => failure.with_place(place),
            None => failure,
        })
    }

    fn pass_mounted(&mut self, index: LibraryIndex, id: RequestId, drive: ElementAddress, now: Now) {
        self.blame_suspects(id, now);
        let Some(live) = self.live.get(&id) else { return };
        let Some(cartridge) = live.request.cartridge else { return };
        let mount = MountRecord {
            id,
            cartridge,
            library: live.request.library,
            drive,
            application: live.request.application.clone(),
            since: now.wall,
        };
        self.note_drive(index, drive, |drive| {
            drive.mount = Some(id);
            drive.row.clear();
        });
        self.catalogue.put_mount(mount.clone());
        self.outbox.change(Change::Mount(mount.clone()));
        let info = self.mount_info(&mount);
        let serial = info.serial.clone();
        self.outbox.after(Effect::Event(EventKind::Mounted(info)));
        self.end(id, State::Passed(Outcome::Mounted { drive, serial }), now);
    }

    pub(crate) fn mount_info(&self, mount: &MountRecord) -> MountInfo {
        let drive = self
            .libraries
            .iter()
            .find(|library| library.id == Some(mount.library))
            .and_then(|library| library.elements.get(mount.drive)?.drive.as_ref());
        MountInfo {
            id: mount.id,
            cartridge: mount.cartridge,
            barcode: self
                .catalogue
                .cartridge(mount.cartridge)
                .and_then(|cartridge| cartridge.barcode.clone()),
            library: mount.library,
            drive: mount.drive,
            serial: drive.and_then(|drive| drive.serial.clone()),
            device: drive.and_then(|drive| drive.device),
            application: mount.application.clone(),
            since: mount.since,
        }
    }

    /// Starts unloading the drive of a dismount, where it is wanted and there is a way to the drive.
    pub(crate) fn begin_unload(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        drive: ElementAddress,
    ) -> bool {
        let wanted = self.library(index).is_some_and(|library| library.config.unload_before_move);
        if !wanted || self.drive_device(index, drive).is_none() {
            return false;
        }
        self.because(id, Why::UnloadsEarly);
        self.reserve(index, id, cartridge, drive, None);
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Beginning;
        }
        self.set_state(id, State::InProcess);
        self.outbox.after(Effect::BegunDurably(id));
        true
    }

    /// That a request is in process is durable: its first step is sent.
    pub(crate) fn begun_durably(&mut self, id: RequestId, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.phase != Phase::Beginning || live.ending.is_some() || self.stopped {
            return;
        }
        let Some(index) = live.library else { return };
        live.steps_sent = true;
        let (wanted, drive) = (live.request.wanted.clone(), live.request.drive);
        match wanted {
            Wanted::Identify { .. } | Wanted::WriteFreeLabel { .. } | Wanted::Mount { .. } => {
                self.begin_labelling(index, id, now);
            }
            Wanted::Inventory { .. } => self.begin_inventory(index, id, now),
            Wanted::DoorAccess { .. } | Wanted::InjectCleaner { .. } => {
                self.begin_inventory_after_door(index, id, now);
            }
            Wanted::Dismount { .. } | Wanted::Eject { .. } | Wanted::EjectCleaner { .. } => {
                let force = matches!(wanted, Wanted::Dismount { force: true, .. });
                live.phase = Phase::Unloading;
                let way = drive.and_then(|drive| self.drive_device(index, drive));
                let timing = drive.and_then(|drive| self.drive_timing(index, drive));
                match (way, timing) {
                    (Some(device), Some(timing)) => {
                        self.step_begins(id, now);
                        self.begin(index, Work::Unload(id, Unload::new(device, timing, force)), now);
                    }
                    // The way to the drive went with the library's path meanwhile: it is left to the robot.
                    _ => self.unloaded(index, id, Unloaded::Yes, now),
                }
            }
            _ => {}
        }
    }

    /// The library wants the drive unloaded by us, although the configuration said otherwise.
    pub(crate) fn unload_and_retry(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        record: &MotionRecord,
        now: Now,
    ) {
        let drive = record.source.address;
        match (self.drive_device(index, drive), self.drive_timing(index, drive)) {
            (Some(device), Some(timing)) => {
                if let Some(live) = self.live.get_mut(&id) {
                    live.phase = Phase::Unloading;
                }
                self.begin(index, Work::Unload(id, Unload::new(device, timing, false)), now);
            }
            _ => {
                let message = alloc::format!(
                    "{} wants {} unloaded before the robot takes cartridge {}, and no way to the drive is known: \
                     configure it with `drive`",
                    self.library_name(index),
                    record.source,
                    self.cartridge_name(record.cartridge)
                );
                let failure = Failure::new(FailureKind::DriveFault, message);
                self.fail(id, failure.with_place(Place::Element(record.source)), now);
            }
        }
    }

    pub(crate) fn unloaded(&mut self, index: LibraryIndex, id: RequestId, result: Unloaded, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.unloaded = true;
        let drive = live.request.drive;
        if let (Unloaded::Yes, Some(drive)) = (&result, drive) {
            if let Some(took) = self.step_took(id, now) {
                self.note_drive(index, drive, |drive| drive.unload_time.note(took));
            }
            self.ask_needs(index, drive, now);
            // The robot was refused before, and now it is not.
            let refused = self.live.get(&id).is_some_and(|live| live.attempts > 0);
            if let Some(library) = self.library_mut(index).filter(|_| refused) {
                library.quirks.insert(Quirk::HostUnloadFirst);
            }
        }
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        match result {
            Unloaded::Yes => {
                let Some(live) = self.live.get_mut(&id) else { return };
                if live.deadline_over {
                    return self.end_early(id, CancelledBy::Deadline, now);
                }
                self.queue_again(index, id);
            }
            Unloaded::No(kind, sense) => {
                let Some(drive) = self.live.get(&id).and_then(|live| live.request.drive) else { return };
                let element = ElementName { kind: ElementType::Drive, address: drive };
                let message = alloc::format!(
                    "{element} of {} does not let go of its cartridge: {sense}",
                    self.library_name(index)
                );
                let failure = Failure::new(kind, message).with_sense(Some(sense));
                self.fail(id, failure.with_place(Place::Element(element)), now);
            }
        }
    }
}
