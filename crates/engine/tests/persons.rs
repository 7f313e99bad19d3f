//! What a person says is done is looked into; what comes in through a port can have its label read.

use std::time::Duration;

use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::id::{RequestId, SessionId};
use autochanger_engine::output::{OperatorRefusal, Refusal};
use autochanger_engine::request::{
    AfterDoor, CancelledBy, FailureKind, Operation, Options, Outcome, State, Waiting, Wanted,
};
use autochanger_engine::view::OperatorTask;
use autochanger_engine::{Answer, EventKind, Input};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library, Quirk, Timing};
use autochanger_world::{World, inject, mount};

const MINUTE: Duration = Duration::from_secs(60);

fn library() -> Device {
    Library::new()
        .slots(10)
        .drives(2)
        .ports(3)
        .cartridges("VT{:04}L8", 1..=5)
        .timing(Timing::midrange())
        .build()
}

fn caller(role: Role) -> Caller {
    Caller { session: SessionId(7), application: "panel".into(), role }
}

fn say_done(world: &mut World, who: Caller, id: RequestId) -> Result<(), OperatorRefusal> {
    let token = autochanger_engine::id::Token(1_000_000);
    world.input(Input::SatisfyOperatorTask { token, caller: who, id });
    match world.answers.remove(&token.0) {
        Some(Answer::Satisfied(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

fn done(world: &mut World, id: RequestId) {
    say_done(world, caller(Role::Operator), id).expect("it is asked");
}

fn asked(world: &World) -> Vec<OperatorTask> {
    world.engine.view().operator_requests().into_iter().map(|request| request.task).collect()
}

fn waits_for_person(world: &mut World, id: RequestId) {
    world.until("a person is asked", |world| world.state(id) == State::Waiting(Waiting::Operator));
}

fn pass(world: &mut World, time: Duration) {
    let until = world.now + time;
    while world.next_event().is_some_and(|next| next <= until) {
        world.step();
    }
    world.wait_until(until);
}

fn ended_within(world: &mut World, id: RequestId, time: Duration) -> State {
    let from = world.now;
    world.until("the request ends", |world| world.state(id).is_final());
    assert!(world.now - from <= time, "{:?}", world.now - from);
    world.state(id)
}

fn came(state: &State) -> usize {
    match state {
        State::Passed(Outcome::Injected { cartridges }) => cartridges.len(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_cartridge_that_was_brought_is_looked_for_when_a_person_says_so() {
    let mut world = World::ready(library());
    world.device.operator_take(1000).unwrap();
    world.submit(autochanger_world::inventory()).unwrap();
    world.rest();
    let who = world.caller();
    let options = Options { wait_for_operator: true, ..Options::default() };
    let id = world.submit_as(who, mount("VT0001L8"), |submission| submission.options = options).unwrap();
    waits_for_person(&mut world, id);
    done(&mut world, id);
    pass(&mut world, MINUTE);
    assert_eq!(world.state(id), State::Waiting(Waiting::Operator), "it is not believed");
    assert!(matches!(asked(&world).as_slice(), [OperatorTask::BringCartridge { .. }]));
    world.device.operator_put(1000, "VT0001L8").unwrap();
    done(&mut world, id);
    assert!(matches!(ended_within(&mut world, id, 5 * MINUTE), State::Passed(Outcome::Mounted { .. })));
    world.assert_true();
}

#[test]
fn an_inject_of_many_takes_what_lies_in_the_ports_and_passes_when_a_person_is_done() {
    for trays in [false, true] {
        let described = Library::new().slots(10).drives(2).ports(3).cartridges("VT{:04}L8", 1..=5);
        let described = if trays { described } else { described.quirk(Quirk::NoPortCommand) };
        let mut world = World::ready(described.timing(Timing::midrange()).build());
        let id = world.submit(inject(true)).unwrap();
        waits_for_person(&mut world, id);
        pass(&mut world, MINUTE);
        for (port, label) in [(10, "NEW001L8"), (11, "NEW002L8"), (12, "NEW003L8")] {
            world.device.operator_put(port, label).unwrap();
        }
        done(&mut world, id);
        let state = ended_within(&mut world, id, 10 * MINUTE);
        assert_eq!(came(&state), 3, "trays: {trays}");
        assert!(asked(&world).is_empty());
        world.assert_true();
    }
}

#[test]
fn an_inject_into_which_nothing_was_put_fails_at_once_when_a_person_is_done() {
    let mut world = World::ready(library());
    for many in [false, true] {
        let id = world.submit(inject(many)).unwrap();
        waits_for_person(&mut world, id);
        pass(&mut world, MINUTE);
        done(&mut world, id);
        match ended_within(&mut world, id, MINUTE) {
            State::Failed(failure) => assert_eq!(failure.kind, FailureKind::SourceEmpty),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_door_of_which_the_library_tells_nothing_is_done_with_when_a_person_says_so() {
    let mut world = World::ready(library());
    let id = world.submit(Wanted::DoorAccess { library: None, then: AfterDoor::Inventory }).unwrap();
    waits_for_person(&mut world, id);
    pass(&mut world, MINUTE);
    done(&mut world, id);
    assert!(matches!(
        ended_within(&mut world, id, MINUTE),
        State::Passed(Outcome::Inventoried { missing: 0, .. })
    ));
}

#[test]
fn an_open_door_is_waited_for_although_a_person_says_that_all_is_done() {
    let mut world = World::ready(library());
    let id = world.submit(Wanted::DoorAccess { library: None, then: AfterDoor::Inventory }).unwrap();
    waits_for_person(&mut world, id);
    world.device.operator_open_door().unwrap();
    done(&mut world, id);
    pass(&mut world, 60 * MINUTE);
    assert_eq!(world.state(id), State::Waiting(Waiting::Operator));
    world.device.operator_close_door();
    assert!(matches!(ended_within(&mut world, id, 5 * MINUTE), State::Passed(_)));
}

#[test]
fn only_an_operator_may_say_so_and_only_of_what_is_asked() {
    let mut world = World::ready(library());
    let id = world.submit(inject(false)).unwrap();
    waits_for_person(&mut world, id);
    let nobody = RequestId(uuid::Uuid::from_u128(99));
    let answers = [
        say_done(&mut world, caller(Role::Operator), nobody),
        say_done(&mut world, caller(Role::Application), id),
        say_done(&mut world, Caller { application: "test".into(), ..caller(Role::Application) }, id),
    ];
    assert_eq!(answers[0], Err(OperatorRefusal::NotFound { id: nobody }));
    assert_eq!(answers[1], Err(OperatorRefusal::NotFound { id }), "another application's is not seen");
    assert_eq!(answers[2], Err(OperatorRefusal::PermissionDenied { id, owner: "test".into() }));
    assert_eq!(world.state(id), State::Waiting(Waiting::Operator));
}

fn own_readings(world: &World) -> Vec<State> {
    let requests = world.disk.requests.values();
    let own =
        requests.filter(|it| it.operation() == Operation::Identify && &*it.application == "autochanger");
    own.map(|request| request.state.clone()).collect()
}

fn inject_and_identify(world: &mut World, many: bool) -> RequestId {
    let who = world.caller();
    let options = Options { identify: true, ..Options::default() };
    world.submit_as(who, inject(many), |submission| submission.options = options).unwrap()
}

#[test]
fn what_came_in_has_its_label_read_where_that_was_asked_for() {
    let mut world = World::ready(library());
    let id = inject_and_identify(&mut world, true);
    waits_for_person(&mut world, id);
    world.device.operator_put(10, "NEW001L8").unwrap();
    world.device.operator_put(11, "CLN001L1").unwrap();
    world.device.operator_put(12, "NEW002L8").unwrap();
    done(&mut world, id);
    world.rest();
    assert_eq!(came(&world.state(id)), 3);
    let readings = own_readings(&world);
    assert_eq!(readings.len(), 2, "a cleaner is not loaded");
    assert!(readings.iter().all(|state| matches!(state, State::Passed(Outcome::Identified { .. }))));
    world.assert_true();
}

#[test]
fn that_a_label_is_to_be_read_outlives_a_crash() {
    let mut world = World::ready(library());
    let id = inject_and_identify(&mut world, false);
    waits_for_person(&mut world, id);
    world.device.operator_put(10, "NEW001L8").unwrap();
    world.until("it came", |world| world.state(id).is_final());
    world.crash();
    world.rest();
    assert!(matches!(own_readings(&world).as_slice(), [State::Passed(Outcome::Identified { .. })]));
}

#[test]
fn the_uses_of_a_cleaner_are_set_by_an_operator_and_told() {
    let device = Library::new()
        .slots(10)
        .drives(1)
        .cartridges("VT{:04}L8", 1..=2)
        .cleaning_cartridge("CLN001L1")
        .timing(Timing::midrange())
        .build();
    let mut world = World::ready(device);
    let set = |world: &mut World, role, cartridge: &str, uses| {
        let token = autochanger_engine::id::Token(1_000_001);
        world.input(Input::SetCleanerUses { token, caller: caller(role), cartridge: cartridge.into(), uses });
        match world.answers.remove(&token.0) {
            Some(Answer::CleanerUses(answer)) => answer,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(
        set(&mut world, Role::Application, "CLN001L1", Some(3)),
        Err(Refusal::RoleNeeded { .. })
    ));
    assert!(matches!(set(&mut world, Role::Operator, "VT0001L8", Some(3)), Err(Refusal::NotACleaner { .. })));
    assert_eq!(set(&mut world, Role::Operator, "CLN001L1", Some(1)), Ok(()));
    let clean = Wanted::CleanDrive { library: None, drive: ElementAddress(500) };
    let id = world.submit(clean).unwrap();
    world.rest();
    assert_eq!(world.state(id), State::Passed(Outcome::Cleaned { uses_left: Some(0) }));
    let told: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::CleanerUses { uses_left, .. } => Some(uses_left),
            _ => None,
        })
        .collect();
    assert_eq!(told, [Some(1), Some(0)]);
}

#[test]
fn the_cleaners_slot_and_a_recorded_label_are_told() {
    let mut world = World::ready(library());
    world.submit(Wanted::ReserveCleanerSlot { library: None, slot: ElementAddress(1009) }).unwrap();
    world.rest();
    world.submit(Wanted::ReleaseCleanerSlot { library: None }).unwrap();
    world.submit(Wanted::WriteFreeLabel { cartridge: "VT0001L8".into(), overwrite: false }).unwrap();
    world.rest();
    let slots: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::CleanerSlot { slot, .. } => Some(*slot),
            _ => None,
        })
        .collect();
    assert_eq!(slots, [Some(ElementAddress(1009)), None]);
    let labels = world.events.iter().filter(|event| {
        matches!(&event.kind, EventKind::LabelRecorded { barcode, .. } if barcode.as_deref() == Some("VT0001L8"))
    });
    assert_eq!(labels.count(), 1);
}

#[test]
fn a_task_is_refused_as_before_and_ends_the_request() {
    let mut world = World::ready(library());
    let id = world.submit(inject(false)).unwrap();
    waits_for_person(&mut world, id);
    let token = autochanger_engine::id::Token(1_000_002);
    world.input(Input::RefuseOperatorTask { token, caller: caller(Role::Operator), id });
    assert!(matches!(world.state(id), State::Cancelled { by: CancelledBy::Operator { .. } }));
    assert_eq!(
        say_done(&mut world, caller(Role::Operator), id),
        Err(OperatorRefusal::NotFound { id }),
        "what has ended waits for nobody"
    );
}
