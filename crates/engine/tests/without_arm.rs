//! What needs no arm does not wait for one.

use autochanger_engine::catalog::{Label, MotionState};
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{CancelAccepted, Outcome, State, Waiting, Wanted};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Library, Timing};
use autochanger_world::{World, dismount, mount};

fn world() -> World {
    let mut timing = Timing::midrange();
    timing.jitter_percent = 0;
    let library = Library::new().slots(12).drives(4).cartridges("VT{:04}L8", 1..=9).timing(timing);
    let mut world = World::ready(library.build());
    world.rest();
    world
}

/// The arm works for one mount, and the next one is prepared: nothing that needs it can begin.
fn keep_arm_busy(world: &mut World) {
    let moves = world.device.moves_sent();
    for barcode in ["VT0007L8", "VT0008L8"] {
        world.mount(barcode);
    }
    world.until("the arm works", |world| world.device.moves_sent() == moves + 1);
    let prepared = |world: &mut World| {
        world.engine.view().requests().iter().filter(|request| request.state == State::InProcess).count() >= 2
    };
    world.until("the next motion is prepared", prepared);
}

/// The request is there before the arm has ended what it does.
#[track_caller]
fn comes_at_once(world: &mut World, id: RequestId, is_so: impl Fn(&State) -> bool) {
    let moves = world.device.moves_sent();
    world.until("it is so", |world| is_so(&world.state(id)));
    assert_eq!(world.device.moves_sent(), moves, "the arm was waited for");
}

#[test]
fn a_dismount_is_put_off_while_the_arm_is_busy() {
    let mut world = world();
    world.mount("VT0001L8");
    world.rest();
    keep_arm_busy(&mut world);
    let caller = world.caller();
    let deferred = world
        .submit_as(caller, dismount("VT0001L8"), |submission| submission.options.deferred = true)
        .unwrap();
    comes_at_once(&mut world, deferred, |state| *state == State::Deferred);
    let again = world.mount("VT0001L8");
    comes_at_once(&mut world, again, |state| matches!(state, State::Passed(Outcome::Mounted { .. })));
    world.rest();
    world.assert_true();
}

#[test]
fn a_mount_begins_in_place_when_its_medium_comes_free_although_the_arm_is_busy() {
    let mut world = world();
    let first = world.mount("VT0001L8");
    let arrived = |world: &mut World| {
        let mut motions = world.disk.motions.values();
        motions.any(|motion| motion.request == first && motion.state == MotionState::Moved)
    };
    world.until("its medium is in the drive", arrived);
    let second = world.mount("VT0001L8");
    assert!(matches!(
        world.engine.view().request(second).unwrap().state,
        State::Queued | State::Waiting(Waiting::Medium)
    ));
    keep_arm_busy(&mut world);
    assert!(matches!(world.cancel(first), Some(Ok(CancelAccepted::Stopping))));
    assert!(matches!(world.state(first), State::Stopped { .. }));
    let moves = world.device.moves_sent();
    world.until("it begins", |world| world.state(second) == State::InProcess);
    assert_eq!(world.device.moves_sent(), moves, "the arm was waited for");
    world.rest();
    assert!(matches!(world.state(second), State::Passed(Outcome::Mounted { .. })));
    world.assert_true();
}

#[test]
fn what_only_changes_the_catalogue_passes_while_the_arm_is_busy() {
    let mut world = world();
    keep_arm_busy(&mut world);
    let slot = ElementAddress(1011);
    let label = Label { format: "LTFS".into(), id: b"1".as_slice().into(), description: "".into() };
    let label = world.submit(Wanted::UpdateLabel { cartridge: "VT0002L8".into(), label }).unwrap();
    let reserved = world.submit(Wanted::ReserveCleanerSlot { library: None, slot }).unwrap();
    for id in [label, reserved] {
        comes_at_once(&mut world, id, |state| matches!(state, State::Passed(_)));
    }
    world.rest();
    world.assert_true();
}

#[test]
fn a_mount_that_needs_the_arm_waits_for_it() {
    let mut world = world();
    keep_arm_busy(&mut world);
    let id = world.mount("VT0003L8");
    let moves = world.device.moves_sent();
    world.until("it has begun", |world| world.state(id) == State::InProcess);
    assert!(world.device.moves_sent() > moves);
    world.submit(mount("VT0004L8")).unwrap();
    world.rest();
}

#[test]
fn of_a_group_none_begins_alone_because_its_medium_is_in_a_drive() {
    let mut world = world();
    for barcode in ["VT0001L8", "VT0002L8"] {
        world.mount(barcode);
    }
    world.rest();
    let let_go = |world: &mut World, barcode| {
        let caller = world.caller();
        let put_off =
            world.submit_as(caller, dismount(barcode), |submission| submission.options.deferred = true);
        put_off.unwrap()
    };
    let_go(&mut world, "VT0001L8");
    world.rest();
    let group = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.rest();
    keep_arm_busy(&mut world);
    let moves = world.device.moves_sent();
    // The group is woken while the arm is busy, and has its turn when that is free.
    let_go(&mut world, "VT0002L8");
    let begun = |world: &World| {
        let begins = |id: &&RequestId| matches!(world.state(**id), State::InProcess | State::Passed(_));
        group.iter().filter(begins).count()
    };
    world.until("the group begins", |world| {
        assert!(begun(world) == 0 || world.device.moves_sent() > moves, "one has begun alone");
        begun(world) == 2
    });
    world.rest();
    for id in group {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    world.assert_true();
}

#[test]
fn a_drive_that_is_to_make_way_unloads_while_the_arm_is_busy() {
    let mut world = world();
    for barcode in ["VT0001L8", "VT0002L8"] {
        world.mount(barcode);
    }
    world.rest();
    let caller = world.caller();
    let deferred = world
        .submit_as(caller, dismount("VT0001L8"), |submission| submission.options.deferred = true)
        .unwrap();
    world.until("it is put off", |world| world.state(deferred) == State::Deferred);
    keep_arm_busy(&mut world);
    let moves = world.device.moves_sent();
    let unloads = |world: &World| world.device.log().filter(|it| it.opcode() == Some(0x1B)).count();
    let before = unloads(&world);
    world.mount("VT0003L8");
    world.until("the drive unloads", |world| unloads(world) > before);
    assert_eq!(world.device.moves_sent(), moves, "the arm was waited for");
    world.rest();
    world.assert_true();
}
