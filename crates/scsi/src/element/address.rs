use core::fmt;

/// The address of an element: 16 bits, chosen by the library. Displayed in decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementAddress(
    /// The number. 0 is an ordinary address, except as a transport: there it means "whichever".
    pub u16,
);

impl fmt::Display for ElementAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl From<u16> for ElementAddress {
    fn from(address: u16) -> Self {
        Self(address)
    }
}

impl From<ElementAddress> for u16 {
    fn from(address: ElementAddress) -> Self {
        address.0
    }
}

/// What an element is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElementType {
    /// Medium transport element: the robot's gripper.
    #[doc(alias = "MT")]
    Transport = 1,
    /// Storage element: a slot.
    #[doc(alias = "ST")]
    Storage = 2,
    /// Import/export element: a port, mail slot, I/O station.
    #[doc(alias = "IE")]
    ImportExport = 3,
    /// Data transfer element: a drive.
    #[doc(alias = "DT")]
    Drive = 4,
}

impl ElementType {
    /// All types in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Transport, Self::Storage, Self::ImportExport, Self::Drive];

    /// The code in a CDB or a page.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// A number that is no element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownElementType(
    /// The number.
    pub u8,
);

impl fmt::Display for UnknownElementType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is no element type", self.0)
    }
}

impl core::error::Error for UnknownElementType {}

impl TryFrom<u8> for ElementType {
    type Error = UnknownElementType;

    fn try_from(code: u8) -> Result<Self, Self::Error> {
        match code {
            1 => Ok(Self::Transport),
            2 => Ok(Self::Storage),
            3 => Ok(Self::ImportExport),
            4 => Ok(Self::Drive),
            other => Err(UnknownElementType(other)),
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Transport => "transport",
            Self::Storage => "storage",
            Self::ImportExport => "import/export",
            Self::Drive => "drive",
        })
    }
}

/// What kind of cartridge an element holds, as far as the library knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MediumType {
    /// Not told.
    #[default]
    Unspecified,
    /// Data medium.
    Data,
    /// Cleaning cartridge.
    Cleaning,
    /// Diagnostic medium.
    Diagnostic,
    /// Medium that can be written once.
    Worm,
    /// Medium with microcode.
    Microcode,
    /// A code without a meaning (6 or 7).
    Other(u8),
}

impl From<u8> for MediumType {
    /// From the low three bits of a byte.
    fn from(byte: u8) -> Self {
        match byte & 0x07 {
            0 => Self::Unspecified,
            1 => Self::Data,
            2 => Self::Cleaning,
            3 => Self::Diagnostic,
            4 => Self::Worm,
            5 => Self::Microcode,
            other => Self::Other(other),
        }
    }
}

impl From<MediumType> for u8 {
    fn from(medium_type: MediumType) -> Self {
        match medium_type {
            MediumType::Unspecified => 0,
            MediumType::Data => 1,
            MediumType::Cleaning => 2,
            MediumType::Diagnostic => 3,
            MediumType::Worm => 4,
            MediumType::Microcode => 5,
            MediumType::Other(other) => other & 0x07,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn element_and_medium_types_survive_both_ways() {
        for element_type in ElementType::ALL {
            assert_eq!(ElementType::try_from(element_type.code()), Ok(element_type));
        }
        assert_eq!(ElementType::try_from(0), Err(UnknownElementType(0)));
        assert_eq!(ElementType::try_from(5), Err(UnknownElementType(5)));
        for code in 0..8 {
            assert_eq!(u8::from(MediumType::from(0xF8 | code)), code);
        }
    }

    #[test]
    fn addresses_are_shown_in_decimal_and_types_by_name() {
        assert_eq!(std::format!("{} {:>5}", ElementAddress(1000), ElementAddress(7)), "1000     7");
        assert_eq!(ElementType::ImportExport.to_string(), "import/export");
    }
}
