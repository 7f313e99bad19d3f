//! What devices remark beside their answers: errors that they recovered from, failures that they predict, flags of TapeAlert.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{
    Action, AdditionalSense, AlertAction, AlertSeverity, ElementAddress, ElementCondition, ElementType,
    SenseKey, Status, TapeAlert, TapeAlertFlags,
};

use super::Engine;
use super::work::Work;
use crate::catalog::Service;
use crate::changer::alerts::AskAlerts;
use crate::command::{Completion, TransportError};
use crate::drive::needs::{CLEAN_NOW, Wants};
use crate::id::{Device, LibraryIndex, Path};
use crate::library::fault::{Said, Stale, said, words};
use crate::output::EventKind;
use crate::time::Now;

/// How long a device may repeat a remark before it is told again: some say with each command, until they are repaired, that they will
/// fail.
const REPEATED: Duration = Duration::from_secs(60 * 60);

/// CLEANING REQUESTED: 00/17.
const CLEANING_REQUESTED: AdditionalSense = AdditionalSense::new(0x00, 0x17);

impl Engine {
    /// A command has succeeded, and the device has something to say beside that (smc.md 2.3: success, log, alert).
    pub(crate) fn note_remark(&mut self, path: Path, result: &Result<Completion, TransportError>, now: Now) {
        let Ok(completion) = result else { return };
        let Some(sense) = completion.sense().filter(|_| completion.status == Status::CheckCondition) else {
            return;
        };
        // The end of a tape or a filemark is no remark; nor is nothing.
        let nothing = sense.key == SenseKey::NoSense && sense.code == AdditionalSense::default();
        let of_tape = sense.filemark || sense.end_of_medium || sense.incorrect_length;
        let Some(library) = self.library(path.library) else { return };
        if said(&sense) != Said::Done || nothing || of_tape {
            return;
        }
        let drive = match path.device {
            Device::Changer => None,
            device => match self.drive_at(path.library, device) {
                Some(drive) => Some(drive),
                None => return,
            },
        };
        let (name, dialect) = (library.config.name.clone(), library.dialect);
        if let Some(drive) = drive.filter(|_| sense.code == CLEANING_REQUESTED) {
            self.needs_heard(path.library, drive, Some(Wants::Cleaning), now);
        }
        let Some(library) = self.library(path.library) else { return };
        let remark = (drive, sense.code);
        let lately = |at: &Duration| now.monotonic.saturating_sub(*at) < REPEATED;
        if library.remarks.get(&remark).is_some_and(lately) {
            return;
        }
        if let Some(library) = self.library_mut(path.library) {
            library.remarks.retain(|_, at| lately(at));
            library.remarks.insert(remark, now.monotonic);
        }
        let what = format!("it did what it was asked to, and said {}", words(&sense, dialect));
        self.tell(EventKind::Warning { library: name, drive, what }, now);
        if dialect.advice(&sense).includes(Action::ReadAlerts) {
            self.ask_alerts(path.library, drive, now);
        }
    }

    /// Has a device say what its trouble is.
    pub(crate) fn ask_alerts(&mut self, index: LibraryIndex, drive: Option<ElementAddress>, now: Now) {
        let device = match drive {
            None => Some(Device::Changer),
            Some(drive) => self.drive_device(index, drive),
        };
        let timing = match drive {
            None => self.library(index).map(|library| library.config.timing),
            Some(drive) => self.drive_timing(index, drive),
        };
        if let (Some(device), Some(timing)) = (device, timing) {
            self.begin(index, Work::Alerts(drive, AskAlerts::new(device, timing)), now);
        }
    }

    /// What the flags say is told, and what they ask for is done where that is ours to do.
    pub(crate) fn alerts_heard(
        &mut self,
        index: LibraryIndex,
        drive: Option<ElementAddress>,
        flags: TapeAlertFlags,
        now: Now,
    ) {
        let Some(name) = self.library(index).map(|library| library.config.name.clone()) else { return };
        let alerts = flags.iter().filter_map(|flag| match drive {
            None => TapeAlert::of_changer(flag),
            Some(_) => TapeAlert::of_drive(flag),
        });
        for alert in alerts {
            self.heed_alert(index, drive, alert, now);
            self.heed_alert_for_hands(index, drive, alert, now);
            let severity = match alert.severity {
                AlertSeverity::Information => "information",
                AlertSeverity::Warning => "warning",
                AlertSeverity::Critical => "critical",
            };
            let what =
                format!("TapeAlert {}, {} ({severity}){}", alert.number, alert.name, to_do(alert.action));
            self.tell(EventKind::Warning { library: name.clone(), drive, what }, now);
        }
        self.mark_dirty(index);
    }
}

impl Engine {
    /// Does what a flag asks for.
    fn heed_alert(
        &mut self,
        index: LibraryIndex,
        drive: Option<ElementAddress>,
        alert: &TapeAlert,
        now: Now,
    ) {
        if let (Some(drive), AlertAction::Clean) = (drive, alert.action) {
            let wants = if alert.number == CLEAN_NOW { Wants::CleaningNow } else { Wants::Cleaning };
            return self.needs_heard(index, drive, Some(wants), now);
        }
        let Some(library) = self.library_mut(index).filter(|_| drive.is_none()) else { return };
        match alert.action {
            // Of a drive that is off line its element tells, and it is used no more.
            AlertAction::Reinventory | AlertAction::DriveUnusable => library.touch(Stale::All),
            // It is opened anew, and serves again when it says that it is ready.
            AlertAction::SuspendQueue => library.touch(Stale::Library),
            AlertAction::StopPlacing => {
                library.has_stray = true;
                library.touch(Stale::All);
            }
            _ => {}
        }
    }

    /// The library was read after it told of a cartridge that is in no slot. What is in the arm is brought on from there; for what cannot be
    /// seen a person must come, and until then nothing is put anywhere.
    pub(crate) fn look_for_stray(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        if !core::mem::take(&mut library.has_stray) {
            return;
        }
        let in_arm = library.elements.of_kind(ElementType::Transport).any(|arm| arm.full);
        if in_arm || library.service != Service::Enabled {
            return;
        }
        let name = library.config.name.clone();
        self.set_library_service(index, Service::Paused, now);
        let why = "it is paused, for it tells of a cartridge that is in no slot";
        self.needs_service(index, None, String::from(why), now);
        let what = format!("{why}: find it, run an inventory, and enable the library");
        self.tell(EventKind::Warning { library: name, drive: None, what }, now);
    }

    /// The library was read: drives of which it says that they need cleaning, or does not any more.
    pub(crate) fn heed_conditions(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library(index) else { return };
        let changed: Vec<(ElementAddress, bool)> = library
            .elements
            .of_kind(ElementType::Drive)
            .filter_map(|element| {
                let says = element.condition == Some(ElementCondition::DriveNeedsCleaning);
                (element.drive.as_ref()?.said_to_be_dirty != says).then_some((element.name.address, says))
            })
            .collect();
        for (drive, says) in changed {
            self.note_drive(index, drive, |drive| drive.said_to_be_dirty = says);
            let wants = if says { Wants::Cleaning } else { Wants::Nothing };
            self.needs_heard(index, drive, Some(wants), now);
        }
    }
}

/// What a person can do about a flag, as the end of a sentence about it.
fn to_do(action: AlertAction) -> &'static str {
    match action {
        AlertAction::Reinventory => "; the library is read again",
        AlertAction::StopPlacing => {
            "; the library is read again, and paused if the cartridge is not in its arm"
        }
        AlertAction::SuspendQueue => "; nothing moves until it is ready: close its doors, and put it online",
        AlertAction::DriveUnusable => {
            "; the library is read again, and the drive is not used while it says so"
        }
        AlertAction::ExpectMissingTags => "; look at the labels of cartridges without one",
        AlertAction::Clean => "; clean the drive",
        AlertAction::RetireMedium => "; copy what is on the medium, and use it no more",
        _ => "; look at its panel",
    }
}
