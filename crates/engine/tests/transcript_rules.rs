//! What holds for every transcript: it is the same for the same story, it stays on its lines, and it tells no secrets.

mod harness;

use std::time::Duration;

use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::command::Command;
use autochanger_engine::id::{
    BatchId, CommandId, Device as DevicePath, LibraryIndex, Path, RequestId, SessionId,
};
use autochanger_engine::input::StoreFailure;
use autochanger_engine::time::{Now, WallTime};
use autochanger_engine::transcript::{Kind, LINE_MAX, Line, Transcript};
use autochanger_engine::{Input, Output};
use autochanger_scsi::{Cdb, ElementAddress, MoveMedium};
use autochanger_sim::{Fault, Library, Timing};
use harness::{World, dismount, inventory, mount};
use uuid::Uuid;

/// With a serial number of its own: one that the simulator draws would be another for each library.
fn described() -> Library {
    Library::new().ports(0).serial("SIM-T")
}

/// A story with faults, a crash and a cancel, in which everything takes varying times.
fn rich_story(seed: u64, ids_from: u128) -> World {
    let device = described()
        .slots(10)
        .drives(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .seed(seed)
        .build();
    let mut world = World::ready(device);
    let mut next = ids_from;
    let mut ask = |world: &mut World, wanted| {
        next += 1;
        let id = RequestId(Uuid::from_u128(next));
        world.submit_as(world.caller(), wanted, |submission| submission.id = id).unwrap()
    };
    world.device.inject(Fault::lost_reply().on_move().without_effect());
    ask(&mut world, mount("VT0001L8"));
    let cancelled = ask(&mut world, mount("VT0002L8"));
    ask(&mut world, inventory());
    world.until("a motion is in doubt", |world| world.tape.text().contains(" is in doubt"));
    let _ = world.cancel(cancelled);
    world.crash();
    world.rest();
    ask(&mut world, mount("VT0003L8"));
    world.rest();
    ask(&mut world, dismount("VT0003L8"));
    world.rest();
    world
}

#[test]
fn the_same_seed_has_the_same_transcript_twice_and_another_seed_another() {
    let text = |seed| rich_story(seed, 100).tape.text();
    assert!(text(7).lines().count() > 100, "the story is too short to tell anything");
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
}

#[test]
fn the_same_story_with_other_ids_compares_equal() {
    let comparable = |ids_from| -> Vec<String> {
        rich_story(7, ids_from).tape.lines.iter().map(|line| line.comparable()).collect()
    };
    assert_eq!(comparable(100), comparable(5000));
    assert_ne!(rich_story(7, 100).tape.text(), rich_story(7, 5000).tape.text());
}

#[test]
fn every_move_is_sent_after_a_durable_line_that_follows_its_decision() {
    let world = rich_story(7, 100);
    let lines = &world.tape.lines;
    let is_move = |line: &Line| line.kind == Kind::Sent && line.text.contains(": MOVE MEDIUM ");
    let moves: Vec<usize> = (0..lines.len()).filter(|at| is_move(&lines[*at])).collect();
    assert!(moves.len() >= 4, "the story has {} moves", moves.len());
    for at in moves {
        let (_, way) = lines[at].text.split_once(": MOVE MEDIUM ").unwrap();
        let intent = format!(" from {way}, intent ");
        let decides = |line: &Line| line.kind == Kind::Decided && line.text.contains(&intent);
        let decided = lines[..at].iter().rposition(decides).unwrap_or_else(|| panic!("nobody decided {way}"));
        let (batch, _) = lines[decided].text.split_once(':').unwrap();
        let durable = |line: &Line| line.kind == Kind::Durable && line.text == batch;
        assert!(lines[decided..at].iter().any(durable), "{batch} was not durable before {}", lines[at]);
    }
}

#[test]
fn a_transaction_with_many_changes_is_counted_instead_of_told() {
    let world = World::ready(described().slots(1000).drives(2).cartridges("VT{:04}L8", 1..=900).build());
    let batch = world.tape.lines.iter().find(|line| line.text.contains("VT0001L8 is in slot")).unwrap();
    assert!(batch.text.starts_with("batch 2: VT0001L8 is in slot 1000; "), "{batch}");
    assert!(batch.text.ends_with("; 892 more changes"), "{batch}");
}

#[test]
fn what_callers_write_cannot_forge_or_flood_a_line() {
    let mut world = World::ready(described().cartridges("VT{:04}L8", 1..=2).build());
    let application = format!("x\n+00:00:00.000  sent      command 1{}", "y".repeat(10_000));
    let caller =
        Caller { session: SessionId(1), application: application.as_str().into(), role: Role::Operator };
    world.submit_as(caller, mount("VT0001L8"), |_| {}).unwrap();
    world.rest();
    assert!(world.tape.lines.iter().any(|line| line.text.starts_with(r"r1: mount VT0001L8 for x\n+00")));
    for line in &world.tape.lines {
        assert!(!line.to_string().contains('\n'), "{line}");
        assert!(line.text.len() <= LINE_MAX, "{} bytes", line.text.len());
    }
}

fn at_zero() -> Now {
    Now { monotonic: Duration::ZERO, wall: WallTime(0) }
}

#[test]
fn a_store_that_fails_is_told_with_its_words() {
    let input = Input::Persisted { batch: BatchId(3), result: Err(StoreFailure("the disk is full".into())) };
    let line = Transcript::new().input(&input, at_zero()).unwrap();
    assert_eq!(line.to_string(), "+00:00:00.000  failed    batch 3: the disk is full");
}

#[test]
fn that_time_passed_is_not_worth_a_line() {
    assert_eq!(Transcript::new().input(&Input::Tick, at_zero()), None);
}

#[test]
fn data_for_a_device_are_not_shown() {
    let cdb = Cdb::from_bytes(&[0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0]).unwrap();
    let mut command = Command::new(cdb, Duration::from_secs(1));
    command.data_out = "a reservation key".into();
    let path = Path { library: LibraryIndex(0), device: DevicePath::Changer };
    let line =
        Transcript::new().output(&Output::Execute { path, id: CommandId(1), command }, at_zero()).unwrap();
    assert_eq!(line.text, "command 1 to the changer of library 0: PERSISTENT RESERVE OUT");
}

#[test]
fn elements_go_by_their_number_until_the_library_has_said_what_they_are() {
    let cdb = MoveMedium {
        transport: ElementAddress(1),
        source: ElementAddress(1000),
        destination: ElementAddress(500),
        invert: false,
    };
    let command = Command::new(cdb.cdb(), Duration::from_secs(1));
    let path = Path { library: LibraryIndex(0), device: DevicePath::Changer };
    let line =
        Transcript::new().output(&Output::Execute { path, id: CommandId(1), command }, at_zero()).unwrap();
    assert!(line.text.ends_with(": MOVE MEDIUM element 1000 to element 500 by element 1"), "{line}");
}
