//! Dismounts that are put off until the drive is needed: the medium stays where it may be wanted again (RSM:
//! `NTMS_DISMOUNT_DEFERRED`, a drive that is `DISMOUNTABLE`).

use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::live::{Live, Phase};
use super::schedule::Start;
use super::work::Timer;
use crate::forecast::Why;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::elements::Need;
use crate::request::{ElementName, Failure, FailureKind, Operation, Outcome, Place, State};
use crate::time::Now;

/// How often a drive that holds its medium fast is tried again, after pauses that double: a quarter of an hour in all, in which
/// a drive that rewinds, or is being helped, has let go. Then somebody has to look: an inventory or an attention begins anew.
const MAX_TRIES: u32 = 10;

impl Engine {
    /// The application has let go of the medium; the medium stays in the drive.
    pub(crate) fn put_off(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        cartridge: CartridgeId,
        drive: ElementAddress,
        now: Now,
    ) -> Start {
        // Whoever put it off before has got what he wanted.
        self.end_deferred_of(index, drive, Outcome::KeptInDrive { drive }, now);
        if let Some(mount) = self.catalogue.mount_of(cartridge).map(|mount| mount.id) {
            self.end_mount(index, mount);
        }
        // It can have begun in a drive that was not to hold anything, and stands where another one is now.
        self.release(id, index);
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Deferred;
            live.request.drive = Some(drive);
        }
        self.set_state(id, State::Deferred);
        self.note_deferred(index, id, drive, now);
        self.wake_for_drive(index, drive);
        Start::Gone
    }

    fn note_deferred(&mut self, index: LibraryIndex, id: RequestId, drive: ElementAddress, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        library.elements.update(drive, |element| {
            if let Some(drive) = &mut element.drive {
                drive.deferred = Some((id, now.monotonic));
            }
        });
        let dwell = library.config.dwell;
        if dwell > Duration::ZERO {
            let at = now.monotonic.saturating_add(dwell);
            self.set_timer(at, Timer::DwellOver(index, drive));
        }
    }

    pub(crate) fn dwell_over(&mut self, index: LibraryIndex, drive: ElementAddress) {
        self.wake_for_drive(index, drive);
    }

    /// After a restart: it is put off still, when the medium is in the drive still.
    pub(crate) fn restore_deferred(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> bool {
        let Some(live) = self.live.get(&id).filter(|live| live.request.state == State::Deferred) else {
            return false;
        };
        let Some(Place::Element(place)) = self.place_of(id) else { return false };
        let free = |drive: ElementAddress| {
            self.library(index)
                .and_then(|library| library.elements.get(drive))
                .and_then(|element| element.drive.as_ref())
                .is_some_and(|drive| drive.deferred.is_none() && drive.mount.is_none())
        };
        if place.kind != ElementType::Drive
            || live.request.drive != Some(place.address)
            || !free(place.address)
        {
            return false;
        }
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Deferred;
        }
        self.note_deferred(index, id, place.address, now);
        true
    }

    /// The drive is needed, or is not to hold anything any more: what nobody has mounted in it is taken out, by the dismount that
    /// was put off, else by one of the manager's own.
    pub(crate) fn have_emptied(&mut self, index: LibraryIndex, drive: ElementAddress, now: Now) {
        self.claim_deferred(index, drive, now);
        self.displace(index, drive, now);
    }

    /// The dismount that was put off is done now.
    fn claim_deferred(&mut self, index: LibraryIndex, drive: ElementAddress, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let deferred = library.elements.update(drive, |element| element.drive.as_mut()?.deferred.take());
        let Some((id, _)) = deferred.flatten() else { return };
        if let Some(live) = self.live.get_mut(&id) {
            live.due = true;
        }
        self.displaces(index, id, drive);
        self.because(id, Why::MakesWay);
        self.set_state(id, State::Queued);
        self.admit(id, now);
    }

    /// The medium does not stay as it was put off: the dismount that was put off has its end.
    pub(crate) fn end_deferred_of(
        &mut self,
        index: LibraryIndex,
        drive: ElementAddress,
        outcome: Outcome,
        now: Now,
    ) {
        let Some(library) = self.library_mut(index) else { return };
        let deferred = library.elements.update(drive, |element| element.drive.as_mut()?.deferred.take());
        if let Some((id, _)) = deferred.flatten() {
            self.end(id, State::Passed(outcome), now);
        }
    }

    /// The cartridge has left the drive, or the arm in which it had stayed on its way out of one: its dismount, if that was put off,
    /// has its end. When the motion is an exchange that
    /// was settled late, the drive's next medium can have been put off already, and stays so.
    pub(crate) fn end_deferred_with(
        &mut self,
        index: LibraryIndex,
        left: ElementName,
        cartridge: CartridgeId,
        outcome: Outcome,
        now: Now,
    ) {
        let Some(library) = self.library(index) else { return };
        let drive = library.elements.of_kind(ElementType::Drive).find(|element| {
            let deferred = element.drive.as_ref().and_then(|drive| drive.deferred);
            (left.kind == ElementType::Transport || element.name == left)
                && deferred.and_then(|(id, _)| self.live.get(&id)?.request.cartridge) == Some(cartridge)
        });
        if let Some(drive) = drive.map(|element| element.name.address) {
            self.end_deferred_of(index, drive, outcome, now);
        }
    }

    /// An inventory was laid over the catalogue: media that were to stay may have gone by somebody's hand.
    pub(crate) fn reconcile_deferred(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        // Hands have taken their drives away, with what those knew of them.
        let astray = core::mem::take(&mut library.astray);
        let in_drives = library.elements.of_kind(ElementType::Drive).filter_map(|element| {
            Some((element.drive.as_ref()?.deferred?.0, element.name.address, element.cartridge))
        });
        let mut deferred: alloc::vec::Vec<_> = in_drives.collect();
        let known = |id: RequestId| {
            let put_off = |live: &&Live| live.phase == Phase::Deferred && live.ending.is_none();
            let live = self.live.get(&id).filter(put_off)?;
            Some((id, live.request.drive?, None))
        };
        deferred.extend(astray.into_iter().filter_map(known));
        for (id, drive, there) in deferred {
            let wanted = self.live.get(&id).and_then(|live| live.request.cartridge);
            // On its way out of the drive it stayed in the arm: what becomes of it ends the dismount.
            let in_arm = matches!(self.place_of(id), Some(Place::Element(place)) if place.kind == ElementType::Transport);
            if (wanted.is_some() && wanted == there) || in_arm {
                continue;
            }
            self.forget_deferred(index, id, drive);
            match self.place_of(id) {
                Some(Place::Element(place)) if place.kind == ElementType::Storage => {
                    self.end(id, State::Passed(Outcome::Dismounted { slot: place.address }), now);
                }
                place => {
                    let name = wanted.map(|wanted| self.cartridge_name(wanted)).unwrap_or_default();
                    let message = alloc::format!("cartridge {name} is not in drive {drive} any more");
                    let mut failure = Failure::new(FailureKind::CartridgeMissing, message);
                    failure.place = place;
                    self.fail(id, failure, now);
                }
            }
        }
    }

    /// Ended otherwise (a cancel, say): the medium is nobody's now, and makes way like any other.
    pub(crate) fn forget_deferred(&mut self, index: LibraryIndex, id: RequestId, drive: ElementAddress) {
        let Some(library) = self.library_mut(index) else { return };
        library.elements.update(drive, |element| {
            if let Some(drive) = &mut element.drive {
                drive.deferred.take_if(|(deferred, _)| *deferred == id);
            }
        });
        self.wake_for_drive(index, drive);
    }

    /// Makes room in a drive for a mount: by the dismount that was put off longest, else by one of the manager's own. A
    /// medium that is wanted by another mount goes last, and none goes before it has dwelt.
    pub(crate) fn make_room(
        &mut self,
        index: LibraryIndex,
        named: Option<ElementAddress>,
        need: Need,
        now: Now,
    ) {
        if let Some(drive) = self.drive_to_empty(index, named, need, now) {
            self.have_emptied(index, drive, now);
        }
    }

    /// The drive whose medium makes way. Pure.
    pub(crate) fn drive_to_empty(
        &self,
        index: LibraryIndex,
        named: Option<ElementAddress>,
        need: Need,
        now: Now,
    ) -> Option<ElementAddress> {
        let library = self.library(index)?;
        // One that is being emptied for the same line of waiters is enough for each of them in turn: see `displacing`.
        let candidates = library.elements.of_kind(ElementType::Drive).filter_map(|element| {
            let address = element.name.address;
            let drive = element.drive.as_ref()?;
            let cartridge = element.cartridge?;
            let usable = named.is_none_or(|named| named == address)
                && library.elements.drive_fits(address, need)
                && library.elements.drive_serves(address)
                && element.reserved_by.is_none()
                && !element.doubtful
                && drive.mount.is_none()
                && drive.displacing.is_none()
                && drive.unyielding.1 <= now.monotonic;
            let since = match drive.deferred {
                Some((_, since)) if now.monotonic.saturating_sub(since) < library.config.dwell => {
                    return None;
                }
                Some((_, since)) => since,
                None => Duration::ZERO,
            };
            usable.then_some((self.catalogue.is_wished_for(cartridge), since, address))
        });
        candidates.min().map(|(_, _, address)| address)
    }

    /// A drive that was to be emptied did not let go of its medium: it is left alone for a while, twice as long each time, and
    /// in the end altogether, or who waits for it would have it tried again for ever.
    pub(crate) fn did_not_yield(&mut self, index: LibraryIndex, drive: ElementAddress, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let first = library.config.timing.retry_min;
        let until = library.elements.update(drive, |element| {
            let drive = element.drive.as_mut()?;
            let (times, _) = drive.unyielding;
            let rest = first.saturating_mul(2u32.saturating_pow(times));
            let until = if times < MAX_TRIES { now.monotonic.saturating_add(rest) } else { Duration::MAX };
            drive.unyielding = (times.saturating_add(1), until);
            Some(until)
        });
        match until.flatten() {
            Some(Duration::MAX) => {
                let why = alloc::format!(
                    "it did not give its cartridge back when that was tried {MAX_TRIES} times"
                );
                self.needs_service(index, Some(drive), why, now);
            }
            Some(at) => drop(self.set_timer(at, Timer::DwellOver(index, drive))),
            None => {}
        }
    }

    /// A live mount wants its medium: such a medium is the last to make way.
    pub(crate) fn count_wish(&mut self, id: RequestId, live: bool) {
        let Some(request) = self.live.get(&id).map(|live| &live.request) else { return };
        if request.operation() != Operation::Mount {
            return;
        }
        if let Some(cartridge) = request.cartridge {
            self.catalogue.wish_for(cartridge, live);
        }
    }
}
