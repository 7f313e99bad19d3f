//! What goes out through the ports, and what comes in.

use autochanger::catalog::MotionState;
use autochanger::{ElementType, ServiceTarget, State, Waiting};

use super::*;
use crate::common::until;

#[tokio::test]
async fn an_ejected_cartridge_lies_in_the_port_that_it_tells() {
    let bed = bed().await;
    let out = within(bed.session.eject("VT0001L8")).await.expect("ejected");
    assert_eq!((out.port, out.barcode.as_deref()), (Some(PORT), Some("VT0001L8")));
    assert_eq!(bed.library.find("VT0001L8"), Some(PORT));
    let named = within(bed.session.eject("VT0002L8").port(12)).await.expect("ejected");
    assert_eq!(named.port, Some(ElementAddress(12)));
    assert_eq!(bed.library.moves_sent(), 2);
    bed.end().await;
}

#[tokio::test]
async fn an_eject_is_cancelled_while_it_waits_for_a_port_and_not_while_the_arm_carries_it() {
    let bed = bed().await;
    let gate = bed.hold_moves();
    let moving = bed.session.eject("VT0001L8").port(10).submit().await.expect("accepted");
    within(gate.reached()).await;
    is_too_late(&bed.session, &moving).await;
    gate.release();
    within(moving).await.expect("ejected");
    let waiting = bed.session.eject("VT0002L8").port(10).submit().await.expect("accepted");
    until(&waiting, |state| *state == State::Waiting(Waiting::Port)).await;
    cancels(&bed.session, waiting).await;
    assert_eq!(bed.library.moves_sent(), 1);
    bed.end().await;
}

#[tokio::test]
async fn an_eject_of_what_is_mounted_or_to_what_is_no_port_is_refused() {
    let bed = bed().await;
    within(bed.session.mount("VT0001L8")).await.expect("mounted");
    assert!(matches!(refusal(bed.session.eject("VT0001L8").submit().await), Refusal::OwnMediaOpen { .. }));
    let no_port = bed.session.eject("VT0002L8").port(1000).submit().await;
    assert!(matches!(refusal(no_port), Refusal::NoSuchElement { address: 1000, .. }));
    bed.end().await;
}

#[tokio::test]
async fn each_of_several_ejects_has_its_own_ticket_or_its_own_refusal() {
    let bed = bed().await;
    let labels = ["VT0001L8", "NOSUCH", "VT0002L8"];
    let mut tickets = bed.session.eject_all(labels).submit().await;
    let last = tickets.pop().expect("three").expect("accepted");
    let middle = tickets.pop().expect("two");
    assert!(matches!(refusal(middle), Refusal::CartridgeNotFound { .. }));
    let first = tickets.pop().expect("one").expect("accepted");
    let ports = [within(first).await.expect("ejected").port, within(last).await.expect("ejected").port];
    assert_eq!(ports, [Some(PORT), Some(ElementAddress(11))]);
    bed.end().await;
}

#[tokio::test]
async fn what_a_person_puts_into_a_port_is_taken_into_a_slot() {
    let bed = bed().await;
    let ticket = bed.session.inject().submit().await.expect("accepted");
    asked(&bed).await;
    bed.library.operator_put(11, "NEW001L8").expect("the port is empty");
    let came = within(ticket).await.expect("injected");
    let known = bed.session.cartridges(None).await.expect("open");
    let new = known.iter().find(|known| known.barcode.as_deref() == Some("NEW001L8")).expect("it is known");
    assert_eq!(came.cartridges, [new.id]);
    assert_eq!(bed.library.find("NEW001L8"), Some(ElementAddress(1020)));
    assert!(bed.session.operator_requests().await.expect("open").is_empty());
    bed.end().await;
}

#[tokio::test]
async fn an_inject_is_cancelled_while_it_waits_for_a_person_who_is_not_asked_any_more() {
    let bed = bed().await;
    let ticket = bed.session.inject().submit().await.expect("accepted");
    asked(&bed).await;
    cancels(&bed.session, ticket).await;
    assert!(bed.session.operator_requests().await.expect("open").is_empty());
    assert_eq!(bed.library.moves_sent(), 0);
    bed.end().await;
}

#[tokio::test]
async fn an_inject_of_many_takes_one_after_the_other_and_is_stopped_by_a_cancel() {
    let bed = bed().await;
    let ticket = bed.session.inject_many().submit().await.expect("accepted");
    for barcode in ["NEW001L8", "NEW002L8"] {
        asked(&bed).await;
        bed.library.operator_put(PORT, barcode).expect("the port is empty");
        within(async {
            while bed.library.find(barcode) == Some(PORT) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    // Whether the second one's move has ended by now or not: something was moved, so that this is a stop.
    let id = ticket.id();
    let answer = within(bed.session.cancel(id)).await;
    let Ok(Cancellation::Stopping(verdict)) = answer else { panic!("{answer:?}") };
    assert!(matches!(within(verdict).await, Ok(Ending::Stopped { .. })));
    let end = within(ticket).await;
    assert!(matches!(end, Err(RequestError::Stopped { .. })), "{end:?}");
    assert_eq!(bed.library.moves_sent(), 2);
    // What came is told by its motions.
    let known = bed.session.cartridges(None).await.expect("open");
    let came = bed.session.motions(id).await.expect("readable");
    let labels = came.iter().map(|motion| {
        assert_eq!((motion.state, motion.destination.kind), (MotionState::Moved, ElementType::Storage));
        let new = known.iter().find(|known| known.id == motion.cartridge).expect("it is known");
        new.barcode.as_deref().expect("a label")
    });
    assert_eq!(labels.collect::<Vec<_>>(), ["NEW001L8", "NEW002L8"]);
    bed.end().await;
}

#[tokio::test]
async fn a_library_that_is_disabled_or_has_no_port_injects_nothing() {
    let bed = bed().await;
    within(bed.session.disable(ServiceTarget::Library(None))).await.expect("disabled");
    assert!(matches!(refusal(bed.session.inject().submit().await), Refusal::Disabled { .. }));
    bed.end().await;
    let portless = Library::new().slots(4).drives(1).ports(0).cartridges("VT{:04}L8", 1..=2);
    let bed = bed_of(portless, |config| config).await;
    assert_eq!(failed(within(bed.session.inject_many()).await), FailureKind::Refused);
    assert_eq!(failed(within(bed.session.eject("VT0001L8")).await), FailureKind::Refused);
    bed.end().await;
}

#[tokio::test]
async fn locked_ports_are_locked_but_for_a_person_who_is_asked() {
    let bed = bed_of(common::described(), |config| config.lock_ports(true)).await;
    let locked = async |wanted: bool| {
        within(async {
            while bed.library.with(|device| device.is_locked()) != wanted {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    locked(true).await;
    let ticket = bed.session.inject().submit().await.expect("accepted");
    locked(false).await;
    cancels(&bed.session, ticket).await;
    locked(true).await;
    bed.end().await;
}
