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
    /// Another refusal.
    #[error("the target refused the login (status {class}/{detail})")]
    Refused {
        /// Status-Class.
        class: u8,
        /// Status-Detail.
        detail: u8,
    },
    /// The target wants a way of authentication that is not offered here.
    #[error("the target wants authentication by {0:?}, which was not offered")]
    Method(String),
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
            (3, _) => Self::Unavailable { class, detail },
            _ => Self::Refused { class, detail },
        }
    }
}
