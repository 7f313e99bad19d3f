//! Commands, their data and their answers.

use super::*;

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
