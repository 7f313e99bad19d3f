use core::fmt;

/// Peripheral device type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "PDT")]
pub enum DeviceType {
    /// Direct access block device (00h).
    Disk,
    /// Sequential access device (01h): a tape drive.
    Tape,
    /// Processor device (03h).
    Processor,
    /// CD or DVD drive (05h).
    CdDvd,
    /// Optical memory device (07h).
    Optical,
    /// Medium changer (08h).
    Changer,
    /// Storage array controller (0Ch).
    StorageArray,
    /// Enclosure services device (0Dh).
    Enclosure,
    /// Well-known logical unit (1Eh).
    WellKnown,
    /// No device, or its type is unknown (1Fh).
    NoDevice,
    /// Another type.
    Other(u8),
}

impl From<u8> for DeviceType {
    /// From the low five bits of a byte.
    fn from(byte: u8) -> Self {
        match byte & 0x1F {
            0x00 => Self::Disk,
            0x01 => Self::Tape,
            0x03 => Self::Processor,
            0x05 => Self::CdDvd,
            0x07 => Self::Optical,
            0x08 => Self::Changer,
            0x0C => Self::StorageArray,
            0x0D => Self::Enclosure,
            0x1E => Self::WellKnown,
            0x1F => Self::NoDevice,
            other => Self::Other(other),
        }
    }
}

impl From<DeviceType> for u8 {
    fn from(device_type: DeviceType) -> Self {
        match device_type {
            DeviceType::Disk => 0x00,
            DeviceType::Tape => 0x01,
            DeviceType::Processor => 0x03,
            DeviceType::CdDvd => 0x05,
            DeviceType::Optical => 0x07,
            DeviceType::Changer => 0x08,
            DeviceType::StorageArray => 0x0C,
            DeviceType::Enclosure => 0x0D,
            DeviceType::WellKnown => 0x1E,
            DeviceType::NoDevice => 0x1F,
            DeviceType::Other(other) => other & 0x1F,
        }
    }
}

impl fmt::Display for DeviceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disk => "disk",
            Self::Tape => "tape drive",
            Self::Processor => "processor",
            Self::CdDvd => "CD or DVD drive",
            Self::Optical => "optical memory",
            Self::Changer => "medium changer",
            Self::StorageArray => "storage array controller",
            Self::Enclosure => "enclosure",
            Self::WellKnown => "well-known logical unit",
            Self::NoDevice => "no device",
            Self::Other(other) => return write!(formatter, "device type {other:02X}h"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_type_survives_both_ways_whatever_the_qualifier() {
        for code in 0..0x20 {
            assert_eq!(u8::from(DeviceType::from(code)), code);
            assert_eq!(DeviceType::from(0x60 | code), DeviceType::from(code));
        }
        assert_eq!(DeviceType::from(0x08), DeviceType::Changer);
        assert_eq!(DeviceType::from(0x01), DeviceType::Tape);
    }
}
