//! Whatever a device or an initiator sends, nothing panics and nothing runs away.

use autochanger_scsi::*;
use proptest::prelude::*;

/// A report cannot hold more elements than it has bytes for: four in the shortest descriptor.
fn check_elements(data: &[u8]) -> Result<(), TestCaseError> {
    let Ok(report) = ElementStatus::parse(data) else { return Ok(()) };
    let mut count = 0;
    for element in report.elements() {
        count += 1;
        let _ = format!("{element:?} {:?}", element.scsi_address());
        let _ = (element.alternate_volume_tag(), element.raw_volume_tag(), element.after_tags());
        if let Some(tag) = element.volume_tag() {
            prop_assert!(!tag.identifier().is_empty());
            prop_assert!(tag.identifier().bytes().all(|byte| (0x20..0x7F).contains(&byte)));
            prop_assert_eq!(tag.identifier(), tag.identifier().trim());
        }
        if let Some(id) = element.device_id() {
            let _ = (id.vendor(), id.product(), id.serial(), id.naa());
        }
    }
    prop_assert!(count <= data.len() / 4);
    prop_assert!(report.pages().count() <= data.len() / 8);
    let _ = (report.is_truncated(), report.is_well_formed(), report.first_element());
    Ok(())
}

/// A report whose headers are plausible, so that arbitrary bytes reach the descriptors.
fn plausible_report() -> impl Strategy<Value = Vec<u8>> {
    let page = (0u8..6, any::<u8>(), 0u16..100, prop::collection::vec(any::<u8>(), 0..300), any::<bool>());
    (prop::collection::vec(page, 0..4), any::<u16>(), 0usize..1300).prop_map(|(pages, count, cut)| {
        let mut data = vec![0, 1, 0, 0, 0, 0, 0, 0];
        data[2..4].copy_from_slice(&count.to_be_bytes());
        for (element_type, flags, length, mut body, identifier) in pages {
            if identifier && let Some(at) = body.get_mut(12..16) {
                at.copy_from_slice(&[2, 1, 0, 34]);
            }
            data.extend_from_slice(&[element_type, flags]);
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(&(body.len() as u32).to_be_bytes());
            data.extend_from_slice(&body);
        }
        let total = data.len() as u32 - 8;
        data[4..8].copy_from_slice(&total.to_be_bytes());
        data.truncate(cut);
        data
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_element_status_report(data in prop::collection::vec(any::<u8>(), 0..400)) {
        check_elements(&data)?;
    }

    #[test]
    fn an_element_status_report_with_plausible_headers(data in plausible_report()) {
        check_elements(&data)?;
    }

    #[test]
    fn sense_data(mut data in prop::collection::vec(any::<u8>(), 0..260), response in 0x70u8..0x74) {
        let _ = Sense::parse(&data);
        if let Some(first) = data.first_mut() {
            *first = *first & 0x80 | response;
        }
        if let Some(sense) = Sense::parse(&data) {
            let _ = format!("{sense} {sense:?}");
        } else {
            prop_assert!(data.len() < 3);
        }
    }

    #[test]
    fn inquiry_data(data in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(inquiry) = StandardInquiry::parse(&data) {
            for text in [inquiry.vendor(), inquiry.product(), inquiry.revision()] {
                prop_assert!(text.bytes().all(|byte| (0x20..0x7F).contains(&byte)));
            }
            let _ = (inquiry.vendor_specific(), inquiry.device_type().to_string(), inquiry.mchngr());
        }
    }

    #[test]
    fn vital_product_data(mut data in prop::collection::vec(any::<u8>(), 0..300)) {
        for page in [
            vpd::SUPPORTED_PAGES,
            vpd::UNIT_SERIAL,
            vpd::DEVICE_IDENTIFICATION,
            vpd::TAPE_CAPABILITIES,
            vpd::MANUFACTURER_SERIAL,
            vpd::LIBRARY_SERIAL,
            vpd::DRIVE_ELEMENT,
        ] {
            if let Some(code) = data.get_mut(1) {
                *code = page;
            }
            if let Ok(page) = vpd::SupportedPages::parse(&data) {
                prop_assert!(page.pages().count() <= data.len());
            }
            let _ = vpd::TapeCapabilities::parse(&data);
            let _ = vpd::DriveElement::parse(&data);
            let _ = vpd::LibrarySerial::parse(&data).map(|page| page.serial().len());
            let _ = vpd::ManufacturerSerial::parse(&data).map(|page| page.serial().len());
            if let Ok(page) = vpd::UnitSerial::parse(&data) {
                prop_assert!(page.serial().is_ascii());
            }
            if let Ok(page) = vpd::DeviceIdentification::parse(&data) {
                prop_assert!(page.designators().map(|designator| 4 + designator.bytes.len()).sum::<usize>() <= data.len());
            }
        }
    }

    #[test]
    fn mode_parameters(data in prop::collection::vec(any::<u8>(), 0..300)) {
        for parameters in [ModeParameters::parse6(&data), ModeParameters::parse10(&data)].into_iter().flatten() {
            prop_assert!(parameters.pages().map(|page| page.bytes.len()).sum::<usize>() <= data.len());
        }
        let _ = ElementAddressAssignment::parse(&data).map(|page| {
            ElementType::ALL.map(|element_type| page.range(element_type).addresses().count())
        });
        let _ = TransportGeometry::parse(&data).map(|page| page.transports().count());
        let _ = DeviceCapabilities::parse(&data);
    }

    #[test]
    fn a_list_of_logical_units(data in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(list) = LunList::parse(&data) {
            prop_assert!(list.luns().map(lun_number).count() <= data.len() / 8);
        }
    }

    #[test]
    fn a_command(mut data in prop::collection::vec(any::<u8>(), 0..20), opcode in any::<u8>()) {
        if let Some(first) = data.first_mut() {
            *first = opcode;
        }
        let _ = Cdb::from_bytes(&data).map(|cdb| format!("{cdb:?}"));
        let _ = TapeCommand::decode(&data).map_err(|error| error.to_string());
        if let Err(CdbError::Field(field)) = ChangerCommand::decode(&data) {
            prop_assert!(usize::from(field.byte) < data.len());
        }
    }

    #[test]
    fn a_log_page(mut data in prop::collection::vec(any::<u8>(), 0..400)) {
        for code in [0x00, 0x40, 0x0D, 0x11, 0x12, 0x14, 0x15, 0x16, 0x17, 0x2E] {
            if let Some(first) = data.first_mut() {
                *first = code;
            }
            if let Ok(page) = LogPage::parse(&data) {
                prop_assert!(page.parameters().map(|it| 4 + it.value.len()).sum::<usize>() <= data.len());
                page.parameters().for_each(|it| { it.number(); });
            }
            let _ = SupportedLogPages::parse(&data).map(|page| page.pages().count());
            let _ = (Temperature::parse(&data), DriveStatus::parse(&data), ChangerStatistics::parse(&data));
            let _ = VolumeStatistics::parse(&data);
            prop_assert!(ElementStatistics::parse(&data).map_or(0, |it| it.elements().count()) <= data.len() / 28);
            prop_assert!(ChangerDiagnostics::parse(&data).map_or(0, |it| it.errors().count()) <= data.len() / 56);
            let alerts = TapeAlertPage::parse(&data).map(|page| page.flags.on_changer().count());
            prop_assert!(alerts.unwrap_or(0) <= 64);
            let _ = TapeAlertResponse::parse(&data).map(|page| page.0.on_drive().count());
        }
    }

    #[test]
    fn reservations(data in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (ReservationHolder::parse(&data), ReservationCapabilities::parse(&data));
        let _ = PersistentReserveParameters::parse(&data);
        prop_assert!(ReservationKeys::parse(&data).map_or(0, |it| it.keys().count()) <= data.len() / 8);
        prop_assert!(ReservationStatus::parse(&data).map_or(0, |it| it.registrations().count()) <= data.len() / 24);
    }

    #[test]
    fn supported_commands(mut data in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = OneCommand::parse(&data);
        prop_assert!(SupportedCommands::parse(&data).map_or(0, |it| it.commands().count()) <= data.len() / 8);
        if let Some(length) = data.get_mut(..3) {
            length.fill(0);
        }
        prop_assert!(SupportedCommands::parse(&data).map_or(0, |it| it.commands().count()) <= data.len() / 8);
    }

    #[test]
    fn the_memory_of_a_cartridge(mut data in prop::collection::vec(any::<u8>(), 0..200)) {
        for _ in 0..2 {
            if let Ok(list) = Attributes::parse(&data) {
                prop_assert!(list.iter().count() <= data.len() / 5);
                list.iter().for_each(|it| { let _ = (it.text(), it.number(), it.kind()); });
                let _ = (list.is_well_formed(), list.is_truncated());
            }
            let _ = AttributeIds::parse(&data).map(|list| list.ids().count());
            let _ = PartitionList::parse(&data);
            if let Some(length) = data.get_mut(..3) {
                length.fill(0);
            }
        }
    }

    #[test]
    fn what_a_drive_says(data in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (TapePosition::parse(&data), LongPosition::parse(&data), ExtendedCapabilities::parse(&data));
        if let Ok(report) = DensityReport::parse(&data) {
            prop_assert!(report.densities().count() <= data.len() / 52);
        }
    }

    #[test]
    fn a_search_for_volume_tags(data in prop::collection::vec(any::<u8>(), 0..200), label in any::<[u8; 32]>()) {
        let _ = VolumeTagTemplate::parse(&data).map(|template| template.fits(&label));
        let _ = VolumeElements::parse(&data).map(|answer| (answer.action(), answer.report().elements().count()));
    }
}
