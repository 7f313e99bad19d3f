use super::*;
use crate::digest::DigestPolicy;
use crate::pdu::*;

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

/// A logged-in initiator whose target takes commands up to `max_command_sn`, and sends with StatSN 3 next.
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

fn feed(initiator: &mut Initiator, raw: &RawPdu) {
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
        status_sn: 3,
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

#[test]
fn a_command_carries_its_lun_its_numbers_and_the_next_status_number() {
    let mut initiator = session(40);
    let first = initiator.submit(ready()).unwrap();
    let second = initiator.submit(Request { lun: 300, ..reading(96) }).unwrap();
    let sent = transmitted(&mut initiator);
    let [Pdu::ScsiCommand(one), Pdu::ScsiCommand(two)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((one.initiator_task_tag, one.command_sn, one.expected_status_sn), (first.0, 1, 3));
    assert_eq!((two.initiator_task_tag, two.command_sn), (second.0, 2));
    assert_eq!((one.lun, two.lun), (3 << 48, 0x412C << 48));
    assert_eq!((one.read, one.write, one.expected_length), (false, false, 0));
    assert_eq!((two.read, two.write, two.expected_length), (true, false, 96));
}

#[test]
fn answers_may_come_in_any_order() {
    let mut initiator = session(40);
    let tags = [(); 3].map(|()| initiator.submit(ready()).unwrap());
    transmitted(&mut initiator);
    for tag in [tags[2], tags[0], tags[1]] {
        feed(&mut initiator, &response(tag).encode());
    }
    let order: Vec<Tag> = events(&mut initiator)
        .into_iter()
        .map(|event| match event {
            Event::Completed { tag, answer } if answer.status == 0 => tag,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(order, [tags[2], tags[0], tags[1]]);
    assert_eq!(initiator.in_flight(), 0);
}

#[test]
fn sense_comes_with_the_status() {
    let mut initiator = session(40);
    let tag = initiator.submit(ready()).unwrap();
    transmitted(&mut initiator);
    let mut check = response(tag);
    check.status = 2;
    check.data = Bytes::from_static(&[0, 4, 0x70, 0, 6, 0, 0xEE, 0xEE]);
    feed(&mut initiator, &check.encode());
    let [Event::Completed { answer, .. }] = &events(&mut initiator)[..] else { panic!("no answer") };
    assert_eq!((answer.status, &answer.sense[..]), (2, &[0x70, 0, 6, 0][..]));
}

#[test]
fn data_is_put_together_and_the_status_may_come_with_it() {
    let mut initiator = session(40);
    let tag = initiator.submit(reading(16)).unwrap();
    transmitted(&mut initiator);
    feed(&mut initiator, &data_in(tag, 0, b"abcd").encode());
    feed(&mut initiator, &data_in(tag, 4, b"efgh").encode());
    assert_eq!(events(&mut initiator), []);
    let last = DataIn {
        has_status: true,
        is_final: true,
        underflow: true,
        residual: 6,
        status_sn: 3,
        ..data_in(tag, 8, b"ij")
    };
    feed(&mut initiator, &last.encode());
    let [Event::Completed { answer, .. }] = &events(&mut initiator)[..] else { panic!("no answer") };
    assert_eq!(&answer.data[..], b"abcdefghij");
    assert_eq!(answer.residual, Residual::Underflow(6));
}

#[test]
fn data_that_was_not_asked_for_ends_the_session() {
    for (offset, data, what) in
        [(0, &b"abcde"[..], "more data"), (1, b"a", "out of order"), (u32::MAX, b"", "out of order")]
    {
        let mut initiator = session(40);
        let tag = initiator.submit(reading(4)).unwrap();
        transmitted(&mut initiator);
        feed(&mut initiator, &data_in(tag, offset, data).encode());
        assert_breach(&mut initiator, what);
    }
}

#[test]
fn the_window_of_the_target_is_kept_and_opens_with_its_answers() {
    let mut initiator = session(2);
    let first = initiator.submit(ready()).unwrap();
    initiator.submit(ready()).unwrap();
    assert_eq!(initiator.submit(ready()), Err(SubmitError::Full(Full)));
    transmitted(&mut initiator);
    feed(&mut initiator, &ScsiResponse { max_command_sn: 3, ..response(first) }.encode());
    assert!(initiator.submit(ready()).is_ok());
    assert_eq!(initiator.submit(ready()), Err(SubmitError::Full(Full)));
}

#[test]
fn a_window_never_shrinks_and_nonsense_does_not_open_it() {
    let mut initiator = session(2);
    for max in [0, 1, 0x9000_0000] {
        let ping = NopIn {
            initiator_task_tag: NO_TAG,
            target_transfer_tag: NO_TAG,
            expected_command_sn: 3,
            max_command_sn: max,
            ..NopIn::default()
        };
        feed(&mut initiator, &ping.encode());
    }
    assert!(initiator.submit(ready()).is_ok());
    assert!(initiator.submit(ready()).is_ok());
    assert_eq!(initiator.submit(ready()), Err(SubmitError::Full(Full)));
}

#[test]
fn no_more_than_the_bound_is_in_flight_whatever_the_window() {
    let mut initiator = session(100_000);
    for _ in 0..MAX_IN_FLIGHT {
        initiator.submit(ready()).unwrap();
    }
    assert_eq!(initiator.submit(ready()), Err(SubmitError::Full(Full)));
}

#[test]
fn small_data_goes_with_the_command_and_the_rest_when_it_is_asked_for() {
    let mut initiator = session_with(40, "MaxRecvDataSegmentLength=1024\0FirstBurstLength=1024\0");
    let tag = initiator.submit(writing(3000)).unwrap();
    let sent = transmitted(&mut initiator);
    let [Pdu::ScsiCommand(command)] = &sent[..] else { panic!("{sent:?}") };
    assert!(command.write && command.is_final);
    assert_eq!((command.expected_length, command.data.len()), (3000, 1024));

    let r2t = ReadyToTransfer {
        lun: 3 << 48,
        initiator_task_tag: tag.0,
        target_transfer_tag: 77,
        buffer_offset: 1024,
        desired_length: 1976,
        ..ReadyToTransfer::default()
    };
    feed(&mut initiator, &r2t.encode());
    let sent = transmitted(&mut initiator);
    let [Pdu::DataOut(one), Pdu::DataOut(two)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((one.buffer_offset, one.data.len(), one.data_sn, one.is_final), (1024, 1024, 0, false));
    assert_eq!((two.buffer_offset, two.data.len(), two.data_sn, two.is_final), (2048, 952, 1, true));
    assert_eq!((one.target_transfer_tag, two.lun), (77, 3 << 48));
    assert_eq!(two.data[0], 2048u32 as u8);

    feed(&mut initiator, &ReadyToTransfer { r2t_sn: 1, ..r2t }.encode());
    assert_breach(&mut initiator, "data out of order");
}

#[test]
fn a_request_for_data_that_is_not_there_ends_the_session() {
    for (r2t_sn, offset, length) in [(0, 0, 0), (0, 0, 11), (0, 1, 5), (1, 0, 5), (0, u32::MAX, u32::MAX)] {
        let mut initiator = session_with(40, "ImmediateData=No\0");
        let tag = initiator.submit(writing(10)).unwrap();
        let sent = transmitted(&mut initiator);
        assert!(matches!(&sent[..], [Pdu::ScsiCommand(command)] if command.data.is_empty()));
        let r2t = ReadyToTransfer {
            initiator_task_tag: tag.0,
            r2t_sn,
            buffer_offset: offset,
            desired_length: length,
            ..ReadyToTransfer::default()
        };
        feed(&mut initiator, &r2t.encode());
        assert_breach(&mut initiator, "a request for data");
    }
}

#[test]
fn a_lost_session_tells_what_was_sent_from_what_was_not() {
    let mut initiator = session(40);
    let sent = initiator.submit(ready()).unwrap();
    initiator.poll_transmit().unwrap();
    let unsent = initiator.submit(ready()).unwrap();
    initiator.disconnected();
    assert_eq!(
        events(&mut initiator),
        [
            Event::Failed { tag: sent, failure: Failure::SessionLost },
            Event::Failed { tag: unsent, failure: Failure::NotSent },
            Event::Ended(Ended::Disconnected),
        ]
    );
    assert_eq!(initiator.poll_transmit(), None, "nothing leaves after the end");
    assert_eq!(initiator.submit(ready()), Err(SubmitError::NotReady));
    initiator.disconnected();
    assert_eq!(initiator.poll_event(), None, "the end comes once");
}

#[test]
fn a_late_answer_to_an_abandoned_command_is_dropped() {
    let mut initiator = session(40);
    let tag = initiator.submit(reading(4)).unwrap();
    transmitted(&mut initiator);
    assert!(initiator.abandon(tag));
    assert!(!initiator.abandon(tag));
    feed(&mut initiator, &data_in(tag, 0, b"abcd").encode());
    feed(&mut initiator, &response(tag).encode());
    assert_eq!(events(&mut initiator), []);
    assert!(initiator.is_ready());
}

#[test]
fn an_answer_to_nothing_ends_the_session() {
    let mut initiator = session(40);
    feed(&mut initiator, &response(Tag(500)).encode());
    assert_breach(&mut initiator, "never sent");
}

#[test]
fn a_targets_ping_is_answered_and_ours_is_noticed() {
    let mut initiator = session(40);
    let ping = NopIn { lun: 9, initiator_task_tag: NO_TAG, target_transfer_tag: 0x55, ..NopIn::default() };
    feed(&mut initiator, &ping.encode());
    let sent = transmitted(&mut initiator);
    let [Pdu::NopOut(answer)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((answer.lun, answer.initiator_task_tag, answer.target_transfer_tag), (9, NO_TAG, 0x55));
    assert!(answer.immediate);

    initiator.ping();
    initiator.ping();
    let sent = transmitted(&mut initiator);
    let [Pdu::NopOut(ours)] = &sent[..] else { panic!("one ping at a time, not {sent:?}") };
    assert_eq!(ours.target_transfer_tag, NO_TAG);
    let pong = NopIn {
        initiator_task_tag: ours.initiator_task_tag,
        target_transfer_tag: NO_TAG,
        ..NopIn::default()
    };
    feed(&mut initiator, &pong.encode());
    assert_eq!(events(&mut initiator), [Event::Pong]);
}

#[test]
fn a_target_that_pings_and_never_reads_is_left() {
    let mut initiator = session(40);
    let ping = NopIn { initiator_task_tag: NO_TAG, target_transfer_tag: 1, ..NopIn::default() };
    for _ in 0..=MAX_WAITING_REPLIES {
        feed(&mut initiator, &ping.encode());
    }
    assert_breach(&mut initiator, "without reading");
}

#[test]
fn an_abort_ends_the_commands_before_it_and_no_others() {
    let mut initiator = session(40);
    let before = initiator.submit(ready()).unwrap();
    let elsewhere = initiator.submit(Request { lun: 1, ..ready() }).unwrap();
    let abort = initiator.manage(ManagementFunction::AbortTaskSet, 3).unwrap();
    let after = initiator.submit(ready()).unwrap();
    let sent = transmitted(&mut initiator);
    let Pdu::TaskManagementRequest(request) = &sent[2] else { panic!("{sent:?}") };
    assert_eq!((request.function, request.lun, request.immediate), (2, 3 << 48, true));
    assert_eq!((request.command_sn, request.referenced_task_tag), (3, NO_TAG));

    let complete = TaskManagementResponse {
        initiator_task_tag: abort.0,
        status_sn: 3,
        ..TaskManagementResponse::default()
    };
    feed(&mut initiator, &complete.encode());
    assert_eq!(
        events(&mut initiator),
        [
            Event::Failed { tag: before, failure: Failure::Aborted },
            Event::Managed { tag: abort, response: ManagementResponse::Complete },
        ]
    );
    for tag in [elsewhere, after] {
        feed(&mut initiator, &response(tag).encode());
    }
    assert_eq!(events(&mut initiator).len(), 2);
}

#[test]
fn an_abort_of_one_task_names_it() {
    let mut initiator = session(40);
    let task = initiator.submit(ready()).unwrap();
    initiator.manage(ManagementFunction::AbortTask(task), 3).unwrap();
    let sent = transmitted(&mut initiator);
    let Pdu::TaskManagementRequest(request) = &sent[1] else { panic!("{sent:?}") };
    assert_eq!(
        (request.function, request.referenced_task_tag, request.referenced_command_sn),
        (1, task.0, 1)
    );
}

#[test]
fn a_refused_function_leaves_the_commands_alone() {
    let mut initiator = session(40);
    initiator.submit(ready()).unwrap();
    let reset = initiator.manage(ManagementFunction::LogicalUnitReset, 3).unwrap();
    transmitted(&mut initiator);
    let refused = TaskManagementResponse {
        response: 5,
        initiator_task_tag: reset.0,
        ..TaskManagementResponse::default()
    };
    feed(&mut initiator, &refused.encode());
    assert_eq!(
        events(&mut initiator),
        [Event::Managed { tag: reset, response: ManagementResponse::Unsupported }]
    );
    assert_eq!(initiator.in_flight(), 1);
}

#[test]
fn each_response_to_a_function_is_told_apart() {
    let mut initiator = session(40);
    for (code, response) in [
        (0, ManagementResponse::Complete),
        (1, ManagementResponse::NoSuchTask),
        (2, ManagementResponse::NoSuchLun),
        (5, ManagementResponse::Unsupported),
        (255, ManagementResponse::Refused(255)),
    ] {
        let tag = initiator.manage(ManagementFunction::AbortTaskSet, 3).unwrap();
        transmitted(&mut initiator);
        let answer = TaskManagementResponse {
            response: code,
            initiator_task_tag: tag.0,
            ..TaskManagementResponse::default()
        };
        feed(&mut initiator, &answer.encode());
        assert_eq!(events(&mut initiator), [Event::Managed { tag, response }]);
        assert_eq!(ManagementResponse::code(response), code);
    }
}

#[test]
fn a_rejected_function_is_refused_and_harms_nothing() {
    let mut initiator = session(40);
    let tag = initiator.manage(ManagementFunction::ClearTaskSet, 3).unwrap();
    let [Pdu::TaskManagementRequest(request)] = &transmitted(&mut initiator)[..] else { panic!() };
    let header = Bytes::copy_from_slice(&request.encode().header);
    feed(&mut initiator, &Reject { reason: 6, data: header, ..Reject::default() }.encode());
    assert_eq!(events(&mut initiator), [Event::Managed { tag, response: ManagementResponse::Refused(6) }]);
    assert!(initiator.is_ready());
}

#[test]
fn a_list_of_targets_may_come_in_pieces() {
    let mut initiator = session(40);
    initiator.discover().unwrap();
    assert_eq!(initiator.discover(), Err(SubmitError::Full(Full)));
    let [Pdu::TextRequest(asked)] = &transmitted(&mut initiator)[..] else { panic!("no question") };
    let part = |text: &'static str, is_final| TextResponse {
        is_final,
        initiator_task_tag: asked.initiator_task_tag,
        target_transfer_tag: if is_final { NO_TAG } else { 17 },
        data: Bytes::from_static(text.as_bytes()),
        ..TextResponse::default()
    };
    feed(&mut initiator, &part("TargetName=iqn.a\0TargetAddress=192.0.2.1:32", false).encode());
    let [Pdu::TextRequest(more)] = &transmitted(&mut initiator)[..] else { panic!("no continuation") };
    assert_eq!((more.initiator_task_tag, more.target_transfer_tag), (asked.initiator_task_tag, 17));
    assert!(more.data.is_empty());
    let rest = "60,1\0TargetAddress=[2001:db8::1]:3260,1\0TargetName=iqn.b\0";
    feed(&mut initiator, &part(rest, true).encode());
    let [Event::Discovered(targets)] = &events(&mut initiator)[..] else { panic!("nothing discovered") };
    assert_eq!((&*targets[0].name, targets[0].addresses.len()), ("iqn.a", 2));
    assert_eq!(targets[0].addresses[0], "192.0.2.1:3260,1");
    assert_eq!((&*targets[1].name, targets[1].addresses.len()), ("iqn.b", 0));
}

#[test]
fn a_list_of_targets_that_makes_no_sense_ends_the_session() {
    for (text, is_final, what) in [
        ("TargetAddress=192.0.2.1:3260,1\0", true, "an address of no target"),
        ("", false, "an empty part"),
        ("TargetName\0", true, "a key without a value"),
    ] {
        let mut initiator = session(40);
        initiator.discover().unwrap();
        let [Pdu::TextRequest(asked)] = &transmitted(&mut initiator)[..] else { panic!("no question") };
        let answer = TextResponse {
            is_final,
            initiator_task_tag: asked.initiator_task_tag,
            target_transfer_tag: if is_final { NO_TAG } else { 17 },
            data: Bytes::from_static(text.as_bytes()),
            ..TextResponse::default()
        };
        feed(&mut initiator, &answer.encode());
        assert_breach(&mut initiator, what);
    }
}

#[test]
fn a_target_failure_is_no_answer() {
    let mut initiator = session(40);
    let tag = initiator.submit(ready()).unwrap();
    transmitted(&mut initiator);
    feed(&mut initiator, &ScsiResponse { response: 1, ..response(tag) }.encode());
    assert_eq!(events(&mut initiator), [Event::Failed { tag, failure: Failure::TargetFailure(1) }]);
}

#[test]
fn an_announced_end_is_an_end() {
    for event in 2..=4 {
        let mut initiator = session(40);
        feed(&mut initiator, &AsyncMessage { event, ..AsyncMessage::default() }.encode());
        assert_eq!(events(&mut initiator), [Event::Ended(Ended::ByTarget(event))]);
    }
    let mut initiator = session(40);
    feed(&mut initiator, &AsyncMessage { event: 0, ..AsyncMessage::default() }.encode());
    feed(&mut initiator, &AsyncMessage { event: 255, ..AsyncMessage::default() }.encode());
    assert!(initiator.is_ready());
}

#[test]
fn a_rejected_command_ends_the_session_and_a_rejected_ping_is_a_sign_of_life() {
    let mut initiator = session(40);
    initiator.ping();
    let [Pdu::NopOut(ping)] = &transmitted(&mut initiator)[..] else { panic!("no ping") };
    feed(
        &mut initiator,
        &Reject { reason: 5, data: Bytes::copy_from_slice(&ping.encode().header), ..Reject::default() }
            .encode(),
    );
    assert_eq!(events(&mut initiator), [Event::Pong]);

    let tag = initiator.submit(ready()).unwrap();
    let [Pdu::ScsiCommand(command)] = &transmitted(&mut initiator)[..] else { panic!("no command") };
    feed(
        &mut initiator,
        &Reject { reason: 4, data: Bytes::copy_from_slice(&command.encode().header), ..Reject::default() }
            .encode(),
    );
    assert_eq!(
        events(&mut initiator),
        [
            Event::Failed { tag, failure: Failure::SessionLost },
            Event::Ended(Ended::Protocol(ProtocolError::Rejected(4))),
        ]
    );
}

#[test]
fn a_logout_is_answered_by_the_end() {
    let mut initiator = session(40);
    initiator.logout();
    assert_eq!(initiator.submit(ready()), Err(SubmitError::NotReady));
    let [Pdu::LogoutRequest(request)] = &transmitted(&mut initiator)[..] else { panic!("no logout") };
    assert_eq!(request.reason, 0);
    feed(
        &mut initiator,
        &LogoutResponse { initiator_task_tag: request.initiator_task_tag, ..LogoutResponse::default() }
            .encode(),
    );
    assert_eq!(events(&mut initiator), [Event::Ended(Ended::LoggedOut)]);
}

#[test]
fn what_cannot_be_carried_is_refused_before_anything_is_sent() {
    let mut initiator = session(40);
    assert_eq!(initiator.submit(reading(MAX_TRANSFER + 1)), Err(SubmitError::TooLarge));
    assert_eq!(initiator.submit(Request { data_in: 4, ..writing(4) }), Err(SubmitError::BothWays));
    assert_eq!(initiator.submit(Request { lun: MAX_LUN + 1, ..ready() }), Err(SubmitError::NoSuchLun));
    assert_eq!(initiator.poll_transmit(), None);
}

#[test]
fn anything_but_a_login_response_ends_a_login() {
    let mut initiator = Initiator::new(config());
    feed(&mut initiator, &response(Tag(0)).encode());
    assert_breach(&mut initiator, "during the login");
}
