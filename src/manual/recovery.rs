//! What is left after a crash, a lost answer, or a lost cartridge.
//!
//! # What is durable, and when
//!
//! | record | durable before |
//! |---|---|
//! | request, as accepted | its ticket is given out |
//! | motion, as an intent | its MOVE MEDIUM is sent |
//! | motion's outcome and the cartridge's place, in one transaction | the drive is waited for, or the request's end is told |
//! | request's end and the mount that begins or ends with it, in one transaction | anybody hears of it |
//! | `Cancelled`; a `Stopping` whose verdict is open | the cancel is answered |
//! | library, cartridge, and what an inventory changed | the inventory's end is told |
//!
//! Not kept, and found anew: what is waited for (cartridge, drive, slot), reservations, and the way to each drive.
//!
//! Durable means: as far as the [store](crate::store) is. [`RedbStore`] syncs each commit to the disk. [`MemoryStore`], which
//! is used where no store is given, ends with the process.
//!
//! # After a crash, row by row
//!
//! The rows are those of a [request's way](super::concepts#a-requests-way). The policy is [`RestartPolicy::Resume`].
//!
//! | crashed in row | found after the restart |
//! |---|---|
//! | 0–2 | no request: nothing happened. Hand it in again, with its id where it had one |
//! | 3–4 | dismount and inventory go on by themselves. A mount, detached or not, is [`Waiting::Owner`] until it is [adopted](#adopting), cancelled, or ended by its deadline |
//! | 5–8, the cartridge is at its goal | dismount: `Passed`. Mount: the drive is waited for, then `Passed`, mounted for its application |
//! | 5–8, the cartridge is at its source | as in row 3–4, when [*not moved*](#when-not-moved-is-concluded) can be concluded. A new attempt has an intent of its own |
//! | 5–8, neither can be told | `Failed`, [`FailureKind::Interrupted`]; see [*unknown*](#unknown) |
//! | 8, a mount between its move and a ready drive | the drive is waited for, then `Passed` |
//! | 9 | its end is there, and does not change |
//!
//! A dismount whose drive was unloading begins again: UNLOAD may be repeated. An identification and the writing of a free label begin
//! again with reading: a free label that was cut off counts as nobody's data. An inventory begins again. A request that was
//! [stopping](super::cancellation#a-second-cancel) ends as `Stopped`.
//!
//! Kept requests wait until their library is [ready](crate::view::LibraryState::Ready) again. No motion that an earlier process
//! may have sent is sent by the next: it is looked at. Its cartridge and elements stay reserved meanwhile, and others are
//! served.
//!
//! # Restart policies
//!
//! | [`RestartPolicy`] | requests without an open motion | requests with one |
//! |---|---|---|
//! | [`Resume`](RestartPolicy::Resume) (default) | go on; mounts wait for an owner | by the table above |
//! | [`CancelUnfinished`](RestartPolicy::CancelUnfinished) | `Cancelled`; `Stopped` where a step was sent | looked into, then `Stopped` |
//!
//! Under `CancelUnfinished` the one who ended them is [`CancelledBy::Restart`](crate::request::CancelledBy::Restart). Media that
//! are mounted stay mounted under both.
//!
//! # Adopting
//!
//! A restart ends all sessions. [`Session::adopt`] claims one of two things by a mount request's id:
//!
//! - a mount request that has not ended: it is bound to this session from then on, and goes on if it waited for an owner;
//! - a medium that is mounted ([`Session::mounts`]): its ticket resolves at once.
//!
//! Operators and applications claim their own application's, by its name; administrators claim any, which then belongs to
//! their application. Refused: [`AdoptRefusal`](crate::AdoptRefusal).
//!
//! ```
//! # #[cfg(all(feature = "sim", feature = "redb"))]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::transport::sim::{self, SimulatedLibrary};
//! use autochanger::{LibraryConfig, Manager};
//!
//! # let file = std::env::temp_dir().join(format!("autochanger-manual-{}.redb", std::process::id()));
//! # let _ = std::fs::remove_file(&file);
//! let library = SimulatedLibrary::start(sim::Library::new().cartridges("VT{:04}L8", 1..=20));
//! let open = async || -> Result<Manager, autochanger::Error> {
//!     let config = LibraryConfig::transport("vault", library.transport());
//!     let manager = Manager::builder().library(config).store(&file).open().await?;
//!     manager.ready().await?;
//!     Ok(manager)
//! };
//!
//! let manager = open().await?;
//! let tape = manager.session("nightly-backup").open()?.mount("VT0001L8").await?;
//! let drive = tape.drive();
//! manager.shutdown().await;
//!
//! // The next process.
//! let manager = open().await?;
//! let session = manager.session("nightly-backup").open()?;
//! let mounts = session.mounts().await?;
//! let tape = session.adopt(mounts[0].id).await?.await?;
//! assert_eq!((tape.barcode(), tape.drive()), (Some("VT0001L8"), drive));
//! tape.dismount().await?;
//! assert_eq!(library.moves_sent(), 2);
//! # manager.shutdown().await;
//! # let _ = std::fs::remove_file(&file);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "sim", feature = "redb")))]
//! # fn main() {}
//! ```
//!
//! # Doubtful moves
//!
//! | MOVE MEDIUM ended with | meaning |
//! |---|---|
//! | GOOD; NO SENSE without a code; RECOVERED ERROR; a failure that is predicted (5D) | moved. No look is needed |
//! | [not sent](crate::TransportError::NotSent) | not moved. The request goes back to the queue, five attempts in all; at once `Failed` ([`PathLost`](FailureKind::PathLost)) where trying again cannot help |
//! | RESERVATION CONFLICT | in doubt, but the device did not carry it out; the library is [another's](super::devices#the-reservation) |
//! | CHECK CONDITION otherwise, or another status | in doubt, but the command is known to have ended (unless the error is a deferred one) |
//! | [outcome unknown](crate::TransportError::OutcomeUnknown), or a restart | in doubt, and it may still happen |
//!
//! In doubt, the manager tells [`EventKind::MotionInDoubt`](crate::EventKind::MotionInDoubt) and looks: TEST UNIT READY, then READ
//! ELEMENT STATUS of the source, of the goal, and of the arms. It never sends the motion again before it knows. Between looks it
//! rests, from [`Timing::retry_min`] doubling to [`Timing::retry_max`], and the arm serves others. Cartridge and elements stay
//! reserved.
//!
//! *Moved* is concluded from one look: the cartridge's label is read at its goal, or, where no label is read there, the goal is
//! full and the source has lost it.
//!
//! While the device cannot be reached nothing is concluded and nothing given up, however long that takes. The library is
//! [`NotPresent`](crate::view::LibraryState::NotPresent) meanwhile. Nor while it says that it comes ready, that a door is open, that
//! somebody is at its panel or must come; in the last case it is [`Unusable`](crate::view::LibraryState::Unusable) and is sent nothing else. Where it has [several paths](super::devices#several-paths) the looking
//! goes on over the next one, as soon as the library was identified there; while it is reserved by another owner nobody looks.
//!
//! # When *not moved* is concluded
//!
//! All of this must be so, in two looks one after the other:
//!
//! 1. TEST UNIT READY is answered with GOOD.
//! 2. The cartridge is at its source, and not at its goal. (If the device refused the command with ILLEGAL REQUEST, UNIT
//!    ATTENTION or RESERVATION CONFLICT, one of the two suffices: a hand may have taken it, or something else stands at the goal.)
//! 3. No arm holds it.
//! 4. The device has answered the command, or [`Timing::motion`] has passed since it was sent, on the monotonic clock. A
//!    command can wait in a line before it is sent: it counts from when its answer was lost, but where its own time had passed without an answer.
//!    After a restart nobody knows when it was sent: it is counted from the restart, for a wall clock proves nothing.
//!
//! Point 4 is why a lost answer can hold a request for half an hour: a command that timed out can still be carried out. A program that
//! lives shorter than [`Timing::motion`] never concludes *not moved* of what an earlier one left, since each counts anew: let it live that
//! long, or configure a shorter time, if your library's slowest motion is shorter.
//!
//! Then the sense data decide:
//!
//! | sense | what follows |
//! |---|---|
//! | UNIT ATTENTION, ABORTED COMMAND, not ready or an operation in progress, a door open, not serving on this path; or there are none | again after a pause, five attempts in all |
//! | the robot missed its position (15/00 to 02) | again, once |
//! | the medium is still threaded (3A/00, 3B/90) | UNLOAD, then again |
//! | anything else | `Failed`, with the cartridge's place; after what says that elements are otherwise than thought (*source empty*, *destination full*, a magazine or drive that is out) the library is read again |
//!
//! Vendors' codes mean what their product means by them ([`scsi::Dialect`](crate::scsi::Dialect)).
//!
//! # Unknown
//!
//! Five looks that tell none of this, after point 4 is so, end the request as `Failed`: [`FailureKind::Unknown`], or
//! [`FailureKind::Interrupted`] where an earlier process made the intent. The cartridge's place is [`Place::Unknown`], with the
//! two elements and the arms. The elements are not used until they have been read again. A cartridge without a label that is seen in one of
//! them then is this one, if there is but one that it can be.
//!
//! The manager then reads the whole library, by itself, before anything else is moved:
//!
//! | the cartridge | its place then | what to do |
//! |---|---|---|
//! | is seen somewhere | there | mount it, or dismount it; [from the arm](#a-cartridge-in-the-arm) the manager brings it away |
//! | is not seen | [`Place::Missing`], with where it was last | look into the library; put it into a slot; [inventory](Session::inventory) |
//!
//! A cartridge that is `Unknown` or `Missing` is refused as [`CartridgeNotAvailable`](crate::Refusal::CartridgeNotAvailable).
//!
//! # A library that is not configured any more
//!
//! A library is known by vendor, product and serial number. One that comes back with another number (a new controller; `sim:`,
//! which has another one in each process unless a `serial` is given) is another library, and in the old one nobody looks. As soon as all configured
//! libraries were reached:
//!
//! | what was left open in the old one | what follows |
//! |---|---|
//! | a request for a cartridge that a configured library now reports | `Failed` ([`CartridgeMissing`](FailureKind::CartridgeMissing)), with its place there; its motion is recorded as unknown |
//! | a request that was to be stopped already | `Stopped`; a motion that was open is unknown, and so is the cartridge's place: the two ends of the motion |
//! | anything else | it waits, since the library may be configured again. [`EventKind::Warning`](crate::EventKind::Warning) names the library and the requests; cancelling one stops it as above |
//!
//! A library that is configured again after that is read when it is opened, and its cartridges are found where they are.
//!
//! # A cartridge in the arm
//!
//! A motion can end with its cartridge in the arm: something jams, a door is opened, a command is aborted. When the motion is over (point
//! 4), neither end has the cartridge, and an arm holds it after five looks, which give it half a minute to put it down, the motion is
//! recorded as [`InArm`](crate::catalog::MotionState::InArm), the library is to blame, and the cartridge's place is that arm. Nothing else
//! is moved meanwhile, unless another arm is empty. Then:
//!
//! | the cartridge in the arm | what follows |
//! |---|---|
//! | is that of a request | the request goes on from the arm, with an intent of its own, to the same drive if it is free yet |
//! | is nobody's: its request was stopped, or waits for an owner after a restart, or it was in the arm when the library was opened | a dismount of the manager's own brings it to its slot, or to a free one, before anything else moves |
//! | does not come out, or no slot is free | [`OperatorTask::EmptyArm`](crate::view::OperatorTask::EmptyArm) asks a person to put it into a slot. Who needs an arm is [`Waiting::Arm`], unless another arm is empty |
//!
//! When an inventory finds the arm empty, all go on; the dismount passes with the slot in which the cartridge was found. The manager tries
//! once more to bring it away after each inventory that somebody asks for, five times in all.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use autochanger::transport::sim::{self, Fault, SimulatedLibrary};
//! use autochanger::{LibraryConfig, Manager, Timing};
//!
//! let library = SimulatedLibrary::start(sim::Library::new().cartridges("VT{:04}L8", 1..=20));
//! let short = Duration::from_millis(1);
//! let timing = Timing { retry_min: short, retry_max: short, ..Timing::default() };
//! let config = LibraryConfig::transport("vault", library.transport()).timing(timing);
//! let manager = Manager::builder().library(config).open().await?;
//! manager.ready().await?;
//! let session = manager.session("nightly-backup").open()?;
//!
//! library.inject(Fault::stuck_in_arm().on_move());
//! let tape = session.mount("VT0001L8").await?;
//! // Into the arm, and out of it.
//! assert_eq!(library.moves_sent(), 2);
//! # tape.dismount().await?;
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! # Hands in the library
//!
//! A library tells of changes by a unit attention ([`EventKind::Attention`](crate::EventKind::Attention)). What it touches is read
//! again before the next move: the ports for 28/01 and 28/03, else everything. A library that was switched on, or says that it is not
//! what it was (29/00, 29/01, 29/04, 2A/00, 2A/01, 3B/18 to 3B/1B, 3B/20, 3F/00 to 3F/05, 3F/0E), is identified again and all of it read
//! anew as when it was opened, as soon as what moves has ended; if another one answers, it is `Unusable`. Cartridges are known by label, then by place. A
//! mount whose cartridge is not in its drive any more has ended ([`EventKind::Dismounted`](crate::EventKind::Dismounted)).
//! Elements and cartridges of motions in doubt are left alone.
//!
//! Not every library tells, and what it tells is told once, to whichever program on the machine asks first. A library in which nothing moves and nobody
//! waits for anything is therefore looked at by itself: its ports each minute, all of it each quarter of an hour
//! ([`Timing::refresh_ports`](crate::Timing::refresh_ports), `refresh_all`). A request that comes in the midst of it waits for the one
//! question that was asked, and what such a look meets (a door that is open) is nobody's trouble.
//!
//! A cartridge without a label is known by its place alone. When it is not there any more it is told as missing and forgotten, unless a
//! request is for it, it is disabled, or what is written on it was recorded; what stands there later is another one. Nothing that hands
//! do has the library told to look at its elements (INITIALIZE ELEMENT STATUS): that is done only by a full inventory, or where the
//! configuration or the library wants it.
//!
//! Drives are known by their serial numbers, which each full reading of the library asks for. One that has changed its bay is told
//! ([`EventKind::DriveMoved`](crate::EventKind::DriveMoved)), and takes all that is true of it with it, a medium that is in it as well: its
//! mount, a dismount that was put off, the requests that use or name it, whether it serves, how well it did. What a request asked for stays as it
//! was asked; [`Request::drive`](crate::request::Request::drive) says where the drive is. Another drive in place of one begins anew
//! ([`EventKind::DriveReplaced`](crate::EventKind::DriveReplaced)). A mount of a group fails, and its group with it, when
//! there is no drive any more that it could have beside the other mounts of its group. A drive that says that its inquiry data changed (06/3F/00 to 05) is asked
//! who it is. Without serial numbers, a drive is its address.
//!
//! A sled can be pulled while a step with its drive is under way. After each attention and each lost answer the drive is therefore
//! asked for its serial number (INQUIRY, VPD page 80h) before the step goes on, and before each command that writes a label or lets go of a medium
//! in any case. Where another one answers, it is left alone: the library is read anew, and the step begins again with its own drive, wherever
//! that is; at the third stranger the request is `Failed` ([`PathLost`](crate::FailureKind::PathLost)), with both numbers. One whose drive has left
//! with its medium is `Failed` ([`CartridgeMissing`](crate::FailureKind::CartridgeMissing)), and so is the reading or writing of a label during which
//! the drive tells that its medium was changed (06/28/00). What is left is the moment between that question and the command,
//! and only when another program heard the attention. A drive without a serial number is sent nothing that writes after it told something in the midst of a step.
//!
//! What an earlier process left open went to the drive, wherever that is now. What a drive holds that was put in place of another is not
//! taken for the medium of that one where no label tells. A mount whose drive is gone has ended, and its cartridge is
//! [`Place::Missing`]; a drive that comes back to its bay serves as before.
//!
//! Slots that have other addresses, after a setting at the panel, are found out by the labels that moved with them: places, homes and
//! the cleaner's slot are what they were under the new addresses, and that is told ([`EventKind::Warning`](crate::EventKind::Warning)).
//! What names a slot by its old address is `Failed`, with the new one. Without any label they cannot be told from new slots.
//!
//! # The way is lost
//!
//! A library that cannot be reached is `NotPresent`, is tried again with growing pauses, and is identified and read anew when it
//! answers. Requests that were accepted stay. New ones are refused as [`NotReady`](crate::Refusal::NotReady). Which faults are
//! tried again is in [`devices`](super::devices#states-of-a-library).
//!
//! # A drive that does not come ready
//!
//! After [`Timing::drive_ready`], or [`Timing::drive_calibration`] while it says that it is coming ready, the cartridge is taken
//! out again and tried in another drive, once: when that one reads it the first drive is to blame, else the medium. Without another
//! drive that fits, or with a drive that the caller named, the mount is `Failed`, and the cartridge stays in the drive, mounted for
//! nobody. A drive that failed with several media in a row is the last choice, until it comes ready or is enabled. That a drive
//! calibrates is seen in its state and told, so that an hour and a half is not taken for a fault.
//!
//! # What devices foretell
//!
//! A device that foretells a failure, and a library whose mechanics failed, is asked for its flags of TapeAlert; each is told
//! ([`EventKind::Warning`](crate::EventKind::Warning)), and what it asks for is done:
//!
//! | flag | what is done |
//! |---|---|
//! | of a library 24 (its inventory is inconsistent) | it is read again |
//! | 12, 31 (a cartridge is in no slot) | it is read again. What is in the arm is brought on from there; otherwise the library is paused until somebody enables it |
//! | 16, 21 (a door is open, it is off line) | it is opened anew: nothing moves until it says that it is ready |
//! | 22 (a drive is off line) | it is read again, and a drive of which it says so is not used |
//! | of a drive 20, 21 (clean it) | it is to be cleaned. So it is when it remarks 00/17, or the library says 80/01 of its element |
//!
//! # A drive that is to be cleaned
//!
//! A cleaning (RSM: `CleanNtmsDrive`) takes the cartridge in the cleaner's slot, else any that is known as one or whose label begins
//! with `CLN`, and waits until the drive is empty. Its use is counted when the cartridge is in the drive, once, also across a power
//! loss; one that the drive calls used up is marked, and the next one is tried. When there is none, a person is asked, and the
//! request waits. The drive is asked until it has ejected the cartridge, at most for [`Timing::cleaning`]; one that cannot be asked
//! has five minutes. A stop leaves the drive as it is, and a request of the manager's own brings the cartridge home.
//!
//! When a drive has let go of a medium it is asked whether it wants to be cleaned (log page 11h, else TapeAlert). One that does is
//! cleaned by a request of the manager's own: when it is idle, or, where it says that it must be, before any other mount uses it. An
//! administrator who enables the drive lets it serve all the same. One that asks again within six hours of a cleaning is left alone.
//!
//! # The store fails
//!
//! After an error from a commit nothing more is committed, so no move is begun and no request ends:
//!
//! - [`EventKind::StoreFailed`](crate::EventKind::StoreFailed) is told;
//! - whoever waits hears [`RequestError::StoreFailed`](crate::RequestError::StoreFailed), [`Refusal::Store`](crate::Refusal::Store)
//!   or [`CancelError::Store`](crate::CancelError::Store);
//! - a move in flight goes on in the library. Its intent is durable.
//!
//! Put the disk right and open the manager anew: what the store then holds is the truth, and open motions are looked into.
//! A damaged file is told when it is opened, or when the record is read, by [`StoreError`](crate::store::StoreError). Files
//! of up to 256 MiB are verified whole when they are opened, in about a millisecond for each megabyte; larger ones are trusted, and on
//! some damage that was not found the process may end. [Purging](super::operating#the-past) keeps them small.

#[cfg(all(doc, feature = "redb"))]
use crate::store::RedbStore;
#[cfg(doc)]
use crate::{FailureKind, Place, RestartPolicy, Session, Timing, Waiting, store::MemoryStore};
