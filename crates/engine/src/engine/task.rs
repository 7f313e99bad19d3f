//! What can be asked of a procedure that is under way.

use core::time::Duration;

use super::work::{Task, Work};
use crate::id::{Device, LibraryIndex, RequestId};
use crate::time::Now;

impl Task {
    /// The mount that waits for a drive behind the library's target.
    pub(crate) fn awaits_sibling_in(&self, index: LibraryIndex) -> Option<RequestId> {
        self.waits_in(index).filter(|(_, device)| matches!(device, Device::Sibling(_))).map(|(id, _)| id)
    }

    /// The mount that waits for a drive, and the way it asks.
    pub(crate) fn waits_in(&self, index: LibraryIndex) -> Option<(RequestId, Device)> {
        match &self.work {
            Work::Ready(id, work) if self.library == index => Some((*id, work.device())),
            _ => None,
        }
    }

    /// Whether it surveys the library, and if so, whether it has begun to read.
    pub(crate) fn surveys(&self, index: LibraryIndex) -> Option<bool> {
        match &self.work {
            Work::Survey(survey) if self.library == index => Some(survey.is_under_way()),
            _ => None,
        }
    }

    /// How long the motion that it makes in the library may still take.
    pub(crate) fn motion_may_last(&self, index: LibraryIndex, now: Now) -> Option<Duration> {
        match &self.work {
            _ if self.library != index => None,
            Work::Motion(_, work) => Some(work.may_last(now)),
            Work::Exchange { work, .. } => Some(work.may_last(now)),
            _ => None,
        }
    }

    /// Whether it asks the drive who it is.
    pub(crate) fn asks_who(&self, index: LibraryIndex, device: Device) -> bool {
        matches!(self.work, Work::Who(asked, _) if asked == device && self.library == index)
    }
}
