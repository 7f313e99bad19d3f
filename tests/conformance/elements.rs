//! What is where: geometry and element status.

use std::collections::BTreeSet;

use autochanger_scsi::{
    DeviceCapabilities, ElementAddressAssignment, ElementType, ModeParameters, ModeSense6, ModeSense10,
};

use super::ask::{good, serial};
use super::library::{Library, Reading, Seen, TAGS};

pub(crate) async fn both_mode_senses_give_the_same_geometry(library: &Library) {
    let six =
        ModeSense6 { page: 0x1D, disable_block_descriptors: true, allocation: 255, ..ModeSense6::default() };
    let ten = ModeSense10 {
        page: 0x1D,
        disable_block_descriptors: true,
        allocation: 255,
        ..ModeSense10::default()
    };
    let six = good(&*library.changer, six.cdb(), 255).await;
    let ten = good(&*library.changer, ten.cdb(), 255).await;
    let page = ModeParameters::parse6(&six).unwrap().page(0x1D, 0).expect("page 1Dh by MODE SENSE(6)");
    assert_eq!(ModeParameters::parse10(&ten).unwrap().page(0x1D, 0), Some(page));
    let geometry = ElementAddressAssignment::parse(page).unwrap();
    assert!(geometry.range(ElementType::Storage).count > 0, "{geometry:?}");
}

pub(crate) async fn the_geometry_agrees_with_the_elements(library: &Library) {
    let geometry = library.geometry.as_ref().unwrap();
    for kind in ElementType::ALL {
        let range = geometry.range(kind);
        let seen: Vec<u16> =
            library.read(kind, TAGS).await.into_iter().map(|element| element.address).collect();
        let told: Vec<u16> = range.addresses().map(|address| address.0).collect();
        assert_eq!(seen, told, "{kind}");
    }
}

pub(crate) async fn storage_can_hold_cartridges_and_they_can_be_brought_to_drives(library: &Library) {
    let command =
        ModeSense6 { page: 0x1F, disable_block_descriptors: true, allocation: 255, ..ModeSense6::default() };
    let data = good(&*library.changer, command.cdb(), 255).await;
    let parameters = ModeParameters::parse6(&data).unwrap();
    let capabilities = DeviceCapabilities::parse(parameters.page(0x1F, 0).expect("page 1Fh")).unwrap();
    assert!(capabilities.stores(ElementType::Storage));
    for (from, to) in [(ElementType::Storage, ElementType::Drive), (ElementType::Drive, ElementType::Storage)]
    {
        assert!(capabilities.can_move(from, to), "from {from} to {to}");
    }
}

pub(crate) async fn each_element_type_is_reported_by_itself(library: &Library) {
    let mut addresses = BTreeSet::new();
    for kind in ElementType::ALL {
        for element in library.read(kind, TAGS).await {
            assert_eq!(element.element_type, kind);
            assert!(addresses.insert(element.address), "element {} is of two types", element.address);
        }
    }
    assert!(!library.read(ElementType::Storage, TAGS).await.is_empty());
    assert!(!library.read(ElementType::Drive, TAGS).await.is_empty());
}

/// Address, occupancy and tag: what must not depend on how the elements were read.
fn essence(seen: &[Seen]) -> Vec<(u16, bool, Option<&str>)> {
    seen.iter().map(|seen| (seen.address, seen.full, seen.tag.as_deref())).collect()
}

pub(crate) async fn reading_in_chunks_equals_reading_at_once(library: &Library) {
    let whole = library.read(ElementType::Storage, TAGS).await;
    for count in [1, 3, 7] {
        let chunks = library.read(ElementType::Storage, Reading { count: Some(count), ..TAGS }).await;
        assert_eq!(essence(&chunks), essence(&whole), "{count} elements at a time");
    }
    // Room for both headers and a few descriptors of 52 to 88 bytes, the last of them cut.
    for allocation in [16 + 100, 16 + 300] {
        let chunks =
            library.read(ElementType::Storage, Reading { allocation: Some(allocation), ..TAGS }).await;
        assert_eq!(essence(&chunks), essence(&whole), "{allocation} bytes at a time");
    }
}

pub(crate) async fn a_report_from_the_middle_begins_there(library: &Library) {
    let whole = library.read(ElementType::Storage, TAGS).await;
    let middle = whole[whole.len() / 2].address;
    let seen = library.read_from(ElementType::Storage, middle, TAGS).await;
    assert_eq!(seen.first().map(|element| element.address), Some(middle));
    let last = whole.last().unwrap().address;
    if let Some(beyond) = last.checked_add(1) {
        let seen = library.read_from(ElementType::Storage, beyond, TAGS).await;
        assert_eq!(seen, [], "nothing comes after the last element");
    }
}

pub(crate) async fn tags_come_when_they_are_asked_for_and_only_then(library: &Library) {
    let with = library.read(ElementType::Storage, TAGS).await;
    let without = library.read(ElementType::Storage, Reading::default()).await;
    let tags: Vec<&str> =
        with.iter().filter(|seen| seen.full).filter_map(|seen| seen.tag.as_deref()).collect();
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), tags.len(), "two cartridges with one tag");
    assert!(!tags.is_empty());
    assert!(!without.is_empty() && without.iter().all(|seen| seen.tag.is_none()));
    for seen in &without {
        let same = with.iter().find(|with| with.address == seen.address).expect("the same elements");
        assert_eq!(seen.full, same.full, "element {}", seen.address);
    }
}

pub(crate) async fn what_is_known_is_told_without_motion(library: &Library) {
    let now = library.read(ElementType::Storage, TAGS).await;
    let current = library.read(ElementType::Storage, Reading { current: true, ..TAGS }).await;
    assert_eq!(essence(&current), essence(&now));
}

pub(crate) async fn drives_are_named_by_their_serial_numbers(library: &Library) {
    let reading = Reading { identifiers: true, ..Reading::default() };
    let named: Vec<Seen> = library.read(ElementType::Drive, reading).await;
    let mut exact = 0;
    for drive in &library.drives {
        let own = serial(&*drive.device).await;
        let seen = named.iter().find(|seen| seen.address == drive.element).expect("the drive's element");
        let told = seen.serial.as_deref().unwrap_or_default();
        if seen.complete {
            assert_eq!(told, own, "drive {}", drive.element);
            exact += 1;
        } else {
            assert!(own.starts_with(told), "drive {}: {told} is no beginning of {own}", drive.element);
        }
    }
    assert!(exact > 0, "no drive was named in full");
}
