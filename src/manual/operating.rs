//! A day at the library: what goes out and comes in, who is asked, what is taken out of service, cleaned, put first.
//!
//! For a program that people run a library with. Its session has the role of an [operator](Role::Operator), the default; what controls
//! other applications' requests (cancel, reorder, adopt, dismount by force) needs an [administrator](Role::Administrator), and so does
//! [purging](#the-past). [`Role`] has the table.
//!
//! # Looking
//!
//! | question | call |
//! |---|---|
//! | How are the libraries, the ways to them, their quirks, their service? | [`Session::libraries`] |
//! | What do the drives do, which wants to be cleaned, which is suspected? | [`Session::drives`] |
//! | What is where? | [`Session::slots`], [`Session::cartridges`] |
//! | Who has what mounted? | [`Session::mounts`] |
//! | What waits, and what for? | [`Session::live_requests`], [`Session::queue_position`] |
//! | What is asked of people? | [`Session::operator_requests`]; also what no request of yours waits for: a drive or library that [needs hands](crate::view::OperatorTask::DeviceService) |
//! | What failed, and whose fault was it? | [`Session::faults`] |
//! | What became of it? | [`Session::requests`], [`Session::motions`] |
//! | What happens? | [`Session::events`], each a line for a log |
//!
//! # Out and in
//!
//! An eject passes when the cartridge lies in a port. What lies there keeps its place in the catalogue until a person takes it: then it is
//! outside. An inject asks for a person, and passes when what was put into a port is in a slot.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::transport::sim::{self, SimulatedLibrary};
//! use autochanger::{LibraryConfig, Manager};
//!
//! let library = SimulatedLibrary::start(sim::Library::new().cartridges("VT{:04}L8", 1..=20));
//! let config = LibraryConfig::transport("vault", library.transport());
//! let manager = Manager::builder().library(config).open().await?;
//! manager.ready().await?;
//! let session = manager.session("operating").open()?;
//!
//! // A request for each, so that each has its end.
//! for ticket in session.eject_all(["VT0001L8", "VT0002L8"]).submit().await {
//!     let out = ticket?.await?;
//!     println!("{} lies in port {}", out.barcode.unwrap_or_default(), out.port.ok_or("no port")?);
//! }
//!
//! library.operator_put(13, "NEW001L8")?; // a person's hand
//! let came = session.inject().await?;
//! for cartridge in came.cartridges {
//!     println!("{cartridge} is in its slot");
//! }
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! | | |
//! |---|---|
//! | several at a time | [`eject_all`](Session::eject_all), [`inject_many`](Session::inject_many): the latter until a person says that [all is in](Session::satisfy_operator_request), or it is cancelled |
//! | a port is free | the eject goes there at once, and nobody is asked anything |
//! | every port is full | the eject waits, and a person is asked to empty them |
//! | nobody comes | it fails as [`TimedOut`](crate::FailureKind::TimedOut) after [`port_timeout`](crate::Timing::port_timeout) |
//! | no slot is free for what comes | it waits, and a person is asked to make room |
//! | a library without ports | [`door_access`](Session::door_access): unlocks the door, waits until it was opened and closed, and reads the inventory |
//! | hands that were in the library unasked | are noticed by what the library says; where it says nothing, [`inventory`](Session::inventory) |
//!
//! # People
//!
//! What a person is to do is in [`operator_requests`](Session::operator_requests) as long as a request waits for it, and told by
//! [`EventKind::OperatorAsked`](crate::EventKind::OperatorAsked). That it is done the manager sees by itself when it looks;
//! [`satisfy_operator_request`](Session::satisfy_operator_request) has it look at once. That it will not be done a person says:
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::{CancelledBy, EventKind, LibraryConfig, Manager, RequestError};
//!
//! # let manager = Manager::builder().library(LibraryConfig::new("sim:")).open().await?;
//! # manager.ready().await?;
//! let session = manager.session("operating").open()?;
//! let mut events = session.events();
//! let ticket = session.inject().submit().await?;
//! while let Some(event) = events.next().await {
//!     if let EventKind::OperatorAsked(asked) = event?.kind {
//!         println!("please {} (for {})", asked.task, asked.application);
//!         break;
//!     }
//! }
//! for asked in session.operator_requests().await? {
//!     let _ = session.refuse_operator_request(asked.request).await?;
//! }
//! let end = ticket.await;
//! assert!(matches!(end, Err(RequestError::Cancelled { by: CancelledBy::Operator { .. }, .. })));
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! # Out of service
//!
//! [`set_service`](Session::set_service) has the table of what each service lets through. A drive is drained before it is taken out; a
//! library before it is switched off.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::{ElementAddress, LibraryConfig, Manager, Service, ServiceTarget};
//!
//! # let manager = Manager::builder().library(LibraryConfig::new("sim:")).open().await?;
//! # manager.ready().await?;
//! let session = manager.session("operating").open()?;
//! let drive = ElementAddress(500);
//! session.drain(drive).await?; // passes when it is empty
//! let drives = session.drives(None).await?;
//! assert_eq!(drives[0].service, Service::Paused);
//!
//! let tape = session.mount("VT0001L8").await?; // in another drive
//! assert_ne!(tape.drive(), drive);
//! tape.dismount().await?;
//!
//! session.enable(drive).await?; // it, or what stands there now, serves again
//! session.pause(ServiceTarget::Library(None)).await?; // what waits goes on waiting
//! session.resume(ServiceTarget::Library(None)).await?;
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! # Cleaning
//!
//! A drive that wants to be cleaned says so ([`DriveInfo::wants_cleaning`](crate::view::DriveInfo::wants_cleaning)), and is cleaned when nobody needs
//! it, unless [`auto_clean`](crate::LibraryConfig::auto_clean) is off. The cleaning cartridge has a slot of its own.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::clock::ScaledClock;
//! use autochanger::transport::sim::{self, SimulatedLibrary};
//! use autochanger::{LibraryConfig, Manager};
//!
//! let library = SimulatedLibrary::start(sim::Library::new().drives(1).cleaning_cartridge("CLN001L1"));
//! let config = LibraryConfig::transport("vault", library.transport());
//! // A drive is watched for half a minute at least; this clock makes a moment of it.
//! let manager = Manager::builder().library(config).clock(ScaledClock::new(1000.0)).open().await?;
//! manager.ready().await?;
//! let session = manager.session("operating").open()?;
//!
//! session.clean_drive(500).await?;
//! let drive = &session.drives(None).await?[0];
//! println!("cleaned at {}", drive.last_cleaned.ok_or("never")?);
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! | | |
//! |---|---|
//! | a slot for the cleaner | [`reserve_cleaner_slot`](Session::reserve_cleaner_slot), [`release_cleaner_slot`](Session::release_cleaner_slot) |
//! | a new one, and how often it can clean | [`inject_cleaner`](Session::inject_cleaner); at zero a person is asked for another |
//! | out with it | [`eject_cleaner`](Session::eject_cleaner) |
//!
//! # What is first
//!
//! A request's place among the waiting ones of its operation is [`queue_position`](Session::queue_position), and
//! [`reorder`](Session::reorder) gives it another. [`cancel`](Session::cancel) takes a reason, which whoever waits for the request is told.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::{LibraryConfig, Manager, Role};
//!
//! # let manager = Manager::builder().library(LibraryConfig::new("sim:drives=1")).open().await?;
//! # manager.ready().await?;
//! let session = manager.session("operating").role(Role::Administrator).open()?;
//! let busy = session.mount("VT0001L8").await?; // the only drive
//! let one = session.mount("VT0002L8").submit().await?;
//! let two = session.mount("VT0003L8").submit().await?;
//! assert_eq!(session.queue_position(two.id()).await?, Some(2));
//! assert_eq!(session.reorder(two.id(), 1).await?, 1);
//!
//! let _ = session.cancel(one.id()).reason("the restore is not needed any more").await?;
//! busy.dismount().await?;
//! two.await?.dismount().await?;
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! # The past
//!
//! Three days after its end a request is forgotten, with its motions and faults, or after the time that
//! [`purge_after`](crate::ManagerBuilder::purge_after) sets, or never. Those that failed stay, unless
//! [`purge_failed`](crate::ManagerBuilder::purge_failed) says otherwise. It is done by the way, while nobody waits for the store, and
//! [`EventKind::Purged`](crate::EventKind::Purged) tells how many went. [`purge_requests`](Session::purge_requests) forgets requests that have ended, by age, by number or by id; what a
//! mounted medium or a motion in doubt needs is kept.

#[cfg(doc)]
use crate::{Role, Session};
