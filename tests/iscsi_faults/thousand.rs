//! A thousand mounts and dismounts by a manager, through a proxy that harms PDUs in each: no move is replayed, each has a
//! durable intent of its own, and what is said of each is what the library itself says, asked past proxy and manager.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use autochanger::catalog::MotionState;
use autochanger::request::ElementName;
use autochanger::transport::IscsiTransport;
use autochanger::transport::sim;
use autochanger::virtual_library::VirtualLibrary;
use autochanger::{
    ElementType, EventKind, FailureKind, LibraryConfig, Manager, Place, Refusal, RequestError, RequestId,
    Role, Session, SubmitError, Timing,
};

use super::beds::{TgtBed, TgtOptions};
use super::intents::Intents;
use super::proxy::{Fault, Hits, Kind, Proxy};
use super::temp::TempDir;
use super::{builder, truth};

const READ_ELEMENT_STATUS: u8 = 0xB8;

/// How many requests, over how many libraries side by side: each mostly waits. One of the libraries is tgt's.
const RUNS: usize = 1000;
const LIBRARIES: usize = 8;

/// Requests beyond those whose every look is refused for longer than a motion lasts, over a library of their own: so they end as unknown.
const BLIND_RUNS: usize = 40;

/// The least that each kind of fault must have happened in each direction: there are ten of these, and one to three in a run.
const LEAST: usize = RUNS / 50;

/// How long a command may take. None takes time, so what is later was harmed; it is real time, for the sockets are real.
const PATIENCE: Duration = Duration::from_millis(50);

/// How long a target is silent before it is asked for a sign of life: what stalls is given up after twice that.
const KEEP_ALIVE: Duration = Duration::from_millis(60);

/// How long a login may take: it is harmed, too.
const CONNECTING: Duration = Duration::from_millis(150);

/// Only a broken manager takes so long for one request.
const LONGEST: Duration = Duration::from_secs(30);

fn timing() -> Timing {
    Timing {
        status: PATIENCE,
        element_status: PATIENCE,
        motion: PATIENCE,
        recommended: false,
        initialize: PATIENCE,
        unload: PATIENCE,
        drive_log: PATIENCE,
        port: PATIENCE,
        drive_ready: 20 * PATIENCE,
        drive_calibration: 20 * PATIENCE,
        retry_min: Duration::from_millis(2),
        retry_max: Duration::from_millis(20),
        ..Timing::default()
    }
}

/// Random numbers that are the same in each run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ value >> 31) % sides
    }

    /// One to three faults: the later ones hit the looking, the logging in, the next attempt.
    fn faults(&mut self) -> Vec<Fault> {
        (0..=self.roll(3)).map(|_| self.fault()).collect()
    }

    fn fault(&mut self) -> Fault {
        let kind = match self.roll(6) {
            0 => Kind::Drop,
            1 => Kind::Delay(Duration::from_millis(self.roll(120))),
            2 => Kind::CutShort(self.roll(60) as usize),
            3 => Kind::Stall(self.roll(60) as usize),
            4 => Kind::Duplicate(Duration::ZERO),
            _ => Kind::Duplicate(Duration::from_millis(self.roll(20))),
        };
        // A mount sends its MOVE MEDIUM first, a dismount third; after a cut a login comes before it.
        Fault { to_target: self.roll(2) == 0, skip: self.roll(5) as usize, kind }
    }
}

/// How often each thing came to pass.
#[derive(Debug, Default)]
struct Seen {
    runs: usize,
    /// Faults that hit a PDU.
    hits: Hits,
    /// Requests that ended as asked, and otherwise.
    passed: usize,
    failed: usize,
    /// Attempts at a motion by what became of them.
    moved: usize,
    not_moved: usize,
    not_sent: usize,
    unknown: usize,
    /// Motions whose ending was doubtful at first.
    doubted: usize,
}

impl Seen {
    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.runs, other.runs),
            (&mut self.passed, other.passed),
            (&mut self.failed, other.failed),
            (&mut self.moved, other.moved),
            (&mut self.not_moved, other.not_moved),
            (&mut self.not_sent, other.not_sent),
            (&mut self.unknown, other.unknown),
            (&mut self.doubted, other.doubted),
        ];
        for (sum, part) in pairs {
            *sum += part;
        }
        for (fault, hits) in &other.hits {
            *self.hits.entry(*fault).or_default() += hits;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mounts_and_dismounts_are_never_replayed_and_each_ends_as_it_is_said_to() {
    let mut lanes = tokio::task::JoinSet::new();
    for seed in 0..LIBRARIES {
        lanes.spawn(async move { Lane::open(seed).await.work(seed as u64, RUNS / LIBRARIES).await });
    }
    lanes.spawn(async { Lane::open(LIBRARIES).await.blind().work(LIBRARIES as u64, BLIND_RUNS).await });
    let mut seen = Seen::default();
    for lane in lanes.join_all().await {
        seen.add(&lane);
    }
    println!("{seen:?}");
    assert_eq!(seen.runs, RUNS + BLIND_RUNS);
    for kind in ["drop", "delay", "cut short", "stall", "duplicate"] {
        for to_target in [true, false] {
            let hits = seen.hits.get(&(kind, to_target)).copied().unwrap_or_default();
            assert!(hits >= LEAST, "{kind}, to the target: {to_target}: {seen:?}");
        }
    }
    // Each ending is met often, so that each is judged.
    assert!(seen.passed >= RUNS / 2, "{seen:?}");
    assert!(seen.moved >= RUNS / 2 && seen.not_moved >= 20 && seen.doubted >= 100, "{seen:?}");
    assert!(seen.unknown >= BLIND_RUNS / 2, "{seen:?}");
}

/// What serves the library.
enum Target {
    Ours(VirtualLibrary),
    Tgt(TgtBed),
}

impl Target {
    /// The changer's URL past the proxy.
    fn url(&self) -> String {
        match self {
            Self::Ours(served) => served.url().to_string(),
            Self::Tgt(bed) => bed.url(),
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Ours(_) => "VT0001L8",
            Self::Tgt(_) => "VT0001L3",
        }
    }

    /// How many motions the library has carried out, where it tells.
    fn moves_done(&self) -> Option<u64> {
        match self {
            Self::Ours(served) => Some(served.library().moves_done()),
            Self::Tgt(_) => None,
        }
    }
}

/// A library, the proxy in front of it, and its manager.
struct Lane {
    target: Target,
    proxy: Proxy,
    intents: Intents,
    manager: Manager,
    session: Session,
    doubted: Arc<Mutex<HashSet<(RequestId, u64)>>>,
    /// Its looks are refused, not its PDUs harmed.
    blind: bool,
    _locks: TempDir,
}

impl Lane {
    async fn open(seed: usize) -> Self {
        let target = if seed == 0 {
            let options = TgtOptions { slots: 6, drives: 1, ports: 0, cartridges: 1, chap: None };
            let bed = TgtBed::start(options);
            // It wants two seconds between two sessions, a thousand times.
            bed.parameter("DefaultTime2Wait", "0");
            Target::Tgt(bed)
        } else {
            Target::Ours(builder().start().await.expect("loopback has a free port"))
        };
        let (proxy, url) = match &target {
            Target::Ours(served) => {
                let proxy = Proxy::start(served.address()).await;
                let url = super::through(served, &proxy);
                (proxy, url)
            }
            Target::Tgt(bed) => {
                let proxy = Proxy::start(([127, 0, 0, 1], bed.port()).into()).await;
                let url = bed.url_through(proxy.port());
                (proxy, url)
            }
        };
        let (intents, locks) = (Intents::default(), TempDir::new());
        let witness = intents.clone();
        proxy.witness(move |way| witness.moved(way));
        let device = IscsiTransport::new(url.parse().expect("a right URL"))
            .keep_alive(KEEP_ALIVE)
            .connect_timeout(CONNECTING);
        let config = LibraryConfig::transport("the vault", Arc::new(device)).timing(timing());
        let builder = Manager::builder().library(config).store_with(intents.store());
        let manager = builder.lock_directory(locks.file("")).open().await.expect("the manager opens");
        let session = manager.session("backup").role(Role::Administrator).open().expect("a session opens");
        let doubted = Arc::default();
        let lane = Self { target, proxy, intents, manager, session, doubted, blind: false, _locks: locks };
        lane.listen();
        lane
    }

    /// From each MOVE MEDIUM on the library reads no element any more, and its answer never comes.
    fn blind(self) -> Self {
        let Target::Ours(served) = &self.target else { panic!("tgt cannot be told to") };
        let (library, witness) = (served.library().clone(), self.intents.clone());
        self.proxy.witness(move |way| {
            witness.moved(way);
            // A person has to come: nothing is wrong with how it is asked.
            let refused = sim::Fault::sense(sim::SenseKey::NotReady, 0x04, 0x03);
            library.inject(refused.on(READ_ELEMENT_STATUS).always());
        });
        self.proxy.lose_answers();
        Self { blind: true, ..self }
    }

    /// Writes down the doubts, each once.
    fn listen(&self) {
        let (mut events, doubted) = (self.session.events(), Arc::clone(&self.doubted));
        tokio::spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                if let EventKind::MotionInDoubt { request, .. } = event.kind {
                    doubted.lock().expect("sound").insert((request, event.sequence));
                }
            }
        });
    }

    async fn work(self, seed: u64, runs: usize) -> Seen {
        let (mut dice, mut seen) = (Dice(seed), Seen::default());
        for run in 0..runs {
            self.run(&mut dice, &mut seen, &format!("library {seed}, run {run}")).await;
        }
        seen.hits = self.proxy.hits();
        seen.doubted = self.doubted.lock().expect("sound").len();
        tokio::time::timeout(LONGEST, self.manager.shutdown()).await.expect("the manager ends");
        seen
    }

    /// One request, harmed, and everything that was said of it.
    async fn run(&self, dice: &mut Dice, seen: &mut Seen, name: &str) {
        self.ready().await;
        let from = self.place().await;
        let (moves, done) = (self.proxy.moves().len(), self.target.moves_done());
        if let (Target::Ours(served), 0) = (&self.target, dice.roll(6)) {
            // What comes first then is a login, and it is harmed.
            served.cut_connections();
        }
        let faults = if self.blind { Vec::new() } else { dice.faults() };
        let name = format!("{name}, {faults:?}, from {from}");
        self.proxy.arm(faults);
        let (id, said) = tokio::time::timeout(LONGEST, self.request(from)).await.expect(&name);
        self.proxy.disarm();
        if let (Target::Ours(served), true) = (&self.target, self.blind) {
            served.library().clear_faults();
            // It was read anew after what is unknown, and refused that.
            self.ready().await;
        }

        let motions = self.session.motions(id).await.expect("its motions are kept");
        let told: Vec<MotionState> = motions.iter().map(|motion| motion.state).collect();
        let sent = self.proxy.moves().len() - moves;
        let name = format!("{name}: {said:?}, {told:?}, {sent} moves");
        let count = |wanted: MotionState| told.iter().filter(|state| **state == wanted).count();
        // Every move had an intent that was durable before it, and that was its own.
        assert_eq!(self.intents.moves_without(), [], "{name}");
        self.intents.close();
        assert_eq!(count(MotionState::Open), 0, "{name}: an ended request has no open motion");
        assert!(sent <= told.len() - count(MotionState::NotSent), "{name}: a move that was called not sent");

        // What was said is so: at once, unless it was said to be unknown.
        let moved = count(MotionState::Moved);
        let is_known = count(MotionState::Unknown) == 0;
        if !is_known {
            let read = async {
                // Nothing is harmed any more, but a machine that is busy with else may need longer than a command has here.
                while self.session.inventory().await.is_err() {
                    self.ready().await;
                }
            };
            let read = tokio::time::timeout(LONGEST, read).await;
            read.unwrap_or_else(|_| panic!("{name}: no inventory comes to pass"));
        }
        let (kept, is) = (self.kept().await, self.place().await);
        assert_eq!(kept, Place::Element(is), "{name}: the catalogue (left) and the library (right)");
        if is_known {
            assert_eq!(moved, usize::from(is != from), "{name}: seen in {is}");
            if let (Some(before), Some(now)) = (done, self.target.moves_done()) {
                assert_eq!(now - before, moved as u64, "{name}: motions of the robot");
            }
        }
        match said {
            Ok(()) => assert!(is != from && moved == 1, "{name}: it passed, and nothing has moved"),
            Err(kind) => {
                let known =
                    matches!(kind, FailureKind::PathLost | FailureKind::Unknown | FailureKind::DriveFault);
                assert!(known, "{name}: nobody but the way was at fault");
            }
        }
        seen.runs += 1;
        seen.passed += usize::from(said.is_ok());
        seen.failed += usize::from(said.is_err());
        seen.moved += moved;
        seen.not_moved += count(MotionState::NotMoved);
        seen.not_sent += count(MotionState::NotSent);
        seen.unknown += count(MotionState::Unknown);
    }

    /// Brings the cartridge to the drive, or back.
    async fn request(&self, from: ElementName) -> (RequestId, Result<(), FailureKind>) {
        loop {
            let label = self.target.label();
            let refused = if from.kind == ElementType::Drive {
                match self.session.dismount(label).submit().await {
                    Ok(ticket) => return (ticket.id(), ticket.await.map(drop).map_err(kind)),
                    Err(error) => error,
                }
            } else {
                match self.session.mount(label).submit().await {
                    Ok(ticket) => return (ticket.id(), ticket.await.map(drop).map_err(kind)),
                    Err(error) => error,
                }
            };
            // The loss of a connection can be known before the request comes.
            let is_away = matches!(refused, SubmitError::Refused(Refusal::NotReady { .. }));
            assert!(is_away, "{refused}");
            self.ready().await;
        }
    }

    /// Waits until the library serves. A login that was doubled breaks the protocol, which is no matter for waiting but that
    /// a library which has served is tried again.
    async fn ready(&self) {
        let wait = async {
            while self.manager.ready().await.is_err() {
                // An error that is there already is told at once, and nothing announces the next attempt.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(LONGEST, wait).await.expect("the library serves again");
    }

    /// Where the library itself says that the cartridge is.
    async fn place(&self) -> ElementName {
        let url = self.target.url();
        let contents = tokio::task::spawn_blocking(move || truth::contents(&url)).await.expect("it is read");
        contents[self.target.label()]
    }

    /// Where the catalogue says that it is.
    async fn kept(&self) -> Place {
        let cartridges = self.session.cartridges(None).await.expect("the session is open");
        let label = self.target.label();
        let found = cartridges.into_iter().find(|cartridge| cartridge.barcode.as_deref() == Some(label));
        found.unwrap_or_else(|| panic!("the catalogue has lost {label}")).place
    }
}

fn kind(error: RequestError) -> FailureKind {
    match error {
        RequestError::Failed { failure, .. } => failure.kind,
        other => panic!("{other}"),
    }
}
