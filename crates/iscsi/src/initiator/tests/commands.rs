//! Commands, their data both ways, and their answers.

use super::*;

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
    let last =
        DataIn { has_status: true, is_final: true, underflow: true, residual: 6, ..data_in(tag, 8, b"ij") };
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
fn a_target_failure_is_no_answer() {
    let mut initiator = session(40);
    let tag = initiator.submit(ready()).unwrap();
    transmitted(&mut initiator);
    feed(&mut initiator, &ScsiResponse { response: 1, ..response(tag) }.encode());
    assert_eq!(events(&mut initiator), [Event::Failed { tag, failure: Failure::TargetFailure(1) }]);
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
fn a_write_that_was_given_up_gets_the_rest_of_its_data_or_its_unit_would_wait_for_it() {
    let mut initiator = session_with(40, "ImmediateData=No\0");
    let tag = initiator.submit(writing(100)).unwrap();
    transmitted(&mut initiator);
    assert!(initiator.abandon(tag));
    let [Pdu::NopOut(_)] = &transmitted(&mut initiator)[..] else { panic!("a ping asks for the command") };
    let r2t = ReadyToTransfer {
        initiator_task_tag: tag.0,
        target_transfer_tag: 77,
        desired_length: 60,
        ..ReadyToTransfer::default()
    };
    feed(&mut initiator, &r2t.encode());
    let sent = transmitted(&mut initiator);
    assert!(matches!(&sent[..], [Pdu::DataOut(data)] if data.data.len() == 60 && data.is_final), "{sent:?}");
    feed(
        &mut initiator,
        &ReadyToTransfer { r2t_sn: 1, buffer_offset: 60, desired_length: 40, ..r2t }.encode(),
    );
    assert_eq!(transmitted(&mut initiator).len(), 1);
    assert!(initiator.abandoned.is_empty(), "nothing of it is kept");
    feed(&mut initiator, &response(tag).encode());
    assert_eq!(events(&mut initiator), []);
    assert!(initiator.is_ready());
}

#[test]
fn writes_that_were_given_up_are_kept_within_bounds() {
    let mut initiator = session_with(1000, "ImmediateData=No\0");
    for _ in 0..3 * MAX_IN_FLIGHT {
        let tag = initiator.submit(writing(100)).unwrap();
        transmitted(&mut initiator);
        initiator.abandon(tag);
        initiator.poll_transmit();
    }
    assert_eq!(initiator.abandoned.len(), MAX_IN_FLIGHT);
    assert_eq!(initiator.in_flight(), 0);
}

#[test]
fn a_request_for_more_than_a_burst_ends_the_session() {
    for (length, ends) in [(512, false), (513, true)] {
        let mut initiator = session_with(40, "ImmediateData=No\0MaxBurstLength=512\0");
        let tag = initiator.submit(writing(2000)).unwrap();
        transmitted(&mut initiator);
        let r2t = ReadyToTransfer {
            initiator_task_tag: tag.0,
            desired_length: length,
            ..ReadyToTransfer::default()
        };
        feed(&mut initiator, &r2t.encode());
        assert_eq!(initiator.has_ended(), ends, "{length} bytes");
    }
}

#[test]
fn an_acknowledgement_that_is_asked_for_at_this_level_is_let_be() {
    let mut initiator = session(40);
    let tag = initiator.submit(reading(8)).unwrap();
    transmitted(&mut initiator);
    let asking =
        DataIn { acknowledge: true, is_final: true, target_transfer_tag: 5, ..data_in(tag, 0, b"abcd") };
    feed(&mut initiator, &asking.encode());
    assert_eq!(transmitted(&mut initiator), [], "no SNACK at error recovery level 0");
    let last = DataIn { has_status: true, is_final: true, ..data_in(tag, 4, b"efgh") };
    feed(&mut initiator, &last.encode());
    let [Event::Completed { answer, .. }] = &events(&mut initiator)[..] else { panic!("no answer") };
    assert_eq!(&answer.data[..], b"abcdefgh");
}
