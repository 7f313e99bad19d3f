//! How long who waits, when more is asked for than can be done: the lowest priority beside the highest, and what is urgent.

use std::collections::BTreeMap;
use std::time::Duration;

use autochanger_engine::EventKind;
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Outcome, State};
use autochanger_sim::{Library, Timing};
use autochanger_world::dice::Dice;
use autochanger_world::{World, dismount, mount};

use crate::{FIRST_DRIVE, FIRST_SLOT, SEED};

const DRIVES: u16 = 4;
const TAPES: u16 = 400;
/// Enough of each class that its 99th percentile is a figure of its own.
const REQUESTS: usize = 900;
/// A tape is worked on for so long.
const WORK: Duration = Duration::from_secs(120);
/// A mount comes so often: about a tenth more than four drives can serve, each of which takes some 185 s for one (120 of work, 39 to
/// load and to unload, and two moves).
const EVERY: Duration = Duration::from_secs(42);
/// What a point of priority is worth here: all thirty a quarter of an hour, so that ageing shows within the run.
const WORTH: Duration = Duration::from_secs(30);
const CLASSES: [i8; 3] = [-15, 0, 15];

/// One mount: when it was asked for, and when it was served.
struct Wait {
    priority: i8,
    asked: Duration,
    served: Option<Duration>,
}

pub(crate) fn print(broken: &mut Vec<String>) {
    let waits = saturate();
    println!(
        "\nwaits on 1 x 4 with 1.1 times as much as it can do, {} s a point of priority",
        WORTH.as_secs()
    );
    println!("{:>8} {:>8} {:>10} {:>10} {:>10}", "priority", "mounts", "p50", "p99", "max");
    let mut p99 = BTreeMap::new();
    for priority in CLASSES {
        let mut times: Vec<Duration> = waits
            .iter()
            .filter(|wait| wait.priority == priority)
            .filter_map(|wait| Some(wait.served? - wait.asked))
            .collect();
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        let seconds = |time: Duration| format!("{:.0} s", time.as_secs_f64());
        println!(
            "{priority:>8} {:>8} {:>10} {:>10} {:>10}",
            times.len(),
            seconds(at(50)),
            seconds(at(99)),
            seconds(at(100))
        );
        p99.insert(priority, at(99));
    }
    // Thirty points are what lies between the lowest and the highest; a load that has begun is not interrupted.
    let bound = p99[&15] + 30 * WORTH + WORK + Duration::from_secs(120);
    println!("the lowest is bound by what thirty points are worth: {:.0} s", bound.as_secs_f64());
    if p99[&-15] > bound {
        broken.push(format!("priority -15 waits {:?} at its 99th percentile", p99[&-15]));
    }
    if waits.iter().any(|wait| wait.served.is_none()) {
        broken.push("a mount was never served".into());
    }
    let overtaken = urgent();
    println!("an urgent mount behind 100 that wait: {overtaken} loads were begun before its own");
    // One is prepared beforehand, so that the arm need not wait for the disk, and one is under way.
    if overtaken > 2 {
        broken.push(format!("{overtaken} loads were begun before an urgent one"));
    }
}

fn library() -> World {
    let device = Library::new()
        .slots(TAPES + DRIVES)
        .drives(DRIVES)
        .first_drive(FIRST_DRIVE)
        .first_slot(FIRST_SLOT)
        .cartridges("VT{:04}L8", 1..=u32::from(TAPES))
        .timing(Timing::midrange())
        .seed(SEED)
        .build();
    let mut world = World::unwatched(device, |config| config.priority_worth = WORTH);
    world.rest();
    world
}

/// Mounts come evenly, of all classes alike; each is dismounted when its work is done.
fn saturate() -> Vec<Wait> {
    let mut world = library();
    let mut dice = Dice::new(SEED);
    let begun = world.now;
    let mut waits: Vec<Wait> = Vec::new();
    let mut known: BTreeMap<RequestId, usize> = BTreeMap::new();
    let mut at_work: BTreeMap<(Duration, usize), String> = BTreeMap::new();
    let mut told = 0;
    while waits.len() < REQUESTS || waits.iter().any(|wait| wait.served.is_none()) {
        for event in &world.events[told..] {
            let EventKind::Request(request) = &event.kind else { continue };
            let Some(&n) = known.get(&request.id) else { continue };
            if matches!(request.state, State::Passed(Outcome::Mounted { .. })) {
                waits[n].served = Some(world.now);
                let label = request.barcode.as_deref().unwrap_or_default();
                at_work.insert((world.now + WORK, n), label.to_owned());
            }
        }
        told = world.events.len();
        let comes = (waits.len() < REQUESTS).then(|| begun + EVERY * waits.len() as u32);
        let leaves = at_work.first_key_value().map(|((at, _), _)| *at);
        let own = comes.into_iter().chain(leaves).min();
        match (own, world.next_event()) {
            (Some(at), next) if next.is_none_or(|next| at <= next) => {
                world.wait_until(at);
                if leaves == Some(at)
                    && let Some((_, label)) = at_work.pop_first()
                {
                    world.submit(dismount(&label)).expect("a dismount is accepted");
                    continue;
                }
                let label = format!("VT{:04}L8", 1 + waits.len() % usize::from(TAPES));
                let priority = CLASSES[dice.roll(3) as usize];
                let caller = world.caller();
                let id = world
                    .submit_as(caller, mount(&label), |submission| submission.priority = priority)
                    .expect("a mount is accepted");
                known.insert(id, waits.len());
                waits.push(Wait { priority, asked: world.now, served: None });
            }
            (_, Some(_)) => {
                world.step();
            }
            _ => break,
        }
    }
    waits
}

/// How many loads are begun between an urgent mount's arrival and its own.
fn urgent() -> u64 {
    let mut world = library();
    let labels: Vec<String> = (1..=100).map(|n| format!("VT{n:04}L8")).collect();
    for label in &labels {
        world.mount(label);
    }
    world.rest();
    let caller = world.caller();
    let urgent = world
        .submit_as(caller, mount("VT0400L8"), |submission| submission.priority = 15)
        .expect("a mount is accepted");
    let before = world.device.moves_sent();
    for label in &labels[..usize::from(DRIVES)] {
        world.submit(dismount(label)).expect("a dismount is accepted");
    }
    while world.engine.view().request(urgent).is_some_and(|request| request.motions == 0) && world.step() {}
    // Each load goes with the dismount before it.
    (world.device.moves_sent() - before) / 2
}
