//! Which changers this machine has, and which drives are theirs.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use autochanger_engine::pairing::{DriveElement, DriveNames, DriveWay, FURTHER_PAGES, pair};
use autochanger_scsi::sg::{Address, Sysfs, Unit};
use autochanger_scsi::vpd::UNIT_SERIAL;
use autochanger_scsi::{
    DeviceType, ElementAddress, ElementStatus, ElementType, Inquiry, ReadElementStatus, Sense, SenseKey,
    Status,
};
use bytes::Bytes;

use super::{SgTransport, SgUrl};
use crate::transport::{Command, Transport, TransportError};

/// The most drives that are tried for one library: more than the largest libraries have.
pub const MAX_CANDIDATES: usize = 512;

/// For commands that move nothing; a library answers them behind a motion of up to some minutes.
const PATIENCE: Duration = Duration::from_secs(300);

/// Unit attentions in a row that are heard before a device counts as refusing.
const MAX_ATTENTIONS: usize = 8;

/// Allocation of the element status: all the drives of any library, in what every host adapter carries.
const ALLOCATION: u32 = 0xFFFF;

/// A changer that the kernel has found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changer {
    /// The changer.
    pub unit: Unit,
    /// The machine's tape drives, which may or may not be in the library: first those of the changer's own target, then
    /// those of its host adapter, then the others. Which is which, and in which element, [`Changer::match_drives`] finds
    /// out, and a [`Manager`](crate::Manager) by itself.
    pub drives: Vec<Unit>,
}

impl Changer {
    /// Its device URL: a name that stays when devices are found in another order, where it has one.
    ///
    /// It is one by path: names by identifier are commonly shared by all devices of an iSCSI host.
    pub fn url(&self) -> String {
        let stays = self.unit.names.iter().find(|name| name.to_string_lossy().contains("/by-path/"));
        format!("sg:{}", stays.unwrap_or(&self.unit.node).display())
    }

    /// Asks the changer which drives are in which element (READ ELEMENT STATUS with DVCID), and the drives for their serial
    /// numbers where the kernel does not know them (VPD page 80h). Moves nothing.
    ///
    /// They match by serial number, also by the one that the maker gave the drive, by world wide name, or by what the drive says of its
    /// place in this library; a serial number that the report has cut matches the only drive left that begins with it, or, where
    /// nothing of it came, the only one left at the changer's target. An element without a match is listed without a drive.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the answers, and asks nothing more.
    ///
    /// # Errors
    /// [`MatchError`], when the changer is not reached, or refuses. A drive that does not answer is no error: its
    /// element is listed without one.
    pub async fn match_drives(&self) -> Result<Vec<MatchedDrive>, MatchError> {
        let changer = transport_of(&self.unit);
        let reported = drive_elements(&changer).await?;
        let mut known: Vec<(Unit, DriveNames)> = Vec::new();
        for unit in &self.drives {
            let mut names = DriveNames::default();
            match &unit.serial {
                Some(serial) => names.serial = Some(serial.as_str().into()),
                None => ask_page(unit, UNIT_SERIAL, &mut names).await,
            }
            known.push((unit.clone(), names));
        }
        let mut own = self.unit.clone();
        if own.serial.is_none() {
            let mut names = DriveNames::default();
            ask_page(&self.unit, UNIT_SERIAL, &mut names).await;
            own.serial = names.serial.as_deref().map(str::to_owned);
        }
        let found = matched(&own, &reported, &known);
        if found.iter().all(|drive| drive.unit.is_some()) {
            return Ok(found);
        }
        // What is left is asked in every way that there is.
        let used: Vec<Address> =
            found.iter().filter_map(|drive| Some(drive.unit.as_ref()?.address)).collect();
        for (unit, names) in known.iter_mut().filter(|(unit, _)| !used.contains(&unit.address)) {
            for page in FURTHER_PAGES {
                ask_page(unit, page, names).await;
            }
        }
        Ok(matched(&own, &reported, &known))
    }
}

/// A drive element of a library, and the drive that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MatchedDrive {
    /// The element's address.
    pub element: ElementAddress,
    /// The drive's serial number, as far as the library tells it.
    pub serial: Option<String>,
    /// The drive, where this machine reaches it.
    pub unit: Option<Unit>,
}

/// The drives, as far as what is known of them tells, by the rules by which a manager finds its drives.
pub(super) fn matched(
    changer: &Unit,
    reported: &[DriveElement],
    known: &[(Unit, DriveNames)],
) -> Vec<MatchedDrive> {
    let way = |(unit, names): &(Unit, DriveNames)| DriveWay {
        names: names.clone(),
        element: None,
        preferred: false,
        // Where nothing of its name came, nobody else's drive is to be taken for it.
        own: unit.address.same_target(&changer.address),
    };
    let ways: Vec<DriveWay> = known.iter().map(way).collect();
    let pairs = pair(changer.serial.as_deref(), reported, &ways);
    let unit = |element| Some(known.get(*pairs.get(&element)?)?.0.clone());
    reported
        .iter()
        .map(|drive| MatchedDrive {
            element: drive.address,
            serial: drive.serial.as_deref().map(str::to_owned),
            unit: unit(drive.address),
        })
        .collect()
}

/// Why a changer did not tell its drives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatchError {
    /// The way to it.
    #[error(transparent)]
    Path(#[from] TransportError),
    /// It refuses.
    #[error("{device} does not tell its drives: {answer}; name them with LibraryConfig::drive(element, url)")]
    Refused {
        /// The changer's URL.
        device: Arc<str>,
        /// What it answered.
        answer: String,
    },
}

/// The changers that the kernel has found, by address. Nothing is sent to them.
///
/// # Errors
/// The kernel's knowledge (`/sys`) cannot be read.
pub fn discover() -> io::Result<Vec<Changer>> {
    Ok(of_units(&Sysfs::default().units()?))
}

/// The ways to the drives that may belong to the changer at `url` beside those of its own target, all of them then; none
/// where there are no others, for the target's are found without being told.
pub(crate) fn drives_beyond_target(url: &SgUrl) -> Vec<Arc<dyn Transport>> {
    let sysfs = Sysfs::default();
    let (Some(own), Ok(units)) = (sysfs.unit(url.path()), sysfs.units()) else { return Vec::new() };
    beyond_target(&own, &units)
        .iter()
        .filter_map(|unit| SgTransport::of_unit(unit, url))
        .map(|drive| Arc::new(drive) as Arc<dyn Transport>)
        .collect()
}

pub(super) fn beyond_target(own: &Unit, units: &[Unit]) -> Vec<Unit> {
    let drives = candidates(own, units);
    if drives.iter().all(|drive| drive.address.same_target(&own.address)) { Vec::new() } else { drives }
}

pub(super) fn of_units(units: &[Unit]) -> Vec<Changer> {
    let changers = units.iter().filter(|unit| unit.device_type == DeviceType::Changer);
    changers.map(|unit| Changer { unit: unit.clone(), drives: candidates(unit, units) }).collect()
}

fn candidates(changer: &Unit, units: &[Unit]) -> Vec<Unit> {
    let mut drives: Vec<Unit> =
        units.iter().filter(|unit| unit.device_type == DeviceType::Tape).cloned().collect();
    drives.sort_by_key(|drive| {
        let elsewhere = !drive.address.same_target(&changer.address);
        (elsewhere, drive.address.host != changer.address.host, drive.address)
    });
    // A drive that is reached by several paths is one drive: the nearest path is taken.
    let mut seen = BTreeSet::new();
    drives.retain(|drive| match &drive.serial {
        Some(serial) => seen.insert((drive.vendor.clone(), drive.product.clone(), serial.clone())),
        None => true,
    });
    drives.truncate(MAX_CANDIDATES);
    drives
}

fn transport_of(unit: &Unit) -> SgTransport {
    SgTransport::new(SgUrl::of_node(unit.node.clone()))
}

async fn drive_elements(changer: &SgTransport) -> Result<Vec<DriveElement>, MatchError> {
    let mut refusal = String::new();
    // Some refuse identifiers together with tags, some without them.
    for volume_tags in [false, true] {
        let allocation = ALLOCATION.min(changer.limits().max_transfer);
        let command = ReadElementStatus {
            element_type: Some(ElementType::Drive),
            start: ElementAddress(0),
            count: u16::MAX,
            volume_tags,
            current_data: false,
            device_ids: true,
            allocation,
        };
        match ask(changer, Command::reading(command.cdb(), allocation, PATIENCE)).await? {
            Ok(data) => return Ok(read_elements(&data)),
            Err(answer) => refusal = answer,
        }
    }
    Err(MatchError::Refused { device: changer.device().into(), answer: refusal })
}

pub(super) fn read_elements(data: &[u8]) -> Vec<DriveElement> {
    let Ok(report) = ElementStatus::parse(data) else { return Vec::new() };
    let drives = report.elements().filter(|element| element.element_type() == ElementType::Drive);
    drives.map(|element| DriveElement::of(&element)).collect()
}

/// Asks a drive for a page; one that does not answer says nothing.
async fn ask_page(drive: &Unit, page: u8, names: &mut DriveNames) {
    /// One byte of length suffices for a serial number, and SCSI-2 devices have no more.
    const SHORT: u16 = 255;
    /// Identifiers that tell drives apart stand first.
    const LONG: u16 = 1024;
    let allocation = if page == UNIT_SERIAL { SHORT } else { LONG };
    let cdb = Inquiry { vpd: Some(page), allocation }.cdb();
    let command = Command::reading(cdb, allocation.into(), PATIENCE);
    if let Ok(Ok(data)) = ask(&transport_of(drive), command).await {
        names.take(page, &data);
    }
}

/// Asks until there is no unit attention: with one a device has not looked at the command.
async fn ask(device: &SgTransport, command: Command) -> Result<Result<Bytes, String>, TransportError> {
    let mut last = String::new();
    for _ in 0..MAX_ATTENTIONS {
        let answer = device.execute(command.clone()).await?;
        match (answer.status, answer.sense()) {
            (Status::Good, _) => return Ok(Ok(answer.data)),
            (_, Some(sense)) => {
                last = Sense::to_string(&sense);
                if sense.key != SenseKey::UnitAttention {
                    break;
                }
            }
            (status, None) => {
                last = status.to_string();
                break;
            }
        }
    }
    Ok(Err(last))
}
