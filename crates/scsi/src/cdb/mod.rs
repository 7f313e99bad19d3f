//! Command descriptor blocks: a struct per command, built by an initiator and decoded by a target.

mod attribute;
mod changer;
mod dispatch;
pub(crate) mod layout;
mod name;
mod primary;
mod reserve;
mod tape;

use core::fmt;

pub use self::attribute::*;
pub use self::changer::*;
pub use self::dispatch::*;
pub use self::name::command_name;
pub use self::primary::*;
pub use self::reserve::*;
pub use self::tape::*;

/// The longest CDB of fixed length, and what an iSCSI command PDU carries.
pub const MAX_CDB: usize = 16;

/// A command descriptor block on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cdb {
    bytes: [u8; MAX_CDB],
    length: u8,
}

impl Cdb {
    /// Takes in bytes. Bytes after the end that the operation code implies are cut off (iSCSI always carries
    /// 16); where it implies none (vendor codes), all are taken.
    ///
    /// `None` if there are no bytes, more than 16, or fewer than the operation code implies.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let length = match cdb_length(*bytes.first()?) {
            Some(length) => length,
            None => bytes.len(),
        };
        let bytes = bytes.get(..length)?;
        let mut cdb = Self { bytes: [0; MAX_CDB], length: u8::try_from(length).ok()? };
        cdb.bytes.get_mut(..length)?.copy_from_slice(bytes);
        Some(cdb)
    }

    /// The bytes, as long as the command is.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or(&self.bytes)
    }

    /// The first byte.
    pub fn opcode(&self) -> u8 {
        self.bytes[0]
    }
}

impl AsRef<[u8]> for Cdb {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Hexadecimal bytes and the command's name.
impl fmt::Debug for Cdb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cdb({self})")
    }
}

/// Hexadecimal bytes and the command's name.
impl fmt::Display for Cdb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.as_bytes().iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            write!(formatter, "{byte:02x}")?;
        }
        match command_name(self.opcode()) {
            Some(name) => write!(formatter, " {name}"),
            None => Ok(()),
        }
    }
}

/// The length of a CDB in bytes, from the group of its operation code. `None` for codes whose length is not
/// fixed by the standard; of the vendor codes, E7h is known.
pub fn cdb_length(opcode: u8) -> Option<usize> {
    match opcode {
        0x00..=0x1F => Some(6),
        0x20..=0x5F => Some(10),
        0x80..=0x9F => Some(16),
        0xA0..=0xBF => Some(12),
        0xE7 => Some(10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;
    use crate::{ElementAddress, ElementType, InvalidField};

    const MOVE: MoveMedium = MoveMedium {
        transport: ElementAddress(1),
        source: ElementAddress(0x03E8),
        destination: ElementAddress(0x01F4),
        invert: false,
    };

    #[test]
    fn commands_lie_in_the_bytes_that_the_standards_give_them() {
        let exchange = ExchangeMedium {
            transport: ElementAddress(0x0102),
            source: ElementAddress(0x0304),
            first_destination: ElementAddress(0x0506),
            second_destination: ElementAddress(0x0708),
            invert_first: true,
            invert_second: false,
        };
        let position = PositionToElement {
            transport: ElementAddress(1),
            destination: ElementAddress(0x01F4),
            invert: true,
        };
        let elements = ReadElementStatus {
            element_type: Some(ElementType::Drive),
            start: ElementAddress(500),
            count: 4,
            volume_tags: true,
            current_data: true,
            device_ids: true,
            allocation: 0x01_0203,
        };
        let range = Some((ElementAddress(0x1000), 4));
        let mode = ModeSense10 {
            page: 0x1D,
            subpage: 0x41,
            control: PageControl::Saved,
            disable_block_descriptors: true,
            allocation: 0x0400,
        };
        let load =
            LoadUnload { immediate: true, load: true, retension: false, end_of_tape: false, hold: true };
        let cases: [(Cdb, &[u8]); 19] = [
            (TestUnitReady {}.cdb(), &[0; 6]),
            (RequestSense { descriptor: true, allocation: 252 }.cdb(), &[3, 1, 0, 0, 252, 0]),
            (Inquiry { vpd: None, allocation: 0x0124 }.cdb(), &[0x12, 0, 0, 1, 0x24, 0]),
            (Inquiry { vpd: Some(0), allocation: 255 }.cdb(), &[0x12, 1, 0, 0, 255, 0]),
            (Inquiry { vpd: Some(0x83), allocation: 255 }.cdb(), &[0x12, 1, 0x83, 0, 255, 0]),
            (ReportLuns { select: 2, allocation: 16 }.cdb(), &[0xA0, 0, 2, 0, 0, 0, 0, 0, 0, 16, 0, 0]),
            (
                ModeSense6 {
                    page: 0x1F,
                    subpage: 0,
                    control: PageControl::Default,
                    disable_block_descriptors: true,
                    allocation: 255,
                }
                .cdb(),
                &[0x1A, 8, 0x9F, 0, 255, 0],
            ),
            (mode.cdb(), &[0x5A, 8, 0xDD, 0x41, 0, 0, 0, 4, 0, 0]),
            (InitializeElementStatus {}.cdb(), &[7, 0, 0, 0, 0, 0]),
            (
                InitializeElementStatusWithRange { fast: true, range }.cdb(),
                &[0x37, 3, 0x10, 0, 0, 0, 0, 4, 0, 0],
            ),
            (
                InitializeElementStatusWithRangeVendor { no_bar_code: true, range }.cdb(),
                &[0xE7, 1, 0x10, 0, 0, 0, 0, 4, 0, 0x80],
            ),
            (
                InitializeElementStatusWithRange { fast: false, range: None }.cdb(),
                &[0x37, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            ),
            (elements.cdb(), &[0xB8, 0x14, 0x01, 0xF4, 0, 4, 3, 1, 2, 3, 0, 0]),
            (
                ReadElementStatus { element_type: None, current_data: false, ..elements }.cdb(),
                &[0xB8, 0x10, 0x01, 0xF4, 0, 4, 1, 1, 2, 3, 0, 0],
            ),
            (MOVE.cdb(), &[0xA5, 0, 0, 1, 3, 0xE8, 1, 0xF4, 0, 0, 0, 0]),
            (exchange.cdb(), &[0xA6, 0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 0]),
            (position.cdb(), &[0x2B, 0, 0, 1, 1, 0xF4, 0, 0, 1, 0]),
            (PreventAllowMediumRemoval { prevent: true }.cdb(), &[0x1E, 0, 0, 0, 1, 0]),
            (load.cdb(), &[0x1B, 1, 0, 0, 9, 0]),
        ];
        for (cdb, expected) in cases {
            assert_eq!(cdb.as_bytes(), expected, "{cdb}");
        }
    }

    #[test]
    fn a_move_never_carries_anything_in_its_control_byte() {
        // Some libraries answer GOOD without moving when it is not zero.
        let cdb = MoveMedium { invert: true, destination: ElementAddress(0xFFFF), ..MOVE }.cdb();
        assert_eq!(cdb.as_bytes()[8..], [0, 0, 1, 0]);
    }

    #[test]
    fn a_number_too_large_for_its_field_is_sent_as_the_largest_that_fits() {
        let command = ReadElementStatus {
            element_type: None,
            start: ElementAddress(0),
            count: 0xFFFF,
            volume_tags: false,
            current_data: false,
            device_ids: false,
            allocation: 0x0100_0000,
        };
        assert_eq!(command.cdb().as_bytes()[7..10], [0xFF, 0xFF, 0xFF]);
        let command = ModeSense6 { page: 0xFF, ..ModeSense6::default() };
        assert_eq!(command.cdb().as_bytes()[2], 0x3F);
    }

    #[test]
    fn reserved_bits_and_impossible_values_are_pointed_at() {
        let pointer = |byte, bit| Err(InvalidField { byte, bit });
        let decode = |at: usize, value: u8| {
            let mut bytes = [0xB8, 0x12, 0, 0, 0xFF, 0xFF, 0x02, 0, 0x40, 0, 0, 0];
            bytes[at] = value;
            ReadElementStatus::decode(&bytes).map(|_| ())
        };
        assert_eq!(decode(1, 0x05), pointer(1, Some(3)));
        assert_eq!(decode(6, 0x04), pointer(6, Some(2)));
        assert_eq!(decode(6, 0xFF), pointer(6, Some(7)));
        assert_eq!(decode(10, 0x01), pointer(10, Some(0)));
        assert_eq!(decode(11, 0x04), pointer(11, Some(2)));
        assert_eq!(decode(0, 0xA5), pointer(0, None));
        assert_eq!(
            MoveMedium::decode(&MOVE.cdb().as_bytes()[..11]),
            Err(InvalidField { byte: 11, bit: None })
        );
        assert_eq!(Inquiry::decode(&[0x12, 0, 0x80, 0, 255, 0]), Err(InvalidField { byte: 2, bit: None }));
    }

    #[test]
    fn a_target_overlooks_the_logical_unit_bits_of_scsi_2() {
        let mut bytes = [0; 12];
        bytes.copy_from_slice(MOVE.cdb().as_bytes());
        bytes[1] = 0x20;
        assert_eq!(MoveMedium::decode(&bytes), Ok(MOVE));
    }

    #[test]
    fn a_range_that_does_not_count_is_overlooked() {
        let bytes = [0x37, 0x02, 0x10, 0, 0, 0, 0, 4, 0, 0];
        let command = InitializeElementStatusWithRange { fast: true, range: None };
        assert_eq!(InitializeElementStatusWithRange::decode(&bytes), Ok(command));
    }

    #[test]
    fn the_device_type_decides_what_an_operation_code_means() {
        let unload = [0x1B, 0, 0, 0, 0, 0];
        let open = OpenCloseImportExport { element: ElementAddress(0), action: PortAction::Open };
        assert_eq!(ChangerCommand::decode(&unload), Ok(ChangerCommand::OpenCloseImportExport(open)));
        let command = LoadUnload::default();
        assert_eq!(TapeCommand::decode(&unload), Ok(TapeCommand::LoadUnload(command)));
        assert_eq!(TapeCommand::decode(MOVE.cdb().as_bytes()), Err(CdbError::UnknownOpcode(0xA5)));
        assert_eq!(ChangerCommand::decode(MOVE.cdb().as_bytes()), Ok(ChangerCommand::MoveMedium(MOVE)));
        assert_eq!(ChangerCommand::decode(&[0xA5, 0, 0]), Err(CdbError::Truncated));
        assert_eq!(ChangerCommand::decode(&[]), Err(CdbError::Truncated));
        let field = CdbError::Field(InvalidField { byte: 4, bit: Some(7) });
        assert_eq!(ChangerCommand::decode(&[0, 0, 0, 0, 0x80, 0]), Err(field));
    }

    #[test]
    fn a_cdb_padded_to_sixteen_bytes_is_cut_to_its_length() {
        let mut padded = [0; 16];
        padded[..12].copy_from_slice(MOVE.cdb().as_bytes());
        assert_eq!(Cdb::from_bytes(&padded), Some(MOVE.cdb()));
        assert_eq!(ChangerCommand::decode(&padded), Ok(ChangerCommand::MoveMedium(MOVE)));
        assert_eq!(Cdb::from_bytes(&padded[..11]), None);
        assert_eq!(Cdb::from_bytes(&[]), None);
        assert_eq!(Cdb::from_bytes(&[0xFF; 16]).map(|cdb| cdb.as_bytes().len()), Some(16));
        assert_eq!(Cdb::from_bytes(&[0xFF; 17]), None);
    }

    #[test]
    fn the_length_of_a_cdb_follows_from_its_group() {
        let lengths =
            [0x1F, 0x20, 0x5F, 0x60, 0x7F, 0x80, 0x9F, 0xA0, 0xBF, 0xC0, 0xE7, 0xFF].map(cdb_length);
        let (six, ten, sixteen, twelve) = (Some(6), Some(10), Some(16), Some(12));
        let expected = [six, ten, ten, None, None, sixteen, sixteen, twelve, twelve, None, ten, None];
        assert_eq!(lengths, expected);
    }

    #[test]
    fn a_cdb_shows_its_bytes_and_its_name() {
        assert_eq!(format!("{:?}", MOVE.cdb()), "Cdb(a5 00 00 01 03 e8 01 f4 00 00 00 00 MOVE MEDIUM)");
    }
}
