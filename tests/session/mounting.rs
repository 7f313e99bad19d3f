//! Mounting and dismounting: what a ticket is, and what is known of the drive.

use std::time::Duration;

use autochanger::scsi::{Status, TestUnitReady};
use autochanger::transport::Command;
use autochanger::{ElementAddress, EventKind, LibraryConfig, Manager, State, Waiting};

use super::common::{Bed, event, library, lock_directory, until, within};

#[tokio::test]
async fn a_mount_gives_a_ready_drive_with_its_serial_number_and_the_way_to_it() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    assert_eq!(tape.barcode(), Some("VT0001L8"));
    assert_eq!(bed.library.find("VT0001L8"), Some(tape.drive()));
    let drives = bed.session.drives(None).await.expect("open");
    let drive = drives.iter().find(|drive| drive.element == tape.drive()).expect("the drive is listed");
    assert!(tape.serial().is_some() && drive.serial.as_deref() == tape.serial());
    assert_eq!((drive.mount, drive.barcode.as_deref()), (Some(tape.id()), Some("VT0001L8")));
    let way = tape.transport().expect("the simulated drives are siblings of the changer");
    let answer = within(way.execute(Command::new(TestUnitReady {}.cdb(), Duration::from_secs(10)))).await;
    let answer = answer.expect("the drive answers");
    assert!(answer.status == Status::Good || answer.sense().is_some(), "{answer:?}");
    bed.end().await;
}

#[tokio::test]
async fn a_configured_way_to_a_drive_is_the_one_that_is_given_out() {
    let library = library();
    let way = library.drive_transport(1).expect("there are two drives");
    let manager = Manager::builder()
        .library(LibraryConfig::transport("lib", library.transport()).drive_transport(Some(501.into()), way))
        .lock_directory(lock_directory())
        .open()
        .await
        .expect("it opens");
    within(manager.ready()).await.expect("ready");
    let session = manager.session("backup").open().expect("open");
    let tape = within(session.mount("VT0001L8").drive(501)).await.expect("mounted");
    assert_eq!(tape.drive(), ElementAddress(501));
    assert!(tape.transport().expect("a way").device().ends_with("lun=2"));
    within(manager.shutdown()).await;
}

#[tokio::test]
async fn a_dismount_returns_the_cartridge_to_its_slot_or_to_the_one_that_is_named() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0005L8")).await.expect("mounted");
    assert_eq!(within(tape.dismount()).await.expect("dismounted").slot(), Some(ElementAddress(1004)));
    let tape = within(bed.session.mount(tape.cartridge())).await.expect("mounted by its id");
    assert_eq!(
        within(tape.dismount().to(1023)).await.expect("dismounted").slot(),
        Some(ElementAddress(1023))
    );
    assert_eq!(bed.library.find("VT0005L8"), Some(ElementAddress(1023)));
    let tape = within(bed.session.mount("VT0005L8")).await.expect("mounted");
    let back = within(bed.session.dismount("VT0005L8")).await.expect("dismounted by its label");
    assert_eq!((back.slot(), back.barcode.as_deref()), (Some(ElementAddress(1023)), Some("VT0005L8")));
    drop(tape);
    bed.end().await;
}

#[tokio::test]
async fn dropping_a_ticket_or_a_mounted_medium_moves_nothing() {
    let bed = Bed::new().await;
    let (ticket, gate) = bed.mount_in_flight("VT0001L8").await;
    let mut events = bed.session.events();
    drop(ticket);
    gate.release();
    event(&mut events, |kind| matches!(kind, EventKind::Mounted(_))).await;
    let mounts = bed.session.mounts().await.expect("open");
    assert_eq!(mounts.len(), 1);
    let tape = within(bed.session.adopt(mounts[0].id).await.expect("adopted")).await.expect("it is mounted");
    drop(tape);
    within(bed.session.inventory()).await.expect("time passes");
    assert_eq!(bed.session.mounts().await.expect("open").len(), 1);
    assert_eq!(bed.library.moves_sent(), 1);
    bed.end().await;
}

#[tokio::test]
async fn a_ticket_can_be_waited_for_again_after_a_wait_was_given_up() {
    let bed = Bed::new().await;
    let (mut ticket, gate) = bed.mount_in_flight("VT0001L8").await;
    tokio::select! {
        biased;
        result = &mut ticket => panic!("it cannot have ended: {result:?}"),
        () = tokio::task::yield_now() => {}
    }
    gate.release();
    assert_eq!(within(&mut ticket).await.expect("mounted").barcode(), Some("VT0001L8"));
    assert!(within(ticket).await.is_ok(), "the end can be asked for twice");
    bed.end().await;
}

#[tokio::test]
async fn the_progress_of_a_mount_begins_with_the_present_state_and_ends_with_the_final_one() {
    let bed = Bed::new().await;
    let (ticket, gate) = bed.mount_in_flight("VT0001L8").await;
    let mut progress = ticket.progress();
    assert_eq!(within(progress.next()).await, Some(State::InProcess));
    gate.release();
    let mut last = None;
    while let Some(state) = within(progress.next()).await {
        last = Some(state);
    }
    assert!(matches!(last, Some(State::Passed(_))), "{last:?}");
    bed.end().await;
}

#[tokio::test]
async fn a_third_mount_waits_for_a_drive_and_gets_the_first_that_is_free() {
    let bed = Bed::new().await;
    let first = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let second = within(bed.session.mount("VT0002L8")).await.expect("mounted");
    let third = bed.session.mount("VT0003L8").submit().await.expect("accepted");
    until(&third, |state| *state == State::Waiting(Waiting::Drive)).await;
    within(second.dismount()).await.expect("dismounted");
    assert_eq!(within(third).await.expect("mounted").drive(), second.drive());
    drop(first);
    bed.end().await;
}

#[tokio::test]
async fn the_higher_priority_is_served_first() {
    let bed = Bed::new().await;
    let tape = within(bed.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let low = bed.session.mount("VT0002L8").drive(500).priority(-1).submit().await.expect("accepted");
    let high = bed.session.mount("VT0003L8").drive(500).priority(1).submit().await.expect("accepted");
    within(tape.dismount()).await.expect("dismounted");
    within(high).await.expect("mounted");
    assert!(!low.state().is_final());
    bed.end().await;
}

#[tokio::test]
async fn a_failed_move_fails_its_mount_with_the_devices_words_and_nothing_is_left_reserved() {
    use autochanger::transport::sim::{Fault, SenseKey};
    let bed = Bed::new().await;
    bed.library.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move().times(2));
    let error = within(bed.session.mount("VT0001L8").drive(500)).await.expect_err("the robot failed");
    let failure = error.failure().expect("it failed");
    assert!(failure.sense.is_some(), "{failure:?}");
    assert!(error.to_string().contains("VT0001L8"), "{error}");
    bed.library.clear_faults();
    within(bed.session.mount("VT0001L8").drive(500)).await.expect("the next one passes");
    bed.end().await;
}
