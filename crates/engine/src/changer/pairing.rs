//! Which path leads to which drive element: the library's identifiers laid beside the drives' own serial numbers.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::ElementAddress;

use crate::id::Device;

/// A ten-character identifier field cuts longer serial numbers; fewer characters than this are no proof.
const SHORTEST_CUT: usize = 8;

/// Whether two serial numbers can be one drive's: some fields cut a long one at one of its ends.
pub(crate) fn same_serial(one: &str, other: &str) -> bool {
    let part = |part: &str, whole: &str| {
        part.len() >= SHORTEST_CUT && (whole.ends_with(part) || whole.starts_with(part))
    };
    one == other || part(one, other) || part(other, one)
}

/// What the library says of a drive element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DriveElement {
    pub(crate) address: ElementAddress,
    /// Its serial number, as far as the library told it.
    pub(crate) serial: Option<Arc<str>>,
    /// Its product identification, as far as the library told it.
    pub(crate) product: Option<Arc<str>>,
    /// The report was cut inside the serial number.
    pub(crate) cut: bool,
}

/// A path that leads to a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DrivePath {
    pub(crate) device: Device,
    /// The element that the configuration names for it.
    pub(crate) element: Option<ElementAddress>,
    /// Nobody said that it is this library's.
    pub(crate) assumed: bool,
    /// The drive's own serial number.
    pub(crate) serial: Option<Arc<str>>,
    /// The drive's own product identification.
    pub(crate) product: Arc<str>,
}

/// Pairs elements and paths: what the configuration says, then equal serial numbers, then one that is a part of the
/// other, then the only two that are left. What stays ambiguous stays apart.
pub(crate) fn pair(elements: &[DriveElement], paths: &[DrivePath]) -> BTreeMap<ElementAddress, DrivePath> {
    let mut pairs = Pairs { elements, paths, found: BTreeMap::new(), used: BTreeSet::new() };
    for (n, path) in paths.iter().enumerate() {
        if let Some(element) = path.element {
            pairs.put(element, n);
        }
    }
    pairs.unique(|known, own| !known.cut && known.serial.as_deref() == Some(own));
    pairs.unique(|known, own| {
        known.serial.as_deref().is_some_and(|serial| {
            serial.len() >= SHORTEST_CUT && (own.ends_with(serial) || own.starts_with(serial))
        })
    });
    pairs.unique(|known, own| {
        known.cut && known.serial.as_deref().is_some_and(|serial| own.starts_with(serial))
    });
    pairs.last_two();
    pairs.found
}

struct Pairs<'a> {
    elements: &'a [DriveElement],
    paths: &'a [DrivePath],
    found: BTreeMap<ElementAddress, DrivePath>,
    used: BTreeSet<usize>,
}

impl<'a> Pairs<'a> {
    fn put(&mut self, element: ElementAddress, path: usize) {
        if let Some(drive) = self.paths.get(path)
            && !self.found.contains_key(&element)
            && self.used.insert(path)
        {
            self.found.insert(element, drive.clone());
        }
    }

    fn free_elements(&self) -> Vec<&'a DriveElement> {
        self.elements.iter().filter(|element| !self.found.contains_key(&element.address)).collect()
    }

    fn free_paths(&self) -> Vec<(usize, &'a DrivePath)> {
        self.paths
            .iter()
            .enumerate()
            .filter(|(n, path)| !self.used.contains(n) && path.element.is_none())
            .collect()
    }

    fn unique(&mut self, same: impl Fn(&DriveElement, &str) -> bool) {
        let paths = self.free_paths();
        for element in self.free_elements() {
            let fitting: Vec<_> = paths
                .iter()
                .filter(|(_, path)| path.serial.as_deref().is_some_and(|own| same(element, own)))
                .collect();
            // Of two ways to one drive the configured one is meant.
            let configured: Vec<_> =
                fitting.iter().filter(|(_, path)| matches!(path.device, Device::Configured(_))).collect();
            match (fitting.as_slice(), configured.as_slice()) {
                ([(n, _)], _) | (_, [(n, _)]) => self.put(element.address, *n),
                _ => {}
            }
        }
    }

    /// One element whose serial number the library does not fully tell, and one path: they belong together, unless the path
    /// is to some drive of the machine, which may be anybody's.
    fn last_two(&mut self) {
        if let ([element], [(n, path)]) = (self.free_elements().as_slice(), self.free_paths().as_slice())
            && !path.assumed
            && (element.serial.is_none() || element.cut)
        {
            self.put(element.address, *n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(address: u16, serial: &str, cut: bool) -> DriveElement {
        let serial = (!serial.is_empty()).then(|| Arc::from(serial));
        DriveElement { address: ElementAddress(address), serial, product: None, cut }
    }

    fn path(lun: u16, serial: &str) -> DrivePath {
        DrivePath {
            device: Device::Sibling(lun),
            element: None,
            assumed: false,
            serial: Some(Arc::from(serial)),
            product: "".into(),
        }
    }

    fn devices(elements: &[DriveElement], paths: &[DrivePath]) -> Vec<(u16, Device)> {
        pair(elements, paths).into_iter().map(|(address, path)| (address.0, path.device)).collect()
    }

    #[test]
    fn equal_serial_numbers_are_one_drive_whatever_the_order() {
        let elements = [element(500, "DRV0000001", false), element(501, "DRV0000002", false)];
        let paths = [path(2, "DRV0000002"), path(1, "DRV0000001")];
        assert_eq!(devices(&elements, &paths), [(500, Device::Sibling(1)), (501, Device::Sibling(2))]);
    }

    #[test]
    fn a_report_cut_in_its_last_serial_number_is_completed_by_what_is_left() {
        let elements = [element(500, "DRV0000001", false), element(501, "DR", true)];
        let paths = [path(1, "DRV0000001"), path(2, "DRV0000002")];
        assert_eq!(devices(&elements, &paths), [(500, Device::Sibling(1)), (501, Device::Sibling(2))]);
    }

    #[test]
    fn a_field_that_cuts_long_serial_numbers_matches_by_their_ends() {
        let elements = [element(500, "3456789ABC", false)];
        assert_eq!(devices(&elements, &[path(1, "0123456789ABC")]), [(500, Device::Sibling(1))]);
    }

    #[test]
    fn another_serial_number_is_another_drive_even_when_only_two_are_left() {
        assert_eq!(devices(&[element(500, "DRV0000001", false)], &[path(1, "ELSEWHERE1")]), []);
    }

    #[test]
    fn of_two_ways_to_one_drive_the_configured_one_is_taken() {
        let configured = DrivePath { device: Device::Configured(0), ..path(1, "DRV0000001") };
        let paths = [path(1, "DRV0000001"), configured];
        assert_eq!(devices(&[element(500, "DRV0000001", false)], &paths), [(500, Device::Configured(0))]);
    }

    #[test]
    fn some_drive_of_the_machine_is_not_paired_with_what_is_left() {
        let stranger = DrivePath { assumed: true, ..path(1, "ELSEWHERE1") };
        assert_eq!(devices(&[element(500, "", false)], &[stranger]), []);
        let own = DrivePath { assumed: true, ..path(1, "DRV0000001") };
        assert_eq!(devices(&[element(500, "DRV0000001", false)], &[own]), [(500, Device::Sibling(1))]);
    }

    #[test]
    fn what_is_ambiguous_stays_apart() {
        let elements = [element(500, "", false), element(501, "", false)];
        assert_eq!(devices(&elements, &[path(1, "A"), path(2, "B")]), []);
    }

    #[test]
    fn the_configuration_has_the_last_word() {
        let elements = [element(500, "A", false), element(501, "B", false)];
        let named = DrivePath { element: Some(ElementAddress(501)), ..path(1, "A") };
        assert_eq!(devices(&elements, &[named]), [(501, Device::Sibling(1))]);
    }
}
