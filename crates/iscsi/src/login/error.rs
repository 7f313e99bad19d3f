//! Why a login failed.

use crate::text::{Pairs, TextError};

/// Why a login failed (RFC 7143 section 11.13.5). Secrets are in none of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The target is elsewhere.
    #[error("the target has moved{}{}", if *.permanent { " for good" } else { "" }, to(.address.as_deref()))]
    Redirected {
        /// Where, as the target says it (`host:port,group`).
        address: Option<String>,
        /// Whether the new address is to be remembered.
        permanent: bool,
    },
    /// The proof was not accepted, or none was offered.
    #[error("authentication failed: {}", if *.secret_given { "the target refused the user or the secret" } else { "no secret was given and the target wants one" })]
    AuthenticationFailed {
        /// Whether a secret was given.
        secret_given: bool,
    },
    /// This initiator may not use the target.
    #[error("this initiator is not allowed to use the target")]
    NotAuthorized,
    /// The target name is not known there.
    #[error("no target of this name is there")]
    TargetNotFound,
    /// The target was removed.
    #[error("the target was removed and will not come back")]
    TargetRemoved,
    /// The target cannot serve now.
    #[error("the target cannot serve now (status {class}/{detail})")]
    Unavailable {
        /// Status-Class.
        class: u8,
        /// Status-Detail.
        detail: u8,
    },
    /// The target speaks no version of iSCSI that is spoken here.
    #[error("the target speaks another version of iSCSI (status 2/5)")]
    Version,
    /// The target has as many connections as it takes.
    #[error("the target takes no more connections (status 2/6): close one, or raise its limit")]
    TooManyConnections,
    /// The target misses a parameter.
    #[error("the target misses a parameter of the login (status 2/7)")]
    MissingParameter,
    /// The target does not have sessions of this kind.
    #[error(
        "the target has no sessions of this kind (status 2/9): a discovery session, if it was asked for its targets"
    )]
    SessionType,
    /// The target says that a session does not exist, though a new one was asked for.
    #[error(
        "the target takes the new session for one that it does not know (status 2/10): it mixes sessions up"
    )]
    NoSuchSession,
    /// Another refusal.
    #[error("the target refused the login and did not say why (status {class}/{detail}): its own log may")]
    Refused {
        /// Status-Class.
        class: u8,
        /// Status-Detail.
        detail: u8,
    },
    /// The target wants a way of authentication that is not offered here.
    #[error("the target wants authentication by {0:?}, which was not offered")]
    Method(String),
    /// This side's secret and the target's are the same, so that anybody could pose as the target.
    #[error(
        "the target's secret is the same as this side's, so that it proves nothing: give each side its own"
    )]
    SameSecret,
    /// The target said something a second time that is said once.
    #[error("the target spoke of {0} twice")]
    SaidTwice(String),
    /// The target did not prove the secret that it was asked for.
    #[error("the target did not prove its own secret")]
    TargetNotProved,
    /// A parameter has a value that cannot be agreed to.
    #[error("the target wants {key}={value}, which cannot be agreed to")]
    Negotiation {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// The text of a response cannot be read.
    #[error("the target sent {0}")]
    Text(TextError),
    /// The target broke the protocol.
    #[error("the target sent {0}")]
    Protocol(&'static str),
}

fn to(address: Option<&str>) -> String {
    address.map(|address| format!(" to {address}")).unwrap_or_default()
}

impl LoginError {
    pub(super) fn from_status(class: u8, detail: u8, text: &Pairs, secret_given: bool) -> Self {
        match (class, detail) {
            (1, _) => Self::Redirected {
                address: text.get("TargetAddress").map(str::to_owned),
                permanent: detail == 2,
            },
            (2, 1) => Self::AuthenticationFailed { secret_given },
            (2, 2) => Self::NotAuthorized,
            (2, 3) => Self::TargetNotFound,
            (2, 4) => Self::TargetRemoved,
            (2, 5) => Self::Version,
            (2, 6) => Self::TooManyConnections,
            (2, 7) => Self::MissingParameter,
            (2, 9) => Self::SessionType,
            (2, 10) => Self::NoSuchSession,
            (3, _) => Self::Unavailable { class, detail },
            _ => Self::Refused { class, detail },
        }
    }
}
