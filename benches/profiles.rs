//! What `schedule` is fed with: libraries, drives and workloads, each figure with its source.

use std::time::Duration;

use autochanger_sim::Timing;
use autochanger_world::dice::Dice;

/// A library: how many arms and drives, and how fast they are.
#[derive(Debug, Clone)]
pub(crate) struct Plant {
    pub(crate) name: &'static str,
    pub(crate) arms: u16,
    /// Moves in flight at once: as many as arms, or more where an answer comes later than the arm is free.
    pub(crate) moves: u16,
    pub(crate) drives: u16,
    /// Loads that one run makes: some dozens for each drive, so that the steady state is most of it.
    pub(crate) loads: usize,
    /// What its cartridges' labels end with: the generation of its drives.
    pub(crate) media: &'static str,
    pub(crate) drive: &'static str,
    pub(crate) timing: Timing,
}

impl Plant {
    /// The label of a cartridge, counted from 1.
    pub(crate) fn label(&self, tape: u32) -> String {
        format!("VT{tape:04}{}", self.media)
    }

    /// A mail slot of four cells at each arm's end of the library, as the smallest I/O stations have.
    pub(crate) fn ports(&self) -> u16 {
        4 * self.arms
    }

    /// A cleaning cartridge for each arm.
    pub(crate) fn cleaners(&self) -> u16 {
        self.arms
    }
}

/// How long a cleaning takes: 340 s (a trace study of ECMWF's library, in the constants of its published simulator).
pub(crate) const CLEANING: Duration = Duration::from_secs(340);

/// The libraries of the table. Robots: `Timing::autoloader`, `midrange` and `enterprise` of the simulator, whose documentation
/// names the manuals that their times are from, and which of them are assumed. They vary with the way that the arm has to go and
/// with nothing else, so that every policy meets the same times. A move is answered when the cartridge is placed, as libraries with
/// fast load do; in one of them when its drive is ready.
pub(crate) fn plants(quick: bool) -> Vec<Plant> {
    let steady = |mut timing: Timing, load: u64, unload: u64| {
        timing.jitter_percent = 0;
        timing.fast_load = true;
        timing.load = Duration::from_secs(load);
        timing.unload = Duration::from_secs(unload);
        timing.clean = CLEANING;
        timing
    };
    // IBM full height (TS2290 manual). LTO-8: ready after 15 s, 24 s to unload after 59 s of rewinding. LTO-9: 16 s, 56 s after
    // 62 s, the shortest of its three rewinds.
    let lto8 = |timing| steady(timing, 15, 24 + 59);
    let lto9 = |timing| steady(timing, 16, 56 + 62);
    let plant = |name, arms, drives, loads, media, timing| {
        let drive = if media == "L8" { "SIM LTO-8" } else { "SIM LTO-9" };
        Plant { name, arms, moves: arms, drives, loads, media, drive, timing }
    };
    // A move of this arm takes some 14 s, and its answer 16 s more: (14 + 16) / 14, rounded up.
    let slow = |mut plant: Plant| {
        plant.timing.fast_load = false;
        Plant { name: "1 x 16, slow load", moves: 3, ..plant }
    };
    let mut plants = vec![
        plant("1 arm x 1 drive", 1, 1, 60, "L8", lto8(Timing::autoloader())),
        plant("1 x 4", 1, 4, 200, "L8", lto8(Timing::midrange())),
        plant("2 x 16", 2, 16, 600, "L9", lto9(Timing::enterprise())),
        slow(plant("", 1, 16, 480, "L9", lto9(Timing::enterprise()))),
        plant("8 x 64", 8, 64, 2000, "L9", lto9(Timing::enterprise())),
    ];
    if quick {
        plants.pop();
        for plant in &mut plants {
            plant.loads = plant.loads.min(12 * usize::from(plant.drives)).max(40);
        }
    }
    plants
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
    ImportFlood,
    CleaningDue,
    FirstLoads,
}

impl Workload {
    const ALL: [Self; 6] = [
        Self::BackupFill,
        Self::ScatteredRestore,
        Self::SkewedReuse,
        Self::ImportFlood,
        Self::CleaningDue,
        Self::FirstLoads,
    ];

    /// What is asked of a library. One that answers when the drive is ready is asked for neither cleanings nor first loads, which hold an
    /// answer back for minutes to hours.
    pub(crate) fn of(plant: &Plant) -> &'static [Self] {
        if plant.timing.fast_load {
            &Self::ALL
        } else {
            &[Self::BackupFill, Self::ScatteredRestore, Self::SkewedReuse]
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BackupFill => "backup fill",
            Self::ScatteredRestore => "scattered restore",
            Self::SkewedReuse => "skewed re-use",
            Self::ImportFlood => "import flood",
            Self::CleaningDue => "cleaning due",
            Self::FirstLoads => "LTO-9 first loads",
        }
    }

    /// How many cartridges it needs.
    pub(crate) fn tapes(self, plant: &Plant) -> u32 {
        match self {
            // A working set of two fifths, so that a tape is wanted two or three times: assumed.
            Self::SkewedReuse => (plant.loads as u32 * 2 / 5).max(u32::from(plant.drives) * 2),
            _ => plant.loads as u32,
        }
    }

    /// The jobs, drawn from a seed: the same for every policy.
    pub(crate) fn jobs(self, plant: &Plant, seed: u64) -> Vec<Job> {
        let mut dice = Dice::new(seed);
        let tapes = self.tapes(plant);
        let seconds = |from: u32, to: u32, dice: &mut Dice| {
            Duration::from_secs(u64::from(from + dice.roll(to - from + 1)))
        };
        (0..plant.loads as u32)
            .map(|n| match self {
                // 200 to 800 GB at 300 MB/s, the rate of an LTO-8 drive's own data sheet class: what a night's backup leaves on a
                // tape before the next job's turn; assumed.
                Self::BackupFill => Job { tape: n + 1, work: seconds(660, 2700, &mut dice), load: None },
                // A locate over half of the tape on average (59 s for LTO-8, 65 s for LTO-9: TS2290 manual), and 3 to 30 GB.
                Self::ScatteredRestore | Self::CleaningDue => {
                    let work = seconds(1, 130, &mut dice) + seconds(10, 100, &mut dice);
                    Job { tape: n + 1, work, load: None }
                }
                // The same, and who was read is read again.
                Self::SkewedReuse => {
                    let work = seconds(1, 130, &mut dice) + seconds(10, 100, &mut dice);
                    Job { tape: skewed(&mut dice, tapes, plant.drives), work, load: None }
                }
                Self::ImportFlood => Job { tape: n + 1, work: Duration::ZERO, load: None },
                // The first load of a new LTO-9 cartridge: 20 min to 2 h (Oracle SL150), 40 min on average (IBM TS4300).
                Self::FirstLoads => {
                    let load = match dice.roll(100) {
                        0..90 => seconds(1200, 3000, &mut dice),
                        _ => seconds(3000, 7200, &mut dice),
                    };
                    Job { tape: n + 1, work: seconds(660, 2700, &mut dice), load: Some(load) }
                }
            })
            .collect()
    }

    /// After how many loads each drive asks to be cleaned, once in a run; empty where none does. Drives ask after 123 loads in the
    /// median (ECMWF's trace), and in a library that has run for long each is somewhere on its way there: cleaning is due for all of
    /// them, one after the other.
    pub(crate) fn cleanings(self, plant: &Plant, seed: u64) -> Vec<u32> {
        if self != Self::CleaningDue {
            return Vec::new();
        }
        let mut dice = Dice::new(seed ^ 1);
        let each = (plant.loads / usize::from(plant.drives)) as u32;
        (0..plant.drives).map(|_| 1 + dice.roll(each.max(2) - 1)).collect()
    }
}

/// Tape k with a weight of 1/(k + 2·drives) (Zipf and Mandelbrot): a few are wanted often, and none by so many that it alone would be
/// the limit.
fn skewed(dice: &mut Dice, tapes: u32, drives: u16) -> u32 {
    let weight = |k: u32| 1_000_000 / (k + 2 * u32::from(drives));
    let mut left = dice.roll((1..=tapes).map(weight).sum());
    for k in 1..=tapes {
        if left < weight(k) {
            return k;
        }
        left -= weight(k);
    }
    tapes
}
