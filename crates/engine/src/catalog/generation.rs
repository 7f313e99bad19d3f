//! Which drive generation can read or write which cartridge generation. What is not known is not refused.

use alloc::string::String;
use core::fmt;

use crate::request::Access;

/// An LTO generation, of a cartridge or of a drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Generation(u8);

impl Generation {
    pub(crate) fn number(self) -> u8 {
        self.0
    }
}

/// What a cartridge's label says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Medium {
    Lto(Generation),
    /// LTO type M.
    M8,
    /// WORM media: written like the others, once.
    Worm(Generation),
    /// Another identifier, which only the configuration may know.
    Other([u8; 2]),
}

/// A rule of the configuration for which medium works in which drive. It goes before what is known of LTO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compatibility {
    /// How the drive's product begins (INQUIRY, product identification), in capitals or not; empty: any drive.
    pub drive: String,
    /// The medium identifier: the two characters with which labels of eight end, such as `L7`.
    pub medium: String,
    /// The drive can read it.
    pub read: bool,
    /// The drive can write it.
    pub write: bool,
}

impl Compatibility {
    /// Whether it speaks of the drive. One whose product is not known is spoken of by rules for any drive only.
    pub(crate) fn is_for(&self, product: Option<&str>) -> bool {
        let begins = |product: &str| {
            product.get(..self.drive.len()).is_some_and(|start| start.eq_ignore_ascii_case(&self.drive))
        };
        self.drive.is_empty() || product.is_some_and(begins)
    }

    /// What it says of the medium; `None`: nothing.
    pub(crate) fn allows(&self, medium: Medium, access: Access) -> Option<bool> {
        let mine = self.medium.chars().map(|c| c.to_ascii_uppercase());
        (identifier(mine)? == medium).then_some(match access {
            Access::Read => self.read,
            Access::ReadWrite => self.read && self.write,
        })
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LTO-{}", self.0)
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lto(generation) => generation.fmt(f),
            Self::M8 => f.write_str("LTO-8 type M"),
            Self::Worm(generation) => write!(f, "{generation} WORM"),
            Self::Other([one, two]) => write!(f, "media of type {}{}", char::from(*one), char::from(*two)),
        }
    }
}

/// The medium identifier: the last two of eight characters of a label.
pub(crate) fn of_label(barcode: &str) -> Option<Medium> {
    let (number, end) = barcode.split_at_checked(6)?;
    number.chars().all(|c| c.is_ascii_alphanumeric()).then(|| identifier(end.chars())).flatten()
}

fn identifier(mut characters: impl Iterator<Item = char>) -> Option<Medium> {
    let (kind, generation, None) = (characters.next()?, characters.next()?, characters.next()) else {
        return None;
    };
    match (kind, generation) {
        // An LTO-7 medium that an LTO-8 drive has formatted to a density between the two.
        ('M', '8') => Some(Medium::M8),
        ('L', '1'..='9') => Some(Medium::Lto(Generation(generation as u8 - b'0'))),
        ('L', 'A') => Some(Medium::Lto(Generation(10))),
        ('L', 'T'..='Z') => Some(Medium::Worm(Generation(generation as u8 - b'T' + 3))),
        _ if kind.is_ascii_alphanumeric() && generation.is_ascii_alphanumeric() => {
            Some(Medium::Other([kind as u8, generation as u8]))
        }
        _ => None,
    }
}

/// The generation in an LTO drive's product identification: `ULT3580-TD8`, `ULTRIUM-HH8`, `Ultrium 8-SCSI`, `LTO3 ULTRIUM`.
pub(crate) fn of_drive(product: &str) -> Option<Generation> {
    let upper = |c: char| c.to_ascii_uppercase();
    let contains = |word: &str| {
        product.char_indices().any(|(at, _)| {
            product.get(at..).is_some_and(|rest| {
                let mut rest = rest.chars().map(upper);
                word.chars().all(|c| rest.next() == Some(c))
            })
        })
    };
    if !contains("ULT") && !contains("LTO") {
        return None;
    }
    // The product number of IBM's drives is not their generation.
    let words = product.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.ends_with("3580"));
    words
        .filter_map(|word| {
            let digits = word.trim_start_matches(|c: char| !c.is_ascii_digit());
            digits.parse::<u8>().ok().filter(|generation| (1..=10).contains(generation))
        })
        .map(Generation)
        .next()
}

/// Whether a drive can use the medium so. LTO drives read two generations back up to LTO-7, then one; LTO-10 none.
pub(crate) fn fits(drive: Generation, medium: Medium, access: Access) -> bool {
    let generation = match medium {
        Medium::Lto(generation) | Medium::Worm(generation) => generation,
        // Type M is read and written by LTO-8 drives alone.
        Medium::M8 => return drive.0 == 8,
        Medium::Other(_) => return true,
    };
    let back = match (drive.0, access) {
        (10.., _) => 0,
        (8..=9, _) => 1,
        (_, Access::Read) => 2,
        (_, Access::ReadWrite) => 1,
    };
    generation <= drive && drive.0 - generation.0 <= back
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_their_generation_or_nothing() {
        assert_eq!(of_label("VT0001L8"), Some(Medium::Lto(Generation(8))));
        assert_eq!(of_label("VT0001LA"), Some(Medium::Lto(Generation(10))));
        assert_eq!(of_label("VT0001M8"), Some(Medium::M8));
        assert_eq!(of_label("VT0001LY"), Some(Medium::Worm(Generation(8))));
        assert_eq!(of_label("CLN001CU"), Some(Medium::Other(*b"CU")));
        for other in ["VT0001", "TAPE-1L8", "", "VT0001L", "VT00001L8", "ÄÖÜ001L8"] {
            assert_eq!(of_label(other), None, "{other}");
        }
    }

    #[test]
    fn products_tell_their_generation_or_nothing() {
        for (product, generation) in [
            ("ULT3580-TD8", 8),
            ("ULTRIUM-HH9", 9),
            ("Ultrium 7-SCSI", 7),
            ("LTO3 ULTRIUM", 3),
            ("ULTRIUM-TD5", 5),
        ] {
            assert_eq!(of_drive(product), Some(Generation(generation)), "{product}");
        }
        for other in ["T10000B", "SDLT600", "ULTRIUM", ""] {
            assert_eq!(of_drive(other), None, "{other}");
        }
    }

    #[test]
    fn a_rule_speaks_of_the_drives_and_media_that_it_names() {
        let rule =
            Compatibility { drive: "ult3580-td9".into(), medium: "L7".into(), read: true, write: false };
        assert!(rule.is_for(Some("ULT3580-TD9")) && !rule.is_for(Some("ULT3580-TD8")) && !rule.is_for(None));
        let l7 = Medium::Lto(Generation(7));
        assert_eq!(rule.allows(l7, Access::Read), Some(true));
        assert_eq!(rule.allows(l7, Access::ReadWrite), Some(false));
        assert_eq!(rule.allows(Medium::M8, Access::Read), None);
        assert!(Compatibility { drive: String::new(), ..rule }.is_for(None));
    }

    #[test]
    fn each_generation_reads_and_writes_what_it_can() {
        use Access::*;
        let lto = |generation| Medium::Lto(Generation(generation));
        for (drive, medium, access, expected) in [
            (8, lto(8), ReadWrite, true),
            (8, lto(7), ReadWrite, true),
            (8, lto(6), Read, false),
            (7, lto(5), Read, true),
            (7, lto(5), ReadWrite, false),
            (7, lto(8), Read, false),
            (9, lto(8), ReadWrite, true),
            (9, lto(7), Read, false),
            (10, lto(10), ReadWrite, true),
            (10, lto(9), Read, false),
            (8, Medium::M8, ReadWrite, true),
            (9, Medium::M8, Read, false),
            (7, Medium::M8, Read, false),
        ] {
            assert_eq!(fits(Generation(drive), medium, access), expected, "{drive} {medium} {access:?}");
        }
    }
}
