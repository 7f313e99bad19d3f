//! What is sent to devices and what they answer, in words. Data for a device are not shown: reservation keys are among them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use autochanger_scsi::{
    Cdb, ChangerCommand, Element, ElementAddress, ElementStatus, ElementType, PortAction, ReadElementStatus,
    StandardInquiry, Status, TapeCommand, command_name,
};

use super::{Transcript, counted, join};
use crate::command::{Completion, TransportError};
use crate::id::{CommandId, Device, LibraryIndex, Path};

/// Elements of a report that are told one by one: what a look at the elements of one motion sees, an exchange's included.
/// Of longer reports the full elements are counted.
const ELEMENTS_SHOWN: usize = 4;

/// From here a READ ELEMENT STATUS asks for all that there is, not for a number of elements.
const ALL_ELEMENTS: u16 = u16::MAX;

impl Transcript {
    pub(super) fn wire_sent(&mut self, path: Path, id: CommandId, cdb: &Cdb) -> String {
        self.sent.insert(id, (path, *cdb));
        format!("command {} to {}: {}", id.0, self.names.device(path), self.command(path, cdb))
    }

    pub(super) fn wire_answered(
        &mut self,
        id: CommandId,
        result: Result<&Completion, &TransportError>,
    ) -> String {
        let sent = self.sent.remove(&id);
        let name = sent.and_then(|(path, cdb)| short_name(path, &cdb)).unwrap_or("unknown");
        let said = match result {
            Err(error) => error.to_string(),
            Ok(completion) => {
                let mut said = completion.status.to_string();
                if let Some(sense) = completion.sense() {
                    said.push_str(&format!(" {sense}"));
                }
                if let (Status::Good, Some((path, cdb))) = (completion.status, sent) {
                    said.push_str(&self.data(path, &cdb, &completion.data));
                }
                said
            }
        };
        format!("command {} {name}: {said}", id.0)
    }

    /// A command with its parameters, as far as they say what happens.
    fn command(&self, path: Path, cdb: &Cdb) -> String {
        let Some(name) = short_name(path, cdb) else { return cdb.to_string() };
        match self.parameters(path, cdb) {
            Some(parameters) => format!("{name} {parameters}"),
            None => name.into(),
        }
    }

    fn parameters(&self, path: Path, cdb: &Cdb) -> Option<String> {
        let element = |address| self.names.element(path.library, address);
        // 0: whichever the library chooses.
        let by = |arm: ElementAddress| {
            if arm.0 == 0 { String::new() } else { format!(" by {}", element(arm)) }
        };
        if path.device != Device::Changer
            && let Ok(command) = TapeCommand::decode(cdb.as_bytes())
        {
            return match command {
                TapeCommand::LoadUnload(load) => Some(if load.load { "to load" } else { "to unload" }.into()),
                TapeCommand::Inquiry(inquiry) => vital_page(inquiry.vpd),
                TapeCommand::PreventAllowMediumRemoval(lock) => Some(prevent_or_allow(lock.prevent)),
                _ => None,
            };
        }
        match ChangerCommand::decode(cdb.as_bytes()).ok()? {
            ChangerCommand::MoveMedium(motion) => Some(format!(
                "{} to {}{}",
                element(motion.source),
                element(motion.destination),
                by(motion.transport)
            )),
            ChangerCommand::ExchangeMedium(exchange) => Some(format!(
                "{} to {}, what is there to {}{}",
                element(exchange.source),
                element(exchange.first_destination),
                element(exchange.second_destination),
                by(exchange.transport)
            )),
            ChangerCommand::PositionToElement(position) => {
                Some(format!("{}{}", element(position.destination), by(position.transport)))
            }
            ChangerCommand::ReadElementStatus(read) => Some(reading(&read)),
            ChangerCommand::InitializeElementStatusWithRange(range) => range.range.map(range_text),
            ChangerCommand::InitializeElementStatusWithRangeVendor(range) => range.range.map(range_text),
            ChangerCommand::OpenCloseImportExport(port) => {
                let what = if port.action == PortAction::Open { "to open" } else { "to close" };
                Some(format!("{what} {}", element(port.element)))
            }
            ChangerCommand::Inquiry(inquiry) => vital_page(inquiry.vpd),
            ChangerCommand::ModeSense6(mode) => Some(page_text(mode.page, mode.subpage)),
            ChangerCommand::ModeSense10(mode) => Some(page_text(mode.page, mode.subpage)),
            ChangerCommand::LogSense(log) => Some(page_text(log.page, log.subpage)),
            ChangerCommand::PreventAllowMediumRemoval(lock) => Some(prevent_or_allow(lock.prevent)),
            _ => None,
        }
    }

    /// What the data of an answer say, where that is short; learns from them what the elements are.
    fn data(&mut self, path: Path, cdb: &Cdb, data: &[u8]) -> String {
        match ChangerCommand::decode(cdb.as_bytes()) {
            Ok(ChangerCommand::ReadElementStatus(_)) => match ElementStatus::parse(data) {
                Ok(report) => format!(", {}", self.report(path.library, &report)),
                Err(_) => String::from(", a report without a header"),
            },
            Ok(ChangerCommand::Inquiry(inquiry)) if inquiry.vpd.is_none() => {
                match StandardInquiry::parse(data) {
                    Ok(it) => format!(", {} {} {}", it.vendor(), it.product(), it.revision()),
                    Err(_) => String::new(),
                }
            }
            _ => String::new(),
        }
    }

    fn report(&mut self, library: LibraryIndex, report: &ElementStatus<'_>) -> String {
        let (mut count, mut full, mut shown) = (0, 0, Vec::new());
        for element in report.elements() {
            self.names.element_seen(library, element.address(), element.element_type());
            count += 1;
            full += usize::from(element.full());
            if count <= ELEMENTS_SHOWN {
                shown.push(self.seen(library, &element));
            }
        }
        if count == 0 || count > ELEMENTS_SHOWN {
            format!("{}, {full} full", counted(count, "element"))
        } else {
            join(shown.into_iter(), ", ")
        }
    }

    fn seen(&self, library: LibraryIndex, element: &Element<'_>) -> String {
        let name = self.names.element(library, element.address());
        let label = element.volume_tag().map(|tag| tag.identifier().to_string());
        let mut text = match (element.full(), label.filter(|label| !label.is_empty())) {
            (true, Some(label)) => format!("{name} holds {label}"),
            (true, None) => format!("{name} is full"),
            (false, _) => format!("{name} is empty"),
        };
        if let Some(exception) = element.exception() {
            text.push_str(&format!(" ({exception})"));
        }
        text
    }
}

/// What the operation code means to this device.
fn short_name(path: Path, cdb: &Cdb) -> Option<&'static str> {
    match (cdb.opcode(), path.device) {
        (0x1B, Device::Changer) => Some("OPEN/CLOSE IMPORT/EXPORT ELEMENT"),
        (0x1B, _) => Some("LOAD UNLOAD"),
        (0x2B, Device::Changer) => Some("POSITION TO ELEMENT"),
        (0x2B, _) => Some("LOCATE(10)"),
        (0x44, Device::Changer) => Some("REPORT VOLUME TYPES SUPPORTED"),
        (0x44, _) => Some("REPORT DENSITY SUPPORT"),
        (opcode, _) => command_name(opcode),
    }
}

fn reading(read: &ReadElementStatus) -> String {
    let kind = match read.element_type {
        None => "elements",
        Some(ElementType::Transport) => "arms",
        Some(ElementType::Storage) => "slots",
        Some(ElementType::ImportExport) => "ports",
        Some(ElementType::Drive) => "drives",
    };
    let many = match read.count {
        ALL_ELEMENTS => String::from("all"),
        count => format!("at most {count}"),
    };
    let identifiers = if read.device_ids { ", with identifiers" } else { "" };
    format!("of {kind} from {}, {many}{identifiers}", read.start)
}

fn range_text((start, count): (ElementAddress, u16)) -> String {
    match count {
        0 => format!("from {start} to the end"),
        count => format!("from {start}, {count}"),
    }
}

fn vital_page(page: Option<u8>) -> Option<String> {
    page.map(|code| page_text(code, 0))
}

fn page_text(page: u8, subpage: u8) -> String {
    match subpage {
        0 => format!("page {page:02X}h"),
        subpage => format!("page {page:02X}h, subpage {subpage:02X}h"),
    }
}

fn prevent_or_allow(prevent: bool) -> String {
    String::from(if prevent { "to prevent" } else { "to allow" })
}
