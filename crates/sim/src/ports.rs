//! OPEN/CLOSE IMPORT/EXPORT ELEMENT: ports that are put out for the operator.

use autochanger_scsi::{ElementAddress, ElementType, OpenCloseImportExport, PortAction, Sense};

use crate::answer::{Answer, Unit, illegal, not_ready};
use crate::changer::bad_address;
use crate::device::Device;
use crate::nexus::PORT_ACCESSED;

impl Device {
    pub(crate) fn open_close(&mut self, unit: Unit, command: OpenCloseImportExport) -> Result<Answer, Sense> {
        let OpenCloseImportExport { element, action } = command;
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

    /// Whether a port is out.
    pub(crate) fn is_open(&self, element: ElementAddress) -> bool {
        self.service.open_ports.contains(&element)
    }

    /// MEDIUM NOT PRESENT, TRAY OPEN for a port that is out: the arm cannot reach in.
    pub(crate) fn check_port(&self, element: ElementAddress) -> Result<(), Sense> {
        if self.is_open(element) { Err(not_ready(0x3A, 0x02)) } else { Ok(()) }
    }
}
