//! Procedures under way: their commands on the paths, their pauses, and who is told when one ends.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::ToString;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType, SenseKey, Status};

use super::Engine;
use crate::changer::exchange::Exchange;
use crate::changer::identify::Identify;
use crate::changer::initialize::Initialize;
use crate::changer::inventory::ReadInventory;
use crate::changer::motion::Motion;
use crate::changer::survey::Survey;
use crate::changer::{Do, Heard, Procedure};
use crate::command::{Command, Completion, TransportError};
use crate::drive::label::Labelling;
use crate::drive::ready::AwaitReady;
use crate::drive::unload::Unload;
use crate::id::{CommandId, Device, LibraryIndex, Path, RequestId};
use crate::library::fault::{Stale, stale};
use crate::output::{EventKind, Output};
use crate::time::Now;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId(u64);

/// A procedure, and for whom it runs.
#[derive(Debug)]
pub(crate) struct Task {
    library: LibraryIndex,
    work: Work,
}

#[derive(Debug)]
pub(crate) enum Work {
    Identify(Identify),
    Survey(Box<Survey>),
    Initialize(RequestId, Initialize),
    Inventory { request: Option<RequestId>, kinds: &'static [ElementType], reading: ReadInventory },
    Motion(RequestId, Motion),
    Exchange { dismount: RequestId, mount: RequestId, work: Box<Exchange> },
    Ready(RequestId, AwaitReady),
    Unload(RequestId, Unload),
    Label(RequestId, Labelling),
}

/// Commands of one path. One at a time on a drive; on the changer as many as moves may be in flight.
#[derive(Debug, Default)]
pub(crate) struct PathQueue {
    in_flight: usize,
    waiting: VecDeque<(CommandId, Command)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey {
    pub(crate) at: Duration,
    number: u64,
}

#[derive(Debug)]
pub(crate) enum Timer {
    Wake(TaskId),
    Reopen(LibraryIndex),
    Requeue(RequestId),
    Schedule(LibraryIndex),
    /// A medium whose dismount was deferred has stayed long enough.
    DwellOver(LibraryIndex, ElementAddress),
    Deadline(RequestId),
}

impl Engine {
    pub(crate) fn set_timer(&mut self, at: Duration, timer: Timer) -> TimerKey {
        self.next_timer += 1;
        let key = TimerKey { at, number: self.next_timer };
        self.timers.insert(key, timer);
        key
    }

    pub(crate) fn begin(&mut self, library: LibraryIndex, work: Work, now: Now) {
        self.next_task += 1;
        let id = TaskId(self.next_task);
        self.tasks.insert(id, Task { library, work });
        self.step_task(id, Heard::Start, now);
    }

    /// Tells a procedure what it heard, and does what it wants.
    pub(crate) fn step_task(&mut self, id: TaskId, heard: Heard, now: Now) {
        let Some(mut task) = self.tasks.remove(&id) else { return };
        let library = task.library;
        let stopping = |engine: &Self, request: RequestId| {
            engine.live.get(&request).is_some_and(|live| live.request.stopping.is_some())
        };
        let step = match &mut task.work {
            Work::Identify(work) => work.step(heard, now).map(|result| self.identified(library, result, now)),
            Work::Survey(work) => work.step(heard, now).map(|result| self.surveyed(library, result, now)),
            Work::Initialize(request, work) => {
                let request = *request;
                work.step(heard, now).map(|result| self.initialized(library, request, result, now))
            }
            // Between two chunks an inventory can stop.
            Work::Inventory { request: Some(request), .. }
                if matches!(heard, Heard::Answer(_)) && stopping(self, *request) =>
            {
                self.inventory_stopped(library, *request, now);
                Do::Done(())
            }
            Work::Inventory { request, kinds, reading } => {
                let (request, kinds) = (*request, *kinds);
                reading
                    .step(heard, now)
                    .map(|result| self.inventory_read(library, request, kinds, result, now))
            }
            Work::Motion(request, work) => {
                let request = *request;
                let step = work.step(heard, now);
                let doubt = work.doubt().map(ToString::to_string);
                let resting = matches!(step, Do::Wait(_));
                let lost = work.path_fault().filter(|_| resting).cloned();
                if let Some(why) = doubt {
                    self.motion_in_doubt(library, request, why, resting, now);
                }
                if let Some(fault) = lost {
                    self.path_lost(library, fault, now);
                }
                step.map(|moved| self.moved(library, request, moved, now))
            }
            Work::Exchange { dismount, mount, work } => {
                let (dismount, mount) = (*dismount, *mount);
                let step = work.step(heard, now);
                let doubt = work.doubt().map(ToString::to_string);
                let resting = matches!(step, Do::Wait(_));
                let lost = work.path_fault().filter(|_| resting).cloned();
                if let Some(why) = doubt {
                    self.motion_in_doubt(library, mount, why.clone(), false, now);
                    self.motion_in_doubt(library, dismount, why, resting, now);
                }
                if let Some(fault) = lost {
                    self.path_lost(library, fault, now);
                }
                step.map(|ended| self.exchanged(library, dismount, mount, ended, now))
            }
            // Its request was stopped: the drive is not asked any further.
            Work::Ready(request, _) if self.live.get(request).is_none_or(|live| live.ending.is_some()) => {
                Do::Done(())
            }
            Work::Ready(request, work) => {
                let request = *request;
                work.step(heard, now).map(|result| self.drive_answered(library, request, result, now))
            }
            Work::Unload(request, work) => {
                let request = *request;
                work.step(heard, now).map(|result| self.unloaded(library, request, result, now))
            }
            Work::Label(request, work) => {
                let request = *request;
                work.step(heard, now).map(|result| self.labelled(library, request, result, now))
            }
        };
        match step {
            Do::Send(device, command) => {
                self.tasks.insert(id, task);
                self.send(id, Path { library, device }, command);
            }
            Do::Wait(pause) => {
                self.tasks.insert(id, task);
                self.set_timer(now.monotonic.saturating_add(pause), Timer::Wake(id));
            }
            Do::Done(()) => {}
        }
        self.mark_dirty(library);
    }

    fn send(&mut self, task: TaskId, path: Path, command: Command) {
        self.next_command += 1;
        let id = CommandId(self.next_command);
        self.commands.insert(id, (task, path));
        let limit = self.path_limit(path);
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
                .map_or(1, |library| usize::from(library.config.moves_in_flight.max(1))),
            Device::Configured(_) | Device::Sibling(_) => 1,
        }
    }

    /// Whether a command to the changer would leave at once.
    pub(crate) fn changer_is_idle(&self, library: LibraryIndex) -> bool {
        let path = Path { library, device: Device::Changer };
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
        if let Some(queue) = self.paths.get_mut(&path) {
            queue.in_flight = queue.in_flight.saturating_sub(1);
            if let Some((id, command)) = queue.waiting.pop_front() {
                queue.in_flight += 1;
                self.outbox.put(Output::Execute { path, id, command });
            }
        }
        self.note_attention(path, &result, now);
        self.step_task(task, Heard::Answer(result), now);
    }

    /// A unit attention is the only way in which a library tells of changes: what it touches is read again.
    fn note_attention(&mut self, path: Path, result: &Result<Completion, TransportError>, now: Now) {
        let Ok(completion) = result else { return };
        if path.device != Device::Changer || completion.status != Status::CheckCondition {
            return;
        }
        // Whoever hears of it: a survey that has begun to read, and what it found until that is durable, is touched, too.
        let surveyed =
            self.tasks.values().any(|task| match &task.work {
                Work::Survey(survey) => task.library == path.library && survey.is_under_way(),
                _ => false,
            }) || self.library(path.library).is_some_and(|library| library.id.is_some() && !library.opening);
        let Some(sense) = completion.sense().filter(|sense| sense.key == SenseKey::UnitAttention) else {
            return;
        };
        let Some(library) = self.library_mut(path.library).filter(|library| surveyed || library.is_ready())
        else {
            return;
        };
        let touched = if sense.unit_attention_overflow { Stale::All } else { stale(sense.code) };
        library.stale = library.stale.max(touched);
        let name = library.config.name.clone();
        self.tell(EventKind::Attention { library: name, what: sense.to_string() }, now);
    }
}
