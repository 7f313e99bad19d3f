//! A failing story made shorter: acts are left out while the same checker still objects.

use crate::act::Act;
use crate::story::{Story, Telling, tell};

/// Tellings that shrinking may take: some seconds.
const MAX_TELLINGS: u32 = 2_000;

/// The story with as few acts as could be found, for which the same checker still objects (Zeller's delta debugging, by
/// complements only). A story that does not fail is given back as it is.
#[must_use]
pub fn shrink(story: &Story, telling: Telling) -> Story {
    let mut telling = telling;
    telling.lines = 0;
    let Err(violation) = tell(story, telling) else { return story.clone() };
    let mut tellings = 0;
    let mut fails = |acts: &[Act]| {
        tellings += 1;
        let shorter = Story { acts: acts.to_vec(), ..story.clone() };
        tellings <= MAX_TELLINGS
            && tell(&shorter, telling).is_err_and(|other| other.checker == violation.checker)
    };
    let mut acts = story.acts.clone();
    let mut chunk = acts.len().div_ceil(2);
    while chunk > 0 {
        let (mut at, mut shorter) = (0, false);
        while at < acts.len() {
            let mut without = acts.clone();
            without.drain(at..(at + chunk).min(acts.len()));
            if fails(&without) {
                acts = without;
                shorter = true;
            } else {
                at += chunk;
            }
        }
        // A round of single acts that left nothing out is the last one.
        chunk = if chunk > 1 { chunk.div_ceil(2) } else { usize::from(shorter) };
    }
    Story { acts, ..story.clone() }
}
