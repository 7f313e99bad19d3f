//! Commands of a tape drive that a media manager needs (SSC).

use super::layout::{Flagged, bit, bits, bytes, choices, commands};

commands! {
    /// LOAD UNLOAD.
    #[doc(alias = "LOAD UNLOAD")]
    #[derive(Default)]
    LoadUnload = 0x1B [6] {
        /// IMMED: answer at once, then poll.
        immediate: bool = bit(1, 0),
        /// LOAD: load; otherwise unload.
        load: bool = bit(4, 0),
        /// RETEN: even out the tape's tension first.
        retension: bool = bit(4, 1),
        /// EOT: leave the tape at its end.
        end_of_tape: bool = bit(4, 2),
        /// HOLD: seat the cartridge but do not thread the tape.
        hold: bool = bit(4, 3),
    }

    /// REWIND: to the beginning of the partition.
    #[derive(Default)]
    Rewind = 0x01 [6] {
        /// IMMED: answer at once, then poll.
        immediate: bool = bit(1, 0),
    }

    /// LOCATE(10): to a block.
    #[doc(alias = "LOCATE")]
    #[derive(Default)]
    Locate10 = 0x2B [10] {
        /// IMMED: answer at once, then poll.
        immediate: bool = bit(1, 0),
        /// CP and the partition to change to; `None` stays in the current one.
        partition: Option<u8> = Flagged { flag: bit(1, 1), value: bytes(8, 1) },
        /// BT: the address is the drive's own kind. Obsolete.
        device_specific: bool = bit(1, 2),
        /// The number of the block, counted from 0.
        block: u32 = bytes(3, 4),
    }

    /// READ(6): blocks from where the tape is.
    #[doc(alias = "READ")]
    #[derive(Default)]
    Read6 = 0x08 [6] {
        /// FIXED: the length counts blocks of the fixed size; otherwise it is the size of one block.
        fixed: bool = bit(1, 0),
        /// SILI: a block of another length is no error.
        suppress_incorrect_length: bool = bit(1, 1),
        /// Transfer length in bytes, or in blocks with FIXED; 24 bits.
        length: u32 = bytes(2, 3),
    }

    /// WRITE(6): blocks from where the tape is.
    #[doc(alias = "WRITE")]
    #[derive(Default)]
    Write6 = 0x0A [6] {
        /// FIXED: the length counts blocks of the fixed size; otherwise it is the size of one block.
        fixed: bool = bit(1, 0),
        /// Transfer length in bytes, or in blocks with FIXED; 24 bits.
        length: u32 = bytes(2, 3),
    }

    /// WRITE FILEMARKS(6). With a count of 0 and without IMMED it brings the drive's buffer onto the tape.
    #[doc(alias = "WRITE FILEMARKS")]
    #[derive(Default)]
    WriteFilemarks6 = 0x10 [6] {
        /// IMMED: answer before they are on the tape.
        immediate: bool = bit(1, 0),
        /// How many; 24 bits.
        count: u32 = bytes(2, 3),
    }

    /// READ POSITION: where the tape is.
    #[doc(alias = "READ POSITION")]
    #[derive(Default)]
    ReadPosition = 0x34 [10] {
        /// Which answer.
        form: PositionForm = bits(1, 4, 0),
        /// Allocation length in bytes; only for the extended form, otherwise 0.
        allocation: u16 = bytes(7, 2),
    }

    /// REPORT DENSITY SUPPORT: which tape formats the drive, or the cartridge in it, can have.
    #[doc(alias = "REPORT DENSITY SUPPORT")]
    #[derive(Default)]
    ReportDensitySupport = 0x44 [10] {
        /// MEDIA: of the cartridge in the drive; otherwise of the drive.
        medium: bool = bit(1, 0),
        /// MEDIUM TYPE: kinds of cartridges instead of formats.
        medium_types: bool = bit(1, 1),
        /// Allocation length in bytes.
        allocation: u16 = bytes(7, 2),
    }
}

choices! {
    /// Which answer READ POSITION gives.
    #[derive(Default)]
    PositionForm {
        /// 20 bytes: block numbers of 32 bits.
        #[default]
        Short = 0x00,
        /// 32 bytes: block and file numbers of 64 bits.
        Long = 0x06,
        /// 32 bytes: as the short form, with block numbers of 64 bits.
        Extended = 0x08,
    }
}
