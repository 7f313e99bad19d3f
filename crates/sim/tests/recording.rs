//! What hosts write on tapes, and what they read back.

mod common;

use autochanger_scsi::{Cdb, Locate10, Read6, Rewind, Sense, Write6, WriteFilemarks6};
use autochanger_sim::{Answer, Record, Status};

use common::*;

fn read_block(length: u32) -> Cdb {
    Read6 { fixed: false, suppress_incorrect_length: false, length }.cdb()
}

fn marks(count: u32) -> Cdb {
    WriteFilemarks6 { immediate: false, count }.cdb()
}

/// Puts the first cartridge into the first drive and takes its unit attention.
fn loaded() -> Rig {
    let mut rig = rig();
    rig.moves(1000, 500);
    rig.send(1, ready());
    rig
}

fn write(rig: &mut Rig, block: &[u8]) -> Answer {
    let cdb = Write6 { fixed: false, length: block.len() as u32 }.cdb();
    rig.send_out(1, cdb, block)
}

fn sense(answer: &Answer) -> Sense {
    Sense::parse(&answer.sense).expect("sense data")
}

#[test]
fn blocks_and_filemarks_are_read_as_they_were_written_and_then_the_data_end() {
    let mut rig = loaded();
    good(write(&mut rig, b"first"));
    good(rig.send(1, marks(1)));
    good(write(&mut rig, b"second"));
    assert_eq!(code(&rig.send(1, read_block(100))), (8, 0x00, 0x05));
    good(rig.send(1, Rewind::default().cdb()));
    assert_eq!(good(rig.send(1, read_block(5))), b"first");
    let mark = rig.send(1, read_block(100));
    assert_eq!((code(&mark), sense(&mark).filemark), ((0, 0x00, 0x01), true));
    assert_eq!(good(rig.send(1, read_block(6))), b"second");
    assert_eq!(code(&rig.send(1, read_block(100))), (8, 0x00, 0x05));
}

#[test]
fn a_block_of_another_length_than_asked_for_is_told_with_its_residue() {
    let mut rig = loaded();
    good(write(&mut rig, b"0123456789"));
    for (asked, data, residue) in [(12, &b"0123456789"[..], 2), (4, &b"0123"[..], -6_i32 as u32)] {
        good(rig.send(1, Rewind::default().cdb()));
        let answer = rig.send(1, read_block(asked));
        assert_eq!(answer.status, Status::CheckCondition);
        assert_eq!(answer.data, data);
        let sense = sense(&answer);
        assert_eq!((sense.incorrect_length, sense.information), (true, Some(u64::from(residue))));
        good(rig.send(1, Rewind::default().cdb()));
        let silent = Read6 { fixed: false, suppress_incorrect_length: true, length: asked };
        assert_eq!(good(rig.send(1, silent.cdb())), data);
    }
}

#[test]
fn writing_ends_the_tape_where_it_was_written() {
    let mut rig = loaded();
    for block in [b"one", b"two"] {
        good(write(&mut rig, block));
    }
    good(rig.send(1, Locate10 { block: 1, ..Locate10::default() }.cdb()));
    good(rig.send(1, marks(2)));
    let left = [Record::Block(b"one".to_vec()), Record::Filemark, Record::Filemark];
    assert_eq!(rig.device.recording("VT0001L8"), Some(&left[..]));
    assert_eq!(code(&rig.send(1, Locate10 { block: 4, ..Locate10::default() }.cdb())), (8, 0x00, 0x05));
}

#[test]
fn a_tape_goes_with_its_cartridge_and_begins_at_its_beginning() {
    let mut rig = loaded();
    good(write(&mut rig, b"data"));
    rig.moves(500, 1000);
    rig.moves(1000, 501);
    rig.send(2, ready());
    assert_eq!(good(rig.send(2, read_block(4))), b"data");
}

#[test]
fn a_protected_tape_keeps_what_is_on_it() {
    let mut rig = loaded();
    assert!(rig.device.write_protect("VT0001L8", true));
    assert_eq!(code(&write(&mut rig, b"data")), (7, 0x27, 0x00));
    assert_eq!(code(&rig.send(1, marks(1))), (7, 0x27, 0x00));
    assert_eq!(rig.device.recording("VT0001L8"), Some(&[][..]));
}

#[test]
fn a_tape_has_an_end() {
    let mut rig = loaded();
    good(rig.send(1, marks(1024)));
    assert_eq!(code(&rig.send(1, marks(1))), (0xD, 0x00, 0x02));
    assert_eq!(code(&write(&mut rig, b"data")), (0xD, 0x00, 0x02));
}

#[test]
fn fixed_blocks_are_refused_for_nobody_set_a_size() {
    let mut rig = loaded();
    let cdb = Read6 { fixed: true, suppress_incorrect_length: false, length: 1 }.cdb();
    assert_eq!(code(&rig.send(1, cdb)), (5, 0x24, 0x00));
}
