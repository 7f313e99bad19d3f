//! What `schedule` is fed with: libraries, drives and workloads, each figure with its source.

use std::time::Duration;

use autochanger_sim::Timing;

/// A library: how many arms and drives, and how fast they are.
#[derive(Debug, Clone)]
pub(crate) struct Plant {
    pub(crate) name: &'static str,
    pub(crate) arms: u16,
    pub(crate) drives: u16,
    /// Loads that one run makes: some dozens for each drive, so that the steady state is most of it.
    pub(crate) loads: usize,
    pub(crate) timing: Timing,
}

/// The libraries of the table. Robots: `Timing::autoloader`, `midrange` and `enterprise` of the simulator, whose documentation names
/// the manuals that their times are from. They vary with the way that the arm has to go and with nothing else, so that every
/// policy meets the same times.
pub(crate) fn plants() -> Vec<Plant> {
    let steady = |mut timing: Timing, unload: u64| {
        timing.jitter_percent = 0;
        timing.fast_load = true;
        timing.unload = Duration::from_secs(unload);
        timing
    };
    // LTO-8, IBM full height: 24 s to unload and 59 s of rewind before it (TS2290 manual); LTO-9: 56 s and 62 s, the
    // shortest of its three rewinds.
    let lto8 = 24 + 59;
    let lto9 = 56 + 62;
    vec![
        Plant {
            name: "1 arm x 1 drive",
            arms: 1,
            drives: 1,
            loads: 60,
            timing: steady(Timing::autoloader(), lto8),
        },
        Plant { name: "1 x 4", arms: 1, drives: 4, loads: 200, timing: steady(Timing::midrange(), lto8) },
        Plant { name: "2 x 16", arms: 2, drives: 16, loads: 600, timing: steady(Timing::enterprise(), lto9) },
        Plant {
            name: "8 x 64",
            arms: 8,
            drives: 64,
            loads: 2000,
            timing: steady(Timing::enterprise(), lto9),
        },
    ]
}

/// One medium to be mounted, used and dismounted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    /// Which cartridge, counted from 1.
    pub(crate) tape: u32,
    /// From ready to the dismount.
    pub(crate) work: Duration,
    /// How long the drive takes to come ready, where that is not the plant's usual time.
    pub(crate) load: Option<Duration>,
}

/// What is asked of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    BackupFill,
    ScatteredRestore,
    SkewedReuse,
    FirstLoads,
}

impl Workload {
    pub(crate) const ALL: [Self; 4] =
        [Self::BackupFill, Self::ScatteredRestore, Self::SkewedReuse, Self::FirstLoads];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BackupFill => "backup fill",
            Self::ScatteredRestore => "scattered restore",
            Self::SkewedReuse => "skewed re-use",
            Self::FirstLoads => "LTO-9 first loads",
        }
    }

    /// How many cartridges it needs.
    pub(crate) fn tapes(self, plant: &Plant) -> u32 {
        match self {
            // The ECMWF study counts 2.5 times as many loads as good management needs: a working set of two fifths.
            Self::SkewedReuse => (plant.loads as u32 * 2 / 5).max(u32::from(plant.drives) * 2),
            _ => plant.loads as u32,
        }
    }

    /// The jobs, drawn from a seed: the same for every policy.
    pub(crate) fn jobs(self, plant: &Plant, seed: u64) -> Vec<Job> {
        let mut dice = Dice(seed);
        let tapes = self.tapes(plant);
        let seconds = |from: u64, to: u64, dice: &mut Dice| Duration::from_secs(dice.between(from, to));
        (0..plant.loads as u32)
            .map(|n| match self {
                // 200 to 800 GB at 300 MB/s, what a night's backup leaves on a tape before the next job's turn.
                Self::BackupFill => Job { tape: n + 1, work: seconds(660, 2700, &mut dice), load: None },
                // A locate over half of the tape on average (59 s for LTO-8, 65 s for LTO-9: TS2290 manual), and 3 to 30 GB.
                Self::ScatteredRestore => {
                    let tape = n + 1;
                    let work = seconds(1, 130, &mut dice) + seconds(10, 100, &mut dice);
                    Job { tape, work, load: None }
                }
                // The same, and who was read is read again: tape k is drawn with a weight of 1/k.
                Self::SkewedReuse => {
                    let work = seconds(1, 130, &mut dice) + seconds(10, 100, &mut dice);
                    Job { tape: dice.skewed(tapes), work, load: None }
                }
                // The first load of a new LTO-9 cartridge: 20 min to 2 h (Oracle SL150), 40 min on average (IBM TS4300).
                Self::FirstLoads => {
                    let load = match dice.between(0, 99) {
                        0..90 => seconds(1200, 3000, &mut dice),
                        _ => seconds(3000, 7200, &mut dice),
                    };
                    Job { tape: n + 1, work: seconds(660, 2700, &mut dice), load: Some(load) }
                }
            })
            .collect()
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    fn skewed(&mut self, most: u32) -> u32 {
        let all: f64 = (1..=most).map(|k| 1.0 / f64::from(k)).sum();
        let mut left = all * (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        for k in 1..=most {
            left -= 1.0 / f64::from(k);
            if left <= 0.0 {
                return k;
            }
        }
        most
    }
}
