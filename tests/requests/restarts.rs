//! What is left after a restart.

use std::path::{Path, PathBuf};

use autochanger::{State, Ticket, Waiting};

use super::common::{Bed, until, within};
use super::{full_drives, groups};

fn store(name: &str) -> PathBuf {
    let path =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("requests-{}-{name}.redb", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[tokio::test]
async fn a_place_in_the_queue_outlives_the_manager() {
    let path = store("order");
    let bed = Bed::with(|builder| builder.store(&path)).await;
    let [one, _two] = full_drives(&bed).await;
    let (first, mut behind) = (one.cartridge(), Vec::new());
    for barcode in ["VT0003L8", "VT0004L8"] {
        let ticket = bed.session.mount(barcode).detached().submit().await.expect("accepted");
        until(&ticket, |state| *state == State::Waiting(Waiting::Drive)).await;
        behind.push(ticket.id());
    }
    assert_eq!(bed.session.reorder(behind[1], 1).await.expect("moved"), 1);
    let library = bed.library.clone();
    bed.end().await;

    let bed = Bed::on(library, |builder| builder.store(&path)).await;
    let mut tickets = Vec::new();
    for id in &behind {
        tickets.push(within(bed.session.adopt(*id)).await.expect("adopted"));
    }
    for ticket in &tickets {
        until(ticket, |state| *state == State::Waiting(Waiting::Drive)).await;
    }
    assert_eq!(bed.session.queue_position(behind[1]).await.expect("open"), Some(1));
    within(bed.session.dismount(first)).await.expect("dismounted");
    within(tickets.pop().expect("two")).await.expect("it is served first");
    bed.end().await;
    let _ = std::fs::remove_file(path);
}

#[tokio::test]
async fn a_group_in_a_file_that_is_handed_in_again_is_answered_and_not_repeated() {
    let path = store("group-again");
    let bed = Bed::with(|builder| builder.store(&path)).await;
    groups::hand_in_again(&bed).await;
    bed.end().await;
    let _ = std::fs::remove_file(path);
}

#[tokio::test]
async fn a_group_that_waits_for_its_owner_after_a_restart_is_mounted_when_one_is_adopted() {
    let path = store("group");
    let bed = Bed::with(|builder| builder.store(&path)).await;
    let one = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let tickets = bed.session.mount_all(["VT0003L8", "VT0004L8"]).submit().await.expect("accepted");
    until(&tickets[0], |state| matches!(state, State::Waiting(_))).await;
    let ids: Vec<_> = tickets.iter().map(Ticket::id).collect();
    let (library, first) = (bed.library.clone(), one.cartridge());
    bed.end().await;

    let bed = Bed::on(library, |builder| builder.store(&path)).await;
    within(bed.session.dismount(first)).await.expect("dismounted");
    assert_eq!(bed.library.moves_sent(), 2, "none is begun without an owner");
    // A group has one owner: with its first the others have one.
    let mut adopted = Vec::new();
    for id in ids {
        adopted.push(within(bed.session.adopt(id)).await.expect("adopted"));
    }
    for ticket in adopted {
        within(ticket).await.expect("mounted");
    }
    bed.end().await;
    let _ = std::fs::remove_file(path);
}
