//! The changer's logical unit: which commands need an arm, and the answers of those that do not.

use autochanger_scsi::{
    ChangerCommand, ElementAddress, ElementType, ExchangeMedium, FieldPointer, InvalidField, MoveMedium,
    Sense,
};

use crate::answer::{Answer, illegal};
use crate::device::Device;
use crate::identity::Lun;
use crate::initialize::Form;
use crate::quirk::Quirk;
use crate::task::{Motion, Task, Work};

/// INVALID ELEMENT ADDRESS, pointing at the field of the CDB.
pub(crate) fn bad_address(byte: u16) -> Sense {
    illegal(0x21, 0x01).with_field_pointer(FieldPointer { command: true, byte, bit: None })
}

/// INVALID FIELD IN CDB, pointing at a bit of it.
pub(crate) fn bad_bit(byte: u8, bit: u8) -> Sense {
    Sense::invalid_field(InvalidField { byte, bit: Some(bit) })
}

impl Device {
    /// What a command of the changer asks for; refuses addresses that are not there.
    pub(crate) fn changer_work(&self, command: ChangerCommand) -> Result<Work, Sense> {
        let motion = match command {
            ChangerCommand::MoveMedium(MoveMedium { transport, source, destination, invert }) => {
                let arm = self.transport(transport)?;
                self.movable(source, 4)?;
                self.settable(destination, 6)?;
                if invert {
                    return Err(bad_bit(10, 0));
                }
                (Motion::Move { from: source, to: destination }, arm.or(self.arm_at(source)))
            }
            ChangerCommand::ExchangeMedium(_) if self.lacks_exchange() => return Err(illegal(0x20, 0x00)),
            ChangerCommand::ExchangeMedium(ExchangeMedium {
                transport,
                source,
                first_destination,
                second_destination,
                invert_first,
                invert_second,
            }) => {
                let arm = self.transport(transport)?;
                self.settable(source, 4)?;
                self.settable(first_destination, 6)?;
                self.settable(second_destination, 8)?;
                if invert_first || invert_second {
                    return Err(bad_bit(10, u8::from(invert_first)));
                }
                let (first, second) = (first_destination, second_destination);
                (Motion::Exchange { from: source, first, second }, arm)
            }
            ChangerCommand::PositionToElement(position) => {
                let arm = self.transport(position.transport)?;
                self.movable(position.destination, 4)?;
                if position.invert {
                    return Err(bad_bit(8, 0));
                }
                (Motion::Position { to: position.destination }, arm)
            }
            ChangerCommand::InitializeElementStatus(_) => return self.initialize(Form::Plain, None),
            ChangerCommand::InitializeElementStatusWithRange(scan) => {
                return self.initialize(Form::Range, scan.range);
            }
            ChangerCommand::InitializeElementStatusWithRangeVendor(scan) => {
                return self.initialize(Form::Vendor, scan.range);
            }
            other => return Ok(Work::Changer(other)),
        };
        self.check_arms()?;
        Ok(Work::Motion { motion: motion.0, arm: motion.1 })
    }

    /// The arm asked for; 0 leaves the choice to the library.
    fn transport(&self, address: ElementAddress) -> Result<Option<usize>, Sense> {
        match (address.0, self.arm_at(address)) {
            (0, _) => Ok(None),
            (_, Some(arm)) if !self.quirks.has(Quirk::TransportZeroOnly) => Ok(Some(arm)),
            _ => Err(bad_address(2)),
        }
    }

    /// An element that there is.
    fn movable(&self, address: ElementAddress, byte: u16) -> Result<(), Sense> {
        if self.is_absent(address) {
            return Err(bad_address(byte));
        }
        if self.is_ghost(address) {
            // MEDIUM MAGAZINE NOT ACCESSIBLE.
            return Err(illegal(0x3B, 0x11));
        }
        if let Some((ElementType::Drive, index)) = self.layout.locate(address)
            && self.is_empty_bay(index.into())
        {
            let exabyte = self.quirks.number(Quirk::GhostDrives(0)).is_some();
            // DATA TRANSFER DEVICE REMOVED, or Exabyte's own code.
            return Err(if exabyte { illegal(0x80, 0x06) } else { illegal(0x3B, 0x1A) });
        }
        self.layout.locate(address).map(|_| ()).ok_or_else(|| bad_address(byte))
    }

    /// An element that a cartridge may be put into: any but an arm.
    fn settable(&self, address: ElementAddress, byte: u16) -> Result<(), Sense> {
        match self.layout.locate(address) {
            None | Some((ElementType::Transport, _)) => Err(bad_address(byte)),
            Some(_) => self.movable(address, byte),
        }
    }

    /// Answers a command of the changer that needs no arm.
    pub(crate) fn changer_status(&mut self, task: &Task, command: ChangerCommand) -> Answer {
        let room = task.data_in;
        let answer = match command {
            ChangerCommand::TestUnitReady(_) => Ok(Answer::good()),
            ChangerCommand::RequestSense(command) => {
                let kept = self.service.kept_sense.remove(&task.unit);
                let pending = kept.or_else(|| self.nexuses.take_attention(task.unit));
                Ok(self.sense_data(command, pending, room))
            }
            ChangerCommand::Inquiry(command) => self.inquiry(Lun::Changer, command, room),
            ChangerCommand::ReportLuns(command) => Ok(self.report_luns(command, room)),
            ChangerCommand::ModeSense6(command) => self.changer_mode(command.into(), room),
            ChangerCommand::ModeSense10(command) => self.changer_mode(command.into(), room),
            ChangerCommand::ReadElementStatus(command) => self.read_element_status(command, room),
            ChangerCommand::PreventAllowMediumRemoval(command) => self.prevent_removal(task, command.prevent),
            other => self.changer_service(task, other),
        };
        answer.unwrap_or_else(|sense| Answer::check(&sense))
    }
}
