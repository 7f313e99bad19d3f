//! The target, or what lies between, as the adversary: sessions that are pushed out, windows that close, messages that
//! announce the end, bytes that are lost, late, cut short, doubled or damaged. Nothing is ever sent twice.
#![cfg(all(feature = "sim", feature = "iscsi"))]

mod beds;
#[path = "iscsi_faults/intents.rs"]
mod intents;
#[path = "iscsi_faults/leaving.rs"]
mod leaving;
#[path = "iscsi_faults/logins.rs"]
mod logins;
#[path = "iscsi_faults/proxy.rs"]
mod proxy;
#[path = "iscsi_faults/scripted.rs"]
mod scripted;
#[path = "store/temp.rs"]
mod temp;
#[path = "iscsi_faults/thousand.rs"]
mod thousand;
#[path = "kill/truth.rs"]
mod truth;

use std::time::Duration;

use autochanger::transport::iscsi::DigestPolicy;
use autochanger::transport::sim::{self, ElementAddress, Hold, SimulatedLibrary};
use autochanger::transport::{
    Command, Completion, IscsiTransport, IscsiUrl, PathFaultKind, TaskManagement, Transport, TransportError,
};
use autochanger::virtual_library::{VirtualLibrary, VirtualLibraryBuilder};
use autochanger::{LibraryConfig, Manager};
use autochanger_iscsi::{
    Event, Failure, Initiator, LoginConfig, ManagementFunction, ManagementResponse, Request, Tag,
};
use autochanger_scsi::{MoveMedium, Status, TestUnitReady};
use proxy::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const SOON: Duration = Duration::from_secs(10);
const MOVE_MEDIUM: u8 = 0xA5;

fn builder() -> VirtualLibraryBuilder {
    let description = sim::Library::new().slots(8).drives(1).cartridges("VT{:04}L8", 1..=1);
    VirtualLibrary::builder(SimulatedLibrary::start(description)).listen(([127, 0, 0, 1], 0))
}

/// A library and a device on it that has heard of the power-on.
async fn open() -> (VirtualLibrary, IscsiTransport) {
    let served = builder().start().await.unwrap();
    let device = IscsiTransport::new(served.url());
    assert_eq!(device.execute(ready()).await.unwrap().status, Status::CheckCondition);
    (served, device)
}

fn ready() -> Command {
    Command::new(TestUnitReady {}.cdb(), SOON)
}

fn move_medium(source: u16, destination: u16) -> Command {
    let command = MoveMedium {
        transport: ElementAddress(0),
        source: ElementAddress(source),
        destination: ElementAddress(destination),
        invert: false,
    };
    Command::new(command.cdb(), SOON)
}

type Running = JoinHandle<Result<Completion, TransportError>>;

/// Starts a command beside the test.
fn start(device: &IscsiTransport, command: Command) -> Running {
    let device = device.clone();
    tokio::spawn(async move { device.execute(command).await })
}

#[track_caller]
fn assert_unknown(result: Result<Completion, TransportError>) {
    match result {
        Err(TransportError::OutcomeUnknown(_)) => {}
        other => panic!("not unknown but {other:?}"),
    }
}

/// Waits for something that nobody announces.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            // Looking again is cheap, and there is nothing to be woken by.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, wait).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

#[tokio::test]
async fn a_session_that_the_target_drops_mid_move_leaves_the_outcome_unknown() {
    let (served, device) = open().await;
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    let moving = start(&device, move_medium(1000, 1003));
    gate.reached().await;
    served.drop_sessions();
    let error = moving.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("asynchronous event 3"), "{error}");
    assert_unknown(Err(error));
    gate.release();
    let attention = device.execute(ready()).await.unwrap();
    assert_eq!(attention.sense().unwrap().code.asc, 0x29);
    assert_eq!(served.library().moves_sent(), 1);
}

#[tokio::test]
async fn a_cut_cable_mid_move_is_found_at_once_and_the_move_is_not_repeated() {
    let (served, device) = open().await;
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM).after_effect());
    let moving = start(&device, move_medium(1000, 1003));
    gate.reached().await;
    served.cut_connections();
    assert_unknown(moving.await.unwrap());
    gate.release();
    device.execute(ready()).await.unwrap();
    assert_eq!((served.library().moves_sent(), served.sessions()), (1, 1));
    assert_eq!(served.library().find("VT0001L8"), Some(ElementAddress(1003)));
}

#[tokio::test]
async fn a_window_that_closes_to_nothing_holds_commands_back_until_it_opens() {
    let (served, device) = open().await;
    served.limit_window(0);
    // What was granted before may still be used; then the window is shut.
    let short = Command { timeout: Duration::from_millis(100), ..ready() };
    let mut passed = 0;
    let error = loop {
        match device.execute(short.clone()).await {
            Ok(_) => passed += 1,
            Err(error) => break error,
        }
        assert!(passed <= 64, "the window does not close");
    };
    let TransportError::NotSent(fault) = &error else { panic!("{error}") };
    assert_eq!(fault.kind, PathFaultKind::TimedOut);
    let reached = served.library().log().len();

    let waiting = start(&device, ready());
    // So long is the answer looked for that must not come.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    assert_eq!(served.library().log().len(), reached, "nothing reaches the library through a closed window");
    served.limit_window(1);
    assert_eq!(waiting.await.unwrap().unwrap(), Completion::good());
}

#[tokio::test]
async fn the_target_asks_for_a_sign_of_life_and_gets_it_while_a_move_is_on() {
    let (served, device) = open().await;
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    let moving = start(&device, move_medium(1000, 1003));
    gate.reached().await;
    served.ping();
    until("the pong", || served.pongs() == 1).await;
    gate.release();
    assert_eq!(moving.await.unwrap().unwrap(), Completion::good());
}

#[tokio::test]
async fn a_unit_reset_ends_the_commands_of_every_host_and_each_hears_of_it() {
    let (served, device) = open().await;
    let other = IscsiTransport::new(served.url());
    other.execute(ready()).await.unwrap();
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    let ours = start(&device, move_medium(1000, 1003));
    gate.reached().await;
    let theirs = start(&other, move_medium(1000, 1004));
    until("both moves are at the library", || served.library().moves_sent() == 2).await;
    device.manage(TaskManagement::LogicalUnitReset).await.unwrap();
    assert_unknown(ours.await.unwrap());
    assert_eq!(theirs.await.unwrap().unwrap().status, Status::TaskAborted);
    gate.release();
    for host in [&device, &other] {
        let attention = host.execute(ready()).await.unwrap();
        assert_eq!(attention.sense().unwrap().code.asc, 0x29);
        assert_eq!(host.execute(ready()).await.unwrap(), Completion::good());
    }
    assert_eq!(served.sessions(), 2, "a reset costs nobody the session");
}

#[tokio::test]
async fn an_aborted_task_set_is_ours_alone() {
    let (served, device) = open().await;
    let other = IscsiTransport::new(served.url());
    other.execute(ready()).await.unwrap();
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    let ours = start(&device, move_medium(1000, 1003));
    gate.reached().await;
    let theirs = start(&other, ready());
    device.manage(TaskManagement::AbortTaskSet).await.unwrap();
    assert_unknown(ours.await.unwrap());
    gate.release();
    assert_eq!(theirs.await.unwrap().unwrap(), Completion::good());
    assert_eq!(device.execute(ready()).await.unwrap(), Completion::good());
}

/// An initiator that says which session it is.
struct Host {
    initiator: Initiator,
    stream: TcpStream,
}

impl Host {
    async fn login(served: &VirtualLibrary, isid: [u8; 6]) -> Self {
        let config = LoginConfig {
            initiator: "iqn.2026-01.test:host".into(),
            target: Some(served.url().target().to_owned()),
            isid,
            authentication: None,
            digests: DigestPolicy::Accept,
        };
        let stream = TcpStream::connect(served.address()).await.unwrap();
        let mut host = Self { initiator: Initiator::new(config), stream };
        assert_eq!(host.event().await, Event::LoggedIn);
        host
    }

    async fn event(&mut self) -> Event {
        let mut buffer = [0; 4096];
        loop {
            self.send().await;
            if let Some(event) = self.initiator.poll_event() {
                return event;
            }
            match tokio::time::timeout(SOON, self.stream.read(&mut buffer)).await.expect("an event") {
                Ok(0) | Err(_) => self.initiator.disconnected(),
                Ok(length) => self.initiator.received(&buffer[..length]),
            }
        }
    }

    async fn send(&mut self) {
        while let Some(bytes) = self.initiator.poll_transmit() {
            // A connection that is closed is found by the read that follows.
            let _ = self.stream.write_all(&bytes).await;
        }
    }

    async fn submit(&mut self, command: Command) -> Tag {
        let mut cdb = [0; 16];
        cdb[..command.cdb.as_bytes().len()].copy_from_slice(command.cdb.as_bytes());
        let request = Request { lun: 0, cdb, data_out: command.data_out, data_in: 0 };
        let tag = self.initiator.submit(request).unwrap();
        self.send().await;
        tag
    }
}

#[tokio::test]
async fn a_session_with_the_same_name_takes_the_place_of_the_old_one_and_inherits_nothing() {
    let served = builder().start().await.unwrap();
    let mut old = Host::login(&served, [0x80, 0, 0, 0, 0, 1]).await;
    let mut other = Host::login(&served, [0x80, 0, 0, 0, 0, 2]).await;
    assert_eq!(served.sessions(), 2);
    old.submit(ready()).await;
    assert!(matches!(old.event().await, Event::Completed { .. }));
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    old.submit(move_medium(1000, 1003)).await;
    gate.reached().await;

    let mut new = Host::login(&served, [0x80, 0, 0, 0, 0, 1]).await;
    assert_eq!(served.sessions(), 2);
    assert!(matches!(old.event().await, Event::Failed { .. }), "the old session's move has no answer");
    assert!(matches!(old.event().await, Event::Ended(_)));
    gate.release();
    for host in [&mut new, &mut other] {
        host.submit(ready()).await;
        let Event::Completed { answer, .. } = host.event().await else { panic!("no answer") };
        assert_eq!((answer.status, answer.sense[12]), (2, 0x29), "each session begins with an attention");
    }
    assert_eq!(served.library().moves_sent(), 1);
}

#[tokio::test]
async fn one_command_is_aborted_where_it_is_the_only_one_and_refused_elsewhere() {
    let served = builder().start().await.unwrap();
    let mut host = Host::login(&served, [0x80, 0, 0, 0, 0, 1]).await;
    host.submit(ready()).await;
    assert!(matches!(host.event().await, Event::Completed { .. }));
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    let first = host.submit(move_medium(1000, 1003)).await;
    let second = host.submit(move_medium(1000, 1004)).await;
    host.initiator.manage(ManagementFunction::AbortTask(first), 0).unwrap();
    let Event::Managed { response, .. } = host.event().await else { panic!("no answer") };
    assert_eq!(response, ManagementResponse::Refused(255));
    host.initiator.manage(ManagementFunction::LogicalUnitReset, 0).unwrap();
    for tag in [first, second] {
        assert_eq!(host.event().await, Event::Failed { tag, failure: Failure::Aborted });
    }
    assert!(matches!(host.event().await, Event::Managed { response: ManagementResponse::Complete, .. }));
    gate.release();

    host.submit(ready()).await;
    assert!(matches!(host.event().await, Event::Completed { .. }));
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    let alone = host.submit(move_medium(1000, 1005)).await;
    gate.reached().await;
    host.initiator.manage(ManagementFunction::AbortTask(alone), 0).unwrap();
    assert_eq!(host.event().await, Event::Failed { tag: alone, failure: Failure::Aborted });
    assert!(matches!(host.event().await, Event::Managed { response: ManagementResponse::Complete, .. }));
    gate.release();
    for (function, lun, expected) in [
        (ManagementFunction::LogicalUnitReset, 9, ManagementResponse::NoSuchLun),
        (ManagementFunction::ClearTaskSet, 0, ManagementResponse::Unsupported),
        (ManagementFunction::TargetWarmReset, 0, ManagementResponse::Complete),
    ] {
        host.initiator.manage(function, lun).unwrap();
        let Event::Managed { response, .. } = host.event().await else { panic!("no answer") };
        assert_eq!(response, expected, "{function:?}");
    }
}

#[tokio::test]
async fn a_damaged_bit_in_either_direction_is_found_by_the_digests() {
    let served = builder().digests(DigestPolicy::Require).start().await.unwrap();
    for to_target in [true, false] {
        let proxy = Proxy::with_digests(served.address()).await;
        let url: IscsiUrl = through(&served, &proxy).parse().unwrap();
        let device = IscsiTransport::new(url);
        device.execute(ready()).await.unwrap();
        let home = served.library().find("VT0001L8").unwrap().0;
        let done = served.library().moves_done();
        proxy.damage(to_target);
        let error = device.execute(move_medium(home, home + 1)).await.unwrap_err();
        let TransportError::OutcomeUnknown(fault) = &error else { panic!("{error}") };
        if to_target {
            assert_eq!(served.library().moves_done(), done, "a damaged move does not move");
        } else {
            assert_eq!(
                (fault.kind, &*fault.detail),
                (
                    PathFaultKind::ConnectionLost,
                    "the connection damaged what the target sent: a header whose digest is wrong"
                )
            );
            assert_eq!(served.library().moves_done(), done + 1);
        }
        device.execute(ready()).await.unwrap();
        assert_eq!(device.execute(ready()).await.unwrap(), Completion::good());
    }
}

#[tokio::test]
async fn damage_while_a_library_is_opened_is_no_reason_to_give_it_up() {
    let served = builder().digests(DigestPolicy::Require).start().await.unwrap();
    let proxy = Proxy::with_digests(served.address()).await;
    // The answer to the first question: a login has no digests yet.
    proxy.damage(false);
    let config = LibraryConfig::new(through(&served, &proxy));
    let manager = Manager::builder().library(config).open().await.unwrap();
    let wait = async {
        while manager.ready().await.is_err() {
            // An error that is there already is told at once, and nothing announces the next attempt.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, wait).await.expect("the library serves");
    assert!(!proxy.is_about_to_damage());
    manager.shutdown().await;
}

fn through(served: &VirtualLibrary, proxy: &Proxy) -> String {
    format!("iscsi://127.0.0.1:{}/{}/0", proxy.port(), served.url().target())
}

#[tokio::test]
async fn a_lost_command_does_not_stop_the_ones_after_it_for_ever() {
    let served = builder().start().await.unwrap();
    let proxy = Proxy::start(served.address()).await;
    let device = IscsiTransport::new(through(&served, &proxy).parse().unwrap());
    device.execute(ready()).await.unwrap();
    proxy.arm([proxy::Fault { to_target: true, skip: 0, kind: proxy::Kind::Drop }]);
    let lost = Command { timeout: Duration::from_millis(50), ..move_medium(1000, 1001) };
    assert_unknown(device.execute(lost).await);
    // The session that lost it ends; a new one begins by itself, with whatever comes next.
    let wait = async { while device.execute(ready()).await.is_err() {} };
    tokio::time::timeout(SOON, wait).await.expect("a session that works again");
    assert_eq!((served.library().moves_sent(), proxy.moves()), (0, vec![(1000, 1001)]));
}
