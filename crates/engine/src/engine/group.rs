//! Mounts that are served together or not at all: one library, each with its medium and drive, so that two jobs that need
//! two drives each cannot hold one each for ever (RSM: the media of one `MountNtmsMedia`). Here: who is of a group, how its
//! members come together, and how they end together. Which drives they get: `grant.rs`.

use alloc::vec::Vec;

use super::Engine;
use super::live::Phase;
use crate::id::RequestId;
use crate::output::Change;
use crate::planted::Bug;
use crate::request::{CancelledBy, Failure, FailureKind, GroupId, State, Waiting};
use crate::time::Now;

impl Engine {
    pub(crate) fn group_of(&self, id: RequestId) -> Option<GroupId> {
        self.live.get(&id)?.request.options.group
    }

    /// The mounts of a group whose end is not decided.
    pub(crate) fn members(&self, group: GroupId) -> Vec<RequestId> {
        let live = self.live.in_group(group).filter(|live| live.ending.is_none());
        live.map(|live| live.request.id).collect()
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
        if members.iter().any(|member| self.is_absent(*member)) {
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

    /// It is not known yet whether, or when, it can begin: not before an owner or a person has come.
    pub(crate) fn is_absent(&self, id: RequestId) -> bool {
        matches!(self.phase_of(id), Some(Phase::Accepting | Phase::Orphan | Phase::Owner | Phase::Operator))
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
        if let Some(index) = library {
            self.stop_holding(index, group);
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
        let forgotten = self.planted.is(Bug::GroupLeftInDrive);
        let Some(live) = self.live.get_mut(&id) else { return };
        let Some(index) = live.library else { return };
        let phase = live.phase;
        let loaded = match phase {
            Phase::Ready if forgotten => false,
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
