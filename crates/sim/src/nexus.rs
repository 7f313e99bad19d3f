//! What the target remembers of each initiator: unit attentions and removal prevention.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;

use autochanger_scsi::{AdditionalSense, Sense};

use crate::answer::{Nexus, Unit, attention};

/// Unit attentions that one nexus can have pending at one logical unit. More are merged into an overflow (SPC-4
/// 4.5.2.4.5).
const MAX_ATTENTIONS: usize = 16;

/// Bytes of an initiator port's name: an iSCSI name has at most 223, and `,i,0x` and twelve digits follow it (SPC-4 7.6.4.6).
pub(crate) const MAX_PORT_NAME: usize = 240;

/// Initiators that the target remembers. The one that it has known longest makes way for another.
const MAX_NEXUSES: usize = 1024;

/// POWER ON, RESET, OR BUS DEVICE RESET OCCURRED.
pub(crate) const POWER_ON: AdditionalSense = AdditionalSense { asc: 0x29, ascq: 0x00 };
/// BUS DEVICE RESET FUNCTION OCCURRED: a logical unit reset.
pub(crate) const UNIT_RESET: AdditionalSense = AdditionalSense { asc: 0x29, ascq: 0x03 };
/// I_T NEXUS LOSS OCCURRED.
pub(crate) const NEXUS_LOSS: AdditionalSense = AdditionalSense { asc: 0x29, ascq: 0x07 };
/// NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED.
pub(crate) const MEDIUM_CHANGED: AdditionalSense = AdditionalSense { asc: 0x28, ascq: 0x00 };
/// MEDIUM MAGAZINE REMOVED.
pub(crate) const MAGAZINE_REMOVED: AdditionalSense = AdditionalSense { asc: 0x3B, ascq: 0x12 };
/// MEDIUM MAGAZINE INSERTED.
pub(crate) const MAGAZINE_INSERTED: AdditionalSense = AdditionalSense { asc: 0x3B, ascq: 0x13 };
/// DATA TRANSFER DEVICE REMOVED.
pub(crate) const DRIVE_REMOVED: AdditionalSense = AdditionalSense { asc: 0x3B, ascq: 0x1A };
/// DATA TRANSFER DEVICE INSERTED.
pub(crate) const DRIVE_INSERTED: AdditionalSense = AdditionalSense { asc: 0x3B, ascq: 0x1B };
/// INQUIRY DATA HAS CHANGED.
pub(crate) const INQUIRY_CHANGED: AdditionalSense = AdditionalSense { asc: 0x3F, ascq: 0x03 };
/// MICROCODE HAS BEEN CHANGED.
pub(crate) const MICROCODE_CHANGED: AdditionalSense = AdditionalSense { asc: 0x3F, ascq: 0x01 };
/// IMPORT OR EXPORT ELEMENT ACCESSED.
pub(crate) const PORT_ACCESSED: AdditionalSense = AdditionalSense { asc: 0x28, ascq: 0x01 };

/// A logical unit as one nexus sees it.
#[derive(Debug, Default)]
struct View {
    attentions: VecDeque<AdditionalSense>,
    overflow: bool,
    prevents: bool,
}

impl View {
    fn post(&mut self, code: AdditionalSense) {
        if self.attentions.contains(&code) {
            return;
        }
        if self.attentions.len() == MAX_ATTENTIONS {
            self.overflow = true;
            return;
        }
        self.attentions.push_back(code);
    }
}

/// The initiators that the target knows.
#[derive(Debug, Default)]
pub(crate) struct Nexuses {
    views: BTreeMap<Unit, View>,
    arrivals: VecDeque<Nexus>,
    names: BTreeMap<Nexus, String>,
}

impl Nexuses {
    /// Makes the unit known to the nexus: at first sight it finds the power-on attention.
    pub(crate) fn meet(&mut self, unit: Unit) {
        if self.views.contains_key(&unit) {
            return;
        }
        self.arrive(unit.nexus);
        let mut view = View::default();
        view.post(POWER_ON);
        self.views.insert(unit, view);
    }

    fn arrive(&mut self, nexus: Nexus) {
        if self.arrivals.contains(&nexus) {
            return;
        }
        if self.arrivals.len() == MAX_NEXUSES
            && let Some(oldest) = self.arrivals.pop_front()
        {
            self.views.retain(|known, _| known.nexus != oldest);
            self.names.remove(&oldest);
        }
        self.arrivals.push_back(nexus);
    }

    /// Gives the nexus the name of its initiator port.
    pub(crate) fn name(&mut self, nexus: Nexus, name: &str) {
        self.arrive(nexus);
        let mut kept = String::new();
        for letter in name.chars().take_while(|letter| *letter != '\0') {
            if kept.len() + letter.len_utf8() > MAX_PORT_NAME {
                break;
            }
            kept.push(letter);
        }
        self.names.insert(nexus, kept);
    }

    pub(crate) fn name_of(&self, nexus: Nexus) -> Option<&str> {
        self.names.get(&nexus).map(String::as_str)
    }

    /// Takes the oldest unit attention.
    pub(crate) fn take_attention(&mut self, unit: Unit) -> Option<Sense> {
        let view = self.views.get_mut(&unit)?;
        let mut sense = attention(view.attentions.pop_front()?);
        sense.unit_attention_overflow = core::mem::take(&mut view.overflow);
        Some(sense)
    }

    /// Leaves a unit attention for every nexus that knows the logical unit, but not for the one that caused it.
    pub(crate) fn post(&mut self, lun: u16, code: AdditionalSense, except: Option<Nexus>) {
        for (unit, view) in &mut self.views {
            if unit.lun == lun && Some(unit.nexus) != except {
                view.post(code);
            }
        }
    }

    /// Leaves a unit attention for one nexus.
    pub(crate) fn post_to(&mut self, unit: Unit, code: AdditionalSense) {
        if let Some(view) = self.views.get_mut(&unit) {
            view.post(code);
        }
    }

    pub(crate) fn prevent(&mut self, unit: Unit, prevent: bool) {
        if let Some(view) = self.views.get_mut(&unit) {
            view.prevents = prevent;
        }
    }

    /// Nobody prevents the removal of media from the logical unit any more, and nobody is told.
    pub(crate) fn allow_all(&mut self, lun: u16) {
        for (_, view) in self.views.iter_mut().filter(|(unit, _)| unit.lun == lun) {
            view.prevents = false;
        }
    }

    /// Whether any nexus prevents the removal of media from the logical unit.
    pub(crate) fn prevented(&self, lun: u16) -> bool {
        self.views.iter().any(|(unit, view)| unit.lun == lun && view.prevents)
    }

    /// The logical unit was reset: nothing is prevented any more, and everyone is told.
    pub(crate) fn reset_unit(&mut self, lun: u16) {
        for (unit, view) in &mut self.views {
            if unit.lun == lun {
                view.prevents = false;
                view.post(UNIT_RESET);
            }
        }
    }

    /// The connection of the nexus was lost: its preventions end, and it is told when it comes back.
    pub(crate) fn lose(&mut self, nexus: Nexus) {
        for (unit, view) in &mut self.views {
            if unit.nexus == nexus {
                view.prevents = false;
                view.post(NEXUS_LOSS);
            }
        }
    }

    /// The nexus has gone for good.
    pub(crate) fn forget(&mut self, nexus: Nexus) {
        self.views.retain(|unit, _| unit.nexus != nexus);
        self.arrivals.retain(|known| *known != nexus);
        self.names.remove(&nexus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(ascq: u8) -> AdditionalSense {
        AdditionalSense { asc: 0x3B, ascq }
    }

    #[test]
    fn attentions_come_one_at_a_time_in_order_and_overflow_is_told() {
        let mut nexuses = Nexuses::default();
        let unit = Unit::from(0);
        nexuses.meet(unit);
        nexuses.meet(unit);
        for ascq in 0..20 {
            nexuses.post(0, code(ascq), None);
            nexuses.post(0, code(ascq), None);
        }
        let first = nexuses.take_attention(unit).expect("an attention");
        assert_eq!((first.code, first.unit_attention_overflow), (POWER_ON, true));
        let mut count = 1;
        while let Some(next) = nexuses.take_attention(unit) {
            assert_eq!(next.code, code(count - 1));
            assert!(!next.unit_attention_overflow);
            count += 1;
        }
        assert_eq!(usize::from(count), MAX_ATTENTIONS);
    }

    #[test]
    fn the_oldest_nexus_makes_way() {
        let mut nexuses = Nexuses::default();
        let unit = |number| Unit { nexus: Nexus(number), lun: 0 };
        for number in 0..=MAX_NEXUSES as u32 {
            nexuses.meet(unit(number));
            nexuses.prevent(unit(number), number == 0);
        }
        assert!(!nexuses.prevented(0));
        assert_eq!(nexuses.views.len(), MAX_NEXUSES);
    }
}
