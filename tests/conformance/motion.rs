//! What moves, what refuses to, and that nothing is lost over it.

use std::time::Duration;

use autochanger_scsi::{
    ElementAddress, ElementType, ExchangeMedium, PositionToElement, PreventAllowMediumRemoval, SenseKey,
};

use super::ask::{MOTION, code, good, readiness};
use super::library::Library;

const FULL: bool = true;
const EMPTY: bool = false;

pub(crate) async fn a_cartridge_goes_to_another_slot_and_back(library: &Library) {
    let (source, destination) =
        (library.nth(ElementType::Storage, FULL, 0), library.nth(ElementType::Storage, EMPTY, 0));
    let before = library.contents().await;
    library.move_medium(source, destination).await;
    let mut expected = before.clone();
    let tag = expected.remove(&source).unwrap();
    expected.insert(destination, tag);
    let inventory = library.inventory().await;
    assert_eq!(library.contents().await, expected);
    if let Some(came_from) = inventory[&destination].source {
        assert_eq!(came_from, source, "the element says that its cartridge came from elsewhere");
    }
    library.move_medium(destination, source).await;
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn a_cartridge_goes_to_a_drive_and_back(library: &Library) {
    let (slot, drive) =
        (library.nth(ElementType::Storage, FULL, 0), library.nth(ElementType::Drive, EMPTY, 0));
    let before = library.contents().await;
    library.move_medium(slot, drive).await;
    let loaded = library.contents().await;
    assert!(!loaded.contains_key(&slot), "the slot is still full");
    assert_eq!(loaded.get(&drive), before.get(&slot), "the drive has another cartridge");
    library.unload(drive).await;
    library.move_medium(drive, slot).await;
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn a_cartridge_goes_to_a_mail_slot_and_back(library: &Library) {
    let (slot, port) =
        (library.nth(ElementType::Storage, FULL, 0), library.nth(ElementType::ImportExport, EMPTY, 0));
    let before = library.contents().await;
    library.move_medium(slot, port).await;
    assert_eq!(library.contents().await.get(&port), before.get(&slot));
    library.move_medium(port, slot).await;
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn a_drive_becomes_ready_with_a_cartridge_and_not_ready_without(library: &Library) {
    let drive = library.empty_drive();
    let slot = library.nth(ElementType::Storage, FULL, 0);
    let empty = readiness(&*drive.device).await.expect("an empty drive is not ready");
    assert_eq!((empty.key, empty.code.asc), (SenseKey::NotReady, 0x3A), "{empty}");

    library.move_medium(slot, drive.element).await;
    let ready = async {
        while let Some(sense) = readiness(&*drive.device).await {
            assert_eq!(sense.key, SenseKey::NotReady, "{sense}");
            // A drive threads its tape in its own time and tells nobody when it is done.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(MOTION, ready).await.expect("the drive becomes ready");

    library.unload(drive.element).await;
    library.move_medium(drive.element, slot).await;
    let empty = readiness(&*drive.device).await.expect("an empty drive is not ready");
    assert_eq!((empty.key, empty.code.asc), (SenseKey::NotReady, 0x3A), "{empty}");
}

pub(crate) async fn an_empty_source_is_refused_and_nothing_moves(library: &Library) {
    let (source, destination) =
        (library.nth(ElementType::Storage, EMPTY, 0), library.nth(ElementType::Drive, EMPTY, 0));
    let before = library.contents().await;
    let sense = library.try_move(source, destination).await.unwrap_err();
    assert_eq!((sense.key, code(sense)), (SenseKey::IllegalRequest, (0x3B, 0x0E)), "{sense}");
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn a_full_destination_is_refused_and_nothing_moves(library: &Library) {
    let (source, destination) =
        (library.nth(ElementType::Storage, FULL, 0), library.nth(ElementType::Storage, FULL, 1));
    let before = library.contents().await;
    let sense = library.try_move(source, destination).await.unwrap_err();
    assert_eq!((sense.key, code(sense)), (SenseKey::IllegalRequest, (0x3B, 0x0D)), "{sense}");
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn an_unknown_element_is_refused_and_nothing_moves(library: &Library) {
    let (full, empty) =
        (library.nth(ElementType::Storage, FULL, 0), library.nth(ElementType::Storage, EMPTY, 0));
    let nowhere = library.nowhere();
    let before = library.contents().await;
    for (source, destination) in [(full, nowhere), (nowhere, empty), (nowhere, nowhere)] {
        let sense = library.try_move(source, destination).await.unwrap_err();
        assert_eq!(sense.key, SenseKey::IllegalRequest, "{sense}");
        // The standard's word is 21/01; some say 24/00.
        assert!([(0x21, 0x01), (0x24, 0x00)].contains(&code(sense)), "{sense}");
    }
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn an_exchange_moves_two_cartridges(library: &Library) {
    let (first, second) =
        (library.nth(ElementType::Storage, FULL, 0), library.nth(ElementType::Storage, FULL, 1));
    let room = library.nth(ElementType::Storage, EMPTY, 0);
    let before = library.contents().await;
    let command = ExchangeMedium {
        transport: ElementAddress(0),
        source: ElementAddress(first),
        first_destination: ElementAddress(second),
        second_destination: ElementAddress(room),
        invert_first: false,
        invert_second: false,
    };
    good(&*library.changer, command.cdb(), 0).await;
    let mut expected = before.clone();
    let (one, two) = (expected.remove(&first).unwrap(), expected.remove(&second).unwrap());
    expected.insert(second, one);
    expected.insert(room, two);
    assert_eq!(library.contents().await, expected);
    library.move_medium(second, first).await;
    library.move_medium(room, second).await;
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn the_arm_is_positioned_and_moves_nothing(library: &Library) {
    let before = library.contents().await;
    let destination = ElementAddress(library.nth(ElementType::Storage, FULL, 0));
    let command = PositionToElement { transport: ElementAddress(0), destination, invert: false };
    good(&*library.changer, command.cdb(), 0).await;
    assert_eq!(library.contents().await, before);
}

pub(crate) async fn a_locked_door_does_not_hinder_the_arm(library: &Library) {
    let (source, destination) =
        (library.nth(ElementType::Storage, FULL, 0), library.nth(ElementType::Storage, EMPTY, 0));
    good(&*library.changer, PreventAllowMediumRemoval { prevent: true }.cdb(), 0).await;
    library.move_medium(source, destination).await;
    library.move_medium(destination, source).await;
    good(&*library.changer, PreventAllowMediumRemoval { prevent: false }.cdb(), 0).await;
}
