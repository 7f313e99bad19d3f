//! Looks at a library that nobody asks for anything: what hands did there is noticed, also where nobody tells of it.

use std::time::Duration;

use autochanger_engine::catalog::Service;
use autochanger_engine::input::Timing as TimeOuts;
use autochanger_engine::request::{Place, ServiceTarget, State, Wanted};
use autochanger_engine::{Config, EventKind};
use autochanger_sim::{Library, LogEntry, Quirk as Switch, Timing};
use autochanger_world::{World, mount};

const ELEMENTS: u8 = 0xB8;
const MOVE: u8 = 0xA5;
const PORT: u16 = 10;
const MINUTE: Duration = Duration::from_secs(60);

fn library() -> Library {
    Library::new().slots(40).drives(2).ports(2).cartridges("VT{:04}L8", 1..=20).timing(Timing::midrange())
}

/// As it is by default, and not as in other worlds.
fn watchful(config: &mut Config) {
    let usual = TimeOuts::default();
    let timing = &mut config.libraries[0].timing;
    (timing.refresh_ports, timing.refresh_all) = (usual.refresh_ports, usual.refresh_all);
}

/// Lets so much time pass, whatever happens in it.
fn pass(world: &mut World, time: Duration) {
    let end = world.now + time;
    while world.next_event().is_some_and(|next| next <= end) {
        world.step();
    }
    world.wait_until(end);
}

fn ready(library: Library) -> World {
    let mut world = World::with(library.build(), watchful);
    pass(&mut world, Duration::from_secs(1));
    world
}

/// Somebody else, on the same way, hears what the changer has to tell.
fn swallow(world: &mut World) {
    for _ in 0..3 {
        let now = world.now;
        let asked = world.device.submit(now, 0, &[0; 6], &[], 0);
        world.device.take(asked);
    }
}

fn sent(world: &World, from: Duration) -> Vec<LogEntry> {
    let of_changer = |entry: &&LogEntry| entry.unit.lun == 0 && entry.at >= from && entry.opcode() != Some(0);
    world.device.log().filter(of_changer).cloned().collect()
}

/// The types of elements that were asked for.
fn types(log: &[LogEntry]) -> Vec<u8> {
    log.iter().filter(|it| it.opcode() == Some(ELEMENTS)).map(|it| it.cdb()[1] & 0x0F).collect()
}

fn told_in(world: &World, address: u16) -> usize {
    let here = |place: &Place| matches!(place, Place::Element(name) if name.address.0 == address);
    let of = |kind: &EventKind| matches!(kind, EventKind::Cartridge { place, .. } if here(place));
    world.events.iter().filter(|event| of(&event.kind)).count()
}

#[test]
fn what_somebody_puts_into_a_port_is_noticed_within_a_minute_and_told_once() {
    let mut world = ready(library());
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    swallow(&mut world);
    pass(&mut world, MINUTE);
    assert_eq!(told_in(&world, PORT), 1);
    pass(&mut world, 10 * MINUTE);
    assert_eq!(told_in(&world, PORT), 1);
    // And that it was taken out again.
    world.device.operator_take(PORT).unwrap();
    swallow(&mut world);
    pass(&mut world, MINUTE);
    let all = world.engine.view().cartridges(None);
    let new = all.iter().find(|it| it.barcode.as_deref() == Some("NEW001L8")).unwrap();
    assert!(matches!(new.place, Place::Outside { .. }), "{:?}", new.place);
    world.assert_true();
}

#[test]
fn what_hands_do_among_the_slots_is_noticed_within_a_quarter_of_an_hour() {
    let mut world = ready(library());
    world.device.operator_swap(1000, 1030).unwrap();
    world.device.swap_drives(500, 501).unwrap();
    swallow(&mut world);
    pass(&mut world, 16 * MINUTE);
    assert_eq!(told_in(&world, 1030), 1);
    assert!(world.events.iter().any(|event| matches!(event.kind, EventKind::DriveMoved { .. })));
    world.assert_true();
}

#[test]
fn a_look_at_which_nothing_has_changed_writes_nothing_and_tells_nothing() {
    let mut world = ready(library());
    let (events, start) = (world.events.len(), world.now);
    let lines = world.tape.text().lines().filter(|line| line.contains("decided")).count();
    pass(&mut world, 60 * MINUTE);
    assert_eq!(world.events.len(), events);
    assert_eq!(world.tape.text().lines().filter(|line| line.contains("decided")).count(), lines);
    let asked = types(&sent(&world, start));
    let all = asked.iter().filter(|kind| **kind == 2).count();
    assert!((4..=10).contains(&all), "storage elements are read each quarter of an hour: {all}");
    let ports = asked.iter().filter(|kind| **kind == 3).count();
    assert!((55..=70).contains(&ports), "ports are read each minute: {ports}");
}

#[test]
fn nobody_looks_where_it_is_off_nor_at_a_library_that_is_out_of_service_or_without_ports() {
    for (case, looks) in [("off", 0), ("disabled", 0), ("without ports", 0), ("as usual", 1)] {
        let device = library().ports(if case == "without ports" { 0 } else { 2 }).build();
        let mut world = World::with(device, |config| {
            watchful(config);
            if case == "off" {
                let timing = &mut config.libraries[0].timing;
                (timing.refresh_ports, timing.refresh_all) = (None, None);
            }
        });
        pass(&mut world, Duration::from_secs(1));
        if case == "disabled" {
            let target = ServiceTarget::Library(None);
            world.submit(Wanted::SetService { target, service: Service::Disabled }).unwrap();
            pass(&mut world, Duration::from_secs(1));
        }
        let start = world.now;
        pass(&mut world, Duration::from_secs(100));
        assert_eq!(types(&sent(&world, start)).len(), looks, "{case}");
    }
}

#[test]
fn while_something_moves_or_waits_for_the_arm_nobody_looks() {
    let mut timing = Timing::midrange();
    timing.place = Duration::from_secs(200);
    let mut world = ready(library().timing(timing));
    let start = world.now;
    let ids: Vec<_> = ["VT0001L8", "VT0002L8"].into_iter().map(|label| world.mount(label)).collect();
    pass(&mut world, Duration::from_secs(320));
    let log = sent(&world, start);
    assert_eq!(log.iter().filter(|it| it.opcode() == Some(MOVE)).count(), 2, "{log:#?}");
    assert_eq!(types(&log), [], "nothing is asked between and beside the moves");
    pass(&mut world, 10 * MINUTE);
    for id in ids {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    assert!(!types(&sent(&world, start)).is_empty(), "and when they have ended, somebody looks");
}

#[test]
fn a_request_that_comes_in_the_midst_of_a_look_waits_for_no_more_than_the_question_that_was_asked() {
    let mut timing = Timing::midrange();
    // Each question takes a second, and a full look ten of them.
    timing.command = Duration::from_secs(1);
    let device = library().quirk(Switch::MaxElementsPerReport(8)).timing(timing);
    let mut world = World::with(device.build(), watchful);
    let looked = |world: &World| world.device.log().filter(|it| it.opcode() == Some(ELEMENTS)).count();
    pass(&mut world, MINUTE / 2);
    // The first full look, a quarter of an hour after the opening.
    let of_slots = |world: &World| {
        let entry = world.device.log().last().cloned();
        entry.filter(|it| it.opcode() == Some(ELEMENTS) && it.cdb()[1] & 0x0F == 2 && it.end.is_none())
    };
    while of_slots(&world).is_none() {
        assert!(world.step() && world.now < 20 * MINUTE);
    }
    let (asked, at) = (looked(&world), world.now);
    let id = world.submit(mount("VT0001L8")).unwrap();
    world.until("it moves", |world| world.device.moves_sent() == 1);
    assert!(world.now <= at + Duration::from_secs(1), "{:?}", world.now - at);
    assert_eq!(looked(&world), asked);
    pass(&mut world, 2 * MINUTE);
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}
