//! Who may see and control what.

use alloc::sync::Arc;

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
