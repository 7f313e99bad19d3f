//! Who is tried again when something comes free. The first in the line is woken, and no more: whoever cannot use what it was
//! woken for passes it on.

use autochanger_scsi::ElementAddress;

use super::Engine;
use super::live::Phase;
use crate::id::{LibraryIndex, RequestId};
use crate::library::Library;
use crate::library::elements::Need;
use crate::library::queue::{Blocker, Order};
use crate::planted::Bug;
use crate::request::Operation;
use crate::time::Now;

impl Engine {
    /// A drive has come free, or can be made free: the first of all that it would serve is tried; and the first who waits for the
    /// medium that lies in it.
    pub(crate) fn wake_for_drive(&mut self, index: LibraryIndex, drive: ElementAddress) {
        let element = self.library(index).and_then(|library| library.elements.get(drive));
        let idle = element.filter(|element| element.reserved_by.is_none());
        if let Some(medium) = idle.and_then(|element| element.cartridge) {
            self.wake(index, Blocker::Medium(medium));
        }
        // A drive that is not free can still be made free of a cartridge that nobody mounted: the waiter decides.
        let usable = self.library(index).is_some_and(|library| is_usable(library, drive));
        if usable && !self.planted.is(Bug::LostWakeUp) {
            self.offer_drive(index, drive, Order::LOWEST);
        }
    }

    /// Makes the first behind `order` ready of all that the drive would serve: who names it and who would take any are in one line.
    fn offer_drive(&mut self, index: LibraryIndex, drive: ElementAddress, order: Order) {
        let Some(Library { elements, queue, .. }) = self.library_mut(index) else { return };
        // One that must be cleaned is of use to its cleaning alone, which names it.
        let any = elements.may_load(drive);
        let woken = queue.wake_for_drive(drive, order, |need| any && elements.drive_fits(drive, need));
        self.woken(index, woken, Blocker::Drive(drive));
    }

    /// Makes the first of each line before any drive ready: which of them can use what is free now, they find out.
    pub(crate) fn wake_lines(&mut self, index: LibraryIndex) {
        let Some(library) = self.library(index) else { return };
        let needs: alloc::vec::Vec<Need> = library.queue.needs().collect();
        for need in needs {
            self.wake(index, Blocker::AnyDrive(need));
        }
    }

    /// What a request was woken for it does not use: the next one may.
    pub(crate) fn wake_next(&mut self, index: LibraryIndex, from: Blocker) {
        match from {
            Blocker::Drive(drive) => self.wake_for_drive(index, drive),
            other => {
                self.wake(index, other);
            }
        }
    }

    /// It has begun: a drive or a cartridge that it was woken for and did not take is the next one's.
    pub(crate) fn leave_to_next(&mut self, index: LibraryIndex, id: RequestId) {
        let Some(live) = self.live.get_mut(&id) else { return };
        match (live.woken_from.take(), live.request.cartridge) {
            (Some(Blocker::Drive(drive)), _) => self.wake_for_drive(index, drive),
            (Some(Blocker::Medium(medium)), taken) if taken != Some(medium) => {
                self.wake(index, Blocker::Medium(medium));
            }
            _ => {}
        }
    }

    /// What it was woken for it does not use: the next in line may.
    pub(crate) fn pass_on(&mut self, index: LibraryIndex, id: RequestId) {
        if self.planted.is(Bug::WakeNotPassedOn) {
            return;
        }
        if let Some(from) = self.live.get_mut(&id).and_then(|live| live.woken_from.take()) {
            self.wake_next(index, from);
        }
    }

    /// A request could not use what it was woken for and waits as before: the next one in line may be able to.
    pub(crate) fn pass_behind(&mut self, index: LibraryIndex, from: Blocker, order: Order, now: Now) {
        let Some(library) = self.library(index) else { return };
        let there = match from {
            // It failed in this one, say, or the drive must be cleaned, and who cleans it is next.
            Blocker::Drive(drive) => {
                library.elements.is_free_drive(drive)
                    || self.drive_to_empty(index, Some(drive), Need::default(), now).is_some()
            }
            // It failed in the one that is free, or waits for two.
            Blocker::AnyDrive(need) => {
                library.elements.free_drives(need).any(|drive| library.elements.may_load(drive))
                    || self.drive_to_empty(index, None, need, now).is_some()
            }
            // It has named another port than the one that is empty.
            Blocker::Port => library.elements.vacant_port(|_| false).is_some(),
            // What is vacant is the cleaner's, say, and the cleaner is next.
            Blocker::Slot => library.elements.has_vacant_slot(),
            Blocker::Medium(_) | Blocker::Service | Blocker::Arm => false,
        };
        match from {
            Blocker::Drive(drive) if there => self.offer_drive(index, drive, order),
            Blocker::Drive(_) => {}
            _ if there && self.wake_behind(index, from, order) => {}
            Blocker::AnyDrive(need) => self.pass_to_others(index, need, order),
            _ => {}
        }
    }

    /// Whether a request that waits for `blocker` still waits in a line for what came free.
    pub(crate) fn waits_in_line(&self, index: LibraryIndex, from: Blocker, blocker: Blocker) -> bool {
        match (from, blocker) {
            (Blocker::Drive(drive), Blocker::AnyDrive(need)) => {
                self.library(index).is_some_and(|library| library.elements.drive_fits(drive, need))
            }
            _ => from == blocker,
        }
    }

    /// Nobody with this need can use the drive that is free. Somebody with another need, who came later, may.
    fn pass_to_others(&mut self, index: LibraryIndex, need: Need, order: Order) {
        let Some(library) = self.library_mut(index) else { return };
        let Library { elements, queue, .. } = library;
        let has_one =
            |other: Need| other != need && elements.free_drives(other).any(|drive| elements.may_load(drive));
        if let Some((line, id)) = queue.wake_for_any(order, has_one) {
            self.woken(index, Some(id), line);
        }
    }

    /// Makes the first waiter for a thing ready that can have a use for it: for a medium that is mounted, a dismount, however long
    /// others have waited.
    pub(crate) fn wake(&mut self, index: LibraryIndex, blocker: Blocker) -> bool {
        let mounted = matches!(blocker, Blocker::Medium(medium) if self.catalogue.mount_of(medium).is_some());
        let of_use = |operation| !mounted || operation == Operation::Dismount;
        let id = self.library_mut(index).and_then(|library| library.queue.wake(blocker, of_use));
        self.woken(index, id, blocker)
    }

    /// Makes all that wait for a thing ready: each is to find out what it waits for now.
    pub(crate) fn wake_all(&mut self, index: LibraryIndex, blocker: Blocker) {
        while self.wake(index, blocker) {}
    }

    /// Makes the first waiter for a thing ready that is behind another one.
    fn wake_behind(&mut self, index: LibraryIndex, blocker: Blocker, order: Order) -> bool {
        let id = self.library_mut(index).and_then(|library| library.queue.wake_behind(blocker, order));
        self.woken(index, id, blocker)
    }

    fn woken(&mut self, index: LibraryIndex, id: Option<RequestId>, blocker: Blocker) -> bool {
        let Some(id) = id else { return false };
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Queued;
            live.woken_from = Some(blocker);
        }
        self.mark_dirty(index);
        true
    }

    /// Makes waiting requests ready, whatever they wait for.
    pub(crate) fn try_again(&mut self, index: LibraryIndex, ids: &[RequestId]) {
        for &id in ids {
            self.make_ready(index, id);
        }
        self.mark_dirty(index);
    }

    /// Makes a waiting request ready, without a look at the schedule.
    pub(crate) fn make_ready(&mut self, index: LibraryIndex, id: RequestId) {
        let Some(live) =
            self.live.get_mut(&id).filter(|live| live.ending.is_none() && live.part_of.is_none())
        else {
            return;
        };
        let (order, blocker) = (live.order, live.blocker());
        live.phase = Phase::Queued;
        if let Some(library) = self.library_mut(index) {
            library.queue.remove(order, blocker);
            library.queue.insert(order, id);
        }
    }
}

/// Whether the drive is free, or can be made free of a cartridge that nobody mounted.
fn is_usable(library: &Library, drive: ElementAddress) -> bool {
    library.elements.is_free_drive(drive) || library.elements.idle_medium(drive).is_some()
}
