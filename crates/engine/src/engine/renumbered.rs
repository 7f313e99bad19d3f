//! Slots that have other addresses than before: a setting of the library changes them all, and what is kept of one is true of it
//! under its new address. The labels of the cartridges tell, for hands do not move all by one distance into other addresses.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use crate::changer::reply::ElementReport;
use crate::id::{LibraryId, LibraryIndex, RequestId};
use crate::output::EventKind;
use crate::request::{CartridgeRef, ElementName, Failure, FailureKind, Place};
use crate::time::Now;

/// All slots have moved by one distance.
#[derive(Debug)]
struct Shift {
    by: i32,
    found: BTreeSet<ElementAddress>,
}

impl Shift {
    /// The one distance by which all have moved whose labels were seen; `None`: there is none, or some of the others could not have.
    fn of(
        known: &BTreeSet<ElementAddress>,
        labelled: &[(ElementAddress, ElementAddress)],
        found: BTreeSet<ElementAddress>,
    ) -> Option<Self> {
        let distance = |(from, to): &(ElementAddress, ElementAddress)| i32::from(to.0) - i32::from(from.0);
        let by = distance(labelled.first()?);
        // With the same addresses hands have moved cartridges.
        if by == 0 || known.is_subset(&found) || labelled.iter().any(|pair| distance(pair) != by) {
            return None;
        }
        let shift = Self { by, found };
        known.iter().all(|from| shift.of_slot(*from).is_some()).then_some(shift)
    }

    /// The address that the slot has now.
    fn of_slot(&self, slot: ElementAddress) -> Option<ElementAddress> {
        let to = u16::try_from(i32::from(slot.0) + self.by).ok().map(ElementAddress);
        to.filter(|to| self.found.contains(to))
    }

    fn of_element(&self, name: &ElementName) -> ElementName {
        let slot = Some(name.address).filter(|_| name.kind == ElementType::Storage);
        let address = slot.and_then(|slot| self.of_slot(slot)).unwrap_or(name.address);
        ElementName { address, ..*name }
    }

    fn of_place(&self, place: &Place) -> Place {
        match place {
            Place::Element(name) => Place::Element(self.of_element(name)),
            Place::Unknown { one_of } => {
                Place::Unknown { one_of: one_of.iter().map(|name| self.of_element(name)).collect() }
            }
            Place::Missing { last } => Place::Missing { last: self.of_element(last) },
            Place::Outside { last } => Place::Outside { last: self.of_element(last) },
        }
    }
}

impl Engine {
    /// The slots were found: those that have other addresses take with them what is kept of them. Before the elements are laid over the
    /// catalogue, for cartridges without a label are known by their slots.
    pub(crate) fn follow_slots(&mut self, index: LibraryIndex, reports: &[ElementReport], now: Now) {
        let Some(library) = self.library(index) else { return };
        let (Some(id), cleaner_slot) = (library.id, library.cleaner_slot) else { return };
        let slots = || reports.iter().filter(|report| report.name.kind == ElementType::Storage);
        let found: BTreeSet<ElementAddress> = slots().map(|report| report.name.address).collect();
        let elements = library.elements.of_kind(ElementType::Storage).map(|element| element.name.address);
        let homes = self.catalogue.cartridges().filter(|cartridge| cartridge.library == id);
        let homes = homes.flat_map(|cartridge| [cartridge.home, in_slot(&cartridge.place)]).flatten();
        let known: BTreeSet<ElementAddress> = elements.chain(homes).chain(cleaner_slot).collect();
        if known.is_subset(&found) {
            return;
        }
        let labelled: Vec<_> = slots()
            .filter_map(|report| {
                let label = report.tag.clone().filter(|_| report.full)?;
                let twice = slots().filter(|other| other.tag.as_ref() == Some(&label)).count() > 1;
                let [cartridge] = self.catalogue.find(&CartridgeRef::Barcode(label))[..] else { return None };
                let cartridge =
                    self.catalogue.cartridge(cartridge).filter(|it| it.library == id && !twice)?;
                Some((in_slot(&cartridge.place)?, report.name.address))
            })
            .collect();
        if let Some(shift) = Shift::of(&known, &labelled, found) {
            self.slots_moved(index, id, &shift, now);
        }
    }

    fn slots_moved(&mut self, index: LibraryIndex, id: LibraryId, shift: &Shift, now: Now) {
        let moved = |slot: Option<ElementAddress>| slot.map(|slot| shift.of_slot(slot).unwrap_or(slot));
        let here = self.catalogue.cartridges().filter(|cartridge| cartridge.library == id);
        let here: Vec<_> = here
            .map(|known| (known.id, (shift.of_place(&known.place), moved(known.home)), known))
            .filter(|(_, (place, home), known)| (place, *home) != (&known.place, known.home))
            .map(|(cartridge, now, _)| (cartridge, now))
            .collect();
        for (cartridge, now) in here {
            self.keep_cartridge(cartridge, |cartridge| (cartridge.place, cartridge.home) = now);
        }
        for motion in self.open_motions.values_mut().filter(|motion| motion.library == id) {
            motion.source = shift.of_element(&motion.source);
            motion.destination = shift.of_element(&motion.destination);
        }
        self.end_those_that_name_slots(id, shift, now);
        for live in self.live.values_mut().filter(|live| live.library == Some(index)) {
            live.slot = moved(live.slot);
        }
        let Some(library) = self.library_mut(index) else { return };
        let slots = library.elements.of_kind(ElementType::Storage).map(|element| element.name.address);
        let slots: BTreeMap<_, _> = slots.filter_map(|slot| Some((slot, shift.of_slot(slot)?))).collect();
        library.elements.renumber_slots(&slots);
        library.cleaner_slot = moved(library.cleaner_slot);
        let (name, by) = (library.config.name.clone(), shift.by);
        self.keep_library(index);
        let what = alloc::format!("its slots have other addresses than before, {by:+} from the old ones");
        self.tell(EventKind::Warning { library: name, drive: None, what }, now);
    }

    /// What was asked for by an address is not carried out at another one, and what has that address now was not meant.
    fn end_those_that_name_slots(&mut self, id: LibraryId, shift: &Shift, now: Now) {
        let naming: Vec<(RequestId, ElementAddress)> = self
            .live
            .values()
            .filter(|live| live.request.library == id && live.ending.is_none())
            .filter(|live| !self.open_motions.contains_key(&live.request.id))
            .filter_map(|live| Some((live.request.id, live.request.wanted.named_slot()?)))
            .collect();
        for (request, slot) in naming {
            let under_way = self.live.get(&request).is_some_and(|live| live.has_step_in_flight(false));
            if let Some(to) = shift.of_slot(slot).filter(|_| !under_way) {
                let message = alloc::format!("slot {slot}, which it names, has another address now: {to}");
                self.fail(request, Failure::new(FailureKind::Refused, message), now);
            }
        }
    }
}

fn in_slot(place: &Place) -> Option<ElementAddress> {
    match place {
        Place::Element(name) if name.kind == ElementType::Storage => Some(name.address),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(addresses: core::ops::Range<u16>) -> BTreeSet<ElementAddress> {
        addresses.map(ElementAddress).collect()
    }

    fn found(known: core::ops::Range<u16>, pairs: &[(u16, u16)], now: core::ops::Range<u16>) -> Option<i32> {
        let pairs: Vec<_> =
            pairs.iter().map(|(from, to)| (ElementAddress(*from), ElementAddress(*to))).collect();
        Shift::of(&all(known), &pairs, all(now)).map(|shift| shift.by)
    }

    #[test]
    fn slots_have_moved_when_all_that_is_known_has_moved_by_one_distance() {
        assert_eq!(found(1000..1012, &[(1001, 4097), (1005, 4101)], 4096..4108), Some(3096));
        assert_eq!(found(1000..1012, &[(1001, 1002)], 1001..1013), Some(1));
        // There are more of them now.
        assert_eq!(found(4096..4100, &[(4097, 1001)], 1000..1020), Some(-3096));
    }

    #[test]
    fn what_hands_and_magazines_do_is_no_other_numbering() {
        // The same addresses, and every cartridge one slot on.
        assert_eq!(found(1000..1012, &[(1001, 1002), (1005, 1006)], 1000..1012), None);
        // A magazine is out, and one cartridge was moved.
        assert_eq!(found(1000..1012, &[(1001, 1002)], 1000..1006), None);
        assert_eq!(found(1000..1012, &[(1001, 1001)], 1000..1006), None);
        // Two have moved by different distances.
        assert_eq!(found(1000..1012, &[(1001, 4097), (1005, 4102)], 4096..4108), None);
        // No label was seen.
        assert_eq!(found(1000..1012, &[], 4096..4108), None);
        // Fewer than are known.
        assert_eq!(found(1000..1012, &[(1001, 4097)], 4096..4100), None);
    }
}
