//! What a manager would hand to its store: requests that come, are carried out step by step, several at once, and are
//! purged. A seed tells which.

use autochanger::catalog::{Label, MotionState, Service};
use autochanger::change::Change;
use autochanger::request::{
    CancelledBy, CartridgeRef, ElementName, Outcome, Place, Request, ServiceTarget, State, Wanted,
};
use autochanger::scsi::{ElementAddress, ElementType};
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
const FIRST_PORT: u16 = 10;

/// So many ended requests are kept at a purge.
const KEPT: u64 = 12;

/// So many requests come in a crowd: more than a page of the file holds, so that its trees grow and shrink.
const CROWD: u64 = 40;

/// How far a cartridge is on its way to its drive and back, or out and in. Each has a drive and a port of its own.
#[derive(Clone, Copy)]
enum Stage {
    Resting,
    Asked(u64),
    Moving(u64),
    Arrived(u64),
    Mounted(u64),
    AskedBack(u64, u64),
    MovingBack(u64, u64),
    Leaving(u64),
    InPort,
    Outside,
    Entering(u64),
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
    let (slot, drive) = (samples::slot(FIRST_SLOT + n as u16), drive_name(n));
    let port = port_name(n);
    let mut next = || {
        *requests += 1;
        *requests
    };
    let (stage, changes) = match stages[which] {
        Stage::Resting if dice.below(4) == 0 => {
            let id = next();
            (Stage::Resting, at_once(dice, id, n, slot))
        }
        Stage::Resting if dice.below(4) == 0 => {
            let id = next();
            (Stage::Leaving(id), vec![eject(id, n, State::InProcess), moving(id, n, MotionState::Open)])
        }
        Stage::Resting => {
            let id = next();
            (Stage::Asked(id), vec![mount(id, n, State::Queued)])
        }
        Stage::Asked(id) => {
            (Stage::Moving(id), vec![moving(id, n, MotionState::Open), mount(id, n, State::InProcess)])
        }
        Stage::Moving(id) if dice.below(4) == 0 => {
            let end = State::Failed(samples::failure());
            let mut fault = samples::fault(id, 1, id);
            fault.cartridge = Some(samples::cartridge_id(n));
            fault.drive = Some(drive.address);
            let blamed = drive_of(n, Service::Enabled, id);
            let changes =
                vec![moving(id, n, MotionState::NotMoved), Change::Fault(fault), blamed, mount(id, n, end)];
            (Stage::Resting, changes)
        }
        Stage::Moving(id) => (Stage::Arrived(id), vec![moving(id, n, MotionState::Moved), placed(n, drive)]),
        Stage::Arrived(id) => {
            let mut held = samples::mount(id);
            held.cartridge = samples::cartridge_id(n);
            held.drive = drive.address;
            let used = drive_of(n, Service::Enabled, id);
            (Stage::Mounted(id), vec![mount(id, n, samples::mounted()), Change::Mount(held), used])
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
            let end = State::Passed(Outcome::Dismounted { slot: slot.address });
            let gone = Change::MountEnded(samples::request_id(mounted));
            let changes =
                vec![moving(id, n, MotionState::Moved), placed(n, slot), gone, dismount(id, n, end)];
            (Stage::Resting, changes)
        }
        Stage::Leaving(id) => {
            let end = State::Passed(Outcome::Ejected { port: port.address });
            (Stage::InPort, vec![moving(id, n, MotionState::Moved), placed(n, port), eject(id, n, end)])
        }
        Stage::InPort => {
            let gone = samples::cartridge(n, Place::Outside { last: port });
            (Stage::Outside, vec![Change::Cartridge(gone)])
        }
        Stage::Outside => {
            let id = next();
            let seen = placed(n, port);
            let changes = vec![inject(id, n, State::InProcess), seen, moving(id, n, MotionState::Open)];
            (Stage::Entering(id), changes)
        }
        Stage::Entering(id) => {
            let end = State::Passed(Outcome::Injected { cartridges: vec![samples::cartridge_id(n)] });
            (Stage::Resting, vec![moving(id, n, MotionState::Moved), placed(n, slot), inject(id, n, end)])
        }
    };
    stages[which] = stage;
    changes
}

/// What is accepted and has passed in one transaction: another service of the drive, or a label that was written.
fn at_once(dice: &mut Dice, id: u64, n: u64, slot: ElementName) -> Vec<Change> {
    let services = [Service::Paused, Service::Draining, Service::Disabled, Service::Enabled];
    let (wanted, change) = if dice.below(2) == 0 {
        let service = services[dice.below(services.len())];
        let target = ServiceTarget::Drive { library: None, drive: drive_name(n).address };
        (Wanted::SetService { target, service }, drive_of(n, service, id))
    } else {
        let label = Label { description: format!("written by request {id}").into(), ..samples::label() };
        let mut labelled = samples::cartridge(n, Place::Element(slot));
        labelled.label = Some(label.clone());
        (Wanted::UpdateLabel { cartridge: by_id(n), label }, Change::Cartridge(labelled))
    };
    let asked = other(wanted.clone(), id, n, State::Queued);
    vec![asked, change, other(wanted, id, n, State::Passed(Outcome::Done))]
}

fn eject(id: u64, n: u64, state: State) -> Change {
    let port = Some(port_name(n).address);
    other(Wanted::Eject { cartridge: by_id(n), port }, id, n, state)
}

fn inject(id: u64, n: u64, state: State) -> Change {
    other(Wanted::Inject { library: None, many: false }, id, n, state)
}

/// A request of an operation that does not mount.
fn other(wanted: Wanted, id: u64, n: u64, state: State) -> Change {
    let request = Request { wanted, drive: None, ..samples::mount_request(id, state) };
    Change::Request(of_cartridge(request, id, n))
}

fn by_id(n: u64) -> CartridgeRef {
    CartridgeRef::Id(samples::cartridge_id(n))
}

fn drive_name(n: u64) -> ElementName {
    samples::drive(FIRST_DRIVE + n as u16)
}

fn port_name(n: u64) -> ElementName {
    ElementName { kind: ElementType::ImportExport, address: ElementAddress(FIRST_PORT + n as u16) }
}

/// The record of a cartridge's drive, after so many uses.
fn drive_of(n: u64, service: Service, uses: u64) -> Change {
    let mut record = samples::drive_record(1, drive_name(n).address.0, service);
    record.blame.uses = uses;
    Change::Drive(record)
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

fn placed(n: u64, element: ElementName) -> Change {
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
