//! Reading the label of a medium that is in a drive, and writing the label of a free one (SSC-3: REWIND, READ(6), WRITE(6),
//! WRITE FILEMARKS(6)).
//!
//! READ and WRITE depend on where the tape stands. So nothing is ever simply sent again: after a lost answer or a unit
//! attention the whole begins anew with REWIND.

use alloc::vec::Vec;
use core::fmt;

use autochanger_scsi::{Dialect, Read6, Rewind, Sense, SenseKey, Status, Write6, WriteFilemarks6};
use bytes::Bytes;

use crate::changer::{Do, Heard, Procedure};
use crate::command::{Command, Completion, PathFault};
use crate::id::Device;
use crate::input::Timing;
use crate::label::{FreeLabel, SharedFormat, recognize};
use crate::library::fault::{Outlook, Said, outlook, said};
use crate::request::{FailureKind, LabelFound};
use crate::time::Now;

/// How much of the first block is read. Labels are in the first bytes (LTFS and ANSI: 80, MTF and tar: a few hundred); what is
/// longer is known by its beginning. It fits into the transfers of every path.
const MAX_BLOCK: u32 = 32 * 1024;
/// How often the whole is begun again: as many as unit attentions can be pending, and some lost answers or sense data of earlier
/// commands.
const MAX_ATTEMPTS: u8 = 16;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoLabel {
    /// The device refused.
    Refused { kind: FailureKind, doing: &'static str, sense: Sense },
    /// It gave another answer than GOOD or sense data.
    Status { doing: &'static str, status: Status },
    /// It cannot be reached.
    Path(PathFault),
    /// Something is written on it that was not to be overwritten.
    NotFree(LabelFound),
    /// What was written is not what is read.
    NotKept,
    /// The medium was taken out meanwhile; what is in the drive now can be another one.
    Changed(Sense),
}

impl NoLabel {
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Refused { kind, .. } => *kind,
            Self::Status { .. } => FailureKind::DriveFault,
            Self::Path(_) => FailureKind::PathLost,
            Self::NotFree(_) => FailureKind::NotFree,
            Self::NotKept => FailureKind::MediumFault,
            Self::Changed(_) => FailureKind::CartridgeMissing,
        }
    }

    pub(crate) fn sense(&self) -> Option<Sense> {
        match self {
            Self::Refused { sense, .. } | Self::Changed(sense) => Some(*sense),
            _ => None,
        }
    }
}

impl fmt::Display for NoLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { doing, sense, .. } => write!(f, "{doing}: {sense}"),
            Self::Status { doing, status } => write!(f, "{doing}: status {status:?}"),
            Self::Path(fault) => fault.fmt(f),
            Self::NotFree(found) => write!(f, "it is {found}"),
            Self::NotKept => f.write_str("the label that was written is not the one that is read"),
            Self::Changed(sense) => {
                write!(f, "the medium was taken out meanwhile, and nothing was written since: {sense}")
            }
        }
    }
}

/// The label to be written.
#[derive(Debug, Clone)]
pub(crate) struct Writing {
    pub(crate) label: FreeLabel,
    /// Although something else is written on the medium.
    pub(crate) overwrite: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// To the beginning, then this.
    Rewind(Next),
    Read,
    Write,
    Mark,
    ReadBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Read,
    Write,
    ReadBack,
    End,
}

/// The procedure. It leaves the tape at its beginning.
#[derive(Debug, Clone)]
pub(crate) struct Labelling {
    device: Device,
    timing: Timing,
    formats: Vec<SharedFormat>,
    writing: Option<(Bytes, Writing)>,
    step: Step,
    /// What was found, or is there now.
    found: Option<LabelFound>,
    attempts: u8,
}

type Ended = Result<LabelFound, NoLabel>;

impl Labelling {
    pub(crate) fn new(
        device: Device,
        timing: Timing,
        formats: Vec<SharedFormat>,
        writing: Option<Writing>,
    ) -> Self {
        let writing = writing.map(|writing| (Bytes::from(writing.label.to_block()), writing));
        Self { device, timing, formats, writing, step: Step::Rewind(Next::Read), found: None, attempts: 0 }
    }

    pub(crate) fn device(&self) -> Device {
        self.device
    }

    fn doing(&self) -> &'static str {
        match self.step {
            Step::Rewind(_) => "rewinding",
            Step::Read => "reading the label",
            Step::Write | Step::Mark => "writing the label",
            Step::ReadBack => "reading the label again",
        }
    }

    /// Each of these can move the tape or try a bad spot many times: they get as long as an unload.
    fn send(&self) -> Do<Ended> {
        let timeout = self.timing.unload;
        let read = || Read6 { fixed: false, suppress_incorrect_length: true, length: MAX_BLOCK }.cdb();
        let block = || self.writing.as_ref().map(|(block, _)| block.clone()).unwrap_or_default();
        let command = match self.step {
            Step::Rewind(_) => Command::new(Rewind { immediate: false }.cdb(), timeout),
            Step::Read | Step::ReadBack => Command::reading(read(), MAX_BLOCK, timeout),
            Step::Write => {
                let data_out = block();
                let cdb = Write6 { fixed: false, length: data_out.len() as u32 }.cdb();
                Command { data_out, ..Command::new(cdb, timeout) }
            }
            Step::Mark => Command::new(WriteFilemarks6 { immediate: false, count: 1 }.cdb(), timeout),
        };
        Do::Send(self.device, command)
    }

    fn go(&mut self, step: Step) -> Do<Ended> {
        self.step = step;
        self.send()
    }

    /// Nobody knows where the tape stands: from its beginning again. What may be overwritten was decided once.
    fn again(&mut self, pause: bool, why: NoLabel) -> Do<Ended> {
        self.attempts += 1;
        if self.attempts >= MAX_ATTEMPTS {
            return Do::Done(Err(why));
        }
        let next = match self.step {
            Step::Rewind(next) => next,
            Step::Read => Next::Read,
            Step::Write | Step::Mark | Step::ReadBack => Next::Write,
        };
        self.step = Step::Rewind(next);
        if pause { Do::Wait(self.timing.retry_min) } else { self.send() }
    }

    /// The sense data say nothing of the tape as it is read now.
    fn heard_of_another(&mut self, sense: Sense) -> Do<Ended> {
        self.again(false, NoLabel::Refused { kind: FailureKind::DriveFault, doing: self.doing(), sense })
    }

    fn refused(&mut self, sense: Sense) -> Do<Ended> {
        let doing = self.doing();
        let code = (sense.code.asc, sense.code.ascq);
        let writing = matches!(self.step, Step::Write | Step::Mark);
        let kind = match (sense.key, code) {
            (_, (0x27, _)) | (SenseKey::DataProtect, (0x30, 0x0C)) if writing => FailureKind::WriteProtected,
            (_, (0x30, _)) if writing => FailureKind::Incompatible,
            (SenseKey::MediumError | SenseKey::DataProtect | SenseKey::BlankCheck, _) => {
                FailureKind::MediumFault
            }
            (SenseKey::IllegalRequest, _) => FailureKind::Refused,
            _ => FailureKind::DriveFault,
        };
        let why = NoLabel::Refused { kind, doing, sense };
        match sense.key {
            SenseKey::UnitAttention => self.again(false, why),
            SenseKey::AbortedCommand => self.again(true, why),
            _ if matches!(outlook(&sense, &Dialect::COMMON), Outlook::ComesReady | Outlook::MayPass) => {
                self.again(true, why)
            }
            _ => Do::Done(Err(why)),
        }
    }

    /// What the answer to a READ says of the medium; `None`: it says something of the drive.
    fn judge_read(&self, completion: &Completion) -> Option<Result<Vec<u8>, LabelFound>> {
        let sense = match completion.status {
            Status::Good | Status::ConditionMet => None,
            Status::CheckCondition => Some(completion.sense()?),
            _ => return None,
        };
        let block = || completion.data.get(..MAX_BLOCK as usize).unwrap_or(&completion.data);
        Some(match sense {
            None => Ok(block().to_vec()),
            Some(sense) => match (sense.key, sense.code.asc, sense.code.ascq) {
                _ if said(&sense) == Said::Done && sense.filemark => Err(LabelFound::Unrecognized),
                _ if said(&sense) == Said::Done => {
                    // A shorter block than asked for: some paths fill the rest up.
                    let residue = sense.information.filter(|_| sense.incorrect_length);
                    let residue = residue.filter(|residue| *residue <= u64::from(MAX_BLOCK)).unwrap_or(0);
                    let length = (u64::from(MAX_BLOCK) - residue) as usize;
                    Ok(block().get(..length).unwrap_or(block()).to_vec())
                }
                // END-OF-DATA DETECTED at the very beginning. Without that code a blank check can be a damaged tape.
                (SenseKey::BlankCheck, 0x00, 0x05) => Err(LabelFound::Blank),
                // Encrypted, and the key is not here (SSC-3 4.2.20).
                (_, 0x74, _) => Err(LabelFound::Unreadable),
                (SenseKey::MediumError | SenseKey::BlankCheck, _, _) => Err(LabelFound::Unreadable),
                _ => return None,
            },
        })
    }

    fn read(&mut self, completion: &Completion) -> Option<Do<Ended>> {
        let read = self.judge_read(completion)?;
        if self.step == Step::ReadBack {
            let kept = self.writing.as_ref().is_some_and(|(block, _)| read.is_ok_and(|read| read == *block));
            if kept {
                return Some(self.go(Step::Rewind(Next::End)));
            }
            return Some(self.again(false, NoLabel::NotKept));
        }
        let begun = read.as_ref().is_ok_and(|block| FreeLabel::is_begun(block));
        let found = match read {
            Ok(block) if block.is_empty() => LabelFound::Unrecognized,
            Ok(block) => recognize(&self.formats, &block),
            Err(found) => found,
        };
        let Some((_, Writing { label, overwrite })) = &self.writing else {
            self.found = Some(found);
            return Some(self.go(Step::Rewind(Next::End)));
        };
        let free = begun || matches!(found, LabelFound::Blank | LabelFound::Free(_));
        if !(free || *overwrite) {
            return Some(Do::Done(Err(NoLabel::NotFree(found))));
        }
        self.found = Some(LabelFound::Free(label.to_label()));
        Some(self.go(Step::Rewind(Next::Write)))
    }

    fn judge(&mut self, completion: Completion) -> Do<Ended> {
        let sense = completion.sense().filter(|_| completion.status == Status::CheckCondition);
        let reading = matches!(self.step, Step::Read | Step::ReadBack);
        let empty = |sense: &Sense| reading && completion.data.is_empty() && !sense.filemark;
        let of_another = |sense: &Sense| match said(sense) {
            Said::OfAnother => true,
            // A remark in place of the block that it should come with.
            Said::Done => empty(sense),
            Said::NotDone => false,
        };
        // The drive was ready before this began, so that it had told all that there was to tell of the load.
        if let Some(sense) = sense.filter(says_changed) {
            return Do::Done(Err(NoLabel::Changed(sense)));
        }
        if let Some(sense) = sense.filter(of_another) {
            return self.heard_of_another(sense);
        }
        if reading && let Some(step) = self.read(&completion) {
            return step;
        }
        match (completion.status, sense) {
            (Status::Good | Status::ConditionMet, _) => self.next(),
            // Early warning of the end of the medium comes so, too; it was written.
            (_, Some(sense)) if said(&sense) == Said::Done => self.next(),
            (_, Some(sense)) => self.refused(sense),
            (status @ (Status::Busy | Status::TaskSetFull | Status::TaskAborted), _) => {
                let doing = self.doing();
                self.again(true, NoLabel::Status { doing, status })
            }
            (status, _) => Do::Done(Err(NoLabel::Status { doing: self.doing(), status })),
        }
    }

    fn next(&mut self) -> Do<Ended> {
        match self.step {
            Step::Rewind(Next::Read) => self.go(Step::Read),
            Step::Rewind(Next::Write) => self.go(Step::Write),
            Step::Write => self.go(Step::Mark),
            Step::Mark => self.go(Step::Rewind(Next::ReadBack)),
            Step::Rewind(Next::ReadBack) => self.go(Step::ReadBack),
            Step::Rewind(Next::End) | Step::Read | Step::ReadBack => {
                Do::Done(Ok(self.found.take().unwrap_or(LabelFound::Unreadable)))
            }
        }
    }
}

/// NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED, and what else has this additional sense code (SPC-4 4.5.6).
fn says_changed(sense: &Sense) -> bool {
    const CHANGED: u8 = 0x28;
    sense.key == SenseKey::UnitAttention && sense.code.asc == CHANGED && !sense.deferred
}

impl Procedure for Labelling {
    type Output = Ended;

    fn step(&mut self, heard: Heard, _now: Now) -> Do<Ended> {
        match heard {
            Heard::Start | Heard::Woken => self.send(),
            Heard::Answer(Ok(completion)) => self.judge(completion),
            Heard::Answer(Err(error)) => {
                let fault = error.fault().clone();
                let transient = fault.kind.is_transient();
                let why = NoLabel::Path(fault);
                if transient { self.again(true, why) } else { Do::Done(Err(why)) }
            }
        }
    }
}
