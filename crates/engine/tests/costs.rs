//! What motions cost: near drives are preferred, what is measured goes before what was said, and a forecast tells by it.

use std::time::Duration;

use autochanger_engine::catalog::Service;
use autochanger_engine::costs::{Costs, DriveTimes};
use autochanger_engine::forecast::{MAX_STEPS, Step, Why};
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Outcome, ServiceTarget, State, Wanted};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Library, Timing};
use autochanger_world::{World, mount, mount_in};

const SECOND: Duration = Duration::from_secs(1);

/// Slots 1000 to 1011 with tapes from the first one on, and as many drives from 500 on.
fn world(drives: u16, costs: Costs) -> World {
    let mut timing = Timing::midrange();
    timing.jitter_percent = 0;
    let library = Library::new().slots(12).drives(drives).cartridges("VT{:04}L8", 1..=12).timing(timing);
    let mut world = World::with(library.build(), |config| config.libraries[0].costs = costs);
    world.rest();
    world
}

/// The first half of the slots with one drive, the second with the other.
fn halves(first: u16, second: u16) -> Costs {
    Costs::default().zone([1000..=1005, first..=first]).zone([1006..=1011, second..=second])
}

fn drive_of(world: &World, id: RequestId) -> u16 {
    match world.state(id) {
        State::Passed(Outcome::Mounted { drive, .. }) => drive.0,
        other => panic!("{other}"),
    }
}

/// The drives that a tape gets, mount by mount.
fn drives(world: &mut World, barcode: &str, times: usize) -> Vec<u16> {
    let once = |_| {
        let id = world.mount(barcode);
        world.rest();
        let drive = drive_of(world, id);
        world.dismount(barcode);
        world.rest();
        drive
    };
    (0..times).map(once).collect()
}

#[test]
fn a_mount_gets_the_nearest_drive_and_the_least_recently_used_of_those_that_are_as_near() {
    let mut near = world(2, halves(500, 501).between_zones(10 * SECOND));
    assert_eq!(drives(&mut near, "VT0001L8", 4), [500; 4]);
    assert_eq!(drives(&mut near, "VT0012L8", 4), [501; 4]);
    let mut alike = world(2, Costs::default());
    assert_eq!(drives(&mut alike, "VT0001L8", 4), [500, 501, 500, 501]);
    let one_zone = Costs::default().zone([500..=501, 1000..=1011]);
    let mut zone = world(2, one_zone.motion(SECOND));
    let of_zone = drives(&mut zone, "VT0006L8", 4);
    assert!(of_zone.contains(&500) && of_zone.contains(&501), "{of_zone:?}");
}

#[test]
fn a_farther_drive_is_taken_when_the_near_one_is_in_use() {
    let mut world = world(2, halves(500, 501).between_zones(4 * SECOND));
    let both = [world.mount("VT0001L8"), world.mount("VT0002L8")];
    world.rest();
    assert_eq!(both.map(|id| drive_of(&world, id)), [500, 501]);
}

#[test]
fn what_is_measured_goes_before_what_was_said() {
    // The drives are said to stand the other way round.
    let mut world = world(2, halves(501, 500).motion(10 * SECOND).between_zones(2 * SECOND));
    let got = drives(&mut world, "VT0001L8", 6);
    assert_eq!(got.first(), Some(&501));
    assert_eq!(got[3..], [500; 3]);
}

#[test]
fn a_group_gets_near_drives() {
    let mut world = world(2, halves(500, 501).between_zones(4 * SECOND));
    drives(&mut world, "VT0001L8", 1);
    let group = world.group(1, &["VT0001L8"]);
    world.rest();
    assert_eq!(drive_of(&world, group[0]), 500);
}

#[test]
fn a_dry_run_tells_that_a_drive_is_near_and_counts_with_the_configured_times() {
    let times = DriveTimes { generation: 8, load: 3 * SECOND, unload: 5 * SECOND };
    let costs = halves(500, 501).motion(7 * SECOND).between_zones(4 * SECOND);
    let mut world = world(2, costs.drive(times));
    let try_out = |world: &World, barcode| {
        let submission = world.submission(mount(barcode));
        world.engine.forecast_with(submission, MAX_STEPS, world.moment()).unwrap()
    };
    let forecast = try_out(&world, "VT0012L8");
    let moves = |step: &Step| matches!(step, Step::Move { destination, .. } if destination.address.0 == 501);
    let near = forecast.steps.iter().find(|next| moves(&next.step)).expect("it is moved");
    assert_eq!(near.why, [Why::Nearest { of: 2 }]);
    let ready = forecast.steps.iter().find(|next| matches!(next.step, Step::End(_))).expect("it passes");
    assert_eq!(ready.after, 10 * SECOND);
    world.mount("VT0011L8");
    world.rest();
    assert_eq!(try_out(&world, "VT0012L8").steps[0].why, [Why::OnlyDrive]);
}

#[test]
fn a_drive_that_the_older_one_does_not_take_because_another_is_nearer_is_the_younger_ones_who_named_it() {
    let mut world = world(4, halves(500, 501).between_zones(4 * SECOND));
    let serve = |world: &mut World, drive: u16, service| {
        let target = ServiceTarget::Drive { library: None, drive: ElementAddress(drive) };
        world.submit(Wanted::SetService { target, service }).unwrap();
    };
    for drive in [500, 501, 502, 503] {
        serve(&mut world, drive, Service::Paused);
        world.rest();
    }
    let any = world.submit(mount("VT0001L8")).unwrap();
    let named = world.submit(mount_in("VT0002L8", 501)).unwrap();
    world.rest();
    // The arm works, and its next motion is prepared: nothing more is begun now.
    for (barcode, drive) in [("VT0008L8", 502), ("VT0009L8", 503)] {
        let caller = world.caller();
        world.submit_as(caller, mount_in(barcode, drive), |submission| submission.priority = 15).unwrap();
        serve(&mut world, drive, Service::Enabled);
    }
    world.until("the arm works", |world| world.device.moves_sent() == 1);
    for drive in [501, 500] {
        serve(&mut world, drive, Service::Enabled);
    }
    world.rest();
    assert_eq!((drive_of(&world, any), drive_of(&world, named)), (500, 501));
    world.assert_true();
}
