//! Which paths lead to the library's drives, and to which of them each.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType, TestUnitReady};

use super::{NotSurveyed, Stage, Survey, Surveyed};
use crate::changer::Do;
use crate::changer::identify::{inquiry, report_luns, vital_page};
use crate::command::Command;
use crate::id::Device;
use crate::pairing::{DriveElement, DriveNames, DriveWay, FURTHER_PAGES, pair};
use crate::time::Now;

/// A path that leads to a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DrivePath {
    pub(crate) device: Device,
    /// The element that the configuration names for it.
    pub(crate) element: Option<ElementAddress>,
    /// Nobody said that it is this library's.
    pub(crate) assumed: bool,
    /// What the drive says of itself.
    pub(crate) names: DriveNames,
    /// The drive's own product identification.
    pub(crate) product: Arc<str>,
}

impl From<&DrivePath> for DriveWay {
    fn from(path: &DrivePath) -> Self {
        Self {
            names: path.names.clone(),
            element: path.element,
            // Of two ways to one drive the configured one is meant.
            preferred: matches!(path.device, Device::Configured(_)),
            own: !path.assumed,
        }
    }
}

impl Survey {
    /// The drives that the configuration names come first; what they leave open is looked for behind the changer's target.
    pub(super) fn find_candidates(&mut self, now: Now) -> Do<Result<Surveyed, NotSurveyed>> {
        let configured = core::mem::take(&mut self.configured);
        let assumed = configured.iter().enumerate().filter(|(_, drive)| drive.assumed);
        self.assumed = assumed.map(|(n, _)| Device::Configured(n as u16)).collect();
        let numbered = configured.iter().enumerate().rev();
        self.candidates = numbered.map(|(n, drive)| (Device::Configured(n as u16), drive.element)).collect();
        let drives =
            self.found.elements.iter().filter(|element| element.name.kind == ElementType::Drive).count();
        if self.candidates.len() < drives {
            return self.ask(Stage::Luns, Device::Changer, report_luns(self.timing.status), now);
        }
        self.next_candidate(now)
    }

    pub(super) fn next_candidate(&mut self, now: Now) -> Do<Result<Surveyed, NotSurveyed>> {
        let Some((device, element)) = self.candidates.pop() else {
            self.further = self.left_to_ask();
            return self.ask_further(now);
        };
        let command = inquiry(self.timing.status);
        self.ask(Stage::Candidate { device, element }, device, command, now)
    }

    /// Drives are left, and elements: who those drives are is asked in every way that there is.
    fn left_to_ask(&self) -> Vec<(usize, u8)> {
        let pairs = self.pairs();
        let all_found = self.drive_elements().iter().all(|element| pairs.contains_key(&element.address));
        let is_left = |(n, path): (usize, &DrivePath)| {
            (path.element.is_none() && !pairs.values().any(|used| *used == n)).then_some(n)
        };
        let left = self.paths.iter().enumerate().filter_map(is_left).filter(|_| !all_found);
        let mut pages: Vec<_> = left.flat_map(|n| FURTHER_PAGES.map(|page| (n, page))).collect();
        pages.reverse();
        pages
    }

    pub(super) fn ask_further(&mut self, now: Now) -> Do<Result<Surveyed, NotSurveyed>> {
        let next = self.further.pop();
        let path = |n: usize| self.paths.get(n).map(|path| path.device);
        match next.and_then(|(n, page)| Some((n, page, path(n)?))) {
            Some((n, page, device)) => {
                self.ask(Stage::Further(n, page), device, vital_page(page, self.timing.status), now)
            }
            None => {
                let command = Command::new(TestUnitReady {}.cdb(), self.timing.status);
                self.ask(Stage::LastLook, Device::Changer, command, now)
            }
        }
    }

    /// The drive elements. A library that identifies no drives still has them.
    fn drive_elements(&self) -> Vec<DriveElement> {
        let drives = self.found.elements.iter().filter(|element| element.name.kind == ElementType::Drive);
        let told = |address| self.found.drives.iter().find(|drive| drive.address == address).cloned();
        drives
            .map(|element| element.name.address)
            .map(|address| told(address).unwrap_or_else(|| DriveElement::unknown(address)))
            .collect()
    }

    fn pairs(&self) -> BTreeMap<ElementAddress, usize> {
        let ways: Vec<DriveWay> = self.paths.iter().map(DriveWay::from).collect();
        pair(self.library.as_deref(), &self.drive_elements(), &ways)
    }

    pub(super) fn finish(&mut self) -> Surveyed {
        let (pairs, drives) = (self.pairs(), self.drive_elements());
        let mut found = core::mem::take(&mut self.found);
        found.drives = drives;
        for (address, n) in pairs {
            found.paths.extend(self.paths.get(n).map(|path| (address, path.clone())));
        }
        found
    }
}
