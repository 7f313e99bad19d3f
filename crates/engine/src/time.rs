//! Time as an argument: the engine never asks a clock.

use core::fmt;
use core::time::Duration;

/// The moment at which an input is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Monotonic, since an arbitrary start: for waits.
    pub monotonic: Duration,
    /// Wall time: for records, and for what must be compared across a restart.
    pub wall: WallTime,
}

/// Wall time in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WallTime(pub u64);

impl WallTime {
    /// The time later by `duration`.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_millis().min(u128::from(u64::MAX)) as u64))
    }

    /// The time since 1970-01-01 UTC: with the standard library, `SystemTime::UNIX_EPOCH + at.since_epoch()`.
    pub fn since_epoch(self) -> Duration {
        Duration::from_millis(self.0)
    }

    /// How much time has passed since `earlier`; zero when the clock went back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for WallTime {
    /// `YYYY-MM-DDTHH:MM:SS.mmmZ`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, milliseconds) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let (year, month, day) = civil_from_days(days);
        let (seconds, milliseconds) = (milliseconds / 1000, milliseconds % 1000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{milliseconds:03}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }
}

/// The Gregorian date of a day counted from 1970-01-01. Years are counted from March, so that the leap day is the last.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn wall_time_is_written_as_utc() {
        assert_eq!(WallTime(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(WallTime(951_782_400_000).to_string(), "2000-02-29T00:00:00.000Z");
        assert_eq!(WallTime(1_795_345_200_123).to_string(), "2026-11-22T11:00:00.123Z");
    }

    #[test]
    fn wall_time_is_the_systems_time() {
        let at = std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_345_200_123);
        assert_eq!(std::time::SystemTime::UNIX_EPOCH + WallTime(1_795_345_200_123).since_epoch(), at);
    }
}
