//! The life of the manager: opening, shutting down, statistics.

use std::time::Duration;

use autochanger::clock::ManualClock;
use autochanger::transport::sim::{Hold, SimulatedLibrary};
use autochanger::{
    AdoptError, CancelError, CartridgeRef, LibraryConfig, LibraryError, Manager, OpenError, ReadyError,
    Refusal, RequestError, Role, SessionClosed, State, SubmitError,
};

use super::common::{Bed, Hand, builder, library, lock_directory, within};
use super::{common, refusal};

#[tokio::test]
async fn a_manager_needs_a_library_and_a_right_url() {
    let error = Manager::builder().open().await.expect_err("no library");
    assert!(matches!(error, OpenError::NoLibrary), "{error:?}");
    let wrong = Manager::builder().library(LibraryConfig::new("scsi://user%hunter2@nowhere"));
    let error = wrong.open().await.expect_err("no such scheme");
    assert!(matches!(error, OpenError::Url(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_second_manager_on_the_same_library_is_told_who_has_it() {
    let bed = Bed::new().await;
    let second = builder(&bed.library).open().await.expect("it opens");
    let error = within(second.ready()).await.expect_err("the library is taken");
    match &error {
        ReadyError::Unusable { error: LibraryError::InUse { .. }, .. } => {}
        other => panic!("expected InUse, got {other:?}"),
    }
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    within(second.shutdown()).await;
    within(bed.session.mount("VT0001L8")).await.expect("the first one is not disturbed");

    let library = bed.library.clone();
    bed.end().await;
    let third = builder(&library).open().await.expect("it opens");
    within(third.ready()).await.expect("the library is free again");
    within(third.shutdown()).await;
}

#[tokio::test]
async fn a_drive_given_for_a_changer_is_told_apart() {
    let library = library();
    let drive = library.drive_transport(0).expect("a drive");
    let manager = Manager::builder()
        .library(LibraryConfig::transport("not a library", drive))
        .lock_directory(lock_directory())
        .open()
        .await
        .expect("it opens");
    let error = within(manager.ready()).await.expect_err("it is a tape drive");
    assert!(
        matches!(&error, ReadyError::Unusable { error: LibraryError::NotAChanger { .. }, .. }),
        "{error:?}"
    );
    within(manager.shutdown()).await;
}

#[cfg(feature = "iscsi")]
#[tokio::test]
async fn a_refused_connection_is_told_with_the_device_and_without_its_secret_and_tried_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let clock = ManualClock::new();
    let url = format!("iscsi://backup%hunter2@127.0.0.1:{port}/iqn.2026-01.test:lib/0");
    let manager = Manager::builder()
        .library(LibraryConfig::new(url))
        .lock_directory(lock_directory())
        .clock(clock.clone())
        .open()
        .await
        .expect("it opens");
    let waiting = manager.ready();
    let error =
        common::advance_until(&clock, Duration::from_secs(1), waiting).await.expect_err("nobody listens");
    assert!(matches!(error, ReadyError::NotPresent { .. }), "{error:?}");
    let text = format!("{error}");
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn ready_within_gives_up_by_the_managers_clock() {
    let clock = ManualClock::new();
    let library = library();
    let gate = library.hold(Hold::all());
    let manager = builder(&library).clock(clock.clone()).open().await.expect("it opens");
    let minute = Duration::from_secs(60);
    let waiting = manager.ready_within(minute);
    let error = common::advance_until(&clock, Duration::from_secs(1), waiting).await.expect_err("it is held");
    assert!(matches!(error, ReadyError::StillInitializing { waited, .. } if waited >= minute), "{error:?}");
    gate.release();
    within(manager.ready()).await.expect("ready");
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn after_the_shut_down_waiters_know_and_sessions_are_closed() {
    let bed = Bed::new().await;
    let (ticket, gate) = bed.mount_in_flight("VT0001L8").await;
    let session = bed.session.clone();
    bed.end().await;
    let id = ticket.id();
    assert_eq!(within(ticket).await.map(|_| ()), Err(RequestError::ManagerClosed { id }));
    assert!(session.is_closed());
    assert!(matches!(session.mount("VT0002L8").submit().await, Err(SubmitError::SessionClosed(_))));
    assert!(matches!(session.cancel_library_request(id).await, Err(CancelError::SessionClosed)));
    drop(gate);
}

#[tokio::test]
async fn dropping_the_manager_closes_its_sessions_too() {
    let Bed { manager, session, library } = Bed::new().await;
    drop(manager);
    let closed = within(async {
        loop {
            match session.libraries().await {
                Ok(_) => tokio::task::yield_now().await,
                Err(SessionClosed) => return true,
            }
        }
    });
    assert!(closed.await);
    drop(library);
}

#[tokio::test]
async fn a_shut_down_waits_for_what_the_store_was_given_and_for_no_move() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    hand.hold();
    let session = bed.session.clone();
    let submitted = tokio::spawn(async move { session.mount("VT0002L8").submit().await });
    within(hand.reached()).await;
    let id_of_moving = moving.id();
    let mut shut_down = std::pin::pin!(bed.manager.shutdown());
    tokio::select! {
        biased;
        () = &mut shut_down => panic!("it did not wait for the store"),
        () = tokio::task::yield_now() => {}
    }
    hand.release();
    within(shut_down).await;
    let accepted = within(submitted).await.expect("it ends").expect("what was committed is told").id();
    assert!(hand.has_committed(accepted, |request| request.state == State::Queued));
    assert!(!hand.has_committed(id_of_moving, |request| request.state.is_final()));
    drop(gate);
}

#[tokio::test]
async fn waiting_requests_share_a_sync() {
    const REQUESTS: usize = 1000;
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    hand.hold();
    let before = hand.commits();
    let submitters: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let session = bed.session.clone();
            tokio::spawn(async move { session.mount("VT0001L8").submit().await.expect("accepted") })
        })
        .collect();
    within(hand.reached()).await;
    // All of them are asked for before the store's first answer: looks pass behind what the lane has taken.
    for _ in 0..REQUESTS {
        bed.session.libraries().await.expect("open");
    }
    hand.release();
    for submitter in submitters {
        within(submitter).await.expect("submitted");
    }
    let commits = hand.commits() - before;
    assert!(commits < REQUESTS / 10, "{commits} transactions for {REQUESTS} requests");
    gate.release();
    within(moving).await.expect("mounted");
    bed.end().await;
}

#[tokio::test]
async fn a_mount_is_adopted_after_a_restart() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.store())).await;
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let (id, drive) = (tape.id(), tape.drive());
    let library = bed.library.clone();
    bed.end().await;

    let bed = Bed::on(library, |builder| builder.store_with(hand.store())).await;
    let mounts = bed.session.mounts().await.expect("open");
    assert_eq!(mounts.iter().map(|mount| (mount.id, mount.drive)).collect::<Vec<_>>(), [(id, drive)]);
    let stranger = bed.other(Role::Operator);
    assert!(matches!(within(stranger.adopt(id)).await, Err(AdoptError::Refused(_))));
    let tape = within(within(bed.session.adopt(id)).await.expect("adopted")).await.expect("mounted");
    assert_eq!((tape.barcode(), tape.drive()), (Some("VT0001L8"), drive));
    assert!(tape.transport().is_some());
    within(tape.dismount()).await.expect("dismounted");
    assert_eq!(bed.library.moves_sent(), 2);
    bed.end().await;
}

#[tokio::test]
async fn two_libraries_are_served_by_one_manager() {
    let (one, two) = (library(), SimulatedLibrary::start(common::described_as("B{:05}L8")));
    let manager = builder(&one)
        .library(LibraryConfig::transport("the other", two.transport()))
        .open()
        .await
        .expect("it opens");
    within(manager.ready()).await.expect("both are ready");
    let session = manager.session("backup").open().expect("open");
    let (a, b) = (session.mount("VT0001L8"), session.mount("B00001L8"));
    let (a, b) = (within(a).await.expect("mounted"), within(b).await.expect("mounted"));
    assert_ne!(a.library(), b.library());
    assert_eq!((one.moves_done(), two.moves_done()), (1, 1));
    let several = refusal(session.inventory().submit().await);
    assert!(matches!(several, Refusal::NoSuchLibrary(_)), "{several:?}");
    within(session.inventory().library(b.library())).await.expect("read");
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn a_cartridge_is_named_by_its_label_or_its_id() {
    let bed = Bed::new().await;
    let cartridges = bed.session.cartridges(None).await.expect("open");
    let id = cartridges.iter().find(|c| c.barcode.as_deref() == Some("VT0007L8")).expect("known").id;
    let tape = within(bed.session.mount(CartridgeRef::Id(id))).await.expect("mounted");
    assert_eq!((tape.barcode(), tape.cartridge()), (Some("VT0007L8"), id));
    bed.end().await;
}
