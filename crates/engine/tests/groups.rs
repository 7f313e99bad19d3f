//! Mounts that are served together or not at all.

use autochanger_engine::request::{CancelAccepted, CancelledBy, FailureKind, Outcome, Place, State, Waiting};
use autochanger_scsi::{ElementType, SenseKey};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, mount};

fn library(drives: u16) -> Device {
    Library::new().slots(10).drives(drives).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange()).build()
}

fn in_drives(world: &World) -> usize {
    let contents = world.device.contents();
    contents.iter().filter(|(_, kind, barcode)| *kind == ElementType::Drive && barcode.is_some()).count()
}

#[test]
fn a_group_is_mounted_together() {
    let mut world = World::ready(library(2));
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.rest();
    let ends: Vec<_> = ids.iter().map(|id| world.disk.requests[id].ended_at).collect();
    for id in &ids {
        assert!(matches!(world.state(*id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(*id));
    }
    assert_eq!(ends[0], ends[1], "they pass together");
    assert_eq!(world.engine.view().mounts().len(), 2);
}

#[test]
fn nothing_of_a_group_moves_while_a_drive_is_wanting() {
    let mut world = World::ready(library(2));
    world.mount("VT0006L8");
    world.rest();
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.rest();
    assert_eq!(world.device.moves_sent(), 1);
    assert!(
        ids.iter()
            .any(|id| { world.engine.view().request(*id).unwrap().state == State::Waiting(Waiting::Group) })
    );
    world.dismount("VT0006L8");
    world.rest();
    for id in ids {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
}

#[test]
fn two_groups_that_need_all_drives_do_not_hold_one_each() {
    let mut world = World::ready(library(2));
    let first = world.group(1, &["VT0001L8", "VT0002L8"]);
    let second = world.group(2, &["VT0003L8", "VT0004L8"]);
    world.rest();
    for id in &first {
        assert!(matches!(world.state(*id), State::Passed(_)), "{}", world.state(*id));
    }
    world.dismount("VT0001L8");
    world.rest();
    assert_eq!(in_drives(&world), 1, "the second group begins when it can have both");
    world.dismount("VT0002L8");
    world.rest();
    for id in &second {
        assert!(matches!(world.state(*id), State::Passed(_)), "{}", world.state(*id));
    }
}

#[test]
fn single_mounts_that_keep_coming_do_not_starve_a_group() {
    let mut world = World::ready(library(2));
    world.mount("VT0005L8");
    world.mount("VT0006L8");
    world.rest();
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    let single = world.mount("VT0003L8");
    world.dismount("VT0005L8");
    world.rest();
    assert!(!world.state(single).is_final(), "the drive that came free is kept for the group");
    world.dismount("VT0006L8");
    world.rest();
    for id in ids {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    world.dismount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(single), State::Passed(_)), "{}", world.state(single));
}

#[test]
fn when_one_fails_what_the_others_have_loaded_is_taken_out_by_the_same_requests() {
    let mut world = World::ready(library(2));
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on_move().times(20));
    world.until("the first is in a drive or has failed", |world| {
        in_drives(world) == 1 || ids.iter().any(|id| world.state(*id).is_final())
    });
    world.device.clear_faults();
    world.rest();
    let states: Vec<_> = ids.iter().map(|id| world.state(*id)).collect();
    assert!(states.iter().all(|state| matches!(state, State::Failed(_))), "{states:?}");
    assert!(states.iter().any(|state| matches!(state, State::Failed(f) if f.kind == FailureKind::Group)));
    assert_eq!(in_drives(&world), 0);
    assert!(world.engine.view().mounts().is_empty());
    world.assert_true();
}

#[test]
fn a_drive_that_dies_under_a_group_sends_the_other_media_home() {
    let mut world = World::ready(library(2));
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.until("both are in drives", |world| in_drives(world) == 2);
    world.device.inject(Fault::dead_drive(autochanger_scsi::ElementAddress(501)));
    world.rest();
    let states: Vec<_> = ids.iter().map(|id| world.state(*id)).collect();
    assert!(states.iter().all(|state| matches!(state, State::Failed(_))), "{states:?}");
    let homeless: Vec<_> = world
        .disk
        .cartridges
        .values()
        .filter(
            |cartridge| matches!(cartridge.place, Place::Element(place) if place.kind == ElementType::Drive),
        )
        .collect();
    assert!(homeless.len() <= 1, "only the dead drive may keep its medium: {homeless:?}");
    assert!(world.engine.view().mounts().is_empty());
}

#[test]
fn a_cancel_of_one_is_a_cancel_of_all() {
    let mut world = World::ready(library(2));
    world.mount("VT0006L8");
    world.rest();
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    assert_eq!(world.cancel(ids[1]), Some(Ok(CancelAccepted::Cancelled)));
    world.rest();
    let State::Cancelled { by } = world.state(ids[0]) else { panic!("{}", world.state(ids[0])) };
    assert_eq!(by, CancelledBy::Group { member: ids[1] });
    assert_eq!(world.device.moves_sent(), 1);
    // What the group had kept is free again.
    let next = world.mount("VT0003L8");
    world.rest();
    assert!(matches!(world.state(next), State::Passed(_)), "{}", world.state(next));
}

#[test]
fn a_group_that_cannot_be_is_refused_whole() {
    let mut world = World::ready(library(2));
    for (barcodes, words) in [
        (&["VT0001L8", "VT0001L8"][..], "each cartridge once"),
        (&["VT0001L8", "VT0002L8", "VT0003L8"], "3 mounts need as many drives"),
        (&["VT0001L8", "NOSUCH"], "no cartridge NOSUCH"),
        (&[], "1 to 64"),
    ] {
        let wanted = barcodes.iter().map(|barcode| mount(barcode));
        let error = world.submit_group(7, wanted, |_| {}).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(world.engine.view().requests().is_empty());
}

#[test]
fn a_restart_in_the_middle_of_a_group_mounts_all_of_it_for_its_owner_or_none() {
    let mut world = World::ready(library(2));
    let ids = world.group(1, &["VT0001L8", "VT0002L8"]);
    world.until("the first is in a drive", |world| in_drives(world) == 1);
    world.crash();
    world.rest();
    let mounted = world.engine.view().mounts().len();
    assert!(mounted == 0 || mounted == 2, "none is mounted before all are: {mounted}");
    for id in &ids {
        let state = world.engine.view().request(*id).map(|request| request.state);
        if state == Some(State::Waiting(Waiting::Owner)) {
            world.adopt(*id);
        }
    }
    world.rest();
    for id in ids {
        assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    }
    assert_eq!(world.engine.view().mounts().len(), 2);
    world.assert_true();
}
