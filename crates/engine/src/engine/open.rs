//! From a configured library to a ready one: identify, claim, survey; and again after its path was lost.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;

use autochanger_scsi::Dialect;

use super::Engine;
use super::emit::Effect;
use super::moved::{names, told_of};
use super::round::Reconciled;
use super::work::{Timer, Work};
use crate::changer::identify::{Identified, NotIdentified};
use crate::changer::survey::{NotSurveyed, Survey, Surveyed, TYPES, When};
use crate::command::PathFault;
use crate::id::{LibraryId, LibraryIndex, Route};
use crate::input::ClaimError;
use crate::library::Unsettled;
use crate::library::fault::Stale;
use crate::output::{EventKind, Output};
use crate::quirk::{Quirk, ToldBy};
use crate::time::Now;
use crate::view::{LibraryError, LibraryState};

impl Engine {
    pub(crate) fn begin_open(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        library.opening = true;
        let route = library.routes.begin_round();
        self.open_way(index, route, now);
    }

    pub(crate) fn set_library_state(&mut self, index: LibraryIndex, state: LibraryState, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        if *library.state == state {
            return;
        }
        library.state = Arc::new(state);
        let (name, state) = (library.config.name.clone(), library.state.clone());
        self.tell(EventKind::Library { name, state }, now);
    }

    pub(crate) fn identified(
        &mut self,
        index: LibraryIndex,
        route: Route,
        result: Result<Identified, NotIdentified>,
        now: Now,
    ) {
        let identity = match result {
            Ok(found) => match self.take_way(index, route, found, now) {
                Ok(identity) => identity,
                Err(error) => return self.way_unfit(index, error, now),
            },
            Err(NotIdentified::Path(fault)) => return self.way_lost(index, fault, now),
            Err(NotIdentified::Error(error)) => return self.way_unfit(index, error, now),
        };
        let twin = self.libraries.iter().find(|other| {
            other.index != index && other.identity.as_ref().is_some_and(|known| known.is_same(&identity))
        });
        let twin = twin.map(|other| other.config.name.clone());
        let Some(library) = self.library_mut(index) else { return };
        let device = library.config.name.clone();
        if let Some(other) = twin {
            let serial = identity.serial;
            return self.unusable(index, LibraryError::Twice { device, other, serial }, now);
        }
        match &library.identity {
            Some(known) if !known.is_same(&identity) => {
                let what = alloc::format!(
                    "another library answers here now: {} {} with serial number {}, it was {}",
                    identity.vendor,
                    identity.product,
                    identity.serial,
                    known.serial
                );
                self.unusable(index, LibraryError::Unfit { device, what }, now);
            }
            known => {
                let firmware = known.as_ref().is_some_and(|known| known.revision != identity.revision);
                library.dialect = Dialect::of(&identity.vendor, &identity.product);
                library.identity = Some(identity.clone());
                if library.claimed {
                    if firmware {
                        self.keep_library(index);
                    }
                    self.secure(index, now);
                } else {
                    self.outbox.put(Output::Claim { library: index, identity });
                }
            }
        }
    }

    pub(crate) fn claimed(&mut self, index: LibraryIndex, result: Result<(), ClaimError>, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let Some(identity) = library.identity.clone() else { return };
        if let Err(claim) = result {
            let device = library.config.name.clone();
            library.identity = None;
            return self.unusable(index, LibraryError::InUse { device, serial: identity.serial, claim }, now);
        }
        library.claimed = true;
        let known = self.known_libraries.iter().find(|known| known.identity.is_same(&identity)).cloned();
        let id = known.as_ref().map_or_else(|| LibraryId(self.ids.next()), |known| known.id);
        if let Some(library) = self.library_mut(index) {
            library.id = Some(id);
            if let Some(known) = &known {
                library.service = known.service;
                library.cleaner_slot = known.cleaner_slot;
                library.blame = known.blame;
            }
        }
        if known.is_none_or(|known| known.identity != identity) {
            self.keep_library(index);
        }
        self.secure(index, now);
    }

    pub(crate) fn begin_survey(&mut self, index: LibraryIndex, now: Now) {
        // What was intended on the old picture is intended again on the new one.
        self.retract_unsent(index, now);
        let Some(library) = self.library_mut(index) else { return };
        library.stale = Stale::Nothing;
        // An inventory that is still reading needs to know what overtook it.
        if !library.reading {
            library.overtaken = Unsettled::default();
        }
        let config = &library.config;
        let when = match (config.initialize_at_start, library.surveyed && !library.switched_on) {
            (false, _) => When::Wanted,
            (true, true) => When::SwitchedOn,
            (true, false) => When::Always,
        };
        let survey = Survey::new(config.drives.clone(), config.timing, config.max_transfer, library.dialect)
            .of_library(library.identity.as_ref().map(|identity| identity.serial.clone()))
            .initializing(library.initialize(), when);
        self.begin(index, Work::Survey(Box::new(survey)), now);
    }

    pub(crate) fn surveyed(&mut self, index: LibraryIndex, result: Result<Surveyed, NotSurveyed>, now: Now) {
        let found = match result {
            Ok(found) => found,
            Err(NotSurveyed::Path(fault)) => return self.way_lost(index, fault, now),
            Err(NotSurveyed::Unfit(what)) => {
                let Some(library) = self.library_mut(index) else { return };
                if let Some(fault) = library.routes.suspect.take() {
                    return self.way_lost(index, fault, now);
                }
                let device = library.config.name.clone();
                return self.unusable(index, LibraryError::Unfit { device, what }, now);
            }
        };
        let own = |address| found.paths.get(&address).and_then(|path| path.names.serial.clone());
        let here = names(&found.elements, &found.drives, own);
        self.follow_slots(index, &found.elements, now);
        let unsure = self.follow_drives(index, &here, now);
        let _: Reconciled = self.reconcile(index, &found.elements, &TYPES, now);
        let Some(library) = self.library_mut(index) else { return };
        library.config.timing = library.given.at_least(&found.recommended);
        library.geometry = found.geometry;
        library.capabilities = found.capabilities;
        library.style = found.style;
        library.initialize_form = found.initialized.or(library.initialize_form);
        (library.surveyed, library.switched_on) = (true, false);
        library.quirks.retain(|known| known.told_by() == ToldBy::Work);
        library.quirks.extend(found.quirks.iter().copied());
        if library.tray_is_magazine() {
            library.quirks.insert(Quirk::PortCommandIsMagazine);
        }
        library.opening = false;
        library.retry_pause = library.config.timing.retry_min;
        let drives: alloc::vec::Vec<_> = library
            .elements
            .of_kind(autochanger_scsi::ElementType::Drive)
            .map(|element| element.name.address)
            .collect();
        for address in drives.into_iter().filter(|address| !unsure.contains(address)) {
            let path = found.paths.get(&address);
            let told = told_of(&found.drives, address);
            let of_library = found.drives.iter().find(|drive| drive.address == address && !drive.cut);
            library.elements.update(address, |element| {
                if let Some(drive) = &mut element.drive {
                    // The drive knows its own number best.
                    drive.serial = path
                        .and_then(|path| path.names.serial.clone())
                        .or(of_library.and_then(|it| it.serial.clone()));
                    drive.told = told;
                    // A drive that did not answer this time is where it was, and the one that it was.
                    drive.own_serial = path.map_or(drive.own_serial.take(), |path| path.names.serial.clone());
                    drive.device = path.map(|path| path.device).or(drive.device);
                }
            });
            let product =
                path.map(|path| &path.product).or(of_library.and_then(|drive| drive.product.as_ref()));
            library.note_product(address, product.map(|product| &**product));
        }
        self.recognize_drives(index, &unsure, now);
        self.follow_ways(index);
        self.note_unheard(index, found.silent, now);
        self.outbox.after(Effect::Surveyed(index));
    }

    /// What the survey found is durable: the library serves requests.
    pub(crate) fn surveyed_durably(&mut self, index: LibraryIndex, now: Now) {
        if self.library(index).is_none_or(|library| library.opening) {
            return;
        }
        self.set_library_state(index, LibraryState::Ready, now);
        self.watch_ways(index, now);
        self.note_look(index, true, now);
        self.await_again(index, now);
        self.reconsider(index, now);
        self.attach_orphans(index, now);
        self.go_on_with_labels(index, now);
        self.heed_conditions(index, now);
        self.look_for_stray(index, now);
        self.ask_needs_again(index, now);
        self.wake_after_inventory(index);
        self.look_at_ports(index);
        self.mark_dirty(index);
    }

    /// The way to the library is lost: it is tried again with growing pauses.
    pub(crate) fn not_present(&mut self, index: LibraryIndex, fault: PathFault, now: Now) {
        self.set_library_state(index, LibraryState::NotPresent(fault), now);
        self.reopen_later(index, now);
    }

    /// Something a person must put right. What may right itself (another manager that ends, a library that comes
    /// online) is tried again all the same; a wrong secret or address is not.
    pub(crate) fn unusable(&mut self, index: LibraryIndex, error: LibraryError, now: Now) {
        // A library that has served will serve again: whatever its path says now is tried again.
        let known = self.library(index).is_some_and(|library| library.id.is_some());
        let may_right_itself =
            known || matches!(error, LibraryError::InUse { .. } | LibraryError::Unfit { .. });
        self.set_library_state(index, LibraryState::Unusable(error), now);
        if may_right_itself {
            self.reopen_later(index, now);
        }
    }

    fn reopen_later(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let pause = library.retry_pause;
        library.retry_pause = pause.saturating_mul(2).min(library.config.timing.retry_max);
        library.opening = true;
        self.set_timer(now.monotonic.saturating_add(pause), Timer::Reopen(index));
    }

    /// The library's name, for messages.
    pub(crate) fn library_name(&self, index: LibraryIndex) -> alloc::string::String {
        self.library(index).map(|library| library.config.name.to_string()).unwrap_or_default()
    }
}
