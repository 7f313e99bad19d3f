//! Drives that change their bays, and drives that are put in place of others, while a manager works: what is kept of a drive is
//! that drive's, wherever it is.

mod common;

use autochanger_engine::catalog::{DriveRecord, Service};
use autochanger_engine::id::{Device as Way, RequestId};
use autochanger_engine::request::{FailureKind, Outcome, ServiceTarget, State, Wanted};
use autochanger_engine::{EventKind, Input};
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, dismount, inventory, mount, mount_in};

use common::passes;

const TAPE: &str = "VT0001L8";
const OTHER: &str = "VT0002L8";
const FIRST: ElementAddress = ElementAddress(500);
const SECOND: ElementAddress = ElementAddress(501);

fn library() -> Device {
    Library::new()
        .slots(12)
        .drives(2)
        .ports(1)
        .cartridges("VT{:04}L8", 1..=8)
        .timing(Timing::midrange())
        .build()
}

fn record(world: &World, element: ElementAddress) -> DriveRecord {
    world.disk.drives.values().find(|drive| drive.element == element).cloned().unwrap()
}

fn serial(world: &World, element: ElementAddress) -> String {
    let drives = world.engine.view().drives(None);
    drives.iter().find(|drive| drive.element == element).unwrap().serial.as_deref().unwrap().into()
}

/// The mount's drive, and its way.
fn mounted_in(world: &World, id: RequestId) -> Option<(ElementAddress, Option<Way>)> {
    let mounts = world.engine.view().mounts();
    mounts.iter().find(|mount| mount.id == id).map(|mount| (mount.drive, mount.device))
}

fn told_of(world: &World) -> Vec<(ElementAddress, ElementAddress)> {
    let moved = |event: &autochanger_engine::Event| match &event.kind {
        EventKind::DriveMoved { from, to, .. } => Some((*from, *to)),
        _ => None,
    };
    world.events.iter().filter_map(moved).collect()
}

fn fault(world: &mut World, drive: ElementAddress) {
    let unit = drive.0 - 499;
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(0x00).lun(unit).always());
    let id = world.submit(mount_in(OTHER, drive.0)).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Failed(_)), "{}", world.state(id));
    world.device.clear_faults();
    passes(world, Wanted::Dismount { cartridge: OTHER.into(), slot: None, force: true });
}

#[test]
fn drives_that_change_their_bays_are_found_out_by_reading_where_nobody_tells_of_drives() {
    for told in [true, false] {
        let device = Library::new()
            .slots(12)
            .drives(2)
            .cartridges("VT{:04}L8", 1..=8)
            .timing(Timing::midrange())
            .quirk(autochanger_sim::Quirk::SledsAsMediumChange);
        let mut world = World::ready(device.build());
        let id = passes(&mut world, mount_in(TAPE, FIRST.0));
        world.device.swap_drives(FIRST, SECOND).unwrap();
        if !told {
            // Somebody else has heard it.
            let now = world.now;
            let asked = world.device.submit(now, 0, &[0; 6], &[], 0);
            assert!(world.device.take(asked).is_some());
        }
        passes(&mut world, inventory());
        assert_eq!(mounted_in(&world, id), Some((SECOND, Some(Way::Sibling(2)))));
        assert_eq!(told_of(&world), [(FIRST, SECOND), (SECOND, FIRST)]);
        world.assert_true();
    }
}

#[test]
fn two_drives_that_change_their_bays_take_everything_that_is_kept_of_them_with_them() {
    let mut world = World::ready(library());
    fault(&mut world, FIRST);
    passes(&mut world, Wanted::SetService { target: ServiceTarget::drive(SECOND), service: Service::Paused });
    let before = (record(&world, FIRST), record(&world, SECOND));
    assert_eq!((before.0.blame.faults, before.1.service), (1, Service::Paused));
    world.device.swap_drives(FIRST, SECOND).unwrap();
    passes(&mut world, inventory());
    world.rest();
    let after = (record(&world, FIRST), record(&world, SECOND));
    assert_eq!(after.1, DriveRecord { element: SECOND, ..before.0.clone() });
    assert_eq!(after.0, DriveRecord { element: FIRST, ..before.1.clone() });
    assert_eq!(told_of(&world), [(FIRST, SECOND), (SECOND, FIRST)]);
    assert!(!world.events.iter().any(|event| matches!(event.kind, EventKind::DriveReplaced { .. })));
    // The paused one is not used, wherever it is.
    let id = passes(&mut world, mount(TAPE));
    assert_eq!(mounted_in(&world, id).map(|(drive, _)| drive), Some(SECOND));
    world.assert_true();
    // And after a restart.
    world.crash();
    world.rest();
    assert_eq!(record(&world, FIRST).service, Service::Paused);
    assert_eq!(record(&world, SECOND).blame.faults, 1);
    world.assert_true();
}

#[test]
fn a_mount_goes_with_its_drive_and_is_dismounted_from_where_it_is() {
    for loaded in [1, 2] {
        let mut world = World::ready(library());
        let id = passes(&mut world, mount_in(TAPE, FIRST.0));
        let other = (loaded == 2).then(|| passes(&mut world, mount_in(OTHER, SECOND.0)));
        let serials = (serial(&world, FIRST), serial(&world, SECOND));
        world.device.swap_drives(FIRST, SECOND).unwrap();
        passes(&mut world, inventory());
        world.rest();
        assert_eq!((serial(&world, SECOND), serial(&world, FIRST)), serials);
        assert_eq!(mounted_in(&world, id), Some((SECOND, Some(Way::Sibling(2)))), "{loaded}");
        if let Some(other) = other {
            assert_eq!(mounted_in(&world, other), Some((FIRST, Some(Way::Sibling(1)))));
        }
        assert!(!world.events.iter().any(|event| matches!(event.kind, EventKind::Dismounted { .. })));
        // Durable, too.
        assert_eq!(world.disk.mounts.values().find(|mount| mount.id == id).unwrap().drive, SECOND);
        world.crash();
        world.rest();
        assert_eq!(mounted_in(&world, id).map(|(drive, _)| drive), Some(SECOND));
        passes(&mut world, Wanted::Dismount { cartridge: TAPE.into(), slot: None, force: true });
        assert_eq!(world.device.find(TAPE), Some(ElementAddress(1000)));
        world.assert_true();
    }
}

#[test]
fn drives_that_changed_their_bays_while_no_manager_was_there_are_followed_as_well() {
    let mut world = World::ready(library());
    let id = passes(&mut world, mount_in(TAPE, FIRST.0));
    fault(&mut world, SECOND);
    world.device.swap_drives(FIRST, SECOND).unwrap();
    world.crash();
    world.rest();
    assert_eq!(mounted_in(&world, id), Some((SECOND, Some(Way::Sibling(2)))));
    assert_eq!((record(&world, FIRST).blame.faults, record(&world, SECOND).blame.faults), (1, 0));
    assert_eq!(told_of(&world), [(FIRST, SECOND), (SECOND, FIRST)]);
    world.assert_true();
}

#[test]
fn a_deferred_dismount_goes_with_its_drive() {
    let mut world = World::with(library(), |config| {
        config.libraries[0].dwell = std::time::Duration::from_secs(3600);
    });
    world.rest();
    passes(&mut world, mount_in(TAPE, FIRST.0));
    passes(&mut world, mount_in(OTHER, SECOND.0));
    let later = Wanted::Dismount { cartridge: TAPE.into(), slot: None, force: false };
    let deferred = world.submit_as(world.caller(), later, |it| it.options.deferred = true).unwrap();
    world.until("it is put off", |world| world.state(deferred) == State::Deferred);
    // Somebody waits for the drive, until the medium has stayed for its time.
    let waiting = world.mount("VT0003L8");
    world.wait_until(world.now + std::time::Duration::from_secs(60));
    assert_eq!(world.device.find("VT0003L8"), Some(ElementAddress(1002)), "nothing makes way for it yet");
    world.device.swap_drives(FIRST, SECOND).unwrap();
    passes(&mut world, inventory());
    world.rest();
    assert_eq!(told_of(&world), [(FIRST, SECOND), (SECOND, FIRST)]);
    let State::Passed(Outcome::Mounted { drive, .. }) = world.state(waiting) else {
        panic!("{}", world.state(waiting))
    };
    assert_eq!(drive, SECOND, "the drive of the medium whose dismount was put off");
    assert!(matches!(world.state(deferred), State::Passed(_)), "{}", world.state(deferred));
    world.assert_true();
}

#[test]
fn a_deferred_dismount_ends_when_its_drive_is_taken_away_and_another_one_stands_there() {
    let mut world = World::ready(library());
    passes(&mut world, mount(TAPE));
    let caller = world.caller();
    let put_off = world.submit_as(caller, dismount(TAPE), |submission| submission.options.deferred = true);
    let put_off = put_off.unwrap();
    world.rest();
    assert_eq!(world.state(put_off), State::Deferred);
    world.device.pull_drive(FIRST, "SLED000003").unwrap();
    world.device.swap_drives(FIRST, SECOND).unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    let State::Failed(failure) = world.state(put_off) else { panic!("{}", world.state(put_off)) };
    assert_eq!(failure.kind, FailureKind::CartridgeMissing);
    assert!(world.engine.view().requests().is_empty());
}

#[test]
fn who_only_hears_events_knows_where_all_is_when_drives_have_changed_their_bays() {
    let mut world = World::ready(library());
    passes(&mut world, mount(TAPE));
    let target = ServiceTarget::Drive { library: None, drive: FIRST };
    world.submit(Wanted::SetService { target, service: Service::Paused }).unwrap();
    world.rest();
    let heard = world.events.len();
    world.device.swap_drives(FIRST, SECOND).unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    let told: Vec<String> = world.events[heard..].iter().map(|event| event.kind.to_string()).collect();
    for sentence in
        ["VT0001L8 is in drive 501", "drive 501 of sim:test is paused", "drive 500 of sim:test is enabled"]
    {
        assert!(told.iter().any(|it| it == sentence), "{sentence}: {told:#?}");
    }
}

#[test]
fn a_request_that_names_a_drive_gets_that_drive_where_it_is_now() {
    let mut world = World::ready(library());
    let holder = passes(&mut world, mount_in(OTHER, FIRST.0));
    let mut again = world.submission(mount_in(TAPE, FIRST.0));
    let named = world.submit(mount_in(TAPE, FIRST.0)).unwrap();
    again.id = named;
    world.rest();
    assert!(!world.state(named).is_final());
    world.device.swap_drives(FIRST, SECOND).unwrap();
    passes(&mut world, inventory());
    world.rest();
    assert!(!world.state(named).is_final(), "its drive is in use, wherever it is: {}", world.state(named));
    // Handed in again it is the same request.
    world.input(Input::Submit { token: autochanger_engine::id::Token(79), submission: again });
    let answer = world.answers.remove(&79);
    assert!(
        matches!(&answer, Some(autochanger_engine::Answer::Submitted(Ok(it))) if it.id == named),
        "{answer:?}"
    );
    passes(&mut world, Wanted::Dismount { cartridge: OTHER.into(), slot: None, force: true });
    assert_eq!(mounted_in(&world, holder), None);
    world.rest();
    assert_eq!(mounted_in(&world, named).map(|(drive, _)| drive), Some(SECOND));
    world.assert_true();
}

#[test]
fn a_mount_that_waits_for_its_drive_waits_for_it_where_it_is() {
    let mut world = World::ready(library());
    let id = world.submit(mount_in(TAPE, FIRST.0)).unwrap();
    world.until("it is in the drive", |world| world.device.find(TAPE) == Some(FIRST));
    // The drive does not come ready for a while, whichever bay it is in.
    for unit in [1, 2] {
        world.device.inject(
            Fault::sense(SenseKey::NotReady, 0x04, 0x07)
                .on(0x00)
                .lun(unit)
                .lasting(std::time::Duration::from_secs(600)),
        );
    }
    world.until("it is loaded", |world| world.device.swap_drives(FIRST, SECOND).is_ok());
    passes(&mut world, inventory());
    world.rest();
    let State::Passed(Outcome::Mounted { .. }) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(mounted_in(&world, id), Some((SECOND, Some(Way::Sibling(2)))));
    world.assert_true();
}

#[test]
fn a_drive_in_place_of_another_begins_anew_and_that_is_told() {
    let mut world = World::ready(library());
    fault(&mut world, FIRST);
    world.device.replace_drive(FIRST, "ANOTHER001").unwrap();
    passes(&mut world, inventory());
    world.rest();
    assert_eq!(serial(&world, FIRST), "ANOTHER001");
    assert_eq!((record(&world, FIRST).blame.faults, record(&world, FIRST).blame.uses), (0, 0));
    let told = |event: &autochanger_engine::Event| matches!(&event.kind, EventKind::DriveReplaced { drive, serial, .. } if *drive == FIRST && &**serial == "ANOTHER001");
    assert_eq!(world.events.iter().filter(|event| told(event)).count(), 1);
    passes(&mut world, mount_in(TAPE, FIRST.0));
    world.assert_true();
}

#[test]
fn a_drive_that_says_that_it_is_another_has_the_library_read_anew_and_one_that_is_the_same_does_not() {
    for replaced in [true, false] {
        let mut world = World::ready(library());
        passes(&mut world, mount_in(TAPE, FIRST.0));
        passes(&mut world, Wanted::Dismount { cartridge: TAPE.into(), slot: None, force: true });
        let opened = |world: &World| world.device.log().filter(|it| it.opcode() == Some(0x1A)).count();
        let before = opened(&world);
        if replaced {
            world.device.replace_drive(FIRST, "ANOTHER001").unwrap();
            // Somebody else has heard what the changer had to say: only the drive's own word is left.
            for _ in 0..2 {
                let now = world.now;
                let asked = world.device.submit(now, 0, &[0; 6], &[], 0);
                assert!(world.device.take(asked).is_some());
            }
        } else {
            world.device.inject(Fault::unit_attention(1, 0x3F, 0x03));
        }
        passes(&mut world, mount_in(TAPE, FIRST.0));
        world.rest();
        assert_eq!(opened(&world) > before, replaced);
        assert_eq!(serial(&world, FIRST) == "ANOTHER001", replaced);
        world.assert_true();
    }
}
