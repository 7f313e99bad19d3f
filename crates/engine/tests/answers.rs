//! What the ending of a command says: remarks of devices that have done it, sense data of earlier commands, and operations that
//! are still in progress.

use std::time::Duration;

use autochanger_engine::request::{LabelFound, Outcome, State, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_engine::{Event, EventKind};
use autochanger_scsi::Sense;
use autochanger_sim::{Device, Fault, Library, Quirk as Switch, Record, SenseKey, Timing};
use autochanger_world::{World, dismount, inventory, mount};

const TAPE: &str = "VT0001L8";
const READY: u8 = 0x00;
const READ: u8 = 0x08;
const UNLOAD: u8 = 0x1B;
const PREVENT: u8 = 0x1E;
const ELEMENTS: u8 = 0xB8;
const LOG_SENSE: u8 = 0x4D;

fn library() -> Library {
    Library::new().slots(60).drives(1).ports(2).cartridges("VT{:04}L8", 1..=50).timing(Timing::midrange())
}

fn ready(device: Device) -> World {
    let world = World::ready(device);
    assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
    world
}

/// Sense data of an earlier command.
fn deferred(key: SenseKey, asc: u8, ascq: u8) -> Fault {
    Fault::sense_data(Sense { deferred: true, ..Sense::new(key, asc, ascq) })
}

fn in_progress() -> Fault {
    Fault::sense(SenseKey::NoSense, 0x00, 0x16)
}

fn sent(world: &World, opcode: u8) -> usize {
    world.device.log().filter(|entry| entry.cdb().first() == Some(&opcode)).count()
}

#[track_caller]
fn passes(world: &mut World, wanted: Wanted) -> Outcome {
    let id = world.submit(wanted).unwrap();
    world.rest();
    match world.state(id) {
        State::Passed(outcome) => outcome,
        other => panic!("{other}"),
    }
}

/// Everything is read, and no label is lost.
#[track_caller]
fn sees_everything(world: &mut World, what: &str) {
    let outcome = passes(world, inventory());
    let Outcome::Inventoried { cartridges, missing, .. } = outcome else { panic!("{what}: {outcome:?}") };
    assert_eq!((cartridges, missing), (50, 0), "{what}");
    assert_eq!(world.engine.view().libraries()[0].quirks, [autochanger_engine::Quirk::FewElementsReported]);
    world.assert_true();
}

#[test]
fn a_move_that_an_operation_in_progress_kept_back_is_not_taken_for_done_and_is_asked_for_again() {
    let mut world = ready(library().build());
    world.device.inject(in_progress().on_move());
    passes(&mut world, mount(TAPE));
    assert_eq!((world.device.moves_sent(), world.device.moves_done()), (2, 1));
    world.assert_true();
}

#[test]
fn a_move_with_a_remark_that_nobody_knows_is_looked_into_and_one_that_was_recovered_is_done() {
    for (fault, reads) in [
        (Fault::sense(SenseKey::NoSense, 0x00, 0x1D).after_effect(), true),
        (Fault::sense(SenseKey::RecoveredError, 0x15, 0x01).after_effect(), false),
        (Fault::sense(SenseKey::RecoveredError, 0x5D, 0x00).after_effect(), false),
        (Fault::sense(SenseKey::HardwareError, 0x5D, 0x10).after_effect(), false),
    ] {
        let mut world = ready(library().build());
        world.device.inject(fault.on_move());
        let before = sent(&world, ELEMENTS);
        passes(&mut world, mount(TAPE));
        assert_eq!(world.device.moves_sent(), 1);
        assert_eq!(sent(&world, ELEMENTS) > before, reads);
        world.assert_true();
    }
}

#[test]
fn a_report_that_waits_for_an_operation_in_progress_is_waited_for() {
    for after in [0, 1, 3] {
        let mut device = library().quirk(Switch::MaxElementsPerReport(16)).build();
        device.inject(in_progress().on(ELEMENTS).after(after).times(4));
        let mut world = ready(device);
        sees_everything(&mut world, "at open");
        world.device.inject(in_progress().on(ELEMENTS).after(after).times(4));
        sees_everything(&mut world, "later");
        assert_eq!(world.device.pending_faults(), 0);
    }
}

#[test]
fn a_drive_with_an_operation_in_progress_is_not_ready() {
    for fault in
        [in_progress(), deferred(SenseKey::NoSense, 0, 0), deferred(SenseKey::HardwareError, 0x44, 0)]
    {
        let mut world = ready(library().build());
        world.device.inject(fault.on(READY).lun(1).times(5));
        passes(&mut world, mount(TAPE));
        assert_eq!(world.device.pending_faults(), 0);
    }
}

#[test]
fn sense_data_of_an_earlier_command_end_no_inventory() {
    for (key, asc, ascq) in [
        (SenseKey::NoSense, 0x00, 0x00),
        (SenseKey::RecoveredError, 0x15, 0x01),
        (SenseKey::HardwareError, 0x44, 0x00),
        (SenseKey::IllegalRequest, 0x21, 0x01),
    ] {
        for after in [0, 2, 4] {
            let fault = || deferred(key, asc, ascq).on(ELEMENTS).after(after).times(3);
            let mut device = library().quirk(Switch::MaxElementsPerReport(16)).build();
            device.inject(fault());
            let mut world = ready(device);
            world.device.inject(fault());
            sees_everything(&mut world, &format!("{key:?} {asc:02X}/{ascq:02X} after {after}"));
        }
    }
}

#[test]
fn sense_data_of_an_earlier_command_without_end_are_no_inventory() {
    let mut world = ready(library().quirk(Switch::MaxElementsPerReport(16)).build());
    world.device.inject(deferred(SenseKey::IllegalRequest, 0x21, 0x01).on(ELEMENTS).after(3).times(40));
    let id = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Failed(_)), "{}", world.state(id));
    world.device.clear_faults();
    sees_everything(&mut world, "afterwards");
}

#[test]
fn a_remark_without_the_report_that_it_should_come_with_is_no_report() {
    let mut world = ready(library().quirk(Switch::MaxElementsPerReport(16)).build());
    world.device.inject(Fault::sense(SenseKey::RecoveredError, 0x15, 0x01).on(ELEMENTS).after(3).times(3));
    sees_everything(&mut world, "no data");
    // And one that comes with it is.
    let remark = Fault::sense(SenseKey::RecoveredError, 0x15, 0x01).after_effect();
    world.device.inject(remark.on(ELEMENTS).after(3).times(2));
    let before = sent(&world, ELEMENTS);
    sees_everything(&mut world, "with data");
    let usual = sent(&world, ELEMENTS) - before;
    sees_everything(&mut world, "as usual");
    assert_eq!(sent(&world, ELEMENTS) - before, 2 * usual);
}

#[test]
fn sense_data_of_an_earlier_command_say_nothing_of_a_tape() {
    let label = format!("VOL1{:<6}L{:13}{:<13}{:42}4", "VT0001", "", "LTFS", "").into_bytes();
    for (key, asc, ascq) in [
        (SenseKey::BlankCheck, 0x00, 0x05),
        (SenseKey::MediumError, 0x11, 0x00),
        (SenseKey::NoSense, 0x00, 0x00),
        (SenseKey::RecoveredError, 0x17, 0x00),
    ] {
        let mut device = library().build();
        assert!(device.set_recording(TAPE, vec![Record::Block(label.clone())]));
        let mut world = ready(device);
        world.device.inject(deferred(key, asc, ascq).on(READ).lun(1));
        let outcome = passes(&mut world, Wanted::Identify { cartridge: TAPE.into(), keep: false });
        let known = matches!(&outcome, Outcome::Identified { found: LabelFound::Known(_) });
        assert!(known, "{key:?} {asc:02X}/{ascq:02X}: {outcome:?}");
        assert_eq!(sent(&world, READ), 2);
    }
}

#[test]
fn an_unload_that_was_recovered_or_foretells_a_failure_has_unloaded() {
    for fault in [
        Fault::sense(SenseKey::RecoveredError, 0x00, 0x00),
        Fault::sense(SenseKey::RecoveredError, 0x37, 0x00),
        Fault::sense(SenseKey::NoSense, 0x00, 0x00),
        Fault::sense(SenseKey::HardwareError, 0x5D, 0x10),
    ] {
        let mut world = ready(library().build());
        passes(&mut world, mount(TAPE));
        world.device.inject(fault.after_effect().on(UNLOAD).lun(1));
        passes(&mut world, dismount(TAPE));
        assert_eq!(sent(&world, UNLOAD), 1);
        world.assert_true();
    }
}

#[test]
fn an_unload_that_heard_of_something_else_is_sent_again() {
    for fault in
        [deferred(SenseKey::MediumError, 0x0C, 0x00), deferred(SenseKey::NoSense, 0, 0), in_progress()]
    {
        let mut world = ready(library().build());
        passes(&mut world, mount(TAPE));
        world.device.inject(fault.on(UNLOAD).lun(1));
        passes(&mut world, dismount(TAPE));
        assert_eq!(sent(&world, UNLOAD), 2);
        world.assert_true();
    }
}

#[test]
fn a_lock_of_which_nothing_was_said_is_asked_for_again() {
    let mut device = library().build();
    device.inject(deferred(SenseKey::RecoveredError, 0x15, 0x01).on(PREVENT));
    let mut world = World::with(device, |config| config.libraries[0].lock_ports = true);
    world.until("it is ready", |world| *world.engine.view().libraries()[0].state == LibraryState::Ready);
    world.rest();
    assert_eq!(sent(&world, PREVENT), 2);
}

#[test]
fn sense_data_of_an_earlier_command_are_no_outcome_of_a_cleaning() {
    for (key, ascq) in [(SenseKey::MediumError, 0x07), (SenseKey::MediumError, 0x13)] {
        let mut world = ready(library().cleaning_cartridge("CLN001L8").build());
        world.device.inject(deferred(key, 0x30, ascq).on(READY).lun(1).after(2).times(3));
        let drive = autochanger_scsi::ElementAddress(500);
        let outcome = passes(&mut world, Wanted::CleanDrive { library: None, drive });
        assert!(matches!(outcome, Outcome::Cleaned { .. }), "{outcome:?}");
        assert!(world.now > Duration::from_secs(60));
    }
}

/// What devices were heard to remark: the drive, or none for the changer, and the words.
fn warnings(world: &World) -> Vec<(Option<u16>, String)> {
    let warning = |event: &Event| match &event.kind {
        EventKind::Warning { drive, what, .. } => Some((drive.map(|drive| drive.0), what.clone())),
        _ => None,
    };
    world.events.iter().filter_map(warning).collect()
}

#[test]
fn what_a_device_recovered_from_is_told_once() {
    let mut world = ready(library().build());
    let recovered = || Fault::sense(SenseKey::RecoveredError, 0x15, 0x01).after_effect();
    world.device.inject(recovered().on_move().times(2));
    passes(&mut world, mount(TAPE));
    passes(&mut world, dismount(TAPE));
    assert_eq!(world.device.pending_faults(), 0);
    let [(None, what)] = &warnings(&world)[..] else { panic!("{:?}", warnings(&world)) };
    assert!(what.contains("01/15/01 (mechanical positioning error)"), "{what}");
    let asked = world.device.log().filter(|it| it.unit.lun == 0 && it.opcode() == Some(LOG_SENSE)).count();
    assert_eq!(asked, 0, "nothing says that there is an alert");
}

#[test]
fn a_failure_that_a_device_foretells_has_its_alerts_read_and_told_and_done() {
    let mut world = ready(library().build());
    for flag in [12, 24] {
        world.device.raise_alert(0, flag);
    }
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x5D, 0x10).after_effect().on_move());
    let reads = sent(&world, ELEMENTS);
    passes(&mut world, mount(TAPE));
    let told = warnings(&world);
    assert_eq!(told.len(), 4, "{told:?}");
    for (at, words) in [
        (1, "TapeAlert 12, "),
        (2, "TapeAlert 24, inventory inconsistent (critical); the library is read"),
        (3, "it is paused"),
    ] {
        assert!(told[at].0.is_none() && told[at].1.contains(words), "{:?}", told[at]);
    }
    assert!(sent(&world, ELEMENTS) > reads, "it is read again");
    world.assert_true();
}

#[test]
fn a_drive_that_foretells_a_failure_with_each_answer_is_told_once_with_its_alerts() {
    for opcode in [READY, UNLOAD, LOG_SENSE] {
        let mut world = ready(library().build());
        world.device.raise_alert(1, 31);
        let foretold = Fault::sense(SenseKey::RecoveredError, 0x5D, 0x00).after_effect();
        world.device.inject(foretold.on(opcode).lun(1).always());
        for _ in 0..3 {
            passes(&mut world, mount(TAPE));
            passes(&mut world, dismount(TAPE));
        }
        let told = warnings(&world);
        let of = |words: &str| {
            told.iter().filter(|(drive, what)| *drive == Some(500) && what.contains(words)).count()
        };
        assert_eq!((of("5D/00"), of("TapeAlert 31, "), told.len()), (1, 1, 2), "{opcode:02X}: {told:?}");
        world.assert_true();
    }
}

#[test]
fn a_library_whose_mechanics_failed_is_asked_what_its_trouble_is() {
    let mut world = ready(library().build());
    world.device.raise_alert(0, 8);
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on_move());
    let id = world.submit(mount(TAPE)).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Failed(_)));
    assert!(matches!(&warnings(&world)[..], [(None, what)] if what.contains("TapeAlert 8, ")));
}
