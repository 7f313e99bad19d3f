//! Log pages: sg_logs.

use super::super::bed::Guest;
use super::{Bed, behind, dumped, said};

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
        for code in ["0x00", "0x0d", "0x14", "0x2e"] {
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
        for code in ["0x00", "0x0d", "0x11", "0x12", "0x2e"] {
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
