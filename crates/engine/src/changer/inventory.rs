//! Reading what is where: READ ELEMENT STATUS type by type and in chunks, surviving what devices do (SMC-3 6.12).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use autochanger_scsi::{
    AdditionalSense, ElementAddress, ElementAddressAssignment, ElementStatus, ElementType, SenseKey, Status,
};

use super::ask::{Ask, Refusal};
use super::pairing::DriveElement;
use super::reply::{ElementReport, Reply};
use super::style::{self, Deviations, HEADER, MAX_ELEMENTS, ReadStyle, Tried, TypeStyle};
use super::{Do, Heard, Procedure};
use crate::command::Completion;
use crate::input::Timing;
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
    /// Drives that were identified without being asked.
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

/// The type that is being read.
#[derive(Debug)]
struct Reading {
    kind: ElementType,
    style: TypeStyle,
    /// How many there are; `None`: until no more come.
    wanted: Option<usize>,
    /// Whether all that mode page 1Dh counts are there, and this looks for more.
    beyond: bool,
    start: u16,
    /// How many were asked for.
    asked: u16,
    tried: Tried,
    /// The first refusal, which is told if nothing helps.
    refusal: Option<Refusal>,
    /// The number asked for at once grows with each answer.
    growing: bool,
    /// The first address was refused, and the first of all is tried.
    from_zero: bool,
    /// Each question begins at an element that is there: the library refuses to begin in a hole.
    overlap: bool,
    overlap_tried: bool,
    /// The last answer had fewer elements than were asked for.
    fewer: bool,
    seen: usize,
    last: Option<u16>,
}

/// The procedure.
#[derive(Debug)]
pub(crate) struct ReadInventory {
    timing: Timing,
    max_transfer: u32,
    geometry: Option<ElementAddressAssignment>,
    /// Look for elements that mode page 1Dh does not count.
    thorough: bool,
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
            max_transfer,
            geometry,
            thorough: false,
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

    /// Looks also for elements that mode page 1Dh does not count: one question more for each type.
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
            let mut tried = Tried::default();
            let style = self.style.first_guess(kind);
            tried.note(style.deviations);
            self.reading = Some(Reading {
                kind,
                style,
                wanted: counted,
                beyond: counted == Some(0),
                start: range.filter(|range| range.count > 0).map_or(0, |range| range.first.0),
                asked: 0,
                tried,
                refusal: None,
                growing: false,
                from_zero: false,
                overlap: false,
                overlap_tried: false,
                fewer: false,
                seen: 0,
                last: None,
            });
            return;
        }
    }

    fn ask_next(&mut self, now: Now) -> Do<Result<Inventory, NotRead>> {
        let Some(reading) = &mut self.reading else { return Do::Done(Ok(self.finish())) };
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
        let Some(reading) = &self.reading else { return Do::Done(Ok(self.finish())) };
        let question = reading.style.question(reading.kind, ElementAddress(reading.start), reading.asked);
        let ask = style::ask(question, room, self.timing);
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
        if reply.descriptor > 0 && reply.descriptor != reading.style.descriptor {
            let first = reading.style.descriptor == 0;
            reading.style.descriptor = reply.descriptor;
            // What is cut off a report that goes downwards is its beginning: now that the length is known, nothing is cut.
            if first && reply.cut && reply.quirks.contains(&Quirk::Unordered) {
                self.quirks.extend(reply.quirks);
                return;
            }
        }
        let (mut new, mut again_from) = (0, None);
        let (start, kind) = (reading.start, reading.kind);
        for (address, found) in reply.elements.into_iter().filter(|(address, _)| *address >= start) {
            // A descriptor that was cut is asked for again, unless it is all there is: then it is taken as it is.
            if !found.complete && new > 0 {
                again_from = Some(address);
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
                let told = self.geometry.and_then(|geometry| geometry.type_of(ElementAddress(address)));
                if told != Some(kind) {
                    continue;
                }
            }
            reading.seen += 1;
            self.elements.insert(address, found.report);
            reading.last = reading.last.max(Some(address));
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
                self.quirks.insert(Quirk::UncountedElements);
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
            Some(next) if progress && !complete => reading.start = next,
            Some(next) if complete && self.thorough && !reading.beyond => {
                reading.beyond = true;
                reading.start = next;
            }
            _ => self.end_type(),
        }
    }

    /// An answer without elements where there must be some: another way to ask may bring them. Whether there is one.
    fn find_nothing(&mut self, quirks: &BTreeSet<Quirk>) -> bool {
        let Some(reading) = &mut self.reading else { return false };
        let expected = reading.wanted.is_some() || reading.kind == ElementType::Storage;
        // A type that mode page 1Dh counts and that has nothing is no riddle where others are read as they should be.
        if !expected || (self.style.is_proven() && reading.kind != ElementType::Storage) {
            return false;
        }
        let base = self.style.first_guess(reading.kind).deviations;
        let (tags, types) = (base.with(Deviations::NO_TAGS), base.with(Deviations::ALL_TYPES));
        let ways = match quirks.contains(&Quirk::OtherTypes) {
            true => [types, tags, tags.with(types)],
            false => [tags, types, tags.with(types)],
        };
        if let Some(way) = ways.into_iter().find(|way| reading.tried.is_untried(*way)) {
            reading.tried.note(way);
            reading.style = reading.style.deviating(way);
            return true;
        }
        // Nothing helped: there is nothing, and the usual way has shown it as well.
        reading.style = self.style.first_guess(reading.kind);
        false
    }

    fn end_type(&mut self) {
        if let Some(reading) = self.reading.take() {
            if reading.style.proven {
                self.quirks.extend(reading.style.deviations.quirks());
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

    /// Finds another way to ask, or ends the type.
    fn refused(&mut self, refusal: Refusal, now: Now) -> Do<Result<Inventory, NotRead>> {
        let Some(reading) = &mut self.reading else { return self.ask_next(now) };
        let sense = refusal.sense();
        let kind = reading.kind;
        let illegal = sense.is_some_and(|sense| sense.key == SenseKey::IllegalRequest);
        // What is not there, or not ready, is not helped by asking otherwise.
        let bare = matches!(refusal, Refusal::Status(Status::CheckCondition));
        let hopeless = (sense.is_none() && !bare)
            || sense.is_some_and(|sense| matches!(sense.key, SenseKey::NotReady | SenseKey::UnitAttention))
            || refusal.is_illegal(0x20)
            || refusal.is_illegal(0x25);
        if hopeless {
            return Do::Done(Err(NotRead { kind, refusal }));
        }
        if reading.beyond || (reading.last.is_some() && reading.overlap_tried && reading.asked == 1) {
            self.end_type();
            return self.ask_next(now);
        }
        if let Some(last) = reading.last {
            // It took this question before. Now it minds where it begins, or how many are asked for.
            reading.overlap = !reading.overlap_tried;
            if reading.overlap {
                reading.overlap_tried = true;
                reading.start = last;
            } else {
                reading.start = last.saturating_add(1);
                reading.style.most = reading.asked / 2;
                reading.growing = false;
            }
            return self.ask_next(now);
        }
        let pointer = sense.and_then(|sense| sense.field_pointer).filter(|pointer| pointer.command);
        let at_start =
            refusal.is_illegal(0x21) || pointer.is_some_and(|pointer| matches!(pointer.byte, 2 | 3));
        if at_start && reading.start > 0 && !reading.from_zero {
            reading.from_zero = true;
            reading.wanted = None;
            reading.start = 0;
            return self.ask_next(now);
        }
        let hint = pointer.and_then(|pointer| match (pointer.byte, pointer.bit) {
            (1, Some(0..=3)) => Some(Deviations::ALL_TYPES),
            (1, _) => Some(Deviations::NO_TAGS),
            (4 | 5, _) => Some(Deviations::FEW),
            (6, _) => Some(Deviations::NO_CURRENT_DATA),
            (7..=9, _) => Some(Deviations::EXACT),
            _ => None,
        });
        // Beside a type that can be read, a library may refuse one that it does not have (mhvtl does).
        let base = self.style.first_guess(kind).deviations;
        let near = (self.style.is_proven() && kind != ElementType::Storage).then_some(base);
        let way = match illegal || bare {
            true => reading.tried.next(reading.style.deviations, hint, near),
            // Another sense key: one old family answers so when it is asked for labels that it cannot read.
            false => Some(reading.style.deviations.with(Deviations::NO_TAGS))
                .filter(|way| reading.tried.is_untried(*way)),
        };
        let first = reading.refusal.get_or_insert(refusal).clone();
        if let Some(way) = way {
            reading.tried.note(way);
            reading.style = reading.style.deviating(way);
            reading.growing = way.has(Deviations::FEW);
            return self.ask_next(now);
        }
        if illegal && reading.start > 0 && !reading.from_zero {
            reading.from_zero = true;
            (reading.start, reading.wanted, reading.tried) = (0, None, Tried::default());
            reading.style = self.style.first_guess(kind);
            reading.tried.note(reading.style.deviations);
            return self.ask_next(now);
        }
        // A library without transports, ports or drives may refuse their type; one without slots is none.
        if !illegal || kind == ElementType::Storage {
            return Do::Done(Err(NotRead { kind, refusal: first }));
        }
        self.end_type();
        self.ask_next(now)
    }

    fn finish(&mut self) -> Inventory {
        let order = &self.order;
        let place = |kind: ElementType| order.iter().position(|read| *read == kind);
        let mut elements: Vec<_> = core::mem::take(&mut self.elements).into_values().collect();
        elements.sort_by_key(|report| place(report.name.kind));
        let mut quirks = core::mem::take(&mut self.quirks);
        if order.contains(&ElementType::Storage) {
            quirks.extend(odd_sources(&elements));
            quirks.extend(unscanned(&elements));
        }
        Inventory { elements, style: self.style, drives: core::mem::take(&mut self.drives), quirks }
    }
}

impl Procedure for ReadInventory {
    type Output = Result<Inventory, NotRead>;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output> {
        match (&mut self.ask, heard) {
            (None, _) | (Some(_), Heard::Start) => self.ask_next(now),
            (Some(ask), heard) => {
                let step = ask.step(heard, now);
                self.follow(step, now)
            }
        }
    }
}

/// Whether the source addresses of cartridges in drives are not those of empty slots.
fn odd_sources(elements: &[ElementReport]) -> Option<Quirk> {
    let empty: BTreeSet<_> = elements
        .iter()
        .filter(|report| report.name.kind != ElementType::Drive && !report.full)
        .map(|report| report.name.address)
        .collect();
    let in_drives = elements.iter().filter(|report| report.full && report.name.kind == ElementType::Drive);
    in_drives
        .filter_map(|report| report.source)
        .any(|source| !empty.contains(&source))
        .then_some(Quirk::SourceUntrue)
}

/// Whether no label in a slot was read, and the library says for some that it has not looked.
fn unscanned(elements: &[ElementReport]) -> Option<Quirk> {
    let full = || elements.iter().filter(|report| report.full && report.name.kind == ElementType::Storage);
    let not_looked =
        |code: AdditionalSense| matches!((code.asc, code.ascq), (0x83, 0x00 | 0x03) | (0x53, 0x08));
    (full().all(|report| report.tag.is_none())
        && full().any(|report| report.exception.is_some_and(not_looked)))
    .then_some(Quirk::UnscannedLabels)
}
