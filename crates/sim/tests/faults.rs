//! What goes wrong, and where a command can be stopped.

mod common;

use std::time::Duration;

use autochanger_sim::{Fault, Hold, Nexus, Outcome, SenseKey, Status, Timing, Unit};

use common::*;

const SECOND: Duration = Duration::from_secs(1);

/// A library whose moves take 20 s: pick 10, place 10.
fn slow() -> Rig {
    let mut timing = Timing::none();
    (timing.pick, timing.place) = (10 * SECOND, 10 * SECOND);
    rig_of(stocked().timing(timing))
}

#[test]
fn sense_without_effect_leaves_everything_where_it_is_as_often_as_told() {
    let mut rig = rig();
    rig.device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move().times(2));
    good(rig.send(0, ready()));
    for _ in 0..2 {
        assert_eq!(code(&rig.send(0, move_medium(1000, 500))), (4, 0x15, 0x01));
    }
    assert_eq!((rig.find("VT0001L8"), rig.device.pending_faults()), (Some(1000), 0));
    rig.moves(1000, 500);
    assert_eq!((rig.device.moves_sent(), rig.device.moves_done()), (3, 1));
}

#[test]
fn sense_after_the_effect_comes_when_the_cartridge_is_there() {
    let mut rig = slow();
    rig.device.inject(Fault::sense(SenseKey::HardwareError, 0x53, 0x00).after_effect().to(at(500)));
    good(rig.send(0, move_medium(1000, 501)));
    let start = rig.now();
    let key = rig.start(0, move_medium(1001, 500));
    assert_eq!(code(&rig.answer(key)), (4, 0x53, 0x00));
    assert_eq!((rig.find("VT0002L8"), rig.end_of(key) - start), (Some(500), 20 * SECOND));
}

#[test]
fn a_bare_status_can_be_answered() {
    let mut rig = rig();
    rig.device.inject(Fault::status(Status::Busy));
    assert_eq!(rig.send(0, ready()).status, Status::Busy);
    good(rig.send(0, ready()));
}

#[test]
fn a_lost_reply_moves_or_not_as_told() {
    let mut rig = slow();
    rig.device.inject(Fault::lost_reply().on_move());
    let key = rig.start(0, move_medium(1000, 500));
    assert_eq!((rig.finish(key), rig.end_of(key)), (Outcome::Lost, 20 * SECOND));
    assert_eq!(rig.find("VT0001L8"), Some(500));

    rig.device.inject(Fault::lost_reply().without_effect().on_move());
    let key = rig.start(0, move_medium(1001, 501));
    assert_eq!(rig.finish(key), Outcome::Lost);
    rig.pass(100 * SECOND);
    assert_eq!(rig.find("VT0002L8"), Some(1001));
    let last = rig.device.log().next_back().expect("a log");
    assert_eq!((last.opcode(), last.end.map(|end| end.status)), (Some(0xA5), Some(None)));
}

#[test]
fn a_late_effect_comes_after_the_loss_and_the_arm_is_at_work_until_then() {
    let mut rig = slow();
    rig.device.inject(Fault::late_effect(90 * SECOND).on_move());
    let late = rig.start(0, move_medium(1000, 500));
    assert_eq!((rig.finish(late), rig.end_of(late)), (Outcome::Lost, 20 * SECOND));
    assert!(rig.element(1000).0, "a look finds the cartridge at its source");
    assert!(!rig.element(1).0, "and the arm empty");
    let again = rig.start(0, move_medium(1000, 501));
    rig.pass(89 * SECOND);
    assert_ne!(rig.find("VT0001L8"), Some(500));
    rig.pass(SECOND);
    assert_eq!(rig.find("VT0001L8"), Some(500));
    assert_eq!(code(&rig.answer(again)), (5, 0x3B, 0x0E));
}

#[test]
fn silence_is_never_broken() {
    let mut rig = slow();
    rig.device.inject(Fault::silence().on_move());
    let key = rig.start(0, move_medium(1000, 500));
    rig.pass(1000 * SECOND);
    assert_eq!((rig.ended(key), rig.find("VT0001L8")), (None, Some(500)));
    assert_eq!(rig.device.next_event(), None);
}

#[test]
fn a_command_that_is_not_delivered_leaves_no_trace() {
    let mut rig = rig();
    let logged = rig.device.log().len();
    rig.device.inject(Fault::not_delivered().on_move());
    let key = rig.start(0, move_medium(1000, 500));
    assert_eq!(rig.ended(key), Some(&Outcome::NotDelivered));
    assert_eq!((rig.device.log().len(), rig.device.moves_sent()), (logged, 0));
}

#[test]
fn a_lost_connection_takes_every_command_of_its_nexus_and_only_those() {
    let mut rig = slow();
    let other = Unit { nexus: Nexus(5), lun: 0 };
    rig.send(other, ready());
    let moving = rig.start(0, move_medium(1000, 500));
    let theirs = rig.start(other, move_medium(1001, 501));
    rig.device.inject(Fault::connection_lost().on(0x00));
    let key = rig.start(0, ready());
    assert_eq!(rig.ended(key), Some(&Outcome::Lost));
    assert_eq!(rig.ended(moving), Some(&Outcome::Lost));
    good(rig.answer(theirs));
    assert_eq!(rig.find("VT0001L8"), Some(500), "the arm went on");
    assert_eq!(code(&rig.send(0, ready())), (6, 0x29, 0x07));
    good(rig.send(0, ready()));
    good(rig.send(other, ready()));

    rig.device.inject(Fault::connection_lost().without_effect().on_move());
    let key = rig.start(0, move_medium(1002, 1020));
    rig.pass(100 * SECOND);
    assert_eq!((rig.ended(key), rig.find("VT0003L8")), (Some(&Outcome::Lost), Some(1002)));
}

#[test]
fn a_cartridge_stuck_in_the_arm_blocks_it_until_it_is_brought_away() {
    let mut rig = rig();
    rig.device.inject(Fault::stuck_in_arm().to(at(500)));
    assert_eq!(code(&rig.send(0, move_medium(1000, 500))), (4, 0x15, 0x01));
    assert_eq!(rig.element(1), (true, false, Some(1000), Some("VT0001L8".into())));
    assert_eq!(code(&rig.send(0, move_medium(1001, 500))), (4, 0x15, 0x01));
    rig.moves(1, 1000);
    rig.moves(1001, 500);
    assert_eq!(rig.find("VT0001L8"), Some(1000));
}

#[test]
fn a_cartridge_stuck_in_a_drive_stays_until_the_repair() {
    let mut rig = rig();
    rig.moves(1000, 500);
    rig.device.inject(Fault::stuck_in_drive(at(500)));
    assert_eq!(code(&rig.send(0, move_medium(500, 1000))), (4, 0x53, 0x01));
    rig.send(1, ready());
    assert_eq!(code(&rig.send_bytes(1, &[0x1B, 0, 0, 0, 0, 0])), (4, 0x53, 0x01));
    rig.device.repair(at(500));
    rig.moves(500, 1000);
}

#[test]
fn a_dead_drive_answers_nothing_useful_and_the_robot_leaves_it_alone() {
    let mut rig = rig();
    rig.device.inject(Fault::dead_drive(at(501)));
    assert_eq!(code(&rig.send(2, ready())), (4, 0x44, 0x00));
    assert_eq!(code(&rig.send_bytes(2, &[0x1B, 0, 0, 0, 1, 0])), (4, 0x44, 0x00));
    assert_eq!(code(&rig.send(0, move_medium(1000, 501))), (4, 0x08, 0x00));
    rig.moves(1000, 500);
    rig.device.repair(at(501));
    rig.moves(1001, 501);
}

#[test]
fn becoming_ready_lasts_its_time_and_spares_inquiry() {
    let mut rig = rig();
    rig.device.inject(Fault::becoming_ready().lasting(60 * SECOND));
    for _ in 0..3 {
        assert_eq!(code(&rig.send(0, ready())), (2, 0x04, 0x01));
        assert_eq!(code(&rig.send(0, move_medium(1000, 500))), (2, 0x04, 0x01));
    }
    good(rig.send(0, autochanger_scsi::Inquiry { vpd: None, allocation: 36 }.cdb()));
    assert_eq!(code(&rig.send(1, ready())), (2, 0x3A, 0x00), "a drive is not meant");
    rig.pass(60 * SECOND);
    good(rig.send(0, ready()));
}

#[test]
fn a_unit_attention_is_found_by_every_nexus_once_and_spends_no_fault() {
    let mut rig = rig();
    let other = Unit { nexus: Nexus(5), lun: 0 };
    rig.send(other, ready());
    rig.device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move());
    rig.device.inject(Fault::unit_attention(0, 0x2A, 0x01));
    assert_eq!(code(&rig.send(0, move_medium(1000, 500))), (6, 0x2A, 0x01));
    assert_eq!(code(&rig.send(other, ready())), (6, 0x2A, 0x01));
    assert_eq!(code(&rig.send(0, move_medium(1000, 500))), (4, 0x15, 0x01));
}

#[test]
fn faults_can_be_narrowed_skipped_kept_and_cleared() {
    let mut rig = rig();
    rig.device.inject(Fault::sense(SenseKey::AbortedCommand, 0x44, 0x00).from(at(1001)).always());
    rig.device.inject(Fault::sense(SenseKey::AbortedCommand, 0x45, 0x00).on_move().after(1));
    rig.device.inject(Fault::sense(SenseKey::AbortedCommand, 0x46, 0x00).lun(2));
    rig.moves(1000, 500);
    assert_eq!(code(&rig.send(0, move_medium(1002, 501))), (0xB, 0x45, 0x00));
    for _ in 0..3 {
        assert_eq!(code(&rig.send(0, move_medium(1001, 501))), (0xB, 0x44, 0x00));
    }
    assert_eq!(code(&rig.send(2, ready())), (0xB, 0x46, 0x00));
    rig.device.clear_faults();
    rig.moves(1001, 501);
}

#[test]
fn a_hold_before_the_effect_keeps_the_arm_and_everything_in_place() {
    let mut rig = slow();
    let hold = rig.device.hold(Hold::opcode(0xA5));
    let key = rig.start(0, move_medium(1000, 500));
    let next = rig.start(0, move_medium(1001, 501));
    rig.pass(100 * SECOND);
    assert_eq!((rig.device.held(hold), rig.find("VT0001L8"), rig.ended(key)), (1, Some(1000), None));
    good(rig.send(0, ready()));
    let now = rig.now();
    rig.device.release(now, hold);
    assert_eq!(rig.end_of(key) - now, 20 * SECOND);
    assert_eq!(rig.end_of(next) - now, 40 * SECOND, "a hold that is released stops nothing more");
}

#[test]
fn a_hold_after_the_effect_keeps_only_the_answer() {
    let mut rig = slow();
    let hold = rig.device.hold(Hold::all().on_move().after_effect().times(1));
    let key = rig.start(0, move_medium(1000, 500));
    let next = rig.start(0, move_medium(1001, 501));
    good(rig.answer(next));
    assert_eq!((rig.device.held(hold), rig.find("VT0001L8"), rig.ended(key)), (1, Some(500), None));
    let now = rig.now();
    rig.device.release(now, hold);
    good(rig.answer(key));
    assert_eq!(rig.end_of(key), now);
}

#[test]
fn a_held_status_command_is_answered_as_things_are_at_its_release() {
    let mut rig = rig();
    let hold = rig.device.hold(Hold::next());
    let look = rig.start(0, read(None).cdb());
    rig.moves(1000, 500);
    rig.device.release(Duration::ZERO, hold);
    let data = good(rig.answer(look));
    let status = autochanger_scsi::ElementStatus::parse(&data).unwrap();
    assert!(status.elements().any(|element| element.address() == at(500) && element.full()));
}

#[test]
fn a_held_command_that_is_aborted_never_happens() {
    let mut rig = rig();
    let hold = rig.device.hold(Hold::opcode(0xA5));
    let key = rig.start(0, move_medium(1000, 500));
    rig.device.abort(Duration::ZERO, 0);
    rig.device.release(Duration::ZERO, hold);
    rig.pass(SECOND);
    assert_eq!((rig.ended(key), rig.find("VT0001L8")), (Some(&Outcome::Lost), Some(1000)));
    rig.moves(1000, 500);
}
