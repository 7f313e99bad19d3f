//! What waits for a store that stands still is bounded, and does not keep commits waiting when it goes on.
#![cfg(feature = "sim")]

mod common;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use autochanger::store::HistoryFilter;
use autochanger::{Cancellation, ReorderError, ReorderRefusal};
use common::{Bed, Hand, within};
use tokio::task::JoinSet;

/// More than may be unanswered at once.
const MANY: u32 = 30_000;

#[tokio::test]
async fn questions_beyond_the_bound_are_refused_while_the_store_stands_still_and_the_others_are_answered_after_it()
 {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    let mut waiting = Vec::new();
    for barcode in ["VT0002L8", "VT0003L8", "VT0004L8"] {
        waiting.push(bed.session.mount(barcode).submit().await.expect("accepted"));
    }
    hand.hold();
    let mut asked = JoinSet::new();
    for n in 0..MANY {
        let (session, id) = (bed.session.clone(), waiting[2].id());
        asked.spawn(async move { session.reorder(id, 1 + n % 2).await });
    }
    let refused = |answer: &Result<u32, ReorderError>| {
        matches!(answer, Err(ReorderError::Refused(ReorderRefusal::ResourceExhausted { .. })))
    };
    let first = within(asked.join_next()).await.expect("one of them").expect("no panic");
    assert!(refused(&first), "{first:?}");
    hand.release();
    let (mut answered, mut over) = (0, 1);
    while let Some(answer) = within(asked.join_next()).await {
        let answer = answer.expect("no panic");
        if refused(&answer) {
            over += 1;
        } else {
            answer.expect("it has a place");
            answered += 1;
        }
    }
    assert_eq!(answered + over, MANY);
    assert!(answered > 1000, "{answered}");
    for ticket in &waiting {
        let answer = within(bed.session.cancel_library_request(ticket.id())).await;
        assert!(matches!(answer, Ok(Cancellation::Cancelled)), "cancels are served again: {answer:?}");
    }
    gate.release();
    within(moving).await.expect("mounted");
    bed.end().await;
}

#[tokio::test]
async fn questions_that_nobody_waits_for_any_more_are_not_answered_and_are_no_more_than_the_bound() {
    let hand = Hand::default();
    let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
    let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
    hand.hold();
    let held = bed.session.mount("VT0002L8");
    let held = tokio::spawn(async move { held.submit().await });
    within(hand.reached()).await;
    let before = hand.histories();
    for _ in 0..100 {
        let mut question = pin!(bed.session.requests(HistoryFilter::default()));
        for _ in 0..8 {
            let pending = poll_fn(|context| Poll::Ready(question.as_mut().poll(context).is_pending())).await;
            assert!(pending);
            tokio::task::yield_now().await;
        }
    }
    hand.release();
    within(held).await.expect("no panic").expect("accepted");
    within(bed.session.requests(HistoryFilter::default())).await.expect("the history");
    assert_eq!(hand.histories() - before, 1, "the last one was wanted");
    gate.release();
    within(moving).await.expect("mounted");
    bed.end().await;
}
