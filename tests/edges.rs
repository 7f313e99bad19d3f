//! Sessions at the edges: shut-downs, adoptions and repeats while an end is being written.
#![cfg(feature = "sim")]
mod common;
use autochanger::{EventKind, RequestError, Role, State};
use common::{Bed, Hand, builder, event, library, new_id, within};
use std::time::Duration;

#[tokio::test]
async fn an_application_sees_the_end_of_its_own_mount() {
    let bed = Bed::new().await;
    let own = bed.other(Role::Application);
    let mut events = own.events();
    let mine = within(own.mount("VT0002L8")).await.expect("mounted");
    let id = mine.id();
    within(mine.dismount()).await.expect("dismounted");
    let seen = tokio::time::timeout(
        Duration::from_secs(2),
        event(&mut events, |kind| matches!(kind, EventKind::Dismounted { id: ended, .. } if *ended == id)),
    );
    assert!(seen.await.is_ok(), "its Dismounted event never comes");
    bed.end().await;
}

#[tokio::test]
async fn an_application_sees_the_cancel_of_its_own_request() {
    let bed = Bed::new().await;
    let own = bed.other(Role::Application);
    let (_moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let mut events = own.events();
    let ticket = own.mount("VT0002L8").submit().await.expect("accepted");
    let id = ticket.id();
    let _ = own.cancel_library_request(id).await.expect("cancelled");
    let seen = tokio::time::timeout(
        Duration::from_secs(2),
        event(&mut events, |kind| matches!(kind, EventKind::CancelAccepted { id: of, .. } if *of == id)),
    );
    assert!(seen.await.is_ok(), "its CancelAccepted event never comes");
    drop(gate);
    bed.end().await;
}

#[tokio::test]
async fn a_ticket_that_is_handed_out_while_the_end_is_written_resolves() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
    let (_moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let id = new_id();
    let first = bed.session.mount("VT0002L8").id(id).submit().await.expect("accepted");
    hand.hold();
    let session = bed.session.clone();
    let cancel = tokio::spawn(async move { session.cancel_library_request(id).await });
    within(hand.reached()).await;
    let session = bed.session.clone();
    let again = tokio::spawn(async move { session.mount("VT0002L8").id(id).submit().await });
    // Time for the repeat to reach the engine. Where it is too short the test sees less and cannot fail for it; the engine's
    // own tests of this (`crates/engine/tests/edges.rs`) need no time.
    tokio::time::sleep(Duration::from_millis(50)).await;
    hand.release();
    let _ = within(cancel).await.expect("no panic").expect("cancelled");
    assert!(matches!(within(first).await, Err(RequestError::Cancelled { .. })));
    let again = within(again).await.expect("no panic").expect("answered");
    let ended = tokio::time::timeout(Duration::from_secs(2), again.into_future()).await;
    assert!(ended.is_ok(), "the ticket never resolves");
    drop(gate);
    bed.end().await;
}

#[tokio::test]
async fn an_adoption_during_a_cancel_does_not_break_the_store() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
    let (_moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let ticket = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    let id = ticket.id();
    hand.hold();
    let session = bed.session.clone();
    let cancel = tokio::spawn(async move { session.cancel_library_request(id).await });
    within(hand.reached()).await;
    let session = bed.session.clone();
    let adopt = tokio::spawn(async move { session.adopt(id).await });
    // Time for the adoption to reach the engine; see the repeat above.
    tokio::time::sleep(Duration::from_millis(50)).await;
    hand.release();
    let _ = within(cancel).await.expect("no panic").expect("cancelled");
    println!("{:?}", within(adopt).await.expect("no panic").map(|t| t.id()));
    let next = bed.session.mount("VT0003L8").submit().await;
    assert!(next.is_ok(), "the manager is dead: {:?}", next.err());
    drop(gate);
    bed.end().await;
}

#[tokio::test]
async fn a_manager_that_is_shut_down_begins_nothing() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
    within(bed.session.inventory()).await.expect("read");
    hand.hold();
    let session = bed.session.clone();
    let id = new_id();
    let submitted = tokio::spawn(async move { session.mount("VT0002L8").id(id).submit().await });
    within(hand.reached()).await;
    let mut shut_down = std::pin::pin!(bed.manager.shutdown());
    tokio::select! {
        biased;
        () = &mut shut_down => panic!("it did not wait for the store"),
        () = tokio::task::yield_now() => {}
    }
    hand.release();
    within(shut_down).await;
    println!("{:?}", within(submitted).await.map(|r| r.map(|t| t.id())));
    println!(
        "commits {} queued {} inprocess {}",
        hand.commits(),
        hand.has_committed(id, |r| r.state == State::Queued),
        hand.has_committed(id, |r| r.state == State::InProcess)
    );
    assert!(
        !hand.has_committed(id, |r| r.state == State::InProcess),
        "an intent was journaled after the shut-down, for a move that nobody sends"
    );
}

#[test]
fn the_probe_for_the_lock_directory_writes_through_no_link() {
    let directory = std::path::Path::new("/run/lock");
    let victim = std::env::temp_dir().join(format!("victim-{}", std::process::id()));
    std::fs::write(&victim, "precious").expect("written");
    let probe = directory.join(format!(".autochanger-probe-{}", std::process::id()));
    let _ = std::fs::remove_file(&probe);
    if std::os::unix::fs::symlink(&victim, &probe).is_err() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let library = library();
        let manager = autochanger::Manager::builder()
            .library(autochanger::LibraryConfig::transport("l", library.transport()))
            .open()
            .await
            .expect("opens");
        manager.shutdown().await;
    });
    let left = std::fs::read_to_string(&victim).expect("read");
    let _ = std::fs::remove_file(&probe);
    let _ = std::fs::remove_file(&victim);
    assert_eq!(left, "precious");
    let _ = builder;
}

#[tokio::test]
async fn a_long_reason_does_not_end_the_manager() {
    let path = std::env::temp_dir().join(format!("review-{}.redb", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let bed = Bed::with(|builder| builder.store(&path)).await;
    let (_moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let ticket = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    let cancelled = bed.session.cancel(ticket.id()).reason("x".repeat(10_000)).await;
    println!("{:?}", cancelled.as_ref().map(|_| ()));
    let next = bed.session.mount("VT0003L8").submit().await;
    drop(gate);
    let _ = std::fs::remove_file(&path);
    assert!(next.is_ok(), "the manager is dead: {:?}", next.err());
}
