//! Lists of targets, pings, functions, and ends.

use std::time::Duration;

use super::*;

#[test]
fn discovery_lists_the_target_and_takes_no_command() {
    let mut wire = Wire::new(login(None, None), TargetConfig::new(NAME));
    assert_eq!(wire.seen(), [Event::LoggedIn]);
    wire.initiator.discover().unwrap();
    let [Event::Discovered(targets)] = &wire.seen()[..] else { panic!("nothing discovered") };
    assert_eq!((&*targets[0].name, &*targets[0].addresses), (NAME, &["127.0.0.1:3260,1".to_owned()][..]));
    wire.submit(reading(0, 8));
    assert!(matches!(wire.seen()[..], [Event::Failed { .. }, Event::Ended(Ended::Protocol(_))]));
}

#[test]
fn a_normal_session_lists_its_own_target() {
    let mut wire = Wire::open();
    wire.initiator.discover().unwrap();
    let [Event::Discovered(targets)] = &wire.seen()[..] else { panic!("nothing discovered") };
    assert_eq!(targets[0].name, NAME);
}

#[test]
fn pings_go_both_ways() {
    let mut wire = Wire::open();
    wire.initiator.ping();
    assert_eq!(wire.seen(), [Event::Pong]);
    wire.target.ping();
    assert_eq!(wire.asked(), [TargetEvent::Pong]);
}

#[test]
fn a_ping_gets_its_data_back() {
    let mut wire = Wire::open();
    let ping = NopOut {
        immediate: true,
        initiator_task_tag: 500,
        target_transfer_tag: NO_TAG,
        data: Bytes::from_static(b"are you there"),
        ..NopOut::default()
    };
    wire.target.received(&ping.encode().to_bytes());
    let answer = wire.target.poll_transmit().unwrap();
    assert_eq!(&answer[48..61], b"are you there");
}

#[test]
fn functions_end_the_commands_that_they_name_and_no_other() {
    let mut wire = Wire::open();
    let [one, other, third, fourth] = [1, 2, 3, 4].map(|lun| wire.submit(reading(lun, 0)));
    assert_eq!(wire.asked().len(), 4);
    for (function, lun, hit) in [
        (ManagementFunction::LogicalUnitReset, 1, one),
        (ManagementFunction::AbortTask(other), 2, other),
        (ManagementFunction::ClearTaskSet, 3, third),
        (ManagementFunction::TargetWarmReset, 0, fourth),
    ] {
        let asked = wire.initiator.manage(function, lun).unwrap();
        let [TargetEvent::Manage { task, lun: told, .. }] = wire.asked()[..] else { panic!("no function") };
        assert_eq!(told, Some(lun));
        wire.target.managed(task, ManagementResponse::Complete);
        assert_eq!(
            wire.seen(),
            [
                Event::Failed { tag: hit, failure: Failure::Aborted },
                Event::Managed { tag: asked, response: ManagementResponse::Complete },
            ]
        );
    }
    assert_eq!((wire.initiator.in_flight(), wire.target.in_flight()), (0, 0));
    wire.initiator.manage(ManagementFunction::AbortTask(other), 2).unwrap();
    assert!(matches!(wire.seen()[..], [Event::Managed { response: ManagementResponse::NoSuchTask, .. }]));
}

#[test]
fn a_wanted_logout_waits_for_the_answers_that_are_due() {
    let mut wire = Wire::open();
    let tag = wire.submit(reading(0, 0));
    let (task, _) = wire.command();
    wire.target.ask_logout(5);
    assert_eq!(wire.seen(), [Event::LogoutWanted { within: Duration::from_secs(5) }]);
    assert!(!wire.initiator.is_ready() && !wire.target.has_ended());
    wire.good(task, Vec::new());
    let seen = wire.seen();
    assert!(
        matches!(&seen[..], [Event::Completed { tag: answered, .. }, Event::Ended(Ended::LoggedOutAsWanted)] if *answered == tag)
    );
    assert_eq!(wire.asked(), [TargetEvent::Ended(TargetEnded::LoggedOut)]);
}

#[test]
fn a_dropped_session_says_so_first() {
    let mut wire = Wire::open();
    wire.target.drop_session();
    assert_eq!(wire.seen(), [Event::Ended(Ended::ByTarget(3))]);
}

#[test]
fn an_unknown_pdu_is_rejected_with_its_header_and_harms_nothing() {
    let mut wire = Wire::open();
    let mut snack = [0; 48];
    snack[0] = 0x10;
    wire.target.received(&snack);
    let reject = wire.target.poll_transmit().unwrap();
    assert_eq!((reject[0], reject[2], &reject[48..]), (0x3F, 0x05, &snack[..]));
    assert!(wire.target.is_ready());
}
