//! How a library is to be served.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use autochanger_iscsi::TargetConfig;
use autochanger_iscsi::target::{MAX_WINDOW, TargetChap};
use autochanger_iscsi::{DigestPolicy, Secret};
use tokio::net::TcpListener;

use super::registry::Registry;
use super::{VirtualLibrary, VirtualLibraryError, serve};
use crate::transport::IscsiUrl;
use crate::transport::iscsi::{IscsiLogin, IscsiTarget};
use crate::transport::sim::SimulatedLibrary;

/// The target's name unless another is given.
pub const DEFAULT_NAME: &str = "iqn.2026-01.io.autochanger:virtual-library";

/// How many commands are taken at once from each initiator unless told otherwise.
pub const DEFAULT_WINDOW: u32 = MAX_WINDOW / 2;

/// Where a library listens unless told otherwise: the port of iSCSI, on loopback.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3260);

/// The shortest secret where others can connect (RFC 7143 section 12.1.3 wants 96 bits where nothing is encrypted).
const MIN_SECRET: usize = 12;

/// How a library is to be served; made by [`VirtualLibrary::builder`]. `Debug` shows no secret.
#[must_use = "nothing is served before `start`"]
pub struct VirtualLibraryBuilder {
    library: SimulatedLibrary,
    config: TargetConfig,
    address: SocketAddr,
    user: Option<(String, String)>,
    own: Option<(String, String)>,
}

impl VirtualLibraryBuilder {
    pub(super) fn new(library: SimulatedLibrary) -> Self {
        Self {
            library,
            config: TargetConfig::new(DEFAULT_NAME),
            address: DEFAULT_ADDRESS,
            user: None,
            own: None,
        }
    }

    /// The target's name (IQN); [`DEFAULT_NAME`] unless given.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = name.into();
        self
    }

    /// Where to listen; `127.0.0.1:3260` unless given. Port 0 takes any that is free. An address that others can reach
    /// needs [`chap`](Self::chap).
    pub fn listen(mut self, address: impl Into<SocketAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// Lets in only who proves this secret (CHAP).
    pub fn chap(mut self, user: impl Into<String>, secret: impl Into<String>) -> Self {
        self.user = Some((user.into(), secret.into()));
        self
    }

    /// Proves this secret to initiators that ask for it (mutual CHAP). Needs [`chap`](Self::chap), and another secret
    /// than that one.
    pub fn mutual(mut self, user: impl Into<String>, secret: impl Into<String>) -> Self {
        self.own = Some((user.into(), secret.into()));
        self
    }

    /// What to say about header and data digests; none unless the initiator wants them, unless given.
    pub fn digests(mut self, digests: DigestPolicy) -> Self {
        self.config.digests = digests;
        self
    }

    /// How many commands to take at once from each initiator, from 1 to 64; [`DEFAULT_WINDOW`] unless given.
    pub fn window(mut self, window: u32) -> Self {
        self.config.window = window.clamp(1, MAX_WINDOW);
        self
    }

    /// Whether every byte of data beyond what goes with a command has to be asked for (InitialR2T); not unless given.
    pub fn initial_r2t(mut self, wanted: bool) -> Self {
        self.config.initial_r2t = wanted;
        self
    }

    /// Listens and serves, on the tokio runtime that it is called on (which needs its I/O and time drivers).
    ///
    /// # Errors
    /// [`VirtualLibraryError`] says what is in the way; nothing is served then.
    ///
    /// # Cancel safety
    /// Dropping the future serves nothing.
    pub async fn start(self) -> Result<VirtualLibrary, VirtualLibraryError> {
        self.check()?;
        let bind = |source| VirtualLibraryError::Bind { address: self.address, source };
        let listener = TcpListener::bind(self.address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let url = self.url(address)?;
        let mut config = self.config;
        config.authentication = self.user.map(|(user, secret)| TargetChap {
            user,
            secret: Secret::new(secret),
            own: self.own.map(|(user, secret)| (user, Secret::new(secret))),
        });
        let registry = Arc::new(Registry::new(config.window));
        let task = tokio::spawn(serve(listener, self.library.clone(), config, Arc::clone(&registry)));
        Ok(VirtualLibrary { library: self.library, address, url, registry, task })
    }

    fn check(&self) -> Result<(), VirtualLibraryError> {
        let address = self.address;
        let wrong = |problem: &str| Err(VirtualLibraryError::Options { problem: problem.to_owned() });
        if !address.ip().to_canonical().is_loopback() {
            let Some((user, secret)) = &self.user else {
                return Err(VirtualLibraryError::NeedsChap { address });
            };
            for (user, secret) in
                [Some((user, secret)), self.own.as_ref().map(|(user, secret)| (user, secret))]
                    .into_iter()
                    .flatten()
            {
                let length = secret.len();
                if length < MIN_SECRET {
                    let (user, minimum) = (user.clone(), MIN_SECRET);
                    return Err(VirtualLibraryError::WeakSecret { user, length, minimum, address });
                }
            }
        }
        match (&self.user, &self.own) {
            (None, Some(_)) => wrong("mutual CHAP without CHAP: give `chap` as well"),
            (Some((_, theirs)), Some((_, ours))) if theirs == ours => {
                wrong("both sides have the same secret: give `mutual` another one")
            }
            _ => Ok(()),
        }
    }

    /// The changer's URL, as this machine reaches it.
    fn url(&self, mut address: SocketAddr) -> Result<IscsiUrl, VirtualLibraryError> {
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        let login = self.user.as_ref().map(|(user, secret)| {
            let login = IscsiLogin::new(user, secret);
            match &self.own {
                Some((user, secret)) => login.mutual(user, secret),
                None => login,
            }
        });
        IscsiTarget::at(&self.config.name, address)
            .url(0, login.as_ref())
            .map_err(|error| VirtualLibraryError::Options { problem: error.to_string() })
    }
}

impl fmt::Debug for VirtualLibraryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualLibraryBuilder")
            .field("name", &self.config.name)
            .field("address", &self.address)
            .field("user", &self.user.as_ref().map(|(user, _)| user))
            .finish_non_exhaustive()
    }
}
