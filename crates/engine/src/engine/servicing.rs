//! When a drive or a library needs hands: a person is asked to see to it (RSM: `NTMS_OPREQ_DEVICESERVICE`).
//!
//! The request behind it is the manager's own, to put the device into service. It waits until a person says that it was seen to, and
//! is done then. Whoever changes the device's service has taken the matter over, and another drive in its bay is what was
//! asked for: the request ends by either.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, TapeAlert};

use super::Engine;
use super::live::{Live, Phase};
use super::submit::OWN;
use crate::catalog::Service;
use crate::id::{LibraryIndex, RequestId};
use crate::output::EventKind;
use crate::request::{CancelledBy, Operation, Outcome, ServiceTarget, State, Waiting, Wanted};
use crate::time::Now;
use crate::view::OperatorTask;

// Ours to say: the tables of flags have what the standards and manuals ask for, which of all these is to tell people.

/// The flags of a tape drive that are about the drive, and that neither cleaning nor another medium helps: fan, power, maintenance, hardware A
/// and B, predicted failure, diagnostics, an unload that cannot be recovered from (SSC-4, annex of TapeAlert).
const FLAGS_OF_DRIVE: [u8; 9] = [26, 27, 29, 30, 31, 38, 39, 42, 56];
/// Those of a changer: hardware A to D, diagnostics, predicted failure, maintenance, mail slot, fan, power, pass-through mechanism (SMC-3).
const FLAGS_OF_CHANGER: [u8; 11] = [1, 2, 3, 4, 5, 7, 8, 17, 27, 28, 30];

impl Engine {
    /// Asks a person to see to a drive, or to the library; once for each, however much is wrong with it.
    pub(crate) fn needs_service(
        &mut self,
        index: LibraryIndex,
        drive: Option<ElementAddress>,
        why: String,
        now: Now,
    ) {
        let Some(library) = self.library(index).and_then(|library| library.id) else { return };
        if self.services_asked(index, drive).next().is_some() {
            return;
        }
        let target = match drive {
            Some(drive) => ServiceTarget::Drive { library: Some(library), drive },
            None => ServiceTarget::Library(Some(library)),
        };
        match self.submit_own(Wanted::SetService { target, service: Service::Enabled }, 0, now) {
            Ok(id) => {
                if let Some(live) = self.live.get_mut(&id) {
                    live.trouble = Some(why.into());
                }
            }
            Err(refusal) => {
                let what = format!("nobody is asked to see to it, for {refusal}: {why}");
                self.tell(EventKind::Warning { library: self.library_name(index).into(), drive, what }, now);
            }
        }
    }

    /// A flag of TapeAlert that only hands can do something about.
    pub(crate) fn heed_alert_for_hands(
        &mut self,
        index: LibraryIndex,
        drive: Option<ElementAddress>,
        alert: &TapeAlert,
        now: Now,
    ) {
        let flags = if drive.is_some() { &FLAGS_OF_DRIVE[..] } else { &FLAGS_OF_CHANGER[..] };
        if flags.contains(&alert.number) {
            let why = format!("it says TapeAlert {}, {}", alert.number, alert.name);
            self.needs_service(index, drive, why, now);
        }
    }

    /// What persons are asked to see to at a drive, or at the library itself.
    fn services_asked(
        &self,
        index: LibraryIndex,
        drive: Option<ElementAddress>,
    ) -> impl Iterator<Item = &Live> {
        let library = self.library(index).and_then(|library| library.id);
        self.live.own().filter(move |live| {
            let target = live.request.service_wanted().map(|(target, _)| target);
            Some(live.request.library) == library
                && match target {
                    Some(ServiceTarget::Drive { drive: asked, .. }) => drive == Some(asked),
                    Some(ServiceTarget::Library(_)) => drive.is_none(),
                    Some(ServiceTarget::Cartridge(_)) | None => false,
                }
        })
    }

    /// Whether the change of service is one of the manager's own that a person has not answered yet: then it is asked for.
    pub(crate) fn awaits_service(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        let Some((target, _)) = live.request.service_wanted() else { return false };
        if &*live.request.application != OWN || live.person_is_done {
            return false;
        }
        let drive = match target {
            ServiceTarget::Drive { drive, .. } => Some(drive),
            _ => None,
        };
        let (library, why) = (self.library_name(index).into(), live.trouble.clone());
        if let Some(live) = self.live.get_mut(&id) {
            live.phase = Phase::Operator;
        }
        self.set_state(id, State::Waiting(Waiting::Operator));
        self.ask_person(id, OperatorTask::DeviceService { library, drive, why }, now);
        true
    }

    /// Somebody has changed the service of a drive, or of the library: the matter is that one's now.
    pub(crate) fn service_taken_over(
        &mut self,
        index: LibraryIndex,
        by: RequestId,
        target: &ServiceTarget,
        now: Now,
    ) {
        let drive = match target {
            ServiceTarget::Drive { drive, .. } => Some(*drive),
            ServiceTarget::Library(_) => None,
            ServiceTarget::Cartridge(_) => return,
        };
        for id in self.asked_beside(index, drive, Some(by)) {
            self.end_early(id, CancelledBy::Superseded { by }, now);
        }
    }

    /// There is another drive in the bay.
    pub(crate) fn drive_was_exchanged(&mut self, index: LibraryIndex, drive: ElementAddress, now: Now) {
        for id in self.asked_beside(index, Some(drive), None) {
            self.end(id, State::Passed(Outcome::Done), now);
        }
    }

    fn asked_beside(
        &self,
        index: LibraryIndex,
        drive: Option<ElementAddress>,
        by: Option<RequestId>,
    ) -> Vec<RequestId> {
        let asked = self.services_asked(index, drive).map(|live| live.request.id);
        asked.filter(|id| Some(*id) != by).collect()
    }

    /// A person has seen to it: the manager's request is done.
    pub(crate) fn service_was_done(&mut self, id: RequestId) {
        let Some(live) = self.live.get(&id) else { return };
        let services = [Operation::EnableDrive, Operation::EnableLibrary];
        if let Some(index) = live.library.filter(|_| services.contains(&live.request.operation())) {
            self.withdraw_task(id);
            self.queue_again(index, id);
        }
    }
}
