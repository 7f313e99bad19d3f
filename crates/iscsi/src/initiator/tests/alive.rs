//! Pings, both ways.

use super::*;
use crate::initiator::alive::MAX_WAITING_PONGS;

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
    for _ in 0..=MAX_WAITING_PONGS {
        feed(&mut initiator, &ping.encode());
    }
    assert_breach(&mut initiator, "without reading");
}

/// The tag of the one ping that was sent.
#[track_caller]
fn pinged(initiator: &mut Initiator) -> u32 {
    let sent = transmitted(initiator);
    let [Pdu::NopOut(ping)] = &sent[..] else { panic!("no ping but {sent:?}") };
    ping.initiator_task_tag
}

fn pong(initiator_task_tag: u32) -> NopIn {
    NopIn { initiator_task_tag, target_transfer_tag: NO_TAG, expected_command_sn: 1, ..NopIn::default() }
}

#[test]
fn while_a_wanted_logout_is_waited_for_pings_go_on() {
    let mut initiator = session(40);
    let moving = initiator.submit(ready()).unwrap();
    transmitted(&mut initiator);
    feed(&mut initiator, &AsyncMessage { event: 1, ..AsyncMessage::default() }.encode());
    events(&mut initiator);
    for _ in 0..3 {
        assert!(initiator.ping());
        let ping = pinged(&mut initiator);
        feed(&mut initiator, &pong(ping).encode());
        assert_eq!(events(&mut initiator), [Event::Pong]);
    }
    feed(&mut initiator, &response(moving).encode());
    assert!(matches!(events(&mut initiator)[..], [Event::Completed { .. }]));
    let sent = transmitted(&mut initiator);
    assert!(matches!(sent[..], [Pdu::LogoutRequest(_)]), "{sent:?}");
    assert!(initiator.ping(), "the answer to the logout is due");
    assert_eq!(transmitted(&mut initiator), [], "nothing follows a logout");
    initiator.disconnected();
    assert!(!initiator.ping());
}

#[test]
fn a_ping_that_is_never_answered_does_not_stand_for_all_that_follow() {
    let mut initiator = session(40);
    assert!(initiator.ping());
    let first = pinged(&mut initiator);
    assert!(initiator.ping());
    assert_eq!(transmitted(&mut initiator), [], "one is enough in a silence");
    let word = NopIn { initiator_task_tag: NO_TAG, target_transfer_tag: NO_TAG, ..NopIn::default() };
    feed(&mut initiator, &word.encode());
    assert!(initiator.ping());
    let second = pinged(&mut initiator);
    assert_ne!(first, second);
    feed(&mut initiator, &pong(first).encode());
    assert_eq!(events(&mut initiator), [], "the answer comes too late to be one");
    feed(&mut initiator, &pong(second).encode());
    assert_eq!(events(&mut initiator), [Event::Pong]);
}

#[test]
fn a_ping_of_the_target_during_a_large_write_is_answered() {
    let mut initiator =
        session_with(40, "MaxRecvDataSegmentLength=512\0MaxBurstLength=1048576\0ImmediateData=No\0");
    let tags: Vec<Tag> = (0..4).map(|_| initiator.submit(writing(1 << 20)).unwrap()).collect();
    for (tag, transfer) in tags.into_iter().zip(1..) {
        let r2t = ReadyToTransfer {
            initiator_task_tag: tag.0,
            target_transfer_tag: transfer,
            desired_length: 1 << 20,
            ..ReadyToTransfer::default()
        };
        feed(&mut initiator, &r2t.encode());
    }
    let ping = NopIn { initiator_task_tag: NO_TAG, target_transfer_tag: 0x55, ..NopIn::default() };
    feed(&mut initiator, &ping.encode());
    assert_eq!(events(&mut initiator), []);
    let sent = transmitted(&mut initiator);
    assert!(sent.len() > 8192, "{} PDUs waited", sent.len());
    assert!(matches!(sent.last(), Some(Pdu::NopOut(answer)) if answer.target_transfer_tag == 0x55));
}

#[test]
fn pings_that_are_answered_in_time_may_come_for_ever() {
    let mut initiator = session(40);
    let ping = NopIn { initiator_task_tag: NO_TAG, target_transfer_tag: 1, ..NopIn::default() };
    for _ in 0..3 * MAX_WAITING_PONGS {
        feed(&mut initiator, &ping.encode());
        assert_eq!(transmitted(&mut initiator).len(), 1);
    }
    assert!(initiator.is_ready());
}

#[test]
fn a_rejected_answer_to_a_ping_of_the_target_costs_nothing() {
    let mut initiator = session(40);
    let ping = NopIn { initiator_task_tag: NO_TAG, target_transfer_tag: 1, ..NopIn::default() };
    feed(&mut initiator, &ping.encode());
    let [Pdu::NopOut(answer)] = &transmitted(&mut initiator)[..] else { panic!("no answer") };
    let header = Bytes::copy_from_slice(&answer.encode().header);
    feed(&mut initiator, &Reject { reason: 4, data: header, ..Reject::default() }.encode());
    assert_eq!(events(&mut initiator), []);
    assert!(initiator.is_ready());
}
