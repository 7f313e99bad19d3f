//! The codes with which RSM's functions answered the same facts on Windows, for the errors of this crate.

use crate::error::{
    AdoptError, OperatorError, PurgeError, QueryError, ReorderError, RequestError, SessionClosed, SubmitError,
};
use crate::request::CancelledBy;

const ACCESS_DENIED: u32 = 5;
const INVALID_HANDLE: u32 = 6;
const CANCELLED: u32 = 1223;
const TIMEOUT: u32 = 1460;
const OBJECT_NOT_FOUND: u32 = 4312;
const DATABASE_FAILURE: u32 = 4313;
const REQUEST_REFUSED: u32 = 4320;

impl SessionClosed {
    /// The code with which RSM's functions answered the same fact on Windows.
    pub fn win32_code(&self) -> u32 {
        INVALID_HANDLE
    }
}

impl SubmitError {
    /// The code with which RSM's functions answered the same fact on Windows; where RSM knew no such fact, the nearest.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::Refused(refusal) => refusal.win32_code(),
            Self::SessionClosed(closed) => closed.win32_code(),
        }
    }
}

impl RequestError {
    /// The code with which RSM's functions answered the same fact on Windows, or that a request's `dwErrorCode` had; `None`
    /// where RSM knew no such fact.
    pub fn win32_code(&self) -> Option<u32> {
        match self {
            Self::NotAccepted(error) => Some(error.win32_code()),
            Self::Failed { failure, .. } => failure.win32_code(),
            Self::Cancelled { by, .. } | Self::Stopped { by, .. } => Some(match by {
                CancelledBy::Deadline => TIMEOUT,
                CancelledBy::Operator { .. } => REQUEST_REFUSED,
                _ => CANCELLED,
            }),
            Self::Other { .. } => None,
            Self::StoreFailed { .. } => Some(DATABASE_FAILURE),
            Self::ManagerClosed { .. } => Some(INVALID_HANDLE),
        }
    }
}

impl ReorderError {
    /// The code with which `SetNtmsRequestOrder` answered the same fact on Windows; where RSM knew no such fact, the nearest.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::Refused(refusal) => refusal.win32_code(),
            Self::SessionClosed(closed) => closed.win32_code(),
        }
    }
}

impl OperatorError {
    /// The code with which `SatisfyNtmsOperatorRequest` answered the same fact on Windows.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::Refused(refusal) => refusal.win32_code(),
            Self::SessionClosed(closed) => closed.win32_code(),
        }
    }
}

impl AdoptError {
    /// The code for the same fact as RSM's functions had it on Windows. RSM knew no adoption.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::Refused(refusal) => refusal.win32_code(),
            Self::SessionClosed(closed) => closed.win32_code(),
        }
    }
}

impl PurgeError {
    /// The code with which `DeleteNtmsRequests` answered the same fact on Windows.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::PermissionDenied { .. } => ACCESS_DENIED,
            Self::SessionClosed(closed) => closed.win32_code(),
            Self::Store(_) | Self::StoreFailed { .. } => DATABASE_FAILURE,
        }
    }
}

impl QueryError {
    /// The code with which `GetNtmsObjectInformation` answered the same fact on Windows.
    pub fn win32_code(&self) -> u32 {
        match self {
            Self::SessionClosed(closed) => closed.win32_code(),
            Self::Store(_) | Self::StoreFailed { .. } => DATABASE_FAILURE,
            Self::NotFound(_) => OBJECT_NOT_FOUND,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::error::{
        AdoptRefusal, CancelError, Failure, FailureKind, OperatorRefusal, Refusal, ReorderRefusal,
    };
    use crate::id::RequestId;
    use crate::request::{Operation, Place, State};
    use uuid::Uuid;

    const ID: RequestId = RequestId(Uuid::from_u128(7));

    fn text() -> String {
        "text".into()
    }

    fn name() -> Arc<str> {
        "name".into()
    }

    /// Names and numbers are those of winerror.h.
    #[test]
    fn a_failure_has_the_code_of_the_work_item_that_failed_so() {
        use FailureKind::*;
        let table = [
            (SourceEmpty, Some(4306), "EMPTY"),
            (DestinationFull, Some(4307), "NOT_EMPTY"),
            (MediumHeld, Some(170), "BUSY"),
            (Incompatible, Some(4315), "MEDIA_INCOMPATIBLE"),
            (MediumFault, Some(4324), "UNABLE_TO_LOAD_MEDIUM"),
            (DriveFault, Some(4319), "DEVICE_NOT_AVAILABLE"),
            (LibraryFault, Some(4323), "MEDIUM_NOT_ACCESSIBLE"),
            (Refused, None, "the device's own refusal"),
            (PathLost, Some(4305), "LIBRARY_OFFLINE"),
            (Unknown, None, "RSM never looked"),
            (Interrupted, None, "RSM cancelled all at a restart"),
            (CartridgeMissing, Some(4304), "MEDIA_OFFLINE"),
            (NotMounted, Some(5023), "INVALID_STATE"),
            (MediaOpen, Some(5023), "INVALID_STATE"),
            (Store, Some(4313), "DATABASE_FAILURE"),
            (Disabled, Some(4309), "RESOURCE_DISABLED"),
            (Busy, Some(170), "BUSY"),
            (Group, Some(1223), "CANCELLED"),
            (TimedOut, Some(1460), "TIMEOUT"),
            (NoCleaner, Some(4310), "INVALID_CLEANER"),
            (WrongLabel, Some(4334), "UNEXPECTED_OMID"),
            (NotFree, Some(4307), "NOT_EMPTY"),
            (WriteProtected, Some(19), "WRITE_PROTECT"),
            (NotAccessible, None, "RSM had it among MEDIUM_NOT_ACCESSIBLE, with what is broken"),
            (CleanerSlotTaken, Some(4331), "CLEANER_SLOT_SET"),
            (CleanerSlotMissing, Some(4332), "CLEANER_SLOT_NOT_SET"),
            (CleanerInSlot, Some(4340), "CLEANER_CARTRIDGE_INSTALLED"),
        ];
        assert!(FailureKind::ALL.iter().eq(table.iter().map(|(kind, ..)| kind)));
        for (kind, code, why) in table {
            let failure = Failure::new(kind, text());
            assert_eq!(failure.win32_code(), code, "{kind:?}: {why}");
            let failed = RequestError::Failed { id: ID, operation: Operation::Mount, barcode: None, failure };
            assert_eq!(failed.win32_code(), code, "{kind:?}: {why}");
        }
    }

    #[test]
    fn a_refused_request_has_the_code_that_the_function_returned() {
        let state = Arc::new(crate::view::LibraryState::Initializing);
        let element =
            |wanted| Refusal::NoSuchElement { library: name(), wanted, address: 1, offered: text() };
        let last = crate::request::ElementName {
            kind: autochanger_scsi::ElementType::Storage,
            address: autochanger_scsi::ElementAddress(1),
        };
        let place = Place::Missing { last };
        let table = [
            (Refusal::CartridgeNotFound { cartridge: text() }, 4300),
            (Refusal::AmbiguousBarcode { barcode: name(), count: 2 }, 4300),
            (Refusal::CartridgeNotAvailable { cartridge: text(), place: place.clone() }, 4304),
            (Refusal::NotMounted { cartridge: text(), place }, 5023),
            (Refusal::MediaOpen { cartridge: text(), drive: 1, application: text() }, 5023),
            (Refusal::OwnMediaOpen { cartridge: text(), drive: 1 }, 5023),
            (
                Refusal::RoleNeeded {
                    operation: Operation::Eject,
                    role: crate::Role::Application,
                    needed: crate::Role::Operator,
                },
                5,
            ),
            (Refusal::NotReady { library: name(), state }, 4305),
            (Refusal::NoSuchLibrary(text()), 4301),
            (element("drive"), 15),
            (element("slot"), 5006),
            (element("port"), 5006),
            (Refusal::NotACleaner { cartridge: text() }, 4310),
            (Refusal::SlotFull { library: name(), slot: 1, held: text() }, 5006),
            (Refusal::CleanerSlotTaken { library: name(), slot: 1 }, 4331),
            (Refusal::CleanerSlotMissing { library: name() }, 4332),
            (Refusal::CleanerInSlot { library: name(), slot: 1 }, 4340),
            (Refusal::Incompatible { cartridge: text(), reason: text() }, 4315),
            (Refusal::Disabled { what: text() }, 4309),
            (Refusal::Busy { what: text() }, 170),
            (Refusal::Unfit(text()), 87),
            (Refusal::PriorityOutOfRange(16), 87),
            (Refusal::IdReused { id: ID }, 183),
            (Refusal::SessionClosed, 6),
            (Refusal::ResourceExhausted { limit: 1 }, 8),
            (Refusal::Store { reason: text() }, 4313),
        ];
        for (refusal, code) in table {
            assert_eq!(refusal.win32_code(), code, "{refusal}");
            let error = SubmitError::from(refusal);
            assert_eq!(error.win32_code(), code, "{error}");
            assert_eq!(RequestError::from(error.clone()).win32_code(), Some(code), "{error}");
        }
    }

    #[test]
    fn what_ended_early_tells_whether_somebody_refused_it_or_its_time_was_over() {
        let table = [
            (CancelledBy::Session { application: name(), reason: None }, 1223),
            (CancelledBy::SessionClosed, 1223),
            (CancelledBy::Deadline, 1460),
            (CancelledBy::Restart, 1223),
            (CancelledBy::Group { member: ID }, 1223),
            (CancelledBy::Operator { application: name() }, 4320),
            (CancelledBy::Superseded { by: ID }, 1223),
        ];
        for (by, code) in table {
            let operation = Operation::Mount;
            let cancelled = RequestError::Cancelled { id: ID, operation, barcode: None, by: by.clone() };
            let stopped = RequestError::Stopped { id: ID, operation, barcode: None, place: None, by };
            assert_eq!((cancelled.win32_code(), stopped.win32_code()), (Some(code), Some(code)), "{stopped}");
        }
        let state = Box::new(State::Queued);
        assert_eq!(RequestError::Other { id: ID, state }.win32_code(), None);
        assert_eq!(RequestError::StoreFailed { id: ID, reason: name() }.win32_code(), Some(4313));
        assert_eq!(RequestError::ManagerClosed { id: ID }.win32_code(), Some(6));
    }

    #[test]
    fn the_other_calls_answer_as_rsm_did() {
        let (owner, reason) = (text(), text());
        let state = || Box::new(State::Queued);
        let reorder = [
            (ReorderRefusal::NotFound { id: ID }, 4312),
            (ReorderRefusal::PermissionDenied { id: ID, owner: owner.clone() }, 5),
            (ReorderRefusal::NotInQueue { id: ID, state: state() }, 5023),
            (ReorderRefusal::Store { reason: reason.clone() }, 4313),
        ];
        for (refusal, code) in reorder {
            assert_eq!(refusal.win32_code(), code, "{refusal}");
            assert_eq!(ReorderError::from(refusal).win32_code(), code);
        }
        for (refusal, code) in [
            (OperatorRefusal::NotFound { id: ID }, 4312),
            (OperatorRefusal::PermissionDenied { id: ID, owner: owner.clone() }, 5),
            (OperatorRefusal::ResourceExhausted { limit: 1 }, 8),
            (OperatorRefusal::Store { reason: reason.clone() }, 4313),
        ] {
            assert_eq!(OperatorError::from(refusal).win32_code(), code);
        }
        let adopt = [
            (AdoptRefusal::NotFound { id: ID }, 4312),
            (AdoptRefusal::PermissionDenied { id: ID, owner: owner.clone() }, 5),
            (AdoptRefusal::ResourceExhausted { limit: 1 }, 8),
            (AdoptRefusal::Ended { id: ID, state: state() }, 4312),
            (AdoptRefusal::Store { reason: reason.clone() }, 4313),
        ];
        for (refusal, code) in adopt {
            assert_eq!(refusal.win32_code(), code, "{refusal}");
            assert_eq!(AdoptError::from(refusal).win32_code(), code);
        }
        let cancel = [
            (CancelError::InProgress { id: ID, operation: Operation::Mount }, 5),
            (CancelError::PermissionDenied { id: ID, owner }, 5),
            (CancelError::AlreadyFinished { id: ID, state: state() }, 4312),
            (CancelError::NotFound { id: ID }, 4312),
            (CancelError::SessionClosed, 6),
            (CancelError::ResourceExhausted { limit: 1 }, 8),
            (CancelError::Store { reason }, 4313),
        ];
        for (error, code) in cancel {
            assert_eq!(error.win32_code(), code, "{error}");
        }
        assert_eq!(ReorderError::from(SessionClosed).win32_code(), 6);
        assert_eq!(OperatorError::from(SessionClosed).win32_code(), 6);
        assert_eq!(AdoptError::from(SessionClosed).win32_code(), 6);
        assert_eq!(PurgeError::from(SessionClosed).win32_code(), 6);
        assert_eq!(PurgeError::PermissionDenied { role: crate::Role::Operator }.win32_code(), 5);
        assert_eq!(PurgeError::StoreFailed { reason: name() }.win32_code(), 4313);
        assert_eq!(QueryError::from(SessionClosed).win32_code(), 6);
        assert_eq!(QueryError::NotFound(ID).win32_code(), 4312);
        assert_eq!(QueryError::StoreFailed { reason: name() }.win32_code(), 4313);
    }
}
