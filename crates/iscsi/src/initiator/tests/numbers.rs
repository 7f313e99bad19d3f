//! The command window, and the numbers of statuses.

use super::*;

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

/// The next command's ExpStatSN: what the target is told to have arrived.
#[track_caller]
fn acknowledged(initiator: &mut Initiator) -> u32 {
    initiator.submit(ready()).unwrap();
    match &transmitted(initiator)[..] {
        [Pdu::ScsiCommand(command)] => command.expected_status_sn,
        other => panic!("no command but {other:?}"),
    }
}

#[test]
fn each_status_is_acknowledged_by_the_next_pdu() {
    let mut initiator = session(40);
    let first = initiator.submit(reading(2)).unwrap();
    let second = initiator.submit(ready()).unwrap();
    transmitted(&mut initiator);
    feed_as(&mut initiator, &response(second).encode(), 3);
    assert_eq!(acknowledged(&mut initiator), 4);
    feed(&mut initiator, &data_in(first, 0, b"a").encode());
    assert_eq!(acknowledged(&mut initiator), 4, "data without a status has no number");
    feed_as(&mut initiator, &DataIn { has_status: true, ..data_in(first, 1, b"b") }.encode(), 4);
    assert_eq!(acknowledged(&mut initiator), 5);
    let ping = NopIn { initiator_task_tag: NO_TAG, target_transfer_tag: 9, ..NopIn::default() };
    feed_as(&mut initiator, &ping.encode(), 5);
    let [Pdu::NopOut(pong)] = &transmitted(&mut initiator)[..] else { panic!("no pong") };
    assert_eq!(pong.expected_status_sn, 5, "a ping of the target uses no number up");
    feed_as(&mut initiator, &AsyncMessage { event: 255, ..AsyncMessage::default() }.encode(), 5);
    assert_eq!(acknowledged(&mut initiator), 6);
}

#[test]
fn an_answer_that_was_lost_ends_the_session_and_the_one_that_shows_it_is_kept() {
    let mut initiator = session(40);
    let [lost, answered, unsent] = [(); 3].map(|()| initiator.submit(ready()).unwrap());
    initiator.poll_transmit().unwrap();
    initiator.poll_transmit().unwrap();
    feed_as(&mut initiator, &response(answered).encode(), 4);
    let seen = events(&mut initiator);
    assert!(
        matches!(
            &seen[..],
            [
                Event::Completed { tag, .. },
                Event::Failed { tag: first, failure: Failure::SessionLost },
                Event::Failed { tag: second, failure: Failure::NotSent },
                Event::Ended(Ended::Protocol(ProtocolError::StatusLost)),
            ] if (*tag, *first, *second) == (answered, lost, unsent)
        ),
        "{seen:?}"
    );
}

#[test]
fn a_ping_or_a_request_for_data_shows_a_lost_answer_and_nonsense_in_its_number_does_not() {
    let ping = NopIn { initiator_task_tag: NO_TAG, target_transfer_tag: NO_TAG, ..NopIn::default() };
    for (status_sn, lost) in
        [(2, false), (3, false), (4, true), (40, true), (0x7000_0000, false), (u32::MAX, false)]
    {
        let mut initiator = session(40);
        feed_as(&mut initiator, &ping.encode(), status_sn);
        assert_eq!(initiator.has_ended(), lost, "a ping of number {status_sn:#x}");

        let mut initiator = session_with(40, "ImmediateData=No\0");
        let tag = initiator.submit(writing(10)).unwrap();
        transmitted(&mut initiator);
        let r2t =
            ReadyToTransfer { initiator_task_tag: tag.0, desired_length: 10, ..ReadyToTransfer::default() };
        feed_as(&mut initiator, &r2t.encode(), status_sn);
        assert_eq!(initiator.has_ended(), lost, "a request for data of number {status_sn:#x}");
    }
}

#[test]
fn what_comes_twice_counts_once() {
    let mut initiator = session(40);
    let tag = initiator.submit(ready()).unwrap();
    transmitted(&mut initiator);
    for _ in 0..2 {
        feed_as(&mut initiator, &response(tag).encode(), 3);
    }
    assert!(matches!(events(&mut initiator)[..], [Event::Completed { .. }]));
    assert_eq!(acknowledged(&mut initiator), 4);
    // Old news of an end, and an old refusal of something that nobody waits for.
    feed_as(&mut initiator, &AsyncMessage { event: 3, ..AsyncMessage::default() }.encode(), 3);
    feed_as(
        &mut initiator,
        &Reject { reason: 4, data: Bytes::from_static(&[1; 48]), ..Reject::default() }.encode(),
        3,
    );
    assert_eq!(events(&mut initiator), []);
    assert!(initiator.is_ready());
}

#[test]
fn status_numbers_go_on_behind_their_wrap() {
    let mut initiator = session(40);
    initiator.expected_status_sn = u32::MAX - 1;
    for (status_sn, next) in [(u32::MAX - 1, u32::MAX), (u32::MAX, 0), (0, 1), (1, 2)] {
        let tag = initiator.submit(ready()).unwrap();
        transmitted(&mut initiator);
        feed_as(&mut initiator, &response(tag).encode(), status_sn);
        assert!(matches!(events(&mut initiator)[..], [Event::Completed { .. }]), "{status_sn:#x}");
        assert_eq!(initiator.expected_status_sn, next);
    }
    let tag = initiator.submit(ready()).unwrap();
    transmitted(&mut initiator);
    feed_as(&mut initiator, &response(tag).encode(), u32::MAX);
    assert!(matches!(events(&mut initiator)[..], [Event::Completed { .. }]), "an answer is an answer");
    assert_eq!(initiator.expected_status_sn, 2, "an old number acknowledges nothing");
}

#[test]
fn command_numbers_and_the_window_go_on_behind_their_wrap() {
    let mut initiator = session(40);
    initiator.command_sn = u32::MAX - 1;
    initiator.acknowledged_sn = u32::MAX - 1;
    initiator.max_command_sn = 0;
    let tags = [(); 3].map(|()| initiator.submit(ready()).unwrap());
    assert_eq!(
        initiator.submit(ready()),
        Err(SubmitError::Full(Full)),
        "u32::MAX - 1, u32::MAX and 0 are taken"
    );
    let numbers: Vec<u32> = transmitted(&mut initiator)
        .iter()
        .map(|pdu| match pdu {
            Pdu::ScsiCommand(command) => command.command_sn,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [u32::MAX - 1, u32::MAX, 0]);
    let answer = ScsiResponse { expected_command_sn: 1, max_command_sn: 1, ..response(tags[0]) };
    feed(&mut initiator, &answer.encode());
    assert_eq!(initiator.acknowledged_sn, 1);
    initiator.submit(ready()).unwrap();
    assert_eq!(initiator.submit(ready()), Err(SubmitError::Full(Full)));
}
