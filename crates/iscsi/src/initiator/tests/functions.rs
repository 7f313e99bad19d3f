//! Task management.

use super::*;

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

    let complete =
        TaskManagementResponse { initiator_task_tag: abort.0, ..TaskManagementResponse::default() };
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

fn complete(tag: Tag) -> TaskManagementResponse {
    TaskManagementResponse { initiator_task_tag: tag.0, ..TaskManagementResponse::default() }
}

#[test]
fn functions_that_nobody_waits_for_take_no_room_and_hold_back_no_logout() {
    let mut initiator = session(40);
    for round in 0..3 {
        let tags: Vec<Tag> = (0..MAX_IN_FLIGHT)
            .map(|_| initiator.manage(ManagementFunction::AbortTaskSet, 3).unwrap())
            .collect();
        let full = initiator.manage(ManagementFunction::AbortTaskSet, 3);
        assert_eq!(full, Err(SubmitError::Full(Full)), "round {round}");
        assert!(tags.iter().all(|tag| initiator.abandon(*tag)));
        assert!(!initiator.abandon(tags[0]));
    }
    assert!(initiator.functions.len() <= 2 * MAX_IN_FLIGHT, "{} are remembered", initiator.functions.len());
    transmitted(&mut initiator);
    feed(&mut initiator, &AsyncMessage { event: 1, ..AsyncMessage::default() }.encode());
    assert!(matches!(transmitted(&mut initiator)[..], [Pdu::LogoutRequest(_)]));
    events(&mut initiator);
    initiator.disconnected();
    assert_eq!(events(&mut initiator), [Event::Ended(Ended::Disconnected)], "nobody waits for their ends");
}

#[test]
fn a_late_function_still_ends_the_commands_that_it_names() {
    let mut initiator = session(40);
    let stuck = initiator.submit(ready()).unwrap();
    let reset = initiator.manage(ManagementFunction::LogicalUnitReset, 3).unwrap();
    transmitted(&mut initiator);
    assert!(initiator.abandon(reset));
    feed(&mut initiator, &complete(reset).encode());
    assert_eq!(events(&mut initiator), [Event::Failed { tag: stuck, failure: Failure::Aborted }]);
    feed(&mut initiator, &complete(reset).encode());
    assert_eq!(events(&mut initiator), []);
}
