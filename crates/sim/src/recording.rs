//! What is written on tapes: READ, WRITE and WRITE FILEMARKS of variable blocks (SSC-3), in one partition.

use alloc::vec::Vec;

use autochanger_scsi::{Read6, Sense, SenseKey, Status, Write6, WriteFilemarks6};

use crate::answer::{Answer, sense};
use crate::changer::bad_bit;
use crate::device::Device;
use crate::drive::unknown_drive;
use crate::shelves::{Cartridge, Medium};

/// Records on one tape. Who tests labels writes a handful; what would fill a machine's memory meets the end of the tape.
const MAX_RECORDS: usize = 1024;
/// Bytes on one tape, for the same reason.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// One thing on a tape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A block of data.
    Block(Vec<u8>),
    /// A filemark.
    Filemark,
}

impl Device {
    /// What is on the tape of a cartridge, from its beginning; `None` where there is no such cartridge.
    pub fn recording(&self, barcode: &str) -> Option<&[Record]> {
        let place = self.find(barcode)?;
        Some(&self.shelves.cartridge(place)?.recording)
    }

    /// Puts something on the tape of a cartridge as if a host had written it. `false` where there is no such cartridge.
    pub fn set_recording(&mut self, barcode: &str, recording: Vec<Record>) -> bool {
        self.mark_cartridge(barcode, |cartridge| cartridge.recording = recording)
    }

    /// Sets the write-protect tab of a cartridge. `false` where there is no such cartridge.
    pub fn write_protect(&mut self, barcode: &str, protected: bool) -> bool {
        self.mark_cartridge(barcode, |cartridge| cartridge.write_protected = protected)
    }

    fn mark_cartridge(&mut self, barcode: &str, mark: impl FnOnce(&mut Cartridge)) -> bool {
        let place = self.find(barcode);
        place.and_then(|place| self.shelves.cartridge_mut(place)).map(mark).is_some()
    }

    /// The tape in a drive that is ready, and where it stands: the number of the record that comes next.
    fn threaded(&mut self, index: usize) -> Result<(&mut Cartridge, &mut usize), Sense> {
        let drive = self.drives.get_mut(index).ok_or_else(unknown_drive)?;
        if let Some(sense) = drive.unready() {
            return Err(sense);
        }
        let cartridge = self.shelves.cartridge_mut(drive.address).ok_or_else(unknown_drive)?;
        Ok((cartridge, &mut drive.position))
    }

    pub(crate) fn read(&mut self, index: usize, command: Read6, room: u32) -> Result<Answer, Sense> {
        // Fixed blocks need a block size, which only MODE SELECT sets: there is none here.
        if command.fixed {
            return Err(bad_bit(1, 0));
        }
        let (cartridge, position) = self.threaded(index)?;
        if command.length == 0 {
            return Ok(Answer::good());
        }
        match cartridge.recording.get(*position) {
            // END-OF-DATA DETECTED.
            None => Err(sense(SenseKey::BlankCheck, 0x00, 0x05)),
            Some(Record::Filemark) => {
                *position += 1;
                let mark = Sense { filemark: true, ..sense(SenseKey::NoSense, 0x00, 0x01) };
                Err(Sense { information: Some(u64::from(command.length)), ..mark })
            }
            Some(Record::Block(block)) => {
                *position += 1;
                let wanted = command.length.min(room) as usize;
                let data = block.get(..wanted).unwrap_or(block).to_vec();
                let residue = i64::from(command.length) - block.len() as i64;
                if residue == 0 || command.suppress_incorrect_length {
                    return Ok(Answer::data(data));
                }
                let length = Sense { incorrect_length: true, ..sense(SenseKey::NoSense, 0x00, 0x00) };
                // Four bytes, two's complement (SSC-3 6.4): what was longer than asked is negative.
                let information = Some(u64::from(residue as u32));
                let check = Sense { information, ..length }.to_fixed().to_vec();
                Ok(Answer { status: Status::CheckCondition, sense: check, data })
            }
        }
    }

    pub(crate) fn write(&mut self, index: usize, command: Write6, data: &[u8]) -> Result<Answer, Sense> {
        if command.fixed {
            return Err(bad_bit(1, 0));
        }
        let length = command.length as usize;
        let block = data.get(..length).ok_or(sense(SenseKey::IllegalRequest, 0x1A, 0x00))?;
        let records = if length == 0 { Vec::new() } else { Vec::from([Record::Block(block.to_vec())]) };
        self.append(index, records)
    }

    pub(crate) fn write_filemarks(
        &mut self,
        index: usize,
        command: WriteFilemarks6,
    ) -> Result<Answer, Sense> {
        let count = (command.count as usize).min(MAX_RECORDS + 1);
        self.append(index, alloc::vec![Record::Filemark; count])
    }

    /// Writes where the tape stands; what was there and behind it is gone.
    fn append(&mut self, index: usize, records: Vec<Record>) -> Result<Answer, Sense> {
        let (cartridge, position) = self.threaded(index)?;
        if cartridge.medium == Medium::Cleaning || cartridge.write_protected {
            return Err(sense(SenseKey::DataProtect, 0x27, 0x00));
        }
        if records.is_empty() {
            return Ok(Answer::good());
        }
        let size = |record: &Record| match record {
            Record::Block(block) => block.len(),
            Record::Filemark => 0,
        };
        let kept = cartridge.recording.get(..*position).unwrap_or_default();
        let bytes: usize = kept.iter().chain(&records).map(size).sum();
        if kept.len() + records.len() > MAX_RECORDS || bytes > MAX_BYTES {
            let end = sense(SenseKey::VolumeOverflow, 0x00, 0x02);
            return Err(Sense { end_of_medium: true, ..end });
        }
        cartridge.recording.truncate(*position);
        cartridge.recording.extend(records);
        *position = cartridge.recording.len();
        Ok(Answer::good())
    }
}
