//! What was done about a library's ports, and who waits at them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::time::Duration;

use autochanger_scsi::ElementAddress;

use crate::changer::port::Errand;
use crate::id::RequestId;
use crate::input::Timing;

/// How often a lock or a tray is asked for that the library does not give, with pauses that double; then again only after an
/// attention or an inventory. A quarter of an hour in all with the usual pauses, in which a person has been at the panel or another host
/// has let go.
const MAX_TRIES: u32 = 10;

/// The ports of a library, beside what is in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ports {
    /// What the library was told last and has done: locked (PREVENT) or not (ALLOW). `None`: nothing, or it has forgotten.
    pub(crate) locked: Option<bool>,
    /// The library does not know PREVENT ALLOW MEDIUM REMOVAL.
    pub(crate) lock_refused: bool,
    /// Ports that were put out for a person, by us or by hand: the arm does not reach in.
    pub(crate) open: BTreeSet<ElementAddress>,
    /// The library does not know OPEN/CLOSE IMPORT/EXPORT ELEMENT.
    pub(crate) open_refused: bool,
    /// The command about locks or trays that is under way.
    pub(crate) busy: Option<Errand>,
    /// What was asked of it in vain.
    pub(crate) refused: BTreeMap<Errand, Refused>,
    /// Injects that wait for a person, or whose cartridge waits for a slot.
    pub(crate) waiting: BTreeSet<RequestId>,
    /// When the ports are looked at next, while somebody waits.
    pub(crate) next_look: Duration,
    /// Since when something is to be done about them that waits until no arm works.
    pub(crate) held_up: Option<Duration>,
}

/// A lock or a tray that the library did not give.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    tries: u32,
    again_at: Duration,
    /// What it said.
    pub(crate) why: Arc<str>,
}

impl Ports {
    /// Whether it may be asked for now.
    pub(crate) fn may_try(&self, errand: Errand, now: Duration) -> bool {
        self.refused.get(&errand).is_none_or(|it| it.tries < MAX_TRIES && it.again_at <= now)
    }

    /// The library did not do it. When it may be tried again; `None`: not before something has changed.
    pub(crate) fn note_refused(
        &mut self,
        errand: Errand,
        why: Arc<str>,
        timing: Timing,
        now: Duration,
    ) -> Option<Duration> {
        let tries = self.refused.get(&errand).map_or(0, |it| it.tries).saturating_add(1);
        let pause = timing.retry_min.saturating_mul(1 << tries.min(16)).min(timing.door_patience);
        let again_at = now.saturating_add(pause);
        self.refused.insert(errand, Refused { tries, again_at, why });
        (tries < MAX_TRIES).then_some(again_at)
    }

    /// Something has changed: what was refused may be given now.
    pub(crate) fn try_again(&mut self) {
        self.refused.clear();
    }

    /// Why no port could be put out, if that is so.
    pub(crate) fn trouble(&self) -> Option<Arc<str>> {
        let opening = self.refused.iter().find(|(errand, _)| matches!(errand, Errand::Open(_)));
        opening.map(|(_, refused)| refused.why.clone())
    }
}
