//! What the engine is told.

mod timing;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::ElementAddress;

use crate::catalog::{
    Caller, Cartridge, Compatibility, DriveRecord, LibraryRecord, MotionRecord, MountRecord,
};
use crate::command::{Completion, TransportError};
use crate::costs::Costs;
use crate::id::{BatchId, CommandId, LibraryIndex, RequestId, SessionId, Token};
use crate::label::{SharedFormat, usual_formats};
use crate::request::{CartridgeRef, InventoryMethod, Request, Submission};

pub use timing::Timing;

/// One thing that happened.
#[derive(Debug)]
// An input is handed over once and taken apart at once: a box would be an allocation for nothing.
#[allow(clippy::large_enum_variant)]
pub enum Input {
    /// A request is handed in. Answered with [`Answer::Submitted`](crate::output::Answer::Submitted).
    Submit {
        /// The caller's mark.
        token: Token,
        /// The request.
        submission: Submission,
    },
    /// A request is to be cancelled. Answered with [`Answer::Cancel`](crate::output::Answer::Cancel).
    Cancel {
        /// The caller's mark.
        token: Token,
        /// Who asks.
        caller: Caller,
        /// Which request.
        id: RequestId,
        /// Why, for the record.
        reason: Option<Arc<str>>,
    },
    /// A session claims a request or a mount as its own. Answered with [`Answer::Adopted`](crate::output::Answer::Adopted).
    Adopt {
        /// The caller's mark.
        token: Token,
        /// Who claims.
        caller: Caller,
        /// The mount request.
        id: RequestId,
    },
    /// Several mounts are handed in that are served together or not at all; each carries the same
    /// [`group`](crate::request::Options::group). Answered with
    /// [`Answer::SubmittedGroup`](crate::output::Answer::SubmittedGroup).
    SubmitGroup {
        /// The caller's mark.
        token: Token,
        /// The mounts.
        submissions: Vec<Submission>,
    },
    /// A request is to have another place in the queue. Answered with
    /// [`Answer::Reordered`](crate::output::Answer::Reordered).
    Reorder {
        /// The caller's mark.
        token: Token,
        /// Who asks.
        caller: Caller,
        /// Which request.
        id: RequestId,
        /// Counted from 1 among the waiting requests of its operation and library; more than there are: the last.
        position: u32,
    },
    /// An operator says that what was asked of a person will not be done. Answered as a cancel of the request is.
    RefuseOperatorTask {
        /// The caller's mark.
        token: Token,
        /// Who refuses.
        caller: Caller,
        /// The request that waits for it.
        id: RequestId,
    },
    /// A person says that what was asked is done (RSM: `SatisfyNtmsOperatorRequest`): it is looked into at once. Answered with
    /// [`Answer::Satisfied`](crate::output::Answer::Satisfied).
    SatisfyOperatorTask {
        /// The caller's mark.
        token: Token,
        /// Who says so.
        caller: Caller,
        /// The request that waits for it.
        id: RequestId,
    },
    /// How often a cleaning cartridge can be used yet (RSM: `dwCleanerUsesRemaining`). Answered with
    /// [`Answer::CleanerUses`](crate::output::Answer::CleanerUses).
    SetCleanerUses {
        /// The caller's mark.
        token: Token,
        /// Who says so.
        caller: Caller,
        /// The cleaning cartridge.
        cartridge: CartridgeRef,
        /// How often; `None`: it is not counted.
        uses: Option<u32>,
    },
    /// A session is closed: what was bound to it is cancelled. Answered with
    /// [`Answer::SessionClosed`](crate::output::Answer::SessionClosed).
    CloseSession {
        /// The caller's mark.
        token: Token,
        /// The session.
        session: SessionId,
    },
    /// A batch was committed, or could not be.
    Persisted {
        /// Which one.
        batch: BatchId,
        /// How it went.
        result: Result<(), StoreFailure>,
    },
    /// The store's answer to a [`Lookup`](crate::output::Output::Lookup).
    Found {
        /// Which look-up.
        token: Token,
        /// The request, where there is one.
        result: Result<Option<Request>, StoreFailure>,
    },
    /// A command ended.
    Completed {
        /// Which one.
        command: CommandId,
        /// How.
        result: Result<Completion, TransportError>,
    },
    /// The answer to a [`Claim`](crate::output::Output::Claim): whether this process now owns the library.
    Claimed {
        /// The library.
        library: LibraryIndex,
        /// Whether it is ours.
        result: Result<(), ClaimError>,
    },
    /// Requests that ended long ago were forgotten unasked, or could not be: told as
    /// [`EventKind::Purged`](crate::EventKind::Purged).
    Purged {
        /// So many.
        requests: u64,
        /// Why it went no further.
        failure: Option<Arc<str>>,
    },
    /// The manager is being shut down: nothing is begun any more, and what is under way is left to the next one.
    Stop,
    /// Time passed: a deadline that [`next_deadline`](crate::Engine::next_deadline) named may be due.
    Tick,
}

/// The store could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreFailure(pub Arc<str>);

/// A library could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Another manager owns it.
    #[error(
        "the library is in use by {}: stop the other manager, or use that one",
        pid.map_or_else(|| String::from("another process"), |pid| alloc::format!("the process {pid}"))
    )]
    InUse {
        /// The other process, where its lock tells.
        pid: Option<u32>,
    },
    /// Another initiator has it reserved (PERSISTENT RESERVE, or the older RESERVE).
    #[error(
        "the library is reserved by another owner{}{}: {}",
        key.map_or_else(String::new, |key| alloc::format!(", key {key:#018x}")),
        initiator.as_ref().map_or_else(String::new, |name| alloc::format!(", initiator {name}")),
        reserved_advice(*key)
    )]
    Reserved {
        /// The key of its registration; 0 where all that are registered hold it, `None` with the older RESERVE.
        key: Option<u64>,
        /// Who registered it (TransportID), where the device tells.
        initiator: Option<String>,
    },
    /// The lock could not be made.
    #[error(
        "its lock could not be made: {0}; make the directory writable, or give another one with `lock_directory`"
    )]
    Lock(String),
}

fn reserved_advice(key: Option<u64>) -> &'static str {
    match key {
        Some(_) => {
            "stop that one, which gives the reservation back, or, when it is gone for good, take it away with `take_over`"
        }
        // It cannot be preempted.
        None => {
            "stop that one; a reservation of the older kind (RESERVE) ends with its initiator's connection, or when the library \
             is reset"
        }
    }
}

/// What the engine starts from.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Known libraries.
    pub libraries: Vec<LibraryRecord>,
    /// Known cartridges.
    pub cartridges: Vec<Cartridge>,
    /// Requests that have not ended.
    pub requests: Vec<Request>,
    /// Motions of requests that have not ended, open or not: they tell what was sent for them.
    pub motions: Vec<MotionRecord>,
    /// Mounts.
    pub mounts: Vec<MountRecord>,
    /// Drives.
    pub drives: Vec<DriveRecord>,
}

/// How the engine is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The libraries.
    pub libraries: Vec<LibraryConfig>,
    /// Random bits, drawn by the caller: ids of things that the engine finds are made from them.
    pub seed: u128,
    /// How many requests may be live at once. Bounds memory; a caller over it gets `ResourceExhausted`.
    pub max_live_requests: usize,
    /// How many cancels may wait for a verdict at once, and how many look-ups for the store.
    pub max_pending_cancels: usize,
    /// What becomes of unfinished requests at start.
    pub restart: RestartPolicy,
    /// What a point of priority is worth: a request overtakes those that are older by less than this for each point. So
    /// the lowest priority waits at most 30 times as long behind later ones of the highest.
    pub priority_worth: Duration,
    /// Under which key libraries are reserved; the same for the same owner, also after a restart. `None` or 0: one is made of
    /// the id that the store keeps for each library.
    pub owner: Option<u64>,
    /// The formats of labels that are recognized, beside the manager's own label of free media; the first that claims a block
    /// has it. At most [`MAX_FORMATS`](crate::label::MAX_FORMATS) are asked.
    pub label_formats: Vec<SharedFormat>,
}

/// What a point of priority is worth, unless the caller says otherwise: the lowest priority is served at the latest when
/// it has waited five hours longer than one of the highest, which is within a night.
pub const DEFAULT_PRIORITY_WORTH: Duration = Duration::from_secs(600);

/// With how many media in a row a drive must have failed, unless the caller says otherwise: two bad media one after the other
/// happen, three do not.
pub const DEFAULT_SUSPECT_AFTER: u8 = 3;

/// How one library is set up.
#[derive(Debug, Clone)]
pub struct LibraryConfig {
    /// Its name in messages: the changer's URL without its secret, unless the caller gave a better one.
    pub name: Arc<str>,
    /// Drives that the caller named, in the order of [`Device::Configured`](crate::id::Device::Configured).
    pub drives: Vec<ConfiguredDrive>,
    /// The time-outs and bounds.
    pub timing: Timing,
    /// The longest data-in transfer of the changer's path, in bytes.
    pub max_transfer: u32,
    /// Moves in flight at once. More than one needs a library with more than one arm.
    pub moves_in_flight: u8,
    /// What motions and drives cost in time until that was measured, and what stands near to what.
    pub costs: Costs,
    /// Whether the drive is told to unload before the robot takes the cartridge.
    pub unload_before_move: bool,
    /// Whether a dismount and a mount that waits for its drive may be one EXCHANGE MEDIUM, where the library says that it
    /// has the command. Libraries claim it without having it, so it is for the caller to say.
    pub exchange: bool,
    /// Whether a drive that asks for it is cleaned by a request of the manager's own, where a cleaning cartridge is known or the
    /// drive says that it must be cleaned. That a drive asks is told either way.
    pub auto_clean: bool,
    /// Which medium works in which drive, where that is not what is known of LTO. The first rule that speaks of both decides.
    pub compatibility: Vec<Compatibility>,
    /// With how many media in a row a drive must have failed to be the last choice. 0: it never is.
    pub suspect_after: u8,
    /// How long a medium whose dismount was deferred stays in its drive at least, although another one waits for the drive
    /// (RSM: `dwDeferDismountDelay`).
    pub dwell: Duration,
    /// The ways to the changer, for messages, in the order of preference. Empty: one way, of the library's own name. What
    /// is beyond [`MAX_PATHS`] is not used.
    pub paths: Vec<Arc<str>>,
    /// Whether the library is reserved for this manager.
    pub reservation: Reservation,
    /// Whether another owner's reservation is taken away at the first opening.
    pub take_over: bool,
    /// Whether the ports are kept locked (PREVENT ALLOW MEDIUM REMOVAL) while no person is to use them. A manager that dies
    /// leaves them locked for as long as the library remembers, so it is for the caller to say.
    pub lock_ports: bool,
    /// Whether the library is told to look at its elements (INITIALIZE ELEMENT STATUS) when it is opened for the first time, and
    /// after it was switched on. One that says that it does not serve without is told in any case.
    pub initialize_at_start: bool,
    /// By what a mounted medium is known.
    pub verify: Verify,
    /// Whether the inventory is read by the manager itself after a mount that failed by the library's or a drive's fault, or
    /// because the medium carries another label than it should (RSM: `AutoRecovery`). A fast one, never INITIALIZE ELEMENT STATUS.
    pub auto_recovery: bool,
    /// How an inventory is made that does not say how, and the one that follows a door where
    /// [`AfterDoor::Default`](crate::request::AfterDoor::Default) says so (RSM: `InventoryMethod` of a library).
    pub inventory_method: InventoryMethod,
}

/// By what a mounted medium is known (RSM: the verification at each mount).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Verify {
    /// By the barcode that the library's scanner reads: the mount reads nothing from the tape.
    #[default]
    Barcode,
    /// By the label on the medium: each mount reads it before it passes, which needs a way to the drive. A label that differs
    /// from the recorded one fails the mount with [`WrongLabel`](crate::request::FailureKind::WrongLabel), and the medium is put
    /// back; where none is recorded, the one that was read is. What cannot be read (damaged, encrypted) is not *changed*: the
    /// mount passes.
    Label,
}

impl Config {
    /// These libraries, and everything else as it usually is.
    pub fn new(libraries: Vec<LibraryConfig>) -> Self {
        Self {
            libraries,
            seed: 1,
            max_live_requests: 1000,
            max_pending_cancels: 16,
            restart: RestartPolicy::default(),
            priority_worth: DEFAULT_PRIORITY_WORTH,
            owner: None,
            label_formats: usual_formats(),
        }
    }
}

impl LibraryConfig {
    /// A library of one arm without drives of its own configuration, and everything else as it usually is.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            drives: Vec::new(),
            timing: Timing::default(),
            max_transfer: 65_535,
            moves_in_flight: 1,
            costs: Costs::default(),
            unload_before_move: true,
            exchange: false,
            auto_clean: true,
            compatibility: Vec::new(),
            suspect_after: DEFAULT_SUSPECT_AFTER,
            dwell: Duration::ZERO,
            paths: Vec::new(),
            reservation: Reservation::default(),
            take_over: false,
            lock_ports: false,
            initialize_at_start: false,
            verify: Verify::default(),
            auto_recovery: true,
            inventory_method: InventoryMethod::default(),
        }
    }
}

/// The most ways to one library's changer: libraries have a control path for each of two to eight ports.
pub const MAX_PATHS: usize = 8;

/// Whether a library is reserved for its manager (PERSISTENT RESERVE OUT, SPC-4 6.16), beside the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reservation {
    /// Where the device has persistent reservations.
    #[default]
    WhereOffered,
    /// Never: the lock alone makes an owner.
    Never,
    /// A library that has none is not used.
    Required,
}

/// A drive that the caller named.
#[derive(Debug, Clone)]
pub struct ConfiguredDrive {
    /// Its element, where the caller said so; else it is found by its serial number.
    pub element: Option<ElementAddress>,
    /// Found on this machine rather than named by the caller: it is this library's only if its serial number says so.
    pub assumed: bool,
}

/// What becomes of unfinished requests when a manager starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestartPolicy {
    /// What needs no owner goes on; a mount waits for a session that adopts it.
    #[default]
    Resume,
    /// What was not started ends as cancelled, what was started as stopped, once its motion is settled (RSM's way).
    CancelUnfinished,
}
