use super::{AttributeFormat, AttributeKind};
use crate::ShortData;
use crate::bytes::{Sink, bit_at, printable, slice_at, trim, u8_at, u16_at, u32_at};

/// Bytes of the header of a list.
const HEADER: usize = 4;
/// Bytes of an attribute before its value.
const ATTRIBUTE: usize = 5;

/// Attribute values, as READ ATTRIBUTE gives them and WRITE ATTRIBUTE takes them.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "MAM")]
pub struct Attributes<'a> {
    entries: &'a [u8],
    length: u32,
}

impl<'a> Attributes<'a> {
    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        let (entries, length) = announced(data)?;
        Ok(Self { entries, length })
    }

    /// The attributes in the order in which they came, ascending as a rule; a last one that is cut is left out.
    pub fn iter(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let mut rest = self.entries;
        core::iter::from_fn(move || {
            let end = ATTRIBUTE + usize::from(u16_at(rest, 3)?);
            let attribute = Attribute {
                id: u16_at(rest, 0)?,
                read_only: bit_at(rest, 2, 7),
                format: AttributeFormat::from_bits(u8_at(rest, 2)?),
                value: rest.get(ATTRIBUTE..end)?,
            };
            rest = rest.get(end..)?;
            Some(attribute)
        })
    }

    /// One attribute.
    pub fn get(&self, id: u16) -> Option<Attribute<'a>> {
        self.iter().find(|attribute| attribute.id == id)
    }

    /// Whether there are more than were transferred.
    pub fn is_truncated(&self) -> bool {
        u32::try_from(self.entries.len()).is_ok_and(|got| got < self.length)
    }

    /// Whether the attributes fill the list: what a target demands of a parameter list.
    pub fn is_well_formed(&self) -> bool {
        let total: usize = self.iter().map(|attribute| ATTRIBUTE + attribute.value.len()).sum();
        total == self.entries.len() && !self.is_truncated()
    }
}

fn announced(data: &[u8]) -> Result<(&[u8], u32), ShortData> {
    ShortData::check(data, HEADER)?;
    let length = u32_at(data, 0).unwrap_or(0);
    Ok((slice_at(data, HEADER, usize::try_from(length).unwrap_or(usize::MAX)), length))
}

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attribute<'a> {
    /// Which it is: see [`attribute_id`](super::attribute_id).
    pub id: u16,
    /// It cannot be written.
    pub read_only: bool,
    /// What its value is.
    pub format: AttributeFormat,
    /// The value as it came. Written without bytes, an attribute is deleted.
    pub value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// What is known of the attribute.
    pub fn kind(&self) -> Option<&'static AttributeKind> {
        AttributeKind::of(self.id)
    }

    /// The value as text, trimmed. `None` if it is binary, blank, or (ASCII) not printable.
    pub fn text(&self) -> Option<&'a str> {
        match self.format {
            AttributeFormat::Ascii => printable(self.value),
            AttributeFormat::Text => {
                core::str::from_utf8(trim(self.value)).ok().filter(|text| !text.is_empty())
            }
            AttributeFormat::Binary | AttributeFormat::Reserved => None,
        }
    }

    /// The value as a number; `None` if it is text, empty, or longer than eight bytes.
    pub fn number(&self) -> Option<u64> {
        if self.format != AttributeFormat::Binary || !(1..=8).contains(&self.value.len()) {
            return None;
        }
        Some(self.value.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}

/// Writes a list of attributes: as data of READ ATTRIBUTE, or as parameter list of WRITE ATTRIBUTE. Identifiers have
/// to ascend.
pub struct AttributeWriter<'b> {
    sink: Sink<'b>,
}

impl<'b> AttributeWriter<'b> {
    /// An empty list.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        let mut sink = Sink::new(buffer);
        sink.fill(0, HEADER);
        Self { sink }
    }

    /// Adds an attribute. A value beyond 65,535 bytes is cut.
    pub fn attribute(&mut self, attribute: &Attribute<'_>) -> &mut Self {
        let value = slice_at(attribute.value, 0, usize::from(u16::MAX));
        self.sink.put(&attribute.id.to_be_bytes());
        self.sink.put(&[u8::from(attribute.read_only) << 7 | attribute.format.bits()]);
        self.sink.put(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.sink.put(value);
        self
    }

    /// Adds text, padded with spaces to the length that the table gives its attribute; cut where it is longer.
    pub fn text(&mut self, id: u16, text: &str) -> &mut Self {
        let kind = AttributeKind::of(id);
        let format = kind.map_or(AttributeFormat::Ascii, |kind| kind.format);
        let length = kind.map_or(text.len(), |kind| usize::from(kind.length));
        self.sink.put(&id.to_be_bytes());
        self.sink.put(&[format.bits()]);
        self.sink.put(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        self.sink.put_padded(text.as_bytes(), length, b' ');
        self
    }

    /// Sets the length; returns how many bytes are in the buffer.
    pub fn finish(mut self) -> usize {
        let length = u32::try_from(self.sink.total() - HEADER).unwrap_or(u32::MAX);
        self.sink.patch(0, &length.to_be_bytes());
        self.sink.written()
    }
}

/// A list of attribute identifiers.
#[derive(Clone, Copy, Debug)]
pub struct AttributeIds<'a> {
    entries: &'a [u8],
}

impl<'a> AttributeIds<'a> {
    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        Ok(Self { entries: announced(data)?.0 })
    }

    /// The identifiers, ascending as a rule.
    pub fn ids(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.entries.chunks_exact(2).filter_map(|entry| u16_at(entry, 0))
    }

    /// Writes the data as a target does; returns how many bytes are in `buffer`.
    pub fn write(ids: impl IntoIterator<Item = u16>, buffer: &mut [u8]) -> usize {
        let mut sink = Sink::new(buffer);
        sink.fill(0, HEADER);
        for id in ids {
            sink.put(&id.to_be_bytes());
        }
        let length = u32::try_from(sink.total() - HEADER).unwrap_or(u32::MAX);
        sink.patch(0, &length.to_be_bytes());
        sink.written()
    }
}

/// How many partitions, or logical volumes, a cartridge has: the answers to PARTITION LIST and LOGICAL VOLUME LIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartitionList {
    /// The number of the first.
    pub first: u8,
    /// How many.
    pub count: u8,
}

impl PartitionList {
    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if there are fewer than four bytes.
    pub fn parse(data: &[u8]) -> Result<Self, ShortData> {
        ShortData::check(data, 4)?;
        Ok(Self { first: u8_at(data, 2).unwrap_or(0), count: u8_at(data, 3).unwrap_or(0) })
    }

    /// The data as a target sends it.
    pub fn to_bytes(&self) -> [u8; 4] {
        [0, 2, self.first, self.count]
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::attribute_id::{BARCODE, LOAD_COUNT, USER_LABEL};
    use super::*;

    const DATA: [u8; 26] = [
        0, 0, 0, 22, 0x00, 0x03, 0x80, 0, 4, 0, 0, 1, 2, 0x08, 0x06, 0x01, 0, 8, b'V', b'T', b'0', b'0',
        b'0', b'1', b'L', b'8',
    ];

    #[test]
    fn attributes_are_read_and_written() {
        let list = Attributes::parse(&DATA).expect("header");
        let found: Vec<_> = list.iter().collect();
        assert_eq!((found.len(), found[0].number(), found[0].read_only), (2, Some(258), true));
        assert_eq!((found[0].id, found[0].text(), found[1].number()), (LOAD_COUNT, None, None));
        assert_eq!(list.get(BARCODE).and_then(|it| it.text()), Some("VT0001L8"));
        assert_eq!(list.get(USER_LABEL), None);
        assert!(list.is_well_formed() && !list.is_truncated());
        let mut buffer = [0xEE; 26];
        let mut writer = AttributeWriter::new(&mut buffer);
        writer.attribute(&found[0]).attribute(&found[1]);
        assert_eq!(writer.finish(), 26);
        assert_eq!(buffer, DATA);
    }

    #[test]
    fn an_attribute_that_is_cut_is_left_out() {
        for end in 4..26 {
            let list = Attributes::parse(&DATA[..end]).expect("header");
            assert_eq!(list.iter().count(), usize::from(end >= 13), "{end} bytes");
            assert!(list.is_truncated() && !list.is_well_formed());
        }
        assert_eq!(Attributes::parse(&DATA[..3]).err(), Some(ShortData { needed: 4, got: 3 }));
    }

    #[test]
    fn text_is_padded_to_the_length_of_its_attribute() {
        let mut buffer = [0xEE; 64];
        let mut writer = AttributeWriter::new(&mut buffer);
        writer.text(BARCODE, "VT0001L8");
        assert_eq!(writer.finish(), 4 + 5 + 32);
        assert_eq!(buffer[..10], [0, 0, 0, 37, 0x08, 0x06, 0x01, 0, 32, b'V']);
        assert_eq!(buffer[17..41], [b' '; 24]);
        let list = Attributes::parse(&buffer).expect("header");
        assert_eq!(list.get(BARCODE).and_then(|it| it.text()), Some("VT0001L8"));
    }

    #[test]
    fn text_may_hold_more_than_ascii_only_where_its_format_says_so() {
        let text = |format, value| Attribute { id: 0, read_only: false, format, value }.text();
        assert_eq!(text(AttributeFormat::Text, "Bänder  ".as_bytes()), Some("Bänder"));
        assert_eq!(text(AttributeFormat::Ascii, "Bänder".as_bytes()), None);
        assert_eq!(text(AttributeFormat::Text, b"\xFF"), None);
        assert_eq!(text(AttributeFormat::Text, b"   "), None);
        assert_eq!(text(AttributeFormat::Binary, b"VT"), None);
    }

    #[test]
    fn identifiers_and_partitions_are_listed() {
        let mut buffer = [0xEE; 10];
        assert_eq!(AttributeIds::write([0x0003, 0x0806], &mut buffer), 8);
        assert_eq!(buffer[..8], [0, 0, 0, 4, 0, 3, 8, 6]);
        let ids = AttributeIds::parse(&buffer).expect("header");
        assert_eq!(ids.ids().collect::<Vec<_>>(), [3, 0x0806]);
        let partitions = PartitionList { first: 0, count: 2 };
        assert_eq!(partitions.to_bytes(), [0, 2, 0, 2]);
        assert_eq!(PartitionList::parse(&partitions.to_bytes()), Ok(partitions));
    }
}
