//! What concerns the whole library, or many commands at once.

use autochanger::transport::Command;
use autochanger_scsi::{
    ElementAddress, ElementType, InitializeElementStatus, InitializeElementStatusWithRange, Status,
    TestUnitReady,
};

use super::ask::{QUICK, ask};
use super::library::{Library, SCAN, TAGS};

pub(crate) async fn a_scan_finds_what_was_there(library: &Library) {
    let before = library.contents().await;
    let answer = ask(&*library.changer, InitializeElementStatus {}.cdb(), 0, SCAN).await;
    assert_eq!(answer.status, Status::Good, "{:?}", answer.sense());
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn a_scan_of_a_range_finds_what_was_there(library: &Library) {
    let before = library.contents().await;
    let slot = ElementAddress(library.nth(ElementType::Storage, true, 0));
    let command = InitializeElementStatusWithRange { fast: false, range: Some((slot, 1)) };
    let answer = ask(&*library.changer, command.cdb(), 0, SCAN).await;
    assert_eq!(answer.status, Status::Good, "{:?}", answer.sense());
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn many_commands_in_flight_are_each_answered(library: &Library) {
    let whole = library.read(ElementType::Storage, TAGS).await;
    let mut waiting = Vec::new();
    for _ in 0..200 {
        let changer = library.changer.clone();
        let command = Command::new(TestUnitReady {}.cdb(), QUICK);
        waiting.push(tokio::spawn(async move { changer.execute(command).await }));
    }
    for _ in 0..5 {
        assert_eq!(library.read(ElementType::Storage, TAGS).await, whole);
    }
    for task in waiting {
        let answer = task.await.unwrap().unwrap();
        assert_eq!(answer.status, Status::Good, "{:?}", answer.sense());
    }
}

pub(crate) async fn units_of_one_target_are_asked_at_the_same_time(library: &Library) {
    let mut waiting = Vec::new();
    for drive in &library.drives {
        for _ in 0..20 {
            let device = drive.device.clone();
            let serial = drive.serial.clone();
            waiting.push(tokio::spawn(async move { (super::ask::serial(&*device).await, serial) }));
        }
    }
    assert!(!library.read(ElementType::Storage, TAGS).await.is_empty());
    for task in waiting {
        let (told, known) = task.await.unwrap();
        assert_eq!(told, known, "a unit answered for another");
    }
}
