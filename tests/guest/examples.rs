//! The examples for a user's own devices, on the kernel's nodes: what they say is held against the library, and every
//! cartridge is where it was.

use std::process::Command;

use super::bed::{Guest, example};
use super::foreign::{Bed, SERIAL, said};
use super::reads::only_reads;

/// What an example says when it ends with 0.
fn run(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(example(name)).args(arguments).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{name}: {}\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "{name} complains");
    text(&output.stdout)
}

/// The rows of a table below its heading, as cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().skip(2).filter(|line| !line.is_empty());
    lines.map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect()
}

/// What is to be pasted, checked for what every run tells.
fn block<'a>(out: &'a str, node: &str, secrets: &[&str]) -> &'a str {
    let (_, block) = out.split_once("```text\n").expect("a block begins");
    let block = block.strip_suffix("```\n").expect("the block is the last that is said");
    for secret in secrets.iter().copied().chain([node, "VT0", "/dev/", "iqn."]) {
        assert!(!block.contains(secret), "{secret:?} is in what is pasted:\n{block}");
    }
    for name in ["TEST UNIT READY", "INQUIRY", "MODE SENSE 1Dh", "status of drives", "status of slots"] {
        let times = block.lines().find_map(|line| line.strip_prefix(&format!("{name}: p50 ")));
        let times = times.unwrap_or_else(|| panic!("no times of {name} in:\n{block}"));
        assert!([", p90 ", ", p99 ", ", max "].iter().all(|part| times.contains(part)), "{times}");
    }
    for together in [1, 8, 32] {
        says(block, &format!("{together} TEST UNIT READY together: {together} GOOD, in "));
    }
    block
}

#[track_caller]
fn says(block: &str, words: &str) {
    assert!(block.contains(words), "{words:?} is missing in:\n{block}");
}

#[test]
fn certify_and_devices_know_our_virtual_library_behind_the_kernel() {
    let name = "examples::certify_and_devices_know_our_virtual_library_behind_the_kernel";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let devices = run("devices", &[]);
        let url = |node: &str| format!("sg:{node}");
        let [changer, drives @ ..] = &rows(&devices)[..] else { panic!("no changer in:\n{devices}") };
        assert_eq!(changer[1..], ["changer", "AUTOCHGR", "SIM LIBRARY", "0001", SERIAL, &url(&bed.changer)]);
        assert_eq!(drives.len(), 2, "{devices}");
        for (n, drive) in drives.iter().enumerate() {
            let (element, serial) = (format!("drive {}", 500 + n), format!("000420000{}", n + 1));
            let node = format!("/dev/nst{n} {}", url(&bed.drives[n]));
            assert_eq!(drive[1..], [&*element, "AUTOCHGR", "SIM LTO-8", "0001", &serial, &node]);
        }
        assert_eq!(bed.library.moves_sent(), 0);

        let before = bed.library.contents();
        let certify = |arguments: &[&str]| {
            let out = run("certify", &[&[&*url(&bed.changer), "--runs", "20"], arguments].concat());
            assert_eq!(bed.library.contents(), before, "{out}");
            block(&out, &bed.changer, &[SERIAL, "00042"]).to_owned()
        };
        let sent = bed.library.log().last().map_or(0, |entry| entry.number + 1);
        let read_only = certify(&[]);
        let log = bed.library.log();
        let own: Vec<_> = log.iter().filter(|entry| entry.number >= sent).collect();
        assert!(own.len() > 100 && own[0].number == sent, "all that it sent is here: {}", own.len());
        only_reads(own.iter().map(|entry| entry.cdb()));
        assert_eq!(read_only.matches("quirk").count(), 1, "{read_only}");
        for words in [
            "INQUIRY: AUTOCHGR SIM LIBRARY 0001, ",
            "geometry: 1 transport from 1, 24 storage from 1000, 4 import/export from 10, 2 drive from 500",
            "storage: 24 elements, 20 full, 20 with a label",
            "drives at the same target: 2 units; 2 of 2 named elements have one by serial number; 2 say their element",
            "EXCHANGE MEDIUM between slots, by page 1Fh: yes",
            "quirks: none seen",
        ] {
            says(&read_only, words);
        }
        assert_eq!(bed.library.moves_sent(), 0, "read-only is read-only");
        let moved = certify(&["--move"]);
        for words in [
            "MOVE MEDIUM, slot to slot, there: ",
            "MOVE MEDIUM, slot to slot, back: ",
            "EXCHANGE MEDIUM, three slots: ",
            "and it moved as it should",
            "every cartridge is where it was",
        ] {
            says(&moved, words);
        }
        // There, back, the exchange, and both back to their places.
        assert_eq!((bed.library.moves_sent(), bed.library.moves_done()), (5, 5));
    });
}

#[test]
fn certify_and_devices_know_tgt_behind_the_kernel() {
    let name = "examples::certify_and_devices_know_tgt_behind_the_kernel";
    Guest::new().run(name, || {
        let node = super::inside::changer().display().to_string();
        let devices = run("devices", &[]);
        let table = rows(&devices);
        assert_eq!(table.len(), 3, "{devices}");
        assert_eq!(table[0][1..5], ["changer", "STK", "L700", "0010"]);
        assert_eq!(table[0][6], format!("sg:{node}"));
        for n in 0..2 {
            let (element, serial) = (format!("drive {}", 500 + n), format!("DRV000000{}", n + 1));
            assert_eq!((table[n + 1][1], table[n + 1][5]), (&*element, &*serial));
            assert!(table[n + 1][6].starts_with(&format!("/dev/nst{n} sg:/dev/sg")), "{devices}");
        }

        let status = || said("mtx", &["-f", &node, "status"]);
        let before = status();
        let certify = |arguments: &[&str]| {
            let out = run("certify", &[&[&*format!("sg:{node}"), "--runs", "20"], arguments].concat());
            assert_eq!(status(), before, "{out}");
            block(&out, &node, &["DRV0", "BED0"]).to_owned()
        };
        let read_only = certify(&[]);
        for words in [
            "INQUIRY: STK L700 0010, ",
            "geometry: 1 transport from 1, 20 storage from 1000, 4 import/export from 10, 2 drive from 500",
            "storage: 20 elements, 8 full, 8 with a label",
            "LOG SENSE: 05/20/00",
            "quirk: the status of all types is malformed (plain)",
            "quirk: READ ELEMENT STATUS announces more bytes than it gives",
            "quirk: page 1Fh claims EXCHANGE MEDIUM, which is not among the supported operation codes",
        ] {
            says(&read_only, words);
        }
        assert!(!read_only.contains("MOVE MEDIUM, slot"), "{read_only}");
        let moved = certify(&["--move"]);
        says(&moved, "MOVE MEDIUM, slot to slot, back: ");
        says(&moved, "EXCHANGE MEDIUM: not tried, for it is not offered");
        says(&moved, "every cartridge is where it was");
    });
}
