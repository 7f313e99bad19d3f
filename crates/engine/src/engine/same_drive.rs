//! That a step with a drive goes on with the drive that it was begun with, and what becomes of it where another one answers.

use alloc::vec::Vec;

use autochanger_scsi::vpd::UnitSerial;
use autochanger_scsi::{DeviceType, ElementType, SenseKey, Status};
use bytes::Bytes;

use super::Engine;
use super::live::Phase;
use super::work::{Task, TaskId, Work};
use crate::changer::{Do, Heard};
use crate::command::{Completion, TransportError};
use crate::drive::same::{Another, Checked, SameDrive};
use crate::id::{Device, LibraryIndex, Path, RequestId};
use crate::library::fault::Stale;
use crate::planted::Bug;
use crate::request::{ElementName, Failure, FailureKind, Place};
use crate::time::Now;

/// How often another drive may answer than the one that a request's step was begun with. In between the library was read, with all drives' own
/// words; what changes more often than that is no drive that a request could rely on.
const MAX_STRANGERS: u8 = 3;

impl Work {
    /// The way to the drive, where the request's step is that drive's: it reads or writes its medium, or lets go of it.
    fn device(&self) -> Option<Device> {
        match self {
            Self::Ready(_, work) => Some(work.device()),
            Self::Unload(_, work) => Some(work.device()),
            Self::Clean(_, work) => work.device(),
            Self::Label(_, work) => Some(work.device()),
            _ => None,
        }
    }

    /// Whose step it is then.
    fn step_of(&self) -> Option<RequestId> {
        match self {
            Self::Ready(id, _) | Self::Unload(id, _) | Self::Clean(id, _) | Self::Label(id, _) => Some(*id),
            _ => None,
        }
    }
}

impl Engine {
    /// The drive that the step is begun with.
    pub(crate) fn same_drive(&self, index: LibraryIndex, work: &Work) -> Option<SameDrive> {
        let device = work.device().filter(|_| !self.planted.is(Bug::DriveNotIdentified))?;
        let library = self.library(index)?;
        let element = self.drive_at(index, device).and_then(|address| library.elements.get(address));
        let serial = element.and_then(|element| element.drive.as_ref()?.own_serial.clone());
        let same = SameDrive::new(device, library.config.timing, serial);
        Some(match work {
            Work::Ready(..) => same.loading(),
            Work::Label(..) => same.each_time(),
            _ => same,
        })
    }

    /// Tells a procedure what it heard. One that works with a drive is told what the drive said that it was begun with, and its
    /// commands go to no other.
    pub(crate) fn step_with_drive(&mut self, task: &mut Task, heard: Heard, now: Now) -> Do<()> {
        let mut heard = heard;
        // What was missed is heard once, and what could not be sent ends in a pause: it does not go round.
        loop {
            let device = task.same.as_ref().map(SameDrive::device);
            let Some(path) = device.map(|device| self.path_to(task.library, task.route, device)) else {
                return self.step_work(task, heard, now);
            };
            let Some(same) = task.same.as_mut() else { return Do::Done(()) };
            match same.hears(heard, path, now) {
                Checked::Do(step) => return step.map(|another| self.another_drive(task, &another, now)),
                Checked::Hears(it) => heard = it,
            }
            let command = match self.step_work(task, heard, now) {
                Do::Send(_, command) => command,
                rest => return rest,
            };
            let Some(same) = task.same.as_mut() else { return Do::Done(()) };
            match same.before(command, path, now) {
                Checked::Do(step) => return step.map(|another| self.another_drive(task, &another, now)),
                Checked::Hears(it) => heard = it,
            }
        }
    }

    /// Whether a step with a drive is under way on that path, which asks by itself who the drive is.
    pub(crate) fn has_step_on(&self, path: Path) -> bool {
        self.tasks.values().any(|task| self.is_step_on(task, path))
    }

    fn is_step_on(&self, task: &Task, path: Path) -> bool {
        let device = task.same.as_ref().map(SameDrive::device);
        device.is_some_and(|device| self.path_to(task.library, task.route, device) == path)
    }

    /// What the drive says that the task asks who it is, if it is the one that it was: INQUIRY, page 80h.
    pub(crate) fn serial_asked_for(&self, task: TaskId) -> Option<Bytes> {
        /// The header of the page, and the longest serial number that its length byte allows.
        const LONGEST: usize = 4 + 255;
        let same = self.tasks.get(&task)?.same.as_ref().filter(|same| same.is_asking())?;
        let mut page = [0; LONGEST];
        let length = UnitSerial::write(DeviceType::Tape, same.serial()?, &mut page);
        Some(Bytes::copy_from_slice(page.get(..length)?))
    }

    /// An attention is told once, to whoever asks next. A step with the same drive that did not hear it itself is told, too: what
    /// it wants to send was not sent, and is to be thought over.
    pub(crate) fn share_attention(
        &mut self,
        heard_by: TaskId,
        path: Path,
        result: &Result<Completion, TransportError>,
    ) -> Vec<(TaskId, Completion)> {
        let Ok(completion) = result else { return Vec::new() };
        let attention = |completion: &&Completion| {
            completion.status == Status::CheckCondition
                && completion.sense().is_some_and(|it| it.key == SenseKey::UnitAttention && !it.deferred)
        };
        let Some(completion) = Some(completion).filter(attention).filter(|_| path.device != Device::Changer)
        else {
            return Vec::new();
        };
        let concerned =
            |(id, task): (&TaskId, &Task)| (self.is_step_on(task, path) && *id != heard_by).then_some(*id);
        let concerned: Vec<TaskId> = self.tasks.iter().filter_map(concerned).collect();
        let mut told = Vec::new();
        for id in concerned {
            let Some(same) = self.tasks.get_mut(&id).and_then(|task| task.same.as_mut()) else { continue };
            if same.is_asking() {
                same.note_missed(completion);
                continue;
            }
            let mine =
                |(command, _): &(_, _)| self.commands.get(command).is_some_and(|(task, _)| *task == id);
            let waiting = self.paths.get(&path).and_then(|queue| queue.waiting.iter().position(mine));
            let queue = self.paths.get_mut(&path);
            if let Some((command, _)) = queue.and_then(|queue| queue.waiting.remove(waiting?)) {
                self.commands.remove(&command);
                told.push((id, completion.clone()));
            } else if let Some(same) = self.tasks.get_mut(&id).and_then(|task| task.same.as_mut()) {
                same.note_missed(completion);
            }
        }
        told
    }

    /// Another drive answers than the one that the step was begun with. It was sent nothing of it. The library is read anew with the
    /// drives' own words; then the step begins again with its drive, wherever that is now.
    fn another_drive(&mut self, task: &Task, another: &Another, now: Now) {
        let index = task.library;
        if let Some(library) = self.library_mut(index) {
            library.touch(Stale::Library);
        }
        let Some(id) = task.work.step_of() else { return };
        if self.stopping(id) {
            return self.stop_here(id, now);
        }
        let Some(live) = self.live.get_mut(&id).filter(|live| live.ending.is_none()) else { return };
        live.strangers = live.strangers.saturating_add(1);
        if live.strangers < MAX_STRANGERS {
            if let Some(library) = self.library_mut(index) {
                library.routes.awaited.push(id);
            }
            return;
        }
        let (cartridge, drive) = (live.request.cartridge, live.request.drive.unwrap_or_default());
        let name = cartridge.map(|it| self.cartridge_name(it)).unwrap_or_default();
        let element = ElementName { kind: ElementType::Drive, address: drive };
        let serial = task.same.as_ref().and_then(SameDrive::serial);
        let (known, found) = (serial.unwrap_or("?"), another.0.as_deref().unwrap_or("?"));
        let message = alloc::format!(
            "{element} of {} was drive {known} when a step with cartridge {name} began, and drive {found} answers there, which was \
             left alone: see that the drives stay where they are, and that each has a serial number of its own",
            self.library_name(index)
        );
        let failure = Failure::new(FailureKind::PathLost, message).with_place(Place::Element(element));
        self.fail(id, failure, now);
    }

    /// The library was read: who waited for that goes on with its drive, where that is now.
    pub(crate) fn await_again(&mut self, index: LibraryIndex, now: Now) {
        let awaited = self.library_mut(index).map(|library| core::mem::take(&mut library.routes.awaited));
        for id in awaited.unwrap_or_default() {
            let Some(live) = self.live.get(&id).filter(|live| live.ending.is_none()) else { continue };
            let (phase, putting_back) = (live.phase, live.putting_back);
            if !matches!(phase, Phase::Loading | Phase::Labelling | Phase::Unloading | Phase::Cleaning) {
                continue;
            }
            if self.stopping(id) {
                self.stop_here(id, now);
                continue;
            }
            // The drive was taken away with its medium, say.
            let gone = self.not_in_its_drive(index, id).filter(|_| phase != Phase::Unloading);
            if let Some(failure) = gone {
                self.fail(id, failure, now);
                continue;
            }
            match phase {
                Phase::Unloading if putting_back => self.put_back(index, id, now),
                Phase::Unloading => self.queue_again(index, id),
                Phase::Cleaning => self.watch_cleaning(index, id, now),
                _ => self.await_drive(index, id, now),
            }
        }
    }
}
