use super::*;
use crate::digest::DigestPolicy;
use crate::pdu::*;

mod alive;
mod commands;
mod discovery;
mod ends;
mod functions;
mod negotiation;
mod numbers;

const TEST_UNIT_READY: [u8; 16] = [0; 16];

fn config() -> LoginConfig {
    LoginConfig {
        initiator: "iqn.2026-01.test:me".into(),
        target: Some("iqn.2026-01.test:library".into()),
        isid: [0x80, 0, 0, 0, 0, 1],
        authentication: None,
        digests: DigestPolicy::Accept,
    }
}

/// A logged-in initiator whose target takes commands up to `max_command_sn`, and counts its statuses from 3.
fn session(max_command_sn: u32) -> Initiator {
    session_with(max_command_sn, "")
}

fn session_with(max_command_sn: u32, parameters: &str) -> Initiator {
    let mut initiator = Initiator::new(config());
    transmitted(&mut initiator);
    let security = LoginResponse { transit: true, next_stage: 1, status_sn: 1, ..LoginResponse::default() };
    feed(&mut initiator, &security.encode());
    transmitted(&mut initiator);
    let operational = LoginResponse {
        transit: true,
        current_stage: 1,
        next_stage: 3,
        tsih: 5,
        status_sn: 2,
        expected_command_sn: 1,
        max_command_sn,
        data: Bytes::from(parameters.to_owned()),
        ..LoginResponse::default()
    };
    feed(&mut initiator, &operational.encode());
    assert_eq!(initiator.poll_event(), Some(Event::LoggedIn));
    initiator
}

/// What a target sends, with the number of its status as a target counts them.
fn feed(initiator: &mut Initiator, raw: &RawPdu) {
    feed_as(initiator, raw, initiator.expected_status_sn);
}

/// The same with this number. What has no place for one stays as it is.
fn feed_as(initiator: &mut Initiator, raw: &RawPdu, status_sn: u32) {
    let mut raw = raw.clone();
    let data_alone = raw.opcode() == DataIn::OPCODE && raw.header[1] & 1 == 0;
    if raw.opcode() != LoginResponse::OPCODE && !data_alone {
        raw.header[24..28].copy_from_slice(&status_sn.to_be_bytes());
    }
    initiator.received(&raw.to_bytes());
}

fn transmitted(initiator: &mut Initiator) -> Vec<Pdu> {
    let mut reader = PduReader::new(1 << 24);
    while let Some(bytes) = initiator.poll_transmit() {
        reader.push(&bytes);
    }
    std::iter::from_fn(|| reader.next_pdu().unwrap()).map(|raw| Pdu::decode(&raw).unwrap()).collect()
}

fn events(initiator: &mut Initiator) -> Vec<Event> {
    std::iter::from_fn(|| initiator.poll_event()).collect()
}

fn ready() -> Request {
    Request { lun: 3, cdb: TEST_UNIT_READY, data_out: Bytes::new(), data_in: 0 }
}

fn reading(length: u32) -> Request {
    Request { data_in: length, ..ready() }
}

fn writing(length: usize) -> Request {
    Request { data_out: (0..length).map(|index| index as u8).collect(), ..ready() }
}

fn response(tag: Tag) -> ScsiResponse {
    ScsiResponse {
        initiator_task_tag: tag.0,
        expected_command_sn: 2,
        max_command_sn: 40,
        ..ScsiResponse::default()
    }
}

fn data_in(tag: Tag, offset: u32, data: &'static [u8]) -> DataIn {
    DataIn {
        initiator_task_tag: tag.0,
        buffer_offset: offset,
        expected_command_sn: 2,
        max_command_sn: 40,
        data: Bytes::from_static(data),
        ..DataIn::default()
    }
}

#[track_caller]
fn assert_breach(initiator: &mut Initiator, what: &str) {
    match events(initiator).last() {
        Some(Event::Ended(Ended::Protocol(error))) => assert!(error.to_string().contains(what), "{error}"),
        other => panic!("no breach of the protocol but {other:?}"),
    }
    assert!(initiator.has_ended());
}
