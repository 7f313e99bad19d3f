//! Rows 6 and 7: the move was sent.

use autochanger::catalog::MotionState;
use autochanger::request::FailureKind;
use autochanger::transport::sim::Fault;
use autochanger::{ElementAddress, Outcome, Place, State};

use super::common::within;
use super::world::{MINUTE, World};
use super::{SLOT_OF_1, arm, common, drive, is_mounted, moves, slot, waits_for_its_owner};

/// A manager that crashed when its mount of VT0001L8 had been done, and it had not heard of it.
async fn crashed_with_a_done_mount(world: &mut World) -> autochanger::RequestId {
    let life = world.start().await;
    let gate = world.library.hold(moves().after_effect());
    let id = life.session.mount("VT0001L8").drive(500).submit().await.expect("accepted").id();
    within(gate.reached()).await;
    world.crash(life).await;
    gate.release();
    id
}

/// A manager that crashed when its mount of VT0001L8 had not been done, and it could not know.
async fn crashed_with_a_lost_mount(world: &mut World) -> autochanger::RequestId {
    let life = world.start().await;
    world.library.inject(Fault::lost_reply().without_effect().on_move());
    let id = life.session.mount("VT0001L8").drive(500).submit().await.expect("accepted").id();
    let mut events = life.session.events();
    common::event(&mut events, |kind| matches!(kind, autochanger::EventKind::MotionInDoubt { .. })).await;
    world.crash(life).await;
    id
}

#[tokio::test]
async fn a_mount_at_its_goal_has_passed_and_is_mounted_for_its_application() {
    let mut world = World::new();
    let id = crashed_with_a_done_mount(&mut world).await;
    let life = world.start().await;
    let request = life.until(id, State::is_final).await;
    assert!(is_mounted(&request.state), "{}", request.state);
    assert_eq!(life.motions(id).await[0].state, MotionState::Moved);
    let mounts = life.session.mounts().await.expect("open");
    assert_eq!(
        mounts.iter().map(|mount| (mount.id, &*mount.application)).collect::<Vec<_>>(),
        [(id, "backup")]
    );
    let tape = within(within(life.session.adopt(id)).await.expect("adopted")).await.expect("mounted");
    assert!(tape.transport().is_some());
    assert_eq!(within(tape.dismount()).await.expect("dismounted").slot(), Some(SLOT_OF_1), "it goes home");
    assert_eq!(world.library.moves_sent(), 2);
}

#[tokio::test]
async fn after_a_recovery_the_drive_and_the_slot_can_be_used_by_others() {
    let mut world = World::new();
    let id = crashed_with_a_done_mount(&mut world).await;
    let life = world.start().await;
    life.until(id, is_mounted).await;
    within(life.session.dismount("VT0001L8")).await.expect("dismounted");
    let tape = within(life.session.mount("VT0002L8").drive(500)).await.expect("the drive is free");
    within(tape.dismount().to(1023)).await.expect("dismounted");
    let tape = within(life.session.mount("VT0001L8").drive(500)).await.expect("the drive is free again");
    let back = within(tape.dismount()).await.expect("dismounted");
    assert_eq!(back.slot(), Some(SLOT_OF_1));
}

#[tokio::test]
async fn a_dismount_at_its_goal_has_passed_and_the_mount_has_ended() {
    let mut world = World::new();
    let life = world.start().await;
    within(life.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let gate = world.library.hold(moves().after_effect());
    let id = life.session.dismount("VT0001L8").submit().await.expect("accepted").id();
    within(gate.reached()).await;
    world.crash(life).await;
    gate.release();

    let life = world.start().await;
    let request = life.until(id, State::is_final).await;
    assert_eq!(request.state, State::Passed(Outcome::Dismounted { slot: SLOT_OF_1 }));
    assert_eq!(life.session.mounts().await.expect("open"), []);
    let tape = within(life.session.mount("VT0002L8").drive(500)).await.expect("the drive is free");
    assert_eq!(tape.drive(), ElementAddress(500));
    assert_eq!(world.library.moves_sent(), 3);
}

#[tokio::test]
async fn a_mount_at_its_source_is_as_unstarted_and_not_before_the_motions_time_out() {
    let mut world = World::new();
    let id = crashed_with_a_lost_mount(&mut world).await;
    let life = world.start().await;
    world.clock.advance(10 * MINUTE);
    within(life.session.cartridges(None)).await.expect("open");
    assert_eq!(life.request(id).await.state, State::InProcess);
    life.pass_until(&world.clock, id, waits_for_its_owner).await;
    assert_eq!(world.library.moves_sent(), 1);

    let tape = within(within(life.session.adopt(id)).await.expect("adopted")).await.expect("mounted");
    assert_eq!(within(tape.dismount()).await.expect("dismounted").slot(), Some(SLOT_OF_1));
    let states: Vec<_> = life.motions(id).await.iter().map(|motion| motion.state).collect();
    assert_eq!(states, [MotionState::NotMoved, MotionState::Moved]);
    let tape = within(life.session.mount("VT0002L8").drive(500)).await.expect("the drive is free");
    within(tape.dismount()).await.expect("dismounted");
}

#[tokio::test]
async fn a_dismount_at_its_source_is_sent_again_with_an_intent_of_its_own() {
    let mut world = World::new();
    let life = world.start().await;
    within(life.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    world.library.inject(Fault::lost_reply().without_effect().on_move());
    let mut events = life.session.events();
    let id = life.session.dismount("VT0001L8").submit().await.expect("accepted").id();
    common::event(&mut events, |kind| matches!(kind, autochanger::EventKind::MotionInDoubt { .. })).await;
    world.crash(life).await;

    let life = world.start().await;
    let request = life.pass_until(&world.clock, id, State::is_final).await;
    assert_eq!(request.state, State::Passed(Outcome::Dismounted { slot: SLOT_OF_1 }));
    assert_eq!((life.motions(id).await.len(), world.library.moves_sent()), (2, 3));
    let tape = within(life.session.mount("VT0002L8").drive(500)).await.expect("the drive is free");
    within(tape.dismount()).await.expect("dismounted");
}

#[tokio::test]
async fn a_move_that_happens_when_the_next_manager_has_looked_already_is_not_sent_twice() {
    let mut world = World::new();
    let life = world.start().await;
    let gate = world.library.hold(moves());
    let id = life.session.mount("VT0001L8").drive(500).submit().await.expect("accepted").id();
    within(gate.reached()).await;
    world.crash(life).await;

    let life = world.start().await;
    world.clock.advance(10 * MINUTE);
    within(life.session.cartridges(None)).await.expect("open");
    assert_eq!(life.request(id).await.state, State::InProcess);
    gate.release();
    let request = life.pass_until(&world.clock, id, State::is_final).await;
    assert!(is_mounted(&request.state), "{}", request.state);
    assert_eq!(world.library.moves_sent(), 1);
    let back = within(life.session.dismount("VT0001L8")).await.expect("dismounted");
    assert_eq!(back.slot(), Some(SLOT_OF_1), "its slot is known to be empty");
}

#[tokio::test]
async fn a_cartridge_that_is_neither_here_nor_there_fails_its_request_and_is_not_forgotten() {
    let mut world = World::new();
    let id = crashed_with_a_lost_mount(&mut world).await;
    let taken = world.library.operator_take(SLOT_OF_1).expect("a hand takes it");
    let life = world.start().await;
    let request = life.pass_until(&world.clock, id, State::is_final).await;
    let State::Failed(failure) = &request.state else { panic!("{}", request.state) };
    assert_eq!(failure.kind, FailureKind::Interrupted);
    let unknown = Place::Unknown { one_of: vec![slot(1000), drive(500), arm(1)] };
    assert_eq!(failure.place, Some(unknown));
    assert_eq!(life.motions(id).await[0].state, MotionState::Unknown);
    let kept = life.session.cartridges(None).await.expect("open");
    let cartridge = kept.iter().find(|one| one.barcode.as_deref() == Some(&*taken)).expect("it is known");
    assert!(!matches!(cartridge.place, Place::Element(_)), "{}", cartridge.place);

    world.library.operator_put(ElementAddress(1022), &taken).expect("a hand puts it back elsewhere");
    within(life.session.inventory()).await.expect("read");
    let tape = within(life.session.mount("VT0001L8").drive(500)).await.expect("found, and mounted");
    assert_eq!(tape.cartridge(), cartridge.id, "it is the same cartridge");
}
