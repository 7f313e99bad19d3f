//! Targets that want to be left, and how long they want to be left alone.

use std::time::{Duration, Instant};

use autochanger::transport::sim::Hold;
use autochanger::transport::{
    Completion, IscsiTransport, PathFaultKind, TaskManagement, Transport, TransportError,
};
use autochanger_scsi::Status;

use super::beds::proxy::Proxy;
use super::beds::{TgtBed, TgtOptions};
use super::scripted::Scripted;
use super::{MOVE_MEDIUM, assert_unknown, builder, move_medium, open, ready, start, until};

/// A short time of silence before a target is asked for a sign of life.
const SILENCE: Duration = Duration::from_millis(150);

#[tokio::test]
async fn a_wanted_logout_loses_no_answer_and_what_waits_goes_over_the_next_session() {
    let served = builder().start().await.unwrap();
    let device = IscsiTransport::new(served.url()).keep_alive(SILENCE);
    assert_eq!(device.execute(ready()).await.unwrap().status, Status::CheckCondition);
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    let moving = start(&device, move_medium(1000, 1003));
    gate.reached().await;
    served.ask_logout(60);
    // Nothing tells when the initiator has heard the message but that a command then has to wait; so long is its answer
    // looked for that must not come.
    let waiting = loop {
        let attempt = start(&device, ready());
        tokio::time::sleep(Duration::from_millis(50)).await;
        if !attempt.is_finished() {
            break attempt;
        }
    };
    // A session in which the target gives no sign of life is given up after two silences.
    tokio::time::sleep(6 * SILENCE).await;
    gate.release();
    assert_eq!(moving.await.unwrap().unwrap(), Completion::good());
    waiting.await.unwrap().unwrap();
    until("the first session ends", || served.sessions() == 1).await;
    assert_eq!(device.execute(ready()).await.unwrap(), Completion::good());
    assert_eq!((served.library().moves_sent(), served.library().moves_done()), (1, 1));
}

#[tokio::test]
async fn a_logout_that_cannot_wait_for_a_move_is_done_in_time() {
    let (served, device) = open().await;
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    let moving = start(&device, move_medium(1000, 1003));
    gate.reached().await;
    served.ask_logout(1);
    let error = moving.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("logged out, as the target wanted"), "{error}");
    assert_unknown(Err(error));
    gate.release();
    let attention = device.execute(ready()).await.unwrap();
    assert_eq!(attention.sense().unwrap().code.asc, 0x29, "a new session");
    assert_eq!((served.library().moves_sent(), served.sessions()), (1, 1));
}

#[tokio::test]
async fn a_target_that_wants_a_logout_of_each_session_is_not_logged_in_to_without_end() {
    let target = Scripted::start(|target, _| target.ask_logout(60)).await;
    let device = IscsiTransport::new(target.url().parse().unwrap());
    let error = device.execute(ready()).await.unwrap_err();
    let TransportError::NotSent(fault) = &error else { panic!("{error}") };
    assert_eq!(fault.kind, PathFaultKind::ConnectionLost, "{error}");
    assert!(fault.detail.contains("wants a logout of each session"), "{error}");
    assert_eq!(target.connections(), 2);
}

#[tokio::test]
async fn a_target_is_left_alone_as_long_as_was_agreed_before_it_is_logged_in_to_again() {
    let bed = TgtBed::start(TgtOptions { slots: 4, cartridges: 1, ..TgtOptions::default() });
    bed.parameter("DefaultTime2Wait", "1");
    let proxy = Proxy::start(bed.port()).await;
    let device = IscsiTransport::new(bed.url_through(proxy.port()).parse().unwrap());
    while device.execute(ready()).await.unwrap().status != Status::Good {}
    let lost = Instant::now();
    proxy.cut_now();
    while device.execute(ready()).await.is_err() {}
    assert!(lost.elapsed() >= Duration::from_secs(1), "{:?}", lost.elapsed());
    assert_eq!(proxy.connections(), 2, "and not tried in between");
}

#[tokio::test]
async fn a_reset_goes_before_the_commands_that_wait_for_the_window_which_it_opens() {
    let (served, device) = open().await;
    let gate = served.library().hold(Hold::opcode(MOVE_MEDIUM));
    served.limit_window(0);
    // What was granted before may still be used; then the window is shut by moves that do not end.
    let mut moving = Vec::new();
    for slot in 1001..1100 {
        moving.push(start(&device, move_medium(1000, slot)));
    }
    gate.reached().await;
    device.manage(TaskManagement::LogicalUnitReset).await.unwrap();
    let sent = served.library().moves_sent();
    assert!(sent < 99, "{sent} moves were sent, and none waits");
    assert_unknown(moving.swap_remove(0).await.unwrap());
    gate.release();
    served.limit_window(32);
    assert!(matches!(device.execute(ready()).await, Ok(Completion { .. })));
}
