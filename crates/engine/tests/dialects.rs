//! What products mean by codes of their own, and what that makes of requests, drives and elements.

use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::request::{FailureKind, FaultOf, State, Wanted};
use autochanger_engine::view::{LibraryError, LibraryState};
use autochanger_scsi::ElementCondition;
use autochanger_sim::{Device, Fault, Library, SenseKey, Timing};
use autochanger_world::{World, dismount, inventory, mount};

const TAPE: &str = "VT0001L8";
const HOUR: Duration = Duration::from_secs(3600);
const ELEMENTS: u8 = 0xB8;

const EXABYTE: (&str, &str) = ("EXABYTE", "Magnum 1x7");
const IBM: (&str, &str) = ("IBM", "03584L32");
const BDT: (&str, &str) = ("IBM", "3573-TL");
const NEO: (&str, &str) = ("OVERLAND", "NEO Series");
const STK: (&str, &str) = ("STK", "L700");
const SPECTRA: (&str, &str) = ("SPECTRA", "PYTHON");
const SCALAR: (&str, &str) = ("QUANTUM", "Scalar i6000");
const NOBODY: (&str, &str) = ("NOBODY", "NOTHING");

fn library((vendor, product): (&str, &str)) -> Device {
    Library::new()
        .vendor(vendor)
        .product(product)
        .slots(10)
        .drives(2)
        .ports(1)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

fn ready(product: (&str, &str)) -> World {
    let world = World::ready(library(product));
    assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
    world
}

#[track_caller]
fn passes(world: &mut World, wanted: Wanted, what: &str) {
    let id = world.submit(wanted).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{what}: {}", world.state(id));
    world.assert_true();
}

/// How the mount ends of which this is said.
fn mount_ends(product: (&str, &str), fault: Fault) -> (World, FailureKind, String) {
    let mut world = ready(product);
    world.device.inject(fault.on_move());
    let id = world.submit(mount(TAPE)).unwrap();
    world.rest();
    match world.state(id) {
        State::Failed(failure) => (world, failure.kind, failure.to_string()),
        other => panic!("{other}"),
    }
}

/// What a library says while somebody is at it.
const BUSY: [((&str, &str), u8, u8); 8] = [
    (EXABYTE, 0x04, 0x89),
    (EXABYTE, 0x04, 0x8D),
    (EXABYTE, 0x04, 0x8E),
    (STK, 0x04, 0x81),
    (NEO, 0x80, 0x01),
    (IBM, 0x04, 0x83),
    (NOBODY, 0x04, 0x89),
    (NOBODY, 0x04, 0x03),
];

#[test]
fn a_move_that_meets_somebody_at_the_library_is_made_when_that_is_over() {
    for (product, asc, ascq) in BUSY {
        let what = format!("{product:?} {asc:02X}/{ascq:02X}");
        let mut world = ready(product);
        world.device.inject(Fault::sense(SenseKey::NotReady, asc, ascq).lun(0).lasting(HOUR));
        let begun = world.now;
        passes(&mut world, mount(TAPE), &what);
        assert!(world.now - begun >= HOUR, "{what}");
        assert_eq!(world.device.moves_done(), 1, "{what}");
    }
}

#[test]
fn a_lost_answer_is_not_given_up_while_somebody_is_at_the_library() {
    for (product, asc, ascq) in BUSY {
        for effect in [true, false] {
            let what = format!("{product:?} {asc:02X}/{ascq:02X}");
            let mut world = ready(product);
            let lost = Fault::lost_reply();
            world.device.inject(if effect { lost.on_move() } else { lost.without_effect().on_move() });
            // From the second look on: the first may have seen that the cartridge has arrived.
            world.device.inject(Fault::sense(SenseKey::NotReady, asc, ascq).on(0x00).lun(0).lasting(HOUR));
            world.device.inject(Fault::sense(SenseKey::NotReady, asc, ascq).on(ELEMENTS).lasting(HOUR));
            passes(&mut world, mount(TAPE), &what);
            assert_eq!(world.device.moves_done(), 1, "{what}");
        }
    }
}

#[test]
fn a_library_that_waits_for_a_person_says_in_its_own_words_what_for_and_is_sent_nothing_meanwhile() {
    let mut world = ready(STK);
    world.device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x81).lun(0).lasting(HOUR));
    world.disk_held = true;
    let first = world.mount(TAPE);
    let second = world.mount("VT0002L8");
    world.release_disk();
    world.until("it is told", |world| match &*world.engine.view().libraries()[0].state {
        LibraryState::Unusable(LibraryError::Unfit { what, .. }) => what.contains("in maintenance mode"),
        _ => false,
    });
    assert_eq!(world.device.moves_sent(), 1);
    world.rest();
    for id in [first, second] {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    let doubted = |kind: &EventKind| matches!(kind, EventKind::MotionInDoubt { why, .. } if why.contains("in maintenance mode"));
    assert_eq!(world.events.iter().filter(|event| doubted(&event.kind)).count(), 1);
    assert_eq!(world.device.moves_sent(), 3);
    world.assert_true();
}

#[test]
fn an_inventory_waits_while_somebody_is_at_the_panel() {
    for (product, asc, ascq) in [(EXABYTE, 0x04, 0x8D), (NEO, 0x80, 0x01), (NOBODY, 0x04, 0x91)] {
        let mut world = ready(product);
        let busy = Fault::sense(SenseKey::NotReady, asc, ascq).on(ELEMENTS).after(2);
        world.device.inject(busy.lasting(Duration::from_secs(200)));
        passes(&mut world, inventory(), &format!("{product:?}"));
    }
}

#[test]
fn what_the_robot_and_a_drive_have_with_each_other_is_the_drives_fault() {
    for ascq in 0..=3 {
        let (world, kind, _) = mount_ends(NOBODY, Fault::sense(SenseKey::HardwareError, 0x08, ascq).always());
        assert_eq!(kind, FailureKind::DriveFault);
        let blamed =
            |kind: &EventKind| matches!(kind, EventKind::Fault { fault, .. } if fault.of == FaultOf::Drive);
        assert!(world.events.iter().any(|event| blamed(&event.kind)));
    }
    let (_, kind, text) = mount_ends(EXABYTE, Fault::sense(SenseKey::IllegalRequest, 0x3B, 0x87).always());
    assert_eq!(kind, FailureKind::DriveFault);
    assert!(text.contains("stuck in the drive"), "{text}");
}

#[test]
fn the_same_code_is_the_robots_on_one_library_and_the_mediums_on_another() {
    let fault = || Fault::sense(SenseKey::HardwareError, 0x3B, 0xA0).always();
    let (_, kind, text) = mount_ends(BDT, fault());
    assert_eq!(kind, FailureKind::LibraryFault);
    assert!(text.contains("04/3B/A0 (the robot is full)"), "{text}");
    let (_, kind, text) = mount_ends(SCALAR, fault());
    assert_eq!(kind, FailureKind::Incompatible);
    assert!(text.contains("04/3B/A0 (the cartridge's type does not suit the element)"), "{text}");
}

#[test]
fn an_element_that_cannot_be_used_is_told_as_that_and_the_library_is_read_before_the_next_move() {
    for (product, ascs) in [
        (NOBODY, [(0x3B, 0x11), (0x3B, 0x18)]),
        (IBM, [(0x3B, 0x81), (0x3B, 0x1A)]),
        (EXABYTE, [(0x80, 0x05), (0x80, 0x06)]),
    ] {
        for (asc, ascq) in ascs {
            let what = format!("{product:?} {asc:02X}/{ascq:02X}");
            let (mut world, kind, _) = mount_ends(product, Fault::sense(SenseKey::IllegalRequest, asc, ascq));
            assert_eq!(kind, FailureKind::NotAccessible, "{what}");
            let reads = |world: &World| {
                let of_slots = |cdb: &[u8]| cdb.first() == Some(&ELEMENTS) && cdb.get(1) == Some(&0x12);
                world.device.log().filter(|entry| of_slots(entry.cdb())).count()
            };
            // Once when it was opened, for two looks, and everything again.
            assert!(reads(&world) > 2 + 2, "{what}: {}", reads(&world));
            passes(&mut world, mount(TAPE), &what);
        }
    }
}

#[test]
fn a_position_that_the_robot_missed_is_tried_once_more() {
    let mishap = || Fault::sense(SenseKey::HardwareError, 0x15, 0x01);
    let mut world = ready(NOBODY);
    world.device.inject(mishap().on_move());
    passes(&mut world, mount(TAPE), "one");
    assert_eq!(world.device.moves_sent(), 2);
    let (world, kind, _) = mount_ends(NOBODY, mishap().times(2));
    assert_eq!(kind, FailureKind::LibraryFault);
    assert_eq!(world.device.moves_sent(), 2);
}

#[test]
fn a_drive_that_wants_to_be_told_to_load_is_told_once() {
    let mut world = ready(NOBODY);
    world.device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x02).on(0x00).lun(1).times(3));
    passes(&mut world, mount(TAPE), "04/02");
    let is_load = |cdb: &[u8]| cdb.first() == Some(&0x1B) && cdb.get(4) == Some(&1);
    assert_eq!(world.device.log().filter(|entry| is_load(entry.cdb())).count(), 1);
    passes(&mut world, dismount(TAPE), "out again");
}

#[test]
fn what_a_code_says_of_an_element_depends_on_who_says_it() {
    use ElementCondition::*;
    for (product, asc, ascq, expected) in [
        (EXABYTE, 0x83, 0x02, NoMagazine),
        (SPECTRA, 0x83, 0x02, Reserved),
        (("IBM", "3576-MTL"), 0x83, 0x02, LabelSuspect),
        (BDT, 0x83, 0x00, NotScanned),
        (NOBODY, 0x83, 0x00, LabelMissing),
        (NOBODY, 0x99, 0x01, Exception(autochanger_scsi::AdditionalSense::new(0x99, 0x01))),
    ] {
        let mut device = library(product);
        device.inject(Fault::exception(1009, asc, ascq));
        device.inject(Fault::exception(501, 0x83, 0x04));
        let world = World::ready(device);
        let slots = world.engine.view().slots(None);
        let told = |address| slots.iter().find(|slot| slot.element.address.0 == address).unwrap().condition;
        assert_eq!((told(1009), told(1008)), (Some(expected), None), "{product:?} {asc:02X}/{ascq:02X}");
        let drives = world.engine.view().drives(None);
        let told = |address| drives.iter().find(|drive| drive.element.0 == address).unwrap().condition;
        assert_eq!((told(501), told(500)), (Some(NoDrive), None));
    }
}
