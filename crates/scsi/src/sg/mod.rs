//! Linux SCSI generic (`/dev/sgN`): any command to any logical unit that the kernel knows, and what the kernel knows of
//! them. Feature `sg`.
//!
//! ```no_run
//! use autochanger_scsi::sg::{Data, Device};
//! use autochanger_scsi::{Inquiry, StandardInquiry};
//! use std::time::Duration;
//!
//! let mut changer = Device::open("/dev/sg3")?;
//! let mut buffer = [0; 96];
//! let command = Inquiry { vpd: None, allocation: 96 };
//! let answer = changer.execute(&command.cdb(), Data::In(&mut buffer), Duration::from_secs(10))?;
//! let inquiry = StandardInquiry::parse(&buffer[..answer.transferred])?;
//! println!("{}: {}", answer.status, inquiry.product());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A command is sent once
//!
//! `ioctl(SG_IO)` is restarted by the kernel when its thread is interrupted, and the restarted call sends the command
//! again: a MOVE MEDIUM that a signal meets is carried out, and then refused, for its source is empty. Blocking signals
//! is not enough, for a process that is stopped (Ctrl-Z), traced or frozen is interrupted as well. [`Device`] therefore
//! uses the driver's `write`, `poll` and `read`: once `write` has returned the driver owns the command, and waiting for
//! its answer may be interrupted as often as it likes. [`Interface::Ioctl`] is there to compare.

mod answer;
mod device;
mod discover;
mod fault;
mod judge;
mod permission;
mod residue;
mod sys;

pub use answer::{Answer, SENSE_MAX};
pub use device::{Data, Device, Interface, OpenError, RECOVERY};
pub use discover::{Address, MAX_UNITS, Sysfs, Unit};
pub use fault::{Cause, Fault, HostStatus, is_harmless};

/// Blocks every signal in the calling thread that can be blocked, for its lifetime: a thread that waits for devices is
/// not the one to run an application's handlers.
///
/// # Errors
/// What the system says.
pub fn block_signals() -> std::io::Result<()> {
    sys::block_signals()
}
