//! Inventories that read labels, as they are asked for, as a library is configured, and as they follow a door.

use std::collections::BTreeSet;
use std::time::Duration;

use autochanger_engine::catalog::{Caller, Role, Service};
use autochanger_engine::id::{RequestId, SessionId};
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{
    AfterDoor, CancelAccepted, CancelledBy, InventoryMethod, LabelsRead, Operation, Outcome, ServiceTarget,
    State, Waiting, Wanted,
};
use autochanger_sim::{Device, Fault, Library, SenseKey, Timing};
use autochanger_world::{World, mount};

const MINUTE: Duration = Duration::from_secs(60);
const REWIND: u8 = 0x01;
const READ: u8 = 0x08;
/// INITIALIZE ELEMENT STATUS, of all, of a range, and the older form of that.
const INITIALIZE: [u8; 3] = [0x07, 0x37, 0xE7];
const READ_ELEMENT_STATUS: u8 = 0xB8;

fn library(drives: u16) -> Device {
    Library::new()
        .slots(10)
        .drives(drives)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=5)
        .timing(Timing::midrange())
        .build()
}

fn inventory(method: impl Into<Option<InventoryMethod>>) -> Wanted {
    Wanted::Inventory { library: None, method: method.into() }
}

fn labels(world: &World, id: RequestId) -> LabelsRead {
    match world.state(id) {
        State::Passed(Outcome::Inventoried { labels: Some(labels), .. }) => labels,
        other => panic!("{other}"),
    }
}

/// The identifications of the manager's own, live and ended.
fn readings(world: &World) -> Vec<RequestId> {
    let requests = world.disk.requests.values();
    let own =
        requests.filter(|it| it.operation() == Operation::Identify && &*it.application == "autochanger");
    own.map(|request| request.id).collect()
}

fn live_readings(world: &World) -> usize {
    readings(world).into_iter().filter(|id| !world.state(*id).is_final()).count()
}

fn read_of(world: &World) -> BTreeSet<String> {
    let read = world.disk.cartridges.values().filter(|it| it.label_read_at.is_some());
    read.filter_map(|it| it.barcode.as_deref().map(str::to_owned)).collect()
}

fn initialized(world: &World) -> usize {
    INITIALIZE.iter().map(|opcode| sent(world, *opcode)).sum()
}

fn sent(world: &World, opcode: u8) -> usize {
    world.device.log().filter(|entry| entry.cdb().first() == Some(&opcode)).count()
}

fn all_in_slots(world: &World) -> bool {
    (1..=5).all(|n| {
        world.device.find(&format!("VT{n:04}L8")).is_some_and(|place| (1000..1010).contains(&place.0))
    })
}

fn pass(world: &mut World, time: Duration) {
    let until = world.now + time;
    while world.next_event().is_some_and(|next| next <= until) {
        world.step();
    }
    world.wait_until(until);
}

#[test]
fn each_medium_is_loaded_in_turn_and_back_in_its_slot_when_the_inventory_passes() {
    let mut world = World::ready(library(3));
    let id = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    let mut most = 0;
    while !world.state(id).is_final() {
        most = most.max(live_readings(&world));
        assert!(world.step(), "the inventory ends");
    }
    assert_eq!(labels(&world, id), LabelsRead::new(5, 0, 0));
    assert_eq!((readings(&world).len(), most), (5, 2), "one drive of three is left to others");
    assert!(all_in_slots(&world));
    assert_eq!(initialized(&world), 0);
    world.rest();
    world.assert_true();
}

#[test]
fn only_media_of_which_nobody_has_looked_at_the_label_are_loaded_where_that_is_asked_for() {
    let mut world = World::ready(library(2));
    let known = Wanted::Identify { cartridge: "VT0002L8".into(), keep: false };
    world.submit(known).unwrap();
    world.rest();
    let first = world.submit(inventory(InventoryMethod::NewLabels)).unwrap();
    world.rest();
    assert_eq!(labels(&world, first), LabelsRead::new(4, 0, 0));
    let moves = world.device.moves_sent();
    let again = world.submit(inventory(InventoryMethod::NewLabels)).unwrap();
    world.rest();
    assert_eq!((labels(&world, again), world.device.moves_sent()), (LabelsRead::new(0, 0, 0), moves));
    let all = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    world.rest();
    assert_eq!(labels(&world, all), LabelsRead::new(5, 0, 0));
}

#[test]
fn what_is_in_use_is_passed_over_and_what_cannot_be_read_is_counted() {
    let mut world = World::ready(library(2));
    let used = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(used), State::Passed(_)));
    let disabled = ServiceTarget::cartridge("VT0002L8");
    world.submit(Wanted::SetService { target: disabled, service: Service::Disabled }).unwrap();
    world.rest();
    world.device.inject(Fault::sense(SenseKey::MediumError, 0x11, 0x00).on(REWIND));
    let id = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    world.rest();
    let found = labels(&world, id);
    assert_eq!((found.skipped, found.read + found.failed), (2, 3), "{found:?}");
    assert_eq!(world.engine.view().mounts().len(), 1, "the mount stays");
    world.assert_true();
}

#[test]
fn a_medium_that_comes_free_while_others_are_read_is_read_too() {
    let mut world = World::ready(library(2));
    world.mount("VT0005L8");
    world.rest();
    let id = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    world.until("the first is under way", |world| live_readings(world) > 0);
    world.dismount("VT0005L8");
    world.rest();
    assert_eq!(labels(&world, id), LabelsRead::new(5, 0, 0));
}

#[test]
fn a_cancel_ends_the_round_and_what_is_under_way_goes_back_to_its_slot() {
    let mut world = World::ready(library(2));
    let id = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    world.until("a medium is in a drive", |world| sent(world, READ) > 0);
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    assert!(matches!(world.state(id), State::Stopped { place: None, by: CancelledBy::Session { .. } }));
    world.rest();
    assert_eq!(readings(&world).len(), 1);
    assert!(matches!(world.state(readings(&world)[0]), State::Passed(Outcome::Identified { .. })));
    assert!(all_in_slots(&world));
    world.assert_true();
}

#[test]
fn a_reading_that_has_not_begun_is_cancelled_with_its_inventory() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    let id = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    world.until("a reading waits for the drive", |world| live_readings(world) == 1);
    world.rest();
    let moves = world.device.moves_sent();
    world.cancel(id);
    world.rest();
    let reading = readings(&world)[0];
    assert!(matches!(world.state(reading), State::Cancelled { by: CancelledBy::Session { .. } }));
    assert_eq!(world.device.moves_sent(), moves);
}

#[test]
fn a_mount_that_was_asked_for_before_a_reading_goes_first_where_there_is_one_drive() {
    let mut world = World::ready(library(1));
    let id = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    world.until("the first is under way", |world| live_readings(world) == 1);
    let wanted = world.submit(mount("VT0005L8")).unwrap();
    world.until("the mount passes", |world| world.state(wanted).is_final());
    assert!(matches!(world.state(wanted), State::Passed(Outcome::Mounted { .. })));
    assert_eq!(read_of(&world).len(), 1, "it waited for the reading that was under way, and for no other");
    assert!(!world.state(id).is_final());
    world.dismount("VT0005L8");
    world.rest();
    assert_eq!(labels(&world, id), LabelsRead::new(5, 0, 0));
}

#[test]
fn after_a_crash_the_round_goes_on_and_nothing_is_read_twice() {
    let mut world = World::ready(library(2));
    let id = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    world.until("two were read", |world| read_of(world).len() == 2);
    world.crash();
    world.rest();
    assert_eq!(labels(&world, id), LabelsRead::new(5, 0, 0));
    let identified: Vec<_> =
        readings(&world).into_iter().filter(|id| matches!(world.state(*id), State::Passed(_))).collect();
    assert_eq!(identified.len(), 5);
    world.assert_true();
}

#[test]
fn however_often_the_manager_is_started_anew_no_more_readings_are_under_way_than_leave_a_drive() {
    let mut world = World::ready(library(2));
    let pause = |service| Wanted::SetService { target: ServiceTarget::Library(None), service };
    world.submit(pause(Service::Paused)).unwrap();
    let id = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    for _ in 0..4 {
        world.rest();
        assert_eq!(live_readings(&world), 1);
        world.crash();
    }
    world.rest();
    world.submit(pause(Service::Enabled)).unwrap();
    world.rest();
    assert_eq!(labels(&world, id), LabelsRead::new(5, 0, 0));
}

#[test]
fn the_method_of_the_library_is_taken_where_none_is_named() {
    use InventoryMethod::*;
    for (method, reads, initializes, loads) in
        [(Nothing, 0, 0, 0), (Fast, 1, 0, 0), (Full, 1, 1, 0), (NewLabels, 1, 0, 5), (AllLabels, 1, 0, 5)]
    {
        let mut world = World::with(library(2), |config| config.libraries[0].inventory_method = method);
        world.rest();
        let before = (sent(&world, READ_ELEMENT_STATUS), initialized(&world));
        let id = world.submit(inventory(None)).unwrap();
        world.rest();
        let state = world.state(id);
        assert!(
            matches!(state, State::Passed(Outcome::Inventoried { elements: 15, cartridges: 5, .. })),
            "{method}: {state}"
        );
        assert_eq!(sent(&world, READ_ELEMENT_STATUS) > before.0, reads > 0, "{method}");
        assert_eq!(
            (initialized(&world) - before.1, readings(&world).len()),
            (initializes, loads),
            "{method}"
        );
    }
}

#[test]
fn an_application_may_ask_for_no_more_than_the_configured_method_allows_it() {
    let application = Caller { session: SessionId(9), application: "backup".into(), role: Role::Application };
    for (configured, asked, allowed) in [
        (InventoryMethod::Fast, None, true),
        (InventoryMethod::Full, None, false),
        (InventoryMethod::AllLabels, None, false),
        (InventoryMethod::AllLabels, Some(InventoryMethod::Fast), true),
        (InventoryMethod::Fast, Some(InventoryMethod::NewLabels), false),
    ] {
        let mut world = World::with(library(2), |config| config.libraries[0].inventory_method = configured);
        world.rest();
        let answer = world.submit_as(application.clone(), inventory(asked), |_| {});
        assert_eq!(answer.is_ok(), allowed, "{configured}, {asked:?}: {answer:?}");
        assert!(allowed || matches!(answer, Err(Refusal::RoleNeeded { .. })));
    }
}

#[test]
fn labels_follow_a_door_as_it_was_asked_for_or_configured() {
    for then in [AfterDoor::AllLabels, AfterDoor::Default] {
        let mut world = World::with(library(2), |config| {
            config.libraries[0].inventory_method = InventoryMethod::NewLabels;
        });
        world.rest();
        let id = world.submit(Wanted::DoorAccess { library: None, then }).unwrap();
        world.until("the person is asked", |world| world.state(id) == State::Waiting(Waiting::Operator));
        pass(&mut world, MINUTE);
        world.device.operator_open_door().unwrap();
        world.device.operator_put(1007, "NEW001L8").unwrap();
        world.device.operator_close_door();
        world.rest();
        assert_eq!(labels(&world, id), LabelsRead::new(6, 0, 0), "{then:?}");
        world.assert_true();
    }
}

/// KB 250916: what was exchanged behind the door, and has no barcode, looks as before.
#[test]
fn what_no_barcode_tells_apart_is_read_again_after_a_door() {
    let device = Library::new().slots(4).drives(2).unlabelled_at(1003).cartridges("VT{:04}L8", 1..=2);
    let device = device.timing(Timing::midrange()).build();
    let mut world = World::ready(device);
    let first = world.submit(inventory(InventoryMethod::NewLabels)).unwrap();
    world.rest();
    assert_eq!(labels(&world, first), LabelsRead::new(3, 0, 0));
    let door = Wanted::DoorAccess { library: None, then: AfterDoor::NewLabels };
    let id = world.submit(door).unwrap();
    world.until("the person is asked", |world| world.state(id) == State::Waiting(Waiting::Operator));
    world.device.operator_open_door().unwrap();
    world.device.operator_close_door();
    world.rest();
    assert_eq!(labels(&world, id), LabelsRead::new(1, 0, 0));
}

#[test]
fn a_library_that_is_disabled_in_the_middle_ends_the_round() {
    let mut world = World::ready(library(2));
    let id = world.submit(inventory(InventoryMethod::AllLabels)).unwrap();
    world.until("the first is under way", |world| live_readings(world) > 0);
    let target = ServiceTarget::Library(None);
    world.submit(Wanted::SetService { target, service: Service::Disabled }).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Failed(_)), "{}", world.state(id));
}
