//! Where stories come from: a seed. This is the one place in which an act is drawn; what is asked in it, and what goes wrong, in the
//! files below.

mod ask;
mod mishap;

use crate::act::{Act, Handed, Mishap};
use crate::dice::Dice;
use crate::story::{Setup, Shape, Story};
use crate::wanted::Ask;
use crate::world::PowerFailure;

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
    Eject,
    Inject,
    DoorAccess,
    CleanerSlot,
    CleanDrive,
    Dirty,
    Label,
    Repeat,
    Service,
    Enable,
    Group,
    Reorder,
    Refuse,
    Satisfy,
    Cancel,
    Adopt,
    CloseSession,
    Mishap,
    Hands,
    PowerLoss,
    PowerLossAt,
    ChangedWhileOff,
    ShutDown,
    StoreFails,
    NoLookUps,
    OtherOwner,
    Purge,
    CleanerUses,
    Clock,
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
    ports: bool,
    doors: bool,
    cleaning: bool,
    labels: bool,
    sleds: bool,
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
        ports: dice.once_in(2),
        doors: dice.once_in(4),
        cleaning: dice.once_in(3),
        labels: dice.once_in(3),
        sleds: dice.once_in(8),
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
        ports: dice.weighted(&[(6, 2), (3, 1), (1, 0)]),
        lock_ports: dice.once_in(5),
        cleaner: dice.once_in(2).then(|| 1 + dice.roll(5) as u8),
        auto_clean: !dice.once_in(4),
        dwell: dice.weighted(&[(3, 0), (1, 60), (1, 1_800)]),
        verify: dice.once_in(5),
    }
}

impl Author {
    fn act(&mut self) -> Act {
        let when = |so: bool, weight: u32| if so { weight } else { 0 };
        let (faults, hands, power, disk) = (self.faults, self.hands, self.power, self.disk);
        let services = self.services;
        let (ports, doors, cleaning, labels) = (self.ports, self.doors, self.cleaning, self.labels);
        let kind = self.dice.weighted(&[
            (26, Kind::Mount),
            (22, Kind::Dismount),
            (3, Kind::Inventory),
            (when(ports, 4), Kind::Eject),
            (when(ports, 4), Kind::Inject),
            (when(doors, 2), Kind::DoorAccess),
            (when(cleaning, 4), Kind::CleanerSlot),
            (when(cleaning, 4), Kind::CleanDrive),
            (when(cleaning, 3), Kind::Dirty),
            (when(labels, 6), Kind::Label),
            (2, Kind::Repeat),
            (when(services, 4), Kind::Service),
            (when(services, 2), Kind::Enable),
            (3, Kind::Group),
            (2, Kind::Reorder),
            (1, Kind::Refuse),
            (1, Kind::Satisfy),
            (8, Kind::Cancel),
            (2, Kind::Adopt),
            (1, Kind::CloseSession),
            (when(faults, 9), Kind::Mishap),
            (if hands || ports || doors || self.sleds { 3 } else { 0 }, Kind::Hands),
            (when(power, 1), Kind::PowerLoss),
            (when(power, 2), Kind::PowerLossAt),
            (when(power && hands, 1), Kind::ChangedWhileOff),
            (when(power, 1), Kind::ShutDown),
            (when(power && disk, 1), Kind::StoreFails),
            (when(power && disk, 1), Kind::NoLookUps),
            (when(power && faults, 1), Kind::OtherOwner),
            (1, Kind::Purge),
            (when(cleaning, 1), Kind::CleanerUses),
            (1, Kind::Clock),
            (when(disk, 6), Kind::HoldDisk),
            (when(disk, 9), Kind::CommitOne),
            (when(disk, 3), Kind::ReleaseDisk),
            (22, Kind::Pass),
        ]);
        self.of_kind(kind)
    }

    fn of_kind(&mut self, kind: Kind) -> Act {
        match kind {
            Kind::Mount
            | Kind::Dismount
            | Kind::Inventory
            | Kind::Eject
            | Kind::Inject
            | Kind::DoorAccess
            | Kind::CleanerSlot
            | Kind::CleanDrive
            | Kind::Label
            | Kind::Service
            | Kind::Enable => {
                let ask = self.ask(kind);
                Act::Submit(self.handed(ask))
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
            Kind::Satisfy => match self.earlier() {
                Some(handed) => Act::Satisfy { who: self.asker(handed), number: handed.number },
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
            Kind::Dirty => {
                let (drive, required) = (self.dice.roll(3) as u8, self.dice.once_in(2));
                Act::Mishap { library: self.library(), mishap: Mishap::Dirty { drive, required } }
            }
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
            Kind::ChangedWhileOff => Act::ChangedWhileOff { library: self.library(), hand: self.hand() },
            Kind::ShutDown => Act::ShutDown(self.dice.roll(12) as u8),
            Kind::StoreFails => Act::StoreFails(self.dice.roll(12) as u8),
            Kind::NoLookUps => Act::NoLookUps(1 + self.dice.roll(3) as u8),
            Kind::OtherOwner => Act::OtherOwner(1 + self.dice.roll(3) as u8),
            Kind::Purge => Act::Purge,
            Kind::CleanerUses => {
                let uses = self.dice.once_in(2).then(|| self.dice.roll(4) as u8);
                Act::CleanerUses { library: self.library(), uses }
            }
            Kind::Clock => Act::Clock(self.dice.roll(8) * 600),
            Kind::HoldDisk => Act::HoldDisk,
            Kind::CommitOne => Act::CommitOne,
            Kind::ReleaseDisk => Act::ReleaseDisk,
            Kind::Pass => Act::Pass(1 + self.dice.roll(24) as u8),
        }
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
}
