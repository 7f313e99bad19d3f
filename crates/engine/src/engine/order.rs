//! Which place in the queue somebody gives a request (RSM: `SetNtmsRequestOrder`, `GetNtmsRequestOrder`).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Engine;
use super::emit::Effect;
use super::live::{Live, Phase};
use crate::catalog::Caller;
use crate::id::{RequestId, Token};
use crate::library::queue::Order;
use crate::output::{Answer, Change, EventKind, ReorderRefusal};

impl Engine {
    pub(crate) fn reorder(&mut self, token: Token, caller: &Caller, id: RequestId, position: u32) {
        let answer = self.try_reorder(caller, id, position);
        self.outbox.after(Effect::Answer(token, Answer::Reordered(answer)));
    }

    fn try_reorder(&mut self, caller: &Caller, id: RequestId, position: u32) -> Result<u32, ReorderRefusal> {
        if let Some(reason) = &self.store_failed {
            return Err(ReorderRefusal::Store { reason: reason.to_string() });
        }
        let live = self
            .live
            .get(&id)
            .filter(|live| live.request.is_visible_to(caller) && live.phase != Phase::Accepting)
            .ok_or(ReorderRefusal::NotFound { id })?;
        if !live.request.is_controlled_by(caller) {
            return Err(ReorderRefusal::PermissionDenied { id, owner: live.request.application.to_string() });
        }
        if !live.is_in_queue() {
            return Err(ReorderRefusal::NotInQueue { id, state: live.request.state.clone().into() });
        }
        let mut line: Vec<RequestId> = self.line_of(live).filter(|other| *other != id).collect();
        let place = usize::try_from(position.saturating_sub(1)).unwrap_or(usize::MAX).min(line.len());
        line.insert(place, id);
        let places = self.places_around(live, &line, place);
        self.move_in_queue(&places);
        Ok(place as u32 + 1)
    }

    /// New places, so that the line is in its order: for the one at `place`, and, where there is no room left between its
    /// neighbours, for as many of those as it takes.
    fn places_around(&self, of: &Live, line: &[RequestId], place: usize) -> Vec<(RequestId, Order)> {
        let order = |at: Option<usize>| Some(self.live.get(line.get(at?)?)?.order);
        let mut reach = 0;
        loop {
            let first = place.saturating_sub(reach);
            let moved = line.get(first..(place + 1 + reach).min(line.len())).unwrap_or_default();
            let whole = moved.len() == line.len();
            // All of them: behind what the first one has.
            let before = order(if whole { Some(0) } else { first.checked_sub(1) });
            let behind = order(if whole { None } else { Some(first + moved.len()) });
            let taken = |order: Order| self.live.is_taken(of, order);
            if let Some(orders) = Order::spread(before, behind, moved.len(), taken) {
                return moved.iter().copied().zip(orders).collect();
            }
            if whole {
                return Vec::new();
            }
            reach = reach * 2 + 1;
        }
    }

    fn move_in_queue(&mut self, places: &[(RequestId, Order)]) {
        let mut moves = Vec::with_capacity(places.len());
        let mut of = None;
        for &(id, order) in places {
            let Some(from) = self.live.move_to(id, order) else { continue };
            let Some(live) = self.live.get_mut(&id) else { continue };
            live.request.queue_place = Some(order.place());
            of = live.library;
            moves.push((from, order, live.blocker()));
            let request = live.request.clone();
            self.outbox.change(Change::Request(request.clone()));
            self.outbox.after(Effect::Event(EventKind::Request(request)));
        }
        if let Some(index) = of {
            if let Some(library) = self.library_mut(index) {
                library.queue.reorder(&moves);
            }
            self.mark_dirty(index);
        }
    }

    /// The waiting requests of one operation of one library in their order.
    fn line_of(&self, of: &Live) -> impl Iterator<Item = RequestId> {
        self.live.line_of(of).filter(|live| live.is_in_queue()).map(|live| live.request.id)
    }

    /// Its place among its like, counted from 1.
    pub(crate) fn position_of(&self, id: RequestId) -> Option<u32> {
        let live = self.live.get(&id).filter(|live| live.is_in_queue())?;
        self.line_of(live).position(|other| other == id).map(|place| place as u32 + 1)
    }
}
