//! What a test does to the disk and to the transport.

use autochanger_engine::Input;
use autochanger_engine::command::{Completion, TransportError};
use autochanger_sim::Outcome;

use crate::devices::completion;
use crate::world::World;

impl World {
    /// Lets the disk go on.
    pub fn release_disk(&mut self) {
        // What follows from one batch queues behind those that wait already: a disk keeps their order.
        while let Some((batch, changes)) = self.stalled.pop_front() {
            self.disk.commit(changes);
            self.input(Input::Persisted { batch, result: Ok(()) });
        }
        self.disk_held = false;
    }

    /// The disk commits the oldest batch that waits.
    pub fn release_one(&mut self) {
        if let Some((batch, changes)) = self.stalled.pop_front() {
            self.disk.commit(changes);
            self.input(Input::Persisted { batch, result: Ok(()) });
        }
        if self.stalled.is_empty() {
            self.disk_held = false;
        }
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
