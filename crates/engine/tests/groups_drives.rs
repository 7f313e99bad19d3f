//! Which drives a group gets: each medium one that fits it, whoever was used last, and whatever lies where.

use std::time::Duration;

use autochanger_engine::catalog::Service;
use autochanger_engine::id::RequestId;
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{FailureKind, Outcome, ServiceTarget, State, Waiting, Wanted};
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, dismount, inventory, library_to_be, mount, mount_in};

const TEST_UNIT_READY: u8 = 0x00;

fn library(drives: u16) -> Library {
    Library::new().slots(12).drives(drives).cartridges("VT{:04}L8", 1..=8).timing(Timing::midrange())
}

fn ready(drives: u16) -> World {
    World::ready(library(drives).build())
}

/// One LTO-8 and one LTO-9 drive, with media of both.
fn mixed() -> Device {
    library(2)
        .drive_product("IBM", "ULT3580-TD8")
        .drive_product_of(1, "ULT3580-TD9")
        .cartridges("NT{:04}L9", 1..=2)
        .build()
}

fn group(world: &mut World, number: u128, wanted: Vec<Wanted>) -> Vec<RequestId> {
    let asked = world.submit_group(number, wanted, |_| {});
    asked.unwrap().iter().map(|request| request.id).collect()
}

fn drive_to_be(world: &mut World, drive: u16, service: Service) -> RequestId {
    let target = ServiceTarget::Drive { library: None, drive: ElementAddress(drive) };
    world.submit(Wanted::SetService { target, service }).unwrap()
}

#[track_caller]
fn mounted_in(world: &World, id: RequestId) -> u16 {
    match world.state(id) {
        State::Passed(Outcome::Mounted { drive, .. }) => drive.0,
        other => panic!("{other}"),
    }
}

fn failed(world: &World, id: RequestId) -> FailureKind {
    match world.state(id) {
        State::Failed(failure) => failure.kind,
        other => panic!("{other}"),
    }
}

/// A medium that lies in the drive and is nobody's: its dismount is put off.
fn leave_in(world: &mut World, barcode: &str, drive: u16) {
    world.submit(mount_in(barcode, drive)).unwrap();
    world.rest();
    let caller = world.caller();
    world.submit_as(caller, dismount(barcode), |it| it.options.deferred = true).unwrap();
    world.rest();
    assert_eq!(world.device.find(barcode), Some(ElementAddress(drive)));
}

#[test]
fn who_can_use_any_drive_leaves_the_named_one_to_the_other() {
    for named in [500, 501] {
        for first in [true, false] {
            let mut world = ready(2);
            let mut wanted = vec![mount("VT0001L8"), mount_in("VT0002L8", named)];
            if !first {
                wanted.reverse();
            }
            let ids = group(&mut world, 1, wanted);
            world.rest();
            assert_eq!(mounted_in(&world, ids[usize::from(first)]), named);
            mounted_in(&world, ids[usize::from(!first)]);
            assert_eq!(world.device.moves_sent(), 2);
        }
    }
}

#[test]
fn a_medium_of_the_older_generation_leaves_the_newer_drive_to_the_one_that_needs_it() {
    for used_last in [500, 501] {
        let mut world = World::ready(mixed());
        // The other drive is the one that was not used for the longest time.
        world.submit(mount_in("VT0005L8", used_last)).unwrap();
        world.rest();
        world.dismount("VT0005L8");
        world.rest();
        let ids = world.group(1, &["VT0001L8", "NT0001L9"]);
        world.rest();
        assert_eq!(ids.iter().map(|id| mounted_in(&world, *id)).collect::<Vec<_>>(), [500, 501]);
    }
}

#[test]
fn a_group_for_which_the_drives_can_never_suffice_is_refused() {
    let mut world = World::ready(mixed());
    for wanted in
        [vec![mount("NT0001L9"), mount("NT0002L9")], vec![mount_in("VT0001L8", 501), mount("NT0001L9")]]
    {
        let refused = world.submit_group(1, wanted, |_| {});
        assert!(
            matches!(&refused, Err(Refusal::Unfit(why)) if why.contains("beside the others")),
            "{refused:?}"
        );
    }
    drive_to_be(&mut world, 500, Service::Disabled);
    world.rest();
    let refused = world.submit_group(1, [mount("VT0001L8"), mount("NT0001L9")], |_| {});
    assert!(matches!(refused, Err(Refusal::Unfit(_))), "{refused:?}");
}

#[test]
fn a_medium_that_lies_in_another_drive_than_its_own_comes_out_first() {
    let mut world = ready(2);
    leave_in(&mut world, "VT0001L8", 501);
    let ids = group(&mut world, 1, vec![mount_in("VT0001L8", 500), mount("VT0002L8")]);
    world.rest();
    assert_eq!(mounted_in(&world, ids[0]), 500);
    assert_eq!(mounted_in(&world, ids[1]), 501);
}

#[test]
fn a_medium_gives_up_the_drive_in_which_it_lies_to_one_that_can_use_no_other() {
    let mut world = ready(2);
    leave_in(&mut world, "VT0001L8", 500);
    let ids = group(&mut world, 1, vec![mount("VT0001L8"), mount_in("VT0002L8", 500)]);
    world.rest();
    assert_eq!(ids.iter().map(|id| mounted_in(&world, *id)).collect::<Vec<_>>(), [501, 500]);
}

#[test]
fn a_medium_stays_in_the_drive_in_which_it_lies_and_a_strange_one_makes_way() {
    let mut world = ready(2);
    leave_in(&mut world, "VT0001L8", 500);
    leave_in(&mut world, "VT0005L8", 501);
    let moves = world.device.moves_sent();
    let ids = world.group(1, &["VT0002L8", "VT0001L8"]);
    world.rest();
    assert_eq!(ids.iter().map(|id| mounted_in(&world, *id)).collect::<Vec<_>>(), [501, 500]);
    assert_eq!(world.device.moves_sent(), moves + 2);
}

#[test]
fn a_medium_in_a_paused_drive_is_mounted_in_another_one() {
    let mut world = ready(3);
    leave_in(&mut world, "VT0001L8", 500);
    drive_to_be(&mut world, 500, Service::Paused);
    world.rest();
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.rest();
    let mut drives: Vec<_> = ids.iter().map(|id| mounted_in(&world, *id)).collect();
    drives.sort_unstable();
    assert_eq!(drives, [501, 502]);
}

#[test]
fn nothing_is_kept_for_a_group_while_a_drive_that_it_names_is_paused() {
    let mut world = ready(2);
    drive_to_be(&mut world, 500, Service::Paused);
    world.rest();
    let ids = group(&mut world, 1, vec![mount("VT0001L8"), mount_in("VT0002L8", 500)]);
    world.rest();
    let single = world.mount("VT0003L8");
    world.rest();
    assert_eq!(mounted_in(&world, single), 501);
    drive_to_be(&mut world, 500, Service::Enabled);
    world.dismount("VT0003L8");
    world.rest();
    assert_eq!(ids.iter().map(|id| mounted_in(&world, *id)).collect::<Vec<_>>(), [501, 500]);
}

#[test]
fn a_member_that_is_moved_again_keeps_its_drive_from_a_group_that_comes_before() {
    let mut world = ready(2);
    // Becoming ready: the move is refused, and asked for again after a pause.
    world.device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x01).on_move().after(1).times(3));
    let first = world.group(1, &["VT0001L8", "VT0002L8"]);
    let urgent = |it: &mut autochanger_engine::request::Submission| it.priority = 15;
    let second = world.submit_group(2, [mount("VT0003L8"), mount("VT0004L8")], urgent).unwrap();
    world.rest();
    for id in first {
        mounted_in(&world, id);
    }
    world.dismount("VT0001L8");
    world.dismount("VT0002L8");
    world.rest();
    for request in second {
        mounted_in(&world, request.id);
    }
}

#[test]
fn two_groups_that_share_a_medium_are_served_one_after_the_other() {
    let mut world = ready(4);
    let first = world.group(1, &["VT0001L8", "VT0002L8"]);
    let second = world.group(2, &["VT0002L8", "VT0003L8"]);
    let third = world.group(3, &["VT0003L8", "VT0001L8"]);
    world.rest();
    for group in [first, second, third] {
        let drives: Vec<_> = group.iter().map(|id| mounted_in(&world, *id)).collect();
        assert_eq!(drives.len(), 2);
        for barcode in ["VT0001L8", "VT0002L8", "VT0003L8"] {
            if world.device.find(barcode).is_some_and(|at| at.0 < 1000) {
                world.dismount(barcode);
            }
        }
        world.rest();
    }
}

#[test]
fn a_drive_that_is_paused_after_the_group_has_begun_is_left_for_another_one() {
    let mut world = ready(4);
    let ids = world.group(1, &["VT0001L8", "VT0002L8", "VT0003L8"]);
    drive_to_be(&mut world, 502, Service::Paused);
    world.rest();
    let drives: Vec<_> = ids.iter().map(|id| mounted_in(&world, *id)).collect();
    assert_eq!(drives, [500, 501, 503]);
}

#[test]
fn who_has_media_in_drives_goes_before_a_group_that_only_keeps_some() {
    let mut world = ready(4);
    let first = world.group(1, &["VT0001L8", "VT0002L8", "VT0003L8"]);
    // It keeps the fourth drive, and waits for one of the others.
    let second = world.group(2, &["VT0004L8", "VT0005L8"]);
    drive_to_be(&mut world, 502, Service::Paused);
    world.rest();
    let drives: Vec<_> = first.iter().map(|id| mounted_in(&world, *id)).collect();
    assert_eq!(drives, [500, 501, 503]);
    for barcode in ["VT0001L8", "VT0002L8"] {
        world.dismount(barcode);
    }
    world.rest();
    for request in second {
        mounted_in(&world, request);
    }
}

#[test]
fn a_medium_of_a_group_that_does_not_come_ready_is_tried_in_another_free_drive() {
    let mut world = ready(3);
    world
        .device
        .inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(TEST_UNIT_READY).lun(2).always());
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.rest();
    let mut drives: Vec<_> = ids.iter().map(|id| mounted_in(&world, *id)).collect();
    drives.sort_unstable();
    assert_eq!(drives, [500, 502]);
    world.assert_true();
}

#[test]
fn where_no_other_drive_is_free_the_group_fails_instead_of_waiting_with_what_it_has() {
    let mut world = ready(2);
    world
        .device
        .inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(TEST_UNIT_READY).lun(2).always());
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.rest();
    assert_eq!(
        ids.iter().map(|id| failed(&world, *id)).collect::<Vec<_>>(),
        [FailureKind::Group, FailureKind::DriveFault]
    );
    assert!(world.engine.view().mounts().is_empty());
}

#[test]
fn drives_that_failed_with_one_medium_after_another_are_a_groups_last_choice() {
    let mut world = World::with(library(3).build(), |config| config.libraries[0].suspect_after = 1);
    world.rest();
    world
        .device
        .inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(TEST_UNIT_READY).lun(1).always());
    world.mount("VT0005L8");
    world.rest();
    world.device.clear_faults();
    world.dismount("VT0005L8");
    world.rest();
    world.wait_until(world.now + Duration::from_secs(60));
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.rest();
    let mut drives: Vec<_> = ids.iter().map(|id| mounted_in(&world, *id)).collect();
    drives.sort_unstable();
    assert_eq!(drives, [501, 502]);
}

/// The one drive is kept with its medium in it while the group waits for the other; somebody else wants that medium.
fn kept_for_a_group() -> (World, RequestId, Vec<RequestId>) {
    let mut world = ready(3);
    world.submit(mount_in("VT0003L8", 501)).unwrap();
    leave_in(&mut world, "VT0002L8", 500);
    let ids = group(&mut world, 7, vec![mount_in("VT0006L8", 501), mount_in("VT0002L8", 500)]);
    let id = world.mount("VT0002L8");
    world.rest();
    assert_eq!(shown(&world, id), State::Waiting(Waiting::Medium));
    (world, id, ids)
}

fn shown(world: &World, id: RequestId) -> State {
    world.engine.view().request(id).expect("it is live").state
}

#[test]
fn who_wants_a_medium_that_a_group_keeps_in_its_drive_waits_for_the_medium_also_when_the_group_has_it() {
    let (mut world, id, ids) = kept_for_a_group();
    world.dismount("VT0003L8");
    world.rest();
    assert_eq!(ids.iter().map(|id| mounted_in(&world, *id)).collect::<Vec<_>>(), [501, 500]);
    assert_eq!(shown(&world, id), State::Waiting(Waiting::Medium));
    world.dismount("VT0002L8");
    world.rest();
    mounted_in(&world, id);
    world.assert_true();
}

#[test]
fn who_wants_a_medium_that_a_group_keeps_in_its_drive_gets_it_when_the_group_gives_up() {
    let (mut world, id, ids) = kept_for_a_group();
    let _ = world.cancel(ids[0]);
    world.rest();
    assert_eq!(mounted_in(&world, id), 500);
    world.assert_true();
}

#[test]
fn a_group_for_which_hands_leave_too_few_fitting_drives_fails_and_says_so() {
    let library = Library::new().slots(10).drives(2).drive_product_of(0, "SIM LTO-7");
    let library = library.cartridge_at(1000, "VT0001L8").cartridge_at(1001, "VT0002L7");
    let mut world = World::ready(library.timing(Timing::midrange()).build());
    world.submit(library_to_be(Service::Paused)).unwrap();
    world.rest();
    let wanted = [mount("VT0001L8"), mount_in("VT0002L7", 500)];
    let ids = world.submit_group(1, wanted, |_| {}).unwrap();
    world.rest();
    // The drive that one names is another one now, and the only one that the other can use.
    world.device.swap_drives(500, 501).unwrap();
    world.device.replace_drive(501, "SLED000004").unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    world.submit(library_to_be(Service::Enabled)).unwrap();
    world.rest();
    let mut kinds: Vec<FailureKind> = ids
        .iter()
        .map(|request| match world.state(request.id) {
            State::Failed(failure) => failure.kind,
            other => panic!("{other}"),
        })
        .collect();
    kinds.sort_by_key(|kind| *kind == FailureKind::Group);
    assert_eq!(kinds, [FailureKind::Incompatible, FailureKind::Group]);
    assert_eq!(world.device.moves_sent(), 0);
}
