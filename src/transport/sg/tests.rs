use std::path::PathBuf;
use std::time::Duration;

use autochanger_scsi::sg::{Address, Cause, Fault, HostStatus, OpenError, Unit};
use autochanger_scsi::{Cdb, DeviceType, TestUnitReady};

use super::*;

fn unit(number: u32, kind: DeviceType, (host, target, lun): (u32, u32, u64)) -> Unit {
    Unit {
        node: PathBuf::from(format!("/dev/sg{number}")),
        address: Address { host, channel: 0, target, lun },
        device_type: kind,
        vendor: "STK".into(),
        product: "L700".into(),
        revision: "0010".into(),
        serial: None,
        tape: None,
        names: Vec::new(),
    }
}

fn nodes(units: &[Unit]) -> Vec<&str> {
    units.iter().filter_map(|unit| unit.node.to_str()).collect()
}

#[test]
fn a_changer_has_the_drives_of_its_own_target_first_and_then_those_nearby() {
    let units = [
        unit(0, DeviceType::Disk, (0, 0, 0)),
        unit(1, DeviceType::Tape, (1, 0, 0)),
        unit(2, DeviceType::Tape, (2, 3, 0)),
        unit(3, DeviceType::Tape, (2, 5, 0)),
        unit(4, DeviceType::Changer, (2, 5, 1)),
        unit(5, DeviceType::Tape, (2, 6, 0)),
    ];
    let changers = discover::of_units(&units);
    assert_eq!(changers.len(), 1);
    assert_eq!(nodes(&changers[0].drives), ["/dev/sg3", "/dev/sg2", "/dev/sg5", "/dev/sg1"]);
    assert_eq!(nodes(&discover::beyond_target(&units[4], &units)), nodes(&changers[0].drives));
}

#[test]
fn drives_of_the_changers_own_target_alone_are_left_to_be_found_there() {
    let units = [
        unit(1, DeviceType::Tape, (2, 5, 0)),
        unit(2, DeviceType::Changer, (2, 5, 1)),
        unit(3, DeviceType::Tape, (2, 5, 2)),
    ];
    assert_eq!(nodes(&discover::beyond_target(&units[1], &units)), [""; 0]);
}

#[test]
fn a_changers_url_is_a_name_that_stays_where_it_has_one() {
    let mut changer = unit(4, DeviceType::Changer, (2, 5, 1));
    assert_eq!(discover::of_units(&[changer.clone()])[0].url(), "sg:/dev/sg4");
    changer.names = ["/dev/tape/by-id/scsi-1", "/dev/tape/by-path/pci-1-changer"].map(PathBuf::from).into();
    let url = discover::of_units(&[changer])[0].url();
    assert_eq!(url, "sg:/dev/tape/by-path/pci-1-changer");
    url.parse::<crate::transport::DeviceUrl>().expect("it can be opened again");
}

#[test]
fn drives_are_matched_by_serial_number_and_one_that_the_report_cuts_only_when_one_is_left() {
    // Two drive elements of 50 bytes with identifiers; the last eight bytes are missing.
    let mut report = vec![0x01, 0xF4, 0, 2, 0, 0, 0, 108, 4, 0, 0, 50, 0, 0, 0, 100];
    for (address, serial) in [(0xF4, "DRV0000001"), (0xF5, "DRV0000002")] {
        let mut element = vec![0; 50];
        element[..3].copy_from_slice(&[1, address, 8]);
        element[12..16].copy_from_slice(&[2, 1, 0, 34]);
        element[16..24].copy_from_slice(b"HP      ");
        element[24..40].copy_from_slice(b"LTO3 ULTRIUM    ");
        element[40..].copy_from_slice(serial.as_bytes());
        report.extend(element);
    }
    let drive = |number: u32| {
        let serial = format!("DRV000000{number}");
        let names = autochanger_engine::pairing::DriveNames::serial(&*serial);
        (Unit { serial: Some(serial), ..unit(number, DeviceType::Tape, (0, 0, number.into())) }, names)
    };
    let at = Address { host: 0, channel: 0, target: 0, lun: 0 };
    let matched_at = |at: Address, data: &[u8], drives: &[u32]| -> Vec<_> {
        let known: Vec<_> = drives.iter().map(|number| drive(*number)).collect();
        let changer = Unit { address: at, ..unit(0, DeviceType::Changer, (0, 0, 0)) };
        discover::matched(&changer, &discover::read_elements(data), &known)
            .into_iter()
            .map(|drive| (drive.element.0, drive.unit.map(|unit| unit.node)))
            .collect()
    };
    let matched = |data: &[u8], drives: &[u32]| matched_at(at, data, drives);
    let node = |number: u32| Some(PathBuf::from(format!("/dev/sg{number}")));
    let cut = &report[..report.len() - 8];
    assert_eq!(matched(&report, &[2, 1, 3]), [(500, node(1)), (501, node(2))]);
    assert_eq!(matched(cut, &[2, 1]), [(500, node(1)), (501, node(2))], "the only one that is left");
    assert_eq!(matched(cut, &[1, 2, 3]), [(500, node(1)), (501, None)], "it may be either of two");
    let elsewhere = Address { target: 7, ..at };
    assert_eq!(matched_at(elsewhere, cut, &[1, 3]), [(500, node(1)), (501, None)], "perhaps somebody else's");
    assert_eq!(matched(&report, &[3]), [(500, None), (501, None)]);
}

#[test]
fn a_drive_that_is_reached_twice_is_one_candidate_by_the_nearer_path() {
    let drive =
        |number, place| Unit { serial: Some("DRV0000001".into()), ..unit(number, DeviceType::Tape, place) };
    let changer = unit(4, DeviceType::Changer, (2, 5, 1));
    let units =
        [drive(1, (1, 0, 0)), drive(2, (2, 3, 0)), changer.clone(), unit(3, DeviceType::Tape, (3, 0, 0))];
    assert_eq!(nodes(&discover::of_units(&units)[0].drives), ["/dev/sg2", "/dev/sg3"]);
}

fn transport(url: &str) -> SgTransport {
    match url.parse().expect("a device URL") {
        crate::transport::DeviceUrl::Sg(url) => SgTransport::new(url),
        other => panic!("{other:?}"),
    }
}

fn test_unit_ready() -> Command {
    Command::new(TestUnitReady {}.cdb(), Duration::from_secs(5))
}

#[tokio::test]
async fn a_node_that_is_not_there_is_a_path_fault_that_can_pass_and_nothing_was_sent() {
    let device = transport("sg:/dev/sg-that-is-not-there");
    let error = device.execute(test_unit_ready()).await.expect_err("it is not there");
    let TransportError::NotSent(fault) = &error else { panic!("{error}") };
    assert!(fault.kind.is_transient() && fault.detail.contains("/dev/sg-that-is-not-there"), "{error}");
    assert_eq!(device.limits(), Limits { max_transfer: 64 << 10, max_in_flight: 1 });
    assert!(device.sibling(0).is_none() && device.os_device().is_none());
}

#[test]
fn as_many_commands_are_in_flight_as_the_url_says() {
    let device = transport("sg:/dev/sg-that-is-not-there?in_flight=3");
    assert_eq!(device.limits().max_in_flight, 3);
    assert_eq!(transport("sg:/dev/sg-that-is-not-there").limits().max_in_flight, 1);
}

#[tokio::test]
async fn a_node_of_another_driver_is_told_so() {
    let device = transport("sg:/dev/null");
    let error = device.execute(test_unit_ready()).await.expect_err("it is no sg device");
    let TransportError::NotSent(fault) = &error else { panic!("{error}") };
    assert!(!fault.kind.is_transient() && error.to_string().contains("no SCSI generic device"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_carried_is_refused_before_anything_is_opened() {
    let device = transport("sg:/dev/sg-that-is-not-there?max_transfer=4096");
    let read = Command::reading(
        Cdb::from_bytes(&[0x12, 0, 0, 0, 36, 0]).expect("a CDB"),
        4097,
        Duration::from_secs(5),
    );
    let error = device.execute(read.clone()).await.expect_err("too much");
    assert_eq!(error.fault().kind, PathFaultKind::LimitReached, "{error}");
    let both = Command { data_in: 8, data_out: Bytes::from_static(&[1]), ..read };
    let error = device.execute(both).await.expect_err("both directions");
    assert_eq!(error.fault().kind, PathFaultKind::Unsupported, "{error}");
    assert_eq!(device.limits().max_transfer, 4096);
}

#[test]
fn faults_keep_what_matters_and_get_a_kind() {
    let device: Arc<str> = "sg:/dev/sg3".into();
    let unknown = |cause| fault::of_command(&Fault::OutcomeUnknown(cause), &device);
    let not_sent = |cause| fault::of_command(&Fault::NotSent(cause), &device);
    let system = |code| Cause::System { call: "write", error: std::io::Error::from_raw_os_error(code) };
    for (error, kind) in [
        (unknown(Cause::Host(HostStatus::TIME_OUT)), PathFaultKind::TimedOut),
        (unknown(Cause::Silence), PathFaultKind::TimedOut),
        (unknown(Cause::Host(HostStatus::NO_CONNECT)), PathFaultKind::ConnectionLost),
        (unknown(Cause::Host(HostStatus(0x0E))), PathFaultKind::ConnectionLost),
        (unknown(Cause::Driver(7)), PathFaultKind::ConnectionLost),
    ] {
        assert!(matches!(&error, TransportError::OutcomeUnknown(fault) if fault.kind == kind), "{error}");
    }
    const ENXIO: i32 = 6;
    const ENOMEM: i32 = 12;
    const ENODEV: i32 = 19;
    const EINVAL: i32 = 22;
    for (error, kind) in [
        (not_sent(Cause::Host(HostStatus::NO_CONNECT)), PathFaultKind::Unreachable),
        (not_sent(system(ENXIO)), PathFaultKind::Unreachable),
        (not_sent(system(ENODEV)), PathFaultKind::Unreachable),
        (not_sent(system(ENOMEM)), PathFaultKind::LimitReached),
        (not_sent(system(EINVAL)), PathFaultKind::LimitReached),
        (not_sent(Cause::TooLarge { bytes: 2, limit: 1 }), PathFaultKind::LimitReached),
    ] {
        assert!(matches!(&error, TransportError::NotSent(fault) if fault.kind == kind), "{error}");
        assert!(error.to_string().contains("sg:/dev/sg3"), "{error}");
    }
}

#[test]
fn a_node_that_the_user_may_not_open_is_denied_and_what_to_do_names_it() {
    const EACCES: i32 = 13;
    let error = std::io::Error::from_raw_os_error(EACCES);
    // Any file will do for the owner's name; nobody opens it.
    let refused = OpenError::System { path: "/dev/null".into(), error };
    let error = fault::of_open(&refused.into(), &"sg:/dev/sg3".into());
    let TransportError::NotSent(fault) = &error else { panic!("{error}") };
    assert_eq!(fault.kind, PathFaultKind::Denied);
    let text = error.to_string();
    for words in ["sg:/dev/sg3", "/dev/null", "it belongs to the group", "add the user"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
