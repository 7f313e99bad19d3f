//! Lists of targets.

use super::*;

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
