//! What is spoken of iSCSI, on both sides, and how it is known.
//!
//! [`IscsiTransport`](crate::transport::IscsiTransport) is an initiator in user space: no kernel module, no daemon, no
//! root. It has one connection per session, at error recovery level 0 (RFC 7143): what is lost is reported, never sent
//! again. [`VirtualLibrary`](crate::virtual_library::VirtualLibrary) is a target with a simulated library behind it.
//!
//! # Finding targets
//!
//! ```
//! # #[cfg(all(feature = "sim", feature = "iscsi"))]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use autochanger::transport::iscsi::{IscsiLogin, discover};
//! # use autochanger::transport::sim::{self, SimulatedLibrary};
//! # use autochanger::virtual_library::VirtualLibrary;
//! # let library = SimulatedLibrary::start(sim::Library::new());
//! # let served = VirtualLibrary::builder(library).listen(([127, 0, 0, 1], 0)).chap("backup", "opensesame12").start();
//! # let served = served.await?;
//! # let portal = served.address().to_string();
//!
//! let login = IscsiLogin::new("backup", "opensesame12");
//! for target in discover(&portal, Some(&login)).await? {
//!     println!("{} at {}: {}", target.name, target.addresses[0], target.url(0, Some(&login))?);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # What a lost connection means
//!
//! | what happened | what is reported | what happens next |
//! |---|---|---|
//! | it ended before a byte of the command was handed to the socket | *not sent* | the next command connects again |
//! | it ended after that | *outcome unknown* | the same; the elements are looked at before anything moves |
//! | no answer within the command's time | *outcome unknown* | a late answer is dropped; the session goes on |
//! | the same, and the target never received the command | *outcome unknown* | a ping shows it, and the session ends: what follows would wait for ever |
//! | a digest is wrong | *outcome unknown* | the session ends, the next command connects again |
//! | an answer is missing: the target's count of them (StatSN) is ahead of ours | *outcome unknown*, at once | the same |
//! | the target rejects a command | *outcome unknown* | the same |
//! | the target wants a logout | nothing | what is in flight is answered, then a new session takes what waits |
//! | the same, and what is in flight takes longer than the target waits (Parameter3) | *outcome unknown* | the session is logged out just before |
//! | the same in each session before it has taken a command | *not sent* | the next command connects again |
//! | the target drops the session | *outcome unknown* | the same |
//! | the window is shut for as long as a command has | *not sent* | – |
//! | silence: no answer to a ping within the keep-alive time | *outcome unknown* | a move may take hours as long as pings are answered |
//!
//! Before it is logged in to again the target is left alone as long as it wants (Time2Wait: agreed in the login, said at a logout
//! or when it drops a session), at most [`MAX_TIME_TO_WAIT`](crate::transport::iscsi::MAX_TIME_TO_WAIT).
//!
//! A new session has the initiator name and ISID of the lost one, so the target ends what is left of that one before it
//! lets the new one in (session reinstatement): no command of the old one can arrive after a look at the elements in the
//! new one.
//!
//! # Digests
//!
//! CRC32C over headers and data is spoken where the target wants it, and otherwise not: TCP has a checksum, and where
//! bits are damaged on purpose CRC32C does not help. [`digests`](crate::transport::IscsiTransport::digests) changes that.
//!
//! # The initiator, by what it must do
//!
//! *Covered* means: a test of ours has it. Who the other side is in that test: **tgt** (a target that nobody here wrote), **ours**
//! (our target, sans-IO or behind a socket), **bytes** (PDUs made by hand). The chapter on [the suites](super::iscsi_suites) goes
//! through UNH-IOL's tests for initiators by their numbers.
//!
//! | what the initiator must do | covered, or why not | other side |
//! |---|---|---|
//! | Login in two stages, T, CSG and NSG; a target that stays in a stage | covered | tgt, ours, bytes |
//! | Login responses of another stage, version, tag; a login without end | covered: the login fails | bytes |
//! | Text in pieces (C bit), both while logging in and in lists of targets | covered; our own login never needs two | bytes |
//! | Keys that nobody knows (`NotUnderstood`), `Reject`, `Irrelevant`; values that cannot be agreed to | covered | bytes, ours |
//! | A key said twice, in one PDU and in two | covered: the login fails, on both sides; a declaration may be repeated | bytes |
//! | Numbers in hexadecimal | covered, on both sides | bytes |
//! | Status classes 1 (redirection), 2, 3 | covered: a redirection is followed, for the time being or for good, circles and nonsense are left; the rest as errors | bytes, tgt |
//! | InitiatorName, TargetName, SessionType, ISID of the random kind, TSIH and none in the last response | covered | tgt, ours |
//! | CHAP one way and mutual; wrong name, wrong secret, reflected challenge and proof, the same secret both ways, other algorithms | covered (MD5) | tgt, ours, libiscsi as initiator |
//! | CHAP with SHA-1, SHA-256, SHA3-256; SRP, Kerberos | not spoken: targets offer MD5 beside them | – |
//! | HeaderDigest, DataDigest | covered | tgt, ours; libiscsi as initiator (header) |
//! | InitialR2T, ImmediateData, FirstBurstLength, MaxBurstLength, MaxRecvDataSegmentLength | covered | ours, bytes |
//! | Immediate, unsolicited and solicited data; DataSN, offsets, F bit | covered at 1 byte to 1 MiB | ours, bytes |
//! | MaxOutstandingR2T above 1, DataPDUInOrder=No, DataSequenceInOrder=No | never agreed to: order costs nothing here | – |
//! | R2T out of order, beyond the data, beyond MaxBurstLength | covered: the session ends | bytes |
//! | Data-In in order, within what was asked for, status with data; residuals | covered | tgt, ours, bytes |
//! | Sense data in a SCSI Response; other iSCSI response codes | covered | tgt, ours, bytes |
//! | CmdSN in order, compared across its wrap (both sides); window kept, shut to nothing, reopened; nonsense in MaxCmdSN | covered | ours, bytes |
//! | StatSN acknowledged (ExpStatSN); a gap, a number that came before, the wrap | covered: a gap ends the session, an old number counts for nothing | bytes |
//! | NOP-Out as ping and as answer to a ping; NOP-In without a tag | covered | tgt, ours, bytes |
//! | ABORT TASK, ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET, TARGET WARM RESET; each response | covered in the protocol; commands are sent by the first and the last never, for an arm does not stop | tgt (2), ours |
//! | CLEAR ACA, TARGET COLD RESET, TASK REASSIGN | not offered: no ACA here, a cold reset hits other hosts, reassignment is of error recovery level 2 | – |
//! | Asynchronous messages: logout wanted, connection or session dropped, negotiation wanted, SCSI and vendor events | covered; who wants to negotiate is given the word | ours, bytes |
//! | Logout that closes the session | covered | tgt, ours |
//! | Logout for another connection, or for recovery | one connection, level 0 | – |
//! | Reject of a ping, of a function, of a command | covered | bytes, ours |
//! | SendTargets in a discovery session (`All`) and in a normal one | covered | tgt, ours |
//! | Session reinstatement | covered | ours |
//! | Several connections, SNACK, recovery within a command, a connection, level 1 and 2 | not spoken: after a doubt the elements are looked at, and that settles more than a replayed status | – |
//! | Markers (OFMarker, IFMarker), iSER, IPsec | not spoken; markers are refused | – |
//! | IPv6 | covered over a real socket | ours, libiscsi as initiator |
//! | Loss, delay, truncation, duplication at any PDU boundary | covered: a thousand mounts and dismounts, no move replayed, each end true | tgt, ours, behind a proxy |
//!
//! # The target
//!
//! It takes one connection per session, any number of sessions up to
//! [`MAX_CONNECTIONS`](crate::virtual_library::MAX_CONNECTIONS), discovery sessions among them. In our tests Linux's own
//! initiator drives it, inventory, moves, pings and all, and through it `mtx`, `lsscsi` and the programs of sg3_utils; libiscsi's
//! `iscsi-ls` and `iscsi-inq` find and read it, with CHAP both ways and header digests. A duplicate of a command is ignored, one that comes before its turn waits for it, and a
//! command is handed to the library once.
//!
//! An initiator's name and ISID are its I_T nexus (there is one portal group). With it live persistent registrations and
//! reservations, across logouts, lost connections and reinstatement; when a session ends, what it had in flight is aborted,
//! what it prevented is allowed again, and the next one finds a unit attention (29/07). READ FULL STATUS names the port. A host
//! that has gone for good leaves its reservation, as on a real library, until another initiator preempts it.
//!
//! It does not offer CLEAR TASK SET and TARGET COLD RESET; ABORT TASK it carries out where the command is the only one of
//! its session at the unit, and refuses otherwise, so that an initiator resets the unit.
