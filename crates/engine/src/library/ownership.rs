//! Whether a library is reserved for us.

use crate::input::LibraryConfig;

/// How the reservation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It was not asked for yet, or the way to the library was lost since.
    Open,
    /// The device has none, or none is wanted.
    None,
    /// It is ours.
    Ours,
    /// It is another's.
    Foreign,
}

/// What is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Ownership {
    pub(crate) hold: Hold,
    /// It is being looked at again: nothing is begun meanwhile.
    pub(crate) looking: bool,
    /// Something was heard that makes it doubtful, since it was looked at.
    pub(crate) doubted: bool,
    /// Looks in a row.
    pub(crate) looks: u8,
    /// Another's may be taken away: once, at the first opening, or two managers would take it from each other for ever.
    pub(crate) may_take_over: bool,
}

impl Ownership {
    pub(crate) fn new(config: &LibraryConfig) -> Self {
        Self { hold: Hold::Open, looking: false, doubted: false, looks: 0, may_take_over: config.take_over }
    }

    /// Whether nothing may be moved, nor concluded of what moves.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.looking || self.hold == Hold::Foreign
    }
}
