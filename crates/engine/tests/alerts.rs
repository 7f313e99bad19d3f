//! What devices say of themselves beside their answers, and what is done about it.

mod common;

use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::catalog::Service;
use autochanger_engine::request::{ServiceTarget, State, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_scsi::SenseKey;
use autochanger_sim::{Fault, Library, Timing};
use autochanger_world::{World, dismount, inventory, mount, mount_in};

use common::passes;

const TAPE: &str = "VT0001L8";
const OTHER: &str = "VT0002L8";
const INQUIRY: u8 = 0x12;
const READY: u8 = 0x00;

fn library() -> Library {
    Library::new().slots(12).drives(2).ports(1).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange())
}

/// The changer foretells a failure with the next move, so that its flags are read.
fn raise(world: &mut World, flag: u8) {
    world.device.raise_alert(0, flag);
    world.device.inject(Fault::sense(SenseKey::RecoveredError, 0x5D, 0x00).after_effect().on_move());
}

fn service(world: &World) -> Service {
    world.engine.view().libraries()[0].service
}

fn wants_cleaning(world: &World) -> Vec<bool> {
    world.engine.view().drives(None).iter().map(|drive| drive.wants_cleaning).collect()
}

#[test]
fn nothing_is_put_anywhere_while_a_cartridge_is_in_no_slot_and_nobody_has_looked() {
    for flag in [12, 31] {
        let mut world = World::ready(library().build());
        raise(&mut world, flag);
        passes(&mut world, mount(TAPE));
        assert_eq!(service(&world), Service::Paused, "{flag}");
        let waiting = world.mount(OTHER);
        world.rest();
        assert!(!world.state(waiting).is_final());
        assert_eq!(world.device.moves_sent(), 1);
        // Somebody has looked.
        passes(
            &mut world,
            Wanted::SetService { target: ServiceTarget::Library(None), service: Service::Enabled },
        );
        assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
        world.assert_true();
    }
}

#[test]
fn a_library_that_says_that_a_door_is_open_or_that_it_is_off_line_is_sent_nothing_until_it_is_ready() {
    for flag in [16, 21] {
        let mut world = World::ready(library().build());
        raise(&mut world, flag);
        let first = world.mount(TAPE);
        // Nobody asks the changer whether it is ready but who opens it anew.
        world.device.inject(
            Fault::sense(SenseKey::NotReady, 0x04, 0x18).on(READY).lun(0).lasting(Duration::from_secs(900)),
        );
        let open_until = world.now + Duration::from_secs(900);
        world.until("it is loaded", |world| world.device.moves_done() == 1);
        let waiting = world.mount(OTHER);
        world.until("the other one is loaded", |world| world.device.moves_sent() == 2);
        assert!(world.now >= open_until, "{flag}: {:?} of {open_until:?}", world.now);
        world.rest();
        for id in [first, waiting] {
            assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        }
        assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
        assert!(world.device.log().filter(|it| it.unit.lun == 0 && it.opcode() == Some(INQUIRY)).count() > 2);
        world.assert_true();
    }
}

#[test]
fn a_drive_that_the_library_takes_off_line_is_not_used_while_it_says_so() {
    let mut world = World::ready(library().build());
    world.device.inject(Fault::exception(501, 0x83, 0x05));
    raise(&mut world, 22);
    passes(&mut world, mount_in(TAPE, 500));
    let waiting = world.mount(OTHER);
    world.rest();
    assert!(!world.state(waiting).is_final(), "{}", world.state(waiting));
    assert_eq!(world.device.moves_sent(), 1);
    world.device.repair(501);
    passes(&mut world, inventory());
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
    world.assert_true();
}

#[test]
fn a_drive_that_asks_to_be_cleaned_in_whatever_way_is_known_to_and_is_cleaned_where_that_can_be() {
    for cleaner in [false, true] {
        for way in ["flag", "remark", "element"] {
            let device = match (cleaner, way) {
                (true, _) => library().cleaning_cartridge("CLN001CU"),
                (false, _) => library(),
            };
            let mut world = World::ready(device.build());
            let foretold = |code: (u8, u8)| {
                Fault::sense(SenseKey::RecoveredError, code.0, code.1).after_effect().on(READY).lun(1)
            };
            match way {
                "flag" => {
                    world.device.raise_alert(1, 21);
                    world.device.inject(foretold((0x5D, 0x00)));
                }
                "remark" => world.device.inject(foretold((0x00, 0x17))),
                _ => {
                    world.device.inject(Fault::exception(500, 0x80, 0x01));
                    world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
                }
            }
            let asked = |event: &autochanger_engine::Event| matches!(&event.kind, EventKind::Drive { drive, wants_cleaning: true, .. } if drive.0 == 500);
            passes(&mut world, mount_in(TAPE, 500));
            assert!(world.events.iter().any(asked), "{way}");
            if way == "element" {
                world.device.repair(500);
            }
            passes(&mut world, dismount(TAPE));
            passes(&mut world, inventory());
            world.rest();
            let cleaned =
                world.disk.drives.values().find(|drive| drive.element.0 == 500).unwrap().last_cleaned;
            assert_eq!(wants_cleaning(&world), [false, false], "{way}");
            if way == "flag" {
                assert_eq!(cleaned.is_some(), cleaner, "{way}");
            }
            world.assert_true();
        }
    }
}
