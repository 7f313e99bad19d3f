//! What a cancel answers at each moment of a request, and what a deadline and a closed session cancel.

use std::time::Duration;

use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::id::{RequestId, SessionId};
use autochanger_engine::request::{CancelAccepted, CancelError, Place, State};
use autochanger_engine::{Answer, Input};
use autochanger_sim::Fault;
use autochanger_world::{World, dismount, mount};
use uuid::Uuid;

use super::library;

fn other(role: Role) -> Caller {
    Caller { session: SessionId(2), application: "other".into(), role }
}

#[test]
fn a_queued_mount_is_cancelled_and_nothing_moves_for_it() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let third = world.mount("VT0003L8");
    assert_eq!(world.cancel(third), Some(Ok(CancelAccepted::Cancelled)));
    assert!(matches!(world.state(third), State::Cancelled { .. }));
    world.rest();
    assert_eq!(world.device.moves_sent(), 2);
    assert_eq!(world.final_events(third), 1);
    world.assert_true();
}

#[test]
fn a_mount_whose_intent_is_being_written_is_cancelled_without_a_move() {
    let mut world = World::ready(library());
    world.disk_held = true;
    let id = world.mount("VT0001L8");
    // Accepted is on the disk, the intent is on its way.
    let (batch, changes) = world.stalled.pop_front().unwrap();
    world.stalled.push_back((batch, changes));
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)));

    world.disk_held = true;
    let second = world.mount("VT0002L8");
    let answer = world.cancel(second);
    assert_eq!(answer, None, "a cancel is answered only when it is durable");
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(second), State::Cancelled { .. }));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_mount_in_its_move_stops_behind_it_and_the_cartridge_stays_in_the_drive() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)), "a second cancel gets the same verdict");
    world.rest();
    let State::Stopped { place: Some(Place::Element(place)), .. } = world.state(id) else {
        panic!("{}", world.state(id))
    };
    assert_eq!(world.device.find("VT0001L8"), Some(place.address));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_mount_that_waits_for_its_drive_stops_at_once() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    world.until("the cartridge is in the drive", |world| world.device.moves_done() == 1);
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
    world.rest();
    world.assert_true();
}

#[test]
fn the_last_move_of_a_dismount_cannot_be_cancelled() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.rest();
    let id = world.dismount("VT0001L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 2);
    assert!(matches!(world.cancel(id), Some(Err(CancelError::InProgress { .. }))));
    world.rest();
    assert!(matches!(world.cancel(id), Some(Err(CancelError::AlreadyFinished { .. }))));
    assert!(matches!(world.cancel(RequestId(Uuid::from_u128(99))), Some(Err(CancelError::NotFound { .. }))));
    world.assert_true();
}

#[test]
fn another_application_may_see_but_not_cancel_unless_its_role_says_so() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let id = world.mount("VT0003L8");
    let denied = world.cancel_as(other(Role::Operator), id);
    assert!(matches!(denied, Some(Err(CancelError::PermissionDenied { .. }))));
    let hidden = world.cancel_as(other(Role::Application), id);
    assert!(matches!(hidden, Some(Err(CancelError::NotFound { .. }))));
    assert_eq!(world.cancel_as(other(Role::Administrator), id), Some(Ok(CancelAccepted::Cancelled)));
}

#[test]
fn a_deadline_cancels_what_was_not_started() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let caller = world.caller();
    let id =
        world.submit_as(caller, mount("VT0003L8"), |s| s.deadline = Some(Duration::from_secs(60))).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Cancelled { .. }), "{}", world.state(id));
}

#[test]
fn closing_a_session_cancels_its_mounts_and_nothing_else() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let bound = world.mount("VT0003L8");
    let caller = world.caller();
    let detached = world.submit_as(caller, mount("VT0004L8"), |s| s.detached = true).unwrap();
    world.input(Input::CloseSession { token: autochanger_engine::id::Token(1000), session: SessionId(1) });
    assert!(matches!(world.answers.remove(&1000), Some(Answer::SessionClosed { cancelled: 1 })));
    assert!(matches!(world.state(bound), State::Cancelled { .. }));
    assert!(!world.state(detached).is_final());
}

#[test]
fn a_deadline_that_passes_during_a_move_that_does_nothing_ends_the_request_there() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.rest();
    world.device.inject(Fault::lost_reply().on_move().without_effect());
    let caller = world.caller();
    let minutes = Duration::from_secs(600);
    let id = world.submit_as(caller, dismount("VT0001L8"), |s| s.deadline = Some(minutes)).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 2);
    world.assert_true();
}

#[test]
fn a_mount_that_was_stopped_while_its_move_turned_out_not_to_be_sent_moves_nothing() {
    let mut world = World::ready(library());
    world.withhold_moves = true;
    let id = world.mount("VT0001L8");
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    world.deny_withheld();
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 0);
    world.assert_true();
}

#[test]
fn a_mount_whose_move_was_never_sent_is_cancelled_not_stopped() {
    let mut world = World::ready(library());
    world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(60)));
    let id = world.mount("VT0001L8");
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Cancelled)));
    assert!(matches!(world.state(id), State::Cancelled { .. }), "{}", world.state(id));
    world.rest();
    assert_eq!(world.device.moves_sent(), 0);
}
