//! What is deleted of the requests that have ended.

use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Request, State};
use autochanger_engine::time::WallTime;

/// Which requests [`Store::purge`](super::Store::purge) deletes (RSM: `DeleteNtmsRequests`, `dwLibRequestPurgeTime`).
///
/// Only requests that have ended are deleted. One whose medium is still mounted stays, for it is what the mount is
/// claimed with after a restart; so does one with a motion whose end is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purge {
    /// Those that ended before this moment.
    EndedBefore(WallTime),
    /// All but so many: those that ended last are kept.
    KeepNewest(u64),
    /// These; [`MAX`](Self::MAX) at most, the others are not looked at.
    Requests(Vec<RequestId>),
    /// Those that ended before a moment, a few at each call.
    Sweep(Sweep),
}

impl Purge {
    /// So many are deleted by one call at most, the first to have ended first: bounds one transaction to a few megabytes,
    /// and the time for which commits wait. As many as the manager commits in one group.
    pub const MAX: usize = 8192;
}

/// One step of a purge by age that somebody makes at his leisure, as the manager does in its own: what stays is looked at once
/// and then left behind, however much of it there is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sweep {
    /// Those that ended before this moment.
    pub before: WallTime,
    /// Those that [failed](State::Failed), or were [found to be impossible](State::Invalid), stay (RSM:
    /// `NTMS_LIBREQFLAGS_NOFAILEDPURGE`).
    pub keep_failed: bool,
    /// Goes on behind this end: the [`reached`](Purged::reached) of the step before. `None`: begins at the oldest.
    pub after: Option<End>,
    /// So many are looked at, whether they go or stay; [`Purge::MAX`] where it is more.
    pub at_most: usize,
}

/// Where a request stands among those that have ended: when it ended, and its id.
pub type End = (WallTime, RequestId);

impl Sweep {
    /// A first step: what ended before this moment, failed or not.
    pub fn before(moment: WallTime) -> Self {
        Self { before: moment, keep_failed: false, after: None, at_most: Purge::MAX }
    }

    /// None of them at all would have a sweep stand still for ever.
    pub(super) fn effective_limit(&self) -> usize {
        self.at_most.clamp(1, Purge::MAX)
    }

    pub(super) fn keeps(&self, request: &Request) -> bool {
        self.keep_failed && matches!(request.state, State::Failed(_) | State::Invalid(_))
    }
}

/// What [`Store::purge`](super::Store::purge) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Purged {
    /// So many are gone.
    pub deleted: usize,
    /// So many of those that were looked at are kept: not ended, still mounted, with a motion in doubt, or failed where a
    /// [`Sweep`] keeps those.
    pub kept: usize,
    /// So many of [`Purge::Requests`] are not there.
    pub unknown: usize,
    /// There are more that ought to go, or be looked at: the bound of one call was reached. Call again; with [`Purge::Requests`], hand in the
    /// others; with [`Purge::Sweep`], go on at [`reached`](Self::reached).
    pub more: bool,
    /// The last end that a [`Sweep`] has looked at, or where it began when there was none behind it.
    pub reached: Option<End>,
}

/// Where the request stands among those that have ended; `None` while it is live. One that does not say when it ended
/// stands where it was accepted: it is not to stay for ever.
pub(super) fn end_of(request: &Request) -> Option<End> {
    request.state.is_final().then(|| (request.ended_at.unwrap_or(request.queued_at), request.id))
}
