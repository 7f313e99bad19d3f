//! One MOVE MEDIUM (SMC-3 6.5), sent once, and what became of it.

use alloc::string::{String, ToString};
use core::time::Duration;

use autochanger_scsi::{AdditionalSense, Dialect, ElementAddress, MoveMedium, Sense, SenseKey, Status};

use super::settle::{Proof, Settle, Settled};
use super::{Do, Heard, Procedure};
use crate::command::{Command, Completion, PathFault, PathFaultKind, TransportError};
use crate::id::Device;
use crate::library::fault::{Said, said, words};
use crate::request::ElementName;
use crate::time::Now;

/// How a motion ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moved {
    /// The cartridge is at its goal.
    Yes,
    /// The cartridge is where it was and the library is quiet; what the device said, if it said something.
    No { sense: Option<Sense>, why: String, proof: Proof },
    /// It is over, and the cartridge is in the arm; what the device said.
    InArm { arm: ElementName, why: String },
    /// The command never left.
    NotSent(PathFault),
    /// It could not be found out.
    Unknown { why: String },
}

impl Moved {
    /// What a settlement means for a motion that ended with `sense`, or with a lost answer.
    pub(crate) fn settled(settled: Settled, sense: Option<Sense>, why: String, proof: Proof) -> Self {
        match settled {
            Settled::Moved => Self::Yes,
            Settled::NotMoved => Self::No { sense, why, proof },
            Settled::InArm(arm) => Self::InArm { arm, why },
            Settled::Unknown(seen) => Self::Unknown { why: alloc::format!("{why}; {seen}") },
        }
    }
}

/// The procedure. It sends one MOVE at most, and only at its start.
#[derive(Debug, Clone)]
pub(crate) struct Motion {
    settle: Settle,
    stage: Stage,
    sense: Option<Sense>,
    why: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// How long the device may still be at it.
    pub(crate) fn may_last(&self, now: Now) -> Duration {
        match self.stage {
            Stage::Fresh => Duration::ZERO,
            Stage::Sent | Stage::Settling => self.settle.may_last(now),
        }
    }

    /// Why the device cannot be looked at, if it cannot be reached.
    pub(crate) fn path_fault(&self) -> Option<&PathFault> {
        self.settle.path_fault()
    }

    /// Why a person must come before it can be found out what became of it.
    pub(crate) fn wants_person(&self) -> Option<&str> {
        self.settle.wants_person()
    }

    /// The arm in which its cartridge was seen last, and at neither end.
    pub(crate) fn in_arm(&self) -> Option<ElementName> {
        self.settle.in_arm()
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

    fn ended(&mut self, result: Result<Completion, TransportError>, now: Now) -> Do<Moved> {
        match judge(result, self.settle.dialect()) {
            Ended::Good => return Do::Done(Moved::Yes),
            Ended::NotSent(fault) => return Do::Done(Moved::NotSent(fault)),
            Ended::Doubtful { sense, why, proof, timed_out } => {
                self.sense = sense;
                self.why = why;
                self.settle.proved(proof, timed_out, now);
            }
        }
        self.stage = Stage::Settling;
        self.look(Heard::Start, now)
    }

    fn look(&mut self, heard: Heard, now: Now) -> Do<Moved> {
        let (sense, why, proof) = (self.sense, &self.why, self.settle.proof());
        self.settle.step(heard, now).map(|settled| Moved::settled(settled, sense, why.clone(), proof))
    }
}

/// How the command of a motion ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// GOOD, or a remark of a device that has done it.
    Good,
    /// It never left.
    NotSent(PathFault),
    /// The elements must be looked at.
    Doubtful {
        sense: Option<Sense>,
        why: String,
        proof: Proof,
        /// No answer came in the command's time.
        timed_out: bool,
    },
}

/// Reads the ending of a motion's command.
pub(crate) fn judge(result: Result<Completion, TransportError>, dialect: &Dialect) -> Ended {
    let completion = match result {
        Ok(completion) => completion,
        Err(TransportError::NotSent(fault)) => return Ended::NotSent(fault),
        Err(TransportError::OutcomeUnknown(fault)) => {
            let timed_out = fault.kind == PathFaultKind::TimedOut;
            return Ended::Doubtful { sense: None, why: fault.to_string(), proof: Proof::None, timed_out };
        }
    };
    let sense = completion.sense();
    // Of a remark that nobody knows it is not believed that the cartridge has arrived.
    let done = |sense: &Sense| {
        said(sense) == Said::Done
            && (sense.key != SenseKey::NoSense || sense.code == AdditionalSense::default())
    };
    let why = match (completion.status, sense) {
        (Status::Good, _) => return Ended::Good,
        (Status::CheckCondition, Some(sense)) if done(&sense) => return Ended::Good,
        (_, Some(sense)) => words(&sense, dialect),
        (status, None) => alloc::format!("status {status:?} without sense data"),
    };
    let proof = match sense {
        // A deferred error speaks of an earlier command: it proves nothing about this one.
        Some(sense) if sense.deferred => Proof::None,
        Some(sense) if matches!(sense.key, SenseKey::IllegalRequest | SenseKey::UnitAttention) => {
            Proof::Refused
        }
        // Another owner has the library reserved: nothing of ours is carried out.
        None if completion.status == Status::ReservationConflict => Proof::Refused,
        _ => Proof::Ended,
    };
    Ended::Doubtful { sense, why, proof, timed_out: false }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_proves_that_nothing_moved_and_other_statuses_only_that_the_command_has_ended() {
        for (status, expected) in [
            (Status::ReservationConflict, Proof::Refused),
            (Status::Busy, Proof::Ended),
            (Status::TaskAborted, Proof::Ended),
        ] {
            let ended = judge(Ok(Completion { status, ..Completion::good() }), &Dialect::COMMON);
            assert!(matches!(ended, Ended::Doubtful { proof, .. } if proof == expected), "{ended:?}");
        }
    }
}
