//! What happened, for a person: what was asked, decided, sent and answered, in order, with times.
//!
//! [`ManagerBuilder::transcript`](crate::ManagerBuilder::transcript) hands each [`Line`] to a closure. [`Recording`] keeps them for
//! a test; the manual's chapter on [testing](crate::manual::testing#transcripts) has an example.
//!
//! Lines are for people and for comparing: their wording may change with any release. Programs read
//! [events](crate::Session::events).

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use autochanger_engine::transcript::{Kind, LINE_MAX, Line};

/// Lines that a [`Recording`] keeps, the last ones: some 30 MB, and more than a person reads of one test.
pub const RECORDING_MAX: usize = 100_000;

/// Keeps the lines of a transcript in memory. Clones are the same recording, and it can be given to several managers, one after
/// the other or at once.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    lines: Arc<Mutex<VecDeque<Line>>>,
}

impl Recording {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// What to give to [`ManagerBuilder::transcript`](crate::ManagerBuilder::transcript).
    pub fn sink(&self) -> impl FnMut(&Line) + Send + use<> {
        let recording = self.clone();
        move |line| {
            let mut lines = recording.lock();
            if lines.len() == RECORDING_MAX {
                lines.pop_front();
            }
            lines.push_back(line.clone());
        }
    }

    /// The lines so far, at most the last [`RECORDING_MAX`].
    pub fn lines(&self) -> Vec<Line> {
        self.lock().iter().cloned().collect()
    }

    /// The lines so far without times and ids, one below the other: the same in two runs of one story.
    pub fn comparable(&self) -> String {
        self.lock().iter().flat_map(|line| [line.comparable(), "\n".into()]).collect()
    }

    /// Forgets the lines so far, so that what follows can be compared by itself.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// A panic elsewhere leaves whole lines behind.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Recording {
    /// The lines with times and ids, one below the other.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
