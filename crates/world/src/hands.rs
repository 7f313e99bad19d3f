//! What a test does to the disk, to the transport, and in the libraries.

use std::collections::BTreeSet;

use autochanger_engine::Input;
use autochanger_engine::command::{Completion, TransportError};
use autochanger_sim::Outcome;

use crate::devices::completion;
use crate::watch::Sight;
use crate::world::World;

impl World {
    /// Tests put their hands into the libraries themselves: what stands elsewhere than it did is told to the checkers.
    pub(crate) fn notice_hands(&mut self) {
        let Some(before) = &self.contents else { return };
        let after = self.labels();
        let moved: Vec<String> =
            before.symmetric_difference(&after).map(|(_, _, label)| label.clone()).collect();
        self.contents = Some(after);
        if !moved.is_empty() {
            self.see(&Sight::Hands(&moved));
        }
    }

    /// What stands where, until hands are noticed. Only where a checker panics: stories say what hands do.
    pub(crate) fn remember(&mut self) {
        self.contents = self.watch.strict.then(|| self.labels());
    }

    fn labels(&self) -> BTreeSet<(usize, u16, String)> {
        let mut labels = BTreeSet::new();
        for (library, device) in self.device.0.iter().enumerate() {
            for (address, _, label) in device.contents() {
                labels.extend(label.map(|label| (library, address.0, label)));
            }
        }
        labels
    }

    /// Lets the disk go on.
    pub fn release_disk(&mut self) {
        // What follows from one batch queues behind those that wait already: a disk keeps their order.
        while let Some((batch, changes)) = self.stalled.pop_front() {
            self.commit(changes);
            self.input(Input::Persisted { batch, result: Ok(()) });
        }
        self.disk_held = false;
    }

    /// The disk commits the oldest batch that waits.
    pub fn release_one(&mut self) {
        if let Some((batch, changes)) = self.stalled.pop_front() {
            self.commit(changes);
            self.input(Input::Persisted { batch, result: Ok(()) });
        }
        if self.stalled.is_empty() {
            self.disk_held = false;
        }
    }

    /// Commits so many batches one after the other, with some steps of time behind each; the disk stays held.
    pub fn release_slowly(&mut self, batches: usize) {
        /// As many as a command, its answer and what follows from it take.
        const STEPS: u8 = 4;
        for _ in 0..batches {
            self.release_one();
            self.disk_held = true;
            for _ in 0..STEPS {
                self.step();
            }
        }
    }

    /// Requests that have ended are deleted.
    pub(crate) fn purge(&mut self) {
        let ids = self.disk.purgeable();
        self.see(&Sight::Purge(&ids));
        self.disk.purge(&ids);
    }

    /// The device answers what the transport kept, without having carried it out.
    pub fn answer_withheld(&mut self, result: Result<Completion, TransportError>) {
        self.withhold_moves = false;
        for command in std::mem::take(&mut self.withheld) {
            self.input(Input::Completed { command, result: result.clone() });
        }
    }

    /// The transport says that it never sent what it kept.
    pub fn deny_withheld(&mut self) {
        self.answer_withheld(completion(Outcome::NotDelivered));
    }
}
