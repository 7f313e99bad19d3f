//! Libraries, cartridges, motions and mounts as their records hold them. Keys are not repeated inside: what is read has
//! nil ids where the key stands.

use autochanger_engine::catalog::{
    Cartridge, Identity, LibraryRecord, MotionRecord, MotionState, MountRecord,
};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::time::WallTime;
use autochanger_scsi::ElementAddress;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Flaw;
use super::names::{
    ElementFields, Id, PlaceFields, name_from, name_to, optional_name_from, optional_name_to,
};

/// A library without its id.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct LibraryFields<'a> {
    vendor: &'a str,
    product: &'a str,
    revision: &'a str,
    serial: &'a str,
}

impl<'a> TryFrom<&'a LibraryRecord> for LibraryFields<'a> {
    type Error = Flaw;

    fn try_from(library: &'a LibraryRecord) -> Result<Self, Flaw> {
        Ok(Self {
            vendor: name_to(&library.identity.vendor)?,
            product: name_to(&library.identity.product)?,
            revision: name_to(&library.identity.revision)?,
            serial: name_to(&library.identity.serial)?,
        })
    }
}

impl TryFrom<LibraryFields<'_>> for LibraryRecord {
    type Error = Flaw;

    fn try_from(fields: LibraryFields<'_>) -> Result<Self, Flaw> {
        let identity = Identity {
            vendor: name_from(fields.vendor)?,
            product: name_from(fields.product)?,
            revision: name_from(fields.revision)?,
            serial: name_from(fields.serial)?,
        };
        Ok(Self { id: LibraryId(Uuid::nil()), identity })
    }
}

/// A cartridge without its id.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct CartridgeRecord<'a> {
    barcode: Option<&'a str>,
    library: Id,
    place: PlaceFields,
    home: Option<u16>,
    first_seen: u64,
    last_seen: u64,
}

impl<'a> TryFrom<&'a Cartridge> for CartridgeRecord<'a> {
    type Error = Flaw;

    fn try_from(cartridge: &'a Cartridge) -> Result<Self, Flaw> {
        Ok(Self {
            barcode: optional_name_to(&cartridge.barcode)?,
            library: cartridge.library.0.into_bytes(),
            place: (&cartridge.place).try_into()?,
            home: cartridge.home.map(|home| home.0),
            first_seen: cartridge.first_seen.0,
            last_seen: cartridge.last_seen.0,
        })
    }
}

impl TryFrom<CartridgeRecord<'_>> for Cartridge {
    type Error = Flaw;

    fn try_from(record: CartridgeRecord<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            id: CartridgeId(Uuid::nil()),
            barcode: optional_name_from(record.barcode)?,
            library: LibraryId(Uuid::from_bytes(record.library)),
            place: record.place.try_into()?,
            home: record.home.map(ElementAddress),
            first_seen: WallTime(record.first_seen),
            last_seen: WallTime(record.last_seen),
        })
    }
}

/// A motion without its request and sequence number.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct MotionFields {
    library: Id,
    cartridge: Id,
    source: ElementFields,
    destination: ElementFields,
    at: u64,
    state: MotionStateFields,
}

#[derive(Debug, Serialize, Deserialize)]
enum MotionStateFields {
    Open,
    Moved,
    NotMoved,
    NotSent,
    Unknown,
}

impl TryFrom<&MotionRecord> for MotionFields {
    type Error = Flaw;

    fn try_from(motion: &MotionRecord) -> Result<Self, Flaw> {
        Ok(Self {
            library: motion.library.0.into_bytes(),
            cartridge: motion.cartridge.0.into_bytes(),
            source: (&motion.source).into(),
            destination: (&motion.destination).into(),
            at: motion.at.0,
            state: match motion.state {
                MotionState::Open => MotionStateFields::Open,
                MotionState::Moved => MotionStateFields::Moved,
                MotionState::NotMoved => MotionStateFields::NotMoved,
                MotionState::NotSent => MotionStateFields::NotSent,
                MotionState::Unknown => MotionStateFields::Unknown,
            },
        })
    }
}

impl TryFrom<MotionFields> for MotionRecord {
    type Error = Flaw;

    fn try_from(fields: MotionFields) -> Result<Self, Flaw> {
        Ok(Self {
            request: RequestId(Uuid::nil()),
            sequence: 0,
            library: LibraryId(Uuid::from_bytes(fields.library)),
            cartridge: CartridgeId(Uuid::from_bytes(fields.cartridge)),
            source: fields.source.try_into()?,
            destination: fields.destination.try_into()?,
            at: WallTime(fields.at),
            state: match fields.state {
                MotionStateFields::Open => MotionState::Open,
                MotionStateFields::Moved => MotionState::Moved,
                MotionStateFields::NotMoved => MotionState::NotMoved,
                MotionStateFields::NotSent => MotionState::NotSent,
                MotionStateFields::Unknown => MotionState::Unknown,
            },
        })
    }
}

/// A mount without its id.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct MountFields<'a> {
    cartridge: Id,
    library: Id,
    drive: u16,
    application: &'a str,
    since: u64,
}

impl<'a> TryFrom<&'a MountRecord> for MountFields<'a> {
    type Error = Flaw;

    fn try_from(mount: &'a MountRecord) -> Result<Self, Flaw> {
        Ok(Self {
            cartridge: mount.cartridge.0.into_bytes(),
            library: mount.library.0.into_bytes(),
            drive: mount.drive.0,
            application: name_to(&mount.application)?,
            since: mount.since.0,
        })
    }
}

impl TryFrom<MountFields<'_>> for MountRecord {
    type Error = Flaw;

    fn try_from(fields: MountFields<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            id: RequestId(Uuid::nil()),
            cartridge: CartridgeId(Uuid::from_bytes(fields.cartridge)),
            library: LibraryId(Uuid::from_bytes(fields.library)),
            drive: ElementAddress(fields.drive),
            application: name_from(fields.application)?,
            since: WallTime(fields.since),
        })
    }
}
