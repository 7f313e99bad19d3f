//! The world of autochanger's tests: an engine, simulated libraries and a disk on one virtual clock. No thread, no socket, no
//! real time.
//!
//! [`World`] drives the engine as a manager does: it sends commands to the simulated libraries, commits batches to its
//! [`Disk`], and tells the engine what came of it. What is hard to arrange with a real library is a call here: a disk that
//! stalls, a power loss, a transport that keeps a move to itself.

mod act;
mod ask;
mod calm;
mod checkers;
mod devices;
pub mod dice;
mod disk;
mod draw;
mod drive;
mod hands;
mod perform;
mod person;
mod retell;
mod run;
mod shrink;
mod story;
mod tape;
mod truth;
mod wanted;
mod watch;
mod world;

pub use act::{Act, Hand, Handed, Mishap};
pub use ask::{dismount, eject, inject, inventory, library_to_be, mount, mount_in};
pub use devices::Devices;
pub use disk::Disk;
pub use draw::draw;
pub use run::{Tally, tell_all};
pub use shrink::shrink;
pub use story::{Setup, Shape, Story, Tale, Telling, tell};
pub use tape::Tape;
pub use wanted::{Ask, Target};
pub use watch::{Checker, Facts, Sight, Violation, Way};
pub use world::{OWNER, PowerFailure, World};

#[cfg(feature = "planted-bugs")]
pub use autochanger_engine::Bug;
