//! The system calls of the sg driver: all `unsafe` of the workspace is in this file.
#![allow(unsafe_code)]

use core::ffi::{c_int, c_ulong, c_void};
use core::mem::MaybeUninit;
use core::ptr;
use core::time::Duration;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Instant;

use super::{Data, SENSE_MAX};

/// Between two looks for an answer where `poll` says that there is one and `read` that there is none, as it is for every
/// command of a device that is being removed: short beside any command's time, and long beside a processor's.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// `interface_id` of version 3.
const VERSION_3: c_int = b'S' as c_int;

const DIRECTION_NONE: c_int = -1;
const DIRECTION_TO_DEVICE: c_int = -2;
const DIRECTION_FROM_DEVICE: c_int = -3;

const SG_IO: c_ulong = 0x2285;

/// Requests of `ioctl` that take a pointer to an `int`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum IntRequest {
    /// Reads the driver's version, 30,000 and more where it knows version 3 (SG_GET_VERSION_NUM).
    Version = 0x2282,
    /// Sets the size of the buffer that the driver keeps for this file (SG_SET_RESERVED_SIZE).
    SetReservedSize = 0x2275,
    /// Reads how many bytes one command carries: an sg node answers in bytes (BLKSECTGET).
    MaxTransfer = 0x1267,
}

/// `struct sg_io_hdr` of <scsi/sg.h>.
#[repr(C)]
struct Header {
    interface_id: c_int,
    dxfer_direction: c_int,
    cmd_len: u8,
    mx_sb_len: u8,
    iovec_count: u16,
    dxfer_len: u32,
    dxferp: *mut c_void,
    cmdp: *const u8,
    sbp: *mut u8,
    timeout: u32,
    flags: u32,
    pack_id: c_int,
    usr_ptr: *mut c_void,
    status: u8,
    masked_status: u8,
    msg_status: u8,
    sb_len_wr: u8,
    host_status: u16,
    driver_status: u16,
    resid: c_int,
    duration: u32,
    info: u32,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Header>() == 88);
#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<Header>() == 64);

/// What the driver says of a command that has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) status: u8,
    pub(super) host_status: u16,
    pub(super) driver_status: u16,
    pub(super) sense_length: u8,
    pub(super) residue: i32,
}

/// Why there is no answer, and on which side of the point of no return.
#[derive(Debug)]
pub(super) enum Broken {
    /// The driver did not take the command.
    NotTaken(io::Error),
    /// The driver took it, or may have taken it.
    Taken(io::Error),
}

/// One command: its bytes, its data, and where its sense goes.
pub(super) struct Request<'a> {
    header: Header,
    _data: Data<'a>,
}

impl<'a> Request<'a> {
    /// `timeout` is in milliseconds. `None` where the driver has no way to express the lengths.
    pub(super) fn new(
        cdb: &'a [u8],
        mut data: Data<'a>,
        sense: &'a mut [u8; SENSE_MAX],
        timeout: u32,
        id: i32,
    ) -> Option<Self> {
        let (direction, pointer, length) = match &mut data {
            Data::None => (DIRECTION_NONE, ptr::null_mut(), 0),
            // The driver only reads from there: the direction says so.
            Data::Out(bytes) => (DIRECTION_TO_DEVICE, bytes.as_ptr().cast_mut().cast(), bytes.len()),
            Data::In(buffer) => (DIRECTION_FROM_DEVICE, buffer.as_mut_ptr().cast(), buffer.len()),
        };
        let (direction, pointer) =
            if length == 0 { (DIRECTION_NONE, ptr::null_mut()) } else { (direction, pointer) };
        let header = Header {
            interface_id: VERSION_3,
            dxfer_direction: direction,
            cmd_len: u8::try_from(cdb.len()).ok()?,
            mx_sb_len: u8::try_from(SENSE_MAX).ok()?,
            iovec_count: 0,
            dxfer_len: u32::try_from(length).ok()?,
            dxferp: pointer,
            cmdp: cdb.as_ptr(),
            sbp: sense.as_mut_ptr(),
            timeout,
            flags: 0,
            pack_id: id,
            usr_ptr: ptr::null_mut(),
            status: 0,
            masked_status: 0,
            msg_status: 0,
            sb_len_wr: 0,
            host_status: 0,
            driver_status: 0,
            resid: 0,
            duration: 0,
            info: 0,
        };
        Some(Self { header, _data: data })
    }

    fn ended(&self) -> Ended {
        Ended {
            status: self.header.status,
            host_status: self.header.host_status,
            driver_status: self.header.driver_status,
            sense_length: self.header.sb_len_wr,
            residue: self.header.resid,
        }
    }
}

/// Hands the command over with `write`, waits with `poll` for at most `patience`, fetches the answer with `read`.
///
/// No step of it sends a command again: once `write` has returned the driver owns the command, and whatever
/// interrupts the other two (signals, stopping, a debugger, the machine's suspension) only makes them wait anew. After
/// [`Broken::Taken`] the file must be closed: the answer would be taken for that of the next command.
pub(super) fn write_poll_read(
    file: &File,
    mut request: Request<'_>,
    patience: Duration,
) -> Result<Ended, Broken> {
    let size = size_of::<Header>();
    let id = request.header.pack_id;
    // SAFETY: `request` holds the borrows of command, data and sense, which the pointers in the header came from with
    // their lengths, and lives to the end of this function. The driver copies command and outgoing data before `write`
    // returns, and copies sense and incoming data only within a `read` of this file: nothing is written to them after
    // this function has returned, also where the answer is never fetched.
    let written = unsafe { libc::write(file.as_raw_fd(), (&raw const request.header).cast(), size) };
    if written < 0 {
        return Err(Broken::NotTaken(io::Error::last_os_error()));
    }
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut poll = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let wait = c_int::try_from(left.as_micros().div_ceil(1000)).unwrap_or(c_int::MAX);
        // SAFETY: `poll` is one valid `pollfd`, as the count says, for the time of the call.
        let polled = unsafe { libc::poll(&raw mut poll, 1, wait) };
        if polled < 0 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(Broken::Taken(error));
        }
        // SAFETY: as for `write`: the header is valid for writing `size` bytes, and what its pointers lead to is
        // borrowed until the end of this function. Data and sense buffers that come in are exclusively ours.
        let read = unsafe { libc::read(file.as_raw_fd(), (&raw mut request.header).cast(), size) };
        if read >= 0 {
            if request.header.pack_id != id {
                return Err(Broken::Taken(io::Error::other("the driver gave another command's answer")));
            }
            return Ok(request.ended());
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::Interrupted => {}
            // Whatever `poll` says: of a device that is being removed it says the same again and again.
            io::ErrorKind::WouldBlock if left.is_zero() => {
                return Err(Broken::Taken(io::ErrorKind::TimedOut.into()));
            }
            io::ErrorKind::WouldBlock if polled > 0 => thread::sleep(LOOK_AGAIN.min(left)),
            io::ErrorKind::WouldBlock => {}
            _ => return Err(Broken::Taken(error)),
        }
    }
}

/// Sends the command with `ioctl(SG_IO)`, which waits for the answer.
///
/// The kernel restarts this call, and so sends the command again, when its thread is interrupted: by a signal with a
/// handler that restarts calls, or by being stopped, traced or frozen, which no mask prevents.
pub(super) fn ioctl(file: &File, mut request: Request<'_>) -> Result<Ended, Broken> {
    // SAFETY: the header is valid for reading and writing, and what its pointers lead to is borrowed until the end of
    // this function. A call that was interrupted leaves a command behind whose data the driver then drops.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), SG_IO as _, &raw mut request.header) };
    if result >= 0 {
        return Ok(request.ended());
    }
    let error = io::Error::last_os_error();
    Err(match error.raw_os_error() {
        // Checked before anything is sent; all others can come after it.
        Some(libc::EBADF | libc::ENOTTY | libc::EPERM | libc::EACCES) => Broken::NotTaken(error),
        _ => Broken::Taken(error),
    })
}

/// Asks or tells the driver a number; the answer is the number as the call left it.
pub(super) fn int_ioctl(file: &File, request: IntRequest, value: c_int) -> io::Result<c_int> {
    let mut value = value;
    // SAFETY: each `IntRequest` reads or writes one `int` at the address that it is given.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), request as c_ulong as _, &raw mut value) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// Blocks every signal in the calling thread that can be blocked.
pub(super) fn block_signals() -> io::Result<()> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigfillset` initializes the set that it is given a valid pointer to, and cannot fail with one.
    let set = unsafe {
        libc::sigfillset(set.as_mut_ptr());
        set.assume_init()
    };
    // SAFETY: `set` is initialized, and a null pointer says that the old mask is not wanted. Only the calling thread's
    // mask is changed.
    let result = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const set, ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(result)) }
}
