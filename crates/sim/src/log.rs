//! What the device was sent and how it answered: the truth that tests compare with what was meant.

use alloc::collections::VecDeque;
use core::fmt;
use core::time::Duration;

use autochanger_scsi::cdb::{MAX_CDB, command_name};
use autochanger_scsi::{Sense, Status};

use crate::answer::{Answer, Outcome, Unit};

/// How many commands the log remembers: enough for any one test, and 1 MB at most.
pub const LOG_CAPACITY: usize = 8192;

/// One command that reached the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Counts the commands that reached the device, from 0.
    pub number: u64,
    /// When it arrived, in virtual time.
    pub at: Duration,
    /// Who sent it, to which logical unit.
    pub unit: Unit,
    /// How it ended, once it has.
    pub end: Option<LogEnd>,
    cdb: [u8; MAX_CDB],
    length: u8,
}

/// How a logged command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    /// When the answer was given, or was lost.
    pub at: Duration,
    /// The status of the answer; `None` when the answer was lost.
    pub status: Option<Status>,
    /// The sense data that went with it.
    pub sense: Option<Sense>,
}

impl LogEntry {
    /// The command descriptor block as it came, at most 16 bytes of it.
    pub fn cdb(&self) -> &[u8] {
        self.cdb.get(..usize::from(self.length)).unwrap_or(&[])
    }

    /// The operation code; `None` for an empty command.
    pub fn opcode(&self) -> Option<u8> {
        self.cdb().first().copied()
    }
}

/// One line for a transcript: `12.003s lun 0  a5 00 .. MOVE MEDIUM -> GOOD after 21.3s`.
impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:10.3}s  lun {} ", self.at.as_secs_f64(), self.unit.lun)?;
        for byte in self.cdb() {
            write!(f, " {byte:02x}")?;
        }
        if let Some(name) = self.opcode().and_then(command_name) {
            write!(f, " {name}")?;
        }
        let Some(end) = &self.end else { return f.write_str(" ->") };
        match (end.status, end.sense) {
            (None, _) => f.write_str(" -> no answer")?,
            (Some(status), None) => write!(f, " -> {status}")?,
            (Some(_), Some(sense)) => write!(f, " -> {sense}")?,
        }
        let taken = end.at.saturating_sub(self.at);
        if taken.is_zero() { Ok(()) } else { write!(f, " after {:.1}s", taken.as_secs_f64()) }
    }
}

/// The newest [`LOG_CAPACITY`] entries.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<LogEntry>,
    next: u64,
}

impl Log {
    /// Takes down an arrival; the number by which the end is entered.
    pub(crate) fn arrival(&mut self, at: Duration, unit: Unit, bytes: &[u8]) -> u64 {
        let number = self.next;
        self.next += 1;
        let mut cdb = [0; MAX_CDB];
        for (to, from) in cdb.iter_mut().zip(bytes) {
            *to = *from;
        }
        let length = u8::try_from(bytes.len().min(MAX_CDB)).unwrap_or(0);
        if self.entries.len() == LOG_CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(LogEntry { number, at, unit, end: None, cdb, length });
        number
    }

    /// Takes down how a command ended; only its first end counts.
    pub(crate) fn end(&mut self, number: u64, at: Duration, outcome: &Outcome) {
        let Some(first) = self.entries.front().map(|entry| entry.number) else { return };
        let index = number.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) else { return };
        if entry.end.is_some() {
            return;
        }
        entry.end = Some(match outcome {
            Outcome::Answered(Answer { status, sense, .. }) => {
                LogEnd { at, status: Some(*status), sense: Sense::parse(sense) }
            }
            Outcome::NotDelivered | Outcome::Lost => LogEnd { at, status: None, sense: None },
        });
    }

    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &LogEntry> + ExactSizeIterator {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn the_log_keeps_the_newest_entries_and_their_ends() {
        let mut log = Log::default();
        for _ in 0..LOG_CAPACITY + 2 {
            log.arrival(Duration::ZERO, Unit::from(0), &[0; 6]);
        }
        log.end(0, Duration::ZERO, &Outcome::Lost);
        log.end(2, Duration::from_secs(1), &Outcome::Lost);
        log.end(2, Duration::from_secs(2), &Outcome::Answered(Answer::good()));
        assert_eq!(log.entries().len(), LOG_CAPACITY);
        let first = log.entries().next().expect("entries");
        assert_eq!(first.number, 2);
        assert_eq!(first.end, Some(LogEnd { at: Duration::from_secs(1), status: None, sense: None }));
    }

    #[test]
    fn an_entry_reads_as_a_line() {
        let mut log = Log::default();
        let number = log.arrival(Duration::from_millis(1500), Unit::from(0), &[0x00; 6]);
        log.end(number, Duration::from_secs(2), &Outcome::Answered(Answer::good()));
        let line = log.entries().next().expect("an entry").to_string();
        assert_eq!(line, "     1.500s  lun 0  00 00 00 00 00 00 TEST UNIT READY -> GOOD after 0.5s");
    }
}
