//! How long commands are given: a look that waits in the device behind our own motion must not end before it does, for what a
//! kernel does about a command that is late (abort, reset) harms everybody.

use std::time::Duration;

use autochanger_engine::input::Timing as TimeOuts;
use autochanger_engine::request::{State, Wanted};
use autochanger_scsi::SenseKey;
use autochanger_sim::{Device, Fault, Library, Quirk, Status, Timing};
use autochanger_world::{World, inventory, mount_in};

const READY: u8 = 0x00;
const INQUIRY: u8 = 0x12;
const ELEMENTS: u8 = 0xB8;
const MOVE: u8 = 0xA5;
const TAPE: &str = "VT0001L8";

fn library() -> Device {
    Library::new()
        .slots(12)
        .drives(2)
        .arms(2)
        .cartridges("VT{:04}L8", 1..=8)
        .timing(Timing::midrange())
        .build()
}

fn own(opcode: u8) -> Duration {
    let usual = TimeOuts::default();
    if opcode == ELEMENTS { usual.element_status } else { usual.status }
}

/// What was sent since, with its time-out.
fn taken(world: &mut World) -> Vec<(u8, Duration)> {
    core::mem::take(world.timeouts.as_mut().unwrap())
}

fn watched(device: Device) -> World {
    let mut world = World::with(device, |config| config.libraries[0].moves_in_flight = 2);
    world.rest();
    world.timeouts = Some(Vec::new());
    world
}

#[test]
fn looks_at_a_move_whose_answer_was_lost_are_given_what_is_left_of_its_time() {
    let mut world = watched(library());
    let motion = TimeOuts::default().motion;
    // It happens after twenty minutes.
    world.device.inject(Fault::late_effect(Duration::from_secs(1200)).on_move());
    let id = world.submit(mount_in(TAPE, 500)).unwrap();
    world.until("it is sent", |world| world.device.moves_sent() == 1);
    let sent_at = world.now;
    let mut looks = 0;
    loop {
        let now = world.now;
        for (opcode, timeout) in taken(&mut world).into_iter().filter(|(opcode, _)| *opcode != MOVE) {
            looks += 1;
            let left = motion.saturating_sub(now - sent_at);
            assert!(timeout >= own(opcode) + left, "{opcode:02x} at {now:?}: {timeout:?}, {left:?} are left");
            assert!(timeout <= own(opcode) + motion, "{timeout:?}");
        }
        if world.device.find(TAPE).map(|at| at.0) == Some(500) {
            break;
        }
        assert!(world.step());
    }
    assert!(looks > 20, "{looks}");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    // And when it is settled, what they are given otherwise.
    taken(&mut world);
    world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
    let id = world.submit(mount_in("VT0002L8", 501)).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    for (opcode, timeout) in taken(&mut world) {
        assert!(opcode == MOVE || timeout == own(opcode), "{opcode:02x}: {timeout:?}");
    }
}

#[test]
fn a_move_that_the_device_has_answered_lengthens_nothing() {
    let mut world = watched(library());
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move());
    let id = world.submit(mount_in(TAPE, 500)).unwrap();
    world.rest();
    assert!(world.state(id).is_final());
    let looks: Vec<_> = taken(&mut world).into_iter().filter(|(opcode, _)| *opcode != MOVE).collect();
    assert!(looks.len() > 4);
    for (opcode, timeout) in looks {
        assert_eq!(timeout, if opcode == 0x4D { timeout } else { own(opcode) }, "{opcode:02x}");
    }
}

#[test]
fn a_survey_beside_an_open_motion_is_given_its_time_also_after_a_restart() {
    let motion = TimeOuts::default().motion;
    let mut world = watched(library());
    world.device.inject(Fault::late_effect(Duration::from_secs(1200)).on_move());
    world.submit(mount_in(TAPE, 500)).unwrap();
    world.until("it is in doubt", |world| world.device.moves_sent() == 1);
    taken(&mut world);
    for restart in [false, true] {
        if restart {
            world.crash();
        } else {
            // Its answer is lost, and it says that it is not what it was.
            world.device.inject(Fault::unit_attention(0, 0x3F, 0x01));
        }
        world.until("it is read", |world| {
            let sent = world.timeouts.as_ref().unwrap();
            sent.iter().filter(|(opcode, _)| *opcode == ELEMENTS).count() > 8
        });
        let (sent, now) = (taken(&mut world), world.now);
        assert!(now < Duration::from_secs(600), "{now:?}");
        for opcode in [INQUIRY, READY, ELEMENTS] {
            let least = sent.iter().filter(|(sent, _)| *sent == opcode).map(|(_, timeout)| *timeout).min();
            let left = if restart { motion } else { motion - now };
            assert!(least.unwrap() >= own(opcode) + left, "{restart}: {opcode:02x} is given {least:?}");
        }
    }
}

#[test]
fn what_a_library_recommends_is_what_its_commands_are_given_where_that_is_more() {
    let library =
        || Library::new().slots(12).drives(2).cartridges("VT{:04}L8", 1..=8).timing(Timing::midrange());
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (switch, given) in [
        (Some(Quirk::RecommendsMinutes(45)), [minutes(45), minutes(45), minutes(45)]),
        (Some(Quirk::RecommendsMinutes(2)), [minutes(2), minutes(5), minutes(30)]),
        (Some(Quirk::NoOperationCodes), [minutes(1), minutes(5), minutes(30)]),
    ] {
        let mut world = watched(switch.into_iter().fold(library(), Library::quirk).build());
        world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
        let id = world.submit(mount_in(TAPE, 500)).unwrap();
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        let sent = taken(&mut world);
        let of = |opcode: u8| sent.iter().find(|(sent, _)| *sent == opcode).map(|(_, timeout)| *timeout);
        assert_eq!([READY, ELEMENTS, MOVE].map(of), given.map(Some), "{switch:?}");
        // A move that happens after our own time, and within the library's, is waited for.
        let late = given[2] - minutes(3);
        world.device.inject(Fault::late_effect(late).on_move());
        let id = world.submit(mount_in("VT0002L8", 501)).unwrap();
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        assert_eq!(
            world.device.moves_sent(),
            world.device.moves_done() + 1,
            "one was answered with the attention"
        );
    }
}

#[test]
fn what_a_drive_recommends_is_what_its_commands_are_given_where_that_is_more_and_it_is_asked_once() {
    const UNLOAD: u8 = 0x1B;
    const REWIND: u8 = 0x01;
    const LOGS: u8 = 0x4D;
    const CODES: u8 = 0xA3;
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let asked = |world: &World, unit: u16| {
        world.device.log().filter(|it| it.unit.lun == unit && it.opcode() == Some(CODES)).count()
    };
    let ours = [minutes(16), minutes(16), minutes(3)];
    for (switch, wanted, given, times) in [
        (Some(Quirk::RecommendsMinutes(132)), true, [minutes(132); 3], 1),
        (Some(Quirk::RecommendsMinutes(2)), true, ours, 1),
        (Some(Quirk::NoOperationCodes), true, ours, 1),
        (Some(Quirk::RecommendsMinutes(132)), false, ours, 0),
    ] {
        let library = Library::new().slots(12).drives(2).cartridges("VT{:04}L8", 1..=8);
        let device = switch.into_iter().fold(library.timing(Timing::midrange()), Library::quirk).build();
        let mut world = World::with(device, |config| config.libraries[0].timing.recommended = wanted);
        world.rest();
        world.drive_timeouts = Some(Vec::new());
        for _ in 0..2 {
            let id = world.submit(Wanted::Identify { cartridge: TAPE.into(), keep: false }).unwrap();
            world.rest();
            assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        }
        let sent = world.drive_timeouts.take().unwrap();
        for (opcode, given) in [UNLOAD, REWIND, LOGS].into_iter().zip(given) {
            let all: Vec<Duration> = sent.iter().filter(|it| it.0 == opcode).map(|it| it.1).collect();
            assert!(
                all.len() >= 2 && all.iter().all(|it| *it == given),
                "{switch:?}, {opcode:02X}h: {all:?}"
            );
        }
        assert_eq!(asked(&world, 1) + asked(&world, 2), 2 * times, "each drive that was used, once");
        // What holds of a drive does not hold of another in its place.
        world.device.replace_drive(500, "ANOTHER001").unwrap();
        world.submit(inventory()).unwrap();
        world.rest();
        let id = world.submit(mount_in(TAPE, 500)).unwrap();
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        assert_eq!(asked(&world, 1) + asked(&world, 2), 3 * times);
        world.assert_true();
    }
}

#[test]
fn a_drive_that_answers_nonsense_or_is_busy_when_it_is_asked_for_its_times_costs_nobody_anything() {
    for fault in [
        Fault::status(Status::Good),
        Fault::status(Status::Busy).always(),
        Fault::sense(SenseKey::HardwareError, 0x44, 0x00).always(),
        Fault::lost_reply(),
        Fault::unit_attention(1, 0x2A, 0x01),
    ] {
        let mut world = World::ready(library());
        world.device.inject(fault.clone().on(0xA3).lun(1));
        let (id, start) = (world.submit(mount_in(TAPE, 500)).unwrap(), world.now);
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{fault:?}: {}", world.state(id));
        let took = world.now.saturating_sub(start);
        assert!(took < Duration::from_secs(120), "{fault:?}: {took:?}");
        let id = world.dismount(TAPE);
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{fault:?}: {}", world.state(id));
        world.assert_true();
    }
}

#[test]
fn the_robot_comes_for_a_cartridge_only_when_the_drive_has_settled_where_that_is_wanted() {
    const UNLOAD: u8 = 0x1B;
    for settle in [Duration::ZERO, Duration::from_secs(20)] {
        let mut world = World::with(library(), |config| config.libraries[0].timing.unload_settle = settle);
        world.rest();
        let id = world.submit(mount_in(TAPE, 500)).unwrap();
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        let id = world.dismount(TAPE);
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        let last = |opcode: u8| world.device.log().rfind(|it| it.opcode() == Some(opcode)).cloned().unwrap();
        let ended = last(UNLOAD).end.expect("it has ended").at;
        assert_eq!(last(MOVE).at - ended, settle);
        world.assert_true();
    }
}
