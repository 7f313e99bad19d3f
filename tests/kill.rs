//! The kill proof: a process that mounts and dismounts on a real target over iSCSI is killed (SIGKILL) in each row of
//! the way that a request's data takes, and started again on the same file.
//!
//! | row | what happens there | how the process is caught there |
//! |---|---|---|
//! | 2 | the accepted request is on its way to the store | its store stops before that commit |
//! | 4 | the intent of a motion is on its way to the store | its store stops before that commit |
//! | 5–7 | the move is at the device, or on its way there or back | a proxy holds the command or its answer |
//! | 8 | the outcome is on its way to the store | its store stops before that commit |
//!
//! After each kill the file is read as it is, the device is asked by another path, and the two are held against each
//! other and against what the process had said: see `proof::Proof::check`. The tests sleep for real where the
//! manager must: that a move did *not* happen can only be known after its time-out.
#![cfg(all(feature = "redb", feature = "iscsi"))]

mod beds;
#[path = "kill/child.rs"]
mod child;
#[path = "store/news.rs"]
mod news;
#[path = "kill/proof.rs"]
mod proof;
#[path = "kill/proxy.rs"]
mod proxy;
#[path = "store/temp.rs"]
mod temp;
#[path = "kill/truth.rs"]
mod truth;

use std::time::Duration;

use news::Row;
use proof::Proof;
use proxy::Fate;

/// How often the process is killed in each row: at least five times, and as often as `AUTOCHANGER_KILLS` says.
fn kills() -> usize {
    let wish = std::env::var("AUTOCHANGER_KILLS").ok().and_then(|kills| kills.parse().ok());
    wish.unwrap_or(0).max(6)
}

#[test]
fn row_2_a_request_whose_acceptance_was_not_durable_was_never_told_and_never_is() {
    child::run_instead_if_this_is_the_child();
    let mut proof = Proof::start();
    for round in 0..kills() {
        let moves = proof.moves();
        let caught = proof.kill_before_commit(Row::Accepted, round % 3);
        for id in &caught.accepted {
            assert!(!proof.was_told(*id), "request {id} was told before it was durable");
            assert_eq!(proof.kept(*id), None, "request {id} is kept though the commit never began");
        }
        assert!(proof.moves() >= moves);
    }
    assert_eq!(proof.kills(), kills());
    proof.finish();
}

#[test]
fn row_4_a_motion_whose_intent_was_not_durable_was_never_sent() {
    child::run_instead_if_this_is_the_child();
    let mut proof = Proof::start();
    for round in 0..kills() {
        let caught = proof.kill_before_commit(Row::Intent, round % 3);
        for (id, sequence) in &caught.intents {
            let motions = proof.motions(*id);
            assert!(motions.iter().all(|motion| motion.sequence != *sequence), "{id}/{sequence} is kept");
            let request = proof.kept(*id).expect("a request with an intent was accepted");
            assert!(!request.state.is_final(), "{request:?}");
        }
    }
    assert_eq!(proof.kills(), kills());
    proof.finish();
}

#[test]
fn rows_5_to_7_a_move_that_was_under_way_is_found_out_about_and_not_sent_again() {
    child::run_instead_if_this_is_the_child();
    let mut proof = Proof::start();
    let fates = [Fate::DoneUnanswered, Fate::Lost, Fate::Late, Fate::LateAfterLook];
    let rounds = 2 * kills();
    for round in 0..rounds {
        proof.kill_in_flight(round % 3, fates[round % fates.len()]);
    }
    assert_eq!(proof.kills(), rounds);
    proof.finish();
}

#[test]
fn row_8_an_outcome_that_was_not_durable_is_found_out_again() {
    child::run_instead_if_this_is_the_child();
    let mut proof = Proof::start();
    for round in 0..kills() {
        let caught = proof.kill_before_commit(Row::Outcome, round % 3);
        for (id, sequence) in &caught.outcomes {
            let motions = proof.motions(*id);
            let motion =
                motions.iter().find(|motion| motion.sequence == *sequence).expect("its intent is kept");
            assert_eq!(motion.state, autochanger::catalog::MotionState::Open, "{motion:?}");
        }
    }
    assert_eq!(proof.kills(), kills());
    proof.finish();
}

/// Between the rows: while it recovers, while it commits, while an answer is on its way.
#[test]
fn a_kill_at_any_moment_loses_nothing_and_moves_nothing_twice() {
    child::run_instead_if_this_is_the_child();
    let mut proof = Proof::start();
    let rounds = 3 * kills();
    for round in 0..rounds {
        // Spread over the time that a start with a recovery takes, by the golden ratio: no two rounds are alike.
        proof.kill_after(Duration::from_millis(round as u64 * 618 % 1000));
    }
    assert_eq!(proof.kills(), rounds);
    proof.finish();
}
