//! Sessions on the simulated library: asking, waiting, looking, and the life of the manager around them.
#![cfg(feature = "sim")]

mod common;
#[path = "session/looking.rs"]
mod looking;
#[path = "session/managers.rs"]
mod managers;
#[path = "session/mounting.rs"]
mod mounting;
#[path = "session/refusals.rs"]
mod refusals;
#[path = "session/sessions.rs"]
mod sessions;
#[path = "session/transports.rs"]
mod transports;

use autochanger::{Refusal, SubmitError};

fn refusal<T: std::fmt::Debug>(result: Result<T, SubmitError>) -> Refusal {
    match result {
        Err(SubmitError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}
