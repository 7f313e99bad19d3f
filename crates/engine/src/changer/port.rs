//! Locks and trays: PREVENT ALLOW MEDIUM REMOVAL (SPC-4 6.18) and OPEN/CLOSE IMPORT/EXPORT ELEMENT (SMC-3 6.8). Both may be
//! repeated: they move no cartridge.

use core::fmt;

use autochanger_scsi::{
    Dialect, ElementAddress, OpenCloseImportExport, PortAction, PreventAllowMediumRemoval,
};

use super::ask::{Ask, Refusal};
use super::{Do, Heard, Procedure};
use crate::command::Command;
use crate::id::Device;
use crate::input::Timing;
use crate::time::Now;

/// One thing to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Errand {
    /// Lock doors and ports, or unlock them.
    Lock(bool),
    /// Put a port out for a person.
    Open(ElementAddress),
    /// Take a port in.
    Close(ElementAddress),
}

impl fmt::Display for Errand {
    /// As the end of "it was asked to".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock(true) => f.write_str("lock its doors and ports"),
            Self::Lock(false) => f.write_str("unlock its doors and ports"),
            Self::Open(port) => write!(f, "put port {port} out"),
            Self::Close(port) => write!(f, "take port {port} in"),
        }
    }
}

/// The procedure.
#[derive(Debug, Clone)]
pub(crate) struct RunErrand(Ask);

impl RunErrand {
    /// Of a library that speaks the dialect.
    pub(crate) fn new(errand: Errand, timing: Timing, dialect: &'static Dialect) -> Self {
        let cdb = match errand {
            Errand::Lock(prevent) => PreventAllowMediumRemoval { prevent }.cdb(),
            Errand::Open(element) => OpenCloseImportExport { element, action: PortAction::Open }.cdb(),
            Errand::Close(element) => OpenCloseImportExport { element, action: PortAction::Close }.cdb(),
        };
        let time = match errand {
            Errand::Lock(_) => timing.status,
            Errand::Open(_) | Errand::Close(_) => timing.port,
        };
        Self(Ask::new(Device::Changer, Command::new(cdb, time), timing).in_dialect(dialect))
    }
}

impl Procedure for RunErrand {
    type Output = Result<(), Refusal>;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output> {
        self.0.step(heard, now).map(|answer| answer.map(|_| ()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::WallTime;
    use core::time::Duration;

    #[test]
    fn a_tray_has_more_time_than_a_lock() {
        let (timing, now) = (Timing::default(), Now { monotonic: Duration::ZERO, wall: WallTime(0) });
        let time = |errand| match RunErrand::new(errand, timing, Dialect::of("", "")).step(Heard::Start, now)
        {
            Do::Send(_, command) => command.timeout,
            other => panic!("{other:?}"),
        };
        assert_eq!(time(Errand::Lock(true)), timing.status);
        assert_eq!(time(Errand::Open(ElementAddress(10))), timing.port);
        assert_eq!(time(Errand::Close(ElementAddress(10))), timing.port);
    }
}
