//! How a library is named, reached and owned, and what can be wrong with it.
//!
//! # Device URLs
//!
//! | URL | what | feature |
//! |---|---|---|
//! | `sim:`, `sim:slots=40,drives=4` | a [simulated library](#simulated-libraries) in this process | `sim` (default) |
//! | `iscsi://[user%secret@]host[:3260]/target/lun` | a logical unit of an [iSCSI target](#iscsi) | `iscsi` (default) |
//! | `sg:/dev/sg3` | a device that the Linux kernel knows; any path to it will do, `/dev/tape/by-id/…` also | `sg` (default, Linux) |
//!
//! [`DeviceUrl`] is the parsed form. It and all messages show a URL without its secret. A wrong URL is told by
//! [`open`](crate::ManagerBuilder::open); nothing is connected before the first command.
//!
//! # A library and its drives
//!
//! ```
//! use autochanger::LibraryConfig;
//!
//! let library = LibraryConfig::new("iscsi://backup%secret@vtl.example/iqn.2026-01.example:lib/0")
//!     .name("the vault's library")
//!     .drive(500, "iscsi://backup%secret@vtl.example/iqn.2026-01.example:lib/1");
//! ```
//!
//! The way to a drive is for three things: to wait until it is ready after a move, to have it unload before one, and to be
//! [handed to the caller](crate::Mounted::transport). Without it a mount ends with its move.
//!
//! | drives given | where ways are looked for |
//! |---|---|
//! | none | the other logical units of the changer's target, at most 128, that say in INQUIRY that they are tape drives |
//! | some, by [`drive`](LibraryConfig::drive), [`drive_by_serial`](LibraryConfig::drive_by_serial) or [`drive_transport`](LibraryConfig::drive_transport) | those first; where they are fewer than the library's drives, also as above |
//!
//! Element and way are put together, in this order: as configured; equal serial numbers (READ ELEMENT STATUS with DVCID beside
//! VPD page 80h); one serial number that is a part of the other, from eight characters on; one that the report has cut; the only
//! element and the only way that are left, where the library does not tell the element's full serial number. What stays
//! ambiguous stays apart. [`Session::drives`](crate::Session::drives) shows what was found.
//!
//! # Simulated libraries
//!
//! The options stand after `sim:`, with commas between them.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `name` | the same name is the same library within the process | a library of its own |
//! | `slots`, `drives`, `ports`, `arms` | elements of each type | 24, 2, 4, 1 |
//! | `cartridges` | how many, `VT0001L8` and on, from the first slot | 20, or the number of slots |
//! | `profile` | times: `none`, `autoloader`, `midrange`, `enterprise` | `none` |
//! | `scale` | virtual seconds per second | 1 |
//! | `seed` | of the times' variation | 0 |
//! | `serial` | the changer's serial number | `SIM-` and the name, else one of its own |
//! | `quirks` | [habits](super::quirks) of real devices: `quirks=no-dvcid+ghost-slots:4` | none |
//! | `lun` | 0 is the changer, `n` the `n`-th drive | 0 |
//! | `port` | the target port to come through; each is a [path](#several-paths) of its own | 0 |
//!
//! More can be made in code: [`testing`](super::testing).
//!
//! # iSCSI
//!
//! | part of the URL | |
//! |---|---|
//! | `user%secret` | CHAP: this side proves the secret. A target that wants none is used as well |
//! | `user%secret%user2%secret2` | the target must prove the second secret, which is another one, in turn; one that cannot is not used |
//! | host | a name, an IPv4 address, or an IPv6 address in brackets, with its interface where it is link-local (`[fe80::1%eth0]`) |
//! | port | 3260 unless given |
//! | target | begins with `iqn.`, `eui.` or `naa.`; 223 characters at most |
//! | lun | 0 to 16383 |
//! | `?digests=require` | `accept` (where the target wants them, which is how it is unless said), `prefer`, `require` or `refuse` header and data digests |
//! | `?keep_alive=30` | seconds of silence before a sign of life is asked for, and how long it may take |
//! | `?connect_timeout=10` | seconds for connecting and logging in together |
//! | `?initiator=iqn.2026-01.example:host` | the name of this side, for a target's access list |
//!
//! Several options are joined by `&`. A secret may hold any character but `%` and control characters; the last `@` ends it.
//! [`IscsiUrl::with_login`](crate::transport::IscsiUrl::with_login) takes a `%`, too, and
//! [`LibraryConfig::device`](crate::LibraryConfig::device) such a URL.
//!
//! - One connection serves all logical units of a target. A drive that is configured by a URL shares the changer's where the two
//!   differ in nothing but the unit; another login or other options make it a connection of its own.
//! - It is made by the first command, and anew by the first command after it was lost. **No command is ever sent again by
//!   itself.** What was in flight is [*outcome unknown*](TransportError::OutcomeUnknown), what had not left is
//!   [*not sent*](TransportError::NotSent).
//! - The initiator's name, for the target's access lists, is [`initiator_name`](crate::transport::iscsi::initiator_name): made of the
//!   machine's id, so that no two machines share it, and the same at each start. Machines without an id (`/etc/machine-id`, as in many containers) share
//!   one: give each a name of its own, by the URL's `?initiator=` or [`initiator`](crate::transport::IscsiTransport::initiator), or targets
//!   take them for one.
//! - Header and data digests (CRC32C) are used where the target wants them, or as
//!   [`digests`](crate::transport::IscsiTransport::digests) says. [`discover`](crate::transport::iscsi::discover) lists a portal's
//!   targets. A login that is redirected is followed, four times at most; for good, and it is remembered as long as somebody is there.
//! - Where a name has several addresses the next one is tried beside one that does not answer.
//! - CHAP is by MD5, and nothing is encrypted: use it in networks that are trusted.
//!
//! ```
//! # #[cfg(feature = "iscsi")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use autochanger::transport::{DeviceUrl, IscsiUrl};
//!
//! let url: IscsiUrl = "iscsi://me%secret%lib%theirs@[::1]/iqn.2026-01.example:lib/0".parse()?;
//! assert_eq!((url.host(), url.port(), url.user()), ("::1", 3260, Some("me")));
//! assert_eq!(DeviceUrl::from(url).to_string(), "iscsi://me@[::1]:3260/iqn.2026-01.example:lib/0");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "iscsi"))]
//! # fn main() {}
//! ```
//!
//! # States of a library
//!
//! [`open`](crate::ManagerBuilder::open) waits for no library. [`Manager::ready`](crate::Manager::ready) does.
//!
//! | [`LibraryState`](crate::view::LibraryState) | why | tried again |
//! |---|---|---|
//! | `Initializing` | it is being identified and read | – |
//! | `Ready` | it serves requests; it stays so while it is taken over to [another path](#several-paths) | – |
//! | `NotPresent` | it cannot be reached: [`Unreachable`](PathFaultKind::Unreachable), [`ConnectionLost`](PathFaultKind::ConnectionLost), [`TimedOut`](PathFaultKind::TimedOut), [`Denied`](PathFaultKind::Denied), [`NotServing`](PathFaultKind::NotServing) | yes, with growing pauses |
//! | `Unusable`: [`InUse`](LibraryError::InUse) | another manager owns it, by the lock or by a reservation, or the lock cannot be made | yes |
//! | `Unusable`: [`PathMismatch`](LibraryError::PathMismatch) | two paths lead to two libraries | yes |
//! | `Unusable`: [`Unfit`](LibraryError::Unfit) | it is not ready, or answers what a changer must not | yes |
//! | `Unusable`: [`NotAChanger`](LibraryError::NotAChanger) | the URL leads to a disk or a tape; the message names the changer's logical unit where the target has one | no: open the manager anew |
//! | `Unusable`: [`Path`](LibraryError::Path) | a wrong secret, target name or logical unit, a setting that both sides do not share, a broken protocol | no; yes once it has been `Ready` |
//! | `Unusable`: [`Twice`](LibraryError::Twice) | the same library is configured twice | no |
//!
//! # One owner
//!
//! A library is claimed before anything but INQUIRY is sent to it, by a lock on a file that is named for the changer:
//! `autochanger-<vendor>-<product>-<serial>.lock`. A changer without a serial number is known by its configured name.
//!
//! - The directory is `/run/lock` where it can be written, else the one for temporary files.
//!   [`lock_directory`](crate::ManagerBuilder::lock_directory) gives another; all managers that can reach a library must use
//!   the same one.
//! - The lock ends with the manager or its process, however that ends. A manager that ends by itself takes the file away; one
//!   that a killed process left means nothing.
//! - A second manager, also in the same process, gets [`ClaimError::InUse`](crate::ClaimError::InUse) with the process id. It tries
//!   again, and takes over when the first is gone.
//! - It is a lock on one machine. What keeps managers on other machines out is the reservation.
//!
//! ## The reservation
//!
//! After the lock the library itself is reserved, where it offers that: PERSISTENT RESERVE OUT (SPC-4 6.16), of the type
//! *exclusive access, registrants only*, under the key of this manager's owner. All paths of one manager register the same key, and all
//! that are registered may work; *all registrants* would make a holder of anyone who registers, and plain *exclusive access*
//! would shut our own other paths out. Until it is ours a library is sent nothing but INQUIRY and the commands of the reservation.
//!
//! | [`reservation`](LibraryConfig::reservation) | |
//! |---|---|
//! | [`WhereOffered`](crate::Reservation::WhereOffered) | the default. A device that answers ILLEGAL REQUEST (tgt and many autoloaders) is owned by the lock alone; [`LibraryInfo::reserved`](crate::view::LibraryInfo::reserved) tells |
//! | [`Required`](crate::Reservation::Required) | such a device is [`Unfit`](LibraryError::Unfit) |
//! | [`Never`](crate::Reservation::Never) | the device is not asked |
//!
//! - The key stands for the *owner*, not the process: this machine (its `/etc/machine-id` and name) and the lock directory. Within
//!   these the lock keeps a second manager out, so whatever is registered under that key is left from a manager that is gone, and is taken
//!   over without a word. [`owner`](crate::ManagerBuilder::owner) gives another name, for machines that stand in for each other. On a
//!   machine without an id (many containers) an id of the lock directory's own takes its place, kept there in
//!   `autochanger-owner`: it lasts as long as the directory does, so a container that is made anew, or a machine that starts again, is another
//!   owner, unless it is given a name. Where none can be kept there the key is made of what the store keeps, and with a store in memory
//!   whatever is left reserved is known again by nobody.
//! - What leaves a reservation behind: a crash, a kill, and also a `main` that returns an ordinary error without having awaited
//!   [`shutdown`](crate::Manager::shutdown), since a manager that is dropped gives it back in the background and the runtime ends at once.
//! - Another owner's reservation is [`ClaimError::Reserved`](crate::ClaimError::Reserved), with its key and, where the device tells, its
//!   initiator. The library is tried again with growing pauses, and is taken when it was given back.
//! - Nothing is preempted unless [`take_over`](LibraryConfig::take_over) says so: then once, at the first opening, and told by
//!   [`EventKind::TookOver`](crate::EventKind::TookOver). For an owner that is gone for good.
//! - A manager that is shut down gives the reservation back, for at most 5 s, unless something moves: then it stays, and the next
//!   manager of the same owner sees what became of the motion. A process that is killed leaves it behind.
//! - RESERVATION CONFLICT, the unit attentions 2A/03 to 2A/05, a reset or a power-on make it doubtful: it is looked at
//!   again before anything else is sent, and made anew where it was lost. When it is another's by then the library is `Unusable`, and what
//!   was moving stays open until it is ours again: nothing is concluded of somebody else's library.
//! - It is not asked to outlive a power cycle of the library (APTPL): that is how a person frees one without any manager.
//! - It covers the changer, not its drives, and keeps out other *initiators*: a program on this machine that goes through the same host
//!   adapter is the same initiator. Other programs may still look; what they move is refused.
//!
//! # Several paths
//!
//! ```
//! use autochanger::LibraryConfig;
//!
//! let library = LibraryConfig::new("sg:/dev/tape/by-path/pci-0000:05:00.0-changer")
//!     .path("sg:/dev/tape/by-path/pci-0000:06:00.0-changer");
//! ```
//!
//! Control paths, a second port, two portals: up to [`MAX_PATHS`](crate::MAX_PATHS), in the order of preference. One is in use.
//!
//! - **They must lead to one library**: INQUIRY, serial number (VPD page 80h) and identifiers (83h) are held against each other, and where
//!   they differ the library is [`PathMismatch`](LibraryError::PathMismatch), which names both. So it is where neither page tells
//!   anything. The first opening waits for all paths, and bears with those that do not work.
//! - **A path is left** when its transport fails, after the usual questions, or when the device says that it does not serve there: 02/04/0A to
//!   0C (asymmetric access), 02/04/12 (a fail-over port), 0B/08/00. Each other path is tried once, at once; when none works the
//!   library is `NotPresent`, with what is wrong with each, and all are tried again with growing pauses.
//! - **Looked at before acted on**: over the new path the library is identified, reserved and read as at an opening. A motion whose
//!   command went the old way is settled there by [looking](super::recovery#when-not-moved-is-concluded), and never sent again before it
//!   is known not to have happened. Requests are accepted all the while.
//! - **No fail-back**: a path that works is not left for a preferred one that came back, since each change costs a reading. The preferred
//!   one is used when the active one is lost, or all of them were.
//! - Paths in reserve are asked who they are every 5 minutes, and carry the reservation's key. [`EventKind::Path`](crate::EventKind::Path) tells
//!   of each change, and [`LibraryInfo::paths`](crate::view::LibraryInfo::paths) how they stand.
//! - Drives behind the changer's target come with the path and are found again behind the new one; a mount that waits for one goes on
//!   there. A drive with a URL of its own has one path.
//!
//! # A transport of your own
//!
//! A [`Transport`] carries commands to one logical unit and nothing more. What it owes:
//!
//! 1. It never sends a command twice, also not after a reconnect or an interrupted system call.
//! 2. CHECK CONDITION is an `Ok`. An error says whether the device can have seen the command.
//!    [`NotSent`](TransportError::NotSent) where it cannot, and in no other case: the manager may send it again.
//! 3. When [`Command::timeout`](crate::transport::Command::timeout) has passed it answers *outcome unknown*. The device goes on.
//! 4. A dropped future abandons the answer, not the command.
//! 5. [`device`](Transport::device) holds no secret.
//!
//! A panic in a transport leaves its command in doubt, and the manager goes on.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use async_trait::async_trait;
//! use autochanger::transport::{Command, Completion, Limits, Transport, TransportError, sim};
//! use autochanger::{LibraryConfig, Manager};
//!
//! /// Prints each command on its way.
//! struct Traced(Arc<dyn Transport>);
//!
//! #[async_trait]
//! impl Transport for Traced {
//!     async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
//!         println!("{} {:02x?}", self.device(), command.cdb.as_bytes());
//!         self.0.execute(command).await
//!     }
//!     fn limits(&self) -> Limits {
//!         self.0.limits()
//!     }
//!     fn device(&self) -> &str {
//!         self.0.device()
//!     }
//!     fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
//!         Some(Arc::new(Traced(self.0.sibling(lun)?)))
//!     }
//! }
//!
//! let library = sim::SimulatedLibrary::start(sim::Library::new().cartridges("VT{:04}L8", 1..=20));
//! let config = LibraryConfig::transport("vault", Arc::new(Traced(library.transport())));
//! let manager = Manager::builder().library(config).open().await?;
//! manager.ready().await?;
//! let tape = manager.session("nightly-backup").open()?.mount("VT0001L8").await?;
//! assert!(tape.transport().is_some());
//! # tape.dismount().await?;
//! # manager.shutdown().await;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! [`sibling`](Transport::sibling) is how drives are found; [`manage`](Transport::manage) (abort, reset) is for callers, the manager
//! does not use it. [`os_device`](Transport::os_device) is what [`Mounted::os_device`](crate::Mounted::os_device) gives: `/dev/nstN` for
//! a drive that is reached through the kernel.
//!
//! # Through the Linux kernel
//!
//! `sg:` goes through the kernel's SCSI generic driver; the user needs to read and write `/dev/sgN` (commonly the group `tape`; where it may not, [`Denied`](PathFaultKind::Denied) names
//! file and group). One
//! thread per device carries commands, by `write` and `read`: whatever interrupts it, a signal, Ctrl-Z, a debugger, no command is
//! sent twice. `ioctl(SG_IO)`, which most tools use, does send a move twice then; the tests show it on a real kernel.
//!
//! The drives of a changer are found behind its own target and, where they are elsewhere on the machine, by the serial numbers that
//! the library reports. A drive that nobody named is taken only for an equal serial number. A unit is followed by its serial
//! number: when `/dev/sg3` has become somebody else's, commands are *not sent*. `max_transfer=BYTES` after a `?` bounds a transfer
//! where a host adapter takes less than it says; `in_flight=COMMANDS`, beside it after `&`, lets so many commands be in flight at once, each in a thread of its own, for libraries that
//! work on more than one.
//!
//! # What is sent, and when
//!
//! | when | to the changer | to its drives |
//! |---|---|---|
//! | opening, after its way was lost, and when it says that it is not what it was | INQUIRY, PERSISTENT RESERVE IN and OUT, then TEST UNIT READY, MODE SENSE (1Dh, 1Fh), REPORT SUPPORTED OPERATION CODES, READ ELEMENT STATUS, REPORT LUNS | INQUIRY |
//! | mount | MOVE MEDIUM | TEST UNIT READY until it is ready; INQUIRY after an attention; LOAD UNLOAD (load), once, where it says that it wants to be told; when it is ready with its first medium REPORT SUPPORTED OPERATION CODES |
//! | dismount | MOVE MEDIUM, or EXCHANGE MEDIUM where [`exchange`](LibraryConfig::exchange) says so | INQUIRY, whether it is the drive that it was, and LOAD UNLOAD; by force PREVENT ALLOW MEDIUM REMOVAL. When it has let go of its medium LOG SENSE, whether it wants to be cleaned: page 11h, else 12h, else 2Eh (TapeAlert) |
//! | cleaning | MOVE MEDIUM | TEST UNIT READY until it is done, then LOG SENSE (12h, 2Eh) |
//! | identification, a free label, a mount with [`Verify::Label`](crate::Verify::Label) | MOVE MEDIUM | as a mount; REWIND, READ(6); for a free label WRITE(6), WRITE FILEMARKS, and both again to read it back; INQUIRY before each |
//! | eject, inject | MOVE MEDIUM; OPEN/CLOSE IMPORT/EXPORT ELEMENT; READ ELEMENT STATUS of the ports while somebody is waited for | LOAD UNLOAD where it is in a drive |
//! | ports that are to be [locked](LibraryConfig::lock_ports), and the unlocking for a person | PREVENT ALLOW MEDIUM REMOVAL | – |
//! | door access | PREVENT ALLOW MEDIUM REMOVAL, then TEST UNIT READY until it was open and is closed | – |
//! | inventory, or after a unit attention | READ ELEMENT STATUS, last with DVCID; in full INITIALIZE ELEMENT STATUS first | INQUIRY, of one that says that its inquiry data changed or that it was switched on |
//! | each minute, and each 15 minutes, while nobody wants anything | READ ELEMENT STATUS of the ports, and of everything | – |
//! | shutting down | PERSISTENT RESERVE OUT | – |
//! | every 5 minutes, on paths in reserve | INQUIRY | – |
//! | a move in doubt | TEST UNIT READY, READ ELEMENT STATUS of its elements | – |
//! | a failure is foretold (5D), or the library's mechanics failed | LOG SENSE (2Eh) | LOG SENSE (12h), of the one that foretold it |
//!
//! Where sense data does not come with its status, REQUEST SENSE asks for it. What libraries do otherwise than the standard says, and
//! what is sent then, is in the chapter on [quirks](super::quirks).
//!
//! A drive with a mounted medium is sent nothing unasked, but for that INQUIRY when its library comes back, and page 12h if it foretold a
//! failure when it became ready. The log page 2Eh is read
//! last, of a drive that has neither of the others, and after a cleaning: reading it takes the alerts back from whoever would read them next. One
//! command at a time is in flight to a drive, and as many to the changer as
//! [`moves_in_flight`](LibraryConfig::moves_in_flight) says.
//!
//! # Errors by kind, and whose fault
//!
//! | error | of | the request |
//! |---|---|---|
//! | [`OpenError`](crate::OpenError), [`UrlError`] | opening a manager | – |
//! | [`ReadyError`](crate::ReadyError) | waiting for libraries | – |
//! | [`SessionError`](crate::SessionError) | opening a session | – |
//! | [`SubmitError`](crate::SubmitError) with a [`Refusal`](crate::Refusal) | handing in | nothing was kept of it |
//! | [`RequestError`](crate::RequestError) | waiting for a request | ended, or its end is not known here |
//! | [`CancelError`](crate::CancelError) | a cancel | as it was |
//! | [`AdoptError`](crate::AdoptError) | adopting | as it was |
//! | [`OperatorError`](crate::OperatorError) | saying that a person is done | as it was |
//! | [`ReorderError`](crate::ReorderError) | another place in the queue | as it was |
//! | [`PurgeError`](crate::PurgeError) | purging | nothing is gone, unless the store failed in the midst of it |
//! | [`QueryError`](crate::QueryError) | looking | – |
//! | [`Error`](crate::Error) | any of them, for `?` | – |
//!
//! A request that failed carries a [`Failure`](crate::Failure): a kind to match on, words with the names of cartridge, elements and
//! library, the device's sense data, and the cartridge's place. [`FailureKind::fault_of`] says whose fault it is,
//! [`FailureKind::advice`] what to do, with which its text ends.
//!
//! | [`FaultOf`](crate::FaultOf) | kinds |
//! |---|---|
//! | `Caller` | [`Incompatible`](FailureKind::Incompatible), [`Refused`](FailureKind::Refused), [`NotMounted`](FailureKind::NotMounted), [`MediaOpen`](FailureKind::MediaOpen), [`Disabled`](FailureKind::Disabled), [`Busy`](FailureKind::Busy), [`Group`](FailureKind::Group), [`TimedOut`](FailureKind::TimedOut), [`NoCleaner`](FailureKind::NoCleaner), [`NotFree`](FailureKind::NotFree), [`WriteProtected`](FailureKind::WriteProtected), [`CleanerSlotTaken`](FailureKind::CleanerSlotTaken), [`CleanerSlotMissing`](FailureKind::CleanerSlotMissing), [`CleanerInSlot`](FailureKind::CleanerInSlot) |
//! | `Medium` | [`MediumFault`](FailureKind::MediumFault), [`WrongLabel`](FailureKind::WrongLabel) |
//! | `Drive` | [`DriveFault`](FailureKind::DriveFault), [`MediumHeld`](FailureKind::MediumHeld) |
//! | `Library` | [`SourceEmpty`](FailureKind::SourceEmpty), [`DestinationFull`](FailureKind::DestinationFull), [`NotAccessible`](FailureKind::NotAccessible), [`LibraryFault`](FailureKind::LibraryFault), [`CartridgeMissing`](FailureKind::CartridgeMissing) |
//! | `Path` | [`PathLost`](FailureKind::PathLost), [`Unknown`](FailureKind::Unknown) |
//! | `Store` | [`Store`](FailureKind::Store) |
//! | `Host` | [`Interrupted`](FailureKind::Interrupted) |
//!
//! ```
//! use autochanger::{FailureKind, FaultOf};
//!
//! assert_eq!(FailureKind::MediumHeld.fault_of(), FaultOf::Drive);
//! assert_eq!(FailureKind::Unknown.fault_of(), FaultOf::Path);
//! assert_eq!(FailureKind::Interrupted.fault_of(), FaultOf::Host);
//! ```
//!
//! A fault of the way is a [`PathFault`](crate::PathFault) with a [`PathFaultKind`], the device's URL without its secret, and
//! [what to do](crate::PathFault::advice).

#[cfg(doc)]
use crate::{
    FailureKind, LibraryConfig, LibraryError, PathFaultKind,
    transport::{DeviceUrl, Transport, TransportError, UrlError},
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::{FailureKind, FaultOf};

    const CHAPTER: &str = include_str!("devices.rs");

    /// The kinds of failure in the row of whose fault they are.
    fn row(of: FaultOf) -> BTreeSet<String> {
        let head = format!("//! | `{of:?}` | ");
        let row = CHAPTER.lines().find_map(|line| line.strip_prefix(&*head));
        let row = row.unwrap_or_else(|| panic!("{of:?} has no row"));
        row.split("](FailureKind::")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap_or(rest).to_owned())
            .collect()
    }

    #[test]
    fn every_kind_of_failure_is_in_the_row_of_whose_fault_it_is_and_in_no_other() {
        for of in FailureKind::ALL.iter().map(|kind| kind.fault_of()) {
            let kinds = FailureKind::ALL.iter().filter(|kind| kind.fault_of() == of);
            assert_eq!(
                row(of),
                kinds.map(|kind| format!("{kind:?}")).collect(),
                "the row of {of:?} (left) and the code"
            );
        }
    }

    #[test]
    fn every_error_of_a_call_is_in_the_table() {
        let errors = include_str!("../error.rs");
        let (_, any) = errors.split_once("pub enum Error {").expect("it is there");
        for line in any.lines().filter_map(|line| line.trim().strip_prefix("/// See [`")) {
            let name = line.split('`').next().unwrap_or(line);
            // What is no call of its own is told by the others.
            let told =
                ["SessionClosed", "StoreError"].contains(&name) || CHAPTER.contains(&format!("[`{name}`]"));
            assert!(told, "{name} is in no table");
        }
    }
}
