//! What one input causes leaves as one transaction; what may only be seen after it is durable waits for it.

use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Engine;
use super::live::Follower;
use crate::id::{BatchId, LibraryIndex, RequestId, Token};
use crate::input::StoreFailure;
use crate::output::{
    AdoptRefusal, Answer, Change, Event, EventKind, OperatorRefusal, Output, Refusal, ReorderRefusal,
};
use crate::request::CancelError;
use crate::time::Now;

/// What happens once the changes made with it are durable.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    Answer(Token, Answer),
    Event(EventKind),
    /// The request is durable as accepted.
    Accepted(RequestId),
    /// The intent of its motion of that sequence number is durable.
    IntentDurable(RequestId, u32),
    /// That it is in process is durable: its first step may be sent.
    BegunDurably(RequestId),
    /// Its end is durable.
    Ended(RequestId),
    /// What a survey of the library found is durable.
    Surveyed(LibraryIndex),
}

/// Outputs of the current input, and batches on their way to the store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    outputs: VecDeque<Output>,
    changes: Vec<Change>,
    effects: Vec<Effect>,
    pending: VecDeque<(BatchId, Vec<Effect>)>,
    next_batch: u64,
    events: u64,
}

impl Outbox {
    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(crate) fn after(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// The batches that the store has not reported yet, in their order.
    pub(crate) fn on_their_way(&self) -> impl Iterator<Item = BatchId> {
        self.pending.iter().map(|(batch, _)| *batch)
    }

    fn event(&mut self, kind: EventKind, now: Now) {
        self.events += 1;
        self.put(Output::Notify(Event { sequence: self.events, at: now.wall, kind }));
    }

    /// Closes the batch. Effects without changes follow the last batch on its way; when there is none they are due now.
    pub(crate) fn flush(&mut self) -> Vec<Effect> {
        let effects = core::mem::take(&mut self.effects);
        if !self.changes.is_empty() {
            self.next_batch += 1;
            let batch = BatchId(self.next_batch);
            let changes = core::mem::take(&mut self.changes);
            self.put(Output::Persist { batch, changes });
            self.pending.push_back((batch, effects));
            return Vec::new();
        }
        match self.pending.back_mut() {
            Some((_, last)) => {
                last.extend(effects);
                Vec::new()
            }
            None => effects,
        }
    }
}

impl Engine {
    /// Tells an event that needs no durability.
    pub(crate) fn tell(&mut self, kind: EventKind, now: Now) {
        self.outbox.event(kind, now);
    }

    pub(crate) fn persisted(&mut self, batch: BatchId, result: Result<(), StoreFailure>, now: Now) {
        match result {
            // Batches are committed in order: what came before this one is durable too.
            Ok(()) => {
                while self.outbox.pending.front().is_some_and(|(first, _)| *first <= batch)
                    && let Some((_, effects)) = self.outbox.pending.pop_front()
                {
                    self.run_effects(effects, now);
                }
            }
            Err(StoreFailure(reason)) => self.fail_store(reason, now),
        }
    }

    pub(crate) fn run_effects(&mut self, effects: Vec<Effect>, now: Now) {
        for effect in effects {
            match effect {
                Effect::Answer(token, answer) => self.outbox.put(Output::Answer { token, answer }),
                Effect::Event(kind) => self.outbox.event(kind, now),
                Effect::Accepted(id) => self.admit(id, now),
                Effect::IntentDurable(id, sequence) => self.intent_durable(id, sequence),
                Effect::BegunDurably(id) => self.begun_durably(id, now),
                Effect::Ended(id) => self.ended_durably(id, now),
                Effect::Surveyed(index) => self.surveyed_durably(index, now),
            }
        }
    }

    /// What could not be made durable is not claimed: whoever waits for it is told that the store failed.
    fn fail_store(&mut self, reason: Arc<str>, now: Now) {
        if self.store_failed.is_none() {
            self.store_failed = Some(reason.clone());
            self.outbox.event(EventKind::StoreFailed { reason: reason.clone() }, now);
        }
        let text = || reason.to_string();
        let pending = core::mem::take(&mut self.outbox.pending);
        let lost = pending.into_iter().flat_map(|(_, effects)| effects);
        for effect in lost.chain(core::mem::take(&mut self.outbox.effects)) {
            if let Effect::Answer(token, answer) = effect {
                let answer = match answer {
                    Answer::Submitted(_) => Answer::Submitted(Err(Refusal::Store { reason: text() })),
                    Answer::SubmittedGroup(_) => {
                        Answer::SubmittedGroup(Err(Refusal::Store { reason: text() }))
                    }
                    Answer::Reordered(_) => Answer::Reordered(Err(ReorderRefusal::Store { reason: text() })),
                    Answer::Cancel(_) => Answer::Cancel(Err(CancelError::Store { reason: text() })),
                    Answer::Adopted(_) => Answer::Adopted(Err(AdoptRefusal::Store { reason: text() })),
                    Answer::Satisfied(_) => Answer::Satisfied(Err(OperatorRefusal::Store { reason: text() })),
                    Answer::CleanerUses(_) => Answer::CleanerUses(Err(Refusal::Store { reason: text() })),
                    // Nothing is claimed of what was not kept.
                    Answer::SessionClosed { .. } => Answer::SessionClosed { cancelled: 0 },
                };
                self.outbox.put(Output::Answer { token, answer });
            }
        }
        let followers: Vec<Follower> =
            self.live.values_mut().flat_map(|live| core::mem::take(&mut live.followers)).collect();
        for follower in followers {
            let (token, answer) = match follower {
                Follower::Cancel(token) => {
                    (token, Answer::Cancel(Err(CancelError::Store { reason: text() })))
                }
                Follower::Submit(token) => (token, Answer::Submitted(Err(Refusal::Store { reason: text() }))),
                Follower::Adopt(token) => {
                    (token, Answer::Adopted(Err(AdoptRefusal::Store { reason: text() })))
                }
            };
            self.outbox.put(Output::Answer { token, answer });
        }
    }
}
