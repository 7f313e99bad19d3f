//! An engine, a simulated library and a disk on one virtual clock: no thread, no socket, no real time.

// Each test binary uses its own part.
#![allow(dead_code, unreachable_pub)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use autochanger_engine::catalog::{
    Caller, Cartridge, LibraryRecord, MotionRecord, MotionState, MountRecord, Role,
};
use autochanger_engine::command::{Completion, PathFault, PathFaultKind, TransportError};
use autochanger_engine::id::{CommandId, Device as DevicePath, Path, RequestId, SessionId, Token};
use autochanger_engine::input::{RestartPolicy, Timing};
use autochanger_engine::request::{CancelError, Cancellation, Request, State, Submission, Wanted};
use autochanger_engine::time::{Now, WallTime};
use autochanger_engine::{
    Answer, Change, Config, Engine, Event, EventKind, Input, LibraryConfig, Output, Snapshot,
};
use autochanger_sim::{Device, Key, Nexus, Outcome, Unit};
use uuid::Uuid;

/// 2026-01-01: any wall time will do, but a test that prints it should look sane.
const EPOCH: u64 = 1_767_225_600_000;

/// The reservation key of the manager in the world.
pub const OWNER: u64 = 0x0A0B_0C0D;

const INQUIRY: u8 = 0x12;

/// Longer than anything is waited for in silence: a story's longest deadline.
const NOTHING_LEFT: Duration = Duration::from_secs(3600);

/// Ports of the library, one for each path that a test may configure.
const PORTS: u8 = 8;

/// What is on the disk.
#[derive(Debug, Default, Clone)]
pub struct Disk {
    pub libraries: Vec<LibraryRecord>,
    pub cartridges: BTreeMap<autochanger_engine::id::CartridgeId, Cartridge>,
    pub requests: BTreeMap<RequestId, Request>,
    pub motions: BTreeMap<(RequestId, u32), MotionRecord>,
    pub mounts: BTreeMap<RequestId, MountRecord>,
}

impl Disk {
    pub fn commit(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Library(record) => {
                    self.libraries.retain(|known| known.id != record.id);
                    self.libraries.push(record);
                }
                Change::Cartridge(cartridge) => {
                    self.cartridges.insert(cartridge.id, cartridge);
                }
                Change::Request(request) => {
                    if let Some(old) = self.requests.get(&request.id) {
                        assert!(
                            !old.state.is_final() || old.state == request.state,
                            "a final state changed: {old:?}"
                        );
                    }
                    self.requests.insert(request.id, request);
                }
                Change::Motion(motion) => {
                    self.motions.insert((motion.request, motion.sequence), motion);
                }
                Change::Mount(mount) => {
                    self.mounts.insert(mount.id, mount);
                }
                Change::MountEnded(id) => {
                    self.mounts.remove(&id);
                }
                _ => unreachable!("a change that this disk does not know"),
            }
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            libraries: self.libraries.clone(),
            cartridges: self.cartridges.values().cloned().collect(),
            requests: self.requests.values().filter(|request| !request.state.is_final()).cloned().collect(),
            motions: self
                .motions
                .values()
                .filter(|motion| {
                    self.requests.get(&motion.request).is_some_and(|request| !request.state.is_final())
                })
                .cloned()
                .collect(),
            mounts: self.mounts.values().cloned().collect(),
        }
    }
}

pub struct World {
    pub engine: Engine,
    pub device: Device,
    pub disk: Disk,
    pub now: Duration,
    pub answers: BTreeMap<u64, Answer>,
    pub events: Vec<Event>,
    /// Batches wait here while the disk is held.
    pub stalled: VecDeque<(autochanger_engine::id::BatchId, Vec<Change>)>,
    pub disk_held: bool,
    /// Moves stay with the transport instead of reaching the device.
    pub withhold_moves: bool,
    /// What is withheld then; MOVE MEDIUM unless said otherwise.
    pub withhold_opcode: u8,
    /// The wall clock was put forward by so much.
    pub wall_ahead: Duration,
    pub withheld: Vec<CommandId>,
    pub config: Config,
    /// A path that leads to another library.
    pub elsewhere: Option<(u8, Device)>,
    /// When something other than a look at a path in reserve was last done.
    active_at: Duration,
    in_flight: BTreeMap<Key, CommandId>,
    next_token: u64,
    next_id: u128,
}

impl World {
    pub fn new(device: Device) -> Self {
        Self::with(device, |_| {})
    }

    pub fn with(device: Device, adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            libraries: vec![LibraryConfig {
                name: "sim:test".into(),
                drives: Vec::new(),
                timing: Timing::default(),
                max_transfer: 65_535,
                moves_in_flight: 1,
                unload_before_move: true,
                exchange: false,
                paths: Vec::new(),
                reservation: Default::default(),
                take_over: false,
            }],
            seed: 1,
            max_live_requests: 1000,
            max_pending_cancels: 16,
            restart: RestartPolicy::Resume,
            owner: Some(OWNER),
        };
        adjust(&mut config);
        let now = Duration::from_secs(1);
        let mut device = device;
        for port in 0..PORTS {
            device.connect(Nexus(port.into()), port);
        }
        let engine = Engine::new(config.clone(), Snapshot::default(), moment(now, Duration::ZERO));
        let mut world = Self {
            engine,
            device,
            disk: Disk::default(),
            now,
            answers: BTreeMap::new(),
            events: Vec::new(),
            stalled: VecDeque::new(),
            disk_held: false,
            withhold_moves: false,
            withhold_opcode: 0xA5,
            wall_ahead: Duration::ZERO,
            withheld: Vec::new(),
            config,
            elsewhere: None,
            active_at: now,
            in_flight: BTreeMap::new(),
            next_token: 0,
            next_id: 0,
        };
        world.drain();
        world
    }

    /// A world whose library is ready.
    pub fn ready(device: Device) -> Self {
        let mut world = Self::new(device);
        world.rest();
        world
    }

    /// The power goes and comes back: what was not on the disk is gone, the device goes on.
    pub fn crash(&mut self) {
        self.crash_with(|_| {});
    }

    pub fn crash_with(&mut self, adjust: impl FnOnce(&mut Config)) {
        self.stalled.clear();
        self.disk_held = false;
        self.in_flight.clear();
        self.config.seed += 1;
        adjust(&mut self.config);
        self.engine =
            Engine::new(self.config.clone(), self.disk.snapshot(), moment(self.now, self.wall_ahead));
        self.drain();
    }

    pub fn input(&mut self, input: Input) {
        self.engine.handle(input, moment(self.now, self.wall_ahead));
        self.drain();
    }

    /// Lets the disk go on.
    pub fn release_disk(&mut self) {
        // What follows from one batch queues behind those that wait already: a disk keeps their order.
        while let Some((batch, changes)) = self.stalled.pop_front() {
            self.disk.commit(changes);
            self.engine.handle(Input::Persisted { batch, result: Ok(()) }, moment(self.now, self.wall_ahead));
            self.drain();
        }
        self.disk_held = false;
    }

    /// The device answers what the transport kept, without having carried it out.
    pub fn answer_withheld(&mut self, result: Result<Completion, TransportError>) {
        self.withhold_moves = false;
        for command in std::mem::take(&mut self.withheld) {
            self.input(Input::Completed { command, result: result.clone() });
        }
    }

    /// Nothing moves without an intent that is on the disk.
    fn assert_intended(&self, cdb: &[u8]) {
        let address = |at: usize| u16::from_be_bytes([cdb[at], cdb[at + 1]]);
        let ways = match cdb[0] {
            0xA5 => vec![(address(4), address(6))],
            0xA6 => vec![(address(4), address(6)), (address(6), address(8))],
            _ => return,
        };
        for (source, destination) in ways {
            let intended = self.disk.motions.values().any(|motion| {
                motion.state == MotionState::Open
                    && (motion.source.address.0, motion.destination.address.0) == (source, destination)
            });
            assert!(intended, "a motion {source} -> {destination} without a durable intent");
        }
    }

    pub fn release_one(&mut self) {
        if let Some((batch, changes)) = self.stalled.pop_front() {
            self.disk.commit(changes);
            self.input(Input::Persisted { batch, result: Ok(()) });
        }
        if self.stalled.is_empty() {
            self.disk_held = false;
        }
    }

    /// The transport says that it never sent what it kept.
    pub fn deny_withheld(&mut self) {
        self.withhold_moves = false;
        for command in std::mem::take(&mut self.withheld) {
            self.input(Input::Completed { command, result: completion(Outcome::NotDelivered) });
        }
    }

    fn drain(&mut self) {
        let mut inputs = VecDeque::new();
        loop {
            while let Some(output) = self.engine.poll_output() {
                if !matches!(&output, Output::Execute { command, .. } if command.cdb.opcode() == INQUIRY) {
                    self.active_at = self.now;
                }
                match output {
                    Output::Execute { path, id, command }
                        if self.elsewhere.as_ref().is_some_and(|(route, _)| *route == path.route.0) =>
                    {
                        let Some((_, other)) = &mut self.elsewhere else { continue };
                        let key = other.submit(self.now, 0, command.cdb.as_bytes(), &[], command.data_in);
                        let outcome = other.take(key).unwrap_or(Outcome::Lost);
                        inputs.push_back(Input::Completed { command: id, result: completion(outcome) });
                    }
                    Output::Execute { id, command, .. }
                        if self.withhold_moves && command.cdb.opcode() == self.withhold_opcode =>
                    {
                        self.withheld.push(id);
                    }
                    Output::Execute { path, id, command } => {
                        self.assert_intended(command.cdb.as_bytes());
                        let lun = match path.device {
                            DevicePath::Changer => 0,
                            DevicePath::Sibling(lun) => lun,
                            DevicePath::Configured(n) => n + 1,
                        };
                        let key = self.device.submit(
                            self.now,
                            unit(path, lun),
                            command.cdb.as_bytes(),
                            &command.data_out,
                            command.data_in,
                        );
                        self.in_flight.insert(key, id);
                    }
                    Output::Persist { batch, changes } if self.disk_held => {
                        self.stalled.push_back((batch, changes))
                    }
                    Output::Persist { batch, changes } => {
                        self.disk.commit(changes);
                        inputs.push_back(Input::Persisted { batch, result: Ok(()) });
                    }
                    Output::Lookup { token, id } => {
                        let result = Ok(self.disk.requests.get(&id).cloned());
                        inputs.push_back(Input::Found { token, result });
                    }
                    Output::Claim { library, .. } => {
                        inputs.push_back(Input::Claimed { library, result: Ok(()) })
                    }
                    Output::Answer { token, answer } => {
                        self.answers.insert(token.0, answer);
                    }
                    Output::Notify(event) => self.events.push(event),
                }
            }
            for (key, outcome) in self.device.advance(self.now) {
                let Some(command) = self.in_flight.remove(&key) else { continue };
                inputs.push_back(Input::Completed { command, result: completion(outcome) });
            }
            match inputs.pop_front() {
                Some(input) => self.engine.handle(input, moment(self.now, self.wall_ahead)),
                None => return,
            }
        }
    }

    /// One step of time: to whatever happens next. `false` when nothing does.
    pub fn step(&mut self) -> bool {
        let next = [self.device.next_event(), self.engine.next_deadline()].into_iter().flatten().min();
        let Some(next) = next else { return false };
        self.now = self.now.max(next);
        for (key, outcome) in self.device.advance(self.now) {
            if let Some(command) = self.in_flight.remove(&key) {
                self.engine.handle(
                    Input::Completed { command, result: completion(outcome) },
                    moment(self.now, self.wall_ahead),
                );
                self.drain();
            }
        }
        self.engine.handle(Input::Tick, moment(self.now, self.wall_ahead));
        self.drain();
        true
    }

    /// Steps until nothing happens any more but looks at the paths in reserve, which never end.
    pub fn rest(&mut self) {
        let several = self.config.libraries[0].paths.len() > 1;
        for _ in 0..100_000 {
            if several && self.now.saturating_sub(self.active_at) > NOTHING_LEFT {
                return;
            }
            if !self.step() {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Steps until it is so.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        for _ in 0..100_000 {
            if is_so(self) {
                return;
            }
            assert!(self.step(), "the world came to rest before: {what}");
        }
        panic!("never: {what}");
    }

    fn token(&mut self) -> Token {
        self.next_token += 1;
        Token(self.next_token)
    }

    pub fn caller(&self) -> Caller {
        Caller { session: SessionId(1), application: "test".into(), role: Role::Operator }
    }

    pub fn submit(&mut self, wanted: Wanted) -> Result<RequestId, autochanger_engine::output::SubmitError> {
        let caller = self.caller();
        self.submit_as(caller, wanted, |_| {})
    }

    pub fn submit_as(
        &mut self,
        caller: Caller,
        wanted: Wanted,
        adjust: impl FnOnce(&mut Submission),
    ) -> Result<RequestId, autochanger_engine::output::SubmitError> {
        self.next_id += 1;
        let mut submission = Submission {
            id: RequestId(Uuid::from_u128(self.next_id)),
            id_given: false,
            caller,
            wanted,
            priority: 0,
            deadline: None,
            detached: false,
        };
        adjust(&mut submission);
        let token = self.token();
        let id = submission.id;
        self.input(Input::Submit { token, submission });
        match self.answers.remove(&token.0) {
            Some(Answer::Submitted(Ok(request))) => Ok(request.id),
            Some(Answer::Submitted(Err(error))) => Err(error),
            None => Ok(id),
            other => panic!("{other:?}"),
        }
    }

    pub fn mount(&mut self, barcode: &str) -> RequestId {
        self.submit(mount(barcode)).unwrap()
    }

    pub fn dismount(&mut self, barcode: &str) -> RequestId {
        self.submit(dismount(barcode)).unwrap()
    }

    pub fn cancel(&mut self, id: RequestId) -> Option<Result<Cancellation, CancelError>> {
        let caller = self.caller();
        self.cancel_as(caller, id)
    }

    pub fn cancel_as(&mut self, caller: Caller, id: RequestId) -> Option<Result<Cancellation, CancelError>> {
        let token = self.token();
        self.input(Input::Cancel { token, caller, id, reason: None });
        match self.answers.remove(&token.0) {
            Some(Answer::Cancel(answer)) => Some(answer),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    /// The state on the disk.
    pub fn state(&self, id: RequestId) -> State {
        self.disk.requests.get(&id).map(|request| request.state.clone()).expect("the request is on the disk")
    }

    pub fn adopt(&mut self, id: RequestId) -> Answer {
        let token = self.token();
        let caller = self.caller();
        self.input(Input::Adopt { token, caller, id });
        self.answers.remove(&token.0).expect("an answer")
    }

    /// Every cartridge of the library is in one element, and the catalogue says the same.
    pub fn assert_true(&self) {
        let mut seen = BTreeMap::new();
        for (address, _, barcode) in self.device.contents() {
            if let Some(barcode) = barcode {
                assert!(seen.insert(barcode.clone(), address).is_none(), "{barcode} is in two places");
            }
        }
        for cartridge in self.disk.cartridges.values() {
            let barcode = cartridge.barcode.as_deref().unwrap_or_default();
            match &cartridge.place {
                autochanger_engine::request::Place::Element(name) => {
                    assert_eq!(
                        seen.get(barcode),
                        Some(&name.address),
                        "{barcode} is not where the catalogue says"
                    );
                }
                other => panic!("{barcode}: {other}"),
            }
        }
        let open: Vec<_> =
            self.disk.motions.values().filter(|motion| motion.state == MotionState::Open).collect();
        let live: Vec<_> = open.iter().map(|motion| self.engine.view().request(motion.request)).collect();
        assert!(open.is_empty(), "motions are open: {open:#?} of {live:#?}");
        assert!(self.device.moves_sent() <= self.disk.motions.len() as u64, "more moves than intents");
    }

    pub fn final_events(&self, id: RequestId) -> usize {
        let of = |event: &&Event| matches!(&event.kind, EventKind::Request(request) if request.id == id && request.state.is_final());
        self.events.iter().filter(of).count()
    }
}

fn moment(now: Duration, ahead: Duration) -> Now {
    Now { monotonic: now, wall: WallTime(EPOCH).plus(now).plus(ahead) }
}

/// Each path is an initiator of its own, and comes through a port of its own.
fn unit(path: Path, lun: u16) -> Unit {
    Unit { nexus: Nexus(path.route.0.into()), lun }
}

fn completion(outcome: Outcome) -> Result<Completion, TransportError> {
    let fault = |detail: &str| PathFault {
        kind: PathFaultKind::ConnectionLost,
        device: Arc::from("sim:test"),
        detail: detail.into(),
    };
    match outcome {
        Outcome::Answered(answer) => {
            Ok(Completion { status: answer.status, sense: answer.sense.into(), data: answer.data.into() })
        }
        Outcome::NotDelivered => Err(TransportError::NotSent(fault("not delivered"))),
        _ => Err(TransportError::OutcomeUnknown(fault("the reply was lost"))),
    }
}

pub fn mount(barcode: &str) -> Wanted {
    Wanted::Mount { cartridge: barcode.into(), drive: None, access: Default::default() }
}

pub fn dismount(barcode: &str) -> Wanted {
    Wanted::Dismount { cartridge: barcode.into(), slot: None, force: false }
}

pub fn inventory() -> Wanted {
    Wanted::Inventory { library: None, full: false }
}
