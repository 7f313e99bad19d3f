//! The manager's time: the system's, a faster one, or one that a test moves by hand.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
pub use autochanger_engine::time::{Now, WallTime};
use tokio::sync::watch;
use tokio::time::Instant;

/// Where a manager takes its time from.
///
/// A clock gives two times. The *monotonic* one is for waits: time-outs, pauses before another try, deadlines while
/// the manager runs. It never goes back. The *wall* time is for records and for what must be compared across a restart:
/// a request's deadline is kept as wall time.
///
/// # When the wall clock jumps
/// Waits are not touched. Records carry the wall time as it was read, so they may seem out of order; the order of events
/// is their [sequence](crate::Event::sequence). A deadline that was kept over a restart is moved by the jump.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Now;

    /// Returns when the monotonic time is `monotonic` or later; at once when it already is.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and does nothing else.
    async fn sleep_until(&self, monotonic: Duration);
}

/// The system's clock.
///
/// Its monotonic part is tokio's (which is the system's unless a test has paused it).
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now. It needs no runtime yet.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Now {
        Now { monotonic: self.start.elapsed(), wall: wall_time() }
    }

    async fn sleep_until(&self, monotonic: Duration) {
        match self.start.checked_add(monotonic) {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}

/// A clock that runs faster or slower than the system's, wall time included, beside a library simulated at the same
/// scale.
#[derive(Debug, Clone)]
pub struct ScaledClock {
    start: Instant,
    start_wall: WallTime,
    factor: f64,
}

impl ScaledClock {
    /// A clock that runs `factor` times as fast as the system's. A factor that is not a positive, finite number is
    /// taken for 1.
    pub fn new(factor: f64) -> Self {
        let factor = if factor.is_finite() && factor > 0.0 { factor } else { 1.0 };
        Self { start: Instant::now(), start_wall: wall_time(), factor }
    }

    fn scaled(&self, real: Duration) -> Duration {
        Duration::try_from_secs_f64(real.as_secs_f64() * self.factor).unwrap_or(Duration::MAX)
    }

    fn real(&self, scaled: Duration) -> Option<Duration> {
        Duration::try_from_secs_f64(scaled.as_secs_f64() / self.factor).ok()
    }
}

#[async_trait]
impl Clock for ScaledClock {
    fn now(&self) -> Now {
        let monotonic = self.scaled(self.start.elapsed());
        Now { monotonic, wall: self.start_wall.plus(monotonic) }
    }

    async fn sleep_until(&self, monotonic: Duration) {
        let Some(real) = self.real(monotonic) else { return std::future::pending().await };
        match self.start.checked_add(real) {
            // Rounding may wake a moment early: what was promised is "not before".
            Some(instant) => {
                tokio::time::sleep_until(instant).await;
                while self.now().monotonic < monotonic {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            None => std::future::pending().await,
        }
    }
}

/// A clock that stands still until a test moves it. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use autochanger::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().monotonic - before.monotonic, Duration::from_secs(60));
/// assert_eq!(clock.now().wall.since(before.wall), Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: watch::Sender<Now>,
    /// Until when somebody sleeps; the number tells two of one time apart.
    sleepers: watch::Sender<BTreeSet<(Duration, u64)>>,
    numbers: Arc<AtomicU64>,
}

/// Somebody sleeps, for as long as this lives.
struct Sleeper<'a> {
    clock: &'a ManualClock,
    entry: (Duration, u64),
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.clock.sleepers.send_modify(|sleepers| {
            sleepers.remove(&self.entry);
        });
    }
}

impl ManualClock {
    /// Wall time of a new manual clock: 2026-01-01T00:00:00Z.
    pub const START: WallTime = WallTime(1_767_225_600_000);

    /// A clock at monotonic time zero and wall time [`START`](Self::START).
    pub fn new() -> Self {
        Self {
            now: watch::Sender::new(Now { monotonic: Duration::ZERO, wall: Self::START }),
            sleepers: watch::Sender::default(),
            numbers: Arc::default(),
        }
    }

    /// Lets time pass, both monotonic and wall. Wakes whoever waited for it.
    pub fn advance(&self, time: Duration) {
        self.now.send_modify(|now| {
            now.monotonic = now.monotonic.saturating_add(time);
            now.wall = now.wall.plus(time);
        });
    }

    /// Until when the one sleeps who is to be woken next; `None` where nobody waits for this clock.
    pub fn next_sleeper(&self) -> Option<Duration> {
        self.sleepers.borrow().first().map(|(at, _)| *at)
    }

    /// Waits until somebody sleeps, and lets so much time pass that the first one wakes. Returns how much that was. Whoever was
    /// woken before comes first: time stands while he has not gone on.
    ///
    /// A manager sleeps while it waits for something by the clock: a pause, a deadline. So beside a future that is awaited this makes
    /// the time pass that the future needs. Answers of devices take no time of this clock, and are not waited for: where a
    /// deadline matters that should not pass, await the step before it first.
    ///
    /// ```
    /// # #[cfg(feature = "sim")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use autochanger::clock::ManualClock;
    /// use autochanger::{LibraryConfig, Manager};
    ///
    /// async fn passing<T>(clock: &ManualClock, future: impl IntoFuture<Output = T>) -> T {
    ///     let mut future = std::pin::pin!(future.into_future());
    ///     loop {
    ///         tokio::select! {
    ///             biased;
    ///             value = &mut future => return value,
    ///             _ = clock.advance_to_next() => {}
    ///         }
    ///     }
    /// }
    ///
    /// let clock = ManualClock::new();
    /// let manager = Manager::builder().library(LibraryConfig::new("sim:")).clock(clock.clone()).open().await?;
    /// manager.ready().await?;
    /// let session = manager.session("nightly-backup").open()?;
    /// let minute = std::time::Duration::from_secs(60);
    /// let ticket = session.inject().deadline(minute).submit().await?;
    /// assert!(passing(&clock, ticket).await.is_err()); // at once: nobody came within the minute
    /// # manager.shutdown().await;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sim"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has let no time pass.
    pub async fn advance_to_next(&self) -> Duration {
        let mut sleepers = self.sleepers.subscribe();
        let due = |sleepers: &BTreeSet<(Duration, u64)>| {
            let now = self.now.borrow().monotonic;
            sleepers.first().and_then(|(at, _)| at.checked_sub(now)).filter(|time| !time.is_zero())
        };
        // This clock holds a sender, so the channel cannot close.
        let time = match sleepers.wait_for(|sleepers| due(sleepers).is_some()).await {
            Ok(sleepers) => due(&sleepers).unwrap_or_default(),
            Err(_) => Duration::ZERO,
        };
        self.advance(time);
        time
    }

    /// Lets the wall time jump, as when somebody sets the clock; the monotonic time stays.
    pub fn set_wall(&self, wall: WallTime) {
        self.now.send_modify(|now| now.wall = wall);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Now {
        *self.now.borrow()
    }

    async fn sleep_until(&self, monotonic: Duration) {
        let entry = (monotonic, self.numbers.fetch_add(1, Ordering::Relaxed));
        let _sleeper = Sleeper { clock: self, entry };
        self.sleepers.send_modify(|sleepers| {
            sleepers.insert(entry);
        });
        // This clock holds a sender, so the channel cannot close while anybody waits on it.
        let _ = self.now.subscribe().wait_for(|now| now.monotonic >= monotonic).await;
    }
}

fn wall_time() -> WallTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(0).plus(since_epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_a_waiter_when_its_time_has_come_and_not_before() {
        let clock = ManualClock::new();
        let waiting = clock.clone();
        let mut waiter = tokio::spawn(async move { waiting.sleep_until(Duration::from_secs(10)).await });
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            _ = &mut waiter => panic!("woken a second early"),
            () = tokio::task::yield_now() => {}
        }
        clock.advance(Duration::from_secs(1));
        waiter.await.expect("the waiter ends");
    }

    #[tokio::test]
    async fn time_passes_to_whoever_wakes_first_and_stands_until_he_has_gone_on() {
        let clock = ManualClock::new();
        let sleep = |seconds| {
            let clock = clock.clone();
            async move { clock.sleep_until(Duration::from_secs(seconds)).await }
        };
        let mut early = Box::pin(sleep(5));
        let mut late = Box::pin(sleep(12));
        // Nobody has begun to sleep: nothing passes.
        tokio::select! {
            biased;
            _ = clock.advance_to_next() => panic!("nobody sleeps"),
            () = tokio::task::yield_now() => {}
        }
        for sleeper in [&mut early, &mut late] {
            tokio::select! {
                biased;
                () = sleeper => panic!("time stands"),
                () = tokio::task::yield_now() => {}
            }
        }
        assert_eq!(clock.next_sleeper(), Some(Duration::from_secs(5)));
        assert_eq!(clock.advance_to_next().await, Duration::from_secs(5));
        tokio::select! {
            biased;
            _ = clock.advance_to_next() => panic!("who was woken has not gone on"),
            () = tokio::task::yield_now() => {}
        }
        early.await;
        assert_eq!(clock.advance_to_next().await, Duration::from_secs(7));
        late.await;
        assert_eq!(clock.next_sleeper(), None);
    }

    #[tokio::test]
    async fn setting_the_wall_clock_does_not_move_the_monotonic_time() {
        let clock = ManualClock::new();
        clock.advance(Duration::from_secs(5));
        clock.set_wall(WallTime(0));
        assert_eq!(clock.now().monotonic, Duration::from_secs(5));
        assert_eq!(clock.now().wall, WallTime(0));
    }

    // Sleeps for real, five milliseconds: that the real clock is the measure is what is tested.
    #[tokio::test]
    async fn a_scaled_clock_passes_time_as_many_times_faster_as_it_was_told() {
        let clock = ScaledClock::new(1000.0);
        let (start, real) = (clock.now(), Instant::now());
        clock.sleep_until(start.monotonic + Duration::from_secs(5)).await;
        let (virtually, really) = (clock.now().monotonic - start.monotonic, real.elapsed());
        assert!(virtually >= Duration::from_secs(5), "{virtually:?}");
        assert!(really >= Duration::from_micros(4_900), "{really:?}");
    }

    #[test]
    fn a_senseless_scale_is_taken_for_one() {
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ScaledClock::new(factor).factor, 1.0);
        }
    }
}
