//! Transports of the caller's own: one that panics, and one that carries little at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use autochanger::transport::{Command, Completion, Limits, Transport, TransportError};
use autochanger::{EventKind, LibraryConfig, Manager, Timing};

use super::common::{MOVE_MEDIUM, event, library, lock_directory, within};

/// A transport that panics once when it is to send a move, after the library has got it.
struct Panicking {
    way: Arc<dyn Transport>,
    armed: AtomicBool,
}

#[async_trait]
impl Transport for Panicking {
    async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
        let is_move = command.cdb.opcode() == MOVE_MEDIUM;
        let result = self.way.execute(command).await;
        assert!(!(is_move && self.armed.swap(false, Ordering::Relaxed)), "a defect of the transport");
        result
    }

    fn limits(&self) -> Limits {
        self.way.limits()
    }

    fn device(&self) -> &str {
        self.way.device()
    }

    fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
        self.way.sibling(lun)
    }
}

#[tokio::test]
async fn a_transport_that_panics_leaves_its_command_in_doubt_and_the_elements_are_looked_at() {
    let library = library();
    let way = Panicking { way: library.transport(), armed: AtomicBool::new(true) };
    let manager = Manager::builder()
        .library(LibraryConfig::transport("shaky", Arc::new(way)).timing(Timing::default()))
        .lock_directory(lock_directory())
        .open()
        .await
        .expect("it opens");
    within(manager.ready()).await.expect("ready");
    let session = manager.session("backup").open().expect("open");
    let mut events = session.events();
    let mount = session.mount("VT0001L8").submit().await.expect("accepted");
    event(&mut events, |kind| matches!(kind, EventKind::MotionInDoubt { .. })).await;
    within(mount).await.expect("it was found in the drive");
    assert_eq!(library.moves_sent(), 1, "it was not sent again");
    within(manager.shutdown()).await;
}

/// A transport that carries so many commands at once.
struct Narrow {
    way: Arc<dyn Transport>,
    carries: u16,
}

#[async_trait]
impl Transport for Narrow {
    async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
        self.way.execute(command).await
    }

    fn limits(&self) -> Limits {
        Limits { max_in_flight: self.carries, ..self.way.limits() }
    }

    fn device(&self) -> &str {
        self.way.device()
    }

    fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
        self.way.sibling(lun)
    }
}

#[tokio::test]
async fn no_more_moves_are_under_way_at_once_than_every_path_carries_and_that_is_shown() {
    for (asked, carry, shown) in [(4, [8, 2], 2), (3, [8, 300], 3), (1, [8, 8], 1), (4, [0, 8], 1)] {
        let library = library();
        let [first, second] = carry
            .map(|carries| -> Arc<dyn Transport> { Arc::new(Narrow { way: library.transport(), carries }) });
        let config = LibraryConfig::transport("narrow", first).path_transport(second).moves_in_flight(asked);
        let manager = Manager::builder()
            .library(config)
            .lock_directory(lock_directory())
            .open()
            .await
            .expect("it opens");
        let session = manager.session("backup").open().expect("open");
        let libraries = session.libraries().await.expect("told");
        assert_eq!(libraries[0].moves_in_flight, shown, "{asked} over {carry:?}");
        within(manager.shutdown()).await;
    }
}
