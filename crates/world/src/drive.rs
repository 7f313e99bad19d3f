//! What happens next: outputs are carried out until there are none, then time goes on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use autochanger_engine::catalog::MotionState;
use autochanger_engine::command::{Completion, PathFault, PathFaultKind, TransportError};
use autochanger_engine::input::{ClaimError, StoreFailure};
use autochanger_engine::{Change, Input, Output, id};
use autochanger_sim::Outcome;

use crate::devices::{completion, unit};
use crate::watch::{Sight, Way};
use crate::world::{InFlight, PowerFailure, Store, World};

const MOVE_MEDIUM: u8 = 0xA5;
const EXCHANGE_MEDIUM: u8 = 0xA6;
const INQUIRY: u8 = 0x12;

/// Longer than anything is waited for in silence: a story's longest deadline.
const NOTHING_LEFT: Duration = Duration::from_secs(3600);

/// Steps of time in which a world must come to rest. A story's worst needs some thousands; what needs more never rests.
const MAX_STEPS: usize = 100_000;

/// Inputs at one moment of virtual time. Libraries that take no time for anything answer thousands of commands in one; what
/// takes more goes round in circles.
const MAX_AT_ONCE: u32 = 20_000;

/// What a command was told when its time was over.
fn gave_up() -> Result<Completion, TransportError> {
    Err(TransportError::OutcomeUnknown(PathFault {
        kind: PathFaultKind::TimedOut,
        device: Arc::from("sim:test"),
        detail: "no answer in time".into(),
    }))
}

impl World {
    /// Tells the engine something, and does what it wants because of it.
    pub fn input(&mut self, input: Input) {
        self.notice_hands();
        self.feed(input);
        self.remember();
    }

    fn feed(&mut self, input: Input) {
        self.tell(input);
        self.drain();
    }

    /// A violation ends the story: nothing is carried out after it.
    fn tell(&mut self, input: Input) {
        if self.watch.violation.is_none() {
            let (since, inputs) = self.at_once;
            self.at_once = if since == self.now { (since, inputs + 1) } else { (self.now, 0) };
            if inputs > MAX_AT_ONCE {
                let what = format!("{inputs} inputs, and the time stands still: {input:?}");
                return self.watch.object("rest", what, self.now);
            }
            self.see(&Sight::Input(&input));
            let now = self.moment();
            self.tape.write(|transcript| transcript.input(&input, now));
            self.engine.handle(input, now);
        }
    }

    pub(crate) fn drain(&mut self) {
        let mut inputs = VecDeque::new();
        while self.watch.violation.is_none() {
            while let Some(output) = self.engine.poll_output() {
                let now = self.moment();
                self.tape.write(|transcript| transcript.output(&output, now));
                if self.power_goes_at(&output) {
                    // What the engine wanted beside, nobody hears any more.
                    return self.crash();
                }
                if !matches!(&output, Output::Execute { command, .. } if command.cdb.opcode() == INQUIRY) {
                    self.active_at = self.now;
                }
                self.carry_out(output, &mut inputs);
            }
            for (library, key, outcome) in self.device.advance(self.now) {
                let Some(command) = self.in_flight.remove(&(library, key)) else { continue };
                inputs.push_back(Input::Completed { command: command.id, result: completion(outcome) });
            }
            match inputs.pop_front() {
                Some(input) => self.tell(input),
                None => return,
            }
        }
    }

    fn carry_out(&mut self, output: Output, inputs: &mut VecDeque<Input>) {
        match output {
            Output::Execute { path, id, command } => {
                let cdb = command.cdb.as_bytes();
                let ways = self.ways(usize::from(path.library.0), path.device, cdb);
                self.see(&Sight::Send { path, id, cdb, ways: &ways });
                let of_changer = path.device == id::Device::Changer;
                let kept = if of_changer { &mut self.timeouts } else { &mut self.drive_timeouts };
                if let Some(timeouts) = kept {
                    timeouts.push((command.cdb.opcode(), command.timeout));
                }
                if self.withhold_moves && command.cdb.opcode() == self.withhold_opcode {
                    return self.withheld.push(id);
                }
                if let Some((_, other)) = self.elsewhere.as_mut().filter(|(route, _)| *route == path.route.0)
                {
                    let key = other.submit(self.now, 0, cdb, &[], command.data_in);
                    let outcome = other.take(key).unwrap_or(Outcome::Lost);
                    return inputs.push_back(Input::Completed { command: id, result: completion(outcome) });
                }
                let library = usize::from(path.library.0);
                let (now, out) = (self.now, &command.data_out);
                let key = self.device.0[library].submit(now, unit(path), cdb, out, command.data_in);
                let until = self.now.saturating_add(command.timeout);
                self.in_flight.insert((library, key), InFlight { id, until });
            }
            Output::Persist { batch, .. } if self.store != Store::Sound => {
                self.store = Store::Failed;
                let result = Err(StoreFailure("the disk is broken".into()));
                inputs.push_back(Input::Persisted { batch, result });
            }
            Output::Persist { batch, changes } if self.disk_held => self.stalled.push_back((batch, changes)),
            Output::Persist { batch, changes } => {
                self.commit(changes);
                inputs.push_back(Input::Persisted { batch, result: Ok(()) });
            }
            Output::Lookup { token, .. } if self.lookups_lost > 0 => {
                self.lookups_lost -= 1;
                let result = Err(StoreFailure("the disk did not answer".into()));
                inputs.push_back(Input::Found { token, result });
            }
            Output::Lookup { token, id } => {
                let result = Ok(self.disk.requests.get(&id).cloned());
                inputs.push_back(Input::Found { token, result });
            }
            Output::Claim { library, .. } if self.claims_refused > 0 => {
                self.claims_refused -= 1;
                inputs.push_back(Input::Claimed { library, result: Err(ClaimError::InUse { pid: None }) });
            }
            Output::Claim { library, .. } => inputs.push_back(Input::Claimed { library, result: Ok(()) }),
            Output::Answer { token, answer } => {
                self.see(&Sight::Answer(token, &answer));
                self.answers.insert(token.0, answer);
            }
            Output::Notify(event) => {
                self.see(&Sight::Event(&event));
                self.events.push(event);
            }
        }
    }

    pub(crate) fn commit(&mut self, changes: Vec<Change>) {
        self.see(&Sight::Commit(&changes));
        self.disk.commit(changes);
    }

    /// Whether the power goes with this output. The batch is on the disk by then, or it is not.
    fn power_goes_at(&mut self, output: &Output) -> bool {
        let Output::Persist { changes, .. } = output else { return false };
        match &mut self.power_fails {
            None => false,
            Some(PowerFailure { batch: 0, kept }) => {
                // A store that has failed takes nothing any more.
                if *kept && !self.disk_held && self.store == Store::Sound {
                    self.commit(changes.clone());
                }
                true
            }
            Some(PowerFailure { batch, .. }) => {
                *batch -= 1;
                false
            }
        }
    }

    /// The motions that a command asks for, each with the intent that says so.
    fn ways(&self, library: usize, device: id::Device, cdb: &[u8]) -> Vec<Way> {
        if device != id::Device::Changer {
            return Vec::new();
        }
        let address = |at: usize| u16::from_be_bytes([cdb[at], cdb[at + 1]]);
        let ways = match cdb[0] {
            MOVE_MEDIUM => vec![(address(4), address(6))],
            EXCHANGE_MEDIUM => vec![(address(4), address(6)), (address(6), address(8))],
            _ => return Vec::new(),
        };
        let serial = self.device.0[library].serial();
        let record = self.disk.libraries.iter().find(|record| &*record.identity.serial == serial);
        let intent = |source, destination| {
            let open = self.disk.motions.values().filter(|motion| {
                motion.state == MotionState::Open
                    && record.is_some_and(|record| record.id == motion.library)
                    && (motion.source.address.0, motion.destination.address.0) == (source, destination)
            });
            open.max_by_key(|motion| (motion.at, motion.sequence))
                .map(|motion| (motion.request, motion.sequence))
        };
        ways.into_iter()
            .map(|(source, destination)| Way { source, destination, intent: intent(source, destination) })
            .collect()
    }

    /// One step of time: to whatever happens next. `false` when nothing does.
    pub fn step(&mut self) -> bool {
        if self.watch.violation.is_some() {
            return false;
        }
        self.notice_hands();
        let given_up = self.in_flight.values().map(|command| command.until).min().filter(|_| self.gives_up);
        let next = [self.device.next_event(), self.engine.next_deadline(), given_up];
        let Some(next) = next.into_iter().flatten().min() else { return false };
        self.now = self.now.max(next);
        for (library, key, outcome) in self.device.advance(self.now) {
            if let Some(command) = self.in_flight.remove(&(library, key)) {
                self.feed(Input::Completed { command: command.id, result: completion(outcome) });
            }
        }
        if self.gives_up {
            let over: Vec<_> = self
                .in_flight
                .iter()
                .filter(|(_, command)| command.until <= self.now)
                .map(|(&key, _)| key)
                .collect();
            for key in over {
                if let Some(command) = self.in_flight.remove(&key) {
                    self.feed(Input::Completed { command: command.id, result: gave_up() });
                }
            }
        }
        self.feed(Input::Tick);
        self.see(&Sight::Passed);
        self.remember();
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

    /// Steps until nothing happens any more but looks at the paths in reserve, which never end.
    ///
    /// # Panics
    /// If that never comes.
    pub fn rest(&mut self) {
        let several = self.config.libraries.iter().any(|library| library.paths.len() > 1);
        for _ in 0..MAX_STEPS {
            if several && self.now.saturating_sub(self.active_at) > NOTHING_LEFT {
                return;
            }
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
