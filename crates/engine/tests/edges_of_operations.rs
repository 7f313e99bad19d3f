//! What the stories of the world found since they ask for every operation, each as short as it could be made.

use autochanger_engine::request::{Outcome, State, Waiting, Wanted};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Fault, Library, SenseKey, Timing};
use autochanger_world::World;

const CLEANER: &str = "CLN001L1";

fn library(drives: u16) -> Library {
    Library::new().slots(10).drives(drives).ports(2).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange())
}

fn shown(world: &World, id: autochanger_engine::id::RequestId) -> Option<State> {
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
