//! What is written on media: read, written, and held against what is recorded, on a simulated library in virtual time.

#[path = "labels/cancels.rs"]
mod cancels;
#[path = "labels/crashes.rs"]
mod crashes;
#[path = "labels/mounts.rs"]
mod mounts;
#[path = "labels/reading.rs"]
mod reading;
#[path = "labels/writing.rs"]
mod writing;

use std::sync::Arc;

use autochanger_engine::EventKind;
use autochanger_engine::catalog::{Cartridge, Label};
use autochanger_engine::id::RequestId;
use autochanger_engine::input::Verify;
use autochanger_engine::request::{FailureKind, LabelFound, Outcome, State, Wanted};
use autochanger_sim::{Device, Hold, Library, Record, Timing};
use autochanger_world::World;

const TAPE: &str = "VT0001L8";

const REWIND: u8 = 0x01;

const READ: u8 = 0x08;

const WRITE: u8 = 0x0A;

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

fn verifying(device: Device) -> World {
    let mut world = World::with(device, |config| config.libraries[0].verify = Verify::Label);
    world.rest();
    world
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
