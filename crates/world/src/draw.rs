//! Where stories come from: a seed. This is the one place in which an act is drawn.

use autochanger_engine::catalog::Service;
use autochanger_sim::SenseKey;

use crate::act::{Act, Ask, Hand, Handed, Mishap, Target};
use crate::dice::Dice;
use crate::story::{Setup, Shape, Story};
use crate::world::PowerFailure;

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

/// How late motions of one story can be in all, in seconds. A library carries its commands out one after the other, so that what
/// is late delays what was sent after it: together they stay within the motion time-out (30 minutes), which is the longest that
/// a motion takes, or it would be the story that breaks its word.
const MAX_LATE: u16 = 1_200;

/// The kinds of acts; how often each comes is in the table of [`Author::act`].
#[derive(Debug, Clone, Copy)]
enum Kind {
    Mount,
    Dismount,
    Inventory,
    Repeat,
    Service,
    Enable,
    Group,
    Reorder,
    Refuse,
    Cancel,
    Adopt,
    CloseSession,
    Mishap,
    Hands,
    PowerLoss,
    PowerLossAt,
    HoldDisk,
    CommitOne,
    ReleaseDisk,
    Pass,
}

struct Author {
    dice: Dice,
    setup: Setup,
    handed: Vec<Handed>,
    groups: Vec<[Option<Handed>; 3]>,
    /// What this story has of each: some have no faults, some no hands, some no power loss, so that what they would hide shows.
    faults: bool,
    services: bool,
    hands: bool,
    power: bool,
    disk: bool,
    new_labels: u8,
    /// What is left of the lateness.
    late: u16,
}

/// The story of a seed, with so many acts.
#[must_use]
pub fn draw(seed: u64, acts: usize) -> Story {
    let mut dice = Dice::new(seed);
    let several = dice.once_in(5);
    let libraries = (0..1 + u32::from(several)).map(|_| shape(&mut dice, several)).collect();
    let tight = dice.once_in(10);
    let setup = Setup {
        libraries,
        max_live_requests: if tight { 6 } else { 64 },
        max_pending_cancels: if tight { 2 } else { 16 },
    };
    let mut author = Author {
        faults: !dice.once_in(6),
        hands: dice.once_in(3),
        services: dice.once_in(3),
        power: !dice.once_in(3),
        disk: !dice.once_in(3),
        dice,
        setup,
        handed: Vec::new(),
        groups: Vec::new(),
        new_labels: 0,
        late: MAX_LATE,
    };
    let acts = (0..acts).map(|_| author.act()).collect();
    Story { seed, setup: author.setup, acts }
}

fn shape(dice: &mut Dice, small: bool) -> Shape {
    let moves_in_flight = 1 + dice.weighted(&[(6, 0), (3, 1), (1, 2)]);
    let cartridges = if small { 3 } else { 6 };
    let tight = dice.once_in(4);
    let drives = 1 + dice.weighted(&[(1, 0), (4, 1), (3, 2)]);
    Shape {
        mixed: drives > 1 && dice.once_in(4),
        cartridges,
        slots: if tight { cartridges } else { cartridges + 4 },
        drives,
        slow: dice.once_in(3),
        exchange: dice.once_in(2),
        unload_before_move: dice.once_in(2),
        moves_in_flight,
    }
}

impl Author {
    fn act(&mut self) -> Act {
        let when = |so: bool, weight: u32| if so { weight } else { 0 };
        let (faults, hands, power, disk) = (self.faults, self.hands, self.power, self.disk);
        let services = self.services;
        let kind = self.dice.weighted(&[
            (20, Kind::Mount),
            (18, Kind::Dismount),
            (3, Kind::Inventory),
            (2, Kind::Repeat),
            (when(services, 4), Kind::Service),
            (when(services, 2), Kind::Enable),
            (3, Kind::Group),
            (2, Kind::Reorder),
            (1, Kind::Refuse),
            (8, Kind::Cancel),
            (2, Kind::Adopt),
            (1, Kind::CloseSession),
            (when(faults, 9), Kind::Mishap),
            (when(hands, 3), Kind::Hands),
            (when(power, 2), Kind::PowerLoss),
            (when(power, 2), Kind::PowerLossAt),
            (when(disk, 6), Kind::HoldDisk),
            (when(disk, 9), Kind::CommitOne),
            (when(disk, 3), Kind::ReleaseDisk),
            (22, Kind::Pass),
        ]);
        self.of_kind(kind)
    }

    fn of_kind(&mut self, kind: Kind) -> Act {
        match kind {
            Kind::Mount => {
                let drive = self.dice.once_in(6).then(|| self.dice.roll(3) as u8);
                let (at_once, wait) = (self.dice.once_in(10), self.dice.once_in(5));
                let (cartridge, read) = (self.cartridge(), self.dice.once_in(4));
                let ask = Ask::Mount { cartridge, drive, read, at_once, wait };
                self.submit(ask)
            }
            Kind::Dismount => {
                let slot = self.dice.once_in(8).then(|| self.dice.roll(10) as u8);
                let (force, deferred) = (self.dice.once_in(6), self.dice.once_in(5));
                let ask = Ask::Dismount { cartridge: self.cartridge(), slot, force, deferred };
                self.submit(ask)
            }
            Kind::Inventory => {
                let ask = Ask::Inventory { library: self.library(), full: self.dice.once_in(5) };
                self.submit(ask)
            }
            Kind::Repeat if !self.groups.is_empty() && self.dice.once_in(3) => {
                let which = self.dice.roll(self.groups.len() as u32) as usize;
                let all = self.groups.get(which).copied().unwrap_or_default();
                Act::Group { all, again: true }
            }
            Kind::Repeat => match self.earlier() {
                Some(handed) => Act::Repeat { handed, same: !self.dice.once_in(4) },
                None => Act::Pass(1),
            },
            Kind::Service => {
                let services = [Service::Paused, Service::Draining, Service::Disabled];
                let service = services[self.dice.roll(3) as usize];
                let ask = Ask::Service { target: self.target(), service };
                self.submit(ask)
            }
            Kind::Enable => {
                let ask = Ask::Service { target: self.target(), service: Service::Enabled };
                self.submit(ask)
            }
            Kind::Group => self.group(),
            Kind::Reorder => match self.earlier() {
                Some(handed) => {
                    let position = 1 + self.dice.roll(6) as u8;
                    Act::Reorder { who: self.asker(handed), number: handed.number, position }
                }
                None => Act::Pass(1),
            },
            Kind::Refuse => match self.earlier() {
                Some(handed) => Act::Refuse { who: self.asker(handed), number: handed.number },
                None => Act::Pass(1),
            },
            Kind::Cancel => match self.earlier() {
                Some(handed) => Act::Cancel { who: self.asker(handed), number: handed.number },
                None => Act::Pass(1),
            },
            Kind::Adopt => match self.earlier() {
                Some(handed) => Act::Adopt { who: self.asker(handed), number: handed.number },
                None => Act::Pass(1),
            },
            Kind::CloseSession => Act::CloseSession { who: self.who() },
            Kind::Mishap => Act::Mishap { library: self.library(), mishap: self.mishap() },
            Kind::Hands => Act::Hands { library: self.library(), hand: self.hand() },
            Kind::PowerLoss => {
                Act::PowerLoss { kept: self.dice.roll(3) as u8, cancel_unfinished: self.dice.once_in(3) }
            }
            Kind::PowerLossAt => {
                let (batch, kept) = (self.dice.roll(6), self.dice.once_in(2));
                Act::PowerLossAt(PowerFailure { batch, kept })
            }
            Kind::HoldDisk => Act::HoldDisk,
            Kind::CommitOne => Act::CommitOne,
            Kind::ReleaseDisk => Act::ReleaseDisk,
            Kind::Pass => Act::Pass(1 + self.dice.roll(24) as u8),
        }
    }

    fn submit(&mut self, ask: Ask) -> Act {
        Act::Submit(self.handed(ask))
    }

    /// Mounts of one application, with the same priority, deadline and detachment. All wait for a person, or none, and none waits
    /// for anything, or all do.
    fn group(&mut self) -> Act {
        let mut all = [None; 3];
        let many = 2 + usize::from(self.dice.once_in(3));
        let (at_once, wait) = (self.dice.once_in(8), self.dice.once_in(3));
        for place in 0..many {
            let (cartridge, read) = (self.cartridge(), self.dice.once_in(4));
            let drive = self.dice.once_in(3).then(|| self.dice.roll(3) as u8);
            let ask = Ask::Mount { cartridge, drive, read, at_once, wait: wait && !at_once };
            let first: Option<Handed> = all[0];
            let handed = self.handed(ask);
            let Handed { who, priority, deadline, detached, .. } = first.unwrap_or(handed);
            all[place] = Some(Handed { who, priority, deadline, detached, ..handed });
        }
        self.groups.push(all);
        Act::Group { all, again: self.dice.once_in(2) }
    }

    fn target(&mut self) -> Target {
        match self.dice.roll(3) {
            0 => Target::Library(self.library()),
            1 => Target::Drive(self.library(), self.dice.roll(3) as u8),
            _ => Target::Cartridge(self.cartridge()),
        }
    }

    fn handed(&mut self, ask: Ask) -> Handed {
        let handed = Handed {
            number: self.handed.len() as u32,
            who: self.who(),
            ask,
            priority: if self.dice.once_in(4) { self.dice.roll(33) as i8 - 16 } else { 0 },
            deadline: self.dice.once_in(5).then(|| 1 + self.dice.roll(2000) as u16),
            detached: self.dice.once_in(5),
        };
        self.handed.push(handed);
        handed
    }

    /// Mostly one application: what several do to each other's media is refused more often than not.
    fn who(&mut self) -> u8 {
        self.dice.weighted(&[(14, 0), (2, 1), (1, 2), (2, 3)])
    }

    /// Mostly whoever handed it in.
    fn asker(&mut self, handed: Handed) -> u8 {
        if self.dice.once_in(6) { self.who() } else { handed.who }
    }

    /// Recent requests are asked for more often.
    fn earlier(&mut self) -> Option<Handed> {
        let count = self.handed.len() as u32;
        let back = if self.dice.once_in(3) { self.dice.roll(count) } else { self.dice.roll(count.min(6)) };
        self.handed.get((count.checked_sub(1 + back)?) as usize).copied()
    }

    fn library(&mut self) -> u8 {
        self.dice.roll(self.setup.libraries.len() as u32) as u8
    }

    /// Sometimes one that nobody has, or that hands have put in.
    fn cartridge(&mut self) -> u8 {
        let all: u32 = self.setup.libraries.iter().map(|shape| u32::from(shape.cartridges)).sum();
        let strange = u32::from(self.dice.once_in(20));
        1 + self.dice.roll(all + strange) as u8
    }

    fn mishap(&mut self) -> Mishap {
        let exchange = self.dice.once_in(3);
        match self.dice.roll(26) {
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
            19 | 20 => Mishap::Attention { port: self.dice.once_in(3) },
            21 => Mishap::Door(1 + self.dice.roll(600) as u16),
            22 => Mishap::StuckInArm,
            23 => Mishap::StuckInDrive(self.dice.roll(3) as u8),
            24 => Mishap::DeadDrive(self.dice.roll(3) as u8),
            _ => Mishap::Repair,
        }
    }

    fn hand(&mut self) -> Hand {
        let mut slot = || self.dice.roll(10) as u8;
        let (one, other) = (slot(), slot());
        match self.dice.roll(8) {
            0..=3 => Hand::Swap(one, other),
            4 | 5 => Hand::Take(one),
            kind => {
                self.new_labels += 1;
                if kind == 6 { Hand::PutNew(self.new_labels, one) } else { Hand::Import(self.new_labels) }
            }
        }
    }
}
