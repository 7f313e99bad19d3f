//! Why a command has no answer, and whether the device can have seen it.

use std::fmt;
use std::io;

/// A command without an answer. The variant says what matters: whether the device can have seen it.
#[derive(Debug)]
pub enum Fault {
    /// It never left this machine.
    NotSent(Cause),
    /// The device may have carried it out.
    OutcomeUnknown(Cause),
}

impl Fault {
    /// What was seen.
    pub fn cause(&self) -> &Cause {
        match self {
            Self::NotSent(cause) | Self::OutcomeUnknown(cause) => cause,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(cause) => write!(f, "not sent: {cause}"),
            Self::OutcomeUnknown(cause) => write!(f, "outcome unknown: {cause}"),
        }
    }
}

impl core::error::Error for Fault {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self.cause() {
            Cause::System { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// What was seen of a command without an answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// A system call failed.
    System {
        /// Which.
        call: &'static str,
        /// How.
        error: io::Error,
    },
    /// More data than one command carries on this device.
    TooLarge {
        /// How many bytes.
        bytes: usize,
        /// How many are possible.
        limit: u32,
    },
    /// The host adapter could not bring the command to its end.
    Host(HostStatus),
    /// The kernel's driver reports a failure of its own (`driver_status`).
    Driver(u16),
    /// The kernel did not come back, also after the command's time and that for its recovery.
    Silence,
}

impl Cause {
    /// Whether the device is gone, or cannot be reached any more by this file: it has to be opened anew.
    pub fn is_disconnected(&self) -> bool {
        match self {
            Self::System { error, .. } => matches!(
                error.raw_os_error(),
                Some(libc::ENODEV | libc::ENXIO | libc::EIO | libc::EPERM | libc::EACCES | libc::EBADF)
            ),
            Self::Host(status) => {
                matches!(*status, HostStatus::NO_CONNECT | HostStatus::BAD_TARGET)
            }
            Self::Silence => true,
            Self::TooLarge { .. } | Self::Driver(_) => false,
        }
    }

    /// Whether the command's time had passed.
    pub fn is_timeout(&self) -> bool {
        /// `driver_status` of kernels before 5.14.
        const DRIVER_TIMEOUT: u16 = 6;
        match self {
            Self::Silence => true,
            Self::Host(status) => *status == HostStatus::TIME_OUT,
            Self::Driver(status) => status & 0x0F == DRIVER_TIMEOUT,
            _ => false,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { call, error } => match error.raw_os_error() {
                Some(libc::EPERM) if *call == "write" => write!(
                    f,
                    "write: {error}; the process has changed its user since it opened the device, which is opened anew"
                ),
                _ => write!(f, "{call}: {error}"),
            },
            Self::TooLarge { bytes, limit } => {
                write!(f, "{bytes} bytes in one command, at most {limit} are possible")
            }
            Self::Host(status) => write!(f, "the host adapter reports {status}"),
            Self::Driver(status) => write!(f, "the kernel reports driver status {status:#04x}"),
            Self::Silence => {
                f.write_str("the kernel did not give the command back, long after its time had passed")
            }
        }
    }
}

/// How the host adapter's driver ended a command (`host_status`, the kernel's `DID_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostStatus(pub u16);

impl HostStatus {
    /// No fault of the host adapter.
    pub const OK: Self = Self(0x00);
    /// The device is gone.
    pub const NO_CONNECT: Self = Self(0x01);
    /// The command's time had passed, and the kernel's error recovery has run.
    pub const TIME_OUT: Self = Self(0x03);
    /// The target does not exist, or answered what cannot be.
    pub const BAD_TARGET: Self = Self(0x04);
    /// Another initiator has reserved the device; comes with that status.
    pub const NEXUS_FAILURE: Self = Self(0x11);

    /// The kernel's name for it, without `DID_`.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x00 => "OK",
            0x01 => "NO_CONNECT",
            0x02 => "BUS_BUSY",
            0x03 => "TIME_OUT",
            0x04 => "BAD_TARGET",
            0x05 => "ABORT",
            0x06 => "PARITY",
            0x07 => "ERROR",
            0x08 => "RESET",
            0x09 => "BAD_INTR",
            0x0A => "PASSTHROUGH",
            0x0B => "SOFT_ERROR",
            0x0C => "IMM_RETRY",
            0x0D => "REQUEUE",
            0x0E => "TRANSPORT_DISRUPTED",
            0x0F => "TRANSPORT_FAILFAST",
            0x10 => "TARGET_FAILURE",
            0x11 => "NEXUS_FAILURE",
            0x12 => "ALLOC_FAILURE",
            0x13 => "MEDIUM_ERROR",
            0x14 => "TRANSPORT_MARGINAL",
            _ => return None,
        })
    }

    /// Whether a command that ended so never reached the device, as far as the kernel can know.
    ///
    /// Adapters end commands in flight with these as well when a connection goes down, which is why it is believed only
    /// of commands that do no harm when they are sent again.
    pub(super) fn seldom_sent(self) -> bool {
        matches!(self, Self::NO_CONNECT | Self::BAD_TARGET)
    }
}

impl fmt::Display for HostStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (host status {:#04x})", self.0),
            None => write!(f, "host status {:#04x}", self.0),
        }
    }
}

/// Whether a command with this operation code changes nothing, so that sending it twice does no harm.
pub fn is_harmless(opcode: u8) -> bool {
    // TEST UNIT READY, REQUEST SENSE, INQUIRY, MODE SENSE, LOG SENSE, PERSISTENT RESERVE IN, REPORT LUNS,
    // MAINTENANCE IN, REQUEST VOLUME ELEMENT ADDRESS, READ ELEMENT STATUS, READ ATTRIBUTE, READ POSITION,
    // REPORT DENSITY SUPPORT.
    matches!(
        opcode,
        0x00 | 0x03 | 0x12 | 0x1A | 0x34 | 0x44 | 0x4D | 0x5A | 0x5E | 0x8C | 0xA0 | 0xA3 | 0xB5 | 0xB8
    )
}
