//! A library that comes back with other addresses for its drives or slots, with more or fewer of them, or later than the manager.

mod common;

use std::time::Duration;

use autochanger_engine::catalog::{MotionState, Service};
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{
    CartridgeRef, FailureKind, Outcome, Place, ServiceTarget, State, Waiting, Wanted,
};
use autochanger_engine::view::LibraryState;
use autochanger_engine::{Answer, EventKind};
use autochanger_scsi::{ElementAddress, ElementType};
use autochanger_sim::{Device, Fault, Library, Nexus, Quirk, Timing};
use autochanger_world::{World, inventory, mount, mount_in};

use common::passes;

const TAPE: &str = "VT0001L8";
const OTHER: &str = "VT0002L8";
const FIRST: ElementAddress = ElementAddress(500);
const SECOND: ElementAddress = ElementAddress(501);
const SLOT: ElementAddress = ElementAddress(1000);

fn library() -> Library {
    Library::new()
        .slots(12)
        .drives(2)
        .ports(1)
        .cartridges("VT{:04}L8", 1..=8)
        .serial("LIB00042")
        .timing(Timing::midrange())
}

fn device() -> Device {
    library().build()
}

fn out(label: &str) -> Wanted {
    Wanted::Dismount { cartridge: label.into(), slot: None, force: true }
}

fn mounted_in(world: &World, id: RequestId) -> Option<ElementAddress> {
    world.engine.view().mounts().iter().find(|mount| mount.id == id).map(|mount| mount.drive)
}

fn place_of(world: &World, label: &str) -> Place {
    let all = world.engine.view().cartridges(None);
    all.iter().find(|it| it.barcode.as_deref() == Some(label)).expect("it is known").place.clone()
}

/// Another state of the same library: what `device` is takes the place of what there was.
fn becomes(world: &mut World, mut device: Device) {
    for port in 0..8 {
        device.connect(Nexus(port.into()), port);
    }
    world.device.0[0] = device;
}

#[test]
fn what_is_kept_of_drives_is_found_at_their_new_addresses_after_a_restart() {
    let mut world = World::ready(device());
    passes(
        &mut world,
        Wanted::SetService { target: ServiceTarget::drive(SECOND), service: Service::Disabled },
    );
    let id = passes(&mut world, mount(TAPE));
    assert_eq!(mounted_in(&world, id), Some(FIRST));
    world.device.renumber(ElementType::Drive, 256).unwrap();
    world.crash();
    world.rest();
    assert_eq!(mounted_in(&world, id), Some(ElementAddress(256)));
    let drives = world.engine.view().drives(None);
    let services: Vec<_> = drives.iter().map(|drive| (drive.element.0, drive.service)).collect();
    assert_eq!(services, [(256, Service::Enabled), (257, Service::Disabled)]);
    assert_eq!(drives[0].blame.uses, 1);
    // The disabled one is not used under its new address either.
    let waiting = world.mount(OTHER);
    world.rest();
    assert_eq!(world.engine.view().request(waiting).unwrap().state, State::Waiting(Waiting::Drive));
    passes(&mut world, out(TAPE));
    assert_eq!(world.device.find(TAPE), Some(SLOT));
    assert_eq!(mounted_in(&world, waiting), Some(ElementAddress(256)));
    world.assert_true();
}

#[test]
fn a_deferred_dismount_is_found_at_the_new_address_of_its_drive() {
    let mut world = World::ready(device());
    passes(&mut world, mount_in(TAPE, FIRST.0));
    let later = Wanted::Dismount { cartridge: TAPE.into(), slot: None, force: false };
    let deferred = world.submit_as(world.caller(), later, |it| it.options.deferred = true).unwrap();
    world.rest();
    assert_eq!(world.state(deferred), State::Deferred);
    world.device.renumber(ElementType::Drive, 256).unwrap();
    world.crash();
    world.rest();
    assert_eq!(world.state(deferred), State::Deferred);
    let [first, second] = [OTHER, "VT0003L8"].map(|label| world.mount(label));
    world.rest();
    assert!(matches!(world.state(deferred), State::Passed(_)), "{}", world.state(deferred));
    assert!(mounted_in(&world, first).is_some() && mounted_in(&world, second).is_some());
    world.assert_true();
}

#[test]
fn slots_with_other_addresses_are_the_same_slots() {
    for running in [true, false] {
        let mut world = World::ready(library().unlabelled_at(1009).build());
        passes(&mut world, Wanted::ReserveCleanerSlot { library: None, slot: ElementAddress(1011) });
        let id = passes(&mut world, mount(TAPE));
        let known = world.engine.view().cartridges(None);
        let unlabelled = known.iter().find(|it| it.barcode.is_none()).unwrap().id;
        world.device.renumber(ElementType::Storage, 4096).unwrap();
        if running {
            passes(&mut world, inventory());
        } else {
            world.crash();
        }
        world.rest();
        let all = world.engine.view().cartridges(None);
        assert_eq!(all.len(), known.len(), "none was lost, none is new");
        let same = all.iter().find(|it| it.id == unlabelled).unwrap();
        assert!(matches!(same.place, Place::Element(name) if name.address.0 == 4105), "{:?}", same.place);
        assert_eq!(world.engine.view().libraries()[0].cleaner_slot, Some(ElementAddress(4107)));
        assert!(mounted_in(&world, id).is_some(), "the medium in the drive has not moved");
        // Home is where it was, under its new address.
        passes(&mut world, out(TAPE));
        assert_eq!(world.device.find(TAPE), Some(ElementAddress(4096)));
        world.assert_true();
    }
}

#[test]
fn cartridges_that_hands_have_moved_one_slot_on_have_moved_and_their_homes_are_where_they_are() {
    let mut world = World::ready(device());
    let id = passes(&mut world, mount(TAPE));
    for slot in (1001..=1007).rev() {
        world.device.operator_swap(slot, slot + 1).unwrap();
    }
    world.crash();
    world.rest();
    assert!(mounted_in(&world, id).is_some());
    passes(&mut world, out(TAPE));
    assert_eq!(world.device.find(TAPE), Some(SLOT), "the slots are the same: its own is empty still");
    world.assert_true();
}

#[test]
fn what_waits_when_the_addresses_change_goes_on_with_the_new_ones() {
    let mut world = World::ready(device());
    let mounts: Vec<_> = (1..=4).map(|n| world.mount(&format!("VT{n:04}L8"))).collect();
    world.rest();
    let moves = world.device.moves_sent();
    assert_eq!(moves, 2);
    world.device.renumber(ElementType::Drive, 256).unwrap();
    world.device.renumber(ElementType::Storage, 4096).unwrap();
    for label in [TAPE, OTHER] {
        passes(&mut world, out(label));
    }
    for id in mounts.iter().skip(2) {
        assert!(mounted_in(&world, *id).is_some_and(|drive| drive.0 < 258), "{}", world.state(*id));
    }
    assert_eq!(world.device.find(TAPE), Some(ElementAddress(4096)));
    world.assert_true();
}

#[test]
fn a_motion_that_was_open_is_looked_for_at_the_new_addresses() {
    for (kind, first) in [(ElementType::Drive, 256), (ElementType::Storage, 4096)] {
        for arrives in [true, false] {
            let mut world = World::ready(device());
            if !arrives {
                world.device.inject(Fault::lost_reply().without_effect().on_move());
            }
            let id = world.mount(TAPE);
            world.disk_held = true;
            if arrives {
                world.until("it is in the drive", |world| world.device.moves_done() == 1);
            }
            world.device.renumber(kind, first).unwrap();
            assert_eq!(world.disk.motions.values().next().unwrap().state, MotionState::Open);
            world.crash();
            world.rest();
            if !arrives {
                assert_eq!(world.state(id), State::Waiting(Waiting::Owner), "{kind:?}");
                assert!(matches!(world.adopt(id), Answer::Adopted(Ok(_))));
                world.rest();
            }
            assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
            let drive = if kind == ElementType::Drive { 256..258 } else { 500..502 };
            assert!(mounted_in(&world, id).is_some_and(|at| drive.contains(&at.0)));
            let ends = world.disk.motions.values().map(|motion| motion.state);
            assert!(ends.clone().all(|state| matches!(state, MotionState::Moved | MotionState::NotMoved)));
            assert_eq!(ends.filter(|state| *state == MotionState::Moved).count(), 1);
            passes(&mut world, out(TAPE));
            world.assert_true();
        }
    }
}

#[test]
fn a_dismount_that_was_open_ends_in_its_slot_whatever_that_is_called_now() {
    let mut world = World::ready(device());
    passes(&mut world, mount(TAPE));
    let id = world.submit(out(TAPE)).unwrap();
    world.until("the move is sent", |world| world.device.moves_sent() == 2);
    world.disk_held = true;
    world.until("it is in its slot", |world| world.device.moves_done() == 2);
    world.device.renumber(ElementType::Drive, 256).unwrap();
    world.device.renumber(ElementType::Storage, 4096).unwrap();
    world.crash();
    world.rest();
    assert_eq!(world.state(id), State::Passed(Outcome::Dismounted { slot: ElementAddress(4096) }));
    assert!(world.engine.view().mounts().is_empty());
    world.assert_true();
}

/// Serial numbers at their old addresses: the other drive stands where the motion was to go.
#[test]
fn a_motion_into_a_drive_that_changed_its_bay_meanwhile_is_looked_for_in_its_drive() {
    let mut world = World::ready(device());
    let id = world.submit(mount_in(TAPE, FIRST.0)).unwrap();
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    // What the manager hears from now on is lost.
    world.disk_held = true;
    world.until("it is loaded", |world| {
        world.device.moves_done() == 1 && world.device.swap_drives(FIRST, SECOND).is_ok()
    });
    assert_eq!(world.disk.motions.values().next().unwrap().state, MotionState::Open);
    world.crash();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    assert_eq!(mounted_in(&world, id), Some(SECOND));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_drive_that_is_absent_ends_what_was_in_it_and_serves_as_before_when_it_is_back() {
    let mut world = World::ready(device());
    passes(&mut world, Wanted::SetService { target: ServiceTarget::drive(SECOND), service: Service::Paused });
    let id = passes(&mut world, mount_in(TAPE, FIRST.0));
    let named = world.submit(mount_in(OTHER, SECOND.0)).unwrap();
    world.rest();
    assert_eq!(world.engine.view().request(named).unwrap().state, State::Waiting(Waiting::Service));
    // The second drive is out, in another process first.
    let one = |tape: Option<u16>| {
        let labels =
            (2..=8).fold(library_of(1), |library, n| library.cartridge_at(999 + n, &format!("VT{n:04}L8")));
        tape.map_or(labels.clone(), |at| labels.cartridge_at(at, TAPE)).build()
    };
    becomes(&mut world, one(Some(FIRST.0)));
    passes(&mut world, inventory());
    world.rest();
    assert_eq!(mounted_in(&world, id), Some(FIRST));
    let State::Failed(failure) = world.state(named) else { panic!("{}", world.state(named)) };
    assert!(failure.message.contains("501"), "{failure}");
    assert_eq!(world.engine.view().drives(None).len(), 1);
    world.crash();
    world.rest();
    assert_eq!(mounted_in(&world, id), Some(FIRST));
    // Back again, it is paused still.
    let both = (2..=8)
        .fold(library_of(2), |library, n| library.cartridge_at(999 + n, &format!("VT{n:04}L8")))
        .cartridge_at(FIRST, TAPE);
    becomes(&mut world, both.build());
    world.crash();
    world.rest();
    let drives = world.engine.view().drives(None);
    assert_eq!(drives.iter().map(|it| it.service).collect::<Vec<_>>(), [Service::Enabled, Service::Paused]);
    assert_eq!(mounted_in(&world, id), Some(FIRST));
    world.assert_true();
}

fn library_of(drives: u16) -> Library {
    Library::new().slots(12).drives(drives).ports(1).serial("LIB00042").timing(Timing::midrange())
}

#[test]
fn a_mount_whose_drive_is_gone_has_ended_and_its_cartridge_is_missing() {
    let mut world = World::ready(device());
    let id = passes(&mut world, mount_in(TAPE, SECOND.0));
    let deferred_of = passes(&mut world, mount_in(OTHER, FIRST.0));
    let without =
        (3..=8).fold(library_of(1), |library, n| library.cartridge_at(999 + n, &format!("VT{n:04}L8")));
    becomes(&mut world, without.cartridge_at(FIRST, OTHER).build());
    world.crash();
    world.rest();
    assert_eq!(mounted_in(&world, id), None);
    assert_eq!(mounted_in(&world, deferred_of), Some(FIRST));
    assert!(matches!(place_of(&world, TAPE), Place::Missing { last } if last.address == SECOND));
    assert!(
        world
            .events
            .iter()
            .any(|it| matches!(&it.kind, EventKind::Dismounted { id: ended, .. } if *ended == id))
    );
    world.assert_true();
}

#[test]
fn what_stands_in_a_drive_that_took_the_place_of_another_is_not_taken_for_what_was_in_that_one() {
    // No labels are shown: what is where is known by its place alone.
    let mut world = World::ready(library().quirk(Quirk::RejectVoltag).build());
    let all = world.engine.view().cartridges(None);
    let tape = all.iter().find(|it| matches!(it.place, Place::Element(at) if at.address == SLOT)).unwrap().id;
    let wanted =
        Wanted::Mount { cartridge: CartridgeRef::Id(tape), drive: Some(FIRST), access: Default::default() };
    let id = passes(&mut world, wanted);
    world.device.operator_eject(FIRST).unwrap();
    world.device.operator_take(FIRST).unwrap();
    world.device.replace_drive(FIRST, "ANOTHER001").unwrap();
    world.device.operator_put(FIRST, "STRANGER").unwrap();
    let unloads = |world: &World| world.device.log().filter(|it| it.opcode() == Some(0x1B)).count();
    let (moves, before) = (world.device.moves_sent(), unloads(&world));
    world.crash();
    world.rest();
    assert_eq!(mounted_in(&world, id), None, "it is somebody else's medium");
    let known = world.engine.view().cartridges(None);
    assert!(!known.iter().any(|it| it.id == tape), "without a label nothing is kept of it, either");
    let dismount = Wanted::Dismount { cartridge: CartridgeRef::Id(tape), slot: None, force: true };
    assert!(world.submit(dismount).is_err(), "nothing can be taken out for it");
    world.rest();
    assert_eq!((world.device.moves_sent(), unloads(&world)), (moves, before));
}

#[test]
fn a_library_that_is_absent_at_the_start_has_its_open_motion_settled_when_it_comes() {
    let mut world = World::ready(device());
    let id = world.mount(TAPE);
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    world.device.inject(Fault::not_delivered().always());
    world.crash();
    world.wait_until(world.now + Duration::from_secs(3600));
    for _ in 0..50 {
        world.step();
    }
    assert!(matches!(*world.engine.view().libraries()[0].state, LibraryState::NotPresent(_)));
    assert!(!world.state(id).is_final(), "nothing is concluded of what nobody has seen: {}", world.state(id));
    assert!(world.disk.motions.values().all(|motion| motion.state == MotionState::Open));
    world.device.clear_faults();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_named_slot_that_is_not_there_any_more_is_told() {
    let mut world = World::ready(device());
    let id = passes(&mut world, mount(TAPE));
    let wanted = Wanted::Dismount { cartridge: TAPE.into(), slot: Some(ElementAddress(1011)), force: false };
    world.disk_held = true;
    let dismount = world.submit(wanted).unwrap();
    world.release_one();
    world.device.renumber(ElementType::Storage, 4096).unwrap();
    world.crash();
    world.rest();
    let State::Failed(failure) = world.state(dismount) else { panic!("{}", world.state(dismount)) };
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains("1011") && failure.message.contains("4107"), "{failure}");
    assert!(mounted_in(&world, id).is_some(), "nothing was moved for it");
    world.assert_true();
}
