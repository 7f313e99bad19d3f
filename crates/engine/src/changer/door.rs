//! A person at the door: unlocked, opened, closed again, as far as the library tells. While it is open the library is sent
//! nothing but TEST UNIT READY.

use core::time::Duration;

use autochanger_scsi::{Dialect, Sense, SenseKey, Status, TestUnitReady};

use super::port::{Errand, RunErrand};
use super::{Do, Heard, Procedure};
use crate::command::{Command, Completion, PathFault, TransportError};
use crate::id::Device;
use crate::input::Timing;
use crate::library::fault::{Outlook, Said, outlook, said};
use crate::time::Now;

/// Unit attentions taken one behind the other before a pause is made; devices queue up to about ten.
const MAX_ATTENTIONS: u8 = 16;

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DoorSeen {
    /// The library was out of reach and came back, or answers that all is well when a person is done with it.
    OpenedAndClosed,
    /// The library told of nothing within the time. Many never do.
    Nothing,
    /// The library cannot be reached any more.
    Lost(PathFault),
}

/// The procedure.
#[derive(Debug, Clone)]
pub(crate) struct WatchDoor {
    timing: Timing,
    dialect: &'static Dialect,
    unlocking: Option<RunErrand>,
    /// When the library last answered that all is well, or the watch began.
    well_at: Duration,
    opened: bool,
    /// A person has said that the door was used, and is closed.
    done: bool,
    open_since: Option<Duration>,
    attentions: u8,
    lost: Option<PathFault>,
}

impl WatchDoor {
    /// Of a library that speaks the dialect.
    pub(crate) fn new(timing: Timing, dialect: &'static Dialect) -> Self {
        Self {
            timing,
            dialect,
            unlocking: Some(RunErrand::new(Errand::Lock(false), timing, dialect)),
            well_at: Duration::ZERO,
            opened: false,
            done: false,
            open_since: None,
            attentions: 0,
            lost: None,
        }
    }

    /// The door has been open for longer than a person needs.
    pub(crate) fn is_open_for_long(&self, now: Now) -> bool {
        self.open_since.is_some_and(|since| now.monotonic.saturating_sub(since) >= self.timing.door_patience)
    }

    /// A person says so. As long as the library says that the door is open it is waited for all the same.
    pub(crate) fn person_is_done(&mut self) {
        self.done = true;
    }

    fn look(&self) -> Do<DoorSeen> {
        Do::Send(Device::Changer, Command::new(TestUnitReady {}.cdb(), self.timing.status))
    }

    fn heard(&mut self, completion: &Completion, now: Now) -> Do<DoorSeen> {
        self.lost = None;
        match (completion.status, completion.sense()) {
            (Status::Good | Status::ConditionMet, _) => return self.well(now),
            (Status::CheckCondition, Some(sense)) if said(&sense) == Said::Done => return self.well(now),
            (Status::CheckCondition, Some(sense))
                if sense.deferred || sense.key == SenseKey::UnitAttention =>
            {
                return self.attention(sense);
            }
            (Status::CheckCondition, Some(sense)) => match outlook(&sense, self.dialect) {
                Outlook::Open => {
                    self.opened = true;
                    self.open_since.get_or_insert(now.monotonic);
                }
                Outlook::ComesReady | Outlook::MayPass => {
                    self.opened = true;
                    self.open_since = None;
                }
                Outlook::WantsPerson | Outlook::None => {}
            },
            _ => {}
        }
        self.wait(now)
    }

    fn well(&mut self, now: Now) -> Do<DoorSeen> {
        if self.opened || self.done {
            return Do::Done(DoorSeen::OpenedAndClosed);
        }
        // `well_at` stays where it is: the time runs from the asking.
        self.wait(now)
    }

    /// NOT READY TO READY CHANGE: it was open, and is closed again, between two looks.
    fn attention(&mut self, sense: Sense) -> Do<DoorSeen> {
        self.opened |= !sense.deferred && (sense.code.asc, sense.code.ascq) == (0x28, 0x00);
        self.attentions += 1;
        if self.attentions < MAX_ATTENTIONS {
            return self.look();
        }
        self.attentions = 0;
        Do::Wait(self.timing.port_poll)
    }

    fn wait(&mut self, now: Now) -> Do<DoorSeen> {
        self.attentions = 0;
        let over = now.monotonic.saturating_sub(self.well_at) >= self.timing.door_timeout;
        // As long as it says that it is open it is waited for; the door is closed by a person or never.
        if over && self.open_since.is_none() {
            return Do::Done(self.lost.take().map_or(DoorSeen::Nothing, DoorSeen::Lost));
        }
        Do::Wait(self.timing.port_poll)
    }
}

impl Procedure for WatchDoor {
    type Output = DoorSeen;

    fn step(&mut self, heard: Heard, now: Now) -> Do<DoorSeen> {
        if let Some(unlocking) = &mut self.unlocking {
            // A library whose door cannot be locked, or not by us, is opened all the same.
            match unlocking.step(heard, now) {
                Do::Send(device, command) => return Do::Send(device, command),
                Do::Wait(pause) => return Do::Wait(pause),
                Do::Done(_) => {}
            }
            self.unlocking = None;
            self.well_at = now.monotonic;
            return self.look();
        }
        match heard {
            Heard::Start | Heard::Woken => self.look(),
            Heard::Answer(Ok(completion)) => self.heard(&completion, now),
            Heard::Answer(Err(error)) => {
                let (TransportError::NotSent(fault) | TransportError::OutcomeUnknown(fault)) = error;
                self.lost = Some(fault);
                self.open_since = None;
                self.wait(now)
            }
        }
    }
}
