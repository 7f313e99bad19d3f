//! A request as its record holds it.

use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::{Access, CartridgeRef, Request, Wanted};
use autochanger_engine::time::WallTime;
use autochanger_scsi::ElementAddress;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Flaw;
use super::names::{Id, name_from, name_to, optional_name_from, optional_name_to};
use super::state::{CancelledByFields, StateFields};

/// A request without its id, which is the key.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct RequestRecord<'a> {
    #[serde(borrow)]
    wanted: WantedFields<'a>,
    library: Id,
    cartridge: Option<Id>,
    barcode: Option<&'a str>,
    drive: Option<u16>,
    application: &'a str,
    priority: i8,
    deadline: Option<u64>,
    detached: bool,
    queued_at: u64,
    ended_at: Option<u64>,
    #[serde(borrow)]
    state: StateFields<'a>,
    #[serde(borrow)]
    stopping: Option<CancelledByFields<'a>>,
    motions: u32,
}

#[derive(Debug, Serialize, Deserialize)]
enum WantedFields<'a> {
    Inventory {
        library: Option<Id>,
        full: bool,
    },
    Mount {
        #[serde(borrow)]
        cartridge: CartridgeRefFields<'a>,
        drive: Option<u16>,
        write: bool,
    },
    Dismount {
        #[serde(borrow)]
        cartridge: CartridgeRefFields<'a>,
        slot: Option<u16>,
        force: bool,
    },
}

#[derive(Debug, Serialize, Deserialize)]
enum CartridgeRefFields<'a> {
    Barcode(&'a str),
    Id(Id),
}

impl<'a> TryFrom<&'a Request> for RequestRecord<'a> {
    type Error = Flaw;

    fn try_from(request: &'a Request) -> Result<Self, Flaw> {
        Ok(Self {
            wanted: (&request.wanted).try_into()?,
            library: request.library.0.into_bytes(),
            cartridge: request.cartridge.map(|id| id.0.into_bytes()),
            barcode: optional_name_to(&request.barcode)?,
            drive: request.drive.map(|drive| drive.0),
            application: name_to(&request.application)?,
            priority: request.priority,
            deadline: request.deadline.map(|at| at.0),
            detached: request.detached,
            queued_at: request.queued_at.0,
            ended_at: request.ended_at.map(|at| at.0),
            state: (&request.state).try_into()?,
            stopping: request.stopping.as_ref().map(TryInto::try_into).transpose()?,
            motions: request.motions,
        })
    }
}

impl TryFrom<RequestRecord<'_>> for Request {
    type Error = Flaw;

    /// The id is the key's matter: it is nil here.
    fn try_from(record: RequestRecord<'_>) -> Result<Self, Flaw> {
        if !(-15..=15).contains(&record.priority) {
            return Err(format!("has priority {}, which is out of range", record.priority).into());
        }
        Ok(Self {
            id: RequestId(Uuid::nil()),
            wanted: record.wanted.try_into()?,
            library: LibraryId(Uuid::from_bytes(record.library)),
            cartridge: record.cartridge.map(|id| CartridgeId(Uuid::from_bytes(id))),
            barcode: optional_name_from(record.barcode)?,
            drive: record.drive.map(ElementAddress),
            application: name_from(record.application)?,
            priority: record.priority,
            deadline: record.deadline.map(WallTime),
            detached: record.detached,
            queued_at: WallTime(record.queued_at),
            ended_at: record.ended_at.map(WallTime),
            state: record.state.try_into()?,
            stopping: record.stopping.map(TryInto::try_into).transpose()?,
            motions: record.motions,
        })
    }
}

impl<'a> TryFrom<&'a Wanted> for WantedFields<'a> {
    type Error = Flaw;

    fn try_from(wanted: &'a Wanted) -> Result<Self, Flaw> {
        Ok(match wanted {
            Wanted::Inventory { library, full } => {
                Self::Inventory { library: library.map(|id| id.0.into_bytes()), full: *full }
            }
            Wanted::Mount { cartridge, drive, access } => Self::Mount {
                cartridge: cartridge.try_into()?,
                drive: drive.map(|drive| drive.0),
                write: *access == Access::ReadWrite,
            },
            Wanted::Dismount { cartridge, slot, force } => Self::Dismount {
                cartridge: cartridge.try_into()?,
                slot: slot.map(|slot| slot.0),
                force: *force,
            },
            other => return Err(format!("the format has no {}", other.operation()).into()),
        })
    }
}

impl TryFrom<WantedFields<'_>> for Wanted {
    type Error = Flaw;

    fn try_from(fields: WantedFields<'_>) -> Result<Self, Flaw> {
        Ok(match fields {
            WantedFields::Inventory { library, full } => {
                Self::Inventory { library: library.map(|id| LibraryId(Uuid::from_bytes(id))), full }
            }
            WantedFields::Mount { cartridge, drive, write } => Self::Mount {
                cartridge: cartridge.try_into()?,
                drive: drive.map(ElementAddress),
                access: if write { Access::ReadWrite } else { Access::Read },
            },
            WantedFields::Dismount { cartridge, slot, force } => {
                Self::Dismount { cartridge: cartridge.try_into()?, slot: slot.map(ElementAddress), force }
            }
        })
    }
}

impl<'a> TryFrom<&'a CartridgeRef> for CartridgeRefFields<'a> {
    type Error = Flaw;

    fn try_from(cartridge: &'a CartridgeRef) -> Result<Self, Flaw> {
        Ok(match cartridge {
            CartridgeRef::Barcode(barcode) => Self::Barcode(name_to(barcode)?),
            CartridgeRef::Id(id) => Self::Id(id.0.into_bytes()),
        })
    }
}

impl TryFrom<CartridgeRefFields<'_>> for CartridgeRef {
    type Error = Flaw;

    fn try_from(fields: CartridgeRefFields<'_>) -> Result<Self, Flaw> {
        Ok(match fields {
            CartridgeRefFields::Barcode(barcode) => Self::Barcode(name_from(barcode)?),
            CartridgeRefFields::Id(id) => Self::Id(CartridgeId(Uuid::from_bytes(id))),
        })
    }
}
