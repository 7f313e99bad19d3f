//! What others do with the same library and the same jobs, with no fault of their own: no lost time between two commands, no
//! re-read of the inventory, readiness seen within a second.
//!
//! - **Serial, wait for ready** (Bareos' changer lock, a daemon of CASTOR's kind): one operation at a time, however many arms there
//!   are; a mount holds the robot until the drive is ready, a dismount while the drive rewinds and unloads.
//! - **FIFO with overlap**: drives load and unload while the arm is elsewhere; the arms serve what is ready in the order in
//!   which it became so.
//!
//! Both clean a drive that asks for it when it has let go of its medium, and take in what a person puts into the ports.

use std::collections::VecDeque;
use std::time::Duration;

use autochanger_scsi::{ElementAddress, LoadUnload, MoveMedium, Status, TestUnitReady};
use autochanger_sim::{Device, Key, Outcome};

use crate::profiles::{CLEANING, Job};
use crate::run::Run;
use crate::{FIRST_DRIVE, Trial};

const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Serial,
    Fifo,
}

/// What a drive is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drive {
    Free,
    /// Its medium waits for an arm, or is on its way.
    Coming(usize),
    /// The next look is due then.
    Loading(usize, Duration),
    Working(usize, Duration),
    Unloading(usize),
    /// Unloaded: waits for an arm, or is being emptied.
    Leaving(usize),
    /// It is to be cleaned, and waits for a cleaning cartridge.
    Dirty,
    /// The same waits for an arm, or is on its way.
    Fetching(usize),
    Cleaning(usize, Duration),
    /// Cleaned: the cleaning cartridge waits for an arm, or goes home.
    Cleaned(usize),
}

struct Peer<'a> {
    policy: Policy,
    /// Moves that are sent before one of them is answered.
    arms: usize,
    jobs: &'a [Job],
    device: Device,
    now: Duration,
    drives: Vec<Drive>,
    homes: Vec<ElementAddress>,
    /// Where the cleaning cartridges are at home, and which are free.
    cleaners: Vec<ElementAddress>,
    free_cleaners: Vec<usize>,
    /// Drives that have asked to be cleaned and were not yet.
    asked: Vec<bool>,
    /// Drives that wait for the robot, in order.
    line: VecDeque<usize>,
    moves: Vec<(Key, usize)>,
    unloads: Vec<(Key, usize)>,
    /// The drive for which the one robot is kept, when everything is serial.
    lock: Option<usize>,
    next_job: VecDeque<usize>,
    run: Run,
}

pub(crate) fn run(trial: &Trial<'_>, policy: Policy) -> Run {
    let Trial { plant, jobs, .. } = *trial;
    let device = trial.library();
    let cleaners = trial.cleaner_homes(&device);
    let homes = match trial.floods() {
        true => Vec::new(),
        false => jobs.iter().map(|job| device.find(&plant.label(job.tape)).expect("it is there")).collect(),
    };
    let mut peer = Peer {
        policy,
        arms: if policy == Policy::Serial { 1 } else { usize::from(plant.moves) },
        jobs,
        device,
        now: Duration::ZERO,
        drives: vec![Drive::Free; usize::from(plant.drives)],
        homes,
        free_cleaners: (0..cleaners.len()).collect(),
        cleaners,
        asked: vec![false; usize::from(plant.drives)],
        line: VecDeque::new(),
        moves: Vec::new(),
        unloads: Vec::new(),
        lock: None,
        next_job: (0..jobs.len()).collect(),
        run: Run::new(jobs.len(), plant, &trial.cleanings),
    };
    assert!(peer.ask_ready(None), "the library is ready");
    if trial.floods() {
        peer.import(trial);
        return peer.run;
    }
    while peer.run.laps.iter().any(|lap| lap.done.is_zero()) {
        while peer.turn() {}
        peer.wait();
    }
    peer.run
}

impl Peer<'_> {
    /// Does one thing that can be done now.
    fn turn(&mut self) -> bool {
        let free = self.drives.iter().position(|drive| *drive == Drive::Free);
        if let Some((drive, job)) = free.and_then(|drive| Some((drive, self.take_job()?))) {
            self.drives[drive] = Drive::Coming(job);
            self.line.push_back(drive);
            return true;
        }
        for drive in 0..self.drives.len() {
            match self.drives[drive] {
                Drive::Loading(job, look) if look <= self.now => {
                    if self.ask_ready(Some(drive)) {
                        self.run.laps[job].ready = self.now;
                        self.drives[drive] = Drive::Working(job, self.now + self.jobs[job].work);
                        self.lock.take_if(|locked| *locked == drive);
                    } else {
                        self.drives[drive] = Drive::Loading(job, self.now + LOOK);
                    }
                    return true;
                }
                Drive::Working(job, until) if until <= self.now => {
                    self.drives[drive] = Drive::Unloading(job);
                    match self.policy {
                        Policy::Fifo => self.unload(drive),
                        // It unloads when it has the robot.
                        Policy::Serial => self.line.push_back(drive),
                    }
                    return true;
                }
                Drive::Dirty if !self.free_cleaners.is_empty() => {
                    let cleaner = self.free_cleaners.remove(0);
                    self.drives[drive] = Drive::Fetching(cleaner);
                    self.line.push_back(drive);
                    return true;
                }
                Drive::Cleaning(cleaner, until) if until <= self.now => {
                    self.drives[drive] = Drive::Cleaned(cleaner);
                    match self.policy {
                        Policy::Fifo => self.line.push_back(drive),
                        Policy::Serial => self.move_for(drive),
                    }
                    return true;
                }
                _ => {}
            }
        }
        if self.moves.len() < self.arms
            && self.lock.is_none()
            && let Some(drive) = self.line.pop_front()
        {
            if self.policy == Policy::Serial {
                self.lock = Some(drive);
            }
            match self.drives[drive] {
                Drive::Unloading(_) => self.unload(drive),
                _ => self.move_for(drive),
            }
            return true;
        }
        false
    }

    /// The next job whose medium nobody has.
    fn take_job(&mut self) -> Option<usize> {
        let busy = |tape: u32| {
            self.drives.iter().any(|drive| match drive {
                Drive::Free | Drive::Dirty | Drive::Fetching(_) | Drive::Cleaning(..) | Drive::Cleaned(_) => {
                    false
                }
                Drive::Coming(job) | Drive::Loading(job, _) | Drive::Working(job, _) => {
                    self.jobs[*job].tape == tape
                }
                Drive::Unloading(job) | Drive::Leaving(job) => self.jobs[*job].tape == tape,
            })
        };
        let at = self.next_job.iter().position(|job| !busy(self.jobs[*job].tape))?;
        self.next_job.remove(at)
    }

    fn send(&mut self, lun: u16, cdb: &[u8]) -> Key {
        self.device.submit(self.now, lun, cdb, &[], 0)
    }

    /// Whether a drive, or the changer, is ready.
    fn ask_ready(&mut self, drive: Option<usize>) -> bool {
        // Unit attentions come first: of the power-on, of the load.
        (0..4).any(|_| {
            let lun = drive.map_or(0, |drive| drive as u16 + 1);
            let key = self.send(lun, TestUnitReady {}.cdb().as_bytes());
            matches!(self.device.take(key), Some(Outcome::Answered(answer)) if answer.status == Status::Good)
        })
    }

    fn unload(&mut self, drive: usize) {
        let cdb =
            LoadUnload { immediate: false, load: false, retension: false, end_of_tape: false, hold: false };
        let key = self.send(drive as u16 + 1, cdb.cdb().as_bytes());
        self.unloads.push((key, drive));
    }

    fn move_for(&mut self, drive: usize) {
        let element = ElementAddress(FIRST_DRIVE + drive as u16);
        let (source, destination) = match self.drives[drive] {
            Drive::Coming(job) => (self.homes[job], element),
            Drive::Leaving(job) => (element, self.homes[job]),
            Drive::Fetching(cleaner) => (self.cleaners[cleaner], element),
            Drive::Cleaned(cleaner) => (element, self.cleaners[cleaner]),
            other => unreachable!("{other:?} waits for no arm"),
        };
        let key = self.send_move(source, destination);
        self.moves.push((key, drive));
    }

    fn send_move(&mut self, source: ElementAddress, destination: ElementAddress) -> Key {
        let command = MoveMedium { transport: ElementAddress(0), source, destination, invert: false };
        self.send(0, command.cdb().as_bytes())
    }

    /// Each port that is full is emptied into the next empty slot, as many at once as there are arms.
    fn import(&mut self, trial: &Trial<'_>) {
        let mut supply = trial.supply();
        let mut slots = trial.empty_slots();
        let mut full: VecDeque<ElementAddress> = VecDeque::new();
        let mut moving: Vec<Key> = Vec::new();
        while self.run.imported() < self.jobs.len() {
            full.extend(supply.fill(&mut self.device));
            // The attentions that its hands have caused.
            self.ask_ready(None);
            while moving.len() < self.arms
                && let Some(port) = full.pop_front()
            {
                let slot = slots.next().expect("a slot for each");
                moving.push(self.send_move(port, slot));
            }
            self.now = self.device.next_event().expect("something moves");
            for (key, outcome) in self.device.advance(self.now) {
                let good = matches!(&outcome, Outcome::Answered(answer) if answer.status == Status::Good);
                assert!(good || !moving.contains(&key), "{outcome:?}");
                moving.retain(|moved| *moved != key);
            }
            self.run.harvest(&mut self.device);
        }
    }

    /// Time goes on to what happens next.
    fn wait(&mut self) {
        let own = self.drives.iter().filter_map(|drive| match drive {
            Drive::Loading(_, at) | Drive::Working(_, at) | Drive::Cleaning(_, at) => Some(*at),
            _ => None,
        });
        let at_once = self.device.has_finished().then_some(self.now);
        let next = own.chain(self.device.next_event()).chain(at_once).min().expect("something happens");
        self.now = self.now.max(next);
        for (key, outcome) in self.device.advance(self.now) {
            let good = matches!(&outcome, Outcome::Answered(answer) if answer.status == Status::Good);
            if let Some(at) = self.moves.iter().position(|(sent, _)| *sent == key) {
                assert!(good, "{outcome:?}");
                let (_, drive) = self.moves.swap_remove(at);
                self.moved(drive);
            } else if let Some(at) = self.unloads.iter().position(|(sent, _)| *sent == key) {
                let (_, drive) = self.unloads.swap_remove(at);
                let Drive::Unloading(job) = self.drives[drive] else { continue };
                self.drives[drive] = Drive::Leaving(job);
                match self.policy {
                    Policy::Fifo => self.line.push_back(drive),
                    Policy::Serial => self.move_for(drive),
                }
            }
        }
        for drive in self.run.harvest(&mut self.device) {
            self.asked[drive] = true;
        }
    }

    fn moved(&mut self, drive: usize) {
        self.drives[drive] = match self.drives[drive] {
            Drive::Coming(job) => Drive::Loading(job, self.now + LOOK),
            Drive::Leaving(job) => {
                self.run.laps[job].done = self.now;
                self.lock.take_if(|locked| *locked == drive);
                if std::mem::take(&mut self.asked[drive]) { Drive::Dirty } else { Drive::Free }
            }
            Drive::Fetching(cleaner) => Drive::Cleaning(cleaner, self.now + CLEANING),
            Drive::Cleaned(cleaner) => {
                self.free_cleaners.push(cleaner);
                self.lock.take_if(|locked| *locked == drive);
                Drive::Free
            }
            other => other,
        };
    }
}
