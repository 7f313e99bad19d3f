//! One owner per library: whoever comes second is told who has it, and gets it when that one is gone.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use autochanger::transport::sim::{self, SimulatedLibrary};
use autochanger::view::LibraryState;
use autochanger::{ClaimError, LibraryConfig, LibraryError, Manager, ReadyError, Role};

use crate::beds::proxy::Proxy;
use crate::beds::{TgtBed, TgtOptions};
use crate::common::within;
use crate::temp::TempDir;
use crate::{becomes, is_gone, library, manager, timing};

/// The other owner's process id; the message names library and process, and says what to do.
async fn owner(second: &Manager) -> u32 {
    let error = within(second.ready()).await.expect_err("somebody else has it");
    let ReadyError::Unusable { error: LibraryError::InUse { serial, claim, .. }, .. } = &error else {
        panic!("{error}")
    };
    let ClaimError::InUse { pid: Some(pid) } = claim else { panic!("{claim}") };
    let text = error.to_string();
    assert!(text.contains(&**serial) && text.contains(&pid.to_string()), "{text}");
    assert!(text.contains("stop the other manager"), "{text}");
    *pid
}

async fn becomes_ready(manager: &Manager) {
    becomes(manager, |state| *state == LibraryState::Ready).await;
}

#[tokio::test]
async fn a_second_manager_in_the_same_process_is_told_its_own_process_id() {
    let bed = TgtBed::start(TgtOptions::default());
    let locks = TempDir::new();
    let first = manager(&bed.url(), &locks).await;
    within(first.ready()).await.expect("nobody else is there");
    let second = manager(&bed.url(), &locks).await;
    assert_eq!(owner(&second).await, std::process::id());

    // The second one has disturbed nothing, and takes over when the first one is gone.
    within(first.ready()).await.expect("it is still the owner");
    within(first.shutdown()).await;
    becomes_ready(&second).await;
    let session = second.session("backup").role(Role::Administrator).open().expect("a session opens");
    let tape = within(session.mount("VT0001L3")).await.expect("mounted");
    within(tape.dismount()).await.expect("dismounted");
    within(second.shutdown()).await;
}

#[tokio::test]
async fn a_second_manager_is_kept_out_by_whatever_way_it_comes() {
    let bed = TgtBed::start(TgtOptions::default());
    let proxy = Proxy::start(bed.port()).await;
    let locks = TempDir::new();
    let first = manager(&bed.url(), &locks).await;
    within(first.ready()).await.expect("nobody else is there");
    let second = manager(&bed.url_through(proxy.port()), &locks).await;
    owner(&second).await;
    // INQUIRY is all that it has sent: it has taken no inventory of a library that is not its own.
    assert!(proxy.commands().iter().all(|opcode| *opcode == 0x12), "{:02X?}", proxy.commands());
    within(second.shutdown()).await;
    within(first.shutdown()).await;
}

#[tokio::test]
async fn a_second_manager_on_a_simulated_library_is_kept_out_as_well() {
    let library = SimulatedLibrary::start(sim::Library::new());
    let locks = TempDir::new();
    let open = async |name: &str| {
        let config = LibraryConfig::transport(name, library.transport()).timing(timing());
        Manager::builder().library(config).lock_directory(locks.file("")).open().await.expect("it opens")
    };
    let first = open("the vault").await;
    within(first.ready()).await.expect("nobody else is there");
    let second = open("the same vault").await;
    let error = within(second.ready()).await.expect_err("somebody else has it");
    assert!(error.to_string().contains("the same vault"), "{error}");
    assert!(error.to_string().contains(&library.serial()), "{error}");
    assert_eq!(owner(&second).await, std::process::id());
    // A manager that is dropped gives its libraries back, too.
    drop(first);
    becomes_ready(&second).await;
    within(second.shutdown()).await;
}

#[tokio::test]
async fn a_manager_in_another_process_is_told_and_a_killed_one_leaves_nothing_behind() {
    become_the_other_process_if_told().await;
    let bed = TgtBed::start(TgtOptions::default());
    let locks = TempDir::new();
    let mut other = other_process(&bed.url(), &locks);
    let second = manager(&bed.url(), &locks).await;
    assert_eq!(owner(&second).await, other.id());
    other.kill().expect("it was running");
    other.wait().expect("it ends");
    becomes_ready(&second).await;
    within(second.shutdown()).await;
}

const CHILD: &str = "AUTOCHANGER_OTHER_OWNER";

/// This test program again, with the calling test; returns when it owns the library.
fn other_process(url: &str, locks: &TempDir) -> Child {
    let test = std::thread::current().name().expect("the harness names its threads").to_owned();
    let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["--exact", &test, "--nocapture", "--test-threads=1"])
        .env(CHILD, url)
        .env("AUTOCHANGER_LOCKS", locks.file(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts again");
    let stdout = child.stdout.take().expect("stdout is piped");
    let told = BufReader::new(stdout).lines().map_while(Result::ok).any(|line| line.ends_with("it is mine"));
    assert!(told, "the other process owns the library");
    child
}

async fn become_the_other_process_if_told() {
    let Ok(url) = std::env::var(CHILD) else { return };
    // The parent holds the other end for as long as it lives.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(3);
    });
    let locks = std::env::var("AUTOCHANGER_LOCKS").expect("the parent says where the locks are");
    let builder = Manager::builder().library(library(&url)).lock_directory(locks);
    let manager = builder.open().await.expect("the manager opens");
    within(manager.ready()).await.expect("nobody else is there");
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nit is mine").and_then(|()| out.flush()).expect("the parent listens");
    loop {
        std::thread::park();
    }
}

#[tokio::test]
async fn the_same_library_configured_twice_is_told_and_serves_once() {
    let bed = TgtBed::start(TgtOptions::default());
    let proxy = Proxy::start(bed.port()).await;
    let locks = TempDir::new();
    let builder = Manager::builder()
        .library(library(&bed.url()).name("the vault"))
        .library(library(&bed.url_through(proxy.port())).name("the vault again"))
        .lock_directory(locks.file(""));
    let manager = builder.open().await.expect("the manager opens");
    let error = within(manager.ready()).await.expect_err("one of them is too much");
    let ReadyError::Unusable { error: LibraryError::Twice { device, other, serial }, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(&**serial, format!("BED{:07}", bed.port()));
    assert_ne!(device, other);
    let text = error.to_string();
    assert!(text.contains("the vault again") && text.contains("configure one library once"), "{text}");

    becomes_ready(&manager).await;
    let session = manager.session("backup").role(Role::Administrator).open().expect("a session opens");
    let tape = within(session.mount("VT0001L3")).await.expect("the other entry serves");
    within(tape.dismount()).await.expect("dismounted");
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn a_lock_that_cannot_be_made_says_where_and_why() {
    let bed = TgtBed::start(TgtOptions::default());
    let builder =
        Manager::builder().library(library(&bed.url())).lock_directory("/nonexistent/autochanger-locks");
    let manager = builder.open().await.expect("the manager opens");
    let error = within(manager.ready()).await.expect_err("the library cannot be claimed");
    let ReadyError::Unusable { error: LibraryError::InUse { claim: ClaimError::Lock(_), .. }, .. } = &error
    else {
        panic!("{error}")
    };
    let text = error.to_string();
    assert!(text.contains("/nonexistent/autochanger-locks"), "{text}");
    assert!(!text.contains("other manager"), "there is none: {text}");
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn a_library_that_another_manager_lost_is_free_at_once() {
    let bed = TgtBed::start(TgtOptions::default());
    let (locks, port) = (TempDir::new(), crate::dead_port());
    let lost = manager(&bed.url_through(port), &locks).await;
    becomes(&lost, is_gone).await;
    let second = manager(&bed.url(), &locks).await;
    within(second.ready()).await.expect("a manager without a way to the library holds it from nobody");
    within(second.shutdown()).await;
    within(lost.shutdown()).await;
}
