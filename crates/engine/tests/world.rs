//! Random requests, cancels, faults, hands and power losses, then calm. One seed is one story and repeats exactly.
//!
//! What must be true is in `crates/world/src/checkers`; whether that would be noticed is in `planted.rs`.

use autochanger_world::{Telling, draw, tell, tell_all};

/// Stories told at each run of the tests: about a minute on two idle cores, without optimisation.
const SEEDS: u64 = 2_000;
/// Acts in one story: enough for every cartridge to be mounted several times.
const ACTS: usize = 120;

#[test]
fn after_faults_and_power_losses_every_request_has_ended_and_no_cartridge_is_lost() {
    let only = std::env::var("AUTOCHANGER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..SEEDS, |seed: u64| seed..seed + 1);
    match tell_all(seeds, ACTS, Telling::default(), |_, _| true) {
        Ok(tally) => println!("{tally:?}"),
        Err(failed) => {
            let (violation, story) = *failed;
            panic!("{violation}\n{story}\nAUTOCHANGER_SEED={} tells it again", story.seed);
        }
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..20 {
        let story = draw(seed, ACTS);
        assert_eq!(story, draw(seed, ACTS));
        assert_eq!(tell(&story, Telling::default()).unwrap(), tell(&story, Telling::default()).unwrap());
    }
}
