//! The engine's own scheduling: every job is handed in at the start, and dismounted when its work is done.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Outcome, State, Wanted};
use autochanger_sim::Device;
use autochanger_world::{World, dismount, mount};

use crate::profiles::{Job, Plant};
use crate::run::Run;

/// How dismounts are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismounts {
    Immediate,
    Deferred,
}

pub(crate) fn run(plant: &Plant, device: Device, jobs: &[Job], dismounts: Dismounts) -> Run {
    let mut world = World::with(device, |config| {
        config.max_live_requests = 2 * jobs.len();
        config.libraries[0].moves_in_flight = plant.arms as u8;
    });
    world.rest();
    world.tape.off = true;
    let mut run = Run::new(jobs.len());
    run.harvest(&world.device);
    run.changer_commands = 0;
    let mut mounts: BTreeMap<RequestId, usize> = BTreeMap::new();
    for (n, job) in jobs.iter().enumerate() {
        let id = world.submit(mount(&label(job.tape))).expect("a mount is accepted");
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
                let wanted: Wanted = dismount(&label(jobs[n].tape));
                let caller = world.caller();
                let id = world
                    .submit_as(caller, wanted, |submission| {
                        submission.options.deferred = dismounts == Dismounts::Deferred;
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
        run.harvest(&world.device);
    }
    run
}

pub(crate) fn label(tape: u32) -> String {
    format!("VT{tape:04}L8")
}
