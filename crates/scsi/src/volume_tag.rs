//! Volume tags: the labels that a library reads off its cartridges.

use crate::bytes::{slice_at, u16_at};

/// A volume tag of READ ELEMENT STATUS: 32 bytes of identifier, a sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[doc(alias = "PVolTag")]
#[doc(alias = "VOLTAG")]
pub struct VolumeTag<'a> {
    identifier: &'a str,
    raw: &'a [u8; 32],
    sequence: u16,
}

/// Bytes of a volume tag in an element descriptor: identifier 32, reserved 2, sequence number 2.
pub(crate) const TAG_LENGTH: usize = 36;
const IDENTIFIER_LENGTH: usize = 32;

impl<'a> VolumeTag<'a> {
    /// Reads a tag field of an element descriptor. The identifier ends at the first NUL, with the spaces
    /// before it removed. A sequence number that was cut off is 0.
    ///
    /// `None` if the identifier is cut, blank, or holds a byte that is not printable ASCII: such a label was
    /// not read.
    pub fn parse(field: &'a [u8]) -> Option<Self> {
        let raw = field.first_chunk::<IDENTIFIER_LENGTH>()?;
        let identifier = label(raw)?;
        Some(Self { identifier, raw, sequence: u16_at(field, 34).unwrap_or(0) })
    }

    /// The label, trimmed; never empty, all printable ASCII.
    pub fn identifier(&self) -> &'a str {
        self.identifier
    }

    /// The volume sequence number; nearly always 0.
    pub fn sequence(&self) -> u16 {
        self.sequence
    }

    /// The identifier field as it came.
    pub fn raw(&self) -> &'a [u8; 32] {
        self.raw
    }
}

/// The label in an identifier. A large inventory has tens of thousands, most of which are spaces: eight bytes are looked at at once.
fn label(raw: &[u8; IDENTIFIER_LENGTH]) -> Option<&str> {
    let (mut first, mut end) = (IDENTIFIER_LENGTH, 0);
    for (index, bytes) in raw.as_chunks().0.iter().enumerate() {
        let word = u64::from_be_bytes(*bytes);
        let stop = unprintable(word);
        // All before the first byte that cannot be printed, which stands highest.
        let before = if stop == 0 { u64::MAX } else { !(u64::MAX >> (stop.leading_zeros() & !7)) };
        let ink = not_equal(word, b' ') & before;
        if ink != 0 {
            first = first.min(index * 8 + ink.leading_zeros() as usize / 8);
            end = index * 8 + 8 - ink.trailing_zeros() as usize / 8;
        }
        if stop != 0 {
            // Behind a NUL may be anything; any other byte says that the label was not read.
            if bytes.get(stop.leading_zeros() as usize / 8) != Some(&0) {
                return None;
            }
            break;
        }
    }
    let label = core::str::from_utf8(slice_at(raw, first, end.checked_sub(first)?)).ok()?;
    (!label.is_empty()).then_some(label)
}

/// The highest bit of each byte, and the others.
const HIGH: u64 = each(0x80);
const LOW: u64 = each(0x7F);

const fn each(byte: u8) -> u64 {
    u64::from_be_bytes([byte; 8])
}

/// The highest bit of each byte that is not printable ASCII. No sum of two bytes here reaches into the next.
fn unprintable(word: u64) -> u64 {
    let at_least_space = (word & LOW) + each(0x80 - b' ');
    let delete = (word & LOW) + each(1);
    (!at_least_space | delete | word) & HIGH
}

/// The highest bit of each byte that is another.
fn not_equal(word: u64, byte: u8) -> u64 {
    let differs = word ^ each(byte);
    (((differs & LOW) + LOW) | differs) & HIGH
}

impl core::fmt::Debug for VolumeTag<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "VolumeTag({:?}, {})", self.identifier, self.sequence)
    }
}

impl core::fmt::Display for VolumeTag<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(self.identifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(identifier: &[u8], padding: u8) -> [u8; TAG_LENGTH] {
        let mut field = [padding; TAG_LENGTH];
        field[..identifier.len()].copy_from_slice(identifier);
        field[32..].copy_from_slice(&[0, 0, 0x01, 0x02]);
        field
    }

    fn identifier(bytes: &[u8], padding: u8) -> Option<std::string::String> {
        VolumeTag::parse(&field(bytes, padding)).map(|tag| tag.identifier().into())
    }

    #[test]
    fn a_label_is_trimmed_of_spaces_or_nuls() {
        assert_eq!(identifier(b"VT0001L8", b' ').as_deref(), Some("VT0001L8"));
        assert_eq!(identifier(b"VT0001L8", 0).as_deref(), Some("VT0001L8"));
        assert_eq!(identifier(b"VT 01  \0\xAA\xBB garbage", b' ').as_deref(), Some("VT 01"));
        assert_eq!(identifier(&[b'X'; 32], 0).as_deref(), Some("XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"));
    }

    #[test]
    fn blank_and_unreadable_labels_are_none() {
        assert_eq!(identifier(b"", b' '), None);
        assert_eq!(identifier(b"", 0), None);
        assert_eq!(identifier(b"\0VT0001", b' '), None);
        assert_eq!(identifier(b"VT\x07001", b' '), None);
        assert_eq!(identifier(b"\xFFVT001", b' '), None);
        assert_eq!(identifier(b"VT0001\xC4", b' '), None);
    }

    #[test]
    fn a_tag_without_its_sequence_number_is_still_a_tag() {
        let field = field(b"VT0001L8", b' ');
        assert_eq!(VolumeTag::parse(&field).map(|tag| tag.sequence()), Some(0x0102));
        let cut = VolumeTag::parse(&field[..32]).expect("the identifier is whole");
        assert_eq!((cut.identifier(), cut.sequence(), &cut.raw()[..4]), ("VT0001L8", 0, &b"VT00"[..]));
        assert_eq!(VolumeTag::parse(&field[..31]), None);
    }

    /// What `parse` says of a label, byte by byte.
    fn plainly(raw: &[u8]) -> Option<&str> {
        let end = raw.iter().position(|byte| *byte == 0).unwrap_or(raw.len());
        crate::bytes::printable(&raw[..end])
    }

    #[test]
    fn every_byte_at_every_place_of_a_label_means_what_it_means_alone() {
        let labels: [&[u8]; 6] = [b"", b"VT0001L8", b" VT 0001L8", b"VT0001\0\xFF", &[b'X'; 32], b"\x7F"];
        for (label, padding) in labels.iter().flat_map(|label| [(label, b' '), (label, 0), (label, 0x80)]) {
            let field = field(label, padding);
            for place in 0..IDENTIFIER_LENGTH {
                for byte in 0..=u8::MAX {
                    for also in [field[31 - place], 0, b' ', 0x1F] {
                        let mut field = field;
                        field[31 - place] = also;
                        field[place] = byte;
                        let tag = VolumeTag::parse(&field).map(|tag| tag.identifier());
                        assert_eq!(tag, plainly(&field[..32]), "{:02X?}", &field[..32]);
                    }
                }
            }
        }
    }
}
