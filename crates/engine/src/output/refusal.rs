//! Why a call was refused.

use alloc::string::String;
use alloc::sync::Arc;

use crate::catalog::Role;
use crate::id::RequestId;
use crate::request::{Operation, Place, State};
use crate::view::LibraryState;

/// Why a request was not accepted. Nothing was kept of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No cartridge of that name.
    #[error(
        "there is no cartridge {cartridge}: check the label, or run an inventory if it was put in by hand"
    )]
    CartridgeNotFound {
        /// The name that was asked for.
        cartridge: String,
    },
    /// Several cartridges carry the label.
    #[error("{count} cartridges carry the label {barcode}: name one by its id")]
    AmbiguousBarcode {
        /// The label.
        barcode: Arc<str>,
        /// How many.
        count: usize,
    },
    /// The cartridge is known, but not where it can be used.
    #[error(
        "cartridge {cartridge} cannot be used: its place is {place}; look into the library, then run an inventory"
    )]
    CartridgeNotAvailable {
        /// The cartridge.
        cartridge: String,
        /// Where it is.
        place: Place,
    },
    /// The cartridge is not in a drive.
    #[error("cartridge {cartridge} {}, not in a drive: there is nothing to dismount", place.told())]
    NotMounted {
        /// The cartridge.
        cartridge: String,
        /// Where it is.
        place: Place,
    },
    /// Another application has the medium mounted.
    #[error(
        "cartridge {cartridge} is open in drive {drive} for {application:?}: ask it to dismount, or dismount with `force` as an administrator"
    )]
    MediaOpen {
        /// The cartridge.
        cartridge: String,
        /// The drive's address.
        drive: u16,
        /// Who has it.
        application: String,
    },
    /// The medium is mounted by the application that asks: it is in use there.
    #[error("you have cartridge {cartridge} mounted in drive {drive}: dismount it first")]
    OwnMediaOpen {
        /// The cartridge.
        cartridge: String,
        /// The drive's address.
        drive: u16,
    },
    /// The session's role does not suffice.
    #[error(
        "the {operation} needs the role of an {needed}, and this session has the role of an {role}: open one as an {needed}"
    )]
    RoleNeeded {
        /// What was asked for.
        operation: Operation,
        /// The session's role.
        role: Role,
        /// The least that is needed.
        needed: Role,
    },
    /// The library is not ready.
    #[error("library {library} is not ready: {state}")]
    NotReady {
        /// The library.
        library: Arc<str>,
        /// How it stands.
        state: Arc<LibraryState>,
    },
    /// No such library, or several and none named.
    #[error("{0}")]
    NoSuchLibrary(String),
    /// The library has no such element.
    #[error("library {library} has no {wanted} {address}; it has {offered}")]
    NoSuchElement {
        /// The library.
        library: Arc<str>,
        /// What was wanted.
        wanted: &'static str,
        /// The address.
        address: u16,
        /// What there is.
        offered: String,
    },
    /// The slot is taken.
    #[error("slot {slot} of {library} holds {held}: name an empty slot, or none")]
    SlotFull {
        /// The library.
        library: Arc<str>,
        /// The slot's address.
        slot: u16,
        /// What is in it.
        held: String,
    },
    /// The library keeps a slot for the cleaner already.
    #[error(
        "slot {slot} of {library} is the cleaner's already: release it with `release_cleaner_slot` first"
    )]
    CleanerSlotTaken {
        /// The library.
        library: Arc<str>,
        /// The slot's address.
        slot: u16,
    },
    /// The library keeps no slot for the cleaner.
    #[error("{library} keeps no slot for a cleaner: reserve one with `reserve_cleaner_slot` first")]
    CleanerSlotMissing {
        /// The library.
        library: Arc<str>,
    },
    /// There is a cartridge in the cleaner's slot.
    #[error(
        "the cleaner's slot {slot} of {library} is not empty: take the cleaner out with `eject_cleaner` first"
    )]
    CleanerInSlot {
        /// The library.
        library: Arc<str>,
        /// The slot's address.
        slot: u16,
    },
    /// The medium cannot work in the drive.
    #[error("cartridge {cartridge} cannot be mounted: {reason}; choose another drive or cartridge")]
    Incompatible {
        /// The cartridge.
        cartridge: String,
        /// Why.
        reason: String,
    },
    /// It is no cleaning cartridge.
    #[error("cartridge {cartridge} is no cleaning cartridge: classify it first, or inject it as one")]
    NotACleaner {
        /// The cartridge.
        cartridge: String,
    },
    /// It was taken out of service.
    #[error("{what} is disabled: enable it, or ask for another one")]
    Disabled {
        /// The library, drive or cartridge.
        what: String,
    },
    /// It was to be done at once, and something it needs is in use.
    #[error("{what} is in use: ask again later, or without `at_once`")]
    Busy {
        /// The cartridge or the drives.
        what: String,
    },
    /// The option or the group does not go with the request.
    #[error("{0}")]
    Unfit(String),
    /// The priority is out of range.
    #[error("priority {0} is out of range: −15 to 15")]
    PriorityOutOfRange(i8),
    /// The id stands for another request.
    #[error("request {id} exists with other content: draw a new id for a new request")]
    IdReused {
        /// The id.
        id: RequestId,
    },
    /// The session was closed before the request was accepted.
    #[error("the session was closed before the request was accepted: open another one")]
    SessionClosed,
    /// A bound was reached.
    #[error(
        "{limit} requests are live, which is the limit: wait for some to end, or raise `max_live_requests`"
    )]
    ResourceExhausted {
        /// The bound.
        limit: usize,
    },
    /// The store failed.
    #[error("the store failed: {reason}; open the manager again")]
    Store {
        /// What it said.
        reason: String,
    },
}

impl Refusal {
    /// The code with which RSM's functions answered the same fact on Windows; where RSM knew no such fact, the nearest.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::CartridgeNotFound { .. } | Self::AmbiguousBarcode { .. } => 4300,
            Self::CartridgeNotAvailable { .. } => 4304,
            Self::NotMounted { .. } | Self::MediaOpen { .. } | Self::OwnMediaOpen { .. } => 5023,
            Self::RoleNeeded { .. } => 5,
            Self::NotReady { .. } => 4305,
            Self::NoSuchLibrary(_) => 4301,
            Self::NoSuchElement { wanted: "drive", .. } => 15,
            Self::NoSuchElement { .. } | Self::SlotFull { .. } => 5006,
            Self::CleanerSlotTaken { .. } => 4331,
            Self::CleanerSlotMissing { .. } => 4332,
            Self::CleanerInSlot { .. } => 4340,
            Self::Incompatible { .. } => 4315,
            Self::NotACleaner { .. } => 4310,
            Self::Disabled { .. } => 4309,
            Self::Busy { .. } => 170,
            Self::Unfit(_) | Self::PriorityOutOfRange(_) => 87,
            Self::IdReused { .. } => 183,
            Self::SessionClosed => 6,
            Self::ResourceExhausted { .. } => 8,
            Self::Store { .. } => 4313,
        }
    }
}

/// Why a request was not given another place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReorderRefusal {
    /// It is not live, or not the caller's to see.
    #[error("there is no live request {id}; list the requests to see which there are")]
    NotFound {
        /// The id.
        id: RequestId,
    },
    /// Another application's.
    #[error("request {id} belongs to {owner:?}: reordering it needs the role of an administrator")]
    PermissionDenied {
        /// The id.
        id: RequestId,
        /// Its owner.
        owner: String,
    },
    /// It has no place in the queue: it is under way, put off, or waits for a person or an owner.
    #[error(
        "request {id} has no place in the queue: it is {state}; what is under way or has ended is not put before others"
    )]
    NotInQueue {
        /// The id.
        id: RequestId,
        /// How it stands.
        state: alloc::boxed::Box<State>,
    },
    /// Too many questions wait for the store.
    #[error("{limit} questions wait for the store to commit: ask again when it has caught up")]
    ResourceExhausted {
        /// The bound.
        limit: usize,
    },
    /// The store failed.
    #[error("the store failed: {reason}; open the manager again")]
    Store {
        /// What it said.
        reason: String,
    },
}

impl ReorderRefusal {
    /// The code with which `SetNtmsRequestOrder` answered the same fact on Windows; where RSM knew no such fact, the nearest.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::NotFound { .. } => 4312,
            Self::PermissionDenied { .. } => 5,
            Self::NotInQueue { .. } => 5023,
            Self::ResourceExhausted { .. } => 8,
            Self::Store { .. } => 4313,
        }
    }
}

/// Why it was not looked into whether what a person was asked is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorRefusal {
    /// Nothing is asked of a person for the request, or it is not the caller's to see.
    #[error("nothing is asked of a person for request {id}; list the operator requests to see what is")]
    NotFound {
        /// The id.
        id: RequestId,
    },
    /// The role does not suffice.
    #[error("to say that request {id} of {owner:?} has what it waits for needs the role of an operator")]
    PermissionDenied {
        /// The id.
        id: RequestId,
        /// Its owner.
        owner: String,
    },
    /// A bound was reached.
    #[error("{limit} questions wait for an answer: ask again when some have one")]
    ResourceExhausted {
        /// The bound.
        limit: usize,
    },
    /// The store failed.
    #[error("the store failed: {reason}; open the manager again")]
    Store {
        /// What it said.
        reason: String,
    },
}

impl OperatorRefusal {
    /// The code with which `SatisfyNtmsOperatorRequest` answered the same fact on Windows.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::NotFound { .. } => 4312,
            Self::PermissionDenied { .. } => 5,
            Self::ResourceExhausted { .. } => 8,
            Self::Store { .. } => 4313,
        }
    }
}

/// Why a request or mount was not adopted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptRefusal {
    /// No live mount or waiting request has the id, or it is not the caller's to see.
    #[error("there is no mount {id} to adopt; list the mounts to see which there are")]
    NotFound {
        /// The id.
        id: RequestId,
    },
    /// Another application's.
    #[error("mount {id} belongs to {owner:?}: adopting it needs the role of an administrator")]
    PermissionDenied {
        /// The id.
        id: RequestId,
        /// Its owner.
        owner: String,
    },
    /// A bound was reached.
    #[error("too many questions wait for the store ({limit}): wait for some of them")]
    ResourceExhausted {
        /// The bound.
        limit: usize,
    },
    /// It has ended.
    #[error("mount {id} has ended: {state}; list the mounts to see which can be adopted")]
    Ended {
        /// The id.
        id: RequestId,
        /// How.
        state: alloc::boxed::Box<State>,
    },
    /// The store failed.
    #[error("the store failed: {reason}; open the manager again")]
    Store {
        /// What it said.
        reason: String,
    },
}

impl AdoptRefusal {
    /// The code for the same fact as RSM's functions had it on Windows. RSM knew no adoption.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::NotFound { .. } | Self::Ended { .. } => 4312,
            Self::PermissionDenied { .. } => 5,
            Self::ResourceExhausted { .. } => 8,
            Self::Store { .. } => 4313,
        }
    }
}
