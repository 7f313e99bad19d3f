//! What an application is told of others' trouble: nothing; and what a person says is done.

use autochanger::{EventKind, Role};

use super::*;

/// What a session is told until its own inventory ends.
async fn told(session: &Session, other: impl Future<Output = ()>) -> Vec<EventKind> {
    let mut events = session.events();
    other.await;
    let last = within(session.inventory().submit()).await.expect("accepted").id();
    let mut kinds = Vec::new();
    within(async {
        while let Some(event) = events.next().await {
            let kind = event.expect("nobody lags").kind;
            if matches!(&kind, EventKind::Request(request) if request.id == last && request.state.is_final())
            {
                break;
            }
            kinds.push(kind);
        }
    })
    .await;
    kinds
}

fn about_persons(kind: &EventKind) -> bool {
    matches!(kind, EventKind::OperatorAsked(_) | EventKind::OperatorDone { .. } | EventKind::Fault { .. })
}

#[tokio::test]
async fn an_application_is_told_what_is_asked_for_its_own_requests_only() {
    let bed = bed().await;
    let label = "VT0001L8";
    within(bed.session.eject(label)).await.expect("ejected");
    bed.library.operator_take(PORT).expect("a person takes it");
    within(bed.session.inventory()).await.expect("read");
    let own = bed.manager.session("own").role(Role::Application).open().expect("open");
    let other = bed.manager.session("other").role(Role::Application).open().expect("open");
    let wait = async {
        let ticket = other.mount(label).wait_for_operator().submit().await.expect("accepted");
        asked(&bed).await;
        let _ = within(bed.session.refuse_operator_request(ticket.id())).await.expect("refused");
        within(ticket).await.expect_err("refused");
    };
    let kinds = told(&own, wait).await;
    assert!(!kinds.iter().any(about_persons), "{kinds:?}");
    let wait = async {
        let ticket = own.mount(label).wait_for_operator().submit().await.expect("accepted");
        asked(&bed).await;
        let _ = within(bed.session.refuse_operator_request(ticket.id())).await.expect("refused");
        within(ticket).await.expect_err("refused");
    };
    let kinds = told(&own, wait).await;
    assert_eq!(kinds.iter().filter(|kind| about_persons(kind)).count(), 2, "{kinds:?}");
    bed.end().await;
}

#[tokio::test]
async fn an_inject_ends_with_what_came_when_a_person_is_done() {
    let bed = bed().await;
    let ticket = bed.session.inject_many().identify().submit().await.expect("accepted");
    asked(&bed).await;
    bed.library.operator_put(PORT, "NEW001L8").expect("a person puts it in");
    within(bed.session.satisfy_operator_request(ticket.id())).await.expect("it is asked");
    assert_eq!(within(ticket).await.expect("passed").cartridges.len(), 1);
    bed.end().await;
}
