//! One harmless question, asked until there is an answer. For commands that may be repeated; never for a motion.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use autochanger_scsi::{Dialect, RequestSense, Sense, SenseKey, Status};

use super::{Do, Heard, Procedure};
use crate::command::{Command, Completion, PathFault, TransportError};
use crate::id::Device;
use crate::input::Timing;
use crate::library::fault::{Outlook, Said, outlook, said, words};
use crate::time::Now;

/// Unit attentions come one at a time; devices queue up to about ten (mtx drains ten). Sense data of earlier commands count with
/// them.
const MAX_ATTENTIONS: u8 = 16;
/// How often a question is asked again after a lost answer or an aborted command: a connection is made anew with the
/// first try, and one that breaks three times in a row is a path that is lost.
const MAX_RETRIES: u8 = 3;
/// What REQUEST SENSE may return at most (SPC-4 4.5.1).
const SENSE_LENGTH: u8 = 252;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The device refused it.
    Sense(Sense, &'static Dialect),
    /// The device ended it with another status, or with CHECK CONDITION and no sense data.
    Status(Status),
    /// The device cannot be reached.
    Path(PathFault),
}

impl Refusal {
    /// The sense data, where that was the answer.
    pub(crate) fn sense(&self) -> Option<Sense> {
        match self {
            Self::Sense(sense, _) => Some(*sense),
            _ => None,
        }
    }

    /// Whether it is about what was asked, and not about a trouble of the device: ILLEGAL REQUEST, or CHECK CONDITION and nothing
    /// more.
    pub(crate) fn minds_the_question(&self) -> bool {
        match self {
            Self::Sense(sense, _) => sense.key == SenseKey::IllegalRequest && !sense.deferred,
            Self::Status(status) => *status == Status::CheckCondition,
            Self::Path(_) => false,
        }
    }

    /// ILLEGAL REQUEST with this additional sense code.
    pub(crate) fn is_illegal(&self, asc: u8) -> bool {
        self.sense().is_some_and(|sense| sense.key == SenseKey::IllegalRequest && sense.code.asc == asc)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sense(sense, dialect) => write!(f, "sense {}", words(sense, dialect)),
            Self::Status(status) => write!(f, "status {status:?} without sense data"),
            Self::Path(fault) => fault.fmt(f),
        }
    }
}

/// The question.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    device: Device,
    command: Command,
    timing: Timing,
    dialect: &'static Dialect,
    /// How long the device may say that it is busy or coming ready.
    patience: Duration,
    waited: Duration,
    pause: Duration,
    attentions: u8,
    retries: u8,
    max_retries: u8,
    /// REQUEST SENSE is in flight: the answer came without sense data.
    asking_sense: bool,
    asked_for_sense: bool,
}

impl Ask {
    /// Asks `device`.
    pub(crate) fn new(device: Device, command: Command, timing: Timing) -> Self {
        let patience = timing.element_status;
        Self {
            device,
            command,
            timing,
            dialect: &Dialect::COMMON,
            patience,
            waited: Duration::ZERO,
            pause: timing.retry_min,
            attentions: 0,
            retries: 0,
            max_retries: MAX_RETRIES,
            asking_sense: false,
            asked_for_sense: false,
        }
    }

    /// The device speaks this dialect.
    pub(crate) fn in_dialect(self, dialect: &'static Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// A lost path is told at once: whoever asks tries again by himself.
    pub(crate) fn without_retries(mut self) -> Self {
        self.max_retries = 0;
        self
    }

    /// A device that is busy, or not ready, is not waited for: the answer is of use, and not needed.
    pub(crate) fn without_patience(mut self) -> Self {
        self.patience = Duration::ZERO;
        self
    }

    /// The first step: sends the question.
    pub(crate) fn begin(&self) -> Do<Result<Completion, Refusal>> {
        self.send()
    }

    /// Whether sense data had to be asked for.
    pub(crate) fn asked_for_sense(&self) -> bool {
        self.asked_for_sense
    }

    fn send(&self) -> Do<Result<Completion, Refusal>> {
        Do::Send(self.device, self.command.clone())
    }

    fn wait_or(&mut self, refusal: Refusal) -> Do<Result<Completion, Refusal>> {
        if self.waited >= self.patience {
            return Do::Done(Err(refusal));
        }
        let pause = self.pause;
        self.waited += pause;
        self.pause = pause.saturating_mul(2).min(self.timing.retry_max);
        Do::Wait(pause)
    }

    fn retry_or(&mut self, refusal: Refusal) -> Do<Result<Completion, Refusal>> {
        self.retries += 1;
        if self.retries > self.max_retries { Do::Done(Err(refusal)) } else { Do::Wait(self.timing.retry_min) }
    }

    /// The device had something to say before it answers: it is heard out.
    fn drain_or(&mut self, sense: Sense) -> Do<Result<Completion, Refusal>> {
        self.attentions += 1;
        if self.attentions <= MAX_ATTENTIONS {
            self.send()
        } else {
            Do::Done(Err(Refusal::Sense(sense, self.dialect)))
        }
    }

    fn judge(&mut self, completion: Completion) -> Do<Result<Completion, Refusal>> {
        if core::mem::take(&mut self.asking_sense) {
            return self.judge_requested(&completion);
        }
        match completion.status {
            Status::Good | Status::ConditionMet => Do::Done(Ok(completion)),
            Status::CheckCondition => match completion.sense() {
                None => self.ask_sense(),
                Some(sense) if said(&sense) == Said::Done => {
                    // A remark in place of the data that it should come with is no answer.
                    let empty = self.command.data_in > 0 && completion.data.is_empty();
                    if empty { self.drain_or(sense) } else { Do::Done(Ok(completion)) }
                }
                Some(sense) => self.judge_sense(sense),
            },
            status @ (Status::Busy | Status::TaskSetFull) => self.wait_or(Refusal::Status(status)),
            status @ Status::TaskAborted => self.retry_or(Refusal::Status(status)),
            status => Do::Done(Err(Refusal::Status(status))),
        }
    }

    fn judge_sense(&mut self, sense: Sense) -> Do<Result<Completion, Refusal>> {
        let refusal = Refusal::Sense(sense, self.dialect);
        if sense.deferred || sense.key == SenseKey::UnitAttention {
            return self.drain_or(sense);
        }
        match outlook(&sense, self.dialect) {
            Outlook::ComesReady | Outlook::MayPass => self.wait_or(refusal),
            // Somebody has the door open: it will be closed.
            Outlook::Open if self.device == Device::Changer => self.wait_or(refusal),
            _ if sense.key == SenseKey::AbortedCommand => self.retry_or(refusal),
            _ => Do::Done(Err(refusal)),
        }
    }

    /// CHECK CONDITION without sense data: the device keeps it until it is asked (SAM-5 5.13, without autosense).
    fn ask_sense(&mut self) -> Do<Result<Completion, Refusal>> {
        self.asking_sense = true;
        let cdb = RequestSense { descriptor: false, allocation: SENSE_LENGTH }.cdb();
        Do::Send(self.device, Command::reading(cdb, u32::from(SENSE_LENGTH), self.timing.status))
    }

    /// What REQUEST SENSE returned. Some devices have nothing to say then either.
    fn judge_requested(&mut self, completion: &Completion) -> Do<Result<Completion, Refusal>> {
        let sense = Sense::parse(&completion.data).filter(|_| completion.status == Status::Good);
        match sense {
            Some(sense) if sense.key != SenseKey::NoSense => {
                self.asked_for_sense = true;
                self.judge_sense(sense)
            }
            _ => Do::Done(Err(Refusal::Status(Status::CheckCondition))),
        }
    }
}

impl Procedure for Ask {
    type Output = Result<Completion, Refusal>;

    fn step(&mut self, heard: Heard, _now: Now) -> Do<Self::Output> {
        match heard {
            Heard::Start | Heard::Woken => {
                self.asking_sense = false;
                self.send()
            }
            Heard::Answer(Ok(completion)) => self.judge(completion),
            Heard::Answer(Err(error)) => {
                self.asking_sense = false;
                let transient = error.fault().kind.is_transient();
                let (TransportError::NotSent(fault) | TransportError::OutcomeUnknown(fault)) = error;
                if transient {
                    self.retry_or(Refusal::Path(fault))
                } else {
                    Do::Done(Err(Refusal::Path(fault)))
                }
            }
        }
    }
}

/// Words for a device that broke its own rules.
pub(crate) fn unreadable(what: &str) -> String {
    alloc::format!("it answered {what} with data that cannot be read")
}
