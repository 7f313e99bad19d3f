//! Habits of libraries that show with a port, with hands in the library, or with a second initiator.

mod common;

use std::time::Duration;

use autochanger_scsi::{
    Cdb, ElementStatus, ElementType, InitializeElementStatus, OpenCloseImportExport, PortAction,
    PreventAllowMediumRemoval, ReadElementStatus, ReportLuns,
};
use autochanger_sim::{Nexus, OperatorError, Quirk, Timing, Unit};
use common::{Rig, at, code, good, move_medium, read, ready, rig_of, stocked};

const OTHER: Unit = Unit { nexus: Nexus(1), lun: 0 };

fn with(quirk: Quirk) -> Rig {
    rig_of(stocked().quirk(quirk).timing(Timing::midrange()))
}

fn prevent(prevent: bool) -> Cdb {
    PreventAllowMediumRemoval { prevent }.cdb()
}

fn port(action: PortAction) -> Cdb {
    OpenCloseImportExport { element: at(10), action }.cdb()
}

fn slots(rig: &mut Rig) -> usize {
    let data = good(rig.send(0, read(Some(ElementType::Storage)).cdb()));
    ElementStatus::parse(&data).unwrap().elements().count()
}

#[test]
fn what_is_prevented_is_ended_by_anybody_prevents_nothing_or_is_not_known() {
    let mut rig = with(Quirk::AllowClearsAll);
    rig.send(OTHER, ready());
    good(rig.send(0, prevent(true)));
    assert!(rig.device.is_locked());
    good(rig.send(OTHER, prevent(false)));
    assert!(!rig.device.is_locked());
    // As it is usual, each lets go of what it holds.
    let mut rig = rig_of(stocked());
    rig.send(OTHER, ready());
    good(rig.send(0, prevent(true)));
    good(rig.send(OTHER, prevent(false)));
    assert_eq!(rig.device.operator_take(1000), Err(OperatorError::Locked));

    let mut rig = with(Quirk::PreventIgnored);
    good(rig.send(0, prevent(true)));
    assert!(!rig.device.is_locked());
    let mut rig = with(Quirk::NoPrevent);
    assert_eq!(code(&rig.send(0, prevent(true))), (5, 0x20, 0x00));
    // A drive is locked all the same.
    good(rig.send(1, prevent(true)));
}

#[test]
fn a_tray_command_is_not_known_or_takes_the_magazine() {
    assert_eq!(code(&with(Quirk::NoPortCommand).send(0, port(PortAction::Open))), (5, 0x20, 0x00));
    let mut rig = with(Quirk::PortCommandIsMagazine);
    good(rig.send(0, port(PortAction::Open)));
    assert_eq!(code(&rig.send(0, ready())), (6, 0x3B, 0x12));
    assert_eq!(slots(&mut rig), 0);
    assert_eq!(code(&rig.send(0, move_medium(1000, 500))), (5, 0x21, 0x01));
    good(rig.send(0, port(PortAction::Close)));
    assert_eq!(code(&rig.send(0, ready())), (6, 0x3B, 0x13));
    assert_eq!(slots(&mut rig), 24);
    // Nor without leave.
    good(rig.send(0, prevent(true)));
    assert_eq!(code(&rig.send(0, port(PortAction::Open))), (5, 0x53, 0x02));
}

#[test]
fn ports_are_not_moved_to_nor_from() {
    let mut rig = with(Quirk::NoPortMoves);
    rig.device.operator_put(11, "NEW001L8").unwrap();
    assert_eq!(code(&rig.send(0, ready())), (6, 0x28, 0x01));
    for (from, to) in [(1000, 10), (11, 1020)] {
        assert_eq!(code(&rig.send(0, move_medium(from, to))), (5, 0x21, 0x01));
    }
    rig.moves(1000, 500);
}

#[test]
fn a_move_of_one_initiator_is_told_to_the_others() {
    for (quirk, heard) in [(Some(Quirk::AttentionOnForeignMove), (6, 0x28, 0x00)), (None, (0, 0, 0))] {
        let mut rig = rig_of(quirk.into_iter().fold(stocked(), |library, quirk| library.quirk(quirk)));
        rig.send(OTHER, ready());
        rig.moves(1000, 500);
        assert_eq!(code(&rig.send(OTHER, ready())), heard);
        good(rig.send(0, ready()));
    }
}

#[test]
fn while_it_looks_at_its_elements_it_does_nothing_else() {
    for (quirk, heard) in [(Some(Quirk::RefusesWhileScanning), (2, 0x04, 0x01)), (None, (0, 0, 0))] {
        let library = stocked().timing(Timing::midrange());
        let mut rig = rig_of(quirk.into_iter().fold(library, |library, quirk| library.quirk(quirk)));
        let scan = rig.start(0, InitializeElementStatus {}.cdb());
        rig.pass(Duration::from_secs(2));
        assert_eq!(code(&rig.send(0, read(Some(ElementType::Storage)).cdb())), heard);
        good(rig.answer(scan));
        assert_eq!(slots(&mut rig), 24);
    }
}

#[test]
fn labels_are_in_doubt_after_the_door_until_they_are_scanned() {
    let mut rig = with(Quirk::LabelsDoubtfulAfterDoor);
    let doubtful = |rig: &mut Rig| {
        let data = good(rig.send(0, read(Some(ElementType::Storage)).cdb()));
        let report = ElementStatus::parse(&data).unwrap();
        let code = |it: autochanger_scsi::Element<'_>| it.exception().map(|code| (code.asc, code.ascq));
        report.elements().filter(|it| code(*it) == Some((0x83, 0x03))).count()
    };
    assert_eq!(doubtful(&mut rig), 0);
    rig.device.operator_open_door().unwrap();
    rig.device.operator_close_door();
    rig.pass(Duration::from_secs(60));
    assert_eq!(code(&rig.send(0, ready())), (6, 0x28, 0x00));
    assert_eq!(doubtful(&mut rig), 24);
    good(rig.send(0, InitializeElementStatus {}.cdb()));
    assert_eq!(doubtful(&mut rig), 0);
}

#[test]
fn a_bay_without_a_drive_has_an_element_and_no_logical_unit() {
    for (quirk, reported, refused) in [
        (Quirk::EmptyBays(1), (0x82, 0x00), (5, 0x3B, 0x1A)),
        (Quirk::GhostDrives(1), (0x83, 0x04), (5, 0x80, 0x06)),
    ] {
        let mut rig = rig_of(stocked().drives(2));
        rig.device.quirk(quirk);
        let drives = ReadElementStatus { device_ids: true, ..read(Some(ElementType::Drive)) };
        let data = good(rig.send(0, drives.cdb()));
        let report = ElementStatus::parse(&data).unwrap();
        let said: Vec<_> = report.elements().map(|it| (it.exception(), it.device_id().is_some())).collect();
        let code_of = autochanger_scsi::AdditionalSense::new(reported.0, reported.1);
        assert_eq!(said, [(None, true), (Some(code_of), false)]);
        let luns = good(rig.send(0, ReportLuns { select: 0, allocation: 256 }.cdb()));
        assert_eq!(luns.len(), 8 + 2 * 8);
        assert_eq!(code(&rig.send(2, ready())), (5, 0x25, 0x00));
        assert_eq!(code(&rig.send(0, move_medium(1000, 501))), refused);
        rig.moves(1000, 500);
    }
}

#[test]
fn a_report_that_is_cut_ends_with_a_whole_descriptor() {
    let mut rig = rig_of(stocked());
    let whole = good(rig.send(0, read(Some(ElementType::Storage)).cdb()));
    rig.device.quirk(Quirk::CutAtDescriptor);
    for allocation in 0..whole.len() {
        let asked = ReadElementStatus { allocation: allocation as u32, ..read(Some(ElementType::Storage)) };
        let data = good(rig.send(0, asked.cdb()));
        assert_eq!(data, whole[..data.len()]);
        let descriptors = data.len().saturating_sub(16);
        assert_eq!(descriptors % 52, 0, "{allocation}");
        assert!(allocation - data.len() < 52, "{allocation}: no more is left out than a descriptor");
    }
}
