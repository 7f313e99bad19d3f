//! INITIALIZE ELEMENT STATUS (SMC-3 6.2): the library scans itself. Only by an explicit full inventory.

use autochanger_scsi::{Dialect, InitializeElementStatus};

use super::ask::{Ask, Refusal};
use super::{Do, Heard, Procedure};
use crate::command::Command;
use crate::id::Device;
use crate::input::Timing;
use crate::time::Now;

/// The procedure. The command may be repeated: it moves no cartridge to another element.
#[derive(Debug, Clone)]
pub(crate) struct Initialize(Ask);

impl Initialize {
    /// Of a library that speaks the dialect.
    pub(crate) fn new(timing: Timing, dialect: &'static Dialect) -> Self {
        let command = Command::new(InitializeElementStatus {}.cdb(), timing.initialize);
        Self(Ask::new(Device::Changer, command, timing).in_dialect(dialect))
    }
}

impl Procedure for Initialize {
    type Output = Result<(), Refusal>;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output> {
        self.0.step(heard, now).map(|answer| answer.map(|_| ()))
    }
}
