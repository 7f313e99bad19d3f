//! What was asked of a library that is not configured any more. Nobody looks there, so nothing that is open there comes to an
//! end by itself; and what a configured library reports is that library's, whatever was open elsewhere.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::Engine;
use super::live::Phase;
use crate::catalog::{MotionRecord, MotionState};
use crate::id::{LibraryId, LibraryIndex, RequestId};
use crate::library::queue::Blocker;
use crate::output::{Change, EventKind};
use crate::request::{Failure, Place};
use crate::time::Now;

/// Requests that one warning names: what a person reads.
const MAX_NAMED: usize = 16;

impl Engine {
    /// Whether the request is for a library that is none of those that are configured, and nothing of it goes on in this process.
    /// While one of these was never reached nobody knows: it may be that one.
    pub(crate) fn is_unconfigured(&self, id: RequestId) -> bool {
        self.live.get(&id).is_some_and(|live| {
            let other = |library: &crate::library::Library| {
                library.id.is_some_and(|library| library != live.request.library)
            };
            live.phase == Phase::Orphan && live.ending.is_none() && self.libraries.iter().all(other)
        })
    }

    /// Ends what a configured library has an answer to, and what is to be stopped; tells of the rest, once.
    pub(crate) fn leave_unconfigured(&mut self, now: Now) {
        let here: Vec<LibraryId> = self.libraries.iter().filter_map(|library| library.id).collect();
        let orphans = self.live.elsewhere(&here).filter(|live| live.phase == Phase::Orphan);
        let orphans: Vec<RequestId> =
            orphans.filter(|live| live.part_of.is_none()).map(|live| live.request.id).collect();
        let mut left: Vec<(LibraryId, RequestId)> = Vec::new();
        for id in orphans.into_iter().filter(|id| self.is_unconfigured(*id)).collect::<Vec<_>>() {
            // It can have ended with another one of its group.
            let Some(live) = self.live.get(&id).filter(|live| live.ending.is_none()) else { continue };
            let library = live.request.library;
            if let Some(by) = live.request.stopping.clone() {
                self.leave_motions(id, now);
                self.end_early(id, by, now);
            } else if let Some(failure) = self.found_elsewhere(id) {
                self.leave_motions(id, now);
                self.fail(id, failure, now);
            } else {
                left.push((library, id));
            }
        }
        left.sort_unstable();
        for of_one in left.chunk_by(|one, other| one.0 == other.0) {
            self.tell_unconfigured(of_one, now);
        }
    }

    /// The request and its parts: by whom its motions are made.
    fn carriers(&self, id: RequestId) -> Vec<RequestId> {
        core::iter::once(id).chain(self.live.parts_of(id).map(|part| part.request.id)).collect()
    }

    /// That a configured library has a cartridge of the request.
    fn found_elsewhere(&self, id: RequestId) -> Option<Failure> {
        self.carriers(id).into_iter().find_map(|carrier| {
            let cartridge = self.live.get(&carrier)?.request.cartridge?;
            self.carried_away(carrier, cartridge)
        })
    }

    /// What is open for the request in a library that nobody looks at ends as what it is: unknown. Its cartridges are free for whoever
    /// finds them.
    pub(crate) fn leave_motions(&mut self, id: RequestId, now: Now) {
        for carrier in self.carriers(id) {
            let Some(record) = self.open_motions.remove(&carrier) else { continue };
            let MotionRecord { cartridge, library, source, destination, .. } = record;
            self.outbox.change(Change::Motion(MotionRecord { state: MotionState::Unknown, ..record }));
            if self.catalogue.is_reserved_by(cartridge, carrier) {
                self.catalogue.unreserve(cartridge);
                for n in 0..self.libraries.len() {
                    self.wake(LibraryIndex(n as u16), Blocker::Medium(cartridge));
                }
            }
            if self.catalogue.cartridge(cartridge).is_some_and(|known| known.library == library) {
                self.keep_cartridge(cartridge, |known| {
                    known.place = Place::Unknown { one_of: vec![source, destination] };
                    known.last_seen = now.wall;
                });
            }
        }
    }

    fn tell_unconfigured(&mut self, requests: &[(LibraryId, RequestId)], now: Now) {
        let Some(&(library, _)) = requests.first() else { return };
        if self.told_unconfigured.contains(&library) {
            return;
        }
        self.told_unconfigured.push(library);
        let named = requests.iter().take(MAX_NAMED).filter_map(|(_, id)| {
            let request = &self.live.get(id)?.request;
            let of = request.barcode.as_ref().map(|label| alloc::format!(" of {label}")).unwrap_or_default();
            Some(alloc::format!("the {}{of} (request {id})", request.operation()))
        });
        let mut named = named.collect::<Vec<String>>().join(", ");
        if let Some(more) = requests.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
            named += &alloc::format!(" and {more} more");
        }
        let what = alloc::format!(
            "it is not configured, and this was left open in it: {named}; configure it again, or cancel that"
        );
        let library = self.name_of(library).into();
        self.tell(EventKind::Warning { library, drive: None, what }, now);
    }
}
