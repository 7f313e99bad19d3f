//! SendTargets discovery (RFC 7143 appendix C): which targets a portal offers.

use std::fmt;
use std::time::Duration;

use autochanger_iscsi::{DigestPolicy, DiscoveredTarget, Event};
use tokio::time::timeout;

use super::fault::Cause;
use super::link::{Link, Login, Pair};
use super::{
    CONNECT_TIMEOUT, IscsiUrl, KEEP_ALIVE, PathFault, PathFaultKind, TransportError, initiator_name, name,
    session,
};
use crate::transport::UrlError;
use crate::transport::url::{parse_authority, redact};

/// User and secret for a portal or a target (CHAP, RFC 7143 section 12.1.3). `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct IscsiLogin {
    user: String,
    secret: String,
    target: Option<(String, String)>,
}

impl IscsiLogin {
    /// What this side proves.
    pub fn new(user: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { user: user.into(), secret: secret.into(), target: None }
    }

    /// What the other side must prove in turn (mutual CHAP).
    #[must_use]
    pub fn mutual(self, user: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { target: Some((user.into(), secret.into())), ..self }
    }
}

impl IscsiLogin {
    /// What this side proves, and what the other must, as user and secret.
    pub(in crate::transport) fn parts(&self) -> (Pair<'_>, Option<Pair<'_>>) {
        let target = self.target.as_ref().map(|(user, secret)| (&**user, &**secret));
        ((&self.user, &self.secret), target)
    }
}

impl fmt::Debug for IscsiLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IscsiLogin")
            .field("user", &self.user)
            .field("mutual", &self.target.is_some())
            .finish_non_exhaustive()
    }
}

/// A target that a portal offers, and where it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IscsiTarget {
    /// The target's name (IQN).
    pub name: String,
    /// Where it is reached, as the portal says it: `host:port`, IPv6 in brackets. Never empty: a portal that says
    /// nothing means itself.
    pub addresses: Vec<String>,
}

impl IscsiTarget {
    /// A target that is known to be at an address.
    #[cfg(feature = "sim")]
    pub(crate) fn at(name: &str, address: std::net::SocketAddr) -> Self {
        Self { name: name.to_owned(), addresses: vec![address.to_string()] }
    }

    /// The URL of a logical unit at the first address, with a login where one is needed.
    ///
    /// # Errors
    /// [`UrlError::Malformed`] when the target has a name or an address that no URL can hold, or the login is none.
    pub fn url(&self, lun: u16, login: Option<&IscsiLogin>) -> Result<IscsiUrl, UrlError> {
        self.url_at(self.addresses.first().map_or("", String::as_str), lun, login)
    }

    /// The URLs of a logical unit at each address, for a library with several paths
    /// ([`LibraryConfig::path`](crate::LibraryConfig::path)).
    ///
    /// # Errors
    /// As [`url`](Self::url), for any of the addresses.
    pub fn urls(&self, lun: u16, login: Option<&IscsiLogin>) -> Result<Vec<IscsiUrl>, UrlError> {
        self.addresses.iter().map(|address| self.url_at(address, lun, login)).collect()
    }

    fn url_at(&self, address: &str, lun: u16, login: Option<&IscsiLogin>) -> Result<IscsiUrl, UrlError> {
        let url: IscsiUrl = format!("iscsi://{address}/{}/{lun}", self.name).parse()?;
        match login {
            Some(login) => url.with_login(login),
            None => Ok(url),
        }
    }
}

/// Asks a portal (`host`, `host:port`, `[::1]:port`; port 3260 unless said) for the targets that this initiator may
/// use.
///
/// Over iSCSI this is a session of its own (SessionType=Discovery, SendTargets=All; RFC 7143 4.3 and appendix C), which ends before this returns. Neither the portal's
/// answer nor an error holds a secret.
///
/// # Errors
/// Always [`TransportError::NotSent`], since no command goes to any device: [`Unreachable`](PathFaultKind::Unreachable)
/// when nobody listens there, [`LoginRefused`](PathFaultKind::LoginRefused) when a secret is missing or wrong,
/// [`TimedOut`](PathFaultKind::TimedOut) when there is no answer within [`CONNECT_TIMEOUT`],
/// [`Protocol`](PathFaultKind::Protocol) when something else than a target answers or `host` is none.
///
/// # Cancel safety
/// Dropping the future closes the connection; nothing else was begun.
pub async fn discover(host: &str, login: Option<&IscsiLogin>) -> Result<Vec<IscsiTarget>, TransportError> {
    discover_as(initiator_name(), host, login).await
}

/// The same with another name for this side, as a portal's access list may want it.
///
/// # Errors
/// As [`discover`]; [`Unsupported`](PathFaultKind::Unsupported) for what is no name of an iSCSI node.
///
/// # Cancel safety
/// As [`discover`].
pub async fn discover_as(
    initiator: &str,
    host: &str,
    login: Option<&IscsiLogin>,
) -> Result<Vec<IscsiTarget>, TransportError> {
    find(initiator, host, login).await.map_err(|cause| {
        TransportError::NotSent(PathFault {
            kind: cause.kind,
            device: redact(&format!("iscsi://{host}")).into(),
            detail: cause.detail,
        })
    })
}

async fn find(initiator: &str, portal: &str, login: Option<&IscsiLogin>) -> Result<Vec<IscsiTarget>, Cause> {
    let initiator = name::checked(initiator)
        .map_err(|error| Cause::new(PathFaultKind::Unsupported, error.to_string()))?;
    let (host, port) = parse_authority(portal).map_err(|problem| {
        Cause::new(PathFaultKind::Unsupported, format!("this is no portal: {problem}; expected host[:3260]"))
    })?;
    let parts = login.map(IscsiLogin::parts);
    let login = Login {
        initiator,
        target: None,
        isid: session::random_isid(),
        credentials: parts.map(|(own, _)| own),
        target_credentials: parts.and_then(|(_, target)| target),
        digests: DigestPolicy::Accept,
    };
    let mut link = Link::open_with((&host, port), login, CONNECT_TIMEOUT, KEEP_ALIVE).await?;
    let targets = match timeout(CONNECT_TIMEOUT, ask(&mut link)).await {
        Ok(targets) => targets?,
        Err(_) => {
            let seconds = CONNECT_TIMEOUT.as_secs();
            return Err(Cause::new(
                PathFaultKind::TimedOut,
                format!("no list of targets within {seconds} s"),
            ));
        }
    };
    link.initiator.logout();
    // The answer is here; whether the goodbye is heard does not matter.
    let _ = timeout(GOODBYE, until_the_end(&mut link)).await;
    let (host, port) = &link.address;
    Ok(targets.into_iter().map(|target| reached(target, host, *port)).collect())
}

/// How long the answer to the logout is waited for.
const GOODBYE: Duration = Duration::from_millis(500);

async fn ask(link: &mut Link) -> Result<Vec<DiscoveredTarget>, Cause> {
    if let Err(error) = link.initiator.discover() {
        return Err(Cause::new(PathFaultKind::Protocol, error.to_string()));
    }
    loop {
        link.write();
        while let Some(event) = link.initiator.poll_event() {
            match event {
                Event::Discovered(targets) => return Ok(targets),
                Event::Ended(ended) => return Err(link.cause(&ended)),
                _ => {}
            }
        }
        link.turn().await;
    }
}

async fn until_the_end(link: &mut Link) {
    link.write();
    while !link.initiator.has_ended() {
        link.turn().await;
        link.write();
    }
}

/// The addresses without their portal groups.
fn reached(target: DiscoveredTarget, host: &str, port: u16) -> IscsiTarget {
    let own = || if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut addresses: Vec<String> = target
        .addresses
        .iter()
        .map(|address| address.rsplit_once(',').map_or(&**address, |(address, _)| address).to_owned())
        .collect();
    if addresses.is_empty() {
        addresses.push(own());
    }
    IscsiTarget { name: target.name, addresses }
}
