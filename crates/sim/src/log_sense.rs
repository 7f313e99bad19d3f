//! LOG SENSE: what the library and its drives have counted, and what they warn of.

use autochanger_scsi::{
    ChangerStatistics, DriveActivity, DriveStatus, InvalidField, LogPage, LogPageWriter, LogSense, Sense,
    SupportedLogPages, TapeAlertFlags, TapeAlertPage, TapeAlertResponse, Temperature,
};

use crate::answer::Answer;
use crate::changer::bad_bit;
use crate::device::Device;
use crate::drive::State;
use crate::identity::{Lun, transfer, written};
use crate::motion::drive_lun;

/// The longest log page here: 2Eh.
const LOG_BUFFER: usize = TapeAlertPage::LENGTH;
/// An allocation that reaches no further than the header of a page clears nothing.
const HEADER: u16 = 4;
/// It is always the same season in the simulator.
const TEMPERATURE: Temperature = Temperature { celsius: Some(25), reference: Some(60) };

const CHANGER_PAGES: &[u8] =
    &[SupportedLogPages::PAGE, Temperature::PAGE, ChangerStatistics::PAGE, TapeAlertPage::PAGE];
const DRIVE_PAGES: &[u8] = &[
    SupportedLogPages::PAGE,
    Temperature::PAGE,
    DriveStatus::PAGE,
    TapeAlertResponse::PAGE,
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
        let mut data = written(LOG_BUFFER, |buffer| match command.page {
            SupportedLogPages::PAGE => SupportedLogPages::write(pages, buffer),
            Temperature::PAGE => TEMPERATURE.write(buffer),
            DriveStatus::PAGE => self.drive_status(lun).write(buffer),
            TapeAlertResponse::PAGE => TapeAlertResponse(self.alerts(lun)).write(buffer),
            ChangerStatistics::PAGE => self.statistics().write(buffer),
            _ => TapeAlertPage::write(self.alerts(lun), buffer),
        });
        if command.parameter > 0 {
            data = from_parameter(command, &data)?;
        }
        if command.page == TapeAlertPage::PAGE && command.allocation > HEADER {
            self.service.alerts.remove(&number(lun));
        }
        Ok(transfer(data, u32::from(command.allocation), room))
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
fn from_parameter(command: LogSense, data: &[u8]) -> Result<alloc::vec::Vec<u8>, Sense> {
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
