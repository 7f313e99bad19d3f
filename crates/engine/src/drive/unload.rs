//! Unloading a drive before the robot comes for the cartridge: rewinding takes up to minutes, and the arm need not wait.

use autochanger_scsi::{Dialect, LoadUnload, PreventAllowMediumRemoval, Sense, Status};

use crate::changer::{Do, Heard, Procedure};
use crate::command::Command;
use crate::id::Device;
use crate::input::Timing;
use crate::library::fault::{Doing, Meaning, Said, meaning, said};
use crate::request::FailureKind;
use crate::time::Now;

/// How often UNLOAD is sent again after a unit attention, a lost answer or a busy drive; it may be repeated. As many as
/// unit attentions can be pending.
const MAX_ATTEMPTS: u8 = 16;

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unloaded {
    /// The drive has let go, or the robot will make it do so.
    Yes,
    /// The drive refuses.
    No(FailureKind, Sense),
}

/// The procedure.
#[derive(Debug, Clone)]
pub(crate) struct Unload {
    device: Device,
    timing: Timing,
    /// Take PREVENT MEDIUM REMOVAL back when it is in the way. Once.
    force: bool,
    allowing: bool,
    /// The drive has let go; the robot is kept from it for a while.
    settling: bool,
    attempts: u8,
}

impl Unload {
    pub(crate) fn new(device: Device, timing: Timing, force: bool) -> Self {
        Self { device, timing, force, allowing: false, settling: false, attempts: 0 }
    }

    pub(crate) fn device(&self) -> Device {
        self.device
    }

    fn send(&mut self) -> Do<Unloaded> {
        self.attempts += 1;
        self.allowing = false;
        let cdb =
            LoadUnload { immediate: false, load: false, retension: false, end_of_tape: false, hold: false };
        Do::Send(self.device, Command::new(cdb.cdb(), self.timing.unload))
    }

    fn allow(&mut self) -> Do<Unloaded> {
        self.force = false;
        self.allowing = true;
        let cdb = PreventAllowMediumRemoval { prevent: false };
        Do::Send(self.device, Command::new(cdb.cdb(), self.timing.status))
    }

    fn let_go(&mut self) -> Do<Unloaded> {
        self.settling = true;
        match self.timing.unload_settle {
            settle if settle.is_zero() => Do::Done(Unloaded::Yes),
            settle => Do::Wait(settle),
        }
    }

    fn again(&mut self) -> Do<Unloaded> {
        if self.attempts < MAX_ATTEMPTS { Do::Wait(self.timing.retry_min) } else { Do::Done(Unloaded::Yes) }
    }
}

impl Procedure for Unload {
    type Output = Unloaded;

    fn step(&mut self, heard: Heard, _now: Now) -> Do<Unloaded> {
        let completion = match heard {
            _ if self.settling => return Do::Done(Unloaded::Yes),
            Heard::Start | Heard::Woken => return self.send(),
            _ if self.allowing => return self.send(),
            // A drive that cannot be reached is left to the robot, which unloads by itself where it can.
            Heard::Answer(Err(error)) if !error.fault().kind.is_transient() => {
                return Do::Done(Unloaded::Yes);
            }
            Heard::Answer(Err(_)) => return self.again(),
            Heard::Answer(Ok(completion)) => completion,
        };
        match (completion.status, completion.sense()) {
            (Status::Good, _) => self.let_go(),
            (Status::CheckCondition, Some(sense)) if said(&sense) == Said::Done => self.let_go(),
            (Status::CheckCondition, Some(sense)) => {
                match meaning(&sense, Doing::Unloading, &Dialect::COMMON) {
                    // It may have let go just now.
                    Meaning::AlreadySo => self.let_go(),
                    Meaning::NotOffered => Do::Done(Unloaded::Yes),
                    Meaning::Again if sense.key == autochanger_scsi::SenseKey::UnitAttention => {
                        if self.attempts < MAX_ATTEMPTS { self.send() } else { Do::Done(Unloaded::Yes) }
                    }
                    Meaning::Again
                    | Meaning::Later
                    | Meaning::OnceMore
                    | Meaning::UnloadFirst
                    | Meaning::LoadFirst => self.again(),
                    Meaning::Failed(FailureKind::MediumHeld) if self.force => self.allow(),
                    Meaning::Failed(kind) => Do::Done(Unloaded::No(kind, sense)),
                }
            }
            (Status::Busy | Status::TaskSetFull | Status::TaskAborted, _) => self.again(),
            _ => Do::Done(Unloaded::Yes),
        }
    }
}
