//! The simulated library as a [`Transport`]: a tape library inside the process, with times, faults and hands.
//!
//! ```
//! use autochanger::transport::sim::{self, Fault, SimulatedLibrary};
//!
//! let library = SimulatedLibrary::start(sim::Library::new().drives(2).slots(24).cartridges("VT{:04}L8", 1..=20));
//! let changer = library.transport();                      // for whoever drives the library
//! library.inject(Fault::lost_reply().on_move());          // the next MOVE MEDIUM is done, and its answer lost
//! assert_eq!(library.find("VT0001L8"), Some(sim::ElementAddress(1000)));
//! # assert_eq!(changer.limits().max_in_flight, sim::MAX_IN_FLIGHT);
//! ```
//!
//! The examples of what is described here are those of the crate `autochanger-sim`; in a program that has this crate only, the names are
//! `autochanger::transport::sim::…`.

mod clock;
mod gate;
mod initiators;
mod library;
mod options;
mod path;
#[cfg(test)]
mod tests;

pub use autochanger_sim::{
    Access, Answer, Device, ElementAddress, ElementType, Fault, Hold, HoldId, Key, LOG_CAPACITY, LayoutError,
    Library, LogEnd, LogEntry, Nexus, OperatorError, Outcome, Quirk, Record, SenseKey, Status, Timing, Unit,
    UnknownQuirk,
};
pub use gate::Gate;
pub use library::SimulatedLibrary;
pub use options::open;

#[cfg(doc)]
use super::Transport;

/// How many commands a simulated path takes at once: what a target of that size has room for.
pub const MAX_IN_FLIGHT: u16 = 64;

/// The most data bytes in one command: all that the 24-bit allocation length of READ ELEMENT STATUS can ask for.
pub const MAX_TRANSFER: u32 = 0x00FF_FFFF;
