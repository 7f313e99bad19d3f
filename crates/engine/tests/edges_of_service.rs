//! Where service, groups, labels and ports meet what is under way: each test is a defect that a review found.

use std::sync::Arc;
use std::time::Duration;

use autochanger_engine::catalog::{Label, MotionRecord, MotionState, Service};
use autochanger_engine::id::{RequestId, Token};
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{
    FailureKind, GroupId, Operation, Outcome, ServiceTarget, State, Submission, Wanted,
};
use autochanger_engine::{Answer, Input};
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, inject, library_to_be, mount};
use uuid::Uuid;

const FIRST_PORT: u16 = 10;

fn library(drives: u16) -> Device {
    Library::new().slots(10).drives(drives).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange()).build()
}

fn drive_to_be(drive: u16, service: Service) -> Wanted {
    let target = ServiceTarget::Drive { library: None, drive: ElementAddress(drive) };
    Wanted::SetService { target, service }
}

fn cartridge_to_be(barcode: &str, service: Service) -> Wanted {
    Wanted::SetService { target: ServiceTarget::Cartridge(barcode.into()), service }
}

fn in_drive(barcode: &str, drive: u16) -> Wanted {
    Wanted::Mount {
        cartridge: barcode.into(),
        drive: Some(ElementAddress(drive)),
        access: Default::default(),
    }
}

fn group(world: &mut World, number: u128, wanted: Vec<Wanted>) -> Vec<RequestId> {
    let submissions = wanted
        .into_iter()
        .enumerate()
        .map(|(n, wanted)| {
            let mut submission = Submission {
                id: RequestId(Uuid::from_u128(number * 100 + n as u128)),
                id_given: false,
                caller: world.caller(),
                wanted,
                priority: 0,
                deadline: None,
                detached: false,
                options: Default::default(),
            };
            submission.options.group = Some(GroupId(Uuid::from_u128(number)));
            submission
        })
        .collect();
    let token = Token(1_000_000 + number as u64);
    world.input(Input::SubmitGroup { token, submissions });
    match world.answers.remove(&token.0) {
        Some(Answer::SubmittedGroup(Ok(requests))) => requests.iter().map(|request| request.id).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_label_that_no_store_keeps_is_refused_before_it_is_accepted() {
    let mut world = World::ready(library(1));
    let label = |format: usize, description: usize| Label {
        format: "f".repeat(format).into(),
        id: Arc::from(&b"id"[..]),
        description: "d".repeat(description).into(),
    };
    let update = |label| Wanted::UpdateLabel { cartridge: "VT0001L8".into(), label };
    for label in [label(4097, 0), label(4, 4097)] {
        match world.submit(update(label)) {
            Err(Refusal::Unfit(why)) => assert!(why.contains("4097 bytes"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    let kept = world.submit(update(label(255, 255))).unwrap();
    world.rest();
    assert_eq!(world.state(kept), State::Passed(Outcome::Done));
}

#[test]
fn a_drive_that_is_to_be_empty_sends_home_what_a_cancelled_mount_left_in_it() {
    for service in [Service::Disabled, Service::Draining] {
        let mut world = World::ready(library(2));
        let id = world.submit(in_drive("VT0001L8", 500)).unwrap();
        world.until("it is in the drive", |world| world.device.find("VT0001L8") == Some(ElementAddress(500)));
        let change = world.submit(drive_to_be(500, service)).unwrap();
        let _ = world.cancel(id);
        world.rest();
        assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
        assert_eq!(world.state(change), State::Passed(Outcome::Done), "{service:?}");
        assert!(world.device.find("VT0001L8").unwrap().0 >= 1000, "{service:?}: it is in a slot again");
        world.assert_true();
    }
}

#[test]
fn a_mount_of_an_earlier_process_does_not_begin_with_a_cartridge_that_was_disabled_meanwhile() {
    let mut world = World::ready(library(1));
    world.mount("VT0002L8");
    world.rest();
    let waits = world.mount("VT0001L8");
    world.rest();
    world.crash();
    world.rest();
    world.submit(cartridge_to_be("VT0001L8", Service::Disabled)).unwrap();
    world.rest();
    match world.state(waits) {
        State::Failed(failure) => assert_eq!(failure.kind, FailureKind::Disabled, "{failure}"),
        other => panic!("{other}"),
    }
}

#[test]
fn a_second_group_begins_when_the_first_one_does_not_keep_the_drives_from_it_any_more() {
    let mut world = World::ready(library(4));
    world.submit(in_drive("VT0006L8", 500)).unwrap();
    world.rest();
    let first = group(&mut world, 1, vec![in_drive("VT0001L8", 500), mount("VT0002L8")]);
    world.rest();
    let second = group(&mut world, 2, vec![mount("VT0003L8"), mount("VT0004L8")]);
    world.rest();
    world.dismount("VT0006L8");
    world.rest();
    for id in first.into_iter().chain(second) {
        let shown = world.engine.view().request(id).map(|request| request.state);
        assert!(matches!(world.state(id), State::Passed(_)), "{} {shown:?}", world.state(id));
    }
    world.assert_true();
}

#[test]
fn a_mount_that_puts_its_medium_back_keeps_its_own_failure_when_its_library_or_cartridge_is_disabled() {
    let changes = [library_to_be(Service::Disabled), cartridge_to_be("VT0001L8", Service::Disabled)];
    for (n, change) in changes.into_iter().enumerate() {
        let mut world = World::ready(library(2));
        // The first fails in its drive; what the second has loaded is put back.
        world.device.inject(Fault::sense(SenseKey::MediumError, 0x30, 0x00).on(0x00).lun(2).always());
        let ids = group(&mut world, 1, vec![in_drive("VT0001L8", 500), in_drive("VT0002L8", 501)]);
        world.until("one of them failed", |world| world.state(ids[1]).is_final());
        let changed = world.submit(change).unwrap();
        world.rest();
        assert!(world.state(changed).is_final(), "{n}: {}", world.state(changed));
        match world.state(ids[0]) {
            State::Failed(failure) => assert_eq!(failure.kind, FailureKind::Group, "{n}: {failure}"),
            other => panic!("{n}: {other}"),
        }
        world.assert_true();
    }
}

#[test]
fn a_fault_after_a_restart_does_not_take_the_place_of_one_before_it() {
    let mut world = World::ready(library(2));
    for unit in [1, 2] {
        world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(0x00).lun(unit).always());
    }
    let ids = group(&mut world, 1, vec![in_drive("VT0001L8", 500), in_drive("VT0002L8", 501)]);
    world.rest();
    assert!(ids.iter().all(|id| world.state(*id).is_final()));
    // A fault that an earlier process kept for a request that lives.
    let waits = world.mount("VT0003L8");
    let mut record = world.disk.faults.values().next().expect("a fault was kept").clone();
    record.request = waits;
    record.sequence = 1;
    world.disk.faults.insert((waits, 1), record.clone());
    world.wait_until(world.now + Duration::from_secs(1));
    world.crash();
    world.rest();
    let _ = world.adopt(waits);
    world.rest();
    assert!(matches!(world.state(waits), State::Failed(_)), "{}", world.state(waits));
    let of_it: Vec<_> = world.disk.faults.range((waits, 0)..=(waits, u32::MAX)).collect();
    assert!(of_it.len() > 1, "{of_it:?}");
    assert_eq!(world.disk.faults.get(&(waits, 1)), Some(&record));
}

#[test]
fn an_inject_of_many_ends_at_as_many_as_a_record_names() {
    let device = Library::new().slots(8).drives(1).ports(2).timing(Timing::midrange()).build();
    let mut world = World::ready(device);
    let id = world.submit(inject(true)).unwrap();
    world.device.operator_put(FIRST_PORT, "NW0001L8").unwrap();
    world.until("the first has come", |world| world.device.moves_done() == 1);
    world.until("that is known", |world| {
        world.disk.motions.values().any(|motion| motion.state == MotionState::Moved)
    });
    // An earlier process has taken in as many as there is room for, but for one.
    let (key, record) = world.disk.motions.iter().next().map(|(key, motion)| (*key, motion.clone())).unwrap();
    for n in 1..1023 {
        let record = MotionRecord { sequence: key.1 + 1000 + n, ..record.clone() };
        world.disk.motions.insert((key.0, key.1 + 1000 + n), record);
    }
    world.crash();
    world.until("it waits again", |world| world.engine.view().request(id).is_some());
    for (port, barcode) in [(FIRST_PORT, "NW0002L8"), (FIRST_PORT + 1, "NW0003L8")] {
        world.device.operator_put(port, barcode).unwrap();
    }
    world.until("it has ended", |world| world.state(id).is_final());
    match world.state(id) {
        State::Passed(Outcome::Injected { cartridges }) => assert_eq!(cartridges.len(), 1024),
        other => panic!("{other}"),
    }
}

#[test]
fn a_draining_library_hands_no_medium_over_to_a_mount_that_waits() {
    let mut world = World::ready(library(2));
    world.mount("VT0001L8");
    world.rest();
    let heir = world.mount("VT0001L8");
    world.rest();
    let drain = world.submit(library_to_be(Service::Draining)).unwrap();
    let down = world.dismount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(down), State::Passed(Outcome::Dismounted { .. })), "{}", world.state(down));
    assert_eq!(world.state(drain), State::Passed(Outcome::Done));
    assert!(!world.state(heir).is_final(), "{}", world.state(heir));
    world.submit(library_to_be(Service::Enabled)).unwrap();
    world.rest();
    assert!(matches!(world.state(heir), State::Passed(_)), "{}", world.state(heir));
}

#[test]
fn however_often_the_manager_is_started_anew_a_draining_drive_is_emptied_by_one_dismount() {
    let stocked = Library::new().slots(10).drives(2).cartridge_at(500, "VT0009L8").timing(Timing::midrange());
    let mut world = World::ready(stocked.build());
    let service = |target, service| Wanted::SetService { target, service };
    let library = ServiceTarget::Library(None);
    world.submit(service(library.clone(), Service::Paused)).unwrap();
    let drive = ServiceTarget::Drive { library: None, drive: ElementAddress(500) };
    let drain = world.submit(service(drive, Service::Draining)).unwrap();
    let own = |world: &World| {
        let own = world.disk.requests.values().filter(|request| &*request.application == "autochanger");
        own.filter(|request| request.operation() == Operation::Dismount).count()
    };
    for _ in 0..4 {
        world.rest();
        assert_eq!((own(&world), world.state(drain).is_final()), (1, false));
        world.crash();
    }
    world.rest();
    world.submit(service(library, Service::Enabled)).unwrap();
    world.rest();
    assert!(matches!(world.state(drain), State::Passed(_)), "{}", world.state(drain));
    assert_eq!((own(&world), world.device.moves_sent()), (1, 1));
    world.assert_true();
}
