//! Programs that nobody here wrote (mtx, sg3_utils, lsscsi) drive our virtual library behind the kernel's own initiator, and
//! agree with what we meant. The library is in the test's own process, so that what they say is held against the truth.

mod elements;
mod identity;
mod logs;
mod reservations;

use std::path::PathBuf;
use std::process::Command;

use autochanger::transport::sim::{self, SimulatedLibrary};
use autochanger::virtual_library::VirtualLibrary;
use tokio::runtime::Runtime;

use super::inside::{shell, until};

pub(crate) const SERIAL: &str = "LIB00042";

/// Where the guest's initiator looks for targets.
fn portal() -> std::net::SocketAddr {
    std::env::var("PORTAL").expect("the guest has a portal").parse().expect("an address")
}

/// A library of ours with 24 slots, 4 mail slots, 2 drives and 20 cartridges, that the kernel is logged in to.
pub(crate) struct Bed {
    pub(crate) library: SimulatedLibrary,
    pub(super) served: VirtualLibrary,
    pub(crate) runtime: Runtime,
    /// `/dev/sgN` of the changer, and of the drives in the order of their elements.
    pub(crate) changer: String,
    pub(crate) drives: Vec<String>,
}

impl Bed {
    pub(crate) fn start() -> Self {
        Self::start_with(sim::Library::new().cartridges("VT{:04}L8", 1..=20).serial(SERIAL), 2)
    }

    /// The same with another library, which has so many drives.
    pub(crate) fn start_with(description: sim::Library, drives: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (library, served) = runtime.block_on(async {
            let library = SimulatedLibrary::start(description);
            let served = VirtualLibrary::builder(library.clone()).listen(portal()).start().await;
            (library, served.expect("the port is free"))
        });
        shell(". /run/host/initiator.sh; fail() { echo \"$*\" >&2; exit 1; }; login");
        let nodes = |class: &str, prefix: &str| {
            let entries = std::fs::read_dir(format!("/sys/class/{class}")).into_iter().flatten().flatten();
            entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)).count()
        };
        until("the kernel's drivers have found changer and drives", || {
            nodes("scsi_generic", "sg") == drives + 1
                && nodes("scsi_changer", "sch") == 1
                && nodes("scsi_tape", "nst") >= drives
        });
        let mut bed = Self { library, served, runtime, changer: String::new(), drives: Vec::new() };
        for line in said("lsscsi", &["-g"]).lines() {
            let node = line.split_whitespace().last().expect("the sg node comes last").to_owned();
            match line.split_whitespace().nth(1) {
                Some("mediumx") => bed.changer = node,
                Some("tape") => bed.drives.push(node),
                other => panic!("{other:?} is in {line:?}"),
            }
        }
        assert_eq!(bed.drives.len(), drives);
        bed
    }

    /// The unit attentions of a unit are heard out: a tool would stop at them.
    pub(super) fn calm(&self, node: &str) {
        let mut device = autochanger_scsi::sg::Device::open(PathBuf::from(node)).expect("it can be opened");
        while super::inside::attention(&mut device) {}
    }

    /// What `mtx` answers to a command that must succeed.
    pub(super) fn mtx(&self, arguments: &[&str]) -> String {
        said("mtx", &[&["-f", &*self.changer], arguments].concat())
    }
}

/// How a tool ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

/// Runs a tool of the guest.
pub(super) fn tool(program: &str, arguments: &[&str]) -> Ended {
    let mut command = Command::new(program);
    // What was fetched for the guest has its own libraries.
    command.args(arguments).env("LD_LIBRARY_PATH", std::env::var_os("INIT_LIBS").unwrap_or_default());
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let code = output.status.code().expect("nobody kills it");
    Ended { code, out: text(output.stdout), err: text(output.stderr) }
}

/// What a tool says that must succeed.
pub(crate) fn said(program: &str, arguments: &[&str]) -> String {
    let ended = tool(program, arguments);
    assert_eq!(ended.code, 0, "{program} {arguments:?}: {ended:?}");
    ended.out
}

/// What sg_requests finds: it tells of sense data as of errors.
pub(super) fn sense(node: &str) -> String {
    let ended = tool("sg_requests", &[node]);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.out + &ended.err
}

/// What stands behind some words in the first line that has them.
#[track_caller]
pub(super) fn behind<'a>(text: &'a str, words: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.split_once(words));
    line.unwrap_or_else(|| panic!("{words:?} is missing in:\n{text}")).1.trim()
}

/// The bytes of a tool's dump in hexadecimal: an offset, and up to sixteen bytes.
pub(super) fn dumped(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| line.starts_with(' '));
    let bytes = lines.flat_map(|line| line.split_whitespace().skip(1).take(16));
    bytes.map_while(|byte| u8::from_str_radix(byte, 16).ok().filter(|_| byte.len() == 2)).collect()
}
