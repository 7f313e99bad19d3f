//! Records to keep.

use autochanger_engine::catalog::{
    Cartridge, Identity, LibraryRecord, MotionRecord, MotionState, MountRecord,
};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::{
    Access, CancelledBy, CartridgeRef, ElementName, Failure, FailureKind, Outcome, Place, Request, State,
    Waiting, Wanted,
};
use autochanger_engine::time::WallTime;
use autochanger_scsi::{ElementAddress, ElementType, Sense, SenseKey};
use uuid::Uuid;

pub(crate) fn request_id(number: u64) -> RequestId {
    RequestId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(number) << 80))
}

pub(crate) fn cartridge_id(number: u64) -> CartridgeId {
    CartridgeId(Uuid::from_u128(0xCA << 120 | u128::from(number)))
}

pub(crate) fn library_id(number: u64) -> LibraryId {
    LibraryId(Uuid::from_u128(0x11B << 112 | u128::from(number)))
}

pub(crate) fn slot(address: u16) -> ElementName {
    ElementName { kind: ElementType::Storage, address: ElementAddress(address) }
}

pub(crate) fn drive(address: u16) -> ElementName {
    ElementName { kind: ElementType::Drive, address: ElementAddress(address) }
}

pub(crate) fn mount_request(number: u64, state: State) -> Request {
    Request {
        id: request_id(number),
        wanted: Wanted::Mount {
            cartridge: "VT0001L8".into(),
            drive: Some(ElementAddress(500)),
            access: Access::ReadWrite,
        },
        library: library_id(1),
        cartridge: Some(cartridge_id(1)),
        barcode: Some("VT0001L8".into()),
        drive: Some(ElementAddress(500)),
        application: "nightly-backup".into(),
        priority: -15,
        deadline: Some(WallTime(1_795_345_200_123)),
        detached: true,
        queued_at: WallTime(1_795_345_200_000 + number),
        ended_at: state.is_final().then_some(WallTime(1_795_345_260_000)),
        state,
        stopping: None,
        motions: 1,
    }
}

pub(crate) fn mounted() -> State {
    State::Passed(Outcome::Mounted { drive: ElementAddress(500), serial: Some("DRIVE-1".into()) })
}

pub(crate) fn dismount_request(number: u64, state: State) -> Request {
    Request {
        wanted: Wanted::Dismount {
            cartridge: CartridgeRef::Id(cartridge_id(1)),
            slot: Some(ElementAddress(1001)),
            force: true,
        },
        drive: None,
        application: "archive".into(),
        priority: 15,
        deadline: None,
        detached: false,
        ..mount_request(number, state)
    }
}

pub(crate) fn inventory_request(number: u64, state: State) -> Request {
    Request {
        wanted: Wanted::Inventory { library: Some(library_id(1)), full: true },
        cartridge: None,
        barcode: None,
        drive: None,
        ..mount_request(number, state)
    }
}

pub(crate) fn cartridge(number: u64, place: Place) -> Cartridge {
    Cartridge {
        id: cartridge_id(number),
        barcode: Some(format!("VT{number:04}L8").into()),
        library: library_id(1),
        place,
        home: Some(ElementAddress(1001)),
        first_seen: WallTime(1_795_345_200_000),
        last_seen: WallTime(1_795_345_200_001),
    }
}

pub(crate) fn library(number: u64) -> LibraryRecord {
    LibraryRecord {
        id: library_id(number),
        identity: Identity {
            vendor: "ACME".into(),
            product: "Changer".into(),
            revision: "0107".into(),
            serial: format!("SN{number}").into(),
        },
    }
}

pub(crate) fn motion(request: u64, sequence: u32, state: MotionState) -> MotionRecord {
    MotionRecord {
        request: request_id(request),
        sequence,
        library: library_id(1),
        cartridge: cartridge_id(1),
        source: slot(1001),
        destination: drive(500),
        at: WallTime(1_795_345_200_500),
        state,
    }
}

pub(crate) fn mount(request: u64) -> MountRecord {
    MountRecord {
        id: request_id(request),
        cartridge: cartridge_id(1),
        library: library_id(1),
        drive: ElementAddress(500),
        application: "nightly-backup".into(),
        since: WallTime(1_795_345_201_000),
    }
}

pub(crate) fn failure() -> Failure {
    Failure::new(FailureKind::SourceEmpty, "slot 1001 is empty".into())
        .with_sense(Some(Sense::new(SenseKey::IllegalRequest, 0x3B, 0x0E)))
        .with_place(Place::Unknown { one_of: vec![slot(1001), drive(500)] })
}

/// Each state, with each of its variants.
pub(crate) fn states() -> Vec<State> {
    let session = |reason: Option<&str>| CancelledBy::Session {
        application: "operator".into(),
        reason: reason.map(Into::into),
    };
    vec![
        State::Queued,
        State::Waiting(Waiting::Medium),
        State::Waiting(Waiting::Drive),
        State::Waiting(Waiting::Slot),
        State::Waiting(Waiting::Library),
        State::Waiting(Waiting::Owner),
        State::InProcess,
        State::Deferred,
        mounted(),
        State::Passed(Outcome::Mounted { drive: ElementAddress(501), serial: None }),
        State::Passed(Outcome::Dismounted { slot: ElementAddress(1001) }),
        State::Passed(Outcome::Inventoried { elements: 31, cartridges: 20, appeared: 2, missing: 1 }),
        State::Failed(failure()),
        State::Invalid(Failure::new(FailureKind::Incompatible, "an LTO-9 cartridge, an LTO-8 drive".into())),
        State::Cancelled { by: session(Some("the job was withdrawn")) },
        State::Cancelled { by: session(None) },
        State::Cancelled { by: CancelledBy::SessionClosed },
        State::Cancelled { by: CancelledBy::Deadline },
        State::Cancelled { by: CancelledBy::Restart },
        State::Stopped { place: Some(Place::Element(slot(1001))), by: session(None) },
        State::Stopped { place: None, by: CancelledBy::Deadline },
    ]
}
