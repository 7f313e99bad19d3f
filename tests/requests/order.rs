//! Places in the queue.

use autochanger::{Refusal, ReorderError, ReorderRefusal, Role, Waiting};

use super::common::{Bed, within};
use super::{full_drives, refusal, waiting};

#[tokio::test]
async fn a_reordered_mount_is_served_first_and_told_its_place() {
    let bed = Bed::new().await;
    let [one, _two] = full_drives(&bed).await;
    let third = waiting(&bed, "VT0003L8", Waiting::Drive).await;
    let fourth = waiting(&bed, "VT0004L8", Waiting::Drive).await;
    assert_eq!(bed.session.queue_position(fourth.id()).await.expect("open"), Some(2));
    assert_eq!(bed.session.reorder(fourth.id(), 1).await.expect("moved"), 1);
    assert_eq!(bed.session.queue_position(third.id()).await.expect("open"), Some(2));
    assert_eq!(bed.session.reorder(fourth.id(), u32::MAX).await.expect("moved"), 2);
    assert_eq!(bed.session.reorder(fourth.id(), 1).await.expect("moved"), 1);
    within(one.dismount()).await.expect("dismounted");
    within(fourth).await.expect("it is served first");
    assert!(!third.state().is_final());
    bed.end().await;
}

#[tokio::test]
async fn only_what_is_in_the_queue_and_ones_own_can_be_reordered() {
    let bed = Bed::new().await;
    let [one, _two] = full_drives(&bed).await;
    let third = waiting(&bed, "VT0003L8", Waiting::Drive).await;
    let stranger = bed.other(Role::Operator);
    let denied = stranger.reorder(third.id(), 1).await.expect_err("not its own");
    assert!(matches!(denied, ReorderError::Refused(ReorderRefusal::PermissionDenied { .. })), "{denied}");
    let hidden = bed.other(Role::Application);
    assert_eq!(hidden.queue_position(third.id()).await.expect("open"), None);
    let ended = bed.session.reorder(one.id(), 1).await.expect_err("it has ended");
    assert!(matches!(ended, ReorderError::Refused(ReorderRefusal::NotFound { .. })), "{ended}");
    bed.end().await;
}

#[tokio::test]
async fn a_mount_at_once_is_refused_where_it_would_wait() {
    let bed = Bed::new().await;
    let [one, _two] = full_drives(&bed).await;
    assert!(matches!(refusal(bed.session.mount("VT0003L8").at_once().submit().await), Refusal::Busy { .. }));
    within(one.dismount()).await.expect("dismounted");
    within(bed.session.mount("VT0003L8").at_once()).await.expect("a drive is free");
    bed.end().await;
}
