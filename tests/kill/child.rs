//! The process that is killed: this test program again, told by its environment that it is the child.

use std::fmt;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use autochanger::catalog::{FaultRecord, MotionRecord};
use autochanger::change::{Change, Snapshot};
use autochanger::store::{RedbStore, Store, StoreError};
use autochanger::{
    ElementType, FaultFilter, HistoryFilter, LibraryConfig, Manager, Place, Request, RequestId, Role,
    Session, State, Ticket, TicketOutcome, Timing, Waiting,
};
use uuid::Uuid;

use crate::news::{Row, news};

/// What lines to the parent begin with; the test harness prints lines of its own.
pub(crate) const MARK: &str = "kill: ";
const CHILD: &str = "AUTOCHANGER_KILL_CHILD";

/// A motion's time-out: a doubtful move is not taken for *not moved* before, so each such round takes as long.
pub(crate) const MOTION: Duration = Duration::from_millis(2500);

/// Longer than a run takes on a busy machine.
const LONG: Duration = Duration::from_secs(20);

/// The cartridges of the two workers; each works with a pair of its own, both use the one arm.
pub(crate) const BARCODES: [[&str; 2]; 2] = [["VT0001L3", "VT0002L3"], ["VT0003L3", "VT0004L3"]];

/// What the child is to do.
pub(crate) struct Orders {
    pub(crate) url: String,
    pub(crate) store: PathBuf,
    pub(crate) locks: PathBuf,
    /// Stop before a commit of this kind, after so many of them.
    pub(crate) stop: Option<(Row, usize)>,
    /// Bring everything to its end instead of working on for ever.
    pub(crate) finish: bool,
}

/// Starts this test program again, with the test of the calling thread.
pub(crate) fn spawn(orders: &Orders) -> Child {
    let test = std::thread::current().name().expect("the harness names its threads").to_owned();
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", &test, "--nocapture", "--test-threads=1"]);
    command.env(CHILD, "1").env("KILL_URL", &orders.url).env("KILL_STORE", &orders.store);
    command.env("KILL_LOCKS", &orders.locks).env("KILL_FINISH", if orders.finish { "yes" } else { "no" });
    if let Some((stop, after)) = orders.stop {
        command.env("KILL_STOP", stop.to_string()).env("KILL_AFTER", after.to_string());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("this program starts again")
}

fn order(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("the child's orders lack {name}"))
}

fn say(line: impl fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{line}").and_then(|()| out.flush()).expect("the parent listens");
}

/// Becomes the child where the environment says so, and then never returns.
pub(crate) fn run_instead_if_this_is_the_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    // The parent holds the other end for as long as it lives.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(3);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work());
    std::process::exit(0);
}

async fn work() {
    let store = RedbStore::open(order("KILL_STORE")).expect("the store opens again");
    let stop = std::env::var("KILL_STOP").ok();
    let after = std::env::var("KILL_AFTER").ok().and_then(|after| after.parse().ok()).unwrap_or(0);
    let timing = Timing {
        motion: MOTION,
        recommended: false,
        retry_min: Duration::from_millis(20),
        retry_max: Duration::from_millis(100),
        ..Timing::default()
    };
    let manager = Manager::builder()
        .library(LibraryConfig::new(order("KILL_URL")).timing(timing))
        .store_with(StoppingStore { inner: store, stop, after })
        .lock_directory(order("KILL_LOCKS"))
        .open()
        .await
        .expect("the manager opens");
    let session = manager.session("kill-proof").role(Role::Administrator).open().expect("a session");
    tokio::spawn(tell_how_things_stand(session.clone()));
    manager.ready_within(LONG).await.expect("the library is ready");
    if order("KILL_FINISH") == "yes" {
        finish(&session).await;
        manager.shutdown().await;
        say("finished");
    } else {
        let [first, second] = BARCODES;
        tokio::join!(worker(&session, first), worker(&session, second));
    }
}

/// A run that takes so long is stuck: what the manager thinks then belongs into the report.
async fn tell_how_things_stand(session: Session) {
    tokio::time::sleep(LONG).await;
    let (libraries, live) = (session.libraries().await, session.live_requests().await);
    let (drives, slots) = (session.drives(None).await, session.slots(None).await);
    say(format_args!("is stuck: {libraries:?} {live:?} {drives:?} {slots:?}"));
}

/// Mounts and dismounts, for ever.
async fn worker(session: &Session, barcodes: [&str; 2]) {
    free_drives(session, &barcodes).await;
    loop {
        for barcode in barcodes {
            until_free(session, barcode).await;
            if is_in_drive(session, barcode).await {
                dismount(session, barcode).await;
            } else {
                mount(session, barcode).await;
                dismount(session, barcode).await;
            }
        }
    }
}

/// Dismounts what an earlier run has left mounted, also what its own requests mount only now: until then nothing new is
/// asked for, or it could wait for a drive that nobody empties.
async fn free_drives(session: &Session, barcodes: &[&str]) {
    loop {
        let mut quiet = true;
        for barcode in barcodes {
            let live = session.live_requests().await.expect("the session is open");
            match live.iter().find(|request| request.barcode.as_deref() == Some(barcode)) {
                Some(request) => {
                    quiet = false;
                    if request.state == State::Waiting(Waiting::Owner) {
                        session.adopt(request.id).await.expect("its own application may adopt it");
                    }
                }
                None if is_in_drive(session, barcode).await => {
                    quiet = false;
                    dismount(session, barcode).await;
                }
                None => {}
            }
        }
        if quiet {
            return;
        }
        // Requests of an earlier process have no ticket here; looking again is cheap.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn mount(session: &Session, barcode: &str) {
    let id = RequestId(Uuid::now_v7());
    say(format_args!("asks {id}"));
    match session.mount(barcode).id(id).submit().await {
        Ok(ticket) => wait(session, ticket).await,
        Err(error) => say(format_args!("refused {id} mount {barcode}: {error}")),
    }
}

async fn dismount(session: &Session, barcode: &str) {
    let id = RequestId(Uuid::now_v7());
    say(format_args!("asks {id}"));
    match session.dismount(barcode).id(id).submit().await {
        Ok(ticket) => wait(session, ticket).await,
        Err(error) => say(format_args!("refused {id} dismount {barcode}: {error}")),
    }
}

async fn wait<T: TicketOutcome>(session: &Session, mut ticket: Ticket<T>) {
    let id = ticket.id();
    say(format_args!("ticket {id}"));
    let _ = ticket.wait().await;
    let request =
        session.request(id).await.expect("the store answers").expect("an accepted request is found");
    say(format_args!("ended {id} {:?}", request.state));
}

/// Waits until no request is live for the cartridge: one from before the last kill may still be. A mount of those that
/// turns out not to have been started waits for its owner, and this is the owner's next run.
async fn until_free(session: &Session, barcode: &str) {
    loop {
        let live = session.live_requests().await.expect("the session is open");
        let Some(request) = live.iter().find(|request| request.barcode.as_deref() == Some(barcode)) else {
            return;
        };
        if request.state == State::Waiting(Waiting::Owner) {
            session.adopt(request.id).await.expect("its own application may adopt it");
        }
        // Requests of an earlier process have no ticket here; looking again is cheap.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn is_in_drive(session: &Session, barcode: &str) -> bool {
    let cartridges = session.cartridges(None).await.expect("the session is open");
    let cartridge = cartridges.iter().find(|cartridge| cartridge.barcode.as_deref() == Some(barcode));
    match &cartridge.unwrap_or_else(|| panic!("the catalogue lost {barcode}")).place {
        Place::Element(element) => element.kind == ElementType::Drive,
        other => panic!("{barcode} is at rest, and its place is {other}"),
    }
}

/// Everything live ends, every cartridge goes home, and the inventory is read.
async fn finish(session: &Session) {
    free_drives(session, &BARCODES.concat()).await;
    let inventory = session.inventory().await.expect("the inventory can be read");
    assert_eq!((inventory.cartridges, inventory.appeared, inventory.missing), (4, 0, 0), "{inventory:?}");
}

/// The real store; but before the chosen commit it says what is in it, and stops for ever.
struct StoppingStore {
    inner: RedbStore,
    stop: Option<String>,
    after: usize,
}

impl Store for StoppingStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.inner.load()
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        let news = news(&mut self.inner, batch);
        if news.iter().any(|(row, _, _)| self.stop.as_ref().is_some_and(|stop| *stop == row.to_string())) {
            if self.after == 0 {
                news.iter().for_each(|(row, id, sequence)| say(format_args!("{row} {id} {sequence}")));
                say("stopped");
                loop {
                    std::thread::park();
                }
            }
            self.after -= 1;
        }
        self.inner.commit(batch)
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

    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        self.inner.faults(filter)
    }
}
