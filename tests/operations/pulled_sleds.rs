//! Sleds that change their bays while a label is being written: through the real driver, with hands at each command in turn.

use autochanger::label::FreeLabel;
use autochanger::request::LabelFound;
use autochanger::transport::sim::{Hold, Record};

use super::*;

const TAPE: &str = "VT0001L8";
const OTHER: &str = "VT0002L8";
/// REWIND, READ, WRITE, WRITE FILEMARKS (SSC-3), and INQUIRY.
const COMMANDS: [u8; 5] = [0x01, 0x08, 0x0A, 0x10, 0x12];

/// The sleds change their bays when the command has reached the drive; before it does anything, or when it has.
async fn pulled_at(opcode: u8, done: bool) {
    let bed = bed().await;
    let data = vec![Record::Block(b"somebody's data".to_vec()), Record::Filemark];
    for barcode in [TAPE, OTHER] {
        assert!(bed.library.with(|device| device.set_recording(barcode, data.clone())));
    }
    let other = within(bed.session.mount(OTHER).drive(501)).await.expect("mounted");
    let hold = Hold::opcode(opcode).lun(1).times(1);
    let gate = bed.library.hold(if done { hold.after_effect() } else { hold });
    let ticket = bed.session.write_free_label(TAPE).overwrite().submit().await.expect("accepted");
    within(gate.reached()).await;
    bed.library.with(|device| device.swap_drives_at_work(500, 501)).expect("pulled");
    gate.release();
    let written = within(ticket).await.unwrap_or_else(|error| panic!("{opcode:02X}h, {done}: {error}"));
    assert!(matches!(written.found, LabelFound::Free(_)), "{opcode:02X}h, {done}: {:?}", written.found);
    bed.library.with(|device| {
        assert_eq!(device.recording(OTHER), Some(&*data), "{opcode:02X}h, {done}");
        let first = device.recording(TAPE).and_then(|recording| recording.first());
        assert!(matches!(first, Some(Record::Block(block)) if FreeLabel::parse(block).is_some()));
    });
    assert_eq!(
        bed.library.find(OTHER),
        Some(ElementAddress(500)),
        "it went with its drive, and stayed in it"
    );
    let mounts = bed.session.mounts().await.expect("open");
    assert!(mounts.iter().any(|mount| mount.id == other.id() && mount.drive == ElementAddress(500)));
    bed.end().await;
}

#[tokio::test]
async fn a_label_is_written_on_its_own_tape_when_the_sleds_change_their_bays_at_any_command() {
    for opcode in COMMANDS {
        for done in [false, true] {
            pulled_at(opcode, done).await;
        }
    }
}
