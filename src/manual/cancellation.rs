//! What a cancel answers.
//!
//! [`Session::cancel_library_request`] takes a request's id. The answer says what is so, and is computed in one place,
//! between two decisions of the engine, where it races with nothing.
//!
//! # The contract, row by row
//!
//! | fact | answer | RSM code | what to do |
//! |---|---|---|---|
//! | no step of it was ever sent | [`Ok(Cancelled)`](Cancellation::Cancelled) | 0 | nothing: nothing moved, and nothing will. It was durable before you heard of it |
//! | steps done, none in flight | [`Ok(Stopping(verdict))`](Cancellation::Stopping), already resolved to [`Stopped`](Ending::Stopped) | 0 | the cartridge is where the verdict says |
//! | a step in flight or settling, later steps exist | [`Ok(Stopping(verdict))`](Cancellation::Stopping) | 0 | await the verdict |
//! | a step in flight or settling when an earlier process ended, in a library that is [not configured any more](super::recovery#a-library-that-is-not-configured-any-more) | `Ok(Stopping)`, at once resolved to `Stopped` with an unknown place | 0 | look into that library |
//! | a step in flight or settling, none later | [`Err(InProgress)`](CancelError::InProgress) | 5 | wait for the request's end; afterwards ask for the opposite |
//! | the caller may see it, not control it | [`Err(PermissionDenied)`](CancelError::PermissionDenied) | 5 | ask in its application's name, or as an administrator |
//! | it ended before, also as cancelled | [`Err(AlreadyFinished)`](CancelError::AlreadyFinished) | 4312 | look at the state in the error |
//! | never existed, forgotten, or not the caller's to see | [`Err(NotFound)`](CancelError::NotFound) | 4312 | list the requests |
//! | session closed, manager shut down | [`Err(SessionClosed)`](CancelError::SessionClosed) | 6 | open another session |
//! | a bound is reached | [`Err(ResourceExhausted)`](CancelError::ResourceExhausted) | 8 | wait for verdicts that are open ([bounds](#bounds)) |
//! | the store failed | [`Err(Store)`](CancelError::Store) | 4313 | open the manager again and ask how the request stands |
//!
//! After an `Err` the request is as it was, but for `Store`, after which that is not known. The code is
//! [`CancelError::win32_code`].
//!
//! # Steps
//!
//! A step is a command that does something: MOVE MEDIUM, UNLOAD, the reading of an inventory. Asking a drive whether it is
//! ready is none. What the transport says it did not send was not sent. A step
//! is *settling* while the library is looked at, because its [ending is in doubt](super::recovery#doubtful-moves).
//!
//! | request | where it stands | answer |
//! |---|---|---|
//! | mount, dismount, inventory | queued, waiting, intent being made durable, intent durable and the arm busy | `Cancelled` |
//! | the same | the same, after an earlier step of it was sent | `Stopping`, at once `Stopped` |
//! | the same | a move did not happen, and is tried again after a pause | `Stopping`, at once `Stopped` |
//! | mount | its move is in flight or settling | `Stopping`: the verdict comes with the move's end |
//! | mount | the same, and no way to the drive is known: the move is its last step | `InProgress` |
//! | mount of a group | the same: it passes with the others, which is still to come | `Stopping`: the verdict comes with the move's end |
//! | mount | its move is done, the drive is not ready yet | `Stopping`, at once `Stopped` |
//! | mount | its cartridge was in the drive already, the drive is not ready yet | `Cancelled` |
//! | identification, free label | their move to the drive, their label, or the unload on the way back is in flight | `Stopping`: the verdict comes with that step's end |
//! | identification with `keep` | its label is being read: its last step | `InProgress` |
//! | identification, free label | the move back to the slot | `InProgress` |
//! | mount that is held against the label | the label is being read | `Stopping`: the verdict comes with the answer |
//! | dismount | the drive unloads | `Stopping`: the verdict comes with UNLOAD's end |
//! | dismount | its move is in flight or settling | `InProgress` |
//! | eject | waits for a port | `Cancelled` |
//! | eject | the drive unloads | `Stopping`: the verdict comes with UNLOAD's end |
//! | eject | its move is in flight or settling | `InProgress` |
//! | inject | waits for a person, and nothing came yet | `Cancelled`; the person is not asked any more |
//! | inject of one | its move is in flight or settling | `InProgress` |
//! | inject of many | a move is in flight or settling | `Stopping`: the verdict comes with the end of the last move in flight; what came stays in its slots |
//! | inject of many | waits for the next cartridge | `Stopping`, at once `Stopped` |
//! | door | a person is asked, or the door is open | `Cancelled`; the library is read again all the same |
//! | door | the inventory after it is being read | as an inventory |
//! | inventory | being read | `Stopping`: the verdict comes with the answer to the command in flight |
//! | enable, pause, drain, disable | not begun | `Cancelled` |
//! | the same | in force, and what was under way has not ended yet | `Stopping`, at once `Stopped`: [what it set stays](#what-stopped-means) |
//! | full inventory | the library scans itself | `Stopping`: the verdict comes when the scan ends, which can take an hour |
//!
//! # The verdict
//!
//! [`Verdict`] is awaited apart from the cancel. Dropping it takes nothing back.
//!
//! | [`Ending`] | meaning |
//! |---|---|
//! | [`Stopped { place }`](Ending::Stopped) | the request ended after the step that was in flight. The step may have been done or not: `place` tells. `None` for an inventory |
//! | [`TooLate { state }`](Ending::TooLate) | the request ended by itself, for example as `Failed` because its move could not be found out |
//!
//! Whoever waits for the request itself hears [`RequestError::Cancelled`] or [`RequestError::Stopped`], with
//! [who or what](crate::request::CancelledBy) ended it and the [reason](CancelBuilder::reason) that was given.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::transport::sim::{self, Hold, SimulatedLibrary};
//! use autochanger::{CancelError, Cancellation, Ending, LibraryConfig, Manager, RequestError};
//!
//! let library = SimulatedLibrary::start(sim::Library::new().cartridges("VT{:04}L8", 1..=20));
//! let config = LibraryConfig::transport("vault", library.transport());
//! let manager = Manager::builder().library(config).open().await?;
//! manager.ready().await?;
//! let session = manager.session("nightly-backup").open()?;
//!
//! // The arm works for the first mount; the second waits behind it.
//! let gate = library.hold(Hold::opcode(0xA5)); // MOVE MEDIUM
//! let moving = session.mount("VT0001L8").submit().await?;
//! gate.reached().await;
//! let waiting = session.mount("VT0002L8").submit().await?;
//!
//! // No step of the second was sent. The answer does not wait for the arm.
//! let answer = session.cancel(waiting.id()).reason("changed my mind").await?;
//! assert!(matches!(answer, Cancellation::Cancelled));
//! assert!(matches!(waiting.await, Err(RequestError::Cancelled { .. })));
//!
//! // The first has its move in flight, and would wait for the drive afterwards.
//! let Cancellation::Stopping(verdict) = session.cancel_library_request(moving.id()).await? else { panic!() };
//! let id = moving.id();
//! gate.release();
//! let Ending::Stopped { place: Some(place) } = verdict.await? else { panic!() };
//! assert_eq!(place.to_string(), "drive 500");
//! assert_eq!(library.moves_sent(), 1);
//!
//! // It has ended.
//! let error = session.cancel_library_request(id).await.unwrap_err();
//! assert!(matches!(error, CancelError::AlreadyFinished { .. }));
//! assert_eq!(error.win32_code(), 4312);
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! # What *stopped* means
//!
//! Nothing is moved back. The cartridge is recorded where it is.
//!
//! | stopped | the cartridge | afterwards |
//! |---|---|---|
//! | mount, its move was done | in the drive, mounted for nobody | mount it again (no move is needed), or dismount it; the manager dismounts it when another mount needs the drive |
//! | mount, its move was not done | in its slot | – |
//! | identification, free label, once loaded | in the drive, mounted for nobody; a label that was written is recorded | as for a mount |
//! | dismount, while or after its drive unloaded | in the drive, unloaded, still mounted for its application | dismount it again |
//!
//! A change of service that is stopped stays as it was set, and nobody follows it up: a library that was draining goes on
//! letting dismounts out and nothing in, and is not paused in the end. Enable it to take that back. A later change of the same
//! library's or drive's service stops the earlier one
//! ([`CancelledBy::Superseded`](crate::request::CancelledBy::Superseded)).
//!
//! # A second cancel
//!
//! While the first one's verdict is open, a second cancel gets `Stopping` with the same verdict, and the first one's reason
//! stays. While the request's end is on its way to the store, it waits for that commit and is answered by the end:
//! `Cancelled`, `Stopping` (resolved), or `AlreadyFinished`. After that it is `AlreadyFinished`.
//!
//! `Stopping` is durable: after a crash the request still ends as stopped ([`Request::stopping`](crate::Request)).
//!
//! # Deadlines
//!
//! [`deadline`](crate::MountBuilder::deadline) is counted from acceptance. When it passes, the request is treated as if somebody
//! had cancelled it, by [`CancelledBy::Deadline`](crate::request::CancelledBy::Deadline). Is its last step in flight, nothing is
//! done: the step's end ends the request. Did the step do nothing, the request ends instead of being tried again.
//!
//! While the manager lives, the monotonic clock counts. Across a restart there is only the wall clock.
//!
//! # Closing a session
//!
//! [`Session::close`] cancels the mount requests that this session made or adopted, unless they are
//! [detached](crate::MountBuilder::detached): each by the table above, by
//! [`CancelledBy::SessionClosed`](crate::request::CancelledBy::SessionClosed). Dismounts, inventories and media that are mounted
//! stay. Dropping a session, or a future, cancels nothing.
//!
//! # Why a cancel never waits behind a move
//!
//! - It has a lane of its own, which the driver serves before submissions and before the devices' answers.
//! - The engine answers from what it knows. It sends no command and waits for none: the open part is the verdict.
//! - Taking a request out of the queue costs O(log n).
//!
//! A cancel waits for one commit of the store: `Cancelled` and `Stopping` are durable when they are answered. For a request
//! that is not live any more the store is asked.
//!
//! # Bounds
//!
//! [`max_pending_cancels`](crate::ManagerBuilder::max_pending_cancels) (4,096) bounds three things, each for itself: requests
//! whose verdict is open, cancels that wait for the end of one request to be durable, and look-ups of ids that are not live.
//!
//! Each accepted cancel is an event, the second of a request too: [`EventKind::CancelAccepted`](crate::EventKind::CancelAccepted).

#[cfg(doc)]
use crate::{CancelBuilder, CancelError, Cancellation, Ending, RequestError, Session, Verdict};
