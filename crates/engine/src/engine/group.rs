//! Mounts that are served together or not at all: one library, each with its medium and drive, so that two jobs that need
//! two drives each cannot hold one each for ever (RSM: the media of one `MountNtmsMedia`).

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::check::Resolved;
use super::emit::Effect;
use super::live::Phase;
use super::schedule::Start;
use crate::id::{LibraryIndex, RequestId, Token};
use crate::library::queue::Blocker;
use crate::output::{Answer, Change, SubmitError};
use crate::request::{
    CancelledBy, Failure, FailureKind, GroupId, Request, State, Submission, Waiting, Wanted,
};
use crate::time::Now;

/// The most mounts of one group. RSM says nothing of it; more drives than this stand in no library that serves one job.
const MAX_MEMBERS: usize = 64;

impl Engine {
    pub(crate) fn submit_group(&mut self, token: Token, submissions: Vec<Submission>, now: Now) {
        let answer = self.try_submit_group(submissions, now);
        self.outbox.after(Effect::Answer(token, Answer::SubmittedGroup(answer)));
    }

    fn try_submit_group(
        &mut self,
        submissions: Vec<Submission>,
        now: Now,
    ) -> Result<Vec<Request>, SubmitError> {
        if let Some(reason) = &self.store_failed {
            return Err(SubmitError::Store { reason: reason.to_string() });
        }
        let limit = self.config.max_live_requests;
        if self.live.len().saturating_add(submissions.len()) > limit {
            return Err(SubmitError::ResourceExhausted { limit });
        }
        let resolved = self.check_group(&submissions)?;
        let ids: Vec<RequestId> =
            submissions.into_iter().zip(resolved).map(|(one, found)| self.take_in(one, found, now)).collect();
        Ok(ids.iter().filter_map(|id| Some(self.live.get(id)?.request.clone())).collect())
    }

    fn check_group(&self, submissions: &[Submission]) -> Result<Vec<Resolved>, SubmitError> {
        let unfit = |what: &str| SubmitError::Unfit(String::from(what));
        let group = submissions.first().and_then(|first| first.options.group);
        if group.is_none() || submissions.len() > MAX_MEMBERS {
            return Err(unfit("a group is 1 to 64 mounts that carry the group's id"));
        }
        if self.live.values().any(|live| live.request.options.group == group) {
            return Err(unfit("the group's id stands for live mounts: draw a new id for a new group"));
        }
        let mut resolved = Vec::with_capacity(submissions.len());
        let (mut ids, mut media, mut drives) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for one in submissions {
            let Wanted::Mount { drive, .. } = &one.wanted else {
                return Err(unfit("only mounts can be a group"));
            };
            if one.options.group != group || !ids.insert(one.id) {
                return Err(unfit("the mounts of a group have one group id, and a request id each"));
            }
            if let Some(found) = self.live.get(&one.id) {
                return Err(SubmitError::IdReused { id: found.request.id });
            }
            let found = self.check(one)?;
            if found.cartridge.is_some_and(|cartridge| !media.insert(cartridge)) {
                return Err(unfit("a group mounts each cartridge once"));
            }
            if drive.is_some_and(|drive| !drives.insert(drive)) {
                return Err(unfit("a group uses each drive once"));
            }
            resolved.push(found);
        }
        let Some(index) = resolved.first().map(|first| first.index) else {
            return Err(unfit("a group is not empty"));
        };
        if resolved.iter().any(|one| one.index != index) {
            return Err(unfit("the cartridges of a group are in one library"));
        }
        let count = self.library(index).map_or(0, |library| library.elements.count(ElementType::Drive));
        if resolved.len() > count {
            return Err(SubmitError::Unfit(alloc::format!(
                "{} mounts need as many drives, and {} has {count}",
                resolved.len(),
                self.library_name(index)
            )));
        }
        Ok(resolved)
    }

    pub(crate) fn group_of(&self, id: RequestId) -> Option<GroupId> {
        self.live.get(&id)?.request.options.group
    }

    fn members(&self, group: GroupId) -> Vec<RequestId> {
        self.live
            .values()
            .filter(|live| live.request.options.group == Some(group) && live.ending.is_none())
            .map(|live| live.request.id)
            .collect()
    }

    fn phase_of(&self, id: RequestId) -> Option<Phase> {
        Some(self.live.get(&id)?.phase)
    }

    /// The others of the group that are live.
    pub(crate) fn others_of_group(&self, id: RequestId) -> Vec<RequestId> {
        let Some(group) = self.group_of(id) else { return Vec::new() };
        self.members(group).into_iter().filter(|other| *other != id).collect()
    }

    /// A member has come to where it would take its place in the queue. When all have, the first of them stands for all.
    pub(crate) fn join_group(&mut self, id: RequestId) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let (Some(group), Some(index)) = (live.request.options.group, live.library) else { return };
        live.phase = Phase::Grouped;
        self.show_waiting(id, Some(Waiting::Group));
        let members = self.members(group);
        let absent = |id: &RequestId| {
            matches!(
                self.phase_of(*id),
                Some(Phase::Accepting | Phase::Orphan | Phase::Owner | Phase::Operator)
            )
        };
        if members.iter().any(absent) {
            return;
        }
        let grouped = members.iter().filter(|id| self.phase_of(**id) == Some(Phase::Grouped));
        let leader = grouped.min_by_key(|id| self.live.get(id).map(|live| live.order)).copied();
        let Some(live) = leader.and_then(|leader| self.live.get_mut(&leader)) else { return };
        live.phase = Phase::Queued;
        let (order, leader) = (live.order, live.request.id);
        if let Some(library) = self.library_mut(index) {
            library.queue.insert(order, leader);
        }
        self.mark_dirty(index);
    }

    /// Drives for all of the group, or none. While they cannot all be had, the first group in the library's line keeps those
    /// that are free: otherwise single mounts would always be before it.
    pub(crate) fn start_group(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Option<Start> {
        let group = self.group_of(id)?;
        let waiting: Vec<RequestId> = self
            .members(group)
            .into_iter()
            .filter(|other| *other == id || self.phase_of(*other) == Some(Phase::Grouped))
            .collect();
        if waiting.iter().all(|id| self.live.get(id).is_some_and(|live| live.granted.is_some())) {
            return None;
        }
        for &member in &waiting {
            let Some(cartridge) = self.live.get(&member).and_then(|live| live.request.cartridge) else {
                continue;
            };
            if self.medium_is_busy(cartridge, member) || self.catalogue.mount_of(cartridge).is_some() {
                self.give_grants_back(index, &waiting);
                return Some(Start::Blocked(Blocker::Medium(cartridge)));
            }
        }
        let holder = self.library(index).and_then(|library| library.holding);
        let may_hold = holder.is_none_or(|holder| holder == group);
        let mut missing = None;
        for &member in &waiting {
            if self.live.get(&member).is_some_and(|live| live.granted.is_some()) {
                continue;
            }
            match self.drive_for_member(index, member) {
                Some(drive) if may_hold => self.grant(index, member, drive),
                Some(_) => {}
                None => missing = missing.or(Some(member)),
            }
        }
        let Some(missing) = missing else {
            if !may_hold {
                return Some(Start::Blocked(Blocker::AnyDrive));
            }
            self.release_group(index, group, &waiting, id);
            return None;
        };
        if let Some(library) = self.library_mut(index).filter(|_| may_hold) {
            library.holding = Some(group);
        }
        let named = self.named_drive(missing);
        self.make_room(index, named, self.need_of(missing), now);
        Some(Start::Blocked(named.map_or(Blocker::AnyDrive, Blocker::Drive)))
    }

    /// All drives are there: each member takes its place in the queue, with its drive.
    fn release_group(
        &mut self,
        index: LibraryIndex,
        group: GroupId,
        members: &[RequestId],
        leader: RequestId,
    ) {
        let Some(library) = self.library_mut(index) else { return };
        let held = library.holding.take_if(|holding| *holding == group).is_some();
        if held {
            self.wake(index, Blocker::AnyDrive);
        }
        for &member in members.iter().filter(|member| **member != leader) {
            let Some(live) = self.live.get_mut(&member) else { continue };
            live.phase = Phase::Queued;
            let order = live.order;
            if let Some(library) = self.library_mut(index) {
                library.queue.insert(order, member);
            }
        }
    }

    pub(crate) fn named_drive(&self, id: RequestId) -> Option<ElementAddress> {
        match self.live.get(&id)?.request.wanted {
            Wanted::Mount { drive, .. } => drive,
            _ => None,
        }
    }

    /// A free drive for the member; the one that its medium is in already is free for it.
    fn drive_for_member(&self, index: LibraryIndex, id: RequestId) -> Option<ElementAddress> {
        let library = self.library(index)?;
        let (need, named) = (self.need_of(id), self.named_drive(id));
        let cartridge = self.live.get(&id)?.request.cartridge?;
        let holds_it = library.elements.of_kind(ElementType::Drive).find(|element| {
            element.cartridge == Some(cartridge)
                && element.reserved_by.is_none()
                && library.elements.drive_fits(element.name.address, need)
        });
        match (holds_it.map(|element| element.name.address), named) {
            (Some(drive), named) if named.is_none_or(|named| named == drive) => Some(drive),
            // It must come out of another drive first.
            (Some(_), _) => None,
            (None, Some(named)) => {
                (library.elements.is_free_drive(named) && library.elements.may_load(named)).then_some(named)
            }
            (None, None) => {
                library.elements.free_drives(need).find(|drive| library.elements.may_load(*drive))
            }
        }
    }

    fn grant(&mut self, index: LibraryIndex, id: RequestId, drive: ElementAddress) {
        if let Some(live) = self.live.get_mut(&id) {
            live.granted = Some(drive);
            live.request.drive = Some(drive);
        }
        if let Some(library) = self.library_mut(index) {
            library.elements.update(drive, |element| element.reserved_by = Some(id));
        }
    }

    fn give_grants_back(&mut self, index: LibraryIndex, members: &[RequestId]) {
        for &member in members {
            let Some(live) = self.live.get_mut(&member) else { continue };
            let Some(drive) = live.granted.take() else { continue };
            live.request.drive = None;
            if let Some(library) = self.library_mut(index) {
                library.elements.update(drive, |element| element.reserved_by.take_if(|by| *by == member));
            }
            self.wake_for_drive(index, drive);
        }
    }

    /// A request ends: if it was a mount of a group that did not pass, nor will the others.
    pub(crate) fn leave_group(&mut self, id: RequestId, now: Now) {
        let Some((group, state, library)) = self
            .live
            .get(&id)
            .and_then(|live| Some((live.request.options.group?, live.ending.clone()?, live.library)))
        else {
            return;
        };
        if let Some(index) = library
            && let Some(library) = self.library_mut(index)
            && library.holding.take_if(|holding| *holding == group).is_some()
        {
            self.wake(index, Blocker::AnyDrive);
        }
        match state {
            State::Passed(_) => {}
            State::Cancelled { .. } | State::Stopped { .. } => {
                for other in self.others_of_group(id) {
                    self.stop_with_group(other, CancelledBy::Group { member: id }, now);
                }
            }
            state => {
                for other in self.others_of_group(id) {
                    let message = alloc::format!("request {id} of its group ended before it: {state}");
                    self.fail_member(other, Failure::new(FailureKind::Group, message), now);
                }
            }
        }
    }

    /// What was loaded for a group of which one failed goes back to its slot, by the same request.
    fn fail_member(&mut self, id: RequestId, failure: Failure, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let Some(index) = live.library else { return };
        let phase = live.phase;
        let loaded = match phase {
            // The step that is in flight is awaited: see `arrived`, `drive_answered` and `labelled`.
            Phase::Moving
            | Phase::Loading
            | Phase::Unloading
            | Phase::Beginning
            | Phase::Labelling
            | Phase::Ready => true,
            // On its way out of the drive already, whatever it waits for there.
            _ => live.putting_back,
        };
        if !loaded {
            self.drop_intent(id, now);
            return self.fail(id, failure, now);
        }
        if live.request.failing.is_some() {
            return;
        }
        live.request.failing = Some(failure);
        if phase == Phase::Ready {
            return self.put_back(index, id, now);
        }
        // Kept at once: after a restart nobody else would know that its group has failed.
        let request = live.request.clone();
        self.outbox.change(Change::Request(request));
    }

    /// A member stops with another one; one that has failed already has its own end.
    fn stop_with_group(&mut self, id: RequestId, by: CancelledBy, now: Now) {
        if !self.is_failing(id) {
            self.stop_member(id, by, now);
        }
    }

    /// The medium is ready in its drive: the members that are to pass now, itself among them, or none while one is awaited.
    pub(crate) fn ready_in_group(&mut self, id: RequestId) -> Vec<RequestId> {
        if self.group_of(id).is_none() {
            return Vec::from([id]);
        }
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Ready;
        }
        let mut all = self.others_of_group(id);
        all.push(id);
        let ready = all.iter().all(|member| self.phase_of(*member) == Some(Phase::Ready));
        if ready { all } else { Vec::new() }
    }
}
