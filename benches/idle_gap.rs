//! How long the arm waits for us: `cargo bench --bench idle_gap`.
//!
//! - In instructions: from the end of a motion to the next one's `Execute`, inside the engine, with so many mounts waiting. Counted by
//!   `valgrind --tool=callgrind`, for which the bench runs itself; where valgrind is missing it says so.
//! - In time: from the answer to one MOVE MEDIUM to the next one at the transport, with the manager, its tasks and the memory store in
//!   between, on a library that takes no time for anything.

use std::process::{Command as Process, ExitCode};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use autochanger::transport::sim::{self, SimulatedLibrary};
use autochanger::transport::{Command, Completion, Limits, Transport, TransportError};
use autochanger::{LibraryConfig, Manager, Role};
use autochanger_engine::command::Completion as Answered;
use autochanger_engine::time::Now;
use autochanger_engine::{Engine, Input, Output};
use autochanger_scsi::MoveMedium;
use autochanger_sim::{Library, Timing};
use autochanger_world::{World, mount};

/// How many mounts wait.
const WAITING: [u32; 3] = [10, 1000, 5000];
/// Mounts and dismounts of the run in real time.
const ROUNDS: usize = 2000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--waiting") {
        let waiting = arguments.get(at + 1).and_then(|count| count.parse().ok()).unwrap_or(WAITING[0]);
        assert!(one_gap(waiting), "the next motion followed");
        return ExitCode::SUCCESS;
    }
    println!("{:>10} {:>14}", "waiting", "instructions");
    for waiting in WAITING {
        match instructions(waiting) {
            Ok(count) => println!("{waiting:>10} {count:>14}"),
            Err(why) => {
                println!("not counted: {why}");
                break;
            }
        }
    }
    let mut gaps = gaps();
    gaps.sort_unstable();
    let at = |percent: usize| gaps[(gaps.len() - 1) * percent / 100];
    println!(
        "between two moves, memory store, {} times: p50 {:?}, p99 {:?}, longest {:?}",
        gaps.len(),
        at(50),
        at(99),
        at(100)
    );
    ExitCode::SUCCESS
}

/// A motion ends; what the engine does until it wants the next one.
#[inline(never)]
fn arm_free(engine: &mut Engine, ended: Input, now: Now) -> bool {
    engine.handle(ended, now);
    while let Some(output) = engine.poll_output() {
        if matches!(&output, Output::Execute { command, .. } if command.cdb.opcode() == MoveMedium::OPCODE) {
            return true;
        }
    }
    false
}

/// A medium leaves the only drive, and so many mounts wait for it.
fn one_gap(waiting: u32) -> bool {
    let library = Library::new()
        .slots(waiting as u16 + 2)
        .drives(1)
        .first_slot(1000)
        .cartridges("VT{:05}L8", 0..=waiting)
        .timing(Timing::midrange());
    let mut world = World::unwatched(library.build(), |config| config.max_live_requests = 100_000);
    world.rest();
    world.mount("VT00000L8");
    world.rest();
    for tape in 1..=waiting {
        world.submit(mount(&format!("VT{tape:05}L8"))).expect("a mount is accepted");
    }
    world.withhold_moves = true;
    world.dismount("VT00000L8");
    while world.withheld.is_empty() && world.step() {}
    let command = world.withheld.pop().expect("the dismount's motion");
    let now = world.moment();
    arm_free(&mut world.engine, Input::Completed { command, result: Ok(Answered::good()) }, now)
}

/// What `arm_free` takes, counted.
fn instructions(waiting: u32) -> Result<u64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Process::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*arm_free*"])
        .arg(own)
        .args(["--waiting", &waiting.to_string()])
        .output()
        .map_err(|error| format!("valgrind (Debian package `valgrind`): {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind ended with {}: {said}", output.status));
    }
    let count = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind counted nothing: {said}"))
}

/// A transport that takes the time of each MOVE MEDIUM.
struct Stamped {
    inner: Arc<dyn Transport>,
    moves: Arc<Mutex<Vec<(Instant, Instant)>>>,
}

#[async_trait]
impl Transport for Stamped {
    async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
        let is_move = command.cdb.opcode() == MoveMedium::OPCODE;
        let sent = Instant::now();
        let answer = self.inner.execute(command).await;
        if is_move {
            self.moves.lock().expect("sound").push((sent, Instant::now()));
        }
        answer
    }
    fn limits(&self) -> Limits {
        self.inner.limits()
    }
    fn device(&self) -> &str {
        self.inner.device()
    }
    fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
        self.inner.sibling(lun)
    }
}

/// The times between a dismount's motion and that of the mount that follows it.
fn gaps() -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let library =
            SimulatedLibrary::start(sim::Library::new().drives(1).slots(10).cartridges("VT{:04}L8", 1..=2));
        let moves = Arc::new(Mutex::new(Vec::new()));
        let stamped = Stamped { inner: library.transport(), moves: Arc::clone(&moves) };
        let manager = Manager::builder()
            .library(LibraryConfig::transport("idle-gap", Arc::new(stamped)))
            .lock_directory(std::env::temp_dir())
            .open()
            .await
            .expect("the manager opens");
        manager.ready().await.expect("a simulated library comes ready");
        let session = manager.session("bench").role(Role::Administrator).open().expect("a session");
        let mut tape = session.mount("VT0001L8").await.expect("mounted");
        for round in 0..ROUNDS {
            let label = if round % 2 == 0 { "VT0002L8" } else { "VT0001L8" };
            // It waits for the drive before the dismount comes, so that its motion follows at once.
            let next = session.mount(label).submit().await.expect("accepted");
            tape.dismount().await.expect("dismounted");
            tape = next.await.expect("mounted");
        }
        manager.shutdown().await;
        let moves = moves.lock().expect("sound");
        // The first one brought a medium into an empty drive; after it they come in pairs.
        moves[1..].chunks(2).filter_map(|pair| Some(pair.get(1)?.0 - pair[0].1)).collect()
    })
}
