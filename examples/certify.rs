//! What a library is and takes, told by itself: a user runs this on their own library, and pastes the end into an issue.
//!
//! ```text
//! cargo run --release --example certify                                        # on a simulated library
//! cargo run --release --example certify -- sg:/dev/sg3                         # read-only
//! cargo run --release --example certify -- iscsi://vtl.example/iqn.2026-01.example:lib/0 --move
//! ```
//!
//! Without `--move` nothing moves or changes: every command only reads. With it the library is taken as by a manager, by its
//! lock and its reservation, and nothing moves where it is somebody else's. See `--help`.

/// Writes a line. Whoever has closed the output (`| head`) has heard enough, and that ends nothing, least of all in the midst of a
/// motion: `println!` would panic.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// The same, on the output for errors.
macro_rules! warn {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

#[path = "certify/drives.rs"]
mod drives;
#[path = "certify/identity.rs"]
mod identity;
#[path = "certify/measure.rs"]
mod measure;
#[path = "certify/motion.rs"]
mod motion;
#[path = "certify/quirks.rs"]
mod quirks;
#[path = "certify/services.rs"]
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use autochanger::ReadyError;
use autochanger::scsi::vpd::{DeviceIdentification, SupportedPages, UnitSerial};
use autochanger::scsi::{
    Cdb, DeviceCapabilities, DeviceType, ElementAddress, ElementAddressAssignment, ElementStatus,
    ElementType, ExchangeMedium, Inquiry, LogPage, LogSense, LunList, ModeParameters, ModeSense6,
    ModeSense10, MoveMedium, PersistentReserveIn, PersistentReserveInAction, ReadElementStatus, ReportLuns,
    ReportSupportedOperationCodes, RequestSense, Sense, SenseKey, ShortData, StandardInquiry, Status,
    SupportedCommands, SupportedLogPages, TapeAlertPage, TestUnitReady, command_name, lun_number,
};
use autochanger::transport::{Command, Completion, DeviceUrl, Transport, TransportError, open};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const HELP: &str = "\
certify: what a tape library is, what it takes and how fast; ends with a block to paste into an issue

    cargo run --example certify [-- [DEVICE] [--move] [--runs N] [--lock-directory DIR]]

DEVICE      the changer: sg:/dev/sg3, iscsi://host/iqn/lun (see the example `devices`); left out: sim:
--move      also move a cartridge to an empty slot and back, and exchange two, if the library offers it;
            every cartridge goes back to its slot. The library is locked and reserved meanwhile; one that
            a manager or another host has in use is left alone
--runs N    how often each command is timed, 1 to 1000 (50)
--lock-directory DIR
            where the managers of this machine make their lock files, if they were told
-h, --help  this text

The exit status is 0 when it came to its end, 1 when a cartridge is not where it was, 2 when it could not be done.";

/// For commands that move nothing; a library answers them behind a motion of up to some minutes.
const QUICK: Duration = Duration::from_secs(300);

/// For motion: a frame library with a full queue stays below.
const MOTION: Duration = Duration::from_secs(900);

/// Unit attentions in a row that are heard before a device counts as refusing.
const ATTENTIONS: usize = 10;

/// How often a device that is busy is asked again, and after which time.
const BUSY: (usize, Duration) = (5, Duration::from_secs(1));

/// The most runs of a command: more changes no percentile that is printed here.
const MAX_RUNS: usize = 1000;

/// The most commands that are tried at once: no changer is helped by more.
const MAX_IN_FLIGHT: u16 = 32;

/// The most READ ELEMENT STATUS for one type: one for each address, if a library gives only one at a time.
const MAX_REPORTS: usize = 65_536;

/// Enough for every list here.
const ROOM: u16 = 8192;

/// What the user wants.
struct Wanted {
    device: Option<String>,
    moves: bool,
    runs: usize,
    locks: Option<PathBuf>,
}

/// What the arguments say; else what to print, and whether that is help that was asked for.
fn wanted(mut arguments: impl Iterator<Item = String>) -> std::result::Result<Wanted, Option<String>> {
    let mut wanted = Wanted { device: None, moves: false, runs: 50, locks: None };
    while let Some(argument) = arguments.next() {
        match &*argument {
            "-h" | "--help" => return Err(None),
            "--move" => wanted.moves = true,
            "--runs" => match arguments.next().and_then(|runs| runs.parse().ok()) {
                Some(number) if (1..=MAX_RUNS).contains(&number) => wanted.runs = number,
                _ => return Err(Some(format!("--runs needs a number from 1 to {MAX_RUNS}"))),
            },
            "--lock-directory" => match arguments.next() {
                Some(directory) => wanted.locks = Some(directory.into()),
                None => return Err(Some("--lock-directory needs a directory".to_owned())),
            },
            option if option.starts_with('-') => return Err(Some(format!("there is no option {option}"))),
            _ if wanted.device.is_none() => wanted.device = Some(argument),
            _ => return Err(Some("one device is enough".to_owned())),
        }
    }
    Ok(wanted)
}

#[tokio::main]
async fn main() -> ExitCode {
    let wanted = match wanted(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(None) => {
            say!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(Some(problem)) => {
            warn!("{problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match certify(wanted).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            warn!("\nIt could not be done: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every cartridge is where it was.
async fn certify(wanted: Wanted) -> Result<bool> {
    let Wanted { device, moves, runs, locks } = wanted;
    let device = open_wide(&device.as_deref().unwrap_or("sim:").parse()?)?;
    say!("{}, {}", device.device(), if moves { "with motion" } else { "read-only" });
    let mut certify =
        Certify { device, runs, locks, map: None, facts: Vec::new(), quirks: Vec::new(), unheard: None };
    certify.identity().await?;
    let outcome = if moves { certify.with_motion().await } else { certify.read_only().await };
    if let Err(error) = &outcome {
        certify.fact(format!("it ended with: {}", without_names(&**error)));
    }
    say!("\nPaste this into an issue (it has no serial numbers, labels or hosts):\n\n```text");
    say!("autochanger certify {}, {runs} runs", env!("CARGO_PKG_VERSION"));
    for fact in &certify.facts {
        say!("{fact}");
    }
    say!("```");
    outcome
}

/// The device, with as many commands in flight as are tried here.
fn open_wide(url: &DeviceUrl) -> Result<Arc<dyn Transport>> {
    #[cfg(all(feature = "sg", target_os = "linux"))]
    if let DeviceUrl::Sg(url) = url {
        let device = autochanger::transport::SgTransport::new(url.clone());
        return Ok(Arc::new(device.in_flight(MAX_IN_FLIGHT)));
    }
    Ok(open(url)?)
}

struct Certify {
    device: Arc<dyn Transport>,
    runs: usize,
    /// Where managers make their locks, if not where they usually do.
    locks: Option<PathBuf>,
    map: Option<ElementAddressAssignment>,
    /// What is to be pasted.
    facts: Vec<String>,
    /// Where the library differs from the standard or from its own words.
    quirks: Vec<String>,
    /// Why no manager has told what it finds, if none has.
    unheard: Option<&'static str>,
}

/// Where each cartridge is: its label by address, of what is full.
type Contents = BTreeMap<u16, (ElementType, Option<String>)>;

impl Certify {
    /// Looks at everything, and lets a manager look. Whether every cartridge is where it was: nothing has moved.
    async fn read_only(&mut self) -> Result<bool> {
        self.hear_manager().await?;
        self.survey().await?;
        Ok(true)
    }

    /// Takes the library, looks at everything, moves, puts back and gives the library back; whether every cartridge is
    /// where it was.
    async fn with_motion(&mut self) -> Result<bool> {
        let stop = motion::watch_for_stop();
        let manager = self.claim(stop.clone()).await?;
        // While only reading, there is nothing to be brought to an end.
        let surveyed = tokio::select! {
            surveyed = self.survey() => surveyed,
            () = motion::stopped(stop.clone()) => Err(Trouble::Stopped.into()),
        };
        let outcome = match surveyed {
            Ok((before, exchange)) => self.motion(&before, exchange, &stop).await,
            Err(error) => Err(error),
        };
        manager.shutdown().await;
        outcome
    }

    /// Everything that only reads: what is where, and whether EXCHANGE MEDIUM is worth a try.
    async fn survey(&mut self) -> Result<(Contents, bool)> {
        let capabilities = self.geometry().await?;
        let before = self.elements().await?;
        let exchange = self.commands(capabilities).await?;
        self.log_pages().await?;
        self.drives().await?;
        self.tell_quirks();
        self.times().await?;
        self.in_flight().await?;
        Ok((before, exchange))
    }

    fn title(&mut self, title: &str) {
        say!("\n== {title}");
    }

    fn fact(&mut self, fact: impl Into<String>) {
        let fact = fact.into();
        say!("   {fact}");
        self.facts.push(fact);
    }

    /// Notes where the library differs from the standard or from its own words; told in a section of its own.
    fn quirk(&mut self, quirk: impl Into<String>) {
        let quirk = quirk.into();
        if !self.quirks.contains(&quirk) {
            self.quirks.push(quirk);
        }
    }

    /// Whoever reads the block looks here first: what software has to know about this library.
    fn tell_quirks(&mut self) {
        self.title("Quirks");
        if self.quirks.is_empty() {
            self.fact(match self.unheard {
                None => "quirks: none seen".to_owned(),
                Some(why) => format!("quirks: none seen by this program alone; {why}"),
            });
        } else if let Some(why) = self.unheard {
            self.fact(format!("quirks: as seen by this program alone; {why}"));
        }
        for quirk in std::mem::take(&mut self.quirks) {
            self.fact(format!("quirk: {quirk}"));
        }
    }

    async fn ask(&self, cdb: Cdb, allocation: u32) -> Result<std::result::Result<Completion, String>> {
        Ok(answer(&*self.device, Command::reading(cdb, allocation, QUICK)).await?)
    }

    async fn vpd(&self, page: u8) -> Result<std::result::Result<Completion, String>> {
        self.ask(Inquiry { vpd: Some(page), allocation: 255 }.cdb(), 255).await
    }
}

/// The answer to a command; why there is none in words. Unit attentions are heard out, since with one a device has not
/// looked at the command, and a device that is busy is asked again.
async fn answer(
    device: &dyn Transport,
    command: Command,
) -> std::result::Result<std::result::Result<Completion, String>, Trouble> {
    let (mut attentions, mut busy) = (0, 0);
    loop {
        let answer = device.execute(command.clone()).await?;
        let sense = answer.sense();
        match answer.status {
            Status::Good => return Ok(Ok(answer)),
            Status::Busy | Status::TaskSetFull => {
                busy += 1;
                if busy == BUSY.0 {
                    return Err(Trouble::Busy(device.device().into(), answer.status));
                }
                tokio::time::sleep(BUSY.1).await;
            }
            Status::ReservationConflict => return Err(Trouble::Reserved(device.device().into())),
            _ if sense.is_some_and(|sense| sense.key == SenseKey::UnitAttention)
                && attentions < ATTENTIONS =>
            {
                attentions += 1;
            }
            status => {
                return Ok(Err(sense.map_or_else(|| status.to_string(), |sense| Sense::to_string(&sense))));
            }
        }
    }
}

/// What was read; in words why it cannot be read, for that is worth telling, too.
fn parsed<T>(result: std::result::Result<T, ShortData>) -> std::result::Result<T, String> {
    result.map_err(|error| error.to_string())
}

/// An error as it can be pasted: what went wrong, and not with whom.
fn without_names(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<Trouble>() {
        Some(Trouble::Path(TransportError::NotSent(fault))) => format!("{:?}, not sent", fault.kind),
        Some(Trouble::Path(TransportError::OutcomeUnknown(fault))) => {
            format!("{:?}, outcome unknown", fault.kind)
        }
        Some(Trouble::Busy(_, status)) => status.to_string(),
        Some(Trouble::Reserved(_)) => Status::ReservationConflict.to_string(),
        Some(Trouble::NotOurs(error)) => quirks::without_names(error).to_owned(),
        Some(Trouble::Stopped) => Trouble::Stopped.to_string(),
        None => error.to_string(),
    }
}

/// Why there is nothing to be found out about a device now.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Path(#[from] TransportError),
    #[error("{0} is busy ({1}, {n} times in a row): wait until nobody else uses it", n = BUSY.0)]
    Busy(String, Status),
    #[error(
        "{0} is reserved by another host (RESERVATION CONFLICT): end the program that uses it there, or it was left by one that died: then open it once there and shut down, or `take_over` it"
    )]
    Reserved(String),
    #[error("{0}; nothing was moved")]
    NotOurs(#[from] ReadyError),
    #[error("it was interrupted")]
    Stopped,
}
