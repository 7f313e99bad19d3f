//! A path that is lost, or left, while something is under way to a drive.

use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::request::State;
use autochanger_engine::view::PathState;
use autochanger_sim::{Access, Fault, Timing};
use autochanger_world::{World, dismount};

use super::{
    FIRST, SECOND, description, has_ended, is_active, is_ready, keys, paths, ready, sent_by, set, with_paths,
};

/// A library that takes a second for each command, so that things happen between them.
fn slow() -> World {
    let mut timing = Timing::midrange();
    timing.command = Duration::from_secs(1);
    let mut world = with_paths(description().timing(timing).build(), &[], &[FIRST, SECOND]);
    world.until("it is ready", is_ready);
    world
}

#[test]
fn nothing_is_sent_over_a_path_that_is_being_left() {
    let mut world = slow();
    let first = world.mount("VT0001L8");
    world.until("it has moved", |world| world.device.moves_done() == 1);
    // The drive that the mount waits for says that the path does not serve any more.
    set(&mut world, 0, Access::Standby);
    world.until("it is left", |world| matches!(paths(world)[0], PathState::Lost(_)));
    let from = world.device.log().len();
    let second = world.mount("VT0002L8");
    world.until("both are mounted", |world| has_ended(world, first) && has_ended(world, second));
    for id in [first, second] {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    let sent = sent_by(&world, 0, from);
    assert!(!sent.contains(&0xA5), "{sent:02X?}");
    world.assert_true();
}

#[test]
fn a_mount_that_waits_for_its_drive_goes_on_over_the_other_path() {
    for access in [Access::Dead, Access::Standby] {
        let mut world = ready();
        let id = world.mount("VT0003L8");
        world.until("it has moved", |world| world.device.moves_done() == 1);
        world.until("the drive is asked", |world| sent_by(world, 0, 0).ends_with(&[0x00]));
        let moved = world.now;
        set(&mut world, 0, access);
        world.until("it is mounted", |world| has_ended(world, id));
        assert!(matches!(world.state(id), State::Passed(_)), "{access:?}: {}", world.state(id));
        let waited = world.now - moved;
        assert!(waited < Duration::from_secs(60), "{access:?}: {waited:?}");
        assert!(is_active(&world, 1));
        world.assert_true();
    }
}

#[test]
fn what_a_path_in_reserve_tells_late_is_no_news_of_the_library() {
    let mut world = ready();
    world.until("both are registered", |world| keys(world) == 2);
    let told = |world: &World| {
        let attention =
            |event: &&autochanger_engine::Event| matches!(event.kind, EventKind::Attention { .. });
        world.events.iter().filter(attention).count()
    };
    // Each path hears of it; the one in reserve when it registers again.
    world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
    let id = world.mount("VT0001L8");
    world.until("it is mounted", |world| has_ended(world, id));
    assert_eq!(told(&world), 1);
    set(&mut world, 1, Access::Dead);
    world.until("it is lost", |world| matches!(paths(world)[1], PathState::Lost(_)));
    let from = world.device.log().len();
    set(&mut world, 1, Access::Active);
    world.until("it registers", |world| sent_by(world, 1, from).contains(&0x5F));
    assert_eq!(told(&world), 1);
}

#[test]
fn a_dismount_whose_way_to_the_drive_is_lost_before_the_unload_is_sent_goes_on() {
    let mut world = slow();
    let id = world.mount("VT0001L8");
    world.until("it is mounted", |world| has_ended(world, id));
    let other = world.mount("VT0002L8");
    world.until("it has moved", |world| world.device.moves_done() == 2);
    // That the dismount has begun is on its way to the disk while the path is left.
    world.disk_held = true;
    let id = world.submit(dismount("VT0001L8")).unwrap();
    world.release_one();
    world.disk_held = true;
    set(&mut world, 0, Access::Standby);
    world.until("the other path is taken", |world| is_active(world, 1));
    world.release_disk();
    world.until("both have ended", |world| has_ended(world, id) && has_ended(world, other));
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn a_reservation_that_is_lost_together_with_its_path_is_made_anew_on_the_next() {
    // The attention of the reset is heard over the first path, which dies under the look at the reservation.
    for steps in 0..30 {
        let mut world = slow();
        let id = world.mount("VT0001L8");
        world.device.inject(Fault::unit_attention(0, 0x29, 0x00));
        for _ in 0..steps {
            world.step();
        }
        set(&mut world, 0, Access::Dead);
        world.until("it is mounted", |world| has_ended(world, id));
        assert!(matches!(world.state(id), State::Passed(_)), "{steps}: {}", world.state(id));
        world.assert_true();
    }
}
