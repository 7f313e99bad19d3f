//! A library under test: what it has, how it is asked, and how everything in it is put back.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use autochanger::transport::{DeviceUrl, Transport, open};
use autochanger_scsi::{
    Cdb, DeviceType, ElementAddress, ElementAddressAssignment, ElementStatus, ElementType, ExchangeMedium,
    InitializeElementStatusWithRange, Inquiry, LoadUnload, LunList, ModeParameters, ModeSense6, MoveMedium,
    PortAction, PositionToElement, PreventAllowMediumRemoval, ReadElementStatus, ReportLuns, Sense, SenseKey,
    StandardInquiry, Status, lun_number,
};

use super::ask::{MOTION, QUICK, ask, good, serial};
use super::need::Need;
use super::services::{all_commands, log, port, read_keys};

/// For INITIALIZE ELEMENT STATUS, which scans every label.
pub(crate) const SCAN: Duration = Duration::from_secs(2 * 3600);

/// Set to any value, bodies that may take an hour on a physical library run on it too.
const SLOW: &str = "AUTOCHANGER_SLOW";

/// How many elements are read at once: some libraries fail above.
const CHUNK: u16 = 1000;

/// An element as one report showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) element_type: ElementType,
    pub(crate) address: u16,
    pub(crate) full: bool,
    pub(crate) tag: Option<String>,
    pub(crate) source: Option<u16>,
    pub(crate) serial: Option<String>,
    /// The report had all of it.
    pub(crate) complete: bool,
}

/// How elements are to be read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    pub(crate) tags: bool,
    pub(crate) current: bool,
    pub(crate) identifiers: bool,
    /// Elements per command; all when left out.
    pub(crate) count: Option<u16>,
    /// Bytes per command; as many as libraries take when left out.
    pub(crate) allocation: Option<u32>,
}

/// With volume tags, and nothing else special.
pub(crate) const TAGS: Reading =
    Reading { tags: true, current: false, identifiers: false, count: None, allocation: None };

/// A drive that is reached.
pub(crate) struct DriveUnit {
    pub(crate) element: u16,
    pub(crate) serial: String,
    pub(crate) device: Arc<dyn Transport>,
}

/// A changer, and what is known of it.
pub(crate) struct Library {
    pub(crate) changer: Arc<dyn Transport>,
    pub(crate) drives: Vec<DriveUnit>,
    pub(crate) geometry: Option<ElementAddressAssignment>,
    has: BTreeSet<Need>,
    before: BTreeMap<u16, Seen>,
    /// What keeps it running.
    _bed: Box<dyn Any + Send + Sync>,
}

impl Library {
    /// Opens a changer and finds out what it has.
    pub(crate) async fn open(url: &str, bed: impl Any + Send + Sync) -> Self {
        let url: DeviceUrl = url.parse().unwrap_or_else(|error| panic!("{error}"));
        let changer = open(&url).unwrap_or_else(|error| panic!("{error}"));
        let mut library = Self {
            changer,
            drives: Vec::new(),
            geometry: None,
            has: BTreeSet::new(),
            before: BTreeMap::new(),
            _bed: Box::new(bed),
        };
        let inquiry = good(&*library.changer, Inquiry { vpd: None, allocation: 96 }.cdb(), 96).await;
        let kind = StandardInquiry::parse(&inquiry).expect("standard inquiry data").device_type();
        assert_eq!(kind, DeviceType::Changer, "{} is no medium changer", library.changer.device());
        library.geometry = library.read_geometry().await;
        library.before = library.inventory().await;
        library.drives = library.find_drives().await;
        library.probe().await;
        library
    }

    pub(crate) fn has(&self, need: Need) -> bool {
        self.has.contains(&need)
    }

    async fn read_geometry(&self) -> Option<ElementAddressAssignment> {
        let command = ModeSense6 {
            page: 0x1D,
            disable_block_descriptors: true,
            allocation: 255,
            ..ModeSense6::default()
        };
        let answer = ask(&*self.changer, command.cdb(), 255, QUICK).await;
        let parameters = ModeParameters::parse6(&answer.data).ok()?;
        ElementAddressAssignment::parse(parameters.page(0x1D, 0)?).ok()
    }

    /// The units behind the same port that are tape drives, matched to elements by serial number. A number that a
    /// report cut short matches the one unit that it fits.
    async fn find_drives(&self) -> Vec<DriveUnit> {
        let answer = ask(&*self.changer, ReportLuns { select: 0, allocation: 4096 }.cdb(), 4096, QUICK).await;
        let luns: Vec<u16> = LunList::parse(&answer.data)
            .map(|list| list.luns().filter_map(lun_number).collect())
            .unwrap_or_default();
        let mut units = Vec::new();
        for lun in luns {
            let Some(device) = self.changer.sibling(lun) else { continue };
            let inquiry = good(&*device, Inquiry { vpd: None, allocation: 96 }.cdb(), 96).await;
            if StandardInquiry::parse(&inquiry).is_ok_and(|inquiry| inquiry.device_type() == DeviceType::Tape)
            {
                units.push((serial(&*device).await, device));
            }
        }
        let reading = Reading { identifiers: true, ..Reading::default() };
        let mut drives = Vec::new();
        for element in self.read(ElementType::Drive, reading).await {
            let Some(named) = element.serial.as_deref().filter(|serial| !serial.is_empty()) else { continue };
            let fits: Vec<_> = units
                .iter()
                .filter(|(serial, _)| serial == named || (!element.complete && serial.starts_with(named)))
                .filter(|(serial, _)| !drives.iter().any(|drive: &DriveUnit| drive.serial == *serial))
                .collect();
            if let [(serial, device)] = fits[..] {
                drives.push(DriveUnit {
                    element: element.address,
                    serial: serial.clone(),
                    device: device.clone(),
                });
            }
        }
        drives
    }

    async fn probe(&mut self) {
        let all: Vec<Seen> = self.before.values().cloned().collect();
        let count =
            |kind, full| all.iter().filter(|seen| seen.element_type == kind && seen.full == full).count();
        let cartridges = count(ElementType::Storage, true);
        let room = count(ElementType::Storage, false) > 0;
        let nowhere = ElementAddress(self.nowhere());
        let exchange = ExchangeMedium {
            transport: ElementAddress(0),
            source: nowhere,
            first_destination: nowhere,
            second_destination: nowhere,
            invert_first: false,
            invert_second: false,
        };
        let position =
            PositionToElement { transport: ElementAddress(0), destination: nowhere, invert: false };
        let range = InitializeElementStatusWithRange { fast: true, range: Some((nowhere, 1)) };
        let slow_is_fine = !self.is_somebodys() || std::env::var_os(SLOW).is_some();
        let mut vital = true;
        for page in [0x00, 0x80, 0x83] {
            vital &=
                self.status(Inquiry { vpd: Some(page), allocation: 255 }.cdb(), 255).await == Status::Good;
        }
        let page_1f = ModeSense6 {
            page: 0x1F,
            disable_block_descriptors: true,
            allocation: 255,
            ..ModeSense6::default()
        };
        let drives = self.read(ElementType::Drive, Reading { identifiers: true, ..Reading::default() }).await;
        for (need, there) in [
            (Need::Cartridge, cartridges >= 1 && room),
            (Need::TwoCartridges, cartridges >= 2 && room),
            (Need::Drive, count(ElementType::Drive, false) > 0),
            (
                Need::DriveUnits,
                self.drives
                    .iter()
                    .any(|drive| self.before.get(&drive.element).is_some_and(|seen| !seen.full)),
            ),
            (Need::DriveIdentifiers, drives.iter().any(|drive| drive.serial.is_some())),
            (Need::MailSlot, count(ElementType::ImportExport, false) > 0),
            (Need::Geometry, self.geometry.is_some()),
            (Need::Capabilities, self.status(page_1f.cdb(), 255).await == Status::Good),
            (Need::VitalData, vital),
            // Asked with an address that nobody has: whoever knows the command refuses the address.
            (Need::Exchange, self.knows(exchange.cdb()).await),
            (Need::Position, self.knows(position.cdb()).await),
            (Need::InitializeRange, slow_is_fine && self.knows(range.cdb()).await),
            (Need::Prevent, self.knows(PreventAllowMediumRemoval { prevent: false }.cdb()).await),
            (Need::Initialize, slow_is_fine),
            (Need::LogPages, self.status(log(0x00), 8192).await == Status::Good),
            (Need::Reserve, self.status(read_keys(), 8192).await == Status::Good),
            (Need::OperationCodes, self.status(all_commands(), 8192).await == Status::Good),
            (Need::Ports, slow_is_fine && self.knows(port(nowhere.0, PortAction::Close)).await),
        ] {
            if there {
                self.has.insert(need);
            }
        }
    }

    /// Whether this is a device that a person named, and no bed of ours.
    fn is_somebodys(&self) -> bool {
        super::named_device().is_some()
    }

    async fn status(&self, cdb: Cdb, allocation: u32) -> Status {
        ask(&*self.changer, cdb, allocation, QUICK).await.status
    }

    async fn knows(&self, cdb: Cdb) -> bool {
        let answer = ask(&*self.changer, cdb, 0, MOTION).await;
        answer.sense().is_none_or(|sense| (sense.code.asc, sense.code.ascq) != (0x20, 0x00))
    }

    /// All elements of a type, read in as many commands as it takes.
    pub(crate) async fn read(&self, kind: ElementType, reading: Reading) -> Vec<Seen> {
        let mut all: BTreeMap<u16, Seen> = BTreeMap::new();
        let mut start = 0;
        loop {
            let seen = self.read_from(kind, start, reading).await;
            // What was cut off at the end is asked for again, once it is not all there is.
            let whole = seen.iter().filter(|element| element.complete).count();
            let taken = if whole == 0 { seen.len() } else { whole };
            let new: Vec<Seen> =
                seen.into_iter().take(taken).filter(|element| element.address >= start).collect();
            let Some(last) = new.iter().map(|element| element.address).max() else { break };
            all.extend(new.into_iter().map(|element| (element.address, element)));
            let Some(next) = last.checked_add(1) else { break };
            start = next;
        }
        all.into_values().collect()
    }

    /// One READ ELEMENT STATUS; nothing when the library has no elements of the type from there on.
    pub(crate) async fn read_from(&self, kind: ElementType, start: u16, reading: Reading) -> Vec<Seen> {
        let allocation = reading.allocation.unwrap_or(0xFFFF).min(self.changer.limits().max_transfer);
        let command = ReadElementStatus {
            element_type: Some(kind),
            start: ElementAddress(start),
            count: reading.count.unwrap_or(CHUNK),
            volume_tags: reading.tags,
            current_data: reading.current,
            device_ids: reading.identifiers,
            allocation,
        };
        let answer = ask(&*self.changer, command.cdb(), allocation, QUICK).await;
        if answer.status != Status::Good {
            let sense = answer.sense().expect("sense with CHECK CONDITION");
            assert_eq!(sense.key, SenseKey::IllegalRequest, "{command:?} ended with {sense}");
            return Vec::new();
        }
        assert!(answer.data.len() <= allocation as usize, "more data than was asked for");
        let report =
            ElementStatus::parse(&answer.data).unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let elements = report.elements().filter(|element| element.element_type() == kind);
        elements
            .map(|element| Seen {
                element_type: kind,
                address: element.address().0,
                full: element.full(),
                tag: element.volume_tag().filter(|_| element.full()).map(|tag| tag.identifier().to_owned()),
                source: element.source().map(|source| source.0),
                serial: element.device_id().and_then(|id| id.serial()).map(str::to_owned),
                complete: element.is_complete(),
            })
            .collect()
    }

    /// Everything that holds a cartridge or could.
    pub(crate) async fn inventory(&self) -> BTreeMap<u16, Seen> {
        let mut all = BTreeMap::new();
        for kind in ElementType::ALL {
            all.extend(self.read(kind, TAGS).await.into_iter().map(|seen| (seen.address, seen)));
        }
        all
    }

    /// Where cartridges are: address to tag.
    pub(crate) async fn contents(&self) -> BTreeMap<u16, Option<String>> {
        contents(&self.inventory().await)
    }

    /// The nth element of a type that is full, or empty.
    pub(crate) fn nth(&self, kind: ElementType, full: bool, n: usize) -> u16 {
        let mut fit = self.before.values().filter(|seen| seen.element_type == kind && seen.full == full);
        fit.nth(n)
            .unwrap_or_else(|| panic!("the body needs more of {kind}, full: {full}, than it stated"))
            .address
    }

    /// An address that no element has.
    pub(crate) fn nowhere(&self) -> u16 {
        (0..=u16::MAX).rev().find(|address| !self.before.contains_key(address)).expect("a free address")
    }

    /// A drive that is reached and was empty.
    pub(crate) fn empty_drive(&self) -> &DriveUnit {
        let empty = |drive: &&DriveUnit| self.before.get(&drive.element).is_some_and(|seen| !seen.full);
        self.drives.iter().find(empty).expect("the body states that it needs a drive")
    }

    /// MOVE MEDIUM, whatever comes of it.
    pub(crate) async fn try_move(&self, source: u16, destination: u16) -> Result<(), Sense> {
        let command = MoveMedium {
            transport: ElementAddress(0),
            source: ElementAddress(source),
            destination: ElementAddress(destination),
            invert: false,
        };
        let answer = ask(&*self.changer, command.cdb(), 0, MOTION).await;
        match answer.status {
            Status::Good => Ok(()),
            _ => Err(answer.sense().unwrap_or_else(|| panic!("{:?} without sense", answer.status))),
        }
    }

    /// MOVE MEDIUM that succeeds.
    pub(crate) async fn move_medium(&self, source: u16, destination: u16) {
        if let Err(sense) = self.try_move(source, destination).await {
            panic!("the move from {source} to {destination} was refused: {sense}");
        }
    }

    /// Unloads the drive where that is possible, so that no library refuses to take the cartridge out.
    pub(crate) async fn unload(&self, element: u16) {
        if let Some(drive) = self.drives.iter().find(|drive| drive.element == element) {
            ask(&*drive.device, LoadUnload::default().cdb(), 0, MOTION).await;
        }
    }

    /// Puts every cartridge back where it was.
    pub(crate) async fn restore(&self) {
        if self.has(Need::Prevent) {
            ask(&*self.changer, PreventAllowMediumRemoval { prevent: false }.cdb(), 0, QUICK).await;
        }
        let wanted = contents(&self.before);
        for _ in 0..=wanted.len() {
            let now = self.contents().await;
            let displaced = now.iter().find_map(|(at, tag)| {
                let home = wanted.iter().find(|(_, wanted)| tag.is_some() && *wanted == tag)?.0;
                (home != at && !now.contains_key(home)).then_some((*at, *home))
            });
            match displaced {
                Some((at, home)) => {
                    self.unload(at).await;
                    self.move_medium(at, home).await;
                }
                None => {
                    assert_eq!(now, wanted, "not every cartridge could be put back");
                    return;
                }
            }
        }
        panic!("cartridges do not stay where they are put");
    }
}

fn contents(inventory: &BTreeMap<u16, Seen>) -> BTreeMap<u16, Option<String>> {
    inventory.values().filter(|seen| seen.full).map(|seen| (seen.address, seen.tag.clone())).collect()
}
