//! What a label that is read says of the medium, and what becomes of the medium then.

use autochanger_engine::catalog::Label;
use autochanger_engine::catalog::Service;
use autochanger_engine::id::RequestId;
use autochanger_engine::input::Verify;
use autochanger_engine::label::FreeLabel;
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{FailureKind, LabelFound, Outcome, ServiceTarget, State, Wanted};
use autochanger_sim::{Device, Fault, Library, Record, SenseKey};
use autochanger_world::{World, dismount};

use super::{
    READ, REWIND, TAPE, WRITE, block, cartridge, changes_told, failed, found, free, held_at, identify,
    is_in_slot, kept, label, let_go, library, update, vol1, with_tape,
};

const FILEMARKS: u8 = 0x10;

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
        assert!(matches!(world.submit(wanted), Err(Refusal::Incompatible { .. })));
    }
    assert_eq!(world.device.moves_sent(), 0);
}

#[test]
fn an_open_medium_is_not_identified_for_anybody() {
    let mut world = World::ready(library());
    world.mount(TAPE);
    world.rest();
    assert!(matches!(world.submit(identify(TAPE)), Err(Refusal::OwnMediaOpen { .. })));
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
