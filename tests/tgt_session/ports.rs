//! tgt's import/export elements: what goes out, and what a hand brings.

use autochanger::{ElementAddress, Place};

use crate::beds::{Hand, TgtOptions};
use crate::common::{MOVE_MEDIUM, within};
use crate::{Setting, port, slot};

#[tokio::test]
async fn an_ejected_cartridge_lies_in_a_port_and_is_outside_when_a_hand_has_taken_it() {
    let setting = Setting::new(TgtOptions::default()).await;
    let out = within(setting.session.eject("VT0003L3")).await.expect("ejected");
    assert_eq!(out.port, Some(ElementAddress(setting.bed.mail_slot(0))));
    assert_eq!(setting.contents().await["VT0003L3"], port(setting.bed.mail_slot(0)));
    assert_eq!(setting.proxy.count(MOVE_MEDIUM), 1);

    setting.bed.operator(Hand::TakeFromPort { port: setting.bed.mail_slot(0) });
    within(setting.session.inventory()).await.expect("the inventory is read");
    let cartridges = within(setting.session.cartridges(None)).await.expect("the session is open");
    let gone = cartridges.iter().find(|known| known.barcode.as_deref() == Some("VT0003L3"));
    assert_eq!(gone.expect("it is not forgotten").place, Place::Outside { last: port(10) });
    let after = setting.contents().await;
    setting.end(&after).await;
}

#[tokio::test]
async fn what_a_hand_puts_into_a_port_is_injected_into_a_free_slot() {
    let setting = Setting::new(TgtOptions::default()).await;
    let ticket = setting.session.inject().submit().await.expect("accepted");
    within(async {
        while setting.session.operator_requests().await.expect("open").is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    setting.bed.operator(Hand::PutIntoPort { port: setting.bed.mail_slot(1), barcode: "NEW001L3" });
    let came = within(ticket).await.expect("injected");
    assert_eq!(came.cartridges.len(), 1);
    let after = setting.contents().await;
    assert_eq!(after["NEW001L3"], slot(setting.bed.slot(8)), "the first free one");
    assert_eq!(setting.proxy.count(MOVE_MEDIUM), 1);
    setting.end(&after).await;
}
