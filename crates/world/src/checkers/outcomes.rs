//! States follow each other as the table says, and what has ended stays as it ended, across restarts too.

use autochanger_engine::Change;
use autochanger_engine::catalog::MotionState;
use autochanger_engine::request::Wanted;

use crate::watch::{Checker, Facts, Sight};

/// Compares each change with what is on the disk.
#[derive(Debug)]
pub(crate) struct Outcomes;

impl Checker for Outcomes {
    fn name(&self) -> &'static str {
        "outcomes"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        let Sight::Commit(changes) = sight else { return Ok(()) };
        for (n, change) in changes.iter().enumerate() {
            match change {
                Change::Request(request) => {
                    // One batch can change a request several times.
                    let earlier = changes.iter().take(n).rev().find_map(|change| match change {
                        Change::Request(earlier) if earlier.id == request.id => Some(earlier),
                        _ => None,
                    });
                    let Some(old) = earlier.or_else(|| facts.disk.requests.get(&request.id)) else {
                        continue;
                    };
                    let same = old.state == request.state;
                    if old.state.is_final() && !same {
                        return Err(format!(
                            "{} had ended: {}; now {}",
                            request.id, old.state, request.state
                        ));
                    }
                    if !same && !old.state.may_become(&request.state) {
                        return Err(format!("{}: {} cannot become {}", request.id, old.state, request.state));
                    }
                    let fixed = old.wanted == request.wanted
                        && (old.cartridge == request.cartridge || works_on_what_comes(&request.wanted))
                        && old.queued_at == request.queued_at
                        && old.motions <= request.motions;
                    if !fixed {
                        return Err(format!(
                            "{}: what was asked has changed: {old:?} {request:?}",
                            request.id
                        ));
                    }
                }
                Change::Motion(motion) => {
                    let known = facts.disk.motions.get(&(motion.request, motion.sequence));
                    if let Some(old) =
                        known.filter(|old| old.state != MotionState::Open && old.state != motion.state)
                    {
                        return Err(format!("motion {old:?} had ended; now {:?}", motion.state));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether the request is about no cartridge that was named: what it works on changes with what a person brings.
fn works_on_what_comes(wanted: &Wanted) -> bool {
    matches!(
        wanted,
        Wanted::Inject { .. }
            | Wanted::InjectCleaner { .. }
            | Wanted::EjectCleaner { .. }
            | Wanted::CleanDrive { .. }
    )
}
