//! Commands that move the arm.

mod common;

use std::time::Duration;

use autochanger_scsi::{
    Cdb, ElementStatus, ElementType, ExchangeMedium, InitializeElementStatus,
    InitializeElementStatusWithRange, MoveMedium, PositionToElement,
};
use autochanger_sim::{Library, Nexus, Quirk, Timing, Unit};

use common::*;

const SECOND: Duration = Duration::from_secs(1);

fn exchange(from: u16, first: u16, second: u16) -> Cdb {
    ExchangeMedium {
        transport: at(0),
        source: at(from),
        first_destination: at(first),
        second_destination: at(second),
        invert_first: false,
        invert_second: false,
    }
    .cdb()
}

/// Pick and place 10 s each, travel 1 s whatever the distance, load 30 s, unload 20 s.
fn plain_timing() -> Timing {
    let mut timing = Timing::none();
    (timing.pick, timing.place) = (10 * SECOND, 10 * SECOND);
    (timing.travel_min, timing.travel_max) = (SECOND, SECOND);
    (timing.load, timing.unload) = (30 * SECOND, 20 * SECOND);
    timing
}

#[test]
fn a_move_brings_the_cartridge_and_remembers_its_slot() {
    let mut rig = rig();
    rig.moves(1004, 501);
    assert_eq!(rig.element(501), (true, false, Some(1004), Some("VT0005L8".into())));
    assert_eq!(rig.element(1004), (false, true, None, None));
    rig.moves(501, 1020);
    assert_eq!(rig.element(1020), (true, true, Some(1004), Some("VT0005L8".into())));
    assert_eq!((rig.device.moves_sent(), rig.device.moves_done()), (2, 2));
}

#[test]
fn an_export_is_placed_by_the_robot_not_by_the_operator() {
    let mut rig = rig();
    rig.moves(1000, 10);
    let data = good(rig.send(0, read(Some(ElementType::ImportExport)).cdb()));
    let port = ElementStatus::parse(&data).unwrap().elements().next().unwrap();
    assert!(port.full() && !port.import_export());
}

#[test]
fn moves_that_cannot_be_are_refused_with_the_standards_codes() {
    let mut rig = rig();
    assert_eq!(code(&rig.send(0, move_medium(1021, 500))), (5, 0x3B, 0x0E));
    assert_eq!(code(&rig.send(0, move_medium(1000, 1001))), (5, 0x3B, 0x0D));
    assert_eq!(code(&rig.send(0, move_medium(1000, 1000))), (5, 0x3B, 0x0D));
    for (cdb, byte) in [
        (MoveMedium { transport: at(2), source: at(1000), destination: at(500), invert: false }, 2),
        (MoveMedium { transport: at(1), source: at(999), destination: at(500), invert: false }, 4),
        (MoveMedium { transport: at(1), source: at(1000), destination: at(502), invert: false }, 6),
        (MoveMedium { transport: at(1), source: at(1000), destination: at(1), invert: false }, 6),
    ] {
        let refused = rig.send(0, cdb.cdb());
        assert_eq!((code(&refused), pointer(&refused)), ((5, 0x21, 0x01), Some(byte)), "{cdb:?}");
    }
    let turned = MoveMedium { transport: at(0), source: at(1000), destination: at(500), invert: true };
    assert_eq!(code(&rig.send(0, turned.cdb())), (5, 0x24, 0x00));
    assert_eq!((rig.device.moves_sent(), rig.device.moves_done()), (8, 0));
    assert_eq!(rig.find("VT0001L8"), Some(1000));
}

#[test]
fn an_exchange_swaps_in_one_command() {
    let mut rig = rig();
    rig.moves(1000, 500);
    good(rig.send(0, exchange(1001, 500, 1000)));
    assert_eq!((rig.find("VT0002L8"), rig.find("VT0001L8")), (Some(500), Some(1000)));
    good(rig.send(0, exchange(1002, 500, 1002)));
    assert_eq!((rig.find("VT0003L8"), rig.find("VT0002L8")), (Some(500), Some(1002)));
    assert_eq!(rig.device.moves_done(), 3);
}

#[test]
fn exchanges_that_cannot_be_are_refused() {
    let mut rig = rig();
    rig.moves(1000, 500);
    assert_eq!(code(&rig.send(0, exchange(1020, 500, 1000))), (5, 0x3B, 0x0E));
    assert_eq!(code(&rig.send(0, exchange(1001, 501, 1000))), (5, 0x3B, 0x0E));
    assert_eq!(code(&rig.send(0, exchange(1001, 500, 1002))), (5, 0x3B, 0x0D));
    assert_eq!(code(&rig.send(0, exchange(500, 500, 1000))), (5, 0x3B, 0x0D));
    let refused = rig.send(0, exchange(1001, 500, 7));
    assert_eq!((code(&refused), pointer(&refused)), ((5, 0x21, 0x01), Some(8)));
    assert_eq!((rig.find("VT0001L8"), rig.find("VT0002L8")), (Some(500), Some(1001)));
    let mut without = rig_of(stocked().exchange(false));
    assert_eq!(code(&without.send(0, exchange(1001, 500, 1000))), (5, 0x20, 0x00));
}

#[test]
fn a_move_takes_pick_travel_and_place_and_shows_the_cartridge_in_the_arm() {
    let mut rig = rig_of(stocked().timing(plain_timing()));
    let key = rig.start(0, move_medium(1010, 500));
    rig.pass(10 * SECOND);
    assert_eq!(rig.find("VT0011L8"), Some(1010), "1 s of travel and 10 s of pick are not over");
    rig.pass(SECOND);
    assert_eq!(rig.element(1), (true, false, Some(1010), Some("VT0011L8".into())));
    assert!(!rig.element(1010).0);
    assert_eq!(rig.end_of(key), 22 * SECOND);
    assert_eq!(rig.find("VT0011L8"), Some(500));
}

#[test]
fn status_is_answered_at_once_while_the_arm_moves_and_a_second_move_waits() {
    let mut rig = rig_of(stocked().timing(plain_timing()));
    let first = rig.start(0, move_medium(1010, 500));
    let second = rig.start(0, move_medium(500, 1010));
    good(rig.send(0, ready()));
    assert_eq!(rig.now(), Duration::ZERO);
    assert_eq!(rig.end_of(first), 22 * SECOND);
    // The drive is loading until 52 s, unloads until 72 s; then pick, travel, place.
    good(rig.answer(second));
    assert_eq!(rig.end_of(second), (72 + 10 + 1 + 10) * SECOND);
}

#[test]
fn serialized_status_waits_for_the_arm() {
    let mut rig = rig_of(stocked().timing(plain_timing()).quirk(Quirk::SerializeAll));
    let moving = rig.start(0, move_medium(1010, 500));
    let status = rig.start(0, ready());
    let inquiry = rig.start(0, autochanger_scsi::Inquiry { vpd: None, allocation: 36 }.cdb());
    assert_eq!(rig.end_of(inquiry), Duration::ZERO, "INQUIRY never waits");
    assert_eq!(rig.end_of(status), 22 * SECOND);
    assert_eq!(rig.end_of(moving), 22 * SECOND);
}

#[test]
fn a_drive_that_is_not_fast_answers_the_move_when_it_is_ready_and_the_arm_is_free_before() {
    let mut timing = plain_timing();
    timing.fast_load = false;
    let mut rig = rig_of(stocked().timing(timing));
    let load = rig.start(0, move_medium(1010, 500));
    let next = rig.start(0, move_medium(1000, 1020));
    assert_eq!(rig.end_of(next), 44 * SECOND);
    assert_eq!(rig.end_of(load), 52 * SECOND);
    assert_eq!(code(&rig.send(1, ready())), (6, 0x28, 0x00), "the drive is ready");
}

#[test]
fn two_arms_move_at_once_but_never_touch_the_same_element() {
    let mut rig = rig_of(stocked().arms(2).timing(plain_timing()));
    let one = rig.start(0, move_medium(1000, 500));
    let two = rig.start(0, move_medium(1001, 501));
    let same = rig.start(0, move_medium(1002, 500));
    assert_eq!((rig.end_of(one), rig.end_of(two)), (21 * SECOND, 22 * SECOND));
    assert_eq!(code(&rig.answer(same)), (5, 0x3B, 0x0D), "it waited for the first, and found the drive full");
    let first_arm = MoveMedium { transport: at(1), source: at(1003), destination: at(1020), invert: false };
    let both = [rig.start(0, first_arm.cdb()), rig.start(0, first_arm.cdb())];
    good(rig.answer(both[0]));
    assert_eq!(code(&rig.answer(both[1])), (5, 0x3B, 0x0E));
}

#[test]
fn initialize_takes_time_by_element_and_tells_the_other_hosts() {
    let mut timing = Timing::none();
    (timing.scan, timing.scan_unlabelled) = (SECOND, 4 * SECOND);
    let mut rig = rig_of(stocked().unlabelled_at(1023).timing(timing));
    let other = Unit { nexus: Nexus(9), lun: 0 };
    rig.send(other, ready());
    let key = rig.start(0, InitializeElementStatus::default().cdb());
    good(rig.send(0, read(None).cdb()));
    assert_eq!(rig.end_of(key), (1 + 24 + 4 + 2 + 3) * SECOND);
    assert_eq!(code(&rig.send(other, ready())), (6, 0x28, 0x00));
    good(rig.send(0, ready()));

    let before = rig.now();
    let range = InitializeElementStatusWithRange { fast: false, range: Some((at(1022), 2)) };
    let key = rig.start(0, range.cdb());
    assert_eq!(rig.end_of(key) - before, 5 * SECOND);
    good(rig.send_bytes(0, &[0xE7, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
}

#[test]
fn position_to_element_moves_the_arm_and_nothing_else() {
    let mut rig = rig_of(stocked().timing(plain_timing()));
    let position = |destination| {
        PositionToElement { transport: at(0), destination: at(destination), invert: false }.cdb()
    };
    let key = rig.start(0, position(1023));
    assert_eq!(rig.end_of(key), SECOND);
    let start = rig.now();
    let key = rig.start(0, position(1023));
    assert_eq!(rig.end_of(key), start, "it stands there already");
    let refused = rig.send(0, position(700));
    assert_eq!((code(&refused), pointer(&refused)), ((5, 0x21, 0x01), Some(4)));
    assert_eq!(rig.device.moves_sent(), 0);
}

#[test]
fn the_same_seed_draws_the_same_times_and_they_stay_within_the_profile() {
    let times = |seed| {
        let mut rig = rig_of(stocked().timing(Timing::midrange()).seed(seed));
        (0..10)
            .map(|slot| {
                let before = rig.now();
                let key = rig.start(0, move_medium(1000 + slot, 1020));
                let there = rig.end_of(key) - before;
                rig.moves(1020, 1000 + slot);
                there
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(times(1), times(1));
    assert_ne!(times(1), times(2));
    for time in times(3) {
        assert!(time >= 8 * SECOND && time <= 28 * SECOND, "{time:?}");
    }
}

#[test]
fn every_answer_takes_the_commands_own_time() {
    let mut timing = Timing::none();
    timing.command = Duration::from_millis(5);
    let mut rig = rig_of(stocked().timing(timing));
    let start = rig.now();
    let keys = [ready(), move_medium(1000, 500), move_medium(1000, 501)].map(|cdb| rig.start(0, cdb));
    let times = keys.map(|key| rig.end_of(key) - start);
    assert_eq!(times, [Duration::from_millis(5); 3]);
    assert_eq!(code(&rig.answer(keys[2])), (5, 0x3B, 0x0E));
}

#[test]
fn a_library_without_an_arm_moves_nothing() {
    let mut rig = rig_of(stocked().arms(0));
    assert_eq!(code(&rig.send(0, move_medium(1000, 500))), (2, 0x04, 0x15));
}

#[test]
fn abort_drops_what_waits_and_lets_the_arm_finish() {
    let mut rig = rig_of(stocked().timing(plain_timing()));
    let moving = rig.start(0, move_medium(1010, 500));
    let waiting = rig.start(0, move_medium(1011, 501));
    rig.pass(SECOND);
    let now = rig.now();
    rig.device.abort(now, 0);
    rig.pass(100 * SECOND);
    for key in [moving, waiting] {
        assert_eq!(rig.ended(key), Some(&autochanger_sim::Outcome::Lost));
    }
    assert_eq!((rig.find("VT0011L8"), rig.find("VT0012L8")), (Some(500), Some(1011)));
    good(rig.send(0, ready()));
    let now = rig.now();
    rig.device.reset(now, 0);
    assert_eq!(code(&rig.send(0, ready())), (6, 0x29, 0x03));
}

#[test]
fn more_commands_than_the_target_holds_find_it_full() {
    let mut rig = rig_of(Library::new().cartridges("{:06}", 1..=1).timing(plain_timing()));
    for _ in 0..autochanger_sim::MAX_TASKS {
        rig.start(0, move_medium(1000, 1001));
    }
    let refused = rig.send(0, ready());
    assert_eq!(refused.status, autochanger_scsi::Status::TaskSetFull);
}
