//! Locks and trays, and a library that does not give them.

use std::time::Duration;

use autochanger_engine::Config;
use autochanger_engine::request::{Outcome, State};
use autochanger_engine::view::OperatorTask;
use autochanger_sim::{Fault, SenseKey};
use autochanger_world::{World, eject, inject};

use super::{PORT, at, ended, inventory, library, tasks};

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
