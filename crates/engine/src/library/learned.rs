//! How long things take here: a mean that forgets, so that a library that gets slower is noticed.

use alloc::collections::BTreeMap;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

use crate::costs::Costs;
use crate::request::ElementName;

/// The weight of what was measured last, as a fraction: an eighth lets one odd move pass, and follows a change within some ten.
const WEIGHT: u32 = 8;

/// What else takes as long as a way, as a fraction of it: arms vary by themselves, and a mean of some motions by half as much.
const ALIKE: u32 = 16;

/// What takes a usual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual {
    /// A move of the arm between two elements.
    Motion(ElementAddress, ElementAddress),
    /// From the end of a move to a ready drive.
    Load(Option<ElementAddress>),
    /// An unload, rewind included.
    Unload(Option<ElementAddress>),
}

/// How long the arm takes, over all and by the ways that it goes most: between the slots of a zone and a drive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways {
    pub(crate) all: Mean,
    by_zone: BTreeMap<(usize, ElementAddress), Mean>,
    /// The same for all drives of a zone: what is expected of one that was not used yet.
    between_zones: BTreeMap<(usize, usize), Mean>,
}

impl Ways {
    pub(crate) fn note(
        &mut self,
        costs: &Costs,
        source: ElementName,
        destination: ElementName,
        took: Duration,
    ) {
        self.all.note(took);
        let (drive, other) = match (source.kind, destination.kind) {
            (ElementType::Drive, _) => (source.address, destination.address),
            (_, ElementType::Drive) => (destination.address, source.address),
            _ => return,
        };
        let Some(zone) = costs.zone_of(other) else { return };
        self.by_zone.entry((zone, drive)).or_default().note(took);
        if let Some(of_drive) = costs.zone_of(drive) {
            self.between_zones.entry((zone, of_drive)).or_default().note(took);
        }
    }

    /// How long a move usually takes between a drive and another element.
    pub(crate) fn usual(&self, costs: &Costs, one: ElementAddress, other: ElementAddress) -> Duration {
        let measured = |drive: ElementAddress, other: ElementAddress| {
            let zone = costs.zone_of(other)?;
            let own = self.by_zone.get(&(zone, drive)).and_then(|mean| mean.get());
            own.or_else(|| self.between_zones.get(&(zone, costs.zone_of(drive)?))?.get())
        };
        let measured = measured(one, other).or_else(|| measured(other, one));
        match self.all.get().filter(|_| costs.zones.is_empty()) {
            Some(all) => measured.unwrap_or(all),
            None => measured.unwrap_or_else(|| costs.way(one, other)),
        }
    }
}

/// Whether a way is as good as the nearest one.
pub(crate) fn is_near(way: Duration, nearest: Duration) -> bool {
    way <= nearest.saturating_add(nearest / ALIKE)
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

    const SLOT: ElementName = ElementName { kind: ElementType::Storage, address: ElementAddress(1000) };

    fn drive(n: u16) -> ElementName {
        ElementName { kind: ElementType::Drive, address: ElementAddress(n) }
    }

    #[test]
    fn what_was_measured_goes_before_what_was_said_and_holds_for_the_drives_of_the_zone_that_were_not_used() {
        let second = Duration::from_secs(1);
        let costs = Costs::default().motion(10 * second).between_zones(second);
        let costs = costs.zone([1000..=1009, 500..=501]).zone([502..=503]);
        let mut ways = Ways::default();
        let usual = |ways: &Ways, n| ways.usual(&costs, SLOT.address, ElementAddress(n));
        assert_eq!([500, 501, 502].map(|n| usual(&ways, n)), [10 * second, 10 * second, 11 * second]);
        ways.note(&costs, SLOT, drive(502), 4 * second);
        ways.note(&costs, drive(502), SLOT, 4 * second);
        assert_eq!([500, 502, 503].map(|n| usual(&ways, n)), [10 * second, 4 * second, 4 * second]);
        assert_eq!(
            ways.usual(&costs, ElementAddress(502), SLOT.address),
            4 * second,
            "the way back is the same"
        );
        assert_eq!(ways.all.get(), Some(4 * second));
    }

    #[test]
    fn without_zones_all_ways_are_alike() {
        let second = Duration::from_secs(1);
        let (costs, mut ways) = (Costs::default(), Ways::default());
        assert_eq!(ways.usual(&costs, SLOT.address, ElementAddress(500)), costs.motion);
        ways.note(&costs, SLOT, drive(500), 4 * second);
        assert_eq!(ways.usual(&costs, SLOT.address, ElementAddress(501)), 4 * second);
    }
}
