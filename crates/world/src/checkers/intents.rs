//! Nothing moves without a durable intent, and each intent is sent once at most.

use std::collections::{BTreeMap, BTreeSet};

use autochanger_engine::Input;
use autochanger_engine::command::TransportError;
use autochanger_engine::id::{CommandId, RequestId};

use crate::watch::{Checker, Facts, Sight};

type Intent = (RequestId, u32);

/// Remembers every intent that was sent, also across restarts.
#[derive(Debug, Default)]
pub(crate) struct Intents {
    sent: BTreeSet<Intent>,
    in_flight: BTreeMap<CommandId, Vec<Intent>>,
}

impl Checker for Intents {
    fn name(&self) -> &'static str {
        "intents"
    }

    fn see(&mut self, sight: &Sight<'_>, _: &Facts<'_>) -> Result<(), String> {
        match sight {
            Sight::Send { id, ways, .. } => {
                for way in *ways {
                    let (source, destination) = (way.source, way.destination);
                    let Some(intent) = way.intent else {
                        return Err(format!("{source} -> {destination} is sent without a durable intent"));
                    };
                    if !self.sent.insert(intent) {
                        let (request, sequence) = intent;
                        return Err(format!(
                            "{source} -> {destination}, intent {sequence} of {request}, is sent a second time"
                        ));
                    }
                    self.in_flight.entry(*id).or_default().push(intent);
                }
            }
            // Their ids can be given again.
            Sight::Purge(ids) => self.sent.retain(|(id, _)| !ids.contains(id)),
            // What never left was not sent: the same intent may still not be used again, for it is closed as not sent.
            Sight::Input(Input::Completed { command, result }) => {
                let intents = self.in_flight.remove(command);
                if let (Some(intents), Err(TransportError::NotSent(_))) = (intents, result) {
                    for intent in intents {
                        self.sent.remove(&intent);
                    }
                }
            }
            Sight::Restart => self.in_flight.clear(),
            _ => {}
        }
        Ok(())
    }
}
