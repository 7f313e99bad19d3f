//! One file of the sg driver, one command at a time.

use core::fmt;
use core::time::Duration;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::fault::{Cause, Fault, HostStatus, is_harmless};
use super::permission;
use super::residue::transferred;
use super::sys::{self, Broken, Ended, IntRequest, Request};
use crate::{Cdb, Sense, SenseKey, Status};

/// The most sense bytes that are kept: what the kernel keeps.
pub const SENSE_MAX: usize = 96;

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

/// What a device answered. CHECK CONDITION is an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// How many bytes of data came in.
    pub transferred: usize,
    sense: [u8; SENSE_MAX],
    sense_length: u8,
}

impl Answer {
    /// The sense data; empty where none came.
    pub fn sense(&self) -> &[u8] {
        self.sense.get(..usize::from(self.sense_length)).unwrap_or(&self.sense)
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

/// What an ended command means: the device's word before the host adapter's, and the host adapter's before the data's.
fn judge(cdb: &Cdb, data: &[u8], sense: [u8; SENSE_MAX], ended: Ended) -> Result<Answer, Fault> {
    /// Low bits of `driver_status` of kernels before 5.14: sense data is there. What is above them is advice.
    const DRIVER_SENSE: u16 = 8;
    let written = usize::from(ended.sense_length).min(SENSE_MAX);
    let parsed = sense.get(..written).and_then(Sense::parse);
    // The lowest bit and the highest are vendors'.
    let status = Status::from(ended.status & 0x7E);
    let answer = |status, transferred| Answer {
        status,
        transferred,
        sense,
        sense_length: u8::try_from(written).unwrap_or(0),
    };
    let host = HostStatus(ended.host_status);
    let came = || transferred(cdb.opcode(), cdb.as_bytes(), data, ended.residue);
    match (status, parsed) {
        // Some host adapters report their own trouble beside the device's: sense is the device's word.
        (Status::CheckCondition, Some(sense)) => {
            // An untouched buffer is reported as full: only conditions that let a command succeed speak for its data.
            let succeeded = matches!(sense.key, SenseKey::NoSense | SenseKey::RecoveredError);
            Ok(answer(status, if succeeded { came() } else { 0 }))
        }
        (Status::ReservationConflict, _) => Ok(answer(status, 0)),
        // Sense data that came without the status for it.
        (Status::Good, Some(sense))
            if ended.driver_status & 0x0F == DRIVER_SENSE
                && !matches!(sense.key, SenseKey::NoSense | SenseKey::RecoveredError) =>
        {
            Ok(answer(Status::CheckCondition, 0))
        }
        _ if host != HostStatus::OK => {
            let cause = Cause::Host(host);
            Err(if host.seldom_sent() && is_harmless(cdb.opcode()) {
                Fault::NotSent(cause)
            } else {
                Fault::OutcomeUnknown(cause)
            })
        }
        _ if !matches!(ended.driver_status & 0x0F, 0 | DRIVER_SENSE) => {
            Err(Fault::OutcomeUnknown(Cause::Driver(ended.driver_status)))
        }
        (Status::Good | Status::ConditionMet, _) => Ok(answer(status, came())),
        _ => Ok(answer(status, 0)),
    }
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
    use crate::{ElementAddress, MoveMedium, TestUnitReady};

    const MOVE: MoveMedium = MoveMedium {
        transport: ElementAddress(0),
        source: ElementAddress(1000),
        destination: ElementAddress(500),
        invert: false,
    };
    const GOOD: Ended = Ended { status: 0, host_status: 0, driver_status: 0, sense_length: 0, residue: 0 };

    fn sense(key: u8, asc: u8, ascq: u8) -> [u8; SENSE_MAX] {
        let mut sense = [0; SENSE_MAX];
        sense[..14].copy_from_slice(&[0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq]);
        sense
    }

    fn judge_move(sense: [u8; SENSE_MAX], ended: Ended) -> Result<Answer, Fault> {
        judge(&MOVE.cdb(), &[], sense, ended)
    }

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
    fn sense_with_check_condition_is_an_answer_whatever_the_host_adapter_says() {
        for host_status in 0..=0x20 {
            let ended = Ended { status: 2, host_status, driver_status: 8, sense_length: 18, residue: 0 };
            let answer = judge_move(sense(5, 0x3B, 0x0E), ended).expect("the device's word");
            assert_eq!(answer.status, Status::CheckCondition);
            let seen = Sense::parse(answer.sense()).expect("it came");
            assert_eq!((seen.code.asc, seen.code.ascq), (0x3B, 0x0E));
        }
    }

    #[test]
    fn a_motion_that_the_host_adapter_ended_is_always_in_doubt() {
        for host_status in 1..=0x20 {
            for status in [0, 2, 8] {
                let ended = Ended { host_status, status, ..GOOD };
                let fault = judge_move([0; SENSE_MAX], ended).expect_err("no answer");
                assert!(matches!(fault, Fault::OutcomeUnknown(Cause::Host(_))), "{host_status:#x}: {fault}");
            }
        }
        let ended = Ended { driver_status: 6, ..GOOD };
        let fault = judge_move([0; SENSE_MAX], ended).expect_err("no answer");
        assert!(matches!(fault, Fault::OutcomeUnknown(Cause::Driver(6))) && fault.cause().is_timeout());
    }

    #[test]
    fn a_question_to_a_device_that_is_gone_was_not_sent() {
        let ended = Ended { host_status: 1, ..GOOD };
        let fault = judge(&TestUnitReady {}.cdb(), &[], [0; SENSE_MAX], ended).expect_err("no answer");
        assert!(matches!(fault, Fault::NotSent(_)) && fault.cause().is_disconnected());
        let ended = Ended { host_status: 3, ..GOOD };
        let fault = judge(&TestUnitReady {}.cdb(), &[], [0; SENSE_MAX], ended).expect_err("no answer");
        assert!(matches!(fault, Fault::OutcomeUnknown(_)) && fault.cause().is_timeout());
    }

    #[test]
    fn statuses_are_the_devices() {
        for (byte, status) in [
            (0, Status::Good),
            (8, Status::Busy),
            (0x18, Status::ReservationConflict),
            (0x28, Status::TaskSetFull),
        ] {
            let answer = judge_move([0; SENSE_MAX], Ended { status: byte, ..GOOD }).expect("an answer");
            assert_eq!(answer.status, status);
        }
        // Kernels before 6.1 report a reservation conflict as the host adapter's trouble too.
        let ended = Ended { status: 0x18, host_status: 0x11, ..GOOD };
        assert_eq!(
            judge_move([0; SENSE_MAX], ended).map(|answer| answer.status).ok(),
            Some(Status::ReservationConflict)
        );
    }

    #[test]
    fn sense_without_its_status_is_not_overlooked() {
        let ended = Ended { driver_status: 8, sense_length: 18, ..GOOD };
        let answer = judge_move(sense(5, 0x3B, 0x0E), ended).expect("the device's word");
        assert_eq!(answer.status, Status::CheckCondition);
        let answer = judge_move(sense(1, 0x17, 0x01), ended).expect("the device's word");
        assert_eq!(answer.status, Status::Good, "a recovered error is a success");
    }

    #[test]
    fn a_failed_command_has_no_data_even_where_none_is_reported_missing() {
        let ended = Ended { status: 2, sense_length: 18, ..GOOD };
        let cdb = TestUnitReady {}.cdb();
        let answer = judge(&cdb, &[0; 64], sense(5, 0x24, 0), ended).expect("the device's word");
        assert_eq!(answer.transferred, 0);
        let answer =
            judge(&cdb, &[0; 64], sense(0, 0, 1), Ended { residue: 24, ..ended }).expect("a filemark");
        assert_eq!(answer.transferred, 40);
    }

    #[test]
    fn what_is_no_sg_node_is_told_so() {
        let error = Device::open("/dev/null").expect_err("it is none");
        assert!(matches!(error, OpenError::NotSg { .. }) && std::format!("{error}").contains("/dev/null"));
        let error = Device::open("/dev/sg-that-is-not-there").expect_err("it is not there");
        assert!(std::format!("{error}").contains("lsscsi"), "{error}");
    }
}
