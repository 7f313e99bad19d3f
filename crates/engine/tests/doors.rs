//! The door: opened for a person who asked, and by one who did not.

use std::time::Duration;

use autochanger_engine::id::RequestId;
use autochanger_engine::request::{AfterDoor, CancelAccepted, FailureKind, Outcome, State, Waiting, Wanted};
use autochanger_engine::view::OperatorTask;
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library, Timing};
use autochanger_world::{World, mount};

const MINUTE: Duration = Duration::from_secs(60);

fn library() -> Device {
    Library::new()
        .slots(8)
        .drives(2)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

fn door(then: AfterDoor) -> Wanted {
    Wanted::DoorAccess { library: None, then }
}

fn tasks(world: &World) -> Vec<OperatorTask> {
    world.engine.view().operator_requests().into_iter().map(|request| request.task).collect()
}

fn at_door(world: &mut World, id: RequestId) {
    world.until("the person is asked", |world| {
        world.engine.view().request(id).is_some_and(|r| r.state == State::Waiting(Waiting::Operator))
    });
}

fn pass(world: &mut World, time: Duration) {
    let until = world.now + time;
    while world.next_event().is_some_and(|next| next <= until) {
        world.step();
    }
    world.wait_until(until);
}

fn ended(world: &mut World, id: RequestId) -> State {
    world.until("the request ends", |world| world.state(id).is_final());
    world.state(id)
}

#[test]
fn what_hands_have_changed_behind_the_door_is_known_when_the_request_ends() {
    let mut world = World::ready(library());
    let id = world.submit(door(AfterDoor::Inventory)).unwrap();
    at_door(&mut world, id);
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::UseDoor { .. }]));
    pass(&mut world, MINUTE);
    world.device.operator_open_door().unwrap();
    world.device.operator_swap(1000, 1007).unwrap();
    world.device.operator_take(1001).unwrap();
    world.device.operator_put(1001, "NEW001L8").unwrap();
    pass(&mut world, MINUTE);
    world.device.operator_close_door();
    let state = ended(&mut world, id);
    assert!(matches!(state, State::Passed(Outcome::Inventoried { appeared: 1, missing: 1, .. })), "{state}");
    assert!(tasks(&world).is_empty());
    world.rest();
    world.assert_true();
}

#[test]
fn while_the_door_is_open_the_library_is_sent_nothing_but_test_unit_ready() {
    let mut world = World::ready(library());
    let id = world.submit(door(AfterDoor::FullInventory)).unwrap();
    at_door(&mut world, id);
    world.device.operator_open_door().unwrap();
    let waiting = world.submit(mount("VT0001L8")).unwrap();
    let before = world.device.log().len();
    pass(&mut world, 5 * MINUTE);
    let sent: Vec<u8> =
        world.device.log().skip(before).filter_map(|entry| entry.cdb().first().copied()).collect();
    assert!(!sent.is_empty() && sent.iter().all(|opcode| *opcode == 0), "{sent:X?}");
    world.device.operator_close_door();
    assert!(matches!(ended(&mut world, id), State::Passed(Outcome::Inventoried { .. })));
    assert!(matches!(ended(&mut world, waiting), State::Passed(_)));
}

#[test]
fn a_door_that_stays_open_is_asked_to_be_closed_and_is_waited_for() {
    let mut world = World::ready(library());
    let id = world.submit(door(AfterDoor::Nothing)).unwrap();
    at_door(&mut world, id);
    world.device.operator_open_door().unwrap();
    pass(&mut world, 11 * MINUTE);
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::CloseDoor { .. }]));
    pass(&mut world, 120 * MINUTE);
    assert!(!world.state(id).is_final());
    world.device.operator_close_door();
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Done));
}

#[test]
fn hands_that_were_done_between_two_looks_are_seen() {
    let mut world = World::ready(Library::new().slots(4).drives(1).cartridges("VT{:04}L8", 1..=2).build());
    let id = world.submit(door(AfterDoor::Nothing)).unwrap();
    at_door(&mut world, id);
    world.device.operator_open_door().unwrap();
    world.device.operator_close_door();
    let asked = world.now;
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Done));
    assert!(world.now - asked < MINUTE);
}

#[test]
fn a_library_that_tells_nothing_of_its_door_is_read_when_the_time_is_over() {
    let mut world = World::ready(library());
    let id = world.submit(door(AfterDoor::Inventory)).unwrap();
    at_door(&mut world, id);
    let asked = world.now;
    assert!(matches!(ended(&mut world, id), State::Passed(Outcome::Inventoried { .. })));
    assert!(world.now - asked >= 30 * MINUTE);
}

#[test]
fn the_robot_rests_before_anybody_is_asked_to_the_door() {
    let mut world = World::ready(library());
    let mounting = world.submit(mount("VT0001L8")).unwrap();
    world.until("the arm is on its way", |world| world.device.moves_sent() == 1);
    let id = world.submit(door(AfterDoor::Nothing)).unwrap();
    assert!(tasks(&world).is_empty());
    at_door(&mut world, id);
    assert_eq!(world.device.moves_done(), 1);
    assert!(matches!(ended(&mut world, mounting), State::Passed(_)));
}

#[test]
fn cancelled_at_the_door_nothing_has_moved_and_the_library_works_on() {
    let mut world = World::ready(library());
    let id = world.submit(door(AfterDoor::Inventory)).unwrap();
    at_door(&mut world, id);
    assert_eq!(world.cancel(id).unwrap(), Ok(CancelAccepted::Cancelled));
    let next = world.submit(mount("VT0001L8")).unwrap();
    assert!(matches!(ended(&mut world, next), State::Passed(_)));
    assert!(tasks(&world).is_empty());
}

#[test]
fn a_power_loss_at_the_door_asks_the_person_again() {
    let mut world = World::ready(library());
    let id = world.submit(door(AfterDoor::Inventory)).unwrap();
    at_door(&mut world, id);
    world.crash();
    at_door(&mut world, id);
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::UseDoor { .. }]));
    world.device.operator_open_door().unwrap();
    pass(&mut world, MINUTE);
    world.device.operator_close_door();
    assert!(matches!(ended(&mut world, id), State::Passed(Outcome::Inventoried { .. })));
}

#[test]
fn a_door_that_nobody_announced_loses_nothing_and_the_mount_goes_on_when_it_is_closed() {
    let mut world = World::ready(library());
    let id = world.submit(mount("VT0001L8")).unwrap();
    world.device.operator_open_door().unwrap();
    let second = world.submit(mount("VT0002L8")).unwrap();
    // Longer than all the looks together that a doubtful move is given otherwise.
    pass(&mut world, 240 * MINUTE);
    assert!(!world.state(second).is_final(), "{}", world.state(second));
    world.device.operator_swap(1002, 1007).unwrap();
    world.device.operator_close_door();
    for id in [id, second] {
        let state = ended(&mut world, id);
        assert!(matches!(state, State::Passed(Outcome::Mounted { .. })), "{state}");
    }
    world.rest();
    assert_eq!(world.device.find("VT0003L8"), Some(ElementAddress(1007)));
    world.assert_true();
}

#[test]
fn a_cleaner_comes_and_goes_through_the_door_where_there_is_no_port() {
    let device = Library::new().slots(4).drives(1).ports(0).cartridges("VT{:04}L8", 1..=2).build();
    let mut world = World::ready(device);
    world.submit(Wanted::ReserveCleanerSlot { library: None, slot: ElementAddress(1003) }).unwrap();
    for brought in [false, true] {
        let id = world.submit(Wanted::InjectCleaner { library: None, uses: Some(20) }).unwrap();
        at_door(&mut world, id);
        world.device.operator_open_door().unwrap();
        if brought {
            world.device.operator_put(1003, "CLNU01L1").unwrap();
        }
        pass(&mut world, MINUTE);
        world.device.operator_close_door();
        match ended(&mut world, id) {
            State::Passed(Outcome::Injected { cartridges }) if brought => {
                let cleaner = world.disk.cartridges[&cartridges[0]].cleaner.unwrap();
                assert_eq!(cleaner.uses_left, Some(20));
            }
            State::Failed(failure) if !brought => assert_eq!(failure.kind, FailureKind::NoCleaner),
            other => panic!("{other}"),
        }
    }
    let id = world.submit(Wanted::EjectCleaner { library: None }).unwrap();
    at_door(&mut world, id);
    world.device.operator_open_door().unwrap();
    world.device.operator_take(1003).unwrap();
    world.device.operator_close_door();
    assert_eq!(ended(&mut world, id), State::Passed(Outcome::Done));
    world.rest();
    world.assert_true();
}
