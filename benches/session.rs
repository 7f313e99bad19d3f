//! Requests per second through a `Session` on a library that takes no time, beside floors of the same run.
//!
//! `cargo bench --bench session` prints the tables in less than a minute; `-- --quick` in less than ten seconds, with
//! more noise. `--clients N` and `--only TEXT` (a part of a line's name) measure less, for a profiler. Run by
//! `cargo test --benches` it only tries that everything works.
//!
//! Compare ratios, not rates: the floors were measured in the same process, moments before.

#[path = "session/bare.rs"]
mod bare;
#[path = "session/counted.rs"]
mod counted;
#[path = "session/library.rs"]
mod library;
#[path = "session/measure.rs"]
mod measure;
#[path = "session/round_trip.rs"]
mod round_trip;
#[path = "session/script.rs"]
mod script;
#[path = "session/table.rs"]
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use autochanger::store::{RedbStore, Store};
use tokio::runtime::{Builder, Runtime};

use bare::bare;
use library::{Kept, Rig, Size, cancels, cycles, fresh_file};
use measure::Pace;
use round_trip::round_trip;
use script::Script;
use table::{Line, print_table};

/// As many worker threads as a small machine has; a manager uses one at a time.
const WORKERS: usize = 2;

const ACTOR: &str = "floor 1: mpsc + oneshot";
const BARE: &str = "floor 2: no policy";
const CANCEL_MEMORY: &str = "mount + cancel, memory";
const CANCEL_REDB: &str = "mount + cancel, redb";
const CYCLE_MEMORY: &str = "mount, dismount, memory";
const CYCLE_REDB: &str = "mount, dismount, redb";

/// How much is measured.
struct Plan {
    clients: Vec<usize>,
    /// A part of the lines' names; empty for all of them.
    only: String,
    /// Drives; more than 128 would have no ways of their own, for so many logical units of a target are asked.
    drives: u16,
    /// Cartridges, one for each client; a few more are added. As many slots.
    cartridges: u16,
    runtimes: &'static [Flavour],
    floor: Pace,
    memory: Pace,
    /// A commit takes as long as the disk takes, and with many clients each request waits for many commits.
    redb: Pace,
    redb_many: Pace,
    commits: Duration,
}

#[derive(Clone, Copy)]
enum Flavour {
    Current,
    Multi,
}

impl Flavour {
    fn name(self) -> String {
        match self {
            Self::Current => String::from("current_thread"),
            Self::Multi => format!("multi_thread({WORKERS})"),
        }
    }

    fn start(self) -> Runtime {
        let mut builder = match self {
            Self::Current => Builder::new_current_thread(),
            Self::Multi => Builder::new_multi_thread(),
        };
        builder.worker_threads(WORKERS).enable_all().build().expect("a runtime starts")
    }
}

impl Plan {
    fn of(arguments: &[String]) -> Self {
        let mut plan = Self::sized(arguments);
        let value = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1);
        if let Some(clients) = value("--clients") {
            plan.clients = vec![clients.parse().expect("--clients is followed by a number")];
        }
        plan.only = value("--only").cloned().unwrap_or_default();
        plan
    }

    fn wants(&self, line: &str) -> bool {
        line.contains(&self.only)
    }

    fn sized(arguments: &[String]) -> Self {
        let given = |name: &str| arguments.iter().any(|argument| argument == name);
        // `cargo bench` passes --bench, `cargo test --benches` nothing.
        if given("--quick") && !given("--test") {
            Self {
                clients: vec![1, 64, 4096],
                only: String::new(),
                drives: 64,
                cartridges: 4096,
                runtimes: &[Flavour::Current],
                floor: Pace::new(30, 120),
                memory: Pace::new(100, 300),
                redb: Pace::new(100, 300),
                redb_many: Pace::new(500, 1500),
                commits: Duration::from_millis(200),
            }
        } else if given("--bench") && !given("--test") {
            Self {
                clients: vec![1, 64, 4096],
                only: String::new(),
                drives: 64,
                cartridges: 4096,
                runtimes: &[Flavour::Current, Flavour::Multi],
                floor: Pace::new(100, 400),
                memory: Pace::new(300, 1000),
                redb: Pace::new(300, 1000),
                redb_many: Pace::new(2000, 4000),
                commits: Duration::from_millis(500),
            }
        } else {
            Self {
                clients: vec![1, 8],
                only: String::new(),
                drives: 4,
                cartridges: 8,
                runtimes: &[Flavour::Current, Flavour::Multi],
                floor: Pace::new(5, 20),
                memory: Pace::new(5, 30),
                redb: Pace::new(5, 60),
                redb_many: Pace::new(5, 60),
                commits: Duration::from_millis(20),
            }
        }
    }

    /// The same library for any number of clients, so that only they make the difference.
    fn size(&self) -> Size {
        // Two more cartridges keep the arm busy while requests are cancelled.
        Size { cartridges: self.cartridges + 2, drives: self.drives }
    }

    fn redb_for(&self, clients: usize) -> Pace {
        if clients > usize::from(self.drives) { self.redb_many } else { self.redb }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return;
    }
    let begun = Instant::now();
    let plan = Plan::of(&arguments);
    let directory = Scratch::make();
    let Size { cartridges, drives } = plan.size();
    println!("a library with {drives} drives, {cartridges} cartridges and one arm, all without delay");
    println!("redb files in {}", directory.0.display());
    let (script, commit) = Flavour::Current.start().block_on(prepare(&plan, &directory.0));
    println!(
        "a mount sends {} commands, a dismount {}; a redb commit of one change takes {}\n",
        script.mount.len(),
        script.dismount.len(),
        table::time(Some(commit)),
    );
    for flavour in plan.runtimes {
        let runtime = flavour.start();
        let mut lines = Vec::new();
        for &clients in &plan.clients {
            lines.extend(runtime.block_on(lines_for(&plan, &script, clients, commit, &directory.0)));
        }
        print_table(&flavour.name(), &lines);
    }
    println!("{}", table::LEGEND);
    println!("took {:.1} s", begun.elapsed().as_secs_f64());
}

/// The commands of a mount and a dismount, and what one commit costs.
async fn prepare(plan: &Plan, directory: &Path) -> (Arc<Script>, Duration) {
    let rig = Rig::open(plan.size(), Kept::Memory, directory).await;
    let script = Script::seen_on(&rig, "VT0001L8").await;
    let change = rig.counts.sample().expect("the inventory's cartridges were committed");
    rig.manager.shutdown().await;
    let mut store = RedbStore::open(fresh_file(directory)).expect("a fresh file can be opened");
    let (begun, mut commits) = (Instant::now(), 0u32);
    while begun.elapsed() < plan.commits || commits == 0 {
        store.commit(std::slice::from_ref(&change)).expect("it is committed");
        commits += 1;
    }
    (Arc::new(script), begun.elapsed() / commits)
}

async fn lines_for(
    plan: &Plan,
    script: &Arc<Script>,
    clients: usize,
    commit: Duration,
    directory: &Path,
) -> Vec<Line> {
    let size = plan.size();
    let rig = |store| Rig::open(size, store, directory);
    let (mut lines, mut floors) = (Vec::new(), [None, None]);
    if plan.wants(ACTOR) {
        let measured = round_trip(clients, plan.floor).await;
        floors[0] = Some(measured.rate());
        lines.push(Line::new(ACTOR, clients, &measured));
    }
    if plan.wants(BARE) {
        let measured = bare(script, size, clients, plan.floor).await;
        lines.push(Line::new(BARE, clients, &measured).above([floors[0], None]));
        floors[1] = Some(measured.rate());
    }
    let redb = Kept::Redb(directory);
    for (name, store, pace) in [(CANCEL_MEMORY, Kept::Memory, plan.memory), (CANCEL_REDB, redb, plan.redb)] {
        if plan.wants(name) {
            let worked = cancels(rig(store).await, clients, pace).await;
            let line = Line::new(name, clients, &worked.measured).above([floors[0], None]);
            lines.push(if store == redb { line.commits(&worked, commit) } else { line });
        }
    }
    for (name, store, pace) in
        [(CYCLE_MEMORY, Kept::Memory, plan.memory), (CYCLE_REDB, redb, plan.redb_for(clients))]
    {
        if plan.wants(name) {
            let worked = cycles(rig(store).await, clients, pace).await;
            let line = Line::new(name, clients, &worked.measured).above(floors);
            lines.push(if store == redb { line.commits(&worked, commit) } else { line });
        }
    }
    lines
}

/// A directory of this run's own, on the disk that the build is on; gone when the run is over.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("session-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory can be made beside the build");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
