use std::sync::Arc;

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
    ]
}

fn cancelled_by() -> impl Strategy<Value = CancelledBy> {
    prop_oneof![
        (name(), option::of(name()))
            .prop_map(|(application, reason)| CancelledBy::Session { application, reason }),
        Just(CancelledBy::SessionClosed),
        Just(CancelledBy::Deadline),
        Just(CancelledBy::Restart),
    ]
}

fn failure() -> impl Strategy<Value = Failure> {
    use FailureKind::*;
    let kinds = [
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
    ];
    let sense = (any::<u8>(), any::<[u8; 2]>(), option::of(any::<u64>()), any::<u8>(), any::<bool>())
        .prop_map(|(key, [asc, ascq], information, fru, deferred)| Sense {
            information,
            fru,
            deferred,
            ..Sense::new(SenseKey::from_bits(key), asc, ascq)
        });
    (prop::sample::select(kinds.to_vec()), ".{0,60}", option::of(sense), option::of(place()))
        .prop_map(|(kind, message, sense, place)| Failure { sense, place, ..Failure::new(kind, message) })
}

fn state() -> impl Strategy<Value = State> {
    use Waiting::*;
    let outcome = prop_oneof![
        (address(), option::of(name())).prop_map(|(drive, serial)| Outcome::Mounted { drive, serial }),
        address().prop_map(|slot| Outcome::Dismounted { slot }),
        any::<[u32; 4]>().prop_map(|[elements, cartridges, appeared, missing]| Outcome::Inventoried {
            elements,
            cartridges,
            appeared,
            missing
        }),
    ];
    prop_oneof![
        Just(State::Queued),
        prop::sample::select(vec![Medium, Drive, Slot, Library, Owner]).prop_map(State::Waiting),
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
            id().prop_map(|id| CartridgeRef::Id(CartridgeId(id)))
        ]
    };
    prop_oneof![
        (option::of(id()), any::<bool>())
            .prop_map(|(library, full)| Wanted::Inventory { library: library.map(LibraryId), full }),
        (cartridge(), option::of(address()), any::<bool>()).prop_map(|(cartridge, drive, read)| {
            Wanted::Mount { cartridge, drive, access: if read { Access::Read } else { Access::ReadWrite } }
        }),
        (cartridge(), option::of(address()), any::<bool>())
            .prop_map(|(cartridge, slot, force)| Wanted::Dismount { cartridge, slot, force }),
    ]
}

/// With the nil id of a record that was read without its key.
fn request() -> impl Strategy<Value = Request> {
    let what = (wanted(), id(), option::of(id()), option::of(name()), option::of(address()), name());
    let how = (-15..=15_i8, option::of(time()), any::<bool>(), time(), option::of(time()));
    let now = (state(), option::of(cancelled_by()), any::<u32>());
    (what, how, now).prop_map(|(what, how, now)| Request {
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
    })
}

fn request_bytes(request: &Request) -> Vec<u8> {
    write::<_, RequestRecord<'_>>(&ADDRESS, request).expect("it is within every bound")
}

fn read_request(bytes: &[u8]) -> Result<Request, Flaw> {
    read::<RequestRecord<'_>, Request>(&ADDRESS, bytes)
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(request in request()) {
        prop_assert_eq!(read_request(&request_bytes(&request)), Ok(request));
    }

    #[test]
    fn a_cartridge_is_read_as_it_was_written(
        barcode in option::of(name()), library in id(), place in place(), home in option::of(address()),
        first_seen in time(), last_seen in time(),
    ) {
        let id = CartridgeId(Uuid::nil());
        let cartridge = Cartridge { id, barcode, library: LibraryId(library), place, home, first_seen, last_seen };
        let bytes = write::<_, CartridgeRecord<'_>>(&ADDRESS, &cartridge).expect("it is within every bound");
        prop_assert_eq!(read::<CartridgeRecord<'_>, Cartridge>(&ADDRESS, &bytes), Ok(cartridge));
    }

    #[test]
    fn a_library_is_read_as_it_was_written(vendor in name(), product in name(), revision in name(), serial in name()) {
        let identity = Identity { vendor, product, revision, serial };
        let library = LibraryRecord { id: LibraryId(Uuid::nil()), identity };
        let bytes = write::<_, LibraryFields<'_>>(&ADDRESS, &library).expect("it is within every bound");
        prop_assert_eq!(read::<LibraryFields<'_>, LibraryRecord>(&ADDRESS, &bytes), Ok(library));
    }

    #[test]
    fn a_mount_is_read_as_it_was_written(
        cartridge in id(), library in id(), drive in address(), application in name(), since in time(),
    ) {
        let (cartridge, library) = (CartridgeId(cartridge), LibraryId(library));
        let mount = MountRecord { id: RequestId(Uuid::nil()), cartridge, library, drive, application, since };
        let bytes = write::<_, MountFields<'_>>(&ADDRESS, &mount).expect("it is within every bound");
        prop_assert_eq!(read::<MountFields<'_>, MountRecord>(&ADDRESS, &bytes), Ok(mount));
    }

    #[test]
    fn a_motion_is_read_as_it_was_written(
        library in id(), cartridge in id(), source in element(), destination in element(), at in time(),
        state in prop::sample::select(vec![
            MotionState::Open, MotionState::Moved, MotionState::NotMoved, MotionState::NotSent, MotionState::Unknown,
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
        let bytes = write::<_, MotionFields>(&ADDRESS, &motion).expect("it is within every bound");
        prop_assert_eq!(read::<MotionFields, MotionRecord>(&ADDRESS, &bytes), Ok(motion));
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
        let _ = parse::<RequestRecord<'_>, Request>(&fields);
        let _ = parse::<CartridgeRecord<'_>, Cartridge>(&fields);
        let _ = parse::<LibraryFields<'_>, LibraryRecord>(&fields);
        let _ = parse::<MotionFields, MotionRecord>(&fields);
        let _ = parse::<MountFields<'_>, MountRecord>(&fields);
    }

    #[test]
    fn what_is_read_from_altered_fields_can_be_written_again(
        request in request(), at: prop::sample::Index, byte: u8,
    ) {
        let sealed = request_bytes(&request);
        let mut fields = sealed[1..sealed.len() - 4].to_vec();
        let at = at.index(fields.len());
        fields[at] = byte;
        if let Ok(request) = parse::<RequestRecord<'_>, Request>(&fields) {
            prop_assert!((-15..=15).contains(&request.priority));
            prop_assert_eq!(read_request(&request_bytes(&request)), Ok(request));
        }
    }
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
    }
}

#[test]
fn a_record_under_another_key_or_in_another_table_is_found_out() {
    let bytes = request_bytes(&queued());
    let elsewhere = |table, key| read::<RequestRecord<'_>, Request>(&Address { table, key }, &bytes);
    assert!(elsewhere("requests", b"a key of its own").is_ok());
    assert!(elsewhere("requests", b"a key of another").is_err());
    assert!(elsewhere("cartridges", b"a key of its own").is_err());
}

#[test]
fn a_record_of_a_later_version_is_named_as_such() {
    let mut bytes = request_bytes(&queued());
    bytes[0] = 2;
    let length = bytes.len() - 4;
    let sum = checksum(&ADDRESS, &bytes[..length]);
    bytes[length..].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(read_request(&bytes).unwrap_err(), "has version 2, which this release does not know");
}

#[test]
fn a_priority_out_of_range_is_refused_when_it_is_read() {
    let bytes = request_bytes(&Request { priority: 16, ..queued() });
    assert_eq!(read_request(&bytes).unwrap_err(), "has priority 16, which is out of range");
}

#[test]
fn a_name_that_is_too_long_is_refused_and_never_cut() {
    let request = Request { application: "x".repeat(MAX_NAME + 1).into(), ..queued() };
    let flaw = write::<_, RequestRecord<'_>>(&ADDRESS, &request).unwrap_err();
    assert!(flaw.contains("4097 bytes"), "{flaw}");
    assert_eq!(
        write::<_, RequestRecord<'_>>(
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
    assert!(parse::<CartridgeRecord<'_>, Cartridge>(&fields).is_err());
}
