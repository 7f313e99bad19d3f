//! The drives and what the changer does with them.

mod common;

use std::time::Duration;

use autochanger_scsi::{
    Cdb, DriveStatus, LoadUnload, LogControl, LogSense, PreventAllowMediumRemoval, RequestSense, Sense,
    TapeAlertResponse,
};
use autochanger_sim::{Nexus, Quirk, Timing, Unit};

use common::*;

const SECOND: Duration = Duration::from_secs(1);

fn log_sense(page: u8) -> Cdb {
    let (control, allocation) = (LogControl::Cumulative, 512);
    LogSense { page, subpage: 0, control, changed_only: false, save: false, parameter: 0, allocation }.cdb()
}

fn load(load: bool, immediate: bool) -> Cdb {
    LoadUnload { load, immediate, ..LoadUnload::default() }.cdb()
}

fn slow() -> Timing {
    let mut timing = Timing::none();
    (timing.load, timing.unload, timing.clean) = (15 * SECOND, 24 * SECOND, 150 * SECOND);
    timing
}

#[test]
fn a_drive_loads_becomes_ready_once_and_ejects() {
    let mut rig = rig_of(stocked().timing(slow()));
    assert_eq!(code(&rig.send(1, ready())), (2, 0x3A, 0x00));
    rig.moves(1000, 500);
    assert_eq!(code(&rig.send(1, ready())), (2, 0x04, 0x01));
    assert_eq!(code(&rig.send(1, load(false, false))), (2, 0x04, 0x01));
    rig.pass(15 * SECOND);
    assert_eq!(code(&rig.send(1, ready())), (6, 0x28, 0x00));
    good(rig.send(1, ready()));
    assert_eq!(rig.element(500), (true, false, Some(1000), Some("VT0001L8".into())));

    let start = rig.now();
    let unload = rig.start(1, load(false, false));
    assert_eq!(code(&rig.send(1, ready())), (2, 0x04, 0x07));
    assert_eq!(rig.end_of(unload) - start, 24 * SECOND);
    assert_eq!(code(&rig.send(1, ready())), (2, 0x3A, 0x04));
    assert_eq!(rig.element(500), (true, true, Some(1000), Some("VT0001L8".into())));

    let start = rig.now();
    good(rig.send(1, load(true, true)));
    assert_eq!(rig.now(), start, "IMMED answers at once");
    assert_eq!(code(&rig.send(1, ready())), (2, 0x04, 0x01));
    rig.pass(15 * SECOND);
    assert_eq!(code(&rig.send(1, ready())), (6, 0x28, 0x00));
}

#[test]
fn a_move_unloads_a_threaded_drive_and_takes_the_time_for_it() {
    let mut rig = rig_of(stocked().timing(slow()));
    rig.moves(1000, 500);
    rig.pass(15 * SECOND);
    let start = rig.now();
    let key = rig.start(0, move_medium(500, 1000));
    assert_eq!(rig.end_of(key) - start, 24 * SECOND);
    assert_eq!(code(&rig.send(1, ready())), (6, 0x28, 0x00), "the attention of the load is still pending");
    assert_eq!(code(&rig.send(1, ready())), (2, 0x3A, 0x00));
}

#[test]
fn a_library_that_wants_the_host_to_unload_refuses_a_threaded_drive() {
    let mut rig = rig_of(stocked().quirk(Quirk::HostUnloadFirst));
    rig.moves(1000, 500);
    rig.send(1, ready());
    assert_eq!(code(&rig.send(0, move_medium(500, 1000))), (5, 0x3B, 0x90));
    good(rig.send(1, load(false, false)));
    rig.moves(500, 1000);
}

#[test]
fn prevent_on_a_drive_keeps_the_cartridge_in() {
    let mut rig = rig();
    rig.moves(1000, 500);
    let other = Unit { nexus: Nexus(3), lun: 1 };
    rig.send(other, ready());
    rig.send(1, ready());
    good(rig.send(other, PreventAllowMediumRemoval { prevent: true }.cdb()));
    assert_eq!(code(&rig.send(1, load(false, false))), (5, 0x53, 0x02));
    assert_eq!(code(&rig.send(0, move_medium(500, 1000))), (5, 0x53, 0x02));
    good(rig.send(other, PreventAllowMediumRemoval { prevent: false }.cdb()));
    rig.moves(500, 1000);
}

#[test]
fn a_cleaning_cartridge_works_and_is_ejected() {
    let mut rig = rig_of(stocked().cleaning_cartridge("CLN001L1").timing(slow()));
    rig.moves(1020, 501);
    assert_eq!(code(&rig.send(2, ready())), (2, 0x30, 0x03));
    rig.pass(150 * SECOND);
    assert_eq!(code(&rig.send(2, ready())), (2, 0x3A, 0x04));
    rig.moves(501, 1020);
}

#[test]
fn a_cartridge_in_a_drive_from_the_start_is_ready() {
    let mut rig = rig_of(stocked().cartridge_at(500, "INDRIVE1"));
    good(rig.send(1, ready()));
    assert_eq!(rig.element(500), (true, false, None, Some("INDRIVE1".into())));
}

#[test]
fn an_empty_drive_has_nothing_to_load() {
    let mut rig = rig();
    assert_eq!(code(&rig.send(1, load(true, false))), (2, 0x3A, 0x00));
    assert_eq!(code(&rig.send(1, load(false, false))), (2, 0x3A, 0x00));
    let data = good(rig.send(1, RequestSense { descriptor: false, allocation: 252 }.cdb()));
    assert_eq!(Sense::parse(&data).unwrap().code.asc, 0x3A);
}

#[test]
fn a_used_up_cleaner_is_ejected_at_once_and_told() {
    let mut rig = rig_of(stocked().cleaning_cartridge("CLN001L1").timing(slow()));
    assert!(rig.device.cleaner_lasts("CLN001L1", 1) && !rig.device.cleaner_lasts("CLN002L1", 1));
    rig.moves(1020, 501);
    rig.pass(150 * SECOND);
    rig.moves(501, 1020);
    rig.moves(1020, 501);
    assert_eq!(code(&rig.send(2, ready())), (2, 0x3A, 0x04), "it was ejected");
    let data = good(rig.send(2, log_sense(TapeAlertResponse::PAGE)));
    assert!(TapeAlertResponse::parse(&data).unwrap().0.contains(22));
}

#[test]
fn a_drive_asks_for_cleaning_until_it_was_cleaned() {
    let mut rig = rig_of(stocked().cleaning_cartridge("CLN001L1").timing(slow()));
    let status =
        |rig: &mut common::Rig| DriveStatus::parse(&good(rig.send(2, log_sense(DriveStatus::PAGE)))).unwrap();
    for required in [false, true] {
        assert!(rig.device.drive_asks_for_cleaning(501, required));
        let told = status(&mut rig);
        assert_eq!((told.cleaning_requested, told.cleaning_required), (!required, required));
        rig.moves(1020, 501);
        rig.pass(150 * SECOND);
        let told = status(&mut rig);
        assert!(!told.cleaning_requested && !told.cleaning_required);
        rig.moves(501, 1020);
    }
}
