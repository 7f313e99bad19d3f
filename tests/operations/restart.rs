//! A manager that ends in the middle of an inject, and the next one on the same store.

use std::path::Path;

use autochanger::HistoryFilter;
use autochanger::request::Outcome;
use autochanger::{Operation, State};

use super::*;

#[tokio::test]
async fn an_inject_that_a_restart_interrupts_while_the_arm_moves_ends_with_one_move() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("inject-{}.redb", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let library = common::library();
    let bed = on(library.clone(), |config| config, |builder| builder.store(&path)).await;
    let gate = bed.hold_moves();
    let ticket = bed.session.inject().submit().await.expect("accepted");
    let id = ticket.id();
    asked(&bed).await;
    library.operator_put(PORT, "NEW001L8").expect("empty");
    within(gate.reached()).await;
    bed.end().await;
    assert!(matches!(within(ticket).await, Err(RequestError::ManagerClosed { .. })));
    gate.release();

    let bed = on(library, |config| config, |builder| builder.store(&path)).await;
    within(async {
        while !bed.session.live_requests().await.expect("open").is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let history = bed.session.requests(HistoryFilter::default()).await.expect("readable");
    let inject = history.iter().find(|request| request.id == id).expect("it is durable");
    assert_eq!(inject.operation(), Operation::Inject);
    let State::Passed(Outcome::Injected { cartridges }) = &inject.state else { panic!("{}", inject.state) };
    let known = bed.session.cartridges(None).await.expect("open");
    let new = known.iter().find(|known| known.barcode.as_deref() == Some("NEW001L8")).expect("it is known");
    assert_eq!(cartridges, &[new.id]);
    assert_eq!(bed.library.find("NEW001L8"), Some(ElementAddress(1020)));
    assert_eq!(bed.library.log().iter().filter(|entry| entry.cdb().first() == Some(&MOVE_MEDIUM)).count(), 1);
    bed.end().await;
    let _ = std::fs::remove_file(path);
}
