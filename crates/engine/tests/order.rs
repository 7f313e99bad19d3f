//! The order of service: places by hand, ageing, what overtakes whom.

use std::time::Duration;

use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::id::RequestId;
use autochanger_engine::id::{SessionId, Token};
use autochanger_engine::output::ReorderRefusal;
use autochanger_engine::request::State;
use autochanger_engine::{Answer, Input};
use autochanger_sim::{Device, Library, Timing};
use autochanger_world::{World, mount};

fn library() -> Device {
    Library::new().slots(10).drives(1).cartridges("VT{:04}L8", 1..=8).timing(Timing::midrange()).build()
}

fn reorder(world: &mut World, caller: Caller, id: RequestId, position: u32) -> Result<u32, ReorderRefusal> {
    let token = Token(2_000_000);
    world.input(Input::Reorder { token, caller, id, position });
    match world.answers.remove(&token.0) {
        Some(Answer::Reordered(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

/// The library with its drive in use, and mounts that wait for it.
fn waiting(count: u32) -> (World, Vec<RequestId>) {
    let mut world = World::ready(library());
    world.mount("VT0008L8");
    world.rest();
    let ids = (1..=count).map(|n| world.mount(&format!("VT{n:04}L8"))).collect();
    world.rest();
    (world, ids)
}

/// The labels in the order in which they came into the drive, each dismounted at once.
fn served(world: &mut World, first: &str, count: usize) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    world.dismount(first);
    for _ in 0..count {
        world.rest();
        let mount = &world.engine.view().mounts()[0];
        let barcode = mount.barcode.clone().unwrap().to_string();
        world.dismount(&barcode);
        order.push(barcode);
    }
    world.rest();
    order
}

#[test]
fn a_mount_that_is_put_first_is_served_first() {
    let (mut world, ids) = waiting(3);
    let caller = world.caller();
    assert_eq!(world.engine.view().queue_position(ids[2]), Some(3));
    assert_eq!(reorder(&mut world, caller.clone(), ids[2], 1), Ok(1));
    let positions: Vec<_> = ids.iter().map(|id| world.engine.view().queue_position(*id)).collect();
    assert_eq!(positions, [Some(2), Some(3), Some(1)]);
    assert_eq!(reorder(&mut world, caller.clone(), ids[0], u32::MAX), Ok(3));
    assert_eq!(reorder(&mut world, caller, ids[1], 0), Ok(1), "0 is the first, too");
    assert_eq!(served(&mut world, "VT0008L8", 3), ["VT0002L8", "VT0003L8", "VT0001L8"]);
}

#[test]
fn a_place_outlives_a_restart() {
    let (mut world, ids) = waiting(3);
    let caller = world.caller();
    reorder(&mut world, caller, ids[2], 1).unwrap();
    world.crash();
    world.rest();
    for id in &ids {
        world.adopt(*id);
    }
    world.rest();
    assert_eq!(served(&mut world, "VT0008L8", 3), ["VT0003L8", "VT0001L8", "VT0002L8"]);
}

#[test]
fn what_is_under_way_or_somebody_elses_keeps_its_place() {
    let (mut world, ids) = waiting(2);
    let other = Caller { session: SessionId(2), application: "other".into(), role: Role::Operator };
    assert!(matches!(reorder(&mut world, other, ids[1], 1), Err(ReorderRefusal::PermissionDenied { .. })));
    let hidden = Caller { session: SessionId(3), application: "third".into(), role: Role::Application };
    assert!(matches!(reorder(&mut world, hidden, ids[1], 1), Err(ReorderRefusal::NotFound { .. })));
    world.dismount("VT0008L8");
    world.until("the first moves", |world| world.disk.requests[&ids[0]].state == State::InProcess);
    let caller = world.caller();
    assert!(matches!(reorder(&mut world, caller, ids[0], 2), Err(ReorderRefusal::NotInQueue { .. })));
    assert_eq!(world.engine.view().queue_position(ids[0]), None);
}

#[test]
fn a_hundred_changes_of_places_keep_every_request() {
    let (mut world, ids) = waiting(6);
    let caller = world.caller();
    let mut line = ids.clone();
    for n in 0..100_u32 {
        let id = ids[(n as usize * 7) % ids.len()];
        let position = 1 + n * 5 % 6;
        assert_eq!(reorder(&mut world, caller.clone(), id, position), Ok(position));
        line.retain(|other| *other != id);
        line.insert(position as usize - 1, id);
        let shown: Vec<_> = line.iter().map(|id| world.engine.view().queue_position(*id)).collect();
        assert_eq!(shown, (1..=6).map(Some).collect::<Vec<_>>(), "after {n}");
    }
}

#[test]
fn where_there_is_no_room_left_between_two_the_neighbours_make_room_and_that_outlives_a_restart() {
    let (mut world, ids) = waiting(4);
    let caller = world.caller();
    for n in 0..200 {
        let id = ids[1 + n % 2];
        assert_eq!(reorder(&mut world, caller.clone(), id, 2), Ok(2), "change {n}");
        assert_eq!(world.engine.view().queue_position(id), Some(2), "change {n}");
        assert_eq!(world.engine.view().queue_position(ids[0]), Some(1), "change {n}");
        assert_eq!(world.engine.view().queue_position(ids[3]), Some(4), "change {n}");
    }
    world.crash();
    world.rest();
    for id in &ids {
        world.adopt(*id);
    }
    world.rest();
    let expected = ["VT0001L8", "VT0003L8", "VT0002L8", "VT0004L8"];
    assert_eq!(served(&mut world, "VT0008L8", 4), expected);
}

#[test]
fn an_urgent_mount_overtakes_and_the_lowest_priority_is_overtaken_for_so_long_only() {
    let (mut world, _) = waiting(0);
    let caller = world.caller();
    let low = world.submit_as(caller.clone(), mount("VT0001L8"), |s| s.priority = -15).unwrap();
    world.rest();
    let urgent = world.submit_as(caller.clone(), mount("VT0002L8"), |s| s.priority = 15).unwrap();
    world.rest();
    assert_eq!(world.engine.view().queue_position(urgent), Some(1));
    let span = autochanger_engine::input::DEFAULT_PRIORITY_WORTH * 30;
    world.wait_until(world.now + span + Duration::from_secs(1));
    let late = world.submit_as(caller, mount("VT0003L8"), |s| s.priority = 15).unwrap();
    world.rest();
    assert_eq!(world.engine.view().queue_position(low), Some(2));
    assert_eq!(world.engine.view().queue_position(late), Some(3));
}

#[test]
fn a_mount_follows_its_dismount_without_a_pause_and_its_intent_is_durable_before_the_arm_is_free() {
    let (mut world, ids) = waiting(2);
    world.dismount("VT0008L8");
    world.until("the dismount moves", |world| world.device.moves_sent() == 2);
    world.until("the next intent is durable", |world| {
        world.disk.motions.values().any(|motion| motion.request == ids[0])
    });
    assert_eq!(world.device.moves_sent(), 2, "the arm still works for the dismount");
    world.rest();
    assert!(matches!(world.state(ids[0]), State::Passed(_)), "{}", world.state(ids[0]));
    world.assert_true();
}
