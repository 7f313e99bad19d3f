//! Which place in the queue somebody gives a request (RSM: `SetNtmsRequestOrder`, `GetNtmsRequestOrder`).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Engine;
use super::emit::Effect;
use super::live::{Live, Phase};
use crate::catalog::Caller;
use crate::id::{RequestId, Token};
use crate::library::queue::Order;
use crate::output::{Answer, Change, EventKind, ReorderError};

impl Engine {
    pub(crate) fn reorder(&mut self, token: Token, caller: &Caller, id: RequestId, position: u32) {
        let answer = self.try_reorder(caller, id, position);
        self.outbox.after(Effect::Answer(token, Answer::Reordered(answer)));
    }

    fn try_reorder(&mut self, caller: &Caller, id: RequestId, position: u32) -> Result<u32, ReorderError> {
        if let Some(reason) = &self.store_failed {
            return Err(ReorderError::Store { reason: reason.to_string() });
        }
        let live = self
            .live
            .get(&id)
            .filter(|live| live.request.is_visible_to(caller) && live.phase != Phase::Accepting)
            .ok_or(ReorderError::NotFound { id })?;
        if !live.request.is_controlled_by(caller) {
            return Err(ReorderError::PermissionDenied { id, owner: live.request.application.to_string() });
        }
        let Some(line) = self.line_of(live) else {
            return Err(ReorderError::NotInQueue { id, state: live.request.state.clone().into() });
        };
        let others: Vec<Order> = line.into_iter().filter(|(_, other)| *other != id).map(|(o, _)| o).collect();
        let place = usize::try_from(position.saturating_sub(1)).unwrap_or(usize::MAX).min(others.len());
        let before = place.checked_sub(1).and_then(|before| others.get(before)).copied();
        if let Some(order) = self.free_order(before, others.get(place).copied()) {
            self.move_in_queue(id, order);
        }
        Ok(place as u32 + 1)
    }

    /// A place between two that nobody has.
    fn free_order(&self, before: Option<Order>, behind: Option<Order>) -> Option<Order> {
        let mut order = Order::between(before, behind)?;
        while self.live.values().any(|live| live.order == order) {
            order = Order::between(Some(order), behind)?;
        }
        Some(order)
    }

    fn move_in_queue(&mut self, id: RequestId, order: Order) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let from = core::mem::replace(&mut live.order, order);
        let blocker = live.blocker();
        live.request.queue_place = Some(order.place());
        let (index, request) = (live.library, live.request.clone());
        self.outbox.change(Change::Request(request.clone()));
        self.outbox.after(Effect::Event(EventKind::Request(request)));
        if let Some(index) = index {
            if let Some(library) = self.library_mut(index) {
                library.queue.reorder(from, order, blocker);
            }
            self.mark_dirty(index);
        }
    }

    /// The waiting requests of one operation of one library in their order; `None` for a request that is not among them.
    fn line_of(&self, of: &Live) -> Option<Vec<(Order, RequestId)>> {
        if !of.is_in_queue() {
            return None;
        }
        let alike = |live: &&Live| {
            live.is_in_queue()
                && live.library == of.library
                && live.request.operation() == of.request.operation()
        };
        let mut line: Vec<_> =
            self.live.values().filter(alike).map(|live| (live.order, live.request.id)).collect();
        line.sort_unstable();
        Some(line)
    }

    /// Its place among its like, counted from 1.
    pub(crate) fn position_of(&self, id: RequestId) -> Option<u32> {
        let line = self.line_of(self.live.get(&id)?)?;
        line.iter().position(|(_, other)| *other == id).map(|place| place as u32 + 1)
    }
}
