//! How a group ends when one of its mounts does not pass: nothing of it is mounted, and what it loaded is in a slot again.

use std::time::Duration;

use autochanger_engine::Input;
use autochanger_engine::input::Verify;
use autochanger_engine::request::{FailureKind, Place, State};
use autochanger_scsi::{ElementType, SenseKey};
use autochanger_sim::{Device, Fault, Hold, Library, Quirk, Timing};
use autochanger_world::World;

const TEST_UNIT_READY: u8 = 0x00;
const READ: u8 = 0x08;
const MOVE_MEDIUM: u8 = 0xA5;

fn library(drives: u16) -> Device {
    Library::new().slots(10).drives(drives).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange()).build()
}

fn in_drives(world: &World) -> usize {
    let contents = world.device.contents();
    contents.iter().filter(|(_, kind, barcode)| *kind == ElementType::Drive && barcode.is_some()).count()
}

fn failed(world: &World, id: autochanger_engine::id::RequestId) -> FailureKind {
    match world.state(id) {
        State::Failed(failure) => failure.kind,
        other => panic!("{other}"),
    }
}

#[test]
fn all_of_three_go_home_one_after_the_other_when_the_third_fails() {
    let mut world = World::ready(library(3));
    let ids = world.group(1, &["VT0001L8", "VT0002L8", "VT0003L8"]);
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on_move().after(1));
    world.until("one has failed", |world| ids.iter().any(|id| world.state(*id).is_final()));
    world.device.clear_faults();
    world.rest();
    for id in &ids {
        assert!(matches!(world.state(*id), State::Failed(_)), "{}", world.state(*id));
    }
    assert_eq!(in_drives(&world), 0, "what the group loaded is in its slots");
    for id in &ids {
        let State::Failed(failure) = world.state(*id) else { unreachable!() };
        assert!(
            matches!(failure.place, Some(Place::Element(place)) if place.kind == ElementType::Storage),
            "{failure}"
        );
    }
    world.assert_true();
}

#[test]
fn a_medium_whose_label_is_being_read_goes_home_with_its_group() {
    let mut world = World::with(library(2), |config| config.libraries[0].verify = Verify::Label);
    world.rest();
    let reading = world.device.hold(Hold::opcode(READ));
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.until("a label is being read", |world| world.device.held(reading) == 1);
    world
        .device
        .inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(TEST_UNIT_READY).lun(2).always());
    world.until("the other has failed", |world| ids.iter().any(|id| world.state(*id).is_final()));
    world.device.clear_faults();
    world.device.release(world.now, reading);
    // What it had stopped has an answer now.
    world.input(Input::Tick);
    world.rest();
    assert_eq!(failed(&world, ids[0]), FailureKind::Group);
    assert_eq!(failed(&world, ids[1]), FailureKind::DriveFault);
    assert!(world.device.find("VT0001L8").is_some_and(|at| at.0 >= 1000));
    world.assert_true();
}

#[test]
fn none_passes_when_hands_have_taken_the_medium_of_one_that_was_ready() {
    let mut world = World::ready(library(2));
    world.device.next_load_takes("VT0002L8", Duration::from_secs(600));
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.until("both are in drives", |world| in_drives(world) == 2);
    // By then the first is ready, and the other one still loads.
    world.wait_until(world.now + Duration::from_secs(120));
    let drive = world.device.find("VT0001L8").unwrap();
    world.device.operator_eject(drive).unwrap();
    world.device.operator_swap(drive, 1008).unwrap();
    world.submit(autochanger_world::inventory()).unwrap();
    world.rest();
    for id in &ids {
        assert!(matches!(world.state(*id), State::Failed(_)), "{}", world.state(*id));
    }
    assert!(world.engine.view().mounts().is_empty());
    assert_eq!(in_drives(&world), 0);
}

#[test]
fn what_fails_with_its_group_fails_also_when_the_power_goes_meanwhile() {
    let mut world = World::with(library(2), |config| config.libraries[0].moves_in_flight = 2);
    world.rest();
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on_move().times(1));
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.until("one has failed", |world| ids.iter().any(|id| world.state(*id).is_final()));
    assert!(!ids.iter().all(|id| world.state(*id).is_final()), "the other is on its way");
    world.crash();
    world.rest();
    for id in &ids {
        assert!(matches!(world.state(*id), State::Failed(_)), "{}", world.state(*id));
    }
    assert_eq!(in_drives(&world), 0);
    world.assert_true();
}

#[test]
fn a_cancel_of_one_stops_another_that_is_on_its_way_to_a_drive_that_nobody_can_ask() {
    let mut device = library(2);
    device.quirk(Quirk::NoDvcid);
    let mut world = World::ready(device);
    let moving = world.device.hold(Hold::opcode(MOVE_MEDIUM).after_effect());
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.until("the first is on its way", |world| world.device.held(moving) == 1);
    world.cancel(ids[1]).unwrap().unwrap();
    world.device.release(world.now, moving);
    world.input(Input::Tick);
    world.rest();
    for id in &ids {
        assert!(
            matches!(world.state(*id), State::Stopped { .. } | State::Cancelled { .. }),
            "{}",
            world.state(*id)
        );
    }
    assert!(world.engine.view().mounts().is_empty());
}
