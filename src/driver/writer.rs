//! The store's side: one place from which it is called, in order. A store that blocks has a thread of its own, which
//! commits everything that waits as one group, so that a thousand waiting requests share a sync.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc as blocking;

use autochanger_engine::id::{BatchId, RequestId, Token};
use autochanger_engine::input::{Input, StoreFailure};
use autochanger_engine::{Change, Snapshot};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::message::{Ask, PurgeFailed, Report};
use crate::store::{Purge, Purged, Store, StoreError, Sweep};

/// The thread's name, as `ps -L` and a debugger show it.
const THREAD_NAME: &str = "autochanger-sto";

/// A group ends at this many changes: bounds one transaction to a few megabytes, and the time until the first of the
/// group is told.
const GROUP_MAX: usize = 8192;

/// The store as the driver sees it.
pub(crate) enum Writer {
    /// It does not block, and is called where the driver stands.
    Inline { store: Box<dyn Store>, failed: Failed },
    /// It works in its own thread.
    Thread { jobs: blocking::Sender<Job>, ended: oneshot::Receiver<()> },
}

/// The error that ended the store's service: nothing is committed after it, for a gap would be worse than a stop.
pub(crate) type Failed = Option<StoreFailure>;

/// What the thread is asked. Unbounded as a channel, bounded by the driver's unanswered questions (batches, look-ups) and by the
/// permits that questions carry.
pub(crate) enum Job {
    Commit {
        changes: Vec<Change>,
        owed: Owed,
    },
    Find {
        token: Token,
        id: RequestId,
        reports: mpsc::UnboundedSender<Report>,
    },
    Ask(Ask),
    Purge {
        purge: Purge,
        permit: OwnedSemaphorePermit,
        reply: oneshot::Sender<Result<Purged, PurgeFailed>>,
    },
    /// What waits until there is nothing else to do.
    Sweep {
        sweep: Sweep,
        reports: mpsc::UnboundedSender<Report>,
    },
}

impl Writer {
    /// Loads what the store kept, and makes it ready to be written.
    pub(crate) async fn start(mut store: Box<dyn Store>) -> Result<(Self, Snapshot), StoreError> {
        if !store.is_blocking() {
            let snapshot = store.load()?;
            return Ok((Self::Inline { store, failed: None }, snapshot));
        }
        let (jobs, queue) = blocking::channel();
        let (loaded, snapshot) = oneshot::channel();
        let (alive, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name(THREAD_NAME.into()).spawn(move || {
            let result = store.load();
            let usable = result.is_ok();
            if loaded.send(result).is_ok() && usable {
                write(&mut *store, &queue);
            }
            // The file is closed before anybody is told that the thread has ended.
            drop(store);
            drop(alive);
        });
        thread.map_err(|error| StoreError::Io { source: Box::new(error) })?;
        let snapshot = snapshot.await.map_err(|_| StoreError::Io { source: STOPPED.into() })??;
        Ok((Self::Thread { jobs, ended }, snapshot))
    }

    /// Commits a batch. The end is reported: at once into `inline` by a store that does not block.
    pub(crate) fn commit(
        &mut self,
        batch: BatchId,
        changes: Vec<Change>,
        reports: &mpsc::UnboundedSender<Report>,
        inline: &mut VecDeque<Input>,
    ) {
        match self {
            Self::Inline { store, failed } => {
                let result = commit(&mut **store, failed, &changes);
                inline.push_back(Input::Persisted { batch, result });
            }
            Self::Thread { jobs, .. } => {
                let owed = Owed { batch, reports: Some(reports.clone()) };
                // A thread that is gone drops the job, and the job reports.
                let _ = jobs.send(Job::Commit { changes, owed });
            }
        }
    }

    /// Looks a request up.
    pub(crate) fn find(
        &mut self,
        token: Token,
        id: RequestId,
        reports: &mpsc::UnboundedSender<Report>,
        inline: &mut VecDeque<Input>,
    ) {
        match self {
            Self::Inline { store, .. } => {
                let result = store.request(id).map_err(failure);
                inline.push_back(Input::Found { token, result });
            }
            Self::Thread { jobs, .. } => {
                if jobs.send(Job::Find { token, id, reports: reports.clone() }).is_err() {
                    let result = Err(StoreFailure(STOPPED.into()));
                    inline.push_back(Input::Found { token, result });
                }
            }
        }
    }

    /// Asks the store something; the question sends its own answer. One that cannot be put is dropped.
    pub(crate) fn ask(&mut self, ask: Ask) {
        match self {
            Self::Inline { store, .. } => ask(&mut **store),
            Self::Thread { jobs, .. } => {
                let _ = jobs.send(Job::Ask(ask));
            }
        }
    }

    /// Forgets requests that have ended. One that cannot be put is dropped.
    pub(crate) fn purge(
        &mut self,
        purge: Purge,
        permit: OwnedSemaphorePermit,
        reply: oneshot::Sender<Result<Purged, PurgeFailed>>,
    ) {
        match self {
            Self::Inline { store, failed } => {
                let _ = reply.send(purge_unless_failed(&mut **store, failed, &purge));
            }
            Self::Thread { jobs, .. } => {
                let _ = jobs.send(Job::Purge { purge, permit, reply });
            }
        }
    }

    /// Makes a step of a sweep when nothing else waits for the store. What it came to is reported.
    pub(crate) fn sweep(&mut self, sweep: Sweep, reports: &mpsc::UnboundedSender<Report>) {
        match self {
            Self::Inline { store, failed } => {
                let _ = reports.send(Report::Swept(purge_unless_failed(
                    &mut **store,
                    failed,
                    &Purge::Sweep(sweep),
                )));
            }
            Self::Thread { jobs, .. } => {
                let _ = jobs.send(Job::Sweep { sweep, reports: reports.clone() });
            }
        }
    }

    /// Closes the store and returns when it is closed.
    pub(crate) async fn close(self) {
        if let Self::Thread { jobs, ended } = self {
            drop(jobs);
            let _ = ended.await;
        }
    }
}

const STOPPED: &str = "the store's thread has stopped";

/// A batch whose end is owed to the engine; told also when the store's thread dies under it.
pub(crate) struct Owed {
    batch: BatchId,
    reports: Option<mpsc::UnboundedSender<Report>>,
}

impl Owed {
    fn tell(mut self, result: Result<(), StoreFailure>) {
        if let Some(reports) = self.reports.take() {
            let _ = reports.send(Report::Persisted { batch: self.batch, result });
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(reports) = self.reports.take() {
            let result = Err(StoreFailure(STOPPED.into()));
            let _ = reports.send(Report::Persisted { batch: self.batch, result });
        }
    }
}

/// The thread's work: commits everything that waits as one group, then answers one question, which so sees it, and looks for
/// commits again: however long a history is read, no commit waits for more than one. A sweep's step comes when nothing waits.
fn write(store: &mut dyn Store, queue: &blocking::Receiver<Job>) {
    let mut failed = None;
    let mut questions = VecDeque::new();
    let mut sweep = None;
    loop {
        let mut group = Group::default();
        let is_idle = questions.is_empty() && sweep.is_none();
        let mut next = if is_idle { queue.recv().ok() } else { queue.try_recv().ok() };
        if next.is_none() && questions.is_empty() {
            match sweep.take() {
                Some(step) => answer(step, store, &failed),
                None => return,
            }
        }
        while let Some(job) = next {
            match job {
                Job::Commit { changes, owed } => group.add(changes, owed),
                step @ Job::Sweep { .. } => sweep = Some(step),
                question => questions.push_back(question),
            }
            next = if group.changes.len() < GROUP_MAX { queue.try_recv().ok() } else { None };
        }
        group.commit(store, &mut failed);
        if let Some(question) = questions.pop_front() {
            answer(question, store, &failed);
        }
    }
}

fn answer(question: Job, store: &mut dyn Store, failed: &Failed) {
    match question {
        Job::Find { token, id, reports } => {
            let result = Box::new(store.request(id).map_err(failure));
            let _ = reports.send(Report::Found { token, result });
        }
        Job::Ask(ask) => ask(store),
        Job::Purge { purge, permit, reply } => {
            let _ = reply.send(purge_unless_failed(store, failed, &purge));
            drop(permit);
        }
        Job::Sweep { sweep, reports } => {
            let result = purge_unless_failed(store, failed, &Purge::Sweep(sweep));
            let _ = reports.send(Report::Swept(result));
        }
        Job::Commit { .. } => {}
    }
}

/// A purge writes: after a commit that failed it is refused as the next commit is.
fn purge_unless_failed(store: &mut dyn Store, failed: &Failed, purge: &Purge) -> Result<Purged, PurgeFailed> {
    match failed {
        Some(StoreFailure(reason)) => Err(PurgeFailed::Before(Arc::clone(reason))),
        None => store.purge(purge).map_err(PurgeFailed::Now),
    }
}

#[derive(Default)]
struct Group {
    changes: Vec<Change>,
    owed: Vec<Owed>,
}

impl Group {
    fn add(&mut self, changes: Vec<Change>, owed: Owed) {
        self.changes.extend(changes);
        self.owed.push(owed);
    }

    fn commit(self, store: &mut dyn Store, failed: &mut Failed) {
        if self.owed.is_empty() {
            return;
        }
        let result = commit(store, failed, &self.changes);
        for owed in self.owed {
            owed.tell(result.clone());
        }
    }
}

fn commit(store: &mut dyn Store, failed: &mut Failed, changes: &[Change]) -> Result<(), StoreFailure> {
    if let Some(failure) = failed {
        return Err(failure.clone());
    }
    store.commit(changes).map_err(|error| {
        let failure = failure(error);
        *failed = Some(failure.clone());
        failure
    })
}

fn failure(error: StoreError) -> StoreFailure {
    StoreFailure(Arc::from(error.to_string()))
}

#[cfg(test)]
mod tests;
