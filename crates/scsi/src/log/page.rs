use crate::ShortData;
use crate::bytes::{Sink, bit_at, slice_at, u8_at, u16_at};

/// Bytes of the header of a page, and of a parameter.
const HEADER: usize = 4;
/// DU, and format "binary list": how devices mark parameters that are flags or text and count nothing.
const LIST: u8 = 0x03;

/// A log page: a header and parameters.
///
/// Some devices pad it with zeros up to the allocation length; only what the header announces is read.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "LOG SENSE")]
pub struct LogPage<'a> {
    code: u8,
    subpage: u8,
    parameters: &'a [u8],
    length: u16,
}

impl<'a> LogPage<'a> {
    /// Reads the data of LOG SENSE.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, HEADER)?;
        let length = u16_at(data, 2).unwrap_or(0);
        // Without SPF, the second byte was reserved.
        let subpage = if bit_at(data, 0, 6) { u8_at(data, 1).unwrap_or(0) } else { 0 };
        Ok(Self {
            code: u8_at(data, 0).unwrap_or(0) & 0x3F,
            subpage,
            parameters: slice_at(data, HEADER, usize::from(length)),
            length,
        })
    }

    /// Reads the data if it is the page with this code; a device that answers with another page is not believed.
    pub(super) fn of(code: u8, data: &'a [u8]) -> Result<Self, ShortData> {
        let page = Self::parse(data)?;
        if page.code == code && page.subpage == 0 {
            Ok(page)
        } else {
            Ok(Self { parameters: &[], length: 0, ..page })
        }
    }

    /// Page code, 0 to 3Fh.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Subpage code; 0 for a page without.
    pub fn subpage(&self) -> u8 {
        self.subpage
    }

    /// Whether the device has more than was transferred.
    pub fn is_truncated(&self) -> bool {
        self.parameters.len() < usize::from(self.length)
    }

    /// The bytes after the header, for pages that have no parameters.
    pub fn bytes(&self) -> &'a [u8] {
        self.parameters
    }

    /// The parameters in the order in which they came; a last one that is cut is left out.
    pub fn parameters(&self) -> impl Iterator<Item = LogParameter<'a>> + use<'a> {
        let mut rest = self.parameters;
        core::iter::from_fn(move || {
            let length = usize::from(u8_at(rest, 3)?);
            let value = rest.get(HEADER..HEADER + length)?;
            let parameter = LogParameter { code: u16_at(rest, 0)?, control: u8_at(rest, 2)?, value };
            rest = rest.get(HEADER + length..)?;
            Some(parameter)
        })
    }

    /// A parameter's value.
    pub fn value(&self, code: u16) -> Option<&'a [u8]> {
        self.parameters().find(|parameter| parameter.code == code).map(|parameter| parameter.value)
    }
}

/// One parameter of a log page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogParameter<'a> {
    /// Which it is.
    pub code: u16,
    /// The control byte; nearly never of use.
    pub control: u8,
    /// The value as it came.
    pub value: &'a [u8],
}

impl LogParameter<'_> {
    /// The value as a big-endian number, however many bytes it has; `None` if it has none, or is larger than 64
    /// bits.
    pub fn number(&self) -> Option<u64> {
        if self.value.is_empty() {
            return None;
        }
        self.value.iter().try_fold(0u64, |sum, byte| Some(sum.checked_mul(256)? + u64::from(*byte)))
    }
}

/// Writes a log page as a target does. Its length is that of the whole even where the buffer is shorter.
pub struct LogPageWriter<'b> {
    sink: Sink<'b>,
}

impl<'b> LogPageWriter<'b> {
    /// A page without subpage.
    pub fn new(code: u8, buffer: &'b mut [u8]) -> Self {
        let mut sink = Sink::new(buffer);
        sink.put(&[code & 0x3F, 0, 0, 0]);
        Self { sink }
    }

    /// Adds a parameter with its control byte. A value beyond 255 bytes is cut.
    pub fn parameter(&mut self, code: u16, control: u8, value: &[u8]) -> &mut Self {
        let value = slice_at(value, 0, usize::from(u8::MAX));
        let [high, low] = code.to_be_bytes();
        self.sink.put(&[high, low, control, value.len() as u8]);
        self.sink.put(value);
        self
    }

    /// Adds a parameter that is a list of flags, not a counter.
    pub fn list(&mut self, code: u16, value: &[u8]) -> &mut Self {
        self.parameter(code, LIST, value)
    }

    /// Adds bytes that are no parameter.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.sink.put(bytes);
        self
    }

    /// Sets the length; returns how many bytes are in the buffer.
    pub fn finish(mut self) -> usize {
        let length = u16::try_from(self.sink.total() - HEADER).unwrap_or(u16::MAX);
        self.sink.patch(2, &length.to_be_bytes());
        self.sink.written()
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    const PAGE: [u8; 16] = [0x0D, 0, 0, 12, 0x00, 0x00, 0x60, 2, 0, 25, 0x80, 0x01, 0x03, 2, 0xAB, 0xCD];

    #[test]
    fn parameters_are_read_and_written() {
        let page = LogPage::parse(&PAGE).expect("header");
        let found: Vec<_> = page.parameters().collect();
        assert_eq!(
            found,
            [
                LogParameter { code: 0, control: 0x60, value: &[0, 25] },
                LogParameter { code: 0x8001, control: 3, value: &[0xAB, 0xCD] },
            ]
        );
        assert_eq!((found[0].number(), found[1].number()), (Some(25), Some(0xABCD)));
        assert_eq!((page.code(), page.subpage(), page.is_truncated()), (0x0D, 0, false));
        assert_eq!(page.value(0x8001), Some(&[0xAB, 0xCD][..]));
        let mut buffer = [0xEE; 20];
        let mut writer = LogPageWriter::new(0x0D, &mut buffer);
        writer.parameter(0, 0x60, &[0, 25]).list(0x8001, &[0xAB, 0xCD]);
        assert_eq!(writer.finish(), 16);
        assert_eq!(buffer[..16], PAGE);
    }

    #[test]
    fn padding_is_not_read_and_a_cut_parameter_is_left_out() {
        let mut padded = [0; 64];
        padded[..16].copy_from_slice(&PAGE);
        assert_eq!(LogPage::parse(&padded).expect("header").parameters().count(), 2);
        for end in 4..16 {
            let page = LogPage::parse(&PAGE[..end]).expect("header");
            assert_eq!(page.parameters().count(), usize::from(end >= 10), "{end} bytes");
            assert!(page.is_truncated());
        }
        assert_eq!(LogPage::parse(&PAGE[..3]).err(), Some(ShortData { needed: 4, got: 3 }));
    }

    #[test]
    fn a_subpage_counts_only_where_the_page_says_so() {
        let subpage = |first| LogPage::parse(&[first, 0xFF, 0, 0]).expect("header").subpage();
        assert_eq!((subpage(0x40), subpage(0x00)), (0xFF, 0));
    }

    #[test]
    fn a_number_beyond_64_bits_is_none() {
        let number = |value: &[u8]| LogParameter { code: 0, control: 0, value }.number();
        assert_eq!(number(&[]), None);
        assert_eq!(number(&[0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), Some(u64::MAX));
        assert_eq!(number(&[1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
