//! Several libraries, labels that stand twice, and libraries that go away with what was mounted in them.
#![cfg(all(feature = "sim", feature = "redb"))]

mod common;
#[path = "store/temp.rs"]
mod temp;

use autochanger::transport::sim::{self, SimulatedLibrary};
use autochanger::{LibraryConfig, Manager, Refusal, RequestError, Role, Session, SubmitError};
use common::within;
use temp::TempDir;

fn library() -> SimulatedLibrary {
    SimulatedLibrary::start(sim::Library::new().slots(8).drives(2).ports(0).cartridges("AA{:04}L8", 1..=3))
}

async fn manager(libraries: &[&SimulatedLibrary], files: &TempDir) -> (Manager, Session) {
    let mut builder = Manager::builder().store(files.file("media.redb")).lock_directory(files.file(""));
    for (n, library) in libraries.iter().enumerate() {
        let config = LibraryConfig::transport(format!("library {n}"), library.transport());
        builder = builder.library(config.timing(common::timing()));
    }
    let manager = builder.open().await.expect("the manager opens");
    within(manager.ready()).await.expect("the libraries are ready");
    let session = manager.session("test").role(Role::Administrator).open().expect("a session");
    (manager, session)
}

#[tokio::test]
async fn the_same_labels_in_two_libraries_are_two_sets_of_cartridges() {
    let (files, a, b) = (TempDir::new(), library(), library());
    let (manager, session) = manager(&[&a, &b], &files).await;
    for library in session.libraries().await.expect("listed") {
        assert_eq!(session.cartridges(library.id).await.expect("listed").len(), 3, "{}", library.name);
    }
    let error = session.mount("AA0001L8").submit().await.expect_err("which one?");
    assert!(matches!(&error, SubmitError::Refused(Refusal::AmbiguousBarcode { count: 2, .. })), "{error}");
    let second = session.libraries().await.expect("listed").pop().and_then(|library| library.id);
    let tape = session.cartridges(second).await.expect("listed").remove(0);
    within(session.mount(tape.id).submit().await.expect("accepted").wait()).await.expect("mounted");
    assert_eq!((a.moves_sent(), b.moves_sent()), (0, 1));
    manager.shutdown().await;
}

#[tokio::test]
async fn what_was_mounted_in_a_library_that_is_gone_can_be_mounted_where_its_cartridge_is_now() {
    let (files, old, new) = (TempDir::new(), library(), library());
    let (first, session) = manager(&[&old], &files).await;
    within(session.mount("AA0001L8").submit().await.expect("accepted").wait()).await.expect("mounted");
    first.shutdown().await;
    let (second, session) = manager(&[&new], &files).await;
    assert!(session.mounts().await.expect("listed").is_empty(), "its library is gone, and so is the mount");
    let tape =
        within(session.mount("AA0001L8").submit().await.expect("accepted").wait()).await.expect("mounted");
    within(tape.dismount().submit().await.expect("accepted").wait()).await.expect("dismounted");
    second.shutdown().await;
}

#[tokio::test]
async fn a_slot_that_is_full_is_refused_before_anything_is_kept() {
    let (files, library) = (TempDir::new(), library());
    let (manager, session) = manager(&[&library], &files).await;
    let tape =
        within(session.mount("AA0001L8").submit().await.expect("accepted").wait()).await.expect("mounted");
    let error = tape.dismount().to(1001).submit().await.expect_err("AA0002L8 is there");
    assert!(matches!(&error, SubmitError::Refused(Refusal::SlotFull { slot: 1001, .. })), "{error}");
    assert!(error.to_string().contains("AA0002L8"), "{error}");
    manager.shutdown().await;
}

#[tokio::test]
async fn a_ticket_s_error_names_the_label_of_its_cartridge() {
    let (files, library) = (TempDir::new(), library());
    let (manager, session) = manager(&[&library], &files).await;
    let gate = library.hold(sim::Hold::next().on(common::MOVE_MEDIUM));
    let _moving = session.mount("AA0001L8").submit().await.expect("accepted");
    within(gate.reached()).await;
    let mut waiting = session.mount("AA0002L8").submit().await.expect("accepted");
    session.cancel_library_request(waiting.id()).await.map(drop).expect("cancelled");
    let error: RequestError = within(waiting.wait()).await.expect_err("cancelled");
    assert!(error.to_string().contains("AA0002L8"), "{error}");
    gate.release();
    manager.shutdown().await;
}
