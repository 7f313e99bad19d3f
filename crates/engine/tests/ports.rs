//! Ports: what goes out to a person, what a person brings, and what happens when hands, faults and power losses come between.

use std::time::Duration;

use autochanger_engine::Config;
use autochanger_engine::catalog::Service;
use autochanger_engine::id::RequestId;
use autochanger_engine::output::SubmitError;
use autochanger_engine::request::CancelError;
use autochanger_engine::request::{
    Cancellation, FailureKind, Operation, Outcome, Place, ServiceTarget, State, Waiting, Wanted,
};
use autochanger_engine::view::OperatorTask;
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Fault, Library, SenseKey, Timing};
use autochanger_world::{World, dismount, eject, inject, mount};

const PORT: u16 = 10;
const OTHER_PORT: u16 = 11;

fn library() -> Device {
    Library::new()
        .slots(8)
        .drives(2)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

fn at(address: u16) -> ElementAddress {
    ElementAddress(address)
}

/// Time goes on until the request has come so far.
fn until_state(world: &mut World, id: RequestId, what: &str, is_so: impl Fn(&State) -> bool) {
    world.until(what, |world| {
        let live = world.engine.view().request(id).map(|request| request.state.clone());
        live.or_else(|| world.disk.requests.get(&id).map(|r| r.state.clone())).is_some_and(|s| is_so(&s))
    });
}

fn ended(world: &mut World, id: RequestId) -> State {
    world.until("the request ends", |world| world.state(id).is_final());
    world.state(id)
}

fn tasks(world: &World) -> Vec<OperatorTask> {
    world.engine.view().operator_requests().into_iter().map(|request| request.task).collect()
}

fn place(world: &World, barcode: &str) -> Place {
    let cartridge = world.disk.cartridges.values().find(|c| c.barcode.as_deref() == Some(barcode));
    cartridge.expect("it is in the catalogue").place.clone()
}

fn failed(state: State) -> FailureKind {
    match state {
        State::Failed(failure) => failure.kind,
        other => panic!("{other}"),
    }
}

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

fn inventory() -> Wanted {
    autochanger_world::inventory()
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
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::EmptyPort { .. }]));
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
fn a_library_without_ports_refuses_to_eject_and_to_inject() {
    let device = Library::new().slots(4).drives(1).ports(0).cartridges("VT{:04}L8", 1..=2).build();
    let mut world = World::ready(device);
    for wanted in [eject("VT0001L8"), inject(false), inject(true)] {
        let id = world.submit(wanted).unwrap();
        assert_eq!(failed(ended(&mut world, id)), FailureKind::Refused);
    }
    assert_eq!(world.device.moves_sent(), 0);
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
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::EmptyPort { .. }]));
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
fn cancelling_answers_by_what_was_sent() {
    // Nothing has moved: cancelled, and the person is not asked any more.
    let mut world = World::ready(library());
    let id = world.submit(inject(true)).unwrap();
    until_state(&mut world, id, "it waits", |s| *s == State::Waiting(Waiting::Operator));
    assert_eq!(world.cancel(id).unwrap(), Ok(Cancellation::Cancelled));
    assert!(matches!(world.state(id), State::Cancelled { .. }) && tasks(&world).is_empty());
    // The only move is in flight: it cannot be stopped any more.
    let id = world.submit(inject(false)).unwrap();
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    world.until("the arm is on its way", |world| world.device.moves_sent() == 1);
    let refused = world.cancel(id).unwrap();
    assert_eq!(refused, Err(CancelError::InProgress { id, operation: Operation::Inject }));
    assert!(matches!(ended(&mut world, id), State::Passed(_)));
    // One of many is in flight: it is the last.
    let id = world.submit(inject(true)).unwrap();
    world.device.operator_put(PORT, "NEW002L8").unwrap();
    world.until("the arm is on its way", |world| world.device.moves_sent() == 2);
    assert_eq!(world.cancel(id).unwrap(), Ok(Cancellation::Stopping));
    assert!(matches!(ended(&mut world, id), State::Stopped { place: Some(Place::Element(_)), .. }));
    // Some have moved, none moves.
    world.submit(eject("VT0006L8")).unwrap();
    world.rest();
    let id = world.submit(inject(true)).unwrap();
    world.device.operator_put(OTHER_PORT, "NEW003L8").unwrap();
    world.until("it is in", |world| {
        world.device.find("NEW003L8").is_some_and(|place| place.0 >= 1000)
            && world.engine.view().request(id).is_some_and(|r| r.state == State::Waiting(Waiting::Operator))
    });
    assert_eq!(world.cancel(id).unwrap(), Ok(Cancellation::Stopping));
    assert!(matches!(world.state(id), State::Stopped { .. }));
    // An eject's move is its last step.
    let moves = world.device.moves_sent();
    let id = world.submit(eject("VT0001L8")).unwrap();
    world.until("the arm is on its way", |world| world.device.moves_sent() > moves);
    let refused = world.cancel(id).unwrap();
    assert_eq!(refused, Err(CancelError::InProgress { id, operation: Operation::Eject }));
    assert!(matches!(ended(&mut world, id), State::Passed(_)));
    // One that waits for a port has done nothing.
    let id = world.submit(eject("VT0002L8")).unwrap();
    until_state(&mut world, id, "it waits", |s| *s == State::Waiting(Waiting::Port));
    assert_eq!(world.cancel(id).unwrap(), Ok(Cancellation::Cancelled));
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
        for _ in 0..step {
            world.release_one();
            world.disk_held = true;
            for _ in 0..4 {
                world.step();
            }
        }
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
fn a_cleaner_goes_into_its_slot_and_out_of_it_again() {
    let mut world = World::ready(library());
    let inject_it = || Wanted::InjectCleaner { library: None, uses: Some(50) };
    assert!(matches!(world.submit(inject_it()), Err(SubmitError::CleanerSlotMissing { .. })));
    world.submit(Wanted::ReserveCleanerSlot { library: None, slot: at(1007) }).unwrap();
    let id = world.submit(inject_it()).unwrap();
    world.device.operator_put(PORT, "CLNU01L1").unwrap();
    assert!(matches!(ended(&mut world, id), State::Passed(Outcome::Injected { .. })));
    assert_eq!(world.device.find("CLNU01L1"), Some(at(1007)));
    let cleaner = world.disk.cartridges.values().find(|c| c.barcode.as_deref() == Some("CLNU01L1")).unwrap();
    assert_eq!(cleaner.cleaner.unwrap().uses_left, Some(50));
    for wanted in [inject_it(), Wanted::ReleaseCleanerSlot { library: None }] {
        assert!(matches!(world.submit(wanted), Err(SubmitError::CleanerInSlot { slot: 1007, .. })));
    }
    let out = world.submit(Wanted::EjectCleaner { library: None }).unwrap();
    assert_eq!(ended(&mut world, out), State::Passed(Outcome::Ejected { port: at(PORT) }));
    let none = world.submit(Wanted::EjectCleaner { library: None }).unwrap();
    assert_eq!(failed(ended(&mut world, none)), FailureKind::NoCleaner);
    world.rest();
    world.assert_true();
}

#[test]
fn what_becomes_of_the_cleaners_slot_meanwhile_is_found_out_when_its_turn_comes() {
    let mut world = World::ready(library());
    let reserve = |slot| Wanted::ReserveCleanerSlot { library: None, slot: at(slot) };
    world.disk_held = true;
    let first = world.submit(reserve(1007)).unwrap();
    let second = world.submit(reserve(1006)).unwrap();
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(first), State::Passed(_)), "{}", world.state(first));
    assert_eq!(failed(world.state(second)), FailureKind::CleanerSlotTaken);
    world.disk_held = true;
    let released = world.submit(Wanted::ReleaseCleanerSlot { library: None }).unwrap();
    let again = world.submit(Wanted::ReleaseCleanerSlot { library: None }).unwrap();
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(released), State::Passed(_)), "{}", world.state(released));
    assert_eq!(failed(world.state(again)), FailureKind::CleanerSlotMissing);
}

#[test]
fn nothing_but_the_cleaner_is_put_into_the_cleaners_slot() {
    let mut world = World::ready(library());
    world.submit(Wanted::ReserveCleanerSlot { library: None, slot: at(1006) }).unwrap();
    let id = world.submit(inject(false)).unwrap();
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    assert!(matches!(ended(&mut world, id), State::Passed(_)));
    assert_eq!(world.device.find("NEW001L8"), Some(at(1007)));
}

#[test]
fn locked_ports_are_unlocked_only_while_a_person_is_to_use_them() {
    let lock = |config: &mut Config| config.libraries[0].lock_ports = true;
    let mut world = World::with(library(), lock);
    world.rest();
    assert!(world.device.is_locked());
    let id = world.submit(eject("VT0001L8")).unwrap();
    ended(&mut world, id);
    world.rest();
    assert!(!world.device.is_locked(), "a cartridge lies there for a person");
    world.device.operator_take(PORT).unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    assert!(world.device.is_locked());
    // Without being asked to, nobody locks anything.
    let mut world = World::ready(library());
    let id = world.submit(inject(false)).unwrap();
    ended(&mut world, id);
    assert!(world.device.log().all(|entry| entry.cdb().first() != Some(&0x1E) || entry.cdb()[4] & 1 == 0));
}

#[test]
fn a_library_that_knows_no_trays_is_asked_once() {
    let mut world = World::ready(library());
    world.device.inject(Fault::sense(SenseKey::IllegalRequest, 0x20, 0x00).on(0x1B).times(100));
    for n in 1..=2 {
        let id = world.submit(eject(&format!("VT{n:04}L8"))).unwrap();
        ended(&mut world, id);
        world.rest();
    }
    let asked = world.device.log().filter(|entry| entry.cdb().first() == Some(&0x1B)).count();
    assert_eq!(asked, 1);
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
fn a_deadline_ends_the_wait_at_the_port_by_what_has_moved() {
    let mut world = World::ready(library());
    let within = |world: &mut World, wanted| {
        let caller = world.caller();
        let deadline = Some(Duration::from_secs(300));
        world.submit_as(caller, wanted, |submission| submission.deadline = deadline).unwrap()
    };
    let nothing = within(&mut world, inject(true));
    assert!(matches!(ended(&mut world, nothing), State::Cancelled { .. }));
    let one = within(&mut world, inject(true));
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    assert!(matches!(ended(&mut world, one), State::Stopped { place: Some(Place::Element(_)), .. }));
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

/// A command of locks and trays to the library.
fn sent(world: &World, opcode: u8) -> usize {
    world.device.log().filter(|it| it.unit.lun == 0 && it.opcode() == Some(opcode)).count()
}

const TRAY: u8 = 0x1B;
const PREVENT: u8 = 0x1E;

/// What keeps a library from giving a lock or a tray, for a while.
fn refusals() -> Vec<(&'static str, Fault)> {
    let illegal = |asc, ascq| Fault::sense(SenseKey::IllegalRequest, asc, ascq);
    vec![
        ("prevented by a host", illegal(0x53, 0x02).times(3)),
        ("prevented for good by a host", illegal(0x2C, 0x06).times(3)),
        ("hardware error", Fault::sense(SenseKey::HardwareError, 0x44, 0x00).times(3)),
        ("reservation conflict", Fault::status(autochanger_sim::Status::ReservationConflict).times(1)),
        ("not delivered", Fault::not_delivered().times(5)),
    ]
}

#[test]
fn a_port_that_does_not_open_is_no_open_port_and_is_tried_again() {
    for (name, fault) in refusals() {
        let mut world = World::ready(library());
        world.device.inject(fault.on(TRAY).lun(0));
        let id = world.submit(eject("VT0001L8")).unwrap();
        assert_eq!(ended(&mut world, id), State::Passed(Outcome::Ejected { port: at(PORT) }), "{name}");
        world.until(name, |world| world.device.open_ports().next().is_some());
        assert_eq!(world.device.pending_faults(), 0, "{name}");
        world.rest();
        assert_eq!(world.device.open_ports().collect::<Vec<_>>(), [at(PORT)], "{name}");
    }
}

#[test]
fn whoever_is_asked_to_the_port_is_told_that_it_is_shut_until_it_is_not() {
    let mut world = World::ready(library());
    let shut = Fault::sense(SenseKey::IllegalRequest, 0x53, 0x02).on(TRAY).lun(0);
    world.device.inject(shut.lasting(Duration::from_secs(60)));
    let id = world.submit(inject(false)).unwrap();
    world.until("it is told", |world| match tasks(world).as_slice() {
        [task @ OperatorTask::FillPort { trouble: Some(_), .. }] => {
            let text = task.to_string();
            text.contains("put port 10 out") && text.contains("medium removal prevented")
        }
        _ => false,
    });
    assert!(world.device.open_ports().next().is_none());
    world.until("it opens", |world| world.device.open_ports().next().is_some());
    world.until("it is told", |world| {
        matches!(tasks(world).as_slice(), [OperatorTask::FillPort { trouble: None, .. }])
    });
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    assert!(matches!(ended(&mut world, id), State::Passed(Outcome::Injected { .. })));
    let warned = |kind: &autochanger_engine::EventKind| matches!(kind, autochanger_engine::EventKind::Warning { what, .. } if what.contains("put port 10 out"));
    assert_eq!(world.events.iter().filter(|event| warned(&event.kind)).count(), 1);
}

#[test]
fn a_port_that_never_opens_is_not_tried_without_end() {
    let mut world = World::ready(library());
    world.device.inject(Fault::sense(SenseKey::IllegalRequest, 0x53, 0x02).on(TRAY).lun(0).always());
    let id = world.submit(eject("VT0001L8")).unwrap();
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Ejected { port: at(PORT) }));
    world.rest();
    assert_eq!(sent(&world, TRAY), 10);
    // Something has changed.
    world.device.clear_faults();
    let next = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(next), State::Passed(_)));
    assert_eq!(world.device.open_ports().collect::<Vec<_>>(), [at(PORT)]);
}

#[test]
fn a_lock_that_was_not_given_is_no_lock_and_is_tried_again() {
    for (name, fault) in refusals() {
        let mut device = library();
        device.inject(fault.on(PREVENT));
        let mut world = World::with(device, |config| config.libraries[0].lock_ports = true);
        world.rest();
        let last = world.device.log().rfind(|it| it.opcode() == Some(PREVENT));
        assert!(last.is_some_and(|it| it.to_string().contains("GOOD")), "{name}: {last:?}");
        assert_eq!(world.device.pending_faults(), 0, "{name}");
        assert_eq!(world.engine.view().libraries()[0].quirks, [], "{name}");
    }
}

#[test]
fn a_library_that_knows_neither_locks_nor_trays_is_told_as_that_and_asked_once() {
    use autochanger_engine::Quirk;
    let mut device = library();
    let unknown = |opcode| Fault::sense(SenseKey::IllegalRequest, 0x20, 0x00).on(opcode).lun(0).always();
    device.inject(unknown(PREVENT));
    device.inject(unknown(TRAY));
    let mut world = World::with(device, |config| config.libraries[0].lock_ports = true);
    world.rest();
    let id = world.submit(eject("VT0001L8")).unwrap();
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Ejected { port: at(PORT) }));
    world.rest();
    assert_eq!(world.engine.view().libraries()[0].quirks, [Quirk::NoPrevent, Quirk::NoPortCommand]);
    assert_eq!((sent(&world, PREVENT), sent(&world, TRAY)), (1, 1));
}
