//! Answers that say nothing of the command but that it was not taken up: BUSY, TASK SET FULL, TASK ABORTED, for a while or for
//! longer than anybody waits.

use std::time::Duration;

use autochanger_engine::request::{InventoryMethod, Place, State, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_sim::{Fault, Quirk as Switch, Status};
use autochanger_world::{dismount, inventory, mount};

use super::{World, does_the_main_job, library, passes, quirks};

const STORM: [Status; 3] = [Status::Busy, Status::TaskSetFull, Status::TaskAborted];
/// Long enough for pauses to have grown, and shorter than a question is asked; of what is not taken up again by itself a few.
const MINUTE: Duration = Duration::from_secs(60);
const TAPE: &str = "VT0001L8";
const MOVE: u8 = 0xA5;
const ELEMENTS: u8 = 0xB8;
const UNLOAD: u8 = 0x1B;

/// A storm that is weathered by waiting; aborted commands are sent again without waiting for long.
fn storm(status: Status) -> Fault {
    let fault = Fault::status(status);
    if status == Status::TaskAborted { fault.times(3) } else { fault.lasting(MINUTE) }
}

#[test]
fn at_open_it_is_weathered() {
    for status in STORM {
        let mut device = library().build();
        device.inject(storm(status).lun(0));
        let world = does_the_main_job(World::new(device), &format!("{status:?}"));
        assert_eq!((world.device.pending_faults(), quirks(&world)), (0, vec![]), "{status:?}");
        world.assert_true();
    }
}

#[test]
fn in_the_midst_of_an_inventory_it_is_weathered_and_nothing_is_missing() {
    for status in STORM {
        for after in [0, 2, 5] {
            let mut world = World::ready(library().quirk(Switch::MaxElementsPerReport(16)).build());
            world.device.inject(storm(status).on(ELEMENTS).after(after));
            passes(&mut world, inventory(), &format!("{status:?} after {after}"));
            let all = world.engine.view().cartridges(None);
            assert_eq!(all.len(), 90, "{status:?} after {after}");
            for it in all {
                let placed = matches!(it.place, Place::Element(_)) && it.barcode.is_some();
                assert!(placed, "{status:?} after {after}: {it:?}");
            }
            world.assert_true();
        }
    }
}

#[test]
fn a_move_that_was_not_taken_up_is_looked_for_and_asked_for_again() {
    for status in STORM {
        let mut world = World::ready(library().build());
        world.device.inject(Fault::status(status).on(MOVE).times(3));
        passes(&mut world, mount(TAPE), &format!("{status:?}"));
        assert_eq!((world.device.moves_sent(), world.device.moves_done()), (4, 1), "{status:?}");
        world.assert_true();
    }
}

#[test]
fn a_move_that_was_carried_out_all_the_same_is_not_made_twice() {
    for status in STORM {
        let mut world = World::ready(library().build());
        world.device.inject(Fault::status(status).after_effect().on(MOVE));
        passes(&mut world, mount(TAPE), &format!("{status:?}"));
        assert_eq!((world.device.moves_sent(), world.device.moves_done()), (1, 1), "{status:?}");
        world.assert_true();
    }
}

#[test]
fn a_drive_that_does_not_take_up_an_unload_is_told_again() {
    for status in STORM {
        let mut world = World::ready(library().build());
        passes(&mut world, mount(TAPE), "mount");
        world.device.inject(Fault::status(status).on(UNLOAD).lun(1).times(3));
        passes(&mut world, dismount(TAPE), &format!("{status:?}"));
        let told = world.device.log().filter(|it| it.unit.lun == 1 && it.opcode() == Some(UNLOAD)).count();
        assert_eq!((told, world.device.pending_faults()), (4, 0), "{status:?}");
        world.assert_true();
    }
}

#[test]
fn a_drive_that_does_not_say_whether_it_is_ready_is_asked_again() {
    for status in STORM {
        let mut world = World::ready(library().build());
        world.device.inject(Fault::status(status).on(0x00).lun(1).times(5));
        passes(&mut world, mount(TAPE), &format!("{status:?}"));
        assert_eq!(world.device.pending_faults(), 0, "{status:?}");
        world.assert_true();
    }
}

#[test]
fn a_storm_that_lasts_longer_than_anybody_waits_ends_requests_and_not_the_library() {
    const HOURS: Duration = Duration::from_secs(3 * 3600);
    for status in STORM {
        // At open: it is not ready before, and then it is.
        let mut device = library().build();
        device.inject(Fault::status(status).lun(0).lasting(HOURS));
        let mut world = World::new(device);
        world.until("it is ready", |world| *world.engine.view().libraries()[0].state == LibraryState::Ready);
        assert!(world.now >= HOURS, "{status:?}");
        world.rest();

        // Later: a mount fails or waits, and no cartridge is lost.
        world.device.inject(Fault::status(status).lun(0).lasting(HOURS));
        let id = world.mount(TAPE);
        world.rest();
        assert!(world.state(id).is_final(), "{status:?}: {}", world.state(id));
        assert!(world.device.moves_done() <= 1);
        if let State::Failed(_) = world.state(id) {
            passes(
                &mut world,
                Wanted::Inventory { library: None, method: Some(InventoryMethod::Fast) },
                "inventory",
            );
            passes(&mut world, mount(TAPE), "mount");
        }
        passes(&mut world, dismount(TAPE), "dismount");
        world.assert_true();
    }
}
