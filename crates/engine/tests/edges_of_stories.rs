//! What the stories of the world found, each as short as it could be made.

use std::time::Duration;

use autochanger_engine::request::{FailureKind, InventoryMethod, State, Waiting, Wanted};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Fault, Library, SenseKey, Timing};
use autochanger_world::{
    Act, Ask, Hand, Handed, Mishap, Setup, Shape, Story, Telling, World, inventory, mount, mount_in, tell,
};

fn library(drives: u16) -> Library {
    Library::new().slots(10).drives(drives).ports(2).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange())
}

/// A cartridge is left in a drive without a mount, and the drive does not let go of it.
fn stuck(world: &mut World, barcode: &str) -> ElementAddress {
    let id = world.mount(barcode);
    world.until("it is in a drive", |world| {
        world.device.find(barcode).is_some_and(|at| at.0 < 1000 && at.0 >= 500)
    });
    let _ = world.cancel(id);
    world.rest();
    assert!(matches!(world.state(id), State::Stopped { .. }), "{}", world.state(id));
    let drive = world.device.find(barcode).expect("it is in a drive");
    world.device.inject(Fault::stuck_in_drive(drive));
    drive
}

/// Time enough for some attempts with growing pauses.
fn a_while(world: &mut World) {
    let begun = world.now;
    world.until("two minutes have passed", |world| world.now - begun > Duration::from_secs(120));
}

fn a_second(world: &mut World) {
    let begun = world.now;
    world.until("a second has passed", |world| world.now - begun > Duration::from_secs(1));
}

/// Dismounts of the manager's own.
fn own(world: &World) -> usize {
    world.disk.requests.values().filter(|request| &*request.application == "autochanger").count()
}

/// Those of them that have not ended.
fn live_own(world: &World) -> usize {
    world.engine.view().requests().iter().filter(|request| &*request.application == "autochanger").count()
}

#[test]
fn a_drive_that_keeps_its_cartridge_is_left_alone_for_a_while_and_tried_at_once_after_somebody_looked() {
    let mut world = World::ready(library(1).build());
    let drive = stuck(&mut world, "VT0001L8");
    let id = world.mount("VT0002L8");
    a_while(&mut world);
    let tried = own(&world);
    assert!((1..9).contains(&tried), "one attempt follows the other: {tried}");
    let shown = world.engine.view().request(id).map(|request| request.state);
    assert_eq!(shown, Some(State::Waiting(Waiting::Drive)));
    world.device.repair(drive);
    world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(own(&world), tried + 1);
    world.assert_true();
}

#[test]
fn who_waits_for_a_cartridge_in_a_drive_that_kept_it_gets_it_after_somebody_looked() {
    let mut world = World::ready(library(2).build());
    let drive = stuck(&mut world, "VT0001L8");
    let other = ElementAddress(if drive.0 == 500 { 501 } else { 500 });
    let wanted =
        Wanted::Mount { cartridge: "VT0001L8".into(), drive: Some(other), access: Default::default() };
    let id = world.submit(wanted).unwrap();
    a_while(&mut world);
    assert!((1..9).contains(&own(&world)), "one attempt follows the other: {}", own(&world));
    world.device.repair(drive);
    world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert_eq!(world.device.find("VT0001L8"), Some(other));
    world.assert_true();
}

#[test]
fn a_dismount_of_the_managers_own_ends_when_the_cartridge_is_mounted_where_it_is() {
    let mut world = World::ready(library(2).build());
    let left = world.submit(mount_in("VT0001L8", 501)).unwrap();
    world.until("it is in the drive", |world| world.device.find("VT0001L8") == Some(ElementAddress(501)));
    let _ = world.cancel(left);
    // The drive's own path is gone, so that its label is read in the other one, for which the cartridge makes way.
    world.device.inject(Fault::not_delivered().lun(2).lasting(Duration::from_secs(3000)));
    world.crash();
    world.rest();
    world.mount("VT0002L8");
    world.disk_held = true;
    let wanted = Wanted::Identify { cartridge: "VT0001L8".into(), keep: false };
    let identification = world.submit(wanted).unwrap();
    let kept = world.mount("VT0001L8");
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(kept), State::Passed(_)), "{}", world.state(kept));
    assert_eq!((own(&world), live_own(&world)), (1, 0));
    assert_eq!(world.device.find("VT0001L8"), Some(ElementAddress(501)));
    world.dismount("VT0001L8");
    world.dismount("VT0002L8");
    world.rest();
    assert!(matches!(world.state(identification), State::Passed(_)), "{}", world.state(identification));
    world.assert_true();
}

#[test]
fn a_dismount_begins_when_the_mount_has_passed_however_long_others_have_waited_for_the_cartridge() {
    // Who came first is first, whatever it asks for.
    let mut world =
        World::with(library(2).build(), |config| config.priority_worth = Duration::from_millis(1));
    world.rest();
    world.mount("VT0001L8");
    world.until("it is in a drive", |world| world.device.find("VT0001L8").is_some_and(|at| at.0 < 1000));
    let wanted = Wanted::Identify { cartridge: "VT0001L8".into(), keep: false };
    let waits = world.submit(wanted).unwrap();
    a_second(&mut world);
    let dismount = world.dismount("VT0001L8");
    world.rest();
    for id in [dismount, waits] {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    world.assert_true();
}

#[test]
fn a_mount_is_not_claimed_for_a_cartridge_that_hands_exchanged_before_the_robot_took_it() {
    let mut timing = Timing::midrange();
    // A command is answered when the next one has left.
    timing.command = Duration::from_secs(1);
    let device = library(2).arms(2).timing(timing).build();
    let mut world = World::with(device, |config| config.libraries[0].moves_in_flight = 2);
    world.rest();
    world.device.operator_swap(1001, 1005).unwrap();
    // Both leave at once: one hears of the hands, the other takes what is there.
    world.disk_held = true;
    let ids = ["VT0006L8", "VT0002L8"].map(|barcode| world.submit(mount(barcode)).unwrap());
    world.release_disk();
    world.rest();
    let failed = ids.iter().filter_map(|&id| match world.state(id) {
        State::Failed(failure) => Some(failure.kind),
        _ => None,
    });
    assert_eq!(failed.collect::<Vec<_>>(), [FailureKind::CartridgeMissing]);
    world.assert_true();
}

#[test]
fn a_drive_has_one_mount_although_hands_exchanged_its_cartridge_for_the_one_that_is_wanted_next() {
    let mut world = World::with(library(3).arms(2).build(), |config| {
        config.libraries[0].exchange = true;
        config.libraries[0].moves_in_flight = 2;
        config.libraries[0].unload_before_move = false;
    });
    world.rest();
    world.mount("VT0004L8");
    for _ in 0..19 {
        world.step();
    }
    // One arm is on its way to slot 1002 when hands are there.
    world.mount("VT0003L8");
    world.mount("VT0001L8");
    world.device.operator_swap(1002, 1001).unwrap();
    world.mount("VT0002L8");
    world.dismount("VT0003L8");
    world.rest();
    assert_eq!(world.disk.mounts.len(), 3, "{:?}", world.disk.mounts);
    world.assert_true();
}

#[test]
fn a_drive_has_one_mount_although_hands_took_away_what_an_exchange_had_put_into_its_slot() {
    let mut timing = Timing::midrange();
    // The looks take long enough for hands to be there before them.
    timing.command = Duration::from_secs(1);
    let mut world =
        World::with(library(1).timing(timing).build(), |config| config.libraries[0].exchange = true);
    world.rest();
    world.mount("VT0001L8");
    world.rest();
    world.device.inject(Fault::lost_reply().on(0xA6).after_effect());
    world.mount("VT0002L8");
    world.dismount("VT0001L8");
    world.until("the exchange is done", |world| world.device.moves_done() == 2);
    world.device.operator_swap(1000, 1008).unwrap();
    world.rest();
    assert_eq!(world.disk.mounts.len(), 1, "{:?}", world.disk.mounts);
    world.assert_true();
}

/// Number `number` is handed in by the first application, with nothing said of priority, deadline or session.
fn handed(number: u32, ask: Ask) -> Handed {
    Handed { number, who: 0, ask, priority: 0, deadline: None, detached: false }
}

/// In a slow library with two drives an exchange happens minutes after its reply was lost, and after the power was: its halves
/// are settled one by one, with the reading of the library between them. That order comes of how the pauses between looks fall,
/// so that the story is told as it was found.
#[test]
fn a_dismount_that_was_put_off_is_not_ended_by_the_settled_half_of_an_exchange_that_took_another_medium_out()
{
    let shape = Shape { slow: true, exchange: true, ..Shape::default() };
    let mount = |cartridge| Ask::Mount { cartridge, drive: None, read: false, at_once: false, wait: false };
    let dismount = |cartridge, slot, deferred| Ask::Dismount { cartridge, slot, force: false, deferred };
    let acts = vec![
        Act::Mishap { library: 0, mishap: Mishap::Late { exchange: true, after: 693 } },
        Act::Submit(handed(5, mount(3))),
        Act::Pass(16),
        Act::Submit(handed(11, mount(4))),
        Act::Submit(Handed { deadline: Some(820), ..handed(13, mount(2)) }),
        Act::Submit(Handed { priority: 14, ..handed(14, dismount(3, None, false)) }),
        Act::Pass(39),
        Act::PowerLoss { kept: 1, cancel_unfinished: false },
        Act::Pass(66),
        Act::Submit(handed(35, dismount(2, Some(1), true))),
        Act::Pass(12),
        Act::Submit(Handed {
            deadline: Some(1819),
            ..handed(39, Ask::Inventory { library: 0, method: Some(InventoryMethod::Fast) })
        }),
    ];
    let setup = Setup { libraries: vec![shape], max_live_requests: 64, max_pending_cancels: 16 };
    let told = tell(&Story { seed: 9262, setup, acts }, Telling::default());
    assert!(told.is_ok(), "{told:?}");
}

#[test]
fn nothing_is_put_into_a_port_where_a_cartridge_in_doubt_can_be_before_it_was_seen_to_be_empty() {
    let ask = |number, ask| Act::Submit(handed(number, ask));
    let inject = |many| Ask::Inject { library: 0, many };
    let not_ready = Mishap::Sense { exchange: false, key: SenseKey::NotReady, asc: 4, ascq: 1, times: 40 };
    let acts = vec![
        ask(1, inject(true)),
        Act::HoldDisk,
        ask(2, inject(false)),
        Act::Hands { library: 0, hand: Hand::Oblige(2) },
        ask(3, Ask::Eject { cartridge: 6, port: Some(0) }),
        Act::Mishap { library: 0, mishap: not_ready },
        Act::ReleaseDisk,
        Act::Pass(10),
        Act::Pass(11),
        ask(4, inject(false)),
        // The cartridge in the port is taken away while it is to be moved.
        Act::Hands { library: 0, hand: Hand::Oblige(4) },
        Act::Pass(23),
    ];
    let shape = Shape { drives: 1, ports: 1, moves_in_flight: 2, ..Shape::default() };
    let setup = Setup { libraries: vec![shape], max_live_requests: 64, max_pending_cancels: 16 };
    let told = tell(&Story { seed: 83000415, setup, acts }, Telling::default());
    assert!(told.is_ok(), "{}", told.unwrap_err());
}

/// Which slot is free when the arm holds what is to be put back comes of how the attempts of others fall.
#[test]
fn a_slot_that_was_chosen_for_a_cartridge_is_free_again_when_it_goes_from_the_arm_to_another_one() {
    let shape = Shape {
        slots: 6,
        drives: 3,
        slow: true,
        exchange: true,
        unload_before_move: false,
        moves_in_flight: 2,
        ports: 1,
        ..Shape::default()
    };
    let mount = |cartridge, drive| Ask::Mount { cartridge, drive, read: false, at_once: false, wait: false };
    let again = Handed { priority: 12, detached: true, ..handed(18, mount(2, None)) };
    let aborted =
        Mishap::Sense { exchange: false, key: SenseKey::AbortedCommand, asc: 0x44, ascq: 0, times: 3 };
    let identify = Ask::Identify { cartridge: 1, keep: false };
    let dismount = Ask::Dismount { cartridge: 2, slot: None, force: false, deferred: false };
    let look = Ask::Inventory { library: 0, method: Some(InventoryMethod::Fast) };
    let acts = vec![
        Act::HoldDisk,
        Act::Submit(handed(2, Ask::Eject { cartridge: 2, port: Some(0) })),
        Act::Submit(Handed { who: 3, ..handed(16, mount(6, Some(1))) }),
        Act::Submit(handed(20, mount(1, Some(0)))),
        Act::Mishap { library: 0, mishap: Mishap::Attention { lun: 0, asc: 0x28, ascq: 1 } },
        Act::Repeat { handed: again, same: true },
        Act::ReleaseDisk,
        Act::Hands { library: 0, hand: Hand::Import(1) },
        Act::Pass(8),
        Act::Submit(Handed { priority: 14, detached: true, ..handed(21, identify) }),
        Act::Pass(40),
        Act::Mishap { library: 0, mishap: aborted },
        Act::Submit(Handed {
            priority: 4,
            detached: true,
            ..handed(31, Ask::Inject { library: 0, many: false })
        }),
        Act::Pass(22),
        Act::Mishap { library: 0, mishap: Mishap::StuckInArm },
        Act::Submit(Handed { who: 1, ..handed(34, look) }),
        Act::Submit(handed(
            35,
            Ask::Mount { cartridge: 3, drive: None, read: true, at_once: false, wait: false },
        )),
        Act::Submit(Handed { priority: 1, detached: true, ..handed(39, dismount) }),
        Act::Pass(13),
        Act::Submit(handed(
            82,
            Ask::Mount { cartridge: 1, drive: None, read: false, at_once: false, wait: true },
        )),
        Act::Pass(29),
    ];
    let setup = Setup { libraries: vec![shape], max_live_requests: 64, max_pending_cancels: 16 };
    let told = tell(&Story { seed: 84000248, setup, acts }, Telling::default());
    assert!(told.is_ok(), "{}", told.unwrap_err());
}
