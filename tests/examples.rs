//! The examples for a user's own devices, `devices` and `certify`, find what is there, say what it is, and leave every
//! cartridge where it was; `virtual_library` serves whom it should.
//!
//! They are run as a user runs them: as programs of their own, built by `cargo test` beside the tests.
#![cfg(all(feature = "iscsi", feature = "sim"))]

mod beds;
#[path = "examples/certify.rs"]
mod certify;
#[path = "examples/owner.rs"]
mod owner;
#[path = "examples/reads.rs"]
mod reads;
#[path = "examples/served.rs"]
mod served;
#[path = "store/temp.rs"]
mod temp;
#[path = "kill/truth.rs"]
mod truth;

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use autochanger::transport::sim::{self, SimulatedLibrary};
use autochanger::virtual_library::{DEFAULT_NAME, VirtualLibrary};
use beds::{BedChap, TgtBed, TgtOptions};

/// Only a broken example takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

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

fn directory(locks: &temp::TempDir) -> String {
    locks.file("").display().to_string()
}

/// An example, as a program that is killed when nobody waits for it any more.
fn program(example: &str, arguments: &[&str]) -> tokio::process::Command {
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
    command
}

async fn run(example: &str, arguments: &[&str]) -> Run {
    ended(program(example, arguments).output()).await
}

/// How a program ends.
async fn ended(output: impl Future<Output = std::io::Result<Output>>) -> Run {
    let output = tokio::time::timeout(PATIENCE, output).await;
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
fn certify_comes_to_its_end_although_nobody_listens_any_more() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let run = runtime.block_on(async {
        let mut command = program("certify", &["--move", "--runs", "1"]);
        let mut certify = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(certify.stdout.take());
        ended(certify.wait_with_output()).await
    });
    run.ended(0);
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

#[tokio::test(flavor = "multi_thread")]
async fn devices_says_that_a_changer_that_is_listed_twice_is_one_library() {
    let library = SimulatedLibrary::start(sim::Library::new().drives(1).serial("TWOWAYS"));
    let other = SimulatedLibrary::start(sim::Library::new().drives(1).serial("ANOTHER"));
    let serve = async |library: &SimulatedLibrary| {
        let library = VirtualLibrary::builder(library.clone()).listen(([127, 0, 0, 1], 0));
        library.start().await.expect("a port is free")
    };
    let served = [serve(&library).await, serve(&library).await, serve(&other).await];
    let portals = served.each_ref().map(|served| format!("iscsi://{}", served.address()));
    let run = run("devices", &portals.each_ref().map(String::as_str)).await;
    run.says(&format!("({} is another way to {}, ", served[1].url(), served[0].url()));
    assert_eq!(run.out.matches("is another way to").count(), 1, "{}", run.out);
    for served in served {
        served.shutdown().await;
    }
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
    // As the URL or bare, it is the same portal.
    let bare = run_alone("devices", &[&portal]);
    bare.ended(1);
    assert_eq!(bare.err, run.err);
    for wrong in ["sim:", "sg:/dev/sg3", "host:port"] {
        run_alone("devices", &[wrong]).is_refused(&["no portal", "host[:3260]"]);
    }
    let run = run_alone("devices", &["u%hunter2@host"]);
    run.is_refused(&["no portal"]);
    assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
}
