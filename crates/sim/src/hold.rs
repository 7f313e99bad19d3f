//! Holds: commands that stop half-way until a test lets them go on.

use alloc::vec::Vec;

use crate::answer::Key;
use crate::selector::{Seen, Selector, selecting};

/// Which commands stop, and where.
///
/// A held command has been accepted by the device. Before its effect, it stands at the head of its queue and its arm
/// waits with it; after its effect, only its answer is kept back.
///
/// ```
/// use autochanger_sim::{Hold, Library};
///
/// let mut device = Library::new().build();
/// let hold = device.hold(Hold::opcode(0xA5).after_effect());
/// // ... a MOVE MEDIUM is submitted, is carried out and not answered ...
/// assert_eq!(device.held(hold), 0);
/// device.release(core::time::Duration::ZERO, hold);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Hold {
    selector: Selector,
    phase: Phase,
    times: Option<u32>,
}

/// Where a command stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Before,
    After,
}

/// Names a hold until it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(u64);

impl Hold {
    /// Every command, before its effect.
    pub fn all() -> Self {
        Self { selector: Selector::default(), phase: Phase::Before, times: None }
    }

    /// The next command, whatever it is, before its effect.
    pub fn next() -> Self {
        Self::all().times(1)
    }

    /// Every command with this operation code, before its effect.
    pub fn opcode(opcode: u8) -> Self {
        Self::all().on(opcode)
    }

    /// Stops commands before they do anything; so it is unless told otherwise.
    pub fn before_effect(mut self) -> Self {
        self.phase = Phase::Before;
        self
    }

    /// Stops commands when they have taken effect, before they are answered.
    pub fn after_effect(mut self) -> Self {
        self.phase = Phase::After;
        self
    }

    /// Stops only the first `count` matching commands.
    pub fn times(mut self, count: u32) -> Self {
        self.times = Some(count);
        self
    }
}

selecting!(Hold);

#[derive(Debug)]
struct Active {
    id: HoldId,
    hold: Hold,
    reached: u32,
    waiting: Vec<Key>,
}

/// The holds in force.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    active: Vec<Active>,
    next: u64,
}

impl Holds {
    pub(crate) fn add(&mut self, hold: Hold) -> HoldId {
        self.next += 1;
        let id = HoldId(self.next);
        self.active.push(Active { id, hold, reached: 0, waiting: Vec::new() });
        id
    }

    /// Whether the command stops here; if so it is counted and kept until the release.
    pub(crate) fn catches(&mut self, seen: &Seen, phase: Phase, key: Key) -> bool {
        let caught = self.active.iter_mut().find(|active| {
            active.hold.phase == phase
                && active.hold.times.is_none_or(|times| active.reached < times)
                && active.hold.selector.matches(seen)
        });
        match caught {
            Some(active) => {
                active.reached = active.reached.saturating_add(1);
                active.waiting.push(key);
                true
            }
            None => false,
        }
    }

    /// How many commands have been stopped so far.
    pub(crate) fn reached(&self, id: HoldId) -> u32 {
        self.active.iter().find(|active| active.id == id).map_or(0, |active| active.reached)
    }

    /// Ends a hold; the commands that it stopped, with the phase they stopped in.
    pub(crate) fn release(&mut self, id: HoldId) -> Vec<(Key, Phase)> {
        let Some(index) = self.active.iter().position(|active| active.id == id) else { return Vec::new() };
        let active = self.active.remove(index);
        active.waiting.into_iter().map(|key| (key, active.hold.phase)).collect()
    }
}
