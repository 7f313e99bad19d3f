//! How a library wants to be asked for its elements: what it refuses, and what is tried instead.

use autochanger_scsi::{ElementAddress, ElementType, ReadElementStatus};

use crate::command::Command;
use crate::id::Device;
use crate::input::Timing;
use crate::quirk::Quirk;
use crate::request::ElementName;

use super::ask::Ask;

/// The most elements asked for at once: some libraries fail above.
pub(crate) const MAX_ELEMENTS: u16 = 1000;
/// Bytes of the headers of a report with one page.
pub(crate) const HEADERS: u32 = 16;
/// Bytes of the header of a report alone: all that is asked for where its length has to be known first.
pub(crate) const HEADER: u32 = 8;
/// The length of a descriptor with both tags, before one was seen.
const GUESSED_DESCRIPTOR: u32 = 88;
/// Ways to ask: every subset of five deviations.
const WAYS: u8 = 32;

/// What is done otherwise than usual. Each bit can be what a library wants, and any of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Deviations(u8);

impl Deviations {
    /// Without CURDATA: the answer need not come from memory.
    pub(crate) const NO_CURRENT_DATA: Self = Self(1);
    /// Few elements at once: one, then twice as many each time.
    pub(crate) const FEW: Self = Self(2);
    /// Without VOLTAG: no labels.
    pub(crate) const NO_TAGS: Self = Self(4);
    /// With the exact allocation length, which is asked for first.
    pub(crate) const EXACT: Self = Self(8);
    /// Of all types at once.
    pub(crate) const ALL_TYPES: Self = Self(16);

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What each deviation says of the library.
    pub(crate) fn quirks(self) -> impl Iterator<Item = Quirk> {
        [
            (Self::NO_CURRENT_DATA, Quirk::NoCurrentData),
            (Self::FEW, Quirk::FewElementsAsked),
            (Self::NO_TAGS, Quirk::NoVolumeTags),
            (Self::EXACT, Quirk::ExactAllocation),
            (Self::ALL_TYPES, Quirk::AllTypesOnly),
        ]
        .into_iter()
        .filter(move |(deviation, _)| self.has(*deviation))
        .map(|(_, quirk)| quirk)
    }
}

/// The ways that were tried without success.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tried(u32);

impl Tried {
    pub(crate) fn note(&mut self, way: Deviations) {
        self.0 |= 1 << u32::from(way.0);
    }

    pub(crate) fn is_untried(self, way: Deviations) -> bool {
        self.0 & (1 << u32::from(way.0)) == 0
    }

    /// The next way: that with `hint` more, where the library has said what it minds; then all others, those with the fewest
    /// deviations first. With `from` only ways that are one step from it.
    pub(crate) fn next(
        self,
        now: Deviations,
        hint: Option<Deviations>,
        from: Option<Deviations>,
    ) -> Option<Deviations> {
        let hinted = hint.map(|hint| now.with(hint)).filter(|way| self.is_untried(*way));
        let near =
            |way: &Deviations| from.is_none_or(|from| way.has(from) && (way.0 ^ from.0).count_ones() <= 1);
        hinted.or_else(|| {
            let ways = (0..WAYS).map(Deviations).filter(|way| self.is_untried(*way)).filter(near);
            ways.min_by_key(|way| way.0.count_ones())
        })
    }
}

/// How elements of one type are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TypeStyle {
    pub(crate) deviations: Deviations,
    /// The most elements asked for at once.
    pub(crate) most: u16,
    /// The length of their descriptors; 0 until one was seen.
    pub(crate) descriptor: u16,
    /// Elements were reported when they were asked for so.
    pub(crate) proven: bool,
    /// There are elements that mode page 1Dh does not count.
    pub(crate) uncounted: bool,
}

impl Default for TypeStyle {
    fn default() -> Self {
        Self {
            deviations: Deviations::default(),
            most: MAX_ELEMENTS,
            descriptor: 0,
            proven: false,
            uncounted: false,
        }
    }
}

impl TypeStyle {
    /// Another way to ask, from the start.
    pub(crate) fn deviating(self, deviations: Deviations) -> Self {
        let most = if deviations.has(Deviations::FEW) { 1 } else { MAX_ELEMENTS };
        Self { deviations, most, ..self }
    }

    /// How many elements fit into an answer of so many bytes.
    pub(crate) fn fitting(self, bytes: u32) -> u16 {
        let length = if self.descriptor == 0 { GUESSED_DESCRIPTOR } else { u32::from(self.descriptor) };
        let fits = bytes.saturating_sub(HEADERS) / length;
        fits.clamp(1, u32::from(self.most.max(1))) as u16
    }

    /// The question for `count` elements of a type from an address on.
    pub(crate) fn question(self, kind: ElementType, start: ElementAddress, count: u16) -> ReadElementStatus {
        let has = |deviation| self.deviations.has(deviation);
        ReadElementStatus {
            element_type: (!has(Deviations::ALL_TYPES)).then_some(kind),
            start,
            count,
            volume_tags: !has(Deviations::NO_TAGS),
            current_data: !has(Deviations::NO_CURRENT_DATA),
            device_ids: false,
            allocation: 0,
        }
    }
}

/// How each type is asked for; learned from refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ReadStyle([TypeStyle; 4]);

impl ReadStyle {
    pub(crate) fn of(&self, kind: ElementType) -> TypeStyle {
        self.0.get(index(kind)).copied().unwrap_or_default()
    }

    pub(crate) fn set(&mut self, kind: ElementType, style: TypeStyle) {
        if let Some(known) = self.0.get_mut(index(kind)) {
            *known = style;
        }
    }

    /// How to begin with a type: as it was asked for before, else as another type was.
    pub(crate) fn first_guess(&self, kind: ElementType) -> TypeStyle {
        let own = self.of(kind);
        let other = self.0.iter().find(|style| style.proven);
        match other {
            Some(other) if !own.proven => TypeStyle { most: other.most, ..own.deviating(other.deviations) },
            _ => own,
        }
    }

    /// Whether any type was reported.
    pub(crate) fn is_proven(&self) -> bool {
        self.0.iter().any(|style| style.proven)
    }
}

fn index(kind: ElementType) -> usize {
    (kind as usize).saturating_sub(1)
}

/// A question with the allocation length that it has room for.
pub(crate) fn ask(question: ReadElementStatus, allocation: u32, timing: Timing) -> Ask {
    let cdb = ReadElementStatus { allocation, ..question }.cdb();
    Ask::new(Device::Changer, Command::reading(cdb, allocation, timing.element_status), timing)
}

/// READ ELEMENT STATUS of one element.
pub(crate) fn read_one(element: ElementName, style: ReadStyle, timing: Timing) -> Command {
    /// One descriptor with both tags, a long identifier and vendor bytes; devices that ignore the count fill it.
    const ALLOCATION: u32 = 1024;
    let style = style.of(element.kind);
    let exact = style.deviations.has(Deviations::EXACT) && style.descriptor > 0;
    let allocation = if exact { HEADERS + u32::from(style.descriptor) } else { ALLOCATION };
    let question = style.question(element.kind, element.address, 1);
    let cdb = ReadElementStatus { allocation, ..question }.cdb();
    Command::reading(cdb, allocation, timing.element_status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_tried_once_and_small_deviations_come_first() {
        let (mut tried, mut now, mut sizes) =
            (Tried::default(), Deviations::default(), alloc::vec::Vec::new());
        tried.note(now);
        while let Some(next) = tried.next(now, None, None) {
            sizes.push(next.0.count_ones());
            tried.note(next);
            now = next;
        }
        assert_eq!(sizes.len(), usize::from(WAYS) - 1);
        assert!(sizes.is_sorted());
    }

    #[test]
    fn a_library_that_says_what_it_minds_is_believed_first() {
        let mut tried = Tried::default();
        tried.note(Deviations::default());
        let hinted = tried.next(Deviations::default(), Some(Deviations::ALL_TYPES), None);
        assert_eq!(hinted, Some(Deviations::ALL_TYPES));
        tried.note(Deviations::ALL_TYPES);
        let next = tried.next(Deviations::ALL_TYPES, Some(Deviations::ALL_TYPES), None);
        assert_eq!(next, Some(Deviations::NO_CURRENT_DATA));
    }

    #[test]
    fn near_a_way_that_works_only_single_steps_are_tried() {
        let mut tried = Tried::default();
        let base = Deviations::NO_CURRENT_DATA;
        tried.note(base);
        let mut steps = 0;
        while let Some(next) = tried.next(base, None, Some(base)) {
            assert!(next.has(base));
            tried.note(next);
            steps += 1;
        }
        assert_eq!(steps, 4);
    }
}
