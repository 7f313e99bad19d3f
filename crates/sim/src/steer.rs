//! What a test turns on and off in a device: faults, habits, and holds that stop commands half-way.

use core::time::Duration;

use autochanger_scsi::ElementAddress;

use crate::device::{Device, Event};
use crate::drive::Drive;
use crate::fault::{Action, Fault};
use crate::hold::{Hold, HoldId, Phase};
use crate::quirk::Quirk;

impl Device {
    /// Plants a fault. It begins to act at the latest time that the device has seen.
    pub fn inject(&mut self, fault: Fault) {
        match fault.action() {
            Action::StickInDrive(address) => self.mark_drive(address, |drive| drive.stuck = true),
            Action::KillDrive(address) => self.mark_drive(address, |drive| drive.dead = true),
            Action::Except { element, code } => {
                self.exceptions.insert(element, code);
            }
            Action::Attention { lun, code } => self.nexuses.post(lun, code, None),
            _ => self.faults.add(fault, self.now),
        }
    }

    /// Takes back the faults that wait for commands. Drives that are stuck or dead stay so.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// How many faults wait for commands.
    pub fn pending_faults(&self) -> usize {
        self.faults.len()
    }

    /// Makes a stuck or dead drive work again, and takes an exception off an element.
    pub fn repair(&mut self, element: impl Into<autochanger_scsi::ElementAddress>) {
        let element = element.into();
        self.exceptions.remove(&element);
        self.mark_drive(element, |drive| {
            drive.stuck = false;
            drive.dead = false;
        });
    }

    fn mark_drive(&mut self, address: ElementAddress, mark: impl FnOnce(&mut Drive)) {
        if let Some(drive) = self.drives.iter_mut().find(|drive| drive.address == address) {
            mark(drive);
        }
    }

    /// Makes the library deviate from the standard from now on, or otherwise than before: magazines that are taken out
    /// ([`Quirk::AbsentSlots`]) and put back. Nobody is told; a unit attention is a [`Fault`].
    pub fn quirk(&mut self, quirk: Quirk) {
        self.quirks.set(quirk);
        self.begin_pause(quirk);
    }

    /// Stops commands half-way, from now on.
    pub fn hold(&mut self, hold: Hold) -> HoldId {
        self.holds.add(hold)
    }

    /// How many commands a hold has stopped so far; 0 after its release.
    pub fn held(&self, hold: HoldId) -> u32 {
        self.holds.reached(hold)
    }

    /// Ends a hold: what it stopped goes on at this time.
    pub fn release(&mut self, now: Duration, hold: HoldId) {
        self.run(now);
        for (key, phase) in self.holds.release(hold) {
            match phase {
                Phase::Before => self.resume(key),
                Phase::After => self.schedule(self.now, Event::Answer(key)),
            }
        }
        self.run(now);
    }
}
