//! What a person is asked.

use autochanger::request::CancelledBy;
use autochanger::view::OperatorTask;
use autochanger::{CancelError, Cancellation, EventKind, Mounted, RequestError, Role, Ticket};

use super::common::{Bed, event, within};

async fn asked_for(bed: &Bed) -> Ticket<Mounted> {
    bed.library.operator_take(1000).expect("there");
    within(bed.session.inventory()).await.expect("read");
    let mut events = bed.session.events();
    let ticket = bed.session.mount("VT0001L8").wait_for_operator().submit().await.expect("accepted");
    event(&mut events, |kind| matches!(kind, EventKind::OperatorAsked(_))).await;
    let asked = bed.session.operator_requests().await.expect("open");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].request, ticket.id());
    assert!(
        matches!(&asked[0].task, OperatorTask::BringCartridge { cartridge, .. } if &**cartridge == "VT0001L8")
    );
    assert!(bed.other(Role::Application).operator_requests().await.expect("open").is_empty());
    ticket
}

#[tokio::test]
async fn a_mount_waits_for_a_cartridge_that_somebody_brings() {
    let bed = Bed::new().await;
    let ticket = asked_for(&bed).await;
    bed.library.operator_put(1023, "VT0001L8").expect("empty");
    within(bed.session.inventory()).await.expect("read");
    within(ticket).await.expect("mounted");
    assert!(bed.session.operator_requests().await.expect("open").is_empty());
    bed.end().await;
}

#[tokio::test]
async fn a_refused_operator_request_ends_its_mount() {
    let bed = Bed::new().await;
    let ticket = asked_for(&bed).await;
    let denied = bed.other(Role::Application).refuse_operator_request(ticket.id()).await;
    assert!(matches!(denied, Err(CancelError::NotFound { .. })), "{denied:?}");
    let answer = within(bed.session.refuse_operator_request(ticket.id())).await.expect("refused");
    assert!(matches!(answer, Cancellation::Cancelled));
    let error = within(ticket).await.expect_err("nobody brings it");
    assert!(matches!(&error, RequestError::Cancelled { by: CancelledBy::Operator { .. }, .. }), "{error}");
    assert_eq!(bed.library.moves_sent(), 0);
    bed.end().await;
}
