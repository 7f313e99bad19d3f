//! Commands of a medium changer (SMC).

use super::layout::{FlaggedRange, bit, bits, bytes, choices, commands};
use crate::{ElementAddress, ElementType};

commands! {
    /// INITIALIZE ELEMENT STATUS: take inventory of the whole library. Minutes to an hour of motion.
    #[doc(alias = "INITIALIZE ELEMENT STATUS")]
    #[derive(Default)]
    InitializeElementStatus = 0x07 [6] {}

    /// INITIALIZE ELEMENT STATUS WITH RANGE (SMC-2, 37h).
    #[derive(Default)]
    InitializeElementStatusWithRange = 0x37 [10] {
        /// FAST: see whether elements are full, do not read labels.
        fast: bool = bit(1, 1),
        /// First element and number of elements (0: to the end); `None` means the whole library.
        range: Option<(ElementAddress, u16)> = FlaggedRange { flag: bit(1, 0), start: bytes(2, 2), count: bytes(6, 2) },
    }

    /// INITIALIZE ELEMENT STATUS WITH RANGE in its older vendor form (E7h): IBM 3584 and successors, ADIC and
    /// Quantum Scalar, Exabyte.
    #[derive(Default)]
    InitializeElementStatusWithRangeVendor = 0xE7 [10] {
        /// NBL: see whether elements are full, do not read labels. It lies in the control byte.
        no_bar_code: bool = bit(9, 7),
        /// First element and number of elements (0: to the end); `None` means the whole library.
        range: Option<(ElementAddress, u16)> = FlaggedRange { flag: bit(1, 0), start: bytes(2, 2), count: bytes(6, 2) },
    }

    /// READ ELEMENT STATUS: what is where.
    #[doc(alias = "RES")]
    #[doc(alias = "READ ELEMENT STATUS")]
    ReadElementStatus = 0xB8 [12] {
        /// The type of the elements to report; `None` means all types.
        element_type: Option<ElementType> = bits(1, 3, 0),
        /// Report elements with this address or a higher one.
        start: ElementAddress = bytes(2, 2),
        /// At most so many elements. 0 is answered differently by each device: ask for FFFFh.
        count: u16 = bytes(4, 2),
        /// VOLTAG: report volume tags.
        volume_tags: bool = bit(1, 4),
        /// CURDATA: answer from memory, move nothing.
        current_data: bool = bit(6, 1),
        /// DVCID: report device identifiers. Ask for them of drives only.
        device_ids: bool = bit(6, 0),
        /// Allocation length in bytes, 24 bits.
        allocation: u32 = bytes(7, 3),
    }

    /// MOVE MEDIUM.
    #[doc(alias = "MOVE MEDIUM")]
    MoveMedium = 0xA5 [12] {
        /// The transport element that carries; 0 lets the library choose.
        transport: ElementAddress = bytes(2, 2),
        /// Where the cartridge is.
        source: ElementAddress = bytes(4, 2),
        /// Where it shall be.
        destination: ElementAddress = bytes(6, 2),
        /// INVERT: turn the medium over on the way. Tape has one side: `false`.
        invert: bool = bit(10, 0),
    }

    /// EXCHANGE MEDIUM: source to first destination, what was there to second destination.
    #[doc(alias = "EXCHANGE MEDIUM")]
    ExchangeMedium = 0xA6 [12] {
        /// The transport element that carries; 0 lets the library choose.
        transport: ElementAddress = bytes(2, 2),
        /// Where the arriving cartridge is.
        source: ElementAddress = bytes(4, 2),
        /// Where it shall be, and where the leaving cartridge is.
        first_destination: ElementAddress = bytes(6, 2),
        /// Where the leaving cartridge shall be; may be the source.
        second_destination: ElementAddress = bytes(8, 2),
        /// INV1: turn the arriving medium over. Devices disagree about the bit: `false`.
        invert_first: bool = bit(10, 1),
        /// INV2: turn the leaving medium over. Devices disagree about the bit: `false`.
        invert_second: bool = bit(10, 0),
    }

    /// POSITION TO ELEMENT: bring the robot in front of an element.
    #[doc(alias = "POSITION TO ELEMENT")]
    PositionToElement = 0x2B [10] {
        /// The transport element; 0 lets the library choose.
        transport: ElementAddress = bytes(2, 2),
        /// Where it shall wait.
        destination: ElementAddress = bytes(4, 2),
        /// INVERT: turn the picker.
        invert: bool = bit(8, 0),
    }

    /// OPEN/CLOSE IMPORT/EXPORT ELEMENT: put a port out for the operator, or take it in.
    #[doc(alias = "OPEN/CLOSE IMPORT/EXPORT ELEMENT")]
    OpenCloseImportExport = 0x1B [6] {
        /// The port.
        element: ElementAddress = bytes(2, 2),
        /// Open or close it.
        action: PortAction = bits(4, 4, 0),
    }

    /// SEND VOLUME TAG: search for volume tags, or define them. Its data is a
    /// [`VolumeTagTemplate`](crate::VolumeTagTemplate); REQUEST VOLUME ELEMENT ADDRESS fetches what was found.
    #[doc(alias = "SEND VOLUME TAG")]
    SendVolumeTag = 0xB6 [12] {
        /// The type of the elements concerned; `None` means all types.
        element_type: Option<ElementType> = bits(1, 3, 0),
        /// Elements with this address or a higher one.
        start: ElementAddress = bytes(2, 2),
        /// What is to be done.
        action: VolumeTagAction = bits(5, 4, 0),
        /// Length of the parameter list in bytes: 40, or 0 where none is needed.
        length: u16 = bytes(8, 2),
    }

    /// REQUEST VOLUME ELEMENT ADDRESS: what this initiator's last SEND VOLUME TAG found.
    #[doc(alias = "REQUEST VOLUME ELEMENT ADDRESS")]
    RequestVolumeElementAddress = 0xB5 [12] {
        /// The type of the elements to report; `None` means all types.
        element_type: Option<ElementType> = bits(1, 3, 0),
        /// Report elements with this address or a higher one.
        start: ElementAddress = bytes(2, 2),
        /// At most so many elements.
        count: u16 = bytes(4, 2),
        /// VOLTAG: report volume tags.
        volume_tags: bool = bit(1, 4),
        /// Allocation length in bytes, 24 bits.
        allocation: u32 = bytes(7, 3),
    }
}

choices! {
    /// What happens to a port.
    PortAction {
        /// Open it, or extend its tray.
        Open = 0,
        /// Close it, or retract its tray.
        Close = 1,
    }

    /// What SEND VOLUME TAG does.
    VolumeTagAction {
        /// Find primary and alternate tags.
        TranslateAll = 0x00,
        /// Find primary tags.
        TranslatePrimary = 0x01,
        /// Find alternate tags.
        TranslateAlternate = 0x02,
        /// Find primary and alternate tags, whatever their sequence numbers.
        TranslateAllAnySequence = 0x04,
        /// Find primary tags, whatever their sequence numbers.
        TranslatePrimaryAnySequence = 0x05,
        /// Find alternate tags, whatever their sequence numbers.
        TranslateAlternateAnySequence = 0x06,
        /// Define the primary tag of one element that has none.
        AssertPrimary = 0x08,
        /// Define the alternate tag of one element that has none.
        AssertAlternate = 0x09,
        /// Define the primary tag of one element, whatever it was.
        ReplacePrimary = 0x0A,
        /// Define the alternate tag of one element, whatever it was.
        ReplaceAlternate = 0x0B,
        /// Forget the primary tag of one element.
        UndefinePrimary = 0x0C,
        /// Forget the alternate tag of one element.
        UndefineAlternate = 0x0D,
    }
}

impl VolumeTagAction {
    /// Whether it searches and changes nothing.
    pub const fn translates(self) -> bool {
        self.code() < Self::AssertPrimary.code()
    }
}
