//! What the library does for one session: commands and functions, begun in the order in which they came.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use autochanger_iscsi::ManagementResponse;
use autochanger_iscsi::target::{TargetAnswer, TargetCommand, TaskFunction, TaskTag};

use super::answer;
use super::registry::Registry;
use crate::transport::sim::SimulatedLibrary;
use crate::transport::{Command, TaskManagement, Transport, TransportError};

/// A target gives its device all the time that it needs.
const NO_LIMIT: Duration = Duration::MAX;

/// "Function rejected" (RFC 7143 section 11.6.1).
const REJECTED: ManagementResponse = ManagementResponse::Refused(255);

/// What became of a piece of work.
pub(super) enum Done {
    Answer(TaskTag, TargetAnswer),
    /// The library cannot say.
    Failed(TaskTag),
    Managed(TaskTag, ManagementResponse),
    /// The answer is lost, and the connection with it.
    Lost(TaskTag),
}

/// A session's work.
pub(super) struct Works {
    changer: Arc<dyn Transport>,
    registry: Arc<Registry>,
    units: u16,
    running: Vec<Work>,
}

struct Work {
    /// The command, and its unit. A function has none.
    command: Option<(TaskTag, u16)>,
    future: Pin<Box<dyn Future<Output = Done> + Send>>,
}

impl Works {
    /// The work of an initiator port, which the library knows again by its name.
    pub(super) fn new(library: &SimulatedLibrary, port: &str, registry: Arc<Registry>) -> Self {
        let units = library.with(|device| device.drive_count());
        Self { changer: library.initiator(port), registry, units, running: Vec::new() }
    }

    /// Takes a command. It is begun by the next [`poll`](Self::poll).
    pub(super) fn execute(&mut self, task: TaskTag, command: TargetCommand) {
        let lun = match command.lun {
            _ if answer::is_for_everyone(&command) => Some(0),
            lun => lun,
        };
        let unit = lun.and_then(|lun| self.changer.sibling(lun).map(|unit| (lun, unit)));
        let cdb = answer::cdb(&command.cdb);
        let (Some((lun, unit)), Some(cdb)) = (unit, cdb) else {
            let answer = answer::no_such_unit(&command);
            let future = Box::pin(async move { Done::Answer(task, answer) });
            return self.running.push(Work { command: None, future });
        };
        let command =
            Command { data_out: command.data_out, data_in: command.data_in, ..Command::new(cdb, NO_LIMIT) };
        let (registry, resets) = (Arc::clone(&self.registry), self.registry.resets(lun));
        let future = Box::pin(async move {
            match unit.execute(command).await {
                Ok(completion) => Done::Answer(task, answer::of_completion(completion)),
                Err(TransportError::NotSent(_)) => Done::Failed(task),
                Err(_) if registry.resets(lun) != resets => Done::Answer(task, answer::aborted()),
                Err(_) => Done::Lost(task),
            }
        });
        self.running.push(Work { command: Some((task, lun)), future });
    }

    /// Takes a function. It reaches the library after the commands that came before it.
    pub(super) fn manage(&mut self, tag: TaskTag, function: TaskFunction, lun: Option<u16>) {
        let known = lun.filter(|lun| *lun <= self.units);
        let (function, units) = match (function, known) {
            (TaskFunction::TargetWarmReset, _) => {
                (TaskManagement::LogicalUnitReset, (0..=self.units).collect())
            }
            (_, None) => return self.respond(tag, ManagementResponse::NoSuchLun),
            (TaskFunction::LogicalUnitReset, Some(lun)) => (TaskManagement::LogicalUnitReset, vec![lun]),
            (TaskFunction::AbortTaskSet, Some(lun)) => (TaskManagement::AbortTaskSet, vec![lun]),
            // The library aborts all that a session has at a unit, so one command only where there is no other. An
            // initiator that is refused resets the unit.
            (TaskFunction::AbortTask(task), Some(lun)) => {
                let mut others = self.running.iter().filter_map(|work| work.command);
                if others.any(|(other, unit)| unit == lun && other != task) {
                    return self.respond(tag, REJECTED);
                }
                (TaskManagement::AbortTaskSet, vec![lun])
            }
            _ => return self.respond(tag, ManagementResponse::Unsupported),
        };
        let (changer, registry) = (Arc::clone(&self.changer), Arc::clone(&self.registry));
        let future = Box::pin(async move {
            for lun in units {
                let Some(unit) = changer.sibling(lun) else { continue };
                if function == TaskManagement::LogicalUnitReset {
                    registry.count_reset(lun);
                }
                if unit.manage(function).await.is_err() {
                    return Done::Managed(tag, ManagementResponse::Unsupported);
                }
            }
            Done::Managed(tag, ManagementResponse::Complete)
        });
        self.running.push(Work { command: None, future });
    }

    fn respond(&mut self, tag: TaskTag, response: ManagementResponse) {
        self.running
            .push(Work { command: None, future: Box::pin(async move { Done::Managed(tag, response) }) });
    }

    /// Begins what was taken and hands out what is done. Functions come before the commands that they ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Vec<Done> {
        let mut done = Vec::new();
        self.running.retain_mut(|work| match work.future.as_mut().poll(cx) {
            Poll::Ready(result) => {
                done.push(result);
                false
            }
            Poll::Pending => true,
        });
        done.sort_by_key(|result| !matches!(result, Done::Managed(..)));
        done
    }

    /// Forgets the commands that nobody waits for any more.
    pub(super) fn retain(&mut self, is_waiting: impl Fn(TaskTag) -> bool) {
        self.running.retain(|work| work.command.is_none_or(|(task, _)| is_waiting(task)));
    }
}
