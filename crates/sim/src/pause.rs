//! What keeps a changer from serving for a while: that it starts up, or is in pause mode, somebody at its panel, a partition that is not
//! granted, a fail-over of its ports.

use core::time::Duration;

use autochanger_scsi::{Sense, SenseKey};

use crate::answer::{not_ready, sense};
use crate::device::Device;
use crate::quirk::Quirk;

/// Since when each of them lasts: since its switch was turned on, at the library's start where that was before.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pauses {
    panel: Duration,
    mode: Duration,
    start: Duration,
    denied: Duration,
    failover: Duration,
}

impl Device {
    /// A switch was turned on: what it says lasts from now on.
    pub(crate) fn begin_pause(&mut self, quirk: Quirk) {
        let now = self.now;
        match quirk {
            Quirk::PanelSession(_) => self.service.pauses.panel = now,
            Quirk::PauseMode(_) => self.service.pauses.mode = now,
            Quirk::StartsUp(_) => self.service.pauses.start = now,
            Quirk::AccessDenied(_) => self.service.pauses.denied = now,
            Quirk::PortFailover(_) => self.service.pauses.failover = now,
            _ => {}
        }
    }

    /// Another port serves now: the library fails over, where it is one that takes its time for that.
    pub(crate) fn begin_failover(&mut self) {
        self.service.pauses.failover = self.now;
    }

    /// What is answered, before anything that the library has to tell, to all that is more than a question who it is.
    pub(crate) fn refuses_host(&self) -> Option<Sense> {
        let denied = self.lasts(Quirk::AccessDenied(0), self.service.pauses.denied);
        self.fails_over().or_else(|| denied.then(|| not_ready(0x74, 0x71)))
    }

    /// What is answered while the ports fail over, also to a motion that ends then: it was carried out all the same.
    pub(crate) fn fails_over(&self) -> Option<Sense> {
        let lasts = self.lasts(Quirk::PortFailover(0), self.service.pauses.failover);
        lasts.then(|| sense(SenseKey::AbortedCommand, 0x08, 0x00))
    }

    /// What keeps the library from beginning anything: what it has begun it finishes.
    pub(crate) fn check_pause(&self) -> Result<(), Sense> {
        let Pauses { panel, mode, start, .. } = self.service.pauses;
        match () {
            () if self.lasts(Quirk::StartsUp(0), start) => Err(not_ready(0x04, 0x01)),
            () if self.lasts(Quirk::PauseMode(0), mode) => Err(not_ready(0x04, 0x85)),
            () if self.lasts(Quirk::PanelSession(0), panel) => Err(not_ready(0x04, 0x07)),
            () => Ok(()),
        }
    }

    fn lasts(&self, quirk: Quirk, since: Duration) -> bool {
        let seconds = self.quirks.number(quirk).unwrap_or(0);
        self.now < since.saturating_add(Duration::from_secs(seconds.into()))
    }
}
