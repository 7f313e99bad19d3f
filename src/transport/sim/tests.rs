//! The simulated library through the [`Transport`] trait.
//!
//! Where virtual time passes it runs thousands of times as fast as the clock, so that a minute takes milliseconds.

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
async fn a_named_url_is_the_same_library_until_it_is_unpublished() {
    let first = open("name=same,slots=10,cartridges=3").unwrap();
    open("name=same").unwrap();
    open("cartridges=3,slots=10,name=same").unwrap();
    assert_eq!(first.device(), "sim:name=same");
    let library = SimulatedLibrary::named("same").unwrap();
    first.execute(ready()).await.unwrap();
    assert_eq!((library.log().len(), library.serial().as_str()), (1, "SIM-same"));
    assert!(matches!(open("name=same,slots=11"), Err(UrlError::Malformed { .. })));
    assert!(SimulatedLibrary::unpublish("same").is_some());
    open("name=same,slots=11").unwrap();
    assert!(SimulatedLibrary::named("nobody").is_none());
}

#[tokio::test]
async fn a_url_switches_quirks_on_and_names_those_that_do_not_exist() {
    let library = open("quirks=mode-sense-10-only+ghost-slots:9").unwrap();
    library.execute(ready()).await.unwrap();
    let six = autochanger_scsi::ModeSense6 { page: 0x1D, allocation: 255, ..Default::default() };
    let answer = library.execute(Command::reading(six.cdb(), 255, Duration::from_secs(60))).await.unwrap();
    assert_eq!(answer.sense().map(|sense| sense.code.asc), Some(0x20));
    for (options, named) in
        [("quirks=", "\"\""), ("quirks=no-dvcid+gosts", "gosts"), ("quirks=ghost-slots:x", "ghost-slots:x")]
    {
        let error = open(options).err().expect("no such quirk").to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_library_of_ones_own_can_be_published() {
    let library = SimulatedLibrary::start(stocked().serial("MINE"));
    assert_eq!(library.publish("published").unwrap().to_string(), "sim:name=published");
    assert_eq!(SimulatedLibrary::named("published").unwrap().serial(), "MINE");
    assert_eq!(open("name=published,lun=1").unwrap().device(), "sim:name=published,lun=1");
    assert!(library.publish("published").is_err());
    assert!(library.publish("a,b").is_err());
}

#[test]
fn two_unnamed_libraries_are_two() {
    let [one, two] = [open("").unwrap(), open("").unwrap()];
    assert_ne!(one.device(), two.device());
}

#[test]
fn options_make_the_library_that_they_describe() {
    open(
        "name=made,slots=40,drives=3,ports=2,arms=2,cartridges=5,profile=midrange,scale=100,seed=7,serial=S9",
    )
    .unwrap();
    let library = SimulatedLibrary::named("made").unwrap();
    assert_eq!(library.serial(), "S9");
    let contents = library.contents();
    assert_eq!(contents.len(), 40 + 3 + 2 + 2);
    assert_eq!(contents.iter().filter(|(_, _, barcode)| barcode.is_some()).count(), 5);
    assert_eq!(library.find("VT0005L8"), Some(ElementAddress(1004)));
    open("slots=3").unwrap();
}

#[test]
fn wrong_options_are_told_what_is_wrong() {
    for (options, problem) in [
        ("slots", "has no value"),
        ("slots=many", "no number"),
        ("slots=70000", "no number"),
        ("slots=1,slots=2", "twice"),
        ("colour=red", "no option \"colour\""),
        ("profile=quick", "no profile"),
        ("scale=0", "above zero"),
        ("scale=inf", "above zero"),
        ("name=", "printable"),
        ("lun=3", "no logical unit 3"),
        ("slots=3,cartridges=4", "no slot is left"),
        ("drives=600", "overlap"),
    ] {
        let Err(error) = open(options) else { panic!("{options} was taken") };
        let text = error.to_string();
        assert!(text.contains(problem) && text.contains(options) && text.contains("sim:"), "{text}");
    }
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
