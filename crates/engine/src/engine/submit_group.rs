//! Whether a group of mounts can be accepted: all of it or nothing, and once.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use autochanger_scsi::ElementType;

use super::Engine;
use super::check::Resolved;
use super::choices::Want;
use super::emit::Effect;
use super::submit::{LookupFor, repeat_of};
use crate::catalog::Service;
use crate::id::{LibraryIndex, RequestId, SessionId, Token};
use crate::library::assign::assign;
use crate::library::elements::ElementState;
use crate::output::{Answer, Refusal};
use crate::request::{Request, Submission, Wanted};
use crate::time::Now;

/// The most mounts of one group. RSM says nothing of it; more drives than this stand in no library that serves one job.
const MAX_MEMBERS: usize = 64;

/// A group with ids that its caller has drawn, while the store is asked what it knows of them.
#[derive(Debug, Clone)]
pub(crate) struct AskedGroup {
    submissions: Vec<Submission>,
    awaited: usize,
    known: BTreeMap<RequestId, Request>,
}

impl AskedGroup {
    pub(crate) fn is_of(&self, session: SessionId) -> bool {
        self.submissions.first().is_some_and(|first| first.caller.session == session)
    }
}

impl Engine {
    /// Only the store knows of requests that have ended: it is asked for ids that can have been handed in before.
    pub(crate) fn submit_group(&mut self, token: Token, submissions: Vec<Submission>, now: Now) {
        let old = |one: &&Submission| one.id_given && !self.live.contains_key(&one.id);
        let ids: BTreeSet<RequestId> = submissions.iter().filter(old).map(|one| one.id).collect();
        if ids.is_empty() || submissions.len() > MAX_MEMBERS || self.store_failed.is_some() {
            return self.take_group_in(token, submissions, &BTreeMap::new(), now);
        }
        let limit = self.config.max_pending_cancels;
        // However many it asks for, it asks once: there are as many look-ups as the limit, and one group's at the most.
        if self.lookups.len() >= limit {
            return self.answer_group(token, Err(Refusal::ResourceExhausted { limit }));
        }
        let asked = AskedGroup { submissions, awaited: ids.len(), known: BTreeMap::new() };
        self.asked_groups.insert(token, asked);
        for id in ids {
            self.look_up(id, LookupFor::Group { token });
        }
    }

    /// What the store knows of one of the ids. With the last of them it is decided.
    pub(crate) fn known_of_group(&mut self, token: Token, known: Result<Option<Request>, Refusal>, now: Now) {
        let Some(asked) = self.asked_groups.get_mut(&token) else { return };
        asked.awaited = asked.awaited.saturating_sub(1);
        match known {
            Ok(known) => asked.known.extend(known.map(|request| (request.id, request))),
            Err(error) => {
                self.asked_groups.remove(&token);
                return self.answer_group(token, Err(error));
            }
        }
        if asked.awaited == 0
            && let Some(asked) = self.asked_groups.remove(&token)
        {
            self.take_group_in(token, asked.submissions, &asked.known, now);
        }
    }

    pub(crate) fn answer_group(&mut self, token: Token, answer: Result<Vec<Request>, Refusal>) {
        self.outbox.after(Effect::Answer(token, Answer::SubmittedGroup(answer)));
    }

    fn take_group_in(
        &mut self,
        token: Token,
        submissions: Vec<Submission>,
        known: &BTreeMap<RequestId, Request>,
        now: Now,
    ) {
        let answer = match self.repeat_of_group(&submissions, known) {
            Some(answer) => answer,
            None => self.try_submit_group(submissions, now),
        };
        self.answer_group(token, answer);
    }

    /// A group that is known, all of it and with the same content, is answered with how it stands; `None`: none of it is known.
    fn repeat_of_group(
        &self,
        submissions: &[Submission],
        known: &BTreeMap<RequestId, Request>,
    ) -> Option<Result<Vec<Request>, Refusal>> {
        let standing = |one: &Submission| {
            let live = self.live.get(&one.id).map(|live| {
                // An end that is on its way to the store is told behind it.
                let state = live.ending.clone().unwrap_or_else(|| live.request.state.clone());
                Request { state, ..live.request.clone() }
            });
            live.or_else(|| known.get(&one.id).cloned())
        };
        let found: Vec<Option<Request>> = submissions.iter().map(standing).collect();
        let first = found.iter().flatten().next()?.id;
        let answer = submissions.iter().zip(&found).map(|(one, found)| match found {
            Some(found) => repeat_of(found, one),
            None => Err(Refusal::IdReused { id: first }),
        });
        Some(answer.collect())
    }

    fn try_submit_group(&mut self, submissions: Vec<Submission>, now: Now) -> Result<Vec<Request>, Refusal> {
        if let Some(reason) = &self.store_failed {
            return Err(Refusal::Store { reason: reason.to_string() });
        }
        let limit = self.config.max_live_requests;
        if self.live.len().saturating_add(submissions.len()) > limit {
            return Err(Refusal::ResourceExhausted { limit });
        }
        let resolved = self.check_group(&submissions)?;
        let ids: Vec<RequestId> =
            submissions.into_iter().zip(resolved).map(|(one, found)| self.take_in(one, found, now)).collect();
        Ok(ids.iter().filter_map(|id| Some(self.live.get(id)?.request.clone())).collect())
    }

    fn check_group(&self, submissions: &[Submission]) -> Result<Vec<Resolved>, Refusal> {
        let unfit = |what: &str| Refusal::Unfit(String::from(what));
        let group = submissions.first().and_then(|first| first.options.group);
        if group.is_none() || submissions.len() > MAX_MEMBERS {
            return Err(unfit("a group is 1 to 64 mounts that carry the group's id"));
        }
        if group.is_some_and(|group| self.live.in_group(group).next().is_some()) {
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
        self.check_drives_for(index, &resolved, submissions)?;
        Ok(resolved)
    }

    /// There is a drive for each, whoever uses it now; and where they are not to wait, they can have them now.
    fn check_drives_for(
        &self,
        index: LibraryIndex,
        resolved: &[Resolved],
        submissions: &[Submission],
    ) -> Result<(), Refusal> {
        let Some(library) = self.library(index) else { return Ok(()) };
        let count = library.elements.count(ElementType::Drive);
        if resolved.len() > count {
            return Err(Refusal::Unfit(alloc::format!(
                "{} mounts need as many drives, and {} has {count}",
                resolved.len(),
                library.config.name
            )));
        }
        let wants: Vec<Want> = resolved
            .iter()
            .zip(submissions)
            .filter_map(|(found, one)| match one.wanted {
                Wanted::Mount { drive, access, .. } => Some(self.want_to_be(found, drive, access)),
                _ => None,
            })
            .collect();
        let serves = |element: &ElementState| {
            element.drive.as_ref().is_some_and(|drive| drive.service != Service::Disabled)
        };
        let choices: Vec<_> = wants.iter().map(|want| self.possible(index, want, serves)).collect();
        let given = assign(&choices);
        if let Some(want) = wants.iter().zip(&given).find_map(|(want, given)| given.is_none().then_some(want))
        {
            let cartridge = want.cartridge.map(|id| self.cartridge_name(id)).unwrap_or_default();
            return Err(Refusal::Unfit(alloc::format!(
                "the drives of {} that can be used do not suffice for all of the group at a time: {cartridge} finds \
                 none beside the others",
                library.config.name
            )));
        }
        if submissions.iter().any(|one| one.options.at_once) {
            self.check_at_once(index, &wants)?;
        }
        Ok(())
    }
}
