/// Sense key: the kind of condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SenseKey {
    /// Nothing wrong.
    NoSense = 0x0,
    /// The command succeeded, with recovery.
    RecoveredError = 0x1,
    /// The device can not do it now.
    NotReady = 0x2,
    /// The medium is at fault.
    MediumError = 0x3,
    /// The device is at fault.
    HardwareError = 0x4,
    /// The command or its parameters are at fault, or do not fit the state of things.
    IllegalRequest = 0x5,
    /// Something changed since the last command; this one was not executed.
    UnitAttention = 0x6,
    /// Write protection.
    DataProtect = 0x7,
    /// Blank or unwritten medium.
    BlankCheck = 0x8,
    /// Vendor specific.
    Vendor = 0x9,
    /// A copy was aborted.
    CopyAborted = 0xA,
    /// The device aborted the command.
    AbortedCommand = 0xB,
    /// Not assigned (Ch).
    Reserved = 0xC,
    /// The medium is at its end.
    VolumeOverflow = 0xD,
    /// Compared data differ.
    Miscompare = 0xE,
    /// Completed (SPC-4).
    Completed = 0xF,
}

impl SenseKey {
    /// From the low four bits of a byte.
    pub const fn from_bits(byte: u8) -> Self {
        match byte & 0x0F {
            0x0 => Self::NoSense,
            0x1 => Self::RecoveredError,
            0x2 => Self::NotReady,
            0x3 => Self::MediumError,
            0x4 => Self::HardwareError,
            0x5 => Self::IllegalRequest,
            0x6 => Self::UnitAttention,
            0x7 => Self::DataProtect,
            0x8 => Self::BlankCheck,
            0x9 => Self::Vendor,
            0xA => Self::CopyAborted,
            0xB => Self::AbortedCommand,
            0xC => Self::Reserved,
            0xD => Self::VolumeOverflow,
            0xE => Self::Miscompare,
            _ => Self::Completed,
        }
    }

    /// The key's number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sense_key_survives_both_ways() {
        for code in 0..=0x0F {
            assert_eq!(SenseKey::from_bits(code).code(), code);
            assert_eq!(SenseKey::from_bits(0xF0 | code).code(), code);
        }
        assert_eq!(SenseKey::from_bits(0x6), SenseKey::UnitAttention);
    }
}
