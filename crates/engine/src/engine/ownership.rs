//! One owner per library, on the device as well: after the lock the library is reserved, where it can be; what makes the
//! reservation doubtful while it is ours is looked into before anything else moves.

use alloc::string::String;

use autochanger_scsi::{SenseKey, Status};

use super::Engine;
use super::work::Work;
use crate::changer::reserve::{NotReserved, Release, Reserve, Reserved, Role};
use crate::command::{Completion, TransportError};
use crate::id::{Device, LibraryId, LibraryIndex, Path, Route};
use crate::input::{ClaimError, Reservation};
use crate::library::ownership::Hold;
use crate::output::EventKind;
use crate::time::Now;
use crate::view::{LibraryError, PathState};

/// Looks at the reservation in a row: one for each attention of a change, and one more. A device that raises one at each look
/// must not keep everybody waiting.
const MAX_LOOKS: u8 = 3;

/// Whether an answer makes the reservation doubtful: a conflict; that it was preempted or released, or our registration was;
/// a reset or a power-on, after which a library may have forgotten it.
fn is_doubtful(completion: &Completion) -> bool {
    if completion.status == Status::ReservationConflict {
        return true;
    }
    completion.sense().is_some_and(|sense| {
        sense.key == SenseKey::UnitAttention
            && matches!((sense.code.asc, sense.code.ascq), (0x2A, 0x03..=0x05) | (0x29, 0x00..=0x07))
    })
}

/// The key of an owner that was given none: of the id that the store keeps for the library.
fn key_of(id: LibraryId) -> u64 {
    let (high, low) = id.0.as_u64_pair();
    high ^ low.rotate_left(32)
}

impl Engine {
    fn reservation_key(&self, index: LibraryIndex) -> u64 {
        let of_library = || self.library(index).and_then(|library| library.id).map(key_of);
        // 0 is no key: it unregisters.
        self.config.owner.filter(|key| *key != 0).or_else(of_library).filter(|key| *key != 0).unwrap_or(1)
    }

    fn begin_reserve(&mut self, index: LibraryIndex, route: Route, role: Role, now: Now) {
        let key = self.reservation_key(index);
        let Some(library) = self.library(index) else { return };
        let mut reserve = Reserve::new(key, role, library.config.timing);
        if matches!(role, Role::Opening { .. }) {
            reserve = reserve.initializing(library.initialize());
        }
        self.begin_on(index, route, Work::Reserve(route, role, reserve), now);
    }

    /// The lock is ours: the reservation is next.
    pub(crate) fn secure(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let ownership = &mut library.ownership;
        // A look over the way that was in use says nothing any more.
        ownership.doubted = false;
        ownership.looking = false;
        if library.config.reservation == Reservation::Never {
            ownership.hold = Hold::None;
            return self.compare_ways(index, now);
        }
        // Another's it is until it is ours.
        if ownership.hold != Hold::Foreign {
            ownership.hold = Hold::Open;
        }
        let role = Role::Opening { take_over: ownership.may_take_over };
        let route = library.routes.active;
        self.begin_reserve(index, route, role, now);
    }

    /// A way in reserve leads to our library: it carries our key, too, so that nothing but looking is left when it is needed.
    pub(crate) fn register_standby(&mut self, index: LibraryIndex, route: Route, now: Now) {
        if self.library(index).is_some_and(|library| library.ownership.hold == Hold::Ours) {
            self.begin_reserve(index, route, Role::Standby, now);
        }
    }

    pub(crate) fn reserved(
        &mut self,
        index: LibraryIndex,
        route: Route,
        role: Role,
        result: Result<Reserved, NotReserved>,
        now: Now,
    ) {
        match role {
            Role::Standby => self.standby_reserved(index, route, result, now),
            Role::Looking => self.looked_at_reservation(index, result, now),
            Role::Opening { .. } => self.opened_reservation(index, route, result, now),
        }
    }

    /// While the library is being opened.
    fn opened_reservation(
        &mut self,
        index: LibraryIndex,
        route: Route,
        result: Result<Reserved, NotReserved>,
        now: Now,
    ) {
        let Some(library) = self.library_mut(index) else { return };
        let device = library.config.name.clone();
        match result {
            Ok(Reserved::NotOffered) if library.config.reservation == Reservation::Required => {
                let what =
                    String::from("it has no persistent reservations, and the configuration requires them");
                self.unusable(index, LibraryError::Unfit { device, what }, now);
            }
            Ok(reserved) => {
                self.hold(index, route, reserved, now);
                self.compare_ways(index, now);
            }
            Err(NotReserved::Path(fault)) => self.way_lost(index, fault, now),
            Err(NotReserved::Unfit(what)) => match library.routes.suspect.take() {
                Some(fault) => self.way_lost(index, fault, now),
                None => self.unusable(index, LibraryError::Unfit { device, what }, now),
            },
            Err(NotReserved::Foreign { key, initiator }) => self.is_foreign(index, key, initiator, now),
        }
    }

    fn hold(&mut self, index: LibraryIndex, route: Route, reserved: Reserved, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        library.ownership.may_take_over = false;
        library.ownership.hold = if reserved == Reserved::NotOffered { Hold::None } else { Hold::Ours };
        // What was registered on other ways has been gathered here: they register again when they are looked at.
        for other in library.routes.others() {
            if let Some(way) = library.routes.get_mut(other) {
                way.registered = false;
            }
        }
        if let Some(way) = library.routes.get_mut(route) {
            way.registered = reserved != Reserved::NotOffered;
        }
        if let Reserved::TakenFrom(key) = reserved {
            let library = library.config.name.clone();
            self.tell(EventKind::TookOver { library, key }, now);
        }
    }

    fn is_foreign(&mut self, index: LibraryIndex, key: Option<u64>, initiator: Option<String>, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        library.ownership.hold = Hold::Foreign;
        let device = library.config.name.clone();
        let serial = library.identity.as_ref().map_or_else(|| "?".into(), |identity| identity.serial.clone());
        let claim = ClaimError::Reserved { key, initiator };
        self.unusable(index, LibraryError::InUse { device, serial, claim }, now);
    }

    fn standby_reserved(
        &mut self,
        index: LibraryIndex,
        route: Route,
        result: Result<Reserved, NotReserved>,
        now: Now,
    ) {
        match result {
            Ok(_) => {
                if let Some(way) = self.library_mut(index).and_then(|it| it.routes.get_mut(route)) {
                    way.registered = true;
                }
            }
            Err(NotReserved::Path(fault)) => {
                if self.library(index).is_some_and(|library| library.routes.active != route) {
                    self.set_path_state(index, route, PathState::Lost(fault), now);
                }
            }
            // It registers when it is taken into use. Whether the library is another's the way in use hears by itself.
            Err(NotReserved::Foreign { .. } | NotReserved::Unfit(_)) => {}
        }
    }

    /// Hears from an answer whether the library may be somebody else's by now.
    pub(crate) fn note_ownership(
        &mut self,
        path: Path,
        result: &Result<Completion, TransportError>,
        now: Now,
    ) {
        let Ok(completion) = result else { return };
        let active = self.library(path.library).map(|library| library.routes.active);
        if path.device == Device::Changer && active == Some(path.route) && is_doubtful(completion) {
            self.doubt_ownership(path.library, now);
        }
    }

    /// Looks at the reservation again, unless that is being done; then once more after it.
    pub(crate) fn doubt_ownership(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let ownership = &mut library.ownership;
        if ownership.hold != Hold::Ours {
            return;
        }
        if library.opening || ownership.looking {
            ownership.doubted = true;
            return;
        }
        ownership.looking = true;
        ownership.doubted = false;
        let route = library.routes.active;
        self.begin_reserve(index, route, Role::Looking, now);
    }

    fn looked_at_reservation(
        &mut self,
        index: LibraryIndex,
        result: Result<Reserved, NotReserved>,
        now: Now,
    ) {
        let Some(library) = self.library_mut(index) else { return };
        let route = library.routes.active;
        // The way was lost meanwhile: who opens the library anew reserves it anew.
        if !core::mem::take(&mut library.ownership.looking) || library.opening {
            return;
        }
        match result {
            Ok(reserved) => {
                self.hold(index, route, reserved, now);
                let Some(library) = self.library_mut(index) else { return };
                library.ownership.looks += 1;
                if core::mem::take(&mut library.ownership.doubted) && library.ownership.looks < MAX_LOOKS {
                    return self.doubt_ownership(index, now);
                }
                library.ownership.looks = 0;
                for other in library.routes.others() {
                    let standing = self.library(index).and_then(|library| library.routes.get(other));
                    if standing.is_some_and(|way| way.state == PathState::Standby) {
                        self.register_standby(index, other, now);
                    }
                }
            }
            Err(NotReserved::Path(fault)) => self.path_lost(index, fault, now),
            Err(NotReserved::Foreign { key, initiator }) => {
                // What was meant for a library of ours is not sent to somebody else's.
                self.retract_unsent(index, now);
                self.is_foreign(index, key, initiator, now);
            }
            Err(NotReserved::Unfit(what)) => {
                let device = library.config.name.clone();
                self.unusable(index, LibraryError::Unfit { device, what }, now);
            }
        }
    }

    /// The survey is over: what was heard during it is looked into before anything moves.
    pub(crate) fn reconsider(&mut self, index: LibraryIndex, now: Now) {
        if self.library_mut(index).is_some_and(|library| core::mem::take(&mut library.ownership.doubted)) {
            self.doubt_ownership(index, now);
        }
    }

    /// The manager is shut down: libraries at rest are given back. Where something moves, the reservation stays until the next
    /// manager of the same owner has seen what became of it.
    pub(crate) fn give_back(&mut self, now: Now) {
        for n in 0..self.libraries.len() {
            let index = LibraryIndex(n as u16);
            let Some(library) = self.library(index) else { continue };
            if library.ownership.hold != Hold::Ours || !library.is_at_rest() {
                continue;
            }
            let (timing, active) = (library.config.timing, library.routes.active);
            let registered = library.routes.all().filter(|(_, way)| way.registered);
            let ways: alloc::vec::Vec<Route> = registered.map(|(route, _)| route).collect();
            let key = self.reservation_key(index);
            for route in ways {
                let work = Release::new(key, route == active, timing);
                self.begin_on(index, route, Work::Release(work), now);
            }
        }
    }
}
