//! The thing itself: a manager on a simulated library that takes no time, and its sessions.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use autochanger::store::{MemoryStore, RedbStore};
use autochanger::transport::sim::{self, Hold, SimulatedLibrary};
use autochanger::{Cancellation, LibraryConfig, Manager, Role, Session};

use crate::counted::{Counted, Counts};
use crate::measure::{Measured, Pace, Recorder, measure};

const MOVE_MEDIUM: u8 = 0xA5;

/// The kinds of operations of a client, as [`Measured`] tells them apart.
pub(crate) const MOUNT: usize = 0;
pub(crate) const DISMOUNT: usize = 1;

/// How large the library is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) cartridges: u16,
    pub(crate) drives: u16,
}

/// Which store the manager has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept<'a> {
    Memory,
    /// In a file of its own in this directory.
    Redb(&'a Path),
}

/// A manager that is ready, with the library that it has.
pub(crate) struct Rig {
    pub(crate) manager: Manager,
    pub(crate) session: Session,
    pub(crate) library: SimulatedLibrary,
    pub(crate) counts: Arc<Counts>,
}

impl Rig {
    pub(crate) async fn open(size: Size, store: Kept<'_>, directory: &Path) -> Self {
        let numbers = 1..=u32::from(size.cartridges);
        let library = SimulatedLibrary::start(
            sim::Library::new().drives(size.drives).slots(size.cartridges).cartridges("VT{:04}L8", numbers),
        );
        let counts = Arc::new(Counts::default());
        let builder = Manager::builder()
            .library(LibraryConfig::transport("bench", library.transport()))
            .lock_directory(directory);
        let builder = match store {
            Kept::Memory => builder.store_with(Counted::new(MemoryStore::new(), &counts)),
            Kept::Redb(directory) => {
                let store = RedbStore::open(fresh_file(directory)).expect("a fresh file can be opened");
                builder.store_with(Counted::new(store, &counts))
            }
        };
        let manager = builder.open().await.expect("the manager opens");
        manager.ready().await.expect("a simulated library comes ready");
        let session =
            manager.session("bench").role(Role::Administrator).open().expect("a ready manager has sessions");
        Self { manager, session, library, counts }
    }
}

/// A file name that no other store of this run has.
pub(crate) fn fresh_file(directory: &Path) -> std::path::PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    directory.join(format!("{}.redb", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// The label of a client's own cartridge.
fn barcode(client: usize) -> String {
    format!("VT{:04}L8", client + 1)
}

/// What clients came to, and what it cost the store.
pub(crate) struct Worked {
    pub(crate) measured: Measured,
    pub(crate) commits_per_operation: f64,
    pub(crate) changes_per_commit: f64,
}

/// Clients of one session; each mounts its own cartridge in any drive, and dismounts it, again and again.
pub(crate) async fn cycles(rig: Rig, clients: usize, pace: Pace) -> Worked {
    let session = rig.session.clone();
    let client = move |number, mut recorder: Recorder| {
        let (session, barcode) = (session.clone(), barcode(number));
        async move {
            recorder.start();
            loop {
                let tape = session.mount(&barcode).await.expect("it is mounted");
                recorder.done(MOUNT);
                tape.dismount().await.expect("it is dismounted");
                recorder.done(DISMOUNT);
            }
        }
    };
    worked(rig, clients, pace, client).await
}

/// Clients of one session while the arm is busy for ever: each hands in a mount and cancels it, again and again.
/// Nothing moves, so this is the queue alone.
pub(crate) async fn cancels(rig: Rig, clients: usize, pace: Pace) -> Worked {
    let gate = rig.library.hold(Hold::opcode(MOVE_MEDIUM));
    // One keeps the arm, the next one is prepared: the queue behind them stays a queue.
    let mut in_the_way = Vec::new();
    for number in 0..2 {
        let ticket = rig.session.mount(barcode(number)).submit().await.expect("it is accepted");
        in_the_way.push(ticket);
    }
    gate.reached().await;
    let session = rig.session.clone();
    let client = move |number, mut recorder: Recorder| {
        let (session, barcode) = (session.clone(), barcode(number + 2));
        async move {
            recorder.start();
            loop {
                let ticket = session.mount(&barcode).submit().await.expect("it is accepted");
                let answer = session.cancel_library_request(ticket.id()).await;
                assert!(matches!(answer, Ok(Cancellation::Cancelled)), "no step of it was sent: {answer:?}");
                recorder.done(0);
            }
        }
    };
    let worked = worked(rig, clients, pace, client).await;
    drop(gate);
    worked
}

async fn worked<F>(rig: Rig, clients: usize, pace: Pace, client: impl Fn(usize, Recorder) -> F) -> Worked
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut marks = Vec::new();
    let mark = || marks.push((rig.counts.commits(), rig.counts.changes()));
    let measured = measure(clients, pace, client, mark).await;
    rig.manager.shutdown().await;
    let &[before, after] = marks.as_slice() else { unreachable!("the window has a begin and an end") };
    let (commits, changes) = ((after.0 - before.0) as f64, (after.1 - before.1) as f64);
    let operations = measured.count();
    assert!(operations > 0, "no operation of {clients} clients ended within the window");
    Worked {
        commits_per_operation: commits / operations as f64,
        changes_per_commit: changes / commits,
        measured,
    }
}
