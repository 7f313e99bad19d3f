//! Drives that say that they want cleaning, and what the manager does about it of its own accord.

use autochanger_engine::EventKind;
use autochanger_engine::request::{Operation, Outcome, State, Waiting, Wanted};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Library, Timing};
use autochanger_world::World;

use super::{CLEANER, DRIVE, library};

fn wishes(world: &World) -> Vec<bool> {
    let wish = |event: &autochanger_engine::Event| match event.kind {
        EventKind::Drive { wants_cleaning, .. } => Some(wants_cleaning),
        _ => None,
    };
    world.events.iter().filter_map(wish).collect()
}

fn own_cleanings(world: &World) -> Vec<State> {
    let own = world.disk.requests.values().filter(|request| request.operation() == Operation::CleanDrive);
    own.filter(|request| &*request.application == "autochanger")
        .map(|request| request.state.clone())
        .collect()
}

fn mounted_and_out(world: &mut World, barcode: &str) {
    world
        .submit(Wanted::Mount { cartridge: barcode.into(), drive: Some(DRIVE), access: Default::default() })
        .unwrap();
    world.rest();
    world.dismount(barcode);
    world.rest();
}

#[test]
fn a_drive_that_asks_is_cleaned_by_a_request_of_the_managers_own_once_its_medium_is_out() {
    for required in [false, true] {
        let mut world = World::ready(library(&[CLEANER]));
        world.device.drive_asks_for_cleaning(DRIVE, required);
        world
            .submit(Wanted::Mount {
                cartridge: "VT0001L8".into(),
                drive: Some(DRIVE),
                access: Default::default(),
            })
            .unwrap();
        world.rest();
        assert!(wishes(&world).is_empty(), "nothing is asked of a drive that has a medium mounted");
        world.dismount("VT0001L8");
        world.rest();
        assert!(matches!(own_cleanings(&world)[..], [State::Passed(Outcome::Cleaned { .. })]));
        assert_eq!(wishes(&world).first(), Some(&true));
        let drive = world.disk.drives.values().find(|drive| drive.element == DRIVE).unwrap();
        assert!(drive.last_cleaned.is_some() && !drive.wants_cleaning);
        world.assert_true();
    }
}

#[test]
fn a_drive_that_must_be_cleaned_takes_no_medium_until_it_is_or_an_administrator_enables_it() {
    let stocked = Library::new().slots(10).drives(1).cartridges("VT{:04}L8", 1..=4);
    let mut world = World::ready(stocked.timing(Timing::midrange()).build());
    world.device.drive_asks_for_cleaning(DRIVE, true);
    mounted_and_out(&mut world, "VT0001L8");
    assert_eq!(
        own_cleanings(&world),
        [State::Waiting(Waiting::Operator)],
        "there is no cleaner: a person is asked"
    );
    let sent = world.device.moves_sent();
    let waits = world.mount("VT0002L8");
    world.rest();
    assert_eq!(world.device.moves_sent(), sent);
    let target = autochanger_engine::request::ServiceTarget::Drive { library: None, drive: DRIVE };
    let service = autochanger_engine::catalog::Service::Enabled;
    let mut caller = world.caller();
    caller.role = autochanger_engine::catalog::Role::Administrator;
    world.submit_as(caller, Wanted::SetService { target, service }, |_| {}).unwrap();
    world.rest();
    assert!(matches!(world.state(waits), State::Passed(Outcome::Mounted { .. })), "{}", world.state(waits));
}

#[test]
fn a_drive_that_asks_again_at_once_does_not_use_up_the_cleaner() {
    let mut world = World::ready(library(&[CLEANER]));
    for barcode in ["VT0001L8", "VT0002L8", "VT0003L8"] {
        world.device.drive_asks_for_cleaning(DRIVE, false);
        mounted_and_out(&mut world, barcode);
    }
    assert_eq!(own_cleanings(&world).len(), 1);
    assert!(world.disk.drives.values().any(|drive| drive.wants_cleaning), "that it asks is kept");
}

#[test]
fn where_it_is_not_wanted_a_drive_is_not_cleaned_unasked_but_its_wish_is_told() {
    let mut world = World::with(library(&[CLEANER]), |config| config.libraries[0].auto_clean = false);
    world.rest();
    world.device.drive_asks_for_cleaning(DRIVE, false);
    mounted_and_out(&mut world, "VT0001L8");
    assert!(own_cleanings(&world).is_empty());
    assert_eq!(wishes(&world), [true]);
}

#[test]
fn a_drive_that_must_be_cleaned_is_not_used_by_the_next_process_either() {
    let stocked = Library::new().slots(10).drives(1).cartridges("VT{:04}L8", 1..=4);
    let mut world = World::with(stocked.timing(Timing::midrange()).build(), |config| {
        config.libraries[0].auto_clean = false;
    });
    world.rest();
    world.device.drive_asks_for_cleaning(DRIVE, true);
    mounted_and_out(&mut world, "VT0001L8");
    world.crash_with(|config| config.libraries[0].auto_clean = true);
    world.rest();
    assert_eq!(own_cleanings(&world), [State::Waiting(Waiting::Operator)]);
    let sent = world.device.moves_sent();
    world.mount("VT0002L8");
    world.rest();
    assert_eq!(world.device.moves_sent(), sent);
    world.device.operator_put_cleaner(ElementAddress(1009), CLEANER).unwrap();
    world.submit(autochanger_world::inventory()).unwrap();
    world.rest();
    assert!(matches!(own_cleanings(&world)[..], [State::Passed(Outcome::Cleaned { .. })]));
    assert_eq!(world.device.find("VT0002L8"), Some(DRIVE), "then the mount has its turn");
    world.assert_true();
}
