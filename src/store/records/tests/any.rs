//! Whatever a record can hold.

use std::sync::Arc;

use autochanger_engine::catalog::{Blame, Label, MediumKind, Service};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::{
    Access, AfterDoor, CancelledBy, CartridgeRef, ElementName, Failure, FailureKind, GroupId,
    InventoryMethod, LabelFound, LabelsRead, Options, Outcome, Place, QueuePlace, Request, ServiceTarget,
    State, Waiting, Wanted,
};
use autochanger_engine::time::WallTime;
use autochanger_scsi::{ElementAddress, ElementType, Sense, SenseKey};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

pub(super) fn id() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub(super) fn name() -> impl Strategy<Value = Arc<str>> {
    "[A-Z0-9 ~ä€]{0,40}".prop_map(Arc::from)
}

pub(super) fn time() -> impl Strategy<Value = WallTime> {
    any::<u64>().prop_map(WallTime)
}

pub(super) fn address() -> impl Strategy<Value = ElementAddress> {
    any::<u16>().prop_map(ElementAddress)
}

pub(super) fn element() -> impl Strategy<Value = ElementName> {
    let kind = prop::sample::select(ElementType::ALL.to_vec());
    (kind, address()).prop_map(|(kind, address)| ElementName { kind, address })
}

pub(super) fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        element().prop_map(Place::Element),
        vec(element(), 0..5).prop_map(|one_of| Place::Unknown { one_of }),
        element().prop_map(|last| Place::Missing { last }),
        element().prop_map(|last| Place::Outside { last }),
    ]
}

pub(super) fn cancelled_by() -> impl Strategy<Value = CancelledBy> {
    prop_oneof![
        (name(), option::of(name()))
            .prop_map(|(application, reason)| CancelledBy::Session { application, reason }),
        Just(CancelledBy::SessionClosed),
        Just(CancelledBy::Deadline),
        Just(CancelledBy::Restart),
        id().prop_map(|id| CancelledBy::Group { member: RequestId(id) }),
        name().prop_map(|application| CancelledBy::Operator { application }),
        id().prop_map(|id| CancelledBy::Superseded { by: RequestId(id) }),
    ]
}

pub(super) fn label() -> impl Strategy<Value = Label> {
    (name(), vec(any::<u8>(), 0..=Label::MAX_ID), name()).prop_map(|(format, id, description)| Label {
        format,
        id: id.into(),
        description,
    })
}

pub(super) fn blame() -> impl Strategy<Value = Blame> {
    (any::<u64>(), any::<u32>()).prop_map(|(uses, faults)| Blame { uses, faults })
}

pub(super) fn service() -> impl Strategy<Value = Service> {
    prop::sample::select(vec![Service::Enabled, Service::Paused, Service::Draining, Service::Disabled])
}

pub(super) fn failure_kind() -> impl Strategy<Value = FailureKind> {
    use FailureKind::*;
    prop::sample::select(vec![
        SourceEmpty,
        DestinationFull,
        MediumHeld,
        Incompatible,
        MediumFault,
        DriveFault,
        LibraryFault,
        Refused,
        PathLost,
        Unknown,
        Interrupted,
        CartridgeMissing,
        NotMounted,
        Store,
        MediaOpen,
        Disabled,
        Busy,
        Group,
        TimedOut,
        NoCleaner,
        WrongLabel,
        NotFree,
        WriteProtected,
        NotAccessible,
    ])
}

pub(super) fn sense() -> impl Strategy<Value = Sense> {
    (any::<u8>(), any::<[u8; 2]>(), option::of(any::<u64>()), any::<u8>(), any::<bool>()).prop_map(
        |(key, [asc, ascq], information, fru, deferred)| Sense {
            information,
            fru,
            deferred,
            ..Sense::new(SenseKey::from_bits(key), asc, ascq)
        },
    )
}

pub(super) fn failure() -> impl Strategy<Value = Failure> {
    (failure_kind(), ".{0,60}", option::of(sense()), option::of(place()))
        .prop_map(|(kind, message, sense, place)| Failure { sense, place, ..Failure::new(kind, message) })
}

pub(super) fn label_found() -> impl Strategy<Value = LabelFound> {
    prop_oneof![
        label().prop_map(LabelFound::Known),
        label().prop_map(LabelFound::Free),
        Just(LabelFound::Blank),
        Just(LabelFound::Unrecognized),
        Just(LabelFound::Unreadable),
    ]
}

pub(super) fn state() -> impl Strategy<Value = State> {
    use Waiting::*;
    let outcome = prop_oneof![
        (address(), option::of(name())).prop_map(|(drive, serial)| Outcome::Mounted { drive, serial }),
        address().prop_map(|slot| Outcome::Dismounted { slot }),
        (any::<[u32; 4]>(), option::of(any::<[u32; 3]>())).prop_map(
            |([elements, cartridges, appeared, missing], labels)| Outcome::Inventoried {
                labels: labels.map(|[read, failed, skipped]| LabelsRead::new(read, failed, skipped)),
                elements,
                cartridges,
                appeared,
                missing
            }
        ),
        Just(Outcome::Done),
        address().prop_map(|drive| Outcome::KeptInDrive { drive }),
        address().prop_map(|port| Outcome::Ejected { port }),
        vec(id(), 0..4)
            .prop_map(|ids| Outcome::Injected { cartridges: ids.into_iter().map(CartridgeId).collect() }),
        option::of(any::<u32>()).prop_map(|uses_left| Outcome::Cleaned { uses_left }),
        label_found().prop_map(|found| Outcome::Identified { found }),
        prop::sample::select(vec![MediumKind::Data, MediumKind::Cleaning, MediumKind::Unknown])
            .prop_map(|kind| Outcome::Classified { kind }),
    ];
    prop_oneof![
        Just(State::Queued),
        prop::sample::select(vec![Medium, Drive, Slot, Library, Owner, Port, Service, Group, Operator, Arm])
            .prop_map(State::Waiting),
        Just(State::InProcess),
        Just(State::Deferred),
        outcome.prop_map(State::Passed),
        failure().prop_map(State::Failed),
        failure().prop_map(State::Invalid),
        cancelled_by().prop_map(|by| State::Cancelled { by }),
        (option::of(place()), cancelled_by()).prop_map(|(place, by)| State::Stopped { place, by }),
    ]
}

pub(super) fn wanted() -> impl Strategy<Value = Wanted> {
    let cartridge = || {
        prop_oneof![
            name().prop_map(CartridgeRef::Barcode),
            id().prop_map(|id| CartridgeRef::Id(CartridgeId(id))),
            (option::of(id()), address()).prop_map(|(library, element)| CartridgeRef::Element {
                library: library.map(LibraryId),
                element
            }),
        ]
    };
    let library = || option::of(id().prop_map(LibraryId));
    let target = prop_oneof![
        library().prop_map(ServiceTarget::Library),
        (library(), address()).prop_map(|(library, drive)| ServiceTarget::Drive { library, drive }),
        cartridge().prop_map(ServiceTarget::Cartridge),
    ];
    let then = prop::sample::select(vec![
        AfterDoor::Nothing,
        AfterDoor::Inventory,
        AfterDoor::FullInventory,
        AfterDoor::Default,
        AfterDoor::NewLabels,
        AfterDoor::AllLabels,
    ]);
    let method = prop::sample::select(vec![
        InventoryMethod::Nothing,
        InventoryMethod::Fast,
        InventoryMethod::Full,
        InventoryMethod::NewLabels,
        InventoryMethod::AllLabels,
    ]);
    prop_oneof![
        (option::of(id()), option::of(method))
            .prop_map(|(library, method)| Wanted::Inventory { library: library.map(LibraryId), method }),
        (cartridge(), option::of(address()), any::<bool>()).prop_map(|(cartridge, drive, read)| {
            Wanted::Mount { cartridge, drive, access: if read { Access::Read } else { Access::ReadWrite } }
        }),
        (cartridge(), option::of(address()), any::<bool>())
            .prop_map(|(cartridge, slot, force)| Wanted::Dismount { cartridge, slot, force }),
        (target, service()).prop_map(|(target, service)| Wanted::SetService { target, service }),
        (cartridge(), label()).prop_map(|(cartridge, label)| Wanted::UpdateLabel { cartridge, label }),
        (library(), then).prop_map(|(library, then)| Wanted::DoorAccess { library, then }),
        (cartridge(), option::of(address())).prop_map(|(cartridge, port)| Wanted::Eject { cartridge, port }),
        library().prop_map(|library| Wanted::EjectCleaner { library }),
        (library(), any::<bool>()).prop_map(|(library, many)| Wanted::Inject { library, many }),
        (library(), option::of(any::<u32>()))
            .prop_map(|(library, uses)| Wanted::InjectCleaner { library, uses }),
        (cartridge(), any::<bool>()).prop_map(|(cartridge, keep)| Wanted::Identify { cartridge, keep }),
        (library(), address()).prop_map(|(library, drive)| Wanted::CleanDrive { library, drive }),
        (cartridge(), any::<bool>())
            .prop_map(|(cartridge, overwrite)| Wanted::WriteFreeLabel { cartridge, overwrite }),
        cartridge().prop_map(|cartridge| Wanted::Classify { cartridge }),
        (library(), address()).prop_map(|(library, slot)| Wanted::ReserveCleanerSlot { library, slot }),
        library().prop_map(|library| Wanted::ReleaseCleanerSlot { library }),
    ]
}

/// With the nil id of a record that was read without its key.
pub(super) fn request() -> impl Strategy<Value = Request> {
    let what = (wanted(), id(), option::of(id()), option::of(name()), option::of(address()), name());
    let how = (-15..=15_i8, option::of(time()), any::<bool>(), time(), option::of(time()));
    let now = (state(), option::of(cancelled_by()), any::<u32>());
    let flags = (any::<[bool; 4]>(), option::of(id()));
    let later = (flags, option::of(any::<u128>()), option::of(failure()), any::<bool>());
    (what, how, now, later).prop_map(|(what, how, now, later)| Request {
        id: RequestId(Uuid::nil()),
        wanted: what.0,
        library: LibraryId(what.1),
        cartridge: what.2.map(CartridgeId),
        barcode: what.3,
        drive: what.4,
        application: what.5,
        priority: how.0,
        deadline: how.1,
        detached: how.2,
        queued_at: how.3,
        ended_at: how.4,
        state: now.0,
        stopping: now.1,
        motions: now.2,
        options: Options {
            deferred: later.0.0[0],
            at_once: later.0.0[1],
            wait_for_operator: later.0.0[2],
            group: later.0.1.map(GroupId),
            identify: later.0.0[3],
        },
        queue_place: later.1.map(QueuePlace),
        failing: later.2,
        administrator: later.3,
    })
}
