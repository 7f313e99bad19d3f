//! Testing your program without a library.
//!
//! [`SimulatedLibrary`] is a tape library inside the process. It answers SCSI commands with bytes, so the manager cannot tell it
//! from a real one. It is part of the feature `sim` (on by default).
//!
//! # A test
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::transport::sim::{self, Fault, SimulatedLibrary};
//! use autochanger::{ElementAddress, FailureKind, LibraryConfig, Manager};
//!
//! let library = SimulatedLibrary::start(
//!     sim::Library::new().drives(2).slots(24).cartridges("VT{:04}L8", 1..=20),
//! );
//! let config = LibraryConfig::transport("vault", library.transport());
//! let manager = Manager::builder().library(config).open().await?;
//! manager.ready().await?;
//! let session = manager.session("nightly-backup").open()?;
//!
//! // What your program does.
//! let tape = session.mount("VT0001L8").drive(501).await?;
//!
//! // The truth, whatever the manager believes.
//! assert_eq!(library.find("VT0001L8"), Some(ElementAddress(501)));
//! assert_eq!((library.moves_sent(), library.moves_done()), (1, 1));
//!
//! // A fault in one line: motions end with HARDWARE ERROR, mechanical positioning error; the first one is tried once more.
//! library.inject(Fault::sense(sim::SenseKey::HardwareError, 0x15, 0x01).on_move().times(2));
//! let error = session.mount("VT0002L8").await.unwrap_err();
//! assert_eq!(error.failure().map(|failure| failure.kind), Some(FailureKind::LibraryFault));
//!
//! // What was sent, and how it was answered.
//! for entry in library.log().iter().filter(|entry| entry.opcode() == Some(0xA5)) {
//!     println!("{entry}");
//! }
//! # tape.dismount().await?;
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! The manager may be opened on a URL instead: [`publish`](SimulatedLibrary::publish) gives a library a name, under which
//! `sim:name=…` opens it; [`SimulatedLibrary::named`] is the test's way to one that a URL made.
//!
//! A simulated library gets a serial number of its own, so tests do not take each other's locks. Where tests use fixed
//! serial numbers or a [name](SimulatedLibrary::publish), give each its own, or its own
//! [`lock_directory`](crate::ManagerBuilder::lock_directory).
//!
//! # Describing a library
//!
//! | [`sim::Library`](crate::transport::sim::Library) | |
//! |---|---|
//! | `slots`, `drives`, `ports`, `arms` | how many; 24, 2, 4, 1 |
//! | `first_slot`, `first_drive`, `first_port`, `first_arm` | their addresses; 1000, 500, 10, 1 |
//! | `cartridges`, `cartridge_at`, `unlabelled_at`, `cleaning_cartridge` | what is in it; nothing |
//! | `timing` | how long things take; [`Timing::none`](crate::transport::sim::Timing::none): no time |
//! | `seed` | of the times' variation; 0 |
//! | `quirk` | what it does otherwise than the standard says: [`Quirk`](crate::transport::sim::Quirk), in the chapter on [quirks](super::quirks) |
//! | `serial`, `vendor`, `product`, `drive_product`, `drive_product_of` | who it says it is. Drives are LTO-8 |
//!
//! # Faults
//!
//! [`Fault`] names what happens; the methods after it say to which commands and how often (once, unless told otherwise).
//!
//! | fault | what happens |
//! |---|---|
//! | `sense`, `sense_data`, `status` | the command is answered so, without effect; `after_effect` lets it take effect |
//! | `becoming_ready` | 02/04/01 |
//! | `lost_reply` | done, and the answer is lost; `without_effect`: not done, and the answer is lost |
//! | `late_effect` | the answer is lost, and the command is carried out later |
//! | `silence` | done, and nothing is ever heard |
//! | `not_delivered` | it never arrives: [not sent](crate::TransportError::NotSent) |
//! | `connection_lost` | done, and all commands in flight lose their answers |
//! | `stuck_in_arm`, `stuck_in_drive`, `dead_drive` | the cartridge or drive is stuck; [`repair`](SimulatedLibrary::repair) |
//! | `exception`, `unit_attention` | the library says so |
//!
//! Which: `on(opcode)`, `on_move`, `lun`, `from`, `to`. How often: `times`, `lasting`, `always`, `after`.
//!
//! A lost move is not taken for *not moved* before [`Timing::motion`](crate::Timing::motion) has passed, and pauses begin at a
//! second. Tests of such ways shorten them with [`LibraryConfig::timing`](crate::LibraryConfig::timing), or move the clock.
//!
//! # Ports
//!
//! [`transport_at`](SimulatedLibrary::transport_at) and `sim:name=…,port=1` come through another target port, as over another cable;
//! [`set_port`](SimulatedLibrary::set_port) lets a port stand by, go off line or die ([`Access`](crate::transport::sim::Access)). A library
//! that is served by several [virtual libraries](crate::virtual_library) has as many portals.
//!
//! # Gates
//!
//! [`hold`](SimulatedLibrary::hold) stops commands half-way: before their effect, or between effect and answer. What your program
//! does meanwhile is no race any more. The chapter on [cancellation](super::cancellation#the-verdict) has an example.
//!
//! - [`Gate::reached`](crate::transport::sim::Gate::reached) waits until a command has been stopped.
//! - [`Gate::release`](crate::transport::sim::Gate::release), or dropping the gate, lets it go on.
//!
//! # Hands
//!
//! [`operator_put`](SimulatedLibrary::operator_put), [`operator_take`](SimulatedLibrary::operator_take) and
//! [`operator_swap`](SimulatedLibrary::operator_swap) change the library behind the manager's back, as people do.
//! [`operator_open_door`](SimulatedLibrary::operator_open_door) and
//! [`operator_close_door`](SimulatedLibrary::operator_close_door) stop it as an open door stops a real one.
//!
//! # Clocks
//!
//! There are three times in a test, and each has its own hand:
//!
//! | time of | is | set by |
//! |---|---|---|
//! | the manager: pauses, deadlines, records | its [`Clock`] | [`ManagerBuilder::clock`](crate::ManagerBuilder::clock) |
//! | a simulated library: motions, and the time-outs of commands to it | tokio's clock, times a scale | [`time_scale`](SimulatedLibrary::time_scale), `sim:scale=…` |
//! | iSCSI: the time-outs of commands | tokio's clock | – |
//!
//! | [`Clock`] | for |
//! |---|---|
//! | [`SystemClock`](crate::clock::SystemClock) | programs; the default |
//! | [`ScaledClock`](crate::clock::ScaledClock) | a simulated library at the same scale |
//! | [`ManualClock`](crate::clock::ManualClock) | tests: it stands until it is moved |
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use autochanger::clock::ManualClock;
//! use autochanger::request::CancelledBy;
//! use autochanger::{LibraryConfig, Manager, RequestError};
//!
//! let clock = ManualClock::new();
//! let config = LibraryConfig::new("sim:drives=1");
//! let manager = Manager::builder().library(config).clock(clock.clone()).open().await?;
//! manager.ready().await?;
//! let session = manager.session("nightly-backup").open()?;
//!
//! let tape = session.mount("VT0001L8").await?;
//! let waiting = session.mount("VT0002L8").deadline(Duration::from_secs(1200)).submit().await?;
//! clock.advance(Duration::from_secs(1200));
//! let error = waiting.await.unwrap_err();
//! assert!(matches!(error, RequestError::Cancelled { by: CancelledBy::Deadline, .. }));
//! # tape.dismount().await?;
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! What waits by the clock without a time that a test knows (a cleaning, a port that is looked at) is made to pass by
//! [`advance_to_next`](crate::clock::ManualClock::advance_to_next) beside the future that is awaited; its example is a helper to copy.
//!
//! Do not pause tokio's clock around a store that has a thread, or around iSCSI: tokio lets time jump while others work.
//!
//! # Transcripts
//!
//! [`ManagerBuilder::transcript`](crate::ManagerBuilder::transcript) hands a line to a closure for everything that happens. A test
//! keeps the lines in a [`Recording`], asserts what it is about, and prints the rest where it fails:
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::transcript::{Kind, Recording};
//! use autochanger::{LibraryConfig, Manager};
//!
//! let recording = Recording::new();
//! let config = LibraryConfig::new("sim:drives=1").name("vault");
//! let manager = Manager::builder().library(config).transcript(recording.sink()).open().await?;
//! manager.ready().await?;
//! let session = manager.session("nightly-backup").open()?;
//! recording.clear(); // what follows is the story, without how the library was read
//!
//! // What your program does.
//! let tape = session.mount("VT0001L8").await?;
//!
//! let of_the_mount = recording.lines().into_iter().filter(|line| line.text.starts_with("r1"));
//! let told: Vec<String> =
//!     of_the_mount.filter(|line| line.kind != Kind::Replied).map(|line| line.comparable()).collect();
//! let expected = [
//!     "asked     r1: mount VT0001L8 for nightly-backup, session 1",
//!     "told      r1 queued",
//!     "told      r1 in process",
//!     "told      r1 passed: mounted in drive 500",
//! ];
//! assert_eq!(told, expected, "the whole story:\n{recording}");
//! # tape.dismount().await?;
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! Whole, the middle of this story reads:
//!
//! ```text
//! +00:00:00.000  asked     r1: mount VT0001L8 for nightly-backup, session 1  [r1 = 0198a3c4-…]
//! +00:00:00.000  decided   batch 3: r1 queued
//! +00:00:00.000  durable   batch 3
//! +00:00:00.000  told      r1 queued
//! +00:00:00.000  replied   r1 is accepted: queued
//! +00:00:00.000  decided   batch 4: r1 in process with drive 500; r1 moves VT0001L8 from slot 1000 to drive 500, intent 1
//! +00:00:00.000  durable   batch 4
//! +00:00:00.000  told      r1 in process
//! +00:00:00.000  sent      command 16 to the changer of vault: MOVE MEDIUM slot 1000 to drive 500
//! +00:00:12.800  answered  command 16 MOVE MEDIUM: GOOD
//! ```
//!
//! | line | what happened |
//! |---|---|
//! | `started` | a manager, with what it found in the store |
//! | `asked`, `replied` | a caller asked, and was answered |
//! | `decided`, `durable`, `failed` | a transaction was given to the store; it is durable; it could not be made so |
//! | `sent`, `answered` | a command went to a device; what the device said, or that its answer was lost |
//! | `sought`, `found` | the manager asked the store, or for a library's lock |
//! | `told` | an [event](crate::Session::events) |
//!
//! - Requests are numbered as they appear and the full ids stand in brackets, so [`comparable`](Recording::comparable) is the same in
//!   two runs of one story. With several drives or libraries on a real clock, and answers that overtake each other, it is not:
//!   stop commands at a [gate](#gates), or compare one kind of line.
//! - A move always stands after the `durable` of the batch that intends it.
//! - Wording and numbers of commands may change with a release: compare whole transcripts with each other rather than with
//!   a file, and with a literal only the lines that matter.
//! - A line has at most [`LINE_MAX`](crate::transcript::LINE_MAX) bytes, a transaction with thousands of changes included.
//!
//! # Stores
//!
//! Without [`store`](crate::ManagerBuilder::store) the manager uses a [`MemoryStore`](crate::store::MemoryStore): fast, and gone at
//! the end. A store of the test's own ([`store_with`](crate::ManagerBuilder::store_with)) can fail or wait on demand: see
//! [`Store`](crate::store::Store).

#[cfg(doc)]
use crate::clock::Clock;
#[cfg(doc)]
use crate::transcript::Recording;
#[cfg(all(doc, feature = "sim"))]
use crate::transport::sim::{Fault, SimulatedLibrary};
