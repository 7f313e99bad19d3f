//! The cancel contract on the simulated library: each row of its table, and what surrounds the table.
#![cfg(feature = "sim")]

mod common;
#[path = "cancel/rows.rs"]
mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use autochanger::clock::ManualClock;
use autochanger::request::{CancelledBy, ElementName};
use autochanger::transport::sim::{Fault, Hold};
use autochanger::{
    CancelError, Cancellation, ElementAddress, ElementType, Ending, EventKind, Operation, Place,
    RequestError, Role, State, Waiting,
};

use common::{Bed, Hand, READ_ELEMENT_STATUS, event, until, within};

fn drive(address: u16) -> Place {
    Place::Element(ElementName { kind: ElementType::Drive, address: ElementAddress(address) })
}

fn slot(address: u16) -> Place {
    Place::Element(ElementName { kind: ElementType::Storage, address: ElementAddress(address) })
}

fn is_cancelled(answer: &Result<Cancellation, CancelError>) -> bool {
    matches!(answer, Ok(Cancellation::Cancelled))
}

/// The verdict of an answer that must be `Stopping`.
async fn ending(answer: Result<Cancellation, CancelError>) -> Ending {
    match answer {
        Ok(Cancellation::Stopping(verdict)) => within(verdict).await.expect("a verdict"),
        other => panic!("expected Stopping, got {other:?}"),
    }
}

#[tokio::test]
async fn a_cancel_is_answered_while_the_arm_moves_something_else() {
    let bed = Bed::new().await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    // One whose intent is durable already, and one that has none.
    let prepared = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    until(&prepared, |state| *state == State::InProcess).await;
    let queued = bed.session.mount("VT0003L8").submit().await.expect("accepted");
    for waiting in [prepared, queued] {
        let answer = within(bed.session.cancel_library_request(waiting.id())).await;
        assert!(is_cancelled(&answer), "{answer:?}");
        assert!(matches!(within(waiting).await, Err(RequestError::Cancelled { .. })));
    }
    assert_eq!((bed.library.moves_done(), gate.count()), (0, 1), "the move was still under way");
    gate.release();
    within(moving).await.expect("mounted");
    assert_eq!(bed.library.moves_sent(), 1);
    bed.end().await;
}

/// On one thread the order is certain: tasks run in the order in which they were made ready, so that the cancel is sent
/// when every submitter has asked, and before the driver has served one.
#[tokio::test(flavor = "current_thread")]
async fn a_cancel_passes_4096_waiting_submitters() {
    const SUBMITTERS: usize = 4096;
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let waiting = bed.session.mount("VT0002L8").drive(500).submit().await.expect("accepted");
    let mut events = bed.session.events();

    let asked = Arc::new(AtomicUsize::new(0));
    let submitters: Vec<_> = (0..SUBMITTERS)
        .map(|_| {
            let (session, asked) = (bed.session.clone(), Arc::clone(&asked));
            tokio::spawn(async move {
                asked.fetch_add(1, Ordering::Relaxed);
                session.mount("VT0003L8").drive(500).submit().await.expect("accepted").id()
            })
        })
        .collect();
    let (session, id) = (bed.session.clone(), waiting.id());
    let cancel = tokio::spawn(async move {
        assert_eq!(asked.load(Ordering::Relaxed), SUBMITTERS, "every submitter is before the cancel");
        session.cancel_library_request(id).await
    });
    let answer = within(cancel).await.expect("it ends");
    assert!(is_cancelled(&answer), "{answer:?}");

    let mut served_before = 0;
    event(&mut events, |kind| match kind {
        EventKind::Request(request) if request.barcode.as_deref() == Some("VT0003L8") => {
            served_before += 1;
            false
        }
        EventKind::CancelAccepted { id, .. } => *id == waiting.id(),
        _ => false,
    })
    .await;
    assert_eq!(served_before, 0, "the cancel was served before all of them");
    for submitter in submitters {
        within(submitter).await.expect("it is served in its turn");
    }
    drop(tape);
    bed.end().await;
}

#[tokio::test]
async fn a_second_cancel_while_the_first_is_pending_gets_the_same_verdict() {
    let bed = Bed::new().await;
    let (mount, gate) = bed.mount_in_flight("VT0001L8").await;
    let first = within(bed.session.cancel(mount.id()).reason("first")).await;
    let second = within(bed.session.cancel(mount.id()).reason("second")).await;
    gate.release();
    let (first, second) = (ending(first).await, ending(second).await);
    assert_eq!(first, Ending::Stopped { place: Some(drive(500)) });
    assert_eq!(first, second);
    match within(mount).await {
        Err(RequestError::Stopped { by: CancelledBy::Session { reason, .. }, .. }) => {
            assert_eq!(reason.as_deref(), Some("first"), "the first one stopped it");
        }
        other => panic!("expected Stopped, got {other:?}"),
    }
    bed.end().await;
}

#[tokio::test]
async fn a_verdict_that_nobody_awaits_is_carried_out() {
    let bed = Bed::new().await;
    let (mount, gate) = bed.mount_in_flight("VT0001L8").await;
    drop(within(bed.session.cancel_library_request(mount.id())).await.expect("accepted"));
    gate.release();
    assert!(matches!(within(mount).await, Err(RequestError::Stopped { .. })));
    bed.end().await;
}

#[tokio::test]
async fn the_verdict_is_too_late_when_the_move_fails_by_itself() {
    let bed = Bed::new().await;
    bed.library
        .inject(Fault::sense(autochanger::transport::sim::SenseKey::IllegalRequest, 0x3B, 0x0E).on_move());
    let (mount, gate) = bed.mount_in_flight("VT0001L8").await;
    let answer = within(bed.session.cancel_library_request(mount.id())).await;
    gate.release();
    let ending = ending(answer).await;
    assert_eq!(bed.library.find("VT0001L8"), Some(ElementAddress(1000)));
    let told = within(mount).await;
    match ending {
        Ending::TooLate { state } => assert!(state.is_final() && told.is_err(), "{state:?}"),
        Ending::Stopped { place } => {
            assert_eq!(place, Some(slot(1000)), "stopped where it never left: {told:?}")
        }
    }
    bed.end().await;
}

#[tokio::test]
async fn the_waiter_learns_who_cancelled_and_why() {
    let bed = Bed::new().await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let waiting = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    let id = waiting.id();
    let other = bed.other(Role::Administrator);
    assert!(is_cancelled(&within(other.cancel(id).reason("the tape is bad")).await));
    match within(waiting).await {
        Err(RequestError::Cancelled { id: told, operation: Operation::Mount, by, .. }) => {
            assert_eq!(told, id);
            let reason = Some("the tape is bad".into());
            assert_eq!(by, CancelledBy::Session { application: "other".into(), reason });
        }
        other => panic!("expected Cancelled, got {other:?}"),
    }
    let kept = bed.session.request(id).await.expect("the store answers").expect("the request is kept");
    assert_eq!(kept.state.to_string(), "cancelled by other (the tape is bad)");
    gate.release();
    within(moving).await.expect("mounted");
    bed.end().await;
}

#[tokio::test]
async fn each_accepted_cancel_is_an_event_with_the_request_id() {
    let bed = Bed::new().await;
    let mut events = bed.session.events();
    let (mount, gate) = bed.mount_in_flight("VT0001L8").await;
    let waiting = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    for id in [waiting.id(), mount.id()] {
        let _ = within(bed.session.cancel_library_request(id)).await.expect("accepted");
        event(&mut events, |kind| matches!(kind, EventKind::CancelAccepted { id: told, .. } if *told == id))
            .await;
    }
    gate.release();
    let _ = within(mount).await;
    bed.end().await;
}

#[tokio::test]
async fn cancelled_is_durable_before_it_is_answered() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let waiting = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    let id = waiting.id();

    hand.hold();
    let session = bed.session.clone();
    let mut cancel = std::pin::pin!(session.cancel_library_request(id));
    tokio::select! {
        biased;
        answer = &mut cancel => panic!("answered before it was durable: {answer:?}"),
        () = within(hand.reached()) => {}
    }
    // While the store is at it, other control calls are served, and still no answer comes.
    let live = within(bed.session.live_requests()).await.expect("the driver is not blocked by its store");
    assert!(live.iter().any(|request| request.id == id));
    let still_open =
        std::future::poll_fn(|context| Poll::Ready(cancel.as_mut().poll(context).is_pending())).await;
    assert!(still_open && !hand.has_committed(id, |request| request.state.is_final()));

    hand.release();
    assert!(is_cancelled(&within(cancel).await));
    assert!(hand.has_committed(id, |request| matches!(request.state, State::Cancelled { .. })));
    gate.release();
    within(moving).await.expect("mounted");
    bed.end().await;
}

#[tokio::test]
async fn stopping_is_durable_on_its_target_before_it_is_answered() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
    let (mount, gate) = bed.mount_in_flight("VT0001L8").await;
    let answer = within(bed.session.cancel_library_request(mount.id())).await;
    assert!(
        hand.has_committed(mount.id(), |request| request.stopping.is_some() && !request.state.is_final())
    );
    gate.release();
    assert!(matches!(ending(answer).await, Ending::Stopped { .. }));
    bed.end().await;
}

#[tokio::test]
async fn a_cancel_of_the_first_in_line_lets_the_next_one_in() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let first = bed.session.mount("VT0002L8").drive(500).submit().await.expect("accepted");
    let second = bed.session.mount("VT0003L8").drive(500).submit().await.expect("accepted");
    until(&second, |state| *state == State::Waiting(Waiting::Drive)).await;
    assert!(is_cancelled(&within(bed.session.cancel_library_request(first.id())).await));
    within(tape.dismount()).await.expect("dismounted");
    assert_eq!(within(second).await.expect("mounted").drive(), ElementAddress(500));
    assert_eq!(bed.library.find("VT0002L8"), Some(ElementAddress(1001)));
    bed.end().await;
}

#[tokio::test]
async fn an_inventory_can_be_stopped() {
    let bed = Bed::new().await;
    let gate = bed.library.hold(Hold::opcode(READ_ELEMENT_STATUS));
    let inventory = bed.session.inventory().submit().await.expect("accepted");
    within(gate.reached()).await;
    let answer = within(bed.session.cancel_library_request(inventory.id())).await;
    gate.release();
    assert_eq!(ending(answer).await, Ending::Stopped { place: None });
    assert!(matches!(within(inventory).await, Err(RequestError::Stopped { place: None, .. })));
    within(bed.session.inventory()).await.expect("the next one passes");
    bed.end().await;
}

#[tokio::test]
async fn a_deadline_cancels_what_has_not_begun_and_stops_what_has() {
    let clock = ManualClock::new();
    let bed = Bed::with(|builder| builder.clock(clock.clone())).await;
    let gate = bed.hold_moves();
    let minute = Duration::from_secs(60);
    let moving = bed.session.mount("VT0001L8").deadline(minute).submit().await.expect("accepted");
    within(gate.reached()).await;
    let waiting = bed.session.mount("VT0002L8").deadline(minute).submit().await.expect("accepted");
    clock.advance(minute);
    match within(waiting).await {
        Err(RequestError::Cancelled { by: CancelledBy::Deadline, .. }) => {}
        other => panic!("expected Cancelled by its deadline, got {other:?}"),
    }
    gate.release();
    match within(moving).await {
        Err(RequestError::Stopped { by: CancelledBy::Deadline, place, .. }) => {
            assert_eq!(place, Some(drive(500)))
        }
        other => panic!("expected Stopped by its deadline, got {other:?}"),
    }
    bed.end().await;
}

#[tokio::test]
async fn after_a_restart_a_request_is_cancelled_by_its_application() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.store())).await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let waiting = bed.session.mount("VT0003L8").drive(500).submit().await.expect("accepted").id();
    let cancelled = bed.session.mount("VT0004L8").drive(500).submit().await.expect("accepted").id();
    assert!(is_cancelled(&within(bed.session.cancel_library_request(cancelled)).await));
    let library = bed.library.clone();
    bed.end().await;
    assert!(matches!(within(moving).await, Err(RequestError::ManagerClosed { .. })));
    gate.release();

    let bed = Bed::on(library, |builder| builder.store_with(hand.store())).await;
    let stranger = bed.other(Role::Operator);
    let answer = within(stranger.cancel_library_request(waiting)).await;
    assert!(matches!(answer, Err(CancelError::PermissionDenied { .. })), "{answer:?}");
    assert!(is_cancelled(&within(bed.session.cancel_library_request(waiting)).await));
    for id in [waiting, cancelled] {
        let answer = within(bed.session.cancel_library_request(id)).await;
        assert!(matches!(answer, Err(CancelError::AlreadyFinished { .. })), "{answer:?}");
    }
    assert_eq!(bed.library.moves_sent(), 1);
    bed.end().await;
}
