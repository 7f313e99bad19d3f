//! One owner per library, on the device: the persistent reservation, and what happens when it is somebody else's.

use std::time::Duration;

use autochanger_engine::input::{ClaimError, Reservation};
use autochanger_engine::request::{Outcome, State};
use autochanger_engine::view::{LibraryError, LibraryState};
use autochanger_engine::{EventKind, Input};
use autochanger_scsi::{
    PersistentReserveIn, PersistentReserveInAction as In, PersistentReserveOut,
    PersistentReserveOutAction as Out, PersistentReserveParameters, ReservationHolder, ReservationKeys,
    ReservationType, SenseKey, Status,
};
use autochanger_sim::{Answer, Device, Fault, Library, Nexus, Outcome as Ended, Timing, Unit};
use autochanger_world::{OWNER, World, mount};

/// The other owner's key, and its initiator.
const THEIRS: u64 = 0xBADC_0FFE;
const THEM: Unit = Unit { nexus: Nexus(77), lun: 0 };
const TYPE: ReservationType = ReservationType::ExclusiveAccessRegistrants;

fn library() -> Device {
    Library::new().slots(10).drives(2).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange()).build()
}

/// Sends a command of the other owner's, past its unit attentions.
fn theirs(device: &mut Device, now: Duration, cdb: &[u8], list: &[u8]) -> Answer {
    for _ in 0..20 {
        let key = device.submit(now, THEM, cdb, list, 4096);
        let Some(Ended::Answered(answer)) = device.take(key) else { panic!("it is answered at once") };
        if answer.sense.get(2).is_none_or(|key| key & 0x0F != 6) {
            return answer;
        }
    }
    panic!("unit attentions without end")
}

fn out(world: &mut World, action: Out, key: u64, service_key: u64) -> Status {
    let cdb = PersistentReserveOut { action, scope: 0, kind: TYPE.code(), length: 24 }.cdb();
    let list = PersistentReserveParameters { key, service_action_key: service_key, ..Default::default() };
    theirs(&mut world.device, world.now, cdb.as_bytes(), &list.to_bytes()).status
}

fn holder(world: &mut World) -> Option<ReservationHolder> {
    let cdb = PersistentReserveIn { action: In::ReadReservation, allocation: 24 }.cdb();
    let data = theirs(&mut world.device, world.now, cdb.as_bytes(), &[]).data;
    ReservationHolder::parse(&data).unwrap().1
}

fn keys(world: &mut World) -> Vec<u64> {
    let cdb = PersistentReserveIn { action: In::ReadKeys, allocation: 1024 }.cdb();
    let data = theirs(&mut world.device, world.now, cdb.as_bytes(), &[]).data;
    ReservationKeys::parse(&data).unwrap().keys().collect()
}

/// The other owner takes the library, whoever has it.
fn they_take_it(world: &mut World) {
    assert_eq!(out(world, Out::Register, 0, THEIRS), Status::Good);
    let action = if holder(world).is_some() { Out::Preempt } else { Out::Reserve };
    assert_eq!(out(world, action, THEIRS, OWNER), Status::Good);
}

fn they_give_it_back(world: &mut World) {
    assert_eq!(out(world, Out::Register, THEIRS, 0), Status::Good);
}

fn state(world: &World) -> LibraryState {
    (*world.engine.view().libraries()[0].state).clone()
}

fn is_ready(world: &mut World) -> bool {
    state(world) == LibraryState::Ready
}

fn in_use(world: &World) -> Option<ClaimError> {
    match state(world) {
        LibraryState::Unusable(LibraryError::InUse { claim, .. }) => Some(claim),
        _ => None,
    }
}

fn opcodes(world: &World, from: usize) -> Vec<u8> {
    world.device.log().skip(from).filter(|it| it.unit != THEM).filter_map(|it| it.opcode()).collect()
}

#[test]
fn a_library_that_offers_it_is_reserved_and_another_initiator_moves_nothing() {
    let mut world = World::ready(library());
    assert!(world.engine.view().libraries()[0].reserved);
    let held = holder(&mut world).expect("it is reserved");
    assert_eq!((held.key, held.reservation_type()), (OWNER, Some(TYPE)));
    let cdb = [0xA5, 0, 0, 0, 0x03, 0xE8, 0x01, 0xF4, 0, 0, 0, 0];
    let answer = theirs(&mut world.device, world.now, &cdb, &[]);
    assert_eq!(answer.status, Status::ReservationConflict);
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
}

#[test]
fn before_the_reservation_is_ours_a_library_hears_nothing_but_questions_and_the_reservation() {
    let world = World::ready(library());
    let all = opcodes(&world, 0);
    let reserved = all.iter().rposition(|opcode| *opcode == 0x5F).expect("it was reserved");
    assert!(all[..reserved].iter().all(|opcode| matches!(opcode, 0x12 | 0x5E | 0x5F)), "{all:02X?}");
}

#[test]
fn a_library_without_reservations_is_used_with_the_lock_alone_unless_they_are_required() {
    let open = |required| {
        let mut device = library();
        device.inject(Fault::sense(SenseKey::IllegalRequest, 0x20, 0x00).on(0x5E).always());
        let mut world = World::with(device, |config| {
            if required {
                config.libraries[0].reservation = Reservation::Required;
            }
        });
        world.until("it is decided", |world| state(world) != LibraryState::Initializing);
        world
    };
    let mut world = open(false);
    assert!(is_ready(&mut world) && !world.engine.view().libraries()[0].reserved);
    assert!(!opcodes(&world, 0).contains(&0x5F));
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    let refused = open(true);
    assert!(
        matches!(state(&refused), LibraryState::Unusable(LibraryError::Unfit { .. })),
        "{}",
        state(&refused)
    );
}

#[test]
fn a_device_that_only_answers_questions_about_reservations_offers_none() {
    let mut device = library();
    device.inject(Fault::sense(SenseKey::IllegalRequest, 0x20, 0x00).on(0x5F).always());
    let mut world = World::ready(device);
    assert!(is_ready(&mut world) && !world.engine.view().libraries()[0].reserved);
}

#[test]
fn never_means_that_the_device_is_not_even_asked() {
    let mut world = World::with(library(), |config| config.libraries[0].reservation = Reservation::Never);
    world.rest();
    assert!(is_ready(&mut world));
    assert!(!opcodes(&world, 0).iter().any(|opcode| matches!(opcode, 0x5E | 0x5F)));
}

#[test]
fn after_a_crash_the_same_owner_knows_its_own_reservation_and_another_owner_does_not() {
    let mut world = World::ready(library());
    world.crash();
    world.rest();
    assert!(is_ready(&mut world), "{}", state(&world));
    assert_eq!(keys(&mut world), [OWNER]);

    let before = world.device.log().len();
    world.crash_with(|config| config.owner = Some(0x1234));
    world.until("it is refused", |world| in_use(world).is_some());
    let Some(ClaimError::Reserved { key, initiator }) = in_use(&world) else { panic!("{}", state(&world)) };
    assert_eq!((key, initiator.as_deref()), (Some(OWNER), Some("sim.nexus.0")));
    let text = state(&world).to_string();
    assert!(text.contains("0x000000000a0b0c0d") && text.contains("take_over"), "{text}");
    let sent = opcodes(&world, before);
    assert!(sent.iter().all(|opcode| matches!(opcode, 0x12 | 0x5E)), "{sent:02X?}");
}

#[test]
fn an_owner_without_a_name_is_known_again_by_what_the_store_keeps() {
    let mut world = World::with(library(), |config| config.owner = None);
    world.rest();
    let key = holder(&mut world).expect("it is reserved").key;
    assert!(key > 1 && key != OWNER);
    world.crash();
    world.rest();
    assert!(is_ready(&mut world));
    assert_eq!(keys(&mut world), [key]);
}

#[test]
fn a_library_is_taken_from_another_owner_only_when_that_was_said_and_then_it_is_told() {
    let mut world = World::ready(library());
    they_take_it(&mut world);
    world.crash();
    world.until("it is refused", |world| in_use(world).is_some());
    world.crash_with(|config| config.libraries[0].take_over = true);
    world.until("it is ours", is_ready);
    assert_eq!(keys(&mut world), [OWNER]);
    let told = world.events.iter().any(|event| matches!(event.kind, EventKind::TookOver { key: THEIRS, .. }));
    assert!(told);

    // It is done once: who takes it from us now keeps it.
    they_take_it(&mut world);
    world.device.inject(Fault::unit_attention(0, 0x2A, 0x03));
    let _ = world.submit(mount("VT0001L8"));
    world.until("it is theirs", |world| in_use(world).is_some());
    for _ in 0..50 {
        world.step();
    }
    assert_eq!(holder(&mut world).map(|held| held.key), Some(THEIRS));
    assert_eq!(world.device.moves_done(), 0);
}

#[test]
fn what_moved_when_the_library_was_taken_away_is_unknown_until_it_is_ours_again() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    world.until("it moves", |world| world.device.moves_sent() == 1);
    // The answer to the move is lost, and when the elements are looked at the library is another's.
    world.device.inject(Fault::lost_reply().on(0x00));
    let arrived = world.now + Duration::from_secs(3);
    world.until("the arm is on its way", |world| world.now >= arrived || world.device.moves_done() == 1);
    world.device.reset(world.now, 0);
    they_take_it(&mut world);
    world.until("it is theirs", |world| in_use(world).is_some());
    let taken = world.now;
    world.until("a long time has passed", |world| world.now > taken + Duration::from_secs(2 * 3600));
    assert_eq!(world.state(id), State::InProcess, "nothing is concluded of what is another's");
    they_give_it_back(&mut world);
    world.rest();
    assert!(is_ready(&mut world), "{}", state(&world));
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_move_that_meets_a_conflict_did_not_happen_and_is_made_when_the_library_is_ours_again() {
    let mut world = World::ready(library());
    they_take_it(&mut world);
    // The attention that would tell of it is lost: the conflict itself is the first that is heard.
    let id = world.mount("VT0001L8");
    world.until("it is theirs", |world| in_use(world).is_some());
    assert_eq!(world.device.moves_done(), 0);
    they_give_it_back(&mut world);
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(world.device.moves_done(), 1);
    assert_eq!(holder(&mut world).map(|held| held.key), Some(OWNER));
    world.assert_true();
}

#[test]
fn a_reservation_that_was_cleared_is_made_anew_before_anything_moves() {
    let mut world = World::ready(library());
    assert_eq!(out(&mut world, Out::Register, 0, THEIRS), Status::Good);
    assert_eq!(out(&mut world, Out::Clear, THEIRS, 0), Status::Good);
    assert_eq!(holder(&mut world), None);
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(keys(&mut world), [OWNER]);
    // The move that heard of it was refused; between it and the next one the reservation was made.
    let sent = opcodes(&world, 0);
    let moves: Vec<usize> = (0..sent.len()).filter(|n| sent[*n] == 0xA5).collect();
    assert_eq!(moves.len(), 2);
    assert!(sent[moves[0]..moves[1]].contains(&0x5F));
}

#[test]
fn the_reserve_of_old_keeps_us_out_as_well() {
    let mut device = library();
    device.inject(Fault::status(Status::ReservationConflict).on(0x5E).always());
    let mut world = World::new(device);
    world.until("it is refused", |world| in_use(world).is_some());
    assert_eq!(in_use(&world), Some(ClaimError::Reserved { key: None, initiator: None }));
    let text = state(&world).to_string();
    assert!(text.contains("older kind") && !text.contains("take_over"), "it cannot be preempted: {text}");
    world.device.clear_faults();
    world.until("it is ours", is_ready);
}

#[test]
fn an_answer_that_is_lost_on_the_way_to_the_reservation_changes_nothing() {
    // One question, a registration and the reservation; after a crash a question, a registration and a preemption of our own.
    for (opcode, commands) in [(0x5E, 1), (0x5F, 2)] {
        for after in 0..2 * commands {
            let mut device = library();
            device.inject(Fault::lost_reply().on(opcode).after(after));
            let mut world = World::ready(device);
            if after >= commands {
                world.crash();
                world.rest();
            }
            assert_eq!(world.device.pending_faults(), 0, "{opcode:02X} {after}: the answer was lost");
            assert!(is_ready(&mut world), "{opcode:02X} {after}: {}", state(&world));
            assert_eq!(holder(&mut world).map(|held| held.key), Some(OWNER), "{opcode:02X} {after}");
            assert_eq!(keys(&mut world), [OWNER]);
        }
    }
}

#[test]
fn a_manager_that_is_shut_down_gives_the_library_back_unless_something_moves() {
    let mut world = World::ready(library());
    world.input(Input::Stop);
    world.rest();
    assert_eq!((holder(&mut world), keys(&mut world)), (None, Vec::new()));

    let mut world = World::ready(library());
    let _ = world.mount("VT0001L8");
    world.until("it moves", |world| world.device.moves_sent() == 1);
    world.input(Input::Stop);
    assert_eq!(keys(&mut world), [OWNER]);
}

#[test]
fn a_library_that_tells_of_a_reset_at_every_look_is_still_served() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    for _ in 0..40 {
        world.device.inject(Fault::unit_attention(0, 0x29, 0x00));
        world.step();
    }
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert!(is_ready(&mut world));
}

#[test]
fn a_reserve_that_is_refused_is_looked_into_before_anything_is_believed() {
    let mut device = library();
    // Of the two commands the second is the RESERVE: somebody was faster, and is gone again.
    device.inject(Fault::status(Status::ReservationConflict).on(0x5F).after(1));
    let mut world = World::ready(device);
    assert!(is_ready(&mut world) && world.engine.view().libraries()[0].reserved);
    let told = world.events.iter().filter(|event| matches!(event.kind, EventKind::Library { .. })).count();
    assert_eq!(told, 1, "it was never anything but ready");
    assert_eq!((holder(&mut world).map(|held| held.key), keys(&mut world)), (Some(OWNER), vec![OWNER]));
}

/// A library that takes a second for each command, so that things happen between them.
fn slow(arms: u16) -> World {
    let mut timing = Timing::midrange();
    timing.command = Duration::from_secs(1);
    let device = Library::new().slots(10).drives(3).arms(arms).cartridges("VT{:04}L8", 1..=6).timing(timing);
    let mut world =
        World::with(device.build(), |config| config.libraries[0].moves_in_flight = arms.try_into().unwrap());
    world.until("it is ready", is_ready);
    world
}

#[test]
fn a_device_that_raises_an_attention_at_each_look_at_the_reservation_does_not_keep_everybody_waiting() {
    let mut world = slow(1);
    let looks = |world: &World| opcodes(world, 0).iter().filter(|opcode| **opcode == 0x5E).count();
    let mut seen = looks(&world);
    world.device.inject(Fault::unit_attention(0, 0x29, 0x00));
    let id = world.mount("VT0001L8");
    for _ in 0..2000 {
        if world.state(id).is_final() {
            break;
        }
        world.step();
        if looks(&world) > seen {
            seen = looks(&world);
            world.device.inject(Fault::unit_attention(0, 0x29, 0x00));
        }
    }
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
}

#[test]
fn while_the_reservation_is_looked_at_nothing_is_begun() {
    let mut world = slow(3);
    world.device.inject(Fault::unit_attention(0, 0x2A, 0x04));
    let first = world.mount("VT0001L8");
    let in_doubt = |event: &autochanger_engine::Event| matches!(event.kind, EventKind::MotionInDoubt { .. });
    world.until("it is told", |world| world.events.iter().any(in_doubt));
    let from = world.device.log().len();
    let second = world.mount("VT0002L8");
    world.rest();
    for id in [first, second] {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    let sent = opcodes(&world, from);
    let moved = sent.iter().position(|opcode| *opcode == 0xA5).expect("it moved");
    let reserved = sent.iter().rposition(|opcode| *opcode == 0x5F).expect("it was reserved");
    assert!(reserved < moved, "{sent:02X?}");
}

#[test]
fn a_reservation_that_all_who_are_registered_hold_is_refused_and_can_be_taken_over() {
    let mut device = library();
    let all = ReservationType::ExclusiveAccessAll.code();
    for (action, key, service_key) in [(Out::Register, 0, THEIRS), (Out::Reserve, THEIRS, 0)] {
        let cdb = PersistentReserveOut { action, scope: 0, kind: all, length: 24 }.cdb();
        let list = PersistentReserveParameters { key, service_action_key: service_key, ..Default::default() };
        let answer = theirs(&mut device, Duration::ZERO, cdb.as_bytes(), &list.to_bytes());
        assert_eq!(answer.status, Status::Good);
    }
    let mut world = World::new(device);
    world.until("it is refused", |world| in_use(world).is_some());
    let Some(ClaimError::Reserved { key, initiator }) = in_use(&world) else { panic!("{}", state(&world)) };
    assert_eq!((key, initiator.as_deref()), (Some(0), Some("sim.nexus.77")));
    world.crash_with(|config| config.libraries[0].take_over = true);
    world.until("it is ours", is_ready);
    assert_eq!((holder(&mut world).map(|held| held.key), keys(&mut world)), (Some(OWNER), vec![OWNER]));
}
