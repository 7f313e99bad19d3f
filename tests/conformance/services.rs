//! What a library keeps beside elements: logs, reservations, ports, the list of its commands.

use autochanger::transport::Command;
use autochanger_scsi::{
    Cdb, CommandSupport, ElementAddress, ElementStatistics, ElementType, LogPage, LogSense, OneCommand,
    OpenCloseImportExport, PersistentReserveIn, PersistentReserveInAction, PersistentReserveOut,
    PersistentReserveOutAction, PersistentReserveParameters, PortAction, ReportSupportedOperationCodes,
    ReportingOptions, ReservationHolder, ReservationKeys, ReservationType, Status, SupportedCommands,
    SupportedLogPages, TapeAlertPage,
};
use bytes::Bytes;

use super::ask::{MOTION, QUICK, ask, good};
use super::library::Library;

/// Enough for every list here.
const ROOM: u16 = 8192;

pub(crate) fn log(page: u8) -> Cdb {
    LogSense { page, allocation: ROOM, ..LogSense::default() }.cdb()
}

pub(crate) async fn every_log_page_that_is_listed_can_be_read(library: &Library) {
    let data = good(&*library.changer, log(SupportedLogPages::PAGE), ROOM.into()).await;
    let list = SupportedLogPages::parse(&data).unwrap();
    assert!(list.contains(SupportedLogPages::PAGE), "{data:02x?}");
    for (page, _) in list.pages() {
        let data = good(&*library.changer, log(page), ROOM.into()).await;
        let read = LogPage::parse(&data).unwrap();
        assert_eq!(read.code(), page);
        // Only the room that it was given cuts a page: 15h has a parameter for each element.
        let cut = page == ElementStatistics::PAGE && data.len() == usize::from(ROOM);
        assert!(cut || !read.is_truncated(), "page {page:02X}h ends early");
    }
    if list.contains(TapeAlertPage::PAGE) {
        // An alert may persist, but none comes out of nothing.
        let data = good(&*library.changer, log(TapeAlertPage::PAGE), ROOM.into()).await;
        let flags = TapeAlertPage::parse(&data).unwrap();
        assert_eq!(flags.flags.union(flags.present), flags.present);
    }
}

pub(crate) fn read_keys() -> Cdb {
    PersistentReserveIn { action: PersistentReserveInAction::ReadKeys, allocation: ROOM }.cdb()
}

async fn keys(library: &Library) -> Vec<u64> {
    let data = good(&*library.changer, read_keys(), ROOM.into()).await;
    ReservationKeys::parse(&data).unwrap().keys().collect()
}

async fn holder(library: &Library) -> Option<ReservationHolder> {
    let action = PersistentReserveInAction::ReadReservation;
    let cdb = PersistentReserveIn { action, allocation: ROOM }.cdb();
    ReservationHolder::parse(&good(&*library.changer, cdb, ROOM.into()).await).unwrap().1
}

async fn reserve(
    library: &Library,
    action: PersistentReserveOutAction,
    key: u64,
    service_key: u64,
) -> Status {
    let list = PersistentReserveParameters {
        key,
        service_action_key: service_key,
        ..PersistentReserveParameters::default()
    };
    let kind = ReservationType::WriteExclusive.code();
    let length = PersistentReserveParameters::LENGTH as u32;
    let cdb = PersistentReserveOut { action, scope: 0, kind, length }.cdb();
    let data_out = Bytes::copy_from_slice(&list.to_bytes());
    let command = Command { data_out, ..Command::new(cdb, QUICK) };
    library.changer.execute(command).await.unwrap_or_else(|error| panic!("{cdb}: {error}")).status
}

/// A key that nobody else is likely to have.
const KEY: u64 = 0x6175_746F_6368_6772;

pub(crate) async fn a_reservation_is_made_seen_and_given_back(library: &Library) {
    use PersistentReserveOutAction::{Register, Release, Reserve};

    let before = keys(library).await;
    assert!(holder(library).await.is_none(), "{} is reserved", library.changer.device());
    assert_eq!(reserve(library, Register, 0, KEY).await, Status::Good);
    assert_eq!(keys(library).await.len(), before.len() + 1);
    assert_eq!(reserve(library, Reserve, KEY, 0).await, Status::Good);
    let held = holder(library).await.expect("a reservation");
    assert_eq!((held.key, held.reservation_type()), (KEY, Some(ReservationType::WriteExclusive)));
    // It does not hinder who holds it.
    assert_eq!(ask(&*library.changer, read_keys(), ROOM.into(), QUICK).await.status, Status::Good);
    assert_eq!(reserve(library, Release, KEY, 0).await, Status::Good);
    assert_eq!(reserve(library, Register, KEY, 0).await, Status::Good);
    assert_eq!((keys(library).await, holder(library).await), (before, None));
}

pub(crate) async fn a_wrong_key_reserves_nothing(library: &Library) {
    use PersistentReserveOutAction::{Clear, Register, Reserve};

    let before = keys(library).await;
    for action in [Reserve, Clear] {
        assert_eq!(reserve(library, action, KEY, 0).await, Status::ReservationConflict, "{action:?}");
    }
    assert_eq!(reserve(library, Register, KEY, KEY + 1).await, Status::ReservationConflict);
    assert_eq!((keys(library).await, holder(library).await), (before, None));
}

pub(crate) fn all_commands() -> Cdb {
    ReportSupportedOperationCodes { allocation: ROOM.into(), ..Default::default() }.cdb()
}

pub(crate) async fn every_command_that_is_listed_is_supported_by_itself(library: &Library) {
    let data = good(&*library.changer, all_commands(), ROOM.into()).await;
    let list = SupportedCommands::parse(&data).unwrap();
    assert!(!list.is_truncated());
    for opcode in [0x00, 0x12, 0xA5, 0xB8] {
        assert!(list.find(opcode, None).is_some(), "{opcode:02X}h is not listed");
    }
    for command in list.commands() {
        let options = match command.service_action {
            Some(_) => ReportingOptions::ServiceAction,
            None => ReportingOptions::Opcode,
        };
        let cdb = ReportSupportedOperationCodes {
            options,
            opcode: command.opcode,
            service_action: command.service_action.unwrap_or(0),
            allocation: ROOM.into(),
            ..Default::default()
        };
        let data = good(&*library.changer, cdb.cdb(), ROOM.into()).await;
        let one = OneCommand::parse(&data).unwrap();
        assert!(matches!(one.support, CommandSupport::Standard | CommandSupport::Vendor), "{command:?}");
        assert_eq!(one.usage.len(), usize::from(command.cdb_length), "{command:?}");
    }
}

pub(crate) fn port(element: u16, action: PortAction) -> Cdb {
    OpenCloseImportExport { element: ElementAddress(element), action }.cdb()
}

pub(crate) async fn a_port_is_put_out_and_taken_in_again(library: &Library) {
    let slot = library.nth(ElementType::Storage, true, 0);
    let mail_slot = library.nth(ElementType::ImportExport, false, 0);
    let before = library.contents().await;
    let answer = ask(&*library.changer, port(mail_slot, PortAction::Open), 0, MOTION).await;
    assert_eq!(answer.status, Status::Good, "{:?}", answer.sense());
    let refused = library.try_move(slot, mail_slot).await.expect_err("the port is out");
    assert_eq!(library.contents().await, before, "{refused}");
    let answer = ask(&*library.changer, port(mail_slot, PortAction::Close), 0, MOTION).await;
    assert_eq!(answer.status, Status::Good, "{:?}", answer.sense());
    library.move_medium(slot, mail_slot).await;
}
