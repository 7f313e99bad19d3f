//! Whose fault it was: drives that die, media that are bad, robots and paths that fail; what is tried again in another drive,
//! and what is counted and kept. In virtual time.

use std::time::Duration;

use autochanger_engine::catalog::{Compatibility, DriveRecord, FaultRecord, MotionState, Service};
use autochanger_engine::id::RequestId;
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{
    Access, FailureKind, FaultOf, Outcome, ServiceTarget, State, Waiting, Wanted,
};
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, mount};

const TAPE: &str = "VT0001L8";

fn library(drives: u16) -> Device {
    Library::new()
        .slots(12)
        .drives(drives)
        .ports(1)
        .cartridges("VT{:04}L8", 1..=8)
        .timing(Timing::midrange())
        .build()
}

/// The drive of that logical unit answers TEST UNIT READY so, as often as it is asked.
fn never_ready(unit: u16, key: SenseKey, asc: u8, ascq: u8) -> Fault {
    Fault::sense(key, asc, ascq).on(0x00).lun(unit).always()
}

fn broken(unit: u16) -> Fault {
    never_ready(unit, SenseKey::HardwareError, 0x44, 0x00)
}

fn unreadable(unit: u16) -> Fault {
    never_ready(unit, SenseKey::MediumError, 0x31, 0x00)
}

fn faults(world: &World) -> Vec<(FaultOf, Option<ElementAddress>)> {
    world.disk.faults.values().map(|fault: &FaultRecord| (fault.of, fault.drive)).collect()
}

fn drive(world: &World, element: u16) -> DriveRecord {
    world.disk.drives.values().find(|drive| drive.element.0 == element).cloned().unwrap()
}

fn medium_faults(world: &World, barcode: &str) -> u32 {
    let found = world.disk.cartridges.values().find(|it| it.barcode.as_deref() == Some(barcode));
    found.unwrap().blame.faults
}

fn mount_in(world: &mut World, barcode: &str, drive: u16) -> RequestId {
    let drive = Some(ElementAddress(drive));
    world.submit(Wanted::Mount { cartridge: barcode.into(), drive, access: Default::default() }).unwrap()
}

#[test]
fn when_a_drive_does_not_come_ready_another_one_serves_and_only_the_drive_is_blamed() {
    let mut world = World::ready(library(2));
    world.device.inject(broken(1));
    let id = world.mount(TAPE);
    world.rest();
    let State::Passed(Outcome::Mounted { drive: served, .. }) = world.state(id) else {
        panic!("{}", world.state(id))
    };
    assert_eq!(served, ElementAddress(501));
    assert_eq!(faults(&world), [(FaultOf::Drive, Some(ElementAddress(500)))]);
    assert_eq!((drive(&world, 500).blame.faults, drive(&world, 501).blame.faults), (1, 0));
    assert_eq!((drive(&world, 500).blame.uses, drive(&world, 501).blame.uses), (1, 1), "a load is a load");
    assert_eq!(medium_faults(&world, TAPE), 0);
    assert_eq!(world.device.moves_sent(), 3, "in, out, and in again");
    world.assert_true();
}

#[test]
fn what_was_used_is_counted_whatever_came_of_it_and_outlives_a_restart() {
    let mut world = World::ready(library(1));
    let id = world.mount(TAPE);
    world.until("it is in the drive", |world| world.device.find(TAPE) == Some(ElementAddress(500)));
    world.until("that is known", |world| world.disk.motions.values().all(|m| m.state == MotionState::Moved));
    let _ = world.cancel(id);
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
    world.dismount(TAPE);
    world.rest();
    for _ in 0..2 {
        let tape = world.disk.cartridges.values().find(|it| it.barcode.as_deref() == Some(TAPE)).unwrap();
        assert_eq!((drive(&world, 500).blame.uses, tape.blame.uses), (1, 1), "one load");
        assert_eq!(world.engine.view().libraries()[0].blame.uses, 2, "in and out");
        world.crash();
        world.rest();
    }
}

#[test]
fn a_medium_that_is_bad_in_both_drives_is_blamed_alone_and_no_third_is_tried() {
    let mut world = World::ready(library(3));
    for unit in 1..=3 {
        world.device.inject(unreadable(unit));
    }
    let id = world.mount(TAPE);
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::MediumFault);
    assert_eq!(faults(&world), [(FaultOf::Medium, Some(ElementAddress(501)))]);
    assert_eq!(medium_faults(&world, TAPE), 1);
    for element in 500..503 {
        assert_eq!(drive(&world, element).blame.faults, 0, "drive {element}");
    }
    assert_eq!(world.device.moves_sent(), 3);
    world.assert_true();
}

#[test]
fn a_named_drive_and_an_only_drive_are_not_exchanged_for_another() {
    for (drives, named) in [(2, true), (1, false)] {
        let mut world = World::ready(library(drives));
        world.device.inject(broken(1));
        let id = if named { mount_in(&mut world, TAPE, 500) } else { world.mount(TAPE) };
        world.rest();
        let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
        assert_eq!(failure.kind, FailureKind::DriveFault);
        assert_eq!(
            (faults(&world), world.device.moves_sent()),
            (vec![(FaultOf::Drive, Some(ElementAddress(500)))], 1)
        );
        world.assert_true();
    }
}

#[test]
fn a_medium_that_no_drive_takes_is_nobodys_fault_but_the_requests() {
    let mut world = World::ready(library(1));
    world.device.inject(never_ready(1, SenseKey::IllegalRequest, 0x30, 0x00));
    let id = world.mount(TAPE);
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::Incompatible);
    assert!(faults(&world).is_empty());
    assert_eq!((drive(&world, 500).blame.faults, medium_faults(&world, TAPE)), (0, 0));
}

#[test]
fn a_robot_that_fails_is_the_librarys_fault_and_a_lost_path_the_paths() {
    let mut world = World::ready(library(2));
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move().always());
    let id = world.mount(TAPE);
    world.rest();
    assert!(
        matches!(world.state(id), State::Failed(ref failure) if failure.kind == FailureKind::LibraryFault)
    );
    assert_eq!(faults(&world).iter().map(|(of, _)| *of).collect::<Vec<_>>(), [FaultOf::Library]);
    assert_eq!(world.disk.libraries[0].blame.faults, 1);
    assert_eq!(medium_faults(&world, TAPE), 0);
    world.device.clear_faults();
    world.device.inject(Fault::not_delivered().on_move().always());
    let id = world.mount("VT0002L8");
    world.until("the mount has ended", |world| world.state(id).is_final());
    assert!(matches!(world.state(id), State::Failed(ref failure) if failure.kind == FailureKind::PathLost));
    let mut whose: Vec<_> = faults(&world).iter().map(|(of, _)| *of).collect();
    whose.sort_by_key(|of| *of == FaultOf::Path);
    assert_eq!(whose, [FaultOf::Library, FaultOf::Path]);
    assert_eq!(world.disk.libraries[0].blame.faults, 1, "a lost path is not the library's fault");
}

#[test]
fn a_cancel_at_any_moment_of_a_retry_stops_it_and_loses_nothing() {
    for at in (0..600).step_by(7) {
        let mut world = World::ready(library(2));
        world.device.inject(broken(1));
        let id = world.mount(TAPE);
        let moment = world.now + Duration::from_secs(at);
        while world.next_event().is_some_and(|next| next <= moment) {
            world.step();
        }
        let answer = world.cancel(id);
        world.device.clear_faults();
        world.rest();
        let state = world.state(id);
        assert!(state.is_final(), "cancel after {at} s, answered {answer:?}: {state}");
        if matches!(answer, Some(Ok(_))) {
            let kept = matches!(state, State::Stopped { .. } | State::Cancelled { .. } | State::Passed(_));
            assert!(kept, "cancel after {at} s, answered {answer:?}: {state}");
        }
        world.assert_true();
        // Nothing is left reserved.
        let again = if matches!(state, State::Passed(_)) { world.dismount(TAPE) } else { world.mount(TAPE) };
        world.rest();
        assert!(
            matches!(world.state(again), State::Passed(_)),
            "cancel after {at} s: {}",
            world.state(again)
        );
    }
}

#[test]
fn a_power_loss_at_any_moment_of_a_retry_loses_nothing_and_the_mount_waits_for_an_owner_or_goes_on() {
    for at in (0..600).step_by(7) {
        let mut world = World::ready(library(2));
        world.device.inject(broken(1));
        let id = world.mount(TAPE);
        let moment = world.now + Duration::from_secs(at);
        while world.next_event().is_some_and(|next| next <= moment) {
            world.step();
        }
        world.crash();
        world.rest();
        if world.state(id) == State::Waiting(Waiting::Owner) {
            world.adopt(id);
            world.rest();
        }
        let state = world.state(id);
        assert!(state.is_final(), "crash after {at} s: {state}");
        world.assert_true();
        let view = world.engine.view();
        assert!(view.drives(None).iter().all(|drive| drive.reserved_by.is_none()), "crash after {at} s");
    }
}

#[test]
fn a_deadline_in_the_middle_of_a_retry_ends_the_mount_and_the_medium_is_where_it_is_said_to_be() {
    for seconds in (1..600).step_by(13) {
        let mut world = World::ready(library(2));
        world.device.inject(broken(1));
        let caller = world.caller();
        let deadline = Some(Duration::from_secs(seconds));
        let id = world
            .submit_as(caller, autochanger_world::mount(TAPE), |submission| submission.deadline = deadline)
            .unwrap();
        world.rest();
        assert!(world.state(id).is_final(), "deadline after {seconds} s: {}", world.state(id));
        world.assert_true();
    }
}

#[test]
fn a_drive_that_failed_with_three_media_in_a_row_is_the_last_choice_until_it_is_enabled() {
    let mut world = World::ready(library(2));
    world.device.inject(broken(1));
    for barcode in ["VT0001L8", "VT0002L8", "VT0003L8"] {
        mount_in(&mut world, barcode, 500);
        world.rest();
        // A medium that did not come ready stays in the drive, and makes way for the next.
    }
    let suspect = |world: &World| {
        world.engine.view().drives(None).into_iter().find(|drive| drive.element.0 == 500).unwrap().suspect
    };
    assert!(suspect(&world));
    assert_eq!(drive(&world, 500).blame.faults, 3);
    world.device.clear_faults();
    let out = mount_in(&mut world, "VT0004L8", 501);
    world.rest();
    assert!(matches!(world.state(out), State::Passed(_)));
    world.dismount("VT0004L8");
    world.rest();
    // Drive 500 was used longest ago, and is not taken.
    let id = world.mount("VT0005L8");
    world.rest();
    let State::Passed(Outcome::Mounted { drive: served, .. }) = world.state(id) else {
        panic!("{}", world.state(id))
    };
    assert_eq!(served, ElementAddress(501));
    // Where nothing else is free it serves, and that clears it.
    let last = world.mount("VT0006L8");
    world.rest();
    assert!(
        matches!(world.state(last), State::Passed(Outcome::Mounted { drive: ElementAddress(500), .. })),
        "{}",
        world.state(last)
    );
    assert!(!suspect(&world));
}

#[test]
fn the_same_bad_medium_again_and_again_makes_no_drive_suspect_and_enabling_clears_one() {
    let mut world = World::ready(library(2));
    world.device.inject(broken(1));
    for _ in 0..4 {
        mount_in(&mut world, TAPE, 500);
        world.rest();
    }
    let suspect = |world: &World| {
        world.engine.view().drives(None).into_iter().find(|drive| drive.element.0 == 500).unwrap().suspect
    };
    assert!(!suspect(&world));
    for barcode in ["VT0002L8", "VT0003L8"] {
        mount_in(&mut world, barcode, 500);
        world.rest();
    }
    assert!(suspect(&world));
    let target = ServiceTarget::Drive { library: None, drive: ElementAddress(500) };
    let enabled: Result<_, Refusal> = world.submit(Wanted::SetService { target, service: Service::Enabled });
    world.rest();
    assert!(enabled.is_ok() && !suspect(&world), "{enabled:?}");
}

#[test]
fn the_configuration_decides_which_medium_works_in_which_drive_before_the_table_does() {
    let rule = |drive: &str, medium: &str, read, write| Compatibility {
        drive: drive.into(),
        medium: medium.into(),
        read,
        write,
    };
    let stocked = || {
        let library = Library::new().slots(12).drives(1).drive_product("IBM", "ULT3580-TD8");
        library
            .cartridges("VT{:04}L8", 1..=2)
            .cartridges("OD{:04}L5", 1..=2)
            .cartridges("OD{:04}JC", 1..=2)
            .build()
    };
    let mut usual = World::ready(stocked());
    assert!(matches!(usual.submit(mount("OD0001L5")), Err(Refusal::Incompatible { .. })));
    assert!(usual.submit(mount("OD0001JC")).is_ok(), "what is not known is not refused");
    let rules = vec![
        rule("ult3580-td8", "L5", true, false),
        rule("", "JC", false, false),
        rule("ULT3580-TD9", "L8", false, false),
    ];
    let mut world = World::with(stocked(), |config| config.libraries[0].compatibility = rules);
    world.rest();
    let refused = world.submit(mount("OD0001JC"));
    assert!(matches!(refused, Err(Refusal::Incompatible { .. })), "{refused:?}");
    assert!(
        matches!(world.submit(mount("OD0001L5")), Err(Refusal::Incompatible { .. })),
        "it cannot be written"
    );
    let read = Wanted::Mount { cartridge: "OD0001L5".into(), drive: None, access: Access::Read };
    let id = world.submit(read).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.dismount("OD0001L5");
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(
        matches!(world.state(id), State::Passed(_)),
        "a rule for another drive says nothing: {}",
        world.state(id)
    );
}
