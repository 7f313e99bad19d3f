//! What real libraries do otherwise than the standard says, and what is done about it.
//!
//! Nothing is assumed from a library's name, but what it means by [codes of its own](crate::scsi::Dialect), and that
//! the command for ports takes out the magazine of a SuperLoader 3. It is asked in the usual way; where it refuses, in another one; what it turned out to be
//! like is in [`LibraryInfo::quirks`](crate::view::LibraryInfo::quirks), and `examples/certify.rs` prints it. What is learned is
//! kept while the manager is open, and learned anew when the library is read anew as a whole: when it says that its addresses, its
//! drives or its firmware have changed ([`recovery`](super::recovery#hands-in-the-library)). What is told of reading is what the last whole reading was like.
//!
//! A passing trouble is no habit: after an answer without data, or a refusal other than ILLEGAL REQUEST, the question is asked again
//! as it was, and a way in which it works is kept only if the usual one then fails once more. A library that was read before and
//! answers so in the midst of a reading has that reading fail; nothing is concluded from half of one.
//!
//! The last column is the name of the simulator's [switch](crate::transport::sim::Quirk): `sim:quirks=no-dvcid+ghost-slots:4`, or
//! `Library::quirk` in code. Each switch is tried alone and in pairs in `crates/engine/tests/devices/`.
//!
//! # How it is asked
//!
//! | what devices do | what is done about it | told as | switch |
//! |---|---|---|---|
//! | DVCID is refused (Qualstar), or accepted and nothing comes | drives are matched by what they say of their place themselves (pages B3h and B4h), by the configuration, or the only two that are left | [`NoDriveIdentifiers`](Quirk::NoDriveIdentifiers) | `no-dvcid`, `dvcid-ignored`, `no-drive-element-page` |
//! | DVCID is refused for other types than drives (IBM TS3500) | it is asked for drives only | – | `dvcid-drives-only` |
//! | DVCID is refused with VOLTAG; or without it (IBM Diamondback) | it is asked without, then with | [`IdentifiersWithTags`](Quirk::IdentifiersWithTags) | `no-voltag-with-dvcid`, `dvcid-only-with-voltag` |
//! | drives have identifiers unasked (mhvtl's MSL) | they are used | [`IdentifiersUnasked`](Quirk::IdentifiersUnasked) | `dvcid-unasked` |
//! | in answers with DVCID each drive has EXCEPT, and neither FULL nor ACCESS (IBM Diamondback, TS4500) | state and identity are asked for apart | [`IdentifiersHideState`](Quirk::IdentifiersHideState) | `dvcid-hides-state` |
//! | an identifier is the serial number alone (SuperLoader 3), or a world wide name | it is read as one; of drives that are left the pages 83h, B1h, B3h and B4h are read | – | `dvcid-serial-only`, `dvcid-naa` |
//! | drives have serial numbers that the library gave them (IBM, HP, Oracle), and the identifier is the maker's, or the other way round | the maker's is read from the drive (page B1h), where the other one does not tell | – | `logical-serials` |
//! | CURDATA is refused (SCSI-2); others do not heed it | it is left out; the time-out covers a look of the robot | [`NoCurrentData`](Quirk::NoCurrentData) | `reject-curdata` |
//! | VOLTAG is refused, also with another key than ILLEGAL REQUEST, or brings less than a header (ADIC DAT) | it is left out | [`NoVolumeTags`](Quirk::NoVolumeTags) | `reject-voltag`, `voltag-hardware-error`, `empty-with-voltag` |
//! | large numbers of elements are refused; or any above what there is | one is asked for, then twice as many each time | [`FewElementsAsked`](Quirk::FewElementsAsked) | `max-elements-asked`, `exact-count` |
//! | an answer has fewer elements than asked for | the rest is asked for | [`FewElementsReported`](Quirk::FewElementsReported) | `max-elements-per-report` |
//! | only 8 or the exact allocation length is taken | the length is asked for first | [`ExactAllocation`](Quirk::ExactAllocation) | `exact-allocation` |
//! | of the allocation length the low 16 bits count | never more than 65,535 bytes are asked for | – | `allocation-low-16` |
//! | an allocation length above the transfer's length is refused (tgt) | both are always the same | – | `allocation-within-transfer` |
//! | single types are refused or not heeded (Sony VGP-XL1B) | all types are asked for | [`AllTypesOnly`](Quirk::AllTypesOnly), [`OtherTypes`](Quirk::OtherTypes) | `all-types-only`, `types-ignored` |
//! | a type without elements is refused (mhvtl) | it counts as empty | [`AbsentTypeRefused`](Quirk::AbsentTypeRefused) | `reject-absent-type` |
//! | a first address without an element is refused (tgt) | it is asked from the last element that there was | – | `reject-unknown-start` |
//! | refusals do not tell the field | all ways to ask are tried, those with the fewest deviations first, once | – | `no-field-pointer` |
//!
//! # What it answers
//!
//! | what devices do | what is done about it | told as | switch |
//! |---|---|---|---|
//! | a report lacks its last 8 bytes (tgt); counts bytes that do not come | what is cut is asked for again | [`ShortReports`](Quirk::ShortReports) | `short-by-8`, `byte-count-too-large` |
//! | byte counts are too small; bytes follow that are no page | what does not fit is not taken for elements; one at a time is asked for | [`WrongByteCounts`](Quirk::WrongByteCounts) | `byte-count-too-small`, `page-count-too-small`, `trailing-bytes` |
//! | first address and number in the header are wrong | they are not used | [`WrongElementCounts`](Quirk::WrongElementCounts) | `wrong-header` |
//! | the buffer is filled with zeros, also behind log pages (Quantum's drives) | what counts is the byte count | – | `pad-to-allocation`, `pad-log-pages` |
//! | a report that is longer than the buffer ends with a whole descriptor (SuperLoader 3, TL2000, SL500) | the rest is asked for, as that of a report that is cut elsewhere | – | `cut-at-descriptor` |
//! | a drive takes minutes to say what it has counted (LTO-9) | it is waited for; a request that asks on its way goes on without the answer | – | `slow-logs` |
//! | several pages of one type; pages without descriptors | put together; passed over | [`SeveralPages`](Quirk::SeveralPages), [`EmptyPages`](Quirk::EmptyPages) | `split-pages`, `empty-page` |
//! | addresses do not ascend | they are sorted; a cut report is asked for again | [`Unordered`](Quirk::Unordered) | `unordered` |
//! | an address is there twice, or as two types | the last counts; of two types the one of mode page 1Dh | [`RepeatedElements`](Quirk::RepeatedElements) | `repeated-element`, `slot-also-port` |
//! | descriptors of 4 or 12 bytes (DDS loaders, SCSI-2), or with bytes of the vendor (DX, SL500) | the length in the page counts; what is not there is not known | [`ShortDescriptors`](Quirk::ShortDescriptors) | `descriptor-length`, `vendor-bytes` |
//! | alternate tags are announced and not there (mhvtl) | the room in the descriptor decides | [`FalseTagFlags`](Quirk::FalseTagFlags) | `false-alternate-tags` |
//! | empty elements show labels | FULL decides | [`StaleTags`](Quirk::StaleTags) | `stale-tags` |
//! | no label is NULs, control or non-ASCII bytes | such a label was not read | [`UnreadableTags`](Quirk::UnreadableTags) | `nul-tags`, `garbage-tags` |
//! | labels are cut (Spectra: 10 characters) | what the library shows is the label | – | `label-length` |
//! | labels are in doubt after the door was opened (Exabyte: 83/03) | what is shown is the label; a full inventory has it scanned | – | `labels-doubtful-after-door` |
//! | labels are unknown until the library has scanned itself (Exabyte X80, Breece Hill) | the label is taken when it comes; a full inventory has it scanned, or [`initialize_at_start`](crate::LibraryConfig::initialize_at_start) at each start | [`UnscannedLabels`](Quirk::UnscannedLabels) | `labels-unscanned` |
//! | a source address is a full slot, a drive (Spectra 10000), nothing, or not told | it is a hint for cartridges in drives only; a slot must be empty | [`SourceUntrue`](Quirk::SourceUntrue) | `source-is-full`, `source-is-drive`, `source-is-nowhere`, `no-source` |
//!
//! # What there is
//!
//! | what devices do | what is done about it | told as | switch |
//! |---|---|---|---|
//! | no mode page 1Dh | elements are read until no more come | [`NoGeometry`](Quirk::NoGeometry) | `no-geometry-page` |
//! | MODE SENSE refuses DBD; only one of its forms is known (StarWind) | both forms are tried, with and without | [`BlockDescriptors`](Quirk::BlockDescriptors), [`ModeSense10Only`](Quirk::ModeSense10Only) | `reject-dbd`, `mode-sense-6-only`, `mode-sense-10-only` |
//! | no transport is counted (HP autoloaders) | moves name transport 0, as always | [`NoTransportCounted`](Quirk::NoTransportCounted) | `transport-count-zero` |
//! | transports other than 0 are refused (SuperLoader 3) | moves name transport 0 | – | `transport-zero-only` |
//! | page 1Dh counts elements that are not there (magazines, licences); addresses have holes | what is reported is there | [`AbsentElements`](Quirk::AbsentElements) | `absent-slots`, `absent-every` |
//! | there are more than page 1Dh counts | one more is asked for behind the last | [`UncountedElements`](Quirk::UncountedElements) | `uncounted-slots` |
//! | bays without a drive are reported as drives (IBM Diamondback, TS4500: EXCEPT 82/00; Exabyte: 83/04) | they are not used; a code at a loaded drive is no reason | [`EmptyBays`](Quirk::EmptyBays) | `empty-bays`, `ghost-drives` |
//! | slots without a magazine are reported (Exabyte: EXCEPT 83/02) | no cartridge is put there; others with EXCEPT are the last choice | – | `ghost-slots` |
//!
//! # How it looks at its elements
//!
//! | what devices do | what is done about it | told as | switch |
//! |---|---|---|---|
//! | INITIALIZE ELEMENT STATUS is known in one form only: WITH RANGE (37h: IBM TS3100, STK, Dell), its older form (E7h: Exabyte, ADIC, IBM 3584), or the plain one | 37h, then E7h, then 07h, which is often GOOD and does nothing; what was found is kept | [`OlderInitialize`](Quirk::OlderInitialize) | `initialize-37-only`, `initialize-e7-only` |
//! | there is none (HP C72xx, Quantum C4) | a full inventory fails, a fast one does not | [`NoInitialize`](Quirk::NoInitialize) | `no-initialize` |
//! | it is GOOD and does nothing (TS4500, ACSLS) | nothing depends on it: elements are read afterwards | [`InitializeDoesNothing`](Quirk::InitializeDoesNothing) | `initialize-does-nothing` |
//! | nothing but 02/04/02 before it (ADIC 448, Plasmon) | it is sent when the library is opened, once | [`NeedsInitialize`](Quirk::NeedsInitialize) | `needs-initialize` |
//! | all else is refused meanwhile (DX: 02/04/01), whoever had it done | it is waited for | – | `refuses-while-scanning` |
//!
//! # How it moves, and how it refuses
//!
//! | what devices do | what is done about it | told as | switch |
//! |---|---|---|---|
//! | a drive must be unloaded before the robot comes (Exabyte: 05/3B/90; 05/3A/00; 05/53/01; 05/53/03) | it is unloaded first, where a way to it is known | [`HostUnloadFirst`](Quirk::HostUnloadFirst) | `host-unload-first`, `host-unload-first-3a`, `host-unload-first-53-01`, `host-unload-first-53-03` |
//! | nothing is carried to or from ports, or from drive to drive, and page 1Fh says so (Exabyte Magnum 1x7) | an eject fails with what the library said; nothing is carried from drive to drive | – | `no-port-moves`, `no-drive-to-drive` |
//! | locks are unknown (IBM Diamondback, tgt), accepted and ignored (mhvtl), or ended by anybody's ALLOW (SL3000) | hands are reckoned with whatever is locked | [`NoPrevent`](Quirk::NoPrevent) | `no-prevent`, `prevent-ignored`, `allow-clears-all` |
//! | the command that opens a port takes the magazine out (Quantum SuperLoader 3, known by its name) | it is not sent | [`PortCommandIsMagazine`](Quirk::PortCommandIsMagazine) | `port-command-is-magazine` |
//! | trays are not moved by command (most) | people open ports by hand | [`NoPortCommand`](Quirk::NoPortCommand) | `no-port-command` |
//! | moves of other initiators are told with 06/28/00 | everything is read again | – | `attention-on-foreign-move` |
//! | that drives were exchanged is told as a change of media (06/28/00: IBM TS3100, Dell TL, HP MSL) | each full reading asks which drive is in which element; where it is another one, all is read anew | – | `sleds-as-medium-change` |
//! | a library or a drive recommends time-outs for its commands (IBM's LTO-9: 132 minutes for LOAD UNLOAD), or has none to tell | the longer one of ours and the recommended one, up to 4 h | – | `recommends-minutes`, `no-operation-codes` |
//! | 02/04/01 for minutes while it starts up (most) | it is waited for, also in the midst of reading | – | `starts-up` |
//! | 02/04/85 for hours (IBM's pause mode) | a move that met it is made when that is over; nothing is given up | – | `pause-mode` |
//! | somebody is at the panel (Quantum SuperLoader 3: 02/04/07) | nothing is given up; a move that met it is made when the session is over | – | `panel-session` |
//! | the partition is not granted to this host (Oracle SL150, SL4000: 02/74/71) | the library is `Unusable`, which says so, and is tried again with growing pauses; a person must grant it | – | `access-denied` |
//! | the ports fail over (Oracle SL150, SL3000: 0B/08/00), and a move that ends then is aborted, too | another path is tried where there is one; a move is looked for when the library answers again, and not made twice | – | `port-failover` |
//! | an ejected cartridge cannot be taken yet (IBM 3584) | it is tried again after 4, 8, 16 and 32 seconds | [`LateAccess`](Quirk::LateAccess) | `access-lags` |
//! | EXCHANGE MEDIUM is claimed and unknown (tgt), or neither | two moves | [`ExchangeClaimed`](Quirk::ExchangeClaimed) | `exchange-claimed`, `no-exchange` |
//! | a move that fails leaves its cartridge in the arm | it is brought on from there: see [`recovery`](super::recovery#a-cartridge-in-the-arm) | – | `arm-keeps-cartridge` |
//! | nothing is brought out of the arm by command | a person is asked ([`OperatorTask::EmptyArm`](crate::view::OperatorTask::EmptyArm)) | – | `no-arm-source` |
//! | what is in the arm shows no label | it is known by being missed elsewhere | – | `arm-without-label` |
//! | status commands wait for the arm | time-outs count from when a command is sent; it waits | – | `serialize-all` |
//! | CHECK CONDITION without sense data | REQUEST SENSE; of a move the elements are looked at | [`NoAutosense`](Quirk::NoAutosense) | `no-autosense` |
//! | sense data in descriptor format, or without a code | both are read; without a code any refusal may mean any field | – | `descriptor-sense`, `short-sense` |
//!
//! # What needs no switch
//!
//! | what devices do | what is done about it |
//! |---|---|
//! | BUSY, TASK SET FULL, TASK ABORTED, one after another | the question is asked again for as long as [`element_status`](crate::Timing::element_status); a move is looked for first |
//! | 02/04/01 for minutes after a closed door, also in the midst of reading | the question is asked again |
//! | 02/04/84 for hours (IBM's open port) | a move that met it is made when that is over; nothing is given up |
//! | somebody is at the panel (Exabyte 02/04/89, 8D; NEO 80/01), maintenance or sequential mode (STK 02/04/81, Exabyte 02/04/8E), a jam (02/04/03) | the same; where a person must come, the library is `Unusable` and tried again with growing pauses |
//! | an error was recovered (key 1), a failure is foretold (5D) | the command has succeeded; [`EventKind::Warning`](crate::EventKind::Warning) tells of it, once an hour, with the flags of TapeAlert where a failure is foretold |
//! | codes mean other things on other products (3B/A0: robot full, or wrong medium; 83/02: no magazine, a doubtful label, a reserved slot) | a table of dialects, by the name in INQUIRY |
//! | unit attentions one after another | up to 16 are heard out for each question, then the library is tried again later |
//! | ACCESS is never set (tgt) | it is asked of no drive; slots with it go first |
//! | slots appear and disappear with 06/28/00 | everything is read again, and one more behind the last |
//! | a mail slot becomes a slot | it is one from then on |
//! | a drive needs minutes, or two hours for the first load of an LTO-9 cartridge | it is asked until it is ready |
//! | the residual length of a transfer is wrong | transports bound it by what was asked for; the report counts its own bytes |
//!
//! # What does not matter here
//!
//! SEND VOLUME TAG, INITIALIZE ELEMENT STATUS WITH RANGE, reservations of elements and cartridge memory are not used
//! to manage a library, so it does not matter who lacks them. The changer's PREVENT ALLOW MEDIUM REMOVAL is sent only where ports are to
//! be locked ([`lock_ports`](crate::LibraryConfig::lock_ports)), and of log pages only those are read that say whether a drive is to be
//! cleaned, and the flags of TapeAlert after some trouble. Nothing is moved to the arm, from there only what stayed in it, and never with INVERT or a control byte.
//! Which transport or slot a motion may use is not read from mode page 1Fh.
//!
//! # What cannot be lived with
//!
//! - A library that must have its drives unloaded and does not tell which is which, with more than one drive and none configured: the
//!   error asks for [`LibraryConfig::drive`](crate::LibraryConfig::drive).
//! - A library that takes only the exact allocation length, and tells a wrong one.
//! - A library that takes only all types at once, groups them, and has more than fits into 65,535 bytes. None is known.

#[cfg(doc)]
use crate::view::Quirk;

#[cfg(all(test, feature = "sim"))]
mod tests {
    use crate::transport::sim;
    use crate::view::Quirk;

    const CHAPTER: &str = include_str!("quirks.rs");

    #[test]
    fn every_switch_of_the_simulator_is_in_the_tables() {
        for switch in sim::Quirk::ALL {
            assert!(CHAPTER.contains(&format!("`{}`", switch.name())), "{switch} is in no table");
        }
    }

    #[test]
    fn everything_that_is_told_of_a_library_is_in_the_tables() {
        for quirk in Quirk::ALL {
            assert!(CHAPTER.contains(&format!("(Quirk::{quirk:?})")), "{quirk:?} is in no table");
        }
    }
}
