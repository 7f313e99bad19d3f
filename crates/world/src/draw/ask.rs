//! What is asked.

use autochanger_engine::catalog::Service;
use autochanger_engine::request::{AfterDoor, InventoryMethod};

use super::{Author, Kind};
use crate::perform::{FIRST_CLEANER, FIRST_GUEST};
use crate::wanted::{Ask, Target};

impl Author {
    pub(super) fn ask(&mut self, kind: Kind) -> Ask {
        match kind {
            Kind::Dismount => {
                let slot = self.dice.once_in(8).then(|| self.dice.roll(10) as u8);
                let (force, deferred) = (self.dice.once_in(6), self.dice.once_in(5));
                Ask::Dismount { cartridge: self.cartridge(), slot, force, deferred }
            }
            Kind::Inventory => {
                let method = self.dice.weighted(&[
                    (10, Some(InventoryMethod::Fast)),
                    (3, Some(InventoryMethod::Full)),
                    (1, Some(InventoryMethod::Nothing)),
                    (1, None),
                    (u32::from(self.labels), Some(InventoryMethod::NewLabels)),
                    (u32::from(self.labels), Some(InventoryMethod::AllLabels)),
                ]);
                Ask::Inventory { library: self.library(), method }
            }
            Kind::Service => {
                let services = [Service::Paused, Service::Draining, Service::Disabled];
                let service = services[self.dice.roll(3) as usize];
                Ask::Service { target: self.target(), service }
            }
            Kind::Enable => Ask::Service { target: self.target(), service: Service::Enabled },
            Kind::Eject => {
                let port = self.dice.once_in(4).then(|| self.dice.roll(2) as u8);
                Ask::Eject { cartridge: self.cartridge(), port }
            }
            Kind::Inject => Ask::Inject { library: self.library(), many: self.dice.once_in(3) },
            Kind::DoorAccess => {
                let then = self.dice.weighted(&[
                    (2, AfterDoor::Nothing),
                    (3, AfterDoor::Inventory),
                    (2, AfterDoor::FullInventory),
                    (1, AfterDoor::Default),
                    (u32::from(self.labels), AfterDoor::NewLabels),
                ]);
                Ask::DoorAccess { library: self.library(), then }
            }
            Kind::CleanerSlot => {
                let library = self.library();
                match self.dice.roll(5) {
                    0 | 1 => Ask::ReserveCleanerSlot { library, slot: self.dice.roll(12) as u8 },
                    2 => Ask::ReleaseCleanerSlot { library },
                    3 => {
                        let uses = self.dice.once_in(2).then(|| 1 + self.dice.roll(3) as u8);
                        Ask::InjectCleaner { library, uses }
                    }
                    _ => Ask::EjectCleaner { library },
                }
            }
            Kind::CleanDrive => Ask::CleanDrive { library: self.library(), drive: self.dice.roll(3) as u8 },
            Kind::Label => {
                let cartridge = self.cartridge();
                match self.dice.roll(6) {
                    0 | 1 => Ask::Identify { cartridge, keep: self.dice.once_in(3) },
                    2 | 3 => Ask::WriteFreeLabel { cartridge, overwrite: self.dice.once_in(2) },
                    4 => Ask::UpdateLabel { cartridge, number: self.dice.roll(3) as u8 },
                    _ => Ask::Classify { cartridge },
                }
            }
            _ => {
                let drive = self.dice.once_in(6).then(|| self.dice.roll(3) as u8);
                let (at_once, wait) = (self.dice.once_in(10), self.dice.once_in(5));
                let (cartridge, read) = (self.cartridge(), self.dice.once_in(4));
                Ask::Mount { cartridge, drive, read, at_once, wait }
            }
        }
    }

    fn target(&mut self) -> Target {
        match self.dice.roll(3) {
            0 => Target::Library(self.library()),
            1 => Target::Drive(self.library(), self.dice.roll(3) as u8),
            _ => Target::Cartridge(self.cartridge()),
        }
    }

    /// Sometimes one that nobody has, that hands have put in, or that cleans.
    pub(super) fn cartridge(&mut self) -> u8 {
        let all: u32 = self.setup.libraries.iter().map(|shape| u32::from(shape.cartridges)).sum();
        match self.dice.roll(60) {
            0 | 1 => 1 + all as u8,
            2 if self.cleaning => FIRST_CLEANER + self.library(),
            3..=5 if self.new_labels > 0 => FIRST_GUEST + 1 + self.dice.roll(self.new_labels.into()) as u8,
            _ => 1 + self.dice.roll(all) as u8,
        }
    }
}
