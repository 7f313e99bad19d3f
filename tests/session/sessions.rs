//! The life of a session: ids, closing, adoption.

use autochanger::request::CancelledBy;
use autochanger::{
    AdoptError, EventKind, HistoryFilter, QueryError, RequestError, Role, SessionClosed, SessionError,
    SubmitError,
};

use super::common::{Bed, event, new_id, within};

#[tokio::test]
async fn closing_a_session_cancels_its_mounts_and_nothing_else() {
    let bed = Bed::new().await;
    let session = bed.manager.session("backup").open().expect("open");
    let tape = within(session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let gate = bed.hold_moves();
    let dismount = tape.dismount().submit().await.expect("accepted");
    within(gate.reached()).await;
    let bound = session.mount("VT0002L8").submit().await.expect("accepted");
    let detached = session.mount("VT0003L8").detached().submit().await.expect("accepted");
    let others = bed.session.mount("VT0004L8").drive(500).submit().await.expect("accepted");

    assert_eq!(within(session.close()).await, Ok(1));
    match within(bound).await {
        Err(RequestError::Cancelled { by: CancelledBy::SessionClosed, .. }) => {}
        other => panic!("expected Cancelled by the closing, got {other:?}"),
    }
    gate.release();
    within(dismount).await.expect("a dismount goes on");
    within(detached).await.expect("what is detached goes on");
    within(others).await.expect("another session's is not touched");
    bed.end().await;
}

#[tokio::test]
async fn dropping_a_session_cancels_nothing() {
    let bed = Bed::new().await;
    let session = bed.manager.session("backup").open().expect("open");
    let gate = bed.hold_moves();
    let mount = session.mount("VT0001L8").submit().await.expect("accepted");
    drop(session);
    gate.release();
    within(mount).await.expect("mounted");
    bed.end().await;
}

#[tokio::test]
async fn a_closed_session_answers_every_call_that_it_is_closed() {
    let bed = Bed::new().await;
    let clone = bed.session.clone();
    within(bed.session.close()).await.expect("closed");
    assert!(clone.is_closed(), "clones are the same session");
    assert_eq!(clone.close().await, Err(SessionClosed));
    assert!(matches!(clone.mount("VT0001L8").submit().await, Err(SubmitError::SessionClosed(_))));
    assert!(matches!(clone.mount("VT0001L8").await, Err(RequestError::NotAccepted(_))));
    assert!(matches!(clone.adopt(new_id()).await, Err(AdoptError::SessionClosed(_))));
    assert_eq!(clone.libraries().await.map(|_| ()), Err(SessionClosed));
    assert!(matches!(clone.requests(HistoryFilter::default()).await, Err(QueryError::SessionClosed(_))));
    assert_eq!(bed.library.moves_sent(), 0);
    bed.end().await;
}

#[tokio::test]
async fn a_name_must_be_given_and_is_bounded() {
    let bed = Bed::new().await;
    for name in [String::new(), "n".repeat(autochanger::APPLICATION_NAME_MAX + 1)] {
        let error = bed.manager.session(&name).open().expect_err("no name");
        assert!(matches!(error, SessionError::Name { length, .. } if length == name.len()), "{error:?}");
    }
    bed.end().await;
}

#[tokio::test]
async fn an_application_sees_its_own_requests_mounts_and_events_and_no_others() {
    let bed = Bed::new().await;
    let own = bed.other(Role::Application);
    let mut events = own.events();
    let theirs = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let mine = within(own.mount("VT0002L8")).await.expect("mounted");

    let ids = |requests: Vec<autochanger::Request>| requests.iter().map(|r| r.id).collect::<Vec<_>>();
    assert_eq!(ids(own.requests(HistoryFilter::default()).await.expect("readable")), [mine.id()]);
    assert_eq!(own.mounts().await.expect("open").iter().map(|m| m.id).collect::<Vec<_>>(), [mine.id()]);
    assert_eq!(own.request(theirs.id()).await.expect("readable"), None);
    assert!(matches!(own.motions(theirs.id()).await, Err(QueryError::NotFound(_))));
    let asked = HistoryFilter { application: Some("backup".into()), ..HistoryFilter::default() };
    assert!(own.requests(asked).await.expect("readable").is_empty());
    let first = event(&mut events, |kind| matches!(kind, EventKind::Request(_))).await;
    assert!(matches!(&first.kind, EventKind::Request(request) if request.id == mine.id()), "{first:?}");

    let everything = bed.session.requests(HistoryFilter::default()).await.expect("readable");
    assert_eq!(ids(everything), [mine.id(), theirs.id()], "newest first");
    bed.end().await;
}
