//! A manager crashes in each row of the way of a request's data, and the next one finds out what became of it.
//!
//! The library is simulated, the store is the real one, time is the test's. `tests/kill.rs` does the same with a real
//! target and real processes; here each row is reached exactly, and what must be true afterwards is said exactly.
#![cfg(all(feature = "redb", feature = "sim"))]

mod common;
#[path = "store/news.rs"]
mod news;
#[path = "recovery/rows_6_and_7_the_move_was_sent.rs"]
mod rows_6_and_7_the_move_was_sent;
#[path = "store/temp.rs"]
mod temp;
#[path = "recovery/world.rs"]
mod world;

use autochanger::catalog::MotionState;
use autochanger::request::{CancelledBy, ElementName};
use autochanger::transport::sim::Hold;
use autochanger::{
    AdoptError, ElementAddress, ElementType, HistoryFilter, Outcome, Place, RestartPolicy, State, Waiting,
};

use common::{MOVE_MEDIUM, new_id, until, within};
use news::Row;
use world::{MINUTE, World};

const SLOT_OF_1: ElementAddress = ElementAddress(1000);

fn slot(address: u16) -> ElementName {
    ElementName { kind: ElementType::Storage, address: ElementAddress(address) }
}

fn drive(address: u16) -> ElementName {
    ElementName { kind: ElementType::Drive, address: ElementAddress(address) }
}

fn arm(address: u16) -> ElementName {
    ElementName { kind: ElementType::Transport, address: ElementAddress(address) }
}

fn is_mounted(state: &State) -> bool {
    matches!(state, State::Passed(Outcome::Mounted { .. }))
}

fn waits_for_its_owner(state: &State) -> bool {
    *state == State::Waiting(Waiting::Owner)
}

fn moves() -> Hold {
    Hold::opcode(MOVE_MEDIUM)
}

mod row_2_the_acceptance_was_not_durable {
    use super::*;

    #[tokio::test]
    async fn nothing_has_happened_and_the_same_request_can_be_handed_in_again() {
        let mut world = World::new();
        let life = world.start_and_stop_at(Row::Accepted).await;
        within(life.manager.ready()).await.expect("ready");
        let id = new_id();
        let asking = tokio::spawn(life.session.mount("VT0001L8").id(id).submit());
        life.stopped().await;
        world.crash(life).await;
        assert!(within(asking).await.expect("no panic").is_err(), "it was never told");

        let life = world.start().await;
        assert_eq!(life.session.request(id).await.expect("the store answers"), None);
        assert_eq!(world.library.moves_sent(), 0);
        let tape = within(life.session.mount("VT0001L8").id(id)).await.expect("mounted");
        assert_eq!((tape.id(), world.library.moves_sent()), (id, 1));
    }
}

mod row_3_accepted_and_nothing_begun {
    use super::*;

    /// A manager that crashed while the arm was busy for the first cartridge and the second waited for its drive.
    async fn crashed_with_a_waiting_mount(world: &mut World, deadline: bool) -> autochanger::RequestId {
        let life = world.start().await;
        let tape = within(life.session.mount("VT0001L8").drive(500)).await.expect("mounted");
        let mount = life.session.mount("VT0002L8").drive(500);
        let mount = if deadline { mount.deadline(60 * MINUTE) } else { mount };
        let ticket = mount.submit().await.expect("accepted");
        until(&ticket, |state| *state == State::Waiting(Waiting::Drive)).await;
        drop(tape);
        let id = ticket.id();
        world.crash(life).await;
        id
    }

    #[tokio::test]
    async fn a_mount_waits_for_its_owner_and_goes_on_when_it_is_adopted() {
        let mut world = World::new();
        let id = crashed_with_a_waiting_mount(&mut world, false).await;
        let life = world.start().await;
        assert!(waits_for_its_owner(&life.until(id, waits_for_its_owner).await.state));
        within(life.session.dismount("VT0001L8")).await.expect("the drive is free now");
        world.clock.advance(600 * MINUTE);
        within(life.session.inventory()).await.expect("and so is the arm");
        assert!(waits_for_its_owner(&life.request(id).await.state), "nobody has claimed it");
        assert_eq!(world.library.moves_sent(), 2, "one for each request that was asked for");

        let ticket = within(life.session.adopt(id)).await.expect("adopted");
        assert_eq!(within(ticket).await.expect("mounted").barcode(), Some("VT0002L8"));
        assert_eq!(world.library.moves_sent(), 3);
    }

    #[tokio::test]
    async fn a_mount_that_nobody_claims_ends_by_its_deadline() {
        let mut world = World::new();
        let id = crashed_with_a_waiting_mount(&mut world, true).await;
        let life = world.start().await;
        life.until(id, waits_for_its_owner).await;
        world.clock.advance(61 * MINUTE);
        let request = life.until(id, State::is_final).await;
        assert_eq!(request.state, State::Cancelled { by: CancelledBy::Deadline });
        assert!(matches!(within(life.session.adopt(id)).await, Err(AdoptError::Refused(_))));
    }

    #[tokio::test]
    async fn an_inventory_goes_on_without_anybody() {
        let mut world = World::new();
        let life = world.start().await;
        let gate = world.library.hold(moves());
        let mount = life.session.mount("VT0001L8").submit().await.expect("accepted");
        within(gate.reached()).await;
        let inventory = life.session.inventory().submit().await.expect("accepted").id();
        drop(mount);
        world.crash(life).await;
        gate.release();

        let life = world.start().await;
        let request = life.until(inventory, State::is_final).await;
        assert!(matches!(request.state, State::Passed(Outcome::Inventoried { .. })), "{}", request.state);
    }
}

mod row_4_the_intent_was_not_durable {
    use super::*;

    #[tokio::test]
    async fn a_mount_was_not_sent_and_waits_for_its_owner() {
        let mut world = World::new();
        let life = world.start_and_stop_at(Row::Intent).await;
        within(life.manager.ready()).await.expect("ready");
        let id = life.session.mount("VT0001L8").submit().await.expect("accepted").id();
        life.stopped().await;
        world.crash(life).await;

        let life = world.start().await;
        life.until(id, waits_for_its_owner).await;
        assert_eq!(life.motions(id).await, []);
        assert_eq!(world.library.moves_sent(), 0);
        within(within(life.session.adopt(id)).await.expect("adopted")).await.expect("mounted");
        assert_eq!(world.library.moves_sent(), 1);
    }

    #[tokio::test]
    async fn a_dismount_goes_on_without_anybody() {
        let mut world = World::new();
        let life = world.start().await;
        let tape = within(life.session.mount("VT0001L8")).await.expect("mounted");
        world.crash(life).await;
        let life = world.start_and_stop_at(Row::Intent).await;
        within(life.manager.ready()).await.expect("ready");
        let id = life.session.dismount(tape.cartridge()).submit().await.expect("accepted").id();
        life.stopped().await;
        world.crash(life).await;

        let life = world.start().await;
        let request = life.until(id, State::is_final).await;
        assert_eq!(request.state, State::Passed(Outcome::Dismounted { slot: SLOT_OF_1 }));
        assert_eq!((world.library.moves_sent(), world.library.find("VT0001L8")), (2, Some(SLOT_OF_1)));
        assert_eq!(life.session.mounts().await.expect("open"), []);
    }
}

mod row_5_the_intent_was_durable_and_not_sent {
    use super::*;

    #[tokio::test]
    async fn the_next_in_line_is_as_unstarted_once_its_time_out_has_passed() {
        let mut world = World::new();
        let life = world.start().await;
        let gate = world.library.hold(moves());
        let first = life.session.mount("VT0001L8").submit().await.expect("accepted");
        within(gate.reached()).await;
        let second = life.session.mount("VT0002L8").submit().await.expect("accepted");
        until(&second, |state| *state == State::InProcess).await;
        let (first, second) = (first.id(), second.id());
        assert_eq!(life.motions(second).await.len(), 1, "its intent is made while the arm is busy");
        world.crash(life).await;
        gate.release();

        let life = world.start().await;
        life.until(first, is_mounted).await;
        world.clock.advance(10 * MINUTE);
        assert_eq!(life.request(second).await.state, State::InProcess, "it may still happen");
        life.pass_until(&world.clock, second, waits_for_its_owner).await;
        assert_eq!(life.motions(second).await[0].state, MotionState::NotMoved);
        assert_eq!(world.library.moves_sent(), 1);
        let tape = within(within(life.session.adopt(second)).await.expect("adopted")).await.expect("mounted");
        assert_eq!((tape.barcode(), world.library.moves_sent()), (Some("VT0002L8"), 2));
        assert_eq!(life.motions(second).await.len(), 2, "each move has an intent of its own");
    }
}

mod row_8_the_outcome_was_not_durable {
    use super::*;

    #[tokio::test]
    async fn it_is_found_out_again_also_when_that_crashes_too() {
        let mut world = World::new();
        let life = world.start_and_stop_at(Row::Outcome).await;
        within(life.manager.ready()).await.expect("ready");
        let id = life.session.mount("VT0001L8").submit().await.expect("accepted").id();
        life.stopped().await;
        world.crash(life).await;
        for _ in 0..3 {
            let life = world.start_and_stop_at(Row::Outcome).await;
            life.stopped().await;
            world.crash(life).await;
        }

        let life = world.start().await;
        life.until(id, is_mounted).await;
        assert_eq!((life.motions(id).await.len(), world.library.moves_sent()), (1, 1));
    }
}

mod row_9_the_request_has_ended {
    use super::*;

    #[tokio::test]
    async fn what_has_ended_stays_as_it_was_and_media_stay_mounted() {
        let mut world = World::new();
        let life = world.start().await;
        let tape = within(life.session.mount("VT0001L8")).await.expect("mounted");
        within(life.session.mount("VT0002L8")).await.expect("mounted");
        within(life.session.dismount("VT0002L8")).await.expect("dismounted");
        let before = life.session.requests(HistoryFilter::default()).await.expect("the store answers");
        world.crash(life).await;

        for policy in [RestartPolicy::Resume, RestartPolicy::CancelUnfinished] {
            let life = world.start_with(None, policy).await;
            assert_eq!(
                life.session.requests(HistoryFilter::default()).await.expect("the store answers"),
                before
            );
            let mounts = life.session.mounts().await.expect("open");
            assert_eq!(mounts.iter().map(|mount| mount.id).collect::<Vec<_>>(), [tape.id()]);
            world.crash(life).await;
        }
        let life = world.start().await;
        let again =
            within(within(life.session.adopt(tape.id())).await.expect("adopted")).await.expect("mounted");
        assert_eq!((again.drive(), again.barcode()), (tape.drive(), tape.barcode()));
        within(again.dismount()).await.expect("dismounted");
        assert_eq!(world.library.moves_sent(), 4);
    }
}

mod the_policy_to_cancel_what_was_unfinished {
    use super::*;

    #[tokio::test]
    async fn cancels_what_had_not_begun_and_stops_what_had() {
        let mut world = World::new();
        let life = world.start().await;
        let gate = world.library.hold(moves().after_effect());
        let moving = life.session.mount("VT0001L8").drive(500).submit().await.expect("accepted").id();
        within(gate.reached()).await;
        let waiting = life.session.mount("VT0002L8").drive(500).submit().await.expect("accepted").id();
        world.crash(life).await;
        gate.release();

        let life = world.start_with(None, RestartPolicy::CancelUnfinished).await;
        let request = life.until(waiting, State::is_final).await;
        assert_eq!(request.state, State::Cancelled { by: CancelledBy::Restart });
        let request = life.until(moving, State::is_final).await;
        let place = Some(Place::Element(drive(500)));
        assert_eq!(request.state, State::Stopped { place, by: CancelledBy::Restart });
        assert_eq!(world.library.moves_sent(), 1);
    }
}
