//! What everyone is told.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use crate::catalog::{FaultRecord, Label, Service};
use crate::id::{CartridgeId, RequestId};
use crate::request::{CancelAccepted, LabelFound, Place, Request};
use crate::time::WallTime;
use crate::view::{DriveState, LibraryState, MountInfo, OperatorRequest, PathState};

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
        cancellation: CancelAccepted,
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
    /// A drive stands in another place than before, and what was kept of it is true of it there: its mount and its requests, whether
    /// it serves, how well it did. Where the cartridge in it is now ([`Cartridge`](Self::Cartridge)), and what has changed of the drives at
    /// both addresses ([`Service`](Self::Service), [`Drive`](Self::Drive)), is told beside it.
    DriveMoved {
        /// The library's name.
        library: Arc<str>,
        /// Its serial number.
        serial: Arc<str>,
        /// The element address where it was.
        from: autochanger_scsi::ElementAddress,
        /// The element address where it is.
        to: autochanger_scsi::ElementAddress,
    },
    /// Another drive stands where one was: it begins anew, which is told where it makes a difference ([`Service`](Self::Service),
    /// [`Drive`](Self::Drive)).
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
    Fault {
        /// What failed.
        fault: FaultRecord,
        /// Whose request met it.
        application: Arc<str>,
    },
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
    /// A label was recorded: it was read where none was known, written, or given by an application.
    LabelRecorded {
        /// The cartridge.
        id: CartridgeId,
        /// Its barcode.
        barcode: Option<Arc<str>>,
        /// The label.
        label: Label,
    },
    /// A library keeps a slot for its cleaning cartridge, or none any more.
    CleanerSlot {
        /// The library's name.
        library: Arc<str>,
        /// The slot's element address.
        slot: Option<autochanger_scsi::ElementAddress>,
    },
    /// A cleaning cartridge was used, found to be used up, or is counted anew.
    CleanerUses {
        /// The cartridge.
        id: CartridgeId,
        /// Its barcode.
        barcode: Option<Arc<str>>,
        /// How often it can be used yet; `None`: it is not counted.
        uses_left: Option<u32>,
    },
    /// A device has something to remark about what it was asked to do: an error that it recovered from, a failure that it
    /// predicts, a flag of TapeAlert, a lock or a tray that it did not give; also what was left open in a library that is not configured.
    #[doc(alias = "TapeAlert")]
    Warning {
        /// The library's name.
        library: Arc<str>,
        /// The drive's element address, where it was one.
        drive: Option<autochanger_scsi::ElementAddress>,
        /// What it said, and of what.
        what: String,
    },
    /// Requests that ended long ago were forgotten, as the manager is set to do by itself (RSM: `dwLibRequestPurgeTime`).
    Purged {
        /// So many, with their motions and faults.
        requests: u64,
        /// Why it went no further; it is tried again.
        failure: Option<Arc<str>>,
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
            Self::CancelAccepted { id, cancellation: CancelAccepted::Cancelled, .. } => {
                write!(f, "cancelled request {id}")
            }
            Self::CancelAccepted { id, cancellation: CancelAccepted::Stopping, .. } => {
                write!(f, "stopping request {id}")
            }
            Self::Cartridge { barcode, place, .. } => write!(f, "{} {}", label(barcode), place.told()),
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
            Self::DriveMoved { library, serial, from, to } => {
                write!(f, "the drive {serial} of {library} is in {to} now, it was in {from}")
            }
            Self::DriveReplaced { library, drive, before, serial } => {
                write!(f, "drive {drive} of {library} was replaced: {serial} stands where {before} was")
            }
            Self::Drive { library, drive, state, wants_cleaning } => {
                let wish = if *wants_cleaning { ", and asks to be cleaned" } else { "" };
                write!(f, "drive {drive} of {library} is {state}{wish}")
            }
            Self::Fault { fault, .. } => write!(f, "fault of the {}: {}", fault.of, fault.message),
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
            Self::LabelRecorded { barcode, label: recorded, .. } => {
                write!(f, "{} carries the label {recorded}", label(barcode))
            }
            Self::CleanerSlot { library, slot: Some(slot) } => {
                write!(f, "slot {slot} of library {library} is kept for the cleaner")
            }
            Self::CleanerSlot { library, slot: None } => {
                write!(f, "library {library} keeps no slot for a cleaner any more")
            }
            Self::CleanerUses { barcode, uses_left: Some(left), .. } => {
                write!(f, "cleaner {} can be used {left} times yet", label(barcode))
            }
            Self::CleanerUses { barcode, uses_left: None, .. } => {
                write!(f, "the uses of cleaner {} are not counted", label(barcode))
            }
            Self::Warning { library, drive: Some(drive), what } => {
                write!(f, "drive {drive} of library {library}: {what}")
            }
            Self::Warning { library, drive: None, what } => write!(f, "library {library}: {what}"),
            Self::Purged { requests, failure } => {
                let plural = if *requests == 1 { "" } else { "s" };
                write!(f, "{requests} request{plural} that ended long ago forgotten")?;
                failure.iter().try_for_each(|failure| write!(f, "; it went no further: {failure}"))
            }
            Self::Attention { library, what } => write!(f, "library {library} tells of a change: {what}"),
        }
    }
}
