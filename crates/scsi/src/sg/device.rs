//! One file of the sg driver, one command at a time.

use core::fmt;
use core::time::Duration;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::answer::{Answer, SENSE_MAX};
use super::fault::{Cause, Fault};
use super::judge::judge;
use super::permission;
use super::sys::{self, Broken, Ended, IntRequest, Request};
use crate::Cdb;

/// How long after a command's time the kernel is waited for: its recovery (abort, then resets of growing reach) takes tens
/// of seconds on a target that is gone.
pub const RECOVERY: Duration = Duration::from_secs(60);

/// The first version of the driver that has the interface used here.
const VERSION_WITH_V3: i32 = 30_000;

/// The buffer that the driver keeps for a file: an element status report as large as every library can send one. Larger
/// transfers are allocated when they come, and can fail where memory is scattered.
const RESERVED: i32 = 64 << 10;

/// Taken where the driver does not say what a command carries: what every host adapter can.
const DEFAULT_MAX_TRANSFER: u32 = 64 << 10;

/// All that the 24-bit lengths of changers and drives can ask for.
const MAX_TRANSFER: u32 = 0x00FF_FFFF;

/// The longest time that the driver takes as a number: 24 days.
const MAX_TIMEOUT_MS: u32 = i32::MAX as u32;

/// The data of a command.
#[derive(Debug)]
pub enum Data<'a> {
    /// There is none.
    None,
    /// Goes to the device.
    Out(&'a [u8]),
    /// Comes from the device: at most as much as there is room.
    In(&'a mut [u8]),
}

impl Data<'_> {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Out(bytes) => bytes.len(),
            Self::In(buffer) => buffer.len(),
        }
    }
}

/// By which of the driver's ways commands go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Interface {
    /// `write`, `poll`, `read`: never sends a command twice.
    #[default]
    WriteRead,
    /// `ioctl(SG_IO)`: one call instead of three, **which the kernel restarts when the thread is interrupted, and so sends
    /// the command again**. Here to compare. Use it on a thread with [signals blocked](super::block_signals), in a process
    /// that is never stopped, traced or frozen.
    Ioctl,
}

/// An open `/dev/sgN`: one command at a time. Several devices may be open on one node.
///
/// Opening excludes nobody and waits for nothing, also where the host adapter is being recovered. Needs to read and write
/// the node, which distributions give to the group `tape`; no capability.
#[derive(Debug)]
pub struct Device {
    file: File,
    path: PathBuf,
    interface: Interface,
    max_transfer: u32,
    last_id: i32,
    /// A command is under way whose answer would be taken for the next one's.
    abandoned: bool,
}

impl Device {
    /// Opens a node of the sg driver.
    ///
    /// # Errors
    /// [`OpenError`]: it cannot be opened, or is none of this driver.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let failed = |error| OpenError::System { path: path.to_path_buf(), error };
        // Without O_NONBLOCK opening waits for the host adapter's recovery and for exclusive users; std adds O_CLOEXEC.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
            .map_err(failed)?;
        match sys::int_ioctl(&file, IntRequest::Version, 0) {
            Ok(version) if version >= VERSION_WITH_V3 => {}
            _ => return Err(OpenError::NotSg { path: path.to_path_buf() }),
        }
        // The driver gives what it can and says so by nothing but the size; a smaller buffer is only slower.
        let _ = sys::int_ioctl(&file, IntRequest::SetReservedSize, RESERVED);
        let max_transfer = sys::int_ioctl(&file, IntRequest::MaxTransfer, 0)
            .ok()
            .and_then(|bytes| u32::try_from(bytes).ok())
            .filter(|bytes| *bytes > 0)
            .unwrap_or(DEFAULT_MAX_TRANSFER)
            .min(MAX_TRANSFER);
        Ok(Self {
            file,
            path: path.to_path_buf(),
            interface: Interface::default(),
            max_transfer,
            last_id: 0,
            abandoned: false,
        })
    }

    /// The device with another of the driver's ways.
    #[must_use]
    pub fn with_interface(self, interface: Interface) -> Self {
        Self { interface, ..self }
    }

    /// The most data bytes in one command: what the kernel takes for this host adapter.
    pub fn max_transfer(&self) -> u32 {
        self.max_transfer
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sends one command and waits for its answer, in the calling thread.
    ///
    /// `timeout` is the device's time, to the millisecond, rounded up. When it has passed the kernel aborts the command
    /// and resets ever more around the device, which disturbs others: be generous. The call returns [`RECOVERY`] after the
    /// time at the latest; the device may still be working then.
    ///
    /// # Errors
    /// [`Fault`], which says whether the device can have seen the command. A motion is *not sent* only where the kernel
    /// refused to take it.
    pub fn execute(&mut self, cdb: &Cdb, mut data: Data<'_>, timeout: Duration) -> Result<Answer, Fault> {
        let length = data.len();
        if length > usize::try_from(self.max_transfer).unwrap_or(usize::MAX) {
            return Err(Fault::NotSent(Cause::TooLarge { bytes: length, limit: self.max_transfer }));
        }
        if self.abandoned {
            return Err(Fault::NotSent(Cause::Silence));
        }
        let mut sense = [0; SENSE_MAX];
        let ended = self.send(cdb, &mut data, &mut sense, timeout)?;
        let incoming = if let Data::In(buffer) = &data { &**buffer } else { &[] };
        judge(cdb, incoming, sense, ended)
    }

    fn send(
        &mut self,
        cdb: &Cdb,
        data: &mut Data<'_>,
        sense: &mut [u8; SENSE_MAX],
        timeout: Duration,
    ) -> Result<Ended, Fault> {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        let data = match data {
            Data::None => Data::None,
            Data::Out(bytes) => Data::Out(bytes),
            Data::In(buffer) => Data::In(buffer),
        };
        let limit = self.max_transfer;
        let bytes = data.len();
        let Some(request) = Request::new(cdb.as_bytes(), data, sense, milliseconds(timeout), self.last_id)
        else {
            return Err(Fault::NotSent(Cause::TooLarge { bytes, limit }));
        };
        let (call, result) = match self.interface {
            Interface::WriteRead => {
                let patience =
                    timeout.saturating_add(RECOVERY).min(Duration::from_millis(MAX_TIMEOUT_MS.into()));
                ("write", sys::write_poll_read(&self.file, request, patience))
            }
            Interface::Ioctl => ("ioctl(SG_IO)", sys::ioctl(&self.file, request)),
        };
        result.map_err(|broken| match broken {
            Broken::NotTaken(error) => Fault::NotSent(Cause::System { call, error }),
            Broken::Taken(error) => {
                self.abandoned = true;
                Fault::OutcomeUnknown(match error.kind() {
                    io::ErrorKind::TimedOut => Cause::Silence,
                    _ if self.interface == Interface::Ioctl => Cause::System { call, error },
                    _ => Cause::System { call: "read", error },
                })
            }
        })
    }
}

/// The driver's number for a time: 0 would mean its own default.
fn milliseconds(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX).clamp(1, MAX_TIMEOUT_MS)
}

/// Why a node could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The system refused.
    System {
        /// The node.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// It is no node of the sg driver, or of one from the last century.
    NotSg {
        /// The node.
        path: PathBuf,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { path, error } => {
                write!(f, "{} cannot be opened: {error}", path.display())?;
                f.write_str(match error.kind() {
                    io::ErrorKind::NotFound => "; load the kernel's module `sg`, and look at `lsscsi -g`",
                    io::ErrorKind::PermissionDenied => {
                        return write!(f, "; {}", permission::advice(path, error.raw_os_error()));
                    }
                    io::ErrorKind::ResourceBusy => "; another program has it for itself",
                    _ => "",
                })
            }
            Self::NotSg { path } => {
                write!(
                    f,
                    "{} is no SCSI generic device; look for its /dev/sgN with `lsscsi -g`",
                    path.display()
                )
            }
        }
    }
}

impl core::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::System { error, .. } => Some(error),
            Self::NotSg { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_and_never_become_the_drivers_own() {
        for (timeout, number) in [
            (Duration::ZERO, 1),
            (Duration::from_nanos(1), 1),
            (Duration::from_millis(1), 1),
            (Duration::from_micros(1001), 2),
            (Duration::from_secs(900), 900_000),
            (Duration::MAX, MAX_TIMEOUT_MS),
        ] {
            assert_eq!(milliseconds(timeout), number, "{timeout:?}");
        }
    }

    #[test]
    fn what_is_no_sg_node_is_told_so() {
        let error = Device::open("/dev/null").expect_err("it is none");
        assert!(matches!(error, OpenError::NotSg { .. }) && std::format!("{error}").contains("/dev/null"));
        let error = Device::open("/dev/sg-that-is-not-there").expect_err("it is not there");
        assert!(std::format!("{error}").contains("lsscsi"), "{error}");
    }
}
