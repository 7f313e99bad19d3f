//! Where a tape is and which formats a drive has.

use autochanger_scsi::{
    DensityDescriptor, DensityReport, InvalidField, Locate10, LongPosition, PositionForm, ReadPosition,
    ReportDensitySupport, Sense, SenseKey, TapePosition,
};

use crate::answer::{Answer, sense, transfer, written};
use crate::changer::bad_bit;
use crate::device::Device;
use crate::drive::unknown_drive;
use crate::memory::DENSITY;
use crate::recording::Record;

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

    pub(crate) fn rewind(&mut self, index: usize) -> Result<Answer, Sense> {
        self.check_ready(index)?;
        self.stand_at(index, 0);
        Ok(Answer::good())
    }

    fn stand_at(&mut self, index: usize, position: usize) {
        if let Some(drive) = self.drives.get_mut(index) {
            drive.position = position;
        }
    }

    /// How many records are on the tape in the drive.
    fn recorded(&self, index: usize) -> usize {
        let cartridge = self.drives.get(index).and_then(|drive| self.shelves.cartridge(drive.address));
        cartridge.map_or(0, |cartridge| cartridge.recording.len())
    }

    fn marks_before(&self, index: usize, at: usize) -> u64 {
        let cartridge = self.drives.get(index).and_then(|drive| self.shelves.cartridge(drive.address));
        let before = cartridge.and_then(|cartridge| cartridge.recording.get(..at)).unwrap_or_default();
        before.iter().filter(|record| **record == Record::Filemark).count() as u64
    }

    pub(crate) fn locate(&mut self, index: usize, command: Locate10) -> Result<Answer, Sense> {
        self.check_ready(index)?;
        if command.partition.is_some_and(|partition| partition != 0) {
            return Err(Sense::invalid_field(InvalidField { byte: 8, bit: None }));
        }
        let end = self.recorded(index);
        let position = command.block as usize;
        self.stand_at(index, position.min(end));
        if position > end {
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
        let at = self.drives.get(index).map_or(0, |drive| drive.position);
        let data = match command.form {
            PositionForm::Short => {
                let start = TapePosition {
                    beginning: at == 0,
                    block: u32::try_from(at).ok(),
                    on_tape: u32::try_from(at).ok(),
                    ..TapePosition::default()
                };
                start.to_bytes().to_vec()
            }
            PositionForm::Long => {
                let start = LongPosition {
                    beginning: at == 0,
                    partition: Some(0),
                    block: Some(at as u64),
                    file: Some(self.marks_before(index, at)),
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
