//! The mount that follows a dismount into the same drive: its intent is made while the arm still takes the other medium
//! out, so that the arm turns round at once. It is sent when the dismount has arrived, and taken back when it has not.

use autochanger_scsi::ElementType;

use super::Engine;
use super::live::Phase;
use super::motion::Way;
use crate::forecast::Why;
use crate::id::{LibraryIndex, RequestId};
use crate::library::MotionStage;
use crate::request::ElementName;
use crate::time::Now;

impl Engine {
    /// Makes the intent of one mount that can follow a dismount. Whether there was one.
    pub(crate) fn pair_next(&mut self, index: LibraryIndex, now: Now) -> bool {
        let Some(library) = self.library(index) else { return false };
        let under_way = [MotionStage::Intent, MotionStage::Prepared, MotionStage::Sent];
        let leaving = library.motions.iter().filter(|(id, motion)| {
            under_way.contains(&motion.stage)
                && motion.with.is_none()
                && motion.after.is_none()
                && !motion.recovered
                && motion.record.source.kind == ElementType::Drive
                && library.elements.drive_serves(motion.record.source.address)
                && !library.motions.values().any(|other| other.after == Some(**id))
        });
        let pair = leaving
            .filter_map(|(&id, motion)| {
                let drive = motion.record.source;
                Some((motion.stage != MotionStage::Sent, id, drive, self.partner(index, drive.address)?))
            })
            .min();
        let Some((_, dismount, drive, mount)) = pair else { return false };
        self.intend_after(index, dismount, drive, mount, now);
        true
    }

    fn intend_after(
        &mut self,
        index: LibraryIndex,
        dismount: RequestId,
        drive: ElementName,
        mount: RequestId,
        now: Now,
    ) {
        let incoming = self.live.get(&mount).and_then(|live| live.request.cartridge);
        let (Some(cartridge), Some(source)) = (incoming, self.slot_of(mount)) else { return };
        self.because(mount, Why::Follows { dismount });
        self.take_from_queue(index, mount);
        self.reserve(index, mount, cartridge, drive.address, Some(source.address));
        self.intend(index, mount, cartridge, Way { source, destination: drive }, now);
        if let Some(library) = self.library_mut(index) {
            // The drive is the dismount's until it is empty.
            library.elements.update(drive.address, |element| element.reserved_by = Some(dismount));
            if let Some(motion) = library.motions.get_mut(&mount) {
                motion.after = Some(dismount);
                motion.follows = true;
            }
        }
    }

    /// A waiting request leaves the queue, because its step is prepared out of turn.
    pub(crate) fn take_from_queue(&mut self, index: LibraryIndex, id: RequestId) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let (order, blocker) = (live.order, live.blocker());
        live.phase = Phase::Prepared;
        if let Some(library) = self.library_mut(index) {
            library.queue.remove(order, blocker);
        }
        self.leave_to_next(index, id);
    }

    /// The dismount has arrived: what was to follow may.
    pub(crate) fn pair_may_follow(&mut self, index: LibraryIndex, dismount: RequestId) {
        let Some(library) = self.library_mut(index) else { return };
        for motion in library.motions.values_mut() {
            motion.after.take_if(|after| *after == dismount);
        }
        self.mark_dirty(index);
    }

    /// The dismount has not arrived, or nobody knows: what was to follow goes back to the queue.
    pub(crate) fn part_pair(&mut self, index: LibraryIndex, dismount: RequestId, now: Now) {
        let Some(library) = self.library(index) else { return };
        let follower =
            library.motions.iter().find(|(_, motion)| motion.after == Some(dismount)).map(|(&id, _)| id);
        if let Some(mount) = follower {
            self.drop_intent(mount, now);
            self.back_to_queue(index, mount, now);
        }
    }
}
