//! The numbers that both sides count by: which commands have arrived and may follow (ExpCmdSN, MaxCmdSN), and whether an
//! answer is missing (StatSN).

use super::Initiator;
use crate::serial;

/// The longest gap in the status numbers that a PDU which carries none of its own is believed to show. Answers that are
/// missing are fewer than commands in flight; what is further away is a field that the target leaves as it comes.
const MAX_GAP: u32 = 4096;

/// What the number of a status says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It is a new one.
    Next,
    /// Its number was used before.
    Again,
}

impl Initiator {
    /// MaxCmdSN only grows, and a value below ExpCmdSN - 1 is void (RFC 7143 section 4.2.2.1).
    pub(super) fn open_window(&mut self, expected: u32, max: u32) {
        let sent = serial::at_or_before(expected, self.command_sn);
        if sent && serial::before(self.acknowledged_sn, expected) {
            self.acknowledged_sn = expected;
        }
        let valid = serial::at_or_before(expected.wrapping_sub(1), max);
        if valid && serial::before(self.max_command_sn, max) {
            self.max_command_sn = max;
        }
    }

    /// Takes the number of a status. A gap before it is an answer that was lost, whose caller would wait for it in vain: at
    /// error recovery level 0 that ends the session (RFC 7143 section 7.9), once what came with this number is taken.
    pub(super) fn take_status_sn(&mut self, status_sn: u32) -> Status {
        if serial::before(status_sn, self.expected_status_sn) {
            return Status::Again;
        }
        self.status_lost |= status_sn != self.expected_status_sn;
        self.expected_status_sn = status_sn.wrapping_add(1);
        Status::Next
    }

    /// Looks at the number of the next status, as PDUs tell it that carry no status (R2T, pings of the target).
    pub(super) fn watch_status_sn(&mut self, status_sn: u32) {
        let ahead = status_sn.wrapping_sub(self.expected_status_sn);
        self.status_lost |= (1..=MAX_GAP).contains(&ahead);
    }
}
