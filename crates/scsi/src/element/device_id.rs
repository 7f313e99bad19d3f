use super::ID_HEADER;
use crate::bytes::{printable, slice_at, u8_at};

/// Code set: binary.
const BINARY: u8 = 1;
/// Identifier type: T10 vendor identification.
const T10: u8 = 1;
/// Identifier type: EUI-64.
const EUI64: u8 = 2;
/// Identifier type: NAA, a world wide name.
const NAA: u8 = 3;
/// Bytes of vendor and product before the serial number in a T10 identifier.
const T10_PREFIX: usize = 24;
/// Bytes of the vendor.
const VENDOR: usize = 8;

/// The identifier of a drive in an element descriptor (DVCID).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "DVCID")]
pub struct DeviceId<'a> {
    /// 1 binary, 2 ASCII, 3 UTF-8.
    pub code_set: u8,
    /// 0 vendor, 1 T10 vendor identification, 2 EUI-64, 3 NAA; devices write other numbers too.
    pub id_type: u8,
    /// The identifier.
    pub bytes: &'a [u8],
}

impl<'a> DeviceId<'a> {
    /// Reads the identifier with its header of four bytes; `None` if there is none, or it does not fit.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        let [code_set, id_type, _, length, rest @ ..] = data else { return None };
        if *length == 0 {
            return None;
        }
        let bytes = rest.get(..usize::from(*length))?;
        Some(Self { code_set: code_set & 0x0F, id_type: id_type & 0x0F, bytes })
    }

    /// Whether the data starts as an identifier that fits into a descriptor with so many bytes left. A volume
    /// tag does not: its first byte is printable or padding.
    pub(super) fn is_at_start_of(data: &[u8], room: usize) -> bool {
        u8_at(data, 0).is_some_and(|byte| matches!(byte, 1..=3))
            && u8_at(data, 2) == Some(0)
            && u8_at(data, 3).is_some_and(|length| length > 0 && ID_HEADER + usize::from(length) <= room)
    }

    /// Vendor of a T10 identifier, trimmed.
    pub fn vendor(&self) -> Option<&'a str> {
        self.t10_part(0, VENDOR)
    }

    /// Product of a T10 identifier, trimmed.
    pub fn product(&self) -> Option<&'a str> {
        self.t10_part(VENDOR, T10_PREFIX - VENDOR)
    }

    /// The serial number, trimmed: what follows vendor and product in a T10 identifier, otherwise the whole
    /// identifier if it is text. `None` for world wide names and for text that is not printable.
    pub fn serial(&self) -> Option<&'a str> {
        match (self.code_set, self.id_type) {
            (BINARY, EUI64 | NAA) => None,
            _ if self.is_t10() => printable(slice_at(self.bytes, T10_PREFIX, usize::MAX)),
            _ => printable(self.bytes),
        }
    }

    /// The world wide name of an NAA identifier.
    #[doc(alias = "WWN")]
    pub fn naa(&self) -> Option<&'a [u8]> {
        (self.code_set == BINARY && self.id_type == NAA).then_some(self.bytes)
    }

    fn is_t10(&self) -> bool {
        self.id_type == T10 && self.bytes.len() >= T10_PREFIX
    }

    fn t10_part(&self, start: usize, length: usize) -> Option<&'a str> {
        if self.is_t10() { printable(slice_at(self.bytes, start, length)) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(code_set: u8, id_type: u8, bytes: &[u8]) -> DeviceId<'_> {
        DeviceId { code_set, id_type, bytes }
    }

    #[test]
    fn a_t10_identifier_has_vendor_product_and_serial_number() {
        let id = id(2, 1, b"HP      LTO3 ULTRIUM    HUM1A00001");
        assert_eq!(id.vendor(), Some("HP"));
        assert_eq!(id.product(), Some("LTO3 ULTRIUM"));
        assert_eq!(id.serial(), Some("HUM1A00001"));
    }

    #[test]
    fn a_shorter_or_vendor_identifier_is_a_serial_number() {
        assert_eq!(id(2, 0, b"DRV0701             ").serial(), Some("DRV0701"));
        assert_eq!(id(2, 0, b"DRV0701             ").vendor(), None);
        assert_eq!(id(2, 1, b"  1210\0\0\0\0").serial(), Some("1210"));
        assert_eq!(id(2, 8, b"VENDOR  PRODUCT         SN01").serial(), Some("VENDOR  PRODUCT         SN01"));
    }

    #[test]
    fn what_is_no_text_is_no_serial_number() {
        assert_eq!(id(1, 3, b"ABCDEFGH").serial(), None);
        assert_eq!(id(1, 3, b"ABCDEFGH").naa(), Some(&b"ABCDEFGH"[..]));
        assert_eq!(id(2, 0, b"AB\x01CD").serial(), None);
        assert_eq!(id(2, 0, b"      ").serial(), None);
        assert_eq!(id(2, 1, b"HP      LTO3 ULTRIUM            ").serial(), None);
    }

    #[test]
    fn an_identifier_that_does_not_fit_is_none() {
        let data = [2, 0, 0, 4, b'S', b'N', b'0', b'1', 0xEE];
        assert_eq!(DeviceId::parse(&data), Some(id(2, 0, b"SN01")));
        assert_eq!(DeviceId::parse(&data[..7]), None);
        assert_eq!(DeviceId::parse(&data[..3]), None);
        assert_eq!(DeviceId::parse(&[0, 0, 0, 0]), None);
    }
}
