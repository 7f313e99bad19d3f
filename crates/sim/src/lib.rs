//! A simulated tape library that answers SCSI commands with bytes: a medium changer and its drives, with the times, the
//! quirks and the faults of real ones.
//!
//! [`Library`] describes it, [`Device`] is it. The device knows no clock and rolls no dice but seeded ones: the same
//! commands at the same virtual times give the same bytes, on every machine. It is meant for tests of software that
//! drives tape libraries, and the truth is open to them: [`Device::contents`], [`Device::log`].
//!
//! Beside elements and motion it has log pages, persistent reservations, ports that open, searches for volume tags, and
//! cartridges with memory chips. Nothing is read from or written to tapes.
//!
//! [`Fault`] makes things go wrong, [`Hold`] stops a command half-way, [`Quirk`] makes the library deviate from the
//! standard, and `Device::operator_*` are hands in the library.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod absence;
mod access;
mod answer;
mod changer;
mod counters;
mod device;
mod door;
mod drive;
mod fault;
mod handling;
mod hold;
mod identity;
mod initialize;
mod layout;
mod library;
mod log;
mod log_sense;
mod memory;
mod mode_sense;
mod motion;
mod nexus;
mod operation_codes;
mod operator;
mod pattern;
mod pause;
mod pipeline;
mod plan;
mod ports;
mod position;
mod quirk;
mod random;
mod recording;
mod renumber;
mod report;
mod reservation;
mod search;
mod selector;
mod sense_shape;
mod service;
mod shelves;
mod sleds;
mod steer;
mod tape;
mod task;
mod timing;

pub use access::Access;
pub use answer::{Answer, Key, Nexus, Outcome, Unit};
#[doc(no_inline)]
pub use autochanger_scsi::{ElementAddress, ElementType, SenseKey, Status};
pub use device::{Device, MAX_TASKS};
pub use fault::Fault;
pub use hold::{Hold, HoldId};
pub use library::{LayoutError, Library, MAX_DRIVES};
pub use log::{LOG_CAPACITY, LogEnd, LogEntry};
pub use operator::OperatorError;
pub use quirk::{Quirk, UnknownQuirk};
pub use recording::Record;
pub use timing::Timing;
