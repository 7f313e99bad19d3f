//! What can be seen: plain copies for callers.

mod operator;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{AdditionalSense, ElementAddress, ElementCondition};

use crate::catalog::{Blame, Identity, Service};
use crate::command::PathFault;
use crate::id::{CartridgeId, Device, LibraryId, RequestId};
use crate::input::ClaimError;
use crate::quirk::Quirk;
use crate::request::ElementName;
use crate::time::WallTime;
pub use operator::{OperatorRequest, OperatorTask};

/// A library (RSM: `NTMS_LIBRARYINFORMATION`).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LibraryInfo {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Its id, once it was identified.
    pub id: Option<LibraryId>,
    /// What the changer says it is.
    pub identity: Option<Identity>,
    /// How it stands.
    pub state: Arc<LibraryState>,
    /// Number of storage slots, import/export elements, drives and transports.
    pub counts: ElementCounts,
    /// What the library was found to do otherwise than the standard says, since the manager was opened; sorted.
    pub quirks: Vec<Quirk>,
    /// Requests that have not ended.
    pub live_requests: usize,
    /// Whether it serves.
    pub service: Service,
    /// The slot that is kept for the cleaning cartridge.
    pub cleaner_slot: Option<ElementAddress>,
    /// Motions, and those that failed by its fault.
    pub blame: Blame,
    /// The mean time of a motion, as measured since the manager was opened.
    pub mean_motion: Option<Duration>,
    /// How many moves may be under way at once: as configured, but no more than its paths carry commands
    /// ([`Limits::max_in_flight`](crate::command::Limits::max_in_flight)).
    pub moves_in_flight: u8,
    /// The ways to its changer, in the order of the configuration.
    pub paths: Vec<PathInfo>,
    /// Whether it is reserved for this manager (PERSISTENT RESERVE).
    pub reserved: bool,
}

/// A way to a library's changer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathInfo {
    /// The device's URL without its secret.
    pub device: Arc<str>,
    /// How it stands, as far as is known.
    pub state: PathState,
}

/// How a way to a changer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathState {
    /// It was not used yet.
    Untried,
    /// Commands go this way.
    Active,
    /// It leads to the same library and is used when the active one fails.
    Standby,
    /// It does not work.
    Lost(PathFault),
    /// It leads somewhere else, and is not used.
    Elsewhere(LibraryError),
}

impl core::fmt::Display for PathState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Untried => f.write_str("not used yet"),
            Self::Active => f.write_str("in use"),
            Self::Standby => f.write_str("ready to be used"),
            Self::Lost(fault) => write!(f, "lost: {fault}"),
            Self::Elsewhere(error) => error.fmt(f),
        }
    }
}

/// Elements by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ElementCounts {
    /// Transports (arms).
    pub transports: u16,
    /// Storage slots.
    pub slots: u16,
    /// Import/export elements (mail slots).
    pub ports: u16,
    /// Drives.
    pub drives: u16,
}

/// How a library stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LibraryState {
    /// It is being identified and read.
    Initializing,
    /// It serves requests.
    Ready,
    /// It cannot be reached; it is tried again with growing pauses.
    NotPresent(PathFault),
    /// It answers, but not to its purpose: a person must act.
    Unusable(LibraryError),
}

impl core::fmt::Display for LibraryState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Initializing => f.write_str("it is being identified; wait until it is ready"),
            Self::Ready => f.write_str("ready"),
            Self::NotPresent(fault) => write!(f, "it cannot be reached: {fault}"),
            Self::Unusable(error) => error.fmt(f),
        }
    }
}

/// Why a library cannot be used. Names the device and says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// The device is something else.
    #[error("{device} is a {found}, not a medium changer: give the URL of the changer's logical unit{hint}")]
    NotAChanger {
        /// The device.
        device: Arc<str>,
        /// What INQUIRY said.
        found: String,
        /// Where the changer may be, when the target told.
        hint: String,
    },
    /// Another manager owns it.
    #[doc(alias = "LibraryInUse")]
    #[error("{device} (serial number {serial}): {claim}")]
    InUse {
        /// The device.
        device: Arc<str>,
        /// Its serial number.
        serial: Arc<str>,
        /// Who has it.
        claim: ClaimError,
    },
    /// The path says that waiting will not help.
    #[error("{0}")]
    Path(PathFault),
    /// The device does not answer what a changer must.
    #[error(
        "{device} does not work as a medium changer: {what}; look at its panel, and check that it is online"
    )]
    Unfit {
        /// The device.
        device: Arc<str>,
        /// What it did.
        what: String,
    },
    /// A path leads to another device than the library's first path.
    #[error(
        "{device} and {other} are configured as two paths to one library, and are not: {what}; give each library a configuration \
         of its own, or take the wrong path out"
    )]
    PathMismatch {
        /// The path.
        device: Arc<str>,
        /// The path that it was held against.
        other: Arc<str>,
        /// In what they differ.
        what: String,
    },
    /// The same library is configured twice.
    #[error(
        "{device} has the serial number {serial}, as {other} has: configure one library once; if they are two, give one another serial number"
    )]
    Twice {
        /// The device.
        device: Arc<str>,
        /// The other name.
        other: Arc<str>,
        /// The serial number of both.
        serial: Arc<str>,
    },
}

/// A drive (RSM: `NTMS_DRIVEINFORMATION`).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DriveInfo {
    /// Its library.
    pub library: LibraryId,
    /// Its element address.
    pub element: ElementAddress,
    /// Its serial number.
    pub serial: Option<Arc<str>>,
    /// The way to it, where one was found.
    pub device: Option<Device>,
    /// The cartridge in it.
    pub cartridge: Option<CartridgeId>,
    /// That cartridge's label.
    pub barcode: Option<Arc<str>>,
    /// The mount that it serves.
    pub mount: Option<RequestId>,
    /// The request that has it reserved.
    pub reserved_by: Option<RequestId>,
    /// What the library says of it (EXCEPT).
    pub exception: Option<AdditionalSense>,
    /// What that means, as products of this kind use the code.
    pub condition: Option<ElementCondition>,
    /// Whether it serves.
    pub service: Service,
    /// When it was cleaned last, as far as the manager saw it.
    pub last_cleaned: Option<WallTime>,
    /// It asked to be cleaned, and was not yet.
    pub wants_cleaning: bool,
    /// Loads, and those that failed by its fault.
    pub blame: Blame,
    /// What it does with its medium.
    pub state: DriveState,
    /// It failed with one medium after another: another drive is chosen where one fits. A load that succeeds clears it, and so
    /// does enabling the drive.
    pub suspect: bool,
    /// The mean time from the end of a move to a ready drive, as measured since the manager was opened.
    pub mean_load: Option<Duration>,
    /// The mean time of an unload, measured in the same way.
    pub mean_unload: Option<Duration>,
}

/// What a drive does with its medium (RSM: `NtmsDriveState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[doc(alias = "NtmsDriveState")]
pub enum DriveState {
    /// There is no medium in it (`NTMS_DRIVESTATE_DISMOUNTED`, 0).
    Empty,
    /// A medium is in it, or on its way, and it is not ready yet (`NTMS_DRIVESTATE_MOUNTED`, 1).
    Loading,
    /// It calibrates a new medium, as LTO-9 drives do for up to two hours.
    Calibrating {
        /// Since when it says so.
        since: WallTime,
    },
    /// Its medium is mounted for somebody (`NTMS_DRIVESTATE_LOADED`, 2).
    Mounted,
    /// Its medium is being unloaded, or has been and goes to a slot (`NTMS_DRIVESTATE_UNLOADED`, 5).
    Unloading,
    /// It is being cleaned (`NTMS_DRIVESTATE_BEING_CLEANED`, 6).
    Cleaning,
    /// A medium is in it that nobody has mounted: it makes way, or serves the next mount (`NTMS_DRIVESTATE_DISMOUNTABLE`, 7).
    Dismountable,
}

impl core::fmt::Display for DriveState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::Loading => f.write_str("loading"),
            Self::Calibrating { since } => write!(f, "calibrating its medium since {since}"),
            Self::Mounted => f.write_str("mounted"),
            Self::Unloading => f.write_str("unloading"),
            Self::Cleaning => f.write_str("being cleaned"),
            Self::Dismountable => f.write_str("dismountable"),
        }
    }
}

/// An element that is not a drive: slot, port or transport.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SlotInfo {
    /// Its library.
    pub library: LibraryId,
    /// Type and address.
    pub element: ElementName,
    /// Whether something is in it.
    pub full: bool,
    /// The cartridge in it.
    pub cartridge: Option<CartridgeId>,
    /// That cartridge's label.
    pub barcode: Option<Arc<str>>,
    /// Whether the robot can reach it.
    pub accessible: bool,
    /// What the library says of it (EXCEPT).
    pub exception: Option<AdditionalSense>,
    /// What that means, as products of this kind use the code.
    pub condition: Option<ElementCondition>,
}

/// A mounted medium.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MountInfo {
    /// The mount request's id.
    pub id: RequestId,
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Its label.
    pub barcode: Option<Arc<str>>,
    /// The library.
    pub library: LibraryId,
    /// The drive's element address.
    pub drive: ElementAddress,
    /// The drive's serial number.
    pub serial: Option<Arc<str>>,
    /// The way to the drive, where one was found.
    pub device: Option<Device>,
    /// Whose it is.
    pub application: Arc<str>,
    /// Since when.
    pub since: WallTime,
}
