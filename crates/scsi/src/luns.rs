//! REPORT LUNS: the logical units behind a target (SPC, SAM).

use crate::bytes::{Sink, slice_at, u32_at};
use crate::{ShortData, bytes::u64_at};

/// Bytes before the first entry.
const HEADER: usize = 8;

/// The data of REPORT LUNS.
#[derive(Clone, Copy, Debug)]
pub struct LunList<'a> {
    entries: &'a [u8],
    length: u32,
}

impl<'a> LunList<'a> {
    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if the header of eight bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, HEADER)?;
        let length = u32_at(data, 0).unwrap_or(0);
        Ok(Self { entries: slice_at(data, HEADER, usize::try_from(length).unwrap_or(usize::MAX)), length })
    }

    /// The logical units, eight bytes each as a big-endian number; a last one that is cut is left out.
    pub fn luns(&self) -> impl Iterator<Item = u64> + use<'a> {
        self.entries.chunks_exact(8).filter_map(|entry| u64_at(entry, 0))
    }

    /// How many bytes of entries the device has, whether or not they were transferred.
    pub fn byte_count(&self) -> u32 {
        self.length
    }

    /// Whether there are more than were transferred.
    pub fn is_truncated(&self) -> bool {
        u32::try_from(self.entries.len()).is_ok_and(|got| got < self.length)
    }

    /// Writes the data as a target does; returns how many bytes are in `buffer`. The length in it is that of
    /// the whole list.
    pub fn write(luns: impl IntoIterator<Item = u64>, buffer: &mut [u8]) -> usize {
        let mut sink = Sink::new(buffer);
        sink.fill(0, HEADER);
        for lun in luns {
            sink.put(&lun.to_be_bytes());
        }
        let length = u32::try_from(sink.total() - HEADER).unwrap_or(u32::MAX);
        sink.patch(0, &length.to_be_bytes());
        sink.written()
    }
}

/// The number of a single-level logical unit, in peripheral or flat addressing. `None` for other forms.
pub fn lun_number(lun: u64) -> Option<u16> {
    let [first, second, rest @ ..] = lun.to_be_bytes();
    if rest != [0; 6] {
        return None;
    }
    match first >> 6 {
        0 if first == 0 => Some(u16::from(second)),
        1 => Some(u16::from(first & 0x3F) << 8 | u16::from(second)),
        _ => None,
    }
}

/// The eight bytes of a logical unit as a big-endian number: peripheral addressing up to 255, flat addressing
/// up to 16383. `None` beyond.
pub fn lun_from_number(number: u16) -> Option<u64> {
    match number {
        0..=0xFF => Some(u64::from(number) << 48),
        0x100..=0x3FFF => Some(u64::from(number | 0x4000) << 48),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_list_is_read_as_far_as_it_goes() {
        let data = [0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0x41];
        let list = LunList::parse(&data).expect("header");
        assert_eq!(list.luns().map(lun_number).collect::<Vec<_>>(), [Some(0), Some(3)]);
        assert_eq!((list.byte_count(), list.is_truncated()), (24, true));
        assert_eq!(LunList::parse(&data[..7]).err(), Some(ShortData { needed: 8, got: 7 }));
    }

    #[test]
    fn logical_units_are_numbered_in_peripheral_and_flat_addressing() {
        assert_eq!(lun_number(0x00FF_0000_0000_0000), Some(255));
        assert_eq!(lun_number(0x4123_0000_0000_0000), Some(0x0123));
        assert_eq!(lun_number(0xC101_0000_0000_0000), None);
        assert_eq!(lun_number(0x0100_0000_0000_0000), None);
        assert_eq!(lun_number(0x0001_0001_0000_0000), None);
        assert_eq!(lun_from_number(0x4000), None);
        for number in 0..0x4000 {
            assert_eq!(lun_from_number(number).and_then(lun_number), Some(number));
        }
    }

    #[test]
    fn a_list_longer_than_the_buffer_says_how_long_it_is() {
        let mut buffer = [0xEE; 20];
        assert_eq!(LunList::write([0, 1 << 48, 2 << 48], &mut buffer), 20);
        assert_eq!(buffer[..8], [0, 0, 0, 24, 0, 0, 0, 0]);
        assert_eq!(buffer[16..], [0, 1, 0, 0]);
    }
}
