//! What hands leave behind: cartridges without labels that are gone leave no record, rearranged slots make neither duplicates nor a
//! scan; and what was prepared for a drive or a cartridge that is put out of service meanwhile is taken back.

mod common;

use autochanger_engine::catalog::{MotionState, Service};
use autochanger_engine::id::{CartridgeId, RequestId};
use autochanger_engine::request::{CartridgeRef, FailureKind, Place, ServiceTarget, State, Waiting, Wanted};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library, Quirk, Timing};
use autochanger_world::{World, inventory, mount, mount_in};

use common::passes;

const FIRST: ElementAddress = ElementAddress(500);
const SECOND: ElementAddress = ElementAddress(501);

fn library() -> Library {
    Library::new().slots(12).drives(2).ports(1).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange())
}

fn device() -> Device {
    library().build()
}

fn at(world: &World, address: u16) -> CartridgeId {
    let all = world.engine.view().cartridges(None);
    let here = |place: &Place| matches!(place, Place::Element(name) if name.address.0 == address);
    all.iter().find(|cartridge| here(&cartridge.place)).expect("a cartridge").id
}

fn count(world: &World) -> usize {
    assert_eq!(world.engine.view().cartridges(None).len(), world.disk.cartridges.len());
    world.disk.cartridges.len()
}

/// How often the library was told to look at its elements.
fn scans(world: &World) -> usize {
    world.device.log().filter(|it| matches!(it.opcode(), Some(0x07 | 0x37 | 0xE7))).count()
}

#[test]
fn an_unlabelled_cartridge_that_hands_took_leaves_no_record() {
    let mut world = World::ready(library().unlabelled_at(1010).build());
    for round in 0..5 {
        assert_eq!(count(&world), 7, "round {round}");
        let gone = at(&world, 1010);
        world.device.operator_take(1010).unwrap();
        passes(&mut world, inventory());
        assert_eq!(count(&world), 6);
        let wanted = Wanted::Mount { cartridge: gone.into(), drive: None, access: Default::default() };
        assert!(world.submit(wanted).is_err(), "it is not known any more");
        world.crash();
        world.rest();
        assert_eq!(count(&world), 6);
        // Whatever is put there is another one, as far as anybody can tell.
        world.device.operator_put(1010, "").unwrap();
        passes(&mut world, inventory());
    }
}

#[test]
fn one_that_somebody_waits_for_or_has_said_what_it_is_stays_known() {
    let mut world = World::ready(library().unlabelled_at(1009).unlabelled_at(1010).build());
    let (asked, disabled) = (at(&world, 1009), at(&world, 1010));
    passes(
        &mut world,
        Wanted::SetService { target: ServiceTarget::cartridge(disabled), service: Service::Disabled },
    );
    let wanted =
        Wanted::Mount { cartridge: CartridgeRef::Id(asked), drive: None, access: Default::default() };
    for address in [1009, 1010] {
        world.device.operator_take(address).unwrap();
    }
    let id = world.submit_as(world.caller(), wanted, |it| it.options.wait_for_operator = true).unwrap();
    world.rest();
    passes(&mut world, inventory());
    assert_eq!(world.engine.view().request(id).unwrap().state, State::Waiting(Waiting::Operator));
    assert_eq!(count(&world), 8);
    world.cancel(id).unwrap().unwrap();
    passes(&mut world, inventory());
    assert_eq!(count(&world), 7);
    let left = world.engine.view().cartridges(None).into_iter().any(|it| it.id == disabled);
    assert!(left, "that it is not to be used is not forgotten");
}

#[test]
fn slots_that_hands_rearranged_make_no_duplicates_and_no_scan() {
    for quirk in [None, Some(Quirk::LabelsDoubtfulAfterDoor)] {
        let device = quirk.into_iter().fold(library(), Library::quirk);
        let mut world = World::ready(device.build());
        passes(&mut world, mount("VT0006L8"));
        let (known, scanned) = (count(&world), scans(&world));
        for (one, other) in [(1000, 1004), (1001, 1011), (1002, 1003), (1011, 1004)] {
            world.device.operator_swap(one, other).unwrap();
        }
        // The library tells of it when it is asked something.
        passes(&mut world, mount("VT0001L8"));
        world.rest();
        assert_eq!(count(&world), known);
        let labels: std::collections::BTreeSet<_> =
            world.disk.cartridges.values().map(|it| it.barcode.clone()).collect();
        assert_eq!(labels.len(), known);
        assert_eq!(scans(&world), scanned, "nobody asked for a scan, which can take an hour");
        world.crash();
        world.rest();
        assert_eq!((count(&world), scans(&world)), (known, scanned));
        world.assert_true();
    }
}

/// A mount whose intent is durable while the arm works for another one.
fn prepared(world: &mut World, wanted: Wanted) -> RequestId {
    let first = world.submit(mount_in("VT0001L8", FIRST.0)).unwrap();
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    let second = world.submit(wanted).unwrap();
    let open = world.disk.motions.values().any(|it| it.request == second && it.state == MotionState::Open);
    assert!(open && world.device.moves_sent() == 1, "it is prepared and not sent");
    assert_ne!(first, second);
    second
}

fn set(world: &mut World, target: ServiceTarget, service: Service) {
    world.submit(Wanted::SetService { target, service }).unwrap();
}

#[test]
fn a_load_that_was_prepared_for_a_drive_that_is_put_out_of_service_goes_to_another_one() {
    for service in [Service::Paused, Service::Draining, Service::Disabled] {
        let mut world = World::ready(device());
        let id = prepared(&mut world, mount("VT0002L8"));
        set(&mut world, ServiceTarget::drive(SECOND), service);
        world.rest();
        assert_eq!(world.device.moves_sent(), 1, "nothing is put into it: {service}");
        assert_eq!(world.engine.view().request(id).unwrap().state, State::Waiting(Waiting::Drive));
        let states: Vec<_> =
            world.disk.motions.values().filter(|it| it.request == id).map(|it| it.state).collect();
        assert_eq!(states, [MotionState::NotSent]);
        passes(&mut world, Wanted::Dismount { cartridge: "VT0001L8".into(), slot: None, force: true });
        assert_eq!(world.engine.view().mounts().first().map(|mount| mount.drive), Some(FIRST));
        world.assert_true();
    }
}

#[test]
fn a_load_that_names_a_drive_which_is_put_out_of_service_waits_for_it_or_ends() {
    for (service, waits) in [(Service::Paused, true), (Service::Disabled, false)] {
        let mut world = World::ready(device());
        let id = prepared(&mut world, mount_in("VT0002L8", SECOND.0));
        set(&mut world, ServiceTarget::drive(SECOND), service);
        world.rest();
        assert_eq!(world.device.moves_sent(), 1);
        if waits {
            assert_eq!(world.engine.view().request(id).unwrap().state, State::Waiting(Waiting::Service));
            set(&mut world, ServiceTarget::drive(SECOND), Service::Enabled);
            world.rest();
            assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        } else {
            let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
            assert_eq!(failure.kind, FailureKind::Disabled);
        }
        world.assert_true();
    }
}

#[test]
fn a_load_that_was_prepared_in_a_group_is_not_put_into_a_drive_that_is_out_of_service() {
    for service in [Service::Paused, Service::Disabled] {
        let mut world = World::ready(device());
        let ids = world.group(7, &["VT0001L8", "VT0002L8"]);
        world.until("one is sent", |world| world.device.moves_sent() == 1);
        let open = world.disk.motions.values().filter(|it| it.state == MotionState::Open);
        let [_, waiting] = &open.cloned().collect::<Vec<_>>()[..] else { panic!("both have intents") };
        let sent = world.disk.motions.values().map(|it| it.destination.address).collect::<Vec<_>>();
        assert_eq!(sent.len(), 2);
        let drive = waiting.destination.address;
        set(&mut world, ServiceTarget::drive(drive), service);
        world.rest();
        let loaded = world.engine.view().drives(None).into_iter().find(|it| it.element == drive).unwrap();
        assert!(loaded.cartridge.is_none(), "{service}: {loaded:?}");
        // It waits for a drive, and gets one when there is one.
        set(&mut world, ServiceTarget::drive(drive), Service::Enabled);
        world.rest();
        for id in ids {
            assert!(matches!(world.state(id), State::Passed(_)), "{service}: {}", world.state(id));
        }
        world.assert_true();
    }
}

#[test]
fn a_load_of_a_cartridge_that_is_disabled_meanwhile_is_taken_back_and_ends() {
    let mut world = World::ready(device());
    let id = prepared(&mut world, mount("VT0002L8"));
    set(&mut world, ServiceTarget::cartridge("VT0002L8"), Service::Disabled);
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::Disabled);
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}
