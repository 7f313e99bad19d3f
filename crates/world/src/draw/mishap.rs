//! What goes wrong, and what hands do.

use autochanger_sim::{SenseKey, Status};

use super::Author;
use crate::act::{Command, Hand, Mishap};

/// The sense data that a motion can be answered with: each leads to another meaning.
const SENSES: [(SenseKey, u8, u8); 8] = [
    (SenseKey::NotReady, 0x04, 0x01),
    (SenseKey::UnitAttention, 0x28, 0x00),
    (SenseKey::IllegalRequest, 0x3A, 0x00),
    (SenseKey::IllegalRequest, 0x3B, 0x0D),
    (SenseKey::IllegalRequest, 0x3B, 0x0E),
    (SenseKey::HardwareError, 0x15, 0x01),
    (SenseKey::AbortedCommand, 0x44, 0x00),
    (SenseKey::MediumError, 0x30, 0x00),
];

/// Unit attentions beside those of 28h: a reset, other parameters, an inventory that is to be read, other firmware, another definition,
/// other logical units, and one that has nothing to do with us.
const ATTENTIONS: [(u8, u8); 9] = [
    (0x29, 0x00),
    (0x29, 0x03),
    (0x2A, 0x01),
    (0x2A, 0x10),
    (0x2F, 0x00),
    (0x3F, 0x01),
    (0x3F, 0x02),
    (0x3F, 0x0E),
    (0x5E, 0x01),
];

impl Author {
    pub(super) fn mishap(&mut self) -> Mishap {
        let exchange = self.dice.once_in(3);
        match self.dice.roll(36) {
            0..=2 => Mishap::LostReply { exchange, effect: true },
            3 | 4 => Mishap::LostReply { exchange, effect: false },
            5..=7 if self.late > 0 => {
                let after = (1 + self.dice.roll(900) as u16).min(self.late);
                self.late -= after;
                Mishap::Late { exchange, after }
            }
            5..=8 => Mishap::Silence,
            9 => Mishap::NotDelivered { motions: true, times: 1 + self.dice.roll(7) as u8 },
            10 => Mishap::NotDelivered { motions: false, times: 1 + self.dice.roll(3) as u8 },
            11 => Mishap::Unplugged(1 + self.dice.roll(300) as u16),
            12 => Mishap::ConnectionLost,
            13..=16 => {
                let (key, asc, ascq) = SENSES[self.dice.roll(SENSES.len() as u32) as usize];
                Mishap::Sense { exchange, key, asc, ascq, times: 1 + self.dice.roll(3) as u8 }
            }
            // As long as the library likes: the engine must give up by itself.
            17 => {
                Mishap::Sense { exchange: false, key: SenseKey::NotReady, asc: 0x04, ascq: 0x01, times: 40 }
            }
            18 => Mishap::NoLooks(1 + self.dice.roll(3) as u8),
            19 | 20 => {
                let (asc, ascq) = match self.dice.once_in(2) {
                    true => (0x28, self.dice.roll(2) as u8),
                    false => ATTENTIONS[self.dice.roll(ATTENTIONS.len() as u32) as usize],
                };
                let lun = if self.dice.once_in(3) { 1 + self.dice.roll(3) as u8 } else { 0 };
                Mishap::Attention { lun, asc, ascq }
            }
            21 => Mishap::Door(1 + self.dice.roll(600) as u16),
            22 => Mishap::StuckInArm,
            23 => Mishap::StuckInDrive(self.dice.roll(3) as u8),
            24 => Mishap::DeadDrive(self.dice.roll(3) as u8),
            27..=29 => {
                let to = [Command::Move, Command::Exchange, Command::Look][self.dice.roll(3) as usize];
                let statuses = [Status::Busy, Status::TaskSetFull, Status::ReservationConflict];
                let status = statuses[self.dice.roll(if to == Command::Look { 2 } else { 3 }) as usize];
                Mishap::Status { to, status, times: 1 + self.dice.roll(6) as u8 }
            }
            30 | 31 => Mishap::NeverReady { drive: self.dice.roll(3) as u8, coming: self.dice.once_in(2) },
            32 | 33 => {
                Mishap::SilentDrive { drive: self.dice.roll(3) as u8, time: 1 + self.dice.roll(4000) as u16 }
            }
            34 => Mishap::DoorUnderMove,
            25 | 26 => Mishap::Dirty { drive: self.dice.roll(3) as u8, required: self.dice.once_in(2) },
            _ => Mishap::Repair,
        }
    }

    pub(super) fn hand(&mut self) -> Hand {
        #[derive(Clone, Copy)]
        enum Kind {
            Swap,
            Take,
            PutNew,
            PutBack,
            Import,
            ImportCleaner,
            BringBack,
            EmptyPorts,
            OpenDoor,
            CloseDoor,
            PressEject,
            SwapSleds,
            ReplaceSled,
            Oblige,
        }
        let when = |so: bool, weight: u32| if so { weight } else { 0 };
        let (free, ports, doors) = (self.hands, self.ports, self.doors);
        let (one, other) = (self.dice.roll(10) as u8, self.dice.roll(10) as u8);
        let kind = self.dice.weighted(&[
            (when(free, 8), Kind::Swap),
            (when(free, 4), Kind::Take),
            (when(free, 2), Kind::PutNew),
            (when(free, 3), Kind::PutBack),
            (when(free, 1), Kind::PressEject),
            (when(self.sleds, 6), Kind::SwapSleds),
            (when(self.sleds, 3), Kind::ReplaceSled),
            (when(free || ports, 2), Kind::Import),
            (when(ports && self.cleaning, 2), Kind::ImportCleaner),
            (when(ports, 3), Kind::BringBack),
            (when(ports, 4), Kind::EmptyPorts),
            (when(doors, 4), Kind::OpenDoor),
            (when(doors, 6), Kind::CloseDoor),
            (8, Kind::Oblige),
        ]);
        let mut new = || {
            self.new_labels += 1;
            self.new_labels
        };
        match kind {
            Kind::Swap => Hand::Swap(one, other),
            Kind::Take => Hand::Take(one),
            Kind::PutNew => Hand::PutNew(new(), one),
            Kind::PutBack => Hand::PutBack(one),
            Kind::Import => Hand::Import(new()),
            Kind::ImportCleaner => Hand::ImportCleaner(new()),
            Kind::BringBack => Hand::BringBack,
            Kind::EmptyPorts => Hand::EmptyPorts,
            Kind::OpenDoor => Hand::OpenDoor,
            Kind::CloseDoor => Hand::CloseDoor,
            Kind::PressEject => Hand::PressEject(one % 3),
            Kind::SwapSleds => Hand::SwapSleds(one % 3, other % 3),
            Kind::ReplaceSled => Hand::ReplaceSled(one % 3, new()),
            Kind::Oblige => Hand::Oblige(new()),
        }
    }
}
