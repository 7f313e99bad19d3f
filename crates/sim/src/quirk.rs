//! What real devices do differently, as switches.

use core::fmt;
use core::str::FromStr;

use alloc::string::String;
use alloc::vec::Vec;

/// The number that a switch takes.
macro_rules! number {
    ($default:literal) => {
        u16
    };
}

/// A switch from its name and the number behind it; without one, the number in the table.
macro_rules! switch {
    ($variant:ident, $number:ident) => {
        $number.is_none().then_some(Quirk::$variant)
    };
    ($variant:ident, $number:ident, $default:literal) => {
        Some(Quirk::$variant($number.unwrap_or($default)))
    };
}

/// Switches with their names; a number in parentheses is what the switch takes where nothing else is said.
macro_rules! quirks {
    ($($(#[doc = $doc:literal])+ $variant:ident $(($default:literal))? = $name:literal,)+) => {
        /// A deviation from the standard that real libraries or emulators show.
        ///
        /// Displayed and parsed by its name, `no-dvcid`, with the number of those that have one behind a colon:
        /// `max-elements-per-report:16`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Quirk {
            $($(#[doc = $doc])+ $variant $((number!($default)))?,)+
        }

        impl Quirk {
            /// Every switch, with a number that shows where it takes one.
            pub const ALL: &[Self] = &[$(Self::$variant $(($default))?,)+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                }
            }

            fn of(name: &str, number: Option<u16>) -> Option<Self> {
                match name {
                    $($name => switch!($variant, number $(, $default)?),)+
                    _ => None,
                }
            }
        }
    };
}

quirks! {
    /// READ ELEMENT STATUS refuses DVCID with 05/24/00 (Qualstar).
    NoDvcid = "no-dvcid",
    /// READ ELEMENT STATUS refuses DVCID unless the element type is *data transfer* (IBM TS3500).
    DvcidDrivesOnly = "dvcid-drives-only",
    /// READ ELEMENT STATUS refuses VOLTAG together with DVCID.
    NoVoltagWithDvcid = "no-voltag-with-dvcid",
    /// READ ELEMENT STATUS refuses DVCID without VOLTAG (IBM Diamondback, for import/export elements).
    DvcidOnlyWithVoltag = "dvcid-only-with-voltag",
    /// DVCID is accepted, and no identifier comes.
    DvcidIgnored = "dvcid-ignored",
    /// Drives are reported with their identifiers, whether or not that is asked for (mhvtl as an MSL).
    DvcidUnasked = "dvcid-unasked",
    /// The identifier of a drive is its serial number alone: code set 2, type 0 (SuperLoader 3).
    DvcidSerialOnly = "dvcid-serial-only",
    /// The identifier of a drive is its world wide name: code set 1, type 3, which the drive has in page 83h.
    DvcidNaa = "dvcid-naa",
    /// The library gives its drives serial numbers of its own, which page 80h tells; the identifier is the maker's, which is in page
    /// B1h (IBM, HP and Oracle have it as a feature).
    LogicalSerials = "logical-serials",
    /// Drives do not say in which library and element they are (pages B3h and B4h).
    NoDriveElementPage = "no-drive-element-page",
    /// In an answer with DVCID each drive has EXCEPT and neither FULL nor ACCESS (IBM Diamondback, TS4500).
    DvcidHidesState = "dvcid-hides-state",
    /// READ ELEMENT STATUS refuses CURDATA (SCSI-2 changers).
    RejectCurdata = "reject-curdata",
    /// READ ELEMENT STATUS refuses VOLTAG (libraries without a scanner).
    RejectVoltag = "reject-voltag",
    /// READ ELEMENT STATUS with VOLTAG is a hardware error, 04/44/00 (ADIC DAT autochangers without a scanner).
    VoltagHardwareError = "voltag-hardware-error",
    /// With VOLTAG the report has fewer bytes than its header (ADIC DAT autochangers without a scanner).
    EmptyWithVoltag = "empty-with-voltag",
    /// READ ELEMENT STATUS reports at most that many elements in one answer.
    MaxElementsPerReport(16) = "max-elements-per-report",
    /// READ ELEMENT STATUS refuses a number of elements above that.
    MaxElementsAsked(16) = "max-elements-asked",
    /// READ ELEMENT STATUS refuses a number of elements that is larger than there are from the first one on.
    ExactCount = "exact-count",
    /// READ ELEMENT STATUS takes an allocation length of 8, or exactly that of the report; others it refuses.
    ExactAllocation = "exact-allocation",
    /// READ ELEMENT STATUS reads the low 16 bits of the allocation length: 65,536 is nothing.
    AllocationLow16 = "allocation-low-16",
    /// READ ELEMENT STATUS refuses an allocation length that is larger than what the initiator takes (tgt).
    AllocationWithinTransfer = "allocation-within-transfer",
    /// READ ELEMENT STATUS takes type 0 only, reports in ascending order of addresses, and ends with 05/21/01 (Sony).
    AllTypesOnly = "all-types-only",
    /// READ ELEMENT STATUS does not heed the type that is asked for: elements of all types come, in ascending order of addresses
    /// (Sony VGP-XL1B).
    TypesIgnored = "types-ignored",
    /// READ ELEMENT STATUS refuses a type of which there is no element (mhvtl).
    RejectAbsentType = "reject-absent-type",
    /// READ ELEMENT STATUS refuses a first address at which there is no element (tgt).
    RejectUnknownStart = "reject-unknown-start",
    /// Refusals do not say which field of the command is at fault.
    NoFieldPointer = "no-field-pointer",
    /// Each element report lacks its last 8 bytes, though its byte counts include them (tgt).
    ShortBy8 = "short-by-8",
    /// The header of a report says another first address and number of elements.
    WrongHeader = "wrong-header",
    /// The header of a report counts the bytes of one element only.
    ByteCountTooSmall = "byte-count-too-small",
    /// The header of a report counts bytes that do not come.
    ByteCountTooLarge = "byte-count-too-large",
    /// The header of each page counts the bytes of one element only.
    PageCountTooSmall = "page-count-too-small",
    /// Each page has at most that many elements: more follow in a page of their own (media domains).
    SplitPages(5) = "split-pages",
    /// Each report begins with a page whose descriptors have no length.
    EmptyPage = "empty-page",
    /// Each report ends with bytes that are no page.
    TrailingBytes = "trailing-bytes",
    /// Reports are filled with zeros to the allocation length.
    PadToAllocation = "pad-to-allocation",
    /// Reports that are longer than the allocation length end with a whole descriptor (SuperLoader 3, TL2000, SL500).
    CutAtDescriptor = "cut-at-descriptor",
    /// The elements of a page come in descending order.
    Unordered = "unordered",
    /// The first element of each page is there twice, empty the first time.
    RepeatedElement = "repeated-element",
    /// The first slot is reported as an import/export element, too.
    SlotAlsoPort = "slot-also-port",
    /// Descriptors have so many bytes, whatever they hold; 4 is address and flags (old DDS loaders), 12 is SCSI-2.
    DescriptorLength(12) = "descriptor-length",
    /// Descriptors end with so many bytes of the vendor's (DX, SL500).
    VendorBytes(2) = "vendor-bytes",
    /// Pages say that there are alternate volume tags, and there are none (mhvtl).
    FalseAlternateTags = "false-alternate-tags",
    /// Empty elements show the label of the last cartridge.
    StaleTags = "stale-tags",
    /// Labels that are not there are NULs instead of spaces.
    NulTags = "nul-tags",
    /// Labels that are not there are control and non-ASCII bytes.
    GarbageTags = "garbage-tags",
    /// Labels end after so many characters (Spectra T-series).
    LabelLength(10) = "label-length",
    /// No label is known before an INITIALIZE ELEMENT STATUS (Exabyte X80, Breece Hill).
    LabelsUnscanned = "labels-unscanned",
    /// When the door was closed, the labels in slots are in doubt (EXCEPT 83/03) until an INITIALIZE ELEMENT STATUS (Exabyte).
    LabelsDoubtfulAfterDoor = "labels-doubtful-after-door",
    /// No source address is valid.
    NoSource = "no-source",
    /// Every source address is that of a full slot.
    SourceIsFull = "source-is-full",
    /// Every source address is that of a drive (Spectra 10000).
    SourceIsDrive = "source-is-drive",
    /// Every source address is one at which there is no element.
    SourceIsNowhere = "source-is-nowhere",
    /// The last slots have no magazine: reported with EXCEPT 83/02, and motions are refused with 05/3B/11 (Exabyte).
    GhostSlots(4) = "ghost-slots",
    /// The last bays have no drive, and no logical unit: reported with EXCEPT 82/00, and motions are refused with 05/3B/1A (IBM
    /// Diamondback, TS4500).
    EmptyBays(1) = "empty-bays",
    /// The same with EXCEPT 83/04 and 05/80/06 (Exabyte).
    GhostDrives(1) = "ghost-drives",
    /// The last slots of page 1Dh do not exist (magazines that are out, slots without a licence).
    AbsentSlots(4) = "absent-slots",
    /// Each slot of that number does not exist: addresses with holes.
    AbsentEvery(7) = "absent-every",
    /// Page 1Dh does not count the last slots.
    UncountedSlots(4) = "uncounted-slots",
    /// There is no mode page 1Dh.
    NoGeometryPage = "no-geometry-page",
    /// MODE SENSE refuses DBD, and has a block descriptor.
    RejectDbd = "reject-dbd",
    /// There is no MODE SENSE(10) (StarWind's drives).
    ModeSense6Only = "mode-sense-6-only",
    /// There is no MODE SENSE(6).
    ModeSense10Only = "mode-sense-10-only",
    /// Mode page 1Dh reports no medium transport element (HP autoloaders).
    TransportCountZero = "transport-count-zero",
    /// A transport address other than 0 is refused (SuperLoader 3).
    TransportZeroOnly = "transport-zero-only",
    /// EXCHANGE MEDIUM is unknown, and page 1Fh says so.
    NoExchange = "no-exchange",
    /// Mode page 1Fh claims EXCHANGE MEDIUM, and the command is unknown (tgt).
    ExchangeClaimed = "exchange-claimed",
    /// A MOVE MEDIUM out of a drive is refused with 05/3B/90 until the host has unloaded it (Exabyte).
    HostUnloadFirst = "host-unload-first",
    /// The same with 05/3A/00.
    HostUnloadFirst3A = "host-unload-first-3a",
    /// The same with 05/53/01.
    HostUnloadFirst5301 = "host-unload-first-53-01",
    /// The same with 05/53/03.
    HostUnloadFirst5303 = "host-unload-first-53-03",
    /// Motions to and from import/export elements are refused with 05/21/01, and page 1Fh says so (Exabyte Magnum 1x7).
    NoPortMoves = "no-port-moves",
    /// Motions from a drive to a drive are refused with 05/21/01, and page 1Fh says so (Exabyte Magnum 1x7).
    NoDriveToDrive = "no-drive-to-drive",
    /// Motions from a transport are refused with 05/21/01, and page 1Fh says so: a cartridge that is in the arm stays there.
    NoArmSource = "no-arm-source",
    /// A motion that does not come to its end leaves its cartridge in the arm: its goal was filled by hands, or its initiator
    /// aborted it or reset the unit.
    ArmKeepsCartridge = "arm-keeps-cartridge",
    /// A cartridge in the arm is reported without its label.
    ArmWithoutLabel = "arm-without-label",
    /// So many seconds after it has ejected a cartridge a drive has no ACCESS, and MOVE MEDIUM is refused with 05/3A/00
    /// (IBM 3584).
    AccessLags(8) = "access-lags",
    /// INITIALIZE ELEMENT STATUS is GOOD at once, and nothing is scanned (TS4500, ACSLS).
    InitializeDoesNothing = "initialize-does-nothing",
    /// INITIALIZE ELEMENT STATUS is known only WITH RANGE, 37h.
    Initialize37Only = "initialize-37-only",
    /// INITIALIZE ELEMENT STATUS is known only WITH RANGE in its older form, E7h (Exabyte X80, 1x7).
    InitializeE7Only = "initialize-e7-only",
    /// There is no INITIALIZE ELEMENT STATUS (HP C72xx, Quantum C4).
    NoInitialize = "no-initialize",
    /// The library is not ready (02/04/02) until an INITIALIZE ELEMENT STATUS (ADIC 448, Plasmon).
    NeedsInitialize = "needs-initialize",
    /// While INITIALIZE ELEMENT STATUS is carried out, all that needs a ready library is refused with 02/04/01 (DX).
    RefusesWhileScanning = "refuses-while-scanning",
    /// PREVENT ALLOW MEDIUM REMOVAL is unknown to the changer (IBM Diamondback, tgt).
    NoPrevent = "no-prevent",
    /// PREVENT is GOOD and prevents nothing (mhvtl).
    PreventIgnored = "prevent-ignored",
    /// One initiator's ALLOW ends what all initiators prevent (SL3000).
    AllowClearsAll = "allow-clears-all",
    /// OPEN/CLOSE IMPORT/EXPORT ELEMENT is unknown (most libraries).
    NoPortCommand = "no-port-command",
    /// Operation code 1Bh unloads the magazine: all slots are gone, until it is loaded (SuperLoader 3).
    PortCommandIsMagazine = "port-command-is-magazine",
    /// A motion leaves a unit attention (28/00) for all other initiators.
    AttentionOnForeignMove = "attention-on-foreign-move",
    /// That a drive was exchanged is told by 28/00 at the changer, and not by 3B/1A and 3B/1B (BDT: IBM TS3100, Dell TL, HP MSL).
    SledsAsMediumChange = "sleds-as-medium-change",
    /// REPORT SUPPORTED OPERATION CODES is unknown (most changers).
    NoOperationCodes = "no-operation-codes",
    /// REPORT SUPPORTED OPERATION CODES recommends so many minutes for each command.
    RecommendsMinutes(45) = "recommends-minutes",
    /// Somebody is at the panel for so many seconds, from when the switch is turned on: all that needs a ready library is refused with
    /// 02/04/07 (Quantum SuperLoader 3).
    PanelSession(90) = "panel-session",
    /// The library is in pause mode for so many seconds, from when the switch is turned on: all that needs a ready library is refused
    /// with 02/04/85 (IBM 3584, TS4500).
    PauseMode(90) = "pause-mode",
    /// The library starts up for so many seconds, from when the switch is turned on: all that needs a ready library is refused with
    /// 02/04/01 (most libraries, for minutes).
    StartsUp(90) = "starts-up",
    /// The partition is granted to nobody for so many seconds, from when the switch is turned on: all but INQUIRY, REPORT LUNS and
    /// REQUEST SENSE is refused with 02/74/71 (Oracle SL150, SL4000).
    AccessDenied(90) = "access-denied",
    /// The library fails over between its ports for so many seconds, from when the switch is turned on and after each
    /// change of a port: commands are aborted with 0B/08/00, and so is a motion that ends then, although it was made (Oracle SL150, SL3000).
    PortFailover(30) = "port-failover",
    /// Log pages are filled with zeros to the allocation length (Quantum's drives).
    PadLogPages = "pad-log-pages",
    /// LOG SENSE and READ ATTRIBUTE of a drive with a cartridge take so many seconds (IBM LTO-9).
    SlowLogs(120) = "slow-logs",
    /// Status commands to the changer wait for the arms, instead of being answered while they move.
    SerializeAll = "serialize-all",
    /// Sense data has the descriptor format.
    DescriptorSense = "descriptor-sense",
    /// Sense data ends after 8 bytes: a key without a code.
    ShortSense = "short-sense",
    /// CHECK CONDITION comes without sense data; REQUEST SENSE has it.
    NoAutosense = "no-autosense",
}

impl fmt::Display for Quirk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())?;
        match self.number() {
            Some(number) => write!(formatter, ":{number}"),
            None => Ok(()),
        }
    }
}

/// There is no such switch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no quirk {text:?}: names are as in `no-dvcid`, a number stands behind a colon")]
pub struct UnknownQuirk {
    /// What was given.
    pub text: String,
}

impl FromStr for Quirk {
    type Err = UnknownQuirk;

    fn from_str(text: &str) -> Result<Self, UnknownQuirk> {
        let unknown = || UnknownQuirk { text: text.into() };
        match text.split_once(':') {
            None => Self::of(text, None),
            Some((name, number)) => Self::of(name, Some(number.parse().map_err(|_| unknown())?)),
        }
        .ok_or_else(unknown)
    }
}

impl Quirk {
    /// The number that it takes.
    fn number(self) -> Option<u16> {
        match self {
            Self::MaxElementsPerReport(number)
            | Self::MaxElementsAsked(number)
            | Self::SplitPages(number)
            | Self::DescriptorLength(number)
            | Self::VendorBytes(number)
            | Self::LabelLength(number)
            | Self::GhostSlots(number)
            | Self::AbsentSlots(number)
            | Self::AbsentEvery(number)
            | Self::UncountedSlots(number)
            | Self::RecommendsMinutes(number)
            | Self::PanelSession(number)
            | Self::PauseMode(number)
            | Self::StartsUp(number)
            | Self::AccessDenied(number)
            | Self::PortFailover(number)
            | Self::EmptyBays(number)
            | Self::GhostDrives(number)
            | Self::SlowLogs(number)
            | Self::AccessLags(number) => Some(number),
            _ => None,
        }
    }
}

/// The switches that are on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quirks(Vec<Quirk>);

impl Quirks {
    /// Turns a switch on; one that was on with another number has the new one.
    pub(crate) fn set(&mut self, quirk: Quirk) {
        self.clear(quirk);
        self.0.push(quirk);
    }

    pub(crate) fn clear(&mut self, quirk: Quirk) {
        self.0.retain(|known| known.name() != quirk.name());
    }

    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.0.contains(&quirk)
    }

    /// The number of a switch that is on; whatever number is given in `quirk`.
    pub(crate) fn number(&self, quirk: Quirk) -> Option<u16> {
        self.0.iter().find(|known| known.name() == quirk.name()).and_then(|known| known.number())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn every_switch_is_read_as_it_is_printed() {
        for &quirk in Quirk::ALL {
            assert_eq!(quirk.to_string().parse(), Ok(quirk));
        }
        assert_eq!("ghost-slots".parse(), Ok(Quirk::GhostSlots(4)));
        assert_eq!("ghost-slots:9".parse(), Ok(Quirk::GhostSlots(9)));
        for text in ["", "ghost", "no-dvcid:1", "ghost-slots:", "ghost-slots:70000"] {
            assert_eq!(text.parse::<Quirk>(), Err(UnknownQuirk { text: text.into() }));
        }
    }

    #[test]
    fn names_are_unique_and_a_number_of_the_table_is_one_that_is_kept() {
        for (index, quirk) in Quirk::ALL.iter().enumerate() {
            assert!(Quirk::ALL.iter().skip(index + 1).all(|other| other.name() != quirk.name()), "{quirk}");
            let mut quirks = Quirks::default();
            quirks.set(*quirk);
            assert!(quirks.has(*quirk));
            assert_eq!(quirks.number(*quirk), quirk.number());
        }
    }
}
