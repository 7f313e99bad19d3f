//! What callers see of a live request, and whether it is kept.

use super::Engine;
use super::emit::Effect;
use crate::id::RequestId;
use crate::output::{Change, EventKind};
use crate::request::{State, Waiting};

impl Engine {
    /// Changes what callers see of a live request, and keeps it. Final states go through [`end`](Self::end).
    pub(crate) fn set_state(&mut self, id: RequestId, state: State) {
        let Some(live) = self.live.get_mut(&id) else { return };
        // What callers see of a part is the state of the whole.
        if live.ending.is_some() || live.request.state == state || live.part_of.is_some() {
            return;
        }
        debug_assert!(live.request.state.may_become(&state), "{} -> {}", live.request.state, state);
        live.request.state = state;
        let request = live.request.clone();
        self.outbox.change(Change::Request(request.clone()));
        self.outbox.after(Effect::Event(EventKind::Request(request)));
    }

    /// As [`set_state`](Self::set_state) for states that are derived again after a restart: told, not kept.
    pub(crate) fn show_waiting(&mut self, id: RequestId, waiting: Option<Waiting>) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let state = waiting.map_or(State::Queued, State::Waiting);
        if live.ending.is_some() || live.request.state == state || !live.request.state.may_become(&state) {
            return;
        }
        live.request.state = state;
        let request = live.request.clone();
        self.outbox.after(Effect::Event(EventKind::Request(request)));
    }
}
