//! A group of which a medium is not in the library: while one is away none is mounted, and nothing is kept from others.

use autochanger_engine::catalog::Service;
use autochanger_engine::id::RequestId;
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{FailureKind, State, Submission, Waiting};
use autochanger_scsi::ElementType;
use autochanger_sim::{Library, Timing};
use autochanger_world::{World, inventory, library_to_be, mount};

fn ready(drives: u16) -> World {
    let library = Library::new().slots(10).drives(drives).cartridges("VT{:04}L8", 1..=6);
    World::ready(library.timing(Timing::midrange()).build())
}

fn waits(submission: &mut Submission) {
    submission.options.wait_for_operator = true;
}

fn ask(world: &mut World, number: u128, barcodes: &[&str]) -> Vec<RequestId> {
    let wanted = barcodes.iter().map(|barcode| mount(barcode));
    world.submit_group(number, wanted, waits).unwrap().iter().map(|request| request.id).collect()
}

fn look(world: &mut World) {
    world.submit(inventory()).unwrap();
    world.rest();
}

fn in_drives(world: &World) -> usize {
    let contents = world.device.contents();
    contents.iter().filter(|(_, kind, barcode)| *kind == ElementType::Drive && barcode.is_some()).count()
}

#[test]
fn while_one_is_away_none_is_mounted_and_the_drives_serve_others() {
    for away in ["VT0001L8", "VT0002L8"] {
        let mut world = ready(2);
        let slot = world.device.find(away).unwrap();
        world.device.operator_take(slot).unwrap();
        look(&mut world);
        let ids = ask(&mut world, 1, &["VT0001L8", "VT0002L8"]);
        world.rest();
        assert_eq!(world.engine.view().operator_requests().len(), 1);
        assert_eq!(world.device.moves_sent(), 0);
        let others = [world.mount("VT0005L8"), world.mount("VT0006L8")];
        world.rest();
        for id in others {
            assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        }
        // It has come: now they wait for drives.
        world.device.operator_put(slot, away).unwrap();
        look(&mut world);
        assert!(world.engine.view().operator_requests().is_empty());
        world.dismount("VT0005L8");
        world.dismount("VT0006L8");
        world.rest();
        for id in &ids {
            assert!(matches!(world.state(*id), State::Passed(_)), "{}", world.state(*id));
        }
    }
}

#[test]
fn one_that_is_taken_while_they_wait_for_drives_is_asked_for() {
    let mut world = ready(2);
    world.mount("VT0005L8");
    world.rest();
    let ids = ask(&mut world, 1, &["VT0001L8", "VT0002L8"]);
    world.rest();
    for barcode in ["VT0002L8", "VT0001L8"] {
        let slot = world.device.find(barcode).unwrap();
        world.device.operator_take(slot).unwrap();
        look(&mut world);
        assert_eq!(world.engine.view().operator_requests().len(), 1);
        let states: Vec<_> = ids.iter().map(|id| world.engine.view().request(*id).unwrap().state).collect();
        assert!(states.contains(&State::Waiting(Waiting::Operator)), "{states:?}");
        let single = world.mount("VT0004L8");
        world.rest();
        assert!(matches!(world.state(single), State::Passed(_)), "no drive is kept: {}", world.state(single));
        world.dismount("VT0004L8");
        world.rest();
        world.device.operator_put(slot, barcode).unwrap();
        look(&mut world);
    }
    world.dismount("VT0005L8");
    world.rest();
    for id in &ids {
        assert!(matches!(world.state(*id), State::Passed(_)), "{}", world.state(*id));
    }
}

#[test]
fn one_that_hands_take_after_the_group_has_begun_fails_it() {
    let mut world = ready(3);
    let ids = ask(&mut world, 1, &["VT0001L8", "VT0002L8", "VT0003L8"]);
    let slot = world.device.find("VT0003L8").unwrap();
    world.device.operator_take(slot).unwrap();
    look(&mut world);
    let kinds: Vec<_> = ids
        .iter()
        .map(|id| match world.state(*id) {
            State::Failed(failure) => failure.kind,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(kinds, [FailureKind::Group, FailureKind::Group, FailureKind::CartridgeMissing]);
    assert_eq!(in_drives(&world), 0);
    assert!(world.engine.view().operator_requests().is_empty());
}

#[test]
fn without_the_option_a_group_with_one_away_is_refused() {
    let mut world = ready(2);
    world.device.operator_take(1000).unwrap();
    look(&mut world);
    let refused = world.submit_group(1, [mount("VT0001L8"), mount("VT0002L8")], |_| {});
    assert!(matches!(refused, Err(Refusal::CartridgeNotAvailable { .. })), "{refused:?}");
}

#[test]
fn when_nobody_brings_it_all_end_with_the_one_that_was_refused() {
    let mut world = ready(2);
    world.device.operator_take(1000).unwrap();
    look(&mut world);
    let ids = ask(&mut world, 1, &["VT0001L8", "VT0002L8"]);
    world.rest();
    world.cancel(ids[0]).unwrap().unwrap();
    world.rest();
    for id in &ids {
        assert!(matches!(world.state(*id), State::Cancelled { .. }), "{}", world.state(*id));
    }
}

#[test]
fn a_group_that_was_adopted_in_a_paused_library_asks_for_the_one_that_is_away() {
    let mut world = ready(2);
    let slot = world.device.find("VT0002L8").unwrap();
    world.submit(library_to_be(Service::Paused)).unwrap();
    world.rest();
    let ids = ask(&mut world, 1, &["VT0001L8", "VT0002L8"]);
    world.device.operator_take(slot).unwrap();
    // Each is adopted by itself.
    world.crash();
    world.rest();
    ids.iter().for_each(|id| drop(world.adopt(*id)));
    look(&mut world);
    world.submit(library_to_be(Service::Enabled)).unwrap();
    world.rest();
    assert_eq!(world.engine.view().operator_requests().len(), 1);
    let shown = world.engine.view().request(ids[1]).unwrap().state;
    assert_eq!(shown, State::Waiting(Waiting::Operator));
    world.device.operator_put(slot, "VT0002L8").unwrap();
    look(&mut world);
    for id in ids {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
}
