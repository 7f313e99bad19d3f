//! What must be true, each from outside: inputs, outputs, the disk, and the truth in the simulated libraries.

mod bounds;
mod calm;
mod cancels;
mod durable;
mod intents;
mod outcomes;
mod places;
mod service;
mod told;
mod truth;
mod waits;

use crate::watch::Checker;

/// All of them.
pub(crate) fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(intents::Intents::default()),
        Box::new(outcomes::Outcomes),
        Box::new(durable::Durable::default()),
        Box::new(cancels::Cancels::default()),
        Box::new(places::Places::default()),
        Box::new(truth::Truth::default()),
        Box::new(bounds::Bounds::default()),
        Box::new(service::Serves),
        Box::new(told::Told::default()),
        Box::new(waits::Waits),
        Box::new(calm::Calm),
    ]
}
