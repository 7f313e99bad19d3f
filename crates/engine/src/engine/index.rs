//! The requests that have not ended, and how they are found: by id, by group, by session, by their place in the line. So that
//! what is done for one request costs the same however many others wait.

use alloc::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::live::Live;
use super::submit::OWN;
use crate::id::{LibraryId, RequestId, SessionId};
use crate::library::queue::Order;
use crate::planted::Visits;
use crate::request::{GroupId, Operation};

/// A line: the requests of one operation of one library.
type Line = (LibraryId, Operation);

/// The live requests.
#[derive(Debug, Default, Clone)]
pub(crate) struct LiveRequests {
    all: BTreeMap<RequestId, Live>,
    /// Parts of requests that move several cartridges at once, each by an id of its own that nobody outside is told.
    parts: BTreeMap<RequestId, Live>,
    parts_of: BTreeMap<RequestId, BTreeSet<RequestId>>,
    groups: BTreeMap<GroupId, BTreeSet<RequestId>>,
    sessions: BTreeMap<SessionId, BTreeSet<RequestId>>,
    lines: BTreeMap<Line, BTreeSet<(Order, RequestId)>>,
    /// The manager's own.
    own: BTreeSet<RequestId>,
    pub(crate) visits: Visits,
}

impl LiveRequests {
    pub(crate) fn get(&self, id: &RequestId) -> Option<&Live> {
        self.all.get(id).or_else(|| self.parts.get(id))
    }

    /// Its session and its place are changed by [`hand_to`](Self::hand_to) and [`move_to`](Self::move_to) only: it is found by them.
    pub(crate) fn get_mut(&mut self, id: &RequestId) -> Option<&mut Live> {
        match self.all.get_mut(id) {
            None => self.parts.get_mut(id),
            found => found,
        }
    }

    pub(crate) fn contains_key(&self, id: &RequestId) -> bool {
        self.all.contains_key(id)
    }

    pub(crate) fn insert_part(&mut self, part: Live) {
        let id = part.request.id;
        if let Some(whole) = part.part_of {
            self.parts_of.entry(whole).or_default().insert(id);
            self.parts.insert(id, part);
        }
    }

    pub(crate) fn remove_part(&mut self, id: &RequestId) -> Option<Live> {
        let part = self.parts.remove(id)?;
        if let Some(whole) = part.part_of {
            take_out(&mut self.parts_of, whole, id);
        }
        Some(part)
    }

    /// The parts of a request that are under way.
    pub(crate) fn parts_of(&self, id: RequestId) -> impl Iterator<Item = &Live> {
        self.parts_of.get(&id).into_iter().flatten().filter_map(|part| self.parts.get(part))
    }

    /// The request that it is a part of.
    pub(crate) fn part_of(&self, id: RequestId) -> Option<RequestId> {
        self.parts.get(&id)?.part_of
    }

    /// The request as it is kept and told: itself, or the one that it is a part of.
    pub(crate) fn whole(&self, id: RequestId) -> RequestId {
        self.part_of(id).unwrap_or(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Each of them, with their parts, which costs what there are: nothing that happens for every request may do that.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Live> {
        self.all.values().chain(self.parts.values()).inspect(|_| self.visits.count())
    }

    /// The requests for those who ask how things stand.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Live> {
        self.all.values()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Live> {
        self.all.values_mut().chain(self.parts.values_mut())
    }

    pub(crate) fn insert(&mut self, live: Live) {
        let id = live.request.id;
        if let Some(group) = live.request.options.group {
            self.groups.entry(group).or_default().insert(id);
        }
        if let Some(session) = live.session {
            self.sessions.entry(session).or_default().insert(id);
        }
        self.lines.entry(line(&live)).or_default().insert((live.order, id));
        if &*live.request.application == OWN {
            self.own.insert(id);
        }
        self.all.insert(id, live);
    }

    pub(crate) fn remove(&mut self, id: &RequestId) -> Option<Live> {
        let live = self.all.remove(id)?;
        if let Some(group) = live.request.options.group {
            take_out(&mut self.groups, group, id);
        }
        if let Some(session) = live.session {
            take_out(&mut self.sessions, session, id);
        }
        take_out(&mut self.lines, line(&live), &(live.order, *id));
        self.own.remove(id);
        Some(live)
    }

    /// Another session has it from now on.
    pub(crate) fn hand_to(&mut self, id: RequestId, session: Option<SessionId>) {
        let Some(live) = self.all.get_mut(&id) else { return };
        let before = core::mem::replace(&mut live.session, session);
        if let Some(before) = before {
            take_out(&mut self.sessions, before, &id);
        }
        if let Some(session) = session {
            self.sessions.entry(session).or_default().insert(id);
        }
    }

    /// Gives it another place in its line, and says which one it had.
    pub(crate) fn move_to(&mut self, id: RequestId, order: Order) -> Option<Order> {
        let live = self.all.get_mut(&id)?;
        let from = core::mem::replace(&mut live.order, order);
        let places = self.lines.entry(line(live)).or_default();
        places.remove(&(from, id));
        places.insert((order, id));
        Some(from)
    }

    /// The manager's own requests that have no end yet: a few for each drive.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Live> {
        self.own.iter().filter_map(|id| self.all.get(id)).filter(|live| live.ending.is_none())
    }

    pub(crate) fn in_group(&self, group: GroupId) -> impl Iterator<Item = &Live> {
        self.groups.get(&group).into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    pub(crate) fn of_session(&self, session: SessionId) -> impl Iterator<Item = &Live> {
        self.sessions.get(&session).into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    /// The requests of the operation of one of them in its library, by their places, those that are under way too.
    pub(crate) fn line_of(&self, of: &Live) -> impl Iterator<Item = &Live> {
        self.lines.get(&line(of)).into_iter().flatten().filter_map(|(_, id)| self.all.get(id))
    }

    /// The requests of an operation of a library.
    pub(crate) fn in_line(&self, library: LibraryId, operation: Operation) -> impl Iterator<Item = &Live> {
        let line = self.lines.get(&(library, operation)).into_iter().flatten();
        line.filter_map(|(_, id)| self.all.get(id)).filter(|live| live.ending.is_none())
    }

    /// The requests of other libraries than these.
    pub(crate) fn elsewhere(&self, these: &[LibraryId]) -> impl Iterator<Item = &Live> {
        let lines = self.lines.iter().filter(|((library, _), _)| !these.contains(library));
        lines.flat_map(|(_, line)| line).filter_map(|(_, id)| self.all.get(id))
    }

    /// Whether another request of its line has that place, also one that is under way and may come back to it.
    pub(crate) fn is_taken(&self, of: &Live, order: Order) -> bool {
        let has_it = |places: &BTreeSet<(Order, RequestId)>| {
            places.range((order, RequestId(Uuid::nil()))..).next().is_some_and(|(found, _)| *found == order)
        };
        self.lines.get(&line(of)).is_some_and(has_it)
    }
}

fn line(live: &Live) -> Line {
    (live.request.library, live.request.operation())
}

fn take_out<K: Ord, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: K, value: &V) {
    if let Some(values) = index.get_mut(&key) {
        values.remove(value);
        if values.is_empty() {
            index.remove(&key);
        }
    }
}
