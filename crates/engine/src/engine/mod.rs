//! The engine: four verbs, and the state behind them. Each question has its own file.

mod adopt;
mod arm;
mod at_once;
mod attention;
mod cancel;
mod catalogue;
mod check;
mod choices;
mod clean;
mod cleaner;
mod contents;
mod defer;
mod dismount;
mod door;
mod drives;
mod eject;
mod emit;
mod ending;
mod exchange;
mod fault;
mod finish;
mod forecast;
mod grant;
mod group;
mod identify;
mod identity;
mod index;
mod inject;
mod inventory;
mod labels;
mod live;
mod look;
mod motion;
mod mount;
mod moved;
mod named;
mod near;
mod not_moved;
mod open;
mod operator;
mod order;
mod ownership;
mod pair;
mod parts;
mod paths;
mod ports;
mod put_back;
mod recognize;
mod records;
mod recover;
mod release;
mod remarks;
mod renumbered;
mod round;
mod same_drive;
mod schedule;
mod service;
mod servicing;
mod shown;
mod slot;
mod standing;
mod start;
mod submit;
mod submit_group;
mod task;
mod traffic;
mod unconfigured;
mod view;
mod wake;
mod work;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::ElementAddress;

use crate::catalog::{DriveRecord, LibraryRecord, MotionRecord};
use crate::changer::Heard;
use crate::id::{CommandId, IdSource, LibraryId, LibraryIndex, Path, RequestId};
use crate::input::{Config, Input, Snapshot};
use crate::library::Library;
use crate::output::{EventKind, Output};
use crate::planted::Planted;
use crate::time::Now;
use catalogue::Catalogue;
use emit::Outbox;
use index::LiveRequests;
use submit::LookupFor;
use submit_group::AskedGroup;
use traffic::PathQueue;
pub use view::View;
use work::{Task, TaskId, Timer, TimerKey};

/// The manager's core. See the crate's documentation for the four verbs.
#[derive(Debug, Clone)]
pub struct Engine {
    config: Config,
    ids: IdSource,
    libraries: Vec<Library>,
    catalogue: Catalogue,
    known_libraries: Vec<LibraryRecord>,
    known_drives: BTreeMap<(LibraryId, ElementAddress), DriveRecord>,
    pub(crate) live: LiveRequests,
    /// Counts accepted requests: their age in the order of service.
    accepted: u64,
    /// Motions that an earlier process left open, until their library is there.
    open_motions: BTreeMap<RequestId, MotionRecord>,
    /// Libraries that are not configured, and of whose open requests was told.
    told_unconfigured: Vec<LibraryId>,
    lookups: BTreeMap<crate::id::Token, LookupFor>,
    next_lookup: u64,
    /// Groups of which the store is asked, by the caller's token.
    asked_groups: BTreeMap<crate::id::Token, AskedGroup>,
    /// Cancels whose verdict is open.
    pending_cancels: usize,
    tasks: BTreeMap<TaskId, Task>,
    next_task: u64,
    commands: BTreeMap<CommandId, (TaskId, Path)>,
    next_command: u64,
    paths: BTreeMap<Path, PathQueue>,
    timers: BTreeMap<TimerKey, Timer>,
    next_timer: u64,
    outbox: Outbox,
    /// Libraries whose schedule is to be looked at before this input is done.
    dirty: VecDeque<LibraryIndex>,
    store_failed: Option<Arc<str>>,
    /// Nothing new is begun any more.
    stopped: bool,
    pub(crate) planted: Planted,
}

impl Engine {
    /// An engine that starts from what the store kept. Drain [`poll_output`](Self::poll_output) before the first input.
    pub fn new(config: Config, snapshot: Snapshot, now: Now) -> Self {
        let libraries = config
            .libraries
            .iter()
            .enumerate()
            .map(|(n, library)| Library::new(LibraryIndex(n as u16), library.clone()))
            .collect();
        let mut engine = Self {
            ids: IdSource::new(config.seed),
            config,
            libraries,
            catalogue: Catalogue::new(snapshot.cartridges, snapshot.mounts),
            known_libraries: snapshot.libraries,
            known_drives: snapshot.drives.into_iter().map(|d| ((d.library, d.element), d)).collect(),
            live: LiveRequests::default(),
            accepted: 0,
            open_motions: BTreeMap::new(),
            told_unconfigured: Vec::new(),
            lookups: BTreeMap::new(),
            next_lookup: 0,
            asked_groups: BTreeMap::new(),
            pending_cancels: 0,
            tasks: BTreeMap::new(),
            next_task: 0,
            commands: BTreeMap::new(),
            next_command: 0,
            paths: BTreeMap::new(),
            timers: BTreeMap::new(),
            next_timer: 0,
            outbox: Outbox::default(),
            dirty: VecDeque::new(),
            store_failed: None,
            stopped: false,
            planted: Planted::default(),
        };
        engine.restore(snapshot.requests, snapshot.motions, now);
        for n in 0..engine.libraries.len() {
            engine.begin_open(LibraryIndex(n as u16), now);
        }
        engine.settle_outputs(now);
        engine
    }

    /// Takes one input. Drain [`poll_output`](Self::poll_output) before the next one.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Submit { token, submission } => self.submit(token, submission, now),
            Input::Cancel { token, caller, id, reason } => self.cancel(token, &caller, id, reason, now),
            Input::Adopt { token, caller, id } => self.adopt(token, caller, id, now),
            Input::SubmitGroup { token, submissions } => self.submit_group(token, submissions, now),
            Input::Reorder { token, caller, id, position } => self.reorder(token, &caller, id, position),
            Input::RefuseOperatorTask { token, caller, id } => self.refuse_task(token, &caller, id, now),
            Input::SatisfyOperatorTask { token, caller, id } => self.satisfy_task(token, &caller, id, now),
            Input::SetCleanerUses { token, caller, cartridge, uses } => {
                self.set_cleaner_uses(token, &caller, &cartridge, uses);
            }
            Input::CloseSession { token, session } => self.close_session(token, session, now),
            Input::Persisted { batch, result } => self.persisted(batch, result, now),
            Input::Found { token, result } => self.found(token, result, now),
            Input::Completed { command, result } => self.completed(command, result, now),
            Input::Claimed { library, result } => self.claimed(library, result, now),
            Input::Purged { requests, failure } => self.tell(EventKind::Purged { requests, failure }, now),
            Input::Stop => {
                self.stopped = true;
                self.give_back(now);
            }
            Input::Tick => {}
        }
        self.fire_timers(now);
        self.settle_outputs(now);
    }

    /// The next thing to do; `None` when all that the last input caused was taken.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop()
    }

    /// When the engine wants an [`Input::Tick`], in monotonic time.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.timers.first_key_value().map(|(key, _)| key.at)
    }

    /// How things stand.
    pub fn view(&self) -> View<'_> {
        View::new(self)
    }

    fn library(&self, index: LibraryIndex) -> Option<&Library> {
        self.libraries.get(usize::from(index.0))
    }

    fn library_mut(&mut self, index: LibraryIndex) -> Option<&mut Library> {
        self.libraries.get_mut(usize::from(index.0))
    }

    fn mark_dirty(&mut self, index: LibraryIndex) {
        if !self.dirty.contains(&index) {
            self.dirty.push_back(index);
        }
    }

    /// Runs schedules and effects until nothing more follows, then closes the batch.
    fn settle_outputs(&mut self, now: Now) {
        loop {
            while let Some(index) = self.dirty.pop_front() {
                self.schedule(index, now);
            }
            let effects = self.outbox.flush();
            if effects.is_empty() && self.dirty.is_empty() {
                return;
            }
            self.run_effects(effects, now);
        }
    }

    fn fire_timers(&mut self, now: Now) {
        while let Some(entry) = self.timers.first_entry().filter(|entry| entry.key().at <= now.monotonic) {
            match entry.remove() {
                Timer::Wake(task) => self.step_task(task, Heard::Woken, now),
                Timer::Reopen(library) => self.begin_open(library, now),
                Timer::Watch(library) => self.look_again(library, now),
                Timer::FindDrives(library) => self.look_for_unheard(library),
                Timer::Requeue(request) => self.requeue_after_pause(request, now),
                Timer::Schedule(library) => self.mark_dirty(library),
                Timer::Look(library) => self.look_unasked(library, now),
                Timer::DwellOver(library, drive) => self.dwell_over(library, drive),
                Timer::PortOver(request) => self.port_over(request, now),
                Timer::Deadline(request) => self.deadline_passed(request, now),
            }
        }
    }
}
