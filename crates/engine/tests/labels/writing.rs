//! What is written on a medium, and on which never unasked.

use autochanger_engine::label::FreeLabel;
use autochanger_engine::request::{FailureKind, LabelFound, Place, State};
use autochanger_scsi::ElementType;
use autochanger_sim::{Fault, Record, SenseKey, Status};
use autochanger_world::World;

use super::{
    READ, TAPE, WRITE, block, cartridge, failed, found, free, identify, is_in_slot, library, sent, vol1,
    with_tape,
};

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
