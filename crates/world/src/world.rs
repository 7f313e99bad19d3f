//! The parts of the world, and how it begins.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use autochanger_engine::id::{BatchId, CommandId};
use autochanger_engine::time::{Now, WallTime};
use autochanger_engine::{Answer, Change, Config, Engine, Event, LibraryConfig, Snapshot};
use autochanger_sim::{Device, Key};

use crate::devices::Devices;
use crate::disk::Disk;
use crate::tape::Tape;

/// 2026-01-01: any wall time will do, but a test that prints it should look sane.
const EPOCH: u64 = 1_767_225_600_000;

/// An engine, simulated libraries and a disk on one virtual clock.
#[derive(Debug)]
pub struct World {
    /// What is tested.
    pub engine: Engine,
    /// The simulated libraries; used as one, it is the first.
    pub device: Devices,
    /// What is durable.
    pub disk: Disk,
    /// The time on the monotonic clock.
    pub now: Duration,
    /// Answers that nobody took yet, by the question's mark.
    pub answers: BTreeMap<u64, Answer>,
    /// What everyone was told.
    pub events: Vec<Event>,
    /// Batches wait here while the disk is held.
    pub stalled: VecDeque<(BatchId, Vec<Change>)>,
    /// The disk commits nothing.
    pub disk_held: bool,
    /// Moves stay with the transport instead of reaching the device.
    pub withhold_moves: bool,
    /// What is withheld then; MOVE MEDIUM unless said otherwise.
    pub withhold_opcode: u8,
    /// The wall clock was put forward by so much.
    pub wall_ahead: Duration,
    /// The commands that the transport keeps.
    pub withheld: Vec<CommandId>,
    /// What the next engine is made with.
    pub config: Config,
    /// What happened, as a person reads it.
    pub tape: Tape,
    pub(crate) in_flight: BTreeMap<(usize, Key), CommandId>,
    pub(crate) next_token: u64,
    pub(crate) next_id: u128,
}

impl World {
    /// A world with one library that nobody has looked at yet.
    #[must_use]
    pub fn new(device: Device) -> Self {
        Self::with(device, |_| {})
    }

    /// The same with another configuration.
    pub fn with(device: Device, adjust: impl FnOnce(&mut Config)) -> Self {
        Self::several(vec![device], adjust)
    }

    /// A world whose library is ready.
    #[must_use]
    pub fn ready(device: Device) -> Self {
        let mut world = Self::new(device);
        world.rest();
        world
    }

    /// A world with several libraries.
    pub fn several(devices: Vec<Device>, adjust: impl FnOnce(&mut Config)) -> Self {
        let name = |n: usize| if n == 0 { "sim:test".into() } else { format!("sim:test{}", n + 1) };
        let mut config = Config::new((0..devices.len()).map(|n| LibraryConfig::new(name(n))).collect());
        adjust(&mut config);
        let now = Duration::from_secs(1);
        let mut tape = Tape::default();
        let (empty, start) = (Snapshot::default(), moment(now, Duration::ZERO));
        tape.write(|transcript| Some(transcript.started(&config, &empty, start)));
        let engine = Engine::new(config.clone(), empty, start);
        let mut world = Self {
            engine,
            device: Devices(devices),
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
            tape,
            in_flight: BTreeMap::new(),
            next_token: 0,
            next_id: 0,
        };
        world.drain();
        world
    }

    /// The power goes and comes back: what was not on the disk is gone, the devices go on.
    pub fn crash(&mut self) {
        self.crash_with(|_| {});
    }

    /// The same, and the next manager is set up in another way.
    pub fn crash_with(&mut self, adjust: impl FnOnce(&mut Config)) {
        self.stalled.clear();
        self.disk_held = false;
        self.in_flight.clear();
        self.config.seed += 1;
        adjust(&mut self.config);
        let (snapshot, now) = (self.disk.snapshot(), self.moment());
        self.tape.write(|transcript| Some(transcript.started(&self.config, &snapshot, now)));
        self.engine = Engine::new(self.config.clone(), snapshot, now);
        self.drain();
    }

    pub(crate) fn moment(&self) -> Now {
        moment(self.now, self.wall_ahead)
    }
}

fn moment(now: Duration, ahead: Duration) -> Now {
    Now { monotonic: now, wall: WallTime(EPOCH).plus(now).plus(ahead) }
}
