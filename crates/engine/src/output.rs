//! What the engine wants done, and what it tells.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::catalog::{
    Cartridge, DriveRecord, FaultRecord, Identity, Label, LibraryRecord, MotionRecord, MountRecord, Role,
    Service,
};
use crate::command::Command;
use crate::id::{BatchId, CartridgeId, CommandId, LibraryIndex, Path, RequestId, Token};
use crate::request::{CancelError, Cancellation, LabelFound, Operation, Place, Request, State};
use crate::time::WallTime;
use crate::view::{DriveState, LibraryState, MountInfo, OperatorRequest, PathState};

// What callers of the root crate see is named as it is there, where each is a part of an error of that name.
pub use self::{AdoptRefusal as AdoptError, Refusal as SubmitError, ReorderRefusal as ReorderError};

/// One thing to be done.
#[derive(Debug, Clone)]
pub enum Output {
    /// Send the command on the path; tell its end with [`Input::Completed`](crate::Input::Completed).
    Execute {
        /// The way to the device.
        path: Path,
        /// The command's name.
        id: CommandId,
        /// The command.
        command: Command,
    },
    /// Commit the changes in one transaction, after all batches before it; tell with
    /// [`Input::Persisted`](crate::Input::Persisted).
    Persist {
        /// The batch's name.
        batch: BatchId,
        /// What changes.
        changes: Vec<Change>,
    },
    /// Look a request up that is not live; tell with [`Input::Found`](crate::Input::Found).
    Lookup {
        /// The look-up's name.
        token: Token,
        /// The request.
        id: RequestId,
    },
    /// Take the library for this process, or find who has it; tell with [`Input::Claimed`](crate::Input::Claimed).
    Claim {
        /// The library.
        library: LibraryIndex,
        /// What the lock is made of.
        identity: Identity,
    },
    /// Answer a question.
    Answer {
        /// The question's mark.
        token: Token,
        /// The answer.
        answer: Answer,
    },
    /// Tell everyone.
    Notify(Event),
}

/// A change of what is kept.
#[derive(Debug, Clone)]
// Requests are nearly all of the changes: boxing the others' largest variant would cost an allocation for each.
#[allow(clippy::large_enum_variant)]
#[non_exhaustive]
pub enum Change {
    /// A library, new or changed.
    Library(LibraryRecord),
    /// A cartridge, new or changed.
    Cartridge(Cartridge),
    /// A request, new or changed.
    Request(Request),
    /// A motion, intended or ended.
    Motion(MotionRecord),
    /// A mount began or changed its owner.
    Mount(MountRecord),
    /// A mount ended.
    MountEnded(RequestId),
    /// A drive, new or changed. Its key is its library and its element.
    Drive(DriveRecord),
    /// Something failed.
    Fault(FaultRecord),
}

/// Answers to questions.
#[derive(Debug, Clone)]
pub enum Answer {
    /// To [`Input::Submit`](crate::Input::Submit): the request as accepted (or as it already stands).
    Submitted(Result<Request, SubmitError>),
    /// To [`Input::SubmitGroup`](crate::Input::SubmitGroup): the requests as accepted, or why one of them, and so none, was.
    SubmittedGroup(Result<Vec<Request>, SubmitError>),
    /// To [`Input::Reorder`](crate::Input::Reorder): its position now, counted from 1.
    Reordered(Result<u32, ReorderError>),
    /// To [`Input::Cancel`](crate::Input::Cancel).
    Cancel(Result<Cancellation, CancelError>),
    /// To [`Input::Adopt`](crate::Input::Adopt): the request as it stands.
    Adopted(Result<Request, AdoptError>),
    /// To [`Input::CloseSession`](crate::Input::CloseSession): how many requests were cancelled or told to stop.
    SessionClosed {
        /// How many.
        cancelled: usize,
    },
}

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
    #[error("cartridge {cartridge} is in {place}, not in a drive: there is nothing to dismount")]
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

impl AdoptError {
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

/// Something that everyone may want to know.
#[derive(Debug, Clone)]
pub struct Event {
    /// Counted from 1 for each manager, without gaps.
    pub sequence: u64,
    /// When.
    pub at: WallTime,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone)]
// Requests are nearly all of the events: boxing them would cost an allocation for each.
#[allow(clippy::large_enum_variant)]
#[non_exhaustive]
pub enum EventKind {
    /// A request was accepted, changed its state, or ended. What it says is durable.
    Request(Request),
    /// A cancel was accepted.
    CancelAccepted {
        /// The request.
        id: RequestId,
        /// Whose request it is.
        application: Arc<str>,
        /// The answer.
        cancellation: Cancellation,
    },
    /// A cartridge is at another place.
    Cartridge {
        /// The cartridge.
        id: CartridgeId,
        /// Its label.
        barcode: Option<Arc<str>>,
        /// Where it is now.
        place: Place,
    },
    /// A library's state changed.
    Library {
        /// Its name.
        name: Arc<str>,
        /// Its state.
        state: Arc<LibraryState>,
    },
    /// A medium is mounted.
    Mounted(MountInfo),
    /// A medium is no longer mounted.
    Dismounted {
        /// The mount.
        id: RequestId,
        /// The label of its cartridge.
        barcode: Option<Arc<str>>,
        /// Whose it was.
        application: Arc<str>,
    },
    /// A motion ended in doubt: the elements are being looked at, and cartridge and elements stay reserved.
    MotionInDoubt {
        /// The request.
        request: RequestId,
        /// Whose request it is.
        application: Arc<str>,
        /// What the device or path said.
        why: String,
    },
    /// A way to a library with several was taken into use, lost or found again.
    Path {
        /// The library's name.
        library: Arc<str>,
        /// The way's URL without its secret.
        path: Arc<str>,
        /// How it stands now.
        state: PathState,
    },
    /// Another owner's reservation of a library was taken away, as the configuration said.
    TookOver {
        /// The library's name.
        library: Arc<str>,
        /// The key of the other owner.
        key: u64,
    },
    /// The store failed: nothing is started any more, and no waiting request will be told its end.
    StoreFailed {
        /// What the store said.
        reason: Arc<str>,
    },
    /// A drive's or library's service changed.
    Service {
        /// The library's name.
        library: Arc<str>,
        /// The drive; `None`: the library itself.
        drive: Option<autochanger_scsi::ElementAddress>,
        /// How it serves now.
        service: Service,
    },
    /// Another drive stands where one was: it begins anew.
    DriveReplaced {
        /// The library's name.
        library: Arc<str>,
        /// The drive's element address.
        drive: autochanger_scsi::ElementAddress,
        /// The serial number of the one before.
        before: Arc<str>,
        /// Its serial number.
        serial: Arc<str>,
    },
    /// A drive's state is another one, or it asks to be cleaned, or does not any more.
    Drive {
        /// The library's name.
        library: Arc<str>,
        /// The drive's element address.
        drive: autochanger_scsi::ElementAddress,
        /// What it does with its medium.
        state: DriveState,
        /// It asks to be cleaned.
        wants_cleaning: bool,
    },
    /// Something failed, and this is whose fault it was.
    Fault(FaultRecord),
    /// A person is asked for something (RSM: an operator request).
    OperatorAsked(OperatorRequest),
    /// What was asked of a person is done, or is not needed any more.
    OperatorDone {
        /// The request that waited for it.
        request: RequestId,
        /// Whose request it is.
        application: Arc<str>,
    },
    /// The label on a medium is not the recorded one, which stays recorded: record what is right (RSM: `UpdateNtmsOmidInfo`).
    LabelChanged {
        /// The cartridge.
        id: CartridgeId,
        /// Its barcode.
        barcode: Option<Arc<str>>,
        /// What is recorded.
        recorded: Label,
        /// What was found.
        found: LabelFound,
    },
    /// A device has something to remark about what it was asked to do: an error that it recovered from, a failure that it
    /// predicts, a flag of TapeAlert, a lock or a tray that it did not give.
    #[doc(alias = "TapeAlert")]
    Warning {
        /// The library's name.
        library: Arc<str>,
        /// The drive's element address, where it was one.
        drive: Option<autochanger_scsi::ElementAddress>,
        /// What it said, and of what.
        what: String,
    },
    /// The library said that something changed; the touched part of the inventory is read again.
    Attention {
        /// The library's name.
        library: Arc<str>,
        /// The sense data.
        what: String,
    },
}

impl fmt::Display for Event {
    /// A line for a log: when, and what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.kind)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = |barcode: &Option<Arc<str>>| {
            barcode.clone().unwrap_or_else(|| "a cartridge without a label".into())
        };
        match self {
            Self::Request(request) => match &request.barcode {
                Some(barcode) => write!(f, "{} of {barcode}: {}", request.operation(), request.state),
                None => write!(f, "{}: {}", request.operation(), request.state),
            },
            Self::CancelAccepted { id, cancellation: Cancellation::Cancelled, .. } => {
                write!(f, "cancelled request {id}")
            }
            Self::CancelAccepted { id, cancellation: Cancellation::Stopping, .. } => {
                write!(f, "stopping request {id}")
            }
            Self::Cartridge { barcode, place, .. } => write!(f, "{} is in {place}", label(barcode)),
            Self::Library { name, state } => write!(f, "library {name}: {state}"),
            Self::Mounted(mount) => {
                write!(
                    f,
                    "{} is mounted in drive {} for {}",
                    label(&mount.barcode),
                    mount.drive,
                    mount.application
                )
            }
            Self::Dismounted { barcode, application, .. } => {
                write!(f, "{} is no longer mounted for {application}", label(barcode))
            }
            Self::MotionInDoubt { request, why, .. } => {
                write!(f, "a motion of request {request} is in doubt: {why}")
            }
            Self::Service { library, drive: Some(drive), service } => {
                write!(f, "drive {drive} of {library} is {service}")
            }
            Self::Service { library, drive: None, service } => write!(f, "library {library} is {service}"),
            Self::DriveReplaced { library, drive, before, serial } => {
                write!(f, "drive {drive} of {library} was replaced: {serial} stands where {before} was")
            }
            Self::Drive { library, drive, state, wants_cleaning } => {
                let wish = if *wants_cleaning { ", and asks to be cleaned" } else { "" };
                write!(f, "drive {drive} of {library} is {state}{wish}")
            }
            Self::Fault(fault) => write!(f, "fault of the {}: {}", fault.of, fault.message),
            Self::OperatorAsked(asked) => write!(f, "please {}", asked.task),
            Self::OperatorDone { request, .. } => {
                write!(f, "nothing is asked of a person any more for request {request}")
            }
            Self::Path { library, path, state } => write!(f, "path {path} of library {library}: {state}"),
            Self::TookOver { library, key } => {
                write!(f, "library {library} was taken from the owner with the reservation key {key:#018x}")
            }
            Self::StoreFailed { reason } => write!(f, "the store failed: {reason}"),
            Self::LabelChanged { id, barcode, recorded, found } => {
                match barcode {
                    Some(barcode) => write!(f, "cartridge {barcode}")?,
                    None => write!(f, "cartridge {id}")?,
                }
                write!(f, " should carry the label {recorded}; what was read: {found}")
            }
            Self::Warning { library, drive: Some(drive), what } => {
                write!(f, "drive {drive} of library {library}: {what}")
            }
            Self::Warning { library, drive: None, what } => write!(f, "library {library}: {what}"),
            Self::Attention { library, what } => write!(f, "library {library} tells of a change: {what}"),
        }
    }
}
