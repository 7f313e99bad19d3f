//! Logical units that the Linux kernel knows, through its SCSI generic driver (`/dev/sgN`). Feature `sg`, Linux only.
//!
//! ```no_run
//! use autochanger::transport::sg;
//!
//! for changer in sg::discover()? {
//!     println!("{} {} at {}", changer.unit.vendor, changer.unit.product, changer.url());
//!     for drive in &changer.drives {
//!         println!("    perhaps {} ({:?})", drive.product, drive.serial);
//!     }
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A command goes to the driver by `write` and its answer is fetched by `read`, in a [thread](DeviceThread) that takes no
//! signals: nothing that interrupts the thread, be it a signal, Ctrl-Z, a debugger or the machine's suspension, sends a
//! command again. `ioctl(SG_IO)` cannot give that: see [`scsi::sg`](crate::scsi::sg).

mod discover;
mod fault;
mod node;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use autochanger_scsi::sg::{Data, Device, Sysfs, Unit};
use bytes::Bytes;

pub(crate) use self::discover::drives_beyond_target;
pub use self::discover::{Changer, MAX_CANDIDATES, MatchError, MatchedDrive, discover};
use self::node::Node;
use super::device_thread::{BlockingTransport, DeviceThread};
use super::url::SgUrl;
use super::{Command, Completion, Limits, PathFault, PathFaultKind, Transport, TransportError};

/// How many commands are in flight at once unless said otherwise. Changers work on one command at a time, and several
/// answer BUSY to a second one.
pub const MAX_IN_FLIGHT: u16 = 1;

/// The largest transfer that is counted on while the device cannot be asked: every host adapter can do it.
const MAX_TRANSFER_UNKNOWN: u32 = 64 << 10;

/// A logical unit behind `/dev/sgN`.
///
/// The node is opened by the first command, and anew by the first command after the device was gone; **a command is never
/// sent again by itself**. A node may be another device's by then: it is the unit that was found at first, told by its serial
/// number, that is opened wherever it is now, and no other. Its path may be one of those that stay when devices are found in another order
/// (`/dev/tape/by-id/…`), and may lead to a node of the kernel's tape or changer driver: their sg node is used.
#[derive(Debug, Clone)]
pub struct SgTransport {
    threads: DeviceThread,
    url: SgUrl,
    node: Arc<Node>,
    limits: Arc<OnceLock<Limits>>,
}

impl SgTransport {
    /// The unit at a URL. Nothing is opened yet.
    pub fn new(url: SgUrl) -> Self {
        let node = Node::new(url.path().to_path_buf());
        let commands = url.in_flight().unwrap_or(MAX_IN_FLIGHT);
        Self::with(url, Arc::new(node), commands)
    }

    /// The unit with as many commands in flight as this, each with a thread and an open node of its own; at least one. The
    /// order in which commands that are in flight together reach the device is not determined.
    #[must_use]
    pub fn in_flight(self, commands: u16) -> Self {
        Self::with(self.url, self.node, commands)
    }

    fn with(url: SgUrl, node: Arc<Node>, commands: u16) -> Self {
        let device: Arc<str> = url.to_string().into();
        let make = {
            let (label, node) = (Arc::clone(&device), Arc::clone(&node));
            move || Path { node: Arc::clone(&node), label: Arc::clone(&label), open: None }
        };
        let threads = DeviceThread::new(device, commands, make);
        Self { threads, url, node, limits: Arc::default() }
    }

    /// A unit that the kernel has told of, with the limits of `url`.
    fn of_unit(unit: &Unit, url: &SgUrl) -> Option<Self> {
        let node = Node::of_unit(unit);
        Some(Self::with(url.with_path(unit.node.clone())?, Arc::new(node), MAX_IN_FLIGHT))
    }

    /// What the kernel knows of the unit; `None` while it is not there.
    pub fn unit(&self) -> Option<Unit> {
        self.node.unit(&Sysfs::default())
    }

    fn check(&self, command: &Command) -> Result<(), TransportError> {
        let not_sent = |kind, detail| {
            Err(TransportError::NotSent(PathFault {
                kind,
                device: Arc::clone(self.threads.device()),
                detail,
            }))
        };
        if command.data_in > 0 && !command.data_out.is_empty() {
            let detail = "a command with data in both directions".to_owned();
            return not_sent(PathFaultKind::Unsupported, detail);
        }
        let size = command.data_in.max(u32::try_from(command.data_out.len()).unwrap_or(u32::MAX));
        match self.url.max_transfer() {
            Some(limit) if size > limit => {
                let detail = format!("{size} bytes in one command, at most {limit} are configured");
                not_sent(PathFaultKind::LimitReached, detail)
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Transport for SgTransport {
    /// Sends one command through the kernel.
    ///
    /// The command's `timeout` is the kernel's as well: when it has passed the kernel aborts the command, and resets ever
    /// more around the device where that does not help. Be generous with it. It runs twice, see [`DeviceThread::execute`].
    ///
    /// # Cancel safety
    /// Dropping the future abandons the answer. What has left is carried out; what has not is never sent.
    async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
        self.check(&command)?;
        self.threads.execute(command).await
    }

    /// The kernel's limit for this host adapter, or that of the URL where it is smaller. The node is opened for it; as long
    /// as it cannot be, 64 KiB are promised.
    fn limits(&self) -> Limits {
        let limits = |max_transfer: u32| Limits {
            max_transfer: max_transfer.min(self.url.max_transfer().unwrap_or(u32::MAX)),
            max_in_flight: self.threads.threads(),
        };
        if let Some(known) = self.limits.get() {
            return *known;
        }
        match self.node.open() {
            Ok(device) => *self.limits.get_or_init(|| limits(device.max_transfer())),
            Err(_) => limits(MAX_TRANSFER_UNKNOWN),
        }
    }

    fn device(&self) -> &str {
        self.threads.device()
    }

    /// The unit with that number on the same target, where the kernel has found one.
    fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
        let unit = Sysfs::default().sibling(self.unit()?.address, lun)?;
        Some(Arc::new(Self::of_unit(&unit, &self.url)?))
    }

    /// The tape driver's node that does not rewind (`/dev/nst0`), or the sg node where that driver does not have the unit.
    fn os_device(&self) -> Option<PathBuf> {
        let unit = self.unit()?;
        Some(unit.tape.unwrap_or(unit.node))
    }
}

/// A thread's own open node.
struct Path {
    node: Arc<Node>,
    label: Arc<str>,
    open: Option<Device>,
}

impl BlockingTransport for Path {
    fn execute(&mut self, command: &Command) -> Result<Completion, TransportError> {
        let device = match &mut self.open {
            Some(device) => device,
            none => none.insert(self.node.open().map_err(|error| fault::of_open(&error, &self.label))?),
        };
        // Zeroed, so that no old memory is taken for a device's answer. The size was checked by who asked, and by the
        // device once more.
        let mut buffer = Vec::new();
        let wanted = usize::try_from(command.data_in.min(device.max_transfer())).unwrap_or(0);
        let data = if command.data_in > 0 {
            if command.data_in > device.max_transfer() {
                return Err(fault::too_large(command.data_in, device.max_transfer(), &self.label));
            }
            buffer.resize(wanted, 0);
            Data::In(&mut buffer)
        } else if command.data_out.is_empty() {
            Data::None
        } else {
            Data::Out(&command.data_out)
        };
        match device.execute(&command.cdb, data, command.timeout) {
            Ok(answer) => {
                let sense = Bytes::copy_from_slice(answer.sense());
                buffer.truncate(answer.transferred);
                let completion =
                    Completion { status: answer.status, sense, data: buffer.into(), residual: 0 };
                Ok(completion.left_over(command, answer.residual))
            }
            Err(error) => {
                // After an answer that never came the node would give it to the next command.
                self.open = None;
                Err(fault::of_command(&error, &self.label))
            }
        }
    }
}
