//! One MOVE MEDIUM (SMC-3 6.5), sent once, and what became of it.

use alloc::string::{String, ToString};

use autochanger_scsi::{ElementAddress, MoveMedium, Sense, SenseKey, Status};

use super::settle::{Settle, Settled};
use super::{Do, Heard, Procedure};
use crate::command::{Command, PathFault, TransportError};
use crate::id::Device;
use crate::time::Now;

/// How a motion ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moved {
    /// The cartridge is at its goal.
    Yes,
    /// The cartridge is where it was and the library is quiet; what the device said, if it said something.
    No { sense: Option<Sense>, why: String },
    /// The command never left.
    NotSent(PathFault),
    /// It could not be found out.
    Unknown { why: String },
}

/// The procedure. It sends one MOVE at most, and only at its start.
#[derive(Debug)]
pub(crate) struct Motion {
    settle: Settle,
    stage: Stage,
    sense: Option<Sense>,
    why: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was sent yet.
    Fresh,
    /// The MOVE is in flight.
    Sent,
    /// Its ending was doubtful: the elements are looked at.
    Settling,
}

impl Motion {
    /// A motion that is still to be sent. Addresses and time-outs are the settlement's.
    pub(crate) fn new(settle: Settle) -> Self {
        Self { settle, stage: Stage::Fresh, sense: None, why: String::new() }
    }

    /// A motion that an earlier process may have sent: only looked at, never sent.
    pub(crate) fn found_open(settle: Settle) -> Self {
        let why = String::from("the manager ended while the motion was open");
        Self { settle, stage: Stage::Settling, sense: None, why }
    }

    /// Whether its ending is in doubt, and why.
    pub(crate) fn doubt(&self) -> Option<&str> {
        (self.stage == Stage::Settling).then_some(self.why.as_str())
    }

    /// Why the device cannot be looked at, if it cannot be reached.
    pub(crate) fn path_fault(&self) -> Option<&PathFault> {
        self.settle.path_fault()
    }

    fn send(&mut self, now: Now) -> Do<Moved> {
        self.stage = Stage::Sent;
        self.settle.sent_now(now);
        let (source, destination) = self.settle.way();
        let cdb = MoveMedium {
            // Every library knows 0 as "the transport of your choice", also those whose only one has another address.
            transport: ElementAddress(0),
            source: source.address,
            destination: destination.address,
            invert: false,
        };
        Do::Send(Device::Changer, Command::new(cdb.cdb(), self.settle.motion_timeout()))
    }

    fn ended(&mut self, result: Result<crate::command::Completion, TransportError>, now: Now) -> Do<Moved> {
        match result {
            Ok(completion) => {
                self.sense = completion.sense();
                let recovered = self
                    .sense
                    .is_some_and(|sense| matches!(sense.key, SenseKey::NoSense | SenseKey::RecoveredError));
                match completion.status {
                    Status::Good => return Do::Done(Moved::Yes),
                    Status::CheckCondition if recovered => return Do::Done(Moved::Yes),
                    status => {
                        self.why = match self.sense {
                            Some(sense) => sense.to_string(),
                            None => alloc::format!("status {status:?} without sense data"),
                        };
                    }
                }
                // A deferred error speaks of an earlier command: it proves nothing about this one.
                if !self.sense.is_some_and(|sense| sense.deferred) {
                    self.settle.proved_ended();
                    if self
                        .sense
                        .is_some_and(|s| matches!(s.key, SenseKey::IllegalRequest | SenseKey::UnitAttention))
                    {
                        self.settle.proved_refused();
                    }
                }
            }
            Err(TransportError::NotSent(fault)) => return Do::Done(Moved::NotSent(fault)),
            Err(TransportError::OutcomeUnknown(fault)) => self.why = fault.to_string(),
        }
        self.stage = Stage::Settling;
        self.look(Heard::Start, now)
    }

    fn look(&mut self, heard: Heard, now: Now) -> Do<Moved> {
        let (sense, why) = (self.sense, &self.why);
        self.settle.step(heard, now).map(|settled| match settled {
            Settled::Moved => Moved::Yes,
            Settled::NotMoved => Moved::No { sense, why: why.clone() },
            Settled::Unknown(seen) => Moved::Unknown { why: alloc::format!("{why}; {seen}") },
        })
    }
}

impl Procedure for Motion {
    type Output = Moved;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Moved> {
        match (&self.stage, heard) {
            (Stage::Fresh, _) => self.send(now),
            (Stage::Sent, Heard::Answer(result)) => self.ended(result, now),
            // A command in flight is only ever ended by its answer.
            (Stage::Sent, Heard::Start | Heard::Woken) => Do::Wait(self.settle.motion_timeout()),
            (Stage::Settling, heard) => self.look(heard, now),
        }
    }
}
