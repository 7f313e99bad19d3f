//! The simulated library behind our own iSCSI target: who may log in, what is found, and that initiators that nobody here
//! wrote (libiscsi's tools) agree with it.
#![cfg(all(feature = "sim", feature = "iscsi"))]

#[path = "virtual_library/nexus.rs"]
mod nexus;

use std::io::ErrorKind;
use std::time::Duration;

use autochanger::transport::iscsi::{DigestPolicy, IscsiLogin, discover};
use autochanger::transport::sim::{self, ElementAddress, SimulatedLibrary};
use autochanger::transport::{Command, IscsiTransport, IscsiUrl, PathFaultKind, Transport, TransportError};
use autochanger::virtual_library::{
    DEFAULT_NAME, MAX_CONNECTIONS, VirtualLibrary, VirtualLibraryBuilder, VirtualLibraryError,
};
use autochanger::{LibraryConfig, Manager, Role};
use autochanger_scsi::{
    DeviceType, Inquiry, MoveMedium, RequestSense, StandardInquiry, Status, TestUnitReady,
};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

const SOON: Duration = Duration::from_secs(10);
const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
const SECRET: &str = "opensesame12";
const OWN_SECRET: &str = "whoisthere12";

fn builder() -> VirtualLibraryBuilder {
    builder_of("SIMVTL")
}

/// A library with a serial number of its own, where a manager is to have it for itself.
fn builder_of(serial: &str) -> VirtualLibraryBuilder {
    let description = sim::Library::new().slots(8).drives(2).cartridges("VT{:04}L8", 1..=4).serial(serial);
    VirtualLibrary::builder(SimulatedLibrary::start(description)).listen(LOOPBACK)
}

async fn served() -> VirtualLibrary {
    builder().start().await.unwrap()
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

/// Hears the power-on attention, then moves a cartridge.
async fn moves(device: &dyn Transport) {
    assert_eq!(device.execute(ready()).await.unwrap().status, Status::CheckCondition);
    assert_eq!(device.execute(move_medium(1000, 1005)).await.unwrap().status, Status::Good);
}

/// Runs a tool of libiscsi; what it said, and whether it was content.
async fn libiscsi(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> (String, bool) {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).envs(environment.iter().copied());
    let output = match command.output().await {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!(
                "`{program}` is missing: install the Debian package `libiscsi-bin` (apt-get install libiscsi-bin)"
            )
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

#[tokio::test]
async fn libiscsi_finds_the_target_and_each_unit_of_it() {
    let served = served().await;
    let portal = format!("iscsi://{}", served.address());
    let (said, content) = libiscsi("iscsi-ls", &["-s", &portal], &[]).await;
    assert!(content, "{said}");
    let expected = [
        format!("Target:{DEFAULT_NAME} Portal:{},1", served.address()),
        "Lun:0    Type:MEDIA_CHANGER".to_owned(),
        "Lun:1    Type:SEQUENTIAL_ACCESS (No media loaded)".to_owned(),
        "Lun:2    Type:SEQUENTIAL_ACCESS (No media loaded)".to_owned(),
    ];
    assert_eq!(said.lines().map(str::trim_end).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn libiscsi_reads_the_same_identity_as_we_do() {
    let served = served().await;
    let url = served.url().to_string();
    let (said, content) = libiscsi("iscsi-inq", &[&url], &[]).await;
    assert!(content, "{said}");
    let device = IscsiTransport::new(served.url());
    let cdb = Inquiry { vpd: None, allocation: 96 }.cdb();
    let answer = device.execute(Command::reading(cdb, 96, SOON)).await.unwrap();
    let inquiry = StandardInquiry::parse(&answer.data).unwrap();
    assert_eq!(inquiry.device_type(), DeviceType::Changer);
    for told in ["Type:MEDIA_CHANGER", "Removable:1", inquiry.vendor(), inquiry.product()] {
        assert!(said.contains(told), "{told:?} is not in what iscsi-inq says:\n{said}");
    }
    let (said, content) = libiscsi("iscsi-inq", &["-e", "1", "-c", "128", &url], &[]).await;
    assert!(content && said.contains("SIMVTL"), "{said}");
}

#[tokio::test]
async fn a_unit_that_is_not_there_is_told_so() {
    let served = served().await;
    let url = served.url();
    let (said, _) = libiscsi("iscsi-inq", &[&url.with_lun(9).to_string()], &[]).await;
    assert!(said.contains("LOGICAL_UNIT_NOT_SUPPORTED"), "{said}");

    let device = IscsiTransport::new(url.with_lun(9));
    let answer = device.execute(ready()).await.unwrap();
    let sense = answer.sense().unwrap();
    assert_eq!((sense.code.asc, sense.code.ascq), (0x25, 0x00));
    let cdb = Inquiry { vpd: None, allocation: 36 }.cdb();
    let answer = device.execute(Command::reading(cdb, 36, SOON)).await.unwrap();
    assert_eq!((answer.status, answer.data[0]), (Status::Good, 0x7F), "no device can be there");
    let cdb = RequestSense { descriptor: false, allocation: 18 }.cdb();
    let answer = device.execute(Command::reading(cdb, 18, SOON)).await.unwrap();
    assert_eq!((answer.status, answer.data[12]), (Status::Good, 0x25));
}

#[tokio::test]
async fn libiscsi_is_let_in_with_the_secret_only() {
    let served = builder().chap("backup", SECRET).mutual("library", OWN_SECRET).start().await.unwrap();
    let portal = served.address();
    let right = format!("iscsi://backup%{SECRET}@{portal}");
    let (said, content) = libiscsi("iscsi-ls", &["-s", &right], &[]).await;
    assert!(content && said.contains("MEDIA_CHANGER"), "{said}");
    for wrong in [format!("iscsi://backup%hunter2hunter2@{portal}"), format!("iscsi://{portal}")] {
        let (said, content) = libiscsi("iscsi-ls", &["-s", &wrong], &[]).await;
        assert!(!content && !said.contains("MEDIA_CHANGER"), "{said}");
    }
}

#[tokio::test]
async fn libiscsi_believes_a_target_that_proves_itself() {
    let served = builder().chap("backup", SECRET).mutual("library", OWN_SECRET).start().await.unwrap();
    let right = format!("iscsi://backup%{SECRET}@{}", served.address());
    let ask = |secret: &'static str| {
        let right = right.clone();
        let environment =
            [("LIBISCSI_CHAP_TARGET_USERNAME", "library"), ("LIBISCSI_CHAP_TARGET_PASSWORD", secret)];
        async move { libiscsi("iscsi-ls", &["-s", &right], &environment).await }
    };
    let (said, content) = ask(OWN_SECRET).await;
    assert!(content && said.contains("MEDIA_CHANGER"), "{said}");
    let (said, content) = ask("somebodyelse").await;
    assert!(!content, "{said}");
}

#[tokio::test]
async fn libiscsi_and_we_agree_on_header_digests() {
    // It offers header digests and has no data digests: those are held to the standard's examples where they are
    // computed. A target that prefers digests sends them, so an initiator that did not check them would read nonsense.
    for (policy, agreed) in
        [(DigestPolicy::Prefer, true), (DigestPolicy::Refuse, true), (DigestPolicy::Require, false)]
    {
        let served = builder().digests(policy).start().await.unwrap();
        let (said, content) = libiscsi("iscsi-inq", &[&served.url().to_string()], &[]).await;
        assert_eq!(said.contains("MEDIA_CHANGER"), agreed, "{policy:?}: {said}");
        assert_eq!(content, agreed, "{policy:?}: {said}");
    }
}

#[tokio::test]
async fn our_initiator_moves_with_digests_where_the_target_wants_them_and_not_otherwise() {
    use DigestPolicy::{Accept, Refuse, Require};
    for (theirs, ours, agreed) in
        [(Require, Accept, true), (Accept, Require, true), (Refuse, Accept, true), (Refuse, Require, false)]
    {
        let served = builder().digests(theirs).start().await.unwrap();
        let device = IscsiTransport::new(served.url()).digests(ours);
        if agreed {
            moves(&device).await;
        } else {
            let error = device.execute(ready()).await.unwrap_err();
            let TransportError::NotSent(fault) = &error else { panic!("{theirs:?} with {ours:?}: {error}") };
            assert_eq!(fault.kind, PathFaultKind::Disagreement, "{error}");
            assert!(error.to_string().contains("change the setting that is named"), "{error}");
            assert_eq!(served.library().log().len(), 0, "no command got through");
        }
    }
}

#[tokio::test]
async fn a_library_that_others_can_reach_is_not_served_without_a_good_secret() {
    let everywhere = ([0, 0, 0, 0], 0);
    let error = builder().listen(everywhere).start().await.unwrap_err();
    assert!(matches!(error, VirtualLibraryError::NeedsChap { .. }), "{error}");
    assert!(error.to_string().contains("0.0.0.0:0"), "{error}");
    let mapped: std::net::SocketAddr = "[::ffff:192.0.2.1]:0".parse().unwrap();
    let error = builder().listen(mapped).start().await.unwrap_err();
    assert!(matches!(error, VirtualLibraryError::NeedsChap { .. }), "{error}");

    let error = builder().listen(everywhere).chap("backup", "short").start().await.unwrap_err();
    assert!(matches!(error, VirtualLibraryError::WeakSecret { length: 5, .. }), "{error}");
    let error =
        builder().listen(everywhere).chap("a", SECRET).mutual("b", "short").start().await.unwrap_err();
    assert!(matches!(error, VirtualLibraryError::WeakSecret { .. }), "{error}");

    let served = builder().listen(everywhere).chap("backup", SECRET).start().await.unwrap();
    moves(&IscsiTransport::new(served.url())).await;
}

#[tokio::test]
async fn secrets_that_cannot_serve_are_refused_and_shown_nowhere() {
    let both_the_same = builder().chap("backup", SECRET).mutual("library", SECRET);
    assert!(!format!("{both_the_same:?}").contains(SECRET));
    for builder in [both_the_same, builder().mutual("library", SECRET)] {
        let error = builder.start().await.unwrap_err();
        assert!(matches!(error, VirtualLibraryError::Options { .. }), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(SECRET) && !shown.contains("sesame"), "{shown}");
    }
    let served = builder().chap("backup", SECRET).mutual("library", OWN_SECRET).start().await.unwrap();
    let shown = format!("{served:?} {}", served.url());
    assert!(!shown.contains(SECRET) && !shown.contains(OWN_SECRET), "{shown}");
}

#[tokio::test]
async fn a_secret_may_hold_what_a_url_cannot() {
    const PERCENT: &str = "open%sesame@12";
    let served = builder_of("SIMPERCENT").chap("backup", PERCENT).start().await.unwrap();
    moves(&IscsiTransport::new(served.url())).await;
    let bare: IscsiUrl = format!("iscsi://{}/{DEFAULT_NAME}/0", served.address()).parse().unwrap();
    let url = bare.with_login(&IscsiLogin::new("backup", PERCENT)).unwrap();
    let shown = format!("{url} {url:?}");
    assert!(shown.contains("backup@") && !shown.contains("sesame"), "{shown}");
    let manager = Manager::builder().library(LibraryConfig::device(url)).open().await.unwrap();
    manager.ready().await.unwrap();
    manager.shutdown().await;
    for (login, problem) in [
        (IscsiLogin::new("backup", ""), "is empty"),
        (IscsiLogin::new("backup", PERCENT).mutual("library", PERCENT), "give each its own"),
    ] {
        let error = bare.with_login(&login).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(problem) && !shown.contains("sesame"), "{shown}");
    }
}

#[tokio::test]
async fn drives_by_url_share_the_changers_session_where_all_but_the_unit_is_the_same() {
    let served = builder_of("SIMSHARED").start().await.unwrap();
    let url = served.url();
    let config = LibraryConfig::new(url.to_string())
        .drive(500, url.with_lun(1).to_string())
        .drive(501, url.with_lun(2).to_string());
    let manager = Manager::builder().library(config).open().await.unwrap();
    manager.ready().await.unwrap();
    let session = manager.session("test").role(Role::Administrator).open().unwrap();
    let tape = session.mount("VT0002L8").await.unwrap();
    assert!(
        tape.transport()
            .is_some_and(|drive| drive.device() == url.with_lun(tape.drive().0 - 499).to_string())
    );
    tape.dismount().await.unwrap();
    assert_eq!(served.sessions(), 1);
    manager.shutdown().await;

    let served = builder_of("SIMAPART").start().await.unwrap();
    let url = served.url();
    let other = format!("{}?keep_alive=20", url.with_lun(1));
    let config = LibraryConfig::new(url.to_string()).drive(500, other);
    let manager = Manager::builder().library(config).open().await.unwrap();
    manager.ready().await.unwrap();
    let session = manager.session("test").role(Role::Administrator).open().unwrap();
    session.mount("VT0002L8").await.unwrap().dismount().await.unwrap();
    assert_eq!(served.sessions(), 2, "what is to be treated otherwise has a session of its own");
    manager.shutdown().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let first = served().await;
    let error = builder().listen(first.address()).start().await.unwrap_err();
    let VirtualLibraryError::Bind { address, .. } = error else { panic!("{error}") };
    assert_eq!(address, first.address());
}

#[tokio::test]
async fn discovery_lists_the_target_with_a_url_that_works() {
    let served = builder().chap("backup", SECRET).mutual("library", OWN_SECRET).start().await.unwrap();
    let portal = served.address().to_string();
    let login = IscsiLogin::new("backup", SECRET).mutual("library", OWN_SECRET);
    let targets = discover(&portal, Some(&login)).await.unwrap();
    let [target] = &targets[..] else { panic!("{targets:?}") };
    assert_eq!((&*target.name, &target.addresses), (DEFAULT_NAME, &vec![portal]));
    let url = target.url(0, Some(&login)).unwrap();
    assert_eq!(target.urls(0, Some(&login)).unwrap(), std::slice::from_ref(&url));
    moves(&IscsiTransport::new(url)).await;
    assert_eq!(served.library().find("VT0001L8"), Some(ElementAddress(1005)));
}

#[tokio::test]
async fn a_secret_that_serves_both_ways_is_not_used() {
    let served = builder().chap("backup", SECRET).mutual("library", OWN_SECRET).start().await.unwrap();
    let portal = served.address().to_string();
    let login = IscsiLogin::new("backup", SECRET).mutual("library", SECRET);
    let error = discover(&portal, Some(&login)).await.unwrap_err();
    assert_eq!(error.fault().kind, PathFaultKind::LoginRefused);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("give each side its own") && !shown.contains(SECRET), "{shown}");
}

#[tokio::test]
async fn discovery_that_fails_says_why_and_shows_no_secret() {
    let served = builder().chap("backup", SECRET).start().await.unwrap();
    let portal = served.address().to_string();
    let wrong = IscsiLogin::new("backup", "hunter2hunter2");
    for (login, detail) in [(Some(&wrong), "refused the user or the secret"), (None, "no secret was given")] {
        let error = discover(&portal, login).await.unwrap_err();
        assert_eq!(error.fault().kind, PathFaultKind::LoginRefused);
        let shown = format!("{error} {error:?} {wrong:?}");
        assert!(shown.contains(detail) && shown.contains(&portal) && !shown.contains("hunter2"), "{shown}");
    }
    // A port that nobody listens at, and that no other test can get.
    let nobody = tokio::net::TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = discover(&nobody.local_addr().unwrap().to_string(), None).await.unwrap_err();
    assert_eq!(error.fault().kind, PathFaultKind::Unreachable, "{error}");
    for host in ["backup%hunter2hunter2@localhost", "backup%hunter2hunter2"] {
        let error = discover(host, None).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("a user and a secret stand before it"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let error = discover("::1", None).await.unwrap_err();
    assert!(error.to_string().contains("stands in brackets"), "{error}");
}

#[tokio::test]
async fn everything_works_over_ipv6() {
    let listen: std::net::SocketAddr = "[::1]:0".parse().unwrap();
    let served = builder().listen(listen).start().await.unwrap();
    let targets = discover(&served.address().to_string(), None).await.unwrap();
    assert_eq!(targets[0].addresses, [served.address().to_string()]);
    let url = targets[0].url(0, None).unwrap();
    assert!(url.to_string().starts_with("iscsi://[::1]:"), "{url}");
    moves(&IscsiTransport::new(url)).await;
    let (said, content) = libiscsi("iscsi-ls", &["-s", &format!("iscsi://{}", served.address())], &[]).await;
    assert!(content && said.contains("MEDIA_CHANGER"), "{said}");
}

#[tokio::test]
async fn a_session_of_ours_mounts_and_dismounts_on_it() {
    let served = served().await;
    let manager =
        Manager::builder().library(LibraryConfig::new(served.url().to_string())).open().await.unwrap();
    manager.ready().await.unwrap();
    let session = manager.session("test").role(Role::Administrator).open().unwrap();
    let tape = session.mount("VT0002L8").await.unwrap();
    assert_eq!(served.library().find("VT0002L8"), Some(ElementAddress(tape.drive().0)));
    tape.dismount().await.unwrap();
    assert_eq!(served.library().find("VT0002L8"), Some(ElementAddress(1001)));
    assert_eq!((served.library().moves_sent(), served.library().moves_done()), (2, 2));
    manager.shutdown().await;
}

#[tokio::test]
async fn more_connections_than_there_may_be_are_closed_and_disturb_nobody() {
    let served = served().await;
    let device = IscsiTransport::new(served.url());
    device.execute(ready()).await.unwrap();
    let mut kept = Vec::new();
    for _ in 1..MAX_CONNECTIONS {
        kept.push(TcpStream::connect(served.address()).await.unwrap());
    }
    let mut one_more = TcpStream::connect(served.address()).await.unwrap();
    let end = tokio::time::timeout(SOON, one_more.read(&mut [0; 1])).await.expect("an end");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    assert_eq!(device.execute(ready()).await.unwrap().status, Status::Good);
    // Where one leaves there is room for another.
    drop(kept);
    let other = IscsiTransport::new(served.url());
    let admitted = async { while other.execute(ready()).await.is_err() {} };
    tokio::time::timeout(SOON, admitted).await.expect("room");
}

#[tokio::test]
async fn shutting_down_frees_the_port_and_ends_every_session() {
    let served = served().await;
    let device = IscsiTransport::new(served.url());
    device.execute(ready()).await.unwrap();
    let address = served.address();
    served.shutdown().await;
    let again = builder().listen(address).start().await.unwrap();
    assert_eq!(again.address(), address);
}
