//! The drives' logical units.

use core::time::Duration;

use autochanger_scsi::{Sense, TapeCommand};

use crate::answer::Answer;
use crate::device::Device;
use crate::drive::{State, Turn};
use crate::identity::Lun;
use crate::quirk::Quirk;
use crate::task::Task;

impl Device {
    /// Carries out a command of a drive; its answer, and when that is given.
    pub(crate) fn tape(
        &mut self,
        task: &Task,
        index: usize,
        command: TapeCommand,
    ) -> Result<(Answer, Duration), Sense> {
        let room = task.data_in;
        let at = self.now.saturating_add(self.reading_takes(index, &command));
        let answer = match command {
            TapeCommand::TestUnitReady(_) => match self.drive_unready(index) {
                Some(sense) => Err(sense),
                None => Ok(Answer::good()),
            },
            TapeCommand::RequestSense(command) => {
                let kept = self.service.kept_sense.remove(&task.unit);
                let pending = kept
                    .or_else(|| self.nexuses.take_attention(task.unit))
                    .or_else(|| self.drive_unready(index));
                Ok(self.sense_data(command, pending, room))
            }
            TapeCommand::Inquiry(command) => self.inquiry(Lun::Drive(index), command, room),
            TapeCommand::ReportLuns(command) => Ok(self.report_luns(command, room)),
            TapeCommand::ModeSense6(command) => self.tape_mode(command.into(), room),
            TapeCommand::ModeSense10(command) => self.tape_mode(command.into(), room),
            TapeCommand::PreventAllowMediumRemoval(command) => {
                self.nexuses.prevent(task.unit, command.prevent);
                Ok(Answer::good())
            }
            TapeCommand::LoadUnload(command) => {
                let prevented = self.nexuses.prevented(task.unit.lun);
                let turn =
                    self.drives.get(index).map_or(Ok(Turn::Stay), |it| it.load_unload(command, prevented))?;
                let done = match turn {
                    Turn::Stay => self.now,
                    Turn::Load => self.start_drive(index, State::Loading, self.timing.load),
                    Turn::Unload => self.start_drive(index, State::Unloading, self.timing.unload),
                };
                return Ok((Answer::good(), if command.immediate { self.now } else { done }));
            }
            other => self.tape_service(task, index, other),
        };
        answer.map(|answer| (answer, at))
    }

    /// How long the drive takes to say what it and its cartridge have counted.
    fn reading_takes(&self, index: usize, command: &TapeCommand) -> Duration {
        let asks = matches!(command, TapeCommand::LogSense(_) | TapeCommand::ReadAttribute(_));
        let loaded = self.drives.get(index).is_some_and(|drive| drive.state == State::Ready);
        let seconds = self.quirks.number(Quirk::SlowLogs(0)).filter(|_| asks && loaded);
        Duration::from_secs(seconds.unwrap_or(0).into())
    }

    fn drive_unready(&self, index: usize) -> Option<Sense> {
        self.drives.get(index).and_then(crate::drive::Drive::unready)
    }
}
