//! EXCHANGE MEDIUM: a dismount and the mount that waits for its drive are one motion, and each has its own end.

use std::time::Duration;

use autochanger_engine::catalog::MotionState;
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Access, CancelAccepted, CancelError, CartridgeRef, State, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_scsi::SenseKey;
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::World;

fn library() -> Device {
    Library::new()
        .slots(10)
        .drives(2)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

/// Every command takes a second, as with a changer behind a slow bus.
fn slow() -> Device {
    let mut timing = Timing::midrange();
    timing.command = Duration::from_secs(1);
    Library::new().slots(60).drives(2).ports(2).cartridges("VT{:04}L8", 1..=6).timing(timing).build()
}

/// Two mounted, a third waiting for a drive; one is dismounted.
fn exchanging(device: Device) -> (World, RequestId, RequestId) {
    let mut world = World::with(device, |config| config.libraries[0].exchange = true);
    world.rest();
    world.mount("VT0001L8");
    world.mount("VT0002L8");
    world.rest();
    let waiting = world.mount("VT0003L8");
    let down = world.dismount("VT0001L8");
    (world, down, waiting)
}

fn exchanges(world: &World) -> usize {
    world.device.log().filter(|entry| entry.opcode() == Some(0xA6)).count()
}

#[test]
fn a_dismount_and_the_mount_that_waits_for_its_drive_are_one_exchange() {
    let (mut world, down, waiting) = exchanging(library());
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
    assert_eq!(exchanges(&world), 1);
    assert_eq!(world.device.moves_sent(), 3, "two moves and the exchange");
    world.assert_true();
}

#[test]
fn a_library_that_claims_exchange_and_has_none_is_asked_once() {
    let device = library();
    let (mut world, down, waiting) = {
        let mut device = device;
        device.inject(Fault::sense(SenseKey::IllegalRequest, 0x20, 0x00).on(0xA6).always());
        exchanging(device)
    };
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
    world.mount("VT0004L8");
    world.dismount("VT0002L8");
    world.rest();
    assert_eq!(exchanges(&world), 1);
    world.assert_true();
}

#[test]
fn an_exchange_whose_reply_is_lost_is_settled_for_both() {
    for fault in [Fault::lost_reply().after_effect(), Fault::lost_reply().without_effect()] {
        let mut device = library();
        device.inject(fault.on(0xA6));
        let (mut world, down, waiting) = exchanging(device);
        world.rest();
        assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
        assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
        world.assert_true();
    }
}

#[test]
fn a_mount_that_is_cancelled_leaves_the_exchange_and_the_dismount_goes_on_alone() {
    let (mut world, down, waiting) = exchanging(library());
    world.disk_held = true;
    world.until("the intents are on their way", |world| !world.stalled.is_empty());
    assert_eq!(world.cancel(waiting), None, "the answer waits for the disk");
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(waiting), State::Cancelled { .. }), "{}", world.state(waiting));
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert_eq!(exchanges(&world), 0);
    world.assert_true();
}

#[test]
fn in_an_exchange_the_mount_can_be_stopped_and_the_dismount_cannot() {
    let (mut world, down, waiting) = exchanging(library());
    world.until("the exchange is sent", |world| world.device.moves_sent() == 3);
    assert!(matches!(world.cancel(down), Some(Err(CancelError::InProgress { .. }))));
    assert_eq!(world.cancel(waiting), Some(Ok(CancelAccepted::Stopping)));
    world.rest();
    assert!(matches!(world.state(waiting), State::Stopped { .. }), "{}", world.state(waiting));
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    world.assert_true();
}

#[test]
fn a_crash_in_an_exchange_finds_both_cartridges() {
    let (mut world, down, waiting) = exchanging(library());
    world.until("the exchange is sent", |world| world.device.moves_sent() == 3);
    world.crash();
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
    assert_eq!(world.device.moves_sent(), 3);
    world.assert_true();
}

/// An unlabelled medium is mounted, and a mount waits for its drive: both exchange.
fn unlabelled_exchange(world: &mut World) -> (RequestId, RequestId) {
    world.rest();
    let plain = world.engine.view().cartridges(None).into_iter().find(|c| c.barcode.is_none()).unwrap().id;
    world
        .submit(Wanted::Mount { cartridge: CartridgeRef::Id(plain), drive: None, access: Access::ReadWrite })
        .unwrap();
    world.rest();
    let waiting = world.mount("VT0001L8");
    let down = world
        .submit(Wanted::Dismount { cartridge: CartridgeRef::Id(plain), slot: None, force: false })
        .unwrap();
    (down, waiting)
}

fn unlabelled_library() -> Device {
    Library::new()
        .slots(6)
        .drives(1)
        .cartridges("VT{:04}L8", 1..=2)
        .unlabelled_at(1004)
        .timing(Timing::midrange())
        .build()
}

#[test]
fn an_exchange_that_did_nothing_loses_no_cartridge_beside_an_unlabelled_one() {
    let mut device = unlabelled_library();
    device.inject(Fault::sense(SenseKey::AbortedCommand, 0x44, 0x00).on(0xA6));
    let mut world = World::with(device, |c| c.libraries[0].exchange = true);
    let (down, waiting) = unlabelled_exchange(&mut world);
    world.rest();
    assert!(world.device.log().any(|e| e.opcode() == Some(0xA6)));
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
}

#[test]
fn an_exchange_that_was_not_sent_before_a_crash_leaves_both_as_unstarted_beside_an_unlabelled_one() {
    let mut world = World::with(unlabelled_library(), |c| c.libraries[0].exchange = true);
    world.withhold_opcode = 0xA6;
    let (down, waiting) = unlabelled_exchange(&mut world);
    world.withhold_moves = true;
    world.until("with the transport", |w| !w.withheld.is_empty());
    world.withhold_moves = false;
    world.withheld.clear();
    world.crash();
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(!world.state(waiting).is_final(), "{}", world.state(waiting));
}

/// As [`exchanging`], and the exchange was sent.
fn sent(device: Device) -> (World, RequestId, RequestId) {
    let (mut world, down, waiting) = exchanging(device);
    world.until("the exchange is sent", |w| w.device.moves_sent() == 3);
    (world, down, waiting)
}

#[test]
fn a_crash_between_the_two_settlements_of_an_exchange_loses_no_cartridge() {
    for delay in 60..70 {
        let mut device = slow();
        device.inject(Fault::late_effect(Duration::from_secs(delay)).on(0xA6));
        let (mut world, down, waiting) = sent(device);
        world.crash();
        let state = |w: &World, id: RequestId| {
            w.disk.motions.values().filter(|m| m.request == id).max_by_key(|m| m.sequence).unwrap().state
        };
        world.until("one is settled", |w| {
            state(w, waiting) != MotionState::Open || state(w, down) != MotionState::Open
        });
        world.crash();
        world.rest();
        assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
        assert!(
            matches!(world.state(waiting), State::Passed(_)),
            "late by {delay} s: {:?}",
            world.engine.view().request(waiting).map(|r| r.state)
        );
        world.assert_true();
    }
}

#[test]
fn an_exchange_is_not_believed_to_have_done_nothing_before_its_own_time_out() {
    // Its command has the time of two motions: an hour. It happens within that.
    let mut device = library();
    device.inject(Fault::late_effect(Duration::from_secs(45 * 60)).on(0xA6));
    let (mut world, down, waiting) = sent(device);
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{}", world.state(down));
    assert!(
        matches!(world.state(waiting), State::Passed(_)),
        "{:?}",
        world.engine.view().request(waiting).map(|r| r.state)
    );
    assert_eq!(world.device.moves_sent(), 3, "sent twice");
    world.assert_true();
}

#[test]
fn a_medium_whose_drive_an_earlier_dismount_still_holds_is_given_to_who_waits_for_it() {
    for delay in 60..70 {
        let mut device = slow();
        device.inject(Fault::late_effect(Duration::from_secs(delay)).on(0xA6));
        let (mut world, _, _) = sent(device);
        world.crash_with(|c| c.restart = autochanger_engine::input::RestartPolicy::CancelUnfinished);
        world.until("ready", |w| *w.engine.view().libraries()[0].state == LibraryState::Ready);
        let id = world.mount("VT0003L8");
        world.rest();
        assert!(
            matches!(world.state(id), State::Passed(_)),
            "late by {delay} s: {:?}; it is in {:?}",
            world.engine.view().request(id).map(|r| r.state),
            world.device.find("VT0003L8")
        );
    }
}
