//! Who may see and control what.

use alloc::sync::Arc;
use core::fmt;

use crate::id::SessionId;

/// What a session may do (RSM: the rights use, modify and control).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// Sees and controls everything.
    Administrator,
    /// Sees everything, controls what its own application asked for.
    #[default]
    Operator,
    /// Sees and controls only what its own application asked for.
    Application,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
            Self::Application => "application",
        })
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The session.
    pub session: SessionId,
    /// Its application's name.
    pub application: Arc<str>,
    /// Its role.
    pub role: Role,
}
