//! What became of a move of which nobody heard, and when that is believed.

use std::time::Duration;

use autochanger_engine::command::{PathFault, PathFaultKind, TransportError};
use autochanger_engine::request::State;
use autochanger_sim::Fault;
use autochanger_world::World;

use super::library;

#[test]
fn a_lost_reply_is_settled_by_looking_and_the_move_is_not_sent_again() {
    let mut world = World::ready(library());
    world.device.inject(Fault::lost_reply().on_move().after_effect());
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_move_that_happens_long_after_its_reply_was_lost_is_waited_for() {
    let mut world = World::ready(library());
    world.device.inject(Fault::late_effect(Duration::from_secs(600)).on_move());
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(
        world.device.moves_sent(),
        1,
        "it was not sent again though it looked as if it had not happened"
    );
    world.assert_true();
}

#[test]
fn a_move_that_never_happened_is_believed_only_after_the_motion_time_out() {
    let mut world = World::ready(library());
    world.device.inject(Fault::lost_reply().on_move().without_effect());
    let begun = world.now;
    let id = world.mount("VT0001L8");
    world.until("a second intent", |world| world.device.moves_sent() == 2);
    assert!(world.now - begun >= Duration::from_secs(30 * 60));
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn a_move_that_waited_on_its_way_has_its_whole_time_from_when_it_can_have_been_sent_last() {
    let motion = autochanger_engine::input::Timing::default().motion;
    // One that was given up because its time was over has had that from its sending.
    for (kind, expected) in
        [(PathFaultKind::ConnectionLost, motion), (PathFaultKind::TimedOut, Duration::ZERO)]
    {
        let mut world = World::ready(library());
        world.withhold_moves = true;
        let id = world.mount("VT0001L8");
        world.until("the move is on its way", |world| !world.withheld.is_empty());
        let given = world.now;
        world.wait_until(given + Duration::from_secs(10 * 60) + motion);
        let lost = world.now;
        let detail = String::from("the session was lost");
        let fault = PathFault { kind, device: "sim:test".into(), detail };
        world.answer_withheld(Err(TransportError::OutcomeUnknown(fault)));
        world.until("a second intent", |world| world.device.moves_sent() == 1);
        let looked = world.now - lost;
        assert!(
            looked >= expected && looked < expected + Duration::from_secs(60),
            "{looked:?} after {kind:?}"
        );
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        world.assert_true();
    }
}
