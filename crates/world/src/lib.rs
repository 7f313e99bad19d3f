//! The world of autochanger's tests: an engine, simulated libraries and a disk on one virtual clock. No thread, no socket, no
//! real time.
//!
//! [`World`] drives the engine as a manager does: it sends commands to the simulated libraries, commits batches to its
//! [`Disk`], and tells the engine what came of it. What is hard to arrange with a real library is a call here: a disk that
//! stalls, a power loss, a transport that keeps a move to itself.

mod ask;
mod devices;
mod disk;
mod drive;
mod hands;
mod tape;
mod truth;
mod world;

pub use ask::{dismount, eject, inject, inventory, mount};
pub use devices::Devices;
pub use disk::Disk;
pub use tape::Tape;
pub use world::World;
