//! What the engine wants done, and what it tells.

mod event;
mod refusal;

use alloc::vec::Vec;

use crate::catalog::{
    Cartridge, DriveRecord, FaultRecord, Identity, LibraryRecord, MotionRecord, MountRecord,
};
use crate::command::Command;
use crate::id::{BatchId, CartridgeId, CommandId, LibraryIndex, Path, RequestId, Token};
use crate::request::{CancelAccepted, CancelError, Request};

pub use self::event::{Event, EventKind};
pub use self::refusal::{AdoptRefusal, OperatorRefusal, Refusal, ReorderRefusal};

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
    /// A cartridge is forgotten: it was known by its place alone, and is not there any more.
    CartridgeGone(CartridgeId),
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
    Submitted(Result<Request, Refusal>),
    /// To [`Input::SubmitGroup`](crate::Input::SubmitGroup): the requests as accepted, or why one of them, and so none, was.
    SubmittedGroup(Result<Vec<Request>, Refusal>),
    /// To [`Input::Reorder`](crate::Input::Reorder): its position now, counted from 1.
    Reordered(Result<u32, ReorderRefusal>),
    /// To [`Input::Cancel`](crate::Input::Cancel).
    Cancel(Result<CancelAccepted, CancelError>),
    /// To [`Input::Adopt`](crate::Input::Adopt): the request as it stands.
    Adopted(Result<Request, AdoptRefusal>),
    /// To [`Input::SatisfyOperatorTask`](crate::Input::SatisfyOperatorTask): it is looked into.
    Satisfied(Result<(), OperatorRefusal>),
    /// To [`Input::SetCleanerUses`](crate::Input::SetCleanerUses): it is durable.
    CleanerUses(Result<(), Refusal>),
    /// To [`Input::CloseSession`](crate::Input::CloseSession): how many requests were cancelled or told to stop.
    SessionClosed {
        /// How many.
        cancelled: usize,
    },
}
