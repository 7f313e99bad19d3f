use super::{LogPage, LogPageWriter};
use crate::bytes::u32_at;
use crate::{ElementAddress, ShortData};

/// DU, and format "binary list".
const CONTROL: u8 = 0x03;

/// What a changer has counted at one element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ElementCounts {
    /// Cartridges placed there.
    pub places: u32,
    /// Places that needed another try.
    pub place_retries: u32,
    /// Cartridges picked from there.
    pub picks: u32,
    /// Picks that needed another try.
    pub pick_retries: u32,
    /// Labels that were read there.
    pub tags_read: u32,
    /// Labels that could not be read there.
    pub tags_invalid: u32,
}

/// Log page 15h of a changer: what it has counted at each element, the element's address being the parameter code (SMC-3 clause
/// 7.2). A large library has more of it than one page holds: ask again from the address behind the last one (parameter pointer).
#[derive(Clone, Copy, Debug)]
#[doc(alias = "Element statistics")]
pub struct ElementStatistics<'a> {
    page: LogPage<'a>,
}

impl<'a> ElementStatistics<'a> {
    /// Page code.
    pub const PAGE: u8 = 0x15;
    /// Bytes of an element's parameter.
    pub const PARAMETER: usize = 4 + 6 * 4;
    /// The most elements that one page holds: its length has 16 bits.
    pub const MAX_ELEMENTS: usize = 0xFFFF / Self::PARAMETER;

    /// Reads the page.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        Ok(Self { page: LogPage::of(Self::PAGE, data)? })
    }

    /// Whether the device has more than was transferred.
    pub fn is_truncated(&self) -> bool {
        self.page.is_truncated()
    }

    /// The elements with their counters; one whose counters are not whole is left out.
    pub fn elements(&self) -> impl Iterator<Item = (ElementAddress, ElementCounts)> + use<'a> {
        self.page.parameters().filter_map(|parameter| {
            let counter = |at: usize| u32_at(parameter.value, at * 4);
            let counts = ElementCounts {
                places: counter(0)?,
                place_retries: counter(1)?,
                picks: counter(2)?,
                pick_retries: counter(3)?,
                tags_read: counter(4)?,
                tags_invalid: counter(5)?,
            };
            Some((ElementAddress(parameter.code), counts))
        })
    }

    /// Writes the page with its header, at most [`MAX_ELEMENTS`](Self::MAX_ELEMENTS); returns how many bytes are in `buffer`.
    pub fn write(
        elements: impl IntoIterator<Item = (ElementAddress, ElementCounts)>,
        buffer: &mut [u8],
    ) -> usize {
        let mut writer = LogPageWriter::new(Self::PAGE, buffer);
        for (address, counts) in elements.into_iter().take(Self::MAX_ELEMENTS) {
            let counters = [
                counts.places,
                counts.place_retries,
                counts.picks,
                counts.pick_retries,
                counts.tags_read,
                counts.tags_invalid,
            ];
            let mut value = [0; Self::PARAMETER - 4];
            for (bytes, counter) in value.chunks_exact_mut(4).zip(counters) {
                bytes.copy_from_slice(&counter.to_be_bytes());
            }
            writer.parameter(address.0, CONTROL, &value);
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn each_element_is_read_as_it_was_written() {
        let counts = ElementCounts { places: 1, picks: 0x0203, tags_invalid: 4, ..ElementCounts::default() };
        let elements = [(ElementAddress(500), counts), (ElementAddress(1000), ElementCounts::default())];
        let mut buffer = [0xEE; 100];
        let length = ElementStatistics::write(elements, &mut buffer);
        assert_eq!(length, 4 + 2 * 28);
        assert_eq!(buffer[..12], [0x15, 0, 0, 56, 0x01, 0xF4, 0x03, 24, 0, 0, 0, 1]);
        let page = ElementStatistics::parse(&buffer[..length]).expect("header");
        assert_eq!((page.elements().collect::<Vec<_>>(), page.is_truncated()), (elements.into(), false));
        let cut = ElementStatistics::parse(&buffer[..59]).expect("header");
        assert_eq!((cut.elements().count(), cut.is_truncated()), (1, true));
    }

    #[test]
    fn no_more_is_written_than_a_page_can_announce() {
        let all = (0..u16::MAX).map(|address| (ElementAddress(address), ElementCounts::default()));
        let mut buffer = vec![0; 1 << 17];
        let length = ElementStatistics::write(all, &mut buffer);
        assert_eq!(length, 4 + ElementStatistics::MAX_ELEMENTS * 28);
        assert_eq!(usize::from(u16::from_be_bytes([buffer[2], buffer[3]])), length - 4);
    }
}
