mod any;

use autochanger_engine::catalog::{
    Cartridge, Cleaner, DriveRecord, FaultRecord, Identity, Label, LibraryRecord, MotionRecord, MotionState,
    MountRecord,
};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::{
    Access, Failure, FailureKind, FaultOf, Options, Request, State, Waiting, Wanted,
};
use autochanger_engine::time::WallTime;
use autochanger_scsi::ElementAddress;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use any::{address, blame, element, failure_kind, id, label, name, place, request, sense, service, time};

const ADDRESS: Address<'static> = Address { table: "requests", key: b"a key of its own" };

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
