//! What a person brings: one or many, until nobody brings any more, and where it goes.

use std::time::Duration;

use autochanger_engine::catalog::Service;
use autochanger_engine::request::{FailureKind, Outcome, ServiceTarget, State, Waiting, Wanted};
use autochanger_engine::view::OperatorTask;
use autochanger_sim::{Library, Timing};
use autochanger_world::{World, eject, inject, mount};

use super::{OTHER_PORT, PORT, at, ended, failed, library, tasks, until_state};

#[test]
fn one_cartridge_that_is_brought_goes_to_a_free_slot() {
    let mut world = World::ready(library());
    let id = world.submit(inject(false)).unwrap();
    until_state(&mut world, id, "it waits", |s| *s == State::Waiting(Waiting::Operator));
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::FillPort { .. }]));
    for _ in 0..20 {
        world.step();
    }
    assert_eq!(world.device.open_ports().count(), 2, "the ports are out for a person");
    world.device.operator_put(OTHER_PORT, "NEW001L8").unwrap();
    let State::Passed(Outcome::Injected { cartridges }) = ended(&mut world, id) else {
        panic!("{}", world.state(id))
    };
    let cartridge = &world.disk.cartridges[&cartridges[0]];
    assert_eq!(cartridge.barcode.as_deref(), Some("NEW001L8"));
    assert_eq!(world.device.find("NEW001L8"), Some(at(1006)));
    world.rest();
    assert_eq!(world.device.open_ports().count(), 0, "and are taken in again");
    assert!(tasks(&world).is_empty());
    world.assert_true();
}

#[test]
fn an_inject_of_many_ends_by_the_time_out_with_all_that_came_unlabelled_ones_too() {
    let mut world = World::ready(library());
    let id = world.submit(inject(true)).unwrap();
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    world.until("the first is in", |world| world.device.find("NEW001L8") == Some(at(1006)));
    world.device.operator_put(PORT, "").unwrap();
    let state = ended(&mut world, id);
    assert!(
        matches!(&state, State::Passed(Outcome::Injected { cartridges }) if cartridges.len() == 2),
        "{state}"
    );
    assert!(world.disk.cartridges.values().any(|c| c.barcode.as_deref().unwrap_or("").is_empty()));
    assert_eq!(world.disk.motions.keys().filter(|(request, _)| *request == id).count(), 2);
    world.rest();
    world.assert_true();
}

#[test]
fn an_inject_to_which_nothing_is_brought_ends_by_the_time_out() {
    let mut world = World::ready(library());
    for many in [false, true] {
        let id = world.submit(inject(many)).unwrap();
        assert_eq!(failed(ended(&mut world, id)), FailureKind::TimedOut);
        assert_eq!(world.device.moves_sent(), 0);
    }
    world.rest();
    assert_eq!(world.device.open_ports().count(), 0);
}

#[test]
fn what_was_ejected_is_not_taken_in_again() {
    let mut world = World::ready(library());
    let out = world.submit(eject("VT0001L8")).unwrap();
    ended(&mut world, out);
    let id = world.submit(inject(false)).unwrap();
    assert_eq!(failed(ended(&mut world, id)), FailureKind::TimedOut);
    assert_eq!(world.device.find("VT0001L8"), Some(at(PORT)));
}

#[test]
fn without_a_free_slot_the_cartridge_stays_in_the_port_until_one_is_free() {
    let device = Library::new()
        .slots(2)
        .drives(1)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=2)
        .timing(Timing::midrange())
        .build();
    let mut world = World::ready(device);
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    let id = world.submit(inject(false)).unwrap();
    until_state(&mut world, id, "it waits", |s| *s == State::Waiting(Waiting::Slot));
    let asked = tasks(&world);
    let [OperatorTask::EmptyPort { ports, cartridge, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((ports.as_slice(), &**cartridge), ([at(PORT)].as_slice(), "NEW001L8"));
    assert_eq!(world.device.find("NEW001L8"), Some(at(PORT)));
    let out = world.submit(eject("VT0002L8")).unwrap();
    assert!(matches!(ended(&mut world, out), State::Passed(Outcome::Ejected { .. })));
    assert!(matches!(ended(&mut world, id), State::Passed(Outcome::Injected { .. })));
    world.rest();
    world.assert_true();
}

#[test]
fn a_cartridge_that_is_taken_out_of_the_port_again_is_waited_for_anew() {
    let mut world = World::ready(library());
    let id = world.submit(inject(false)).unwrap();
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    world.until("the arm is on its way", |world| world.device.moves_sent() == 1);
    world.device.operator_take(PORT).unwrap();
    until_state(&mut world, id, "it waits again", |s| *s == State::Waiting(Waiting::Operator));
    world.device.operator_put(PORT, "NEW002L8").unwrap();
    assert!(matches!(ended(&mut world, id), State::Passed(Outcome::Injected { .. })));
    world.rest();
    world.assert_true();
}

#[test]
fn a_power_loss_at_each_durable_step_of_an_inject_loses_nothing_and_sends_nothing_twice() {
    for step in 0..30 {
        let mut world = World::ready(library());
        world.disk_held = true;
        let Ok(id) = world.submit(inject(true)) else { panic!("it is accepted") };
        world.device.operator_put(PORT, "NEW001L8").unwrap();
        world.release_slowly(step);
        world.crash();
        world.rest();
        let Some(request) = world.disk.requests.get(&id).cloned() else {
            assert_eq!(world.device.find("NEW001L8"), Some(at(PORT)), "step {step}");
            continue;
        };
        assert!(
            matches!(&request.state, State::Passed(Outcome::Injected { cartridges }) if cartridges.len() == 1),
            "step {step}: {}",
            request.state
        );
        assert!(world.device.find("NEW001L8").is_some_and(|place| place.0 >= 1000), "step {step}");
        assert_eq!(world.device.moves_sent(), 1, "step {step}");
        world.assert_true();
    }
}

#[test]
fn a_disabled_library_takes_nothing_in_any_more() {
    let mut world = World::ready(library());
    let id = world.submit(inject(true)).unwrap();
    until_state(&mut world, id, "it waits", |s| *s == State::Waiting(Waiting::Operator));
    let target = ServiceTarget::Library(None);
    world.submit(Wanted::SetService { target, service: Service::Disabled }).unwrap();
    assert_eq!(failed(ended(&mut world, id)), FailureKind::Disabled);
}

#[test]
fn a_person_who_refuses_ends_the_inject() {
    let mut world = World::ready(library());
    let id = world.submit(inject(false)).unwrap();
    until_state(&mut world, id, "it waits", |s| *s == State::Waiting(Waiting::Operator));
    world.wait_until(world.now + Duration::from_secs(1));
    let input = autochanger_engine::Input::RefuseOperatorTask {
        token: autochanger_engine::id::Token(9_999),
        caller: world.caller(),
        id,
    };
    world.input(input);
    assert!(matches!(world.state(id), State::Cancelled { .. }), "{}", world.state(id));
    world.submit(mount("VT0001L8")).unwrap();
    world.rest();
    world.assert_true();
}

#[test]
fn what_came_before_a_power_loss_is_told_with_what_comes_after_it() {
    let mut world = World::ready(library());
    let id = world.submit(inject(true)).unwrap();
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    world.until("the first is in", |world| world.device.find("NEW001L8") == Some(at(1006)));
    until_state(&mut world, id, "it waits for the next", |s| *s == State::Waiting(Waiting::Operator));
    world.crash();
    world.device.operator_put(PORT, "NEW002L8").unwrap();
    let State::Passed(Outcome::Injected { cartridges }) = ended(&mut world, id) else {
        panic!("{}", world.state(id))
    };
    let labels: Vec<_> = cartridges.iter().map(|id| world.disk.cartridges[id].barcode.as_deref()).collect();
    assert_eq!(labels, [Some("NEW001L8"), Some("NEW002L8")]);
}

#[test]
fn a_paused_library_takes_in_what_was_brought_when_it_serves_again() {
    let mut world = World::ready(library());
    let id = world.submit(inject(false)).unwrap();
    until_state(&mut world, id, "it waits", |s| *s == State::Waiting(Waiting::Operator));
    let set = |service| Wanted::SetService { target: ServiceTarget::Library(None), service };
    world.submit(set(Service::Paused)).unwrap();
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    until_state(&mut world, id, "it waits for the service", |s| *s == State::Waiting(Waiting::Service));
    assert_eq!(world.device.moves_sent(), 0);
    world.submit(set(Service::Enabled)).unwrap();
    assert!(matches!(ended(&mut world, id), State::Passed(Outcome::Injected { .. })));
}
