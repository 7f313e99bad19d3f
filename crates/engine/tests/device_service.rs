//! A drive or a library that needs hands: a person is asked to see to it, although no caller's request waits for that.

use autochanger_engine::catalog::Service;
use autochanger_engine::id::{RequestId, Token};
use autochanger_engine::output::{Answer, OperatorRefusal};
use autochanger_engine::request::{CancelledBy, Operation, Outcome, ServiceTarget, State, Waiting, Wanted};
use autochanger_engine::view::{OperatorRequest, OperatorTask};
use autochanger_engine::{EventKind, Input};
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Fault, Library, Timing};
use autochanger_world::{World, dismount, mount, mount_in};

const DRIVE: ElementAddress = ElementAddress(500);
const READY: u8 = 0x00;

fn library() -> Library {
    Library::new().slots(12).drives(2).ports(1).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange())
}

fn asked(world: &World) -> Vec<OperatorRequest> {
    world.engine.view().operator_requests()
}

/// The one thing that is asked: to see to the first drive.
#[track_caller]
fn asked_for_drive(world: &World) -> RequestId {
    let asked = asked(world);
    let [OperatorRequest { request, task: OperatorTask::DeviceService { drive, .. }, .. }] = &asked[..]
    else {
        panic!("{asked:?}")
    };
    assert_eq!(*drive, Some(DRIVE));
    assert_eq!(world.state(*request), State::Waiting(Waiting::Operator));
    *request
}

/// A drive that fails with one medium after another, until it is the last choice.
fn with_suspect() -> World {
    let mut world = World::ready(library().build());
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(READY).lun(1).always());
    for n in 1..=6 {
        if asked(&world).is_empty() {
            let tape = format!("VT{n:04}L8");
            let id = world.submit(mount_in(&tape, DRIVE.0)).unwrap();
            world.rest();
            assert!(matches!(world.state(id), State::Failed(_)), "{}", world.state(id));
        }
    }
    world
}

fn is_suspect(world: &World) -> bool {
    world.engine.view().drives(None)[0].suspect
}

fn satisfy(world: &mut World, id: RequestId) -> Result<(), OperatorRefusal> {
    let caller = world.caller();
    world.input(Input::SatisfyOperatorTask { token: Token(7_001), caller, id });
    match world.answers.remove(&7_001) {
        Some(Answer::Satisfied(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

fn set(target: ServiceTarget, service: Service) -> Wanted {
    Wanted::SetService { target, service }
}

#[test]
fn a_drive_that_fails_with_one_medium_after_another_is_a_persons_and_serves_again_when_that_was_there() {
    let mut world = with_suspect();
    let id = asked_for_drive(&world);
    assert!(is_suspect(&world));
    let [OperatorRequest { task, application, .. }] = &asked(&world)[..] else { panic!() };
    assert!(task.to_string().contains("drive 500"), "{task}");
    assert!(task.to_string().contains("44/00"), "{task}");
    assert_eq!(&**application, "autochanger");
    let request = world.engine.view().request(id).unwrap();
    assert_eq!(request.operation(), Operation::EnableDrive);
    // It can be used meanwhile: nobody has taken it out of service.
    assert_eq!(world.engine.view().drives(None)[0].service, Service::Enabled);
    world.device.clear_faults();
    assert_eq!(satisfy(&mut world, id), Ok(()));
    world.rest();
    assert_eq!(world.state(id), State::Passed(Outcome::Done));
    assert!(asked(&world).is_empty() && !is_suspect(&world));
    let done = |event: &autochanger_engine::Event| matches!(event.kind, EventKind::OperatorDone { request, .. } if request == id);
    assert_eq!(world.events.iter().filter(|event| done(event)).count(), 1);
    world.assert_true();
}

#[test]
fn it_is_asked_once_whatever_else_is_wrong_with_the_drive() {
    let mut world = with_suspect();
    let id = asked_for_drive(&world);
    world.device.clear_faults();
    for (flag, tape) in [(30, "VT0001L8"), (31, "VT0002L8")] {
        world.device.raise_alert(1, flag);
        world
            .device
            .inject(Fault::sense(SenseKey::RecoveredError, 0x5D, 0x00).after_effect().on(READY).lun(1));
        let mounted = world.submit(mount_in(tape, DRIVE.0)).unwrap();
        world.rest();
        assert!(matches!(world.state(mounted), State::Passed(_)), "{}", world.state(mounted));
        world.dismount(tape);
        world.rest();
        assert_eq!(asked_for_drive(&world), id);
    }
}

#[test]
fn a_person_who_will_not_is_not_asked_again_for_the_same() {
    let mut world = with_suspect();
    let id = asked_for_drive(&world);
    let caller = world.caller();
    world.input(Input::RefuseOperatorTask { token: Token(7_002), caller, id });
    world.rest();
    assert!(matches!(world.state(id), State::Cancelled { by: CancelledBy::Operator { .. } }));
    let _ = world.submit(mount_in("VT0001L8", DRIVE.0));
    world.rest();
    assert!(asked(&world).is_empty() && is_suspect(&world));
}

#[test]
fn whoever_changes_the_drives_service_has_taken_the_matter_over() {
    for service in [Service::Enabled, Service::Disabled, Service::Paused] {
        let mut world = with_suspect();
        let id = asked_for_drive(&world);
        world.device.clear_faults();
        let by = world.submit(set(ServiceTarget::drive(DRIVE), service)).unwrap();
        world.rest();
        assert_eq!(world.state(id), State::Cancelled { by: CancelledBy::Superseded { by } });
        assert!(asked(&world).is_empty());
        assert_eq!(world.engine.view().drives(None)[0].service, service);
    }
}

#[test]
fn it_is_asked_again_after_a_restart_and_can_be_answered_then() {
    let mut world = with_suspect();
    let id = asked_for_drive(&world);
    for _ in 0..2 {
        world.crash();
        world.rest();
        assert_eq!(asked_for_drive(&world), id);
    }
    world.device.clear_faults();
    assert_eq!(satisfy(&mut world, id), Ok(()));
    world.rest();
    assert_eq!(world.state(id), State::Passed(Outcome::Done));
    let mounted = world.submit(mount("VT0006L8")).unwrap();
    world.rest();
    assert!(matches!(world.state(mounted), State::Passed(_)), "{}", world.state(mounted));
}

#[test]
fn another_drive_in_the_bay_is_what_was_asked_for() {
    let mut world = with_suspect();
    let id = asked_for_drive(&world);
    let record = world.disk.drives.values().find(|drive| drive.element == DRIVE).cloned().unwrap();
    let other = autochanger_engine::catalog::DriveRecord { serial: Some("ANOTHER".into()), ..record };
    world.disk.commit(vec![autochanger_engine::Change::Drive(other)]);
    world.device.clear_faults();
    world.crash();
    world.rest();
    assert_eq!(world.state(id), State::Passed(Outcome::Done));
    assert!(asked(&world).is_empty());
}

#[test]
fn what_a_drive_or_a_library_says_that_only_hands_can_mend_is_asked_of_them() {
    let mut world = World::ready(library().build());
    world.device.raise_alert(1, 30);
    world.device.inject(Fault::sense(SenseKey::RecoveredError, 0x5D, 0x00).after_effect().on(READY).lun(1));
    world.submit(mount_in("VT0001L8", DRIVE.0)).unwrap();
    world.rest();
    let id = asked_for_drive(&world);
    assert_eq!(satisfy(&mut world, id), Ok(()));
    world.rest();
    assert_eq!(world.state(id), State::Passed(Outcome::Done), "a medium that is mounted stays mounted");
    world.device.raise_alert(0, 8);
    world.device.inject(Fault::sense(SenseKey::RecoveredError, 0x5D, 0x00).after_effect().on_move());
    world.submit(dismount("VT0001L8")).unwrap();
    world.rest();
    let asked = asked(&world);
    let [OperatorRequest { task: OperatorTask::DeviceService { drive: None, .. }, request, .. }] = &asked[..]
    else {
        panic!("{asked:?}")
    };
    assert_eq!(world.engine.view().request(*request).unwrap().operation(), Operation::EnableLibrary);
    world.assert_true();
}

#[test]
fn a_flag_that_cleaning_or_another_medium_helps_is_no_matter_for_hands() {
    for flag in [4, 5, 7, 14, 20, 21] {
        let mut world = World::ready(library().build());
        world.device.raise_alert(1, flag);
        world
            .device
            .inject(Fault::sense(SenseKey::RecoveredError, 0x5D, 0x00).after_effect().on(READY).lun(1));
        world.submit(mount_in("VT0001L8", DRIVE.0)).unwrap();
        world.rest();
        let for_service = |asked: &OperatorRequest| matches!(asked.task, OperatorTask::DeviceService { .. });
        assert!(!asked(&world).iter().any(for_service), "{flag}");
    }
}

#[test]
fn a_library_that_paused_for_a_stray_cartridge_serves_when_a_person_says_that_it_was_found() {
    let mut world = World::ready(library().build());
    world.device.raise_alert(0, 12);
    world.device.inject(Fault::sense(SenseKey::RecoveredError, 0x5D, 0x00).after_effect().on_move());
    world.submit(mount("VT0001L8")).unwrap();
    world.rest();
    let asked = asked(&world);
    let [OperatorRequest { task: OperatorTask::DeviceService { drive: None, .. }, request, .. }] = &asked[..]
    else {
        panic!("{asked:?}")
    };
    let waiting = world.submit(mount("VT0002L8")).unwrap();
    world.rest();
    assert!(!world.state(waiting).is_final());
    assert_eq!(satisfy(&mut world, *request), Ok(()));
    world.rest();
    assert_eq!(world.state(*request), State::Passed(Outcome::Done));
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
}

#[test]
fn a_drive_that_never_gives_its_medium_back_is_a_persons() {
    let mut world = World::ready(library().drives(1).build());
    // It stays in the drive, and is nobody's.
    let given_up = world.submit(mount("VT0001L8")).unwrap();
    world.until("it is in the drive", |world| world.device.find("VT0001L8") == Some(DRIVE));
    let _ = world.cancel(given_up);
    world.rest();
    assert!(matches!(world.state(given_up), State::Stopped { .. }), "{}", world.state(given_up));
    world.device.inject(Fault::stuck_in_drive(DRIVE.0));
    // Who waits for the drive has it tried again, until it is left alone.
    let waiting = world.submit(mount("VT0002L8")).unwrap();
    world.rest();
    assert!(!world.state(waiting).is_final(), "{}", world.state(waiting));
    let id = asked_for_drive(&world);
    world.device.repair(DRIVE.0);
    assert_eq!(satisfy(&mut world, id), Ok(()));
    world.rest();
    assert_eq!(world.state(id), State::Passed(Outcome::Done));
    assert!(asked(&world).is_empty());
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
}
