//! What is written on media: identify, write a free label, hold a mount against the label.
//!
//! # What is read
//!
//! A label is the first block on the tape (RSM: OMID, on-media identifier). It is read with REWIND and READ(6) of one block, at
//! most 32 KiB of it, and held against the formats in their order:
//!
//! | format | claims | id |
//! |---|---|---|
//! | `autochanger free` | the manager's own label of a free medium | a UUID, drawn for each label |
//! | `LTFS` | an ANSI volume label whose implementation identifier is `LTFS` | the volume identifier |
//! | `ANSI` | a volume label of ANSI X3.27: 80 characters that begin with `VOL1` | the volume identifier |
//!
//! Formats of your own implement [`LabelFormat`](crate::label::LabelFormat) (RSM: a media label library, `ClaimMediaLabel`): they get the block and say whether
//! it is theirs, and which label it carries. The manager's own label goes first.
//!
//! | found | meaning |
//! |---|---|
//! | `Known` | a format claims it |
//! | `Free` | the manager's own label: nobody's data |
//! | `Blank` | the end of the data stands at the beginning of the tape (sense 08/00/05) |
//! | `Unrecognized` | something is written that no format claims, a filemark too |
//! | `Unreadable` | damaged (key 3), or encrypted with a key that is not here (ASC 74h): nothing is said of what it is |
//!
//! # Identify
//!
//! The medium is loaded into a drive that can be asked, its label is read, and the same request takes it back to its slot. With
//! `keep` it stays in the drive, mounted for nobody, until the drive is needed; it has no dwell (RSM: `NTMS_DISMOUNT_DEFERRED`).
//! Cleaning cartridges are refused: in a drive they would clean.
//!
//! What was found is recorded where nothing was. Where another label is recorded, that one stays, [`EventKind::LabelChanged`](crate::EventKind::LabelChanged) tells
//! of both, and the request passes with what it found: recording what is right is left to you ([`update_label`](crate::Session::update_label)). Unreadable is
//! never *changed*.
//!
//! An inventory by labels (RSM: the OMID inventory) has the manager make an identification of each cartridge:
//! [`AllLabels`](crate::InventoryMethod::AllLabels) of all, [`NewLabels`](crate::InventoryMethod::NewLabels) of those at whose label nobody has
//! [looked](crate::Cartridge::label_read_at) since they came. Hundreds of loads take hours, so each is a request of its own, with a cancel
//! and an end of its own, under the application name `autochanger`. They take their turn among the mounts, as many at once as leave a drive to
//! others; of one drive they have it in turns. What is mounted, reserved, disabled or in a port is passed over, and told as skipped where it
//! is so to the end; cleaning cartridges are left alone. A cancel ends the round, and what is under way goes back to its slot first. After a
//! restart the round goes on where it was.
//!
//! Cartridges without a barcode can have been exchanged behind a door, and look as before: when a
//! [door](crate::Session::door_access) was opened, their labels count as not looked at.
//!
//! # Free labels
//!
//! A blank medium, a free one, and one on which the writing of a free label was cut off are written without being asked twice;
//! anything else fails as [`NotFree`](crate::FailureKind::NotFree) unless `overwrite` is said, also what could not be read. WRITE(6) and one filemark are followed
//! by REWIND and a READ that must give the same bytes; otherwise it is written again, 16 times at the most. A write-protected medium
//! fails as [`WriteProtected`](crate::FailureKind::WriteProtected). The block, 512 bytes, big-endian: `AUTOCHANGER FREE`, version (2 bytes, 1), UUID (16), time in
//! milliseconds since 1970 (8), zeros, CRC-32 of all before it (4).
//!
//! # Mounts that are held against the label
//!
//! With [`Verify::Label`](crate::Verify::Label) each mount reads the label before it passes. Where none is recorded, what is found is. Another one, or none
//! at all, fails the mount as [`WrongLabel`](crate::FailureKind::WrongLabel): `EventKind::LabelChanged` tells of both, and the medium is put back. So an application
//! that writes a label of its own records it at once (RSM: `UpdateNtmsOmidInfo`, the same rule). The tape stands at its beginning when
//! the mount passes. [`Verify::Barcode`](crate::Verify::Barcode), the default, reads nothing.
//!
//! # Recovery
//!
//! After a mount, identification or writing that failed by a drive's or the library's fault, or because of a wrong label, the manager
//! reads the inventory by a request of its own (RSM: `AutoRecovery`), unless [`auto_recovery`](crate::LibraryConfig::auto_recovery) is switched off. It never has the library scan
//! itself.
//!
//! After a restart with the medium in the drive everything begins again with reading. Nothing that depends on where the tape stands is
//! simply repeated: after a lost answer or a unit attention the tape is rewound first.
