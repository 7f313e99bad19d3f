//! Places where two things meet: hands and motions, an end and a question, a survey and a settlement.

use std::time::Duration;

use autochanger_engine::catalog::{Caller, MotionState, Role};
use autochanger_engine::command::{Completion, PathFault, PathFaultKind, TransportError};
use autochanger_engine::id::{RequestId, SessionId, Token};
use autochanger_engine::input::{ConfiguredDrive, StoreFailure};
use autochanger_engine::request::{
    Access, Cancellation, CartridgeRef, FailureKind, Place, Request, State, Submission, Wanted,
};
use autochanger_engine::view::LibraryState;
use autochanger_engine::{Answer, EventKind, Input};
use autochanger_scsi::{ElementAddress, SenseKey, Status};
use autochanger_sim::{Device, Fault, Hold, Library, Timing};
use autochanger_world::{World, dismount, inventory, mount};
use uuid::Uuid;

fn library(drives: u16) -> Device {
    Library::new()
        .slots(10)
        .drives(drives)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

fn in_drive(world: &World, drive: u16) -> Option<String> {
    let contents = world.device.contents();
    contents.into_iter().find(|(address, ..)| address.0 == drive).and_then(|(_, _, barcode)| barcode)
}

/// A cartridge is left in the drive without a mount: its mount was stopped behind its move.
fn strand(world: &mut World, barcode: &str) {
    let id = world.mount(barcode);
    world.until("it is in a drive", |world| {
        world.device.find(barcode).is_some_and(|at| (500..600).contains(&at.0))
    });
    let _ = world.cancel(id);
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
}

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

/// Every command takes a second, as with a changer behind a slow bus.
fn slow() -> Device {
    let mut timing = Timing::midrange();
    timing.command = Duration::from_secs(1);
    Library::new().slots(60).drives(2).ports(2).cartridges("VT{:04}L8", 1..=6).timing(timing).build()
}

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
fn a_prepared_move_is_not_sent_for_another_cartridge_after_a_lost_path() {
    let mut world = World::ready(library(3));
    world.withhold_moves = true;
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    let slot = world.device.find("VT0002L8").unwrap();
    let other = world.device.find("VT0003L8").unwrap();
    // The first is answered with "not sent": the library is identified and surveyed anew. Hands were there meanwhile.
    world.device.operator_swap(slot, other).unwrap();
    world.deny_withheld();
    world.rest();
    for mount in world.engine.view().mounts() {
        assert_eq!(
            mount.barcode.as_deref(),
            in_drive(&world, mount.drive.0).as_deref(),
            "what is in {}",
            mount.drive
        );
    }
}

#[test]
fn a_prepared_move_is_not_sent_for_another_cartridge_when_a_look_heard_of_the_hands() {
    let mut world = World::ready(library(2));
    world.device.inject(Fault::lost_reply().on_move().after_effect());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    let slot = world.device.find("VT0002L8").unwrap();
    let other = world.device.find("VT0003L8").unwrap();
    world.device.operator_swap(slot, other).unwrap();
    world.rest();
    let contents = world.device.contents();
    for mount in world.engine.view().mounts() {
        let held = contents.iter().find(|(a, ..)| *a == mount.drive).and_then(|(_, _, b)| b.clone());
        assert_eq!(mount.barcode.as_deref(), held.as_deref(), "what is in {}", mount.drive);
    }
    world.assert_true();
}

#[test]
fn a_displacing_dismount_never_takes_a_medium_that_was_mounted_meanwhile() {
    let mut world = World::ready(library(1));
    strand(&mut world, "VT0001L8");
    world.disk_held = true;
    let other = world.submit(mount("VT0002L8")).unwrap();
    let same = world.submit(mount("VT0001L8")).unwrap();
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(same), State::Passed(_)), "{}", world.state(same));
    let mounts: Vec<_> = world.engine.view().mounts().into_iter().filter_map(|m| m.barcode).collect();
    assert_eq!(mounts.iter().map(|b| &**b).collect::<Vec<_>>(), ["VT0001L8"], "{}", world.state(other));
}

#[test]
fn a_dismount_handed_in_during_a_mount_does_not_take_the_medium_from_its_owner() {
    let mut world = World::ready(library(1));
    let mounted = world.mount("VT0001L8");
    let other = Caller { session: SessionId(2), application: "other".into(), role: Role::Operator };
    let taken = world.submit_as(other, dismount("VT0001L8"), |_| {});
    world.rest();
    assert!(matches!(world.state(mounted), State::Passed(_)), "{}", world.state(mounted));
    assert_eq!(
        world.engine.view().mounts().len(),
        1,
        "{taken:?}: {:?}",
        taken.as_ref().map(|id| world.state(*id))
    );
}

#[test]
fn a_cartridge_without_a_label_is_the_same_one_after_a_restart() {
    let device = Library::new().slots(4).drives(1).unlabelled_at(1000).timing(Timing::midrange()).build();
    let mut world = World::ready(device);
    let before = world.engine.view().cartridges(None);
    assert_eq!(before.len(), 1);
    let id = world
        .submit(Wanted::Mount {
            cartridge: CartridgeRef::Id(before[0].id),
            drive: None,
            access: Access::ReadWrite,
        })
        .unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.crash();
    world.rest();
    let after = world.engine.view().cartridges(None);
    assert_eq!(after.len(), 1, "no other cartridge was made of it");
    assert!(matches!(after[0].place, Place::Element(_)));
    assert_eq!(world.engine.view().mounts().len(), 1, "its mount is durable");
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
fn a_drive_that_its_first_waiter_cannot_use_goes_to_the_next() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    let drive = Some(ElementAddress(500));
    let named = Wanted::Mount { cartridge: "VT0002L8".into(), drive, access: Access::ReadWrite };
    let gone = world.submit(named).unwrap();
    let any = world.mount("VT0003L8");
    world.rest();
    let slot = world.device.find("VT0002L8").unwrap();
    world.device.operator_take(slot).unwrap();
    let read = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(read), State::Passed(_)));
    world.dismount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(gone), State::Failed(_)), "{}", world.state(gone));
    assert!(matches!(world.state(any), State::Passed(_)), "{:?}", world.engine.view().request(any));
}

#[test]
fn a_full_house_still_frees_its_drives() {
    let mut world = World::with(library(1), |config| config.max_live_requests = 2);
    world.rest();
    strand(&mut world, "VT0001L8");
    world.disk_held = true;
    let first = world.submit(mount("VT0002L8")).unwrap();
    let second = world.submit(mount("VT0003L8")).unwrap();
    world.release_disk();
    world.rest();
    let _ = world.cancel(second);
    world.rest();
    assert!(matches!(world.state(first), State::Passed(_)), "{}", world.state(first));
}

#[test]
fn a_slot_that_a_survey_finds_empty_is_given_to_who_waits() {
    let device = Library::new()
        .slots(3)
        .drives(1)
        .ports(0)
        .cartridges("VT{:04}L8", 1..=3)
        .timing(Timing::midrange())
        .build();
    let mut world = World::ready(device);
    let home = world.device.find("VT0001L8").unwrap();
    world.mount("VT0001L8");
    world.rest();
    world.device.operator_put(home, "VT0009L8").unwrap();
    let read = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(read), State::Passed(_)));
    let down = world.dismount("VT0001L8");
    world.rest();
    assert_eq!(
        world.engine.view().request(down).map(|r| r.state.to_string()).as_deref(),
        Some("waiting for a slot")
    );
    // An inventory loses its path; hands empty the slot meanwhile; the library is surveyed anew.
    world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(60)));
    let _ = world.submit(inventory());
    world.until("lost", |w| matches!(&*w.engine.view().libraries()[0].state, LibraryState::NotPresent(_)));
    world.device.operator_take(home).unwrap();
    world.rest();
    assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
    assert!(
        matches!(world.state(down), State::Passed(_)),
        "{:?}",
        world.engine.view().request(down).map(|r| r.state)
    );
}

#[test]
fn a_drive_that_an_inventory_finds_loaded_is_freed_for_who_waits() {
    let mut device = library(1);
    // The bay says that its drive is off.
    device.inject(Fault::exception(ElementAddress(500), 0x83, 0x04));
    let mut world = World::ready(device);
    let id = world.mount("VT0001L8");
    world.rest();
    assert_eq!(
        world.engine.view().request(id).map(|r| r.state.to_string()).as_deref(),
        Some("waiting for a drive")
    );
    // Somebody switches it on and leaves a cartridge in it.
    world.device.repair(ElementAddress(500));
    world.device.operator_put(ElementAddress(500), "VT0009L8").unwrap();
    let read = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(read), State::Passed(_)));
    assert!(
        matches!(world.state(id), State::Passed(_)),
        "{:?}",
        world.engine.view().request(id).map(|r| r.state)
    );
}

#[test]
fn the_cancel_of_a_displacement_wakes_who_waits_for_its_medium() {
    let mut world = World::with(library(2), |c| c.libraries[0].unload_before_move = false);
    world.rest();
    let id = world.mount("VT0001L8");
    world.until("in", |w| w.device.find("VT0001L8").is_some_and(|a| a.0 >= 500 && a.0 < 600));
    let _ = world.cancel(id);
    world.rest();
    world.mount("VT0002L8");
    world.rest();
    // VT0001L8 is idle in one drive; it is wanted in the other one, which is taken by VT0002L8.
    let here = world.device.find("VT0001L8").unwrap();
    let other = if here.0 == 500 { 501 } else { 500 };
    world.disk_held = true;
    let want = world
        .submit(Wanted::Mount {
            cartridge: "VT0001L8".into(),
            drive: Some(ElementAddress(other)),
            access: Access::ReadWrite,
        })
        .unwrap();
    let (b, c) = world.stalled.pop_front().unwrap();
    world.disk.commit(c);
    world.input(Input::Persisted { batch: b, result: Ok(()) });
    // The displacement is being accepted; an administrator cancels it.
    let own = world
        .stalled
        .iter()
        .flat_map(|(_, changes)| changes)
        .find_map(|change| match change {
            autochanger_engine::Change::Request(request) if &*request.application == "autochanger" => {
                Some(request.id)
            }
            _ => None,
        })
        .unwrap();
    let admin = Caller { session: SessionId(3), application: "admin".into(), role: Role::Administrator };
    let token = Token(777);
    world.input(Input::Cancel { token, caller: admin, id: own, reason: None });
    world.release_disk();
    world.rest();
    world.dismount("VT0002L8");
    world.rest();
    assert!(
        matches!(world.state(want), State::Passed(_)),
        "{:?}",
        world.engine.view().request(want).map(|r| r.state)
    );
}

#[test]
fn a_library_that_answers_again_after_one_failed_command_is_used_again() {
    let mut world = World::ready(library(1));
    world.withhold_moves = true;
    world.withhold_opcode = 0xB8;
    let _ = world.submit(inventory()).unwrap();
    // iSCSI response 01h, target failure: see src/transport/iscsi/fault.rs, `of_failure`.
    world.answer_withheld(Err(TransportError::OutcomeUnknown(PathFault {
        kind: PathFaultKind::Protocol,
        device: "iscsi:".into(),
        detail: "the target could not carry the command through (iSCSI response 0x01)".into(),
    })));
    world.rest();
    assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
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
fn a_device_that_raises_attentions_as_it_is_read_does_not_keep_requests_for_ever() {
    let mut timing = Timing::midrange();
    timing.command = Duration::from_secs(1);
    let mut world = World::ready(
        Library::new().slots(10).drives(1).cartridges("VT{:04}L8", 1..=6).timing(timing).build(),
    );
    world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
    let id = world.mount("VT0001L8");
    let hour = world.now + Duration::from_secs(3600);
    while world.now < hour && !world.state(id).is_final() {
        if world.device.pending_faults() == 0 {
            world.device.inject(Fault::sense(SenseKey::UnitAttention, 0x28, 0x00).on(0xB8).after(1));
        }
        if !world.step() {
            break;
        }
    }
    let reads = world.device.log().filter(|e| e.cdb()[0] == 0xB8).count();
    assert!(
        world.state(id).is_final(),
        "after an hour: {}; {reads} reads, {} moves",
        world.state(id),
        world.device.moves_sent()
    );
}

#[test]
fn hands_that_come_while_the_library_is_surveyed_are_seen() {
    for at in 0..12 {
        let mut world = World::new(slow());
        for _ in 0..at {
            world.step();
        }
        if matches!(&*world.engine.view().libraries()[0].state, LibraryState::Ready) {
            break;
        }
        let (a, b) = (world.device.find("VT0001L8").unwrap(), world.device.find("VT0002L8").unwrap());
        world.device.operator_swap(a, b).unwrap();
        world.rest();
        world.assert_true();
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
        unloaded == 0 || answer != Some(Ok(Cancellation::Cancelled)),
        "{unloaded} UNLOAD sent, and the cancel says {answer:?}"
    );
}

#[test]
fn a_mount_whose_move_was_never_sent_is_cancelled_not_stopped_also_after_a_restart() {
    let mut world = World::ready(library(1));
    world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(60)));
    let id = world.mount("VT0001L8");
    assert_eq!(world.device.moves_sent(), 0);
    world.crash();
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Cancelled)));
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
fn a_configured_drive_that_was_away_at_the_survey_is_still_waited_for() {
    let mut device = library(1);
    device.inject(Fault::not_delivered().lun(1).lasting(Duration::from_secs(20)));
    let mut world = World::with(device, |config| {
        config.libraries[0]
            .drives
            .push(ConfiguredDrive { element: Some(ElementAddress(500)), assumed: false });
    });
    world.rest();
    world.now += Duration::from_secs(60);
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert!(
        world.engine.view().mounts()[0].device.is_some(),
        "the mount passed without the drive being asked, and has no way to it"
    );
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
fn a_reservation_conflict_is_not_told_as_a_lost_path() {
    let mut world = World::ready(library(1));
    world.device.inject(Fault::status(Status::ReservationConflict).on_move().times(5));
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(
        !matches!(world.state(id), State::Failed(ref f) if f.kind == FailureKind::PathLost),
        "{}",
        world.state(id)
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

#[test]
fn an_open_dismount_of_an_earlier_process_does_not_end_the_mount_before_it_is_settled() {
    for policy in [
        autochanger_engine::input::RestartPolicy::Resume,
        autochanger_engine::input::RestartPolicy::CancelUnfinished,
    ] {
        let mut world = World::ready(library(1));
        world.mount("VT0001L8");
        world.rest();
        world.withhold_moves = true;
        let down = world.dismount("VT0001L8");
        world.until("the dismount's move is with the transport", |w| w.withheld.len() == 1);
        world.withhold_moves = false;
        world.withheld.clear();
        world.crash_with(|c| c.restart = policy);
        world.until("ready", |w| *w.engine.view().libraries()[0].state == LibraryState::Ready);
        let early = world.engine.view().mounts().len();
        world.rest();
        let place = in_drive(&world, 500);
        let mounts = world.engine.view().mounts().len();
        assert_eq!(
            (early, mounts),
            (1, usize::from(place.is_some())),
            "{policy:?}: dismount {}; in the drive: {place:?}",
            world.state(down)
        );
    }
}

#[test]
fn a_mount_whose_deadline_passed_while_it_was_settled_after_a_restart_ends() {
    let mut world = World::ready(library(1));
    world.withhold_moves = true;
    let caller = world.caller();
    let id =
        world.submit_as(caller, mount("VT0001L8"), |s| s.deadline = Some(Duration::from_secs(600))).unwrap();
    world.withhold_moves = false;
    world.withheld.clear();
    // The way to the drive is away.
    world.device.inject(Fault::not_delivered().lun(1).lasting(Duration::from_secs(86_400)));
    world.crash();
    world.rest();
    assert!(world.state(id).is_final(), "{}", world.engine.view().request(id).unwrap().state);
}

#[test]
fn hands_of_which_a_settlement_hears_while_the_library_is_surveyed_are_seen() {
    let mut wrong = Vec::new();
    for at in 0..60 {
        let mut world = World::new(slow());
        world.rest();
        world.device.inject(Fault::late_effect(Duration::from_secs(1200)).on_move());
        world.mount("VT0001L8");
        world.until("in doubt", |w| {
            w.events.iter().any(|e| matches!(e.kind, EventKind::MotionInDoubt { .. }))
        });
        world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(8)));
        world
            .until("lost", |w| matches!(&*w.engine.view().libraries()[0].state, LibraryState::NotPresent(_)));
        for _ in 0..at {
            world.step();
        }
        if matches!(&*world.engine.view().libraries()[0].state, LibraryState::Ready) {
            break;
        }
        let (a, b) = (world.device.find("VT0002L8").unwrap(), world.device.find("VT0003L8").unwrap());
        world.device.operator_swap(a, b).unwrap();
        world.rest();
        let place = |l: &str| {
            world
                .disk
                .cartridges
                .values()
                .find(|c| c.barcode.as_deref() == Some(l))
                .unwrap()
                .place
                .to_string()
        };
        if place("VT0002L8") == place("VT0003L8") || !place("VT0002L8").contains(&b.0.to_string()) {
            wrong.push((at, place("VT0002L8"), place("VT0003L8"), a, b));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn nothing_is_unloaded_after_a_stop() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    world.disk_held = true;
    let _ = world.submit(dismount("VT0001L8")).unwrap();
    let (batch, changes) = world.stalled.pop_front().unwrap();
    world.disk.commit(changes);
    world.input(Input::Persisted { batch, result: Ok(()) });
    let unloads = |w: &World| w.device.log().filter(|e| e.unit.lun == 1 && e.cdb()[0] == 0x1B).count();
    world.input(Input::Stop);
    world.release_disk();
    world.rest();
    assert_eq!(unloads(&world), 0);
}

/// An unlabelled medium is mounted, and a mount waits for its drive: both exchange.
fn unlabelled_exchange(world: &mut World) -> (RequestId, RequestId) {
    world.rest();
    let plain = world.engine.view().cartridges(None).into_iter().find(|c| c.barcode.is_none()).unwrap().id;
    world
        .submit(Wanted::Mount { cartridge: CartridgeRef::Id(plain), drive: None, access: Access::ReadWrite })
        .unwrap();
    world.rest();
    let waiting = world.mount("VT0001L8");
    let down = world
        .submit(Wanted::Dismount { cartridge: CartridgeRef::Id(plain), slot: None, force: false })
        .unwrap();
    (down, waiting)
}

fn unlabelled_library() -> Device {
    Library::new()
        .slots(6)
        .drives(1)
        .cartridges("VT{:04}L8", 1..=2)
        .unlabelled_at(1004)
        .timing(Timing::midrange())
        .build()
}

#[test]
fn an_exchange_that_did_nothing_loses_no_cartridge_beside_an_unlabelled_one() {
    let mut device = unlabelled_library();
    device.inject(Fault::sense(SenseKey::AbortedCommand, 0x44, 0x00).on(0xA6));
    let mut world = World::with(device, |c| c.libraries[0].exchange = true);
    let (down, waiting) = unlabelled_exchange(&mut world);
    world.rest();
    assert!(world.device.log().any(|e| e.opcode() == Some(0xA6)));
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
}

#[test]
fn an_exchange_that_was_not_sent_before_a_crash_leaves_both_as_unstarted_beside_an_unlabelled_one() {
    let mut world = World::with(unlabelled_library(), |c| c.libraries[0].exchange = true);
    world.withhold_opcode = 0xA6;
    let (down, waiting) = unlabelled_exchange(&mut world);
    world.withhold_moves = true;
    world.until("with the transport", |w| !w.withheld.is_empty());
    world.withhold_moves = false;
    world.withheld.clear();
    world.crash();
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(!world.state(waiting).is_final(), "{}", world.state(waiting));
}

/// Two mounted, a third waiting for a drive; one is dismounted by an exchange, which was sent.
fn exchanging(device: Device) -> (World, RequestId, RequestId) {
    let mut world = World::with(device, |config| config.libraries[0].exchange = true);
    world.rest();
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let waiting = world.mount("VT0003L8");
    let down = world.dismount("VT0001L8");
    world.until("the exchange is sent", |w| w.device.moves_sent() == 3);
    (world, down, waiting)
}

#[test]
fn a_crash_between_the_two_settlements_of_an_exchange_loses_no_cartridge() {
    for delay in 60..70 {
        let mut device = slow();
        device.inject(Fault::late_effect(Duration::from_secs(delay)).on(0xA6));
        let (mut world, down, waiting) = exchanging(device);
        world.crash();
        let state = |w: &World, id: RequestId| {
            w.disk.motions.values().filter(|m| m.request == id).max_by_key(|m| m.sequence).unwrap().state
        };
        world.until("one is settled", |w| {
            state(w, waiting) != MotionState::Open || state(w, down) != MotionState::Open
        });
        world.crash();
        world.rest();
        assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
        assert!(
            matches!(world.state(waiting), State::Passed(_)),
            "late by {delay} s: {:?}",
            world.engine.view().request(waiting).map(|r| r.state)
        );
        world.assert_true();
    }
}

#[test]
fn an_exchange_is_not_believed_to_have_done_nothing_before_its_own_time_out() {
    // Its command has the time of two motions: an hour. It happens within that.
    let mut device = library(2);
    device.inject(Fault::late_effect(Duration::from_secs(45 * 60)).on(0xA6));
    let (mut world, down, waiting) = exchanging(device);
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(
        matches!(world.state(waiting), State::Passed(_)),
        "{:?}",
        world.engine.view().request(waiting).map(|r| r.state)
    );
    assert_eq!(world.device.moves_sent(), 3, "sent twice");
    world.assert_true();
}

#[test]
fn a_medium_whose_drive_an_earlier_dismount_still_holds_is_given_to_who_waits_for_it() {
    for delay in 60..70 {
        let mut device = slow();
        device.inject(Fault::late_effect(Duration::from_secs(delay)).on(0xA6));
        let (mut world, _, _) = exchanging(device);
        world.crash_with(|c| c.restart = autochanger_engine::input::RestartPolicy::CancelUnfinished);
        world.until("ready", |w| *w.engine.view().libraries()[0].state == LibraryState::Ready);
        let id = world.mount("VT0003L8");
        world.rest();
        assert!(
            matches!(world.state(id), State::Passed(_)),
            "late by {delay} s: {:?}; in drive 500: {:?}",
            world.engine.view().request(id).map(|r| r.state),
            in_drive(&world, 500)
        );
    }
}

#[test]
fn a_dismount_that_must_unload_first_does_not_wait_for_the_slot_that_it_holds_itself() {
    let device =
        Library::new().slots(3).drives(1).cartridges("VT{:04}L8", 1..=2).timing(Timing::midrange()).build();
    let mut world = World::with(device, |c| c.libraries[0].unload_before_move = false);
    world.rest();
    let home = world.device.find("VT0001L8").unwrap();
    world.mount("VT0001L8");
    world.rest();
    // Hands fill its home; one other slot is empty.
    world.device.operator_put(home, "VT0009L8").unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    world.device.inject(Fault::sense(SenseKey::IllegalRequest, 0x3A, 0x00).on_move());
    let down = world.dismount("VT0001L8");
    world.rest();
    assert!(
        matches!(world.state(down), State::Passed(_)),
        "{:?}",
        world.engine.view().request(down).map(|r| r.state)
    );
}
