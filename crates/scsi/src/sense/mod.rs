//! Sense data and status: what a device says when a command does not simply succeed (SPC).

mod advice;
mod data;
mod dialect;
mod dialect_table;
mod judgement;
mod key;
mod meaning;
mod status;
mod table;

pub use self::advice::{Action, Advice};
pub use self::data::{FieldPointer, Sense};
pub use self::dialect::{Dialect, ElementCondition};
pub use self::key::SenseKey;
pub use self::status::Status;
pub use self::table::{CodeRange, SenseRow};

use core::fmt;

/// Additional sense code and qualifier. Displayed as `3B/0E`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "ASC")]
#[doc(alias = "ASCQ")]
pub struct AdditionalSense {
    /// Additional sense code.
    pub asc: u8,
    /// Additional sense code qualifier.
    pub ascq: u8,
}

impl AdditionalSense {
    /// Code and qualifier.
    pub const fn new(asc: u8, ascq: u8) -> Self {
        Self { asc, ascq }
    }

    /// What the standard calls it, for codes that changers and tape drives send. `None` for vendor codes
    /// (80h and up), whose meaning depends on the product.
    pub fn meaning(self) -> Option<&'static str> {
        meaning::meaning(self)
    }
}

impl fmt::Display for AdditionalSense {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02X}/{:02X}", self.asc, self.ascq)
    }
}
