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
use super::flight::Flights;
use super::link::{Input, Link};
use super::{CLOSE_TIMEOUT, Command, Completion, Endpoint, PathFaultKind, TaskManagement, TransportError};

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
pub(super) async fn run(endpoint: Endpoint, jobs: mpsc::Receiver<Job>) {
    let mut session = Session {
        endpoint,
        jobs,
        state: State::Down,
        flights: Flights::default(),
        timer: Box::pin(sleep_until(Instant::now())),
        closing: None,
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
    jobs: mpsc::Receiver<Job>,
    state: State,
    flights: Flights,
    timer: Pin<Box<Sleep>>,
    /// Every handle is gone: until when the connection may live on.
    closing: Option<Instant>,
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
            && self.flights.has_room()
            && let Poll::Ready(job) = self.jobs.poll_recv(cx)
        {
            wake.all_handles_gone = job.is_none();
            wake.job = job;
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
        if let Some(job) = wake.job {
            self.flights.enqueue(job, now);
        }
        // What already waits in the channel is taken along, so that it can leave in one write.
        while self.flights.has_room()
            && let Ok(job) = self.jobs.try_recv()
        {
            self.flights.enqueue(job, now);
        }
        if wake.all_handles_gone {
            self.closing = Some(now + CLOSE_TIMEOUT);
        }
        match wake.connected {
            Some(Ok(link)) => {
                #[cfg(feature = "tracing")]
                tracing::debug!(device = %self.endpoint.url, "logged in");
                self.state = State::Up(Box::new(link));
            }
            Some(Err(cause)) => {
                #[cfg(feature = "tracing")]
                tracing::debug!(device = %self.endpoint.url, cause = %cause.detail, "no session");
                self.state = State::Down;
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
        self.report();
        self.submit(now);
        self.report();
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

    /// Passes on what the initiator reports, and forgets a session that has ended.
    fn report(&mut self) {
        let State::Up(link) = &mut self.state else { return };
        let mut events = Vec::new();
        let mut cause = None;
        let mut as_wanted = false;
        while let Some(event) = link.initiator.poll_event() {
            if let Event::Ended(ended) = &event {
                as_wanted = *ended == Ended::LoggedOutAsWanted;
                cause = Some(link.cause(ended));
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
        if let Some(cause) = cause {
            #[cfg(feature = "tracing")]
            tracing::debug!(device = %self.endpoint.url, cause = %cause.detail, "session ended");
            self.state = State::Down;
            // After a logout that the target wanted nothing has failed: what waits, which was never sent, goes over
            // the next connection.
            if !as_wanted {
                self.give_up_waiting(&cause);
            }
        }
    }

    /// Everything that waited for this connection hears why there is none. What comes later gets a new attempt.
    fn give_up_waiting(&mut self, cause: &Cause) {
        self.flights.fail_waiting(cause);
        while let Ok(job) = self.jobs.try_recv() {
            let error = TransportError::NotSent(cause.at(&job.device));
            job.fail(error);
        }
    }

    /// Sends what the window has room for, or connects when there is something to send.
    fn submit(&mut self, now: Instant) {
        match &mut self.state {
            State::Down => {
                if self.closing.is_none() && self.flights.next_waiting().is_some() {
                    self.state = State::Connecting(Box::pin(Link::open(self.endpoint.clone())));
                }
            }
            State::Connecting(_) => {}
            State::Up(link) => {
                while let Some(job) = self.flights.next_waiting() {
                    let result = match &job.work {
                        Work::Command { command, .. } => link.initiator.submit(request(job.lun, command)),
                        Work::Manage { function, .. } => {
                            link.initiator.manage(management(*function), job.lun)
                        }
                    };
                    match result {
                        Ok(tag) => self.flights.submitted(tag, now),
                        Err(SubmitError::Full(_) | SubmitError::NotReady) => break,
                        Err(error @ SubmitError::NoSuchLun) => {
                            self.flights.refuse(PathFaultKind::NoSuchUnit, &error.to_string());
                        }
                        Err(error) => self.flights.refuse(PathFaultKind::LimitReached, &error.to_string()),
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
            _ => None,
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
