//! Ports: what goes out to a person, what a person brings, and what happens when hands, faults and power losses come between.

#[path = "ports/cleaner.rs"]
mod cleaner;
#[path = "ports/ejects.rs"]
mod ejects;
#[path = "ports/injects.rs"]
mod injects;
#[path = "ports/locks.rs"]
mod locks;

use std::time::Duration;

use autochanger_engine::id::RequestId;
use autochanger_engine::request::CancelError;
use autochanger_engine::request::{CancelAccepted, FailureKind, Operation, Place, State, Waiting, Wanted};
use autochanger_engine::view::OperatorTask;
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library, Timing};
use autochanger_world::{World, eject, inject};

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

fn inventory() -> Wanted {
    autochanger_world::inventory()
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
fn cancelling_answers_by_what_was_sent() {
    // Nothing has moved: cancelled, and the person is not asked any more.
    let mut world = World::ready(library());
    let id = world.submit(inject(true)).unwrap();
    until_state(&mut world, id, "it waits", |s| *s == State::Waiting(Waiting::Operator));
    assert_eq!(world.cancel(id).unwrap(), Ok(CancelAccepted::Cancelled));
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
    assert_eq!(world.cancel(id).unwrap(), Ok(CancelAccepted::Stopping));
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
    assert_eq!(world.cancel(id).unwrap(), Ok(CancelAccepted::Stopping));
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
    assert_eq!(world.cancel(id).unwrap(), Ok(CancelAccepted::Cancelled));
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
