//! What is written on media: read, written, and held against what is recorded, on a simulated library in virtual time.

use std::sync::Arc;

use autochanger_engine::catalog::{Cartridge, Label};
use autochanger_engine::id::RequestId;
use autochanger_engine::input::Verify;
use autochanger_engine::label::FreeLabel;
use autochanger_engine::output::SubmitError;
use autochanger_engine::request::{
    CancelError, Cancellation, FailureKind, InventoryMethod, LabelFound, Outcome, Place, ServiceTarget,
    State, Wanted,
};
use autochanger_engine::{EventKind, catalog::Service};
use autochanger_scsi::ElementType;
use autochanger_sim::{Device, Fault, Hold, Library, Record, SenseKey, Status, Timing};
use autochanger_world::{World, dismount, mount};

const TAPE: &str = "VT0001L8";
const REWIND: u8 = 0x01;
const READ: u8 = 0x08;
const WRITE: u8 = 0x0A;
const FILEMARKS: u8 = 0x10;
const UNLOAD: u8 = 0x1B;

fn library() -> Device {
    Library::new()
        .slots(10)
        .drives(2)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

/// A library whose first tape carries this.
fn with_tape(recording: Vec<Record>) -> Device {
    let mut device = library();
    assert!(device.set_recording(TAPE, recording));
    device
}

fn block(bytes: &[u8]) -> Vec<Record> {
    vec![Record::Block(bytes.to_vec()), Record::Filemark, Record::Block(b"somebody's data".to_vec())]
}

fn vol1(volume: &str, implementation: &str) -> Vec<u8> {
    let label = format!("VOL1{volume:<6}L{:13}{implementation:<13}{:42}4", "", "");
    assert_eq!(label.len(), 80);
    label.into_bytes()
}

fn label(format: &str, id: &str) -> Label {
    Label { format: format.into(), id: Arc::from(id.as_bytes()), description: "".into() }
}

fn identify(barcode: &str) -> Wanted {
    Wanted::Identify { cartridge: barcode.into(), keep: false }
}

fn kept(barcode: &str) -> Wanted {
    Wanted::Identify { cartridge: barcode.into(), keep: true }
}

fn free(barcode: &str, overwrite: bool) -> Wanted {
    Wanted::WriteFreeLabel { cartridge: barcode.into(), overwrite }
}

fn update(barcode: &str, label: Label) -> Wanted {
    Wanted::UpdateLabel { cartridge: barcode.into(), label }
}

fn cartridge(world: &World) -> Cartridge {
    world.disk.cartridges.values().find(|it| it.barcode.as_deref() == Some(TAPE)).expect("is known").clone()
}

fn found(world: &World, id: RequestId) -> LabelFound {
    match world.state(id) {
        State::Passed(Outcome::Identified { found }) => found,
        other => panic!("{other}"),
    }
}

fn failed(world: &World, id: RequestId) -> FailureKind {
    match world.state(id) {
        State::Failed(failure) => failure.kind,
        other => panic!("{other}"),
    }
}

fn is_in_slot(world: &World) -> bool {
    world.device.find(TAPE).is_some_and(|place| (1000..1010).contains(&place.0))
}

fn changes_told(world: &World) -> usize {
    world.events.iter().filter(|event| matches!(event.kind, EventKind::LabelChanged { .. })).count()
}

fn sent(world: &World, opcode: u8) -> usize {
    world.device.log().filter(|entry| entry.unit.lun != 0 && entry.cdb().first() == Some(&opcode)).count()
}

/// Reads the first tape's label, and the world afterwards.
fn identified(device: Device) -> (World, RequestId) {
    let mut world = World::ready(device);
    let id = world.submit(identify(TAPE)).unwrap();
    world.rest();
    (world, id)
}

#[test]
fn each_kind_of_medium_is_told_from_the_others_and_goes_back_to_its_slot() {
    let ours = FreeLabel { medium: uuid::Uuid::from_u128(5), created: autochanger_engine::time::WallTime(7) };
    let cases = [
        (vec![], LabelFound::Blank, None),
        (
            block(&vol1("VT0001", "LTFS")),
            LabelFound::Known(label("LTFS", "VT0001")),
            Some(label("LTFS", "VT0001")),
        ),
        (block(&vol1("AB1", "X")), LabelFound::Known(label("ANSI", "AB1")), Some(label("ANSI", "AB1"))),
        (block(&ours.to_block()), LabelFound::Free(ours.to_label()), Some(ours.to_label())),
        (block(b"who knows"), LabelFound::Unrecognized, None),
        (block(&[7; 100_000]), LabelFound::Unrecognized, None),
        (vec![Record::Filemark], LabelFound::Unrecognized, None),
    ];
    for (recording, expected, recorded) in cases {
        let device = with_tape(recording.clone());
        let home = device.find(TAPE);
        let (world, id) = identified(device);
        assert_eq!(found(&world, id), expected);
        assert_eq!(cartridge(&world).label, recorded);
        assert_eq!(world.device.find(TAPE), home);
        assert_eq!(world.device.recording(TAPE), Some(&recording[..]), "nothing was written");
        assert_eq!((world.device.moves_sent(), world.engine.view().mounts().len()), (2, 0));
        world.assert_true();
    }
}

#[test]
fn what_is_damaged_or_encrypted_is_unreadable_and_not_changed() {
    for (key, asc, ascq) in [
        (SenseKey::MediumError, 0x11, 0x00),
        (SenseKey::MediumError, 0x30, 0x02),
        (SenseKey::DataProtect, 0x74, 0x00),
        (SenseKey::BlankCheck, 0x14, 0x03),
    ] {
        let mut world = World::ready(with_tape(block(&vol1("VT0001", "LTFS"))));
        world.submit(update(TAPE, label("LTFS", "VT0001"))).unwrap();
        world.device.inject(Fault::sense(key, asc, ascq).on(READ));
        let id = world.submit(identify(TAPE)).unwrap();
        world.rest();
        assert_eq!(found(&world, id), LabelFound::Unreadable, "{key:?} {asc:02X}/{ascq:02X}");
        assert_eq!(cartridge(&world).label, Some(label("LTFS", "VT0001")));
        assert_eq!(changes_told(&world), 0);
        assert!(is_in_slot(&world));
    }
}

#[test]
fn a_medium_that_is_to_be_kept_stays_in_its_drive_until_the_drive_is_needed() {
    let mut world = World::ready(library());
    let id = world.submit(kept(TAPE)).unwrap();
    world.rest();
    assert_eq!(found(&world, id), LabelFound::Blank);
    assert!(!is_in_slot(&world));
    assert_eq!(world.device.moves_sent(), 1);
    let mounts = [world.mount("VT0002L8"), world.mount("VT0003L8")];
    world.rest();
    assert!(mounts.iter().all(|id| matches!(world.state(*id), State::Passed(_))));
    assert!(is_in_slot(&world));
    world.assert_true();
}

#[test]
fn an_unexpected_label_is_told_and_what_was_recorded_stays() {
    let mut world = World::ready(with_tape(block(&vol1("VT0001", "LTFS"))));
    world.submit(update(TAPE, label("mine", "42"))).unwrap();
    let id = world.submit(identify(TAPE)).unwrap();
    world.rest();
    assert_eq!(found(&world, id), LabelFound::Known(label("LTFS", "VT0001")));
    assert_eq!(cartridge(&world).label, Some(label("mine", "42")));
    assert_eq!(changes_told(&world), 1);
}

#[test]
fn another_description_of_the_same_label_is_the_same_medium() {
    let mut world = World::with(with_tape(block(&vol1("VT0001", "LTFS"))), |config| {
        config.libraries[0].verify = Verify::Label;
    });
    world.rest();
    let recorded = Label { description: "the one in the blue box".into(), ..label("LTFS", "VT0001") };
    world.submit(update(TAPE, recorded.clone())).unwrap();
    let id = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    assert_eq!(changes_told(&world), 0);
    assert_eq!(cartridge(&world).label, Some(recorded));
}

#[test]
fn a_blank_medium_becomes_a_free_one_and_is_one_when_it_is_read_again() {
    let mut world = World::ready(library());
    let written = world.submit(free(TAPE, false)).unwrap();
    world.rest();
    let LabelFound::Free(label) = found(&world, written) else { panic!("{}", world.state(written)) };
    assert_eq!(label.format.as_ref(), FreeLabel::FORMAT);
    assert_eq!(cartridge(&world).label, Some(label.clone()));
    let recording = world.device.recording(TAPE).unwrap();
    assert!(
        matches!(recording, [Record::Block(block), Record::Filemark] if block.len() == 512),
        "{recording:?}"
    );
    let read = world.submit(identify(TAPE)).unwrap();
    world.rest();
    assert_eq!(found(&world, read), LabelFound::Free(label.clone()));
    // Free media are written anew without being asked twice, each time with another id.
    let again = world.submit(free(TAPE, false)).unwrap();
    world.rest();
    assert!(matches!(found(&world, again), LabelFound::Free(other) if other != label));
    assert!(is_in_slot(&world));
    world.assert_true();
}

#[test]
fn somebodys_data_is_overwritten_only_when_that_was_asked_for() {
    for recording in [block(&vol1("VT0001", "LTFS")), block(b"who knows"), vec![Record::Filemark]] {
        let mut world = World::ready(with_tape(recording.clone()));
        let refused = world.submit(free(TAPE, false)).unwrap();
        world.rest();
        assert_eq!(failed(&world, refused), FailureKind::NotFree);
        assert_eq!(world.device.recording(TAPE), Some(&recording[..]));
        assert!(is_in_slot(&world));
        let State::Failed(failure) = world.state(refused) else { panic!() };
        assert!(matches!(failure.place, Some(Place::Element(it)) if it.kind == ElementType::Storage));
        let written = world.submit(free(TAPE, true)).unwrap();
        world.rest();
        assert!(matches!(found(&world, written), LabelFound::Free(_)));
        assert_eq!(world.device.recording(TAPE).map(<[_]>::len), Some(2));
        world.assert_true();
    }
}

#[test]
fn what_cannot_be_read_is_not_overwritten_unasked() {
    let mut world = World::ready(library());
    world.device.inject(Fault::sense(SenseKey::DataProtect, 0x74, 0x00).on(READ));
    let id = world.submit(free(TAPE, false)).unwrap();
    world.rest();
    assert_eq!(failed(&world, id), FailureKind::NotFree);
    assert_eq!(sent(&world, WRITE), 0);
}

#[test]
fn a_write_protected_medium_fails_as_such_and_goes_back() {
    let mut device = library();
    device.write_protect(TAPE, true);
    let mut world = World::ready(device);
    let id = world.submit(free(TAPE, true)).unwrap();
    world.rest();
    assert_eq!(failed(&world, id), FailureKind::WriteProtected);
    assert_eq!(cartridge(&world).label, None);
    assert!(is_in_slot(&world));
    world.assert_true();
}

#[test]
fn a_free_label_that_was_cut_off_is_nobodys_data_and_is_written_again() {
    let whole =
        FreeLabel { medium: uuid::Uuid::from_u128(5), created: autochanger_engine::time::WallTime(7) }
            .to_block();
    let mut world = World::ready(with_tape(vec![Record::Block(whole[..100].to_vec())]));
    let id = world.submit(free(TAPE, false)).unwrap();
    world.rest();
    assert!(matches!(found(&world, id), LabelFound::Free(_)));
}

#[test]
fn what_the_drive_says_it_wrote_is_believed_only_when_it_is_read() {
    let mut world = World::ready(library());
    world.device.inject(Fault::status(Status::Good).on(WRITE));
    let id = world.submit(free(TAPE, false)).unwrap();
    world.rest();
    assert!(matches!(found(&world, id), LabelFound::Free(_)), "it is written again");
    assert!(matches!(world.device.recording(TAPE), Some([Record::Block(_), Record::Filemark])));

    let mut world = World::ready(library());
    world.device.inject(Fault::status(Status::Good).on(WRITE).always());
    let id = world.submit(free(TAPE, false)).unwrap();
    world.rest();
    assert_eq!(failed(&world, id), FailureKind::MediumFault);
    assert_eq!(cartridge(&world).label, None);
    assert!(is_in_slot(&world));
}

#[test]
fn a_lost_answer_or_an_attention_begins_again_from_the_beginning_of_the_tape() {
    for fault in [
        || Fault::lost_reply(),
        || Fault::lost_reply().without_effect(),
        || Fault::not_delivered(),
        || Fault::sense(SenseKey::UnitAttention, 0x29, 0x00),
        || Fault::sense(SenseKey::AbortedCommand, 0x4B, 0x00),
    ] {
        for opcode in [REWIND, READ, WRITE, FILEMARKS] {
            for meeting in 0..3 {
                // The second block is a label, too: whoever reads on instead of anew is found out.
                let tape = vec![Record::Block(vol1("VT0001", "LTFS")), Record::Block(vol1("VT0002", "LTFS"))];
                let mut world = World::ready(with_tape(tape));
                world.device.inject(fault().on(opcode).after(meeting));
                let id = world.submit(identify(TAPE)).unwrap();
                world.rest();
                assert_eq!(found(&world, id), LabelFound::Known(label("LTFS", "VT0001")));
                let id = world.submit(free(TAPE, true)).unwrap();
                world.rest();
                let LabelFound::Free(label) = found(&world, id) else { panic!() };
                let recording = world.device.recording(TAPE).unwrap();
                let [Record::Block(block), Record::Filemark] = recording else { panic!("{recording:?}") };
                assert_eq!(FreeLabel::parse(block).map(|free| free.to_label()), Some(label));
                world.assert_true();
            }
        }
    }
}

#[test]
fn a_drive_that_fails_at_reading_fails_the_request_and_gives_the_medium_back() {
    let mut world = World::ready(library());
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(READ));
    let id = world.submit(identify(TAPE)).unwrap();
    world.rest();
    assert_eq!(failed(&world, id), FailureKind::DriveFault);
    assert!(is_in_slot(&world));
    world.assert_true();
}

#[test]
fn a_cleaning_cartridge_is_never_loaded_to_be_identified() {
    let device = Library::new().slots(4).drives(1).cartridges("CLN{:03}L1", 1..=1).build();
    let mut world = World::ready(device);
    for wanted in [identify("CLN001L1"), free("CLN001L1", true)] {
        assert!(matches!(world.submit(wanted), Err(SubmitError::Incompatible { .. })));
    }
    assert_eq!(world.device.moves_sent(), 0);
}

#[test]
fn an_open_medium_is_not_identified_for_anybody() {
    let mut world = World::ready(library());
    world.mount(TAPE);
    world.rest();
    assert!(matches!(world.submit(identify(TAPE)), Err(SubmitError::OwnMediaOpen { .. })));
}

#[test]
fn an_identification_waits_for_a_drive_and_gets_the_next_one() {
    let mut world = World::ready(library());
    world.mount("VT0002L8");
    world.mount("VT0003L8");
    world.rest();
    let id = world.submit(identify(TAPE)).unwrap();
    let later = world.mount("VT0004L8");
    world.rest();
    assert!(matches!(world.state(id), State::Queued));
    world.submit(dismount("VT0002L8")).unwrap();
    world.rest();
    assert_eq!(found(&world, id), LabelFound::Blank);
    assert!(matches!(world.state(later), State::Passed(Outcome::Mounted { .. })));
    world.assert_true();
}

fn verifying(device: Device) -> World {
    let mut world = World::with(device, |config| config.libraries[0].verify = Verify::Label);
    world.rest();
    world
}

#[test]
fn a_mount_that_is_held_against_the_label_records_it_at_first_and_refuses_another_one_later() {
    let mut world = verifying(with_tape(block(&vol1("VT0001", "LTFS"))));
    let first = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(first), State::Passed(Outcome::Mounted { .. })));
    assert_eq!(cartridge(&world).label, Some(label("LTFS", "VT0001")));
    world.submit(dismount(TAPE)).unwrap();
    world.rest();
    let second = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(second), State::Passed(Outcome::Mounted { .. })), "unchanged");
    world.submit(dismount(TAPE)).unwrap();
    world.rest();
    for (n, other) in [block(&vol1("OTHER", "LTFS")), vec![], block(b"who knows")].into_iter().enumerate() {
        world.device.set_recording(TAPE, other);
        let wrong = world.mount(TAPE);
        world.rest();
        assert_eq!(failed(&world, wrong), FailureKind::WrongLabel);
        assert_eq!(changes_told(&world), n + 1);
        assert!(is_in_slot(&world));
        assert_eq!(cartridge(&world).label, Some(label("LTFS", "VT0001")));
        assert_eq!(world.engine.view().mounts().len(), 0);
    }
    world.assert_true();
}

#[test]
fn an_unreadable_label_does_not_keep_a_mount_from_passing() {
    let mut world = verifying(with_tape(block(&vol1("VT0001", "LTFS"))));
    world.submit(update(TAPE, label("LTFS", "VT0001"))).unwrap();
    world.device.inject(Fault::sense(SenseKey::DataProtect, 0x74, 0x00).on(READ));
    let id = world.mount(TAPE);
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })));
}

#[test]
fn a_mount_by_barcode_reads_nothing_from_the_tape() {
    let mut world = World::ready(with_tape(block(&vol1("VT0001", "LTFS"))));
    world.mount(TAPE);
    world.rest();
    assert_eq!((sent(&world, READ), sent(&world, REWIND)), (0, 0));
    assert_eq!(cartridge(&world).label, None);
}

fn own_inventories(world: &World) -> usize {
    let requests = world.disk.requests.values();
    let own =
        |wanted: &Wanted| matches!(wanted, Wanted::Inventory { method: Some(InventoryMethod::Fast), .. });
    requests.filter(|it| &*it.application == "autochanger" && own(&it.wanted)).count()
}

#[test]
fn after_a_wrong_label_the_inventory_is_read_unless_that_is_switched_off() {
    for on in [true, false] {
        let device = with_tape(block(&vol1("OTHER", "LTFS")));
        let mut world = World::with(device, |config| {
            config.libraries[0].verify = Verify::Label;
            config.libraries[0].auto_recovery = on;
        });
        world.rest();
        world.submit(update(TAPE, label("LTFS", "VT0001"))).unwrap();
        let id = world.mount(TAPE);
        world.rest();
        assert_eq!(failed(&world, id), FailureKind::WrongLabel);
        assert_eq!(own_inventories(&world), usize::from(on));
        assert!(
            world.device.log().all(|entry| entry.cdb().first() != Some(&0x07)),
            "no INITIALIZE ELEMENT STATUS"
        );
    }
}

#[test]
fn after_a_mount_that_hardware_failed_the_inventory_is_read_once() {
    let mut world = World::ready(library());
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move().always());
    let ids = [world.mount(TAPE), world.mount("VT0002L8")];
    world.rest();
    assert!(ids.iter().all(|id| failed(&world, *id) == FailureKind::LibraryFault));
    assert!((1..=2).contains(&own_inventories(&world)), "{}", own_inventories(&world));
}

/// Stops at the first command of that kind to a drive.
fn held_at(world: &mut World, opcode: u8) -> autochanger_sim::HoldId {
    let hold = world.device.hold(Hold::opcode(opcode));
    world.until("it is held", |world| world.device.held(hold) > 0);
    hold
}

fn let_go(world: &mut World, hold: autochanger_sim::HoldId) {
    let now = world.now;
    world.device.release(now, hold);
    // What it had stopped has an answer now.
    world.wait_until(now);
    world.rest();
}

#[test]
fn a_cancel_while_the_label_is_read_stops_it_there_with_the_medium_in_the_drive() {
    for (wanted, opcode) in [(identify(TAPE), READ), (free(TAPE, false), WRITE)] {
        let mut world = World::ready(library());
        let id = world.submit(wanted).unwrap();
        let hold = held_at(&mut world, opcode);
        assert_eq!(world.cancel(id), Some(Ok(Cancellation::Stopping)));
        let_go(&mut world, hold);
        let State::Stopped { place: Some(Place::Element(place)), .. } = world.state(id) else {
            panic!("{}", world.state(id))
        };
        assert_eq!(place.kind, ElementType::Drive);
        assert_eq!(world.device.moves_sent(), 1);
        world.assert_true();
    }
}

#[test]
fn a_cancel_in_the_last_step_comes_too_late() {
    // The label of a medium that is kept in its drive.
    let mut world = World::ready(library());
    let id = world.submit(kept(TAPE)).unwrap();
    let hold = held_at(&mut world, READ);
    assert!(matches!(world.cancel(id), Some(Err(CancelError::InProgress { .. }))));
    let_go(&mut world, hold);
    assert_eq!(found(&world, id), LabelFound::Blank);
    // The way back.
    let mut world = World::ready(library());
    let id = world.submit(identify(TAPE)).unwrap();
    world.until("it is on its way back", |world| world.device.moves_sent() == 2);
    assert!(matches!(world.cancel(id), Some(Err(CancelError::InProgress { .. }))));
    world.rest();
    assert_eq!(found(&world, id), LabelFound::Blank);
    assert!(is_in_slot(&world));
}

#[test]
fn a_cancel_on_the_way_to_the_drive_or_at_the_unload_stops_it_at_the_next_step() {
    let mut world = World::ready(library());
    let id = world.submit(identify(TAPE)).unwrap();
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Stopping)));
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }));
    assert_eq!(sent(&world, READ), 0);

    let mut world = World::ready(library());
    let id = world.submit(identify(TAPE)).unwrap();
    let hold = held_at(&mut world, UNLOAD);
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Stopping)));
    let_go(&mut world, hold);
    assert!(matches!(world.state(id), State::Stopped { .. }));
    assert_eq!(world.device.moves_sent(), 1);
    world.assert_true();
}

#[test]
fn a_cancel_before_anything_was_sent_moves_nothing() {
    let mut world = World::ready(library());
    world.mount("VT0002L8");
    world.mount("VT0003L8");
    world.rest();
    let id = world.submit(identify(TAPE)).unwrap();
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Cancelled)));
    world.rest();
    assert!(matches!(world.state(id), State::Cancelled { .. }));
    assert_eq!(world.device.moves_sent(), 2);
}

#[test]
fn a_verified_mount_that_is_stopped_while_its_label_is_read_leaves_the_medium_to_nobody() {
    let mut world = verifying(library());
    let id = world.mount(TAPE);
    let hold = held_at(&mut world, READ);
    assert_eq!(world.cancel(id), Some(Ok(Cancellation::Stopping)));
    let_go(&mut world, hold);
    assert!(matches!(world.state(id), State::Stopped { .. }));
    assert_eq!(world.engine.view().mounts().len(), 0);
}

/// Steps of time that pass while the disk keeps what it is given to itself: it stalls, and then the power goes.
const STALLED: usize = 3;

/// Tells a request's story again and again, with the power going one step of time later each time: once with all that was
/// decided on the disk, and once with what the last steps decided lost.
fn crashed_at_each_step(
    device: impl Fn() -> Device,
    wanted: &Wanted,
    verify: Verify,
    check: impl Fn(&World, RequestId),
) {
    for steps in 0.. {
        let mut over = false;
        for stalled in [0, STALLED] {
            let mut world = World::with(device(), |config| config.libraries[0].verify = verify);
            world.rest();
            let id = world.submit(wanted.clone()).unwrap();
            over = !(0..steps).all(|_| world.step());
            world.disk_held = stalled > 0;
            (0..stalled).all(|_| world.step());
            world.crash();
            world.rest();
            if matches!(world.state(id), State::Waiting(_)) {
                world.adopt(id);
                world.rest();
            }
            check(&world, id);
            world.assert_true();
        }
        if over {
            assert!(steps > 5, "nothing was crashed into");
            return;
        }
    }
}

#[test]
fn an_identification_survives_a_power_loss_at_each_step() {
    let device = || with_tape(block(&vol1("VT0001", "LTFS")));
    crashed_at_each_step(device, &identify(TAPE), Verify::Barcode, |world, id| {
        assert_eq!(found(world, id), LabelFound::Known(label("LTFS", "VT0001")));
        assert!(is_in_slot(world));
    });
    crashed_at_each_step(device, &kept(TAPE), Verify::Barcode, |world, id| {
        assert_eq!(found(world, id), LabelFound::Known(label("LTFS", "VT0001")));
    });
}

#[test]
fn the_writing_of_a_free_label_survives_a_power_loss_at_each_step() {
    crashed_at_each_step(library, &free(TAPE, false), Verify::Barcode, |world, id| {
        let LabelFound::Free(label) = found(world, id) else { panic!("{}", world.state(id)) };
        let Some([Record::Block(block), Record::Filemark]) = world.device.recording(TAPE) else { panic!() };
        assert_eq!(FreeLabel::parse(block).map(|free| free.to_label()), Some(label.clone()));
        assert_eq!(cartridge(world).label, Some(label));
        assert!(is_in_slot(world));
    });
}

#[test]
fn a_refusal_survives_a_power_loss_at_each_step() {
    let device = || with_tape(block(b"who knows"));
    crashed_at_each_step(device, &free(TAPE, false), Verify::Barcode, |world, id| {
        assert_eq!(failed(world, id), FailureKind::NotFree);
        assert!(is_in_slot(world));
        assert_eq!(world.device.recording(TAPE), Some(&block(b"who knows")[..]));
    });
}

#[test]
fn a_verified_mount_survives_a_power_loss_at_each_step() {
    let device = || with_tape(block(&vol1("VT0001", "LTFS")));
    crashed_at_each_step(device, &mount(TAPE), Verify::Label, |world, id| {
        assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
        assert_eq!(cartridge(world).label, Some(label("LTFS", "VT0001")));
    });
}

#[test]
fn a_library_that_is_drained_waits_for_the_medium_to_be_back() {
    let mut world = World::ready(library());
    let id = world.submit(identify(TAPE)).unwrap();
    let hold = held_at(&mut world, READ);
    let target = ServiceTarget::Library(None);
    let drain = world.submit(Wanted::SetService { target, service: Service::Draining }).unwrap();
    assert!(!world.state(drain).is_final());
    let_go(&mut world, hold);
    assert_eq!(found(&world, id), LabelFound::Blank);
    assert!(matches!(world.state(drain), State::Passed(_)));
    assert!(is_in_slot(&world));
}
