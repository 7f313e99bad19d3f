//! Each quirk is seen in the bytes that a host gets, and reports stay readable.

mod common;

use std::time::Duration;

use autochanger_scsi::{
    Cdb, DriveStatus, ElementStatus, ElementType, ExchangeMedium, InitializeElementStatus,
    InitializeElementStatusWithRange, InitializeElementStatusWithRangeVendor, Inquiry, LoadUnload, LogSense,
    ModeSense6, ModeSense10, MoveMedium, PreventAllowMediumRemoval, ReadElementStatus,
    ReportSupportedOperationCodes, ReportingOptions, RequestSense, TestUnitReady,
};
use autochanger_sim::{Fault, Library, Outcome, Quirk, Timing};
use common::{at, code, good, read, rig_of, stocked};

fn log_sense(page: u8) -> LogSense {
    LogSense { page, allocation: 512, ..LogSense::default() }
}

/// Everything in which quirks show: looks of all kinds, motions, and what is wrong with them.
fn commands() -> Vec<(u16, Cdb)> {
    let status = |element_type| read(Some(element_type));
    let mut commands = vec![(0, TestUnitReady {}.cdb()), (2, TestUnitReady {}.cdb())];
    let codes = ReportSupportedOperationCodes {
        timeouts: true,
        options: ReportingOptions::All,
        opcode: 0,
        service_action: 0,
        allocation: 4096,
    };
    commands.push((0, codes.cdb()));
    commands.extend([0x80, 0xB4].map(|page| (2, Inquiry { vpd: Some(page), allocation: 255 }.cdb())));
    for page in [0x1D, 0x1F] {
        for disable_block_descriptors in [true, false] {
            let six = ModeSense6 { page, disable_block_descriptors, allocation: 255, ..Default::default() };
            let ten = ModeSense10 { page, disable_block_descriptors, allocation: 255, ..Default::default() };
            commands.extend([(0, six.cdb()), (0, ten.cdb())]);
        }
    }
    for kind in ElementType::ALL {
        for (volume_tags, device_ids) in [(true, false), (true, true), (false, true)] {
            commands.push((0, ReadElementStatus { volume_tags, device_ids, ..status(kind) }.cdb()));
        }
    }
    let most = ReadElementStatus { allocation: 0x1_0000, ..status(ElementType::Storage) };
    let beyond = ReadElementStatus { allocation: 0x2_0000, ..status(ElementType::Storage) };
    let odd = ReadElementStatus { start: at(3), ..status(ElementType::Storage) };
    let little = ReadElementStatus { allocation: 100, ..status(ElementType::Storage) };
    commands.extend([most, beyond, odd, little].map(|asked| (0, asked.cdb())));
    let motion = |transport, source, destination| {
        let (transport, source, destination) = (at(transport), at(source), at(destination));
        (0, MoveMedium { transport, source, destination, invert: false }.cdb())
    };
    let unload =
        LoadUnload { immediate: false, load: false, retension: false, end_of_tape: false, hold: false };
    let exchange = ExchangeMedium {
        transport: at(0),
        source: at(1005),
        first_destination: at(500),
        second_destination: at(1006),
        invert_first: false,
        invert_second: false,
    };
    commands.extend([
        motion(1, 1000, 500),
        (0, status(ElementType::Drive).cdb()),
        (1, TestUnitReady {}.cdb()),
        (1, TestUnitReady {}.cdb()),
        (1, log_sense(DriveStatus::PAGE).cdb()),
        motion(0, 500, 1000),
        motion(0, 1000, 500),
        motion(0, 500, 501),
        motion(0, 501, 1000),
        motion(0, 1001, 501),
        (2, TestUnitReady {}.cdb()),
        (2, unload.cdb()),
        (0, status(ElementType::Drive).cdb()),
        motion(0, 501, 1001),
        motion(0, 1002, 1023),
        motion(0, 1003, 999),
        (0, exchange.cdb()),
        (0, RequestSense { descriptor: false, allocation: 252 }.cdb()),
        (0, InitializeElementStatus {}.cdb()),
        (0, InitializeElementStatusWithRange::default().cdb()),
        (0, InitializeElementStatusWithRangeVendor::default().cdb()),
        (0, PreventAllowMediumRemoval { prevent: false }.cdb()),
        (0, status(ElementType::Storage).cdb()),
    ]);
    commands
}

fn library() -> Library {
    stocked().unlabelled_at(1020).cartridge_at(1021, "ALONGLABEL0001L8")
}

/// What a host hears: the outcomes, in order, with their times.
fn heard(quirk: Option<Quirk>) -> Vec<(Duration, Outcome)> {
    let mut timing = Timing::midrange();
    timing.jitter_percent = 0;
    timing.fast_load = false;
    let library = library().ports(0).timing(timing);
    let mut device = quirk.into_iter().fold(library, Library::quirk).build();
    let (mut now, mut heard) = (Duration::ZERO, Vec::new());
    for (lun, cdb) in commands() {
        // The initiator takes less than the largest report, as some do.
        let key = device.submit(now, lun, cdb.as_bytes(), &[], 0x1_0000);
        let outcome = loop {
            if let Some(outcome) = device.take(key) {
                break outcome;
            }
            now = device.next_event().expect("an answer");
            if let Some((_, outcome)) = device.advance(now).into_iter().find(|(ended, _)| *ended == key) {
                break outcome;
            }
        };
        heard.push((now, outcome));
    }
    heard
}

#[test]
fn every_switch_is_heard_by_the_host() {
    let usual = heard(None);
    for &quirk in Quirk::ALL {
        // These need a port, hands, a second initiator or commands side by side; they have tests of their own.
        let elsewhere = matches!(
            quirk,
            Quirk::SlotAlsoPort
                | Quirk::SerializeAll
                | Quirk::NoPortMoves
                | Quirk::NoPortCommand
                | Quirk::PortCommandIsMagazine
                | Quirk::PreventIgnored
                | Quirk::AllowClearsAll
                | Quirk::AttentionOnForeignMove
                | Quirk::SledsAsMediumChange
                | Quirk::RefusesWhileScanning
                | Quirk::LabelsDoubtfulAfterDoor
                | Quirk::ArmKeepsCartridge
                | Quirk::ArmWithoutLabel
        );
        if !elsewhere {
            assert!(heard(Some(quirk)) != usual, "nobody hears of {quirk}");
        }
    }
}

#[test]
fn a_slot_can_be_reported_as_a_port_too() {
    let mut rig = rig_of(stocked().quirk(Quirk::SlotAlsoPort));
    let data = good(rig.send(0, read(Some(ElementType::ImportExport)).cdb()));
    let addresses: Vec<_> =
        ElementStatus::parse(&data).unwrap().elements().map(|it| it.address().0).collect();
    assert_eq!(addresses, [10, 11, 12, 13, 1000]);
}

#[test]
fn switches_can_be_turned_while_the_library_runs() {
    let mut rig = rig_of(stocked());
    let slots = |rig: &mut common::Rig| {
        let data = good(rig.send(0, read(Some(ElementType::Storage)).cdb()));
        ElementStatus::parse(&data).unwrap().elements().count()
    };
    assert_eq!(slots(&mut rig), 24);
    rig.device.quirk(Quirk::AbsentSlots(4));
    assert_eq!(slots(&mut rig), 20);
    rig.device.quirk(Quirk::AbsentSlots(0));
    assert_eq!(slots(&mut rig), 24);
}

#[test]
fn sense_data_that_did_not_come_is_had_by_request_sense() {
    let mut rig = rig_of(stocked());
    rig.device.quirk(Quirk::NoAutosense);
    rig.device.inject(Fault::unit_attention(0, 0x28, 0x00));
    let refused = rig.send(0, common::ready());
    assert!(refused.sense.is_empty());
    let asked = RequestSense { descriptor: false, allocation: 252 }.cdb();
    let sense = |data: &[u8]| autochanger_scsi::Sense::parse(data).map(|sense| sense.code);
    assert_eq!(sense(&good(rig.send(0, asked))), Some(autochanger_scsi::AdditionalSense::new(0x28, 0x00)));
    assert_eq!(sense(&good(rig.send(0, asked))), Some(autochanger_scsi::AdditionalSense::new(0x00, 0x00)));
}

/// A rig whose arm needs ten seconds to pick and ten to place, and one that holds what it did not bring to its goal.
fn rig_with_stuck_arm(quirks: &[Quirk]) -> common::Rig {
    let mut timing = Timing::none();
    (timing.pick, timing.place) = (Duration::from_secs(10), Duration::from_secs(10));
    let library = quirks.iter().fold(stocked().timing(timing), |library, quirk| library.quirk(*quirk));
    let mut rig = rig_of(library.quirk(Quirk::ArmKeepsCartridge));
    let key = rig.start(0, common::move_medium(1001, 1020));
    rig.pass(Duration::from_secs(15));
    rig.device.operator_put(at(1020), "INTRUDER").unwrap();
    assert_eq!(code(&rig.answer(key)), (5, 0x3B, 0x0D));
    assert_eq!(rig.find("VT0002L8"), Some(1), "it stays in the arm although its slot is empty");
    rig.send(0, common::ready());
    rig
}

#[test]
fn an_arm_keeps_what_it_could_not_bring_to_its_goal_until_it_is_told_to_bring_it_away() {
    let mut rig = rig_with_stuck_arm(&[]);
    assert_eq!(code(&rig.send(0, common::move_medium(1002, 500))), (4, 0x15, 0x01), "the arm is full");
    good(rig.send(0, common::move_medium(1, 1001)));
    assert_eq!(rig.find("VT0002L8"), Some(1001));
}

#[test]
fn a_move_that_is_aborted_stops_with_its_cartridge_in_the_arm() {
    let mut timing = Timing::none();
    (timing.pick, timing.place) = (Duration::from_secs(10), Duration::from_secs(10));
    let mut rig = rig_of(stocked().timing(timing).quirk(Quirk::ArmKeepsCartridge));
    for (waits, place) in [(5, 1000), (15, 1)] {
        let key = rig.start(0, common::move_medium(1000, 500));
        rig.pass(Duration::from_secs(waits));
        let now = rig.now();
        rig.device.abort(now, 0);
        assert_eq!(rig.finish(key), Outcome::Lost);
        rig.pass(Duration::from_secs(100));
        assert_eq!(rig.find("VT0001L8"), Some(place));
    }
}

#[test]
fn an_arm_that_is_no_source_keeps_its_cartridge() {
    let mut rig = rig_with_stuck_arm(&[Quirk::NoArmSource]);
    assert_eq!(code(&rig.send(0, common::move_medium(1, 1001))), (5, 0x21, 0x01));
    assert_eq!(rig.find("VT0002L8"), Some(1));
}

#[test]
fn what_is_in_the_arm_can_be_without_its_label() {
    for (quirks, label) in [(&[][..], true), (&[Quirk::ArmWithoutLabel], false)] {
        let mut rig = rig_with_stuck_arm(quirks);
        let data = good(rig.send(0, read(Some(ElementType::Transport)).cdb()));
        let status = ElementStatus::parse(&data).unwrap();
        let arm = status.elements().next().expect("an arm");
        assert!(arm.full());
        assert_eq!(arm.volume_tag().is_some_and(|tag| !tag.identifier().is_empty()), label);
    }
}

#[test]
fn of_two_arms_the_one_that_holds_a_cartridge_brings_it_away() {
    let mut rig = rig_of(stocked().arms(2).cartridge_at(2, "HELD01L8"));
    good(rig.send(0, common::move_medium(2, 1021)));
    assert_eq!(rig.find("HELD01L8"), Some(1021));
}
