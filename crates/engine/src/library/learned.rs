//! How long things take here: a mean that forgets, so that a library that gets slower is noticed.

use core::time::Duration;

/// The weight of what was measured last, as a fraction: an eighth lets one odd move pass, and follows a change within some ten.
const WEIGHT: u32 = 8;

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
