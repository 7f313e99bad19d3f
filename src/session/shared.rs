//! What sessions and their manager have in common.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use autochanger_engine::Engine;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::clock::Clock;
use crate::driver::{Control, Lanes, Ways};
use crate::error::SessionClosed;
use crate::store::Store;

/// Questions to the store that may wait at once, whether or not somebody still wants the answer: a history can hold megabytes, and
/// the store answers them one by one.
const STORE_QUESTIONS: usize = 16;

pub(crate) struct Shared {
    pub(crate) lanes: Lanes,
    pub(crate) clock: Arc<dyn Clock>,
    /// In the order of the configuration.
    pub(crate) libraries: Arc<[Ways]>,
    pub(crate) next_session: AtomicU64,
    store_questions: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(lanes: Lanes, clock: Arc<dyn Clock>, libraries: Arc<[Ways]>) -> Self {
        let store_questions = Arc::new(Semaphore::new(STORE_QUESTIONS));
        Self { lanes, clock, libraries, next_session: AtomicU64::new(1), store_questions }
    }

    /// Puts a message into the control lane and waits for the answer. `Err`: the driver has ended.
    pub(crate) async fn control<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<T>) -> Control,
    ) -> Result<T, SessionClosed> {
        let permit = self.lanes.control.reserve().await.map_err(|_| SessionClosed)?;
        let (reply, answer) = oneshot::channel();
        permit.send(message(reply));
        answer.await.map_err(|_| SessionClosed)
    }

    /// Looks at how things stand, at one moment between two inputs.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, SessionClosed> {
        self.control(|reply| {
            Control::Look(Box::new(move |engine| {
                let _ = reply.send(look(engine));
            }))
        })
        .await
    }

    /// Asks the store.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut dyn Store) -> T + Send + 'static,
    ) -> Result<T, SessionClosed> {
        let permit = self.permit_to_ask().await?;
        self.control(|reply| {
            Control::Ask(Box::new(move |store| {
                // An asker that has gone is not answered.
                if !reply.is_closed() {
                    let _ = reply.send(ask(store));
                }
                drop(permit);
            }))
        })
        .await
    }

    /// Leave to ask the store one thing; it goes with the question, and ends with its answer.
    pub(crate) async fn permit_to_ask(&self) -> Result<OwnedSemaphorePermit, SessionClosed> {
        Arc::clone(&self.store_questions).acquire_owned().await.map_err(|_| SessionClosed)
    }
}
