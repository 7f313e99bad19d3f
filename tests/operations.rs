//! Ports, doors, cleaning and labels through a session: what each operation gives, what a cancel of it answers, what is refused.
#![cfg(feature = "sim")]

mod common;

#[path = "operations/cleaning.rs"]
mod cleaning;
#[path = "operations/door.rs"]
mod door;
#[path = "operations/labels.rs"]
mod labels;
#[path = "operations/persons.rs"]
mod persons;
#[path = "operations/ports.rs"]
mod ports;
#[path = "operations/pulled_sleds.rs"]
mod pulled_sleds;
#[cfg(feature = "redb")]
#[path = "operations/restart.rs"]
mod restart;

use std::time::Duration;

use autochanger::request::ElementName;
use autochanger::transport::sim::{Library, SimulatedLibrary};
use autochanger::{
    CancelError, Cancellation, ElementAddress, Ending, FailureKind, LibraryConfig, ManagerBuilder, Place,
    Refusal, RequestError, Session, SubmitError, Ticket, TicketOutcome, Timing,
};
use common::{Bed, MOVE_MEDIUM, timing, within};

const PORT: ElementAddress = ElementAddress(10);

fn quick() -> Timing {
    Timing { port_poll: Duration::from_millis(10), ..timing() }
}

/// A library that is looked at often while a person is at it, with its configuration.
async fn bed_of(described: Library, set_up: impl FnOnce(LibraryConfig) -> LibraryConfig) -> Bed {
    on(SimulatedLibrary::start(described), set_up, |builder| builder).await
}

async fn on(
    library: SimulatedLibrary,
    set_up: impl FnOnce(LibraryConfig) -> LibraryConfig,
    build: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
) -> Bed {
    let config = set_up(LibraryConfig::transport("the library", library.transport()).timing(quick()));
    Bed::on(library, |_| {
        build(autochanger::Manager::builder().library(config).lock_directory(common::lock_directory()))
    })
    .await
}

async fn bed() -> Bed {
    bed_of(common::described(), |config| config).await
}

fn refusal<T: std::fmt::Debug>(result: Result<T, SubmitError>) -> Refusal {
    match result {
        Err(SubmitError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn failed<T: std::fmt::Debug>(result: Result<T, RequestError>) -> FailureKind {
    match result {
        Err(RequestError::Failed { failure, .. }) => failure.kind,
        other => panic!("expected a failure, got {other:?}"),
    }
}

/// Waits until a person is asked something.
async fn asked(bed: &Bed) {
    within(async {
        while bed.session.operator_requests().await.expect("open").is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Cancelled before anything moved.
async fn cancels<T: TicketOutcome + std::fmt::Debug>(session: &Session, ticket: Ticket<T>) {
    let answer = within(session.cancel(ticket.id())).await;
    assert!(matches!(answer, Ok(Cancellation::Cancelled)), "{answer:?}");
    let end = within(ticket).await;
    assert!(matches!(end, Err(RequestError::Cancelled { .. })), "{end:?}");
}

/// What the arm does is its last step: too late to cancel.
async fn is_too_late<T: TicketOutcome>(session: &Session, ticket: &Ticket<T>) {
    let answer = within(session.cancel(ticket.id())).await;
    assert!(matches!(answer, Err(CancelError::InProgress { .. })), "{answer:?}");
}
