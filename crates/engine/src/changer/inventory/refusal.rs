//! What is tried when a library refuses a question, or answers it with nothing.

use alloc::collections::BTreeSet;

use autochanger_scsi::{ElementType, Sense, SenseKey, Status};

use super::{Inventory, NotRead, ReadInventory};
use crate::changer::Do;
use crate::changer::ask::Refusal;
use crate::changer::style::{Deviations, Tried};
use crate::quirk::Quirk;
use crate::time::Now;

impl ReadInventory {
    /// Finds another way to ask, or ends the type.
    pub(super) fn refused(&mut self, refusal: Refusal, now: Now) -> Do<Result<Inventory, NotRead>> {
        let Some(reading) = &mut self.reading else { return self.ask_next(now) };
        let sense = refusal.sense();
        let kind = reading.kind;
        let illegal = sense.is_some_and(|sense| sense.key == SenseKey::IllegalRequest);
        let minds = refusal.minds_the_question();
        // What is not there, or not ready, is not helped by asking otherwise.
        let bare = matches!(refusal, Refusal::Status(Status::CheckCondition));
        let of_now = |sense: Sense| {
            !sense.deferred && !matches!(sense.key, SenseKey::NotReady | SenseKey::UnitAttention)
        };
        let hopeless =
            (!bare && !sense.is_some_and(of_now)) || refusal.is_illegal(0x20) || refusal.is_illegal(0x25);
        if hopeless {
            return Do::Done(Err(NotRead { kind, refusal }));
        }
        if reading.deviates_for_good() {
            return self.ask_next(now);
        }
        // A library that was asked so before has some trouble now: taken for the end of the elements, it would have all
        // cartridges behind it missing, and taken for a habit, it would cost their labels.
        let proven = self.style.of(kind).proven;
        if !minds && (reading.last.is_some() || reading.beyond || proven) {
            return Do::Done(Err(NotRead { kind, refusal }));
        }
        if reading.beyond && reading.last.is_none() && !refusal.is_illegal(0x21) {
            reading.refusal.get_or_insert(refusal);
            self.end_type();
            return self.ask_next(now);
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
        let way = match minds {
            true => reading.tried.next(reading.style.deviations, hint, near),
            // Another sense key: one old family answers so when it is asked for labels that it cannot read.
            false => Some(reading.style.deviations.with(Deviations::NO_TAGS))
                .filter(|way| reading.tried.is_untried(*way)),
        };
        let first = reading.refusal.get_or_insert(refusal).clone();
        if let Some(way) = way {
            if !minds {
                reading.deviates_unasked();
            }
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

    /// An answer without elements where there must be some: another way to ask may bring them. Whether there is one.
    pub(super) fn find_nothing(&mut self, quirks: &BTreeSet<Quirk>) -> bool {
        let Some(reading) = &mut self.reading else { return false };
        if reading.deviates_for_good() {
            return true;
        }
        // It brought elements when it was asked so before: now there are none.
        if self.style.of(reading.kind).proven {
            return false;
        }
        let needed = matches!(reading.kind, ElementType::Storage | ElementType::Drive);
        let expected = reading.wanted.is_some() || needed;
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
            reading.deviates_unasked();
            reading.tried.note(way);
            reading.style = reading.style.deviating(way);
            return true;
        }
        // Nothing helped: there is nothing, and the usual way has shown it as well.
        reading.style = self.style.first_guess(reading.kind);
        false
    }
}
