//! Cleaning a drive: which cleaning cartridge is taken, and what becomes of it and of the request (RSM: `CleanNtmsDrive`).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::identity::kind_of;
use super::live::Phase;
use super::motion::Way;
use super::schedule::Start;
use super::work::Work;
use crate::catalog::{Cartridge, MediumKind, Service};
use crate::drive::clean::{Clean, Cleaned};
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::elements::Need;
use crate::library::queue::Blocker;
use crate::request::{ElementName, Failure, FailureKind, FaultOf, Operation, Outcome, Place, State};
use crate::time::Now;
use crate::view::OperatorTask;

impl Engine {
    pub(crate) fn start_clean(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        drive: ElementAddress,
        now: Now,
    ) -> Start {
        let Some(live) = self.live.get(&id) else { return Start::Gone };
        let (cartridge, putting_back, failing) =
            (live.request.cartridge, live.putting_back, live.request.failing.is_some());
        // The cleaning cartridge is in the drive for this request already, and not for another cleaning of the drive.
        let inside = |cartridge: &CartridgeId| {
            if self.medium_is_busy(*cartridge, id) {
                return false;
            }
            let place = self.standing_place(id, *cartridge).ok();
            // On its way back it may have stayed in the arm.
            let in_arm = |place: ElementName| putting_back && place.kind == ElementType::Transport;
            place.is_some_and(|place| place.address == drive || in_arm(place))
        };
        if let Some(cartridge) = cartridge.filter(inside) {
            if putting_back {
                return self.start_put_back(index, id, cartridge, drive, now);
            }
            self.reserve(index, id, cartridge, drive, None);
            self.set_state(id, State::InProcess);
            if failing {
                self.put_back(index, id, now)
            } else {
                self.watch_cleaning(index, id, now)
            }
            return Start::Gone;
        }
        // Hands took the cleaner out of the drive: it is back.
        if putting_back && let Some(end) = self.came_back_cleaner(id, now) {
            self.end(id, end, now);
            return Start::Gone;
        }
        // Whatever is in the drive is not this cleaning's: it makes way as anything else does.
        if self.library(index).is_some_and(|library| library.elements.is_held_by(drive, id)) {
            self.release(id, index);
        }
        let Some(library) = self.library(index) else { return Start::Gone };
        let Some(state) = library.elements.get(drive).and_then(|element| element.drive.as_ref()) else {
            let message = alloc::format!("drive {drive} is not in {} any more", library.config.name);
            self.fail(id, Failure::new(FailureKind::Refused, message), now);
            return Start::Gone;
        };
        if state.service == Service::Disabled {
            let message = alloc::format!("drive {drive} of {} is disabled", library.config.name);
            self.fail(id, Failure::new(FailureKind::Disabled, message), now);
            return Start::Gone;
        }
        if !library.elements.is_free_drive(drive) {
            if state.service == Service::Enabled {
                self.make_room(index, Some(drive), Need::default(), now);
            }
            return Start::Blocked(Blocker::Drive(drive));
        }
        let Some(cleaner) = self.usable_cleaner(index, id) else {
            self.wait_for_cleaner(index, id, now);
            return Start::Gone;
        };
        let (Some(cartridge), Ok(source)) =
            (self.catalogue.cartridge(cleaner), self.standing_place(id, cleaner))
        else {
            return Start::Gone;
        };
        let barcode = cartridge.barcode.clone();
        if self.medium_is_busy(cleaner, id) {
            return Start::Blocked(Blocker::Medium(cleaner));
        }
        if source.kind == ElementType::Drive {
            // It was left in another drive.
            self.make_room(index, Some(source.address), Need::default(), now);
            return Start::Blocked(Blocker::Medium(cleaner));
        }
        if let Some(live) = self.live.get_mut(&id) {
            live.request.cartridge = Some(cleaner);
            live.request.barcode = barcode;
        }
        self.reserve(index, id, cleaner, drive, Some(source.address));
        let destination = ElementName { kind: ElementType::Drive, address: drive };
        self.intend(index, id, cleaner, Way { source, destination }, now);
        Start::Gone
    }

    /// The cleaning cartridge that a cleaning takes: one that is free now, first the one in the cleaner's slot; else any that can be
    /// used yet, last one that was mounted before somebody said that it cleans.
    fn usable_cleaner(&self, index: LibraryIndex, id: RequestId) -> Option<CartridgeId> {
        let library = self.library(index)?;
        let library_id = library.id?;
        let rank = |cartridge: &Cartridge| {
            let place = match &cartridge.place {
                Place::Element(place) => *place,
                _ => return None,
            };
            let in_slot = library.cleaner_slot == Some(place.address);
            let busy = self.medium_is_busy(cartridge.id, id) || place.kind == ElementType::Drive;
            let mounted = self.catalogue.mount_of(cartridge.id).is_some();
            Some((mounted, busy, !in_slot, cartridge.id))
        };
        self.catalogue
            .cartridges()
            .filter(|cartridge| cartridge.library == library_id && !cartridge.disabled)
            .filter(|cartridge| kind_of(cartridge) == MediumKind::Cleaning)
            .filter(|cartridge| cartridge.cleaner.and_then(|cleaner| cleaner.uses_left) != Some(0))
            .filter_map(rank)
            .min()
            .map(|(.., id)| id)
    }

    /// There is none: a person is asked for one.
    fn wait_for_cleaner(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        self.release(id, index);
        let Some(live) = self.live.get_mut(&id) else { return };
        (live.request.cartridge, live.request.barcode) = (None, None);
        self.await_person(index, id);
        // Whoever waits for the cleaner that is used up finds out, too.
        self.pass_on(index, id);
        let library = self.library_name(index).into();
        self.ask_person(id, OperatorTask::BringCleaner { library }, now);
    }

    /// Cartridges came, or it was found out what one is: cleanings that wait for a person look again.
    pub(crate) fn cleaners_came(&mut self) {
        let waiting: Vec<(LibraryIndex, RequestId)> = self
            .awaiting_persons()
            .filter(|live| live.request.operation() == Operation::CleanDrive)
            .filter_map(|live| Some((live.library?, live.request.id)))
            .collect();
        for (index, id) in waiting {
            if self.usable_cleaner(index, id).is_some() {
                self.was_brought(id);
                self.queue_again(index, id);
            }
        }
    }

    /// The cleaning cartridge is in the drive: that is one use of it, whatever comes of it.
    pub(crate) fn cleaner_arrived(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        if let Some(cleaner) = self.live.get(&id).and_then(|live| live.request.cartridge) {
            self.keep_cleaner(cleaner, |known| {
                known.uses_left = known.uses_left.map(|left| left.saturating_sub(1));
            });
        }
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        self.watch_cleaning(index, id, now);
    }

    /// Asks the drive until it is done. After a restart it is asked anew, which counts no second use.
    pub(crate) fn watch_cleaning(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(drive) = self.live.get(&id).and_then(|live| live.request.drive) else { return };
        let Some(timing) = self.drive_timing(index, drive) else { return };
        let device = self.drive_device(index, drive);
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Cleaning;
            live.steps_sent = true;
        }
        self.begin(index, Work::Clean(id, Clean::new(device, timing)), now);
    }

    /// The drive is done: the cartridge goes back to its slot, and what it came to is told when it is there.
    pub(crate) fn drive_cleaned(&mut self, index: LibraryIndex, id: RequestId, result: Cleaned, now: Now) {
        let Some(live) = self.live.get(&id) else { return };
        let (Some(drive), Some(cleaner)) = (live.request.drive, live.request.cartridge) else { return };
        let element = ElementName { kind: ElementType::Drive, address: drive };
        let elsewhere = self.standing_place(id, cleaner).is_ok_and(|place| place != element);
        if elsewhere && matches!(result, Cleaned::UsedUp(_) | Cleaned::NoCleaner) {
            // Hands had exchanged it: what the drive speaks of is another one.
            return self.clean_anew(index, id, now);
        }
        let (library, name) = (self.library_name(index), self.cartridge_name(cleaner));
        let not_cleaned = |why: String| {
            let message = alloc::format!("{element} of {library} was not cleaned by cartridge {name}: {why}");
            Failure::new(FailureKind::DriveFault, message)
        };
        let (of, failure) = match &result {
            Cleaned::Yes => {
                self.keep_drive(index, drive, |drive| {
                    drive.last_cleaned = Some(now.wall);
                    drive.wants_cleaning = false;
                    drive.must_clean = false;
                });
                self.tell_drive(index, drive);
                self.who_waits_finds_out(index, drive);
                (None, None)
            }
            Cleaned::UsedUp(_) | Cleaned::NoCleaner => {
                self.keep_cleaner(cleaner, |known| known.uses_left = Some(0));
                let (sense, what) = match &result {
                    Cleaned::UsedUp(sense) => (*sense, "is used up"),
                    _ => (None, "does not clean"),
                };
                let message =
                    alloc::format!("cleaning cartridge {name} {what}: {element} of {library} says so");
                let failure = Failure::new(FailureKind::MediumFault, message).with_sense(sense);
                (Some(FaultOf::Medium), Some(failure))
            }
            Cleaned::InVain => (None, Some(not_cleaned("it asks to be cleaned as before".into()))),
            Cleaned::No(None) => (None, Some(not_cleaned("it did not say in time that it is done".into()))),
            Cleaned::No(Some(sense)) => (None, Some(not_cleaned(sense.to_string()).with_sense(Some(*sense)))),
        };
        // What is the drive's fault is counted when the request fails; a used-up cartridge does not fail it.
        if let (Some(of), Some(failure)) = (of, &failure) {
            self.blame(id, of, Some(drive), failure, now);
        }
        if let Some(live) = self.live.get_mut(&id) {
            live.request.failing = failure;
        }
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        self.put_back(index, id, now);
    }

    /// Whether the motion under way is the one with which the request ends. After a used-up cartridge another one follows.
    pub(crate) fn takes_cleaner_back(&self, id: RequestId) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        let planned =
            live.library.and_then(|index| self.library(index)?.motions.get(&id)).map(|motion| &motion.record);
        let ends = planned
            .or_else(|| self.open_motions.get(&id))
            .is_some_and(|record| record.destination.kind == ElementType::Storage);
        let another =
            live.request.failing.as_ref().is_some_and(|failure| failure.kind == FailureKind::MediumFault);
        ends && !another
    }

    /// The cleaning cartridge is in a slot again. With a used-up one the drive is as dirty as before: the next one is tried.
    pub(crate) fn cleaner_is_back(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        if let Some(end) = self.came_back_cleaner(id, now) {
            return self.end(id, end, now);
        }
        self.clean_anew(index, id, now);
    }

    fn clean_anew(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        self.release(id, index);
        if let Some(live) = self.live.get_mut(&id) {
            (live.request.cartridge, live.request.barcode) = (None, None);
        }
        self.set_state(id, State::Queued);
        self.admit(id, now);
    }

    /// With what a cleaning ends whose cartridge is in a slot again; `None`: another one is tried.
    pub(crate) fn came_back_cleaner(&mut self, id: RequestId, now: Now) -> Option<State> {
        let live = self.live.get_mut(&id)?;
        live.putting_back = false;
        live.unloaded = false;
        let (cleaner, failing) = (live.request.cartridge, live.request.failing.take());
        match failing {
            Some(failure) if failure.kind == FailureKind::MediumFault => None,
            Some(failure) => {
                self.blame_end(id, &failure, now);
                Some(State::Failed(failure))
            }
            None => {
                let known = cleaner.and_then(|cleaner| self.catalogue.cartridge(cleaner));
                let uses_left = known.and_then(|known| known.cleaner).and_then(|cleaner| cleaner.uses_left);
                Some(State::Passed(Outcome::Cleaned { uses_left }))
            }
        }
    }
}
