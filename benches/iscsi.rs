//! Commands per second over iSCSI, beside canned PDUs over a blocking socket to the same target in the same run.
//!
//! `cargo bench --bench iscsi` takes half a minute; `-- --quick` less than ten seconds, with more noise. `--only TEXT` (a
//! part of a line's name) measures less, for a profiler, and with it `--side canned` or `--side ours`. It needs `tgtd`
//! (Debian package `tgt`), on loopback. Run by `cargo test --benches` it only tries that everything works.
//!
//! The targets are tgt and our own virtual library, each with 1,000 slots. Compare ratios, not rates: both sides take
//! turns, and a ratio is the median of those of the turns.

#[path = "../tests/beds/mod.rs"]
mod beds;
#[path = "iscsi/canned.rs"]
mod canned;
#[path = "iscsi/ours.rs"]
mod ours;

use std::time::{Duration, Instant};

use autochanger::transport::IscsiUrl;
use autochanger::transport::sim::{self, SimulatedLibrary};
use autochanger::virtual_library::VirtualLibrary;
use autochanger_scsi::{Cdb, ElementAddress, ElementType, ReadElementStatus, TestUnitReady};

use beds::{TgtBed, TgtOptions};
use canned::Canned;
use ours::Ours;

const SLOTS: u16 = 1000;

/// How many commands are in flight.
const DEPTHS: [usize; 2] = [1, 32];

/// What is sent.
#[derive(Clone, Copy)]
struct Question {
    name: &'static str,
    cdb: Cdb,
    /// The allocation length of the CDB.
    data_in: u32,
    /// How many bytes an answer has at least: less is another answer than was asked for.
    at_least: usize,
}

fn questions() -> [Question; 2] {
    /// More than 1,000 descriptors with tags, whatever else a target puts into them.
    const ALLOCATION: u32 = 128 * 1024;
    /// A descriptor with a volume tag (SMC-3 clause 6.11.5).
    const DESCRIPTOR: usize = 48;
    let report = ReadElementStatus {
        element_type: Some(ElementType::Storage),
        start: ElementAddress(0),
        count: SLOTS,
        volume_tags: true,
        current_data: false,
        device_ids: false,
        allocation: ALLOCATION,
    };
    [
        Question { name: "TEST UNIT READY", cdb: TestUnitReady {}.cdb(), data_in: 0, at_least: 0 },
        Question {
            name: "READ ELEMENT STATUS, 1,000 slots",
            cdb: report.cdb(),
            data_in: ALLOCATION,
            at_least: usize::from(SLOTS) * DESCRIPTOR,
        },
    ]
}

/// How much is measured.
struct Plan {
    turns: usize,
    turn: Duration,
    only: String,
    side: String,
}

impl Plan {
    fn of(arguments: &[String]) -> Self {
        let given = |name: &str| arguments.iter().any(|argument| argument == name);
        let value = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1).cloned();
        // `cargo bench` passes --bench, `cargo test --benches` nothing.
        let (turns, turn) = match (given("--bench") && !given("--test"), given("--quick")) {
            (true, false) => (15, 120),
            (true, true) => (7, 60),
            (false, _) => (1, 5),
        };
        Self {
            turns,
            turn: Duration::from_millis(turn),
            only: value("--only").unwrap_or_default(),
            side: value("--side").unwrap_or_default(),
        }
    }

    fn wants(&self, side: &str) -> bool {
        self.side.is_empty() || self.side == side
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return;
    }
    let plan = Plan::of(&arguments);
    println!(
        "{:<17}{:<34}{:>10}{:>12}{:>12}{:>8}{:>16}{:>14}{:>12}",
        "target",
        "commands/s",
        "in flight",
        "canned",
        "ours",
        "ratio",
        "(of turns)",
        "canned, CPU",
        "ours, CPU"
    );
    let options = TgtOptions { slots: SLOTS, drives: 1, ports: 0, cartridges: 8, chap: None };
    let bed = TgtBed::start(options);
    measure(&plan, "tgt", &bed.url().parse().expect("the bed gives a right URL"));
    drop(bed);
    let served = Served::start();
    measure(&plan, "virtual library", &served.url);
    println!(
        "\nratio: ours by canned, the median of the turns of this run, and the lowest and the highest of them"
    );
}

fn measure(plan: &Plan, target: &str, url: &IscsiUrl) {
    for question in questions() {
        for depth in DEPTHS {
            let name = format!("{target}, {}, {depth} in flight", question.name);
            if name.contains(&plan.only) {
                line(plan, target, url, question, depth);
            }
        }
    }
}

fn line(plan: &Plan, target: &str, url: &IscsiUrl, question: Question, depth: usize) {
    let mut canned = Canned::open(url, question, depth);
    let mut ours = Ours::open(url, question, depth);
    // The first turn warms up, and its figures are not kept.
    let (mut first, mut second, mut ratios) = (Side::default(), Side::default(), Vec::new());
    for turn in 0..=plan.turns {
        if turn == 1 {
            (first, second) = (Side::default(), Side::default());
        }
        if plan.wants("canned") {
            first.turn(|| canned.run(plan.turn));
        }
        if plan.wants("ours") {
            second.turn(|| ours.run(plan.turn));
        }
        if turn > 0 {
            ratios.push(second.latest() / first.latest());
        }
    }
    ratios.sort_unstable_by(f64::total_cmp);
    println!(
        "{target:<17}{:<34}{depth:>10}{:>12.0}{:>12.0}{:>8.2}{:>16}{:>14}{:>12}",
        question.name,
        first.median(),
        second.median(),
        ratios[ratios.len() / 2],
        format!("({:.2} to {:.2})", ratios[0], ratios[ratios.len() - 1]),
        first.processor(),
        second.processor(),
    );
}

/// What one side has done.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    commands: usize,
    processor: Duration,
}

impl Side {
    fn turn(&mut self, run: impl FnOnce() -> usize) {
        let (begun, busy) = (Instant::now(), processor_time());
        let commands = run();
        self.rates.push(commands as f64 / begun.elapsed().as_secs_f64());
        self.processor += processor_time() - busy;
        self.commands += commands;
    }

    fn latest(&self) -> f64 {
        self.rates.last().copied().unwrap_or(f64::NAN)
    }

    fn median(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_unstable_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// This side's own processor time for a command: what a busy machine does not change.
    fn processor(&self) -> String {
        format!("{:.1} us", self.processor.as_secs_f64() * 1e6 / self.commands as f64)
    }
}

/// How long this thread has had a processor; zero where the system does not tell (it is Linux that does).
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// A virtual library on a thread of its own, as another process would be.
struct Served {
    url: IscsiUrl,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    fn start() -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let description = sim::Library::new().slots(SLOTS).drives(1).cartridges("VT{:04}L8", 1..=8);
                let library = SimulatedLibrary::start(description);
                let served = VirtualLibrary::builder(library).listen(([127, 0, 0, 1], 0)).start().await;
                let served = served.expect("loopback has a free port");
                tell.send(served.url()).expect("the bench listens");
                let _ = stopped.await;
            });
        });
        let url = told.recv().expect("the virtual library is served");
        Self { url, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
