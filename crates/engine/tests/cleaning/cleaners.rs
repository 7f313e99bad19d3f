//! Which cleaning cartridge is taken: several of them, used-up ones, one for several cleanings, and tapes that only look like one.

use autochanger_engine::EventKind;
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{FailureKind, FaultOf, Outcome, State, Waiting, Wanted};
use autochanger_scsi::ElementAddress;
use autochanger_sim::Fault;
use autochanger_world::{World, inventory, mount};

use super::{CLEANER, DRIVE, clean, counted, library, uses_left};

#[test]
fn a_used_up_cleaner_is_marked_and_the_next_one_cleans() {
    let mut world = World::ready(library(&[CLEANER, "CLN002L8"]));
    world.device.cleaner_lasts(CLEANER, 0);
    let homes = (world.device.find(CLEANER), world.device.find("CLN002L8"));
    let id = clean(&mut world);
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })), "{}", world.state(id));
    assert_eq!(uses_left(&world, CLEANER), Some(0));
    assert_eq!((world.device.find(CLEANER), world.device.find("CLN002L8")), homes);
    let faults: Vec<_> = world.disk.faults.values().map(|fault| (fault.of, fault.kind)).collect();
    assert_eq!(faults, [(FaultOf::Medium, FailureKind::MediumFault)]);
    world.assert_true();
}

#[test]
fn of_two_cleanings_that_wait_for_a_cleaner_the_second_gets_it_when_the_first_takes_another() {
    let mut world = World::ready(library(&[CLEANER]));
    let first = clean(&mut world);
    world.until("the cleaner is in the drive", |world| world.device.find(CLEANER) == Some(DRIVE));
    let wanted = Wanted::CleanDrive { library: None, drive: ElementAddress(DRIVE.0 + 1) };
    let waiting = [(); 2].map(|()| world.submit(wanted.clone()).unwrap());
    // Which one is taken follows from their ids, which are drawn: of so many one is before the one that is waited for.
    for (slot, barcode) in (1006..).zip(["CLN002L8", "CLN003L8", "CLN004L8", "CLN005L8"]) {
        world.device.operator_put_cleaner(slot, barcode).unwrap();
    }
    world.submit(inventory()).unwrap();
    world.rest();
    for id in [first, waiting[0], waiting[1]] {
        assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })), "{}", world.state(id));
    }
    let taken = world.disk.requests.get(&waiting[0]).and_then(|request| request.barcode.clone());
    assert_ne!(taken.as_deref(), Some(CLEANER));
    world.assert_true();
}

#[test]
fn a_cleaner_that_is_free_is_taken_before_the_one_that_a_cleaning_has_from_the_cleaners_slot() {
    let mut world = World::ready(library(&[CLEANER, "CLN002L8"]));
    let slot = world.device.find(CLEANER).unwrap();
    world.device.operator_swap(slot, 1009).unwrap();
    world.submit(inventory()).unwrap();
    world.submit(Wanted::ReserveCleanerSlot { library: None, slot }).unwrap();
    world.rest();
    world.device.operator_swap(slot, 1009).unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    let ids = [500, 501].map(|drive| {
        let drive = ElementAddress(drive);
        world.submit(Wanted::CleanDrive { library: None, drive }).unwrap()
    });
    world.until("both are in drives", |world| world.device.moves_done() == 2);
    world.rest();
    for id in ids {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
}

#[test]
fn two_cleanings_share_one_cleaner_one_after_the_other() {
    let mut world = World::ready(library(&[CLEANER]));
    let one = clean(&mut world);
    let other = world.submit(Wanted::CleanDrive { library: None, drive: ElementAddress(501) }).unwrap();
    world.rest();
    for id in [one, other] {
        assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })), "{}", world.state(id));
    }
    assert_eq!(world.device.moves_sent(), 4);
    let tape = world.submit(mount("VT0001L8")).unwrap();
    world.rest();
    assert!(matches!(world.state(tape), State::Passed(_)));
    world.assert_true();
}

#[test]
fn a_tape_with_the_label_of_a_cleaner_cleans_nothing_and_is_not_tried_again() {
    let mut world = World::ready(library(&[]));
    world.device.operator_put(ElementAddress(1009), CLEANER).unwrap();
    world.submit(autochanger_world::inventory()).unwrap();
    world.rest();
    let id = clean(&mut world);
    world.rest();
    assert_eq!(world.state(id), State::Waiting(Waiting::Operator));
    assert_eq!((uses_left(&world, CLEANER), world.device.moves_sent()), (Some(0), 2));
    assert_eq!(world.device.find(CLEANER), Some(ElementAddress(1009)));
    let drive = world.engine.view().drives(None).into_iter().find(|drive| drive.element == DRIVE).unwrap();
    assert_eq!(drive.last_cleaned, None);
    world.assert_true();
}

#[test]
fn a_tape_that_hands_put_in_the_cleaners_place_makes_way_and_the_cleaner_is_not_blamed() {
    let mut world = World::ready(library(&[CLEANER]));
    counted(&mut world, CLEANER, 7);
    let (cleaner, tape) = (world.device.find(CLEANER).unwrap(), world.device.find("VT0001L8").unwrap());
    let id = clean(&mut world);
    world.until("the cleaner is fetched", |world| world.device.moves_sent() == 1);
    world.device.operator_swap(cleaner, tape).unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    // What was put into the drive in its place cost it the one use that was counted when it was thought to be there.
    assert_eq!(world.state(id), State::Passed(Outcome::Cleaned { uses_left: Some(5) }));
    assert!(world.events.iter().all(|event| !matches!(&event.kind, EventKind::Fault { .. })));
    let in_slot = |barcode| world.device.find(barcode).is_some_and(|place| place.0 >= 1000);
    assert!(in_slot("VT0001L8") && in_slot(CLEANER));
    let mounted = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(mounted), State::Passed(Outcome::Mounted { .. })));
    world.assert_true();
}

#[test]
fn of_three_cleanings_of_a_drive_each_brings_the_cleaner_home_before_the_next_one() {
    let mut world = World::ready(library(&[CLEANER]));
    world.device.inject(Fault::lost_reply().without_effect().on_move());
    let all: Vec<RequestId> = [0, 2, 0]
        .into_iter()
        .map(|priority| {
            let wanted = Wanted::CleanDrive { library: None, drive: DRIVE };
            let caller = world.caller();
            world.submit_as(caller, wanted, |submission| submission.priority = priority).unwrap()
        })
        .collect();
    world.rest();
    for id in all {
        assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })), "{}", world.state(id));
    }
    assert_eq!(world.device.moves_done(), 6);
    world.assert_true();
}
