//! A simulated library whose managers crash: what the store's file holds at that moment is all that is left of one.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use autochanger::catalog::{FaultRecord, MotionRecord};
use autochanger::change::{Change, Snapshot};
use autochanger::clock::ManualClock;
use autochanger::store::{FaultFilter, HistoryFilter, Purge, Purged, RedbStore, Store, StoreError};
use autochanger::transport::sim::SimulatedLibrary;
use autochanger::{Manager, Request, RequestId, RestartPolicy, Role, Session, State};
use tokio::sync::Notify;

use crate::common::{self, within};
use crate::news::{Row, news};
use crate::temp::TempDir;

/// A minute of the test's clock.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// What outlives a manager: the library, the clock on the wall, and the file.
pub(crate) struct World {
    pub(crate) library: SimulatedLibrary,
    pub(crate) clock: ManualClock,
    directory: TempDir,
    lives: u32,
}

/// A manager with its session, until it crashes.
pub(crate) struct Life {
    pub(crate) manager: Manager,
    pub(crate) session: Session,
    plan: Arc<Plan>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { library: common::library(), clock: ManualClock::new(), directory: TempDir::new(), lives: 0 }
    }

    /// A manager on what the last one left.
    pub(crate) async fn start(&self) -> Life {
        self.start_with(None, RestartPolicy::Resume).await
    }

    /// A manager whose store stops at the first commit of this row.
    pub(crate) async fn start_and_stop_at(&self, row: Row) -> Life {
        self.start_with(Some(row), RestartPolicy::Resume).await
    }

    pub(crate) async fn start_with(&self, stop: Option<Row>, policy: RestartPolicy) -> Life {
        let plan = Arc::new(Plan { stop, ..Plan::default() });
        let inner = RedbStore::open(self.file()).expect("what a crash left opens");
        let manager = common::builder(&self.library)
            .store_with(CrashingStore { inner, plan: Arc::clone(&plan) })
            .clock(self.clock.clone())
            .restart(policy)
            .open()
            .await
            .expect("the manager opens");
        let session = manager.session("backup").role(Role::Administrator).open().expect("a session opens");
        if stop.is_none() {
            within(manager.ready()).await.expect("the library is ready");
        }
        Life { manager, session, plan }
    }

    /// The manager is gone at once. It sends nothing more, and what it does not have in the file yet is lost.
    pub(crate) async fn crash(&mut self, life: Life) {
        let dead = self.file();
        self.lives += 1;
        {
            let mut state = life.plan.state();
            state.crashed = true;
            fs::copy(dead, self.file()).expect("the file can be copied");
        }
        life.plan.crash.notify_all();
        within(life.manager.shutdown()).await;
    }

    fn file(&self) -> PathBuf {
        self.directory.file(&format!("life-{}", self.lives))
    }
}

impl Life {
    /// Waits until the store stands before the commit that it is to stop at.
    pub(crate) async fn stopped(&self) {
        within(self.plan.stopped.notified()).await;
    }

    /// The request, which must be there.
    pub(crate) async fn request(&self, id: RequestId) -> Request {
        self.session.request(id).await.expect("the store answers").expect("the request is found")
    }

    /// Passes time by the minute until the request's state is one that is wanted.
    pub(crate) async fn pass_until(
        &self,
        clock: &ManualClock,
        id: RequestId,
        wanted: impl Fn(&State) -> bool,
    ) -> Request {
        within(async {
            loop {
                let request = self.request(id).await;
                if wanted(&request.state) {
                    return request;
                }
                clock.advance(MINUTE);
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// Waits, without any time passing by the clock.
    pub(crate) async fn until(&self, id: RequestId, wanted: impl Fn(&State) -> bool) -> Request {
        within(async {
            loop {
                let request = self.request(id).await;
                if wanted(&request.state) {
                    return request;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    pub(crate) async fn motions(&self, id: RequestId) -> Vec<MotionRecord> {
        self.session.motions(id).await.expect("the store answers")
    }
}

#[derive(Default)]
struct Plan {
    stop: Option<Row>,
    stopped: Notify,
    state: Mutex<PlanState>,
    crash: std::sync::Condvar,
}

#[derive(Default)]
struct PlanState {
    crashed: bool,
}

impl Plan {
    fn state(&self) -> MutexGuard<'_, PlanState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The real store. It stops before the chosen commit until the crash, and after the crash it keeps nothing.
struct CrashingStore {
    inner: RedbStore,
    plan: Arc<Plan>,
}

impl Store for CrashingStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.inner.load()
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        let news = news(&mut self.inner, batch);
        let mut state = self.plan.state();
        if self.plan.stop.is_some_and(|stop| news.iter().any(|(row, _, _)| *row == stop)) {
            self.plan.stopped.notify_one();
            let waited = self.plan.crash.wait_while(state, |state| !state.crashed);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        if state.crashed {
            return Err(StoreError::Io { source: "the process has crashed".into() });
        }
        // Under the lock, so that no crash copies a file that is being written.
        let result = self.inner.commit(batch);
        drop(state);
        result
    }

    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        self.inner.request(id)
    }

    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        self.inner.history(filter)
    }

    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        self.inner.motions(request)
    }

    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        self.inner.purge(purge)
    }

    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        self.inner.faults(filter)
    }
}
