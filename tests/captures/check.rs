//! Whether a record is decoded as it stands, and what is odd in it, judged by its data alone.
//!
//! What cannot be decoded, or is built otherwise than it was read, is a fault of ours, or of who recorded it. What a device may do and should
//! not is an oddity: it is told, and the record is good.

use std::collections::BTreeMap;
use std::ops::Index;

use autochanger_scsi::*;

use crate::record::{Answer, Record};

use crate::reports::check_elements;

macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

pub(crate) use ensure;

/// Notes what a device should not do, where a condition does not hold.
macro_rules! usual {
    ($tally:expr, $condition:expr, $($message:tt)+) => {
        if !$condition {
            $tally.odd.push(format!($($message)+));
        }
    };
}
pub(crate) use usual;

/// How many records were of which kind, and what was odd in them.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) counts: BTreeMap<&'static str, usize>,
    pub(crate) odd: Vec<String>,
}

impl Index<&str> for Tally {
    type Output = usize;

    fn index(&self, kind: &str) -> &usize {
        self.counts.get(kind).unwrap_or(&0)
    }
}

/// Checks one record; says what does not fit.
pub(crate) fn check(
    record: &Record,
    layout: Option<&ElementAddressAssignment>,
    tally: &mut Tally,
) -> Result<(), String> {
    let command = check_command(&record.cdb, tally)?;
    let Some(answer) = &record.answer else {
        count(tally, "never sent");
        return Ok(());
    };
    check_answer(record.room, answer, tally)?;
    let data = &answer.data[..];
    match command {
        _ if data.is_empty() => Ok(()),
        Some(ChangerCommand::Inquiry(inquiry)) => check_inquiry(inquiry, data, tally),
        Some(ChangerCommand::ReportLuns(_)) => check_luns(data, tally),
        Some(ChangerCommand::RequestSense(_)) => check_sense(data, tally).map(|_| ()),
        Some(ChangerCommand::ModeSense6(ModeSense6 { page, subpage, control, .. })) => {
            check_mode(ModeParameters::parse6(data), (page, subpage, control), layout, tally)
        }
        Some(ChangerCommand::ModeSense10(ModeSense10 { page, subpage, control, .. })) => {
            check_mode(ModeParameters::parse10(data), (page, subpage, control), layout, tally)
        }
        Some(ChangerCommand::ReadElementStatus(command)) => {
            check_elements(command, record.room, data, layout, tally)
        }
        Some(ChangerCommand::LogSense(command)) => check_log(command, data, tally),
        Some(ChangerCommand::ReportSupportedOperationCodes(command)) => check_commands(command, data, tally),
        _ => Ok(()),
    }
}

pub(crate) fn count(tally: &mut Tally, kind: &'static str) {
    *tally.counts.entry(kind).or_default() += 1;
}

/// The command is decoded as what its operation code says and built again from the same bytes, refused with a
/// pointer to a byte that is not zero, or none of ours.
fn check_command(bytes: &[u8], tally: &mut Tally) -> Result<Option<ChangerCommand>, String> {
    let cdb = Cdb::from_bytes(bytes).ok_or("the CDB has the wrong length")?;
    ensure!(cdb.as_bytes() == bytes, "the CDB became {cdb}");
    if let Ok(command) = TapeCommand::decode(bytes) {
        ensure!(command.cdb() == cdb, "as a drive's command it is built as {}", command.cdb());
    }
    let name = match cdb.opcode() {
        0x00 => "TestUnitReady",
        0x03 => "RequestSense",
        0x07 => "InitializeElementStatus",
        0x12 => "Inquiry",
        0x1A => "ModeSense6",
        0x1B => "OpenCloseImportExport",
        0x1E => "PreventAllowMediumRemoval",
        0x2B => "PositionToElement",
        0x37 => "InitializeElementStatusWithRange",
        0x4D => "LogSense",
        0x5A => "ModeSense10",
        0x5E => "PersistentReserveIn",
        0x5F => "PersistentReserveOut",
        0x8C => "ReadAttribute",
        0x8D => "WriteAttribute",
        0xA0 => "ReportLuns",
        0xA3 => "ReportSupportedOperationCodes",
        0xA5 => "MoveMedium",
        0xA6 => "ExchangeMedium",
        0xB5 => "RequestVolumeElementAddress",
        0xB6 => "SendVolumeTag",
        0xB8 => "ReadElementStatus",
        0xE7 => "InitializeElementStatusWithRangeVendor",
        opcode => {
            let expected = Err(CdbError::UnknownOpcode(opcode));
            ensure!(ChangerCommand::decode(bytes) == expected, "{opcode:02X}h is decoded");
            count(tally, "another command");
            return Ok(None);
        }
    };
    match ChangerCommand::decode(bytes) {
        Ok(command) => {
            ensure!(command.cdb() == cdb, "{command:?} is built as {}", command.cdb());
            let shown = format!("{command:?}");
            ensure!(shown.starts_with(&format!("{name}(")), "{name} is decoded as {shown}");
            count(tally, "command");
            Ok(Some(command))
        }
        Err(CdbError::Field(field)) => {
            let byte = bytes.get(usize::from(field.byte)).copied();
            ensure!(byte.is_some_and(|byte| byte != 0), "{field} of {cdb}, which is zero or beyond the end");
            count(tally, "refused command");
            Ok(None)
        }
        Err(error) => Err(format!("{cdb}: {error}")),
    }
}

/// What was recorded is whole. Sense data if and only if there is a CHECK CONDITION; byte counts that agree.
fn check_answer(room: usize, answer: &Answer, tally: &mut Tally) -> Result<(), String> {
    let Answer { status, residual, got, sense, data } = answer;
    ensure!(data.len() == *got, "{} bytes of data-in instead of {got}", data.len());
    ensure!(*got <= room, "{got} bytes of data-in where there is room for {room}");
    let check_condition = *status == Status::CheckCondition;
    usual!(tally, check_condition != sense.is_empty(), "{status} with {} bytes of sense data", sense.len());
    if !sense.is_empty() {
        let sense = check_sense(sense, tally)?;
        usual!(tally, sense.key != SenseKey::NoSense, "{status} with {sense}");
    } else {
        let expected = (room as i64 - residual.max(&0)).max(0);
        usual!(tally, *got as i64 == expected, "{got} bytes of {room} with residual {residual}");
    }
    Ok(())
}

fn check_sense(data: &[u8], tally: &mut Tally) -> Result<Sense, String> {
    let sense = Sense::parse(data).ok_or("no sense data")?;
    usual!(tally, !sense.deferred, "deferred sense data");
    let again = Sense::parse(&sense.to_fixed());
    ensure!(again == Some(sense), "{sense:?} is written and read as {again:?}");
    let mut buffer = [0; Sense::MAX_DESCRIPTOR];
    let length = sense.write_descriptor(&mut buffer);
    let again = Sense::parse(&buffer[..length]);
    ensure!(again == Some(sense), "{sense:?} is written and read as {again:?}");
    count(tally, "sense data");
    Ok(sense)
}

fn check_inquiry(command: Inquiry, data: &[u8], tally: &mut Tally) -> Result<(), String> {
    let Some(page) = command.vpd else {
        let inquiry = StandardInquiry::parse(data).map_err(|error| error.to_string())?;
        let device_type = inquiry.device_type();
        usual!(tally, matches!(device_type, DeviceType::Changer | DeviceType::Tape), "a {device_type}");
        let limit = usize::from(command.allocation).min(inquiry.available());
        usual!(tally, data.len() == limit, "{} bytes of {} available", data.len(), inquiry.available());
        if data.len() >= 36 {
            let names = [inquiry.vendor(), inquiry.product()];
            usual!(tally, names.iter().all(|name| !name.is_empty()), "a name is missing in {names:?}");
        }
        count(tally, "standard inquiry data");
        return Ok(());
    };
    if data.len() < 4 {
        return Ok(());
    }
    usual!(tally, data[1] == page, "page {:02X}h instead of {page:02X}h", data[1]);
    if data[1] != page {
        return Ok(());
    }
    let short = |error: ShortData| error.to_string();
    match page {
        vpd::SUPPORTED_PAGES => {
            let pages: Vec<_> = vpd::SupportedPages::parse(data).map_err(short)?.pages().collect();
            usual!(tally, pages.contains(&vpd::SUPPORTED_PAGES), "{pages:02x?} without the page itself");
            count(tally, "vital product data");
        }
        vpd::UNIT_SERIAL if data.len() > 12 => {
            let serial = vpd::UnitSerial::parse(data).map_err(short)?.serial();
            usual!(tally, !serial.is_empty() && serial.trim() == serial, "serial number {serial:?}");
            count(tally, "vital product data");
        }
        vpd::DEVICE_IDENTIFICATION if data.len() > 12 => {
            let page = vpd::DeviceIdentification::parse(data).map_err(short)?;
            let empty = page.designators().filter(|designator| designator.bytes.is_empty()).count();
            usual!(tally, empty == 0, "{empty} empty designators");
            count(tally, "vital product data");
        }
        _ => {}
    }
    Ok(())
}

fn check_luns(data: &[u8], tally: &mut Tally) -> Result<(), String> {
    let list = LunList::parse(data).map_err(|error| error.to_string())?;
    let numbers: Vec<_> = list.luns().map(lun_number).collect();
    ensure!(numbers.len() == (data.len() - 8).min(list.byte_count() as usize) / 8, "{} units", numbers.len());
    usual!(tally, numbers.contains(&Some(0)), "no logical unit 0 in {numbers:?}");
    usual!(tally, numbers.iter().all(Option::is_some), "a logical unit without a number in {numbers:?}");
    count(tally, "list of logical units");
    Ok(())
}

fn check_log(command: LogSense, data: &[u8], tally: &mut Tally) -> Result<(), String> {
    let page = LogPage::parse(data).map_err(|error| error.to_string())?;
    usual!(tally, page.code() == command.page, "page {:02X}h instead of {:02X}h", page.code(), command.page);
    let short = |error: ShortData| error.to_string();
    match page.code() {
        SupportedLogPages::PAGE => {
            let list = SupportedLogPages::parse(data).map_err(short)?;
            usual!(tally, list.contains(SupportedLogPages::PAGE), "a list of pages without itself");
        }
        TapeAlertPage::PAGE => {
            let flags = TapeAlertPage::parse(data).map_err(short)?.present.iter().count();
            ensure!(page.is_truncated() || flags == page.parameters().count(), "{flags} flags");
        }
        _ => {
            let bytes: usize = page.parameters().map(|parameter| 4 + parameter.value.len()).sum();
            ensure!(page.is_truncated() || bytes == page.bytes().len(), "parameters do not fill the page");
        }
    }
    count(tally, "log page");
    Ok(())
}

fn check_commands(
    command: ReportSupportedOperationCodes,
    data: &[u8],
    tally: &mut Tally,
) -> Result<(), String> {
    if command.options != ReportingOptions::All {
        let one = OneCommand::parse(data).map_err(|error| error.to_string())?;
        usual!(tally, one.support != CommandSupport::Unknown, "support is unknown");
        count(tally, "supported command");
        return Ok(());
    }
    let list = SupportedCommands::parse(data).map_err(|error| error.to_string())?;
    let commands: Vec<_> = list.commands().collect();
    usual!(tally, !commands.is_empty(), "no command is supported");
    for command in commands {
        let length = usize::from(command.cdb_length);
        let usual = cdb_length(command.opcode).is_none_or(|usual| usual == length);
        usual!(tally, usual, "{:02X}h has {length} bytes", command.opcode);
        let shares = matches!(command.opcode, 0x5E | 0x5F | 0x8C | 0x9E | 0xA3 | 0xA4 | 0xAB);
        usual!(tally, command.service_action.is_none() || shares, "{command:?}");
    }
    count(tally, "list of supported commands");
    Ok(())
}

fn ranges(addresses: &ElementAddressAssignment) -> String {
    let ranges = ElementType::ALL.map(|kind| {
        let range = addresses.range(kind);
        format!("{} {kind} from {}", range.count, range.first)
    });
    ranges.join(", ")
}

fn check_mode(
    parameters: Result<ModeParameters<'_>, ShortData>,
    (code, subpage, control): (u8, u8, PageControl),
    layout: Option<&ElementAddressAssignment>,
    tally: &mut Tally,
) -> Result<(), String> {
    const ALL_PAGES: u8 = 0x3F;
    let parameters = parameters.map_err(|error| error.to_string())?;
    let pages: Vec<_> = parameters.pages().collect();
    // A device that forgets to mark its subpages makes the pages after them unreadable.
    if !parameters.is_truncated() && subpage == 0 {
        ensure!(pages.iter().all(ModePage::is_complete), "a page is cut in data that is whole");
        let asked = code == ALL_PAGES || pages.iter().any(|page| page.code == code);
        usual!(tally, asked || pages.is_empty(), "page {code:02X}h is not among those sent");
    }
    if code != ALL_PAGES && subpage == 0 {
        let other = pages.iter().find(|page| page.code != code).map(|page| page.code);
        usual!(tally, other.is_none(), "page {other:02X?} in answer to {code:02X}h");
    }
    if let Some(page) = parameters.page(DeviceCapabilities::PAGE, 0).filter(|page| page.len() >= 8) {
        DeviceCapabilities::parse(page).map_err(|error| error.to_string())?;
    }
    if let Some(page) = parameters.page(ElementAddressAssignment::PAGE, 0)
        && let Some(layout) = layout
        && control == PageControl::Current
        && page.len() >= 18
    {
        let assignment = ElementAddressAssignment::parse(page).map_err(|error| error.to_string())?;
        usual!(tally, assignment == *layout, "{} instead of {}", ranges(&assignment), ranges(layout));
        count(tally, "element addresses");
    }
    count(tally, "mode parameters");
    Ok(())
}

/// Reads data as everything that it could be; this must end, and not panic.
pub(crate) fn read_as_anything(data: &[u8]) -> usize {
    let mut seen = 0;
    if let Ok(report) = ElementStatus::parse(data) {
        for element in report.elements() {
            seen += format!("{element:?} {:?}", element.scsi_address()).len();
            seen += element.device_id().and_then(|id| id.serial()).map_or(0, str::len);
            seen += element.alternate_volume_tag().map_or(0, |tag| tag.identifier().len());
        }
    }
    for parameters in [ModeParameters::parse6(data), ModeParameters::parse10(data)].into_iter().flatten() {
        for page in parameters.pages() {
            seen += usize::from(ElementAddressAssignment::parse(page.bytes).is_ok());
            seen += usize::from(DeviceCapabilities::parse(page.bytes).is_ok());
            seen += TransportGeometry::parse(page.bytes).map_or(0, |page| page.transports().len());
            seen += usize::from(ExtendedCapabilities::parse(page.bytes).is_ok());
        }
    }
    seen += StandardInquiry::parse(data).map_or(0, |inquiry| inquiry.product().len());
    seen += vpd::SupportedPages::parse(data).map_or(0, |page| page.pages().count());
    seen += vpd::UnitSerial::parse(data).map_or(0, |page| page.serial().len());
    seen += vpd::DeviceIdentification::parse(data).map_or(0, |page| page.designators().count());
    seen += LunList::parse(data).map_or(0, |list| list.luns().count());
    seen += LogPage::parse(data).map_or(0, |page| page.parameters().count());
    seen += SupportedCommands::parse(data).map_or(0, |list| list.commands().count());
    seen += ReservationStatus::parse(data).map_or(0, |status| status.registrations().count());
    seen += Attributes::parse(data).map_or(0, |list| list.iter().count());
    seen + Sense::parse(data).map_or(0, |sense| sense.to_string().len())
}
