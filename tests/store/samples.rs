//! Records to keep.

use autochanger_engine::catalog::{
    Blame, Cartridge, Cleaner, DriveRecord, FaultRecord, Identity, Label, LibraryRecord, MediumKind,
    MotionRecord, MotionState, MountRecord, Service,
};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::{
    Access, CancelledBy, CartridgeRef, ElementName, Failure, FailureKind, InventoryMethod, LabelFound,
    Options, Outcome, Place, Request, State, Waiting, Wanted,
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
        options: Options::default(),
        queue_place: None,
        failing: None,
        administrator: false,
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
        wanted: Wanted::Inventory { library: Some(library_id(1)), method: Some(InventoryMethod::Full) },
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
        disabled: false,
        cleaner: None,
        label: None,
        label_read_at: None,
        blame: Blame::default(),
    }
}

pub(crate) fn library(number: u64) -> LibraryRecord {
    let identity = Identity {
        vendor: "ACME".into(),
        product: "Changer".into(),
        revision: "0107".into(),
        serial: format!("SN{number}").into(),
    };
    LibraryRecord::new(library_id(number), identity)
}

pub(crate) fn drive_record(library: u64, element: u16, service: Service) -> DriveRecord {
    DriveRecord {
        library: library_id(library),
        element: ElementAddress(element),
        serial: Some("DRIVE-1".into()),
        service,
        last_cleaned: Some(WallTime(1_795_345_200_002)),
        wants_cleaning: true,
        blame: Blame { uses: 12, faults: 3 },
    }
}

/// Each is later by a second than the one before in the order of `number`.
pub(crate) fn fault(request: u64, sequence: u32, number: u64) -> FaultRecord {
    let kind = FailureKind::DriveFault;
    FaultRecord {
        request: request_id(request),
        sequence,
        at: WallTime(1_795_345_200_000 + 1000 * number),
        of: kind.fault_of(),
        kind,
        library: library_id(1 + number % 2),
        cartridge: Some(cartridge_id(number % 3)),
        drive: Some(ElementAddress(500 + (number % 2) as u16)),
        message: format!("the drive did not come ready ({number})"),
        sense: Some(Sense::new(SenseKey::HardwareError, 0x44, 0)),
    }
}

/// With everything that the first release did not know.
pub(crate) fn cleaning_cartridge(number: u64) -> Cartridge {
    Cartridge {
        disabled: true,
        cleaner: Some(Cleaner { uses_left: Some(49) }),
        label: Some(label()),
        label_read_at: Some(WallTime(77)),
        blame: Blame { uses: 7, faults: 1 },
        ..cartridge(number, Place::Outside { last: slot(1001) })
    }
}

pub(crate) fn label() -> Label {
    Label { format: "MTF".into(), id: [0, 0xFF, 7].into(), description: "week 12".into() }
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

/// Each state that the first format knows, with each of its variants.
pub(crate) fn states_of_format_1() -> Vec<State> {
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
        State::Passed(Outcome::Inventoried {
            elements: 31,
            cartridges: 20,
            appeared: 2,
            missing: 1,
            labels: None,
        }),
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

/// Each state, with each of its variants.
pub(crate) fn states() -> Vec<State> {
    let mut states = states_of_format_1();
    states.extend([
        State::Waiting(Waiting::Port),
        State::Waiting(Waiting::Service),
        State::Waiting(Waiting::Group),
        State::Waiting(Waiting::Operator),
        State::Waiting(Waiting::Arm),
        State::Passed(Outcome::Done),
        State::Passed(Outcome::KeptInDrive { drive: ElementAddress(500) }),
        State::Passed(Outcome::Ejected { port: ElementAddress(10) }),
        State::Passed(Outcome::Injected { cartridges: vec![cartridge_id(1), cartridge_id(2)] }),
        State::Passed(Outcome::Cleaned { uses_left: Some(49) }),
        State::Passed(Outcome::Identified { found: LabelFound::Known(label()) }),
        State::Passed(Outcome::Identified { found: LabelFound::Blank }),
        State::Passed(Outcome::Classified { kind: MediumKind::Cleaning }),
        State::Cancelled { by: CancelledBy::Group { member: request_id(4) } },
        State::Cancelled { by: CancelledBy::Operator { application: "operator".into() } },
        State::Stopped { place: None, by: CancelledBy::Superseded { by: request_id(5) } },
    ]);
    states
}
