//! Device URLs: how a library or drive is named in configuration, in messages and on a command line.

mod hint;
mod iscsi;
mod sg;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Transport;
use iscsi::EXAMPLE;
pub use iscsi::IscsiUrl;
#[cfg(feature = "iscsi")]
pub(super) use iscsi::{Digests, check_name, parse_authority};
pub use sg::SgUrl;

/// Stands where a secret stood.
const HIDDEN: &str = "(hidden)";

/// Where a device is. Parsed from text; `Display` gives the same text without the secret.
///
/// | text | what |
/// |---|---|
/// | `sim:` | a simulated library of this process, with options after the colon |
/// | `iscsi://[user%secret@]host[:3260]/iqn/lun[?options]` | a logical unit of an iSCSI target; IPv6 hosts in brackets |
/// | `sg:/dev/sg3[?max_transfer=BYTES&in_flight=COMMANDS]` | a logical unit of this machine's kernel (Linux); any path that leads to it |
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
            _ => Err(UrlError::UnknownScheme { url: redact(text), hint: hint::of(text), schemes: SCHEMES }),
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
        "device URL {url:?}: unknown kind of device{hint}; this build has: {schemes}. Write sim:, sg:/dev/sg3, or {EXAMPLE}"
    )]
    UnknownScheme {
        /// The URL, without its secret.
        url: String,
        /// What may have been meant, where that can be guessed.
        hint: String,
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
