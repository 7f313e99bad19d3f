//! Who waits for which request.

use std::collections::HashMap;
use std::sync::Arc;

use autochanger_engine::id::RequestId;
use autochanger_engine::request::Request;
use tokio::sync::watch;

use super::message::{Known, Standing};

/// The live requests that somebody watches. Bounded by the engine's bound on live requests.
#[derive(Default)]
pub(crate) struct Standings {
    watched: HashMap<RequestId, watch::Sender<Known>>,
}

impl Standings {
    /// How the request goes on from what is known now.
    pub(crate) fn watch(&mut self, request: Request) -> Standing {
        let id = request.id;
        let known = Known { request, lost: None };
        if known.request.state.is_final() {
            return watch::channel(known).1;
        }
        match self.watched.get(&id) {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, standing) = watch::channel(known);
                self.watched.insert(id, sender);
                standing
            }
        }
    }

    /// The request is so now, durably.
    pub(crate) fn tell(&mut self, request: &Request) {
        if let Some(sender) = self.watched.get(&request.id) {
            sender.send_replace(Known { request: request.clone(), lost: None });
            if request.state.is_final() {
                self.watched.remove(&request.id);
            }
        }
    }

    /// The store failed: no request can end any more.
    pub(crate) fn lose(&mut self, reason: &Arc<str>) {
        for (_, sender) in self.watched.drain() {
            sender.send_modify(|known| known.lost = Some(Arc::clone(reason)));
        }
    }
}
