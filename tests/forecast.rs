//! What would be done next, asked through a session.
#![cfg(feature = "sim")]

mod common;

use autochanger::view::{Horizon, MAX_STEPS, Step, Why};
use autochanger::{Refusal, Role, SubmitError, Waiting};
use common::{Bed, new_id, within};

#[tokio::test]
async fn the_next_steps_are_told_while_the_robot_works_and_nothing_is_done_for_it() {
    let bed = Bed::new().await;
    let (first, gate) = bed.mount_in_flight("VT0001L8").await;
    let second = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    let third = bed.session.mount("VT0003L8").submit().await.expect("accepted");
    let sent = bed.library.moves_sent();
    let forecast = within(bed.session.forecast(MAX_STEPS)).await.expect("open");
    let next = forecast.steps.iter().find(|next| matches!(next.step, Step::Move { .. })).expect("a move");
    assert_eq!((next.request.id, &next.why[..]), (second.id(), &[Why::OnlyDrive][..]), "{forecast}");
    let waits = forecast.waiting.iter().find(|waits| waits.request.id == third.id()).expect("it waits");
    assert_eq!(waits.waiting, Some(Waiting::Drive));
    assert_eq!(waits.held_by, [first.id(), second.id()]);
    assert_eq!(forecast.horizon, Horizon::Rest);
    assert_eq!(bed.library.moves_sent(), sent);
    gate.release();
    assert_eq!(within(first).await.expect("mounted").drive().0, 500);
    assert_eq!(within(second).await.expect("mounted").drive().0, 501, "as it was told");
    bed.end().await;
}

#[tokio::test]
async fn a_request_is_tried_out_and_not_kept() {
    let bed = Bed::new().await;
    let id = new_id();
    let forecast = within(bed.session.mount("VT0001L8").id(id).dry_run()).await.expect("it would do");
    let own: Vec<_> = forecast.steps.iter().filter(|next| next.request.id == id).collect();
    assert!(matches!(own[0].step, Step::Move { .. }), "{forecast}");
    assert!(matches!(&own[1].step, Step::End(state) if state.is_final()), "{forecast}");
    assert!(bed.session.request(id).await.expect("open").is_none());
    assert_eq!(bed.library.moves_sent(), 0);
    match within(bed.session.mount("NOBODY").dry_run()).await {
        Err(SubmitError::Refused(Refusal::CartridgeNotFound { .. })) => {}
        other => panic!("{other:?}"),
    }
    bed.end().await;
}

#[tokio::test]
async fn an_application_is_told_of_its_own_requests() {
    let bed = Bed::new().await;
    let (first, gate) = bed.mount_in_flight("VT0001L8").await;
    let second = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    let other = bed.other(Role::Application);
    let own = other.mount("VT0003L8").submit().await.expect("accepted");
    let forecast = within(other.forecast(MAX_STEPS)).await.expect("open");
    assert!(forecast.steps.is_empty(), "{forecast}");
    let [waits] = &forecast.waiting[..] else { panic!("{forecast}") };
    assert_eq!((waits.request.id, &waits.held_by[..]), (own.id(), &[][..]));
    gate.release();
    let _ = (within(first).await, within(second).await);
    bed.end().await;
}
