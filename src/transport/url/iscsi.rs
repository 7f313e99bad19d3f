//! Logical units of iSCSI targets.

mod options;

use std::fmt;
use std::str::FromStr;

use super::{DeviceUrl, UrlError};
#[cfg(feature = "iscsi")]
pub(in crate::transport) use options::Digests;
use options::Options;

/// The port that iSCSI targets listen on (RFC 7143 section 4.2.7.1).
const ISCSI_PORT: u16 = 3260;

/// The longest name of an iSCSI node (RFC 7143 section 4.2.7.1).
const MAX_NAME: usize = 223;

/// The highest logical unit number that single-level addressing has (SAM-5 clause 4.7.7).
const MAX_LUN: u16 = 0x3FFF;

const SAME_SECRET: &str =
    "the target's secret is the same as this side's, so that it proves nothing; give each its own";

/// A logical unit of an iSCSI target. Neither `Debug` nor `Display` shows a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IscsiUrl {
    host: String,
    port: u16,
    target: String,
    lun: u16,
    pub(super) credentials: Option<Credentials>,
    pub(super) target_credentials: Option<Credentials>,
    options: Options,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) secret: String,
}

pub(super) const EXAMPLE: &str = "iscsi://[user%secret@]host[:3260]/iqn.2026-01.example:library/0";

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

    /// The same unit, logged in to so: a secret may hold a `%` here.
    ///
    /// # Errors
    /// [`UrlError::Malformed`] when a user or a secret is empty or holds a control character, or both sides have one secret.
    #[cfg(feature = "iscsi")]
    pub fn with_login(&self, login: &crate::transport::iscsi::IscsiLogin) -> Result<Self, UrlError> {
        let url = self.to_string();
        let malformed = |problem| UrlError::malformed(&url, problem, EXAMPLE);
        let (own, target) = login.parts();
        let credentials = Credentials::new(own).map_err(malformed)?;
        let target_credentials = target.map(Credentials::new).transpose().map_err(malformed)?;
        if target_credentials.as_ref().is_some_and(|target| target.secret == credentials.secret) {
            return Err(malformed(SAME_SECRET));
        }
        Ok(Self { credentials: Some(credentials), target_credentials, ..self.clone() })
    }

    /// What is said about it beside where it is.
    #[cfg(feature = "iscsi")]
    pub(in crate::transport) fn options(&self) -> &Options {
        &self.options
    }

    /// The user that CHAP names, when a secret was given.
    pub fn user(&self) -> Option<&str> {
        self.credentials.as_ref().map(|credentials| credentials.user.as_str())
    }

    /// User and secret that this side proves.
    #[cfg(feature = "iscsi")]
    pub(in crate::transport) fn credentials(&self) -> Option<(&str, &str)> {
        self.credentials.as_ref().map(Credentials::parts)
    }

    /// User and secret that the target must prove.
    #[cfg(feature = "iscsi")]
    pub(in crate::transport) fn target_credentials(&self) -> Option<(&str, &str)> {
        self.target_credentials.as_ref().map(Credentials::parts)
    }

    pub(super) fn parse(text: &str, rest: &str) -> Result<Self, UrlError> {
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
        let (rest, options) = match rest.split_once('?') {
            Some((rest, options)) => (rest, Options::parse(options).map_err(|problem| malformed(&problem))?),
            None => (rest, Options::default()),
        };
        let mut parts = rest.split('/');
        let (host, port) = parse_authority(parts.next().unwrap_or("")).map_err(malformed)?;
        let target = parts
            .next()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| malformed("the target name is missing"))?;
        check_name(target).map_err(|problem| malformed(&format!("the target name {problem}")))?;
        let lun =
            parts.next().filter(|lun| !lun.is_empty()).ok_or_else(|| malformed("the LUN is missing"))?;
        let lun = lun.parse().ok().filter(|lun| *lun <= MAX_LUN);
        let lun = lun.ok_or_else(|| malformed("the LUN is no number from 0 to 16383"))?;
        if parts.next().is_some() {
            return Err(malformed("something follows the LUN"));
        }
        Ok(Self { host, port, target: target.to_owned(), lun, credentials, target_credentials, options })
    }
}

impl Credentials {
    #[cfg(feature = "iscsi")]
    fn parts(&self) -> (&str, &str) {
        (&self.user, &self.secret)
    }

    fn new((user, secret): (&str, &str)) -> Result<Self, &'static str> {
        if [user, secret].iter().any(|part| part.is_empty() || part.chars().any(char::is_control)) {
            return Err("user or secret is empty or holds a control character");
        }
        Ok(Self { user: user.to_owned(), secret: secret.to_owned() })
    }

    /// `user%secret`, or `user%secret%targetuser%targetsecret`.
    fn parse(login: &str) -> Result<(Option<Self>, Option<Self>), &'static str> {
        match login.split('%').collect::<Vec<_>>()[..] {
            [user, secret] => Ok((Some(Self::new((user, secret))?), None)),
            [_, secret, _, target_secret] if secret == target_secret => Err(SAME_SECRET),
            [user, secret, target, target_secret] => {
                Ok((Some(Self::new((user, secret))?), Some(Self::new((target, target_secret))?)))
            }
            _ => Err(
                "what stands before the @ is not `user%secret` (or with the target's own, `user%secret%user%secret`)",
            ),
        }
    }
}

/// A host, and a port if it is said.
pub(in crate::transport) fn parse_authority(authority: &str) -> Result<(String, u16), &'static str> {
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

/// Whether a text is the name of an iSCSI node (RFC 7143 section 4.2.7.1): `iqn.`, `eui.` with 16 hexadecimal digits, `naa.` with
/// 16 or 32. What is wrong otherwise follows "the name".
pub(in crate::transport) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.len() > MAX_NAME {
        return Err("is longer than 223 characters");
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control() || "%@/?&".contains(c)) {
        return Err("holds a character that names cannot have");
    }
    let digits = |text: &str, lengths: &[usize]| {
        lengths.contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit())
    };
    match name.split_once('.') {
        Some(("iqn", rest)) if !rest.is_empty() => Ok(()),
        Some(("eui", rest)) if digits(rest, &[16]) => Ok(()),
        Some(("naa", rest)) if digits(rest, &[16, 32]) => Ok(()),
        Some(("eui" | "naa", _)) => Err("has not 16 hexadecimal digits (or 32 after `naa.`)"),
        _ => Err("begins with none of `iqn.`, `eui.`, `naa.`"),
    }
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
        write!(f, "{open}{}{close}:{}/{}/{}{}", self.host, self.port, self.target, self.lun, self.options)
    }
}

impl fmt::Debug for IscsiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IscsiUrl({self})")
    }
}
