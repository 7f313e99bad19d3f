//! A negotiation that the target wants in the middle of a session.

use super::*;

/// A session with a move under way whose target wants to negotiate, and the request with which it is given the word.
fn wanted() -> (Initiator, Tag, TextRequest) {
    let mut initiator = session(40);
    let moving = initiator.submit(ready()).unwrap();
    transmitted(&mut initiator);
    feed(&mut initiator, &AsyncMessage { event: 4, parameter3: 5, ..AsyncMessage::default() }.encode());
    let request = said(&mut initiator);
    (initiator, moving, request)
}

#[track_caller]
fn said(initiator: &mut Initiator) -> TextRequest {
    let mut sent = transmitted(initiator);
    match sent.pop() {
        Some(Pdu::TextRequest(request)) if sent.is_empty() => request,
        other => panic!("no text but {sent:?} {other:?}"),
    }
}

fn answer(request: &TextRequest, is_final: bool, text: &'static str) -> RawPdu {
    TextResponse {
        is_final,
        initiator_task_tag: request.initiator_task_tag,
        target_transfer_tag: if is_final { NO_TAG } else { 17 },
        data: Bytes::from_static(text.as_bytes()),
        ..TextResponse::default()
    }
    .encode()
}

#[track_caller]
fn assert_unharmed(mut initiator: Initiator, moving: Tag) {
    feed(&mut initiator, &response(moving).encode());
    assert!(matches!(events(&mut initiator)[..], [Event::Completed { .. }]));
    assert!(initiator.is_ready());
}

#[test]
fn a_target_that_wants_to_negotiate_is_given_the_word_and_no_move_is_lost() {
    let (mut initiator, moving, request) = wanted();
    assert!(request.is_final && request.immediate && request.data.is_empty());
    assert_eq!(request.target_transfer_tag, NO_TAG);
    feed(&mut initiator, &answer(&request, true, ""));
    assert_unharmed(initiator, moving);
}

#[test]
fn what_may_change_is_taken_and_the_rest_refused() {
    let (mut initiator, moving, request) = wanted();
    let wishes = "MaxRecvDataSegmentLength=1024\0MaxBurstLength=512\0X-speed=11\0TargetAlias=the vault\0";
    feed(&mut initiator, &answer(&request, false, wishes));
    let reply = said(&mut initiator);
    assert_eq!((reply.initiator_task_tag, reply.target_transfer_tag), (request.initiator_task_tag, 17));
    let pairs = crate::text::Pairs::parse(&reply.data).unwrap();
    assert_eq!(
        pairs.iter().collect::<Vec<_>>(),
        [("MaxBurstLength", "Reject"), ("X-speed", "NotUnderstood")]
    );
    feed(&mut initiator, &answer(&reply, true, ""));
    assert_eq!(initiator.negotiated().max_send_segment, 1024);
    assert_eq!(initiator.negotiated().target_alias.as_deref(), Some("the vault"));
    initiator.submit(writing(3000)).unwrap();
    let [Pdu::ScsiCommand(command)] = &transmitted(&mut initiator)[..] else { panic!("no command") };
    assert_eq!(command.data.len(), 1024, "the new segment holds");
    assert_unharmed(initiator, moving);
}

#[test]
fn a_list_of_targets_is_heard_to_its_end_before_a_negotiation_begins() {
    let mut initiator = session(40);
    initiator.discover().unwrap();
    let list = said(&mut initiator);
    feed(&mut initiator, &AsyncMessage { event: 4, ..AsyncMessage::default() }.encode());
    assert_eq!(transmitted(&mut initiator), []);
    feed(&mut initiator, &answer(&list, true, "TargetName=iqn.a\0"));
    assert!(matches!(events(&mut initiator)[..], [Event::Discovered(_)]));
    let request = said(&mut initiator);
    assert_ne!(request.initiator_task_tag, list.initiator_task_tag);
    feed(&mut initiator, &answer(&request, true, ""));
    assert!(initiator.is_ready());
}

#[test]
fn a_negotiation_that_is_refused_is_over_and_one_without_end_ends_the_session() {
    let (mut initiator, moving, request) = wanted();
    let header = Bytes::copy_from_slice(&request.encode().header);
    feed(&mut initiator, &Reject { reason: 5, data: header, ..Reject::default() }.encode());
    assert_unharmed(initiator, moving);

    let (mut initiator, _, mut request) = wanted();
    for _ in 0..100 {
        feed(&mut initiator, &answer(&request, false, "X-k=1\0"));
        if initiator.has_ended() {
            break;
        }
        request = said(&mut initiator);
    }
    assert_breach(&mut initiator, "without end");
}
