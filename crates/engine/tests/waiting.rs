//! Who is served when what it waited for is there, and who is passed over because it cannot use it.

use std::time::Duration;

use autochanger_engine::Input;
use autochanger_engine::catalog::Service;
use autochanger_engine::id::{RequestId, SessionId, Token};
use autochanger_engine::request::{
    CancelAccepted, GroupId, Operation, Options, Outcome, Request, ServiceTarget, State, Submission, Waiting,
    Wanted,
};
use autochanger_engine::view::LibraryState;
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, dismount, eject, inventory, mount};
use uuid::Uuid;

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

/// A library with one drive in use, and so many mounts that wait for it, of as few tapes as there are.
fn crowded(count: usize) -> (World, Vec<RequestId>) {
    let device =
        Library::new().slots(20).drives(1).cartridges("VT{:04}L8", 1..=10).timing(Timing::midrange());
    let mut world = World::ready(device.build());
    world.mount("VT0010L8");
    world.rest();
    let ids = (0..count).map(|n| world.mount(&format!("VT{:04}L8", n % 9 + 1))).collect();
    world.rest();
    (world, ids)
}

/// How many requests are looked at one by one for something.
fn visits(world: &mut World, what: impl FnOnce(&mut World)) -> usize {
    let before = world.engine.visits();
    what(world);
    world.engine.visits() - before
}

#[test]
fn what_is_done_for_one_request_does_not_look_at_the_others_one_by_one() {
    let work = |count| {
        let (mut world, ids) = crowded(count);
        let cancel = visits(&mut world, |world| {
            assert!(matches!(world.cancel(ids[5]), Some(Ok(CancelAccepted::Cancelled))));
        });
        let submit = visits(&mut world, |world| {
            world.mount("VT0001L8");
        });
        let reorder = visits(&mut world, |world| {
            let (token, caller, id) = (Token(2_000_000), world.caller(), ids[6]);
            world.input(Input::Reorder { token, caller, id, position: 2 });
        });
        let group = visits(&mut world, |world| {
            let mut submission = Submission {
                id: RequestId(Uuid::from_u128(7_000_000)),
                id_given: false,
                caller: world.caller(),
                wanted: mount("VT0002L8"),
                priority: 0,
                deadline: None,
                detached: false,
                options: Options::default(),
            };
            submission.options.group = Some(GroupId(Uuid::from_u128(1)));
            world.input(Input::SubmitGroup { token: Token(2_000_001), submissions: vec![submission] });
        });
        let close = visits(&mut world, |world| {
            world.input(Input::CloseSession { token: Token(2_000_002), session: SessionId(2) });
        });
        let target = ServiceTarget::Library(None);
        world.submit(Wanted::SetService { target, service: Service::Draining }).unwrap();
        let while_draining = visits(&mut world, |world| {
            world.mount("VT0003L8");
        });
        [cancel, submit, reorder, group, close, while_draining]
    };
    assert_eq!(work(400), work(10));
}

#[test]
fn a_drive_that_nobody_in_a_long_line_can_use_is_not_offered_to_each_of_them() {
    let work = |count| {
        let (mut world, _) = crowded(count);
        world.device.drive_asks_for_cleaning(DRIVE, true);
        world.dismount("VT0010L8");
        world.rest();
        let clean = |request: &Request| request.operation() == Operation::CleanDrive;
        let asked = world.disk.requests.values().find(|request| clean(request)).unwrap();
        assert_eq!(asked.state, State::Waiting(Waiting::Operator), "the drive is free, and takes no tape");
        visits(&mut world, |world| {
            world.submit(inventory()).unwrap();
            world.rest();
        })
    };
    assert_eq!(work(400), work(10));
}

#[test]
fn a_person_at_a_port_is_served_while_two_arms_are_never_idle_together() {
    let stocked = Library::new().slots(40).drives(12).ports(1).arms(2).cartridges("VT{:04}L8", 1..=24);
    let mut world = World::with(stocked.timing(Timing::midrange()).build(), |config| {
        config.libraries[0].moves_in_flight = 2;
        config.libraries[0].lock_ports = true;
    });
    world.rest();
    let mut jobs: Vec<(String, RequestId)> = Vec::new();
    for n in 1..=24 {
        let barcode = format!("VT{n:04}L8");
        let id = world.mount(&barcode);
        jobs.push((barcode, id));
    }
    let inject = world.submit(autochanger_world::inject(false)).unwrap();
    let began = world.now;
    let mut brought = false;
    world.until("what was brought is in", |world| {
        // Whoever has mounted dismounts, and whoever has dismounted mounts again.
        for (barcode, id) in &mut jobs {
            match world.state(*id) {
                State::Passed(Outcome::Mounted { .. }) => *id = world.dismount(barcode),
                State::Passed(_) => *id = world.mount(barcode),
                _ => {}
            }
        }
        // As soon as the port is unlocked.
        brought = brought || world.device.operator_put(10, "NEW001L8").is_ok();
        world.state(inject).is_final()
    });
    assert!(
        matches!(world.state(inject), State::Passed(Outcome::Injected { .. })),
        "{}",
        world.state(inject)
    );
    let took = world.now - began;
    assert!(took < Duration::from_secs(120), "{took:?}");
}

#[test]
fn what_waits_in_a_library_that_is_not_there_waits_for_the_library() {
    let (mut world, ids) = crowded(2);
    let shown = |world: &World| world.engine.view().request(ids[0]).unwrap().state;
    assert_eq!(shown(&world), State::Waiting(Waiting::Drive));
    let unplugged = Duration::from_secs(600);
    world.device.inject(Fault::not_delivered().lasting(unplugged));
    world.submit(inventory()).unwrap();
    world.until("it is not there", |world| *world.engine.view().libraries()[0].state != LibraryState::Ready);
    assert_eq!(shown(&world), State::Waiting(Waiting::Library));
    world.rest();
    assert_eq!(shown(&world), State::Waiting(Waiting::Drive), "it is back");
    world.device.inject(Fault::not_delivered().lasting(unplugged));
    world.crash();
    assert_eq!(shown(&world), State::Waiting(Waiting::Library), "the next process does not see it either");
    world.rest();
    assert_eq!(shown(&world), State::Waiting(Waiting::Owner));
}
