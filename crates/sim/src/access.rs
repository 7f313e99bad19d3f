//! Target ports: several ways to one library, each of which serves, or does not, or is dead.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::Sense;

use crate::answer::{Nexus, not_ready};
use crate::device::Device;

/// What a target port does with commands. INQUIRY, REPORT LUNS and REQUEST SENSE are answered by every port that is not
/// [`Dead`](Self::Dead) (SPC-4 5.15.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Access {
    /// Everything.
    #[default]
    Active,
    /// 02/04/0A: its access is about to change.
    Transition,
    /// 02/04/0B: another port serves.
    Standby,
    /// 02/04/0C.
    Unavailable,
    /// 02/04/12: the port is off line, as those of some libraries are that only stand in for another.
    Offline,
    /// Nothing gets through: commands are not delivered, and what is in flight loses its answer.
    Dead,
}

impl Access {
    fn sense(self) -> Option<Sense> {
        match self {
            Self::Active | Self::Dead => None,
            Self::Transition => Some(not_ready(0x04, 0x0A)),
            Self::Standby => Some(not_ready(0x04, 0x0B)),
            Self::Unavailable => Some(not_ready(0x04, 0x0C)),
            Self::Offline => Some(not_ready(0x04, 0x12)),
        }
    }
}

/// The target ports, and which initiator comes through which. Whoever did not say comes through port 0.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    access: BTreeMap<u8, Access>,
    of: BTreeMap<Nexus, u8>,
}

impl Ports {
    fn of(&self, nexus: Nexus) -> u8 {
        self.of.get(&nexus).copied().unwrap_or(0)
    }

    pub(crate) fn access(&self, nexus: Nexus) -> Access {
        self.access.get(&self.of(nexus)).copied().unwrap_or_default()
    }

    /// What keeps a command of the nexus from being taken up.
    pub(crate) fn refuses(&self, nexus: Nexus) -> Option<Sense> {
        self.access(nexus).sense()
    }

    pub(crate) fn forget(&mut self, nexus: Nexus) {
        self.of.remove(&nexus);
    }
}

impl Device {
    /// The nexus comes through this target port from now on.
    pub fn connect(&mut self, nexus: Nexus, port: u8) {
        self.ports.of.insert(nexus, port);
    }

    /// Changes what a target port does, at a virtual time. When it dies, whoever came through it loses the answers to what is in
    /// flight; the library carries it out all the same.
    pub fn set_port(&mut self, now: Duration, port: u8, access: Access) {
        self.run(now);
        self.ports.access.insert(port, access);
        self.begin_failover();
        if access != Access::Dead {
            return;
        }
        let mut through: Vec<Nexus> = self.tasks.values().map(|task| task.unit.nexus).collect();
        through.retain(|nexus| self.ports.of(*nexus) == port);
        self.abandon(|task| through.contains(&task.unit.nexus), false);
        for nexus in through {
            self.nexuses.lose(nexus);
        }
    }
}
