//! A command inside the device, from its arrival to its answer.

use alloc::vec::Vec;

use autochanger_scsi::{
    CdbError, ChangerCommand, ElementAddress, ExchangeMedium, MoveMedium, Sense, TapeCommand, TestUnitReady,
};

use crate::answer::{Answer, Unit, illegal};
use crate::fault::{Action, Effect, Reply};
use crate::selector::Seen;

/// A command that has been accepted.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) unit: Unit,
    /// Its entry in the log.
    pub(crate) log: u64,
    pub(crate) seen: Seen,
    pub(crate) work: Work,
    /// How many bytes the initiator takes.
    pub(crate) data_in: u32,
    /// The parameter list.
    pub(crate) data_out: Vec<u8>,
    pub(crate) fate: Fate,
    /// What it will be answered, once that is settled.
    pub(crate) answer: Option<Answer>,
    /// Its initiator has been told already that there will be no answer.
    pub(crate) abandoned: bool,
}

impl Task {
    /// A command that was not read yet.
    pub(crate) fn new(unit: Unit, log: u64, seen: Seen, data_in: u32) -> Self {
        let work = Work::Changer(ChangerCommand::TestUnitReady(TestUnitReady::default()));
        Self {
            unit,
            log,
            seen,
            work,
            data_in,
            data_out: Vec::new(),
            fate: Fate::NONE,
            answer: None,
            abandoned: false,
        }
    }
}

/// What a command asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// Of the changer, without motion.
    Changer(ChangerCommand),
    /// Of the drive with this index.
    Tape(usize, TapeCommand),
    /// Of the arms.
    Motion { motion: Motion, arm: Option<usize> },
}

/// What an arm does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    Move { from: ElementAddress, to: ElementAddress },
    Exchange { from: ElementAddress, first: ElementAddress, second: ElementAddress },
    Position { to: ElementAddress },
    Scan { range: Option<(ElementAddress, u16)> },
}

impl Motion {
    /// The elements that it touches; no other motion may at the same time.
    pub(crate) fn elements(&self) -> [Option<ElementAddress>; 3] {
        match *self {
            Self::Move { from, to } => [Some(from), Some(to), None],
            Self::Exchange { from, first, second } => [Some(from), Some(first), Some(second)],
            Self::Position { .. } | Self::Scan { .. } => [None; 3],
        }
    }

    pub(crate) fn clashes(&self, other: &Self) -> bool {
        let others = other.elements();
        self.elements().into_iter().flatten().any(|element| others.contains(&Some(element)))
    }
}

/// What a fault has in store for a command.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fate {
    pub(crate) effect: Effect,
    pub(crate) reply: Option<Reply>,
    pub(crate) lost: Option<Loss>,
    /// Why the arm keeps what it has picked.
    pub(crate) keeps: Option<Keeps>,
}

/// Why an arm keeps the cartridge that it has picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// It cannot place it.
    Stuck,
    /// Somebody opens the door.
    DoorOpens,
}

/// How an answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The initiator learns of it when the answer would have come.
    Noticed,
    /// The initiator never hears anything.
    Silent,
}

impl Fate {
    pub(crate) const NONE: Self = Self { effect: Effect::Usual, reply: None, lost: None, keeps: None };

    pub(crate) fn of(action: Option<Action>) -> Self {
        let effect = |taken| if taken { Effect::Usual } else { Effect::None };
        match action {
            Some(Action::Answer { reply, effect: taken }) => {
                Self { reply: Some(reply), effect: effect(taken), ..Self::NONE }
            }
            Some(Action::LoseReply { effect, silent }) => {
                let loss = if silent { Loss::Silent } else { Loss::Noticed };
                Self { effect, lost: Some(loss), ..Self::NONE }
            }
            Some(Action::StickInArm) => Self { keeps: Some(Keeps::Stuck), ..Self::NONE },
            Some(Action::OpenDoor) => Self { keeps: Some(Keeps::DoorOpens), ..Self::NONE },
            _ => Self::NONE,
        }
    }
}

/// The features of a command, as far as its bytes can be read.
pub(crate) fn seen(unit: Unit, cdb: &[u8]) -> Seen {
    let opcode = cdb.first().copied().unwrap_or(0);
    let mut seen = Seen { unit, opcode, source: None, destination: None };
    if unit.lun != 0 {
        return seen;
    }
    if let Ok(command) = MoveMedium::decode(cdb) {
        seen.source = Some(command.source);
        seen.destination = Some(command.destination);
    } else if let Ok(command) = ExchangeMedium::decode(cdb) {
        seen.source = Some(command.source);
        seen.destination = Some(command.first_destination);
    }
    seen
}

/// What an undecodable command is answered.
pub(crate) fn refusal(error: CdbError) -> Sense {
    match error {
        CdbError::UnknownOpcode(_) => illegal(0x20, 0x00),
        CdbError::Field(field) => Sense::invalid_field(field),
        // A transport that cuts commands off; there is no code for that.
        _ => illegal(0x24, 0x00),
    }
}
