//! Before a library is read: whether it serves, and whether it has to look at its elements first.

use alloc::boxed::Box;

use autochanger_scsi::{AdditionalSense, Sense, SenseKey, TestUnitReady};
use bytes::Bytes;

use super::{NotSurveyed, Stage, Survey, Surveyed};
use crate::changer::ask::Refusal;
use crate::changer::initialize::{Initialize, Initialized, wants_initialize};
use crate::changer::mode::GeometryForm;
use crate::changer::{Do, Heard, Procedure};
use crate::command::Command;
use crate::id::Device;
use crate::quirk::Quirk;
use crate::time::Now;

/// POWER ON, RESET, OR BUS DEVICE RESET OCCURRED; POWER ON OCCURRED. Some targets say the first to each new initiator.
pub(crate) const SWITCHED_ON: [AdditionalSense; 2] =
    [AdditionalSense::new(0x29, 0x00), AdditionalSense::new(0x29, 0x01)];

/// When a library is told to look at its elements before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// When it says that it does not serve without.
    Wanted,
    /// Also when it was switched on.
    SwitchedOn,
    /// In any case.
    Always,
}

impl Survey {
    /// How, and when, the library is told to look at its elements.
    pub(crate) fn initializing(self, initialize: Initialize, when: When) -> Self {
        Self { initialize: Some(initialize), when, ..self }
    }

    /// Hears whether the library was switched on.
    pub(super) fn note_start(&mut self, heard: &Heard) {
        let Heard::Answer(Ok(completion)) = heard else { return };
        let on = |sense: Sense| sense.key == SenseKey::UnitAttention && SWITCHED_ON.contains(&sense.code);
        if self.when == When::SwitchedOn && completion.sense().is_some_and(on) {
            self.when = When::Always;
        }
    }

    fn ask_ready(&mut self, now: Now) -> Do<Result<Surveyed, NotSurveyed>> {
        let command = Command::new(TestUnitReady {}.cdb(), self.timing.status);
        self.ask(Stage::Ready, Device::Changer, command, now)
    }

    /// INITIALIZING COMMAND REQUIRED is obeyed once: a library that wants it again after it was done is not fit.
    pub(super) fn judge_ready(
        &mut self,
        answer: Result<Bytes, Refusal>,
        now: Now,
    ) -> Do<Result<Surveyed, NotSurveyed>> {
        let wants = answer.as_ref().is_err_and(wants_initialize);
        if (wants || (self.when == When::Always && answer.is_ok()))
            && let Some(mut initialize) = self.initialize.take()
        {
            if wants {
                self.found.quirks.insert(Quirk::NeedsInitialize);
            }
            let step = initialize.step(Heard::Start, now);
            self.stage = Stage::Initialize(Box::new(initialize));
            return self.follow_initialize(step, now);
        }
        match answer {
            Ok(_) => self.ask_geometry(GeometryForm::SixWithoutDescriptors, now),
            Err(refusal) => Do::Done(Err(NotSurveyed::Unfit(alloc::format!("it is not ready: {refusal}")))),
        }
    }

    pub(super) fn follow_initialize(
        &mut self,
        step: Do<Result<Initialized, Refusal>>,
        now: Now,
    ) -> Do<Result<Surveyed, NotSurveyed>> {
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(Ok(initialized)) => {
                self.found.initialized = Some(initialized.form);
                self.found.quirks.extend(initialized.quirks());
                self.ask_ready(now)
            }
            Do::Done(Err(Refusal::Path(fault))) => Do::Done(Err(NotSurveyed::Path(fault))),
            // It may serve all the same.
            Do::Done(Err(refusal)) => {
                if refusal.is_illegal(0x20) {
                    self.found.quirks.insert(Quirk::NoInitialize);
                }
                self.ask_ready(now)
            }
        }
    }
}
