//! Commands on their ways: over which path each goes, how many at once and with how much time, and who is told its answer.

use alloc::collections::VecDeque;

use autochanger_scsi::{ExchangeMedium, MoveMedium};

use super::Engine;
use super::work::{TaskId, Work};
use crate::changer::Heard;
use crate::command::{Command, Completion, TransportError};
use crate::id::{CommandId, Device, LibraryIndex, Path, Route};
use crate::output::Output;
use crate::planted::Bug;
use crate::time::Now;

/// Commands of one path. One at a time on a drive; on the changer as many as moves may be in flight.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathQueue {
    in_flight: usize,
    pub(super) waiting: VecDeque<(CommandId, Command)>,
}

impl Engine {
    pub(crate) fn path_to(&self, library: LibraryIndex, route: Option<Route>, device: Device) -> Path {
        let active = || self.library(library).map_or(Route(0), |library| library.routes.active);
        let route = match device {
            Device::Changer | Device::Sibling(_) => route.unwrap_or_else(active),
            Device::Configured(_) => Route(0),
        };
        Path { library, route, device }
    }

    /// A library answers nothing while its arm moves, if it likes: what it is asked then has the motion's time beside its own. A
    /// command that is late is aborted by a kernel, and the library reset, with whatever it is doing.
    pub(super) fn with_patience(&self, path: Path, command: Command, now: Now) -> Command {
        let moves = matches!(command.cdb.opcode(), MoveMedium::OPCODE | ExchangeMedium::OPCODE);
        if path.device != Device::Changer || moves {
            return command;
        }
        let timeout = command.timeout.saturating_add(self.motions_may_last(path.library, now));
        Command { timeout, ..command }
    }

    pub(super) fn send(&mut self, task: TaskId, path: Path, command: Command) {
        self.next_command += 1;
        let id = CommandId(self.next_command);
        self.commands.insert(id, (task, path));
        // What gives a library back does not wait for answers that nobody hears any more.
        let gives_back = self.tasks.get(&task).is_some_and(|task| matches!(task.work, Work::Release(_)));
        let limit = if gives_back { usize::MAX } else { self.path_limit(path) };
        let queue = self.paths.entry(path).or_default();
        if queue.in_flight < limit {
            queue.in_flight += 1;
            self.outbox.put(Output::Execute { path, id, command });
        } else {
            queue.waiting.push_back((id, command));
        }
    }

    fn path_limit(&self, path: Path) -> usize {
        match path.device {
            Device::Changer => self
                .library(path.library)
                .map_or(1, |library| usize::from(library.config.moves_in_flight.max(1)))
                .saturating_add(usize::from(self.planted.is(Bug::OneTooManyInFlight))),
            Device::Configured(_) | Device::Sibling(_) => 1,
        }
    }

    /// Whether a command to the changer would leave at once.
    pub(crate) fn changer_is_idle(&self, library: LibraryIndex) -> bool {
        let path = self.path_to(library, None, Device::Changer);
        self.paths
            .get(&path)
            .is_none_or(|queue| queue.in_flight < self.path_limit(path) && queue.waiting.is_empty())
    }

    pub(crate) fn completed(
        &mut self,
        command: CommandId,
        result: Result<Completion, TransportError>,
        now: Now,
    ) {
        let Some((task, path)) = self.commands.remove(&command) else { return };
        let missed = self.share_attention(task, path, &result);
        if let Some(queue) = self.paths.get_mut(&path) {
            queue.in_flight = queue.in_flight.saturating_sub(1);
            if let Some((id, command)) = queue.waiting.pop_front() {
                queue.in_flight += 1;
                self.outbox.put(Output::Execute { path, id, command });
            }
        }
        self.note_attention(path, &result, now);
        self.note_remark(path, &result, now);
        self.note_ownership(path, &result, now);
        self.note_way(path, &result);
        self.step_task(task, Heard::Answer(result), now);
        for (task, attention) in missed {
            self.step_task(task, Heard::Answer(Ok(attention)), now);
        }
        self.leave_suspect(path.library, now);
    }
}
