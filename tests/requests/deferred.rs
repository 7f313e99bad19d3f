//! Dismounts that are put off.

use autochanger::{ElementAddress, Role, State};

use super::common::{Bed, until, within};
use super::full_drives;

#[tokio::test]
async fn a_deferred_medium_is_mounted_again_without_a_move() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let dismount = tape.dismount().deferred().submit().await.expect("accepted");
    until(&dismount, |state| *state == State::Deferred).await;
    assert!(bed.session.mounts().await.expect("open").is_empty());
    let again = within(bed.other(Role::Operator).mount("VT0001L8")).await.expect("handed over");
    let left = within(dismount).await.expect("passed");
    assert_eq!((left.slot(), left.kept_in_drive()), (None, Some(again.drive())));
    assert_eq!(bed.library.moves_sent(), 1);
    bed.end().await;
}

#[tokio::test]
async fn a_deferred_medium_that_is_ejected_passes_with_its_port() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let dismount = tape.dismount().deferred().submit().await.expect("accepted");
    until(&dismount, |state| *state == State::Deferred).await;
    let ejected = within(bed.session.eject("VT0001L8")).await.expect("ejected");
    let left = within(dismount).await.expect("it is out of its drive");
    assert_eq!((left.slot(), left.kept_in_drive(), left.port()), (None, None, ejected.port));
    assert_eq!(left.to_string(), format!("port {}", left.port().expect("a port")));
    bed.end().await;
}

#[tokio::test]
async fn a_deferred_medium_makes_way_for_one_that_needs_its_drive() {
    let bed = Bed::new().await;
    let [one, _two] = full_drives(&bed).await;
    let dismount = one.dismount().deferred().submit().await.expect("accepted");
    until(&dismount, |state| *state == State::Deferred).await;
    let third = within(bed.session.mount("VT0003L8")).await.expect("mounted");
    assert_eq!(third.drive(), ElementAddress(500));
    assert_eq!(within(dismount).await.expect("passed").slot(), Some(ElementAddress(1000)));
    bed.end().await;
}

#[tokio::test]
async fn whatever_is_in_a_drive_is_dismounted_by_the_drive() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let back = within(bed.session.dismount_drive(tape.drive())).await.expect("dismounted");
    assert_eq!((back.slot(), back.barcode.as_deref()), (Some(ElementAddress(1000)), Some("VT0001L8")));
    bed.end().await;
}
