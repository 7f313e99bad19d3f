//! Who is served when what it waited for is there, and who is passed over because it cannot use it.

use std::time::Duration;

use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Outcome, State, Wanted};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library, Timing};
use autochanger_world::{World, dismount, eject, inventory};

const CLEANER: &str = "CLN001L8";
const DRIVE: ElementAddress = ElementAddress(500);

fn library(slots: u16) -> Library {
    Library::new().slots(slots).drives(2).ports(1).timing(Timing::midrange())
}

/// A library in which age alone is the order.
fn by_age(device: Device) -> World {
    let mut world = World::with(device, |config| config.priority_worth = Duration::ZERO);
    world.rest();
    world
}

fn named(world: &mut World, barcode: &str) -> RequestId {
    let wanted = Wanted::Mount { cartridge: barcode.into(), drive: Some(DRIVE), access: Default::default() };
    world.submit(wanted).unwrap()
}

#[track_caller]
fn passed(world: &World, id: RequestId) {
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
}

#[test]
fn a_cleaning_is_not_kept_out_by_an_older_mount_that_waits_for_the_same_drive_to_be_clean() {
    let device = library(10).cartridges("VT{:04}L8", 1..=4).cleaning_cartridge(CLEANER).build();
    let mut world = by_age(device);
    named(&mut world, "VT0001L8");
    world.rest();
    world.device.drive_asks_for_cleaning(DRIVE, true);
    let waits = named(&mut world, "VT0002L8");
    world.rest();
    world.dismount("VT0001L8");
    world.rest();
    let cleaned = |state: &State| matches!(state, State::Passed(Outcome::Cleaned { .. }));
    assert!(world.disk.requests.values().any(|request| cleaned(&request.state)), "the drive was cleaned");
    passed(&world, waits);
    world.assert_true();
}

#[test]
fn the_cleaners_slot_is_the_cleaners_although_a_tape_waits_for_a_slot_longer() {
    let device = library(3).cartridges("VT{:04}L8", 1..=2).cartridge_at(500, "VT0009L8").build();
    let mut world = by_age(device);
    let read = |world: &mut World| {
        world.submit(inventory()).unwrap();
        world.rest();
    };
    let slot = ElementAddress(1002);
    world.submit(Wanted::ReserveCleanerSlot { library: None, slot }).unwrap();
    world.device.operator_put_cleaner(slot, CLEANER).unwrap();
    read(&mut world);
    world.device.operator_swap(slot, ElementAddress(501)).unwrap();
    world.device.operator_put(slot, "VT0003L8").unwrap();
    read(&mut world);
    let tape = world.submit(dismount("VT0009L8")).unwrap();
    let cleaner = world.submit(dismount(CLEANER)).unwrap();
    world.rest();
    world.submit(eject("VT0003L8")).unwrap();
    world.until("the cleaner is at home", |world| world.state(cleaner).is_final());
    assert_eq!(world.state(cleaner), State::Passed(Outcome::Dismounted { slot }));
    assert!(!world.state(tape).is_final(), "there is no slot for it yet");
    world.submit(eject("VT0001L8")).unwrap();
    world.rest();
}
