//! Commands and functions whose answers nobody waits for any more.

use super::task::Task;
use super::{Initiator, MAX_IN_FLIGHT, Tag};

impl Initiator {
    /// Gives up waiting for the answer to a command or a function: it goes on at the target, its late answer is dropped
    /// without a word, and no event follows. A command that was not handed out yet is still sent: its place in the order is
    /// taken. The rest of its data goes out when the target asks for it, for the unit would wait for it.
    ///
    /// When the target has not said yet that the command arrived, it is asked with a ping: a command that was lost on
    /// the way stops all that follow it, so the session ends ([`ProtocolError::CommandLost`](super::ProtocolError::CommandLost)).
    ///
    /// Returns whether it was in flight.
    pub fn abandon(&mut self, tag: Tag) -> bool {
        match self.tasks.remove(&tag.0) {
            Some(task) => self.forsake(tag.0, task),
            None if self.abandon_function(tag.0) => {}
            None => return false,
        }
        self.log_out_when_quiet();
        true
    }

    fn forsake(&mut self, tag: u32, task: Task) {
        if task.sent {
            self.suspect(task.command_sn);
        }
        if task.owes_data() {
            self.abandoned.insert(tag, task);
            // Their data is kept, so they are not more than commands in flight; the oldest has had the most time.
            if self.abandoned.len() > MAX_IN_FLIGHT {
                self.abandoned.pop_first();
            }
        }
    }
}
