//! Requests: what was asked, by whom, and how it stands.

mod cancel;
mod failure;
mod state;

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

pub use cancel::{CancelError, Cancellation};
pub use failure::{Failure, FailureKind, FaultOf};
pub use state::{CancelledBy, Outcome, Place, State, Waiting};

use crate::access::{Caller, Role};
use crate::id::{CartridgeId, LibraryId, RequestId};
use crate::time::WallTime;

/// The operations (RSM: `NtmsLmOperation`), in the order in which the queue serves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Read what is where (`NTMS_LM_INVENTORY`, 8).
    Inventory = 8,
    /// Take a cartridge out of its drive and put it into a slot (`NTMS_LM_DISMOUNT`, 16).
    Dismount = 16,
    /// Put a cartridge into a drive and wait until the drive is ready (`NTMS_LM_MOUNT`, 17).
    Mount = 17,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inventory => "inventory",
            Self::Dismount => "dismount",
            Self::Mount => "mount",
        })
    }
}

/// A cartridge, as callers name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CartridgeRef {
    /// By the label that the library's scanner reads.
    Barcode(Arc<str>),
    /// By its id in the catalogue.
    Id(CartridgeId),
}

impl fmt::Display for CartridgeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Barcode(barcode) => f.write_str(barcode),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

impl From<&str> for CartridgeRef {
    fn from(barcode: &str) -> Self {
        Self::Barcode(barcode.into())
    }
}

impl From<&String> for CartridgeRef {
    fn from(barcode: &String) -> Self {
        Self::Barcode(barcode.as_str().into())
    }
}

impl From<String> for CartridgeRef {
    fn from(barcode: String) -> Self {
        Self::Barcode(barcode.into())
    }
}

impl From<CartridgeId> for CartridgeRef {
    fn from(id: CartridgeId) -> Self {
        Self::Id(id)
    }
}

/// What the mounting program means to do with the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and write: the drive's generation must be able to write the medium's.
    #[default]
    ReadWrite,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// Read what is where by READ ELEMENT STATUS (RSM: `InventoryNtmsLibrary`).
    Inventory {
        /// Which library; `None`: the only one.
        library: Option<LibraryId>,
        /// Have the library scan itself first (INITIALIZE ELEMENT STATUS): can take an hour, and stalls every host.
        full: bool,
    },
    /// Put a cartridge into a drive (RSM: `MountNtmsMedia`).
    Mount {
        /// Which cartridge.
        cartridge: CartridgeRef,
        /// A drive by its element address; `None`: any that fits.
        drive: Option<ElementAddress>,
        /// Read, or read and write.
        access: Access,
    },
    /// Take a cartridge out of its drive (RSM: `DismountNtmsMedia`).
    Dismount {
        /// Which cartridge.
        cartridge: CartridgeRef,
        /// The slot for it; `None`: the slot it came from, else an empty one.
        slot: Option<ElementAddress>,
        /// Dismount although the drive is in use or holds the medium by PREVENT.
        force: bool,
    },
}

impl Wanted {
    /// The operation behind it.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Inventory { .. } => Operation::Inventory,
            Self::Mount { .. } => Operation::Mount,
            Self::Dismount { .. } => Operation::Dismount,
        }
    }
}

/// A request as it is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The request's id. Handing in the same id again is answered, not repeated.
    pub id: RequestId,
    /// The id was chosen by the caller's program (and may have been handed in before), not drawn afresh for this call.
    pub id_given: bool,
    /// Who asks.
    pub caller: Caller,
    /// What is asked for.
    pub wanted: Wanted,
    /// −15..=15; among requests of one operation the higher is served first.
    pub priority: i8,
    /// The request is cancelled when it has not ended within this time.
    pub deadline: Option<Duration>,
    /// The request lives on when its session is closed.
    pub detached: bool,
}

/// A request as it is kept (RSM: `NTMS_LIBREQUESTINFORMATION`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// What was asked for.
    pub wanted: Wanted,
    /// The library that serves it.
    pub library: LibraryId,
    /// The cartridge that it is about.
    pub cartridge: Option<CartridgeId>,
    /// That cartridge's label when the request was accepted.
    pub barcode: Option<Arc<str>>,
    /// The drive that it uses, once chosen.
    pub drive: Option<ElementAddress>,
    /// The name of the application that asked; such requests are its own.
    pub application: Arc<str>,
    /// −15..=15.
    pub priority: i8,
    /// When it is cancelled by itself.
    pub deadline: Option<WallTime>,
    /// It lives on when its session is closed.
    pub detached: bool,
    /// When it was accepted.
    pub queued_at: WallTime,
    /// When it ended.
    pub ended_at: Option<WallTime>,
    /// How it stands.
    pub state: State,
    /// A cancel was accepted and its verdict is open (RSM: the queued REMOVE work item).
    pub stopping: Option<CancelledBy>,
    /// How many motions were started for it.
    pub motions: u32,
}

impl Request {
    /// The operation.
    pub fn operation(&self) -> Operation {
        self.wanted.operation()
    }

    /// Whether the caller may know of the request.
    pub fn is_visible_to(&self, caller: &Caller) -> bool {
        caller.role != Role::Application || self.application == caller.application
    }

    /// Whether the caller may cancel or change the request.
    pub fn is_controlled_by(&self, caller: &Caller) -> bool {
        caller.role == Role::Administrator || self.application == caller.application
    }
}

/// An element with its type, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ElementName {
    /// The type.
    pub kind: ElementType,
    /// The address.
    pub address: ElementAddress,
}

impl fmt::Display for ElementName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ElementType::Transport => "arm",
            ElementType::Storage => "slot",
            ElementType::ImportExport => "port",
            ElementType::Drive => "drive",
        };
        write!(f, "{kind} {}", self.address)
    }
}
