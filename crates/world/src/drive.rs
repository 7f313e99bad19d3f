//! What happens next: outputs are carried out until there are none, then time goes on.

use std::collections::VecDeque;
use std::time::Duration;

use autochanger_engine::{Input, Output};

use crate::devices::{completion, unit};
use crate::world::World;

/// Steps of time in which a world must come to rest. A story's worst needs some thousands; what needs more never rests.
const MAX_STEPS: usize = 100_000;

impl World {
    /// Tells the engine something, and does what it wants because of it.
    pub fn input(&mut self, input: Input) {
        self.handle(input);
        self.drain();
    }

    fn handle(&mut self, input: Input) {
        let now = self.moment();
        self.tape.write(|transcript| transcript.input(&input, now));
        self.engine.handle(input, now);
    }

    pub(crate) fn drain(&mut self) {
        let mut inputs = VecDeque::new();
        loop {
            while let Some(output) = self.engine.poll_output() {
                let now = self.moment();
                self.tape.write(|transcript| transcript.output(&output, now));
                match output {
                    Output::Execute { id, command, .. }
                        if self.withhold_moves && command.cdb.opcode() == self.withhold_opcode =>
                    {
                        self.withheld.push(id);
                    }
                    Output::Execute { path, id, command } => {
                        self.assert_intended(command.cdb.as_bytes());
                        let library = usize::from(path.library.0);
                        let device = &mut self.device.0[library];
                        let unit = unit(path.device);
                        let (cdb, data) = (command.cdb.as_bytes(), &command.data_out);
                        let key = device.submit(self.now, unit, cdb, data, command.data_in);
                        self.in_flight.insert((library, key), id);
                    }
                    Output::Persist { batch, changes } if self.disk_held => {
                        self.stalled.push_back((batch, changes));
                    }
                    Output::Persist { batch, changes } => {
                        self.disk.commit(changes);
                        inputs.push_back(Input::Persisted { batch, result: Ok(()) });
                    }
                    Output::Lookup { token, id } => {
                        let result = Ok(self.disk.requests.get(&id).cloned());
                        inputs.push_back(Input::Found { token, result });
                    }
                    Output::Claim { library, .. } => {
                        inputs.push_back(Input::Claimed { library, result: Ok(()) });
                    }
                    Output::Answer { token, answer } => {
                        self.answers.insert(token.0, answer);
                    }
                    Output::Notify(event) => self.events.push(event),
                }
            }
            for (library, key, outcome) in self.device.advance(self.now) {
                let Some(command) = self.in_flight.remove(&(library, key)) else { continue };
                inputs.push_back(Input::Completed { command, result: completion(outcome) });
            }
            match inputs.pop_front() {
                Some(input) => self.handle(input),
                None => return,
            }
        }
    }

    /// One step of time: to whatever happens next. `false` when nothing does.
    pub fn step(&mut self) -> bool {
        let Some(next) = self.next_event() else { return false };
        self.now = self.now.max(next);
        for (library, key, outcome) in self.device.advance(self.now) {
            if let Some(command) = self.in_flight.remove(&(library, key)) {
                self.input(Input::Completed { command, result: completion(outcome) });
            }
        }
        self.input(Input::Tick);
        true
    }

    /// When something happens next by itself.
    #[must_use]
    pub fn next_event(&self) -> Option<Duration> {
        [self.device.next_event(), self.engine.next_deadline()].into_iter().flatten().min()
    }

    /// Time goes on to a moment before which nothing happens by itself.
    pub fn wait_until(&mut self, moment: Duration) {
        self.now = self.now.max(moment);
        self.input(Input::Tick);
    }

    /// Steps until nothing happens any more.
    ///
    /// # Panics
    /// If that never comes.
    pub fn rest(&mut self) {
        for _ in 0..MAX_STEPS {
            if !self.step() {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Steps until it is so.
    ///
    /// # Panics
    /// If that never comes.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        for _ in 0..MAX_STEPS {
            if is_so(self) {
                return;
            }
            assert!(self.step(), "the world came to rest before: {what}");
        }
        panic!("never: {what}");
    }
}
