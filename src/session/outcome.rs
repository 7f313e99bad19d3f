//! What requests that passed have to show.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use autochanger_engine::catalog::MediumKind;
use autochanger_engine::id::{self, CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::{LabelFound, LabelsRead, Outcome, Request, State};
use autochanger_scsi::ElementAddress;

use super::Session;
use super::ask::DismountBuilder;
use super::shared::Shared;
use crate::transport::Transport;

/// What the ticket of a request gives. Implemented by [`Mounted`], [`Dismounted`], [`Inventory`] and the outcomes of the other
/// operations, and by nothing outside this crate.
pub trait TicketOutcome: Sized + Send + 'static + sealed::Sealed {
    /// Reads it from a request that passed.
    #[doc(hidden)]
    fn of(session: &Session, request: Request) -> impl Future<Output = Option<Self>> + Send;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Mounted {}
    impl Sealed for super::Dismounted {}
    impl Sealed for super::Inventory {}
    impl Sealed for super::Done {}
    impl Sealed for super::Ejected {}
    impl Sealed for super::Injected {}
    impl Sealed for super::Cleaned {}
    impl Sealed for super::Identified {}
    impl Sealed for super::Classified {}
}

/// A medium in a drive that is ready. While it is mounted the manager sends the drive nothing unasked, but for an INQUIRY
/// when its library comes back after it was lost.
///
/// Dropping it moves nothing: the medium stays mounted until somebody [dismounts](Self::dismount) it, also across a
/// restart ([`Session::mounts`], [`Session::adopt`]).
///
/// ```no_run
/// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
/// let tape = session.mount("VT0001L8").await?;
/// match tape.os_device() {
///     Some(path) => println!("write to {}", path.display()), // /dev/nst0
///     None => println!("{tape}: the way to it is {:?}", tape.transport().map(|way| way.device().to_owned())),
/// }
/// tape.dismount().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Mounted {
    session: Session,
    id: RequestId,
    barcode: Option<Arc<str>>,
    cartridge: CartridgeId,
    library: LibraryId,
    drive: ElementAddress,
    serial: Option<Arc<str>>,
    transport: Option<Arc<dyn Transport>>,
    os_device: Option<PathBuf>,
}

impl Mounted {
    /// The mount's id: that of the request that mounted it.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// The cartridge's label, where it has one.
    pub fn barcode(&self) -> Option<&str> {
        self.barcode.as_deref()
    }

    /// The cartridge.
    pub fn cartridge(&self) -> CartridgeId {
        self.cartridge
    }

    /// The library.
    pub fn library(&self) -> LibraryId {
        self.library
    }

    /// The drive's element address.
    pub fn drive(&self) -> ElementAddress {
        self.drive
    }

    /// The drive's serial number, where the library or the drive tells it.
    pub fn serial(&self) -> Option<&str> {
        self.serial.as_deref()
    }

    /// The operating system's name of the drive (`/dev/nst0`), where it has one.
    pub fn os_device(&self) -> Option<&Path> {
        self.os_device.as_deref()
    }

    /// The way to the drive, where the manager knows one. Commands on it are the caller's own.
    pub fn transport(&self) -> Option<Arc<dyn Transport>> {
        self.transport.clone()
    }

    /// Asks for the dismount, by the session that mounted it: await it, or [submit](DismountBuilder::submit) it.
    #[doc(alias = "DismountNtmsMedia")]
    pub fn dismount(&self) -> DismountBuilder {
        self.session.dismount(self.cartridge)
    }
}

/// What is where, for people: "VT0001L8 in drive 500"; a cartridge without a label by its id.
impl fmt::Display for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.barcode {
            Some(barcode) => write!(f, "{barcode} in drive {}", self.drive),
            None => write!(f, "cartridge {} in drive {}", self.cartridge, self.drive),
        }
    }
}

impl TicketOutcome for Mounted {
    async fn of(session: &Session, request: Request) -> Option<Self> {
        let State::Passed(Outcome::Mounted { drive, serial }) = &request.state else { return None };
        let (drive, serial, cartridge) = (*drive, serial.clone(), request.cartridge?);
        let (id, library) = (request.id, request.library);
        let shared = session.shared();
        // When the medium is dismounted already, or the manager gone, only the ways to the drive are missing.
        let way = shared.look(move |engine| engine.view().way_to_mount(id)).await.ok().flatten();
        let transport = way.and_then(|path| transport_of(shared, path));
        let os_device = transport.as_ref().and_then(|transport| transport.os_device());
        let barcode = request.barcode;
        Some(Self {
            session: session.clone(),
            id,
            barcode,
            cartridge,
            library,
            drive,
            serial,
            transport,
            os_device,
        })
    }
}

fn transport_of(shared: &Shared, path: id::Path) -> Option<Arc<dyn Transport>> {
    shared.libraries.get(usize::from(path.library.0))?.to(path)
}

impl fmt::Debug for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mounted")
            .field("id", &self.id)
            .field("barcode", &self.barcode)
            .field("drive", &self.drive)
            .field("serial", &self.serial)
            .field("os_device", &self.os_device)
            .field("transport", &self.transport.as_ref().map(|transport| transport.device().to_owned()))
            .finish_non_exhaustive()
    }
}

/// A medium that was taken out of its drive, or stayed there for a mount that wanted it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dismounted {
    /// The request.
    pub id: RequestId,
    /// The cartridge.
    pub cartridge: Option<CartridgeId>,
    /// Its label.
    pub barcode: Option<Arc<str>>,
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Slot(ElementAddress),
    Drive(ElementAddress),
    Port(ElementAddress),
}

impl Dismounted {
    /// The slot that it was put into; `None` where it stayed in its drive, or was ejected.
    pub fn slot(&self) -> Option<ElementAddress> {
        match self.at {
            At::Slot(slot) => Some(slot),
            At::Drive(_) | At::Port(_) => None,
        }
    }

    /// The drive in which it stayed: the dismount was [deferred](DismountBuilder::deferred), or had not begun, when a mount of the same
    /// cartridge came. `None` where it was taken out.
    pub fn kept_in_drive(&self) -> Option<ElementAddress> {
        match self.at {
            At::Drive(drive) => Some(drive),
            At::Slot(_) | At::Port(_) => None,
        }
    }

    /// The port that it was put into: the dismount was [deferred](DismountBuilder::deferred), and somebody had the cartridge ejected
    /// before the drive was needed.
    pub fn port(&self) -> Option<ElementAddress> {
        match self.at {
            At::Port(port) => Some(port),
            At::Slot(_) | At::Drive(_) => None,
        }
    }
}

/// Where it is now: "slot 1000".
impl fmt::Display for Dismounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::Slot(slot) => write!(f, "slot {slot}"),
            At::Drive(drive) => write!(f, "drive {drive}, where it stayed"),
            At::Port(port) => write!(f, "port {port}"),
        }
    }
}

impl TicketOutcome for Dismounted {
    async fn of(_session: &Session, request: Request) -> Option<Self> {
        let at = match request.state {
            State::Passed(Outcome::Dismounted { slot }) => At::Slot(slot),
            State::Passed(Outcome::KeptInDrive { drive }) => At::Drive(drive),
            State::Passed(Outcome::Ejected { port }) => At::Port(port),
            _ => return None,
        };
        Some(Self { id: request.id, cartridge: request.cartridge, barcode: request.barcode, at })
    }
}

/// What an inventory found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inventory {
    /// The request.
    pub id: RequestId,
    /// The library.
    pub library: LibraryId,
    /// Elements read.
    pub elements: u32,
    /// Cartridges found.
    pub cartridges: u32,
    /// Cartridges that were not known before.
    pub appeared: u32,
    /// Cartridges that were known and are not there.
    pub missing: u32,
    /// What came of the reading of labels, where it was asked for. Each reading is a request, which tells what was found.
    pub labels: Option<LabelsRead>,
}

impl TicketOutcome for Inventory {
    async fn of(_session: &Session, request: Request) -> Option<Self> {
        let State::Passed(Outcome::Inventoried { elements, cartridges, appeared, missing, labels }) =
            request.state
        else {
            return None;
        };
        let (id, library) = (request.id, request.library);
        Some(Self { id, library, elements, cartridges, appeared, missing, labels })
    }
}

/// What has nothing more to show than that it is done. What an inventory after a [door access](Session::door_access) found is in
/// [`Request::state`](crate::Request).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// The request.
    pub id: RequestId,
}

impl TicketOutcome for Done {
    async fn of(_session: &Session, request: Request) -> Option<Self> {
        // Where an inventory follows a door's closing, its end is that of the request.
        let State::Passed(Outcome::Done | Outcome::Inventoried { .. }) = request.state else { return None };
        Some(Self { id: request.id })
    }
}

/// A cartridge that was put into a port, or taken out through the door.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ejected {
    /// The request.
    pub id: RequestId,
    /// The cartridge.
    pub cartridge: Option<CartridgeId>,
    /// Its label on the outside.
    pub barcode: Option<Arc<str>>,
    /// The port's element address; `None`: the library has no port, and a person took the cleaning cartridge through the door.
    pub port: Option<ElementAddress>,
}

impl TicketOutcome for Ejected {
    async fn of(_session: &Session, request: Request) -> Option<Self> {
        let port = match request.state {
            State::Passed(Outcome::Ejected { port }) => Some(port),
            State::Passed(Outcome::Done) => None,
            _ => return None,
        };
        Some(Self { id: request.id, cartridge: request.cartridge, barcode: request.barcode, port })
    }
}

/// Cartridges that were taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Injected {
    /// The request.
    pub id: RequestId,
    /// The library.
    pub library: LibraryId,
    /// The cartridges, in the order in which they came.
    pub cartridges: Vec<CartridgeId>,
}

impl TicketOutcome for Injected {
    async fn of(_session: &Session, request: Request) -> Option<Self> {
        let State::Passed(Outcome::Injected { cartridges }) = request.state else { return None };
        Some(Self { id: request.id, library: request.library, cartridges })
    }
}

/// A drive that was cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cleaned {
    /// The request.
    pub id: RequestId,
    /// The library.
    pub library: LibraryId,
    /// How often the cleaning cartridge can be used yet; `None`: not counted.
    pub uses_left: Option<u32>,
}

impl TicketOutcome for Cleaned {
    async fn of(_session: &Session, request: Request) -> Option<Self> {
        let State::Passed(Outcome::Cleaned { uses_left }) = request.state else { return None };
        Some(Self { id: request.id, library: request.library, uses_left })
    }
}

/// A medium whose label was read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identified {
    /// The request.
    pub id: RequestId,
    /// The cartridge.
    pub cartridge: Option<CartridgeId>,
    /// Its label on the outside.
    pub barcode: Option<Arc<str>>,
    /// What was found on it, or is there now.
    pub found: LabelFound,
}

impl TicketOutcome for Identified {
    async fn of(_session: &Session, request: Request) -> Option<Self> {
        let State::Passed(Outcome::Identified { found }) = request.state else { return None };
        Some(Self { id: request.id, cartridge: request.cartridge, barcode: request.barcode, found })
    }
}

/// A cartridge of which it was decided what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classified {
    /// The request.
    pub id: RequestId,
    /// The cartridge.
    pub cartridge: Option<CartridgeId>,
    /// Its label on the outside.
    pub barcode: Option<Arc<str>>,
    /// What it is.
    pub kind: MediumKind,
}

impl TicketOutcome for Classified {
    async fn of(_session: &Session, request: Request) -> Option<Self> {
        let State::Passed(Outcome::Classified { kind }) = request.state else { return None };
        Some(Self { id: request.id, cartridge: request.cartridge, barcode: request.barcode, kind })
    }
}
