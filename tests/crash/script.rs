//! What a manager would hand to its store: requests that come, are carried out step by step, several at once, and are
//! purged. A seed tells which.

use autochanger::catalog::MotionState;
use autochanger::change::Change;
use autochanger::request::{CancelledBy, Place, Request, State};
use autochanger::store::{Purge, Store, StoreError};

use crate::power::Dice;
use crate::samples;

/// One call to a store.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Commit(Vec<Change>),
    Purge(Purge),
    /// Closed in order, and opened again.
    Reopen,
}

impl Step {
    /// Carries it out on a store; closing is somebody else's.
    pub(crate) fn run(&self, store: &mut dyn Store) -> Result<(), StoreError> {
        match self {
            Self::Commit(batch) => store.commit(batch),
            Self::Purge(purge) => store.purge(purge).map(drop),
            Self::Reopen => Ok(()),
        }
    }
}

const CARTRIDGES: u64 = 6;
const FIRST_SLOT: u16 = 1000;
const FIRST_DRIVE: u16 = 500;

/// So many ended requests are kept at a purge.
const KEPT: u64 = 12;

/// So many requests come in a crowd: more than a page of the file holds, so that its trees grow and shrink.
const CROWD: u64 = 40;

/// How far a cartridge is on its way to its drive and back. Each has a drive of its own.
#[derive(Clone, Copy)]
enum Stage {
    Resting,
    Asked(u64),
    Moving(u64),
    Arrived(u64),
    Mounted(u64),
    AskedBack(u64, u64),
    MovingBack(u64, u64),
}

/// So many calls.
pub(crate) fn script(seed: u64, calls: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let mut stages = [Stage::Resting; CARTRIDGES as usize];
    let mut requests = 0;
    let first = (0..CARTRIDGES).map(|n| placed(n, samples::slot(FIRST_SLOT + n as u16)));
    let library = Change::Library(samples::library(1));
    let mut steps = vec![Step::Commit(first.chain([library]).collect())];
    while steps.len() < calls {
        steps.push(match dice.below(16) {
            0 => Step::Reopen,
            1 | 2 => Step::Purge(Purge::KeepNewest(KEPT)),
            3 => Step::Commit(crowd(&mut requests)),
            _ => {
                let group = 1 + dice.below(4);
                Step::Commit(
                    (0..group).flat_map(|_| advance(&mut dice, &mut stages, &mut requests)).collect(),
                )
            }
        });
    }
    steps
}

/// One cartridge goes on by one transaction of the engine.
fn advance(dice: &mut Dice, stages: &mut [Stage], requests: &mut u64) -> Vec<Change> {
    let which = dice.below(stages.len());
    let n = which as u64;
    let (slot, drive) = (samples::slot(FIRST_SLOT + n as u16), samples::drive(FIRST_DRIVE + n as u16));
    let mut next = || {
        *requests += 1;
        *requests
    };
    let (stage, changes) = match stages[which] {
        Stage::Resting => {
            let id = next();
            (Stage::Asked(id), vec![mount(id, n, State::Queued)])
        }
        Stage::Asked(id) => {
            (Stage::Moving(id), vec![moving(id, n, MotionState::Open), mount(id, n, State::InProcess)])
        }
        Stage::Moving(id) if dice.below(4) == 0 => {
            let end = State::Failed(samples::failure());
            (Stage::Resting, vec![moving(id, n, MotionState::NotMoved), mount(id, n, end)])
        }
        Stage::Moving(id) => (Stage::Arrived(id), vec![moving(id, n, MotionState::Moved), placed(n, drive)]),
        Stage::Arrived(id) => {
            let mut held = samples::mount(id);
            held.cartridge = samples::cartridge_id(n);
            held.drive = drive.address;
            (Stage::Mounted(id), vec![mount(id, n, samples::mounted()), Change::Mount(held)])
        }
        Stage::Mounted(mounted) => {
            let id = next();
            (Stage::AskedBack(id, mounted), vec![dismount(id, n, State::Queued)])
        }
        Stage::AskedBack(id, mounted) => (
            Stage::MovingBack(id, mounted),
            vec![moving(id, n, MotionState::Open), dismount(id, n, State::InProcess)],
        ),
        Stage::MovingBack(id, mounted) => {
            let end = State::Passed(autochanger::Outcome::Dismounted { slot: slot.address });
            let gone = Change::MountEnded(samples::request_id(mounted));
            let changes =
                vec![moving(id, n, MotionState::Moved), placed(n, slot), gone, dismount(id, n, end)];
            (Stage::Resting, changes)
        }
    };
    stages[which] = stage;
    changes
}

/// Many that are accepted and cancelled.
fn crowd(requests: &mut u64) -> Vec<Change> {
    let mut changes = Vec::new();
    for _ in 0..CROWD {
        *requests += 1;
        changes.push(mount(*requests, 0, State::Queued));
        changes.push(mount(*requests, 0, State::Cancelled { by: CancelledBy::SessionClosed }));
    }
    changes
}

fn placed(n: u64, element: autochanger::request::ElementName) -> Change {
    Change::Cartridge(samples::cartridge(n, Place::Element(element)))
}

fn moving(request: u64, n: u64, state: MotionState) -> Change {
    let mut motion = samples::motion(request, 1, state);
    motion.cartridge = samples::cartridge_id(n);
    Change::Motion(motion)
}

fn mount(id: u64, n: u64, state: State) -> Change {
    Change::Request(of_cartridge(samples::mount_request(id, state), id, n))
}

fn dismount(id: u64, n: u64, state: State) -> Change {
    Change::Request(of_cartridge(samples::dismount_request(id, state), id, n))
}

fn of_cartridge(mut request: Request, id: u64, n: u64) -> Request {
    request.cartridge = Some(samples::cartridge_id(n));
    // The ends are in the order of the ids, as a clock makes them.
    request.ended_at = request.ended_at.map(|at| autochanger::clock::WallTime(at.0 + id));
    request
}
