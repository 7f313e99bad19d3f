//! What the tests of sessions share: a simulated library with a manager, and a store in the test's hand.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test binary uses a part of it")]

mod store;

use std::path::PathBuf;
use std::time::Duration;

use autochanger::clock::ManualClock;
use autochanger::transport::sim::{self, Gate, Hold, SimulatedLibrary};
use autochanger::{
    Event, EventKind, EventStream, LibraryConfig, Manager, ManagerBuilder, Mounted, RequestId, Role, Session,
    State, Ticket, TicketOutcome, Timing,
};

pub use store::Hand;

/// MOVE MEDIUM (SMC-3 clause 6.6).
pub const MOVE_MEDIUM: u8 = 0xA5;
/// READ ELEMENT STATUS (SMC-3 clause 6.11).
pub const READ_ELEMENT_STATUS: u8 = 0xB8;
/// TEST UNIT READY (SPC-4 clause 6.47).
pub const TEST_UNIT_READY: u8 = 0x00;
/// LOAD UNLOAD (SSC-3 clause 7.2).
pub const LOAD_UNLOAD: u8 = 0x1B;

/// Only a broken test waits so long: nothing here takes time of its own.
const PATIENCE: Duration = Duration::from_secs(30);

/// A simulated library with 24 slots (1000..), 2 drives (500, 501) and 20 cartridges VT0001L8.., that takes no time.
pub fn library() -> SimulatedLibrary {
    SimulatedLibrary::start(described())
}

pub fn described() -> sim::Library {
    described_as("VT{:04}L8")
}

/// The same with other labels.
pub fn described_as(labels: &str) -> sim::Library {
    sim::Library::new().slots(24).drives(2).ports(4).cartridges(labels, 1..=20)
}

/// A directory for the locks of this test process.
pub fn lock_directory() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("locks");
    std::fs::create_dir_all(&path).expect("a directory for the locks");
    path
}

/// Time-outs short enough for tests in which something times out.
pub fn timing() -> Timing {
    Timing { retry_min: Duration::from_millis(10), retry_max: Duration::from_millis(50), ..Timing::default() }
}

/// A manager's builder for the library.
pub fn builder(library: &SimulatedLibrary) -> ManagerBuilder {
    Manager::builder()
        .library(LibraryConfig::transport("the library", library.transport()).timing(timing()))
        .lock_directory(lock_directory())
}

/// A library with its manager, and an administrator's session.
pub struct Bed {
    pub library: SimulatedLibrary,
    pub manager: Manager,
    pub session: Session,
}

impl Bed {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(set_up: impl FnOnce(ManagerBuilder) -> ManagerBuilder) -> Self {
        Self::on(library(), set_up).await
    }

    pub async fn on(
        library: SimulatedLibrary,
        set_up: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
    ) -> Self {
        let manager = set_up(builder(&library)).open().await.expect("the manager opens");
        within(manager.ready()).await.expect("the library becomes ready");
        let session = manager.session("backup").role(Role::Administrator).open().expect("a session opens");
        Self { library, manager, session }
    }

    /// Another application's session.
    pub fn other(&self, role: Role) -> Session {
        self.manager.session("other").role(role).open().expect("a session opens")
    }

    /// Holds the next move when it has reached the library, before the robot does anything.
    pub fn hold_moves(&self) -> Gate {
        self.library.hold(Hold::opcode(MOVE_MEDIUM))
    }

    /// A mount whose move the library has got and not carried out.
    pub async fn mount_in_flight(&self, barcode: &str) -> (Ticket<Mounted>, Gate) {
        let gate = self.hold_moves();
        let ticket = self.session.mount(barcode).submit().await.expect("accepted");
        within(gate.reached()).await;
        (ticket, gate)
    }

    /// Ends the manager, and with it the test: what it leaves is in order.
    pub async fn end(self) {
        within(self.manager.shutdown()).await;
    }
}

/// The future's value, or a failed test.
pub async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future.into_future()).await.expect("it ends in time")
}

/// Waits until the request is in a state.
pub async fn until<T: TicketOutcome>(ticket: &Ticket<T>, wanted: impl Fn(&State) -> bool) -> State {
    let mut progress = ticket.progress();
    within(async {
        loop {
            let state = progress.next().await.expect("the state comes before the end");
            if wanted(&state) {
                return state;
            }
        }
    })
    .await
}

/// The next event that is wanted.
pub async fn event(events: &mut EventStream, mut wanted: impl FnMut(&EventKind) -> bool) -> Event {
    within(async {
        loop {
            let event = events.next().await.expect("the manager lives").expect("no event is missed");
            if wanted(&event.kind) {
                return event;
            }
        }
    })
    .await
}

/// A new id, as callers draw them.
pub fn new_id() -> RequestId {
    RequestId(uuid::Uuid::now_v7())
}

/// Lets a manual clock pass time until something has come: whoever waits on the clock sets its timer in its own time.
pub async fn advance_until<T>(clock: &ManualClock, step: Duration, future: impl IntoFuture<Output = T>) -> T {
    let mut future = std::pin::pin!(future.into_future());
    within(async {
        loop {
            tokio::select! {
                biased;
                value = &mut future => return value,
                () = tokio::task::yield_now() => clock.advance(step),
            }
        }
    })
    .await
}
