//! Devices that answer whatever they like to the engine, while it opens a library, mounts and dismounts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use autochanger_engine::catalog::{Caller, MotionState, Role};
use autochanger_engine::command::{Command, Completion, PathFault, PathFaultKind, TransportError};
use autochanger_engine::id::{CommandId, Device as DevicePath, Path, RequestId, SessionId, Token};
use autochanger_engine::request::{InventoryMethod, State, Submission, Wanted};
use autochanger_engine::time::{Now, WallTime};
use autochanger_engine::view::LibraryState;
use autochanger_engine::{Change, Config, Engine, Input, LibraryConfig, Output, Snapshot};
use autochanger_scsi::Status;
use autochanger_sim::{Device, Key, Library, Outcome, Timing as SimTiming};
use bytes::Bytes;
use uuid::Uuid;

use super::Script;

/// 2026-01-01: any wall time will do.
const EPOCH: u64 = 1_767_225_600_000;

/// Commands that an open, two mounts, a cancel and two dismounts may take at devices that answer honestly, with all the
/// waiting for drives and the trying again of a whole virtual day: the longest pause between two tries is 30 s.
const COMMANDS: usize = 8 * 1024;

/// Commands that one byte of a lie may cause beside: an honest inventory of the whole library is some twenty, and what
/// looks wrong is looked at again a few times.
const COMMANDS_PER_BYTE: usize = 128;

/// Turns of the clock for the opening: a library that is not ready after them is asked for its services all the same.
const OPENING_TURNS: usize = 64;

/// Turns of the clock for each stage: a request has its deadline within them.
const TURNS: usize = 4 * 1024;

/// Until when a request that cannot be served is tried.
const DEADLINE: Duration = Duration::from_secs(6 * 60 * 60);

type Ended = Result<Completion, TransportError>;

/// How the answer to one command differs from the truth, though the device did what it was told.
enum Lie {
    /// Bytes of the data or of the sense data are altered, or cut off.
    Altered(Vec<u8>),
    /// The answer is lost.
    Lost,
}

/// Opens, mounts and dismounts. The script says, command by command, what comes back; when it is over, devices are
/// honest, and every request must end.
pub fn engine(input: &[u8]) {
    let mut script = Script::new(input);
    let flavour = script.byte();
    let mut world = World::new(script, flavour, input.len());
    world.drain();
    world.until(OPENING_TURNS, |world| world.is_open());
    let mount =
        |label: &str| Wanted::Mount { cartridge: label.into(), drive: None, access: Default::default() };
    let dismount =
        |label: &str| Wanted::Dismount { cartridge: label.into(), slot: None, force: flavour & 8 != 0 };
    world.submit(1, mount("VT0001L8"));
    world.submit(2, mount("VT0002L8"));
    if flavour & 4 != 0 {
        world.cancel(1);
    }
    world.until_all_ended();
    world.submit(3, dismount("VT0001L8"));
    world.submit(4, dismount("VT0002L8"));
    let method = if flavour & 16 != 0 { InventoryMethod::Full } else { InventoryMethod::Fast };
    world.submit(5, Wanted::Inventory { library: None, method: Some(method) });
    world.until_all_ended();
    if input.len() <= 1 {
        world.assert_served();
    }
}

struct World<'a> {
    engine: Engine,
    device: Device,
    script: Script<'a>,
    input: usize,
    now: Duration,
    commands: usize,
    inputs: VecDeque<Input>,
    /// Batches on their way to the disk.
    unkept: VecDeque<Vec<Change>>,
    in_flight: BTreeMap<Key, (CommandId, Option<Lie>)>,
    /// The ways of the intents that are durable and open, by request and number.
    intents: BTreeMap<(RequestId, u32), (u16, u16)>,
    /// How many intents were ever made.
    intended: usize,
    moves: usize,
    /// The requests that were accepted, as the disk has them.
    requests: BTreeMap<RequestId, State>,
}

impl<'a> World<'a> {
    fn new(script: Script<'a>, flavour: u8, input: usize) -> Self {
        let mut library = LibraryConfig::new("sim:fuzzed");
        library.moves_in_flight = 1 + (flavour & 1);
        library.unload_before_move = flavour & 2 == 0;
        library.exchange = flavour & 32 != 0;
        let mut config = Config::new(vec![library]);
        config.max_live_requests = 16;
        let timing = if flavour & 64 == 0 { SimTiming::none() } else { SimTiming::midrange() };
        let library = Library::new().serial("F").slots(8).ports(2).cartridges("VT{:04}L8", 1..=4);
        let device = library.timing(timing).build();
        let now = Duration::from_secs(1);
        Self {
            engine: Engine::new(config, Snapshot::default(), moment(now)),
            device,
            script,
            input,
            now,
            commands: 0,
            inputs: VecDeque::new(),
            unkept: VecDeque::new(),
            in_flight: BTreeMap::new(),
            intents: BTreeMap::new(),
            intended: 0,
            moves: 0,
            requests: BTreeMap::new(),
        }
    }

    fn is_open(&self) -> bool {
        self.engine.view().libraries().iter().all(|library| *library.state == LibraryState::Ready)
    }

    fn submit(&mut self, number: u128, wanted: Wanted) {
        let submission = Submission {
            id: RequestId(Uuid::from_u128(number)),
            id_given: false,
            caller: caller(),
            wanted,
            priority: 0,
            deadline: Some(DEADLINE),
            detached: false,
            options: Default::default(),
        };
        self.input(Input::Submit { token: Token(number as u64), submission });
    }

    fn cancel(&mut self, number: u128) {
        let id = RequestId(Uuid::from_u128(number));
        self.input(Input::Cancel { token: Token(100), caller: caller(), id, reason: None });
    }

    fn input(&mut self, input: Input) {
        self.inputs.push_back(input);
        self.drain();
    }

    /// Lets the clock run until it is so, for so many turns at most. Whether it became so.
    fn until(&mut self, turns: usize, is_so: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..turns {
            if is_so(self) {
                return true;
            }
            let next = [self.device.next_event(), self.engine.next_deadline()].into_iter().flatten().min();
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            self.collect();
            self.input(Input::Tick);
        }
        is_so(self)
    }

    fn until_all_ended(&mut self) {
        let ended = self.until(TURNS, |world| world.requests.values().all(State::is_final));
        assert!(ended, "after {TURNS} turns at {:?}: {:#?}", self.now, self.requests);
        // What is on its way to the store is there, and nothing is moved for those that have ended.
        assert!(self.moves <= self.intended, "{} moves of {} intents", self.moves, self.intended);
    }

    /// Where nobody lied, everything is done: else the body would show nothing.
    fn assert_served(&self) {
        // A mount that was cancelled has no dismount.
        assert!(self.requests.len() >= 4, "{:#?}", self.requests);
        for state in self.requests.values() {
            assert!(
                matches!(state, State::Passed(_) | State::Cancelled { .. } | State::Stopped { .. }),
                "{:#?}",
                self.requests
            );
        }
        assert!(self.moves >= 2 && self.commands < 200, "{} moves, {} commands", self.moves, self.commands);
    }

    /// Hands over what waits, and does what is wanted, until nothing is.
    fn drain(&mut self) {
        loop {
            while let Some(output) = self.engine.poll_output() {
                self.carry_out(output);
            }
            self.collect();
            let Some(input) = self.inputs.pop_front() else { return };
            if matches!(input, Input::Persisted { .. }) {
                // Batches are kept in their order, each before the engine is told.
                let changes = self.unkept.pop_front().expect("a batch on its way");
                changes.into_iter().for_each(|change| self.keep(change));
            }
            self.engine.handle(input, moment(self.now));
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Execute { path, id, command } => self.execute(path, id, &command),
            Output::Persist { batch, changes } => {
                self.unkept.push_back(changes);
                self.inputs.push_back(Input::Persisted { batch, result: Ok(()) });
            }
            Output::Lookup { token, .. } => self.inputs.push_back(Input::Found { token, result: Ok(None) }),
            Output::Claim { library, .. } => {
                self.inputs.push_back(Input::Claimed { library, result: Ok(()) })
            }
            Output::Answer { answer, .. } => _ = format!("{answer:?}"),
            Output::Notify(event) => _ = format!("{event:?}"),
        }
    }

    fn keep(&mut self, change: Change) {
        match change {
            Change::Request(request) => {
                let before = self.requests.insert(request.id, request.state.clone());
                if let Some(before) = before.filter(State::is_final) {
                    assert_eq!(before, request.state, "a final state changed");
                }
            }
            Change::Motion(motion) => {
                let key = (motion.request, motion.sequence);
                let way = (motion.source.address.0, motion.destination.address.0);
                if motion.state == MotionState::Open {
                    self.intended += usize::from(self.intents.insert(key, way).is_none());
                } else {
                    self.intents.remove(&key);
                }
            }
            _ => {}
        }
    }

    /// Sends a command to a device, or has the script answer in its place.
    fn execute(&mut self, path: Path, id: CommandId, command: &Command) {
        self.commands += 1;
        let most = COMMANDS + COMMANDS_PER_BYTE * self.input;
        assert!(self.commands <= most, "{} commands at {:?}, {most} allowed", self.commands, self.now);
        self.assert_intended(command.cdb.as_bytes());
        let lie = match self.answer(command) {
            Ok(lie) => lie,
            Err(result) => return self.inputs.push_back(Input::Completed { command: id, result }),
        };
        let lun = match path.device {
            DevicePath::Changer => 0,
            DevicePath::Sibling(lun) => lun,
            DevicePath::Configured(n) => n + 1,
        };
        let key =
            self.device.submit(self.now, lun, command.cdb.as_bytes(), &command.data_out, command.data_in);
        self.in_flight.insert(key, (id, lie));
    }

    /// Nothing moves without an intent that is durable.
    fn assert_intended(&mut self, cdb: &[u8]) {
        let address = |at: usize| cdb.get(at..at + 2).map_or(0, |it| u16::from_be_bytes([it[0], it[1]]));
        let ways = match cdb.first() {
            Some(0xA5) => vec![(address(4), address(6))],
            Some(0xA6) => vec![(address(4), address(6)), (address(6), address(8))],
            _ => return,
        };
        self.moves += ways.len();
        for way in ways {
            assert!(
                self.intents.values().any(|intended| *intended == way),
                "{way:?} without a durable intent"
            );
        }
    }

    /// What the script makes of a command: the device does it, perhaps with a lie about it; or it does not, and this is
    /// the answer.
    fn answer(&mut self, command: &Command) -> Result<Option<Lie>, Ended> {
        if self.script.is_over() {
            return Ok(None);
        }
        let room = command.data_in as usize;
        let completion = |status, sense: &[u8], data: &[u8]| {
            let (sense, data) = (Bytes::copy_from_slice(sense), Bytes::copy_from_slice(data));
            Err(Ok(Completion { status, sense, data: data.slice(..data.len().min(room)), residual: 0 }))
        };
        let what = self.script.byte();
        match what {
            1 => Ok(Some(Lie::Altered(self.script.counted().to_vec()))),
            2 => Ok(Some(Lie::Lost)),
            3 => Err(Err(TransportError::NotSent(fault(self.script.byte())))),
            4 => Err(Err(TransportError::OutcomeUnknown(fault(self.script.byte())))),
            5 => {
                let sense = self.script.counted();
                completion(Status::CheckCondition, sense, &[])
            }
            6 => {
                // A sense that is well-formed: its key and its code.
                let [key, asc, ascq] = [(); 3].map(|()| self.script.byte());
                let sense = [0x70, 0, key & 0xF, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0];
                completion(Status::CheckCondition, &sense, &[])
            }
            7 => {
                let data = self.script.counted();
                completion(Status::Good, &[], data)
            }
            8 => {
                let length = usize::from(self.script.short());
                let data = self.script.bytes(length);
                completion(Status::Good, &[], data)
            }
            9 => completion(Status::from(self.script.byte()), &[], &[]),
            _ => Ok(None),
        }
    }

    /// Takes what devices have ended.
    fn collect(&mut self) {
        for (key, outcome) in self.device.advance(self.now) {
            let Some((command, lie)) = self.in_flight.remove(&key) else { continue };
            let result = match (outcome, lie) {
                (Outcome::Answered(mut answer), Some(Lie::Altered(changes))) => {
                    let bytes = if answer.sense.is_empty() { &mut answer.data } else { &mut answer.sense };
                    alter(bytes, &changes);
                    Ok(Completion {
                        status: answer.status,
                        sense: answer.sense.into(),
                        data: answer.data.into(),
                        residual: 0,
                    })
                }
                (Outcome::Answered(answer), None) => Ok(Completion {
                    status: answer.status,
                    sense: answer.sense.into(),
                    data: answer.data.into(),
                    residual: 0,
                }),
                (Outcome::NotDelivered, _) => Err(TransportError::NotSent(fault(0))),
                _ => Err(TransportError::OutcomeUnknown(fault(1))),
            };
            self.inputs.push_back(Input::Completed { command, result });
        }
    }
}

/// Triples of place and value; a place beyond the end cuts the end off.
fn alter(bytes: &mut Vec<u8>, changes: &[u8]) {
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]]));
        match bytes.get_mut(place) {
            Some(byte) => *byte = change[2],
            None => bytes.truncate(bytes.len().saturating_sub(usize::from(change[2]))),
        }
    }
}

fn caller() -> Caller {
    Caller { session: SessionId(1), application: "fuzz".into(), role: Role::Administrator }
}

fn fault(kind: u8) -> PathFault {
    const KINDS: [PathFaultKind; 10] = [
        PathFaultKind::Unreachable,
        PathFaultKind::ConnectionLost,
        PathFaultKind::TimedOut,
        PathFaultKind::LoginRefused,
        PathFaultKind::TargetNotFound,
        PathFaultKind::NoSuchUnit,
        PathFaultKind::Protocol,
        PathFaultKind::Unsupported,
        PathFaultKind::LimitReached,
        PathFaultKind::Closed,
    ];
    PathFault {
        kind: KINDS[usize::from(kind) % KINDS.len()],
        device: Arc::from("sim:fuzzed"),
        detail: String::new(),
    }
}

fn moment(now: Duration) -> Now {
    Now { monotonic: now, wall: WallTime(EPOCH).plus(now) }
}
