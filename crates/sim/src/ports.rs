//! OPEN/CLOSE IMPORT/EXPORT ELEMENT: ports that are put out for the operator.

use autochanger_scsi::{ElementAddress, ElementType, OpenCloseImportExport, PortAction, Sense};

use crate::answer::{Answer, Unit, illegal, not_ready};
use crate::changer::bad_address;
use crate::device::Device;
use crate::nexus::{MAGAZINE_INSERTED, MAGAZINE_REMOVED, PORT_ACCESSED};
use crate::quirk::Quirk;
use crate::task::Task;

impl Device {
    pub(crate) fn open_close(&mut self, unit: Unit, command: OpenCloseImportExport) -> Result<Answer, Sense> {
        let OpenCloseImportExport { element, action } = command;
        if self.quirks.has(Quirk::NoPortCommand) {
            return Err(illegal(0x20, 0x00));
        }
        if self.quirks.has(Quirk::PortCommandIsMagazine) {
            return self.move_magazine(unit, action);
        }
        if !matches!(self.layout.locate(element), Some((ElementType::ImportExport, _))) {
            return Err(bad_address(2));
        }
        match action {
            PortAction::Open if self.nexuses.prevented(unit.lun) => return Err(illegal(0x53, 0x02)),
            // The arm is reaching in, or will.
            PortAction::Open if self.arm_uses(element) => return Err(not_ready(0x04, 0x07)),
            PortAction::Open => {
                if self.service.open_ports.insert(element) {
                    self.service.port_opens += 1;
                }
            }
            PortAction::Close => {
                if self.service.open_ports.remove(&element) {
                    // Whoever did not close it cannot know what is in it now.
                    self.nexuses.post(unit.lun, PORT_ACCESSED, Some(unit.nexus));
                }
            }
        }
        Ok(Answer::good())
    }

    /// PREVENT ALLOW MEDIUM REMOVAL of the changer.
    pub(crate) fn prevent_removal(&mut self, task: &Task, prevent: bool) -> Result<Answer, Sense> {
        let has = |quirk| self.quirks.has(quirk);
        if has(Quirk::NoPrevent) {
            return Err(illegal(0x20, 0x00));
        }
        if has(Quirk::PreventIgnored) {
            return Ok(Answer::good());
        }
        if !prevent && has(Quirk::AllowClearsAll) {
            self.nexuses.allow_all(task.unit.lun);
        }
        self.nexuses.prevent(task.unit, prevent);
        Ok(Answer::good())
    }

    /// What a library does that takes the command for one of its magazine, as a drive has it of its tape.
    fn move_magazine(&mut self, unit: Unit, action: PortAction) -> Result<Answer, Sense> {
        if self.nexuses.prevented(unit.lun) {
            return Err(illegal(0x53, 0x02));
        }
        self.service.magazine_out = action == PortAction::Open;
        let told = if self.service.magazine_out { MAGAZINE_REMOVED } else { MAGAZINE_INSERTED };
        self.nexuses.post(unit.lun, told, None);
        Ok(Answer::good())
    }

    /// Whether a port is out.
    pub(crate) fn is_open(&self, element: ElementAddress) -> bool {
        self.service.open_ports.contains(&element)
    }

    /// MEDIUM NOT PRESENT, TRAY OPEN for a port that is out: the arm cannot reach in.
    pub(crate) fn check_port(&self, element: ElementAddress) -> Result<(), Sense> {
        if self.is_open(element) { Err(not_ready(0x3A, 0x02)) } else { Ok(()) }
    }
}
