//! Who the units say they are and what they take: sg_inq, sg_vpd, sg_luns, sg_requests, sg_opcodes, sg_read_attr.

use std::collections::BTreeSet;

use super::super::bed::Guest;
use super::{Bed, SERIAL, behind, said, sense, tool};

#[test]
fn sg3_utils_read_the_identity_of_changer_and_drives() {
    let name = "foreign::identity::sg3_utils_read_the_identity_of_changer_and_drives";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        // The last letters of the library's serial number, and the drive's number.
        let units = [
            (&bed.changer, "medium changer", "SIM LIBRARY", SERIAL),
            (&bed.drives[0], "tape", "SIM LTO-8", "0004200001"),
            (&bed.drives[1], "tape", "SIM LTO-8", "0004200002"),
        ];
        for (node, kind, product, serial) in units {
            let inquiry = said("sg_inq", &[node]);
            assert_eq!(behind(&inquiry, "Peripheral device type: "), kind);
            assert_eq!(behind(&inquiry, "Vendor identification: "), "AUTOCHGR");
            assert_eq!(behind(&inquiry, "Product identification: "), product);
            assert_eq!(behind(&inquiry, "Product revision level: "), "0001");
            assert_eq!(behind(&inquiry, "Unit serial number: "), serial);
            assert!(inquiry.contains("RMB=1") && inquiry.contains("CmdQue=1"), "{inquiry}");
            assert_eq!(behind(&said("sg_inq", &["-p", "0x80", node]), "Unit serial number: "), serial);
            let own = said("sg_inq", &["-p", "0x83", node]);
            assert!(own.contains("designator_type: T10 vendor identification"), "{own}");
            assert!(own.contains("associated with the Addressed logical unit"), "{own}");
            assert_eq!(behind(&own, "vendor id: "), "AUTOCHGR");
            assert_eq!(behind(&own, "vendor specific: "), format!("{product:<16}{serial}"));
        }
        for (node, element, serial) in
            [(&bed.drives[0], "0x01f4", "0004200001"), (&bed.drives[1], "0x01f5", "0004200002")]
        {
            let page = |page: &str| said("sg_vpd", &["-p", page, node]);
            assert_eq!(behind(&page("0xb0"), "WORM="), "0");
            assert_eq!(behind(&page("0xb1"), "Manufacturer-assigned serial number: "), serial);
            assert_eq!(behind(&page("0xb3"), "Automation device serial number: "), SERIAL);
            assert_eq!(behind(&page("0xb4"), "Data transfer device element address: "), element);
        }
        // A page that is not listed is refused, which is what the tool's status 5 or its own look at the list says.
        let absent = tool("sg_inq", &["--force", "-p", "0xb4", &bed.changer]);
        assert_ne!(absent.code, 0, "{absent:?}");
    });
}

#[test]
fn sg_luns_sg_requests_and_sg_opcodes_find_what_is_offered() {
    let name = "foreign::identity::sg_luns_sg_requests_and_sg_opcodes_find_what_is_offered";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        for node in [&bed.changer, &bed.drives[1]] {
            let list = said("sg_luns", &[node]);
            let luns: Vec<&str> = list.lines().map(str::trim).filter(|line| line.len() == 16).collect();
            assert_eq!(luns, ["0000000000000000", "0001000000000000", "0002000000000000"]);
        }
        bed.calm(&bed.changer);
        assert!(sense(&bed.changer).contains("Sense key: No Sense"));
        // An attention that waits is given and taken.
        bed.library.operator_put(10, "VT0099L8").expect("the mail slot is empty");
        let accessed = sense(&bed.changer);
        assert!(accessed.contains("Sense key: Unit Attention"), "{accessed}");
        assert!(accessed.contains("Import or export element accessed"), "{accessed}");
        assert!(sense(&bed.changer).contains("Sense key: No Sense"));

        bed.calm(&bed.drives[0]);
        let codes = |node: &str| -> BTreeSet<(u8, Option<u8>)> {
            let list = said("sg_opcodes", &["-n", node]);
            let rows = list.lines().filter_map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let code = u8::from_str_radix(words.first()?, 16).ok().filter(|_| line.starts_with(' '))?;
                // A service action stands before the length, which is in decimal and followed by two flags.
                let flags = words.iter().position(|word| *word == "0,0")?;
                let action = (flags == 3).then(|| u8::from_str_radix(words[1], 16).expect("an action"));
                Some((code, action))
            });
            rows.collect()
        };
        let plain = |codes: &[u8]| codes.iter().map(|code| (*code, None)).collect::<BTreeSet<_>>();
        let reserve =
            (0..=3).map(|action| (0x5E, Some(action))).chain((0..=6).map(|action| (0x5F, Some(action))));
        let both = || reserve.clone().chain([(0xA3, Some(0x0C))]);
        let mut changer = plain(&[
            0x00, 0x03, 0x07, 0x12, 0x1A, 0x1B, 0x1E, 0x2B, 0x37, 0x4D, 0x5A, 0xA0, 0xA5, 0xA6, 0xB5, 0xB6,
            0xB8, 0xE7,
        ]);
        changer.extend(both());
        assert_eq!(codes(&bed.changer), changer);
        let mut drive = plain(&[
            0x00, 0x01, 0x03, 0x08, 0x0A, 0x10, 0x12, 0x1A, 0x1B, 0x1E, 0x2B, 0x34, 0x44, 0x4D, 0x5A, 0x8D,
            0xA0,
        ]);
        drive.extend(both().chain([0, 1, 2, 3, 5].map(|action| (0x8C, Some(action)))));
        assert_eq!(codes(&bed.drives[0]), drive);
        // One command by itself, with the bits that count.
        let one = said("sg_opcodes", &["-n", "-o", "0xa5", &bed.changer]);
        assert_eq!(behind(&one, "Usage data: "), "a5 00 ff ff ff ff ff ff 00 00 01 00");
    });
}

#[test]
fn sg_read_attr_reads_the_memory_of_the_cartridge_in_the_drive() {
    let name = "foreign::identity::sg_read_attr_reads_the_memory_of_the_cartridge_in_the_drive";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let drive = &bed.drives[0];
        bed.calm(drive);
        let empty = tool("sg_read_attr", &[drive]);
        assert_ne!(empty.code, 0, "there is no memory in an empty drive: {empty:?}");
        for (slot, label, loads) in [("4", "VT0004L8", "1"), ("6", "VT0006L8", "1"), ("4", "VT0004L8", "2")] {
            bed.mtx(&["load", slot, "0"]);
            bed.calm(drive);
            let memory = said("sg_read_attr", &[drive]);
            assert_eq!(behind(&memory, "Medium serial number: "), format!("SIM{label}"));
            assert_eq!(behind(&memory, "Load count: "), loads);
            assert_eq!(behind(&memory, "Medium density code: "), "0x5e");
            // 12 TB of an LTO-8 cartridge in MiB.
            assert_eq!(behind(&memory, "Maximum capacity in partition [MiB]: "), "11444091");
            assert!(behind(&memory, "vendor/serial number at last load: ").starts_with("AUTOCHGR0004200001"));
            assert_eq!(behind(&memory, "Medium type: "), "0x0");
            bed.mtx(&["unload", slot, "0"]);
        }
    });
}
