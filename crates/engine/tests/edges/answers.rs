//! Devices that fail once, raise attentions without end, are away for a while or belong to somebody else.

use std::time::Duration;

use autochanger_engine::command::{PathFault, PathFaultKind, TransportError};
use autochanger_engine::input::ConfiguredDrive;
use autochanger_engine::request::{FailureKind, State};
use autochanger_engine::view::LibraryState;
use autochanger_scsi::{ElementAddress, SenseKey, Status};
use autochanger_sim::{Fault, Library, Timing};
use autochanger_world::{World, inventory};

use super::library;

#[test]
fn a_library_that_answers_again_after_one_failed_command_is_used_again() {
    let mut world = World::ready(library(1));
    world.withhold_moves = true;
    world.withhold_opcode = 0xB8;
    let _ = world.submit(inventory()).unwrap();
    // iSCSI response 01h, target failure: see src/transport/iscsi/fault.rs, `of_failure`.
    world.answer_withheld(Err(TransportError::OutcomeUnknown(PathFault {
        kind: PathFaultKind::Protocol,
        device: "iscsi:".into(),
        detail: "the target could not carry the command through (iSCSI response 0x01)".into(),
    })));
    world.rest();
    assert_eq!(*world.engine.view().libraries()[0].state, LibraryState::Ready);
}

#[test]
fn a_device_that_raises_attentions_as_it_is_read_does_not_keep_requests_for_ever() {
    let mut timing = Timing::midrange();
    timing.command = Duration::from_secs(1);
    let mut world = World::ready(
        Library::new().slots(10).drives(1).cartridges("VT{:04}L8", 1..=6).timing(timing).build(),
    );
    world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
    let id = world.mount("VT0001L8");
    let hour = world.now + Duration::from_secs(3600);
    while world.now < hour && !world.state(id).is_final() {
        if world.device.pending_faults() == 0 {
            world.device.inject(Fault::sense(SenseKey::UnitAttention, 0x28, 0x00).on(0xB8).after(1));
        }
        if !world.step() {
            break;
        }
    }
    let reads = world.device.log().filter(|e| e.cdb()[0] == 0xB8).count();
    assert!(
        world.state(id).is_final(),
        "after an hour: {}; {reads} reads, {} moves",
        world.state(id),
        world.device.moves_sent()
    );
}

#[test]
fn a_configured_drive_that_was_away_at_the_survey_is_still_waited_for() {
    let mut device = library(1);
    device.inject(Fault::not_delivered().lun(1).lasting(Duration::from_secs(20)));
    let mut world = World::with(device, |config| {
        config.libraries[0]
            .drives
            .push(ConfiguredDrive { element: Some(ElementAddress(500)), assumed: false });
    });
    world.rest();
    world.now += Duration::from_secs(60);
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert!(
        world.engine.view().mounts()[0].device.is_some(),
        "the mount passed without the drive being asked, and has no way to it"
    );
}

#[test]
fn a_reservation_conflict_is_not_told_as_a_lost_path() {
    let mut world = World::ready(library(1));
    world.device.inject(Fault::status(Status::ReservationConflict).on_move().times(5));
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(
        !matches!(world.state(id), State::Failed(ref f) if f.kind == FailureKind::PathLost),
        "{}",
        world.state(id)
    );
}
