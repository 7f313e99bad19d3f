//! The words between the device and whoever carries its commands.

use alloc::vec;
use alloc::vec::Vec;

use autochanger_scsi::{AdditionalSense, Sense, SenseKey, Status};

/// One initiator's connection to the target. Unit attentions and PREVENT belong to a nexus (SAM-5 5.14, SPC-4 6.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nexus(pub u32);

/// Where a command goes, and from whom: a logical unit as one nexus sees it.
///
/// Logical unit 0 is the changer, `1..` are the drives. A plain number is that logical unit on nexus 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Unit {
    /// Who sends.
    pub nexus: Nexus,
    /// The logical unit number.
    pub lun: u16,
}

impl From<u16> for Unit {
    fn from(lun: u16) -> Self {
        Self { nexus: Nexus(0), lun }
    }
}

/// Names a command from its submission to its outcome. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

/// What the device answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The SCSI status.
    pub status: Status,
    /// Sense data in fixed format (SPC-4 4.5.3) with CHECK CONDITION; else empty.
    pub sense: Vec<u8>,
    /// The data that was transferred: at most the allocation length, and at most what the initiator would take.
    pub data: Vec<u8>,
}

impl Answer {
    /// GOOD without data.
    pub fn good() -> Self {
        Self::status(Status::Good)
    }

    /// GOOD with data.
    pub fn data(data: Vec<u8>) -> Self {
        Self { status: Status::Good, sense: Vec::new(), data }
    }

    /// A status alone.
    pub fn status(status: Status) -> Self {
        Self { status, sense: Vec::new(), data: Vec::new() }
    }

    /// CHECK CONDITION with its sense data.
    pub fn check(sense: &Sense) -> Self {
        Self { status: Status::CheckCondition, sense: sense.to_fixed().to_vec(), data: Vec::new() }
    }
}

/// How a command ended, seen from the initiator.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was answered.
    Answered(Answer),
    /// It never reached the device.
    NotDelivered,
    /// It reached the device, and its answer never comes: a reply or the connection was lost, or the command was
    /// aborted. Whether it took effect is not known to the initiator.
    Lost,
}

/// Data as it is transferred: no more than was allocated, no more than the initiator takes.
pub(crate) fn transfer(mut data: Vec<u8>, allocation: u32, room: u32) -> Answer {
    data.truncate(usize::try_from(allocation.min(room)).unwrap_or(usize::MAX));
    Answer::data(data)
}

pub(crate) fn written(size: usize, write: impl FnOnce(&mut [u8]) -> usize) -> Vec<u8> {
    let mut data = vec![0; size];
    let length = write(&mut data);
    data.truncate(length);
    data
}

/// Sense data of a key and a code.
pub(crate) fn sense(key: SenseKey, asc: u8, ascq: u8) -> Sense {
    Sense::new(key, asc, ascq)
}

/// ILLEGAL REQUEST with a code.
pub(crate) fn illegal(asc: u8, ascq: u8) -> Sense {
    sense(SenseKey::IllegalRequest, asc, ascq)
}

/// NOT READY with a code.
pub(crate) fn not_ready(asc: u8, ascq: u8) -> Sense {
    sense(SenseKey::NotReady, asc, ascq)
}

/// UNIT ATTENTION with a code.
pub(crate) fn attention(code: AdditionalSense) -> Sense {
    sense(SenseKey::UnitAttention, code.asc, code.ascq)
}
