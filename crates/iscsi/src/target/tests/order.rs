//! The window, and the order of commands.

use super::*;

#[test]
fn the_window_closes_to_nothing_and_opens_again() {
    let mut wire = Wire::with(TargetConfig { window: 2, ..TargetConfig::new(NAME) });
    wire.submit(reading(0, 0));
    wire.submit(reading(0, 0));
    assert!(wire.initiator.submit(reading(0, 0)).is_err());
    let tasks: Vec<TaskTag> = wire
        .asked()
        .into_iter()
        .map(|event| match event {
            TargetEvent::Command { task, .. } => task,
            other => panic!("{other:?}"),
        })
        .collect();
    wire.target.set_window(0);
    wire.good(tasks[0], Vec::new());
    wire.good(tasks[1], Vec::new());
    assert_eq!(wire.seen().len(), 2);
    assert!(wire.initiator.submit(reading(0, 0)).is_err(), "everything is answered, and the window is shut");
    wire.initiator.ping();
    assert_eq!(wire.seen(), [Event::Pong], "a ping passes a closed window");
    wire.target.set_window(1);
    wire.carry();
    wire.submit(reading(0, 0));
    assert!(wire.initiator.submit(reading(0, 0)).is_err());
    wire.command();
}

#[test]
fn a_duplicate_is_ignored_and_what_comes_early_waits_for_its_turn() {
    let mut wire = Wire::open();
    wire.submit(reading(1, 0));
    let first = wire.initiator.poll_transmit().unwrap();
    wire.submit(reading(2, 0));
    let second = wire.initiator.poll_transmit().unwrap();
    wire.target.received(&second);
    assert_eq!(wire.asked(), []);
    wire.target.received(&first);
    wire.target.received(&first);
    wire.target.received(&second);
    let luns: Vec<Option<u16>> = wire
        .asked()
        .into_iter()
        .map(|event| match event {
            TargetEvent::Command { command, .. } => command.lun,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(luns, [Some(1), Some(2)]);
    assert_eq!(wire.seen(), [], "a duplicate is not even refused");
}

#[test]
fn the_order_of_commands_holds_across_the_wrap_of_their_numbers() {
    let mut target = Target::new(TargetConfig::new(NAME), seed());
    let pairs = Pairs::new().with("InitiatorName", "iqn.2026-01.test:me").with("TargetName", NAME);
    let request = LoginRequest {
        immediate: true,
        transit: true,
        current_stage: 1,
        next_stage: 3,
        command_sn: u32::MAX - 1,
        data: pairs.to_bytes(),
        ..LoginRequest::default()
    };
    target.received(&request.encode().to_bytes());
    assert!(matches!(target.poll_event(), Some(TargetEvent::LoggedIn(_))));
    let numbers = [0, u32::MAX, u32::MAX - 1, 2, 1, u32::MAX];
    for (tag, command_sn) in (10..).zip(numbers) {
        let command =
            ScsiCommand { is_final: true, initiator_task_tag: tag, command_sn, ..ScsiCommand::default() };
        target.received(&command.encode().to_bytes());
    }
    let mut order = Vec::new();
    while let Some(event) = target.poll_event() {
        let TargetEvent::Command { task, .. } = event else { panic!("{event:?}") };
        order.push(task.0);
    }
    assert_eq!(order, [12, 11, 10, 14, 13]);
}

#[test]
fn a_command_that_was_lost_on_the_way_is_found_out_when_it_is_given_up() {
    let mut wire = Wire::open();
    let lost = wire.submit(reading(0, 0));
    wire.initiator.poll_transmit().unwrap();
    wire.submit(reading(0, 0));
    assert_eq!(wire.asked(), [], "what follows waits for it");
    wire.initiator.abandon(lost);
    assert!(matches!(
        wire.seen()[..],
        [
            Event::Pong,
            Event::Failed { failure: Failure::SessionLost, .. },
            Event::Ended(Ended::Protocol(initiator::ProtocolError::CommandLost))
        ]
    ));
}

#[test]
fn a_slow_command_that_is_given_up_costs_no_session() {
    let mut wire = Wire::open();
    let slow = wire.submit(reading(0, 0));
    let (task, _) = wire.command();
    wire.initiator.abandon(slow);
    assert_eq!(wire.seen(), [Event::Pong]);
    wire.good(task, Vec::new());
    assert_eq!(wire.seen(), []);
    assert!(wire.initiator.is_ready());
}

#[test]
fn who_asks_without_reading_the_answers_is_left() {
    let mut wire = Wire::open();
    let ping = NopOut { immediate: true, initiator_task_tag: 5, ..NopOut::default() }.encode().to_bytes();
    for _ in 0..MAX_WAITING_REPLIES {
        wire.target.received(&ping);
    }
    assert!(wire.target.is_ready());
    wire.target.received(&ping);
    let ended = wire.target.poll_event();
    assert!(matches!(ended, Some(TargetEvent::Ended(TargetEnded::Protocol(_)))), "{ended:?}");
}
