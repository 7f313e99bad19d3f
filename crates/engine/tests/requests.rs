//! Requests from their acceptance to their end, on a simulated library in virtual time.

#[path = "requests/cancels.rs"]
mod cancels;
#[path = "requests/doubt.rs"]
mod doubt;

use autochanger_engine::id::RequestId;
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{FailureKind, Outcome, State, Waiting, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_scsi::{ElementAddress, SenseKey};
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, dismount, inventory, mount};
use uuid::Uuid;

fn library() -> Device {
    Library::new()
        .slots(10)
        .drives(2)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

#[test]
fn a_library_becomes_ready_and_its_contents_are_known() {
    let world = World::ready(library());
    let view = world.engine.view();
    let info = &view.libraries()[0];
    assert_eq!(*info.state, LibraryState::Ready);
    assert_eq!(
        (info.counts.slots, info.counts.drives, info.counts.ports, info.counts.transports),
        (10, 2, 2, 1)
    );
    assert_eq!(view.cartridges(None).len(), 6);
    assert!(view.drives(None).iter().all(|drive| drive.serial.is_some() && drive.device.is_some()));
    world.assert_true();
}

#[test]
fn a_cartridge_is_mounted_with_one_move_and_dismounted_to_its_slot() {
    let mut world = World::ready(library());
    let home = world.device.find("VT0003L8").unwrap();
    let mounted = world.mount("VT0003L8");
    world.rest();
    assert!(
        matches!(world.state(mounted), State::Passed(Outcome::Mounted { .. })),
        "{}",
        world.state(mounted)
    );
    assert_eq!(world.device.moves_sent(), 1);
    assert_eq!(world.engine.view().mounts().len(), 1);
    let down = world.dismount("VT0003L8");
    world.rest();
    assert_eq!(world.state(down), State::Passed(Outcome::Dismounted { slot: home }));
    assert_eq!(world.device.find("VT0003L8"), Some(home));
    assert_eq!(world.engine.view().mounts().len(), 0);
    assert_eq!(world.device.moves_sent(), 2);
    world.assert_true();
}

#[test]
fn more_mounts_than_drives_are_served_as_drives_come_free() {
    let mut world = World::ready(library());
    let ids: Vec<RequestId> = (1..=6).map(|n| world.mount(&format!("VT{n:04}L8"))).collect();
    world.rest();
    let passed =
        |world: &World| ids.iter().filter(|id| matches!(world.state(**id), State::Passed(_))).count();
    assert_eq!(passed(&world), 2);
    let view = world.engine.view();
    assert!(ids[2..].iter().all(|id| view.request(*id).unwrap().state == State::Waiting(Waiting::Drive)));
    for n in 1..=6 {
        world.dismount(&format!("VT{n:04}L8"));
        world.rest();
    }
    assert_eq!(passed(&world), 6);
    world.assert_true();
}

#[test]
fn a_refused_move_fails_with_the_device_s_words_and_everything_named() {
    let mut world = World::ready(library());
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move().times(2));
    let id = world.mount("VT0001L8");
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::LibraryFault);
    for word in ["VT0001L8", "slot", "drive", "15/01"] {
        assert!(failure.to_string().contains(word), "{word:?} is missing in {failure}");
    }
    world.assert_true();
}

#[test]
fn a_unit_attention_before_a_move_costs_a_second_intent_and_no_failure() {
    let mut world = World::ready(library());
    world.device.inject(Fault::unit_attention(0, 0x28, 0x00));
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn hands_in_the_library_are_seen_after_the_unit_attention_they_raise() {
    let mut world = World::ready(library());
    let (a, b) = (world.device.find("VT0001L8").unwrap(), world.device.find("VT0002L8").unwrap());
    world.device.operator_swap(a, b).unwrap();
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    let view = world.engine.view();
    assert_eq!(view.mounts()[0].barcode.as_deref(), Some("VT0001L8"));
    world.assert_true();
}

#[test]
fn an_inventory_counts_what_is_there() {
    let mut world = World::ready(library());
    let id = world.submit(inventory()).unwrap();
    world.rest();
    assert_eq!(
        world.state(id),
        State::Passed(Outcome::Inventoried {
            elements: 15,
            cartridges: 6,
            appeared: 0,
            missing: 0,
            labels: None
        })
    );
}

#[test]
fn wrong_requests_are_refused_with_what_would_be_right() {
    let mut world = World::ready(library());
    assert!(matches!(world.submit(mount("NOSUCH")), Err(Refusal::CartridgeNotFound { .. })));
    let empty = world.submit(mount(" ")).unwrap_err().to_string();
    assert!(empty.starts_with("there is no cartridge with an empty label"), "{empty}");
    assert!(matches!(world.submit(dismount("VT0001L8")), Err(Refusal::NotMounted { .. })));
    let drive = Some(ElementAddress(9));
    let wanted = Wanted::Mount { cartridge: "VT0001L8".into(), drive, access: Default::default() };
    let Err(error) = world.submit(wanted) else { panic!("accepted") };
    assert!(error.to_string().contains("500"), "{error}");
    let caller = world.caller();
    let error = world.submit_as(caller, mount("VT0001L8"), |s| s.priority = 16);
    assert!(matches!(error, Err(Refusal::PriorityOutOfRange(16))));
}

#[test]
fn a_repeated_id_is_answered_and_not_repeated() {
    let mut world = World::ready(library());
    let id = RequestId(Uuid::from_u128(7));
    let given = |s: &mut autochanger_engine::request::Submission| (s.id, s.id_given) = (id, true);
    let caller = world.caller();
    assert_eq!(world.submit_as(caller.clone(), mount("VT0001L8"), given), Ok(id));
    assert_eq!(world.submit_as(caller.clone(), mount("VT0001L8"), given), Ok(id));
    world.rest();
    assert_eq!(world.submit_as(caller.clone(), mount("VT0001L8"), given), Ok(id));
    world.rest();
    assert_eq!(world.device.moves_sent(), 1);
    assert!(matches!(world.submit_as(caller, mount("VT0002L8"), given), Err(Refusal::IdReused { .. })));
}

#[test]
fn a_cartridge_that_nobody_mounted_makes_way_by_a_dismount_of_its_own() {
    let mut world = World::ready(library());
    for barcode in ["VT0001L8", "VT0002L8"] {
        let id = world.mount(barcode);
        world.until("it is in the drive", |world| {
            world.device.find(barcode).is_some_and(|at| at.0 < 1000 && at.0 >= 500)
        });
        world.cancel(id);
        world.rest();
    }
    let id = world.mount("VT0003L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

#[test]
fn a_medium_that_no_drive_can_use_is_refused_before_anything_moves() {
    let device = Library::new()
        .slots(10)
        .drives(2)
        .cartridges("VT{:04}L8", 1..=2)
        .drive_product("IBM", "ULT3580-TD7")
        .build();
    let mut world = World::ready(device);
    let Err(error) = world.submit(mount("VT0001L8")) else { panic!("accepted") };
    assert!(matches!(error, Refusal::Incompatible { .. }));
    for word in ["VT0001L8", "LTO-8", "write"] {
        assert!(error.to_string().contains(word), "{word:?} is missing in {error}");
    }
    assert_eq!(world.device.moves_sent(), 0);
}

#[test]
fn an_older_medium_can_be_read_where_it_cannot_be_written() {
    let device = Library::new()
        .slots(10)
        .drives(2)
        .cartridges("VT{:04}L5", 1..=2)
        .drive_product("IBM", "ULT3580-TD7")
        .build();
    let mut world = World::ready(device);
    assert!(matches!(world.submit(mount("VT0001L5")), Err(Refusal::Incompatible { .. })));
    let access = autochanger_engine::request::Access::Read;
    let id = world.submit(Wanted::Mount { cartridge: "VT0001L5".into(), drive: None, access }).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
}
