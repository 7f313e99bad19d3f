//! Real things to test against, started and stopped by the tests.

// Each test program uses a part of it.
#![allow(dead_code, unreachable_pub)]

pub mod proxy;

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// How often a bed is tried on another port: between finding a free one and tgtd's taking it, somebody else may.
const ATTEMPTS: u32 = 5;

/// What tgt's library has.
#[derive(Debug, Clone)]
pub struct TgtOptions {
    pub slots: u16,
    pub drives: u16,
    /// Import/export elements.
    pub ports: u16,
    /// Cartridges, `VT0001L3` and on, in the first slots.
    pub cartridges: u16,
    pub chap: Option<BedChap>,
}

impl Default for TgtOptions {
    fn default() -> Self {
        Self { slots: 20, drives: 2, ports: 4, cartridges: 8, chap: None }
    }
}

/// User and secret that the target wants, and what it proves itself with when it is asked.
#[derive(Debug, Clone)]
pub struct BedChap {
    pub user: &'static str,
    pub secret: &'static str,
    pub target: Option<(&'static str, &'static str)>,
}

/// A private tgtd with one tape library. Dropping it kills the daemon and removes its files; so does the end of the
/// test program, however it comes.
pub struct TgtBed {
    script: Child,
    directory: PathBuf,
    port: u16,
    iqn: String,
    options: TgtOptions,
}

impl TgtBed {
    /// Starts a library and waits until it serves.
    pub fn start(options: TgtOptions) -> Self {
        for program in ["tgtd", "tgtadm", "tgtimg"] {
            let found =
                Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
            if found.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                panic!("`{program}` is missing: install the Debian package `tgt` (apt-get install tgt)");
            }
        }
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(&options) {
                Ok(bed) => return bed,
                Err(error) => last = error,
            }
        }
        panic!("tgtd did not start: {last}");
    }

    fn try_start(options: &TgtOptions) -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(format!("autochanger-bed-{id}"));
        let port = free_port();
        let iqn = format!("iqn.2026-01.test.bed:lib-{id}");
        let mut command = Command::new("sh");
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/beds/tgt-library.sh"))
            .arg(&directory)
            .env("BED_PORT", port.to_string())
            .env("BED_IQN", &iqn)
            .env("BED_SLOTS", options.slots.to_string())
            .env("BED_DRIVES", options.drives.to_string())
            .env("BED_IE", options.ports.to_string())
            .env("BED_CARTS", options.cartridges.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(chap) = &options.chap {
            command.env("BED_USER", chap.user).env("BED_SECRET", chap.secret);
            if let Some((user, secret)) = chap.target {
                command.env("BED_TARGET_USER", user).env("BED_TARGET_SECRET", secret);
            }
        }
        let mut script = command.spawn().map_err(|error| error.to_string())?;
        let mut line = String::new();
        let stdout = script.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        let bed = Self { script, directory, port, iqn, options: options.clone() };
        if line.trim() == "ready" { Ok(bed) } else { Err(format!("the bed's script said {line:?}")) }
    }

    /// The changer's URL, with the secret where one is wanted.
    pub fn url(&self) -> String {
        self.unit_url(self.changer_lun())
    }

    /// The URL of drive `n`, counted from 0: a logical unit that is a tape.
    pub fn drive_url(&self, n: u16) -> String {
        self.unit_url(1 + n)
    }

    /// The URL of a logical unit that is a disk.
    pub fn disk_url(&self) -> String {
        self.unit_url(self.changer_lun() + 1)
    }

    /// The URL of any logical unit.
    pub fn unit_url(&self, lun: u16) -> String {
        let login = match &self.options.chap {
            Some(BedChap { user, secret, target: Some((name, proof)) }) => {
                format!("{user}%{secret}%{name}%{proof}")
            }
            Some(BedChap { user, secret, target: None }) => format!("{user}%{secret}"),
            None => String::new(),
        };
        self.url_at(&login, self.port, lun)
    }

    /// The changer's URL at another port (a proxy's).
    pub fn url_through(&self, port: u16) -> String {
        self.url_at("", port, self.changer_lun())
    }

    /// The changer's URL with another login (`user%secret`), or none.
    pub fn url_with_login(&self, login: &str) -> String {
        self.url_at(login, self.port, self.changer_lun())
    }

    fn url_at(&self, login: &str, port: u16, lun: u16) -> String {
        let at = if login.is_empty() { "" } else { "@" };
        format!("iscsi://{login}{at}127.0.0.1:{port}/{}/{lun}", self.iqn)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the target says of a key in logins from now on.
    pub fn parameter(&self, name: &str, value: &str) {
        let status = Command::new("tgtadm")
            .env("TGT_IPC_SOCKET", self.directory.join("ipc"))
            .args(["--lld", "iscsi", "--mode", "target", "--op", "update", "--tid", "1"])
            .args(["--name", name, "--value", value])
            .status()
            .expect("tgtadm runs");
        assert!(status.success(), "tgtadm refused {name}={value}");
    }

    pub fn iqn(&self) -> &str {
        &self.iqn
    }

    pub fn changer_lun(&self) -> u16 {
        self.options.drives + 1
    }

    /// The element address of slot `n`, counted from 0.
    pub fn slot(&self, n: u16) -> u16 {
        1000 + n
    }

    /// The element address of drive `n`, counted from 0.
    pub fn drive(&self, n: u16) -> u16 {
        500 + n
    }

    /// The element address of import/export element `n`, counted from 0.
    pub fn mail_slot(&self, n: u16) -> u16 {
        10 + n
    }

    /// The operator's hand: puts a cartridge into an empty slot (its medium must exist) or takes one out.
    pub fn operator(&self, hand: Hand<'_>) {
        let parameters = match hand {
            Hand::Put { slot: element, barcode } | Hand::PutIntoPort { port: element, barcode } => {
                let kind = if matches!(hand, Hand::Put { .. }) { 2 } else { 3 };
                let media = self.directory.join("media");
                let medium = media.join(barcode);
                if !medium.exists() {
                    std::fs::copy(media.join("BLANK"), medium).expect("a blank medium can be copied");
                }
                format!("element_type={kind},address={element},barcode={barcode},sides=1")
            }
            Hand::Take { slot } => format!("element_type=2,address={slot},clear_slot=1"),
            Hand::TakeFromPort { port } => format!("element_type=3,address={port},clear_slot=1"),
        };
        let status = Command::new("tgtadm")
            .env("TGT_IPC_SOCKET", self.directory.join("ipc"))
            .args(["--lld", "iscsi", "--mode", "logicalunit", "--op", "update", "--tid", "1", "--lun"])
            .arg(self.changer_lun().to_string())
            .args(["--params", &parameters])
            .status()
            .expect("tgtadm runs");
        assert!(status.success(), "tgtadm refused {parameters}");
    }

    /// Kills the target at once, as a power failure would: no logout, connections reset.
    pub fn kill(&self) {
        let pid = std::fs::read_to_string(self.directory.join("pid")).expect("the bed has a pid file");
        let status = Command::new("kill").args(["-9", pid.trim()]).status().expect("kill runs");
        assert!(status.success(), "tgtd was gone already");
        // The kernel closes its sockets a moment after the signal.
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

/// What an operator does behind the library's back.
#[derive(Debug, Clone, Copy)]
pub enum Hand<'a> {
    /// A cartridge into an empty slot; at most 10 characters.
    Put { slot: u16, barcode: &'a str },
    /// The cartridge out of a slot.
    Take { slot: u16 },
    /// The same into an import/export element.
    PutIntoPort { port: u16, barcode: &'a str },
    /// The cartridge out of an import/export element.
    TakeFromPort { port: u16 },
}

impl Drop for TgtBed {
    fn drop(&mut self) {
        // The end of its stdin makes the script kill tgtd and remove the directory.
        drop(self.script.stdin.take());
        let _ = self.script.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
