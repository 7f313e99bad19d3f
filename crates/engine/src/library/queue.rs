//! Who is served next, and who waits for what. Every operation is O(log n) in the number of waiting requests.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Bound;
use core::time::Duration;

use autochanger_scsi::ElementAddress;

use super::elements::Need;
use crate::id::{CartridgeId, RequestId};
use crate::request::{Operation, QueuePlace, Request, Waiting};

/// How far is looked for a request that can go before its turn without harm to others. Bounds the work of one decision;
/// a line in which so many do not fit the drive is served by the next wake-up all the same.
const LOOK_AHEAD: usize = 32;
/// The most that a point of priority can be worth. With it, priorities count for more than a year.
const MAX_WORTH: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How far apart two operations stand in the queue, in points of priority: all of them, so that at equal age the operation
/// comes first, then the priority.
const POINTS_PER_OPERATION: u64 = 31;
/// The lowest bits of a place: between two neighbours of one millisecond so many requests can be put in turn.
const ROOM: u32 = 32;
const AGE_BITS: u32 = 48;

/// The order of service: operation, then place given by hand, then priority (high first), then age.
///
/// One number holds all of it: the moment at which the request was accepted, put off by what its operation and its priority
/// are worth. So everything ages at the same pace: whatever comes later than a request by more than the two can be worth
/// comes after it, and nobody starves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order {
    place: u128,
    operation: Operation,
}

impl Order {
    pub(crate) const LOWEST: Self = Self { place: 0, operation: Operation::DisableLibrary };
    const HIGHEST: Self = Self { place: u128::MAX, operation: Operation::ReleaseCleanerSlot };

    pub(crate) fn new(request: &Request, age: u64, worth: Duration) -> Self {
        Self::ranked(request, request.operation(), age, worth)
    }

    /// The same, in turn with the requests of another operation.
    pub(crate) fn ranked(request: &Request, rank: Operation, age: u64, worth: Duration) -> Self {
        let point = worth.as_millis().min(MAX_WORTH.as_millis()) as u64;
        let priority = (15 - i64::from(request.priority.clamp(-15, 15))) as u64;
        let points = rank as u64 * POINTS_PER_OPERATION + priority;
        let due = request.queued_at.0.saturating_add(points.saturating_mul(point));
        let due = u128::from(due.min((1 << (128 - AGE_BITS - ROOM)) - 1));
        let age = u128::from(age & ((1 << AGE_BITS) - 1));
        let place = (due << (AGE_BITS + ROOM)) | (age << ROOM) | (1 << (ROOM - 1));
        Self { place, operation: request.operation() }
    }

    pub(crate) fn at(place: QueuePlace, operation: Operation) -> Self {
        Self { place: place.0, operation }
    }

    pub(crate) fn place(self) -> QueuePlace {
        QueuePlace(self.place)
    }

    /// The number among the accepted requests that it was made with.
    pub(crate) fn age(self) -> u64 {
        (self.place >> ROOM) as u64 & ((1 << AGE_BITS) - 1)
    }

    pub(crate) fn operation(self) -> Operation {
        self.operation
    }

    /// The place of a request that is older by what so many points of priority are worth.
    pub(crate) fn earlier(self, points: u32, worth: Duration) -> Self {
        let by = u128::from(points).saturating_mul(worth.min(MAX_WORTH).as_millis()) << (AGE_BITS + ROOM);
        Self { place: self.place.saturating_sub(by), operation: self.operation }
    }

    /// So many places in turn between two neighbours, none of which is `taken`; `None` where there is no room left.
    pub(crate) fn spread(
        before: Option<Self>,
        behind: Option<Self>,
        count: usize,
        taken: impl Fn(Self) -> bool,
    ) -> Option<Vec<Self>> {
        // A millisecond: within one, a restart numbers the ages anew, and a place at an end of the line is to stay there.
        const STEP: u128 = 1 << (AGE_BITS + ROOM);
        let room = STEP.checked_mul(count as u128 + 1)?;
        let (low, high, operation) = match (before, behind) {
            (None, None) => return None,
            (None, Some(behind)) => (behind.place.checked_sub(room)?, behind.place, behind.operation),
            (Some(before), None) => (before.place, before.place.checked_add(room)?, before.operation),
            (Some(before), Some(behind)) => (before.place, behind.place, before.operation),
        };
        let step = high.checked_sub(low)? / (count as u128 + 1);
        let mut places = Vec::with_capacity(count);
        let mut last = low;
        for n in 1..=count as u128 {
            let mut place = (low + step.checked_mul(n)?).max(last + 1);
            while place < high && taken(Self { place, operation }) {
                place += 1;
            }
            if place >= high {
                return None;
            }
            places.push(Self { place, operation });
            last = place;
        }
        Some(places)
    }
}

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blocker {
    Medium(CartridgeId),
    Drive(ElementAddress),
    /// Any drive that has what it needs. Each need has a line of its own, so that nobody is woken for a drive of another kind.
    AnyDrive(Need),
    Slot,
    Port,
    Service,
    /// An arm without a cartridge in it.
    Arm,
}

impl Blocker {
    /// What callers are shown of it.
    pub(crate) fn shown(self) -> Waiting {
        match self {
            Self::Medium(_) => Waiting::Medium,
            Self::Drive(_) | Self::AnyDrive(_) => Waiting::Drive,
            Self::Slot => Waiting::Slot,
            Self::Port => Waiting::Port,
            Self::Service => Waiting::Service,
            Self::Arm => Waiting::Arm,
        }
    }
}

/// The queue of one library.
///
/// A request is either ready (to be tried in its turn) or waits for one thing. When that thing is freed, its first
/// waiter becomes ready; if that one cannot use it, the next is woken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    ready: BTreeMap<Order, RequestId>,
    waiting: BTreeMap<(Blocker, Order), RequestId>,
}

impl Queue {
    /// Gives requests that are in the queue other places. One may get what another one had.
    pub(crate) fn reorder(&mut self, moves: &[(Order, Order, Option<Blocker>)]) {
        let taken: Vec<Option<RequestId>> = moves
            .iter()
            .map(|(from, _, blocker)| match blocker {
                Some(blocker) => self.waiting.remove(&(*blocker, *from)),
                None => self.ready.remove(from),
            })
            .collect();
        for (&(_, to, blocker), id) in moves.iter().zip(taken) {
            match (blocker, id) {
                (Some(blocker), Some(id)) => drop(self.waiting.insert((blocker, to), id)),
                (None, Some(id)) => drop(self.ready.insert(to, id)),
                (_, None) => {}
            }
        }
    }

    pub(crate) fn insert(&mut self, order: Order, id: RequestId) {
        self.ready.insert(order, id);
    }

    pub(crate) fn first(&self) -> Option<RequestId> {
        self.ready.first_key_value().map(|(_, &id)| id)
    }

    /// The first of the ready ones with such an operation, as far as is looked.
    pub(crate) fn first_that(&self, is: impl Fn(Operation) -> bool) -> Option<RequestId> {
        self.ready_that(is).next().map(|(_, id)| id)
    }

    /// Those that wait for `blocker`, in their order, as far as is looked.
    pub(crate) fn waiting_for(&self, blocker: Blocker) -> impl Iterator<Item = (Order, RequestId)> {
        let waiting = self.waiting.range((blocker, Order::LOWEST)..);
        waiting
            .take_while(move |((found, _), _)| *found == blocker)
            .take(LOOK_AHEAD)
            .map(|(&(_, order), &id)| (order, id))
    }

    /// What those need who wait for any drive. There are as many as kinds of media and ways to use them, however many wait.
    pub(crate) fn needs(&self) -> impl Iterator<Item = Need> {
        let mut last: Option<Need> = None;
        core::iter::from_fn(move || {
            let from = match last {
                Some(need) => Bound::Excluded((Blocker::AnyDrive(need), Order::HIGHEST)),
                None => Bound::Included((Blocker::AnyDrive(Need::LOWEST), Order::LOWEST)),
            };
            match self.waiting.range((from, Bound::Unbounded)).next() {
                Some(((Blocker::AnyDrive(need), _), _)) => {
                    last = Some(*need);
                    last
                }
                _ => None,
            }
        })
    }

    /// The lines of those who can be served by a drive: who names it, and who would take any that `fits` the need.
    fn lines_for(&self, drive: ElementAddress, fits: impl Fn(Need) -> bool) -> Vec<Blocker> {
        let any = self.needs().filter(|need| fits(*need)).map(Blocker::AnyDrive);
        core::iter::once(Blocker::Drive(drive)).chain(any).collect()
    }

    /// Those that a drive would serve, in their order, as far as is looked: who names it has no precedence of those who do not.
    pub(crate) fn waiting_for_drive(
        &self,
        drive: ElementAddress,
        fits: impl Fn(Need) -> bool,
    ) -> impl Iterator<Item = (Order, RequestId)> {
        let lines = self.lines_for(drive, fits);
        let mut lines: Vec<_> = lines.into_iter().map(|line| self.waiting_for(line).peekable()).collect();
        let next = move || {
            let first = lines.iter_mut().filter_map(|line| Some((line.peek()?.0, line)));
            first.min_by_key(|(order, _)| *order)?.1.next()
        };
        core::iter::from_fn(next).take(LOOK_AHEAD)
    }

    /// The ready ones with such an operation, in their order, as far as is looked.
    pub(crate) fn ready_that(
        &self,
        is: impl Fn(Operation) -> bool,
    ) -> impl Iterator<Item = (Order, RequestId)> {
        let ready = self.ready.iter().take(LOOK_AHEAD).filter(move |(order, _)| is(order.operation()));
        ready.map(|(&order, &id)| (order, id))
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

    /// Makes the first waiter behind `order` ready: those before it cannot use what is free.
    pub(crate) fn wake_behind(&mut self, blocker: Blocker, order: Order) -> Option<RequestId> {
        self.wake_first(blocker, order, |_| true)
    }

    fn wake_first(
        &mut self,
        blocker: Blocker,
        behind: Order,
        is: impl Fn(Operation) -> bool,
    ) -> Option<RequestId> {
        let behind = (Bound::Excluded((blocker, behind)), Bound::Included((blocker, Order::HIGHEST)));
        let (&key, &id) = self.waiting.range(behind).find(|((_, order), _)| is(order.operation()))?;
        self.waiting.remove(&key);
        self.ready.insert(key.1, id);
        Some(id)
    }

    /// Makes the first waiter for `blocker` ready with such an operation.
    pub(crate) fn wake(&mut self, blocker: Blocker, is: impl Fn(Operation) -> bool) -> Option<RequestId> {
        self.wake_first(blocker, Order::LOWEST, is)
    }

    /// Makes the first waiter behind `order` ready of all that a drive would serve.
    pub(crate) fn wake_for_drive(
        &mut self,
        drive: ElementAddress,
        order: Order,
        fits: impl Fn(Need) -> bool,
    ) -> Option<RequestId> {
        let lines = self.lines_for(drive, fits);
        Some(self.wake_first_of(lines, order)?.1)
    }

    /// Makes the first waiter behind `order` ready of all that wait for any drive with a need that `fits`, and its need.
    pub(crate) fn wake_for_any(
        &mut self,
        order: Order,
        fits: impl Fn(Need) -> bool,
    ) -> Option<(Blocker, RequestId)> {
        let lines = self.needs().filter(|need| fits(*need)).map(Blocker::AnyDrive).collect();
        self.wake_first_of(lines, order)
    }

    fn wake_first_of(&mut self, lines: Vec<Blocker>, order: Order) -> Option<(Blocker, RequestId)> {
        let first_of = |line: Blocker| {
            let behind = (Bound::Excluded((line, order)), Bound::Included((line, Order::HIGHEST)));
            let ((_, order), _) = self.waiting.range(behind).next()?;
            Some((*order, line))
        };
        let (order, line) = lines.into_iter().filter_map(first_of).min()?;
        let id = self.waiting.remove(&(line, order))?;
        self.ready.insert(order, id);
        Some((line, id))
    }
}

#[cfg(test)]
mod tests;
