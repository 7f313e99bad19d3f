//! Device URLs: how a library or drive is named in configuration, in messages and on a command line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::Transport;

/// The port that iSCSI targets listen on (RFC 7143 section 4.2.7.1).
const ISCSI_PORT: u16 = 3260;

/// The longest name of a target (RFC 7143 section 4.2.7.1).
const MAX_TARGET_NAME: usize = 223;

/// The highest logical unit number that single-level addressing has (SAM-5 clause 4.7.7).
const MAX_LUN: u16 = 0x3FFF;

/// Stands where a secret stood.
const HIDDEN: &str = "(hidden)";

/// Where a device is. Parsed from text; `Display` gives the same text without the secret.
///
/// | text | what |
/// |---|---|
/// | `sim:` | a simulated library of this process, with options after the colon |
/// | `iscsi://[user%secret@]host[:3260]/iqn/lun` | a logical unit of an iSCSI target; IPv6 hosts in brackets |
/// | `sg:/dev/sg3[?max_transfer=BYTES]` | a logical unit of this machine's kernel (Linux); any path that leads to it |
///
/// ```
/// use autochanger::transport::DeviceUrl;
///
/// let url: DeviceUrl = "iscsi://backup%secret@vtl.example:3260/iqn.2026-01.example:lib/0".parse()?;
/// assert_eq!(url.to_string(), "iscsi://backup@vtl.example:3260/iqn.2026-01.example:lib/0");
/// # Ok::<_, autochanger::transport::UrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceUrl {
    /// A simulated library; the text after `sim:` is its options.
    Sim(String),
    /// A logical unit of an iSCSI target.
    Iscsi(IscsiUrl),
    /// A logical unit of the Linux kernel.
    Sg(SgUrl),
}

impl FromStr for DeviceUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        match scheme {
            "sim" if text.contains(':') => Ok(Self::Sim(rest.to_owned())),
            "iscsi" => IscsiUrl::parse(text, rest).map(Self::Iscsi),
            "sg" => SgUrl::parse(text, rest).map(Self::Sg),
            _ => Err(UrlError::UnknownScheme { url: redact(text), schemes: SCHEMES }),
        }
    }
}

impl TryFrom<&str> for DeviceUrl {
    type Error = UrlError;

    fn try_from(text: &str) -> Result<Self, UrlError> {
        text.parse()
    }
}

impl TryFrom<String> for DeviceUrl {
    type Error = UrlError;

    fn try_from(text: String) -> Result<Self, UrlError> {
        text.parse()
    }
}

impl TryFrom<&String> for DeviceUrl {
    type Error = UrlError;

    fn try_from(text: &String) -> Result<Self, UrlError> {
        text.parse()
    }
}

impl From<IscsiUrl> for DeviceUrl {
    fn from(url: IscsiUrl) -> Self {
        Self::Iscsi(url)
    }
}

impl From<SgUrl> for DeviceUrl {
    fn from(url: SgUrl) -> Self {
        Self::Sg(url)
    }
}

impl fmt::Display for DeviceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim(options) => write!(f, "sim:{options}"),
            Self::Iscsi(url) => url.fmt(f),
            Self::Sg(url) => url.fmt(f),
        }
    }
}

/// Makes the transport for a URL. Nothing is connected yet: the first command does that.
///
/// # Errors
/// [`UrlError::Unavailable`] when this build has no transport for the scheme, [`UrlError::Malformed`] when the
/// simulator does not understand its options.
pub fn open(url: &DeviceUrl) -> Result<Arc<dyn Transport>, UrlError> {
    match url {
        #[cfg(feature = "sim")]
        DeviceUrl::Sim(options) => super::sim::open(options),
        #[cfg(feature = "iscsi")]
        DeviceUrl::Iscsi(url) => Ok(Arc::new(super::iscsi::IscsiTransport::new(url.clone()))),
        #[cfg(all(feature = "sg", target_os = "linux"))]
        DeviceUrl::Sg(url) => Ok(Arc::new(super::sg::SgTransport::new(url.clone()))),
        #[cfg(not(all(feature = "sg", target_os = "linux")))]
        DeviceUrl::Sg(_) => {
            Err(UrlError::Unavailable { url: url.to_string(), scheme: "sg", schemes: SCHEMES })
        }
        #[cfg(not(feature = "sim"))]
        DeviceUrl::Sim(_) => {
            Err(UrlError::Unavailable { url: url.to_string(), scheme: "sim", schemes: SCHEMES })
        }
        #[cfg(not(feature = "iscsi"))]
        DeviceUrl::Iscsi(_) => {
            Err(UrlError::Unavailable { url: url.to_string(), scheme: "iscsi", schemes: SCHEMES })
        }
    }
}

/// The schemes that this build can open.
const SCHEMES: &str = {
    let sg = cfg!(all(feature = "sg", target_os = "linux"));
    match (cfg!(feature = "sim"), cfg!(feature = "iscsi"), sg) {
        (true, true, true) => "sim:, iscsi:, sg:",
        (true, true, false) => "sim:, iscsi:",
        (true, false, true) => "sim:, sg:",
        (true, false, false) => "sim:",
        (false, true, true) => "iscsi:, sg:",
        (false, true, false) => "iscsi:",
        (false, false, true) => "sg:",
        (false, false, false) => "none (features `sim`, `iscsi` and `sg` are off)",
    }
};

/// A logical unit that the Linux kernel knows, by the path of a device node.
///
/// The node is one of the kernel's SCSI generic driver (`/dev/sg3`), or of its tape or changer driver, or a name that leads
/// to one, such as `/dev/tape/by-path/…`, which stays when devices are found in another order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SgUrl {
    path: PathBuf,
    max_transfer: Option<u32>,
}

const SG_EXAMPLE: &str = "sg:/dev/sg3 or sg:/dev/sg3?max_transfer=65536";

/// The smallest cap on a transfer: an element status report of that size has room for several elements.
const MIN_MAX_TRANSFER: u32 = 1024;

impl SgUrl {
    /// The device node's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The most data bytes in one command, where the URL says so, for host adapters that promise more than they can; the
    /// kernel's limit holds in any case.
    pub fn max_transfer(&self) -> Option<u32> {
        self.max_transfer
    }

    /// The URL with another path; `None` where no URL can have it.
    #[cfg(all(feature = "sg", target_os = "linux"))]
    pub(super) fn with_path(&self, path: PathBuf) -> Option<Self> {
        path.is_absolute().then_some(Self { path, ..self.clone() })
    }

    /// The URL of a node that the kernel named.
    #[cfg(all(feature = "sg", target_os = "linux"))]
    pub(super) fn of_node(path: PathBuf) -> Self {
        Self { path, max_transfer: None }
    }

    fn parse(text: &str, rest: &str) -> Result<Self, UrlError> {
        let malformed = |problem: &str| UrlError::malformed(text, problem, SG_EXAMPLE);
        let (path, options) = match rest.split_once('?') {
            Some((path, options)) => (path, Some(options)),
            None => (rest, None),
        };
        if !path.starts_with('/') || path.contains('\0') {
            return Err(malformed("what follows `sg:` is no absolute path of a device"));
        }
        let max_transfer = match options.map(|options| options.split_once('=')) {
            None => None,
            Some(Some(("max_transfer", bytes))) => {
                let bytes = bytes.parse().ok().filter(|bytes| *bytes >= MIN_MAX_TRANSFER);
                Some(bytes.ok_or_else(|| malformed("max_transfer is no number of bytes from 1024 on"))?)
            }
            Some(_) => return Err(malformed("the only option is max_transfer")),
        };
        Ok(Self { path: PathBuf::from(path), max_transfer })
    }
}

impl fmt::Display for SgUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sg:{}", self.path.display())?;
        match self.max_transfer {
            Some(bytes) => write!(f, "?max_transfer={bytes}"),
            None => Ok(()),
        }
    }
}

impl FromStr for SgUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        match text.parse()? {
            DeviceUrl::Sg(url) => Ok(url),
            _ => Err(UrlError::malformed(text, "this is no SCSI generic device", SG_EXAMPLE)),
        }
    }
}

/// A logical unit of an iSCSI target. Neither `Debug` nor `Display` shows a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IscsiUrl {
    host: String,
    port: u16,
    target: String,
    lun: u16,
    credentials: Option<Credentials>,
    target_credentials: Option<Credentials>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Credentials {
    user: String,
    secret: String,
}

const EXAMPLE: &str = "iscsi://[user%secret@]host[:3260]/iqn.2026-01.example:library/0";

impl IscsiUrl {
    /// Where the target listens: a name or an address, IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The target's name (IQN).
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The logical unit number.
    pub fn lun(&self) -> u16 {
        self.lun
    }

    /// The same target's logical unit `lun`.
    #[must_use]
    pub fn with_lun(&self, lun: u16) -> Self {
        Self { lun, ..self.clone() }
    }

    /// The user that CHAP names, when a secret was given.
    pub fn user(&self) -> Option<&str> {
        self.credentials.as_ref().map(|credentials| credentials.user.as_str())
    }

    /// User and secret that this side proves.
    #[cfg(feature = "iscsi")]
    pub(super) fn credentials(&self) -> Option<(&str, &str)> {
        self.credentials.as_ref().map(Credentials::parts)
    }

    /// User and secret that the target must prove.
    #[cfg(feature = "iscsi")]
    pub(super) fn target_credentials(&self) -> Option<(&str, &str)> {
        self.target_credentials.as_ref().map(Credentials::parts)
    }

    fn parse(text: &str, rest: &str) -> Result<Self, UrlError> {
        let malformed = |problem: &str| UrlError::malformed(text, problem, EXAMPLE);
        let rest = rest.strip_prefix("//").ok_or_else(|| malformed("`//` is missing after the scheme"))?;
        // Neither host nor target name has an @, so the last one ends the secrets whatever is in them.
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(login), rest),
            None => (None, rest),
        };
        let (credentials, target_credentials) = match login {
            None => (None, None),
            Some(login) => Credentials::parse(login).map_err(malformed)?,
        };
        let mut parts = rest.split('/');
        let (host, port) = parse_authority(parts.next().unwrap_or("")).map_err(malformed)?;
        let target = parts
            .next()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| malformed("the target name is missing"))?;
        check_target(target).map_err(malformed)?;
        let lun =
            parts.next().filter(|lun| !lun.is_empty()).ok_or_else(|| malformed("the LUN is missing"))?;
        let lun = lun.parse().ok().filter(|lun| *lun <= MAX_LUN);
        let lun = lun.ok_or_else(|| malformed("the LUN is no number from 0 to 16383"))?;
        if parts.next().is_some() {
            return Err(malformed("something follows the LUN"));
        }
        Ok(Self { host, port, target: target.to_owned(), lun, credentials, target_credentials })
    }
}

impl Credentials {
    #[cfg(feature = "iscsi")]
    fn parts(&self) -> (&str, &str) {
        (&self.user, &self.secret)
    }

    /// `user%secret`, or `user%secret%targetuser%targetsecret`.
    fn parse(login: &str) -> Result<(Option<Self>, Option<Self>), &'static str> {
        let new = |user: &str, secret: &str| Some(Self { user: user.to_owned(), secret: secret.to_owned() });
        let parts: Vec<&str> = login.split('%').collect();
        if parts.iter().any(|part| part.is_empty() || part.chars().any(char::is_control)) {
            return Err("user or secret is empty or holds a control character");
        }
        match parts[..] {
            [user, secret] => Ok((new(user, secret), None)),
            [_, secret, _, target_secret] if secret == target_secret => Err(
                "the target's secret is the same as this side's, so that it proves nothing; give each its own",
            ),
            [user, secret, target, target_secret] => Ok((new(user, secret), new(target, target_secret))),
            _ => Err(
                "what stands before the @ is not `user%secret` (or with the target's own, `user%secret%user%secret`)",
            ),
        }
    }
}

/// A host, and a port if it is said.
pub(super) fn parse_authority(authority: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("the bracket around the IPv6 address is not closed")?;
        let (address, zone) =
            host.split_once('%').map_or((host, None), |(address, zone)| (address, Some(zone)));
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return Err("what stands in brackets is no IPv6 address");
        }
        if zone.is_some_and(|zone| !is_interface(zone)) {
            return Err("what follows the % in brackets is no name of a network interface");
        }
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err("something follows the IPv6 address"),
        }
    } else {
        if authority.contains(['%', '@']) {
            return Err(
                "a host has no % and no @; a user and a secret stand before it, as in user%secret@host",
            );
        }
        match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err("an IPv6 address stands in brackets"),
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("the host is missing");
    }
    let port = match port {
        None => ISCSI_PORT,
        Some(port) => {
            port.parse().ok().filter(|port| *port != 0).ok_or("the port is no number from 1 to 65535")?
        }
    };
    Ok((host.to_owned(), port))
}

/// Whether a text can name the interface of a link-local address (RFC 4007 section 11).
fn is_interface(zone: &str) -> bool {
    !zone.is_empty() && zone.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

fn check_target(name: &str) -> Result<(), &'static str> {
    if name.len() > MAX_TARGET_NAME {
        return Err("the target name is longer than 223 characters");
    }
    if !["iqn.", "eui.", "naa."].iter().any(|prefix| name.starts_with(prefix)) {
        return Err("the target name begins with none of `iqn.`, `eui.`, `naa.`");
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '%') {
        return Err("the target name holds a character that names cannot have");
    }
    Ok(())
}

impl FromStr for IscsiUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        match text.parse()? {
            DeviceUrl::Iscsi(url) => Ok(url),
            _ => Err(UrlError::malformed(text, "this is no iSCSI device", EXAMPLE)),
        }
    }
}

impl fmt::Display for IscsiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("iscsi://")?;
        if let Some(user) = self.user() {
            write!(f, "{user}@")?;
        }
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{open}{}{close}:{}/{}/{}", self.host, self.port, self.target, self.lun)
    }
}

impl fmt::Debug for IscsiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IscsiUrl({self})")
    }
}

/// Why a text is no device URL, or none that this build can open. The URL in it has no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The scheme is known and the rest is wrong.
    #[error("device URL {url}: {problem}; expected {expected}")]
    Malformed {
        /// The URL, without its secret.
        url: String,
        /// What is wrong with it.
        problem: String,
        /// What it should look like.
        expected: String,
    },
    /// No transport has such URLs.
    #[error(
        "device URL {url:?}: unknown kind of device; this build has: {schemes}. Write sim:, or {EXAMPLE}"
    )]
    UnknownScheme {
        /// The URL, without its secret.
        url: String,
        /// What this build can open.
        schemes: &'static str,
    },
    /// The scheme is known and this build has no transport for it.
    #[error(
        "device URL {url}: this build has no `{scheme}` transport; it has: {schemes}. Reach the library over one of them, e.g. {EXAMPLE}"
    )]
    Unavailable {
        /// The URL, without its secret.
        url: String,
        /// The scheme.
        scheme: &'static str,
        /// What this build can open.
        schemes: &'static str,
    },
}

impl UrlError {
    /// A URL of a known scheme that is wrong; `expected` is an example of a right one.
    pub(crate) fn malformed(url: &str, problem: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Malformed { url: redact(url), problem: problem.into(), expected: expected.into() }
    }
}

/// A URL that may be wrong in any way, without what may be a secret in it: everything from the first `%`, or from the
/// scheme where there is none, to the last `@`; without an `@`, everything from the first `%` on.
pub(super) fn redact(text: &str) -> String {
    let (before, after) = match text.rfind('@') {
        Some(at) => text.split_at(at),
        None => match text.find('%') {
            Some(percent) => return format!("{}%{HIDDEN}", &text[..percent]),
            None => return text.to_owned(),
        },
    };
    match before.find('%') {
        Some(percent) => format!("{}%{HIDDEN}{after}", &before[..percent]),
        None => {
            let scheme = before.find("//").map_or(0, |slashes| slashes + 2);
            format!("{}{HIDDEN}{after}", &before[..scheme])
        }
    }
}

#[cfg(test)]
mod tests;
