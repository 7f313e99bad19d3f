//! The things, and a request's way.
//!
//! # The things
//!
//! | word | what it is | in the code |
//! |---|---|---|
//! | manager | owns libraries, their queues and the catalogue; lives in the caller's process | [`Manager`] |
//! | library | one medium changer with its elements. Known by vendor, product and serial number, not by the way to it | [`LibraryInfo`], [`LibraryId`] |
//! | element | a place for one cartridge, with a type and an address (SMC-3): slot, port, drive, arm | [`ElementAddress`], [`ElementType`] |
//! | drive | an element that reads and writes media, and a logical unit of its own | [`DriveInfo`] |
//! | cartridge | one medium, by its label or its id. The id stays when the label cannot be read | [`Cartridge`], [`CartridgeRef`] |
//! | place | where a cartridge is: in an element, *unknown* (with the elements that it can be in), or *missing* | [`Place`] |
//! | home | the slot that a cartridge was last in; a dismount returns it there | [`Cartridge::home`] |
//! | session | what an application works with; clones are the same session | [`Session`] |
//! | application | the session's name. Requests and mounts belong to it, also after a restart | [`Manager::session`] |
//! | role | what a session may see and do | [`Role`] |
//! | request | one thing asked for: a mount, a dismount, an inventory. Durable, with an id | [`Request`], [`RequestId`] |
//! | ticket | what an accepted request is waited for with. Dropping it cancels nothing | [`Ticket`] |
//! | motion | one MOVE MEDIUM: its intent, and what became of it | [`MotionRecord`], [`Session::motions`] |
//! | mount | a cartridge in a drive for an application, from the mount's end to the dismount's end | [`Mounted`], [`MountInfo`] |
//! | store | where all of this is kept | [`store`](crate::store) |
//!
//! A *library* is served by one manager at a time ([`devices`](super::devices#one-owner)). A manager serves several libraries.
//!
//! # Asking
//!
//! Each operation has a builder. Awaiting it submits and waits. [`submit`](MountBuilder::submit) gives the ticket.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::{LibraryConfig, Manager, State};
//!
//! let manager = Manager::builder().library(LibraryConfig::new("sim:")).open().await?;
//! manager.ready().await?;
//! let session = manager.session("nightly-backup").open()?;
//!
//! // Submit and wait in one.
//! let tape = session.mount("VT0001L8").await?;
//! println!("{tape} is ready"); // "VT0001L8 in drive 500 is ready"
//!
//! // Or hand in, and wait later. With the ticket the request is durable.
//! let ticket = session.mount("VT0002L8").priority(5).submit().await?;
//! let mut progress = ticket.progress();
//! while let Some(state) = progress.next().await {
//!     println!("{}: {state}", ticket.id());
//! }
//! assert!(matches!(ticket.state(), State::Passed(_)));
//! let other = ticket.await?;
//!
//! assert_eq!(session.mounts().await?.len(), 2);
//! tape.dismount().await?;
//! other.dismount().await?;
//! manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! [`Mounted`] gives the drive's address, its serial number, and the way to it ([`Mounted::transport`]). Commands on that
//! way are the caller's own: the manager does not read or write media.
//!
//! # A request's way
//!
//! | # | where | what happens | durable then | what callers see |
//! |---|---|---|---|---|
//! | 0 | the builder | nothing yet. The id is drawn at [`submit`](MountBuilder::submit) (UUID v7), or [given](MountBuilder::id) | – | – |
//! | 1 | the submission lane | it waits for a place; cancels and questions have a lane of their own, served first | – | – |
//! | 2 | the engine | it is checked against the catalogue: [refused](crate::Refusal), or given to the store | – | – |
//! | 3 | the store is done | the caller gets the ticket | the request | [`Queued`](State::Queued), [`Waiting`](State::Waiting) |
//! | 4 | the schedule | cartridge, drive and slot are reserved together; the intent of the move is given to the store | – | – |
//! | 5 | the store is done | MOVE MEDIUM is sent as soon as an arm is free: the only point of no return | the intent | [`InProcess`](State::InProcess) |
//! | 6 | the transport | it answers, or says *not sent* or *outcome unknown* | the intent | `InProcess` |
//! | 7 | the engine | moved, or not moved, or [to be found out](super::recovery#doubtful-moves) | the intent | `InProcess` |
//! | 8 | the store | outcome and catalogue, in one transaction | – | `InProcess` |
//! | 9 | the store is done | waiters resolve, events are told | the end | [`Passed`](State::Passed), [`Failed`](State::Failed), [`Cancelled`](State::Cancelled), [`Stopped`](State::Stopped) |
//!
//! - A **mount** goes through rows 4 to 8 for its move, then waits until the drive is ready (TEST UNIT READY), then ends.
//!   Without a known way to the drive it ends with the move. A cartridge that is in a fitting drive already, mounted for
//!   nobody, needs no move.
//! - A **dismount** first has the drive unload (LOAD UNLOAD), while the arm does something else; then rows 4 to 8. UNLOAD
//!   may be repeated, so it has no intent.
//! - An **inventory** sends nothing that moves a cartridge from one element to another, so it has no intent either. It
//!   waits until nothing moves.
//! - While the arm works, the next move's intent is made durable already.
//!
//! A final state never changes. An end is shown only when it is durable; the other states of a live request may be shown one
//! commit before.
//!
//! # States
//!
//! | state | meaning | final |
//! |---|---|---|
//! | [`Queued`](State::Queued) | served in its turn | |
//! | [`Waiting`](State::Waiting) | for the cartridge, a drive, a slot, a port, service, its group, a person, the library to be ready, or [an owner](super::recovery#adopting) | |
//! | [`Deferred`](State::Deferred) | a dismount was promised and is put off; the medium is still in the drive | |
//! | [`InProcess`](State::InProcess) | a step is being made durable, is under way, or is being looked into | |
//! | [`Passed`](State::Passed) | done, with its [`Outcome`] | yes |
//! | [`Failed`](State::Failed) | not done, with its [`Failure`](crate::Failure) | yes |
//! | [`Cancelled`](State::Cancelled) | nothing was done for it, and nothing will be | yes |
//! | [`Stopped`](State::Stopped) | ended between two steps; nothing was moved back | yes |
//!
//! [`Invalid`](State::Invalid) is in the table of legal pairs ([`State::may_become`]), and no
//! request gets there: what is not valid when it is handed in is refused instead.
//!
//! # Order
//!
//! Within a library the request that is due first. It is due when it was handed in, put off by
//! [`priority_worth`](crate::ManagerBuilder::priority_worth) for each point of [priority](MountBuilder::priority) that it lacks, and for 31 points for each
//! [operation](crate::Operation) that comes before its own. So of requests of one age the operation decides, then the priority; and what comes
//! later than all that can be worth comes behind: everything ages at the same pace, and nobody waits for ever because others come.
//! [`reorder`](crate::Session::reorder) gives a request a place of its own.
//! [`forecast`](crate::Session::forecast) tells what would be done next, when and why, and who waits for whom; every builder can be tried out
//! ([`dry_run`](crate::MountBuilder::dry_run)).
//! A request that waits for something lets those pass that do not. Who names a drive and who would take any wait for it in one line, in this order. A
//! mount whose medium is in a drive already goes before those that wait for the drive, if they wait by no more than three points of priority
//! longer: otherwise the medium makes way, also in its [dwell](crate::LibraryConfig::dwell). A drive for a mount is, of the free ones that fit the medium, one of the
//! [nearest](crate::LibraryConfig::costs), and of these the one that was not used for the longest time. A mount of a cartridge that is mounted already waits until it is dismounted.
//!
//! What a cartridge can be mounted in is known from its label (the last two characters of eight: `L8`, `LA`, `M8`, `LY`) and
//! the drive's product identification, for LTO. What is not known is not refused. An impossible pairing is
//! [refused](crate::Refusal::Incompatible) when the request is handed in.
//!
//! When every fitting drive is taken, and one holds a cartridge that nobody has mounted, the manager dismounts that one by a
//! request of its own, under the application name `autochanger`.
//!
//! # Roles
//!
//! An *application* uses media, an *operator* (the default) also works the library, an *administrator* also controls what others
//! asked for. [`Role`] has the whole table; what a role does not suffice for is [`Refusal::RoleNeeded`](crate::Refusal::RoleNeeded).
//!
//! A role is stated by the program that opens the session. It keeps honest programs apart; it is no protection against
//! others in the same process.
//!
//! # Asking twice
//!
//! An [id of your own](MountBuilder::id) makes a submission repeatable: the same request under the same id is answered with
//! how it stands, also after a restart. "The same" means the same operation and details, application and priority. Another
//! one under that id is refused as [`IdReused`](crate::Refusal::IdReused). An id is known as long as its request is kept, three days after
//! its end [unless set otherwise](crate::ManagerBuilder::purge_after); after that it is a new one. A [group](crate::Session::mount_all) is repeatable where all of its
//! [members have ids](crate::GroupMember::id): it is known whole, or it is another one.
//!
//! # Dropping
//!
//! | dropped | effect |
//! |---|---|
//! | a future before it is ready | the call was made or not; an accepted request goes on |
//! | a [`Ticket`], [`Progress`](crate::Progress), [`Verdict`](crate::Verdict) | none |
//! | a [`Mounted`] | none: the medium stays mounted |
//! | a [`Session`] | none; [`close`](Session::close) cancels |
//! | the [`Manager`] | it shuts down in the background, if the runtime lives long enough; a move that was sent goes on in the library |

#[cfg(doc)]
use crate::{
    Cartridge, CartridgeRef, DismountBuilder, ElementAddress, ElementType, LibraryId, Manager, MountBuilder,
    Mounted, Outcome, Place, Request, RequestId, Role, Session, State, Ticket, Waiting,
    catalog::MotionRecord,
    view::{DriveInfo, LibraryInfo, MountInfo},
};
