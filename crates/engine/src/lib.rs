//! The deterministic core of `autochanger`: everything that decides, nothing that does.
//!
//! Four verbs: [`Engine::handle`] takes one [`Input`], [`Engine::poll_output`] gives what is to be done because of it,
//! [`Engine::next_deadline`] says when to come back with [`Input::Tick`], [`Engine::view`] shows how things stand.
//! Time and random bits are arguments; the same inputs give the same outputs.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod access;
pub mod catalog;
pub mod command;
pub mod costs;
pub mod forecast;
pub mod id;
pub mod input;
pub mod label;
pub mod output;
pub mod pairing;
pub mod request;
pub mod time;
pub mod transcript;
pub mod view;

mod changer;
mod drive;
mod engine;
mod library;
mod planted;
mod quirk;

pub use engine::{Engine, View};
pub use input::{Config, Input, LibraryConfig, Snapshot};
pub use output::{Answer, Change, Event, EventKind, Output};
#[cfg(feature = "planted-bugs")]
#[doc(hidden)]
pub use planted::Bug;
pub use quirk::Quirk;
