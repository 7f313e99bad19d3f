//! What a disk can hold after the power was cut.
//!
//! What was synced is there. Of what was written since, each sector holds any of the contents that it had, and the file
//! has any of the lengths: so writings are lost, overtake each other, and are torn between sectors, as disks do it.

use std::collections::BTreeMap;

use super::disk::{Op, apply};

/// What disks write whole or not at all.
const SECTOR: usize = 512;

/// A sequence of numbers that a seed tells (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// What becomes of that which was written and not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsynced {
    Lost,
    Kept,
    /// Some of it, sector by sector; the seed says what.
    Mixed(u64),
}

/// The disk while a log is read, at one place of it.
pub(crate) struct Power {
    /// As it was when it was last synced.
    durable: Vec<u8>,
    /// As the system saw it.
    seen: Vec<u8>,
    /// Of each sector that was written since: what it held, the oldest first.
    held: BTreeMap<usize, Vec<Vec<u8>>>,
    lengths: Vec<usize>,
}

impl Power {
    pub(crate) fn on(content: &[u8]) -> Self {
        Self {
            durable: content.to_vec(),
            seen: content.to_vec(),
            held: BTreeMap::new(),
            lengths: vec![content.len()],
        }
    }

    /// Goes on by one operation.
    pub(crate) fn pass(&mut self, op: &Op) {
        let old = self.seen.len();
        apply(op, &mut self.seen).expect("it went well when it was recorded");
        match op {
            Op::Sync => {
                self.durable.clone_from(&self.seen);
                self.held.clear();
                self.lengths = vec![self.seen.len()];
            }
            Op::Write { offset, data } => {
                let start = *offset as usize;
                self.remember(start, start + data.len());
            }
            Op::SetLength(length) => {
                self.lengths.push(*length as usize);
                self.remember(old.min(*length as usize), old.max(*length as usize));
            }
        }
    }

    fn remember(&mut self, start: usize, end: usize) {
        for sector in start / SECTOR..end.div_ceil(SECTOR) {
            let content = sector_of(&self.seen, sector);
            self.held.entry(sector).or_default().push(content);
        }
    }

    /// Whether there is anything that could be lost.
    pub(crate) fn has_unsynced(&self) -> bool {
        !self.held.is_empty() || self.lengths.len() > 1
    }

    /// What is there when the power comes back.
    pub(crate) fn cut(&self, unsynced: Unsynced) -> Vec<u8> {
        match unsynced {
            Unsynced::Lost => self.durable.clone(),
            Unsynced::Kept => self.seen.clone(),
            Unsynced::Mixed(seed) => {
                let mut dice = Dice::new(seed);
                let mut content = self.durable.clone();
                content.resize(self.lengths[dice.below(self.lengths.len())], 0);
                // Some cuts lose nearly all and some nearly nothing.
                let luck = 1 + dice.below(9);
                for (sector, held) in &self.held {
                    if dice.below(10) < luck {
                        put_sector(&mut content, *sector, &held[dice.below(held.len())]);
                    }
                }
                content
            }
        }
    }
}

fn sector_of(content: &[u8], sector: usize) -> Vec<u8> {
    let start = (sector * SECTOR).min(content.len());
    let mut bytes = content[start..content.len().min(start + SECTOR)].to_vec();
    bytes.resize(SECTOR, 0);
    bytes
}

fn put_sector(content: &mut [u8], sector: usize, bytes: &[u8]) {
    let start = (sector * SECTOR).min(content.len());
    let end = content.len().min(start + SECTOR);
    content[start..end].copy_from_slice(&bytes[..end - start]);
}
