//! One EXCHANGE MEDIUM (SMC-3 6.1): a cartridge takes the place of another one, which goes to a slot. Sent once, and what
//! became of both is found out like that of a move.

use alloc::string::{String, ToString};
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ExchangeMedium, Sense, SenseKey};

use super::motion::{Ended, Moved, judge};
use super::settle::{Settle, Settled};
use super::{Do, Heard, Procedure};
use crate::command::{Command, PathFault, TransportError};
use crate::id::Device;
use crate::request::ElementName;
use crate::time::Now;

/// What became of the two cartridges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchanged {
    /// The one that was in the drive.
    pub(crate) displaced: Moved,
    /// The one that is there now.
    pub(crate) incoming: Moved,
}

impl Exchanged {
    fn both(moved: Moved) -> Self {
        Self { displaced: moved.clone(), incoming: moved }
    }

    /// The library does not know the command, or not for these elements.
    pub(crate) fn is_not_offered(&self) -> bool {
        let refused = |moved: &Moved| {
            matches!(moved, Moved::No { sense: Some(sense), .. }
                if sense.key == SenseKey::IllegalRequest && matches!(sense.code.asc, 0x20 | 0x24))
        };
        refused(&self.displaced) && refused(&self.incoming)
    }
}

/// The procedure. It sends one EXCHANGE at most, and only at its start.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    displaced: Settle,
    incoming: Settle,
    stage: Stage,
    sense: Option<Sense>,
    why: String,
}

#[derive(Debug, Clone)]
enum Stage {
    Fresh,
    Sent,
    /// Looking for the cartridge that was in the drive.
    Displaced,
    /// Looking for the other one; what became of the first.
    Incoming(Settled),
}

impl Exchange {
    /// `displaced` goes from the drive to a slot, `incoming` from its slot to the drive.
    pub(crate) fn new(mut displaced: Settle, mut incoming: Settle) -> Self {
        // Two motions: twice the time of one.
        displaced.takes_twice();
        incoming.takes_twice();
        Self { displaced, incoming, stage: Stage::Fresh, sense: None, why: String::new() }
    }

    /// Why its ending is in doubt.
    pub(crate) fn doubt(&self) -> Option<&str> {
        matches!(self.stage, Stage::Displaced | Stage::Incoming(_)).then_some(self.why.as_str())
    }

    /// How long the device may still be at it.
    pub(crate) fn may_last(&self, now: Now) -> Duration {
        match self.stage {
            Stage::Fresh => Duration::ZERO,
            Stage::Sent | Stage::Displaced | Stage::Incoming(_) => self.displaced.may_last(now),
        }
    }

    /// Why the device cannot be looked at, if it cannot be reached.
    pub(crate) fn path_fault(&self) -> Option<&PathFault> {
        match self.stage {
            Stage::Incoming(_) => self.incoming.path_fault(),
            _ => self.displaced.path_fault(),
        }
    }

    /// Why a person must come before it can be found out what became of it.
    pub(crate) fn wants_person(&self) -> Option<&str> {
        match self.stage {
            Stage::Incoming(_) => self.incoming.wants_person(),
            _ => self.displaced.wants_person(),
        }
    }

    /// The arm in which one of the cartridges was seen last, and at neither of its ends.
    pub(crate) fn in_arm(&self) -> Option<ElementName> {
        match self.stage {
            Stage::Incoming(_) => self.incoming.in_arm(),
            _ => self.displaced.in_arm(),
        }
    }

    fn send(&mut self, now: Now) -> Do<Exchanged> {
        self.stage = Stage::Sent;
        self.displaced.sent_now(now);
        self.incoming.sent_now(now);
        let (source, drive) = self.incoming.way();
        let (_, slot) = self.displaced.way();
        let cdb = ExchangeMedium {
            transport: ElementAddress(0),
            source: source.address,
            first_destination: drive.address,
            second_destination: slot.address,
            invert_first: false,
            invert_second: false,
        };
        Do::Send(Device::Changer, Command::new(cdb.cdb(), self.displaced.motion_timeout()))
    }

    fn ended(
        &mut self,
        result: Result<crate::command::Completion, TransportError>,
        now: Now,
    ) -> Do<Exchanged> {
        match judge(result, self.displaced.dialect()) {
            Ended::Good => return Do::Done(Exchanged::both(Moved::Yes)),
            Ended::NotSent(fault) => return Do::Done(Exchanged::both(Moved::NotSent(fault))),
            Ended::Doubtful { sense, why, proof, timed_out } => {
                self.sense = sense;
                self.why = why;
                self.displaced.proved(proof, timed_out, now);
                self.incoming.proved(proof, timed_out, now);
            }
        }
        self.stage = Stage::Displaced;
        self.look(Heard::Start, now)
    }

    fn look(&mut self, heard: Heard, now: Now) -> Do<Exchanged> {
        let (sense, why, proof) = (self.sense, self.why.to_string(), self.displaced.proof());
        if let Stage::Incoming(displaced) = &self.stage {
            let displaced = displaced.clone();
            return self.incoming.step(heard, now).map(|incoming| Exchanged {
                displaced: Moved::settled(displaced, sense, why.clone(), proof),
                incoming: Moved::settled(incoming, sense, why, proof),
            });
        }
        match self.displaced.step(heard, now) {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(displaced) => {
                if displaced == Settled::NotMoved {
                    self.incoming.goal_is_taken();
                }
                self.stage = Stage::Incoming(displaced);
                self.look(Heard::Start, now)
            }
        }
    }
}

impl Procedure for Exchange {
    type Output = Exchanged;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Exchanged> {
        match (&self.stage, heard) {
            (Stage::Fresh, _) => self.send(now),
            (Stage::Sent, Heard::Answer(result)) => self.ended(result, now),
            // A command in flight is only ever ended by its answer.
            (Stage::Sent, Heard::Start | Heard::Woken) => Do::Wait(self.displaced.motion_timeout()),
            (Stage::Displaced | Stage::Incoming(_), heard) => self.look(heard, now),
        }
    }
}
