//! Libraries that are not ready, cannot be reached, or want a drive unloaded.

use std::time::Duration;

use autochanger_engine::request::{Outcome, Place, State};
use autochanger_engine::view::{LibraryError, LibraryState};
use autochanger_sim::{Access, Device, Fault, Quirk as Switch, SenseKey, Status};
use autochanger_world::inventory;

use super::{World, does_the_main_job, library, quirks};
use autochanger_engine::Quirk;

#[test]
fn a_library_that_wants_its_drives_unloaded_gets_them_unloaded_whatever_the_configuration_says() {
    let switches = [
        Switch::HostUnloadFirst,
        Switch::HostUnloadFirst3A,
        Switch::HostUnloadFirst5301,
        Switch::HostUnloadFirst5303,
    ];
    for switch in switches {
        for unload_before_move in [true, false] {
            let device = library().quirk(switch).build();
            let world =
                World::with(device, |config| config.libraries[0].unload_before_move = unload_before_move);
            let world = does_the_main_job(world, "host unload first");
            world.assert_true();
            let learned = if unload_before_move { vec![] } else { vec![Quirk::HostUnloadFirst] };
            assert_eq!(quirks(&world), learned);
        }
    }
}

#[test]
fn a_cartridge_that_the_robot_cannot_take_yet_is_waited_for() {
    for seconds in [1, 8, 20, 40] {
        let world = World::new(library().quirk(Switch::AccessLags(seconds)).build());
        let world = does_the_main_job(world, "access lags");
        world.assert_true();
        assert_eq!(quirks(&world), [Quirk::LateAccess]);
    }
}

#[test]
fn a_library_that_comes_ready_late_is_waited_for() {
    let mut device: Device = library().build();
    device.inject(Fault::becoming_ready().lasting(Duration::from_secs(200)));
    does_the_main_job(World::new(device), "becoming ready");
}

#[test]
fn a_library_that_becomes_unready_while_it_is_read_is_read_to_the_end() {
    for after in [0, 1, 2, 3, 5] {
        let mut device: Device = library().quirk(Switch::MaxElementsPerReport(16)).build();
        device.inject(Fault::becoming_ready().on(0xB8).after(after).times(5));
        let world = does_the_main_job(World::new(device), "becoming ready while it is read");
        world.assert_true();
    }
}

#[test]
fn a_library_in_pause_for_hours_is_ready_in_the_end() {
    let mut world = World::new(library().quirk(Switch::PauseMode(3 * 3600)).build());
    world.until("it is ready", |world| *world.engine.view().libraries()[0].state == LibraryState::Ready);
    assert!(world.now >= Duration::from_secs(3 * 3600));
    does_the_main_job(world, "pause mode");
    at_each_step_of_a_mount(Switch::PauseMode(2 * 3600));
}

#[test]
fn a_library_that_starts_up_is_waited_for_whenever_it_does() {
    let world = World::new(library().quirk(Switch::StartsUp(200)).build());
    assert!(does_the_main_job(world, "it starts up").now >= Duration::from_secs(200));
    at_each_step_of_a_mount(Switch::StartsUp(900));
}

#[test]
fn a_storm_of_attentions_is_weathered() {
    for ascq in [0x00_u8, 0x01] {
        let mut device: Device = library().build();
        device.inject(Fault::sense(SenseKey::UnitAttention, 0x28, ascq).times(40));
        let world = does_the_main_job(World::new(device), "forty attentions");
        world.assert_true();
        // And in the midst of reading.
        let mut device: Device = library().quirk(Switch::MaxElementsPerReport(16)).build();
        device.inject(Fault::sense(SenseKey::UnitAttention, 0x28, ascq).on(0xB8).after(3).times(40));
        does_the_main_job(World::new(device), "forty attentions while it is read").assert_true();
    }
}

#[test]
fn a_library_that_wants_a_person_says_so_and_is_tried_again() {
    let mut device: Device = library().build();
    device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x03).on(0x00).lasting(Duration::from_secs(100)));
    let mut world = World::new(device);
    world.until("it is told", |world| {
        matches!(
            &*world.engine.view().libraries()[0].state,
            LibraryState::Unusable(LibraryError::Unfit { .. })
        )
    });
    does_the_main_job(world, "manual intervention");
}

#[test]
fn a_path_that_is_lost_and_comes_back_costs_nobody_his_request() {
    let mut world = World::new(library().build());
    world.rest();
    world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(20)));
    let id = world.mount("VT0001L8");
    world.until("it is told", |world| {
        matches!(&*world.engine.view().libraries()[0].state, LibraryState::NotPresent(_))
    });
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn an_exchange_that_is_claimed_and_unknown_becomes_two_moves() {
    let device = library().drives(1).quirk(Switch::ExchangeClaimed).build();
    let mut world = World::with(device, |config| config.libraries[0].exchange = true);
    world.rest();
    let first = world.mount("VT0001L8");
    world.rest();
    let down = world.dismount("VT0001L8");
    let second = world.mount("VT0002L8");
    world.rest();
    for id in [first, down, second] {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    assert_eq!(quirks(&world), [Quirk::ExchangeClaimed]);
    world.assert_true();
}

/// Whether every cartridge is in an element, under its label.
#[track_caller]
fn has_all(world: &World, what: &str) {
    let cartridges = world.engine.view().cartridges(None);
    assert_eq!(cartridges.len(), 90, "{what}");
    for cartridge in cartridges {
        assert!(matches!(cartridge.place, Place::Element(_)), "{what}: {cartridge:?}");
        assert!(cartridge.barcode.is_some(), "{what}: {cartridge:?}");
    }
    world.assert_true();
}

#[test]
fn a_trouble_in_the_midst_of_an_inventory_fails_it_and_has_nothing_missing() {
    for (key, asc) in [
        (SenseKey::HardwareError, 0x44),
        (SenseKey::MediumError, 0x11),
        (SenseKey::AbortedCommand, 0x44),
        (SenseKey::Vendor, 0x80),
    ] {
        // The last questions are for elements that are not counted.
        let mut world = World::new(library().quirk(Switch::MaxElementsPerReport(16)).build());
        world.rest();
        let questions = |world: &World| world.device.log().filter(|it| it.opcode() == Some(0xB8)).count();
        let before = questions(&world);
        world.submit(inventory()).unwrap();
        world.rest();
        let count = (questions(&world) - before) as u32;
        for after in 0..count {
            let what = format!("{key:?} after {after}");
            world.device.inject(Fault::sense(key, asc, 0).on(0xB8).after(after).times(30));
            let id = world.submit(inventory()).unwrap();
            world.rest();
            // The last one asks which drive is where, of which there is no half.
            let read = after + 1 == count;
            let state = world.state(id);
            assert!(
                if read { matches!(state, State::Passed(_)) } else { matches!(state, State::Failed(_)) },
                "{what}: {state}"
            );
            world.device.clear_faults();
            world.submit(inventory()).unwrap();
            world.rest();
            has_all(&world, &what);
        }
    }
}

/// A trouble that passes: HARDWARE ERROR, once or twice; an aborted command; an answer without data.
fn passing() -> impl Iterator<Item = (&'static str, Fault)> {
    let sense = |key| Fault::sense(key, 0x44, 0x00);
    [
        ("one hardware error", sense(SenseKey::HardwareError)),
        ("two hardware errors", sense(SenseKey::HardwareError).times(2)),
        ("four aborted commands", sense(SenseKey::AbortedCommand).times(4)),
        ("an answer without data", Fault::status(Status::Good)),
    ]
    .into_iter()
}

#[test]
fn a_trouble_that_passes_is_no_habit_and_costs_no_label_when_the_library_is_opened() {
    for (name, fault) in passing() {
        for after in 0..18 {
            let what = format!("{name} after {after}");
            let mut device: Device = library().quirk(Switch::MaxElementsPerReport(16)).build();
            device.inject(fault.clone().on(0xB8).after(after));
            let world = does_the_main_job(World::new(device), &what);
            assert_eq!(quirks(&world), [Quirk::FewElementsReported], "{what}");
            has_all(&world, &what);
        }
        for after in 0..3 {
            let what = format!("{name} after {after} mode senses");
            let mut device: Device = library().build();
            device.inject(fault.clone().on(0x1A).after(after));
            let world = does_the_main_job(World::new(device), &what);
            if name != "two hardware errors" {
                assert_eq!(quirks(&world), [], "{what}");
            }
        }
    }
}

#[test]
fn a_trouble_that_passes_is_no_habit_and_costs_no_label_when_the_library_is_read_again() {
    for (name, fault) in passing() {
        for after in 0..14 {
            let what = format!("{name} after {after}");
            let mut world = World::new(library().quirk(Switch::MaxElementsPerReport(16)).build());
            world.rest();
            // At its own request, and unasked.
            world.device.inject(fault.clone().on(0xB8).after(after));
            world.submit(inventory()).unwrap();
            world.rest();
            has_all(&world, &what);
            world.device.clear_faults();
            world.device.inject(fault.clone().on(0xB8).after(after));
            world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
            let next = world.mount("VT0001L8");
            world.rest();
            assert!(matches!(world.state(next), State::Passed(_)), "{what}: {}", world.state(next));
            has_all(&world, &what);
            assert_eq!(quirks(&world), [Quirk::FewElementsReported], "{what}");
        }
    }
}

#[test]
fn a_habit_that_a_library_has_given_up_is_not_told_any_more() {
    let mut world = World::new(library().quirk(Switch::AbsentSlots(10)).build());
    world.rest();
    assert_eq!(quirks(&world), [Quirk::AbsentElements]);
    world.device.quirk(Switch::AbsentSlots(0));
    let id = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Inventoried { missing: 0, .. })));
    assert_eq!(quirks(&world), []);
    // What is told of more than is counted goes on being told.
    let mut world = World::new(library().quirk(Switch::UncountedSlots(4)).build());
    world.rest();
    for _ in 0..2 {
        assert_eq!(quirks(&world), [Quirk::UncountedElements]);
        world.submit(inventory()).unwrap();
        world.rest();
    }
}

#[test]
fn a_type_that_is_refused_because_there_is_none_of_it_is_told() {
    for ports in [0, 2] {
        let device = library().ports(ports).quirk(Switch::RejectAbsentType).build();
        let world = does_the_main_job(World::new(device), "no ports");
        let told: &[Quirk] = if ports == 0 { &[Quirk::AbsentTypeRefused] } else { &[] };
        assert_eq!(quirks(&world), told);
    }
}

/// Turns the switch on after each step of a mount in turn, and looks what comes of it.
#[track_caller]
fn at_each_step_of_a_mount(switch: Switch) {
    for steps in 0.. {
        let mut world = World::ready(library().build());
        let id = world.mount("VT0001L8");
        for _ in 0..steps {
            world.step();
        }
        if world.state(id).is_final() {
            assert!(steps > 10, "{steps}");
            return;
        }
        world.device.quirk(switch);
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{switch}, {steps}: {}", world.state(id));
        assert_eq!(world.device.moves_done(), 1, "{switch}, {steps}");
        assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
        assert_eq!(world.engine.view().cartridges(None).len(), 90, "{switch}, {steps}");
        world.assert_true();
    }
}

/// Somebody is at the panel of a SuperLoader, for minutes.
#[test]
fn a_session_at_the_panel_is_waited_for_whenever_it_begins() {
    at_each_step_of_a_mount(Switch::PanelSession(1200));
    // What the robot has begun it finishes; nothing begins.
    let mut world = World::ready(library().build());
    let start = world.now;
    world.device.quirk(Switch::PanelSession(1200));
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)) && world.now >= start + Duration::from_secs(1200));
    assert_eq!(world.device.moves_done(), 1);
    let world = World::new(library().quirk(Switch::PanelSession(200)).build());
    assert!(does_the_main_job(world, "at the panel").now >= Duration::from_secs(200));
}

/// The partition is not ours (STK): a person must set that right, and when that was done all goes on.
#[test]
fn a_library_that_grants_no_access_is_unusable_and_says_why_until_it_does() {
    let mut world = World::new(library().quirk(Switch::AccessDenied(600)).build());
    world.until("it is told", |world| match &*world.engine.view().libraries()[0].state {
        LibraryState::Unusable(LibraryError::Unfit { what, .. }) => {
            assert!(what.contains("02/74/71") && what.contains("not"), "{what}");
            true
        }
        _ => false,
    });
    let world = does_the_main_job(world, "access is granted");
    assert!(world.now >= Duration::from_secs(600));
    world.assert_true();
    at_each_step_of_a_mount(Switch::AccessDenied(600));
}

/// The ports of a library fail over (SL150): commands are aborted, and a motion is, too, although it is made.
#[test]
fn a_move_that_was_broken_off_by_a_fail_over_is_looked_into_and_not_made_twice() {
    for seconds in [5, 30, 120] {
        at_each_step_of_a_mount(Switch::PortFailover(seconds));
    }
    does_the_main_job(World::new(library().quirk(Switch::PortFailover(120)).build()), "a fail-over");
}

/// The port that served is off line, and the other one takes its time.
#[test]
fn a_library_that_fails_over_to_its_other_port_is_used_through_that_one() {
    for steps in [0, 1, 2, 4, 8] {
        let device = library().quirk(Switch::PortFailover(30)).build();
        let mut world = World::with(device, |config| {
            config.libraries[0].paths = vec!["sim:test".into(), "sim:test?second".into()];
        });
        let now = world.now;
        world.device.set_port(now, 1, Access::Offline);
        world.until("it is ready", |it| *it.engine.view().libraries()[0].state == LibraryState::Ready);
        let id = world.mount("VT0001L8");
        for _ in 0..steps {
            world.step();
        }
        let now = world.now;
        world.device.set_port(now, 1, Access::Active);
        world.device.set_port(now, 0, Access::Offline);
        world.until("it has ended", |world| world.state(id).is_final());
        assert!(matches!(world.state(id), State::Passed(_)), "{steps}: {}", world.state(id));
        assert_eq!(world.device.moves_done(), 1, "{steps}");
        world.assert_true();
    }
}
