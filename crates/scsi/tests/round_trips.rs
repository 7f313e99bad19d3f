//! What one side writes, the other reads.

#[path = "round_trips/any.rs"]
mod any;

use autochanger_scsi::*;
use proptest::prelude::*;

use any::{Owned, changer_command, pages, sense, t10, tape_command};

fn write(pages: &[(ElementPageOptions, Vec<Owned>)], buffer: &mut [u8]) -> usize {
    let mut writer = ElementStatusWriter::new(buffer);
    for (options, records) in pages {
        writer.page(*options);
        for Owned { record, tag, serial } in records {
            let identifier = serial.as_deref().map(t10);
            let device_id = identifier.as_ref().map(|bytes| DeviceId {
                code_set: 2,
                id_type: 1,
                bytes: bytes.as_bytes(),
            });
            let tag = tag.as_ref().map(String::as_bytes);
            writer.element(&ElementRecord { tag, alternate_tag: tag, device_id, ..*record });
        }
    }
    writer.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_command_is_decoded_as_it_was_built(command in changer_command()) {
        let cdb = command.cdb();
        prop_assert_eq!(ChangerCommand::decode(cdb.as_bytes()), Ok(command));
        prop_assert_eq!(cdb_length(cdb.opcode()), Some(cdb.as_bytes().len()));
        prop_assert_eq!(Cdb::from_bytes(cdb.as_bytes()), Some(cdb));
    }

    #[test]
    fn a_tape_command_is_decoded_as_it_was_built(command in tape_command()) {
        let cdb = command.cdb();
        prop_assert_eq!(TapeCommand::decode(cdb.as_bytes()), Ok(command));
        prop_assert_eq!(cdb_length(cdb.opcode()), Some(cdb.as_bytes().len()));
        // No bit is set that the usage data do not claim.
        let usage = TapeCommand::usage(cdb.opcode()).expect("known");
        prop_assert!(cdb.as_bytes().iter().zip(usage.as_bytes()).all(|(byte, claimed)| byte & !claimed == 0));
    }

    #[test]
    fn what_decodes_is_built_again_from_the_same_bytes(command in changer_command(), at in 0usize..12, bit in 0u8..8) {
        // One bit flipped: either it is refused, or it means something and comes back.
        let mut bytes = command.cdb().as_bytes().to_vec();
        let command_opcode = bytes[0];
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
        if let Ok(command) = ChangerCommand::decode(&bytes) {
            // The two liberties: the SCSI-2 LUN, and a range that does not count.
            bytes[1] &= 0x1F;
            if matches!(bytes[0], 0x37 | 0xE7) && bytes[1] & 1 == 0 {
                bytes[2..4].fill(0);
                bytes[6..8].fill(0);
            }
            let cdb = command.cdb();
            // A flipped group bit can make it another, shorter command: what follows it is padding then.
            let (built, padding) = bytes.split_at(cdb.as_bytes().len());
            prop_assert_eq!(cdb.as_bytes(), built);
            prop_assert!(padding.is_empty() || bytes[0] != command_opcode);
        }
    }

    #[test]
    fn sense_data_in_descriptor_format_is_read_as_it_was_written(sense in sense()) {
        let mut buffer = [0; Sense::MAX_DESCRIPTOR];
        let length = sense.write_descriptor(&mut buffer);
        prop_assert_eq!(Sense::parse(&buffer[..length]), Some(sense));
    }

    #[test]
    fn sense_data_in_fixed_format_is_read_as_it_was_written(mut sense in sense()) {
        sense.information = sense.information.map(|information| information & 0xFFFF_FFFF);
        prop_assert_eq!(Sense::parse(&sense.to_fixed()), Some(sense));
    }

    #[test]
    fn elements_are_read_as_they_were_written(pages in pages(), cut in 0usize..4000) {
        let mut buffer = vec![0; 8192];
        let length = write(&pages, &mut buffer);
        let report = ElementStatus::parse(&buffer[..length]).expect("header");
        prop_assert!(report.is_well_formed() && !report.is_truncated());
        let written: Vec<_> =
            pages.iter().flat_map(|(options, records)| records.iter().map(move |record| (options, record))).collect();
        let read: Vec<_> = report.elements().collect();
        prop_assert_eq!(read.len(), written.len());
        prop_assert_eq!(usize::from(report.elements_available()), written.len());
        let lowest = written.iter().map(|(_, owned)| owned.record.address).min();
        prop_assert_eq!(report.first_element(), lowest.unwrap_or_default());
        for (element, (options, Owned { record, tag, serial })) in read.iter().zip(&written) {
            let port = options.element_type == ElementType::ImportExport;
            prop_assert_eq!(element.element_type(), options.element_type);
            prop_assert_eq!(element.address(), record.address);
            prop_assert_eq!((element.full(), element.access()), (record.full, record.access));
            prop_assert_eq!((element.disabled(), element.inverted()), (record.disabled, record.inverted));
            prop_assert_eq!((element.exception(), element.source()), (record.except, record.source));
            prop_assert_eq!(element.medium_type(), record.medium_type);
            prop_assert_eq!(element.import_export(), port && record.import_export);
            prop_assert_eq!(element.export_enabled(), port && record.export_enabled);
            prop_assert_eq!(element.import_enabled(), port && record.import_enabled);
            prop_assert_eq!(element.connected_changer(), port && record.connected_changer);
            prop_assert_eq!(element.operator_intervention(), port && record.operator_intervention);
            let expected = tag.as_deref().filter(|_| options.volume_tags);
            prop_assert_eq!(element.volume_tag().map(|tag| tag.identifier()), expected);
            let expected = tag.as_deref().filter(|_| options.alternate_volume_tags);
            prop_assert_eq!(element.alternate_volume_tag().map(|tag| tag.identifier()), expected);
            prop_assert_eq!(element.device_id().and_then(|id| id.serial()), serial.as_deref());
            prop_assert!(element.is_complete());
        }
        // Cut anywhere, it yields the same elements, the last one perhaps incomplete.
        let cut = &buffer[..cut.min(length)];
        if let Ok(report) = ElementStatus::parse(cut) {
            for (element, whole) in report.elements().zip(&read) {
                prop_assert_eq!(element.address(), whole.address());
                prop_assert!(whole.raw().starts_with(element.raw()));
                prop_assert_eq!(element.is_complete(), element.raw().len() == whole.raw().len());
            }
            prop_assert_eq!(report.is_truncated(), cut.len() < length);
        }
    }

    #[test]
    fn element_addresses_are_read_as_they_were_written(numbers in any::<[(u16, u16); 4]>()) {
        let [transport, storage, import_export, drive] =
            numbers.map(|(first, count)| ElementRange::new(first, count));
        let page = ElementAddressAssignment { transport, storage, import_export, drive };
        let mut buffer = [0; ElementAddressAssignment::LENGTH];
        page.write(&mut buffer);
        prop_assert_eq!(ElementAddressAssignment::parse(&buffer), Ok(page));
    }

    #[test]
    fn inquiry_data_is_read_as_it_was_written(
        vendor in "[!-~]{0,8}",
        product in "[!-~]{0,16}",
        revision in "[!-~]{0,4}",
        code in 0u8..0x20,
        tail in prop::collection::vec(any::<u8>(), 0..219),
    ) {
        let data = StandardInquiryData {
            device_type: DeviceType::from(code),
            vendor: &vendor,
            product: &product,
            revision: &revision,
            vendor_specific: &tail,
            ..StandardInquiryData::default()
        };
        let mut buffer = [0; 260];
        let length = data.write(&mut buffer);
        let inquiry = StandardInquiry::parse(&buffer[..length]).expect("header");
        prop_assert_eq!(inquiry.available(), length);
        prop_assert_eq!(inquiry.device_type(), DeviceType::from(code));
        prop_assert_eq!((inquiry.vendor(), inquiry.product(), inquiry.revision()), (&*vendor, &*product, &*revision));
        prop_assert_eq!(inquiry.vendor_specific(), &tail[..]);
    }

    #[test]
    fn logical_units_are_read_as_they_were_written(luns in prop::collection::vec(any::<u64>(), 0..20)) {
        let mut buffer = [0; 200];
        let length = LunList::write(luns.iter().copied(), &mut buffer);
        let list = LunList::parse(&buffer[..length]).expect("header");
        prop_assert!(list.luns().eq(luns));
        prop_assert!(!list.is_truncated());
    }

    #[test]
    fn log_parameters_are_read_as_they_were_written(
        code in 0u8..0x40,
        parameters in prop::collection::vec((any::<(u16, u8)>(), prop::collection::vec(any::<u8>(), 0..20)), 0..20),
    ) {
        let mut buffer = vec![0; 1024];
        let mut writer = LogPageWriter::new(code, &mut buffer);
        for ((code, control), value) in &parameters {
            writer.parameter(*code, *control, value);
        }
        let length = writer.finish();
        let page = LogPage::parse(&buffer[..length]).expect("header");
        prop_assert_eq!((page.code(), page.is_truncated()), (code, false));
        let read: Vec<_> = page.parameters().map(|it| ((it.code, it.control), it.value.to_vec())).collect();
        prop_assert_eq!(read, parameters);
    }

    #[test]
    fn alerts_are_read_as_they_were_written(bits in any::<u64>()) {
        let flags = TapeAlertFlags::from_bits(bits);
        let mut buffer = [0; TapeAlertPage::LENGTH];
        TapeAlertPage::write(flags, &mut buffer);
        prop_assert_eq!(TapeAlertPage::parse(&buffer).map(|page| page.flags), Ok(flags));
        prop_assert_eq!(flags.iter().collect::<TapeAlertFlags>(), flags);
        let length = TapeAlertResponse(flags).write(&mut buffer);
        prop_assert_eq!(TapeAlertResponse::parse(&buffer[..length]), Some(TapeAlertResponse(flags)));
    }

    #[test]
    fn supported_commands_are_read_as_they_were_written(
        entries in prop::collection::vec(any::<(u8, Option<u16>, u16, Option<(u8, u32, u32)>)>(), 0..30),
    ) {
        let commands: Vec<_> = entries.into_iter().map(|(opcode, service_action, cdb_length, timeouts)| {
            let timeouts = timeouts
                .map(|(specific, nominal, recommended)| CommandTimeouts { specific, nominal, recommended });
            SupportedCommand { opcode, service_action, cdb_length, timeouts }
        }).collect();
        let mut buffer = vec![0; 1024];
        let length = SupportedCommands::write(commands.iter().copied(), &mut buffer);
        let list = SupportedCommands::parse(&buffer[..length]).expect("header");
        prop_assert_eq!(list.commands().collect::<Vec<_>>(), commands);
    }

    #[test]
    fn attributes_are_read_as_they_were_written(
        entries in prop::collection::vec((any::<(u16, bool)>(), prop::collection::vec(any::<u8>(), 0..40)), 0..20),
    ) {
        let mut buffer = vec![0; 2048];
        let mut writer = AttributeWriter::new(&mut buffer);
        for ((id, read_only), value) in &entries {
            writer.attribute(&Attribute { id: *id, read_only: *read_only, format: AttributeFormat::Binary, value });
        }
        let length = writer.finish();
        let list = Attributes::parse(&buffer[..length]).expect("header");
        prop_assert!(list.is_well_formed());
        let read: Vec<_> = list.iter().map(|it| ((it.id, it.read_only), it.value.to_vec())).collect();
        prop_assert_eq!(read, entries);
    }

    #[test]
    fn a_template_fits_what_it_says(label in "[A-Z0-9]{1,32}", at in 0usize..32) {
        prop_assert!(VolumeTagTemplate::new(label.as_bytes()).fits(label.as_bytes()));
        let at = at.min(label.len() - 1);
        let (head, tail) = label.split_at(at);
        let one = format!("{head}?{}", &tail[1..]);
        prop_assert!(VolumeTagTemplate::new(one.as_bytes()).fits(label.as_bytes()));
        let rest = format!("{head}*");
        prop_assert!(VolumeTagTemplate::new(rest.as_bytes()).fits(label.as_bytes()));
        prop_assert!(!VolumeTagTemplate::new(head.as_bytes()).fits(label.as_bytes()));
    }
}
