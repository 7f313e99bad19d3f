//! Which node leads to a unit: nodes change hands when devices come and go, units do not.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use autochanger_scsi::DeviceType;
use autochanger_scsi::sg::{Device, OpenError, Sysfs, Unit};

/// A unit by the path that was given for it, and then by what was found there first.
#[derive(Debug)]
pub(super) struct Node {
    path: PathBuf,
    known: OnceLock<Identity>,
}

/// What makes a unit the same unit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    device_type: DeviceType,
    vendor: String,
    product: String,
    serial: Option<String>,
}

impl Identity {
    fn of(unit: &Unit) -> Self {
        Self {
            device_type: unit.device_type,
            vendor: unit.vendor.clone(),
            product: unit.product.clone(),
            serial: unit.serial.clone(),
        }
    }
}

/// Why a unit could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotOpened {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(
        "what was at {path} when it was first used ({known}) is gone, and {found} is there now; open the manager anew to \
         use that"
    )]
    Replaced { path: String, known: String, found: String },
}

impl Node {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, known: OnceLock::new() }
    }

    /// The node of a unit that the kernel has told.
    pub(super) fn of_unit(unit: &Unit) -> Self {
        Self { path: unit.node.clone(), known: Identity::of(unit).into() }
    }

    /// The unit now. Its path may lead to another by now; then it is looked for everywhere.
    pub(super) fn unit(&self, sysfs: &Sysfs) -> Option<Unit> {
        let at_path = sysfs.unit(&self.path);
        let Some(known) = self.known.get() else { return at_path };
        if at_path.as_ref().is_some_and(|unit| Identity::of(unit) == *known) {
            return at_path;
        }
        // Units without a serial number are not told apart.
        known.serial.as_ref()?;
        sysfs.units().ok()?.into_iter().find(|unit| Identity::of(unit) == *known)
    }

    pub(super) fn open(&self) -> Result<Device, NotOpened> {
        let sysfs = Sysfs::default();
        let Some(unit) = self.unit(&sysfs) else {
            return match (self.known.get(), sysfs.unit(&self.path)) {
                (Some(known), Some(found)) => Err(NotOpened::Replaced {
                    path: self.path.display().to_string(),
                    known: known.to_string(),
                    found: Identity::of(&found).to_string(),
                }),
                // What the kernel does not tell of may be there all the same, and says so when it is opened.
                _ => Ok(Device::open(self.path())?),
            };
        };
        let device = Device::open(&unit.node)?;
        self.known.get_or_init(|| Identity::of(&unit));
        Ok(device)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.device_type, self.vendor, self.product)?;
        match &self.serial {
            Some(serial) => write!(f, ", serial number {serial}"),
            None => Ok(()),
        }
    }
}
