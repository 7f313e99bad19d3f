//! What comes free, and who waits for it: nobody is forgotten, and nothing is taken from its owner.

use std::time::Duration;

use autochanger_engine::Input;
use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::id::{SessionId, Token};
use autochanger_engine::request::{Access, State, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Fault, Library, Timing};
use autochanger_world::{World, dismount, inventory, mount};

use super::library;

/// A cartridge is left in the drive without a mount: its mount was stopped behind its move.
fn strand(world: &mut World, barcode: &str) {
    let id = world.mount(barcode);
    world.until("it is in a drive", |world| {
        world.device.find(barcode).is_some_and(|at| (500..600).contains(&at.0))
    });
    let _ = world.cancel(id);
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
}

#[test]
fn a_displacing_dismount_never_takes_a_medium_that_was_mounted_meanwhile() {
    let mut world = World::ready(library(1));
    strand(&mut world, "VT0001L8");
    world.disk_held = true;
    let other = world.submit(mount("VT0002L8")).unwrap();
    let same = world.submit(mount("VT0001L8")).unwrap();
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(same), State::Passed(_)), "{}", world.state(same));
    let mounts: Vec<_> = world.engine.view().mounts().into_iter().filter_map(|m| m.barcode).collect();
    assert_eq!(mounts.iter().map(|b| &**b).collect::<Vec<_>>(), ["VT0001L8"], "{}", world.state(other));
}

#[test]
fn a_dismount_handed_in_during_a_mount_does_not_take_the_medium_from_its_owner() {
    let mut world = World::ready(library(1));
    let mounted = world.mount("VT0001L8");
    let other = Caller { session: SessionId(2), application: "other".into(), role: Role::Operator };
    let taken = world.submit_as(other, dismount("VT0001L8"), |_| {});
    world.rest();
    assert!(matches!(world.state(mounted), State::Passed(_)), "{}", world.state(mounted));
    assert_eq!(
        world.engine.view().mounts().len(),
        1,
        "{taken:?}: {:?}",
        taken.as_ref().map(|id| world.state(*id))
    );
}

#[test]
fn a_drive_that_its_first_waiter_cannot_use_goes_to_the_next() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    let drive = Some(ElementAddress(500));
    let named = Wanted::Mount { cartridge: "VT0002L8".into(), drive, access: Access::ReadWrite };
    let gone = world.submit(named).unwrap();
    let any = world.mount("VT0003L8");
    world.rest();
    let slot = world.device.find("VT0002L8").unwrap();
    world.device.operator_take(slot).unwrap();
    let read = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(read), State::Passed(_)));
    world.dismount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(gone), State::Failed(_)), "{}", world.state(gone));
    assert!(matches!(world.state(any), State::Passed(_)), "{:?}", world.engine.view().request(any));
}

#[test]
fn a_full_house_still_frees_its_drives() {
    let mut world = World::with(library(1), |config| config.max_live_requests = 2);
    world.rest();
    strand(&mut world, "VT0001L8");
    world.disk_held = true;
    let first = world.submit(mount("VT0002L8")).unwrap();
    let second = world.submit(mount("VT0003L8")).unwrap();
    world.release_disk();
    world.rest();
    let _ = world.cancel(second);
    world.rest();
    assert!(matches!(world.state(first), State::Passed(_)), "{}", world.state(first));
}

#[test]
fn a_slot_that_a_survey_finds_empty_is_given_to_who_waits() {
    let device = Library::new()
        .slots(3)
        .drives(1)
        .ports(0)
        .cartridges("VT{:04}L8", 1..=3)
        .timing(Timing::midrange())
        .build();
    let mut world = World::ready(device);
    let home = world.device.find("VT0001L8").unwrap();
    world.mount("VT0001L8");
    world.rest();
    world.device.operator_put(home, "VT0009L8").unwrap();
    let read = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(read), State::Passed(_)));
    let down = world.dismount("VT0001L8");
    world.rest();
    assert_eq!(
        world.engine.view().request(down).map(|r| r.state.to_string()).as_deref(),
        Some("waiting for a slot")
    );
    // An inventory loses its path; hands empty the slot meanwhile; the library is surveyed anew.
    world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(60)));
    let _ = world.submit(inventory());
    world.until("lost", |w| matches!(&*w.engine.view().libraries()[0].state, LibraryState::NotPresent(_)));
    world.device.operator_take(home).unwrap();
    world.rest();
    assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
    assert!(
        matches!(world.state(down), State::Passed(_)),
        "{:?}",
        world.engine.view().request(down).map(|r| r.state)
    );
}

#[test]
fn a_drive_that_an_inventory_finds_loaded_is_freed_for_who_waits() {
    let mut device = library(1);
    // The bay says that its drive is off.
    device.inject(Fault::exception(ElementAddress(500), 0x83, 0x04));
    let mut world = World::ready(device);
    let id = world.mount("VT0001L8");
    world.rest();
    assert_eq!(
        world.engine.view().request(id).map(|r| r.state.to_string()).as_deref(),
        Some("waiting for a drive")
    );
    // Somebody switches it on and leaves a cartridge in it.
    world.device.repair(ElementAddress(500));
    world.device.operator_put(ElementAddress(500), "VT0009L8").unwrap();
    let read = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(read), State::Passed(_)));
    assert!(
        matches!(world.state(id), State::Passed(_)),
        "{:?}",
        world.engine.view().request(id).map(|r| r.state)
    );
}

#[test]
fn the_cancel_of_a_displacement_wakes_who_waits_for_its_medium() {
    let mut world = World::with(library(2), |c| c.libraries[0].unload_before_move = false);
    world.rest();
    let id = world.mount("VT0001L8");
    world.until("in", |w| w.device.find("VT0001L8").is_some_and(|a| a.0 >= 500 && a.0 < 600));
    let _ = world.cancel(id);
    world.rest();
    world.mount("VT0002L8");
    world.rest();
    // VT0001L8 is idle in one drive; it is wanted in the other one, which is taken by VT0002L8.
    let here = world.device.find("VT0001L8").unwrap();
    let other = if here.0 == 500 { 501 } else { 500 };
    world.disk_held = true;
    let want = world
        .submit(Wanted::Mount {
            cartridge: "VT0001L8".into(),
            drive: Some(ElementAddress(other)),
            access: Access::ReadWrite,
        })
        .unwrap();
    let (b, c) = world.stalled.pop_front().unwrap();
    world.disk.commit(c);
    world.input(Input::Persisted { batch: b, result: Ok(()) });
    // The displacement is being accepted; an administrator cancels it.
    let own = world
        .stalled
        .iter()
        .flat_map(|(_, changes)| changes)
        .find_map(|change| match change {
            autochanger_engine::Change::Request(request) if &*request.application == "autochanger" => {
                Some(request.id)
            }
            _ => None,
        })
        .unwrap();
    let admin = Caller { session: SessionId(3), application: "admin".into(), role: Role::Administrator };
    let token = Token(777);
    world.input(Input::Cancel { token, caller: admin, id: own, reason: None });
    world.release_disk();
    world.rest();
    world.dismount("VT0002L8");
    world.rest();
    assert!(
        matches!(world.state(want), State::Passed(_)),
        "{:?}",
        world.engine.view().request(want).map(|r| r.state)
    );
}

#[test]
fn a_dismount_that_must_unload_first_does_not_wait_for_the_slot_that_it_holds_itself() {
    let device =
        Library::new().slots(3).drives(1).cartridges("VT{:04}L8", 1..=2).timing(Timing::midrange()).build();
    let mut world = World::with(device, |c| c.libraries[0].unload_before_move = false);
    world.rest();
    let home = world.device.find("VT0001L8").unwrap();
    world.mount("VT0001L8");
    world.rest();
    // Hands fill its home; one other slot is empty.
    world.device.operator_put(home, "VT0009L8").unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    world.device.inject(Fault::sense(SenseKey::IllegalRequest, 0x3A, 0x00).on_move());
    let down = world.dismount("VT0001L8");
    world.rest();
    assert!(
        matches!(world.state(down), State::Passed(_)),
        "{:?}",
        world.engine.view().request(down).map(|r| r.state)
    );
}
