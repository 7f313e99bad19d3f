//! What a person is asked to do.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::ElementAddress;

use crate::id::RequestId;
use crate::time::WallTime;

/// Ports that a sentence names: as many as a person reads.
const MAX_NAMED: usize = 8;

/// Something that a person is asked to do (RSM: `NTMS_OPREQUESTINFORMATION`). It is there as long as its request waits for
/// it; it is withdrawn when that is cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorRequest {
    /// The request that waits for it.
    pub request: RequestId,
    /// The application of that request.
    pub application: Arc<str>,
    /// What is to be done.
    pub task: OperatorTask,
    /// Since when it is asked.
    pub since: WallTime,
}

/// What a person is asked to do (RSM: `NtmsOpreqCommand`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperatorTask {
    /// Bring a cartridge that is not in the library (RSM: `NTMS_OPREQ_MOVEMEDIA`).
    BringCartridge {
        /// The cartridge's label or id.
        cartridge: Arc<str>,
        /// The library's name.
        library: Arc<str>,
    },
    /// Put cartridges into the port (RSM: part of an inject).
    FillPort {
        /// The library's name.
        library: Arc<str>,
        /// Why the port could not be put out, where that is so: another host has it locked, say.
        trouble: Option<Arc<str>>,
    },
    /// Take cartridges out of the port, or out of the library: there is no room.
    EmptyPort {
        /// The library's name.
        library: Arc<str>,
        /// The ports of which one is to be emptied.
        ports: Vec<ElementAddress>,
        /// The label or id of the cartridge that waits for room.
        cartridge: Arc<str>,
        /// Why the port could not be put out, where that is so: another host has it locked, say.
        trouble: Option<Arc<str>>,
    },
    /// Open the door, do what is to be done, and close it.
    UseDoor {
        /// The library's name.
        library: Arc<str>,
    },
    /// The door or port has been open for long: close it (RSM: `NTMS_OPREQ_DEVICESERVICE`).
    CloseDoor {
        /// The library's name.
        library: Arc<str>,
    },
    /// Take a cartridge out of an arm, which the library does not do when it is told to, and put it into a slot (RSM:
    /// `NTMS_OPREQ_DEVICESERVICE`). Run an inventory then, if the library does not tell of it by itself: with another cartridge in
    /// it no arm moves anything.
    EmptyArm {
        /// The library's name.
        library: Arc<str>,
        /// The arm's element address.
        arm: ElementAddress,
        /// The cartridge's label or id.
        cartridge: Arc<str>,
    },
    /// See to a drive, or to the library itself: have it repaired or replaced, find what got lost in it (RSM:
    /// `NTMS_OPREQ_DEVICESERVICE`). The request behind it is the manager's own: said to be done, the device is in service. It also ends when
    /// somebody changes the device's service, and when another drive is found in the bay.
    DeviceService {
        /// The library's name.
        library: Arc<str>,
        /// The drive's element address; `None`: the library itself.
        drive: Option<ElementAddress>,
        /// What is wrong with it; `None`: that was asked before the manager was started, and its faults tell.
        why: Option<Arc<str>>,
    },
    /// Bring a cleaning cartridge (RSM: `NTMS_OPREQ_CLEANER`).
    BringCleaner {
        /// The library's name.
        library: Arc<str>,
    },
}

impl core::fmt::Display for OperatorTask {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let told = |trouble: &Option<Arc<str>>| match trouble {
            Some(why) => alloc::format!("; the port may be shut: {why}; unlock it there, or at the panel"),
            None => String::new(),
        };
        match self {
            Self::BringCartridge { cartridge, library } => {
                write!(f, "bring cartridge {cartridge} into library {library}")
            }
            Self::FillPort { library, trouble } => {
                write!(f, "put cartridges into the port of library {library}{}", told(trouble))
            }
            Self::EmptyPort { library, ports, cartridge, trouble } => {
                f.write_str("take cartridges out of port ")?;
                for (n, port) in ports.iter().take(MAX_NAMED).enumerate() {
                    write!(f, "{}{port}", if n == 0 { "" } else { " or " })?;
                }
                if ports.len() > MAX_NAMED {
                    f.write_str(" or another one")?;
                }
                write!(f, " of library {library}: there is no room for {cartridge}{}", told(trouble))
            }
            Self::UseDoor { library } => write!(f, "open the door of library {library}, and close it again"),
            Self::CloseDoor { library } => write!(f, "close the door and the port of library {library}"),
            Self::EmptyArm { library, arm, cartridge } => write!(
                f,
                "take cartridge {cartridge} out of arm {arm} of library {library} and put it into a slot, then run an inventory"
            ),
            Self::DeviceService { library, drive, why } => {
                let why = why.as_deref().unwrap_or("it failed before the manager was started");
                match drive {
                    Some(drive) => write!(f, "see to drive {drive} of library {library}: {why}"),
                    None => write!(f, "see to library {library}: {why}"),
                }
            }
            Self::BringCleaner { library } => {
                write!(f, "bring a cleaning cartridge into library {library}")
            }
        }
    }
}
