//! What a cancel answers while a label is read.

use autochanger_engine::request::{CancelAccepted, CancelError, LabelFound, Place, State};
use autochanger_scsi::ElementType;
use autochanger_world::World;

use super::{
    READ, TAPE, WRITE, found, free, held_at, identify, is_in_slot, kept, let_go, library, sent, verifying,
};

const UNLOAD: u8 = 0x1B;

#[test]
fn a_cancel_while_the_label_is_read_stops_it_there_with_the_medium_in_the_drive() {
    for (wanted, opcode) in [(identify(TAPE), READ), (free(TAPE, false), WRITE)] {
        let mut world = World::ready(library());
        let id = world.submit(wanted).unwrap();
        let hold = held_at(&mut world, opcode);
        assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
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
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }));
    assert_eq!(sent(&world, READ), 0);

    let mut world = World::ready(library());
    let id = world.submit(identify(TAPE)).unwrap();
    let hold = held_at(&mut world, UNLOAD);
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
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
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Cancelled)));
    world.rest();
    assert!(matches!(world.state(id), State::Cancelled { .. }));
    assert_eq!(world.device.moves_sent(), 2);
}

#[test]
fn a_verified_mount_that_is_stopped_while_its_label_is_read_leaves_the_medium_to_nobody() {
    let mut world = verifying(library());
    let id = world.mount(TAPE);
    let hold = held_at(&mut world, READ);
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
    let_go(&mut world, hold);
    assert!(matches!(world.state(id), State::Stopped { .. }));
    assert_eq!(world.engine.view().mounts().len(), 0);
}
