//! What a target is told about itself, and what it says of a login.

use std::fmt;

use crate::chap::Secret;
use crate::digest::{DigestPolicy, Digests};

/// The most commands that a target's window ever holds: more than a library's arm and drives work on at once.
pub const MAX_WINDOW: u32 = 64;

/// A target and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetConfig {
    /// The target's name (IQN).
    pub name: String,
    /// Its name for people (TargetAlias).
    pub alias: Option<String>,
    /// What initiators must prove; `None` lets in whoever comes.
    pub authentication: Option<TargetChap>,
    /// What is said about digests.
    pub digests: DigestPolicy,
    /// How many commands are taken at once, at most [`MAX_WINDOW`].
    pub window: u32,
    /// Whether data beyond what goes with a command has to be asked for (InitialR2T).
    pub initial_r2t: bool,
}

impl TargetConfig {
    /// A target of this name that lets in whoever comes.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            alias: None,
            authentication: None,
            digests: DigestPolicy::Accept,
            window: MAX_WINDOW / 2,
            initial_r2t: false,
        }
    }
}

/// Secrets on the target's side (RFC 7143 section 12.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetChap {
    /// The name that the initiator must give.
    pub user: String,
    /// The secret that it must know.
    pub secret: Secret,
    /// With what the target proves itself to who asks: its name and its secret, another one than the initiator's.
    pub own: Option<(String, Secret)>,
}

/// What a session needs of the outside world when it begins.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionSeed {
    /// Random bytes for the CHAP challenge, new for each session: this crate has no source of randomness.
    pub challenge: [u8; 16],
    /// The target's part of the session's id; not zero, and not in use.
    pub tsih: u16,
    /// Where this connection came in, as SendTargets says it: `127.0.0.1:3260`, `[::1]:3260`.
    pub portal: String,
}

impl fmt::Debug for SessionSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSeed")
            .field("tsih", &self.tsih)
            .field("portal", &self.portal)
            .finish_non_exhaustive()
    }
}

/// Who logged in, and what was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admitted {
    /// The initiator's name.
    pub initiator: String,
    /// The initiator's part of the session's id: together with its name, a new session of the same id takes the
    /// place of the old one (RFC 7143 section 6.3.5).
    pub isid: [u8; 6],
    /// Whether it came only to ask what is there (SessionType=Discovery).
    pub discovery: bool,
    /// Which digests were agreed on.
    pub digests: Digests,
}

/// Why a login was refused. No secret is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginRefusal {
    /// The proof is wrong, missing, or asked of a target that has none.
    #[error("authentication failed")]
    Authentication,
    /// It asked for another target.
    #[error("no target of this name is here")]
    UnknownTarget,
    /// It speaks another version of the protocol.
    #[error("a version that is not spoken here")]
    Version,
    /// It wants to add a connection to a session.
    #[error("a session has one connection here")]
    Session,
    /// It wants digests and the target none, or the other way round.
    #[error("no agreement on digests")]
    Digests,
    /// A key that must be there is not.
    #[error("a parameter is missing: {0}")]
    Missing(&'static str),
    /// It broke the protocol.
    #[error("the initiator sent {0}")]
    Protocol(&'static str),
}

impl LoginRefusal {
    /// Status-Class and Status-Detail (RFC 7143 section 11.13.5).
    pub(super) fn status(self) -> (u8, u8) {
        match self {
            Self::Authentication => (2, 1),
            Self::UnknownTarget => (2, 3),
            Self::Version => (2, 5),
            Self::Session => (2, 10),
            Self::Missing(_) => (2, 7),
            Self::Digests | Self::Protocol(_) => (2, 0),
        }
    }
}
