//! What happens inside a library while it works: doors, magazines, cartridges that stay in the arm, and moves that happened twice.

use std::time::Duration;

use autochanger_engine::request::{Outcome, Place, State};
use autochanger_sim::{Fault, Quirk as Switch, SenseKey, Timing};
use autochanger_world::inventory;

use super::{World, counts, library, passes};

const TAPE: &str = "VT0001L8";
const ELEMENTS: u8 = 0xB8;
const ARM: u16 = 1;

#[test]
fn a_move_in_the_midst_of_which_the_door_was_opened_goes_on_from_the_arm() {
    let mut world = World::ready(library().build());
    // Half-way: the arm stops with the cartridge, and the move has ended.
    world.device.inject(Fault::door_mid_move());
    let id = world.mount(TAPE);
    world.until("the door is open", |world| world.device.find(TAPE).map(|at| at.0) == Some(ARM));
    world.wait_until(world.now + Duration::from_secs(3600));
    assert!(!world.state(id).is_final(), "nothing is given up while the door is open: {}", world.state(id));
    world.device.operator_close_door();
    world.rest();
    // When the door is closed the request goes on from the arm.
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn a_magazine_that_is_taken_out_in_the_midst_of_an_inventory_is_out_and_its_cartridges_are_kept() {
    let mut timing = Timing::midrange();
    timing.command = Duration::from_secs(1);
    for after in 0..12 {
        let device = library().quirk(Switch::MaxElementsPerReport(16)).timing(timing.clone()).build();
        let mut world = World::ready(device);
        let read = |world: &World| world.device.log().filter(|it| it.opcode() == Some(ELEMENTS)).count();
        let before = read(&world);
        let id = world.submit(inventory()).unwrap();
        world.until("a part of it is read", |world| read(world) > before + after);
        world.device.quirk(Switch::AbsentSlots(40));
        world.device.inject(Fault::unit_attention(0, 0x3B, 0x12));
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        assert_eq!(counts(&world), (80, 3, 2), "after {after}");
        let all = world.engine.view().cartridges(None);
        assert_eq!(all.len(), 90, "after {after}");
        let gone = all.iter().filter(|it| !matches!(it.place, Place::Element(_))).count();
        assert_eq!(gone, 10, "after {after}");
        // And back.
        world.device.quirk(Switch::AbsentSlots(0));
        world.device.inject(Fault::unit_attention(0, 0x3B, 0x13));
        passes(&mut world, inventory(), "inventory");
        assert_eq!(counts(&world), (120, 3, 2), "after {after}");
        world.assert_true();
    }
}

/// What a kernel that sends a command a second time after a signal makes of a move: it has happened, and the answer is the second
/// one's, that the source is empty.
#[test]
fn a_move_whose_second_copy_finds_the_source_empty_has_happened() {
    for labelled in [true, false] {
        let device = library().unlabelled_at(1095).build();
        let mut world = World::ready(device);
        let slot = if labelled { 1000 } else { 1095 };
        let cartridge = autochanger_engine::request::CartridgeRef::Id(super::cartridge_in(&world, slot));
        let mount = autochanger_engine::request::Wanted::Mount {
            cartridge: cartridge.clone(),
            drive: None,
            access: Default::default(),
        };
        world.device.inject(Fault::sense(SenseKey::IllegalRequest, 0x3B, 0x0E).after_effect().on_move());
        let id = world.submit(mount).unwrap();
        world.rest();
        let State::Passed(Outcome::Mounted { .. }) = world.state(id) else { panic!("{}", world.state(id)) };
        assert_eq!((world.device.moves_sent(), world.device.moves_done()), (1, 1));
        world.assert_true();
        // And out of the drive.
        world.device.inject(Fault::sense(SenseKey::IllegalRequest, 0x3B, 0x0E).after_effect().on_move());
        let out = autochanger_engine::request::Wanted::Dismount { cartridge, slot: None, force: false };
        passes(&mut world, out, "dismount");
        assert_eq!((world.device.moves_sent(), world.device.moves_done()), (2, 2));
        world.assert_true();
    }
}
