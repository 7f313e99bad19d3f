use crate::bytes::{Sink, u16_at};
use crate::{ElementAddress, ElementType, ShortData};

/// Elements of one type: a first address and a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ElementRange {
    /// The lowest address; meaningless if there are none.
    pub first: ElementAddress,
    /// How many.
    pub count: u16,
}

impl ElementRange {
    /// First address and number.
    pub const fn new(first: u16, count: u16) -> Self {
        Self { first: ElementAddress(first), count }
    }

    /// Whether the address is one of them.
    pub fn contains(&self, address: ElementAddress) -> bool {
        address.0.checked_sub(self.first.0).is_some_and(|offset| offset < self.count)
    }

    /// The addresses in ascending order; a range that would leave 16 bits ends at FFFFh.
    pub fn addresses(&self) -> impl DoubleEndedIterator<Item = ElementAddress> + use<> {
        let first = u32::from(self.first.0);
        (first..first + u32::from(self.count))
            .filter_map(|address| u16::try_from(address).ok().map(ElementAddress))
    }
}

/// Mode page 1Dh, element address assignment: which addresses there are.
///
/// What READ ELEMENT STATUS reports may have holes in these ranges and lie beyond them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ElementAddressAssignment {
    /// Robots.
    pub transport: ElementRange,
    /// Slots.
    pub storage: ElementRange,
    /// Ports, also called mail slots.
    pub import_export: ElementRange,
    /// Drives.
    pub drive: ElementRange,
}

impl ElementAddressAssignment {
    /// Page code.
    pub const PAGE: u8 = 0x1D;
    /// Bytes of the page, header included.
    pub const LENGTH: usize = 20;
    /// Bytes that are read; the last two are reserved.
    const READ: usize = 18;

    /// Reads the page; `page` starts at its header.
    ///
    /// # Errors
    /// [`ShortData`] if there are fewer than 18 bytes.
    pub fn parse(page: &[u8]) -> Result<Self, ShortData> {
        ShortData::check(page, Self::READ)?;
        let number = |at| u16_at(page, at).unwrap_or(0);
        let range = |at| ElementRange::new(number(at), number(at + 2));
        Ok(Self { transport: range(2), storage: range(6), import_export: range(10), drive: range(14) })
    }

    /// The range of one type.
    pub fn range(&self, element_type: ElementType) -> ElementRange {
        match element_type {
            ElementType::Transport => self.transport,
            ElementType::Storage => self.storage,
            ElementType::ImportExport => self.import_export,
            ElementType::Drive => self.drive,
        }
    }

    /// The type of the element at an address, if one of the ranges has it.
    pub fn type_of(&self, address: ElementAddress) -> Option<ElementType> {
        ElementType::ALL.into_iter().find(|element_type| self.range(*element_type).contains(address))
    }

    /// Writes the page with its header; returns how many bytes are in `buffer`.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let mut sink = Sink::new(buffer);
        sink.put(&[Self::PAGE, Self::LENGTH as u8 - 2]);
        for range in ElementType::ALL.map(|element_type| self.range(element_type)) {
            sink.put(&range.first.0.to_be_bytes());
            sink.put(&range.count.to_be_bytes());
        }
        sink.fill(0, 2);
        sink.written()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MODE SENSE page 1Dh of an STK L80 personality.
    const PAGE: [u8; 20] =
        [0x1D, 0x12, 0, 1, 0, 1, 0x03, 0xE8, 0, 0x28, 0, 0x0A, 0, 4, 0x01, 0xF4, 0, 4, 0, 0];

    const ASSIGNMENT: ElementAddressAssignment = ElementAddressAssignment {
        transport: ElementRange::new(1, 1),
        storage: ElementRange::new(1000, 40),
        import_export: ElementRange::new(10, 4),
        drive: ElementRange::new(500, 4),
    };

    #[test]
    fn the_page_is_read_and_written() {
        assert_eq!(ElementAddressAssignment::parse(&PAGE), Ok(ASSIGNMENT));
        assert_eq!(ElementAddressAssignment::parse(&PAGE[..18]), Ok(ASSIGNMENT));
        assert_eq!(ElementAddressAssignment::parse(&PAGE[..17]), Err(ShortData { needed: 18, got: 17 }));
        let mut buffer = [0xEE; 20];
        assert_eq!(ASSIGNMENT.write(&mut buffer), 20);
        assert_eq!(buffer, PAGE);
    }

    #[test]
    fn an_address_has_the_type_of_its_range() {
        let types = [0, 1, 10, 13, 14, 500, 1000, 1039, 1040]
            .map(|address| ASSIGNMENT.type_of(ElementAddress(address)));
        let (transport, storage) = (Some(ElementType::Transport), Some(ElementType::Storage));
        let (port, drive) = (Some(ElementType::ImportExport), Some(ElementType::Drive));
        assert_eq!(types, [None, transport, port, port, None, drive, storage, storage, None]);
    }

    #[test]
    fn a_range_beyond_the_last_address_ends_there() {
        let range = ElementRange::new(0xFFFE, 10);
        assert!(range.addresses().eq([ElementAddress(0xFFFE), ElementAddress(0xFFFF)]));
        assert!(range.contains(ElementAddress(0xFFFF)) && !range.contains(ElementAddress(0)));
        assert_eq!(ElementRange::new(5, 0).addresses().count(), 0);
    }
}
