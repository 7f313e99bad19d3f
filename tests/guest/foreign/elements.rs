//! Elements and motion: mtx, loaderinfo, lsscsi.

use autochanger::transport::sim::{ElementAddress, ElementType};

use super::super::bed::Guest;
use super::{Bed, behind, said, tool};

/// mtx's picture of the library: for drives and slots (mail slots behind the others) the label, if there is a cartridge.
type Picture = (Vec<Option<String>>, Vec<Option<String>>);

fn picture(status: &str) -> Picture {
    let (mut drives, mut slots) = (Vec::new(), Vec::new());
    for line in status.lines().skip(1).map(str::trim) {
        let label = line.split_once("VolumeTag").map(|(_, tag)| tag.trim_start_matches([' ', '=']).trim());
        let full = line.contains(":Full");
        assert_eq!(full, label.is_some_and(|label| !label.is_empty()), "{line}");
        let content = label.filter(|_| full).map(str::to_owned);
        let list = if line.starts_with("Data Transfer Element") { &mut drives } else { &mut slots };
        assert!(line.contains(&format!("Element {}", list.len() + usize::from(!line.starts_with("Data")))));
        list.push(content);
    }
    (drives, slots)
}

/// The same picture, as the library itself has it.
fn truth(bed: &Bed) -> Picture {
    let contents = bed.library.contents();
    let of = |kind| contents.iter().filter(move |it| it.1 == kind).map(|it| it.2.clone());
    (
        of(ElementType::Drive).collect(),
        of(ElementType::Storage).chain(of(ElementType::ImportExport)).collect(),
    )
}

#[track_caller]
fn agrees(bed: &Bed) -> Picture {
    let seen = picture(&bed.mtx(&["status"]));
    assert_eq!(seen, truth(bed));
    seen
}

fn at(bed: &Bed, barcode: &str) -> Option<u16> {
    bed.library.find(barcode).map(|ElementAddress(address)| address)
}

#[test]
fn mtx_sees_and_moves_what_is_there() {
    let name = "foreign::elements::mtx_sees_and_moves_what_is_there";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let inquiry = bed.mtx(&["inquiry"]);
        assert_eq!(behind(&inquiry, "Product Type: "), "Medium Changer");
        assert_eq!(behind(&inquiry, "Vendor ID: "), "'AUTOCHGR'");
        assert_eq!(behind(&inquiry, "Product ID: "), "'SIM LIBRARY     '");
        let status = bed.mtx(&["status"]);
        assert!(status.contains(":2 Drives, 28 Slots ( 4 Import/Export )"), "{status}");
        let (drives, slots) = agrees(&bed);
        assert_eq!((drives, slots.iter().flatten().count()), (vec![None, None], 20));
        assert_eq!(status.matches("IMPORT/EXPORT").count(), 4);

        bed.mtx(&["load", "3", "1"]);
        assert_eq!(at(&bed, "VT0003L8"), Some(501));
        agrees(&bed);
        // The source that the library reports is the slot that it was loaded from.
        let status = bed.mtx(&["status"]);
        assert!(behind(&status, "Data Transfer Element 1:").starts_with("Full (Storage Element 3 Loaded)"));
        bed.mtx(&["unload", "3", "1"]);
        assert_eq!(at(&bed, "VT0003L8"), Some(1002));

        bed.mtx(&["transfer", "5", "26"]);
        assert_eq!(at(&bed, "VT0005L8"), Some(11), "the second mail slot");
        bed.mtx(&["exchange", "1", "2"]);
        assert_eq!((at(&bed, "VT0001L8"), at(&bed, "VT0002L8")), (Some(1001), Some(1000)));
        agrees(&bed);
        let moves = bed.library.moves_done();
        bed.mtx(&["position", "7"]);
        bed.mtx(&["inventory"]);
        assert_eq!(bed.library.moves_done(), moves);
        agrees(&bed);
    });
}

#[test]
fn what_mtx_is_refused_moves_nothing_and_says_why() {
    let name = "foreign::elements::what_mtx_is_refused_moves_nothing_and_says_why";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let before = agrees(&bed);
        let refused = |arguments: &[&str], sense: [&str; 2], pointer: Option<&str>| {
            let ended = tool("mtx", &[&["-f", &*bed.changer], arguments].concat());
            assert_eq!(ended.code, 1, "{arguments:?}: {ended:?}");
            let [code, qualifier] = sense;
            assert_eq!(behind(&ended.err, "Sense Key="), "Illegal Request");
            assert_eq!(behind(&ended.err, "Additional Sense Code = "), code, "{}", ended.err);
            assert_eq!(behind(&ended.err, "Additional Sense Qualifier = "), qualifier, "{}", ended.err);
            if let Some(pointer) = pointer {
                assert_eq!(behind(&ended.err, "Field Pointer = "), pointer, "{}", ended.err);
            }
        };
        // To turn a cartridge over, and to put out the mail slot with a move: byte 10, and the vendor bits of byte 11.
        refused(&["invert", "transfer", "1", "25"], ["24", "00"], Some("00 0A"));
        refused(&["eepos", "1", "transfer", "1", "25"], ["24", "00"], Some("00 0B"));
        assert_eq!((agrees(&bed), bed.library.moves_sent()), (before, 2));
        // A goal that is full mtx sees by itself, in the status; that a drive keeps its cartridge it is told.
        let full = tool("mtx", &["-f", &bed.changer, "transfer", "1", "2"]);
        assert!(full.code == 1 && full.err.contains("Element Address 1001 is Already Full"), "{full:?}");
        bed.mtx(&["load", "1", "0"]);
        bed.calm(&bed.drives[0]);
        said("sg_prevent", &["--prevent=1", &bed.drives[0]]);
        refused(&["unload", "1", "0"], ["53", "02"], None);
        assert_eq!((at(&bed, "VT0001L8"), bed.library.moves_done()), (Some(500), 1));
        said("sg_prevent", &["--allow", &bed.drives[0]]);
        bed.mtx(&["unload", "1", "0"]);
        assert_eq!(at(&bed, "VT0001L8"), Some(1000));
    });
}

#[test]
fn lsscsi_and_loaderinfo_describe_the_library() {
    let name = "foreign::elements::lsscsi_and_loaderinfo_describe_the_library";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let rows: Vec<Vec<String>> = said("lsscsi", &["-g"])
            .lines()
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .collect();
        let [changer, first, second] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(
            changer[1..],
            ["mediumx", "AUTOCHGR", "SIM", "LIBRARY", "0001", "/dev/sch0", &*bed.changer]
        );
        for (row, (lun, node)) in [first, second].into_iter().zip([(1, "/dev/st0"), (2, "/dev/st1")]) {
            assert!(row[0].ends_with(&format!(":{lun}]")), "{row:?}");
            let drive = &bed.drives[lun - 1];
            assert_eq!(row[1..], ["tape", "AUTOCHGR", "SIM", "LTO-8", "0001", node, drive]);
        }

        let info = said("loaderinfo", &["-f", &bed.changer]);
        for (words, told) in [
            ("Number of Medium Transport Elements:", "1"),
            ("Number of Storage Elements:", "24"),
            ("Number of Import/Export Elements:", "4"),
            ("Number of Data Transfer Elements:", "2"),
            ("Invertable:", "No"),
            ("Volume Tag Reader Present:", "Yes"),
            ("Transfer Storage:", "->Data Transfer, ->Import/Export, ->Storage"),
            ("Exchange Storage:", "<>Data Transfer, <>Import/Export, <>Storage"),
            ("Exchange Medium Transport:", "None"),
        ] {
            assert_eq!(behind(&info, words), told, "{words}");
        }
    });
}
