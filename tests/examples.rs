//! The examples for a user's own devices, `devices` and `certify`, find what is there, say what it is, and leave every
//! cartridge where it was.
//!
//! They are run as a user runs them: as programs of their own, built by `cargo test` beside the tests.
#![cfg(all(feature = "iscsi", feature = "sim"))]

mod beds;
#[path = "kill/truth.rs"]
mod truth;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use autochanger::transport::sim::{self, SimulatedLibrary};
use autochanger::virtual_library::{DEFAULT_NAME, VirtualLibrary};
use beds::proxy::{Cut, Proxy};
use beds::{BedChap, TgtBed, TgtOptions};

/// Only a broken example takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

const MOVE_MEDIUM: u8 = 0xA5;

/// How a run ended, and what it said.
#[derive(Debug)]
struct Run {
    status: i32,
    out: String,
    err: String,
}

impl Run {
    fn ended(&self, status: i32) {
        assert_eq!(self.status, status, "{}\n{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }

    fn says(&self, words: &str) {
        assert!(self.out.contains(words), "{words:?} is missing in:\n{}\n{}", self.out, self.err);
    }

    fn is_refused(&self, words: &[&str]) {
        self.ended(2);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing in:\n{}", self.err);
        }
    }

    /// The line of the table that begins with these cells.
    fn row(&self, cells: &[&str]) -> Vec<String> {
        let rows = self.out.lines().map(|line| {
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
        });
        let mut fitting =
            rows.filter(|row: &Vec<String>| row.iter().zip(cells).all(|(row, cell)| row == cell));
        fitting
            .find(|row| row.len() >= cells.len())
            .unwrap_or_else(|| panic!("no {cells:?} in:\n{}", self.out))
    }

    /// What is to be pasted.
    fn block(&self) -> &str {
        let (_, block) = self.out.split_once("```text\n").expect("a block begins");
        block.strip_suffix("```\n").expect("the block is the last that is said")
    }
}

async fn run(example: &str, arguments: &[&str]) -> Run {
    let test = std::env::current_exe().expect("this program has a path");
    let directory = test.parent().and_then(|deps| deps.parent()).expect("it is built into target/*/deps");
    let program: PathBuf =
        directory.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is not built: run `cargo test`, which builds it, or `cargo build --example {example}`",
        program.display()
    );
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("it comes to an end").expect("it can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes text");
    let status = output.status.code().expect("nobody kills it");
    Run { status, out: text(output.stdout), err: text(output.stderr) }
}

fn run_alone(example: &str, arguments: &[&str]) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(example, arguments))
}

#[test]
fn without_arguments_devices_tells_what_the_kernel_has() {
    let run = run_alone("devices", &[]);
    // A machine without SCSI has no list of it, which is told as well.
    if run.status == 0 {
        run.says("this machine\n");
    } else {
        run.ended(1);
        assert!(run.err.contains("this machine: the kernel's devices cannot be read"), "{}", run.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_lists_the_simulated_library_behind_a_portal_with_its_drives_by_element() {
    let description = sim::Library::new().slots(8).drives(2).cartridges("VT{:04}L8", 1..=4).serial("SIMVTL");
    let library = VirtualLibrary::builder(SimulatedLibrary::start(description));
    let served = library.listen(([127, 0, 0, 1], 0)).start().await.expect("a port is free");
    let run = run("devices", &[&format!("iscsi://{}", served.address())]).await;
    assert!(!run.err.contains("iscsi://"), "{}", run.err);
    let changer = run.row(&["LUN 0", "changer"]);
    assert_eq!(changer[5..], ["SIMVTL".to_owned(), served.url().to_string()]);
    for (lun, element) in [(1, 500), (2, 501)] {
        let drive = run.row(&[&format!("LUN {lun}"), &format!("drive {element}")]);
        assert_eq!(drive[6], format!("iscsi://{}/{DEFAULT_NAME}/{lun}", served.address()));
    }
    served.shutdown().await;
}

#[test]
fn devices_logs_in_to_tgt_and_shows_no_secret() {
    let chap = BedChap { user: "backup", secret: "opensesame12", target: None };
    let bed = TgtBed::start(TgtOptions { chap: Some(chap), ..TgtOptions::default() });
    let portal = format!("127.0.0.1:{}", bed.port());
    let run = run_alone("devices", &[&format!("iscsi://backup%opensesame12@{portal}")]);
    let changer = run.row(&[&format!("LUN {}", bed.changer_lun()), "changer", "STK", "L700"]);
    assert_eq!(
        changer[6],
        format!("iscsi://backup@{portal}/{}/{}", bed.iqn(), bed.changer_lun()),
        "{}",
        run.out
    );
    for n in 0..2 {
        let drive = run.row(&[&format!("LUN {}", n + 1), &format!("drive {}", bed.drive(n))]);
        assert_eq!(drive[5], format!("DRV000000{}", n + 1));
    }
    assert!(!format!("{run:?}").contains("opensesame12"), "{run:?}");
}

#[test]
fn devices_says_that_nobody_listens_and_what_is_no_portal() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let portal = listener.local_addr().expect("a bound socket has an address").to_string();
    drop(listener);
    let run = run_alone("devices", &[&format!("iscsi://{portal}")]);
    run.ended(1);
    assert!(
        run.err.contains(&format!("iscsi://{portal}: ")) && run.err.contains("check host"),
        "{}",
        run.err
    );
    run_alone("devices", &["iscsi://u%hunter2@host/iqn.2026-01.example:lib/0"]).is_refused(&["host[:3260]"]);
    let run = run_alone("devices", &["u%hunter2@host"]);
    run.is_refused(&["no portal"]);
    assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
}

#[test]
fn without_arguments_certify_reads_a_simulated_library_and_moves_nothing() {
    let run = run_alone("certify", &[]);
    run.ended(0);
    assert_eq!(run.err, "");
    run.says("read-only");
    for words in [
        "INQUIRY: ",
        "VPD 83h: type",
        "geometry: 1 transport from 1, 24 storage from 1000",
        "storage: 24 elements, 20 full, 20 with a label",
        "drive: 2 elements, 0 full",
        "log page 00h",
        "TEST UNIT READY: p50",
        "status of slots: p50",
        "1 TEST UNIT READY together: 1 GOOD",
    ] {
        assert!(run.block().contains(words), "{words:?} is missing in:\n{}", run.block());
    }
    assert!(!run.out.contains("MOVE MEDIUM, slot"), "{}", run.out);
    assert!(!run.block().contains("SIM-"), "no serial number is pasted: {}", run.block());
}

#[test]
fn with_move_certify_moves_and_exchanges_and_puts_back() {
    let run = run_alone("certify", &["sim:", "--move", "--runs", "2"]);
    run.ended(0);
    for words in [
        "MOVE MEDIUM, slot to slot, there: ",
        "MOVE MEDIUM, slot to slot, back: ",
        "EXCHANGE MEDIUM, three slots: ",
        "and it moved as it should",
        "every cartridge is where it was",
    ] {
        assert!(run.block().contains(words), "{words:?} is missing in:\n{}", run.block());
    }
}

#[test]
fn on_tgt_certify_leaves_every_cartridge_where_it_was() {
    let bed = TgtBed::start(TgtOptions::default());
    let before = truth::contents(&bed.url());
    for arguments in [&["--runs", "5"][..], &["--runs", "5", "--move"]] {
        let url = bed.url();
        let run = run_alone("certify", &[&[&*url], arguments].concat());
        run.ended(0);
        assert_eq!(truth::contents(&bed.url()), before, "{}", run.out);
        let moved = run.block().contains("MOVE MEDIUM, slot to slot, back: ");
        assert_eq!(moved, arguments.contains(&"--move"), "{}", run.out);
        assert!(run.block().contains("STK L700") && run.block().contains("storage: 20 elements, 8 full"));
        assert!(!run.block().contains("127.0.0.1") && !run.block().contains("VT000"), "{}", run.block());
    }
}

#[tokio::test]
async fn a_connection_lost_over_a_move_ends_certify_with_every_cartridge_back_and_no_host_in_the_block() {
    for cut in [Cut::BeforeCommand(MOVE_MEDIUM), Cut::BeforeAnswer(MOVE_MEDIUM)] {
        let bed = TgtBed::start(TgtOptions::default());
        let contents = || {
            let url = bed.url();
            tokio::task::spawn_blocking(move || truth::contents(&url))
        };
        let before = contents().await.expect("it can be read");
        let proxy = Proxy::start(bed.port()).await;
        proxy.cut(cut);
        let run = run("certify", &[&bed.url_through(proxy.port()), "--move", "--runs", "2"]).await;
        run.is_refused(&["It could not be done"]);
        assert!(run.block().contains("it ended with: ConnectionLost"), "{cut:?}: {}", run.out);
        assert!(run.block().contains("every cartridge is where it was"), "{cut:?}: {}", run.out);
        assert!(!run.block().contains("127.0.0.1"), "{}", run.block());
        assert_eq!(contents().await.expect("it can be read"), before, "{cut:?}");
        // The move that was cut is not sent again; whatever moved is brought back by one of its own.
        assert!(proxy.count(MOVE_MEDIUM) <= 2, "{cut:?}: {:?}", proxy.commands());
    }
}

#[test]
fn certify_tells_what_is_no_changer_and_which_unit_is() {
    let bed = TgtBed::start(TgtOptions::default());
    let changer = bed.url();
    run_alone("certify", &[&bed.drive_url(0)]).is_refused(&["tape", "not a medium changer", &changer]);
    let empty = run_alone("certify", &["--move", "sim:cartridges=0"]);
    empty.is_refused(&["--move needs a labelled cartridge"]);
    assert!(empty.block().contains("it ended with: --move needs"), "what was found is told: {}", empty.out);
    run_alone("certify", &["tape0"]).is_refused(&["tape0", "sim:"]);
    run_alone("certify", &["--runs", "0"]).is_refused(&["--runs needs a number"]);
    run_alone("certify", &["--shuffle"]).is_refused(&["--shuffle"]);
}
