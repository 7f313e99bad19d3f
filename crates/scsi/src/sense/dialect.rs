//! What vendors mean by codes of their own.

use super::advice::{Action, Advice};
use super::table::CodeRange;
use super::{AdditionalSense, Sense, SenseKey};

/// What a code in an element descriptor (EXCEPT set) says of the element. It never takes the element away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementCondition {
    /// The label is missing or could not be read.
    LabelMissing,
    /// The label was read, but may be wrong.
    LabelSuspect,
    /// Nobody has looked into the element yet: INITIALIZE ELEMENT STATUS would tell.
    NotScanned,
    /// There is a cleaning cartridge.
    Cleaning,
    /// There is no magazine, or it cannot be reached.
    NoMagazine,
    /// There is no drive.
    NoDrive,
    /// The drive is switched off or not configured.
    DriveOff,
    /// The drive needs cleaning.
    DriveNeedsCleaning,
    /// The slot is reserved.
    Reserved,
    /// Something else.
    Exception(AdditionalSense),
}

/// What the codes of a vendor's products mean, where they are not the standard's.
#[derive(Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Vendor, as in INQUIRY data; empty for what is common to all.
    pub vendor: &'static str,
    /// How the product begins, as in INQUIRY data.
    pub product: &'static str,
    /// The dialect of the family: what this one does not say is said there.
    pub(super) family: Option<&'static Dialect>,
    pub(super) sense: &'static [DialectRow],
    pub(super) elements: &'static [(AdditionalSense, ElementCondition)],
}

/// A vendor's code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DialectRow {
    /// With this key only; `None`: with any.
    pub(super) key: Option<SenseKey>,
    pub(super) codes: CodeRange,
    pub(super) meaning: &'static str,
    pub(super) actions: &'static [Action],
}

impl Dialect {
    /// The codes that it has of its own, beside those of its family: with a key, or with any.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = (Option<SenseKey>, CodeRange)> {
        self.sense.iter().map(|row| (row.key, row.codes))
    }

    /// This dialect, that of its family, and what is common to all.
    fn line(&self) -> impl Iterator<Item = &Self> {
        let family = core::iter::successors(Some(self), |dialect| dialect.family);
        family.chain([&Self::COMMON])
    }

    fn row(&self, sense: &Sense) -> Option<&'static DialectRow> {
        let fits =
            |row: &&DialectRow| row.key.is_none_or(|key| key == sense.key) && row.codes.contains(sense.code);
        self.line().find_map(|dialect| dialect.sense.iter().find(fits))
    }

    /// What sense data mean in this dialect.
    pub fn meaning(&self, sense: &Sense) -> Option<&'static str> {
        let own = self.row(sense).map(|row| row.meaning);
        own.or_else(|| sense.meaning()).or_else(|| sense.row().map(|row| row.meaning))
    }

    /// What to do about sense data in this dialect.
    pub fn advice(&self, sense: &Sense) -> Advice {
        self.row(sense).map_or_else(|| sense.advice(), |row| Advice::new(row.actions))
    }

    /// What a code in an element descriptor says of the element.
    pub fn element(&self, code: AdditionalSense) -> ElementCondition {
        let mut rows = self.line().flat_map(|dialect| dialect.elements);
        rows.find(|(of, _)| *of == code)
            .map_or(ElementCondition::Exception(code), |(_, condition)| *condition)
    }
}
