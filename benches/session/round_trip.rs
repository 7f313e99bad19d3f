//! The first floor: what any actor costs. A message through a bounded channel, an answer through a oneshot.

use tokio::sync::{mpsc, oneshot};

use crate::measure::{Measured, Pace, measure};

/// As deep as the session's lane for submissions.
const LANE: usize = 1024;

/// Round trips to one task, by so many clients.
pub(crate) async fn round_trip(clients: usize, pace: Pace) -> Measured {
    let (asks, mut inbox) = mpsc::channel::<oneshot::Sender<u64>>(LANE);
    let actor = tokio::spawn(async move {
        let mut served = 0;
        while let Some(reply) = inbox.recv().await {
            served += 1;
            let _ = reply.send(served);
        }
    });
    let client = |_, mut recorder: crate::measure::Recorder| {
        let asks = asks.clone();
        async move {
            recorder.start();
            loop {
                let (reply, answer) = oneshot::channel();
                asks.send(reply).await.expect("the actor outlives its clients");
                answer.await.expect("the actor answers");
                recorder.done(0);
            }
        }
    };
    let measured = measure(clients, pace, client, || {}).await;
    drop(asks);
    actor.await.expect("the actor ends in peace");
    measured
}
