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

use super::media::{BlameFields, CleanerFields, LabelFields, ServiceFields};
use super::names::{
    ElementFields, Id, PlaceFields, name_from, name_to, optional_name_from, optional_name_to,
};
use super::{Added, Flaw, Record};

/// A library without its id.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct LibraryFields<'a> {
    vendor: &'a str,
    product: &'a str,
    revision: &'a str,
    serial: &'a str,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct LaterOfLibrary {
    service: ServiceFields,
    cleaner_slot: Option<u16>,
    blame: BlameFields,
}

impl<'a> Record<'a> for LibraryFields<'a> {
    type Kept = LibraryRecord;
    type Second = LaterOfLibrary;
    type Third = ();
    type Fourth = ();

    fn write(library: &'a LibraryRecord) -> Result<(Self, Added<'a, Self>), Flaw> {
        let fields = Self {
            vendor: name_to(&library.identity.vendor)?,
            product: name_to(&library.identity.product)?,
            revision: name_to(&library.identity.revision)?,
            serial: name_to(&library.identity.serial)?,
        };
        let later = LaterOfLibrary {
            service: (&library.service).try_into()?,
            cleaner_slot: library.cleaner_slot.map(|slot| slot.0),
            blame: library.blame.into(),
        };
        Ok((fields, (later, (), ())))
    }

    fn read(self, (later, ..): Added<'a, Self>) -> Result<LibraryRecord, Flaw> {
        let identity = Identity {
            vendor: name_from(self.vendor)?,
            product: name_from(self.product)?,
            revision: name_from(self.revision)?,
            serial: name_from(self.serial)?,
        };
        Ok(LibraryRecord {
            id: LibraryId(Uuid::nil()),
            identity,
            service: later.service.into(),
            cleaner_slot: later.cleaner_slot.map(ElementAddress),
            blame: later.blame.into(),
        })
    }
}

/// A cartridge without its id.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct CartridgeFields<'a> {
    barcode: Option<&'a str>,
    library: Id,
    place: PlaceFields,
    home: Option<u16>,
    first_seen: u64,
    last_seen: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct LaterOfCartridge<'a> {
    disabled: bool,
    cleaner: Option<CleanerFields>,
    #[serde(borrow)]
    label: Option<LabelFields<'a>>,
    blame: BlameFields,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct FourthOfCartridge {
    label_read_at: Option<u64>,
}

impl<'a> Record<'a> for CartridgeFields<'a> {
    type Kept = Cartridge;
    type Second = LaterOfCartridge<'a>;
    type Third = ();
    type Fourth = FourthOfCartridge;

    fn write(cartridge: &'a Cartridge) -> Result<(Self, Added<'a, Self>), Flaw> {
        let fields = Self {
            barcode: optional_name_to(&cartridge.barcode)?,
            library: cartridge.library.0.into_bytes(),
            place: (&cartridge.place).try_into()?,
            home: cartridge.home.map(|home| home.0),
            first_seen: cartridge.first_seen.0,
            last_seen: cartridge.last_seen.0,
        };
        let later = LaterOfCartridge {
            disabled: cartridge.disabled,
            cleaner: cartridge.cleaner.map(Into::into),
            label: cartridge.label.as_ref().map(TryInto::try_into).transpose()?,
            blame: cartridge.blame.into(),
        };
        let fourth = FourthOfCartridge { label_read_at: cartridge.label_read_at.map(|at| at.0) };
        Ok((fields, (later, (), fourth)))
    }

    fn read(self, (later, (), fourth): Added<'a, Self>) -> Result<Cartridge, Flaw> {
        Ok(Cartridge {
            id: CartridgeId(Uuid::nil()),
            barcode: optional_name_from(self.barcode)?,
            library: LibraryId(Uuid::from_bytes(self.library)),
            place: self.place.try_into()?,
            home: self.home.map(ElementAddress),
            first_seen: WallTime(self.first_seen),
            last_seen: WallTime(self.last_seen),
            disabled: later.disabled,
            cleaner: later.cleaner.map(Into::into),
            label: later.label.map(TryInto::try_into).transpose()?,
            label_read_at: fourth.label_read_at.map(WallTime),
            blame: later.blame.into(),
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
    InArm,
}

impl<'a> Record<'a> for MotionFields {
    type Kept = MotionRecord;
    type Second = ();
    type Third = ();
    type Fourth = ();

    fn write(motion: &'a MotionRecord) -> Result<(Self, Added<'a, Self>), Flaw> {
        let fields = Self {
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
                MotionState::InArm => MotionStateFields::InArm,
            },
        };
        Ok((fields, ((), (), ())))
    }

    fn read(self, _: Added<'a, Self>) -> Result<MotionRecord, Flaw> {
        Ok(MotionRecord {
            request: RequestId(Uuid::nil()),
            sequence: 0,
            library: LibraryId(Uuid::from_bytes(self.library)),
            cartridge: CartridgeId(Uuid::from_bytes(self.cartridge)),
            source: self.source.try_into()?,
            destination: self.destination.try_into()?,
            at: WallTime(self.at),
            state: match self.state {
                MotionStateFields::Open => MotionState::Open,
                MotionStateFields::Moved => MotionState::Moved,
                MotionStateFields::NotMoved => MotionState::NotMoved,
                MotionStateFields::NotSent => MotionState::NotSent,
                MotionStateFields::Unknown => MotionState::Unknown,
                MotionStateFields::InArm => MotionState::InArm,
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

impl<'a> Record<'a> for MountFields<'a> {
    type Kept = MountRecord;
    type Second = ();
    type Third = ();
    type Fourth = ();

    fn write(mount: &'a MountRecord) -> Result<(Self, Added<'a, Self>), Flaw> {
        let fields = Self {
            cartridge: mount.cartridge.0.into_bytes(),
            library: mount.library.0.into_bytes(),
            drive: mount.drive.0,
            application: name_to(&mount.application)?,
            since: mount.since.0,
        };
        Ok((fields, ((), (), ())))
    }

    fn read(self, _: Added<'a, Self>) -> Result<MountRecord, Flaw> {
        Ok(MountRecord {
            id: RequestId(Uuid::nil()),
            cartridge: CartridgeId(Uuid::from_bytes(self.cartridge)),
            library: LibraryId(Uuid::from_bytes(self.library)),
            drive: ElementAddress(self.drive),
            application: name_from(self.application)?,
            since: WallTime(self.since),
        })
    }
}
