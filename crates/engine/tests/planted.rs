//! The checkers are checked: each planted bug is found by the checker that is there for it, within so many stories.

use std::collections::BTreeSet;

use autochanger_world::{Bug, Telling, draw, shrink, tell, tell_all};

/// Acts in one story, as in `world.rs`.
const ACTS: usize = 120;

/// The first story of the seeds from 0 that finds the bug: its seed, and who found it.
fn found(bug: Bug, within: u64) -> Option<(u64, &'static str, String)> {
    let telling = Telling { bug: Some(bug), ..Telling::default() };
    (0..within).find_map(|seed| {
        let violation = tell(&draw(seed, ACTS), telling).err()?;
        Some((seed, violation.checker, violation.what))
    })
}

/// `within` is about four times the first seed that finds it, and 4 at least: a change of the engine shifts the stories.
#[track_caller]
fn is_found(bug: Bug, checker: &str, within: u64) {
    match found(bug, within) {
        Some((seed, by, what)) => {
            assert_eq!(by, checker, "{bug:?} was found by another, seed {seed}: {what}")
        }
        None => panic!("{bug:?} is not found in {within} stories"),
    }
}

#[test]
fn a_move_that_is_sent_twice_is_found() {
    is_found(Bug::MoveSentTwice, "intents", 4);
}

#[test]
fn an_intent_that_is_not_journaled_is_found() {
    is_found(Bug::IntentNotJournaled, "intents", 16);
}

#[test]
fn not_moved_concluded_from_one_look_is_found() {
    is_found(Bug::NotMovedAfterOneLook, "truth", 76);
}

#[test]
fn a_cancel_that_lies_is_found() {
    is_found(Bug::CancelThatLies, "cancels", 92);
}

#[test]
fn a_lost_wake_up_is_found() {
    is_found(Bug::LostWakeUp, "waits", 8);
}

#[test]
fn an_unbounded_retry_is_found() {
    is_found(Bug::UnboundedRetry, "bounds", 176);
}

#[test]
fn a_medium_in_two_places_is_found() {
    // Where something is moved on from the wrong place, the conclusion of that motion is wrong before the catalogue is.
    let telling = Telling { bug: Some(Bug::MediumInTwoPlaces), ..Telling::default() };
    let by: BTreeSet<&str> =
        (0..64).filter_map(|seed| Some(tell(&draw(seed, ACTS), telling).err()?.checker)).collect();
    assert!(by.contains("places") && by.iter().all(|by| ["places", "truth"].contains(by)), "{by:?}");
}

#[test]
fn an_outcome_that_changes_is_found() {
    is_found(Bug::OutcomeThatChanges, "outcomes", 96);
}

#[test]
fn a_reservation_that_is_never_freed_is_found() {
    is_found(Bug::ReservationNeverFreed, "calm", 64);
}

#[test]
fn a_verdict_told_before_it_is_durable_is_found() {
    is_found(Bug::VerdictBeforeDurable, "durable", 4);
}

#[test]
fn one_command_too_many_in_flight_is_found() {
    is_found(Bug::OneTooManyInFlight, "bounds", 4);
}

#[test]
fn a_stop_that_is_forgotten_is_found() {
    is_found(Bug::StopThatIsForgotten, "cancels", 44);
}

#[test]
fn a_medium_that_a_failed_group_leaves_in_a_drive_is_found() {
    is_found(Bug::GroupLeftInDrive, "truth", 3476);
}

#[test]
fn a_cartridge_of_whose_new_place_nobody_is_told_is_found() {
    is_found(Bug::PlaceNotTold, "told", 4);
}

#[test]
fn a_task_of_whose_end_nobody_is_told_is_found() {
    is_found(Bug::TaskNotWithdrawn, "told", 12);
}

#[test]
fn a_wake_up_that_is_not_passed_on_is_found() {
    is_found(Bug::WakeNotPassedOn, "waits", 1_960);
}

#[test]
fn a_drive_that_is_not_looked_for_again_is_found() {
    is_found(Bug::DriveNotLookedFor, "calm", 8);
}

#[test]
fn a_pause_that_is_forgotten_is_found() {
    is_found(Bug::PauseThatIsForgotten, "service", 1_360);
}

#[test]
fn a_story_that_fails_is_made_shorter_and_fails_in_the_same_way() {
    let telling = Telling { bug: Some(Bug::UnboundedRetry), ..Telling::default() };
    let (seed, checker, _) = found(Bug::UnboundedRetry, 176).expect("a story that fails");
    let story = draw(seed, ACTS);
    let shorter = shrink(&story, telling);
    let violation = tell(&shorter, telling).expect_err("the shorter story fails, too");
    assert_eq!(violation.checker, checker);
    // A mount, what makes it fail for ever, and time: with a few acts that cannot be spared.
    assert!(shorter.acts.len() <= 12, "{shorter}");
}

#[test]
fn a_run_that_fails_names_its_smallest_seed_and_shows_what_was_seen_last() {
    let telling = Telling { bug: Some(Bug::CancelThatLies), ..Telling::default() };
    let (seed, checker, _) = found(Bug::CancelThatLies, 92).expect("a story that fails");
    let failed = tell_all(0..92, ACTS, telling, |_, _| true).expect_err("one story fails");
    let (violation, story) = *failed;
    assert_eq!((violation.seed, violation.checker, story.seed), (Some(seed), checker, seed));
    assert!(story.acts.len() < ACTS);
    let shown = violation.to_string();
    assert!(shown.contains(&format!("seed {seed}")) && shown.contains("commit"), "{shown}");
}
