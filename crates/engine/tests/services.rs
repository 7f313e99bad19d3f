//! Enable, pause, drain and disable, with what follows.

use autochanger_engine::EventKind;
use autochanger_engine::catalog::Service;
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{
    CancelAccepted, CancelledBy, FailureKind, Outcome, ServiceTarget, State, Waiting, Wanted,
};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library, Timing};
use autochanger_world::{World, dismount, inventory, library_to_be, mount};

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

#[track_caller]
fn passed(world: &World, id: autochanger_engine::id::RequestId) {
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
}

#[test]
fn a_paused_library_finishes_its_move_and_begins_nothing_until_it_is_resumed() {
    let mut world = World::ready(library(2));
    let moving = world.mount("VT0001L8");
    world.until("its move is under way", |world| world.device.moves_sent() == 1);
    let paused = world.submit(library_to_be(Service::Paused)).unwrap();
    assert_eq!(world.state(paused), State::InProcess, "the arm works still");
    let waits = world.mount("VT0002L8");
    world.rest();
    passed(&world, moving);
    passed(&world, paused);
    assert_eq!(world.device.moves_sent(), 1);
    let shown = world.engine.view().request(waits).unwrap().state;
    assert_eq!(shown, State::Waiting(Waiting::Service));
    let resumed = world.submit(library_to_be(Service::Enabled)).unwrap();
    world.rest();
    passed(&world, resumed);
    passed(&world, waits);
}

#[test]
fn a_pause_outlives_a_restart() {
    let mut world = World::ready(library(2));
    world.submit(library_to_be(Service::Paused)).unwrap();
    world.rest();
    world.crash();
    world.rest();
    assert_eq!(world.engine.view().libraries()[0].service, Service::Paused);
    let waits = world.mount("VT0001L8");
    world.rest();
    assert!(!world.state(waits).is_final());
    assert_eq!(world.device.moves_sent(), 0);
}

#[test]
fn a_draining_library_lets_dismounts_through_and_is_paused_when_nothing_is_mounted() {
    let mut world = World::ready(library(2));
    world.mount("VT0001L8");
    world.rest();
    let drain = world.submit(library_to_be(Service::Draining)).unwrap();
    let waits = world.mount("VT0002L8");
    world.rest();
    assert_eq!(world.state(drain), State::InProcess);
    assert!(!world.state(waits).is_final());
    let down = world.dismount("VT0001L8");
    world.rest();
    passed(&world, down);
    passed(&world, drain);
    assert_eq!(world.engine.view().libraries()[0].service, Service::Paused);
    assert!(!world.state(waits).is_final());
    let told = |event: &autochanger_engine::Event| {
        matches!(&event.kind, EventKind::Service { service: Service::Paused, drive: None, .. })
    };
    assert!(world.events.iter().any(told));
}

#[track_caller]
fn superseded(world: &World, id: autochanger_engine::id::RequestId, by: autochanger_engine::id::RequestId) {
    let by = CancelledBy::Superseded { by };
    assert_eq!(world.state(id), State::Stopped { place: None, by });
}

#[test]
fn a_drain_that_somebody_took_back_does_not_pause_the_library_later() {
    let mut world = World::ready(library(2));
    world.mount("VT0001L8");
    world.rest();
    let drain = world.submit(library_to_be(Service::Draining)).unwrap();
    world.rest();
    let enabled = world.submit(library_to_be(Service::Enabled)).unwrap();
    superseded(&world, drain, enabled);
    world.dismount("VT0001L8");
    world.rest();
    assert_eq!(world.engine.view().libraries()[0].service, Service::Enabled);
    let serves = world.mount("VT0002L8");
    world.rest();
    passed(&world, serves);
}

#[test]
fn a_pause_that_somebody_took_back_has_ended_and_did_not_come_to_its_effect() {
    let mut world = World::ready(library(2));
    world.mount("VT0001L8");
    world.until("its move is under way", |world| world.device.moves_sent() == 1);
    let paused = world.submit(library_to_be(Service::Paused)).unwrap();
    let twice = world.submit(library_to_be(Service::Paused)).unwrap();
    assert_eq!(world.state(paused), State::InProcess, "the second one asks for the same");
    let enabled = world.submit(library_to_be(Service::Enabled)).unwrap();
    superseded(&world, paused, enabled);
    superseded(&world, twice, enabled);
    passed(&world, enabled);
}

#[test]
fn a_cancelled_drain_is_stopped_and_what_it_set_stays_until_somebody_enables() {
    let mut world = World::ready(library(2));
    world.mount("VT0001L8");
    world.rest();
    let drain = world.submit(library_to_be(Service::Draining)).unwrap();
    world.rest();
    assert!(matches!(world.cancel(drain), Some(Ok(CancelAccepted::Stopping))));
    assert!(matches!(world.state(drain), State::Stopped { place: None, by: CancelledBy::Session { .. } }));
    world.dismount("VT0001L8");
    world.rest();
    assert_eq!(world.engine.view().libraries()[0].service, Service::Draining, "nobody pauses it now");
    let waits = world.mount("VT0002L8");
    world.rest();
    assert!(!world.state(waits).is_final());
    world.submit(library_to_be(Service::Enabled)).unwrap();
    world.rest();
    passed(&world, waits);
}

#[test]
fn a_drain_that_is_cancelled_after_a_restart_was_in_force_as_well() {
    let mut world = World::ready(library(2));
    world.mount("VT0001L8");
    world.rest();
    let drain = world.submit(library_to_be(Service::Draining)).unwrap();
    world.crash();
    assert!(matches!(world.cancel(drain), Some(Ok(CancelAccepted::Stopping))));
    assert!(matches!(world.state(drain), State::Stopped { place: None, .. }), "{}", world.state(drain));
}

#[test]
fn a_drive_whose_drain_was_taken_back_keeps_what_its_mount_leaves_in_it() {
    let mut world = World::ready(library(2));
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let drain = world.submit(drive_to_be(500, Service::Draining)).unwrap();
    let other = world.submit(drive_to_be(501, Service::Draining)).unwrap();
    world.rest();
    let enabled = world.submit(drive_to_be(500, Service::Enabled)).unwrap();
    superseded(&world, drain, enabled);
    assert_eq!(world.state(other), State::InProcess, "the other drive's goes on");
    let caller = world.caller();
    let put_off = world.submit_as(caller, dismount("VT0001L8"), |s| s.options.deferred = true).unwrap();
    world.rest();
    assert_eq!(world.state(put_off), State::Deferred, "nobody drains the drive any more");
    assert_eq!(world.engine.view().drives(None)[0].service, Service::Enabled);
}

#[test]
fn a_disabled_library_fails_what_waits_and_refuses_what_comes() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    let waits = world.mount("VT0002L8");
    let disabled = world.submit(library_to_be(Service::Disabled)).unwrap();
    world.rest();
    passed(&world, disabled);
    match world.state(waits) {
        State::Failed(failure) => assert_eq!(failure.kind, FailureKind::Disabled, "{failure}"),
        other => panic!("{other}"),
    }
    for wanted in [mount("VT0003L8"), inventory(), dismount("VT0001L8")] {
        match world.submit(wanted) {
            Err(error @ Refusal::Disabled { .. }) => {
                assert!(error.to_string().contains("sim:test is disabled"), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(world.disk.faults.is_empty(), "what a person switched off is nobody's fault");
    world.submit(library_to_be(Service::Enabled)).unwrap();
    let down = world.dismount("VT0001L8");
    world.rest();
    passed(&world, down);
}

#[test]
fn a_paused_drive_is_not_chosen_and_who_names_it_waits() {
    let mut world = World::ready(library(2));
    world.submit(drive_to_be(500, Service::Paused)).unwrap();
    let any = world.mount("VT0001L8");
    let named = Wanted::Mount {
        cartridge: "VT0002L8".into(),
        drive: Some(ElementAddress(500)),
        access: Default::default(),
    };
    let named = world.submit(named).unwrap();
    world.rest();
    let State::Passed(Outcome::Mounted { drive, .. }) = world.state(any) else {
        panic!("{}", world.state(any))
    };
    assert_eq!(drive, ElementAddress(501));
    assert!(!world.state(named).is_final());
    world.submit(drive_to_be(500, Service::Enabled)).unwrap();
    world.rest();
    passed(&world, named);
}

#[test]
fn a_disabled_drive_sends_home_what_nobody_has_mounted_and_refuses_who_names_it() {
    let mut world = World::ready(library(2));
    let id = world.mount("VT0001L8");
    world.until("it is in the drive", |world| world.device.find("VT0001L8") == Some(ElementAddress(500)));
    let _ = world.cancel(id);
    world.rest();
    let disabled = world.submit(drive_to_be(500, Service::Disabled)).unwrap();
    world.rest();
    passed(&world, disabled);
    assert!(world.device.find("VT0001L8").unwrap().0 >= 1000, "it is in a slot again");
    let named = Wanted::Mount {
        cartridge: "VT0002L8".into(),
        drive: Some(ElementAddress(500)),
        access: Default::default(),
    };
    assert!(matches!(world.submit(named), Err(Refusal::Disabled { .. })));
    world.crash();
    world.rest();
    let drives = world.engine.view().drives(None);
    assert_eq!(
        drives.iter().map(|drive| drive.service).collect::<Vec<_>>(),
        [Service::Disabled, Service::Enabled]
    );
}

#[track_caller]
fn disabled(world: &World, id: autochanger_engine::id::RequestId) {
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::Disabled, "{failure}");
}

fn named(barcode: &str, drive: u16) -> Wanted {
    Wanted::Mount {
        cartridge: barcode.into(),
        drive: Some(ElementAddress(drive)),
        access: Default::default(),
    }
}

#[test]
fn a_disabled_drive_fails_the_mounts_and_the_cleaning_that_wait_for_it() {
    let mut world = World::ready(library(2));
    world.submit(named("VT0001L8", 500)).unwrap();
    world.rest();
    let mounts = ["VT0002L8", "VT0003L8"].map(|barcode| world.submit(named(barcode, 500)).unwrap());
    let clean = Wanted::CleanDrive { library: None, drive: ElementAddress(500) };
    let clean = world.submit(clean).unwrap();
    world.rest();
    world.submit(drive_to_be(500, Service::Disabled)).unwrap();
    world.rest();
    for id in mounts.into_iter().chain([clean]) {
        disabled(&world, id);
    }
    assert_eq!(world.engine.view().mounts().len(), 1, "what is mounted stays");
}

#[test]
fn a_drive_that_is_taken_out_of_service_does_not_get_the_medium_that_was_to_come_next() {
    for service in [Service::Disabled, Service::Paused, Service::Draining] {
        let mut world = World::ready(library(2));
        let first = world.submit(named("VT0001L8", 500)).unwrap();
        world.until("the arm works", |world| world.device.moves_sent() == 1);
        let next = world.submit(named("VT0002L8", 501)).unwrap();
        world.until("the next intent is durable", |world| world.state(next) == State::InProcess);
        world.submit(drive_to_be(501, service)).unwrap();
        world.rest();
        passed(&world, first);
        assert_eq!(world.device.moves_sent(), 1, "{service:?}");
        match service {
            Service::Disabled => disabled(&world, next),
            _ => {
                let shown = world.engine.view().request(next).unwrap().state;
                assert_eq!(shown, State::Waiting(Waiting::Service), "{service:?}");
                world.submit(drive_to_be(501, Service::Enabled)).unwrap();
                world.rest();
                passed(&world, next);
            }
        }
        world.assert_true();
    }
}

#[test]
fn a_disabled_library_fails_what_waits_for_a_person_or_an_owner() {
    let mut world = World::ready(library(1));
    world.device.operator_take(1001).unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    let caller = world.caller();
    let person = world.submit_as(caller, mount("VT0002L8"), |s| s.options.wait_for_operator = true).unwrap();
    world.mount("VT0001L8");
    world.rest();
    let owner = world.mount("VT0003L8");
    world.rest();
    world.crash();
    world.rest();
    let caller = world.caller();
    let asked = world.submit_as(caller, mount("VT0002L8"), |s| s.options.wait_for_operator = true).unwrap();
    world.rest();
    assert_eq!(world.state(owner), State::Waiting(Waiting::Owner));
    assert_eq!(world.state(person), State::Waiting(Waiting::Owner));
    assert_eq!(world.state(asked), State::Waiting(Waiting::Operator));
    world.submit(library_to_be(Service::Disabled)).unwrap();
    world.rest();
    for id in [person, owner, asked] {
        disabled(&world, id);
    }
    assert!(world.engine.view().operator_requests().is_empty());
}

#[test]
fn a_drained_drive_waits_for_its_dismount_and_takes_nothing_new() {
    let mut world = World::ready(library(2));
    world.mount("VT0001L8");
    world.rest();
    let drain = world.submit(drive_to_be(500, Service::Draining)).unwrap();
    world.rest();
    assert_eq!(world.state(drain), State::InProcess);
    world.dismount("VT0001L8");
    world.rest();
    passed(&world, drain);
    let next = world.mount("VT0002L8");
    world.rest();
    let State::Passed(Outcome::Mounted { drive, .. }) = world.state(next) else { panic!() };
    assert_eq!(drive, ElementAddress(501));
    assert_eq!(world.engine.view().drives(None)[0].service, Service::Paused);
}

#[test]
fn a_disabled_cartridge_fails_its_waiting_mount_and_can_still_be_taken_out() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    let waits = world.mount("VT0002L8");
    world.submit(cartridge_to_be("VT0002L8", Service::Disabled)).unwrap();
    world.submit(cartridge_to_be("VT0001L8", Service::Disabled)).unwrap();
    world.rest();
    assert!(matches!(world.state(waits), State::Failed(failure) if failure.kind == FailureKind::Disabled));
    assert!(matches!(world.submit(mount("VT0002L8")), Err(Refusal::Disabled { .. })));
    let down = world.dismount("VT0001L8");
    world.rest();
    passed(&world, down);
    world.crash();
    world.rest();
    assert!(matches!(world.submit(mount("VT0002L8")), Err(Refusal::Disabled { .. })));
    world.submit(cartridge_to_be("VT0002L8", Service::Enabled)).unwrap();
    let again = world.mount("VT0002L8");
    world.rest();
    passed(&world, again);
}

#[test]
fn a_drive_that_was_replaced_begins_anew_and_that_is_told() {
    let mut world = World::ready(library(2));
    world.mount("VT0001L8");
    world.rest();
    assert_eq!(world.engine.view().drives(None)[0].blame.uses, 1);
    world.dismount("VT0001L8");
    world.rest();
    let record = world.disk.drives.values_mut().next().unwrap();
    record.serial = Some("ANOTHER".into());
    record.service = Service::Disabled;
    world.crash();
    world.rest();
    let drive = &world.engine.view().drives(None)[0];
    assert_eq!((drive.service, drive.blame.uses), (Service::Enabled, 0));
    let told = |event: &autochanger_engine::Event| matches!(&event.kind, EventKind::DriveReplaced { before, .. } if &**before == "ANOTHER");
    assert!(world.events.iter().any(told));
}
