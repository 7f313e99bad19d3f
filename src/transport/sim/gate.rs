//! Gates: a test's hand on commands that are half done.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use autochanger_sim::HoldId;

use super::library::Shared;

/// Stops the commands that its [`Hold`](super::Hold) names, until it is released or dropped.
///
/// ```
/// # use autochanger::transport::sim::{self, Hold, SimulatedLibrary};
/// # let library = SimulatedLibrary::start(sim::Library::new());
/// let gate = library.hold(Hold::opcode(0xA5)); // MOVE MEDIUM
/// // ... start what sends a MOVE MEDIUM, and `gate.reached().await` ...
/// assert_eq!(gate.count(), 0);
/// gate.release();
/// ```
#[must_use = "a gate that is dropped lets the commands pass"]
pub struct Gate {
    shared: Arc<Shared>,
    id: HoldId,
}

impl Gate {
    pub(super) fn new(shared: Arc<Shared>, id: HoldId) -> Self {
        Self { shared, id }
    }

    /// How many commands have been stopped so far.
    pub fn count(&self) -> u32 {
        let mut state = self.shared.state();
        state.catch_up();
        state.device.held(self.id)
    }

    /// Waits until a command has been stopped. At once if one has been.
    ///
    /// # Cancel safety
    /// Dropping the future does nothing: it may be asked for again.
    pub async fn reached(&self) {
        self.reached_times(1).await;
    }

    /// Waits until `count` commands have been stopped, all in all.
    ///
    /// # Cancel safety
    /// Dropping the future does nothing: it may be asked for again.
    pub async fn reached_times(&self, count: u32) {
        self.shared.wait(Duration::MAX, |state| (state.device.held(self.id) >= count).then_some(())).await;
    }

    /// Lets the commands go on, and all later ones pass.
    pub fn release(self) {}
}

impl Drop for Gate {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        let now = state.catch_up();
        state.device.release(now, self.id);
        state.settle();
        drop(state);
        self.shared.wake_waiters();
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("count", &self.count()).finish_non_exhaustive()
    }
}
