//! Procedures under way: their steps, their pauses, and who is told when one ends.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use crate::changer::alerts::AskAlerts;
use crate::changer::ask::Refusal;
use crate::changer::door::WatchDoor;
use crate::changer::exchange::Exchange;
use crate::changer::identify::Identify;
use crate::changer::initialize::Initialize;
use crate::changer::inventory::{NotRead, ReadInventory};
use crate::changer::motion::Motion;
use crate::changer::port::{Errand, RunErrand};
use crate::changer::reserve::{Release, Reserve, Role};
use crate::changer::survey::Survey;
use crate::changer::{Do, Heard, Procedure};
use crate::drive::clean::Clean;
use crate::drive::label::Labelling;
use crate::drive::needs::AskNeeds;
use crate::drive::ready::AwaitReady;
use crate::drive::same::SameDrive;
use crate::drive::unload::Unload;
use crate::drive::who::AskWho;
use crate::id::{Device, LibraryIndex, RequestId, Route};
use crate::quirk::Quirk;
use crate::time::Now;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId(u64);

#[derive(Debug, Clone)]
pub(crate) enum Work {
    Identify(Route, Identify),
    /// The same of a way in reserve.
    Compare(Route, Identify),
    Reserve(Route, Role, Reserve),
    Release(Release),
    Survey(Box<Survey>),
    Initialize(RequestId, Initialize),
    Inventory {
        request: Option<RequestId>,
        /// Nobody needs it: it makes way for whoever needs the library.
        unasked: bool,
        kinds: &'static [ElementType],
        reading: Box<ReadInventory>,
    },
    Motion(RequestId, Box<Motion>),
    Exchange {
        dismount: RequestId,
        mount: RequestId,
        work: Box<Exchange>,
    },
    Ready(RequestId, AwaitReady),
    Unload(RequestId, Unload),
    Port(Errand, RunErrand),
    Door(RequestId, WatchDoor),
    Clean(RequestId, Clean),
    Needs(ElementAddress, AskNeeds),
    /// Of a drive, or of the changer.
    Alerts(Option<ElementAddress>, AskAlerts),
    Label(RequestId, Labelling),
    /// Of the drive that this way leads to.
    Who(Device, AskWho),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey {
    pub(crate) at: Duration,
    number: u64,
}

#[derive(Debug, Clone)]
pub(crate) enum Timer {
    Wake(TaskId),
    Reopen(LibraryIndex),
    /// The ways in reserve are to be looked at.
    Watch(LibraryIndex),
    /// A drive that did not answer can answer now.
    FindDrives(LibraryIndex),
    Requeue(RequestId),
    Schedule(LibraryIndex),
    /// A library that nobody asks for anything is looked at.
    Look(LibraryIndex),
    /// A medium whose dismount was deferred has stayed long enough.
    DwellOver(LibraryIndex, ElementAddress),
    Deadline(RequestId),
    /// Nobody came to the port in time.
    PortOver(RequestId),
}

/// A procedure, and for whom it runs.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(super) library: LibraryIndex,
    /// The way that its commands go, whichever is in use.
    pub(super) route: Option<Route>,
    pub(super) work: Work,
    /// The drive that it was begun with, where what it does or hears is that drive's.
    pub(super) same: Option<SameDrive>,
}

impl Engine {
    pub(crate) fn set_timer(&mut self, at: Duration, timer: Timer) -> TimerKey {
        self.next_timer += 1;
        let key = TimerKey { at, number: self.next_timer };
        self.timers.insert(key, timer);
        key
    }

    pub(crate) fn begin(&mut self, library: LibraryIndex, work: Work, now: Now) {
        // A drive behind the changer's target has its number there, and another one elsewhere.
        let stays = matches!(work, Work::Survey(_) | Work::Ready(..) | Work::Unload(..));
        let route = self.library(library).map(|it| it.routes.active).filter(|_| stays);
        let same = self.same_drive(library, &work);
        self.begin_task(Task { library, route, work, same }, now);
    }

    /// Begins a procedure whose commands go one way, whether it is in use or not.
    pub(crate) fn begin_on(&mut self, library: LibraryIndex, route: Route, work: Work, now: Now) {
        self.begin_task(Task { library, route: Some(route), work, same: None }, now);
    }

    fn begin_task(&mut self, task: Task, now: Now) {
        self.next_task += 1;
        let id = TaskId(self.next_task);
        self.tasks.insert(id, task);
        self.step_task(id, Heard::Start, now);
    }

    /// Tells a procedure what it heard, and does what it wants.
    pub(crate) fn step_task(&mut self, id: TaskId, heard: Heard, now: Now) {
        let Some(mut task) = self.tasks.remove(&id) else { return };
        let library = task.library;
        match self.step_with_drive(&mut task, heard, now) {
            Do::Send(device, command) => {
                let path = self.path_to(library, task.route, device);
                self.tasks.insert(id, task);
                self.send(id, path, self.with_patience(path, command, now));
            }
            Do::Wait(pause) => {
                self.tasks.insert(id, task);
                self.set_timer(now.monotonic.saturating_add(pause), Timer::Wake(id));
            }
            Do::Done(()) => {}
        }
        self.mark_dirty(library);
    }

    /// Tells a procedure what it heard, and its owner how it ended.
    pub(crate) fn step_work(&mut self, task: &mut Task, heard: Heard, now: Now) -> Do<()> {
        let library = task.library;
        let moves = matches!(task.work, Work::Motion(..) | Work::Exchange { .. });
        if let Some(it) = self.library(library).filter(|it| moves && it.ownership.is_in_doubt())
            && matches!(heard, Heard::Woken)
        {
            // Of a library that may be another's nothing is concluded: what moved stays unknown until it is ours again.
            return Do::Wait(it.config.timing.retry_max);
        }
        let stopping = |engine: &Self, request: RequestId| {
            engine.live.get(&request).is_some_and(|live| live.request.stopping.is_some())
        };
        match &mut task.work {
            Work::Identify(route, work) => {
                let route = *route;
                work.step(heard, now).map(|result| self.identified(library, route, result, now))
            }
            Work::Compare(route, work) => {
                let route = *route;
                work.step(heard, now).map(|result| self.compared(library, route, result, now))
            }
            Work::Reserve(route, role, work) => {
                let (route, role) = (*route, *role);
                let step = work.step(heard, now);
                if work.asked_for_sense()
                    && let Some(library) = self.library_mut(library)
                {
                    library.quirks.insert(Quirk::NoAutosense);
                }
                let initialized = work.initialized().filter(|_| matches!(step, Do::Done(_)));
                if let (Some(initialized), Some(library)) = (initialized, self.library_mut(library)) {
                    library.note_initialized(initialized);
                    library.quirks.insert(Quirk::NeedsInitialize);
                }
                step.map(|result| self.reserved(library, route, role, result, now))
            }
            Work::Release(work) => work.step(heard, now),
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
            Work::Inventory { unasked: true, .. }
                if matches!(heard, Heard::Answer(_)) && self.is_needed(library) =>
            {
                self.look_broken_off(library, now);
                Do::Done(())
            }
            Work::Inventory { unasked: true, kinds, reading, .. } => match reading.step(heard, now) {
                Do::Send(device, command) => Do::Send(device, command),
                // It is not in the mood: nobody needs to know now.
                Do::Wait(_)
                | Do::Done(Err(NotRead { refusal: Refusal::Sense(..) | Refusal::Status(_), .. })) => {
                    self.look_broken_off(library, now);
                    Do::Done(())
                }
                Do::Done(result) => {
                    let kinds = *kinds;
                    self.inventory_read(library, None, kinds, result, now);
                    Do::Done(())
                }
            },
            Work::Inventory { request, kinds, reading, .. } => {
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
                let person = work.wants_person().filter(|_| resting).map(ToString::to_string);
                let in_arm = work.in_arm().filter(|_| resting);
                if let Some(why) = doubt {
                    self.motion_in_doubt(library, request, why, resting, now);
                }
                self.motion_seen_in_arm(library, request, in_arm, now);
                self.motion_held_up(library, lost, person, now);
                step.map(|moved| self.moved(library, request, moved, now))
            }
            Work::Exchange { dismount, mount, work } => {
                let (dismount, mount) = (*dismount, *mount);
                let step = work.step(heard, now);
                let doubt = work.doubt().map(ToString::to_string);
                let resting = matches!(step, Do::Wait(_));
                let lost = work.path_fault().filter(|_| resting).cloned();
                let person = work.wants_person().filter(|_| resting).map(ToString::to_string);
                let in_arm = work.in_arm().filter(|_| resting);
                if let Some(why) = doubt {
                    self.motion_in_doubt(library, mount, why.clone(), false, now);
                    self.motion_in_doubt(library, dismount, why, resting, now);
                }
                self.motion_seen_in_arm(library, dismount, in_arm, now);
                self.motion_held_up(library, lost, person, now);
                step.map(|ended| self.exchanged(library, dismount, mount, ended, now))
            }
            // Its request was stopped: the drive is not asked any further.
            Work::Ready(request, _) if self.live.get(request).is_none_or(|live| live.ending.is_some()) => {
                Do::Done(())
            }
            Work::Ready(request, work) => {
                let request = *request;
                let step = work.step(heard, now);
                if work.calibrates()
                    && let Some(drive) = self.live.get(&request).and_then(|live| live.request.drive)
                {
                    self.calibrates(library, drive, Some(now.wall));
                }
                step.map(|result| self.drive_answered(library, request, result, now))
            }
            Work::Unload(request, work) => {
                let request = *request;
                work.step(heard, now).map(|result| self.unloaded(library, request, result, now))
            }
            Work::Port(errand, work) => {
                let errand = *errand;
                work.step(heard, now).map(|result| self.port_tended(library, errand, result, now))
            }
            // Its request was cancelled: the door is nobody's any more.
            Work::Door(request, _) if self.live.get(request).is_none_or(|live| live.ending.is_some()) => {
                Do::Done(())
            }
            Work::Door(request, work) => {
                let request = *request;
                if self.live.get(&request).is_some_and(|live| live.person_is_done) {
                    work.person_is_done();
                }
                let step = work.step(heard, now);
                if work.is_open_for_long(now) {
                    self.door_is_open_for_long(library, request, now);
                }
                step.map(|seen| self.door_over(library, request, seen, now))
            }
            Work::Needs(drive, work) => {
                let drive = *drive;
                work.step(heard, now).map(|wants| self.needs_heard(library, drive, wants, now))
            }
            Work::Alerts(drive, work) => {
                let drive = *drive;
                work.step(heard, now).map(|flags| self.alerts_heard(library, drive, flags, now))
            }
            Work::Who(device, work) => {
                let device = *device;
                work.step(heard, now).map(|found| self.who_heard(library, device, found, now))
            }
            Work::Clean(request, work) => {
                let request = *request;
                work.step(heard, now).map(|result| self.drive_cleaned(library, request, result, now))
            }
            Work::Label(request, work) => {
                let request = *request;
                work.step(heard, now).map(|result| self.labelled(library, request, result, now))
            }
        }
    }

    pub(crate) fn work(&self, task: TaskId) -> Option<&Work> {
        self.tasks.get(&task).map(|task| &task.work)
    }
}
