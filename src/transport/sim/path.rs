//! One initiator's way to one logical unit of a simulated library.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use autochanger_sim::{Answer, Key, Nexus, Outcome, Unit};
use bytes::Bytes;
use tokio::sync::oneshot::error::TryRecvError;

use super::initiators::Session;
use super::library::{Shared, State};
use super::{MAX_IN_FLIGHT, MAX_TRANSFER};
use crate::transport::{
    Command, Completion, Limits, PathFault, PathFaultKind, TaskManagement, Transport, TransportError,
};

/// A path: a logical unit, as one nexus sees it.
pub(super) struct SimPath {
    connection: Arc<Connection>,
    unit: Unit,
    device: Arc<str>,
}

/// What a changer's path and its siblings share: they are one initiator.
struct Connection {
    shared: Arc<Shared>,
    nexus: Nexus,
    /// Of an initiator that has a name.
    session: Option<Session>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.catch_up();
        match self.session {
            Some(session) => state.leave(session),
            None => state.device.forget(self.nexus),
        }
        state.settle();
        drop(state);
        // What was dropped may have been what others waited behind.
        self.shared.wake_waiters();
    }
}

impl SimPath {
    /// A new initiator's path to the changer, through a target port.
    pub(super) fn new(shared: &Arc<Shared>, port: u8) -> Self {
        let mut state = shared.state();
        let nexus = state.new_nexus();
        state.device.connect(nexus, port);
        let mut path = Self::to_changer(shared, &state, nexus, None);
        if port > 0 {
            path.device = format!("{},port={port}", state.label).into();
        }
        drop(state);
        path
    }

    /// The path of an initiator port that has a name.
    pub(super) fn named(shared: &Arc<Shared>, port: &str) -> Self {
        let mut state = shared.state();
        state.catch_up();
        let (nexus, session) = state.enter(port);
        state.settle();
        let path = Self::to_changer(shared, &state, nexus, Some(session));
        drop(state);
        shared.wake_waiters();
        path
    }

    fn to_changer(shared: &Arc<Shared>, state: &State, nexus: Nexus, session: Option<Session>) -> Self {
        let connection = Arc::new(Connection { shared: Arc::clone(shared), nexus, session });
        Self { connection, unit: Unit { nexus, lun: 0 }, device: Arc::clone(&state.label) }
    }

    /// The same initiator's path to another logical unit, if there is one.
    pub(super) fn to_lun(&self, lun: u16) -> Option<Self> {
        let state = self.connection.shared.state();
        if lun > state.device.drive_count() {
            return None;
        }
        let device =
            if lun == 0 { Arc::clone(&self.device) } else { format!("{},lun={lun}", state.label).into() };
        let connection = Arc::clone(&self.connection);
        Some(Self { connection, unit: Unit { lun, ..self.unit }, device })
    }

    fn fault(&self, kind: PathFaultKind, detail: &str) -> PathFault {
        PathFault { kind, device: Arc::clone(&self.device), detail: detail.to_owned() }
    }

    fn completion(&self, command: &Command, outcome: Outcome) -> Result<Completion, TransportError> {
        match outcome {
            Outcome::Answered(Answer { status, sense, data }) => {
                let (sense, data) = (Bytes::from(sense), Bytes::from(data));
                Ok(Completion { status, sense, data, residual: 0 }.left_over(command, 0))
            }
            Outcome::NotDelivered => Err(TransportError::NotSent(
                self.fault(PathFaultKind::Unreachable, "the command could not be delivered (simulated)"),
            )),
            _ => Err(TransportError::OutcomeUnknown(
                self.fault(PathFaultKind::ConnectionLost, "the answer was lost (simulated)"),
            )),
        }
    }

    /// Whether this is still the initiator's session.
    fn check_session(&self, state: &State) -> Result<(), TransportError> {
        if self.connection.session.is_none_or(|session| state.has(session)) {
            return Ok(());
        }
        Err(TransportError::NotSent(self.fault(
            PathFaultKind::ConnectionLost,
            "another session of the same initiator has taken the place of this one",
        )))
    }

    fn check(&self, command: &Command) -> Result<(), TransportError> {
        let out = u32::try_from(command.data_out.len()).unwrap_or(u32::MAX);
        if command.data_in.max(out) > MAX_TRANSFER {
            return Err(TransportError::NotSent(
                self.fault(
                    PathFaultKind::LimitReached,
                    "more data than one command carries (16777215 bytes)",
                ),
            ));
        }
        Ok(())
    }
}

/// Takes a waiter out of the list when its future is dropped or done.
struct Waiting<'a> {
    shared: &'a Shared,
    key: Key,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.state().expect_no_more(self.key);
    }
}

#[async_trait]
impl Transport for SimPath {
    async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
        self.check(&command)?;
        let shared = &*self.connection.shared;
        let (waiting, mut receiver, deadline) = {
            let mut state = shared.state();
            let now = state.catch_up();
            self.check_session(&state)?;
            let Command { cdb, data_out, data_in, timeout } = &command;
            let key = state.device.submit(now, self.unit, cdb.as_bytes(), data_out, *data_in);
            let outcome = state.device.take(key);
            state.settle();
            if let Some(outcome) = outcome {
                return self.completion(&command, outcome);
            }
            let receiver = state.expect(key);
            (Waiting { shared, key }, receiver, now.saturating_add(*timeout))
        };
        // The command may be the one that somebody waits for at a gate, or bring an earlier event.
        shared.wake_waiters();
        let look = |state: &mut State| match receiver.try_recv() {
            // An answer that came after the command's time counts as none, however late we look.
            Ok((outcome, at)) => Some(Some(outcome).filter(|_| at <= deadline)),
            Err(TryRecvError::Closed) => Some(Some(Outcome::Lost)),
            Err(TryRecvError::Empty) => (state.device.now() >= deadline).then_some(None),
        };
        let outcome = shared.wait(deadline, look).await;
        drop(waiting);
        match outcome {
            Some(outcome) => self.completion(&command, outcome),
            None => Err(TransportError::OutcomeUnknown(
                self.fault(PathFaultKind::TimedOut, &format!("no answer within {}", shown(command.timeout))),
            )),
        }
    }

    async fn manage(&self, function: TaskManagement) -> Result<(), TransportError> {
        let shared = &self.connection.shared;
        let mut state = shared.state();
        let now = state.catch_up();
        self.check_session(&state)?;
        match function {
            TaskManagement::AbortTaskSet => state.device.abort(now, self.unit),
            TaskManagement::LogicalUnitReset => state.device.reset(now, self.unit.lun),
        }
        state.settle();
        drop(state);
        shared.wake_waiters();
        Ok(())
    }

    fn limits(&self) -> Limits {
        Limits { max_transfer: MAX_TRANSFER, max_in_flight: MAX_IN_FLIGHT }
    }

    fn device(&self) -> &str {
        &self.device
    }

    fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
        self.to_lun(lun).map(|path| Arc::new(path) as Arc<dyn Transport>)
    }
}

fn shown(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{} s", time.as_secs())
    }
}
