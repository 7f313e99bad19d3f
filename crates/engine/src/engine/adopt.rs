//! Claiming a mount of an earlier process, or of another session.

use alloc::string::{String, ToString};

use super::Engine;
use super::emit::Effect;
use super::live::{Follower, Phase};
use super::submit::LookupFor;
use crate::catalog::Caller;
use crate::id::{RequestId, Token};
use crate::output::{AdoptRefusal, Answer, Change, EventKind};
use crate::request::{Operation, Request, State};
use crate::time::Now;

impl Engine {
    pub(crate) fn adopt(&mut self, token: Token, caller: Caller, id: RequestId, now: Now) {
        if let Some(reason) = &self.store_failed {
            let error = AdoptRefusal::Store { reason: reason.to_string() };
            return self.answer_adopt(token, Err(error));
        }
        let Some(live) = self.live.get_mut(&id) else {
            if self.lookups.len() >= self.config.max_pending_cancels {
                let limit = self.config.max_pending_cancels;
                return self.answer_adopt(token, Err(AdoptRefusal::ResourceExhausted { limit }));
            }
            return self.look_up(id, LookupFor::Adopt { token, caller, id });
        };
        let (visible, permitted) =
            (live.request.is_visible_to(&caller), live.request.is_controlled_by(&caller));
        if !visible || live.request.operation() != Operation::Mount {
            return self.answer_adopt(token, Err(AdoptRefusal::NotFound { id }));
        }
        if !permitted {
            let owner = live.request.application.to_string();
            return self.answer_adopt(token, Err(AdoptRefusal::PermissionDenied { id, owner }));
        }
        // What has been decided is not changed any more.
        if live.ending.is_some() {
            live.followers.push(Follower::Adopt(token));
            return;
        }
        live.request.application = caller.application;
        let waited = live.phase == Phase::Owner;
        let request = live.request.clone();
        self.live.hand_to(id, Some(caller.session));
        self.outbox.change(Change::Request(request.clone()));
        self.outbox.after(Effect::Event(EventKind::Request(request)));
        if waited {
            self.set_state(id, State::Queued);
            self.admit(id, now);
            // A group has one owner.
            for other in self.others_of_group(id) {
                self.adopt_member(other, id, now);
            }
        }
        if let Some(request) = self.live.get(&id).map(|live| live.request.clone()) {
            self.answer_adopt(token, Ok(request));
        }
    }

    fn adopt_member(&mut self, id: RequestId, with: RequestId, now: Now) {
        let owner = self.live.get(&with).map(|live| (live.session, live.request.application.clone()));
        let (Some((session, application)), Some(live)) = (owner, self.live.get_mut(&id)) else { return };
        if live.phase != Phase::Owner {
            return;
        }
        live.request.application = application;
        self.live.hand_to(id, session);
        self.set_state(id, State::Queued);
        self.admit(id, now);
    }

    /// Adopts a mount whose request has ended: the medium is in the drive.
    pub(crate) fn adopt_old(
        &mut self,
        token: Token,
        caller: &Caller,
        id: RequestId,
        found: Result<Option<Request>, String>,
    ) {
        let request = match found {
            Err(reason) => return self.answer_adopt(token, Err(AdoptRefusal::Store { reason })),
            Ok(Some(request)) if request.is_visible_to(caller) && request.operation() == Operation::Mount => {
                request
            }
            Ok(_) => return self.answer_adopt(token, Err(AdoptRefusal::NotFound { id })),
        };
        let Some(mount) = self.catalogue.mount(id) else {
            return self.answer_adopt(token, Err(AdoptRefusal::Ended { id, state: request.state.into() }));
        };
        let mut mount = mount.clone();
        if mount.application != caller.application && caller.role != crate::catalog::Role::Administrator {
            let owner = mount.application.to_string();
            return self.answer_adopt(token, Err(AdoptRefusal::PermissionDenied { id, owner }));
        }
        if mount.application != caller.application {
            mount.application = caller.application.clone();
            self.outbox.change(Change::Mount(mount.clone()));
            self.catalogue.put_mount(mount);
        }
        self.answer_adopt(token, Ok(request));
    }

    fn answer_adopt(&mut self, token: Token, answer: Result<Request, AdoptRefusal>) {
        self.outbox.after(Effect::Answer(token, Answer::Adopted(answer)));
    }
}
