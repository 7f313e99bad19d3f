//! Requests that ended long ago are forgotten unasked: which, when, and how little of the store's time that takes.
#![cfg(all(feature = "sim", feature = "redb"))]

mod common;

#[path = "store/samples.rs"]
#[allow(dead_code, reason = "shared with the tests of stores: each binary uses a part of it")]
mod samples;

#[path = "store/temp.rs"]
mod temp;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use autochanger::catalog::{FaultRecord, MotionRecord, MotionState};
use autochanger::change::{Change, Snapshot};
use autochanger::clock::{Clock, ManualClock};
use autochanger::store::{
    FaultFilter, HistoryFilter, MemoryStore, Purged, RedbStore, Store, StoreError, Sweep,
};
use autochanger::{
    DEFAULT_PURGE_AFTER, Event, EventKind, Manager, Purge, Request, RequestId, Role, Session, State,
};
use common::{advance_until, within};
use samples::{failure, motion, mount_request, mounted, request_id};
use temp::TempDir;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The clock's step while a store's thread is waited for: however long that takes, no day passes.
const MOMENT: Duration = Duration::from_millis(1);

/// A store that outlives its managers, and tells how it was swept.
#[derive(Clone)]
struct Kept {
    inner: Arc<Mutex<Inner>>,
    blocking: bool,
}

struct Inner {
    store: Box<dyn Store>,
    sweeps: Vec<(Sweep, Purged)>,
    failing: bool,
}

impl Kept {
    fn new(store: impl Store) -> Self {
        let blocking = store.is_blocking();
        let inner = Inner { store: Box::new(store), sweeps: Vec::new(), failing: false };
        Self { inner: Arc::new(Mutex::new(inner)), blocking }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().expect("sound"))
    }

    fn sweeps(&self) -> Vec<(Sweep, Purged)> {
        self.with(|inner| inner.sweeps.clone())
    }

    fn has(&self, id: RequestId) -> bool {
        self.with(|inner| inner.store.request(id).expect("readable").is_some())
    }

    /// A request that ends now, with a motion.
    fn ended(&self, number: u64, state: State, clock: &ManualClock) -> RequestId {
        self.all_ended([(number, state)], clock);
        request_id(number)
    }

    fn all_ended(&self, requests: impl IntoIterator<Item = (u64, State)>, clock: &ManualClock) {
        let ended = requests.into_iter().flat_map(|(number, state)| {
            let moved = Change::Motion(motion(number, 1, MotionState::Moved));
            let request = Request { ended_at: Some(clock.now().wall), ..mount_request(number, state) };
            [moved, Change::Request(request)]
        });
        let ended: Vec<_> = ended.collect();
        self.with(|inner| inner.store.commit(&ended).expect("kept"));
    }

    /// Waits until it has been swept so often, time passing in small steps.
    async fn swept(&self, times: usize, clock: &ManualClock) -> Vec<(Sweep, Purged)> {
        let enough = async {
            while self.sweeps().len() < times {
                tokio::task::yield_now().await;
            }
        };
        advance_until(clock, MOMENT, enough).await;
        self.sweeps()
    }
}

impl Store for Kept {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.with(|inner| inner.store.load())
    }
    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        self.with(|inner| inner.store.commit(batch))
    }
    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        self.with(|inner| inner.store.request(id))
    }
    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        self.with(|inner| inner.store.history(filter))
    }
    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        self.with(|inner| inner.store.motions(request))
    }
    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        self.with(|inner| inner.store.faults(filter))
    }
    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        self.with(|inner| {
            let Purge::Sweep(sweep) = purge else { return inner.store.purge(purge) };
            if inner.failing {
                return Err(StoreError::Io { source: "the test's hand is on the disk".into() });
            }
            let purged = inner.store.purge(purge)?;
            inner.sweeps.push((sweep.clone(), purged));
            Ok(purged)
        })
    }
    fn is_blocking(&self) -> bool {
        self.blocking
    }
}

/// A store of each kind.
fn stores(directory: &TempDir) -> [Kept; 2] {
    [Kept::new(MemoryStore::new()), Kept::new(RedbStore::open(directory.file("store")).expect("it opens"))]
}

struct Life {
    manager: Manager,
    session: Session,
}

impl Life {
    async fn new(
        store: &Kept,
        clock: &ManualClock,
        library: &autochanger::transport::sim::SimulatedLibrary,
        set_up: impl FnOnce(autochanger::ManagerBuilder) -> autochanger::ManagerBuilder,
    ) -> Self {
        let builder = common::builder(library).store_with(store.clone()).clock(clock.clone());
        let manager = set_up(builder).open().await.expect("it opens");
        within(manager.ready()).await.expect("ready");
        let session = manager.session("backup").role(Role::Administrator).open().expect("it opens");
        Self { manager, session }
    }

    /// Waits until the manager has heard what the store did: it comes before what is done for a new request.
    async fn heard(&self) {
        within(self.session.inventory()).await.expect("read");
    }

    async fn end(self) {
        within(self.manager.shutdown()).await;
    }
}

/// The next event of a purge, time passing in small steps.
async fn purged(events: &mut autochanger::EventStream, clock: &ManualClock) -> (u64, Option<Arc<str>>) {
    let wanted = common::event(events, |kind| matches!(kind, EventKind::Purged { .. }));
    match advance_until(clock, MOMENT, wanted).await {
        Event { kind: EventKind::Purged { requests, failure }, .. } => (requests, failure),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn after_three_days_what_ended_is_forgotten_but_what_failed_or_is_mounted() {
    let directory = TempDir::new();
    for store in stores(&directory) {
        let (clock, library) = (ManualClock::new(), common::library());
        let life = Life::new(&store, &clock, &library, |builder| builder).await;
        let mut events = life.manager.events();
        let tape = within(life.session.mount("VT0001L8")).await.expect("mounted");
        let second = within(life.session.mount("VT0002L8")).await.expect("mounted");
        let other = second.id();
        let read = within(life.session.inventory()).await.expect("read").id;
        let broken = store.ended(1, State::Failed(failure()), &clock);
        within(second.dismount()).await.expect("dismounted");

        // A day before its time nothing goes.
        clock.advance(DEFAULT_PURGE_AFTER - DAY);
        let seen = store.swept(1, &clock).await;
        assert!(seen.iter().all(|(_, purged)| (purged.deleted, purged.kept) == (0, 0)), "{seen:?}");
        assert!(store.has(read) && store.has(other));
        life.heard().await;

        clock.advance(DAY + HOUR);
        // The mount that has ended, its dismount, the inventory.
        assert_eq!(purged(&mut events, &clock).await, (3, None));
        assert!(!store.has(read) && !store.has(other));
        assert!(store.has(tape.id()) && store.has(broken));
        assert!(life.session.request(read).await.expect("readable").is_none());
        assert_eq!(life.session.motions(broken).await.expect("readable").len(), 1);

        // What was mounted then is found when the store is gone through from its beginning, a day later at the latest.
        let id = tape.id();
        within(tape.dismount()).await.expect("dismounted");
        clock.advance(DAY);
        assert_eq!(purged(&mut events, &clock).await, (1, None));
        assert!(!store.has(id) && store.has(broken));
        life.end().await;
    }
}

#[tokio::test]
async fn the_next_manager_forgets_what_the_last_one_left_soon_after_its_start() {
    let directory = TempDir::new();
    for store in stores(&directory) {
        let (clock, library) = (ManualClock::new(), common::library());
        let life = Life::new(&store, &clock, &library, |builder| builder).await;
        let tape = within(life.session.mount("VT0001L8")).await.expect("mounted").id();
        let read = within(life.session.inventory()).await.expect("read").id;
        let broken = store.ended(1, State::Failed(failure()), &clock);
        life.end().await;
        assert!(store.has(read));
        clock.advance(DEFAULT_PURGE_AFTER + HOUR);

        let life = Life::new(&store, &clock, &library, |builder| builder.purge_failed(true)).await;
        let mut events = life.manager.events();
        let start = clock.now();
        assert_eq!(purged(&mut events, &clock).await, (2, None));
        assert!(clock.now().wall.since(start.wall) < HOUR, "a short life is enough");
        assert!(!store.has(read) && !store.has(broken) && store.has(tape));
        within(life.session.adopt(tape)).await.expect("what was mounted is claimed with its request");
        life.end().await;
    }
}

#[tokio::test]
async fn what_stays_because_it_failed_is_not_looked_at_again_before_a_day_has_passed() {
    const FAILED: u64 = 600;
    let directory = TempDir::new();
    for store in stores(&directory) {
        let (clock, library) = (ManualClock::new(), common::library());
        let state = |number| if number % 100 == 0 { mounted() } else { State::Failed(failure()) };
        store.all_ended((0..FAILED).map(|number| (number, state(number))), &clock);
        clock.advance(2 * DEFAULT_PURGE_AFTER);
        let life = Life::new(&store, &clock, &library, |builder| builder).await;
        let mut events = life.manager.events();
        assert_eq!(purged(&mut events, &clock).await, (6, None), "one event for all its steps");
        let first = store.sweeps();
        assert!(first.len() > 1 && first.iter().all(|(sweep, _)| sweep.at_most <= 1000), "{}", first.len());
        assert_eq!(first.iter().map(|(_, purged)| purged.kept).sum::<usize>() as u64, FAILED - 6);
        for steps in first.windows(2) {
            assert_eq!(steps[1].0.after, steps[0].1.reached, "it goes on where it was");
        }

        clock.advance(HOUR);
        let all = store.swept(first.len() + 1, &clock).await;
        let (sweep, purged) = &all[first.len()];
        assert_eq!((sweep.after, purged.kept), (first[first.len() - 1].1.reached, 0));
        life.heard().await;
        clock.advance(DAY);
        let seen = all.len();
        let all = store.swept(seen + 1, &clock).await;
        assert_eq!(all[seen].0.after, None, "what could not go then is looked for");
        life.end().await;
    }
}

#[tokio::test]
async fn nothing_is_forgotten_unasked_when_the_program_says_so() {
    let directory = TempDir::new();
    for store in stores(&directory) {
        let (clock, library) = (ManualClock::new(), common::library());
        let old = store.ended(1, mounted(), &clock);
        let life = Life::new(&store, &clock, &library, |builder| builder.purge_after(None)).await;
        for _ in 0..3 {
            clock.advance(10 * DEFAULT_PURGE_AFTER);
            // What is due is seen to before anything new is taken in.
            within(life.session.inventory()).await.expect("read");
        }
        life.end().await;
        assert!(store.sweeps().is_empty() && store.has(old));
    }
}

#[tokio::test]
async fn a_purge_that_fails_is_told_and_tried_again_and_stops_nothing() {
    let directory = TempDir::new();
    for store in stores(&directory) {
        let (clock, library) = (ManualClock::new(), common::library());
        let old = store.ended(1, mounted(), &clock);
        clock.advance(2 * DEFAULT_PURGE_AFTER);
        store.with(|inner| inner.failing = true);
        let life = Life::new(&store, &clock, &library, |builder| builder).await;
        let mut events = life.manager.events();
        let (requests, failure) = purged(&mut events, &clock).await;
        assert_eq!(requests, 0);
        assert!(failure.is_some_and(|failure| failure.contains("on the disk")));
        within(life.session.inventory()).await.expect("read");
        store.with(|inner| inner.failing = false);
        clock.advance(HOUR);
        assert_eq!(purged(&mut events, &clock).await, (1, None));
        assert!(!store.has(old));
        life.end().await;
    }
}
