//! LOG SENSE: what the library and its drives have counted, and what they warn of.

use alloc::vec::Vec;

use autochanger_scsi::{
    ChangerDiagnostic, ChangerDiagnostics, ChangerStatistics, DriveActivity, DriveStatus, ElementAddress,
    ElementStatistics, InvalidField, LogPage, LogPageWriter, LogSense, Sense, SupportedLogPages,
    TapeAlertFlags, TapeAlertPage, TapeAlertResponse, Temperature, VolumeStatistics,
};

use crate::answer::{Answer, transfer, written};
use crate::changer::bad_bit;
use crate::counters::MAX_ERRORS;
use crate::device::Device;
use crate::drive::State;
use crate::identity::Lun;
use crate::motion::drive_lun;
use crate::quirk::Quirk;

/// The longest log page here but for 15h: the errors of 16h.
const LOG_BUFFER: usize = 4 + MAX_ERRORS * ChangerDiagnostics::MAX_PARAMETER;
/// Page 15h as full as one can be.
const ELEMENTS_BUFFER: usize = 4 + ElementStatistics::MAX_ELEMENTS * ElementStatistics::PARAMETER;
/// What an LTO-8 cartridge holds, in megabytes.
const CAPACITY_MEGABYTES: u64 = 12_000_000;
/// An allocation that reaches no further than the header of a page clears nothing.
const HEADER: u16 = 4;
/// It is always the same season in the simulator.
const TEMPERATURE: Temperature = Temperature { celsius: Some(25), reference: Some(60) };

const CHANGER_PAGES: &[u8] = &[
    SupportedLogPages::PAGE,
    Temperature::PAGE,
    ChangerStatistics::PAGE,
    ElementStatistics::PAGE,
    ChangerDiagnostics::PAGE,
    TapeAlertPage::PAGE,
];
const DRIVE_PAGES: &[u8] = &[
    SupportedLogPages::PAGE,
    Temperature::PAGE,
    DriveStatus::PAGE,
    TapeAlertResponse::PAGE,
    VolumeStatistics::PAGE,
    TapeAlertPage::PAGE,
];

impl Device {
    /// Sets a TapeAlert flag (1 to 64) of a logical unit, until someone reads log page 2Eh.
    pub fn raise_alert(&mut self, lun: u16, flag: u8) {
        let flags = self.service.alerts.entry(lun).or_default();
        *flags = flags.with(flag);
    }

    fn alerts(&self, lun: Lun) -> TapeAlertFlags {
        self.service.alerts.get(&number(lun)).copied().unwrap_or_default()
    }

    pub(crate) fn log_sense(&mut self, lun: Lun, command: LogSense, room: u32) -> Result<Answer, Sense> {
        let pages = match lun {
            Lun::Changer => CHANGER_PAGES,
            Lun::Drive(_) => DRIVE_PAGES,
        };
        if command.save {
            return Err(bad_bit(1, 0));
        }
        if command.changed_only {
            return Err(bad_bit(1, 1));
        }
        if !pages.contains(&command.page) {
            return Err(bad_bit(2, 5));
        }
        if command.subpage != 0 {
            return Err(Sense::invalid_field(InvalidField { byte: 3, bit: None }));
        }
        if command.page == ElementStatistics::PAGE {
            return self.element_statistics(command, room);
        }
        let mut data = written(LOG_BUFFER, |buffer| match command.page {
            SupportedLogPages::PAGE => SupportedLogPages::write(pages, buffer),
            Temperature::PAGE => TEMPERATURE.write(buffer),
            DriveStatus::PAGE => self.drive_status(lun).write(buffer),
            TapeAlertResponse::PAGE => TapeAlertResponse(self.alerts(lun)).write(buffer),
            ChangerStatistics::PAGE => self.statistics().write(buffer),
            ChangerDiagnostics::PAGE => ChangerDiagnostics::write(self.diagnostics(), buffer),
            VolumeStatistics::PAGE => self.volume_statistics(lun, buffer),
            _ => TapeAlertPage::write(self.alerts(lun), buffer),
        });
        if command.parameter > 0 {
            data = from_parameter(command, &data)?;
        }
        if command.page == TapeAlertPage::PAGE && command.allocation > HEADER {
            self.service.alerts.remove(&number(lun));
        }
        if self.quirks.has(Quirk::PadLogPages) {
            data.resize(data.len().max(command.allocation.into()), 0);
        }
        Ok(transfer(data, u32::from(command.allocation), room))
    }

    /// Element by element, from the one on that is asked for: of a large library, as many as a page holds.
    fn element_statistics(&self, command: LogSense, room: u32) -> Result<Answer, Sense> {
        let from = ElementAddress(command.parameter);
        let mut addresses: Vec<_> = self.shelves.all().map(|shelf| shelf.address).collect();
        addresses.sort_unstable();
        let wanted = addresses.into_iter().filter(|address| *address >= from);
        let counts = |address| self.service.counters.elements.get(&address).copied().unwrap_or_default();
        let data = written(ELEMENTS_BUFFER, |buffer| {
            ElementStatistics::write(wanted.map(|address| (address, counts(address))), buffer)
        });
        if command.parameter > 0 && data.len() == usize::from(HEADER) {
            return Err(Sense::invalid_field(InvalidField { byte: 5, bit: None }));
        }
        Ok(transfer(data, u32::from(command.allocation), room))
    }

    /// The latest error has the first number.
    fn diagnostics(&self) -> impl Iterator<Item = ChangerDiagnostic<'_>> {
        (0..).zip(&self.service.counters.errors).map(|(number, error)| {
            let moves = u32::try_from(error.moves).unwrap_or(u32::MAX);
            ChangerDiagnostic {
                number,
                repeated: false,
                key: error.sense.key,
                code: error.sense.code,
                qualifier: 0,
                revision: self.names.revision(),
                moves,
                picks: moves,
                pick_retries: 0,
                places: moves,
                place_retries: 0,
                tags_read: 0,
                tags_invalid: 0,
                opcode: error.opcode,
                service_action: 0,
                error_type: 0,
                transport: None,
                source: Some(error.source),
                last_good: None,
                destination: Some(error.destination),
                tag: error.tag.as_deref(),
                milliseconds: Some(error.milliseconds),
            }
        })
    }

    fn volume_statistics(&self, lun: Lun, buffer: &mut [u8]) -> usize {
        let mut statistics = VolumeStatistics { valid: Some(false), ..VolumeStatistics::default() };
        let drive = match lun {
            Lun::Drive(index) => self.drives.get(index).filter(|drive| drive.state == State::Ready),
            Lun::Changer => None,
        };
        let Some(cartridge) = drive.and_then(|drive| self.shelves.cartridge(drive.address)) else {
            return statistics.write(buffer);
        };
        let serial = cartridge.serial();
        statistics.valid = Some(true);
        statistics.serial = Some(&serial);
        statistics.barcode = cartridge.barcode.as_deref();
        statistics.threads = Some(cartridge.loads);
        statistics.megabytes_written = Some(0);
        statistics.megabytes_read = Some(0);
        statistics.capacity_megabytes = Some(CAPACITY_MEGABYTES);
        statistics.used_megabytes = Some(0);
        statistics.write_protected = Some(0);
        statistics.write_once = Some(0);
        statistics.write(buffer)
    }

    fn statistics(&self) -> ChangerStatistics {
        let moves = self.moves_done;
        ChangerStatistics {
            moves: Some(moves),
            picks: Some(moves),
            pick_retries: Some(0),
            places: Some(moves),
            place_retries: Some(0),
            port_opens: Some(self.service.port_opens),
            inventories: Some(self.service.inventories),
            ..ChangerStatistics::default()
        }
    }

    fn drive_status(&self, lun: Lun) -> DriveStatus {
        let Lun::Drive(index) = lun else { return DriveStatus::default() };
        let Some(drive) = self.drives.get(index) else { return DriveStatus::default() };
        let state = drive.state;
        let moving = matches!(state, State::Loading | State::Unloading | State::Cleaning);
        let ready = state == State::Ready;
        DriveStatus {
            removal_prevented: self.nexuses.prevented(drive_lun(index)),
            memory_accessible: drive.memory_accessible(),
            in_transition: moving,
            robotic_access_allowed: drive.accessible(),
            medium_present: state != State::Empty,
            seated: ready || moving,
            threaded: ready,
            mounted: ready,
            alert_changed: !self.alerts(lun).is_empty(),
            activity: match state {
                State::Loading if drive.calibrates => DriveActivity::Calibrating,
                State::Loading => DriveActivity::Loading,
                State::Unloading => DriveActivity::Unloading,
                State::Cleaning => DriveActivity::Cleaning,
                State::Empty | State::Ready | State::Ejected => DriveActivity::None,
            },
            cleaning_requested: drive.dirty == Some(false),
            cleaning_required: drive.dirty == Some(true),
            ..DriveStatus::default()
        }
    }
}

/// The logical unit's number.
fn number(lun: Lun) -> u16 {
    match lun {
        Lun::Changer => 0,
        Lun::Drive(index) => drive_lun(index),
    }
}

/// The page from a parameter on; refused where there is none any more (SPC-4 6.8).
fn from_parameter(command: LogSense, data: &[u8]) -> Result<Vec<u8>, Sense> {
    let bad = Sense::invalid_field(InvalidField { byte: 5, bit: None });
    let Ok(page) = LogPage::parse(data) else { return Err(bad) };
    let wanted = || page.parameters().filter(|parameter| parameter.code >= command.parameter);
    if command.page == SupportedLogPages::PAGE || wanted().next().is_none() {
        return Err(bad);
    }
    Ok(written(LOG_BUFFER, |buffer| {
        let mut writer = LogPageWriter::new(command.page, buffer);
        for parameter in wanted() {
            writer.parameter(parameter.code, parameter.control, parameter.value);
        }
        writer.finish()
    }))
}
