//! When requests that have ended are forgotten unasked (RSM: `dwLibRequestPurgeTime`): in small steps, while the store has
//! nothing else to do.

use std::time::Duration;

use autochanger_engine::Input;
use autochanger_engine::time::{Now, WallTime};

use super::Driver;
use super::message::PurgeFailed;
use crate::store::{End, Purged, Sweep};

/// From the start to the first sweep: libraries are being opened, and a program that runs for a few minutes each night is to get
/// to it, too.
const FIRST: Duration = Duration::from_secs(10);

/// From the end of a sweep to the next: a request may stay so much longer than it has to.
const PAUSE: Duration = Duration::from_secs(3600);

/// From one step to the next, so that whoever waited for one is served, and the disk has time for others.
const BETWEEN_STEPS: Duration = Duration::from_millis(50);

/// When the moment is not calm: a commit takes milliseconds.
const LATER: Duration = Duration::from_secs(1);

/// After this time a sweep begins at the oldest again, and so finds what was mounted or in doubt when it was there last. In between
/// it goes on where the last one ended, for what failed may stay, and that becomes more and more.
const ROUND: Duration = Duration::from_secs(24 * 3600);

/// So many requests are looked at by one step. To delete them takes a file of 200,000 some two milliseconds where a sync takes next to
/// nothing, and to look at them half of one: what is handed in just then waits for it.
const STEP: usize = 256;

/// What is kept of the requests that have ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// So long after its end a request is kept; `None`: for ever.
    pub(crate) time: Option<Duration>,
    /// Those that failed stay, whatever the time is.
    pub(crate) failed: bool,
}

/// The sweep at hand, or the next one.
pub(super) struct Sweeping {
    keep: Keep,
    /// When the next step is due, by the monotonic clock; `None` while one is made, and when none is to be made any more.
    due: Option<Duration>,
    /// The end up to which everything has been looked at.
    reached: Option<End>,
    /// When a sweep last began at the oldest.
    round: Duration,
    /// It has begun, and there is more to be looked at.
    amid: bool,
    deleted: u64,
}

impl Sweeping {
    pub(super) fn new(keep: Keep, now: Now) -> Self {
        let due = keep.time.map(|_| now.monotonic.saturating_add(FIRST));
        Self { keep, due, reached: None, round: now.monotonic, amid: false, deleted: 0 }
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// The step that is due.
    fn step(&mut self, calm: bool, now: Now) -> Option<Sweep> {
        let keep = self.keep.time?;
        self.due.filter(|due| *due <= now.monotonic)?;
        if !calm {
            self.due = Some(now.monotonic.saturating_add(LATER));
            return None;
        }
        self.due = None;
        if !self.amid && now.monotonic.saturating_sub(self.round) >= ROUND {
            self.round = now.monotonic;
            self.reached = None;
        }
        let mut sweep = Sweep::before(WallTime(0).plus(now.wall.since_epoch().saturating_sub(keep)));
        sweep.keep_failed = self.keep.failed;
        sweep.after = self.reached;
        sweep.at_most = STEP;
        Some(sweep)
    }

    /// What the step came to; says what is to be told.
    fn made(&mut self, result: Result<Purged, PurgeFailed>, now: Now) -> Option<Input> {
        let failure = match result {
            Ok(purged) => {
                self.deleted = self.deleted.saturating_add(u64::try_from(purged.deleted).unwrap_or(u64::MAX));
                self.reached = purged.reached.or(self.reached);
                self.amid = purged.more;
                None
            }
            // Nothing is written any more, as everybody has been told.
            Err(PurgeFailed::Before(_)) => return None,
            Err(PurgeFailed::Now(error)) => {
                self.amid = false;
                Some(error.to_string().into())
            }
        };
        let pause = if self.amid { BETWEEN_STEPS } else { PAUSE };
        self.due = Some(now.monotonic.saturating_add(pause));
        if self.amid {
            return None;
        }
        let requests = std::mem::take(&mut self.deleted);
        (requests > 0 || failure.is_some()).then_some(Input::Purged { requests, failure })
    }
}

impl Driver {
    /// Has the store make the step that is due, if nobody waits for the store.
    pub(super) fn sweep(&mut self) {
        let calm = self.unpersisted == 0 && self.asked.is_empty();
        if let Some(sweep) = self.sweeping.step(calm, self.clock.now()) {
            self.writer.sweep(sweep, &self.report);
        }
    }

    pub(super) fn swept(&mut self, result: Result<Purged, PurgeFailed>) {
        if let Some(input) = self.sweeping.made(result, self.clock.now()) {
            self.handle(input);
        }
    }
}
