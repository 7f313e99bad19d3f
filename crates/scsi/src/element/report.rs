use super::{Element, ElementAddress, ElementType, FIXED, HEADER};
use crate::ShortData;
use crate::bytes::{bit_at, slice_at, u8_at, u16_at, u24_at};

/// The shortest descriptor that tells anything: address and flags.
const SHORTEST: usize = 4;

/// The data of READ ELEMENT STATUS.
///
/// The numbers in its header are hints: devices count wrongly in both directions. What counts is what
/// [`ElementStatus::elements`] finds.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "READ ELEMENT STATUS")]
pub struct ElementStatus<'a> {
    header: &'a [u8],
    pages: &'a [u8],
    byte_count: u32,
}

impl<'a> ElementStatus<'a> {
    /// Reads the data that was transferred (the transfer length less the residual).
    ///
    /// # Errors
    /// [`ShortData`] if the header of eight bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, HEADER)?;
        let byte_count = u24_at(data, 5).unwrap_or(0);
        // A device that says 0 and yet sends pages is believed by its pages.
        let limit = match usize::try_from(byte_count) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(count) => count,
        };
        Ok(Self { header: slice_at(data, 0, HEADER), pages: slice_at(data, HEADER, limit), byte_count })
    }

    /// The lowest address reported.
    pub fn first_element(&self) -> ElementAddress {
        ElementAddress(u16_at(self.header, 0).unwrap_or(0))
    }

    /// How many elements the device says it reports.
    pub fn elements_available(&self) -> u16 {
        u16_at(self.header, 2).unwrap_or(0)
    }

    /// How many bytes the whole report has after its header, whether or not they were transferred.
    pub fn byte_count(&self) -> u32 {
        self.byte_count
    }

    /// Whether the device says that the report is longer than what was transferred. One known device always
    /// says so; a repeated request must therefore be bounded.
    pub fn is_truncated(&self) -> bool {
        u32::try_from(self.pages.len()).is_ok_and(|got| got < self.byte_count)
    }

    /// Whether the pages fit together: every page has an element type and descriptors that fill it, and
    /// together they are as long as the report, up to where it was cut. Where they do not, element addresses
    /// are not to be trusted; ask for one element type at a time. A report that was cut is judged only as far
    /// as it goes.
    pub fn is_well_formed(&self) -> bool {
        let mut total = 0u64;
        for page in self.pages() {
            let length = u32::from(page.descriptor_length());
            if page.element_type().is_none() || length == 0 || !page.byte_count().is_multiple_of(length) {
                return false;
            }
            total += HEADER as u64 + u64::from(page.byte_count());
        }
        if self.is_truncated() {
            total <= u64::from(self.byte_count)
        } else {
            total == self.pages.len() as u64
        }
    }

    /// The pages in the order in which they came. There may be several of one type.
    pub fn pages(&self) -> impl Iterator<Item = ElementPage<'a>> + use<'a> {
        let mut rest = self.pages;
        core::iter::from_fn(move || {
            let page = ElementPage::first(rest)?;
            rest = rest.get(HEADER + page.descriptors.len()..).unwrap_or_default();
            Some(page)
        })
    }

    /// All elements, page by page, in the order in which they came. Addresses may repeat: then the last one
    /// counts.
    pub fn elements(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        self.pages().flat_map(|page| page.elements())
    }
}

/// One page of a report: elements of one type.
#[derive(Clone, Copy, Debug)]
pub struct ElementPage<'a> {
    header: &'a [u8],
    descriptors: &'a [u8],
}

impl<'a> ElementPage<'a> {
    fn first(data: &'a [u8]) -> Option<Self> {
        if data.len() < HEADER {
            return None;
        }
        let count = usize::try_from(u24_at(data, 5)?).unwrap_or(usize::MAX);
        Some(Self { header: slice_at(data, 0, HEADER), descriptors: slice_at(data, HEADER, count) })
    }

    /// The type of its elements; `None` for a number that is no type, then the page yields no elements.
    pub fn element_type(&self) -> Option<ElementType> {
        ElementType::try_from(u8_at(self.header, 0)?).ok()
    }

    /// PVOLTAG as it stands in the page: descriptors have a primary volume tag.
    pub fn primary_volume_tags(&self) -> bool {
        bit_at(self.header, 1, 7)
    }

    /// AVOLTAG as it stands in the page: descriptors have an alternate volume tag. Some devices say so
    /// wrongly; [`Element`] sees through it.
    pub fn alternate_volume_tags(&self) -> bool {
        bit_at(self.header, 1, 6)
    }

    /// Whether the bits of its header that are reserved are zero. Where the byte counts of a report are wrong, what is
    /// taken for a header may be the midst of a descriptor; that seldom has a clean one.
    pub fn has_clean_header(&self) -> bool {
        const RESERVED_FLAGS: u8 = 0x3F;
        u8_at(self.header, 1).is_some_and(|flags| flags & RESERVED_FLAGS == 0)
            && u8_at(self.header, 4) == Some(0)
    }

    /// Bytes of each descriptor.
    pub fn descriptor_length(&self) -> u16 {
        u16_at(self.header, 2).unwrap_or(0)
    }

    /// Bytes of all descriptors, whether or not they were transferred.
    pub fn byte_count(&self) -> u32 {
        u24_at(self.header, 5).unwrap_or(0)
    }

    /// The elements. A last descriptor that is cut is there if it is whole up to its source address. Pages
    /// with descriptors too short for address and flags have none.
    pub fn elements(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let length = usize::from(self.descriptor_length());
        let element_type = self.element_type().filter(|_| length >= SHORTEST);
        let (primary, alternate) = (self.primary_volume_tags(), self.alternate_volume_tags());
        let mut rest = self.descriptors;
        core::iter::from_fn(move || {
            let descriptor = slice_at(rest, 0, length);
            if descriptor.len() < length.min(FIXED) {
                return None;
            }
            rest = rest.get(length..).unwrap_or_default();
            Element::new(descriptor, element_type?, length, primary, alternate)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// A report with one page: its flags, the length of its descriptors, its descriptors.
    fn report(element_type: u8, flags: u8, length: u16, descriptors: &[u8]) -> Vec<u8> {
        let [_, high, middle, low] = (descriptors.len() as u32 + 8).to_be_bytes();
        let mut data = std::vec![0x10, 0x00, 0, 1, 0, high, middle, low];
        let [_, high, middle, low] = (descriptors.len() as u32).to_be_bytes();
        let [length_high, length_low] = length.to_be_bytes();
        data.extend_from_slice(&[element_type, flags, length_high, length_low, 0, high, middle, low]);
        data.extend_from_slice(descriptors);
        data
    }

    fn descriptor(address: u16, tail: &[u8]) -> Vec<u8> {
        let [high, low] = address.to_be_bytes();
        let mut bytes = std::vec![high, low, 0x09, 0, 0, 0, 0, 0, 0, 0x81, 0x10, 0x05];
        bytes.extend_from_slice(tail);
        bytes
    }

    fn tag(label: &str) -> Vec<u8> {
        let mut bytes = std::format!("{label:32}").into_bytes();
        bytes.extend_from_slice(&[0; 4]);
        bytes
    }

    const T10: &[u8] = b"\x02\x01\x00\x22STK     T10000B         XYZZY_B1  ";

    fn elements(data: &[u8]) -> Vec<Element<'_>> {
        ElementStatus::parse(data).expect("header").elements().collect()
    }

    #[test]
    fn the_drives_of_an_stk_library_are_read_though_it_counts_none() {
        // From mhvtl: the answer to a request for 0 elements from address 0.
        let mut data = std::vec![0x01, 0xF4, 0, 0, 0, 0, 0, 0x3A, 4, 0, 0, 0x32, 0, 0, 0, 0x32];
        data.extend_from_slice(&[0x01, 0xF4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        data.extend_from_slice(T10);
        let report = ElementStatus::parse(&data).expect("header");
        assert_eq!((report.elements_available(), report.first_element().0), (0, 500));
        assert!(report.is_well_formed() && !report.is_truncated());
        let drive = report.elements().next().expect("one");
        assert_eq!((drive.element_type(), drive.address().0), (ElementType::Drive, 500));
        assert!(drive.access() && !drive.full() && drive.is_complete());
        assert_eq!(drive.source(), None);
        let id = drive.device_id().expect("reported");
        assert_eq!(
            (id.vendor(), id.product(), id.serial()),
            (Some("STK"), Some("T10000B"), Some("XYZZY_B1"))
        );
    }

    #[test]
    fn an_alternate_tag_without_room_is_not_believed() {
        // 72 bytes: tag and a serial number of 20 bytes, both tag flags set.
        let mut tail = tag("VT0001L8");
        tail.extend_from_slice(b"\x02\x00\x00\x14DRV0701             ");
        let data = report(4, 0xC0, 72, &descriptor(0x01E0, &tail));
        let drive = elements(&data)[0];
        assert_eq!(drive.volume_tag().map(|tag| tag.identifier()), Some("VT0001L8"));
        assert_eq!(drive.raw_alternate_volume_tag(), None);
        assert_eq!(drive.device_id().and_then(|id| id.serial()), Some("DRV0701"));
        // 36 bytes: no tag at all, though an alternate one is announced.
        let data = report(4, 0x40, 36, &descriptor(0x01E0, b"\x02\x00\x00\x14DRV0701             "));
        assert_eq!(elements(&data)[0].device_id().and_then(|id| id.serial()), Some("DRV0701"));
    }

    #[test]
    fn an_identifier_in_the_place_of_a_tag_is_an_identifier() {
        // 86 bytes have room for two tags, but the second is an identifier.
        let mut tail = tag("VT0001L8");
        tail.extend_from_slice(T10);
        let data = report(4, 0xC0, 86, &descriptor(256, &tail));
        let drive = elements(&data)[0];
        assert_eq!(drive.volume_tag().map(|tag| tag.identifier()), Some("VT0001L8"));
        assert_eq!(drive.alternate_volume_tag(), None);
        assert_eq!(drive.device_id().and_then(|id| id.serial()), Some("XYZZY_B1"));
        let data = report(4, 0x80, 50, &descriptor(256, T10));
        let drive = elements(&data)[0];
        assert_eq!(drive.raw_volume_tag(), None);
        assert_eq!(drive.device_id().and_then(|id| id.serial()), Some("XYZZY_B1"));
    }

    #[test]
    fn both_tags_are_read_where_both_are() {
        let mut tail = tag("SIDE A");
        tail.extend(tag("SIDE B"));
        tail.extend_from_slice(&[0; 4]);
        let data = report(2, 0xC0, 88, &descriptor(1, &tail));
        let slot = elements(&data)[0];
        assert_eq!(slot.volume_tag().map(|tag| tag.identifier()), Some("SIDE A"));
        assert_eq!(slot.alternate_volume_tag().map(|tag| tag.identifier()), Some("SIDE B"));
        assert_eq!((slot.device_id(), slot.after_tags()), (None, &[0; 4][..]));
    }

    #[test]
    fn a_descriptor_cut_after_its_source_address_is_there_but_incomplete() {
        let mut both = descriptor(1, &tag("VT0001L8"));
        both.extend(descriptor(2, &tag("VT0002L8")));
        let data = report(2, 0x80, 48, &both);
        let first = 16 + 48;
        for end in 0..data.len() {
            let Ok(report) = ElementStatus::parse(&data[..end]) else {
                assert!(end < 8);
                continue;
            };
            let found: Vec<_> =
                report.elements().map(|slot| (slot.address().0, slot.is_complete())).collect();
            let expected: &[(u16, bool)] = match end {
                _ if end < 16 + 12 => &[],
                _ if end < first => &[(1, false)],
                _ if end < first + 12 => &[(1, true)],
                _ => &[(1, true), (2, false)],
            };
            assert_eq!(found, expected, "{end} bytes");
            assert!(report.is_truncated() && report.is_well_formed());
        }
        // The tag counts as soon as its identifier is whole.
        let tag_of = |end: usize| elements(&data[..end])[1].volume_tag().map(|tag| tag.identifier());
        assert_eq!(tag_of(first + 43), None);
        assert_eq!(tag_of(first + 44), Some("VT0002L8"));
    }

    #[test]
    fn very_short_descriptors_tell_address_and_flags() {
        let data = report(2, 0, 4, &[0, 1, 0x09, 0, 0, 2, 0x08, 0]);
        let found: Vec<_> =
            elements(&data).iter().map(|slot| (slot.address().0, slot.full(), slot.access())).collect();
        assert_eq!(found, [(1, true, true), (2, false, true)]);
        assert!(elements(&data).iter().all(|slot| slot.source().is_none() && slot.is_complete()));
        let data = report(2, 0xC0, 6, &[0, 1, 0x04, 0, 0x83, 0x01]);
        assert_eq!(elements(&data)[0].exception(), Some(crate::AdditionalSense::new(0x83, 0x01)));
        assert_eq!(elements(&report(2, 0, 3, &[0, 1, 9])).len(), 0);
    }

    #[test]
    fn pages_without_a_type_or_a_descriptor_length_are_skipped() {
        for (element_type, length) in [(0, 12), (5, 12), (0xFF, 12), (2, 0)] {
            let mut data = report(element_type, 0, length, &descriptor(1, &[]));
            data.extend_from_slice(&report(2, 0, 12, &descriptor(2, &[]))[8..]);
            data[7] = 40;
            let report = ElementStatus::parse(&data).expect("header");
            assert!(!report.is_well_formed());
            assert!(report.elements().map(|slot| slot.address().0).eq([2]), "type {element_type}");
        }
    }

    #[test]
    fn what_lies_behind_the_announced_end_is_not_read() {
        let mut data = report(2, 0, 12, &descriptor(1, &[]));
        data.extend_from_slice(&report(2, 0, 12, &descriptor(2, &[]))[8..]);
        assert_eq!(elements(&data).len(), 1);
        // A device that announces nothing is believed by its pages.
        data[7] = 0;
        assert_eq!(elements(&data).len(), 2);
        assert_eq!(elements(&[0; 64]).len(), 0);
    }

    #[test]
    fn the_midst_of_a_descriptor_is_no_clean_header() {
        let both = [descriptor(0x0203, &[]), descriptor(0x0204, &[])].concat();
        let mut data = report(2, 0, 12, &both);
        // The page counts one descriptor: the second is taken for a header of type 2.
        data[15] = 12;
        let report = ElementStatus::parse(&data).expect("header");
        assert!(!report.is_well_formed());
        let clean: Vec<_> = report.pages().map(|page| page.has_clean_header()).collect();
        assert_eq!(clean[..2], [true, false]);
    }

    #[test]
    fn pages_that_overlap_are_not_well_formed() {
        // The shape of a report for all types from a real target: the first page has no room for what it says.
        let mut data = std::vec![0x01, 0xF4, 0, 0x1B, 0, 0, 0, 48, 1, 0, 0, 16, 0, 0, 0, 16];
        data.extend_from_slice(&[2, 0, 0, 16, 0, 0, 0x01, 0x40]);
        data.extend_from_slice(&[0x03, 0xE8, 1, 0, 0, 0, 0, 0, 0, 0x80, 0, 1, 0, 0, 0, 0]);
        data.extend_from_slice(&[0; 16]);
        assert!(!ElementStatus::parse(&data).expect("header").is_well_formed());
    }

    #[test]
    fn bits_of_an_import_export_element_are_not_read_from_others() {
        let bits = |element_type| {
            let data = report(element_type, 0, 12, &[0, 1, 0xF2, 0, 0, 0, 0xB3, 7, 0, 0x4A, 0, 0]);
            let element = elements(&data)[0];
            let port = [
                element.import_export(),
                element.export_enabled(),
                element.import_enabled(),
                element.connected_changer(),
                element.operator_intervention(),
            ];
            assert!(element.disabled() && element.inverted());
            assert_eq!(element.medium_type(), crate::MediumType::Cleaning);
            (port, element.scsi_address())
        };
        assert_eq!(bits(3), ([true; 5], None));
        assert_eq!(bits(2), ([false; 5], None));
        let address = crate::ScsiAddress { bus_address: Some(7), lun: Some(3), other_bus: true };
        assert_eq!(bits(4), ([false; 5], Some(address)));
    }

    #[test]
    fn a_reply_shorter_than_its_header_is_an_error() {
        assert_eq!(ElementStatus::parse(&[0; 7]).err(), Some(ShortData { needed: 8, got: 7 }));
    }
}
