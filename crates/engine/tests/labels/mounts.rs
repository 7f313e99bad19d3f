//! Mounts that are held against the label, and what a wrong one has read.

use autochanger_engine::input::Verify;
use autochanger_engine::request::{FailureKind, InventoryMethod, Outcome, State, Wanted};
use autochanger_sim::{Fault, SenseKey};
use autochanger_world::{World, dismount};

use super::{
    READ, REWIND, TAPE, block, cartridge, changes_told, failed, is_in_slot, label, library, sent, update,
    verifying, vol1, with_tape,
};

#[test]
fn a_mount_that_is_held_against_the_label_records_it_at_first_and_refuses_another_one_later() {
    let mut world = verifying(with_tape(block(&vol1("VT0001", "LTFS"))));
    let first = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(first), State::Passed(Outcome::Mounted { .. })));
    assert_eq!(cartridge(&world).label, Some(label("LTFS", "VT0001")));
    world.submit(dismount(TAPE)).unwrap();
    world.rest();
    let second = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(second), State::Passed(Outcome::Mounted { .. })), "unchanged");
    world.submit(dismount(TAPE)).unwrap();
    world.rest();
    for (n, other) in [block(&vol1("OTHER", "LTFS")), vec![], block(b"who knows")].into_iter().enumerate() {
        world.device.set_recording(TAPE, other);
        let wrong = world.mount(TAPE);
        world.rest();
        assert_eq!(failed(&world, wrong), FailureKind::WrongLabel);
        assert_eq!(changes_told(&world), n + 1);
        assert!(is_in_slot(&world));
        assert_eq!(cartridge(&world).label, Some(label("LTFS", "VT0001")));
        assert_eq!(world.engine.view().mounts().len(), 0);
    }
    world.assert_true();
}

#[test]
fn an_unreadable_label_does_not_keep_a_mount_from_passing() {
    let mut world = verifying(with_tape(block(&vol1("VT0001", "LTFS"))));
    world.submit(update(TAPE, label("LTFS", "VT0001"))).unwrap();
    world.device.inject(Fault::sense(SenseKey::DataProtect, 0x74, 0x00).on(READ));
    let id = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })));
}

#[test]
fn a_mount_by_barcode_reads_nothing_from_the_tape() {
    let mut world = World::ready(with_tape(block(&vol1("VT0001", "LTFS"))));
    world.mount(TAPE);
    world.rest();
    assert_eq!((sent(&world, READ), sent(&world, REWIND)), (0, 0));
    assert_eq!(cartridge(&world).label, None);
}

fn own_inventories(world: &World) -> usize {
    let requests = world.disk.requests.values();
    let own =
        |wanted: &Wanted| matches!(wanted, Wanted::Inventory { method: Some(InventoryMethod::Fast), .. });
    requests.filter(|it| &*it.application == "autochanger" && own(&it.wanted)).count()
}

#[test]
fn after_a_wrong_label_the_inventory_is_read_unless_that_is_switched_off() {
    for on in [true, false] {
        let device = with_tape(block(&vol1("OTHER", "LTFS")));
        let mut world = World::with(device, |config| {
            config.libraries[0].verify = Verify::Label;
            config.libraries[0].auto_recovery = on;
        });
        world.rest();
        world.submit(update(TAPE, label("LTFS", "VT0001"))).unwrap();
        let id = world.mount(TAPE);
        world.rest();
        assert_eq!(failed(&world, id), FailureKind::WrongLabel);
        assert_eq!(own_inventories(&world), usize::from(on));
        assert!(
            world.device.log().all(|entry| entry.cdb().first() != Some(&0x07)),
            "no INITIALIZE ELEMENT STATUS"
        );
    }
}

#[test]
fn after_a_mount_that_hardware_failed_the_inventory_is_read_once() {
    let mut world = World::ready(library());
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move().always());
    let ids = [world.mount(TAPE), world.mount("VT0002L8")];
    world.rest();
    assert!(ids.iter().all(|id| failed(&world, *id) == FailureKind::LibraryFault));
    assert!((1..=2).contains(&own_inventories(&world)), "{}", own_inventories(&world));
}
