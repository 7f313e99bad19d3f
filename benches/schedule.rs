//! How near to the physical limit libraries are run, in virtual time with fixed seeds: `cargo bench --bench schedule`.
//!
//! A line for each library and workload: how much of the bound was reached (the longer of arm time over arms and drive time
//! over drives, from the times that were drawn, warm-up and tail excluded), and how many times as long the same jobs take by
//! the two policies that others run. What libraries and workloads are, and where their figures come from: `profiles.rs`.

#[path = "schedule/ours.rs"]
mod ours;
#[path = "schedule/peers.rs"]
mod peers;
mod profiles;
#[path = "schedule/run.rs"]
mod run;

use autochanger_sim::{Device, Library};

use ours::Dismounts;
use peers::Policy;
use profiles::{Job, Plant, Workload, plants};

/// The seed of every draw.
const SEED: u64 = 20_261_124;

fn main() {
    println!(
        "{:16} {:18} {:>6} {:>9} {:>10} {:>9} {:>9} {:>12}",
        "library", "workload", "loads", "of bound", "arm:drive", "x serial", "x FIFO", "cmds/load"
    );
    for plant in plants() {
        for workload in Workload::ALL {
            line(&plant, workload);
        }
    }
}

fn line(plant: &Plant, workload: Workload) {
    let jobs = workload.jobs(plant, SEED);
    let dismounts = match workload {
        Workload::SkewedReuse => Dismounts::Deferred,
        _ => Dismounts::Immediate,
    };
    let ours = ours::run(plant, library(plant, workload, &jobs), &jobs, dismounts);
    let serial = peers::run(plant, library(plant, workload, &jobs), &jobs, Policy::Serial);
    let fifo = peers::run(plant, library(plant, workload, &jobs), &jobs, Policy::Fifo);
    let bound = ours.bound(plant, &jobs);
    let times = |peer: &run::Run| peer.makespan().as_secs_f64() / ours.makespan().as_secs_f64();
    let loads = ours.moves.len() as f64 / 2.0;
    println!(
        "{:16} {:18} {:>6} {:>8.1}% {:>10.2} {:>9.2} {:>9.2} {:>12.2}{}",
        plant.name,
        workload.name(),
        loads,
        100.0 * bound.reached,
        bound.arms_to_drives,
        times(&serial),
        times(&fifo),
        ours.changer_commands as f64 / loads,
        if bound.hottest { "  (bound by its most wanted tape)" } else { "" },
    );
}

fn library(plant: &Plant, workload: Workload, jobs: &[Job]) -> Device {
    let tapes = workload.tapes(plant);
    let mut device = Library::new()
        .slots(tapes as u16 + plant.drives)
        .drives(plant.drives)
        .arms(plant.arms)
        .first_drive(500)
        .first_slot(1000)
        .cartridges("VT{:04}L8", 1..=tapes)
        .timing(plant.timing.clone())
        .seed(SEED)
        .build();
    for job in jobs {
        if let Some(load) = job.load {
            assert!(device.next_load_takes(&ours::label(job.tape), load), "tape {} is there", job.tape);
        }
    }
    device
}
