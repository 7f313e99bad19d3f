//! The pages of tape drives (SSC-4 clause 8.5): what a drive can, and which element of which library it is.

use super::{payload, write_page};
use crate::bytes::{ascii_prefix, bit_at};
use crate::{DeviceType, ElementAddress, ShortData};

/// Page code of [`TapeCapabilities`].
pub const TAPE_CAPABILITIES: u8 = 0xB0;
/// Page code of [`ManufacturerSerial`].
pub const MANUFACTURER_SERIAL: u8 = 0xB1;
/// Page code of [`LibrarySerial`].
pub const LIBRARY_SERIAL: u8 = 0xB3;
/// Page code of [`DriveElement`].
pub const DRIVE_ELEMENT: u8 = 0xB4;

/// Page B0h of a drive: what it can beyond reading and writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[doc(alias = "Sequential-access device capabilities")]
pub struct TapeCapabilities {
    /// WORM: it takes media that can be written once.
    pub write_once: bool,
    /// TSMC: it can copy to other tapes by itself.
    pub mirrors_streams: bool,
}

impl TapeCapabilities {
    /// Reads the page; what it leaves out the drive cannot.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &[u8]) -> Result<Self, ShortData> {
        let flags = payload(data, TAPE_CAPABILITIES)?;
        Ok(Self { write_once: bit_at(flags, 0, 0), mirrors_streams: bit_at(flags, 0, 1) })
    }

    /// Writes the page; returns how many bytes are in `buffer`.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let flags = u8::from(self.mirrors_streams) << 1 | u8::from(self.write_once);
        write_page(DeviceType::Tape, TAPE_CAPABILITIES, buffer, |sink| sink.put(&[flags, 0]))
    }
}

macro_rules! serial_page {
    ($(#[$meta:meta])* $name:ident, $page:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a> {
            serial: &'a [u8],
        }

        impl<'a> $name<'a> {
            /// Reads the page.
            ///
            /// # Errors
            /// [`ShortData`] if the header of four bytes is not whole.
            pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
                Ok(Self { serial: payload(data, $page)? })
            }

            /// The serial number, as [`UnitSerial::serial`](super::UnitSerial::serial) has it.
            pub fn serial(&self) -> &'a str {
                ascii_prefix(self.serial)
            }

            /// Writes the page; returns how many bytes are in `buffer`.
            pub fn write(serial: &str, buffer: &mut [u8]) -> usize {
                write_page(DeviceType::Tape, $page, buffer, |sink| sink.put(serial.as_bytes()))
            }
        }
    };
}

serial_page! {
    /// Page B1h of a drive: the serial number that its maker gave it. Page 80h may have another, which a library assigned.
    #[doc(alias = "Manufacturer-assigned serial number")]
    ManufacturerSerial, MANUFACTURER_SERIAL
}

serial_page! {
    /// Page B3h of a drive: the serial number of the library that it is in.
    #[doc(alias = "Automation device serial number")]
    LibrarySerial, LIBRARY_SERIAL
}

/// Page B4h of a drive: the element that it is in its library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "Data transfer device element address")]
pub struct DriveElement(pub ElementAddress);

impl DriveElement {
    /// Reads the page; `None` if it has no address, or one that no element can have.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &[u8]) -> Result<Option<Self>, ShortData> {
        // Some write more bytes than an address has; those in front are zero.
        let bytes = payload(data, DRIVE_ELEMENT)?;
        let address = match bytes {
            [front @ .., high, low] if front.iter().all(|byte| *byte == 0) => {
                Some(u16::from_be_bytes([*high, *low]))
            }
            _ => None,
        };
        Ok(address.map(|address| Self(ElementAddress(address))))
    }

    /// Writes the page; returns how many bytes are in `buffer`.
    pub fn write(self, buffer: &mut [u8]) -> usize {
        write_page(DeviceType::Tape, DRIVE_ELEMENT, buffer, |sink| sink.put(&self.0.0.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_says_which_element_of_which_library_it_is() {
        let mut buffer = [0xEE; 32];
        let length = DriveElement(ElementAddress(0x01F4)).write(&mut buffer);
        assert_eq!(buffer[..length], [0x01, 0xB4, 0, 2, 0x01, 0xF4]);
        let element = DriveElement::parse(&buffer[..length]);
        assert_eq!(element, Ok(Some(DriveElement(ElementAddress(500)))));
        assert_eq!(DriveElement::parse(&[1, 0xB4, 0, 4, 0, 0, 0x01, 0xF4]), element);
        for none in
            [&[1, 0xB4, 0, 0][..], &[1, 0xB4, 0, 1, 7], &[1, 0xB4, 0, 3, 1, 0, 0], &[1, 0xB3, 0, 2, 0, 1]]
        {
            assert_eq!(DriveElement::parse(none), Ok(None), "{none:?}");
        }
        let length = LibrarySerial::write("LIB 01", &mut buffer);
        assert_eq!(buffer[..length], *b"\x01\xB3\0\x06LIB 01");
        assert_eq!(LibrarySerial::parse(&buffer[..length]).map(|page| page.serial()), Ok("LIB 01"));
        assert_eq!(ManufacturerSerial::parse(&buffer[..length]).map(|page| page.serial()), Ok(""));
    }

    #[test]
    fn capabilities_that_are_not_told_are_none() {
        let mut buffer = [0xEE; 8];
        let worm = TapeCapabilities { write_once: true, mirrors_streams: false };
        let length = worm.write(&mut buffer);
        assert_eq!(buffer[..length], [0x01, 0xB0, 0, 2, 0x01, 0]);
        assert_eq!(TapeCapabilities::parse(&buffer[..length]), Ok(worm));
        assert_eq!(TapeCapabilities::parse(&[1, 0xB0, 0, 0]), Ok(TapeCapabilities::default()));
    }
}
