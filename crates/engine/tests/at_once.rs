//! Mounts that are refused rather than made to wait, also when what they need is taken after they were accepted.

use autochanger_engine::catalog::Service;
use autochanger_engine::id::RequestId;
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{FailureKind, ServiceTarget, State, Submission, Wanted};
use autochanger_sim::{Library, Timing};
use autochanger_world::{World, mount, mount_in};

fn ready(drives: u16) -> World {
    let library = Library::new().slots(10).drives(drives).cartridges("VT{:04}L8", 1..=6);
    World::ready(library.timing(Timing::midrange()).build())
}

fn at_once(submission: &mut Submission) {
    submission.options.at_once = true;
}

fn submit(world: &mut World, wanted: Wanted) -> Result<RequestId, Refusal> {
    let caller = world.caller();
    world.submit_as(caller, wanted, at_once)
}

fn library_to_be(service: Service) -> Wanted {
    Wanted::SetService { target: ServiceTarget::Library(None), service }
}

#[track_caller]
fn is_busy(world: &World, id: RequestId) {
    match world.state(id) {
        State::Failed(failure) if failure.kind == FailureKind::Busy => {}
        other => panic!("{other}"),
    }
}

#[test]
fn of_two_for_one_drive_that_come_together_the_second_ends_instead_of_waiting() {
    for wanted in [mount("VT0002L8"), mount_in("VT0002L8", 500)] {
        let mut world = ready(1);
        world.disk_held = true;
        let first = submit(&mut world, mount("VT0001L8")).unwrap();
        let second = submit(&mut world, wanted).unwrap();
        world.release_disk();
        world.rest();
        assert!(matches!(world.state(first), State::Passed(_)), "{}", world.state(first));
        is_busy(&world, second);
        assert_eq!(world.device.moves_sent(), 1);
    }
}

#[test]
fn of_two_for_one_medium_the_second_ends_too() {
    let mut world = ready(2);
    world.disk_held = true;
    submit(&mut world, mount("VT0001L8")).unwrap();
    let second = submit(&mut world, mount("VT0001L8")).unwrap();
    world.release_disk();
    world.rest();
    is_busy(&world, second);
}

#[test]
fn a_library_that_does_not_serve_is_busy_before_and_after_the_mount_was_accepted() {
    let mut world = ready(2);
    world.disk_held = true;
    let mounted = submit(&mut world, mount("VT0001L8")).unwrap();
    world.submit(library_to_be(Service::Paused)).unwrap();
    world.release_disk();
    world.rest();
    is_busy(&world, mounted);
    let refused = submit(&mut world, mount("VT0001L8"));
    assert!(matches!(&refused, Err(Refusal::Busy { what }) if what.contains("paused")), "{refused:?}");
}

#[test]
fn a_group_needs_a_free_drive_for_each() {
    let mut world = ready(2);
    world.mount("VT0006L8");
    world.rest();
    let refused = world.submit_group(1, [mount("VT0001L8"), mount("VT0002L8")], at_once);
    assert!(matches!(refused, Err(Refusal::Busy { .. })), "{refused:?}");
}

#[test]
fn a_group_whose_drive_goes_to_another_mount_ends_whole_and_moves_nothing() {
    let mut world = ready(2);
    world.disk_held = true;
    // Both are accepted while the drives are free.
    let single = world.mount("VT0005L8");
    world.submit_group(1, [mount("VT0001L8"), mount("VT0002L8")], at_once).unwrap();
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(single), State::Passed(_)), "{}", world.state(single));
    let ids = [100, 101].map(|id| RequestId(uuid::Uuid::from_u128(id)));
    is_busy(&world, ids[0]);
    let State::Failed(failure) = world.state(ids[1]) else { panic!("{}", world.state(ids[1])) };
    assert_eq!(failure.kind, FailureKind::Group);
    assert_eq!(world.device.moves_sent(), 1);
}
