//! How long a store takes to open again after its process was killed while it wrote, and what its commits cost for it.
//!
//! `cargo bench --bench reopen`: with 1,000 and with 1,000,000 requests that have ended. `-- --ended N` measures one more
//! number. A store is verified when it is opened, or trusted where it is large; the rows measure both, and what it is
//! like when commits do not save what a reopening needs. The file lies in the build directory, so that a real disk is
//! synced; it is read from the page cache.

#[path = "../tests/store/samples.rs"]
#[allow(dead_code, reason = "shared with the tests of the stores, which use all of it")]
mod samples;
#[path = "../tests/store/temp.rs"]
mod temp;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use autochanger::catalog::MotionState;
use autochanger::change::Change;
use autochanger::request::State;
use autochanger::store::{Purge, RedbStore, Store};
use temp::TempDir;

/// Requests that have ended, unless the command line says otherwise.
const PASTS: [u64; 2] = [1_000, 1_000_000];

/// Requests that are live at the kill: some hundred waiting mounts.
const LIVE: u64 = 200;

/// How many requests are kept in one transaction while the past is made: two changes each, as many as the manager groups.
const GROUP: u64 = 4096;

/// Commits of the process that is killed before it is.
const COMMITS: usize = 200;

/// Kills for each figure, of which the median is printed.
const KILLS: usize = 5;

/// Requests that one purge deletes; its time is in the last column.
const PURGED: u64 = 1000;

/// A way to open the store and to commit to it.
#[derive(Clone, Copy)]
struct Way {
    verified: bool,
    saves: bool,
}

const WAYS: [Way; 3] = [
    Way { verified: true, saves: true },
    Way { verified: false, saves: true },
    Way { verified: false, saves: false },
];

impl Way {
    fn open(self, path: &Path) -> RedbStore {
        RedbStore::open_file(path, self.verified).expect("what a kill left opens").quick_repair(self.saves)
    }
}

const WRITER: &str = "--write-until-killed";
const SAVES: &str = "--saving";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after =
        |name: &str| arguments.iter().position(|one| one == name).and_then(|at| arguments.get(at + 1));
    if let Some(path) = after(WRITER) {
        let way = Way { verified: false, saves: arguments.iter().any(|one| one == SAVES) };
        return write_until_killed(Path::new(path), way);
    }
    let pasts = match after("--ended") {
        Some(number) => vec![number.parse().expect("--ended takes a number")],
        None => PASTS.to_vec(),
    };
    println!(
        "ended      opening    commits save  file       commit     reopen     load       closed     purge"
    );
    for past in pasts {
        let directory = TempDir::new();
        let path = directory.file("store");
        make_past(&path, past);
        for way in WAYS {
            measure(&path, past, way);
        }
    }
}

/// A request's whole life, as it is at the end of it.
fn ended(number: u64) -> [Change; 2] {
    let mut request = samples::mount_request(number, samples::mounted());
    request.ended_at = Some(autochanger::clock::WallTime(request.queued_at.0 + 60_000));
    [Change::Motion(samples::motion(number, 1, MotionState::Moved)), Change::Request(request)]
}

fn make_past(path: &Path, past: u64) {
    let mut store = RedbStore::open(path).expect("a store is made");
    for first in (0..past).step_by(GROUP as usize) {
        let group: Vec<Change> = (first..past.min(first + GROUP)).flat_map(ended).collect();
        store.commit(&group).expect("it is kept");
    }
    let live = (past..past + LIVE).map(|n| Change::Request(samples::mount_request(n, State::Queued)));
    store.commit(&live.collect::<Vec<_>>()).expect("it is kept");
}

/// One small commit after the other, each told on standard output with its microseconds.
fn write_until_killed(path: &Path, way: Way) {
    let mut store = way.open(path);
    let base = store.load().expect("it loads").requests.last().expect("some are live").queued_at.0;
    for number in 0.. {
        let mut request = samples::mount_request(1_000_000_000 - 1, State::Queued);
        request.queued_at.0 = base + number;
        let start = Instant::now();
        store.commit(&[Change::Request(request)]).expect("it is kept");
        println!("{}", start.elapsed().as_micros());
    }
}

/// Has a process write to the store and kills it while it does; the time of a commit in microseconds.
fn killed_writer(path: &Path, way: Way) -> u64 {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.arg(WRITER).arg(path).args(way.saves.then_some(SAVES)).stdout(Stdio::piped());
    let mut child: Child = command.spawn().expect("it starts again");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let times = output.lines().take(COMMITS).map(|line| line.expect("a line").parse().expect("a number"));
    let times: Vec<u64> = times.collect();
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
    median(times)
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = work();
    (start.elapsed(), value)
}

fn measure(path: &Path, past: u64, way: Way) {
    let (mut commits, mut reopens, mut loads) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..KILLS {
        commits.push(killed_writer(path, way));
        let (reopen, mut store) = timed(|| way.open(path));
        let (load, snapshot) = timed(|| store.load().expect("it loads"));
        assert_eq!(snapshot.requests.len() as u64, LIVE + 1);
        reopens.push(reopen);
        loads.push(load);
    }
    let (closed, mut store) = timed(|| way.open(path));
    let (purge, purged) =
        timed(|| store.purge(&Purge::KeepNewest(past.saturating_sub(PURGED))).expect("purged"));
    let again: Vec<Change> = (0..purged.deleted as u64).flat_map(ended).collect();
    store.commit(&again).expect("the past is as it was");
    let length = std::fs::metadata(path).expect("the file is there").len();
    assert_eq!(purged.deleted as u64, PURGED.min(past));
    println!(
        "{past:<10} {:<10} {:<12} {:>6.1} MB {:>7.2} ms {:>7.2} ms {:>7.2} ms {:>7.2} ms {:>7.2} ms",
        if way.verified { "verified" } else { "trusted" },
        if way.saves { "state" } else { "nothing" },
        length as f64 / 1e6,
        median(commits) as f64 / 1e3,
        ms(median(reopens)),
        ms(median(loads)),
        ms(closed),
        ms(purge),
    );
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
