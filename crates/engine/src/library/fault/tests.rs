//! Each row of the tables of sense codes, and what it comes to here.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use autochanger_scsi::SenseRow;

use super::*;

/// The rows of a table, split at bars; comments and blank lines left out.
fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split('|').map(str::trim).collect())
}

/// The numbers of `5D` or `10-13`.
fn range(text: &str) -> core::ops::RangeInclusive<u8> {
    let number = |text| u8::from_str_radix(text, 16).expect("hexadecimal");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    number(first)..=number(last)
}

/// The sense data of `4 5` and `44/81-83 44/85`.
fn sense_data(keys: &str, codes: &str) -> Vec<Sense> {
    let mut all = Vec::new();
    for key in keys.split(' ').flat_map(range) {
        for (asc, ascq) in codes.split(' ').map(|code| code.split_once('/').expect("asc/ascq")) {
            for (asc, ascq) in range(asc).flat_map(|asc| range(ascq).map(move |ascq| (asc, ascq))) {
                all.push(Sense::new(SenseKey::from_bits(key), asc, ascq));
            }
        }
    }
    all
}

fn word(meaning: Meaning) -> String {
    match meaning {
        Meaning::Failed(kind) => format!("{kind:?}"),
        meaning => format!("{meaning:?}"),
    }
}

#[test]
fn each_code_of_the_standard_has_its_meaning_for_what_was_being_done() {
    let common = &Dialect::COMMON;
    for row in rows(include_str!("meanings.txt")) {
        let [keys, codes, moving, loading, unloading, told] = row[..] else { panic!("{row:?}") };
        for sense in sense_data(keys, codes) {
            let word = |doing| word(meaning(&sense, doing, common));
            assert_eq!(word(Doing::Moving), moving, "{sense} while moving");
            assert_eq!(word(Doing::Loading), loading, "{sense} while loading");
            assert_eq!(word(Doing::Unloading), unloading, "{sense} while unloading");
            assert_eq!(format!("{:?}", outlook(&sense, common)), told, "{sense}");
        }
    }
}

#[test]
fn no_code_of_the_standards_table_is_without_a_meaning_here() {
    let told: Vec<Sense> =
        rows(include_str!("meanings.txt")).flat_map(|row| sense_data(row[0], row[1])).collect();
    for row in SenseRow::all() {
        for key in row.keys {
            for range in row.codes {
                let known = |sense: &Sense| sense.key == *key && range.contains(sense.code);
                assert!(told.iter().any(known), "{key:?} {range:?}: {}", row.meaning);
            }
        }
    }
}

#[test]
fn each_code_of_a_vendor_has_its_meaning_in_the_dialect() {
    for row in rows(include_str!("dialects.txt")) {
        let [vendor, product, keys, codes, moving, told] = row[..] else { panic!("{row:?}") };
        let dialect = Dialect::of(vendor, product);
        for sense in sense_data(keys, codes) {
            assert_eq!(word(meaning(&sense, Doing::Moving, dialect)), moving, "{vendor} {product} {sense}");
            assert_eq!(format!("{:?}", outlook(&sense, dialect)), told, "{vendor} {product} {sense}");
        }
    }
}

#[test]
fn no_code_of_a_dialect_is_without_a_meaning_here() {
    let told: Vec<(&Dialect, Vec<Sense>)> = rows(include_str!("dialects.txt"))
        .map(|row| (Dialect::of(row[0], row[1]), sense_data(row[2], row[3])))
        .collect();
    for dialect in Dialect::all().chain([&Dialect::COMMON]) {
        for (key, range) in dialect.codes() {
            // Products that say the same share their rows.
            let known = |(of, told): &(&Dialect, Vec<Sense>)| {
                let says =
                    |sense: &Sense| key.is_none_or(|key| key == sense.key) && range.contains(sense.code);
                of.codes().any(|own| own == (key, range)) && told.iter().any(says)
            };
            assert!(told.iter().any(known), "{} {} {key:?} {range:?}", dialect.vendor, dialect.product);
        }
    }
}

#[test]
fn what_is_said_of_an_earlier_command_means_nothing_for_this_one() {
    for row in rows(include_str!("meanings.txt")) {
        for sense in sense_data(row[0], row[1]) {
            let sense = Sense { deferred: true, ..sense };
            assert_eq!(said(&sense), Said::OfAnother);
            assert_eq!(outlook(&sense, &Dialect::COMMON), Outlook::None);
            for doing in [Doing::Moving, Doing::Loading, Doing::Unloading] {
                assert_eq!(meaning(&sense, doing, &Dialect::COMMON), Meaning::Again);
            }
        }
    }
}

#[test]
fn a_vendors_code_is_told_in_its_words() {
    let full = Sense::new(SenseKey::HardwareError, 0x3B, 0xA0);
    assert_eq!(words(&full, Dialect::of("IBM", "3573-TL")), "04/3B/A0 (the robot is full)");
    assert_eq!(
        words(&full, Dialect::of("QUANTUM", "Scalar i40")),
        "04/3B/A0 (the cartridge's type does not suit the element)"
    );
    let empty = Sense::new(SenseKey::IllegalRequest, 0x3B, 0x0E);
    assert_eq!(words(&empty, Dialect::of("IBM", "3573-TL")), "05/3B/0E (medium source element empty)");
}

#[test]
fn only_an_accessed_port_spares_the_slots() {
    assert_eq!(stale(AdditionalSense { asc: 0x28, ascq: 0x01 }), Stale::Ports);
    assert_eq!(stale(AdditionalSense { asc: 0x28, ascq: 0x00 }), Stale::All);
    assert_eq!(stale(AdditionalSense { asc: 0x29, ascq: 0x00 }), Stale::Library);
    assert_eq!(stale(AdditionalSense { asc: 0x29, ascq: 0x07 }), Stale::All);
    assert_eq!(stale(AdditionalSense { asc: 0x3B, ascq: 0x12 }), Stale::All);
    assert_eq!(stale(AdditionalSense { asc: 0x3B, ascq: 0x1A }), Stale::Library);
    assert_eq!(stale(AdditionalSense { asc: 0x3F, ascq: 0x03 }), Stale::Library);
    assert_eq!(stale(AdditionalSense { asc: 0x2A, ascq: 0x10 }), Stale::Nothing);
}
