//! Reading what is where: READ ELEMENT STATUS type by type and in chunks, surviving what devices do (SMC-3 6.12).

mod drives;
mod reading;
mod refusal;
#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use autochanger_scsi::{Dialect, ElementAddress, ElementAddressAssignment, ElementStatus, ElementType};

use self::reading::Reading;
use super::ask::{Ask, Refusal};
use super::identifiers::ReadIdentifiers;
use super::reply::{ElementReport, Reply, empty_bays, odd_sources, unscanned};
use super::style::{self, Deviations, HEADER, MAX_ELEMENTS, ReadStyle};
use super::{Do, Heard, Procedure};
use crate::command::Completion;
use crate::input::Timing;
use crate::pairing::DriveElement;
use crate::quirk::Quirk;
use crate::time::Now;

/// The largest allocation asked for: some libraries read only the low 16 bits of the field.
const MAX_ALLOCATION: u32 = 65_535;
/// The smallest: one descriptor with both tags, a long identifier and vendor bytes.
const MIN_ALLOCATION: u32 = 1024;

/// What was read.
#[derive(Debug)]
pub(crate) struct Inventory {
    pub(crate) elements: Vec<ElementReport>,
    pub(crate) style: ReadStyle,
    /// Drives that were identified, asked or unasked.
    pub(crate) drives: Vec<DriveElement>,
    pub(crate) quirks: BTreeSet<Quirk>,
}

/// Why it was not read.
#[derive(Debug)]
pub(crate) struct NotRead {
    pub(crate) kind: ElementType,
    pub(crate) refusal: Refusal,
}

impl NotRead {
    pub(crate) fn describe(&self) -> String {
        format!("reading the status of its {} elements was answered with {}", self.kind, self.refusal)
    }
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// How long the report will be.
    Length,
    /// The report, with room for so many bytes.
    Report(u32),
}

/// The procedure.
#[derive(Debug, Clone)]
pub(crate) struct ReadInventory {
    timing: Timing,
    dialect: &'static Dialect,
    max_transfer: u32,
    geometry: Option<ElementAddressAssignment>,
    /// Look for elements that mode page 1Dh does not count, and ask which drive is in which element.
    thorough: bool,
    identifiers: Option<ReadIdentifiers>,
    /// Types still to be read after this one; the next is the last.
    types: Vec<ElementType>,
    reading: Option<Reading>,
    style: ReadStyle,
    order: Vec<ElementType>,
    elements: BTreeMap<u16, ElementReport>,
    drives: Vec<DriveElement>,
    quirks: BTreeSet<Quirk>,
    stage: Stage,
    ask: Option<Ask>,
}

impl ReadInventory {
    /// Reads the elements of `types`, in that order.
    pub(crate) fn new(
        geometry: Option<ElementAddressAssignment>,
        types: &[ElementType],
        style: ReadStyle,
        timing: Timing,
        max_transfer: u32,
    ) -> Self {
        let max_transfer = max_transfer.clamp(MIN_ALLOCATION, MAX_ALLOCATION);
        let mut reading = Self {
            timing,
            dialect: &Dialect::COMMON,
            max_transfer,
            geometry,
            thorough: false,
            identifiers: None,
            types: types.iter().rev().copied().collect(),
            reading: None,
            style,
            order: types.to_vec(),
            elements: BTreeMap::new(),
            drives: Vec::new(),
            quirks: BTreeSet::new(),
            stage: Stage::Report(max_transfer),
            ask: None,
        };
        reading.begin_type();
        reading
    }

    /// The library speaks this dialect.
    pub(crate) fn in_dialect(self, dialect: &'static Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// Looks also for elements that mode page 1Dh does not count, one question more for each type, and then which drive is in which
    /// element: not every library tells when somebody has exchanged them.
    pub(crate) fn thorough(mut self) -> Self {
        self.thorough = true;
        self.types = self.order.iter().rev().copied().collect();
        self.begin_type();
        self
    }

    /// Positions on the next type, leaving out those that are known to be absent.
    fn begin_type(&mut self) {
        self.reading = None;
        while let Some(kind) = self.types.pop() {
            let own = self.style.of(kind);
            let range = self.geometry.map(|geometry| geometry.range(kind)).filter(|_| !own.uncounted);
            let counted = range.map(|range| usize::from(range.count));
            // Of an arm that is not counted nothing is asked: it moves all the same.
            let look = self.thorough && kind != ElementType::Transport;
            if counted == Some(0) && !look {
                continue;
            }
            let start = range.filter(|range| range.count > 0).map_or(0, |range| range.first.0);
            self.reading = Some(Reading::new(kind, self.style.first_guess(kind), counted, start));
            return;
        }
    }

    fn ask_next(&mut self, now: Now) -> Do<Result<Inventory, NotRead>> {
        let Some(reading) = &mut self.reading else { return self.end(now) };
        let fits = reading.style.fitting(self.max_transfer);
        let all = reading.style.deviations.has(Deviations::ALL_TYPES);
        let known = usize::from(reading.overlap);
        let left =
            reading.wanted.filter(|_| !all).map(|wanted| wanted.saturating_sub(reading.seen).max(1) + known);
        reading.asked = match left {
            // Whether there is one more at all.
            _ if reading.beyond => 1,
            Some(left) => usize::from(fits).min(left) as u16,
            None => fits,
        };
        let exact = reading.style.deviations.has(Deviations::EXACT);
        let (stage, room) = match exact {
            true => (Stage::Length, HEADER),
            false => (Stage::Report(self.max_transfer), self.max_transfer),
        };
        self.send(stage, room, now)
    }

    fn send(&mut self, stage: Stage, room: u32, now: Now) -> Do<Result<Inventory, NotRead>> {
        let Some(reading) = &self.reading else { return self.end(now) };
        let question = reading.style.question(reading.kind, ElementAddress(reading.start), reading.asked);
        let ask = style::ask(question, room, self.timing).in_dialect(self.dialect);
        let step = ask.begin();
        self.stage = stage;
        self.ask = Some(ask);
        self.follow(step, now)
    }

    fn follow(&mut self, step: Do<Result<Completion, Refusal>>, now: Now) -> Do<Result<Inventory, NotRead>> {
        if self.ask.as_ref().is_some_and(Ask::asked_for_sense) {
            self.quirks.insert(Quirk::NoAutosense);
        }
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(Ok(completion)) => match self.stage {
                Stage::Length => self.take_length(&completion.data, now),
                Stage::Report(room) => {
                    self.take(&completion.data, room);
                    self.ask_next(now)
                }
            },
            Do::Done(Err(refusal)) => self.refused(refusal, now),
        }
    }

    /// The report will be so long; where there is no room for that, fewer elements are asked for.
    fn take_length(&mut self, data: &[u8], now: Now) -> Do<Result<Inventory, NotRead>> {
        let bytes = ElementStatus::parse(data).map_or(0, |report| report.byte_count());
        let room = bytes.saturating_add(HEADER);
        if let Some(reading) = &mut self.reading
            && room > self.max_transfer
            && reading.asked > 1
        {
            reading.style.most = reading.asked / 2;
            return self.ask_next(now);
        }
        let room = room.min(self.max_transfer);
        self.send(Stage::Report(room), room, now)
    }

    /// Takes what is new and decides whether the type is complete.
    fn take(&mut self, data: &[u8], room: u32) {
        let Some(reading) = &mut self.reading else { return };
        let sorted_out = reading.style.deviations.has(Deviations::ALL_TYPES);
        let reply = Reply::read(data, reading.kind, room, sorted_out);
        let brings = reply.elements.keys().any(|address| *address >= reading.start);
        if brings && reading.confirms_deviation() {
            return;
        }
        if reply.descriptor > 0 && reply.descriptor != reading.style.descriptor {
            let first = reading.style.descriptor == 0;
            reading.style.descriptor = reply.descriptor;
            // What is cut off a report that goes downwards is its beginning: now that the length is known, nothing is cut.
            if first && reply.cut && reply.quirks.contains(&Quirk::Unordered) {
                self.quirks.extend(reply.quirks);
                return;
            }
        }
        // Which elements a wrong count hides cannot be told: one at a time, none is hidden.
        if reply.hidden && reading.asked > 1 && !sorted_out {
            reading.style.most = 1;
            reading.growing = false;
            self.quirks.extend(reply.quirks);
            return;
        }
        let (mut new, mut again_from) = (0, None);
        let (start, kind) = (reading.start, reading.kind);
        for (address, found) in reply.elements.into_iter().filter(|(address, _)| *address >= start) {
            // A descriptor that was cut is asked for again, unless it is all there is: then it is taken as it is.
            if !found.complete && new > 0 {
                again_from = Some(address);
                continue;
            }
            let address_of = ElementAddress(address);
            let of_another = self.geometry.is_some_and(|geometry| {
                !geometry.range(kind).contains(address_of)
                    && geometry.type_of(address_of).is_some_and(|told| told != kind)
            });
            if of_another {
                // Kept only if nobody else has it, and nothing is concluded from it.
                self.elements.entry(address).or_insert(found.report);
                continue;
            }
            new += 1;
            if let Some(drive) = found.drive {
                self.drives.push(drive);
                self.quirks.insert(Quirk::IdentifiersUnasked);
            }
            let other = self.elements.get(&address).map(|other| other.name.kind);
            if other == Some(kind) {
                new -= 1;
                continue;
            }
            if other.is_some() {
                self.quirks.insert(Quirk::RepeatedElements);
                // What mode page 1Dh says is believed; where it says nothing, what was read first.
                let mine = self.geometry.is_some_and(|geometry| geometry.range(kind).contains(address_of));
                if !mine {
                    continue;
                }
            }
            reading.seen += 1;
            self.elements.insert(address, found.report);
            reading.last = reading.last.max(Some(address));
        }
        if new == 0 && !sorted_out && reading.asks_again() {
            return;
        }
        if new == 0 && reading.seen == 0 && !reading.beyond && self.find_nothing(&reply.quirks) {
            return;
        }
        let Some(reading) = &mut self.reading else { return };
        let sound = !reply.cut
            && !reply.quirks.contains(&Quirk::WrongByteCounts)
            && !reply.quirks.contains(&Quirk::ShortReports);
        self.quirks.extend(reply.quirks);
        if new > 0 {
            reading.style.proven = true;
            if reading.fewer {
                self.quirks.insert(Quirk::FewElementsReported);
            }
            reading.fewer =
                sound && !sorted_out && new + usize::from(reading.overlap) < usize::from(reading.asked);
            if reading.beyond || reading.wanted.is_some_and(|wanted| reading.seen > wanted) {
                reading.style.uncounted = true;
                (reading.wanted, reading.beyond) = (None, false);
            }
            if reading.growing {
                reading.style.most = reading.style.most.saturating_mul(2).min(MAX_ELEMENTS);
            }
        }
        let highest = if sorted_out { reply.highest } else { reading.last };
        let progress = new > 0 || (sorted_out && highest.is_some_and(|highest| highest >= start));
        let behind = |highest: u16| if reading.overlap { Some(highest) } else { highest.checked_add(1) };
        let next = again_from.or_else(|| highest.and_then(behind));
        let complete = reading.wanted.is_some_and(|wanted| reading.seen >= wanted);
        match next {
            // Each question brings something new or begins further on: there are at most as many as addresses.
            Some(next) if progress && !complete && (new > 0 || next > start) => reading.start = next,
            Some(next) if complete && self.thorough && !reading.beyond => {
                reading.beyond = true;
                reading.start = next;
            }
            _ => self.end_type(),
        }
    }

    fn end_type(&mut self) {
        if let Some(reading) = self.reading.take() {
            if reading.style.proven {
                self.quirks.extend(reading.style.deviations.quirks());
                if reading.style.uncounted {
                    self.quirks.insert(Quirk::UncountedElements);
                }
                self.style.set(reading.kind, reading.style);
            } else if reading.refusal.is_some() {
                self.quirks.insert(Quirk::AbsentTypeRefused);
            }
            if reading.wanted.is_some_and(|wanted| reading.seen < wanted) {
                self.quirks.insert(Quirk::AbsentElements);
            }
        }
        self.begin_type();
    }

    fn finish(&mut self) -> Inventory {
        let order = &self.order;
        let place = |kind: ElementType| order.iter().position(|read| *read == kind);
        let mut elements: Vec<_> = core::mem::take(&mut self.elements).into_values().collect();
        elements.sort_by_key(|report| place(report.name.kind));
        let mut quirks = core::mem::take(&mut self.quirks);
        if order.contains(&ElementType::Storage) {
            quirks.extend(odd_sources(&elements));
            quirks.extend(unscanned(&elements, self.dialect));
        }
        if order.contains(&ElementType::Drive) {
            quirks.extend(empty_bays(&elements, self.dialect));
        }
        Inventory { elements, style: self.style, drives: core::mem::take(&mut self.drives), quirks }
    }
}

impl Procedure for ReadInventory {
    type Output = Result<Inventory, NotRead>;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output> {
        if let Some(reading) = &mut self.identifiers {
            let step = reading.step(heard, now);
            return self.follow_identifiers(step);
        }
        match (&mut self.ask, heard) {
            (None, _) | (Some(_), Heard::Start) => self.ask_next(now),
            (Some(ask), heard) => {
                let step = ask.step(heard, now);
                self.follow(step, now)
            }
        }
    }
}
