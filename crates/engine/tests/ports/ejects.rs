//! What goes out to a person: which port it gets, who empties it, and when it is outside.

use autochanger_engine::request::{FailureKind, Outcome, Place, State, Waiting, Wanted};
use autochanger_sim::{Fault, SenseKey};
use autochanger_world::{World, dismount, eject};

use super::{OTHER_PORT, PORT, at, ended, failed, inventory, library, place, tasks, until_state};

#[test]
fn an_ejected_cartridge_lies_in_a_port_that_is_put_out_and_is_outside_when_it_was_taken() {
    let mut world = World::ready(library());
    let id = world.submit(eject("VT0001L8")).unwrap();
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Ejected { port: at(PORT) }));
    world.rest();
    assert_eq!(world.device.find("VT0001L8"), Some(at(PORT)));
    assert_eq!(world.device.open_ports().collect::<Vec<_>>(), [at(PORT)]);
    world.device.operator_take(PORT).unwrap();
    let next = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(next), State::Passed(_)));
    assert!(matches!(place(&world, "VT0001L8"), Place::Outside { last } if last.address == at(PORT)));
    world.assert_true();
}

#[test]
fn what_nobody_mounted_goes_from_its_drive_to_a_port_in_one_move() {
    let mut world = World::ready(library());
    world.mount("VT0002L8");
    world.rest();
    world
        .submit_as(world.caller(), dismount("VT0002L8"), |submission| submission.options.deferred = true)
        .unwrap();
    world.rest();
    let moves = world.device.moves_sent();
    let id = world.submit(eject("VT0002L8")).unwrap();
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Ejected { port: at(PORT) }));
    assert_eq!(world.device.moves_sent(), moves + 1);
    world.rest();
    assert!(world.engine.view().requests().is_empty(), "the dismount that was put off has its end, too");
    world.assert_true();
}

#[test]
fn full_ports_are_emptied_by_a_person_and_the_next_eject_takes_the_port_in_before_the_arm_comes() {
    let mut world = World::ready(library());
    for n in 1..=2 {
        world.submit(eject(&format!("VT{n:04}L8"))).unwrap();
    }
    world.rest();
    let third = world.submit(eject("VT0003L8")).unwrap();
    until_state(&mut world, third, "it waits", |s| *s == State::Waiting(Waiting::Port));
    let told = tasks(&world)[0].to_string();
    let expected = format!(
        "take cartridges out of port {PORT} or {OTHER_PORT} of library sim:test: there is no room for VT0003L8"
    );
    assert_eq!(told, expected);
    for _ in 0..50 {
        world.step();
    }
    assert_eq!(world.device.moves_sent(), 2, "nothing moves while the ports are full");
    // The tray takes its time.
    world.device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x01).on(0x1B));
    world.device.operator_take(OTHER_PORT).unwrap();
    assert_eq!(ended(&mut world, third), State::Passed(Outcome::Ejected { port: at(OTHER_PORT) }));
    assert_eq!(world.device.moves_sent(), 3, "the arm was not sent to a port that was out");
    assert!(tasks(&world).is_empty());
    world.rest();
    world.assert_true();
}

#[test]
fn an_eject_to_a_port_that_nobody_empties_ends_by_the_time_out_and_moves_nothing() {
    let mut world = World::ready(library());
    world.submit(eject("VT0001L8")).unwrap();
    world.rest();
    let port = Some(at(PORT));
    let id = world.submit(Wanted::Eject { cartridge: "VT0002L8".into(), port }).unwrap();
    world.rest();
    assert_eq!(failed(world.state(id)), FailureKind::TimedOut);
    assert_eq!(world.device.moves_sent(), 1);
    let by_itself = world.submit(eject("VT0002L8")).unwrap();
    assert_eq!(ended(&mut world, by_itself), State::Passed(Outcome::Ejected { port: at(OTHER_PORT) }));
}

#[test]
fn a_medium_that_somebody_has_mounted_is_not_ejected() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.rest();
    world.submit(eject("VT0001L8")).unwrap_err();
}

#[test]
fn a_lost_reply_of_an_eject_is_settled_and_the_move_is_not_sent_again() {
    let mut world = World::ready(library());
    world.device.inject(Fault::lost_reply().on_move().after_effect());
    let id = world.submit(eject("VT0001L8")).unwrap();
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Ejected { port: at(PORT) }));
    assert_eq!(world.device.moves_sent(), 1);
    world.rest();
    world.assert_true();
}

#[test]
fn hands_that_fill_the_port_under_the_arm_only_delay_the_eject() {
    let mut world = World::ready(library());
    let id = world.submit(eject("VT0001L8")).unwrap();
    world.until("the arm is on its way", |world| world.device.moves_sent() == 1);
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Ejected { port: at(OTHER_PORT) }));
    world.rest();
    world.assert_true();
}

#[test]
fn a_power_loss_at_each_durable_step_of_an_eject_loses_nothing() {
    for step in 0..12 {
        let mut world = World::ready(library());
        world.disk_held = true;
        let id = world.submit(eject("VT0001L8")).unwrap();
        for _ in 0..step {
            world.release_one();
            world.disk_held = true;
            world.step();
        }
        world.crash();
        world.rest();
        if let Some(request) = world.disk.requests.get(&id) {
            assert_eq!(request.state, State::Passed(Outcome::Ejected { port: at(PORT) }), "step {step}");
            assert_eq!(world.device.moves_sent(), 1, "step {step}");
        }
        world.assert_true();
    }
}

#[test]
fn a_port_that_is_out_unknown_to_us_is_taken_in_and_the_eject_goes_on() {
    let mut world = World::ready(library());
    world.device.inject(Fault::sense(SenseKey::NotReady, 0x3A, 0x02).on_move());
    let id = world.submit(eject("VT0001L8")).unwrap();
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Ejected { port: at(PORT) }));
    world.rest();
    world.assert_true();
}
