//! An embeddable media manager for tape libraries and autochangers.
//!
//! It does on Linux what Removable Storage Manager did on Windows: it owns libraries, mounts and dismounts cartridges
//! by durable requests that can be cancelled exactly, and never sends a motion twice. There is no daemon: the
//! [`Manager`] lives in the caller's process.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # async fn example() -> Result<(), autochanger::Error> {
//! use autochanger::{Cancellation, LibraryConfig, Manager, Role};
//!
//! let manager = Manager::builder().library(LibraryConfig::new("sim:")).open().await?;
//! manager.ready().await?;
//!
//! let session = manager.session("nightly-backup").role(Role::Administrator).open()?;
//! let tape = session.mount("VT0001L8").await?;
//! println!("{tape} is ready"); // "VT0001L8 in drive 500 is ready"
//! tape.dismount().await?;
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(feature = "sim")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```
//!
//! - [`Session`] is what applications work with: [`mount`](Session::mount), [`dismount`](Session::dismount),
//!   [`inventory`](Session::inventory), [`cancel_library_request`](Session::cancel_library_request), and looks at
//!   everything there is.
//! - A request is accepted with a [`Ticket`], and is then durable as far as the [store] is.
//! - Dropping a future never starts or stops the robot; stopping is a named call.
//! - Hardware is reached by a [`Transport`](transport::Transport): iSCSI in user space, a simulated library, or one of
//!   the caller's own.
//! - The [manual] has chapters on the words, cancellation, operating a library, recovery, labels, defaults, devices and their quirks,
//!   iSCSI, testing, who vouches for what, and the way from RSM.
#![forbid(unsafe_code)]

pub mod clock;
mod driver;
mod error;
pub mod manual;
mod session;
pub mod store;
pub mod transcript;
pub mod transport;
#[cfg(all(feature = "sim", feature = "iscsi"))]
pub mod virtual_library;
mod win32;

pub use autochanger_engine::costs::{Costs, DriveTimes, Zone};
pub use autochanger_engine::input::{
    DEFAULT_PRIORITY_WORTH, DEFAULT_SUSPECT_AFTER, MAX_PATHS, Reservation, RestartPolicy, Timing, Verify,
};
pub use autochanger_engine::{Event, EventKind};
pub use error::{
    AdoptError, AdoptRefusal, CancelError, ClaimError, Error, Failure, FailureKind, FaultOf, LibraryError,
    OpenError, OperatorError, OperatorRefusal, PathFault, PathFaultKind, PurgeError, QueryError, ReadyError,
    Refusal, ReorderError, ReorderRefusal, RequestError, SessionClosed, SessionError, SubmitError,
    TransportError,
};
pub use session::{
    APPLICATION_NAME_MAX, CancelBuilder, Cancellation, Classified, ClassifyBuilder, CleanDriveBuilder,
    Cleaned, CleanerSlotBuilder, DEFAULT_MAX_LIVE_REQUESTS, DEFAULT_MAX_PENDING_CANCELS, DEFAULT_PURGE_AFTER,
    DismountBuilder, Dismounted, Done, DoorAccessBuilder, EjectAllBuilder, EjectBuilder, EjectCleanerBuilder,
    Ejected, Ending, EventStream, GroupMember, Identified, IdentifyBuilder, InjectBuilder,
    InjectCleanerBuilder, Injected, Inventory, InventoryBuilder, Lagged, LibraryConfig, Manager,
    ManagerBuilder, MountAllBuilder, MountBuilder, Mounted, Progress, READY_PATIENCE, ServiceBuilder,
    Session, SessionBuilder, Ticket, TicketOutcome, UpdateLabelBuilder, Verdict, WriteFreeLabelBuilder,
};

pub use catalog::{Cartridge, Compatibility, Label, Role, Service};
pub use clock::WallTime;
pub use id::{CartridgeId, LibraryId, RequestId, new_request_id};
pub use request::{
    AfterDoor, CancelledBy, CartridgeRef, InventoryMethod, LabelFound, LabelsRead, Operation, Outcome, Place,
    Request, ServiceTarget, State, Waiting,
};
pub use scsi::{ElementAddress, ElementType};
pub use store::{FaultFilter, HistoryFilter, Purge, Purged, Sweep};

/// What is kept: libraries, cartridges, mounts and motions, and who may do what.
pub mod catalog {
    pub use autochanger_engine::catalog::*;
}

/// The names of things.
pub mod id {
    pub use autochanger_engine::id::{CartridgeId, Device, IdError, LibraryId, RequestId, SessionId};

    /// Draws an id for a request (UUID v7, so that ids are in the order of their time), to be kept before the request is
    /// handed in: what was handed in under it is known again after a crash. See [`MountBuilder::id`](crate::MountBuilder::id).
    pub fn new_request_id() -> RequestId {
        RequestId(uuid::Uuid::now_v7())
    }
}

/// Requests: what was asked, by whom, and how it stands.
pub mod request {
    pub use autochanger_engine::request::{
        Access, AfterDoor, CancelAccepted, CancelledBy, CartridgeRef, ElementName, Failure, FailureKind,
        FaultOf, GroupId, InventoryMethod, LabelFound, LabelsRead, Operation, Options, Outcome, Place,
        QueuePlace, Request, ServiceTarget, State, Waiting, Wanted,
    };
}

/// What can be seen of libraries, drives, slots and mounts: plain copies.
pub mod view {
    pub use autochanger_engine::Quirk;
    pub use autochanger_engine::forecast::{Forecast, Horizon, MAX_STEPS, NextStep, Step, Waits, Why};
    pub use autochanger_engine::view::{
        DriveInfo, DriveState, ElementCounts, LibraryError, LibraryInfo, LibraryState, MountInfo,
        OperatorRequest, OperatorTask, PathInfo, PathState, SlotInfo,
    };
}

/// Labels on media: what they are, and the formats that recognize them.
pub mod label {
    pub use autochanger_engine::label::*;
}

/// What a store is handed: see [`Store`](store::Store).
pub mod change {
    pub use autochanger_engine::{Change, Snapshot};
}

/// The SCSI vocabulary: addresses, sense data, CDBs.
pub mod scsi {
    pub use autochanger_scsi::*;
}

/// The README's program compiles, and does what it says.
#[cfg(all(doctest, feature = "sim"))]
#[doc = include_str!("../README.md")]
struct Readme;
