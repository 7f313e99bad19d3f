//! What devices remark beside their answers: errors that they recovered from, failures that they predict, flags of TapeAlert.

use alloc::format;
use core::time::Duration;

use autochanger_scsi::{
    Action, AdditionalSense, AlertAction, AlertSeverity, ElementAddress, SenseKey, Status, TapeAlert,
    TapeAlertFlags,
};

use super::Engine;
use super::work::Work;
use crate::changer::alerts::AskAlerts;
use crate::command::{Completion, TransportError};
use crate::id::{Device, LibraryIndex, Path};
use crate::library::fault::{Said, Stale, said, words};
use crate::output::EventKind;
use crate::time::Now;

/// How long a device may repeat a remark before it is told again: some say with each command, until they are repaired, that they will
/// fail.
const REPEATED: Duration = Duration::from_secs(60 * 60);

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
        let timing = self.library(index).map(|library| library.config.timing);
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
            if drive.is_none()
                && alert.action == AlertAction::Reinventory
                && let Some(library) = self.library_mut(index)
            {
                library.touch(Stale::All);
            }
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

/// What a person can do about a flag, as the end of a sentence about it.
fn to_do(action: AlertAction) -> &'static str {
    match action {
        AlertAction::Reinventory => "; the library is read again",
        AlertAction::StopPlacing => "; look for a cartridge that is in no slot, and run an inventory",
        AlertAction::SuspendQueue => "; close its doors, and put it online",
        AlertAction::DriveUnusable => "; disable the drive until it is repaired",
        AlertAction::ExpectMissingTags => "; look at the labels of cartridges without one",
        AlertAction::Clean => "; clean the drive",
        AlertAction::RetireMedium => "; copy what is on the medium, and use it no more",
        _ => "; look at its panel",
    }
}
