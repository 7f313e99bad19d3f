//! `certify --move` moves nothing in a library that is somebody else's, and gives the library back, also when it is stopped.

use std::process::Stdio;
use std::time::Duration;

use autochanger::transport::Command;
use autochanger::transport::sim::{self, Hold, SimulatedLibrary};
use autochanger::virtual_library::VirtualLibrary;
use autochanger::{LibraryConfig, Manager};
use autochanger_scsi::{PersistentReserveIn, PersistentReserveInAction, ReservationKeys, Status};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::beds::proxy::Proxy;
use crate::beds::{TgtBed, TgtOptions};
use crate::reads::only_reads;
use crate::temp::TempDir;
use crate::{PATIENCE, directory, ended, program, run};

const LOG_SENSE: u8 = 0x4D;

async fn manager(url: &str, locks: &TempDir, owner: &str) -> Manager {
    let builder = Manager::builder().library(LibraryConfig::new(url)).lock_directory(locks.file(""));
    let manager = builder.owner(owner).open().await.expect("it opens");
    manager.ready().await.expect("nobody else is there");
    manager
}

async fn serve(serial: &str) -> (SimulatedLibrary, VirtualLibrary) {
    let description = sim::Library::new().slots(8).drives(2).cartridges("VT{:04}L8", 1..=4).serial(serial);
    let library = SimulatedLibrary::start(description);
    let served = VirtualLibrary::builder(library.clone()).listen(([127, 0, 0, 1], 0)).start().await;
    (library, served.expect("a port is free"))
}

/// The keys that are registered with the changer.
async fn keys(library: &SimulatedLibrary) -> Vec<u64> {
    let device = library.transport();
    let read = PersistentReserveIn { action: PersistentReserveInAction::ReadKeys, allocation: 4096 };
    loop {
        let command = Command::reading(read.cdb(), 4096, Duration::from_secs(10));
        let answer = device.execute(command).await.expect("it answers");
        if answer.status == Status::Good {
            return ReservationKeys::parse(&answer.data).expect("a list").keys().collect();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_that_a_manager_has_is_left_alone() {
    let bed = TgtBed::start(TgtOptions::default());
    let (proxy, locks) = (Proxy::start(bed.port()).await, TempDir::new());
    let other = manager(&bed.url(), &locks, "the vault").await;
    let url = bed.url_through(proxy.port());
    let arguments = [&*url, "--runs", "2", "--lock-directory", &directory(&locks)];
    let moving = run("certify", &[&arguments[..], &["--move"]].concat()).await;
    let pid = std::process::id().to_string();
    moving.is_refused(&["in use by the process", &pid, "stop the other manager", "nothing was moved"]);
    assert!(moving.block().contains("it ended with: it is in use by somebody else"), "{}", moving.out);
    assert!(!moving.block().contains("BED"), "no serial number is pasted: {}", moving.block());
    only_reads(proxy.commands().iter().map(std::slice::from_ref));

    // Reading is no harm to the other, and what was not asked of a manager is told as that.
    let reading = run("certify", &arguments).await;
    reading.ended(0);
    let alone = "quirks: as seen by this program alone; it is in use by somebody else";
    assert!(reading.block().contains(alone), "{}", reading.out);
    only_reads(proxy.commands().iter().map(std::slice::from_ref));
    other.ready().await.expect("nothing has happened to it");
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_that_another_host_has_reserved_is_left_alone() {
    let (library, served) = serve("RESERVED").await;
    let (ours, theirs) = (TempDir::new(), TempDir::new());
    let other = manager(&served.url().to_string(), &theirs, "another host").await;
    let registered = keys(&library).await;
    assert_eq!(registered.len(), 1);
    let url = served.url().to_string();
    let moving =
        run("certify", &[&url, "--move", "--runs", "2", "--lock-directory", &directory(&ours)]).await;
    moving.is_refused(&["RESERVED", "reserved", "nothing was moved"]);
    assert_eq!(library.moves_sent(), 0, "{}", moving.err);
    assert_eq!(keys(&library).await, registered, "the other's reservation stands");
    other.shutdown().await;
    served.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_is_reserved_while_certify_moves_and_given_back_also_after_an_interruption() {
    let (library, served) = serve("GIVEN-BACK").await;
    let locks = TempDir::new();
    let url = served.url().to_string();
    let gate = library.hold(Hold::opcode(LOG_SENSE));
    let arguments = [&*url, "--move", "--runs", "2", "--lock-directory", &directory(&locks)];
    let mut child = program("certify", &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    tokio::time::timeout(PATIENCE, gate.reached()).await.expect("it reads the log pages");
    assert_eq!(keys(&library).await.len(), 1, "it is reserved before anything moves");
    let pid = child.id().expect("it runs").to_string();
    let interrupted = std::process::Command::new("kill").args(["-INT", &pid]).status();
    assert!(interrupted.expect("kill runs").success());
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let mut told = Vec::new();
    while let Some(line) =
        tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("it ends").expect("text")
    {
        told.push(line);
    }
    let run = ended(child.wait_with_output()).await;
    assert_eq!(run.status, 2, "{told:?}");
    assert!(told.iter().any(|line| line.contains("it was interrupted")), "{told:?}");
    assert!(keys(&library).await.is_empty(), "it is given back");
    assert_eq!(library.moves_sent(), 0);
    gate.release();

    // Whole, it ends the same way.
    crate::run("certify", &arguments).await.ended(0);
    assert_eq!(library.moves_done(), 5);
    assert!(keys(&library).await.is_empty(), "it is given back");
    served.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quickstart_gives_the_library_back_also_when_it_cannot_do_what_it_was_to() {
    let description = sim::Library::new().slots(8).drives(2).cartridges("VT{:04}L8", 1..=2);
    let library = SimulatedLibrary::start(description.serial("QUICK-END"));
    let served = VirtualLibrary::builder(library.clone()).listen(([127, 0, 0, 1], 0)).start().await;
    let served = served.expect("a port is free");
    run("quickstart", &[&served.url().to_string()]).await.is_refused(&["it needs 3 labelled cartridges"]);
    assert!(keys(&library).await.is_empty(), "it is given back");
    served.shutdown().await;
}
