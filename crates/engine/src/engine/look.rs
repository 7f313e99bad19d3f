//! Looks at a library that nobody asks for anything: hands are noticed where nobody tells of them. Whoever needs the library goes
//! first.

use core::time::Duration;

use autochanger_scsi::ElementType;

use super::Engine;
use super::inventory::PORTS;
use super::work::Timer;
use crate::catalog::Service;
use crate::changer::survey::TYPES;
use crate::id::LibraryIndex;
use crate::input::Timing;
use crate::library::fault::Stale;
use crate::time::Now;

/// A look more often than this would be a loop.
const SHORTEST: Duration = Duration::from_secs(1);

impl Engine {
    /// The library was read: the next look is later.
    pub(crate) fn note_look(&mut self, index: LibraryIndex, all: bool, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        library.look.ports = now.monotonic;
        if all {
            library.look.all = now.monotonic;
        }
        if !core::mem::replace(&mut library.look.awaited, true) {
            self.await_look(index, now);
        }
    }

    fn await_look(&mut self, index: LibraryIndex, now: Now) {
        let Some(library) = self.library_mut(index) else { return };
        let Timing { refresh_ports, refresh_all, .. } = library.config.timing;
        let ports = refresh_ports.filter(|_| library.elements.count(ElementType::ImportExport) > 0);
        let (last, read) = (library.look.ports, library.look.all);
        let due = |last: Duration, each: Option<Duration>| Some(last.saturating_add(each?.max(SHORTEST)));
        let next = due(last, ports).into_iter().chain(due(read, refresh_all)).min();
        library.look.awaited = next.is_some();
        if let Some(at) = next {
            // One that was due while somebody needed the library comes a little later.
            let shortest = ports.into_iter().chain(refresh_all).min().unwrap_or(SHORTEST).max(SHORTEST);
            let at = if at > now.monotonic { at } else { now.monotonic.saturating_add(shortest) };
            self.set_timer(at, Timer::Look(index));
        }
    }

    pub(crate) fn look_unasked(&mut self, index: LibraryIndex, now: Now) {
        let due = self.look_that_is_due(index, now);
        if let Some(kinds) = due
            && let Some(library) = self.library_mut(index)
        {
            // Its end says when the next one is due.
            library.look.awaited = false;
            library.look.unasked = true;
            return self.read_elements(index, None, kinds, now);
        }
        self.await_look(index, now);
    }

    fn look_that_is_due(&self, index: LibraryIndex, now: Now) -> Option<&'static [ElementType]> {
        let library = self.library(index)?;
        let timing = library.config.timing;
        let at_rest = library.is_ready()
            && !library.opening
            && !library.reading
            && library.stale == Stale::Nothing
            && !library.ownership.is_in_doubt()
            && library.service != Service::Disabled
            && library.motions.is_empty()
            && self.changer_is_idle(index)
            && !self.stopped
            && self.store_failed.is_none();
        if !at_rest || self.is_needed(index) {
            return None;
        }
        let over = |last: Duration, each: Option<Duration>| {
            each.is_some_and(|each| now.monotonic.saturating_sub(last) >= each.max(SHORTEST))
        };
        let ports = library.elements.count(ElementType::ImportExport) > 0;
        match () {
            () if over(library.look.all, timing.refresh_all) => Some(&TYPES),
            () if ports && over(library.look.ports, timing.refresh_ports) => Some(&PORTS),
            () => None,
        }
    }

    /// Whether somebody has something for the library to do now.
    pub(crate) fn is_needed(&self, index: LibraryIndex) -> bool {
        self.library(index)
            .is_some_and(|library| library.queue.first().is_some() || !library.motions.is_empty())
    }

    /// Somebody needs the library: the look is tried again when it is due again.
    pub(crate) fn look_broken_off(&mut self, index: LibraryIndex, now: Now) {
        if let Some(library) = self.library_mut(index) {
            library.reading = false;
        }
        self.await_look(index, now);
    }
}
