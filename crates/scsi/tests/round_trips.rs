//! What one side writes, the other reads.

use autochanger_scsi::*;
use proptest::prelude::*;

fn address() -> impl Strategy<Value = ElementAddress> {
    any::<u16>().prop_map(ElementAddress)
}

fn element_type() -> impl Strategy<Value = ElementType> {
    prop::sample::select(&ElementType::ALL[..])
}

fn page_control() -> impl Strategy<Value = PageControl> {
    use PageControl::{Changeable, Current, Default, Saved};
    prop::sample::select(&[Current, Changeable, Default, Saved][..])
}

fn range() -> impl Strategy<Value = Option<(ElementAddress, u16)>> {
    prop::option::of((address(), any::<u16>()))
}

fn changer_command() -> impl Strategy<Value = ChangerCommand> {
    let addresses = || (address(), address(), address(), address());
    prop_oneof![
        Just(TestUnitReady {}.into()),
        Just(InitializeElementStatus {}.into()),
        (any::<bool>(), any::<u8>()).prop_map(|(descriptor, allocation)| RequestSense {
            descriptor,
            allocation
        }
        .into()),
        (any::<Option<u8>>(), any::<u16>()).prop_map(|(vpd, allocation)| Inquiry { vpd, allocation }.into()),
        (any::<u8>(), any::<u32>()).prop_map(|(select, allocation)| ReportLuns { select, allocation }.into()),
        (0u8..0x40, any::<u8>(), page_control(), any::<bool>(), any::<u8>()).prop_map(
            |(page, subpage, control, disable_block_descriptors, allocation)| {
                ModeSense6 { page, subpage, control, disable_block_descriptors, allocation }.into()
            }
        ),
        (0u8..0x40, any::<u8>(), page_control(), any::<bool>(), any::<u16>()).prop_map(
            |(page, subpage, control, disable_block_descriptors, allocation)| {
                ModeSense10 { page, subpage, control, disable_block_descriptors, allocation }.into()
            }
        ),
        (any::<bool>(), range())
            .prop_map(|(fast, range)| InitializeElementStatusWithRange { fast, range }.into()),
        (any::<bool>(), range()).prop_map(|(no_bar_code, range)| {
            InitializeElementStatusWithRangeVendor { no_bar_code, range }.into()
        }),
        (prop::option::of(element_type()), address(), any::<(u16, bool, bool, bool)>(), 0u32..0x100_0000)
            .prop_map(|(element_type, start, (count, volume_tags, current_data, device_ids), allocation)| {
                ReadElementStatus {
                    element_type,
                    start,
                    count,
                    volume_tags,
                    current_data,
                    device_ids,
                    allocation,
                }
                .into()
            }),
        (addresses(), any::<bool>()).prop_map(|((transport, source, destination, _), invert)| {
            MoveMedium { transport, source, destination, invert }.into()
        }),
        (addresses(), any::<(bool, bool)>()).prop_map(
            |((transport, source, first_destination, second_destination), (invert_first, invert_second))| {
                ExchangeMedium {
                    transport,
                    source,
                    first_destination,
                    second_destination,
                    invert_first,
                    invert_second,
                }
                .into()
            }
        ),
        (address(), address(), any::<bool>()).prop_map(|(transport, destination, invert)| {
            PositionToElement { transport, destination, invert }.into()
        }),
        any::<bool>().prop_map(|prevent| PreventAllowMediumRemoval { prevent }.into()),
    ]
}

fn sense() -> impl Strategy<Value = Sense> {
    let flags = any::<(bool, bool, bool, bool, bool)>();
    let field = (any::<bool>(), any::<u16>(), prop::option::of(0u8..8));
    (0u8..16, any::<(u8, u8, u8)>(), prop::option::of(any::<u64>()), flags, field, any::<Option<u16>>())
        .prop_map(|(key, (asc, ascq, fru), information, flags, (command, byte, bit), progress)| {
            let key = SenseKey::from_bits(key);
            let mut sense = Sense { information, fru, ..Sense::new(key, asc, ascq) };
            (sense.deferred, sense.filemark, sense.end_of_medium, sense.incorrect_length, _) = flags;
            match key {
                SenseKey::IllegalRequest => sense.field_pointer = Some(FieldPointer { command, byte, bit }),
                SenseKey::NoSense | SenseKey::NotReady => sense.progress = progress,
                SenseKey::UnitAttention => sense.unit_attention_overflow = flags.4,
                _ => {}
            }
            sense
        })
}

#[derive(Clone, Debug)]
struct Owned {
    record: ElementRecord<'static>,
    tag: Option<String>,
    serial: Option<String>,
}

fn record() -> impl Strategy<Value = Owned> {
    let bits = any::<[bool; 9]>();
    let codes = (any::<Option<(u8, u8)>>(), 0u8..8, any::<Option<u16>>());
    let texts = (prop::option::of("[!-~]([ -~]{0,30}[!-~])?"), prop::option::of("[!-~]{1,10}"));
    (address(), bits, codes, texts).prop_map(
        |(address, bits, (except, medium_type, source), (tag, serial))| {
            let [full, access, import_export, export_enabled, import_enabled, ..] = bits;
            let [.., connected_changer, operator_intervention, disabled, inverted] = bits;
            let record = ElementRecord {
                full,
                access,
                import_export,
                export_enabled,
                import_enabled,
                connected_changer,
                operator_intervention,
                disabled,
                inverted,
                except: except.map(|(asc, ascq)| AdditionalSense::new(asc, ascq)),
                medium_type: MediumType::from(medium_type),
                source: source.map(ElementAddress),
                ..ElementRecord::new(address)
            };
            Owned { record, tag, serial }
        },
    )
}

fn pages() -> impl Strategy<Value = Vec<(ElementPageOptions, Vec<Owned>)>> {
    let options = (element_type(), any::<bool>(), any::<bool>(), 0u8..8).prop_map(
        |(element_type, volume_tags, alternate_volume_tags, vendor_bytes)| ElementPageOptions {
            volume_tags,
            alternate_volume_tags,
            identifier: Some(34),
            vendor_bytes,
            ..ElementPageOptions::new(element_type)
        },
    );
    prop::collection::vec((options, prop::collection::vec(record(), 1..5)), 0..5)
}

/// A T10 identifier of 34 bytes.
fn t10(serial: &str) -> String {
    format!("ACME    LTO-8           {serial:10}")
}

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
    fn a_tape_command_is_decoded_as_it_was_built(bits in any::<[bool; 5]>()) {
        let [immediate, load, retension, end_of_tape, hold] = bits;
        let command = LoadUnload { immediate, load, retension, end_of_tape, hold };
        prop_assert_eq!(TapeCommand::decode(command.cdb().as_bytes()), Ok(command.into()));
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
}
