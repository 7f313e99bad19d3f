//! Commands that every device type has (SPC).

use super::layout::{Flagged, bit, bits, bytes, choices, commands};

/// Which values of a mode page are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PageControl {
    /// The values in force.
    #[default]
    Current = 0,
    /// A mask of the bits that MODE SELECT may change.
    Changeable = 1,
    /// The values after a reset.
    Default = 2,
    /// The values that survive a power cycle.
    Saved = 3,
}

impl super::layout::Value for PageControl {
    fn to_raw(self) -> u32 {
        self as u32
    }
    fn from_raw(raw: u32) -> Option<Self> {
        match raw {
            0 => Some(Self::Current),
            1 => Some(Self::Changeable),
            2 => Some(Self::Default),
            3 => Some(Self::Saved),
            _ => None,
        }
    }
}

commands! {
    /// TEST UNIT READY: is the device ready; also takes the next unit attention.
    #[doc(alias = "TUR")]
    #[doc(alias = "TEST UNIT READY")]
    #[derive(Default)]
    TestUnitReady = 0x00 [6] {}

    /// REQUEST SENSE: the sense data that is pending. Only for a CHECK CONDITION that came without any.
    #[doc(alias = "REQUEST SENSE")]
    #[derive(Default)]
    RequestSense = 0x03 [6] {
        /// DESC: descriptor format sense data is wanted.
        descriptor: bool = bit(1, 0),
        /// Allocation length in bytes.
        allocation: u8 = bytes(4, 1),
    }

    /// INQUIRY: who the device is, or one of its vital product data pages.
    #[derive(Default)]
    Inquiry = 0x12 [6] {
        /// The vital product data page (EVPD set); `None` asks for the standard data.
        vpd: Option<u8> = Flagged { flag: bit(1, 0), value: bytes(2, 1) },
        /// Allocation length in bytes. SCSI-2 devices know one byte of it: ask them for at most 255.
        allocation: u16 = bytes(3, 2),
    }

    /// REPORT LUNS: the logical units behind this target.
    #[doc(alias = "REPORT LUNS")]
    #[derive(Default)]
    ReportLuns = 0xA0 [12] {
        /// SELECT REPORT: 0 addressable units, 1 well-known units, 2 all.
        select: u8 = bytes(2, 1),
        /// Allocation length in bytes, at least 16.
        allocation: u32 = bytes(6, 4),
    }

    /// MODE SENSE(6).
    #[derive(Default)]
    ModeSense6 = 0x1A [6] {
        /// Page code, 0 to 3Fh (3Fh: all pages).
        page: u8 = bits(2, 5, 0),
        /// Subpage code (FFh: all subpages).
        subpage: u8 = bytes(3, 1),
        /// Which values.
        control: PageControl = bits(2, 7, 6),
        /// DBD: no block descriptors.
        disable_block_descriptors: bool = bit(1, 3),
        /// Allocation length in bytes.
        allocation: u8 = bytes(4, 1),
    }

    /// MODE SENSE(10).
    #[derive(Default)]
    ModeSense10 = 0x5A [10] {
        /// Page code, 0 to 3Fh (3Fh: all pages).
        page: u8 = bits(2, 5, 0),
        /// Subpage code (FFh: all subpages).
        subpage: u8 = bytes(3, 1),
        /// Which values.
        control: PageControl = bits(2, 7, 6),
        /// DBD: no block descriptors.
        disable_block_descriptors: bool = bit(1, 3),
        /// Allocation length in bytes.
        allocation: u16 = bytes(7, 2),
    }

    /// PREVENT ALLOW MEDIUM REMOVAL. On a changer it locks the doors and ports; on a drive it keeps the
    /// cartridge in, from the robot too.
    #[doc(alias = "PREVENT ALLOW MEDIUM REMOVAL")]
    #[derive(Default)]
    PreventAllowMediumRemoval = 0x1E [6] {
        /// Whether removal is prevented from now on.
        prevent: bool = bit(4, 0),
    }

    /// LOG SENSE: one log page. Reading page 2Eh clears what it tells, for every initiator: ask for all of it at
    /// once.
    #[doc(alias = "LOG SENSE")]
    #[derive(Default)]
    LogSense = 0x4D [10] {
        /// Page code, 0 to 3Fh.
        page: u8 = bits(2, 5, 0),
        /// Subpage code (FFh: all subpages).
        subpage: u8 = bytes(3, 1),
        /// PC: which values of the parameters.
        control: LogControl = bits(2, 7, 6),
        /// PPC: only the parameters that changed. Obsolete.
        changed_only: bool = bit(1, 1),
        /// SP: save the parameters first.
        save: bool = bit(1, 0),
        /// The first parameter wanted; pages with more than 64 KiB are read in pieces.
        parameter: u16 = bytes(5, 2),
        /// Allocation length in bytes.
        allocation: u16 = bytes(7, 2),
    }

    /// REPORT SUPPORTED OPERATION CODES: which commands the device has, and how long they may take.
    #[doc(alias = "RSOC")]
    #[doc(alias = "REPORT SUPPORTED OPERATION CODES")]
    #[derive(Default)]
    ReportSupportedOperationCodes = 0xA3 / 0x0C [12] {
        /// RCTD: with timeouts.
        timeouts: bool = bit(2, 7),
        /// REPORTING OPTIONS: all commands or which kind of one.
        options: ReportingOptions = bits(2, 2, 0),
        /// The operation code asked for; 0 where all are.
        opcode: u8 = bytes(3, 1),
        /// The service action asked for; 0 where there is none.
        service_action: u16 = bytes(4, 2),
        /// Allocation length in bytes.
        allocation: u32 = bytes(6, 4),
    }
}

choices! {
    /// Which values of log parameters are asked for.
    #[derive(Default)]
    LogControl {
        /// The current thresholds.
        Threshold = 0,
        /// The current values: what everyone asks for.
        #[default]
        Cumulative = 1,
        /// The thresholds after a reset.
        DefaultThreshold = 2,
        /// The values after a reset.
        DefaultCumulative = 3,
    }

    /// What REPORT SUPPORTED OPERATION CODES reports on.
    #[derive(Default)]
    ReportingOptions {
        /// All commands.
        #[default]
        All = 0,
        /// One command that has no service actions.
        Opcode = 1,
        /// One command with a service action.
        ServiceAction = 2,
        /// One command, whose service action counts if it has any (SPC-4).
        Either = 3,
    }
}
