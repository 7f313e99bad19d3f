//! The changer's commands that move nothing.

mod common;

use autochanger_scsi::vpd::{DeviceIdentification, DriveElement, LibrarySerial, SupportedPages, UnitSerial};
use autochanger_scsi::{
    DeviceCapabilities, DeviceType, ElementAddress, ElementAddressAssignment, ElementRange, ElementStatus,
    ElementType, Inquiry, LunList, MediumType, ModeParameters, ModeSense6, ModeSense10, PageControl,
    PreventAllowMediumRemoval, ReadElementStatus, ReportLuns, RequestSense, Sense, SenseKey, StandardInquiry,
    TransportGeometry, lun_number,
};
use autochanger_sim::{Library, Nexus, Outcome, Unit};

use common::*;

fn inquiry(vpd: Option<u8>) -> autochanger_scsi::Cdb {
    Inquiry { vpd, allocation: 255 }.cdb()
}

fn mode6(page: u8) -> ModeSense6 {
    ModeSense6 { page, allocation: 255, disable_block_descriptors: true, ..ModeSense6::default() }
}

#[test]
fn inquiry_names_the_changer_and_the_drives() {
    let mut rig = rig();
    let data = good(rig.send(0, inquiry(None)));
    let changer = StandardInquiry::parse(&data).unwrap();
    assert_eq!(changer.device_type(), DeviceType::Changer);
    assert_eq!((changer.vendor(), changer.product()), ("AUTOCHGR", "SIM LIBRARY"));
    let data = good(rig.send(2, inquiry(None)));
    let drive = StandardInquiry::parse(&data).unwrap();
    assert_eq!((drive.device_type(), drive.product()), (DeviceType::Tape, "SIM LTO-8"));
}

#[test]
fn inquiry_of_a_unit_that_is_not_there_says_so_and_other_commands_are_refused() {
    let mut rig = rig();
    let data = good(rig.send(3, inquiry(None)));
    assert_eq!(data[0], 0x7F);
    assert_eq!(code(&rig.send(3, ready())), (5, 0x25, 0x00));
    assert_eq!(code(&rig.send(3, inquiry(Some(0x80)))), (5, 0x25, 0x00));
}

#[test]
fn a_drive_says_which_element_of_which_library_it_is() {
    let mut rig = rig();
    let data = good(rig.send(2, inquiry(Some(0x00))));
    let pages: Vec<u8> = SupportedPages::parse(&data).unwrap().pages().collect();
    assert_eq!(pages, [0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB3, 0xB4]);
    for page in pages {
        assert_eq!(good(rig.send(2, inquiry(Some(page))))[..2], [0x01, page]);
    }
    let data = good(rig.send(2, inquiry(Some(0xB3))));
    assert_eq!(LibrarySerial::parse(&data).unwrap().serial(), "LIB00042");
    let data = good(rig.send(2, inquiry(Some(0xB4))));
    assert_eq!(DriveElement::parse(&data).unwrap(), Some(DriveElement(ElementAddress(501))));
    assert_eq!(code(&rig.send(2, inquiry(Some(0xB2)))), (5, 0x24, 0x00));
}

#[test]
fn vital_product_data_gives_serial_numbers_and_identifiers() {
    let mut rig = rig();
    let data = good(rig.send(0, inquiry(Some(0x00))));
    assert!(SupportedPages::parse(&data).unwrap().pages().eq([0x00, 0x80, 0x83]));
    let data = good(rig.send(0, inquiry(Some(0x80))));
    assert_eq!(UnitSerial::parse(&data).unwrap().serial(), "LIB00042");
    let data = good(rig.send(2, inquiry(Some(0x80))));
    assert_eq!(UnitSerial::parse(&data).unwrap().serial(), "0004200002");
    let data = good(rig.send(0, inquiry(Some(0x83))));
    let page = DeviceIdentification::parse(&data).unwrap();
    let designator = page.designators().next().unwrap();
    assert_eq!((designator.code_set, designator.kind), (2, 1));
    assert_eq!(designator.bytes, b"AUTOCHGRSIM LIBRARY     LIB00042");
    let refused = rig.send(0, inquiry(Some(0xB0)));
    assert_eq!((code(&refused), pointer(&refused)), ((5, 0x24, 0x00), Some(2)));
}

#[test]
fn report_luns_lists_the_changer_and_its_drives() {
    let mut rig = rig_of(Library::new().drives(3));
    let data = good(rig.send(0, ReportLuns { select: 0, allocation: 1024 }.cdb()));
    let luns: Vec<_> = LunList::parse(&data).unwrap().luns().map(lun_number).collect();
    assert_eq!(luns, [Some(0), Some(1), Some(2), Some(3)]);
    let data = good(rig.send(0, ReportLuns { select: 1, allocation: 1024 }.cdb()));
    assert_eq!(LunList::parse(&data).unwrap().luns().count(), 0);
}

#[test]
fn each_nexus_finds_power_on_first_and_inquiry_does_not_take_it() {
    let mut rig = rig();
    let other = Unit { nexus: Nexus(7), lun: 0 };
    good(rig.send(other, inquiry(None)));
    good(rig.send(other, ReportLuns { select: 0, allocation: 64 }.cdb()));
    assert_eq!(code(&rig.send(other, move_medium(1000, 500))), (6, 0x29, 0x00));
    assert_eq!(rig.device.moves_done(), 0, "a command answered with a unit attention is not carried out");
    good(rig.send(other, ready()));
}

#[test]
fn request_sense_hands_out_a_pending_attention_as_data() {
    let mut rig = rig();
    let other = Unit { nexus: Nexus(7), lun: 0 };
    let asks = |descriptor| RequestSense { descriptor, allocation: 252 }.cdb();
    let sense = Sense::parse(&good(rig.send(other, asks(true)))).unwrap();
    assert_eq!((sense.key, sense.code.asc), (SenseKey::UnitAttention, 0x29));
    let sense = Sense::parse(&good(rig.send(other, asks(false)))).unwrap();
    assert_eq!((sense.key, sense.code.asc), (SenseKey::NoSense, 0x00));
    good(rig.send(other, ready()));
}

#[test]
fn mode_sense_describes_the_geometry_in_both_lengths() {
    let mut rig = rig();
    let expected = ElementAddressAssignment {
        transport: ElementRange::new(1, 1),
        storage: ElementRange::new(1000, 24),
        import_export: ElementRange::new(10, 4),
        drive: ElementRange::new(500, 2),
    };
    let data = good(rig.send(0, mode6(0x1D).cdb()));
    assert_eq!(data.len(), 24);
    let page = ModeParameters::parse6(&data).unwrap().page(0x1D, 0).unwrap();
    assert_eq!(ElementAddressAssignment::parse(page).unwrap(), expected);
    let all = ModeSense10 { page: 0x3F, allocation: 1024, ..ModeSense10::default() };
    let data = good(rig.send(0, all.cdb()));
    let parameters = ModeParameters::parse10(&data).unwrap();
    assert!(parameters.pages().map(|page| page.code).eq([0x1D, 0x1E, 0x1F]));
    let arms = TransportGeometry::parse(parameters.page(0x1E, 0).unwrap()).unwrap();
    assert_eq!(arms.transports().len(), 1);
    let abilities = DeviceCapabilities::parse(parameters.page(0x1F, 0).unwrap()).unwrap();
    assert!(abilities.can_move(ElementType::Storage, ElementType::Drive));
    assert!(abilities.can_exchange(ElementType::Storage, ElementType::Drive));
    assert!(abilities.can_move(ElementType::Transport, ElementType::Storage));
    assert!(!abilities.can_move(ElementType::Storage, ElementType::Transport));
    assert!(abilities.stores(ElementType::Drive) && !abilities.stores(ElementType::Transport));
}

#[test]
fn mode_sense_refuses_what_it_does_not_have() {
    let mut rig = rig();
    let refused = rig.send(0, mode6(0x0A).cdb());
    assert_eq!((code(&refused), pointer(&refused)), ((5, 0x24, 0x00), Some(2)));
    let refused = rig.send(0, ModeSense6 { subpage: 0x42, ..mode6(0x1F) }.cdb());
    assert_eq!((code(&refused), pointer(&refused)), ((5, 0x24, 0x00), Some(3)));
    let saved = ModeSense6 { control: PageControl::Saved, ..mode6(0x1D) };
    assert_eq!(code(&rig.send(0, saved.cdb())), (5, 0x39, 0x00));
    let changeable = ModeSense6 { control: PageControl::Changeable, ..mode6(0x1D) };
    let data = good(rig.send(0, changeable.cdb()));
    assert_eq!(data[4..6], [0x1D, 0x12]);
    assert!(data[6..].iter().all(|byte| *byte == 0), "nothing can be changed");
    assert_eq!(good(rig.send(1, mode6(0x3F).cdb())).len(), 4, "a drive has a header and no page");
}

#[test]
fn read_element_status_reports_each_type_with_tags() {
    let mut rig = rig_of(stocked().cleaning_cartridge("CLN001L1").cartridge_at(11, "IN0001L8"));
    let data = good(rig.send(0, read(None).cdb()));
    let status = ElementStatus::parse(&data).unwrap();
    assert_eq!((status.first_element().0, status.elements_available()), (1, 1 + 24 + 4 + 2));
    assert_eq!(data.len(), 8 + status.byte_count() as usize);
    let types: Vec<_> = status.pages().map(|page| page.element_type().unwrap()).collect();
    assert_eq!(types, ElementType::ALL);
    let elements: Vec<_> = status.elements().collect();
    let find = |address: u16| *elements.iter().find(|element| element.address().0 == address).unwrap();
    assert_eq!(find(1000).volume_tag().unwrap().identifier(), "VT0001L8");
    assert_eq!(find(1000).medium_type(), MediumType::Data);
    assert_eq!(find(1020).medium_type(), MediumType::Cleaning);
    assert!(!find(1021).full() && find(1021).access() && find(1021).volume_tag().is_none());
    assert!(find(11).full() && find(11).import_export() && find(11).import_enabled());
    assert!(!find(10).import_export() && find(10).export_enabled());
    assert!(!find(500).full() && find(500).access());
    assert!(elements.iter().all(|element| element.exception().is_none() && element.source().is_none()));
}

#[test]
fn read_element_status_keeps_to_start_count_and_allocation() {
    let mut rig = rig();
    let storage = ReadElementStatus { start: at(1010), count: 3, ..read(Some(ElementType::Storage)) };
    let data = good(rig.send(0, storage.cdb()));
    let status = ElementStatus::parse(&data).unwrap();
    let addresses: Vec<_> = status.elements().map(|element| element.address().0).collect();
    assert_eq!(addresses, [1010, 1011, 1012]);
    assert_eq!(data.len(), 8 + 8 + 3 * 52);

    let data = good(rig.send(0, ReadElementStatus { allocation: 100, ..storage }.cdb()));
    let status = ElementStatus::parse(&data).unwrap();
    assert_eq!((data.len(), status.byte_count(), status.is_truncated()), (100, 8 + 3 * 52, true));
    assert!(good(rig.send(0, ReadElementStatus { allocation: 0, ..storage }.cdb())).is_empty());

    let beyond = ReadElementStatus { start: at(2000), ..storage };
    let data = good(rig.send(0, beyond.cdb()));
    assert_eq!(ElementStatus::parse(&data).unwrap().elements_available(), 0);
    let across = ReadElementStatus { start: at(501), count: 2, ..read(None) };
    let data = good(rig.send(0, across.cdb()));
    let addresses: Vec<_> =
        ElementStatus::parse(&data).unwrap().elements().map(|element| element.address().0).collect();
    assert_eq!(addresses, [1000, 1001], "types come in the order of their codes");
}

#[test]
fn no_more_data_comes_than_the_initiator_takes() {
    let mut rig = rig();
    let now = rig.now();
    let key = rig.device.submit(now, 0, read(None).cdb().as_bytes(), &[], 10);
    let outcome = rig.device.take(key);
    assert!(matches!(outcome, Some(Outcome::Answered(answer)) if answer.data.len() == 10));
}

#[test]
fn device_identifiers_tell_the_drives_serial_numbers() {
    let mut rig = rig();
    let asks = ReadElementStatus { device_ids: true, ..read(Some(ElementType::Drive)) };
    let data = good(rig.send(0, asks.cdb()));
    let status = ElementStatus::parse(&data).unwrap();
    assert_eq!(status.pages().next().unwrap().descriptor_length(), 86);
    let serials: Vec<_> =
        status.elements().map(|element| element.device_id().unwrap().serial().unwrap().to_owned()).collect();
    assert_eq!(serials, ["0004200001", "0004200002"]);
    let id = status.elements().next().unwrap().device_id().unwrap();
    assert_eq!((id.bytes.len(), id.vendor(), id.product()), (34, Some("AUTOCHGR"), Some("SIM LTO-8")));
    let without_tags = ReadElementStatus { volume_tags: false, ..asks };
    let data = good(rig.send(0, without_tags.cdb()));
    assert_eq!(ElementStatus::parse(&data).unwrap().pages().next().unwrap().descriptor_length(), 50);
}

#[test]
fn wrong_commands_are_refused_with_what_is_wrong() {
    let mut rig = rig();
    assert_eq!(code(&rig.send_bytes(0, &[0x16, 0, 0, 0, 0, 0])), (5, 0x20, 0x00));
    assert_eq!(code(&rig.send_bytes(1, &[0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])), (5, 0x20, 0x00));
    let mut control = [0; 12];
    control[..2].copy_from_slice(&[0xB8, 0x12]);
    control[11] = 0x40;
    let refused = rig.send_bytes(0, &control);
    assert_eq!((code(&refused), pointer(&refused)), ((5, 0x24, 0x00), Some(11)));
    assert_eq!(code(&rig.send_bytes(0, &[0xA5, 0])), (5, 0x24, 0x00));
}

#[test]
fn prevent_locks_the_library_against_hands_until_every_nexus_allows() {
    let mut rig = rig();
    let other = Unit { nexus: Nexus(7), lun: 0 };
    rig.send(other, ready());
    let prevent = |prevent| PreventAllowMediumRemoval { prevent }.cdb();
    good(rig.send(0, prevent(true)));
    good(rig.send(other, prevent(true)));
    good(rig.send(0, prevent(false)));
    assert!(rig.device.operator_put(at(10), "X").is_err());
    rig.device.forget(Nexus(7));
    rig.device.operator_put(at(10), "X").unwrap();
}
