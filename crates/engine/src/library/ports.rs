//! What was done about a library's ports, and who waits at them.

use alloc::collections::BTreeSet;
use core::time::Duration;

use autochanger_scsi::ElementAddress;

use crate::id::RequestId;

/// The ports of a library, beside what is in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ports {
    /// What the library was told last: locked (PREVENT) or not (ALLOW). `None`: nothing, or it has forgotten.
    pub(crate) locked: Option<bool>,
    /// The library does not know PREVENT ALLOW MEDIUM REMOVAL.
    pub(crate) lock_refused: bool,
    /// Ports that were put out for a person, by us or by hand: the arm does not reach in.
    pub(crate) open: BTreeSet<ElementAddress>,
    /// The library does not know OPEN/CLOSE IMPORT/EXPORT ELEMENT.
    pub(crate) open_refused: bool,
    /// A command about locks or trays is under way.
    pub(crate) busy: bool,
    /// Injects that wait for a person, or whose cartridge waits for a slot.
    pub(crate) waiting: BTreeSet<RequestId>,
    /// When the ports are looked at next, while somebody waits.
    pub(crate) next_look: Duration,
}
