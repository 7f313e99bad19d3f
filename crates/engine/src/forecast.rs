//! What would be done next, and why: the answer to a dry run.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use autochanger_scsi::ElementAddress;

use crate::catalog::{Caller, Role};
use crate::id::RequestId;
use crate::request::{ElementName, Request, State, Waiting};
use crate::view::OperatorTask;

/// The most steps that a forecast tells: more than the drives and arms of any library can take before somebody has to dismount
/// something. Bounds its work, whatever is asked for.
pub const MAX_STEPS: usize = 1024;

/// What would be done next if all that is under way, and all that is told here, succeeded in its usual time, and nobody asked for
/// anything else meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The steps, in the order in which they would be taken.
    pub steps: Vec<NextStep>,
    /// What would be waiting after them, in the order of the queue.
    pub waiting: Vec<Waits>,
    /// Why it tells no further step.
    pub horizon: Horizon,
}

/// Why a forecast tells no further step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Horizon {
    /// Nothing more would be done: everything has ended, or waits.
    Rest,
    /// As many steps as were asked for are told.
    Limit,
    /// What follows depends on what a device says (an inventory, a label, the cleaning of a drive), which nobody can foresee.
    Report,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// When, counted from now, by the times that were measured here; where nothing was measured yet, by those of usual libraries.
    pub after: Duration,
    /// For which request, as it would stand then.
    pub request: Request,
    /// What would be done.
    pub step: Step,
    /// Why this, and why so: the reasons as they were decided on, the first one first. Beside them the order of service counts:
    /// see the manual's chapter on concepts.
    pub why: Vec<Why>,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// MOVE MEDIUM.
    Move {
        /// From where.
        source: ElementName,
        /// Where to.
        destination: ElementName,
    },
    /// EXCHANGE MEDIUM, for two requests: the dismount, whose step this is, and the mount of another medium in its drive.
    Exchange {
        /// The drive.
        drive: ElementName,
        /// Where the new medium comes from.
        source: ElementName,
        /// Where the old medium goes.
        destination: ElementName,
        /// The mount.
        mount: RequestId,
    },
    /// The drive rewinds and unloads.
    Unload {
        /// The drive.
        drive: ElementAddress,
    },
    /// The elements are read, or first initialized.
    Inventory,
    /// The label on the medium in the drive is read, or written.
    Label {
        /// The drive.
        drive: Option<ElementAddress>,
    },
    /// The drive cleans itself with the cartridge in it.
    Clean {
        /// The drive.
        drive: Option<ElementAddress>,
    },
    /// A person is asked.
    Ask(OperatorTask),
    /// The dismount is put off, until the drive is needed.
    PutOff,
    /// The request ends.
    End(State),
}

/// A reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// An empty drive is filled before another one is emptied.
    FillsEmptyDrive,
    /// Its medium is in this drive already: no motion is needed.
    MediumInDrive,
    /// The medium was to be taken out, and this request wants it where it is.
    HandedOver {
        /// The request that was to take it out.
        by: RequestId,
    },
    /// The request names the drive.
    DriveNamed,
    /// The drive was given to it together with those of the others of its group.
    DriveOfGroup,
    /// No other free drive would do.
    OnlyDrive,
    /// Of the free drives that would do, it was not used for the longest time.
    LeastRecentlyUsed {
        /// How many there were.
        of: usize,
    },
    /// Of the free drives that would do, it is one of those that are nearest to the medium, and of these was not used for the longest time.
    Nearest {
        /// How many there were.
        of: usize,
    },
    /// The drive has failed with one medium after another, and no other one is free.
    LastChoice,
    /// Its medium makes way in the drive for others that wait.
    MakesWay,
    /// It follows the dismount that empties its drive, so that the arm turns round at once.
    Follows {
        /// The dismount.
        dismount: RequestId,
    },
    /// The drive rewinds and unloads while the arm is elsewhere.
    UnloadsEarly,
    /// The request names the slot.
    SlotNamed,
    /// The slot from which the medium came.
    SlotOfOrigin,
    /// A free slot: the one that it came from is taken, or not known.
    FreeSlot,
}

/// A request that would be waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// The request.
    pub request: Request,
    /// For what; `None`: for its turn.
    pub waiting: Option<Waiting>,
    /// Who has it: requests and mounts, by their ids. A session of [`Role::Application`] is not told.
    pub held_by: Vec<RequestId>,
}

impl Forecast {
    /// Leaves out what the caller may not know of. The places and times of what is left do not change.
    pub fn retain_visible_to(&mut self, caller: &Caller) {
        self.steps.retain(|next| next.request.is_visible_to(caller));
        self.waiting.retain(|waits| waits.request.is_visible_to(caller));
        if caller.role == Role::Application {
            for waits in &mut self.waiting {
                waits.held_by.clear();
            }
        }
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.steps.iter().enumerate() {
            writeln!(f, "{}. {step}", n + 1)?;
        }
        for waits in &self.waiting {
            writeln!(f, "-  {waits}")?;
        }
        f.write_str(match self.horizon {
            Horizon::Rest if self.steps.is_empty() && self.waiting.is_empty() => "nothing is to be done",
            Horizon::Rest => "then nothing more is to be done",
            Horizon::Limit => "and so on",
            Horizon::Report => "what follows depends on what is read",
        })
    }
}

impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} s, {}: {}", self.after.as_secs(), whose(&self.request), self.step)?;
        for (n, why) in self.why.iter().enumerate() {
            f.write_str(if n == 0 { " (" } else { "; " })?;
            why.fmt(f)?;
        }
        if self.why.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&whose(&self.request))?;
        match self.waiting {
            None => f.write_str(" waits for its turn")?,
            Some(waiting) => write!(f, ": {}", State::Waiting(waiting))?,
        }
        for (n, holder) in self.held_by.iter().enumerate() {
            write!(f, "{}{holder}", if n == 0 { ", which is with " } else { ", " })?;
        }
        Ok(())
    }
}

fn whose(request: &Request) -> String {
    match &request.barcode {
        Some(barcode) => alloc::format!("{} of {barcode} for {:?}", request.operation(), request.application),
        None => alloc::format!("{} for {:?}", request.operation(), request.application),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_drive = |drive: &Option<ElementAddress>| {
            drive.map_or_else(String::new, |drive| alloc::format!(" in drive {drive}"))
        };
        match self {
            Self::Move { source, destination } => write!(f, "move from {source} to {destination}"),
            Self::Exchange { drive, source, destination, mount } => write!(
                f,
                "exchange in {drive}: the medium there goes to {destination}, and that of request {mount} comes from {source}"
            ),
            Self::Unload { drive } => write!(f, "unload drive {drive}"),
            Self::Inventory => f.write_str("read the elements"),
            Self::Label { drive } => write!(f, "read or write the label{}", in_drive(drive)),
            Self::Clean { drive } => write!(f, "clean{}", in_drive(drive)),
            Self::Ask(task) => write!(f, "ask a person to {task}"),
            Self::PutOff => f.write_str("put off, until the drive is needed"),
            Self::End(state) => f.write_str(&state.to_string()),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FillsEmptyDrive => f.write_str("an empty drive is filled before another one is emptied"),
            Self::MediumInDrive => f.write_str("its medium is in the drive"),
            Self::HandedOver { by } => write!(f, "request {by} leaves the medium in the drive for it"),
            Self::DriveNamed => f.write_str("it names the drive"),
            Self::DriveOfGroup => f.write_str("its group was given the drive"),
            Self::OnlyDrive => f.write_str("no other free drive would do"),
            Self::LeastRecentlyUsed { of } => {
                write!(f, "of {of} free drives this one was not used for the longest time")
            }
            Self::Nearest { of } => write!(f, "of {of} free drives this one is among the nearest"),
            Self::LastChoice => f.write_str("the drive is suspect, and no other one is free"),
            Self::MakesWay => f.write_str("its medium makes way for others"),
            Self::Follows { dismount } => write!(f, "it follows request {dismount}, which empties the drive"),
            Self::UnloadsEarly => f.write_str("the drive unloads while the arm is elsewhere"),
            Self::SlotNamed => f.write_str("it names the slot"),
            Self::SlotOfOrigin => f.write_str("the medium came from this slot"),
            Self::FreeSlot => f.write_str("a free slot: its own is taken or not known"),
        }
    }
}
