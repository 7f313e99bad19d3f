//! Cleaning of drives: by request, with a used-up cartridge, without one, across cancels and crashes. In virtual time.

#[path = "cleaning/cleaners.rs"]
mod cleaners;
#[path = "cleaning/unasked.rs"]
mod unasked;

use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::catalog::{Cleaner, MotionState};
use autochanger_engine::id::{CartridgeId, RequestId};
use autochanger_engine::output::Change;
use autochanger_engine::request::{
    CancelAccepted, CancelError, CancelledBy, FailureKind, Operation, Outcome, Place, State, Waiting, Wanted,
};
use autochanger_engine::view::OperatorTask;
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, mount};

const CLEANER: &str = "CLN001L8";

const DRIVE: ElementAddress = ElementAddress(500);

fn library(cleaners: &[&str]) -> Device {
    let mut library = Library::new().slots(10).drives(2).ports(1).cartridges("VT{:04}L8", 1..=4);
    for cleaner in cleaners {
        library = library.cleaning_cartridge(cleaner);
    }
    library.timing(Timing::midrange()).build()
}

fn clean(world: &mut World) -> RequestId {
    world.submit(Wanted::CleanDrive { library: None, drive: DRIVE }).unwrap()
}

fn on_disk(world: &World, barcode: &str) -> (CartridgeId, Option<Cleaner>) {
    let found = world.disk.cartridges.values().find(|it| it.barcode.as_deref() == Some(barcode)).unwrap();
    (found.id, found.cleaner)
}

/// The manager learns how often the cartridge can clean, as an inject of a cleaner tells it.
fn counted(world: &mut World, barcode: &str, uses: u32) {
    let (id, _) = on_disk(world, barcode);
    let mut cartridge = world.disk.cartridges[&id].clone();
    cartridge.cleaner = Some(Cleaner { uses_left: Some(uses) });
    world.disk.commit(vec![Change::Cartridge(cartridge)]);
    world.device.cleaner_lasts(barcode, uses);
    world.crash();
    world.rest();
}

fn uses_left(world: &World, barcode: &str) -> Option<u32> {
    on_disk(world, barcode).1.and_then(|cleaner| cleaner.uses_left)
}

#[test]
fn a_drive_is_cleaned_with_two_moves_and_the_cleaner_is_counted_and_goes_home() {
    let mut world = World::ready(library(&[CLEANER]));
    counted(&mut world, CLEANER, 7);
    let home = world.device.find(CLEANER);
    let id = clean(&mut world);
    world.rest();
    assert_eq!(world.state(id), State::Passed(Outcome::Cleaned { uses_left: Some(6) }));
    assert_eq!((world.device.find(CLEANER), world.device.moves_sent()), (home, 2));
    assert_eq!(uses_left(&world, CLEANER), Some(6));
    let drive = world.engine.view().drives(None).into_iter().find(|drive| drive.element == DRIVE).unwrap();
    assert!(drive.last_cleaned.is_some() && drive.reserved_by.is_none());
    world.assert_true();
}

#[test]
fn a_medium_that_nobody_mounted_makes_way() {
    let stocked =
        Library::new().slots(10).drives(1).cartridge_at(500, "VT0009L8").cleaning_cartridge(CLEANER);
    let mut world = World::ready(stocked.timing(Timing::midrange()).build());
    let id = clean(&mut world);
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 3);
    world.assert_true();
}

#[test]
fn a_mounted_medium_is_waited_for() {
    let mut world = World::ready(library(&[CLEANER]));
    let tape = world.submit(Wanted::Mount {
        cartridge: "VT0001L8".into(),
        drive: Some(DRIVE),
        access: Default::default(),
    });
    world.rest();
    let id = clean(&mut world);
    world.rest();
    assert_eq!(world.state(id), State::Queued, "what is told as waiting is not kept");
    let shown = world.engine.view().request(id).unwrap().state.clone();
    assert_eq!(shown, State::Waiting(Waiting::Drive));
    assert_eq!(world.device.find("VT0001L8"), Some(DRIVE), "a mounted medium is left alone");
    world.dismount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })), "{}", world.state(id));
    assert!(tape.is_ok());
    world.assert_true();
}

#[test]
fn a_cleaning_that_was_put_off_does_not_take_anothers_cleaner_in_the_drive_for_its_own() {
    let mut world = World::ready(library(&[CLEANER]));
    world.device.inject(Fault::lost_reply().without_effect().on_move());
    let first = clean(&mut world);
    let caller = world.caller();
    let wanted = Wanted::CleanDrive { library: None, drive: DRIVE };
    let second = world.submit_as(caller, wanted, |submission| submission.priority = 6).unwrap();
    world.until("the cleaner is in the drive", |world| {
        world.device.find(CLEANER) == Some(DRIVE)
            && world.disk.mounts.is_empty()
            && world
                .disk
                .motions
                .values()
                .any(|motion| motion.request == second && motion.state == MotionState::Moved)
    });
    assert_eq!(world.state(first), State::Queued, "its own move did not happen");
    world.crash();
    world.rest();
    for id in [first, second] {
        assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })), "{}", world.state(id));
    }
    world.assert_true();
}

#[test]
fn without_a_cleaner_a_person_is_asked_until_one_is_put_in() {
    let mut world = World::ready(library(&[CLEANER]));
    world.device.cleaner_lasts(CLEANER, 0);
    let id = clean(&mut world);
    world.rest();
    assert_eq!(world.state(id), State::Waiting(Waiting::Operator));
    let asked = |event: &EventKind| matches!(event, EventKind::OperatorAsked(asked) if matches!(asked.task, OperatorTask::BringCleaner { .. }));
    assert_eq!(world.events.iter().filter(|event| asked(&event.kind)).count(), 1);
    let empty =
        world.device.contents().into_iter().find(|(address, _, held)| address.0 >= 1000 && held.is_none());
    world.device.operator_put_cleaner(empty.unwrap().0, "CLN009L8").unwrap();
    world.submit(autochanger_world::inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })), "{}", world.state(id));
    assert!(world.events.iter().any(|event| matches!(event.kind, EventKind::OperatorDone { .. })));
}

#[test]
fn a_cleaning_that_waits_for_a_person_is_cancelled_and_nothing_is_asked_any_more() {
    let mut world = World::ready(library(&[]));
    let id = clean(&mut world);
    world.rest();
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Cancelled)));
    assert!(matches!(world.state(id), State::Cancelled { .. }));
    assert!(world.engine.view().operator_requests().is_empty());
    assert_eq!(world.device.moves_sent(), 0);
}

#[test]
fn a_drive_that_says_it_was_not_cleaned_fails_the_request_and_gives_the_cleaner_back() {
    let mut world = World::ready(library(&[CLEANER]));
    let home = world.device.find(CLEANER);
    world.device.inject(Fault::sense(SenseKey::MediumError, 0x30, 0x07).on(0x00).lun(1));
    let id = clean(&mut world);
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::DriveFault);
    assert_eq!(world.device.find(CLEANER), home);
    let drive = world.engine.view().drives(None).into_iter().find(|drive| drive.element == DRIVE).unwrap();
    assert_eq!((drive.last_cleaned, drive.blame.faults), (None, 1));
    world.assert_true();
}

#[test]
fn each_moment_of_a_cleaning_has_its_cancel_answer() {
    let at_work = |world: &World| world.device.find(CLEANER) == Some(DRIVE);
    // The move in: the request stops at its end. The cleaner is brought home by a request of its own.
    let mut world = World::ready(library(&[CLEANER]));
    let home = world.device.find(CLEANER);
    let id = clean(&mut world);
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { by: CancelledBy::Session { .. }, .. }));
    assert_eq!(world.device.find(CLEANER), home);
    world.assert_true();
    // The cleaning itself.
    let id = clean(&mut world);
    world.until("the cleaner is in the drive", |world| at_work(world));
    world.wait_until(world.now + Duration::from_secs(20));
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { place: Some(Place::Element(_)), .. }));
    assert_eq!(world.device.find(CLEANER), home);
    world.assert_true();
    // The move back is the last step.
    let sent = world.device.moves_sent();
    let id = clean(&mut world);
    world.until("the move back is sent", |world| world.device.moves_sent() == sent + 2);
    let refused = CancelError::InProgress { id, operation: Operation::CleanDrive };
    assert_eq!(world.cancel(id), Some(Err(refused)));
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })));
    world.assert_true();
}

#[test]
fn a_cleaning_goes_on_after_a_power_loss_at_any_moment_and_counts_one_use() {
    let seconds = Timing::midrange().clean.as_secs() + 120;
    for at in (0..seconds).step_by(3) {
        let mut world = World::ready(library(&[CLEANER]));
        counted(&mut world, CLEANER, 9);
        let home = world.device.find(CLEANER);
        let id = clean(&mut world);
        let moment = world.now + Duration::from_secs(at);
        while world.next_event().is_some_and(|next| next <= moment) {
            world.step();
        }
        world.crash();
        world.rest();
        let state = world.state(id);
        assert!(matches!(state, State::Passed(Outcome::Cleaned { .. })), "crash after {at} s: {state}");
        assert_eq!(uses_left(&world, CLEANER), Some(8), "crash after {at} s");
        assert_eq!(world.device.find(CLEANER), home, "crash after {at} s");
        world.assert_true();
    }
}

#[test]
fn a_drive_is_not_said_to_be_clean_when_what_it_said_of_the_cleaner_was_lost_with_the_power() {
    let mut failed = 0;
    for steps in 0..30 {
        let mut world = World::with(library(&[CLEANER]), |config| config.libraries[0].auto_clean = false);
        world.rest();
        world.device.cleaner_lasts(CLEANER, 0);
        world.device.drive_asks_for_cleaning(DRIVE, false);
        let home = world.device.find(CLEANER);
        let id = clean(&mut world);
        world.until("the cleaner is in the drive", |world| world.device.find(CLEANER) == Some(DRIVE));
        world.disk_held = true;
        for _ in 0..steps {
            world.step();
        }
        world.crash();
        world.rest();
        let state = world.state(id);
        match &state {
            // Another cleaner is waited for.
            State::Waiting(Waiting::Operator) => {}
            State::Failed(failure) => {
                failed += 1;
                assert!(failure.message.ends_with("it asks to be cleaned as before"), "{steps}: {failure}");
            }
            _ => panic!("{steps} steps: {state}"),
        }
        assert!(world.device.asks_for_cleaning(DRIVE));
        assert_eq!(world.device.find(CLEANER), home, "{steps} steps");
        world.assert_true();
    }
    assert!(failed > 0, "none was between the drive's word and the disk");
}

#[test]
fn a_cleaning_that_waits_for_a_person_waits_and_asks_again_after_a_power_loss() {
    let mut world = World::ready(library(&[]));
    let id = clean(&mut world);
    world.rest();
    world.crash();
    world.rest();
    assert_eq!(world.state(id), State::Waiting(Waiting::Operator));
    assert_eq!(world.engine.view().operator_requests().len(), 1);
    world.device.operator_put_cleaner(ElementAddress(1009), CLEANER).unwrap();
    world.submit(autochanger_world::inventory()).unwrap();
    world.rest();
    let cleaned = matches!(world.state(id), State::Passed(Outcome::Cleaned { .. }));
    assert!(cleaned && world.engine.view().operator_requests().is_empty());
}

#[test]
fn a_drive_that_cannot_be_asked_has_its_time_and_gives_the_cleaner_back() {
    let mut world = World::ready(library(&[CLEANER]));
    let home = world.device.find(CLEANER);
    world.device.inject(Fault::not_delivered().lun(1).always());
    let begun = world.now;
    let id = clean(&mut world);
    world.until("it has ended", |world| world.state(id).is_final());
    assert!(matches!(world.state(id), State::Passed(Outcome::Cleaned { .. })), "{}", world.state(id));
    let took = world.now - begun;
    assert!(took >= Duration::from_secs(300) && took < Duration::from_secs(420), "{took:?}");
    assert_eq!(world.device.find(CLEANER), home);
    world.assert_true();
}

#[test]
fn a_cleaning_that_never_ends_is_given_up_after_its_time() {
    let mut timing = Timing::midrange();
    timing.clean = Duration::from_secs(60 * 60);
    let stocked = Library::new().slots(10).drives(1).cleaning_cartridge(CLEANER).timing(timing);
    let mut world = World::ready(stocked.build());
    let begun = world.now;
    let id = clean(&mut world);
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::DriveFault);
    let asked = world.events.iter().filter(|event| matches!(event.kind, EventKind::Fault { .. })).count();
    assert_eq!(asked, 1);
    assert!(world.now - begun >= Duration::from_secs(15 * 60));
    world.assert_true();
}

#[test]
fn a_cleaning_cartridge_is_not_mounted() {
    let mut world = World::ready(library(&[CLEANER]));
    let refused = world.submit(mount(CLEANER));
    let text = refused.unwrap_err().to_string();
    assert!(text.contains(CLEANER) && text.contains("cleaning cartridge"), "{text}");
}
