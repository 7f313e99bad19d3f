//! How near to the physical limit libraries are run, in virtual time with fixed seeds: `cargo bench --bench schedule`. With
//! `-- --quick` four libraries and fewer loads, in seconds; that is what the tests run.
//!
//! A line for each library and workload: how much of the bound was reached (the longer of arm time over arms and drive time
//! over drives, from the times that were drawn, warm-up and tail excluded), and how many times as long the same jobs take by
//! the two policies that others run. What libraries and workloads are, and where their figures come from: `profiles.rs`. Then how
//! long requests of the lowest priority wait when there is more to do than can be done, and how soon an urgent one is served.
//!
//! What is promised is asserted: the bench ends with an error where a row does not hold.

#[path = "schedule/fairness.rs"]
mod fairness;
#[path = "schedule/ours.rs"]
mod ours;
#[path = "schedule/peers.rs"]
mod peers;
mod profiles;
#[path = "schedule/run.rs"]
mod run;
#[path = "schedule/supply.rs"]
mod supply;

use std::process::ExitCode;

use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library};

use peers::Policy;
use profiles::{Job, Plant, Workload, plants};
use run::Run;
use supply::Supply;

/// The seed of every draw.
const SEED: u64 = 20_261_124;

pub(crate) const FIRST_DRIVE: u16 = 500;
pub(crate) const FIRST_PORT: u16 = 900;
pub(crate) const FIRST_SLOT: u16 = 1000;

/// At least so much of the bound is reached where one of the two clearly is the limit.
const REACHED: f64 = 0.95;
/// That is where they differ by this factor.
const CLEARLY: f64 = 1.25;
/// No policy is faster by more than this share: which job is the last one is luck, and a drive is asked once in some seconds whether it
/// is ready.
const LUCK: f64 = 0.005;

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let mut broken = Vec::new();
    println!(
        "{:17} {:18} {:>6} {:>9} {:>10} {:>9} {:>9} {:>10}",
        "library", "workload", "loads", "of bound", "arm:drive", "x serial", "x FIFO", "cmds/load"
    );
    for plant in plants(quick) {
        for workload in Workload::of(&plant) {
            line(&Trial::new(&plant, *workload), &mut broken);
        }
    }
    fairness::print(&mut broken);
    for what in &broken {
        eprintln!("not as promised: {what}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One library and what is asked of it.
pub(crate) struct Trial<'a> {
    pub(crate) plant: &'a Plant,
    pub(crate) workload: Workload,
    pub(crate) jobs: &'a [Job],
    pub(crate) cleanings: Vec<u32>,
}

impl<'a> Trial<'a> {
    fn new(plant: &'a Plant, workload: Workload) -> Self {
        let jobs = workload.jobs(plant, SEED).leak();
        Self { plant, workload, jobs, cleanings: workload.cleanings(plant, SEED) }
    }

    /// Cartridges come by the ports.
    pub(crate) fn floods(&self) -> bool {
        self.workload == Workload::ImportFlood
    }

    /// Media are dismounted when their drive is needed.
    pub(crate) fn defers(&self) -> bool {
        self.workload == Workload::SkewedReuse
    }

    pub(crate) fn library(&self) -> Device {
        let Self { plant, workload, jobs, .. } = self;
        let tapes = workload.tapes(plant);
        let mut library = Library::new()
            .slots(tapes as u16 + plant.drives + plant.cleaners())
            .drives(plant.drives)
            .ports(plant.ports())
            .arms(plant.arms)
            .first_drive(FIRST_DRIVE)
            .first_port(FIRST_PORT)
            .first_slot(FIRST_SLOT)
            .drive_product("AUTOCHGR", plant.drive)
            .timing(plant.timing.clone())
            .seed(SEED);
        if !self.floods() {
            library = library.cartridges(&format!("VT{{:04}}{}", plant.media), 1..=tapes);
        }
        if !self.cleanings.is_empty() {
            for n in 0..plant.cleaners() {
                library = library.cleaning_cartridge(&cleaner(n));
            }
        }
        let mut device = library.build();
        for job in *jobs {
            if let Some(load) = job.load {
                assert!(device.next_load_takes(&plant.label(job.tape), load), "tape {} is there", job.tape);
            }
        }
        device
    }

    pub(crate) fn cleaner_homes(&self, device: &Device) -> Vec<ElementAddress> {
        if self.cleanings.is_empty() {
            return Vec::new();
        }
        (0..self.plant.cleaners()).map(|n| device.find(&cleaner(n)).expect("it is there")).collect()
    }

    /// The slots of a library that is flooded: it has no cartridge yet.
    pub(crate) fn empty_slots(&self) -> impl Iterator<Item = ElementAddress> {
        (FIRST_SLOT..).take(self.jobs.len()).map(ElementAddress)
    }

    pub(crate) fn supply(&self) -> Supply<'a> {
        Supply::new(self.plant, self.jobs.len())
    }
}

fn cleaner(n: u16) -> String {
    format!("CLN{n:03}L8")
}

fn line(trial: &Trial<'_>, broken: &mut Vec<String>) {
    let Trial { plant, workload, jobs, .. } = trial;
    let ours = ours::run(trial);
    let peers = [Policy::Serial, Policy::Fifo].map(|policy| peers::run(trial, policy));
    let homes = trial.cleaner_homes(&trial.library());
    let bound = ours.bound(plant, jobs, |element| homes.contains(&element));
    let times = |peer: &Run| peer.makespan().as_secs_f64() / ours.makespan().as_secs_f64();
    let loads = if trial.floods() { ours.imported() } else { ours.loads_made() };
    let commands = ours.changer_commands as f64 / loads as f64;
    println!(
        "{:17} {:18} {:>6} {:>8.1}% {:>10.2} {:>9.2} {:>9.2} {:>10.2}",
        plant.name,
        workload.name(),
        loads,
        100.0 * bound.reached,
        bound.arms_to_drives,
        times(&peers[0]),
        times(&peers[1]),
        commands,
    );
    let mut object = |what: String| broken.push(format!("{}, {}: {what}", plant.name, workload.name()));
    let clearly = bound.arms_to_drives >= CLEARLY || bound.arms_to_drives <= 1.0 / CLEARLY;
    if clearly && bound.reached < REACHED {
        object(format!("{:.1} % of the bound", 100.0 * bound.reached));
    }
    for (name, peer) in ["one after the other", "FIFO"].into_iter().zip(&peers) {
        if times(peer) < 1.0 - LUCK {
            object(format!("{:?}, and {:?} with {name}", ours.makespan(), peer.makespan()));
        }
    }
    if !trial.floods() && ours.changer_commands > 2 * loads as u64 {
        object(format!("{commands:.2} commands to the changer for each load"));
    }
}
