//! Library requests beyond mount, dismount and inventory: service, order, groups, deferred dismounts, people, faults.
#![cfg(feature = "sim")]

#[path = "requests/catalogue.rs"]
mod catalogue;
mod common;
#[path = "requests/deferred.rs"]
mod deferred;
#[path = "requests/faults.rs"]
mod faults;
#[path = "requests/groups.rs"]
mod groups;
#[path = "requests/order.rs"]
mod order;
#[path = "requests/people.rs"]
mod people;
#[cfg(feature = "redb")]
#[path = "requests/restarts.rs"]
mod restarts;
#[path = "requests/service.rs"]
mod service;

use autochanger::{Mounted, Refusal, State, SubmitError, Ticket, Waiting};

use common::{Bed, until, within};

fn refusal<T: std::fmt::Debug>(result: Result<T, SubmitError>) -> Refusal {
    match result {
        Err(SubmitError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// A waiting mount, told to wait for this.
async fn waiting(bed: &Bed, barcode: &str, wanted: Waiting) -> Ticket<Mounted> {
    let ticket = bed.session.mount(barcode).submit().await.expect("accepted");
    until(&ticket, |state| *state == State::Waiting(wanted)).await;
    ticket
}

/// Both drives with a medium.
async fn full_drives(bed: &Bed) -> [Mounted; 2] {
    let one = within(bed.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let two = within(bed.session.mount("VT0002L8").drive(501)).await.expect("mounted");
    [one, two]
}
