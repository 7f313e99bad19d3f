//! Several ways to one library: which is taken, when it is left, and what is asked before another one is used.
//!
//! A way is left when it is lost or the device says that it does not serve there. Nothing goes a new way before the library
//! behind it was identified, the reservation is ours there and everything was read anew; a motion that was under way is
//! settled over it by looking (`changer/settle.rs`), like any other in doubt.

use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::ElementType;

use super::Engine;
use super::work::{Timer, Work};
use crate::catalog::Identity;
use crate::changer::identify::{Identified, Identify, NotIdentified};
use crate::command::{Completion, PathFault, PathFaultKind, TransportError};
use crate::id::{Device, LibraryIndex, Path, RequestId, Route};
use crate::input::MAX_PATHS;
use crate::library::fault::speaks_of_path;
use crate::output::EventKind;
use crate::time::Now;
use crate::view::{LibraryError, PathState};

/// How often ways in reserve are asked whether they are still there. Each look is three INQUIRYs; what fails between two looks
/// is found out when it is needed.
const WATCH: Duration = Duration::from_secs(5 * 60);

/// How often a drive behind a changer's target is looked for on another way while a mount waits for it: no more often than
/// there can be ways.
const MAX_DRIVE_LOOKS: u8 = MAX_PATHS as u8;

/// Commands in a row that get no answer from drives behind the changer's target before the way to it is left.
const MAX_SILENCE: u8 = 3;

impl Engine {
    /// Begins to identify the library at one of its ways.
    pub(crate) fn open_way(&mut self, index: LibraryIndex, route: Route, now: Now) {
        if let Some(work) = self.identification(index, route) {
            self.begin_on(index, route, Work::Identify(route, work), now);
        }
    }

    fn identification(&self, index: LibraryIndex, route: Route) -> Option<Identify> {
        let library = self.library(index)?;
        let several = library.routes.are_several();
        // In messages a way has its own name where there are several.
        let name = if several { library.routes.name(route) } else { library.config.name.clone() };
        Some(Identify::new(name, library.config.timing).with_designators(several))
    }

    /// A way that is identified is taken; what it leads to must be what the library was.
    pub(crate) fn take_way(
        &mut self,
        index: LibraryIndex,
        route: Route,
        found: Identified,
        now: Now,
    ) -> Result<Identity, LibraryError> {
        let Some(library) = self.library_mut(index) else { return Ok(found.identity) };
        let routes = &mut library.routes;
        let same_way = route == routes.active;
        if routes.are_several()
            && let Some(known) = &routes.found
            && let Some(what) = known.difference(&found)
            // One and the same device may learn new identifiers.
            && !(same_way && known.identity.is_same(&found.identity))
        {
            let (device, other) = (routes.name(route), routes.name(routes.active));
            let what =
                if same_way { alloc::format!("another library answers here now: {what}") } else { what };
            return Err(if same_way {
                LibraryError::Unfit { device, what }
            } else {
                LibraryError::PathMismatch { device, other, what }
            });
        }
        let mut identity = found.identity.clone();
        if !found.has_serial {
            identity.serial = library.config.name.clone();
        }
        if same_way || routes.found.is_none() {
            routes.found = Some(found);
        }
        let left = core::mem::replace(&mut routes.active, route) != route;
        if left {
            // The numbers of units were those of the other target: drives are found again.
            let drives = library.elements.of_kind(ElementType::Drive).map(|element| element.name.address);
            for address in drives.collect::<Vec<_>>() {
                library.elements.update(address, |element| {
                    let device = element.drive.as_mut().map(|drive| &mut drive.device);
                    device.and_then(|device| device.take_if(|it| matches!(it, Device::Sibling(_))))
                });
            }
        }
        if left {
            self.stop_waiting_on_old_way(index);
        }
        self.set_path_state(index, route, PathState::Active, now);
        Ok(identity)
    }

    pub(crate) fn set_path_state(&mut self, index: LibraryIndex, route: Route, state: PathState, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let several = library.routes.are_several();
        let name = library.config.name.clone();
        let Some(way) = library.routes.get_mut(route) else { return };
        if way.state == state {
            return;
        }
        // One that never worked is news as well; that it keeps failing in other words is none.
        let same_kind = matches!((&way.state, &state), (PathState::Lost(old), PathState::Lost(new)) if old.kind == new.kind);
        way.state = state.clone();
        if !matches!(state, PathState::Active | PathState::Standby) {
            way.registered = false;
        }
        let path = way.name.clone();
        if several && !same_kind {
            self.tell(EventKind::Path { library: name, path, state }, now);
        }
    }

    /// The way being opened, or in use, is of no use: another one is tried, each once. `false` when none is left.
    pub(crate) fn try_other_way(&mut self, index: LibraryIndex, why: PathState, now: Now) -> bool {
        let Some(library) = self.library_mut(index) else { return false };
        library.routes.suspect = None;
        if !library.opening {
            library.routes.opening = library.routes.active;
        }
        let left = library.routes.opening;
        let next = library.routes.next_in_round();
        if next.is_some() {
            library.opening = true;
        }
        self.set_path_state(index, left, why, now);
        match next {
            Some(route) => {
                self.open_way(index, route, now);
                true
            }
            None => false,
        }
    }

    /// The way that the library was being opened over is lost.
    pub(crate) fn way_lost(&mut self, index: LibraryIndex, fault: PathFault, now: Now) {
        if self.try_other_way(index, PathState::Lost(fault.clone()), now) {
            return;
        }
        let lost = self.library(index).and_then(|library| library.routes.all_lost(&library.config.name));
        let fault = lost.unwrap_or(fault);
        if fault.kind.is_transient() {
            self.not_present(index, fault, now);
        } else {
            self.unusable(index, LibraryError::Path(fault), now);
        }
    }

    /// The device at a way is not what it must be.
    pub(crate) fn way_unfit(&mut self, index: LibraryIndex, error: LibraryError, now: Now) {
        if let LibraryError::Path(fault) = error {
            return self.way_lost(index, fault, now);
        }
        let several = self.library(index).is_some_and(|library| library.routes.are_several());
        if !several || !self.try_other_way(index, PathState::Elsewhere(error.clone()), now) {
            self.unusable(index, error, now);
        }
    }

    /// Hears from an answer that the device does not serve on this way.
    pub(crate) fn note_way(&mut self, path: Path, result: &Result<Completion, TransportError>) {
        let Some(library) = self.library_mut(path.library) else { return };
        let several = library.routes.are_several();
        if matches!(path.device, Device::Configured(_)) || path.route != library.routes.active || !several {
            return;
        }
        // Who asks the changer tries again by himself and tells; who waits for a drive has patience.
        library.routes.silent = match result {
            Err(error) if matches!(path.device, Device::Sibling(_)) => {
                let silent = library.routes.silent + 1;
                if silent >= MAX_SILENCE {
                    library.routes.suspect = Some(error.fault().clone());
                }
                silent % MAX_SILENCE
            }
            _ => 0,
        };
        let sense = result.as_ref().ok().and_then(Completion::sense);
        if let Some(sense) = sense.filter(speaks_of_path) {
            let device = library.routes.name(path.route);
            let detail = alloc::format!("it answers {sense}");
            library.routes.suspect = Some(PathFault { kind: PathFaultKind::NotServing, device, detail });
        }
    }

    /// Leaves a way on which the device does not serve. Where the library is being opened, who opens it hears it himself.
    pub(crate) fn leave_suspect(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index).filter(|library| !library.opening) else { return };
        if let Some(fault) = library.routes.suspect.take() {
            self.path_lost(index, fault, now);
        }
    }

    /// The library is ours: its ways in reserve are held against the one in use, then it is read. Only at the first time the
    /// reading waits for them, so that a wrong configuration is told before anything moves.
    pub(crate) fn compare_ways(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        if !library.routes.are_several() || library.routes.compared {
            return self.begin_survey(index, now);
        }
        library.routes.opening_waits = true;
        self.look_at_others(index, now);
    }

    fn look_at_others(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let others = library.routes.others();
        library.routes.comparing += others.len();
        for route in others {
            if let Some(work) = self.identification(index, route) {
                self.begin_on(index, route, Work::Compare(route, work), now);
            }
        }
    }

    /// Something was heard of a way in reserve.
    pub(crate) fn compared(
        &mut self,
        index: LibraryIndex,
        route: Route,
        result: Result<Identified, NotIdentified>,
        now: Now,
    ) {
        let Some(library) = self.library_mut(index) else { return };
        library.routes.comparing = library.routes.comparing.saturating_sub(1);
        let routes = &library.routes;
        let state = match result {
            Err(NotIdentified::Path(fault) | NotIdentified::Error(LibraryError::Path(fault))) => {
                PathState::Lost(fault)
            }
            Err(NotIdentified::Error(error)) => PathState::Elsewhere(error),
            Ok(found) => match routes.found.as_ref().and_then(|known| known.difference(&found)) {
                None => PathState::Standby,
                Some(what) => {
                    let (device, other) = (routes.name(route), routes.name(routes.active));
                    PathState::Elsewhere(LibraryError::PathMismatch { device, other, what })
                }
            },
        };
        // Meanwhile it may have been taken into use.
        if routes.active != route {
            let registers =
                state == PathState::Standby && routes.get(route).is_some_and(|way| !way.registered);
            self.set_path_state(index, route, state, now);
            if registers {
                self.register_standby(index, route, now);
            }
        }
        let Some(library) = self.library_mut(index) else { return };
        if library.routes.comparing > 0 || !core::mem::take(&mut library.routes.opening_waits) {
            return;
        }
        match library.routes.mismatch() {
            Some(error) => self.unusable(index, error, now),
            None => {
                library.routes.compared = true;
                self.begin_survey(index, now);
            }
        }
    }

    /// The library serves: from now on its ways in reserve are looked at from time to time.
    pub(crate) fn watch_ways(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        // What was said of the way while it was taken into use is over.
        library.routes.suspect = None;
        if library.routes.are_several() && !core::mem::replace(&mut library.routes.watched, true) {
            self.set_timer(now.monotonic.saturating_add(WATCH), Timer::Watch(index));
        }
    }

    pub(crate) fn look_again(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        library.routes.watched = false;
        // Looks that have not ended are enough; a library that is being opened is looked at anyway.
        if library.is_ready() && !library.opening && library.routes.comparing == 0 {
            self.look_at_others(index, now);
        }
        self.watch_ways(index, now);
    }

    /// What a command of a running request says of the way it went.
    pub(crate) fn path_lost(&mut self, index: LibraryIndex, fault: PathFault, now: Now) {
        let Some(library) = self.library_mut(index).filter(|library| !library.opening) else { return };
        let _: Route = library.routes.begin_round();
        self.way_lost(index, fault, now);
    }

    /// The way to a drive behind the changer's target is lost while a mount waits for the drive: where the library has another
    /// way, it is waited for on that one.
    pub(crate) fn await_elsewhere(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        device: Option<Device>,
        fault: &PathFault,
        now: Now,
    ) -> bool {
        let Some(library) = self.library(index) else { return false };
        if !library.routes.are_several() || !matches!(device, Some(Device::Sibling(_)) | None) {
            return false;
        }
        let Some(live) = self.live.get_mut(&id).filter(|live| live.attempts < MAX_DRIVE_LOOKS) else {
            return false;
        };
        live.attempts += 1;
        if let Some(library) = self.library_mut(index) {
            library.routes.awaited.push(id);
        }
        self.path_lost(index, fault.clone(), now);
        true
    }

    /// Mounts that wait for a drive behind the way that was left wait for it on the new one, when that was read.
    fn stop_waiting_on_old_way(&mut self, index: LibraryIndex) {
        let mut awaited = Vec::new();
        self.tasks.retain(|_, task| match task.awaits_sibling_in(index) {
            Some(id) => {
                awaited.push(id);
                false
            }
            None => true,
        });
        if let Some(library) = self.library_mut(index) {
            library.routes.awaited.append(&mut awaited);
        }
    }
}
