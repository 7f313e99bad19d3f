//! What a target makes of a CDB. The same operation code means different things to different devices, so the
//! device type decides.

use core::fmt;

use super::*;
use crate::InvalidField;

/// Why a CDB is no command of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CdbError {
    /// The device has no such command: ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE (05/20/00).
    UnknownOpcode(u8),
    /// Fewer bytes than the operation code asks for. A transport's fault, not the initiator's.
    Truncated,
    /// ILLEGAL REQUEST, INVALID FIELD IN CDB (05/24/00).
    Field(InvalidField),
}

impl fmt::Display for CdbError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOpcode(opcode) => write!(formatter, "the device has no command {opcode:02X}h"),
            Self::Truncated => formatter.write_str("the CDB is shorter than its operation code asks for"),
            Self::Field(field) => field.fmt(formatter),
        }
    }
}

impl core::error::Error for CdbError {}

impl From<InvalidField> for CdbError {
    fn from(field: InvalidField) -> Self {
        Self::Field(field)
    }
}

macro_rules! dispatch {
    ($(#[$meta:meta])* $name:ident { $($command:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("See [`", stringify!($command), "`].")]
                $command($command),
            )*
        }

        impl $name {
            /// Reads a CDB; bytes after its end are overlooked (iSCSI always carries 16).
            ///
            /// # Errors
            /// [`CdbError`] says which sense data to answer with.
            pub fn decode(cdb: &[u8]) -> Result<Self, CdbError> {
                let opcode = *cdb.first().ok_or(CdbError::Truncated)?;
                match opcode {
                    $(
                        $command::OPCODE if cdb.len() < $command::LENGTH => Err(CdbError::Truncated),
                        $command::OPCODE => Ok(Self::$command($command::decode(cdb)?)),
                    )*
                    _ => Err(CdbError::UnknownOpcode(opcode)),
                }
            }

            /// The CDB usage data of an operation code, for REPORT SUPPORTED OPERATION CODES; `None` if the
            /// device type has no such command here.
            pub fn usage(opcode: u8) -> Option<Cdb> {
                match opcode {
                    $( $command::OPCODE => Some($command::usage()), )*
                    _ => None,
                }
            }

            /// Builds the CDB again.
            pub fn cdb(&self) -> Cdb {
                match self {
                    $( Self::$command(command) => command.cdb(), )*
                }
            }
        }

        $(
            impl From<$command> for $name {
                fn from(command: $command) -> Self {
                    Self::$command(command)
                }
            }
        )*
    };
}

dispatch! {
    /// A command to a medium changer (peripheral device type 08h).
    ChangerCommand {
        TestUnitReady,
        RequestSense,
        Inquiry,
        ReportLuns,
        ModeSense6,
        ModeSense10,
        InitializeElementStatus,
        InitializeElementStatusWithRange,
        InitializeElementStatusWithRangeVendor,
        ReadElementStatus,
        MoveMedium,
        ExchangeMedium,
        PositionToElement,
        PreventAllowMediumRemoval,
        OpenCloseImportExport,
        SendVolumeTag,
        RequestVolumeElementAddress,
        LogSense,
        PersistentReserveIn,
        PersistentReserveOut,
        ReportSupportedOperationCodes,
        ReadAttribute,
        WriteAttribute,
    }
}

dispatch! {
    /// A command to a tape drive (peripheral device type 01h): those that a media manager sends.
    TapeCommand {
        TestUnitReady,
        RequestSense,
        Inquiry,
        ReportLuns,
        ModeSense6,
        ModeSense10,
        LoadUnload,
        PreventAllowMediumRemoval,
        Rewind,
        Locate10,
        Read6,
        Write6,
        WriteFilemarks6,
        ReadPosition,
        ReportDensitySupport,
        LogSense,
        PersistentReserveIn,
        PersistentReserveOut,
        ReportSupportedOperationCodes,
        ReadAttribute,
        WriteAttribute,
    }
}
