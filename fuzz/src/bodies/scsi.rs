//! What devices and initiators send, as the codec reads it: nothing panics, and nothing is read twice.

use autochanger_scsi::*;

/// A copy with one byte replaced, where it is there.
fn with(data: &[u8], at: usize, value: u8) -> Vec<u8> {
    let mut data = data.to_vec();
    if let Some(byte) = data.get_mut(at) {
        *byte = value;
    }
    data
}

/// A copy whose length field fits, so that what follows is looked at.
fn with_length(data: &[u8], field: std::ops::Range<usize>) -> Vec<u8> {
    let mut data = data.to_vec();
    let length = data.len().saturating_sub(field.end).to_be_bytes();
    let end = length.len();
    if let Some(bytes) = data.get_mut(field.clone()) {
        bytes.copy_from_slice(&length[end - field.len()..]);
    }
    data
}

/// READ ELEMENT STATUS: a report cannot hold more elements than it has bytes for, four in the shortest descriptor.
pub fn element_status(data: &[u8]) {
    report(data);
    report(&with_length(data, 5..8));
    let _ = DeviceId::parse(data)
        .map(|id| format!("{id:?} {:?}", (id.vendor(), id.product(), id.serial(), id.naa())));
}

fn report(data: &[u8]) {
    let Ok(report) = ElementStatus::parse(data) else { return };
    let mut count = 0;
    for element in report.elements() {
        count += 1;
        let _ = format!("{element:?} {:?}", element.scsi_address());
        let _ = (element.alternate_volume_tag(), element.raw_volume_tag(), element.after_tags());
        if let Some(tag) = element.volume_tag() {
            assert!(!tag.identifier().is_empty());
            assert!(tag.identifier().bytes().all(|byte| (0x20..0x7F).contains(&byte)));
            assert_eq!(tag.identifier(), tag.identifier().trim());
        }
        if let Some(id) = element.device_id() {
            let _ = (id.vendor(), id.product(), id.serial(), id.naa());
        }
    }
    assert!(count <= data.len() / 4);
    assert!(report.pages().count() <= data.len() / 8);
    let _ = (report.is_truncated(), report.is_well_formed(), report.first_element());
}

/// Sense data in fixed and in descriptor format, current and deferred.
pub fn sense(data: &[u8]) {
    let _ = Sense::parse(data).map(|sense| format!("{sense} {sense:?}"));
    for response in 0x70..0x74 {
        let data = with(data, 0, data.first().copied().unwrap_or(0) & 0x80 | response);
        match Sense::parse(&data) {
            Some(sense) => {
                let _ = format!("{sense} {sense:?} {:?}", sense.code.meaning());
                assert!(Sense::parse(&sense.to_fixed()).is_some());
            }
            None => assert!(data.len() < 3, "{data:02x?}"),
        }
    }
}

/// INQUIRY: standard data, and the vital product data pages that are read.
pub fn inquiry(data: &[u8]) {
    if let Ok(inquiry) = StandardInquiry::parse(data) {
        for text in [inquiry.vendor(), inquiry.product(), inquiry.revision()] {
            assert!(text.bytes().all(|byte| (0x20..0x7F).contains(&byte)));
        }
        let _ = (inquiry.vendor_specific(), inquiry.device_type().to_string(), inquiry.mchngr());
    }
    vital_product_data(data);
    for page in [
        vpd::SUPPORTED_PAGES,
        vpd::UNIT_SERIAL,
        vpd::DEVICE_IDENTIFICATION,
        vpd::TAPE_CAPABILITIES,
        vpd::MANUFACTURER_SERIAL,
        vpd::LIBRARY_SERIAL,
        vpd::DRIVE_ELEMENT,
    ] {
        vital_product_data(&with(&with_length(data, 2..4), 1, page));
    }
}

fn vital_product_data(data: &[u8]) {
    if let Ok(page) = vpd::SupportedPages::parse(data) {
        assert!(page.pages().count() <= data.len());
    }
    let _ = (vpd::TapeCapabilities::parse(data), vpd::DriveElement::parse(data));
    assert!(vpd::LibrarySerial::parse(data).map_or(0, |page| page.serial().len()) <= data.len());
    assert!(vpd::ManufacturerSerial::parse(data).map_or(0, |page| page.serial().len()) <= data.len());
    if let Ok(page) = vpd::UnitSerial::parse(data) {
        assert!(page.serial().is_ascii());
    }
    if let Ok(page) = vpd::DeviceIdentification::parse(data) {
        assert!(page.designators().map(|it| 4 + it.bytes.len()).sum::<usize>() <= data.len());
        page.designators().for_each(|it| _ = format!("{it:?}"));
    }
}

/// MODE SENSE: the parameters with their pages, and each page that is read, also by itself.
pub fn mode_pages(data: &[u8]) {
    for parameters in [ModeParameters::parse6(data), ModeParameters::parse10(data)].into_iter().flatten() {
        assert!(parameters.pages().map(|page| page.bytes.len()).sum::<usize>() <= data.len());
        parameters.pages().for_each(|page| mode_page(page.bytes));
    }
    mode_page(data);
    for page in [0x1D, 0x1E, 0x1F, 0x5F] {
        mode_page(&with(data, 0, page));
    }
}

fn mode_page(data: &[u8]) {
    if let Ok(page) = ElementAddressAssignment::parse(data) {
        // One of them, for it may be long: no more than there are addresses.
        let element_type =
            ElementType::ALL[usize::from(data.last().copied().unwrap_or(0)) % ElementType::ALL.len()];
        assert!(page.range(element_type).addresses().count() <= 1 << 16);
    }
    let _ = TransportGeometry::parse(data).map(|page| page.transports().count());
    let _ = DeviceCapabilities::parse(data).map(|page| format!("{page:?}"));
    let _ = ExtendedCapabilities::parse(data).map(|page| format!("{page:?}"));
}

/// LOG SENSE: every page that is read, whatever page it says it is.
pub fn log_pages(data: &[u8]) {
    log_page(data);
    for code in [0x00, 0x40, 0x0D, 0x11, 0x12, 0x14, 0x15, 0x16, 0x17, 0x2E] {
        log_page(&with(&with_length(data, 2..4), 0, code));
    }
}

fn log_page(data: &[u8]) {
    if let Ok(page) = LogPage::parse(data) {
        assert!(page.parameters().map(|it| 4 + it.value.len()).sum::<usize>() <= data.len());
        page.parameters().for_each(|it| _ = it.number());
    }
    assert!(SupportedLogPages::parse(data).map_or(0, |page| page.pages().count()) <= data.len());
    let _ = (Temperature::parse(data), DriveStatus::parse(data), ChangerStatistics::parse(data));
    let _ = VolumeStatistics::parse(data);
    assert!(ElementStatistics::parse(data).map_or(0, |it| it.elements().count()) <= data.len() / 28);
    assert!(ChangerDiagnostics::parse(data).map_or(0, |it| it.errors().count()) <= data.len() / 56);
    assert!(TapeAlertPage::parse(data).map_or(0, |page| page.flags.on_changer().count()) <= 64);
    assert!(TapeAlertResponse::parse(data).map_or(0, |page| page.0.on_drive().count()) <= 64);
}

/// READ ATTRIBUTE: the memory of a cartridge.
pub fn attributes(data: &[u8]) {
    for data in [data, &with_length(data, 0..4)] {
        if let Ok(list) = Attributes::parse(data) {
            assert!(list.iter().count() <= data.len() / 5);
            list.iter().for_each(|it| _ = (it.text(), it.number(), it.kind()));
            let _ = (list.is_well_formed(), list.is_truncated());
        }
        assert!(AttributeIds::parse(data).map_or(0, |list| list.ids().count()) <= data.len() / 2);
        let _ = PartitionList::parse(data);
    }
}

/// PERSISTENT RESERVE IN and OUT.
pub fn reservations(data: &[u8]) {
    for data in [data, &with_length(data, 4..8)] {
        let _ = (ReservationHolder::parse(data), ReservationCapabilities::parse(data));
        let _ = PersistentReserveParameters::parse(data);
        assert!(ReservationKeys::parse(data).map_or(0, |it| it.keys().count()) <= data.len() / 8);
        assert!(ReservationStatus::parse(data).map_or(0, |it| it.registrations().count()) <= data.len() / 24);
    }
}

/// REPORT LUNS and REPORT SUPPORTED OPERATION CODES.
pub fn luns_and_codes(data: &[u8]) {
    for data in [data, &with_length(data, 0..4)] {
        assert!(LunList::parse(data).map_or(0, |list| list.luns().map(lun_number).count()) <= data.len() / 8);
        assert!(SupportedCommands::parse(data).map_or(0, |it| it.commands().count()) <= data.len() / 8);
        let _ = OneCommand::parse(data);
    }
}

/// READ POSITION and REPORT DENSITY SUPPORT.
pub fn tape(data: &[u8]) {
    for data in [data, &with_length(data, 0..2)] {
        let _ = (TapePosition::parse(data), LongPosition::parse(data));
        if let Ok(report) = DensityReport::parse(data) {
            assert!(report.densities().count() <= data.len() / 52);
            report.densities().for_each(|it| _ = format!("{it:?}"));
        }
    }
}

/// Volume tags, searches for them, and their answers. The first 32 bytes are a label as well.
pub fn volume_tags(data: &[u8]) {
    if let Some(tag) = VolumeTag::parse(data) {
        assert!(!tag.identifier().is_empty() && tag.identifier().len() <= 32);
        let _ = (tag.sequence(), tag.raw());
    }
    let label = data.get(..32).unwrap_or(data);
    let rest = data.get(32..).unwrap_or_default();
    for data in [data, rest] {
        if let Ok(template) = VolumeTagTemplate::parse(data) {
            let _ = template.fits(label);
            assert!(VolumeTagTemplate::parse(&template.to_bytes()).is_ok());
        }
    }
    if let Ok(answer) = VolumeElements::parse(data) {
        let _ = answer.action();
        report(data);
        assert!(answer.report().elements().count() <= data.len() / 4);
    }
}

/// CDBs, as a target decodes them: every command of every device type.
pub fn commands(data: &[u8]) {
    let _ = Cdb::from_bytes(data).map(|cdb| format!("{cdb:?}"));
    let (changer, tape) = (ChangerCommand::decode(data), TapeCommand::decode(data));
    let _ = format!("{changer:?} {tape:?}");
    for error in [changer.err(), tape.err()].into_iter().flatten() {
        let _ = error.to_string();
        if let CdbError::Field(field) = error {
            assert!(usize::from(field.byte) < data.len());
        }
    }
}
