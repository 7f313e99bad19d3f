//! What a device said to a command.

use crate::Status;

/// The most sense bytes that are kept: what the kernel keeps.
pub const SENSE_MAX: usize = 96;

/// What a device answered. CHECK CONDITION is an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// How many bytes of data came in.
    pub transferred: usize,
    /// How many bytes the kernel says were not transferred; 0 where it says what cannot be.
    pub residual: u32,
    pub(super) sense: [u8; SENSE_MAX],
    pub(super) sense_length: u8,
}

impl Answer {
    /// The sense data; empty where none came.
    pub fn sense(&self) -> &[u8] {
        self.sense.get(..usize::from(self.sense_length)).unwrap_or(&self.sense)
    }
}
