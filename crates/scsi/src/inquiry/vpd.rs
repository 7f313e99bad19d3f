//! Vital product data pages of INQUIRY: serial numbers and identifiers.
//!
//! A page with another page code than asked for reads as an empty one: a device that overlooks EVPD answers
//! with its standard data.

mod drive;

use super::DeviceType;
use crate::ShortData;
use crate::bytes::{Sink, ascii_prefix, slice_at, u8_at, u16_at};

pub use drive::{
    DRIVE_ELEMENT, DriveElement, LIBRARY_SERIAL, LibrarySerial, MANUFACTURER_SERIAL, ManufacturerSerial,
    TAPE_CAPABILITIES, TapeCapabilities,
};

/// Bytes before the payload of a page.
const HEADER: usize = 4;

/// Page code of [`SupportedPages`].
pub const SUPPORTED_PAGES: u8 = 0x00;
/// Page code of [`UnitSerial`].
pub const UNIT_SERIAL: u8 = 0x80;
/// Page code of [`DeviceIdentification`].
pub const DEVICE_IDENTIFICATION: u8 = 0x83;

fn payload(data: &[u8], page: u8) -> Result<&[u8], ShortData> {
    ShortData::check(data, HEADER)?;
    if u8_at(data, 1) != Some(page) {
        return Ok(&[]);
    }
    Ok(slice_at(data, HEADER, usize::from(u16_at(data, 2).unwrap_or(0))))
}

fn write_page(
    device_type: DeviceType,
    page: u8,
    buffer: &mut [u8],
    payload: impl FnOnce(&mut Sink<'_>),
) -> usize {
    let mut sink = Sink::new(buffer);
    sink.put(&[u8::from(device_type), page, 0, 0]);
    payload(&mut sink);
    let length = u16::try_from(sink.total() - HEADER).unwrap_or(u16::MAX);
    sink.patch(2, &length.to_be_bytes());
    sink.written()
}

/// Page 00h: which pages there are.
#[derive(Clone, Copy, Debug)]
pub struct SupportedPages<'a> {
    pages: &'a [u8],
}

impl<'a> SupportedPages<'a> {
    /// Reads the page.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        Ok(Self { pages: payload(data, SUPPORTED_PAGES)? })
    }

    /// The page codes.
    pub fn pages(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.pages.iter().copied()
    }

    /// Writes the page; returns how many bytes are in `buffer`.
    pub fn write(device_type: DeviceType, pages: &[u8], buffer: &mut [u8]) -> usize {
        write_page(device_type, SUPPORTED_PAGES, buffer, |sink| sink.put(pages))
    }
}

/// Page 80h: the serial number.
#[derive(Clone, Copy, Debug)]
pub struct UnitSerial<'a> {
    serial: &'a [u8],
}

impl<'a> UnitSerial<'a> {
    /// Reads the page.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        Ok(Self { serial: payload(data, UNIT_SERIAL)? })
    }

    /// The serial number without spaces and NULs at both ends, up to the first byte that is not ASCII.
    ///
    /// Spaces and NULs inside stay, for what stands behind them may be what tells two logical libraries
    /// apart.
    pub fn serial(&self) -> &'a str {
        ascii_prefix(self.serial)
    }

    /// The bytes as they came.
    pub fn raw(&self) -> &'a [u8] {
        self.serial
    }

    /// Writes the page; returns how many bytes are in `buffer`.
    pub fn write(device_type: DeviceType, serial: &str, buffer: &mut [u8]) -> usize {
        write_page(device_type, UNIT_SERIAL, buffer, |sink| sink.put(serial.as_bytes()))
    }
}

/// Page 83h: identifiers of the device, its ports and its target.
#[derive(Clone, Copy, Debug)]
pub struct DeviceIdentification<'a> {
    designators: &'a [u8],
}

/// One identifier of page 83h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Designator<'a> {
    /// 1 binary, 2 ASCII, 3 UTF-8.
    pub code_set: u8,
    /// 0 vendor, 1 T10 vendor identification, 2 EUI-64, 3 NAA, 4 relative port, 5 port group, 8 name string.
    pub kind: u8,
    /// 0 logical unit, 1 target port, 2 target device.
    pub association: u8,
    /// The identifier.
    pub bytes: &'a [u8],
}

impl<'a> Designator<'a> {
    /// An identifier in text: trimmed, up to the first byte that is not printable; `None` for a binary one.
    pub fn text(&self) -> Option<&'a str> {
        matches!(self.code_set, 2 | 3).then(|| crate::bytes::printable_prefix(self.bytes))
    }
}

impl<'a> DeviceIdentification<'a> {
    /// Reads the page.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        Ok(Self { designators: payload(data, DEVICE_IDENTIFICATION)? })
    }

    /// The identifiers; a last one that is cut is left out.
    pub fn designators(&self) -> impl Iterator<Item = Designator<'a>> + use<'a> {
        let mut rest = self.designators;
        core::iter::from_fn(move || {
            let [first, second, _, length, after @ ..] = rest else { return None };
            let bytes = after.get(..usize::from(*length))?;
            rest = after.get(usize::from(*length)..)?;
            Some(Designator {
                code_set: first & 0x0F,
                kind: second & 0x0F,
                association: second >> 4 & 0x03,
                bytes,
            })
        })
    }

    /// Writes the page; returns how many bytes are in `buffer`. Identifiers are cut at 255 bytes.
    pub fn write(device_type: DeviceType, designators: &[Designator<'_>], buffer: &mut [u8]) -> usize {
        write_page(device_type, DEVICE_IDENTIFICATION, buffer, |sink| {
            for designator in designators {
                let bytes = slice_at(designator.bytes, 0, usize::from(u8::MAX));
                let second = (designator.association & 0x03) << 4 | designator.kind & 0x0F;
                sink.put(&[designator.code_set & 0x0F, second, 0, bytes.len() as u8]);
                sink.put(bytes);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    const DESIGNATORS: [Designator<'static>; 2] = [
        Designator { code_set: 2, kind: 1, association: 0, bytes: b"ACME    LIBRARY         SN01  " },
        Designator { code_set: 1, kind: 3, association: 2, bytes: &[0x50, 1, 2, 3, 4, 5, 6, 7] },
    ];

    #[test]
    fn pages_are_read_as_they_were_written() {
        let mut buffer = [0; 80];
        let length = DeviceIdentification::write(DeviceType::Changer, &DESIGNATORS, &mut buffer);
        let page = DeviceIdentification::parse(&buffer[..length]).expect("whole");
        assert_eq!(page.designators().collect::<Vec<_>>(), DESIGNATORS);
        assert_eq!(DESIGNATORS[0].text(), Some("ACME    LIBRARY         SN01"));
        assert_eq!(DESIGNATORS[1].text(), None);

        let length = SupportedPages::write(DeviceType::Tape, &[0x00, 0x80, 0x83], &mut buffer);
        assert_eq!(buffer[..length], [0x01, 0x00, 0, 3, 0x00, 0x80, 0x83]);
        let page = SupportedPages::parse(&buffer[..length]).expect("whole");
        assert_eq!(page.pages().collect::<Vec<_>>(), [0x00, 0x80, 0x83]);

        let length = UnitSerial::write(DeviceType::Changer, "SN01", &mut buffer);
        assert_eq!(buffer[..length], [0x08, 0x80, 0, 4, b'S', b'N', b'0', b'1']);
        assert_eq!(UnitSerial::parse(&buffer[..length]).expect("whole").serial(), "SN01");
    }

    #[test]
    fn a_serial_number_is_trimmed_at_both_ends_only() {
        let serial = |text: &[u8]| {
            let mut page = std::vec![0x08, 0x80, 0, text.len() as u8];
            page.extend_from_slice(text);
            page.extend_from_slice(b"after the end");
            UnitSerial::parse(&page).map(|page| std::string::String::from(page.serial()))
        };
        assert_eq!(serial(b"  \0SN 01_LL0 \0").as_deref(), Ok("SN 01_LL0"));
        assert_eq!(serial(b"XYZZY  \0\x000400\0\0").as_deref(), Ok("XYZZY  \0\x000400"));
        assert_eq!(serial(b"AB \xFFCD").as_deref(), Ok("AB"));
        assert_eq!(serial(b"   ").as_deref(), Ok(""));
    }

    #[test]
    fn a_designator_that_is_cut_is_left_out() {
        let mut buffer = [0; 80];
        let length = DeviceIdentification::write(DeviceType::Changer, &DESIGNATORS, &mut buffer);
        for end in 4..length {
            let page = DeviceIdentification::parse(&buffer[..end]).expect("header");
            let expected = usize::from(end >= 4 + 4 + 30);
            assert_eq!(page.designators().count(), expected, "{end} bytes");
        }
        assert_eq!(DeviceIdentification::parse(&buffer[..3]).err(), Some(ShortData { needed: 4, got: 3 }));
    }

    #[test]
    fn standard_data_of_a_device_that_overlooks_evpd_is_no_page() {
        let standard = b"\x08\x80\x05\x12\x3d\x00\x00\x02STK     L700            0010";
        assert_eq!(DeviceIdentification::parse(standard).expect("header").designators().count(), 0);
        assert_eq!(SupportedPages::parse(standard).expect("header").pages().count(), 0);
    }
}
