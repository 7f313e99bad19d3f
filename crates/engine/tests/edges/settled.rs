//! Settlements that meet inventories, surveys, clocks and errors: what happened stands, and nothing is proved by less than a proof.

use std::time::Duration;

use autochanger_engine::catalog::MotionState;
use autochanger_engine::command::Completion;
use autochanger_engine::request::{FailureKind, State};
use autochanger_engine::view::LibraryState;
use autochanger_engine::{EventKind, Input};
use autochanger_scsi::{ElementAddress, SenseKey, Status};
use autochanger_sim::{Fault, Hold, Library, Timing};
use autochanger_world::{World, inventory};

use super::{library, slow};

#[test]
fn not_moved_is_believed_only_when_the_motion_time_out_has_passed_since_the_sending() {
    let mut world = World::ready(library(2));
    // The first move's answer comes after 25 of its 30 minutes; the second one's intent is durable all the while.
    let hold = world.device.hold(Hold::opcode(0xA5).after_effect().times(1));
    world.mount("VT0001L8");
    let second = world.mount("VT0002L8");
    assert_eq!(world.device.moves_sent(), 1);
    world.now += Duration::from_secs(25 * 60);
    world.device.inject(Fault::late_effect(Duration::from_secs(10 * 60)).on_move());
    world.device.release(world.now, hold);
    world.input(Input::Tick);
    world.until("the second move is sent", |w| w.device.moves_sent() == 2);
    let sent = world.now;
    world.crash();
    world.until("settled", |w| {
        w.disk.motions.values().any(|m| m.request == second && m.state != MotionState::Open)
    });
    let state = world.disk.motions.values().find(|m| m.request == second).unwrap().state;
    let after = world.now - sent;
    assert!(
        state == MotionState::Moved || after >= Duration::from_secs(30 * 60),
        "{state:?} {after:?} after it was sent"
    );
}

#[test]
fn a_wall_clock_that_is_put_forward_proves_nothing() {
    let mut world = World::ready(library(2));
    world.device.inject(Fault::late_effect(Duration::from_secs(300)).on_move());
    let id = world.mount("VT0001L8");
    assert_eq!(world.device.moves_sent(), 1);
    // The machine restarts; its clock had been wrong by a day and is put right.
    world.wall_ahead = Duration::from_secs(86_400);
    world.crash();
    world.until("settled", |w| w.state(id) != State::InProcess || w.now > Duration::from_secs(2 * 3600));
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
}

#[test]
fn an_inventory_that_is_overtaken_by_a_settlement_does_not_undo_it() {
    for delay in 1..60 {
        let mut world = World::with(slow(), |config| config.libraries[0].max_transfer = 1024);
        world.rest();
        world.device.inject(Fault::late_effect(Duration::from_secs(delay)).on_move());
        let id = world.mount("VT0001L8");
        world.until("it rests in doubt", |w| {
            w.events.iter().any(|e| matches!(e.kind, EventKind::MotionInDoubt { .. }))
        });
        let read = world.submit(inventory()).unwrap();
        world.rest();
        assert!(matches!(world.state(read), State::Passed(_)));
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        let cartridge =
            world.disk.cartridges.values().find(|c| c.barcode.as_deref() == Some("VT0001L8")).unwrap();
        assert_eq!(
            (cartridge.place.to_string(), world.engine.view().mounts().len()),
            (String::from("drive 500"), 1),
            "effect {delay} s later; inventory: {}",
            world.state(read)
        );
        world.assert_true();
    }
}

#[test]
fn a_survey_that_is_overtaken_by_a_settlement_does_not_undo_it() {
    for delay in 1..60 {
        let mut world = World::with(slow(), |config| config.libraries[0].max_transfer = 1024);
        world.rest();
        world.device.inject(Fault::late_effect(Duration::from_secs(delay)).on_move());
        let id = world.mount("VT0001L8");
        world.until("it is in doubt", |w| {
            w.events.iter().any(|e| matches!(e.kind, EventKind::MotionInDoubt { .. }))
        });
        world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(8)));
        world.rest();
        let lost = world.events.iter().any(|e| matches!(&e.kind, EventKind::Library { state, .. } if matches!(**state, LibraryState::NotPresent(_))));
        let cartridge =
            world.disk.cartridges.values().find(|c| c.barcode.as_deref() == Some("VT0001L8")).unwrap();
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        assert_eq!(
            (cartridge.place.to_string(), world.engine.view().mounts().len()),
            (String::from("drive 500"), 1),
            "effect {delay} s later; path lost: {lost}"
        );
        world.assert_true();
    }
}

#[test]
fn a_deferred_error_does_not_prove_that_the_move_was_done() {
    let mut world = World::ready(library(1));
    world.withhold_moves = true;
    let id = world.mount("VT0001L8");
    // 71h: the sense speaks of an earlier command; this one was not carried out (SPC-4 4.5.7).
    let sense = vec![0x71, 0, 0x01, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x17, 0x01, 0, 0, 0, 0];
    world.answer_withheld(Ok(Completion {
        status: Status::CheckCondition,
        sense: sense.into(),
        ..Completion::good()
    }));
    let _ = id;
    world.until("its first move is over", |w| {
        w.disk
            .motions
            .values()
            .any(|m| m.sequence == 1 && m.state != autochanger_engine::catalog::MotionState::Open)
            || w.now > Duration::from_secs(7200)
    });
    let first = world.disk.motions.values().find(|m| m.sequence == 1).unwrap().state;
    assert_ne!(first, autochanger_engine::catalog::MotionState::Moved);
}

#[test]
fn a_settlement_that_the_device_refuses_to_answer_ends() {
    let mut world = World::ready(library(1));
    world.device.inject(Fault::lost_reply().on_move().without_effect());
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(0xB8).always());
    let id = world.mount("VT0001L8");
    world.until("it has ended", |w| w.state(id).is_final() || w.now > Duration::from_secs(7 * 86_400));
    assert!(world.state(id).is_final(), "a week later: {}", world.state(id));
}

#[test]
fn a_move_that_the_device_refused_is_not_of_unknown_outcome() {
    let mut world = World::ready(
        Library::new().slots(10).drives(1).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange()).build(),
    );
    world.device.operator_put(ElementAddress(500), "").unwrap();
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(
        !matches!(world.state(id), State::Failed(ref f) if f.kind == FailureKind::Unknown),
        "{}",
        world.state(id)
    );
}
