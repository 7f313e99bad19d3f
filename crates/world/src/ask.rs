//! What callers ask, and what they are answered.

use autochanger_engine::catalog::{Caller, Role, Service};
use autochanger_engine::id::{RequestId, SessionId, Token};
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{
    CancelAccepted, CancelError, GroupId, InventoryMethod, Request, ServiceTarget, State, Submission, Wanted,
};
use autochanger_engine::{Answer, EventKind, Input};
use autochanger_sim::ElementAddress;
use uuid::Uuid;

use crate::world::World;

impl World {
    pub(crate) fn token(&mut self) -> Token {
        self.next_token += 1;
        Token(self.next_token)
    }

    /// The caller that asks where none is named: an operator's session of the application `test`.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller { session: SessionId(1), application: "test".into(), role: Role::Operator }
    }

    /// A request as it would be handed in next.
    #[must_use]
    pub fn submission(&self, wanted: Wanted) -> Submission {
        Submission {
            id: RequestId(Uuid::from_u128(self.next_id + 1)),
            id_given: false,
            caller: self.caller(),
            wanted,
            priority: 0,
            deadline: None,
            detached: false,
            options: Default::default(),
        }
    }

    /// Hands a request in. Where the disk is held there is no answer yet, and the id is given back.
    ///
    /// # Errors
    /// What the engine answered.
    pub fn submit(&mut self, wanted: Wanted) -> Result<RequestId, Refusal> {
        let caller = self.caller();
        self.submit_as(caller, wanted, |_| {})
    }

    /// The same for somebody, or with a deadline, a priority, an id of the caller's.
    ///
    /// # Errors
    /// What the engine answered.
    ///
    /// # Panics
    /// If the answer is to another question.
    pub fn submit_as(
        &mut self,
        caller: Caller,
        wanted: Wanted,
        adjust: impl FnOnce(&mut Submission),
    ) -> Result<RequestId, Refusal> {
        let mut submission = Submission { caller, ..self.submission(wanted) };
        self.next_id += 1;
        adjust(&mut submission);
        let token = self.token();
        let id = submission.id;
        self.input(Input::Submit { token, submission });
        match self.answers.remove(&token.0) {
            Some(Answer::Submitted(Ok(request))) => Ok(request.id),
            Some(Answer::Submitted(Err(error))) => Err(error),
            None => Ok(id),
            other => panic!("{other:?}"),
        }
    }

    /// Hands mounts in as the group of that number, from which the ids are made: a hundred times the number, and on. Where the
    /// disk is held there is no answer yet, and nothing is given back.
    ///
    /// # Errors
    /// What the engine answered.
    ///
    /// # Panics
    /// If the answer is to another question.
    pub fn submit_group(
        &mut self,
        number: u128,
        wanted: impl IntoIterator<Item = Wanted>,
        adjust: impl Fn(&mut Submission),
    ) -> Result<Vec<Request>, Refusal> {
        let caller = self.caller();
        let submissions = wanted
            .into_iter()
            .enumerate()
            .map(|(n, wanted)| {
                let mut submission = Submission {
                    id: RequestId(Uuid::from_u128(number * 100 + n as u128)),
                    id_given: false,
                    caller: caller.clone(),
                    wanted,
                    priority: 0,
                    deadline: None,
                    detached: false,
                    options: Default::default(),
                };
                submission.options.group = Some(GroupId(Uuid::from_u128(number)));
                adjust(&mut submission);
                submission
            })
            .collect();
        let token = self.token();
        self.input(Input::SubmitGroup { token, submissions });
        match self.answers.remove(&token.0) {
            Some(Answer::SubmittedGroup(answer)) => answer,
            None => Ok(Vec::new()),
            other => panic!("{other:?}"),
        }
    }

    /// Hands in a group of mounts in any drives, which must be accepted.
    ///
    /// # Panics
    /// If it is not.
    pub fn group(&mut self, number: u128, barcodes: &[&str]) -> Vec<RequestId> {
        let wanted = barcodes.iter().map(|barcode| mount(barcode));
        self.submit_group(number, wanted, |_| {}).unwrap().iter().map(|request| request.id).collect()
    }

    /// Hands in a mount that must be accepted.
    ///
    /// # Panics
    /// If it is not.
    pub fn mount(&mut self, barcode: &str) -> RequestId {
        self.submit(mount(barcode)).unwrap()
    }

    /// Hands in a dismount that must be accepted.
    ///
    /// # Panics
    /// If it is not.
    pub fn dismount(&mut self, barcode: &str) -> RequestId {
        self.submit(dismount(barcode)).unwrap()
    }

    /// Cancels a request; `None` where there is no answer yet.
    pub fn cancel(&mut self, id: RequestId) -> Option<Result<CancelAccepted, CancelError>> {
        let caller = self.caller();
        self.cancel_as(caller, id)
    }

    /// The same for somebody.
    ///
    /// # Panics
    /// If the answer is to another question.
    pub fn cancel_as(
        &mut self,
        caller: Caller,
        id: RequestId,
    ) -> Option<Result<CancelAccepted, CancelError>> {
        let token = self.token();
        self.input(Input::Cancel { token, caller, id, reason: None });
        match self.answers.remove(&token.0) {
            Some(Answer::Cancel(answer)) => Some(answer),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    /// Adopts a mount, or a request that waits for an owner.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn adopt(&mut self, id: RequestId) -> Answer {
        let token = self.token();
        let caller = self.caller();
        self.input(Input::Adopt { token, caller, id });
        self.answers.remove(&token.0).expect("an answer")
    }

    /// The state on the disk.
    ///
    /// # Panics
    /// If the request is not on it.
    #[must_use]
    pub fn state(&self, id: RequestId) -> State {
        self.disk.requests.get(&id).map(|request| request.state.clone()).expect("the request is on the disk")
    }

    /// How often the end of a request was told.
    #[must_use]
    pub fn final_events(&self, id: RequestId) -> usize {
        let ends = |kind: &EventKind| matches!(kind, EventKind::Request(request) if request.id == id && request.state.is_final());
        self.events.iter().filter(|event| ends(&event.kind)).count()
    }
}

/// A mount in any drive, to read and write.
#[must_use]
pub fn mount(barcode: &str) -> Wanted {
    Wanted::Mount { cartridge: barcode.into(), drive: None, access: Default::default() }
}

/// A mount in a certain drive.
#[must_use]
pub fn mount_in(barcode: &str, drive: u16) -> Wanted {
    Wanted::Mount {
        cartridge: barcode.into(),
        drive: Some(ElementAddress(drive)),
        access: Default::default(),
    }
}

/// A dismount to the slot that the cartridge came from.
#[must_use]
pub fn dismount(barcode: &str) -> Wanted {
    Wanted::Dismount { cartridge: barcode.into(), slot: None, force: false }
}

/// An eject to any port.
#[must_use]
pub fn eject(barcode: &str) -> Wanted {
    Wanted::Eject { cartridge: barcode.into(), port: None }
}

/// An inject of one cartridge, or of as many as come.
#[must_use]
pub fn inject(many: bool) -> Wanted {
    Wanted::Inject { library: None, many }
}

/// A change of the only library's service.
#[must_use]
pub fn library_to_be(service: Service) -> Wanted {
    Wanted::SetService { target: ServiceTarget::Library(None), service }
}

/// A fast inventory of the only library.
#[must_use]
pub fn inventory() -> Wanted {
    Wanted::Inventory { library: None, method: Some(InventoryMethod::Fast) }
}
