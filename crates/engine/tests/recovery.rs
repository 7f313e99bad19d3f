//! Power loss at each row of a request's way (the design's rows 0 to 9), on a simulated library in virtual time.

use autochanger_engine::Answer;
use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::id::SessionId;
use autochanger_engine::input::RestartPolicy;
use autochanger_engine::request::{FailureKind, Outcome, Place, State, Waiting, Wanted};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, mount};

fn library() -> Device {
    Library::new()
        .slots(10)
        .drives(2)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

#[test]
fn a_request_that_was_not_durable_never_was() {
    let mut world = World::ready(library());
    world.disk_held = true;
    let id = world.submit(mount("VT0001L8")).unwrap();
    world.crash();
    world.rest();
    assert!(!world.disk.requests.contains_key(&id));
    assert_eq!(world.device.moves_sent(), 0);
    world.assert_true();
}

#[test]
fn a_mount_that_nobody_started_waits_for_an_owner_and_goes_on_when_adopted() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let id = world.mount("VT0003L8");
    world.crash();
    world.rest();
    assert_eq!(world.state(id), State::Waiting(Waiting::Owner));
    assert_eq!(world.engine.view().mounts().len(), 2);
    world.dismount("VT0001L8");
    world.rest();
    assert_eq!(world.state(id), State::Waiting(Waiting::Owner));
    assert!(matches!(world.adopt(id), Answer::Adopted(Ok(_))));
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn an_intent_that_was_not_sent_is_as_unstarted_after_the_motion_time_out() {
    let mut world = World::ready(library());
    world.device.inject(Fault::not_delivered().on_move());
    // The intent is durable, and the power goes before the command arrives.
    let id = world.mount("VT0001L8");
    let open = world.disk.motions.values().filter(|m| m.request == id).count();
    assert!(open >= 1);
    world.crash();
    world.rest();
    let state = world.state(id);
    assert!(matches!(state, State::Waiting(Waiting::Owner)), "{state}");
    world.adopt(id);
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn a_move_in_flight_at_the_crash_is_found_at_its_goal_and_passes() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    world.crash();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 1);
    assert_eq!(world.engine.view().mounts().len(), 1);
    assert!(matches!(world.adopt(id), Answer::Adopted(Ok(_))));
    world.assert_true();
}

#[test]
fn a_dismount_in_flight_at_the_crash_ends_in_its_slot() {
    let mut world = World::ready(library());
    let home = world.device.find("VT0001L8").unwrap();
    world.mount("VT0001L8");
    world.rest();
    let id = world.dismount("VT0001L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 2);
    world.crash();
    world.rest();
    assert_eq!(world.state(id), State::Passed(Outcome::Dismounted { slot: home }));
    assert_eq!(world.engine.view().mounts().len(), 0);
    world.assert_true();
}

#[test]
fn a_dismount_that_was_unloading_goes_on() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.rest();
    let id = world.dismount("VT0001L8");
    assert_eq!(world.state(id), State::InProcess);
    world.crash();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn an_end_that_was_not_durable_is_found_again() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    world.until("the move is done", |world| world.device.moves_done() == 1);
    world.disk_held = true;
    world.rest();
    assert!(!world.state(id).is_final());
    world.crash();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_stop_that_was_accepted_before_the_crash_is_kept() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    world.cancel(id).unwrap().unwrap();
    world.crash();
    world.rest();
    let state = world.state(id);
    assert!(matches!(state, State::Stopped { place: Some(Place::Element(_)), .. }), "{state}");
    assert_eq!(world.engine.view().mounts().len(), 0);
    world.assert_true();
}

#[test]
fn the_policy_of_rsm_cancels_what_was_not_started_and_settles_what_was() {
    let mut world = World::ready(library());
    let moving = world.mount("VT0001L8");
    let queued: Vec<_> = (2..=4).map(|n| world.mount(&format!("VT{n:04}L8"))).collect();
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    world.crash_with(|config| config.restart = RestartPolicy::CancelUnfinished);
    world.rest();
    let state = world.state(moving);
    assert!(matches!(state, State::Stopped { .. }), "{state}");
    for id in queued {
        let state = world.state(id);
        assert!(matches!(state, State::Cancelled { .. } | State::Stopped { .. }), "{state}");
    }
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_cartridge_that_hands_took_before_the_restart_is_told_as_interrupted() {
    let mut world = World::ready(library());
    let home = world.device.find("VT0001L8").unwrap();
    world.mount("VT0001L8");
    world.rest();
    let id = world.dismount("VT0001L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 2);
    world.disk_held = true;
    world.until("the move is done", |world| world.device.moves_done() == 2);
    world.device.operator_take(home).unwrap();
    world.crash();
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::Interrupted);
    assert!(matches!(failure.place, Some(Place::Unknown { .. })));
    let place = world
        .disk
        .cartridges
        .values()
        .find(|c| c.barcode.as_deref() == Some("VT0001L8"))
        .unwrap()
        .place
        .clone();
    assert!(matches!(place, Place::Missing { .. }), "{place}");
}

#[test]
fn what_an_administrator_may_do_by_force_is_done_after_a_restart_as_well() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.rest();
    let administrator =
        Caller { session: SessionId(7), application: "operator".into(), role: Role::Administrator };
    let wanted = Wanted::Dismount { cartridge: "VT0001L8".into(), slot: None, force: true };
    let id = world.submit_as(administrator, wanted, |_| {}).unwrap();
    world.crash();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Dismounted { .. })), "{}", world.state(id));
    world.assert_true();
}
