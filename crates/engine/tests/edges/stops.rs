//! Stops, deadlines and restarts that meet a step: the request ends by what was sent for it.

use std::time::Duration;

use autochanger_engine::Input;
use autochanger_engine::request::CancelAccepted;
use autochanger_engine::view::LibraryState;
use autochanger_sim::Fault;
use autochanger_world::{World, dismount, mount};

use super::{in_drive, library};

#[test]
fn a_mount_whose_move_was_never_sent_is_cancelled_not_stopped_also_after_a_restart() {
    let mut world = World::ready(library(1));
    world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(60)));
    let id = world.mount("VT0001L8");
    assert_eq!(world.device.moves_sent(), 0);
    world.crash();
    assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Cancelled)));
}

#[test]
fn an_open_dismount_of_an_earlier_process_does_not_end_the_mount_before_it_is_settled() {
    for policy in [
        autochanger_engine::input::RestartPolicy::Resume,
        autochanger_engine::input::RestartPolicy::CancelUnfinished,
    ] {
        let mut world = World::ready(library(1));
        world.mount("VT0001L8");
        world.rest();
        world.withhold_moves = true;
        let down = world.dismount("VT0001L8");
        world.until("the dismount's move is with the transport", |w| w.withheld.len() == 1);
        world.withhold_moves = false;
        world.withheld.clear();
        world.crash_with(|c| c.restart = policy);
        world.until("ready", |w| *w.engine.view().libraries()[0].state == LibraryState::Ready);
        let early = world.engine.view().mounts().len();
        world.rest();
        let place = in_drive(&world, 500);
        let mounts = world.engine.view().mounts().len();
        assert_eq!(
            (early, mounts),
            (1, usize::from(place.is_some())),
            "{policy:?}: dismount {}; in the drive: {place:?}",
            world.state(down)
        );
    }
}

#[test]
fn a_mount_whose_deadline_passed_while_it_was_settled_after_a_restart_ends() {
    let mut world = World::ready(library(1));
    world.withhold_moves = true;
    let caller = world.caller();
    let id =
        world.submit_as(caller, mount("VT0001L8"), |s| s.deadline = Some(Duration::from_secs(600))).unwrap();
    world.withhold_moves = false;
    world.withheld.clear();
    // The way to the drive is away.
    world.device.inject(Fault::not_delivered().lun(1).lasting(Duration::from_secs(86_400)));
    world.crash();
    world.rest();
    assert!(world.state(id).is_final(), "{}", world.engine.view().request(id).unwrap().state);
}

#[test]
fn nothing_is_unloaded_after_a_stop() {
    let mut world = World::ready(library(1));
    world.mount("VT0001L8");
    world.rest();
    world.disk_held = true;
    let _ = world.submit(dismount("VT0001L8")).unwrap();
    let (batch, changes) = world.stalled.pop_front().unwrap();
    world.disk.commit(changes);
    world.input(Input::Persisted { batch, result: Ok(()) });
    let unloads = |w: &World| w.device.log().filter(|e| e.unit.lun == 1 && e.cdb()[0] == 0x1B).count();
    world.input(Input::Stop);
    world.release_disk();
    world.rest();
    assert_eq!(unloads(&world), 0);
}
