//! What a run was like: when each job was where, and how long the arms worked for it.

use std::collections::BTreeMap;
use std::time::Duration;

use autochanger_scsi::MoveMedium;
use autochanger_sim::Device;

use crate::profiles::{Job, Plant};

/// One job as it went.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lap {
    /// The medium was ready.
    pub(crate) ready: Duration,
    /// The medium was out of the drive, or stayed in it for the next job.
    pub(crate) done: Duration,
}

/// One run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) laps: Vec<Lap>,
    /// Each motion: when it ended, and how long the arm worked for it.
    pub(crate) moves: Vec<(Duration, Duration)>,
    pub(crate) changer_commands: u64,
    seen: u64,
}

impl Run {
    pub(crate) fn new(jobs: usize) -> Self {
        Self { laps: vec![Lap::default(); jobs], ..Self::default() }
    }

    /// Reads what the device has logged since the last time. The log forgets, so this is done often.
    pub(crate) fn harvest(&mut self, device: &Device) {
        let from = self.seen;
        let mut new: Vec<_> = device.log().rev().take_while(|entry| entry.number >= from).collect();
        new.reverse();
        for entry in new {
            let Some(end) = entry.end else { break };
            self.seen = entry.number + 1;
            if entry.unit.lun != 0 {
                continue;
            }
            self.changer_commands += 1;
            if entry.opcode() == Some(MoveMedium::OPCODE) {
                self.moves.push((end.at, end.at.saturating_sub(entry.at)));
            }
        }
    }

    pub(crate) fn makespan(&self) -> Duration {
        self.laps.iter().map(|lap| lap.done).max().unwrap_or_default()
    }
}

/// How near to the physical limit a run was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    /// The longer of the two bounds over the time that was taken, warm-up and tail excluded.
    pub(crate) reached: f64,
    /// The arms' bound over the drives'.
    pub(crate) arms_to_drives: f64,
    /// The limit was neither, but the one medium that most jobs wanted.
    pub(crate) hottest: bool,
}

impl Run {
    /// The time for which a job keeps its drive busy, whatever the policy: from the motion that brings the medium to the end
    /// of the one that takes it out, waits excluded. The arms' time is that of the motions. Both as they were drawn in this
    /// run, over the jobs that ended between the first tenth and the last fifth.
    pub(crate) fn bound(&self, plant: &Plant, jobs: &[Job]) -> Bound {
        let mut ends: Vec<Duration> = self.laps.iter().map(|lap| lap.done).collect();
        ends.sort_unstable();
        let (from, to) = (ends[ends.len() / 10], ends[ends.len() * 4 / 5]);
        let within = |at: Duration| at > from && at <= to;
        let moves: Vec<Duration> =
            self.moves.iter().filter(|(at, _)| within(*at)).map(|(_, took)| *took).collect();
        let arm: Duration = moves.iter().sum();
        let drive: Duration = jobs
            .iter()
            .zip(&self.laps)
            .filter(|(_, lap)| within(lap.done))
            .map(|(job, _)| job.work)
            .sum::<Duration>();
        // Loads and unloads are those of the motions: a job that found its medium in the drive had none.
        let loads = moves.len() as u32 / 2;
        let long: Duration = jobs
            .iter()
            .zip(&self.laps)
            .filter(|(_, lap)| within(lap.done))
            .filter_map(|(job, _)| Some(job.load?.saturating_sub(plant.timing.load)))
            .sum();
        let drive = drive + arm + long + loads * (plant.timing.load + plant.timing.unload);
        let (by_arms, by_drives) =
            (arm.as_secs_f64() / f64::from(plant.arms), drive.as_secs_f64() / f64::from(plant.drives));
        // One medium is in one drive at a time: where all want the same, that is the limit.
        let mut by_tape: BTreeMap<u32, Duration> = BTreeMap::new();
        for (job, _) in jobs.iter().zip(&self.laps).filter(|(_, lap)| within(lap.done)) {
            *by_tape.entry(job.tape).or_default() += job.work;
        }
        let by_hottest = by_tape.values().max().copied().unwrap_or_default().as_secs_f64();
        let taken = to.saturating_sub(from).as_secs_f64();
        Bound {
            reached: by_arms.max(by_drives).max(by_hottest) / taken,
            arms_to_drives: by_arms / by_drives,
            hottest: by_hottest > by_drives.max(by_arms),
        }
    }
}
