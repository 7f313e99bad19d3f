//! The commands that were asked for: those that wait for their turn, and those that wait for their answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use autochanger_iscsi::{Answer, Failure, ManagementResponse, Residual, Tag};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::fault::{Cause, fault, of_failure, of_management};
use super::session::{Job, Work};
use super::{Command, Completion, MAX_WAITING, MAX_WAITING_FUNCTIONS, PathFaultKind, TransportError};

/// Who waits for an answer.
pub(super) enum Reply {
    /// And what was asked.
    Command(oneshot::Sender<Result<Completion, TransportError>>, Command),
    Manage(oneshot::Sender<Result<(), TransportError>>),
}

struct InFlight {
    tag: Tag,
    reply: Reply,
    device: Arc<str>,
    deadline: Instant,
}

/// What waits in line with what. Functions go first, and are bounded by no window: one of them may be what ends the commands
/// that hold it shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Functions,
    Commands,
}

/// Everything that was asked for and not answered.
#[derive(Default)]
pub(super) struct Flights {
    functions: VecDeque<(Instant, Job)>,
    commands: VecDeque<(Instant, Job)>,
    /// In the order in which they were sent, in which most are answered. The initiator takes so few at once that nothing
    /// finds one faster than looking through them.
    in_flight: VecDeque<InFlight>,
}

impl Flights {
    pub(super) fn enqueue(&mut self, job: Job, now: Instant) {
        let line = match job.work {
            Work::Command { .. } => Line::Commands,
            Work::Manage { .. } => Line::Functions,
        };
        self.line(line).push_back((deadline(now, job.timeout), job));
    }

    pub(super) fn has_room(&self, line: Line) -> bool {
        match line {
            Line::Functions => self.functions.len() < MAX_WAITING_FUNCTIONS,
            Line::Commands => self.commands.len() < MAX_WAITING,
        }
    }

    fn line(&mut self, line: Line) -> &mut VecDeque<(Instant, Job)> {
        match line {
            Line::Functions => &mut self.functions,
            Line::Commands => &mut self.commands,
        }
    }

    /// Whether anybody waits for a turn.
    pub(super) fn somebody_waits(&mut self) -> bool {
        self.next_in(Line::Functions).is_some() || self.next_in(Line::Commands).is_some()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// The next job in a line whose caller still waits. One that was dropped before it was sent is never sent.
    pub(super) fn next_in(&mut self, line: Line) -> Option<&Job> {
        let line = self.line(line);
        while line.front().is_some_and(|(_, job)| job.is_abandoned()) {
            line.pop_front();
        }
        line.front().map(|(_, job)| job)
    }

    /// The job in front of a line was submitted.
    pub(super) fn submitted(&mut self, line: Line, tag: Tag, now: Instant) {
        let Some((_, job)) = self.line(line).pop_front() else { return };
        let deadline = deadline(now, job.timeout);
        let reply = match job.work {
            Work::Command { reply, command } => Reply::Command(reply, command),
            Work::Manage { reply, .. } => Reply::Manage(reply),
        };
        self.in_flight.push_back(InFlight { tag, reply, device: job.device, deadline });
    }

    /// The job in front of a line cannot be carried.
    pub(super) fn refuse(&mut self, line: Line, kind: PathFaultKind, detail: &str) {
        if let Some((_, job)) = self.line(line).pop_front() {
            let error = TransportError::NotSent(fault(&job.device, kind, detail));
            job.fail(error);
        }
    }

    pub(super) fn completed(&mut self, tag: Tag, answer: Answer) {
        let Some((Reply::Command(reply, command), _)) = self.take(tag) else { return };
        let residual = match answer.residual {
            Residual::Underflow(bytes) => bytes,
            Residual::None | Residual::Overflow(_) => 0,
        };
        let (status, sense, data) = (answer.status.into(), answer.sense, answer.data);
        let completion = Completion { status, sense, data, residual: 0 };
        // Nobody may be waiting any more.
        let _ = reply.send(Ok(completion.left_over(&command, residual)));
    }

    pub(super) fn failed(&mut self, tag: Tag, failure: Failure, cause: Option<&Cause>) {
        let Some((Reply::Command(reply, _), device)) = self.take(tag) else { return };
        let _ = reply.send(Err(of_failure(failure, cause, &device)));
    }

    pub(super) fn managed(&mut self, tag: Tag, response: ManagementResponse, cause: Option<&Cause>) {
        let Some((Reply::Manage(reply), device)) = self.take(tag) else { return };
        let _ = reply.send(of_management(response, cause, &device));
    }

    /// There is no connection: what has not left is reported so.
    pub(super) fn fail_waiting(&mut self, cause: &Cause) {
        for (_, job) in self.functions.drain(..).chain(self.commands.drain(..)) {
            let error = TransportError::NotSent(cause.at(&job.device));
            job.fail(error);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        // Few wait, and only while a window is full or a connection is made.
        let waiting = self.functions.iter().chain(&self.commands).map(|(deadline, _)| *deadline);
        waiting.chain(self.in_flight.iter().map(|flight| flight.deadline)).min()
    }

    /// Ends what has passed its time; returns the tags whose late answers are to be dropped.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Tag> {
        for line in [Line::Functions, Line::Commands] {
            let line = self.line(line);
            let (expired, waiting) = line.drain(..).partition(|(deadline, _)| *deadline <= now);
            *line = waiting;
            for (_, job) in Vec::from(expired) {
                let detail = format!("no turn on the connection within {:?}", job.timeout);
                let error = TransportError::NotSent(fault(&job.device, PathFaultKind::TimedOut, detail));
                job.fail(error);
            }
        }
        let mut late = Vec::new();
        while let Some(flight) = self.in_flight.iter().find(|flight| flight.deadline <= now) {
            let tag = flight.tag;
            let Some((reply, device)) = self.take(tag) else { break };
            let fault = fault(&device, PathFaultKind::TimedOut, "no answer within the command's time");
            let error = TransportError::OutcomeUnknown(fault);
            match reply {
                Reply::Command(reply, _) => drop(reply.send(Err(error))),
                Reply::Manage(reply) => drop(reply.send(Err(error))),
            }
            late.push(tag);
        }
        late
    }

    fn take(&mut self, tag: Tag) -> Option<(Reply, Arc<str>)> {
        let place = self.in_flight.iter().position(|flight| flight.tag == tag)?;
        let flight = self.in_flight.remove(place)?;
        Some((flight.reply, flight.device))
    }
}

/// The longest time that a deadline is set for: beyond it is as good as never, and far from where time overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

fn deadline(now: Instant, timeout: Duration) -> Instant {
    now + timeout.min(LONGEST)
}
