//! How long things take: the times of robot and drives, as profiles with their sources.

use core::time::Duration;

/// How long a library's motions take, in virtual time.
///
/// A move lasts *pick + travel to the destination + place*, after the travel to the source, and after the unload when
/// the source is a drive that still holds its tape threaded. Travel grows with the distance from
/// [`travel_min`](Self::travel_min) to [`travel_max`](Self::travel_max); no distance takes no time.
///
/// Start from a profile and assign what differs:
///
/// ```
/// use autochanger_sim::Timing;
/// use core::time::Duration;
///
/// let mut timing = Timing::midrange();
/// timing.load = Duration::from_secs(40 * 60); // first load of an LTO-9 cartridge
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// Taking a cartridge out of an element.
    pub pick: Duration,
    /// Putting a cartridge into an element.
    pub place: Duration,
    /// Travel between neighbouring elements.
    pub travel_min: Duration,
    /// Travel from one end of the library to the other.
    pub travel_max: Duration,
    /// A drive's load: from the cartridge's insertion to ready.
    pub load: Duration,
    /// A drive's unload: rewind, unthread and eject.
    pub unload: Duration,
    /// A cleaning run: from the cleaning cartridge's insertion to its eject.
    pub clean: Duration,
    /// Reading one element during INITIALIZE ELEMENT STATUS: empty, or with a label that is read at once.
    pub scan: Duration,
    /// The same for a cartridge without a readable label: the scanner retries.
    pub scan_unlabelled: Duration,
    /// What every command takes besides.
    pub command: Duration,
    /// Whether a MOVE MEDIUM to a drive is answered when the cartridge is placed (`true`), or when the drive is ready.
    /// The arm is free at the same moment either way.
    pub fast_load: bool,
    /// How much each motion's time varies, in percent of the mean, evenly to both sides, drawn from the seed.
    pub jitter_percent: u8,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Timing {
    /// Everything happens at once.
    pub const fn none() -> Self {
        Self {
            pick: Duration::ZERO,
            place: Duration::ZERO,
            travel_min: Duration::ZERO,
            travel_max: Duration::ZERO,
            load: Duration::ZERO,
            unload: Duration::ZERO,
            clean: Duration::ZERO,
            scan: Duration::ZERO,
            scan_unlabelled: Duration::ZERO,
            command: Duration::ZERO,
            fast_load: true,
            jitter_percent: 0,
        }
    }

    /// An autoloader with 7 to 9 slots and an LTO-8 drive.
    ///
    /// Robot: below 45 s for a slot-to-drive move (Quantum LTO-1 8-slot manual, p. 66), 26 s per exchange and a scan
    /// of 5 s per labelled and 20 s per unlabelled cell (Exabyte Magnum 1x7 manual, p. 121); the split into pick,
    /// travel and place is assumed. Drive: IBM full-height LTO-8, 15 s to ready, 24 s to unload.
    pub const fn autoloader() -> Self {
        Self {
            pick: seconds(8),
            place: seconds(8),
            travel_min: Duration::from_millis(500),
            travel_max: seconds(12),
            load: seconds(15),
            unload: seconds(24),
            clean: seconds(150),
            scan: seconds(5),
            scan_unlabelled: seconds(20),
            command: Duration::ZERO,
            fast_load: true,
            jitter_percent: 15,
        }
    }

    /// A library with 24 to 80 slots and LTO-8 drives.
    ///
    /// Robot: assumed between the other two profiles, for no maker publishes the figures; a scan of 1 s per element.
    /// Drive: IBM full-height LTO-8, 15 s to ready, 24 s to unload.
    pub const fn midrange() -> Self {
        Self {
            pick: seconds(4),
            place: seconds(4),
            travel_min: seconds(2),
            travel_max: seconds(8),
            load: seconds(15),
            unload: seconds(24),
            clean: seconds(150),
            scan: seconds(1),
            scan_unlabelled: seconds(4),
            command: Duration::ZERO,
            fast_load: true,
            jitter_percent: 15,
        }
    }

    /// A library with thousands of slots and LTO-9 drives.
    ///
    /// Robot: 10 to 15 s from slot to drive, and the mount is answered when the drive is ready (Oracle ACSLS
    /// administration guide, appendix L, for the SL8500); an inventory of 60 to 100 s per frame (IBM TS4500,
    /// "Inventory times"), taken as 800 cells in 80 s. Drive: IBM LTO-9, 17 s to ready with an initialised cartridge,
    /// 30 s to unload after a rewind of 55 s.
    pub const fn enterprise() -> Self {
        Self {
            pick: seconds(3),
            place: seconds(3),
            travel_min: seconds(2),
            travel_max: seconds(8),
            load: seconds(17),
            unload: seconds(85),
            clean: seconds(150),
            scan: Duration::from_millis(100),
            scan_unlabelled: Duration::from_millis(400),
            command: Duration::ZERO,
            fast_load: false,
            jitter_percent: 15,
        }
    }

    /// The same library, `factor` times as slow: 0.01 makes a minute 0.6 seconds.
    ///
    /// A factor that is not a finite number of at least zero leaves the times as they are; a time that would not fit
    /// becomes the longest one.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        if !factor.is_finite() || factor < 0.0 {
            return self;
        }
        for time in [
            &mut self.pick,
            &mut self.place,
            &mut self.travel_min,
            &mut self.travel_max,
            &mut self.load,
            &mut self.unload,
            &mut self.clean,
            &mut self.scan,
            &mut self.scan_unlabelled,
            &mut self.command,
        ] {
            *time = Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or(Duration::MAX);
        }
        self
    }

    /// The travel over a distance given in thousandths of the library's length.
    pub(crate) fn travel(&self, distance: u32) -> Duration {
        if distance == 0 {
            return Duration::ZERO;
        }
        let span = self.travel_max.saturating_sub(self.travel_min);
        self.travel_min.saturating_add(span.saturating_mul(distance.min(RAIL_LENGTH)) / RAIL_LENGTH)
    }
}

/// The length of the rail that the arms run on, in the unit of positions.
pub(crate) const RAIL_LENGTH: u32 = 1000;

impl Default for Timing {
    /// [`Timing::none`].
    fn default() -> Self {
        Self::none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn travel_grows_with_the_distance_and_standing_still_is_free() {
        let timing = Timing::midrange();
        assert_eq!(timing.travel(0), Duration::ZERO);
        assert_eq!(timing.travel(RAIL_LENGTH), seconds(8));
        assert_eq!(timing.travel(RAIL_LENGTH / 2), seconds(5));
        assert!(timing.travel(1) > seconds(2));
    }

    #[test]
    fn scaling_changes_every_time_and_refuses_nonsense() {
        let scaled = Timing::enterprise().scaled(0.5);
        assert_eq!(scaled.unload, Duration::from_millis(42_500));
        assert_eq!(scaled.scan, Duration::from_millis(50));
        assert_eq!(Timing::midrange().scaled(f64::NAN), Timing::midrange());
        assert_eq!(Timing::midrange().scaled(-1.0), Timing::midrange());
        assert_eq!(Timing::midrange().scaled(f64::MAX).pick, Duration::MAX);
    }
}
