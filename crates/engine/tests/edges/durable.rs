//! What happens while something is being written: it is not shown, not undone and not claimed before it is on the disk.

use std::time::Duration;

use autochanger_engine::command::Completion;
use autochanger_engine::id::{RequestId, SessionId, Token};
use autochanger_engine::input::StoreFailure;
use autochanger_engine::request::{CancelAccepted, Request, State, Submission};
use autochanger_engine::{Answer, Input};
use autochanger_scsi::Status;
use autochanger_sim::Fault;
use autochanger_world::{World, dismount, mount};
use uuid::Uuid;

use super::library;

fn given(world: &World, id: RequestId, barcode: &str) -> Submission {
    Submission {
        id,
        id_given: true,
        caller: world.caller(),
        wanted: mount(barcode),
        priority: 0,
        deadline: None,
        detached: false,
        options: Default::default(),
    }
}

#[test]
fn an_adoption_while_the_end_is_being_written_does_not_undo_the_end() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    let id = world.mount("VT0002L8");
    world.rest();
    world.disk_held = true;
    assert_eq!(world.cancel(id), None, "its end is being written");
    let token = Token(9000);
    let caller = world.caller();
    world.input(Input::Adopt { token, caller, id });
    world.release_disk();
    assert!(matches!(world.state(id), State::Cancelled { .. }), "{}", world.state(id));
}

#[test]
fn a_repeat_that_comes_while_the_end_is_written_is_answered_with_the_end() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    let id = RequestId(Uuid::from_u128(77));
    let submission = given(&world, id, "VT0002L8");
    world.input(Input::Submit { token: Token(900), submission });
    world.rest();
    assert!(matches!(world.answers.remove(&900), Some(Answer::Submitted(Ok(_)))));
    world.disk_held = true;
    world.cancel(id);
    let submission = given(&world, id, "VT0002L8");
    world.input(Input::Submit { token: Token(901), submission });
    world.release_disk();
    match world.answers.remove(&901) {
        Some(Answer::Submitted(Ok(Request { state, .. }))) => {
            assert!(state.is_final(), "answered as {state}, after its end was told: no event will follow");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unload_is_sent_only_when_it_is_durable_that_a_step_was_sent() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    world.disk_held = true;
    let id = world.submit(dismount("VT0001L8")).unwrap();
    // The acceptance reaches the disk; what follows does not.
    let (batch, changes) = world.stalled.pop_front().unwrap();
    world.disk.commit(changes);
    world.input(Input::Persisted { batch, result: Ok(()) });
    let unloads = |w: &World| w.device.log().filter(|e| e.unit.lun == 1 && e.cdb()[0] == 0x1B).count();
    world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(60)));
    world.crash();
    let unloaded = unloads(&world);
    let answer = world.cancel(id);
    assert!(
        unloaded == 0 || answer != Some(Ok(CancelAccepted::Cancelled)),
        "{unloaded} UNLOAD sent, and the cancel says {answer:?}"
    );
}

#[test]
fn a_request_whose_id_was_looked_up_is_not_accepted_for_a_session_that_was_closed_meanwhile() {
    let mut world = World::ready(library(1));
    let id = RequestId(Uuid::from_u128(77));
    let submission = given(&world, id, "VT0002L8");
    // The store is slow: drive the engine by hand.
    let now = autochanger_engine::time::Now {
        monotonic: world.now,
        wall: autochanger_engine::time::WallTime(1_767_225_600_000),
    };
    world.engine.handle(Input::Submit { token: Token(900), submission }, now);
    let lookup = loop {
        match world.engine.poll_output().unwrap() {
            autochanger_engine::Output::Lookup { token, .. } => break token,
            _ => continue,
        }
    };
    world.input(Input::CloseSession { token: Token(901), session: SessionId(1) });
    assert!(matches!(world.answers.remove(&901), Some(Answer::SessionClosed { cancelled: 0 })));
    world.input(Input::Found { token: lookup, result: Ok(None) });
    world.rest();
    assert_eq!(world.device.moves_sent(), 0, "a closed session's mount was carried out");
}

#[test]
fn adoptions_that_wait_for_the_store_are_bounded() {
    let mut world = World::ready(library(1));
    let now = autochanger_engine::time::Now {
        monotonic: world.now,
        wall: autochanger_engine::time::WallTime(1_767_225_600_000),
    };
    let mut asked = 0;
    for n in 0..1000 {
        let caller = world.caller();
        let id = RequestId(Uuid::from_u128(5000 + n));
        world.engine.handle(Input::Adopt { token: Token(5000 + n as u64), caller, id }, now);
        while let Some(output) = world.engine.poll_output() {
            asked += usize::from(matches!(output, autochanger_engine::Output::Lookup { .. }));
        }
    }
    assert!(asked <= 16, "{asked} look-ups wait, max_pending_cancels is 16");
}

#[test]
fn closing_a_session_while_the_store_fails_claims_nothing() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    let id = world.mount("VT0002L8");
    world.disk_held = true;
    world.input(Input::CloseSession { token: Token(900), session: SessionId(1) });
    let (batch, _) = world.stalled.pop_front().unwrap();
    world.input(Input::Persisted { batch, result: Err(StoreFailure("no space".into())) });
    assert!(!world.state(id).is_final());
    assert!(
        !matches!(world.answers.remove(&900), Some(Answer::SessionClosed { cancelled: 1 })),
        "told as cancelled"
    );
}

#[test]
fn what_is_not_durable_is_not_shown() {
    let mut world = World::ready(library(1));
    world.disk_held = true;
    let id = world.submit(mount("VT0001L8")).unwrap();
    assert!(world.engine.view().request(id).is_none(), "shown, and gone after a crash");
}

#[test]
fn an_old_intent_that_becomes_durable_does_not_send_the_next_one() {
    let mut world = World::ready(library(3));
    world.withhold_moves = true;
    let first = world.mount("VT0001L8");
    assert_eq!(world.withheld.len(), 1);
    world.disk_held = true;
    let second = world.submit(mount("VT0002L8")).unwrap();
    // The acceptance reaches the disk; the intent (the first of `second`) is on its way.
    let (batch, changes) = world.stalled.pop_front().unwrap();
    world.disk.commit(changes);
    world.input(Input::Persisted { batch, result: Ok(()) });
    let intent = world.stalled.pop_front().unwrap();
    assert!(
        matches!(&intent.1[..], c if c.iter().any(|c| matches!(c, autochanger_engine::Change::Motion(m) if m.request == second && m.sequence == 1)))
    );
    // The arm's move is refused with an attention: the intent is taken back, everything is read, it is intended anew.
    let sense = vec![0x70, 0, 0x06, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x28, 0x00, 0, 0, 0, 0];
    world.answer_withheld(Ok(Completion {
        status: Status::CheckCondition,
        sense: sense.into(),
        ..Completion::good()
    }));
    let again = |w: &World| {
        w.stalled.iter().flat_map(|(_, c)| c).any(
            |c| matches!(c, autochanger_engine::Change::Motion(m) if m.request == second && m.sequence == 2),
        )
    };
    world.until("it is intended again", |w| again(w));
    let moves = world.device.moves_sent();
    let (batch, changes) = intent;
    world.disk.commit(changes);
    world.input(Input::Persisted { batch, result: Ok(()) });
    let _ = first;
    let durable = world.disk.motions.contains_key(&(second, 2));
    assert!(
        world.device.moves_sent() == moves || durable,
        "a MOVE was sent and its intent is not durable; on the disk: {:?}; on its way: {:?}",
        world.disk.motions.values().filter(|m| m.request == second).collect::<Vec<_>>(),
        world.stalled,
    );
}
