//! Several paths to one library, and one owner on the device: the whole manager on the simulated library and over iSCSI.
#![cfg(all(feature = "sim", feature = "iscsi"))]

mod beds;
mod common;
#[path = "store/temp.rs"]
mod temp;

use std::time::Duration;

use autochanger::transport::sim::{self, Access, SimulatedLibrary};
use autochanger::view::{LibraryState, PathState};
use autochanger::virtual_library::{DEFAULT_NAME, VirtualLibrary};
use autochanger::{
    ClaimError, EventKind, LibraryConfig, LibraryError, Manager, ReadyError, Reservation, Role, Session,
    Timing,
};
use beds::proxy::{Cut, Holding, Proxy};
use common::within;
use temp::TempDir;

const MOVE: u8 = 0xA5;

fn timing() -> Timing {
    Timing { retry_min: Duration::from_millis(10), ..Timing::default() }
}

fn simulated() -> SimulatedLibrary {
    SimulatedLibrary::start(sim::Library::new().drives(2).slots(12).cartridges("VT{:04}L8", 1..=6))
}

async fn open(config: LibraryConfig, locks: &TempDir) -> Manager {
    let builder = Manager::builder().library(config.timing(timing())).lock_directory(locks.file(""));
    builder.open().await.expect("it opens")
}

fn session(manager: &Manager) -> Session {
    manager.session("backup").role(Role::Administrator).open().expect("a session opens")
}

async fn becomes(manager: &Manager, what: impl Fn(&LibraryState, &[PathState]) -> bool) {
    within(async {
        let mut events = manager.events();
        loop {
            let library = manager.libraries().await.expect("it is open").remove(0);
            let paths: Vec<_> = library.paths.into_iter().map(|path| path.state).collect();
            if what(&library.state, &paths) {
                return;
            }
            let _ = events.next().await;
        }
    })
    .await;
}

async fn refusal(manager: &Manager) -> ClaimError {
    match within(manager.ready()).await {
        Err(ReadyError::Unusable { error: LibraryError::InUse { claim, .. }, .. }) => claim,
        other => panic!("{other:?}"),
    }
}

/// Through the target, as a cable would be cut: the portal in front of the virtual library is the path.
async fn served(library: &SimulatedLibrary) -> VirtualLibrary {
    VirtualLibrary::builder(library.clone()).listen(([127, 0, 0, 1], 0)).start().await.expect("it listens")
}

fn through(proxy: &Proxy) -> String {
    format!("iscsi://127.0.0.1:{}/{DEFAULT_NAME}/0", proxy.port())
}

#[tokio::test]
async fn a_library_is_used_over_its_second_path_when_the_first_one_dies() {
    let library = simulated();
    let name = format!("paths-{}", library.serial());
    let url = library.publish(&name).expect("the name is free").to_string();
    let locks = TempDir::new();
    let manager = open(LibraryConfig::new(&url).path(format!("{url},port=1")), &locks).await;
    within(manager.ready()).await.expect("both paths lead there");
    let session = session(&manager);
    let tape = within(session.mount("VT0001L8")).await.expect("mounted");

    library.set_port(0, Access::Dead);
    let mut events = manager.events();
    within(tape.dismount()).await.expect("dismounted over the other path");
    assert_eq!((library.moves_sent(), library.moves_done()), (2, 2));
    let lost = within(async {
        loop {
            let event = events.next().await.expect("it runs").expect("none is missed");
            if let EventKind::Path { path, state: PathState::Lost(_), .. } = event.kind {
                return path;
            }
        }
    })
    .await;
    assert_eq!(*lost, *url);
    within(manager.ready()).await.expect("it is not away");
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn a_move_whose_path_dies_is_settled_over_the_other_portal_and_not_sent_again() {
    let library = simulated();
    let (first, second) = (served(&library).await, served(&library).await);
    let proxy = Proxy::start(first.address().port()).await;
    let locks = TempDir::new();
    let config = LibraryConfig::new(through(&proxy)).path(second.url().to_string());
    let manager = open(config, &locks).await;
    within(manager.ready()).await.expect("both paths lead there");
    proxy.hold(Holding::Commands);
    let mount = session(&manager).mount("VT0002L8").submit().await.expect("accepted");
    proxy.until_count(MOVE, 1).await;
    within(async {
        while library.moves_done() == 0 {
            // The library tells nobody when it is done; looking again is cheap.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    // The answer is on its way when the cable goes, and nobody listens there any more.
    drop(proxy);
    within(mount).await.expect("mounted");
    assert_eq!(library.moves_sent(), 1);
    let place = library.find("VT0002L8").map(|place| place.0);
    assert!(matches!(place, Some(500 | 501)), "{place:?}");
    becomes(&manager, |_, paths| matches!(paths, [PathState::Lost(_), PathState::Active])).await;
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn a_move_that_a_cut_connection_never_delivered_is_made_once_by_whichever_path() {
    let library = simulated();
    let (first, second) = (served(&library).await, served(&library).await);
    let proxy = Proxy::start(first.address().port()).await;
    let locks = TempDir::new();
    // It may have arrived, for all that is known: it is sent again when its time is over, and not before.
    let timing = Timing { motion: Duration::from_secs(1), recommended: false, ..timing() };
    let config = LibraryConfig::new(through(&proxy)).path(second.url().to_string()).timing(timing);
    let builder = Manager::builder().library(config).lock_directory(locks.file(""));
    let manager = builder.open().await.expect("it opens");
    within(manager.ready()).await.expect("both paths lead there");
    proxy.cut(Cut::BeforeCommand(MOVE));
    within(session(&manager).mount("VT0002L8")).await.expect("mounted");
    assert_eq!((library.moves_sent(), library.moves_done()), (1, 1));
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn two_portals_of_different_libraries_are_not_two_paths() {
    let (first, second) = (served(&simulated()).await, served(&simulated()).await);
    let locks = TempDir::new();
    let config = LibraryConfig::new(first.url().to_string()).path(second.url().to_string());
    let manager = open(config, &locks).await;
    let error = within(manager.ready()).await.expect_err("they are two libraries");
    let text = error.to_string();
    for library in [&first, &second] {
        assert!(text.contains(&library.url().to_string()), "{text}");
        assert!(text.contains(&library.library().serial()), "{text}");
    }
    assert!(text.contains("configuration of its own"), "{text}");
    assert!(first.library().log().iter().all(|entry| entry.opcode() != Some(0xB8)), "nothing was read");
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn managers_that_do_not_see_each_others_locks_are_kept_apart_by_the_device() {
    let library = simulated();
    let served = served(&library).await;
    let url = served.url().to_string();
    // Two lock directories, as on two machines.
    let (here, there) = (TempDir::new(), TempDir::new());
    let first = open(LibraryConfig::new(&url), &here).await;
    within(first.ready()).await.expect("nobody else is there");
    let second = open(LibraryConfig::new(&url), &there).await;
    let claim = refusal(&second).await;
    let ClaimError::Reserved { key: Some(key), .. } = &claim else { panic!("{claim}") };
    assert!(claim.to_string().contains(&format!("{key:#018x}")), "{claim}");
    assert!(claim.to_string().contains("take_over"), "{claim}");
    let tape = within(session(&first).mount("VT0001L8")).await.expect("it was not disturbed");
    within(tape.dismount()).await.expect("dismounted");

    // It is given back at the shut-down, and the second one gets it by itself.
    within(first.shutdown()).await;
    becomes(&second, |state, _| *state == LibraryState::Ready).await;
    within(second.shutdown()).await;
}

#[tokio::test]
async fn a_library_can_be_taken_from_an_owner_by_name_and_the_owner_learns_of_it() {
    let library = simulated();
    let (here, there) = (TempDir::new(), TempDir::new());
    let first = open(LibraryConfig::transport("the vault", library.transport()), &here).await;
    within(first.ready()).await.expect("nobody else is there");
    let config = LibraryConfig::transport("the vault", library.transport()).take_over(true);
    let second = open(config, &there).await;
    within(second.ready()).await.expect("it was taken");
    // The next thing that the first one does tells it.
    let refused = session(&first).mount("VT0001L8").submit().await.expect("accepted");
    becomes(&first, |state, _| {
        matches!(
            state,
            LibraryState::Unusable(LibraryError::InUse { claim: ClaimError::Reserved { .. }, .. })
        )
    })
    .await;
    assert_eq!(library.moves_done(), 0);
    within(second.shutdown()).await;
    within(refused).await.expect("it is the first one's again, which goes on");
    within(first.shutdown()).await;
}

#[tokio::test]
async fn managers_of_one_name_follow_each_other_without_a_word() {
    let library = simulated();
    let open = async |locks: &TempDir| {
        let config = LibraryConfig::transport("the vault", library.transport()).timing(timing());
        let builder = Manager::builder().library(config).owner("the vault's manager");
        builder.lock_directory(locks.file("")).open().await.expect("it opens")
    };
    let (here, there) = (TempDir::new(), TempDir::new());
    let first = open(&here).await;
    within(first.ready()).await.expect("nobody else is there");
    let second = open(&there).await;
    within(second.ready()).await.expect("it is the same owner");
    within(first.shutdown()).await;
    within(second.shutdown()).await;
}

#[tokio::test]
async fn a_library_without_reservations_can_be_refused() {
    let library = simulated();
    library.inject(sim::Fault::sense(sim::SenseKey::IllegalRequest, 0x20, 0x00).on(0x5E).always());
    let config = LibraryConfig::transport("the vault", library.transport());
    let locks = TempDir::new();
    let manager = open(config.reservation(Reservation::Required), &locks).await;
    let error = within(manager.ready()).await.expect_err("it has none");
    assert!(error.to_string().contains("persistent reservations"), "{error}");
    within(manager.shutdown()).await;
}
