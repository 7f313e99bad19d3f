//! How one library is configured.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use autochanger_engine::catalog::Compatibility;
use autochanger_engine::costs::Costs;
use autochanger_engine::input::{
    ConfiguredDrive, DEFAULT_SUSPECT_AFTER, LibraryConfig as EngineLibraryConfig, MAX_PATHS, Reservation,
    Timing, Verify,
};
use autochanger_engine::request::InventoryMethod;
use autochanger_scsi::ElementAddress;

use crate::driver::Ways;
use crate::error::OpenError;
use crate::transport::{self, DeviceUrl, IscsiUrl, Transport};

/// One library: the way to its changer, and where needed the ways to its drives.
///
/// ```
/// use autochanger::LibraryConfig;
///
/// let library = LibraryConfig::new("iscsi://vtl.example:3260/iqn.2026-01.example:lib/0")
///     .name("the vault's library")
///     .drive(500, "iscsi://vtl.example:3260/iqn.2026-01.example:lib/1");
/// ```
///
/// Drives that nobody names are matched by the serial numbers that the library reports (READ ELEMENT STATUS with DVCID),
/// among the other logical units of the changer's target; for a changer at `sg:`, among all tape drives of the machine where
/// some are at other targets.
#[derive(Clone)]
#[must_use]
pub struct LibraryConfig {
    changer: Way,
    others: Vec<Way>,
    name: Option<Arc<str>>,
    drives: Vec<(Option<ElementAddress>, Way)>,
    timing: Timing,
    moves_in_flight: u8,
    costs: Costs,
    unload_before_move: bool,
    lock_ports: bool,
    initialize_at_start: bool,
    exchange: bool,
    reservation: Reservation,
    take_over: bool,
    dwell: Duration,
    auto_clean: bool,
    suspect_after: u8,
    compatibility: Vec<Compatibility>,
    verify: Verify,
    auto_recovery: bool,
    inventory_method: InventoryMethod,
}

#[derive(Clone)]
enum Way {
    Url(String),
    Device(DeviceUrl),
    Transport(Arc<dyn Transport>),
}

impl LibraryConfig {
    /// The changer at a device URL, for example `sg:/dev/sg3`, `iscsi://[user%secret@]host:port/iqn/lun` or `sim:`. A wrong URL is
    /// told by [`open`](crate::ManagerBuilder::open).
    pub fn new(url: impl Into<String>) -> Self {
        Self::with(Way::Url(url.into()))
    }

    /// The changer behind a transport of the caller's own.
    pub fn transport(name: impl AsRef<str>, changer: Arc<dyn Transport>) -> Self {
        Self::with(Way::Transport(changer)).name(name)
    }

    /// A further path to the same changer, up to [`MAX_PATHS`] in all. The paths stand in the order of preference; one is
    /// used at a time, and the next when it fails. What may lead elsewhere is refused
    /// ([`LibraryError::PathMismatch`](crate::LibraryError::PathMismatch)): INQUIRY, serial number (VPD page 80h) and
    /// identifiers (83h) must agree.
    #[doc(alias = "multipath")]
    pub fn path(mut self, url: impl Into<String>) -> Self {
        self.others.push(Way::Url(url.into()));
        self
    }

    /// A further path to the same changer, by a transport of the caller's own; see [`path`](Self::path).
    pub fn path_transport(mut self, changer: Arc<dyn Transport>) -> Self {
        self.others.push(Way::Transport(changer));
        self
    }

    /// Whether the library is reserved for this manager on the device itself (PERSISTENT RESERVE OUT, SPC-4 6.16), so that
    /// managers on other machines are kept out: [`Reservation::WhereOffered`] by default. It comes after the lock, under the key
    /// of the manager's [owner](crate::ManagerBuilder::owner).
    #[doc(alias = "PERSISTENT RESERVE OUT")]
    pub fn reservation(mut self, reservation: Reservation) -> Self {
        self.reservation = reservation;
        self
    }

    /// Takes the library from an owner that has it reserved and is gone for good: its registration is preempted, once, when the
    /// library is first opened. No by default. An owner that still lives loses the library in the middle of what it does.
    #[doc(alias = "PREEMPT")]
    pub fn take_over(mut self, take_over: bool) -> Self {
        self.take_over = take_over;
        self
    }

    /// The library's name in messages; the changer's URL without its secret unless given.
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.name = Some(name.as_ref().into());
        self
    }

    /// The same by a URL that was read already, for a secret that no text can hold
    /// ([`IscsiUrl::with_login`]).
    pub fn device(url: impl Into<DeviceUrl>) -> Self {
        Self { changer: Way::Device(url.into()), ..Self::new("") }
    }

    /// The way to the drive with this element address.
    pub fn drive(mut self, element: impl Into<ElementAddress>, url: impl Into<String>) -> Self {
        self.drives.push((Some(element.into()), Way::Url(url.into())));
        self
    }

    /// The way to a drive whose element is found by its serial number.
    pub fn drive_by_serial(mut self, url: impl Into<String>) -> Self {
        self.drives.push((None, Way::Url(url.into())));
        self
    }

    /// The way to a drive, by a transport of the caller's own; without an element it is found by its serial number.
    pub fn drive_transport(mut self, element: Option<ElementAddress>, drive: Arc<dyn Transport>) -> Self {
        self.drives.push((element, Way::Transport(drive)));
        self
    }

    /// The time-outs and pauses. Round up: an expired time-out makes a move doubtful, and looking costs time.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// How many moves may be under way at once: 1 by default; more for a library with more than one arm, and for one that answers a move to
    /// a drive only when that is ready. Its arm is free before, so that it takes *(move + load) / move* of them, rounded up, for each arm: three
    /// for moves of 12.5 s and loads of 19 s, as in an SL8500. Never more than the path carries
    /// commands at once: one at `sg:` unless its URL says `in_flight=N`.
    /// [`LibraryInfo::moves_in_flight`](crate::view::LibraryInfo::moves_in_flight) tells what came of it.
    pub fn moves_in_flight(mut self, moves: u8) -> Self {
        self.moves_in_flight = moves.max(1);
        self
    }

    /// What is known of the library's times and of what stands near to what in it, until it is measured. With
    /// [zones](Costs::zone) a mount gets one of the drives that are nearest to its cartridge; without them all are equally near.
    pub fn costs(mut self, costs: Costs) -> Self {
        self.costs = costs;
        self
    }

    /// Whether the drive is told to unload (LOAD UNLOAD) before the robot takes the cartridge out: `true` by default,
    /// where a way to the drive is known. Some libraries do it by themselves.
    pub fn unload_before_move(mut self, unload: bool) -> Self {
        self.unload_before_move = unload;
        self
    }

    /// Whether the ports are kept locked (PREVENT ALLOW MEDIUM REMOVAL, SPC-4 6.18) while no person is to use them: `false` by
    /// default. Some libraries lock the door with them, and a manager that dies leaves them locked until the library is reset.
    #[doc(alias = "PREVENT ALLOW MEDIUM REMOVAL")]
    pub fn lock_ports(mut self, lock: bool) -> Self {
        self.lock_ports = lock;
        self
    }

    /// Whether the library is told to look at its elements and their labels (INITIALIZE ELEMENT STATUS, SMC-3 6.2) when it is opened
    /// for the first time, and again after it was switched on: `false` by default, for it stalls a large library for an hour, for all
    /// its hosts. Right for libraries that do not read labels at power-on (Exabyte X80, Plasmon). One that says that it does not serve
    /// without (02/04/02) is told in any case.
    #[doc(alias = "INITIALIZE ELEMENT STATUS")]
    pub fn initialize_at_start(mut self, initialize: bool) -> Self {
        self.initialize_at_start = initialize;
        self
    }

    /// Whether a dismount, and a mount that waits for its drive, may be one EXCHANGE MEDIUM (SMC-3 6.1) instead of two
    /// moves, where mode page 1Fh offers it. No by default: libraries claim the command without having it. One that
    /// refuses it after all is not asked again.
    pub fn exchange(mut self, exchange: bool) -> Self {
        self.exchange = exchange;
        self
    }

    /// How long a medium whose dismount was [deferred](crate::DismountBuilder::deferred) stays in its drive at least, although
    /// another one waits for the drive. Zero by default: it leaves as soon as the drive is needed. Longer is right where media are
    /// asked for again soon after they were let go, for each such mount then costs no motion; the price is the wait of whoever
    /// needs the drive for something else. It ends early for a mount of the medium itself; where somebody waits for the drive by three
    /// points of priority longer than that mount, the medium makes way instead.
    #[doc(alias = "dwDeferDismountDelay")]
    pub fn dwell(mut self, time: Duration) -> Self {
        self.dwell = time;
        self
    }

    /// Whether a drive that asks to be cleaned is cleaned by a request of the manager's own, before the next mount uses it:
    /// yes by default. It needs a cleaning cartridge; where there is none, a person is asked for one.
    pub fn auto_clean(mut self, clean: bool) -> Self {
        self.auto_clean = clean;
        self
    }

    /// With how many different media in a row a drive may fail before it is the last choice:
    /// [`DEFAULT_SUSPECT_AFTER`](crate::DEFAULT_SUSPECT_AFTER) by default. A load that succeeds, or an administrator who
    /// enables the drive, ends that.
    pub fn suspect_after(mut self, media: u8) -> Self {
        self.suspect_after = media;
        self
    }

    /// A rule of which drives can use which media; it goes before the built-in table of LTO generations. Several are asked
    /// in the order in which they were given.
    pub fn compatibility(mut self, rule: Compatibility) -> Self {
        self.compatibility.push(rule);
        self
    }

    /// By what a mounted medium is known: its barcode by default, or the label on the tape, which each mount then reads.
    pub fn verify(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }

    /// Whether the inventory is read after a mount that failed by the library's or a drive's fault, or because of another
    /// label than expected: yes by default.
    #[doc(alias = "AutoRecovery")]
    pub fn auto_recovery(mut self, recover: bool) -> Self {
        self.auto_recovery = recover;
        self
    }

    /// How an inventory is made that does not say how, and the one that follows a door where [`AfterDoor::Default`](crate::AfterDoor)
    /// says so; [`InventoryMethod::Fast`] unless given. What it needs of the caller's role, such an inventory needs.
    #[doc(alias = "InventoryMethod")]
    pub fn inventory_method(mut self, method: InventoryMethod) -> Self {
        self.inventory_method = method;
        self
    }

    fn with(changer: Way) -> Self {
        Self {
            changer,
            others: Vec::new(),
            name: None,
            drives: Vec::new(),
            timing: Timing::default(),
            moves_in_flight: 1,
            costs: Costs::default(),
            unload_before_move: true,
            lock_ports: false,
            initialize_at_start: false,
            exchange: false,
            reservation: Reservation::default(),
            take_over: false,
            dwell: Duration::ZERO,
            auto_clean: true,
            suspect_after: DEFAULT_SUSPECT_AFTER,
            compatibility: Vec::new(),
            verify: Verify::default(),
            auto_recovery: true,
            inventory_method: InventoryMethod::default(),
        }
    }

    /// Opens the transports, which connects to nothing yet.
    pub(crate) fn resolve(&self) -> Result<(EngineLibraryConfig, Ways), OpenError> {
        let limit = usize::from(u16::MAX);
        if self.drives.len() > limit {
            return Err(OpenError::TooMany {
                what: "drives of one library",
                count: self.drives.len(),
                limit,
            });
        }
        if self.others.len() >= MAX_PATHS {
            return Err(OpenError::TooMany {
                what: "paths to one library",
                count: self.others.len() + 1,
                limit: MAX_PATHS,
            });
        }
        let mut opened = Opened::default();
        let changer = opened.open(&self.changer)?;
        // Each path is a connection of its own, also where two lead through one portal.
        let others = self.others.iter().map(Way::open).collect::<Result<Vec<_>, _>>()?;
        let mut drives = Vec::with_capacity(self.drives.len());
        for (_, way) in &self.drives {
            drives.push(opened.open(way)?);
        }
        let mut elements: Vec<_> = self.drives.iter().map(|(element, _)| *element).collect();
        let assumed = drives.is_empty();
        if assumed {
            drives = self.changer.other_drives();
            elements.resize(drives.len(), None);
        }
        let paths = || std::iter::once(&changer).chain(&others);
        // What one path carries must go over each of them.
        let max_transfer = paths().map(|path| path.limits().max_transfer).min().unwrap_or_default();
        let carries = paths().map(|path| path.limits().max_in_flight).min().unwrap_or_default();
        let config = EngineLibraryConfig {
            name: self.name.clone().unwrap_or_else(|| changer.device().into()),
            drives: elements.into_iter().map(|element| ConfiguredDrive { element, assumed }).collect(),
            timing: self.timing,
            max_transfer,
            moves_in_flight: self.moves_in_flight.min(u8::try_from(carries).unwrap_or(u8::MAX)).max(1),
            costs: self.costs.clone(),
            unload_before_move: self.unload_before_move,
            lock_ports: self.lock_ports,
            initialize_at_start: self.initialize_at_start,
            exchange: self.exchange,
            paths: paths().map(|path| path.device().into()).collect(),
            reservation: self.reservation,
            take_over: self.take_over,
            dwell: self.dwell,
            auto_clean: self.auto_clean,
            suspect_after: self.suspect_after,
            compatibility: self.compatibility.clone(),
            verify: self.verify,
            auto_recovery: self.auto_recovery,
            inventory_method: self.inventory_method,
        };
        Ok((config, Ways { changer, others, drives }))
    }
}

/// The ways that are open: logical units of one target share a connection.
#[derive(Default)]
struct Opened(Vec<(IscsiUrl, Arc<dyn Transport>)>);

impl Opened {
    fn open(&mut self, way: &Way) -> Result<Arc<dyn Transport>, OpenError> {
        let Some(DeviceUrl::Iscsi(url)) = way.url()? else { return way.open() };
        // The same target, login and options, whatever the unit.
        let known = self.0.iter().find(|(known, _)| known.with_lun(url.lun()) == url);
        if let Some(shared) = known.and_then(|(_, transport)| transport.sibling(url.lun())) {
            return Ok(shared);
        }
        let transport = way.open()?;
        self.0.push((url, Arc::clone(&transport)));
        Ok(transport)
    }
}

impl Way {
    fn open(&self) -> Result<Arc<dyn Transport>, OpenError> {
        match self {
            Self::Url(url) => Ok(transport::open(&url.parse::<DeviceUrl>()?)?),
            Self::Device(url) => Ok(transport::open(url)?),
            Self::Transport(transport) => Ok(Arc::clone(transport)),
        }
    }

    fn url(&self) -> Result<Option<DeviceUrl>, OpenError> {
        Ok(match self {
            Self::Url(url) => Some(url.parse()?),
            Self::Device(url) => Some(url.clone()),
            Self::Transport(_) => None,
        })
    }

    /// The machine's drives, where some are at other targets than the changer, which cannot tell of them.
    fn other_drives(&self) -> Vec<Arc<dyn Transport>> {
        #[cfg(all(feature = "sg", target_os = "linux"))]
        if let Ok(Some(DeviceUrl::Sg(url))) = self.url() {
            return transport::sg::drives_beyond_target(&url);
        }
        Vec::new()
    }
}

impl fmt::Debug for LibraryConfig {
    /// Without URLs, which can hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibraryConfig")
            .field("name", &self.name)
            .field("drives", &self.drives.len())
            .field("timing", &self.timing)
            .field("moves_in_flight", &self.moves_in_flight)
            .field("unload_before_move", &self.unload_before_move)
            .field("lock_ports", &self.lock_ports)
            .field("initialize_at_start", &self.initialize_at_start)
            .field("exchange", &self.exchange)
            .field("paths", &(self.others.len() + 1))
            .field("reservation", &self.reservation)
            .field("take_over", &self.take_over)
            .field("dwell", &self.dwell)
            .finish_non_exhaustive()
    }
}
