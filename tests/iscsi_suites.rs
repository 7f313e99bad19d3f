//! The manual's page on the suites for iSCSI initiators, held to the suites' numbers and to our tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../src/manual/iscsi_suites.rs");

/// The numbers in the contents of each suite, as far as they could be had.
const SUITES: [(&str, &[&str]); 3] = [
    (
        "Login phase",
        &[
            "1.1", "2.1", "2.2", "2.3", "3.1", "3.2", "4.1", "4.2", "5.1", "6.1", "6.2", "6.3", "7.1", "7.2",
            "7.3", "7.4", "7.5", "7.6", "8.1", "9.1", "9.2", "9.3", "10.1", "11.1", "12.1", "13.1", "13.2",
            "13.3", "14.1", "15.1", "16.1", "16.2", "16.3", "17.1", "18.1", "19.1", "20.1", "21.1", "22.1",
            "23.1",
        ],
    ),
    (
        "Full feature phase",
        &[
            "1.1", "2.1", "2.2", "3.1", "3.2", "3.3", "4.1", "5.1", "6.1", "7.1", "8.1", "8.2", "8.3", "9.1",
            "10.1", "10.2", "11.1.1", "11.1.2", "11.2.1", "11.2.2", "11.3", "11.4", "12.1", "12.2", "12.3",
            "12.4", "13.1", "13.2", "14.1", "14.2", "15.1", "15.2", "15.3", "16.1.1", "16.1.2",
        ],
    ),
    (
        "CHAP",
        &[
            "1.1", "1.2.1", "1.2.2", "1.3", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "3.1", "3.2", "3.3",
            "3.4", "3.5", "3.6.1", "3.6.2", "3.6.3", "3.6.4", "3.7", "3.8", "4.1", "4.2", "4.3", "4.4",
            "4.5", "4.6", "4.7", "4.8", "5.1", "5.2", "5.3",
        ],
    ),
];

/// The rows of the table below a heading, without its head.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let lines = PAGE.lines().map(|line| line.trim_start_matches("//!").trim());
    let rows = lines.skip_while(|line| *line != format!("# {heading}")).skip(1);
    let rows = rows.take_while(|line| !line.starts_with("# ")).filter(|line| line.starts_with('|'));
    rows.skip(2).map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The names of the functions below `directory` that are tests.
fn tests_below(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).expect("a directory of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let mut lines = text.lines().map(str::trim);
            while let Some(line) = lines.next() {
                if line == "#[test]" || line.starts_with("#[tokio::test") {
                    let function = lines.by_ref().find(|line| !line.starts_with("#["));
                    let name = function.and_then(|line| line.split_once("fn ")?.1.split('(').next());
                    found.extend(name.map(str::to_owned));
                }
            }
        }
    }
}

#[test]
fn every_number_of_the_suites_has_a_row_and_no_row_is_invented() {
    for (suite, numbers) in SUITES {
        let rows: Vec<&str> = table(suite).iter().map(|row| row[0]).collect();
        assert_eq!(rows, numbers, "{suite}: the page (left) and the suite (right)");
    }
}

#[test]
fn every_row_names_tests_that_there_are_or_says_why_there_are_none() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeSet::new();
    for directory in ["crates/iscsi/src", "src/transport", "tests"] {
        tests_below(&root.join(directory), &mut tests);
    }
    assert!(tests.len() > 300, "{} tests are found", tests.len());
    for (suite, _) in SUITES {
        for row in table(suite) {
            let [number, about, held] = row[..] else { panic!("{suite}: {row:?}") };
            if held == "–" {
                let says_why = ["not spoken: ", "not watched: "].iter().any(|words| about.starts_with(words));
                assert!(says_why, "{suite} {number} is held by nothing");
                continue;
            }
            for name in held.split(", ").map(|name| name.trim_matches('`')) {
                assert!(tests.contains(name), "{suite} {number}: there is no test {name}");
            }
        }
    }
}
