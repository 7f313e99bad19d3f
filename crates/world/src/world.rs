//! The parts of the world, and how it begins.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use autochanger_engine::id::{BatchId, CommandId};
use autochanger_engine::time::{Now, WallTime};
use autochanger_engine::{Answer, Change, Config, Engine, Event, LibraryConfig, Snapshot};
use autochanger_sim::{Device, Key, Nexus};

use crate::devices::Devices;
use crate::disk::Disk;
use crate::tape::Tape;
use crate::watch::{Facts, Sight, Violation, Watch};

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
    /// A command that is not answered in its time is reported as lost, as a transport does. Off where a test holds a command
    /// for as long as it likes.
    pub gives_up: bool,
    /// The operation code and the time-out of each command to a changer, for who asks for them.
    pub timeouts: Option<Vec<(u8, Duration)>>,
    /// The same of each command to a drive.
    pub drive_timeouts: Option<Vec<(u8, Duration)>>,
    /// After so many batches from now the power goes, and whether the last of them is on the disk by then.
    pub power_fails: Option<PowerFailure>,
    pub(crate) in_flight: BTreeMap<(usize, Key), InFlight>,
    pub(crate) watch: Watch,
    /// What stood where when the devices were advanced last.
    pub(crate) contents: Option<BTreeSet<(usize, u16, String)>>,
    #[cfg(feature = "planted-bugs")]
    pub(crate) planted: Option<autochanger_engine::Bug>,
    /// The time of the last input, and how many there were before it at that time.
    pub(crate) at_once: (Duration, u32),
    /// Things that went wrong in a story.
    pub(crate) mishaps: u64,
    /// Cartridges that hands have put in: each label once.
    pub(crate) imported: BTreeSet<u8>,
    /// Cartridges that hands have taken out, and of which library.
    pub(crate) outside: Vec<(usize, String)>,
    /// Whether the disk can be written.
    pub(crate) store: Store,
    /// So many questions to the disk are lost.
    pub(crate) lookups_lost: u8,
    /// So many attempts to take a library fail.
    pub(crate) claims_refused: u8,
    /// A path that leads to another library.
    pub elsewhere: Option<(u8, Device)>,
    /// When something other than a look at a path in reserve was last done.
    pub(crate) active_at: Duration,
    pub(crate) next_token: u64,
    pub(crate) next_id: u128,
}

/// The reservation key of the manager in the world.
pub const OWNER: u64 = 0x0A0B_0C0D;

/// Ports of each library, one for each path that a test may configure.
const PORTS: u8 = 8;

/// Whether the disk can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Sound,
    /// The next batch will not be written.
    ToFail,
    /// No batch is written any more, until the next start.
    Failed,
}

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerFailure {
    /// At which batch from now; 0 is the next one.
    pub batch: u32,
    /// Whether that batch is on the disk.
    pub kept: bool,
}

/// A command on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InFlight {
    pub(crate) id: CommandId,
    /// When the transport gives it up.
    pub(crate) until: Duration,
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

    /// A world with one library that no checker looks at, for measuring.
    pub fn unwatched(device: Device, adjust: impl FnOnce(&mut Config)) -> Self {
        let mut world = Self::watched(vec![device], Watch::nobody(), adjust);
        world.tape.off = true;
        world
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
        Self::watched(devices, Watch::strict(), adjust)
    }

    pub(crate) fn watched(devices: Vec<Device>, watch: Watch, adjust: impl FnOnce(&mut Config)) -> Self {
        let name = |n: usize| if n == 0 { "sim:test".into() } else { format!("sim:test{}", n + 1) };
        let mut config = Config::new((0..devices.len()).map(|n| LibraryConfig::new(name(n))).collect());
        config.owner = Some(OWNER);
        // Looks that nobody asks for never end: whoever tests them has them.
        for library in &mut config.libraries {
            (library.timing.refresh_ports, library.timing.refresh_all) = (None, None);
        }
        adjust(&mut config);
        let mut devices = devices;
        for device in &mut devices {
            for port in 0..PORTS {
                device.connect(Nexus(port.into()), port);
            }
        }
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
            gives_up: false,
            timeouts: None,
            drive_timeouts: None,
            power_fails: None,
            in_flight: BTreeMap::new(),
            watch,
            contents: None,
            #[cfg(feature = "planted-bugs")]
            planted: None,
            at_once: (now, 0),
            mishaps: 0,
            imported: BTreeSet::new(),
            outside: Vec::new(),
            store: Store::Sound,
            lookups_lost: 0,
            claims_refused: 0,
            elsewhere: None,
            active_at: now,
            next_token: 0,
            next_id: 0,
        };
        world.drain();
        world.remember();
        world
    }

    /// The power goes and comes back: what was not on the disk is gone, the devices go on.
    pub fn crash(&mut self) {
        self.crash_with(|_| {});
    }

    /// The same, and the next manager is set up in another way.
    pub fn crash_with(&mut self, adjust: impl FnOnce(&mut Config)) {
        self.off_with(|world| adjust(&mut world.config));
    }

    /// The power goes, another library is put in the place of the first one, and it comes back. Gives the one that stood there.
    pub fn replace(&mut self, mut device: Device) -> Device {
        for port in 0..PORTS {
            device.connect(Nexus(port.into()), port);
        }
        self.off_with(|world| core::mem::swap(&mut world.device.0[0], &mut device));
        device
    }

    /// The power goes, something happens, and it comes back.
    pub(crate) fn off_with(&mut self, meanwhile: impl FnOnce(&mut Self)) {
        self.notice_hands();
        self.stalled.clear();
        self.disk_held = false;
        self.power_fails = None;
        self.in_flight.clear();
        self.store = Store::Sound;
        self.config.seed += 1;
        meanwhile(self);
        let (snapshot, now) = (self.disk.snapshot(), self.moment());
        self.tape.write(|transcript| Some(transcript.started(&self.config, &snapshot, now)));
        self.engine = Engine::new(self.config.clone(), snapshot, now);
        self.infect();
        self.see(&Sight::Restart);
        self.drain();
        self.remember();
    }

    /// Plants a bug, in this engine and in those that follow it.
    #[cfg(feature = "planted-bugs")]
    pub fn plant(&mut self, bug: Option<autochanger_engine::Bug>) {
        self.planted = bug;
        self.infect();
    }

    fn infect(&mut self) {
        #[cfg(feature = "planted-bugs")]
        if let Some(bug) = self.planted {
            self.engine.plant(bug);
        }
    }

    /// What a checker objected to, where the world goes on nevertheless.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.watch.violation.as_ref()
    }

    pub(crate) fn see(&mut self, sight: &Sight<'_>) {
        let facts = Facts {
            now: self.now,
            disk: &self.disk,
            disk_stalled: !self.stalled.is_empty(),
            devices: &self.device,
            config: &self.config,
            view: self.engine.view(),
        };
        self.watch.see(sight, &facts);
    }

    /// The time in the world.
    #[must_use]
    pub fn moment(&self) -> Now {
        moment(self.now, self.wall_ahead)
    }
}

fn moment(now: Duration, ahead: Duration) -> Now {
    Now { monotonic: now, wall: WallTime(EPOCH).plus(now).plus(ahead) }
}
