//! Who is let in: secrets one way and both ways, and what a refusal says.

use autochanger::transport::PathFaultKind;
use autochanger_scsi::Status;

use super::beds::{BedChap, TgtBed, TgtOptions};
use super::{device, inquiry, not_sent};

const CHAP: BedChap =
    BedChap { user: "backup", secret: "opensesame12", target: Some(("library", "whoisthere12")) };

#[tokio::test]
async fn the_right_secret_opens_one_way_and_both_ways() {
    let bed = TgtBed::start(TgtOptions { chap: Some(CHAP), ..TgtOptions::default() });
    for url in [bed.url(), bed.url_with_login("backup%opensesame12")] {
        let device = device(&url);
        assert_eq!(inquiry(&*device).await.status, Status::Good);
        assert!(!device.device().contains("sesame") && !device.device().contains("whoisthere"));
    }
}

#[tokio::test]
async fn a_secret_that_nobody_wants_does_no_harm() {
    let bed = TgtBed::start(TgtOptions::default());
    let device = device(&bed.url_with_login("backup%opensesame12"));
    assert_eq!(inquiry(&*device).await.status, Status::Good);
}

#[tokio::test]
async fn each_wrong_login_is_refused_says_so_and_shows_no_secret() {
    let bed = TgtBed::start(TgtOptions { chap: Some(CHAP), ..TgtOptions::default() });
    for (login, detail) in [
        ("", "no secret was given"),
        ("backup%hunter2hunter2", "refused the user or the secret"),
        ("nobody%opensesame12", "refused the user or the secret"),
        ("backup%opensesame12%library%hunter2hunter2", "did not prove its own secret"),
        ("backup%opensesame12%other%whoisthere12", "did not prove its own secret"),
    ] {
        let fault = not_sent(&bed.url_with_login(login), PathFaultKind::LoginRefused).await;
        let shown = format!("{fault} {fault:?}");
        assert!(fault.detail.contains(detail), "{login}: {shown}");
        for secret in ["opensesame12", "hunter2", "whoisthere12"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_target_that_proves_nothing_is_not_used_by_one_who_asks_for_proof() {
    let bed = TgtBed::start(TgtOptions::default());
    not_sent(&bed.url_with_login("a%b%c%d"), PathFaultKind::LoginRefused).await;
}
