//! Initiators that have a name, and that the library knows again when they come back.

use std::collections::VecDeque;

use autochanger_sim::{Device, Nexus};

/// Named initiators that a library remembers. The one that came first makes way for another, but never one that has a session
/// or a registration; of those there are no more than the library has room for.
const MAX_REMEMBERED: usize = 1024;

/// The named initiators of a library.
#[derive(Default)]
pub(super) struct Initiators {
    known: VecDeque<Initiator>,
    sessions: u64,
}

struct Initiator {
    port: String,
    nexus: Nexus,
    /// Its session, while it has one.
    session: Option<Session>,
}

/// One stay of a named initiator: when it comes again meanwhile, the earlier stay is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session(u64);

impl Initiators {
    /// The initiator port begins a session, which ends the one that it may have.
    pub(super) fn enter(
        &mut self,
        port: &str,
        device: &mut Device,
        new: impl FnOnce() -> Nexus,
    ) -> (Nexus, Session) {
        self.sessions += 1;
        let session = Session(self.sessions);
        if let Some(known) = self.known.iter_mut().find(|known| known.port == port) {
            if known.session.replace(session).is_some() {
                device.lose(device.now(), known.nexus);
            }
            return (known.nexus, session);
        }
        if self.known.len() >= MAX_REMEMBERED {
            let idle = |known: &Initiator| known.session.is_none() && !device.is_registered(known.nexus);
            if let Some(oldest) = self.known.iter().position(idle).and_then(|at| self.known.remove(at)) {
                device.forget(oldest.nexus);
            }
        }
        let nexus = new();
        device.name_nexus(nexus, port);
        self.known.push_back(Initiator { port: port.to_owned(), nexus, session: Some(session) });
        (nexus, session)
    }

    /// The session ends, if it has not ended before.
    pub(super) fn leave(&mut self, session: Session, device: &mut Device) {
        if let Some(known) = self.known.iter_mut().find(|known| known.session == Some(session)) {
            known.session = None;
            device.lose(device.now(), known.nexus);
        }
    }

    pub(super) fn has(&self, session: Session) -> bool {
        self.known.iter().any(|known| known.session == Some(session))
    }
}
