//! Requests: what was asked, by whom, and how it stands.

mod cancel;
mod failure;
mod options;
mod place;
mod state;
mod wanted;

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

pub use cancel::{CancelAccepted, CancelError};
pub use failure::{Failure, FailureKind, FaultOf};
pub use options::{GroupId, Options, QueuePlace};
pub use place::Place;
pub use state::{CancelledBy, LabelFound, LabelsRead, Outcome, State, Waiting};
pub use wanted::{Access, AfterDoor, CartridgeRef, InventoryMethod, ServiceTarget, Wanted};

use crate::access::{Caller, Role};
use crate::catalog::Service;
use crate::id::{CartridgeId, LibraryId, RequestId};
use crate::time::WallTime;

/// The operations (RSM: `NtmsLmOperation`), in the order in which the queue serves them. RSM's first, REMOVE (0), is a
/// cancel: no request of its own here, but what [`Request::stopping`] tells of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Take a library out of service (`NTMS_LM_DISABLELIBRARY`, 1).
    DisableLibrary = 1,
    /// Put a library into service, or pause or drain it (`NTMS_LM_ENABLELIBRARY`, 2).
    EnableLibrary = 2,
    /// Take a drive out of service (`NTMS_LM_DISABLEDRIVE`, 3).
    DisableDrive = 3,
    /// Put a drive into service, or pause or drain it (`NTMS_LM_ENABLEDRIVE`, 4).
    EnableDrive = 4,
    /// Take a cartridge out of use (`NTMS_LM_DISABLEMEDIA`, 5).
    DisableMedia = 5,
    /// Put a cartridge into use (`NTMS_LM_ENABLEMEDIA`, 6).
    EnableMedia = 6,
    /// Record the label that an application has written (`NTMS_LM_UPDATEOMID`, 7).
    UpdateLabel = 7,
    /// Read what is where (`NTMS_LM_INVENTORY`, 8).
    Inventory = 8,
    /// Let a person open the door, and read what is where afterwards (`NTMS_LM_DOORACCESS`, 9).
    DoorAccess = 9,
    /// Put a cartridge into a port, for a person to take (`NTMS_LM_EJECT`, 10).
    Eject = 10,
    /// Put the cleaning cartridge into a port (`NTMS_LM_EJECTCLEANER`, 11).
    EjectCleaner = 11,
    /// Take what a person puts into a port (`NTMS_LM_INJECT`, 12).
    Inject = 12,
    /// Take a cleaning cartridge from a port into its slot (`NTMS_LM_INJECTCLEANER`, 13).
    InjectCleaner = 13,
    /// Read the label on a medium (`NTMS_LM_PROCESSOMID`, 14).
    Identify = 14,
    /// Clean a drive (`NTMS_LM_CLEANDRIVE`, 15).
    CleanDrive = 15,
    /// Take a cartridge out of its drive and put it into a slot (`NTMS_LM_DISMOUNT`, 16).
    Dismount = 16,
    /// Put a cartridge into a drive and wait until the drive is ready (`NTMS_LM_MOUNT`, 17).
    Mount = 17,
    /// Write the manager's own label of a free medium (`NTMS_LM_WRITESCRATCH`, 18).
    WriteFreeLabel = 18,
    /// Decide what a full slot holds (`NTMS_LM_CLASSIFY`, 19).
    Classify = 19,
    /// Reserve a slot for the cleaning cartridge (`NTMS_LM_RESERVECLEANER`, 20).
    ReserveCleanerSlot = 20,
    /// Give the cleaning cartridge's slot back (`NTMS_LM_RELEASECLEANER`, 21).
    ReleaseCleanerSlot = 21,
}

impl Operation {
    /// Every operation, in the order of the queue.
    pub const ALL: [Self; 21] = [
        Self::DisableLibrary,
        Self::EnableLibrary,
        Self::DisableDrive,
        Self::EnableDrive,
        Self::DisableMedia,
        Self::EnableMedia,
        Self::UpdateLabel,
        Self::Inventory,
        Self::DoorAccess,
        Self::Eject,
        Self::EjectCleaner,
        Self::Inject,
        Self::InjectCleaner,
        Self::Identify,
        Self::CleanDrive,
        Self::Dismount,
        Self::Mount,
        Self::WriteFreeLabel,
        Self::Classify,
        Self::ReserveCleanerSlot,
        Self::ReleaseCleanerSlot,
    ];
}

impl Operation {
    /// Whether it puts its cartridge into a drive and waits until that is ready.
    pub(crate) fn loads(self) -> bool {
        matches!(self, Self::Mount | Self::Identify | Self::WriteFreeLabel)
    }

    /// Whether it can begin without an arm: its medium is in its drive, or it only changes the catalogue.
    pub(crate) fn may_need_no_arm(self) -> bool {
        use Operation::*;
        matches!(self, Mount | Dismount | UpdateLabel | Classify | ReserveCleanerSlot | ReleaseCleanerSlot)
    }

    /// Whether it takes a library, drive or cartridge into or out of service.
    pub(crate) fn changes_service(self) -> bool {
        use Operation::*;
        matches!(
            self,
            DisableLibrary | EnableLibrary | DisableDrive | EnableDrive | DisableMedia | EnableMedia
        )
    }

    /// Whether it sends something to a device, beside a motion and the wait for a drive, that a restart must reckon with.
    pub(crate) fn has_steps_without_motion(self) -> bool {
        use Operation::*;
        match self {
            UpdateLabel | Classify | ReserveCleanerSlot | ReleaseCleanerSlot | Mount => false,
            // In process they are in force.
            DisableLibrary | EnableLibrary | DisableDrive | EnableDrive | DisableMedia | EnableMedia => true,
            Inventory | DoorAccess | Eject | EjectCleaner | Inject | InjectCleaner => true,
            Identify | CleanDrive | Dismount | WriteFreeLabel => true,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DisableLibrary => "disabling of the library",
            Self::EnableLibrary => "change of the library's service",
            Self::DisableDrive => "disabling of the drive",
            Self::EnableDrive => "change of the drive's service",
            Self::DisableMedia => "disabling of the cartridge",
            Self::EnableMedia => "enabling of the cartridge",
            Self::UpdateLabel => "recording of the label",
            Self::Inventory => "inventory",
            Self::DoorAccess => "door access",
            Self::Eject => "eject",
            Self::EjectCleaner => "eject of the cleaner",
            Self::Inject => "inject",
            Self::InjectCleaner => "inject of a cleaner",
            Self::Identify => "identification",
            Self::CleanDrive => "cleaning",
            Self::Dismount => "dismount",
            Self::Mount => "mount",
            Self::WriteFreeLabel => "writing of a free label",
            Self::Classify => "classification",
            Self::ReserveCleanerSlot => "reservation of the cleaner's slot",
            Self::ReleaseCleanerSlot => "release of the cleaner's slot",
        })
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
    /// −15..=15; the higher is served first, but for what is older by more than the difference is worth.
    pub priority: i8,
    /// The request is cancelled when it has not ended within this time.
    pub deadline: Option<Duration>,
    /// The request lives on when its session is closed.
    pub detached: bool,
    /// How it is to be carried out.
    pub options: Options,
}

/// A request as it is kept (RSM: `NTMS_LIBREQUESTINFORMATION`).
///
/// As the other records it is made field by field, for a store of the caller's own gives back what it has kept: with a field that is
/// new it does not compile, rather than lose it unnoticed.
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
    /// How it is to be carried out (RSM: `OperationOption`).
    pub options: Options,
    /// Its place in the queue: the one that operation, priority and age gave it, or somebody gave it since. `None` in records
    /// of releases that did not keep it.
    pub queue_place: Option<QueuePlace>,
    /// It has failed, and ends so when its cartridge is back in a slot.
    pub failing: Option<Failure>,
    /// An administrator handed it in: what it may do by force it may do after a restart, too.
    pub administrator: bool,
}

impl Request {
    /// The drive that it names, where that is now: what was asked for stays as it was, and the drive that is used follows it.
    pub(crate) fn named_drive(&self) -> Option<ElementAddress> {
        self.wanted.named_drive().map(|named| self.drive.unwrap_or(named))
    }

    /// What it takes into or out of service; a drive where that is now.
    pub(crate) fn service_wanted(&self) -> Option<(ServiceTarget, Service)> {
        let Wanted::SetService { target, service } = &self.wanted else { return None };
        let mut target = target.clone();
        if let (ServiceTarget::Drive { drive, .. }, Some(named)) = (&mut target, self.named_drive()) {
            *drive = named;
        }
        Some((target, *service))
    }

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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A request of nobody in particular.
    pub(crate) fn request(wanted: Wanted) -> Request {
        Request {
            id: RequestId(uuid::Uuid::nil()),
            wanted,
            library: LibraryId(uuid::Uuid::nil()),
            cartridge: None,
            barcode: None,
            drive: None,
            application: "test".into(),
            priority: 0,
            deadline: None,
            detached: false,
            queued_at: WallTime(0),
            ended_at: None,
            state: State::Queued,
            stopping: None,
            motions: 0,
            options: Options::default(),
            queue_place: None,
            failing: None,
            administrator: false,
        }
    }

    #[test]
    fn the_operations_have_the_numbers_of_rsm_and_are_all_listed() {
        let numbers: alloc::vec::Vec<u8> = Operation::ALL.iter().map(|&operation| operation as u8).collect();
        assert_eq!(numbers, (1..=21).collect::<alloc::vec::Vec<u8>>());
    }
}
