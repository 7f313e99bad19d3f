//! Waiting for a drive: TEST UNIT READY until it is ready, with a patience that follows what the drive says. When it is ready with the first
//! medium that it gets, it is asked how long it recommends to wait for its commands: then it has told what there was to tell, and
//! nobody uses it yet.

use alloc::collections::BTreeMap;
use core::time::Duration;

use autochanger_scsi::{Dialect, LoadUnload, Sense, SenseKey, Status, TestUnitReady};

use crate::changer::ask::{Ask, Refusal};
use crate::changer::survey::commands::{operation_codes, recommended};
use crate::changer::{Do, Heard, Procedure};
use crate::command::{Command, PathFault};
use crate::id::Device;
use crate::input::Timing;
use crate::library::fault::{Doing, Meaning, Said, meaning, said};
use crate::request::FailureKind;
use crate::time::Now;

/// The pause before the next look, by how long the drive has been asked. A load takes 12 to 17 s, and each second that it is
/// seen later is lost to the drive; what takes minutes (a calibration, a cleaning) is not asked so often. The question goes to
/// the drive alone and costs the library nothing.
const PAUSES: [(Duration, Duration); 4] = [
    (Duration::from_secs(1), Duration::from_millis(250)),
    (Duration::from_secs(30), Duration::from_secs(1)),
    (Duration::from_secs(120), Duration::from_secs(2)),
    (Duration::MAX, Duration::from_secs(5)),
];
/// Unit attentions (the load itself raises one) and sense data of earlier commands that are read without a pause.
const MAX_ATTENTIONS: u8 = 16;

/// NOT READY, operation in progress: what an LTO-9 drive says while it calibrates a new medium.
const CALIBRATING: (u8, u8) = (0x04, 0x07);

/// Why a drive did not come ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// What the drive said.
    Sense(FailureKind, Sense),
    /// It gave no usable answer in time.
    Silent(Status),
    /// It cannot be reached.
    Path(PathFault),
}

/// How long the drive recommends to wait for each of its commands; `None`: it was not asked, or did not hear it.
pub(crate) type Recommended = Option<BTreeMap<u8, Duration>>;

/// The procedure.
#[derive(Debug, Clone)]
pub(crate) struct AwaitReady {
    device: Device,
    timing: Timing,
    begun: Option<Duration>,
    attentions: u8,
    calibrates: bool,
    told_to_load: bool,
    /// LOAD is in flight.
    loading: bool,
    /// What it is asked when it is ready, and whether it was.
    times: Option<(Ask, bool)>,
}

impl AwaitReady {
    pub(crate) fn new(device: Device, timing: Timing) -> Self {
        Self {
            device,
            timing,
            begun: None,
            attentions: 0,
            calibrates: false,
            told_to_load: false,
            loading: false,
            times: None,
        }
    }

    /// The drive is asked for the times that it recommends, as many bytes as are transferred at once.
    pub(crate) fn asking_times(self, max_transfer: u32) -> Self {
        let command = operation_codes(self.timing, max_transfer);
        let ask = Ask::new(self.device, command, self.timing).without_retries().without_patience();
        Self { times: Some((ask, false)), ..self }
    }

    fn ready(&mut self) -> Do<Result<Recommended, NotReady>> {
        let Some((ask, asked)) = &mut self.times else { return Do::Done(Ok(None)) };
        *asked = true;
        ask.begin().map(|_| Ok(None))
    }

    /// Whether the drive said that an operation is in progress: it calibrates the medium, for up to two hours (LTO-9).
    pub(crate) fn calibrates(&self) -> bool {
        self.calibrates
    }

    pub(crate) fn device(&self) -> Device {
        self.device
    }

    /// A drive that does not load by itself what the robot puts in is told to, once. What it answers is seen at the next look.
    fn load(&mut self) -> Do<Result<Recommended, NotReady>> {
        self.told_to_load = true;
        let cdb =
            LoadUnload { immediate: false, load: true, retension: false, end_of_tape: false, hold: false };
        self.loading = true;
        Do::Send(self.device, Command::new(cdb.cdb(), self.timing.unload))
    }

    fn look(&self) -> Do<Result<Recommended, NotReady>> {
        Do::Send(self.device, Command::new(TestUnitReady {}.cdb(), self.timing.status))
    }

    fn pause_or(
        &mut self,
        patience: Duration,
        now: Now,
        reason: NotReady,
    ) -> Do<Result<Recommended, NotReady>> {
        let begun = *self.begun.get_or_insert(now.monotonic);
        let waited = now.monotonic.saturating_sub(begun);
        if waited >= patience {
            return Do::Done(Err(reason));
        }
        let pause =
            PAUSES.iter().find(|(until, _)| waited < *until).map_or(Duration::from_secs(5), |(_, p)| *p);
        Do::Wait(pause)
    }

    fn judge(&mut self, status: Status, sense: Option<Sense>, now: Now) -> Do<Result<Recommended, NotReady>> {
        let patience = self.timing.drive_ready;
        match (status, sense) {
            (Status::Good, _) => self.ready(),
            (Status::CheckCondition, Some(sense)) if said(&sense) == Said::Done => self.ready(),
            (Status::CheckCondition, Some(sense))
                if (sense.deferred || sense.key == SenseKey::UnitAttention)
                    && self.attentions < MAX_ATTENTIONS =>
            {
                self.attentions += 1;
                self.look()
            }
            (Status::CheckCondition, Some(sense)) => {
                let reason = NotReady::Sense(FailureKind::DriveFault, sense);
                match meaning(&sense, Doing::Loading, &Dialect::COMMON) {
                    Meaning::Later => {
                        self.calibrates = (sense.code.asc, sense.code.ascq) == CALIBRATING;
                        self.pause_or(self.timing.drive_calibration, now, reason)
                    }
                    Meaning::LoadFirst if !self.told_to_load => self.load(),
                    Meaning::Failed(kind) if kind != FailureKind::DriveFault => {
                        Do::Done(Err(NotReady::Sense(kind, sense)))
                    }
                    // "No medium" right after the robot let go can be the drive's own delay.
                    _ => self.pause_or(patience, now, reason),
                }
            }
            (status, _) => self.pause_or(patience, now, NotReady::Silent(status)),
        }
    }
}

impl Procedure for AwaitReady {
    type Output = Result<Recommended, NotReady>;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output> {
        if let Some((ask, true)) = &mut self.times {
            // A refusal is an answer: most drives have it, and those that do not are not asked again. A lost one is none.
            return ask.step(heard, now).map(|answer| match answer {
                Ok(completion) => Ok(Some(recommended(&completion.data))),
                Err(Refusal::Path(_)) => Ok(None),
                Err(_) => Ok(Some(BTreeMap::new())),
            });
        }
        match heard {
            Heard::Start | Heard::Woken => {
                self.begun.get_or_insert(now.monotonic);
                self.look()
            }
            Heard::Answer(_) if core::mem::take(&mut self.loading) => self.look(),
            Heard::Answer(Ok(completion)) => self.judge(completion.status, completion.sense(), now),
            Heard::Answer(Err(error)) => {
                let fault = error.fault().clone();
                if !fault.kind.is_transient() {
                    return Do::Done(Err(NotReady::Path(fault)));
                }
                let patience = self.timing.drive_ready;
                self.pause_or(patience, now, NotReady::Path(fault))
            }
        }
    }
}
