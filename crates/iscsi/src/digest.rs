//! CRC32C digests over headers and data (RFC 7143 sections 11.2 and 13.1).

/// The generator polynomial of Castagnoli, its bits reversed (RFC 7143 section 13.1).
const POLYNOMIAL: u32 = 0x82F6_3B78;

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

/// The CRC32C of some bytes. On the wire its bytes stand in little-endian order (RFC 7143 appendix A).
pub fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ crc >> 8)
}

/// How many bytes a digest takes.
pub(crate) const DIGEST_LENGTH: usize = 4;

/// Which parts of a PDU carry a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digests {
    /// Each header is followed by its digest.
    pub header: bool,
    /// Each data segment is followed by its digest.
    pub data: bool,
}

/// What is said about digests in a login, on either side. Both kinds are treated alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum DigestPolicy {
    /// None, unless the other side wants them: TCP has its own checksum, and digests cost time.
    #[default]
    Accept,
    /// Digests, where the other side has them.
    Prefer,
    /// Digests, or no session.
    Require,
    /// No digests, or no session.
    Refuse,
}

/// No digest, as the keys say it.
const NONE: &str = "None";
/// CRC32C, as the keys say it.
const CRC32C: &str = "CRC32C";

impl DigestPolicy {
    /// The list that an initiator offers, the best first.
    pub(crate) fn offer(self) -> &'static str {
        match self {
            Self::Accept => "None,CRC32C",
            Self::Prefer => "CRC32C,None",
            Self::Require => CRC32C,
            Self::Refuse => NONE,
        }
    }

    /// Whether a target's answer means digests; `None` when it cannot be agreed to.
    pub(crate) fn accept(self, answer: &str) -> Option<bool> {
        match answer {
            NONE if self != Self::Require => Some(false),
            CRC32C if self != Self::Refuse => Some(true),
            _ => None,
        }
    }

    /// What a target takes from an initiator's list; `None` when nothing in it will do.
    pub(crate) fn choose(self, offered: &str) -> Option<&'static str> {
        let known = |value: &str| [NONE, CRC32C].into_iter().find(|known| *known == value);
        let mut acceptable =
            offered.split(',').filter_map(known).filter(|value| self.accept(value).is_some());
        let first = acceptable.next()?;
        if self == Self::Prefer && acceptable.any(|value| value == CRC32C) {
            Some(CRC32C)
        } else {
            Some(first)
        }
    }

    /// What holds when the other side says nothing about digests; `None` when that will not do.
    pub(crate) fn unsaid(self) -> Option<bool> {
        self.accept(NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_come_out() {
        // RFC 7143 appendix A.4.
        let ascending: Vec<u8> = (0..32).collect();
        let descending: Vec<u8> = (0..32).rev().collect();
        for (bytes, wire) in [
            (&[0; 32][..], [0xAA, 0x36, 0x91, 0x8A]),
            (&[0xFF; 32], [0x43, 0xAB, 0xA8, 0x62]),
            (&ascending, [0x4E, 0x79, 0xDD, 0x46]),
            (&descending, [0x5C, 0xDB, 0x3F, 0x11]),
        ] {
            assert_eq!(crc32c(bytes).to_le_bytes(), wire);
        }
    }

    #[test]
    fn two_policies_agree_on_what_both_can_live_with() {
        use DigestPolicy::{Accept, Prefer, Refuse, Require};
        for (initiator, target, chosen) in [
            (Accept, Accept, Some("None")),
            (Accept, Prefer, Some("CRC32C")),
            (Accept, Require, Some("CRC32C")),
            (Accept, Refuse, Some("None")),
            (Prefer, Accept, Some("CRC32C")),
            (Prefer, Refuse, Some("None")),
            (Require, Accept, Some("CRC32C")),
            (Require, Refuse, None),
            (Refuse, Prefer, Some("None")),
            (Refuse, Require, None),
        ] {
            assert_eq!(target.choose(initiator.offer()), chosen, "{initiator:?} with {target:?}");
            if let Some(chosen) = chosen {
                assert_eq!(
                    initiator.accept(chosen),
                    Some(chosen == "CRC32C"),
                    "{initiator:?} with {target:?}"
                );
            }
        }
        assert_eq!(Accept.choose("SHA-256"), None);
    }
}
