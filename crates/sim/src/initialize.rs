//! INITIALIZE ELEMENT STATUS: in which of its forms a library has it, and what it does not do before and while it looks.

use autochanger_scsi::{
    ChangerCommand, ElementAddress, InitializeElementStatus, InitializeElementStatusWithRange,
    InitializeElementStatusWithRangeVendor, LogSense, ModeSense6, ModeSense10, Sense, TestUnitReady,
};

use crate::answer::{illegal, not_ready};
use crate::device::Device;
use crate::quirk::Quirk;
use crate::task::{Motion, Work};

/// The forms of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// 07h.
    Plain,
    /// 37h.
    Range,
    /// E7h.
    Vendor,
}

impl Form {
    fn of(opcode: u8) -> Option<Self> {
        match opcode {
            InitializeElementStatus::OPCODE => Some(Self::Plain),
            InitializeElementStatusWithRange::OPCODE => Some(Self::Range),
            InitializeElementStatusWithRangeVendor::OPCODE => Some(Self::Vendor),
            _ => None,
        }
    }
}

impl Device {
    /// Whether a command of this operation code is unknown because the library has another form of it, or none.
    pub(crate) fn lacks_form(&self, opcode: u8) -> bool {
        let Some(form) = Form::of(opcode) else { return false };
        let has = |quirk| self.quirks.has(quirk);
        has(Quirk::NoInitialize)
            || (has(Quirk::Initialize37Only) && form != Form::Range)
            || (has(Quirk::InitializeE7Only) && form != Form::Vendor)
    }

    /// What the command asks for.
    pub(crate) fn initialize(&self, form: Form, range: Option<(ElementAddress, u16)>) -> Result<Work, Sense> {
        let opcode = match form {
            Form::Plain => InitializeElementStatus::OPCODE,
            Form::Range => InitializeElementStatusWithRange::OPCODE,
            Form::Vendor => InitializeElementStatusWithRangeVendor::OPCODE,
        };
        if self.lacks_form(opcode) {
            return Err(illegal(0x20, 0x00));
        }
        if self.quirks.has(Quirk::InitializeDoesNothing) {
            return Ok(Work::Changer(ChangerCommand::TestUnitReady(TestUnitReady {})));
        }
        self.check_arms()?;
        Ok(Work::Motion { motion: Motion::Scan { range }, arm: None })
    }

    /// A library without an arm moves nothing: ROBOTICS DISABLED.
    pub(crate) fn check_arms(&self) -> Result<(), Sense> {
        if self.arms.is_empty() { Err(not_ready(0x04, 0x15)) } else { Ok(()) }
    }

    /// What keeps a command from being taken up before the library has looked at its elements, or while it does. Pages of
    /// modes and logs it has all the same.
    pub(crate) fn check_scanned(&self, cdb: &[u8]) -> Result<(), Sense> {
        let opcode = cdb.first().copied().unwrap_or(0);
        if matches!(opcode, ModeSense6::OPCODE | ModeSense10::OPCODE | LogSense::OPCODE) {
            return Ok(());
        }
        let scans = Form::of(opcode).is_some();
        if self.quirks.has(Quirk::NeedsInitialize) && self.service.inventories == 0 && !scans {
            // INITIALIZING COMMAND REQUIRED.
            return Err(not_ready(0x04, 0x02));
        }
        if self.quirks.has(Quirk::RefusesWhileScanning) && self.is_scanning() {
            return Err(not_ready(0x04, 0x01));
        }
        Ok(())
    }
}
