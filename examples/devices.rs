//! Which libraries this machine reaches: every changer that its kernel knows, and the changers of the iSCSI portals that
//! are named, each with its drives by element.
//!
//! ```text
//! cargo run --example devices                                      # the kernel's devices (Linux)
//! cargo run --example devices -- vtl.example:3260                  # and the targets of a portal, or iscsi://vtl.example
//! cargo run --example devices -- iscsi://user%secret@[::1]:3260    # of one that asks for CHAP
//! ```
//!
//! Nothing is moved or changed: it sends INQUIRY, REPORT LUNS and READ ELEMENT STATUS. The exit status is 0 when everything
//! that was asked answered, 1 when something did not, 2 when an argument is wrong.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use autochanger::scsi::vpd::UnitSerial;
use autochanger::scsi::{
    Cdb, DeviceType, ElementAddress, ElementStatus, ElementType, Inquiry, LunList, ReadElementStatus,
    ReportLuns, SenseKey, StandardInquiry, Status, lun_number,
};
use autochanger::transport::iscsi::{IscsiLogin, IscsiTarget, discover};
use autochanger::transport::{Command, DeviceUrl, Transport, open};

const HELP: &str = "\
devices: lists every tape library that this machine reaches, with its drives

    cargo run --example devices [-- PORTAL...]

PORTAL  host[:3260] or iscsi://[user%secret@]host[:3260], whose targets are listed after the kernel's devices";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// For commands that move nothing; a library answers them behind a motion of up to some minutes.
const PATIENCE: Duration = Duration::from_secs(300);

/// Unit attentions in a row that are heard before a device counts as refusing.
const ATTENTIONS: usize = 8;

/// Logical units of one target that are asked: more than any library has, less than a target can claim.
const MAX_UNITS: usize = 512;

/// All the drives of any library, in what every host adapter carries.
const ALLOCATION: u32 = 0xFFFF;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut portals = Vec::new();
    for argument in std::env::args().skip(1) {
        if matches!(&*argument, "-h" | "--help") {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        match Portal::parse(&argument) {
            Ok(portal) => portals.push(portal),
            Err(problem) => {
                eprintln!("{problem}\n\n{HELP}");
                return ExitCode::from(2);
            }
        }
    }
    let mut well = true;
    let mut known = BTreeMap::new();
    let mut told = |what: &str, result: Result<Table>| match result {
        Ok(mut table) => {
            table.note_other_ways(&mut known);
            table.print(what);
        }
        Err(error) => {
            well = false;
            eprintln!("{what}: {error}");
        }
    };
    told("this machine", of_kernel().await);
    for portal in portals {
        told(&format!("iscsi://{}", portal.host), of_portal(&portal).await);
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A portal and who asks it.
struct Portal {
    host: String,
    login: Option<IscsiLogin>,
}

impl Portal {
    /// The message never repeats what may be a secret.
    fn parse(argument: &str) -> std::result::Result<Self, String> {
        let rest = argument.strip_prefix("iscsi://").map(|rest| rest.trim_end_matches('/'));
        let rest = rest.or_else(|| is_host(argument).then_some(argument)).ok_or_else(|| {
            let expected = "is no portal: expected host[:3260] or iscsi://[user%secret@]host[:3260]";
            if argument.contains(['%', '@']) {
                format!("an argument {expected}")
            } else {
                format!("{argument:?} {expected}")
            }
        })?;
        let (login, host) = match rest.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, rest),
        };
        if host.is_empty() || host.contains(['/', '%']) {
            return Err(
                "what follows iscsi:// is not [user%secret@]host[:3260]; a portal has no target name \
                        (certify takes the URLs that are listed here)"
                    .into(),
            );
        }
        let login = match login.map(|login| login.split('%').collect::<Vec<_>>()).as_deref() {
            None => None,
            Some([user, secret]) => Some(IscsiLogin::new(*user, *secret)),
            Some([user, secret, other, others]) => {
                Some(IscsiLogin::new(*user, *secret).mutual(*other, *others))
            }
            Some(_) => return Err("what stands before the @ is not user%secret".into()),
        };
        Ok(Self { host: host.to_owned(), login })
    }
}

/// `host`, `host:port`, `[::1]` or `[::1]:port`; with a login it is to be a whole URL.
fn is_host(text: &str) -> bool {
    let port = text.rsplit_once(':').filter(|_| !text.ends_with(']'));
    !text.is_empty()
        && !text.contains(['/', '%', '@'])
        && port.is_none_or(|(_, port)| port.parse::<u16>().is_ok())
}

const COLUMNS: [&str; 7] = ["at", "what", "vendor", "product", "revision", "serial number", "device"];

/// A table whose columns are as wide as what is in them.
#[derive(Default)]
struct Table {
    rows: Vec<[String; COLUMNS.len()]>,
    /// What stands below it.
    notes: Vec<String>,
}

impl Table {
    fn row(&mut self, row: [&str; COLUMNS.len()]) {
        self.rows.push(row.map(|text| if text.is_empty() { "-".to_owned() } else { text.to_owned() }));
    }

    /// Says which of its changers were listed before, over another way: by name and serial number.
    fn note_other_ways(&mut self, known: &mut BTreeMap<[String; 3], String>) {
        for [_, what, vendor, product, _, serial, device] in &self.rows {
            if what != "changer" || serial == "-" {
                continue;
            }
            let key = [vendor, product, serial].map(String::clone);
            match known.get(&key) {
                Some(first) if first != device => self.notes.push(format!(
                    "{device} is another way to {first}, by its serial number: one library with two paths"
                )),
                Some(_) => {}
                None => drop(known.insert(key, device.clone())),
            }
        }
    }

    fn print(&self, title: &str) {
        println!("{title}");
        if self.rows.is_empty() {
            println!("    no medium changer");
        } else {
            let width = |column: usize| {
                let cells = self.rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
                cells.chain(COLUMNS.get(column).copied()).map(|text| text.chars().count()).max().unwrap_or(0)
            };
            let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
            for row in std::iter::once(&COLUMNS.map(str::to_owned)).chain(&self.rows) {
                let cells = row.iter().zip(&widths).map(|(text, width)| format!("{text:width$}"));
                println!("    {}", cells.collect::<Vec<_>>().join("  ").trim_end());
            }
        }
        for note in &self.notes {
            println!("    ({note})");
        }
        println!();
    }
}

/// The changers that the kernel has found, with the drives that it reaches.
#[cfg(all(feature = "sg", target_os = "linux"))]
async fn of_kernel() -> Result<Table> {
    use autochanger::transport::sg;

    let mut table = Table::default();
    for changer in sg::discover().map_err(|error| format!("the kernel's devices cannot be read: {error}"))? {
        let unit = &changer.unit;
        table.row([
            &unit.address.to_string(),
            "changer",
            &unit.vendor,
            &unit.product,
            &unit.revision,
            unit.serial.as_deref().unwrap_or_default(),
            &changer.url(),
        ]);
        match changer.match_drives().await {
            Ok(drives) => {
                for drive in drives {
                    let element = format!("drive {}", drive.element);
                    let serial = drive.serial.as_deref().unwrap_or_default();
                    let Some(unit) = &drive.unit else {
                        table.row(["", &element, "", "", "", serial, "not reached from here"]);
                        continue;
                    };
                    let tape = unit.tape.as_ref().map(|tape| format!("{} ", tape.display()));
                    table.row([
                        &unit.address.to_string(),
                        &element,
                        &unit.vendor,
                        &unit.product,
                        &unit.revision,
                        unit.serial.as_deref().unwrap_or(serial),
                        &format!("{}sg:{}", tape.unwrap_or_default(), unit.node.display()),
                    ]);
                }
            }
            Err(error) => table.notes.push(error.to_string()),
        }
    }
    Ok(table)
}

/// What is there to say where the kernel cannot be asked.
#[cfg(not(all(feature = "sg", target_os = "linux")))]
async fn of_kernel() -> Result<Table> {
    let note = "the kernel is asked on Linux, with the feature `sg`".to_owned();
    Ok(Table { rows: Vec::new(), notes: vec![note] })
}

/// The changers among the targets of a portal.
async fn of_portal(portal: &Portal) -> Result<Table> {
    let mut table = Table::default();
    let targets = discover(&portal.host, portal.login.as_ref()).await?;
    if targets.is_empty() {
        table.notes.push("the portal offers this initiator no target".to_owned());
    }
    for target in &targets {
        // A target that fails does not hide the others.
        if let Err(error) = list_target(target, portal.login.as_ref(), &mut table).await {
            table.notes.push(format!("{}: {error}", target.name));
        }
    }
    Ok(table)
}

/// A logical unit as it presents itself.
struct Unit {
    lun: u16,
    device: Arc<dyn Transport>,
    device_type: DeviceType,
    /// Vendor, product, revision.
    names: [String; 3],
    serial: String,
}

async fn list_target(target: &IscsiTarget, login: Option<&IscsiLogin>, table: &mut Table) -> Result<()> {
    let first = open(&DeviceUrl::from(target.url(0, login)?))?;
    let report = ask(&*first, ReportLuns { select: 0, allocation: ALLOCATION }.cdb(), ALLOCATION).await?;
    let luns: Vec<u16> = LunList::parse(&report)?.luns().filter_map(lun_number).take(MAX_UNITS).collect();
    let mut units = Vec::new();
    for lun in luns {
        // The first unit is its own sibling, too.
        let Some(device) = first.sibling(lun) else { continue };
        match identify(lun, device).await {
            Ok(unit) => units.push(unit),
            Err(error) => table.notes.push(format!("{} LUN {lun}: {error}", target.name)),
        }
    }
    let changers = units.iter().filter(|unit| unit.device_type == DeviceType::Changer);
    if changers.clone().next().is_none() {
        let kinds: Vec<String> =
            units.iter().map(|unit| format!("LUN {} {}", unit.lun, unit.device_type)).collect();
        table.notes.push(format!("{} has no medium changer: {}", target.name, kinds.join(", ")));
    }
    for changer in changers {
        table.unit(changer, "changer");
        match drive_elements(&*changer.device).await {
            Ok(drives) => {
                for (element, serial, unit) in pair(&units, drives) {
                    let what = format!("drive {element}");
                    match unit {
                        Some(unit) => table.unit(unit, &what),
                        None => table.row(["", &what, "", "", "", &serial, "not at this target"]),
                    }
                }
            }
            Err(error) => table.notes.push(format!("{} does not tell its drives: {error}", target.name)),
        }
    }
    Ok(())
}

impl Table {
    fn unit(&mut self, unit: &Unit, what: &str) {
        let [vendor, product, revision] = &unit.names;
        let lun = format!("LUN {}", unit.lun);
        self.row([&lun, what, vendor, product, revision, &unit.serial, unit.device.device()]);
    }
}

/// A drive element as the changer reports it: its serial number, and whether all of that was in the report.
type Reported = (ElementAddress, String, bool);

/// Which drive is in which element: the one with the reported serial number; where the report ends within it, the only one
/// left that begins so.
fn pair(units: &[Unit], reported: Vec<Reported>) -> Vec<(ElementAddress, String, Option<&Unit>)> {
    let mut left: Vec<&Unit> = units.iter().filter(|unit| unit.device_type == DeviceType::Tape).collect();
    let mut drives: Vec<_> =
        reported.into_iter().map(|(element, serial, complete)| (element, serial, complete, None)).collect();
    // What is certain goes first, so that it cannot be taken for what is cut.
    for certain in [true, false] {
        for (_, serial, complete, partner) in
            drives.iter_mut().filter(|(_, _, complete, _)| *complete == certain)
        {
            let fits = |unit: &Unit| {
                if *complete {
                    !serial.is_empty() && unit.serial == *serial
                } else {
                    unit.serial.starts_with(serial.as_str())
                }
            };
            let mut fitting = (0..left.len()).filter(|&at| left.get(at).is_some_and(|unit| fits(unit)));
            if let (Some(at), None) = (fitting.next(), fitting.next()) {
                *partner = Some(left.swap_remove(at));
            }
        }
    }
    drives.into_iter().map(|(element, serial, _, partner)| (element, serial, partner)).collect()
}

async fn identify(lun: u16, device: Arc<dyn Transport>) -> Result<Unit> {
    let data = ask(&*device, Inquiry { vpd: None, allocation: 96 }.cdb(), 96).await?;
    let standard = StandardInquiry::parse(&data)?;
    let names = [standard.vendor(), standard.product(), standard.revision()].map(str::to_owned);
    let device_type = standard.device_type();
    // Not everything has a serial number, and what has none is still to be listed.
    let page = ask(&*device, Inquiry { vpd: Some(0x80), allocation: 255 }.cdb(), 255).await;
    let serial = page.ok().and_then(|page| Some(UnitSerial::parse(&page).ok()?.serial().to_owned()));
    Ok(Unit { lun, device, device_type, names, serial: serial.unwrap_or_default() })
}

/// The changer's drive elements.
async fn drive_elements(changer: &dyn Transport) -> Result<Vec<Reported>> {
    let allocation = ALLOCATION.min(changer.limits().max_transfer);
    let mut refusal = String::new();
    // Some refuse identifiers together with tags, some without them.
    for volume_tags in [false, true] {
        let command = ReadElementStatus {
            element_type: Some(ElementType::Drive),
            start: ElementAddress(0),
            count: u16::MAX,
            volume_tags,
            current_data: false,
            device_ids: true,
            allocation,
        };
        match ask(changer, command.cdb(), allocation).await {
            Ok(data) => {
                let report = ElementStatus::parse(&data)?;
                let drives = report.elements().filter(|element| element.element_type() == ElementType::Drive);
                return Ok(drives
                    .map(|drive| {
                        let serial = drive.device_id().and_then(|id| id.serial()).unwrap_or_default();
                        (drive.address(), serial.to_owned(), drive.is_complete())
                    })
                    .collect());
            }
            Err(error) => refusal = error.to_string(),
        }
    }
    Err(refusal.into())
}

/// The data of a command; it is sent again after unit attentions, with which a device has not looked at it.
async fn ask(device: &dyn Transport, cdb: Cdb, allocation: u32) -> Result<Vec<u8>> {
    for _ in 0..ATTENTIONS {
        let answer = device.execute(Command::reading(cdb, allocation, PATIENCE)).await?;
        match (answer.status, answer.sense()) {
            (Status::Good, _) => return Ok(answer.data.to_vec()),
            (_, Some(sense)) if sense.key == SenseKey::UnitAttention => {}
            (_, Some(sense)) => return Err(sense.to_string().into()),
            (status, None) => return Err(status.to_string().into()),
        }
    }
    Err(format!("{ATTENTIONS} unit attentions in a row").into())
}
