//! Who is served next, and who waits for what. Every operation is O(log n) in the number of waiting requests.

use alloc::collections::BTreeMap;

use autochanger_scsi::ElementAddress;

use crate::id::{CartridgeId, RequestId};
use crate::request::{Operation, Waiting};

/// The order of service: operation, then priority (high first), then age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order {
    rank: u8,
    priority: u8,
    age: u64,
}

impl Order {
    pub(crate) fn new(operation: Operation, priority: i8, age: u64) -> Self {
        Self { rank: operation as u8, priority: (15 - priority.clamp(-15, 15)) as u8, age }
    }
}

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blocker {
    Medium(CartridgeId),
    Drive(ElementAddress),
    AnyDrive,
    Slot,
}

impl From<Blocker> for Waiting {
    fn from(blocker: Blocker) -> Self {
        match blocker {
            Blocker::Medium(_) => Self::Medium,
            Blocker::Drive(_) | Blocker::AnyDrive => Self::Drive,
            Blocker::Slot => Self::Slot,
        }
    }
}

/// The queue of one library.
///
/// A request is either ready (to be tried in its turn) or waits for one thing. When that thing is freed, its first
/// waiter becomes ready; if that one cannot use it, the next is woken.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    ready: BTreeMap<Order, RequestId>,
    waiting: BTreeMap<(Blocker, Order), RequestId>,
}

impl Queue {
    pub(crate) fn insert(&mut self, order: Order, id: RequestId) {
        self.ready.insert(order, id);
    }

    pub(crate) fn first(&self) -> Option<RequestId> {
        self.ready.first_key_value().map(|(_, &id)| id)
    }

    /// The first waiter for `blocker`.
    pub(crate) fn first_waiting(&self, blocker: Blocker) -> Option<RequestId> {
        let lowest = Order { rank: 0, priority: 0, age: 0 };
        let (_, &id) =
            self.waiting.range((blocker, lowest)..).next().filter(|((found, _), _)| *found == blocker)?;
        Some(id)
    }

    pub(crate) fn block(&mut self, order: Order, id: RequestId, blocker: Blocker) {
        self.ready.remove(&order);
        self.waiting.insert((blocker, order), id);
    }

    /// Takes a request out, wherever it is.
    pub(crate) fn remove(&mut self, order: Order, blocker: Option<Blocker>) {
        self.ready.remove(&order);
        if let Some(blocker) = blocker {
            self.waiting.remove(&(blocker, order));
        }
    }

    /// Makes the first waiter behind `order` ready: the one before it cannot use what is free.
    pub(crate) fn wake_behind(&mut self, blocker: Blocker, order: Order) -> Option<RequestId> {
        let behind = (core::ops::Bound::Excluded((blocker, order)), core::ops::Bound::Unbounded);
        let (&key, &id) = self.waiting.range(behind).next().filter(|((found, _), _)| *found == blocker)?;
        self.waiting.remove(&key);
        self.ready.insert(key.1, id);
        Some(id)
    }

    /// Makes the first waiter for `blocker` ready.
    pub(crate) fn wake(&mut self, blocker: Blocker) -> Option<RequestId> {
        let lowest = Order { rank: 0, priority: 0, age: 0 };
        let (&key, &id) =
            self.waiting.range((blocker, lowest)..).next().filter(|((found, _), _)| *found == blocker)?;
        self.waiting.remove(&key);
        self.ready.insert(key.1, id);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> RequestId {
        RequestId(Uuid::from_u128(n))
    }

    #[test]
    fn dismounts_come_before_mounts_and_priority_before_age() {
        let mut queue = Queue::default();
        queue.insert(Order::new(Operation::Mount, 15, 1), id(1));
        queue.insert(Order::new(Operation::Mount, 0, 0), id(2));
        queue.insert(Order::new(Operation::Dismount, -15, 9), id(3));
        let mut order = alloc::vec::Vec::new();
        while let Some((&key, &found)) = queue.ready.first_key_value() {
            order.push(found);
            queue.remove(key, None);
        }
        assert_eq!(order, [id(3), id(1), id(2)]);
    }

    #[test]
    fn only_the_first_waiter_for_a_thing_is_woken() {
        let mut queue = Queue::default();
        for n in 0..3 {
            let order = Order::new(Operation::Mount, 0, n);
            queue.insert(order, id(u128::from(n)));
            queue.block(order, id(u128::from(n)), Blocker::AnyDrive);
        }
        assert_eq!(queue.wake(Blocker::Slot), None);
        assert_eq!(queue.wake(Blocker::AnyDrive), Some(id(0)));
        assert_eq!(queue.first(), Some(id(0)));
        assert_eq!(queue.waiting.len(), 2);
    }
}
