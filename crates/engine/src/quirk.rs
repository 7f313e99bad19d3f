//! What a library was found to do otherwise than the standard says.

use core::fmt;

/// Deviations with what is said of them.
macro_rules! quirks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// A deviation from the standard that a library has shown: learned while it was identified, read and moved, never assumed
        /// from its name.
        ///
        /// Each is worked around without being asked for; a list of them says what a library is like. Displayed as a sentence
        /// about it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Quirk {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Quirk {
            /// Every deviation that is known.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];
        }

        impl fmt::Display for Quirk {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(match self {
                    $(Self::$variant => $text,)+
                })
            }
        }
    };
}

/// What tells of a deviation, and so when it is learned anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToldBy {
    /// The questions of a survey that come before and after the reading of its elements.
    Survey,
    /// The reading of all elements.
    Reading,
    /// The work with the library: it holds for as long as the manager is open.
    Work,
}

impl Quirk {
    pub(crate) fn told_by(self) -> ToldBy {
        match self {
            Self::NoGeometry
            | Self::BlockDescriptors
            | Self::ModeSense10Only
            | Self::NoTransportCounted
            | Self::NoDriveIdentifiers
            | Self::IdentifiersWithTags
            | Self::IdentifiersHideState => ToldBy::Survey,
            Self::NoAutosense
            | Self::HostUnloadFirst
            | Self::LateAccess
            | Self::NoPrevent
            | Self::NoPortCommand
            | Self::PortCommandIsMagazine
            | Self::OlderInitialize
            | Self::NoInitialize
            | Self::InitializeDoesNothing
            | Self::NeedsInitialize
            | Self::ExchangeClaimed => ToldBy::Work,
            _ => ToldBy::Reading,
        }
    }
}

quirks! {
    /// Mode page 1Dh cannot be had, in no form of MODE SENSE. Elements are read until no more come.
    NoGeometry = "it has no element addresses in mode page 1Dh",
    /// MODE SENSE refuses DBD (some SCSI-2 changers). It is asked without.
    BlockDescriptors = "MODE SENSE refuses to leave out block descriptors",
    /// MODE SENSE(6) is refused. The ten-byte form is used (SPC-4 6.14).
    ModeSense10Only = "MODE SENSE(6) is refused",
    /// Mode page 1Dh counts no transport (HP autoloaders). Nothing is asked of the arm; moves name transport 0 anyway.
    NoTransportCounted = "mode page 1Dh counts no transport",
    /// CURDATA is refused (SCSI-2 changers). It is left out: a report may make the robot look.
    NoCurrentData = "READ ELEMENT STATUS refuses CURDATA",
    /// VOLTAG is refused, or answered with nothing (ADIC DAT, libraries without a scanner). Cartridges have no labels.
    NoVolumeTags = "READ ELEMENT STATUS refuses VOLTAG: there are no labels",
    /// A large number of elements is refused. Fewer are asked for, as many as it takes.
    FewElementsAsked = "READ ELEMENT STATUS refuses large numbers of elements",
    /// An answer has fewer elements than were asked for and are there. The rest is asked for.
    FewElementsReported = "READ ELEMENT STATUS reports only some of the elements asked for",
    /// An allocation length is refused unless it is exactly that of the report. It is asked how long that is first.
    ExactAllocation = "READ ELEMENT STATUS refuses all but the exact allocation length",
    /// A single element type is refused or not heeded (Sony VGP-XL1B). All types are asked for, and sorted out.
    AllTypesOnly = "READ ELEMENT STATUS reports all types at once only",
    /// A type without elements is refused instead of reported as empty (mhvtl). It counts as empty.
    AbsentTypeRefused = "READ ELEMENT STATUS refuses a type of which there is no element",
    /// Drives have no identifiers: DVCID is refused (Qualstar) or brings nothing. Drives are matched by what the configuration
    /// says; one that is left over is matched with the one way that is left over.
    NoDriveIdentifiers = "it does not identify its drives",
    /// DVCID needs VOLTAG (IBM Diamondback). It is asked with both.
    IdentifiersWithTags = "DVCID needs VOLTAG",
    /// Drives are reported with identifiers also where none were asked for (mhvtl's MSL). They are used.
    IdentifiersUnasked = "drives are identified without being asked",
    /// In an answer with DVCID the state of drives is none: EXCEPT always, FULL and ACCESS never (IBM Diamondback, TS4500). State
    /// and identity are always asked for apart.
    IdentifiersHideState = "the state of drives is not true in answers with DVCID",
    /// A report ends before its own byte count (tgt leaves out 8 bytes). What is cut is asked for again.
    ShortReports = "reports are shorter than they say",
    /// The byte counts of a report and of its pages do not fit together. What fits is taken, the rest is asked for again.
    WrongByteCounts = "the byte counts of reports are wrong",
    /// The number of elements in the header of a report is not that of its elements. It is not used.
    WrongElementCounts = "the element counts of reports are wrong",
    /// One type comes in several pages (media domains, gaps). They are put together.
    SeveralPages = "elements of one type come in several pages",
    /// A page has descriptors of no length. It is passed over.
    EmptyPages = "pages have descriptors of no length",
    /// Elements of other types come than were asked for. They are passed over.
    OtherTypes = "elements come that were not asked for",
    /// Addresses do not ascend. They are sorted.
    Unordered = "elements do not come in the order of their addresses",
    /// An address is reported twice, or as two types. The last report counts; of two types the one of mode page 1Dh.
    RepeatedElements = "elements are reported more than once",
    /// Descriptors are shorter than the twelve bytes of SCSI-2 (old DDS loaders). Address and flags are read.
    ShortDescriptors = "descriptors have address and flags only",
    /// Pages announce tags for which their descriptors have no room (mhvtl). They are not looked for.
    FalseTagFlags = "volume tags are announced that are not there",
    /// Empty elements show labels. FULL decides.
    StaleTags = "empty elements show labels",
    /// Labels hold bytes that no label has. They count as not read.
    UnreadableTags = "labels hold bytes that are not printable",
    /// Labels were never scanned since power-on (Exabyte X80, Breece Hill). A full inventory
    /// (`Session::inventory` with `full`) has them scanned.
    UnscannedLabels = "no label was scanned yet: ask for a full inventory",
    /// INITIALIZE ELEMENT STATUS is known WITH RANGE in its older form only, E7h (Exabyte, ADIC, IBM 3584), or that is the form that was
    /// used. It is.
    OlderInitialize = "INITIALIZE ELEMENT STATUS has its older form, E7h",
    /// There is no INITIALIZE ELEMENT STATUS in any form (HP C72xx, Quantum C4). A full inventory fails.
    NoInitialize = "it cannot be told to look at its elements",
    /// INITIALIZE ELEMENT STATUS is GOOD before anything can have been looked at (TS4500, ACSLS). Such libraries know by themselves
    /// what is where; a full inventory brings no more than a fast one.
    InitializeDoesNothing = "INITIALIZE ELEMENT STATUS does nothing",
    /// It is not ready, 02/04/02, until it was told to look at its elements (ADIC 448, Plasmon). It is, once for each opening.
    NeedsInitialize = "it does not serve before INITIALIZE ELEMENT STATUS",
    /// Bays without a drive are reported as drives (IBM Diamondback, TS4500: EXCEPT 82/00; Exabyte: 83/04). They are not used.
    EmptyBays = "bays without a drive are reported as drives",
    /// There are more elements than mode page 1Dh counts. They are used as the others.
    UncountedElements = "there are elements that mode page 1Dh does not count",
    /// There are fewer elements than mode page 1Dh counts (magazines that are out, bays without a drive). Those reported are
    /// used.
    AbsentElements = "mode page 1Dh counts elements that are not there",
    /// The source address of a cartridge is a full slot, no slot, or nothing (Spectra 10000). A dismount looks for a slot that is
    /// empty.
    SourceUntrue = "the source addresses of cartridges are not true",
    /// CHECK CONDITION comes without sense data. REQUEST SENSE is sent.
    NoAutosense = "sense data has to be asked for",
    /// A drive must be unloaded by the host before the robot takes its cartridge (Exabyte). It is.
    HostUnloadFirst = "drives must be unloaded before the robot takes a cartridge",
    /// For a while after a drive has ejected its cartridge the robot cannot take it (IBM 3584). It is waited for.
    LateAccess = "the robot cannot take a cartridge as soon as it is ejected",
    /// PREVENT ALLOW MEDIUM REMOVAL is unknown (IBM Diamondback, tgt). Doors and ports are never locked.
    NoPrevent = "doors and ports cannot be locked",
    /// OPEN/CLOSE IMPORT/EXPORT ELEMENT is unknown (most libraries). People open ports by hand.
    NoPortCommand = "ports cannot be opened by a command",
    /// OPEN/CLOSE IMPORT/EXPORT ELEMENT unloads the magazine (Quantum SuperLoader 3): it is never sent. People open ports by hand. The one
    /// deviation that is known by the name of the product, for to find it out would cost all slots.
    PortCommandIsMagazine = "the command that opens ports takes the magazine out: it is not sent",
    /// EXCHANGE MEDIUM is unknown, though mode page 1Fh offers it (tgt). Two moves are sent.
    ExchangeClaimed = "EXCHANGE MEDIUM is refused, though mode page 1Fh offers it",
}
