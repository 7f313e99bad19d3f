//! What the catalogue keeps.

use autochanger::catalog::{Label, MediumKind};
use autochanger::{Purge, PurgeError, Role};

use super::common::{Bed, Hand, within};

#[tokio::test]
async fn a_recorded_label_and_the_cleaners_slot_outlive_the_manager() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.store())).await;
    let label = Label { format: "tar".into(), id: [1, 2, 3].into(), description: "week 12".into() };
    within(bed.session.update_label("VT0001L8", label.clone())).await.expect("recorded");
    assert_eq!(within(bed.session.classify("VT0001L8")).await.expect("known").kind, MediumKind::Data);
    within(bed.session.reserve_cleaner_slot(1023)).await.expect("reserved");
    let full = within(bed.session.reserve_cleaner_slot(1001)).await.expect_err("it is kept already");
    assert!(full.to_string().contains("1023"), "{full}");
    let library = bed.library.clone();
    bed.end().await;
    let bed = Bed::on(library, |builder| builder.store_with(hand.store())).await;
    let cartridges = bed.session.cartridges(None).await.expect("open");
    let found = cartridges.iter().find(|one| one.barcode.as_deref() == Some("VT0001L8"));
    assert_eq!(found.and_then(|one| one.label.clone()), Some(label));
    within(bed.session.release_cleaner_slot()).await.expect("released");
    within(bed.session.release_cleaner_slot()).await.expect_err("there is none any more");
    bed.end().await;
}

#[tokio::test]
async fn an_administrator_purges_what_has_ended_and_nobody_else_does() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let read = within(bed.session.inventory()).await.expect("read");
    let denied = bed.other(Role::Operator).purge_requests(Purge::KeepNewest(0)).await;
    assert!(matches!(denied, Err(PurgeError::PermissionDenied { role: Role::Operator })), "{denied:?}");
    let purged = within(bed.session.purge_requests(Purge::KeepNewest(0))).await.expect("purged");
    assert_eq!((purged.deleted, purged.kept), (1, 1), "the mount is held by its medium");
    assert!(bed.session.request(read.id).await.expect("readable").is_none());
    assert!(bed.session.request(tape.id()).await.expect("readable").is_some());
    bed.end().await;
}

#[tokio::test]
async fn after_the_store_failed_nothing_is_purged() {
    for blocking in [false, true] {
        let hand = Hand::default();
        let bed = Bed::with(|builder| match blocking {
            true => builder.store_with(hand.blocking_store()),
            false => builder.store_with(hand.store()),
        })
        .await;
        hand.fail();
        let _ = within(bed.session.inventory().submit()).await;
        let answer = within(bed.session.purge_requests(Purge::KeepNewest(0))).await;
        assert!(matches!(answer, Err(PurgeError::StoreFailed { .. })), "{answer:?}");
        bed.end().await;
    }
}
