//! A motion was open when the power went, and when it comes back another library is configured: with a new controller, say,
//! and another serial number. Nobody looks at the old one any more, and it must not keep what the new one has.

use autochanger_engine::Answer;
use autochanger_engine::catalog::MotionState;
use autochanger_engine::id::RequestId;
use autochanger_engine::output::{AdoptRefusal, EventKind};
use autochanger_engine::request::{CancelAccepted, FailureKind, Place, State};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, inject};

const TAPE: &str = "VT0001L8";

fn device(serial: &str, cartridges: core::ops::RangeInclusive<u32>) -> Device {
    Library::new()
        .slots(20)
        .drives(2)
        .ports(4)
        .arms(2)
        .serial(serial)
        .cartridges("VT{:04}L8", cartridges)
        .timing(Timing::midrange())
        .build()
}

/// A library with a mount of `TAPE`, whose move was sent and is not answered.
fn moving() -> (World, RequestId) {
    let mut world = World::with(device("ONE", 1..=6), |config| config.libraries[0].moves_in_flight = 2);
    world.rest();
    world.device.inject(Fault::lost_reply().on_move().after_effect());
    let id = world.mount(TAPE);
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    (world, id)
}

fn motions(world: &World, id: RequestId) -> Vec<MotionState> {
    let own = world.disk.motions.values().filter(|motion| motion.request == id);
    own.map(|motion| motion.state).collect()
}

#[track_caller]
fn stopped_somewhere(world: &World, id: RequestId) {
    let State::Stopped { place: Some(Place::Unknown { one_of }), .. } = world.state(id) else {
        panic!("{}", world.state(id))
    };
    assert_eq!(one_of.len(), 2, "where it was and where it was to go: {one_of:?}");
    assert_eq!(motions(world, id), [MotionState::Unknown], "nobody knows, and nobody says so");
}

#[test]
fn what_a_configured_library_reports_is_its_own_whatever_was_open_elsewhere() {
    let (mut world, id) = moving();
    let _ = world.replace(device("TWO", 1..=6));
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::CartridgeMissing, "{failure}");
    assert!(failure.message.contains("ONE") && failure.message.contains("sim:test"), "{failure}");
    assert_eq!(motions(&world, id), [MotionState::Unknown], "nobody knows, and nobody says so");
    assert!(matches!(world.adopt(id), Answer::Adopted(Err(AdoptRefusal::Ended { .. }))));

    let here = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(here), State::Passed(_)), "{}", world.state(here));
}

#[test]
fn what_is_open_in_a_library_that_is_not_configured_is_told_and_a_cancel_ends_it() {
    let (mut world, id) = moving();
    let first = world.replace(device("TWO", 11..=12));
    world.rest();
    assert_eq!(world.state(id), State::InProcess, "it may come back");
    let told: Vec<String> = world
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Warning { library, what, .. } => Some(format!("{library}: {what}")),
            _ => None,
        })
        .collect();
    let [told] = told.as_slice() else { panic!("once: {told:?}") };
    assert!(told.contains("serial number ONE") && told.contains(&id.to_string()), "{told}");

    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    world.rest();
    stopped_somewhere(&world, id);

    // It is configured again, and even now the move can happen that was left (its clock stood still): nothing is claimed of it.
    let _ = world.replace(first);
    world.rest();
    let again = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(again), State::Passed(_)), "{}", world.state(again));
    assert_eq!(world.device.find(TAPE).map(|at| at.0), Some(500), "it is where it is said to be");
}

#[test]
fn without_a_cancel_it_goes_on_when_its_library_is_configured_again() {
    let (mut world, id) = moving();
    let first = world.replace(device("TWO", 11..=12));
    world.rest();
    let _ = world.replace(first);
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(motions(&world, id), [MotionState::Moved]);
}

#[test]
fn who_was_to_be_stopped_is_when_nobody_looks_any_more() {
    let (mut world, id) = moving();
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    let _ = world.replace(device("TWO", 11..=12));
    world.rest();
    stopped_somewhere(&world, id);
}

#[test]
fn a_last_step_that_nobody_hears_of_can_be_cancelled() {
    let (mut world, mount) = moving();
    world.rest();
    assert!(matches!(world.state(mount), State::Passed(_)));
    world.device.inject(Fault::lost_reply().on_move().after_effect());
    let id = world.dismount(TAPE);
    world.until("the move is sent", |world| world.device.moves_sent() == 2);
    let _ = world.replace(device("TWO", 11..=12));
    world.rest();
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    world.rest();
    stopped_somewhere(&world, id);
}

#[test]
fn an_inject_of_many_is_left_with_all_that_it_was_taking_in() {
    let (mut world, mount) = moving();
    world.rest();
    assert!(matches!(world.state(mount), State::Passed(_)));
    for n in 0..2 {
        world.device.operator_put(10 + n, &format!("NEW{n:03}L8")).unwrap();
    }
    let id = world.submit(inject(true)).unwrap();
    world.until("two moves are sent", |world| world.device.moves_sent() == 3);
    let _ = world.replace(device("TWO", 11..=12));
    world.rest();
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
    assert_eq!(motions(&world, id), [MotionState::Unknown; 2]);
}
