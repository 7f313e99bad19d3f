//! INITIALIZE ELEMENT STATUS (SMC-3 6.2): the library looks at its elements. By an explicit full inventory, and before a library
//! is read that does not serve without it.

use core::time::Duration;

use autochanger_scsi::{
    AdditionalSense, Cdb, Dialect, InitializeElementStatus, InitializeElementStatusWithRange,
    InitializeElementStatusWithRangeVendor, SenseKey,
};

use super::ask::{Ask, Refusal};
use super::{Do, Heard, Procedure};
use crate::command::{Command, Completion, PathFaultKind, TransportError};
use crate::id::Device;
use crate::input::Timing;
use crate::quirk::Quirk;
use crate::time::Now;

/// What a library takes to look at one element at most, and for the rest: what other software allows for planning.
const LONGEST_LOOK: Duration = Duration::from_secs(16);
const BESIDE: Duration = Duration::from_secs(30);
/// No library is given more, however large: what takes longer has failed.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// What a look at one element takes at least: a tenth of the fastest that is published, 800 cells in 80 s.
const SHORTEST_LOOK: Duration = Duration::from_millis(10);

/// The forms of the command, in the order in which they are tried. The plain one is last: where there is another one, it is often
/// GOOD and does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// INITIALIZE ELEMENT STATUS WITH RANGE, 37h (SMC-3 6.3).
    Range,
    /// The same in its older form, E7h.
    Vendor,
    /// INITIALIZE ELEMENT STATUS, 07h.
    Plain,
}

impl Form {
    fn next(self) -> Option<Self> {
        match self {
            Self::Range => Some(Self::Vendor),
            Self::Vendor => Some(Self::Plain),
            Self::Plain => None,
        }
    }

    /// The command for all elements, with their labels.
    fn cdb(self) -> Cdb {
        match self {
            Self::Range => InitializeElementStatusWithRange { fast: false, range: None }.cdb(),
            Self::Vendor => InitializeElementStatusWithRangeVendor { no_bar_code: false, range: None }.cdb(),
            Self::Plain => InitializeElementStatus {}.cdb(),
        }
    }
}

/// LOGICAL UNIT NOT READY, INITIALIZING COMMAND REQUIRED: of a changer that is this command (smc.md 2.3).
const INITIALIZING_COMMAND_REQUIRED: AdditionalSense = AdditionalSense::new(0x04, 0x02);

/// Whether a changer says that it does not serve before it was told to look at its elements.
pub(crate) fn wants_initialize(refusal: &Refusal) -> bool {
    refusal.sense().is_some_and(|sense| {
        sense.key == SenseKey::NotReady && sense.code == INITIALIZING_COMMAND_REQUIRED && !sense.deferred
    })
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Initialized {
    /// The form that the library has.
    pub(crate) form: Form,
    /// It was done before anything could have been looked at.
    pub(crate) did_nothing: bool,
}

impl Initialized {
    /// What that says of the library.
    pub(crate) fn quirks(self) -> impl Iterator<Item = Quirk> {
        let vendor = (self.form == Form::Vendor).then_some(Quirk::OlderInitialize);
        let nothing = self.did_nothing.then_some(Quirk::InitializeDoesNothing);
        vendor.into_iter().chain(nothing)
    }
}

/// The procedure. The command may be repeated: it moves no cartridge to another element. One that was not answered in its time is
/// not: the library would begin anew.
#[derive(Debug, Clone)]
pub(crate) struct Initialize {
    timing: Timing,
    dialect: &'static Dialect,
    form: Form,
    /// How many elements there are, as far as is known.
    elements: usize,
    sent_at: Duration,
    ask: Ask,
}

impl Initialize {
    /// Of a library that has the command in this form, or of which that is not known.
    pub(crate) fn new(known: Option<Form>, elements: usize, timing: Timing) -> Self {
        let form = known.unwrap_or(Form::Range);
        let dialect = &Dialect::COMMON;
        let ask = ask(form, elements, timing, dialect);
        Self { timing, dialect, form, elements, sent_at: Duration::ZERO, ask }
    }

    /// The library speaks this dialect.
    pub(crate) fn in_dialect(self, dialect: &'static Dialect) -> Self {
        Self { dialect, ask: ask(self.form, self.elements, self.timing, dialect), ..self }
    }

    fn follow(
        &mut self,
        step: Do<Result<Completion, Refusal>>,
        now: Now,
    ) -> Do<Result<Initialized, Refusal>> {
        match step {
            Do::Send(device, command) => {
                self.sent_at = now.monotonic;
                Do::Send(device, command)
            }
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(Ok(_)) => {
                let elements = u32::try_from(self.elements).unwrap_or(u32::MAX);
                let took = now.monotonic.saturating_sub(self.sent_at);
                let did_nothing = took < SHORTEST_LOOK.saturating_mul(elements);
                Do::Done(Ok(Initialized { form: self.form, did_nothing }))
            }
            Do::Done(Err(refusal)) => match self.form.next().filter(|_| refusal.is_illegal(0x20)) {
                Some(form) => {
                    self.form = form;
                    self.ask = ask(form, self.elements, self.timing, self.dialect);
                    let step = self.ask.begin();
                    self.follow(step, now)
                }
                None => Do::Done(Err(refusal)),
            },
        }
    }
}

fn ask(form: Form, elements: usize, timing: Timing, dialect: &'static Dialect) -> Ask {
    let elements = u32::try_from(elements).unwrap_or(u32::MAX);
    let needed = BESIDE.saturating_add(LONGEST_LOOK.saturating_mul(elements)).min(LONGEST);
    let command = Command::new(form.cdb(), timing.initialize.max(needed));
    Ask::new(Device::Changer, command, timing).in_dialect(dialect)
}

impl Procedure for Initialize {
    type Output = Result<Initialized, Refusal>;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output> {
        if let Heard::Answer(Err(TransportError::OutcomeUnknown(fault))) = &heard
            && fault.kind == PathFaultKind::TimedOut
        {
            return Do::Done(Err(Refusal::Path(fault.clone())));
        }
        let step = self.ask.step(heard, now);
        self.follow(step, now)
    }
}
