//! What is asked for, as records hold it.

use autochanger_engine::id::{CartridgeId, LibraryId};
use autochanger_engine::request::{Access, AfterDoor, CartridgeRef, InventoryMethod, ServiceTarget, Wanted};
use autochanger_scsi::ElementAddress;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Flaw;
use super::media::{LabelFields, ServiceFields};
use super::names::{Id, name_from, name_to};
use super::state::twin;

type Cartridge<'a> = CartridgeRefFields<'a>;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WantedFields<'a> {
    Inventory {
        library: Option<Id>,
        full: bool,
    },
    Mount {
        #[serde(borrow)]
        cartridge: Cartridge<'a>,
        drive: Option<u16>,
        write: bool,
    },
    Dismount {
        #[serde(borrow)]
        cartridge: Cartridge<'a>,
        slot: Option<u16>,
        force: bool,
    },
    SetService {
        #[serde(borrow)]
        target: ServiceTargetFields<'a>,
        service: ServiceFields,
    },
    UpdateLabel {
        #[serde(borrow)]
        cartridge: Cartridge<'a>,
        #[serde(borrow)]
        label: LabelFields<'a>,
    },
    DoorAccess {
        library: Option<Id>,
        then: AfterDoorFields,
    },
    Eject {
        #[serde(borrow)]
        cartridge: Cartridge<'a>,
        port: Option<u16>,
    },
    EjectCleaner {
        library: Option<Id>,
    },
    Inject {
        library: Option<Id>,
        many: bool,
    },
    InjectCleaner {
        library: Option<Id>,
        uses: Option<u32>,
    },
    Identify {
        #[serde(borrow)]
        cartridge: Cartridge<'a>,
        keep: bool,
    },
    CleanDrive {
        library: Option<Id>,
        drive: u16,
    },
    WriteFreeLabel {
        #[serde(borrow)]
        cartridge: Cartridge<'a>,
        overwrite: bool,
    },
    Classify {
        #[serde(borrow)]
        cartridge: Cartridge<'a>,
    },
    ReserveCleanerSlot {
        library: Option<Id>,
        slot: u16,
    },
    ReleaseCleanerSlot {
        library: Option<Id>,
    },
    /// An inventory that the first variant cannot tell.
    InventoryBy {
        library: Option<Id>,
        method: Option<InventoryMethodFields>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum InventoryMethodFields {
    Nothing,
    Fast,
    Full,
    NewLabels,
    AllLabels,
}

twin!(
    InventoryMethodFields,
    InventoryMethod,
    "method of an inventory",
    [Nothing, Fast, Full, NewLabels, AllLabels]
);

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum CartridgeRefFields<'a> {
    Barcode(&'a str),
    Id(Id),
    Element { library: Option<Id>, element: u16 },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ServiceTargetFields<'a> {
    Library(Option<Id>),
    Drive {
        library: Option<Id>,
        drive: u16,
    },
    #[serde(borrow)]
    Cartridge(Cartridge<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum AfterDoorFields {
    Nothing,
    Inventory,
    FullInventory,
    Default,
    NewLabels,
    AllLabels,
}

twin!(
    AfterDoorFields,
    AfterDoor,
    "end of a door access",
    [Nothing, Inventory, FullInventory, Default, NewLabels, AllLabels]
);

impl<'a> TryFrom<&'a Wanted> for WantedFields<'a> {
    type Error = Flaw;

    fn try_from(wanted: &'a Wanted) -> Result<Self, Flaw> {
        Ok(match wanted {
            Wanted::Inventory { library, method } => match method {
                Some(InventoryMethod::Fast) => Self::Inventory { library: library.map(id_to), full: false },
                Some(InventoryMethod::Full) => Self::Inventory { library: library.map(id_to), full: true },
                method => Self::InventoryBy {
                    library: library.map(id_to),
                    method: method.as_ref().map(TryInto::try_into).transpose()?,
                },
            },
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
            Wanted::SetService { target, service } => {
                Self::SetService { target: target.try_into()?, service: service.try_into()? }
            }
            Wanted::UpdateLabel { cartridge, label } => {
                Self::UpdateLabel { cartridge: cartridge.try_into()?, label: label.try_into()? }
            }
            Wanted::DoorAccess { library, then } => {
                Self::DoorAccess { library: library.map(id_to), then: then.try_into()? }
            }
            Wanted::Eject { cartridge, port } => {
                Self::Eject { cartridge: cartridge.try_into()?, port: port.map(|port| port.0) }
            }
            Wanted::EjectCleaner { library } => Self::EjectCleaner { library: library.map(id_to) },
            Wanted::Inject { library, many } => Self::Inject { library: library.map(id_to), many: *many },
            Wanted::InjectCleaner { library, uses } => {
                Self::InjectCleaner { library: library.map(id_to), uses: *uses }
            }
            Wanted::Identify { cartridge, keep } => {
                Self::Identify { cartridge: cartridge.try_into()?, keep: *keep }
            }
            Wanted::CleanDrive { library, drive } => {
                Self::CleanDrive { library: library.map(id_to), drive: drive.0 }
            }
            Wanted::WriteFreeLabel { cartridge, overwrite } => {
                Self::WriteFreeLabel { cartridge: cartridge.try_into()?, overwrite: *overwrite }
            }
            Wanted::Classify { cartridge } => Self::Classify { cartridge: cartridge.try_into()? },
            Wanted::ReserveCleanerSlot { library, slot } => {
                Self::ReserveCleanerSlot { library: library.map(id_to), slot: slot.0 }
            }
            Wanted::ReleaseCleanerSlot { library } => {
                Self::ReleaseCleanerSlot { library: library.map(id_to) }
            }
            other => return Err(format!("the format has no {}", other.operation()).into()),
        })
    }
}

impl TryFrom<WantedFields<'_>> for Wanted {
    type Error = Flaw;

    fn try_from(fields: WantedFields<'_>) -> Result<Self, Flaw> {
        Ok(match fields {
            WantedFields::Inventory { library, full } => {
                let method = if full { InventoryMethod::Full } else { InventoryMethod::Fast };
                Self::Inventory { library: library.map(id_from), method: Some(method) }
            }
            WantedFields::InventoryBy { library, method } => {
                Self::Inventory { library: library.map(id_from), method: method.map(Into::into) }
            }
            WantedFields::Mount { cartridge, drive, write } => Self::Mount {
                cartridge: cartridge.try_into()?,
                drive: drive.map(ElementAddress),
                access: if write { Access::ReadWrite } else { Access::Read },
            },
            WantedFields::Dismount { cartridge, slot, force } => {
                Self::Dismount { cartridge: cartridge.try_into()?, slot: slot.map(ElementAddress), force }
            }
            WantedFields::SetService { target, service } => {
                Self::SetService { target: target.try_into()?, service: service.into() }
            }
            WantedFields::UpdateLabel { cartridge, label } => {
                Self::UpdateLabel { cartridge: cartridge.try_into()?, label: label.try_into()? }
            }
            WantedFields::DoorAccess { library, then } => {
                Self::DoorAccess { library: library.map(id_from), then: then.into() }
            }
            WantedFields::Eject { cartridge, port } => {
                Self::Eject { cartridge: cartridge.try_into()?, port: port.map(ElementAddress) }
            }
            WantedFields::EjectCleaner { library } => Self::EjectCleaner { library: library.map(id_from) },
            WantedFields::Inject { library, many } => Self::Inject { library: library.map(id_from), many },
            WantedFields::InjectCleaner { library, uses } => {
                Self::InjectCleaner { library: library.map(id_from), uses }
            }
            WantedFields::Identify { cartridge, keep } => {
                Self::Identify { cartridge: cartridge.try_into()?, keep }
            }
            WantedFields::CleanDrive { library, drive } => {
                Self::CleanDrive { library: library.map(id_from), drive: ElementAddress(drive) }
            }
            WantedFields::WriteFreeLabel { cartridge, overwrite } => {
                Self::WriteFreeLabel { cartridge: cartridge.try_into()?, overwrite }
            }
            WantedFields::Classify { cartridge } => Self::Classify { cartridge: cartridge.try_into()? },
            WantedFields::ReserveCleanerSlot { library, slot } => {
                Self::ReserveCleanerSlot { library: library.map(id_from), slot: ElementAddress(slot) }
            }
            WantedFields::ReleaseCleanerSlot { library } => {
                Self::ReleaseCleanerSlot { library: library.map(id_from) }
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
            CartridgeRef::Element { library, element } => {
                Self::Element { library: library.map(id_to), element: element.0 }
            }
        })
    }
}

impl TryFrom<CartridgeRefFields<'_>> for CartridgeRef {
    type Error = Flaw;

    fn try_from(fields: CartridgeRefFields<'_>) -> Result<Self, Flaw> {
        Ok(match fields {
            CartridgeRefFields::Barcode(barcode) => Self::Barcode(name_from(barcode)?),
            CartridgeRefFields::Id(id) => Self::Id(CartridgeId(Uuid::from_bytes(id))),
            CartridgeRefFields::Element { library, element } => {
                Self::Element { library: library.map(id_from), element: ElementAddress(element) }
            }
        })
    }
}

impl<'a> TryFrom<&'a ServiceTarget> for ServiceTargetFields<'a> {
    type Error = Flaw;

    fn try_from(target: &'a ServiceTarget) -> Result<Self, Flaw> {
        Ok(match target {
            ServiceTarget::Library(library) => Self::Library(library.map(id_to)),
            ServiceTarget::Drive { library, drive } => {
                Self::Drive { library: library.map(id_to), drive: drive.0 }
            }
            ServiceTarget::Cartridge(cartridge) => Self::Cartridge(cartridge.try_into()?),
        })
    }
}

impl TryFrom<ServiceTargetFields<'_>> for ServiceTarget {
    type Error = Flaw;

    fn try_from(fields: ServiceTargetFields<'_>) -> Result<Self, Flaw> {
        Ok(match fields {
            ServiceTargetFields::Library(library) => Self::Library(library.map(id_from)),
            ServiceTargetFields::Drive { library, drive } => {
                Self::Drive { library: library.map(id_from), drive: ElementAddress(drive) }
            }
            ServiceTargetFields::Cartridge(cartridge) => Self::Cartridge(cartridge.try_into()?),
        })
    }
}

fn id_to(id: LibraryId) -> Id {
    id.0.into_bytes()
}

fn id_from(id: Id) -> LibraryId {
    LibraryId(Uuid::from_bytes(id))
}
