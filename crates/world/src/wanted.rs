//! What is asked in a story, of every operation that there is, and what that is to the engine.

use autochanger_engine::catalog::{Label, Service};
use autochanger_engine::request::{Access, AfterDoor, InventoryMethod, ServiceTarget, Wanted};
use autochanger_sim::ElementAddress;

use crate::act::{FIRST_DRIVE, FIRST_PORT, FIRST_SLOT};
use crate::perform::label;
use crate::world::World;

/// What is asked. Cartridges are counted through all libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A mount, perhaps in a certain drive.
    Mount {
        /// Which cartridge.
        cartridge: u8,
        /// Which drive, counted from 0.
        drive: Option<u8>,
        /// Only to read.
        read: bool,
        /// Refused rather than made to wait.
        at_once: bool,
        /// A person brings what is not in the library.
        wait: bool,
    },
    /// A dismount, perhaps to a certain slot.
    Dismount {
        /// Which cartridge.
        cartridge: u8,
        /// Which slot, counted from 0.
        slot: Option<u8>,
        /// Whosever it is.
        force: bool,
        /// The medium stays in the drive until the drive is needed.
        deferred: bool,
    },
    /// An inventory.
    Inventory {
        /// Which library.
        library: u8,
        /// How; `None`: as the library's configuration says.
        method: Option<InventoryMethod>,
    },
    /// Something is taken into or out of service.
    Service {
        /// What.
        target: Target,
        /// How it is to serve.
        service: Service,
    },
    /// A person wants to the door.
    DoorAccess {
        /// Of which library.
        library: u8,
        /// What follows.
        then: AfterDoor,
    },
    /// An eject, perhaps to a certain port.
    Eject {
        /// Which cartridge.
        cartridge: u8,
        /// Which port, counted from 0.
        port: Option<u8>,
    },
    /// An inject of one, or of all that come.
    Inject {
        /// Into which library.
        library: u8,
        /// All.
        many: bool,
    },
    /// The cleaning cartridge goes out.
    EjectCleaner {
        /// Of which library.
        library: u8,
    },
    /// A cleaning cartridge comes.
    InjectCleaner {
        /// Into which library.
        library: u8,
        /// How often it can be used.
        uses: Option<u8>,
    },
    /// A slot is reserved for the cleaner.
    ReserveCleanerSlot {
        /// Of which library.
        library: u8,
        /// Counted from 0.
        slot: u8,
    },
    /// The cleaner's slot is given back.
    ReleaseCleanerSlot {
        /// Of which library.
        library: u8,
    },
    /// A drive is cleaned.
    CleanDrive {
        /// Of which library.
        library: u8,
        /// Counted from 0.
        drive: u8,
    },
    /// A label is read.
    Identify {
        /// Of which cartridge.
        cartridge: u8,
        /// The medium stays in the drive.
        keep: bool,
    },
    /// The label of a free medium is written.
    WriteFreeLabel {
        /// On which cartridge.
        cartridge: u8,
        /// Whatever is on it.
        overwrite: bool,
    },
    /// A label is recorded.
    UpdateLabel {
        /// Of which cartridge.
        cartridge: u8,
        /// Which of some.
        number: u8,
    },
    /// It is decided what a cartridge is for.
    Classify {
        /// Which one.
        cartridge: u8,
    },
}

/// What is taken into or out of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A library.
    Library(u8),
    /// A drive of a library, counted from 0.
    Drive(u8, u8),
    /// A cartridge.
    Cartridge(u8),
}

impl World {
    pub(crate) fn wanted(&self, ask: Ask) -> Option<Wanted> {
        let library = |n: u8| self.library_id(n.into()).map(Some);
        Some(match ask {
            Ask::Mount { cartridge, drive, read, .. } => Wanted::Mount {
                cartridge: label(cartridge).into(),
                drive: drive.map(|drive| ElementAddress(FIRST_DRIVE + u16::from(drive))),
                access: if read { Access::Read } else { Access::ReadWrite },
            },
            Ask::Dismount { cartridge, slot, force, .. } => Wanted::Dismount {
                cartridge: label(cartridge).into(),
                slot: slot.map(|slot| ElementAddress(FIRST_SLOT + u16::from(slot))),
                force,
            },
            Ask::Inventory { library: at, method } => Wanted::Inventory { library: library(at)?, method },
            Ask::Service { target, service } => Wanted::SetService { target: self.target(target)?, service },
            Ask::DoorAccess { library: at, then } => Wanted::DoorAccess { library: library(at)?, then },
            Ask::Eject { cartridge, port } => Wanted::Eject {
                cartridge: label(cartridge).into(),
                port: port.map(|port| ElementAddress(FIRST_PORT + u16::from(port))),
            },
            Ask::Inject { library: at, many } => Wanted::Inject { library: library(at)?, many },
            Ask::EjectCleaner { library: at } => Wanted::EjectCleaner { library: library(at)? },
            Ask::InjectCleaner { library: at, uses } => {
                Wanted::InjectCleaner { library: library(at)?, uses: uses.map(u32::from) }
            }
            Ask::ReserveCleanerSlot { library: at, slot } => {
                let slot = ElementAddress(FIRST_SLOT + u16::from(slot));
                Wanted::ReserveCleanerSlot { library: library(at)?, slot }
            }
            Ask::ReleaseCleanerSlot { library: at } => Wanted::ReleaseCleanerSlot { library: library(at)? },
            Ask::CleanDrive { library: at, drive } => {
                let drive = ElementAddress(FIRST_DRIVE + u16::from(drive));
                Wanted::CleanDrive { library: library(at)?, drive }
            }
            Ask::Identify { cartridge, keep } => {
                Wanted::Identify { cartridge: label(cartridge).into(), keep }
            }
            Ask::WriteFreeLabel { cartridge, overwrite } => {
                Wanted::WriteFreeLabel { cartridge: label(cartridge).into(), overwrite }
            }
            Ask::UpdateLabel { cartridge, number } => Wanted::UpdateLabel {
                cartridge: label(cartridge).into(),
                label: Label { format: "TALE".into(), id: [number].into(), description: "of a story".into() },
            },
            Ask::Classify { cartridge } => Wanted::Classify { cartridge: label(cartridge).into() },
        })
    }

    fn target(&self, target: Target) -> Option<ServiceTarget> {
        Some(match target {
            Target::Library(library) => self.library_id(library.into())?.into(),
            Target::Drive(library, drive) => {
                let drive = ElementAddress(FIRST_DRIVE + u16::from(drive));
                ServiceTarget::Drive { library: Some(self.library_id(library.into())?), drive }
            }
            Target::Cartridge(cartridge) => ServiceTarget::cartridge(label(cartridge)),
        })
    }
}
