//! What the device keeps beside elements and motion, and the commands that ask for it.

use alloc::collections::{BTreeMap, BTreeSet};

use autochanger_scsi::{ChangerCommand, ElementAddress, Sense, TapeAlertFlags, TapeCommand};

use crate::answer::{Answer, Unit, illegal};
use crate::counters::Counters;
use crate::device::Device;
use crate::door::Door;
use crate::identity::Lun;
use crate::pause::Pauses;
use crate::reservation::Registries;
use crate::search::Search;
use crate::task::Task;

/// The state behind the commands of this file.
#[derive(Debug, Default)]
pub(crate) struct Service {
    pub(crate) registries: Registries,
    /// TapeAlert flags that are set, by logical unit.
    pub(crate) alerts: BTreeMap<u16, TapeAlertFlags>,
    /// What each initiator's last SEND VOLUME TAG found.
    pub(crate) searches: BTreeMap<Unit, Search>,
    /// Ports that are out for the operator.
    pub(crate) open_ports: BTreeSet<ElementAddress>,
    pub(crate) port_opens: u64,
    pub(crate) door: Door,
    pub(crate) doors_closed: u64,
    pub(crate) pauses: Pauses,
    pub(crate) inventories: u64,
    /// Nobody has scanned the labels since the door was closed.
    pub(crate) labels_doubtful: bool,
    /// The magazine is out.
    pub(crate) magazine_out: bool,
    pub(crate) counters: Counters,
    /// Sense data that did not come with its status.
    pub(crate) kept_sense: BTreeMap<Unit, Sense>,
}

impl Service {
    /// The logical unit was reset: what was found is forgotten. Registrations persist.
    pub(crate) fn reset_unit(&mut self, lun: u16) {
        self.searches.retain(|unit, _| unit.lun != lun);
        self.kept_sense.retain(|unit, _| unit.lun != lun);
    }

    /// The session of the nexus has ended: what it searched for is forgotten.
    pub(crate) fn lose(&mut self, nexus: crate::answer::Nexus) {
        self.searches.retain(|unit, _| unit.nexus != nexus);
    }

    /// The nexus has gone for good.
    pub(crate) fn forget(&mut self, nexus: crate::answer::Nexus) {
        self.lose(nexus);
        self.searches.retain(|unit, _| unit.nexus != nexus);
        self.kept_sense.retain(|unit, _| unit.nexus != nexus);
        self.registries.values_mut().for_each(|registry| registry.forget(nexus));
    }
}

impl Device {
    pub(crate) fn changer_service(&mut self, task: &Task, command: ChangerCommand) -> Result<Answer, Sense> {
        let (unit, room) = (task.unit, task.data_in);
        match command {
            ChangerCommand::LogSense(command) => self.log_sense(Lun::Changer, command, room),
            ChangerCommand::PersistentReserveIn(command) => Ok(self.reserve_in(unit, command, room)),
            ChangerCommand::PersistentReserveOut(command) => self.reserve_out(unit, command, &task.data_out),
            ChangerCommand::ReportSupportedOperationCodes(command) => {
                self.operation_codes(Lun::Changer, command, room)
            }
            ChangerCommand::OpenCloseImportExport(command) => self.open_close(unit, command),
            ChangerCommand::SendVolumeTag(command) => self.send_volume_tag(unit, command, &task.data_out),
            ChangerCommand::RequestVolumeElementAddress(command) => self.volume_elements(unit, command, room),
            _ => Err(illegal(0x20, 0x00)),
        }
    }

    pub(crate) fn tape_service(
        &mut self,
        task: &Task,
        index: usize,
        command: TapeCommand,
    ) -> Result<Answer, Sense> {
        let (unit, room) = (task.unit, task.data_in);
        match command {
            TapeCommand::LogSense(command) => self.log_sense(Lun::Drive(index), command, room),
            TapeCommand::PersistentReserveIn(command) => Ok(self.reserve_in(unit, command, room)),
            TapeCommand::PersistentReserveOut(command) => self.reserve_out(unit, command, &task.data_out),
            TapeCommand::ReportSupportedOperationCodes(command) => {
                self.operation_codes(Lun::Drive(index), command, room)
            }
            TapeCommand::ReadAttribute(command) => self.read_attribute(index, command, room),
            TapeCommand::WriteAttribute(command) => self.write_attribute(index, command, &task.data_out),
            TapeCommand::Rewind(_) => self.rewind(index),
            TapeCommand::Locate10(command) => self.locate(index, command),
            TapeCommand::Read6(command) => self.read(index, command, room),
            TapeCommand::Write6(command) => self.write(index, command, &task.data_out),
            TapeCommand::WriteFilemarks6(command) => self.write_filemarks(index, command),
            TapeCommand::ReadPosition(command) => self.read_position(index, command, room),
            TapeCommand::ReportDensitySupport(command) => self.densities(index, command, room),
            _ => Err(illegal(0x20, 0x00)),
        }
    }
}
