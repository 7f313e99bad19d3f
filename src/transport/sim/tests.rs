//! The simulated library through the [`Transport`] trait.
//!
//! Where virtual time passes it runs thousands of times as fast as the clock, so that a minute takes milliseconds.

mod urls;

use std::sync::Arc;
use std::time::Duration;

use autochanger_scsi::{Cdb, MoveMedium, PreventAllowMediumRemoval, ReadElementStatus, TestUnitReady};

use super::{ElementAddress, Fault, Hold, Library, OperatorError, SimulatedLibrary, Status, Timing, open};
use crate::transport::{Command, PathFaultKind, TaskManagement, Transport, TransportError, UrlError};

const MINUTE: Duration = Duration::from_secs(60);

/// So long that no slow machine gives a command up: a minute of the clock at the pace of [`slow`].
const PATIENCE: Duration = Duration::from_secs(6_000_000);

fn stocked() -> Library {
    Library::new().cartridges("VT{:04}L8", 1..=20)
}

/// A library whose motions take minutes, an hour of which passes in 36 ms.
fn slow() -> SimulatedLibrary {
    let mut timing = Timing::none();
    timing.pick = MINUTE;
    timing.place = MINUTE;
    SimulatedLibrary::start(stocked().timing(timing)).time_scale(100_000.0)
}

fn command(cdb: Cdb) -> Command {
    Command::new(cdb, PATIENCE)
}

fn ready() -> Command {
    command(TestUnitReady::default().cdb())
}

fn move_medium(from: u16, to: u16) -> Command {
    let [source, destination] = [from, to].map(ElementAddress);
    command(MoveMedium { transport: ElementAddress(0), source, destination, invert: false }.cdb())
}

/// A path to the changer that has taken its power-on attention.
async fn changer(library: &SimulatedLibrary) -> Arc<dyn Transport> {
    let path = library.transport();
    let completion = path.execute(ready()).await.unwrap();
    assert_eq!(completion.sense().unwrap().code.asc, 0x29);
    path
}

async fn good(path: &Arc<dyn Transport>, command: Command) {
    let completion = path.execute(command).await.unwrap();
    assert_eq!(completion.status, Status::Good, "{:?}", completion.sense());
}

fn spawn(
    path: &Arc<dyn Transport>,
    command: Command,
) -> tokio::task::JoinHandle<Result<crate::transport::Completion, TransportError>> {
    let path = Arc::clone(path);
    tokio::spawn(async move { path.execute(command).await })
}

#[tokio::test]
async fn commands_are_answered_at_once_without_timing() {
    let library = SimulatedLibrary::start(stocked());
    let path = changer(&library).await;
    good(&path, move_medium(1000, 500)).await;
    assert_eq!((library.find("VT0001L8"), library.moves_done()), (Some(ElementAddress(500)), 1));
    let read = ReadElementStatus {
        element_type: None,
        start: ElementAddress(0),
        count: 0xFFFF,
        volume_tags: true,
        current_data: true,
        device_ids: false,
        allocation: 4096,
    };
    let completion = path.execute(Command::reading(read.cdb(), 4096, MINUTE)).await.unwrap();
    let status = autochanger_scsi::ElementStatus::parse(&completion.data).unwrap();
    assert_eq!(status.elements_available(), 31);
}

#[tokio::test]
async fn every_transport_is_an_initiator_and_its_siblings_are_the_same_one() {
    let library = SimulatedLibrary::start(stocked());
    let first = changer(&library).await;
    changer(&library).await;
    let drive = first.sibling(2).unwrap();
    assert_eq!(drive.execute(ready()).await.unwrap().sense().unwrap().code.asc, 0x29);
    let same = drive.sibling(0).unwrap().sibling(2).unwrap();
    assert_eq!(same.execute(ready()).await.unwrap().sense().unwrap().code.asc, 0x3A);
    assert!(first.sibling(3).is_none());
    assert!(library.drive_transport(1).is_some() && library.drive_transport(2).is_none());
    assert!(drive.device().ends_with(",lun=2"), "{}", drive.device());
}

#[tokio::test]
async fn a_gate_before_the_effect_holds_the_move_and_nothing_else() {
    let library = SimulatedLibrary::start(stocked());
    let path = changer(&library).await;
    let gate = library.hold(Hold::opcode(0xA5));
    let moving = spawn(&path, move_medium(1000, 500));
    gate.reached().await;
    good(&path, ready()).await;
    assert_eq!((gate.count(), library.find("VT0001L8")), (1, Some(ElementAddress(1000))));
    assert!(!moving.is_finished());
    gate.release();
    assert_eq!(moving.await.unwrap().unwrap().status, Status::Good);
    assert_eq!(library.find("VT0001L8"), Some(ElementAddress(500)));
}

#[tokio::test]
async fn a_gate_after_the_effect_holds_the_answer_and_opens_when_dropped() {
    let library = slow();
    let path = changer(&library).await;
    let gate = library.hold(Hold::all().on_move().after_effect());
    let moves = [spawn(&path, move_medium(1000, 500)), spawn(&path, move_medium(1001, 501))];
    gate.reached_times(2).await;
    assert_eq!(library.find("VT0002L8"), Some(ElementAddress(501)));
    assert!(moves.iter().all(|moving| !moving.is_finished()));
    drop(gate);
    for moving in moves {
        assert_eq!(moving.await.unwrap().unwrap().status, Status::Good);
    }
}

#[tokio::test]
async fn a_gate_is_reached_by_a_command_whose_future_was_dropped() {
    let library = slow();
    let path = changer(&library).await;
    let gate = library.hold(Hold::opcode(0xA5).after_effect());
    tokio::select! {
        biased;
        _ = path.execute(move_medium(1000, 500)) => panic!("the gate was passed"),
        () = std::future::ready(()) => {}
    }
    gate.reached().await;
    assert_eq!(library.find("VT0001L8"), Some(ElementAddress(500)));
}

#[tokio::test]
async fn dropping_the_future_does_not_stop_the_arm() {
    let library = slow();
    let path = changer(&library).await;
    tokio::select! {
        biased;
        _ = path.execute(move_medium(1000, 500)) => panic!("the move takes minutes"),
        () = std::future::ready(()) => {}
    }
    good(&path, move_medium(1001, 501)).await;
    assert_eq!(library.find("VT0001L8"), Some(ElementAddress(500)));
    assert_eq!(library.moves_done(), 2);
}

#[tokio::test]
async fn lost_and_undelivered_commands_are_told_apart() {
    let library = SimulatedLibrary::start(stocked());
    let path = changer(&library).await;
    library.inject(Fault::lost_reply().on_move());
    let error = path.execute(move_medium(1000, 500)).await.unwrap_err();
    assert!(
        matches!(&error, TransportError::OutcomeUnknown(fault) if fault.kind == PathFaultKind::ConnectionLost)
    );
    assert!(error.to_string().contains("sim:serial="), "{error}");
    library.inject(Fault::not_delivered().on_move());
    let error = path.execute(move_medium(1001, 501)).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent(fault) if fault.kind == PathFaultKind::Unreachable));
    assert_eq!((library.moves_sent(), library.find("VT0001L8")), (1, Some(ElementAddress(500))));
}

#[tokio::test]
async fn a_silent_command_times_out_in_virtual_time() {
    let library = slow();
    let path = changer(&library).await;
    library.inject(Fault::silence().on_move());
    let before = library.now();
    let mut lost = move_medium(1000, 500);
    lost.timeout = 60 * MINUTE;
    let error = path.execute(lost).await.unwrap_err();
    assert!(matches!(error, TransportError::OutcomeUnknown(fault) if fault.kind == PathFaultKind::TimedOut));
    assert!(library.now() - before >= 60 * MINUTE);
    assert_eq!(library.find("VT0001L8"), Some(ElementAddress(500)));
}

#[tokio::test]
async fn a_command_that_takes_longer_than_its_time_is_given_up_and_completes_anyway() {
    let library = slow();
    let path = changer(&library).await;
    let mut impatient = move_medium(1000, 500);
    impatient.timeout = MINUTE / 2;
    let error = path.execute(impatient).await.unwrap_err();
    assert!(matches!(error, TransportError::OutcomeUnknown(fault) if fault.kind == PathFaultKind::TimedOut));
    good(&path, move_medium(1001, 501)).await;
    assert_eq!(library.find("VT0001L8"), Some(ElementAddress(500)));
}

#[tokio::test]
async fn a_move_takes_its_virtual_time() {
    let library = slow();
    let path = changer(&library).await;
    good(&path, move_medium(1000, 500)).await;
    let entry = library.log().pop().unwrap();
    assert_eq!(entry.end.unwrap().at - entry.at, 2 * MINUTE);
}

#[tokio::test]
async fn abort_ends_the_waiting_but_not_the_motion() {
    let library = slow().time_scale(1.0);
    let path = changer(&library).await;
    let moves = [spawn(&path, move_medium(1000, 500)), spawn(&path, move_medium(1001, 501))];
    while library.moves_sent() < 2 {
        tokio::task::yield_now().await;
    }
    path.manage(TaskManagement::AbortTaskSet).await.unwrap();
    for moving in moves {
        assert!(matches!(moving.await.unwrap(), Err(TransportError::OutcomeUnknown(_))));
    }
    let library = library.time_scale(100_000.0);
    good(&path, move_medium(1002, 1020)).await;
    assert_eq!(library.find("VT0001L8"), Some(ElementAddress(500)));
    assert_eq!(library.find("VT0002L8"), Some(ElementAddress(1001)));
}

#[tokio::test]
async fn an_initiator_that_goes_takes_its_prevention_with_it() {
    let library = SimulatedLibrary::start(stocked());
    let path = changer(&library).await;
    good(&path, command(PreventAllowMediumRemoval { prevent: true }.cdb())).await;
    assert_eq!(library.operator_put(ElementAddress(10), "NEW"), Err(OperatorError::Locked));
    drop(path);
    library.operator_put(ElementAddress(10), "NEW").unwrap();
}

#[tokio::test]
async fn more_data_than_the_path_carries_is_refused_before_it_is_sent() {
    let library = SimulatedLibrary::start(stocked());
    let path = library.transport();
    let limit = path.limits().max_transfer;
    let error = path.execute(Command::reading(ready().cdb, limit + 1, MINUTE)).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent(fault) if fault.kind == PathFaultKind::LimitReached));
    assert!(library.log().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_are_all_answered() {
    let library = slow();
    let path = changer(&library).await;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..32 {
        let path = Arc::clone(&path);
        callers.spawn(async move {
            let slot = 1000 + number % 20;
            for _ in 0..20 {
                path.execute(ready()).await.unwrap();
                path.execute(move_medium(slot, 1020 + number % 4)).await.unwrap();
                path.execute(move_medium(1020 + number % 4, slot)).await.unwrap();
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    let labels: Vec<_> = library.contents().into_iter().filter_map(|(_, _, barcode)| barcode).collect();
    assert_eq!((labels.len(), library.moves_sent()), (20, 32 * 20 * 2));
}

#[tokio::test]
async fn a_named_initiator_is_known_again_and_its_second_session_ends_the_first() {
    let library = SimulatedLibrary::start(stocked());
    let code = async |path: &Arc<dyn Transport>| {
        let answer = path.execute(ready()).await.unwrap();
        answer.sense().map(|sense| (sense.code.asc, sense.code.ascq))
    };
    let first = library.initiator("iqn.2026-01.example:host,i,0x800000000001");
    assert_eq!(code(&first).await, Some((0x29, 0x00)));
    let other = library.initiator("iqn.2026-01.example:host,i,0x800000000002");
    assert_eq!(code(&other).await, Some((0x29, 0x00)));
    let second = library.initiator("iqn.2026-01.example:host,i,0x800000000001");
    let error = first.execute(ready()).await.unwrap_err();
    assert!(matches!(&error, TransportError::NotSent(fault) if fault.kind == PathFaultKind::ConnectionLost));
    assert_eq!(code(&second).await, Some((0x29, 0x07)));
    // The end of a session that is over already is no loss of the one in its place.
    drop(first);
    assert_eq!(code(&second).await, None);
    drop(second);
    let third = library.initiator("iqn.2026-01.example:host,i,0x800000000001");
    assert_eq!(code(&third).await, Some((0x29, 0x07)));
    assert_eq!((code(&third).await, code(&other).await), (None, None));
}

#[tokio::test]
async fn the_initiators_that_are_remembered_are_bounded_and_none_with_a_session_is_forgotten() {
    let library = SimulatedLibrary::start(stocked());
    let kept = library.initiator("first");
    kept.execute(ready()).await.unwrap();
    let early = library.initiator("early");
    early.execute(ready()).await.unwrap();
    drop(early);
    for number in 0..1022 {
        drop(library.initiator(&format!("host{number}")));
    }
    let code = async |path: &Arc<dyn Transport>| {
        let answer = path.execute(ready()).await.unwrap();
        answer.sense().map(|sense| (sense.code.asc, sense.code.ascq))
    };
    let early = library.initiator("early");
    assert_eq!(code(&early).await, Some((0x29, 0x07)), "1,024 are remembered");
    drop(early);
    drop(library.initiator("one more"));
    let early = library.initiator("early");
    assert_eq!(code(&early).await, Some((0x29, 0x00)), "the first without a session has made way");
    assert_eq!(code(&kept).await, None);
}

#[tokio::test]
async fn what_a_device_left_of_the_room_for_its_data_is_told() {
    let library = SimulatedLibrary::start(stocked());
    let path = changer(&library).await;
    let ask = |room: u16| {
        let cdb = autochanger_scsi::Inquiry { vpd: None, allocation: room }.cdb();
        path.execute(Command::reading(cdb, room.into(), PATIENCE))
    };
    let whole = ask(255).await.unwrap();
    assert!(!whole.data.is_empty());
    assert_eq!(whole.residual, 255 - whole.data.len() as u32);
    let part = ask(8).await.unwrap();
    assert_eq!((part.data.len(), part.residual), (8, 0));
    assert_eq!(path.execute(ready()).await.unwrap().residual, 0);
}
