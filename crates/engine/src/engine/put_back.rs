//! A mount that takes its medium out of the drive again: because the drive did not come ready and another one is tried, or
//! because another mount of its group failed.

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::live::Phase;
use super::motion::Way;
use super::schedule::Start;
use super::work::Work;
use crate::drive::unload::Unload;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::queue::Blocker;
use crate::request::{ElementName, Failure, FailureKind, Operation, Outcome, State};
use crate::time::Now;

/// In how many drives a medium is tried. Two tell whose fault it is: the drive's, when the second can; the medium's, when
/// neither can. A third would only cost time.
const MAX_DRIVES: usize = 2;

impl Engine {
    /// Whether another drive can be tried after this failure.
    pub(crate) fn may_try_another_drive(
        &self,
        index: LibraryIndex,
        id: RequestId,
        failure: &Failure,
    ) -> bool {
        let pairing = matches!(
            failure.kind,
            FailureKind::DriveFault | FailureKind::MediumFault | FailureKind::Incompatible
        );
        let (Some(live), Some(library)) = (self.live.get(&id), self.library(index)) else { return false };
        let this = live.request.drive;
        let need = self.need_of(id);
        let another =
            library.elements.of_kind(ElementType::Drive).map(|element| element.name.address).any(|drive| {
                Some(drive) != this
                    && !live.suspects.iter().any(|(suspect, _)| *suspect == drive)
                    && library.elements.drive_fits(drive, need)
                    && library.elements.drive_serves(drive)
                    && library.elements.may_load(drive)
            });
        // What a group keeps it keeps for all its members: another drive must be free now.
        let of_group = live.request.options.group.is_some();
        pairing
            && if of_group { self.spare_drive(index, id).is_some() } else { another }
            && live.suspects.len() + 1 < MAX_DRIVES
            && self.named_drive(id).is_none()
            && live.request.stopping.is_none()
            && live.request.failing.is_none()
            && !live.deadline_over
    }

    /// Takes the medium out of the drive. With [`failing`](crate::request::Request::failing) the request ends then; else it
    /// goes back to the queue.
    pub(crate) fn put_back(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.putting_back = true;
        live.unloaded = false;
        let drive = live.request.drive;
        let request = live.request.clone();
        self.outbox.change(crate::output::Change::Request(request));
        let device = drive.and_then(|drive| self.drive_device(index, drive));
        let timing = drive.and_then(|drive| self.drive_timing(index, drive));
        match (device, timing) {
            (Some(device), Some(timing)) => {
                if let Some(live) = self.live.get_mut(&id) {
                    live.phase = Phase::Unloading;
                }
                self.begin(index, Work::Unload(id, Unload::new(device, timing, false)), now);
            }
            _ => self.queue_again(index, id),
        }
    }

    /// Takes its place in the queue and keeps what it has reserved.
    pub(crate) fn queue_again(&mut self, index: LibraryIndex, id: RequestId) {
        let Some(live) = self.live.get_mut(&id).filter(|live| live.ending.is_none()) else { return };
        live.phase = Phase::Queued;
        let order = live.order;
        if let Some(library) = self.library_mut(index) {
            library.queue.insert(order, id);
        }
        self.mark_dirty(index);
    }

    /// The drive has let go: the arm takes the medium to a slot.
    pub(crate) fn start_put_back(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        drive: ElementAddress,
        now: Now,
    ) -> Start {
        // While it had given its medium up in an arm, somebody else took it over.
        if self.medium_is_busy(cartridge, id) {
            return Start::Blocked(Blocker::Medium(cartridge));
        }
        let place = self.standing_place(id, cartridge);
        // Hands were faster: there is nothing to put back, and what is in the drive now is a stranger's. On its way to the slot it may have
        // stayed in the arm.
        let in_arm = place.ok().filter(|place| place.kind == ElementType::Transport);
        let elsewhere = self.not_in_its_drive(index, id).filter(|_| in_arm.is_none());
        if let Some(elsewhere) = elsewhere {
            let own = self.live.get(&id).and_then(|live| live.request.failing.clone());
            let failure = own.map_or(elsewhere, |own| self.placed_now(id, own));
            self.fail(id, failure, now);
            return Start::Gone;
        }
        let slot = match self.slot_to_start_with(index, id, cartridge, now) {
            Ok(slot) => slot,
            Err(start) => return start,
        };
        self.reserve(index, id, cartridge, drive, Some(slot));
        let way = Way {
            source: in_arm.unwrap_or(ElementName { kind: ElementType::Drive, address: drive }),
            destination: ElementName { kind: ElementType::Storage, address: slot },
        };
        self.intend(index, id, cartridge, way, now);
        Start::Gone
    }

    /// A person has put the medium into a slot, out of the arm in which it had stayed on its way there: with what the request ends.
    /// `None`: it is not so, or the request begins anew.
    pub(crate) fn put_back_by_hand(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Option<State> {
        let live = self.live.get(&id).filter(|live| live.putting_back && live.from_arm)?;
        let cartridge = live.request.cartridge?;
        self.standing_place(id, cartridge).ok().filter(|place| place.kind == ElementType::Storage)?;
        self.release(id, index);
        match self.operation(id) {
            Some(Operation::CleanDrive) => self.came_back_cleaner(id, now),
            _ => self.came_back(id),
        }
    }

    /// The medium is in a slot again.
    pub(crate) fn is_back(&mut self, index: LibraryIndex, id: RequestId, now: Now) {
        if let Some(end) = self.came_back(id) {
            return self.end(id, end, now);
        }
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        self.resume_or_queue(index, id, now);
    }

    /// With what a request ends whose medium is in a slot again; `None`: it begins anew.
    fn came_back(&mut self, id: RequestId) -> Option<State> {
        let live = self.live.get_mut(&id)?;
        live.putting_back = false;
        live.unloaded = false;
        let found = live.found.take();
        if let Some(failure) = live.request.failing.clone() {
            return Some(State::Failed(self.placed_now(id, failure)));
        }
        found.map(|found| State::Passed(Outcome::Identified { found }))
    }
}
