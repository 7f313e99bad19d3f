//! Elements of the layout that are not there, or have nothing in them to use.

use autochanger_scsi::{ElementAddress, ElementType};

use crate::device::Device;
use crate::quirk::Quirk;

impl Device {
    /// Whether the layout has an element there that does not exist.
    pub(crate) fn is_absent(&self, address: ElementAddress) -> bool {
        let every = self.quirks.number(Quirk::AbsentEvery(0)).filter(|every| *every > 0);
        let holes = match self.layout.locate(address) {
            Some((ElementType::Storage, index)) => every.is_some_and(|every| index % every == every - 1),
            _ => false,
        };
        let with_magazine = self.service.magazine_out
            && matches!(self.layout.locate(address), Some((ElementType::Storage, _)));
        holes || with_magazine || self.is_among_last(address, Quirk::AbsentSlots(0))
    }

    /// Whether the magazine of a slot is missing.
    pub(crate) fn is_ghost(&self, address: ElementAddress) -> bool {
        self.is_among_last(address, Quirk::GhostSlots(0))
    }

    /// Whether the bay of that number has no drive.
    pub(crate) fn is_empty_bay(&self, index: usize) -> bool {
        let count = |quirk| self.quirks.number(quirk).map_or(0, usize::from);
        let empty = count(Quirk::EmptyBays(0)).max(count(Quirk::GhostDrives(0)));
        index >= self.drives.len().saturating_sub(empty)
    }

    fn is_among_last(&self, address: ElementAddress, quirk: Quirk) -> bool {
        let Some(last) = self.quirks.number(quirk) else { return false };
        let count = self.layout.range(ElementType::Storage).count;
        matches!(self.layout.locate(address),
            Some((ElementType::Storage, index)) if index >= count.saturating_sub(last))
    }
}
