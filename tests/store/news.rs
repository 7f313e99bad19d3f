//! What a batch would make durable for the first time: where in a request's way its commit stands.

use std::fmt;

use autochanger::RequestId;
use autochanger::catalog::{MotionRecord, MotionState};
use autochanger::change::Change;
use autochanger::store::{RedbStore, Store};

/// The commits that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// A new request (row 2).
    Accepted,
    /// The intent of a motion (row 4).
    Intent,
    /// What became of a motion (row 8).
    Outcome,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Intent => "intent",
            Self::Outcome => "outcome",
        })
    }
}

/// The news of a batch, with the request and, for motions, its number.
pub(crate) fn news(store: &mut RedbStore, batch: &[Change]) -> Vec<(Row, RequestId, u32)> {
    batch.iter().filter_map(|change| one(store, change)).collect()
}

fn one(store: &mut RedbStore, change: &Change) -> Option<(Row, RequestId, u32)> {
    match change {
        Change::Request(request) => {
            let known = store.request(request.id).expect("the store reads").is_some();
            (!known && !request.state.is_final()).then_some((Row::Accepted, request.id, 0))
        }
        Change::Motion(MotionRecord { request, sequence, state, .. }) => {
            let motions = store.motions(*request).expect("the store reads");
            let before =
                motions.iter().find(|motion| motion.sequence == *sequence).map(|motion| motion.state);
            match (before, *state) {
                (None, MotionState::Open) => Some((Row::Intent, *request, *sequence)),
                (Some(MotionState::Open), after) if after != MotionState::Open => {
                    Some((Row::Outcome, *request, *sequence))
                }
                _ => None,
            }
        }
        _ => None,
    }
}
