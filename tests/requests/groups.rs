//! Mounts that begin together.

use autochanger::request::CancelledBy;
use autochanger::{
    Cancellation, ElementAddress, GroupMember, Refusal, RequestError, RequestId, State, Waiting,
};

use super::common::{Bed, until, within};
use super::refusal;

#[tokio::test]
async fn a_group_waits_until_there_is_a_drive_for_each_and_then_has_both() {
    let bed = Bed::new().await;
    let one = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let members = [GroupMember::new("VT0003L8").drive(501).read_only(), "VT0004L8".into()];
    let tickets = bed.session.mount_all(members).submit().await.expect("accepted");
    until(&tickets[0], |state| matches!(state, State::Waiting(_))).await;
    until(&tickets[1], |state| matches!(state, State::Waiting(_))).await;
    assert_eq!(bed.library.moves_sent(), 1, "none is begun alone");
    within(one.dismount()).await.expect("dismounted");
    let mut drives = Vec::new();
    for ticket in tickets {
        drives.push(within(ticket).await.expect("mounted").drive());
    }
    assert_eq!(drives, [ElementAddress(501), ElementAddress(500)]);
    bed.end().await;
}

#[tokio::test]
async fn one_that_is_cancelled_takes_its_group_with_it() {
    let bed = Bed::new().await;
    let _one = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let mut tickets = bed.session.mount_all(["VT0003L8", "VT0004L8"]).submit().await.expect("accepted");
    let second = tickets.pop().expect("two");
    let first = tickets.pop().expect("two");
    until(&first, |state| matches!(state, State::Waiting(_))).await;
    let answer = within(bed.session.cancel(first.id())).await.expect("cancelled");
    assert!(matches!(answer, Cancellation::Cancelled));
    let cancelled_by = |error: RequestError| match error {
        RequestError::Cancelled { by, .. } => by,
        other => panic!("{other}"),
    };
    let id = first.id();
    assert!(matches!(cancelled_by(within(first).await.expect_err("cancelled")), CancelledBy::Session { .. }));
    let by = cancelled_by(within(second).await.expect_err("cancelled with it"));
    assert_eq!(by, CancelledBy::Group { member: id });
    assert_eq!(bed.library.moves_sent(), 1);
    bed.end().await;
}

/// Hands the same group in while it lives, when it has ended, and with other content.
pub(super) async fn hand_in_again(bed: &Bed) {
    let ids = [RequestId::from(uuid::Uuid::now_v7()), RequestId::from(uuid::Uuid::now_v7())];
    let group = |barcodes: [&str; 2]| {
        let members = barcodes.into_iter().zip(ids).map(|(barcode, id)| GroupMember::new(barcode).id(id));
        bed.session.mount_all(members)
    };
    let both = ["VT0001L8", "VT0002L8"];
    let first = group(both).submit().await.expect("accepted");
    let again = group(both).submit().await.expect("it is known");
    assert!(first.iter().zip(&again).all(|(first, again)| first.id() == again.id()));
    let mut media = Vec::new();
    for ticket in first {
        media.push(within(ticket).await.expect("mounted"));
    }
    for tape in media {
        within(tape.dismount()).await.expect("dismounted");
    }
    let moves = bed.library.moves_sent();
    assert_eq!(within(group(both)).await.expect("it was mounted").len(), 2);
    for other in [["VT0002L8", "VT0001L8"], ["VT0001L8", "VT0003L8"]] {
        assert!(matches!(refusal(group(other).submit().await), Refusal::IdReused { .. }));
    }
    let one = bed.session.mount_all([GroupMember::new("VT0001L8").id(ids[0])]).submit().await;
    assert!(matches!(refusal(one), Refusal::IdReused { .. }), "a part of it is not it");
    assert_eq!(bed.library.moves_sent(), moves, "nothing is done twice");
    within(bed.session.mount("VT0003L8")).await.expect("service goes on");
}

#[tokio::test]
async fn a_group_that_is_handed_in_again_is_answered_and_not_repeated() {
    let bed = Bed::new().await;
    hand_in_again(&bed).await;
    bed.end().await;
}

#[tokio::test]
async fn a_group_of_which_one_is_away_waits_for_a_person_and_keeps_no_drive() {
    let bed = Bed::new().await;
    bed.library.operator_take(1000).expect("it is there");
    within(bed.session.inventory()).await.expect("read");
    let refused = bed.session.mount_all(["VT0001L8", "VT0002L8"]).submit().await;
    assert!(matches!(refusal(refused), Refusal::CartridgeNotAvailable { .. }));
    let group = bed.session.mount_all(["VT0001L8", "VT0002L8"]).wait_for_operator();
    let tickets = group.submit().await.expect("accepted");
    until(&tickets[0], |state| *state == State::Waiting(Waiting::Operator)).await;
    assert_eq!(bed.session.operator_requests().await.expect("open").len(), 1);
    let [one, two] = [
        within(bed.session.mount("VT0003L8")).await.expect("a drive is free"),
        within(bed.session.mount("VT0004L8")).await.expect("and the other"),
    ];
    bed.library.operator_put(1000, "VT0001L8").expect("it is empty");
    within(bed.session.inventory()).await.expect("read");
    within(one.dismount()).await.expect("dismounted");
    within(two.dismount()).await.expect("dismounted");
    for ticket in tickets {
        within(ticket).await.expect("mounted");
    }
    bed.end().await;
}

#[tokio::test]
async fn a_group_with_a_member_that_is_refused_leaves_nothing() {
    let bed = Bed::new().await;
    let refused = bed.session.mount_all(["VT0003L8", "NOWHERE"]).submit().await;
    assert!(matches!(refusal(refused), Refusal::CartridgeNotFound { .. }));
    assert!(bed.session.live_requests().await.expect("open").is_empty());
    let twice = bed.session.mount_all(["VT0003L8", "VT0003L8"]).submit().await;
    assert!(matches!(refusal(twice), Refusal::Unfit(_)));
    bed.end().await;
}
