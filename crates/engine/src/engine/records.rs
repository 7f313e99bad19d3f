//! What is kept of libraries and drives beside the requests: who they are, whether they serve, how well they did.

use alloc::collections::BTreeSet;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use crate::catalog::DriveRecord;
use crate::id::LibraryIndex;
use crate::library::elements::DriveState;
use crate::output::{Change, EventKind};
use crate::pairing::same_serial;
use crate::planted::Bug;
use crate::time::Now;

impl Engine {
    /// Changes a cartridge and keeps the change.
    pub(crate) fn keep_cartridge(
        &mut self,
        id: crate::id::CartridgeId,
        change: impl FnOnce(&mut crate::catalog::Cartridge),
    ) {
        let Some(before) = self.catalogue.cartridge(id) else { return };
        let mut cartridge = before.clone();
        change(&mut cartridge);
        if cartridge.place != before.place && !self.planted.is(Bug::PlaceNotTold) {
            let (barcode, place) = (cartridge.barcode.clone(), cartridge.place.clone());
            self.outbox.after(Effect::Event(EventKind::Cartridge { id, barcode, place }));
        }
        self.outbox.change(Change::Cartridge(cartridge.clone()));
        let cleans = super::identity::kind_of(&cartridge) == crate::catalog::MediumKind::Cleaning;
        self.catalogue.put(cartridge);
        if cleans {
            self.cleaners_came();
        }
    }

    /// Changes what is known of a cleaning cartridge, keeps and tells it.
    pub(crate) fn keep_cleaner(
        &mut self,
        id: crate::id::CartridgeId,
        change: impl FnOnce(&mut crate::catalog::Cleaner),
    ) {
        self.keep_cartridge(id, |cartridge| change(cartridge.cleaner.get_or_insert_default()));
        let Some(cartridge) = self.catalogue.cartridge(id) else { return };
        let barcode = cartridge.barcode.clone();
        let uses_left = cartridge.cleaner.and_then(|cleaner| cleaner.uses_left);
        self.outbox.after(Effect::Event(EventKind::CleanerUses { id, barcode, uses_left }));
    }

    /// Records a label, and tells it.
    pub(crate) fn record_label(&mut self, id: crate::id::CartridgeId, label: crate::catalog::Label) {
        self.keep_cartridge(id, |cartridge| cartridge.label = Some(label.clone()));
        let barcode = self.catalogue.cartridge(id).and_then(|cartridge| cartridge.barcode.clone());
        self.outbox.after(Effect::Event(EventKind::LabelRecorded { id, barcode, label }));
    }

    /// Keeps what is known of the library now.
    pub(crate) fn keep_library(&mut self, index: LibraryIndex) {
        let Some(record) = self.library(index).and_then(|library| library.record()) else { return };
        self.known_libraries.retain(|known| known.id != record.id);
        self.known_libraries.push(record.clone());
        self.outbox.change(Change::Library(record));
    }

    /// Changes a drive and keeps the change.
    pub(crate) fn keep_drive(
        &mut self,
        index: LibraryIndex,
        drive: ElementAddress,
        change: impl FnOnce(&mut DriveState),
    ) {
        let Some(library) = self.library_mut(index) else { return };
        library.elements.update(drive, |element| element.drive.as_mut().map(change));
        let (Some(id), Some(state)) =
            (library.id, library.elements.get(drive).and_then(|element| element.drive.as_ref()))
        else {
            return;
        };
        let record = DriveRecord {
            library: id,
            element: drive,
            serial: state.serial.clone(),
            service: state.service,
            last_cleaned: state.last_cleaned,
            wants_cleaning: state.wants_cleaning,
            blame: state.blame,
        };
        self.known_drives.insert((id, drive), record.clone());
        self.outbox.change(Change::Drive(record));
    }

    /// The drives were surveyed: each gets what was kept of it. Another drive in its place begins anew.
    pub(crate) fn recognize_drives(
        &mut self,
        index: LibraryIndex,
        unsure: &BTreeSet<ElementAddress>,
        now: Now,
    ) {
        let Some(library) = self.library(index) else { return };
        let (Some(id), name) = (library.id, library.config.name.clone()) else { return };
        let drives: alloc::vec::Vec<_> = library
            .elements
            .of_kind(ElementType::Drive)
            .filter(|element| !unsure.contains(&element.name.address))
            .filter_map(|element| {
                let drive = element.drive.as_ref()?;
                Some((element.name.address, drive.serial.clone(), drive.told.clone()))
            })
            .collect();
        for (drive, serial, told) in drives {
            let Some(known) = self.known_drives.get(&(id, drive)).cloned() else {
                self.keep_drive(index, drive, |_| {});
                continue;
            };
            match (known.serial, serial) {
                (Some(before), Some(serial))
                    if !same_serial(&before, &serial)
                        && !told.is_some_and(|told| same_serial(&before, &told)) =>
                {
                    let shown = self.told_of_drives(index, [drive]);
                    self.keep_drive(index, drive, |state| {
                        *state = core::mem::take(state).renewed();
                    });
                    self.tell_other_drives(index, &shown);
                    self.drive_was_exchanged(index, drive, now);
                    self.tell(EventKind::DriveReplaced { library: name.clone(), drive, before, serial }, now);
                }
                (before, serial) => {
                    let newly_named = before != serial && serial.is_some();
                    let take_over = |state: &mut DriveState| {
                        state.service = known.service;
                        state.last_cleaned = known.last_cleaned;
                        state.wants_cleaning = known.wants_cleaning;
                        state.blame = known.blame;
                    };
                    if newly_named {
                        self.keep_drive(index, drive, take_over);
                    } else if let Some(library) = self.library_mut(index) {
                        library.elements.update(drive, |element| element.drive.as_mut().map(take_over));
                    }
                }
            }
        }
    }
}
