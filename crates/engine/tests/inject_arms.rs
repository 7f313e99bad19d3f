//! One inject of many on a library with several arms: its cartridges are taken in at once, as many as there are arms, and of each
//! is told exactly what became of it.

use std::collections::BTreeSet;
use std::time::Duration;

use autochanger_engine::catalog::{MotionState, Service};
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{
    CancelAccepted, FailureKind, Outcome, Place, ServiceTarget, State, Wanted,
};
use autochanger_sim::{Device, Fault, Library, SenseKey, Timing};
use autochanger_world::{World, inject};

const FIRST_PORT: u16 = 10;
const FIRST_SLOT: u16 = 1000;
const PORTS: u16 = 8;

fn library(arms: u16) -> Device {
    Library::new()
        .slots(16)
        .drives(2)
        .ports(PORTS)
        .arms(arms)
        .cartridges("VT{:04}L8", 1..=2)
        .timing(Timing::midrange())
        .build()
}

fn world(arms: u16) -> World {
    let mut world = World::with(library(arms), |config| config.libraries[0].moves_in_flight = arms as u8);
    world.rest();
    world
}

fn label(n: u16) -> String {
    format!("NEW{n:03}L8")
}

/// A person fills so many ports.
fn bring(world: &mut World, count: u16) {
    for n in 0..count {
        world.device.operator_put(FIRST_PORT + n, &label(n)).unwrap();
    }
}

fn ended(world: &mut World, id: RequestId) -> State {
    world.until("the request ends", |world| world.state(id).is_final());
    world.state(id)
}

fn is_in_slot(world: &World, label: &str) -> bool {
    world.device.find(label).is_some_and(|place| place.0 >= FIRST_SLOT)
}

/// The labels of what an inject says that it took in.
fn labels(world: &World, state: &State) -> BTreeSet<String> {
    let State::Passed(Outcome::Injected { cartridges }) = state else { panic!("{state}") };
    let labels: BTreeSet<String> =
        cartridges.iter().map(|id| world.disk.cartridges[id].barcode.as_deref().unwrap().into()).collect();
    assert_eq!(labels.len(), cartridges.len(), "none is told twice");
    labels
}

fn open_motions(world: &World, id: RequestId) -> usize {
    let of = |state| move |motion: &&autochanger_engine::catalog::MotionRecord| motion.state == state;
    world.disk.motions.values().filter(|motion| motion.request == id).filter(of(MotionState::Open)).count()
}

/// The most moves that were at work at one time.
fn at_once(world: &World) -> usize {
    let moves: Vec<(Duration, Duration)> = world
        .device
        .log()
        .filter(|entry| entry.opcode() == Some(0xa5))
        .filter_map(|entry| Some((entry.at, entry.end.as_ref()?.at)))
        .collect();
    moves
        .iter()
        .map(|(at, _)| moves.iter().filter(|(from, to)| from <= at && at < to).count())
        .max()
        .unwrap_or(0)
}

#[test]
fn as_many_cartridges_of_one_inject_move_at_once_as_there_are_arms() {
    for arms in [1, 2, 4] {
        let mut world = world(arms);
        let id = world.submit(inject(true)).unwrap();
        bring(&mut world, PORTS);
        let state = ended(&mut world, id);
        assert_eq!(labels(&world, &state), (0..PORTS).map(label).collect());
        assert_eq!(at_once(&world), usize::from(arms), "{arms} arms");
        assert_eq!(world.device.moves_sent(), u64::from(PORTS));
        world.rest();
        world.assert_true();
    }
}

/// Each cartridge that comes raises an attention, which refuses the next motion: none is refused so often that it is given up.
#[test]
fn a_person_who_fills_each_port_at_once_has_everything_taken_in() {
    for arms in [1, 2, 4] {
        let timing = Timing::midrange();
        let device = Library::new().slots(60).drives(1).ports(PORTS).arms(arms).timing(timing).build();
        let mut world = World::with(device, |config| config.libraries[0].moves_in_flight = arms as u8);
        world.rest();
        let id = world.submit(inject(true)).unwrap();
        let mut brought = 0;
        while !world.state(id).is_final() {
            for port in FIRST_PORT..FIRST_PORT + PORTS {
                if brought < 50 && world.device.operator_put(port, &label(brought)).is_ok() {
                    brought += 1;
                }
            }
            assert!(world.step());
        }
        assert_eq!(labels(&world, &world.state(id)), (0..50).map(label).collect(), "{arms} arms");
        world.assert_true();
    }
}

#[test]
fn no_more_move_at_once_than_may_be_in_flight() {
    let mut world = World::with(library(4), |config| config.libraries[0].moves_in_flight = 2);
    world.rest();
    let id = world.submit(inject(true)).unwrap();
    bring(&mut world, PORTS);
    let state = ended(&mut world, id);
    assert_eq!(labels(&world, &state).len(), usize::from(PORTS));
    assert_eq!(at_once(&world), 2);
}

#[test]
fn a_cancel_in_the_middle_lets_what_is_in_flight_arrive_and_begins_nothing_more() {
    for arms in [2, 4] {
        let mut world = world(arms);
        let id = world.submit(inject(true)).unwrap();
        bring(&mut world, PORTS);
        let moves = u64::from(arms);
        world.until("each arm is on its way", |world| world.device.moves_sent() == moves);
        assert_eq!(world.cancel(id).unwrap(), Ok(CancelAccepted::Stopping));
        let state = ended(&mut world, id);
        assert!(matches!(state, State::Stopped { place: Some(Place::Element(_)), .. }), "{state}");
        assert_eq!(world.device.moves_sent(), moves);
        world.rest();
        let inside = (0..PORTS).filter(|n| is_in_slot(&world, &label(*n))).count();
        assert_eq!(inside, usize::from(arms), "{arms} arms");
        assert_eq!(open_motions(&world, id), 0);
        world.assert_true();
    }
}

#[test]
fn a_cancel_after_one_that_came_and_before_the_next_is_sent_stops_at_once() {
    let mut world = world(2);
    let id = world.submit(inject(true)).unwrap();
    bring(&mut world, 1);
    world.until("it is in", |world| is_in_slot(world, &label(0)) && open_motions(world, id) == 0);
    assert_eq!(world.cancel(id).unwrap(), Ok(CancelAccepted::Stopping));
    assert!(matches!(world.state(id), State::Stopped { .. }));
    assert_eq!(world.device.moves_sent(), 1);
    world.rest();
    world.assert_true();
}

#[test]
fn a_cancel_while_intents_are_on_their_way_to_the_store_takes_them_all_back() {
    let mut world = world(4);
    let id = world.submit(inject(true)).unwrap();
    world.disk_held = true;
    bring(&mut world, PORTS);
    world.until("intents are on their way", |world| {
        world.engine.view().request(id).is_some_and(|request| request.motions >= 4)
    });
    assert_eq!(world.cancel(id), None, "it is answered when it is durable");
    world.release_disk();
    let state = ended(&mut world, id);
    assert!(matches!(state, State::Cancelled { .. }), "{state}");
    assert_eq!(world.device.moves_sent(), 0);
    world.rest();
    assert_eq!(open_motions(&world, id), 0);
    world.assert_true();
}

#[test]
fn one_that_fails_ends_the_inject_when_the_others_have_arrived() {
    let mut world = world(4);
    let id = world.submit(inject(true)).unwrap();
    bring(&mut world, 4);
    let trouble = Fault::sense(SenseKey::HardwareError, 0x44, 0x00);
    world.device.inject(trouble.on_move().after(3).times(9));
    let state = ended(&mut world, id);
    assert!(matches!(&state, State::Failed(failure) if failure.kind == FailureKind::LibraryFault), "{state}");
    world.device.clear_faults();
    world.rest();
    let inside: Vec<u16> = (0..4).filter(|n| is_in_slot(&world, &label(*n))).collect();
    assert_eq!(inside.len(), 3);
    let moved = world.disk.motions.values().filter(|m| m.request == id && m.state == MotionState::Moved);
    assert_eq!(moved.count(), 3);
    world.assert_true();
    // What stayed in its port is taken in by the next one.
    let next = world.submit(inject(true)).unwrap();
    let state = ended(&mut world, next);
    assert_eq!(labels(&world, &state).len(), 1);
}

#[test]
fn one_whose_reply_is_lost_is_settled_while_the_others_go_on() {
    for arms in [2, 4] {
        let mut world = world(arms);
        let id = world.submit(inject(true)).unwrap();
        bring(&mut world, PORTS);
        world.device.inject(Fault::lost_reply().on_move());
        let state = ended(&mut world, id);
        assert_eq!(labels(&world, &state).len(), usize::from(PORTS));
        assert_eq!(world.device.moves_sent(), u64::from(PORTS));
        world.rest();
        world.assert_true();
    }
}

#[test]
fn one_that_stays_in_an_arm_goes_on_from_there_and_is_told_with_the_others() {
    let mut world = world(2);
    let id = world.submit(inject(true)).unwrap();
    bring(&mut world, 6);
    world.device.inject(Fault::stuck_in_arm().on_move());
    let state = ended(&mut world, id);
    assert_eq!(labels(&world, &state), (0..6).map(label).collect());
    world.rest();
    world.assert_true();
}

#[test]
fn a_power_loss_at_each_durable_step_loses_nothing_sends_nothing_twice_and_tells_of_each() {
    for (arms, many) in [(2, 4), (4, 8)] {
        for step in (0..40).step_by(usize::from(arms) / 2) {
            let mut world = world(arms);
            world.disk_held = true;
            let id = world.submit(inject(true)).unwrap();
            bring(&mut world, many);
            world.release_slowly(step);
            world.crash();
            world.rest();
            if !world.disk.requests.contains_key(&id) {
                assert_eq!(world.device.moves_sent(), 0, "{arms} arms, step {step}");
                continue;
            }
            let state = world.state(id);
            assert_eq!(labels(&world, &state), (0..many).map(label).collect(), "{arms} arms, step {step}");
            assert_eq!(world.device.moves_sent(), u64::from(many), "{arms} arms, step {step}");
            world.assert_true();
        }
    }
}

#[test]
fn what_stayed_in_an_arm_when_the_power_went_is_told_with_the_others() {
    for step in (0..40).step_by(2) {
        let mut world = world(2);
        world.device.inject(Fault::stuck_in_arm().on_move());
        let id = world.submit(inject(true)).unwrap();
        bring(&mut world, 3);
        world.disk_held = true;
        world.release_slowly(step);
        world.crash();
        world.rest();
        if !world.disk.requests.contains_key(&id) {
            continue;
        }
        let state = world.state(id);
        assert_eq!(labels(&world, &state), (0..3).map(label).collect(), "step {step}");
        world.assert_true();
    }
}

#[test]
fn a_cancel_after_a_restart_waits_for_each_motion_that_was_open() {
    let mut world = world(4);
    let id = world.submit(inject(true)).unwrap();
    bring(&mut world, PORTS);
    world.until("each arm is on its way", |world| world.device.moves_sent() == 4);
    world.crash();
    assert_eq!(world.cancel(id).unwrap(), Ok(CancelAccepted::Stopping));
    let state = ended(&mut world, id);
    assert!(matches!(state, State::Stopped { .. }), "{state}");
    assert_eq!(world.device.moves_sent(), 4);
    assert_eq!(open_motions(&world, id), 0);
    world.rest();
    world.assert_true();
}

#[test]
fn a_library_that_is_disabled_meanwhile_ends_it_when_what_is_in_flight_has_arrived() {
    let mut world = world(2);
    let id = world.submit(inject(true)).unwrap();
    bring(&mut world, PORTS);
    world.until("each arm is on its way", |world| world.device.moves_sent() == 2);
    let set = |service| Wanted::SetService { target: ServiceTarget::Library(None), service };
    world.submit(set(Service::Disabled)).unwrap();
    let state = ended(&mut world, id);
    assert!(matches!(&state, State::Failed(failure) if failure.kind == FailureKind::Disabled), "{state}");
    assert_eq!(world.device.moves_sent(), 2);
    assert_eq!(open_motions(&world, id), 0, "nothing of it is in flight when it has ended");
    world.rest();
    world.assert_true();
}

#[test]
fn a_library_that_is_paused_meanwhile_goes_on_with_the_rest_when_it_serves_again() {
    let mut world = world(2);
    let id = world.submit(inject(true)).unwrap();
    bring(&mut world, PORTS);
    world.until("each arm is on its way", |world| world.device.moves_sent() == 2);
    let set = |service| Wanted::SetService { target: ServiceTarget::Library(None), service };
    let pause = world.submit(set(Service::Paused)).unwrap();
    assert!(matches!(ended(&mut world, pause), State::Passed(_)));
    assert_eq!(world.device.moves_sent(), 2);
    world.submit(set(Service::Enabled)).unwrap();
    let state = ended(&mut world, id);
    assert_eq!(labels(&world, &state).len(), usize::from(PORTS));
    world.assert_true();
}

#[test]
fn fewer_slots_than_cartridges_take_in_what_there_is_room_for() {
    let device = Library::new().slots(3).drives(1).ports(PORTS).arms(4).timing(Timing::midrange()).build();
    let mut world = World::with(device, |config| config.libraries[0].moves_in_flight = 4);
    world.rest();
    let id = world.submit(inject(true)).unwrap();
    bring(&mut world, 5);
    let state = ended(&mut world, id);
    assert_eq!(labels(&world, &state).len(), 3);
    assert_eq!(at_once(&world), 3);
    world.rest();
    world.assert_true();
}

#[test]
fn nobody_sees_the_parts_of_an_inject_as_requests() {
    let mut world = world(4);
    let id = world.submit(inject(true)).unwrap();
    bring(&mut world, PORTS);
    world.until("each arm is on its way", |world| world.device.moves_sent() == 4);
    let view = world.engine.view();
    let live: Vec<RequestId> = view.requests().iter().map(|request| request.id).collect();
    assert_eq!(live, [id]);
    assert!(world.disk.motions.keys().all(|(request, _)| *request == id));
}
