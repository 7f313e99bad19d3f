//! Log pages: sg_logs.

use autochanger::transport::sim::{Fault, SenseKey};
use autochanger_scsi::MoveMedium;

use super::super::bed::Guest;
use super::{Bed, behind, dumped, said, tool};

/// The flags (from 1) that are set in page 2Eh, from its bytes.
fn flags(page: &[u8]) -> Vec<u8> {
    assert_eq!((page[0], page.len()), (0x2E, 4 + 64 * 5));
    let set = page[4..].chunks(5).filter(|parameter| parameter[4] & 1 == 1);
    set.map(|parameter| parameter[1]).collect()
}

/// The flags that are set in page 12h as sg_logs shows it, eight of them in a line: number in hexadecimal and value.
fn flagged(text: &str) -> Vec<u8> {
    let words: Vec<&str> = text.lines().skip(1).flat_map(str::split_whitespace).collect();
    let flags = words.chunks(2).map(|flag| {
        let number = flag[0].trim_start_matches("Flag").trim_end_matches("h:");
        (u8::from_str_radix(number, 16).expect("a number"), flag[1])
    });
    let flags: Vec<_> = flags.collect();
    assert_eq!(flags.len(), 64, "{text}");
    flags.into_iter().filter(|(_, set)| *set == "1").map(|(number, _)| number).collect()
}

#[test]
fn sg_logs_counts_and_warns_as_the_changer_does() {
    let name = "foreign::logs::sg_logs_counts_and_warns_as_the_changer_does";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let page = |page: &str| said("sg_logs", &["-n", "-p", page, &bed.changer]);
        let list = said("sg_logs", &["-n", &bed.changer]);
        for code in ["0x00", "0x0d", "0x14", "0x15", "0x16", "0x2e"] {
            assert!(list.contains(&format!("    {code} ")), "{list}");
        }
        let temperature = page("0x0d");
        assert_eq!(behind(&temperature, "Current temperature = "), "25 C");
        assert_eq!(behind(&temperature, "Reference temperature = "), "60 C");
        let counted = |words: &str| -> u64 { behind(&page("0x14"), words).parse().expect("a number") };
        assert_eq!(counted("Number of moves: "), 0);
        for arguments in [["load", "1", "0"], ["unload", "1", "0"], ["transfer", "2", "25"]] {
            bed.mtx(&arguments);
        }
        assert_eq!(bed.library.moves_done(), 3);
        assert_eq!((counted("Number of moves: "), counted("Number of picks: ")), (3, 3));
        assert_eq!((counted("Number of places: "), counted("Number of place retries: ")), (3, 0));
        let before = counted("Number of physical inventory scans: ");
        bed.mtx(&["inventory"]);
        assert_eq!(counted("Number of physical inventory scans: "), before + 1);

        let alerts = || flags(&dumped(&said("sg_logs", &["-n", "-H", "-p", "0x2e", &bed.changer])));
        assert!(alerts().is_empty());
        bed.library.with(|device| [1, 17, 19].map(|flag| device.raise_alert(0, flag)));
        assert_eq!(alerts(), [1, 17, 19]);
        assert!(alerts().is_empty(), "who has read them has cleared them");
    });
}

#[test]
fn sg_logs_reads_what_a_drive_does_and_warns_of() {
    let name = "foreign::logs::sg_logs_reads_what_a_drive_does_and_warns_of";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let drive = &bed.drives[1];
        let page = |page: &str| {
            bed.calm(drive);
            said("sg_logs", &["-n", "-p", page, drive])
        };
        let list = page("0x00");
        for code in ["0x00", "0x0d", "0x11", "0x12", "0x17", "0x2e"] {
            assert!(list.contains(&format!("    {code} ")), "{list}");
        }
        let has = |words: &str| {
            let status = page("0x11");
            assert!(status.contains(words), "{words:?} is missing in:\n{status}");
        };
        has("MPRSNT=0");
        has("MOUNTED=0");
        has("RAA=1");
        bed.mtx(&["load", "2", "1"]);
        for words in ["MPRSNT=1", "MOUNTED=1", "MSTD=1", "MTHRD=1", "INXTN=0", "PAMR=0", "DINIT=1"] {
            has(words);
        }
        bed.calm(drive);
        said("sg_prevent", &["--prevent=1", drive]);
        has("PAMR=1");
        said("sg_prevent", &["--allow", drive]);

        // Cleaning required, and media life over: by 12h as often as one likes, by 2Eh once.
        bed.library.with(|device| [7, 20].map(|flag| device.raise_alert(2, flag)));
        let set = |text: String| -> Vec<String> {
            let lines = text.lines().filter_map(|line| line.trim().strip_suffix(": 1"));
            lines.map(str::to_owned).collect()
        };
        for _ in 0..2 {
            assert_eq!(flagged(&page("0x12")), [7, 20]);
        }
        assert_eq!(set(page("0x2e")), ["Media life", "Cleaning required"].map(str::to_owned));
        assert!(set(page("0x2e")).is_empty());
        assert_eq!(flagged(&page("0x12")), []);
    });
}

#[test]
fn sg_logs_reads_what_each_element_counted_and_what_failed() {
    let name = "foreign::logs::sg_logs_reads_what_each_element_counted_and_what_failed";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let page = |page: &str, from: &str| {
            let from = format!("--paramp={from}");
            said("sg_logs", &["-n", "-p", page, &from, &bed.changer])
        };
        let counted = |element: &str, words: &str| -> u32 {
            let text = page("0x15", element);
            assert_eq!(behind(&text, "Element address: "), element, "it begins with the one asked for");
            behind(&text, words).parse().expect("a number")
        };
        bed.mtx(&["load", "3", "1"]);
        bed.mtx(&["unload", "3", "1"]);
        for element in ["501", "1002"] {
            assert_eq!(counted(element, "Number of places: "), 1);
            assert_eq!(counted(element, "Number of picks: "), 1);
            assert_eq!(counted(element, "Number of place retries: "), 0);
        }
        let read = counted("1002", "Number of determined volume identifiers: ");
        bed.mtx(&["inventory"]);
        assert_eq!(counted("1002", "Number of determined volume identifiers: "), read + 1);
        assert_eq!(counted("1023", "Number of determined volume identifiers: "), 0, "it is empty");
        assert_eq!(page("0x15", "1020").matches("Element address: ").count(), 4);

        assert!(!page("0x16", "0").contains("Sense key: "));
        let fault = Fault::sense(SenseKey::HardwareError, 0x15, 0x01).without_effect().on_move();
        bed.library.inject(fault);
        let failed = tool("mtx", &["-f", &bed.changer, "transfer", "7", "24"]);
        assert_eq!((failed.code, behind(&failed.err, "Sense Key=")), (1, "Hardware Error"));
        let errors = page("0x16", "0");
        for (words, told) in [
            ("Sense key: ", "0x4 [Hardware Error]"),
            ("Additional sense code: ", "0x15"),
            ("Additional sense code qualifier: ", "0x1"),
            ("Number of moves: ", "2"),
            ("Operation code: ", "0xa5"),
            ("Initial address: ", "0x3ee"),
            ("Destination address: ", "0x3ff"),
            ("IAV: ", "1"),
            ("LSAV: ", "0"),
            ("DAV: ", "1"),
        ] {
            assert_eq!(behind(&errors, words), told, "{words}");
        }
        // The label and the time are dumped; the library's own log knows when the motion ended.
        let (_, label) = errors.split_once("Volume tag information:\n").expect("a label");
        assert_eq!(dumped(label.split_once("Timestamp").expect("a time").0)[..8], *b"VT0007L8");
        let (_, time) = errors.split_once("Timestamp:\n").expect("a time");
        let told = dumped(time).into_iter().fold(0, |sum, byte| sum << 8 | u128::from(byte));
        let ended = bed.library.with(|device| {
            let failed = device.log().rfind(|entry| entry.cdb()[0] == MoveMedium::OPCODE);
            failed.and_then(|entry| entry.end).expect("it has ended").at.as_millis()
        });
        assert_eq!(told, ended);
    });
}

#[test]
fn sg_logs_reads_which_volume_is_in_a_drive() {
    let name = "foreign::logs::sg_logs_reads_which_volume_is_in_a_drive";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let drive = &bed.drives[0];
        let page = || {
            bed.calm(drive);
            said("sg_logs", &["-n", "-p", "0x17", drive])
        };
        assert_eq!(behind(&page(), "Page valid: "), "0");
        bed.mtx(&["load", "9", "0"]);
        let volume = page();
        for (words, told) in [
            ("Page valid: ", "1"),
            ("Thread count: ", "1"),
            ("Volume barcode: ", "VT0009L8"),
            ("Volume serial number: ", "SIMVT0009L8"),
            ("Total native capacity [MB]: ", "12000000"),
            ("Write protect: ", "0"),
        ] {
            assert_eq!(behind(&volume, words), told, "{words}");
        }
    });
}
