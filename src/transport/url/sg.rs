//! Devices of the Linux kernel.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{DeviceUrl, UrlError};

/// A logical unit that the Linux kernel knows, by the path of a device node.
///
/// The node is one of the kernel's SCSI generic driver (`/dev/sg3`), or of its tape or changer driver, or a name that leads
/// to one, such as `/dev/tape/by-path/…`, which stays when devices are found in another order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SgUrl {
    path: PathBuf,
    max_transfer: Option<u32>,
    in_flight: Option<u16>,
}

const SG_EXAMPLE: &str = "sg:/dev/sg3 or sg:/dev/sg3?max_transfer=65536";

/// The smallest cap on a transfer: an element status report of that size has room for several elements.
const MIN_MAX_TRANSFER: u32 = 1024;
/// The most commands at once that a URL can ask for: each is a thread, and no library has that many arms.
const MAX_IN_FLIGHT: u16 = 64;

impl SgUrl {
    /// The device node's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The most data bytes in one command, where the URL says so, for host adapters that promise more than they can; the
    /// kernel's limit holds in any case.
    pub fn max_transfer(&self) -> Option<u32> {
        self.max_transfer
    }

    /// How many commands are in flight at once, where the URL says so: each has an open node and a thread of its own. One otherwise, for
    /// changers that answer BUSY to a second one.
    pub fn in_flight(&self) -> Option<u16> {
        self.in_flight
    }

    /// The URL of a drive with another path, which has one command in flight; `None` where no URL can have it.
    #[cfg(all(feature = "sg", target_os = "linux"))]
    pub(in crate::transport) fn with_path(&self, path: PathBuf) -> Option<Self> {
        path.is_absolute().then_some(Self { path, in_flight: None, ..self.clone() })
    }

    /// The URL of a node that the kernel named.
    #[cfg(all(feature = "sg", target_os = "linux"))]
    pub(in crate::transport) fn of_node(path: PathBuf) -> Self {
        Self { path, max_transfer: None, in_flight: None }
    }

    pub(super) fn parse(text: &str, rest: &str) -> Result<Self, UrlError> {
        let malformed = |problem: &str| UrlError::malformed(text, problem, SG_EXAMPLE);
        let (path, options) = match rest.split_once('?') {
            Some((path, options)) => (path, Some(options)),
            None => (rest, None),
        };
        if !path.starts_with('/') || path.contains('\0') {
            return Err(malformed("what follows `sg:` is no absolute path of a device"));
        }
        let mut url = Self { path: PathBuf::from(path), max_transfer: None, in_flight: None };
        for option in options.into_iter().flat_map(|options| options.split('&')) {
            let twice = match option.split_once('=') {
                Some(("max_transfer", bytes)) => {
                    let bytes = bytes.parse().ok().filter(|bytes| *bytes >= MIN_MAX_TRANSFER);
                    let bytes =
                        bytes.ok_or_else(|| malformed("max_transfer is no number of bytes from 1024 on"))?;
                    url.max_transfer.replace(bytes).is_some()
                }
                Some(("in_flight", commands)) => {
                    let commands =
                        commands.parse().ok().filter(|commands| (1..=MAX_IN_FLIGHT).contains(commands));
                    let commands = commands
                        .ok_or_else(|| malformed("in_flight is no number of commands from 1 to 64"))?;
                    url.in_flight.replace(commands).is_some()
                }
                _ => return Err(malformed("an option is none of max_transfer, in_flight")),
            };
            if twice {
                return Err(malformed("an option is said twice"));
            }
        }
        Ok(url)
    }
}

impl fmt::Display for SgUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sg:{}", self.path.display())?;
        let said = [
            self.max_transfer.map(|bytes| format!("max_transfer={bytes}")),
            self.in_flight.map(|commands| format!("in_flight={commands}")),
        ];
        for (option, between) in said.iter().flatten().zip(std::iter::once('?').chain(std::iter::repeat('&')))
        {
            write!(f, "{between}{option}")?;
        }
        Ok(())
    }
}

impl FromStr for SgUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        match text.parse()? {
            DeviceUrl::Sg(url) => Ok(url),
            _ => Err(UrlError::malformed(text, "this is no SCSI generic device", SG_EXAMPLE)),
        }
    }
}
