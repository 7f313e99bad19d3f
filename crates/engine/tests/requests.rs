//! Requests from their acceptance to their end, on a simulated library in virtual time.

use std::time::Duration;

use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::command::{PathFault, PathFaultKind, TransportError};
use autochanger_engine::id::{RequestId, SessionId};
use autochanger_engine::output::SubmitError;
use autochanger_engine::request::{
    CancelError, Cancellation, FailureKind, Outcome, Place, State, Waiting, Wanted,
};
use autochanger_engine::view::LibraryState;
use autochanger_engine::{Answer, Input};
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, dismount, inventory, mount};
use uuid::Uuid;

fn library() -> Device {
    Library::new()
        .slots(10)
        .drives(2)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

fn other(role: Role) -> Caller {
    Caller { session: SessionId(2), application: "other".into(), role }
}

#[test]
fn a_library_becomes_ready_and_its_contents_are_known() {
    let world = World::ready(library());
    let view = world.engine.view();
    let info = &view.libraries()[0];
    assert_eq!(*info.state, LibraryState::Ready);
    assert_eq!(
        (info.counts.slots, info.counts.drives, info.counts.ports, info.counts.transports),
        (10, 2, 2, 1)
    );
    assert_eq!(view.cartridges(None).len(), 6);
    assert!(view.drives(None).iter().all(|drive| drive.serial.is_some() && drive.device.is_some()));
    world.assert_true();
}

#[test]
fn a_cartridge_is_mounted_with_one_move_and_dismounted_to_its_slot() {
    let mut world = World::ready(library());
    let home = world.device.find("VT0003L8").unwrap();
    let mounted = world.mount("VT0003L8");
    world.rest();
    assert!(
        matches!(world.state(mounted), State::Passed(Outcome::Mounted { .. })),
        "{}",
        world.state(mounted)
    );
    assert_eq!(world.device.moves_sent(), 1);
    assert_eq!(world.engine.view().mounts().len(), 1);
    let down = world.dismount("VT0003L8");
    world.rest();
    assert_eq!(world.state(down), State::Passed(Outcome::Dismounted { slot: home }));
    assert_eq!(world.device.find("VT0003L8"), Some(home));
    assert_eq!(world.engine.view().mounts().len(), 0);
    assert_eq!(world.device.moves_sent(), 2);
    world.assert_true();
}

#[test]
fn more_mounts_than_drives_are_served_as_drives_come_free() {
    let mut world = World::ready(library());
    let ids: Vec<RequestId> = (1..=6).map(|n| world.mount(&format!("VT{n:04}L8"))).collect();
    world.rest();
    let passed =
        |world: &World| ids.iter().filter(|id| matches!(world.state(**id), State::Passed(_))).count();
    assert_eq!(passed(&world), 2);
    let view = world.engine.view();
    assert!(ids[2..].iter().all(|id| view.request(*id).unwrap().state == State::Waiting(Waiting::Drive)));
    for n in 1..=6 {
        world.dismount(&format!("VT{n:04}L8"));
        world.rest();
    }
    assert_eq!(passed(&world), 6);
    world.assert_true();
}

#[test]
fn a_queued_mount_is_cancelled_and_nothing_moves_for_it() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let third = world.mount("VT0003L8");
    assert_eq!(world.cancel(third), Some(Ok(Cancellation::Cancelled)));
    assert!(matches!(world.state(third), State::Cancelled { .. }));
    world.rest();
    assert_eq!(world.device.moves_sent(), 2);
    assert_eq!(world.final_events(third), 1);
    world.assert_true();
}

#[test]
fn a_mount_whose_intent_is_being_written_is_cancelled_without_a_move() {
    let mut world = World::ready(library());
    world.disk_held = true;
    let id = world.mount("VT0001L8");
    // Accepted is on the disk, the intent is on its way.
    let (batch, changes) = world.stalled.pop_front().unwrap();
    world.stalled.push_back((batch, changes));
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)));

    world.disk_held = true;
    let second = world.mount("VT0002L8");
    let answer = world.cancel(second);
    assert_eq!(answer, None, "a cancel is answered only when it is durable");
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(second), State::Cancelled { .. }));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_mount_in_its_move_stops_behind_it_and_the_cartridge_stays_in_the_drive() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Stopping)));
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Stopping)), "a second cancel gets the same verdict");
    world.rest();
    let State::Stopped { place: Some(Place::Element(place)), .. } = world.state(id) else {
        panic!("{}", world.state(id))
    };
    assert_eq!(world.device.find("VT0001L8"), Some(place.address));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_mount_that_waits_for_its_drive_stops_at_once() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    world.until("the cartridge is in the drive", |world| world.device.moves_done() == 1);
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Stopping)));
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
    world.rest();
    world.assert_true();
}

#[test]
fn the_last_move_of_a_dismount_cannot_be_cancelled() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.rest();
    let id = world.dismount("VT0001L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 2);
    assert!(matches!(world.cancel(id), Some(Err(CancelError::InProgress { .. }))));
    world.rest();
    assert!(matches!(world.cancel(id), Some(Err(CancelError::AlreadyFinished { .. }))));
    assert!(matches!(world.cancel(RequestId(Uuid::from_u128(99))), Some(Err(CancelError::NotFound { .. }))));
    world.assert_true();
}

#[test]
fn another_application_may_see_but_not_cancel_unless_its_role_says_so() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let id = world.mount("VT0003L8");
    let denied = world.cancel_as(other(Role::Operator), id);
    assert!(matches!(denied, Some(Err(CancelError::PermissionDenied { .. }))));
    let hidden = world.cancel_as(other(Role::Application), id);
    assert!(matches!(hidden, Some(Err(CancelError::NotFound { .. }))));
    assert_eq!(world.cancel_as(other(Role::Administrator), id), Some(Ok(Cancellation::Cancelled)));
}

#[test]
fn a_lost_reply_is_settled_by_looking_and_the_move_is_not_sent_again() {
    let mut world = World::ready(library());
    world.device.inject(Fault::lost_reply().on_move().after_effect());
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_move_that_happens_long_after_its_reply_was_lost_is_waited_for() {
    let mut world = World::ready(library());
    world.device.inject(Fault::late_effect(Duration::from_secs(600)).on_move());
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(
        world.device.moves_sent(),
        1,
        "it was not sent again though it looked as if it had not happened"
    );
    world.assert_true();
}

#[test]
fn a_move_that_never_happened_is_believed_only_after_the_motion_time_out() {
    let mut world = World::ready(library());
    world.device.inject(Fault::lost_reply().on_move().without_effect());
    let begun = world.now;
    let id = world.mount("VT0001L8");
    world.until("a second intent", |world| world.device.moves_sent() == 2);
    assert!(world.now - begun >= Duration::from_secs(30 * 60));
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn a_move_that_waited_on_its_way_has_its_whole_time_from_when_it_can_have_been_sent_last() {
    let motion = autochanger_engine::input::Timing::default().motion;
    // One that was given up because its time was over has had that from its sending.
    for (kind, expected) in
        [(PathFaultKind::ConnectionLost, motion), (PathFaultKind::TimedOut, Duration::ZERO)]
    {
        let mut world = World::ready(library());
        world.withhold_moves = true;
        let id = world.mount("VT0001L8");
        world.until("the move is on its way", |world| !world.withheld.is_empty());
        let given = world.now;
        world.wait_until(given + Duration::from_secs(10 * 60) + motion);
        let lost = world.now;
        let detail = String::from("the session was lost");
        let fault = PathFault { kind, device: "sim:test".into(), detail };
        world.answer_withheld(Err(TransportError::OutcomeUnknown(fault)));
        world.until("a second intent", |world| world.device.moves_sent() == 1);
        let looked = world.now - lost;
        assert!(
            looked >= expected && looked < expected + Duration::from_secs(60),
            "{looked:?} after {kind:?}"
        );
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        world.assert_true();
    }
}

#[test]
fn a_refused_move_fails_with_the_device_s_words_and_everything_named() {
    let mut world = World::ready(library());
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move().times(2));
    let id = world.mount("VT0001L8");
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::LibraryFault);
    for word in ["VT0001L8", "slot", "drive", "15/01"] {
        assert!(failure.to_string().contains(word), "{word:?} is missing in {failure}");
    }
    world.assert_true();
}

#[test]
fn a_unit_attention_before_a_move_costs_a_second_intent_and_no_failure() {
    let mut world = World::ready(library());
    world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn hands_in_the_library_are_seen_after_the_unit_attention_they_raise() {
    let mut world = World::ready(library());
    let (a, b) = (world.device.find("VT0001L8").unwrap(), world.device.find("VT0002L8").unwrap());
    world.device.operator_swap(a, b).unwrap();
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    let view = world.engine.view();
    assert_eq!(view.mounts()[0].barcode.as_deref(), Some("VT0001L8"));
    world.assert_true();
}

#[test]
fn an_inventory_counts_what_is_there() {
    let mut world = World::ready(library());
    let id = world.submit(inventory()).unwrap();
    world.rest();
    assert_eq!(
        world.state(id),
        State::Passed(Outcome::Inventoried {
            elements: 15,
            cartridges: 6,
            appeared: 0,
            missing: 0,
            labels: None
        })
    );
}

#[test]
fn wrong_requests_are_refused_with_what_would_be_right() {
    let mut world = World::ready(library());
    assert!(matches!(world.submit(mount("NOSUCH")), Err(SubmitError::CartridgeNotFound { .. })));
    assert!(matches!(world.submit(dismount("VT0001L8")), Err(SubmitError::NotMounted { .. })));
    let drive = Some(ElementAddress(9));
    let wanted = Wanted::Mount { cartridge: "VT0001L8".into(), drive, access: Default::default() };
    let Err(error) = world.submit(wanted) else { panic!("accepted") };
    assert!(error.to_string().contains("500"), "{error}");
    let caller = world.caller();
    let error = world.submit_as(caller, mount("VT0001L8"), |s| s.priority = 16);
    assert!(matches!(error, Err(SubmitError::PriorityOutOfRange(16))));
}

#[test]
fn a_repeated_id_is_answered_and_not_repeated() {
    let mut world = World::ready(library());
    let id = RequestId(Uuid::from_u128(7));
    let given = |s: &mut autochanger_engine::request::Submission| (s.id, s.id_given) = (id, true);
    let caller = world.caller();
    assert_eq!(world.submit_as(caller.clone(), mount("VT0001L8"), given), Ok(id));
    assert_eq!(world.submit_as(caller.clone(), mount("VT0001L8"), given), Ok(id));
    world.rest();
    assert_eq!(world.submit_as(caller.clone(), mount("VT0001L8"), given), Ok(id));
    world.rest();
    assert_eq!(world.device.moves_sent(), 1);
    assert!(matches!(world.submit_as(caller, mount("VT0002L8"), given), Err(SubmitError::IdReused { .. })));
}

#[test]
fn a_deadline_cancels_what_was_not_started() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let caller = world.caller();
    let id =
        world.submit_as(caller, mount("VT0003L8"), |s| s.deadline = Some(Duration::from_secs(60))).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Cancelled { .. }), "{}", world.state(id));
}

#[test]
fn closing_a_session_cancels_its_mounts_and_nothing_else() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let bound = world.mount("VT0003L8");
    let caller = world.caller();
    let detached = world.submit_as(caller, mount("VT0004L8"), |s| s.detached = true).unwrap();
    world.input(Input::CloseSession { token: autochanger_engine::id::Token(1000), session: SessionId(1) });
    assert!(matches!(world.answers.remove(&1000), Some(Answer::SessionClosed { cancelled: 1 })));
    assert!(matches!(world.state(bound), State::Cancelled { .. }));
    assert!(!world.state(detached).is_final());
}

#[test]
fn a_cartridge_that_nobody_mounted_makes_way_by_a_dismount_of_its_own() {
    let mut world = World::ready(library());
    for barcode in ["VT0001L8", "VT0002L8"] {
        let id = world.mount(barcode);
        world.until("it is in the drive", |world| {
            world.device.find(barcode).is_some_and(|at| at.0 < 1000 && at.0 >= 500)
        });
        world.cancel(id);
        world.rest();
    }
    let id = world.mount("VT0003L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn a_medium_that_no_drive_can_use_is_refused_before_anything_moves() {
    let device = Library::new()
        .slots(10)
        .drives(2)
        .cartridges("VT{:04}L8", 1..=2)
        .drive_product("IBM", "ULT3580-TD7")
        .build();
    let mut world = World::ready(device);
    let Err(error) = world.submit(mount("VT0001L8")) else { panic!("accepted") };
    assert!(matches!(error, SubmitError::Incompatible { .. }));
    for word in ["VT0001L8", "LTO-8", "write"] {
        assert!(error.to_string().contains(word), "{word:?} is missing in {error}");
    }
    assert_eq!(world.device.moves_sent(), 0);
}

#[test]
fn an_older_medium_can_be_read_where_it_cannot_be_written() {
    let device = Library::new()
        .slots(10)
        .drives(2)
        .cartridges("VT{:04}L5", 1..=2)
        .drive_product("IBM", "ULT3580-TD7")
        .build();
    let mut world = World::ready(device);
    assert!(matches!(world.submit(mount("VT0001L5")), Err(SubmitError::Incompatible { .. })));
    let access = autochanger_engine::request::Access::Read;
    let id = world.submit(Wanted::Mount { cartridge: "VT0001L5".into(), drive: None, access }).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
}

#[test]
fn a_deadline_that_passes_during_a_move_that_does_nothing_ends_the_request_there() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.rest();
    world.device.inject(Fault::lost_reply().on_move().without_effect());
    let caller = world.caller();
    let minutes = Duration::from_secs(600);
    let id = world.submit_as(caller, dismount("VT0001L8"), |s| s.deadline = Some(minutes)).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 2);
    world.assert_true();
}

#[test]
fn a_mount_that_was_stopped_while_its_move_turned_out_not_to_be_sent_moves_nothing() {
    let mut world = World::ready(library());
    world.withhold_moves = true;
    let id = world.mount("VT0001L8");
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Stopping)));
    world.deny_withheld();
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 0);
    world.assert_true();
}

#[test]
fn a_mount_whose_move_was_never_sent_is_cancelled_not_stopped() {
    let mut world = World::ready(library());
    world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(60)));
    let id = world.mount("VT0001L8");
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Cancelled)));
    assert!(matches!(world.state(id), State::Cancelled { .. }), "{}", world.state(id));
    world.rest();
    assert_eq!(world.device.moves_sent(), 0);
}

/// Two mounted, a third waiting for a drive; one is dismounted.
fn exchanging(device: Device) -> (World, RequestId, RequestId) {
    let mut world = World::with(device, |config| config.libraries[0].exchange = true);
    world.rest();
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let waiting = world.mount("VT0003L8");
    let down = world.dismount("VT0001L8");
    (world, down, waiting)
}

fn exchanges(world: &World) -> usize {
    world.device.log().filter(|entry| entry.opcode() == Some(0xA6)).count()
}

#[test]
fn a_dismount_and_the_mount_that_waits_for_its_drive_are_one_exchange() {
    let (mut world, down, waiting) = exchanging(library());
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
    assert_eq!(exchanges(&world), 1);
    assert_eq!(world.device.moves_sent(), 3, "two moves and the exchange");
    world.assert_true();
}

#[test]
fn a_library_that_claims_exchange_and_has_none_is_asked_once() {
    let device = library();
    let (mut world, down, waiting) = {
        let mut device = device;
        device.inject(Fault::sense(SenseKey::IllegalRequest, 0x20, 0x00).on(0xA6).always());
        exchanging(device)
    };
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
    world.mount("VT0004L8");
    world.dismount("VT0002L8");
    world.rest();
    assert_eq!(exchanges(&world), 1);
    world.assert_true();
}

#[test]
fn an_exchange_whose_reply_is_lost_is_settled_for_both() {
    for fault in [Fault::lost_reply().after_effect(), Fault::lost_reply().without_effect()] {
        let mut device = library();
        device.inject(fault.on(0xA6));
        let (mut world, down, waiting) = exchanging(device);
        world.rest();
        assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
        assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
        world.assert_true();
    }
}

#[test]
fn a_mount_that_is_cancelled_leaves_the_exchange_and_the_dismount_goes_on_alone() {
    let (mut world, down, waiting) = exchanging(library());
    world.disk_held = true;
    world.until("the intents are on their way", |world| !world.stalled.is_empty());
    assert_eq!(world.cancel(waiting), None, "the answer waits for the disk");
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(waiting), State::Cancelled { .. }), "{}", world.state(waiting));
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert_eq!(exchanges(&world), 0);
    world.assert_true();
}

#[test]
fn in_an_exchange_the_mount_can_be_stopped_and_the_dismount_cannot() {
    let (mut world, down, waiting) = exchanging(library());
    world.until("the exchange is sent", |world| world.device.moves_sent() == 3);
    assert!(matches!(world.cancel(down), Some(Err(CancelError::InProgress { .. }))));
    assert_eq!(world.cancel(waiting), Some(Ok(Cancellation::Stopping)));
    world.rest();
    assert!(matches!(world.state(waiting), State::Stopped { .. }), "{}", world.state(waiting));
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    world.assert_true();
}

#[test]
fn a_crash_in_an_exchange_finds_both_cartridges() {
    let (mut world, down, waiting) = exchanging(library());
    world.until("the exchange is sent", |world| world.device.moves_sent() == 3);
    world.crash();
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
    assert_eq!(world.device.moves_sent(), 3);
    world.assert_true();
}
