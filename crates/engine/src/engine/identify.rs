//! Media that are loaded for their label: to read it (RSM: `IdentifyNtmsSlot`, PROCESSOMID), to write the one of a free medium
//! (RSM: WRITESCRATCH), and to hold a mount against it ([`Verify::Label`]).
//!
//! Such a request is a mount of the manager's own up to the ready drive. Then the label is read or written, and the medium
//! goes back to its slot for the same request. After a restart with the medium in the drive it begins again with reading.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use super::identity::kind_of;
use super::live::Phase;
use super::schedule::Start;
use super::work::Work;
use crate::catalog::{Label, MediumKind};
use crate::drive::label::{Labelling, NoLabel, Writing};
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::input::Verify;
use crate::label::{FreeLabel, MAX_FORMATS, SharedFormat};
use crate::library::fault::Stale;
use crate::output::{EventKind, Refusal};
use crate::request::{
    ElementName, Failure, FailureKind, FaultOf, InventoryMethod, LabelFound, Operation, Outcome, State,
    Wanted,
};
use crate::time::Now;

impl Engine {
    /// Whether the request reads what is written on its medium.
    pub(crate) fn reads_label(&self, id: RequestId) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        match live.request.operation() {
            Operation::Identify | Operation::WriteFreeLabel => true,
            Operation::Mount => self.verifies(live.library),
            _ => false,
        }
    }

    /// Whether mounts of the library are held against the label.
    pub(crate) fn verifies(&self, library: Option<LibraryIndex>) -> bool {
        library
            .and_then(|index| self.library(index))
            .is_some_and(|library| library.config.verify == Verify::Label)
    }

    pub(crate) fn start_identify(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Start {
        let cartridge = self.live.get(&id).and_then(|live| live.request.cartridge);
        let known = cartridge.and_then(|cartridge| self.catalogue.cartridge(cartridge));
        // It became known as one while the request waited. In a drive it would clean.
        if let Some(cleaner) = known.filter(|known| kind_of(known) == MediumKind::Cleaning) {
            let message = alloc::format!("{} is a cleaning cartridge", self.cartridge_name(cleaner.id));
            self.fail(id, Failure::new(FailureKind::Refused, message), now);
            return Start::Gone;
        }
        self.start_mount(index, id, None, now)
    }

    /// The drive is ready: the label is next, once it is durable that the request is in process.
    pub(crate) fn await_label(&mut self, id: RequestId) {
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Beginning;
        }
        self.outbox.after(Effect::BegunDurably(id));
    }

    pub(crate) fn begin_labelling(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(live) = self.live.get(&id) else { return };
        // What came into the drive instead is a stranger's: it is neither read for this one nor written.
        if let Some(failure) = self.not_in_its_drive(index, id) {
            return self.fail(id, failure, now);
        }
        let overwrite = match live.request.wanted {
            Wanted::WriteFreeLabel { overwrite, .. } => Some(overwrite),
            _ => None,
        };
        let drive = live.request.drive;
        let device = drive.and_then(|drive| self.drive_device(index, drive));
        let timing = drive.and_then(|drive| self.drive_timing(index, drive));
        let (Some(device), Some(timing)) = (device, timing) else {
            let failure = Failure::new(FailureKind::PathLost, no_way(&self.library_name(index)));
            return self.take_out_failed(index, id, failure, now);
        };
        let writing = overwrite.map(|overwrite| {
            let label = FreeLabel { medium: self.ids.next(), created: now.wall };
            Writing { label, overwrite }
        });
        let formats: Vec<SharedFormat> =
            self.config.label_formats.iter().take(MAX_FORMATS).cloned().collect();
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Labelling;
        }
        self.begin(index, Work::Label(id, Labelling::new(device, timing, formats, writing)), now);
    }

    pub(crate) fn labelled(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        result: Result<LabelFound, NoLabel>,
        now: Now,
    ) {
        let Some(live) = self.live.get(&id) else { return };
        let (Some(cartridge), Some(drive)) = (live.request.cartridge, live.request.drive) else { return };
        let wanted = live.request.wanted.clone();
        if let Some(failure) = self.not_in_its_drive(index, id) {
            return self.stop_or(id, now, |engine| engine.fail(id, failure, now));
        }
        self.blame_suspects(id, now);
        let found = match result {
            Ok(found) => {
                self.keep_cartridge(cartridge, |cartridge| cartridge.label_read_at = Some(now.wall));
                found
            }
            Err(why) => {
                let failure = self.label_failure(index, cartridge, drive, &why);
                // What is in the drive may be somebody's: it is looked at before it is moved.
                if let (NoLabel::Changed(_), Some(library)) = (&why, self.library_mut(index)) {
                    library.touch(Stale::All);
                    return self.stop_or(id, now, |engine| engine.fail(id, failure, now));
                }
                return self.take_out_failed(index, id, failure, now);
            }
        };
        match wanted {
            Wanted::Mount { .. } => match self.compare(cartridge, &found) {
                Ok(()) => self.stop_or(id, now, |engine| engine.mounted(index, id, drive, now)),
                Err(failure) => self.take_out_failed(index, id, failure, now),
            },
            Wanted::WriteFreeLabel { .. } => {
                // Written by the manager itself: whatever was recorded before is gone.
                self.keep_label(cartridge, &found);
                self.identified_in_drive(index, id, found, false, now);
            }
            Wanted::Identify { keep, .. } => {
                // What differs is told, and stays recorded as it was until somebody says what is right.
                let _: Result<(), Failure> = self.compare(cartridge, &found);
                self.identified_in_drive(index, id, found, keep, now);
            }
            _ => {}
        }
    }

    fn identified_in_drive(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        found: LabelFound,
        keep: bool,
        now: Now,
    ) {
        if keep {
            return self.end(id, State::Passed(Outcome::Identified { found }), now);
        }
        self.stop_or(id, now, |engine| {
            if let Some(live) = engine.live.get_mut(&id) {
                live.found = Some(found);
            }
            engine.put_back(index, id, now);
        });
    }

    /// A step has ended: on, unless the request was told to stop.
    fn stop_or(&mut self, id: RequestId, now: Now, on: impl FnOnce(&mut Self)) {
        if self.stopping(id) { self.stop_here(id, now) } else { on(self) }
    }

    /// The request has failed, and takes its medium to a slot before it says so.
    fn take_out_failed(&mut self, index: LibraryIndex, id: RequestId, failure: Failure, now: Now) {
        self.stop_or(id, now, |engine| {
            engine.blame_end(id, &failure, now);
            if let Some(live) = engine.live.get_mut(&id) {
                live.request.failing = Some(failure);
            }
            engine.put_back(index, id, now);
        });
    }

    /// Holds what was found against what is recorded. Where nothing is recorded, or only that the medium is free, what was
    /// found is recorded. Unreadable is not *changed*.
    fn compare(&mut self, cartridge: CartridgeId, found: &LabelFound) -> Result<(), Failure> {
        let Some(known) = self.catalogue.cartridge(cartridge) else { return Ok(()) };
        let (recorded, barcode) = (known.label.clone(), known.barcode.clone());
        let is = label_of(found);
        let Some(recorded) = recorded else {
            self.keep_label(cartridge, found);
            return Ok(());
        };
        if *found == LabelFound::Unreadable || is.is_some_and(|is| is.is_of_same_medium(&recorded)) {
            return Ok(());
        }
        let message = alloc::format!(
            "cartridge {} should carry the label {recorded}; what was read: {}",
            self.cartridge_name(cartridge),
            in_full(found)
        );
        self.outbox.after(Effect::Event(EventKind::LabelChanged {
            id: cartridge,
            barcode,
            recorded: recorded.clone(),
            found: found.clone(),
        }));
        Err(Failure::new(FailureKind::WrongLabel, message))
    }

    fn keep_label(&mut self, cartridge: CartridgeId, found: &LabelFound) {
        let Some(label) = label_of(found).cloned() else { return };
        if self.catalogue.cartridge(cartridge).is_some_and(|known| known.label.as_ref() != Some(&label)) {
            self.record_label(cartridge, label);
        }
    }

    fn label_failure(
        &self,
        index: LibraryIndex,
        cartridge: CartridgeId,
        drive: ElementAddress,
        why: &NoLabel,
    ) -> Failure {
        let element = ElementName { kind: ElementType::Drive, address: drive };
        let name = self.cartridge_name(cartridge);
        let message = match why {
            NoLabel::NotFree(found) => alloc::format!("cartridge {name} is not free: {}", in_full(found)),
            why => alloc::format!(
                "the label of cartridge {name} in {element} of {}: {why}",
                self.library_name(index)
            ),
        };
        Failure::new(why.kind(), message).with_sense(why.sense())
    }

    /// A load failed by the hardware's fault, or found another medium than it should: what is where is read again, by a request
    /// of the manager's own (RSM: `AutoRecovery`). One at a time.
    pub(crate) fn recover_after(&mut self, index: LibraryIndex, failure: &Failure, now: Now) {
        let Some(library) = self.library(index) else { return };
        let hardware = matches!(failure.kind.fault_of(), FaultOf::Drive | FaultOf::Library);
        let wanted = hardware || failure.kind == FailureKind::WrongLabel;
        // What is known to be stale is read again anyway.
        let due = library.stale >= Stale::All;
        if !wanted || due || !library.config.auto_recovery || self.stopped || self.store_failed.is_some() {
            return;
        }
        let queued = self.live.values().any(|live| {
            live.library == Some(index)
                && live.ending.is_none()
                && live.request.operation() == Operation::Inventory
                && matches!(live.phase, Phase::Accepting | Phase::Queued | Phase::Blocked(_))
        });
        let Some(library) = library.id.filter(|_| !queued) else { return };
        let wanted = Wanted::Inventory { library: Some(library), method: Some(InventoryMethod::Fast) };
        // Where the library is not ready it is surveyed anyway.
        let _: Result<RequestId, Refusal> = self.submit_own(wanted, 0, now);
    }

    /// Where the cartridge is now, for a failure that was found out while it was in a drive.
    pub(crate) fn placed_now(&self, id: RequestId, mut failure: Failure) -> Failure {
        failure.place = self.place_of(id).or(failure.place);
        failure
    }
}

fn label_of(found: &LabelFound) -> Option<&Label> {
    match found {
        LabelFound::Known(label) | LabelFound::Free(label) => Some(label),
        LabelFound::Blank | LabelFound::Unrecognized | LabelFound::Unreadable => None,
    }
}

fn in_full(found: &LabelFound) -> String {
    match found {
        LabelFound::Free(label) => alloc::format!("{found}, {label}"),
        found => found.to_string(),
    }
}

/// That no drive of a library can be asked for a label.
pub(crate) fn no_way(library: &str) -> String {
    alloc::format!(
        "no way to a drive of {library} is known, so that no label can be read: configure it with `drive`"
    )
}
