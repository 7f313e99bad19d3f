use crate::ShortData;
use crate::bytes::{Sink, bit_at, slice_at, u8_at, u16_at};

/// Bytes of the MODE SENSE(6) header.
const HEADER6: usize = 4;
/// Bytes of the MODE SENSE(10) header.
const HEADER10: usize = 8;

/// The data of MODE SENSE: header, block descriptors, pages.
#[derive(Clone, Copy, Debug)]
pub struct ModeParameters<'a> {
    medium_type: u8,
    device_specific: u8,
    pages: &'a [u8],
    truncated: bool,
}

impl<'a> ModeParameters<'a> {
    /// Reads the data of MODE SENSE(6).
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse6(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, HEADER6)?;
        let byte = |at| u8_at(data, at).unwrap_or(0);
        Ok(Self::new(data, 1 + usize::from(byte(0)), HEADER6 + usize::from(byte(3)), byte(1), byte(2)))
    }

    /// Reads the data of MODE SENSE(10).
    ///
    /// # Errors
    /// [`ShortData`] if the header of eight bytes is not whole.
    pub fn parse10(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, HEADER10)?;
        let byte = |at| u8_at(data, at).unwrap_or(0);
        let number = |at| usize::from(u16_at(data, at).unwrap_or(0));
        Ok(Self::new(data, 2 + number(0), HEADER10 + number(6), byte(2), byte(3)))
    }

    fn new(data: &'a [u8], total: usize, pages_at: usize, medium_type: u8, device_specific: u8) -> Self {
        let pages = slice_at(slice_at(data, 0, total), pages_at, usize::MAX);
        Self { medium_type, device_specific, pages, truncated: total > data.len() }
    }

    /// Medium type byte of the header.
    pub fn medium_type(&self) -> u8 {
        self.medium_type
    }

    /// Device specific byte of the header.
    pub fn device_specific(&self) -> u8 {
        self.device_specific
    }

    /// Whether the device has more than was transferred.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The pages in the order in which they came; a last one may be cut.
    pub fn pages(&self) -> impl Iterator<Item = ModePage<'a>> + use<'a> {
        let mut rest = self.pages;
        core::iter::from_fn(move || {
            let page = ModePage::first(rest)?;
            rest = rest.get(page.length..).unwrap_or_default();
            Some(page)
        })
    }

    /// The bytes of a page, its header included; subpage 0 is the page without subpages.
    pub fn page(&self, code: u8, subpage: u8) -> Option<&'a [u8]> {
        self.pages().find(|page| page.code == code && page.subpage == subpage).map(|page| page.bytes)
    }
}

/// One mode page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModePage<'a> {
    /// Page code, 0 to 3Fh.
    pub code: u8,
    /// Subpage code; 0 for a page in the short format.
    pub subpage: u8,
    /// The page with its header of two or four bytes.
    pub bytes: &'a [u8],
    length: usize,
}

impl<'a> ModePage<'a> {
    fn first(data: &'a [u8]) -> Option<Self> {
        let code = u8_at(data, 0)? & 0x3F;
        let long = bit_at(data, 0, 6);
        let (subpage, length) = if long {
            (u8_at(data, 1)?, 4 + usize::from(u16_at(data, 2)?))
        } else {
            (0, 2 + usize::from(u8_at(data, 1)?))
        };
        Some(Self { code, subpage, bytes: slice_at(data, 0, length), length })
    }

    /// Whether all of the page was transferred.
    pub fn is_complete(&self) -> bool {
        self.bytes.len() == self.length
    }
}

/// Writes the data of MODE SENSE as a target does. Lengths are those of the whole even where the buffer is
/// shorter.
pub struct ModeParametersWriter<'b> {
    sink: Sink<'b>,
    ten: bool,
}

impl<'b> ModeParametersWriter<'b> {
    /// For MODE SENSE(6), without block descriptors.
    pub fn six(buffer: &'b mut [u8]) -> Self {
        Self::new(buffer, false)
    }

    /// For MODE SENSE(10), without block descriptors.
    pub fn ten(buffer: &'b mut [u8]) -> Self {
        Self::new(buffer, true)
    }

    fn new(buffer: &'b mut [u8], ten: bool) -> Self {
        let mut sink = Sink::new(buffer);
        sink.fill(0, if ten { HEADER10 } else { HEADER6 });
        Self { sink, ten }
    }

    /// Sets the medium type and device specific bytes of the header.
    pub fn header(&mut self, medium_type: u8, device_specific: u8) -> &mut Self {
        let at = if self.ten { 2 } else { 1 };
        self.sink.patch(at, &[medium_type, device_specific]);
        self
    }

    /// Adds a page with its header.
    pub fn page(&mut self, bytes: &[u8]) -> &mut Self {
        self.sink.put(bytes);
        self
    }

    /// Sets the lengths; returns how many bytes are in the buffer.
    pub fn finish(mut self) -> usize {
        let total = self.sink.total();
        if self.ten {
            let length = u16::try_from(total - 2).unwrap_or(u16::MAX);
            self.sink.patch(0, &length.to_be_bytes());
        } else {
            self.sink.patch(0, &[u8::try_from(total - 1).unwrap_or(u8::MAX)]);
        }
        self.sink.written()
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// Page 02h, page 1Fh subpage 41h, page 1Eh.
    const PAGES: [&[u8]; 3] = [&[0x82, 2, 0xAA, 0xBB], &[0x5F, 0x41, 0, 3, 1, 2, 3], &[0x1E, 2, 0, 0]];

    fn write(mut writer: ModeParametersWriter<'_>) -> usize {
        writer.header(0x11, 0x22);
        for page in PAGES {
            writer.page(page);
        }
        writer.finish()
    }

    #[test]
    fn both_forms_are_read_as_they_were_written() {
        let (mut six, mut ten) = ([0; 32], [0; 32]);
        let (six_length, ten_length) =
            (write(ModeParametersWriter::six(&mut six)), write(ModeParametersWriter::ten(&mut ten)));
        assert_eq!(six[..4], [18, 0x11, 0x22, 0]);
        assert_eq!(ten[..8], [0, 21, 0x11, 0x22, 0, 0, 0, 0]);
        for parameters in
            [ModeParameters::parse6(&six[..six_length]), ModeParameters::parse10(&ten[..ten_length])]
        {
            let parameters = parameters.expect("header");
            assert_eq!((parameters.medium_type(), parameters.device_specific()), (0x11, 0x22));
            let pages: Vec<_> =
                parameters.pages().map(|page| (page.code, page.subpage, page.bytes)).collect();
            assert_eq!(pages, [(0x02, 0, PAGES[0]), (0x1F, 0x41, PAGES[1]), (0x1E, 0, PAGES[2])]);
            assert_eq!(parameters.page(0x1F, 0x41), Some(PAGES[1]));
            assert_eq!(parameters.page(0x1F, 0), None);
            assert!(!parameters.is_truncated());
        }
    }

    #[test]
    fn block_descriptors_are_skipped() {
        let data = [15, 0, 0, 8, 9, 9, 9, 9, 9, 9, 9, 9, 0x1E, 2, 1, 0];
        let parameters = ModeParameters::parse6(&data).expect("header");
        assert_eq!(parameters.page(0x1E, 0), Some(&[0x1E, 2, 1, 0][..]));
        let data = [0, 18, 0, 0, 0, 0, 0, 8, 9, 9, 9, 9, 9, 9, 9, 9, 0x1E, 2, 1, 0];
        let parameters = ModeParameters::parse10(&data).expect("header");
        assert_eq!(parameters.page(0x1E, 0), Some(&[0x1E, 2, 1, 0][..]));
    }

    #[test]
    fn what_lies_behind_the_announced_length_is_no_page() {
        let data = [7, 0, 0, 0, 0x1E, 2, 0, 0, 0x1D, 2, 0, 0];
        let parameters = ModeParameters::parse6(&data).expect("header");
        assert_eq!(parameters.pages().count(), 1);
    }

    #[test]
    fn a_cut_page_is_known_as_such() {
        let data = [23, 0, 0, 0, 0x1D, 0x12, 0, 1, 0, 1, 0x03, 0xE8];
        let parameters = ModeParameters::parse6(&data).expect("header");
        let page = parameters.pages().next().expect("begun");
        assert!(parameters.is_truncated() && !page.is_complete());
        assert_eq!(page.bytes.len(), 8);
        assert_eq!(ModeParameters::parse6(&data[..3]).err(), Some(ShortData { needed: 4, got: 3 }));
        assert_eq!(ModeParameters::parse10(&data[..7]).err(), Some(ShortData { needed: 8, got: 7 }));
    }
}
