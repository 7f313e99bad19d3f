//! A cancel answers by fact: what was cancelled never moved and never moves, what was stopped moves no more.

use std::collections::{BTreeMap, BTreeSet};

use autochanger_engine::command::TransportError;
use autochanger_engine::id::{CommandId, RequestId, Token};
use autochanger_engine::request::{CancelAccepted, CancelError, State};
use autochanger_engine::{Answer, Change, Input};

use crate::watch::{Checker, Facts, Sight};

/// Remembers what was moved for whom, and who was told that nothing would be.
#[derive(Debug, Default)]
pub(crate) struct Cancels {
    /// Motions that may have reached a device, by request.
    moved: BTreeMap<RequestId, u32>,
    in_flight: BTreeMap<CommandId, Vec<RequestId>>,
    asked: BTreeMap<Token, RequestId>,
    cancelled: BTreeSet<RequestId>,
    stopping: BTreeSet<RequestId>,
    /// What was deleted, from when on nobody can look.
    purged: BTreeSet<RequestId>,
}

impl Checker for Cancels {
    fn name(&self) -> &'static str {
        "cancels"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        match sight {
            Sight::Input(Input::Cancel { token, id, .. } | Input::RefuseOperatorTask { token, id, .. }) => {
                self.asked.insert(*token, *id);
            }
            Sight::Input(Input::Completed { command, result }) => {
                let requests = self.in_flight.remove(command).unwrap_or_default();
                if let Err(TransportError::NotSent(_)) = result {
                    for request in requests {
                        self.moved.entry(request).and_modify(|count| *count = count.saturating_sub(1));
                    }
                }
            }
            Sight::Send { id, ways, .. } => {
                for (request, _) in ways.iter().filter_map(|way| way.intent) {
                    if self.cancelled.contains(&request) {
                        return Err(format!("a motion is sent for {request}, which was answered Cancelled"));
                    }
                    if self.stopping.contains(&request) {
                        return Err(format!("a motion is sent for {request}, which was answered Stopping"));
                    }
                    *self.moved.entry(request).or_default() += 1;
                    self.in_flight.entry(*id).or_default().push(request);
                }
            }
            Sight::Answer(token, Answer::Cancel(answer)) => {
                let Some(id) = self.asked.remove(token) else {
                    return Err(format!("{token:?} is answered and was not asked, or a second time"));
                };
                return self.answered(id, answer, facts);
            }
            Sight::Commit(changes) => {
                for change in *changes {
                    if let Change::Request(request) = change {
                        self.ends(request.id, &request.state)?;
                    }
                }
            }
            Sight::Purge(ids) => {
                self.purged.extend(ids.iter().copied());
                self.moved.retain(|id, _| !ids.contains(id));
                self.cancelled.retain(|id| !ids.contains(id));
                self.stopping.retain(|id| !ids.contains(id));
            }
            // Who asked before has nobody to be answered by.
            Sight::Restart => {
                self.in_flight.clear();
                self.asked.clear();
            }
            _ => {}
        }
        Ok(())
    }
}

impl Cancels {
    fn answered(
        &mut self,
        id: RequestId,
        answer: &Result<CancelAccepted, CancelError>,
        facts: &Facts<'_>,
    ) -> Result<(), String> {
        let kept = facts.disk.requests.get(&id);
        if kept.is_none() && self.purged.contains(&id) {
            return Ok(());
        }
        match answer {
            Ok(CancelAccepted::Cancelled) => {
                self.cancelled.insert(id);
                if !kept.is_some_and(|kept| matches!(kept.state, State::Cancelled { .. })) {
                    return Err(format!("{id} was answered Cancelled, the disk has {kept:?}"));
                }
            }
            Ok(CancelAccepted::Stopping) => {
                self.stopping.insert(id);
                if !kept.is_some_and(|kept| kept.stopping.is_some() || kept.state.is_final()) {
                    return Err(format!("{id} was answered Stopping, the disk has {kept:?}"));
                }
            }
            Err(CancelError::InProgress { .. }) if kept.is_none_or(|kept| kept.state == State::Queued) => {
                return Err(format!("{id} was answered InProgress, the disk has {kept:?}"));
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn ends(&self, id: RequestId, state: &State) -> Result<(), String> {
        let motions = self.moved.get(&id).copied().unwrap_or_default();
        match state {
            State::Cancelled { .. } if motions > 0 => {
                Err(format!("{id} is {state}, and {motions} motions were sent for it"))
            }
            State::Cancelled { .. } if self.stopping.contains(&id) => {
                Err(format!("{id} was answered Stopping and is {state}"))
            }
            state if self.cancelled.contains(&id) && !matches!(state, State::Cancelled { .. }) => {
                Err(format!("{id} was answered Cancelled and is {state}"))
            }
            _ => Ok(()),
        }
    }
}
