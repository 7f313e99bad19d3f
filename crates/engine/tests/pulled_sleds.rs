//! Sleds that are pulled while a step with the drive is under way, at every one of its commands: another drive answers then, with
//! another tape. Nothing is written there, nothing unloaded, and the step goes on with its own drive.

#[path = "pulled_sleds/between.rs"]
mod between;

use std::time::Duration;

use autochanger_engine::id::RequestId;
use autochanger_engine::label::FreeLabel;
use autochanger_engine::request::{CancelAccepted, FailureKind, LabelFound, Outcome, State, Wanted};
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Answer, Device, Fault, Key, Library, Outcome as Ended, Record, Status, Timing};
use autochanger_world::{Bug, World, mount_in};

/// The tape that is asked for; it gets the first drive.
const TAPE: &str = "VT0001L8";
/// Somebody's, mounted in the second drive all the time.
const OTHER: &str = "VT0002L8";
const CLEANER: &str = "CLN001L8";
const FIRST: ElementAddress = ElementAddress(500);
const SECOND: ElementAddress = ElementAddress(501);
const INQUIRY: u8 = 0x12;

/// How the sleds change their bays.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Hands {
    /// The command in flight has been answered.
    Between,
    /// The command in flight has no answer.
    InFlight,
    /// As [`Between`](Self::Between), and another program has heard what the drives and the changer had to say.
    Unheard,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Write,
    Overwrite,
    Read,
    Unload,
    Clean,
}

fn data(of: &str) -> Vec<Record> {
    vec![Record::Block(format!("data of {of}").into_bytes()), Record::Filemark]
}

fn library() -> Device {
    // Each command takes its time, so that hands can come between any two.
    let mut timing = Timing::midrange();
    timing.command = Duration::from_millis(100);
    let library = Library::new().slots(12).drives(2).cartridges("VT{:04}L8", 1..=4).timing(timing);
    let mut device = library.cleaning_cartridge(CLEANER).build();
    for barcode in [OTHER, "VT0003L8", "VT0004L8"] {
        assert!(device.set_recording(barcode, data(barcode)));
    }
    device
}

fn passed(world: &mut World, wanted: Wanted) -> RequestId {
    let id = world.submit(wanted).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    id
}

struct Begun {
    world: World,
    /// The mount of somebody's tape in the second drive.
    other: RequestId,
    id: RequestId,
    /// How many commands the first drive had had before.
    before: usize,
}

/// The request is handed in.
fn begun(step: Step) -> Begun {
    begun_in(World::ready(library()), step)
}

fn begun_in(mut world: World, step: Step) -> Begun {
    let other = passed(&mut world, mount_in(OTHER, SECOND.0));
    if step == Step::Overwrite || step == Step::Read {
        assert!(world.device.set_recording(TAPE, data(TAPE)));
    }
    let wanted = match step {
        Step::Write | Step::Overwrite => {
            Wanted::WriteFreeLabel { cartridge: TAPE.into(), overwrite: step == Step::Overwrite }
        }
        Step::Read => Wanted::Identify { cartridge: TAPE.into(), keep: false },
        Step::Unload => {
            passed(&mut world, mount_in(TAPE, FIRST.0));
            Wanted::Dismount { cartridge: TAPE.into(), slot: None, force: false }
        }
        Step::Clean => Wanted::CleanDrive { library: None, drive: FIRST },
    };
    let before = sent(&world).len();
    let id = world.submit(wanted).unwrap();
    Begun { world, other, id, before }
}

/// The commands that the drive in the first bay has had.
fn sent(world: &World) -> Vec<u8> {
    world.device.log().filter(|it| it.unit.lun == 1).filter_map(autochanger_sim::LogEntry::opcode).collect()
}

/// What the unit answers to TEST UNIT READY when nothing else goes on.
fn answer(world: &mut World, lun: u16) -> Answer {
    let now = world.now;
    let key = world.device.submit(now, lun, &[0; 6], &[], 0);
    world.now += Duration::from_secs(1);
    let ended = world.device.0[0].advance(world.now);
    match ended.into_iter().find(|(ended, _)| *ended == key) {
        Some((_, Ended::Answered(answer))) => answer,
        other => panic!("{other:?}"),
    }
}

/// Whether it could be done: where a drive is at work, only a hand that asks nobody pulls it.
fn pulled(world: &mut World, hands: Hands) -> bool {
    match hands {
        Hands::InFlight => world.device.swap_drives_at_work(FIRST, SECOND).is_ok(),
        Hands::Between => world.device.swap_drives(FIRST, SECOND).is_ok(),
        Hands::Unheard => {
            let pulled = world.device.swap_drives(FIRST, SECOND).is_ok();
            let now = world.now;
            // Each of the units has two things to tell, which are told when the command arrives.
            for lun in [0, 0, 1, 1, 2, 2].into_iter().filter(|_| pulled) {
                let _: Key = world.device.submit(now, lun, &[0; 6], &[], 0);
            }
            pulled
        }
    }
}

/// Changes the bays after each command to the drive in turn, and looks what comes of it; how many of these moments there were.
fn at_every_command(step: Step, hands: Hands, judge: impl Fn(&World, RequestId, &str)) -> usize {
    let mut moments = 0;
    for n in 1.. {
        let Begun { mut world, other, id, before } = begun(step);
        while sent(&world).len() < before + n && !world.state(id).is_final() && world.step() {}
        if world.state(id).is_final() {
            return moments;
        }
        let last = sent(&world).last().copied().unwrap();
        // A robot that is on its way takes what it finds; and when nobody has heard anything, nothing helps against hands that are
        // faster than the command that follows the question.
        let too_late = hands == Hands::Unheard && last == INQUIRY;
        if world.device.moves_sent() > world.device.moves_done() || too_late || !pulled(&mut world, hands) {
            continue;
        }
        moments += 1;
        let what = format!("{step:?}, {hands:?} after command {n}, {last:02X}h");
        world.rest();
        assert!(world.state(id).is_final(), "{what}: {}", world.state(id));
        for barcode in [OTHER, "VT0003L8", "VT0004L8"] {
            assert_eq!(world.device.recording(barcode).unwrap(), data(barcode), "{what}: {barcode}");
        }
        // Somebody's tape is where somebody has it, threaded, and the manager knows.
        let mounts = world.engine.view().mounts();
        let mount =
            mounts.iter().find(|mount| mount.id == other).unwrap_or_else(|| panic!("{what}: no mount"));
        assert_eq!((mount.drive, world.device.find(OTHER)), (FIRST, Some(FIRST)), "{what}");
        while answer(&mut world, 1).sense.get(2) == Some(&6) {}
        assert_eq!(answer(&mut world, 1).status, Status::Good, "{what}");
        judge(&world, id, &what);
        world.assert_true();
    }
    unreachable!()
}

fn is_labelled(world: &World) -> bool {
    let first = world.device.recording(TAPE).and_then(|recording| recording.first());
    matches!(first, Some(Record::Block(block)) if FreeLabel::parse(block).is_some())
}

#[track_caller]
fn label_is_written(step: Step, hands: Hands, least: usize) {
    let moments = at_every_command(step, hands, |world, id, what| {
        let free =
            matches!(world.state(id), State::Passed(Outcome::Identified { found: LabelFound::Free(_) }));
        assert!(free && is_labelled(world), "{what}: {}", world.state(id));
        is_home(world, TAPE, what);
    });
    assert!(moments >= least, "{step:?}, {hands:?}: {moments} moments");
}

#[track_caller]
fn is_home(world: &World, barcode: &str, what: &str) {
    let place = world.device.find(barcode).map(|place| place.0);
    assert!(place.is_some_and(|place| (1000..1012).contains(&place)), "{what}: {barcode} is in {place:?}");
}

#[test]
fn a_label_is_written_on_its_own_tape_whenever_the_sleds_change_their_bays() {
    label_is_written(Step::Write, Hands::Between, 19);
    label_is_written(Step::Overwrite, Hands::Between, 19);
}

#[test]
fn a_label_is_written_on_its_own_tape_when_the_answer_is_lost_with_the_sled() {
    label_is_written(Step::Write, Hands::InFlight, 39);
    label_is_written(Step::Overwrite, Hands::InFlight, 39);
}

#[test]
fn a_label_is_written_on_its_own_tape_when_somebody_else_has_heard_the_attentions() {
    label_is_written(Step::Write, Hands::Unheard, 10);
    label_is_written(Step::Overwrite, Hands::Unheard, 10);
}

#[test]
fn a_label_is_read_from_its_own_tape_whenever_the_sleds_change_their_bays() {
    for (hands, least) in [(Hands::Between, 9), (Hands::InFlight, 29), (Hands::Unheard, 5)] {
        let moments = at_every_command(Step::Read, hands, |world, id, what| {
            // What is on it is nobody's format.
            let state = world.state(id);
            let found = State::Passed(Outcome::Identified { found: LabelFound::Unrecognized });
            assert_eq!(state, found, "{what}");
            is_home(world, TAPE, what);
        });
        assert!(moments >= least, "{hands:?}: {moments} moments");
    }
}

#[test]
fn a_drive_is_unloaded_of_its_own_medium_whenever_the_sleds_change_their_bays() {
    for (hands, least) in [(Hands::Between, 1), (Hands::InFlight, 2)] {
        let moments = at_every_command(Step::Unload, hands, |world, id, what| {
            let state = world.state(id);
            assert!(matches!(state, State::Passed(Outcome::Dismounted { .. })), "{what}: {state}");
            is_home(world, TAPE, what);
        });
        assert!(moments >= least, "{hands:?}: {moments} moments");
    }
}

#[test]
fn the_drive_that_was_cleaned_is_told_from_the_one_that_came_into_its_bay() {
    for (hands, least) in [(Hands::Between, 4), (Hands::InFlight, 40)] {
        let moments = at_every_command(Step::Clean, hands, |world, id, what| {
            let state = world.state(id);
            assert!(matches!(state, State::Passed(Outcome::Cleaned { .. })), "{what}: {state}");
            let drives = world.engine.view().drives(None);
            let cleaned =
                drives.iter().filter(|drive| drive.last_cleaned.is_some()).map(|drive| drive.element);
            assert_eq!(cleaned.collect::<Vec<_>>(), [SECOND], "{what}");
            is_home(world, CLEANER, what);
        });
        assert!(moments >= least, "{hands:?}: {moments} moments");
    }
}

#[test]
fn without_the_question_somebodys_tape_would_be_written() {
    let mut harmed = 0;
    for n in 1..40 {
        let mut world = World::ready(library());
        world.plant(Some(Bug::DriveNotIdentified));
        let Begun { mut world, before, .. } = begun_in(world, Step::Overwrite);
        while sent(&world).len() < before + n && world.step() {}
        if pulled(&mut world, Hands::Between) {
            while world.device.recording(OTHER) == Some(&data(OTHER)) && world.step() {}
            harmed += usize::from(world.device.recording(OTHER) != Some(&data(OTHER)));
        }
    }
    assert!(harmed > 0);
}

#[test]
fn a_drive_that_is_taken_away_with_its_tape_takes_nothing_from_the_one_that_comes() {
    for n in 1.. {
        let Begun { mut world, other, id, before } = begun(Step::Overwrite);
        while sent(&world).len() < before + n && !world.state(id).is_final() && world.step() {}
        if world.state(id).is_final() {
            assert!(n > 40, "{n}");
            return;
        }
        if world.device.moves_sent() > world.device.moves_done() {
            continue;
        }
        let gone = world.device.pull_drive(FIRST, "ANOTHER001").unwrap();
        world.rest();
        let State::Failed(failure) = world.state(id) else { panic!("{n}: {}", world.state(id)) };
        // The robot may have been about to take it.
        let missed = matches!(failure.kind, FailureKind::CartridgeMissing | FailureKind::SourceEmpty);
        assert!(missed && gone.as_deref() == Some(TAPE), "{n}: {failure}");
        assert_eq!(world.device.recording(OTHER).unwrap(), data(OTHER), "{n}");
        assert_eq!(world.engine.view().mounts().iter().map(|mount| mount.id).collect::<Vec<_>>(), [other]);
        world.assert_true();
    }
}

#[test]
fn a_drive_that_came_back_before_it_was_missed_is_the_same() {
    for n in [12, 16, 20, 24, 28] {
        let Begun { mut world, id, before, .. } = begun(Step::Overwrite);
        while sent(&world).len() < before + n && world.step() {}
        for _ in 0..2 {
            world.device.swap_drives_at_work(FIRST, SECOND).unwrap();
        }
        world.rest();
        assert!(matches!(world.state(id), State::Passed(_)) && is_labelled(&world), "{}", world.state(id));
        assert_eq!(world.device.recording(OTHER).unwrap(), data(OTHER), "{n}");
        world.assert_true();
    }
}

#[test]
fn drives_that_never_stay_where_they_are_end_a_step_after_some_attempts() {
    let Begun { mut world, id, .. } = begun(Step::Overwrite);
    world.until("it is loaded", |world| world.device.find(TAPE) == Some(FIRST));
    let mut labels = 0;
    while !world.state(id).is_final() {
        // As soon as one is asked for something about the tape, the other one is there.
        let rewinds = world.device.log().filter(|it| it.opcode() == Some(0x01)).count();
        if rewinds > labels {
            labels = rewinds;
            world.device.swap_drives_at_work(FIRST, SECOND).unwrap();
        }
        assert!(world.step(), "{}", world.state(id));
    }
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::PathLost, "{failure}");
    assert!(
        failure.message.contains("00001 when a") && failure.message.contains("00002 answers"),
        "{failure}"
    );
    world.rest();
    assert_eq!(world.device.recording(OTHER).unwrap(), data(OTHER));
    world.assert_true();
}
