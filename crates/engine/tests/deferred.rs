//! Dismounts that are put off, and media that stay for the next mount.

use std::time::Duration;

use autochanger_engine::catalog::{Caller, Role, Service};
use autochanger_engine::id::RequestId;
use autochanger_engine::id::SessionId;
use autochanger_engine::request::{CancelAccepted, Outcome, Place, ServiceTarget, State, Wanted};
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, dismount, mount};

fn library(drives: u16) -> Device {
    Library::new().slots(10).drives(drives).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange()).build()
}

fn put_off(world: &mut World, barcode: &str) -> RequestId {
    let caller = world.caller();
    world.submit_as(caller, dismount(barcode), |submission| submission.options.deferred = true).unwrap()
}

fn mounted(world: &mut World, barcode: &str) -> RequestId {
    let id = world.mount(barcode);
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    id
}

#[test]
fn a_medium_whose_dismount_is_put_off_stays_and_serves_the_next_mount_without_a_move() {
    let mut world = World::ready(library(2));
    mounted(&mut world, "VT0001L8");
    let off = put_off(&mut world, "VT0001L8");
    world.rest();
    assert_eq!(world.state(off), State::Deferred);
    assert!(world.engine.view().mounts().is_empty(), "the application has let go of it");
    mounted(&mut world, "VT0001L8");
    assert_eq!(world.device.moves_sent(), 1);
    assert_eq!(world.state(off), State::Passed(Outcome::KeptInDrive { drive: ElementAddress(500) }));
}

#[test]
fn one_that_began_while_its_drive_was_paused_is_not_put_off_half_done() {
    let mut world = World::ready(library(1));
    mounted(&mut world, "VT0001L8");
    let drive = ServiceTarget::Drive { library: None, drive: ElementAddress(500) };
    let both = [drive.clone(), ServiceTarget::Library(None)];
    world.submit(Wanted::SetService { target: drive, service: Service::Paused }).unwrap();
    let off = put_off(&mut world, "VT0001L8");
    // The drive unloads for it; what is left is the robot's, which rests.
    world
        .submit(Wanted::SetService { target: ServiceTarget::Library(None), service: Service::Paused })
        .unwrap();
    world.rest();
    for target in both {
        world.submit(Wanted::SetService { target, service: Service::Enabled }).unwrap();
    }
    world.rest();
    assert!(matches!(world.state(off), State::Passed(Outcome::Dismounted { .. })), "{}", world.state(off));
    mounted(&mut world, "VT0001L8");
}

#[test]
fn it_makes_way_when_the_drive_is_needed_and_not_before_it_has_dwelt() {
    let mut world = World::with(library(1), |config| config.libraries[0].dwell = Duration::from_secs(300));
    world.rest();
    mounted(&mut world, "VT0001L8");
    let off = put_off(&mut world, "VT0001L8");
    let since = world.now;
    let other = world.mount("VT0002L8");
    world.until("the second move is sent", |world| world.device.moves_sent() == 2);
    assert!(world.now - since >= Duration::from_secs(300), "{:?}", world.now - since);
    world.rest();
    assert!(matches!(world.state(off), State::Passed(Outcome::Dismounted { .. })), "{}", world.state(off));
    assert!(matches!(world.state(other), State::Passed(_)), "{}", world.state(other));
    world.assert_true();
}

#[test]
fn the_one_that_was_put_off_first_makes_way_first_and_one_that_is_wanted_last() {
    let mut world = World::ready(library(3));
    for barcode in ["VT0001L8", "VT0002L8", "VT0003L8"] {
        mounted(&mut world, barcode);
    }
    for barcode in ["VT0002L8", "VT0001L8"] {
        put_off(&mut world, barcode);
        world.rest();
        world.wait_until(world.now + Duration::from_secs(1));
    }
    mounted(&mut world, "VT0004L8");
    assert!(world.device.find("VT0002L8").unwrap().0 >= 1000, "it was put off first");
    assert!(world.device.find("VT0001L8").unwrap().0 < 1000);
}

#[test]
fn a_deferred_dismount_is_cancelled_and_the_medium_is_nobodys() {
    let mut world = World::ready(library(1));
    mounted(&mut world, "VT0001L8");
    let off = put_off(&mut world, "VT0001L8");
    world.rest();
    assert_eq!(world.cancel(off), Some(Ok(CancelAccepted::Cancelled)));
    assert_eq!(world.device.moves_sent(), 1);
    mounted(&mut world, "VT0002L8");
    world.assert_true();
}

#[test]
fn the_drive_of_one_that_was_to_make_way_and_is_cancelled_is_freed_by_the_next() {
    let mut world = World::ready(library(1));
    mounted(&mut world, "VT0001L8");
    let off = put_off(&mut world, "VT0001L8");
    world.rest();
    let (moves, next) = (world.device.moves_sent(), world.submit(mount("VT0002L8")).unwrap());
    world.until("it is to make way", |world| world.state(off) != State::Deferred);
    assert_eq!(world.engine.view().request(off).unwrap().drive, Some(ElementAddress(500)));
    let answer = world.cancel(off);
    assert!(matches!(answer, Some(Ok(_)) | None), "{answer:?}");
    world.rest();
    assert!(
        matches!(world.state(off), State::Cancelled { .. } | State::Stopped { .. }),
        "{}",
        world.state(off)
    );
    assert!(matches!(world.state(next), State::Passed(Outcome::Mounted { .. })), "{}", world.state(next));
    assert_eq!(world.device.moves_sent(), moves + 2, "out with the one, in with the other");
    world.assert_true();
}

#[test]
fn after_a_restart_it_is_put_off_still() {
    let mut world = World::ready(library(2));
    mounted(&mut world, "VT0001L8");
    let off = put_off(&mut world, "VT0001L8");
    world.rest();
    world.crash();
    world.rest();
    assert_eq!(world.state(off), State::Deferred);
    assert_eq!(world.device.moves_sent(), 1);
    mounted(&mut world, "VT0002L8");
    mounted(&mut world, "VT0003L8");
    assert!(matches!(world.state(off), State::Passed(Outcome::Dismounted { .. })), "{}", world.state(off));
}

#[test]
fn hands_that_take_the_medium_end_what_was_put_off() {
    let mut world = World::ready(library(2));
    mounted(&mut world, "VT0001L8");
    let off = put_off(&mut world, "VT0001L8");
    world.rest();
    world.device.operator_eject(ElementAddress(500)).unwrap();
    world.device.operator_take(ElementAddress(500)).unwrap();
    world.submit(autochanger_world::inventory()).unwrap();
    world.rest();
    match world.state(off) {
        State::Failed(failure) => {
            assert!(matches!(failure.place, Some(Place::Missing { .. })), "{failure:?}")
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_dismount_hands_the_medium_over_to_the_mount_that_waits_for_it() {
    let mut world = World::ready(library(2));
    mounted(&mut world, "VT0001L8");
    let other = Caller { session: SessionId(2), application: "other".into(), role: Role::Operator };
    let next = world.submit_as(other, mount("VT0001L8"), |_| {}).unwrap();
    world.rest();
    let down = world.dismount("VT0001L8");
    world.rest();
    assert_eq!(world.state(down), State::Passed(Outcome::KeptInDrive { drive: ElementAddress(500) }));
    assert!(matches!(world.state(next), State::Passed(_)), "{}", world.state(next));
    assert_eq!(world.device.moves_sent(), 1);
    assert_eq!(&*world.engine.view().mounts()[0].application, "other");
}

#[test]
fn a_dismount_to_a_slot_that_was_named_moves_whoever_waits() {
    let mut world = World::ready(library(2));
    mounted(&mut world, "VT0001L8");
    let next = world.mount("VT0001L8");
    let wanted =
        Wanted::Dismount { cartridge: "VT0001L8".into(), slot: Some(ElementAddress(1009)), force: false };
    let down = world.submit(wanted).unwrap();
    world.rest();
    assert_eq!(world.state(down), State::Passed(Outcome::Dismounted { slot: ElementAddress(1009) }));
    assert!(matches!(world.state(next), State::Passed(_)), "{}", world.state(next));
    assert_eq!(world.device.moves_sent(), 3);
}

#[test]
fn one_tape_that_everybody_wants_does_not_keep_an_older_request_out() {
    let mut world = World::ready(library(1));
    mounted(&mut world, "VT0001L8");
    let old = world.mount("VT0002L8");
    world.rest();
    world.wait_until(world.now + Duration::from_secs(3600));
    let young = world.mount("VT0001L8");
    let down = world.dismount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(down), State::Passed(Outcome::Dismounted { .. })), "{}", world.state(down));
    assert!(matches!(world.state(old), State::Passed(_)), "{}", world.state(old));
    assert!(!world.state(young).is_final());
}

#[test]
fn a_drive_that_never_lets_go_is_tried_again_with_growing_pauses_and_then_after_somebody_looked() {
    let device = Library::new()
        .slots(10)
        .drives(1)
        .cartridge_at(500, "VT0009L8")
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build();
    let mut world = World::ready(device);
    world.device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x03).on(0x1B).lun(1).always());
    let waits = world.mount("VT0001L8");
    let begun = world.now;
    world.rest();
    assert!(world.now - begun > Duration::from_secs(600), "{:?}", world.now - begun);
    assert!(!world.state(waits).is_final());
    let tried = world.disk.requests.len();
    assert!((5..15).contains(&tried), "{tried} requests in {:?}", world.now - begun);
    world.device.clear_faults();
    world.submit(autochanger_world::inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(waits), State::Passed(_)), "{}", world.state(waits));
}
