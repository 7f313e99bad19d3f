//! Drives and faults as their records hold them, without their keys.

use autochanger_engine::catalog::{DriveRecord, FaultRecord};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::FaultOf;
use autochanger_engine::time::WallTime;
use autochanger_scsi::ElementAddress;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failure::{FailureKindFields, sense_from, sense_to};
use super::media::{BlameFields, ServiceFields};
use super::names::{Id, message_from, message_to, optional_name_from, optional_name_to};
use super::state::twin;
use super::{Added, Flaw, Record};

/// A drive without its library and element.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct DriveFields<'a> {
    serial: Option<&'a str>,
    service: ServiceFields,
    last_cleaned: Option<u64>,
    wants_cleaning: bool,
    blame: BlameFields,
}

impl<'a> Record<'a> for DriveFields<'a> {
    type Kept = DriveRecord;
    type Second = ();
    type Third = ();
    type Fourth = ();

    fn write(drive: &'a DriveRecord) -> Result<(Self, Added<'a, Self>), Flaw> {
        let fields = Self {
            serial: optional_name_to(&drive.serial)?,
            service: (&drive.service).try_into()?,
            last_cleaned: drive.last_cleaned.map(|at| at.0),
            wants_cleaning: drive.wants_cleaning,
            blame: drive.blame.into(),
        };
        Ok((fields, ((), (), ())))
    }

    fn read(self, _: Added<'a, Self>) -> Result<DriveRecord, Flaw> {
        Ok(DriveRecord {
            library: LibraryId(Uuid::nil()),
            element: ElementAddress(0),
            serial: optional_name_from(self.serial)?,
            service: self.service.into(),
            last_cleaned: self.last_cleaned.map(WallTime),
            wants_cleaning: self.wants_cleaning,
            blame: self.blame.into(),
        })
    }
}

/// A fault without its request and sequence number.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct FaultFields<'a> {
    at: u64,
    of: FaultOfFields,
    kind: FailureKindFields,
    library: Id,
    cartridge: Option<Id>,
    drive: Option<u16>,
    message: &'a str,
    sense: Option<Vec<u8>>,
}

#[derive(Debug, Serialize, Deserialize)]
enum FaultOfFields {
    Caller,
    Medium,
    Drive,
    Library,
    Path,
    Store,
    Host,
}

twin!(FaultOfFields, FaultOf, "owner of a fault", [Caller, Medium, Drive, Library, Path, Store, Host]);

impl<'a> Record<'a> for FaultFields<'a> {
    type Kept = FaultRecord;
    type Second = ();
    type Third = ();
    type Fourth = ();

    fn write(fault: &'a FaultRecord) -> Result<(Self, Added<'a, Self>), Flaw> {
        let fields = Self {
            at: fault.at.0,
            of: (&fault.of).try_into()?,
            kind: (&fault.kind).try_into()?,
            library: fault.library.0.into_bytes(),
            cartridge: fault.cartridge.map(|id| id.0.into_bytes()),
            drive: fault.drive.map(|drive| drive.0),
            message: message_to(&fault.message),
            sense: fault.sense.as_ref().map(sense_to),
        };
        Ok((fields, ((), (), ())))
    }

    fn read(self, _: Added<'a, Self>) -> Result<FaultRecord, Flaw> {
        Ok(FaultRecord {
            request: RequestId(Uuid::nil()),
            sequence: 0,
            at: WallTime(self.at),
            of: self.of.into(),
            kind: self.kind.into(),
            library: LibraryId(Uuid::from_bytes(self.library)),
            cartridge: self.cartridge.map(|id| CartridgeId(Uuid::from_bytes(id))),
            drive: self.drive.map(ElementAddress),
            message: message_from(self.message)?.to_owned(),
            sense: self.sense.as_deref().map(sense_from).transpose()?,
        })
    }
}
