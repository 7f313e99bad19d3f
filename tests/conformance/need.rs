//! What a library must have for a body.

/// What a body may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// A cartridge in a slot, and an empty slot.
    Cartridge,
    /// Two cartridges in slots, and an empty slot.
    TwoCartridges,
    /// An empty drive.
    Drive,
    /// Drives that are reached behind the changer's port and told apart by serial number.
    DriveUnits,
    /// Drives' serial numbers in the element status (DVCID).
    DriveIdentifiers,
    /// An empty import/export element.
    MailSlot,
    /// MODE SENSE page 1Dh.
    Geometry,
    /// MODE SENSE page 1Fh.
    Capabilities,
    /// VPD pages 00h, 80h, 83h.
    VitalData,
    /// EXCHANGE MEDIUM.
    Exchange,
    /// POSITION TO ELEMENT.
    Position,
    /// PREVENT ALLOW MEDIUM REMOVAL.
    Prevent,
    /// INITIALIZE ELEMENT STATUS within the time of a test.
    Initialize,
    /// INITIALIZE ELEMENT STATUS WITH RANGE.
    InitializeRange,
    /// LOG SENSE.
    LogPages,
    /// PERSISTENT RESERVE IN and OUT.
    Reserve,
    /// REPORT SUPPORTED OPERATION CODES.
    OperationCodes,
    /// OPEN/CLOSE IMPORT/EXPORT ELEMENT, where nobody stands in front of the port.
    Ports,
}
