//! The manual's page on who vouches for each command, held to the code, the tests and the captures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use autochanger_scsi::{ChangerCommand, TapeCommand};

const PAGE: &str = include_str!("../src/manual/vouchers.rs");
const CODEC: &str = include_str!("../crates/scsi/src/cdb/dispatch.rs");
const BODIES: &str = include_str!("conformance/table.rs");

/// A row of cells.
type Row<'a> = Vec<&'a str>;

/// The rows of the table below a heading, without its head.
fn table(heading: &str) -> Vec<Row<'static>> {
    let lines = PAGE.lines().map(|line| line.trim_start_matches("//!").trim());
    let rows = lines.skip_while(|line| *line != format!("# {heading}")).skip(1);
    let rows = rows.take_while(|line| !line.starts_with("# ")).filter(|line| line.starts_with('|'));
    let cells =
        rows.skip(2).map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim_matches([' ', '`'])));
    let rows: Vec<Row<'_>> = cells.map(Iterator::collect).collect();
    assert!(!rows.is_empty(), "there is no table below {heading:?}");
    rows
}

/// The commands of an enum of the codec, by its definition.
fn commands(name: &str) -> Vec<&'static str> {
    let (_, body) = CODEC.split_once(&format!("    {name} {{")).expect("the enum is defined there");
    let (body, _) = body.split_once('}').expect("its definition ends");
    body.split(',').map(str::trim).filter(|command| !command.is_empty()).collect()
}

fn words(cell: &str) -> Vec<&str> {
    let cell = cell.strip_prefix("alone: ").unwrap_or(cell);
    cell.split(", ").filter(|word| *word != "–").collect()
}

/// Word, test and file.
fn tests() -> BTreeMap<&'static str, (&'static str, &'static str)> {
    let rows = table("The tests");
    let tests: BTreeMap<_, _> = rows.iter().map(|row| (row[0], (row[1], row[2]))).collect();
    assert_eq!(tests.len(), rows.len(), "a word stands for two tests");
    tests
}

fn both() -> [Vec<Row<'static>>; 2] {
    [table("Commands to a changer"), table("Commands to a drive")]
}

#[test]
fn every_command_of_the_codec_is_on_the_page_once() {
    let usages: [fn(u8) -> bool; 2] =
        [|opcode| ChangerCommand::usage(opcode).is_some(), |opcode| TapeCommand::usage(opcode).is_some()];
    for ((name, rows), usage) in ["ChangerCommand", "TapeCommand"].into_iter().zip(both()).zip(usages) {
        let commands = commands(name);
        // Read from the source; the code itself has as many.
        assert_eq!(commands.len(), (0..=u8::MAX).filter(|opcode| usage(*opcode)).count(), "{name}");
        let listed: Vec<&str> = rows.iter().map(|row| row[0]).collect();
        assert_eq!(listed, commands, "{name}: the page (left) and the codec (right)");
    }
}

#[test]
fn every_test_on_the_page_exists_and_is_used() {
    let tests = tests();
    for (word, (name, file)) in &tests {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{word}: {file}: {error}"));
        assert!(text.contains(&format!("fn {name}(")), "{word}: {file} has no {name}");
    }
    let rows = both().concat();
    let used: BTreeSet<&str> = rows.iter().flat_map(|row| &row[1..]).flat_map(|cell| words(cell)).collect();
    assert_eq!(used, tests.keys().copied().collect(), "words that are used (left) and explained (right)");
}

#[test]
fn each_column_names_tests_of_its_kind() {
    let tests = tests();
    for row in both().concat() {
        assert_eq!(row.len(), 6, "{row:?}");
        let files =
            |column: usize| words(row[column]).into_iter().map(|word| tests[word].1).collect::<Vec<_>>();
        assert!(
            !files(1).is_empty() && files(1).iter().all(|file| file.starts_with("crates/scsi/")),
            "{row:?}"
        );
        assert!(files(2).iter().all(|file| *file == "tests/captures.rs"), "{row:?}");
        for file in files(4) {
            assert!(
                file == "tests/virtual_library.rs" || file.starts_with("tests/guest/"),
                "{row:?}: {file}"
            );
        }
        for word in words(row[3]) {
            let (name, file) = tests[word];
            assert!(
                file.starts_with("tests/tgt_") || runs_on_tgt(name),
                "{row:?}: {name} does not run on tgt"
            );
        }
    }
}

#[test]
fn no_body_and_no_test_of_a_foreign_program_is_left_out() {
    let named: BTreeSet<&str> = tests().values().map(|(name, _)| *name).collect();
    let bodies = BODIES.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next());
    let mut wanted: Vec<(String, String)> =
        bodies.map(|body| (body.to_owned(), "tests/conformance/table.rs".to_owned())).collect();
    assert!(wanted.len() > 20, "the bodies are found");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/foreign");
    for file in std::fs::read_dir(directory).expect("it is there").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a source file");
        let own =
            text.split("#[test]\n").skip(1).filter_map(|rest| rest.strip_prefix("fn ")?.split('(').next());
        wanted.extend(own.map(|test| (test.to_owned(), file.path().display().to_string())));
    }
    assert!(wanted.iter().any(|(_, file)| file.ends_with("elements.rs")), "the foreign programs are found");
    let left_out: Vec<_> = wanted.iter().filter(|(name, _)| !named.contains(&**name)).collect();
    assert!(left_out.is_empty(), "not on the page: {left_out:#?}");
}

/// Whether the third column of the table of bodies, tgt's, says that it runs there.
fn runs_on_tgt(body: &str) -> bool {
    let line = BODIES.lines().find(|line| line.contains(&format!("\"{body}\"")));
    line.and_then(|line| line.split(',').nth(2)).is_some_and(|verdict| verdict.trim() == "Runs")
}

#[test]
fn alone_is_said_where_nobody_else_vouches_and_only_there() {
    for row in both().concat() {
        let others = row[2..5].iter().any(|cell| *cell != "–");
        let own = row[5];
        assert_eq!(own.starts_with("alone: "), !others && own != "–", "{row:?}");
    }
}

#[test]
fn a_capture_is_claimed_where_a_changer_has_answered_with_good_and_nowhere_else() {
    let answered = answered();
    for row in table("Commands to a changer") {
        let opcode =
            (0..=u8::MAX).find(|opcode| name_of(*opcode) == Some(row[0])).expect("a command of the codec");
        assert_eq!(row[2] == "captures", answered.contains(&opcode), "{row:?}, {opcode:02X}h");
    }
}

/// The operation codes that stand in a record whose status is GOOD.
fn answered() -> BTreeSet<u8> {
    let mut answered = BTreeSet::new();
    for product in ["tgt", "mhvtl"] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(product);
        for file in std::fs::read_dir(&directory).expect("captures").flatten() {
            let text = std::fs::read_to_string(file.path()).expect("a capture is text");
            let mut opcode = None;
            for line in text.lines() {
                if let Some(bytes) = line.strip_prefix("cdb ") {
                    opcode = u8::from_str_radix(&bytes[..2], 16).ok();
                } else if line.starts_with("status 00 ") {
                    answered.extend(opcode.take());
                }
            }
        }
    }
    answered
}

/// The codec's name of a changer's command, found by decoding one that is as empty as can be.
fn name_of(opcode: u8) -> Option<&'static str> {
    let mut cdb = [0; 16];
    cdb[0] = opcode;
    if opcode == 0xA3 {
        cdb[1] = 0x0C;
    }
    let shown = format!("{:?}", ChangerCommand::decode(&cdb).ok()?);
    commands("ChangerCommand").into_iter().find(|name| shown.starts_with(&format!("{name}(")))
}
