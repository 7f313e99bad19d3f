//! Libraries that are not ready, cannot be reached, or want a drive unloaded.

use std::time::Duration;

use autochanger_engine::request::State;
use autochanger_engine::view::{LibraryError, LibraryState};
use autochanger_sim::{Device, Fault, Quirk as Switch, SenseKey};

use super::{World, does_the_main_job, library, quirks};
use autochanger_engine::Quirk;

#[test]
fn a_library_that_wants_its_drives_unloaded_gets_them_unloaded_whatever_the_configuration_says() {
    for switch in [Switch::HostUnloadFirst, Switch::HostUnloadFirst3A] {
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
    let mut device: Device = library().build();
    device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x85).lasting(Duration::from_secs(3 * 3600)));
    let mut world = World::new(device);
    world.until("it is ready", |world| *world.engine.view().libraries()[0].state == LibraryState::Ready);
    assert!(world.now >= Duration::from_secs(3 * 3600));
    does_the_main_job(world, "pause mode");
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
