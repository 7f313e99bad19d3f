//! What goes wrong between an initiator and a target: each a clear typed error that names the device and shows no
//! secret, and nothing is ever sent twice.
#![cfg(feature = "iscsi")]

mod beds;
#[path = "iscsi_errors/logins.rs"]
mod logins;
#[path = "iscsi_errors/unreached.rs"]
mod unreached;

use std::sync::Arc;
use std::time::Duration;

use autochanger::transport::iscsi::{DigestPolicy, discover};
use autochanger::transport::{
    Command, Completion, DeviceUrl, IscsiTransport, IscsiUrl, PathFault, PathFaultKind, TaskManagement,
    Transport, TransportError, open,
};
use autochanger_scsi::{
    DeviceType, ElementAddress, ElementStatus, ElementType, Inquiry, MoveMedium, ReadElementStatus,
    StandardInquiry, Status, TestUnitReady,
};

use beds::proxy::{Cut, Holding, Proxy};
use beds::{TgtBed, TgtOptions};

const SOON: Duration = Duration::from_secs(10);

const MOVE_MEDIUM: u8 = 0xA5;

const TEST_UNIT_READY: u8 = 0x00;

fn device(url: &str) -> Arc<dyn Transport> {
    open(&url.parse::<DeviceUrl>().unwrap()).unwrap()
}

fn ready() -> Command {
    Command::new(TestUnitReady {}.cdb(), SOON)
}

async fn inquiry(device: &dyn Transport) -> Completion {
    let cdb = Inquiry { vpd: None, allocation: 96 }.cdb();
    device.execute(Command::reading(cdb, 96, SOON)).await.unwrap()
}

/// A command on a device that cannot be reached: it was not sent, and the fault names the device.
async fn not_sent(url: &str, kind: PathFaultKind) -> PathFault {
    let device = device(url);
    let error = device.execute(ready()).await.unwrap_err();
    let TransportError::NotSent(fault) = &error else { panic!("{error}") };
    assert_eq!(fault.kind, kind, "{error}");
    assert_eq!(&*fault.device, device.device(), "{error}");
    fault.clone()
}

fn move_medium(source: u16, destination: u16) -> Command {
    let command = MoveMedium {
        transport: ElementAddress(1),
        source: ElementAddress(source),
        destination: ElementAddress(destination),
        invert: false,
    };
    Command::new(command.cdb(), SOON)
}

/// Which of the first slots are full.
async fn full_slots(device: &dyn Transport) -> Vec<u16> {
    let command = ReadElementStatus {
        element_type: Some(ElementType::Storage),
        start: ElementAddress(0),
        count: 0xFFFF,
        // With tags, since tgt cuts the last eight bytes: without, the last slot would be missing.
        volume_tags: true,
        current_data: false,
        device_ids: false,
        allocation: 65536,
    };
    let answer = device.execute(Command::reading(command.cdb(), 65536, SOON)).await.unwrap();
    assert_eq!(answer.status, Status::Good);
    let elements = ElementStatus::parse(&answer.data).unwrap();
    elements.elements().filter(|element| element.full()).map(|element| element.address().0).collect()
}

/// A changer behind a proxy, its power-on attention heard.
async fn behind_proxy() -> (TgtBed, Proxy, Arc<dyn Transport>) {
    let bed = TgtBed::start(TgtOptions { slots: 4, cartridges: 1, ..TgtOptions::default() });
    let proxy = Proxy::start(bed.port()).await;
    let device = device(&bed.url_through(proxy.port()));
    let attention = device.execute(ready()).await.unwrap();
    assert_eq!(attention.status, Status::CheckCondition);
    (bed, proxy, device)
}

#[tokio::test]
async fn every_kind_of_logical_unit_is_reached() {
    let bed = TgtBed::start(TgtOptions::default());
    for (url, kind) in [
        (bed.url(), DeviceType::Changer),
        (bed.drive_url(0), DeviceType::Tape),
        (bed.disk_url(), DeviceType::Disk),
    ] {
        let answer = inquiry(&*device(&url)).await;
        assert_eq!(answer.status, Status::Good, "{url}");
        assert_eq!(StandardInquiry::parse(&answer.data).unwrap().device_type(), kind, "{url}");
    }
}

#[tokio::test]
async fn the_first_command_of_a_session_hears_of_the_power_on() {
    let bed = TgtBed::start(TgtOptions::default());
    let device = device(&bed.url());
    let first = device.execute(ready()).await.unwrap();
    assert_eq!(first.status, Status::CheckCondition);
    assert_eq!(first.sense().unwrap().code.asc, 0x29);
    assert_eq!(device.execute(ready()).await.unwrap(), Completion::good());
}

#[tokio::test]
async fn a_unit_that_does_not_exist_is_the_targets_own_word() {
    let bed = TgtBed::start(TgtOptions::default());
    let answer = device(&bed.unit_url(99)).execute(ready()).await.unwrap();
    assert_eq!(answer.status, Status::CheckCondition);
    let sense = answer.sense().unwrap();
    assert_eq!((sense.code.asc, sense.code.ascq), (0x25, 0x00));
}

#[tokio::test]
async fn a_move_that_never_reached_the_target_is_unknown_and_not_sent_again() {
    let (_bed, proxy, device) = behind_proxy().await;
    assert_eq!(full_slots(&*device).await, [1000]);
    proxy.cut(Cut::BeforeCommand(MOVE_MEDIUM));
    let error = device.execute(move_medium(1000, 1003)).await.unwrap_err();
    let TransportError::OutcomeUnknown(fault) = &error else { panic!("{error}") };
    assert_eq!(fault.kind, PathFaultKind::ConnectionLost);
    assert_eq!(&*fault.device, device.device());

    // The next command connects again; nothing else is sent.
    device.execute(ready()).await.unwrap();
    assert_eq!(full_slots(&*device).await, [1000]);
    assert_eq!((proxy.count(MOVE_MEDIUM), proxy.connections()), (1, 2));
}

#[tokio::test]
async fn a_move_whose_answer_was_lost_is_unknown_and_not_sent_again() {
    let (_bed, proxy, device) = behind_proxy().await;
    proxy.cut(Cut::BeforeAnswer(MOVE_MEDIUM));
    let error = device.execute(move_medium(1000, 1003)).await.unwrap_err();
    assert!(matches!(error, TransportError::OutcomeUnknown(_)), "{error}");

    let attention = device.execute(ready()).await.unwrap();
    assert_eq!(attention.status, Status::CheckCondition, "a new session begins with an attention");
    assert_eq!(full_slots(&*device).await, [1003]);
    assert_eq!((proxy.count(MOVE_MEDIUM), proxy.connections()), (1, 2));
}

#[tokio::test]
async fn a_cut_ends_every_command_in_flight_as_unknown_and_none_is_sent_again() {
    let (_bed, proxy, device) = behind_proxy().await;
    proxy.hold(Holding::Everything);
    let mut waiting = Vec::new();
    for _ in 0..10 {
        let device = device.clone();
        waiting.push(tokio::spawn(async move { device.execute(ready()).await }));
    }
    proxy.until_count(TEST_UNIT_READY, 11).await;
    proxy.cut_now();
    for task in waiting {
        let error = task.await.unwrap().unwrap_err();
        assert!(
            matches!(&error, TransportError::OutcomeUnknown(fault) if fault.kind == PathFaultKind::ConnectionLost)
        );
    }
    proxy.hold(Holding::Nothing);
    device.execute(ready()).await.unwrap();
    assert_eq!(proxy.count(TEST_UNIT_READY), 12);
}

#[tokio::test]
async fn a_command_beyond_its_time_is_unknown_and_its_late_answer_disturbs_nobody() {
    let (_bed, proxy, device) = behind_proxy().await;
    proxy.hold(Holding::Everything);
    let command = Command { timeout: Duration::from_millis(100), ..move_medium(1000, 1002) };
    let error = device.execute(command).await.unwrap_err();
    assert!(
        matches!(&error, TransportError::OutcomeUnknown(fault) if fault.kind == PathFaultKind::TimedOut),
        "{error}"
    );
    proxy.hold(Holding::Nothing);
    assert_eq!(device.execute(ready()).await.unwrap(), Completion::good());
    assert_eq!(full_slots(&*device).await, [1002]);
    assert_eq!((proxy.count(MOVE_MEDIUM), proxy.connections()), (1, 1));
}

/// A changer behind a proxy, whose connection is asked for a sign of life after so short a silence.
async fn kept_alive(every: Duration) -> (TgtBed, Proxy, IscsiTransport) {
    let bed = TgtBed::start(TgtOptions { slots: 4, cartridges: 1, ..TgtOptions::default() });
    let proxy = Proxy::start(bed.port()).await;
    let url: IscsiUrl = bed.url_through(proxy.port()).parse().unwrap();
    let device = IscsiTransport::new(url).keep_alive(every);
    device.execute(ready()).await.unwrap();
    (bed, proxy, device)
}

#[tokio::test]
async fn a_long_move_lives_as_long_as_its_target_answers_pings() {
    let (_bed, proxy, device) = kept_alive(Duration::from_millis(30)).await;
    proxy.hold(Holding::Commands);
    let moving = tokio::spawn({
        let device = device.clone();
        async move { device.execute(move_medium(1000, 1001)).await }
    });
    let pinged = async {
        while proxy.pings() < 10 {
            // Ten silences of 30 ms are what is waited for.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, pinged).await.expect("pings");
    assert!(!moving.is_finished());
    proxy.hold(Holding::Nothing);
    assert_eq!(moving.await.unwrap().unwrap(), Completion::good());
    assert_eq!((proxy.count(MOVE_MEDIUM), proxy.connections()), (1, 1));
}

#[tokio::test]
async fn a_target_that_answers_no_ping_is_lost_long_before_the_command_times_out() {
    let (_bed, proxy, device) = kept_alive(Duration::from_millis(50)).await;
    proxy.hold(Holding::Everything);
    let command = Command { timeout: Duration::from_secs(3600), ..move_medium(1000, 1001) };
    let error = tokio::time::timeout(SOON, device.execute(command)).await.expect("an end").unwrap_err();
    let TransportError::OutcomeUnknown(fault) = &error else { panic!("{error}") };
    assert_eq!(fault.kind, PathFaultKind::ConnectionLost);
    assert!(fault.detail.contains("ping"), "{fault}");
}

#[tokio::test]
async fn dropping_the_future_of_a_sent_command_abandons_the_answer_only() {
    let (_bed, proxy, device) = behind_proxy().await;
    let moving = tokio::spawn({
        let device = device.clone();
        async move { device.execute(move_medium(1000, 1001)).await }
    });
    proxy.until_count(MOVE_MEDIUM, 1).await;
    moving.abort();
    assert_eq!(device.execute(ready()).await.unwrap(), Completion::good());
    assert_eq!(full_slots(&*device).await, [1001]);
    assert_eq!(proxy.count(MOVE_MEDIUM), 1);
}

#[tokio::test]
async fn many_more_commands_than_the_window_holds_are_each_sent_and_answered_once() {
    let (_bed, proxy, device) = behind_proxy().await;
    let mut waiting = Vec::new();
    for _ in 0..1000 {
        let device = device.clone();
        waiting.push(tokio::spawn(async move { device.execute(ready()).await }));
    }
    for task in waiting {
        assert_eq!(task.await.unwrap().unwrap(), Completion::good());
    }
    assert_eq!(proxy.count(TEST_UNIT_READY), 1001);
}

#[tokio::test]
async fn the_units_of_a_target_share_one_connection() {
    let (_bed, proxy, device) = behind_proxy().await;
    let drive = device.sibling(1).unwrap();
    let answer = inquiry(&*drive).await;
    assert_eq!(StandardInquiry::parse(&answer.data).unwrap().device_type(), DeviceType::Tape);
    assert!(drive.device().ends_with("/1"), "{}", drive.device());
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn two_handles_of_their_own_do_not_push_each_other_out() {
    let bed = TgtBed::start(TgtOptions::default());
    let proxy = Proxy::start(bed.port()).await;
    let devices = [device(&bed.url_through(proxy.port())), device(&bed.url_through(proxy.port()))];
    for _ in 0..3 {
        for device in &devices {
            device.execute(ready()).await.unwrap();
        }
    }
    assert_eq!(proxy.connections(), 2);
}

#[tokio::test]
async fn the_last_handle_logs_out() {
    let (_bed, proxy, device) = behind_proxy().await;
    let drive = device.sibling(1).unwrap();
    drop(device);
    inquiry(&*drive).await;
    assert_eq!(proxy.logouts(), 0);
    drop(drive);
    let wait = async {
        while proxy.logouts() == 0 {
            // The end of the connection's task is seen by nobody but the proxy.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, wait).await.expect("a logout");
}

#[tokio::test]
async fn task_management_reaches_the_target() {
    let (_bed, _proxy, device) = behind_proxy().await;
    device.manage(TaskManagement::AbortTaskSet).await.unwrap();
    device.manage(TaskManagement::LogicalUnitReset).await.unwrap();
    let attention = device.execute(ready()).await.unwrap();
    assert_eq!(attention.sense().unwrap().code.asc, 0x29, "a reset is followed by an attention");
}

/// Tells tgt which digests it is to speak, "None" or "CRC32C".
fn tgt_digests(bed: &TgtBed, value: &str) {
    for name in ["HeaderDigest", "DataDigest"] {
        bed.parameter(name, value);
    }
}

#[tokio::test]
async fn tgt_and_we_agree_on_header_and_data_digests() {
    let bed = TgtBed::start(TgtOptions { slots: 200, cartridges: 1, ..TgtOptions::default() });
    let url: IscsiUrl = bed.url().parse().unwrap();
    tgt_digests(&bed, "CRC32C");
    for policy in [DigestPolicy::Require, DigestPolicy::Prefer] {
        let device = IscsiTransport::new(url.clone()).digests(policy);
        device.execute(ready()).await.unwrap();
        assert_eq!(full_slots(&device).await, [1000], "{policy:?}");
    }
    tgt_digests(&bed, "None");
    let device = IscsiTransport::new(url).digests(DigestPolicy::Require);
    let error = device.execute(ready()).await.unwrap_err();
    assert!(matches!(&error, TransportError::NotSent(_)), "{error}");
    assert!(error.to_string().contains("HeaderDigest"), "{error}");
}

#[tokio::test]
async fn a_portal_of_tgt_lists_its_targets() {
    let bed = TgtBed::start(TgtOptions::default());
    let targets = discover(&format!("127.0.0.1:{}", bed.port()), None).await.unwrap();
    let [target] = &targets[..] else { panic!("{targets:?}") };
    assert_eq!(target.name, bed.iqn());
    let url = target.url(bed.changer_lun(), None).unwrap();
    assert_eq!(inquiry(&IscsiTransport::new(url)).await.status, Status::Good);
}

#[tokio::test]
async fn a_target_that_dies_is_a_fault_and_no_hang() {
    let bed = TgtBed::start(TgtOptions::default());
    let device = device(&bed.url());
    device.execute(ready()).await.unwrap();
    bed.kill();
    let first = device.execute(ready()).await.unwrap_err();
    assert!(
        matches!(first.fault().kind, PathFaultKind::ConnectionLost | PathFaultKind::Unreachable),
        "{first}"
    );
    let second = device.execute(ready()).await.unwrap_err();
    assert!(
        matches!(&second, TransportError::NotSent(fault) if fault.kind == PathFaultKind::Unreachable),
        "{second}"
    );
}

#[test]
fn a_device_serves_one_runtime_after_the_other() {
    let bed = TgtBed::start(TgtOptions::default());
    let device = device(&bed.url());
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(inquiry(&*device)).status, Status::Good);
    }
}

#[tokio::test]
async fn more_data_than_a_transfer_holds_is_refused_before_it_is_sent() {
    let device = device("iscsi://127.0.0.1:1/iqn.2026-01.test:nobody/0");
    let command = Command::reading(TestUnitReady {}.cdb(), device.limits().max_transfer + 1, SOON);
    let error = device.execute(command).await.unwrap_err();
    assert!(
        matches!(&error, TransportError::NotSent(fault) if fault.kind == PathFaultKind::LimitReached),
        "{error}"
    );
}
