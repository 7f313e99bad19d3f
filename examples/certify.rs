//! What a library is and takes, told by itself: a user runs this on their own library, and pastes the end into an issue.
//!
//! ```text
//! cargo run --release --example certify                                        # on a simulated library
//! cargo run --release --example certify -- sg:/dev/sg3                         # read-only
//! cargo run --release --example certify -- iscsi://vtl.example/iqn.2026-01.example:lib/0 --move
//! ```
//!
//! Without `--move` nothing moves or changes: every command only reads. See `--help`.

#[path = "certify/drives.rs"]
mod drives;
#[path = "certify/measure.rs"]
mod measure;
#[path = "certify/motion.rs"]
mod motion;
#[path = "certify/quirks.rs"]
mod quirks;
#[path = "certify/services.rs"]
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

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

    cargo run --example certify [-- [DEVICE] [--move] [--runs N]]

DEVICE      the changer: sg:/dev/sg3, iscsi://host/iqn/lun (see the example `devices`); left out: sim:
--move      also move a cartridge to an empty slot and back, and exchange two, if the library offers it;
            every cartridge goes back to its slot. Nobody else may use the library meanwhile.
--runs N    how often each command is timed, 1 to 1000 (50)
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

#[tokio::main]
async fn main() -> ExitCode {
    let (mut device, mut moves, mut runs) = (None, false, 50);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let problem = match &*argument {
            "-h" | "--help" => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            "--move" => {
                moves = true;
                continue;
            }
            "--runs" => match arguments.next().and_then(|runs| runs.parse().ok()) {
                Some(number) if (1..=MAX_RUNS).contains(&number) => {
                    runs = number;
                    continue;
                }
                _ => format!("--runs needs a number from 1 to {MAX_RUNS}"),
            },
            option if option.starts_with('-') => format!("there is no option {option}"),
            _ if device.is_none() => {
                device = Some(argument);
                continue;
            }
            _ => "one device is enough".to_owned(),
        };
        eprintln!("{problem}\n\n{HELP}");
        return ExitCode::from(2);
    }
    match certify(device.as_deref().unwrap_or("sim:"), moves, runs).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("\nIt could not be done: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every cartridge is where it was.
async fn certify(url: &str, moves: bool, runs: usize) -> Result<bool> {
    let device = open_wide(&url.parse()?)?;
    println!("{}, {}", device.device(), if moves { "with motion" } else { "read-only" });
    let mut certify = Certify { device, runs, map: None, facts: Vec::new(), quirks: Vec::new() };
    certify.identity().await?;
    let outcome = certify.survey(moves).await;
    if let Err(error) = &outcome {
        certify.fact(format!("it ended with: {}", without_names(&**error)));
    }
    println!("\nPaste this into an issue (it has no serial numbers, labels or hosts):\n\n```text");
    println!("autochanger certify {}, {runs} runs", env!("CARGO_PKG_VERSION"));
    for fact in &certify.facts {
        println!("{fact}");
    }
    println!("```");
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
    map: Option<ElementAddressAssignment>,
    /// What is to be pasted.
    facts: Vec<String>,
    /// Where the library differs from the standard or from its own words.
    quirks: Vec<String>,
}

/// Where each cartridge is: its label by address, of what is full.
type Contents = BTreeMap<u16, (ElementType, Option<String>)>;

impl Certify {
    /// Whether every cartridge is where it was.
    async fn survey(&mut self, moves: bool) -> Result<bool> {
        let capabilities = self.geometry().await?;
        self.quirks().await?;
        let before = self.elements().await?;
        let exchange = self.commands(capabilities).await?;
        self.log_pages().await?;
        self.drives().await?;
        self.tell_quirks();
        self.times().await?;
        self.in_flight().await?;
        if moves { self.motion(&before, exchange).await } else { Ok(true) }
    }

    fn title(&mut self, title: &str) {
        println!("\n== {title}");
    }

    fn fact(&mut self, fact: impl Into<String>) {
        let fact = fact.into();
        println!("   {fact}");
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
            self.fact("quirks: none seen");
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

    async fn identity(&mut self) -> Result<()> {
        self.title("Identity");
        let inquiry = self.ask(Inquiry { vpd: None, allocation: 96 }.cdb(), 96).await??;
        let standard = StandardInquiry::parse(&inquiry.data)?;
        if standard.device_type() != DeviceType::Changer {
            let (kind, hint) = (standard.device_type(), self.changer_beside().await);
            return Err(format!("{} is a {kind}, not a medium changer{hint}", self.device.device()).into());
        }
        self.fact(format!(
            "INQUIRY: {} {} {}, version {}, {} bytes",
            standard.vendor(),
            standard.product(),
            standard.revision(),
            standard.version(),
            inquiry.data.len()
        ));
        // Also told here: whether it is ready, and whether somebody else holds it.
        let ready = self.ask(TestUnitReady {}.cdb(), 0).await?;
        self.fact(format!("TEST UNIT READY: {}", ready.map_or_else(|why| why, |_| "ready".into())));
        let pages = match self.vpd(0x00).await? {
            Ok(page) => parsed(SupportedPages::parse(&page.data))
                .map_or_else(|why| why, |list| format!("{:02X?}", list.pages().collect::<Vec<_>>())),
            Err(why) => why,
        };
        self.fact(format!("VPD pages: {pages}"));
        match self.vpd(0x80).await?.map(|page| {
            UnitSerial::parse(&page.data).map(|page| page.serial().to_owned()).unwrap_or_default()
        }) {
            Ok(serial) => {
                println!("   serial number {serial}");
                self.fact(format!("VPD 80h: a serial number of {} characters", serial.len()));
            }
            Err(why) => self.fact(format!("VPD 80h: {why}")),
        }
        let identification = match self.vpd(0x83).await? {
            Ok(page) => parsed(DeviceIdentification::parse(&page.data)).map_or_else(
                |why| why,
                |own| {
                    let kinds = own.designators().map(|own| {
                        format!("type {} of {} bytes for {}", own.kind, own.bytes.len(), own.association)
                    });
                    kinds.collect::<Vec<_>>().join(", ")
                },
            ),
            Err(why) => why,
        };
        self.fact(format!("VPD 83h: {identification}"));
        Ok(())
    }

    /// Which unit of the same target is the changer.
    async fn changer_beside(&self) -> String {
        let Ok(Ok(report)) =
            self.ask(ReportLuns { select: 0, allocation: ROOM.into() }.cdb(), ROOM.into()).await
        else {
            return String::new();
        };
        let Ok(list) = LunList::parse(&report.data) else { return String::new() };
        for unit in list.luns().filter_map(lun_number).filter_map(|lun| self.device.sibling(lun)) {
            let command = Command::reading(Inquiry { vpd: None, allocation: 96 }.cdb(), 96, QUICK);
            let Ok(Ok(inquiry)) = answer(&*unit, command).await else { continue };
            let standard = StandardInquiry::parse(&inquiry.data);
            if standard.is_ok_and(|standard| standard.device_type() == DeviceType::Changer) {
                return format!("; {} is one", unit.device());
            }
        }
        String::new()
    }

    async fn geometry(&mut self) -> Result<Option<DeviceCapabilities>> {
        self.title("Geometry");
        let mut capabilities = None;
        for page in [0x1D, 0x1E, 0x1F] {
            let six =
                ModeSense6 { page, disable_block_descriptors: true, allocation: 255, ..Default::default() };
            let ten =
                ModeSense10 { page, disable_block_descriptors: true, allocation: 255, ..Default::default() };
            let (six, ten) = (self.ask(six.cdb(), 255).await?, self.ask(ten.cdb(), 255).await?);
            let six = six.map(|data| Some(ModeParameters::parse6(&data.data).ok()?.page(page, 0)?.to_vec()));
            let ten = ten.map(|data| Some(ModeParameters::parse10(&data.data).ok()?.page(page, 0)?.to_vec()));
            let word = |answer: &std::result::Result<Option<Vec<u8>>, String>| match answer {
                Ok(Some(page)) => format!("{} bytes", page.len()),
                Ok(None) => "GOOD without the page".to_owned(),
                Err(why) => why.clone(),
            };
            let same = match (&six, &ten) {
                (Ok(Some(six)), Ok(Some(ten))) if six != ten => ", and they differ",
                _ => "",
            };
            if !same.is_empty() {
                self.quirk(format!("page {page:02X}h differs between MODE SENSE(6) and (10)"));
            }
            for (length, answer) in [(6, &six), (10, &ten)] {
                if matches!(answer, Ok(None)) {
                    self.quirk(format!("MODE SENSE({length}) answers GOOD without page {page:02X}h"));
                }
            }
            self.fact(format!("page {page:02X}h: MODE SENSE(6) {}, (10) {}{same}", word(&six), word(&ten)));
            let Some(bytes) = six.ok().flatten().or(ten.ok().flatten()) else { continue };
            if let (0x1D, Ok(map)) = (page, ElementAddressAssignment::parse(&bytes)) {
                let ranges = ElementType::ALL
                    .map(|kind| format!("{} {kind} from {}", map.range(kind).count, map.range(kind).first));
                self.fact(format!("geometry: {}", ranges.join(", ")));
                self.map = Some(map);
            }
            if page == 0x1F {
                capabilities = DeviceCapabilities::parse(&bytes).ok();
            }
        }
        Ok(capabilities)
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
    #[error("{0} is reserved by another host (RESERVATION CONFLICT): end the program that uses it there")]
    Reserved(String),
}
