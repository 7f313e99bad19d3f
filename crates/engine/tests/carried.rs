//! A cartridge is carried from one library to another while a request for it waits: the request is the first library's, and
//! what the second one holds at the same address is somebody else's.

use autochanger_engine::Answer;
use autochanger_engine::catalog::Service;
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{
    FailureKind, InventoryMethod, Place, ServiceTarget, State, Waiting, Wanted,
};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library, Timing};
use autochanger_world::{World, mount};

const TAPE: &str = "VT0001L8";
const FIRST_SLOT: u16 = 1000;

fn device(serial: &str, cartridges: core::ops::RangeInclusive<u32>) -> Device {
    Library::new()
        .slots(10)
        .drives(1)
        .serial(serial)
        .cartridges("VT{:04}L8", cartridges)
        .timing(Timing::midrange())
        .build()
}

/// Two libraries. The first holds `TAPE` in its first slot, and others in the slots in which the second has room.
fn two() -> World {
    let mut world = World::several(vec![device("ONE", 1..=6), device("TWO", 11..=12)], |_| {});
    world.rest();
    world
}

fn library(world: &World, n: usize) -> autochanger_engine::id::LibraryId {
    world.engine.view().libraries()[n].id.unwrap()
}

fn read(world: &mut World, n: usize) {
    let wanted = Wanted::Inventory { library: Some(library(world, n)), method: Some(InventoryMethod::Fast) };
    world.submit(wanted).unwrap();
    world.rest();
}

fn first_to_be(world: &mut World, service: Service) {
    let target = ServiceTarget::Library(Some(library(world, 0)));
    world.submit(Wanted::SetService { target, service }).unwrap();
    world.rest();
}

fn take(world: &mut World) {
    let from = world.device.find(TAPE).unwrap();
    world.device.operator_take(from).unwrap();
    read(world, 0);
}

/// From the first library into the third slot of the second, where the first has another cartridge.
fn carry(world: &mut World) {
    take(world);
    world.device.0[1].operator_put(FIRST_SLOT + 2, TAPE).unwrap();
    read(world, 1);
    let there = world.engine.view().cartridges(Some(library(world, 1)));
    let came = there.iter().any(|cartridge| cartridge.barcode.as_deref() == Some(TAPE));
    assert!(came, "the record went with the cartridge");
}

#[track_caller]
fn failed_for_the_other_library(world: &World, id: RequestId) {
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::CartridgeMissing, "{failure}");
    assert!(failure.message.contains("sim:test2"), "it says where it is: {failure}");
    assert_eq!(world.device.moves_sent(), 0, "nothing was moved");
    world.assert_true();
}

#[test]
fn a_mount_that_waits_for_a_person_is_not_served_with_what_stands_at_the_same_address() {
    let mut world = two();
    take(&mut world);
    let caller = world.caller();
    let id = world.submit_as(caller, mount(TAPE), |s| s.options.wait_for_operator = true).unwrap();
    world.rest();
    assert_eq!(world.state(id), State::Waiting(Waiting::Operator));
    world.device.0[1].operator_put(FIRST_SLOT + 2, TAPE).unwrap();
    read(&mut world, 1);
    assert_eq!(world.state(id), State::Waiting(Waiting::Operator), "it came to another library");
    assert_eq!(world.device.moves_sent(), 0);
    assert_eq!(world.engine.view().operator_requests().len(), 1, "it is asked for still");
    world.device.0[1].operator_take(FIRST_SLOT + 2).unwrap();
    read(&mut world, 1);
    world.device.operator_put(FIRST_SLOT, TAPE).unwrap();
    read(&mut world, 0);
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn a_mount_that_is_adopted_after_its_cartridge_was_carried_away_fails() {
    let mut world = two();
    world.disk_held = true;
    let id = world.submit(mount(TAPE)).unwrap();
    world.release_one();
    world.crash();
    world.rest();
    assert_eq!(world.state(id), State::Waiting(Waiting::Owner));
    carry(&mut world);
    assert!(matches!(world.adopt(id), Answer::Adopted(Ok(_))));
    world.rest();
    failed_for_the_other_library(&world, id);
}

#[test]
fn what_a_paused_library_kept_waiting_fails_when_it_serves_again() {
    let mut world = two();
    first_to_be(&mut world, Service::Paused);
    let cartridge = || TAPE.into();
    let wanted = [
        mount(TAPE),
        Wanted::Identify { cartridge: cartridge(), keep: false },
        Wanted::WriteFreeLabel { cartridge: cartridge(), overwrite: true },
    ];
    let ids: Vec<RequestId> = wanted.into_iter().map(|wanted| world.submit(wanted).unwrap()).collect();
    carry(&mut world);
    first_to_be(&mut world, Service::Enabled);
    for id in ids {
        failed_for_the_other_library(&world, id);
    }
}

#[test]
fn a_medium_that_the_other_library_has_mounted_is_not_waited_for() {
    let mut world = two();
    first_to_be(&mut world, Service::Paused);
    let id = world.mount(TAPE);
    carry(&mut world);
    let there = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(there), State::Passed(_)), "{}", world.state(there));
    // Both libraries have a drive of this address, and only the second one's holds it.
    first_to_be(&mut world, Service::Enabled);
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::CartridgeMissing, "{failure}");
    assert_eq!(world.engine.view().mounts().len(), 1);
    assert!(matches!(failure.place, Some(Place::Element(name)) if name.address == ElementAddress(500)));
    world.assert_true();
}

#[test]
fn a_drive_of_the_same_address_is_not_the_one_that_holds_it() {
    let mut world = two();
    first_to_be(&mut world, Service::Paused);
    let id = world.mount(TAPE);
    carry(&mut world);
    let there = world.mount(TAPE);
    world.until("it is in the drive", |world| world.device.0[1].find(TAPE) == Some(ElementAddress(500)));
    let _ = world.cancel(there);
    world.rest();
    first_to_be(&mut world, Service::Enabled);
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::CartridgeMissing, "{failure}");
    assert!(world.engine.view().mounts().is_empty());
    world.assert_true();
}
