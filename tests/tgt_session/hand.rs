//! Hands in the library: tgt tells nobody that something changed, so an inventory, or the failure of a move, must.

use autochanger::{ElementAddress, FailureKind, Place, Refusal, RequestError, SubmitError};

use crate::beds::{Hand, TgtOptions};
use crate::common::{MOVE_MEDIUM, within};
use crate::{Setting, slot};

#[tokio::test]
async fn a_cartridge_put_in_by_hand_is_known_after_an_inventory_and_can_be_mounted() {
    let setting = Setting::new(TgtOptions::default()).await;
    setting.bed.operator(Hand::Put { slot: 1019, barcode: "NEW001L3" });
    let refused = setting.session.mount("NEW001L3").submit().await.expect_err("nobody has told");
    assert!(matches!(refused, SubmitError::Refused(Refusal::CartridgeNotFound { .. })), "{refused}");

    let inventory = within(setting.session.inventory()).await.expect("the inventory is read");
    assert_eq!((inventory.cartridges, inventory.appeared, inventory.missing), (9, 1, 0));
    let before = setting.contents().await;
    assert_eq!(before["NEW001L3"], slot(1019));
    let tape = setting.mount("NEW001L3").await;
    let back = within(tape.dismount()).await.expect("dismounted");
    assert_eq!(back.slot(), Some(ElementAddress(1019)));
    setting.end(&before).await;
}

#[tokio::test]
async fn a_cartridge_taken_out_by_hand_is_missing_after_an_inventory_and_keeps_its_last_place() {
    let setting = Setting::new(TgtOptions::default()).await;
    setting.bed.operator(Hand::Take { slot: 1003 });
    let inventory = within(setting.session.inventory()).await.expect("the inventory is read");
    assert_eq!((inventory.cartridges, inventory.appeared, inventory.missing), (7, 0, 1));
    let cartridges = within(setting.session.cartridges(None)).await.expect("the session is open");
    let gone = cartridges.iter().find(|known| known.barcode.as_deref() == Some("VT0004L3"));
    assert_eq!(gone.expect("it is not forgotten").place, Place::Missing { last: slot(1003) });

    let refused = setting.session.mount("VT0004L3").submit().await.expect_err("it is not there");
    assert!(matches!(refused, SubmitError::Refused(Refusal::CartridgeNotAvailable { .. })), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("VT0004L3") && text.contains("slot 1003"), "{text}");
    assert_eq!(setting.proxy.count(MOVE_MEDIUM), 0);
    let before = setting.contents().await;
    setting.end(&before).await;
}

#[tokio::test]
async fn a_cartridge_that_is_put_back_elsewhere_is_the_same_one() {
    let setting = Setting::new(TgtOptions::default()).await;
    let id_of = async |label: &str| {
        let cartridges = within(setting.session.cartridges(None)).await.expect("the session is open");
        let mut found = cartridges.iter().filter(|known| known.barcode.as_deref() == Some(label));
        let id = found.next().expect("it is known").id;
        assert!(found.next().is_none(), "one cartridge, one record");
        id
    };
    let id = id_of("VT0004L3").await;
    setting.bed.operator(Hand::Take { slot: 1003 });
    within(setting.session.inventory()).await.expect("the inventory is read");
    setting.bed.operator(Hand::Put { slot: 1012, barcode: "VT0004L3" });
    within(setting.session.inventory()).await.expect("the inventory is read");
    assert_eq!(id_of("VT0004L3").await, id);

    let before = setting.contents().await;
    let tape = within(setting.session.mount(id)).await.expect("mounted");
    let back = within(tape.dismount()).await.expect("dismounted");
    assert_eq!(back.slot(), Some(ElementAddress(1012)), "its home is where it was found");
    setting.end(&before).await;
}

#[tokio::test]
async fn two_cartridges_that_changed_places_are_each_found_at_the_others() {
    let setting = Setting::new(TgtOptions::default()).await;
    for place in [1000, 1001] {
        setting.bed.operator(Hand::Take { slot: place });
    }
    setting.bed.operator(Hand::Put { slot: 1000, barcode: "VT0002L3" });
    setting.bed.operator(Hand::Put { slot: 1001, barcode: "VT0001L3" });
    let inventory = within(setting.session.inventory()).await.expect("the inventory is read");
    assert_eq!((inventory.cartridges, inventory.appeared, inventory.missing), (8, 0, 0));
    let before = setting.contents().await;
    assert_eq!((before["VT0001L3"], before["VT0002L3"]), (slot(1001), slot(1000)));
    let tape = setting.mount("VT0001L3").await;
    assert_eq!(tape.barcode(), Some("VT0001L3"));
    assert!(!setting.contents().await.values().any(|place| *place == slot(1001)), "taken from where it is");
    within(tape.dismount()).await.expect("dismounted");
    setting.end(&before).await;
}

#[tokio::test]
async fn a_mount_of_what_was_taken_unseen_fails_with_the_librarys_word_and_an_advice() {
    let setting = Setting::new(TgtOptions::default()).await;
    setting.bed.operator(Hand::Take { slot: 1003 });
    let error = within(setting.session.mount("VT0004L3")).await.expect_err("the slot is empty");
    let RequestError::Failed { failure, .. } = &error else { panic!("{error}") };
    assert_eq!(failure.kind, FailureKind::SourceEmpty, "{error}");
    let sense = failure.sense.expect("the library said why");
    assert_eq!((sense.code.asc, sense.code.ascq), (0x3B, 0x0E));
    let text = error.to_string();
    for word in ["VT0004L3", "slot 1003", "run an inventory"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert_eq!(setting.proxy.count(MOVE_MEDIUM), 1);
    // The others are served as before.
    let before = setting.contents().await;
    let tape = setting.mount("VT0005L3").await;
    within(tape.dismount()).await.expect("dismounted");
    setting.end(&before).await;
}

#[tokio::test]
async fn a_cartridge_whose_slot_was_taken_meanwhile_comes_back_to_another_one() {
    let setting = Setting::new(TgtOptions::default()).await;
    let tape = setting.mount("VT0001L3").await;
    setting.bed.operator(Hand::Put { slot: 1000, barcode: "NEW001L3" });
    within(setting.session.inventory()).await.expect("the inventory is read");
    let back = within(tape.dismount()).await.expect("there is room elsewhere");
    assert_ne!(back.slot(), Some(ElementAddress(1000)));
    let after = setting.contents().await;
    assert_eq!((after["NEW001L3"], after["VT0001L3"]), (slot(1000), slot(back.slot().expect("in a slot").0)));
    setting.end(&after).await;
}
