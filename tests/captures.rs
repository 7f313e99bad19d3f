//! What real and emulated changers sent, decoded and checked: `tests/captures/README.md` tells what is there.
//!
//! `AUTOCHANGER_CAPTURES=DIRECTORY` checks the records of another directory, too.

#[cfg(feature = "sim")]
#[path = "captures/another.rs"]
mod another;
#[path = "captures/by_hand.rs"]
mod by_hand;
#[path = "captures/by_hand_mhvtl.rs"]
mod by_hand_mhvtl;
#[path = "captures/by_hand_tgt.rs"]
mod by_hand_tgt;
#[path = "captures/check.rs"]
mod check;
#[path = "captures/record.rs"]
mod record;
#[path = "captures/reports.rs"]
mod reports;
#[cfg(feature = "sim")]
#[path = "store/temp.rs"]
mod temp;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use autochanger_scsi::{CdbError, ChangerCommand, ElementStatus, Sense};

use crate::check::{Tally, check, count, read_as_anything};
use crate::record::{Capture, read_directory};

fn our_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures")
}

/// The files whose records are counted and known one by one. What else is put beside them is checked as others' are.
fn ours() -> Vec<Capture> {
    let tgt = ["inquiry", "interplay", "misc", "modesense", "move", "res", "ua"]
        .map(|kind| format!("tgt/{kind}.txt"));
    let products =
        ["ADIC-ADIC_Scalar_100", "HP-MSL6000_Series", "IBM-03584L32", "SPECTRA-PYTHON", "STK-L700"];
    let mhvtl = products.iter().flat_map(|product| {
        let kinds = ["inquiry", "misc", "modesense", "move", "res", "ua"];
        kinds.map(|kind| format!("mhvtl/{product}-{kind}.txt"))
    });
    let names: BTreeSet<String> = mhvtl.chain(tgt).collect();
    let captures =
        read_directory(&our_directory()).into_iter().filter(|capture| names.contains(&capture.name));
    let captures: Vec<_> = captures.collect();
    assert_eq!(captures.len(), names.len(), "files are missing");
    captures
}

/// Checks every record of every file; panics with all that cannot be decoded.
fn check_all(captures: &[Capture]) -> Tally {
    let mut tally = Tally::default();
    let mut faults = Vec::new();
    for capture in captures {
        for record in &capture.records {
            count(&mut tally, "record");
            let name = |what: &String| format!("{}, {}: {what}", capture.name, record.name);
            let known = tally.odd.len();
            if let Err(fault) = check(record, capture.layout.as_ref(), &mut tally) {
                faults.push(name(&fault));
            }
            tally.odd[known..].iter_mut().for_each(|odd| *odd = name(odd));
        }
    }
    assert!(faults.is_empty(), "{} records do not fit:\n{}", faults.len(), faults.join("\n"));
    tally
}

/// What was found, for a person.
fn tell(tally: &Tally) {
    for (kind, number) in &tally.counts {
        println!("{number:6} {kind}");
    }
    println!("{:6} oddities", tally.odd.len());
    for odd in &tally.odd {
        println!("odd: {odd}");
    }
}

/// The directory that the environment names.
fn another_directory() -> Option<PathBuf> {
    std::env::var_os("AUTOCHANGER_CAPTURES").map(PathBuf::from)
}

#[test]
fn every_record_decodes_and_is_consistent() {
    let tally = check_all(&ours());
    assert!(tally.odd.is_empty(), "nothing in these is odd: {:#?}", tally.odd);
    // Counted in the files: lines that begin with "==", with "ioctl errno", with "sense" (and answers to
    // REQUEST SENSE), answers to REPORT LUNS.
    assert_eq!(tally["record"], 1499);
    assert_eq!(tally["never sent"], 5);
    assert_eq!(tally["sense data"], 396 + 18);
    assert_eq!(tally["list of logical units"], 6);
    // Five personalities with pages 00h, 0Dh and 2Eh; the lists and the single commands of tgt.
    assert_eq!(tally["log page"], 5 * 3);
    assert_eq!((tally["list of supported commands"], tally["supported command"]), (2, 3));

    // With what else was put there.
    check_all(&read_directory(&our_directory()));
    let Some(directory) = another_directory() else { return };
    let captures = read_directory(&directory);
    assert!(!captures.is_empty(), "{} has no captures", directory.display());
    tell(&check_all(&captures));
}

#[test]
fn sense_codes_are_those_that_stand_in_the_files() {
    let mut codes = BTreeSet::new();
    for record in ours().iter().flat_map(|capture| &capture.records) {
        if let Some(sense) = record.answer.as_ref().and_then(|answer| Sense::parse(&answer.sense)) {
            codes.insert((sense.key.code(), sense.code.asc, sense.code.ascq));
            assert!(sense.meaning().is_some(), "{sense}");
        }
    }
    let expected = [
        (0x02, 0x3A, 0x00),
        (0x04, 0x15, 0x01),
        (0x05, 0x20, 0x00),
        (0x05, 0x21, 0x01),
        (0x05, 0x24, 0x00),
        (0x05, 0x39, 0x00),
        (0x05, 0x3B, 0x0D),
        (0x05, 0x3B, 0x0E),
        (0x05, 0x53, 0x02),
        (0x06, 0x29, 0x00),
    ];
    assert_eq!(codes, expected.into());
}

#[test]
fn only_commands_that_were_meant_to_be_wrong_are_refused() {
    let mut refused = BTreeSet::new();
    for capture in ours() {
        for record in capture.records {
            if let Err(CdbError::Field(_)) = ChangerCommand::decode(&record.cdb) {
                refused.insert(record.name);
            }
        }
    }
    let expected = [
        "INQUIRY CMDDT (obsolete bit)",
        "INQUIRY page code without EVPD (invalid)",
        "MODE SENSE(10) LLBAA page 3f",
        "READ ELEMENT STATUS byte 10 not zero",
        "READ ELEMENT STATUS byte 11 (control) NACA",
        "READ ELEMENT STATUS type=15 (invalid)",
        "READ ELEMENT STATUS type=5 (invalid)",
        "READ ELEMENT STATUS type=7 (invalid)",
        // Other commands of an operation code that we have.
        "REPORT TARGET PORT GROUPS",
        "REPORT TIMESTAMP",
    ];
    assert_eq!(refused, expected.map(String::from).into());
}

#[test]
fn only_reports_whose_pages_overlap_are_malformed() {
    let mut malformed = BTreeSet::new();
    for capture in ours() {
        for record in capture.records.iter().filter(|record| record.cdb[0] == 0xB8) {
            let Some(answer) = &record.answer else { continue };
            if ElementStatus::parse(&answer.data).is_ok_and(|report| !report.is_well_formed()) {
                assert_eq!(record.cdb[1] & 0x0F, 0, "{}, {}: one element type", capture.name, record.name);
                malformed.insert(capture.name.clone());
            }
        }
    }
    assert_eq!(malformed, ["tgt/res.txt"].map(String::from).into());
}

/// The longest buffer that is cut at every length; longer ones are cut at every length up to this, and then
/// now and then.
const CUT_AT_EVERY_LENGTH: usize = 300;
/// The step beyond; prime, so that the cuts fall everywhere in descriptors.
const STEP: usize = 17;

#[test]
fn data_cut_anywhere_is_read_without_a_panic() {
    let mut captures = read_directory(&our_directory());
    captures.extend(another_directory().iter().flat_map(|directory| read_directory(directory)));
    let answers =
        captures.iter().flat_map(|capture| &capture.records).filter_map(|record| record.answer.as_ref());
    let buffers: BTreeSet<&[u8]> = answers.flat_map(|answer| [&answer.data[..], &answer.sense[..]]).collect();
    let (mut cuts, mut seen) = (0, 0);
    for buffer in &buffers {
        let every = 0..=buffer.len().min(CUT_AT_EVERY_LENGTH);
        let some = (CUT_AT_EVERY_LENGTH..buffer.len()).step_by(STEP);
        for end in every.chain(some) {
            cuts += 1;
            seen += read_as_anything(&buffer[..end]);
        }
    }
    assert!(cuts > 10_000 && seen > cuts, "{cuts} cuts, {seen} things seen");
}

#[test]
fn a_report_that_is_cut_tells_the_same_of_the_elements_that_remain() {
    for capture in read_directory(&our_directory()) {
        for record in capture.records.iter().filter(|record| record.cdb[0] == 0xB8) {
            let Some(answer) = &record.answer else { continue };
            let Ok(whole) = ElementStatus::parse(&answer.data) else { continue };
            let whole: Vec<_> = whole.elements().collect();
            for end in (8..answer.data.len()).step_by(STEP) {
                let Ok(cut) = ElementStatus::parse(&answer.data[..end]) else {
                    panic!("the header is whole")
                };
                for (element, original) in cut.elements().zip(&whole) {
                    assert_eq!(element.address(), original.address());
                    assert_eq!(element.full(), original.full());
                    assert_eq!(element.source(), original.source());
                    // Only the sequence number may be missing from a tag.
                    let label = element.volume_tag().map(|tag| tag.raw());
                    let whole = original.volume_tag().map(|tag| tag.raw());
                    assert!(label.is_none() || label == whole, "{label:?} of {original:?}");
                    let id = element.device_id();
                    assert!(id.is_none() || id == original.device_id(), "{id:?} of {original:?}");
                }
            }
        }
    }
}
