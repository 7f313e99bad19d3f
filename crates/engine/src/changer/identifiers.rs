//! Which drive is in which element, as the library tells it (DVCID). Asked apart from the state of the drives: in such
//! answers FULL and ACCESS are no state on some libraries.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use autochanger_scsi::{Dialect, Element, ElementAddress, ElementStatus, ElementType, ReadElementStatus};

use super::ask::{Ask, Refusal};
use super::reply::{ElementReport, identifies};
use super::style::{self, Deviations, HEADER, TypeStyle};
use super::{Do, Heard, Procedure};
use crate::command::{Completion, PathFault};
use crate::input::Timing;
use crate::pairing::DriveElement;
use crate::quirk::Quirk;
use crate::time::Now;

/// How often a question is asked that is answered with some trouble, or with nothing: as often as a question whose answer is lost.
const MAX_TRIES: u8 = 3;

/// What was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identified {
    pub(crate) drives: BTreeMap<ElementAddress, DriveElement>,
    pub(crate) quirks: BTreeSet<Quirk>,
}

/// The procedure.
#[derive(Debug, Clone)]
pub(crate) struct ReadIdentifiers {
    timing: Timing,
    dialect: &'static Dialect,
    room: u32,
    style: TypeStyle,
    /// The drives still to be identified, with their state, by address.
    left: BTreeMap<ElementAddress, ElementReport>,
    volume_tags: bool,
    /// How often the question was asked again.
    again: u8,
    /// The length of the report is asked for.
    measuring: bool,
    found: Identified,
    ask: Option<Ask>,
}

impl ReadIdentifiers {
    /// Asks for the identifiers of the drives among `elements`.
    pub(crate) fn new<'a>(
        elements: impl IntoIterator<Item = &'a ElementReport>,
        style: TypeStyle,
        timing: Timing,
        room: u32,
    ) -> Self {
        let drives = elements.into_iter().filter(|report| report.name.kind == ElementType::Drive);
        Self {
            timing,
            dialect: &Dialect::COMMON,
            room,
            style,
            left: drives.map(|report| (report.name.address, report.clone())).collect(),
            volume_tags: false,
            again: 0,
            measuring: false,
            found: Identified::default(),
            ask: None,
        }
    }

    /// The library speaks this dialect.
    pub(crate) fn in_dialect(self, dialect: &'static Dialect) -> Self {
        Self { dialect, ..self }
    }

    fn ask_next(&mut self, now: Now) -> Do<Result<Identified, PathFault>> {
        if self.left.is_empty() {
            return Do::Done(Ok(core::mem::take(&mut self.found)));
        }
        self.measuring = self.style.deviations.has(Deviations::EXACT);
        let room = if self.measuring { HEADER } else { self.room };
        self.send(room, now)
    }

    fn send(&mut self, room: u32, now: Now) -> Do<Result<Identified, PathFault>> {
        let start = self.left.first_key_value().map_or(ElementAddress(0), |(address, _)| *address);
        let all_types = self.style.deviations.has(Deviations::ALL_TYPES);
        let wanted = if all_types { usize::from(u16::MAX) } else { self.left.len() };
        let count = usize::from(self.style.most).min(wanted).max(1) as u16;
        let question = ReadElementStatus {
            volume_tags: self.volume_tags,
            device_ids: true,
            ..self.style.question(ElementType::Drive, start, count)
        };
        let ask = style::ask(question, room, self.timing).in_dialect(self.dialect);
        let step = ask.begin();
        self.ask = Some(ask);
        self.follow(step, now)
    }

    fn follow(
        &mut self,
        step: Do<Result<Completion, Refusal>>,
        now: Now,
    ) -> Do<Result<Identified, PathFault>> {
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(Ok(completion)) if core::mem::take(&mut self.measuring) => {
                let bytes = ElementStatus::parse(&completion.data).map_or(0, |report| report.byte_count());
                self.send(bytes.saturating_add(HEADER).min(self.room), now)
            }
            Do::Done(Ok(completion)) => {
                let known = self.found.drives.len();
                self.take(&completion.data);
                match self.found.drives.len() > known {
                    true => self.ask_next(now),
                    false => self.ask_again_or_otherwise(now),
                }
            }
            Do::Done(Err(Refusal::Path(fault))) => Do::Done(Err(fault)),
            Do::Done(Err(refusal)) => match refusal.minds_the_question() {
                true => self.ask_otherwise(now),
                false => self.ask_again_or_otherwise(now),
            },
        }
    }

    /// What may be a passing trouble is no habit before it has lasted.
    fn ask_again_or_otherwise(&mut self, now: Now) -> Do<Result<Identified, PathFault>> {
        self.again += 1;
        if self.again >= MAX_TRIES { self.ask_otherwise(now) } else { self.ask_next(now) }
    }

    /// Some refuse identifiers together with tags, some without them: the other way is tried once. CURDATA is not left out for
    /// it: that can send the robot round, and is no reason for a library to refuse this.
    fn ask_otherwise(&mut self, now: Now) -> Do<Result<Identified, PathFault>> {
        if self.found.drives.is_empty() && !self.volume_tags {
            self.volume_tags = true;
            self.again = 0;
            return self.ask_next(now);
        }
        if self.found.drives.is_empty() {
            self.found.quirks.insert(Quirk::NoDriveIdentifiers);
        }
        self.left.clear();
        self.ask_next(now)
    }

    fn take(&mut self, data: &[u8]) {
        let Ok(report) = ElementStatus::parse(data) else { return };
        let drives: Vec<Element<'_>> =
            report.elements().filter(|element| element.element_type() == ElementType::Drive).collect();
        if !drives.iter().any(identifies) {
            return;
        }
        if self.volume_tags {
            self.found.quirks.insert(Quirk::IdentifiersWithTags);
        }
        for element in drives {
            let Some(state) = self.left.remove(&element.address()) else { continue };
            let (full, accessible) = (element.full(), element.access());
            if element.exception().is_some() && state.exception.is_none() && !full && !accessible {
                self.found.quirks.insert(Quirk::IdentifiersHideState);
            }
            self.found.drives.insert(element.address(), DriveElement::of(&element));
        }
    }
}

impl Procedure for ReadIdentifiers {
    type Output = Result<Identified, PathFault>;

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
