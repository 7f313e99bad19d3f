use std::sync::Arc;

use autochanger_engine::catalog::{
    Blame, Cartridge, Cleaner, DriveRecord, FaultRecord, Identity, Label, LibraryRecord, MediumKind,
    MotionRecord, MotionState, MountRecord, Service,
};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::{
    Access, AfterDoor, CancelledBy, CartridgeRef, ElementName, Failure, FailureKind, FaultOf, GroupId,
    InventoryMethod, LabelFound, LabelsRead, Options, Outcome, Place, QueuePlace, Request, ServiceTarget,
    State, Waiting, Wanted,
};
use autochanger_engine::time::WallTime;
use autochanger_scsi::{ElementAddress, ElementType, Sense, SenseKey};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const ADDRESS: Address<'static> = Address { table: "requests", key: b"a key of its own" };

fn id() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn name() -> impl Strategy<Value = Arc<str>> {
    "[A-Z0-9 ~ä€]{0,40}".prop_map(Arc::from)
}

fn time() -> impl Strategy<Value = WallTime> {
    any::<u64>().prop_map(WallTime)
}

fn address() -> impl Strategy<Value = ElementAddress> {
    any::<u16>().prop_map(ElementAddress)
}

fn element() -> impl Strategy<Value = ElementName> {
    let kind = prop::sample::select(ElementType::ALL.to_vec());
    (kind, address()).prop_map(|(kind, address)| ElementName { kind, address })
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        element().prop_map(Place::Element),
        vec(element(), 0..5).prop_map(|one_of| Place::Unknown { one_of }),
        element().prop_map(|last| Place::Missing { last }),
        element().prop_map(|last| Place::Outside { last }),
    ]
}

fn cancelled_by() -> impl Strategy<Value = CancelledBy> {
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

fn label() -> impl Strategy<Value = Label> {
    (name(), vec(any::<u8>(), 0..=Label::MAX_ID), name()).prop_map(|(format, id, description)| Label {
        format,
        id: id.into(),
        description,
    })
}

fn blame() -> impl Strategy<Value = Blame> {
    (any::<u64>(), any::<u32>()).prop_map(|(uses, faults)| Blame { uses, faults })
}

fn service() -> impl Strategy<Value = Service> {
    prop::sample::select(vec![Service::Enabled, Service::Paused, Service::Draining, Service::Disabled])
}

fn failure_kind() -> impl Strategy<Value = FailureKind> {
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

fn sense() -> impl Strategy<Value = Sense> {
    (any::<u8>(), any::<[u8; 2]>(), option::of(any::<u64>()), any::<u8>(), any::<bool>()).prop_map(
        |(key, [asc, ascq], information, fru, deferred)| Sense {
            information,
            fru,
            deferred,
            ..Sense::new(SenseKey::from_bits(key), asc, ascq)
        },
    )
}

fn failure() -> impl Strategy<Value = Failure> {
    (failure_kind(), ".{0,60}", option::of(sense()), option::of(place()))
        .prop_map(|(kind, message, sense, place)| Failure { sense, place, ..Failure::new(kind, message) })
}

fn label_found() -> impl Strategy<Value = LabelFound> {
    prop_oneof![
        label().prop_map(LabelFound::Known),
        label().prop_map(LabelFound::Free),
        Just(LabelFound::Blank),
        Just(LabelFound::Unrecognized),
        Just(LabelFound::Unreadable),
    ]
}

fn state() -> impl Strategy<Value = State> {
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

fn wanted() -> impl Strategy<Value = Wanted> {
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
fn request() -> impl Strategy<Value = Request> {
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

fn request_bytes(request: &Request) -> Vec<u8> {
    write::<RequestFields<'_>>(&ADDRESS, request).expect("it is within every bound")
}

fn read_request(bytes: &[u8]) -> Result<Request, Flaw> {
    read::<RequestFields<'_>>(&ADDRESS, bytes)
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(request in request()) {
        prop_assert_eq!(read_request(&request_bytes(&request)), Ok(request));
    }

    #[test]
    fn a_cartridge_is_read_as_it_was_written(
        barcode in option::of(name()), library in id(), place in place(), home in option::of(address()),
        first_seen in time(), last_seen in time(), disabled: bool, uses_left in option::of(option::of(any::<u32>())),
        label in option::of(label()), read_at in option::of(time()), blame in blame(),
    ) {
        let id = CartridgeId(Uuid::nil());
        let (library, cleaner) = (LibraryId(library), uses_left.map(|uses_left| Cleaner { uses_left }));
        let cartridge = Cartridge {
            id, barcode, library, place, home, first_seen, last_seen, disabled, cleaner, label,
            label_read_at: read_at, blame,
        };
        let bytes = write::<CartridgeFields<'_>>(&ADDRESS, &cartridge).expect("it is within every bound");
        prop_assert_eq!(read::<CartridgeFields<'_>>(&ADDRESS, &bytes), Ok(cartridge));
    }

    #[test]
    fn a_library_is_read_as_it_was_written(
        vendor in name(), product in name(), revision in name(), serial in name(), service in service(),
        slot in option::of(address()), blame in blame(),
    ) {
        let identity = Identity { vendor, product, revision, serial };
        let library = LibraryRecord { id: LibraryId(Uuid::nil()), identity, service, cleaner_slot: slot, blame };
        let bytes = write::<LibraryFields<'_>>(&ADDRESS, &library).expect("it is within every bound");
        prop_assert_eq!(read::<LibraryFields<'_>>(&ADDRESS, &bytes), Ok(library));
    }

    #[test]
    fn a_mount_is_read_as_it_was_written(
        cartridge in id(), library in id(), drive in address(), application in name(), since in time(),
    ) {
        let (cartridge, library) = (CartridgeId(cartridge), LibraryId(library));
        let mount = MountRecord { id: RequestId(Uuid::nil()), cartridge, library, drive, application, since };
        let bytes = write::<MountFields<'_>>(&ADDRESS, &mount).expect("it is within every bound");
        prop_assert_eq!(read::<MountFields<'_>>(&ADDRESS, &bytes), Ok(mount));
    }

    #[test]
    fn a_drive_is_read_as_it_was_written(
        serial in option::of(name()), service in service(), last_cleaned in option::of(time()),
        wants_cleaning: bool, blame in blame(),
    ) {
        let (library, element) = (LibraryId(Uuid::nil()), ElementAddress(0));
        let drive = DriveRecord { library, element, serial, service, last_cleaned, wants_cleaning, blame };
        let bytes = write::<DriveFields<'_>>(&ADDRESS, &drive).expect("it is within every bound");
        prop_assert_eq!(read::<DriveFields<'_>>(&ADDRESS, &bytes), Ok(drive));
    }

    #[test]
    fn a_fault_is_read_as_it_was_written(
        at in time(), kind in failure_kind(), library in id(), cartridge in option::of(id()),
        drive in option::of(address()), message in ".{0,60}", sense in option::of(sense()),
        of in prop::sample::select(vec![
            FaultOf::Caller, FaultOf::Medium, FaultOf::Drive, FaultOf::Library, FaultOf::Path, FaultOf::Store,
            FaultOf::Host,
        ]),
    ) {
        let fault = FaultRecord {
            request: RequestId(Uuid::nil()),
            sequence: 0,
            at,
            of,
            kind,
            library: LibraryId(library),
            cartridge: cartridge.map(CartridgeId),
            drive,
            message,
            sense,
        };
        let bytes = write::<FaultFields<'_>>(&ADDRESS, &fault).expect("it is within every bound");
        prop_assert_eq!(read::<FaultFields<'_>>(&ADDRESS, &bytes), Ok(fault));
    }

    /// What the first version could say is what its fields say.
    #[test]
    fn a_request_of_the_first_version_is_read_without_what_came_later(request in request()) {
        let request = Request {
            options: Options::default(),
            queue_place: None,
            failing: None,
            administrator: false,
            ..request
        };
        let (fields, _) = RequestFields::write(&request).expect("it is within every bound");
        prop_assert_eq!(read_request(&sealed(FIRST_VERSION, &fields)), Ok(request));
    }

    #[test]
    fn a_request_of_the_second_version_is_read_without_what_came_later(request in request()) {
        let options = Options { identify: false, ..request.options };
        let request = Request { administrator: false, options, ..request };
        let (fields, (second, ..)) = RequestFields::write(&request).expect("it is within every bound");
        prop_assert_eq!(read_request(&sealed(SECOND_VERSION, &(fields, second))), Ok(request));
    }

    #[test]
    fn a_request_of_the_third_version_is_read_without_what_came_later(request in request()) {
        let request = Request { options: Options { identify: false, ..request.options }, ..request };
        let (fields, (second, third, _)) = RequestFields::write(&request).expect("it is within every bound");
        prop_assert_eq!(read_request(&sealed(THIRD_VERSION, &(fields, second, third))), Ok(request));
    }

    #[test]
    fn a_motion_is_read_as_it_was_written(
        library in id(), cartridge in id(), source in element(), destination in element(), at in time(),
        state in prop::sample::select(vec![
            MotionState::Open, MotionState::Moved, MotionState::NotMoved, MotionState::NotSent, MotionState::Unknown,
            MotionState::InArm,
        ]),
    ) {
        let motion = MotionRecord {
            request: RequestId(Uuid::nil()),
            sequence: 0,
            library: LibraryId(library),
            cartridge: CartridgeId(cartridge),
            source,
            destination,
            at,
            state,
        };
        let bytes = write::<MotionFields>(&ADDRESS, &motion).expect("it is within every bound");
        prop_assert_eq!(read::<MotionFields>(&ADDRESS, &bytes), Ok(motion));
    }

    #[test]
    fn one_changed_byte_is_always_found_out(request in request(), at: prop::sample::Index, change in 1..=255_u8) {
        let mut bytes = request_bytes(&request);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(read_request(&bytes).is_err());
    }

    #[test]
    fn a_cut_record_is_found_out(request in request(), length: prop::sample::Index) {
        let bytes = request_bytes(&request);
        prop_assert!(read_request(&bytes[..length.index(bytes.len())]).is_err());
    }

    /// A foreign program's file has right checksums over wrong contents.
    #[test]
    fn no_fields_whatever_make_the_reader_panic(fields in vec(any::<u8>(), 0..400)) {
        let _ = parse::<RequestFields<'_>>(VERSION, &fields);
        let _ = parse::<CartridgeFields<'_>>(VERSION, &fields);
        let _ = parse::<LibraryFields<'_>>(VERSION, &fields);
        let _ = parse::<MotionFields>(VERSION, &fields);
        let _ = parse::<MountFields<'_>>(VERSION, &fields);
        let _ = parse::<DriveFields<'_>>(VERSION, &fields);
        let _ = parse::<FaultFields<'_>>(VERSION, &fields);
        let _ = parse::<RequestFields<'_>>(FIRST_VERSION, &fields);
        let _ = parse::<RequestFields<'_>>(SECOND_VERSION, &fields);
        let _ = parse::<RequestFields<'_>>(THIRD_VERSION, &fields);
    }

    #[test]
    fn what_is_read_from_altered_fields_can_be_written_again(
        request in request(), at: prop::sample::Index, byte: u8,
    ) {
        let sealed = request_bytes(&request);
        let mut fields = sealed[1..sealed.len() - 4].to_vec();
        let at = at.index(fields.len());
        fields[at] = byte;
        if let Ok(request) = parse::<RequestFields<'_>>(VERSION, &fields) {
            prop_assert!((-15..=15).contains(&request.priority));
            prop_assert_eq!(read_request(&request_bytes(&request)), Ok(request));
        }
    }
}

/// A record without its later fields.
fn sealed(version: u8, fields: &impl Serialize) -> Vec<u8> {
    let mut bytes = postcard::to_extend(fields, vec![version]).expect("it can be encoded");
    let sum = checksum(&ADDRESS, &bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The bytes as the first release wrote them, put down by hand: this test notices when the numbers of the first variants change.
#[test]
fn the_bytes_of_the_first_version_mean_what_they_meant() {
    let mut fields = vec![1, 0, 8];
    fields.extend_from_slice(b"VT0001L8");
    fields.extend([0, 0]);
    fields.extend([0; 16]);
    fields.extend([0, 0, 0, 1, b'a', 0, 0, 0, 0, 0]);
    fields.extend([1, 4, 0, 0]);
    let owner = Request { state: State::Waiting(Waiting::Owner), ..queued() };
    assert_eq!(parse::<RequestFields<'_>>(FIRST_VERSION, &fields), Ok(owner));
}

#[test]
fn a_label_id_that_is_too_long_is_refused_and_never_cut() {
    let label = Label { format: "MTF".into(), id: vec![7; Label::MAX_ID + 1].into(), description: "".into() };
    let wanted = Wanted::UpdateLabel { cartridge: "VT0001L8".into(), label };
    let flaw = write::<RequestFields<'_>>(&ADDRESS, &Request { wanted, ..queued() }).unwrap_err();
    assert!(flaw.contains("256 bytes"), "{flaw}");
}

fn queued() -> Request {
    Request {
        id: RequestId(Uuid::nil()),
        wanted: Wanted::Mount { cartridge: "VT0001L8".into(), drive: None, access: Access::Read },
        library: LibraryId(Uuid::nil()),
        cartridge: None,
        barcode: None,
        drive: None,
        application: "a".into(),
        priority: 0,
        deadline: None,
        detached: false,
        queued_at: WallTime(0),
        ended_at: None,
        state: State::Queued,
        stopping: None,
        motions: 0,
        options: Options::default(),
        queue_place: None,
        failing: None,
        administrator: false,
    }
}

#[test]
fn a_record_under_another_key_or_in_another_table_is_found_out() {
    let bytes = request_bytes(&queued());
    let elsewhere = |table, key| read::<RequestFields<'_>>(&Address { table, key }, &bytes);
    assert!(elsewhere("requests", b"a key of its own").is_ok());
    assert!(elsewhere("requests", b"a key of another").is_err());
    assert!(elsewhere("cartridges", b"a key of its own").is_err());
}

#[test]
fn a_record_of_a_later_version_is_named_as_such() {
    let mut bytes = request_bytes(&queued());
    bytes[0] = VERSION + 1;
    let length = bytes.len() - 4;
    let sum = checksum(&ADDRESS, &bytes[..length]);
    bytes[length..].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(read_request(&bytes).unwrap_err(), "has version 5, which this release does not know");
}

#[test]
fn a_priority_out_of_range_is_refused_when_it_is_read() {
    let bytes = request_bytes(&Request { priority: 16, ..queued() });
    assert_eq!(read_request(&bytes).unwrap_err(), "has priority 16, which is out of range");
}

#[test]
fn a_name_that_is_too_long_is_refused_and_never_cut() {
    let request = Request { application: "x".repeat(MAX_NAME + 1).into(), ..queued() };
    let flaw = write::<RequestFields<'_>>(&ADDRESS, &request).unwrap_err();
    assert!(flaw.contains("4097 bytes"), "{flaw}");
    assert_eq!(
        write::<RequestFields<'_>>(
            &ADDRESS,
            &Request { application: "x".repeat(MAX_NAME).into(), ..queued() }
        )
        .map(|bytes| bytes.len() > MAX_NAME),
        Ok(true)
    );
}

#[test]
fn a_message_that_is_too_long_is_cut_between_two_characters() {
    let message = format!("x{}", "€".repeat(MAX_TEXT));
    let state = State::Failed(Failure::new(FailureKind::Refused, message.clone()));
    let read = read_request(&request_bytes(&Request { state, ..queued() })).expect("it is readable");
    let State::Failed(failure) = read.state else { panic!("another state") };
    assert_eq!(failure.message.len(), 1 + (MAX_TEXT - 1) / 3 * 3);
    assert!(message.starts_with(&failure.message));
}

#[test]
fn a_length_that_lies_allocates_nothing_to_speak_of() {
    // A place of the kind "unknown" that claims four billion elements.
    let mut fields = vec![0; 17];
    fields.extend([1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]);
    assert!(parse::<CartridgeFields<'_>>(VERSION, &fields).is_err());
}
