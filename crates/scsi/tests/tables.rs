//! The tables of sense codes and TapeAlert flags, held to what the reference says, row by row. `fixtures/` has the
//! facts of the reference in a form of our own.

use autochanger_scsi::{
    AdditionalSense, AlertAction, AlertSeverity, CHANGER_ALERTS, DRIVE_ALERTS, Dialect, Sense, SenseKey,
    SenseRow, TapeAlert,
};

/// The rows of a fixture, split at bars; comments and blank lines left out.
fn rows(text: &'static str) -> Vec<Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split('|').map(str::trim).collect()).collect()
}

/// The numbers of `5D` or `10-13`.
fn range(text: &str) -> std::ops::RangeInclusive<u8> {
    let number = |text| u8::from_str_radix(text, 16).expect("hexadecimal");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    number(first)..=number(last)
}

#[test]
fn every_row_of_the_reference_has_its_key_its_codes_and_its_actions() {
    let expected = rows(include_str!("fixtures/sense.txt"));
    assert_eq!(SenseRow::all().len(), expected.len());
    for (row, fixture) in SenseRow::all().zip(&expected) {
        let [keys, codes, actions] = fixture[..] else { panic!("{fixture:?} has not three columns") };
        let told: Vec<String> = row.keys.iter().map(|key| format!("{:X}", key.code())).collect();
        assert_eq!(told.join(" "), keys, "{row:?}");
        let told: Vec<String> = row.advice.actions().iter().map(|action| format!("{action:?}")).collect();
        assert_eq!(told.join(" "), actions, "{row:?}");
        assert!(!row.meaning.is_empty());
        // Every code of the reference leads to this row, and the row has no other.
        let mut count = 0;
        for code in codes.split(' ') {
            let (asc, ascq) = code.split_once('/').expect("asc/ascq");
            for (asc, ascq) in range(asc).flat_map(|asc| range(ascq).map(move |ascq| (asc, ascq))) {
                count += 1;
                for key in row.keys {
                    let sense = Sense::new(*key, asc, ascq);
                    assert_eq!(sense.row(), Some(row), "{sense}");
                    assert_eq!(sense.advice(), row.advice);
                }
            }
        }
        let mut own = 0;
        for (asc, ascq) in (0..=255).flat_map(|asc| (0..=255).map(move |ascq| (asc, ascq))) {
            own += usize::from(row.codes.iter().any(|range| range.contains(AdditionalSense::new(asc, ascq))));
        }
        assert_eq!(own, count, "{row:?}");
    }
}

/// The codes of `44/81-83 44/85`.
fn codes(text: &str) -> Vec<AdditionalSense> {
    let pairs = text.split(' ').map(|code| code.split_once('/').expect("asc/ascq"));
    pairs
        .flat_map(|(asc, ascq)| {
            range(asc).flat_map(move |asc| range(ascq).map(move |ascq| AdditionalSense::new(asc, ascq)))
        })
        .collect()
}

#[test]
fn every_code_of_a_vendor_has_the_actions_of_the_reference_whatever_key_it_comes_with() {
    for fixture in rows(include_str!("fixtures/dialects.txt")) {
        let [vendor, product, key, told, actions] = fixture[..] else { panic!("{fixture:?}") };
        let dialect = Dialect::of(vendor, product);
        let keys = match key {
            "*" => 0..=0xF,
            key => range(key),
        };
        for (key, code) in keys.flat_map(|key| codes(told).into_iter().map(move |code| (key, code))) {
            let sense = Sense::new(SenseKey::from_bits(key), code.asc, code.ascq);
            let advised: Vec<String> =
                dialect.advice(&sense).actions().iter().map(|action| format!("{action:?}")).collect();
            assert_eq!(advised.join(" "), actions, "{vendor} {product} {sense}");
            let known = vendor != "NOBODY" || actions == "Close Wait";
            assert!(!known || dialect.meaning(&sense).is_some(), "{vendor} {product} {sense}");
        }
    }
}

#[test]
fn every_code_of_a_dialect_is_in_the_reference() {
    let expected = rows(include_str!("fixtures/dialects.txt"));
    let told = expected.iter().map(|row| (Dialect::of(row[0], row[1]), row[2], codes(row[3])));
    let told: Vec<_> = told.collect();
    for dialect in Dialect::all().chain([&Dialect::COMMON]) {
        for (key, range) in dialect.codes() {
            let named = |(of, told_key, codes): &(&Dialect, &str, Vec<AdditionalSense>)| {
                let key = key.map_or_else(|| "*".into(), |key| format!("{:X}", key.code()));
                // Products that say the same share their rows.
                of.codes().eq(dialect.codes())
                    && (*told_key == key || key == "*")
                    && codes.iter().any(|code| range.contains(*code))
            };
            assert!(told.iter().any(named), "{} {} {key:?} {range:?}", dialect.vendor, dialect.product);
        }
    }
}

#[test]
fn every_code_of_an_element_has_the_condition_of_the_reference() {
    for fixture in rows(include_str!("fixtures/element_codes.txt")) {
        let [vendor, product, told, condition] = fixture[..] else { panic!("{fixture:?}") };
        for code in codes(told) {
            let said = format!("{:?}", Dialect::of(vendor, product).element(code));
            assert_eq!(said, condition, "{vendor} {product} {code}");
        }
    }
}

#[test]
fn no_code_is_in_two_rows_of_one_key() {
    for key in (0..16).map(SenseKey::from_bits) {
        for (asc, ascq) in (0..=255).flat_map(|asc| (0..=255).map(move |ascq| (asc, ascq))) {
            let code = AdditionalSense::new(asc, ascq);
            let fits = |row: &&SenseRow| {
                row.keys.contains(&key) && row.codes.iter().any(|range| range.contains(code))
            };
            assert!(SenseRow::all().filter(fits).count() <= 1, "{key:?} {code}");
        }
    }
}

#[test]
fn every_single_code_of_the_standard_has_its_name() {
    for row in SenseRow::all() {
        for range in
            row.codes.iter().filter(|range| range.asc.0 == range.asc.1 && range.ascq.0 == range.ascq.1)
        {
            let code = AdditionalSense::new(range.asc.0, range.ascq.0);
            assert!(code.meaning().is_some(), "{code} has no name");
        }
    }
}

#[test]
fn every_alert_of_the_reference_has_its_severity_and_its_action() {
    let expected = rows(include_str!("fixtures/tapealert.txt"));
    assert_eq!(expected.len(), CHANGER_ALERTS.len() + DRIVE_ALERTS_OF_REFERENCE);
    for fixture in expected {
        let [device, number, word, severity, action] = fixture[..] else { panic!("{fixture:?}") };
        let number: u8 = number.parse().expect("a number");
        let alert = match device {
            "changer" => TapeAlert::of_changer(number),
            _ => TapeAlert::of_drive(number),
        };
        let alert = alert.unwrap_or_else(|| panic!("{device} has no flag {number}"));
        assert_eq!(alert.number, number);
        assert!(alert.name.to_lowercase().contains(word), "{alert:?} says nothing of {word}");
        match severity {
            "C" | "!" => assert_eq!(alert.severity, AlertSeverity::Critical, "{alert:?}"),
            "W" => assert_eq!(alert.severity, AlertSeverity::Warning, "{alert:?}"),
            "I" => assert_eq!(alert.severity, AlertSeverity::Information, "{alert:?}"),
            _ => {}
        }
        assert_eq!(format!("{:?}", alert.action), action, "{alert:?}");
    }
}

/// All but flags 40, 43, 44 and 46: old ones of loaders that the reference does not name.
const DRIVE_ALERTS_OF_REFERENCE: usize = 57;

#[test]
fn flags_are_in_the_order_of_their_numbers() {
    for alerts in [&CHANGER_ALERTS[..], &DRIVE_ALERTS[..]] {
        assert!(alerts.iter().map(|alert| alert.number).eq(1..=alerts.len() as u8));
    }
    assert_eq!((TapeAlert::of_changer(0), TapeAlert::of_changer(33)), (None, None));
    assert_eq!(
        (TapeAlert::of_drive(0), TapeAlert::of_drive(62), TapeAlert::of_drive(64)),
        (None, None, None)
    );
    let inventory = TapeAlert::of_changer(24).expect("a flag");
    assert_eq!((inventory.severity, inventory.action), (AlertSeverity::Critical, AlertAction::Reinventory));
}
