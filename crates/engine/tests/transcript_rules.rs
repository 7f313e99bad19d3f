//! What holds for every transcript: it is the same for the same story, it stays on its lines, and it tells no secrets.

use std::time::Duration;

use autochanger_engine::catalog::{Caller, Identity, LibraryRecord, MotionRecord, MotionState, Role};
use autochanger_engine::command::{Command, Completion};
use autochanger_engine::id::{
    BatchId, CartridgeId, CommandId, Device as DevicePath, LibraryId, LibraryIndex, Path, RequestId, Route,
    SessionId,
};
use autochanger_engine::input::StoreFailure;
use autochanger_engine::request::{Access, ElementName, Wanted};
use autochanger_engine::time::{Now, WallTime};
use autochanger_engine::transcript::{Kind, LINE_MAX, Line, Transcript};
use autochanger_engine::{Change, Config, Input, LibraryConfig, Output, Snapshot};
use autochanger_scsi::{Cdb, ElementAddress, ElementType, MoveMedium, Status};
use autochanger_sim::{Fault, Library, Timing};
use autochanger_world::{World, dismount, inventory, mount};
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
    assert!(batch.text.ends_with("; 894 more changes"), "{batch}");
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

/// The last line that holds the words.
fn last<'a>(world: &'a World, words: &str) -> &'a Line {
    let found = world.tape.lines.iter().rev().find(|line| line.text.contains(words));
    found.unwrap_or_else(|| panic!("no line says {words:?}:\n{}", world.tape.text()))
}

#[test]
fn cartridges_without_labels_are_numbered_as_they_appear() {
    let device = described().slots(4).drives(1).unlabelled_at(1001).unlabelled_at(1002).build();
    let mut world = World::ready(device);
    assert_eq!(last(&world, "is in slot").text, "c2 is in slot 1002");
    let batch = last(&world, "; c2 is in slot");
    assert_eq!(batch.text, "batch 2: c1 is in slot 1001; c2 is in slot 1002; drive 500 is enabled");
    assert!(batch.aside.starts_with("c1 = ") && batch.aside.contains(", c2 = "), "{batch}");
    let cartridge = world.disk.cartridges.values().find(|known| known.barcode.is_none()).unwrap().id;
    let wanted = Wanted::Mount { cartridge: cartridge.into(), drive: None, access: Access::Read };
    world.submit(wanted).unwrap();
    let asked = last(&world, "r1: mount c");
    assert!(asked.text.ends_with(" to read for test, session 1"), "{asked}");
}

#[test]
fn an_exchange_reads_as_what_goes_where() {
    let device = described().slots(4).drives(1).cartridges("VT{:04}L8", 1..=2).build();
    let mut world = World::with(device, |config| config.libraries[0].exchange = true);
    world.rest();
    world.mount("VT0001L8");
    world.rest();
    world.mount("VT0002L8");
    world.dismount("VT0001L8");
    world.rest();
    let exchange = last(&world, "EXCHANGE MEDIUM slot");
    assert!(
        exchange.text.ends_with(": EXCHANGE MEDIUM slot 1001 to drive 500, what is there to slot 1000"),
        "{exchange}"
    );
}

#[test]
fn where_there_are_two_libraries_a_line_says_of_which_it_speaks() {
    let config = Config::new(vec![LibraryConfig::new("near"), LibraryConfig::new("far")]);
    let identity = |serial: &str| Identity {
        vendor: "V".into(),
        product: "P".into(),
        revision: "1".into(),
        serial: serial.into(),
    };
    let far = LibraryId(Uuid::from_u128(9));
    let snapshot =
        Snapshot { libraries: vec![LibraryRecord::new(far, identity("F"))], ..Snapshot::default() };
    let mut transcript = Transcript::new();
    let started = transcript.started(&config, &snapshot, at_zero());
    assert_eq!(started.text, "with near, far; nothing in the store");
    for (index, serial) in [(0, "N"), (1, "F")] {
        let claim = Output::Claim { library: LibraryIndex(index), identity: identity(serial) };
        transcript.output(&claim, at_zero()).unwrap();
    }
    let element = |kind, address| ElementName { kind, address: ElementAddress(address) };
    let intent = MotionRecord {
        request: RequestId(Uuid::from_u128(1)),
        sequence: 1,
        library: far,
        cartridge: CartridgeId(Uuid::from_u128(2)),
        source: element(ElementType::ImportExport, 10),
        destination: element(ElementType::Storage, 1000),
        at: WallTime(0),
        state: MotionState::Open,
    };
    let output = Output::Persist { batch: BatchId(1), changes: vec![Change::Motion(intent)] };
    let line = transcript.output(&output, at_zero()).unwrap();
    assert_eq!(line.text, "batch 1: r1 moves c1 from port 10 to slot 1000 of far, intent 1");
}

#[test]
fn arbitrary_commands_and_answers_make_one_line_of_bounded_length() {
    // A generator of its own, so that a failure repeats.
    let mut state = 1_u64;
    let mut roll = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let mut transcript = Transcript::new();
    for n in 0..20_000 {
        let mut bytes: Vec<u8> = (0..16).map(|_| roll()).collect();
        // Half of the commands are those whose data are read.
        if let Some(opcode) = [0xB8, 0x12, 0xA5, 0x1A].get(usize::from(roll()) % 8) {
            bytes[0] = *opcode;
        }
        let Some(cdb) = Cdb::from_bytes(&bytes) else { continue };
        let device = if roll() % 2 == 0 { DevicePath::Changer } else { DevicePath::Sibling(1) };
        let path = Path { library: LibraryIndex(0), device, route: Route(0) };
        let command = Command::new(cdb, Duration::from_secs(1));
        let mut lines =
            vec![transcript.output(&Output::Execute { path, id: CommandId(n), command }, at_zero())];
        let data: Vec<u8> = (0..roll()).map(|_| roll() & 0x8F).collect();
        let sense: Vec<u8> = (0..roll() % 32).map(|_| roll()).collect();
        let status = Status::from(roll() & 0x02);
        let result = Ok(Completion { status, sense: sense.into(), data: data.into(), residual: 0 });
        lines.push(transcript.input(&Input::Completed { command: CommandId(n), result }, at_zero()));
        for line in lines.into_iter().flatten() {
            assert!(line.text.len() <= LINE_MAX && !line.text.contains(char::is_control), "{line:?}");
        }
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
    let path = Path { library: LibraryIndex(0), device: DevicePath::Changer, route: Route(0) };
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
    let path = Path { library: LibraryIndex(0), device: DevicePath::Changer, route: Route(0) };
    let line =
        Transcript::new().output(&Output::Execute { path, id: CommandId(1), command }, at_zero()).unwrap();
    assert!(line.text.ends_with(": MOVE MEDIUM element 1000 to element 500 by element 1"), "{line}");
}
