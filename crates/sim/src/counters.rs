//! What the library counts and remembers of its motions, for the log pages.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;

use autochanger_scsi::{ElementAddress, ElementCounts, ElementType, Sense, Status};

use crate::answer::Answer;
use crate::device::Device;
use crate::task::{Motion, Task, Work};

/// Errors that the library remembers: as many as fit into one log page of a few kilobytes.
pub(crate) const MAX_ERRORS: usize = 16;

/// Counters that are not of one log page.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// By element; one at which nothing was ever done is not there.
    pub(crate) elements: BTreeMap<ElementAddress, ElementCounts>,
    /// The last errors of the robot, the latest first.
    pub(crate) errors: VecDeque<RobotError>,
}

/// A motion that failed.
#[derive(Debug)]
pub(crate) struct RobotError {
    pub(crate) sense: Sense,
    pub(crate) opcode: u8,
    pub(crate) source: ElementAddress,
    pub(crate) destination: ElementAddress,
    pub(crate) tag: Option<String>,
    pub(crate) moves: u64,
    pub(crate) milliseconds: u64,
}

impl Counters {
    pub(crate) fn picked(&mut self, from: ElementAddress) {
        let counts = self.elements.entry(from).or_default();
        counts.picks = counts.picks.saturating_add(1);
    }

    pub(crate) fn placed(&mut self, to: ElementAddress) {
        let counts = self.elements.entry(to).or_default();
        counts.places = counts.places.saturating_add(1);
    }
}

impl Device {
    /// The labels were looked at.
    pub(crate) fn count_scan(&mut self, range: Option<(ElementAddress, u16)>) {
        let within = |address: ElementAddress| {
            range.is_none_or(|(first, count)| {
                (u32::from(first.0)..u32::from(first.0) + u32::from(count)).contains(&u32::from(address.0))
            })
        };
        for shelf in self.shelves.all().filter(|shelf| within(shelf.address)) {
            let Some(cartridge) = &shelf.cartridge else { continue };
            let counts = self.service.counters.elements.entry(shelf.address).or_default();
            match cartridge.barcode {
                Some(_) => counts.tags_read = counts.tags_read.saturating_add(1),
                None => counts.tags_invalid = counts.tags_invalid.saturating_add(1),
            }
        }
    }

    /// Remembers a motion that was begun and failed. What was refused for its addresses is the initiator's error.
    pub(crate) fn remember_error(&mut self, task: &Task, answer: &Answer) {
        let Work::Motion { motion, .. } = task.work else { return };
        let (source, destination) = match motion {
            Motion::Move { from, to } => (from, to),
            Motion::Exchange { from, first, .. } => (from, first),
            Motion::Position { .. } | Motion::Scan { .. } => return,
        };
        let Some(sense) = Sense::parse(&answer.sense) else { return };
        if answer.status != Status::CheckCondition || !is_of_robot(&sense) {
            return;
        }
        let arms = self.layout.addresses(ElementType::Transport);
        let places = [source, destination].into_iter().chain(arms);
        let tag = places.into_iter().find_map(|at| self.shelves.cartridge(at)?.barcode.clone());
        let error = RobotError {
            sense,
            opcode: task.seen.opcode,
            source,
            destination,
            tag,
            moves: self.moves_done,
            milliseconds: u64::try_from(self.now.as_millis()).unwrap_or(u64::MAX),
        };
        let errors = &mut self.service.counters.errors;
        errors.truncate(MAX_ERRORS - 1);
        errors.push_front(error);
    }
}

fn is_of_robot(sense: &Sense) -> bool {
    use autochanger_scsi::SenseKey::{AbortedCommand, HardwareError, MediumError};
    matches!(sense.key, HardwareError | AbortedCommand | MediumError)
}
