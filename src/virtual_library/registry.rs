//! What the connections of one library know of each other.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// How many orders wait for a connection at most. Orders are rare, and a connection takes them at once.
const MAX_ORDERS: usize = 64;

/// How long a new session waits for the one whose place it takes. A task that is told to end does so at once.
const REPLACING: Duration = Duration::from_secs(5);

/// An order to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    AskLogout(u16),
    Drop,
    Cut,
    Ping,
    Window(u32),
}

#[derive(Debug)]
pub(super) struct Registry {
    state: Mutex<State>,
    changed: Notify,
    pongs: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    connections: BTreeMap<u64, mpsc::Sender<Control>>,
    /// By the name of the initiator port: what makes a session the same one again.
    sessions: HashMap<String, u64>,
    /// How often each logical unit was reset.
    resets: BTreeMap<u16, u64>,
    window: u32,
    tsih: u16,
    closed: bool,
}

impl Registry {
    pub(super) fn new(window: u32) -> Self {
        let state = State { window, ..State::default() };
        Self { state: Mutex::new(state), changed: Notify::new(), pongs: AtomicU64::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made in one piece: whoever panicked has left it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection: its number and its orders.
    pub(super) fn enter(&self) -> (u64, mpsc::Receiver<Control>) {
        let (sender, receiver) = mpsc::channel(MAX_ORDERS);
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        state.connections.insert(number, sender);
        (number, receiver)
    }

    pub(super) fn leave(&self, number: u64) {
        let mut state = self.state();
        state.connections.remove(&number);
        state.sessions.retain(|_, session| *session != number);
        drop(state);
        self.changed.notify_waiters();
    }

    /// The target's part of a new session's id.
    pub(super) fn next_tsih(&self) -> u16 {
        let mut state = self.state();
        state.tsih = if state.tsih == u16::MAX { 1 } else { state.tsih + 1 };
        state.tsih
    }

    /// The session is this connection's now; the one that had it has ended when this returns (RFC 7143 section 6.3.5).
    pub(super) async fn take_over(&self, port: String, number: u64) {
        let old = {
            let mut state = self.state();
            let old = state.sessions.insert(port, number).filter(|old| *old != number);
            old.and_then(|old| state.connections.get(&old).cloned())
        };
        if let Some(old) = old {
            let _ = old.try_send(Control::Cut);
            let _ = timeout(REPLACING, old.closed()).await;
        }
    }

    pub(super) fn tell(&self, control: Control) {
        for connection in self.state().connections.values() {
            // One that has no room for orders is about to end.
            let _ = connection.try_send(control);
        }
    }

    pub(super) fn set_window(&self, window: u32) {
        self.state().window = window;
        self.tell(Control::Window(window));
    }

    pub(super) fn window(&self) -> u32 {
        self.state().window
    }

    pub(super) fn sessions(&self) -> usize {
        self.state().sessions.len()
    }

    pub(super) fn count_reset(&self, lun: u16) {
        *self.state().resets.entry(lun).or_default() += 1;
    }

    pub(super) fn resets(&self, lun: u16) -> u64 {
        self.state().resets.get(&lun).copied().unwrap_or_default()
    }

    pub(super) fn count_pong(&self) {
        self.pongs.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn pongs(&self) -> u64 {
        self.pongs.load(Ordering::Relaxed)
    }

    /// No new connections; the present ones end.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_waiters();
        self.tell(Control::Drop);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    pub(super) async fn closed(&self) {
        self.until(|state| state.closed).await;
    }

    /// Waits until no connection is left.
    pub(super) async fn all_gone(&self) {
        self.until(|state| state.connections.is_empty()).await;
    }

    async fn until(&self, condition: impl Fn(&State) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if condition(&self.state()) {
                return;
            }
            changed.await;
        }
    }
}
