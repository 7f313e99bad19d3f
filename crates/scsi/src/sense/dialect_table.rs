//! Vendors' codes, by the products that send them.

use Action::*;
use ElementCondition as Element;
use SenseKey::{AbortedCommand, HardwareError, IllegalRequest, NotReady};

use super::advice::Action;
use super::dialect::{Dialect, DialectRow, ElementCondition};
use super::table::{CodeRange, code, codes};
use super::{AdditionalSense, SenseKey};

const fn sense(
    key: SenseKey,
    codes: CodeRange,
    meaning: &'static str,
    actions: &'static [Action],
) -> DialectRow {
    DialectRow { key: Some(key), codes, meaning, actions }
}

const fn any(codes: CodeRange, meaning: &'static str, actions: &'static [Action]) -> DialectRow {
    DialectRow { key: None, codes, meaning, actions }
}

const fn element(asc: u8, ascq: u8, condition: Element) -> (AdditionalSense, Element) {
    (AdditionalSense::new(asc, ascq), condition)
}

impl Dialect {
    /// The dialect of a product, by its INQUIRY data: the one with the longest fitting beginning of the product,
    /// in whatever case. [`Dialect::COMMON`] where none fits.
    pub fn of(vendor: &str, product: &str) -> &'static Self {
        let (vendor, product) = (vendor.trim(), product.trim());
        let fits = |dialect: &&Self| {
            let beginning = product.as_bytes().get(..dialect.product.len());
            dialect.vendor.eq_ignore_ascii_case(vendor)
                && beginning.is_some_and(|it| it.eq_ignore_ascii_case(dialect.product.as_bytes()))
        };
        DIALECTS.iter().filter(fits).max_by_key(|dialect| dialect.product.len()).unwrap_or(&Self::COMMON)
    }

    /// All dialects.
    pub fn all() -> impl ExactSizeIterator<Item = &'static Self> {
        DIALECTS.iter()
    }

    /// What is common to all products, or to so many that it is the best guess.
    pub const COMMON: Self = Self {
        vendor: "",
        product: "",
        family: None,
        sense: &[sense(
            NotReady,
            codes(0x04, 0x82, 0x85),
            "a door or a port is open, or someone pressed pause",
            &[Close, Wait],
        )],
        elements: &[
            element(0x04, 0x02, Element::DriveOff),
            element(0x13, 0x00, Element::LabelSuspect),
            element(0x30, 0x03, Element::Cleaning),
            element(0x30, 0x83, Element::LabelMissing),
            element(0x3B, 0x11, Element::NoMagazine),
            element(0x3B, 0x12, Element::NoMagazine),
            element(0x3B, 0x1A, Element::NoDrive),
            element(0x53, 0x08, Element::NotScanned),
            element(0x80, 0x01, Element::DriveNeedsCleaning),
            element(0x82, 0x00, Element::NoDrive),
            element(0x83, 0x00, Element::LabelMissing),
            element(0x83, 0x01, Element::LabelMissing),
            element(0x83, 0x02, Element::NoMagazine),
            element(0x83, 0x03, Element::LabelSuspect),
            element(0x83, 0x04, Element::NoDrive),
            element(0x83, 0x05, Element::DriveOff),
            element(0x83, 0x09, Element::LabelMissing),
        ],
    };
}

/// IBM 3584, TS3500, TS4500.
const IBM_3584: &[DialectRow] = &[
    sense(NotReady, code(0x04, 0x83), "the library is not configured", &[Operator]),
    sense(NotReady, code(0x04, 0x84), "an I/O station is open", &[Close, Reinventory]),
    sense(NotReady, code(0x04, 0x85), "a door is open, or someone pressed pause", &[Close, Wait]),
    any(code(0x3B, 0x80), "the robot is full", &[Verify, Operator]),
    any(code(0x3B, 0x81), "the element belongs to another logical library", &[State]),
];

/// IBM TS3100 and TS3200, Dell TL2000 and TL4000, HP MSL of that class: all made by BDT.
const BDT: &[DialectRow] = &[
    sense(IllegalRequest, code(0x3B, 0x81), "the cartridge belongs to another partition", &[State]),
    any(code(0x3B, 0xA0), "the robot is full", &[Verify, Operator]),
    sense(IllegalRequest, codes(0x26, 0x90, 0x91), "the firmware image is wrong", &[Caller]),
    sense(IllegalRequest, code(0x26, 0x93), "the firmware image is wrong", &[Caller]),
    any(code(0x44, 0x80), "the controller reports a bad state", &[Verify, Down]),
    any(code(0x44, 0x81), "the source is not ready", &[State]),
    any(code(0x44, 0x82), "the destination is not ready", &[State]),
    any(code(0x44, 0x83), "the element cannot be reserved", &[State]),
    any(code(0x44, 0x84), "the drive is of the wrong type", &[State, Down]),
    any(code(0x44, 0x85), "the controller reports a fault", &[Verify, Operator]),
    any(code(0x44, 0x86), "the robot is not initialized", &[Verify, Wait]),
];

const BDT_ELEMENTS: &[(AdditionalSense, Element)] =
    &[element(0x83, 0x00, Element::NotScanned), element(0x83, 0x01, Element::LabelMissing)];

/// IBM TS3310, Quantum Scalar i500.
const TS3310: &[DialectRow] = &[
    any(code(0x53, 0x81), "an I/O door is open", &[Close]),
    any(codes(0x53, 0x82, 0x83), "an I/O door cannot be locked or unlocked", &[Operator]),
    sense(AbortedCommand, codes(0x08, 0x86, 0xB7), "robot and drive do not understand each other", &[Verify]),
];

const TS3310_ELEMENTS: &[(AdditionalSense, Element)] =
    &[element(0x83, 0x00, Element::LabelSuspect), element(0x83, 0x02, Element::LabelSuspect)];

/// Quantum Scalar i-series.
const SCALAR_I: &[DialectRow] = &[
    any(code(0x3B, 0xA0), "the cartridge's type does not suit the element", &[State, ReturnMedium]),
    any(code(0x40, 0x80), "the hardware failed its diagnostics", &[Verify, Down]),
];

/// STK L20 to L700, SL.
const STK: &[DialectRow] = &[
    sense(NotReady, code(0x04, 0x81), "the library is in maintenance mode", &[Operator]),
    any(code(0x40, 0x01), "the library's hardware failed", &[Verify, Down]),
    any(code(0x40, 0x02), "a drive failed", &[Verify, Suspect]),
    any(code(0x40, 0x03), "a port failed", &[Verify, Operator]),
];

/// Oracle SL150: during a fail-over of ports, the device is offline for a while.
const SL150: &[DialectRow] = &[
    sense(NotReady, code(0x04, 0x12), "a port fails over", &[Retry]),
    sense(AbortedCommand, code(0x08, 0x00), "a port fails over", &[Verify, Retry]),
];

/// HP ESL, EML, SL.
const HP_ESL: &[DialectRow] = &[
    sense(NotReady, code(0x04, 0x83), "a door is open", &[Close, Reinventory]),
    any(code(0x3B, 0xA0), "the robot is full", &[Verify, Operator]),
];

/// Exabyte and Tandberg: Magnum, 224, 448, T24.
const EXABYTE: &[DialectRow] = &[
    sense(NotReady, code(0x04, 0x83), "a door is open", &[Close, Reinventory]),
    sense(NotReady, code(0x04, 0x89), "the library is managed from its console", &[Wait, Operator]),
    sense(NotReady, code(0x04, 0x8D), "someone is in the menu at the panel", &[Wait, Operator]),
    sense(NotReady, code(0x04, 0x8E), "the library works through its slots by itself", &[Operator]),
    sense(HardwareError, code(0x15, 0x81), "a cartridge could not be picked", &[Verify]),
    sense(HardwareError, code(0x15, 0x83), "a cartridge could not be placed", &[Verify]),
    sense(
        IllegalRequest,
        code(0x3B, 0x87),
        "the cartridge is stuck in the drive",
        &[Verify, Suspect, Operator],
    ),
    sense(IllegalRequest, code(0x3B, 0x90), "the drive has to unload first", &[Unload]),
    sense(IllegalRequest, code(0x80, 0x05), "the source drive is not installed", &[State]),
    sense(IllegalRequest, code(0x80, 0x06), "the destination drive is not installed", &[State]),
];

const EXABYTE_ELEMENTS: &[(AdditionalSense, Element)] =
    &[element(0x83, 0x00, Element::LabelSuspect), element(0x83, 0x02, Element::NoMagazine)];

/// Spectra.
const SPECTRA: &[DialectRow] = &[
    sense(NotReady, codes(0x04, 0x83, 0x84), "a door is open", &[Close, Reinventory]),
    any(codes(0x85, 0x00, 0xFF), "someone has to help", &[Operator]),
];

/// ATL, Overland NEO.
const NEO: &[DialectRow] = &[
    any(code(0x80, 0x00), "a door is open", &[Close, Reinventory]),
    any(code(0x80, 0x01), "someone is in the menu at the panel", &[Wait, Operator]),
    any(code(0x83, 0x10), "the hardware failed", &[Verify, Down]),
];

/// Qualstar.
const QUALSTAR: &[DialectRow] = &[
    sense(NotReady, code(0x04, 0x82), "the I/O port is extended", &[Close]),
    sense(NotReady, code(0x04, 0x83), "a door is open", &[Close, Reinventory]),
    sense(NotReady, code(0x04, 0x85), "a door is open", &[Close, Reinventory]),
];

/// Ampex ACL. Its open doors come with key Bh.
const AMPEX: &[DialectRow] = &[
    any(code(0x53, 0xAA), "a cartridge cannot be loaded", &[Verify, Suspect]),
    any(codes(0x55, 0x9A, 0xC3), "the robot failed", &[Verify, Operator]),
    any(code(0x5A, 0x00), "the library is offline", &[Operator]),
    any(code(0x5A, 0x97), "a door is open", &[Close, Reinventory]),
    any(code(0x80, 0x00), "a counter of recovered errors passed its threshold", &[Proceed, ReadAlerts]),
];

const fn dialect(
    vendor: &'static str,
    product: &'static str,
    sense: &'static [DialectRow],
    elements: &'static [(AdditionalSense, Element)],
) -> Dialect {
    Dialect { vendor, product, family: None, sense, elements }
}

impl Dialect {
    const fn of_family(self, family: &'static Self) -> Self {
        Self { family: Some(family), ..self }
    }
}

static STK_SL: Dialect = dialect("STK", "SL", STK, &[]);
static QUANTUM_SCALAR_I: Dialect = dialect("QUANTUM", "Scalar i", SCALAR_I, &[]);

pub(super) static DIALECTS: [Dialect; 26] = [
    dialect("IBM", "03584", IBM_3584, &[]),
    dialect("IBM", "3573", BDT, BDT_ELEMENTS),
    dialect("IBM", "3576", TS3310, TS3310_ELEMENTS),
    dialect("DELL", "TL", BDT, BDT_ELEMENTS),
    dialect("HP", "MSL G3", BDT, BDT_ELEMENTS),
    dialect("HPE", "MSL G3", BDT, BDT_ELEMENTS),
    dialect("HP", "ESL", HP_ESL, &[]),
    dialect("HP", "EML", HP_ESL, &[]),
    dialect("HP", "SL", HP_ESL, &[]),
    dialect("ADIC", "Scalar i", SCALAR_I, &[]),
    dialect("QUANTUM", "Scalar i", SCALAR_I, &[]),
    dialect("ADIC", "Scalar i500", TS3310, TS3310_ELEMENTS).of_family(&QUANTUM_SCALAR_I),
    dialect("QUANTUM", "Scalar i500", TS3310, TS3310_ELEMENTS).of_family(&QUANTUM_SCALAR_I),
    dialect("STK", "L", STK, &[]),
    dialect("STK", "SL", STK, &[]),
    dialect("STK", "SL150", SL150, &[]).of_family(&STK_SL),
    dialect("ORACLE", "SL", STK, &[]),
    dialect("ORACLE", "SL150", SL150, &[]).of_family(&STK_SL),
    dialect("EXABYTE", "", EXABYTE, EXABYTE_ELEMENTS),
    dialect("TANDBERG", "", EXABYTE, EXABYTE_ELEMENTS),
    dialect("SPECTRA", "", SPECTRA, &[element(0x83, 0x02, Element::Reserved)]),
    dialect("ATL", "", NEO, &[]),
    dialect("OVERLAND", "NEO", NEO, &[]),
    dialect("QUALSTAR", "", QUALSTAR, &[]),
    dialect("AMPEX", "", AMPEX, &[]),
    dialect("BDT", "", BDT, BDT_ELEMENTS),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sense;

    #[test]
    fn the_same_code_means_what_the_product_means_by_it() {
        let full = Sense::new(HardwareError, 0x3B, 0xA0);
        let meaning = |vendor, product| Dialect::of(vendor, product).meaning(&full);
        assert_eq!(meaning("IBM", "3573-TL"), Some("the robot is full"));
        assert_eq!(
            meaning("QUANTUM ", "Scalar i6000   "),
            Some("the cartridge's type does not suit the element")
        );
        // What a product does not say for itself its family says.
        assert_eq!(meaning("quantum", "SCALAR I500"), meaning("QUANTUM", "Scalar i40"));
        let questionable = AdditionalSense::new(0x83, 0x02);
        assert_eq!(Dialect::of("EXABYTE", "Magnum 224").element(questionable), Element::NoMagazine);
        assert_eq!(Dialect::of("IBM", "3576-MTL").element(questionable), Element::LabelSuspect);
        assert_eq!(Dialect::of("SPECTRA", "PYTHON").element(questionable), Element::Reserved);
        let unknown = AdditionalSense::new(0x80, 0x5D);
        assert_eq!(Dialect::of("HP", "MSL6000 Series").element(unknown), Element::Exception(unknown));
    }

    #[test]
    fn what_a_dialect_does_not_know_means_what_the_standard_says() {
        let dialect = Dialect::of("EXABYTE", "Magnum 224");
        let empty = Sense::new(IllegalRequest, 0x3B, 0x0E);
        assert_eq!(dialect.advice(&empty), empty.advice());
        assert_eq!(dialect.meaning(&empty), empty.meaning());
        let loaded = Sense::new(IllegalRequest, 0x3B, 0x90);
        assert_eq!(dialect.advice(&loaded).first(), Unload);
        assert_eq!(loaded.advice().first(), Caller);
        assert_eq!(dialect.element(AdditionalSense::new(0x30, 0x03)), Element::Cleaning);
        assert_eq!(Dialect::of("NOBODY", "NOTHING"), &Dialect::COMMON);
        assert_eq!(Dialect::of("IBM", "03"), &Dialect::COMMON);
    }

    #[test]
    fn offline_is_worth_a_retry_only_on_the_library_that_means_a_fail_over() {
        let offline = Sense::new(NotReady, 0x04, 0x12);
        assert_eq!(Dialect::of("STK", "SL150").advice(&offline).first(), Retry);
        assert_eq!(Dialect::of("STK", "SL500").advice(&offline).first(), Operator);
    }

    #[test]
    fn every_row_is_found_and_says_something() {
        for dialect in Dialect::all() {
            assert_eq!(Dialect::of(dialect.vendor, dialect.product), dialect);
            for row in dialect.sense {
                let sense =
                    Sense::new(row.key.unwrap_or(SenseKey::MediumError), row.codes.asc.0, row.codes.ascq.0);
                assert_eq!(dialect.meaning(&sense), Some(row.meaning));
                assert_eq!(dialect.advice(&sense).actions(), row.actions);
                assert!(!row.actions.is_empty());
            }
        }
    }
}
