use super::{LogPage, LogPageWriter};
use crate::ShortData;

/// Log page 00h: which pages there are.
#[derive(Clone, Copy, Debug)]
pub struct SupportedLogPages<'a> {
    bytes: &'a [u8],
    subpages: bool,
}

impl<'a> SupportedLogPages<'a> {
    /// Page code.
    pub const PAGE: u8 = 0x00;
    /// The subpage that lists subpages, too.
    pub const ALL_SUBPAGES: u8 = 0xFF;

    /// Reads the page, or its subpage FFh.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        let page = LogPage::parse(data)?;
        let bytes = if page.code() == Self::PAGE { page.bytes() } else { &[] };
        Ok(Self { bytes, subpages: page.subpage() == Self::ALL_SUBPAGES })
    }

    /// Page and subpage codes, ascending as a rule.
    pub fn pages(&self) -> impl Iterator<Item = (u8, u8)> + use<'a> {
        let subpages = self.subpages;
        let step = if subpages { 2 } else { 1 };
        self.bytes.chunks_exact(step).filter_map(move |entry| match *entry {
            [page] => Some((page & 0x3F, 0)),
            [page, subpage] => Some((page & 0x3F, subpage)),
            _ => None,
        })
    }

    /// Whether there is a page without subpage.
    pub fn contains(&self, page: u8) -> bool {
        self.pages().any(|entry| entry == (page, 0))
    }

    /// Writes the page with its header; returns how many bytes are in `buffer`.
    pub fn write(pages: &[u8], buffer: &mut [u8]) -> usize {
        let mut writer = LogPageWriter::new(Self::PAGE, buffer);
        for page in pages {
            writer.bytes(&[page & 0x3F]);
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn pages_are_listed_with_and_without_subpages() {
        // From mhvtl.
        let data = [0x00, 0, 0, 3, 0x00, 0x0D, 0x2E];
        let list = SupportedLogPages::parse(&data).expect("header");
        assert_eq!(list.pages().collect::<Vec<_>>(), [(0, 0), (0x0D, 0), (0x2E, 0)]);
        assert!(list.contains(0x2E) && !list.contains(0x14));
        let mut buffer = [0xEE; 7];
        assert_eq!(SupportedLogPages::write(&[0x00, 0x0D, 0x2E], &mut buffer), 7);
        assert_eq!(buffer, data);
        let data = [0x40, 0xFF, 0, 5, 0x00, 0x00, 0x0D, 0x01, 0x2E];
        let list = SupportedLogPages::parse(&data).expect("header");
        assert_eq!(list.pages().collect::<Vec<_>>(), [(0, 0), (0x0D, 1)]);
    }

    #[test]
    fn another_page_lists_nothing() {
        assert_eq!(SupportedLogPages::parse(&[0x0D, 0, 0, 2, 1, 2]).expect("header").pages().count(), 0);
    }
}
