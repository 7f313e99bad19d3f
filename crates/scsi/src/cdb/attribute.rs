//! Medium auxiliary memory: the chip in the cartridge (SPC).

use super::layout::{bit, bits, bytes, choices, commands};
use crate::ElementAddress;

choices! {
    /// What READ ATTRIBUTE asks for.
    #[derive(Default)]
    ReadAttributeAction {
        /// ATTRIBUTE VALUES.
        #[default]
        Values = 0,
        /// ATTRIBUTE LIST: the identifiers of those that have values.
        List = 1,
        /// LOGICAL VOLUME LIST.
        LogicalVolumes = 2,
        /// PARTITION LIST.
        Partitions = 3,
        /// SUPPORTED ATTRIBUTES: the identifiers of those that can have values.
        Supported = 5,
    }
}

commands! {
    /// READ ATTRIBUTE: what stands in the cartridge's memory.
    #[doc(alias = "READ ATTRIBUTE")]
    #[doc(alias = "MAM")]
    #[derive(Default)]
    ReadAttribute = 0x8C [16] {
        /// What is asked for.
        action: ReadAttributeAction = bits(1, 4, 0),
        /// The element, where a changer has a reader of its own; 0 for a drive.
        element: ElementAddress = bytes(2, 2),
        /// Logical volume number; 0.
        volume: u8 = bytes(5, 1),
        /// Partition number.
        partition: u8 = bytes(7, 1),
        /// The lowest identifier wanted. Some drives refuse one without a value: ask from 0.
        first: u16 = bytes(8, 2),
        /// Allocation length in bytes.
        allocation: u32 = bytes(10, 4),
        /// CACHE: an answer from the drive's cache will do.
        cache: bool = bit(14, 0),
    }

    /// WRITE ATTRIBUTE: change the cartridge's memory. Its data is what
    /// [`AttributeWriter`](crate::AttributeWriter) writes.
    #[doc(alias = "WRITE ATTRIBUTE")]
    #[derive(Default)]
    WriteAttribute = 0x8D [16] {
        /// WTC: answer only when the chip is written.
        write_through: bool = bit(1, 0),
        /// The element, where a changer has a reader of its own; 0 for a drive.
        element: ElementAddress = bytes(2, 2),
        /// Logical volume number; 0.
        volume: u8 = bytes(5, 1),
        /// Partition number.
        partition: u8 = bytes(7, 1),
        /// Length of the parameter list in bytes.
        length: u32 = bytes(10, 4),
    }
}
