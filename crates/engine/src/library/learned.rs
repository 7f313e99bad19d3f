//! How long things take here: a mean that forgets, so that a library that gets slower is noticed.

use core::time::Duration;

/// The weight of what was measured last, as a fraction: an eighth lets one odd move pass, and follows a change within some ten.
const WEIGHT: u32 = 8;

/// What is taken as usual until it was measured: a robot's move of 15 s (an SL8500 takes 10 to 15 s), 15 s from there to a ready
/// drive and 80 s of rewinding and unloading (LTO-8, TS2290 manual).
const UNMEASURED: [(Usual, Duration); 3] = [
    (Usual::Motion, Duration::from_secs(15)),
    (Usual::Load, Duration::from_secs(15)),
    (Usual::Unload, Duration::from_secs(80)),
];

/// What takes a usual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual {
    /// A move of the arm.
    Motion,
    /// From the end of a move to a ready drive.
    Load,
    /// An unload, rewind included.
    Unload,
}

impl Usual {
    /// How long it takes where nothing was measured.
    pub(crate) fn unmeasured(self) -> Duration {
        UNMEASURED.iter().find(|(usual, _)| *usual == self).map_or(Duration::ZERO, |(_, time)| *time)
    }
}

/// A mean of durations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mean(Option<Duration>);

impl Mean {
    pub(crate) fn note(&mut self, measured: Duration) {
        self.0 = Some(match self.0 {
            None => measured,
            Some(mean) => mean.saturating_mul(WEIGHT - 1).saturating_add(measured) / WEIGHT,
        });
    }

    pub(crate) fn get(self) -> Option<Duration> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_follows_a_change_and_not_a_single_odd_one() {
        let second = Duration::from_secs(1);
        let mut mean = Mean::default();
        assert_eq!(mean.get(), None);
        mean.note(8 * second);
        mean.note(16 * second);
        assert_eq!(mean.get(), Some(9 * second));
        for _ in 0..30 {
            mean.note(16 * second);
        }
        assert!(mean.get().is_some_and(|mean| mean > 15 * second && mean <= 16 * second));
    }
}
