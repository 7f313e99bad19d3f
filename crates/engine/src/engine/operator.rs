//! What a person is asked to do, for whom, and when it is not asked any more (RSM: operator requests).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Engine;
use super::emit::Effect;
use super::live::{Live, Phase};
use crate::catalog::{Caller, Role};
use crate::id::{CartridgeId, LibraryIndex, RequestId, Token};
use crate::library::fault::Stale;
use crate::output::{Answer, EventKind, OperatorRefusal};
use crate::planted::Bug;
use crate::request::{CancelAccepted, CancelError, CancelledBy, State, Waiting};
use crate::time::Now;
use crate::view::{OperatorRequest, OperatorTask};

impl Engine {
    /// The request waits until a person has done something, or goes on beside it.
    pub(crate) fn ask_person(&mut self, id: RequestId, task: OperatorTask, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.task.as_ref().is_some_and(|(asked, _)| *asked == task) {
            return;
        }
        live.task = Some((task, now.wall));
        if let Some(request) = self.task_of(id) {
            self.outbox.after(Effect::Event(EventKind::OperatorAsked(request)));
        }
    }

    pub(crate) fn task_of(&self, id: RequestId) -> Option<OperatorRequest> {
        let live = self.live.get(&id)?;
        let (task, since) = live.task.clone()?;
        Some(OperatorRequest { request: id, application: live.request.application.clone(), task, since })
    }

    pub(crate) fn withdraw_task(&mut self, id: RequestId) {
        let told = !self.planted.is(Bug::TaskNotWithdrawn);
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.task.take().is_some() && told {
            let application = live.request.application.clone();
            self.outbox.after(Effect::Event(EventKind::OperatorDone { request: id, application }));
        }
    }

    /// A mount of a cartridge that is not in the library waits until somebody brings it.
    pub(crate) fn wait_for_cartridge(&mut self, id: RequestId, cartridge: CartridgeId, now: Now) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let Some(index) = live.library else { return };
        self.await_person(index, id);
        self.pass_on(index, id);
        let (library, cartridge) = (self.library_name(index), self.cartridge_name(cartridge));
        let task = OperatorTask::BringCartridge { cartridge: cartridge.into(), library: library.into() };
        self.ask_person(id, task, now);
    }

    /// It waits until the cartridge that it needs was brought.
    pub(crate) fn await_person(&mut self, index: LibraryIndex, id: RequestId) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let (order, blocker) = (live.order, live.blocker());
        live.phase = Phase::Operator;
        if let Some(library) = self.library_mut(index) {
            // Another one of its group can have found out what it needs, while it had its place in the queue yet.
            library.queue.remove(order, blocker);
            library.to_be_brought.insert(id);
        }
        self.set_state(id, State::Waiting(Waiting::Operator));
    }

    /// Who waits until a cartridge was brought.
    pub(crate) fn awaiting_persons(&self) -> impl Iterator<Item = &Live> {
        let ids = self.libraries.iter().flat_map(|library| &library.to_be_brought);
        let live = ids.filter_map(|id| self.live.get(id));
        live.filter(|live| live.phase == Phase::Operator && live.ending.is_none())
    }

    /// What a person was asked for is there: it goes on.
    pub(crate) fn was_brought(&mut self, id: RequestId) {
        let index = self.live.get(&id).and_then(|live| live.library);
        if let Some(library) = index.and_then(|index| self.library_mut(index)) {
            library.to_be_brought.remove(&id);
        }
        self.withdraw_task(id);
        self.set_state(id, State::Queued);
    }

    /// Cartridges were found in the library: who waited for one of them takes its place in the queue.
    pub(crate) fn cartridges_came(&mut self, now: Now) {
        self.cleaners_came();
        self.clean_what_must_be(now);
        let come: Vec<RequestId> = self
            .awaiting_persons()
            .filter(|live| {
                // In another library it is not there for this request.
                let cartridge = live.request.cartridge;
                let stands = cartridge
                    .is_some_and(|cartridge| self.standing_place(live.request.id, cartridge).is_ok());
                match live.task {
                    // Emptied, or to be tried once more; taken away altogether, it is waited for in vain.
                    Some((OperatorTask::EmptyArm { .. }, _)) => !self.waits_for_full_arm(live),
                    _ => stands,
                }
            })
            .map(|live| live.request.id)
            .collect();
        for id in come {
            self.was_brought(id);
            self.admit(id, now);
        }
    }

    /// An operator says that it is done (RSM: `SatisfyNtmsOperatorRequest`). That is not believed, but looked into: what was
    /// brought is read from the library. Where only a person knows when it is done, at the ports of an inject and at a
    /// door that the library does not tell of, the waiting ends when what is there was looked at.
    pub(crate) fn satisfy_task(&mut self, token: Token, caller: &Caller, id: RequestId, now: Now) {
        let answer = self.try_satisfy(caller, id, now);
        self.outbox.after(Effect::Answer(token, Answer::Satisfied(answer)));
    }

    fn try_satisfy(&mut self, caller: &Caller, id: RequestId, now: Now) -> Result<(), OperatorRefusal> {
        if let Some(reason) = &self.store_failed {
            return Err(OperatorRefusal::Store { reason: reason.to_string() });
        }
        let live = self.live.get_mut(&id).filter(|live| live.task.is_some() && live.ending.is_none());
        let live = live.filter(|live| live.request.is_visible_to(caller));
        let Some(live) = live else { return Err(OperatorRefusal::NotFound { id }) };
        if !caller.role.suffices_for(Role::Operator) {
            let owner = live.request.application.to_string();
            return Err(OperatorRefusal::PermissionDenied { id, owner });
        }
        let stale = match live.task.as_ref().map(|(task, _)| task) {
            Some(OperatorTask::UseDoor { .. } | OperatorTask::CloseDoor { .. }) => {
                live.person_is_done = true;
                // The door is watched already, and what is behind it is read when it is closed.
                return Ok(());
            }
            Some(OperatorTask::FillPort { .. }) => {
                live.person_is_done = true;
                Stale::Ports
            }
            Some(OperatorTask::EmptyPort { .. }) => Stale::Ports,
            Some(OperatorTask::DeviceService { .. }) => {
                live.person_is_done = true;
                Stale::All
            }
            _ => Stale::All,
        };
        let index = live.library;
        if let Some(library) = index.and_then(|index| self.library_mut(index)) {
            library.stale = library.stale.max(stale);
            // A person waits for it.
            library.refresh_after = now.monotonic;
        }
        if let Some(index) = index {
            self.service_was_done(id);
            self.mark_dirty(index);
        }
        Ok(())
    }

    /// An operator will not do what is asked (RSM: `CancelNtmsOperatorRequest`): the request that waits for it ends.
    pub(crate) fn refuse_task(&mut self, token: Token, caller: &Caller, id: RequestId, now: Now) {
        let live = self.live.get(&id).filter(|live| live.task.is_some() && live.ending.is_none());
        let answer = match live {
            None => Err(CancelError::NotFound { id }),
            Some(live) if !live.request.is_visible_to(caller) => Err(CancelError::NotFound { id }),
            Some(live) if caller.role == crate::catalog::Role::Application => {
                Err(CancelError::PermissionDenied { id, owner: live.request.application.to_string() })
            }
            Some(live) => {
                let steps_sent = live.steps_sent;
                self.end_early(id, CancelledBy::Operator { application: caller.application.clone() }, now);
                Ok(if steps_sent { CancelAccepted::Stopping } else { CancelAccepted::Cancelled })
            }
        };
        self.outbox.after(Effect::Answer(token, Answer::Cancel(answer)));
    }
}
