//! What a drive does is seen: a first load that calibrates for an hour and more, the states of a usual day, and how long
//! things take. In virtual time.

use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::request::{FailureKind, Outcome, State, Submission, Wanted};
use autochanger_engine::view::{DriveInfo, DriveState};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library, Timing};
use autochanger_world::{World, mount};

const MINUTE: Duration = Duration::from_secs(60);

// The simulated drives are LTO-8; what is said of LTO-9 here is what the drive says.
fn library() -> Device {
    let mut timing = Timing::midrange();
    timing.jitter_percent = 0;
    Library::new()
        .slots(10)
        .drives(1)
        .cartridges("VT{:04}L8", 1..=4)
        .cleaning_cartridge("CLN001L8")
        .timing(timing)
        .build()
}

fn drive(world: &World) -> DriveInfo {
    world.engine.view().drives(None).remove(0)
}

#[test]
fn a_calibration_of_an_hour_and_a_half_is_shown_and_waited_for() {
    let mut world = World::ready(library());
    assert!(world.device.next_load_takes("VT0001L8", 90 * MINUTE));
    let id = world.mount("VT0001L8");
    world.until("it calibrates", |world| matches!(drive(world).state, DriveState::Calibrating { .. }));
    let asked_at = world.now;
    world.until("the mount has ended", |world| world.state(id).is_final());
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    assert!(world.now - asked_at > 85 * MINUTE, "it took {:?}", world.now - asked_at);
    assert_eq!(drive(&world).state, DriveState::Mounted);
    assert_eq!(drive(&world).mean_load, None, "a calibration is no usual load");
    let told: Vec<bool> = world
        .events
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::Drive { state, .. } => Some(matches!(state, DriveState::Calibrating { .. })),
            _ => None,
        })
        .collect();
    assert_eq!(told, [true, false], "its beginning and its end are told, once each");
}

#[test]
fn a_calibration_that_does_not_end_has_a_deadline_of_its_own() {
    let mut world = World::ready(library());
    world.device.next_load_takes("VT0001L8", 300 * MINUTE);
    let begun = world.now;
    let id = world.mount("VT0001L8");
    world.until("the mount has ended", |world| world.state(id).is_final());
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::DriveFault);
    let took = world.now - begun;
    assert!(took > 134 * MINUTE && took < 137 * MINUTE, "{took:?}");
    assert!(!matches!(drive(&world).state, DriveState::Calibrating { .. }));
}

#[test]
fn a_calibration_that_nobody_waits_for_any_more_is_not_shown_for_ever() {
    let deadline = |submission: &mut Submission| submission.deadline = Some(30 * MINUTE);
    for cancelled in [true, false] {
        let mut world = World::ready(library());
        assert!(world.device.next_load_takes("VT0001L8", 90 * MINUTE));
        let caller = world.caller();
        let id = world.submit_as(caller, mount("VT0001L8"), deadline).unwrap();
        world.until("it calibrates", |world| matches!(drive(world).state, DriveState::Calibrating { .. }));
        if cancelled {
            let _ = world.cancel(id);
        }
        world.until("the mount has ended", |world| world.state(id).is_final());
        assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
        assert_eq!(drive(&world).state, DriveState::Dismountable);
    }
}

#[test]
fn a_day_of_a_drive_is_seen_state_by_state() {
    let mut world = World::ready(library());
    let mut seen = vec![drive(&world).state];
    let mut watch = |world: &mut World| {
        while world.step() {
            let state = drive(world).state;
            if seen.last() != Some(&state) {
                seen.push(state);
            }
        }
    };
    world.mount("VT0001L8");
    watch(&mut world);
    world.dismount("VT0001L8");
    watch(&mut world);
    world.submit(Wanted::CleanDrive { library: None, drive: ElementAddress(500) }).unwrap();
    watch(&mut world);
    use DriveState::{Cleaning, Empty, Loading, Mounted, Unloading};
    assert_eq!(seen, [Empty, Loading, Mounted, Unloading, Empty, Cleaning, Empty]);
}

#[test]
fn how_long_things_take_is_learned() {
    let mut world = World::ready(library());
    for barcode in ["VT0001L8", "VT0002L8"] {
        world.mount(barcode);
        world.rest();
        world.dismount(barcode);
        world.rest();
    }
    let second = Duration::from_secs(1);
    let drive = drive(&world);
    // The drive is asked with pauses of at most a second.
    let load = drive.mean_load.unwrap();
    assert!(load >= 15 * second && load <= 16 * second, "{load:?}");
    assert_eq!(drive.mean_unload, Some(24 * second));
    let motion = world.engine.view().libraries()[0].mean_motion.unwrap();
    assert!(motion >= 8 * second && motion <= 30 * second, "{motion:?}");
}
