//! Several paths to one library: which is used, when it is left, and what is looked at before anything moves again.

#[path = "paths/under_way.rs"]
mod under_way;

use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::request::{Outcome, State};
use autochanger_engine::view::{LibraryError, LibraryState, PathState};
use autochanger_scsi::{PersistentReserveIn, PersistentReserveInAction, ReservationKeys};
use autochanger_sim::{Access, Device, Fault, Library, Nexus, Timing, Unit};
use autochanger_world::{OWNER, World, dismount};

const FIRST: &str = "sim:first";
const SECOND: &str = "sim:second";

fn description() -> Library {
    Library::new().slots(10).drives(2).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange())
}

fn with_paths(device: Device, ports: &[(u8, Access)], paths: &[&str]) -> World {
    let mut device = device;
    for (port, access) in ports {
        device.set_port(Duration::ZERO, *port, *access);
    }
    World::with(device, |config| {
        config.libraries[0].name = "the vault".into();
        config.libraries[0].paths = paths.iter().map(|path| (*path).into()).collect();
    })
}

fn two(ports: &[(u8, Access)]) -> World {
    with_paths(description().build(), ports, &[FIRST, SECOND])
}

fn ready() -> World {
    let mut world = two(&[]);
    world.until("it is ready", is_ready);
    world
}

fn state(world: &World) -> LibraryState {
    (*world.engine.view().libraries()[0].state).clone()
}

fn is_ready(world: &mut World) -> bool {
    state(world) == LibraryState::Ready
}

fn paths(world: &World) -> Vec<PathState> {
    world.engine.view().libraries()[0].paths.iter().map(|path| path.state.clone()).collect()
}

fn is_active(world: &World, path: usize) -> bool {
    paths(world)[path] == PathState::Active
}

fn set(world: &mut World, port: u8, access: Access) {
    let now = world.now;
    world.device.set_port(now, port, access);
}

fn has_ended(world: &World, id: autochanger_engine::id::RequestId) -> bool {
    world.state(id).is_final()
}

fn keys(world: &mut World) -> usize {
    let unit = Unit { nexus: Nexus(77), lun: 0 };
    // Through a port of its own, which is never closed.
    world.device.connect(unit.nexus, 99);
    let cdb = PersistentReserveIn { action: PersistentReserveInAction::ReadKeys, allocation: 1024 }.cdb();
    loop {
        let key = world.device.submit(world.now, unit, cdb.as_bytes(), &[], 1024);
        let Some(autochanger_sim::Outcome::Answered(answer)) = world.device.take(key) else {
            panic!("answered")
        };
        if answer.sense.is_empty() {
            let all: Vec<u64> = ReservationKeys::parse(&answer.data).unwrap().keys().collect();
            assert!(all.iter().all(|key| *key == OWNER), "{all:x?}");
            return all.len();
        }
    }
}

/// Commands that came by a path since a place in the log, but for looks at who is there.
fn sent_by(world: &World, path: u32, from: usize) -> Vec<u8> {
    let log = world.device.log().skip(from).filter(|entry| entry.unit.nexus == Nexus(path));
    log.filter_map(|entry| entry.opcode()).filter(|opcode| *opcode != 0x12).collect()
}

#[test]
fn two_paths_are_one_library_with_one_path_in_use_and_our_key_on_both() {
    let mut world = ready();
    world.until("the second registers", |world| keys(world) == 2);
    assert_eq!(paths(&world), [PathState::Active, PathState::Standby]);
    let id = world.mount("VT0001L8");
    world.until("it is mounted", |world| has_ended(world, id));
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    let second = sent_by(&world, 1, 0);
    assert!(second.iter().all(|opcode| matches!(opcode, 0x5E | 0x5F)), "{second:02X?}");
    world.assert_true();
}

#[test]
fn a_path_that_leads_to_another_library_is_told_with_both_names_before_anything_is_read() {
    let mut world = two(&[]);
    world.elsewhere = Some((1, Library::new().serial("ANOTHER").build()));
    world.crash();
    world.until("it is told", |world| matches!(state(world), LibraryState::Unusable(_)));
    let LibraryState::Unusable(error @ LibraryError::PathMismatch { .. }) = state(&world) else {
        panic!("{}", state(&world))
    };
    let text = error.to_string();
    assert!(text.contains(FIRST) && text.contains(SECOND) && text.contains("ANOTHER"), "{text}");
    for _ in 0..50 {
        world.step();
    }
    assert!(!is_ready(&mut world));

    // The wrong path is taken out, or leads to the library after all: it becomes ready by itself.
    world.elsewhere = None;
    world.until("it is ready", is_ready);
}

#[test]
fn a_lost_path_is_left_for_the_other_without_the_library_being_away() {
    let mut world = ready();
    world.until("both are registered", |world| keys(world) == 2);
    let events = world.events.len();
    set(&mut world, 0, Access::Dead);
    let id = world.mount("VT0002L8");
    world.until("it is mounted", |world| has_ended(world, id));
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert!(matches!(&paths(&world)[..], [PathState::Lost(_), PathState::Active]), "{:?}", paths(&world));
    let told: Vec<String> = world.events[events..]
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Path { .. } | EventKind::Library { .. }))
        .map(|event| event.kind.to_string())
        .collect();
    assert!(told.len() == 2 && told[0].contains(FIRST) && told[0].contains("lost"), "{told:?}");
    assert!(told[1].contains(SECOND) && told[1].contains("in use"), "{told:?}");
    // What is left of the lost path's registration went with it.
    assert_eq!(keys(&mut world), 1);
    world.assert_true();
}

#[test]
fn before_anything_moves_over_another_path_it_is_identified_reserved_and_read() {
    let mut world = ready();
    let from = world.device.log().len();
    set(&mut world, 0, Access::Dead);
    let id = world.mount("VT0002L8");
    world.until("it is mounted", |world| has_ended(world, id));
    let sent = sent_by(&world, 1, from);
    let moved = sent.iter().position(|opcode| *opcode == 0xA5).expect("it moved");
    let first = |wanted: u8| sent.iter().position(|opcode| *opcode == wanted).expect("it was sent");
    assert!(first(0x5F) < first(0xB8) && first(0xB8) < moved, "{sent:02X?}");
}

#[test]
fn a_move_in_flight_on_the_lost_path_is_settled_over_the_other_and_never_sent_again() {
    for drop_after in [0, 2, 10, 25] {
        let mut world = ready();
        let id = world.mount("VT0003L8");
        world.until("it moves", |world| world.device.moves_sent() == 1);
        let then = world.now + Duration::from_secs(drop_after);
        while world.now < then && world.device.moves_done() == 0 {
            world.step();
        }
        set(&mut world, 0, Access::Dead);
        world.until("it is mounted", |world| has_ended(world, id));
        assert!(matches!(world.state(id), State::Passed(_)), "{drop_after}: {}", world.state(id));
        assert_eq!(world.device.moves_sent(), 1, "after {drop_after} s");
        assert!(is_active(&world, 1));
        world.assert_true();
    }
}

#[test]
fn a_move_that_the_dying_path_swallowed_is_not_sent_again_before_its_time_is_over() {
    let mut world = ready();
    world.device.inject(Fault::lost_reply().without_effect().on_move());
    let id = world.mount("VT0003L8");
    world.until("it moves", |world| world.device.moves_sent() == 1);
    let sent = world.now;
    set(&mut world, 0, Access::Dead);
    world.until("it is sent again", |world| world.device.moves_sent() == 2);
    let waited = world.now - sent;
    assert!(waited >= world.config.libraries[0].timing.motion, "{waited:?}");
    world.until("it is mounted", |world| has_ended(world, id));
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn a_path_that_says_it_does_not_serve_is_left() {
    for access in [Access::Transition, Access::Standby, Access::Unavailable, Access::Offline] {
        let mut world = ready();
        set(&mut world, 0, access);
        let id = world.mount("VT0002L8");
        world.until("it is mounted", |world| has_ended(world, id));
        assert!(matches!(world.state(id), State::Passed(_)), "{access:?}: {}", world.state(id));
        assert!(is_active(&world, 1), "{access:?}: {:?}", paths(&world));
        world.assert_true();
    }
}

#[test]
fn a_library_whose_first_path_does_not_serve_is_opened_over_the_next() {
    for access in [Access::Dead, Access::Standby, Access::Offline] {
        let mut world = two(&[(0, access)]);
        world.until("it is ready", is_ready);
        assert!(is_active(&world, 1), "{access:?}: {:?}", paths(&world));
    }
}

#[test]
fn a_single_path_that_does_not_serve_is_told_as_before() {
    let mut device = description().build();
    device.set_port(Duration::ZERO, 0, Access::Standby);
    let mut world = World::new(device);
    world.until("it is told", |world| state(world) != LibraryState::Initializing);
    assert!(matches!(state(&world), LibraryState::Unusable(LibraryError::Unfit { .. })), "{}", state(&world));
}

#[test]
fn when_all_paths_are_gone_the_library_is_away_and_each_is_named_and_tried_with_growing_pauses() {
    let mut world = ready();
    set(&mut world, 0, Access::Dead);
    set(&mut world, 1, Access::Dead);
    let id = world.mount("VT0002L8");
    world.until("it is away", |world| matches!(state(world), LibraryState::NotPresent(_)));
    let text = state(&world).to_string();
    assert!(text.contains(FIRST) && text.contains(SECOND), "{text}");
    let (gone, mut rounds) = (world.now, 0);
    while world.now < gone + Duration::from_secs(600) {
        world.step();
        rounds += 1;
    }
    // Half a minute is the longest pause: twenty rounds, the doubling ones before them, and the looks of the watch.
    assert!(rounds < 60, "{rounds}");
    set(&mut world, 1, Access::Active);
    world.until("it is mounted", |world| has_ended(world, id));
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert!(is_active(&world, 1));
    world.assert_true();
}

#[test]
fn a_path_that_comes_back_is_kept_in_reserve_and_used_when_the_other_is_lost() {
    let mut world = ready();
    set(&mut world, 0, Access::Dead);
    let id = world.mount("VT0002L8");
    world.until("it is mounted", |world| has_ended(world, id));
    set(&mut world, 0, Access::Active);
    world.until("it is found again", |world| paths(world)[0] == PathState::Standby);
    assert!(is_active(&world, 1), "a path that works is not left");
    world.until("it registers", |world| keys(world) == 2);
    set(&mut world, 1, Access::Dead);
    let id = world.submit(dismount("VT0002L8")).unwrap();
    world.until("it is dismounted", |world| has_ended(world, id));
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert!(is_active(&world, 0));
    world.assert_true();
}

#[test]
fn a_path_in_reserve_that_dies_is_told_before_it_is_needed() {
    let mut world = ready();
    set(&mut world, 1, Access::Dead);
    world.until("it is told", |world| matches!(paths(world)[1], PathState::Lost(_)));
    assert!(is_active(&world, 0) && is_ready(&mut world));
}

#[test]
fn paths_that_come_and_go_for_a_day_lose_no_cartridge_and_repeat_no_move() {
    let mut world = with_paths(description().build(), &[], &[FIRST, SECOND, "sim:third"]);
    world.until("it is ready", is_ready);
    let mut dice: u64 = 7;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    for _ in 0..200 {
        let barcode = format!("VT{:04}L8", 1 + roll(6));
        let _ = match roll(2) {
            0 => world.submit(autochanger_world::mount(&barcode)),
            _ => world.submit(dismount(&barcode)),
        };
        let access = [Access::Active, Access::Active, Access::Dead, Access::Standby][roll(4) as usize];
        set(&mut world, roll(3) as u8, access);
        if roll(10) == 0 {
            world.crash();
        }
        for _ in 0..roll(40) {
            world.step();
        }
    }
    for port in 0..3 {
        set(&mut world, port, Access::Active);
    }
    world.rest();
    assert!(is_ready(&mut world), "{}", state(&world));
    world.assert_true();
}

#[test]
fn a_path_behind_which_another_library_stands_by_now_is_left_for_the_one_that_still_leads_to_ours() {
    let mut world = ready();
    set(&mut world, 0, Access::Dead);
    let mounted = world.mount("VT0001L8");
    world.until("it is mounted", |world| has_ended(world, mounted));
    assert!(is_active(&world, 1));
    // Somebody has changed the cables of the first path, and then the second one is lost, too.
    world.elsewhere = Some((0, Library::new().serial("ANOTHER").build()));
    set(&mut world, 0, Access::Active);
    world.until("it is told", |world| matches!(paths(world)[0], PathState::Elsewhere(_)));
    assert!(is_ready(&mut world) && is_active(&world, 1));
    set(&mut world, 1, Access::Dead);
    let id = world.submit(dismount("VT0001L8")).unwrap();
    world.until("it is away", |world| !is_ready(world));
    for _ in 0..100 {
        world.step();
    }
    assert!(!is_ready(&mut world) && !has_ended(&world, id), "{}", state(&world));
    set(&mut world, 1, Access::Active);
    world.until("it is dismounted", |world| has_ended(world, id));
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}
