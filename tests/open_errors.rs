//! What a caller is told when a library cannot be opened, or is lost while it works: each a typed error that names the
//! device, says what to do, and shows no secret.
#![cfg(all(feature = "iscsi", feature = "sim"))]

mod beds;
mod common;
#[path = "open_errors/cut.rs"]
mod cut;
#[path = "open_errors/owner.rs"]
mod owner;
#[path = "store/temp.rs"]
mod temp;
#[path = "kill/truth.rs"]
mod truth;

use std::time::Duration;

use autochanger::transport::UrlError;
use autochanger::view::LibraryState;
use autochanger::{
    EventKind, LibraryConfig, LibraryError, Manager, OpenError, PathFaultKind, ReadyError, Refusal, Role,
    SubmitError, Timing,
};
use beds::{BedChap, TgtBed, TgtOptions};
use common::{event, within};
use temp::TempDir;
use tokio::net::{TcpListener, TcpStream};

/// Trying again comes soon, so that no test waits for it.
fn timing() -> Timing {
    Timing { retry_min: Duration::from_millis(10), retry_max: Duration::from_millis(50), ..Timing::default() }
}

fn library(url: &str) -> LibraryConfig {
    LibraryConfig::new(url).timing(timing())
}

async fn manager(url: &str, locks: &TempDir) -> Manager {
    let builder = Manager::builder().library(library(url)).lock_directory(locks.file(""));
    within(builder.open()).await.expect("opening waits for no device")
}

/// Why the library at `url` cannot be used. Whoever waits for it and whoever asks something of it learn the same.
async fn unusable(url: &str) -> LibraryError {
    let locks = TempDir::new();
    let manager = manager(url, &locks).await;
    let ready = within(manager.ready()).await.expect_err("this library is not ready");
    let ReadyError::Unusable { library, error } = &ready else { panic!("{ready}") };
    assert!(ready.to_string().contains(&**library), "{ready}");

    let session = manager.session("backup").role(Role::Administrator).open().expect("a session opens");
    let refused = within(session.mount("VT0001L3").submit()).await.expect_err("nothing can be mounted");
    let SubmitError::Refused(Refusal::NotReady { state, .. }) = &refused else { panic!("{refused}") };
    assert_eq!(**state, LibraryState::Unusable(error.clone()));
    assert!(refused.to_string().contains(&error.to_string()), "{refused}");
    let refused = within(session.inventory().submit()).await.expect_err("nothing can be read");
    assert!(matches!(refused, SubmitError::Refused(Refusal::NotReady { .. })), "{refused}");
    within(manager.shutdown()).await;
    error.clone()
}

fn is_path(error: &LibraryError, kind: PathFaultKind) -> bool {
    matches!(error, LibraryError::Path(fault) if fault.kind == kind)
}

/// Waits until a library of the manager is in a state.
async fn becomes(manager: &Manager, wanted: impl Fn(&LibraryState) -> bool) {
    let mut events = manager.events();
    let libraries = within(manager.libraries()).await.expect("the manager lives");
    if !libraries.iter().any(|library| wanted(&library.state)) {
        event(&mut events, |kind| matches!(kind, EventKind::Library { state, .. } if wanted(state))).await;
    }
}

fn is_gone(state: &LibraryState) -> bool {
    matches!(state, LibraryState::NotPresent(_))
}

/// A port on which nobody listens.
fn dead_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

#[tokio::test]
async fn a_manager_without_a_library_does_not_open() {
    let error = Manager::builder().open().await.expect_err("there is nothing to manage");
    assert!(matches!(error, OpenError::NoLibrary), "{error}");
    assert!(error.to_string().contains("library("), "{error}");
}

#[tokio::test]
async fn a_wrong_url_is_told_at_once_with_what_is_wrong_and_an_example() {
    for (url, words) in [
        ("iscsi://backup%hunter2@vtl.example/iqn.2026-01.example:lib", "the LUN is missing"),
        ("iscsi://backup%hunter2@vtl.example/iqn.2026-01.example:lib/first", "the LUN is no number"),
        ("iscsi://backup%hunter2@vtl.example:99999/iqn.2026-01.example:lib/0", "the port"),
        ("iscsi://backup%hunter2@vtl.example", "the target name is missing"),
        ("iscsi://vtl.example/library/0", "begins with none of"),
        ("sim:slots=many", "slots"),
    ] {
        let error = Manager::builder().library(LibraryConfig::new(url)).open().await.expect_err(url);
        let OpenError::Url(UrlError::Malformed { .. }) = &error else { panic!("{url}: {error:?}") };
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(words) && shown.contains("expected"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn an_unknown_scheme_is_told_with_those_that_there_are() {
    for url in ["isci://backup%hunter2@vtl.example/iqn.2026-01.example:lib/0", "/dev/sg3", ""] {
        let error = Manager::builder().library(LibraryConfig::new(url)).open().await.expect_err(url);
        assert!(matches!(error, OpenError::Url(UrlError::UnknownScheme { .. })), "{error:?}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("sim:") && shown.contains("iscsi:"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn a_wrong_url_of_a_drive_is_told_as_well() {
    let library = LibraryConfig::new("sim:").drive(500, "iscsi://backup%hunter2@vtl.example");
    let error = Manager::builder().library(library).open().await.expect_err("the drive's URL is wrong");
    assert!(matches!(error, OpenError::Url(UrlError::Malformed { .. })), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_refused_connection_is_not_present_and_names_host_and_port() {
    let port = dead_port();
    let url = format!("iscsi://backup%hunter2@127.0.0.1:{port}/iqn.2026-01.test:nobody/0");
    let locks = TempDir::new();
    // With the usual pauses: whoever waits half a second only must be told as well.
    let builder = Manager::builder().library(LibraryConfig::new(url)).lock_directory(locks.file(""));
    let manager = builder.open().await.expect("opening waits for no device");
    let patience = Duration::from_millis(500);
    let error = within(manager.ready_within(patience)).await.expect_err("nobody is there");
    let ReadyError::NotPresent { fault, waited, .. } = &error else { panic!("{error}") };
    assert_eq!(fault.kind, PathFaultKind::Unreachable);
    assert!(*waited >= patience);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(&format!("127.0.0.1:{port}")) && shown.contains("check host and port"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");

    let session = manager.session("backup").open().expect("a session opens");
    let refused = within(session.mount("VT0001L3").submit()).await.expect_err("nobody is there");
    assert!(
        matches!(&refused, SubmitError::Refused(Refusal::NotReady { state, .. })
            if matches!(**state, LibraryState::NotPresent(_))),
        "{refused}"
    );
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn a_target_that_comes_up_later_becomes_ready_by_itself() {
    let bed = TgtBed::start(TgtOptions::default());
    let (port, locks) = (dead_port(), TempDir::new());
    let manager = manager(&bed.url_through(port), &locks).await;
    becomes(&manager, is_gone).await;

    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is still free");
    let target = bed.port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    within(manager.ready()).await.expect("it is there now");
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn a_lun_that_is_a_disk_is_named_so_with_the_lun_that_is_the_changer() {
    let bed = TgtBed::start(TgtOptions::default());
    let error = unusable(&bed.disk_url()).await;
    let LibraryError::NotAChanger { device, found, .. } = &error else { panic!("{error}") };
    assert_eq!(**device, bed.disk_url());
    assert!(found.contains("disk"), "{found}");
    let changer = format!("logical unit {}", bed.changer_lun());
    assert!(error.to_string().contains(&changer) && error.to_string().contains("disk"), "{error}");
}

#[tokio::test]
async fn a_lun_that_is_a_tape_is_named_so_with_the_lun_that_is_the_changer() {
    let bed = TgtBed::start(TgtOptions::default());
    let error = unusable(&bed.drive_url(0)).await;
    let LibraryError::NotAChanger { device, found, .. } = &error else { panic!("{error}") };
    assert_eq!(**device, bed.drive_url(0));
    assert!(found.contains("tape") && found.contains("LTO3"), "{found}");
    assert!(error.to_string().contains(&format!("logical unit {}", bed.changer_lun())), "{error}");
}

#[tokio::test]
async fn a_drive_of_a_simulated_library_is_named_so_with_the_lun_that_is_the_changer() {
    let error = unusable("sim:lun=1").await;
    let LibraryError::NotAChanger { found, .. } = &error else { panic!("{error}") };
    assert!(found.contains("tape"), "{found}");
    assert!(error.to_string().contains("logical unit 0"), "{error}");
}

#[tokio::test]
async fn a_lun_that_does_not_exist_is_no_such_unit() {
    let bed = TgtBed::start(TgtOptions::default());
    let error = unusable(&bed.unit_url(99)).await;
    assert!(is_path(&error, PathFaultKind::NoSuchUnit), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&bed.unit_url(99)) && text.contains("check the LUN"), "{text}");
}

#[tokio::test]
async fn an_unknown_target_name_is_told_with_the_name() {
    let bed = TgtBed::start(TgtOptions::default());
    let url = format!("iscsi://127.0.0.1:{}/iqn.2026-01.test:other/0", bed.port());
    let error = unusable(&url).await;
    assert!(is_path(&error, PathFaultKind::TargetNotFound), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("iqn.2026-01.test:other") && text.contains("check the target name"), "{text}");
}

const CHAP: BedChap =
    BedChap { user: "backup", secret: "opensesame12", target: Some(("library", "whoisthere12")) };
const SECRETS: [&str; 3] = ["opensesame12", "hunter2", "whoisthere12"];

#[tokio::test]
async fn wrong_and_missing_secrets_are_a_refused_login_that_says_what_to_check() {
    let bed = TgtBed::start(TgtOptions { chap: Some(CHAP), ..TgtOptions::default() });
    for (login, words) in [
        ("", "no secret was given"),
        ("backup%hunter2hunter2", "refused the user or the secret"),
        ("nobody%opensesame12", "refused the user or the secret"),
        ("backup%opensesame12%library%hunter2hunter2", "did not prove its own secret"),
    ] {
        let error = unusable(&bed.url_with_login(login)).await;
        assert!(is_path(&error, PathFaultKind::LoginRefused), "{login}: {error:?}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(words) && shown.contains("check user and secret"), "{shown}");
        assert!(shown.contains(&format!("127.0.0.1:{}", bed.port())), "{shown}");
        assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
    }
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again() {
    let bed = TgtBed::start(TgtOptions { chap: Some(CHAP), ..TgtOptions::default() });
    let proxy = beds::proxy::Proxy::start(bed.port()).await;
    let locks = TempDir::new();
    // Without a secret, through the proxy, which counts.
    let manager = manager(&bed.url_through(proxy.port()), &locks).await;
    within(manager.ready()).await.expect_err("the target wants a secret");
    let tried = proxy.connections();
    // Ten times the longest pause before trying again: nothing may come, and only waiting shows it.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(proxy.connections(), tried, "an account can be locked by wrong secrets");
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn a_library_behind_a_secret_works_and_shows_it_nowhere() {
    let bed = TgtBed::start(TgtOptions { chap: Some(CHAP), ..TgtOptions::default() });
    let locks = TempDir::new();
    let config = library(&bed.url());
    let mut shown = format!("{config:?}");
    let builder = Manager::builder().library(config).lock_directory(locks.file(""));
    let manager = builder.open().await.expect("the manager opens");
    let mut events = manager.events();
    within(manager.ready()).await.expect("the secret is right");
    let session = manager.session("backup").role(Role::Administrator).open().expect("a session opens");
    let tape = within(session.mount("VT0001L3")).await.expect("mounted");
    let refused = within(session.mount("VT0001L4").submit()).await.expect_err("there is no such cartridge");
    let libraries = within(session.libraries()).await.expect("the session is open");
    let drives = within(session.drives(None)).await.expect("the session is open");
    shown += &format!("{manager:?} {session:?} {tape:?} {refused} {libraries:?} {drives:?}");
    let seen = event(&mut events, |kind| matches!(kind, EventKind::Mounted(_))).await;
    shown += &format!("{seen:?}");
    within(tape.dismount()).await.expect("dismounted");
    within(manager.shutdown()).await;
    for entry in std::fs::read_dir(locks.file("")).expect("the locks' directory is there") {
        shown += &format!("{entry:?}");
    }
    assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

#[tokio::test]
async fn a_target_that_speaks_no_iscsi_is_a_breach_of_protocol() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let port = listener.local_addr().expect("a bound socket has an address").port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let greeting = b"220 mail.example ESMTP ready, pleased to meet you, friend\r\n";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, greeting).await;
            kept.push(stream);
        }
    });
    let url = format!("iscsi://127.0.0.1:{port}/iqn.2026-01.test:mail/0");
    let error = unusable(&url).await;
    assert!(is_path(&error, PathFaultKind::Protocol), "{error:?}");
    assert!(error.to_string().contains(&url), "{error}");
}
