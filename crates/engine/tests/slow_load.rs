//! Libraries that answer a move to a drive when that is ready: the arm is free before, and works on where enough moves are in flight.

use std::time::Duration;

use autochanger_engine::request::{Outcome, State};
use autochanger_sim::{Library, Timing};
use autochanger_world::World;

const DRIVES: u16 = 8;
const SECOND: Duration = Duration::from_secs(1);

/// A move takes 10 s and a load 20 s, whatever the way.
fn timing(fast_load: bool) -> Timing {
    let mut timing = Timing::none();
    (timing.pick, timing.place, timing.load) = (5 * SECOND, 5 * SECOND, 20 * SECOND);
    timing.fast_load = fast_load;
    timing
}

/// How long it takes to mount a medium in each drive.
fn fill(fast_load: bool, moves_in_flight: u8) -> Duration {
    let library = Library::new().slots(16).drives(DRIVES).cartridges("VT{:04}L8", 1..=16);
    let mut world = World::with(library.timing(timing(fast_load)).build(), |config| {
        config.libraries[0].moves_in_flight = moves_in_flight;
    });
    world.rest();
    let begun = world.now;
    let ids: Vec<_> = (1..=DRIVES).map(|n| world.mount(&format!("VT{n:04}L8"))).collect();
    world.until("all are mounted", |world| ids.iter().all(|id| world.state(*id).is_final()));
    for id in ids {
        assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
    }
    let took = world.now - begun;
    world.rest();
    world.assert_true();
    took
}

#[test]
fn the_arm_never_waits_for_a_drive_where_a_move_and_a_load_over_a_move_are_in_flight() {
    // (10 + 20) / 10
    let enough = 3;
    let arm = 10 * SECOND * u32::from(DRIVES);
    let drive_looked_at = 5 * SECOND;
    assert!(fill(false, enough) <= arm + 20 * SECOND + drive_looked_at, "{:?}", fill(false, enough));
    assert!(fill(false, 1) >= 30 * SECOND * u32::from(DRIVES), "{:?}", fill(false, 1));
    assert!(fill(false, enough - 1) > arm + 20 * SECOND + drive_looked_at, "{:?}", fill(false, enough - 1));
    assert!(fill(true, 1) <= arm + 20 * SECOND + drive_looked_at, "{:?}", fill(true, 1));
}
