//! Tells stories of simulated libraries in which everything goes wrong, for as long as it is told to, and ends with an error
//! when a checker objects: `cargo run --profile soak --example soak -- --seconds 60` (release would leave the engine's own
//! assertions out).
//!
//! A story is drawn from a seed: requests, cancels, faults, hands in the library and power losses, then calm. `--seed S` begins
//! with a seed of yours; without it a fresh one is drawn, and printed. `--requests N` ends after so many accepted requests. `--lines N` is
//! how many of the last lines of a failing story are shown: with 100000 it is all of them.

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use autochanger_world::{Bug, Tally, Telling, tell_all};

/// When this is set in the environment a bug is planted, for the test that sees how a soak fails: one that not every story meets.
const PLANT: &str = "AUTOCHANGER_PLANT";

/// Acts in one story. Longer ones meet more of what happened before; shorter ones are easier to read when they fail.
const ACTS: usize = 240;
/// How often it says how far it is.
const PROGRESS: Duration = Duration::from_secs(10);

/// What it was told.
struct Wish {
    seconds: Option<u64>,
    requests: Option<u64>,
    seed: Option<u64>,
    lines: Option<u64>,
}

fn wish() -> Result<Wish, String> {
    let mut wish = Wish { seconds: None, requests: None, seed: None, lines: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let place = match name.as_str() {
            "--seconds" => &mut wish.seconds,
            "--requests" => &mut wish.requests,
            "--seed" => &mut wish.seed,
            "--lines" => &mut wish.lines,
            other => {
                return Err(format!("{other}: there are --seconds N, --requests N, --seed S and --lines N"));
            }
        };
        let value = arguments.next().ok_or_else(|| format!("{name} needs a number"))?;
        *place = Some(value.parse().map_err(|_| format!("{name} {value}: not a number"))?);
    }
    if wish.seconds.is_none() && wish.requests.is_none() {
        wish.seconds = Some(60);
    }
    Ok(wish)
}

/// Somewhere in the lower half, so that as many seeds follow as any run can use.
fn fresh_seed() -> Result<u64, String> {
    getrandom::u64().map(|seed| seed >> 1).map_err(|error| format!("no random bits: {error}; give --seed"))
}

fn soak() -> Result<(), String> {
    let wish = wish()?;
    let seed = wish.seed.map_or_else(fresh_seed, Ok)?;
    println!("seed {seed}");
    let start = Instant::now();
    let progress = Mutex::new((Tally::default(), start));
    let heard = |_, tale| {
        let Ok(mut progress) = progress.lock() else { return false };
        let (tally, told) = &mut *progress;
        tally.add(tale);
        if told.elapsed() >= PROGRESS {
            *told = Instant::now();
            println!("{:6} s: {}", start.elapsed().as_secs(), say(seed, tally));
        }
        let in_time = wish.seconds.is_none_or(|seconds| start.elapsed().as_secs() < seconds);
        in_time && wish.requests.is_none_or(|requests| tally.all.requests < requests)
    };
    let bug = std::env::var_os(PLANT).map(|_| Bug::StopThatIsForgotten);
    let mut telling = Telling { bug, ..Telling::default() };
    if let Some(lines) = wish.lines {
        telling.lines = usize::try_from(lines).unwrap_or(usize::MAX);
    }
    match tell_all(seed..u64::MAX, ACTS, telling, heard) {
        Ok(tally) => {
            println!("no checker objects after {:.0?}: {}", start.elapsed(), say(seed, &tally));
            Ok(())
        }
        Err(failed) => {
            let (violation, story) = *failed;
            Err(format!("{violation}\n{story}\nagain: --seed {} --requests 1", story.seed))
        }
    }
}

fn say(seed: u64, tally: &Tally) -> String {
    let all = &tally.all;
    format!(
        "{} stories (seeds {seed} to {}), {} requests, {} mishaps, {} moves, {} restarts, {} days",
        tally.stories,
        seed + tally.stories.saturating_sub(1),
        all.requests,
        all.mishaps,
        all.moves,
        all.restarts,
        all.time.as_secs() / 86_400
    )
}

fn main() -> ExitCode {
    match soak() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
