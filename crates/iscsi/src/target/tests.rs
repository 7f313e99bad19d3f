use super::*;
use crate::chap::{Chap, MutualChap, Secret};
use crate::digest::DigestPolicy;
use crate::initiator::{
    self, Ended, Event, Failure, Initiator, ManagementFunction, ManagementResponse, Request, Residual,
};
use crate::login::{LoginConfig, LoginError};
use crate::pdu::{LoginResponse, NopOut, Pdu, ScsiCommand};
use crate::text::Pairs;

const NAME: &str = "iqn.2026-01.test:library";

fn seed() -> SessionSeed {
    SessionSeed { challenge: [9; 16], tsih: 77, portal: "127.0.0.1:3260".into() }
}

fn login(target: Option<&str>, authentication: Option<Chap>) -> LoginConfig {
    LoginConfig {
        initiator: "iqn.2026-01.test:me".into(),
        target: target.map(str::to_owned),
        isid: [0x80, 0, 0, 0, 0, 1],
        authentication,
        digests: DigestPolicy::Accept,
    }
}

/// Both sides, with a wire between them.
struct Wire {
    initiator: Initiator,
    target: Target,
    seen: Vec<Event>,
    asked: Vec<TargetEvent>,
}

impl Wire {
    fn new(login: LoginConfig, config: TargetConfig) -> Self {
        let mut wire = Self {
            initiator: Initiator::new(login),
            target: Target::new(config, seed()),
            seen: Vec::new(),
            asked: Vec::new(),
        };
        wire.carry();
        wire
    }

    fn open() -> Self {
        Self::with(TargetConfig::new(NAME))
    }

    fn with(config: TargetConfig) -> Self {
        let mut wire = Self::new(login(Some(NAME), None), config);
        assert_eq!(wire.seen(), [Event::LoggedIn]);
        let [TargetEvent::LoggedIn(admitted)] = &wire.asked()[..] else { panic!("no login") };
        assert_eq!(admitted.initiator, "iqn.2026-01.test:me");
        wire
    }

    /// Carries everything that waits, both ways, until nothing is left.
    fn carry(&mut self) {
        loop {
            let mut moved = false;
            while let Some(bytes) = self.initiator.poll_transmit() {
                self.target.received(&bytes);
                moved = true;
            }
            while let Some(bytes) = self.target.poll_transmit() {
                self.initiator.received(&bytes);
                moved = true;
            }
            self.seen.extend(std::iter::from_fn(|| self.initiator.poll_event()));
            self.asked.extend(std::iter::from_fn(|| self.target.poll_event()));
            if !moved {
                return;
            }
        }
    }

    fn seen(&mut self) -> Vec<Event> {
        self.carry();
        std::mem::take(&mut self.seen)
    }

    fn asked(&mut self) -> Vec<TargetEvent> {
        self.carry();
        std::mem::take(&mut self.asked)
    }

    fn submit(&mut self, request: Request) -> initiator::Tag {
        self.initiator.submit(request).expect("room in the window")
    }

    /// The one command that waits at the target.
    fn command(&mut self) -> (TaskTag, TargetCommand) {
        match &self.asked()[..] {
            [TargetEvent::Command { task, command }] => (*task, command.clone()),
            other => panic!("not one command but {other:?}"),
        }
    }

    fn good(&mut self, task: TaskTag, data: Vec<u8>) {
        self.target.answer(task, TargetAnswer { data: data.into(), ..TargetAnswer::default() });
        self.carry();
    }
}

fn reading(lun: u16, data_in: u32) -> Request {
    Request { lun, cdb: [0x12; 16], data_out: Bytes::new(), data_in }
}

fn writing(length: usize) -> Request {
    Request { data_out: (0..length).map(|index| (index * 7) as u8).collect(), ..reading(2, 0) }
}

fn chap(user: &str, secret: &str, own: Option<(&str, &str)>) -> Option<Chap> {
    let mutual = own.map(|(user, secret)| MutualChap {
        user: user.into(),
        secret: Secret::new(secret),
        challenge: [3; 16],
    });
    Some(Chap { user: user.into(), secret: Secret::new(secret), mutual })
}

fn guarded() -> TargetConfig {
    let authentication = TargetChap {
        user: "backup".into(),
        secret: Secret::new("open sesame"),
        own: Some(("library".into(), Secret::new("who is there"))),
    };
    TargetConfig { authentication: Some(authentication), ..TargetConfig::new(NAME) }
}

#[test]
fn the_right_secrets_open_one_way_and_both_ways() {
    for own in [None, Some(("library", "who is there"))] {
        let mut wire = Wire::new(login(Some(NAME), chap("backup", "open sesame", own)), guarded());
        assert_eq!(wire.seen(), [Event::LoggedIn]);
    }
}

#[test]
fn each_wrong_login_is_refused_with_its_own_status() {
    let failed = |secret_given| Ended::Login(LoginError::AuthenticationFailed { secret_given });
    for (config, ended) in [
        (login(Some(NAME), chap("backup", "guess", None)), failed(true)),
        (login(Some(NAME), chap("other", "open sesame", None)), failed(true)),
        (login(Some(NAME), None), failed(false)),
        (login(None, None), failed(false)),
        (
            login(Some(NAME), chap("backup", "open sesame", Some(("library", "guess")))),
            Ended::Login(LoginError::TargetNotProved),
        ),
        (login(Some("iqn.2026-01.test:other"), None), Ended::Login(LoginError::TargetNotFound)),
    ] {
        let mut wire = Wire::new(config, guarded());
        assert_eq!(wire.seen(), [Event::Ended(ended)]);
        let shown = format!("{:?} {:?}", wire.asked(), wire.target);
        assert!(!shown.contains("sesame") && !shown.contains("who is"), "{shown}");
    }
}

#[test]
fn a_name_that_is_longer_than_names_are_opens_nothing() {
    for (length, opens) in [(223, true), (224, false)] {
        let initiator = format!("iqn.{}", "a".repeat(length - 4));
        let mut wire =
            Wire::new(LoginConfig { initiator, ..login(Some(NAME), None) }, TargetConfig::new(NAME));
        assert_eq!(wire.seen() == [Event::LoggedIn], opens, "{length}");
    }
}

#[test]
fn a_target_proves_nothing_to_one_who_sends_its_own_challenge_back() {
    let mut authentication = chap("backup", "open sesame", Some(("library", "who is there")));
    if let Some(Chap { mutual: Some(mutual), .. }) = &mut authentication {
        mutual.challenge = seed().challenge;
    }
    let mut wire = Wire::new(login(Some(NAME), authentication), guarded());
    let failed = LoginError::AuthenticationFailed { secret_given: true };
    assert_eq!(wire.seen(), [Event::Ended(Ended::Login(failed))]);
}

#[test]
fn skipping_the_security_stage_opens_nothing() {
    let mut target = Target::new(guarded(), seed());
    let pairs = Pairs::new().with("InitiatorName", "iqn.2026-01.test:me").with("TargetName", NAME);
    let request = LoginRequest {
        immediate: true,
        transit: true,
        current_stage: 1,
        next_stage: 3,
        data: pairs.to_bytes(),
        ..LoginRequest::default()
    };
    target.received(&request.encode().to_bytes());
    assert_eq!(
        target.poll_event(),
        Some(TargetEvent::Ended(TargetEnded::Refused(LoginRefusal::Authentication)))
    );
    let response = target.poll_transmit().expect("a refusal");
    assert_eq!((response[36], response[37]), (2, 1));
}

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
fn commands_reach_their_units_and_answers_their_commands() {
    let mut wire = Wire::open();
    let tags = [0, 3, 300].map(|lun| wire.submit(reading(lun, 96)));
    let mut tasks = Vec::new();
    for event in wire.asked() {
        let TargetEvent::Command { task, command } = event else { panic!("{event:?}") };
        assert_eq!((command.cdb, command.data_in), ([0x12; 16], 96));
        tasks.push((task, command.lun));
    }
    assert_eq!(tasks.iter().map(|(_, lun)| *lun).collect::<Vec<_>>(), [Some(0), Some(3), Some(300)]);
    for ((task, lun), tag) in tasks.into_iter().zip(tags).rev() {
        wire.good(task, vec![lun.unwrap() as u8; 40]);
        let [Event::Completed { tag: answered, answer }] = &wire.seen()[..] else { panic!("no answer") };
        assert_eq!((*answered, answer.status, answer.data.len()), (tag, 0, 40));
        assert_eq!(answer.residual, Residual::Underflow(56));
    }
}

#[test]
fn a_long_answer_comes_in_pieces_that_the_initiator_takes() {
    let mut wire = Wire::open();
    let whole: Vec<u8> = (0..1_500_000u32).map(|index| (index / 3) as u8).collect();
    wire.submit(reading(0, 2_000_000));
    let (task, _) = wire.command();
    wire.good(task, whole.clone());
    let [Event::Completed { answer, .. }] = &wire.seen()[..] else { panic!("no answer") };
    assert_eq!(answer.data, whole);
    assert_eq!(answer.residual, Residual::Underflow(500_000));
}

#[test]
fn data_beyond_what_was_asked_for_is_cut_off_and_told() {
    let mut wire = Wire::open();
    wire.submit(reading(0, 10));
    let (task, _) = wire.command();
    wire.good(task, vec![1; 25]);
    let [Event::Completed { answer, .. }] = &wire.seen()[..] else { panic!("no answer") };
    assert_eq!((answer.data.len(), answer.residual), (10, Residual::Overflow(15)));
}

#[test]
fn sense_comes_with_its_status_and_after_the_data() {
    let mut wire = Wire::open();
    wire.submit(reading(0, 10));
    let (task, _) = wire.command();
    let answer = TargetAnswer {
        status: 2,
        sense: Bytes::from_static(&[0x70, 0, 6]),
        data: Bytes::from_static(b"four"),
    };
    wire.target.answer(task, answer);
    let [Event::Completed { answer, .. }] = &wire.seen()[..] else { panic!("no answer") };
    assert_eq!((answer.status, &answer.sense[..], &answer.data[..]), (2, &[0x70, 0, 6][..], &b"four"[..]));
}

#[test]
fn data_of_every_length_arrives_whole_with_and_without_what_may_go_unasked() {
    for initial_r2t in [true, false] {
        for length in [1, 511, 512, 65_535, 65_536, 65_537, 300_000, MAX_DATA_OUT as usize] {
            let mut wire = Wire::with(TargetConfig { initial_r2t, ..TargetConfig::new(NAME) });
            let request = writing(length);
            wire.submit(request.clone());
            let (task, command) = wire.command();
            assert_eq!(command.data_out, request.data_out, "{length} bytes, InitialR2T={initial_r2t}");
            wire.good(task, Vec::new());
            assert!(matches!(wire.seen()[..], [Event::Completed { .. }]));
        }
    }
}

#[test]
fn data_goes_unasked_beyond_the_command_where_that_was_agreed() {
    // The target's segment is larger than FirstBurstLength here, so a smaller one is declared by hand.
    let mut initiator = Initiator::new(login(Some(NAME), None));
    let mut reader = PduReader::new(1 << 20);
    let security = LoginResponse { transit: true, next_stage: 1, ..LoginResponse::default() };
    initiator.received(&security.encode().to_bytes());
    let operational = LoginResponse {
        transit: true,
        current_stage: 1,
        next_stage: 3,
        tsih: 1,
        expected_command_sn: 1,
        max_command_sn: 9,
        data: Pairs::new().with("InitialR2T", "No").with("MaxRecvDataSegmentLength", "1024").to_bytes(),
        ..LoginResponse::default()
    };
    initiator.received(&operational.encode().to_bytes());
    while initiator.poll_transmit().is_some() {}
    initiator.submit(writing(100_000)).unwrap();
    while let Some(bytes) = initiator.poll_transmit() {
        reader.push(&bytes);
    }
    let sent: Vec<Pdu> =
        std::iter::from_fn(|| reader.next_pdu().unwrap()).map(|raw| Pdu::decode(&raw).unwrap()).collect();
    let [Pdu::ScsiCommand(command), data @ ..] = &sent[..] else { panic!("no command") };
    assert!(!command.is_final && command.data.len() == 1024);
    assert_eq!(data.len(), 63, "65536 bytes may go unasked, 1024 went with the command");
    let [.., Pdu::DataOut(last)] = data else { panic!("no data") };
    assert!(last.is_final && last.target_transfer_tag == NO_TAG);
    assert_eq!((last.data_sn, last.buffer_offset), (62, 64_512));
}

#[test]
fn a_command_with_more_data_than_is_taken_is_refused_by_sense() {
    let mut wire = Wire::open();
    wire.submit(writing(MAX_DATA_OUT as usize + 1));
    let [Event::Completed { answer, .. }] = &wire.seen()[..] else { panic!("no answer") };
    assert_eq!((answer.status, answer.sense[2], answer.sense[12]), (2, 5, 0x24));
    assert_eq!(wire.asked(), []);
    wire.submit(reading(0, 0));
    let (task, _) = wire.command();
    wire.good(task, Vec::new());
    assert!(matches!(wire.seen()[..], [Event::Completed { .. }]), "the session goes on");
}

#[test]
fn digests_are_used_when_either_side_wants_them_and_the_other_can() {
    use DigestPolicy::{Accept, Prefer, Refuse, Require};
    for (ours, theirs, used) in [
        (Accept, Accept, Some(false)),
        (Accept, Prefer, Some(true)),
        (Require, Accept, Some(true)),
        (Refuse, Prefer, Some(false)),
        (Require, Refuse, None),
        (Refuse, Require, None),
    ] {
        let config = LoginConfig { digests: ours, ..login(Some(NAME), None) };
        let mut wire = Wire::new(config, TargetConfig { digests: theirs, ..TargetConfig::new(NAME) });
        let Some(used) = used else {
            assert!(matches!(wire.seen()[..], [Event::Ended(Ended::Login(_))]), "{ours:?} with {theirs:?}");
            continue;
        };
        assert_eq!(wire.seen(), [Event::LoggedIn]);
        let digests = wire.initiator.negotiated().digests;
        assert_eq!((digests.header, digests.data), (used, used), "{ours:?} with {theirs:?}");
        wire.asked();
        let request = writing(200_000);
        wire.submit(request.clone());
        let (task, command) = wire.command();
        assert_eq!(command.data_out, request.data_out);
        wire.good(task, Vec::new());
        assert!(matches!(wire.seen()[..], [Event::Completed { .. }]));
    }
}

#[test]
fn a_damaged_bit_ends_the_session_and_leaves_the_outcome_unknown() {
    let config = LoginConfig { digests: DigestPolicy::Require, ..login(Some(NAME), None) };
    let mut wire = Wire::new(config, TargetConfig::new(NAME));
    wire.asked();
    wire.seen();
    let tag = wire.submit(reading(0, 64));
    let (task, _) = wire.command();
    wire.target.answer(task, TargetAnswer { data: Bytes::from_static(&[5; 64]), ..TargetAnswer::default() });
    let mut bytes = wire.target.poll_transmit().unwrap().to_vec();
    bytes[60] ^= 4;
    wire.initiator.received(&bytes);
    let [Event::Failed { tag: failed, failure }, Event::Ended(ended)] = &wire.seen()[..] else { panic!() };
    assert_eq!((*failed, *failure), (tag, Failure::SessionLost));
    assert_eq!(ended.to_string(), "the connection damaged what the target sent: data whose digest is wrong");
}

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
    assert_eq!(wire.seen(), [Event::LogoutWanted]);
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

#[test]
fn data_that_breaks_what_was_agreed_ends_the_session() {
    let mut wire = Wire::open();
    let command = ScsiCommand {
        is_final: true,
        write: true,
        expected_length: 4,
        initiator_task_tag: 9,
        command_sn: 1,
        data: Bytes::from_static(b"too much"),
        ..ScsiCommand::default()
    };
    wire.target.received(&command.encode().to_bytes());
    assert!(matches!(wire.asked()[..], [TargetEvent::Ended(TargetEnded::Protocol(_))]));
}
