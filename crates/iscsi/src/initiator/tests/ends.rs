//! How sessions end, and what is known of commands then.

use std::time::Duration;

use super::*;
use crate::login::LoginError;

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
fn an_announced_end_is_an_end() {
    for event in 2..=3 {
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
fn anything_but_a_login_response_ends_a_login() {
    let mut initiator = Initiator::new(config());
    feed(&mut initiator, &response(Tag(0)).encode());
    assert_breach(&mut initiator, "during the login");
}

#[test]
fn a_target_says_how_long_it_wants_to_be_left_alone() {
    let seconds = |initiator: &Initiator| initiator.time_to_wait().as_secs();
    assert_eq!(seconds(&Initiator::new(config())), 0, "a login that fails says nothing");
    for (parameters, agreed) in [("", 2), ("DefaultTime2Wait=0\0", 0), ("DefaultTime2Wait=0x1e\0", 30)] {
        let mut initiator = session_with(40, parameters);
        initiator.disconnected();
        assert_eq!(seconds(&initiator), agreed, "a connection that is lost, {parameters:?}");
        for event in [2, 3] {
            let mut initiator = session_with(40, parameters);
            feed(&mut initiator, &AsyncMessage { event, parameter2: 7, ..AsyncMessage::default() }.encode());
            assert_eq!(seconds(&initiator), 7, "asynchronous event {event}");
        }
        let mut initiator = session_with(40, parameters);
        initiator.logout();
        let [Pdu::LogoutRequest(request)] = &transmitted(&mut initiator)[..] else { panic!("no logout") };
        let initiator_task_tag = request.initiator_task_tag;
        let closed = LogoutResponse { initiator_task_tag, time_to_wait: 5, ..LogoutResponse::default() };
        feed(&mut initiator, &closed.encode());
        assert_eq!(seconds(&initiator), 5, "a logout");
    }
    let mut initiator = Initiator::new(config());
    transmitted(&mut initiator);
    let security = LoginResponse { transit: true, next_stage: 1, ..LoginResponse::default() };
    feed(&mut initiator, &security.encode());
    let data = Bytes::from_static(b"DefaultTime2Wait=3601\0");
    let too_long = LoginResponse { current_stage: 1, data, ..security };
    feed(&mut initiator, &too_long.encode());
    assert!(matches!(
        events(&mut initiator)[..],
        [Event::Ended(Ended::Login(LoginError::Negotiation { .. }))]
    ));
}

#[test]
fn a_wanted_logout_says_until_when_and_can_be_hurried() {
    let mut initiator = session(40);
    let moving = initiator.submit(ready()).unwrap();
    transmitted(&mut initiator);
    feed(&mut initiator, &AsyncMessage { event: 1, parameter3: 9, ..AsyncMessage::default() }.encode());
    assert_eq!(events(&mut initiator), [Event::LogoutWanted { within: Duration::from_secs(9) }]);
    assert_eq!(transmitted(&mut initiator), [], "the answer is waited for");
    initiator.logout();
    let [Pdu::LogoutRequest(request)] = &transmitted(&mut initiator)[..] else { panic!("no logout") };
    let initiator_task_tag = request.initiator_task_tag;
    feed(&mut initiator, &LogoutResponse { initiator_task_tag, ..LogoutResponse::default() }.encode());
    assert_eq!(
        events(&mut initiator),
        [
            Event::Failed { tag: moving, failure: Failure::SessionLost },
            Event::Ended(Ended::LoggedOutAsWanted)
        ]
    );
}
