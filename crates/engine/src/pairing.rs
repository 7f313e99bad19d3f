//! Which drive is in which drive element: what the library tells of its elements laid beside what drives say of themselves.
//!
//! Libraries identify their drives in several shapes (DVCID, SMC-3 6.12): vendor, product and serial number, a serial number alone, a world
//! wide name; some cut long serial numbers, some give drives serial numbers of their own, some tell nothing. Drives in turn can say which
//! serial number their maker gave them, and in which element of which library they are.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::vpd::{
    self, DEVICE_IDENTIFICATION, DRIVE_ELEMENT, LIBRARY_SERIAL, MANUFACTURER_SERIAL, UNIT_SERIAL,
};
use autochanger_scsi::{Element, ElementAddress};

/// A ten-character identifier field cuts longer serial numbers; fewer characters than this are no proof.
const SHORTEST_CUT: usize = 8;
/// World wide names of a drive that are kept: its own, those of its two ports, its target's.
const MAX_WORLD_WIDE_NAMES: usize = 8;
/// Designator type NAA (SPC-4 7.8.6.6).
const NAA: u8 = 3;

/// The vital product data pages in which a drive says who it is, beside [`UNIT_SERIAL`]: asked for where that alone does not tell.
pub const FURTHER_PAGES: [u8; 4] =
    [DEVICE_IDENTIFICATION, MANUFACTURER_SERIAL, DRIVE_ELEMENT, LIBRARY_SERIAL];

/// Whether two serial numbers can be one drive's: some fields cut a long one at one of its ends.
pub fn same_serial(one: &str, other: &str) -> bool {
    let part = |part: &str, whole: &str| {
        part.len() >= SHORTEST_CUT && (whole.ends_with(part) || whole.starts_with(part))
    };
    one == other || part(one, other) || part(other, one)
}

/// What a library says of a drive element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriveElement {
    /// Its address.
    pub address: ElementAddress,
    /// The serial number of the drive in it, as far as the library told it.
    pub serial: Option<Arc<str>>,
    /// The world wide name of the drive in it.
    pub world_wide_name: Option<Arc<[u8]>>,
    /// The product of the drive in it.
    pub product: Option<Arc<str>>,
    /// The report was cut inside the identifier.
    pub cut: bool,
}

impl DriveElement {
    /// An element of which the library says nothing.
    pub fn unknown(address: ElementAddress) -> Self {
        Self { address, serial: None, world_wide_name: None, product: None, cut: false }
    }

    /// The name by which the library tells the drive in it, whichever that is; `None` where it does not, or cut it.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        let of_name = |name: &Arc<[u8]>| {
            let digits =
                name.iter().fold(String::from("naa."), |text, byte| text + &alloc::format!("{byte:02x}"));
            Arc::from(digits)
        };
        let name = self.serial.clone().or_else(|| self.world_wide_name.as_ref().map(of_name));
        name.filter(|_| !self.cut)
    }

    /// What a descriptor says.
    pub fn of(element: &Element<'_>) -> Self {
        let id = element.device_id();
        let serial = id.and_then(|id| id.serial()).filter(|serial| !serial.is_empty());
        Self {
            address: element.address(),
            serial: serial.map(Arc::from),
            world_wide_name: id.and_then(|id| id.naa()).map(Arc::from),
            product: id.and_then(|id| id.product()).map(Arc::from),
            cut: !element.is_complete(),
        }
    }
}

/// What a drive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DriveNames {
    /// Its serial number (page 80h), which a library can have given it.
    pub serial: Option<Arc<str>>,
    /// The serial number that its maker gave it (page B1h).
    pub maker: Option<Arc<str>>,
    /// Its world wide names (page 83h).
    pub world_wide_names: Vec<Arc<[u8]>>,
    /// The serial number of the library that it is in (page B3h).
    pub library: Option<Arc<str>>,
    /// The element that it is in there (page B4h).
    pub element: Option<ElementAddress>,
}

impl DriveNames {
    /// A drive of which only the serial number is known.
    pub fn serial(serial: impl Into<Arc<str>>) -> Self {
        Self { serial: Some(serial.into()), ..Self::default() }
    }

    /// Takes over what a page says; one that cannot be read says nothing.
    pub fn take(&mut self, page: u8, data: &[u8]) {
        let text = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
        match page {
            UNIT_SERIAL => {
                self.serial = vpd::UnitSerial::parse(data).ok().and_then(|page| text(page.serial()));
            }
            MANUFACTURER_SERIAL => {
                self.maker = vpd::ManufacturerSerial::parse(data).ok().and_then(|page| text(page.serial()));
            }
            LIBRARY_SERIAL => {
                self.library = vpd::LibrarySerial::parse(data).ok().and_then(|page| text(page.serial()));
            }
            DRIVE_ELEMENT => {
                self.element = vpd::DriveElement::parse(data).ok().flatten().map(|page| page.0);
            }
            DEVICE_IDENTIFICATION => {
                let Ok(page) = vpd::DeviceIdentification::parse(data) else { return };
                let names = page.designators().filter(|designator| designator.kind == NAA);
                self.world_wide_names =
                    names.map(|name| Arc::from(name.bytes)).take(MAX_WORLD_WIDE_NAMES).collect();
            }
            _ => {}
        }
    }
}

/// A way that leads to a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriveWay {
    /// What the drive there says of itself.
    pub names: DriveNames,
    /// The element that the configuration names for it.
    pub element: Option<ElementAddress>,
    /// Of two ways to one drive this one is meant.
    pub preferred: bool,
    /// Somebody said that it leads to a drive of this library: without that, only the drive's names can say so.
    pub own: bool,
}

/// Pairs elements and ways; the result has the number of the way for each element that has one. What the configuration says comes
/// first, then what is the more certain: equal serial numbers, also the maker's; equal world wide names; the element that the drive itself
/// names in this library, known by its serial number; a serial number that is a part of the other; one that the report has cut;
/// the only two that are left. What stays ambiguous stays apart.
pub fn pair(
    library: Option<&str>,
    elements: &[DriveElement],
    ways: &[DriveWay],
) -> BTreeMap<ElementAddress, usize> {
    let mut pairs = Pairs { elements, ways, found: BTreeMap::new(), used: BTreeSet::new() };
    for (n, way) in ways.iter().enumerate() {
        if let Some(element) = way.element {
            pairs.put(element, n);
        }
    }
    let own = |names: &DriveNames, same: &dyn Fn(&str) -> bool| {
        [&names.serial, &names.maker].into_iter().any(|serial| serial.as_deref().is_some_and(same))
    };
    let whole = |known: &DriveElement| known.serial.clone().filter(|_| !known.cut);
    pairs.unique(|known, names| whole(known).is_some_and(|serial| names.serial.as_deref() == Some(&*serial)));
    pairs.unique(|known, names| whole(known).is_some_and(|serial| own(names, &|own| own == &*serial)));
    pairs.unique(|known, names| {
        let told = known.world_wide_name.as_ref().filter(|_| !known.cut);
        told.is_some_and(|name| names.world_wide_names.contains(name))
    });
    pairs.unique(|known, names| {
        // Libraries that are parts of one differ by what stands behind the serial number.
        let here = names.library.as_deref().zip(library).is_some_and(|(one, other)| same_library(one, other));
        here && names.element == Some(known.address)
    });
    pairs.unique(|known, names| {
        whole(known).is_some_and(|serial| own(names, &|own| same_serial(own, &serial)))
    });
    pairs.unique(|known, names| {
        let begins = |serial: &Arc<str>| own(names, &|own| own.starts_with(&**serial));
        known.cut && known.serial.as_ref().is_some_and(begins)
    });
    pairs.last_two();
    pairs.found
}

fn same_library(one: &str, other: &str) -> bool {
    let part = |part: &str, whole: &str| part.len() >= SHORTEST_CUT && whole.starts_with(part);
    one == other || part(one, other) || part(other, one)
}

struct Pairs<'a> {
    elements: &'a [DriveElement],
    ways: &'a [DriveWay],
    found: BTreeMap<ElementAddress, usize>,
    used: BTreeSet<usize>,
}

impl<'a> Pairs<'a> {
    fn put(&mut self, element: ElementAddress, way: usize) {
        if !self.found.contains_key(&element) && self.used.insert(way) {
            self.found.insert(element, way);
        }
    }

    fn free_elements(&self) -> Vec<&'a DriveElement> {
        self.elements.iter().filter(|element| !self.found.contains_key(&element.address)).collect()
    }

    fn free_ways(&self) -> Vec<(usize, &'a DriveWay)> {
        self.ways
            .iter()
            .enumerate()
            .filter(|(n, way)| !self.used.contains(n) && way.element.is_none())
            .collect()
    }

    fn unique(&mut self, same: impl Fn(&DriveElement, &DriveNames) -> bool) {
        let (elements, ways) = (self.free_elements(), self.free_ways());
        for element in &elements {
            let fitting: Vec<_> = ways.iter().copied().filter(|(_, way)| same(element, &way.names)).collect();
            let preferred: Vec<_> = fitting.iter().copied().filter(|(_, way)| way.preferred).collect();
            let way = match (fitting.as_slice(), preferred.as_slice()) {
                ([way], _) | (_, [way]) => way,
                _ => continue,
            };
            // A name that two elements have is nobody's.
            if elements.iter().filter(|other| same(other, &way.1.names)).count() == 1 {
                self.put(element.address, way.0);
            }
        }
    }

    /// One element whose drive the library does not fully tell, and one way: they belong together, unless the way is to some drive of
    /// the machine, which may be anybody's.
    fn last_two(&mut self) {
        let ways: Vec<_> = self.free_ways().into_iter().filter(|(_, way)| way.own).collect();
        if let ([element], [(n, _)]) = (self.free_elements().as_slice(), ways.as_slice())
            && (element.cut || (element.serial.is_none() && element.world_wide_name.is_none()))
        {
            self.put(element.address, *n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str = "LIBRARY001_LL0";

    fn element(address: u16, serial: &str, cut: bool) -> DriveElement {
        let serial = (!serial.is_empty()).then(|| Arc::from(serial));
        DriveElement { serial, cut, ..DriveElement::unknown(ElementAddress(address)) }
    }

    fn named(address: u16, name: [u8; 8]) -> DriveElement {
        DriveElement { world_wide_name: Some(Arc::from(name)), ..element(address, "", false) }
    }

    fn of(names: DriveNames) -> DriveWay {
        DriveWay { names, element: None, preferred: false, own: true }
    }

    fn way(serial: &str) -> DriveWay {
        of(DriveNames::serial(serial))
    }

    fn found(elements: &[DriveElement], ways: &[DriveWay]) -> Vec<(u16, usize)> {
        pair(Some(LIBRARY), elements, ways).into_iter().map(|(address, way)| (address.0, way)).collect()
    }

    /// What is told, of which elements, and which way each gets.
    type Case<'a> = (&'a str, [DriveElement; 2], &'a [(u16, usize)]);

    #[test]
    fn each_shape_of_an_identifier_finds_its_drive_and_no_other() {
        const ONE: [u8; 8] = [0x50, 0, 0, 0, 0, 0, 0, 1];
        const TWO: [u8; 8] = [0x50, 0, 0, 0, 0, 0, 0, 2];
        let names = |serial: &str, maker: &str, name: [u8; 8]| DriveNames {
            maker: (!maker.is_empty()).then(|| Arc::from(maker)),
            world_wide_names: alloc::vec![Arc::from([0x50, 9, 9, 9, 9, 9, 9, name[7]]), Arc::from(name)],
            ..DriveNames::serial(serial)
        };
        let drives = [of(names("OWN0000002", "MADE000002", TWO)), of(names("OWN0000001", "MADE000001", ONE))];
        let both = [(500, 1), (501, 0)];
        let cases: [Case<'_>; 8] = [
            (
                "a serial number",
                [element(500, "OWN0000001", false), element(501, "OWN0000002", false)],
                &both,
            ),
            ("its end", [element(500, "WN0000001", false), element(501, "WN0000002", false)], &both),
            (
                "its beginning, and more behind",
                [element(500, "OWN0000001-A", false), element(501, "OWN0000002-B", false)],
                &both,
            ),
            ("the maker's", [element(500, "MADE000001", false), element(501, "MADE000002", false)], &both),
            ("a world wide name", [named(500, ONE), named(501, TWO)], &both),
            ("too short to be a part", [element(500, "0000001", false), element(501, "0000002", false)], &[]),
            ("another world wide name", [named(500, [1; 8]), named(501, [2; 8])], &[]),
            (
                "one name for both",
                [element(500, "OWN0000001", false), element(501, "OWN0000001", false)],
                &[],
            ),
        ];
        for (what, elements, expected) in cases {
            assert_eq!(found(&elements, &drives), expected, "{what}");
        }
    }

    #[test]
    fn a_drive_says_itself_where_it_is_where_the_library_does_not() {
        let says = |library: &str, element: u16| DriveNames {
            library: Some(Arc::from(library)),
            element: Some(ElementAddress(element)),
            ..DriveNames::serial("UNTOLD")
        };
        let elements = [element(500, "", false), element(501, "", false), element(502, "", false)];
        let ways = [of(says(LIBRARY, 501)), of(says("LIBRARY001", 500)), of(says("ELSEWHERE1", 502))];
        assert_eq!(
            found(&elements[..2], &ways[..2]),
            [(500, 1), (501, 0)],
            "a part of the library has a suffix"
        );
        let strangers: Vec<_> = ways.into_iter().map(|way| DriveWay { own: false, ..way }).collect();
        assert_eq!(found(&elements, &strangers), [(500, 1), (501, 0)], "another library's is not taken");
    }

    #[test]
    fn equal_serial_numbers_are_one_drive_whatever_the_order() {
        let elements = [element(500, "DRV0000001", false), element(501, "DRV0000002", false)];
        assert_eq!(found(&elements, &[way("DRV0000002"), way("DRV0000001")]), [(500, 1), (501, 0)]);
        // One number is a part of another's.
        let elements = [element(500, "DRV00000011", false), element(501, "DRV0000001", false)];
        assert_eq!(found(&elements, &[way("DRV0000001"), way("DRV00000011")]), [(500, 1), (501, 0)]);
    }

    #[test]
    fn a_report_cut_in_its_last_serial_number_is_completed_by_what_is_left() {
        let elements = [element(500, "DRV0000001", false), element(501, "DR", true)];
        assert_eq!(found(&elements, &[way("DRV0000001"), way("DRV0000002")]), [(500, 0), (501, 1)]);
    }

    #[test]
    fn another_serial_number_is_another_drive_even_when_only_two_are_left() {
        assert_eq!(found(&[element(500, "DRV0000001", false)], &[way("ELSEWHERE1")]), []);
    }

    #[test]
    fn of_two_ways_to_one_drive_the_configured_one_is_taken() {
        let configured = DriveWay { preferred: true, ..way("DRV0000001") };
        assert_eq!(found(&[element(500, "DRV0000001", false)], &[way("DRV0000001"), configured]), [(500, 1)]);
    }

    #[test]
    fn some_drive_of_the_machine_is_not_paired_with_what_is_left() {
        let stranger = |serial| DriveWay { own: false, ..way(serial) };
        assert_eq!(found(&[element(500, "", false)], &[stranger("ELSEWHERE1")]), []);
        assert_eq!(found(&[element(500, "DRV0000001", false)], &[stranger("DRV0000001")]), [(500, 0)]);
        assert_eq!(found(&[element(500, "", false)], &[stranger("ELSEWHERE1"), way("A")]), [(500, 1)]);
    }

    #[test]
    fn what_is_ambiguous_stays_apart() {
        let elements = [element(500, "", false), element(501, "", false)];
        assert_eq!(found(&elements, &[way("A"), way("B")]), []);
    }

    #[test]
    fn the_configuration_has_the_last_word() {
        let elements = [element(500, "A", false), element(501, "B", false)];
        let named = DriveWay { element: Some(ElementAddress(501)), ..way("A") };
        assert_eq!(found(&elements, &[named]), [(501, 0)]);
    }

    #[test]
    fn pages_that_cannot_be_read_say_nothing() {
        let mut names = DriveNames::default();
        for page in FURTHER_PAGES.into_iter().chain([UNIT_SERIAL, 0xC0]) {
            names.take(page, &[]);
            names.take(page, &[0x01, 0xFF, 0x00, 0x04, b'A', b'B', b'C', b'D']);
        }
        assert_eq!(names, DriveNames::default());
    }
}
