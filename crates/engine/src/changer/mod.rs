//! The changer's protocol, sans-IO: what is asked for becomes commands, answers become meaning.
//!
//! Each operation is a [`Procedure`]: a machine that is told what it heard and says what to do next.

pub(crate) mod alerts;
pub(crate) mod ask;
pub(crate) mod door;
pub(crate) mod exchange;
pub(crate) mod identifiers;
pub(crate) mod identify;
pub(crate) mod initialize;
pub(crate) mod inventory;
pub(crate) mod mode;
pub(crate) mod motion;
pub(crate) mod port;
pub(crate) mod reply;
pub(crate) mod reserve;
pub(crate) mod settle;
pub(crate) mod style;
pub(crate) mod survey;

use core::time::Duration;

use crate::command::{Command, Completion, TransportError};
use crate::id::Device;
use crate::time::Now;

/// What a procedure is told.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Begin.
    Start,
    /// The command that it sent has ended.
    Answer(Result<Completion, TransportError>),
    /// The pause that it asked for is over.
    Woken,
}

/// What a procedure wants.
#[derive(Debug)]
pub(crate) enum Do<T> {
    /// Send this command; tell its end.
    Send(Device, Command),
    /// Come back after this time.
    Wait(Duration),
    /// It has ended.
    Done(T),
}

impl<T> Do<T> {
    /// The same step of a procedure with another result.
    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Do<U> {
        match self {
            Self::Send(device, command) => Do::Send(device, command),
            Self::Wait(pause) => Do::Wait(pause),
            Self::Done(value) => Do::Done(convert(value)),
        }
    }
}

/// One operation on devices, one command at a time.
pub(crate) trait Procedure {
    /// What it ends with.
    type Output;

    /// Takes what was heard and says what to do next. Not called again after [`Do::Done`].
    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output>;
}
