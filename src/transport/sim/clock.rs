//! The library's virtual time on tokio's clock.

use std::time::Duration;

use tokio::time::Instant;

/// How far into the future a sleep reaches at most: tokio's timers end after about two years.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Virtual time that runs `scale` times as fast as tokio's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    origin: Instant,
    base: Duration,
    scale: f64,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { origin: Instant::now(), base: Duration::ZERO, scale: 1.0 }
    }

    pub(super) fn now(&self) -> Duration {
        let elapsed = self.origin.elapsed();
        let passed = if self.scale == 1.0 { elapsed } else { scaled(elapsed, self.scale) };
        self.base.saturating_add(passed)
    }

    /// Goes on from the present time at another pace.
    pub(super) fn set_scale(&mut self, scale: f64) {
        self.base = self.now();
        self.origin = Instant::now();
        self.scale = scale;
    }

    /// When a virtual time comes; at the latest a year from now.
    pub(super) fn instant(&self, at: Duration) -> Instant {
        let ahead = at.saturating_sub(self.now());
        let wait = if self.scale == 1.0 { ahead } else { scaled(ahead, self.scale.recip()) };
        // A timer ticks in milliseconds and never early: without the rounding up it would fire a nanosecond before
        // the event and be set again.
        Instant::now() + wait.saturating_add(Duration::from_nanos(1)).min(FAR)
    }
}

fn scaled(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
