//! What would be done next: a copy of the engine is told that all goes well, and what it does is noted.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType, ExchangeMedium, LoadUnload, MoveMedium, Status};

use super::Engine;
use super::live::{Live, Phase};
use super::work::{TaskId, Timer, Work};
use crate::command::{Command, Completion};
use crate::forecast::{Forecast, Horizon, MAX_STEPS, NextStep, Step, Waits, Why};
use crate::id::{CommandId, LibraryIndex, RequestId, Token};
use crate::input::Input;
use crate::library::learned::Usual;
use crate::library::queue::Blocker;
use crate::output::{Answer, Change, Event, EventKind, Output, Refusal};
use crate::request::{State, Submission};
use crate::time::Now;

/// How many inputs each step may take at the most: a request that passes takes about ten.
const INPUTS_PER_STEP: usize = 64;
/// The mark of the submission that is tried out. No caller of the copy waits for it.
const TRIED: Token = Token(u64::MAX);

/// How many reasons are kept for a request between two steps of it: as many as one decision has.
const MAX_REASONS: usize = 4;

impl Engine {
    /// What would be done next, `steps` of it at the most: see [`Forecast`]. The engine itself does not change; where that
    /// matters, this can be asked of a copy elsewhere.
    #[doc(alias = "dry run")]
    pub fn forecast(&self, steps: usize, now: Now) -> Forecast {
        Run::of(self, steps, now).play().0
    }

    /// The same, as if `submission` had been accepted before; why it would be refused otherwise.
    ///
    /// # Errors
    /// What handing it in would be answered with.
    pub fn forecast_with(&self, submission: Submission, steps: usize, now: Now) -> Result<Forecast, Refusal> {
        let mut run = Run::of(self, steps, now);
        run.engine.handle(Input::Submit { token: TRIED, submission }, now);
        let (forecast, refused) = run.play();
        refused.map_or(Ok(forecast), Err)
    }

    /// Notes why it was decided so, for whoever asks before the step is taken.
    pub(crate) fn because(&mut self, id: RequestId, why: Why) {
        let Some(live) = self.live.get_mut(&id) else { return };
        if core::mem::take(&mut live.step_begun) {
            live.why.clear();
        }
        if live.why.len() < MAX_REASONS && !live.why.contains(&why) {
            live.why.push(why);
        }
    }

    /// The requests that wait in the queue, in their order, and who has what they wait for.
    fn waits(&self) -> Vec<Waits> {
        let waits = |live: &&Live| {
            let others = matches!(live.phase, Phase::Operator | Phase::AtPort | Phase::Door | Phase::Owner);
            (live.is_in_queue() || others) && live.ending.is_none()
        };
        let mut waiting: Vec<&Live> = self.live.shown().filter(waits).collect();
        waiting.sort_by_key(|live| (live.library, live.order));
        let told = |live: &Live| Waits {
            request: live.request.clone(),
            waiting: match live.request.state {
                State::Waiting(waiting) => Some(waiting),
                _ => live.blocker().map(Blocker::shown),
            },
            held_by: self.holders(live),
        };
        waiting.into_iter().map(told).collect()
    }

    fn holders(&self, live: &Live) -> Vec<RequestId> {
        let Some(library) = live.library.and_then(|index| self.library(index)) else { return Vec::new() };
        let in_drive = |element: &crate::library::elements::ElementState| {
            element.reserved_by.or_else(|| element.drive.as_ref()?.mount)
        };
        let mut holders: Vec<RequestId> = match live.blocker() {
            Some(Blocker::Medium(cartridge)) => {
                let mount = self.catalogue.mount_of(cartridge).map(|mount| mount.id);
                self.catalogue.reserver(cartridge).or(mount).into_iter().collect()
            }
            Some(Blocker::Drive(drive)) => {
                library.elements.get(drive).and_then(in_drive).into_iter().collect()
            }
            Some(Blocker::AnyDrive(need)) => library
                .elements
                .of_kind(ElementType::Drive)
                .filter(|drive| library.elements.drive_fits(drive.name.address, need))
                .filter_map(in_drive)
                .collect(),
            Some(Blocker::Slot) => Vec::new(),
            Some(Blocker::Port) => {
                let ports = library.elements.of_kind(ElementType::ImportExport);
                ports.filter_map(|port| port.reserved_by).collect()
            }
            _ => Vec::new(),
        };
        for holder in &mut holders {
            *holder = self.live.whole(*holder);
        }
        holders.retain(|holder| *holder != live.request.id);
        holders
    }
}

/// A copy that is told that all goes well, when it may be expected.
struct Run {
    engine: Engine,
    /// What it will be told, by the time and in turn.
    answers: BTreeMap<(Duration, u64), Input>,
    told: u64,
    from: Now,
    now: Now,
    steps: Vec<NextStep>,
    ended_because: BTreeMap<RequestId, Vec<Why>>,
    limit: usize,
    /// A device was asked something that cannot be foreseen.
    open: bool,
    refused: Option<Refusal>,
}

impl Run {
    fn of(engine: &Engine, steps: usize, now: Now) -> Self {
        let mut run = Self {
            engine: engine.clone(),
            answers: BTreeMap::new(),
            told: 0,
            from: now,
            now,
            steps: Vec::new(),
            ended_because: BTreeMap::new(),
            limit: steps.min(MAX_STEPS),
            open: false,
            refused: None,
        };
        for batch in run.engine.outbox.on_their_way().collect::<Vec<_>>() {
            run.tell(Duration::ZERO, Input::Persisted { batch, result: Ok(()) });
        }
        let under_way: Vec<_> = run
            .engine
            .commands
            .iter()
            .map(|(&command, (task, path))| (command, *task, path.library))
            .collect();
        for (command, task, library) in under_way {
            run.foresee(command, task, library);
        }
        run
    }

    fn tell(&mut self, after: Duration, input: Input) {
        self.told += 1;
        self.answers.insert((self.now.monotonic.saturating_add(after), self.told), input);
    }

    fn play(mut self) -> (Forecast, Option<Refusal>) {
        let most = (self.limit + self.answers.len()).saturating_mul(INPUTS_PER_STEP);
        for _ in 0..most {
            while let Some(output) = self.engine.poll_output() {
                self.hear(output);
            }
            if self.steps.len() >= self.limit || self.refused.is_some() || !self.goes_on() {
                break;
            }
        }
        let horizon = match () {
            () if self.steps.len() >= self.limit => Horizon::Limit,
            () if self.open => Horizon::Report,
            () => Horizon::Rest,
        };
        self.steps.truncate(self.limit);
        (Forecast { waiting: self.engine.waits(), steps: self.steps, horizon }, self.refused)
    }

    /// Lets the next thing happen; `false` where nothing would any more.
    fn goes_on(&mut self) -> bool {
        let answer = self.answers.first_key_value().map(|((at, _), _)| *at);
        let timer = self.engine.timers.iter().find(|(_, timer)| self.counts(timer)).map(|(key, _)| key.at);
        let Some(at) = answer.into_iter().chain(timer).min() else { return false };
        let passed = at.saturating_sub(self.now.monotonic);
        self.now = Now { monotonic: self.now.monotonic.max(at), wall: self.now.wall.plus(passed) };
        let input = match answer {
            Some(due) if due <= at => self.answers.pop_first().map(|(_, input)| input),
            _ => None,
        };
        self.engine.handle(input.unwrap_or(Input::Tick), self.now);
        true
    }

    /// Whether time goes on for it: for what is asked again, and for what was put off. What would only come to its end by time (a
    /// deadline, a person who does not come) is not waited for.
    fn counts(&self, timer: &Timer) -> bool {
        match timer {
            Timer::Wake(task) => {
                self.engine.work(*task).is_some_and(|work| matches!(work, Work::Ready(..) | Work::Unload(..)))
            }
            Timer::Requeue(_) | Timer::Schedule(_) | Timer::DwellOver(..) => true,
            _ => false,
        }
    }

    fn hear(&mut self, output: Output) {
        match output {
            Output::Persist { batch, changes } => {
                for change in changes {
                    self.keep_reasons(&change);
                }
                self.tell(Duration::ZERO, Input::Persisted { batch, result: Ok(()) });
            }
            Output::Execute { id, command, .. } => self.sent(id, &command),
            // What is tried out is new.
            Output::Lookup { token, .. } => {
                self.tell(Duration::ZERO, Input::Found { token, result: Ok(None) });
            }
            Output::Answer { token: TRIED, answer: Answer::Submitted(Err(error)) } => {
                self.refused = Some(error);
            }
            Output::Notify(Event { kind, .. }) => self.told(kind),
            Output::Answer { .. } | Output::Claim { .. } => {}
        }
    }

    fn sent(&mut self, id: CommandId, command: &Command) {
        let Some((task, path)) = self.engine.commands.get(&id).copied() else { return };
        let Some(work) = self.engine.work(task) else { return };
        let drive_of = |request: &RequestId| self.drive_of(*request);
        let way = |request: &RequestId| {
            let record = &self.engine.library(path.library)?.motions.get(request)?.record;
            Some((record.source, record.destination))
        };
        let step = match work {
            Work::Motion(request, _) if command.cdb.opcode() == MoveMedium::OPCODE => {
                way(request).map(|(source, destination)| (*request, Step::Move { source, destination }))
            }
            Work::Exchange { dismount, mount, .. } if command.cdb.opcode() == ExchangeMedium::OPCODE => {
                way(dismount).zip(way(mount)).map(|((drive, destination), (source, _))| {
                    (*dismount, Step::Exchange { drive, source, destination, mount: *mount })
                })
            }
            Work::Unload(request, _) if command.cdb.opcode() == LoadUnload::OPCODE => {
                drive_of(request).map(|drive| (*request, Step::Unload { drive }))
            }
            Work::Inventory { request: Some(request), .. } | Work::Initialize(request, _) => {
                Some((*request, Step::Inventory))
            }
            Work::Label(request, _) => Some((*request, Step::Label { drive: drive_of(request) })),
            Work::Clean(request, _) => Some((*request, Step::Clean { drive: drive_of(request) })),
            _ => None,
        };
        if let Some((request, step)) = step {
            self.note(request, step);
        }
        self.foresee(id, task, path.library);
    }

    /// How a command ends if all goes well, and when.
    fn foresee(&mut self, command: CommandId, task: TaskId, library: LibraryIndex) {
        let Some(work) = self.engine.work(task) else { return };
        let good = Completion::good();
        let same_drive = self.engine.serial_asked_for(task);
        if let (Work::Ready(..) | Work::Unload(..), Some(data)) = (work, same_drive) {
            let answer = Completion { data, ..good };
            return self.tell(Duration::ZERO, Input::Completed { command, result: Ok(answer) });
        }
        let (after, answer) = match work {
            Work::Motion(id, motion) if motion.doubt().is_none() => {
                (self.left(library, *id, self.way(library, *id)), good)
            }
            Work::Exchange { dismount, work, .. } if work.doubt().is_none() => {
                (self.left(library, *dismount, self.way(library, *dismount)).saturating_mul(2), good)
            }
            // A medium that was in its drive before is ready.
            Work::Ready(id, _) if self.engine.live.get(id).is_some_and(|live| live.request.motions == 0) => {
                (Duration::ZERO, good)
            }
            Work::Ready(id, _) => (self.left(library, *id, Usual::Load(self.drive_of(*id))), good),
            Work::Unload(id, _) => (self.left(library, *id, Usual::Unload(self.drive_of(*id))), good),
            Work::Port(..) | Work::Release(_) => (Duration::ZERO, good),
            // Whether a drive wants to be cleaned is not foreseen, and nobody waits for it.
            Work::Needs(..) => (Duration::ZERO, Completion { status: Status::Busy, ..good }),
            _ => {
                self.open = true;
                return;
            }
        };
        self.tell(after, Input::Completed { command, result: Ok(answer) });
    }

    /// The way of the request's present motion.
    fn way(&self, library: LibraryIndex, id: RequestId) -> Usual {
        let ends = self.engine.library(library).and_then(|library| {
            let record = &library.motions.get(&id)?.record;
            Some((record.source.address, record.destination.address))
        });
        let (one, other) = ends.unwrap_or_default();
        Usual::Motion(one, other)
    }

    fn drive_of(&self, id: RequestId) -> Option<ElementAddress> {
        self.engine.live.get(&id)?.request.drive
    }

    /// What is left of the usual time of the request's present step.
    fn left(&self, library: LibraryIndex, id: RequestId, usual: Usual) -> Duration {
        let live = self.engine.live.get(&id);
        let begun = live.and_then(|live| live.since).unwrap_or(self.now.monotonic);
        let usual = self.engine.library(library).map_or(Duration::ZERO, |library| library.usual(usual));
        usual.saturating_sub(self.now.monotonic.saturating_sub(begun))
    }

    fn told(&mut self, kind: EventKind) {
        match kind {
            EventKind::Request(request) if request.state.is_final() => {
                let (after, why) =
                    (self.passed(), self.ended_because.remove(&request.id).unwrap_or_default());
                self.steps.push(NextStep { after, step: Step::End(request.state.clone()), request, why });
            }
            EventKind::Request(request) if request.state == State::Deferred => {
                self.note(request.id, Step::PutOff);
            }
            EventKind::OperatorAsked(asked) => self.note(asked.request, Step::Ask(asked.task)),
            _ => {}
        }
    }

    /// A request leaves with its reasons when its end is durable; they are told with that.
    fn keep_reasons(&mut self, change: &Change) {
        let Change::Request(request) = change else { return };
        if request.state.is_final()
            && let Some(live) = self.engine.live.get_mut(&request.id)
        {
            self.ended_because.insert(request.id, core::mem::take(&mut live.why));
        }
    }

    fn note(&mut self, request: RequestId, step: Step) {
        let after = self.passed();
        let request = self.engine.live.whole(request);
        if let Some(live) = self.engine.live.get_mut(&request) {
            let why = core::mem::take(&mut live.why);
            self.steps.push(NextStep { after, request: live.request.clone(), step, why });
        }
    }

    fn passed(&self) -> Duration {
        self.now.monotonic.saturating_sub(self.from.monotonic)
    }
}
