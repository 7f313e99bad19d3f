//! Which libraries there are, and what their answers mean to the engine.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use autochanger_engine::command::{Completion, PathFault, PathFaultKind, TransportError};
use autochanger_engine::id;
use autochanger_sim::{Device, Key, Nexus, Outcome, Unit};

/// The simulated libraries, in the order of the engine's configuration. Most worlds have one, so that this stands for the
/// first where none is named.
#[derive(Debug)]
pub struct Devices(pub Vec<Device>);

impl Devices {
    /// When one of them has something to do.
    pub(crate) fn next_event(&self) -> Option<Duration> {
        self.0.iter().filter_map(Device::next_event).min()
    }

    /// What has ended by now, with the library that it is from.
    pub(crate) fn advance(&mut self, now: Duration) -> Vec<(usize, Key, Outcome)> {
        let mut ended = Vec::new();
        for (n, device) in self.0.iter_mut().enumerate() {
            ended.extend(device.advance(now).into_iter().map(|(key, outcome)| (n, key, outcome)));
        }
        ended
    }

    /// The commands that would move a cartridge and reached a changer.
    #[must_use]
    pub fn moves_sent(&self) -> u64 {
        self.0.iter().map(Device::moves_sent).sum()
    }
}

impl Deref for Devices {
    type Target = Device;

    fn deref(&self) -> &Device {
        &self.0[0]
    }
}

impl DerefMut for Devices {
    fn deref_mut(&mut self) -> &mut Device {
        &mut self.0[0]
    }
}

/// The logical unit of the simulated library behind a path. Each route is an initiator of its own, and comes through a port of
/// its own.
pub(crate) fn unit(path: id::Path) -> Unit {
    let lun = match path.device {
        id::Device::Changer => 0,
        id::Device::Sibling(lun) => lun,
        id::Device::Configured(n) => n + 1,
    };
    Unit { nexus: Nexus(path.route.0.into()), lun }
}

/// A simulated answer in the words of a transport.
pub(crate) fn completion(outcome: Outcome) -> Result<Completion, TransportError> {
    let fault = |detail: &str| PathFault {
        kind: PathFaultKind::ConnectionLost,
        device: Arc::from("sim:test"),
        detail: detail.into(),
    };
    match outcome {
        Outcome::Answered(answer) => {
            let (sense, data) = (answer.sense.into(), answer.data.into());
            Ok(Completion { status: answer.status, sense, data, residual: 0 })
        }
        Outcome::NotDelivered => Err(TransportError::NotSent(fault("not delivered"))),
        _ => Err(TransportError::OutcomeUnknown(fault("the reply was lost"))),
    }
}
