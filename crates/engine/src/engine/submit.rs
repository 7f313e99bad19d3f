//! Taking a request in: checked against the catalogue, answered when it is durable.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use super::live::{Follower, Live, Phase};
use super::work::Timer;
use crate::catalog::{Caller, Role, generation};
use crate::id::{CartridgeId, LibraryId, LibraryIndex, RequestId, Token};
use crate::input::StoreFailure;
use crate::library::elements::Need;
use crate::output::{Answer, Change, EventKind, Output, SubmitError};
use crate::request::{
    Access, CancelError, CartridgeRef, Operation, Place, Request, State, Submission, Wanted,
};
use crate::time::Now;

/// Priorities (RSM: `NTMS_PRIORITY_LOWEST` to `NTMS_PRIORITY_HIGHEST`).
const PRIORITIES: core::ops::RangeInclusive<i8> = -15..=15;
/// How many addresses a message lists: a line of them.
const LISTED: usize = 8;

/// What a look-up in the store was made for.
#[derive(Debug)]
pub(crate) enum LookupFor {
    Submit { token: Token, submission: Submission },
    Cancel { token: Token, caller: Caller, id: RequestId },
    Adopt { token: Token, caller: Caller, id: RequestId },
}

/// A request that was checked: what it will work on.
#[derive(Debug)]
struct Resolved {
    index: LibraryIndex,
    library: LibraryId,
    cartridge: Option<CartridgeId>,
    barcode: Option<Arc<str>>,
}

impl Engine {
    pub(crate) fn submit(&mut self, token: Token, submission: Submission, now: Now) {
        if let Some(reason) = &self.store_failed {
            let error = SubmitError::Store { reason: reason.to_string() };
            return self.answer_submit(token, Err(error));
        }
        if self.live.contains_key(&submission.id) {
            return self.answer_repeat(token, &submission);
        }
        if submission.id_given {
            if self.lookups.len() >= self.config.max_pending_cancels {
                let limit = self.config.max_pending_cancels;
                return self.answer_submit(token, Err(SubmitError::ResourceExhausted { limit }));
            }
            let id = submission.id;
            return self.look_up(id, LookupFor::Submit { token, submission });
        }
        self.accept(token, submission, now);
    }

    pub(crate) fn look_up(&mut self, id: RequestId, purpose: LookupFor) {
        self.next_lookup += 1;
        let token = Token(self.next_lookup);
        self.lookups.insert(token, purpose);
        self.outbox.put(Output::Lookup { token, id });
    }

    pub(crate) fn found(&mut self, token: Token, result: Result<Option<Request>, StoreFailure>, now: Now) {
        let Some(purpose) = self.lookups.remove(&token) else { return };
        let failure = |StoreFailure(reason): StoreFailure| reason.to_string();
        match purpose {
            LookupFor::Submit { token, submission } => match result {
                Ok(Some(request)) => self.answer_submit(token, repeat_of(&request, &submission)),
                // It may have become live while the store was asked.
                Ok(None) if self.live.contains_key(&submission.id) => self.answer_repeat(token, &submission),
                Ok(None) => self.accept(token, submission, now),
                Err(error) => self.answer_submit(token, Err(SubmitError::Store { reason: failure(error) })),
            },
            LookupFor::Cancel { token, caller, id } => {
                let answer = match result {
                    Ok(request) => Err(cancel_of_old(id, &caller, request)),
                    Err(error) => Err(CancelError::Store { reason: failure(error) }),
                };
                self.outbox.after(Effect::Answer(token, Answer::Cancel(answer)));
            }
            LookupFor::Adopt { token, caller, id } => {
                self.adopt_old(token, &caller, id, result.map_err(failure))
            }
        }
    }

    /// A request that is live is handed in again. While its end is being written, the end is the answer.
    fn answer_repeat(&mut self, token: Token, submission: &Submission) {
        let Some(live) = self.live.get_mut(&submission.id) else { return };
        match repeat_of(&live.request, submission) {
            Ok(_) if live.ending.is_some() => live.followers.push(Follower::Submit(token)),
            answer => self.answer_submit(token, answer),
        }
    }

    fn answer_submit(&mut self, token: Token, answer: Result<Request, SubmitError>) {
        self.outbox.after(Effect::Answer(token, Answer::Submitted(answer)));
    }

    fn accept(&mut self, token: Token, submission: Submission, now: Now) {
        let limit = self.config.max_live_requests;
        let full = self.live.len() >= limit;
        let checked =
            if full { Err(SubmitError::ResourceExhausted { limit }) } else { self.check(&submission) };
        match checked {
            Err(error) => self.answer_submit(token, Err(error)),
            Ok(resolved) => {
                let id = self.take_in(submission, resolved, now);
                if let Some(live) = self.live.get(&id) {
                    let request = live.request.clone();
                    self.answer_submit(token, Ok(request));
                }
            }
        }
    }

    /// Accepts a request of the manager's own: one for a drive at most, so that no bound is needed, and a full house can
    /// still be emptied.
    pub(crate) fn submit_own(&mut self, submission: Submission, now: Now) -> Option<RequestId> {
        let resolved = self.check(&submission).ok()?;
        Some(self.take_in(submission, resolved, now))
    }

    fn take_in(&mut self, submission: Submission, resolved: Resolved, now: Now) -> RequestId {
        let Submission { id, caller, wanted, priority, deadline, detached, .. } = submission;
        let request = Request {
            id,
            library: resolved.library,
            cartridge: resolved.cartridge,
            barcode: resolved.barcode,
            drive: None,
            application: caller.application,
            priority,
            deadline: deadline.map(|deadline| now.wall.plus(deadline)),
            detached,
            queued_at: now.wall,
            ended_at: None,
            state: State::Queued,
            stopping: None,
            motions: 0,
            wanted,
        };
        self.accepted += 1;
        let deadline =
            deadline.map(|after| self.set_timer(now.monotonic.saturating_add(after), Timer::Deadline(id)));
        self.outbox.change(Change::Request(request.clone()));
        self.outbox.after(Effect::Event(EventKind::Request(request.clone())));
        self.outbox.after(Effect::Accepted(id));
        let mut live = Live::new(request, self.accepted, Phase::Accepting, deadline);
        live.session = Some(caller.session);
        live.administrator = caller.role == Role::Administrator;
        live.library = Some(resolved.index);
        self.live.insert(id, live);
        id
    }

    fn check(&self, submission: &Submission) -> Result<Resolved, SubmitError> {
        if !PRIORITIES.contains(&submission.priority) {
            return Err(SubmitError::PriorityOutOfRange(submission.priority));
        }
        match &submission.wanted {
            Wanted::Inventory { library, .. } => {
                let (index, library) = self.check_library(*library)?;
                Ok(Resolved { index, library, cartridge: None, barcode: None })
            }
            Wanted::Mount { cartridge, drive, access } => {
                let resolved = self.check_cartridge(cartridge)?;
                if let Some(drive) = drive {
                    self.check_element(resolved.index, *drive, ElementType::Drive)?;
                }
                self.check_pairing(&resolved, *drive, *access)?;
                Ok(resolved)
            }
            Wanted::Dismount { cartridge, slot, force } => {
                let resolved = self.check_cartridge(cartridge)?;
                if let Some(slot) = slot {
                    self.check_element(resolved.index, *slot, ElementType::Storage)?;
                }
                self.check_dismount(&resolved, &submission.caller, *force)?;
                self.check_slot(&resolved, *slot)?;
                Ok(resolved)
            }
        }
    }

    fn check_library(&self, id: Option<LibraryId>) -> Result<(LibraryIndex, LibraryId), SubmitError> {
        let found = match id {
            Some(id) => self.libraries.iter().find(|library| library.id == Some(id)).ok_or_else(|| {
                SubmitError::NoSuchLibrary(format!(
                    "there is no library {id}; list the libraries to see which there are"
                ))
            })?,
            None => match self.libraries.as_slice() {
                [only] => only,
                [] => return Err(SubmitError::NoSuchLibrary("no library is configured".into())),
                several => {
                    let count = several.len();
                    return Err(SubmitError::NoSuchLibrary(format!(
                        "{count} libraries are configured: say which one is meant"
                    )));
                }
            },
        };
        match found.id {
            Some(id) if found.is_ready() => Ok((found.index, id)),
            _ => {
                Err(SubmitError::NotReady { library: found.config.name.clone(), state: found.state.clone() })
            }
        }
    }

    fn check_cartridge(&self, name: &CartridgeRef) -> Result<Resolved, SubmitError> {
        let found = self.catalogue.find(name);
        let here = |id: &CartridgeId| {
            let cartridge = self.catalogue.cartridge(*id)?;
            let library = self.libraries.iter().find(|library| library.id == Some(cartridge.library))?;
            Some((cartridge, library))
        };
        let present: Vec<_> = found.iter().filter_map(here).collect();
        // One label, several records: those that are gone do not make it ambiguous.
        let placed: Vec<_> = present
            .iter()
            .filter(|(cartridge, _)| !matches!(cartridge.place, Place::Missing { .. }))
            .collect();
        let (cartridge, library) = match (placed.as_slice(), present.first()) {
            ([one], _) => **one,
            ([], Some(gone)) => *gone,
            ([], None) => return Err(self.no_cartridge(name)),
            (several, _) => {
                let barcode = match name {
                    CartridgeRef::Barcode(barcode) => barcode.clone(),
                    CartridgeRef::Id(id) => id.to_string().into(),
                };
                return Err(SubmitError::AmbiguousBarcode { barcode, count: several.len() });
            }
        };
        if !library.is_ready() {
            return Err(SubmitError::NotReady {
                library: library.config.name.clone(),
                state: library.state.clone(),
            });
        }
        if !matches!(cartridge.place, Place::Element(_)) {
            return Err(SubmitError::CartridgeNotAvailable {
                cartridge: name.to_string(),
                place: cartridge.place.clone(),
            });
        }
        Ok(Resolved {
            index: library.index,
            library: cartridge.library,
            cartridge: Some(cartridge.id),
            barcode: cartridge.barcode.clone(),
        })
    }

    /// A cartridge can be unknown because the library that holds it was not read yet.
    fn no_cartridge(&self, name: &CartridgeRef) -> SubmitError {
        match self.libraries.iter().find(|library| !library.is_ready()) {
            Some(library) => {
                SubmitError::NotReady { library: library.config.name.clone(), state: library.state.clone() }
            }
            None => SubmitError::CartridgeNotFound { cartridge: name.to_string() },
        }
    }

    fn check_element(
        &self,
        index: LibraryIndex,
        address: ElementAddress,
        kind: ElementType,
    ) -> Result<(), SubmitError> {
        let Some(library) = self.library(index) else { return Ok(()) };
        if library.elements.get(address).is_some_and(|element| element.name.kind == kind) {
            return Ok(());
        }
        let all: Vec<String> = library.elements.of_kind(kind).map(|e| e.name.address.to_string()).collect();
        let mut offered = all.get(..LISTED.min(all.len())).unwrap_or_default().join(", ");
        if all.len() > LISTED
            && let Some(last) = all.last()
        {
            offered = format!("{offered} … {last} ({} in all)", all.len());
        }
        Err(SubmitError::NoSuchElement {
            library: library.config.name.clone(),
            wanted: if kind == ElementType::Drive { "drive" } else { "slot" },
            address: address.0,
            offered: if offered.is_empty() { "none".into() } else { offered },
        })
    }

    /// An impossible pairing of medium and drive is refused before anything moves.
    fn check_pairing(
        &self,
        resolved: &Resolved,
        named: Option<ElementAddress>,
        access: Access,
    ) -> Result<(), SubmitError> {
        let Some(library) = self.library(resolved.index) else { return Ok(()) };
        let Some(barcode) = &resolved.barcode else { return Ok(()) };
        let Some(medium) = generation::of_label(barcode) else { return Ok(()) };
        let need = Need { medium: Some(medium), access };
        let fits = |drive: ElementAddress| library.elements.drive_fits(drive, need);
        let possible = match named {
            Some(named) => fits(named),
            // Without any drive the mount waits for one: that is another matter.
            None => {
                let mut drives =
                    library.elements.of_kind(ElementType::Drive).map(|element| element.name.address);
                library.elements.count(ElementType::Drive) == 0 || drives.any(fits)
            }
        };
        if possible {
            return Ok(());
        }
        let verb = if access == Access::Read { "read" } else { "write" };
        let reason = match named {
            Some(drive) => format!("drive {drive} of {} cannot {verb} {medium}", library.config.name),
            None => format!("no drive of {} can {verb} {medium}", library.config.name),
        };
        Err(SubmitError::Incompatible { cartridge: barcode.to_string(), reason })
    }

    /// A slot that is full, and stays so, is refused; one whose cartridge is about to leave is waited for.
    fn check_slot(&self, resolved: &Resolved, slot: Option<ElementAddress>) -> Result<(), SubmitError> {
        let (Some(slot), Some(library)) = (slot, self.library(resolved.index)) else { return Ok(()) };
        let Some(element) = library.elements.get(slot) else { return Ok(()) };
        if !element.full || element.reserved_by.is_some() {
            return Ok(());
        }
        let held =
            element.cartridge.map_or_else(|| String::from("a cartridge"), |held| self.cartridge_name(held));
        Err(SubmitError::SlotFull { library: library.config.name.clone(), slot: slot.0, held })
    }

    fn check_dismount(&self, resolved: &Resolved, caller: &Caller, force: bool) -> Result<(), SubmitError> {
        let Some(id) = resolved.cartridge else { return Ok(()) };
        let Some(cartridge) = self.catalogue.cartridge(id) else { return Ok(()) };
        let name =
            || cartridge.barcode.as_ref().map_or_else(|| id.to_string(), |barcode| barcode.to_string());
        if let Some(mount) = self.catalogue.mount_of(id) {
            let own = mount.application == caller.application;
            let by_force = force && caller.role == Role::Administrator;
            if !own && !by_force {
                return Err(SubmitError::MediaOpen {
                    cartridge: name(),
                    drive: mount.drive.0,
                    application: mount.application.to_string(),
                });
            }
            return Ok(());
        }
        let in_drive =
            matches!(&cartridge.place, Place::Element(element) if element.kind == ElementType::Drive);
        // A medium that is being mounted for another application will be that one's.
        let owner = self.catalogue.reserver(id).and_then(|by| self.live.get(&by)).map(|live| &live.request);
        let owner = owner.filter(|request| request.operation() == Operation::Mount);
        if let Some(owner) = owner.filter(|owner| owner.application != caller.application)
            && !(force && caller.role == Role::Administrator)
        {
            return Err(SubmitError::MediaOpen {
                cartridge: name(),
                drive: owner.drive.map_or(0, |drive| drive.0),
                application: owner.application.to_string(),
            });
        }
        // On its way into a drive is as good as in it: the dismount waits for the mount's end.
        if !in_drive && self.catalogue.reserver(id).is_none() {
            return Err(SubmitError::NotMounted { cartridge: name(), place: cartridge.place.clone() });
        }
        Ok(())
    }
}

fn repeat_of(known: &Request, submission: &Submission) -> Result<Request, SubmitError> {
    let same = known.wanted == submission.wanted
        && known.application == submission.caller.application
        && known.priority == submission.priority;
    if same { Ok(known.clone()) } else { Err(SubmitError::IdReused { id: submission.id }) }
}

fn cancel_of_old(id: RequestId, caller: &Caller, request: Option<Request>) -> CancelError {
    match request {
        Some(request) if !request.is_visible_to(caller) => CancelError::NotFound { id },
        Some(request) if !request.is_controlled_by(caller) => {
            CancelError::PermissionDenied { id, owner: request.application.to_string() }
        }
        Some(request) => CancelError::AlreadyFinished { id, state: request.state.into() },
        None => CancelError::NotFound { id },
    }
}
