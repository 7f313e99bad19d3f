//! What real devices do differently, as switches.

/// A deviation from the standard that real libraries or emulators show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quirk {
    /// READ ELEMENT STATUS refuses DVCID with 05/24/00 (Qualstar).
    NoDvcid,
    /// READ ELEMENT STATUS refuses DVCID unless the element type is *data transfer* (IBM TS3500).
    DvcidDrivesOnly,
    /// READ ELEMENT STATUS refuses VOLTAG together with DVCID.
    NoVoltagWithDvcid,
    /// READ ELEMENT STATUS refuses CURDATA (SCSI-2 changers).
    RejectCurdata,
    /// READ ELEMENT STATUS reports at most that many elements in one answer.
    MaxElementsPerReport(u16),
    /// Each element report lacks its last 8 bytes, though its byte counts include them (tgt).
    ShortBy8,
    /// EXCHANGE MEDIUM is unknown, and page 1Fh says so.
    NoExchange,
    /// Mode page 1Dh reports no medium transport element (HP autoloaders).
    TransportCountZero,
    /// A MOVE MEDIUM out of a drive is refused with 05/3B/90 until the host has unloaded it (Exabyte).
    HostUnloadFirst,
    /// Status commands to the changer wait for the arms, instead of being answered while they move.
    SerializeAll,
}

/// The switches in the form in which the device asks for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quirks {
    pub(crate) no_dvcid: bool,
    pub(crate) dvcid_drives_only: bool,
    pub(crate) no_voltag_with_dvcid: bool,
    pub(crate) reject_curdata: bool,
    pub(crate) max_elements_per_report: Option<u16>,
    pub(crate) short_by_8: bool,
    pub(crate) no_exchange: bool,
    pub(crate) transport_count_zero: bool,
    pub(crate) host_unload_first: bool,
    pub(crate) serialize_all: bool,
}

impl Quirks {
    pub(crate) fn set(&mut self, quirk: Quirk) {
        match quirk {
            Quirk::NoDvcid => self.no_dvcid = true,
            Quirk::DvcidDrivesOnly => self.dvcid_drives_only = true,
            Quirk::NoVoltagWithDvcid => self.no_voltag_with_dvcid = true,
            Quirk::RejectCurdata => self.reject_curdata = true,
            Quirk::MaxElementsPerReport(count) => self.max_elements_per_report = Some(count),
            Quirk::ShortBy8 => self.short_by_8 = true,
            Quirk::NoExchange => self.no_exchange = true,
            Quirk::TransportCountZero => self.transport_count_zero = true,
            Quirk::HostUnloadFirst => self.host_unload_first = true,
            Quirk::SerializeAll => self.serialize_all = true,
        }
    }
}
