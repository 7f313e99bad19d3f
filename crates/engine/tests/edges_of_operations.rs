//! What the stories of the world found since they ask for every operation, each as short as it could be made.

use std::time::Duration;

use autochanger_engine::catalog::Service;
use autochanger_engine::id::{RequestId, Token};
use autochanger_engine::input::{StoreFailure, Verify};
use autochanger_engine::request::{InventoryMethod, Outcome, ServiceTarget, State, Waiting, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_engine::{Event, EventKind, Input};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Fault, Library, SenseKey, Timing};
use autochanger_world::{Act, Ask, Handed, Setup, Shape, Story, Telling, World, inventory, tell};

const CLEANER: &str = "CLN001L1";

fn library(drives: u16) -> Library {
    Library::new().slots(10).drives(drives).ports(2).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange())
}

fn shown(world: &World, id: RequestId) -> Option<State> {
    world.engine.view().request(id).map(|request| request.state)
}

#[test]
fn everyone_who_waits_for_a_cleaner_that_is_used_up_asks_for_another_one() {
    let mut device = library(2).cleaning_cartridge(CLEANER).build();
    device.cleaner_lasts(CLEANER, 1);
    let mut world = World::ready(device);
    let cleanings: Vec<_> = [500, 501, 500, 501]
        .into_iter()
        .map(|drive| {
            world.submit(Wanted::CleanDrive { library: None, drive: ElementAddress(drive) }).unwrap()
        })
        .collect();
    world.rest();
    assert!(matches!(world.state(cleanings[0]), State::Passed(Outcome::Cleaned { .. })));
    for id in &cleanings[1..] {
        assert_eq!(shown(&world, *id), Some(State::Waiting(Waiting::Operator)));
    }
    assert_eq!(world.engine.view().operator_requests().len(), 3);
}

#[test]
fn after_a_restart_a_mount_whose_medium_is_in_its_drive_goes_before_one_that_was_adopted_meanwhile() {
    let mut world = World::ready(library(2).build());
    world.mount("VT0001L8");
    world.rest();
    let waits = world.mount("VT0001L8");
    world.rest();
    world.crash();
    world.rest();
    assert_eq!(world.state(waits), State::Waiting(Waiting::Owner));
    world.dismount("VT0001L8");
    world.rest();
    let loads = world.mount("VT0001L8");
    world.until("it is in a drive", |world| {
        world.device.find("VT0001L8").is_some_and(|at| at.0 < 1000 && at.0 >= 500)
    });
    // It is claimed before the library is there again.
    world.device.inject(Fault::sense(SenseKey::AbortedCommand, 0x44, 0x00).on(0xB8).times(2));
    world.crash();
    world.adopt(waits);
    world.rest();
    assert!(matches!(world.state(loads), State::Passed(Outcome::Mounted { .. })), "{}", world.state(loads));
    assert_eq!(shown(&world, waits), Some(State::Waiting(Waiting::Medium)));
    world.assert_true();
}

const DRIVE: ElementAddress = ElementAddress(500);

/// The only drive says that it must be cleaned, and a mount waits for it.
fn dirty(auto_clean: bool) -> (World, RequestId) {
    let mut world = World::with(library(1).build(), |config| config.libraries[0].auto_clean = auto_clean);
    world.rest();
    world.device.drive_asks_for_cleaning(DRIVE, true);
    world.mount("VT0001L8");
    world.rest();
    let waits = world.mount("VT0002L8");
    world.rest();
    world.dismount("VT0001L8");
    world.rest();
    (world, waits)
}

#[test]
fn a_drive_that_must_be_cleaned_and_that_nobody_cleans_is_out_of_service_for_who_waits_for_it() {
    let (mut world, waits) = dirty(false);
    assert_eq!(shown(&world, waits), Some(State::Waiting(Waiting::Service)));
    let target = ServiceTarget::Drive { library: None, drive: DRIVE };
    world.submit(Wanted::SetService { target, service: Service::Enabled }).unwrap();
    world.rest();
    assert!(matches!(world.state(waits), State::Passed(Outcome::Mounted { .. })), "{}", world.state(waits));
}

#[test]
fn a_drive_whose_cleaning_a_person_refused_is_cleaned_when_a_cleaner_comes_nevertheless() {
    let (mut world, waits) = dirty(true);
    assert_eq!(shown(&world, waits), Some(State::Waiting(Waiting::Drive)), "a person is asked for a cleaner");
    let asked = world.engine.view().operator_requests();
    let [asked] = asked.as_slice() else { panic!("{asked:?}") };
    world.input(Input::RefuseOperatorTask { token: Token(1_000), caller: world.caller(), id: asked.request });
    world.rest();
    assert_eq!(shown(&world, waits), Some(State::Waiting(Waiting::Service)));
    world.device.operator_put_cleaner(ElementAddress(1009), CLEANER).unwrap();
    world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(waits), State::Passed(Outcome::Mounted { .. })), "{}", world.state(waits));
    world.assert_true();
}

/// The drive cannot be reached for so long from the beginning.
fn unheard(time: Duration) -> World {
    let mut device = library(2).build();
    device.inject(Fault::not_delivered().lun(2).lasting(time));
    World::with(device, |config| config.libraries[0].verify = Verify::Label)
}

fn has_way(world: &World, drive: u16) -> bool {
    world.engine.view().drives(None).iter().any(|it| it.element.0 == drive && it.device.is_some())
}

#[test]
fn a_drive_that_did_not_answer_when_its_library_was_opened_gets_its_way_when_it_does() {
    let mut world = unheard(Duration::from_secs(100));
    world.until("the library is ready", |world| {
        *world.engine.view().libraries()[0].state == LibraryState::Ready
    });
    assert!(!has_way(&world, 501));
    world.mount("VT0001L8");
    let id = world.mount("VT0002L8");
    world.until("the first is mounted", |world| !world.engine.view().mounts().is_empty());
    assert_eq!(shown(&world, id), Some(State::Waiting(Waiting::Drive)));
    world.rest();
    assert!(has_way(&world, 501));
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
}

#[test]
fn a_drive_that_does_not_answer_is_not_looked_for_without_end_but_when_somebody_looks() {
    let mut world = unheard(Duration::from_secs(100_000));
    world.rest();
    let looked = world.now;
    assert!(looked < Duration::from_secs(3_600), "it is given up: {looked:?}");
    assert!(!has_way(&world, 501));
    world.wait_until(Duration::from_secs(200_000));
    assert!(!has_way(&world, 501));
    world.submit(inventory()).unwrap();
    world.rest();
    assert!(has_way(&world, 501));
}

#[test]
fn of_a_session_that_is_closed_after_the_store_failed_nothing_is_told_that_is_not_kept() {
    let mut world = World::ready(library(1).build());
    let id = world.mount("VT0001L8");
    world.until("it is on its way", |world| world.device.moves_sent() > 0);
    let session = world.caller().session;
    world.disk_held = true;
    world.input(Input::CloseSession { token: Token(1_000), session });
    let (batch, _) = world.stalled.pop_front().expect("that it is to stop is to be kept");
    world.input(Input::Persisted { batch, result: Err(StoreFailure("the disk is broken".into())) });
    world.events.clear();
    world.input(Input::CloseSession { token: Token(1_001), session });
    let told = |event: &Event| matches!(event.kind, EventKind::CancelAccepted { id: told, .. } if told == id);
    assert!(!world.events.iter().any(told), "{:?}", world.events);
}

/// The medium of the first comes free in a drive while the arm is at work. How it comes to that is a matter of many steps, so that
/// the story is told as it was found.
#[test]
fn the_first_of_a_group_does_not_take_its_medium_in_place_before_all_have_their_drives() {
    let mount = |cartridge, read, wait| Ask::Mount { cartridge, drive: None, read, at_once: false, wait };
    let by = |number, who, ask| Handed { number, who, ask, priority: 0, deadline: None, detached: false };
    let detached = |handed| Handed { detached: true, ..handed };
    let in_first = Ask::Mount { cartridge: 6, drive: Some(0), read: false, at_once: false, wait: true };
    let groups = [
        [detached(by(3, 0, mount(2, false, false))), detached(by(4, 0, mount(5, false, false)))],
        [detached(by(6, 1, mount(5, true, true))), detached(by(7, 1, in_first))],
    ];
    let group = |[one, other]: [Handed; 2]| Act::Group { all: [Some(one), Some(other), None], again: true };
    let acts = vec![
        group(groups[0]),
        group(groups[1]),
        Act::Submit(Handed { deadline: Some(681), ..by(10, 0, mount(6, false, false)) }),
        Act::Pass(24),
        Act::Submit(by(13, 0, Ask::Inventory { library: 0, method: Some(InventoryMethod::Fast) })),
        Act::Cancel { who: 0, number: 3 },
        Act::Submit(by(43, 2, mount(3, false, false))),
        Act::Submit(Handed { priority: 8, ..by(49, 2, Ask::CleanDrive { library: 0, drive: 2 }) }),
        Act::CloseSession { who: 0 },
    ];
    let shape = Shape { drives: 3, unload_before_move: false, cleaner: Some(4), ..Shape::default() };
    let setup = Setup { libraries: vec![shape], max_live_requests: 64, max_pending_cancels: 16 };
    let told = tell(&Story { seed: 1550, setup, acts }, Telling::default());
    assert!(told.is_ok(), "{told:?}");
}
