//! Which addresses there are, of which type, and how far apart they lie.

use autochanger_scsi::{ElementAddress, ElementType};

use crate::timing::RAIL_LENGTH;

/// A run of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: u16,
    pub(crate) count: u16,
}

impl Range {
    fn index(self, address: ElementAddress) -> Option<u16> {
        address.0.checked_sub(self.first).filter(|index| *index < self.count)
    }

    /// One past the last address.
    fn end(self) -> u32 {
        u32::from(self.first) + u32::from(self.count)
    }

    fn overlaps(self, other: Self) -> bool {
        self.count > 0
            && other.count > 0
            && u32::from(self.first) < other.end()
            && u32::from(other.first) < self.end()
    }
}

/// The four element ranges. Checked: none overlaps another or passes the last address.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    ranges: [(ElementType, Range); 4],
}

impl Layout {
    /// The ranges; else the type of the first one that does not fit.
    pub(crate) fn new(arms: Range, slots: Range, ports: Range, drives: Range) -> Result<Self, ElementType> {
        let ranges = [
            (ElementType::Transport, arms),
            (ElementType::Storage, slots),
            (ElementType::ImportExport, ports),
            (ElementType::Drive, drives),
        ];
        for (position, (element_type, range)) in ranges.iter().enumerate() {
            let earlier = ranges.iter().take(position);
            if range.end() > ADDRESSES || earlier.into_iter().any(|(_, other)| other.overlaps(*range)) {
                return Err(*element_type);
            }
        }
        Ok(Self { ranges })
    }

    pub(crate) fn range(&self, element_type: ElementType) -> Range {
        self.ranges
            .iter()
            .find(|(candidate, _)| *candidate == element_type)
            .map_or(Range { first: 0, count: 0 }, |(_, range)| *range)
    }

    /// The type of an address, and its index within the type.
    pub(crate) fn locate(&self, address: ElementAddress) -> Option<(ElementType, u16)> {
        self.ranges.iter().find_map(|(element_type, range)| Some((*element_type, range.index(address)?)))
    }

    /// The addresses of a type, ascending.
    pub(crate) fn addresses(
        &self,
        element_type: ElementType,
    ) -> impl Iterator<Item = ElementAddress> + use<> {
        let Range { first, count } = self.range(element_type);
        (0..count).map(move |index| ElementAddress(first.saturating_add(index)))
    }

    /// Where along the rail an element lies, in thousandths of the rail: slots and drives are spread over the whole
    /// length, ports lie at its beginning.
    pub(crate) fn position(&self, address: ElementAddress) -> u32 {
        let Some((element_type, index)) = self.locate(address) else { return 0 };
        let index = u32::from(index);
        let count = u32::from(self.range(element_type).count);
        match element_type {
            ElementType::Storage if count > 1 => index * RAIL_LENGTH / (count - 1),
            ElementType::Drive => (2 * index + 1) * RAIL_LENGTH / (2 * count).max(1),
            _ => 0,
        }
    }
}

/// How many element addresses there are: 16 bits (SMC-3 6.10).
const ADDRESSES: u32 = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u16, count: u16) -> Range {
        Range { first, count }
    }

    #[test]
    fn an_address_belongs_to_exactly_its_range() {
        let layout =
            Layout::new(range(0, 1), range(65_000, 536), range(10, 0), range(500, 2)).expect("layout");
        assert_eq!(layout.locate(ElementAddress(0)), Some((ElementType::Transport, 0)));
        assert_eq!(layout.locate(ElementAddress(65_535)), Some((ElementType::Storage, 535)));
        assert_eq!(layout.locate(ElementAddress(501)), Some((ElementType::Drive, 1)));
        assert_eq!(layout.locate(ElementAddress(502)), None);
        assert_eq!(layout.locate(ElementAddress(10)), None);
    }

    #[test]
    fn ranges_that_overlap_or_pass_the_end_are_refused() {
        let none = range(0, 0);
        assert_eq!(
            Layout::new(range(1, 1), range(65_000, 537), none, none).err(),
            Some(ElementType::Storage)
        );
        assert_eq!(Layout::new(range(1, 2), none, none, range(2, 1)).err(), Some(ElementType::Drive));
    }

    #[test]
    fn slots_are_spread_over_the_rail() {
        let layout = Layout::new(range(1, 1), range(1000, 11), range(10, 2), range(500, 2)).expect("layout");
        assert_eq!(layout.position(ElementAddress(1000)), 0);
        assert_eq!(layout.position(ElementAddress(1005)), 500);
        assert_eq!(layout.position(ElementAddress(1010)), 1000);
        assert_eq!(layout.position(ElementAddress(500)), 250);
        assert_eq!(layout.position(ElementAddress(501)), 750);
    }
}
