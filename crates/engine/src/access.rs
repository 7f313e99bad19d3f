//! Who may see and control what.

use alloc::sync::Arc;
use core::fmt;

use crate::id::SessionId;

/// What a session may do (RSM: the rights use, modify and control). Each role may do what the ones below it may.
///
/// | | `Application` | `Operator` (the default) | `Administrator` |
/// |---|---|---|---|
/// | mounts, identifies, records the label of a medium; reads the inventory | yes | yes | yes |
/// | dismounts | what nobody else has mounted | the same | all, [by force](crate::request::Wanted::Dismount::force) |
/// | works the library: service of libraries, drives and cartridges, ejects, injects, the door, cleaning and the cleaner's slot, full inventories, free labels, classification | no | yes | yes |
/// | refuses what a person is asked, or says that it is done; sets the uses of a cleaner | no | yes | yes |
/// | cancels, reorders, adopts | its own application's | its own application's | all |
/// | sees requests, mounts, faults, their events, what people are asked | its own application's | all | all |
/// | sees libraries, drives, slots, cartridges | all | all | all |
/// | purges requests that have ended | no | no | yes |
///
/// What the role does not suffice for is [refused](crate::output::Refusal::RoleNeeded) before anything is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// Works the library, and controls what others asked for.
    Administrator,
    /// Sees everything, works the library, and controls what its own application asked for.
    #[default]
    Operator,
    /// Uses media: sees and controls only what its own application asked for.
    Application,
}

impl Role {
    /// Whether this role may do what needs the other one.
    pub fn suffices_for(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Administrator, _) | (_, Self::Application) => true,
            (Self::Operator, Self::Operator) => true,
            (Self::Operator, Self::Administrator) => false,
            (Self::Application, Self::Operator | Self::Administrator) => false,
        }
    }
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
