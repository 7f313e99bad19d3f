use super::*;
use crate::store::{FaultFilter, HistoryFilter, MemoryStore};
use autochanger_engine::catalog::{FaultRecord, MotionRecord};
use autochanger_engine::id::RequestId;
use autochanger_engine::request::Request;

/// Notes what it is asked for, in order.
struct Noting(MemoryStore, std::sync::mpsc::Sender<&'static str>);

impl Store for Noting {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.0.load()
    }
    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        let _ = self.1.send("commit");
        self.0.commit(batch)
    }
    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        let _ = self.1.send("question");
        self.0.request(id)
    }
    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        self.0.history(filter)
    }
    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        self.0.motions(request)
    }
    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        self.0.faults(filter)
    }
    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        let _ = self.1.send("sweep");
        self.0.purge(purge)
    }
}

#[test]
fn a_sweep_waits_until_nobody_waits_for_the_store() {
    let (note, notes) = std::sync::mpsc::channel();
    let (jobs, queue) = blocking::channel();
    let (reports, mut told) = mpsc::unbounded_channel();
    let sweep = Sweep::before(autochanger_engine::time::WallTime(0));
    let owed = |batch| Owed { batch: BatchId(batch), reports: Some(reports.clone()) };
    let find = || Job::Find { token: Token(1), id: RequestId(uuid::Uuid::nil()), reports: reports.clone() };
    for job in [
        Job::Sweep { sweep, reports: reports.clone() },
        find(),
        Job::Commit { changes: Vec::new(), owed: owed(1) },
        find(),
        Job::Commit { changes: Vec::new(), owed: owed(2) },
    ] {
        assert!(jobs.send(job).is_ok());
    }
    drop(jobs);
    write(&mut Noting(MemoryStore::new(), note), &queue);
    assert_eq!(notes.into_iter().collect::<Vec<_>>(), ["commit", "question", "question", "sweep"]);
    let mut last = None;
    while let Ok(report) = told.try_recv() {
        last = Some(report);
    }
    assert!(matches!(last, Some(Report::Swept(Ok(_)))));
}

/// Fails its first commit, or panics at it; every other one succeeds.
struct Broken {
    store: MemoryStore,
    commits: usize,
    panics: bool,
    blocking: bool,
}

impl Broken {
    fn boxed(panics: bool, blocking: bool) -> Box<dyn Store> {
        Box::new(Self { store: MemoryStore::new(), commits: 0, panics, blocking })
    }
}

impl Store for Broken {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.store.load()
    }
    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        self.commits += 1;
        assert!(!self.panics, "a defect of the store");
        if self.commits == 1 {
            return Err(StoreError::Io { source: "no space".into() });
        }
        self.store.commit(batch)
    }
    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        self.store.request(id)
    }
    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        self.store.history(filter)
    }
    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        self.store.motions(request)
    }
    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        self.store.faults(filter)
    }
    fn is_blocking(&self) -> bool {
        self.blocking
    }
}

async fn results_of_two_commits(store: Box<dyn Store>) -> Vec<(BatchId, Result<(), StoreFailure>)> {
    let (mut writer, _) = Writer::start(store).await.expect("it loads");
    let (report, mut reports) = mpsc::unbounded_channel();
    let mut inline = VecDeque::new();
    let mut results = Vec::new();
    for batch in [BatchId(1), BatchId(2)] {
        writer.commit(batch, Vec::new(), &report, &mut inline);
        match inline.pop_front() {
            Some(Input::Persisted { batch, result }) => results.push((batch, result)),
            Some(other) => panic!("{other:?}"),
            None => match reports.recv().await {
                Some(Report::Persisted { batch, result }) => results.push((batch, result)),
                _ => panic!("a commit is owed"),
            },
        }
    }
    writer.close().await;
    results
}

#[tokio::test]
async fn after_a_commit_that_failed_nothing_more_is_committed() {
    for blocking in [false, true] {
        let results = results_of_two_commits(Broken::boxed(false, blocking)).await;
        assert!(matches!(results.as_slice(), [(BatchId(1), Err(one)), (BatchId(2), Err(two))] if one == two));
    }
}

#[tokio::test]
async fn a_store_that_dies_at_a_commit_owes_no_answer() {
    let results = results_of_two_commits(Broken::boxed(true, true)).await;
    assert!(matches!(results.as_slice(), [(BatchId(1), Err(_)), (BatchId(2), Err(_))]), "{results:?}");
}
