//! The door: opened and closed by hand. While it is open the arm rests; afterwards the library looks at its cells.

use autochanger_scsi::{ElementType, Sense};

use crate::answer::not_ready;
use crate::device::{Device, Event};
use crate::nexus::MEDIUM_CHANGED;
use crate::operator::OperatorError;
use crate::quirk::Quirk;

/// How the door stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Door {
    #[default]
    Shut,
    Open,
    /// Closed again: the library looks at its cells. Counted, so that one that was opened meanwhile is known.
    Scanning(u64),
}

impl Device {
    /// Opens the door. Commands that need a ready library are answered NOT READY, door open (02/04/18), from now on; what the
    /// arm has begun it finishes. Sense keys and codes are those of the standard; libraries have codes of their own, too.
    ///
    /// # Errors
    /// [`OperatorError::Locked`] while a host prevents the removal of media.
    pub fn operator_open_door(&mut self) -> Result<(), OperatorError> {
        if self.nexuses.prevented(0) {
            return Err(OperatorError::Locked);
        }
        self.service.door = Door::Open;
        Ok(())
    }

    /// Closes the door. The library looks at its cells (02/04/01, one scan for each), then every host finds 28/00.
    pub fn operator_close_door(&mut self) {
        if self.service.door != Door::Open {
            return;
        }
        self.service.doors_closed += 1;
        let number = self.service.doors_closed;
        self.service.door = Door::Scanning(number);
        let cells = self.layout.addresses(ElementType::Storage).count();
        let time = self.timing.scan.saturating_mul(u32::try_from(cells).unwrap_or(u32::MAX));
        self.schedule(self.now.saturating_add(time), Event::Door(number));
    }

    /// Closes a port that is out, by hand: every host finds 28/01.
    pub fn operator_close_port(&mut self, element: impl Into<autochanger_scsi::ElementAddress>) {
        if self.service.open_ports.remove(&element.into()) {
            self.nexuses.post(0, crate::nexus::PORT_ACCESSED, None);
        }
    }

    /// Whether a host has locked doors and ports.
    pub fn is_locked(&self) -> bool {
        self.nexuses.prevented(0)
    }

    /// The ports that are out.
    pub fn open_ports(&self) -> impl Iterator<Item = autochanger_scsi::ElementAddress> {
        self.service.open_ports.iter().copied()
    }

    pub(crate) fn cells_seen(&mut self, number: u64) {
        if self.service.door == Door::Scanning(number) {
            self.service.door = Door::Shut;
            self.service.labels_doubtful = self.quirks.has(Quirk::LabelsDoubtfulAfterDoor);
            self.nexuses.post(0, MEDIUM_CHANGED, None);
        }
    }

    /// What keeps the library from working.
    pub(crate) fn check_door(&self) -> Result<(), Sense> {
        match self.service.door {
            Door::Shut => Ok(()),
            Door::Open => Err(not_ready(0x04, 0x18)),
            Door::Scanning(_) => Err(not_ready(0x04, 0x01)),
        }
    }
}
