//! A simulated library served as an iSCSI target: a tape library on a port, without hardware or a kernel module.
//!
//! Any initiator drives it: this crate's own, a kernel's, libiscsi's tools. Logical unit 0 is the changer, `1..` are
//! the drives.
//!
//! ```
//! # #[cfg(all(feature = "sim", feature = "iscsi"))]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use autochanger::transport::sim::{self, SimulatedLibrary};
//! use autochanger::virtual_library::VirtualLibrary;
//! use autochanger::{LibraryConfig, Manager};
//!
//! let library = SimulatedLibrary::start(sim::Library::new().drives(2).slots(24).cartridges("VT{:04}L8", 1..=20));
//! let served = VirtualLibrary::builder(library).listen(([127, 0, 0, 1], 0)).start().await?;
//!
//! let manager = Manager::builder().library(LibraryConfig::new(served.url().to_string())).open().await?;
//! manager.ready().await?;
//! # manager.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! It listens on loopback unless told otherwise, and elsewhere only with CHAP: whoever can connect can move cartridges.
//! What goes over the wire is not encrypted.

mod answer;
mod connection;
mod error;
mod options;
mod registry;
mod work;

use std::net::SocketAddr;
use std::sync::Arc;

use autochanger_iscsi::TargetConfig;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::transport::IscsiUrl;
use crate::transport::sim::SimulatedLibrary;
use connection::Connection;
pub use error::VirtualLibraryError;
pub use options::{DEFAULT_NAME, DEFAULT_WINDOW, VirtualLibraryBuilder};
use registry::{Control, Registry};

/// The most connections at once. A library has a handful of hosts; more than that is a fault or an attack, and is
/// closed at once.
pub const MAX_CONNECTIONS: usize = 64;

/// A library that is served. Dropping it closes the port and every connection, without a word.
#[derive(Debug)]
pub struct VirtualLibrary {
    library: SimulatedLibrary,
    address: SocketAddr,
    url: IscsiUrl,
    registry: Arc<Registry>,
    task: JoinHandle<()>,
}

impl VirtualLibrary {
    /// Describes how a library is to be served.
    pub fn builder(library: SimulatedLibrary) -> VirtualLibraryBuilder {
        VirtualLibraryBuilder::new(library)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The changer's device URL, with the login that it takes; its `Display` shows no secret.
    pub fn url(&self) -> IscsiUrl {
        self.url.clone()
    }

    /// The library itself: its contents, its log, its faults and its operator's hands.
    pub fn library(&self) -> &SimulatedLibrary {
        &self.library
    }

    /// How many initiators are logged in.
    pub fn sessions(&self) -> usize {
        self.registry.sessions()
    }

    /// Asks every initiator to log out within so many seconds (RFC 7143 section 11.9, event 1). Nothing is enforced.
    pub fn ask_logout(&self, seconds: u16) {
        self.registry.tell(Control::AskLogout(seconds));
    }

    /// Ends every session, with a word to each initiator (event 3). They may log in again.
    pub fn drop_sessions(&self) {
        self.registry.tell(Control::Drop);
    }

    /// Closes every connection without a word, as a cut cable does. They may connect again.
    pub fn cut_connections(&self) {
        self.registry.tell(Control::Cut);
    }

    /// Takes another number of commands at once from each initiator, from now on: 0 closes the window as what is in
    /// flight is answered (RFC 7143 section 4.2.2.1).
    pub fn limit_window(&self, window: u32) {
        self.registry.set_window(window);
    }

    /// Asks every initiator for a sign of life now (NOP-In).
    pub fn ping(&self) {
        self.registry.tell(Control::Ping);
    }

    /// How many pings of the target were answered so far.
    pub fn pongs(&self) -> u64 {
        self.registry.pongs()
    }

    /// Closes the port, and ends every session with a word to its initiator.
    ///
    /// # Cancel safety
    /// Dropping the future does the same without waiting for it.
    pub async fn shutdown(self) {
        self.registry.close();
        self.registry.all_gone().await;
    }
}

impl Drop for VirtualLibrary {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections until it is aborted, which ends them too.
async fn serve(
    listener: TcpListener,
    library: SimulatedLibrary,
    config: TargetConfig,
    registry: Arc<Registry>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // What has ended is not kept.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if !registry.is_closed() => match accepted {
                Ok((stream, _)) if connections.len() < MAX_CONNECTIONS => {
                    let connection =
                        Connection::new(stream, library.clone(), config.clone(), Arc::clone(&registry));
                    if let Some(connection) = connection {
                        connections.spawn(connection.run());
                    }
                }
                Ok(_) => {}
                // Out of file descriptors, most likely: some may come free, and until then a busy loop helps nobody.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            () = registry.closed(), if !registry.is_closed() => {}
            else => return,
        }
    }
}

/// How long nothing is accepted after that failed.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
