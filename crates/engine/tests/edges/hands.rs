//! Hands in the library while a move is prepared, a survey is read or nobody can tell cartridges apart.

use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::request::{Access, CartridgeRef, Place, State, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_sim::{Fault, Library, Timing};
use autochanger_world::World;

use super::{in_drive, library, slow};

#[test]
fn a_prepared_move_is_not_sent_for_another_cartridge_after_a_lost_path() {
    let mut world = World::ready(library(3));
    world.withhold_moves = true;
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    let slot = world.device.find("VT0002L8").unwrap();
    let other = world.device.find("VT0003L8").unwrap();
    // The first is answered with "not sent": the library is identified and surveyed anew. Hands were there meanwhile.
    world.device.operator_swap(slot, other).unwrap();
    world.deny_withheld();
    world.rest();
    for mount in world.engine.view().mounts() {
        assert_eq!(
            mount.barcode.as_deref(),
            in_drive(&world, mount.drive.0).as_deref(),
            "what is in {}",
            mount.drive
        );
    }
}

#[test]
fn a_prepared_move_is_not_sent_for_another_cartridge_when_a_look_heard_of_the_hands() {
    let mut world = World::ready(library(2));
    world.device.inject(Fault::lost_reply().on_move().after_effect());
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    let slot = world.device.find("VT0002L8").unwrap();
    let other = world.device.find("VT0003L8").unwrap();
    world.device.operator_swap(slot, other).unwrap();
    world.rest();
    let contents = world.device.contents();
    for mount in world.engine.view().mounts() {
        let held = contents.iter().find(|(a, ..)| *a == mount.drive).and_then(|(_, _, b)| b.clone());
        assert_eq!(mount.barcode.as_deref(), held.as_deref(), "what is in {}", mount.drive);
    }
    world.assert_true();
}

#[test]
fn a_cartridge_without_a_label_is_the_same_one_after_a_restart() {
    let device = Library::new().slots(4).drives(1).unlabelled_at(1000).timing(Timing::midrange()).build();
    let mut world = World::ready(device);
    let before = world.engine.view().cartridges(None);
    assert_eq!(before.len(), 1);
    let id = world
        .submit(Wanted::Mount {
            cartridge: CartridgeRef::Id(before[0].id),
            drive: None,
            access: Access::ReadWrite,
        })
        .unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.crash();
    world.rest();
    let after = world.engine.view().cartridges(None);
    assert_eq!(after.len(), 1, "no other cartridge was made of it");
    assert!(matches!(after[0].place, Place::Element(_)));
    assert_eq!(world.engine.view().mounts().len(), 1, "its mount is durable");
}

#[test]
fn hands_that_come_while_the_library_is_surveyed_are_seen() {
    for at in 0..12 {
        let mut world = World::new(slow());
        for _ in 0..at {
            world.step();
        }
        if matches!(&*world.engine.view().libraries()[0].state, LibraryState::Ready) {
            break;
        }
        let (a, b) = (world.device.find("VT0001L8").unwrap(), world.device.find("VT0002L8").unwrap());
        world.device.operator_swap(a, b).unwrap();
        world.rest();
        world.assert_true();
    }
}

#[test]
fn hands_of_which_a_settlement_hears_while_the_library_is_surveyed_are_seen() {
    let mut wrong = Vec::new();
    for at in 0..60 {
        let mut world = World::new(slow());
        world.rest();
        world.device.inject(Fault::late_effect(Duration::from_secs(1200)).on_move());
        world.mount("VT0001L8");
        world.until("in doubt", |w| {
            w.events.iter().any(|e| matches!(e.kind, EventKind::MotionInDoubt { .. }))
        });
        world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(8)));
        world
            .until("lost", |w| matches!(&*w.engine.view().libraries()[0].state, LibraryState::NotPresent(_)));
        for _ in 0..at {
            world.step();
        }
        if matches!(&*world.engine.view().libraries()[0].state, LibraryState::Ready) {
            break;
        }
        let (a, b) = (world.device.find("VT0002L8").unwrap(), world.device.find("VT0003L8").unwrap());
        world.device.operator_swap(a, b).unwrap();
        world.rest();
        let place = |l: &str| {
            world
                .disk
                .cartridges
                .values()
                .find(|c| c.barcode.as_deref() == Some(l))
                .unwrap()
                .place
                .to_string()
        };
        if place("VT0002L8") == place("VT0003L8") || !place("VT0002L8").contains(&b.0.to_string()) {
            wrong.push((at, place("VT0002L8"), place("VT0003L8"), a, b));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
