//! Every default, bound and time-out.
//!
//! The values of what can be set are held to this page by the [example](#held-to-the-code) at its end.
//!
//! # The manager
//!
//! | what | value | set by | why |
//! |---|---|---|---|
//! | store | memory | [`store`](ManagerBuilder::store), [`store_with`](ManagerBuilder::store_with) | a first program needs no file. Give one: in memory nothing outlives the process |
//! | restart policy | [`Resume`](RestartPolicy::Resume) | [`restart`](ManagerBuilder::restart) | a dismount that was accepted is still wanted |
//! | clock | the system's | [`clock`](ManagerBuilder::clock) | |
//! | lock directory | `/run/lock`, else the one for temporary files | [`lock_directory`](ManagerBuilder::lock_directory) | where other managers on the machine look |
//! | owner | this machine and the lock directory | [`owner`](ManagerBuilder::owner) | whom the [reservation](super::devices#the-reservation) is known by after a crash |
//! | giving libraries back at the end | 5 s | – | two short commands each; what stays is the same owner's again |
//! | live requests | 100,000 ([`DEFAULT_MAX_LIVE_REQUESTS`]) | [`max_live_requests`](ManagerBuilder::max_live_requests) | some 50 MB, and more than a library works off in a month |
//! | open verdicts, followers of one end, look-ups | 4,096 each ([`DEFAULT_MAX_PENDING_CANCELS`]) | [`max_pending_cancels`](ManagerBuilder::max_pending_cancels) | verdicts wait for moves in flight, of which there are as many as arms |
//! | a request is kept after its end | 72 h ([`DEFAULT_PURGE_AFTER`]) | [`purge_after`](ManagerBuilder::purge_after) | a long weekend. It goes with the next sweep, an hour later at most; with what it kept mounted or in doubt, up to a day later |
//! | … one that failed | for ever | [`purge_failed`](ManagerBuilder::purge_failed) | somebody may want to look into it |
//! | the first sweep; the next ones | 10 s after the start; every hour | – | a program that runs for minutes a night gets to it, too |
//! | requests that one step of a sweep looks at | 256, and 50 ms of rest | – | it is made when nobody waits for the store; who comes just then waits for some two milliseconds, and a sync |
//! | worth of a point of priority | 10 min ([`DEFAULT_PRIORITY_WORTH`](crate::DEFAULT_PRIORITY_WORTH)) | [`priority_worth`](ManagerBuilder::priority_worth) | the lowest priority is served at the latest when it has waited five hours longer than the highest: within a night |
//! | libraries; drives named for one | 65,535 each | – | they are numbered with 16 bits |
//! | [`ready`](crate::Manager::ready) bears with a library that cannot be reached | 10 s ([`READY_PATIENCE`]) | [`ready_within`](crate::Manager::ready_within) | longer than a target's restart, shorter than a person waits without a word |
//! | … with one that is being identified | no bound | `ready_within` | a library can take long to come up |
//! | application's name | 1 to 256 bytes ([`APPLICATION_NAME_MAX`]) | – | it is kept with each request |
//! | role | [`Operator`](crate::Role::Operator) | [`role`](crate::SessionBuilder::role) | what others asked for is controlled only by who says so |
//!
//! # A library
//!
//! | what | value | set by | why |
//! |---|---|---|---|
//! | name | the changer's URL without its secret | [`name`](LibraryConfig::name) | |
//! | moves at once | 1 | [`moves_in_flight`](LibraryConfig::moves_in_flight) | one arm is the rule; a library that answers a move when the drive is ready takes *(move + load) / move* for each arm; never more than its paths carry commands: `sg:` one, or what `in_flight` in its URL says |
//! | intents made ahead while all arms work | 1 | – | the arm's next move is ready when it is free |
//! | times and zones | 15 s a move, LTO drives as their maker tells, no zones | [`costs`](LibraryConfig::costs) | what is measured goes before them; a slot's address does not tell how near it is |
//! | exchange | no | [`exchange`](LibraryConfig::exchange) | libraries claim EXCHANGE MEDIUM without having it |
//! | paths | one | [`path`](LibraryConfig::path) | see [several paths](super::devices#several-paths) |
//! | reservation | where offered | [`reservation`](LibraryConfig::reservation) | managers on other machines are kept out |
//! | taking it from another owner | no | [`take_over`](LibraryConfig::take_over) | the other one may live |
//! | dwell of a deferred dismount | 0 s | [`dwell`](LibraryConfig::dwell) | whoever needs the drive does not wait for a medium that may be wanted again |
//! | mounts of one group | 64 | – | more drives than this serve no one job |
//! | ports locked | no | [`lock_ports`](LibraryConfig::lock_ports) | a manager that dies would leave them locked |
//! | INITIALIZE ELEMENT STATUS at start | only where the library says that it does not serve without | [`initialize_at_start`](LibraryConfig::initialize_at_start) | it stalls a large library for an hour, for all its hosts |
//! | by what a mounted medium is known | the barcode | `verify` | reading the label costs a rewind and a read for each mount |
//! | how an inventory is made | READ ELEMENT STATUS | [`inventory_method`](LibraryConfig::inventory_method) | a scan stalls every host, labels cost a load each |
//! | labels read at once by an inventory | all drives but one, at least one | – | whoever comes meanwhile finds a drive |
//! | inventory after a mount that hardware or a wrong label failed | yes | `auto_recovery` | the picture that led there is in doubt; it is one READ ELEMENT STATUS, and no scan |
//! | unload before the move | yes, where a way to the drive is known | [`unload_before_move`](LibraryConfig::unload_before_move) | the drive rewinds while the arm does something else |
//!
//! # Time-outs
//!
//! All are in [`Timing`], for each library, set by [`LibraryConfig::timing`]. **Round up, never down**: a move that exceeds its
//! time-out is in doubt, and to clear the doubt costs time. Devices queue commands behind motions, those of other hosts too. While a
//! move of ours has no answer yet, each other command to the changer is given what is left of the move's time beside its own. Where a
//! changer or a drive recommends a longer time for a command of its (REPORT SUPPORTED OPERATION CODES), that holds, up to 4 h, unless
//! [`recommended`](Timing::recommended) says no.
//!
//! | field | default | of | why so long |
//! |---|---|---|---|
//! | [`status`](Timing::status) | 60 s | TEST UNIT READY, INQUIRY, MODE SENSE, REPORT LUNS, PREVENT | makers recommend 10 to 30 s |
//! | [`element_status`](Timing::element_status) | 5 min | READ ELEMENT STATUS; and how long a device may say that it is busy or coming ready before a question is given up | some libraries use the robot for it; what other software allows |
//! | [`motion`](Timing::motion) | 30 min | MOVE MEDIUM; a doubtful move is not taken for *not moved* before | a maker recommends 25 min for a move out of a drive that unloads first |
//! | [`initialize`](Timing::initialize) | 60 min | INITIALIZE ELEMENT STATUS, at least: half a minute and 16 s for each element, up to 4 h. It is not sent again when that is over | a large library scans for most of an hour; one that is broken off begins anew |
//! | [`port`](Timing::port) | 10 min | OPEN/CLOSE IMPORT/EXPORT ELEMENT | a tray moves; what makers recommend |
//! | [`drive_log`](Timing::drive_log) | 3 min | LOG SENSE to drives, and of a changer's alerts | an LTO-9 drive may take more than one; broken off, it can lose the end of its data |
//! | [`unload`](Timing::unload) | 16 min | LOAD UNLOAD | the longest that LTO drives' makers give is 960 s |
//! | [`unload_settle`](Timing::unload_settle) | 0 | from the end of LOAD UNLOAD to the move | most drives answer when they have let go; some robots pull before, and can do harm |
//! | [`drive_ready`](Timing::drive_ready) | 5 min | from the move's end to a ready drive | loading and threading take half a minute; drives lag behind |
//! | [`drive_calibration`](Timing::drive_calibration) | 2 h 15 min | the same while the drive says that it is coming ready | LTO-9 calibrates a new medium for up to 2 h |
//! | [`cleaning`](Timing::cleaning) | 15 min | the longest that a drive may clean itself | LTO drives take two to three minutes; what takes five times as long will not end |
//! | [`retry_min`](Timing::retry_min) | 1 s | the first pause before trying again; it doubles | |
//! | [`retry_max`](Timing::retry_max) | 30 s | the longest pause | a library that comes back is noticed within half a minute |
//! | [`port_poll`](Timing::port_poll) | 5 s | the pause between two looks at the ports, or at the door, while somebody waits there; what was due at the ports so long and found no moment without a move gets one | a person hardly notices, and a library reads its ports in milliseconds |
//! | [`port_timeout`](Timing::port_timeout) | 30 min | from the asking, and from each cartridge that came, to the end of an inject or of an eject that waits for a port (RSM: `MaxExtendSecs`) | time to walk to the library and back |
//! | [`door_timeout`](Timing::door_timeout) | 30 min | from the asking until a request for the door goes on by itself | many libraries never tell of their doors |
//! | [`door_patience`](Timing::door_patience) | 10 min | how long a door is open before a person is asked to close it (RSM: `MaxOpenSecs`) | nothing moves meanwhile |
//! | [`refresh_ports`](Timing::refresh_ports) | 60 s; `None`: never | between two looks at the ports of a library that nobody asks for anything | other programs can hear what a library tells of hands, and not every library tells |
//! | [`refresh_all`](Timing::refresh_all) | 15 min; `None`: never | the same, at everything | the same; a request that comes meanwhile waits for one question at most |
//!
//! A drive that is cleaned is looked at every 5 s. It counts as clean when it has let go of the cleaning cartridge; where it never
//! said that it had one, when it has said for 30 s that there is no medium in it; where it cannot be asked, after 5 min. On a simulated library that takes no time use a [clock](crate::clock) that a test moves, or a scaled one.
//!
//! Pauses and deadlines run by the manager's [clock](crate::clock). A command's time-out runs by the transport's: tokio's for
//! iSCSI, virtual time for a simulated library, the kernel's for `sg:`. When one expires, the manager aborts and resets nothing; a kernel does:
//! it aborts the command and, where that does not help, resets ever more of the bus, so that time-outs of motions are long.
//!
//! The pauses between looks at a drive are 0.25 s in the first second, 1 s until 30 s have passed, 2 s until two minutes have, and then 5 s.
//!
//! # Trying again
//!
//! | what | how often | note |
//! |---|---|---|
//! | a move that is known not to have happened | 5 attempts | each with an intent of its own; pauses from `retry_min` to `retry_max` |
//! | looks that must agree on *not moved* | 2 | [`recovery`](super::recovery#when-not-moved-is-concluded) |
//! | looks without a clear picture, once the move is over | 5 | then *unknown* |
//! | a question after a lost answer or ABORTED COMMAND | 3 more | questions move nothing. None while a library is being identified: that is tried again as a whole |
//! | unit attentions before one answer | 16 | they come one at a time; devices queue up to ten or so |
//! | UNLOAD | 16 | after a unit attention, a lost answer, a busy drive; then the robot is left to try |
//! | paths of a library, when one fails | each once | then the library is not present, and all are tried again |
//! | looks at a doubtful reservation | 3 in a row | one for each attention of a change |
//! | commands that drives behind a path do not answer, before it is left | 3 | a mount waits for its drive where there is another path |
//! | reading or writing a label | 16 | each from the beginning of the tape, after a unit attention, a lost answer, a busy drive |
//! | a library that cannot be reached, is in use, or not fit | no bound | pauses from `retry_min` to `retry_max` |
//!
//! # Requests
//!
//! | what | value | set by | why |
//! |---|---|---|---|
//! | priority | 0, of −15 to 15 | [`priority`](crate::MountBuilder::priority) | RSM's range |
//! | deadline | none | [`deadline`](crate::MountBuilder::deadline) | |
//! | access | read and write | [`read_only`](crate::MountBuilder::read_only) | the stricter need |
//! | bound to the session | mounts: yes. Dismounts, inventories: no | [`detached`](crate::MountBuilder::detached) | what cleans up goes on |
//! | slot of a dismount | its home, else an empty one that is nobody's home, else an empty one | [`to`](crate::DismountBuilder::to) | |
//! | inventory | READ ELEMENT STATUS | [`full`](crate::InventoryBuilder::full) | a scan can stall the library for an hour |
//!
//! # Between sessions and engine
//!
//! | what | bound | full, then | why |
//! |---|---|---|---|
//! | submissions on their way | 1,024 | callers wait | keeps the engine busy, and memory small |
//! | cancels, adoptions, closings, questions on their way | 256 | callers wait | served first, so few ever wait |
//! | questions without an answer | 16,384; cancels, reorderings and adoptions 4,096 more | submissions wait in their lane; the others are refused | their answers wait for the store: it stands still |
//! | of those in a row before others get a turn | 64 | – | a caller that never pauses does not keep a move's end from being heard |
//! | questions to the store at once | 16 | callers wait | a history can hold megabytes |
//! | events a subscriber may lag behind | 4,096 | [`Lagged`](crate::Lagged) | |
//! | a line of a transcript | 1,000 bytes ([`LINE_MAX`]), 8 changes of a transaction | cut with `…`, counted | a log viewer and its reader |
//! | lines of a [`Recording`] | the newest 100,000 ([`RECORDING_MAX`]) | the oldest goes | some 30 MB |
//! | names of requests and of cartridges in a transcript | 65,536 each | the oldest request gets a new number, with its id; a cartridge one instead of its label | some megabytes in years |
//! | changes in one commit of the store | 8,192 | the next commit | bounds a transaction to a few megabytes |
//!
//! # Reading a library
//!
//! | what | value | why |
//! |---|---|---|
//! | bytes asked for at once | 65,535, or what the transport takes | some libraries read only 16 bits of the field |
//! | elements asked for at once | 1,000 | some libraries fail above |
//! | bytes of the first block of a tape | 32 KiB | labels are in the first bytes; what is longer is known by its beginning |
//! | formats of labels | 16 of the caller's | each looks at each block |
//! | logical units asked whether they are drives | 128 | |
//! | logical units asked for a hint to where the changer is | 16 | |
//! | paths to one changer | 8 ([`MAX_PATHS`](crate::MAX_PATHS)) | libraries have two to eight control paths |
//! | looks at paths in reserve | every 5 minutes | what fails in between is found out when it is needed |
//! | times that another drive answers within one request | 3 | the library was read in between, and such drives cannot be relied on |
//! | characters of a serial number that count as a part of another | 8 | fewer are no proof |
//!
//! # Stores
//!
//! | what | value | why |
//! |---|---|---|
//! | ended requests kept in memory | 100,000 ([`MemoryStore::MAX_ENDED`]) | a day of a library that never rests, in some 50 MB |
//! | requests that one purge deletes | 8,192 ([`Purge::MAX`]) | commits wait meanwhile |
//! | a file that is verified when it is opened | up to 256 MiB, a million ended requests | a start waits for a quarter of a second at most |
//! | ended requests kept in a file | those of [72 h](#the-manager), and all that failed; some 300 bytes each | the room of what is purged is used again |
//! | requests in one answer | 100 ([`HistoryFilter::DEFAULT_LIMIT`]), at most 10,000 ([`HistoryFilter::MAX_LIMIT`]) | the store answers nobody else meanwhile |
//! | a record read from a file | 64 KiB, names and texts 4,096 bytes each | what is longer is damaged, or not ours |
//! | pages kept in memory | 32 MiB | what is live fits many times over |
//! | sync | at each commit, which all that wait share | |
//!
//! # iSCSI
//!
//! | what | value | set by | why |
//! |---|---|---|---|
//! | port | 3260 | the URL | RFC 7143 |
//! | connecting and logging in | 10 s ([`CONNECT_TIMEOUT`]) | – | a target that needs longer serves nobody |
//! | silence before a ping, and time for its answer | 30 s each ([`KEEP_ALIVE`]) | [`IscsiTransport::keep_alive`] | a long move keeps its connection as long as the target answers |
//! | task management | 60 s ([`MANAGE_TIMEOUT`]) | – | |
//! | closing | 5 s ([`CLOSE_TIMEOUT`]) | – | to end what is in flight, and log out |
//! | commands in flight | 32, and what the target's window takes | – | one arm and a few drives |
//! | commands that wait for their turn | 256 ([`MAX_WAITING`]), then callers wait | – | more than a changer is ever asked at once |
//! | data of one command | 16 MiB less one byte | – | 24-bit lengths |
//! | a command's time-out | runs twice: until it can be sent, and anew from its sending | [`Timing`] | only the second leaves doubt |
//!
//! # Simulated libraries
//!
//! | what | value | why |
//! |---|---|---|
//! | commands in flight on one path | 64 ([`MAX_IN_FLIGHT`]) | what a target of that size has room for |
//! | data of one command | 16 MiB less one byte ([`MAX_TRANSFER`]) | 24-bit lengths |
//! | libraries with a name | 256 | they live as long as the process |
//! | log | the newest 8,192 commands | 1 MB at most |
//!
//! Their options are in [`devices`](super::devices#simulated-libraries).
//!
//! # Held to the code
//!
//! ```
//! use std::time::Duration;
//! use autochanger::store::{HistoryFilter, MemoryStore};
//! use autochanger::{RestartPolicy, Role, Timing};
//!
//! const MINUTE: Duration = Duration::from_secs(60);
//! let timing = Timing::default();
//! assert_eq!(timing.status, MINUTE);
//! assert_eq!(timing.element_status, 5 * MINUTE);
//! assert_eq!(timing.motion, 30 * MINUTE);
//! assert_eq!(timing.initialize, 60 * MINUTE);
//! assert_eq!((timing.port, timing.drive_log), (10 * MINUTE, 3 * MINUTE));
//! assert_eq!(timing.unload, 16 * MINUTE);
//! assert_eq!(timing.drive_ready, 5 * MINUTE);
//! assert_eq!(timing.drive_calibration, 135 * MINUTE);
//! assert_eq!(timing.cleaning, 15 * MINUTE);
//! assert_eq!((timing.refresh_ports, timing.refresh_all), (Some(MINUTE), Some(15 * MINUTE)));
//! assert_eq!((timing.retry_min, timing.retry_max), (Duration::from_secs(1), Duration::from_secs(30)));
//!
//! assert_eq!(autochanger::Reservation::default(), autochanger::Reservation::WhereOffered);
//! assert_eq!(autochanger::MAX_PATHS, 8);
//! assert_eq!(RestartPolicy::default(), RestartPolicy::Resume);
//! assert_eq!(Role::default(), Role::Operator);
//! assert_eq!(autochanger::DEFAULT_MAX_LIVE_REQUESTS, 100_000);
//! assert_eq!(autochanger::DEFAULT_MAX_PENDING_CANCELS, 4096);
//! assert_eq!(autochanger::DEFAULT_PURGE_AFTER, 72 * 60 * MINUTE);
//! assert_eq!(autochanger::READY_PATIENCE, Duration::from_secs(10));
//! assert_eq!(autochanger::APPLICATION_NAME_MAX, 256);
//! assert_eq!(autochanger::transcript::LINE_MAX, 1000);
//! assert_eq!(autochanger::transcript::RECORDING_MAX, 100_000);
//!
//! assert_eq!(MemoryStore::MAX_ENDED, 100_000);
//! assert_eq!((HistoryFilter::DEFAULT_LIMIT, HistoryFilter::MAX_LIMIT), (100, 10_000));
//!
//! # #[cfg(feature = "iscsi")] {
//! use autochanger::transport::iscsi;
//! assert_eq!(iscsi::CONNECT_TIMEOUT, Duration::from_secs(10));
//! assert_eq!(iscsi::KEEP_ALIVE, Duration::from_secs(30));
//! assert_eq!(iscsi::MANAGE_TIMEOUT, Duration::from_secs(60));
//! assert_eq!(iscsi::CLOSE_TIMEOUT, Duration::from_secs(5));
//! assert_eq!(iscsi::MAX_WAITING, 256);
//! # }
//!
//! # #[cfg(feature = "sim")] {
//! use autochanger::transport::sim;
//! assert_eq!((sim::MAX_IN_FLIGHT, sim::MAX_TRANSFER), (64, 0x00FF_FFFF));
//! # }
//! ```

#[cfg(doc)]
use crate::transcript::{LINE_MAX, RECORDING_MAX, Recording};
#[cfg(all(doc, feature = "sim"))]
use crate::transport::sim::{MAX_IN_FLIGHT, MAX_TRANSFER};
#[cfg(all(doc, feature = "iscsi"))]
use crate::transport::{
    IscsiTransport,
    iscsi::{CLOSE_TIMEOUT, CONNECT_TIMEOUT, KEEP_ALIVE, MANAGE_TIMEOUT, MAX_WAITING},
};
#[cfg(doc)]
use crate::{
    APPLICATION_NAME_MAX, DEFAULT_MAX_LIVE_REQUESTS, DEFAULT_MAX_PENDING_CANCELS, DEFAULT_PURGE_AFTER,
    LibraryConfig, ManagerBuilder, READY_PATIENCE, RestartPolicy, Timing,
    store::{HistoryFilter, MemoryStore, Purge},
};
