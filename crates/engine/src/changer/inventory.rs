//! Reading what is where: READ ELEMENT STATUS type by type and in chunks, surviving what devices do (SMC-3 6.12).

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::{
    AdditionalSense, Element, ElementAddress, ElementAddressAssignment, ElementStatus, ElementType,
    ReadElementStatus,
};

use super::ask::{Ask, Refusal};
use super::{Do, Heard, Procedure};
use crate::command::{Command, Completion};
use crate::id::Device;
use crate::input::Timing;
use crate::request::ElementName;
use crate::time::Now;

/// The largest allocation asked for: some libraries read only the low 16 bits of the field.
const MAX_ALLOCATION: u32 = 65_535;
/// The most elements asked for at once: some libraries fail above.
const MAX_ELEMENTS: u32 = 1000;
/// The length of a descriptor with both tags, before one was seen.
const GUESSED_DESCRIPTOR: u32 = 88;

/// One element, as the library reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ElementReport {
    pub(crate) name: ElementName,
    pub(crate) full: bool,
    pub(crate) accessible: bool,
    pub(crate) exception: Option<AdditionalSense>,
    pub(crate) source: Option<ElementAddress>,
    pub(crate) tag: Option<Arc<str>>,
    /// IMPEXP: a person put it into this port.
    pub(crate) by_hand: bool,
}

impl ElementReport {
    pub(crate) fn from_element(element: &Element<'_>) -> Self {
        Self {
            name: ElementName { kind: element.element_type(), address: element.address() },
            full: element.full(),
            accessible: element.access(),
            exception: element.exception(),
            source: element.source(),
            // Empty elements carry stale or blank tags: FULL decides.
            tag: element.volume_tag().filter(|_| element.full()).map(|tag| tag.identifier().into()),
            by_hand: element.full() && element.import_export(),
        }
    }
}

/// How this device wants to be asked; learned from its refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadStyle {
    /// CURDATA: answer from memory, move nothing.
    pub(crate) current_data: bool,
    /// VOLTAG: with the labels.
    pub(crate) volume_tags: bool,
}

impl Default for ReadStyle {
    fn default() -> Self {
        Self { current_data: true, volume_tags: true }
    }
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Inventory {
    pub(crate) elements: Vec<ElementReport>,
    pub(crate) style: ReadStyle,
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

/// The procedure.
#[derive(Debug)]
pub(crate) struct ReadInventory {
    timing: Timing,
    max_transfer: u32,
    geometry: Option<ElementAddressAssignment>,
    /// Types still to be read; the last is being read.
    types: Vec<ElementType>,
    style: ReadStyle,
    start: u16,
    descriptor: u32,
    seen: BTreeSet<u16>,
    elements: Vec<ElementReport>,
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
        let mut reading = Self {
            timing,
            max_transfer: max_transfer.clamp(1024, MAX_ALLOCATION),
            geometry,
            types: types.iter().rev().copied().collect(),
            style,
            start: 0,
            descriptor: GUESSED_DESCRIPTOR,
            seen: BTreeSet::new(),
            elements: Vec::new(),
            ask: None,
        };
        reading.begin_type();
        reading
    }

    /// Positions on the first element of the type at the top, leaving out types that the geometry says are absent.
    fn begin_type(&mut self) {
        self.seen.clear();
        while let Some(&kind) = self.types.last() {
            match self.geometry.map(|geometry| geometry.range(kind)) {
                Some(range) if range.count == 0 => {
                    self.types.pop();
                }
                Some(range) => {
                    self.start = range.first.0;
                    return;
                }
                None => {
                    self.start = 0;
                    return;
                }
            }
        }
    }

    fn ask_next(&mut self, now: Now) -> Do<Result<Inventory, NotRead>> {
        let Some(&kind) = self.types.last() else {
            return Do::Done(Ok(Inventory {
                elements: core::mem::take(&mut self.elements),
                style: self.style,
            }));
        };
        let fits = ((self.max_transfer - 16) / self.descriptor).clamp(1, MAX_ELEMENTS);
        let wanted = match self.geometry.map(|geometry| u32::from(geometry.range(kind).count)) {
            Some(count) => count.saturating_sub(self.seen.len() as u32).max(1),
            None => fits,
        };
        let count = fits.min(wanted) as u16;
        let cdb = ReadElementStatus {
            element_type: Some(kind),
            start: ElementAddress(self.start),
            count,
            volume_tags: self.style.volume_tags,
            current_data: self.style.current_data,
            device_ids: false,
            allocation: self.max_transfer,
        }
        .cdb();
        let ask = Ask::new(
            Device::Changer,
            Command::reading(cdb, self.max_transfer, self.timing.element_status),
            self.timing,
        );
        let step = ask.begin();
        self.ask = Some(ask);
        self.follow(step, now)
    }

    fn follow(&mut self, step: Do<Result<Completion, Refusal>>, now: Now) -> Do<Result<Inventory, NotRead>> {
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(Ok(completion)) => {
                self.take(&completion.data);
                self.ask_next(now)
            }
            Do::Done(Err(refusal)) => self.refused(refusal, now),
        }
    }

    /// Takes what is new and decides whether the type is complete.
    fn take(&mut self, data: &[u8]) {
        let Some(&kind) = self.types.last() else { return };
        let before = self.seen.len();
        let mut again_from = None;
        if let Ok(report) = ElementStatus::parse(data) {
            for page in report.pages() {
                if page.element_type() == Some(kind) && page.descriptor_length() > 0 {
                    self.descriptor = u32::from(page.descriptor_length());
                }
            }
            for element in report.elements().filter(|element| element.element_type() == kind) {
                let address = element.address().0;
                if address < self.start || self.seen.contains(&address) {
                    continue;
                }
                // A descriptor that was cut is asked for again, unless it is all there is: then it is taken as it is.
                if !element.is_complete() && self.seen.len() > before {
                    again_from = Some(address);
                    continue;
                }
                self.seen.insert(address);
                self.elements.push(ElementReport::from_element(&element));
            }
        }
        let progress = self.seen.len() > before;
        let wanted = self.geometry.map(|geometry| usize::from(geometry.range(kind).count));
        let complete = wanted.is_some_and(|wanted| self.seen.len() >= wanted);
        let next = again_from.or_else(|| self.seen.last().and_then(|last| last.checked_add(1)));
        match next {
            Some(next) if progress && !complete => self.start = next,
            _ => self.end_type(),
        }
    }

    fn end_type(&mut self) {
        self.types.pop();
        self.begin_type();
    }

    /// Drops the optional parts of the question one by one, in the order in which devices refuse them.
    fn refused(&mut self, refusal: Refusal, now: Now) -> Do<Result<Inventory, NotRead>> {
        let Some(&kind) = self.types.last() else { return self.ask_next(now) };
        if refusal.is_illegal(0x21) && !self.seen.is_empty() {
            self.end_type();
            return self.ask_next(now);
        }
        if refusal.is_illegal(0x24) {
            let byte = refusal.sense().and_then(|sense| sense.field_pointer).map(|pointer| pointer.byte);
            if self.style.current_data && byte != Some(1) {
                self.style.current_data = false;
                return self.ask_next(now);
            }
            if self.style.volume_tags {
                self.style.volume_tags = false;
                return self.ask_next(now);
            }
        }
        // A library without transports, ports or drives may refuse their type (mhvtl does); one without slots is none.
        let illegal = refusal.sense().is_some_and(|s| s.key == autochanger_scsi::SenseKey::IllegalRequest);
        if illegal && kind != ElementType::Storage {
            self.end_type();
            return self.ask_next(now);
        }
        Do::Done(Err(NotRead { kind, refusal }))
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

/// READ ELEMENT STATUS of one element.
pub(crate) fn read_one(element: ElementName, style: ReadStyle, timing: Timing) -> Command {
    /// One descriptor with both tags, a long identifier and vendor bytes; devices that ignore the count fill it.
    const ALLOCATION: u32 = 1024;
    let cdb = ReadElementStatus {
        element_type: Some(element.kind),
        start: element.address,
        count: 1,
        volume_tags: style.volume_tags,
        current_data: style.current_data,
        device_ids: false,
        allocation: ALLOCATION,
    }
    .cdb();
    Command::reading(cdb, ALLOCATION, timing.element_status)
}

/// The report of just that element, where the answer has one.
pub(crate) fn find_one(data: &[u8], element: ElementName) -> Option<ElementReport> {
    let report = ElementStatus::parse(data).ok()?;
    report
        .elements()
        .find(|found| found.element_type() == element.kind && found.address() == element.address)
        .map(|found| ElementReport::from_element(&found))
}
