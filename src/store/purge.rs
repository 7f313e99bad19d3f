//! What is deleted of the requests that have ended.

use autochanger_engine::id::RequestId;
use autochanger_engine::request::Request;
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
}

impl Purge {
    /// So many are deleted by one call at most, the first to have ended first: bounds one transaction to a few megabytes,
    /// and the time for which commits wait. As many as the manager commits in one group.
    pub const MAX: usize = 8192;
}

/// What [`Store::purge`](super::Store::purge) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Purged {
    /// So many are gone.
    pub deleted: usize,
    /// So many of those that were looked at are kept: not ended, still mounted, or with a motion in doubt.
    pub kept: usize,
    /// So many of [`Purge::Requests`] are not there.
    pub unknown: usize,
    /// There are more that ought to go: [`Purge::MAX`] was reached. Call again; with [`Purge::Requests`], hand in the
    /// others.
    pub more: bool,
}

/// Where the request stands among those that have ended; `None` while it is live. One that does not say when it ended
/// stands where it was accepted: it is not to stay for ever.
pub(super) fn end_of(request: &Request) -> Option<(WallTime, RequestId)> {
    request.state.is_final().then(|| (request.ended_at.unwrap_or(request.queued_at), request.id))
}
