//! What is kept: libraries, cartridges, mounts and motions, and who may do what.

pub(crate) mod generation;
mod media;
mod service;

use alloc::sync::Arc;
use core::fmt;

use autochanger_scsi::ElementAddress;

pub use crate::access::{Caller, Role};
use crate::id::{CartridgeId, LibraryId, RequestId};
use crate::request::{ElementName, Place};
use crate::time::WallTime;
pub use generation::Compatibility;
pub use media::{Cleaner, Label, MediumKind};
pub use service::{Blame, DriveRecord, FaultRecord, Service};

/// A cartridge (RSM: `NTMS_PMIDINFORMATION`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cartridge {
    /// Its id.
    pub id: CartridgeId,
    /// The label that the scanner read; `None` where there is none.
    pub barcode: Option<Arc<str>>,
    /// The library that it is in.
    pub library: LibraryId,
    /// Where it is.
    pub place: Place,
    /// The slot that it was last in, and goes back to.
    pub home: Option<ElementAddress>,
    /// When it was first seen.
    pub first_seen: WallTime,
    /// When its place was last confirmed or changed.
    pub last_seen: WallTime,
    /// It was taken out of use (RSM: a disabled PMID).
    pub disabled: bool,
    /// What is known of it as a cleaning cartridge; `None`: it is none, as far as is known.
    pub cleaner: Option<Cleaner>,
    /// What is written on it, as it was read or recorded last.
    pub label: Option<Label>,
    /// When the label was looked at last, whatever was found; `None`: never, or hands may have exchanged the cartridge since.
    pub label_read_at: Option<WallTime>,
    /// How often it was used, and how often that failed by its fault.
    pub blame: Blame,
}

/// A library, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryRecord {
    /// Its id.
    pub id: LibraryId,
    /// What the changer says it is.
    pub identity: Identity,
    /// Whether it serves.
    pub service: Service,
    /// The slot that is kept for the cleaning cartridge.
    pub cleaner_slot: Option<ElementAddress>,
    /// How often it moved something, and how often that failed by its fault.
    pub blame: Blame,
}

impl LibraryRecord {
    /// A library that was found now: it serves, and nothing else is known of it.
    pub fn new(id: LibraryId, identity: Identity) -> Self {
        Self { id, identity, service: Service::default(), cleaner_slot: None, blame: Blame::default() }
    }
}

/// What a changer says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Vendor (INQUIRY, T10 vendor identification).
    pub vendor: Arc<str>,
    /// Product.
    pub product: Arc<str>,
    /// Product revision. Not part of the identity: firmware is updated.
    pub revision: Arc<str>,
    /// Unit serial number (VPD page 80h), the key of the library; where the device has none, its configured name.
    pub serial: Arc<str>,
}

impl Identity {
    /// Whether the two are one library.
    pub fn is_same(&self, other: &Self) -> bool {
        self.vendor == other.vendor && self.product == other.product && self.serial == other.serial
    }
}

/// A cartridge in a drive for somebody. It lives from the mount's end to the dismount's end, also across a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRecord {
    /// The mount request; its id is the mount's id.
    pub id: RequestId,
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// The library.
    pub library: LibraryId,
    /// The drive.
    pub drive: ElementAddress,
    /// Whose it is.
    pub application: Arc<str>,
    /// Since when.
    pub since: WallTime,
}

/// One motion: the intent, durable before the command is sent, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MotionRecord {
    /// For which request.
    pub request: RequestId,
    /// Counted from 1 for each request.
    pub sequence: u32,
    /// In which library.
    pub library: LibraryId,
    /// What is moved.
    pub cartridge: CartridgeId,
    /// From where.
    pub source: ElementName,
    /// Where to.
    pub destination: ElementName,
    /// When the intent was made.
    pub at: WallTime,
    /// What became of it.
    pub state: MotionState,
}

/// What became of a motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MotionState {
    /// Intended: it may have been sent, or not.
    Open,
    /// The cartridge is at its goal.
    Moved,
    /// The cartridge is where it was, and the library is quiet.
    NotMoved,
    /// It was never sent.
    NotSent,
    /// It could not be found out.
    Unknown,
    /// It is over, and the cartridge is in the arm: neither at its source nor at its goal.
    InArm,
}

impl fmt::Display for MotionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Moved => "moved",
            Self::NotMoved => "not moved",
            Self::NotSent => "never sent",
            Self::Unknown => "unknown",
            Self::InArm => "left in the arm",
        })
    }
}
