//! Hands in the library, and libraries that deviate.

mod common;

use std::time::Duration;

use autochanger_scsi::{
    ElementAddressAssignment, ElementStatus, ElementType, ModeSense10, ReadElementStatus,
};
use autochanger_sim::{Fault, LayoutError, Library, OperatorError, Quirk, Timing};

use common::*;

#[test]
fn a_cartridge_put_into_a_port_is_announced_and_marked() {
    let mut rig = rig();
    rig.device.operator_put(at(12), "NEW001L8").unwrap();
    assert_eq!(code(&rig.send(0, ready())), (6, 0x28, 0x01));
    let data = good(rig.send(0, read(Some(ElementType::ImportExport)).cdb()));
    let status = ElementStatus::parse(&data).unwrap();
    let port = status.elements().find(|element| element.address() == at(12)).unwrap();
    assert!(port.full() && port.import_export());
    assert_eq!(rig.device.operator_put(at(12), "X"), Err(OperatorError::Full(at(12))));
    rig.moves(12, 1020);
    assert_eq!(rig.device.operator_take(at(1020)).unwrap(), "NEW001L8");
    assert_eq!(code(&rig.send(0, ready())), (6, 0x28, 0x00));
    assert_eq!(rig.device.operator_take(at(1020)), Err(OperatorError::Empty(at(1020))));
    assert_eq!(rig.device.operator_take(at(7)), Err(OperatorError::NoSuchElement(at(7))));
}

#[test]
fn hands_swap_cartridges_and_lose_none() {
    let mut rig = rig();
    rig.device.operator_swap(at(1000), at(1001)).unwrap();
    rig.device.operator_swap(at(1002), at(1022)).unwrap();
    assert_eq!(
        (rig.find("VT0001L8"), rig.find("VT0002L8"), rig.find("VT0003L8")),
        (Some(1001), Some(1000), Some(1022))
    );
    rig.device.operator_swap(at(1000), at(1000)).unwrap();
    assert_eq!(rig.find("VT0002L8"), Some(1000));
}

#[test]
fn a_threaded_drive_and_a_moving_arm_are_out_of_reach() {
    let mut timing = Timing::none();
    timing.place = Duration::from_secs(10);
    let mut rig = rig_of(stocked().timing(timing));
    rig.moves(1000, 500);
    assert_eq!(rig.device.operator_take(at(500)), Err(OperatorError::InUse(at(500))));
    let key = rig.start(0, move_medium(1001, 501));
    assert_eq!(rig.device.operator_take(at(1)), Err(OperatorError::InUse(at(1))));
    good(rig.answer(key));
}

#[test]
fn a_cartridge_taken_from_under_the_arm_is_missed_and_a_filled_goal_sends_it_back() {
    let mut timing = Timing::none();
    (timing.pick, timing.place) = (Duration::from_secs(10), Duration::from_secs(10));
    let mut rig = rig_of(stocked().timing(timing));
    let key = rig.start(0, move_medium(1000, 500));
    rig.device.operator_take(at(1000)).unwrap();
    assert_eq!(code(&rig.answer(key)), (5, 0x3B, 0x0E));
    rig.send(0, ready());
    let key = rig.start(0, move_medium(1001, 1020));
    rig.pass(Duration::from_secs(15));
    rig.device.operator_put(at(1020), "INTRUDER").unwrap();
    assert_eq!(code(&rig.answer(key)), (5, 0x3B, 0x0D));
    assert_eq!((rig.find("VT0002L8"), rig.find("INTRUDER")), (Some(1001), Some(1020)));
    rig.send(0, ready());
    let key = rig.start(0, move_medium(1002, 1021));
    rig.pass(Duration::from_secs(15));
    rig.device.operator_put(at(1021), "SECOND").unwrap();
    rig.device.operator_put(at(1002), "THIRD").unwrap();
    assert_eq!(code(&rig.answer(key)), (5, 0x3B, 0x0D));
    assert_eq!(rig.find("VT0003L8"), Some(1), "with nowhere to go it stays in the arm");
}

#[test]
fn an_exception_marks_the_element_and_not_the_command() {
    let mut rig = rig();
    rig.device.inject(Fault::exception(at(1001), 0x83, 0x01));
    let data = good(rig.send(0, read(Some(ElementType::Storage)).cdb()));
    let marked: Vec<_> = ElementStatus::parse(&data)
        .unwrap()
        .elements()
        .filter_map(|element| Some((element.address().0, element.exception()?.asc)))
        .collect();
    assert_eq!(marked, [(1001, 0x83)]);
    rig.moves(1001, 500);
    rig.device.repair(at(1001));
    let data = good(rig.send(0, read(None).cdb()));
    assert!(ElementStatus::parse(&data).unwrap().elements().all(|element| element.exception().is_none()));
}

#[test]
fn quirks_of_read_element_status_refuse_what_real_libraries_refuse() {
    let drives = ReadElementStatus { device_ids: true, ..read(Some(ElementType::Drive)) };
    let all = ReadElementStatus { device_ids: true, ..read(None) };
    let untagged = ReadElementStatus { volume_tags: false, ..drives };
    let refuses = |quirk, asks: ReadElementStatus| {
        let refused = rig_of(stocked().quirk(quirk)).send(0, asks.cdb());
        (code(&refused) == (5, 0x24, 0x00)).then(|| pointer(&refused))
    };
    assert_eq!(refuses(Quirk::NoDvcid, drives), Some(Some(6)));
    assert_eq!(refuses(Quirk::NoDvcid, read(None)), None);
    assert_eq!(refuses(Quirk::DvcidDrivesOnly, all), Some(Some(6)));
    assert_eq!(refuses(Quirk::DvcidDrivesOnly, drives), None);
    assert_eq!(refuses(Quirk::NoVoltagWithDvcid, drives), Some(Some(6)));
    assert_eq!(refuses(Quirk::NoVoltagWithDvcid, untagged), None);
    assert_eq!(refuses(Quirk::RejectCurdata, read(None)), Some(Some(6)));
    let moving = ReadElementStatus { current_data: false, ..read(None) };
    assert_eq!(refuses(Quirk::RejectCurdata, moving), None);
}

#[test]
fn a_limited_report_ends_early_and_goes_on_from_the_next_element() {
    let mut rig = rig_of(stocked().quirk(Quirk::MaxElementsPerReport(10)));
    let mut start = 0;
    let mut seen = Vec::new();
    loop {
        let asks = ReadElementStatus { start: at(start), ..read(Some(ElementType::Storage)) };
        let data = good(rig.send(0, asks.cdb()));
        let page: Vec<_> = ElementStatus::parse(&data).unwrap().elements().map(|it| it.address().0).collect();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 10);
        start = last + 1;
        seen.extend(page);
    }
    assert!(seen.into_iter().eq(1000..1024));
}

#[test]
fn a_short_report_lacks_eight_bytes_and_counts_them_all_the_same() {
    let asks = read(Some(ElementType::Drive)).cdb();
    let whole = good(rig().send(0, asks));
    let short = good(rig_of(stocked().quirk(Quirk::ShortBy8)).send(0, asks));
    assert_eq!(short, whole[..whole.len() - 8]);
    let cut = ReadElementStatus { allocation: 40, ..read(Some(ElementType::Drive)) };
    assert_eq!(good(rig_of(stocked().quirk(Quirk::ShortBy8)).send(0, cut.cdb())).len(), 40);
}

#[test]
fn a_library_may_hide_its_arm_and_still_move() {
    let mut rig = rig_of(stocked().quirk(Quirk::TransportCountZero));
    let data = good(rig.send(0, ModeSense10 { page: 0x1D, allocation: 64, ..ModeSense10::default() }.cdb()));
    let page = autochanger_scsi::ModeParameters::parse10(&data).unwrap().page(0x1D, 0).unwrap();
    assert_eq!(ElementAddressAssignment::parse(page).unwrap().transport.count, 0);
    let data = good(rig.send(0, read(None).cdb()));
    assert_eq!(ElementStatus::parse(&data).unwrap().first_element(), at(10));
    rig.moves(1000, 500);
}

#[test]
fn a_description_that_makes_no_library_says_why() {
    let error = |library: Library| library.try_build().unwrap_err();
    assert_eq!(
        error(Library::new().drives(600)),
        LayoutError::Addresses { element_type: ElementType::Drive }
    );
    assert_eq!(
        error(Library::new().slots(1).cartridges("A{}", 1..=2)),
        LayoutError::NoRoom { barcode: "A2".into() }
    );
    assert_eq!(error(Library::new().cartridge_at(5, "A")), LayoutError::Place { address: at(5) });
    assert_eq!(error(Library::new().cartridges("{", 1..=2)), LayoutError::Pattern { pattern: "{".into() });
    assert_eq!(error(Library::new().first_drive(2000).drives(20_000)), LayoutError::TooManyDrives);
    let large = Library::new().first_slot(1000).slots(64_536).try_build().unwrap();
    assert_eq!(large.contents().len(), 1 + 64_536 + 4 + 2);
}

#[test]
fn libraries_without_a_serial_number_get_different_ones() {
    assert_ne!(Library::new().build().serial(), Library::new().build().serial());
}

#[test]
fn an_open_door_stops_the_library_and_is_announced_when_the_cells_were_seen() {
    let mut timing = Timing::none();
    timing.scan = Duration::from_secs(1);
    let mut rig = rig_of(stocked().timing(timing));
    rig.device.operator_open_door().unwrap();
    assert_eq!(code(&rig.send(0, ready())), (2, 0x04, 0x18));
    let key = rig.start(0, move_medium(1000, 500));
    assert_eq!(code(&rig.answer(key)), (2, 0x04, 0x18));
    assert_eq!(rig.find("VT0001L8"), Some(1000));
    rig.device.operator_close_door();
    assert_eq!(code(&rig.send(0, ready())), (2, 0x04, 0x01));
    rig.pass(Duration::from_secs(24));
    assert_eq!(code(&rig.send(0, ready())), (6, 0x28, 0x00));
    good(rig.send(0, ready()));
    rig.moves(1000, 500);
}

#[test]
fn a_door_that_was_opened_again_during_the_scan_stays_open() {
    let mut timing = Timing::none();
    timing.scan = Duration::from_secs(1);
    let mut rig = rig_of(stocked().timing(timing));
    rig.device.operator_open_door().unwrap();
    rig.device.operator_close_door();
    rig.pass(Duration::from_secs(5));
    rig.device.operator_open_door().unwrap();
    rig.pass(Duration::from_secs(100));
    assert_eq!(code(&rig.send(0, ready())), (2, 0x04, 0x18));
}

/// The serial number of the drive that answers there (VPD page 80h).
fn serial_of(rig: &mut Rig, lun: u16) -> String {
    let data = good(rig.send(lun, autochanger_scsi::Inquiry { vpd: Some(0x80), allocation: 64 }.cdb()));
    autochanger_scsi::vpd::UnitSerial::parse(&data).unwrap().serial().to_string()
}

#[test]
fn drives_change_their_bays_with_what_is_in_them_and_hosts_are_told() {
    let mut rig = rig();
    let (first, second) = (serial_of(&mut rig, 1), serial_of(&mut rig, 2));
    rig.moves(1000, 500);
    assert_eq!(code(&rig.send(1, ready())), (6, 0x28, 0x00));
    assert_eq!(rig.device.replace_drive(at(500), "NEW"), Err(OperatorError::Full(at(500))));
    assert_eq!(rig.device.replace_drive(at(1000), "NEW"), Err(OperatorError::NoSuchElement(at(1000))));
    rig.device.swap_drives(at(500), at(501)).unwrap();
    assert_eq!((serial_of(&mut rig, 1), serial_of(&mut rig, 2)), (second, first));
    assert_eq!(rig.find("VT0001L8"), Some(501));
    assert_eq!(code(&rig.send(0, ready())), (6, 0x3B, 0x1A));
    assert_eq!(code(&rig.send(0, ready())), (6, 0x3B, 0x1B));
    for lun in [1, 2] {
        assert_eq!(code(&rig.send(lun, ready())), (6, 0x29, 0x00));
        assert_eq!(code(&rig.send(lun, ready())), (6, 0x3F, 0x03));
    }
    rig.device.replace_drive(at(500), "NEW0000001").unwrap();
    assert_eq!(serial_of(&mut rig, 1), "NEW0000001");
    assert_eq!((code(&rig.send(0, ready())).1, code(&rig.send(0, ready())).1), (0x3B, 0x3B));
    rig.moves(501, 1000);
}

#[test]
fn a_sled_that_is_pulled_at_work_takes_its_cartridge_with_it_and_its_command_has_no_answer() {
    let mut timing = Timing::none();
    timing.unload = Duration::from_secs(20);
    timing.load = Duration::from_secs(10);
    timing.fast_load = true;
    let mut rig = rig_of(stocked().timing(timing));
    let second = serial_of(&mut rig, 2);
    rig.moves(1000, 500);
    assert_eq!(rig.device.swap_drives(at(500), at(501)), Err(OperatorError::InUse(at(500))), "it loads");
    rig.pass(Duration::from_secs(10));
    assert_eq!(code(&rig.send(1, ready())), (6, 0x28, 0x00));
    let unload = autochanger_scsi::LoadUnload {
        immediate: false,
        load: false,
        retension: false,
        end_of_tape: false,
        hold: false,
    };
    let key = rig.start(1, unload.cdb());
    rig.device.swap_drives_at_work(at(500), at(501)).unwrap();
    assert!(matches!(rig.finish(key), autochanger_sim::Outcome::Lost));
    assert_eq!((serial_of(&mut rig, 1), rig.find("VT0001L8")), (second, Some(501)));
    // With power again it threads its tape, and lets nobody have it.
    rig.pass(Duration::from_secs(30));
    for expected in [(6, 0x29, 0x00), (6, 0x3F, 0x03), (6, 0x28, 0x00)] {
        assert_eq!(code(&rig.send(2, ready())), expected);
    }
    good(rig.send(2, ready()));
    assert_eq!(rig.device.pull_drive(at(501), "NEW0000001").unwrap().as_deref(), Some("VT0001L8"));
    assert_eq!((serial_of(&mut rig, 2).as_str(), rig.find("VT0001L8")), ("NEW0000001", None));
    assert_eq!(rig.device.pull_drive(at(501), "NEW0000002"), Ok(None));
}

#[test]
fn elements_that_are_renumbered_keep_what_is_in_them_and_hosts_are_told() {
    let mut rig = rig();
    rig.moves(1000, 500);
    rig.device.renumber(ElementType::Drive, at(256)).unwrap();
    rig.device.renumber(ElementType::Storage, at(4096)).unwrap();
    assert!(rig.device.renumber(ElementType::Storage, at(255)).is_err(), "drives are there");
    assert_eq!(code(&rig.send(0, ready())), (6, 0x2A, 0x01));
    assert_eq!((rig.find("VT0001L8"), rig.find("VT0002L8")), (Some(256), Some(4097)));
    let data = good(rig.send(0, read(Some(ElementType::Drive)).cdb()));
    let first = ElementStatus::parse(&data).unwrap().elements().next().unwrap();
    assert_eq!((first.address().0, first.source()), (256, Some(at(4096))));
    rig.moves(256, 4096);
    assert_eq!(rig.find("VT0001L8"), Some(4096));
}
