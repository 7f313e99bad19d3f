//! The quickstart does the main job on every kind of library that can be had without hardware, ends 0 only when all that
//! it said was true, and leaves every cartridge where it was.
//!
//! It is run as a user runs it: as a program of its own, built by `cargo test` beside the tests.
#![cfg(all(feature = "iscsi", feature = "sim", feature = "redb"))]

mod beds;
#[path = "store/temp.rs"]
mod temp;
#[path = "kill/truth.rs"]
mod truth;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use beds::proxy::{Holding, Proxy};
use beds::{Hand, TgtBed, TgtOptions};
use temp::TempDir;

/// Only a broken quickstart takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

const MOVE_MEDIUM: u8 = 0xA5;

/// How a run ended, and what it said.
#[derive(Debug)]
struct Run {
    status: i32,
    out: String,
    err: String,
    took: Duration,
}

impl Run {
    fn says(&self, words: &str) {
        assert!(self.out.contains(words), "{words:?} is missing in:\n{}\n{}", self.out, self.err);
    }

    /// It ended 0, and its last word and its statements say why.
    fn is_good(&self) {
        assert_eq!(self.status, 0, "{}\n{}", self.out, self.err);
        assert!(!self.out.contains("NOT TRUE"), "{}", self.out);
        assert!(self.out.contains("[true]") && self.out.contains("statements were true"), "{}", self.out);
        assert_eq!(self.err, "");
    }

    /// It ended otherwise and told why in words, on the stream for that.
    fn is_refused(&self, words: &[&str]) {
        assert_eq!(self.status, 2, "{}\n{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing in:\n{}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this program has a path");
    let directory = test.parent().and_then(|deps| deps.parent()).expect("it is built into target/*/deps");
    let path = directory.join("examples").join(format!("quickstart{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is not built: run `cargo test`, which builds it, or `cargo build --example quickstart`",
        path.display()
    );
    path
}

fn quickstart(arguments: &[&str]) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(arguments))
}

async fn run(arguments: &[&str]) -> Run {
    let start = Instant::now();
    let mut command = tokio::process::Command::new(program());
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("it comes to an end").expect("it can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes text");
    let status = output.status.code().expect("nobody kills it");
    Run { status, out: text(output.stdout), err: text(output.stderr), took: start.elapsed() }
}

#[test]
fn without_arguments_it_does_the_main_job_on_a_simulated_library() {
    let run = quickstart(&[]);
    run.is_good();
    println!("it took {:?}", run.took);
    run.says("24 slots, 4 import/export slots, 2 drives, 1 arms");
    // The inventory as a table, with every cartridge.
    run.says("element");
    for number in 1..=20 {
        run.says(&format!("storage               VT{number:04}L8"));
    }
    // Two mounts, and where they are.
    run.says("VT0001L8 is ready in drive 500");
    run.says("VT0002L8 is ready in drive 501");
    // A third one, cancelled while the library was busy.
    run.says("the library was moving");
    run.says("the third mount was cancelled");
    run.says("nothing was moved for it");
    run.says("VT0001L8 is in slot 1000");
    run.says("VT0002L8 is in slot 1001");
}

#[test]
fn it_shows_every_answer_of_a_cancel_that_can_be_had_on_a_library_in_order() {
    let run = quickstart(&[]);
    run.is_good();
    for (fact, code) in [
        ("no step of it was ever sent", 0),
        ("a step is in flight, and later ones exist", 0),
        ("its last step is under way", 5),
        ("an operator may see it, and may not control", 5),
        ("it is not the caller's to see", 4312),
        ("it never existed", 4312),
        ("it ended before, as passed", 4312),
        ("it ended before, as cancelled", 4312),
        ("the session is closed", 6),
    ] {
        let (_, after) =
            run.out.split_once(fact).unwrap_or_else(|| panic!("{fact:?} is not shown:\n{}", run.out));
        let answer = after.lines().nth(1).expect("the answer stands on the next line");
        assert!(answer.contains("->") && answer.contains(&format!("(RSM code {code})")), "{fact}: {answer}");
    }
    run.says("the verdict: stopped; the cartridge is in drive 500");
}

#[test]
fn it_ends_with_the_history_of_all_that_was_asked() {
    let run = quickstart(&[]);
    run.is_good();
    let (_, history) = run.out.split_once("What the manager remembers").expect("the history has a title");
    let rows = |operation: &str, state: &str| {
        let row = |line: &&str| line.contains(&format!("Z  {operation}")) && line.contains(state);
        history.lines().filter(row).count()
    };
    assert_eq!(rows("mount", "cancelled by quickstart"), 2, "{history}");
    // A machine that is busy may be late with the last stop, and the mount passes.
    let (passed, stopped) =
        (rows("mount", "passed: mounted in drive"), rows("mount", "stopped by quickstart"));
    assert!(passed >= 2 && stopped >= 1 && passed + stopped == 4, "{history}");
    assert_eq!(rows("dismount", "passed: dismounted to slot"), 4, "{history}");
    assert_eq!(rows("inventory", "passed: 20 cartridges in 31 elements"), 2, "{history}");
}

fn on_tgt(slots: u16, cartridges: u16) -> Run {
    let bed = TgtBed::start(TgtOptions { slots, cartridges, ..TgtOptions::default() });
    let before = truth::contents(&bed.url());
    assert_eq!(before.len(), usize::from(cartridges));
    let run = quickstart(&[&bed.url()]);
    run.is_good();
    assert_eq!(truth::contents(&bed.url()), before, "each cartridge is where it was");
    run.says("STK L700");
    run.says(&format!("{slots} slots, 4 import/export slots, 2 drives, 1 arms"));
    for (n, label) in ["VT0001L3", "VT0002L3"].iter().enumerate() {
        // Each drive with its serial number and its own way, the last one of the report too.
        let (drive, unit) = (500 + n, 1 + n);
        let url = bed.unit_url(u16::try_from(unit).expect("there are two"));
        run.says(&format!("{label} is ready in drive {drive}, serial number DRV000000{unit}, {url}"));
    }
    run
}

#[test]
fn with_tgts_changer_of_20_slots_it_does_the_same_and_returns_every_cartridge() {
    let run = on_tgt(20, 8);
    assert!(run.took < Duration::from_secs(10), "tgt's moves take no time, and this took {:?}", run.took);
}

#[test]
fn with_tgts_changer_of_1000_slots_it_does_the_same_and_returns_every_cartridge() {
    on_tgt(1000, 1000);
}

#[test]
fn with_a_store_it_can_be_run_again_on_what_the_last_run_left() {
    let bed = TgtBed::start(TgtOptions::default());
    let directory = TempDir::new();
    let store = directory.file("media.redb");
    let before = truth::contents(&bed.url());
    let arguments = ["--store", store.to_str().expect("a path of letters"), &bed.url()];
    let requests = |run: &Run| {
        let (_, history) = run.out.split_once("What the manager remembers").expect("the history has a title");
        history.lines().filter(|line| line.contains("Z  ")).count()
    };
    let first = quickstart(&arguments);
    first.is_good();
    let second = quickstart(&arguments);
    second.is_good();
    assert!(requests(&second) > requests(&first), "the history has both runs:\n{}", second.out);
    assert_eq!(truth::contents(&bed.url()), before);
}

#[tokio::test]
async fn what_turns_out_untrue_is_said_and_ends_otherwise_than_0() {
    let bed = TgtBed::start(TgtOptions::default());
    let proxy = Proxy::start(bed.port()).await;
    let url = bed.url_through(proxy.port());
    let meddle = async {
        // With its answers held it stands still, its first inventory behind it, while a hand puts a cartridge in.
        proxy.until_count(MOVE_MEDIUM, 1).await;
        proxy.hold(Holding::Commands);
        bed.operator(Hand::Put { slot: 1019, barcode: "NEW001L3" });
        proxy.hold(Holding::Nothing);
    };
    let arguments = [&*url];
    let (run, ()) = tokio::join!(run(&arguments), meddle);
    assert_eq!(run.status, 1, "{}\n{}", run.out, run.err);
    run.says("[NOT TRUE] no cartridge came and none is missing");
    run.says("statements were not true");
}

#[test]
fn a_text_that_is_no_url_ends_at_once_with_what_is_wrong_and_an_example() {
    let run = quickstart(&["iscsi://backup%hunter2@vtl.example/iqn.2026-01.example:lib/first"]);
    run.is_refused(&["the LUN is no number", "vtl.example", "expected iscsi://"]);
    assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
    let run = quickstart(&["tape0"]);
    run.is_refused(&["tape0", "sim:", "iscsi:"]);
}

#[test]
fn a_logical_unit_that_is_no_changer_ends_with_the_one_that_is() {
    let bed = TgtBed::start(TgtOptions::default());
    let changer = format!("logical unit {}", bed.changer_lun());
    quickstart(&[&bed.disk_url()]).is_refused(&[&bed.disk_url(), "disk", &changer]);
    quickstart(&[&bed.drive_url(0)]).is_refused(&[&bed.drive_url(0), "tape", &changer]);
}

#[test]
fn a_target_that_is_not_there_ends_with_what_to_check() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = listener.local_addr().expect("a bound socket has an address").port();
    drop(listener);
    // It bears with the target for as long as a restart of one takes: this test waits that out.
    let run = quickstart(&[&format!("iscsi://127.0.0.1:{port}/iqn.2026-01.test:nobody/0")]);
    run.is_refused(&[&format!("127.0.0.1:{port}"), "check host and port"]);
}

#[test]
fn a_library_that_is_too_small_ends_with_what_is_needed() {
    for device in ["sim:drives=1", "sim:cartridges=2"] {
        quickstart(&[device]).is_refused(&["3 labelled cartridges", "2 empty drives"]);
    }
}

#[test]
fn help_is_given_and_a_wrong_option_is_told() {
    let run = quickstart(&["--help"]);
    assert_eq!((run.status, &*run.err), (0, ""));
    run.says("cargo run --example quickstart");
    run.says("DEVICE");
    quickstart(&["--nonsense"]).is_refused(&["--nonsense", "--help"]);
    quickstart(&["--drive", "five=sim:"]).is_refused(&["five"]);
}
