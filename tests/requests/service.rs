//! Pausing, draining, disabling.

use autochanger::catalog::Service;
use autochanger::request::ServiceTarget;
use autochanger::{ElementAddress, FailureKind, Refusal, State, Waiting};

use super::common::{Bed, Hand, until, within};
use super::{full_drives, refusal, waiting};

#[tokio::test]
async fn a_paused_library_begins_no_mount_until_it_is_resumed() {
    let bed = Bed::new().await;
    let library = ServiceTarget::Library(None);
    within(bed.session.pause(library.clone())).await.expect("paused");
    assert_eq!(bed.session.libraries().await.expect("open")[0].service, Service::Paused);
    let ticket = waiting(&bed, "VT0001L8", Waiting::Service).await;
    within(bed.session.inventory()).await.expect("a paused library can be read");
    assert_eq!(bed.library.moves_sent(), 0);
    within(bed.session.resume(library)).await.expect("resumed");
    within(ticket).await.expect("mounted");
    bed.end().await;
}

#[tokio::test]
async fn a_library_is_drained_when_its_last_medium_is_dismounted() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let drain = bed.session.drain(ServiceTarget::Library(None)).submit().await.expect("accepted");
    until(&drain, |state| *state == State::InProcess).await;
    let later = waiting(&bed, "VT0002L8", Waiting::Service).await;
    within(tape.dismount()).await.expect("dismounts go on");
    within(drain).await.expect("drained");
    assert_eq!(bed.session.libraries().await.expect("open")[0].service, Service::Paused);
    assert!(!later.state().is_final());
    bed.end().await;
}

#[tokio::test]
async fn what_waits_for_a_library_fails_when_it_is_disabled_and_what_is_asked_then_is_refused() {
    let bed = Bed::new().await;
    let _media = full_drives(&bed).await;
    let ticket = waiting(&bed, "VT0003L8", Waiting::Drive).await;
    within(bed.session.disable(ServiceTarget::Library(None))).await.expect("disabled");
    let error = within(ticket).await.expect_err("it cannot be served");
    let failure = error.failure().expect("it failed");
    assert_eq!((failure.kind, failure.win32_code()), (FailureKind::Disabled, Some(4309)));
    let refused = bed.session.mount("VT0004L8").submit().await;
    assert_eq!(refused.as_ref().expect_err("refused").win32_code(), 4309);
    assert!(matches!(refusal(refused), Refusal::Disabled { .. }));
    bed.end().await;
}

#[tokio::test]
async fn a_paused_drive_gets_no_medium() {
    let bed = Bed::new().await;
    within(bed.session.pause(ServiceTarget::drive(500))).await.expect("paused");
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    assert_eq!(tape.drive(), ElementAddress(501));
    let second = bed.session.mount("VT0002L8").submit().await.expect("accepted");
    until(&second, |state| matches!(state, State::Waiting(_))).await;
    within(bed.session.enable(ServiceTarget::drive(500))).await.expect("enabled");
    assert_eq!(within(second).await.expect("mounted").drive(), ElementAddress(500));
    bed.end().await;
}

#[tokio::test]
async fn mounts_that_wait_for_a_cartridge_fail_when_it_is_disabled() {
    let bed = Bed::new().await;
    let _media = full_drives(&bed).await;
    let ticket = waiting(&bed, "VT0003L8", Waiting::Drive).await;
    within(bed.session.disable(ServiceTarget::cartridge("VT0003L8"))).await.expect("disabled");
    let error = within(ticket).await.expect_err("its cartridge is disabled");
    assert_eq!(error.failure().map(|failure| failure.kind), Some(FailureKind::Disabled));
    let again = bed.session.mount("VT0003L8").submit().await;
    assert!(matches!(refusal(again), Refusal::Disabled { .. }));
    bed.end().await;
}

#[tokio::test]
async fn the_service_of_library_drive_and_cartridge_outlives_the_manager() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.store())).await;
    within(bed.session.pause(ServiceTarget::Library(None))).await.expect("paused");
    within(bed.session.disable(ServiceTarget::drive(501))).await.expect("disabled");
    within(bed.session.disable(ServiceTarget::cartridge("VT0007L8"))).await.expect("disabled");
    let library = bed.library.clone();
    bed.end().await;
    let bed = Bed::on(library, |builder| builder.store_with(hand.store())).await;
    assert_eq!(bed.session.libraries().await.expect("open")[0].service, Service::Paused);
    let drives = bed.session.drives(None).await.expect("open");
    let services: Vec<_> = drives.iter().map(|drive| drive.service).collect();
    assert_eq!(services, [Service::Enabled, Service::Disabled]);
    let cartridges = bed.session.cartridges(None).await.expect("open");
    let disabled: Vec<_> = cartridges.iter().filter(|one| one.disabled).collect();
    assert_eq!(disabled.len(), 1);
    assert_eq!(disabled[0].barcode.as_deref(), Some("VT0007L8"));
    bed.end().await;
}
