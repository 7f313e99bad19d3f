//! A tape drive: what its cartridge is doing, and the commands of its logical unit.

use core::time::Duration;

use autochanger_scsi::{ElementAddress, LoadUnload, Sense, SenseKey};

use crate::answer::{illegal, not_ready, sense};

/// What the drive does with its cartridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No cartridge.
    Empty,
    /// A cartridge was inserted and is becoming ready.
    Loading,
    /// The tape can be read and written.
    Ready,
    /// The tape is being rewound and ejected.
    Unloading,
    /// The cartridge is ejected, or was never threaded: the robot may take it.
    Ejected,
    /// A cleaning cartridge is at work.
    Cleaning,
}

/// One drive.
#[derive(Debug)]
pub(crate) struct Drive {
    pub(crate) address: ElementAddress,
    pub(crate) state: State,
    /// When the present state ends, where it ends by itself.
    pub(crate) until: Duration,
    /// Counts the states, so that the end of an abandoned one is known as such.
    pub(crate) generation: u64,
    pub(crate) dead: bool,
    pub(crate) stuck: bool,
    /// It asks to be cleaned; whether it must be.
    pub(crate) dirty: Option<bool>,
    /// It calibrates what it loads, which it says: the first load of an LTO-9 cartridge.
    pub(crate) calibrates: bool,
    /// The record of its tape that comes next; 0 is the beginning.
    pub(crate) position: usize,
}

impl Drive {
    pub(crate) fn new(address: ElementAddress, loaded: bool) -> Self {
        let state = if loaded { State::Ready } else { State::Empty };
        Self {
            address,
            state,
            until: Duration::ZERO,
            generation: 0,
            dead: false,
            stuck: false,
            dirty: None,
            calibrates: false,
            position: 0,
        }
    }

    /// Enters a state; the generation by which its end is to be announced.
    pub(crate) fn enter(&mut self, state: State, until: Duration) -> u64 {
        self.state = state;
        // Loaded and unloaded, a tape is at its beginning.
        self.position = 0;
        self.until = until;
        self.generation += 1;
        self.generation
    }

    /// The state that follows when the present one has run its time.
    pub(crate) fn successor(&self) -> Option<State> {
        match self.state {
            State::Loading => Some(State::Ready),
            State::Unloading | State::Cleaning => Some(State::Ejected),
            State::Empty | State::Ready | State::Ejected => None,
        }
    }

    /// Whether the robot can reach in: ACCESS of the element descriptor.
    pub(crate) fn accessible(&self) -> bool {
        matches!(self.state, State::Empty | State::Ejected)
    }

    /// Whether it ejected its cartridge less than so many seconds ago.
    pub(crate) fn lags(&self, seconds: u16, now: Duration) -> bool {
        self.state == State::Ejected && now < self.until.saturating_add(Duration::from_secs(seconds.into()))
    }

    /// Whether the memory chip of its cartridge can be read.
    pub(crate) fn memory_accessible(&self) -> bool {
        !self.dead && matches!(self.state, State::Ready | State::Ejected)
    }

    /// Why the drive is not ready, if it is not.
    pub(crate) fn unready(&self) -> Option<Sense> {
        if self.dead {
            return Some(sense(SenseKey::HardwareError, 0x44, 0x00));
        }
        match self.state {
            State::Ready => None,
            State::Empty => Some(not_ready(0x3A, 0x00)),
            State::Loading if self.calibrates => Some(not_ready(0x04, 0x07)),
            State::Loading => Some(not_ready(0x04, 0x01)),
            State::Unloading => Some(not_ready(0x04, 0x07)),
            State::Ejected => Some(not_ready(0x3A, 0x04)),
            State::Cleaning => Some(not_ready(0x30, 0x03)),
        }
    }

    /// What a LOAD UNLOAD leads to.
    pub(crate) fn load_unload(&self, command: LoadUnload, prevented: bool) -> Result<Turn, Sense> {
        if self.dead {
            return Err(sense(SenseKey::HardwareError, 0x44, 0x00));
        }
        match (command.load, self.state) {
            (_, State::Empty) => Err(not_ready(0x3A, 0x00)),
            (_, State::Loading | State::Unloading | State::Cleaning) => {
                Err(self.unready().unwrap_or_else(|| not_ready(0x04, 0x00)))
            }
            (true, State::Ready) | (false, State::Ejected) => Ok(Turn::Stay),
            (true, State::Ejected) if command.hold => Ok(Turn::Stay),
            (true, State::Ejected) => Ok(Turn::Load),
            (false, State::Ready) if prevented => Err(illegal(0x53, 0x02)),
            (false, State::Ready) if self.stuck => Err(sense(SenseKey::HardwareError, 0x53, 0x01)),
            (false, State::Ready) => Ok(Turn::Unload),
        }
    }
}

/// What is answered for a drive that is not there; commands never get so far.
pub(crate) fn unknown_drive() -> Sense {
    not_ready(0x04, 0x00)
}

/// What a drive has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Stay,
    Load,
    Unload,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: LoadUnload =
        LoadUnload { immediate: false, load: true, retension: false, end_of_tape: false, hold: false };
    const UNLOAD: LoadUnload = LoadUnload { load: false, ..LOAD };

    fn drive(state: State) -> Drive {
        let mut drive = Drive::new(ElementAddress(500), true);
        drive.state = state;
        drive
    }

    #[test]
    fn load_and_unload_do_what_the_state_allows() {
        assert_eq!(drive(State::Ejected).load_unload(LOAD, false), Ok(Turn::Load));
        assert_eq!(
            drive(State::Ejected).load_unload(LoadUnload { hold: true, ..LOAD }, false),
            Ok(Turn::Stay)
        );
        assert_eq!(drive(State::Ejected).load_unload(UNLOAD, true), Ok(Turn::Stay));
        assert_eq!(drive(State::Ready).load_unload(LOAD, true), Ok(Turn::Stay));
        assert_eq!(drive(State::Ready).load_unload(UNLOAD, false), Ok(Turn::Unload));
        assert_eq!(drive(State::Ready).load_unload(UNLOAD, true), Err(illegal(0x53, 0x02)));
        assert_eq!(drive(State::Loading).load_unload(UNLOAD, false), Err(not_ready(0x04, 0x01)));
        assert_eq!(drive(State::Empty).load_unload(LOAD, false), Err(not_ready(0x3A, 0x00)));
    }

    #[test]
    fn the_robot_can_reach_a_drive_that_is_empty_or_has_ejected() {
        let accessible = [State::Empty, State::Ejected];
        for state in
            [State::Empty, State::Loading, State::Ready, State::Unloading, State::Ejected, State::Cleaning]
        {
            assert_eq!(drive(state).accessible(), accessible.contains(&state), "{state:?}");
        }
    }
}
