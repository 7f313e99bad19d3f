//! The rows of the table, each by its own words.

use autochanger::transport::sim::{Fault, Hold};
use autochanger::{
    CancelError, Cancellation, ElementAddress, Ending, EventKind, Operation, RequestError, Role, State,
    SubmitError,
};

use super::common::{Bed, Hand, LOAD_UNLOAD, READ_ELEMENT_STATUS, event, new_id, within};
use super::{drive, ending, is_cancelled};

#[tokio::test]
async fn no_step_of_it_was_ever_sent() {
    let bed = Bed::new().await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let waiting = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    let answer = within(bed.session.cancel_library_request(waiting.id())).await;
    assert!(is_cancelled(&answer), "{answer:?}");
    gate.release();
    within(moving).await.expect("the other mount is not touched");
    assert!(matches!(within(waiting).await, Err(RequestError::Cancelled { .. })));
    assert_eq!(bed.library.moves_sent(), 1, "nothing moved for the cancelled one");
    assert_eq!(bed.library.find("VT0002L8"), Some(ElementAddress(1001)));
    bed.end().await;
}

#[tokio::test]
async fn steps_done_none_in_flight() {
    let bed = Bed::new().await;
    bed.library.inject(Fault::becoming_ready().lun(1).always());
    let mut events = bed.session.events();
    let mount = bed.session.mount("VT0001L8").drive(500).submit().await.expect("accepted");
    event(&mut events, |kind| matches!(kind, EventKind::Cartridge { place, .. } if *place == drive(500)))
        .await;
    let answer = within(bed.session.cancel_library_request(mount.id())).await;
    assert_eq!(ending(answer).await, Ending::Stopped { place: Some(drive(500)) });
    assert!(matches!(within(mount).await, Err(RequestError::Stopped { place: Some(_), .. })));
    bed.end().await;
}

#[tokio::test]
async fn a_step_in_flight_or_settling_later_steps_exist() {
    let bed = Bed::new().await;
    let (mount, gate) = bed.mount_in_flight("VT0001L8").await;
    let answer = within(bed.session.cancel_library_request(mount.id())).await;
    assert!(
        matches!(answer, Ok(Cancellation::Stopping(_))),
        "answered before the move has ended: {answer:?}"
    );
    assert_eq!(bed.library.moves_done(), 0);
    gate.release();
    assert_eq!(ending(answer).await, Ending::Stopped { place: Some(drive(500)) });
    assert!(matches!(within(mount).await, Err(RequestError::Stopped { .. })));
    assert_eq!(bed.library.find("VT0001L8"), Some(ElementAddress(500)), "nothing was moved back");
    bed.end().await;
}

#[tokio::test]
async fn a_step_settling_and_later_steps_exist() {
    let bed = Bed::new().await;
    bed.library.inject(Fault::lost_reply().on_move());
    let gate = bed.library.hold(Hold::opcode(READ_ELEMENT_STATUS));
    let mount = bed.session.mount("VT0001L8").submit().await.expect("accepted");
    within(gate.reached()).await;
    let answer = within(bed.session.cancel_library_request(mount.id())).await;
    gate.release();
    assert_eq!(ending(answer).await, Ending::Stopped { place: Some(drive(500)) });
    assert_eq!(bed.library.moves_sent(), 1);
    bed.end().await;
}

#[tokio::test]
async fn a_step_in_flight_or_settling_none_later() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let gate = bed.hold_moves();
    let dismount = tape.dismount().submit().await.expect("accepted");
    within(gate.reached()).await;
    let answer = within(bed.session.cancel_library_request(dismount.id())).await;
    let error = answer.expect_err("its last step cannot be taken back");
    assert_eq!(error, CancelError::InProgress { id: dismount.id(), operation: Operation::Dismount });
    assert_eq!(error.win32_code(), 5);
    gate.release();
    within(dismount).await.expect("the request is as if nobody had asked");
    bed.end().await;
}

#[tokio::test]
async fn a_step_settling_and_none_later() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    bed.library.inject(Fault::lost_reply().on_move());
    let gate = bed.library.hold(Hold::opcode(READ_ELEMENT_STATUS));
    let dismount = tape.dismount().submit().await.expect("accepted");
    within(gate.reached()).await;
    let answer = within(bed.session.cancel_library_request(dismount.id())).await;
    assert!(matches!(answer, Err(CancelError::InProgress { .. })), "{answer:?}");
    gate.release();
    within(dismount).await.expect("it passes");
    bed.end().await;
}

#[tokio::test]
async fn may_see_may_not_control() {
    let bed = Bed::new().await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let waiting = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    let operator = bed.other(Role::Operator);
    for id in [moving.id(), waiting.id()] {
        let error = within(operator.cancel_library_request(id)).await.expect_err("another application's");
        assert_eq!(error, CancelError::PermissionDenied { id, owner: "backup".into() });
        assert_eq!(error.win32_code(), 5);
    }
    gate.release();
    within(moving).await.expect("not touched");
    within(waiting).await.expect("not touched");
    bed.end().await;
}

#[tokio::test]
async fn ended_before_the_cancel_also_as_cancelled() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let error = within(bed.session.cancel_library_request(tape.id())).await.expect_err("it has passed");
    assert!(
        matches!(&error, CancelError::AlreadyFinished { id, state } if *id == tape.id() && matches!(**state, State::Passed(_))),
        "{error:?}"
    );
    assert_eq!(error.win32_code(), 4312);

    let waiting = bed.session.mount("VT0002L8").drive(500).submit().await.expect("accepted");
    assert!(is_cancelled(&within(bed.session.cancel_library_request(waiting.id())).await));
    let error = within(bed.session.cancel_library_request(waiting.id())).await.expect_err("cancelled before");
    assert!(
        matches!(&error, CancelError::AlreadyFinished { state, .. } if matches!(**state, State::Cancelled { .. })),
        "{error:?}"
    );
    assert_eq!(error.win32_code(), 4312);
    bed.end().await;
}

#[tokio::test]
async fn never_existed_purged_or_not_the_callers_to_see() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.store())).await;
    let unknown = new_id();
    let error = within(bed.session.cancel_library_request(unknown)).await.expect_err("never existed");
    assert_eq!(error, CancelError::NotFound { id: unknown });
    assert_eq!(error.win32_code(), 4312);

    let tape = within(bed.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let stranger = bed.other(Role::Application);
    let error =
        within(stranger.cancel_library_request(tape.id())).await.expect_err("an ended one of another's");
    assert_eq!(error, CancelError::NotFound { id: tape.id() });
    let waiting = bed.session.mount("VT0002L8").drive(500).submit().await.expect("accepted");
    let error =
        within(stranger.cancel_library_request(waiting.id())).await.expect_err("a live one of another's");
    assert_eq!(error, CancelError::NotFound { id: waiting.id() });

    hand.forget(tape.id());
    let error = within(bed.session.cancel_library_request(tape.id())).await.expect_err("purged");
    assert_eq!(error, CancelError::NotFound { id: tape.id() });
    bed.end().await;
}

#[tokio::test]
async fn session_closed_or_manager_shut_down() {
    let bed = Bed::new().await;
    let (mount, gate) = bed.mount_in_flight("VT0001L8").await;
    let second = bed.other(Role::Administrator);
    second.close().await.expect("closed");
    let error = within(second.cancel_library_request(mount.id())).await.expect_err("closed");
    assert_eq!((error.win32_code(), error), (6, CancelError::SessionClosed));

    let session = bed.session.clone();
    bed.end().await;
    let error = within(session.cancel_library_request(mount.id())).await.expect_err("shut down");
    assert_eq!((error.win32_code(), error), (6, CancelError::SessionClosed));
    drop(gate);
}

#[tokio::test]
async fn a_bound_is_reached() {
    let bed = Bed::with(|builder| builder.max_pending_cancels(1)).await;
    let tape = within(bed.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let unload = bed.library.hold(Hold::opcode(LOAD_UNLOAD));
    let dismount = tape.dismount().submit().await.expect("accepted");
    within(unload.reached()).await;
    let (mount, gate) = bed.mount_in_flight("VT0002L8").await;

    let first = within(bed.session.cancel_library_request(mount.id())).await;
    let error =
        within(bed.session.cancel_library_request(dismount.id())).await.expect_err("one verdict is open");
    assert_eq!((error.win32_code(), error), (8, CancelError::ResourceExhausted { limit: 1 }));
    gate.release();
    assert_eq!(ending(first).await, Ending::Stopped { place: Some(drive(501)) });
    let again = within(bed.session.cancel_library_request(dismount.id())).await;
    unload.release();
    assert_eq!(ending(again).await, Ending::Stopped { place: Some(drive(500)) });
    bed.end().await;
}

#[tokio::test]
async fn the_store_failed() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.store())).await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let waiting = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    hand.fail();
    let error =
        within(bed.session.cancel_library_request(waiting.id())).await.expect_err("it is not durable");
    assert!(matches!(error, CancelError::Store { .. }), "{error:?}");
    assert_eq!(error.win32_code(), 4313);
    assert!(error.to_string().contains("the test's hand"), "the store's own words are kept: {error}");

    let told = within(waiting).await;
    assert!(
        matches!(told, Err(RequestError::StoreFailed { .. })),
        "its waiter does not wait for ever: {told:?}"
    );
    assert!(matches!(within(moving).await, Err(RequestError::StoreFailed { .. })));
    let again = within(bed.session.cancel_library_request(new_id())).await;
    assert!(matches!(again, Err(CancelError::Store { .. })), "{again:?}");
    let more = bed.session.mount("VT0003L8").submit().await;
    assert!(matches!(more, Err(SubmitError::Refused(_))), "{more:?}");
    drop(gate);
    bed.end().await;
}
