//! What motions and drives cost in time where nothing was measured yet, and which elements stand near to each other.

use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

use autochanger_scsi::ElementAddress;

/// A library's times and geometry, as its maker or its owner knows them. From them a mount gets its drive and a forecast its times,
/// until they were measured here: what is measured goes before what is said. It is measured anew by each manager, within some motions,
/// and not kept.
///
/// ```
/// use autochanger_engine::costs::Costs;
/// use core::time::Duration;
///
/// // Two frames: slots 1000 to 1099 with drives 500 to 503, and 1100 to 1199 with 504 to 507.
/// let costs = Costs::default()
///     .motion(Duration::from_secs(9))
///     .zone([1000..=1099, 500..=503])
///     .zone([1100..=1199, 504..=507])
///     .between_zones(Duration::from_secs(1));
/// assert_eq!(costs.zones.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Costs {
    /// A move of the arm within a zone. Default 15 s: an SL8500 takes 10 to 15 s.
    pub motion: Duration,
    /// What a move takes longer for each zone that it goes further. Default half a second: what a TS4500 loses with each frame, by its
    /// table of mounts an hour.
    pub between_zones: Duration,
    /// The zones in their order along the library: frames, or the reach of an arm. None by default: all elements are equally near.
    pub zones: Vec<Zone>,
    /// The times of drives by generation; the first that speaks of a drive's counts. LTO-5 to LTO-9 by default, as the maker of full-height
    /// drives tells them (TS2290 manual), with a minute of rewinding where that is not told.
    pub drives: Vec<DriveTimes>,
    /// The times of a drive whose generation is not known, or not spoken of. Default: 15 s and 80 s.
    pub other_drives: DriveTimes,
}

/// Elements that stand near to each other, by their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone(pub Vec<RangeInclusive<u16>>);

/// How long a drive takes for what the arm does not wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriveTimes {
    /// The LTO generation; 0: any other.
    pub generation: u8,
    /// From the end of a move to a ready drive.
    pub load: Duration,
    /// An unload, rewind included.
    pub unload: Duration,
}

impl Default for Costs {
    fn default() -> Self {
        let drive = |generation, load, unload| DriveTimes {
            generation,
            load: Duration::from_secs(load),
            unload: Duration::from_secs(unload),
        };
        Self {
            motion: Duration::from_secs(15),
            between_zones: Duration::from_millis(500),
            zones: Vec::new(),
            drives: Vec::from([
                drive(9, 16, 56 + 62),
                drive(8, 15, 24 + 59),
                drive(7, 15, 20 + 60),
                drive(6, 12, 17 + 60),
                drive(5, 12, 17 + 60),
            ]),
            other_drives: drive(0, 15, 80),
        }
    }
}

impl Costs {
    /// With another time for a move within a zone.
    #[must_use]
    pub fn motion(mut self, time: Duration) -> Self {
        self.motion = time;
        self
    }

    /// With another time for each zone that a move goes further.
    #[must_use]
    pub fn between_zones(mut self, time: Duration) -> Self {
        self.between_zones = time;
        self
    }

    /// With one zone more, behind the others: its slots, ports and drives by their element addresses. An element that is in several is
    /// in the first of them; one that is in none is as near as the nearest.
    #[must_use]
    pub fn zone(mut self, elements: impl IntoIterator<Item = RangeInclusive<u16>>) -> Self {
        self.zones.push(Zone(elements.into_iter().collect()));
        self
    }

    /// With the times of one generation of drives, before those that are known.
    #[must_use]
    pub fn drive(mut self, times: DriveTimes) -> Self {
        self.drives.insert(0, times);
        self
    }

    pub(crate) fn zone_of(&self, element: ElementAddress) -> Option<usize> {
        self.zones.iter().position(|zone| zone.0.iter().any(|range| range.contains(&element.0)))
    }

    /// A move between two elements, in whichever direction.
    pub(crate) fn way(&self, one: ElementAddress, other: ElementAddress) -> Duration {
        let zones = match (self.zone_of(one), self.zone_of(other)) {
            (Some(one), Some(other)) => one.abs_diff(other),
            _ => 0,
        };
        let more = self.between_zones.saturating_mul(u32::try_from(zones).unwrap_or(u32::MAX));
        self.motion.saturating_add(more)
    }

    pub(crate) fn times_of(&self, generation: Option<u8>) -> DriveTimes {
        let mut known = self.drives.iter();
        known.find(|times| Some(times.generation) == generation).copied().unwrap_or(self.other_drives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_costs_more_with_each_zone_and_nothing_more_where_no_zone_is_known() {
        let second = Duration::from_secs(1);
        let costs = Costs::default().motion(10 * second).between_zones(second);
        let costs = costs.zone([1000..=1009, 500..=500]).zone([1010..=1019]).zone([1020..=1029, 502..=502]);
        let way = |one, other| costs.way(ElementAddress(one), ElementAddress(other));
        assert_eq!(way(1000, 500), 10 * second);
        assert_eq!(way(500, 1010), 11 * second);
        assert_eq!(way(1009, 502), 12 * second);
        assert_eq!(way(1029, 700), 10 * second, "nobody said where that stands");
    }

    #[test]
    fn the_first_times_that_speak_of_a_generation_count() {
        let costs = Costs::default();
        assert_eq!(costs.times_of(Some(9)).unload, Duration::from_secs(118));
        assert_eq!(costs.times_of(Some(10)), costs.other_drives);
        assert_eq!(costs.times_of(None), costs.other_drives);
        let own = DriveTimes { generation: 9, load: Duration::from_secs(1), unload: Duration::from_secs(2) };
        assert_eq!(costs.drive(own).times_of(Some(9)), own);
    }
}
