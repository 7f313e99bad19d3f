//! What can be asked for.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use autochanger_scsi::ElementAddress;

use super::Operation;
use crate::access::Role;
use crate::catalog::{Cartridge, Label, Service};
use crate::id::{CartridgeId, LibraryId};

/// A cartridge, as callers name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CartridgeRef {
    /// By the label that the library's scanner reads.
    Barcode(Arc<str>),
    /// By its id in the catalogue.
    Id(CartridgeId),
    /// Whatever is in an element when the request is handed in: also a cartridge without a label.
    Element {
        /// The library; `None`: the only one.
        library: Option<LibraryId>,
        /// The element's address.
        element: ElementAddress,
    },
}

impl fmt::Display for CartridgeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Barcode(barcode) => f.write_str(barcode),
            Self::Id(id) => write!(f, "{id}"),
            Self::Element { element, .. } => write!(f, "in element {element}"),
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

impl From<&Cartridge> for CartridgeRef {
    fn from(cartridge: &Cartridge) -> Self {
        Self::Id(cartridge.id)
    }
}

/// What the mounting program means to do with the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and write: the drive's generation must be able to write the medium's.
    #[default]
    ReadWrite,
}

/// What is taken into or out of service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ServiceTarget {
    /// A library; `None`: the only one.
    Library(Option<LibraryId>),
    /// A drive.
    Drive {
        /// Its library; `None`: the only one.
        library: Option<LibraryId>,
        /// Its element address.
        drive: ElementAddress,
    },
    /// A cartridge.
    Cartridge(CartridgeRef),
}

impl ServiceTarget {
    /// A drive of the only library, by its element address.
    pub fn drive(drive: impl Into<ElementAddress>) -> Self {
        Self::Drive { library: None, drive: drive.into() }
    }

    /// A cartridge.
    pub fn cartridge(cartridge: impl Into<CartridgeRef>) -> Self {
        Self::Cartridge(cartridge.into())
    }
}

impl From<LibraryId> for ServiceTarget {
    fn from(library: LibraryId) -> Self {
        Self::Library(Some(library))
    }
}

/// `None`: the only library.
impl From<Option<LibraryId>> for ServiceTarget {
    fn from(library: Option<LibraryId>) -> Self {
        Self::Library(library)
    }
}

/// A drive of the only library.
impl From<ElementAddress> for ServiceTarget {
    fn from(drive: ElementAddress) -> Self {
        Self::drive(drive)
    }
}

impl From<&Cartridge> for ServiceTarget {
    fn from(cartridge: &Cartridge) -> Self {
        Self::cartridge(cartridge)
    }
}

impl From<CartridgeRef> for ServiceTarget {
    fn from(cartridge: CartridgeRef) -> Self {
        Self::Cartridge(cartridge)
    }
}

/// How an inventory is made (RSM: `InventoryMethod`, and the actions of `InventoryNtmsLibrary`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum InventoryMethod {
    /// Nothing is read: what is known is told (RSM: `NTMS_INVENTORY_NONE`).
    Nothing,
    /// What is where is read by READ ELEMENT STATUS (RSM: `NTMS_INVENTORY_FAST`).
    #[default]
    Fast,
    /// The library scans itself first (INITIALIZE ELEMENT STATUS): can take an hour, and stalls every host.
    Full,
    /// As [`Fast`](Self::Fast); then each medium is loaded of which nobody has looked at the label since it came.
    NewLabels,
    /// As [`Fast`](Self::Fast); then each medium is loaded, and its label read (RSM: `NTMS_INVENTORY_OMID`).
    #[doc(alias = "NTMS_INVENTORY_OMID")]
    AllLabels,
}

impl InventoryMethod {
    /// Whether media are loaded for it.
    pub fn reads_labels(self) -> bool {
        matches!(self, Self::NewLabels | Self::AllLabels)
    }
}

impl fmt::Display for InventoryMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "no inventory",
            Self::Fast => "inventory",
            Self::Full => "full inventory",
            Self::NewLabels => "inventory with new labels",
            Self::AllLabels => "inventory with all labels",
        })
    }
}

/// What is done after a door was closed (RSM: the inventory methods of `AccessNtmsLibraryDoor`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AfterDoor {
    /// Nothing.
    Nothing,
    /// The inventory is read.
    #[default]
    Inventory,
    /// The library scans itself (INITIALIZE ELEMENT STATUS), then the inventory is read.
    FullInventory,
    /// What the library's configuration says, by
    /// `LibraryConfig::inventory_method` (RSM: `NTMS_INVENTORY_DEFAULT`).
    Default,
    /// The inventory is read, and then the labels of the media that came, and of those without a barcode: hands can have put one
    /// in another's place, which nothing but its label tells.
    NewLabels,
    /// The inventory is read, and then the label of each medium (RSM: `NTMS_INVENTORY_OMID`).
    AllLabels,
}

impl AfterDoor {
    /// The inventory that follows; `None`: the one that the library's configuration names.
    pub fn method(self) -> Option<InventoryMethod> {
        match self {
            Self::Nothing => Some(InventoryMethod::Nothing),
            Self::Inventory => Some(InventoryMethod::Fast),
            Self::FullInventory => Some(InventoryMethod::Full),
            Self::Default => None,
            Self::NewLabels => Some(InventoryMethod::NewLabels),
            Self::AllLabels => Some(InventoryMethod::AllLabels),
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// Take a library, drive or cartridge into or out of service (RSM: `EnableNtmsObject`, `DisableNtmsObject`).
    SetService {
        /// What.
        target: ServiceTarget,
        /// How it is to serve. A cartridge is enabled or disabled.
        service: Service,
    },
    /// Record the label that an application has written on a medium (RSM: `UpdateNtmsOmidInfo`).
    UpdateLabel {
        /// Which cartridge.
        cartridge: CartridgeRef,
        /// Its label.
        label: Label,
    },
    /// Read what is where, and the media's labels where that is asked for (RSM: `InventoryNtmsLibrary`).
    Inventory {
        /// Which library; `None`: the only one.
        library: Option<LibraryId>,
        /// How; `None`: as the library's configuration says (RSM: `NTMS_INVENTORY_DEFAULT`).
        method: Option<InventoryMethod>,
    },
    /// Unlock the door and wait until it was opened and closed (RSM: `AccessNtmsLibraryDoor`).
    DoorAccess {
        /// Which library; `None`: the only one.
        library: Option<LibraryId>,
        /// What follows.
        then: AfterDoor,
    },
    /// Put a cartridge into a port (RSM: `EjectNtmsMedia`).
    Eject {
        /// Which cartridge.
        cartridge: CartridgeRef,
        /// The port's element address; `None`: any empty one.
        port: Option<ElementAddress>,
    },
    /// Put the cleaning cartridge into a port (RSM: `EjectNtmsCleaner`).
    EjectCleaner {
        /// Which library; `None`: the only one.
        library: Option<LibraryId>,
    },
    /// Wait for cartridges in the ports, and put them into slots (RSM: `InjectNtmsMedia`).
    Inject {
        /// Which library; `None`: the only one.
        library: Option<LibraryId>,
        /// Go on after the first one, until it is stopped or nothing more comes (RSM: `NTMS_INJECT_STARTMANY`).
        many: bool,
    },
    /// Take one cleaning cartridge from a port into the cleaner's slot (RSM: `InjectNtmsCleaner`).
    InjectCleaner {
        /// Which library; `None`: the only one.
        library: Option<LibraryId>,
        /// How often it can clean; `None`: not counted.
        uses: Option<u32>,
    },
    /// Read the label on the medium in a slot (RSM: `IdentifyNtmsSlot`).
    Identify {
        /// Which cartridge.
        cartridge: CartridgeRef,
        /// Leave it in the drive afterwards, until the drive is needed (RSM: `NTMS_DISMOUNT_DEFERRED`).
        keep: bool,
    },
    /// Clean a drive (RSM: `CleanNtmsDrive`).
    CleanDrive {
        /// Which library; `None`: the only one.
        library: Option<LibraryId>,
        /// The drive's element address.
        drive: ElementAddress,
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
    /// Write the manager's own label of a free medium (RSM: the write that `MoveToNtmsMediaPool` makes).
    WriteFreeLabel {
        /// Which cartridge.
        cartridge: CartridgeRef,
        /// Although something else is written on it.
        overwrite: bool,
    },
    /// Decide what a full slot holds: data, a cleaner, something unknown (RSM: `NTMS_LM_CLASSIFY`).
    Classify {
        /// Which cartridge.
        cartridge: CartridgeRef,
    },
    /// Reserve a slot for the cleaning cartridge (RSM: `ReserveNtmsCleanerSlot`).
    ReserveCleanerSlot {
        /// Which library; `None`: the only one.
        library: Option<LibraryId>,
        /// The slot's element address.
        slot: ElementAddress,
    },
    /// Give the cleaning cartridge's slot back (RSM: `ReleaseNtmsCleanerSlot`).
    ReleaseCleanerSlot {
        /// Which library; `None`: the only one.
        library: Option<LibraryId>,
    },
}

impl Wanted {
    /// The least role that may ask for it (RSM: the rights *use* and *control* on a library). What an application uses is its media;
    /// what takes time, room or a medium from others is for whoever works the library.
    pub fn needs(&self) -> Role {
        match self {
            Self::Mount { .. } | Self::Dismount { .. } | Self::Identify { .. } => Role::Application,
            Self::UpdateLabel { .. } => Role::Application,
            Self::Inventory { method, .. } => match method {
                // What the configured one needs is seen when the library is known.
                None | Some(InventoryMethod::Nothing | InventoryMethod::Fast) => Role::Application,
                // The one can stall the library for an hour, the others have its drives for days.
                Some(InventoryMethod::Full | InventoryMethod::NewLabels | InventoryMethod::AllLabels) => {
                    Role::Operator
                }
            },
            Self::SetService { .. } | Self::DoorAccess { .. } => Role::Operator,
            Self::Eject { .. } | Self::EjectCleaner { .. } => Role::Operator,
            Self::Inject { .. } | Self::InjectCleaner { .. } => Role::Operator,
            Self::CleanDrive { .. } => Role::Operator,
            Self::ReserveCleanerSlot { .. } | Self::ReleaseCleanerSlot { .. } => Role::Operator,
            // The one can overwrite what is another's, the other says what a cartridge is for everybody.
            Self::WriteFreeLabel { .. } | Self::Classify { .. } => Role::Operator,
        }
    }

    /// The slot that it names for its cartridge or for the cleaner.
    pub(crate) fn named_slot(&self) -> Option<ElementAddress> {
        match self {
            Self::Dismount { slot, .. } => *slot,
            Self::ReserveCleanerSlot { slot, .. } => Some(*slot),
            _ => None,
        }
    }

    /// The drive that it names, by the address that it had then.
    pub(crate) fn named_drive(&self) -> Option<ElementAddress> {
        match self {
            Self::Mount { drive, .. } => *drive,
            Self::CleanDrive { drive, .. }
            | Self::SetService { target: ServiceTarget::Drive { drive, .. }, .. } => Some(*drive),
            _ => None,
        }
    }

    /// The operation behind it.
    pub fn operation(&self) -> Operation {
        match self {
            Self::SetService { target, service } => match (target, service) {
                (ServiceTarget::Library(_), Service::Disabled) => Operation::DisableLibrary,
                (ServiceTarget::Library(_), _) => Operation::EnableLibrary,
                (ServiceTarget::Drive { .. }, Service::Disabled) => Operation::DisableDrive,
                (ServiceTarget::Drive { .. }, _) => Operation::EnableDrive,
                (ServiceTarget::Cartridge(_), Service::Disabled) => Operation::DisableMedia,
                (ServiceTarget::Cartridge(_), _) => Operation::EnableMedia,
            },
            Self::UpdateLabel { .. } => Operation::UpdateLabel,
            Self::Inventory { .. } => Operation::Inventory,
            Self::DoorAccess { .. } => Operation::DoorAccess,
            Self::Eject { .. } => Operation::Eject,
            Self::EjectCleaner { .. } => Operation::EjectCleaner,
            Self::Inject { .. } => Operation::Inject,
            Self::InjectCleaner { .. } => Operation::InjectCleaner,
            Self::Identify { .. } => Operation::Identify,
            Self::CleanDrive { .. } => Operation::CleanDrive,
            Self::Mount { .. } => Operation::Mount,
            Self::Dismount { .. } => Operation::Dismount,
            Self::WriteFreeLabel { .. } => Operation::WriteFreeLabel,
            Self::Classify { .. } => Operation::Classify,
            Self::ReserveCleanerSlot { .. } => Operation::ReserveCleanerSlot,
            Self::ReleaseCleanerSlot { .. } => Operation::ReleaseCleanerSlot,
        }
    }
}
