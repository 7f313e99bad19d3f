//! What happens inside a library while it works: doors, magazines, cartridges that stay in the arm, and moves that happened twice.

use std::time::Duration;

use autochanger_engine::request::{FailureKind, Outcome, Place, State};
use autochanger_engine::view::LibraryState;
use autochanger_sim::{Fault, Quirk as Switch, SenseKey, Timing};
use autochanger_world::{dismount, inventory, mount};

use super::{World, counts, library, passes};

const TAPE: &str = "VT0001L8";
const ELEMENTS: u8 = 0xB8;
const ARM: u16 = 1;

fn place(world: &World, label: &str) -> Place {
    let all = world.engine.view().cartridges(None);
    all.iter().find(|it| it.barcode.as_deref() == Some(label)).expect("it is known").place.clone()
}

fn is_in(world: &World, label: &str, address: u16) -> bool {
    matches!(place(world, label), Place::Element(name) if name.address.0 == address)
}

#[test]
fn a_door_that_is_opened_in_the_midst_of_a_move_leaves_the_cartridge_in_the_arm_and_in_sight() {
    let mut world = World::ready(library().build());
    // Half-way: the arm stops with the cartridge, and the move has ended.
    world.device.inject(Fault::door_mid_move());
    let id = world.mount(TAPE);
    world.until("the door is open", |world| world.device.find(TAPE).map(|at| at.0) == Some(ARM));
    world.wait_until(world.now + Duration::from_secs(3600));
    assert!(!world.state(id).is_final(), "nothing is given up while the door is open: {}", world.state(id));
    world.device.operator_close_door();
    world.rest();
    // The cartridge is where it can be seen, whatever became of the request.
    assert!(world.state(id).is_final(), "{}", world.state(id));
    passes(&mut world, inventory(), "inventory");
    assert!(is_in(&world, TAPE, ARM), "{:?}", place(&world, TAPE));
    // A person puts it back, and all goes on.
    assert_eq!(world.device.operator_take(ARM).unwrap(), TAPE);
    world.device.operator_put(1000, TAPE).unwrap();
    passes(&mut world, inventory(), "inventory");
    passes(&mut world, mount(TAPE), "mount");
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

#[test]
fn a_cartridge_that_is_in_the_arm_at_open_is_known_there_and_can_be_mounted() {
    let mut world = World::ready(library().cartridge_at(ARM, "VT0091L8").build());
    assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
    assert!(is_in(&world, "VT0091L8", ARM), "{:?}", place(&world, "VT0091L8"));
    world.assert_true();
    // Others cannot be moved by an arm that is full; that is told, and nothing is lost.
    let id = world.mount(TAPE);
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::LibraryFault, "{failure}");
    world.assert_true();
    assert!(is_in(&world, TAPE, 1000));
}

#[test]
fn a_cartridge_that_stays_in_the_arm_is_looked_for_there() {
    let mut world = World::ready(library().build());
    world.device.inject(Fault::stuck_in_arm());
    let id = world.mount(TAPE);
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::Unknown, "{failure}");
    // It was looked for by itself.
    assert!(is_in(&world, TAPE, ARM), "{:?}", place(&world, TAPE));
    world.assert_true();
    assert_eq!(world.device.operator_take(ARM).unwrap(), TAPE);
    world.device.operator_put(1000, TAPE).unwrap();
    passes(&mut world, inventory(), "inventory");
    passes(&mut world, mount(TAPE), "mount");
    passes(&mut world, dismount(TAPE), "dismount");
    world.assert_true();
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
