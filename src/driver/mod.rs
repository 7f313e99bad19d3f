//! The only asynchronous logic: it selects what comes next, the engine decides, and the outputs are handed to those who
//! do the work. The loop awaits nothing but its select.

mod claim;
mod inbox;
mod message;
mod owner;
mod path;
mod questions;
mod record;
mod standing;
mod sweep;
mod trace;
mod writer;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use autochanger_engine::id::{CommandId, LibraryIndex, Token};
use autochanger_engine::{Engine, Event, EventKind, Input, Output};
use autochanger_scsi::PersistentReserveOut;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};

pub(crate) use claim::default_directory;
pub(crate) use message::{Accepted, Closed, Control, Lost, PurgeFailed, Standing, Submit, Work, ended};
#[cfg(feature = "iscsi")]
pub(crate) use owner::machine_number;
pub(crate) use owner::owner_key;
pub(crate) use path::Ways;
pub(crate) use record::{Recorder, Sink};
pub(crate) use sweep::Keep;
pub(crate) use writer::Writer;

use crate::clock::Clock;
use claim::Lock;
use inbox::{Inbox, Next};
use message::Report;
use path::Paths;
use questions::{Asked, MAX_UNANSWERED};
use standing::Standings;
use sweep::Sweeping;

/// Submissions on their way to the engine: enough to keep it busy while callers are scheduled, few enough that a caller
/// feels a full house at once instead of filling memory.
pub(crate) const SUBMISSION_LANE: usize = 1024;

/// Cancels, adoptions, closings and looks on their way. They are served first, so few ever wait.
pub(crate) const CONTROL_LANE: usize = 256;

/// Events that a subscriber may lag behind before it loses the oldest ones.
pub(crate) const EVENT_BUFFER: usize = 4096;

/// How long a manager that is shut down waits until its libraries are given back: two short commands each, all at once. What is
/// not given back then is the same owner's again at its next start.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// What a driver is made of.
pub(crate) struct Setup {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) writer: Writer,
    pub(crate) libraries: Arc<[Ways]>,
    pub(crate) lock_directory: PathBuf,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) keep: Keep,
}

/// The way to a driver.
#[derive(Clone)]
pub(crate) struct Lanes {
    pub(crate) submissions: mpsc::Sender<Submit>,
    pub(crate) control: mpsc::Sender<Control>,
    /// Weak, so that the streams of events end when the driver does.
    pub(crate) events: broadcast::WeakSender<Event>,
    pub(crate) stop: Arc<Notify>,
}

/// Starts a driver; the receiver's sender is dropped when it has ended, its store closed and its locks given back.
pub(crate) fn start(setup: Setup) -> (Lanes, oneshot::Receiver<()>) {
    let (submissions, submission_lane) = mpsc::channel(SUBMISSION_LANE);
    let (control, control_lane) = mpsc::channel(CONTROL_LANE);
    let (events, _) = broadcast::channel(EVENT_BUFFER);
    let (report, reports) = mpsc::unbounded_channel();
    let (alive, ended) = oneshot::channel();
    let stop = Arc::new(Notify::new());
    let lanes = Lanes { submissions, control, events: events.downgrade(), stop: Arc::clone(&stop) };
    let sweeping = Sweeping::new(setup.keep, setup.clock.now());
    let driver = Driver {
        engine: setup.engine,
        clock: setup.clock,
        paths: Paths::new(Arc::clone(&setup.libraries), report.clone()),
        libraries: setup.libraries,
        writer: setup.writer,
        report,
        events,
        standings: Standings::default(),
        asked: HashMap::new(),
        next_token: 0,
        inline: VecDeque::new(),
        unpersisted: 0,
        locks: HashMap::new(),
        lock_directory: setup.lock_directory,
        recorder: setup.recorder,
        sweeping,
        timer: None,
        stopping: false,
        giving_back: HashSet::new(),
    };
    tokio::spawn(async move {
        driver
            .run(Inbox { control: control_lane, submissions: submission_lane, reports, stop, streak: 0 })
            .await;
        drop(alive);
    });
    (lanes, ended)
}

struct Timer {
    at: Duration,
    sleep: Pin<Box<dyn Future<Output = ()> + Send>>,
}

struct Driver {
    engine: Engine,
    clock: Arc<dyn Clock>,
    libraries: Arc<[Ways]>,
    paths: Paths,
    writer: Writer,
    report: mpsc::UnboundedSender<Report>,
    events: broadcast::Sender<Event>,
    standings: Standings,
    /// Bounded, see [`questions`].
    asked: HashMap<Token, Asked>,
    next_token: u64,
    /// What a store that does not block has answered already.
    inline: VecDeque<Input>,
    /// Batches that were given to the store and not reported.
    unpersisted: usize,
    locks: HashMap<LibraryIndex, Lock>,
    lock_directory: PathBuf,
    recorder: Option<Recorder>,
    sweeping: Sweeping,
    timer: Option<Timer>,
    stopping: bool,
    /// Commands that give libraries back and have not ended.
    giving_back: HashSet<CommandId>,
}

impl Driver {
    async fn run(mut self, mut inbox: Inbox) {
        self.drain();
        self.serve_inline();
        loop {
            self.arm_timer();
            let takes_submissions = self.asked.len() < MAX_UNANSWERED;
            match inbox.next(due(&mut self.timer), takes_submissions).await {
                Next::Control(control) => self.control(control),
                Next::Report(report) => self.hear(report),
                Next::Submit(submit) => self.submit(submit),
                Next::Due => {
                    self.timer = None;
                    if self.engine.next_deadline().is_some_and(|at| at <= self.clock.now().monotonic) {
                        self.handle(Input::Tick);
                    }
                    self.sweep();
                }
                Next::Stop => break,
            }
        }
        self.wind_down(inbox).await;
    }

    /// Takes nothing more, waits for what the store was given, for a short time for libraries to be given back, and for no move:
    /// a move that was sent has its durable intent, and the next manager looks at its elements.
    async fn wind_down(mut self, mut inbox: Inbox) {
        self.stopping = true;
        self.handle(Input::Stop);
        drop((inbox.control, inbox.submissions));
        // By the runtime's clock: the manager's may stand still.
        let patience = tokio::time::sleep(GIVE_BACK);
        tokio::pin!(patience);
        while self.unpersisted > 0 || !self.giving_back.is_empty() {
            let report = tokio::select! {
                report = inbox.reports.recv() => report,
                () = &mut patience, if !self.giving_back.is_empty() => {
                    self.giving_back.clear();
                    continue;
                }
            };
            match report {
                Some(Report::Persisted { batch, result }) => self.hear(Report::Persisted { batch, result }),
                Some(Report::Completed { command, result }) if self.giving_back.remove(&command) => {
                    self.hear(Report::Completed { command, result });
                }
                Some(_) => {}
                None => break,
            }
        }
        let Self { writer, .. } = self;
        writer.close().await;
    }

    fn handle(&mut self, input: Input) {
        self.decide(input);
        self.serve_inline();
    }

    fn decide(&mut self, input: Input) {
        let now = self.clock.now();
        if let Some(recorder) = &mut self.recorder {
            recorder.input(&input, now);
        }
        self.engine.handle(input, now);
        self.drain();
    }

    fn serve_inline(&mut self) {
        while let Some(input) = self.inline.pop_front() {
            if matches!(input, Input::Persisted { .. }) {
                self.unpersisted = self.unpersisted.saturating_sub(1);
            }
            self.decide(input);
        }
    }

    fn hear(&mut self, report: Report) {
        let input = match report {
            Report::Swept(result) => return self.swept(result),
            Report::Completed { command, result } => {
                trace::command_ended(command, &result);
                Input::Completed { command, result }
            }
            Report::Persisted { batch, result } => {
                self.unpersisted = self.unpersisted.saturating_sub(1);
                trace::persisted(batch, &result);
                Input::Persisted { batch, result }
            }
            Report::Found { token, result } => Input::Found { token, result: *result },
            Report::Claimed { library, result } => {
                let result = result.map(|lock| drop(self.locks.insert(library, lock)));
                Input::Claimed { library, result }
            }
        };
        self.handle(input);
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            // Only what gives a library back is sent yet, and the transcript must not say otherwise.
            if let Output::Execute { id, command, .. } = &output
                && self.stopping
            {
                if command.cdb.opcode() != PersistentReserveOut::OPCODE {
                    continue;
                }
                self.giving_back.insert(*id);
            }
            if let Some(recorder) = &mut self.recorder {
                recorder.output(&output);
            }
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Execute { path, id, command } => {
                trace::command_sent(path, id, &command);
                self.paths.send(path, id, command);
            }
            Output::Persist { batch, changes } => {
                self.unpersisted += 1;
                self.writer.commit(batch, changes, &self.report, &mut self.inline);
            }
            Output::Lookup { token, id } => self.writer.find(token, id, &self.report, &mut self.inline),
            Output::Claim { library, identity } => {
                let device =
                    self.libraries.get(usize::from(library.0)).map_or("?", |ways| ways.changer.device());
                let path = claim::lock_path(&self.lock_directory, &identity, device);
                self.claim(library, path);
            }
            Output::Answer { token, answer } => self.answer(token, answer),
            Output::Notify(event) => self.notify(event),
        }
    }

    fn claim(&mut self, library: LibraryIndex, path: PathBuf) {
        if self.locks.get(&library).is_some_and(|lock| lock.path() == path) {
            return self.inline.push_back(Input::Claimed { library, result: Ok(()) });
        }
        // Another changer answers here now: the old one is not ours any more.
        self.locks.remove(&library);
        let report = self.report.clone();
        // A lock directory may lie on a network file system.
        tokio::task::spawn_blocking(move || {
            let result = claim::claim(path);
            let _ = report.send(Report::Claimed { library, result });
        });
    }

    fn notify(&mut self, event: Event) {
        trace::event(&event);
        match &event.kind {
            EventKind::Request(request) => self.standings.tell(request),
            EventKind::StoreFailed { reason } => self.standings.lose(reason),
            _ => {}
        }
        // Nobody listening is no error.
        let _ = self.events.send(event);
    }

    /// Sees to it that the timer goes off at the engine's deadline, or a sweep's, or before it. One that goes off too early is set
    /// again: cheaper than setting it anew whenever the deadline moves away.
    fn arm_timer(&mut self) {
        let Some(at) = self.engine.next_deadline().into_iter().chain(self.sweeping.due()).min() else {
            self.timer = None;
            return;
        };
        if self.timer.as_ref().is_none_or(|timer| timer.at > at) {
            let clock = Arc::clone(&self.clock);
            let sleep = Box::pin(async move { clock.sleep_until(at).await });
            self.timer = Some(Timer { at, sleep });
        }
    }
}

async fn due(timer: &mut Option<Timer>) {
    match timer {
        Some(timer) => timer.sleep.as_mut().await,
        None => std::future::pending().await,
    }
}
