//! Unit attentions that say that the library itself is not what it was: who it is, and what it has, is asked anew.

use std::time::Duration;

use autochanger_engine::catalog::MotionState;
use autochanger_engine::request::State;
use autochanger_engine::view::{LibraryError, LibraryState};
use autochanger_scsi::SenseKey;
use autochanger_sim::{Device, Fault, Library, LogEntry, Quirk as Switch, Timing};
use autochanger_world::{World, inventory, mount_in};

const TAPE: &str = "VT0001L8";
const INQUIRY: u8 = 0x12;
const MODE_SENSE: u8 = 0x1A;
const MOVE: u8 = 0xA5;
const PREVENT: u8 = 0x1E;

/// What a library says of itself that has it asked again who it is and what it has.
const OF_ITSELF: [(u8, u8); 17] = [
    (0x29, 0x00),
    (0x29, 0x01),
    (0x29, 0x04),
    (0x2A, 0x00),
    (0x2A, 0x01),
    (0x3B, 0x18),
    (0x3B, 0x19),
    (0x3B, 0x1A),
    (0x3B, 0x1B),
    (0x3B, 0x20),
    (0x3F, 0x00),
    (0x3F, 0x01),
    (0x3F, 0x02),
    (0x3F, 0x03),
    (0x3F, 0x04),
    (0x3F, 0x05),
    (0x3F, 0x0E),
];

fn library() -> Library {
    Library::new().slots(12).drives(2).ports(1).cartridges("VT{:04}L8", 1..=8).timing(Timing::midrange())
}

/// Commands to the changer from the one with that number on.
fn since(world: &World, number: usize) -> Vec<LogEntry> {
    world.device.log().filter(|entry| entry.unit.lun == 0).skip(number).cloned().collect()
}

fn sent(world: &World) -> usize {
    since(world, 0).len()
}

fn at(log: &[LogEntry], opcode: u8) -> Option<usize> {
    log.iter().position(|entry| entry.opcode() == Some(opcode))
}

fn is_ready(world: &World) -> bool {
    *world.engine.view().libraries()[0].state == LibraryState::Ready
}

fn passes(world: &mut World, id: autochanger_engine::id::RequestId) {
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
}

#[test]
fn a_library_that_says_that_it_is_another_than_before_is_identified_and_read_anew_before_anything_moves() {
    for (asc, ascq) in OF_ITSELF {
        let mut world = World::ready(library().build());
        let before = sent(&world);
        world.device.inject(Fault::unit_attention(0, asc, ascq));
        let id = world.mount(TAPE);
        passes(&mut world, id);
        assert!(is_ready(&world));
        let log = since(&world, before);
        let first = at(&log, MOVE).expect("it hears of it when it is to move something");
        let after = &log[first + 1..];
        let moved = at(after, MOVE).expect("it is moved then");
        let (asked, read) = (at(after, INQUIRY), at(after, MODE_SENSE));
        assert!(asked < read && read < Some(moved) && asked.is_some(), "{asc:02x}/{ascq:02x}: {log:#?}");
        assert_eq!(world.device.moves_done(), 1);
        world.assert_true();
    }
}

#[test]
fn what_says_nothing_of_the_library_itself_has_nobody_asked_who_it_is() {
    for (asc, ascq) in [
        (0x29, 0x03),
        (0x29, 0x07),
        (0x2A, 0x02),
        (0x2A, 0x10),
        (0x2A, 0x15),
        (0x28, 0x00),
        (0x28, 0x01),
        (0x3F, 0x0F),
        (0x53, 0x02),
    ] {
        let mut world = World::ready(library().build());
        let before = sent(&world);
        world.device.inject(Fault::unit_attention(0, asc, ascq));
        let id = world.mount(TAPE);
        passes(&mut world, id);
        let log = since(&world, before);
        assert_eq!((at(&log, INQUIRY), at(&log, MODE_SENSE)), (None, None), "{asc:02x}/{ascq:02x}");
    }
}

#[test]
fn motions_that_are_under_way_end_first_and_intents_that_were_not_sent_are_made_anew() {
    let device = library().arms(2).build();
    let mut world = World::with(device, |config| config.libraries[0].moves_in_flight = 2);
    world.rest();
    let first = world.submit(mount_in(TAPE, 500)).unwrap();
    world.until("it moves", |world| world.device.moves_sent() == 1);
    let before = sent(&world);
    // The second move hears of it, while the first is on its way.
    world.device.inject(Fault::sense(SenseKey::UnitAttention, 0x3F, 0x03).on_move());
    let second = world.submit(mount_in("VT0002L8", 501)).unwrap();
    let third = world.mount("VT0003L8");
    world.until("the second is loaded", |world| world.device.moves_done() == 2);
    world.rest();
    for id in [first, second] {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    assert!(!world.state(third).is_final());
    let moves: Vec<LogEntry> =
        world.device.log().filter(|entry| entry.opcode() == Some(MOVE)).cloned().collect();
    let log = since(&world, before);
    let asked = log.iter().find(|entry| entry.opcode() == Some(INQUIRY)).expect("it was asked who it is");
    let first_end = moves[0].end.expect("it has ended").at;
    assert!(asked.at >= first_end, "asked at {:?}, the move ended at {first_end:?}", asked.at);
    // The answer to the second said that it was not carried out; it was sent again after the reading, with an intent of its own.
    assert_eq!(moves.len(), 3);
    assert!(moves[2].at >= asked.at);
    let of_second = world.disk.motions.values().filter(|motion| motion.request == second);
    assert_eq!(of_second.filter(|motion| motion.state != MotionState::Moved).count(), 1);
    world.assert_true();
}

#[test]
fn a_library_that_says_so_at_each_look_is_used_all_the_same() {
    let mut world = World::ready(library().build());
    // The first question of each reading.
    world.device.inject(Fault::sense(SenseKey::UnitAttention, 0x2A, 0x01).on(MODE_SENSE).times(60));
    world.device.inject(Fault::unit_attention(0, 0x2A, 0x01));
    let id = world.mount(TAPE);
    passes(&mut world, id);
    world.assert_true();
}

#[test]
fn another_library_that_answers_in_its_place_is_not_used() {
    let mut world = World::ready(library().build());
    // From now on the way leads to another one, which has the same cartridges, and was switched on when the way was laid there.
    world.elsewhere = Some((0, library().serial("ANOTHER").build()));
    let id = world.mount(TAPE);
    world.until("it is found out", |world| {
        matches!(
            &*world.engine.view().libraries()[0].state,
            LibraryState::Unusable(LibraryError::Unfit { .. })
        )
    });
    assert!(!world.state(id).is_final());
    assert_eq!(world.device.moves_done(), 0);
    world.elsewhere = None;
    passes(&mut world, id);
    world.assert_true();
}

#[test]
fn new_firmware_is_kept_and_what_was_learned_of_the_old_is_learned_anew() {
    let mut device: Device = library().build();
    device.quirk(Switch::RejectCurdata);
    let mut world = World::ready(device);
    let quirks = |world: &World| world.engine.view().libraries().remove(0).quirks.len();
    assert_eq!(quirks(&world), 1);
    world.device.update_firmware("0002");
    let id = world.submit(inventory()).unwrap();
    passes(&mut world, id);
    world.rest();
    assert_eq!(&*world.disk.libraries[0].identity.revision, "0002");
    assert_eq!(&*world.engine.view().libraries()[0].identity.as_ref().unwrap().revision, "0002");
}

#[test]
fn a_prevention_that_was_taken_away_is_made_again() {
    let mut world = World::with(library().build(), |config| config.libraries[0].lock_ports = true);
    world.rest();
    assert!(world.device.is_locked());
    let before = sent(&world);
    world.device.inject(Fault::unit_attention(0, 0x2A, 0x15));
    let id = world.mount(TAPE);
    passes(&mut world, id);
    let again = since(&world, before).into_iter().filter(|entry| entry.opcode() == Some(PREVENT));
    assert_eq!(again.map(|entry| entry.cdb()[4]).collect::<Vec<_>>(), [1]);
    assert!(world.now < Duration::from_secs(600));
}
