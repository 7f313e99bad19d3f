//! Where a tape is and which formats a drive has. Nothing is ever written here: a tape is at its beginning.

use autochanger_scsi::{
    DensityDescriptor, DensityReport, InvalidField, Locate10, LongPosition, PositionForm, ReadPosition,
    ReportDensitySupport, Sense, SenseKey, TapePosition,
};

use crate::answer::{Answer, sense};
use crate::changer::bad_bit;
use crate::device::Device;
use crate::drive::unknown_drive;
use crate::identity::{transfer, written};
use crate::memory::DENSITY;

/// Bytes of a report with two formats.
const DENSITY_BUFFER: usize = 4 + 2 * 52;

/// What the drive writes, and what it reads besides.
const LTO8: DensityDescriptor<'static> = DensityDescriptor {
    code: DENSITY,
    secondary_code: DENSITY,
    writable: true,
    duplicate: false,
    default: true,
    bits_per_mm: 20_668,
    width: 127,
    tracks: 6656,
    capacity: 12_000_000,
    organization: "LTO-CVE",
    name: "U-832",
    description: "Ultrium 8/32T",
};
const LTO7: DensityDescriptor<'static> = DensityDescriptor {
    code: 0x5C,
    secondary_code: 0x5C,
    default: false,
    tracks: 3584,
    capacity: 6_000_000,
    name: "U-732",
    description: "Ultrium 7/32T",
    ..LTO8
};

impl Device {
    fn check_ready(&self, index: usize) -> Result<(), Sense> {
        match self.drives.get(index).ok_or_else(unknown_drive)?.unready() {
            Some(sense) => Err(sense),
            None => Ok(()),
        }
    }

    pub(crate) fn rewind(&self, index: usize) -> Result<Answer, Sense> {
        self.check_ready(index)?;
        Ok(Answer::good())
    }

    pub(crate) fn locate(&self, index: usize, command: Locate10) -> Result<Answer, Sense> {
        self.check_ready(index)?;
        if command.partition.is_some_and(|partition| partition != 0) {
            return Err(Sense::invalid_field(InvalidField { byte: 8, bit: None }));
        }
        if command.block != 0 {
            // END-OF-DATA DETECTED.
            return Err(sense(SenseKey::BlankCheck, 0x00, 0x05));
        }
        Ok(Answer::good())
    }

    pub(crate) fn read_position(
        &self,
        index: usize,
        command: ReadPosition,
        room: u32,
    ) -> Result<Answer, Sense> {
        self.check_ready(index)?;
        let data = match command.form {
            PositionForm::Short => {
                let start = TapePosition {
                    beginning: true,
                    block: Some(0),
                    on_tape: Some(0),
                    ..TapePosition::default()
                };
                start.to_bytes().to_vec()
            }
            PositionForm::Long => {
                let start = LongPosition {
                    beginning: true,
                    partition: Some(0),
                    block: Some(0),
                    file: Some(0),
                    ..LongPosition::default()
                };
                start.to_bytes().to_vec()
            }
            PositionForm::Extended => return Err(bad_bit(1, 4)),
        };
        Ok(transfer(data, u32::MAX, room))
    }

    pub(crate) fn densities(
        &self,
        index: usize,
        command: ReportDensitySupport,
        room: u32,
    ) -> Result<Answer, Sense> {
        if command.medium_types {
            return Err(bad_bit(1, 1));
        }
        if command.medium {
            self.check_ready(index)?;
        }
        let formats: &[_] = if command.medium { &[LTO8] } else { &[LTO7, LTO8] };
        let data = written(DENSITY_BUFFER, |buffer| DensityReport::write(formats.iter().copied(), buffer));
        Ok(transfer(data, u32::from(command.allocation), room))
    }
}
