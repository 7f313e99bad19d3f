//! What a medium is, and what is written on it.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

/// What is written where a medium's label stands (RSM: OMID, on-media identifier).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    /// The format that claims it (RSM: the label type).
    pub format: Arc<str>,
    /// What tells this medium from others of its format (RSM: the label id); at most [`Label::MAX_ID`] bytes are kept.
    pub id: Arc<[u8]>,
    /// For people; may be empty.
    pub description: Arc<str>,
}

impl Label {
    /// The longest id that is kept, in bytes: RSM's bound.
    pub const MAX_ID: usize = 255;
    /// The longest format and the longest description that are kept, in bytes: what a store keeps of a name or a text.
    pub const MAX_TEXT: usize = 4096;

    /// Whether both say the same medium: format and id tell it, the description is for people and may be worded otherwise.
    pub fn is_of_same_medium(&self, other: &Self) -> bool {
        self.format == other.format && self.id == other.id
    }

    /// Whether a store keeps all of it.
    pub(crate) fn can_be_kept(&self) -> bool {
        let texts = [&self.format, &self.description];
        self.id.len() <= Self::MAX_ID && texts.iter().all(|text| text.len() <= Self::MAX_TEXT)
    }
}

impl fmt::Display for Label {
    /// The format, and the id as text where it is text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match core::str::from_utf8(&self.id) {
            Ok(text) if text.chars().all(|c| !c.is_control()) => write!(f, "{} {text}", self.format),
            _ => {
                let hex: String = self.id.iter().map(|byte| alloc::format!("{byte:02x}")).collect();
                write!(f, "{} {hex}", self.format)
            }
        }
    }
}

/// What a cartridge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediumKind {
    /// Data.
    Data,
    /// Cleaning a drive.
    Cleaning,
    /// Nothing tells.
    Unknown,
}

impl fmt::Display for MediumKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "a data cartridge",
            Self::Cleaning => "a cleaning cartridge",
            Self::Unknown => "a cartridge of unknown kind",
        })
    }
}

/// What is known of a cleaning cartridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Cleaner {
    /// How often it can be used yet; `None`: not counted (RSM: `dwCleanerUsesRemaining`).
    pub uses_left: Option<u32>,
}
