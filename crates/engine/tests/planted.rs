//! The checkers are checked: each planted bug is found by the checker that is there for it, within so many stories.

use autochanger_world::{Bug, Telling, draw, tell};

/// Acts in one story, as in `world.rs`.
const ACTS: usize = 120;

/// The first seed whose story finds the bug, and who found it.
fn found(bug: Bug, within: u64) -> Option<(u64, &'static str, String)> {
    let telling = Telling { bug: Some(bug), ..Telling::default() };
    (0..within).find_map(|seed| {
        let violation = tell(&draw(seed, ACTS), telling).err()?;
        Some((seed, violation.checker, violation.what))
    })
}

#[test]
fn measure() {
    for bug in [
        Bug::MoveSentTwice,
        Bug::IntentNotJournaled,
        Bug::NotMovedAfterOneLook,
        Bug::CancelThatLies,
        Bug::LostWakeUp,
        Bug::UnboundedRetry,
        Bug::MediumInTwoPlaces,
        Bug::OutcomeThatChanges,
        Bug::ReservationNeverFreed,
        Bug::VerdictBeforeDurable,
        Bug::OneTooManyInFlight,
        Bug::StopThatIsForgotten,
    ] {
        println!("{bug:?}: {:?}", found(bug, 600));
        let mut who = std::collections::BTreeMap::new();
        let telling = Telling { bug: Some(bug), ..Telling::default() };
        for seed in 0..300 {
            if let Err(v) = tell(&draw(seed, ACTS), telling) {
                who.entry(v.checker).or_insert_with(Vec::new).push(seed);
            }
        }
        for (w, seeds) in who {
            println!("     {w}: {} first {:?}", seeds.len(), &seeds[..seeds.len().min(4)]);
        }
    }
}
