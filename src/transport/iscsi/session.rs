//! The task behind a target's handles: it owns the socket and the initiator. It waits for what comes first, then acts
//! without waiting.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use autochanger_iscsi::{Ended, Event, ManagementFunction, Request, SubmitError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep_until};

use super::fault::Cause;
use super::flight::{Flights, Line};
use super::link::{Input, Link};
use super::{
    CLOSE_TIMEOUT, Command, Completion, Endpoint, MAX_TIME_TO_WAIT, PathFaultKind, TaskManagement,
    TransportError,
};

/// Something to be sent to one logical unit.
pub(super) struct Job {
    pub(super) lun: u16,
    pub(super) device: Arc<str>,
    pub(super) timeout: Duration,
    pub(super) work: Work,
}

pub(super) enum Work {
    Command { command: Command, reply: oneshot::Sender<Result<Completion, TransportError>> },
    Manage { function: TaskManagement, reply: oneshot::Sender<Result<(), TransportError>> },
}

impl Job {
    /// Its caller has gone.
    pub(super) fn is_abandoned(&self) -> bool {
        match &self.work {
            Work::Command { reply, .. } => reply.is_closed(),
            Work::Manage { reply, .. } => reply.is_closed(),
        }
    }

    pub(super) fn fail(self, error: TransportError) {
        // Nobody may be waiting any more.
        match self.work {
            Work::Command { reply, .. } => drop(reply.send(Err(error))),
            Work::Manage { reply, .. } => drop(reply.send(Err(error))),
        }
    }
}

/// An initiator's session part of the "random" kind (RFC 7143 section 11.12.5). It must differ between handles, or one
/// would push the other's session out; it is no secret.
pub(super) fn random_isid() -> [u8; 6] {
    let [a, b, c, d, e, ..] = RandomState::new().hash_one("isid").to_be_bytes();
    [0x80, a, b, c, d, e]
}

/// Serves the jobs of one target until the last handle is gone.
pub(super) async fn run(endpoint: Endpoint, commands: mpsc::Receiver<Job>, functions: mpsc::Receiver<Job>) {
    let mut session = Session {
        endpoint,
        commands,
        functions,
        state: State::Down,
        flights: Flights::default(),
        timer: Box::pin(sleep_until(Instant::now())),
        closing: None,
        not_before: None,
        has_served: true,
    };
    while !session.is_over() {
        let wake = poll_fn(|cx| session.poll(cx)).await;
        let has_read = wake.input.is_some();
        session.apply(wake);
        if has_read {
            step_aside().await;
        }
    }
}

/// Lets those run who have their answers now: what they ask next leaves without a sleep in between, and the memory of the
/// answers that they are done with is still warm when it is filled again. (`yield_now` would ask the system for events.)
async fn step_aside() {
    let mut aside = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut aside, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Session {
    endpoint: Endpoint,
    commands: mpsc::Receiver<Job>,
    functions: mpsc::Receiver<Job>,
    state: State,
    flights: Flights,
    timer: Pin<Box<Sleep>>,
    /// Every handle is gone: until when the connection may live on.
    closing: Option<Instant>,
    /// The target wants to be left alone until then.
    not_before: Option<Instant>,
    /// The last session that the target wanted ended has taken a job, or there was none.
    has_served: bool,
}

enum State {
    Down,
    Connecting(Pin<Box<dyn Future<Output = Result<Link, Cause>> + Send>>),
    Up(Box<Link>),
}

/// Everything that happened at once, so that no source of events starves another.
#[derive(Default)]
struct Wake {
    job: Option<Job>,
    function: Option<Job>,
    all_handles_gone: bool,
    connected: Option<Result<Link, Cause>>,
    input: Option<Input>,
    timer: bool,
}

impl Session {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        let mut wake = Wake::default();
        let mut woken = false;
        if self.closing.is_none()
            && self.flights.has_room(Line::Commands)
            && let Poll::Ready(job) = self.commands.poll_recv(cx)
        {
            wake.all_handles_gone = job.is_none();
            wake.job = job;
            woken = true;
        }
        if self.closing.is_none()
            && self.flights.has_room(Line::Functions)
            && let Poll::Ready(job) = self.functions.poll_recv(cx)
        {
            wake.all_handles_gone |= job.is_none();
            wake.function = job;
            woken = true;
        }
        match &mut self.state {
            State::Down => {}
            State::Connecting(opening) => {
                if let Poll::Ready(result) = opening.as_mut().poll(cx) {
                    wake.connected = Some(result);
                    woken = true;
                }
            }
            State::Up(link) => {
                if let Poll::Ready(input) = link.poll(cx) {
                    wake.input = input;
                    woken = true;
                }
            }
        }
        if let Some(deadline) = self.next_deadline() {
            // Deadlines move away with each answer. A timer that comes too early is set again then, which is cheaper than
            // setting it each time.
            if deadline < self.timer.deadline() || self.timer.is_elapsed() {
                self.timer.as_mut().reset(deadline);
            }
            if self.timer.as_mut().poll(cx).is_ready() {
                wake.timer = true;
                woken = true;
            }
        }
        if woken { Poll::Ready(wake) } else { Poll::Pending }
    }

    fn apply(&mut self, wake: Wake) {
        let now = Instant::now();
        for job in [wake.job, wake.function].into_iter().flatten() {
            self.flights.enqueue(job, now);
        }
        // What already waits in the channel is taken along, so that it can leave in one write.
        while self.flights.has_room(Line::Commands)
            && let Ok(job) = self.commands.try_recv()
        {
            self.flights.enqueue(job, now);
        }
        if wake.all_handles_gone {
            self.closing = Some(now + CLOSE_TIMEOUT);
        }
        match wake.connected {
            Some(Ok(mut link)) => {
                if let Some(address) = link.moved_to.take() {
                    self.endpoint.moved_to = Some(address);
                }
                #[cfg(feature = "tracing")]
                tracing::debug!(device = %self.endpoint.url, "logged in");
                self.state = State::Up(Box::new(link));
            }
            Some(Err(cause)) => {
                #[cfg(feature = "tracing")]
                tracing::debug!(device = %self.endpoint.url, cause = %cause.detail, "no session");
                self.state = State::Down;
                // Where it has moved to for good it is not, or not now: the URL is asked again.
                self.endpoint.moved_to = None;
                self.give_up_waiting(&cause);
            }
            None => {}
        }
        if let State::Up(link) = &mut self.state
            && let Some(input) = wake.input
        {
            link.take(input, now);
        }
        if wake.timer {
            self.expire(now);
        }
        self.report(now);
        self.submit(now);
        // A session that has ended meanwhile has a successor, if anything waits.
        if self.report(now) {
            self.submit(now);
        }
    }

    /// Ends what has passed its time, and keeps the connection alive.
    fn expire(&mut self, now: Instant) {
        let late = self.flights.expire(now);
        if let State::Up(link) = &mut self.state {
            for tag in late {
                link.initiator.abandon(tag);
            }
            link.tick(now);
        }
    }

    /// Passes on what the initiator reports, and forgets a session that has ended; whether it has.
    fn report(&mut self, now: Instant) -> bool {
        let State::Up(link) = &mut self.state else { return false };
        let mut events = Vec::new();
        let mut cause = None;
        let mut as_wanted = false;
        while let Some(event) = link.initiator.poll_event() {
            match &event {
                Event::Ended(ended) => {
                    as_wanted = *ended == Ended::LoggedOutAsWanted;
                    cause = Some(link.cause(ended));
                    let wait = link.initiator.time_to_wait().min(MAX_TIME_TO_WAIT);
                    self.not_before = (!wait.is_zero()).then(|| now + wait);
                }
                Event::LogoutWanted { within } => link.leave_within(*within, now),
                _ => {}
            }
            events.push(event);
        }
        for event in events {
            match event {
                Event::Completed { tag, answer } => self.flights.completed(tag, answer),
                Event::Failed { tag, failure } => self.flights.failed(tag, failure, cause.as_ref()),
                Event::Managed { tag, response } => self.flights.managed(tag, response, cause.as_ref()),
                _ => {}
            }
        }
        let has_ended = cause.is_some();
        if let Some(cause) = cause {
            #[cfg(feature = "tracing")]
            tracing::debug!(device = %self.endpoint.url, cause = %cause.detail, "session ended");
            self.state = State::Down;
            // After a logout that the target wanted nothing has failed: what waits, which was never sent, goes over
            // the next connection. A target that wants one again before it has taken anything would get no further.
            if !as_wanted {
                self.give_up_waiting(&cause);
            } else if !std::mem::replace(&mut self.has_served, false) {
                let detail = "the target wants a logout of each session before it has taken a command";
                self.give_up_waiting(&Cause::new(PathFaultKind::ConnectionLost, detail));
            }
        }
        has_ended
    }

    /// Everything that waited for this connection hears why there is none. What comes later gets a new attempt.
    fn give_up_waiting(&mut self, cause: &Cause) {
        self.flights.fail_waiting(cause);
        for lane in [&mut self.functions, &mut self.commands] {
            while let Ok(job) = lane.try_recv() {
                let error = TransportError::NotSent(cause.at(&job.device));
                job.fail(error);
            }
        }
    }

    /// Sends what the window has room for, or connects when there is something to send.
    fn submit(&mut self, now: Instant) {
        match &mut self.state {
            State::Down => {
                self.not_before = self.not_before.filter(|not_before| now < *not_before);
                if self.closing.is_none() && self.not_before.is_none() && self.flights.somebody_waits() {
                    self.state = State::Connecting(Box::pin(Link::open(self.endpoint.clone())));
                }
            }
            State::Connecting(_) => {}
            State::Up(link) => {
                for line in [Line::Functions, Line::Commands] {
                    while let Some(job) = self.flights.next_in(line) {
                        let result = match &job.work {
                            Work::Command { command, .. } => link.initiator.submit(request(job.lun, command)),
                            Work::Manage { function, .. } => {
                                link.initiator.manage(management(*function), job.lun)
                            }
                        };
                        let (kind, error) = match result {
                            Ok(tag) => {
                                self.has_served = true;
                                self.flights.submitted(line, tag, now);
                                continue;
                            }
                            Err(SubmitError::Full(_) | SubmitError::NotReady) => break,
                            Err(error @ SubmitError::NoSuchLun) => (PathFaultKind::NoSuchUnit, error),
                            Err(error) => (PathFaultKind::LimitReached, error),
                        };
                        self.flights.refuse(line, kind, &error.to_string());
                    }
                }
                if self.closing.is_some() && self.flights.is_quiet() {
                    link.initiator.logout();
                }
                link.write();
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let link = match &self.state {
            State::Up(link) => Some(link.next_deadline()),
            State::Down => self.not_before,
            State::Connecting(_) => None,
        };
        [link, self.flights.next_deadline(), self.closing].into_iter().flatten().min()
    }

    /// No handle is left, and there is nothing more to do or no more time to do it.
    fn is_over(&self) -> bool {
        self.closing.is_some_and(|until| Instant::now() >= until || !matches!(self.state, State::Up(_)))
    }
}

fn request(lun: u16, command: &Command) -> Request {
    let mut cdb = [0; 16];
    for (to, from) in cdb.iter_mut().zip(command.cdb.as_bytes()) {
        *to = *from;
    }
    Request { lun, cdb, data_out: command.data_out.clone(), data_in: command.data_in }
}

fn management(function: TaskManagement) -> ManagementFunction {
    match function {
        TaskManagement::AbortTaskSet => ManagementFunction::AbortTaskSet,
        TaskManagement::LogicalUnitReset => ManagementFunction::LogicalUnitReset,
    }
}
