//! What serves and what does not, and how well it did.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use autochanger_scsi::{ElementAddress, Sense};

use crate::id::{CartridgeId, LibraryId, RequestId};
use crate::request::{FailureKind, FaultOf};
use crate::time::WallTime;

/// Whether a library or a drive serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Service {
    /// It serves.
    #[default]
    Enabled,
    /// Nothing new is begun with it; what waits for it goes on waiting.
    Paused,
    /// No medium is mounted any more; dismounts go on. When nothing is mounted any more it is [`Paused`](Self::Paused).
    Draining,
    /// It is out of service: what is asked of it is refused (RSM: disabled).
    Disabled,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Draining => "draining",
            Self::Disabled => "disabled",
        })
    }
}

/// How often something was used, and how often that failed by its fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Blame {
    /// Loads of a cartridge or a drive, motions of a library.
    pub uses: u64,
    /// Failures that were its fault.
    pub faults: u32,
}

/// A drive, as it is kept: by its serial number where it has one, so that a replaced drive begins anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriveRecord {
    /// Its library.
    pub library: LibraryId,
    /// Its element address.
    pub element: ElementAddress,
    /// Its serial number.
    pub serial: Option<Arc<str>>,
    /// Whether it serves.
    pub service: Service,
    /// When it was cleaned last.
    pub last_cleaned: Option<WallTime>,
    /// It asked to be cleaned, and was not yet.
    pub wants_cleaning: bool,
    /// How often it was loaded, and how often that failed by its fault.
    pub blame: Blame,
}

/// Something that failed, and whose fault it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRecord {
    /// The request that met it.
    pub request: RequestId,
    /// Counted from 1 for each request; ascending, with a gap after a restart.
    pub sequence: u32,
    /// When.
    pub at: WallTime,
    /// Whose fault.
    pub of: FaultOf,
    /// What kind.
    pub kind: FailureKind,
    /// In which library.
    pub library: LibraryId,
    /// With which cartridge.
    pub cartridge: Option<CartridgeId>,
    /// In which drive.
    pub drive: Option<ElementAddress>,
    /// What happened, for people.
    pub message: String,
    /// The device's own words, where it had some.
    pub sense: Option<Sense>,
}
