//! The engine's own scheduling: every job is handed in at the start, and dismounted when its work is done.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Outcome, State};
use autochanger_sim::Device;
use autochanger_world::{World, dismount, inject, mount};

use crate::Trial;
use crate::profiles::Plant;
use crate::run::Run;

/// A world with the library, ready to be asked.
pub(crate) fn world(plant: &Plant, device: Device, live: usize) -> World {
    let mut world = World::unwatched(device, |config| {
        config.max_live_requests = live;
        config.libraries[0].moves_in_flight = plant.moves as u8;
    });
    world.rest();
    world
}

pub(crate) fn run(trial: &Trial<'_>) -> Run {
    let Trial { plant, jobs, .. } = trial;
    let mut world = world(plant, trial.library(), 4 * jobs.len() + 64);
    let mut run = Run::new(jobs.len(), plant, &trial.cleanings);
    run.harvest(&mut world.device);
    run.changer_commands = 0;
    run.begun = world.now;
    if trial.floods() {
        import(trial, &mut world, &mut run);
        return run;
    }
    let mut mounts: BTreeMap<RequestId, usize> = BTreeMap::new();
    for (n, job) in jobs.iter().enumerate() {
        let id = world.submit(mount(&plant.label(job.tape))).expect("a mount is accepted");
        mounts.insert(id, n);
    }
    let mut takes_out: BTreeMap<RequestId, usize> = BTreeMap::new();
    let mut at_work: BinaryHeap<Reverse<(Duration, usize)>> = BinaryHeap::new();
    let mut told = 0;
    let mut left = jobs.len();
    while left > 0 {
        while let Some(event) = world.events.get(told) {
            told += 1;
            let EventKind::Request(request) = &event.kind else { continue };
            let at = world.now;
            match &request.state {
                State::Passed(Outcome::Mounted { .. }) => {
                    let n = mounts[&request.id];
                    run.laps[n].ready = at;
                    at_work.push(Reverse((at + jobs[n].work, n)));
                }
                // What is put off is out of the job's way.
                State::Passed(Outcome::Dismounted { .. } | Outcome::KeptInDrive { .. }) | State::Deferred => {
                    if let Some(n) = takes_out.remove(&request.id) {
                        run.laps[n].done = at;
                        left -= 1;
                    }
                }
                State::Failed(failure) => panic!("{failure}"),
                _ => {}
            }
        }
        let due = at_work.peek().map(|Reverse((at, _))| *at);
        match (due, world.next_event()) {
            (Some(due), next) if next.is_none_or(|next| due <= next) => {
                world.wait_until(due);
                let Some(Reverse((_, n))) = at_work.pop() else { continue };
                let caller = world.caller();
                let id = world
                    .submit_as(caller, dismount(&plant.label(jobs[n].tape)), |submission| {
                        submission.options.deferred = trial.defers();
                    })
                    .expect("a dismount is accepted");
                takes_out.insert(id, n);
            }
            (_, Some(_)) => {
                world.step();
            }
            (None, None) if told == world.events.len() && left > 0 => panic!("{left} jobs never end"),
            _ => {}
        }
        run.harvest(&mut world.device);
    }
    run
}

/// A person fills each port as soon as it is empty. Requests for many each take in up to 1,024 cartridges, and one more than the
/// jobs need is always there.
fn import(trial: &Trial<'_>, world: &mut World, run: &mut Run) {
    let mut supply = trial.supply();
    supply.fill(&mut world.device);
    for _ in 0..=trial.jobs.len().div_ceil(1024) {
        world.submit(inject(true)).expect("an inject is accepted");
    }
    while run.imported() < trial.jobs.len() {
        supply.fill(&mut world.device);
        assert!(world.step(), "{} of {} were taken in", run.imported(), trial.jobs.len());
        run.harvest(&mut world.device);
    }
}
