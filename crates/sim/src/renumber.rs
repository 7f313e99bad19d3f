//! A setting at the panel by which elements get other addresses.

use autochanger_scsi::{AdditionalSense, ElementAddress, ElementType};

use crate::device::Device;
use crate::layout::{Layout, Range};
use crate::library::LayoutError;

/// MODE PARAMETERS CHANGED.
const PARAMETERS_CHANGED: AdditionalSense = AdditionalSense { asc: 0x2A, ascq: 0x01 };

impl Device {
    /// The elements of a type have the addresses from `first` on; nothing else changes. The counters of log pages begin anew. Hosts find
    /// the unit attention 2A/01.
    ///
    /// # Errors
    /// [`LayoutError::Addresses`] where they do not fit beside the others, or an arm is at work.
    pub fn renumber(
        &mut self,
        element_type: ElementType,
        first: impl Into<ElementAddress>,
    ) -> Result<(), LayoutError> {
        let first = first.into().0;
        let at_work = self.arms.iter().any(|arm| self.arm_busy(arm.address()));
        let before = self.layout.range(element_type).first;
        let range = |kind| Range {
            first: if kind == element_type { first } else { self.layout.range(kind).first },
            count: self.layout.range(kind).count,
        };
        let layout = Layout::new(
            range(ElementType::Transport),
            range(ElementType::Storage),
            range(ElementType::ImportExport),
            range(ElementType::Drive),
        );
        let layout = layout.ok().filter(|_| !at_work).ok_or(LayoutError::Addresses { element_type })?;
        let old = self.layout.clone();
        let now = |address: ElementAddress| match old.locate(address) {
            Some((kind, _)) if kind == element_type => {
                ElementAddress(address.0.wrapping_sub(before).wrapping_add(first))
            }
            _ => address,
        };
        self.shelves.renumber(&layout, now);
        self.drives.iter_mut().for_each(|drive| drive.address = now(drive.address));
        self.arms.iter_mut().for_each(|arm| arm.renumber(now));
        let exceptions = core::mem::take(&mut self.exceptions);
        self.exceptions = exceptions.into_iter().map(|(address, code)| (now(address), code)).collect();
        self.service.counters.elements.clear();
        self.layout = layout;
        self.nexuses.post(0, PARAMETERS_CHANGED, None);
        Ok(())
    }
}
