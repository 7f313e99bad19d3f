//! Why a library is not served.

use std::io;
use std::net::SocketAddr;

/// Why a library is not served. No secret is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VirtualLibraryError {
    /// Others than this machine could move cartridges without proving anything.
    #[error(
        "the virtual library is not served on {address}, which others can reach: give it a user and a secret (chap), or a loopback address"
    )]
    NeedsChap {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// A secret that can be guessed from what goes over the network.
    #[error(
        "the secret of {user:?} has {length} characters: others can reach {address}, so it needs at least {minimum} (RFC 7143 section 12.1.3)"
    )]
    WeakSecret {
        /// Whose secret.
        user: String,
        /// How long it is.
        length: usize,
        /// How long it must be.
        minimum: usize,
        /// Where the library was to listen.
        address: SocketAddr,
    },
    /// Users, secrets or the name are not what iSCSI takes.
    #[error("the virtual library cannot be served as told: {problem}")]
    Options {
        /// What is wrong.
        problem: String,
    },
    /// The port cannot be had.
    #[error("the virtual library cannot listen on {address}: {source}; choose another port or address")]
    Bind {
        /// Where it was to listen.
        address: SocketAddr,
        /// Why it cannot.
        source: io::Error,
    },
}
