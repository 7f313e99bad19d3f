//! Many stories, on all cores.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::draw::draw;
use crate::shrink::shrink;
use crate::story::{Story, Tale, Telling, tell};
use crate::watch::Violation;

/// What many stories came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Stories.
    pub stories: u64,
    /// All together.
    pub all: Tale,
}

impl Tally {
    /// Adds a story.
    pub fn add(&mut self, tale: Tale) {
        self.stories += 1;
        self.all.requests += tale.requests;
        self.all.mishaps += tale.mishaps;
        self.all.moves += tale.moves;
        self.all.restarts += tale.restarts;
        self.all.time = self.all.time.saturating_add(tale.time);
    }
}

/// Tells the stories of the seeds on all cores, until one fails. `progress` hears of every story, and ends the telling by
/// saying `false`.
///
/// # Errors
/// The violation of the smallest seed that failed, with its transcript, and the story made shorter.
pub fn tell_all(
    seeds: Range<u64>,
    acts: usize,
    telling: Telling,
    progress: impl Fn(u64, Tale) -> bool + Sync,
) -> Result<Tally, Box<(Violation, Story)>> {
    let (next, tally, failed) =
        (AtomicU64::new(seeds.start), Mutex::new(Tally::default()), Mutex::new(None::<u64>));
    let worker = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // Each seed below a failing one is told by somebody: it was handed out before.
            if seed >= seeds.end || lock(&failed).is_some_and(|failed| failed < seed) {
                return;
            }
            match tell(&draw(seed, acts), Telling { lines: 0, ..telling }) {
                Ok(tale) => {
                    lock(&tally).add(tale);
                    if !progress(seed, tale) {
                        next.store(seeds.end, Ordering::Relaxed);
                        return;
                    }
                }
                Err(_) => {
                    let mut failed = lock(&failed);
                    *failed = Some(failed.map_or(seed, |other| other.min(seed)));
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(worker);
        }
    });
    let tally = *lock(&tally);
    match *lock(&failed) {
        None => Ok(tally),
        Some(seed) => {
            // The one story that fails for certain is the one that was shrunk.
            let story = shrink(&draw(seed, acts), telling);
            match tell(&story, telling) {
                Err(violation) => Err(Box::new((*violation, story))),
                Ok(_) => {
                    let what = "it failed once and not again: a story must repeat exactly".into();
                    let (step, at) = (0, Duration::ZERO);
                    let transcript = Vec::new();
                    let violation =
                        Violation { seed: Some(seed), checker: "repeats", step, at, what, transcript };
                    Err(Box::new((violation, story)))
                }
            }
        }
    }
}

/// A thread that panicked has left the numbers as they were.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
