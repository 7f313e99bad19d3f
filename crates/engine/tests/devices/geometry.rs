//! What there is: holes, magazines that come and go, addresses that are not counted, and as many elements as there can be.

use autochanger_engine::Quirk;
use autochanger_engine::view::LibraryState;
use autochanger_sim::{Fault, Library, Quirk as Switch, Timing};

use super::{World, counts, does_the_main_job, library, quirks};
use autochanger_world::{dismount, inventory, mount};

#[test]
fn a_small_transfer_size_is_read_in_chunks() {
    for switch in
        [Switch::VendorBytes(0), Switch::AbsentEvery(50), Switch::Unordered, Switch::VendorBytes(200)]
    {
        let device = library().quirk(switch).quirk(Switch::RejectUnknownStart).build();
        let world = World::with(device, |config| config.libraries[0].max_transfer = 1024);
        let slots = if switch == Switch::AbsentEvery(50) { 118 } else { 120 };
        // A cartridge in a hole is not there.
        if slots == 120 {
            assert_eq!(counts(&does_the_main_job(world, "1024 bytes a transfer")), (slots, 3, 2));
        } else {
            let mut world = world;
            world.rest();
            assert_eq!(counts(&world), (slots, 3, 2));
        }
    }
}

#[test]
fn a_report_that_is_cut_at_the_end_of_a_descriptor_is_no_short_one_and_loses_nothing() {
    for (order, told) in [(None, &[][..]), (Some(Switch::Unordered), &[Quirk::Unordered])] {
        // Descriptors are longer than is guessed at first.
        let library = library().quirk(Switch::VendorBytes(150)).quirk(Switch::CutAtDescriptor);
        let device = order.into_iter().fold(library, |library, order| library.quirk(order)).build();
        let world = World::with(device, |config| config.libraries[0].max_transfer = 1024);
        let world = does_the_main_job(world, "cut at a descriptor");
        assert_eq!((counts(&world), quirks(&world)), ((120, 3, 2), told.to_vec()));
        world.assert_true();
    }
}

#[test]
fn a_library_of_all_addresses_with_holes_is_opened_with_bounded_questions() {
    const SLOTS: u16 = 64_000;
    let timing = Timing::none();
    let mut world = World::new(
        Library::new()
            .slots(SLOTS)
            .first_slot(1000)
            .drives(4)
            .cartridges("VT{:05}L8", 1..=500)
            .timing(timing)
            .quirk(Switch::AbsentEvery(3000))
            .build(),
    );
    world.rest();
    assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
    assert_eq!(counts(&world).0, SLOTS - SLOTS / 3000);
    let asked = world.device.log().filter(|entry| entry.cdb().first() == Some(&0xB8)).count();
    assert!(asked <= 80, "{asked} questions for {SLOTS} elements, a thousand at a time");
    super::passes(&mut world, mount("VT00500L8"), "mount");
    super::passes(&mut world, dismount("VT00500L8"), "dismount");
    world.assert_true();
}

#[test]
fn a_magazine_that_is_taken_out_and_put_back_comes_and_goes_with_its_slots() {
    let mut world = World::ready(library().build());
    for (absent, slots) in [(20, 100), (0, 120), (30, 90)] {
        world.device.quirk(Switch::AbsentSlots(absent));
        world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
        super::passes(&mut world, inventory(), "inventory");
        world.rest();
        assert_eq!(counts(&world), (slots, 3, 2));
    }
    world.assert_true();
}

#[test]
fn addresses_that_may_have_changed_are_asked_for_again_before_the_elements_are_read() {
    let mut world = World::ready(library().build());
    let asked = |world: &World| {
        let geometry = |cdb: &[u8]| matches!(cdb, [0x1A, _, 0x1D, ..]);
        world.device.log().filter(|entry| geometry(entry.cdb())).count()
    };
    super::passes(&mut world, inventory(), "inventory");
    assert_eq!(asked(&world), 1);
    // MODE PARAMETERS CHANGED: the library was divided anew.
    world.device.inject(Fault::unit_attention(0, 0x2A, 0x01));
    super::passes(&mut world, inventory(), "inventory");
    world.rest();
    assert_eq!(asked(&world), 2);
    assert_eq!(counts(&world), (120, 3, 2));
    world.assert_true();
}

#[test]
fn slots_that_are_not_counted_are_used_as_the_others() {
    let mut world = World::ready(library().quirk(Switch::UncountedSlots(40)).build());
    assert_eq!((counts(&world), quirks(&world)), ((120, 3, 2), vec![Quirk::UncountedElements]));
    // The 90th cartridge stands in one of them.
    super::passes(&mut world, mount("VT0090L8"), "mount");
    super::passes(&mut world, inventory(), "inventory");
    assert_eq!(counts(&world), (120, 3, 2));
    world.assert_true();
}

#[test]
fn no_cartridge_is_put_where_there_is_no_magazine() {
    // The only empty slots are four ghosts, and the one that the cartridge came from.
    let full = || Library::new().slots(24).drives(2).ports(1).cartridges("VT{:04}L8", 1..=20);
    let mut world = World::ready(full().quirk(Switch::GhostSlots(4)).build());
    super::passes(&mut world, mount("VT0001L8"), "mount");
    world.device.operator_put(1000, "VT0099L8").unwrap();
    super::passes(&mut world, inventory(), "inventory");
    let waiting = world.dismount("VT0001L8");
    world.rest();
    assert!(!world.state(waiting).is_final(), "{}", world.state(waiting));
    assert_eq!(world.device.operator_take(1001).unwrap(), "VT0002L8");
    super::passes(&mut world, inventory(), "inventory");
    assert_eq!(world.device.find("VT0001L8").map(|at| at.0), Some(1001));
}

#[test]
fn a_source_address_that_lies_leads_no_cartridge_into_a_full_slot() {
    for switch in [Switch::SourceIsFull, Switch::SourceIsDrive, Switch::SourceIsNowhere, Switch::NoSource] {
        let device = library().cartridge_at(500, "VT0091L8").quirk(switch).build();
        let mut world = World::ready(device);
        super::passes(&mut world, dismount("VT0091L8"), &switch.to_string());
        assert_eq!(world.device.find("VT0091L8").map(|at| at.0), Some(1090), "{switch}");
        let told: &[_] = if switch == Switch::NoSource { &[] } else { &[Quirk::SourceUntrue] };
        assert_eq!(quirks(&world), told, "{switch}");
        world.assert_true();
    }
}

#[test]
fn a_bay_without_a_drive_is_not_used_and_a_loaded_drive_with_a_code_is() {
    let mut device = library().cartridge_at(502, "VT0091L8").build();
    device.inject(Fault::exception(500, 0x82, 0x00));
    device.inject(Fault::exception(502, 0x83, 0x01));
    let mut world = World::ready(device);
    super::passes(&mut world, mount("VT0001L8"), "mount");
    assert_eq!(world.device.find("VT0001L8").map(|at| at.0), Some(501));
    super::passes(&mut world, dismount("VT0091L8"), "dismount");
    world.assert_true();
}
