//! What a run was like: when each job was where, and for how long arms and drives were at work.

use std::time::Duration;

use autochanger_scsi::{ElementAddress, LoadUnload, MoveMedium, Status};
use autochanger_sim::Device;

use crate::profiles::{CLEANING, Job, Plant};
use crate::{FIRST_DRIVE, FIRST_PORT, FIRST_SLOT};

/// One job as it went.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lap {
    /// The medium was ready, or taken in.
    pub(crate) ready: Duration,
    /// The medium was out of the drive, or stayed in it for the next job.
    pub(crate) done: Duration,
}

/// Something was at work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// A motion.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    pub(crate) span: Span,
    pub(crate) destination: ElementAddress,
    pub(crate) source: ElementAddress,
}

/// One run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) laps: Vec<Lap>,
    pub(crate) moves: Vec<Move>,
    unloads: Vec<Span>,
    pub(crate) changer_commands: u64,
    /// How often each drive was loaded, cleaning cartridges apart.
    loads: Vec<u32>,
    /// After how many loads each drive asks to be cleaned.
    asks_after: Vec<u32>,
    imports: usize,
    /// When the first job was asked for.
    pub(crate) begun: Duration,
    seen: u64,
}

impl Run {
    pub(crate) fn new(jobs: usize, plant: &Plant, asks_after: &[u32]) -> Self {
        Self {
            laps: vec![Lap::default(); jobs],
            loads: vec![0; usize::from(plant.drives)],
            asks_after: asks_after.to_vec(),
            ..Self::default()
        }
    }

    /// Reads what the device has logged since the last time. The log forgets, so this is done often. Drives that were loaded so often
    /// begin to ask for cleaning; they are named.
    pub(crate) fn harvest(&mut self, device: &mut Device) -> Vec<usize> {
        let mut new = Vec::new();
        let from = self.seen;
        for entry in device.log().rev().take_while(|entry| entry.number >= from) {
            new.push(entry.clone());
        }
        let mut ask = Vec::new();
        for entry in new.iter().rev() {
            let Some(end) = entry.end else { break };
            self.seen = entry.number + 1;
            let span = Span { from: entry.at, to: end.at };
            let good = end.status == Some(Status::Good);
            let word = |at: usize| {
                let bytes = entry.cdb().get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
                ElementAddress(bytes.map_or(0, u16::from_be_bytes))
            };
            match (entry.unit.lun, entry.opcode()) {
                (0, opcode) => {
                    self.changer_commands += 1;
                    if opcode == Some(MoveMedium::OPCODE) && good {
                        let destination = word(6);
                        self.moves.push(Move { span, source: word(4), destination });
                        ask.extend(self.loaded(destination));
                        if (FIRST_PORT..FIRST_SLOT).contains(&word(4).0)
                            && let Some(lap) = self.laps.get_mut(self.imports)
                        {
                            (lap.ready, lap.done) = (span.to, span.to);
                            self.imports += 1;
                        }
                    }
                }
                (_, Some(LoadUnload::OPCODE)) if good => self.unloads.push(span),
                _ => {}
            }
        }
        for &drive in &ask {
            device.drive_asks_for_cleaning(FIRST_DRIVE + drive as u16, false);
        }
        ask
    }

    /// A drive was loaded; the drive, where it asks to be cleaned now.
    fn loaded(&mut self, destination: ElementAddress) -> Option<usize> {
        let drive = usize::from(destination.0.checked_sub(FIRST_DRIVE)?);
        let loads = self.loads.get_mut(drive)?;
        *loads += 1;
        (self.asks_after.get(drive) == Some(loads)).then_some(drive)
    }

    /// Motions into drives.
    pub(crate) fn loads_made(&self) -> usize {
        self.moves.iter().filter(|made| is_drive(made.destination)).count()
    }

    /// Cartridges that were taken in.
    pub(crate) fn imported(&self) -> usize {
        self.imports
    }

    pub(crate) fn makespan(&self) -> Duration {
        let ended = self.laps.iter().map(|lap| lap.done).max().unwrap_or_default();
        ended.saturating_sub(self.begun)
    }
}

fn is_drive(element: ElementAddress) -> bool {
    (FIRST_DRIVE..FIRST_PORT).contains(&element.0)
}

/// How near to the physical limit a run was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    /// The longer of the two bounds over the time that was taken, warm-up and tail excluded: never more than 1.
    pub(crate) reached: f64,
    /// The arms' bound over the drives'.
    pub(crate) arms_to_drives: f64,
}

impl Run {
    /// What arms and drives were at work for, as it was drawn in this run, within the window between the first tenth and the last fifth
    /// of the jobs' ends. A drive is at work from the motion that brings a medium to the end of the one that takes it out, waits
    /// excluded. Spans that reach over the window's ends count for what lies within, so that no schedule can be above 1.
    pub(crate) fn bound(
        &self,
        plant: &Plant,
        jobs: &[Job],
        cleaner: impl Fn(ElementAddress) -> bool,
    ) -> Bound {
        let mut ends: Vec<Duration> = self.laps.iter().map(|lap| lap.done).collect();
        ends.sort_unstable();
        let window = Span { from: ends[ends.len() / 10], to: ends[ends.len() * 4 / 5] };
        let within = |span: Span| span.to.min(window.to).saturating_sub(span.from.max(window.from));
        let after = |from: Duration, time: Duration| Span { from, to: from + time };
        let mut arm = Duration::ZERO;
        let mut drive = Duration::ZERO;
        for made in self.at_the_arms(plant) {
            arm += within(made.span);
            if is_drive(made.destination) || is_drive(made.source) {
                drive += within(made.span);
            }
            if is_drive(made.destination) {
                let load = if cleaner(made.source) { CLEANING } else { plant.timing.load };
                drive += within(after(made.span.to, load));
            }
        }
        drive += self.unloads.iter().map(|span| within(*span)).sum::<Duration>();
        for (job, lap) in jobs.iter().zip(&self.laps) {
            drive += within(after(lap.ready, job.work));
            // A first load takes longer than others: what it takes more lies before it is ready.
            if let Some(load) = job.load {
                let more = load.saturating_sub(plant.timing.load);
                drive += within(Span { from: lap.ready.saturating_sub(more), to: lap.ready });
            }
        }
        let share = |time: Duration, of: u16| time.as_secs_f64() / f64::from(of);
        let (by_arms, by_drives) = (share(arm, plant.arms), share(drive, plant.drives));
        let taken = window.to.saturating_sub(window.from).as_secs_f64();
        Bound { reached: by_arms.max(by_drives) / taken, arms_to_drives: by_arms / by_drives }
    }

    /// The motions as long as an arm was at work for them. Where the answer waits for the drive, so many are in flight that they wait for the
    /// one arm, too, which serves them in turn.
    fn at_the_arms(&self, plant: &Plant) -> Vec<Move> {
        if plant.timing.fast_load {
            return self.moves.clone();
        }
        assert_eq!(plant.arms, 1, "whose turn it was is known of one arm only");
        let mut moves = self.moves.clone();
        for made in moves.iter_mut().filter(|made| is_drive(made.destination)) {
            made.span.to = made.span.to.saturating_sub(plant.timing.load);
        }
        moves.sort_by_key(|made| made.span.to);
        let mut free = Duration::ZERO;
        for made in &mut moves {
            made.span.from = made.span.from.max(free);
            free = made.span.to;
        }
        moves
    }
}
