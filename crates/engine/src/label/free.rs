//! The manager's own label of a free medium (RSM: the free label, there an MTF tape header).
//!
//! One block of 512 bytes at the beginning of the tape, a filemark behind it. Numbers are big-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0–15 | magic: `AUTOCHANGER FREE` |
//! | 16–17 | version: 1 |
//! | 18–33 | the label's id, a UUID: drawn anew for each label |
//! | 34–41 | when it was written, in milliseconds since 1970-01-01 UTC |
//! | 42–507 | zero in version 1; readers of version 1 pass over it |
//! | 508–511 | CRC-32 (IEEE 802.3) of bytes 0–507 |

use alloc::vec::Vec;

use uuid::Uuid;

use crate::catalog::Label;
use crate::time::WallTime;

const MAGIC: &[u8; 16] = b"AUTOCHANGER FREE";
const VERSION: u16 = 1;
/// A block of the size that every tape drive takes, and more than the label needs: room for later versions.
const LENGTH: usize = 512;
const CHECKED: usize = LENGTH - 4;

/// The label of a medium that carries nobody's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeLabel {
    /// Tells this label from all others.
    pub medium: Uuid,
    /// When it was written.
    pub created: WallTime,
}

impl FreeLabel {
    /// [`Label::format`] of a free label.
    pub const FORMAT: &'static str = "autochanger free";

    /// The block that is written.
    pub fn to_block(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(LENGTH);
        block.extend_from_slice(MAGIC);
        block.extend_from_slice(&VERSION.to_be_bytes());
        block.extend_from_slice(self.medium.as_bytes());
        block.extend_from_slice(&self.created.0.to_be_bytes());
        block.resize(CHECKED, 0);
        let sum = crc32(&block);
        block.extend_from_slice(&sum.to_be_bytes());
        block
    }

    /// Reads a block; `None` if it is no free label, is damaged, or is of a later version, of which nothing is known here.
    pub fn parse(block: &[u8]) -> Option<Self> {
        let checked = block.get(..CHECKED)?;
        let sum = u32::from_be_bytes(field(block, CHECKED)?);
        if block.len() != LENGTH || !Self::is_begun(block) || crc32(checked) != sum {
            return None;
        }
        if u16::from_be_bytes(field(block, 16)?) != VERSION {
            return None;
        }
        let medium = Uuid::from_bytes(field(block, 18)?);
        let created = WallTime(u64::from_be_bytes(field(block, 34)?));
        Some(Self { medium, created })
    }

    /// Whether somebody began to write a free label, complete or not: there is nobody's data on such a medium.
    pub(crate) fn is_begun(block: &[u8]) -> bool {
        block.starts_with(MAGIC)
    }

    /// As it is kept in the catalogue.
    pub fn to_label(&self) -> Label {
        Label {
            format: Self::FORMAT.into(),
            id: self.medium.as_bytes().as_slice().into(),
            description: "".into(),
        }
    }
}

fn field<const N: usize>(block: &[u8], at: usize) -> Option<[u8; N]> {
    block.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// CRC-32 of IEEE 802.3, bit by bit: it is reckoned once for a tape, so that a table would be for nothing.
fn crc32(bytes: &[u8]) -> u32 {
    let sum =
        bytes.iter().fold(u32::MAX, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 }
            })
        });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> FreeLabel {
        FreeLabel { medium: Uuid::from_u128(0x0102_0304), created: WallTime(1_767_225_600_000) }
    }

    #[test]
    fn the_checksum_is_that_of_ieee_802_3() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_free_label_is_read_as_it_was_written() {
        let block = label().to_block();
        assert_eq!(block.len(), LENGTH);
        assert_eq!(&block[..18], b"AUTOCHANGER FREE\x00\x01");
        assert_eq!(FreeLabel::parse(&block), Some(label()));
    }

    #[test]
    fn a_free_label_with_any_bit_changed_or_cut_anywhere_is_none() {
        let block = label().to_block();
        for bit in 0..LENGTH * 8 {
            let mut damaged = block.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FreeLabel::parse(&damaged), None, "bit {bit}");
        }
        for length in 0..LENGTH {
            assert_eq!(FreeLabel::parse(&block[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn a_later_version_is_not_taken_for_this_one() {
        let mut block = label().to_block();
        block[17] = 2;
        let sum = crc32(&block[..CHECKED]);
        block[CHECKED..].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(FreeLabel::parse(&block), None);
    }
}
